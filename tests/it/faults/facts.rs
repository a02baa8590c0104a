//! What the database of a run has, read behind the back of the service.

use std::collections::{BTreeMap, BTreeSet};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Integer, Nullable, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use jianjian::store::DatabaseUrl;
use serde_json::Value;

use super::note;

/// An event of a case.
#[derive(Debug, Clone, QueryableByName)]
pub struct Event {
    /// The case.
    #[diesel(sql_type = Text)]
    pub stream: String,
    /// Position.
    #[diesel(sql_type = Integer)]
    pub seq: i32,
    /// The moment.
    #[diesel(sql_type = Text)]
    pub at: String,
    /// The account, if somebody acted.
    #[diesel(sql_type = Nullable<Text>)]
    pub actor: Option<String>,
    /// Such as `proposal.filed`.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// The request.
    #[diesel(sql_type = Nullable<Text>)]
    pub request: Option<String>,
    /// What it changed, as JSON.
    #[diesel(sql_type = Text)]
    pub content: String,
}

impl Event {
    /// What it changed.
    pub fn content(&self) -> Value {
        serde_json::from_str(&self.content).expect("the content of an event")
    }
}

/// A stored answer.
#[derive(Debug, Clone, QueryableByName)]
pub struct Stored {
    /// Its Idempotency-Key.
    #[diesel(sql_type = Text)]
    pub key: String,
    /// Status of the answer.
    #[diesel(sql_type = Integer)]
    pub status: i32,
    /// The moment of its request.
    #[diesel(sql_type = Text)]
    pub at: String,
}

/// A case as its row has it.
#[derive(Debug, Clone, QueryableByName)]
pub struct Case {
    /// Identifier.
    #[diesel(sql_type = Text)]
    pub id: String,
    /// Status.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// Version.
    #[diesel(sql_type = Integer)]
    pub version: i32,
    /// Round.
    #[diesel(sql_type = Integer)]
    pub round: i32,
    /// Events so far.
    #[diesel(sql_type = Integer)]
    pub event_seq: i32,
    /// Serial number.
    #[diesel(sql_type = Nullable<Integer>)]
    pub serial_no: Option<i32>,
    /// Case number.
    #[diesel(sql_type = Nullable<Integer>)]
    pub filed_as: Option<i32>,
}

/// A row of the assignments or a reply.
#[derive(Debug, Clone, QueryableByName)]
pub struct Part {
    /// Identifier.
    #[diesel(sql_type = Text)]
    pub id: String,
    /// Status.
    #[diesel(sql_type = Text)]
    pub status: String,
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = Text)]
    stream: String,
    #[diesel(sql_type = Integer)]
    seq: i32,
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Everything that the checker looks at.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Events of cases, by case and position.
    pub events: Vec<Event>,
    /// Stored answers.
    pub stored: Vec<Stored>,
    /// Cases.
    pub cases: Vec<Case>,
    /// Assignments and replies.
    pub parts: Vec<Part>,
    /// The feed: case and position, in its order.
    pub feed: Vec<(String, i32)>,
    /// Acts whose events are not in the feed yet.
    pub parcels: usize,
    /// Events of which somebody was told.
    pub told: BTreeSet<String>,
    /// What the database's own check of its files says, where there is one; empty: nothing wrong.
    pub damage: Vec<String>,
}

/// A connection of our own.
pub enum Sql {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

macro_rules! load {
    ($sql:expr, $text:expr) => {
        match $sql {
            Sql::Postgres(conn) => diesel::sql_query($text).load(conn).expect($text),
            Sql::Sqlite(conn) => diesel::sql_query($text).load(conn).expect($text),
        }
    };
}

impl Sql {
    /// Connects.
    pub fn open(url: &DatabaseUrl) -> Self {
        match url {
            DatabaseUrl::Postgres(url) => {
                Self::Postgres(PgConnection::establish(url).expect("to connect"))
            }
            DatabaseUrl::Sqlite(path) => {
                let path = path.to_str().expect("a name");
                let mut conn = SqliteConnection::establish(path).expect("to connect");
                conn.batch_execute("PRAGMA busy_timeout = 20000")
                    .expect("patience");
                Self::Sqlite(conn)
            }
        }
    }

    /// Runs statements.
    pub fn run(&mut self, sql: &str) {
        match self {
            Self::Postgres(conn) => conn.batch_execute(sql).expect(sql),
            Self::Sqlite(conn) => conn.batch_execute(sql).expect(sql),
        }
    }

    /// The texts `name` of a query.
    pub fn words(&mut self, sql: &str) -> Vec<String> {
        let found: Vec<Words> = load!(self, sql);
        found.into_iter().map(|one| one.name).collect()
    }

    /// An identifier as bare digits.
    fn id(&self, column: &str) -> String {
        match self {
            Self::Postgres(_) => format!("replace({column}::text, '-', '')"),
            Self::Sqlite(_) => format!("lower(hex({column}))"),
        }
    }

    /// A moment as text.
    fn at(&self, column: &str) -> String {
        match self {
            Self::Postgres(_) => {
                format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')")
            }
            Self::Sqlite(_) => column.to_owned(),
        }
    }
}

/// Reads everything.
pub fn read(url: &DatabaseUrl) -> Facts {
    let mut sql = Sql::open(url);
    let (stream, actor, request) = (
        sql.id("stream_id"),
        sql.id("actor_id"),
        sql.id("request_id"),
    );
    let (id, at, stored_at) = (sql.id("id"), sql.at("at"), sql.at("created_at"));
    // `hex(NULL)` is an empty text on SQLite.
    let events = format!(
        "SELECT {stream} AS stream, seq, {at} AS at, nullif({actor}, '') AS actor, name, \
         nullif({request}, '') AS request, CAST(content AS TEXT) AS content FROM events \
         WHERE stream_kind = 'proposal' ORDER BY stream_id, seq"
    );
    let stored =
        format!("SELECT idempotency_key AS key, status, {stored_at} AS at FROM idempotency_keys");
    let cases = format!(
        "SELECT {id} AS id, status, version, round, event_seq, serial_no, case_no AS filed_as FROM proposals"
    );
    let parts = format!(
        "SELECT {id} AS id, status FROM assignments UNION ALL \
         SELECT {id} AS id, status FROM replies"
    );
    let feed = format!(
        "SELECT {stream} AS stream, seq FROM feed WHERE stream_kind = 'proposal' \
         ORDER BY committee_id, position"
    );
    let feed: Vec<Place> = load!(&mut sql, &feed);
    Facts {
        events: load!(&mut sql, &events),
        stored: load!(&mut sql, &stored),
        cases: load!(&mut sql, &cases),
        parts: load!(&mut sql, &parts),
        feed: feed.into_iter().map(|one| (one.stream, one.seq)).collect(),
        parcels: sql.words("SELECT stream_kind AS name FROM outbox").len(),
        told: sql
            .words("SELECT DISTINCT source_key AS name FROM notifications")
            .into_iter()
            .filter_map(|key| key.strip_prefix("e:").map(str::to_owned))
            .collect(),
        damage: damage(url),
    }
}

/// What the database itself says about its files.
pub fn damage(url: &DatabaseUrl) -> Vec<String> {
    match url {
        DatabaseUrl::Sqlite(_) => {
            let mut sql = Sql::open(url);
            let mut found = sql.words("SELECT integrity_check AS name FROM pragma_integrity_check");
            found.retain(|line| line != "ok");
            found.extend(sql.words("SELECT \"table\" AS name FROM pragma_foreign_key_check"));
            found
        }
        DatabaseUrl::Postgres(url) => {
            let Some(program) = super::cluster::programs().map(|bin| bin.join("pg_amcheck")) else {
                note("the programs of PostgreSQL are not here: its files are not checked");
                return Vec::new();
            };
            if !program.is_file() {
                note("pg_amcheck is not installed: the files are not checked");
                return Vec::new();
            }
            let checked = std::process::Command::new(program)
                .args(["--install-missing", "--heapallindexed", url])
                .output()
                .expect("to run pg_amcheck");
            let text = String::from_utf8_lossy(&checked.stdout).into_owned()
                + &String::from_utf8_lossy(&checked.stderr);
            if checked.status.success() {
                Vec::new()
            } else {
                vec![text]
            }
        }
    }
}

/// Rows by identifier.
pub fn by_id(parts: &[Part]) -> BTreeMap<&str, &str> {
    parts
        .iter()
        .map(|part| (part.id.as_str(), part.status.as_str()))
        .collect()
}
