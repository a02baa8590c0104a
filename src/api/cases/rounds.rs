//! The rounds of a case side by side.

use actix_web::web::Data;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::decisions::{DecisionContent, decision};
use super::handling_out::{AssignmentFacts, FeedbackFacts, ReplyFacts};
use super::request_out::{ConsultationFacts, RequestFacts};
use crate::api::extract::PathId;
use crate::api::routes::{Access, Routes};
use crate::app::act::{self, Known, Object};
use crate::app::{Answer, App, Ctx};
use crate::codes::Label;
use crate::enter;
use crate::error::Result;
use crate::ids::{AssignmentId, ProposalId, kind};
use crate::store::records;
use crate::workflow::access;
use crate::workflow::codes::OutcomeMeaning;
use crate::workflow::role::Actor;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::SignedIn, [__path_get_rounds] get_rounds);
}

/// The rounds of a case, the first one first.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseRounds {
    /// The rounds; none before the case is assigned.
    #[schema(max_items = 20)]
    pub items: Vec<RoundFacts>,
}

/// One round of handling. Later rounds change nothing in it but the outcome after tracking.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoundFacts {
    /// Its number, from 1.
    #[schema(minimum = 1)]
    pub round: i32,
    /// It is the present one.
    pub current: bool,
    /// Why there is this round; from the second on, for those who take part in the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub order: Option<RoundOrder>,
    /// Rows of the units.
    #[schema(max_items = 200)]
    pub handling: Vec<AssignmentFacts>,
    /// What the units asked for, as far as the caller may know.
    #[schema(max_items = 200)]
    pub requests: Vec<RequestFacts>,
    /// Replies that the caller may read.
    #[schema(max_items = 200)]
    pub replies: Vec<ReplyFacts>,
    /// Opinion forms that the caller may read.
    #[schema(max_items = 1000)]
    pub feedback: Vec<FeedbackFacts>,
    /// Consultations of the round.
    #[schema(max_items = 200)]
    pub consultations: Vec<ConsultationFacts>,
    /// Worst outcome of the replies that were delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub outcome: Option<OutcomeMeaning>,
    /// Label of the outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub outcome_label: Option<Label>,
}

/// The order to handle a case again.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoundOrder {
    /// When.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// Cause, reason, and the rows where they were named.
    pub content: DecisionContent,
}

/// Read the rounds of a case
///
/// Every round of handling side by side: its rows, replies and opinion forms as the caller may
/// read them, its outcome, and from the second round on the order that made it.
#[utoipa::path(get, path = "/api/v1/proposals/{proposal_id}/rounds", tag = "proposals",
    params(("proposal_id" = ProposalId, Path, description = "The proposal")),
    responses((status = 200, description = "The rounds", body = CaseRounds)))]
pub async fn get_rounds(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Proposal>,
) -> Result<Answer> {
    app.db
        .read("proposal.rounds", move |tx| {
            let known = act::read(tx, &ctx, Object::Proposal(id))?;
            let (case, actor) = (&known.case, ctx.principal.actor());
            let mut items = rounds_of(&known, &actor);
            if items.len() > 1 && access::may_read_decision(case, "rehandle", &actor) {
                for row in records::rehandlings(tx, ctx.committee(), id)? {
                    let order = decision(row)?;
                    let item = items.iter_mut().find(|item| item.round == order.round);
                    if let Some(item) = item {
                        item.order = Some(RoundOrder {
                            at: order.at,
                            content: order.content,
                        });
                    }
                }
            }
            Ok(Answer::ok(&CaseRounds { items })?.version(case.proposal.version))
        })
        .await
}

fn rounds_of(known: &Known, actor: &Actor) -> Vec<RoundFacts> {
    let last = known.case.assignments.iter().map(|row| row.round).max();
    (1..=last.unwrap_or(0))
        .map(|round| RoundFacts::of(known, round, actor))
        .collect()
}

impl RoundFacts {
    fn of(known: &Known, round: i32, actor: &Actor) -> Self {
        let case = &known.case;
        let outcome = case.outcome_of(round);
        let in_round =
            |row: AssignmentId| case.assignment(row).is_some_and(|row| row.round == round);
        Self {
            round,
            current: round == case.proposal.round,
            order: None,
            handling: case
                .assignments
                .iter()
                .filter(|row| row.round == round)
                .map(|row| AssignmentFacts::of(case, row, actor))
                .collect(),
            requests: case
                .requests
                .iter()
                .filter(|request| request.assignment.is_some_and(in_round))
                .filter(|request| access::may_read_request(case, request, actor))
                .map(|request| RequestFacts::of(case, request))
                .collect(),
            replies: case
                .replies
                .iter()
                .filter(|reply| reply.round == round)
                .filter(|reply| access::may_read_reply(case, reply, actor))
                .map(|reply| ReplyFacts::of(known, reply))
                .collect(),
            feedback: case
                .forms
                .iter()
                .filter(|form| form.round == round)
                .filter(|form| access::may_read_form(case, form, actor))
                .map(|form| FeedbackFacts::of(case, form))
                .collect(),
            consultations: case
                .consultations
                .iter()
                .filter(|held| held.round == round)
                .map(Into::into)
                .collect(),
            outcome,
            outcome_label: outcome.map(OutcomeMeaning::label),
        }
    }
}
