//! User accounts and their roles, for administrators.

use actix_web::HttpRequest;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::extract::{Listing, PathId};
use super::json::RawBody;
use super::page::{Page, PageParams};
use super::register::{self, Patch, Resource};
use super::routes::{Access, Routes};
use crate::app::{Answer, App, Ctx};
use crate::auth::password::check_rules;
use crate::enter;
use crate::error::Result;
use crate::ids::{UserId, kind};
use crate::store::register::{Entry, Register, Rows};
use crate::store::users::{self, UserFields, UserFilter};
use crate::workflow::role::Role;

/// An account as it is answered.
pub type User = Entry<UserFields>;
/// Changes to an account.
pub type UserPatch = Patch<UserFields>;

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
    /// Its hash, if it keeps the rules; `pointer` is where it stands in the body.
    pub async fn hash(&self, app: &App, pointer: &str, username: &str) -> Result<String> {
        check_rules(pointer, &self.password, username)?;
        app.passwords.hash(&self.password).await
    }
}

/// A new account.
#[derive(Deserialize)]
pub struct NewUser {
    /// What the administrator sets.
    #[serde(flatten)]
    pub fields: UserFields,
    /// The first password.
    #[serde(flatten)]
    pub initial: InitialPassword,
}

impl utoipa::PartialSchema for NewUser {
    fn schema() -> RefOr<Schema> {
        register::joined::<UserFields, InitialPassword>()
    }
}

impl ToSchema for NewUser {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        UserFields::schemas(schemas);
    }
}

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const READERS: Access = Access::Roles(&[Role::Administrator, Role::Auditor]);
    const WRITERS: Access = Access::Roles(UserFields::WRITERS);
    routes.hidden_body::<UserFields>();
    enter!(routes, READERS, [__path_list_users] list_users);
    enter!(routes, WRITERS.stepped_up(), [__path_create_user] create_user);
    enter!(routes, READERS, [__path_get_user] get_user);
    enter!(routes, WRITERS.stepped_up(), [__path_update_user] update_user);
    enter!(routes, WRITERS.stepped_up(), [__path_reset_user_password] reset_user_password);
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
/// The owner must change the password at the first sign-in. Every role is narrowed as it asks:
/// `unit_clerk` and `unit_signatory` to a unit, `organisation_clerk` to an organisation,
/// `assigning_officer` to a line; `member` needs `member_id`.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "accounts",
    request_body = NewUser,
    responses((status = 201, description = "The account was created.", body = User)),
)]
pub async fn create_user(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let mut ctx = ctx.for_write(&request, &body)?;
    let NewUser { fields, initial } = body.parse()?;
    ctx.guard_password(&app, &String::from_utf8_lossy(body.bytes()))
        .await?;
    let hash = initial.hash(&app, "/password", &fields.username).await?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        register::created(users::create(tx, &act, fields.clone(), &hash)?, &act)
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
/// `roles` is replaced as a whole. An account that is shut is signed out everywhere.
/// Administrators can neither shut their own account nor give up their own role of administrator.
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
    id: PathId<kind::User>,
    body: RawBody,
) -> Result<Answer> {
    register::update::<UserFields>(&app, ctx, &request, id.0, body).await
}

/// Set a new initial password
///
/// For an owner who has forgotten the password: the account is signed out everywhere, and the
/// password must be changed at the next sign-in.
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
    let initial: InitialPassword = body.parse()?;
    let address = request.path();
    let secret = format!("{address} {}", String::from_utf8_lossy(body.bytes()));
    ctx.guard_password(&app, &secret).await?;
    let hash = initial
        .hash(&app, "/password", &user.fields.username)
        .await?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let before = UserFields::find(tx, committee, id)?;
        act.if_match.check(before.version)?;
        register::shown(users::reset_password(tx, &act, &before, &hash)?, &act)
    })
    .await
}
