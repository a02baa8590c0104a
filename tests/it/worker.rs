//! Workers beside each other, workers that die, work that fails: each effect happens once, nothing
//! is lost, and what cannot be done is shown to whoever looks after the installation.
//!
//! `JIANJIAN_JOBS=10000 cargo test --test it worker` plays with more cases than a usual run.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jianjian::jobs::kind::{JobKind, JobState, Lane};
use jianjian::store::events::{self, Circumstances, Happening, Stream};
use jianjian::store::jobs::{self, Claim, Wanted};
use jianjian::store::{outbox, verify};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::bulk;
use crate::support::seed::Town;
use crate::support::story::Story;

/// Cases of a usual run.
const CASES: usize = 1000;
/// Lease of the workers of these tests, in seconds.
const LEASE: i64 = 2;

#[expect(clippy::disallowed_methods, reason = "a knob of this test")]
fn cases() -> usize {
    let wanted = std::env::var("JIANJIAN_JOBS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(CASES)
}

/// `jianjian worker`; killed when dropped.
struct Worker(Child);

impl Worker {
    fn start(app: &TestApp) -> Self {
        Self(
            program(app, &["worker"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("to start"),
        )
    }

    /// Ends it without a word, as a power cut does.
    fn kill(mut self) {
        self.0.kill().expect("to kill");
        self.0.wait().expect("to wait");
    }

    /// Asks it to stop; gives its exit status.
    fn terminate(mut self) -> Option<i32> {
        let pid = self.0.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.expect("kill").success());
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.0.try_wait().expect("to wait") {
                return status.code();
            }
            pause(20);
        }
        panic!("the worker did not stop");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(app: &TestApp, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jianjian"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .current_dir(app.storage())
        .env_remove("JIANJIAN_CONFIG")
        .env("DATABASE_URL", app.database().url_text())
        .env("STORAGE_URL", app.storage())
        .env("JIANJIAN_JOBS__LEASE_SECONDS", LEASE.to_string());
    command
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test waits for other processes"
)]
fn pause(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}

/// Whatever is not as it has to be after every due case was handled once.
async fn wrongs(app: &TestApp, cases: usize) -> Vec<String> {
    let report = app.read(verify::run).await;
    let mut wrongs: Vec<_> = report.broken.iter().map(ToString::to_string).collect();
    let cases = i64::try_from(cases).expect("a number");
    let events = i64::try_from(report.events).expect("a number");
    for (what, sql, expected) in [
        (
            "effects",
            "SELECT count(*) AS n FROM events WHERE rule = 'AT08'",
            cases,
        ),
        (
            "cases with an effect",
            "SELECT count(DISTINCT stream_id) AS n FROM events WHERE rule = 'AT08'",
            cases,
        ),
        (
            "entries of the feed",
            "SELECT count(*) AS n FROM feed",
            events,
        ),
        (
            "the end of the feed",
            "SELECT max(position) AS n FROM feed",
            events,
        ),
        (
            "events published twice",
            "SELECT count(*) AS n FROM (SELECT 1 FROM feed GROUP BY stream_id, seq \
             HAVING count(*) > 1) twice",
            0,
        ),
        (
            "events published in the wrong order",
            "SELECT count(*) AS n FROM feed a JOIN feed b ON a.stream_id = b.stream_id \
             AND a.seq < b.seq AND a.position > b.position",
            0,
        ),
        (
            "rows accepted",
            "SELECT count(*) AS n FROM assignments WHERE status = 'accepted'",
            cases,
        ),
        (
            "desks that still ask for acceptance",
            "SELECT count(*) AS n FROM duties WHERE action = 'accept'",
            0,
        ),
        ("parcels", "SELECT count(*) AS n FROM outbox", 0),
        (
            "jobs",
            "SELECT count(*) AS n FROM jobs WHERE kind = 'wake_case'",
            0,
        ),
    ] {
        let found = app.database().number(sql);
        if found != expected {
            wrongs.push(format!("{what}: {found}, not {expected}"));
        }
    }
    wrongs
}

/// A town with `count` cases whose window to return lapsed at one moment.
async fn due_cases(app: &TestApp, count: usize) {
    let town = app.town().await;
    let mut case = Story::draft(app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    app.work().await;
    bulk::multiply(app.database(), count - 1);
    // Nothing but the window, and that is over by any clock.
    app.database()
        .execute("UPDATE clocks SET wake_at = NULL, woken = FALSE");
    app.database()
        .execute("UPDATE clocks SET wake_at = started_at, due_at = started_at WHERE kind = 'K05'");
}

fn accepted(app: &TestApp) -> usize {
    let sql = "SELECT count(*) AS n FROM assignments WHERE status = 'accepted'";
    usize::try_from(app.database().number(sql)).expect("a number")
}

/// Waits until so many cases are done; gives how long it took.
fn until(app: &TestApp, count: usize) -> Duration {
    let started = Instant::now();
    while accepted(app) < count {
        assert!(
            started.elapsed() < Duration::from_secs(300),
            "it takes too long"
        );
        pause(50);
    }
    started.elapsed()
}

/// What is still on its way after the last effect.
async fn settled(app: &TestApp) {
    let started = Instant::now();
    while app.read(outbox::depth).await > 0 {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "the outbox stays full"
        );
        pause(50);
    }
}

/// Two workers on one database; one is killed in the middle without a word. The other one does the
/// rest once the leases of the dead one end, and nothing happens twice. SIGTERM stops it in order.
#[actix_web::test]
async fn two_workers_do_everything_once_and_one_may_die() {
    let app = TestApp::start().await;
    let count = cases();
    due_cases(&app, count).await;
    let (one, other) = (Worker::start(&app), Worker::start(&app));
    let first = until(&app, count / 3);
    one.kill();
    let rest = until(&app, count);
    settled(&app).await;
    assert_eq!(wrongs(&app, count).await, [""; 0]);
    assert_eq!(other.terminate(), Some(0));
    eprintln!("{count} cases: a third in {first:?}, the rest in {rest:?}");
    // The checker sees an event that is missing in the feed, and an effect that happened twice.
    app.database().lift_guards();
    app.database()
        .execute("DELETE FROM feed WHERE position = 3");
    let seen = wrongs(&app, count).await;
    let lacks = |what: &str| seen.iter().any(|wrong| wrong.starts_with(what));
    assert!(lacks("entries of the feed"), "{seen:?}");
    app.database()
        .execute("UPDATE events SET rule = 'AT08' WHERE rule = 'PT19'");
    let seen = wrongs(&app, count).await;
    let twice = |what: &str| seen.iter().any(|wrong| wrong.starts_with(what));
    assert!(twice("effects") && twice("proposal"), "{seen:?}");
}

/// A job that takes the lease and works on after it has lost it changes nothing: effect and end
/// are one transaction. The broken variant, in which they are two, is found by the same count.
#[actix_web::test]
async fn an_effect_with_its_end_in_another_transaction_would_be_found() {
    let app = TestApp::start().await;
    let town = app.town().await;
    app.work().await;
    for (key, whole, expected) in [("whole", true, 1), ("torn", false, 2)] {
        want(&app, &town, key).await;
        // Dies between the effect and the end.
        let claim = take(&app).await;
        if whole {
            let stale = claim.clone();
            let died = app
                .app
                .db
                .write("test.died", move |tx| {
                    effect(tx, &stale)?;
                    Err::<(), _>(jianjian::error::Error::internal("killed"))
                })
                .await;
            assert!(died.is_err());
        } else {
            let stale = claim.clone();
            app.write(move |tx| effect(tx, &stale)).await;
        }
        app.clock.advance(SignedDuration::from_secs(LEASE + 60));
        let next = take(&app).await;
        assert_eq!((next.job.id, next.job.attempts), (claim.job.id, 2));
        let held = next.clone();
        app.write(move |tx| {
            effect(tx, &held)?;
            jobs::finish(tx, &held)
        })
        .await;
        // The first worker comes back to life: it holds nothing any more.
        let stale = claim.clone();
        let late = app
            .app
            .db
            .write("test.late", move |tx| {
                effect(tx, &stale)?;
                jobs::finish(tx, &stale)
            })
            .await;
        assert!(late.is_err(), "the lease is lost");
        let stream = Stream::of(town.committee, "test", claim.job.id);
        let happened = app
            .read(move |tx| events::list(tx, &stream, 0, 10))
            .await
            .len();
        assert_eq!(happened, expected, "{key}");
    }
}

async fn want(app: &TestApp, town: &Town, key: &str) {
    let now = app.clock_now();
    let wanted = Wanted {
        committee: town.committee,
        kind: JobKind::WakeCase,
        key: key.to_owned(),
        payload: Value::Null,
        at: now,
    };
    app.write(move |tx| jobs::want(tx, &wanted, now)).await;
}

async fn take(app: &TestApp) -> Claim {
    let now = app.clock_now();
    let lease = SignedDuration::from_secs(LEASE);
    let mut claims = app
        .write(move |tx| jobs::claim(tx, Lane::Cases, 10, now, lease))
        .await;
    assert_eq!(claims.len(), 1);
    claims.remove(0)
}

fn effect(tx: &mut jianjian::store::Tx<'_>, claim: &Claim) -> jianjian::error::Result<()> {
    let stream = Stream::of(claim.job.committee_id, "test", claim.job.id);
    let happening = Happening {
        name: "test.happened".to_owned(),
        rule: None,
        content: Value::Null,
    };
    let by = Circumstances::system(claim.job.created_at.0);
    events::append(tx, &stream, &by, happening)
}

/// What is wanted while it is done is done once more; what is wanted twice meanwhile, at the
/// earlier moment; what another worker holds is not taken.
#[actix_web::test]
async fn what_is_wanted_while_it_is_done_is_done_again() {
    let app = TestApp::start().await;
    let town = app.town().await;
    app.work().await;
    want(&app, &town, "case").await;
    let claim = take(&app).await;
    want(&app, &town, "case").await;
    let (now, lease) = (app.clock_now(), SignedDuration::from_secs(LEASE));
    let nothing = app
        .write(move |tx| jobs::claim(tx, Lane::Cases, 10, now, lease))
        .await;
    assert!(nothing.is_empty(), "it is held");
    app.write(move |tx| jobs::finish(tx, &claim)).await;
    let again = take(&app).await;
    assert_eq!(again.job.attempts, 1, "as if for the first time");
    app.write(move |tx| jobs::finish(tx, &again)).await;
    assert_eq!(listed(&app, &town, "kind=wake_case").await.len(), 0);
}

async fn listed(app: &TestApp, town: &Town, query: &str) -> Vec<Value> {
    let client = app.signed_in(town, &town.administrator);
    let page = client
        .get(&format!("/api/v1/jobs?{query}"))
        .send()
        .await
        .status(200);
    page.json["items"].as_array().expect("items").clone()
}

/// Work that always fails comes back less and less often and is then given up; the administrator
/// sees it, without what it carries, and tries it again, here and on the command line.
#[actix_web::test]
async fn what_always_fails_is_given_up_and_can_be_tried_again() {
    let app = TestApp::start().await;
    let town = app.town().await;
    app.work().await;
    want(&app, &town, "no such case").await;
    let mut pauses = Vec::new();
    for attempt in 1..=JobKind::WakeCase.retry().attempts() {
        app.work().await;
        let job = listed(&app, &town, "kind=wake_case").await.remove(0);
        assert_eq!(job["attempts"], attempt);
        assert!(job["last_error"].is_string() && job["payload"].is_null());
        if job["state"] == "dead" {
            break;
        }
        assert_eq!(job["state"], "waiting");
        let run_at: jiff::Timestamp = job["run_at"]
            .as_str()
            .expect("a moment")
            .parse()
            .expect("one");
        pauses.push(run_at.duration_since(app.clock_now()).as_secs());
        app.clock.set(run_at);
    }
    assert!(pauses.len() > 3 && pauses.is_sorted(), "{pauses:?}");
    assert_eq!(app.work().await, 0, "nobody tries it any more");
    let dead = listed(&app, &town, "state=dead").await.remove(0);
    let path = format!("/api/v1/jobs/{}", dead["id"].as_str().expect("an id"));
    let staff = app.signed_in(&town, &town.staff);
    staff.get("/api/v1/jobs").send().await.status(403);
    staff.get(&path).send().await.status(403);
    let admin = app.signed_in(&town, &town.administrator);
    let seen = admin.get(&path).send().await.status(200);
    let retry = format!("{path}/actions/retry");
    admin.post(&retry).json(json!({})).send().await.status(428);
    admin
        .post(&retry)
        .if_match(1)
        .json(json!({}))
        .send()
        .await
        .status(412);
    staff.post(&retry).json(json!({})).send().await.status(403);
    let other = app.town_called("hezhou").await;
    let stranger = app.signed_in(&other, &other.administrator);
    stranger.get(&path).send().await.status(404);
    let revived = admin
        .post(&retry)
        .if_match(seen.version())
        .json(json!({}))
        .send()
        .await
        .status(200);
    assert_eq!(revived.json["state"], "waiting");
    assert_eq!(revived.json["attempts"], 0);
    let refused = admin
        .post(&retry)
        .header("If-Match", "*")
        .json(json!({}))
        .send()
        .await
        .status(409);
    refused.code("state-conflict");

    // The workers of the program fail with it, too; then it is tried again from the command line.
    app.database()
        .execute("UPDATE jobs SET dead_at = created_at, attempts = 8 WHERE kind = 'wake_case'");
    let shown = program(&app, &["jobs", "list", "--state", "dead"])
        .output()
        .expect("to run");
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(
        shown.status.success() && text.contains("no such case"),
        "{text}"
    );
    let done = program(&app, &["jobs", "retry", "--all"])
        .output()
        .expect("to run");
    assert!(String::from_utf8_lossy(&done.stdout).starts_with("1 jobs"));
    let state = listed(&app, &town, "kind=wake_case").await[0]["state"].clone();
    assert_eq!(state, JobState::Waiting.as_str());
}

/// A job whose workers die of it each time is given up at last.
#[actix_web::test]
async fn what_kills_its_workers_is_given_up() {
    let app = TestApp::start().await;
    let town = app.town().await;
    app.work().await;
    want(&app, &town, "poison").await;
    for _ in 0..JobKind::WakeCase.retry().attempts() {
        take(&app).await;
        app.clock.advance(SignedDuration::from_secs(LEASE + 1));
    }
    app.work().await;
    let dead = listed(&app, &town, "state=dead&count=true").await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0]["key"], "poison");
}

/// Metrics tell how much waits; they ask the database once in five seconds at most.
#[actix_web::test]
async fn metrics_show_the_queue_and_spare_the_database() {
    let app = TestApp::start().await;
    let town = app.town().await;
    app.work().await;
    want(&app, &town, "no such case").await;
    app.work().await;
    let metrics = app.anonymous().get("/metrics").send().await.status(200);
    let text = String::from_utf8_lossy(&metrics.body).into_owned();
    for line in [
        "jianjian_jobs{kind=\"wake_case\",state=\"waiting\"} 1",
        "jianjian_jobs_total{kind=\"wake_case\",outcome=\"failed\"} 1",
        "jianjian_outbox 0",
        "jianjian_outbox_age_seconds 0",
        "jianjian_jobs_due_age_seconds 0",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let before = app.db().statements();
    for _ in 0..5 {
        app.anonymous().get("/metrics").send().await.status(200);
    }
    assert_eq!(app.db().statements(), before);
}
