//! The built program as a process of its own, which can be killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// `jianjian serve`; killed when dropped.
pub struct Service {
    child: Child,
    /// Where it listens, such as `127.0.0.1:4711`.
    pub address: String,
    log: Option<std::thread::JoinHandle<()>>,
}

impl Service {
    /// Starts it on a free port.
    pub fn start(database: &str, storage: &Path) -> Self {
        Self::start_on("127.0.0.1:0", database, storage)
    }

    /// Starts it on an address; waits until it listens.
    pub fn start_on(bind: &str, database: &str, storage: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_jianjian"))
            .args(["serve", "--bind", bind, "--workers", "2"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .current_dir(storage)
            .env_remove("JIANJIAN_CONFIG")
            .env("DATABASE_URL", database)
            .env("STORAGE_URL", storage)
            .env("JIANJIAN_LOG__FORMAT", "json")
            .env("JIANJIAN_LOG__LEVEL", "warn,jianjian::startup=info")
            .env("JIANJIAN_JOBS__LEASE_SECONDS", "2")
            .env("JIANJIAN_SERVER__SHUTDOWN_GRACE_SECONDS", "1")
            .spawn()
            .expect("to start");
        let mut log = BufReader::new(child.stderr.take().expect("the log"));
        let (mut line, mut all) = (String::new(), String::new());
        let address = loop {
            line.clear();
            let read = log.read_line(&mut line).expect("a line");
            all.push_str(&line);
            assert!(read > 0, "the service ended: {all}");
            let entry: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(address) = entry["address"].as_str() {
                break address.to_owned();
            }
        };
        // The service must not wait for somebody to read its log.
        let log = std::thread::spawn(move || {
            let _ = std::io::copy(&mut log, &mut std::io::sink());
        });
        Self {
            child,
            address,
            log: Some(log),
        }
    }

    /// Ends it without a word, as a power cut does.
    pub fn kill(mut self) {
        self.end();
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
