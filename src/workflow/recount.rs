//! Counting rule 8: a new version of the calendar counts open clocks anew. It happens to each case
//! before whatever else happens to it, so what is shown and decided is right before the job that
//! walks through the cases has come by.

use serde_json::json;

use super::calendar::Calendar;
use super::case::{Case, Clock, ClockChange};
use super::deadline::last_day;
use super::decide::{Step, Target};
use super::extension::due_of;

/// Whether an open clock was counted with an earlier version than the calendar's.
pub fn is_outdated(case: &Case, calendar: &Calendar) -> bool {
    case.clocks.iter().any(|clock| outdated(clock, calendar))
}

fn outdated(clock: &Clock, calendar: &Calendar) -> bool {
    clock.stopped_at.is_none() && clock.calendar_version < calendar.version
}

/// Whether the calendar makes any open clock due at another moment, or certain.
pub fn moves_a_clock(case: &Case, calendar: &Calendar) -> bool {
    case.clocks.iter().any(|clock| {
        let due = due_of(clock, calendar);
        outdated(clock, calendar)
            && (due.at != clock.due_at || due.provisional != clock.provisional)
    })
}

/// OT30 for each open clock that the calendar moves or makes certain: the clock keeps both last
/// days, and the event names both versions. Extended clocks and fixed dates depend on no calendar and stay; pauses
/// are kept. What comes to the same day only names the new version from now on.
pub(super) fn recount(step: &mut Step<'_>) {
    let (on, calendar) = (step.env.today(), step.env.calendar);
    let mut moved = Vec::new();
    for clock in &mut step.case.clocks {
        if !outdated(clock, calendar) {
            continue;
        }
        let (before, due) = (clock.due_at, due_of(clock, calendar));
        let from_version = std::mem::replace(&mut clock.calendar_version, calendar.version);
        let was_provisional = std::mem::replace(&mut clock.provisional, due.provisional);
        if before == due.at && was_provisional == due.provisional {
            continue;
        }
        if before != due.at {
            clock.due_at = due.at;
            clock.changes.push(ClockChange::Recounted {
                on,
                from_version,
                to_version: calendar.version,
                due_before: last_day(before),
                due_after: last_day(due.at),
            });
        }
        moved.push(json!({
            "clock_id": clock.id,
            "kind": clock.kind,
            "calendar_before": from_version,
            "calendar_after": calendar.version,
            "due_before": before,
            "due_after": due.at,
            "provisional": due.provisional,
        }));
    }
    for told in moved {
        step.part_with("OT30", Target::Proposal, told);
    }
}
