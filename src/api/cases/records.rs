//! What was written with each step of a case: reasons, opinions, contacts, forms.

use actix_web::web::Data;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::decisions::{DecisionRecord, ReasonOut, decision, with_labels};
use super::handling_out::rater_name;
use crate::api::extract::PathId;
use crate::api::routes::{Access, Routes};
use crate::app::act::{self, Known, Object};
use crate::app::{Answer, App, Ctx};
use crate::codes::Label;
use crate::enter;
use crate::error::Result;
use crate::ids::{
    AssignmentId, AttachmentId, CommitteeId, ConsultationId, ContactId, OpinionId, ProposalId,
    ProposerId, ReplyId, kind,
};
use crate::store::{Tx, records, refusal_uses};
use crate::workflow::access;
use crate::workflow::codes::{Adoption, ContactWay, Grade, Recommendation, Relevance, Stage};
use crate::workflow::input::ConsultationIn;
use crate::workflow::reasons::ReasonCode;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::SignedIn, [__path_get_records] get_records);
}

/// What was written with the steps of a case, newest first, at most 200 of each kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseRecords {
    /// Decisions with their meetings and reasons.
    #[schema(max_items = 200)]
    pub decisions: Vec<DecisionRecord>,
    /// Examination opinions; for the committee and the assigning officer.
    #[schema(max_items = 200)]
    pub opinions: Vec<OpinionRecord>,
    /// Contacts of units with the proposer; for the proposers and those who work on the case.
    #[schema(max_items = 200)]
    pub contacts: Vec<ContactRecord>,
    /// Opinions of co-handlers to the lead; for those who work on the case.
    #[schema(max_items = 200)]
    pub co_opinions: Vec<CoOpinionRecord>,
    /// Consultations with what was said; for those who take part in the case.
    #[schema(max_items = 200)]
    pub consultations: Vec<ConsultationRecord>,
    /// Opinion forms that the caller may read, every version.
    #[schema(max_items = 200)]
    pub feedback: Vec<FeedbackRecord>,
    /// Receipts of the delivered replies: one for each proposal of a merge group.
    #[schema(max_items = 200)]
    pub deliveries: Vec<DeliveryRecord>,
}

/// A reply reached the proposers of a proposal.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryRecord {
    /// The reply.
    pub reply_id: ReplyId,
    /// The proposal: the case itself, or one that it absorbed.
    pub proposal_id: ProposalId,
    /// When.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
}

fn delivery((reply_id, proposal_id, at): records::DeliveryRow) -> DeliveryRecord {
    DeliveryRecord {
        reply_id,
        proposal_id,
        at: at.0,
    }
}

/// An examination opinion in words.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpinionRecord {
    /// Identifier.
    pub id: OpinionId,
    /// The submission it is about.
    #[schema(minimum = 1)]
    pub submission_no: i32,
    /// Stage.
    pub stage: Stage,
    /// Label of the stage.
    pub stage_label: Label,
    /// When.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// The opinion.
    #[schema(max_length = 4000)]
    pub opinion: String,
    /// What it recommends.
    pub recommendation: Recommendation,
    /// Label of the recommendation.
    pub recommendation_label: Label,
    /// Reasons against filing.
    #[schema(max_items = 20)]
    pub reason_codes: Vec<ReasonCode>,
    /// The same with what they are called.
    #[schema(max_items = 20)]
    pub reasons: Vec<ReasonOut>,
    /// Units that should handle it, lead first.
    #[schema(max_items = 31)]
    pub draft_units: Vec<crate::ids::UnitId>,
}

#[derive(Deserialize)]
struct StoredOpinion {
    opinion: String,
    recommendation: Recommendation,
    #[serde(default)]
    reason_codes: Vec<ReasonCode>,
    #[serde(default)]
    draft_units: Vec<crate::ids::UnitId>,
}

/// A contact with the proposer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactRecord {
    /// Identifier.
    pub id: ContactId,
    /// The row of the unit.
    pub assignment_id: AssignmentId,
    /// Name of the unit.
    #[schema(max_length = 200)]
    pub unit_name: String,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// How.
    pub way: ContactWay,
    /// Label of the way.
    pub way_label: Label,
    /// Day of the contact.
    #[schema(value_type = String, format = Date, max_length = 10)]
    pub date: Date,
    /// Who took part.
    #[schema(max_length = 500)]
    pub persons: String,
    /// What was said.
    #[schema(max_length = 4000)]
    pub said: String,
    /// What the proposer thinks.
    #[schema(max_length = 2000)]
    pub proposer_view: String,
    /// Why there was no visit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 500)]
    pub no_visit_note: Option<String>,
    /// 异议: what a proposer says was different.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub objection: Option<String>,
    /// Files that go with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false, max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
}

/// An opinion of a co-handler.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoOpinionRecord {
    /// The row of the co-handler.
    pub assignment_id: AssignmentId,
    /// Name of the unit.
    #[schema(max_length = 200)]
    pub unit_name: String,
    /// Version, from 1.
    #[schema(minimum = 1)]
    pub version: i32,
    /// When.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// What was written.
    pub content: crate::workflow::input::OpinionIn,
}

/// A consultation in full.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsultationRecord {
    /// Identifier.
    pub id: ConsultationId,
    /// The round it belongs to.
    #[schema(minimum = 1)]
    pub round: i32,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// Label of its form.
    pub form_label: Label,
    /// What was recorded.
    pub content: ConsultationIn,
}

/// An opinion form in full.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeedbackRecord {
    /// The reply.
    pub reply_id: ReplyId,
    /// The rater.
    pub rater_id: ProposerId,
    /// Name of the rater.
    #[schema(max_length = 200)]
    pub rater_name: String,
    /// Handling round.
    #[schema(minimum = 1)]
    pub round: i32,
    /// Version, from 1; a correction is a new one.
    #[schema(minimum = 1)]
    pub version: i32,
    /// Given, or corrected, after feedback was concluded.
    pub late: bool,
    /// Entered by staff from paper.
    pub by_staff: bool,
    /// Who entered it from paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100)]
    pub entered_by: Option<String>,
    /// Where the paper is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub paper_reference: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// 办理态度.
    pub attitude: Grade,
    /// 办理结果.
    pub result: Grade,
    /// 答复前听取意见方式.
    pub contact_way: ContactWay,
    /// 针对性.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub relevance: Option<Relevance>,
    /// 分管领导是否当面答复.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub leader_answered: Option<bool>,
    /// 采纳情况.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub adoption: Option<Adoption>,
    /// 意见.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub comment: Option<String>,
    /// Files that go with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false, max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
}

/// What was written with each step
///
/// Reasons of returns and refusals, decisions with their meetings, examination opinions, contact
/// records with the objections of proposers, opinions of co-handlers, consultations and opinion
/// forms, each for those who may read it.
#[utoipa::path(get, path = "/api/v1/proposals/{proposal_id}/records", tag = "proposals",
    params(("proposal_id" = ProposalId, Path, description = "The proposal")),
    responses((status = 200, description = "The records", body = CaseRecords)))]
pub async fn get_records(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Proposal>,
) -> Result<Answer> {
    app.db
        .read("proposal.records", move |tx| {
            let known = act::read(tx, &ctx, Object::Proposal(id))?;
            let answer = Answer::ok(&read(tx, &ctx, &known)?)?;
            Ok(answer.version(known.case.proposal.version))
        })
        .await
}

fn read(tx: &mut Tx<'_>, ctx: &Ctx, known: &Known) -> Result<CaseRecords> {
    let (committee, id) = (ctx.committee(), known.case.proposal.id);
    let actor = ctx.principal.actor();
    let decisions = records::decisions(tx, committee, id)?
        .into_iter()
        .filter(|row| access::may_read_decision(&known.case, &row.1, &actor))
        .map(decision)
        .collect::<Result<Vec<_>>>()?;
    let opinions = if access::may_read_opinions(&actor) {
        records::opinions(tx, committee, id)?
            .into_iter()
            .map(opinion)
            .collect::<Result<Vec<_>>>()?
    } else {
        Vec::new()
    };
    let contacts = if access::may_read_contacts(&known.case, &actor) {
        let rows = records::contacts(tx, committee, id)?;
        rows.into_iter()
            .map(|row| contact(known, row))
            .collect::<Result<_>>()?
    } else {
        Vec::new()
    };
    let co_opinions = if access::may_read_co_opinions(&known.case, &actor) {
        let rows = records::co_opinions(tx, committee, id)?;
        rows.into_iter()
            .map(|row| co_opinion(known, row))
            .collect::<Result<_>>()?
    } else {
        Vec::new()
    };
    let consultations = if access::may_read_minutes(&known.case, &actor) {
        let rows = records::consultations(tx, committee, id)?;
        rows.into_iter().map(consultation).collect::<Result<_>>()?
    } else {
        Vec::new()
    };
    let feedback = records::forms(tx, committee, id)?
        .into_iter()
        .filter(|row| {
            known.case.forms.iter().any(|form| {
                (form.reply, form.rater) == (row.0.0, row.0.1)
                    && access::may_read_form(&known.case, form, &actor)
            })
        })
        .map(|row| feedback(known, row))
        .collect::<Result<_>>()?;
    let deliveries = records::deliveries(tx, committee, id)?;
    let (mut decisions, mut opinions) = (decisions, opinions);
    name_reasons(tx, committee, &mut decisions, &mut opinions)?;
    Ok(CaseRecords {
        decisions,
        opinions,
        contacts,
        co_opinions,
        consultations,
        feedback,
        deliveries: deliveries.into_iter().map(delivery).collect(),
    })
}

/// Puts the labels beside the codes, with one statement for all.
fn name_reasons(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    decisions: &mut [DecisionRecord],
    opinions: &mut [OpinionRecord],
) -> Result<()> {
    let mut codes: Vec<ReasonCode> = decisions
        .iter()
        .flat_map(|decision| &decision.content.reason_codes)
        .chain(opinions.iter().flat_map(|opinion| &opinion.reason_codes))
        .cloned()
        .collect();
    codes.sort_unstable();
    codes.dedup();
    let labels = refusal_uses::labels(tx, committee, &codes)?;
    for DecisionRecord { content, .. } in decisions {
        content.reasons = with_labels(&content.reason_codes, &labels);
    }
    for opinion in opinions {
        opinion.reasons = with_labels(&opinion.reason_codes, &labels);
    }
    Ok(())
}

fn opinion((id, submission_no, stage, content, at): records::OpinionRow) -> Result<OpinionRecord> {
    let stored: StoredOpinion = content.to()?;
    Ok(OpinionRecord {
        id,
        submission_no,
        stage,
        stage_label: stage.label(),
        at: at.0,
        opinion: stored.opinion,
        recommendation: stored.recommendation,
        recommendation_label: stored.recommendation.label(),
        reason_codes: stored.reason_codes,
        reasons: Vec::new(),
        draft_units: stored.draft_units,
    })
}

fn unit_name(known: &Known, row: AssignmentId) -> String {
    known
        .case
        .assignment(row)
        .map(|row| row.unit_name.clone())
        .unwrap_or_default()
}

fn contact(known: &Known, (id, row, content, at): records::ContactRow) -> Result<ContactRecord> {
    let stored: crate::workflow::input::ContactIn = content.to()?;
    Ok(ContactRecord {
        id,
        assignment_id: row,
        unit_name: unit_name(known, row),
        at: at.0,
        way: stored.way,
        way_label: stored.way.label(),
        date: stored.date,
        persons: stored.persons,
        said: stored.said,
        proposer_view: stored.proposer_view,
        no_visit_note: stored.no_visit_note,
        objection: known
            .case
            .contacts
            .iter()
            .find(|contact| contact.id == id)
            .and_then(|contact| contact.objection.clone()),
        attachment_ids: stored.attachment_ids,
    })
}

fn co_opinion(
    known: &Known,
    (row, version, content, at): records::CoOpinionRow,
) -> Result<CoOpinionRecord> {
    let unit_name = unit_name(known, row);
    Ok(CoOpinionRecord {
        assignment_id: row,
        unit_name,
        version,
        at: at.0,
        content: content.to()?,
    })
}

fn consultation((id, round, content, at): records::ConsultationRow) -> Result<ConsultationRecord> {
    let content: ConsultationIn = content.to()?;
    Ok(ConsultationRecord {
        id,
        round,
        at: at.0,
        form_label: content.form.label(),
        content,
    })
}

fn feedback(
    known: &Known,
    ((reply_id, rater_id, round, version), late, content, at, entered_by): records::FormRow,
) -> Result<FeedbackRecord> {
    let stored: crate::workflow::input::FeedbackIn = content.to()?;
    Ok(FeedbackRecord {
        reply_id,
        rater_id,
        rater_name: rater_name(&known.case, rater_id),
        round,
        version,
        late,
        by_staff: entered_by.is_some(),
        entered_by,
        paper_reference: stored.paper_reference,
        at: at.0,
        attitude: stored.attitude,
        result: stored.result,
        contact_way: stored.contact_way,
        relevance: stored.relevance,
        leader_answered: stored.leader_answered,
        adoption: stored.adoption,
        comment: stored.comment,
        attachment_ids: stored.attachment_ids,
    })
}
