//! Who is what to a case: every `Who` of the tables, for everybody, on cases and targets that differ
//! in what the answer hangs on. And what time alone does to a case, shown before it is written.

use std::fmt::Write;

use jiff::Timestamp;
use uuid::Uuid;

use super::fixture::{Person as P, World, unit};
use super::inputs;
use crate::ids::{ClockId, Id};
use crate::workflow::calendar::Calendar;
use crate::workflow::codes::AssignmentRole;
use crate::workflow::decide::{Env, Target, catch_up, holds, owes};
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::role::{Actor, Grant, Line, Role};
use crate::workflow::rule::Who;

const ALL: [Who; 21] = [
    Who::FirstProposer,
    Who::Invitee,
    Who::InvitedClerk,
    Who::RatingMember,
    Who::RatingClerk,
    Who::ProposingClerk,
    Who::Proxy,
    Who::AnyMember,
    Who::AnyClerk,
    Who::Staff,
    Who::Examiner,
    Who::Chair,
    Who::LineOfficer,
    Who::OwnUnitClerk,
    Who::OwnUnitSignatory,
    Who::CoHandlerSignatory,
    Who::CaseUnitClerk,
    Who::AddressedClerk,
    Who::Supervision,
    Who::Leader,
    Who::System,
];

/// Everybody, and accounts whose roles are narrowed to different things, or to nothing.
fn everybody() -> Vec<(String, Actor)> {
    let plain = [
        P::Member(0),
        P::Member(1),
        P::Member(5),
        P::Clerk,
        P::ClerkOf(1),
        P::ClerkOf(2),
        P::Staff,
        P::Examiner(1),
        P::Chair,
        P::Officer(Line::Government),
        P::Officer(Line::Party),
        P::UnitClerk(0),
        P::Signatory(0),
        P::UnitClerk(1),
        P::Signatory(1),
        P::UnitClerk(3),
        P::Supervision,
        P::Leader,
        P::Auditor,
        P::Administrator,
        P::MemberAnd(0, Role::AssigningOfficer),
        P::MemberAnd(1, Role::UnitClerk),
        P::MemberAnd(1, Role::UnitSignatory),
    ];
    let mut all: Vec<_> = plain
        .iter()
        .map(|who| (format!("{who:?}"), who.actor()))
        .collect();
    let mut two = |name: &str, grants: Vec<Grant>| {
        let actor = Actor {
            grants,
            ..P::UnitClerk(9).actor()
        };
        all.push((name.to_owned(), actor));
    };
    two(
        "clerk of 3, signatory of 0",
        vec![
            Grant::unit(Role::UnitClerk, unit(3)),
            Grant::unit(Role::UnitSignatory, unit(0)),
        ],
    );
    two(
        "clerk of 1, signatory of 3",
        vec![
            Grant::unit(Role::UnitClerk, unit(1)),
            Grant::unit(Role::UnitSignatory, unit(3)),
        ],
    );
    all.push(("the system".to_owned(), Actor::system()));
    all
}

fn handled() -> World {
    World::drafted_jointly().countersigning()
}

#[test]
fn who_is_what_to_a_case() {
    let mut asked = World::joint_collective();
    let invitation = inputs::invite_organisations(&[1]);
    asked.on_proposal(P::Clerk, Do::InviteCosigners, invitation);
    let mut paper = World::individual();
    paper.case.proposal.form.paper_reference = Some("纸质 2026-001".to_owned());
    let mut copied = handled();
    copied.case.assignments[1].role = AssignmentRole::Reference;
    let absorbing = World::individual().filed().absorbing();
    let people = everybody();
    let mut text = String::new();
    for (name, world) in [
        ("a joint draft", World::joint().invite(&[1])),
        ("on paper", paper),
        ("of two collectives", asked),
        ("with one absorbed", absorbing),
        ("to be countersigned", handled()),
        ("with a reference copy", copied),
    ] {
        let case = &world.case;
        let row = |number: usize| {
            let row = case.assignments.get(number)?;
            Some((format!("row {number}"), Target::Assignment(row.id)))
        };
        let reply = case.replies.first();
        let reply = reply.map(|reply| ("reply".to_owned(), Target::Reply(reply.id)));
        let targets = std::iter::once(("proposal".to_owned(), Target::Proposal))
            .chain(row(0))
            .chain(row(1))
            .chain(reply);
        for (on, target) in targets {
            writeln!(text, "== {name}, {on}").unwrap();
            for who in &ALL {
                let found: Vec<_> = people
                    .iter()
                    .filter(|(_, actor)| holds(*who, case, actor, target))
                    .map(|(name, _)| name.as_str())
                    .collect();
                let found = match found.len() {
                    0 => "nobody".to_owned(),
                    _ => found.join(", "),
                };
                writeln!(text, "{who:?}: {found}").unwrap();
            }
        }
    }
    insta::assert_snapshot!("who_is_what_to_a_case", text);
}

#[test]
fn what_time_has_done_is_shown_before_it_is_written() {
    let mut world = World::individual().sole();
    assert!(!owes(&world.case, world.env()));
    assert_eq!(catch_up(&world.case, world.env()), world.case);
    world.wait(60);
    assert!(owes(&world.case, world.env()));
    let shown = catch_up(&world.case, world.env());
    assert_ne!(shown.assignments, world.case.assignments);
    world.settle();
    assert_eq!(shown.assignments, world.case.assignments);
    let wakes = |case: &crate::workflow::case::Case| -> Vec<_> {
        let clocks = case.clocks.iter();
        clocks.map(|clock| (clock.kind, clock.wake_at)).collect()
    };
    assert_eq!(wakes(&shown), wakes(&world.case));
    assert!(!owes(&world.case, world.env()));
}

#[test]
fn clocks_of_an_earlier_calendar_are_shown_as_counted_anew() {
    let mut world = World::individual().sole();
    for clock in &mut world.case.clocks {
        clock.calendar_version = 0;
    }
    let shown = catch_up(&world.case, world.env());
    let running = shown.clocks.iter().filter(|one| one.stopped_at.is_none());
    let versions: Vec<_> = running.map(|clock| clock.calendar_version).collect();
    assert!(!versions.is_empty());
    assert!(versions.iter().all(|version| *version == 1), "{versions:?}");
}

#[test]
fn identifiers_come_from_the_source_that_is_handed_in() {
    let world = World::individual();
    let env = Env {
        ids: |now: Timestamp| Uuid::from_u128(now.as_second().unsigned_abs().into()),
        calendar: Calendar::builtin(),
        ..world.env()
    };
    let moment = world.now.as_second().unsigned_abs();
    let id: ClockId = env.id();
    assert_eq!(id, Id::from_uuid(Uuid::from_u128(moment.into())));
}
