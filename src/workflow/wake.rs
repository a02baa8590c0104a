//! When time alone next does something to a clock, so that a worker can look at the case then:
//! its end, the agreed end of a pause, a reminder; and for a promise the turn of the year, from
//! which a look-back is owed.
//!
//! A case is right without it: what has lapsed is settled before every act and shown on reading.
//! The worker makes it so in the database too, and tells people.

use jiff::Timestamp;

use super::calendar::Calendar;
use super::case::{Case, Clock};
use super::codes::ClockKind;
use super::deadline::{end_of_day, local_date};
use super::decide::Env;
use super::profile::Profile;
use super::reminders::{self, Plan, Reminder};

/// The smallest step of time that both databases keep.
const TICK: jiff::SignedDuration = jiff::SignedDuration::from_micros(1);

/// The first moment later than `after` at which something becomes true of the clock: it is
/// overdue, its pause is over, somebody is reminded. `None` for a stopped clock, and after the last of
/// them.
pub fn next(clock: &Clock, after: Timestamp, plan: Plan<'_>) -> Option<Timestamp> {
    if clock.stopped_at.is_some() {
        return None;
    }
    let lapse = clock.due_at.checked_add(TICK).unwrap_or(Timestamp::MAX);
    let resume = clock
        .paused_until()
        .and_then(|day| day.yesterday().ok())
        .map(end_of_day);
    let new_year = (clock.kind == ClockKind::K15).then(|| turn_of_year(after));
    [Some(lapse), resume, new_year, plan.next(clock, after)]
        .into_iter()
        .flatten()
        .filter(|at| *at > after)
        .min()
}

/// The first moment of the year after the one in which a moment lies, in the committee's time zone.
fn turn_of_year(after: Timestamp) -> Timestamp {
    end_of_day(local_date(after).last_of_year())
}

/// Sets the next moment of every clock that an act started, moved or stopped; that of the others
/// stands, so that what fell due meanwhile is not passed over.
pub(super) fn schedule(before: &Case, after: &mut Case, env: Env<'_>) {
    let plan = Plan {
        steps: &env.profile.reminder_steps,
        calendar: env.calendar,
    };
    for clock in &mut after.clocks {
        let same = before.clocks.iter().any(|old| {
            old.id == clock.id
                && old.due_at == clock.due_at
                && old.stopped_at == clock.stopped_at
                && old.changes == clock.changes
        });
        if !same {
            clock.wake_at = next(clock, env.now, plan);
        }
    }
}

/// Moves on the clocks of a case whose moment has come; gives those that moved, and the reminders
/// that are due.
pub fn advance(
    case: &mut Case,
    now: Timestamp,
    profile: &Profile,
    calendar: &Calendar,
) -> (Vec<Clock>, Vec<Reminder>) {
    let plan = Plan {
        steps: &profile.reminder_steps,
        calendar,
    };
    let (mut moved, mut steps) = (Vec::new(), Vec::new());
    for clock in &mut case.clocks {
        if let Some(from) = clock.wake_at.filter(|at| *at <= now) {
            if let Some(step) = plan.due(clock, from, now) {
                steps.push((clock.clone(), step));
            }
            clock.wake_at = next(clock, now, plan);
            moved.push(clock.clone());
        }
    }
    let due = steps.iter();
    let due = due.filter_map(|(clock, step)| reminders::reminder(case, clock, *step, profile));
    let reminders = due.collect();
    (moved, reminders)
}
