//! The two doors to the database: [`Db::read`] and [`Db::write`].
//!
//! Both take a closure and run it on a thread that owns a connection; nothing else in the program
//! can reach one. A write is answered only after the commit that contains it.
//!
//! - On SQLite one writer thread opens `BEGIN IMMEDIATE`, runs the waiting closures one after the
//!   other, and commits once for all of them: concurrent writers share the cost of the disk, and one that
//!   fails is undone alone (`group.rs`).
//! - On PostgreSQL each writer thread runs one transaction at a time and runs it again, a few
//!   times, after a clash with another.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use tokio::sync::oneshot;

use super::checkpoint::Checkpoints;
use super::connection::{
    AnyConnection, DatabaseUrl, LOCK_WAIT, Purpose, Statements, open, per_backend,
};
use super::constraint::breaks_connection;
use super::group::Groups;
use super::room::{Limits, Room};
use crate::error::{Code, Error, Result};

/// How many writes may share one commit on SQLite.
const GROUP: usize = 64;
/// How often a transaction is run again after a clash.
pub(super) const ATTEMPTS: u32 = 6;
/// How long SQLite looks for the end of another process's transaction before it is asked again.
const GLANCE_MILLIS: u32 = 10;
/// How long a request waits for its answer.
const ANSWER_WAIT: Duration = Duration::from_secs(90);
/// How long a request waits for a free place in the queue.
const QUEUE_WAIT: Duration = Duration::from_secs(5);

/// Sizes of the sets of database threads.
#[derive(Debug, Clone, Copy)]
pub struct Threads {
    /// Threads that read.
    pub read: usize,
    /// Threads that write; always one on SQLite.
    pub write: usize,
    /// Requests that may wait for each set.
    pub queue: usize,
}

/// Writes that change nothing of accounts, sign-ins and what these depend on, and come again and again. All
/// others count as if they did.
pub const BESIDE_ACCOUNTS: &[&str] = &[
    Db::ACT,
    "audit.note",
    "auth.note",
    "jobs.claim",
    "jobs.collect",
    "jobs.wake_case",
    "limits.take",
    "outbox.publish",
];

impl Default for Threads {
    fn default() -> Self {
        Self {
            read: 4,
            write: 4,
            queue: 1024,
        }
    }
}

/// A place on the way of a closure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The caller asks for it.
    Asked,
    /// Its transaction has begun.
    Begun,
    /// It has succeeded, and nothing is committed yet.
    Done,
    /// The caller has the answer.
    Answered,
}

/// Is told of each closure at each place. Tests break in here; the program has none.
type Onlooker = Box<dyn Fn(&'static str, Point) + Send + Sync>;
type Onlookers = Arc<OnceLock<Onlooker>>;

fn tell(onlookers: &Onlookers, name: &'static str, point: Point) {
    if let Some(onlooker) = onlookers.get() {
        onlooker(name, point);
    }
}

/// The database.
#[derive(Clone)]
pub struct Db {
    url: DatabaseUrl,
    readers: async_channel::Sender<Box<dyn Job>>,
    writers: async_channel::Sender<Box<dyn Job>>,
    statements: Arc<Statements>,
    onlookers: Onlookers,
    room: Arc<Room>,
    generation: Arc<AtomicU64>,
}

/// What a closure works with: one connection inside one transaction.
pub struct Tx<'c> {
    pub(in crate::store) conn: &'c mut AnyConnection,
    discard: bool,
}

impl<'c> Tx<'c> {
    /// Over a transaction that somebody else begins and ends.
    pub(in crate::store) fn over(conn: &'c mut AnyConnection) -> Self {
        Self {
            conn,
            discard: false,
        }
    }
}

impl Tx<'_> {
    /// Rolls back at the end although the closure succeeds: for trial runs.
    pub fn discard(&mut self) {
        self.discard = true;
    }

    /// Gives back the memory in which SQLite keeps pages of the file, as far as they are not in use: for
    /// walks over much that nobody asks for soon.
    pub fn forget_pages(&mut self) -> Result<()> {
        match self.conn {
            AnyConnection::Sqlite(_) => execute(self.conn, "PRAGMA shrink_memory"),
            AnyConnection::Postgres(_) => Ok(()),
        }
    }

    /// Runs a part of the transaction behind a savepoint: what it wrote is undone if it is
    /// refused, and the rest stands. A fault of the service, or a clash after which the whole
    /// transaction has to run again, is an error of the whole.
    pub fn part<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<std::result::Result<T, Error>> {
        execute(self.conn, "SAVEPOINT part")?;
        match work(self) {
            Ok(value) => {
                execute(self.conn, "RELEASE SAVEPOINT part")?;
                Ok(Ok(value))
            }
            Err(error) if error.is_retryable() || error.code().status() >= 500 => Err(error),
            Err(error) => {
                execute(
                    self.conn,
                    "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part",
                )?;
                Ok(Err(error))
            }
        }
    }
}

/// What becomes of what a closure wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Keep what was written.
    Keep,
    /// Undo it; the answer stands.
    Undo,
    /// Undo it and run the closure again.
    Again,
}

/// A closure on its way to a database thread and its answer on the way back.
pub(super) trait Job: Send {
    fn run(&mut self, conn: &mut AnyConnection) -> Outcome;
    /// Replaces the answer: the closure never ran, or its commit failed.
    fn fail(&mut self, error: Error);
    /// Whether the answer says that the connection is not to be used again.
    fn broke_connection(&self) -> bool;
    /// What the answer says went wrong.
    fn failure(&self) -> Option<Code>;
    /// Whether the closure panicked: nothing that a new connection would mend.
    fn panicked(&self) -> bool;
    fn answer(self: Box<Self>);
}

struct Call<T, F> {
    name: &'static str,
    work: F,
    result: Option<Result<T>>,
    panicked: bool,
    reply: oneshot::Sender<Result<T>>,
    span: tracing::Span,
    onlookers: Onlookers,
    /// Where it is noted that accounts may have changed.
    generation: Option<Arc<AtomicU64>>,
}

impl<T: Send, F: FnMut(&mut Tx<'_>) -> Result<T> + Send> Job for Call<T, F> {
    fn run(&mut self, conn: &mut AnyConnection) -> Outcome {
        let _entered = self.span.clone().entered();
        let mut tx = Tx::over(conn);
        let (work, onlookers, name) = (&mut self.work, &self.onlookers, self.name);
        let result = catch_unwind(AssertUnwindSafe(|| {
            tell(onlookers, name, Point::Begun);
            let result = work(&mut tx);
            tell(onlookers, name, Point::Done);
            result
        }));
        let discard = tx.discard;
        self.panicked = result.is_err();
        let result = result.unwrap_or_else(|panic| {
            Err(Error::internal(format!(
                "{} panicked: {}",
                self.name,
                words(&*panic)
            )))
        });
        let outcome = match &result {
            Ok(_) if !discard => Outcome::Keep,
            Err(error) if error.is_retryable() => Outcome::Again,
            _ => Outcome::Undo,
        };
        self.result = Some(result);
        outcome
    }

    fn fail(&mut self, error: Error) {
        self.result = Some(Err(error));
    }

    fn broke_connection(&self) -> bool {
        matches!(&self.result, Some(Err(error)) if breaks_connection(error))
    }

    fn failure(&self) -> Option<Code> {
        match &self.result {
            Some(Err(error)) => Some(error.code()),
            _ => None,
        }
    }

    fn panicked(&self) -> bool {
        self.panicked
    }

    fn answer(self: Box<Self>) {
        let result = self
            .result
            .unwrap_or_else(|| Err(Error::internal("the job never ran")));
        // After the commit and before anybody knows of it.
        if let Some(generation) = self.generation {
            generation.fetch_add(1, Ordering::SeqCst);
        }
        // The caller may have gone away; the transaction stands all the same.
        let _ = self.reply.send(result);
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

impl Db {
    /// The name of an act on a case among writes.
    pub const ACT: &str = "http.act";

    /// Starts the database threads. The database must be migrated.
    pub fn start(url: DatabaseUrl, threads: Threads) -> Result<Self> {
        let statements = Arc::<Statements>::default();
        let write_threads = match url {
            DatabaseUrl::Sqlite(_) => 1,
            DatabaseUrl::Postgres(_) => threads.write.max(1),
        };
        let mut checkpoints = match url {
            DatabaseUrl::Sqlite(_) => Some(Checkpoints::start(url.clone())?),
            DatabaseUrl::Postgres(_) => None,
        };
        let mut spawn_all = |purpose: Purpose, count: usize| {
            let (sender, receiver) = async_channel::bounded::<Box<dyn Job>>(threads.queue.max(1));
            for number in 0..count {
                let mut worker = Worker {
                    url: url.clone(),
                    purpose,
                    conn: None,
                    statements: Arc::clone(&statements),
                    jobs: receiver.clone(),
                    checkpoints: match purpose {
                        Purpose::Write => checkpoints.take(),
                        Purpose::Read => None,
                    },
                    groups: Groups::default(),
                };
                std::thread::Builder::new()
                    .name(format!("db-{purpose:?}-{number}").to_lowercase())
                    .spawn(move || worker.work())
                    .map_err(|error| Error::internal(error).context("cannot start a thread"))?;
            }
            Ok::<_, Error>(sender)
        };
        let readers = spawn_all(Purpose::Read, threads.read.max(1))?;
        let writers = spawn_all(Purpose::Write, write_threads)?;
        Ok(Self {
            url,
            readers,
            writers,
            statements,
            onlookers: Onlookers::default(),
            room: Arc::default(),
            generation: Arc::default(),
        })
    }

    /// Lets somebody look on for as long as the service runs: the first who asks.
    pub fn watch(&self, onlooker: impl Fn(&'static str, Point) + Send + Sync + 'static) {
        // A second one is passed over.
        let _ = self.onlookers.set(Box::new(onlooker));
    }

    /// The same database, watched for the room that it has left.
    #[must_use]
    pub fn watched(self, limits: Limits) -> Self {
        Self {
            room: Arc::new(Room::new(limits)),
            ..self
        }
    }

    /// The room that is left, as it was measured last.
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// Where the data is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Statements sent so far, for budgets under test and metrics.
    pub fn statements(&self) -> u64 {
        self.statements.sent()
    }

    /// Lets somebody hear the text of each statement, without its values, for as long as the service
    /// runs: tests, of how the database would answer it.
    pub fn listen(&self, listener: impl Fn(&str) + Send + Sync + 'static) {
        self.statements.listen(Box::new(listener));
    }

    /// Another number after every write of this process that may have changed accounts, sign-ins, or what these
    /// depend on.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Jobs that wait for a thread: (reads, writes).
    pub fn waiting(&self) -> (usize, usize) {
        (self.readers.len(), self.writers.len())
    }

    /// Runs a closure that only reads.
    pub async fn read<T, F>(&self, name: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.send(&self.readers, name, None, work).await
    }

    /// Runs a closure in a transaction of its own. It may run more than once, so it must have no
    /// effect but through the [`Tx`]. Refused while there is little room left.
    pub async fn write<T, F>(&self, name: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        if self.room.is_low() {
            return Err(Error::new(Code::ReadOnly).context("little room is left"));
        }
        let changes = !BESIDE_ACCOUNTS.contains(&name);
        let generation = changes.then(|| Arc::clone(&self.generation));
        self.send(&self.writers, name, generation, work).await
    }
}

impl Db {
    async fn send<T, F>(
        &self,
        queue: &async_channel::Sender<Box<dyn Job>>,
        name: &'static str,
        generation: Option<Arc<AtomicU64>>,
        work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        tell(&self.onlookers, name, Point::Asked);
        let (reply, answer) = oneshot::channel();
        let call = Call {
            name,
            work,
            result: None,
            panicked: false,
            reply,
            span: tracing::Span::current(),
            onlookers: Arc::clone(&self.onlookers),
            generation,
        };
        match tokio::time::timeout(QUEUE_WAIT, queue.send(Box::new(call))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(Error::internal("the database threads are gone")),
            Err(_) => return Err(Error::new(Code::Busy).context("the database queue is full")),
        }
        let answer = tokio::time::timeout(ANSWER_WAIT, answer).await;
        tell(&self.onlookers, name, Point::Answered);
        match answer {
            Ok(answer) => answer.unwrap_or_else(|_| Err(Error::internal("a database thread died"))),
            // It may still happen: the client repeats it with the same key.
            Err(_) => Err(Error::new(Code::DatabaseUnavailable).context("no answer in time")),
        }
    }
}

/// A thread that owns a connection.
struct Worker {
    url: DatabaseUrl,
    purpose: Purpose,
    conn: Option<AnyConnection>,
    statements: Arc<Statements>,
    jobs: async_channel::Receiver<Box<dyn Job>>,
    /// Of the one that writes to SQLite.
    checkpoints: Option<Checkpoints>,
    groups: Groups,
}

impl Worker {
    fn work(&mut self) {
        let group = self.writes_in_groups();
        while let Ok(first) = self.jobs.recv_blocking() {
            if group {
                let mut jobs = vec![first];
                while jobs.len() < GROUP
                    && let Ok(next) = self.jobs.try_recv()
                {
                    jobs.push(next);
                }
                self.guarded(|worker| worker.run_group(jobs));
            } else {
                self.guarded(|worker| worker.run_single(first));
            }
        }
    }

    /// SQLite has one writer.
    fn writes_in_groups(&self) -> bool {
        self.purpose == Purpose::Write && matches!(self.url, DatabaseUrl::Sqlite(_))
    }

    /// The thread outlives whatever goes wrong outside a closure; the connection does not.
    fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            tracing::error!("a database thread panicked; its connection is given up");
            let conn = self.conn.take();
            let _ = catch_unwind(AssertUnwindSafe(|| drop(conn)));
        }
    }

    fn connection(&mut self) -> Result<&mut AnyConnection> {
        let conn = if let Some(conn) = self.conn.take() {
            conn
        } else {
            let mut conn = open(&self.url, self.purpose, &self.statements)?;
            if self.writes_in_groups() {
                execute(&mut conn, &format!("PRAGMA busy_timeout = {GLANCE_MILLIS}"))?;
            }
            conn
        };
        Ok(self.conn.insert(conn))
    }

    /// One job in a transaction of its own, again after a clash.
    fn run_single(&mut self, mut job: Box<dyn Job>) {
        for attempt in 1..=ATTEMPTS {
            let again = match self.attempt(&mut *job) {
                Ok(again) => again,
                Err(error) => {
                    // Nothing was committed, or the commit itself failed and is reported.
                    self.conn = None;
                    let again = error.is_retryable();
                    job.fail(error);
                    again
                }
            };
            if !again {
                break;
            }
            pause(attempt);
        }
        if job.broke_connection() {
            self.conn = None;
        }
        job.answer();
    }

    /// `Ok(true)` asks for another attempt.
    fn attempt(&mut self, job: &mut dyn Job) -> Result<bool> {
        let purpose = self.purpose;
        let fresh = self.conn.is_none();
        let conn = self.connection()?;
        // A PostgreSQL read is one or few statements, each its own snapshot: no round trips for
        // a transaction. SQLite gives a stable snapshot for nothing.
        if purpose == Purpose::Read && matches!(conn, AnyConnection::Postgres(_)) {
            let outcome = job.run(conn);
            // A connection that died while it was idle is found out here; a read can be repeated.
            // One that panicked would panic again.
            let stale = job.broke_connection() && !job.panicked() && !fresh;
            if stale {
                self.conn = None;
            }
            return Ok(stale || matches!(outcome, Outcome::Again));
        }
        if let Err(error) = execute(conn, "BEGIN") {
            // Nothing has run yet, so a connection that died while idle may simply be replaced.
            return if fresh {
                Err(error)
            } else {
                Err(error.retryable())
            };
        }
        let outcome = job.run(conn);
        match outcome {
            Outcome::Keep => {
                execute(conn, "COMMIT").map_err(|error| error.context("commit"))?;
                Ok(false)
            }
            Outcome::Undo | Outcome::Again => {
                if execute(conn, "ROLLBACK").is_err() {
                    self.conn = None;
                }
                Ok(matches!(outcome, Outcome::Again))
            }
        }
    }

    /// Several jobs in one transaction of SQLite.
    fn run_group(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        let committed = self.try_group(&mut jobs);
        if let Err(error) = committed {
            self.conn = None;
            for job in &mut jobs {
                job.fail(Error::new(error.code()).context(error.log_context().unwrap_or("commit")));
            }
        } else if let Some(checkpoints) = &self.checkpoints {
            checkpoints.written(jobs.len());
        }
        for job in jobs {
            job.answer();
        }
    }

    fn try_group(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<()> {
        let mut groups = std::mem::take(&mut self.groups);
        let done = self.connection().and_then(|conn| groups.run(conn, jobs));
        self.groups = groups;
        done
    }
}

/// Begins a transaction that writes, on SQLite. Left to itself the library looks ever more seldom
/// whether another process is done, ten times a second in the end, and finds the file locked each
/// time where that process writes without pause. So it is asked again and again.
pub(super) fn begin_immediate(conn: &mut AnyConnection) -> Result<()> {
    let started = Instant::now();
    loop {
        match execute(conn, "BEGIN IMMEDIATE") {
            Err(error) if error.code() == Code::Busy && started.elapsed() < LOCK_WAIT => {}
            begun => return begun,
        }
    }
}

pub(super) fn execute(conn: &mut AnyConnection, sql: &str) -> Result<()> {
    per_backend!(conn, c => c.batch_execute(sql)).map_err(Error::from)
}

/// Waits a little longer after each clash; the spread keeps two rivals from meeting again.
fn pause(attempt: u32) {
    let spread = uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 0, 0)).as_u128();
    let micros = (1 << attempt) * 500 + u64::try_from(spread % 2000).unwrap_or(0);
    #[expect(
        clippy::disallowed_methods,
        reason = "a database thread, never an async worker"
    )]
    std::thread::sleep(Duration::from_micros(micros));
}
