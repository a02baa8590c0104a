//! Assignments, replies, forms and promises as the interface shows them.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::request_out::RequestBrief;
use crate::app::act::Known;
use crate::codes::Label;
use crate::ids::{AssignmentId, PromiseId, ProposerId, ReplyId, UnitId};
use crate::workflow::access;
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::case::{Assignment, Case, Countersign, DocumentNo, Form, Promise, Reply};
use crate::workflow::codes::{
    AssignmentRole, CountersignStatus, Grade, OutcomeMeaning, PromiseStatus, RequestStatus,
};
use crate::workflow::input::ReplyForm;
use crate::workflow::profile::LapsedForm;
use crate::workflow::reply::ReplyStatus;
use crate::workflow::role::Actor;

/// A unit's row.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct AssignmentFacts {
    /// Identifier.
    pub id: AssignmentId,
    /// Version; the ETag of the assignment.
    #[schema(minimum = 1)]
    pub version: i32,
    /// Round.
    #[schema(minimum = 1)]
    pub round: i32,
    /// The unit.
    pub unit_id: UnitId,
    /// Its name at that time.
    #[schema(max_length = 200, example = "市交通运输局")]
    pub unit_name: String,
    /// What the unit is to the case.
    pub role: AssignmentRole,
    /// Status.
    pub status: AssignmentStatus,
    /// Part of the matter, for separate handling.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 500)]
    pub part: Option<String>,
    /// Whether the unit may still ask to return the case.
    pub returnable: bool,
    /// Accepted by lapse of the window.
    pub deemed: bool,
    /// Carried over from the round before: accepted from the start, cannot be returned.
    pub carried_over: bool,
    /// The row that took its place after a granted return.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub replaced_by: Option<AssignmentId>,
    /// The co-handler was silent when its time ran out: the lead need not wait.
    pub opinion_missing: bool,
    /// What the unit asked for and waits for a decision, as far as the caller may know.
    #[schema(max_items = 10)]
    pub open_requests: Vec<RequestBrief>,
    /// The clock of its reply or opinion stands still until this day, on which it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub paused_until: Option<Date>,
    /// When it was signed for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub accepted_at: Option<Timestamp>,
    /// Clerk in charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 50)]
    pub clerk_name: Option<String>,
    /// Telephone of the clerk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 30)]
    pub clerk_phone: Option<String>,
    /// A contact with the proposer is on record.
    pub contacted: bool,
    /// Contacts of which the proposer says that they were not so.
    #[schema(minimum = 0)]
    pub contacts_objected: usize,
    /// Versions of the co-handler's opinion.
    #[schema(minimum = 0)]
    pub opinions: i32,
    /// Label of the role.
    pub role_label: Label,
    /// Label of the status.
    pub status_label: Label,
}

impl AssignmentFacts {
    /// A row of the case as the actor may see it; clerks and their telephone numbers only for
    /// those who may read contact data.
    pub fn of(case: &Case, row: &Assignment, actor: &Actor) -> Self {
        let contacts = access::may_read_contacts(case, actor);
        let objected = case.contacts.iter().filter(|contact| {
            contacts && contact.assignment == row.id && contact.objection.is_some()
        });
        let open = case.requests.iter().filter(|request| {
            request.assignment == Some(row.id)
                && request.status == RequestStatus::Open
                && access::may_read_request(case, request, actor)
        });
        Self {
            id: row.id,
            version: row.version,
            round: row.round,
            unit_id: row.unit,
            unit_name: row.unit_name.clone(),
            role: row.role,
            status: row.status,
            part: row.part.clone(),
            returnable: row.returnable,
            deemed: row.deemed,
            carried_over: row.carried_over,
            replaced_by: row.replaced_by,
            opinion_missing: row.opinion_missing,
            open_requests: open.map(RequestBrief::of).collect(),
            paused_until: case.paused_until(row.id),
            accepted_at: row.accepted_at,
            clerk_name: row.clerk_name.clone().filter(|_| contacts),
            clerk_phone: row.clerk_phone.clone().filter(|_| contacts),
            contacted: case.contacted(row.id),
            contacts_objected: objected.count(),
            opinions: row.opinions,
            role_label: row.role.label(),
            status_label: row.status.label(),
        }
    }
}

/// A reply.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplyFacts {
    /// Identifier.
    pub id: ReplyId,
    /// Version; the ETag of the reply.
    #[schema(minimum = 1)]
    pub version: i32,
    /// The row it answers for.
    pub assignment_id: AssignmentId,
    /// The unit.
    pub unit_id: UnitId,
    /// Round.
    #[schema(minimum = 1)]
    pub round: i32,
    /// Status.
    pub status: ReplyStatus,
    /// Label of the status.
    pub status_label: Label,
    /// Passed the review.
    pub approved: bool,
    /// The present text.
    pub form: ReplyForm,
    /// Number of the present text.
    #[schema(minimum = 1)]
    pub text_version: i32,
    /// SHA-256 of the present text.
    #[schema(max_length = 64)]
    pub content_hash: String,
    /// 文号, such as 云交提复〔2026〕12号.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100, example = "云交提复〔2026〕12号")]
    pub document_no: Option<String>,
    /// What the unit says it comes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unit_outcome: Option<OutcomeMeaning>,
    /// What the reviewer says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reviewer_outcome: Option<OutcomeMeaning>,
    /// What holds now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub current_outcome: Option<OutcomeMeaning>,
    /// Local letter of the present outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4, example = "B")]
    pub letter: Option<&'static str>,
    /// Label of the present outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub outcome_label: Option<Label>,
    /// 签发人.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 50)]
    pub signatory: Option<String>,
    /// Signed by the head of the unit.
    pub signed_by_head: bool,
    /// 协调意见: the decision that takes the place of countersignatures.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub coordination: Option<String>,
    /// The coordination decision is about the present text.
    pub coordinated: bool,
    /// 前次答复: what the unit delivered last in an earlier round.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refers_to: Option<ReplyId>,
    /// When it was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub signed_at: Option<Timestamp>,
    /// Reason of a rejection or a changed outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub review_note: Option<String>,
    /// When it was delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub delivered_at: Option<Timestamp>,
    /// Answers of the co-handlers to the requests to countersign: those of the last request first,
    /// then earlier ones.
    #[schema(max_items = 600)]
    pub countersigns: Vec<CountersignFacts>,
}

impl ReplyFacts {
    /// A reply of the case.
    pub fn of(known: &Known, reply: &Reply) -> Self {
        let case = &known.case;
        Self {
            id: reply.id,
            version: reply.version,
            assignment_id: reply.assignment,
            unit_id: reply.unit,
            round: reply.round,
            status: reply.status,
            status_label: reply.status.label(),
            approved: reply.approved,
            form: reply.form.clone(),
            text_version: reply.text_version,
            content_hash: reply.content_hash.clone(),
            document_no: reply.document.as_ref().map(DocumentNo::to_string),
            unit_outcome: reply.unit_outcome,
            reviewer_outcome: reply.reviewer_outcome,
            current_outcome: reply.current_outcome,
            letter: reply
                .current_outcome
                .map(|outcome| known.profile.letter(outcome).as_str()),
            outcome_label: reply.current_outcome.map(OutcomeMeaning::label),
            signatory: reply.signatory.clone(),
            signed_by_head: reply.signed_by_head,
            coordination: reply.coordination.clone(),
            coordinated: reply.is_coordinated(),
            refers_to: case.earlier_reply(reply).map(|earlier| earlier.id),
            signed_at: reply.signed_at,
            review_note: reply.review_note.clone(),
            delivered_at: reply.delivered_at,
            countersigns: countersigns(case, reply),
        }
    }
}

/// The last request first; each in the order of the units, whatever the order of the rows.
fn countersigns(case: &Case, reply: &Reply) -> Vec<CountersignFacts> {
    let mut answers: Vec<_> = case
        .assignments
        .iter()
        .flat_map(|row| {
            case.countersigns
                .iter()
                .filter(|request| request.reply == reply.id && request.assignment == row.id)
        })
        .collect();
    answers.sort_by_key(|request| std::cmp::Reverse(request.attempt));
    answers
        .into_iter()
        .map(|request| CountersignFacts::of(case, reply, request))
        .collect()
}

/// A co-handler's answer to a request to countersign.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountersignFacts {
    /// The co-handler's row.
    pub assignment_id: AssignmentId,
    /// Name of the unit.
    #[schema(max_length = 200)]
    pub unit_name: String,
    /// Number of the request on this reply, from 1.
    #[schema(minimum = 1)]
    pub attempt: i32,
    /// It is about the present text.
    pub current: bool,
    /// Its answer.
    pub status: CountersignStatus,
    /// Label of the answer.
    pub status_label: Label,
    /// Remarks or the reason of the objection.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub remarks: Option<String>,
    /// Who answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 50)]
    pub signatory: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub answered_at: Option<Timestamp>,
}

impl CountersignFacts {
    fn of(case: &Case, reply: &Reply, request: &Countersign) -> Self {
        let unit_name = case
            .assignment(request.assignment)
            .map(|row| row.unit_name.clone());
        Self {
            assignment_id: request.assignment,
            unit_name: unit_name.unwrap_or_default(),
            attempt: request.attempt,
            current: request.content_hash == reply.content_hash,
            status: request.status,
            status_label: request.status.label(),
            remarks: request.remarks.clone(),
            signatory: request.signatory.clone(),
            answered_at: request.answered_at,
        }
    }
}

/// The two grades of an opinion form.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeedbackFacts {
    /// The reply.
    pub reply_id: ReplyId,
    /// The rater.
    pub rater_id: ProposerId,
    /// Name of the rater.
    #[schema(max_length = 200)]
    pub rater_name: String,
    /// Round.
    #[schema(minimum = 1)]
    pub round: i32,
    /// Version, from 1; later ones are corrections.
    #[schema(minimum = 1)]
    pub version: i32,
    /// 办理态度.
    pub attitude: Grade,
    /// 办理结果.
    pub result: Grade,
    /// Given after conclusion.
    pub late: bool,
    /// Label of the attitude grade.
    pub attitude_label: Label,
    /// Label of the result grade.
    pub result_label: Label,
}

impl FeedbackFacts {
    /// A form of the case.
    pub fn of(case: &Case, form: &Form) -> Self {
        Self {
            reply_id: form.reply,
            rater_id: form.rater,
            rater_name: rater_name(case, form.rater),
            round: form.round,
            version: form.version,
            attitude: form.attitude,
            result: form.result,
            late: form.late,
            attitude_label: form.attitude.label(),
            result_label: form.result.label(),
        }
    }
}

/// Name of a rater, of the case or of a proposal that it absorbed.
pub fn rater_name(case: &Case, rater: ProposerId) -> String {
    case.everybody()
        .find(|proposer| proposer.id == rater)
        .map(|proposer| proposer.name.clone())
        .unwrap_or_default()
}

/// 未反馈: a rater who let the time run out. Silence is never taken for satisfaction.
#[derive(Debug, Serialize, ToSchema)]
pub struct SilentRater {
    /// The reply.
    pub reply_id: ReplyId,
    /// The rater.
    pub rater_id: ProposerId,
    /// Name of the rater.
    #[schema(max_length = 200)]
    pub rater_name: String,
    /// Round.
    #[schema(minimum = 1)]
    pub round: i32,
    /// `not_returned`, or what the policy of the case counts silence as.
    pub counts_as: LapsedForm,
    /// Its label.
    pub label: Label,
}

impl SilentRater {
    /// Who did not answer, of the rounds whose feedback is concluded.
    pub fn all(known: &Known) -> Vec<Self> {
        let (case, profile) = (&known.case, &known.profile);
        let counts_as = profile.feedback_lapsed;
        let replies = case.replies.iter().filter(|reply| {
            reply.delivered_at.is_some() && access::is_concluded(case, reply.round)
        });
        replies
            .flat_map(|reply| {
                case.raters(profile.every_signer_rates())
                    .filter(|rater| {
                        !case
                            .forms
                            .iter()
                            .any(|form| form.reply == reply.id && form.rater == rater.id)
                    })
                    .map(move |rater| Self {
                        reply_id: reply.id,
                        rater_id: rater.id,
                        rater_name: rater.name.clone(),
                        round: reply.round,
                        counts_as,
                        label: counts_as.label(),
                    })
            })
            .collect()
    }
}

/// A dated promise.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromiseFacts {
    /// Identifier.
    pub id: PromiseId,
    /// The reply that made it.
    pub reply_id: ReplyId,
    /// The unit that owes it.
    pub unit_id: UnitId,
    /// How far it is.
    pub status: PromiseStatus,
    /// Label of the status.
    pub status_label: Label,
    /// What is promised.
    #[schema(max_length = 1000)]
    pub text: String,
    /// Who is responsible.
    #[schema(max_length = 50)]
    pub person: String,
    /// By when.
    #[schema(value_type = String, format = Date, max_length = 10)]
    pub due_on: Date,
}

impl From<&Promise> for PromiseFacts {
    fn from(promise: &Promise) -> Self {
        Self {
            id: promise.id,
            reply_id: promise.reply,
            unit_id: promise.unit,
            status: promise.status,
            status_label: promise.status.label(),
            text: promise.text.clone(),
            person: promise.person.clone(),
            due_on: promise.due_on,
        }
    }
}
