//! Committees (政协委员会): the tenants, as a tree.

use actix_web::HttpRequest;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Listing, PathId};
use super::json::RawBody;
use super::page::{Page, PageParams};
use super::register::{self, Resource};
use super::routes::{Access, Routes};
use super::users::InitialPassword;
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::{Code, Error, Result};
use crate::ids::{CommitteeId, kind};
use crate::store::committees::{self, CommitteeFields, CommitteeFilter};
use crate::store::register::{Entry, Register, Rows, change};
use crate::store::users::UserFields;
use crate::workflow::lists::CommitteeLevel;
use crate::workflow::role::{Grant, Role};

/// A committee as it is answered.
pub type Committee = Entry<CommitteeFields>;

impl Resource for CommitteeFields {
    const PATH: &'static str = "/api/v1/committees";
    const ENTRY: &'static str = "Committee";
    const PATCH: &'static str = "CommitteePatch";
}

/// A new committee below the caller's.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCommittee {
    /// Short name for signing in; unique in the service, and fixed.
    #[schema(
        min_length = 2,
        max_length = 39,
        pattern = "^[a-z][a-z0-9-]{1,38}$",
        example = "yunling-nanhu"
    )]
    pub code: String,
    /// Its full name.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"\S",
        example = "政协云岭市南湖区委员会"
    )]
    pub name: String,
    /// Its level; below that of the caller's committee.
    #[schema(example = "county")]
    pub level: CommitteeLevel,
    /// Its region.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"\S",
        example = "云岭市南湖区"
    )]
    pub region: String,
    /// Who sets it up.
    pub administrator: FirstAdministrator,
}

/// The first account of a new committee, with the role `administrator`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstAdministrator {
    /// Sign-in name.
    #[schema(
        min_length = 3,
        max_length = 64,
        pattern = "^[a-z0-9][a-z0-9._-]{2,63}$",
        example = "shen.ruoxi"
    )]
    pub username: String,
    /// Name that others see.
    #[schema(min_length = 1, max_length = 50, pattern = r"\S", example = "沈若溪")]
    pub display_name: String,
    /// First password; must be changed at the first sign-in.
    #[schema(min_length = 8, max_length = 256, format = Password, example = "七月流火-Qh4x")]
    pub password: String,
}

/// What a committee may change of itself, as a JSON merge patch (RFC 7396).
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitteePatch {
    /// New full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"\S",
        nullable = false,
        example = "政协云岭市委员会"
    )]
    pub name: Option<String>,
    /// New region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"\S",
        nullable = false,
        example = "云岭市"
    )]
    pub region: Option<String>,
}

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const WRITERS: Access = Access::Roles(CommitteeFields::WRITERS);
    enter!(routes, Access::SignedIn, [__path_list_committees] list_committees);
    enter!(routes, WRITERS.stepped_up(), [__path_create_committee] create_committee);
    enter!(routes, Access::SignedIn, [__path_get_committee] get_committee);
    enter!(routes, WRITERS, [__path_update_committee] update_committee);
}

/// List committees
///
/// The caller's committee, those above it and those below it, in the order in which they were
/// created.
#[utoipa::path(
    get, path = "/api/v1/committees", tag = "registers",
    params(CommitteeFilter, PageParams),
    responses((status = 200, description = "A page of committees.", body = Page<Committee>)),
)]
pub async fn list_committees(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<CommitteeFilter>,
) -> Result<Answer> {
    register::list::<CommitteeFields>(&app, ctx, listing).await
}

/// Create a committee
///
/// It becomes a child of the caller's committee and gets an administrator, who must change the
/// password at the first sign-in and sets up everything else.
#[utoipa::path(
    post, path = "/api/v1/committees", tag = "registers",
    request_body = NewCommittee,
    responses((status = 201, description = "The committee was created.", body = Committee)),
)]
pub async fn create_committee(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let mut ctx = ctx.for_write(&request, &body)?;
    let NewCommittee {
        code,
        name,
        level,
        region,
        administrator,
    } = body.parse()?;
    let fields = CommitteeFields {
        code,
        name,
        level,
        region,
        active: true,
        parent_id: Some(ctx.committee()),
    };
    let FirstAdministrator {
        username,
        display_name,
        password,
    } = administrator;
    ctx.guard_password(&app, &String::from_utf8_lossy(body.bytes()))
        .await?;
    let initial = InitialPassword { password };
    let hash = initial
        .hash(&app, "/administrator/password", &username)
        .await?;
    let roles = vec![Grant::of(Role::Administrator)];
    let first = UserFields {
        username,
        display_name,
        member_id: None,
        roles,
        disabled: false,
    };
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let entry = committees::create(tx, &act, fields.clone(), first.clone(), &hash)?;
        register::created(entry, &act)
    })
    .await
}

/// Read a committee
///
/// The caller's committee, one above it or one below it.
#[utoipa::path(
    get, path = "/api/v1/committees/{committee_id}", tag = "registers",
    params(("committee_id" = CommitteeId, Path, description = "The committee.")),
    responses((status = 200, description = "The committee.", body = Committee)),
)]
pub async fn get_committee(
    app: Data<App>,
    ctx: Ctx,
    id: PathId<kind::Committee>,
) -> Result<Answer> {
    register::show::<CommitteeFields>(&app, ctx, id.0).await
}

/// Change the own committee
///
/// Name and region can be changed, by the committee's own administrators.
#[utoipa::path(
    patch, path = "/api/v1/committees/{committee_id}", tag = "registers",
    params(("committee_id" = CommitteeId, Path, description = "The own committee.")),
    request_body(content = CommitteePatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The committee as it is now.", body = Committee)),
)]
pub async fn update_committee(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathId(id): PathId<kind::Committee>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let before = CommitteeFields::find(tx, act.committee(), id)?;
        if id != act.committee() {
            return Err(Error::new(Code::Forbidden));
        }
        act.if_match.check(before.version)?;
        let patch: CommitteePatch = body.parse()?;
        let mut fields = before.fields.clone();
        fields.name = patch.name.unwrap_or(fields.name);
        fields.region = patch.region.unwrap_or(fields.region);
        register::shown(change(tx, &act, before, fields)?, &act)
    })
    .await
}
