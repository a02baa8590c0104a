//! AT18, 3.4, I5, I28: what passes to the unit that takes another one over, and what stays where it was.

use super::fixture::{Person as P, World, unit};
use super::inputs;
use super::people::fixed;
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::case::{Case, FollowUp};
use crate::workflow::codes::{
    AssignmentRole, FollowUpKind, FollowUpStatus, HandlingKind, OutcomeMeaning, PromiseStatus,
};
use crate::workflow::decide::{Decision, Number};
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::succession::{Succession, hand_over};

use AssignmentRole::{CoHandler, Lead, Reference, Separate};

/// Unit `from` ends, unit `to` takes over and writes this word on its documents.
fn taken_over(world: &World, from: usize, to: usize, prefix: &str) -> Decision {
    let succession = Succession {
        from: unit(from),
        from_name: format!("第{from}局"),
        to: unit(to),
        to_name: format!("新{to}局"),
        to_prefix: prefix.to_owned(),
        reason: "机构改革".to_owned(),
    };
    hand_over(&world.case, &succession, world.env()).expect("a succession")
}

fn passed(world: &World, from: usize, to: usize) -> Case {
    taken_over(world, from, to, "新复").case
}

fn assigned(kind: HandlingKind, rows: &[(usize, AssignmentRole)]) -> World {
    World::individual().filed().assigned(kind, rows)
}

/// Unit and role of the rows that are live.
fn live(case: &Case) -> Vec<(usize, AssignmentRole)> {
    let number = |id| (0..10).find(|number| unit(*number) == id).unwrap();
    case.live_rows()
        .map(|row| (number(row.unit), row.role))
        .collect()
}

/// The row goes over as it stands, with its live reply and the number from the old unit's series, unless
/// the successor writes the same word.
#[test]
fn an_open_row_goes_over_with_its_reply() {
    let world = World::individual().sole().accepted(0).contacted(0);
    let world = world.drafted(0, OutcomeMeaning::Resolved).signed(0);
    let before = world.case.clone();
    let document = before.replies[0].document.clone().unwrap();
    assert!(document.number.is_some());
    for (prefix, again) in [("新复", false), (document.prefix.as_str(), true)] {
        let done = taken_over(&world, 0, 5, prefix);
        let (row, reply) = (&done.case.assignments[0], &done.case.replies[0]);
        assert_eq!((row.unit, row.unit_name.as_str()), (unit(5), "新5局"));
        assert_eq!(row.status, before.assignments[0].status);
        assert_eq!(
            (reply.unit, reply.status),
            (unit(5), before.replies[0].status)
        );
        let number = reply.document.as_ref().unwrap().number;
        assert_eq!(number, document.number.filter(|_| !again));
        let numbers = done.numbers.iter();
        let numbers = numbers.filter(|one| matches!(one, Number::Document(id) if *id == reply.id));
        assert_eq!(numbers.count(), usize::from(again));
        assert_eq!(done.case.clocks, before.clocks, "clocks run on");
    }
}

/// Only open rows of that unit, while the case is under way.
#[test]
fn what_has_ended_stays_with_the_unit() {
    let rows = [(0, Separate), (1, Separate), (2, Separate)];
    let world = assigned(HandlingKind::Separate, &rows);
    let world = world.answered(0, OutcomeMeaning::Resolved);
    assert_eq!(live(&passed(&world, 0, 5)), rows, "replied");
    assert_eq!(live(&passed(&world, 7, 5)), rows, "not in the case");
    let one = [(0, Separate), (5, Separate), (2, Separate)];
    assert_eq!(live(&passed(&world, 1, 5)), one);
    assert_eq!(passed(&world, 1, 5).replies[0].unit, unit(0));
    // Where the successor has replied already, its row is no open one: both stand.
    let both = [(0, Separate), (0, Separate), (2, Separate)];
    assert_eq!(live(&passed(&world, 1, 0)), both);

    let rows = [(0, Lead), (3, Reference)];
    let mut world = assigned(HandlingKind::Sole, &rows);
    assert_eq!(live(&passed(&world, 3, 5)), [(0, Lead), (5, Reference)]);
    world = world.answered(0, OutcomeMeaning::Resolved);
    assert_eq!(world.status(), ProposalStatus::Handled);
    assert_eq!(live(&passed(&world, 3, 5)), rows, "not under way");

    let mut early = World::individual().submit();
    let urgent = inputs::urgent(&[3]);
    early.on_proposal(
        P::Chair,
        crate::workflow::proposal::ProposalAction::MarkUrgent,
        urgent,
    );
    assert_eq!(live(&passed(&early, 3, 5)), [(5, Reference)]);
}

/// I5, I4: of two rows of one unit the stronger role stays, and the handling kind follows what is left.
#[test]
fn the_stronger_role_stays() {
    let joint = [(0, Lead), (1, CoHandler), (2, CoHandler)];
    let two = [(0, Lead), (1, CoHandler)];
    let separate = [(0, Separate), (1, Separate), (2, Separate)];
    let copied = [(0, Lead), (1, CoHandler), (3, Reference)];
    for (kind, rows, from, to, left, then) in [
        (
            HandlingKind::Joint,
            &joint[..],
            1,
            0,
            &[(0, Lead), (2, CoHandler)][..],
            HandlingKind::Joint,
        ),
        (
            HandlingKind::Joint,
            &joint,
            0,
            1,
            &[(1, Lead), (2, CoHandler)],
            HandlingKind::Joint,
        ),
        (
            HandlingKind::Joint,
            &joint,
            1,
            2,
            &[(0, Lead), (2, CoHandler)],
            HandlingKind::Joint,
        ),
        (
            HandlingKind::Joint,
            &two,
            1,
            0,
            &[(0, Lead)],
            HandlingKind::Sole,
        ),
        (
            HandlingKind::Joint,
            &two,
            0,
            1,
            &[(1, Lead)],
            HandlingKind::Sole,
        ),
        (
            HandlingKind::Joint,
            &copied,
            1,
            3,
            &[(0, Lead), (3, CoHandler)],
            HandlingKind::Joint,
        ),
        (
            HandlingKind::Joint,
            &copied,
            3,
            1,
            &[(0, Lead), (1, CoHandler)],
            HandlingKind::Joint,
        ),
        (
            HandlingKind::Separate,
            &separate,
            2,
            0,
            &[(0, Separate), (1, Separate)],
            HandlingKind::Separate,
        ),
        (
            HandlingKind::Separate,
            &separate[..2],
            1,
            0,
            &[(0, Lead)],
            HandlingKind::Sole,
        ),
    ] {
        let world = assigned(kind, rows);
        let case = passed(&world, from, to);
        assert_eq!(live(&case), left, "{from} to {to} of {rows:?}");
        assert_eq!(case.proposal.handling_kind, Some(then));
        let ended = case.assignments.iter();
        let void = ended.filter(|row| row.status == AssignmentStatus::Void);
        assert_eq!(void.count(), rows.len() - left.len());
    }
    // Each answers for its part: the one that stays answers for both.
    let case = passed(&assigned(HandlingKind::Separate, &separate), 2, 0);
    let parts: Vec<_> = case.live_rows().map(|row| row.part.clone()).collect();
    let expected = ["第0部分；第2部分", "第1部分"].map(|part| Some(part.to_owned()));
    assert_eq!(parts, expected);
}

/// A unit for reference has no part to answer for, whatever its row says.
#[test]
fn only_separate_rows_join_their_parts() {
    let rows = [(0, Separate), (1, Separate), (3, Reference)];
    let mut world = assigned(HandlingKind::Separate, &rows);
    world.case.assignments[2].part = Some("参阅".to_owned());
    let case = passed(&world, 3, 0);
    assert_eq!(case.assignments[0].part.as_deref(), Some("第0部分"));
}

/// I33: the succession is told of the row that was the ended unit's, whether it goes on or ends.
#[test]
fn a_succession_is_told_of_the_row_that_passed() {
    let rows = [(0, Lead), (1, CoHandler), (2, CoHandler)];
    let world = assigned(HandlingKind::Joint, &rows);
    for (from, to) in [(0, 1), (1, 0), (1, 5)] {
        let done = taken_over(&world, from, to, "新复");
        let told = done.happened.iter().filter(|one| one.rule == "AT18");
        let told: Vec<_> = told.map(|one| one.target).collect();
        assert_eq!(told, [world.row_target(from)], "{from} to {to}");
    }
}

/// I28: open promises pass whatever became of the case, and those that were settled do not.
#[test]
fn open_promises_pass_and_settled_ones_stay() {
    let rows = [(0, Separate), (1, Separate)];
    let mut world = assigned(HandlingKind::Separate, &rows);
    for number in [0, 1] {
        world = world.answered(number, OutcomeMeaning::Planned);
    }
    let units = |case: &Case| -> Vec<_> { case.promises.iter().map(|one| one.unit).collect() };
    assert_eq!(units(&world.case), [unit(0), unit(1)]);
    let case = passed(&world, 0, 5);
    assert_eq!(units(&case), [unit(5), unit(1)]);
    let replies: Vec<_> = case.replies.iter().map(|reply| reply.unit).collect();
    assert_eq!(replies, [unit(0), unit(1)], "who delivered it");
    for status in PromiseStatus::ALL {
        let mut world = world.clone();
        world.case.promises[0].status = *status;
        let open = *status == PromiseStatus::Open;
        let expected = if open { unit(5) } else { unit(0) };
        assert_eq!(units(&passed(&world, 0, 5))[0], expected, "{status}");
    }
}

/// Urgings and instructions that wait for an answer wait for the successor's.
#[test]
fn open_entries_pass() {
    let mut world = World::individual().sole();
    let entry = |number: usize, status| FollowUp {
        id: fixed(12, number),
        act: fixed(12, number),
        kind: FollowUpKind::Urging,
        status,
        unit: Some(unit(number)),
        rater: None,
        promise: None,
        due_on: None,
        restricted: false,
    };
    world.case.follow_ups = vec![
        entry(0, FollowUpStatus::Open),
        entry(1, FollowUpStatus::Open),
        entry(0, FollowUpStatus::Answered),
        entry(0, FollowUpStatus::Recorded),
    ];
    let case = passed(&world, 0, 5);
    let units: Vec<_> = case.follow_ups.iter().map(|one| one.unit).collect();
    assert_eq!(units, [5, 1, 0, 0].map(|number| Some(unit(number))));
}

/// I33: the trail says which unit took over from which, by name and identifier, and why.
#[test]
fn the_trail_names_both_units() {
    let world = World::individual().sole().accepted(0);
    let done = taken_over(&world, 0, 5, "新复");
    let mut passed = done.happened.iter().filter(|one| one.rule == "AT18");
    let told = &passed.next().expect("AT18").input;
    assert_eq!(told["from_unit_id"], serde_json::json!(unit(0)));
    assert_eq!(told["to_unit_id"], serde_json::json!(unit(5)));
    assert_eq!(
        (&told["from_unit"], &told["to_unit"]),
        (&"第0局".into(), &"新5局".into())
    );
    assert_eq!(told["reason"], "机构改革");
}
