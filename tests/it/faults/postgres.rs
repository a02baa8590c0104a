//! A PostgreSQL server that is killed, that forgets, and that cuts its connections.

use std::time::{Duration, Instant};

use jianjian::store::migrate;

use super::cluster::Cluster;
use super::facts::Sql;
use super::load::Load;
use super::service::Service;
use super::{clients, note, place, ready, rounds, town, turn, until_done, verdict};
use crate::support::TestApp;
use crate::support::database;

/// A service on a server of the test's own; `None` where tests run on SQLite, or its programs are
/// not there.
///
/// A process that is killed takes nothing along that it gave to the kernel, flushed or not; so only
/// long runs pay for flushing a thousand files at every start.
async fn on_a_cluster(commit: &str) -> Option<(Cluster, TestApp)> {
    database::server()?;
    let fsync = if rounds() > 2 { "on" } else { "off" };
    let settings = format!("fsync = {fsync}\nsynchronous_commit = {commit}\nwal_buffers = 16MB");
    let Some(cluster) = Cluster::start(&settings).await else {
        note("the programs of PostgreSQL are not here: nothing to kill");
        return None;
    };
    let url = cluster.url();
    migrate::run(&url).expect("to migrate");
    let app = TestApp::start_with(|config| config.database.url = url).await;
    Some((cluster, app))
}

/// From now on nobody writes the log but those who wait for it. What the clients begin with is on
/// the disk.
async fn hold_log_writer(cluster: &Cluster) {
    Sql::open(&cluster.url()).run("CHECKPOINT");
    // It has nothing to do, so it holds nothing that others need.
    tokio::time::sleep(Duration::from_millis(500)).await;
    cluster.hold_log_writer();
}

/// The database server is killed with everything it started, and started again: meanwhile 503 with
/// Retry-After, then the same service goes on.
#[actix_web::test]
async fn postgres_is_killed_under_load() {
    let _turn = turn().await;
    let Some((cluster, app)) = on_a_cluster("on").await else {
        return;
    };
    let town = town(&app).await;
    let place = place(&app);
    let _service = Service::start(&place).await;
    let load = Load::new(&app, &town, clients(), vec![place.bind.clone()]);
    // As in the test below.
    hold_log_writer(&cluster).await;
    let slowest = load
        .run(async {
            let mut slowest = Duration::ZERO;
            for round in 0..rounds() {
                until_done(&load, 60 + round % 7 * 11).await;
                cluster.kill();
                tokio::time::sleep(Duration::from_millis(500)).await;
                cluster.up().await;
                slowest = slowest.max(ready(&place.bind, Duration::from_secs(10)).await);
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

/// The positive control of the test above: a server that answers before its log is written loses
/// what it acknowledged, and the checker says so.
#[actix_web::test]
async fn a_database_that_answers_too_early_is_found_out() {
    let _turn = turn().await;
    let Some((cluster, app)) = on_a_cluster("off").await else {
        return;
    };
    let town = town(&app).await;
    let place = place(&app);
    let _service = Service::start(&place).await;
    let load = Load::new(&app, &town, clients(), vec![place.bind.clone()]);
    hold_log_writer(&cluster).await;
    load.run(async {
        until_done(&load, 60).await;
        cluster.kill();
        cluster.up().await;
        ready(&place.bind, Duration::from_secs(10)).await;
    })
    .await;
    let (verdict, _) = verdict(&app, &load).await;
    eprintln!("a forgetful database: {verdict}");
    assert!(verdict.lost > 0, "{verdict}");
}

/// Connections to the database are cut in a loop: 503 with Retry-After at most, and the service
/// heals by itself.
#[actix_web::test]
async fn connections_are_cut_under_load() {
    // SQLite is a library inside the process: it has no connection that could be cut.
    if database::server().is_none() {
        return;
    }
    let _turn = turn().await;
    let app = TestApp::start().await;
    let town = town(&app).await;
    let place = place(&app);
    let _service = Service::start(&place).await;
    let load = Load::new(&app, &town, clients(), vec![place.bind.clone()]);
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
    let answers = load.answers.borrow().clone();
    eprintln!("cut connections, 30 writes {healed:?} later, answers {answers:?}: {verdict}");
    verdict.assert_clean();
    assert_eq!(load.rude.get(), 0, "503 without Retry-After");
    assert!(!answers.contains_key(&500), "{answers:?}");
    assert!(healed < Duration::from_secs(5), "{healed:?}");
}
