//! A year of one committee, told by the engine in a small database of its own, and taken out of it
//! as rows in which every identifier can be replaced.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::app::{App, AppSettings};
use crate::clock::MockClock;
use crate::demo::{self, Year};
use crate::error::{Error, Result};
use crate::files::Place;
use crate::jobs;
use crate::store::bulk::{self, Kind, Table};
use crate::store::{DatabaseUrl, Db, Threads, Tx, migrate, notifications, setup};

/// Hexadecimal digits of an identifier.
const HEX: usize = 32;

/// What a row belongs to, and so how often it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Written once for each committee: registers, accounts, policy.
    Committee,
    /// Once for each term.
    Term,
    /// Once for each session.
    Session,
    /// With every copy of the cases.
    Case,
}

/// An identifier of the template, and what its place in a copy is derived from.
#[derive(Debug, Clone)]
pub struct Name {
    /// As it is in the template.
    pub old: [u8; 16],
    /// What it belongs to.
    pub scope: Scope,
    /// What names the same thing in every template of the same committee; empty: nothing does.
    pub key: String,
}

/// A part of a row.
#[derive(Debug, Clone)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// The identifier at this place of [`Template::names`].
    Id(usize),
}

/// A row in pieces.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it belongs to.
    pub scope: Scope,
    /// Its JSON text.
    pub pieces: Vec<Piece>,
}

/// A year of a committee.
pub struct Template {
    /// Every table, those that others refer to first, with its rows.
    pub tables: Vec<(Table, Vec<Row>)>,
    /// Identifiers in the rows.
    pub names: Vec<Name>,
    /// Numbers allotted, by series, the series in pieces.
    pub series: Vec<(Vec<Piece>, i64)>,
    /// Proposals, drafts included.
    pub proposals: u64,
}

/// Tells a year that ends `now` and takes it out.
pub async fn make(mut settings: AppSettings, now: Timestamp, year: Year) -> Result<Template> {
    let place = tempfile::tempdir().map_err(Error::internal)?;
    let url = DatabaseUrl::Sqlite(place.path().join("template.db"));
    let for_migrations = url.clone();
    tokio::task::spawn_blocking(move || migrate::run(&for_migrations))
        .await
        .map_err(Error::internal)??;
    let threads = Threads {
        read: 1,
        write: 1,
        queue: 64,
    };
    settings.storage.place = Place::Directory(place.path().join("files"));
    settings.mail = None;
    let kept = (!year.past).then_some(settings.keep_read);
    let db = Db::start(url, threads)?;
    let app = App::new(db, Arc::new(MockClock::at(now)), settings).await?;
    demo::make_year(&app, now, year).await?;
    // What time has done by now is done, told and published.
    jobs::drain(&app).await?;
    app.db
        .write("seed.read", move |tx| read_inboxes(tx, now, kept))
        .await?;
    app.db.read("seed.template", take).await
}

/// People read what they are told, all but that of the last two weeks, and what was read is removed after a
/// while; of a year that is long over no message is left.
fn read_inboxes(tx: &mut Tx<'_>, now: Timestamp, kept: Option<SignedDuration>) -> Result<()> {
    const UNREAD: SignedDuration = SignedDuration::from_hours(24 * 14);
    let (read_before, removed_before) = match kept {
        Some(kept) => (now - UNREAD, now - kept),
        None => (now + UNREAD, now + UNREAD),
    };
    bulk::read_messages(tx, read_before)?;
    for (committee, _) in setup::committees(tx)? {
        while notifications::sweep(tx, committee, removed_before, 1000)? > 0 {}
    }
    Ok(())
}

/// Tables that are not copied: keys and sessions of people, answers kept for repeated requests, the
/// queue, and what is written by hand.
const LEFT_OUT: &[&str] = &[
    "audit_checks",
    "audit_seal_heads",
    "audit_seals",
    "idempotency_keys",
    "jobs",
    "number_series",
    "outbox",
    "refresh_tokens",
    "request_budgets",
    "seal_keys",
    "sign_ins",
    "signing_keys",
];

/// Registers, and the column that names a row of them.
const REGISTERS: &[(&str, &str)] = &[
    ("members", "member_no"),
    ("organisations", "name"),
    ("policy_profiles", "profile_version"),
    ("units", "name"),
    ("users", "username"),
];

/// Other tables whose rows are written once for each committee.
const OF_THE_COMMITTEE: &[&str] = &[
    "api_tokens",
    "calendar_days",
    "calendars",
    "committees",
    "notification_settings",
    "refusal_reasons",
    "user_roles",
    "webhooks",
];

fn take(tx: &mut Tx<'_>) -> Result<Template> {
    let mut taking = Taking::default();
    let mut tables = Vec::new();
    let mut series = Vec::new();
    for table in bulk::tables(tx)? {
        let rows = bulk::rows(tx, &table)?;
        if table.name == "number_series" {
            series = rows;
        } else if !LEFT_OUT.contains(&table.name.as_str()) {
            tables.push((table, rows));
        }
    }
    // Whatever has a name of its own is learned before others refer to it.
    for (table, rows) in tables.iter().filter(|(table, _)| is_named(table)) {
        taking.learn_own(table, rows)?;
    }
    for (table, rows) in &tables {
        taking.learn_rest(table, rows)?;
    }
    let proposals = tables
        .iter()
        .find(|(table, _)| table.name == "proposals")
        .map_or(0, |(_, rows)| rows.len() as u64);
    let tables: Vec<_> = tables
        .into_iter()
        .map(|(table, rows)| {
            let rows = rows
                .iter()
                .map(|row| {
                    Ok(Row {
                        scope: scope_of(&table, row)?,
                        pieces: taking.pieces(row),
                    })
                })
                .collect::<Result<_>>()?;
            Ok((table, rows))
        })
        .collect::<Result<_>>()?;
    let series = series
        .iter()
        .map(|row| {
            let cells = cells(row)?;
            let (Some(name), Some(end)) = (
                cells.get(1).and_then(Value::as_str),
                cells.get(2).and_then(Value::as_i64),
            ) else {
                return Err(Error::internal("a series without a name or an end"));
            };
            Ok((taking.pieces(name), end))
        })
        .collect::<Result<_>>()?;
    Ok(Template {
        tables,
        names: taking.names,
        series,
        proposals,
    })
}

fn is_named(table: &Table) -> bool {
    let named = REGISTERS.iter().any(|(name, _)| *name == table.name);
    named || matches!(table.name.as_str(), "committees" | "terms" | "sessions")
}

fn scope_of(table: &Table, row: &str) -> Result<Scope> {
    let name = table.name.as_str();
    Ok(match name {
        "terms" => Scope::Term,
        "sessions" => Scope::Session,
        "events" | "feed" => {
            let cells = cells(row)?;
            match cells
                .get(table.position("stream_kind")?)
                .and_then(Value::as_str)
            {
                Some("proposal") => Scope::Case,
                Some("session") => Scope::Session,
                Some("term") => Scope::Term,
                _ => Scope::Committee,
            }
        }
        _ if REGISTERS.iter().any(|(register, _)| *register == name)
            || OF_THE_COMMITTEE.contains(&name) =>
        {
            Scope::Committee
        }
        _ => Scope::Case,
    })
}

/// The cells of a row.
pub fn cells(row: &str) -> Result<Vec<Value>> {
    serde_json::from_str(row).map_err(Error::internal)
}

#[derive(Default)]
struct Taking {
    names: Vec<Name>,
    places: HashMap<[u8; 16], usize>,
}

impl Taking {
    /// Learns the identifiers of the rows of a table, each by what names its row.
    fn learn_own(&mut self, table: &Table, rows: &[String]) -> Result<()> {
        let column = REGISTERS.iter().find(|(name, _)| *name == table.name);
        let column = column
            .map(|(_, column)| table.position(column))
            .transpose()?;
        let own = table.position("id")?;
        for row in rows {
            let cells = cells(row)?;
            let key = match (column, table.name.as_str()) {
                (Some(column), name) => {
                    format!("{name}:{}", cells.get(column).unwrap_or(&Value::Null))
                }
                (None, "terms") => "term".to_owned(),
                (None, "sessions") => "session".to_owned(),
                (None, _) => "committee".to_owned(),
            };
            self.enter(cells.get(own), scope_of(table, row)?, &key);
        }
        Ok(())
    }

    /// Learns every other identifier in a table.
    fn learn_rest(&mut self, table: &Table, rows: &[String]) -> Result<()> {
        let own = table.columns.iter().position(|(name, _)| name == "id");
        let uuids: Vec<usize> = (0..)
            .zip(&table.columns)
            .filter(|(_, (_, kind))| *kind == Kind::Uuid)
            .map(|(index, _)| index)
            .collect();
        for row in rows {
            let (cells, scope) = (cells(row)?, scope_of(table, row)?);
            for index in &uuids {
                let scope = if own == Some(*index) {
                    scope
                } else {
                    Scope::Case
                };
                self.enter(cells.get(*index), scope, "");
            }
        }
        Ok(())
    }

    fn enter(&mut self, cell: Option<&Value>, scope: Scope, key: &str) {
        let Some(old) = cell.and_then(Value::as_str).and_then(bytes) else {
            return;
        };
        if let Entry::Vacant(place) = self.places.entry(old) {
            place.insert(self.names.len());
            self.names.push(Name {
                old,
                scope,
                key: key.to_owned(),
            });
        }
    }

    /// A text, taken apart at the identifiers in it.
    fn pieces(&self, text: &str) -> Vec<Piece> {
        let bytes_of = text.as_bytes();
        let mut pieces = Vec::new();
        let (mut begin, mut at) = (0, 0);
        while at < bytes_of.len() {
            if !bytes_of[at].is_ascii_hexdigit() {
                at += 1;
                continue;
            }
            let run = bytes_of[at..]
                .iter()
                .take_while(|byte| byte.is_ascii_hexdigit())
                .count();
            let place = (run == HEX)
                .then(|| bytes(&text[at..at + run]))
                .flatten()
                .and_then(|old| self.places.get(&old));
            if let Some(place) = place {
                pieces.push(Piece::Text(text[begin..at].to_owned()));
                pieces.push(Piece::Id(*place));
                begin = at + run;
            }
            at += run;
        }
        pieces.push(Piece::Text(text[begin..].to_owned()));
        pieces
    }
}

fn bytes(hex: &str) -> Option<[u8; 16]> {
    (hex.len() == HEX)
        .then(|| uuid::Uuid::try_parse(hex).ok())
        .flatten()
        .map(uuid::Uuid::into_bytes)
}

/// The series of a template with their identifiers replaced.
pub fn series_of(template: &Template, ids: &[String]) -> BTreeMap<String, i64> {
    template
        .series
        .iter()
        .map(|(pieces, end)| (joined(pieces, ids), *end))
        .collect()
}

/// A text put together again with other identifiers.
pub fn joined(pieces: &[Piece], ids: &[String]) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Id(place) => text.push_str(ids.get(*place).map_or("", String::as_str)),
        }
    }
    text
}
