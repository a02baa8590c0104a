//! Inputs about promises, tracking, supervision, urging and instructions.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{FollowUpId, PromiseId, ProposerId, UnitId};
use crate::workflow::codes::{InstructionKind, OutcomeMeaning, PromiseVerdict, SupervisionMode};

/// OT20: the case is put on the list of a year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartTrackingIn {
    /// The body that decided.
    #[schema(min_length = 1, max_length = 200, example = "提案委主任会议")]
    pub decided_by: String,
    /// Year of the list.
    #[schema(minimum = 2000, maximum = 2200, example = 2026)]
    pub list_year: i32,
    /// What is to be reached.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "年底前开通社区微循环三号线，早晚高峰间隔不超过十分钟。"
    )]
    pub targets: String,
}

/// OT21: what a unit has done since its reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgressIn {
    /// What was done.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "三号线已于十一月试运行，日均客流八百人次。"
    )]
    pub text: String,
    /// Where the evidence is kept.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "试运行公告，交运〔2026〕88号"
    )]
    pub evidence: String,
    /// The promise it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub promise_id: Option<PromiseId>,
    /// What the unit says that the reply comes to by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub proposed_outcome: Option<OutcomeMeaning>,
}

/// OT22: a promise was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FulfilPromiseIn {
    /// The promise.
    pub promise_id: PromiseId,
    /// What shows it.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "实地查看，三号线已正式运营。"
    )]
    pub shown_by: String,
    /// What the reply comes to by now; better than before. Its own outcome and the reviewer's stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub outcome: Option<OutcomeMeaning>,
}

/// OT23: tracking ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StopTrackingIn {
    /// Why.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "目标均已落实，经主任会议研究结束跟踪。"
    )]
    pub reason: String,
    /// One for every promise that is still open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 200)]
    pub verdicts: Vec<VerdictIn>,
}

/// What becomes of an open promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerdictIn {
    /// The promise.
    pub promise_id: PromiseId,
    /// The verdict.
    pub verdict: PromiseVerdict,
    /// Why.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "规划调整，三号线并入地铁接驳工程。"
    )]
    pub reason: String,
}

/// OT24: 督办.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuperviseIn {
    /// How.
    pub mode: SupervisionMode,
    /// Who led it.
    #[schema(min_length = 1, max_length = 100, example = "市政协副主席 韩松")]
    pub leader: String,
    /// Who took part.
    #[schema(
        min_length = 1,
        max_length = 1000,
        example = "提案委、市交通局、提案者代表"
    )]
    pub participants: String,
    /// When.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-06-18")]
    pub date: Date,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 200,
        example = "市公交总站"
    )]
    pub place: Option<String>,
    /// What was found.
    #[schema(
        min_length = 1,
        max_length = 10000,
        example = "线路方案已定，站点征地尚未完成。"
    )]
    pub findings: String,
    /// What was said to the units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 10000)]
    pub opinions: Option<String>,
    /// Where the report is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 200,
        example = "督办报告 2026-07"
    )]
    pub report_reference: Option<String>,
    /// What units committed themselves to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub commitments: Vec<CommitmentIn>,
}

/// What a unit committed itself to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitmentIn {
    /// The unit; one that handles or handled the case.
    pub unit_id: UnitId,
    /// To what.
    #[schema(
        min_length = 1,
        max_length = 1000,
        example = "八月底前完成两处站点征地。"
    )]
    pub text: String,
    /// By when.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-08-31")]
    pub due_on: Date,
    /// Who is responsible.
    #[schema(min_length = 1, max_length = 50, example = "林涛")]
    pub person: String,
}

/// OT25: 催办, of one debtor or many at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UrgeIn {
    /// Who is urged, none twice; each owes something.
    #[schema(min_items = 1, max_items = 60)]
    pub addressees: Vec<AddresseeIn>,
    /// What is asked.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "该案答复期限将至，请抓紧办理并报告进度。"
    )]
    pub text: String,
    /// By when an answer is expected.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-05-20")]
    pub due_on: Date,
}

/// Who is urged: a unit or a rater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddresseeIn {
    /// The unit …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unit_id: Option<UnitId>,
    /// … or the rater.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rater_id: Option<ProposerId>,
}

/// OT26: the answer to an urging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerUrgingIn {
    /// The urging.
    pub urging_id: FollowUpId,
    /// The answer.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "答复稿已送会签，本周内报送。"
    )]
    pub text: String,
}

/// OT27: 批示.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstructIn {
    /// The leader.
    #[schema(min_length = 1, max_length = 50, example = "韩松")]
    pub leader: String,
    /// Post of the leader.
    #[schema(min_length = 1, max_length = 100, example = "市委副书记、市长")]
    pub post: String,
    /// When it was written.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-05-06")]
    pub date: Date,
    /// Its kind.
    pub kind: InstructionKind,
    /// What it says.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "请交通局会同住建局抓紧研究，务求实效。"
    )]
    pub text: String,
    /// Only leaders, chair, staff, auditors and the units it is for may read it.
    #[serde(default)]
    pub restricted: bool,
    /// Units it is for, none twice.
    #[schema(min_items = 1, max_items = 30)]
    pub unit_ids: Vec<UnitId>,
    /// By when feedback is due (K19).
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-06-06")]
    pub due_on: Date,
    /// Where the paper is kept; required of staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 200,
        example = "批示件 2026-012"
    )]
    pub paper_reference: Option<String>,
}

/// OT28: feedback of a unit on an instruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerInstructionIn {
    /// The item of the instruction that is for the unit.
    pub instruction_id: FollowUpId,
    /// The feedback.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "已召开专题会，明确十月底前完成改造。"
    )]
    pub text: String,
}

/// OT29: the yearly look-back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LookBackIn {
    /// When it was done.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-11-12")]
    pub date: Date,
    /// What was found.
    #[schema(
        min_length = 1,
        max_length = 10000,
        example = "两项承诺中一项已落实，一项正在推进。"
    )]
    pub findings: String,
    /// Where the report is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub report_reference: Option<String>,
}
