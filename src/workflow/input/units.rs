//! What is handed in about the units of a case: returns, changes, extensions, pauses.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AssignRow, Meeting};
use crate::ids::{AssignmentId, AttachmentId, ContactId, UnitId};
use crate::workflow::codes::{AdjustCause, HandlingKind};

/// PT20: other units for an assigned case (I4, I5, I7 hold afterwards).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustIn {
    /// Why.
    pub cause: AdjustCause,
    /// The reason in words.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "经协调，增加会办单位参与办理。"
    )]
    pub reason: String,
    /// How the units share the case from now on; as before without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub handling_kind: Option<HandlingKind>,
    /// New rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 60)]
    pub add: Vec<AssignRow>,
    /// Rows that become void. A delivered reply keeps its row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 60)]
    pub remove: Vec<AssignmentId>,
}

/// AT03: units that should help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuggestUnitsIn {
    /// The units.
    #[schema(min_items = 1, max_items = 20)]
    pub units: Vec<UnitId>,
    /// Why they are needed.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "所提事项涉及管网改造，建议增加水务部门会办。"
    )]
    pub reason: String,
}

/// AT04: the unit asks to give the case back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestReturnIn {
    /// Why, in at least ten characters.
    #[schema(
        min_length = 10,
        max_length = 2000,
        example = "所提事项不属我局职责范围，建议由交通部门主办。"
    )]
    pub reason: String,
    /// 建议承办单位: required by the usual policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub suggested_unit_id: Option<UnitId>,
    /// Who signs the request.
    #[schema(min_length = 1, max_length = 50, example = "林涛")]
    pub signatory: String,
    /// 附件: files uploaded to the case, in order, none twice; by default at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
}

/// AT05: the return is granted; for a lead or separate row another unit follows in the same act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantReturnIn {
    /// The rows that take its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 60)]
    pub replacement: Vec<AssignRow>,
    /// How the units share the case from now on; as before without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub handling_kind: Option<HandlingKind>,
    /// Words of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 2000)]
    pub note: Option<String>,
}

/// A request is not granted (I11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DenyIn {
    /// Why not.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "所提事项属该单位法定职责，请按期办理。"
    )]
    pub reason: String,
}

/// AT07: a dispute about a return is carried further up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalateReturnIn {
    /// 情况说明: statement of the unit, signed by its head.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "两单位对职责划分有争议，现将情况说明如下……"
    )]
    pub statement: String,
    /// Head of the unit who signed it.
    #[schema(min_length = 1, max_length = 50, example = "林涛")]
    pub unit_head: String,
    /// The coordination meeting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub meeting: Option<Meeting>,
}

/// AT11: more time, asked for before the due date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestExtensionIn {
    /// Why.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "方案须经市规委会审议，会期在七月。"
    )]
    pub reason: String,
    /// Who signs the request.
    #[schema(min_length = 1, max_length = 50, example = "林涛")]
    pub signatory: String,
    /// The new last day.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-06-30")]
    pub new_date: Date,
    /// 附件: files uploaded to the case, in order, none twice; by default at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
}

/// AT12: the due date moves; the original one stays on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantExtensionIn {
    /// The day granted; the one asked for without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10, example = "2026-06-30")]
    pub new_date: Option<Date>,
    /// Words of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 2000)]
    pub note: Option<String>,
    /// 提案委意见: where the consent of the Proposals Committee is kept, if the policy asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub committee_consent: Option<String>,
}

/// AT13: the clock should stand still for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestPauseIn {
    /// Why, such as a national decision that is awaited.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "国家标准修订稿预计六月底发布，须待其明确后办理。"
    )]
    pub reason: String,
    /// Who signs the request.
    #[schema(min_length = 1, max_length = 50, example = "林涛")]
    pub signatory: String,
    /// The day on which the clock goes on.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-06-30")]
    pub expected_end: Date,
    /// 附件: files uploaded to the case, in order, none twice; by default at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
}

/// AT14: the clock stands still from today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseIn {
    /// The day on which it goes on; the one asked for without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10, example = "2026-06-30")]
    pub until: Option<Date>,
    /// Words of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 2000)]
    pub note: Option<String>,
}

/// An act with a remark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteIn {
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 2000)]
    pub note: Option<String>,
}

/// An act that needs a reason in words (I11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonIn {
    /// The reason.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "经核实情况有变，理由如下……"
    )]
    pub reason: String,
}

/// The proposer says that a contact was not as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectContactIn {
    /// The record.
    pub contact_id: ContactId,
    /// What was different.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "当日并未接到电话，未就答复内容沟通。"
    )]
    pub reason: String,
}
