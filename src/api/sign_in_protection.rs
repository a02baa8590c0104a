//! What is remembered of refused sign-ins of an account, and ending it.

use actix_web::HttpRequest;
use actix_web::web::Data;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::extract::PathId;
use super::json::RawBody;
use super::routes::{Access, Routes};
use crate::app::{Answer, App, Ctx};
use crate::auth::throttle::{Counted, Lock, Tally};
use crate::digest;
use crate::enter;
use crate::error::{Error, Result};
use crate::ids::{UserId, kind};
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::store::{Tx, accounts, passwords, throttles};
use crate::workflow::input::NoInput;
use crate::workflow::role::Role;

/// Who ends a lock.
const KEEPERS: &[Role] = &[Role::SecurityAdministrator];

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const READERS: Access = Access::Roles(&[Role::SecurityAdministrator, Role::Auditor]);
    const WRITERS: Access = Access::Roles(KEEPERS);
    enter!(routes, READERS, [__path_get_sign_in_protection] get_sign_in_protection);
    enter!(routes, WRITERS, [__path_unlock_user] unlock_user);
}

/// What is remembered of refused sign-ins of an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignInProtection {
    /// The account.
    user_id: UserId,
    /// Failures in a row; forgotten with a sign-in, and when there was none for a day.
    #[schema(minimum = 0, example = 5)]
    failures: i32,
    /// When the last of them was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    last_failure_at: Option<Timestamp>,
    /// Until when every sign-in is refused, also with the right password; absent: it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    blocked_until: Option<Timestamp>,
    /// It is locked, as the password policy asks, and not only delayed.
    locked: bool,
}

impl SignInProtection {
    fn of(user: UserId, tally: Option<&Tally>, lock: Option<Lock>, now: Timestamp) -> Self {
        Self {
            user_id: user,
            failures: tally.map_or(0, |tally| tally.failures),
            last_failure_at: tally.map(|tally| tally.last_failure_at),
            blocked_until: tally.and_then(|tally| tally.blocked(now)),
            locked: tally.is_some_and(|tally| tally.is_locked(lock, now)),
        }
    }

    /// A number that changes with whatever changes of it.
    fn version(&self) -> i32 {
        let text = format!("{self:?}");
        let hash = digest::hex(&[text.as_bytes()]);
        i32::from_str_radix(hash.get(..7).unwrap_or_default(), 16).unwrap_or(0)
    }

    fn shown(&self) -> Result<Answer> {
        Ok(Answer::ok(self)?.version(self.version()))
    }
}

/// The account's protection as it is now, with what it is counted under.
fn look(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<(SignInProtection, Counted)> {
    let committee = ctx.committee();
    let account = accounts::person(tx, committee, user)?.ok_or_else(Error::not_found)?;
    let (policy, _) = passwords::policy(tx, committee)?;
    let counted = Counted::name(committee, &account.username);
    let tally = throttles::find(tx, committee, &counted)?;
    let protection = SignInProtection::of(user, tally.as_ref(), policy.lock(), ctx.now);
    Ok((protection, counted))
}

/// Whether an account is delayed or locked
///
/// What is remembered of refused sign-ins of the account. Failures under its name count, wherever
/// they came from.
#[utoipa::path(get, path = "/api/v1/users/{user_id}/sign-in-protection", tag = "accounts",
    params(("user_id" = UserId, Path, description = "The account.")),
    responses((status = 200, description = "What is remembered.", body = SignInProtection)))]
pub async fn get_sign_in_protection(
    app: Data<App>,
    ctx: Ctx,
    PathId(user): PathId<kind::User>,
) -> Result<Answer> {
    app.db
        .read("auth.protection", move |tx| look(tx, &ctx, user)?.0.shown())
        .await
}

/// Unlock an account
///
/// Forgets its failures: the right password works at once, on every instance. `If-Match` is the
/// ETag of its `sign-in-protection`.
#[utoipa::path(post, path = "/api/v1/users/{user_id}/actions/unlock", tag = "accounts",
    params(("user_id" = UserId, Path, description = "The account.")),
    request_body(content = NoInput, example = json!({})),
    responses((status = 200, description = "What is remembered now.", body = SignInProtection)))]
pub async fn unlock_user(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathId(user): PathId<kind::User>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let (before, counted) = look(tx, &act, user)?;
        body.parse::<NoInput>()?;
        act.if_match.check(before.version())?;
        if throttles::forget(tx, act.committee(), &counted)? {
            tell(tx, &act, &before)?;
        }
        look(tx, &act, user)?.0.shown()
    })
    .await
}

fn tell(tx: &mut Tx<'_>, ctx: &Ctx, before: &SignInProtection) -> Result<()> {
    accounts::lock(tx, ctx.committee(), before.user_id)?;
    let happening = Happening {
        name: "user.sign_in_unlocked".to_owned(),
        rule: None,
        content: json!({ "failures": before.failures, "until": before.blocked_until }),
    };
    let stream = Stream::of(ctx.committee(), "user", before.user_id);
    events::append(tx, &stream, &Circumstances::of(ctx, KEEPERS), happening)
}
