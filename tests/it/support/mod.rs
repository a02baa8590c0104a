//! What tests are made of: a service with a database of its own, and a client for it.

pub mod bulk;
pub mod clamd;
mod client;
pub mod contents;
pub mod database;
pub mod document;
pub mod everything;
pub mod files;
pub mod people;
pub mod provider;
pub mod receiver;
pub mod rounds;
pub mod rows;
pub mod second;
pub mod secrets;
pub mod seed;
pub mod served;
pub mod sides;
pub mod smtp;
pub mod sse;
pub mod steps;
pub mod story;
pub mod units;

use std::time::Duration;

use actix_web::dev::ServerHandle;
use jianjian::app::App;
use jianjian::clock::MockClock;
use jianjian::config::{Config, Sources};
use jianjian::error::Result;
use jianjian::files::Place;
use jianjian::startup;
use jianjian::store::{Db, Threads, Tx};
use tokio::sync::oneshot;

pub use client::{Client, Reply, Request};
use database::TestDatabase;

/// Whether an operation of the document wants a token.
pub fn wants_token(operation: &serde_json::Value) -> bool {
    let schemes = operation["security"].as_array().into_iter().flatten();
    let named = |scheme: &serde_json::Value| scheme.get("access_token").is_some();
    schemes.into_iter().any(named)
}

/// When every test starts, unless it moves the clock: a Monday, 09:00 in Beijing.
pub const START: &str = "2026-03-02T01:00:00Z";

/// A running service.
pub struct TestApp {
    /// The clock of the service.
    pub clock: MockClock,
    /// What its use cases work with.
    pub app: App,
    http: awc::Client,
    base: String,
    handle: ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
    storage: tempfile::TempDir,
    config: Config,
    // Last, so that the database goes after everything that uses it.
    database: TestDatabase,
}

/// A service in a thread of its own.
struct Launched {
    app: App,
    base: String,
    handle: ServerHandle,
    thread: std::thread::JoinHandle<()>,
}

async fn launch(config: Config, clock: MockClock) -> Launched {
    let (started, address) = oneshot::channel();
    // A system of its own, which stops in full before the test ends.
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let running = startup::build(config, std::sync::Arc::new(clock))
                .await
                .expect("to start");
            let parts = (running.port(), running.handle(), running.app().clone());
            // A test that was given up does not wait.
            let _ = started.send(parts);
            running.until_stopped().await.expect("to stop");
        });
    });
    let (port, handle, app) = address.await.expect("the service to start");
    Launched {
        app,
        base: format!("http://127.0.0.1:{port}"),
        handle,
        thread,
    }
}

impl TestApp {
    /// A service with an empty database.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A service with an empty database and changed settings.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::create();
        let mut config = Config::load(&Sources::default()).expect("the defaults");
        config.server.bind = "127.0.0.1:0".parse().expect("an address");
        config.server.workers = 1;
        config.server.shutdown_grace = Duration::ZERO;
        config.database.url = database.url().clone();
        config.database.threads = Threads {
            read: 2,
            write: 2,
            queue: 256,
        };
        config.database.migrate_on_start = false;
        // Tests move the clock and then say when the work is done.
        config.jobs.in_server = false;
        // The clock stands still, so a window never ends; tests of the limits set their own.
        config.limits.reads = 1_000_000;
        config.limits.writes = 1_000_000;
        config.limits.heavy = 1_000_000;
        config.limits.open = 1_000_000;
        config.limits.probes = 1_000_000;
        let storage = tempfile::tempdir().expect("a directory");
        config.storage.place = Place::Directory(storage.path().to_owned());
        // Cheap on purpose: real costs would make up most of the time of the tests.
        config.auth.argon2_memory_kib = 64;
        config.auth.argon2_iterations = 1;
        change(&mut config);
        let clock = MockClock::at(START.parse().expect("a moment"));
        let launched = launch(config.clone(), clock.clone()).await;
        Self {
            clock,
            app: launched.app,
            http: awc::Client::builder()
                .timeout(Duration::from_secs(30))
                .finish(),
            base: launched.base,
            handle: launched.handle,
            thread: Some(launched.thread),
            storage,
            config,
            database,
        }
    }

    /// Where the service listens, such as `http://127.0.0.1:4711`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Runs a closure that only reads.
    pub async fn read<T, F>(&self, work: F) -> T
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.app
            .db
            .read("test.read", work)
            .await
            .expect("the closure to succeed")
    }

    /// A client that sends this access token.
    pub fn client(&self, token: &str) -> Client {
        Client::new(self.http.clone(), self.base.clone(), Some(token.to_owned()))
    }

    /// A client of another instance.
    pub fn client_of(&self, base: &str, token: &str) -> Client {
        Client::new(self.http.clone(), base.to_owned(), Some(token.to_owned()))
    }

    /// A client without a token.
    pub fn anonymous(&self) -> Client {
        Client::new(self.http.clone(), self.base.clone(), None)
    }

    /// The OpenAPI document, as the service gives it.
    pub async fn openapi(&self) -> serde_json::Value {
        let document = self.anonymous().get("/openapi.json").send().await;
        document.status(200).json
    }

    /// Signs in, or is refused.
    pub async fn login(&self, town: &seed::Town, username: &str, password: &str) -> Reply {
        self.anonymous().login(town, username, password).await
    }

    /// A client of another process that serves the same database.
    pub fn client_at(http: &awc::Client, base: &str, token: Option<&str>) -> Client {
        Client::new(http.clone(), base.to_owned(), token.map(str::to_owned))
    }

    /// Does the work that is due now; gives how much there was.
    pub async fn work(&self) -> usize {
        jianjian::jobs::drain(&self.app).await.expect("to work")
    }

    /// The database of the service.
    pub fn db(&self) -> &Db {
        &self.app.db
    }

    /// The database itself, for what is no business of the service.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// The directory in which it keeps files, unless a test said otherwise.
    pub fn storage(&self) -> &std::path::Path {
        self.storage.path()
    }

    /// Runs a closure in a transaction, as the service does.
    pub async fn write<T, F>(&self, work: F) -> T
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.app
            .db
            .write("test.write", work)
            .await
            .expect("the closure to succeed")
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // The command is on its way as soon as the future is made; the thread ends with it.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the service panicked");
        }
    }
}
