//! When a case is looked at again: the next moment of each clock, which acts set it, and what the worker does
//! when it has come.

use jiff::{SignedDuration, Timestamp};

use super::fixture::{Person as P, World};
use super::inputs;
use crate::workflow::calendar::Calendar;
use crate::workflow::case::{Clock, ClockChange};
use crate::workflow::codes::{ClockKind, OutcomeMeaning};
use crate::workflow::deadline::fixed;
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::reminders::{Plan, Step, morning};
use crate::workflow::wake::{advance, next};

const TICK: SignedDuration = SignedDuration::from_micros(1);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn plan(steps: &[u32]) -> Plan<'_> {
    Plan {
        steps,
        calendar: Calendar::builtin(),
    }
}

fn k10(world: &World) -> Clock {
    world.clock(ClockKind::K10, world.row(0).id.cast()).clone()
}

/// Counting rule 1: overdue just after the end; a pause is over at the beginning of the day on which the
/// clock goes on; of a promise, and of nothing else, a new year begins. Always later than the moment
/// asked about.
#[test]
fn the_next_moment_is_the_first_at_which_something_becomes_true() {
    let world = World::individual().sole();
    let mut clock = k10(&world);
    clock.due_at = fixed("2026-12-30".parse().unwrap()).at;
    let (end, on_day) = (clock.due_at, morning("2026-12-30".parse().unwrap()));
    let after = morning("2026-12-31".parse().unwrap());
    for (from, expected) in [
        (on_day - TICK, Some(on_day)),
        (on_day, Some(end + TICK)),
        (end, Some(end + TICK)),
        (end + TICK, Some(after)),
        (after, None),
    ] {
        assert_eq!(next(&clock, from, plan(&[])), expected, "{from}");
    }
    let mut promise = clock.clone();
    promise.kind = ClockKind::K15;
    let new_year = at("2026-12-31T16:00:00Z");
    assert_eq!(next(&promise, after, plan(&[])), Some(new_year));
    let following = at("2027-12-31T16:00:00Z");
    assert_eq!(next(&promise, new_year, plan(&[])), Some(following));
    let mut paused = clock.clone();
    paused.changes.push(ClockChange::Paused {
        from: "2026-05-06".parse().unwrap(),
        until: "2026-05-20".parse().unwrap(),
        ended: false,
    });
    let from = at("2026-05-06T02:00:00Z");
    let over = at("2026-05-19T16:00:00Z");
    assert_eq!(next(&paused, from, plan(&[])), Some(over));
    assert_eq!(next(&paused, over, plan(&[])), Some(on_day));
    clock.stopped_at = Some(from);
    assert_eq!(next(&clock, from, plan(&[])), None);
}

/// An act sets the moment of the clocks that it started, moved or stopped; what has come meanwhile for
/// another is not passed over.
#[test]
fn an_act_leaves_the_moment_of_other_clocks() {
    let mut world = World::individual().sole().accepted(0);
    let past = world.now;
    for clock in &mut world.case.clocks {
        clock.wake_at = Some(past);
    }
    world.wait(1);
    let before = world.case.clocks.clone();
    world = world.contacted(0);
    let until = crate::workflow::calendar::add_days(world.env().today(), 5);
    world.on_row(0, inputs::ASK_PAUSE, inputs::ask_pause(until));
    let row = world.row_target(0);
    let officer = P::Officer(crate::workflow::role::Line::Government);
    world.granted(officer, row, inputs::PAUSE, &inputs::pause(None).into());
    for (old, new) in before.iter().zip(&world.case.clocks) {
        let moved = (old.stopped_at, old.due_at) != (new.stopped_at, new.due_at);
        let touched = [ClockKind::K07, ClockKind::K10].contains(&new.kind);
        assert_eq!(moved, touched, "{}", new.kind);
        assert_eq!(new.wake_at == Some(past), !touched, "{}", new.kind);
        if touched {
            let steps = plan(&world.profile.reminder_steps);
            assert_eq!(new.wake_at, next(new, world.now, steps), "{}", new.kind);
        }
    }
}

/// The worker moves on each clock whose moment has come, and no other, and tells the last reminder that
/// was missed.
#[test]
fn the_worker_moves_on_what_has_come() {
    let world = World::individual()
        .sole()
        .answered(0, OutcomeMeaning::Resolved);
    let moments: Vec<_> = world
        .case
        .clocks
        .iter()
        .map(|clock| clock.wake_at)
        .collect();
    let first = moments.iter().flatten().min().copied().unwrap();
    for (now, none) in [(first - TICK, true), (first, false), (first + TICK, false)] {
        let mut case = world.case.clone();
        let profile = &world.profile;
        let (moved, told) = advance(&mut case, now, profile, Calendar::builtin());
        assert_eq!(moved.is_empty(), none);
        for (clock, old) in case.clocks.iter().zip(&moments) {
            let has_come = old.is_some_and(|at| at <= now);
            assert_eq!(moved.contains(clock), has_come);
            let steps = plan(&profile.reminder_steps);
            let expected = if has_come {
                next(clock, now, steps)
            } else {
                *old
            };
            assert_eq!(clock.wake_at, expected);
        }
        assert_eq!(told.is_empty(), none, "it is a reminder");
    }
    // After a rest: the last reminder of each clock, once.
    let mut case = world.case.clone();
    let later = world.now + SignedDuration::from_hours(24 * 200);
    let (_, told) = advance(&mut case, later, &world.profile, Calendar::builtin());
    assert!(told.iter().all(|one| one.step == Step::Overdue));
    let mut kinds: Vec<_> = told.iter().map(|one| one.kind).collect();
    kinds.sort();
    assert_eq!(kinds, [ClockKind::K12, ClockKind::K17, ClockKind::K18]);
    let again = advance(&mut case, later, &world.profile, Calendar::builtin());
    assert_eq!((again.0.len(), again.1.len()), (0, 0));
    let mut started = World::individual();
    started.on_proposal(P::Member(0), Do::Submit, crate::workflow::input::NoInput {});
    assert!(started.case.clocks.iter().all(|one| one.wake_at.is_some()));
}
