//! Signing in and out, tokens, the own password, and the public keys.

use actix_web::http::header::{CACHE_CONTROL, PRAGMA};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{client_address, request_id};
use super::json::RawBody;
use super::problem::Problem;
use super::routes::{Access, Routes};
use crate::app::signin::{Credentials, Origin, SignedIn};
use crate::app::{Answer, App, Ctx};
use crate::auth::principal::Principal;
use crate::auth::token::{Jwk, LIFETIME};
use crate::codes::Label;
use crate::enter;
use crate::error::Result;
use crate::ids::{CommitteeId, MemberId, OrganisationId, SignInId, UnitId, UserId};
use crate::store::accounts::{NamedGrant, Names};
use crate::workflow::role::{Line, Role};

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::Public, [__path_login] login);
    enter!(routes, Access::Public, [__path_refresh_tokens] refresh_tokens);
    enter!(routes, Access::PasswordPending, [__path_logout] logout);
    enter!(routes, Access::PasswordPending, [__path_get_me] get_me);
    enter!(routes, Access::PasswordPending, [__path_change_password] change_password);
    enter!(routes, Access::Public, [__path_get_jwks] get_jwks);
}

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginIn {
    /// Code of the committee.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\s\u0000]+$",
        example = "linjiang"
    )]
    committee: String,
    /// Sign-in name.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\s\u0000]+$",
        example = "chen.wei"
    )]
    username: String,
    /// Password.
    #[schema(min_length = 1, max_length = 256, format = Password, example = "lantern-over-water")]
    password: String,
}

/// The token to exchange.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshIn {
    /// The refresh token received last.
    #[schema(
        min_length = 1,
        max_length = 128,
        pattern = "^[A-Za-z0-9_-]+$",
        example = "jjr_AZqbLD1Of4CQobLD1OX2BwGamyw9Tn-AkKGyw9Tl9gc"
    )]
    refresh_token: String,
}

/// The old and the new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordIn {
    /// The present password.
    #[schema(min_length = 1, max_length = 256, format = Password, example = "initial-3f9c2a")]
    old_password: String,
    /// The new one: 8 to 256 characters, without the user name, not a common one, and as the
    /// committee's password policy asks. Compared after Unicode normalisation (NFKC).
    #[schema(min_length = 8, max_length = 256, format = Password, example = "lantern-over-water")]
    new_password: String,
}

/// A pair of tokens.
#[derive(Serialize, ToSchema)]
pub struct TokenOut {
    /// For the Authorization header, valid for `expires_in` seconds.
    #[schema(max_length = 2048)]
    access_token: String,
    /// Always `Bearer`.
    #[schema(max_length = 16, example = "Bearer")]
    token_type: &'static str,
    /// Seconds for which the access token is valid.
    #[schema(minimum = 0, maximum = 600, example = 600)]
    expires_in: i64,
    /// Gives the next pair, once. Valid for 7 days, and for 14 days after the sign-in at most.
    #[schema(max_length = 128)]
    refresh_token: String,
    /// Nothing but `POST /auth/password`, `GET /auth/me` and signing out works until the password
    /// is changed.
    must_change_password: bool,
    /// Nothing but the operations below `/auth/second-factor`, the password, `GET /auth/me` and
    /// signing out works until a second factor is enrolled and confirmed.
    must_enrol_second_factor: bool,
    /// Who signed in.
    user: MeOut,
}

impl TokenOut {
    fn of(signed_in: SignedIn) -> Self {
        Self {
            access_token: signed_in.access_token,
            token_type: "Bearer",
            expires_in: LIFETIME,
            refresh_token: signed_in.refresh_token.reveal().to_owned(),
            must_change_password: signed_in.principal.must_change_password,
            must_enrol_second_factor: signed_in.must_enrol,
            user: MeOut::of(&signed_in.principal, signed_in.names),
        }
    }
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub struct MeOut {
    /// The account.
    id: UserId,
    /// Sign-in name.
    #[schema(max_length = 64, example = "chen.wei")]
    username: String,
    /// Name shown to others.
    #[schema(max_length = 200, example = "陈维")]
    display_name: String,
    /// The password must be changed first.
    must_change_password: bool,
    /// The sign-in that the token belongs to.
    sign_in_id: SignInId,
    /// The committee.
    committee: MeCommittee,
    /// The member that the account belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    member: Option<MeMember>,
    /// The roles held.
    #[schema(max_items = 100)]
    roles: Vec<MeRole>,
}

/// The committee of the signed-in user.
#[derive(Serialize, ToSchema)]
pub struct MeCommittee {
    /// Identifier.
    id: CommitteeId,
    /// Code, as given when signing in.
    #[schema(max_length = 64, example = "linjiang")]
    code: String,
    /// Name.
    #[schema(max_length = 200, example = "政协临江市委员会")]
    name: String,
}

/// The member that the account belongs to.
#[derive(Serialize, ToSchema)]
pub struct MeMember {
    /// Identifier.
    id: MemberId,
    /// Name on the register.
    #[schema(max_length = 200, example = "陈维")]
    name: String,
}

/// A role, and what it is narrowed to.
#[derive(Serialize, ToSchema)]
pub struct MeRole {
    /// The role.
    role: Role,
    /// Its name.
    label: Label,
    /// The handling unit in which it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    unit: Option<MeUnit>,
    /// The organisation for which it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    organisation: Option<MeOrganisation>,
    /// The line in which it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    line: Option<MeLine>,
}

/// The unit of a role.
#[derive(Serialize, ToSchema)]
pub struct MeUnit {
    /// Identifier.
    id: UnitId,
    /// Name.
    #[schema(max_length = 200, example = "临江市水务局")]
    name: String,
}

/// The organisation of a role.
#[derive(Serialize, ToSchema)]
pub struct MeOrganisation {
    /// Identifier.
    id: OrganisationId,
    /// Name.
    #[schema(max_length = 200, example = "民盟临江市委会")]
    name: String,
}

/// The line of a role.
#[derive(Serialize, ToSchema)]
pub struct MeLine {
    /// The line.
    line: Line,
    /// Its name.
    label: Label,
}

impl MeOut {
    fn of(principal: &Principal, names: Names) -> Self {
        let member = principal.member.zip(names.member);
        Self {
            id: principal.user,
            username: principal.username.clone(),
            display_name: principal.display_name.clone(),
            must_change_password: principal.must_change_password,
            sign_in_id: principal.sign_in,
            committee: MeCommittee {
                id: principal.committee,
                code: names.committee_code,
                name: names.committee,
            },
            member: member.map(|(id, name)| MeMember { id, name }),
            roles: names.grants.into_iter().map(MeRole::of).collect(),
        }
    }
}

impl MeRole {
    fn of(named: NamedGrant) -> Self {
        let NamedGrant {
            grant,
            unit,
            organisation,
        } = named;
        Self {
            role: grant.role,
            label: grant.role.label(),
            unit: grant
                .unit_id
                .zip(unit)
                .map(|(id, name)| MeUnit { id, name }),
            organisation: grant
                .organisation_id
                .zip(organisation)
                .map(|(id, name)| MeOrganisation { id, name }),
            line: grant.line.map(|line| MeLine {
                line,
                label: line.label(),
            }),
        }
    }
}

/// The public keys by which access tokens can be verified (RFC 7517).
#[derive(Serialize, ToSchema)]
pub struct JwksOut {
    /// The keys, the present one first.
    #[schema(max_items = 20)]
    keys: Vec<Jwk>,
}

/// Tokens are never kept by anything on the way.
pub(super) fn tokens(signed_in: SignedIn) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((PRAGMA, "no-cache"))
        .json(TokenOut::of(signed_in))
}

/// Sign in
///
/// Gives an access token for 10 minutes and a refresh token. An unknown committee, an unknown
/// user, a wrong password and a disabled account are all answered alike. After three failures
/// under a name each further one delays the next attempt (1, 2, 4 seconds, up to 5 minutes), or
/// locks the name where the password policy says so; meanwhile a right password is answered like a
/// wrong one. Where the password is right and the account has a second factor, the answer is
/// `second-factor-required` with a `challenge` for `POST /auth/login/second-factor`. An address from which very many sign-ins were refused gets 429 for a while. Not to
/// be repeated with an Idempotency-Key: tokens are not stored.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "sign-in", request_body = LoginIn,
    responses(
        (status = 200, description = "Signed in", body = TokenOut),
        (status = 401, description = "`bad-credentials`: User name or password is not right; `second-factor-required`: The second factor is needed",
         body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn login(app: Data<App>, request: HttpRequest, body: RawBody) -> Result<HttpResponse> {
    let LoginIn {
        committee,
        username,
        password,
    } = body.parse()?;
    let credentials = Credentials {
        committee,
        username,
        password,
    };
    let origin = Origin {
        request: request_id(&request),
        address: client_address(&request),
    };
    app.login(credentials, origin).await.map(tokens)
}

/// Exchange the refresh token
///
/// Gives the next pair of tokens. A refresh token works once; the one used last gives the same
/// successor again for 10 seconds, so that a lost answer does no harm. Using one a second time
/// later ends the whole sign-in.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "sign-in", request_body = RefreshIn,
    responses(
        (status = 200, description = "The next pair of tokens", body = TokenOut),
        (status = 401, description = "`refresh-refused`: The refresh token is not accepted",
         body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn refresh_tokens(
    app: Data<App>,
    request: HttpRequest,
    body: RawBody,
) -> Result<HttpResponse> {
    let RefreshIn { refresh_token } = body.parse()?;
    app.refresh(&refresh_token, request_id(&request))
        .await
        .map(tokens)
}

/// Sign out
///
/// Ends the sign-in: its refresh token and every write stop working at once. So do reads, but for those on
/// another instance of the service that remembers the caller, for less than five seconds.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "sign-in",
    responses((status = 204, description = "Signed out")))]
pub async fn logout(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    app.logout(&ctx.for_write(&request, &body)?).await
}

/// Who am I
///
/// The account behind the access token, its committee and its roles, with names.
#[utoipa::path(get, path = "/api/v1/auth/me", tag = "sign-in",
    responses((status = 200, description = "The signed-in user", body = MeOut)))]
pub async fn get_me(app: Data<App>, ctx: Ctx) -> Result<Answer> {
    let names = app.names(&ctx).await?;
    Answer::ok(&MeOut::of(&ctx.principal, names))
}

/// Change the own password
///
/// Ends every other sign-in of the account, and lifts the restriction that an initial password, or
/// one that is older than the password policy allows, brings. A wrong present password is counted
/// as when signing in, and answered alike during the delay or lock that follows.
#[utoipa::path(post, path = "/api/v1/auth/password", tag = "sign-in", request_body = PasswordIn,
    responses((status = 204, description = "Changed")))]
pub async fn change_password(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let PasswordIn {
        old_password,
        new_password,
    } = body.parse()?;
    app.change_password(&ctx, &old_password, &new_password)
        .await
}

/// Public keys
///
/// The keys by which access tokens can be verified: the one that signs, and those retired so
/// recently that tokens of theirs may still be valid.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "service",
    responses((status = 200, description = "JSON Web Key Set", body = JwksOut)))]
pub async fn get_jwks(app: Data<App>) -> Result<HttpResponse> {
    let keys = app.keys.jwks(app.clock.now());
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .json(JwksOut { keys }))
}
