//! One connection type over both backends, chosen by the scheme of the database URL.

use std::cell::Cell;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use diesel::connection::{DebugQuery, InstrumentationEvent, SimpleConnection};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use crate::error::{Code, Error, Result};

#[expect(
    missing_docs,
    reason = "the derive makes public items without comments"
)]
mod any {
    use diesel::pg::PgConnection;
    use diesel::prelude::*;
    use diesel::sqlite::SqliteConnection;

    /// A connection to either database. Queries are written once, against this type.
    #[derive(diesel::MultiConnection)]
    pub enum AnyConnection {
        /// PostgreSQL 13 or later.
        Postgres(PgConnection),
        /// The bundled SQLite.
        Sqlite(SqliteConnection),
    }
}

pub use any::{AnyConnection, MultiBackend};

/// Runs the same expression on the concrete connection: for the few statements that the common
/// type cannot express (`ON CONFLICT`, batch inserts, locking clauses).
macro_rules! per_backend {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::store::connection::AnyConnection::Postgres($c) => $body,
            $crate::store::connection::AnyConnection::Sqlite($c) => $body,
        }
    };
    // The same with the name of the backend, which a boxed query has in its type.
    ($conn:expr, $c:ident: $backend:ident => $body:expr) => {
        match $conn {
            $crate::store::connection::AnyConnection::Postgres($c) => {
                type $backend = diesel::pg::Pg;
                $body
            }
            $crate::store::connection::AnyConnection::Sqlite($c) => {
                type $backend = diesel::sqlite::Sqlite;
                $body
            }
        }
    };
}
pub(in crate::store) use per_backend;

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file of the bundled SQLite.
    Sqlite(PathBuf),
    /// A PostgreSQL connection URL, handed to the client library as it is.
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        let Some(path) = url.strip_prefix("sqlite:") else {
            return Err(
                "the database URL must start with sqlite:, postgres:// or postgresql://".to_owned(),
            );
        };
        let path = path.strip_prefix("//").unwrap_or(path);
        match path {
            "" => Err("the database URL names no file after sqlite:".to_owned()),
            ":memory:" => Err("sqlite::memory: is not supported: every connection would see a database of its own; name a file".to_owned()),
            path => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }
}

impl std::fmt::Display for DatabaseUrl {
    /// Without user and password, for logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let shown = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                write!(f, "postgres://{}", shown.split('?').next().unwrap_or(shown))
            }
        }
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Purpose {
    /// Reads: the database itself refuses writes.
    Read,
    /// Writes and migrations.
    Write,
}

/// How long a statement may wait for a lock held by another process.
pub(in crate::store) const LOCK_WAIT: Duration = Duration::from_secs(5);

/// How many pages the log of SQLite may hold before a commit waits until they are in the file and on the disk,
/// and the log begins anew: sixteen times as many as the library has it. Most of them are written by
/// then, since a thread beside the writer brings them in ([`super::checkpoint`]).
const CHECKPOINT_PAGES: u32 = 16_000;
/// A log that became longer, because somebody read for long, is cut to this when it begins anew, in bytes.
const LONGEST_LOG: u32 = 64 << 20;

/// How much of the file a connection of SQLite keeps in memory, in KiB. Those that read are several, and the system keeps
/// the file for all of them; the one that writes keeps what it changed until the commit.
const READING_CACHE: u32 = 8 << 10;
/// The same of a connection that writes.
const WRITING_CACHE: u32 = 16 << 10;

/// Pause between two attempts to switch a new file to WAL.
const WAL_PAUSE: Duration = Duration::from_millis(20);

/// Is told the text of each statement, without its values.
type Listener = Box<dyn Fn(&str) + Send + Sync>;

/// What is known of the statements that were sent to a database.
#[derive(Default)]
pub(in crate::store) struct Statements {
    sent: AtomicU64,
    listener: OnceLock<Listener>,
}

impl Statements {
    /// How many there were so far.
    pub(in crate::store) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Lets somebody hear all that follow: the first who asks.
    pub(in crate::store) fn listen(&self, listener: Listener) {
        // A second one is passed over.
        let _ = self.listener.set(listener);
    }

    fn note(&self, query: &dyn DebugQuery) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        if let Some(listener) = self.listener.get() {
            let text = query.to_string();
            listener(text.split(" -- binds: ").next().unwrap_or_default());
        }
    }
}

thread_local! {
    /// Of the connection that this thread owns.
    static FAILED: Cell<u64> = const { Cell::new(0) };
}

/// How many statements of this thread have failed so far.
pub(in crate::store) fn failed_statements() -> u64 {
    FAILED.get()
}

/// Opens one connection and makes the settings the rest of the program relies on.
pub(in crate::store) fn open(
    url: &DatabaseUrl,
    purpose: Purpose,
    statements: &Arc<Statements>,
) -> Result<AnyConnection> {
    let mut conn = match url {
        DatabaseUrl::Sqlite(path) => AnyConnection::Sqlite(open_sqlite(path, purpose)?),
        DatabaseUrl::Postgres(url) => AnyConnection::Postgres(open_postgres(url, purpose)?),
    };
    let statements = Arc::clone(statements);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| match event {
        InstrumentationEvent::StartQuery { query, .. } => statements.note(query),
        InstrumentationEvent::FinishQuery {
            error: Some(error), ..
        } => {
            FAILED.set(FAILED.get() + 1);
            // Not the statement: its values are nobody's business.
            tracing::debug!(%error, "statement failed");
        }
        _ => {}
    });
    Ok(conn)
}

fn open_sqlite(path: &std::path::Path, purpose: Purpose) -> Result<SqliteConnection> {
    let unavailable = |error: &dyn std::fmt::Display| {
        Error::new(Code::DatabaseUnavailable).context(format!(
            "cannot open the SQLite file {}: {error}",
            path.display()
        ))
    };
    let name = path
        .to_str()
        .ok_or_else(|| unavailable(&"its name is not UTF-8"))?;
    let mut conn = SqliteConnection::establish(name).map_err(|error| unavailable(&error))?;
    // WAL with FULL: an acknowledged commit survives a power cut, readers never block.
    switch_to_wal(&mut conn).map_err(|error| unavailable(&error))?;
    let reads = purpose == Purpose::Read;
    conn.batch_execute(&format!(
        "PRAGMA busy_timeout = {}; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA cache_size = -{}; PRAGMA temp_store = MEMORY; \
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA journal_size_limit = {LONGEST_LOG}; \
         PRAGMA query_only = {};",
        LOCK_WAIT.as_millis(),
        if reads { READING_CACHE } else { WRITING_CACHE },
        if reads { "ON" } else { "OFF" },
    ))
    .map_err(|error| unavailable(&error))?;
    assert_pragma(&mut conn, "journal_mode", "wal").map_err(|error| unavailable(&error))?;
    assert_pragma(&mut conn, "synchronous", "2").map_err(|error| unavailable(&error))?;
    assert_pragma(&mut conn, "foreign_keys", "1").map_err(|error| unavailable(&error))?;
    Ok(conn)
}

/// Opens a file of SQLite that nobody writes, without changing a byte of it.
pub(in crate::store) fn open_unchanging(path: &std::path::Path) -> Result<AnyConnection> {
    let unavailable = |error: &dyn std::fmt::Display| {
        Error::new(Code::DatabaseUnavailable).context(format!(
            "cannot read the SQLite file {}: {error}",
            path.display()
        ))
    };
    let name = path
        .to_str()
        .ok_or_else(|| unavailable(&"its name is not UTF-8"))?
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    let mut conn = SqliteConnection::establish(&format!("file:{name}?mode=ro&immutable=1"))
        .map_err(|error| unavailable(&error))?;
    conn.batch_execute("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY")
        .map_err(|error| unavailable(&error))?;
    Ok(AnyConnection::Sqlite(conn))
}

/// The switch of a new file to WAL needs the file alone and does not wait for it, whatever
/// `busy_timeout` says; so instances that start at once take turns here.
fn switch_to_wal(conn: &mut SqliteConnection) -> diesel::QueryResult<()> {
    let mut attempts_left = LOCK_WAIT.as_millis() / WAL_PAUSE.as_millis();
    loop {
        match conn.batch_execute("PRAGMA journal_mode = WAL") {
            Err(error) if attempts_left > 0 && error.to_string().contains("locked") => {
                attempts_left -= 1;
                #[expect(
                    clippy::disallowed_methods,
                    reason = "a database thread, never an async worker"
                )]
                std::thread::sleep(WAL_PAUSE);
            }
            result => return result,
        }
    }
}

/// A setting that silently did not take (a read-only file system, say) must stop the start.
fn assert_pragma(conn: &mut SqliteConnection, name: &str, expected: &str) -> Result<(), String> {
    #[derive(QueryableByName)]
    struct Setting {
        #[diesel(sql_type = diesel::sql_types::Text)]
        value: String,
    }
    let setting: Setting = diesel::sql_query(format!(
        "SELECT CAST({name} AS TEXT) AS value FROM pragma_{name}"
    ))
    .get_result(conn)
    .map_err(|error| error.to_string())?;
    if setting.value.eq_ignore_ascii_case(expected) {
        Ok(())
    } else {
        Err(format!(
            "PRAGMA {name} is {} where {expected} is required",
            setting.value
        ))
    }
}

/// A vanished server must be noticed: what the URL does not say itself is added.
fn with_timeouts(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in [
        ("connect_timeout", "5"),
        ("tcp_user_timeout", "15000"),
        ("keepalives_idle", "10"),
        ("keepalives_interval", "5"),
        ("keepalives_count", "3"),
    ] {
        if !url.contains(&format!("{name}=")) {
            let mark = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{mark}{name}={value}");
        }
    }
    url
}

fn open_postgres(url: &str, purpose: Purpose) -> Result<PgConnection> {
    let unavailable = |error: &dyn std::fmt::Display| {
        Error::new(Code::DatabaseUnavailable)
            .context(format!("cannot connect to PostgreSQL: {error}"))
    };
    let url = with_timeouts(url);
    let mut conn = PgConnection::establish(&url).map_err(|error| unavailable(&error))?;
    // Some failures are told apart by their words. Setting them to English needs a privilege on
    // some servers; without it an unknown failure is answered with 500 instead of 503.
    let _ = conn.batch_execute("SET lc_messages = 'C'");
    conn.batch_execute(&format!(
        "SET TIME ZONE 'UTC'; SET application_name = 'jianjian'; \
         SET statement_timeout = '30s'; SET lock_timeout = '{}ms'; \
         SET idle_in_transaction_session_timeout = '30s'; SET client_encoding = 'UTF8'; \
         SET default_transaction_read_only = {}; SET client_min_messages = 'warning'",
        LOCK_WAIT.as_millis(),
        if purpose == Purpose::Read {
            "on"
        } else {
            "off"
        },
    ))
    .map_err(|error| unavailable(&error))?;
    Ok(conn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_chooses_the_backend() {
        assert_eq!(
            "sqlite:a.db".parse(),
            Ok(DatabaseUrl::Sqlite("a.db".into()))
        );
        assert_eq!(
            "sqlite:///var/a.db".parse(),
            Ok(DatabaseUrl::Sqlite("/var/a.db".into()))
        );
        assert!(matches!(
            "postgres://h/d".parse(),
            Ok(DatabaseUrl::Postgres(_))
        ));
        for wrong in ["", "a.db", "mysql://h/d", "sqlite:", "sqlite::memory:"] {
            assert!(wrong.parse::<DatabaseUrl>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn passwords_do_not_reach_the_log() {
        let url: DatabaseUrl = "postgres://user:geheim@db/x?password=geheim"
            .parse()
            .expect("url");
        assert_eq!(url.to_string(), "postgres://db/x");
    }
}
