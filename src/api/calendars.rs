//! Working-day calendars (工作日历): versions, their days, and the import of a year.

use std::fmt;
use std::str::FromStr;

use actix_web::HttpRequest;
use actix_web::web::Data;
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Listing, Params, PathText};
use super::json::RawBody;
use super::page::{Binding, COUNT_CAP, Page, PageParams};
use super::routes::{Access, Routes};
use crate::app::calendars::{self, CalendarIn, Imported};
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::{Error, Result};
use crate::ids::CommitteeId;
use crate::store::Tx;
use crate::store::calendars::{self as store, CalendarVersion};
use crate::workflow::calendar::{Calendar, CalendarDay};
use crate::workflow::calendar_file::{CalendarChange, YEARS};

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const IMPORTERS: Access = Access::Roles(calendars::IMPORTERS);
    enter!(routes, Access::SignedIn, [__path_list_calendars] list_calendars);
    enter!(routes, IMPORTERS, [__path_import_calendar] import_calendar);
    enter!(routes, Access::SignedIn, [__path_get_calendar] get_calendar);
    enter!(routes, Access::SignedIn, [__path_get_calendar_days] get_calendar_days);
}

/// A version in the path: its number, or `current`.
#[derive(Debug, Clone, Copy)]
pub struct VersionName(Option<i32>);

/// Not the name of a version.
#[derive(Debug)]
pub struct NoVersion;

impl fmt::Display for NoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the name of a version")
    }
}

impl FromStr for VersionName {
    type Err = NoVersion;

    fn from_str(text: &str) -> std::result::Result<Self, NoVersion> {
        match text {
            "current" => Ok(Self(None)),
            _ if text.starts_with('+') => Err(NoVersion),
            _ => text
                .parse()
                .map(|number| Self(Some(number)))
                .map_err(|_| NoVersion),
        }
    }
}

impl VersionName {
    fn number(self, tx: &mut Tx<'_>, committee: CommitteeId) -> Result<i32> {
        self.0.map_or_else(|| store::current(tx, committee), Ok)
    }
}

/// A year of a calendar.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarYear {
    /// The year.
    #[schema(minimum = 2000, maximum = 2099, example = 2026)]
    pub year: i16,
    /// Announced rest days.
    #[schema(minimum = 0, maximum = 366, example = 33)]
    pub holidays: usize,
    /// Make-up working days.
    #[schema(minimum = 0, maximum = 110, example = 6)]
    pub makeup_workdays: usize,
    /// Working days in all.
    #[schema(minimum = 0, maximum = 366, example = 248)]
    pub working_days: usize,
}

/// A version of the calendar and the years it has data for. In every other year only weekends
/// rest, and what is counted there is provisional.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarOut {
    /// The version.
    #[serde(flatten)]
    pub calendar: CalendarVersion,
    /// The years with announced days.
    #[schema(max_items = 100)]
    pub years: Vec<CalendarYear>,
}

/// The days of a year.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarDays {
    /// The version.
    #[schema(minimum = 1, example = 2)]
    pub version: i32,
    /// The year.
    #[schema(minimum = 2000, maximum = 2099, example = 2027)]
    pub year: i16,
    /// Nothing is announced for the year: only weekends rest, and that may change.
    pub provisional: bool,
    /// Working days of the year.
    #[schema(minimum = 0, maximum = 366, example = 248)]
    pub working_days: usize,
    /// The announced days, in order.
    #[schema(max_items = 366)]
    pub days: Vec<CalendarDay>,
}

/// What an import came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarImport {
    /// The new version.
    pub calendar: CalendarVersion,
    /// The years that were replaced.
    #[schema(max_items = 100, example = json!([2027]))]
    pub years: Vec<i16>,
    /// The days that differ from the version before.
    #[schema(max_items = 2000)]
    pub changes: Vec<CalendarChange>,
    /// Cases with open clocks that may count otherwise; counted up to 10,000.
    #[schema(minimum = 0, maximum = 10_000)]
    pub open_cases: i64,
}

impl From<Imported> for CalendarImport {
    fn from(imported: Imported) -> Self {
        Self {
            calendar: imported.version,
            years: imported.years,
            changes: imported.changes,
            open_cases: imported.concerned,
        }
    }
}

/// Takes no parameter of its own.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CalendarFilter {}

/// Which year.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct YearParams {
    /// The year, from 2000 to 2099.
    #[param(minimum = 2000, maximum = 2099, example = 2026)]
    pub year: i16,
}

/// List calendars
///
/// Every version of the committee's calendar, newest first; acts count with the first one. A clock
/// names the version it was counted with.
#[utoipa::path(
    get, path = "/api/v1/calendars", tag = "calendars",
    params(PageParams),
    responses((status = 200, description = "A page of versions.", body = Page<CalendarVersion>)),
)]
pub async fn list_calendars(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<CalendarFilter>,
) -> Result<Answer> {
    let (committee, page) = (ctx.committee(), listing.page);
    let binding = Binding::new(&ctx, &());
    let cursor = page.cursor.as_deref();
    let before = cursor.map(|cursor| binding.decode(cursor)).transpose()?;
    let limit = i64::try_from(page.limit.get() + 1).unwrap_or(i64::MAX);
    let (rows, count) = app
        .db
        .read("calendar.list", move |tx| {
            let rows = store::list(tx, committee, before, limit)?;
            let count = page
                .count
                .then(|| store::count(tx, committee))
                .transpose()?;
            Ok((rows, count))
        })
        .await?;
    let mut answer = binding.page(rows, page.limit, |row| row.version)?;
    answer.count = count.map(|count| count.min(COUNT_CAP));
    Answer::ok(&answer)
}

/// Import a calendar
///
/// Makes the next version: the present one with every year of the file replaced. The file is CSV
/// (`date,kind,name`), iCalendar, or a list of days. A broken line is named by its number and
/// nothing is imported. Try it first with `validate_only=true`: the answer tells which days would
/// change and how many cases have open clocks that may be due on another day. Acts count with the
/// new version at once; open clocks are counted anew, and each keeps its old and new due date.
#[utoipa::path(
    post, path = "/api/v1/calendars", tag = "calendars",
    request_body(content = CalendarIn, example = json!({
        "source_note": "国务院办公厅关于2027年部分节假日安排的通知",
        "csv": "date,kind,name\n2027-01-01,holiday,元旦\n2027-02-06,makeup_workday,春节\n2027-02-07,holiday,春节\n"
    })),
    responses((status = 201, description = "The version was made.", body = CalendarImport)),
)]
pub async fn import_calendar(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    app.write(&ctx.clone(), move |tx| {
        let input: CalendarIn = body.parse()?;
        let imported = calendars::import(tx, &ctx, &input)?;
        let location = format!("/api/v1/calendars/{}", imported.version.version);
        Answer::created(&CalendarImport::from(imported), location)
    })
    .await
}

fn working_days(calendar: &Calendar, year: i16) -> usize {
    let first = Date::new(year, 1, 1).ok();
    std::iter::successors(first, |day| day.tomorrow().ok())
        .take_while(|day| day.year() == year)
        .filter(|day| calendar.is_working(*day))
        .count()
}

/// Read a calendar
///
/// One version, by its number or as `current`, with the years it has data for.
#[utoipa::path(
    get, path = "/api/v1/calendars/{version}", tag = "calendars",
    params(("version" = String, Path, max_length = 20, description = "Number of the version, or `current`.", example = "current")),
    responses((status = 200, description = "The version.", body = CalendarOut)),
)]
pub async fn get_calendar(
    app: Data<App>,
    ctx: Ctx,
    PathText(version): PathText<VersionName>,
) -> Result<Answer> {
    let committee = ctx.committee();
    let (calendar, days) = app
        .db
        .read("calendar.get", move |tx| {
            let number = version.number(tx, committee)?;
            let calendar = store::find(tx, committee, number)?;
            Ok((calendar, store::days(tx, committee, number)?))
        })
        .await?;
    let counting = Calendar::new(calendar.version, days.iter().cloned().map(Into::into));
    let years = counting
        .years()
        .map(|year| {
            let of_year = days.iter().filter(|day| day.date.year() == year);
            let (worked, off): (Vec<_>, Vec<_>) = of_year.partition(|day| is_worked(day));
            CalendarYear {
                year,
                holidays: off.len(),
                makeup_workdays: worked.len(),
                working_days: working_days(&counting, year),
            }
        })
        .collect();
    Answer::ok(&CalendarOut { calendar, years })
}

fn is_worked(day: &CalendarDay) -> bool {
    day.kind == crate::workflow::calendar::DayMark::MakeupWorkday
        && matches!(day.date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Read the days of a year
///
/// The announced days of a year in one version, by its number or as `current`. A year without any
/// is provisional: only weekends rest.
#[utoipa::path(
    get, path = "/api/v1/calendars/{version}/days", tag = "calendars",
    params(
        ("version" = String, Path, max_length = 20, description = "Number of the version, or `current`.", example = "current"),
        YearParams
    ),
    responses((status = 200, description = "The days.", body = CalendarDays)),
)]
pub async fn get_calendar_days(
    app: Data<App>,
    ctx: Ctx,
    PathText(version): PathText<VersionName>,
    Params(YearParams { year }): Params<YearParams>,
) -> Result<Answer> {
    if !YEARS.contains(&year) {
        return Err(year_out_of_range());
    }
    let committee = ctx.committee();
    let (version, days) = app
        .db
        .read("calendar.days", move |tx| {
            let number = version.number(tx, committee)?;
            store::find(tx, committee, number)?;
            Ok((number, store::days(tx, committee, number)?))
        })
        .await?;
    let calendar = Calendar::new(version, days.iter().cloned().map(Into::into));
    let days: Vec<_> = days
        .into_iter()
        .filter(|day| day.date.year() == year)
        .collect();
    Answer::ok(&CalendarDays {
        version,
        year,
        provisional: days.is_empty(),
        working_days: working_days(&calendar, year),
        days,
    })
}

fn year_out_of_range() -> Error {
    let (from, to) = (YEARS.start(), YEARS.end());
    Error::new(crate::error::Code::InvalidParameter).field(
        "year",
        "range",
        crate::error::Message::new(
            format!("须在 {from} 至 {to} 之间。"),
            format!("From {from} to {to}."),
        ),
    )
}
