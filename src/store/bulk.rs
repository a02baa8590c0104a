//! Whole tables at once: reading every row of a small database, and writing many rows with one
//! statement for each table. For synthetic data only; what people do goes row by row through the
//! rules.
//!
//! Rows travel as JSON arrays in the order of the columns. Binary values, identifiers among them,
//! are hexadecimal text, so that the same row can be written to either database.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::Text;
use jiff::Timestamp;
use serde_json::Value;

use super::Tx;
use super::connection::AnyConnection;
use super::events::{Event, Stream};
use super::prepared::Prepare;
use super::run::Run;
use super::schema::{committees, notifications, number_series, terms};
use super::sql_types::{At, Json};
use crate::error::{Error, Result};
use crate::ids::{CommitteeId, Id, IdKind};

/// Rows written by one statement at most.
const CHUNK: usize = 5000;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An identifier: 16 bytes.
    Uuid,
    /// Other bytes.
    Bytes,
    /// A JSON document.
    Document,
    /// A moment.
    Moment,
    /// A date.
    Date,
    /// A truth value.
    Boolean,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    Bigint,
    /// Text.
    Text,
}

impl Kind {
    fn of(declared: &str) -> Result<Self> {
        Ok(match declared {
            "UUID_BLOB" => Self::Uuid,
            "BLOB" => Self::Bytes,
            "JSONB_TEXT" => Self::Document,
            "TIMESTAMPTZ_TEXT" => Self::Moment,
            "DATE_TEXT" => Self::Date,
            "BOOLEAN" => Self::Boolean,
            "INTEGER" => Self::Integer,
            "BIGINT" => Self::Bigint,
            "TEXT" => Self::Text,
            other => return Err(Error::internal(format!("columns of type {other}"))),
        })
    }

    const fn is_bytes(self) -> bool {
        matches!(self, Self::Uuid | Self::Bytes)
    }

    /// How PostgreSQL reads a value from its text.
    fn read_from(self, text: &str) -> String {
        match self {
            Self::Uuid => format!("({text})::uuid"),
            Self::Bytes => format!("decode({text}, 'hex')"),
            Self::Document => format!("({text})::jsonb"),
            Self::Moment => format!("({text})::timestamptz"),
            Self::Date => format!("({text})::date"),
            Self::Boolean => format!("({text})::integer::boolean"),
            Self::Integer => format!("({text})::integer"),
            Self::Bigint => format!("({text})::bigint"),
            Self::Text => text.to_owned(),
        }
    }
}

/// A table and its columns.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Names and kinds of its columns.
    pub columns: Vec<(String, Kind)>,
}

impl Table {
    /// Where a column stands.
    pub fn position(&self, column: &str) -> Result<usize> {
        self.columns
            .iter()
            .position(|(name, _)| name == column)
            .ok_or_else(|| Error::internal(format!("{} has no column {column}", self.name)))
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(conn: &mut diesel::SqliteConnection, sql: &str) -> Result<Vec<String>> {
    let lines: Vec<Line> = diesel::sql_query(sql).load(conn)?;
    Ok(lines.into_iter().map(|line| line.line).collect())
}

fn sqlite<'c>(tx: &'c mut Tx<'_>) -> Result<&'c mut diesel::SqliteConnection> {
    match &mut *tx.conn {
        AnyConnection::Sqlite(conn) => Ok(conn),
        AnyConnection::Postgres(_) => Err(Error::internal("rows are read from SQLite only")),
    }
}

/// Every table of a SQLite database of ours, those that others refer to first.
pub fn tables(tx: &mut Tx<'_>) -> Result<Vec<Table>> {
    let conn = sqlite(tx)?;
    let names = lines(
        conn,
        "SELECT name AS line FROM sqlite_schema WHERE type = 'table' \
         AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let mut left: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for name in names {
        let sql = format!("SELECT \"table\" AS line FROM pragma_foreign_key_list('{name}')");
        let mut refers: BTreeSet<String> = lines(conn, &sql)?.into_iter().collect();
        refers.remove(&name);
        left.insert(name, refers);
    }
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let free: Vec<String> = left
            .iter()
            .filter(|(_, refers)| refers.iter().all(|other| !left.contains_key(other)))
            .map(|(name, _)| name.clone())
            .collect();
        if free.is_empty() {
            return Err(Error::internal("tables refer to each other in a circle"));
        }
        for name in free {
            left.remove(&name);
            let sql =
                format!("SELECT name || ' ' || type AS line FROM pragma_table_info('{name}')");
            let columns = lines(conn, &sql)?
                .iter()
                .map(|line| {
                    let (column, declared) = line.split_once(' ').unwrap_or((line, ""));
                    Ok((column.to_owned(), Kind::of(declared)?))
                })
                .collect::<Result<_>>()?;
            ordered.push(Table { name, columns });
        }
    }
    Ok(ordered)
}

/// Every row of a table, in the order in which they were written.
pub fn rows(tx: &mut Tx<'_>, table: &Table) -> Result<Vec<String>> {
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|(name, kind)| {
            if kind.is_bytes() {
                format!("CASE WHEN {name} IS NULL THEN NULL ELSE lower(hex({name})) END")
            } else {
                name.clone()
            }
        })
        .collect();
    let sql = format!(
        "SELECT json_array({}) AS line FROM {} ORDER BY rowid",
        columns.join(", "),
        table.name
    );
    lines(sqlite(tx)?, &sql)
}

/// Writes rows, each a JSON array in the order of the columns.
pub fn insert(tx: &mut Tx<'_>, table: &Table, rows: &[String]) -> Result<()> {
    let names: Vec<_> = table
        .columns
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let names = names.join(", ");
    let name = &table.name;
    for chunk in rows.chunks(CHUNK) {
        let body = format!("[{}]", chunk.join(","));
        match &mut *tx.conn {
            AnyConnection::Postgres(conn) => {
                let values: Vec<_> = (0..)
                    .zip(&table.columns)
                    .map(|(index, (_, kind)): (usize, _)| kind.read_from(&format!("v->>{index}")))
                    .collect();
                // As text a row would be read anew for each of its columns.
                diesel::sql_query(format!(
                    "INSERT INTO {name} ({names}) \
                     SELECT {} FROM jsonb_array_elements($1::jsonb) AS v",
                    values.join(", ")
                ))
                .bind::<Text, _>(body)
                .execute(conn)?;
            }
            AnyConnection::Sqlite(conn) => {
                let values: Vec<_> = (0..)
                    .zip(&table.columns)
                    .map(|(index, (_, kind)): (usize, _)| {
                        let value = format!("value->>{index}");
                        if kind.is_bytes() {
                            format!("unhex({value})")
                        } else {
                            value
                        }
                    })
                    .collect();
                diesel::sql_query(format!(
                    "INSERT INTO {name} ({names}) SELECT {} FROM json_each(?1)",
                    values.join(", ")
                ))
                .bind::<Text, _>(body)
                .execute(conn)?;
            }
        }
    }
    Ok(())
}

/// An event from its row in the order of [`Table::columns`], with the stream it belongs to. Its
/// hashes are left empty.
pub fn event(table: &Table, row: &[Value]) -> Result<(Stream, Event)> {
    let cell = |name: &str| Ok::<_, Error>(row.get(table.position(name)?).unwrap_or(&Value::Null));
    let text = |name: &str| Ok::<_, Error>(cell(name)?.as_str().unwrap_or_default().to_owned());
    let option = |name: &str| Ok::<_, Error>(cell(name)?.as_str().map(str::to_owned));
    let stream = Stream {
        committee: id(&text("committee_id")?)?,
        // The kind is in the event.
        kind: "",
        id: id(&text("stream_id")?)?,
    };
    let content = text("content")?;
    let event = Event {
        seq: cell("seq")?
            .as_i64()
            .and_then(|seq| i32::try_from(seq).ok())
            .unwrap_or_default(),
        id: id(&text("id")?)?,
        stream_kind: text("stream_kind")?,
        at: At(text("at")?.parse().map_err(Error::internal)?),
        actor_id: option("actor_id")?.map(|hex| id(&hex)).transpose()?,
        actor_name: text("actor_name")?,
        actor_role: text("actor_role")?,
        on_behalf_of: option("on_behalf_of")?,
        name: text("name")?,
        rule: option("rule")?,
        request_id: option("request_id")?.map(|hex| id(&hex)).transpose()?,
        content: Json(serde_json::from_str(&content).map_err(Error::internal)?),
        prev_hash: String::new(),
        hash: String::new(),
    };
    Ok((stream, event))
}

fn id<K: IdKind>(hex: &str) -> Result<Id<K>> {
    format!("{}_{hex}", K::PREFIX)
        .parse()
        .map_err(Error::internal)
}

/// The committees whose code begins with `prefix`.
pub fn committees_called(tx: &mut Tx<'_>, prefix: &str) -> Result<BTreeMap<String, CommitteeId>> {
    let found: Vec<(String, CommitteeId)> = committees::table
        .filter(committees::code.like(format!("{prefix}%")))
        .select((committees::code, committees::id))
        .rows(tx.conn)?;
    Ok(found.into_iter().collect())
}

/// The numbers that a committee has allotted, by series.
pub fn series(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<BTreeMap<String, i64>> {
    let found: Vec<(String, i32)> = number_series::table
        .filter(number_series::committee_id.eq(committee))
        .select((number_series::series, number_series::last_number))
        .rows(tx.conn)?;
    Ok(found
        .into_iter()
        .map(|(series, last)| (series, i64::from(last)))
        .collect())
}

/// Moves the ends of series; those that are new are begun.
pub fn set_series(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    ends: &BTreeMap<String, i64>,
) -> Result<()> {
    for (series, end) in ends {
        let end = i32::try_from(*end).map_err(Error::internal)?;
        let moved = diesel::update(number_series::table.find((committee, series)))
            .set(number_series::last_number.eq(end))
            .prepared()
            .run(tx.conn)?;
        if moved == 0 {
            diesel::insert_into(number_series::table)
                .values((
                    number_series::committee_id.eq(committee),
                    number_series::series.eq(series),
                    number_series::last_number.eq(end),
                ))
                .prepared()
                .run(tx.conn)?;
        }
    }
    Ok(())
}

/// The numbers of the terms of a committee.
pub fn terms(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<BTreeSet<i64>> {
    let found: Vec<i32> = terms::table
        .filter(terms::committee_id.eq(committee))
        .select(terms::number)
        .rows(tx.conn)?;
    Ok(found.into_iter().map(i64::from).collect())
}

/// Marks the messages of all committees from before a moment as read when they came.
pub fn read_messages(tx: &mut Tx<'_>, before: Timestamp) -> Result<()> {
    diesel::update(notifications::table.filter(notifications::created_at.lt(At(before))))
        .set(notifications::read_at.eq(notifications::created_at.nullable()))
        .run(tx.conn)?;
    Ok(())
}

/// Renews what the query planner knows of the tables, after many rows came at once.
pub fn analyse(tx: &mut Tx<'_>) -> Result<()> {
    diesel::sql_query("ANALYZE").run(tx.conn)?;
    Ok(())
}
