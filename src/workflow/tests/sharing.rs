//! How units share a case: the shapes of I4, who stands in a row (I5), and giving a case back
//! (AT04–AT07, I7–I9).

use super::fixture::{Person as P, UNITS, World, unit};
use super::inputs;
use super::stories::{unmet, wrong};
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::codes::{AssignmentRole, Grade, HandlingKind, OutcomeMeaning, RequestKind};
use crate::workflow::decide::Target;
use crate::workflow::input::{AcceptIn, AssignIn, RequestReturnIn};
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::refusal::Refusal;
use crate::workflow::role::Line;
use crate::workflow::rule::Action;

use AssignmentRole::{CoHandler, Lead, Reference, Separate};

const OFFICER: P = P::Officer(Line::Government);

fn refused(world: &mut World, input: AssignIn) -> Refusal {
    let assign = Action::Proposal(Do::Assign);
    world.refused(OFFICER, Target::Proposal, assign, input)
}

fn joint() -> World {
    let filed = World::individual().filed();
    filed.assigned(HandlingKind::Joint, &[(0, Lead), (1, CoHandler)])
}

fn separate(units: &[usize]) -> World {
    let rows: Vec<_> = units.iter().map(|unit| (*unit, Separate)).collect();
    let filed = World::individual().filed();
    filed.assigned(HandlingKind::Separate, &rows)
}

/// I4, every kind against every count; units for reference change nothing.
#[test]
fn each_kind_of_handling_has_its_shape() {
    let filed = World::individual().filed();
    for lead in 0..=2 {
        for co in [0, 1, 2, 30, 31] {
            for separate in 0..=3 {
                let roles = [(Lead, lead), (CoHandler, co), (Separate, separate)];
                let roles = roles.into_iter().chain([(Reference, 1)]);
                let roles = roles.flat_map(|(role, many)| std::iter::repeat_n(role, many));
                let rows: Vec<_> = roles.enumerate().collect();
                if rows.len() > UNITS {
                    continue;
                }
                for kind in HandlingKind::ALL {
                    let fits = match kind {
                        HandlingKind::Sole => (lead, co, separate) == (1, 0, 0),
                        HandlingKind::Joint => lead == 1 && (1..=30).contains(&co) && separate == 0,
                        HandlingKind::Separate => lead == 0 && co == 0 && separate >= 2,
                    };
                    let mut world = filed.clone();
                    let input = inputs::assign(*kind, inputs::rows(&rows));
                    if fits {
                        world.on_proposal(OFFICER, Do::Assign, input);
                        assert_eq!(world.case.assignments.len(), rows.len());
                    } else {
                        let refusal = refused(&mut world, input);
                        assert_eq!(wrong(&refusal).1, "/rows", "{kind} {lead} {co} {separate}");
                    }
                }
            }
        }
    }
}

/// I5: a unit stands in one row, and is known and active; each part of separate handling is named.
#[test]
fn a_row_is_of_an_active_unit_that_stands_there_once() {
    let mut world = World::individual().filed();
    let of = |kind, rows: &[(usize, AssignmentRole)]| inputs::assign(kind, inputs::rows(rows));
    for (rows, code, place) in [
        (vec![(UNITS, Lead), (1, CoHandler)], "unknown_unit", 0),
        (vec![(0, Lead), (UNITS + 5, CoHandler)], "unknown_unit", 1),
        (vec![(0, Lead), (0, CoHandler)], "duplicate", 1),
        (
            vec![(0, Lead), (1, CoHandler), (1, Reference)],
            "duplicate",
            2,
        ),
    ] {
        let refusal = refused(&mut world, of(HandlingKind::Joint, &rows));
        assert_eq!(wrong(&refusal), (code, format!("/rows/{place}/unit_id")));
    }
    let mut input = of(HandlingKind::Separate, &[(0, Separate), (1, Separate)]);
    input.rows[1].part = None;
    let refusal = refused(&mut world, input);
    assert_eq!(wrong(&refusal), ("required", "/rows/1/part".to_owned()));

    let mut world = joint();
    let row = world.row_target(0);
    for (number, code) in [(UNITS, "unknown_unit"), (1, "duplicate"), (0, "duplicate")] {
        let input = inputs::suggest(number);
        let refusal = world.refused(P::UnitClerk(0), row, inputs::SUGGEST, input);
        assert_eq!(wrong(&refusal), (code, "/units/0".to_owned()));
    }
    world.on_row(0, inputs::SUGGEST, inputs::suggest(2));
}

/// AT17, I4: one row ends where the others still make a whole.
#[test]
fn a_row_is_void_where_the_others_make_a_whole() {
    let filed = || World::individual().filed();
    let three = [(0, Lead), (1, CoHandler), (2, CoHandler)];
    let copied = [(0, Lead), (1, Reference)];
    for (mut world, number, granted) in [
        (joint(), 0, false),
        (joint(), 1, false),
        (filed().assigned(HandlingKind::Joint, &three), 0, false),
        (filed().assigned(HandlingKind::Joint, &three), 2, true),
        (filed().assigned(HandlingKind::Sole, &copied), 0, false),
        (separate(&[0, 1]), 1, false),
        (separate(&[0, 1, 2]), 1, true),
    ] {
        let row = world.row_target(number);
        let input = inputs::reason_in();
        if granted {
            world.granted(OFFICER, row, inputs::VOID, &input.into());
            let rows = world.case.assignments.iter();
            let void = rows.filter(|row| row.status == AssignmentStatus::Void);
            let units: Vec<_> = void.map(|row| row.unit).collect();
            assert_eq!(units, [unit(number)]);
        } else {
            let refusal = world.refused(OFFICER, row, inputs::VOID, input);
            assert_eq!(unmet(&refusal), ["whole_without_row"], "{number}");
        }
    }
}

/// AT04: a reason of ten characters, and another active unit, which `return.requires_suggested_unit`
/// asks for or not.
#[test]
fn a_return_says_why_and_who_instead() {
    let because = |reason: &str| RequestReturnIn {
        reason: reason.to_owned(),
        ..inputs::ask_return(Some(1))
    };
    let reason = ("min_length", "/reason".to_owned());
    let place = || "/suggested_unit_id".to_owned();
    let mut world = World::individual().sole();
    let row = world.row_target(0);
    for (input, expected) in [
        (because("不属我局职责范围。"), reason.clone()),
        (because("  不属我局职责范围。   "), reason),
        (inputs::ask_return(None), ("required", place())),
        (inputs::ask_return(Some(0)), ("duplicate", place())),
        (inputs::ask_return(Some(UNITS)), ("unknown_unit", place())),
    ] {
        let refusal = world.refused(P::UnitClerk(0), row, inputs::ASK_RETURN, input);
        assert_eq!(wrong(&refusal), expected);
    }
    let mut free = world.clone();
    free.profile.return_requires_unit = false;
    free.on_row(0, inputs::ASK_RETURN, inputs::ask_return(None));
    for input in [
        because("确不属我局职责范围。"),
        because("不属我局职责范围，请改办。"),
    ] {
        let mut world = world.clone();
        world.on_row(0, inputs::ASK_RETURN, input);
        assert_eq!(world.row(0).status, AssignmentStatus::ReturnRequested);
    }
}

/// AT05: who gave the case back does not get the same row again; in another role it may help.
#[test]
fn who_gave_a_case_back_may_only_help() {
    let mut world = World::individual().sole();
    world.on_row(0, inputs::ASK_RETURN, inputs::ask_return(Some(1)));
    let row = world.row_target(0);
    for (rows, place) in [(vec![(0, Lead)], 0), (vec![(1, CoHandler), (0, Lead)], 1)] {
        let input = inputs::grant_return(&rows);
        let refusal = world.refused(OFFICER, row, inputs::GRANT_RETURN, input);
        let place = format!("/replacement/{place}/unit_id");
        assert_eq!(wrong(&refusal), ("same_unit", place));
    }
    let mut input = inputs::grant_return(&[(1, Lead), (0, CoHandler)]);
    input.handling_kind = Some(HandlingKind::Joint);
    world.granted(OFFICER, row, inputs::GRANT_RETURN, &input.into());
    assert_eq!(world.row(1).role, Lead);
    assert_eq!(world.row(0).role, CoHandler);
}

/// AT07: only the dispute about this row goes further up.
#[test]
fn only_the_return_of_the_row_is_escalated() {
    let mut world = separate(&[0, 1]);
    world.on_row(0, inputs::SUGGEST, inputs::suggest(4));
    for number in [0, 1] {
        world.on_row(number, inputs::ASK_RETURN, inputs::ask_return(Some(5)));
    }
    let row = world.row_target(0);
    let input = inputs::escalate().into();
    world.granted(OFFICER, row, inputs::ESCALATE, &input);
    let own = world.row(0).id;
    for request in &world.case.requests {
        let this = request.kind == RequestKind::Return && request.assignment == Some(own);
        assert_eq!(request.escalated, this, "{request:?}");
        assert_eq!(request.form.statement.is_some(), this);
    }
}

/// PT24, AT01: a unit goes on with its own clerk; who comes anew, or again in another role, has none yet.
#[test]
fn a_row_carried_over_keeps_the_clerk_of_its_unit() {
    let mut world = separate(&[0, 1]);
    let clerk = |number: usize| format!("经办{number}");
    for number in [0, 1] {
        let input = AcceptIn {
            clerk_name: clerk(number),
            ..inputs::accept()
        };
        world.on_row(number, inputs::ACCEPT, input);
        world = world
            .contacted(number)
            .drafted(number, OutcomeMeaning::Resolved)
            .signed(number)
            .approved(number)
            .delivered(number);
    }
    for number in [0, 1] {
        let form = inputs::feedback(world.reply_id(number), Grade::Dissatisfied);
        world.on_proposal(P::Member(0), Do::GiveFeedback, form);
    }
    let rows = [(0, Separate), (1, Separate), (2, Separate)];
    let round = inputs::rehandle_with(HandlingKind::Separate, &rows);
    world.on_proposal(OFFICER, Do::Rehandle, round);
    let named = [0, 1, 2].map(|number| world.row(number).clerk_name.clone());
    assert_eq!(named, [Some(clerk(0)), Some(clerk(1)), None]);
    let carried = [0, 1, 2].map(|number| world.row(number).carried_over);
    assert_eq!(carried, [true, true, false], "I9");

    let mut world = World::individual().sole().accepted(0);
    world.on_row(0, inputs::ASK_RETURN, inputs::ask_return(Some(1)));
    let row = world.row_target(0);
    let mut input = inputs::grant_return(&[(1, Lead), (0, CoHandler)]);
    input.handling_kind = Some(HandlingKind::Joint);
    world.granted(OFFICER, row, inputs::GRANT_RETURN, &input.into());
    assert_eq!(world.row(0).clerk_name, None);
    assert_eq!(world.row(0).status, AssignmentStatus::Pending);
}
