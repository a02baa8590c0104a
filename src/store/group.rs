//! Writes that share one commit of SQLite.
//!
//! A commit waits for the disk. So writes that wait together run in one transaction, one after the other, and
//! are answered after its commit; each still fails alone. A savepoint before each would see to that, but
//! with one the library keeps a copy of every page that a write is the first to change. Nearly every write succeeds, or
//! is refused before it has written anything. So a group runs without savepoints at first. If one fails that
//! may have written something, the transaction is undone, and all run again, each behind a savepoint: whoever is refused
//! is refused by what the commit holds. So do the next groups, since what makes one fail tends to come again.

use diesel::dsl::select;
use diesel::prelude::*;

use super::connection::{AnyConnection, failed_statements};
use super::tx::{ATTEMPTS, Job, Outcome, begin_immediate, execute};
use crate::error::{Code, Error, Result};

/// How many groups run behind savepoints after one that had to run again.
const CAREFUL: u32 = 32;

diesel::define_sql_function! {
    /// How many rows this connection has written so far, those that were undone again among them.
    fn total_changes() -> BigInt;
}

/// Runs the groups of one connection.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// How many still run behind savepoints.
    careful: u32,
}

impl Groups {
    /// Runs jobs in one transaction and commits it. After an error nothing is committed, and the connection
    /// is of no more use.
    pub(super) fn run(
        &mut self,
        conn: &mut AnyConnection,
        jobs: &mut [Box<dyn Job>],
    ) -> Result<()> {
        begin_immediate(conn)?;
        if let Some(left) = self.careful.checked_sub(1) {
            self.careful = left;
            carefully(conn, jobs, None)?;
        } else if let Some(spoilt) = plainly(conn, jobs)? {
            self.careful = CAREFUL;
            // Where that fails, SQLite has undone everything itself.
            let _ = execute(conn, "ROLLBACK");
            begin_immediate(conn)?;
            carefully(conn, jobs, spoilt.answered)?;
        }
        execute(conn, "COMMIT").map_err(|error| error.context("commit"))
    }
}

/// Something of a job that failed may stand in the transaction, or nothing of it stands any more.
struct Spoilt {
    /// The job, where a fault of the service is its answer: that depends on nobody else, and it does not run again.
    answered: Option<usize>,
}

/// Runs jobs one after the other until one spoils the transaction.
fn plainly(conn: &mut AnyConnection, jobs: &mut [Box<dyn Job>]) -> Result<Option<Spoilt>> {
    for (number, job) in jobs.iter_mut().enumerate() {
        let written = changes(conn)?;
        let failed = failed_statements();
        let outcome = job.run(conn);
        // On some failures, such as a full disk, SQLite undoes the whole transaction, and what is
        // written after that stands by itself. So a failure is looked at even where the job made light of it.
        let sound = failed == failed_statements()
            && match outcome {
                Outcome::Keep => true,
                Outcome::Undo => written == changes(conn)?,
                Outcome::Again => false,
            };
        if !sound {
            let answered = (outcome == Outcome::Undo && fault(&**job).is_some()).then_some(number);
            return Ok(Some(Spoilt { answered }));
        }
    }
    Ok(None)
}

fn changes(conn: &mut AnyConnection) -> Result<i64> {
    match conn {
        AnyConnection::Sqlite(conn) => Ok(select(total_changes()).get_result(conn)?),
        AnyConnection::Postgres(_) => Err(Error::internal("PostgreSQL has no groups")),
    }
}

/// What went wrong with a job, where that is no refusal.
fn fault(job: &dyn Job) -> Option<Code> {
    job.failure().filter(|code| code.status() >= 500)
}

/// Runs jobs one after the other, each behind a savepoint; not the one that has its answer.
fn carefully(
    conn: &mut AnyConnection,
    jobs: &mut [Box<dyn Job>],
    answered: Option<usize>,
) -> Result<()> {
    for (number, job) in jobs.iter_mut().enumerate() {
        if answered == Some(number) {
            continue;
        }
        for attempt in 1..=ATTEMPTS {
            execute(conn, "SAVEPOINT job")?;
            let outcome = job.run(conn);
            if matches!(outcome, Outcome::Keep) {
                execute(conn, "RELEASE job")?;
                break;
            }
            if let Err(error) = execute(conn, "ROLLBACK TO job; RELEASE job") {
                // SQLite itself has undone the whole transaction; then what went wrong with this job
                // went wrong with all.
                return Err(Error::new(fault(&**job).unwrap_or(error.code())).context("undo"));
            }
            if attempt == ATTEMPTS || !matches!(outcome, Outcome::Again) {
                break;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use diesel::connection::SimpleConnection;
    use diesel::sql_types::Text;
    use diesel::sqlite::SqliteConnection;

    use super::*;
    use crate::store::connection::{DatabaseUrl, Purpose, Statements, open};

    /// A job, and how often it ran.
    struct Told<F> {
        work: F,
        failure: Option<Code>,
        runs: Arc<AtomicU32>,
    }

    impl<F: FnMut(&mut SqliteConnection) -> Outcome + Send> Job for Told<F> {
        fn run(&mut self, conn: &mut AnyConnection) -> Outcome {
            self.runs.fetch_add(1, Ordering::Relaxed);
            match conn {
                AnyConnection::Sqlite(conn) => (self.work)(conn),
                AnyConnection::Postgres(_) => unreachable!("a file of SQLite"),
            }
        }
        fn fail(&mut self, _error: Error) {}
        fn broke_connection(&self) -> bool {
            false
        }
        fn failure(&self) -> Option<Code> {
            self.failure
        }
        fn panicked(&self) -> bool {
            false
        }
        fn answer(self: Box<Self>) {}
    }

    /// A database, its groups, and the jobs of the next one.
    struct Bench {
        _folder: tempfile::TempDir,
        conn: AnyConnection,
        groups: Groups,
        jobs: Vec<Box<dyn Job>>,
        runs: Vec<Arc<AtomicU32>>,
    }

    impl Bench {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let url = DatabaseUrl::Sqlite(folder.path().join("notes.db"));
            let statements = Arc::<Statements>::default();
            let mut conn = open(&url, Purpose::Write, &statements).expect("a connection");
            execute(
                &mut conn,
                "CREATE TABLE notes (name TEXT NOT NULL PRIMARY KEY); \
                 CREATE TRIGGER full BEFORE INSERT ON notes WHEN new.name = 'full' \
                 BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END",
            )
            .expect("a table");
            Self {
                _folder: folder,
                conn,
                groups: Groups::default(),
                jobs: Vec::new(),
                runs: Vec::new(),
            }
        }

        fn job(&mut self, work: impl FnMut(&mut SqliteConnection) -> Outcome + Send + 'static) {
            self.told(work, None);
        }

        fn told<F>(&mut self, work: F, failure: Option<Code>)
        where
            F: FnMut(&mut SqliteConnection) -> Outcome + Send + 'static,
        {
            let runs = Arc::<AtomicU32>::default();
            self.runs.push(Arc::clone(&runs));
            self.jobs.push(Box::new(Told {
                work,
                failure,
                runs,
            }));
        }

        fn writes(&mut self, name: &'static str, outcome: fn() -> Outcome) {
            self.job(move |conn| {
                insert(conn, name).expect("a row");
                outcome()
            });
        }

        /// Runs the group; how often each of its jobs ran.
        fn run(&mut self) -> Result<Vec<u32>> {
            let (mut jobs, runs) = (
                std::mem::take(&mut self.jobs),
                std::mem::take(&mut self.runs),
            );
            self.groups.run(&mut self.conn, &mut jobs)?;
            Ok(runs.iter().map(|one| one.load(Ordering::Relaxed)).collect())
        }

        fn names(&mut self) -> Vec<String> {
            #[derive(QueryableByName)]
            struct Row {
                #[diesel(sql_type = Text)]
                name: String,
            }
            let AnyConnection::Sqlite(conn) = &mut self.conn else {
                unreachable!("a file of SQLite")
            };
            let rows: Vec<Row> = diesel::sql_query("SELECT name FROM notes ORDER BY name")
                .load(conn)
                .expect("rows");
            rows.into_iter().map(|row| row.name).collect()
        }
    }

    fn insert(conn: &mut SqliteConnection, name: &str) -> QueryResult<usize> {
        diesel::sql_query("INSERT INTO notes VALUES (?)")
            .bind::<Text, _>(name)
            .execute(conn)
    }

    #[test]
    fn who_is_refused_before_writing_makes_nobody_run_again() {
        let mut bench = Bench::new();
        bench.writes("one", || Outcome::Keep);
        bench.job(|_| Outcome::Undo);
        bench.writes("two", || Outcome::Keep);
        assert_eq!(bench.run().expect("a commit"), [1, 1, 1]);
        assert_eq!(bench.names(), ["one", "two"]);
    }

    #[test]
    fn who_fails_after_writing_fails_alone() {
        let mut bench = Bench::new();
        bench.writes("one", || Outcome::Keep);
        bench.writes("bad", || Outcome::Undo);
        bench.writes("two", || Outcome::Keep);
        assert_eq!(bench.run().expect("a commit"), [2, 2, 1]);
        assert_eq!(bench.names(), ["one", "two"]);
    }

    #[test]
    fn who_is_refused_is_refused_by_what_the_commit_holds() {
        let mut bench = Bench::new();
        // Before it runs again another process takes what it wants.
        let mut is_free = true;
        bench.job(move |conn| {
            if !std::mem::replace(&mut is_free, false) {
                return Outcome::Undo;
            }
            insert(conn, "wanted").expect("a row");
            Outcome::Keep
        });
        bench.job(|conn| {
            insert(conn, "mine").expect("a row");
            match insert(conn, "wanted") {
                Ok(_) => Outcome::Keep,
                Err(_) => Outcome::Undo,
            }
        });
        assert_eq!(bench.run().expect("a commit"), [2, 2]);
        assert_eq!(bench.names(), ["mine", "wanted"]);
    }

    #[test]
    fn a_fault_after_writing_is_told_and_not_tried_again() {
        let mut bench = Bench::new();
        bench.writes("one", || Outcome::Keep);
        let work = |conn: &mut SqliteConnection| {
            insert(conn, "bad").expect("a row");
            Outcome::Undo
        };
        bench.told(work, Some(Code::Internal));
        bench.writes("two", || Outcome::Keep);
        assert_eq!(bench.run().expect("a commit"), [2, 1, 1]);
        assert_eq!(bench.names(), ["one", "two"]);
    }

    #[test]
    fn for_some_time_after_that_one_more_makes_nobody_run_again() {
        let mut bench = Bench::new();
        for group in 0..=CAREFUL {
            bench.job(|conn| {
                conn.batch_execute("INSERT OR REPLACE INTO notes VALUES ('good')")
                    .expect("a row");
                Outcome::Keep
            });
            bench.writes("bad", || Outcome::Undo);
            let wanted = if group == 0 { [2, 2] } else { [1, 1] };
            assert_eq!(bench.run().expect("a commit"), wanted, "{group}");
            assert_eq!(bench.names(), ["good"]);
        }
        // And then it is tried again.
        bench.job(|_| Outcome::Keep);
        bench.writes("bad", || Outcome::Undo);
        assert_eq!(bench.run().expect("a commit"), [2, 2]);
        assert_eq!(bench.names(), ["good"]);
    }

    #[test]
    fn who_has_to_run_again_does() {
        let mut bench = Bench::new();
        bench.writes("one", || Outcome::Keep);
        let mut clashes = 2;
        bench.job(move |conn| {
            insert(conn, "two").expect("a row");
            if clashes == 0 {
                return Outcome::Keep;
            }
            clashes -= 1;
            Outcome::Again
        });
        // Once with the other, twice behind a savepoint.
        assert_eq!(bench.run().expect("a commit"), [2, 3]);
        assert_eq!(bench.names(), ["one", "two"]);
    }

    #[test]
    fn where_sqlite_undoes_everything_the_others_stand() {
        let mut bench = Bench::new();
        bench.writes("one", || Outcome::Keep);
        let work = |conn: &mut SqliteConnection| {
            insert(conn, "full").expect_err("the trigger");
            Outcome::Undo
        };
        bench.told(work, Some(Code::Internal));
        bench.writes("two", || Outcome::Keep);
        assert_eq!(bench.run().expect("a commit"), [2, 1, 1]);
        assert_eq!(bench.names(), ["one", "two"]);
    }

    #[test]
    fn who_makes_light_of_it_has_nothing_committed_that_is_not_answered_so() {
        let mut bench = Bench::new();
        bench.writes("one", || Outcome::Keep);
        bench.job(|conn| {
            insert(conn, "full").expect_err("the trigger");
            Outcome::Keep
        });
        bench.writes("two", || Outcome::Keep);
        bench.run().expect_err("no transaction is left");
        assert_eq!(bench.names(), Vec::<String>::new());
    }

    #[test]
    fn a_failure_that_was_dealt_with_stands_like_any_write() {
        let mut bench = Bench::new();
        bench.writes("one", || Outcome::Keep);
        bench.job(|conn| {
            insert(conn, "one").expect_err("it is there");
            insert(conn, "other").expect("a row");
            Outcome::Keep
        });
        assert_eq!(bench.run().expect("a commit"), [2, 2]);
        assert_eq!(bench.names(), ["one", "other"]);
    }
}
