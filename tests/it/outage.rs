//! The database goes away and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use actix_web::rt::spawn;
use diesel::{Connection, PgConnection, RunQueryDsl};
use jianjian::store::DatabaseUrl;

use crate::support::{TestApp, steps};

const OTHERS: &str = "pg_stat_activity \
                      WHERE datname = current_database() AND pid <> pg_backend_pid()";

/// Ends every other session of the database, again and again, until told to stop. Where nothing
/// is `made` between two cuts the next comes later, so that something is, on any machine. All
/// sessions that were told to end have ended when it returns.
fn cut(url: String, made: Arc<AtomicUsize>, stop: Arc<AtomicBool>) -> JoinHandle<usize> {
    std::thread::spawn(move || {
        let mut connection = PgConnection::establish(&url).expect("to connect");
        let mut run = |sql: &str| {
            let rows = diesel::sql_query(sql).execute(&mut connection);
            rows.expect("to cut")
        };
        let cut = format!("SELECT pg_terminate_backend(pid) FROM {OTHERS}");
        let (mut cuts, mut pause) = (0, 7);
        while !stop.load(Ordering::SeqCst) {
            let before = made.load(Ordering::SeqCst);
            cuts += run(&cut);
            // The server waits, so that this thread need not.
            run(&format!("SELECT pg_sleep({pause} / 1000.0)"));
            let stuck = made.load(Ordering::SeqCst) == before;
            pause = if stuck { (pause * 2).min(500) } else { 7 };
        }
        run(&format!(
            "CREATE TEMPORARY TABLE told AS SELECT pid, pg_terminate_backend(pid) FROM {OTHERS}"
        ));
        let waited = Instant::now();
        while run("SELECT 1 FROM pg_stat_activity JOIN told USING (pid)") > 0 {
            assert!(waited.elapsed() < Duration::from_secs(30), "sessions stay");
        }
        cuts
    })
}

#[actix_web::test]
async fn cut_connections_give_503_and_heal_by_themselves() {
    let app = TestApp::start().await;
    // SQLite is a library inside the process: it has no connection that could be cut.
    let DatabaseUrl::Postgres(url) = app.db().url().clone() else {
        return;
    };
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let made = Arc::new(AtomicUsize::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let cutter = cut(url, Arc::clone(&made), Arc::clone(&stop));
    let mut away = 0;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(4) {
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let request = if number % 2 == 0 {
                    member.get("/api/v1/proposals")
                } else {
                    let form = steps::form("关于优化公交线路的提案");
                    let body = serde_json::json!({ "kind": "individual", "form": form });
                    member.post("/api/v1/proposals").json(body)
                };
                spawn(request.send())
            })
            .collect();
        for task in tasks {
            let reply = task.await.expect("an answer");
            match reply.status {
                200 | 201 => {
                    made.fetch_add(1, Ordering::SeqCst);
                }
                503 => {
                    away += 1;
                    assert_eq!(reply.text_header("retry-after"), "2");
                    assert!(!reply.to_string().contains("terminating"), "{reply}");
                }
                _ => panic!("{reply}"),
            }
        }
    }
    stop.store(true, Ordering::SeqCst);
    let cuts = cutter.join().expect("the cutter");
    assert!(
        cuts > 20 && away > 0 && made.load(Ordering::SeqCst) > 0,
        "{cuts} cuts, {made:?} answers, {away} refusals"
    );
    // It heals without a restart.
    let healed = Instant::now();
    loop {
        let reply = app.anonymous().get("/health/ready").send().await;
        if reply.status == 200 {
            break;
        }
        assert!(healed.elapsed() < Duration::from_secs(5), "{reply}");
    }
    for _ in 0..20 {
        steps::draft(&member, "关于优化公交线路的提案").await;
        member.get("/api/v1/proposals").send().await.status(200);
    }
}
