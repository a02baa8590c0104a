//! What units, reviewers and raters hand in.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AttachmentId, ProposerId, ReplyId};
use crate::workflow::codes::{
    Adoption, ContactWay, Grade, OutcomeMeaning, PublicationLevel, Relevance,
};

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
    /// 附件: files uploaded to the case, in order, none twice; by default at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
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
    /// 附件: files uploaded to the case, in order, none twice; by default at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
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
    /// 附件: files uploaded to the case, in order, none twice; by default at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
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
    /// 主要负责人签发: signed by the head of the unit; required of key cases by the usual policy.
    #[serde(default)]
    pub by_head: bool,
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
    /// 附件: files uploaded to the case, in order, none twice; by default at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
}

/// PT25: striking a case off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseIn {
    /// How far the text of the proposal is published; not above `catalogue` if the proposer refused.
    /// Not needed where it was reviewed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub publish_text: Option<PublicationLevel>,
    /// How far the replies are published. Not needed where it was reviewed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub publish_replies: Option<PublicationLevel>,
    /// Words of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 2000)]
    pub note: Option<String>,
}
