//! Counts at their edges (4.2, 4.4): pauses that begin on the last day or pause nothing, counts that are too long
//! to be told in full, and limits that are none.

use jiff::civil::{Date, date};

use crate::workflow::calendar::{Calendar, days_between};
use crate::workflow::deadline::{
    Explanation, Limit, Pause, Step, Verdict, end_of_day, explain, fixed, last_day,
};

fn told(start: Date, limit: Limit, pauses: &[(Date, Date)]) -> Explanation {
    let pause = |&(from, until): &(Date, Date)| Pause {
        from,
        until: Some(until),
    };
    let pauses: Vec<_> = pauses.iter().map(pause).collect();
    let start = end_of_day(start) - jiff::SignedDuration::from_hours(9);
    explain(start, limit, &pauses, Calendar::builtin())
}

/// Counting rule 5: a pause from the last day on is one jump, like any other; one that ends on the day it begins
/// pauses nothing, and nothing is told of it.
#[test]
fn a_pause_is_told_as_one_jump_and_an_empty_one_not_at_all() {
    let march = |day| date(2026, 3, day);
    let step = |day, verdict| Step {
        date: march(day),
        verdict,
    };
    let own = [
        step(2, Verdict::Start),
        step(9, Verdict::Counted { n: 7 }),
        step(12, Verdict::Paused { days: 3 }),
    ];
    let last_day_paused = told(march(2), Limit::cd(7), &[(march(9), march(12))]);
    assert_eq!(last_day_paused.steps, own);
    assert_eq!(last_day_paused.due, fixed(march(12)));
    let after = told(march(2), Limit::cd(7), &[(march(10), march(12))]);
    assert_eq!(after.steps, own[..2]);
    for empty in [march(5), march(9)] {
        let nothing = told(march(2), Limit::cd(7), &[(empty, empty)]);
        assert_eq!(nothing.steps, own[..2]);
        assert_eq!(nothing.due, fixed(march(9)));
    }
}

/// 4.4: of a count that is too long, the last step is told, and how many before it are not.
#[test]
fn a_count_that_is_too_long_says_how_many_steps_are_left_out() {
    let start = date(2026, 3, 2);
    let told = told(start, Limit::wd(14_500), &[]);
    let end = last_day(told.due.at);
    let all = usize::try_from(days_between(start, end)).unwrap() + 1;
    assert!(all > 20_100, "each day from start to end is a step");
    assert_eq!(told.steps.len(), 20_000);
    assert_eq!(told.steps.len() + told.omitted_steps, all);
    let last = Step {
        date: end,
        verdict: Verdict::Counted { n: 14_500 },
    };
    assert_eq!(told.steps.last(), Some(&last));
}

/// What is no limit is refused in words that show one.
#[test]
fn what_is_no_limit_is_told_what_one_is() {
    for text in [
        "",
        "5",
        "5wd",
        "5 days",
        "+5 wd",
        "-1 cd",
        "5 wd ",
        "99999999999 h",
    ] {
        let refused = text.parse::<Limit>().expect_err(text).to_string();
        assert!(refused.contains("\"5 wd\""), "{refused}");
    }
    for text in ["5 wd", "0 cd", "3 mo", "24 h"] {
        let limit: Limit = text.parse().expect("a limit");
        assert_eq!(limit.to_string(), text);
    }
}
