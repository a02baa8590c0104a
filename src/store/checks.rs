//! Whether a database is in order: what the store relies on and what the rules promise, over all
//! committees. Nothing is changed.

use std::collections::{BTreeMap, HashMap};

use super::keyset::{self, Side};
use super::run::Run;
use diesel::dsl::{count, max, min};
use diesel::prelude::*;
use serde_json::Value;

use super::Tx;
use super::schema::{assignments, attachments, events, number_series, proposals, replies, units};
use super::snapshot::Snapshot;
use super::sql_types::Json;
use super::verify;
use super::{migrate, numbers};
use crate::digest::Running;
use crate::error::Result;
use crate::files::Key;
use crate::ids::{
    AssignmentId, AttachmentId, CommitteeId, ProposalId, ReplyId, SessionId, StreamId, UnitId,
};
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::attachments::AttachmentStatus;
use crate::workflow::codes::CaseSeries;
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::reply::ReplyStatus;

/// Rows read at a time.
const PAGE: i64 = 500;
/// Cases whose histories are in memory at a time.
const CASES: i64 = 100;

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Name of the check.
    pub check: &'static str,
    /// Whether all is well.
    pub outcome: Outcome,
    /// What was looked at, what is wrong, or why nothing was looked at.
    pub words: String,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Fine,
    /// Something is not as it must be.
    Wrong,
    /// It could not be asked here.
    Skipped,
}

impl Finding {
    /// All is well.
    pub fn fine(check: &'static str, words: impl Into<String>) -> Self {
        Self::new(check, Outcome::Fine, words)
    }

    /// Something is not as it must be.
    pub fn wrong(check: &'static str, words: impl Into<String>) -> Self {
        Self::new(check, Outcome::Wrong, words)
    }

    /// It could not be asked here.
    pub fn skipped(check: &'static str, words: impl Into<String>) -> Self {
        Self::new(check, Outcome::Skipped, words)
    }

    fn new(check: &'static str, outcome: Outcome, words: impl Into<String>) -> Self {
        Self {
            check,
            outcome,
            words: words.into(),
        }
    }

    fn of(check: &'static str, looked_at: String, wrong: Option<String>) -> Self {
        match wrong {
            None => Self::fine(check, looked_at),
            Some(wrong) => Self::wrong(check, wrong),
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match self.outcome {
            Outcome::Fine => "ok",
            Outcome::Wrong => "WRONG",
            Outcome::Skipped => "skipped",
        };
        write!(f, "{word:<8} {}: {}", self.check, self.words)
    }
}

/// Every check of a database. Where it is not of this version of the program, its content cannot
/// be judged and only the first ones are made.
pub fn run(snapshot: &mut Snapshot) -> Result<Vec<Finding>> {
    let mut findings = vec![integrity(snapshot)?];
    let known = migrations(snapshot)?;
    let current = known.outcome == Outcome::Fine;
    findings.push(known);
    if current {
        findings.extend(snapshot.read(content)?);
    }
    Ok(findings)
}

/// The checks of the content: the chains, the rows, the numbers.
pub fn content(tx: &mut Tx<'_>) -> Result<Vec<Finding>> {
    let chains = verify::run(tx)?;
    let looked_at = format!(
        "{} events in {} chains under {} seals",
        chains.events, chains.streams, chains.seals
    );
    let broken = chains.broken.map(|broken| broken.to_string());
    Ok(vec![
        Finding::of("audit chains", looked_at, broken),
        histories(tx)?,
        series(tx)?,
    ])
}

/// Whether the database itself holds together.
fn integrity(snapshot: &mut Snapshot) -> Result<Finding> {
    const CHECK: &str = "integrity";
    if snapshot.is_postgres() {
        return indexes(snapshot, CHECK);
    }
    let found = snapshot.names("SELECT integrity_check AS name FROM pragma_integrity_check")?;
    if found != ["ok"] {
        return Ok(Finding::wrong(CHECK, found.join("; ")));
    }
    let lost = snapshot.number("SELECT count(*) AS n FROM pragma_foreign_key_check")?;
    let wrong = (lost > 0).then(|| format!("{lost} references lead nowhere"));
    let words = "integrity_check and foreign_key_check of SQLite".to_owned();
    Ok(Finding::of(CHECK, words, wrong))
}

/// The indexes of PostgreSQL against their tables, where it has the means to.
fn indexes(snapshot: &mut Snapshot, check: &'static str) -> Result<Finding> {
    let there = "SELECT count(*) AS n FROM pg_extension WHERE extname = 'amcheck'";
    if snapshot.number(there)? == 0 {
        let words = "the extension amcheck is not in this database; run pg_amcheck";
        return Ok(Finding::skipped(check, words));
    }
    snapshot.execute("SAVEPOINT amcheck")?;
    let checked = snapshot.number(
        "SELECT count(bt_index_check(c.oid, true)::text) AS n FROM pg_index i \
         JOIN pg_class c ON c.oid = i.indexrelid \
         JOIN pg_am a ON a.oid = c.relam AND a.amname = 'btree' \
         WHERE c.relnamespace = current_schema()::regnamespace AND i.indisvalid",
    );
    snapshot.execute("ROLLBACK TO SAVEPOINT amcheck")?;
    Ok(match checked {
        Ok(count) => Finding::fine(check, format!("{count} indexes and their tables (amcheck)")),
        Err(error) => {
            let words = error.log_context().unwrap_or("amcheck failed").to_owned();
            if words.contains("permission denied") {
                Finding::skipped(check, "this account may not use amcheck; run pg_amcheck")
            } else {
                Finding::wrong(check, words)
            }
        }
    })
}

/// Whether the database is of this version of the program.
fn migrations(snapshot: &mut Snapshot) -> Result<Finding> {
    const CHECK: &str = "migrations";
    let none = snapshot.tables()?.is_empty();
    let applied = if none {
        Vec::new()
    } else {
        snapshot.migrations()?
    };
    let known = migrate::versions()?;
    let unknown: Vec<_> = applied.iter().filter(|one| !known.contains(one)).collect();
    let missing: Vec<_> = known.iter().filter(|one| !applied.contains(one)).collect();
    Ok(if let Some(first) = unknown.first() {
        let words = format!("{first} is not known here: a newer program wrote this database");
        Finding::wrong(CHECK, words)
    } else if let Some(first) = missing.first() {
        let words = format!(
            "{} are missing, from {first} on: run `jianjian migrate`, then check again",
            missing.len()
        );
        Finding::wrong(CHECK, words)
    } else {
        Finding::fine(CHECK, format!("all {} applied", applied.len()))
    })
}

/// Each proposal, row and reply stands where the last event about it left it.
fn histories(tx: &mut Tx<'_>) -> Result<Finding> {
    let mut after: Option<(CommitteeId, ProposalId)> = None;
    let mut cases = 0;
    loop {
        let page = cases_after(tx, after)?;
        let Some((committee, last, _)) = page.last().copied() else {
            let looked_at = format!("{cases} cases stand where their events left them");
            return Ok(Finding::fine("rows", looked_at));
        };
        after = Some((committee, last));
        cases += page.len();
        if let Some(wrong) = strayed(tx, &page)? {
            return Ok(Finding::wrong("rows", wrong));
        }
    }
}

type CaseAt = (CommitteeId, ProposalId, ProposalStatus);

/// Some cases of one committee, in the order of their keys.
fn cases_after(tx: &mut Tx<'_>, after: Option<(CommitteeId, ProposalId)>) -> Result<Vec<CaseAt>> {
    let mut query = proposals::table.into_boxed();
    if let Some(place) = after {
        query = query.filter(keyset::after(place));
    }
    let mut page: Vec<CaseAt> = query
        .order((proposals::committee_id, proposals::id))
        .limit(CASES)
        .select((proposals::committee_id, proposals::id, proposals::status))
        .load(tx.conn)?;
    if let Some(first) = page.first().map(|case| case.0) {
        page.retain(|case| case.0 == first);
    }
    Ok(page)
}

/// The first thing of these cases that does not stand where its events left it.
fn strayed(tx: &mut Tx<'_>, page: &[CaseAt]) -> Result<Option<String>> {
    let Some((committee, ..)) = page.first().copied() else {
        return Ok(None);
    };
    let ids: Vec<ProposalId> = page.iter().map(|case| case.1).collect();
    let streams: Vec<StreamId> = ids.iter().map(|id| id.cast()).collect();
    let trail: Vec<Json> = events::table
        .filter(events::committee_id.eq(committee))
        .filter(events::stream_id.eq_any(&streams))
        .order((events::stream_id, events::seq))
        .select(events::content)
        .rows(tx.conn)?;
    let mut left: HashMap<String, String> = HashMap::new();
    for Json(content) in trail {
        let target = content.pointer("/target/id").and_then(Value::as_str);
        let after = content.get("after").and_then(Value::as_str);
        if let (Some(target), Some(after)) = (target, after) {
            left.insert(target.to_owned(), after.to_owned());
        }
    }
    let rows: Vec<(AssignmentId, AssignmentStatus)> = assignments::table
        .filter(assignments::committee_id.eq(committee))
        .filter(assignments::proposal_id.eq_any(&ids))
        .select((assignments::id, assignments::status))
        .rows(tx.conn)?;
    let answers: Vec<(ReplyId, ReplyStatus)> = replies::table
        .filter(replies::committee_id.eq(committee))
        .filter(replies::proposal_id.eq_any(&ids))
        .select((replies::id, replies::status))
        .rows(tx.conn)?;
    let stand = page
        .iter()
        .map(|(_, id, status)| (id.to_string(), status.as_str()))
        .chain(
            rows.iter()
                .map(|(id, status)| (id.to_string(), status.as_str())),
        )
        .chain(
            answers
                .iter()
                .map(|(id, status)| (id.to_string(), status.as_str())),
        );
    for (id, status) in stand {
        match left.get(&id) {
            Some(left) if left != status => {
                let words = format!("{id} is {status}, but its last event left it {left}");
                return Ok(Some(words));
            }
            None if id.starts_with("prop_") => {
                return Ok(Some(format!("{id} has no event")));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// What a series has given out, as the rows say.
#[derive(Debug, Default, Clone, Copy)]
struct Given {
    count: i64,
    lowest: Option<i32>,
    highest: Option<i32>,
}

type Series = BTreeMap<(CommitteeId, String), Given>;

/// Serial numbers (I3), case numbers (I2) and document numbers: from 1 to the end of their series,
/// without a gap. Twice is impossible by constraint.
fn series(tx: &mut Tx<'_>) -> Result<Finding> {
    const CHECK: &str = "numbers";
    let mut given = Series::new();
    serial_numbers(tx, &mut given)?;
    case_numbers(tx, &mut given)?;
    document_numbers(tx, &mut given)?;
    let ends: Vec<(CommitteeId, String, i32)> = number_series::table
        .order((number_series::committee_id, number_series::series))
        .select((
            number_series::committee_id,
            number_series::series,
            number_series::last_number,
        ))
        .rows(tx.conn)?;
    let moved = units_that_moved(tx)?;
    let has_moved = |series: &str| {
        let unit = series.split(':').nth(1).unwrap_or_default();
        moved.iter().any(|moved| moved == unit)
    };
    let mut total = 0;
    for (committee, series, last) in ends {
        let kind = series.split(':').next().unwrap_or_default();
        if !["serial", "case", "document"].contains(&kind) {
            continue;
        }
        let rows = given
            .remove(&(committee, series.clone()))
            .unwrap_or_default();
        total += rows.count;
        // Replies go with their row to another unit and may be numbered anew there.
        let exact = kind != "document" || !has_moved(&series);
        let from_one = rows.count == 0 || rows.lowest == Some(1);
        let whole = from_one && rows.count == i64::from(last);
        let beyond = rows.highest.is_some_and(|highest| highest > last);
        if beyond || (exact && !whole) {
            let words = format!(
                "series {series} of {committee} gave {last}, but {} rows have numbers from it, \
                 {} to {}",
                rows.count,
                rows.lowest.unwrap_or_default(),
                rows.highest.unwrap_or_default()
            );
            return Ok(Finding::wrong(CHECK, words));
        }
    }
    let stray = given.into_iter().find(|((_, series), rows)| {
        rows.count > 0 && !(series.starts_with("document:") && has_moved(series))
    });
    let wrong = stray.map(|((committee, series), rows)| {
        let count = rows.count;
        format!("{count} rows of {committee} have numbers of {series}, which gave none")
    });
    let looked_at = format!("{total} serial, case and document numbers, without a gap");
    Ok(Finding::of(CHECK, looked_at, wrong))
}

fn serial_numbers(tx: &mut Tx<'_>, given: &mut Series) -> Result<()> {
    type Row = (CommitteeId, SessionId, i64, Option<i32>, Option<i32>);
    let rows: Vec<Row> = proposals::table
        .group_by((proposals::committee_id, proposals::session_id))
        .select((
            proposals::committee_id,
            proposals::session_id,
            count(proposals::serial_no),
            min(proposals::serial_no),
            max(proposals::serial_no),
        ))
        .rows(tx.conn)?;
    for (committee, session, count, lowest, highest) in rows {
        let series = numbers::serial_series(session);
        let rows = Given {
            count,
            lowest,
            highest,
        };
        given.insert((committee, series), rows);
    }
    Ok(())
}

fn case_numbers(tx: &mut Tx<'_>, given: &mut Series) -> Result<()> {
    type Row = (
        CommitteeId,
        SessionId,
        CaseSeries,
        i64,
        Option<i32>,
        Option<i32>,
    );
    let rows: Vec<Row> = proposals::table
        .group_by((
            proposals::committee_id,
            proposals::session_id,
            proposals::case_series,
        ))
        .select((
            proposals::committee_id,
            proposals::session_id,
            proposals::case_series,
            count(proposals::case_no),
            min(proposals::case_no),
            max(proposals::case_no),
        ))
        .rows(tx.conn)?;
    for (committee, session, series, count, lowest, highest) in rows {
        let series = numbers::case_series(session, series);
        let rows = Given {
            count,
            lowest,
            highest,
        };
        given.insert((committee, series), rows);
    }
    Ok(())
}

fn document_numbers(tx: &mut Tx<'_>, given: &mut Series) -> Result<()> {
    type Row = (
        CommitteeId,
        UnitId,
        Option<i32>,
        Option<String>,
        i64,
        Option<i32>,
        Option<i32>,
    );
    let rows: Vec<Row> = replies::table
        .filter(replies::document_number.is_not_null())
        .group_by((
            replies::committee_id,
            replies::unit_id,
            replies::document_year,
            replies::document_prefix,
        ))
        .select((
            replies::committee_id,
            replies::unit_id,
            replies::document_year,
            replies::document_prefix,
            count(replies::document_number),
            min(replies::document_number),
            max(replies::document_number),
        ))
        .rows(tx.conn)?;
    for (committee, unit, year, prefix, count, lowest, highest) in rows {
        let (year, prefix) = (year.unwrap_or_default(), prefix.unwrap_or_default());
        let series = numbers::document_series(unit, year, &prefix);
        let rows = Given {
            count,
            lowest,
            highest,
        };
        given.insert((committee, series), rows);
    }
    Ok(())
}

/// Units that were taken over, and those that took over.
fn units_that_moved(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let pairs: Vec<(UnitId, Option<UnitId>)> = units::table
        .filter(units::successor_id.is_not_null())
        .select((units::id, units::successor_id))
        .rows(tx.conn)?;
    Ok(pairs
        .into_iter()
        .flat_map(|(old, new)| [Some(old), new])
        .flatten()
        .map(|unit| unit.uuid().simple().to_string())
        .collect())
}

/// A file whose content must be in the storage.
#[derive(Debug, Clone)]
pub struct Kept {
    /// What names its content.
    pub key: Key,
    /// Its size in bytes.
    pub size: u64,
}

/// Files whose content must be in the storage, a page at a time: those behind `after`.
pub fn kept_files(
    tx: &mut Tx<'_>,
    after: Option<(CommitteeId, AttachmentId)>,
) -> Result<Vec<Kept>> {
    let there = [AttachmentStatus::Staged, AttachmentStatus::Bound];
    let mut query = attachments::table
        .filter(attachments::status.eq_any(there))
        .into_boxed();
    if let Some(place) = after {
        query = query.filter(keyset::after(place));
    }
    let rows: Vec<(CommitteeId, AttachmentId, String, i64)> = query
        .order((attachments::committee_id, attachments::id))
        .limit(PAGE)
        .select((
            attachments::committee_id,
            attachments::id,
            attachments::sha256,
            attachments::size_bytes,
        ))
        .load(tx.conn)?;
    Ok(rows
        .into_iter()
        .map(|(committee, id, sha256, size)| Kept {
            key: Key {
                committee,
                id,
                sha256,
            },
            size: u64::try_from(size).unwrap_or_default(),
        })
        .collect())
}

/// Whether the content of a file must be in the storage.
pub fn is_kept(tx: &mut Tx<'_>, committee: CommitteeId, id: AttachmentId) -> Result<bool> {
    let there = [AttachmentStatus::Staged, AttachmentStatus::Bound];
    let found: Option<AttachmentId> = attachments::table
        .find((committee, id))
        .filter(attachments::status.eq_any(there))
        .select(attachments::id)
        .first_row(tx.conn)
        .optional()?;
    Ok(found.is_some())
}

/// A digest over where every chain ends: two databases with the same one hold the same history.
pub fn ends(tx: &mut Tx<'_>) -> Result<String> {
    let mut digest = Running::new();
    let mut last: Option<(CommitteeId, StreamId, i32, String)> = None;
    loop {
        let mut query = events::table.into_boxed();
        if let Some((committee, stream, seq, _)) = &last {
            query = query.filter(keyset::events(Side::After, (*committee, *stream, *seq)));
        }
        let page: Vec<(CommitteeId, StreamId, i32, String)> = query
            .order((events::committee_id, events::stream_id, events::seq))
            .limit(PAGE)
            .select((
                events::committee_id,
                events::stream_id,
                events::seq,
                events::hash,
            ))
            .load(tx.conn)?;
        let done = page.is_empty();
        for event in page {
            if let Some(before) = last.replace(event)
                && last
                    .as_ref()
                    .is_some_and(|now| (now.0, now.1) != (before.0, before.1))
            {
                end(&mut digest, &before);
            }
        }
        if done {
            if let Some(last) = &last {
                end(&mut digest, last);
            }
            return Ok(digest.finish());
        }
    }
}

fn end(
    digest: &mut Running,
    (committee, stream, seq, hash): &(CommitteeId, StreamId, i32, String),
) {
    let line = format!(
        "{} {} {seq} {hash}\n",
        committee.uuid().simple(),
        stream.uuid().simple()
    );
    digest.update(line.as_bytes());
}
