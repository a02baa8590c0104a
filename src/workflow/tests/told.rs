//! Each row of the tables with those it tells, compared with the columns written down by hand.

use std::collections::BTreeSet;

use serde_json::json;

use super::fixture::{Person as P, World, member, other_proposal, unit};
use super::inputs;
use crate::ids::{Id, UserId};
use crate::workflow::case::{Case, Clock, Request, RequestForm};
use crate::workflow::codes::{
    AssignmentRole, ClockKind, ConsentStatus, CountersignStatus, FollowUpKind, FollowUpStatus,
    Grade, HandlingKind, OutcomeMeaning, RequestKind, RequestStatus,
};
use crate::workflow::decide::{Happened, Target};
use crate::workflow::desk::Audience;
use crate::workflow::lists::ProposerKind;
use crate::workflow::profile::ExtensionApprover;
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::reply::ReplyStatus;
use crate::workflow::role::{Line, Role};
use crate::workflow::rule::{State, rules};
use crate::workflow::told::told;
use crate::workflow::topics;

/// A joint proposal of members 0 and 1 that absorbed one of members 5 and 6; unit 0 leads, unit 1
/// helps, unit 2 has a reference copy; the reply is delivered and member 0 has rated it.
fn town() -> World {
    use AssignmentRole::{CoHandler, Lead, Reference};
    let rows = [(0, Lead), (1, CoHandler), (2, Reference)];
    let world = World::joint().invite(&[1]).consent(1).filed().absorbing();
    let mut world = world
        .assigned(HandlingKind::Joint, &rows)
        .accepted(0)
        .accepted(1)
        .contacted(0)
        .opinion(1)
        .drafted(0, OutcomeMeaning::Resolved)
        .countersigning()
        .agreed(1)
        .signed(0)
        .approved(0)
        .delivered(0);
    let form = inputs::feedback(world.reply_id(0), Grade::Satisfied);
    let action = crate::workflow::proposal::ProposalAction::GiveFeedback;
    world.on_proposal(P::Member(0), action, form);
    world
}

/// Who it is, in short.
fn name(audience: &Audience) -> String {
    for n in 0..8 {
        if *audience == Audience::member(member(n)) {
            return format!("member {n}");
        }
        if *audience == Audience::unit(Role::UnitClerk, unit(n)) {
            return format!("unit {n}");
        }
        if *audience == Audience::unit(Role::UnitSignatory, unit(n)) {
            return format!("signatory {n}");
        }
    }
    if *audience == Audience::line(Line::Government) {
        return "officer".to_owned();
    }
    if *audience == Audience::proposers_of(other_proposal(1)) {
        return "proposers of the main".to_owned();
    }
    if *audience == Audience::units_of(other_proposal(1)) {
        return "units of the main".to_owned();
    }
    if *audience == Audience::user(requester()) {
        return "requester".to_owned();
    }
    audience.as_str().to_owned()
}

fn requester() -> UserId {
    Id::from_uuid(uuid::Uuid::from_u128(77))
}

fn request(kind: RequestKind, row: bool, world: &World) -> Request {
    Request {
        id: Id::new(world.now),
        kind,
        assignment: row.then(|| world.row(0).id),
        status: RequestStatus::Granted,
        escalated: false,
        requested_by: requester(),
        requested_at: world.now,
        form: RequestForm::default(),
        decision: None,
    }
}

/// A clock of an invitation that starts, or stops, with the act.
fn invitation(case: &Case, number: usize, stopped: bool) -> Clock {
    let now = case.proposal.updated_at;
    let mut clock = case.clocks[0].clone();
    clock.kind = ClockKind::K01;
    clock.subject = case.proposers[number].id.cast();
    clock.started_at = now;
    clock.stopped_at = stopped.then_some(now);
    clock
}

/// The case as it is after this event, as far as the event depends on it.
fn prepared(event: &str, rule: &str) -> World {
    let mut world = town();
    let case = &mut world.case;
    match event {
        "proposal.created" => case.proposal.form.paper_reference = Some("纸-1".to_owned()),
        "proposal.edited" | "cosign.invited" => {
            case.proposers[1].status = match event {
                "proposal.edited" => ConsentStatus::Stale,
                _ => ConsentStatus::Invited,
            };
            let clock = invitation(case, 1, false);
            case.clocks.push(clock);
        }
        "cosign.expired" => {
            case.proposers[1].status = ConsentStatus::Expired;
            let clock = invitation(case, 1, true);
            case.clocks.push(clock);
        }
        "withdrawal.rejected" | "urgency.refused" => {
            let kind = match event {
                "urgency.refused" => RequestKind::Urgency,
                _ => RequestKind::Withdrawal,
            };
            let request = request(kind, false, &world);
            world.case.requests.push(request);
        }
        "extension.decided" if rule == "AT12" => {
            let request = request(RequestKind::Extension, true, &world);
            world.case.requests.push(request);
        }
        "return.granted" => {
            let other = case.assignments[1].id;
            case.assignments[0].replaced_by = Some(other);
        }
        "countersign.requested" => case.countersigns[0].status = CountersignStatus::Requested,
        "reply.edited" => case.countersigns[0].status = CountersignStatus::Recalled,
        "urged" => {
            let rater = case.proposers[1].id;
            entry(&mut world, FollowUpKind::Urging, Some(0), None);
            entry(&mut world, FollowUpKind::Urging, None, Some(rater));
        }
        "instructed" => entry(&mut world, FollowUpKind::Instruction, Some(0), None),
        "supervision.recorded" => entry(&mut world, FollowUpKind::Commitment, Some(0), None),
        "promise.fulfilled" => entry(&mut world, FollowUpKind::Fulfilment, Some(0), None),
        _ => {}
    }
    world
}

fn entry(
    world: &mut World,
    kind: FollowUpKind,
    number: Option<usize>,
    rater: Option<crate::ids::ProposerId>,
) {
    let id = Id::new(world.now);
    let list = &mut world.case.follow_ups;
    let act = list.last().map_or(id, |entry| entry.act);
    list.push(crate::workflow::case::FollowUp {
        id,
        act,
        kind,
        status: FollowUpStatus::Open,
        unit: number.map(unit),
        rater,
        promise: None,
        due_on: None,
        restricted: false,
    });
}

fn tell(event: &'static str, rule: &'static str, world: &World) -> Vec<String> {
    let target = match rule.get(..2) {
        // Of a co-handler, where the row is one of its own.
        Some("AT") if matches!(event, "opinion.submitted" | "opinion.missing") => {
            world.row_target(1)
        }
        Some("AT") => world.row_target(0),
        Some("RT") => world.reply_target(0),
        _ => Target::Proposal,
    };
    let happened = Happened {
        rule,
        event,
        by_system: false,
        role: Role::Member,
        target,
        from: match event {
            "reply.edited" => State::Reply(ReplyStatus::Countersigning),
            _ => State::Proposal(ProposalStatus::Assigned),
        },
        to: State::Proposal(ProposalStatus::Assigned),
        input: json!({ "rater_id": world.case.proposers[1].id }),
        other: matches!(event, "proposal.merged" | "proposal.unmerged").then(|| other_proposal(1)),
    };
    let list = told(&happened, &world.case, &world.profile);
    list.iter().map(name).collect()
}

const SIGNERS: &str = "member 0, member 1, member 5, member 6";

/// Event, row where several have the event, who is told; after the columns of the reference.
#[rustfmt::skip]
fn table() -> Vec<(&'static str, &'static str, String)> {
    let own = |text: &str| text.to_owned();
    let and = |first: &str, rest: &str| format!("{first}, {rest}");
    vec![
        ("proposal.created", "", own("member 0")),
        ("proposal.edited", "", own("member 1")),
        ("cosign.invited", "", own("member 1")),
        ("cosign.consented", "", own("member 0")),
        ("cosign.declined", "", own("member 0")),
        ("proposal.seconded", "", own("member 0")),
        ("cosign.expired", "", own("member 0, member 1")),
        ("proposal.submitted", "", own("committee_staff, member 1")),
        ("proposal.resubmitted", "", own("committee_staff, examiner")),
        ("proposal.recalled", "", own("committee_staff")),
        ("proposal.withdrawn", "PT09", own("committee_staff, member 1")),
        ("withdrawal.requested", "", own("committee_chair, officer")),
        ("proposal.withdrawn", "PT11", and(SIGNERS, "unit 0, unit 1, unit 2")),
        ("withdrawal.rejected", "", own("requester")),
        ("proposal.returned", "", own("member 0, member 1")),
        ("examination.recorded", "", own("committee_chair")),
        ("proposal.filed", "", and(SIGNERS, "officer")),
        ("proposal.not_filed", "", own(SIGNERS)),
        ("disposition.carried_out", "", own(SIGNERS)),
        ("referral.sent", "", own(SIGNERS)),
        ("referral.answered", "", and(SIGNERS, "committee_staff")),
        ("referral.recalled", "", own(SIGNERS)),
        ("look_back.opened", "", own("supervision_officer")),
        ("clock.recounted", "", own("unit 0, unit 1")),
        ("countersign.lapsed", "", own("unit 0")),
        ("proposal.merged", "", and(SIGNERS, "proposers of the main")),
        ("proposal.unmerged", "", and(SIGNERS, "proposers of the main, units of the main")),
        ("proposal.assigned", "", and("unit 0, unit 1, unit 2", SIGNERS)),
        ("units.adjusted", "", and("unit 0, unit 1, unit 2", SIGNERS)),
        ("proposal.handled", "", and(SIGNERS, "committee_staff")),
        ("feedback.given", "", own("committee_staff, member 0")),
        ("feedback.corrected", "", own("committee_staff, member 1")),
        ("feedback.concluded", "", and("unit 0, unit 1", &and(SIGNERS, "committee_staff"))),
        ("proposal.rehandling", "", and("unit 0, unit 1, signatory 0, signatory 1", SIGNERS)),
        ("rehandling.waived", "", own("committee_chair, officer")),
        ("proposal.closed", "", and("unit 0, unit 1", SIGNERS)),
        ("proposal.reopened", "", and("unit 0, unit 1", SIGNERS)),
        ("urgency.requested", "", own("committee_chair")),
        ("proposal.urgent", "", own("examiner, officer, unit 0, unit 1, unit 2")),
        ("urgency.refused", "", own("requester")),
        ("urgency.downgraded", "", own("examiner, officer, unit 0, unit 1, unit 2")),
        ("key.nominated", "", own("committee_chair")),
        ("proposal.key", "", and("unit 0, unit 1", SIGNERS)),
        ("key.released", "", and("unit 0, unit 1", SIGNERS)),
        ("publication.published", "", own(SIGNERS)),
        ("publication.withdrawn", "", own(SIGNERS)),
        ("tracking.started", "", and("unit 0, unit 1", SIGNERS)),
        ("tracking.progress", "", and(SIGNERS, "supervision_officer")),
        ("promise.fulfilled", "", and(SIGNERS, "unit 0")),
        ("tracking.stopped", "", and("unit 0, unit 1", SIGNERS)),
        ("supervision.recorded", "", own("unit 0")),
        ("urged", "", own("unit 0, member 1")),
        ("urging.answered", "", own("supervision_officer, committee_staff, officer")),
        ("instructed", "", own("unit 0")),
        ("instruction.answered", "", own("leader, committee_staff")),
        ("assignment.created", "", own("unit 0")),
        ("assignment.accepted", "", own("officer")),
        ("units.suggested", "", own("officer")),
        ("suggestion.refused", "", own("unit 0")),
        ("return.requested", "", own("officer")),
        ("return.granted", "", and("unit 0, unit 1", SIGNERS)),
        ("return.rejected", "", own("unit 0")),
        ("return.escalated", "", own("leader")),
        ("assignment.deemed_accepted", "", own("unit 0, officer")),
        ("contact.recorded", "", own(SIGNERS)),
        ("contact.objected", "", own("unit 0, officer")),
        ("opinion.submitted", "", own("unit 0")),
        ("opinion.missing", "", own("unit 1, unit 0")),
        ("extension.requested", "", own("officer")),
        ("extension.decided", "", and("unit 0", SIGNERS)),
        ("pause.requested", "", own("officer")),
        ("clock.paused", "", and("unit 0", SIGNERS)),
        ("pause.denied", "", own("unit 0")),
        ("clock.resumed", "", and("unit 0", SIGNERS)),
        ("assignment.voided", "", own("unit 0")),
        ("assignment.handed_over", "", own("unit 0, officer")),
        ("reply.edited", "", own("unit 1, signatory 1")),
        ("countersign.requested", "", own("unit 1, signatory 1")),
        ("countersign.given", "", own("unit 0")),
        ("countersign.objected", "", own("unit 0, officer")),
        ("reply.coordinated", "", own("unit 0, unit 1")),
        ("reply.signed", "", own("supervision_officer, officer")),
        ("reply.approved", "", own("unit 0")),
        ("reply.rejected", "", own("unit 0")),
        ("reply.delivered", "", and(SIGNERS, "officer, committee_staff, unit 1")),
    ]
}

#[test]
fn each_row_tells_those_of_its_column() {
    for (event, only, expected) in table() {
        let mut found = false;
        for rule in rules().filter(|rule| rule.event == event) {
            if only.is_empty() || rule.id == only {
                found = true;
                let world = prepared(event, rule.id);
                assert_eq!(
                    tell(event, rule.id, &world).join(", "),
                    expected,
                    "{} {event}",
                    rule.id
                );
            }
        }
        assert!(found, "no row has the event {event}");
    }
}

/// Every event of the tables has words and those it tells, or is known to tell nobody.
#[test]
fn no_event_is_forgotten() {
    let named: BTreeSet<_> = rules().map(|rule| rule.event).collect();
    let table: BTreeSet<_> = table().into_iter().map(|(event, ..)| event).collect();
    for event in &named {
        let quiet = topics::QUIET.contains(event);
        assert_ne!(
            quiet,
            topics::topic(event).is_some(),
            "{event}: words, or quiet"
        );
        assert_ne!(quiet, table.contains(event), "{event}: told, or quiet");
        if quiet {
            let rule = rules().find(|rule| rule.event == *event).expect("a row");
            assert!(tell(rule.event, rule.id, &town()).is_empty(), "{event}");
        }
    }
    let reminders = topics::TOPICS
        .iter()
        .filter(|topic| topic.group == topics::Group::Reminder);
    assert_eq!(topics::TOPICS.len() - reminders.count(), table.len());
    for known in topics::QUIET.iter().chain(&table) {
        assert!(named.contains(known), "no row has the event {known}");
    }
}

/// I20 to I22: of what is said in feedback the handling side hears with its conclusion only.
#[test]
fn nobody_of_the_handling_side_is_told_of_feedback_before_its_conclusion() {
    for event in ["feedback.given", "feedback.corrected"] {
        let rule = rules().find(|rule| rule.event == event).expect("a row");
        for name in tell(rule.event, rule.id, &town()) {
            assert!(
                name == "committee_staff" || name.starts_with("member"),
                "{event} tells {name}"
            );
        }
        assert!(topics::hidden_from_handling_side(event));
    }
    assert!(!topics::hidden_from_handling_side("feedback.concluded"));
}

/// PT23: "re-handling due" goes to those who order it, while a round is left.
#[test]
fn a_dissatisfied_rater_is_told_to_those_who_order_another_round() {
    let mut world = town();
    world.case.forms[0].result = Grade::Dissatisfied;
    let told = tell("feedback.concluded", "PT23", &world);
    assert!(told.contains(&"committee_chair".to_owned()) && told.contains(&"officer".to_owned()));
    world.profile.rehandling_max_rounds = 0;
    assert!(!tell("feedback.concluded", "PT23", &world).contains(&"committee_chair".to_owned()));
}

/// AT11: where the committee decides with the office, its chair is told of the request.
#[test]
fn the_chair_is_told_of_requests_it_decides_on() {
    let mut world = town();
    world.profile.extension_approver = ExtensionApprover::WithProposalsCommittee;
    let told = tell("extension.requested", "AT11", &world);
    assert_eq!(told, ["officer", "committee_chair"]);
}

/// AT12: a denied extension is between the unit and the office.
#[test]
fn proposers_are_told_of_extensions_that_were_granted() {
    let mut world = prepared("extension.decided", "AT12");
    if let Some(request) = world.case.requests.last_mut() {
        request.status = RequestStatus::Denied;
    }
    assert_eq!(tell("extension.decided", "AT12", &world), ["unit 0"]);
}

/// The organisation of a collective proposal is told through its clerks.
#[test]
fn collectives_are_told_through_their_clerks() {
    let world = World::collective(ProposerKind::Party);
    let happened = Happened {
        other: None,
        ..world.log[0].clone()
    };
    let filed = Happened {
        rule: "PT16",
        event: "proposal.not_filed",
        ..happened
    };
    let list = told(&filed, &world.case, &world.profile);
    assert_eq!(list.len(), 1);
    assert!(list[0].as_str().starts_with("organisation_clerk:"));
}

/// The stored form says who it is.
#[test]
fn audiences_are_read_back() {
    use crate::workflow::desk::Scope;
    let (user, case) = (requester(), other_proposal(1));
    let pairs = [
        (Audience::role(Role::Leader), Scope::Role(Role::Leader)),
        (Audience::member(member(1)), Scope::Member(member(1))),
        (Audience::line(Line::Party), Scope::Line(Line::Party)),
        (Audience::user(user), Scope::User(user)),
        (Audience::proposers_of(case), Scope::ProposersOf(case)),
        (Audience::units_of(case), Scope::UnitsOf(case)),
        (
            Audience::unit(Role::UnitSignatory, unit(3)),
            Scope::Unit(Role::UnitSignatory, unit(3)),
        ),
    ];
    for (audience, scope) in pairs {
        assert_eq!(audience.scope(), Some(scope));
    }
}
