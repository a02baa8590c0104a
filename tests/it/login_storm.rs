//! Very many people sign in at once, at the real cost of a password: memory stays bounded, reads go
//! on, and whoever cannot be served in time is told so at once.
//!
//! `scripts/storm` plays with 2,000 at once and the queue of the default settings;
//! `JIANJIAN_STORM=N` with N.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_web::rt::spawn;
use jianjian::auth::password::{HashParams, Passwords};
use jianjian::store::DatabaseUrl;
use serde_json::{Value, json};

use crate::support::seed::{PASSWORD, Town};
use crate::support::{Reply, TestApp};

/// Sign-ins at once of a usual run.
const USUAL: usize = 200;
/// Passwords that may wait to be hashed in a usual run.
const USUAL_QUEUE: &str = "32";
/// By so much the memory may grow, in KiB.
const GROWTH: u64 = 256 * 1024;

#[expect(clippy::disallowed_methods, reason = "a knob of this test")]
fn wanted() -> Option<usize> {
    std::env::var("JIANJIAN_STORM").ok()?.parse().ok()
}

/// The service as a process of its own, with passwords at their real cost; killed when dropped.
struct Served {
    child: Child,
    base: String,
}

impl Served {
    fn start(app: &TestApp, queue: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jianjian"));
        command
            .args(["serve", "--bind", "127.0.0.1:0", "--workers", "2"])
            .current_dir(app.storage())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .env_remove("JIANJIAN_CONFIG")
            .env("JIANJIAN_LOG__FORMAT", "json")
            .env("JIANJIAN_JOBS__IN_SERVER", "false")
            // The clock of this process is the real one, and so are the addresses.
            .env("JIANJIAN_AUTH__ADDRESS_REFUSALS", "0")
            .env("DATABASE_URL", app.database().url_text());
        if let Some(queue) = queue {
            command.env("JIANJIAN_AUTH__QUEUE", queue);
        }
        let mut child = command.spawn().expect("to start");
        let mut log = BufReader::new(child.stderr.take().expect("the log"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(
                log.read_line(&mut line).expect("a line") > 0,
                "the service ended"
            );
            let entry: Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(address) = entry["address"].as_str() {
                break address.to_owned();
            }
        };
        // The service must not wait for somebody to read its log.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self {
            child,
            base: format!("http://{address}"),
        }
    }

    /// A value of `/proc/PID/status` in KiB: `VmRSS` is the memory now, `VmHWM` the most so far.
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

/// So many accounts beside those of the town, whose password costs what it costs.
fn crowd(app: &TestApp, count: usize) {
    let passwords = Passwords::new(HashParams::default()).expect("costs");
    let hash = passwords.hash_blocking(PASSWORD).expect("a hash");
    let id = match app.db().url() {
        DatabaseUrl::Sqlite(_) => "unhex(substr(hex(u.id), 1, 24) || printf('%08X', s.n))",
        DatabaseUrl::Postgres(_) => {
            "(substr(replace(u.id::text, '-', ''), 1, 24) || lpad(to_hex(s.n), 8, '0'))::uuid"
        }
    };
    app.database().execute(&format!(
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) \
         INSERT INTO users (committee_id, id, username, display_name, password_hash, \
         must_change_password, disabled, version, created_at, updated_at, machine) \
         SELECT u.committee_id, {id}, 'storm' || s.n, u.display_name, '{hash}', \
         u.must_change_password, u.disabled, 1, u.created_at, u.updated_at, u.machine \
         FROM users u, s WHERE u.username = 'staff'"
    ));
    app.database()
        .execute(&format!("UPDATE users SET password_hash = '{hash}'"));
}

fn body(town: &Town, username: &str) -> Value {
    json!({ "committee": town.code, "username": username, "password": PASSWORD })
}

/// The 99th percentile.
fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times
        .get(times.len() * 99 / 100)
        .copied()
        .unwrap_or_default()
}

/// Reads a list again and again until it is over; gives how long each took.
async fn read_on(base: &str, token: &str, over: &AtomicBool) -> Vec<Duration> {
    let http = awc::Client::builder()
        .timeout(Duration::from_secs(30))
        .finish();
    let mut times = Vec::new();
    while !over.load(Ordering::SeqCst) {
        let started = Instant::now();
        let request = http.get(format!("{base}/api/v1/units")).bearer_auth(token);
        let mut reply = request.send().await.expect("an answer");
        assert_eq!(reply.status(), 200);
        reply.body().await.expect("a body");
        times.push(started.elapsed());
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    times
}

#[actix_web::test]
async fn a_storm_of_sign_ins_is_bounded_and_reads_go_on() {
    let count = wanted().unwrap_or(USUAL);
    let app = TestApp::start().await;
    let town = app.town().await;
    crowd(&app, count);
    let served = Served::start(&app, wanted().is_none().then_some(USUAL_QUEUE));
    let http = awc::Client::builder()
        .timeout(Duration::from_secs(120))
        .connector(
            awc::Connector::new()
                .limit(0)
                .timeout(Duration::from_secs(60)),
        )
        .finish();
    let client = TestApp::client_at(&http, &served.base, None);
    let first = client
        .post("/api/v1/auth/login")
        .json(body(&town, "staff"))
        .send()
        .await;
    let token = first.status(200).text("/access_token");
    let quiet = {
        let over = AtomicBool::new(false);
        let calm = read_on(&served.base, &token, &over);
        let pause = actix_web::rt::time::sleep(Duration::from_millis(600));
        let stop = async {
            pause.await;
            over.store(true, Ordering::SeqCst);
        };
        futures_util::future::join(calm, stop).await.0
    };
    let idle = served.memory("VmRSS");

    let over = Arc::new(AtomicBool::new(false));
    // In a thread of its own: the crowd of this one must not count as slowness of the service.
    let reads = {
        let (over, base, token) = (Arc::clone(&over), served.base.clone(), token.clone());
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(read_on(&base, &token, &over))
        })
    };
    let started = Instant::now();
    let tasks: Vec<_> = (1..=count)
        .map(|number| {
            let request = client.post("/api/v1/auth/login");
            spawn(request.json(body(&town, &format!("storm{number}"))).send())
        })
        .collect();
    let mut answers: BTreeMap<u16, usize> = BTreeMap::new();
    for task in tasks {
        let reply: Reply = task.await.expect("an answer");
        *answers.entry(reply.status).or_default() += 1;
        if reply.status != 200 {
            let reply = reply.status(503).code("busy");
            assert!(!reply.text_header("retry-after").is_empty(), "{reply}");
        }
    }
    let took = started.elapsed();
    over.store(true, Ordering::SeqCst);
    let times = reads.join().expect("reads");
    let (most, number) = (served.memory("VmHWM"), times.len());
    let (calm, busy) = (p99(quiet), p99(times));
    let told = format!(
        "{count} sign-ins in {took:?}: {answers:?}; memory {idle} KiB, at most {most} KiB; \
         {number} reads meanwhile, p99 {busy:?} (idle {calm:?})"
    );
    tell(&told);
    let served_sign_ins = answers.get(&200).copied().unwrap_or(0);
    assert!(served_sign_ins >= 30, "{told}");
    assert!(answers.contains_key(&503), "{told}");
    assert!(most <= idle + GROWTH, "{told}");
    assert!(number >= 10 && busy <= Duration::from_secs(2), "{told}");
    // Whoever was told to come back can.
    let again = client
        .post("/api/v1/auth/login")
        .json(body(&town, "storm1"))
        .send()
        .await;
    again.status(200);
}

#[expect(clippy::print_stderr, reason = "figures for whoever runs it by hand")]
fn tell(text: &str) {
    eprintln!("{text}");
}
