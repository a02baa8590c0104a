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
use crate::auth::known_words::Owner;
use crate::auth::policy::PasswordPolicy;
use crate::enter;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{CommitteeId, kind};
use crate::store::committees::{self, CommitteeFields, CommitteeFilter};
use crate::store::register::{Entry, Register, Rows, change};
use crate::store::users::{UserFields, UserIn};
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
    /// Its system administrator, who sets it up and makes accounts.
    pub administrator: FirstAdministrator,
    /// Its security administrator, who grants roles: another person.
    pub security_administrator: FirstAdministrator,
}

/// One of the first two accounts of a new committee.
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
    /// First password, not that of the other; must be changed at the first sign-in.
    #[schema(min_length = 8, max_length = 256, format = Password, example = "七月流火-Qh4x")]
    pub password: String,
}

impl FirstAdministrator {
    /// The account in the committee of that code, with the hash of its password; `pointer` is where
    /// it stands in the body.
    async fn account(
        self,
        app: &App,
        committee: &str,
        pointer: &str,
        role: Role,
    ) -> Result<(UserFields, String)> {
        let Self {
            username,
            display_name,
            password,
        } = self;
        let initial = InitialPassword { password };
        let owner = Owner {
            username: &username,
            display_name: &display_name,
            committee,
        };
        let hash = initial
            // A new committee begins with the default policy.
            .hash(
                app,
                &PasswordPolicy::default(),
                &format!("{pointer}/password"),
                &owner,
            )
            .await?;
        let set = UserIn {
            username,
            display_name,
            member_id: None,
            disabled: false,
        };
        Ok((UserFields::new(set, vec![Grant::of(role)]), hash))
    }
}

/// Neither has the account or the password of the other.
fn two_persons(system: &FirstAdministrator, security: &FirstAdministrator) -> Result<()> {
    let mut error = Error::new(Code::InvalidInput);
    for (same, field) in [
        (system.username == security.username, "username"),
        (system.password == security.password, "password"),
    ] {
        if same {
            error = error.field(
                format!("/security_administrator/{field}"),
                "separated",
                Message::new(
                    "系统管理员和安全管理员须为不同的人，账号和密码不得相同。",
                    "System and security administrator are two persons, with an account and a password each.",
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
/// It becomes a child of the caller's committee and gets a system administrator, who sets up
/// everything else, and a security administrator, who grants the roles. They are two persons with a
/// password each, which must be changed at the first sign-in.
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
        security_administrator,
    } = body.parse()?;
    let fields = CommitteeFields {
        code,
        name,
        level,
        region,
        active: true,
        parent_id: Some(ctx.committee()),
    };
    two_persons(&administrator, &security_administrator)?;
    ctx.guard_password(&app, &String::from_utf8_lossy(body.bytes()))
        .await?;
    let first = [
        administrator
            .account(&app, &fields.code, "/administrator", Role::Administrator)
            .await?,
        security_administrator
            .account(
                &app,
                &fields.code,
                "/security_administrator",
                Role::SecurityAdministrator,
            )
            .await?,
    ];
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let entry = committees::create(tx, &act, fields.clone(), &first)?;
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
