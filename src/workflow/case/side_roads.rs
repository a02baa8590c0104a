//! What only the side roads of a case bring: contacts, requests, consultations, entries of the
//! follow-up, and the two sides of a merge.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Proposer;
use crate::ids::{
    AssignmentId, AttachmentId, CaseRequestId, CommitteeId, ConsultationId, ContactId, FollowUpId,
    OrganisationId, PromiseId, ProposalId, ProposerId, ReferralId, UnitId, UserId,
};
use crate::workflow::codes::{
    ConsentStatus, ConsultationForm, ContactWay, FollowUpKind, FollowUpStatus, ReferralDirection,
    ReferralStatus, RequestKind, RequestStatus,
};
use crate::workflow::lists::ProposerKind;
use crate::workflow::proposal::ProposalStatus;

/// A contact of a unit with the proposer.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    /// Identifier.
    pub id: ContactId,
    /// The row.
    pub assignment: AssignmentId,
    /// How.
    pub way: ContactWay,
    /// The proposer says that it was not so.
    pub objection: Option<String>,
}

/// What somebody asked for, and what was decided. A decided one is immutable (I13).
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Identifier; the subject of its clock.
    pub id: CaseRequestId,
    /// What it asks for.
    pub kind: RequestKind,
    /// The row it is about; `None` for a withdrawal.
    pub assignment: Option<AssignmentId>,
    /// How far it is.
    pub status: RequestStatus,
    /// The dispute was carried further up.
    pub escalated: bool,
    /// Who asked.
    pub requested_by: UserId,
    /// When.
    pub requested_at: Timestamp,
    /// What was written.
    pub form: RequestForm,
    /// What was decided.
    pub decision: Option<RequestDecision>,
}

/// What a request says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestForm {
    /// Why.
    pub reason: String,
    /// Who signed it at the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatory: Option<String>,
    /// Units that should have the case, or help with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<UnitId>,
    /// New date of an extension, expected end of a pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Statement of the unit's head when the dispute is carried further up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// Files that go with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachment_ids: Vec<AttachmentId>,
}

/// What was decided on a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestDecision {
    /// Who decided; `None` for the system.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// In which words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The date that was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// A consultation on the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consultation {
    /// Identifier.
    pub id: ConsultationId,
    /// The round it belongs to.
    pub round: i32,
    /// Its form.
    pub form: ConsultationForm,
    /// When it was held.
    pub date: Date,
}

/// An entry of the follow-up: what decisions need of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// Identifier; the subject of its clock.
    pub id: FollowUpId,
    /// The first entry of the act that made it: an instruction to three units is one act.
    pub act: FollowUpId,
    /// What it is.
    pub kind: FollowUpKind,
    /// How far it is.
    pub status: FollowUpStatus,
    /// The unit that reported, promised, or has to answer.
    pub unit: Option<UnitId>,
    /// The rater who has to answer.
    pub rater: Option<ProposerId>,
    /// The promise it is about.
    pub promise: Option<PromiseId>,
    /// By when it is to be answered.
    pub due_on: Option<Date>,
    /// Only for leader, chair, staff, auditor and the unit it is for.
    pub restricted: bool,
}

/// A proposal that this one absorbed: its proposers get the reply and rate it (I18).
#[derive(Debug, Clone, PartialEq)]
pub struct Absorbed {
    /// The proposal.
    pub proposal: ProposalId,
    /// 流水号.
    pub serial_no: Option<i32>,
    /// 案号; `None` if it was never filed.
    pub case_no: Option<i32>,
    /// 案由.
    pub title: String,
    /// The collective that handed it in.
    pub organisation: Option<OrganisationId>,
    /// Those who signed it.
    pub signers: Vec<Proposer>,
}

/// The proposal that absorbed this one, and how it was before (I18).
#[derive(Debug, Clone, PartialEq)]
pub struct Main {
    /// The proposal.
    pub proposal: ProposalId,
    /// Its status.
    pub status: ProposalStatus,
    /// Its 流水号.
    pub serial_no: Option<i32>,
    /// Its 案号.
    pub case_no: Option<i32>,
    /// Its 案由.
    pub title: String,
    /// One of its replies was delivered.
    pub delivered: bool,
    /// How the absorbed proposal was.
    pub before: Before,
}

/// What an unmerge restores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Before {
    /// Status.
    pub status: ProposalStatus,
    /// Since when.
    pub status_since: Timestamp,
    /// Kind of the proposer.
    pub kind: ProposerKind,
    /// How far each signer was.
    pub signers: Vec<(ProposerId, ConsentStatus)>,
}

/// A case sent to another committee, on the side of the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referral {
    /// Identifier, the same on both sides.
    pub id: ReferralId,
    /// Up or down.
    pub direction: ReferralDirection,
    /// A committee of this service; `None` for a body outside of it.
    pub committee: Option<CommitteeId>,
    /// Its name at that time.
    pub body: String,
    /// How far it is.
    pub status: ReferralStatus,
    /// Why it was sent.
    pub reason: String,
    /// Who sent it.
    pub sent_by: UserId,
    /// When.
    pub sent_at: Timestamp,
    /// The proposal that it became there.
    pub counterpart: Option<ProposalId>,
    /// What came back, or why it was recalled.
    pub answer: Option<ReferralAnswer>,
}

/// The end of a referral: the answer, or the recall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralAnswer {
    /// When.
    pub at: Timestamp,
    /// In which words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where the paper is kept, if it came on paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paper_reference: Option<String>,
    /// Number of the counterpart, as the paper says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterpart_no: Option<String>,
}
