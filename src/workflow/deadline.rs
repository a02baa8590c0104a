//! Limits, due dates and their explanation: pure functions of start, limit, pauses and calendar.
//!
//! The counting rules in short:
//!
//! 1. The starting day is not counted; a period ends at 24:00 local time (Asia/Shanghai) of its
//!    last day. Overdue means later than that moment, while the clock runs.
//! 2. Working days count working days only. Calendar days and months count all days; if the last
//!    day is a rest day it rolls to the next working day.
//! 3. Months are calendar months, clamped to the last day of the target month.
//! 4. Hours are real hours and never roll.
//! 5. Paused days are not counted (working days) or are added to the end (other days, months),
//!    which then rolls. The resume day is not paused.
//! 6. An extension sets a new date ([`fixed`]); it adds no amount.
//! 7. Pauses apply in order of time; the original due date stays.
//! 8. The calendar version is part of the input and of the explanation.
//!
//! [`due`], [`due_with_pauses`] and [`explain`] share one walk, so they cannot disagree. Nothing
//! panics; results saturate at the limits of time. Working days are walked one by one, to the
//! year 9999 if need be, so bound amounts that come from outside.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::calendar::{Calendar, DayKind, add_days, days_between, merged};
pub use super::calendar::{Pause, end_of_day, last_day, local_date};

#[cfg(test)]
mod tests;

/// Most steps kept in one explanation; enough for 10,000 working days.
const MAX_STEPS: usize = 20_000;

/// What a limit counts (counting rules 2 to 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum Unit {
    /// Real hours, written `h`; never roll (counting rule 4).
    #[serde(rename = "h")]
    Hours,
    /// Calendar days, written `cd`; roll at the end (counting rule 2).
    #[serde(rename = "cd")]
    CalendarDays,
    /// Working days, written `wd` (counting rule 2).
    #[serde(rename = "wd")]
    WorkingDays,
    /// Calendar months, written `mo`; clamped (counting rule 3), roll at the end (rule 2).
    #[serde(rename = "mo")]
    Months,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hours => "h",
            Self::CalendarDays => "cd",
            Self::WorkingDays => "wd",
            Self::Months => "mo",
        })
    }
}

impl FromStr for Unit {
    type Err = ParseLimitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "h" => Ok(Self::Hours),
            "cd" => Ok(Self::CalendarDays),
            "wd" => Ok(Self::WorkingDays),
            "mo" => Ok(Self::Months),
            _ => Err(ParseLimitError),
        }
    }
}

/// A length of time that a clock allows. The text form is amount, one space, unit: `5 wd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Limit {
    /// How many units. Zero ends with the starting day (hours: at the start itself).
    pub amount: u32,
    /// What is counted.
    pub unit: Unit,
}

impl Limit {
    const fn new(amount: u32, unit: Unit) -> Self {
        Self { amount, unit }
    }

    /// A limit in working days (counting rule 2).
    #[must_use]
    pub const fn wd(amount: u32) -> Self {
        Self::new(amount, Unit::WorkingDays)
    }

    /// A limit in calendar days (counting rule 2).
    #[must_use]
    pub const fn cd(amount: u32) -> Self {
        Self::new(amount, Unit::CalendarDays)
    }

    /// A limit in calendar months (counting rules 2 and 3).
    #[must_use]
    pub const fn mo(amount: u32) -> Self {
        Self::new(amount, Unit::Months)
    }

    /// A limit in real hours (counting rule 4).
    #[must_use]
    pub const fn hours(amount: u32) -> Self {
        Self::new(amount, Unit::Hours)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.unit)
    }
}

impl FromStr for Limit {
    type Err = ParseLimitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (amount, unit) = text.split_once(' ').ok_or(ParseLimitError)?;
        if !amount.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseLimitError); // `u32::from_str` would take "+5"
        }
        Ok(Self {
            amount: amount.parse().map_err(|_| ParseLimitError)?,
            unit: unit.parse()?,
        })
    }
}

/// The text is not a limit or not a unit of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseLimitError;

impl fmt::Display for ParseLimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an amount and one of h, cd, wd, mo, such as \"5 wd\"")
    }
}

impl std::error::Error for ParseLimitError {}

/// The moment a period ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Due {
    /// The last moment that is still in time. 24:00 of a day is 00:00 of the next (counting
    /// rule 1).
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Whether a year without holiday data was counted, so that the moment may still change.
    pub provisional: bool,
}

impl Due {
    /// Whether there is no end at present, because a pause has no resume day yet (counting
    /// rule 5). Also true when an absurd amount reaches the end of the representable time.
    #[must_use]
    pub fn is_open_ended(self) -> bool {
        self.at == Timestamp::MAX
    }
}

/// One line of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// The local day that was looked at, or that a jump reached.
    #[schema(value_type = String, format = Date)]
    pub date: Date,
    /// What the day, or the jump to it, meant for the count.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What one step of a count did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The starting day, not counted (counting rule 1).
    Start,
    /// A working day counted as number `n`, or a jump over `n` units in all (counting rules 2
    /// to 4).
    Counted {
        /// Units counted so far, this step included.
        n: u32,
    },
    /// A weekend day, not counted or rolled over (counting rule 2).
    Weekend,
    /// An announced rest day, not counted or rolled over (counting rule 2).
    Holiday {
        /// Chinese name of the holiday.
        name: String,
    },
    /// A make-up working day, counted as number `n` (counting rule 2).
    MakeupWorkday {
        /// Working days counted so far, this one included.
        n: u32,
    },
    /// Paused days: this one day, or a jump by as many days (counting rule 5).
    Paused {
        /// Days not counted, or added to the end; at least 1.
        days: i64,
    },
    /// The working day on which the period ends after rolling (counting rules 2 and 5).
    Rolled,
}

/// How a due date came about, step by step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The moment the clock started; its local day is the first step.
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    /// The limit counted.
    pub limit: Limit,
    /// The calendar version counted with (counting rule 8).
    pub calendar_version: i32,
    /// The pauses as given, in order of time (counting rule 7).
    pub pauses: Vec<Pause>,
    /// Days (working days) or jumps (other units) in order of time. The last step is the last
    /// day of the period.
    pub steps: Vec<Step>,
    /// How many steps before the last one are left out because there are too many.
    pub omitted_steps: usize,
    /// The due moment had there been no pause (counting rule 7).
    pub original: Due,
    /// The due moment, pauses included.
    pub due: Due,
}

/// The end of a period that started at `start` and was never paused (counting rules 1 to 4).
#[must_use]
pub fn due(start: Timestamp, limit: Limit, calendar: &Calendar) -> Due {
    due_with_pauses(start, limit, &[], calendar)
}

/// The end of a period with pauses in any order; overlapping ones count once (counting rules 1
/// to 5).
///
/// Only paused days after the starting day and before the end matter: a pause that begins after
/// the last day changes nothing. The end never falls on a paused day. A pause without a resume
/// day leaves the period without an end ([`Due::is_open_ended`]); to preview the end, pass today
/// as resume day. Hours are not paused, since they are not counted in days (counting rule 4).
#[must_use]
pub fn due_with_pauses(
    start: Timestamp,
    limit: Limit,
    pauses: &[Pause],
    calendar: &Calendar,
) -> Due {
    Walk::run(start, limit, pauses, calendar).1
}

/// The same count as [`due_with_pauses`], with every step written down.
#[must_use]
pub fn explain(
    start: Timestamp,
    limit: Limit,
    pauses: &[Pause],
    calendar: &Calendar,
) -> Explanation {
    let (walk, reached) = Walk::run(start, limit, pauses, calendar);
    let mut pauses = pauses.to_vec();
    pauses.sort_by_key(|pause| (pause.from, pause.until));
    Explanation {
        start,
        limit,
        calendar_version: calendar.version,
        pauses,
        steps: walk.steps,
        omitted_steps: walk.omitted,
        original: due(start, limit, calendar),
        due: reached,
    }
}

/// The end of a period set as a date, by policy or by an extension (counting rule 6). It does
/// not roll and depends on no calendar.
#[must_use]
pub fn fixed(date: Date) -> Due {
    Due {
        at: end_of_day(date),
        provisional: false,
    }
}

/// Whether `now` is later than `due` (counting rule 1). For a clock that runs; a stopped clock
/// is not asked.
#[must_use]
pub fn overdue(due: Timestamp, now: Timestamp) -> bool {
    now > due
}

/// Whole local calendar days from today to the last day of the period: 0 on the last day,
/// negative exactly when [`overdue`] (so at least -1 if it lapsed within today).
#[must_use]
pub fn days_left(due: Timestamp, now: Timestamp) -> i64 {
    let days = days_between(local_date(now), last_day(due));
    if overdue(due, now) {
        days.min(-1)
    } else {
        days.max(0)
    }
}

/// One count from start to end, which writes down its steps.
struct Walk<'a> {
    calendar: &'a Calendar,
    /// Paused days as first day and resume day: in order, not empty, not touching.
    pauses: Vec<(Date, Date)>,
    provisional: bool,
    steps: Vec<Step>,
    omitted: usize,
}

impl<'a> Walk<'a> {
    fn run(
        start: Timestamp,
        limit: Limit,
        pauses: &[Pause],
        calendar: &'a Calendar,
    ) -> (Self, Due) {
        let day = local_date(start);
        let mut walk = Self {
            calendar,
            pauses: merged(pauses, day.tomorrow().unwrap_or(Date::MAX)),
            provisional: false,
            steps: Vec::new(),
            omitted: 0,
        };
        walk.note(day, Verdict::Start);
        let at = walk.end(start, limit);
        let provisional = walk.provisional;
        (walk, Due { at, provisional })
    }

    fn end(&mut self, start: Timestamp, limit: Limit) -> Timestamp {
        let (day, n) = (local_date(start), limit.amount);
        let end = match limit.unit {
            Unit::Hours => {
                let hours = SignedDuration::from_hours(n.into());
                let at = start.checked_add(hours).unwrap_or(Timestamp::MAX);
                self.note(last_day(at), Verdict::Counted { n });
                return at;
            }
            Unit::WorkingDays => self.count(day, n),
            Unit::CalendarDays => self.jump(add_days(day, n.into()), n),
            Unit::Months => {
                let months = Span::new().try_months(n);
                self.jump(months.map_or(Date::MAX, |span| day.saturating_add(span)), n)
            }
        };
        let end = self.roll(end);
        self.provisional |= self.calendar.provisional(end);
        end_of_day(end)
    }

    /// Counts `amount` working days after `day` (counting rule 2).
    fn count(&mut self, mut day: Date, amount: u32) -> Date {
        let mut n = 0;
        while n < amount
            && let Ok(next) = day.tomorrow()
        {
            day = next;
            if let Some(reached) = self.rest(day) {
                day = reached;
                continue;
            }
            n += 1;
            let verdict = match self.calendar.day(day) {
                DayKind::MakeupWorkday => Verdict::MakeupWorkday { n },
                _ => Verdict::Counted { n },
            };
            self.note(day, verdict);
        }
        day
    }

    /// Jumps to `end`, then on by the days paused before it (counting rule 5).
    fn jump(&mut self, mut end: Date, n: u32) -> Date {
        self.note(end, Verdict::Counted { n });
        for (from, until) in self.pauses.clone() {
            if from > end {
                break;
            }
            let days = days_between(from, until);
            end = add_days(end, days);
            self.note(end, Verdict::Paused { days });
        }
        end
    }

    /// The first day from `end` on that is neither a rest day nor paused (counting rule 2).
    fn roll(&mut self, end: Date) -> Date {
        let mut day = end;
        while let Some(reached) = self.rest(day) {
            let Ok(next) = reached.tomorrow() else {
                return reached;
            };
            day = next;
        }
        if day != end {
            self.note(day, Verdict::Rolled);
        }
        day
    }

    /// Notes why `day` is not worked, if so, and gives the day to go on from: `day` itself, or
    /// the end of time if a pause lasts.
    fn rest(&mut self, day: Date) -> Option<Date> {
        let begun = self.pauses.partition_point(|(from, _)| *from <= day);
        let latest = begun.checked_sub(1).and_then(|i| self.pauses.get(i));
        if let Some(&(_, until)) = latest.filter(|(_, until)| day < *until) {
            let reached = if until == Date::MAX { until } else { day };
            let days = days_between(day, reached).max(1);
            self.note(reached, Verdict::Paused { days });
            return Some(reached);
        }
        self.provisional |= self.calendar.provisional(day);
        let verdict = match self.calendar.day(day) {
            DayKind::Working | DayKind::MakeupWorkday => return None,
            DayKind::Weekend => Verdict::Weekend,
            DayKind::Holiday(name) => Verdict::Holiday {
                name: name.to_owned(),
            },
        };
        self.note(day, verdict);
        Some(day)
    }

    fn note(&mut self, date: Date, verdict: Verdict) {
        if self.steps.len() >= MAX_STEPS {
            self.steps.pop();
            self.omitted += 1;
        }
        self.steps.push(Step { date, verdict });
    }
}
