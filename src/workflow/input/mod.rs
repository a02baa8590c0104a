//! What people hand in with an act: one type per action. The limits written here are the ones in
//! the OpenAPI document and the ones enforced; limits that depend on the policy profile are
//! guards.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::codes::{
    AssignmentRole, Disposition, HandlingKind, Recommendation, SourceKind, SubjectClass,
};
use super::lists::ProposerKind;
use super::reasons::ReasonCode;
use super::role::Line;
use crate::ids::{
    AttachmentId, MemberId, OrganisationId, ProposalId, ProposerId, SessionId, UnitId,
};

mod follow_up;
mod handling;
mod referral;
mod rounds;
mod units;

pub use follow_up::{
    AddresseeIn, AnswerInstructionIn, AnswerUrgingIn, CommitmentIn, FulfilPromiseIn, InstructIn,
    LookBackIn, ProgressIn, StartTrackingIn, StopTrackingIn, SuperviseIn, UrgeIn, VerdictIn,
};
pub use handling::{
    AcceptIn, ApproveIn, CloseIn, ContactIn, CountersignIn, FeedbackIn, ObjectIn, OpinionIn, Point,
    PromiseIn, RejectIn, ReplyForm, SignIn,
};
pub use referral::{RecallReferralIn, ReferIn, ReferralAnswerIn, ReferralVerdict};
pub use rounds::{
    ConsultationIn, CoordinateIn, DesignateIn, DispositionIn, ExcuseIn, LinkIn, MergeIn,
    PublicationReviewIn, PublishIn, RehandleIn, SecrecyIn, UnpublishIn, UrgentIn, WaiveIn,
};
pub use units::{
    AdjustIn, DenyIn, EscalateReturnIn, GrantExtensionIn, GrantReturnIn, NoteIn, ObjectContactIn,
    PauseIn, ReasonIn, RequestExtensionIn, RequestPauseIn, RequestReturnIn, SuggestUnitsIn,
};

/// What the proposer writes. Kept in every version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposalForm {
    /// 案由: must match the content. At submission at most 50 characters by default.
    #[schema(
        min_length = 1,
        max_length = 200,
        example = "关于优化老城区公交微循环线路的提案"
    )]
    pub title: String,
    /// 情况: what is the case.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(
        max_length = 10_000,
        example = "老城区部分道路狭窄，常规公交难以驶入，居民出行最后一公里问题突出。"
    )]
    pub situation: String,
    /// 分析: why it is so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(
        max_length = 10_000,
        example = "现有线路以干道为主，站点覆盖率不足，接驳不便。"
    )]
    pub analysis: String,
    /// 建议: what should be done, in order; at least one at submission.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub suggestions: Vec<Suggestion>,
    /// 是否同意公开: whether the text may be published. Required at submission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub publish_consent: Option<bool>,
    /// Why not, where it may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 500)]
    pub publish_refusal_reason: Option<String>,
    /// 不公开姓名: keep the name of the first proposer out of publications.
    #[serde(default)]
    pub hide_my_name: bool,
    /// 不涉密声明: the text holds no secrets. Must be true at submission.
    #[serde(default)]
    pub no_secret_declaration: bool,
    /// Where the matter comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub source: Option<SourceKind>,
    /// The class the proposer thinks of; examination decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub suggested_class: Option<SubjectClass>,
    /// 建议主办单位: the lead unit the proposer wishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub suggested_lead: Option<UnitId>,
    /// 建议会办单位: the co-handlers the proposer wishes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    pub suggested_co_handlers: Vec<UnitId>,
    /// 联系人: of a collective proposer. Never public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 50, example = "周明远")]
    pub contact_person: Option<String>,
    /// Telephone of the contact person. Never public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 3,
        max_length = 30,
        example = "0599-5550123"
    )]
    pub contact_phone: Option<String>,
    /// 公章或签名: where the sealed or signed original is kept. Required of collectives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 200,
        example = "盖章原件存档 2026-集-017"
    )]
    pub seal_evidence: Option<String>,
    /// 召集人: who signed as convener. Required of sectors and member groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 50)]
    pub convener: Option<String>,
    /// 扫描件: where the paper is kept that staff entered as proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 200,
        example = "纸质提案 2026-代-003"
    )]
    pub paper_reference: Option<String>,
    /// 可否附议: members may join uninvited, where the committee's policy allows it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open_for_seconding: bool,
    /// An earlier case that this one repeats or was refused as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub derived_from: Option<ProposalId>,
    /// 附件: files uploaded to the case, in order; none twice. Not in the first version, as there
    /// is no case to upload to before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
}

/// One suggestion of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(
    min_length = 1,
    max_length = 5000,
    example = "开通两条社区微循环线路，衔接地铁站与菜市场。"
)]
pub struct Suggestion(pub String);

/// PT01: a new proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposalIn {
    /// Who proposes.
    pub kind: ProposerKind,
    /// The session; without it the one whose window is open or that was held last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub session_id: Option<SessionId>,
    /// The first proposer, where staff enter a paper for a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub member_id: Option<MemberId>,
    /// The collective proposer; an organisation clerk may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub organisation_id: Option<OrganisationId>,
    /// The text.
    pub form: ProposalForm,
}

/// An act that needs no words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoInput {}

/// PT03: members, or for a joint collective organisations, asked to sign with the first proposer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteIn {
    /// The members of a joint proposal, none twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub member_ids: Vec<MemberId>,
    /// The organisations of a joint collective proposal, none twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub organisation_ids: Vec<OrganisationId>,
}

/// PT04, PT05: the answer of who was asked to sign.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CosignIn {
    /// The co-signer, where staff enter an answer on paper; its scan stands in `attachment_ids`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub proposer_id: Option<ProposerId>,
    /// Opinion with the consent, or reason of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1000,
        example = "同意联名，建议补充试点线路。"
    )]
    pub comment: Option<String>,
    /// 附件: files uploaded to the case, in order, none twice; by default at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
}

/// PT09, PT10: taking a proposal back before it is filed, asking for it afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawIn {
    /// Why; required once it was submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 2000,
        example = "情况已有变化，拟重新调研后再提。"
    )]
    pub reason: Option<String>,
    /// 附件: files uploaded to the case, in order, none twice; by default at most 5.
    /// Only after the filing, with the request to withdraw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
}

/// PT13: back to the proposer for revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnForRevisionIn {
    /// What is to be revised.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "建议部分过于原则，请补充具体措施。"
    )]
    pub reason: String,
}

/// PT14: the opinion of one examiner at one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExamineIn {
    /// The opinion.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "一事一案，事实清楚，建议具体，建议立案。"
    )]
    pub opinion: String,
    /// What the examiner recommends.
    pub recommendation: Recommendation,
    /// Whether proposer's standing, content and form were checked.
    pub checklist: Checklist,
    /// Reasons, where filing is not recommended; each once, and active.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub reason_codes: Vec<ReasonCode>,
    /// Subject class; required at the last stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub subject_class: Option<SubjectClass>,
    /// Assigning line; required at the last stage, proposed from the lead unit otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assigning_line: Option<Line>,
    /// Units that should handle it, lead first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 31)]
    pub draft_units: Vec<UnitId>,
}

/// What an examiner checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Checklist {
    /// 提案者资格: the proposer may propose.
    pub standing: bool,
    /// 内容: one matter, with facts and suggestions.
    pub content: bool,
    /// 格式: in the required form.
    pub form: bool,
}

/// The meeting that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Meeting {
    /// Name of the meeting.
    #[schema(
        min_length = 1,
        max_length = 200,
        example = "提案审查委员会第一次全体会议"
    )]
    pub name: String,
    /// Day of the meeting.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-03-05")]
    pub date: Date,
}

/// PT15: filing by decision of the meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileIn {
    /// The meeting that decided.
    pub meeting: Meeting,
    /// Class, where the decision differs from the examination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub subject_class: Option<SubjectClass>,
    /// Line, where the decision differs from the examination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assigning_line: Option<Line>,
    /// Words of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 2000)]
    pub note: Option<String>,
}

/// PT16: refusal with reasons and a disposition (I11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotFileIn {
    /// The meeting that decided.
    pub meeting: Meeting,
    /// Coded reasons; each once, and active. One with `hide_text` removes the text for good.
    #[schema(min_items = 1, max_items = 20)]
    pub reason_codes: Vec<ReasonCode>,
    /// The reasons in words, for the proposer.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "所提内容属单位内部事务，宜通过其他渠道反映。"
    )]
    pub explanation: String,
    /// What becomes of it instead.
    pub disposition: Disposition,
    /// The proposer agrees to the other channel; not needed for `kept`.
    #[serde(default)]
    pub proposer_agrees: bool,
}

/// PT19: assigning a filed case to units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignIn {
    /// How the units share the case (I4).
    pub handling_kind: HandlingKind,
    /// One row per unit.
    #[schema(min_items = 1, max_items = 60)]
    pub rows: Vec<AssignRow>,
    /// The assignment meeting, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub meeting: Option<Meeting>,
    /// Opinion given to the units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 2000,
        example = "请主办单位牵头，于三个月内答复提案者。"
    )]
    pub opinion: Option<String>,
}

/// A unit and what it is to the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignRow {
    /// The unit.
    pub unit_id: UnitId,
    /// Its role.
    pub role: AssignmentRole,
    /// Part of the matter; required for separate handling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 500,
        example = "线路规划与站点设置"
    )]
    pub part: Option<String>,
}

/// What comes with an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "each variant is named after its action")]
pub enum Input {
    None(NoInput),
    Edit(Box<ProposalForm>),
    Invite(InviteIn),
    Cosign(CosignIn),
    Withdraw(WithdrawIn),
    ReturnForRevision(ReturnForRevisionIn),
    Examine(ExamineIn),
    File(FileIn),
    NotFile(NotFileIn),
    Assign(AssignIn),
    Accept(AcceptIn),
    Contact(ContactIn),
    Opinion(OpinionIn),
    Reply(Box<ReplyForm>),
    Countersign(CountersignIn),
    Object(ObjectIn),
    Sign(SignIn),
    Approve(ApproveIn),
    Reject(RejectIn),
    Feedback(FeedbackIn),
    Close(CloseIn),
    Merge(MergeIn),
    Adjust(AdjustIn),
    SuggestUnits(SuggestUnitsIn),
    RequestReturn(RequestReturnIn),
    GrantReturn(GrantReturnIn),
    Deny(DenyIn),
    EscalateReturn(EscalateReturnIn),
    RequestExtension(RequestExtensionIn),
    GrantExtension(GrantExtensionIn),
    RequestPause(RequestPauseIn),
    Pause(PauseIn),
    Note(NoteIn),
    Reason(ReasonIn),
    ObjectContact(ObjectContactIn),
    Rehandle(RehandleIn),
    Waive(WaiveIn),
    Excuse(ExcuseIn),
    Consultation(ConsultationIn),
    Secrecy(SecrecyIn),
    Publication(PublicationReviewIn),
    Disposition(DispositionIn),
    Coordinate(CoordinateIn),
    Link(LinkIn),
    Urgent(UrgentIn),
    Designate(DesignateIn),
    Publish(PublishIn),
    Unpublish(UnpublishIn),
    StartTracking(StartTrackingIn),
    Progress(ProgressIn),
    FulfilPromise(FulfilPromiseIn),
    StopTracking(StopTrackingIn),
    Supervise(Box<SuperviseIn>),
    Urge(UrgeIn),
    AnswerUrging(AnswerUrgingIn),
    Instruct(Box<InstructIn>),
    AnswerInstruction(AnswerInstructionIn),
    LookBack(LookBackIn),
    Refer(ReferIn),
    ReferralAnswer(ReferralAnswerIn),
    RecallReferral(RecallReferralIn),
}

impl Input {
    /// What the audit trail keeps of it: everything but the text of a proposal, which may have to
    /// be removed for good (I29) and stands in its versions.
    pub fn for_trail(&self) -> serde_json::Value {
        let value = match self {
            Self::Edit(form) => serde_json::to_value(form.without_text()),
            // The words of an instruction stand in its record, where their readers are known.
            Self::Instruct(input) => serde_json::to_value(InstructIn {
                text: String::new(),
                ..InstructIn::clone(input)
            }),
            Self::AnswerInstruction(input) => serde_json::to_value(AnswerInstructionIn {
                text: String::new(),
                ..input.clone()
            }),
            other => serde_json::to_value(other),
        };
        value.unwrap_or_default()
    }

    /// Files named in it, whose facts must be at hand.
    pub fn attachments(&self) -> &[AttachmentId] {
        match self {
            Self::Edit(form) => &form.attachment_ids,
            Self::Cosign(input) => &input.attachment_ids,
            Self::Contact(input) => &input.attachment_ids,
            Self::Opinion(input) => &input.attachment_ids,
            Self::Reply(form) => &form.attachment_ids,
            Self::Feedback(input) => &input.attachment_ids,
            Self::Withdraw(input) => &input.attachment_ids,
            Self::RequestReturn(input) => &input.attachment_ids,
            Self::RequestExtension(input) => &input.attachment_ids,
            Self::RequestPause(input) => &input.attachment_ids,
            _ => &[],
        }
    }

    /// Units named in it, whose facts must be at hand.
    pub fn units(&self) -> Vec<UnitId> {
        match self {
            Self::Edit(form) => form.units(),
            Self::Examine(input) => input.draft_units.clone(),
            Self::Assign(input) => of_rows(&input.rows),
            Self::Adjust(input) => of_rows(&input.add),
            Self::GrantReturn(input) => of_rows(&input.replacement),
            Self::Rehandle(input) => of_rows(&input.rows),
            Self::SuggestUnits(input) => input.units.clone(),
            Self::Urgent(input) => input.reference_units.clone(),
            Self::Instruct(input) => input.unit_ids.clone(),
            Self::RequestReturn(input) => input.suggested_unit_id.into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Reasons for not filing named in it, whose facts must be at hand.
    pub fn reasons(&self) -> &[ReasonCode] {
        match self {
            Self::Examine(input) => &input.reason_codes,
            Self::NotFile(input) => &input.reason_codes,
            _ => &[],
        }
    }

    /// Members named in it, whose facts must be at hand.
    pub fn members(&self) -> Vec<MemberId> {
        match self {
            Self::Invite(input) => input.member_ids.clone(),
            _ => Vec::new(),
        }
    }

    /// Organisations named in it, whose facts must be at hand.
    pub fn organisations(&self) -> Vec<OrganisationId> {
        match self {
            Self::Invite(input) => input.organisation_ids.clone(),
            _ => Vec::new(),
        }
    }

    /// Other proposals named in it, whose facts must be at hand.
    pub fn proposals(&self) -> Vec<ProposalId> {
        match self {
            Self::Merge(input) => vec![input.main_id],
            Self::Link(input) => vec![input.proposal_id],
            _ => Vec::new(),
        }
    }
}

fn of_rows(rows: &[AssignRow]) -> Vec<UnitId> {
    rows.iter().map(|row| row.unit_id).collect()
}

impl ProposalForm {
    /// Units named in it.
    pub fn units(&self) -> Vec<UnitId> {
        self.suggested_lead
            .iter()
            .chain(&self.suggested_co_handlers)
            .copied()
            .collect()
    }

    /// Characters of the three parts together.
    pub fn total_chars(&self) -> usize {
        self.parts().map(|part| part.chars().count()).sum()
    }

    /// Situation, analysis and every suggestion.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        [self.situation.as_str(), self.analysis.as_str()]
            .into_iter()
            .chain(
                self.suggestions
                    .iter()
                    .map(|suggestion| suggestion.0.as_str()),
            )
    }

    /// The same form without what a reader may not know: everything but the title stays away.
    #[must_use]
    pub fn without_text(&self) -> Self {
        Self {
            situation: String::new(),
            analysis: String::new(),
            suggestions: Vec::new(),
            ..self.clone()
        }
    }
}
