//! When those who owe something are reminded of a due date: at steps of working days before it, on
//! the day, and once it has passed. A pure function of the clock, the steps and the calendar.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::case::{Case, Clock};
use super::codes::ClockKind;
use super::deadline::{end_of_day, last_day, local_date};
use super::desk::{Audience, Scope, duties};
use super::profile::Profile;
use super::role::Role;

/// Reminders and digests go out at eight in the morning, local time.
const MORNING: SignedDuration = SignedDuration::from_hours(8);

/// Which reminder of a clock it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// So many working days are left.
    Ahead(u32),
    /// It is the last day.
    OnDay,
    /// The first working day after it.
    Overdue,
}

impl Step {
    /// The topic of the message.
    pub const fn topic(self) -> &'static str {
        match self {
            Self::Ahead(_) => "reminder.ahead",
            Self::OnDay => "reminder.due",
            Self::Overdue => "reminder.overdue",
        }
    }
}

/// What reminders are planned with.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// Working days before the last day.
    pub steps: &'a [u32],
    /// The calendar.
    pub calendar: &'a Calendar,
}

/// A reminder that is to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Reminder {
    /// Clock, step and due date: each of them is told once.
    pub key: String,
    /// Which one.
    pub step: Step,
    /// The clock.
    pub kind: ClockKind,
    /// The last day.
    pub due_on: Date,
    /// Those who owe what the clock is about, and those whom it is carried further up to.
    pub audiences: Vec<Audience>,
}

/// Eight in the morning of a day.
pub fn morning(day: Date) -> Timestamp {
    let midnight = day.yesterday().map_or(Timestamp::MIN, end_of_day);
    midnight.checked_add(MORNING).unwrap_or(Timestamp::MAX)
}

/// The day on which the digest takes up something that is told now: today until half past eight
/// of a working day, and always for a reminder; otherwise the next working day.
pub fn digest_day(now: Timestamp, reminder: bool, calendar: &Calendar) -> Date {
    let today = local_date(now);
    let grace = SignedDuration::from_mins(30);
    let early = now.duration_since(morning(today)) < grace;
    if calendar.is_working(today) && (early || reminder) {
        return today;
    }
    working_after(today, calendar)
}

/// The first working day after a day.
pub fn working_after(mut day: Date, calendar: &Calendar) -> Date {
    while let Ok(next) = day.tomorrow() {
        day = next;
        if calendar.is_working(day) {
            break;
        }
    }
    day
}

/// The day with `count` working days after it, up to the last one.
fn working_before(mut day: Date, count: u32, calendar: &Calendar) -> Date {
    let mut left = count;
    while left > 0
        && let Ok(before) = day.yesterday()
    {
        day = before;
        if calendar.is_working(day) {
            left -= 1;
        }
    }
    day
}

impl Plan<'_> {
    /// Every moment at which somebody is reminded of a clock, in order of time.
    fn moments(self, clock: &Clock) -> Vec<(Timestamp, Step)> {
        // No end is known while a pause has none.
        if clock.stopped_at.is_some() || clock.due_at == Timestamp::MAX {
            return Vec::new();
        }
        let last = last_day(clock.due_at);
        let paused_until = clock.paused_until();
        let ahead = self.steps.iter().map(|count| {
            let day = working_before(last, *count, self.calendar);
            (day, Step::Ahead(*count))
        });
        let mut moments: Vec<_> = ahead
            .chain([(last, Step::OnDay)])
            .filter(|(day, _)| paused_until.is_none_or(|until| *day >= until))
            .map(|(day, step)| (morning(day), step))
            .filter(|(at, _)| *at < clock.due_at)
            .collect();
        let after = working_after(last, self.calendar);
        moments.push((morning(after), Step::Overdue));
        moments.sort_unstable();
        moments
    }

    /// The first moment after `after`.
    pub fn next(self, clock: &Clock, after: Timestamp) -> Option<Timestamp> {
        let moments = self.moments(clock).into_iter();
        moments.map(|(at, _)| at).find(|at| *at > after)
    }

    /// The last step from `from` on that has come by now: of several that were missed only this
    /// one is told.
    pub fn due(self, clock: &Clock, from: Timestamp, now: Timestamp) -> Option<Step> {
        let moments = self.moments(clock).into_iter().rev();
        let mut passed = moments.filter(|(at, _)| *at >= from && *at <= now);
        passed.next().map(|(_, step)| step)
    }
}

/// The reminder of a clock to those who owe it, if there are any.
pub fn reminder(case: &Case, clock: &Clock, step: Step, profile: &Profile) -> Option<Reminder> {
    let waiting = duties(case, profile).into_iter();
    let mut audiences: Vec<_> = waiting
        .filter(|duty| duty.clock == Some(clock.id))
        .map(|duty| duty.audience)
        .collect();
    audiences.extend(committee(clock));
    if step == Step::Overdue {
        let up = further_up(case, &audiences);
        audiences.extend(up);
    }
    audiences.sort_unstable();
    audiences.dedup();
    let due_on = last_day(clock.due_at);
    (!audiences.is_empty()).then(|| Reminder {
        key: format!("{}:{step:?}:{due_on}", clock.id),
        step,
        kind: clock.kind,
        due_on,
        audiences,
    })
}

/// Who owes what no desk shows.
fn committee(clock: &Clock) -> Vec<Audience> {
    let staff = Audience::role(Role::CommitteeStaff);
    match clock.kind {
        ClockKind::K17 | ClockKind::K18 => vec![staff],
        _ => Vec::new(),
    }
}

/// What a unit owes goes to its signatories, and that of units and offices to the supervision.
fn further_up(case: &Case, audiences: &[Audience]) -> Vec<Audience> {
    let mut list = Vec::new();
    let mut supervised = false;
    for audience in audiences {
        match audience.scope() {
            Some(Scope::Unit(_, unit)) => {
                supervised = true;
                list.push(Audience::unit(Role::UnitSignatory, unit));
            }
            Some(Scope::Line(_)) => supervised = true,
            _ => {}
        }
    }
    // Nobody of the supervision reads a case before it is filed.
    if supervised && case.proposal.filed_at.is_some() {
        list.push(Audience::role(Role::SupervisionOfficer));
    }
    list
}
