//! What is handed in about merging, rounds and the end of a case.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AssignRow, Meeting};
use crate::ids::{ProposalId, ProposerId, UnitId};
use crate::workflow::codes::{
    ConsultationForm, DrivingMode, HandlingKind, LinkKind, ProgrammeTier, PublicationLevel,
    PublishedPart, RehandlingCause, Secrecy,
};

/// PT17: this proposal is absorbed by another one and follows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeIn {
    /// The proposal that goes on (主案).
    pub main_id: ProposalId,
    /// 并案意见: why they are one matter.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "两件提案均就老城区微循环公交提出建议，内容相近，并案办理。"
    )]
    pub opinion: String,
    /// The meeting that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub meeting: Option<Meeting>,
}

/// PT24: a further round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RehandleIn {
    /// Why.
    pub cause: RehandlingCause,
    /// What was wrong; required when the quality check failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 2000,
        example = "答复未回应第二条建议。"
    )]
    pub reason: Option<String>,
    /// How the units share the round; as before without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub handling_kind: Option<HandlingKind>,
    /// Units of the round; without them those that replied, with their co-handlers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 60)]
    pub rows: Vec<AssignRow>,
}

/// A rater gives up re-handling in writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiveIn {
    /// The rater, where staff enter a paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rater_id: Option<ProposerId>,
    /// Where the paper is kept; required of staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 200,
        example = "纸质确认单 2026-重-004"
    )]
    pub paper_reference: Option<String>,
    /// In the rater's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 2000)]
    pub comment: Option<String>,
}

/// A rater need not rate: left office, deceased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExcuseIn {
    /// The rater.
    pub rater_id: ProposerId,
    /// Why.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "该委员已调离本市并辞去委员职务。"
    )]
    pub reason: String,
}

/// A consultation on the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsultationIn {
    /// Its form. `face_to_face_meeting` and `special_explanation` end the matter once no round is left.
    pub form: ConsultationForm,
    /// When it was held.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-08-20")]
    pub date: Date,
    /// Who took part.
    #[schema(
        min_length = 1,
        max_length = 1000,
        example = "提案者、市交通局副局长林涛、提案委办公室"
    )]
    pub participants: String,
    /// What was said.
    #[schema(
        min_length = 1,
        max_length = 10000,
        example = "就线路调整方案逐条说明，提案者表示理解。"
    )]
    pub minutes: String,
    /// Points agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 4000)]
    pub agreed: Option<String>,
    /// Points on which views differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 4000)]
    pub dissent: Option<String>,
}

/// Who may read the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecrecyIn {
    /// `secret` only while submitted: then nothing is left but to refuse it.
    pub secrecy: Secrecy,
    /// Why.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "内容涉及未公开的规划，转为内部办理。"
    )]
    pub reason: String,
}

/// 公开审核: how far text and replies may be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicationReviewIn {
    /// Of the text; not above `catalogue` if the proposer refused.
    pub publish_text: PublicationLevel,
    /// Of the replies.
    pub publish_replies: PublicationLevel,
    /// Remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 2000)]
    pub note: Option<String>,
}

/// 处置办理: the disposition of a refused proposal was carried out and the proposer told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DispositionIn {
    /// What was done.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "已于三月十二日函转市教育局研究参考，并电话告知提案者。"
    )]
    pub note: String,
    /// Body that received it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 200,
        example = "市教育局"
    )]
    pub receiver: Option<String>,
    /// When it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10, example = "2026-03-12")]
    pub sent_on: Option<Date>,
    /// 回执: what the body answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 1000)]
    pub acknowledgement: Option<String>,
}

/// 协调意见: a decision that takes the place of missing or refused countersignatures on the present text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoordinateIn {
    /// The decision.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "经市政府办公室协调，涉及住建部门的表述按第三稿执行。"
    )]
    pub decision: String,
    /// Who decided.
    #[schema(min_length = 1, max_length = 100, example = "市政府办公室主任办公会")]
    pub decided_by: String,
}

/// A link to another case without merging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkIn {
    /// What the link says.
    pub kind: LinkKind,
    /// The other case.
    pub proposal_id: ProposalId,
    /// Remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 2000)]
    pub note: Option<String>,
}

/// OT07: the urgent lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UrgentIn {
    /// Why it cannot wait.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "汛期将至，涉及堤防隐患，须提前办理。"
    )]
    pub reason: String,
    /// Units that get a reference copy at once, before the filing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub reference_units: Vec<UnitId>,
}

/// OT11: a place in the yearly programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DesignateIn {
    /// The tier.
    pub tier: ProgrammeTier,
    /// The year of the programme.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub year: i32,
    /// The meeting that decided.
    pub meeting: Meeting,
    /// 领衔督办: leader who supervises the handling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 100,
        example = "市政协副主席韩静宜"
    )]
    pub lead_supervisor: Option<String>,
    /// How the handling is driven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mode: Option<DrivingMode>,
    /// Words of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 2000)]
    pub note: Option<String>,
}

/// OT13: publishing a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishIn {
    /// The part.
    pub part: PublishedPart,
    /// How far; not above the level reviewed.
    pub level: PublicationLevel,
}

/// OT14: taking a part back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnpublishIn {
    /// The part.
    pub part: PublishedPart,
    /// Why.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "发现涉及个人隐私，暂停公开。"
    )]
    pub reason: String,
}
