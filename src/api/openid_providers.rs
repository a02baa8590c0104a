//! Identity providers of the committee, for the security administrator.

use actix_web::HttpRequest;
use actix_web::web::Data;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::extract::{Listing, PathId};
use super::json::RawBody;
use super::page::{Binding, COUNT_CAP, Page, PageParams};
use super::register::{self, Patch, Resource};
use super::routes::{Access, Routes};
use super::webhooks::NoFilter;
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::{Error, Result};
use crate::ids::{OpenidProviderId, UserId, kind};
use crate::store::Tx;
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::store::openid::{self, OpenidLink, OpenidProviderFields, OpenidProviderFilter};
use crate::store::register::{self as rows, Entry, Register, Rows};
use crate::store::users::UserFields;
use crate::workflow::role::Role;

/// A provider as it is answered.
pub type OpenidProvider = Entry<OpenidProviderFields>;
/// Changes to a provider.
pub type OpenidProviderPatch = Patch<OpenidProviderFields>;

impl Resource for OpenidProviderFields {
    const PATH: &'static str = "/api/v1/openid-providers";
    const ENTRY: &'static str = "OpenidProvider";
    const PATCH: &'static str = "OpenidProviderPatch";
}

/// The secret of the client.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientSecretIn {
    /// As the provider gave it; left out for a public client, which has none.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 500, pattern = "^[ -~]+$", format = Password, example = "kept-by-the-provider-3f9c2a")]
    client_secret: Option<String>,
}

/// Which subject belongs to which account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenidLinkIn {
    /// The account.
    user_id: UserId,
    /// What the provider calls it (`sub`).
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"\S",
        example = "248289761001"
    )]
    subject: String,
}

/// Whose link goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenidUnlinkIn {
    /// The account.
    user_id: UserId,
}

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const READ: Access = Access::Roles(&[
        Role::SecurityAdministrator,
        Role::Administrator,
        Role::Auditor,
    ]);
    const WRITE: Access = Access::Roles(OpenidProviderFields::WRITERS);
    routes.hidden_body::<OpenidProviderFields>();
    enter!(routes, READ, [__path_list_openid_providers] list_openid_providers);
    enter!(routes, WRITE.stepped_up(), [__path_create_openid_provider] create_openid_provider);
    enter!(routes, READ, [__path_get_openid_provider] get_openid_provider);
    enter!(routes, WRITE.stepped_up(), [__path_update_openid_provider] update_openid_provider);
    enter!(routes, WRITE.stepped_up(), [__path_set_openid_client_secret] set_openid_client_secret);
    enter!(routes, READ, [__path_list_openid_links] list_openid_links);
    enter!(routes, WRITE.stepped_up(), [__path_link_openid_subject] link_openid_subject);
    enter!(routes, WRITE.stepped_up(), [__path_unlink_openid_subject] unlink_openid_subject);
}

/// List identity providers
///
/// Those of the committee, also those that are shut, in the order in which they were entered.
#[utoipa::path(
    get, path = "/api/v1/openid-providers", tag = "accounts",
    params(OpenidProviderFilter, PageParams),
    responses((status = 200, description = "A page of providers.", body = Page<OpenidProvider>)),
)]
pub async fn list_openid_providers(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<OpenidProviderFilter>,
) -> Result<Answer> {
    register::list::<OpenidProviderFields>(&app, ctx, listing).await
}

/// Enter an identity provider
///
/// Register the service there first, with `redirect_uri`, the code flow and PKCE. At most 20 of a
/// committee.
#[utoipa::path(
    post, path = "/api/v1/openid-providers", tag = "accounts",
    request_body = OpenidProviderFields,
    responses((status = 201, description = "The provider was entered.", body = OpenidProvider)),
)]
pub async fn create_openid_provider(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let wanted: OpenidProviderFields = body.parse()?;
    app.openid.check_redirect(&wanted.redirect_uri)?;
    app.openid.check_issuer(&wanted.issuer).await?;
    register::create::<OpenidProviderFields>(&app, ctx, &request, &body).await
}

/// Read an identity provider
///
/// One provider of the committee, without its client secret.
#[utoipa::path(
    get, path = "/api/v1/openid-providers/{openid_provider_id}", tag = "accounts",
    params(("openid_provider_id" = OpenidProviderId, Path, description = "The provider.")),
    responses((status = 200, description = "The provider.", body = OpenidProvider)),
)]
pub async fn get_openid_provider(
    app: Data<App>,
    ctx: Ctx,
    id: PathId<kind::OpenidProvider>,
) -> Result<Answer> {
    register::show::<OpenidProviderFields>(&app, ctx, id.0).await
}

/// Change an identity provider
///
/// Shuts it too: sign-ins that came by it end. Its issuer stays while accounts are linked to it.
#[utoipa::path(
    patch, path = "/api/v1/openid-providers/{openid_provider_id}", tag = "accounts",
    params(("openid_provider_id" = OpenidProviderId, Path, description = "The provider.")),
    request_body(content = OpenidProviderPatch, content_type = "application/merge-patch+json",
        example = json!({ "enabled": false })),
    responses((status = 200, description = "The provider as it is now.", body = OpenidProvider)),
)]
pub async fn update_openid_provider(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathId(id): PathId<kind::OpenidProvider>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let (committee, tag) = (ctx.committee(), ctx.if_match.clone());
    // A name is resolved before the transaction; that the row is still the same is asked inside.
    let present = app
        .db
        .read("openid.provider", move |tx| {
            OpenidProviderFields::find(tx, committee, id)
        })
        .await?;
    tag.check(present.version)?;
    let wanted: OpenidProviderFields = body.merge_into(&present.fields)?;
    app.openid.check_redirect(&wanted.redirect_uri)?;
    if wanted.issuer != present.fields.issuer {
        app.openid.check_issuer(&wanted.issuer).await?;
    }
    let (act, checked) = (ctx.clone(), wanted);
    app.write(&ctx, move |tx| {
        let before = OpenidProviderFields::find(tx, committee, id)?;
        act.if_match.check(before.version)?;
        let fields: OpenidProviderFields = body.merge_into(&before.fields)?;
        if fields != checked {
            return Err(Error::new(crate::error::Code::VersionMismatch));
        }
        let shut = before.fields.enabled && !fields.enabled;
        let after = rows::change(tx, &act, before, fields)?;
        if shut {
            openid::end_sign_ins(tx, committee, id, act.now)?;
        }
        register::shown(after, &act)
    })
    .await
}

/// Set the client secret of an identity provider
///
/// It is kept enciphered and never shown. A body without one makes the client a public one.
#[utoipa::path(
    post, path = "/api/v1/openid-providers/{openid_provider_id}/actions/set-client-secret", tag = "accounts",
    params(("openid_provider_id" = OpenidProviderId, Path, description = "The provider.")),
    request_body(content = ClientSecretIn,
        example = json!({ "client_secret": "kept-by-the-provider-3f9c2a" })),
    responses((status = 200, description = "The provider as it is now.", body = OpenidProvider)),
)]
pub async fn set_openid_client_secret(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathId(id): PathId<kind::OpenidProvider>,
    body: RawBody,
) -> Result<Answer> {
    let mut ctx = ctx.for_write(&request, &body)?;
    ctx.guard_password(&app, &String::from_utf8_lossy(body.bytes()))
        .await?;
    let (act, keeper) = (ctx.clone(), app.second_factor.keeper.clone());
    app.write(&ctx, move |tx| {
        let before = OpenidProviderFields::find(tx, act.committee(), id)?;
        let ClientSecretIn { client_secret } = body.parse()?;
        act.if_match.check(before.version)?;
        let kept = client_secret
            .map(|secret| keeper.keep(&secret, &id.to_string()))
            .transpose()?;
        openid::set_client_secret(tx, act.committee(), id, kept.as_deref())?;
        let fields = before.fields.clone();
        let after = rows::touch(tx, &act, &before, fields, "client_secret_set")?;
        register::shown(after, &act)
    })
    .await
}

/// List the links of an identity provider
///
/// Which subject belongs to which account, in the order of the accounts.
#[utoipa::path(
    get, path = "/api/v1/openid-providers/{openid_provider_id}/links", tag = "accounts",
    params(("openid_provider_id" = OpenidProviderId, Path, description = "The provider."), PageParams),
    responses((status = 200, description = "A page of links.", body = Page<OpenidLink>)),
)]
pub async fn list_openid_links(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::OpenidProvider>,
    listing: Listing<NoFilter>,
) -> Result<Answer> {
    let page = listing.page;
    let binding = Binding::new(&ctx, &id);
    let after: Option<UserId> = page
        .cursor
        .as_deref()
        .map(|cursor| binding.decode(cursor))
        .transpose()?;
    let (committee, with_count) = (ctx.committee(), page.count);
    let limit = i64::try_from(page.limit.get() + 1).unwrap_or(i64::MAX);
    let (links, count) = app
        .db
        .read("openid.links", move |tx| {
            OpenidProviderFields::find(tx, committee, id)?;
            let links = openid::links(tx, committee, id, after, limit)?;
            let count = with_count.then(|| openid::count_links(tx, committee, id));
            Ok((links, count.transpose()?))
        })
        .await?;
    let mut page = binding.page(links, page.limit, |link| link.user_id)?;
    page.count = count.map(|count| count.min(COUNT_CAP));
    Answer::ok(&page)
}

/// Link an account to a subject
///
/// From now on whoever the provider calls `subject` signs in to this account. Each account has one
/// subject of a provider at most, and each subject one account.
#[utoipa::path(
    post, path = "/api/v1/openid-providers/{openid_provider_id}/actions/link", tag = "accounts",
    params(("openid_provider_id" = OpenidProviderId, Path, description = "The provider.")),
    request_body(content = OpenidLinkIn, example = json!({
        "user_id": "user_019a1b2c3d4e7f8090a1b2c3d4e5f607", "subject": "248289761001",
    })),
    responses((status = 200, description = "The provider as it is now.", body = OpenidProvider)),
)]
pub async fn link_openid_subject(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathId(id): PathId<kind::OpenidProvider>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let provider = OpenidProviderFields::find(tx, act.committee(), id)?;
        let OpenidLinkIn { user_id, subject } = body.parse()?;
        act.if_match.check(provider.version)?;
        rows::referred(tx, &act, user_id, "/user_id", |_: &UserFields| true)?;
        openid::link(tx, act.committee(), id, user_id, &subject, act.now)?;
        let content = json!({ "user_id": user_id, "subject": subject });
        record(tx, &act, id, "openid_provider.linked", content)?;
        register::shown(provider, &act)
    })
    .await
}

/// Unlink an account
///
/// The account cannot be signed in to through the provider any more; sign-ins that stand go on.
#[utoipa::path(
    post, path = "/api/v1/openid-providers/{openid_provider_id}/actions/unlink", tag = "accounts",
    params(("openid_provider_id" = OpenidProviderId, Path, description = "The provider.")),
    request_body(content = OpenidUnlinkIn,
        example = json!({ "user_id": "user_019a1b2c3d4e7f8090a1b2c3d4e5f607" })),
    responses((status = 200, description = "The provider as it is now.", body = OpenidProvider)),
)]
pub async fn unlink_openid_subject(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathId(id): PathId<kind::OpenidProvider>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let provider = OpenidProviderFields::find(tx, act.committee(), id)?;
        let OpenidUnlinkIn { user_id } = body.parse()?;
        act.if_match.check(provider.version)?;
        if openid::unlink(tx, act.committee(), id, user_id)? {
            let content = json!({ "user_id": user_id });
            record(tx, &act, id, "openid_provider.unlinked", content)?;
        }
        register::shown(provider, &act)
    })
    .await
}

/// Appends to the history of a provider.
fn record(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: OpenidProviderId,
    name: &str,
    content: serde_json::Value,
) -> Result<()> {
    let stream = Stream::of(ctx.committee(), OpenidProviderFields::NAME, id);
    let happening = Happening {
        name: name.to_owned(),
        rule: None,
        content,
    };
    let circumstances = Circumstances::of(ctx, OpenidProviderFields::WRITERS);
    events::append(tx, &stream, &circumstances, happening)
}
