//! Calendars of a committee: an import makes the next version, on which open clocks are counted
//! anew, one case per transaction (counting rule 8).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Ctx;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{CommitteeId, ProposalId};
use crate::jobs::kind::JobKind;
use crate::store::Tx;
use crate::store::calendars::{self as store, CalendarVersion, Span};
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::store::jobs::{self, Wanted};
use crate::workflow::calendar::DayMark;
use crate::workflow::calendar_file::{self, CalendarChange, FileDay, Wrong};
use crate::workflow::role::Role;

/// Who imports calendars.
pub const IMPORTERS: &[Role] = &[Role::Administrator];

/// Most cases that an import counts as concerned.
pub const COUNTED: i64 = 10_000;

/// A day of the list form.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarDayIn {
    /// The local date.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2027-02-06")]
    pub date: Date,
    /// Rest day or make-up working day.
    pub kind: DayMark,
    /// Name of the holiday; needed for rest days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 50, example = "春节")]
    pub name: Option<String>,
}

/// One or more whole years, from exactly one of `csv`, `icalendar` and `days`.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarIn {
    /// Where the announcement stands.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"\S",
        example = "国务院办公厅关于2027年部分节假日安排的通知"
    )]
    pub source_note: String,
    /// Text of a CSV file with the heading `date,kind,name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 100_000)]
    pub csv: Option<String>,
    /// Text of an iCalendar file (RFC 5545) with events of whole days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200_000)]
    pub icalendar: Option<String>,
    /// The days as a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_items = 1, max_items = 1000)]
    pub days: Option<Vec<CalendarDayIn>>,
}

impl CalendarIn {
    /// The days of the file; 422 with the number of every broken line.
    fn read(&self) -> Result<Vec<FileDay>> {
        let given = [
            self.csv.is_some(),
            self.icalendar.is_some(),
            self.days.is_some(),
        ];
        let (pointer, read) = match (&self.csv, &self.icalendar, &self.days) {
            _ if given.iter().filter(|given| **given).count() != 1 => {
                return Err(Error::invalid(
                    "",
                    "exactly_one",
                    Message::new(
                        "csv、icalendar、days 须且只须填一项。",
                        "Exactly one of csv, icalendar and days.",
                    ),
                ));
            }
            (Some(text), ..) => ("/csv", calendar_file::from_csv(text)),
            (_, Some(text), _) => ("/icalendar", calendar_file::from_icalendar(text)),
            (.., days) => ("/days", Ok(listed(days.as_deref().unwrap_or_default()))),
        };
        read.and_then(|days| calendar_file::check(&days).map(|()| days))
            .map_err(|wrongs| broken(pointer, wrongs))
    }
}

fn listed(days: &[CalendarDayIn]) -> Vec<FileDay> {
    let days = days.iter().enumerate();
    days.map(|(index, day)| FileDay {
        line: index + 1,
        date: day.date,
        kind: day.kind,
        name: day.name.clone(),
    })
    .collect()
}

fn broken(pointer: &str, wrongs: Vec<Wrong>) -> Error {
    let lines: Vec<_> = wrongs.iter().map(|wrong| wrong.line).collect();
    wrongs
        .into_iter()
        .fold(Error::new(Code::InvalidInput), |error, wrong| {
            let place = if pointer == "/days" {
                format!("{pointer}/{}", wrong.line - 1)
            } else {
                pointer.to_owned()
            };
            error.field(place, wrong.code, wrong.message)
        })
        .with("lines", lines)
}

/// What an import came to, or would come to.
pub struct Imported {
    /// The version.
    pub version: CalendarVersion,
    /// The years that were replaced.
    pub years: Vec<i16>,
    /// The days that differ from the version before.
    pub changes: Vec<CalendarChange>,
    /// Cases with open clocks that may count otherwise, up to [`COUNTED`].
    pub concerned: i64,
}

/// Makes the next version: the one before with the years of the file replaced. Acts count with it
/// as soon as the transaction commits; open clocks follow with the next act on their case or by
/// the job that walks through [`to_recompute`].
pub fn import(tx: &mut Tx<'_>, ctx: &Ctx, input: &CalendarIn) -> Result<Imported> {
    let (committee, file) = (ctx.committee(), input.read()?);
    // Also makes one import wait for the other.
    let number = store::allot(tx, committee)?;
    let before = store::days(tx, committee, number - 1)?;
    let next = calendar_file::next(before, file, &input.source_note);
    let Some((from, until)) = next.span else {
        return Err(Error::invalid(
            "",
            "no_change",
            Message::new(
                "与现行日历没有差别。",
                "Nothing differs from the present calendar.",
            ),
        ));
    };
    let version = CalendarVersion {
        version: number,
        source_note: input.source_note.clone(),
        changed_from: Some(from),
        changed_until: Some(until),
        imported_by: Some(ctx.user()),
        imported_at: Some(ctx.now),
    };
    store::insert(tx, committee, &version, &next.days)?;
    let wanted = Wanted {
        committee,
        kind: JobKind::RecountClocks,
        key: "calendar".to_owned(),
        payload: serde_json::Value::Null,
        at: ctx.now,
    };
    jobs::want(tx, &wanted, ctx.now)?;
    let spans = [store::span(number, from, until)];
    let concerned = store::count_concerned(tx, committee, &spans, COUNTED)?;
    let happening = Happening {
        name: "calendar.imported".to_owned(),
        rule: None,
        content: serde_json::json!({
            "version": version,
            "years": next.years,
            "changes": next.changes,
        }),
    };
    let stream = Stream::of(committee, "committee", committee);
    events::append(tx, &stream, &Circumstances::of(ctx, IMPORTERS), happening)?;
    Ok(Imported {
        version,
        years: next.years.into_iter().collect(),
        changes: next.changes,
        concerned,
    })
}

/// The next cases with open clocks that a later calendar may count otherwise, at most `limit`
/// behind `after`, in the order of their identifiers; empty when there are no more.
pub fn to_recompute(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    after: Option<ProposalId>,
    limit: i64,
) -> Result<Vec<ProposalId>> {
    let spans: Vec<Span> = store::spans(tx, committee)?;
    if spans.is_empty() {
        return Ok(Vec::new());
    }
    store::concerned(tx, committee, &spans, after, limit)
}
