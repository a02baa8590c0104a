//! The follow-up of a case: promises, tracking, supervision, urgings, instructions.

use std::collections::BTreeMap;

use actix_web::web::Data;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::handling_out::PromiseFacts;
use crate::api::extract::PathId;
use crate::api::routes::{Access, Routes};
use crate::app::act::{self, Object};
use crate::app::{Answer, App, Ctx};
use crate::codes::Label;
use crate::enter;
use crate::error::{Error, Result};
use crate::ids::{FollowUpId, PromiseId, ProposalId, ProposerId, UnitId, kind};
use crate::store::follow_ups::{self, Words};
use crate::workflow::access;
use crate::workflow::case::{Case, FollowUp};
use crate::workflow::codes::{
    FollowUpKind, FollowUpStatus, InstructionKind, OutcomeMeaning, PromiseStatus, PromiseVerdict,
    SupervisionMode,
};
use crate::workflow::deadline;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::SignedIn, [__path_get_follow_up] get_follow_up);
}

/// What follows the handling of a case, as far as the caller may read it; oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseFollowUp {
    /// Since when the case is tracked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub tracked_since: Option<Timestamp>,
    /// Promises with what was written about each.
    #[schema(max_items = 1000)]
    pub promises: Vec<PromiseHistory>,
    /// Decisions on tracking, progress, look-backs.
    #[schema(max_items = 1000)]
    pub tracking: Vec<FollowUpEntry>,
    /// Supervision and what units committed themselves to.
    #[schema(max_items = 1000)]
    pub supervision: Vec<FollowUpEntry>,
    /// Urgings and their answers, one for each addressee.
    #[schema(max_items = 1000)]
    pub urgings: Vec<FollowUpEntry>,
    /// Instructions of leaders and their feedback, one item for each unit.
    #[schema(max_items = 1000)]
    pub instructions: Vec<FollowUpEntry>,
    /// 件次: how many instructions that is; one document to three units counts once, one that was
    /// instructed twice counts twice.
    #[schema(minimum = 0)]
    pub instruction_item_times: usize,
}

/// A promise and what was written about it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromiseHistory {
    /// The promise.
    #[serde(flatten)]
    pub promise: PromiseFacts,
    /// It is open and its day is past.
    pub overdue: bool,
    /// Reports, confirmation, verdict, the supervision it came from.
    #[schema(max_items = 1000)]
    pub history: Vec<FollowUpEntry>,
}

/// Something that was written.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FollowUpEntry {
    /// Identifier.
    pub id: FollowUpId,
    /// The first entry of the act that wrote it.
    pub act_id: FollowUpId,
    /// What it is.
    pub kind: FollowUpKind,
    /// Label of the kind.
    pub kind_label: Label,
    /// How far it is.
    pub status: FollowUpStatus,
    /// Label of the status.
    pub status_label: Label,
    /// The unit that wrote or promised, or has to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unit_id: Option<UnitId>,
    /// The rater who has to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rater_id: Option<ProposerId>,
    /// The promise it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub promise_id: Option<PromiseId>,
    /// By when it is to be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub due_on: Option<Date>,
    /// It waits for an answer and its day is past.
    pub overdue: bool,
    /// Who may read it is limited.
    pub restricted: bool,
    /// When it was entered.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// What it says.
    pub content: FollowUpContent,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub answer: Option<String>,
    /// When it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub answered_at: Option<Timestamp>,
}

/// What an entry says; which members are there depends on its kind.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FollowUpContent {
    /// What was written, promised, asked or instructed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub text: Option<String>,
    /// Where the evidence is kept: of progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 500)]
    pub evidence: Option<String>,
    /// What the unit says that the reply comes to: of progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub proposed_outcome: Option<OutcomeMeaning>,
    /// What shows that a promise was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub shown_by: Option<String>,
    /// What the reply comes to since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub outcome: Option<OutcomeMeaning>,
    /// Verdict on a promise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub verdict: Option<PromiseVerdict>,
    /// Why: of a verdict, of the end of tracking.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub reason: Option<String>,
    /// Who decided: on tracking.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub decided_by: Option<String>,
    /// Year of the list: of tracking.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 2000, maximum = 2200)]
    pub list_year: Option<i32>,
    /// What is to be reached: of tracking.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub targets: Option<String>,
    /// How: of a supervision.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mode: Option<SupervisionMode>,
    /// Who led it, or whose instruction it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100)]
    pub leader: Option<String>,
    /// Post of the leader.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100)]
    pub post: Option<String>,
    /// Kind of an instruction.
    #[serde(rename(serialize = "instruction_kind", deserialize = "kind"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub instruction_kind: Option<InstructionKind>,
    /// Who took part.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 1000)]
    pub participants: Option<String>,
    /// When it was held or written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub date: Option<Date>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub place: Option<String>,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 10000)]
    pub findings: Option<String>,
    /// What was said to the units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 10000)]
    pub opinions: Option<String>,
    /// Where the report is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub report_reference: Option<String>,
    /// Where the paper is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub paper_reference: Option<String>,
    /// Who is responsible: for a commitment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 50)]
    pub person: Option<String>,
    /// By when: of a commitment.
    #[serde(rename(serialize = "promised_for", deserialize = "due_on"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub promised_for: Option<Date>,
}

impl FollowUpEntry {
    fn of(entry: &FollowUp, (_, content, at, answer, answered_at): &Words, now: Timestamp) -> Self {
        let mut content: FollowUpContent =
            serde_json::from_value(content.0.clone()).unwrap_or_default();
        if entry.kind != FollowUpKind::Commitment {
            content.promised_for = None;
        }
        Self {
            id: entry.id,
            act_id: entry.act,
            kind: entry.kind,
            kind_label: entry.kind.label(),
            status: entry.status,
            status_label: entry.status.label(),
            unit_id: entry.unit,
            rater_id: entry.rater,
            promise_id: entry.promise,
            due_on: entry.due_on,
            overdue: entry.status == FollowUpStatus::Open
                && entry.due_on.is_some_and(|day| overdue(day, now)),
            restricted: entry.restricted,
            at: at.0,
            content,
            answer: answer.clone(),
            answered_at: answered_at.map(|at| at.0),
        }
    }
}

/// Whether a day is past.
pub(super) fn overdue(day: Date, now: Timestamp) -> bool {
    deadline::overdue(deadline::fixed(day).at, now)
}

impl CaseFollowUp {
    fn of(case: &Case, entries: Vec<FollowUpEntry>, now: Timestamp) -> Self {
        let mut history: BTreeMap<PromiseId, Vec<FollowUpEntry>> = BTreeMap::new();
        let mut all = Self {
            tracked_since: case.tracked_since,
            promises: Vec::new(),
            tracking: Vec::new(),
            supervision: Vec::new(),
            urgings: Vec::new(),
            instructions: Vec::new(),
            instruction_item_times: 0,
        };
        for entry in entries {
            if let Some(promise) = entry.promise_id {
                history.entry(promise).or_default().push(entry.clone());
            }
            match entry.kind {
                FollowUpKind::TrackingStarted
                | FollowUpKind::TrackingStopped
                | FollowUpKind::Progress
                | FollowUpKind::LookBack => all.tracking.push(entry),
                FollowUpKind::Supervision | FollowUpKind::Commitment => all.supervision.push(entry),
                FollowUpKind::Urging => all.urgings.push(entry),
                FollowUpKind::Instruction => all.instructions.push(entry),
                FollowUpKind::Fulfilment | FollowUpKind::Verdict => {}
            }
        }
        let mut acts: Vec<_> = all.instructions.iter().map(|entry| entry.act_id).collect();
        acts.sort_unstable();
        acts.dedup();
        all.instruction_item_times = acts.len();
        all.promises = case
            .promises
            .iter()
            .map(|promise| PromiseHistory {
                promise: promise.into(),
                overdue: promise.status == PromiseStatus::Open && overdue(promise.due_on, now),
                history: history.remove(&promise.id).unwrap_or_default(),
            })
            .collect();
        all
    }
}

/// The follow-up of a case
///
/// Promises with their history, tracking, supervision, urgings and instructions, as far as the
/// caller may read them: reports and findings are for those who take part in the case, urgings for
/// those who steer it and the addressee, restricted instructions for leaders, chair, staff,
/// auditors and the units they are for.
#[utoipa::path(get, path = "/api/v1/proposals/{proposal_id}/follow-up", tag = "proposals",
    params(("proposal_id" = ProposalId, Path, description = "The proposal")),
    responses((status = 200, description = "The follow-up", body = CaseFollowUp)))]
pub async fn get_follow_up(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Proposal>,
) -> Result<Answer> {
    app.db
        .read("proposal.follow_up", move |tx| {
            let known = act::read(tx, &ctx, Object::Proposal(id))?;
            let (case, actor) = (&known.case, ctx.principal.actor());
            let entries = follow_ups::words(tx, ctx.committee(), id)?
                .iter()
                .map(|words| {
                    let entry = case.follow_ups.iter().find(|entry| entry.id == words.0);
                    let entry = entry.ok_or_else(|| Error::internal("words without an entry"))?;
                    let readable = access::may_read_follow_up(case, entry, &actor);
                    Ok(readable.then(|| FollowUpEntry::of(entry, words, ctx.now)))
                })
                .filter_map(Result::transpose)
                .collect::<Result<Vec<_>>>()?;
            let answer = Answer::ok(&CaseFollowUp::of(case, entries, ctx.now))?;
            Ok(answer.version(case.proposal.version))
        })
        .await
}
