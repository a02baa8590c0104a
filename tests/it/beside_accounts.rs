//! Whoever reads is remembered through acts on cases and the work behind them, because these change nothing of
//! what somebody is: that they do not is seen here, statement by statement.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use jianjian::store::{BESIDE_ACCOUNTS, Db, Point};

use crate::support::TestApp;
use crate::support::everything;
use crate::support::units::days;

/// What a principal is read from.
const READ: &[&str] = &[
    "committees",
    "password_policies",
    "second_factors",
    "sign_ins",
    "user_roles",
    "users",
];
/// When a sign-in was used last, and a row that is locked by a change of nothing.
const HARMLESS: &[&str] = &[
    "UPDATE sign_ins SET last_seen_at =",
    "UPDATE users SET version = users.version WHERE",
];

/// The table that a statement changes, if somebody is read from it.
fn changed(sql: &str) -> Option<&'static str> {
    let sql: String = sql.chars().filter(|c| !"\"`()".contains(*c)).collect();
    if HARMLESS.iter().any(|harmless| sql.starts_with(harmless)) {
        return None;
    }
    READ.iter().copied().find(|table| {
        ["INSERT INTO", "UPDATE", "DELETE FROM"]
            .iter()
            .any(|verb| sql.contains(&format!("{verb} {table} ")))
    })
}

/// The statements of every write, with its name.
fn listening(app: &TestApp) -> Arc<Mutex<BTreeSet<(&'static str, String)>>> {
    let at_work = Arc::new(Mutex::new(HashMap::<ThreadId, &'static str>::new()));
    let heard = Arc::new(Mutex::new(BTreeSet::new()));
    let (known, list) = (Arc::clone(&at_work), Arc::clone(&heard));
    app.db().watch(move |name, point| {
        let mut at_work = at_work.lock().expect("a map");
        match point {
            Point::Begun => at_work.insert(thread::current().id(), name),
            Point::Done => at_work.remove(&thread::current().id()),
            Point::Asked | Point::Answered => None,
        };
    });
    app.db().listen(move |sql| {
        let name = known
            .lock()
            .expect("a map")
            .get(&thread::current().id())
            .copied();
        if let Some(name) = name {
            list.lock().expect("a list").insert((name, sql.to_owned()));
        }
    });
    heard
}

#[actix_web::test]
async fn writes_that_let_readers_be_remembered_change_nothing_of_them() {
    let app = TestApp::start().await;
    let heard = listening(&app);
    everything::town(&app).await;
    for _ in 0..8 {
        days(&app, 7);
        app.work().await;
    }
    let heard = heard.lock().expect("a list");
    let beside = |name: &str| BESIDE_ACCOUNTS.contains(&name);
    let wrong: Vec<_> = heard
        .iter()
        .filter(|(name, sql)| beside(name) && changed(sql).is_some())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for name in [
        Db::ACT,
        "outbox.publish",
        "jobs.claim",
        "jobs.collect",
        "jobs.wake_case",
    ] {
        let writes = |sql: &str| ["INSERT", "UPDATE"].iter().any(|verb| sql.contains(verb));
        let seen = heard
            .iter()
            .any(|(other, sql)| *other == name && writes(sql));
        assert!(seen, "{name} wrote nothing");
    }
    // The control: the others do change what is read, and that is seen.
    for table in ["users", "user_roles", "sign_ins"] {
        let seen = heard
            .iter()
            .any(|(name, sql)| !beside(name) && changed(sql) == Some(table));
        assert!(seen, "nobody changed {table}");
    }
}
