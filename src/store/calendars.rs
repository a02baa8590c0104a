//! The working-day calendars of a committee: versions that never change once they are there.
//! Version 1 is the one that ships with the program and has no rows.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use diesel::prelude::*;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::Tx;
use super::connection::MultiBackend;
use super::prepared::Prepare;
use super::run::Run;
use super::schema::{calendar_days, calendars, clocks, committees};
use super::sql_types::{At, On};
use crate::error::{Error, Result};
use crate::ids::{CommitteeId, ProposalId, UserId};
use crate::workflow::calendar::{BUILTIN_VERSION, Calendar, CalendarDay, DayMark, end_of_day};

/// Where the calendar that ships with the program comes from.
const BUILTIN_SOURCE: &str = "国务院办公厅关于2024年、2025年、2026年部分节假日安排的通知";

/// A version of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CalendarVersion {
    /// Running number in the committee, from 1; clocks name it.
    #[schema(minimum = 1, example = 2)]
    pub version: i32,
    /// Where the announcement stands.
    #[schema(
        max_length = 500,
        example = "国务院办公厅关于2027年部分节假日安排的通知"
    )]
    pub source_note: String,
    /// First day on which it differs from the version before; absent for the first version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub changed_from: Option<Date>,
    /// Last such day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub changed_until: Option<Date>,
    /// Who imported it; absent for the one that ships with the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub imported_by: Option<UserId>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub imported_at: Option<Timestamp>,
}

/// The version that ships with the program.
fn builtin() -> CalendarVersion {
    CalendarVersion {
        version: BUILTIN_VERSION,
        source_note: BUILTIN_SOURCE.to_owned(),
        changed_from: None,
        changed_until: None,
        imported_by: None,
        imported_at: None,
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = calendars)]
struct CalendarRow {
    version: i32,
    source_note: String,
    changed_from: On,
    changed_until: On,
    imported_by: UserId,
    imported_at: At,
}

impl From<CalendarRow> for CalendarVersion {
    fn from(row: CalendarRow) -> Self {
        Self {
            version: row.version,
            source_note: row.source_note,
            changed_from: Some(row.changed_from.0),
            changed_until: Some(row.changed_until.0),
            imported_by: Some(row.imported_by),
            imported_at: Some(row.imported_at.0),
        }
    }
}

/// Versions below number `before`, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<CalendarVersion>> {
    let mut query = calendars::table
        .filter(calendars::committee_id.eq(committee))
        .into_boxed();
    if let Some(version) = before {
        query = query.filter(calendars::version.lt(version));
    }
    let rows: Vec<CalendarRow> = query
        .order(calendars::version.desc())
        .limit(limit)
        .select(<CalendarRow as Selectable<MultiBackend>>::construct_selection())
        .load(tx.conn)?;
    let mut versions: Vec<_> = rows.into_iter().map(CalendarVersion::from).collect();
    let full = i64::try_from(versions.len()).is_ok_and(|found| found >= limit);
    if !full && before.is_none_or(|version| version > BUILTIN_VERSION) {
        versions.push(builtin());
    }
    Ok(versions)
}

/// Number of versions.
pub fn count(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<i64> {
    current(tx, committee).map(i64::from)
}

/// Number of the version that acts count with.
pub fn current(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<i32> {
    Ok(committees::table
        .find(committee)
        .select(committees::calendar_version)
        .first_row(tx.conn)?)
}

/// One version, or 404.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, version: i32) -> Result<CalendarVersion> {
    if version == BUILTIN_VERSION {
        return Ok(builtin());
    }
    let row: CalendarRow = calendars::table
        .find((committee, version))
        .select(<CalendarRow as Selectable<MultiBackend>>::construct_selection())
        .first_row(tx.conn)?;
    Ok(row.into())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = calendar_days)]
struct DayRow {
    day: On,
    kind: DayMark,
    name: Option<String>,
    source_note: Option<String>,
}

/// Every announced day of a version, in order; none for a version that is not there.
pub fn days(tx: &mut Tx<'_>, committee: CommitteeId, version: i32) -> Result<Vec<CalendarDay>> {
    if version == BUILTIN_VERSION {
        return Ok(Calendar::builtin_days());
    }
    let rows: Vec<DayRow> = calendar_days::table
        .filter(calendar_days::committee_id.eq(committee))
        .filter(calendar_days::version.eq(version))
        .order(calendar_days::day)
        .select(<DayRow as Selectable<MultiBackend>>::construct_selection())
        .rows(tx.conn)?;
    Ok(rows
        .into_iter()
        .map(|row| CalendarDay {
            date: row.day.0,
            kind: row.kind,
            name: row.name,
            source_note: row.source_note,
        })
        .collect())
}

/// Counts the version of the committee's calendar: one import after the other gets its number.
pub fn allot(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<i32> {
    diesel::update(committees::table.find(committee))
        .set(committees::calendar_version.eq(committees::calendar_version + 1))
        .prepared()
        .run(tx.conn)?;
    current(tx, committee)
}

/// Stores a version with all its days.
pub fn insert(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    version: &CalendarVersion,
    days: &[CalendarDay],
) -> Result<()> {
    let missing = || Error::internal("an import without its circumstances");
    diesel::insert_into(calendars::table)
        .values((
            calendars::committee_id.eq(committee),
            calendars::version.eq(version.version),
            calendars::source_note.eq(&version.source_note),
            calendars::changed_from.eq(On(version.changed_from.ok_or_else(missing)?)),
            calendars::changed_until.eq(On(version.changed_until.ok_or_else(missing)?)),
            calendars::imported_by.eq(version.imported_by.ok_or_else(missing)?),
            calendars::imported_at.eq(At(version.imported_at.ok_or_else(missing)?)),
        ))
        .prepared()
        .run(tx.conn)?;
    for day in days {
        diesel::insert_into(calendar_days::table)
            .values((
                calendar_days::committee_id.eq(committee),
                calendar_days::version.eq(version.version),
                calendar_days::day.eq(On(day.date)),
                calendar_days::kind.eq(day.kind),
                calendar_days::name.eq(&day.name),
                calendar_days::source_note.eq(&day.source_note),
            ))
            .prepared()
            .run(tx.conn)?;
    }
    Ok(())
}

/// Versions in memory, by committee and number.
type Memory = BTreeMap<(CommitteeId, i32), Arc<Calendar>>;

static MEMORY: LazyLock<Mutex<Memory>> = LazyLock::new(Mutex::default);

/// Most versions kept in memory, some ten kilobytes each.
const KEPT: usize = 500;

/// A version for counting. Read once: it never changes.
pub fn version(tx: &mut Tx<'_>, committee: CommitteeId, number: i32) -> Result<Arc<Calendar>> {
    static BUILTIN: LazyLock<Arc<Calendar>> =
        LazyLock::new(|| Arc::new(Calendar::builtin().clone()));
    if number == BUILTIN_VERSION {
        return Ok(Arc::clone(&BUILTIN));
    }
    let remembered = {
        let memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
        memory.get(&(committee, number)).cloned()
    };
    if let Some(calendar) = remembered {
        return Ok(calendar);
    }
    let days = days(tx, committee, number)?;
    if days.is_empty() {
        return Err(Error::not_found());
    }
    let calendar = Arc::new(Calendar::new(number, days.into_iter().map(Into::into)));
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    if memory.len() >= KEPT {
        memory.clear();
    }
    memory.insert((committee, number), Arc::clone(&calendar));
    Ok(calendar)
}

/// A stretch of time in which clocks of versions below `version` may count otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Clocks of older versions.
    pub version: i32,
    /// They started before this moment …
    pub until: Timestamp,
    /// … and are due after this one.
    pub from: Timestamp,
}

/// Most spans asked about at once; more are put together into one.
const MOST_SPANS: usize = 20;

/// What the versions of a committee changed, for [`concerned`].
pub fn spans(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<Vec<Span>> {
    let rows: Vec<(i32, On, On)> = calendars::table
        .filter(calendars::committee_id.eq(committee))
        .order(calendars::version.desc())
        .select((
            calendars::version,
            calendars::changed_from,
            calendars::changed_until,
        ))
        .rows(tx.conn)?;
    let mut spans: Vec<Span> = rows
        .into_iter()
        .map(|(version, from, until)| span(version, from.0, until.0))
        .collect();
    while spans.len() > MOST_SPANS
        && let (Some(one), Some(other)) = (spans.pop(), spans.last_mut())
    {
        other.from = other.from.min(one.from);
        other.until = other.until.max(one.until);
    }
    Ok(spans)
}

/// The stretch from the start of the first day to the end of the last one.
pub fn span(version: i32, from: Date, until: Date) -> Span {
    Span {
        version,
        until: end_of_day(until),
        from: end_of_day(from.yesterday().unwrap_or(Date::MIN)),
    }
}

/// At most `limit` cases behind `after` with open clocks that the changes may concern, in the order
/// of their identifiers.
pub fn concerned(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    spans: &[Span],
    after: Option<ProposalId>,
    limit: i64,
) -> Result<Vec<ProposalId>> {
    use diesel::sql_types::Bool;
    type Condition = Box<dyn BoxableExpression<clocks::table, MultiBackend, SqlType = Bool>>;
    let mut inside: Condition = Box::new(clocks::id.ne(clocks::id));
    for span in spans {
        inside = Box::new(
            inside.or(clocks::calendar_version
                .lt(span.version)
                .and(clocks::started_at.lt(At(span.until)))
                .and(clocks::due_at.gt(At(span.from)))),
        );
    }
    let mut query = clocks::table
        .filter(clocks::committee_id.eq(committee))
        .filter(clocks::stopped_at.is_null())
        .filter(inside)
        .into_boxed();
    if let Some(id) = after {
        query = query.filter(clocks::proposal_id.gt(id));
    }
    Ok(query
        .order(clocks::proposal_id)
        .limit(limit)
        .select(clocks::proposal_id)
        .distinct()
        .load(tx.conn)?)
}

/// How many cases that are, counted up to `cap`.
pub fn count_concerned(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    spans: &[Span],
    cap: i64,
) -> Result<i64> {
    let found = concerned(tx, committee, spans, None, cap)?;
    Ok(i64::try_from(found.len()).unwrap_or(cap))
}
