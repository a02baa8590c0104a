//! Plenary sessions (次会议).

use actix_web::HttpRequest;
use actix_web::web::Data;

use super::extract::{Listing, PathId};
use super::json::RawBody;
use super::page::{Page, PageParams};
use super::register::{self, Patch, Resource};
use super::routes::{Access, Routes};
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::Result;
use crate::ids::{SessionId, kind};
use crate::store::register::{Entry, Register};
use crate::store::sessions::{SessionFields, SessionFilter};

/// A plenary session as it is answered.
pub type Session = Entry<SessionFields>;
/// Changes to a plenary session.
pub type SessionPatch = Patch<SessionFields>;

impl Resource for SessionFields {
    const PATH: &'static str = "/api/v1/sessions";
    const ENTRY: &'static str = "Session";
    const PATCH: &'static str = "SessionPatch";
}

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const WRITERS: Access = Access::Roles(SessionFields::WRITERS);
    enter!(routes, Access::SignedIn, [__path_list_sessions] list_sessions);
    enter!(routes, WRITERS, [__path_create_session] create_session);
    enter!(routes, Access::SignedIn, [__path_get_session] get_session);
    enter!(routes, WRITERS, [__path_update_session] update_session);
}

/// List plenary sessions
///
/// The sessions of the committee, in the order in which they were entered.
#[utoipa::path(
    get, path = "/api/v1/sessions", tag = "registers",
    params(SessionFilter, PageParams),
    responses((status = 200, description = "A page of plenary sessions.", body = Page<Session>)),
)]
pub async fn list_sessions(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<SessionFilter>,
) -> Result<Answer> {
    register::list::<SessionFields>(&app, ctx, listing).await
}

/// Create a plenary session
///
/// Its number must not be used by another session of the term. The dates must stand in their order: window, opening, closing, end of the examination.
#[utoipa::path(
    post, path = "/api/v1/sessions", tag = "registers",
    request_body = SessionFields,
    responses((status = 201, description = "The session was created.", body = Session)),
)]
pub async fn create_session(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    register::create::<SessionFields>(&app, ctx, &request, &body).await
}

/// Read a plenary session
///
/// One session of the committee.
#[utoipa::path(
    get, path = "/api/v1/sessions/{session_id}", tag = "registers",
    params(("session_id" = SessionId, Path, description = "The session.")),
    responses((status = 200, description = "The session.", body = Session)),
)]
pub async fn get_session(app: Data<App>, ctx: Ctx, id: PathId<kind::Session>) -> Result<Answer> {
    register::show::<SessionFields>(&app, ctx, id.0).await
}

/// Change a plenary session
///
/// The term of a session cannot be changed; the dates must stay in their order.
#[utoipa::path(
    patch, path = "/api/v1/sessions/{session_id}", tag = "registers",
    params(("session_id" = SessionId, Path, description = "The session.")),
    request_body(content = SessionPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The session as it is now.", body = Session)),
)]
pub async fn update_session(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    id: PathId<kind::Session>,
    body: RawBody,
) -> Result<Answer> {
    register::update::<SessionFields>(&app, ctx, &request, id.0, body).await
}
