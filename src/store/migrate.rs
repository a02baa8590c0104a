//! Migrations, embedded in the program and applied as one transaction.
//!
//! Two instances that start at once take turns: on PostgreSQL behind an advisory lock, on SQLite
//! behind the write lock of the file.

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{AnyConnection, DatabaseUrl, Purpose, open, per_backend};
use crate::error::{Error, Result};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Key of the advisory lock: "jianjian" in ASCII.
const LOCK: i64 = 0x6a69_616e_6a69_616e;

/// Brings the database up to date; gives the versions that were applied.
pub fn run(url: &DatabaseUrl) -> Result<Vec<String>> {
    let mut conn = open(url, Purpose::Write, &Arc::default())?;
    let begin = match conn {
        AnyConnection::Postgres(_) => {
            format!("SET lock_timeout = '60s'; BEGIN; SELECT pg_advisory_xact_lock({LOCK})")
        }
        AnyConnection::Sqlite(_) => "PRAGMA busy_timeout = 60000; BEGIN IMMEDIATE".to_owned(),
    };
    execute(&mut conn, &begin)?;
    let applied = match &mut conn {
        AnyConnection::Postgres(c) => names(c.run_pending_migrations(POSTGRES)),
        AnyConnection::Sqlite(c) => names(c.run_pending_migrations(SQLITE)),
    };
    match applied {
        Ok(applied) => {
            execute(&mut conn, "COMMIT")?;
            Ok(applied)
        }
        Err(error) => {
            // The first error is the one to report.
            let _ = execute(&mut conn, "ROLLBACK");
            Err(error)
        }
    }
}

/// Versions that the database lacks.
pub fn pending(url: &DatabaseUrl) -> Result<Vec<String>> {
    let mut conn = open(url, Purpose::Write, &Arc::default())?;
    let pending = match &mut conn {
        AnyConnection::Postgres(c) => {
            MigrationHarness::<Pg>::pending_migrations(c, POSTGRES).map(|m| own_names(&m))
        }
        AnyConnection::Sqlite(c) => {
            MigrationHarness::<Sqlite>::pending_migrations(c, SQLITE).map(|m| own_names(&m))
        }
    };
    pending.map_err(|error| Error::internal(error).context("cannot read the migrations table"))
}

/// Versions of the embedded migrations, as the database notes them, in order.
pub fn versions() -> Result<Vec<String>> {
    let known = MigrationSource::<Sqlite>::migrations(&SQLITE).map_err(Error::internal)?;
    let mut versions: Vec<_> = known
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    versions.sort();
    Ok(versions)
}

/// Names of the embedded migrations of both backends, which must be equal.
pub fn embedded() -> Result<[Vec<String>; 2]> {
    let sqlite = MigrationSource::<Sqlite>::migrations(&SQLITE).map_err(Error::internal)?;
    let postgres = MigrationSource::<Pg>::migrations(&POSTGRES).map_err(Error::internal)?;
    Ok([own_names(&sqlite), own_names(&postgres)])
}

fn own_names<DB: diesel::backend::Backend>(list: &[Box<dyn Migration<DB>>]) -> Vec<String> {
    list.iter()
        .map(|migration| migration.name().to_string())
        .collect()
}

fn names(result: diesel::migration::Result<Vec<MigrationVersion<'_>>>) -> Result<Vec<String>> {
    result
        .map(|applied| applied.iter().map(ToString::to_string).collect())
        .map_err(|error| Error::internal(error).context("a migration failed"))
}

fn execute(conn: &mut AnyConnection, sql: &str) -> Result<()> {
    per_backend!(conn, c => c.batch_execute(sql)).map_err(Error::from)
}
