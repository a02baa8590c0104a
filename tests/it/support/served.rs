//! The service as a process of its own, so that its memory can be measured.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;

use super::TestApp;

/// The program that long runs are played with: that of this build, or the one that
/// `JIANJIAN_TEST_PROGRAM` names, such as one that is built as it is shipped.
pub fn program() -> OsString {
    let own = || env!("CARGO_BIN_EXE_jianjian").into();
    std::env::var_os("JIANJIAN_TEST_PROGRAM").unwrap_or_else(own)
}

/// `jianjian serve` over the database of a test; killed when dropped. Its clock is the real one, and
/// passwords cost what they cost.
pub struct Served {
    child: Child,
    base: String,
}

impl Served {
    /// Starts one with these settings and waits until it listens.
    pub fn start(app: &TestApp, settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program());
        command
            .args(["serve", "--bind", "127.0.0.1:0", "--workers", "2"])
            .current_dir(app.storage())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .env_remove("JIANJIAN_CONFIG")
            .env("JIANJIAN_LOG__FORMAT", "json")
            .env("JIANJIAN_JOBS__IN_SERVER", "false")
            .env("DATABASE_URL", app.database().url_text())
            .env("STORAGE_URL", app.storage());
        for (name, value) in settings {
            command.env(name, value);
        }
        let mut child = command.spawn().expect("to start");
        let (address, _) = listening(&mut child);
        Self {
            child,
            base: format!("http://{address}"),
        }
    }

    /// Where it listens.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Its memory now, in KiB. What it took at most is counted from here.
    pub fn idle(&self) -> u64 {
        let counted = format!("/proc/{}/clear_refs", self.child.id());
        std::fs::write(counted, "5").expect("to reset the most memory");
        self.memory("VmRSS")
    }

    /// The most memory it had since [`Self::idle`], in KiB.
    pub fn most(&self) -> u64 {
        self.memory("VmHWM")
    }

    fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the status of the process");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.trim_matches(':').split_whitespace().next());
        number
            .and_then(|number| number.parse().ok())
            .expect("a number")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the log of a starting service, as JSON, up to the address at which it listens. The thread
/// reads the rest: the service must not wait for somebody who does.
pub fn listening(child: &mut Child) -> (String, JoinHandle<()>) {
    let mut log = BufReader::new(child.stderr.take().expect("the log"));
    let (mut line, mut all) = (String::new(), String::new());
    let address = loop {
        line.clear();
        let read = log.read_line(&mut line).expect("a line");
        all.push_str(&line);
        assert!(read > 0, "the service ended: {all}");
        let entry: Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(address) = entry["address"].as_str() {
            break address.to_owned();
        }
    };
    let rest = std::thread::spawn(move || {
        let _ = std::io::copy(&mut log, &mut std::io::sink());
    });
    (address, rest)
}
