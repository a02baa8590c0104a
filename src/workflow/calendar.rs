//! The working-day calendar as data, which dates are worked and why not, and local dates.
//!
//! Weekends rest by default. Each year the State Council announces rest days and make-up
//! working days (调休上班, weekend days that are worked). A [`Calendar`] is one version of that
//! data; a clock names the version it was counted with (counting rule 8).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::civil::{Date, Time, Weekday, date};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::code_list;

/// Asia/Shanghai, without daylight saving time since 1992.
const LOCAL: Offset = Offset::constant(8);

code_list! {
    /// What the yearly announcement says of a day.
    pub enum DayMark {
        Holiday = "holiday", "休", "rest day";
        MakeupWorkday = "makeup_workday", "班", "make-up working day";
    }
}

/// A day that the yearly announcement names, as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CalendarDay {
    /// The local date.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2027-02-06")]
    pub date: Date,
    /// Rest day or make-up working day.
    pub kind: DayMark,
    /// Name of the holiday; of a make-up working day, what it makes up for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 50, example = "春节")]
    pub name: Option<String>,
    /// The announcement it comes from; absent for days that came with the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 500)]
    pub source_note: Option<String>,
}

impl From<CalendarDay> for (Date, SpecialDay) {
    fn from(day: CalendarDay) -> Self {
        let special = match day.kind {
            DayMark::Holiday => SpecialDay::Holiday(day.name.unwrap_or_default()),
            DayMark::MakeupWorkday => SpecialDay::MakeupWorkday,
        };
        (day.date, special)
    }
}

/// Version number of the calendar that ships with the program. What it says never changes, also
/// not in a later release: other years and corrections come by import.
pub const BUILTIN_VERSION: i32 = 1;

/// One version of the holiday data, answering for single dates.
///
/// Dates are local dates (Asia/Shanghai). A year is *covered* when it holds at least one
/// announced day; in a year that is not covered only weekends rest, and what was counted there
/// is provisional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// The version a clock records, so that its due date can be replayed (counting rule 8).
    pub version: i32,
    days: BTreeMap<Date, SpecialDay>,
    years: BTreeSet<i16>,
}

/// A date that the yearly announcement names, as input for [`Calendar::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpecialDay {
    /// A rest day with its Chinese name, for example 国庆节. May fall on a weekend.
    Holiday(String),
    /// A weekend day that is worked (调休上班).
    MakeupWorkday,
}

/// What a date is, as the counting rules see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind<'a> {
    /// An ordinary working day.
    Working,
    /// A Saturday or Sunday that no announcement names.
    Weekend,
    /// An announced rest day with its name.
    Holiday(&'a str),
    /// An announced working day on a weekend.
    MakeupWorkday,
}

impl DayKind<'_> {
    /// Whether the day counts for limits in working days and may end any limit in days or
    /// months (counting rule 2).
    #[must_use]
    pub const fn is_working(self) -> bool {
        matches!(self, Self::Working | Self::MakeupWorkday)
    }
}

impl Calendar {
    /// The calendar that ships with the program: 2024, 2025 and 2026 as announced.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Calendar> =
            LazyLock::new(|| Calendar::new(BUILTIN_VERSION, builtin_days()));
        &BUILTIN
    }

    /// The days of the calendar that ships with the program, in order.
    #[must_use]
    pub fn builtin_days() -> Vec<CalendarDay> {
        let days = Self::builtin().days.iter();
        days.map(|(date, special)| CalendarDay {
            date: *date,
            kind: match special {
                SpecialDay::Holiday(_) => DayMark::Holiday,
                SpecialDay::MakeupWorkday => DayMark::MakeupWorkday,
            },
            name: match special {
                SpecialDay::Holiday(name) => Some(name.clone()),
                SpecialDay::MakeupWorkday => None,
            },
            source_note: None,
        })
        .collect()
    }

    /// A calendar from data kept elsewhere.
    ///
    /// The years of the given dates become covered years. If a date comes twice, the later entry
    /// wins.
    #[must_use]
    pub fn new(version: i32, days: impl IntoIterator<Item = (Date, SpecialDay)>) -> Self {
        let days: BTreeMap<_, _> = days.into_iter().collect();
        let years = days.keys().map(|day| day.year()).collect();
        Self {
            version,
            days,
            years,
        }
    }

    /// What the local date `day` is.
    #[must_use]
    pub fn day(&self, day: Date) -> DayKind<'_> {
        match self.days.get(&day) {
            Some(SpecialDay::Holiday(name)) => DayKind::Holiday(name),
            Some(SpecialDay::MakeupWorkday) => DayKind::MakeupWorkday,
            None if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) => {
                DayKind::Weekend
            }
            None => DayKind::Working,
        }
    }

    /// Whether `day` is worked: an ordinary working day or a make-up working day.
    #[must_use]
    pub fn is_working(&self, day: Date) -> bool {
        self.day(day).is_working()
    }

    /// The years that hold announced days, in order.
    pub fn years(&self) -> impl Iterator<Item = i16> {
        self.years.iter().copied()
    }

    /// Whether the year of `day` has no data yet, so that an answer about it may still change.
    #[must_use]
    pub fn provisional(&self, day: Date) -> bool {
        !self.years.contains(&day.year())
    }
}

/// 24:00 local time of `date`, that is 00:00 of the next day (counting rule 1).
#[must_use]
pub fn end_of_day(date: Date) -> Timestamp {
    let saturated = if date.year().is_negative() {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    date.tomorrow()
        .and_then(|next| LOCAL.to_timestamp(next.to_datetime(Time::midnight())))
        .unwrap_or(saturated)
}

/// The local day (Asia/Shanghai) of a moment. 24:00 belongs to the next day; see [`last_day`].
#[must_use]
pub fn local_date(at: Timestamp) -> Date {
    LOCAL.to_datetime(at).date()
}

/// The last local day of a period due at `due`: 24:00 of a day counts as that day (counting
/// rule 1).
#[must_use]
pub fn last_day(due: Timestamp) -> Date {
    let local = LOCAL.to_datetime(due);
    if local.time() == Time::midnight() {
        local.date().yesterday().unwrap_or(Date::MIN)
    } else {
        local.date()
    }
}

/// A stretch of local days during which a clock stands still (counting rule 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Pause {
    /// The first paused day.
    #[schema(value_type = String, format = Date)]
    pub from: Date,
    /// The resume day, which is no longer paused; none while the pause lasts. Not later than
    /// `from` means that nothing is paused.
    #[schema(value_type = Option<String>, format = Date)]
    pub until: Option<Date>,
}

/// The pauses as first day and resume day, cut to begin no earlier than `first`: in order, not
/// empty, not touching. A pause that lasts has the end of time as resume day.
pub(super) fn merged(pauses: &[Pause], first: Date) -> Vec<(Date, Date)> {
    let mut spans: Vec<_> = pauses
        .iter()
        .map(|pause| (pause.from.max(first), pause.until.unwrap_or(Date::MAX)))
        .filter(|(from, until)| from < until)
        .collect();
    spans.sort_unstable();
    spans.dedup_by(|next, kept| {
        let touching = next.0 <= kept.1;
        if touching {
            kept.1 = kept.1.max(next.1);
        }
        touching
    });
    spans
}

pub(super) fn days_between(from: Date, to: Date) -> i64 {
    from.duration_until(to).as_hours() / 24
}

pub(super) fn add_days(day: Date, days: i64) -> Date {
    day.saturating_add(SignedDuration::from_hours(24 * days))
}

/// Announced rest days: first and last day (inclusive) and name. Weekends that merely touch a
/// holiday without being part of the announced span stay plain weekends.
const HOLIDAYS: [(Date, Date, &str); 20] = [
    (date(2024, 1, 1), date(2024, 1, 1), "元旦"),
    (date(2024, 2, 10), date(2024, 2, 17), "春节"),
    (date(2024, 4, 4), date(2024, 4, 6), "清明节"),
    (date(2024, 5, 1), date(2024, 5, 5), "劳动节"),
    (date(2024, 6, 10), date(2024, 6, 10), "端午节"),
    (date(2024, 9, 15), date(2024, 9, 17), "中秋节"),
    (date(2024, 10, 1), date(2024, 10, 7), "国庆节"),
    (date(2025, 1, 1), date(2025, 1, 1), "元旦"),
    (date(2025, 1, 28), date(2025, 2, 4), "春节"),
    (date(2025, 4, 4), date(2025, 4, 6), "清明节"),
    (date(2025, 5, 1), date(2025, 5, 5), "劳动节"),
    (date(2025, 5, 31), date(2025, 6, 2), "端午节"),
    (date(2025, 10, 1), date(2025, 10, 8), "国庆节、中秋节"),
    (date(2026, 1, 1), date(2026, 1, 3), "元旦"),
    (date(2026, 2, 15), date(2026, 2, 23), "春节"),
    (date(2026, 4, 4), date(2026, 4, 6), "清明节"),
    (date(2026, 5, 1), date(2026, 5, 5), "劳动节"),
    (date(2026, 6, 19), date(2026, 6, 21), "端午节"),
    (date(2026, 9, 25), date(2026, 9, 27), "中秋节"),
    (date(2026, 10, 1), date(2026, 10, 7), "国庆节"),
];

/// Announced make-up working days.
const MAKEUP_WORKDAYS: [Date; 19] = [
    date(2024, 2, 4),
    date(2024, 2, 18),
    date(2024, 4, 7),
    date(2024, 4, 28),
    date(2024, 5, 11),
    date(2024, 9, 14),
    date(2024, 9, 29),
    date(2024, 10, 12),
    date(2025, 1, 26),
    date(2025, 2, 8),
    date(2025, 4, 27),
    date(2025, 9, 28),
    date(2025, 10, 11),
    date(2026, 1, 4),
    date(2026, 2, 14),
    date(2026, 2, 28),
    date(2026, 5, 9),
    date(2026, 9, 20),
    date(2026, 10, 10),
];

fn builtin_days() -> impl Iterator<Item = (Date, SpecialDay)> {
    let holidays = HOLIDAYS.into_iter().flat_map(|(first, last, name)| {
        std::iter::successors(Some(first), |day| day.tomorrow().ok())
            .take_while(move |day| *day <= last)
            .map(move |day| (day, SpecialDay::Holiday(name.to_owned())))
    });
    let makeup = MAKEUP_WORKDAYS
        .into_iter()
        .map(|day| (day, SpecialDay::MakeupWorkday));
    holidays.chain(makeup)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_weekend(day: Date) -> bool {
        matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    fn days_of(year: i16) -> impl Iterator<Item = Date> {
        std::iter::successors(Some(date(year, 1, 1)), |day| day.tomorrow().ok())
            .take_while(move |day| day.year() == year)
    }

    #[test]
    fn tables_are_sound() {
        for (first, last, name) in HOLIDAYS {
            assert!(first <= last, "{name} {first}");
            assert_eq!(first.year(), last.year(), "{name} {first}");
        }
        assert!(
            HOLIDAYS.is_sorted_by(|a, b| a.1 < b.0),
            "spans overlap or are unsorted"
        );
        assert!(MAKEUP_WORKDAYS.is_sorted_by(|a, b| a < b));
        for day in MAKEUP_WORKDAYS {
            assert!(is_weekend(day), "{day} is not a weekend day");
            assert!(
                !HOLIDAYS
                    .iter()
                    .any(|(first, last, _)| (first..=last).contains(&&day)),
                "{day} is both worked and off"
            );
        }
    }

    /// Totals counted independently of this code, from the announcements.
    #[test]
    fn working_days_per_year() {
        let working = |year| {
            days_of(year)
                .filter(|day| Calendar::builtin().is_working(*day))
                .count()
        };
        assert_eq!(working(2024), 251);
        assert_eq!(working(2025), 248);
        assert_eq!(working(2026), 248);
    }

    #[test]
    fn kinds() {
        let calendar = Calendar::builtin();
        assert_eq!(calendar.version, BUILTIN_VERSION);
        assert_eq!(calendar.day(date(2025, 9, 26)), DayKind::Working);
        assert_eq!(calendar.day(date(2025, 9, 27)), DayKind::Weekend);
        assert_eq!(calendar.day(date(2025, 9, 28)), DayKind::MakeupWorkday);
        for day in 1..=8 {
            assert_eq!(
                calendar.day(date(2025, 10, day)),
                DayKind::Holiday("国庆节、中秋节")
            );
        }
        assert_eq!(calendar.day(date(2025, 10, 9)), DayKind::Working);
        assert_eq!(calendar.day(date(2026, 10, 8)), DayKind::Working);
        assert_eq!(calendar.day(date(2024, 6, 8)), DayKind::Weekend);
        assert_eq!(calendar.day(date(2024, 6, 10)), DayKind::Holiday("端午节"));
        assert_eq!(calendar.day(date(2024, 2, 9)), DayKind::Working);
        assert_eq!(calendar.day(date(2024, 2, 18)), DayKind::MakeupWorkday);
        assert!(calendar.is_working(date(2024, 10, 12)));
        assert!(!calendar.is_working(date(2026, 2, 23)));
    }

    #[test]
    fn years_without_data_know_weekends_only() {
        let calendar = Calendar::builtin();
        for year in [2024, 2025, 2026] {
            assert!(!calendar.provisional(date(year, 12, 31)));
        }
        for day in days_of(2023).chain(days_of(2027)) {
            assert!(calendar.provisional(day));
            assert_eq!(calendar.is_working(day), !is_weekend(day), "{day}");
        }
        assert!(calendar.provisional(Date::MIN));
        assert!(calendar.provisional(Date::MAX));
    }

    #[test]
    fn data_from_elsewhere() {
        let day = date(2027, 2, 6);
        let calendar = Calendar::new(
            7,
            [
                (day, SpecialDay::MakeupWorkday),
                (day, SpecialDay::Holiday("春节".to_owned())),
                (date(2027, 2, 20), SpecialDay::MakeupWorkday),
            ],
        );
        assert_eq!(calendar.version, 7);
        assert_eq!(calendar.day(day), DayKind::Holiday("春节"));
        assert!(calendar.is_working(date(2027, 2, 20)));
        assert!(!calendar.provisional(date(2027, 12, 1)));
        assert!(calendar.provisional(date(2026, 10, 1)));
        assert_eq!(calendar.day(date(2026, 10, 1)), DayKind::Working);
        let empty = Calendar::new(8, []);
        assert_eq!(empty.day(date(2026, 10, 3)), DayKind::Weekend);
    }
}
