//! Parties, people's organisations, sectors and other collective proposers (集体提案者).

use actix_web::HttpRequest;
use actix_web::web::Data;

use super::extract::{Listing, PathId};
use super::json::RawBody;
use super::page::{Page, PageParams};
use super::register::{self, Patch, Resource, SEES_PERSONAL_DATA};
use super::routes::{Access, Routes};
use crate::app::{Answer, App, Ctx};
use crate::auth::principal::Principal;
use crate::enter;
use crate::error::Result;
use crate::ids::{OrganisationId, kind};
use crate::store::organisations::{OrganisationFields, OrganisationFilter};
use crate::store::register::{Entry, Register};

/// An organisation as it is answered.
pub type Organisation = Entry<OrganisationFields>;
/// Changes to an organisation.
pub type OrganisationPatch = Patch<OrganisationFields>;

impl Resource for OrganisationFields {
    const PATH: &'static str = "/api/v1/organisations";
    const ENTRY: &'static str = "Organisation";
    const PATCH: &'static str = "OrganisationPatch";

    /// Contact data is for the staff and for the organisation's own clerk.
    fn hide(entry: &mut Entry<Self>, principal: &Principal) {
        let own = principal
            .grants
            .iter()
            .any(|grant| grant.organisation_id == Some(entry.id));
        if own || principal.has_any(SEES_PERSONAL_DATA) {
            return;
        }
        entry.fields.contact_person = None;
        entry.fields.contact_phone = None;
        entry.fields.address = None;
        entry.fields.post_code = None;
    }
}

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const WRITERS: Access = Access::Roles(OrganisationFields::WRITERS);
    enter!(routes, Access::SignedIn, [__path_list_organisations] list_organisations);
    enter!(routes, WRITERS, [__path_create_organisation] create_organisation);
    enter!(routes, Access::SignedIn, [__path_get_organisation] get_organisation);
    enter!(routes, WRITERS, [__path_update_organisation] update_organisation);
}

/// List organisations
///
/// The organisations of the committee, by name. Contact data is given to those who may see it.
#[utoipa::path(
    get, path = "/api/v1/organisations", tag = "registers",
    params(OrganisationFilter, PageParams),
    responses((status = 200, description = "A page of organisations.", body = Page<Organisation>)),
)]
pub async fn list_organisations(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<OrganisationFilter>,
) -> Result<Answer> {
    register::list::<OrganisationFields>(&app, ctx, listing).await
}

/// Create an organisation
///
/// Its name must not be used by another organisation of the committee.
#[utoipa::path(
    post, path = "/api/v1/organisations", tag = "registers",
    request_body = OrganisationFields,
    responses((status = 201, description = "The organisation was created.", body = Organisation)),
)]
pub async fn create_organisation(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    register::create::<OrganisationFields>(&app, ctx, &request, &body).await
}

/// Read an organisation
///
/// One organisation of the committee. Contact data is given to those who may see it.
#[utoipa::path(
    get, path = "/api/v1/organisations/{organisation_id}", tag = "registers",
    params(("organisation_id" = OrganisationId, Path, description = "The organisation.")),
    responses((status = 200, description = "The organisation.", body = Organisation)),
)]
pub async fn get_organisation(
    app: Data<App>,
    ctx: Ctx,
    id: PathId<kind::Organisation>,
) -> Result<Answer> {
    register::show::<OrganisationFields>(&app, ctx, id.0).await
}

/// Change an organisation
///
/// An organisation that is not active any more hands in no new proposals.
#[utoipa::path(
    patch, path = "/api/v1/organisations/{organisation_id}", tag = "registers",
    params(("organisation_id" = OrganisationId, Path, description = "The organisation.")),
    request_body(content = OrganisationPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The organisation as it is now.", body = Organisation)),
)]
pub async fn update_organisation(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    id: PathId<kind::Organisation>,
    body: RawBody,
) -> Result<Answer> {
    register::update::<OrganisationFields>(&app, ctx, &request, id.0, body).await
}
