//! The keys of the policy profile in the order of the reference, with their meaning in both
//! languages; what differs between two profiles, key by key.

use serde_json::{Map, Value};

use super::Profile;
use crate::codes::Label;

/// A key of the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name, as in JSON.
    pub name: &'static str,
    /// What it means.
    pub label: Label,
}

macro_rules! keys {
    ($($name:literal, $zh:literal, $en:literal;)+) => {
        /// Every key.
        pub const KEYS: &[Key] = &[$(Key { name: $name, label: Label { zh: $zh, en: $en } }),+];
    };
}

keys! {
    "session.window_opens_months_before", "会议提案自开幕前几个月起受理（未填征集开始日期时的默认值）", "session proposals are taken from so many months before the opening (where a session names no day)";
    "cosign.limit_in_session_hours", "会议提案期内联名答复时限（小时，K01）", "hours to answer an invitation to co-sign in the session window (K01)";
    "cosign.limit_ordinary_hours", "平时联名答复时限（小时，K01）", "hours to answer an invitation to co-sign otherwise (K01)";
    "cosign.comment_required", "同意联名须附意见", "an opinion is given with the consent to co-sign";
    "cosign.drop_unsigned_at", "未答复的联名邀请何时作废", "when invitations without an answer are dropped";
    "cosign.reset_on_edit", "修改正文后须重新同意联名", "a changed text makes consents stale";
    "seconding.enabled", "委员可附议已公开的提案", "members may join an opened proposal uninvited";
    "text.title_max_chars", "案由最多字数", "longest title in characters";
    "text.part_max_chars", "每部分最多字数", "longest part of the text in characters";
    "text.total_max_chars", "全文最多字数", "longest text in characters";
    "text.total_advice_chars", "全文建议字数（超出只提示）", "advised length of the text; beyond it a warning";
    "text.analysis_required", "须写问题分析", "the analysis is required";
    "collective.seal_evidence_required", "集体提案须有盖章或签名件", "collective proposals need a seal or signature";
    "attachments.max_count", "每份文件的附件数", "files of one document";
    "attachments.max_mb", "单个附件大小（MiB）", "size of one file in MiB";
    "examination.stages", "审查级数", "stages of the examination";
    "examination.distinct_examiners", "各级须由不同的人审查", "another person at each stage";
    "examination.limit_ordinary", "平时提案审查时限（K03）", "examination of ordinary proposals (K03)";
    "revision.limit", "退回修改时限（K02）", "revision of a returned proposal (K02)";
    "urgent.examination_hours", "急办提案审查时限（小时，K03）", "hours to examine an urgent proposal (K03)";
    "urgent.assignment_hours", "急办提案交办时限（小时，K04）", "hours to assign an urgent proposal (K04)";
    "urgent.reply_days", "急办提案答复时限（日，K10）", "days to reply to an urgent proposal (K10)";
    "urgent.reference_copy_before_filing", "急办提案立案前可先送参阅件", "units may get an urgent proposal for reference before it is filed";
    "assignment.meeting_within_days", "会议提案闭幕后几日内交办（日，K04）", "days after the session to assign its proposals (K04)";
    "assignment.ordinary_limit", "平时提案交办时限（K04）", "assignment of ordinary proposals (K04)";
    "line_routing", "各系统单位对应的交办渠道（未列的按通例）", "assigning line of a system, where it is not the usual one";
    "return.window", "申请退回期限（K05）", "window to ask for the return of an assignment (K05)";
    "return.answer_limit", "退回申请答复时限（K06）", "answer to a request to return (K06)";
    "return.requires_suggested_unit", "退回须建议承办单位", "a return names the unit that should have the case";
    "return.late_means_accepted", "逾期未退回视为签收", "a lapsed window means accepted";
    "return.max_bounces", "退回几次后终局裁定", "returns granted before the arbitration is final";
    "contact.first_limit", "首次联系提案者时限（K07）", "first contact with the proposer (K07)";
    "contact.required_before_reply", "答复签发前须联系提案者", "no signature without a contact on record";
    "opinion.limit", "会办意见时限（K08）", "opinion of a co-handler (K08)";
    "opinion.required_before_sign", "签发前须有会办意见", "no signature without the opinions of the co-handlers";
    "countersign.required", "会办答复须会签", "co-handlers countersign replies";
    "countersign.limit", "会签时限（K09）", "countersignature (K09)";
    "countersign.lapse_means", "会签逾期视为", "what a lapsed request to countersign means";
    "reply.limit.session", "会议提案答复时限（K10）", "reply to session proposals (K10)";
    "reply.limit.ordinary", "平时提案答复时限（K10）", "reply to ordinary proposals (K10)";
    "reply.fixed_date", "答复截止日（固定日期）", "fixed last day of replies";
    "reply.party_priority_date", "党派提案答复截止日", "earlier last day for proposals of parties";
    "reply.key_fixed_date", "重点提案答复截止日", "fixed last day for key proposals";
    "reply.review_required", "答复送达前须审核", "replies are reviewed before delivery";
    "reply.review_limit", "答复审核时限（K11）", "review of a reply (K11)";
    "reply.reviewer_may_change_outcome", "审核可调整办理结果", "the reviewer may change the outcome, with a reason";
    "reply.key_signed_by_head", "重点提案答复由主要负责人签发", "the unit's head signs replies to key proposals";
    "extension.max_months_total", "延期和中止合计不超过自交办起几个月（I25）", "extensions and pauses end so many months after the start at the latest (I25)";
    "extension.approver", "延期由谁批准", "who decides on extensions";
    "pause.max_days_total", "中止合计最多天数", "days of pause in all";
    "outcome.scheme", "办理结果对应的类别字母", "the letter of each outcome";
    "outcome.promise_required_for", "须有限期承诺的办理结果", "outcomes that need dated promises";
    "feedback.window", "反馈时限（K12）", "feedback of the proposers (K12)";
    "feedback.raters", "由谁评价", "who rates";
    "feedback.scale_attitude", "办理态度评价等次", "grades offered for the handling";
    "feedback.scale_result", "办理结果评价等次", "grades offered for the result";
    "feedback.lapsed_counts_as", "逾期未反馈计为", "what silence counts as";
    "rehandling.trigger", "触发重办的等次", "grades on either axis that cause a further round";
    "rehandling.limit", "重办答复时限（K10）", "reply in a further round (K10)";
    "rehandling.max_rounds", "重办次数（之后当面协商）", "further rounds before the face-to-face meeting";
    "tracking.required_for", "须跟踪落实的办理结果", "outcomes tracked from delivery on";
    "tracking.look_back_date", "回头看报告日期（K16）", "day of the look-back (K16)";
    "close.consultation_required_for", "办结须有协商记录的提案", "cases that close only with a consultation on record";
    "publication.catalogue_within", "目录公开时限（K17）", "publication of the catalogue entry (K17)";
    "publication.reply_within", "答复公开时限（K18）", "publication of the reply (K18)";
    "publication.default_level", "默认公开方式", "level of publication proposed";
    "number.separate_series", "平时提案单独编号", "ordinary proposals have case numbers of their own";
    "key.quota_by_tier", "各层级重点提案年度名额（未列的不限）", "cases of each tier of the programme in a year; none without a number";
    "key.share_percent", "重点提案占立案数（%）", "key proposals, per cent of those filed";
    "excellent.share_percent", "优秀提案占立案数（%）", "excellent proposals, per cent of those filed";
    "excellent.collective_min_percent", "优秀提案中集体提案至少（%）", "collective ones among the excellent, per cent at least";
    "performance.year_start", "委员履职年度起始日", "first day of a year of the members' performance";
    "unit_report.due", "承办单位年度报告日期", "day of the units' yearly report";
    "opinion_report.max_chars", "社情民意信息最多字数", "longest public-opinion report in characters";
    "clue.chars", "提案线索字数", "length of a clue in characters";
    "reminder.steps_working_days", "到期前几个工作日提醒（由多到少；当日和逾期另行提醒）", "working days before a due date on which reminders go out, the most first (one on the day and one when it has passed come beside)";
}

/// Keys that can be set and that nothing reads so far: what they steer is not there yet. A test
/// keeps this list in step with the program.
pub const NOT_READ: &[&str] = &[
    "publication.default_level",
    "key.share_percent",
    "excellent.share_percent",
    "excellent.collective_min_percent",
    "performance.year_start",
    "unit_report.due",
    "opinion_report.max_chars",
    "clue.chars",
];

/// The keys of the reference that a profile does not have, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    (
        "session.deadline_at, session.ends_on, session.examination_until",
        "They stand on the record of each session (`/api/v1/sessions`).",
    ),
    (
        "class.scheme, supervision.chain, appraisal.unit_formula, appraisal.proposal_indicators, performance.rule_set",
        "What they would steer does not exist yet: other schemes of classes, chains of supervision, formulas of appraisal and performance.",
    ),
];

impl Profile {
    /// The settings as JSON: key and value.
    pub fn settings(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(settings)) => settings,
            _ => Map::new(),
        }
    }

    /// A stored profile. A key that did not exist when it was stored has its default.
    pub fn of_stored(version: i32, settings: Value) -> Result<Self, serde_json::Error> {
        let mut complete = Self::default().settings();
        if let Value::Object(stored) = settings {
            complete.extend(stored);
        }
        let profile: Self = serde_json::from_value(Value::Object(complete))?;
        Ok(Self { version, ..profile })
    }
}

/// A key whose value differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The key.
    pub key: Key,
    /// Value in the one; `None` where it has none.
    pub from: Option<Value>,
    /// Value in the other.
    pub to: Option<Value>,
}

/// What differs between two profiles, in the order of the keys.
pub fn differences(from: &Profile, to: &Profile) -> Vec<Difference> {
    let (mut from, mut to) = (from.settings(), to.settings());
    KEYS.iter()
        .map(|key| Difference {
            key: *key,
            from: from.remove(key.name),
            to: to.remove(key.name),
        })
        .filter(|difference| difference.from != difference.to)
        .collect()
}
