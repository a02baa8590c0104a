//! Links between cases without merging.

use actix_web::web::Data;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::extract::PathId;
use crate::api::routes::{Access, Routes};
use crate::app::act::{self, Object};
use crate::app::{Answer, App, Ctx};
use crate::codes::Label;
use crate::digest;
use crate::enter;
use crate::error::Result;
use crate::ids::{ProposalId, kind};
use crate::store::cases::ProposalRow;
use crate::store::{links, proposals};
use crate::workflow::access::{self, Reach};
use crate::workflow::codes::LinkKind;
use crate::workflow::proposal::ProposalStatus;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::SignedIn, [__path_list_links] list_links);
}

/// Links of a case to others that the caller may see.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseLinks {
    /// The links: those made on this case first, each newest first, at most 200 of each.
    #[schema(max_items = 400)]
    pub items: Vec<LinkFacts>,
}

/// On which of the two cases a link was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkDirection {
    /// On this case: it repeats the other one, or is handled together with it.
    From,
    /// On the other case: that one repeats this one, or is handled together with it.
    To,
}

/// A link to another case.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkFacts {
    /// What it says.
    pub kind: LinkKind,
    /// Label of the kind.
    pub kind_label: Label,
    /// On which of the two cases it was made.
    pub direction: LinkDirection,
    /// The other case.
    pub proposal_id: ProposalId,
    /// 案由 of the other case.
    #[schema(max_length = 200)]
    pub title: String,
    /// Its 流水号.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub serial_no: Option<i32>,
    /// Its 案号.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub case_no: Option<i32>,
    /// Its status.
    pub status: ProposalStatus,
    /// Label of the status.
    pub status_label: Label,
    /// Remarks; for the committee and the assigning officers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub note: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
}

/// Read the links of a case
///
/// Cases that are handled together with this one or repeat it, and those it repeats, without being
/// merged: links made on this case and on the other one. Cases that the caller may not see are
/// left out.
#[utoipa::path(get, path = "/api/v1/proposals/{proposal_id}/links", tag = "proposals",
    params(("proposal_id" = ProposalId, Path, description = "The proposal")),
    responses((status = 200, description = "The links", body = CaseLinks)))]
pub async fn list_links(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Proposal>,
) -> Result<Answer> {
    app.db
        .read("proposal.links", move |tx| {
            act::read(tx, &ctx, Object::Proposal(id))?;
            let (committee, actor) = (ctx.committee(), ctx.principal.actor());
            let own = links::made_on(tx, committee, id)?;
            let others = links::naming(tx, committee, id)?;
            let ids: Vec<_> = own.iter().chain(&others).map(|row| row.0).collect();
            let cases = proposals::among(tx, committee, &Reach::of(&actor), &ids)?;
            let notes = access::may_read_opinions(&actor);
            let own = own.into_iter().map(|row| (LinkDirection::From, row));
            let others = others.into_iter().map(|row| (LinkDirection::To, row));
            let items = own
                .chain(others)
                .filter_map(|(direction, row)| {
                    let case = cases.iter().find(|case| case.id == row.0)?;
                    Some(LinkFacts::of(direction, row, case, notes))
                })
                .collect();
            // Links from other cases come and go without a new version of this one.
            let answer = Answer::ok(&CaseLinks { items })?;
            let tag = digest::hex(&[answer.body.text().unwrap_or_default().as_bytes()]);
            Ok(answer.tag(tag))
        })
        .await
}

impl LinkFacts {
    fn of(
        direction: LinkDirection,
        (_, kind, note, at): links::LinkRow,
        case: &ProposalRow,
        notes: bool,
    ) -> Self {
        Self {
            kind,
            kind_label: kind.label(),
            direction,
            proposal_id: case.id,
            title: case.title.clone(),
            serial_no: case.serial_no,
            case_no: case.case_no,
            status: case.status,
            status_label: case.status.label(),
            note: note.filter(|_| notes),
            at: at.0,
        }
    }
}
