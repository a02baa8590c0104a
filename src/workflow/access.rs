//! Who may read what of a case. [`Reach`] is the same rule for lists; the store turns it into SQL.

use super::assignment::AssignmentStatus;
use super::case::{Case, Clock, FollowUp, Form, Proposer, Reply, Request};
use super::codes::{
    ClockKind, ConsentStatus, CountersignStatus, FollowUpKind, RequestKind, RequestStatus, Secrecy,
};
use super::proposal::ProposalStatus;
use super::reply::ReplyStatus;
use super::role::{Actor, Role};
use crate::ids::{MemberId, OrganisationId, UnitId};
use jiff::Timestamp;

/// What an actor may see in lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Every case, filed or not.
    pub everything: bool,
    /// Every filed open case.
    pub filed_open: bool,
    /// Every filed restricted case.
    pub filed_restricted: bool,
    /// Cases that this member signed or was asked to sign.
    pub member: Option<MemberId>,
    /// Cases of these organisations.
    pub organisations: Vec<OrganisationId>,
    /// Cases assigned to these units, or on which they have a leader's instruction.
    pub units: Vec<UnitId>,
}

impl Reach {
    /// From the roles: the rows "read a case …" of the permission matrix.
    pub fn of(actor: &Actor) -> Self {
        let any = |roles: &[Role]| roles.iter().any(|role| actor.has(*role));
        let everything = any(&[
            Role::CommitteeStaff,
            Role::Examiner,
            Role::CommitteeChair,
            Role::Auditor,
            Role::System,
        ]);
        let filed_restricted = any(&[
            Role::AssigningOfficer,
            Role::SupervisionOfficer,
            Role::Leader,
        ]);
        let filed_open = filed_restricted || any(&[Role::Member, Role::OrganisationClerk]);
        Self {
            everything,
            filed_open,
            filed_restricted,
            member: actor.member.filter(|_| actor.has(Role::Member)),
            organisations: actor.organisations().collect(),
            units: actor.units().collect(),
        }
    }

    /// Nothing is in sight but by way of a unit.
    pub fn is_of_units_alone(&self) -> bool {
        let units = self.units.clone();
        *self
            == Self {
                units,
                ..Self::default()
            }
    }
}

/// Whether the actor may know of the case at all.
pub fn may_read(case: &Case, actor: &Actor) -> bool {
    let reach = Reach::of(actor);
    let filed = case.proposal.filed_at.is_some();
    // 附议: an opened proposal is for members to see before it is filed.
    let opened = case.proposal.marks.open_for_seconding
        && case.proposal.secrecy == Secrecy::Open
        && reach.member.is_some()
        && matches!(
            case.proposal.status,
            ProposalStatus::Submitted | ProposalStatus::Returned | ProposalStatus::Draft
        );
    opened
        || reach.everything
        || is_own(case, actor)
        || (filed && reach.filed_open && case.proposal.secrecy == Secrecy::Open)
        || (filed && reach.filed_restricted)
        // Before the filing a unit has nothing but a reference copy, while that counts.
        || case.assignments.iter().any(|row| {
            reach.units.contains(&row.unit) && (filed || row.status != AssignmentStatus::Void)
        })
        // A promise that its unit inherited.
        || case
            .promises
            .iter()
            .any(|promise| reach.units.contains(&promise.unit))
        || case
            .follow_ups
            .iter()
            .filter(|entry| entry.kind == FollowUpKind::Instruction)
            .any(|entry| entry.unit.is_some_and(|unit| reach.units.contains(&unit)))
}

/// Whether the actor signed, was asked to sign, or speaks for the collective proposer.
pub fn is_own(case: &Case, actor: &Actor) -> bool {
    case.everybody()
        .any(|proposer| is_proposer(proposer, actor))
        || case
            .proposal
            .organisation
            .into_iter()
            .chain(
                case.absorbed
                    .iter()
                    .filter_map(|absorbed| absorbed.organisation),
            )
            .any(|own| actor.organisations().any(|held| held == own))
}

fn is_proposer(proposer: &Proposer, actor: &Actor) -> bool {
    let invited = proposer
        .organisation
        .is_some_and(|own| actor.organisations().any(|held| held == own));
    let member =
        actor.has(Role::Member) && proposer.member.is_some() && proposer.member == actor.member;
    (member || invited) && proposer.status != ConsentStatus::Dropped
}

/// Contact data: for those who work on the case and for its own proposers.
pub fn may_read_contacts(case: &Case, actor: &Actor) -> bool {
    is_own(case, actor) || handles(case, actor) || STEERING.iter().any(|role| actor.has(*role))
}

/// Whether the actor holds a role in a unit of the case.
fn handles(case: &Case, actor: &Actor) -> bool {
    case.assignments
        .iter()
        .any(|row| actor.units().any(|unit| unit == row.unit))
}

/// Opinions of co-handlers to the lead: for the units of the case and those who steer it.
pub fn may_read_co_opinions(case: &Case, actor: &Actor) -> bool {
    handles(case, actor) || STEERING.iter().any(|role| actor.has(*role))
}

/// Examination opinions: for the committee, not for proposers and units.
pub fn may_read_opinions(actor: &Actor) -> bool {
    [
        Role::CommitteeStaff,
        Role::Examiner,
        Role::CommitteeChair,
        Role::AssigningOfficer,
        Role::Auditor,
    ]
    .iter()
    .any(|role| actor.has(*role))
}

/// A reply before its delivery: for its unit, for those asked to countersign, for its reviewers.
pub fn may_read_reply(case: &Case, reply: &Reply, actor: &Actor) -> bool {
    if matches!(reply.status, ReplyStatus::Delivered) || reply.delivered_at.is_some() {
        return true;
    }
    let in_unit = |unit: UnitId| actor.units().any(|own| own == unit);
    let countersigns = case.countersigns.iter().any(|request| {
        request.reply == reply.id
            && request.status != CountersignStatus::Recalled
            && case
                .assignment(request.assignment)
                .is_some_and(|row| in_unit(row.unit))
    });
    let reviews = reply.status == ReplyStatus::UnderReview
        && (actor.has(Role::SupervisionOfficer) || actor.has(Role::AssigningOfficer));
    // Who is to decide the dispute reads what it is about.
    let disputed = matches!(
        reply.status,
        ReplyStatus::Draft | ReplyStatus::Countersigning
    ) && case
        .last_countersigns(reply.id)
        .any(|request| request.status == CountersignStatus::Object);
    let coordinates = disputed
        && actor.grants.iter().any(|grant| {
            grant.role == Role::AssigningOfficer && grant.line == case.proposal.assigning_line
        });
    in_unit(reply.unit) || countersigns || reviews || coordinates || actor.has(Role::Auditor)
}

/// Whether feedback of a round is concluded: everybody answered, or let the time run out.
pub fn is_concluded(case: &Case, round: i32) -> bool {
    round < case.proposal.round
        || matches!(
            case.proposal.status,
            ProposalStatus::Feedback | ProposalStatus::Closed
        )
}

/// I21: whether the account works on the handling side, whatever other roles it holds.
pub fn on_handling_side(actor: &Actor) -> bool {
    actor
        .grants
        .iter()
        .any(|grant| grant.role.is_handling_side())
}

/// I21: before conclusion a form is for its rater and for the committee, never for the handling
/// side.
pub fn may_read_form(case: &Case, form: &Form, actor: &Actor) -> bool {
    let concluded = is_concluded(case, form.round);
    let own = case.everybody().any(|proposer| {
        proposer.id == form.rater
            && (is_proposer(proposer, actor)
                || proposer
                    .organisation
                    .is_some_and(|own| actor.organisations().any(|held| held == own)))
    });
    let committee = [
        Role::CommitteeStaff,
        Role::CommitteeChair,
        Role::SupervisionOfficer,
        Role::Auditor,
    ];
    concluded || own || (!on_handling_side(actor) && committee.iter().any(|role| actor.has(*role)))
}

/// Those who steer the handling of a case, and those who look on.
const STEERING: [Role; 5] = [
    Role::CommitteeStaff,
    Role::CommitteeChair,
    Role::AssigningOfficer,
    Role::SupervisionOfficer,
    Role::Auditor,
];

/// What was asked for: for those who steer the case and for the unit that asked. The proposers
/// know of a withdrawal, and of extensions and pauses that were decided; units of a withdrawal
/// that was granted.
pub fn may_read_request(case: &Case, request: &Request, actor: &Actor) -> bool {
    let steers = STEERING.iter().any(|role| actor.has(*role));
    let asked = request
        .assignment
        .and_then(|row| case.assignment(row))
        .is_some_and(|row| actor.units().any(|unit| unit == row.unit));
    let decided = matches!(
        request.status,
        RequestStatus::Granted | RequestStatus::Denied
    );
    let told = match request.kind {
        RequestKind::Withdrawal | RequestKind::Urgency | RequestKind::Key => {
            is_own(case, actor)
                || (request.status == RequestStatus::Granted && handles(case, actor))
        }
        RequestKind::Extension | RequestKind::Pause => decided && is_own(case, actor),
        RequestKind::Return | RequestKind::Units => false,
    };
    steers || asked || told
}

/// Roles that read every instruction, restricted ones too.
pub const READ_RESTRICTED: [Role; 4] = [
    Role::Leader,
    Role::CommitteeChair,
    Role::CommitteeStaff,
    Role::Auditor,
];

/// An entry of the follow-up. How tracking goes and what became of promises is for every reader
/// of the case; reports and findings for those who take part in it; an urging for those who steer
/// the case and for whom it is addressed to; a restricted instruction for the few it is meant for.
pub fn may_read_follow_up(case: &Case, entry: &FollowUp, actor: &Actor) -> bool {
    let to_unit = entry
        .unit
        .is_some_and(|unit| actor.units().any(|own| own == unit));
    let takes_part = || may_read_contacts(case, actor) || actor.has(Role::Leader);
    match entry.kind {
        FollowUpKind::TrackingStarted
        | FollowUpKind::TrackingStopped
        | FollowUpKind::Fulfilment
        | FollowUpKind::Verdict => true,
        FollowUpKind::Progress
        | FollowUpKind::Supervision
        | FollowUpKind::Commitment
        | FollowUpKind::LookBack => takes_part(),
        FollowUpKind::Urging => {
            let to_rater = case
                .everybody()
                .any(|one| Some(one.id) == entry.rater && one.is(actor));
            to_unit
                || to_rater
                || actor.has(Role::Leader)
                || STEERING.iter().any(|role| actor.has(*role))
        }
        FollowUpKind::Instruction if entry.restricted => {
            to_unit || READ_RESTRICTED.iter().any(|role| actor.has(*role))
        }
        FollowUpKind::Instruction => to_unit || takes_part(),
    }
}

/// To whom the case was sent, and what came back: for the committee, for those who steer the case
/// and lead, for the units that handle it and for its proposers.
pub fn may_read_referrals(case: &Case, actor: &Actor) -> bool {
    may_read_contacts(case, actor) || may_read_opinions(actor) || actor.has(Role::Leader)
}

/// Whether every entry of a kind may be read: an event names no entry.
fn reads_all(case: &Case, kind: FollowUpKind, actor: &Actor) -> bool {
    let mut entries = case.follow_ups.iter().filter(|entry| entry.kind == kind);
    entries.all(|entry| may_read_follow_up(case, entry, actor))
}

/// A clock that runs for a request tells that there is one; the others are for every reader.
pub fn may_read_clock(case: &Case, clock: &Clock, actor: &Actor) -> bool {
    if matches!(clock.kind, ClockKind::K19 | ClockKind::K21) {
        return case.follow_ups.iter().any(|entry| {
            entry.id.cast() == clock.subject && may_read_follow_up(case, entry, actor)
        });
    }
    !matches!(clock.kind, ClockKind::K06 | ClockKind::K13 | ClockKind::K14)
        || case.requests.iter().any(|request| {
            (request.id.cast() == clock.subject
                || request.assignment.map(crate::ids::Id::cast) == Some(clock.subject))
                && may_read_request(case, request, actor)
        })
}

/// Earlier versions of the text: for the committee and for those who sign the case itself, not for
/// the proposers of what it absorbed.
pub fn may_read_texts(case: &Case, actor: &Actor) -> bool {
    let committee = [
        Role::CommitteeStaff,
        Role::Examiner,
        Role::CommitteeChair,
        Role::Auditor,
    ];
    let signs = case.proposers.iter().any(|proposer| {
        is_proposer(proposer, actor)
            && !matches!(
                proposer.status,
                ConsentStatus::Declined | ConsentStatus::Expired
            )
    });
    let speaks = case
        .proposal
        .organisation
        .is_some_and(|own| actor.organisations().any(|held| held == own));
    signs || speaks || committee.iter().any(|role| actor.has(*role))
}

/// What a decision says, by the name of its action.
pub fn may_read_decision(case: &Case, kind: &str, actor: &Actor) -> bool {
    let insider = may_read_opinions(actor) || is_own(case, actor);
    match kind {
        // Why a proposal came back or was taken back is between proposer and committee; so are
        // what became of a refused one, and what concerns a rater in person.
        "return_for_revision"
        | "withdraw"
        | "reject_withdrawal"
        | "carry_out_disposition"
        | "excuse_rater"
        | "waive_rehandling" => insider,
        "approve_withdrawal" | "rehandle" => insider || may_read_co_opinions(case, actor),
        "set_secrecy" => may_read_opinions(actor),
        // Between the units and those who steer the case.
        "adjust_units" | "grant_return" | "reject_return" | "escalate_return" | "void"
        | "coordinate" => may_read_co_opinions(case, actor),
        _ => true,
    }
}

/// Minutes of a consultation: for those who take part in the case.
pub fn may_read_minutes(case: &Case, actor: &Actor) -> bool {
    may_read_contacts(case, actor)
}

/// Whether the history of a case tells the actor of an event of this name. What it does not know
/// here is told, or judged where it is shown.
pub fn may_know_of(case: &Case, event: &str, actor: &Actor) -> bool {
    match event {
        "withdrawal.requested"
        | "withdrawal.rejected"
        | "rater.excused"
        | "rehandling.waived"
        | "disposition.carried_out" => may_read_opinions(actor) || is_own(case, actor),
        "secrecy.set" => may_read_opinions(actor),
        "units.suggested"
        | "suggestion.refused"
        | "return.requested"
        | "return.rejected"
        | "return.escalated"
        | "extension.requested"
        | "pause.requested"
        | "reply.coordinated" => may_read_co_opinions(case, actor),
        "instructed" | "instruction.answered" => reads_all(case, FollowUpKind::Instruction, actor),
        "urged" | "urging.answered" => reads_all(case, FollowUpKind::Urging, actor),
        "tracking.progress"
        | "supervision.recorded"
        | "look_back.recorded"
        | "look_back.opened" => may_read_contacts(case, actor) || actor.has(Role::Leader),
        "referral.sent" | "referral.answered" | "referral.recalled" => {
            may_read_referrals(case, actor)
        }
        "contact.objected" | "extension.decided" | "pause.denied" => may_read_contacts(case, actor),
        _ => true,
    }
}

/// What is known of an event of a case without its content.
#[derive(Debug, Clone, Copy)]
pub struct EventFacts<'a> {
    /// Its name, such as `feedback.given`.
    pub name: &'a str,
    /// The moment.
    pub at: Timestamp,
}

/// Whether the history of a case tells the actor of an event: drafts of units, requests between
/// offices, forms before conclusion (I21) are for some only.
pub fn may_see_event(case: &Case, event: EventFacts<'_>, actor: &Actor) -> bool {
    if !may_know_of(case, event.name, actor) || is_hidden_draft(event.name, actor) {
        return false;
    }
    !is_form(event.name) || is_concluded(case, form_round(case, event.at)) || {
        let committee = FORM_READERS.iter().any(|role| actor.has(*role));
        !on_handling_side(actor) && (committee || is_own(case, actor))
    }
}

/// Who reads forms before their conclusion.
const FORM_READERS: [Role; 4] = [
    Role::CommitteeStaff,
    Role::CommitteeChair,
    Role::SupervisionOfficer,
    Role::Auditor,
];

fn is_form(event: &str) -> bool {
    matches!(event, "feedback.given" | "feedback.corrected")
}

/// The round of an event about a form: those of the present one came after its last reply.
fn form_round(case: &Case, at: Timestamp) -> i32 {
    let proposal = &case.proposal;
    let present = proposal.status == ProposalStatus::Handled && at >= proposal.status_since;
    proposal.round - i32::from(!present)
}

/// A step on the way to a reply, for those who look on or do not handle cases.
fn is_hidden_draft(event: &str, actor: &Actor) -> bool {
    let readers = [
        Role::CommitteeStaff,
        Role::Examiner,
        Role::CommitteeChair,
        Role::Auditor,
        Role::UnitClerk,
        Role::UnitSignatory,
        Role::AssigningOfficer,
        Role::SupervisionOfficer,
    ];
    let internal = event.starts_with("countersign.")
        || matches!(event, "reply.drafted" | "reply.edited" | "reply.rejected");
    internal && !readers.iter().any(|role| actor.has(*role))
}

/// Whether the answer of [`may_see_event`] is the same for every case that the actor may read:
/// `None` says that the case must be looked at.
pub fn sees_event_of_any_case(event: &str, actor: &Actor) -> Option<bool> {
    if is_hidden_draft(event, actor) {
        return Some(false);
    }
    let any = |roles: &[Role]| roles.iter().any(|role| actor.has(*role));
    let always = any(&[Role::CommitteeStaff, Role::CommitteeChair, Role::Auditor]);
    if (always && !is_form(event))
        || (any(&FORM_READERS) && !on_handling_side(actor)) && is_form(event)
    {
        return Some(true);
    }
    (!depends_on_case(event)).then_some(true)
}

/// The events of which [`may_see_event`] asks the case.
fn depends_on_case(event: &str) -> bool {
    is_form(event)
        || matches!(
            event,
            "withdrawal.requested"
                | "withdrawal.rejected"
                | "rater.excused"
                | "rehandling.waived"
                | "disposition.carried_out"
                | "secrecy.set"
                | "units.suggested"
                | "suggestion.refused"
                | "return.requested"
                | "return.rejected"
                | "return.escalated"
                | "extension.requested"
                | "pause.requested"
                | "reply.coordinated"
                | "instructed"
                | "instruction.answered"
                | "urged"
                | "urging.answered"
                | "tracking.progress"
                | "supervision.recorded"
                | "look_back.recorded"
                | "look_back.opened"
                | "referral.sent"
                | "referral.answered"
                | "referral.recalled"
                | "contact.objected"
                | "extension.decided"
                | "pause.denied"
        )
}

/// Whether the actor may know of an event that is not a case's: of a register, an account, a
/// policy profile. What is not named here is the auditor's.
pub fn may_see_other_event(kind: &str, event: &str, actor: &Actor) -> bool {
    let any = |roles: &[Role]| roles.iter().any(|role| actor.has(*role));
    if actor.has(Role::Auditor) {
        return true;
    }
    match kind {
        "user" if matches!(event, "user.sign_in_locked" | "user.sign_in_unlocked") => {
            actor.has(Role::SecurityAdministrator)
        }
        "user" => {
            let account = [
                "user.created",
                "user.changed",
                "user.roles_changed",
                "user.password_reset",
                "user.sign_ins_ended",
            ];
            account.contains(&event) && any(&[Role::Administrator, Role::SecurityAdministrator])
        }
        "api_token" => actor.has(Role::SecurityAdministrator),
        "webhook" | "job" => actor.has(Role::Administrator),
        "committee" if event == "committee.password_policy_changed" => {
            any(&[Role::Administrator, Role::SecurityAdministrator])
        }
        "committee" if event == "batch.executed" => any(&[
            Role::CommitteeStaff,
            Role::CommitteeChair,
            Role::AssigningOfficer,
        ]),
        "committee" | "term" | "session" | "member" | "organisation" | "unit" | "profile"
        | "calendar" | "refusal_reason" => any(&[
            Role::Administrator,
            Role::CommitteeStaff,
            Role::CommitteeChair,
        ]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::role::Grant;

    /// What the shortcut says of every case is what the case itself says; there is no case here,
    /// so this asks that no name is forgotten in `depends_on_case`.
    #[test]
    fn the_names_that_ask_the_case_are_those_that_may_know_of_asks() {
        let source = include_str!("access.rs");
        let body = |start: &str, end: &str| {
            let rest = source.split_once(start).expect("the function").1;
            rest.split_once(end).expect("its end").0.to_owned()
        };
        let names = |text: &str| -> std::collections::BTreeSet<String> {
            text.split('"')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect()
        };
        let asked = names(&body("pub fn may_know_of(", "\n}\n"));
        let told = names(&body("fn depends_on_case(", "\n}\n"));
        assert_eq!(asked, told);
    }

    #[test]
    fn the_handling_side_is_asked_about_forms_of_every_case() {
        let mut actor = Actor::system();
        actor.grants = vec![Grant::of(Role::Auditor)];
        assert_eq!(sees_event_of_any_case("feedback.given", &actor), Some(true));
        actor
            .grants
            .push(Grant::line(crate::workflow::role::Line::Party));
        assert_eq!(sees_event_of_any_case("feedback.given", &actor), None);
        actor.grants = vec![Grant::of(Role::Member)];
        assert_eq!(sees_event_of_any_case("reply.drafted", &actor), Some(false));
        assert_eq!(sees_event_of_any_case("proposal.filed", &actor), Some(true));
    }
}
