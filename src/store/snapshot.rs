//! One connection with one view of the whole database, for backups and checks: whatever is written
//! meanwhile is not seen, and nobody who writes waits for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::Tx;
use super::connection::{AnyConnection, DatabaseUrl, Purpose, open, open_unchanging, per_backend};
use crate::error::{Error, Result};

/// One view of the whole database. It ends with the value.
pub struct Snapshot {
    conn: AnyConnection,
}

/// A number in a column `n`.
#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// A text in a column `name`.
#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Snapshot {
    /// Of a database that others may be writing.
    pub fn open(url: &DatabaseUrl) -> Result<Self> {
        let mut conn = open(url, Purpose::Read, &Arc::default())?;
        let begin = match &conn {
            // A check of years of events takes its time, between statements too.
            AnyConnection::Postgres(_) => {
                "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
                 BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            }
            AnyConnection::Sqlite(_) => "BEGIN",
        };
        per_backend!(&mut conn, c => c.batch_execute(begin))?;
        let mut snapshot = Self { conn };
        // The view is taken by the first statement that reads.
        snapshot.tables()?;
        Ok(snapshot)
    }

    /// Of a file of SQLite that nobody writes; not a byte of it changes.
    pub fn of_copy(file: &Path) -> Result<Self> {
        Ok(Self {
            conn: open_unchanging(file)?,
        })
    }

    /// Whether the database is one of PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self.conn, AnyConnection::Postgres(_))
    }

    /// Runs a closure that only reads.
    pub fn read<T>(&mut self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        work(&mut Tx::over(&mut self.conn))
    }

    /// A name under which another session of PostgreSQL can take the same view, as long as this
    /// one lasts.
    pub fn export(&mut self) -> Result<String> {
        let AnyConnection::Postgres(conn) = &mut self.conn else {
            return Err(Error::internal("only PostgreSQL lends its snapshots"));
        };
        let found: Name =
            diesel::sql_query("SELECT pg_export_snapshot()::text AS name").get_result(conn)?;
        Ok(found.name)
    }

    /// Names of the tables, in order.
    pub fn tables(&mut self) -> Result<Vec<String>> {
        let tables = match &self.conn {
            AnyConnection::Postgres(_) => {
                "SELECT tablename::text AS name FROM pg_catalog.pg_tables \
                 WHERE schemaname = current_schema() ORDER BY tablename::text COLLATE \"C\""
            }
            AnyConnection::Sqlite(_) => {
                "SELECT name FROM sqlite_master WHERE type = 'table' \
                 AND name NOT LIKE 'sqlite_%' ORDER BY name"
            }
        };
        self.names(tables)
    }

    /// Versions of the migrations that were applied, in order.
    pub fn migrations(&mut self) -> Result<Vec<String>> {
        self.names("SELECT version AS name FROM __diesel_schema_migrations ORDER BY version")
    }

    /// Rows of a table. Its name must be one of [`Self::tables`].
    pub fn count(&mut self, table: &str) -> Result<i64> {
        self.number(&format!("SELECT count(*) AS n FROM \"{table}\""))
    }

    pub(in crate::store) fn number(&mut self, sql: &str) -> Result<i64> {
        let found: Number = per_backend!(&mut self.conn, c =>
            diesel::sql_query(sql).get_result(c))?;
        Ok(found.n)
    }

    pub(in crate::store) fn names(&mut self, sql: &str) -> Result<Vec<String>> {
        let found: Vec<Name> = per_backend!(&mut self.conn, c => diesel::sql_query(sql).load(c))?;
        Ok(found.into_iter().map(|found| found.name).collect())
    }

    /// Runs statements that give nothing back.
    pub(in crate::store) fn execute(&mut self, sql: &str) -> Result<()> {
        per_backend!(&mut self.conn, c => c.batch_execute(sql)).map_err(Error::from)
    }
}

/// Writes a copy of a living database of SQLite, as it is at one moment, into a file that must not
/// be there yet. Those who write go on meanwhile. The copy is whole when this returns, but may be
/// in the memory of the machine still.
pub fn copy_sqlite(from: &Path, to: &Path) -> Result<()> {
    let url = DatabaseUrl::Sqlite(PathBuf::from(from));
    let mut conn = open(&url, Purpose::Write, &Arc::default())?;
    let name = to
        .to_str()
        .ok_or_else(|| Error::internal("the name of the copy is not UTF-8"))?
        .replace('\'', "''");
    per_backend!(&mut conn, c => c.batch_execute(&format!("VACUUM INTO '{name}'")))
        .map_err(|error| Error::from(error).context("cannot copy the database"))
}
