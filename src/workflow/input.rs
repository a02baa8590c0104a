//! What people hand in with an act: one type per action. The limits written here are the ones in
//! the OpenAPI document and the ones enforced; limits that depend on the policy profile are
//! guards.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::codes::{
    Adoption, AssignmentRole, ContactWay, Disposition, Grade, HandlingKind, NotFileReason,
    OutcomeMeaning, PublicationLevel, Recommendation, Relevance, SourceKind, SubjectClass,
};
use super::lists::ProposerKind;
use super::role::Line;
use crate::ids::{MemberId, OrganisationId, ProposalId, ProposerId, ReplyId, SessionId, UnitId};

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
    /// An earlier case that this one repeats or was refused as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub derived_from: Option<ProposalId>,
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

/// PT03: members asked to sign with the first proposer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteIn {
    /// The members, none twice.
    #[schema(min_items = 1, max_items = 50)]
    pub member_ids: Vec<MemberId>,
}

/// PT04, PT05: the answer of an invited member.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CosignIn {
    /// Opinion with the consent, or reason of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1000,
        example = "同意联名，建议补充试点线路。"
    )]
    pub comment: Option<String>,
}

/// PT09: taking a proposal back before it is filed.
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
    /// Reasons, where filing is not recommended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub reason_codes: Vec<NotFileReason>,
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
    /// Coded reasons. One that hides the text removes it for good.
    #[schema(min_items = 1, max_items = 20)]
    pub reason_codes: Vec<NotFileReason>,
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

/// AT02: signing for a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptIn {
    /// Clerk in charge.
    #[schema(min_length = 1, max_length = 50, example = "陈思源")]
    pub clerk_name: String,
    /// Telephone of the clerk.
    #[schema(min_length = 3, max_length = 30, example = "0599-5550145")]
    pub clerk_phone: String,
}

/// AT09: a contact with the proposer before the reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactIn {
    /// How.
    pub way: ContactWay,
    /// When.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-04-10")]
    pub date: Date,
    /// Who took part.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "副局长林涛、科长陈思源；提案者"
    )]
    pub persons: String,
    /// What was said.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "介绍了线路调整方案，听取了意见。"
    )]
    pub said: String,
    /// What the proposer thinks.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "对方案表示认可，希望尽快试运行。"
    )]
    pub proposer_view: String,
    /// 未走访说明: no visit was needed, or the proposer could not be reached; counts as contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 500)]
    pub no_visit_note: Option<String>,
}

/// AT10: opinion of a co-handler to the lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpinionIn {
    /// The opinion.
    #[schema(
        min_length = 1,
        max_length = 10_000,
        example = "我局将在道路改造中同步预留公交停靠条件。"
    )]
    pub text: String,
    /// Who signs it.
    #[schema(min_length = 1, max_length = 50, example = "郑海峰")]
    pub signatory: String,
    /// Points the unit will carry out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub will_carry_out: Vec<Point>,
    /// The unit's own document number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 50)]
    pub document_no: Option<String>,
}

/// One point of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(
    min_length = 1,
    max_length = 2000,
    example = "已开通社区微循环 1 号线。"
)]
pub struct Point(pub String);

/// RT01, RT02: the text of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyForm {
    /// Title; by default "Reply to Proposal No. n of session s of term t".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub title: Option<String>,
    /// 办理类别: what it comes to; required to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub outcome: Option<OutcomeMeaning>,
    /// 摘要.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "已优化两条线路，年内再开通一条。"
    )]
    pub digest: String,
    /// 正文: opening, main measures, results.
    #[schema(
        min_length = 1,
        max_length = 30_000,
        example = "您提出的提案收悉，现答复如下……"
    )]
    pub body: String,
    /// 已落实事项: what is done already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 30)]
    pub implemented: Vec<Point>,
    /// 未采纳理由: required for deferred, for reference and not feasible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 4000)]
    pub not_adopted_reason: Option<String>,
    /// 计划落实事项: each with date and person; become promises at delivery.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 30)]
    pub promises: Vec<PromiseIn>,
    /// 负责人: leader in charge.
    #[schema(min_length = 1, max_length = 50, example = "林涛")]
    pub leader: String,
    /// 经办人.
    #[schema(min_length = 1, max_length = 50, example = "陈思源")]
    pub clerk: String,
    /// Telephone of the clerk.
    #[schema(min_length = 3, max_length = 30, example = "0599-5550145")]
    pub phone: String,
    /// 是否公开: how far the unit thinks the reply may be published.
    pub publication: PublicationLevel,
    /// Why it may not be published at all; required for `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 500)]
    pub non_publication_reason: Option<String>,
}

/// A dated promise of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromiseIn {
    /// What is promised.
    #[schema(min_length = 1, max_length = 1000, example = "开通社区微循环 3 号线")]
    pub text: String,
    /// By when.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-12-31")]
    pub due_on: Date,
    /// Who is responsible.
    #[schema(min_length = 1, max_length = 50, example = "林涛")]
    pub person: String,
}

/// RT04: agreement of a co-handler with the text of the lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountersignIn {
    /// Name of the signatory.
    #[schema(min_length = 1, max_length = 50, example = "郑海峰")]
    pub signatory: String,
    /// Remarks; with them the answer is "agree with remarks".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 2000)]
    pub remarks: Option<String>,
}

/// RT05: a co-handler does not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectIn {
    /// Name of the signatory.
    #[schema(min_length = 1, max_length = 50, example = "郑海峰")]
    pub signatory: String,
    /// Why not.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "涉及我局事项的表述与现行规划不符。"
    )]
    pub reason: String,
}

/// RT06: signature of the unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// 签发人.
    #[schema(min_length = 1, max_length = 50, example = "林涛")]
    pub signatory: String,
    /// Word of the document number; the unit's own by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 20,
        example = "云交提复"
    )]
    pub document_prefix: Option<String>,
}

/// RT07: the reply passes the review.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveIn {
    /// Outcome meaning, where the reviewer sees it differently; needs a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub outcome: Option<OutcomeMeaning>,
    /// Why the outcome was changed, or a remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 2000,
        example = "措施尚在推进，按正在解决认定。"
    )]
    pub reason: Option<String>,
}

/// RT08: back to the unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectIn {
    /// What is to be mended.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "未逐条回应建议，请补充第二条的办理情况。"
    )]
    pub reason: String,
}

/// PT22: an opinion form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackIn {
    /// The reply that is rated.
    pub reply_id: ReplyId,
    /// The rater, where staff enter a paper form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rater_id: Option<ProposerId>,
    /// Where the paper form is kept; required of staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub paper_reference: Option<String>,
    /// 办理态度.
    pub attitude: Grade,
    /// 办理结果.
    pub result: Grade,
    /// 答复前听取意见方式.
    pub contact_way: ContactWay,
    /// 针对性.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub relevance: Option<Relevance>,
    /// 分管领导是否当面答复; required of collective proposers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub leader_answered: Option<bool>,
    /// 采纳情况.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub adoption: Option<Adoption>,
    /// 意见; required with a dissatisfied grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 4000,
        example = "答复针对性强，希望抓好落实。"
    )]
    pub comment: Option<String>,
}

/// PT25: striking a case off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseIn {
    /// How far the text of the proposal is published; not above `catalogue` if the proposer refused.
    pub publish_text: PublicationLevel,
    /// How far the replies are published.
    pub publish_replies: PublicationLevel,
    /// 书面放弃重办: where the paper is kept in which a dissatisfied proposer gave up re-handling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub rehandling_waived: Option<String>,
    /// Words of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 2000)]
    pub note: Option<String>,
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
}

impl Input {
    /// What the audit trail keeps of it: everything but the text of a proposal, which may have to
    /// be removed for good (I29) and stands in its versions.
    pub fn for_trail(&self) -> serde_json::Value {
        let value = match self {
            Self::Edit(form) => serde_json::to_value(form.without_text()),
            other => serde_json::to_value(other),
        };
        value.unwrap_or_default()
    }

    /// Units named in it, whose facts must be at hand.
    pub fn units(&self) -> Vec<UnitId> {
        match self {
            Self::Edit(form) => form.units(),
            Self::Examine(input) => input.draft_units.clone(),
            Self::Assign(input) => input.rows.iter().map(|row| row.unit_id).collect(),
            _ => Vec::new(),
        }
    }

    /// Members named in it, whose facts must be at hand.
    pub fn members(&self) -> Vec<MemberId> {
        match self {
            Self::Invite(input) => input.member_ids.clone(),
            _ => Vec::new(),
        }
    }
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
