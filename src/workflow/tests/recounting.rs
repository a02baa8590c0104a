//! Counting rule 8: which clocks a new version of the calendar counts anew.

use jiff::civil::date;

use super::fixture::World;
use crate::workflow::calendar::{BUILTIN_VERSION, Calendar, SpecialDay};
use crate::workflow::codes::ClockKind;
use crate::workflow::recount::{is_outdated, moves_a_clock};

/// The calendar of the program with one more rest day, as another version.
fn calendar(version: i32, rest: Option<jiff::civil::Date>) -> Calendar {
    let days = Calendar::builtin_days().into_iter().map(Into::into);
    let name = "临时放假".to_owned();
    let rest = rest.map(|day| (day, SpecialDay::Holiday(name)));
    Calendar::new(version, days.chain(rest))
}

/// Only a later version counts anew, and only what has not stopped. It moves what ends on another day by
/// it, and what becomes certain.
#[test]
fn a_later_calendar_moves_what_it_counts_otherwise() {
    let world = World::individual().sole();
    let (earlier, same, later) = (BUILTIN_VERSION - 1, BUILTIN_VERSION, BUILTIN_VERSION + 1);
    // The return window of five working days from Monday, 2 March 2026.
    let inside = Some(date(2026, 3, 4));
    for (version, rest, outdated, moved) in [
        (earlier, inside, false, false),
        (same, None, false, false),
        (same, inside, false, false),
        (later, None, true, false),
        (later, Some(date(2027, 5, 3)), true, false),
        (later, inside, true, true),
    ] {
        let calendar = calendar(version, rest);
        assert_eq!(is_outdated(&world.case, &calendar), outdated, "{version}");
        assert_eq!(moves_a_clock(&world.case, &calendar), moved, "{version}");
        let mut stopped = world.case.clone();
        for clock in &mut stopped.clocks {
            clock.stopped_at = Some(world.now);
        }
        assert!(!is_outdated(&stopped, &calendar));
        assert!(!moves_a_clock(&stopped, &calendar));
    }
    // An end in a year that was not known, on the same day by the new data: it becomes certain.
    let mut far = World::individual();
    far.profile.reply_session = crate::workflow::deadline::Limit::mo(11);
    let far = far.sole();
    let reply = far.clock(ClockKind::K10, far.row(0).id.cast());
    assert!(reply.provisional);
    let known = calendar(later, Some(date(2027, 5, 3)));
    assert!(moves_a_clock(&far.case, &known));
    assert!(!moves_a_clock(&far.case, &calendar(later, None)));
}
