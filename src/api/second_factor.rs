//! The second factor: enrolling it, signing in with it, proving it again, and losing it.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{PathId, request_id};
use super::json::RawBody;
use super::problem::Problem;
use super::register;
use super::routes::{Access, Routes};
use super::sign_in::{TokenOut, tokens};
use super::users::{User, not_own};
use crate::app::second_factor::{self, Standing, SteppedUp};
use crate::app::{Answer, App, Ctx};
use crate::auth::totp::{RecoveryCode, Secret};
use crate::enter;
use crate::error::Result;
use crate::ids::{UserId, kind};
use crate::store::register::Rows;
use crate::store::users::UserFields;
use crate::workflow::input::NoInput;
use crate::workflow::role::Role;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const OWN: Access = Access::FactorPending;
    const RESETTERS: Access = Access::Roles(&[Role::SecurityAdministrator]);
    enter!(routes, Access::Public, [__path_login_second_factor] login_second_factor);
    enter!(routes, OWN, [__path_get_second_factor] get_second_factor);
    enter!(routes, OWN, [__path_enrol_second_factor] enrol_second_factor);
    enter!(routes, OWN, [__path_confirm_second_factor] confirm_second_factor);
    enter!(routes, OWN, [__path_disable_second_factor] disable_second_factor);
    enter!(routes, OWN, [__path_replace_recovery_codes] replace_recovery_codes);
    enter!(routes, Access::Persons, [__path_step_up] step_up);
    enter!(
        routes,
        RESETTERS.stepped_up(),
        [__path_reset_user_second_factor] reset_user_second_factor
    );
}

/// The answer to a challenge.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeIn {
    /// The challenge that signing in was answered with.
    #[schema(
        min_length = 1,
        max_length = 128,
        pattern = "^[A-Za-z0-9_-]+$",
        example = "jjc_AZqbLD1Of4CQobLD1OX2BwGamyw9Tn-AkKGyw9Tl9gc"
    )]
    challenge: String,
    /// Six digits from the authenticator, or a recovery code.
    #[schema(
        min_length = 6,
        max_length = 32,
        pattern = "^[0-9A-Za-z -]+$",
        example = "287082"
    )]
    code: String,
}

/// A code of the second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeIn {
    /// Six digits from the authenticator, or a recovery code.
    #[schema(
        min_length = 6,
        max_length = 32,
        pattern = "^[0-9A-Za-z -]+$",
        example = "287082"
    )]
    code: String,
}

/// The first code of a new second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstCodeIn {
    /// Six digits from the authenticator.
    #[schema(
        min_length = 6,
        max_length = 6,
        pattern = "^[0-9]{6}$",
        example = "287082"
    )]
    code: String,
}

/// What an authenticator needs. It is shown in this answer and never again: an answer that is
/// repeated by its Idempotency-Key, and a trial run, come without it.
#[derive(Serialize, ToSchema)]
pub struct EnrolmentOut {
    /// For the picture (QR code) that an authenticator reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 500,
        example = "otpauth://totp/jianjian:chen.wei?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=jianjian&algorithm=SHA1&digits=6&period=30"
    )]
    otpauth_uri: Option<String>,
    /// The secret in base32, to be typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 64,
        example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    )]
    secret: Option<String>,
}

/// Codes for whoever lost the device, each good for one time. They are shown in this answer and
/// never again: an answer that is repeated by its Idempotency-Key, and a trial run, come without.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodesOut {
    /// The codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_items = 10, max_items = 10, example = json!(["MFRG-GZDF-MZTW-Q2LK-NNWG-23TP", "NNXG-653M-MVSG-OZLJ-ONYG-653F", "OVWW-E4TF-NRWG-C43O-N52H-SZLU", "PFSW-C4TT-ORXW-G33N-MVQW-Y43P", "MJQW-G23U-N52G-QZLH-MFZG-IZLO", "NZSX-Q5DM-MFXH-IZLS-NZ3W-C3DL", "ONUW-4Y3F-ORUG-K4TJ-OZSX-E5LQ", "OBXW-G23F-ORXW-MYLV-OR2W-23TT", "MZXX-EZLT-ORQW-4ZDN-MVQW-I33X", "NBQW-Y3DP-MZWW-65LO-ORQW-S3TT"]))]
    recovery_codes: Option<Vec<String>>,
}

/// Sign in: the second factor
///
/// For whoever was answered `second-factor-required`: the challenge with a code gives the tokens.
/// A challenge is good for one sign-in and five minutes. A wrong code leaves it open; from the
/// fifth wrong code in a row on, codes of the account are not looked at for a while, which doubles.
/// Not to be repeated with an Idempotency-Key: tokens are not stored.
#[utoipa::path(post, path = "/api/v1/auth/login/second-factor", tag = "sign-in",
    request_body = ChallengeIn,
    responses(
        (status = 200, description = "Signed in", body = TokenOut),
        (status = 401, description = "`second-factor-refused`: The code is not right; `challenge-refused`: The sign-in has to be started again",
         body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn login_second_factor(
    app: Data<App>,
    request: HttpRequest,
    body: RawBody,
) -> Result<HttpResponse> {
    let ChallengeIn { challenge, code } = body.parse()?;
    app.answer_challenge(&challenge, &code, request_id(&request))
        .await
        .map(tokens)
}

/// The own second factor
///
/// Whether there is one, whether there must be one, and what was proven in this sign-in.
#[utoipa::path(get, path = "/api/v1/auth/second-factor", tag = "sign-in",
    responses((status = 200, description = "The second factor of the caller.", body = Standing)))]
pub async fn get_second_factor(app: Data<App>, ctx: Ctx) -> Result<Answer> {
    Answer::ok(&app.standing(&ctx).await?)
}

/// Enrol a second factor
///
/// Gives the secret for an authenticator (TOTP, RFC 6238). It counts once its first code was
/// confirmed; until then another enrolment takes its place. An account has one at most.
#[utoipa::path(post, path = "/api/v1/auth/second-factor", tag = "sign-in",
    request_body(content = NoInput, example = json!({})),
    responses((status = 200, description = "What the authenticator needs.", body = EnrolmentOut)))]
pub async fn enrol_second_factor(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    body.parse::<NoInput>()?;
    let secret = Secret::generate()?;
    let answer = app.enrol(&ctx, &secret).await?;
    let shown = EnrolmentOut {
        otpauth_uri: Some(secret.uri(&app.second_factor.label, &ctx.principal.username)),
        secret: Some(secret.reveal()),
    };
    shown_once(answer, &ctx, &shown)
}

/// Confirm the second factor
///
/// Shows its first code: from now on signing in asks for it. Gives ten recovery codes, and ends
/// every other sign-in of the account.
#[utoipa::path(post, path = "/api/v1/auth/second-factor/actions/confirm", tag = "sign-in",
    request_body = FirstCodeIn,
    responses((status = 200, description = "The recovery codes.", body = RecoveryCodesOut)))]
pub async fn confirm_second_factor(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let FirstCodeIn { code } = body.parse()?;
    let codes = RecoveryCode::generate()?;
    let answer = app.confirm(&ctx, &code, &codes).await?;
    shown_once(answer, &ctx, &shown(&codes))
}

/// Disable the second factor
///
/// Asks for a code of it, or a recovery code. Where the account must have one, another one has to
/// be enrolled before anything else.
#[utoipa::path(post, path = "/api/v1/auth/second-factor/actions/disable", tag = "sign-in",
    request_body = CodeIn,
    responses((status = 204, description = "There is none any more.")))]
pub async fn disable_second_factor(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let CodeIn { code } = body.parse()?;
    app.disable(&ctx, &code).await
}

/// Make new recovery codes
///
/// Asks for a code. The old recovery codes end, used or not.
#[utoipa::path(post, path = "/api/v1/auth/second-factor/actions/replace-recovery-codes", tag = "sign-in",
    request_body = CodeIn,
    responses((status = 200, description = "The recovery codes.", body = RecoveryCodesOut)))]
pub async fn replace_recovery_codes(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let CodeIn { code } = body.parse()?;
    let codes = RecoveryCode::generate()?;
    let answer = app.replace_codes(&ctx, &code, &codes).await?;
    shown_once(answer, &ctx, &shown(&codes))
}

/// Prove the second factor again
///
/// For operations marked `x-step-up`, which answer `step-up-required` otherwise. Counts for this
/// sign-in and for `second_factor.step_up_minutes` (by default 10).
#[utoipa::path(post, path = "/api/v1/auth/step-up", tag = "sign-in",
    request_body = CodeIn,
    responses((status = 200, description = "Proven.", body = SteppedUp)))]
pub async fn step_up(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let CodeIn { code } = body.parse()?;
    app.step_up(&ctx, &code).await
}

/// Remove a lost second factor
///
/// By the security administrator, for an owner who lost the device and has no recovery code left,
/// but not for the own account: the second factor and its recovery codes go, and the account is
/// signed out everywhere. Make sure who asks.
#[utoipa::path(
    post, path = "/api/v1/users/{user_id}/actions/reset-second-factor", tag = "accounts",
    params(("user_id" = UserId, Path, description = "The account.")),
    request_body(content = NoInput, example = json!({})),
    responses((status = 200, description = "The account as it is now.", body = User)),
)]
pub async fn reset_user_second_factor(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathId(id): PathId<kind::User>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let before = UserFields::find(tx, act.committee(), id)?;
        not_own(&act, id)?;
        body.parse::<NoInput>()?;
        act.if_match.check(before.version)?;
        register::shown(second_factor::reset(tx, &act, &before)?, &act)
    })
    .await
}

fn shown(codes: &[RecoveryCode]) -> RecoveryCodesOut {
    RecoveryCodesOut {
        recovery_codes: Some(codes.iter().map(RecoveryCode::reveal).collect()),
    }
}

/// Adds what the stored answer of an idempotency key must not hold.
fn shown_once(mut answer: Answer, ctx: &Ctx, shown: &impl Serialize) -> Result<Answer> {
    if !answer.replayed && !ctx.validate_only {
        answer.body.add(shown)?;
    }
    Ok(answer)
}
