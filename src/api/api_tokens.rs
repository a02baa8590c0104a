//! Tokens of machine clients, for the security administrator.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use actix_web::HttpRequest;
use actix_web::web::Data;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::extract::{Listing, PathId};
use super::json::RawBody;
use super::page::{Page, PageParams};
use super::register::{self, Resource};
use super::routes::{Access, Routes};
use crate::app::{Answer, App, Ctx};
use crate::auth::api_token::ApiToken;
use crate::enter;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{ApiTokenId, kind};
use crate::store::api_tokens::{
    self, ApiTokenFields, ApiTokenFilter, ApiTokenIn, RotateApiTokenIn,
};
use crate::store::register::{Entry, Register, Rows};
use crate::workflow::input::NoInput;
use crate::workflow::role::Role;

/// A token as it is answered.
pub type ApiTokenOut = Entry<ApiTokenFields>;

impl Resource for ApiTokenFields {
    const PATH: &'static str = "/api/v1/api-tokens";
    const ENTRY: &'static str = "ApiToken";
    const PATCH: &'static str = "ApiTokenPatch";
}

/// The token with its secret, as it is answered once.
pub struct IssuedApiToken;

/// What is shown once.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a schema")]
struct Shown {
    /// The token itself, for the Authorization header. It is shown in this answer and never again:
    /// an answer that is repeated by its Idempotency-Key, and a trial run, come without it.
    #[schema(
        nullable = false,
        min_length = 98,
        max_length = 98,
        pattern = "^jjt_[A-Za-z0-9_-]{86}[0-9a-f]{8}$"
    )]
    token: Option<String>,
}

impl utoipa::PartialSchema for IssuedApiToken {
    fn schema() -> RefOr<Schema> {
        register::joined::<ApiTokenOut, Shown>()
    }
}

impl ToSchema for IssuedApiToken {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        ApiTokenOut::schemas(schemas);
    }
}

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const READERS: Access = Access::Roles(&[Role::SecurityAdministrator, Role::Auditor]);
    const WRITERS: Access = Access::Roles(ApiTokenFields::WRITERS);
    enter!(routes, READERS, [__path_list_api_tokens] list_api_tokens);
    enter!(routes, WRITERS.stepped_up(), [__path_create_api_token] create_api_token);
    enter!(routes, READERS, [__path_get_api_token] get_api_token);
    enter!(routes, WRITERS.stepped_up(), [__path_rotate_api_token] rotate_api_token);
    enter!(routes, WRITERS, [__path_revoke_api_token] revoke_api_token);
}

/// List API tokens
///
/// The tokens of the committee's machine clients, also those that have expired or were revoked, in
/// the order in which they were made: whom they are for, by whom they were made, when they were
/// last used. Their secrets are not kept.
#[utoipa::path(
    get, path = "/api/v1/api-tokens", tag = "api-tokens",
    params(ApiTokenFilter, PageParams),
    responses((status = 200, description = "A page of tokens.", body = Page<ApiTokenOut>)),
)]
pub async fn list_api_tokens(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<ApiTokenFilter>,
) -> Result<Answer> {
    register::list::<ApiTokenFields>(&app, ctx, listing).await
}

/// Make an API token
///
/// For a machine client, such as a department's own case system. It acts in one role and for one
/// unit, organisation or line, as an account of its own: what it does is told under the name of
/// the token. The answer shows the token once; it is stored hashed. What only persons do (sign,
/// review, rate, examine, decide) is closed to tokens: operations open to them name the security
/// scheme `api_token`.
#[utoipa::path(
    post, path = "/api/v1/api-tokens", tag = "api-tokens",
    request_body(content = ApiTokenIn, example = json!({
        "name": "市交通运输局公文系统",
        "role": "unit_clerk",
        "unit_id": "unit_019a1b2c3d4e7f8090a1b2c3d4e5f607",
        "expires_at": "2027-01-31T16:00:00Z",
    })),
    responses((status = 201, description = "The token was made.", body = IssuedApiToken)),
)]
pub async fn create_api_token(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let wanted: ApiTokenIn = body.parse()?;
    check_operations(&wanted)?;
    let token = ApiToken::generate(ctx.committee(), ApiTokenId::new(ctx.now))?;
    let (act, secret) = (ctx.clone(), token.clone());
    let answer = app
        .write(&ctx, move |tx| {
            register::created(api_tokens::create(tx, &act, &wanted, &token)?, &act)
        })
        .await?;
    with_secret(answer, &ctx, &secret)
}

/// Read an API token
///
/// One token of the committee, without its secret.
#[utoipa::path(
    get, path = "/api/v1/api-tokens/{client_id}", tag = "api-tokens",
    params(("client_id" = ApiTokenId, Path, description = "The token.")),
    responses((status = 200, description = "The token.", body = ApiTokenOut)),
)]
pub async fn get_api_token(app: Data<App>, ctx: Ctx, id: PathId<kind::ApiToken>) -> Result<Answer> {
    register::show::<ApiTokenFields>(&app, ctx, id.0).await
}

/// Give an API token a new secret
///
/// The answer shows the new token once. The present one stays valid for `grace_seconds`, so that
/// its client can change over without a gap; one that was still in its own grace ends now. Name,
/// account and scope stay. A token that was revoked or has expired is refused.
#[utoipa::path(
    post, path = "/api/v1/api-tokens/{client_id}/actions/rotate", tag = "api-tokens",
    params(("client_id" = ApiTokenId, Path, description = "The token.")),
    request_body(content = RotateApiTokenIn, example = json!({ "grace_seconds": 3600 })),
    responses((status = 200, description = "The token with its new secret.", body = IssuedApiToken)),
)]
pub async fn rotate_api_token(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathId(id): PathId<kind::ApiToken>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let token = ApiToken::generate(ctx.committee(), id)?;
    let (act, secret) = (ctx.clone(), token.clone());
    let answer = app
        .write(&ctx, move |tx| {
            let before = ApiTokenFields::find(tx, act.committee(), id)?;
            let wanted: RotateApiTokenIn = body.parse()?;
            act.if_match.check(before.version)?;
            register::shown(
                api_tokens::rotate(tx, &act, &before, &wanted, &token)?,
                &act,
            )
        })
        .await?;
    with_secret(answer, &ctx, &secret)
}

/// Revoke an API token
///
/// Ends the token for good and at once, on every instance. One that was revoked before stays as it
/// is.
#[utoipa::path(
    post, path = "/api/v1/api-tokens/{client_id}/actions/revoke", tag = "api-tokens",
    params(("client_id" = ApiTokenId, Path, description = "The token.")),
    request_body(content = NoInput, example = json!({})),
    responses((status = 200, description = "The token as it is now.", body = ApiTokenOut)),
)]
pub async fn revoke_api_token(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathId(id): PathId<kind::ApiToken>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let before = ApiTokenFields::find(tx, act.committee(), id)?;
        body.parse::<NoInput>()?;
        act.if_match.check(before.version)?;
        register::shown(api_tokens::revoke(tx, &act, before)?, &act)
    })
    .await
}

/// Adds what the stored answer of an idempotency key must not hold.
fn with_secret(mut answer: Answer, ctx: &Ctx, token: &ApiToken) -> Result<Answer> {
    if !answer.replayed && !ctx.validate_only {
        answer.body.add(&json!({ "token": token.reveal() }))?;
    }
    Ok(answer)
}

/// Every name stands for an operation that is open to machines.
fn check_operations(wanted: &ApiTokenIn) -> Result<()> {
    static OPEN: LazyLock<BTreeSet<Arc<str>>> = LazyLock::new(|| {
        let routes = super::routes();
        let open = routes.operations().filter(|meta| meta.machines);
        open.map(|meta| Arc::clone(&meta.operation)).collect()
    });
    let mut error = Error::new(Code::InvalidInput);
    for (index, name) in wanted.operations.iter().flatten().enumerate() {
        if !OPEN.contains(name.0.as_str()) {
            error = error.field(
                format!("/operations/{index}"),
                "unknown_operation",
                Message::new(
                    "没有此操作，或此操作不对令牌开放。",
                    "There is no such operation, or it is not open to tokens.",
                ),
            );
        }
    }
    if error.fields().is_empty() {
        Ok(())
    } else {
        Err(error)
    }
}
