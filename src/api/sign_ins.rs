//! The caller's own sign-ins: which go on, and ending them.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use actix_web::web::Data;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::extract::Listing;
use super::json::RawBody;
use super::page::{Binding, CursorParams, Page};
use super::routes::{Access, Routes};
use crate::app::signin::REFRESH_IDLE;
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::Result;
use crate::ids::{OpenidProviderId, SignInId};
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::store::sign_ins::{self, EndReason, Going};
use crate::store::{Tx, accounts};

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::Persons, [__path_list_sign_ins] list_sign_ins);
    enter!(routes, Access::Persons.stepped_up(), [__path_end_sign_ins] end_sign_ins);
}

/// A sign-in of the caller that goes on: a chain of refresh tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignIn {
    /// Identifier.
    id: SignInId,
    /// It is the one in which this was asked.
    current: bool,
    /// When it began.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    created_at: Timestamp,
    /// When it was last used, to about ten minutes: its tokens were exchanged, or a request was
    /// noted.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    last_used_at: Timestamp,
    /// When it ends at the latest.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    expires_at: Timestamp,
    /// When the second factor was last proven in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    second_factor_at: Option<Timestamp>,
    /// The identity provider by which it came; absent: the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    openid_provider_id: Option<OpenidProviderId>,
}

impl SignIn {
    fn of(row: &Going, exchanged_at: Option<Timestamp>, ctx: &Ctx) -> Self {
        let times = [row.last_seen_at.map(|at| at.0), exchanged_at];
        Self {
            id: row.id,
            current: row.id == ctx.principal.sign_in,
            created_at: row.created_at.0,
            last_used_at: times
                .into_iter()
                .flatten()
                .fold(row.created_at.0, Timestamp::max),
            expires_at: row.expires_at.0,
            second_factor_at: row.second_factor_at.map(|at| at.0),
            openid_provider_id: row.provider_id,
        }
    }
}

/// The list is not narrowed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SignInFilter {}

/// Which sign-ins to end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSignIns {
    /// The one to end, which may be the present one; absent: all but the present one.
    #[serde(default)]
    #[schema(nullable = false)]
    sign_in_id: Option<SignInId>,
}

/// What it came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedSignIns {
    /// How many sign-ins ended by this. One that had ended before does not count.
    #[schema(minimum = 0, maximum = 2_147_483_647, example = 2)]
    ended: usize,
}

/// List my sign-ins
///
/// Those of the caller's sign-ins that go on, newest first, and which of them is the present one.
/// What is not there has ended. Of the devices nothing is kept; an account whose password somebody
/// else knows shows a sign-in that its owner did not begin.
#[utoipa::path(get, path = "/api/v1/auth/sign-ins", tag = "sign-in",
    params(CursorParams),
    responses((status = 200, description = "A page of sign-ins.", body = Page<SignIn>)))]
pub async fn list_sign_ins(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<SignInFilter>,
) -> Result<Answer> {
    let binding = Binding::new(&ctx, &ctx.user());
    let page = listing.page;
    let before: Option<SignInId> = page
        .cursor
        .as_deref()
        .map(|cursor| binding.decode(cursor))
        .transpose()?;
    let limit = i64::try_from(page.limit.get() + 1).unwrap_or(i64::MAX);
    let act = ctx.clone();
    let (rows, exchanged) = app
        .db
        .read("auth.sign_ins", move |tx| own(tx, &act, before, limit))
        .await?;
    let page = binding.page(rows, page.limit, |row| row.id)?;
    Answer::ok(&page.map(|row| {
        let exchanged_at = exchanged.get(&row.id).copied();
        SignIn::of(&row, exchanged_at, &ctx)
    }))
}

/// The caller's sign-ins, and when each last exchanged its tokens.
fn own(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: Option<SignInId>,
    limit: i64,
) -> Result<(Vec<Going>, BTreeMap<SignInId, Timestamp>)> {
    let (committee, now) = (ctx.committee(), ctx.now);
    let since = now - REFRESH_IDLE;
    let rows = sign_ins::going_on(tx, committee, ctx.user(), (since, now), before, limit)?;
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    Ok((rows, sign_ins::exchanged_at(tx, committee, &ids)?))
}

/// End my sign-ins
///
/// One of the caller's sign-ins, or all but the present one: their refresh tokens and every write stop
/// working at once, and so do reads, but for those on another instance, for less than five seconds. Change the password as well where somebody else may know it.
#[utoipa::path(post, path = "/api/v1/auth/sign-ins/actions/end", tag = "sign-in",
    request_body(content = EndSignIns, example = json!({})),
    responses((status = 200, description = "What it came to", body = EndedSignIns)))]
pub async fn end_sign_ins(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let wanted: EndSignIns = body.parse()?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        accounts::lock(tx, act.committee(), act.user())?;
        let ended = end(tx, &act, wanted.sign_in_id)?;
        if ended > 0 {
            tell(tx, &act, wanted.sign_in_id, ended)?;
        }
        Answer::ok(&EndedSignIns { ended })
    })
    .await
}

fn end(tx: &mut Tx<'_>, ctx: &Ctx, one: Option<SignInId>) -> Result<usize> {
    let (committee, user, now) = (ctx.committee(), ctx.user(), ctx.now);
    let why = EndReason::EndedByOwner;
    if let Some(one) = one {
        sign_ins::check_owner(tx, committee, user, one, "/sign_in_id")?;
        return Ok(usize::from(sign_ins::end(tx, committee, one, why, now)?));
    }
    let keep = Some(ctx.principal.sign_in);
    sign_ins::end_all(tx, committee, user, keep, why, now)
}

fn tell(tx: &mut Tx<'_>, ctx: &Ctx, one: Option<SignInId>, ended: usize) -> Result<()> {
    let happening = Happening {
        name: "user.own_sign_ins_ended".to_owned(),
        rule: None,
        content: json!({ "by": ctx.principal.sign_in, "sign_in": one, "sign_ins_ended": ended }),
    };
    let stream = Stream::of(ctx.committee(), "user", ctx.user());
    events::append(tx, &stream, &Circumstances::of(ctx, &[]), happening)
}
