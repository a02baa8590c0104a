//! Members (委员).

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
use crate::ids::{MemberId, kind};
use crate::store::members::{MemberFields, MemberFilter};
use crate::store::register::{Entry, Register};
use crate::workflow::role::Role;

/// A member as it is answered.
pub type Member = Entry<MemberFields>;
/// Changes to a member.
pub type MemberPatch = Patch<MemberFields>;

impl Resource for MemberFields {
    const PATH: &'static str = "/api/v1/members";
    const ENTRY: &'static str = "Member";
    const PATCH: &'static str = "MemberPatch";

    /// The telephone number is for the staff, for assigning officers and for the member.
    fn hide(entry: &mut Entry<Self>, principal: &Principal) {
        let own = principal.member == Some(entry.id);
        if !own
            && !principal.has_any(SEES_PERSONAL_DATA)
            && !principal.has_any(&[Role::AssigningOfficer])
        {
            entry.fields.phone = None;
        }
    }
}

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const WRITERS: Access = Access::Roles(MemberFields::WRITERS);
    enter!(routes, Access::SignedIn, [__path_list_members] list_members);
    enter!(routes, WRITERS, [__path_create_member] create_member);
    enter!(routes, Access::SignedIn, [__path_get_member] get_member);
    enter!(routes, WRITERS, [__path_update_member] update_member);
}

/// List members
///
/// The members on the register, by name. Telephone numbers are given to those who may see them.
#[utoipa::path(
    get, path = "/api/v1/members", tag = "registers",
    params(MemberFilter, PageParams),
    responses((status = 200, description = "A page of members.", body = Page<Member>)),
)]
pub async fn list_members(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<MemberFilter>,
) -> Result<Answer> {
    register::list::<MemberFields>(&app, ctx, listing).await
}

/// Create a member
///
/// The number of the card must not be used by another member of the term.
#[utoipa::path(
    post, path = "/api/v1/members", tag = "registers",
    request_body = MemberFields,
    responses((status = 201, description = "The member was created.", body = Member)),
)]
pub async fn create_member(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    register::create::<MemberFields>(&app, ctx, &request, &body).await
}

/// Read a member
///
/// One member on the register. The telephone number is given to those who may see it.
#[utoipa::path(
    get, path = "/api/v1/members/{member_id}", tag = "registers",
    params(("member_id" = MemberId, Path, description = "The member.")),
    responses((status = 200, description = "The member.", body = Member)),
)]
pub async fn get_member(app: Data<App>, ctx: Ctx, id: PathId<kind::Member>) -> Result<Answer> {
    register::show::<MemberFields>(&app, ctx, id.0).await
}

/// Change a member
///
/// Proposals keep what they copied from the register when they were submitted.
#[utoipa::path(
    patch, path = "/api/v1/members/{member_id}", tag = "registers",
    params(("member_id" = MemberId, Path, description = "The member.")),
    request_body(content = MemberPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The member as it is now.", body = Member)),
)]
pub async fn update_member(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    id: PathId<kind::Member>,
    body: RawBody,
) -> Result<Answer> {
    register::update::<MemberFields>(&app, ctx, &request, id.0, body).await
}
