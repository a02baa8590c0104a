//! User accounts, for the system administrator; their roles, passwords and sign-ins, for the
//! security administrator (三员分立).

use actix_web::HttpRequest;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::extract::{Listing, PathId};
use super::json::RawBody;
use super::page::{Page, PageParams};
use super::register::{self, Resource, patch_of};
use super::routes::{Access, Routes};
use crate::app::{Answer, App, Ctx};
use crate::auth::known_words::Owner;
use crate::auth::policy::PasswordPolicy;
use crate::enter;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{UserId, kind};
use crate::store::grants;
use crate::store::register::{Entry, Rows, change};
use crate::store::users::{self, UserFields, UserFilter, UserIn};
use crate::workflow::input::NoInput;
use crate::workflow::role::{Grant, Role};

/// An account as it is answered.
pub type User = Entry<UserFields>;

impl Resource for UserFields {
    const PATH: &'static str = "/api/v1/users";
    const ENTRY: &'static str = "User";
    const PATCH: &'static str = "UserPatch";
}

/// A password that must be changed at the next sign-in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InitialPassword {
    /// The password, to be told to the owner of the account.
    #[schema(min_length = 8, max_length = 256, format = Password, example = "七月流火-Qh4x")]
    pub password: String,
}

impl InitialPassword {
    /// Its hash, if it keeps the policy and did not leak; `pointer` is where it stands in the body.
    pub async fn hash(
        &self,
        app: &App,
        policy: &PasswordPolicy,
        pointer: &str,
        owner: &Owner<'_>,
    ) -> Result<String> {
        policy.check(pointer, &self.password, owner)?;
        app.passwords.hash_new(pointer, &self.password).await
    }
}

/// Changes to an account, as a JSON merge patch (RFC 7396).
pub struct UserPatch;

impl utoipa::PartialSchema for UserPatch {
    fn schema() -> RefOr<Schema> {
        patch_of::<UserIn>()
    }
}

impl ToSchema for UserPatch {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        UserIn::schemas(schemas);
    }
}

/// The roles of an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserRolesIn {
    /// All roles that the account is to hold, each narrowed as the role asks; none twice.
    #[schema(max_items = 20)]
    pub roles: Vec<Grant>,
}

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const READERS: Access = Access::Roles(&[
        Role::Administrator,
        Role::SecurityAdministrator,
        Role::Auditor,
    ]);
    const SYSTEM: Access = Access::Roles(&[Role::Administrator]);
    const SECURITY: Access = Access::Roles(&[Role::SecurityAdministrator]);
    enter!(routes, READERS, [__path_list_users] list_users);
    enter!(routes, SYSTEM, [__path_create_user] create_user);
    enter!(routes, READERS, [__path_get_user] get_user);
    enter!(routes, SYSTEM.stepped_up(), [__path_update_user] update_user);
    enter!(routes, SECURITY.stepped_up(), [__path_set_user_roles] set_user_roles);
    enter!(routes, SECURITY.stepped_up(), [__path_reset_user_password] reset_user_password);
    enter!(routes, SECURITY, [__path_end_user_sign_ins] end_user_sign_ins);
}

/// List accounts
///
/// The accounts of the committee, in the order in which they were created.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "accounts",
    params(UserFilter, PageParams),
    responses((status = 200, description = "A page of accounts.", body = Page<User>)),
)]
pub async fn list_users(app: Data<App>, ctx: Ctx, listing: Listing<UserFilter>) -> Result<Answer> {
    register::list::<UserFields>(&app, ctx, listing).await
}

/// Create an account
///
/// By the system administrator. It holds no role and cannot sign in yet: both are for the security
/// administrator, who grants roles (`PUT …/roles`) and sets a first password
/// (`POST …/actions/reset-password`). `member_id` says that it is a member's.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "accounts",
    request_body = UserIn,
    responses((status = 201, description = "The account was created.", body = User)),
)]
pub async fn create_user(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let set: UserIn = body.parse()?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        register::created(users::create(tx, &act, set.clone())?, &act)
    })
    .await
}

/// Read an account
///
/// One account of the committee, with the roles it holds.
#[utoipa::path(
    get, path = "/api/v1/users/{user_id}", tag = "accounts",
    params(("user_id" = UserId, Path, description = "The account.")),
    responses((status = 200, description = "The account.", body = User)),
)]
pub async fn get_user(app: Data<App>, ctx: Ctx, id: PathId<kind::User>) -> Result<Answer> {
    register::show::<UserFields>(&app, ctx, id.0).await
}

/// Change an account
///
/// By the system administrator. An account that is shut is signed out everywhere. Nobody shuts the
/// own account, nor the last one that can sign in as system or security administrator. `member_id`
/// stays as it is while the account holds a role.
#[utoipa::path(
    patch, path = "/api/v1/users/{user_id}", tag = "accounts",
    params(("user_id" = UserId, Path, description = "The account.")),
    request_body(content = UserPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The account as it is now.", body = User)),
)]
pub async fn update_user(
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
        act.if_match.check(before.version)?;
        let set = body.merge_into(&before.fields.set())?;
        let fields = UserFields::new(set, before.fields.roles.clone());
        register::shown(change(tx, &act, before, fields)?, &act)
    })
    .await
}

/// Set the roles of an account
///
/// By the security administrator, never for the own account. The list replaces the roles held; an
/// empty one takes all away. It holds from the next request of the account on, for reads on another instance
/// within five seconds. Every role is
/// narrowed as it asks: `unit_clerk` and `unit_signatory` to a unit, `organisation_clerk` to an
/// organisation, `assigning_officer` to a line; `member` needs an account with `member_id`.
/// `administrator`, `security_administrator` and `auditor` are three persons: whoever is one of
/// them holds no other role and is no member. The last account that can sign in as system or
/// security administrator keeps that role.
#[utoipa::path(
    put, path = "/api/v1/users/{user_id}/roles", tag = "accounts",
    params(("user_id" = UserId, Path, description = "The account.")),
    request_body(content = UserRolesIn, example = json!({
        "roles": [{ "role": "committee_staff" }, { "role": "assigning_officer", "line": "cppcc" }],
    })),
    responses((status = 200, description = "The account as it is now.", body = User)),
)]
pub async fn set_user_roles(
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
        let wanted: UserRolesIn = body.parse()?;
        act.if_match.check(before.version)?;
        register::shown(grants::replace(tx, &act, before, wanted.roles)?, &act)
    })
    .await
}

/// Refuses what the security administrator does for others only.
pub(super) fn not_own(ctx: &Ctx, id: UserId) -> Result<()> {
    if ctx.user() != id {
        return Ok(());
    }
    Err(Error::new(Code::Forbidden).detail(Message::new(
        "不能为自己的账号授权、重置密码或移除第二因素；请由另一位安全管理员操作，修改自己的密码用 POST /api/v1/auth/password。",
        "Nobody grants roles to the own account, resets its password or removes its second factor; another security administrator must do it. The own password is changed with POST /api/v1/auth/password.",
    )))
}

/// Set an initial password
///
/// By the security administrator, for a new account or an owner who has forgotten the password, but
/// not for the own account: the account is signed out everywhere, and the password must be changed
/// at the next sign-in.
#[utoipa::path(
    post, path = "/api/v1/users/{user_id}/actions/reset-password", tag = "accounts",
    params(("user_id" = UserId, Path, description = "The account.")),
    request_body = InitialPassword,
    responses((status = 200, description = "The account as it is now.", body = User)),
)]
pub async fn reset_user_password(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathId(id): PathId<kind::User>,
    body: RawBody,
) -> Result<Answer> {
    let mut ctx = ctx.for_write(&request, &body)?;
    let committee = ctx.committee();
    let user = app
        .db
        .read("user", move |tx| UserFields::find(tx, committee, id))
        .await?;
    not_own(&ctx, id)?;
    let initial: InitialPassword = body.parse()?;
    let address = request.path();
    let secret = format!("{address} {}", String::from_utf8_lossy(body.bytes()));
    ctx.guard_password(&app, &secret).await?;
    let (policy, code) = app.password_policy(committee).await?;
    let owner = Owner {
        username: &user.fields.username,
        display_name: &user.fields.display_name,
        committee: &code,
    };
    let hash = initial.hash(&app, &policy, "/password", &owner).await?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let before = UserFields::find(tx, committee, id)?;
        act.if_match.check(before.version)?;
        register::shown(users::reset_password(tx, &act, &before, &hash)?, &act)
    })
    .await
}

/// End the sign-ins of an account
///
/// By the security administrator: the account is signed out everywhere and at once, but for reads on
/// another instance, which end within five seconds. Its password stays.
#[utoipa::path(
    post, path = "/api/v1/users/{user_id}/actions/end-sign-ins", tag = "accounts",
    params(("user_id" = UserId, Path, description = "The account.")),
    request_body(content = NoInput, example = json!({})),
    responses((status = 200, description = "The account as it is now.", body = User)),
)]
pub async fn end_user_sign_ins(
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
        body.parse::<NoInput>()?;
        act.if_match.check(before.version)?;
        register::shown(users::end_sign_ins(tx, &act, &before)?, &act)
    })
    .await
}
