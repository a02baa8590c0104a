//! Every example of the counting rules, and properties over many starts, limits and pauses.

use jiff::civil::{Date, date};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::super::calendar::{Calendar, DayKind, SpecialDay};
use super::*;

fn at(day: Date, hour: i8, minute: i8) -> Timestamp {
    Offset::constant(8)
        .to_timestamp(day.at(hour, minute, 0, 0))
        .unwrap_or(Timestamp::MIN)
}

fn noon(day: Date) -> Timestamp {
    at(day, 12, 0)
}

fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |day| day.tomorrow().ok())
        .take_while(move |day| *day <= last)
}

fn pause(from: Date, until: Date) -> Pause {
    let until = Some(until);
    Pause { from, until }
}

/// Reads `2026-02-25/2026-03-02`; nothing for an empty text.
fn pauses(text: &str) -> Vec<Pause> {
    let days = |(from, until): (&str, &str)| Some(pause(from.parse().ok()?, until.parse().ok()?));
    text.split_once('/').and_then(days).into_iter().collect()
}

fn count(limit: &str, start: &str, paused: &str) -> Explanation {
    let limit = limit.parse().unwrap_or(Limit::wd(u32::MAX));
    let start = noon(start.parse().unwrap_or(Date::MAX));
    explain(start, limit, &pauses(paused), Calendar::builtin())
}

/// Steps as short text, `09-28 makeup_workday 1`.
fn told(limit: &str, start: &str, paused: &str) -> Vec<String> {
    let tell = |Step { date, verdict }| {
        let verdict = match verdict {
            Verdict::Start => "start".to_owned(),
            Verdict::Counted { n } => format!("counted {n}"),
            Verdict::Weekend => "weekend".to_owned(),
            Verdict::Holiday { name } => format!("holiday {name}"),
            Verdict::MakeupWorkday { n } => format!("makeup_workday {n}"),
            Verdict::Paused { days } => format!("paused {days}"),
            Verdict::Rolled => "rolled".to_owned(),
        };
        format!("{} {verdict}", date.strftime("%m-%d"))
    };
    let steps = count(limit, start, paused).steps;
    steps.into_iter().map(tell).collect()
}

/// The vectors V1–V12 of domain 4.4 (V1 in full in [`worked_example_day_by_day`]).
#[test]
fn examples_of_the_counting_rules() {
    for (vector, limit, start, paused, end) in [
        ("V1", "5 wd", "2025-09-26", "", "2025-10-10"),
        ("V2", "10 wd", "2026-02-11", "", "2026-03-03"),
        ("V3", "15 wd", "2026-04-20", "", "2026-05-13"),
        ("V4", "7 cd", "2026-09-18", "", "2026-09-28"),
        ("V5", "3 mo", "2025-11-30", "", "2026-02-28"),
        ("V6", "3 mo", "2026-02-04", "", "2026-05-06"),
        ("V7", "3 mo", "2026-03-20", "", "2026-06-22"),
        (
            "V8",
            "10 wd",
            "2026-02-11",
            "2026-02-25/2026-03-02",
            "2026-03-09",
        ),
        (
            "V9",
            "3 mo",
            "2026-03-25",
            "2026-04-13/2026-04-25",
            "2026-07-07",
        ),
        ("V10", "6 mo", "2026-03-25", "", "2026-09-28"),
        ("V11", "6 mo", "2025-08-31", "", "2026-02-28"),
    ] {
        let due = count(limit, start, paused).due;
        assert_eq!(
            last_day(due.at).to_string(),
            end,
            "{vector}: {limit} from {start}"
        );
        assert_eq!(due, fixed(last_day(due.at)), "24:00, complete data");
    }
    // V12: hours never roll.
    let start = at(date(2026, 3, 5), 15, 30);
    let due = due(start, Limit::hours(24), Calendar::builtin());
    assert_eq!(due.at, at(date(2026, 3, 6), 15, 30));
}

#[test]
fn worked_example_day_by_day() {
    let holiday = |day| format!("10-0{day} holiday 国庆节、中秋节, ");
    let holidays: Vec<_> = (1..=8).map(holiday).collect();
    let expected = [
        "09-26 start, 09-27 weekend, 09-28 makeup_workday 1, 09-29 counted 2, 09-30 counted 3, ",
        &holidays.concat(),
        "10-09 counted 4, 10-10 counted 5",
    ];
    let steps = told("5 wd", "2025-09-26", "");
    assert_eq!(steps.join(", "), expected.concat());
}

#[test]
fn jumps_and_rolling_are_told() {
    let festival = "03-20 start, 06-20 counted 3, 06-20 holiday 端午节, 06-21 holiday 端午节, \
                    06-22 rolled";
    assert_eq!(told("3 mo", "2026-03-20", "").join(", "), festival);
    let into_weekend = "02-24 start, 04-24 counted 2, 04-25 paused 1, 04-25 weekend, \
                        04-26 weekend, 04-27 rolled";
    let paused = "2026-03-02/2026-03-03";
    assert_eq!(told("2 mo", "2026-02-24", paused).join(", "), into_weekend);
    let daily = "03-05 start, 03-06 paused 1, 03-07 paused 1, 03-08 paused 1, 03-09 counted 1, \
                 03-10 counted 2";
    let paused = "2026-03-06/2026-03-09";
    assert_eq!(told("2 wd", "2026-03-05", paused).join(", "), daily);
    let hours = "03-05 start, 03-06 counted 24";
    assert_eq!(told("24 h", "2026-03-05", "").join(", "), hours);
}

/// A second, naive count, for pauses that end: one day at a time, no shared code.
fn naive(start: Date, limit: Limit, pauses: &[Pause]) -> Date {
    let calendar = Calendar::builtin();
    let within = |pause: &Pause, day| pause.from <= day && Some(day) < pause.until;
    let stands_still = |day| day > start && pauses.iter().any(|pause| within(pause, day));
    let mut left = match limit.unit {
        Unit::Months => {
            let end = start + Span::new().months(limit.amount);
            days(start, end).count() - 1
        }
        _ => usize::try_from(limit.amount).unwrap_or(usize::MAX),
    };
    let mut day = start;
    while left > 0 {
        day = day.tomorrow().unwrap_or(Date::MAX);
        let counts = limit.unit != Unit::WorkingDays || calendar.is_working(day);
        left -= usize::from(counts && !stands_still(day));
    }
    while stands_still(day) || !calendar.is_working(day) {
        day = day.tomorrow().unwrap_or(Date::MAX);
    }
    day
}

fn sample_limits() -> impl Iterator<Item = Limit> {
    let days = [0, 1, 2, 5, 10, 15, 30].into_iter();
    days.flat_map(|n| [Limit::wd(n), Limit::cd(n)])
        .chain([0, 1, 2, 3, 6].map(Limit::mo))
}

fn sample_pauses(start: Date) -> Vec<Vec<Pause>> {
    let day = |n: i64| start.saturating_add(SignedDuration::from_hours(24 * n));
    vec![
        vec![],
        vec![pause(day(-3), day(2))],
        vec![pause(day(0), day(1))],
        vec![pause(day(1), day(2))],
        vec![pause(day(5), day(17))],
        vec![pause(day(9), day(12)), pause(day(3), day(10))],
        vec![pause(day(2), day(4)), pause(day(4), day(6))],
        vec![
            pause(day(30), day(45)),
            pause(day(3), day(3)),
            pause(day(8), day(6)),
        ],
    ]
}

#[test]
fn agrees_with_a_naive_count_and_replays() {
    let calendar = Calendar::builtin();
    for start in days(date(2025, 7, 1), date(2026, 7, 1)) {
        for limit in sample_limits() {
            for pauses in sample_pauses(start) {
                let context = format!("{limit} from {start}, {pauses:?}");
                let due = due_with_pauses(noon(start), limit, &pauses, calendar);
                let end = last_day(due.at);
                assert_eq!(end, naive(start, limit, &pauses), "{context}");
                assert!(calendar.is_working(end), "{context}");

                let told = explain(noon(start), limit, &pauses, calendar);
                assert_eq!(told.due, due, "{context}");
                assert_eq!(told.original, super::due(noon(start), limit, calendar));
                assert!(told.original.at <= told.due.at, "{context}");
                assert_eq!(told.steps.last().map(|step| step.date), Some(end));
                assert!(told.steps.is_sorted_by_key(|step| step.date), "{context}");
                assert_eq!((told.omitted_steps, told.calendar_version), (0, 1));
                if limit.unit == Unit::WorkingDays && limit.amount > 0 {
                    assert!(told.steps.iter().map(|step| step.date).eq(days(start, end)));
                    replay(&told, limit.amount);
                }
            }
        }
    }
}

/// The numbers told run 1, 2, 3 … and every day is what the calendar says.
fn replay(told: &Explanation, amount: u32) {
    let mut counted = 0;
    for step in &told.steps {
        let kind = Calendar::builtin().day(step.date);
        match &step.verdict {
            Verdict::Counted { n } | Verdict::MakeupWorkday { n } => {
                counted += 1;
                assert_eq!(*n, counted);
                assert!(kind.is_working());
                let makeup = Verdict::MakeupWorkday { n: *n };
                assert_eq!(step.verdict == makeup, kind == DayKind::MakeupWorkday);
            }
            Verdict::Weekend => assert_eq!(kind, DayKind::Weekend),
            Verdict::Holiday { name } => assert_eq!(kind, DayKind::Holiday(name)),
            Verdict::Paused { days } => assert_eq!(*days, 1),
            Verdict::Start => assert_eq!(step.date, local_date(told.start)),
            Verdict::Rolled => assert_eq!(amount, 0),
        }
    }
    assert_eq!(counted, amount);
}

#[test]
fn more_is_never_earlier() {
    let calendar = Calendar::builtin();
    for limit in [Limit::wd, Limit::cd, Limit::mo, Limit::hours] {
        for start in days(date(2026, 1, 1), date(2026, 3, 15)) {
            let mut before = Timestamp::MIN;
            for amount in 0..40 {
                let now = due(noon(start), limit(amount), calendar).at;
                assert!(before <= now, "{} from {start}", limit(amount));
                before = now;
            }
            let mut before = Timestamp::MIN;
            for paused in days(date(2026, 2, 20), date(2026, 3, 20)) {
                let pauses = [pause(date(2026, 2, 20), paused)];
                let now = due_with_pauses(noon(start), limit(9), &pauses, calendar).at;
                assert!(before <= now, "{} from {start}, {pauses:?}", limit(9));
                before = now;
            }
        }
        for amount in [0, 1, 5, 10, 30] {
            let mut before = Timestamp::MIN;
            for start in days(date(2023, 12, 1), date(2027, 2, 1)) {
                let now = due(noon(start), limit(amount), calendar).at;
                assert!(before <= now, "{} from {start}", limit(amount));
                before = now;
            }
        }
    }
}

#[test]
fn resuming_at_once_changes_nothing() {
    for start in days(date(2025, 12, 1), date(2026, 2, 1)) {
        for limit in sample_limits().chain([Limit::hours(48)]) {
            let end = start.saturating_add(SignedDuration::from_hours(24 * 40));
            for paused in days(start, end) {
                let calendar = Calendar::builtin();
                let pauses = [pause(paused, paused)];
                assert_eq!(
                    due_with_pauses(noon(start), limit, &pauses, calendar),
                    due(noon(start), limit, calendar),
                    "{limit} from {start}, {paused}"
                );
            }
        }
    }
}

#[test]
fn pauses_at_the_edges() {
    for (paused, end, why) in [
        ("", "2026-09-28", "25 September is a holiday"),
        ("2026-09-01/2026-09-18", "2026-09-28", "before the start"),
        (
            "2026-09-18/2026-09-19",
            "2026-09-28",
            "start not counted anyway",
        ),
        (
            "2026-09-26/2026-09-28",
            "2026-09-28",
            "rest days at the end",
        ),
        (
            "2026-09-28/2026-09-30",
            "2026-09-30",
            "never ends while paused",
        ),
        ("2026-09-29/2026-10-20", "2026-09-28", "after the end"),
        ("2026-09-21/2026-09-25", "2026-09-29", "four days"),
    ] {
        let due = count("7 cd", "2026-09-18", paused).due;
        assert_eq!(last_day(due.at).to_string(), end, "{why}");
        let twice = [pauses(paused), pauses(paused)].concat();
        let start = noon(date(2026, 9, 18));
        let again = due_with_pauses(start, Limit::cd(7), &twice, Calendar::builtin());
        assert_eq!(again, due, "overlapping days count once");
    }
}

#[test]
fn a_lasting_pause_leaves_no_end() {
    let calendar = Calendar::builtin();
    let (start, until) = (noon(date(2026, 3, 2)), None);
    for limit in [Limit::wd(5), Limit::cd(5), Limit::mo(1)] {
        let from = date(2026, 3, 5);
        let due = due_with_pauses(start, limit, &[Pause { from, until }], calendar);
        assert!(due.is_open_ended() && due.provisional, "{limit}");
        assert!(!overdue(due.at, noon(date(2030, 1, 1))));
        let told = explain(start, limit, &[Pause { from, until }], calendar);
        assert!(told.steps.len() < 6, "{limit}");
        assert_eq!(told.due, due);
        assert_eq!(told.steps.last().map(|step| step.date), Some(Date::MAX));

        let from = date(2026, 5, 1);
        let due = due_with_pauses(start, limit, &[Pause { from, until }], calendar);
        assert!(!due.is_open_ended(), "{limit} ended before the pause");
    }
    let from = date(2026, 3, 2);
    let due = due_with_pauses(start, Limit::hours(48), &[Pause { from, until }], calendar);
    assert_eq!(due.at, noon(date(2026, 3, 4)), "hours are not paused");
}

#[test]
fn years_without_data_are_provisional() {
    let calendar = Calendar::builtin();
    for (limit, start, provisional) in [
        ("5 wd", "2026-12-24", false),
        ("5 wd", "2026-12-25", true),
        ("3 mo", "2026-11-30", true),
        ("3 mo", "2023-11-30", false), // only the end is looked up
        ("3 wd", "2023-12-28", true),
        ("24 h", "2026-12-31", false),
    ] {
        let due = count(limit, start, "").due;
        assert_eq!(due.provisional, provisional, "{limit} from {start}");
    }
    let announced = [(date(2027, 1, 1), SpecialDay::Holiday("元旦".to_owned()))];
    let newer = Calendar::new(2, announced);
    let start = noon(date(2026, 12, 30));
    let old = explain(start, Limit::cd(2), &[], calendar);
    let new = explain(start, Limit::cd(2), &[], &newer);
    assert_eq!((old.calendar_version, new.calendar_version), (1, 2));
    assert!(old.due.provisional && !new.due.provisional);
    assert_eq!(last_day(old.due.at), date(2027, 1, 1));
    assert_eq!(last_day(new.due.at), date(2027, 1, 4));
}

#[test]
fn local_days() {
    let (day, next) = (date(2026, 3, 5), date(2026, 3, 6));
    let midnight = end_of_day(day);
    assert_eq!(midnight, at(next, 0, 0));
    assert_eq!(midnight.to_string(), "2026-03-05T16:00:00Z");
    let nano = SignedDuration::from_nanos(1);
    for (moment, local, last) in [
        (midnight - nano, day, day),
        (midnight, next, day),
        (midnight + nano, next, next),
    ] {
        assert_eq!((local_date(moment), last_day(moment)), (local, last));
    }
    // 23:59 and 24:00 local are different starting days, whatever the day in UTC.
    let end = |start| last_day(due(start, Limit::wd(1), Calendar::builtin()).at);
    assert_eq!(end(at(day, 23, 59)), next);
    assert_eq!(end(midnight), date(2026, 3, 9));
}

#[test]
fn overdue_and_days_left() {
    let due = fixed(date(2026, 6, 20)).at; // a Saturday: a fixed date does not roll
    assert_eq!(due, at(date(2026, 6, 21), 0, 0));
    for (now, late, left) in [
        (at(date(2026, 5, 20), 23, 0), false, 31),
        (at(date(2026, 6, 19), 0, 0), false, 1),
        (at(date(2026, 6, 20), 0, 0), false, 0),
        (at(date(2026, 6, 20), 23, 59), false, 0),
        (due, false, 0),
        (due + SignedDuration::from_nanos(1), true, -1),
        (at(date(2026, 6, 22), 0, 0), true, -2),
    ] {
        assert_eq!(overdue(due, now), late, "{now}");
        assert_eq!(days_left(due, now), left, "{now}");
    }
    let half_past = at(date(2026, 6, 20), 15, 30);
    assert_eq!(days_left(half_past, at(date(2026, 6, 20), 15, 30)), 0);
    assert_eq!(days_left(half_past, at(date(2026, 6, 20), 15, 31)), -1);
    assert_eq!(days_left(half_past, at(date(2026, 6, 21), 8, 0)), -1);
    assert_eq!(days_left(half_past, at(date(2026, 6, 18), 20, 0)), 2);
}

#[test]
fn nothing_panics_and_large_amounts_are_bounded() {
    let calendar = Calendar::builtin();
    let limits = [Limit::wd, Limit::cd, Limit::mo, Limit::hours];
    let edges = [Date::MIN, date(-1, 1, 1), date(2026, 2, 1), Date::MAX];
    let now = noon(date(2026, 1, 1));
    let spans = edges.map(|from| edges.map(|until| pause(from, until)));
    for start in [Timestamp::MIN, now, Timestamp::MAX] {
        for limit in limits.map(|limit| [limit(0), limit(400)]).as_flattened() {
            for pause in spans.as_flattened() {
                let told = explain(start, *limit, &[*pause], calendar);
                let due = told.due.at;
                assert!(due >= told.original.at, "{limit} {start} {pause:?}");
                let end = told.steps.last().map(|step| step.date);
                assert_eq!(end, Some(last_day(due)), "{limit} {start} {pause:?}");
                let _ = (days_left(due, start), days_left(start, due));
            }
        }
    }
    for limit in limits {
        let told = explain(now, limit(u32::MAX), &[], calendar);
        assert!(told.steps.len() <= MAX_STEPS);
        if limit(0).unit != Unit::Hours {
            assert!(told.due.is_open_ended());
        }
    }
    let told = explain(noon(date(2024, 1, 1)), Limit::wd(10_000), &[], calendar);
    assert_eq!(told.omitted_steps, 0);
    assert_eq!(fixed(Date::MAX).at, Timestamp::MAX);
    assert_eq!(fixed(Date::MIN).at, Timestamp::MIN);
}

#[test]
fn text_forms() {
    for (limit, text) in [
        (Limit::wd(5), "5 wd"),
        (Limit::cd(30), "30 cd"),
        (Limit::mo(3), "3 mo"),
        (Limit::hours(u32::MAX), "4294967295 h"),
    ] {
        assert_eq!(limit.to_string(), text);
        assert_eq!(text.parse(), Ok(limit));
        assert_eq!(limit.unit.to_string().parse(), Ok(limit.unit));
    }
    let wrong = ["", "5", "wd", " wd", "5wd", "5  wd", " 5 wd", "5 wd "];
    for text in wrong
        .into_iter()
        .chain(["+5 wd", "-5 wd", "5 WD", "4294967296 h"])
    {
        assert_eq!(text.parse::<Limit>(), Err(ParseLimitError), "{text:?}");
    }
}

#[test]
fn json_forms() {
    let told = count("1 wd", "2026-02-13", "");
    let json = serde_json::to_value(&told).unwrap_or_default();
    let steps = serde_json::json!([
        { "date": "2026-02-13", "verdict": "start" },
        { "date": "2026-02-14", "verdict": "makeup_workday", "n": 1 },
    ]);
    assert_eq!(json.get("steps"), Some(&steps));
    assert_eq!(json.pointer("/limit/unit"), Some(&"wd".into()));
    assert_eq!(serde_json::from_value(json).ok(), Some(told));
}
