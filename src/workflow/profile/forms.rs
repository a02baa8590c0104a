//! The forms of values in a profile: limits as text or as a bare number, days of the year, spans;
//! with the schema that says what is allowed.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::super::deadline::Unit;

/// A length of time as a profile writes it: amount, one space, unit, such as `5 wd`. Stands for
/// [`Limit`](super::Limit) in schemas.
#[derive(Debug)]
pub struct PolicyLimit;

impl PolicyLimit {
    /// Largest amount of a unit; the smallest is 1.
    pub const fn most(unit: Unit) -> u32 {
        match unit {
            Unit::Hours => 2160,
            Unit::CalendarDays => 366,
            Unit::WorkingDays => 250,
            Unit::Months => 24,
        }
    }

    /// The units, in the order of the schema.
    pub const UNITS: [Unit; 4] = [
        Unit::Hours,
        Unit::CalendarDays,
        Unit::WorkingDays,
        Unit::Months,
    ];

    fn pattern() -> String {
        let units = Self::UNITS.map(|unit| format!("(?:{}) {unit}", up_to(Self::most(unit))));
        format!("^(?:{})$", units.join("|"))
    }
}

/// A regular expression for the whole numbers from 1 to `most`, without leading zeros.
fn up_to(most: u32) -> String {
    let any = |count: usize| "[0-9]".repeat(count);
    let digits = most.to_string();
    let mut parts: Vec<String> = (1..digits.len())
        .map(|length| format!("[1-9]{}", any(length - 1)))
        .collect();
    for (place, digit) in digits.char_indices() {
        let (before, first) = (&digits[..place], if place == 0 { '1' } else { '0' });
        let rest = digits.len() - place - 1;
        if digit > first {
            let last = char::from_u32(u32::from(digit) - 1).unwrap_or(first);
            parts.push(format!("{before}[{first}-{last}]{}", any(rest)));
        }
    }
    parts.push(digits);
    parts.join("|")
}

impl PartialSchema for PolicyLimit {
    fn schema() -> RefOr<Schema> {
        let ranges = Self::UNITS.map(|unit| format!("1–{} {unit}", Self::most(unit)));
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(format!(
                "A length of time: amount, one space, unit (`h` hours, `cd` calendar days, `wd` working days, `mo` months). {}.",
                ranges.join(", ")
            )))
            .pattern(Some(Self::pattern()))
            .min_length(Some(3))
            .max_length(Some(7))
            .examples(["10 wd"])
            .into()
    }
}

impl ToSchema for PolicyLimit {
    fn name() -> std::borrow::Cow<'static, str> {
        "PolicyLimit".into()
    }
}

/// A shortest and a longest length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicySpan)]
pub struct Span {
    /// Shortest.
    #[schema(minimum = 1, maximum = 10_000, example = 300)]
    pub min: u32,
    /// Longest; not below the shortest.
    #[schema(minimum = 1, maximum = 10_000, example = 500)]
    pub max: u32,
}

/// A day of every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthDay {
    /// 1 to 12.
    pub month: i8,
    /// 1 to 31.
    pub day: i8,
}

impl MonthDay {
    /// A day of every year.
    pub const fn new(month: i8, day: i8) -> Self {
        Self { month, day }
    }

    /// The day in a year; the last of its month where the month has no such day.
    pub fn in_year(self, year: i16) -> Date {
        let first = Date::new(year, self.month, 1).unwrap_or(Date::MAX);
        first
            .with()
            .day(self.day)
            .build()
            .unwrap_or(first.last_of_month())
    }
}

impl std::fmt::Display for MonthDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

impl PartialSchema for MonthDay {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A day of every year: month and day."))
            .pattern(Some("^(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$"))
            .min_length(Some(5))
            .max_length(Some(5))
            .examples(["11-20"])
            .into()
    }
}

impl ToSchema for MonthDay {}

impl Serialize for MonthDay {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MonthDay {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // Not a leap year: the day must be one of every year.
        let date: Date = format!("2023-{text}")
            .parse()
            .map_err(|_| serde::de::Error::custom("expected a month and a day, such as 11-20"))?;
        Ok(Self::new(date.month(), date.day()))
    }
}

/// Limits as text, such as `5 wd`.
pub(super) mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::workflow::deadline::Limit;

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde asks for a reference"
    )]
    pub fn serialize<S: Serializer>(limit: &Limit, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(limit)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Limit, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(Error::custom)
    }
}

/// Limits as a bare number, where the key names the unit.
pub(super) mod amount {
    macro_rules! amount {
        ($module:ident, $new:ident) => {
            pub mod $module {
                use serde::{Deserialize, Deserializer, Serializer};

                use crate::workflow::deadline::Limit;
                pub fn serialize<S: Serializer>(limit: &Limit, s: S) -> Result<S::Ok, S::Error> {
                    s.serialize_u32(limit.amount)
                }

                pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Limit, D::Error> {
                    u32::deserialize(d).map(Limit::$new)
                }
            }
        };
    }
    amount!(hours, hours);
    amount!(days, cd);
}
