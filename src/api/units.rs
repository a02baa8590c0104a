//! Handling units (承办单位).

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
use crate::ids::{UnitId, kind};
use crate::store::register::{Entry, Register};
use crate::store::units::{UnitFields, UnitFilter};

/// A handling unit as it is answered.
pub type Unit = Entry<UnitFields>;
/// Changes to a handling unit.
pub type UnitPatch = Patch<UnitFields>;

impl Resource for UnitFields {
    const PATH: &'static str = "/api/v1/units";
    const ENTRY: &'static str = "Unit";
    const PATCH: &'static str = "UnitPatch";
}

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const WRITERS: Access = Access::Roles(UnitFields::WRITERS);
    enter!(routes, Access::SignedIn, [__path_list_units] list_units);
    enter!(routes, WRITERS, [__path_create_unit] create_unit);
    enter!(routes, Access::SignedIn, [__path_get_unit] get_unit);
    enter!(routes, WRITERS, [__path_update_unit] update_unit);
}

/// List handling units
///
/// The units of the committee, by name.
#[utoipa::path(
    get, path = "/api/v1/units", tag = "registers",
    params(UnitFilter, PageParams),
    responses((status = 200, description = "A page of handling units.", body = Page<Unit>)),
)]
pub async fn list_units(app: Data<App>, ctx: Ctx, listing: Listing<UnitFilter>) -> Result<Answer> {
    register::list::<UnitFields>(&app, ctx, listing).await
}

/// Create a handling unit
///
/// Its name must not be used by another unit of the committee.
#[utoipa::path(
    post, path = "/api/v1/units", tag = "registers",
    request_body = UnitFields,
    responses((status = 201, description = "The unit was created.", body = Unit)),
)]
pub async fn create_unit(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    register::create::<UnitFields>(&app, ctx, &request, &body).await
}

/// Read a handling unit
///
/// One unit of the committee.
#[utoipa::path(
    get, path = "/api/v1/units/{unit_id}", tag = "registers",
    params(("unit_id" = UnitId, Path, description = "The unit.")),
    responses((status = 200, description = "The unit.", body = Unit)),
)]
pub async fn get_unit(app: Data<App>, ctx: Ctx, id: PathId<kind::Unit>) -> Result<Answer> {
    register::show::<UnitFields>(&app, ctx, id.0).await
}

/// Change a handling unit
///
/// A unit that is not active any more takes no new cases; those it has stay with it.
#[utoipa::path(
    patch, path = "/api/v1/units/{unit_id}", tag = "registers",
    params(("unit_id" = UnitId, Path, description = "The unit.")),
    request_body(content = UnitPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The unit as it is now.", body = Unit)),
)]
pub async fn update_unit(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    id: PathId<kind::Unit>,
    body: RawBody,
) -> Result<Answer> {
    register::update::<UnitFields>(&app, ctx, &request, id.0, body).await
}
