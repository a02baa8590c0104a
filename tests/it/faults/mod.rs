//! Faults under load: processes that are killed, a database that goes away, disks that are full,
//! instances that are exchanged. After each run a checker compares what clients were told with what
//! the database has; see docs/durability.md.
//!
//! The runs are short here. `scripts/faults` plays long ones: `JIANJIAN_FAULT_CLIENTS` clients (32),
//! `JIANJIAN_FAULT_ROUNDS` faults in a run (2).

mod check;
pub mod cluster;
mod controls;
mod expand;
mod facts;
mod history;
mod load;
mod rolling;
mod room;
mod service;

use std::time::{Duration, Instant};

use jianjian::clock::{Clock, SystemClock};
use jianjian::store::{DatabaseUrl, migrate, outbox, verify};

use crate::support::TestApp;
use crate::support::seed::Town;
use check::Verdict;
use cluster::Cluster;
use facts::{Facts, Sql};
use load::Load;
use service::Service;

/// A number that long runs set.
#[expect(clippy::disallowed_methods, reason = "a knob of these tests")]
fn knob(name: &str, usual: usize) -> usize {
    let wanted = std::env::var(name).ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn clients() -> usize {
    knob("JIANJIAN_FAULT_CLIENTS", 32)
}

fn rounds() -> usize {
    knob("JIANJIAN_FAULT_ROUNDS", 2)
}

/// The setting as the program takes it.
fn text(url: &DatabaseUrl) -> String {
    match url {
        DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
        DatabaseUrl::Postgres(url) => url.clone(),
    }
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
    let (started, end) = (Instant::now(), load.done.get() + more);
    while load.done.get() < end {
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "clients get nowhere"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The API is killed at some moment under load, again and again, and started anew: nothing that was
/// acknowledged is lost, nothing happens twice.
#[actix_web::test]
async fn the_api_is_killed_under_load() {
    let app = TestApp::start().await;
    let town = town(&app).await;
    let url = text(app.db().url());
    let mut service = Service::start(&url, app.storage());
    let address = service.address.clone();
    let load = Load::new(&app, &town, clients(), vec![address.clone()]);
    let slowest = load
        .run(async {
            let mut slowest = Duration::ZERO;
            for round in 0..rounds() {
                until_done(&load, 60 + round % 7 * 11).await;
                service.kill();
                let started = Instant::now();
                service = Service::start_on(&address, &url, app.storage());
                ready(&address, Duration::from_secs(20)).await;
                slowest = slowest.max(started.elapsed());
            }
            until_done(&load, 60).await;
            slowest
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
    controls::are_found(&load.history(), &facts);
}

/// Two instances get each request at the same time: one does it, the other gives the same answer.
#[actix_web::test]
async fn two_instances_do_each_request_once() {
    let app = TestApp::start().await;
    let town = town(&app).await;
    let url = text(app.db().url());
    let instances = [0, 1].map(|_| Service::start(&url, app.storage()));
    let addresses = instances.iter().map(|one| one.address.clone()).collect();
    let mut load = Load::plain(&app, &town, 8, addresses);
    load.twice = true;
    let wanted = 100 * rounds();
    load.run(until_done(&load, wanted)).await;
    let (verdict, _) = verdict(&app, &load).await;
    eprintln!("two instances: {verdict}");
    verdict.assert_clean();
    assert!(verdict.acknowledged >= wanted && verdict.double == 0);
}

/// Connections to the database are cut in a loop: 503 with Retry-After at most, and the service
/// heals by itself.
#[actix_web::test]
async fn connections_are_cut_under_load() {
    let app = TestApp::start().await;
    // SQLite is a library inside the process: it has no connection that could be cut.
    if !matches!(app.db().url(), DatabaseUrl::Postgres(_)) {
        return;
    }
    let town = town(&app).await;
    let url = text(app.db().url());
    let service = Service::start(&url, app.storage());
    let load = Load::new(&app, &town, clients(), vec![service.address.clone()]);
    let mut sql = Sql::open(app.db().url());
    let healed = load
        .run(async {
            until_done(&load, 30).await;
            for _ in 0..20 * rounds() {
                sql.words(
                    "SELECT pg_terminate_backend(pid)::text AS name FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid()",
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let healed = Instant::now();
            until_done(&load, 30).await;
            healed.elapsed()
        })
        .await;
    let (verdict, _) = verdict(&app, &load).await;
    eprintln!("cut connections, 30 writes {healed:?} later: {verdict}");
    verdict.assert_clean();
    assert_eq!(load.rude.get(), 0, "503 without Retry-After");
    assert!(
        !load.answers.borrow().contains_key(&500),
        "{:?}",
        load.answers
    );
    assert!(healed < Duration::from_secs(15), "{healed:?}");
}

/// The database server is killed with everything it started, and started again: meanwhile 503 with
/// Retry-After, then the same service goes on.
#[actix_web::test]
async fn postgres_is_killed_under_load() {
    if crate::support::database::server().is_none() {
        return;
    }
    let Some(cluster) = Cluster::start("fsync = on\nsynchronous_commit = on") else {
        eprintln!("the programs of PostgreSQL are not here: nothing to kill");
        return;
    };
    let url = DatabaseUrl::Postgres(cluster.url());
    migrate::run(&url).expect("to migrate");
    let app = TestApp::start_with(|config| config.database.url = url.clone()).await;
    let town = town(&app).await;
    let service = Service::start(&cluster.url(), app.storage());
    let load = Load::new(&app, &town, clients(), vec![service.address.clone()]);
    let slowest = load
        .run(async {
            let mut slowest = Duration::ZERO;
            for _ in 0..rounds() {
                until_done(&load, 60).await;
                cluster.kill();
                tokio::time::sleep(Duration::from_millis(500)).await;
                cluster.up();
                slowest = slowest.max(ready(&service.address, Duration::from_secs(10)).await);
            }
            until_done(&load, 60).await;
            slowest
        })
        .await;
    let (verdict, _) = verdict(&app, &load).await;
    let answers = load.answers.borrow().clone();
    eprintln!(
        "killed PostgreSQL {} times, serving within {slowest:?}, answers {answers:?}: {verdict}",
        rounds()
    );
    verdict.assert_clean();
    assert_eq!(load.rude.get(), 0, "503 without Retry-After");
    assert!(
        answers.contains_key(&503) && !answers.contains_key(&500),
        "{answers:?}"
    );
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

/// The positive control of the test above: a server that answers before its log is on the disk loses
/// what it acknowledged, and the checker says so.
#[actix_web::test]
async fn a_database_that_answers_too_early_is_found_out() {
    if crate::support::database::server().is_none() {
        return;
    }
    let forgetful = "fsync = on\nsynchronous_commit = off\nwal_writer_delay = 10s\n\
                     wal_writer_flush_after = 0";
    let Some(cluster) = Cluster::start(forgetful) else {
        eprintln!("the programs of PostgreSQL are not here: nothing to kill");
        return;
    };
    let url = DatabaseUrl::Postgres(cluster.url());
    migrate::run(&url).expect("to migrate");
    let app = TestApp::start_with(|config| config.database.url = url.clone()).await;
    let town = town(&app).await;
    // What the clients begin with is to be there afterwards.
    Sql::open(&url).run("CHECKPOINT");
    let service = Service::start(&cluster.url(), app.storage());
    let load = Load::new(&app, &town, clients(), vec![service.address.clone()]);
    load.run(async {
        until_done(&load, 60).await;
        cluster.kill();
        cluster.up();
    })
    .await;
    let (verdict, _) = verdict(&app, &load).await;
    eprintln!("a forgetful database: {verdict}");
    assert!(verdict.lost > 0, "{verdict}");
}
