//! Terms (届).

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
use crate::ids::{TermId, kind};
use crate::store::register::{Entry, Register};
use crate::store::terms::{TermFields, TermFilter};

/// A term as it is answered.
pub type Term = Entry<TermFields>;
/// Changes to a term.
pub type TermPatch = Patch<TermFields>;

impl Resource for TermFields {
    const PATH: &'static str = "/api/v1/terms";
    const ENTRY: &'static str = "Term";
    const PATCH: &'static str = "TermPatch";
}

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const WRITERS: Access = Access::Roles(TermFields::WRITERS);
    enter!(routes, Access::SignedIn, [__path_list_terms] list_terms);
    enter!(routes, WRITERS, [__path_create_term] create_term);
    enter!(routes, Access::SignedIn, [__path_get_term] get_term);
    enter!(routes, WRITERS, [__path_update_term] update_term);
}

/// List terms
///
/// The terms of the committee, in the order in which they were entered.
#[utoipa::path(
    get, path = "/api/v1/terms", tag = "registers",
    params(TermFilter, PageParams),
    responses((status = 200, description = "A page of terms.", body = Page<Term>)),
)]
pub async fn list_terms(app: Data<App>, ctx: Ctx, listing: Listing<TermFilter>) -> Result<Answer> {
    register::list::<TermFields>(&app, ctx, listing).await
}

/// Create a term
///
/// Its number must not be used by another term of the committee.
#[utoipa::path(
    post, path = "/api/v1/terms", tag = "registers",
    request_body = TermFields,
    responses((status = 201, description = "The term was created.", body = Term)),
)]
pub async fn create_term(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    register::create::<TermFields>(&app, ctx, &request, &body).await
}

/// Read a term
///
/// One term of the committee.
#[utoipa::path(
    get, path = "/api/v1/terms/{term_id}", tag = "registers",
    params(("term_id" = TermId, Path, description = "The term.")),
    responses((status = 200, description = "The term.", body = Term)),
)]
pub async fn get_term(app: Data<App>, ctx: Ctx, id: PathId<kind::Term>) -> Result<Answer> {
    register::show::<TermFields>(&app, ctx, id.0).await
}

/// Change a term
///
/// The first day must stay before the last.
#[utoipa::path(
    patch, path = "/api/v1/terms/{term_id}", tag = "registers",
    params(("term_id" = TermId, Path, description = "The term.")),
    request_body(content = TermPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The term as it is now.", body = Term)),
)]
pub async fn update_term(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    id: PathId<kind::Term>,
    body: RawBody,
) -> Result<Answer> {
    register::update::<TermFields>(&app, ctx, &request, id.0, body).await
}
