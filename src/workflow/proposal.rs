//! The proposal machine: its statuses, actions and table. The effects stand in
//! `authoring.rs`, `examination.rs` and `conclusion.rs`.

use super::authoring as a;
use super::conclusion as c;
use super::examination as e;
use super::guard as g;
use super::rule::{Action, Rule, State, To, Who, is_unambiguous};
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
        who: &[Who::Invitee],
        guards: &[&g::INVITATION_OPEN, &g::NOT_ITS_EXAMINER],
        effect: a::consent,
        event: "cosign.consented",
    },
    Rule {
        id: "PT05",
        action: action(Do::DeclineCosign),
        from: &[DRAFT, SUBMITTED, RETURNED],
        to: To::Stay,
        who: &[Who::Invitee],
        guards: &[&g::INVITATION_OPEN],
        effect: a::decline,
        event: "cosign.declined",
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
        guards: &[&g::NOT_YET_EXAMINED],
        effect: a::recall,
        event: "proposal.recalled",
    },
    Rule {
        id: "PT09",
        action: action(Do::Withdraw),
        from: &[DRAFT, SUBMITTED, RETURNED],
        to: To::State(State::Proposal(S::Withdrawn)),
        who: PROPOSER,
        guards: &[],
        effect: a::withdraw,
        event: "proposal.withdrawn",
    },
    Rule {
        id: "PT13",
        action: action(Do::ReturnForRevision),
        from: &[SUBMITTED],
        to: To::State(RETURNED),
        who: &[Who::Examiner, Who::Staff, Who::Chair],
        guards: &[&g::NOT_A_SIGNER],
        effect: e::return_for_revision,
        event: "proposal.returned",
    },
    Rule {
        id: "PT14",
        action: action(Do::Examine),
        from: &[SUBMITTED],
        to: To::Stay,
        who: &[Who::Examiner],
        guards: &[&g::NOT_A_SIGNER, &g::STAGE_DUE, &g::OTHER_EXAMINER],
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
        to: To::State(State::Proposal(S::NotFiled)),
        who: &[Who::Chair],
        guards: &[&g::NOT_A_SIGNER, &g::REVISION_LAPSED],
        effect: e::not_file,
        event: "proposal.not_filed",
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
        who: &[Who::RatingMember, Who::ProposingClerk, Who::Staff],
        guards: &[&g::NOT_YET_RATED],
        effect: c::give_feedback,
        event: "feedback.given",
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
        id: "PT25",
        action: action(Do::Close),
        from: &[FEEDBACK],
        to: To::State(State::Proposal(S::Closed)),
        who: &[Who::Staff, Who::Chair],
        guards: &[&g::NOT_A_SIGNER, &g::PROMISES_TRACKED],
        effect: c::close,
        event: "proposal.closed",
    },
];

const _: () = assert!(
    is_unambiguous(RULES),
    "two rows of one action start from the same status"
);
