//! The proposal machine: its statuses, actions and table. The effects stand in
//! `authoring.rs`, `examination.rs`, `merging.rs`, `withdrawal.rs`, `units.rs`, `rounds.rs` and
//! `conclusion.rs`. Rows with a letter behind the number belong to the row of that number; OT rows
//! are the orthogonal ones, which never change the status (I37).

use super::authoring as a;
use super::conclusion as c;
use super::examination as e;
use super::follow_up as f;
use super::guard as g;
use super::merging as m;
use super::programme as k;
use super::rounds as r;
use super::rule::{Action, Rule, State, To, Who, is_unambiguous};
use super::units as u;
use super::urgency as y;
use super::withdrawal as w;
use crate::code_list;

code_list! {
    /// Statuses of a proposal.
    pub enum ProposalStatus {
        Draft = "draft", "草稿", "draft";
        Submitted = "submitted", "已提交(审查中)", "submitted, under examination";
        Returned = "returned", "退回修改", "returned for revision";
        Filed = "filed", "已立案", "filed";
        NotFiled = "not_filed", "不予立案", "not filed";
        Merged = "merged", "已并案", "merged";
        Withdrawn = "withdrawn", "已撤案", "withdrawn";
        Assigned = "assigned", "已交办(办理中)", "assigned, in handling";
        Handled = "handled", "已办复", "handled";
        Feedback = "feedback", "已反馈", "feedback received";
        Closed = "closed", "已办结", "closed";
    }
}

impl ProposalStatus {
    /// Statuses that nothing but an exception leaves (I36).
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::NotFiled | Self::Merged | Self::Withdrawn | Self::Closed
        )
    }
}

code_list! {
    /// Actions on a proposal.
    pub enum ProposalAction {
        Create = "create", "新建", "create";
        Edit = "edit", "修改", "edit";
        InviteCosigners = "invite_cosigners", "邀请联名", "invite co-signers";
        ConsentCosign = "consent_cosign", "同意联名", "consent to sign";
        DeclineCosign = "decline_cosign", "拒绝联名", "decline to sign";
        Submit = "submit", "提交", "submit";
        Recall = "recall", "撤回", "recall";
        Withdraw = "withdraw", "撤案", "withdraw";
        ReturnForRevision = "return_for_revision", "退回修改", "return for revision";
        Examine = "examine", "审查", "examine";
        File = "file", "立案", "file";
        NotFile = "not_file", "不予立案", "refuse to file";
        Assign = "assign", "交办", "assign";
        CompleteHandling = "complete_handling", "办复", "complete handling";
        GiveFeedback = "give_feedback", "反馈", "give feedback";
        ConcludeFeedback = "conclude_feedback", "反馈完成", "conclude feedback";
        Close = "close", "办结", "close";
        Second = "second", "附议", "second";
        ExpireInvitations = "expire_invitations", "联名邀请过期", "let invitations run out";
        ApproveWithdrawal = "approve_withdrawal", "同意撤案", "approve the withdrawal";
        RejectWithdrawal = "reject_withdrawal", "不同意撤案", "reject the withdrawal";
        CarryOutDisposition = "carry_out_disposition", "办理处置", "carry out the disposition";
        Merge = "merge", "并案", "merge";
        Unmerge = "unmerge", "撤销并案", "unmerge";
        AdjustUnits = "adjust_units", "调整承办单位", "adjust the units";
        CorrectFeedback = "correct_feedback", "更正反馈", "correct feedback";
        ExcuseRater = "excuse_rater", "免予反馈", "excuse a rater";
        Rehandle = "rehandle", "重新办理", "handle again";
        WaiveRehandling = "waive_rehandling", "放弃重办", "give up re-handling";
        RecordConsultation = "record_consultation", "登记协商", "record a consultation";
        ReviewPublication = "review_publication", "公开审核", "review the publication";
        Reopen = "reopen", "再办", "reopen";
        SetSecrecy = "set_secrecy", "设定密级", "set the secrecy";
        Archive = "archive", "归档", "archive";
        LinkCases = "link_cases", "关联提案", "link cases";
        RequestUrgency = "request_urgency", "申请急办", "ask for the urgent lane";
        MarkUrgent = "mark_urgent", "列为急办", "mark as urgent";
        RefuseUrgency = "refuse_urgency", "不列为急办", "refuse the urgent lane";
        DowngradeUrgency = "downgrade_urgency", "转为普通", "downgrade from urgent";
        NominateKey = "nominate_key", "推荐重点提案", "nominate as key";
        DesignateKey = "designate_key", "确定重点提案", "designate as key";
        ReleaseKey = "release_key", "取消重点提案", "release from the programme";
        Publish = "publish", "公开", "publish";
        Unpublish = "unpublish", "撤下公开", "unpublish";
        StartTracking = "start_tracking", "列入跟踪办理", "start tracking";
        ReportProgress = "report_progress", "报告进展", "report progress";
        FulfilPromise = "fulfil_promise", "确认承诺落实", "confirm that a promise was kept";
        StopTracking = "stop_tracking", "结束跟踪办理", "stop tracking";
        Supervise = "supervise", "督办", "supervise";
        Urge = "urge", "催办", "urge";
        AcknowledgeUrging = "acknowledge_urging", "答复催办", "answer an urging";
        Instruct = "instruct", "批示", "instruct";
        AnswerInstruction = "answer_instruction", "反馈批示办理情况", "give feedback on an instruction";
        RecordLookBack = "record_look_back", "登记回头看", "record a look-back";
        RecountClock = "recount_clock", "按新日历重算期限", "count a clock anew on a new calendar";
        OpenLookBack = "open_look_back", "启动回头看", "open the yearly look-back";
    }
}

use ProposalAction as Do;
use ProposalStatus as S;

const fn action(action: ProposalAction) -> Action {
    Action::Proposal(action)
}

const DRAFT: State = State::Proposal(S::Draft);
const SUBMITTED: State = State::Proposal(S::Submitted);
const RETURNED: State = State::Proposal(S::Returned);
const FILED: State = State::Proposal(S::Filed);
const ASSIGNED: State = State::Proposal(S::Assigned);
const HANDLED: State = State::Proposal(S::Handled);
const FEEDBACK: State = State::Proposal(S::Feedback);
const CLOSED: State = State::Proposal(S::Closed);
const NOT_FILED: State = State::Proposal(S::NotFiled);
const MERGED: State = State::Proposal(S::Merged);
const WITHDRAWN: State = State::Proposal(S::Withdrawn);

/// A filed case, to its end.
const FILED_TO_CLOSED: &[State] = &[FILED, ASSIGNED, HANDLED, FEEDBACK, CLOSED];

/// Whatever the status.
const ANY: &[State] = &[
    DRAFT, SUBMITTED, RETURNED, FILED, NOT_FILED, MERGED, WITHDRAWN, ASSIGNED, HANDLED, FEEDBACK,
    CLOSED,
];

/// The first proposer, or who stands in for it.
const PROPOSER: &[Who] = &[Who::FirstProposer, Who::ProposingClerk, Who::Proxy];

/// The table: one row per way in which a proposal can change.
pub const RULES: &[Rule] = &[
    Rule {
        id: "PT01",
        action: action(Do::Create),
        from: &[State::Start],
        to: To::State(DRAFT),
        who: &[Who::AnyMember, Who::AnyClerk, Who::Staff],
        guards: &[],
        effect: a::create,
        event: "proposal.created",
    },
    Rule {
        id: "PT02",
        action: action(Do::Edit),
        from: &[DRAFT, RETURNED],
        to: To::Stay,
        who: PROPOSER,
        guards: &[],
        effect: a::edit,
        event: "proposal.edited",
    },
    Rule {
        id: "PT03",
        action: action(Do::InviteCosigners),
        from: &[DRAFT, RETURNED],
        to: To::Stay,
        who: PROPOSER,
        guards: &[&g::IS_JOINT],
        effect: a::invite,
        event: "cosign.invited",
    },
    Rule {
        id: "PT04",
        action: action(Do::ConsentCosign),
        from: &[DRAFT, SUBMITTED, RETURNED],
        to: To::Stay,
        who: &[Who::Invitee, Who::InvitedClerk],
        guards: &[&g::INVITATION_OPEN, &g::NOT_ITS_EXAMINER, &g::NOT_SECRET],
        effect: a::consent,
        event: "cosign.consented",
    },
    Rule {
        id: "PT05",
        action: action(Do::DeclineCosign),
        from: &[DRAFT, SUBMITTED, RETURNED],
        to: To::Stay,
        who: &[Who::Invitee, Who::InvitedClerk],
        guards: &[&g::INVITATION_OPEN, &g::NOT_SECRET],
        effect: a::decline,
        event: "cosign.declined",
    },
    Rule {
        id: "PT04b",
        action: action(Do::Second),
        from: &[DRAFT, SUBMITTED, RETURNED],
        to: To::Stay,
        who: &[Who::AnyMember],
        guards: &[
            &g::OPEN_FOR_SECONDING,
            &g::NOT_YET_SIGNED,
            &g::NOT_ITS_EXAMINER,
            &g::NOT_SECRET,
        ],
        effect: a::second,
        event: "proposal.seconded",
    },
    Rule {
        id: "PT05b",
        action: action(Do::ExpireInvitations),
        from: &[DRAFT, SUBMITTED, RETURNED],
        to: To::Stay,
        who: &[Who::System],
        guards: &[&g::INVITATION_LAPSED],
        effect: a::expire,
        event: "cosign.expired",
    },
    Rule {
        id: "PT06",
        action: action(Do::Submit),
        from: &[DRAFT],
        to: To::State(SUBMITTED),
        who: PROPOSER,
        guards: &[
            &g::TEXT_COMPLETE,
            &g::TEXT_WITHIN_LIMITS,
            &g::PUBLICATION_DECIDED,
            &g::NO_SECRET_DECLARED,
            &g::JOINT_HAS_COSIGNERS,
            &g::COLLECTIVE_EVIDENCE,
            &g::CONVENER_IN_WINDOW,
        ],
        effect: a::submit,
        event: "proposal.submitted",
    },
    Rule {
        id: "PT07",
        action: action(Do::Submit),
        from: &[RETURNED],
        to: To::State(SUBMITTED),
        who: PROPOSER,
        guards: &[
            &g::CHANGED_SINCE_RETURN,
            &g::TEXT_COMPLETE,
            &g::TEXT_WITHIN_LIMITS,
            &g::PUBLICATION_DECIDED,
            &g::NO_SECRET_DECLARED,
            &g::JOINT_HAS_COSIGNERS,
            &g::COLLECTIVE_EVIDENCE,
            &g::CONVENER_IN_WINDOW,
        ],
        effect: a::submit,
        event: "proposal.resubmitted",
    },
    Rule {
        id: "PT08",
        action: action(Do::Recall),
        from: &[SUBMITTED],
        to: To::State(DRAFT),
        who: PROPOSER,
        guards: &[&g::NOT_YET_EXAMINED, &g::NOT_A_MAIN, &g::NOT_SECRET],
        effect: a::recall,
        event: "proposal.recalled",
    },
    Rule {
        id: "PT09",
        action: action(Do::Withdraw),
        from: &[DRAFT, SUBMITTED, RETURNED],
        to: To::State(WITHDRAWN),
        who: PROPOSER,
        guards: &[&g::NOT_A_MAIN, &g::NOT_SECRET],
        effect: a::withdraw,
        event: "proposal.withdrawn",
    },
    Rule {
        id: "PT10",
        action: action(Do::Withdraw),
        from: &[FILED, ASSIGNED],
        to: To::Stay,
        who: &[Who::FirstProposer, Who::ProposingClerk],
        guards: &[
            &g::NO_REPLY_DELIVERED,
            &g::NO_OPEN_WITHDRAWAL,
            &g::NOT_A_MAIN,
        ],
        effect: w::request,
        event: "withdrawal.requested",
    },
    Rule {
        id: "PT11",
        action: action(Do::ApproveWithdrawal),
        from: &[FILED, ASSIGNED],
        to: To::State(WITHDRAWN),
        who: &[Who::Chair],
        guards: &[
            &g::NOT_A_SIGNER,
            &g::WITHDRAWAL_OPEN,
            &g::NO_REPLY_DELIVERED,
            &g::NOT_A_MAIN,
        ],
        effect: w::approve,
        event: "proposal.withdrawn",
    },
    Rule {
        id: "PT12",
        action: action(Do::RejectWithdrawal),
        from: &[FILED, ASSIGNED],
        to: To::Stay,
        who: &[Who::Chair],
        guards: &[&g::NOT_A_SIGNER, &g::WITHDRAWAL_OPEN],
        effect: w::reject,
        event: "withdrawal.rejected",
    },
    Rule {
        id: "PT13",
        action: action(Do::ReturnForRevision),
        from: &[SUBMITTED],
        to: To::State(RETURNED),
        who: &[Who::Examiner, Who::Staff, Who::Chair],
        guards: &[&g::NOT_A_SIGNER, &g::NOT_A_MAIN, &g::NOT_SECRET],
        effect: e::return_for_revision,
        event: "proposal.returned",
    },
    Rule {
        id: "PT14",
        action: action(Do::Examine),
        from: &[SUBMITTED],
        to: To::Stay,
        who: &[Who::Examiner],
        guards: &[
            &g::NOT_A_SIGNER,
            &g::STAGE_DUE,
            &g::OTHER_EXAMINER,
            &g::NOT_SECRET,
        ],
        effect: e::examine,
        event: "examination.recorded",
    },
    Rule {
        id: "PT15",
        action: action(Do::File),
        from: &[SUBMITTED],
        to: To::State(FILED),
        who: &[Who::Chair],
        guards: &[&g::NOT_A_SIGNER, &g::STAGES_RECORDED, &g::NOT_SECRET],
        effect: e::file,
        event: "proposal.filed",
    },
    Rule {
        id: "PT16",
        action: action(Do::NotFile),
        from: &[SUBMITTED, RETURNED],
        to: To::State(NOT_FILED),
        who: &[Who::Chair],
        guards: &[&g::NOT_A_SIGNER, &g::REVISION_LAPSED, &g::NOT_A_MAIN],
        effect: e::not_file,
        event: "proposal.not_filed",
    },
    Rule {
        id: "PT16b",
        action: action(Do::CarryOutDisposition),
        from: &[NOT_FILED],
        to: To::Stay,
        who: &[Who::Staff],
        guards: &[&g::DISPOSITION_OPEN],
        effect: e::carry_out_disposition,
        event: "disposition.carried_out",
    },
    Rule {
        id: "PT17",
        action: action(Do::Merge),
        from: &[SUBMITTED, FILED],
        to: To::State(MERGED),
        who: &[Who::Chair],
        guards: &[
            &g::NOT_A_SIGNER,
            &g::HAS_ABSORBED_NONE,
            &g::NO_OPEN_WITHDRAWAL,
            &g::NOT_SECRET,
        ],
        effect: m::merge,
        event: "proposal.merged",
    },
    Rule {
        id: "PT18",
        action: action(Do::Unmerge),
        from: &[MERGED],
        to: To::Stay,
        who: &[Who::Chair],
        guards: &[&g::NOT_A_SIGNER, &g::MAIN_NOT_ANSWERED],
        effect: m::unmerge,
        event: "proposal.unmerged",
    },
    Rule {
        id: "PT19",
        action: action(Do::Assign),
        from: &[FILED],
        to: To::State(ASSIGNED),
        who: &[Who::LineOfficer],
        guards: &[&g::NOT_A_SIGNER],
        effect: e::assign,
        event: "proposal.assigned",
    },
    Rule {
        id: "PT20",
        action: action(Do::AdjustUnits),
        from: &[ASSIGNED],
        to: To::Stay,
        who: &[Who::LineOfficer],
        guards: &[&g::NOT_A_SIGNER],
        effect: u::adjust,
        event: "units.adjusted",
    },
    Rule {
        id: "PT21",
        action: action(Do::CompleteHandling),
        from: &[ASSIGNED],
        to: To::State(HANDLED),
        who: &[Who::System],
        guards: &[&g::ALL_DELIVERED],
        effect: c::complete_handling,
        event: "proposal.handled",
    },
    Rule {
        id: "PT22",
        action: action(Do::GiveFeedback),
        from: &[HANDLED, FEEDBACK],
        to: To::Stay,
        who: &[Who::RatingMember, Who::RatingClerk, Who::Staff],
        guards: &[&g::NOT_YET_RATED],
        effect: c::give_feedback,
        event: "feedback.given",
    },
    Rule {
        id: "PT22b",
        action: action(Do::CorrectFeedback),
        from: &[HANDLED, FEEDBACK],
        to: To::Stay,
        who: &[Who::RatingMember, Who::RatingClerk, Who::Staff],
        guards: &[&g::HAS_RATED],
        effect: c::correct_feedback,
        event: "feedback.corrected",
    },
    Rule {
        id: "PT22c",
        action: action(Do::ExcuseRater),
        from: &[HANDLED],
        to: To::Stay,
        who: &[Who::Staff],
        guards: &[],
        effect: c::excuse_rater,
        event: "rater.excused",
    },
    Rule {
        id: "PT23",
        action: action(Do::ConcludeFeedback),
        from: &[HANDLED],
        to: To::State(FEEDBACK),
        who: &[Who::System],
        guards: &[&g::ALL_RATED],
        effect: c::conclude_feedback,
        event: "feedback.concluded",
    },
    Rule {
        id: "PT24",
        action: action(Do::Rehandle),
        from: &[FEEDBACK],
        to: To::State(ASSIGNED),
        who: &[Who::Chair, Who::LineOfficer],
        guards: &[&g::NOT_A_SIGNER, &g::ROUNDS_LEFT],
        effect: r::rehandle,
        event: "proposal.rehandling",
    },
    Rule {
        id: "PT24b",
        action: action(Do::WaiveRehandling),
        from: &[FEEDBACK],
        to: To::Stay,
        who: &[Who::RatingMember, Who::RatingClerk, Who::Staff],
        guards: &[&g::COMPLAINT_OPEN],
        effect: r::waive,
        event: "rehandling.waived",
    },
    Rule {
        id: "PT25",
        action: action(Do::Close),
        from: &[FEEDBACK],
        to: To::State(CLOSED),
        who: &[Who::Staff, Who::Chair],
        guards: &[
            &g::NOT_A_SIGNER,
            &g::ALL_DELIVERED,
            &g::NO_REHANDLING_DUE,
            &g::PROMISES_TRACKED,
            &g::CONSULTATION_RECORDED,
            &g::NOTHING_OPEN,
            &g::INSTRUCTIONS_ANSWERED,
        ],
        effect: c::close,
        event: "proposal.closed",
    },
    Rule {
        id: "PT26",
        action: action(Do::Reopen),
        from: &[CLOSED],
        to: To::State(FEEDBACK),
        who: &[Who::Chair],
        guards: &[&g::NOT_A_SIGNER],
        effect: r::reopen,
        event: "proposal.reopened",
    },
    Rule {
        id: "OT01",
        action: action(Do::RecordConsultation),
        from: FILED_TO_CLOSED,
        to: To::Stay,
        who: &[Who::Staff, Who::LineOfficer, Who::Supervision],
        guards: &[],
        effect: r::record_consultation,
        event: "consultation.recorded",
    },
    Rule {
        id: "OT02",
        action: action(Do::ReviewPublication),
        from: &[FILED, ASSIGNED, HANDLED, FEEDBACK, CLOSED, MERGED],
        to: To::Stay,
        who: &[Who::Staff],
        guards: &[],
        effect: c::review_publication,
        event: "publication.reviewed",
    },
    Rule {
        id: "OT03",
        action: action(Do::SetSecrecy),
        from: ANY,
        to: To::Stay,
        who: &[Who::Staff, Who::Chair],
        guards: &[&g::NOT_A_SIGNER, &g::NOT_SECRET],
        effect: r::set_secrecy,
        event: "secrecy.set",
    },
    Rule {
        id: "OT04",
        action: action(Do::Archive),
        from: &[NOT_FILED, MERGED, WITHDRAWN, CLOSED],
        to: To::Stay,
        who: &[Who::Staff],
        guards: &[&g::NOTHING_OWED, &g::NOT_ARCHIVED],
        effect: r::archive,
        event: "proposal.archived",
    },
    Rule {
        id: "OT05",
        action: action(Do::LinkCases),
        from: &[
            SUBMITTED, FILED, ASSIGNED, HANDLED, FEEDBACK, CLOSED, NOT_FILED, MERGED,
        ],
        to: To::Stay,
        who: &[Who::Staff, Who::Chair, Who::LineOfficer],
        guards: &[&g::NOT_SECRET],
        effect: m::link,
        event: "proposal.linked",
    },
    Rule {
        id: "OT06",
        action: action(Do::RequestUrgency),
        from: &[SUBMITTED, FILED, ASSIGNED],
        to: To::Stay,
        who: &[
            Who::FirstProposer,
            Who::ProposingClerk,
            Who::Staff,
            Who::LineOfficer,
        ],
        guards: &[&g::NOT_URGENT, &g::NO_OPEN_URGENCY, &g::NOT_SECRET],
        effect: y::request,
        event: "urgency.requested",
    },
    Rule {
        id: "OT07",
        action: action(Do::MarkUrgent),
        from: &[SUBMITTED, FILED, ASSIGNED],
        to: To::Stay,
        who: &[Who::Chair],
        guards: &[&g::NOT_A_SIGNER, &g::NOT_URGENT, &g::NOT_SECRET],
        effect: y::mark,
        event: "proposal.urgent",
    },
    Rule {
        id: "OT08",
        action: action(Do::RefuseUrgency),
        from: &[SUBMITTED, FILED, ASSIGNED],
        to: To::Stay,
        who: &[Who::Chair],
        guards: &[&g::NOT_A_SIGNER, &g::URGENCY_REQUESTED, &g::NOT_SECRET],
        effect: y::refuse,
        event: "urgency.refused",
    },
    Rule {
        id: "OT09",
        action: action(Do::DowngradeUrgency),
        from: &[SUBMITTED, FILED, ASSIGNED],
        to: To::Stay,
        who: &[Who::Chair],
        guards: &[&g::NOT_A_SIGNER, &g::IS_URGENT, &g::NOT_SECRET],
        effect: y::downgrade,
        event: "urgency.downgraded",
    },
    Rule {
        id: "OT10",
        action: action(Do::NominateKey),
        from: FILED_TO_CLOSED,
        to: To::Stay,
        who: &[
            Who::ProposingClerk,
            Who::Staff,
            Who::Supervision,
            Who::Leader,
            Who::CaseUnitClerk,
        ],
        guards: &[&g::NO_OPEN_NOMINATION, &g::KEY_OPEN],
        effect: k::nominate,
        event: "key.nominated",
    },
    Rule {
        id: "OT11",
        action: action(Do::DesignateKey),
        from: FILED_TO_CLOSED,
        to: To::Stay,
        who: &[Who::Chair],
        guards: &[&g::KEY_OPEN],
        effect: k::designate,
        event: "proposal.key",
    },
    Rule {
        id: "OT12",
        action: action(Do::ReleaseKey),
        from: FILED_TO_CLOSED,
        to: To::Stay,
        who: &[Who::Chair],
        guards: &[&g::IN_PROGRAMME],
        effect: k::release,
        event: "key.released",
    },
    Rule {
        id: "OT13",
        action: action(Do::Publish),
        from: &[FILED, ASSIGNED, HANDLED, FEEDBACK, CLOSED, MERGED],
        to: To::Stay,
        who: &[Who::Staff],
        guards: &[&g::CASE_OPEN, &g::PUBLICATION_REVIEWED],
        effect: k::publish,
        event: "publication.published",
    },
    Rule {
        id: "OT14",
        action: action(Do::Unpublish),
        from: &[FILED, ASSIGNED, HANDLED, FEEDBACK, CLOSED, MERGED],
        to: To::Stay,
        who: &[Who::Staff],
        guards: &[&g::PUBLISHED],
        effect: k::unpublish,
        event: "publication.withdrawn",
    },
    Rule {
        id: "OT20",
        action: action(Do::StartTracking),
        from: FILED_TO_CLOSED,
        to: To::Stay,
        who: &[Who::Chair],
        guards: &[&g::NOT_A_SIGNER, &g::NOT_TRACKED],
        effect: f::start_tracking,
        event: "tracking.started",
    },
    Rule {
        id: "OT21",
        action: action(Do::ReportProgress),
        from: FILED_TO_CLOSED,
        to: To::Stay,
        who: &[Who::CaseUnitClerk],
        guards: &[&g::TRACKED],
        effect: f::report_progress,
        event: "tracking.progress",
    },
    Rule {
        id: "OT22",
        action: action(Do::FulfilPromise),
        from: FILED_TO_CLOSED,
        to: To::Stay,
        who: &[Who::Supervision, Who::Staff],
        guards: &[&g::PROMISE_OPEN],
        effect: f::fulfil_promise,
        event: "promise.fulfilled",
    },
    Rule {
        id: "OT23",
        action: action(Do::StopTracking),
        from: FILED_TO_CLOSED,
        to: To::Stay,
        who: &[Who::Chair],
        guards: &[&g::NOT_A_SIGNER, &g::TRACKED],
        effect: f::stop_tracking,
        event: "tracking.stopped",
    },
    Rule {
        id: "OT24",
        action: action(Do::Supervise),
        from: FILED_TO_CLOSED,
        to: To::Stay,
        who: &[Who::Supervision, Who::Staff, Who::Leader],
        guards: &[],
        effect: f::supervise,
        event: "supervision.recorded",
    },
    Rule {
        id: "OT25",
        action: action(Do::Urge),
        from: &[ASSIGNED, HANDLED, FEEDBACK, CLOSED],
        to: To::Stay,
        who: &[Who::LineOfficer, Who::Supervision, Who::Staff],
        guards: &[&g::TRACKED_IF_CLOSED, &g::SOMETHING_OWED],
        effect: f::urge,
        event: "urged",
    },
    Rule {
        id: "OT26",
        action: action(Do::AcknowledgeUrging),
        from: FILED_TO_CLOSED,
        to: To::Stay,
        who: &[Who::AddressedClerk, Who::RatingMember, Who::RatingClerk],
        guards: &[&g::URGED],
        effect: f::acknowledge_urging,
        event: "urging.answered",
    },
    Rule {
        id: "OT27",
        action: action(Do::Instruct),
        from: &[SUBMITTED, FILED, ASSIGNED, HANDLED, FEEDBACK, CLOSED],
        to: To::Stay,
        who: &[Who::Leader, Who::Staff],
        guards: &[&g::NOT_SECRET],
        effect: f::instruct,
        event: "instructed",
    },
    Rule {
        id: "OT28",
        action: action(Do::AnswerInstruction),
        from: &[
            DRAFT, SUBMITTED, RETURNED, FILED, NOT_FILED, MERGED, WITHDRAWN, ASSIGNED, HANDLED,
            FEEDBACK, CLOSED,
        ],
        to: To::Stay,
        who: &[Who::AddressedClerk],
        guards: &[&g::INSTRUCTED, &g::NOT_SECRET],
        effect: f::answer_instruction,
        event: "instruction.answered",
    },
    Rule {
        id: "OT29",
        action: action(Do::RecordLookBack),
        from: FILED_TO_CLOSED,
        to: To::Stay,
        who: &[Who::Supervision, Who::Staff],
        guards: &[&g::LOOK_BACK_DUE],
        effect: f::record_look_back,
        event: "look_back.recorded",
    },
    Rule {
        id: "OT30",
        action: action(Do::RecountClock),
        from: ANY,
        to: To::Stay,
        who: &[Who::System],
        guards: &[&g::PART],
        effect: super::units::part,
        event: "clock.recounted",
    },
    Rule {
        id: "OT31",
        action: action(Do::OpenLookBack),
        from: FILED_TO_CLOSED,
        to: To::Stay,
        who: &[Who::System],
        guards: &[&g::LOOK_BACK_OPENS],
        effect: f::open_look_back,
        event: "look_back.opened",
    },
];

const _: () = assert!(
    is_unambiguous(RULES),
    "two rows of one action start from the same status"
);
