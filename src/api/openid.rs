//! Signing in through identity providers (OpenID Connect).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Params, request_id};
use super::json::RawBody;
use super::problem::Problem;
use super::routes::{Access, Routes};
use super::sign_in::{TokenOut, tokens};
use crate::app::openid::FLOW;
use crate::app::{Answer, App};
use crate::enter;
use crate::error::{Code, Error, Message, Result};
use crate::ids::OpenidProviderId;
use crate::openid::Callback;
use crate::store::openid;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::Public, [__path_offered_openid_providers] offered_openid_providers);
    enter!(routes, Access::Public, [__path_start_openid] start_openid);
    enter!(routes, Access::Public, [__path_finish_openid] finish_openid);
}

/// Whose providers are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OfferedQuery {
    /// Code of the committee.
    #[param(min_length = 1, max_length = 64, example = "linjiang")]
    pub committee: String,
}

impl OfferedQuery {
    /// The limits that the document states.
    fn check(&self) -> Result<()> {
        if (1..=64).contains(&self.committee.chars().count()) {
            return Ok(());
        }
        Err(Error::new(Code::InvalidParameter).field(
            "committee",
            "length",
            Message::new("须为 1 至 64 个字符。", "One to 64 characters."),
        ))
    }
}

/// The providers that people may sign in through.
#[derive(Serialize, ToSchema)]
pub struct OfferedOut {
    /// The providers, in the order in which they were entered.
    #[schema(max_items = 20)]
    items: Vec<OfferedProvider>,
}

/// A provider, for the page where people sign in.
#[derive(Serialize, ToSchema)]
pub struct OfferedProvider {
    /// Identifier.
    id: OpenidProviderId,
    /// Name.
    #[schema(max_length = 50, example = "市政务统一身份认证")]
    name: String,
}

/// Where somebody wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenidStartIn {
    /// Code of the committee.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\s\u0000]+$",
        example = "linjiang"
    )]
    committee: String,
    /// The provider.
    provider_id: OpenidProviderId,
}

/// A sign-in that was begun.
#[derive(Serialize, ToSchema)]
pub struct OpenidStartOut {
    /// Where to send the browser.
    #[schema(
        max_length = 4000,
        example = "https://id.example.cn/auth?client_id=jianjian"
    )]
    authorization_url: String,
    /// Comes back with the code. Keep it for this browser (session storage) and compare: a page
    /// that gets another one was not sent by its own user.
    #[schema(
        max_length = 128,
        example = "jjo_AZqbLD1Of4CQobLD1OX2BwGamyw9Tn-AkKGyw9Tl9gc"
    )]
    state: String,
    /// Seconds for which the sign-in may be completed.
    #[schema(minimum = 0, maximum = 600, example = 600)]
    expires_in: i64,
}

/// What the browser came back with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenidFinishIn {
    /// The authorisation code.
    #[schema(
        min_length = 1,
        max_length = 2000,
        pattern = "^[ -~]+$",
        example = "SplxlOBeZQQYbYS6WxSbIA"
    )]
    code: String,
    /// The state.
    #[schema(
        min_length = 1,
        max_length = 128,
        pattern = "^[A-Za-z0-9_-]+$",
        example = "jjo_AZqbLD1Of4CQobLD1OX2BwGamyw9Tn-AkKGyw9Tl9gc"
    )]
    state: String,
    /// The issuer, where the provider sent it along (`iss`, RFC 9207).
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 500,
        example = "https://id.example.cn"
    )]
    iss: Option<String>,
}

/// Identity providers of a committee
///
/// For the page where people sign in. A committee that does not exist has none.
#[utoipa::path(get, path = "/api/v1/auth/openid/providers", tag = "sign-in", params(OfferedQuery),
    responses((status = 200, description = "The providers.", body = OfferedOut)))]
pub async fn offered_openid_providers(
    app: Data<App>,
    Params(query): Params<OfferedQuery>,
) -> Result<Answer> {
    query.check()?;
    let offered = app
        .db
        .read("openid.offered", move |tx| {
            openid::offered(tx, &query.committee)
        })
        .await?;
    let item = |(id, name)| OfferedProvider { id, name };
    Answer::ok(&OfferedOut {
        items: offered.into_iter().map(item).collect(),
    })
}

/// Sign in through an identity provider: begin
///
/// Authorisation code with PKCE (S256). Send the browser to `authorization_url`; the provider sends
/// it back to the registered page of the front end, with `code` and `state`.
#[utoipa::path(post, path = "/api/v1/auth/openid/start", tag = "sign-in",
    request_body = OpenidStartIn,
    responses(
        (status = 200, description = "Begun", body = OpenidStartOut),
        (status = 404, description = "`not-found`: No such provider, or it is shut",
         body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn start_openid(app: Data<App>, body: RawBody) -> Result<HttpResponse> {
    let OpenidStartIn {
        committee,
        provider_id,
    } = body.parse()?;
    let started = app.start_openid(committee, provider_id).await?;
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(OpenidStartOut {
            authorization_url: started.authorization_url,
            state: started.state,
            expires_in: FLOW.as_secs(),
        }))
}

/// Sign in through an identity provider: complete
///
/// Gives the same tokens as signing in by password. A subject that belongs to no account, and an
/// account that is disabled, are answered `bad-credentials`. A state is good for one attempt and
/// ten minutes. An account with a second factor is asked for it, unless the provider saw one and
/// its word is taken.
#[utoipa::path(post, path = "/api/v1/auth/openid/finish", tag = "sign-in",
    request_body = OpenidFinishIn,
    responses(
        (status = 200, description = "Signed in", body = TokenOut),
        (status = 401, description = "`bad-credentials`: The code or what it stands for is not right; `challenge-refused`: The sign-in has to be started again; `second-factor-required`: The second factor is needed",
         body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn finish_openid(
    app: Data<App>,
    request: HttpRequest,
    body: RawBody,
) -> Result<HttpResponse> {
    let OpenidFinishIn { code, state, iss } = body.parse()?;
    let callback = Callback { code, issuer: iss };
    app.finish_openid(&state, callback, request_id(&request))
        .await
        .map(tokens)
}
