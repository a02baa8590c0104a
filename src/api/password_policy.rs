//! The password policy of the committee (口令策略).

use actix_web::HttpRequest;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::json::RawBody;
use super::routes::{Access, Routes};
use crate::app::{Answer, App, Ctx};
use crate::auth::policy::{
    MAX_LENGTH, PasswordPolicy, PasswordPolicyIn, PasswordProfile, RECOMMENDED_LENGTH,
};
use crate::codes::Label;
use crate::enter;
use crate::error::Result;
use crate::store::passwords;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const WRITERS: Access = Access::Roles(passwords::WRITERS);
    // Whoever must change the password has to know the rules.
    enter!(routes, Access::PasswordPending, [__path_get_password_policy] get_password_policy);
    enter!(routes, WRITERS.stepped_up(), [__path_set_password_policy] set_password_policy);
}

/// How passwords of the committee are made and kept, and when its sign-ins end.
#[derive(Serialize, ToSchema)]
#[schema(as = PasswordPolicy)]
pub struct PasswordPolicyOut {
    /// Which rules it keeps at least.
    profile: PasswordProfile,
    /// Its name.
    label: Label,
    /// Fewest characters of a password, after Unicode normalisation (NFKC).
    #[schema(minimum = 8, maximum = 20, example = 8)]
    min_length: i32,
    /// Most characters.
    #[schema(minimum = 256, maximum = 256, example = 256)]
    max_length: i32,
    /// The length to recommend to people.
    #[schema(minimum = 8, maximum = 64, example = 15)]
    recommended_length: i32,
    /// Of how many classes (capital letters, small letters, digits, everything else) a password
    /// has characters at least. In every case it must neither contain a name of the account, the
    /// code of the committee or a word of the place, nor be a common one.
    #[schema(minimum = 1, maximum = 4, example = 1)]
    min_classes: i32,
    /// Days after which a password must be changed; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 365, example = 90)]
    max_age_days: Option<i32>,
    /// How many of the last passwords, the present one among them, cannot be taken again.
    #[schema(minimum = 1, maximum = 10, example = 1)]
    history: i32,
    /// Failures in a row that lock an account; absent: failures only delay the next attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 3, maximum = 20, example = 5)]
    lock_after_failures: Option<i32>,
    /// Minutes for which it is locked.
    #[schema(minimum = 1, maximum = 1440, example = 15)]
    lock_minutes: i32,
    /// Minutes after which a sign-in that is not used ends; absent: after 7 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 5, maximum = 1440, example = 30)]
    idle_minutes: Option<i32>,
    /// Rises with every change; 0 before the first.
    #[schema(minimum = 0)]
    version: i32,
}

fn shown(policy: &PasswordPolicy, version: i32) -> Result<Answer> {
    let answer = PasswordPolicyOut {
        profile: policy.profile,
        label: policy.profile.label(),
        min_length: policy.min_length,
        max_length: MAX_LENGTH,
        recommended_length: RECOMMENDED_LENGTH,
        min_classes: policy.min_classes,
        max_age_days: policy.max_age_days,
        history: policy.history,
        lock_after_failures: policy.lock_after_failures,
        lock_minutes: policy.lock_minutes,
        idle_minutes: policy.idle_minutes,
        version,
    };
    Ok(Answer::ok(&answer)?.version(version))
}

/// Read the password policy
///
/// The rules that hold for every new password of the committee, for locks and for idle sign-ins.
/// Open to everybody signed in, also before the initial password is changed.
#[utoipa::path(get, path = "/api/v1/password-policy", tag = "accounts",
    responses((status = 200, description = "The policy.", body = PasswordPolicyOut)))]
pub async fn get_password_policy(app: Data<App>, ctx: Ctx) -> Result<Answer> {
    let committee = ctx.committee();
    app.db
        .read("auth.policy", move |tx| {
            let (policy, version) = passwords::policy(tx, committee)?;
            shown(&policy, version)
        })
        .await
}

/// Set the password policy
///
/// Replaces it as a whole: what is left out is as the profile has it, so `{"profile": "mlps3"}` is
/// all that the classified protection of level 3 asks for. Parameters may be stricter than the
/// profile, never laxer. It holds at once, for reads on another instance within five seconds: passwords older than `max_age_days`
/// must be changed next, and sign-ins have `idle_minutes` from now on. Passwords that are in use
/// are measured by the new rules when they are changed.
#[utoipa::path(put, path = "/api/v1/password-policy", tag = "accounts",
    request_body(content = PasswordPolicyIn, example = json!({ "profile": "mlps3", "min_length": 10 })),
    responses((status = 200, description = "The policy as it is now.", body = PasswordPolicyOut)))]
pub async fn set_password_policy(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let wanted: PasswordPolicyIn = body.parse()?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        act.if_match
            .check(passwords::policy(tx, act.committee())?.1)?;
        let policy = wanted.checked()?;
        shown(&policy, passwords::set_policy(tx, &act, &policy)?)
    })
    .await
}
