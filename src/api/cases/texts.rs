//! The versions of a proposal's text side by side.

use actix_web::web::Data;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::out::form_for;
use crate::api::extract::PathId;
use crate::api::routes::{Access, Routes};
use crate::app::act::{self, Object};
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{ProposalId, kind};
use crate::store::texts;
use crate::workflow::access;
use crate::workflow::input::ProposalForm;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::SignedIn, [__path_list_texts] list_texts);
}

/// The versions of a text, newest first, at most 100.
#[derive(Debug, Serialize, ToSchema)]
pub struct TextVersions {
    /// The versions.
    #[schema(max_items = 100)]
    pub items: Vec<TextVersion>,
}

/// One version of a text. Of one that was removed for good only the title is left.
#[derive(Debug, Serialize, ToSchema)]
pub struct TextVersion {
    /// Number, from 1.
    #[schema(minimum = 1)]
    pub version: i32,
    /// When it was written.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// Name of the account that wrote it.
    #[schema(max_length = 200, example = "周明远")]
    pub by: String,
    /// It is the present one.
    pub current: bool,
    /// The submissions with which it was handed in, from 1; none if it never was.
    #[schema(max_items = 100)]
    pub submissions: Vec<usize>,
    /// The whole form.
    pub form: ProposalForm,
}

/// Read the versions of a text
///
/// Every version of what the proposer wrote, with who wrote it and when, and with which submission
/// it was handed in. For the proposers of the case and for the committee.
#[utoipa::path(get, path = "/api/v1/proposals/{proposal_id}/texts", tag = "proposals",
    params(("proposal_id" = ProposalId, Path, description = "The proposal")),
    responses((status = 200, description = "The versions", body = TextVersions)))]
pub async fn list_texts(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Proposal>,
) -> Result<Answer> {
    app.db
        .read("proposal.texts", move |tx| {
            let known = act::read(tx, &ctx, Object::Proposal(id))?;
            let (case, actor) = (&known.case, ctx.principal.actor());
            if !access::may_read_texts(case, &actor) {
                return Err(Error::new(Code::Forbidden).detail(Message::new(
                    "只有本案提案者和提案委可查阅各版本。",
                    "The versions are for the proposers of the case and for the committee.",
                )));
            }
            let contacts = access::may_read_contacts(case, &actor);
            let rows = texts::versions(tx, ctx.committee(), id)?;
            let submitted = texts::submissions(tx, ctx.committee(), id)?;
            let handed_in = handed_in(&rows, &submitted);
            let present = case.proposal.text_version;
            let items = rows
                .into_iter()
                .map(|row| version(row, present, &handed_in, contacts))
                .collect::<Result<_>>()?;
            Ok(Answer::ok(&TextVersions { items })?.version(case.proposal.version))
        })
        .await
}

fn version(
    (version, form, by, at): texts::TextRow,
    present: i32,
    handed_in: &[Option<i32>],
    contacts: bool,
) -> Result<TextVersion> {
    let own = handed_in.iter().zip(1..);
    let submissions = own
        .filter(|(handed_in, _)| **handed_in == Some(version))
        .map(|(_, number)| number)
        .collect();
    Ok(TextVersion {
        version,
        at: at.0,
        by,
        current: version == present,
        submissions,
        form: form_for(form.to()?, contacts),
    })
}

/// The version handed in with each submission: the last one written by then.
fn handed_in(
    rows: &[texts::TextRow],
    submitted: &[crate::store::sql_types::At],
) -> Vec<Option<i32>> {
    submitted
        .iter()
        .map(|at| {
            rows.iter()
                .filter(|(_, _, _, written)| written.0 <= at.0)
                .map(|(version, ..)| *version)
                .max()
        })
        .collect()
}
