//! Plenary sessions (次会议).

use actix_web::HttpRequest;
use actix_web::web::Data;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use utoipa::ToSchema;

use super::extract::{Listing, PathId};
use super::json::RawBody;
use super::page::{Page, PageParams};
use super::register::{self, Patch, Resource};
use super::routes::{Access, Routes};
use crate::app::{Answer, App, Ctx};
use crate::clock::to_micros;
use crate::enter;
use crate::error::Result;
use crate::ids::{SessionId, TermId, kind};
use crate::store::register::{self as store, Entry, Register};
use crate::store::sessions::{self, SessionFields, SessionFilter};

/// A plenary session as it is answered.
pub type Session = Entry<SessionFields>;
/// Changes to a plenary session.
pub type SessionPatch = Patch<SessionFields>;

impl Resource for SessionFields {
    const PATH: &'static str = "/api/v1/sessions";
    const ENTRY: &'static str = "Session";
    const PATCH: &'static str = "SessionPatch";
}

/// A new plenary session.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// The term; fixed once the session exists.
    term_id: TermId,
    /// Which session of the term it is, counted from the first; unique in the term.
    #[schema(minimum = 1, maximum = 100, example = 3)]
    number: i32,
    /// Name as used in documents.
    #[schema(
        min_length = 1,
        max_length = 50,
        pattern = r"\S",
        example = "十四届三次会议"
    )]
    name: String,
    /// First day on which proposals of the session may be handed in; not after the opening. Left
    /// out: as the policy profile says.
    #[serde(default)]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10,
             example = "2025-12-20")]
    window_opens_on: Option<Date>,
    /// Day of the opening.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-01-18")]
    opens_on: Date,
    /// Moment up to which a proposal counts as one of the session, kept to the microsecond; from
    /// the opening to the day after the closing, in China's time.
    #[schema(value_type = String, format = DateTime, max_length = 40,
             example = "2026-01-20T10:00:00Z")]
    deadline_at: Timestamp,
    /// Day of the closing; not before the opening.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-01-22")]
    ends_on: Date,
    /// Last day of the examination of the session's proposals; not before the closing.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-02-12")]
    examination_until: Date,
}

impl NewSession {
    fn with_window(self, window_opens_on: Date) -> SessionFields {
        SessionFields {
            term_id: self.term_id,
            number: self.number,
            name: self.name,
            window_opens_on,
            opens_on: self.opens_on,
            deadline_at: to_micros(self.deadline_at),
            ends_on: self.ends_on,
            examination_until: self.examination_until,
        }
    }
}

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const WRITERS: Access = Access::Roles(SessionFields::WRITERS);
    enter!(routes, Access::SignedIn, [__path_list_sessions] list_sessions);
    enter!(routes, WRITERS, [__path_create_session] create_session);
    enter!(routes, Access::SignedIn, [__path_get_session] get_session);
    enter!(routes, WRITERS, [__path_update_session] update_session);
    routes.hidden_body::<SessionFields>();
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
/// Its number must not be used by another session of the term. The dates must stand in their order:
/// window, opening, closing, end of the examination. Where no window is given, it opens so many
/// months before the opening as the policy profile says (`session.window_opens_months_before`).
#[utoipa::path(
    post, path = "/api/v1/sessions", tag = "registers",
    request_body = NewSession,
    responses((status = 201, description = "The session was created.", body = Session)),
)]
pub async fn create_session(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let new: NewSession = body.parse()?;
    app.write(&ctx.clone(), move |tx| {
        let window = match new.window_opens_on {
            Some(day) => day,
            None => sessions::default_window(tx, ctx.committee(), new.opens_on)?,
        };
        let fields = new.clone().with_window(window);
        register::created(store::create(tx, &ctx, fields)?, &ctx)
    })
    .await
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
