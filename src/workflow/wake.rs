//! When time alone next does something to a clock, so that a worker can look at the case then:
//! its end, the agreed end of a pause; and for a promise the turn of the year, from which a
//! look-back is owed.
//!
//! A case is right without it: what has lapsed is settled before every act and shown on reading.
//! The worker makes it so in the database too, and tells people.

use jiff::Timestamp;

use super::case::{Case, Clock};
use super::codes::ClockKind;
use super::deadline::{end_of_day, local_date};
use super::decide::Env;

/// The smallest step of time that both databases keep.
const TICK: jiff::SignedDuration = jiff::SignedDuration::from_micros(1);

/// The first moment later than `after` at which something becomes true of the clock: it is
/// overdue, its pause is over. `None` for a stopped clock, and after the last of them.
pub fn next(clock: &Clock, after: Timestamp) -> Option<Timestamp> {
    if clock.stopped_at.is_some() {
        return None;
    }
    let lapse = clock.due_at.checked_add(TICK).unwrap_or(Timestamp::MAX);
    let resume = clock
        .paused_until()
        .and_then(|day| day.yesterday().ok())
        .map(end_of_day);
    let new_year = (clock.kind == ClockKind::K15)
        .then(|| turn_of_year(after))
        .flatten();
    [Some(lapse), resume, new_year]
        .into_iter()
        .flatten()
        .filter(|at| *at > after)
        .min()
}

/// The first moment of the year after the one in which a moment lies, in the committee's time zone.
fn turn_of_year(after: Timestamp) -> Option<Timestamp> {
    Some(end_of_day(local_date(after).last_of_year())).filter(|at| *at > after)
}

/// Sets the next moment of every clock that an act started, moved or stopped; that of the others
/// stands, so that what fell due meanwhile is not passed over.
pub(super) fn schedule(before: &Case, after: &mut Case, env: Env<'_>) {
    for clock in &mut after.clocks {
        let same = before.clocks.iter().any(|old| {
            old.id == clock.id
                && old.due_at == clock.due_at
                && old.stopped_at == clock.stopped_at
                && old.changes == clock.changes
        });
        if !same {
            clock.wake_at = next(clock, env.now);
        }
    }
}

/// Moves on the clocks of a case whose moment has come; gives those that moved.
pub fn advance(case: &mut Case, now: Timestamp) -> Vec<Clock> {
    let mut moved = Vec::new();
    for clock in &mut case.clocks {
        if clock.wake_at.is_some_and(|at| at <= now) {
            clock.wake_at = next(clock, now);
            moved.push(clock.clone());
        }
    }
    moved
}
