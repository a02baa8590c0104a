//! Extensions and pauses at their edges (AT11–AT15): how far a clock may be moved (I25), from what its end is
//! counted (I24, counting rules 5 to 7), and which clock an act moves.

use jiff::civil::{Date, date};

use super::fixture::{Person as P, World};
use super::inputs;
use super::stories::wrong;
use crate::workflow::calendar::{Calendar, add_days};
use crate::workflow::case::{Clock, ClockChange};
use crate::workflow::codes::{AssignmentRole, ClockKind, HandlingKind, RequestKind, RequestStatus};
use crate::workflow::deadline::{fixed, last_day};
use crate::workflow::extension::due_of;
use crate::workflow::input::Input;
use crate::workflow::profile::ExtensionApprover;
use crate::workflow::role::Line;
use crate::workflow::rule::Action;

const OFFICER: P = P::Officer(Line::Government);

fn at(world: &mut World, moment: &str) {
    world.now = moment.parse().unwrap();
}

/// Assigned and accepted on 25 March 2026: unit 0 owes the reply by 25 June, unit 1 its opinion by
/// 27 April, a Monday.
fn in_march() -> World {
    use AssignmentRole::{CoHandler, Lead};
    let mut world = World::individual();
    at(&mut world, "2026-03-25T02:00:00Z");
    let filed = world.filed();
    let assigned = filed.assigned(HandlingKind::Joint, &[(0, Lead), (1, CoHandler)]);
    assigned.accepted(0).accepted(1)
}

fn decide(world: &mut World, number: usize, action: Action, input: impl Into<Input>) {
    let target = world.row_target(number);
    world.granted(OFFICER, target, action, &input.into());
}

fn own(world: &World, number: usize) -> &Clock {
    let kind = [ClockKind::K10, ClockKind::K08][number];
    world.clock(kind, world.row(number).id.cast())
}

fn ends(world: &World, number: usize) -> Date {
    last_day(own(world, number).due_at)
}

fn status(world: &World, kind: RequestKind) -> RequestStatus {
    let mut requests = world.case.requests.iter();
    requests.rfind(|one| one.kind == kind).unwrap().status
}

/// Counting rule 6, I25: a new date is later than the present one and inside the cap: of a reply
/// six months from its start, of an opinion one more month. The same holds for the date asked for and for
/// the one that is granted.
#[test]
fn a_new_date_is_later_and_inside_the_cap() {
    let world = in_march();
    for (number, date, code) in [
        (0, date(2026, 6, 24), Some("not_later")),
        (0, date(2026, 6, 25), Some("not_later")),
        (0, date(2026, 6, 26), None),
        // 25 September begins the Mid-Autumn holiday: the cap rolls.
        (0, date(2026, 9, 28), None),
        (0, date(2026, 9, 29), Some("over_the_cap")),
        (1, date(2026, 4, 27), Some("not_later")),
        (1, date(2026, 4, 28), None),
        (1, date(2026, 5, 27), None),
        (1, date(2026, 5, 28), Some("over_the_cap")),
    ] {
        let ask = |date| inputs::ask_extension(date);
        let mut asked = world.clone();
        let row = asked.row_target(number);
        let mut granted = world.clone();
        granted.on_row(
            number,
            inputs::ASK_EXTENSION,
            ask(add_days(ends(&world, number), 2)),
        );
        let input = inputs::grant_extension(Some(date));
        if let Some(code) = code {
            let who = P::UnitClerk(number);
            let refusal = asked.refused(who, row, inputs::ASK_EXTENSION, ask(date));
            assert_eq!(wrong(&refusal), (code, "/new_date".to_owned()), "{date}");
            let refusal = granted.refused(OFFICER, row, inputs::GRANT_EXTENSION, input);
            assert_eq!(wrong(&refusal), (code, "/new_date".to_owned()), "{date}");
        } else {
            asked.on_row(number, inputs::ASK_EXTENSION, ask(date));
            let started = asked.running().contains(&ClockKind::K13);
            assert!(
                started && ends(&asked, number) == ends(&world, number),
                "I8"
            );
            decide(&mut granted, number, inputs::GRANT_EXTENSION, input);
            assert_eq!(own(&granted, number).due_at, fixed(date).at);
            assert_eq!(
                own(&granted, number).original_due,
                own(&world, number).due_at
            );
            assert_eq!(
                ends(&granted, 1 - number),
                ends(&world, 1 - number),
                "the other row"
            );
            assert_eq!(
                status(&granted, RequestKind::Extension),
                RequestStatus::Granted
            );
            assert!(!granted.running().contains(&ClockKind::K13));
        }
    }
}

/// AT12: a decision that comes late sets no date that has gone by; today is still in time.
#[test]
fn a_granted_date_is_not_past() {
    let mut world = in_march();
    let until = date(2026, 7, 10);
    world.on_row(0, inputs::ASK_EXTENSION, inputs::ask_extension(until));
    at(&mut world, "2026-07-10T02:00:00Z");
    let mut late = world.clone();
    late.wait(1);
    let row = late.row_target(0);
    let input = inputs::grant_extension(None);
    let refusal = late.refused(OFFICER, row, inputs::GRANT_EXTENSION, input.clone());
    assert_eq!(wrong(&refusal), ("in_past", "/new_date".to_owned()));
    decide(&mut world, 0, inputs::GRANT_EXTENSION, input);
    assert_eq!(ends(&world, 0), until);
}

/// `extension.approver`: together with the Proposals Committee its consent is on record, in words.
#[test]
fn the_proposals_committee_consents_where_the_profile_asks_for_it() {
    use ExtensionApprover::{AssigningOffice, WithProposalsCommittee};
    let mut world = in_march();
    let until = date(2026, 7, 10);
    world.on_row(0, inputs::ASK_EXTENSION, inputs::ask_extension(until));
    for (approver, consent, granted) in [
        (AssigningOffice, None, true),
        (WithProposalsCommittee, None, false),
        (WithProposalsCommittee, Some(" "), false),
        (WithProposalsCommittee, Some("提案委同意函"), true),
    ] {
        let mut world = world.clone();
        world.profile.extension_approver = approver;
        let mut input = inputs::grant_extension(None);
        input.committee_consent = consent.map(str::to_owned);
        let row = world.row_target(0);
        if granted {
            decide(&mut world, 0, inputs::GRANT_EXTENSION, input);
            assert_eq!(ends(&world, 0), until);
        } else {
            let refusal = world.refused(OFFICER, row, inputs::GRANT_EXTENSION, input);
            assert_eq!(
                wrong(&refusal),
                ("required", "/committee_consent".to_owned())
            );
        }
    }
}

/// AT11, AT13, I11: what a unit asks for has a reason and a named signatory; what is denied has a text, stops
/// the clock of the decision (K13) and moves nothing.
#[test]
fn requests_and_denials_say_why() {
    let mut world = in_march();
    let row = world.row_target(0);
    let by = P::UnitClerk(0);
    let later = date(2026, 7, 10);
    for (reason, signatory, place) in [(" ", "林涛", "/reason"), ("待标准发布。", "", "/signatory")]
    {
        let mut input = inputs::ask_extension(later);
        (input.reason, input.signatory) = (reason.to_owned(), signatory.to_owned());
        let refusal = world.refused(by, row, inputs::ASK_EXTENSION, input);
        assert_eq!(wrong(&refusal), ("required", place.to_owned()));
        let mut input = inputs::ask_pause(date(2026, 4, 1));
        (input.reason, input.signatory) = (reason.to_owned(), signatory.to_owned());
        let refusal = world.refused(by, row, inputs::ASK_PAUSE, input);
        assert_eq!(wrong(&refusal), ("required", place.to_owned()));
    }
    let before = own(&world, 0).clone();
    for (ask, deny, kind) in [
        (
            (inputs::ASK_EXTENSION, inputs::ask_extension(later).into()),
            inputs::DENY_EXTENSION,
            RequestKind::Extension,
        ),
        (
            (
                inputs::ASK_PAUSE,
                inputs::ask_pause(date(2026, 4, 1)).into(),
            ),
            inputs::DENY_PAUSE,
            RequestKind::Pause,
        ),
    ] {
        let (action, input): (Action, Input) = ask;
        world.on_row(0, action, input);
        assert!(world.running().contains(&ClockKind::K13));
        let mut blank = inputs::deny();
        blank.reason = String::new();
        let refusal = world.refused(OFFICER, row, deny, blank);
        assert_eq!(wrong(&refusal), ("required", "/reason".to_owned()));
        decide(&mut world, 0, deny, inputs::deny());
        assert_eq!(status(&world, kind), RequestStatus::Denied);
        assert!(!world.running().contains(&ClockKind::K13));
        assert_eq!(*own(&world, 0), before, "I8");
    }
}

/// AT13, AT14, `pause.max_days_total`, I25: a pause ends after today, all pauses together are inside what the
/// profile allows, and what they reach is inside the cap.
#[test]
fn a_pause_ends_later_and_inside_the_cap() {
    let world = in_march();
    let today = world.env().today();
    let place = "/expected_end".to_owned();
    let refuse = |world: &World, number: usize, until: Date, code| {
        let mut world = world.clone();
        let row = world.row_target(number);
        let who = P::UnitClerk(number);
        let input = inputs::ask_pause(until);
        let refusal = world.refused(who, row, inputs::ASK_PAUSE, input);
        assert_eq!(wrong(&refusal), (code, place.clone()), "{until}");
    };
    let pause = |world: &mut World, until| {
        world.on_row(0, inputs::ASK_PAUSE, inputs::ask_pause(until));
        decide(world, 0, inputs::PAUSE, inputs::pause(None));
    };
    for days in [-1, 0] {
        refuse(&world, 0, add_days(today, days), "in_past");
    }
    refuse(&world, 0, add_days(today, 31), "over_the_cap");
    for days in [1, 30] {
        pause(&mut world.clone(), add_days(today, days));
    }
    // Twelve days are gone: eighteen are left. Those of a pause that was cut short do not count.
    let mut again = world.clone();
    pause(&mut again, add_days(today, 12));
    again.wait(20);
    again.settle();
    let then = again.env().today();
    refuse(&again, 0, add_days(then, 19), "over_the_cap");
    pause(&mut again.clone(), add_days(then, 18));
    let mut short = world.clone();
    pause(&mut short, add_days(today, 12));
    short.wait(2);
    decide(&mut short, 0, inputs::RESUME, inputs::note());
    let then = short.env().today();
    refuse(&short, 0, add_days(then, 29), "over_the_cap");
    pause(&mut short.clone(), add_days(then, 28));

    // I25: extended to the cap already, it cannot be paused beyond.
    let mut extended = world.clone();
    let until = date(2026, 9, 24);
    extended.on_row(0, inputs::ASK_EXTENSION, inputs::ask_extension(until));
    decide(
        &mut extended,
        0,
        inputs::GRANT_EXTENSION,
        inputs::grant_extension(None),
    );
    extended.wait(1);
    let then = extended.env().today();
    refuse(&extended, 0, add_days(then, 5), "over_the_cap");
    let mut paused = extended.clone();
    pause(&mut paused, add_days(then, 4));
    assert_eq!(ends(&paused, 0), date(2026, 9, 28));
    // Of an opinion: one more month. The starting day was not counted.
    for (days, code) in [(33, None), (34, Some("over_the_cap"))] {
        let mut world = world.clone();
        world.profile.pause_max_days = 60;
        let until = add_days(today, days);
        match code {
            Some(code) => refuse(&world, 1, until, code),
            None => world.on_row(1, inputs::ASK_PAUSE, inputs::ask_pause(until)),
        }
    }
}

/// AT15, I23: what goes on is the pause that runs, with its resume day; what came before it, and the
/// clocks of other rows, stay as they are.
#[test]
fn only_the_running_pause_ends() {
    let mut world = in_march();
    let today = world.env().today();
    let pause = |world: &mut World, number: usize, days: i64| {
        let until = add_days(world.env().today(), days);
        world.on_row(number, inputs::ASK_PAUSE, inputs::ask_pause(until));
        decide(world, number, inputs::PAUSE, inputs::pause(None));
    };
    let pauses = |world: &World, number: usize| -> Vec<(i64, i64, bool)> {
        let changes = own(world, number).changes.iter();
        let paused = changes.filter_map(|change| match change {
            ClockChange::Paused { from, until, ended } => Some((from, until, ended)),
            _ => None,
        });
        let day = |date: &Date| crate::workflow::calendar::days_between(today, *date);
        paused
            .map(|(from, until, ended)| (day(from), day(until), *ended))
            .collect()
    };
    pause(&mut world, 1, 8);
    pause(&mut world, 0, 4);
    world.wait(5);
    world.settle();
    assert_eq!(pauses(&world, 0), [(0, 4, true)], "the agreed end");
    assert_eq!(pauses(&world, 1), [(0, 8, false)]);
    pause(&mut world, 0, 10);
    world.wait(1);
    decide(&mut world, 0, inputs::RESUME, inputs::note());
    assert_eq!(pauses(&world, 0), [(0, 4, true), (5, 6, true)]);
    assert_eq!(pauses(&world, 1), [(0, 8, false)]);
    // 25 June and five days, of which the starting day does not count.
    assert_eq!(ends(&world, 0), date(2026, 6, 29));
}

/// I24, counting rules 5 to 7: the end of a clock, from its start, its limit and what was decided since, in
/// order. A date that was set replaces what came before it and does not roll; a pause after it is added
/// to it, then it rolls.
#[test]
fn the_end_of_a_clock_follows_from_what_was_decided() {
    let paused = |from: (i8, i8), until: (i8, i8)| ClockChange::Paused {
        from: date(2026, from.0, from.1),
        until: date(2026, until.0, until.1),
        ended: true,
    };
    let extended = |on: (i8, i8), until: (i8, i8)| ClockChange::Extended {
        decided_on: date(2026, on.0, on.1),
        until: date(2026, until.0, until.1),
    };
    let relimited = || ClockChange::Relimited {
        on: date(2026, 4, 1),
        from: "30 cd".to_owned(),
        to: "3 mo".to_owned(),
    };
    let twelve = || paused((4, 10), (4, 22));
    let world = in_march();
    let months = "3 mo";
    for (limit, changes, expected) in [
        (months, vec![], (6, 25)),
        (months, vec![relimited()], (6, 25)),
        (months, vec![twelve()], (7, 7)),
        (
            months,
            vec![paused((4, 10), (4, 16)), paused((4, 20), (4, 26))],
            (7, 7),
        ),
        // 1 August is a Saturday.
        (months, vec![extended((4, 1), (8, 1))], (8, 1)),
        (months, vec![extended((4, 1), (7, 31)), twelve()], (8, 12)),
        (months, vec![twelve(), extended((4, 23), (7, 31))], (7, 31)),
        (
            months,
            vec![twelve(), extended((4, 23), (7, 31)), paused((5, 6), (5, 9))],
            (8, 3),
        ),
        (
            months,
            vec![
                extended((4, 1), (7, 31)),
                twelve(),
                extended((4, 23), (8, 1)),
            ],
            (8, 1),
        ),
        (
            months,
            vec![
                extended((4, 1), (7, 31)),
                extended((4, 9), (8, 31)),
                twelve(),
            ],
            (9, 14),
        ),
        ("until 2026-08-01", vec![], (8, 1)),
        // 13 August is a Thursday.
        ("until 2026-08-01", vec![twelve()], (8, 13)),
        (
            "until 2026-08-01",
            vec![twelve(), extended((4, 23), (8, 2))],
            (8, 2),
        ),
    ] {
        let mut clock = own(&world, 0).clone();
        clock.limit = limit.to_owned();
        clock.changes = changes;
        let due = due_of(&clock, Calendar::builtin());
        let (month, day) = expected;
        assert_eq!(last_day(due.at), date(2026, month, day), "{clock:?}");
        assert!(!due.provisional);
    }
}

/// A year without holidays on record is provisional, and what was provisional stays so.
#[test]
fn a_clock_that_is_moved_into_an_unknown_year_is_provisional() {
    let mut world = in_march();
    world.profile.extension_max_months = 24;
    let pause = |world: &mut World| {
        let until = add_days(world.env().today(), 14);
        world.on_row(0, inputs::ASK_PAUSE, inputs::ask_pause(until));
        decide(world, 0, inputs::PAUSE, inputs::pause(None));
    };
    for (until, provisional) in [
        (None, false),
        (Some(date(2026, 12, 28)), true),
        (Some(date(2026, 12, 31)), true),
    ] {
        let mut world = world.clone();
        if let Some(until) = until {
            let input = inputs::ask_extension(until);
            world.on_row(0, inputs::ASK_EXTENSION, input);
            let input = inputs::grant_extension(None);
            decide(&mut world, 0, inputs::GRANT_EXTENSION, input);
            assert!(!own(&world, 0).provisional, "no calendar was asked");
        }
        for _ in 0..2 {
            pause(&mut world);
            assert_eq!(own(&world, 0).provisional, provisional);
            world.wait(2);
            decide(&mut world, 0, inputs::RESUME, inputs::note());
            assert_eq!(own(&world, 0).provisional, provisional);
        }
    }
}
