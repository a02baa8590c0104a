//! Who is told of an act where others stand beside: those it concerns, and nobody who was told before or never
//! asked (the last column of 3.2 to 3.5).

use jiff::SignedDuration;
use jiff::civil::date;

use super::fixture::{Person as P, World, member, unit};
use super::follow_up::{rated, supervise};
use super::inputs;
use crate::workflow::codes::{AssignmentRole, HandlingKind, OutcomeMeaning};
use crate::workflow::desk::{Audience, Scope};
use crate::workflow::input::Input;
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::role::Line;
use crate::workflow::told::told;

/// Whom the last act of that name tells, members and units by their number.
fn hear(world: &World, event: &str) -> Vec<String> {
    let mut log = world.log.iter();
    let happened = log.rfind(|one| one.event == event).expect("it happened");
    let name = |audience: &Audience| {
        let number = |is: &dyn Fn(usize) -> bool| (0..9).find(|n| is(*n)).expect("of the town");
        match audience.scope() {
            Some(Scope::Member(id)) => format!("member {}", number(&|n| member(n) == id)),
            Some(Scope::Unit(role, id)) => format!("{role} {}", number(&|n| unit(n) == id)),
            _ => audience.as_str().to_owned(),
        }
    };
    let list = told(happened, &world.case, &world.profile);
    list.iter().map(name).collect()
}

/// PT03, K01: whose invitation begins is told of it, not those who were asked before; so it is when it expires.
#[test]
fn an_invitation_is_told_to_whom_it_asks_now() {
    let mut world = World::joint().invite(&[1]);
    assert_eq!(hear(&world, "cosign.invited"), ["member 1"]);
    world.now += SignedDuration::from_hours(12);
    world = world.invite(&[2, 3]);
    assert_eq!(hear(&world, "cosign.invited"), ["member 2", "member 3"]);
    world.now += SignedDuration::from_hours(13);
    world.settle();
    assert_eq!(hear(&world, "cosign.expired"), ["member 0", "member 1"]);
    world = world.consent(3);
    world.now += SignedDuration::from_hours(12);
    world.settle();
    assert_eq!(hear(&world, "cosign.expired"), ["member 0", "member 2"]);
}

/// PT16, I17: proposers are those who signed; who declined hears nothing more.
#[test]
fn who_declined_to_sign_is_no_proposer() {
    let mut world = World::joint().invite(&[1, 2]).consent(1);
    world.on_proposal(P::Member(2), Do::DeclineCosign, inputs::cosign());
    world = world.submit().examined();
    world.on_proposal(P::Chair, Do::NotFile, inputs::not_file("bad_form"));
    assert_eq!(hear(&world, "proposal.not_filed"), ["member 0", "member 1"]);
}

/// AT12: whether proposers are told hangs on the request of that row.
#[test]
fn a_decision_is_told_by_the_request_of_its_own_row() {
    use AssignmentRole::{CoHandler, Lead};
    let rows = [(0, Lead), (1, CoHandler)];
    let filed = World::individual().filed();
    let mut world = filed.assigned(HandlingKind::Joint, &rows);
    world = world.accepted(0).accepted(1);
    for (number, until) in [(0, date(2026, 6, 9)), (1, date(2026, 4, 20))] {
        world.on_row(number, inputs::ASK_EXTENSION, inputs::ask_extension(until));
    }
    let officer = P::Officer(Line::Government);
    let row = world.row_target(0);
    let input = inputs::grant_extension(None).into();
    world.granted(officer, row, inputs::GRANT_EXTENSION, &input);
    let expected = ["unit_clerk 0", "member 0"];
    assert_eq!(hear(&world, "extension.decided"), expected);
    let row = world.row_target(1);
    let input = inputs::deny().into();
    world.granted(officer, row, inputs::DENY_EXTENSION, &input);
    assert_eq!(hear(&world, "extension.decided"), ["unit_clerk 1"]);
}

/// OT24: a supervision is told to the units that committed themselves in it, not to those of one before.
#[test]
fn a_supervision_is_told_to_those_who_committed_themselves_in_it() {
    let mut world = rated(OutcomeMeaning::Resolved);
    let with = supervise(&world, world.env().today());
    let mut without = with.clone();
    without.commitments.clear();
    for (input, expected) in [(with, &["unit_clerk 0"][..]), (without, &[])] {
        let input = Input::Supervise(Box::new(input));
        world.on_proposal(P::Supervision, Do::Supervise, input);
        assert_eq!(hear(&world, "supervision.recorded"), expected);
    }
}
