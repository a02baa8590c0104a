//! The form of the tables: one row per way in which something can change.

use super::assignment::{AssignmentAction, AssignmentStatus};
use super::decide::Step;
use super::guard::Guard;
use super::input::Input;
use super::proposal::{ProposalAction, ProposalStatus};
use super::refusal::Refusal;
use super::reply::{ReplyAction, ReplyStatus};
use super::role::Role;
use crate::code_list;
use crate::codes::Label;

code_list! {
    /// The three machines.
    pub enum Machine {
        Proposal = "proposal", "提案", "proposal";
        Assignment = "assignment", "承办", "assignment";
        Reply = "reply", "答复", "reply";
    }
}

impl Machine {
    /// Its statuses, in the order of the list.
    pub fn states(self) -> Vec<State> {
        match self {
            Self::Proposal => of_list(ProposalStatus::ALL, State::Proposal),
            Self::Assignment => of_list(AssignmentStatus::ALL, State::Assignment),
            Self::Reply => of_list(ReplyStatus::ALL, State::Reply),
        }
    }
}

fn of_list<T: Copy>(list: &[T], state: fn(T) -> State) -> Vec<State> {
    list.iter().copied().map(state).collect()
}

/// An action of any machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// On the proposal.
    Proposal(ProposalAction),
    /// On a unit's row.
    Assignment(AssignmentAction),
    /// On a reply.
    Reply(ReplyAction),
}

impl Action {
    /// Which machine it belongs to.
    pub const fn machine(self) -> Machine {
        match self {
            Self::Proposal(_) => Machine::Proposal,
            Self::Assignment(_) => Machine::Assignment,
            Self::Reply(_) => Machine::Reply,
        }
    }

    /// The binding identifier.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposal(action) => action.as_str(),
            Self::Assignment(action) => action.as_str(),
            Self::Reply(action) => action.as_str(),
        }
    }

    /// The labels.
    pub const fn label(self) -> Label {
        match self {
            Self::Proposal(action) => action.label(),
            Self::Assignment(action) => action.label(),
            Self::Reply(action) => action.label(),
        }
    }
}

/// A status of any machine; `Start` is "not there yet".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Before the thing exists.
    Start,
    /// Of the proposal.
    Proposal(ProposalStatus),
    /// Of a unit's row.
    Assignment(AssignmentStatus),
    /// Of a reply.
    Reply(ReplyStatus),
}

impl State {
    /// The binding identifier; empty for the start.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "",
            Self::Proposal(status) => status.as_str(),
            Self::Assignment(status) => status.as_str(),
            Self::Reply(status) => status.as_str(),
        }
    }

    /// The labels.
    pub const fn label(self) -> Label {
        match self {
            Self::Start => Label {
                zh: "未开始",
                en: "not there yet",
            },
            Self::Proposal(status) => status.label(),
            Self::Assignment(status) => status.label(),
            Self::Reply(status) => status.label(),
        }
    }

    /// Whether nothing but an exception leads on from here (I36).
    pub const fn is_final(self) -> bool {
        match self {
            Self::Start => false,
            Self::Proposal(status) => status.is_final(),
            Self::Assignment(status) => status.is_final(),
            Self::Reply(status) => status.is_final(),
        }
    }

    /// Equality that the compiler can use in assertions.
    pub const fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Start, Self::Start) => true,
            (Self::Proposal(a), Self::Proposal(b)) => a as u8 == b as u8,
            (Self::Assignment(a), Self::Assignment(b)) => a as u8 == b as u8,
            (Self::Reply(a), Self::Reply(b)) => a as u8 == b as u8,
            _ => false,
        }
    }
}

/// Where a row leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// The status stays.
    Stay,
    /// To this status.
    State(State),
}

/// Who may: a role, and what the holder must be to the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The member who is first proposer.
    FirstProposer,
    /// A member asked to sign.
    Invitee,
    /// The clerk of a collective asked to sign.
    InvitedClerk,
    /// A member who signed and may rate.
    RatingMember,
    /// The clerk of a collective that signed and may rate.
    RatingClerk,
    /// The clerk of the collective proposer.
    ProposingClerk,
    /// Staff, for a proposal entered from paper.
    Proxy,
    /// Any member of the present term, to make a proposal.
    AnyMember,
    /// Any organisation clerk, to make a proposal.
    AnyClerk,
    /// The committee's staff.
    Staff,
    /// An examiner.
    Examiner,
    /// The chair, who records what the meeting decided.
    Chair,
    /// The assigning officer of the case's line.
    LineOfficer,
    /// A clerk of the unit that the row or reply belongs to.
    OwnUnitClerk,
    /// A signatory of the unit that the reply belongs to.
    OwnUnitSignatory,
    /// A signatory of a unit asked to countersign.
    CoHandlerSignatory,
    /// A clerk of a unit that handles or handled the case.
    CaseUnitClerk,
    /// A clerk of a unit that an urging or an instruction is for.
    AddressedClerk,
    /// The supervision officer.
    Supervision,
    /// A leader.
    Leader,
    /// The system, for derived steps and clocks.
    System,
}

impl Who {
    /// Who it is, in words that say what the role alone does not.
    pub const fn label(self) -> Label {
        let (zh, en) = match self {
            Self::FirstProposer => ("本案第一提案人", "the first proposer of the case"),
            Self::Invitee => ("受邀联名的委员", "a member invited to sign"),
            Self::InvitedClerk => (
                "受邀联名单位的联系人",
                "the clerk of an organisation invited to sign",
            ),
            Self::RatingMember => ("本案提案人", "a proposer of the case"),
            Self::RatingClerk => (
                "本案提案单位（含联名）的联系人",
                "the clerk of an organisation that signed the case",
            ),
            Self::ProposingClerk => (
                "提案单位的联系人",
                "the clerk of the proposing organisation",
            ),
            Self::Proxy => (
                "提案委办公室（代录入的提案）",
                "committee staff, if entered from paper",
            ),
            Self::AnyMember => ("政协委员", "a member"),
            Self::AnyClerk => ("提案单位联系人", "an organisation clerk"),
            Self::Staff => ("提案委办公室", "committee staff"),
            Self::Examiner => ("审查人员", "an examiner"),
            Self::Chair => ("提案委主任", "the committee chair"),
            Self::LineOfficer => (
                "本案所属系统的交办人员",
                "the assigning officer of the case's line",
            ),
            Self::OwnUnitClerk => ("该承办单位的经办人", "a clerk of that unit"),
            Self::OwnUnitSignatory => ("该承办单位的签发人", "a signatory of that unit"),
            Self::CoHandlerSignatory => (
                "受请会签单位的签发人",
                "a signatory of a unit asked to countersign",
            ),
            Self::CaseUnitClerk => (
                "本案承办单位（含以往各轮）的经办人",
                "a clerk of a unit that handles or handled the case",
            ),
            Self::AddressedClerk => (
                "被催办或批示所交单位的经办人",
                "a clerk of a unit that the urging or instruction is for",
            ),
            Self::Supervision => ("督查人员", "the supervision officer"),
            Self::Leader => ("领导", "a leader"),
            Self::System => ("系统", "the system"),
        };
        Label { zh, en }
    }

    /// The role behind it.
    pub const fn role(self) -> Role {
        match self {
            Self::FirstProposer | Self::Invitee | Self::RatingMember | Self::AnyMember => {
                Role::Member
            }
            Self::ProposingClerk | Self::RatingClerk | Self::InvitedClerk | Self::AnyClerk => {
                Role::OrganisationClerk
            }
            Self::Proxy | Self::Staff => Role::CommitteeStaff,
            Self::Examiner => Role::Examiner,
            Self::Chair => Role::CommitteeChair,
            Self::LineOfficer => Role::AssigningOfficer,
            Self::OwnUnitClerk | Self::CaseUnitClerk | Self::AddressedClerk => Role::UnitClerk,
            Self::OwnUnitSignatory | Self::CoHandlerSignatory => Role::UnitSignatory,
            Self::Supervision => Role::SupervisionOfficer,
            Self::Leader => Role::Leader,
            Self::System => Role::System,
        }
    }
}

/// The roles behind them, each once.
pub fn roles_of(who: &[Who]) -> Vec<Role> {
    let mut roles: Vec<_> = who.iter().map(|who| who.role()).collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

/// How a row comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Somebody calls its action.
    Call,
    /// The system takes it as soon as its guards are met: a derived step, or time that ran out.
    Settled,
    /// It is part of another row, which names it.
    Part,
}

/// What a row does to the case, beside the change of status.
pub type Effect = fn(&mut Step<'_>, &Input) -> Result<(), Refusal>;

/// One row of a table.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Such as `PT15`.
    pub id: &'static str,
    /// The action that people call, or that the system takes.
    pub action: Action,
    /// The statuses from which it starts: an allow list, never a deny list.
    pub from: &'static [State],
    /// Where it leads.
    pub to: To,
    /// Who may.
    pub who: &'static [Who],
    /// Conditions of the case; all of them are named when they fail.
    pub guards: &'static [&'static Guard],
    /// What it does.
    pub effect: Effect,
    /// Name of the event in the audit trail.
    pub event: &'static str,
}

impl Rule {
    /// How the row comes about.
    pub fn cause(&self) -> Cause {
        if !self.is_by_system() {
            Cause::Call
        } else if self
            .guards
            .iter()
            .any(|guard| guard.name == super::guard::PART.name)
        {
            Cause::Part
        } else {
            Cause::Settled
        }
    }

    /// Whether only the system takes it; nobody can ask for it.
    pub fn is_by_system(&self) -> bool {
        self.who == [Who::System]
    }
}

/// The row of an identifier.
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}

/// Every row of the three tables.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    [Machine::Proposal, Machine::Assignment, Machine::Reply]
        .into_iter()
        .flat_map(table)
}

/// The rows of a machine.
fn table(machine: Machine) -> &'static [Rule] {
    match machine {
        Machine::Proposal => super::proposal::RULES,
        Machine::Assignment => super::assignment::RULES,
        Machine::Reply => super::reply::RULES,
    }
}

/// Whether a machine client may take the action for the role it holds. An allow list: a new action
/// is for persons until somebody says otherwise. Open is what keeps a record, hands in what the
/// input names a person for (a clerk, the signer of an opinion), or passes on what was decided.
/// Closed is what a person answers for: signatures (I12), opinion forms (I20), declarations at
/// submission, examination, review, and every decision on a case or on somebody's request (I10).
pub const fn is_open_to_machines(action: Action) -> bool {
    use super::assignment::AssignmentAction as A;
    use super::proposal::ProposalAction as P;
    use super::reply::ReplyAction as R;
    match action {
        Action::Proposal(action) => matches!(
            action,
            P::Create
                | P::Edit
                | P::InviteCosigners
                | P::Assign
                | P::CarryOutDisposition
                | P::RecordConsultation
                | P::LinkCases
                | P::Archive
                | P::ReportProgress
                | P::Urge
                | P::AcknowledgeUrging
                | P::AnswerInstruction
        ),
        Action::Assignment(action) => matches!(
            action,
            A::Accept
                | A::SuggestUnits
                | A::RequestReturn
                | A::RecordContact
                | A::SubmitOpinion
                | A::RequestExtension
                | A::RequestPause
        ),
        Action::Reply(action) => matches!(
            action,
            R::Draft | R::Edit | R::RequestCountersign | R::Deliver
        ),
    }
}

/// The rows of one action.
pub fn rules_of(action: Action) -> impl Iterator<Item = &'static Rule> {
    table(action.machine())
        .iter()
        .filter(move |rule| rule.action == action)
}

/// For assertions at compile time: no two rows of one action start from the same status.
pub const fn is_unambiguous(rules: &[Rule]) -> bool {
    let mut first = 0;
    while first < rules.len() {
        let mut second = first + 1;
        while second < rules.len() {
            if same_action(rules[first].action, rules[second].action)
                && overlap(rules[first].from, rules[second].from)
            {
                return false;
            }
            second += 1;
        }
        first += 1;
    }
    true
}

const fn same_action(a: Action, b: Action) -> bool {
    match (a, b) {
        (Action::Proposal(a), Action::Proposal(b)) => a as u8 == b as u8,
        (Action::Assignment(a), Action::Assignment(b)) => a as u8 == b as u8,
        (Action::Reply(a), Action::Reply(b)) => a as u8 == b as u8,
        _ => false,
    }
}

const fn overlap(a: &[State], b: &[State]) -> bool {
    let mut first = 0;
    while first < a.len() {
        let mut second = 0;
        while second < b.len() {
            if a[first].is(b[second]) {
                return true;
            }
            second += 1;
        }
        first += 1;
    }
    false
}
