//! When reminders go out, and to whom.

use jiff::Timestamp;

use super::fixture::{World, unit};
use crate::workflow::calendar::Calendar;
use crate::workflow::case::{Case, Clock, ClockChange};
use crate::workflow::codes::ClockKind;
use crate::workflow::deadline::fixed;
use crate::workflow::desk::Audience;
use crate::workflow::reminders::{Plan, Step, digest_day, morning, reminder};
use crate::workflow::role::{Line, Role};
use crate::workflow::wake;

const STEPS: [u32; 4] = [15, 7, 3, 1];

fn plan() -> Plan<'static> {
    Plan {
        steps: &STEPS,
        calendar: Calendar::builtin(),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn k10(world: &World) -> Clock {
    world.clock(ClockKind::K10, world.row(0).id.cast()).clone()
}

/// Every moment from the start on, in local days.
fn moments(clock: &Clock, mut after: Timestamp) -> Vec<String> {
    let mut list = Vec::new();
    while let Some(next) = plan().next(clock, after) {
        let step = plan().due(clock, next, next).unwrap();
        list.push(format!(
            "{} {step:?}",
            crate::workflow::deadline::local_date(next)
        ));
        assert_eq!(next, morning(crate::workflow::deadline::local_date(next)));
        after = next;
    }
    list
}

/// Due on Friday, 9 October 2026, after National Day; the Saturday after it is worked.
#[test]
fn steps_count_working_days_by_the_calendar() {
    let world = World::individual().sole();
    let mut clock = k10(&world);
    clock.due_at = fixed("2026-10-09".parse().unwrap()).at;
    let expected = [
        "2026-09-11 Ahead(15)",
        "2026-09-22 Ahead(7)",
        "2026-09-29 Ahead(3)",
        "2026-10-08 Ahead(1)",
        "2026-10-09 OnDay",
        "2026-10-10 Overdue",
    ];
    let found = moments(&clock, clock.started_at);
    assert_eq!(found, expected);
}

/// A clock that begins after a step is not reminded of it; hours end before the morning.
#[test]
fn nothing_is_told_before_the_start_or_after_the_end() {
    let world = World::joint().invite(&[1]);
    let clock = world
        .case
        .clocks
        .iter()
        .find(|one| one.kind == ClockKind::K01)
        .unwrap();
    // Monday 09:00, 24 hours: due on Tuesday at 09:00.
    assert_eq!(
        moments(clock, clock.started_at),
        ["2026-03-03 OnDay", "2026-03-04 Overdue"]
    );
}

/// Several steps were missed: only the last is told. An extension arms the steps again.
#[test]
fn one_reminder_after_a_rest_and_all_again_after_an_extension() {
    let world = World::individual().sole();
    let mut clock = k10(&world);
    let due = plan().due(&clock, clock.started_at, at("2026-05-29T01:00:00Z"));
    assert_eq!(due, Some(Step::Ahead(3)));
    clock.due_at = fixed("2026-07-31".parse().unwrap()).at;
    let again = wake::next(&clock, at("2026-05-29T01:00:00Z"), plan());
    assert_eq!(again, Some(at("2026-07-10T00:00:00Z")));
    clock.stopped_at = Some(clock.started_at);
    assert_eq!(wake::next(&clock, clock.started_at, plan()), None);
}

/// The clerk is reminded; what has passed goes to signatory and supervision.
#[test]
fn reminders_go_to_those_who_owe_and_further_up() {
    let world = World::individual().sole().accepted(0);
    let clock = k10(&world);
    let of = |step| {
        reminder(&world.case, &clock, step, &world.profile)
            .unwrap()
            .audiences
    };
    let clerk = Audience::unit(Role::UnitClerk, unit(0));
    assert_eq!(of(Step::Ahead(7)), std::slice::from_ref(&clerk));
    let mut all = vec![
        clerk,
        Audience::unit(Role::UnitSignatory, unit(0)),
        Audience::role(Role::SupervisionOfficer),
    ];
    all.sort();
    assert_eq!(of(Step::Overdue), all);
    // Answered: nobody owes anything.
    let done = world
        .contacted(0)
        .drafted(0, crate::workflow::codes::OutcomeMeaning::Resolved);
    let done = done.signed(0).approved(0).delivered(0);
    assert_eq!(
        reminder(&done.case, &clock, Step::OnDay, &done.profile),
        None
    );
}

/// Until half past eight of a working day today's digest takes it; a reminder at any time.
#[test]
fn digests_go_out_on_working_days() {
    let calendar = Calendar::builtin();
    let day = |moment: &str, reminder| digest_day(at(moment), reminder, calendar).to_string();
    assert_eq!(day("2026-03-02T00:10:00Z", false), "2026-03-02");
    assert_eq!(day("2026-03-02T00:29:59Z", false), "2026-03-02");
    assert_eq!(day("2026-03-02T00:30:00Z", false), "2026-03-03");
    assert_eq!(day("2026-03-02T04:00:00Z", true), "2026-03-02");
    assert_eq!(day("2026-03-06T04:00:00Z", false), "2026-03-09");
    // Saturday; then a Saturday that is worked (28 February 2026).
    assert_eq!(day("2026-03-07T00:00:00Z", true), "2026-03-09");
    assert_eq!(day("2026-02-27T04:00:00Z", false), "2026-02-28");
}

/// While a clock stands still nobody is reminded of it; on the day it goes on it is in force again.
/// Nothing is told of one that has stopped or has no end, nor ahead of an end that comes with the
/// morning.
#[test]
fn a_clock_that_stands_still_is_not_told_of() {
    let world = World::individual().sole();
    let mut clock = k10(&world);
    clock.due_at = fixed("2026-10-09".parse().unwrap()).at;
    let paused = |until: &str, ended| ClockChange::Paused {
        from: "2026-09-01".parse().unwrap(),
        until: until.parse().unwrap(),
        ended,
    };
    let all = moments(&clock, clock.started_at);
    for (until, ended, left) in [
        ("2026-09-29", false, &all[2..]),
        ("2026-09-30", false, &all[3..]),
        ("2026-09-30", true, &all[..]),
        ("2026-10-09", false, &all[4..]),
    ] {
        let mut clock = clock.clone();
        clock.changes.push(paused(until, ended));
        assert_eq!(moments(&clock, clock.started_at), left, "{until}");
    }
    let (start, end) = (clock.started_at, at("2027-01-01T00:00:00Z"));
    let mut open = clock.clone();
    open.due_at = Timestamp::MAX;
    clock.stopped_at = Some(start);
    for clock in [clock, open] {
        assert_eq!(plan().next(&clock, start), None);
        assert_eq!(plan().due(&clock, start, end), None);
    }
    let world = World::joint().invite(&[1]);
    let mut hours = world.case.clocks[0].clone();
    hours.due_at = at("2026-03-03T00:00:00Z");
    let left = ["2026-03-04 Overdue"];
    assert_eq!(moments(&hours, hours.started_at), left, "due at eight");
}

/// K17, K18 stand on no desk: staff are told. What is owed by an office goes up to the supervision once
/// the case is filed; what is owed by proposers and staff does not.
#[test]
fn what_is_owed_by_units_and_offices_goes_further_up() {
    let filed = World::individual().filed();
    let handled = World::individual()
        .sole()
        .answered(0, crate::workflow::codes::OutcomeMeaning::Resolved);
    let staff = Audience::role(Role::CommitteeStaff);
    let officer = Audience::line(Line::Government);
    let supervision = Audience::role(Role::SupervisionOfficer);
    let rater = Audience::member(super::people::member(0));
    for (world, kind, owing, up) in [
        (&filed, ClockKind::K04, &officer, true),
        (&filed, ClockKind::K17, &staff, false),
        (&handled, ClockKind::K18, &staff, false),
        (&handled, ClockKind::K12, &rater, false),
    ] {
        let clocks = world.case.clocks.iter();
        let mut running = clocks.filter(|one| one.kind == kind && one.stopped_at.is_none());
        let clock = running.next().unwrap();
        let of = |case: &Case, step| {
            let told = reminder(case, clock, step, &world.profile);
            told.map(|one| one.audiences).unwrap_or_default()
        };
        assert_eq!(
            of(&world.case, Step::OnDay),
            std::slice::from_ref(owing),
            "{kind}"
        );
        let mut all = vec![owing.clone()];
        all.extend(up.then(|| supervision.clone()));
        all.sort();
        assert_eq!(of(&world.case, Step::Overdue), all, "{kind}");
        let mut early = world.case.clone();
        early.proposal.filed_at = None;
        assert_eq!(
            of(&early, Step::Overdue),
            std::slice::from_ref(owing),
            "not filed"
        );
    }
}
