//! The built program as a process of its own, which can be killed.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use crate::support::served::{listening, program};

/// `jianjian serve`; killed when dropped.
pub struct Service {
    child: Child,
    /// Where it listens, such as `127.0.0.1:4711`.
    pub address: String,
    log: Option<std::thread::JoinHandle<()>>,
}

/// How an instance is started.
#[derive(Debug, Clone)]
pub struct Place {
    /// Where it listens.
    pub bind: String,
    /// Its database.
    pub database: String,
    /// Its directory.
    pub storage: PathBuf,
    /// Its setting `database.min_free_mib`.
    pub min_free_mib: u64,
    /// How long it is not ready before it stops.
    pub grace: Duration,
    /// The defect that it has, where it is built with the feature `seeded-defects`.
    pub defect: &'static str,
}

impl Place {
    /// An instance on a port of its own.
    pub fn new(database: &str, storage: &Path) -> Self {
        Self {
            bind: format!("127.0.0.1:{}", port()),
            database: database.to_owned(),
            storage: storage.to_owned(),
            min_free_mib: 64,
            grace: Duration::from_secs(1),
            defect: "",
        }
    }
}

/// A port that nobody listens on. It is none of those that the system gives to connections: while
/// the service is away, one of its clients could be given it, and would be connected to itself.
pub fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Processes of other runs begin elsewhere.
    let first = u16::try_from(std::process::id() % 8000).unwrap_or(0);
    loop {
        let port = 12_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 8000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Service {
    /// Starts it; returns when it listens. Clients go on meanwhile.
    pub async fn start(place: &Place) -> Self {
        let place = place.clone();
        tokio::task::spawn_blocking(move || Self::launch(&place))
            .await
            .expect("the service to start")
    }

    fn launch(place: &Place) -> Self {
        let mut child = Command::new(program())
            .args(["serve", "--bind", &place.bind, "--workers", "2"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .current_dir(&place.storage)
            .env_remove("JIANJIAN_CONFIG")
            .env("DATABASE_URL", &place.database)
            .env("STORAGE_URL", &place.storage)
            .env("JIANJIAN_LOG__FORMAT", "json")
            .env("JIANJIAN_LOG__LEVEL", "warn,jianjian::startup=info")
            .env("JIANJIAN_JOBS__LEASE_SECONDS", "2")
            .env(
                "JIANJIAN_SERVER__SHUTDOWN_GRACE_SECONDS",
                place.grace.as_secs().to_string(),
            )
            .env(
                "JIANJIAN_DATABASE__MIN_FREE_MIB",
                place.min_free_mib.to_string(),
            )
            // A few accounts do everything here.
            .env("JIANJIAN_LIMITS__READS", "0")
            .env("JIANJIAN_LIMITS__WRITES", "0")
            .env("JIANJIAN_LIMITS__PROBES", "0")
            .env("JIANJIAN_STORE_DEFECT", place.defect)
            .spawn()
            .expect("to start");
        let (address, log) = listening(&mut child);
        Self {
            child,
            address,
            log: Some(log),
        }
    }

    /// Ends it without a word, and starts another in its place.
    pub async fn crash(&mut self, place: &Place) {
        self.end();
        *self = Self::start(place).await;
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.expect("kill").success());
    }

    /// Waits until it has stopped; gives its exit status.
    pub async fn stopped(mut self) -> Option<i32> {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(40) {
            if let Some(status) = self.child.try_wait().expect("to wait") {
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the service did not stop");
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(log) = self.log.take() {
            let _ = log.join();
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.end();
    }
}
