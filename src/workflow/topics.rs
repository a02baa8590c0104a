//! What people are told about: every event that somebody is told of, and the reminders, with the
//! words in both languages and the group in which a reader chooses how to be told.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::codes::ClockKind;
use crate::code_list;
use crate::codes::Label;

code_list! {
    /// What a message is about; readers choose for each group how they are told by e-mail.
    pub enum Group {
        Invitation = "invitation", "联名邀请", "invitations to sign";
        Decision = "decision", "审查立案与决定", "examination and decisions";
        Assignment = "assignment", "交办与承办单位", "assignment and units";
        Handling = "handling", "办理过程", "handling";
        Answer = "answer", "答复与反馈", "replies and feedback";
        Urging = "urging", "催办与批示", "urgings and instructions";
        Tracking = "tracking", "跟踪与督办", "tracking and supervision";
        Reminder = "reminder", "期限提醒", "reminders of due dates";
    }
}

code_list! {
    /// How a reader is told by e-mail.
    pub enum Delivery {
        Immediate = "immediate", "即时发送", "at once";
        Digest = "digest", "每日汇总", "in the daily digest";
        Off = "off", "不发送", "not at all";
    }
}

impl Group {
    /// How a reader is told who has not chosen: decisions and what waits for an answer at once,
    /// the daily business of units in one mail a day.
    pub const fn usual(self) -> Delivery {
        match self {
            Self::Invitation | Self::Decision | Self::Answer | Self::Urging => Delivery::Immediate,
            Self::Assignment | Self::Handling | Self::Tracking | Self::Reminder => Delivery::Digest,
        }
    }
}

/// An event, or a reminder, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// Name of the event, or of the reminder.
    pub name: &'static str,
    /// The group it belongs to.
    pub group: Group,
    /// What to call it.
    pub label: Label,
}

macro_rules! topics {
    ($($name:literal, $group:ident, $zh:literal, $en:literal;)+) => {
        /// Every topic.
        pub const TOPICS: &[Topic] = &[$(Topic {
            name: $name,
            group: Group::$group,
            label: Label { zh: $zh, en: $en },
        }),+];
    };
}

topics! {
    "proposal.created", Decision, "已代为录入提案草稿", "A draft was entered for you";
    "proposal.edited", Invitation, "正文已修改，请重新确认联名", "The text changed: please sign again";
    "cosign.invited", Invitation, "邀请您联名", "You are invited to sign";
    "cosign.consented", Invitation, "已同意联名", "A signature was given";
    "cosign.declined", Invitation, "谢绝联名", "An invitation was declined";
    "cosign.expired", Invitation, "联名邀请已过期", "An invitation has run out";
    "proposal.seconded", Invitation, "有委员附议", "A member joined the proposal";
    "proposal.submitted", Decision, "提案已提交", "A proposal was submitted";
    "proposal.resubmitted", Decision, "提案已修改并重新提交", "A proposal was submitted again";
    "proposal.recalled", Decision, "提案已撤回修改", "A proposal was recalled";
    "proposal.withdrawn", Decision, "提案已撤案", "A proposal was withdrawn";
    "withdrawal.requested", Decision, "申请撤案", "A withdrawal is asked for";
    "withdrawal.rejected", Decision, "撤案申请未获同意", "A withdrawal was rejected";
    "proposal.returned", Decision, "提案退回修改", "A proposal came back for revision";
    "examination.recorded", Decision, "审查完毕，待决定立案与否", "The examination is complete";
    "proposal.filed", Decision, "提案已立案", "A proposal was filed";
    "proposal.not_filed", Decision, "提案不予立案", "A proposal was not filed";
    "disposition.carried_out", Decision, "未立案提案已作处置", "A refused proposal was passed on";
    "proposal.merged", Decision, "提案已并案", "Proposals were merged";
    "proposal.unmerged", Decision, "并案已撤销", "A merge was undone";
    "urgency.requested", Decision, "申请急办", "Urgent handling is asked for";
    "proposal.urgent", Decision, "提案列为急办", "A proposal is urgent";
    "urgency.refused", Decision, "急办申请未获同意", "Urgent handling was refused";
    "urgency.downgraded", Decision, "提案转为普通办理", "A proposal is no longer urgent";
    "key.nominated", Decision, "推荐为重点提案", "A proposal is nominated as key";
    "proposal.key", Decision, "确定为重点提案", "A proposal is a key proposal";
    "key.released", Decision, "不再列为重点提案", "A proposal left the programme";
    "referral.sent", Decision, "提案已转报转办", "A proposal was referred to another committee";
    "referral.answered", Decision, "转报转办已有答复", "A referral was answered";
    "referral.recalled", Decision, "转报转办已撤回", "A referral was called back";
    "proposal.closed", Decision, "提案已办结", "A case was closed";
    "proposal.reopened", Decision, "提案再办", "A case was reopened";
    "publication.published", Decision, "提案内容已公开", "A part of a case was published";
    "publication.withdrawn", Decision, "已撤下公开内容", "A publication was taken back";
    "proposal.assigned", Assignment, "提案已交办", "A proposal was assigned";
    "units.adjusted", Assignment, "承办单位已调整", "The handling units changed";
    "assignment.created", Assignment, "有新的承办任务，请签收", "A case for your unit: please accept it";
    "assignment.accepted", Assignment, "承办单位已签收", "A unit accepted its case";
    "units.suggested", Assignment, "建议增加承办单位", "A unit suggests further units";
    "suggestion.refused", Assignment, "单位建议未获采纳", "The suggestion of units was refused";
    "return.requested", Assignment, "承办单位申退", "A unit asks to return its case";
    "return.granted", Assignment, "同意退办", "A return was granted";
    "return.rejected", Assignment, "申退未获同意", "A return was rejected";
    "return.escalated", Assignment, "承办争议提请裁定", "A dispute about a return needs a decision";
    "assignment.deemed_accepted", Assignment, "逾期未退，视为签收", "A case counts as accepted";
    "assignment.voided", Assignment, "承办任务已取消", "The case was taken from your unit";
    "assignment.handed_over", Assignment, "承办任务已移交承继单位", "A case passed to the successor unit";
    "extension.requested", Assignment, "申请延期", "An extension is asked for";
    "extension.decided", Assignment, "延期申请已有决定", "An extension was decided on";
    "pause.requested", Assignment, "申请中止计时", "A pause is asked for";
    "pause.denied", Assignment, "中止申请未获同意", "A pause was denied";
    "clock.paused", Assignment, "办理期限已中止", "The clock of a case was paused";
    "clock.resumed", Assignment, "办理期限恢复计时", "The clock of a case goes on";
    "clock.recounted", Assignment, "按新日历重算了期限", "A due date was counted anew on a new calendar";
    "contact.recorded", Handling, "承办单位登记了沟通情况", "A unit recorded a contact with you";
    "contact.objected", Handling, "提案者对沟通记录提出异议", "A proposer objects to a contact record";
    "opinion.submitted", Handling, "会办意见已提交", "A co-handler gave its opinion";
    "opinion.missing", Handling, "会办意见逾期未提交", "The opinion of a co-handler is missing";
    "reply.edited", Handling, "答复稿已修改，会签撤回", "A reply changed: the countersigning is called back";
    "countersign.requested", Handling, "请会签答复稿", "Please countersign a reply";
    "countersign.given", Handling, "会办单位已会签", "A co-handler countersigned";
    "countersign.lapsed", Handling, "会签逾期", "The time to countersign has run out";
    "countersign.objected", Handling, "会办单位不同意答复稿", "A co-handler objects to the reply";
    "reply.coordinated", Handling, "会签争议已协调", "The dispute about a reply was decided";
    "reply.signed", Handling, "答复已签发，待审核", "A reply was signed and awaits review";
    "reply.approved", Handling, "答复审核通过", "A reply passed the review";
    "reply.rejected", Handling, "答复审核驳回", "A reply was sent back by the review";
    "reply.delivered", Answer, "答复已送达", "A reply was delivered";
    "proposal.handled", Answer, "提案已办复，请反馈意见", "All replies are in: please give feedback";
    "feedback.given", Answer, "收到反馈意见", "Feedback was given";
    "feedback.corrected", Answer, "反馈意见已更正", "Feedback was corrected";
    "feedback.concluded", Answer, "反馈意见已汇总", "The feedback is concluded";
    "proposal.rehandling", Answer, "提案重新办理", "A proposal is handled again";
    "rehandling.waived", Answer, "提案者放弃重办", "A proposer gave up re-handling";
    "urged", Urging, "收到催办通知", "You are urged";
    "urging.answered", Urging, "催办已有答复", "An urging was answered";
    "instructed", Urging, "收到领导批示", "There is an instruction of a leader";
    "instruction.answered", Urging, "批示已反馈办理情况", "An instruction was answered";
    "tracking.started", Tracking, "提案列入跟踪办理", "A case is tracked";
    "tracking.progress", Tracking, "承办单位报告进展", "A unit reported progress";
    "promise.fulfilled", Tracking, "承诺已落实", "A promise was kept";
    "tracking.stopped", Tracking, "跟踪办理结束", "The tracking of a case ended";
    "look_back.opened", Tracking, "应开展回头看", "A look-back is due this year";
    "supervision.recorded", Tracking, "有督办记录", "The handling was supervised";
    "reminder.ahead", Reminder, "期限将至", "A due date is near";
    "reminder.due", Reminder, "今日到期", "Due today";
    "reminder.overdue", Reminder, "已逾期", "Overdue";
}

/// Events that nobody is told of: what the case itself shows is enough, or another event of the
/// same act tells of it.
pub const QUIET: &[&str] = &[
    "rater.excused",
    "consultation.recorded",
    "publication.reviewed",
    "secrecy.set",
    "proposal.archived",
    "proposal.linked",
    "look_back.recorded",
    "assignment.replied",
    "reply.drafted",
    "reply.superseded",
];

/// The topic of a name.
pub fn topic(name: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| topic.name == name)
}

/// Events of which nobody on the handling side may learn before the conclusion, whatever other
/// roles an account holds (I20–I22).
pub fn hidden_from_handling_side(name: &str) -> bool {
    matches!(name, "feedback.given" | "feedback.corrected")
}

/// What a reminder says beside its topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// Which clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockKind>,
    /// Its last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<Date>,
    /// Working days left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_days_left: Option<u32>,
}

/// How a case is called; only for those who may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseName {
    /// 案由.
    pub title: String,
    /// 案号.
    pub case_no: Option<i32>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// In Simplified Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// What a message says of a case; without `case` nothing of what it is about.
pub fn headline(topic: &str, detail: &Detail, case: Option<&CaseName>) -> Headline {
    let label = self::topic(topic).map_or(
        Label {
            zh: "提案有新动态",
            en: "News of a proposal",
        },
        |topic| topic.label,
    );
    let (mut zh, mut en) = (label.zh.to_owned(), label.en.to_owned());
    if let (Some(clock), Some(due)) = (detail.clock, detail.due_on) {
        let clock = clock.label();
        let (left_zh, left_en) = match detail.working_days_left {
            Some(1) => (
                "，还有1个工作日".to_owned(),
                ", 1 working day left".to_owned(),
            ),
            Some(days) => (
                format!("，还有{days}个工作日"),
                format!(", {days} working days left"),
            ),
            None => (String::new(), String::new()),
        };
        zh = format!("{}{zh}（{due}{left_zh}）", clock.zh);
        en = format!("{en}: {} ({due}{left_en})", clock.en);
    }
    if let Some(case) = case {
        let (no_zh, no_en) = case.case_no.map_or_else(
            || (String::new(), String::new()),
            |number| (format!("第{number}号"), format!("no. {number}, ")),
        );
        zh = format!("{zh}：{no_zh}《{}》", case.title);
        en = format!("{en}: {no_en}{}", case.title);
    }
    Headline { zh, en }
}
