//! What is told of a clock leads to its due moment, whatever was paused, extended or counted anew
//! (I24; counting rules 5 to 8).

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::ids::{ClockId, SubjectId};
use crate::workflow::calendar::{DayMark, SpecialDay};
use crate::workflow::deadline::{Unit, days_left, last_day, overdue};
use crate::workflow::extension::due_of;

fn noon(day: Date) -> Timestamp {
    end_of_day(day) - SignedDuration::from_hours(12)
}

fn clock(kind: ClockKind, start: Date, limit: &str, calendar: &Calendar) -> Clock {
    let started_at = noon(start);
    let mut clock = Clock {
        id: ClockId::new(started_at),
        kind,
        subject: SubjectId::new(started_at),
        started_at,
        limit: limit.to_owned(),
        profile_version: 1,
        calendar_version: calendar.version,
        provisional: false,
        original_due: started_at,
        due_at: started_at,
        stopped_at: None,
        changes: Vec::new(),
        wake_at: None,
    };
    let due = due_of(&clock, calendar);
    (clock.original_due, clock.due_at, clock.provisional) = (due.at, due.at, due.provisional);
    clock
}

fn later(day: Date, days: i64) -> Date {
    day.saturating_add(SignedDuration::from_hours(24 * days))
}

fn paused(from: Date, days: i64) -> ClockChange {
    ClockChange::Paused {
        from,
        until: later(from, days),
        ended: true,
    }
}

fn extended(decided_on: Date, until: Date) -> ClockChange {
    ClockChange::Extended { decided_on, until }
}

/// Histories of a clock that started on `start`.
fn histories(start: Date) -> Vec<Vec<ClockChange>> {
    let day = |days| later(start, days);
    vec![
        vec![],
        vec![paused(day(2), 4)],
        vec![paused(day(2), 4), paused(day(9), 3)],
        vec![extended(day(3), day(120))],
        vec![paused(day(2), 4), extended(day(8), day(130))],
        vec![extended(day(3), day(120)), paused(day(60), 12)],
        vec![
            paused(day(1), 2),
            extended(day(5), day(100)),
            paused(day(40), 9),
            extended(day(60), day(150)),
            paused(day(70), 5),
        ],
        vec![
            ClockChange::Relimited {
                on: day(1),
                from: "3 mo".to_owned(),
                to: "30 cd".to_owned(),
            },
            paused(day(4), 9),
        ],
    ]
}

fn other_calendar() -> Calendar {
    let extra = [
        (
            date(2026, 4, 15),
            SpecialDay::Holiday("临时放假".to_owned()),
        ),
        (date(2026, 7, 1), SpecialDay::Holiday("临时放假".to_owned())),
        (date(2026, 7, 4), SpecialDay::MakeupWorkday),
    ];
    let days = Calendar::builtin_days().into_iter().map(Into::into);
    Calendar::new(2, days.chain(extra))
}

#[test]
fn what_is_told_ends_on_the_due_day() {
    let (first, second) = (Calendar::builtin(), other_calendar());
    for offset in 0..120 {
        let start = later(date(2026, 1, 5), offset);
        for limit in [
            "0 wd",
            "5 wd",
            "15 wd",
            "7 cd",
            "30 cd",
            "1 mo",
            "3 mo",
            "24 h",
            "until 2026-09-26",
        ] {
            for history in histories(start) {
                for calendar in [first, &second] {
                    let mut clock = clock(ClockKind::K10, start, limit, calendar);
                    clock.changes.clone_from(&history);
                    let told = count(&clock, calendar);
                    let context = format!("{limit} from {start}, {history:?}");
                    assert_eq!(told.due, due_of(&clock, calendar), "{context}");
                    let end = told.days.last().map(|day| day.date);
                    assert_eq!(end, Some(last_day(told.due.at)), "{context}");
                    assert_eq!(told.days[0].verdict, DayVerdict::Start, "{context}");
                    assert_eq!(told.days[0].date, start, "{context}");
                }
            }
        }
    }
}

/// Counting rule 8: extended clocks and fixed dates do not move, hours do not, pauses are kept.
#[test]
fn another_calendar_moves_only_what_it_counts() {
    let (old, new) = (Calendar::builtin(), other_calendar());
    let start = date(2026, 4, 13);
    let last = |clock: &Clock, calendar| last_day(due_of(clock, calendar).at);
    let five = clock(ClockKind::K05, start, "5 wd", old);
    assert_eq!(last(&five, old), date(2026, 4, 20));
    assert_eq!(last(&five, &new), date(2026, 4, 21));
    let mut stood_still = five.clone();
    stood_still.changes.push(paused(date(2026, 4, 16), 4));
    assert_eq!(last(&stood_still, old), date(2026, 4, 22));
    assert_eq!(last(&stood_still, &new), date(2026, 4, 23));
    let mut longer = five.clone();
    longer
        .changes
        .push(extended(date(2026, 4, 14), date(2026, 4, 30)));
    for fixed in [
        longer,
        clock(ClockKind::K15, start, "until 2026-04-15", old),
        clock(ClockKind::K01, start, "72 h", old),
        clock(ClockKind::K06, start, "7 cd", old),
    ] {
        assert_eq!(due_of(&fixed, old), due_of(&fixed, &new), "{}", fixed.limit);
    }
    // The last day itself becomes a holiday; a Saturday becomes a working day.
    let month = clock(ClockKind::K08, date(2026, 6, 1), "1 mo", old);
    assert_eq!(
        (last(&month, old), last(&month, &new)),
        (date(2026, 7, 1), date(2026, 7, 2))
    );
    let month = clock(ClockKind::K08, date(2026, 6, 4), "1 mo", old);
    assert_eq!(
        (last(&month, old), last(&month, &new)),
        (date(2026, 7, 6), date(2026, 7, 4))
    );
}

#[test]
fn the_marks_of_a_calendar_become_its_days() {
    let days = Calendar::builtin_days();
    let again = Calendar::new(1, days.iter().cloned().map(Into::into));
    assert_eq!(&again, Calendar::builtin());
    assert!(days.iter().any(|day| day.kind == DayMark::MakeupWorkday));
    assert_eq!(again.years().collect::<Vec<_>>(), [2024, 2025, 2026]);
}

#[test]
fn every_key_named_is_a_key_of_the_profile() {
    let settings = Profile::default().settings();
    let case = crate::workflow::tests::any_case();
    for kind in ClockKind::ALL {
        let clock = clock(*kind, date(2026, 3, 2), "5 wd", Calendar::builtin());
        for key in candidates(&case, &clock) {
            let known = KEYS.iter().any(|known| known.name == key);
            assert!(known, "{key}");
            // Dates that are not set have no value.
            assert!(
                settings.contains_key(key) || key.ends_with("_date"),
                "{key}"
            );
        }
        let told = origin(&case, &clock, &Profile::default());
        assert!(!told.label.zh.is_empty() && !start_event(*kind).en.is_empty());
    }
}

#[test]
fn trial_counts_are_bounded() {
    for unit in [
        Unit::Hours,
        Unit::CalendarDays,
        Unit::WorkingDays,
        Unit::Months,
    ] {
        let amount = most(unit);
        let told = deadline::explain(
            noon(date(2026, 3, 2)),
            Limit { amount, unit },
            &[],
            Calendar::builtin(),
        );
        assert_eq!(told.omitted_steps, 0, "{unit}");
        assert!(!told.due.is_open_ended(), "{unit}");
    }
    assert!(is_countable(date(2099, 12, 31)) && !is_countable(date(1999, 12, 31)));
    let due = noon(date(2026, 3, 2));
    assert!(!overdue(due, due) && days_left(due, due) == 0);
}
