//! Rows of the case tables, and the facts they stand for.

use diesel::prelude::*;

use crate::error::Result;
use crate::ids::{
    AssignmentId, CaseRequestId, ClockId, CommitteeId, ConsultationId, ContactId, FollowUpId,
    MemberId, OpinionId, OrganisationId, PromiseId, ProposalId, ProposerId, ReferralId, ReplyId,
    SessionId, SubjectId, TermId, UnitId, UserId,
};
use crate::store::schema::{
    assignments, case_marks, clocks, consultations, contacts, countersign_requests, feedback_forms,
    follow_ups, opinions, promises, proposals, proposers, referrals, replies, reply_texts,
    requests, sessions,
};
use crate::store::sql_types::{At, Json, On};
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::case::{
    Assignment, Clock, Consultation, Contact, Countersign, DocumentNo, FollowUp, Form, Marks,
    Opinion, Promise, Proposal, Proposer, Referral, Reply, Request, Session,
};
use crate::workflow::codes::{
    AssignmentRole, CaseSeries, ClockKind, ConsentStatus, ConsultationForm, ContactWay,
    CountersignStatus, FollowUpKind, FollowUpStatus, Grade, HandlingKind, OutcomeMeaning,
    ProgrammeTier, PromiseStatus, ProposerRole, PublicationLevel, Recommendation,
    ReferralDirection, ReferralStatus, RequestKind, RequestStatus, Secrecy, SessionMark, Stage,
    SubjectClass, Urgency,
};
use crate::workflow::input::ProposalForm;
use crate::workflow::lists::ProposerKind;
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::reply::ReplyStatus;
use crate::workflow::role::Line;

/// A row of `proposals`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = proposals)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct ProposalRow {
    pub committee_id: CommitteeId,
    pub id: ProposalId,
    pub term_id: TermId,
    pub session_id: SessionId,
    pub kind: ProposerKind,
    pub status: ProposalStatus,
    pub version: i32,
    pub round: i32,
    pub serial_no: Option<i32>,
    pub case_no: Option<i32>,
    pub session_mark: Option<SessionMark>,
    pub title: String,
    pub title_folded: String,
    pub subject_class: Option<SubjectClass>,
    pub assigning_line: Option<Line>,
    pub handling_kind: Option<HandlingKind>,
    pub secrecy: Secrecy,
    pub urgency: Urgency,
    pub text_version: i32,
    pub submitted_version: i32,
    pub submission_no: i32,
    pub profile_version: i32,
    pub organisation_id: Option<OrganisationId>,
    pub main_id: Option<ProposalId>,
    pub created_by: UserId,
    pub filed_at: Option<At>,
    pub status_since: At,
    pub created_at: At,
    pub updated_at: At,
    pub event_seq: i32,
    pub event_hash: String,
    pub case_series: CaseSeries,
}

impl ProposalRow {
    /// The facts, with the present text.
    pub fn into_facts(self, form: ProposalForm, marks: Marks) -> Proposal {
        Proposal {
            committee: self.committee_id,
            id: self.id,
            version: self.version,
            kind: self.kind,
            status: self.status,
            status_since: self.status_since.0,
            round: self.round,
            serial_no: self.serial_no,
            case_no: self.case_no,
            case_series: self.case_series,
            session_mark: self.session_mark,
            form,
            text_version: self.text_version,
            submitted_version: self.submitted_version,
            submission_no: self.submission_no,
            subject_class: self.subject_class,
            assigning_line: self.assigning_line,
            handling_kind: self.handling_kind,
            secrecy: self.secrecy,
            urgency: self.urgency,
            profile_version: self.profile_version,
            organisation: self.organisation_id,
            created_by: self.created_by,
            filed_at: self.filed_at.map(|at| at.0),
            marks,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        }
    }
}

/// The columns of a session that a case needs.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct SessionRow {
    id: SessionId,
    term_id: TermId,
    number: i32,
    window_opens_on: On,
    deadline_at: At,
    ends_on: On,
    examination_until: On,
}

impl SessionRow {
    pub fn into_facts(self, term_number: i32) -> Session {
        Session {
            id: self.id,
            term: self.term_id,
            term_number,
            number: self.number,
            window_opens_on: self.window_opens_on.0,
            deadline_at: self.deadline_at.0,
            ends_on: self.ends_on.0,
            examination_until: self.examination_until.0,
        }
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = proposers)]
pub struct ProposerRow {
    id: ProposerId,
    position: i32,
    role: ProposerRole,
    status: ConsentStatus,
    member_id: Option<MemberId>,
    organisation_id: Option<OrganisationId>,
    name: String,
    sector: Option<String>,
    party: Option<String>,
    member_no: Option<String>,
    consented_version: Option<i32>,
    comment: Option<String>,
    decided_at: Option<At>,
    excused: Option<String>,
    waived_round: Option<i32>,
}

impl From<ProposerRow> for Proposer {
    fn from(row: ProposerRow) -> Self {
        Self {
            id: row.id,
            position: row.position,
            role: row.role,
            status: row.status,
            member: row.member_id,
            organisation: row.organisation_id,
            name: row.name,
            sector: row.sector,
            party: row.party,
            member_no: row.member_no,
            consented_version: row.consented_version,
            comment: row.comment,
            decided_at: row.decided_at.map(|at| at.0),
            excused: row.excused,
            waived_round: row.waived_round,
        }
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = opinions)]
pub struct OpinionRow {
    id: OpinionId,
    submission_no: i32,
    stage: Stage,
    examiner_id: UserId,
    recommendation: Recommendation,
}

impl From<OpinionRow> for Opinion {
    fn from(row: OpinionRow) -> Self {
        Self {
            id: row.id,
            submission_no: row.submission_no,
            stage: row.stage,
            examiner: row.examiner_id,
            recommendation: row.recommendation,
        }
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = assignments)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct AssignmentRow {
    id: AssignmentId,
    version: i32,
    round: i32,
    position: i32,
    role: AssignmentRole,
    unit_id: UnitId,
    unit_name: String,
    status: AssignmentStatus,
    part: Option<String>,
    returnable: bool,
    deemed: bool,
    accepted_at: Option<At>,
    clerk_name: Option<String>,
    clerk_phone: Option<String>,
    opinion_missing: bool,
    opinions: i32,
    carried_over: bool,
    replaced_by: Option<AssignmentId>,
}

impl From<AssignmentRow> for Assignment {
    fn from(row: AssignmentRow) -> Self {
        Self {
            id: row.id,
            version: row.version,
            round: row.round,
            position: row.position,
            role: row.role,
            unit: row.unit_id,
            unit_name: row.unit_name,
            status: row.status,
            part: row.part,
            returnable: row.returnable,
            deemed: row.deemed,
            accepted_at: row.accepted_at.map(|at| at.0),
            clerk_name: row.clerk_name,
            clerk_phone: row.clerk_phone,
            opinion_missing: row.opinion_missing,
            opinions: row.opinions,
            carried_over: row.carried_over,
            replaced_by: row.replaced_by,
        }
    }
}

/// A row of `replies` with its present text.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = replies)]
pub struct ReplyRow {
    id: ReplyId,
    version: i32,
    assignment_id: AssignmentId,
    unit_id: UnitId,
    round: i32,
    status: ReplyStatus,
    text_version: i32,
    approved: bool,
    unit_outcome: Option<OutcomeMeaning>,
    reviewer_outcome: Option<OutcomeMeaning>,
    current_outcome: Option<OutcomeMeaning>,
    document_prefix: Option<String>,
    document_year: Option<i32>,
    document_number: Option<i32>,
    signed_by: Option<UserId>,
    signatory: Option<String>,
    signed_hash: Option<String>,
    signed_at: Option<At>,
    reviewed_by: Option<UserId>,
    review_note: Option<String>,
    delivered_at: Option<At>,
    coordinated_hash: Option<String>,
    coordination: Option<String>,
    signed_by_head: bool,
    rejected_hash: Option<String>,
    #[diesel(select_expression = reply_texts::form, select_expression_type = reply_texts::form)]
    form: Json,
    #[diesel(
        select_expression = reply_texts::content_hash,
        select_expression_type = reply_texts::content_hash
    )]
    content_hash: String,
}

impl ReplyRow {
    pub fn into_facts(self) -> Result<Reply> {
        let document = match (self.document_prefix, self.document_year) {
            (Some(prefix), Some(year)) => Some(DocumentNo {
                prefix,
                year,
                number: self.document_number,
            }),
            _ => None,
        };
        Ok(Reply {
            id: self.id,
            version: self.version,
            assignment: self.assignment_id,
            unit: self.unit_id,
            round: self.round,
            status: self.status,
            text_version: self.text_version,
            form: self.form.to()?,
            content_hash: self.content_hash,
            approved: self.approved,
            unit_outcome: self.unit_outcome,
            reviewer_outcome: self.reviewer_outcome,
            current_outcome: self.current_outcome,
            document,
            signed_by: self.signed_by,
            signatory: self.signatory,
            signed_hash: self.signed_hash,
            signed_at: self.signed_at.map(|at| at.0),
            reviewed_by: self.reviewed_by,
            review_note: self.review_note,
            delivered_at: self.delivered_at.map(|at| at.0),
            coordinated_hash: self.coordinated_hash,
            coordination: self.coordination,
            signed_by_head: self.signed_by_head,
            rejected_hash: self.rejected_hash,
        })
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = countersign_requests)]
pub struct CountersignRow {
    reply_id: ReplyId,
    assignment_id: AssignmentId,
    attempt: i32,
    status: CountersignStatus,
    content_hash: String,
    remarks: Option<String>,
    signatory: Option<String>,
    answered_at: Option<At>,
}

impl From<CountersignRow> for Countersign {
    fn from(row: CountersignRow) -> Self {
        Self {
            reply: row.reply_id,
            assignment: row.assignment_id,
            attempt: row.attempt,
            status: row.status,
            content_hash: row.content_hash,
            remarks: row.remarks,
            signatory: row.signatory,
            answered_at: row.answered_at.map(|at| at.0),
        }
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = feedback_forms)]
pub struct FormRow {
    reply_id: ReplyId,
    rater_id: ProposerId,
    round: i32,
    version: i32,
    attitude: Grade,
    result: Grade,
    late: bool,
}

impl From<FormRow> for Form {
    fn from(row: FormRow) -> Self {
        Self {
            reply: row.reply_id,
            rater: row.rater_id,
            round: row.round,
            version: row.version,
            attitude: row.attitude,
            result: row.result,
            late: row.late,
        }
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = promises)]
pub struct PromiseRow {
    id: PromiseId,
    reply_id: ReplyId,
    unit_id: UnitId,
    status: PromiseStatus,
    text: String,
    person: String,
    due_on: On,
}

impl From<PromiseRow> for Promise {
    fn from(row: PromiseRow) -> Self {
        Self {
            id: row.id,
            reply: row.reply_id,
            unit: row.unit_id,
            status: row.status,
            text: row.text,
            person: row.person,
            due_on: row.due_on.0,
        }
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = clocks)]
pub struct ClockRow {
    id: ClockId,
    kind: ClockKind,
    subject_id: SubjectId,
    started_at: At,
    time_limit: String,
    profile_version: i32,
    calendar_version: i32,
    provisional: bool,
    original_due: At,
    due_at: At,
    stopped_at: Option<At>,
    changes: Json,
    wake_at: Option<At>,
}

impl ClockRow {
    pub fn into_facts(self) -> Result<Clock> {
        let row = self;
        Ok(Clock {
            changes: row.changes.to()?,
            id: row.id,
            kind: row.kind,
            subject: row.subject_id,
            started_at: row.started_at.0,
            limit: row.time_limit,
            profile_version: row.profile_version,
            calendar_version: row.calendar_version,
            provisional: row.provisional,
            original_due: row.original_due.0,
            due_at: row.due_at.0,
            stopped_at: row.stopped_at.map(|at| at.0),
            wake_at: row.wake_at.map(|at| at.0),
        })
    }
}

/// A row of `case_marks`: the marks and the flags.
#[derive(Debug, Clone, Default, Queryable, Selectable)]
#[diesel(table_name = case_marks)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct MarksRow {
    archived_at: Option<At>,
    tier: Option<ProgrammeTier>,
    programme_year: Option<i32>,
    published_text: Option<PublicationLevel>,
    text_published_at: Option<At>,
    published_replies: Option<PublicationLevel>,
    replies_published_at: Option<At>,
    publish_text: Option<PublicationLevel>,
    publish_replies: Option<PublicationLevel>,
    disposed_at: Option<At>,
    open_for_seconding: bool,
    pub has_requests: bool,
    pub has_consultations: bool,
    pub has_absorbed: bool,
    pub has_follow_ups: bool,
    pub has_referrals: bool,
}

impl MarksRow {
    pub fn into_facts(self) -> Marks {
        Marks {
            archived_at: self.archived_at.map(|at| at.0),
            tier: self.tier,
            programme_year: self.programme_year,
            published_text: self.published_text,
            text_published_at: self.text_published_at.map(|at| at.0),
            published_replies: self.published_replies,
            replies_published_at: self.replies_published_at.map(|at| at.0),
            publish_text: self.publish_text,
            publish_replies: self.publish_replies,
            disposed_at: self.disposed_at.map(|at| at.0),
            open_for_seconding: self.open_for_seconding,
        }
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = requests)]
pub struct RequestRow {
    id: CaseRequestId,
    kind: RequestKind,
    assignment_id: Option<AssignmentId>,
    status: RequestStatus,
    escalated: bool,
    requested_by: UserId,
    requested_at: At,
    form: Json,
    decision: Option<Json>,
}

impl RequestRow {
    pub fn into_facts(self) -> Result<Request> {
        Ok(Request {
            id: self.id,
            kind: self.kind,
            assignment: self.assignment_id,
            status: self.status,
            escalated: self.escalated,
            requested_by: self.requested_by,
            requested_at: self.requested_at.0,
            form: self.form.to()?,
            decision: self.decision.map(Json::to).transpose()?,
        })
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = follow_ups)]
pub struct FollowUpRow {
    id: FollowUpId,
    act_id: FollowUpId,
    kind: FollowUpKind,
    status: FollowUpStatus,
    unit_id: Option<UnitId>,
    rater_id: Option<ProposerId>,
    promise_id: Option<PromiseId>,
    due_on: Option<On>,
    restricted: bool,
}

impl From<FollowUpRow> for FollowUp {
    fn from(row: FollowUpRow) -> Self {
        Self {
            id: row.id,
            act: row.act_id,
            kind: row.kind,
            status: row.status,
            unit: row.unit_id,
            rater: row.rater_id,
            promise: row.promise_id,
            due_on: row.due_on.map(|day| day.0),
            restricted: row.restricted,
        }
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = consultations)]
pub struct ConsultationRow {
    id: ConsultationId,
    round: i32,
    form: ConsultationForm,
    held_on: On,
}

impl From<ConsultationRow> for Consultation {
    fn from(row: ConsultationRow) -> Self {
        Self {
            id: row.id,
            round: row.round,
            form: row.form,
            date: row.held_on.0,
        }
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = contacts)]
pub struct ContactRow {
    id: ContactId,
    assignment_id: AssignmentId,
    way: ContactWay,
    objection: Option<String>,
}

impl From<ContactRow> for Contact {
    fn from(row: ContactRow) -> Self {
        Self {
            id: row.id,
            assignment: row.assignment_id,
            way: row.way,
            objection: row.objection,
        }
    }
}

/// A row of `referrals`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = referrals)]
pub struct ReferralRow {
    id: ReferralId,
    direction: ReferralDirection,
    target_id: Option<CommitteeId>,
    body: String,
    status: ReferralStatus,
    reason: String,
    sent_by: UserId,
    sent_at: At,
    counterpart_id: Option<ProposalId>,
    answer: Option<Json>,
}

impl ReferralRow {
    /// The facts.
    pub fn into_facts(self) -> Result<Referral> {
        Ok(Referral {
            id: self.id,
            direction: self.direction,
            committee: self.target_id,
            body: self.body,
            status: self.status,
            reason: self.reason,
            sent_by: self.sent_by,
            sent_at: self.sent_at.0,
            counterpart: self.counterpart_id,
            answer: self.answer.map(Json::to).transpose()?,
        })
    }
}
