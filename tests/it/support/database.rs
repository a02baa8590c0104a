//! A database for each test, copied from a template that is migrated once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use diesel::connection::SimpleConnection;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use jianjian::store::{DatabaseUrl, migrate};
use tempfile::TempDir;

/// A database that goes with the value.
pub struct TestDatabase {
    url: DatabaseUrl,
    // Gone with the last database made from it.
    _template: Arc<Template>,
    place: Place,
}

impl TestDatabase {
    /// A migrated, empty database.
    pub fn create() -> Self {
        let template = Template::get();
        let place = match &*template {
            Template::Sqlite { file, .. } => {
                let directory = tempfile::tempdir().expect("a directory");
                std::fs::copy(file, directory.path().join(FILE)).expect("to copy the template");
                Place::Directory(directory)
            }
            Template::Postgres(template) => {
                static NUMBER: AtomicU32 = AtomicU32::new(0);
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let name = format!("jj_test_{}_{number}", std::process::id());
                Place::Server(PgDatabase::create(&name, Some(&template.name)))
            }
        };
        Self {
            url: place.url(),
            _template: template,
            place,
        }
    }

    /// A database without a single table.
    pub fn empty() -> Self {
        let mut database = Self::create();
        database.place = if server().is_some() {
            static NUMBER: AtomicU32 = AtomicU32::new(0);
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("jj_empty_{}_{number}", std::process::id());
            Place::Server(PgDatabase::create(&name, None))
        } else {
            Place::Directory(tempfile::tempdir().expect("a directory"))
        };
        database.url = database.place.url();
        database
    }

    /// A file of SQLite that is there already, and stays.
    pub fn at(file: &Path) -> Self {
        Self {
            url: DatabaseUrl::Sqlite(file.to_owned()),
            _template: Template::get(),
            place: Place::Elsewhere(file.to_owned()),
        }
    }

    /// Where it is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// The same as text, as in a setting.
    pub fn url_text(&self) -> String {
        match &self.url {
            DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => url.clone(),
        }
    }

    /// Takes the table of committees away, as a broken installation would.
    pub fn lose_tables(&self) {
        let sql = "ALTER TABLE committees RENAME TO lost";
        match &self.url {
            DatabaseUrl::Postgres(url) => PgConnection::establish(url)
                .expect("to connect")
                .batch_execute(sql)
                .expect("to rename"),
            DatabaseUrl::Sqlite(path) => sqlite(path).batch_execute(sql).expect("to rename"),
        }
    }

    /// Runs a statement behind the back of the service; gives the number of rows it touched.
    pub fn execute(&self, sql: &str) -> usize {
        match &self.url {
            DatabaseUrl::Postgres(url) => {
                let mut conn = PgConnection::establish(url).expect("to connect");
                diesel::sql_query(sql).execute(&mut conn).expect(sql)
            }
            DatabaseUrl::Sqlite(path) => diesel::sql_query(sql)
                .execute(&mut sqlite(path))
                .expect(sql),
        }
    }

    /// Runs several statements at once behind the back of the service.
    pub fn batch(&self, sql: &str) {
        match &self.url {
            DatabaseUrl::Postgres(url) => {
                let mut conn = PgConnection::establish(url).expect("to connect");
                conn.batch_execute(&format!("BEGIN; {sql} COMMIT;"))
            }
            DatabaseUrl::Sqlite(path) => {
                sqlite(path).batch_execute(&format!("BEGIN IMMEDIATE; {sql} COMMIT;"))
            }
        }
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Takes the triggers of the append-only tables away, as somebody who owns the database can.
    pub fn lift_guards(&self) {
        let mut sql = String::new();
        for table in ["events", "feed", "audit_seals", "audit_seal_heads"] {
            for operation in ["update", "delete"] {
                let on = match &self.url {
                    DatabaseUrl::Postgres(_) => format!(" ON {table}"),
                    DatabaseUrl::Sqlite(_) => String::new(),
                };
                sql.extend(["DROP TRIGGER ", table, "_no_", operation, on.as_str(), ";"]);
            }
        }
        self.batch(&sql);
    }

    /// What the database says to a statement that it refuses.
    pub fn refusal(&self, sql: &str) -> String {
        let refused = match &self.url {
            DatabaseUrl::Postgres(url) => {
                let mut conn = PgConnection::establish(url).expect("to connect");
                diesel::sql_query(sql).execute(&mut conn)
            }
            DatabaseUrl::Sqlite(path) => diesel::sql_query(sql).execute(&mut sqlite(path)),
        };
        match refused {
            Ok(rows) => panic!("{sql} touched {rows} rows"),
            Err(error) => error.to_string(),
        }
    }

    /// The number `n` that a statement gives.
    pub fn number(&self, sql: &str) -> i64 {
        let count: Count = match &self.url {
            DatabaseUrl::Postgres(url) => {
                let mut conn = PgConnection::establish(url).expect("to connect");
                diesel::sql_query(sql).get_result(&mut conn).expect(sql)
            }
            DatabaseUrl::Sqlite(path) => diesel::sql_query(sql)
                .get_result(&mut sqlite(path))
                .expect(sql),
        };
        count.n
    }

    /// The texts `name` that a statement gives.
    pub fn names(&self, sql: &str) -> Vec<String> {
        let names: Vec<Name> = match &self.url {
            DatabaseUrl::Postgres(url) => {
                let mut conn = PgConnection::establish(url).expect("to connect");
                diesel::sql_query(sql).load(&mut conn).expect(sql)
            }
            DatabaseUrl::Sqlite(path) => diesel::sql_query(sql).load(&mut sqlite(path)).expect(sql),
        };
        names.into_iter().map(|one| one.name).collect()
    }

    /// How the database would answer a query, with statistics as they are now.
    pub fn plan(&self, sql: &str) -> String {
        let lines: Vec<Line> = match &self.url {
            DatabaseUrl::Postgres(url) => {
                let mut conn = PgConnection::establish(url).expect("to connect");
                conn.batch_execute("ANALYZE").expect("statistics");
                let explained: Vec<Plan> = diesel::sql_query(format!("EXPLAIN {sql}"))
                    .load(&mut conn)
                    .expect(sql);
                explained
                    .into_iter()
                    .map(|plan| Line { detail: plan.line })
                    .collect()
            }
            DatabaseUrl::Sqlite(path) => {
                let mut conn = sqlite(path);
                conn.batch_execute("ANALYZE").expect("statistics");
                diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}"))
                    .load(&mut conn)
                    .expect(sql)
            }
        };
        let lines: Vec<_> = lines.into_iter().map(|line| line.detail).collect();
        lines.join("\n")
    }

    /// The steps by which the database would answer a statement with parameters, whatever their values
    /// are: without statistics where they never were made, and reading a table from end to end for the
    /// last resort.
    pub fn steps(&self, sql: &str) -> Vec<String> {
        match &self.url {
            DatabaseUrl::Postgres(url) => {
                let mut conn = PgConnection::establish(url).expect("to connect");
                let numbers = sql.split('$').skip(1).filter_map(|rest| {
                    let end = rest.find(|c: char| !c.is_ascii_digit());
                    rest[..end.unwrap_or(rest.len())].parse::<usize>().ok()
                });
                let values = vec!["NULL"; numbers.max().unwrap_or(0)].join(", ");
                let values = if values.is_empty() {
                    values
                } else {
                    format!("({values})")
                };
                conn.batch_execute(&format!(
                    "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; PREPARE asked AS {sql}"
                ))
                .expect(sql);
                let explained: Vec<Plan> =
                    diesel::sql_query(format!("EXPLAIN EXECUTE asked {values}"))
                        .load(&mut conn)
                        .expect(sql);
                explained.into_iter().map(|plan| plan.line).collect()
            }
            DatabaseUrl::Sqlite(path) => {
                let lines: Vec<Line> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}"))
                    .load(&mut sqlite(path))
                    .expect(sql);
                lines.into_iter().map(|line| line.detail).collect()
            }
        }
    }

    /// Takes a migration back and applies it again, over the rows that are there.
    pub fn migrate_again(&self, name: &str) {
        let text = |backend: &str, file: &str| {
            let root = env!("CARGO_MANIFEST_DIR");
            let path = format!("{root}/migrations/{backend}/{name}/{file}.sql");
            std::fs::read_to_string(&path).expect(&path)
        };
        match &self.url {
            DatabaseUrl::Postgres(url) => {
                let mut conn = PgConnection::establish(url).expect("to connect");
                for file in ["down", "up"] {
                    let sql = format!("BEGIN; {} COMMIT;", text("postgres", file));
                    conn.batch_execute(&sql).expect(file);
                }
            }
            DatabaseUrl::Sqlite(path) => {
                let mut conn = sqlite(path);
                conn.batch_execute("PRAGMA foreign_keys = ON")
                    .expect("to guard references");
                for file in ["down", "up"] {
                    let sql = format!("BEGIN IMMEDIATE; {} COMMIT;", text("sqlite", file));
                    conn.batch_execute(&sql).expect(file);
                }
                let wrong = diesel::sql_query("SELECT count(*) AS n FROM pragma_foreign_key_check");
                let wrong: Count = wrong.get_result(&mut conn).expect("a count");
                assert_eq!(wrong.n, 0, "references that lead nowhere");
            }
        }
    }

    /// Asserts that the database itself refuses a statement that breaks a reference.
    pub fn refuses(&self, sql: &str) {
        let refused = match &self.url {
            DatabaseUrl::Postgres(url) => {
                let mut conn = PgConnection::establish(url).expect("to connect");
                diesel::sql_query(sql).execute(&mut conn)
            }
            DatabaseUrl::Sqlite(path) => {
                let mut conn = sqlite(path);
                // As in every connection of the service.
                conn.batch_execute("PRAGMA foreign_keys = ON")
                    .expect("to guard references");
                diesel::sql_query(sql).execute(&mut conn)
            }
        };
        assert!(
            matches!(
                refused,
                Err(DieselError::DatabaseError(
                    DatabaseErrorKind::ForeignKeyViolation,
                    _
                ))
            ),
            "{sql}: {refused:?}"
        );
    }

    /// Number of rows of every table, for tests that nothing was written. That somebody was refused
    /// is written in any case.
    pub fn row_counts(&self) -> BTreeMap<String, i64> {
        macro_rules! counts {
            ($conn:expr, $tables:literal) => {{
                let mut conn = $conn;
                let names: Vec<Name> = diesel::sql_query($tables)
                    .load(&mut conn)
                    .expect("the tables");
                let mut counts = BTreeMap::new();
                for Name { name } in names {
                    let acts = if name == "events" {
                        "WHERE stream_kind <> 'access'"
                    } else {
                        ""
                    };
                    let sql = format!("SELECT count(*) AS n FROM {name} {acts}");
                    let count: Count = diesel::sql_query(sql)
                        .get_result(&mut conn)
                        .expect("a count");
                    counts.insert(name, count.n);
                }
                counts
            }};
        }
        match &self.url {
            DatabaseUrl::Postgres(url) => counts!(
                PgConnection::establish(url).expect("to connect"),
                "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public'"
            ),
            DatabaseUrl::Sqlite(path) => counts!(
                sqlite(path),
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ),
        }
    }
}

/// A connection of our own to the file, patient while the service writes to it.
fn sqlite(path: &Path) -> diesel::SqliteConnection {
    let mut conn =
        diesel::SqliteConnection::establish(path.to_str().expect("a name")).expect("to connect");
    conn.batch_execute("PRAGMA busy_timeout = 20000")
        .expect("to set the patience");
    conn
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

const FILE: &str = "test.db";

enum Place {
    Directory(TempDir),
    Elsewhere(PathBuf),
    Server(PgDatabase),
}

impl Place {
    fn url(&self) -> DatabaseUrl {
        match self {
            Self::Directory(directory) => DatabaseUrl::Sqlite(directory.path().join(FILE)),
            Self::Elsewhere(file) => DatabaseUrl::Sqlite(file.clone()),
            Self::Server(database) => database.url(),
        }
    }
}

/// The server for tests on PostgreSQL.
pub fn server() -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "it says which database to test on"
    )]
    std::env::var("TEST_DATABASE_URL").ok()
}

enum Template {
    Sqlite { file: PathBuf, _directory: TempDir },
    Postgres(PgDatabase),
}

impl Template {
    fn get() -> Arc<Self> {
        static TEMPLATE: Mutex<Weak<Template>> = Mutex::new(Weak::new());
        let mut template = TEMPLATE.lock().unwrap_or_else(PoisonError::into_inner);
        template.upgrade().unwrap_or_else(|| {
            let made = Arc::new(Self::make());
            *template = Arc::downgrade(&made);
            made
        })
    }

    fn make() -> Self {
        if server().is_some() {
            static NUMBER: AtomicU32 = AtomicU32::new(0);
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("jj_tpl_{}_{number}", std::process::id());
            let database = PgDatabase::create(&name, None);
            migrate::run(&database.url()).expect("to migrate the template");
            return Self::Postgres(database);
        }
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join(FILE);
        migrate::run(&DatabaseUrl::Sqlite(file.clone())).expect("to migrate the template");
        Self::Sqlite {
            file,
            _directory: directory,
        }
    }
}

/// A database on the server for tests.
struct PgDatabase {
    name: String,
}

impl PgDatabase {
    fn create(name: &str, template: Option<&str>) -> Self {
        let template = template.map_or_else(String::new, |name| format!(" TEMPLATE {name}"));
        execute(&format!("CREATE DATABASE {name}{template}"));
        Self {
            name: name.to_owned(),
        }
    }

    fn url(&self) -> DatabaseUrl {
        let server = server().expect("TEST_DATABASE_URL");
        let (address, parameters) = server.split_once('?').unwrap_or((&server, ""));
        let (address, _) = address
            .rsplit_once('/')
            .expect("a database in TEST_DATABASE_URL");
        let mark = if parameters.is_empty() { "" } else { "?" };
        DatabaseUrl::Postgres(format!("{address}/{}{mark}{parameters}", self.name))
    }
}

impl Drop for PgDatabase {
    fn drop(&mut self) {
        execute(&format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            self.name
        ));
    }
}

fn execute(sql: &str) {
    let server = server().expect("TEST_DATABASE_URL");
    let mut connection = PgConnection::establish(&server).expect("to connect to PostgreSQL");
    connection
        .batch_execute(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}
