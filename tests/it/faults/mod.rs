//! Faults under load: processes that are killed, a database that goes away, disks that are full,
//! instances that are exchanged. After each run a checker compares what clients were told with what
//! the database has; see docs/durability.md.
//!
//! The runs are short here. `scripts/faults` plays long ones: `JIANJIAN_FAULT_CLIENTS` clients (12),
//! `JIANJIAN_FAULT_ROUNDS` faults in a run (2).

mod check;
pub mod cluster;
mod controls;
mod expand;
mod facts;
mod history;
mod load;
mod postgres;
mod rolling;
mod room;
#[cfg(feature = "seeded-defects")]
mod seeded;
mod service;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use jianjian::clock::{Clock, SystemClock};
use jianjian::store::{DatabaseUrl, outbox, verify};
use tokio::sync::{Mutex, MutexGuard};

use crate::support::TestApp;
use crate::support::seed::Town;
use check::Verdict;
use facts::{Facts, Sql};
use load::Load;
use service::{Place, Service};

/// A number that long runs set.
#[expect(clippy::disallowed_methods, reason = "a knob of these tests")]
fn knob(name: &str, usual: usize) -> usize {
    let wanted = std::env::var(name).ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Few enough that a short run brings their cases to the close.
fn clients() -> usize {
    knob("JIANJIAN_FAULT_CLIENTS", 12)
}

fn rounds() -> usize {
    knob("JIANJIAN_FAULT_ROUNDS", 2)
}

/// One of these runs at a time: each measures how fast something is back.
async fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

/// Says what was left out, and why.
#[expect(clippy::print_stderr, reason = "for whoever reads the output of a run")]
fn note(words: &str) {
    eprintln!("{words}");
}

/// The setting as the program takes it.
fn text(url: &DatabaseUrl) -> String {
    match url {
        DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
        DatabaseUrl::Postgres(url) => url.clone(),
    }
}

/// An instance beside the one of the test, on the same database and directory.
fn place(app: &TestApp) -> Place {
    Place::new(&text(app.db().url()), app.storage())
}

/// A town that lives now: processes of these tests go by the clock of the machine.
async fn town(app: &TestApp) -> Town {
    app.clock.set(SystemClock.now());
    let town = app.town().await;
    let mut sql = Sql::open(app.db().url());
    sql.run("UPDATE terms SET ends_on = '2199-01-09'");
    sql.run(
        "UPDATE sessions SET deadline_at = '2198-03-03T12:00:00.000000Z', ends_on = '2198-03-06', \
         examination_until = '2198-03-20'",
    );
    town
}

/// Everything that was acknowledged is there once, and nothing else, when the dust has settled.
async fn verdict(app: &TestApp, load: &Load<'_>) -> (Verdict, Facts) {
    let started = Instant::now();
    while app.read(outbox::depth).await > 0 {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the outbox stays full"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let facts = facts::read(app.db().url());
    let mut verdict = check::check(&load.history(), &facts);
    let chains = app.read(verify::run).await;
    verdict.wrongs.extend(
        chains
            .broken
            .iter()
            .map(|broken| format!("chain: {broken}")),
    );
    (verdict, facts)
}

/// Waits for the answer that the service is ready; gives how long it took.
async fn ready(address: &str, within: Duration) -> Duration {
    let http = awc::Client::builder()
        .timeout(Duration::from_secs(5))
        .finish();
    let started = Instant::now();
    loop {
        let asked = http
            .get(format!("http://{address}/health/ready"))
            .send()
            .await;
        if asked.is_ok_and(|answer| answer.status() == 200) {
            return started.elapsed();
        }
        assert!(started.elapsed() < within, "not ready after {within:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Lets clients work until so many more writes are done.
async fn until_done(load: &Load<'_>, more: usize) {
    let end = load.done.get() + more;
    let (mut last, mut moved) = (load.done.get(), Instant::now());
    while load.done.get() < end {
        if last != load.done.get() {
            (last, moved) = (load.done.get(), Instant::now());
        }
        assert!(
            moved.elapsed() < Duration::from_secs(60),
            "clients get nowhere"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The API is killed at some moment under load, again and again, and started anew: nothing that was
/// acknowledged is lost, nothing happens twice.
#[actix_web::test]
async fn the_api_is_killed_under_load() {
    let _turn = turn().await;
    let app = TestApp::start().await;
    let town = town(&app).await;
    let place = place(&app);
    let mut service = Service::start(&place).await;
    let load = Load::new(&app, &town, clients(), vec![place.bind.clone()]);
    let (slowest, older) = load
        .run(async {
            let (mut slowest, mut older) = (Duration::ZERO, None);
            for round in 0..rounds() {
                until_done(&load, 60 + round % 7 * 11).await;
                let started = Instant::now();
                service.crash(&place).await;
                ready(&place.bind, Duration::from_secs(20)).await;
                slowest = slowest.max(started.elapsed());
                older = older.or_else(|| copy(&app));
            }
            until_done(&load, 60).await;
            (slowest, older)
        })
        .await;
    let (verdict, facts) = verdict(&app, &load).await;
    let limit = Duration::from_millis(knob("JIANJIAN_FAULT_READY_MILLIS", 15_000) as u64);
    eprintln!(
        "killed the API {} times, ready again within {slowest:?}: {verdict}",
        rounds()
    );
    verdict.assert_clean();
    assert!(verdict.acknowledged > 100 && slowest < limit, "{slowest:?}");
    let history = load.history();
    let acts = history.acts();
    assert!(acts.len() > 8, "cases did not get far: {acts:?}");
    controls::are_found(&history, &facts);
    // What a disk that forgot the rest would have left.
    if let Some(older) = older {
        let verdict = check::check(&history, &facts::read(&older));
        assert!(verdict.lost > 50, "{verdict}");
    }
}

/// The database as it is now, where it is a file.
fn copy(app: &TestApp) -> Option<DatabaseUrl> {
    let DatabaseUrl::Sqlite(_) = app.db().url() else {
        return None;
    };
    let file: PathBuf = app.storage().join("older.db");
    Sql::open(app.db().url()).run(&format!("VACUUM INTO '{}'", file.display()));
    Some(DatabaseUrl::Sqlite(file))
}

/// Two instances get each request at the same time: one does it, the other gives the same answer.
#[actix_web::test]
async fn two_instances_do_each_request_once() {
    let _turn = turn().await;
    let app = TestApp::start().await;
    let town = town(&app).await;
    let places = [place(&app), place(&app)];
    let [one, other] = &places;
    let starting = (Service::start(one), Service::start(other));
    let _instances = futures_util::future::join(starting.0, starting.1).await;
    let addresses = places.iter().map(|place| place.bind.clone()).collect();
    let mut load = Load::plain(&app, &town, 8, addresses);
    load.twice = true;
    let wanted = 60 * rounds();
    load.run(until_done(&load, wanted)).await;
    let (verdict, _) = verdict(&app, &load).await;
    eprintln!("two instances: {verdict}");
    verdict.assert_clean();
    assert!(verdict.acknowledged >= wanted, "{verdict}");
}
