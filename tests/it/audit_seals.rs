//! Seals over the trail: signed, chained, only over what is new; and tables that refuse changes.

use jianjian::app::sealing;
use jianjian::auth::seal::{Seal, SealKey};
use jianjian::store::verify::{self, Exported, Fault};
use jianjian::store::{DatabaseUrl, seals};
use jiff::SignedDuration;
use serde_json::json;

use crate::support::TestApp;
use crate::support::story::Story;

#[actix_web::test]
async fn seals_are_made_daily_over_what_is_new_and_exported() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    app.work().await;
    let auditor = app.signed_in(&town, &town.auditor);
    let list = auditor.get("/api/v1/audit/seals").send().await.status(200);
    assert_eq!(list.json["items"].as_array().map(Vec::len), Some(1));
    let first: Seal = serde_json::from_value(list.json["items"][0].clone()).expect("a seal");
    let events = app.database().number("SELECT count(*) AS n FROM events");
    assert_eq!(
        (first.number, first.events, &*first.prev_hash),
        (1, events, "")
    );
    // One act, and nothing else: the next seal is over what is new.
    app.clock.advance(SignedDuration::from_hours(25));
    case.submit().await;
    app.work().await;
    let auditor = app.signed_in(&town, &town.auditor);
    let second = auditor
        .get("/api/v1/audit/seals/2")
        .send()
        .await
        .status(200);
    let second: Seal = serde_json::from_value(second.json).expect("a seal");
    assert_eq!((second.streams, &second.prev_hash), (1, &first.hash));
    assert!(second.events < 5, "{}", second.events);
    // Nothing is new: no seal. On demand: at once.
    app.clock.advance(SignedDuration::from_hours(25));
    app.work().await;
    let auditor = app.signed_in(&town, &town.auditor);
    auditor
        .get("/api/v1/audit/seals/3")
        .send()
        .await
        .status(404);
    let chair = app.signed_in(&town, &town.chair);
    chair
        .post("/api/v1/audit/seals")
        .json(json!({}))
        .send()
        .await
        .status(403);
    let wanted = auditor
        .post("/api/v1/audit/seals")
        .json(json!({}))
        .send()
        .await
        .status(202);
    assert_eq!(wanted.text_header("location"), "/api/v1/audit/seals");
    app.work().await;
    let third = auditor
        .get("/api/v1/audit/seals/3")
        .send()
        .await
        .status(200);
    let third: Seal = serde_json::from_value(third.json).expect("a seal");
    // The refusals and the wish itself; two chains.
    assert_eq!(third.streams, 2, "{third:?}");
    let keys = app
        .anonymous()
        .get("/.well-known/seal-keys.json")
        .send()
        .await
        .status(200);
    assert_eq!(keys.json["keys"][0]["kid"], json!(third.kid));
    assert_eq!(
        keys.json["keys"][0]
            .as_object()
            .map(|key| key.contains_key("d")),
        Some(false)
    );
    let heads = [&first, &second, &third].map(Exported::from).to_vec();
    let report = app
        .read(move |tx| verify::run_against(tx, None, heads.clone()))
        .await;
    assert_eq!((report.broken, report.seals), (None, 3));
    // Of another committee nothing is seen.
    let other = app.town_called("linjiang").await;
    let stranger = app.signed_in(&other, &other.auditor);
    stranger
        .get("/api/v1/audit/seals/1")
        .send()
        .await
        .status(404);
}

#[actix_web::test]
async fn keys_of_seals_rotate_and_old_seals_still_verify() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (committee, now) = (town.committee, app.clock_now());
    let first = sealing::seal_all(app.db(), committee, now)
        .await
        .expect("to seal")
        .expect("a seal");
    let key = app.write(move |tx| seals::rotate_key(tx, now)).await;
    assert_ne!(key.kid, first.kid);
    Story::draft(&app, &town, &town.members[0]).await;
    let second = sealing::seal_all(app.db(), committee, now)
        .await
        .expect("to seal")
        .expect("a seal");
    assert_eq!(second.kid, key.kid);
    let keys: Vec<SealKey> = app.read(seals::keys).await;
    assert_eq!(keys.len(), 2);
    let old = keys.iter().find(|key| key.kid == first.kid);
    let old = old.expect("the key that was retired");
    assert!(old.private_key.is_none() && old.retired_at.is_some());
    assert!(old.signed(&first.hash, &first.signature));
    assert_eq!(app.read(verify::run).await.broken, None);
    // Two that seal at once make one seal of it.
    Story::draft(&app, &town, &town.members[1]).await;
    let (db, other) = (app.db().clone(), app.db().clone());
    let (one, two) = futures_util::join!(
        sealing::seal_all(&db, committee, now),
        sealing::seal_all(&other, committee, now)
    );
    let made = [one, two].map(|made| made.expect("to seal").is_some());
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
    assert_eq!(app.read(verify::run).await.seals, 3);
}

/// A large backlog comes under several seals, and none of it is left out.
#[actix_web::test]
async fn what_was_written_late_comes_under_the_next_seal() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (committee, now) = (town.committee, app.clock_now());
    sealing::seal_all(app.db(), committee, now)
        .await
        .expect("to seal");
    // A transaction that began before the seal and ended after it.
    let earlier = now - SignedDuration::from_mins(30);
    app.clock.set(earlier);
    Story::draft(&app, &town, &town.members[0]).await;
    app.clock.set(now);
    let report = app.read(verify::run).await;
    assert_eq!(report.broken, None);
    let seal = sealing::seal_all(app.db(), committee, now)
        .await
        .expect("to seal")
        .expect("a seal");
    assert!(seal.events >= 1);
    // Earlier than any transaction: it was slipped in.
    app.clock.set(now - SignedDuration::from_hours(3));
    Story::draft(&app, &town, &town.members[1]).await;
    app.clock.set(now);
    let broken = app.read(verify::run).await.broken.expect("found");
    assert_eq!(broken.fault, Fault::Backdated);
}

#[actix_web::test]
async fn the_database_itself_refuses_changes_of_the_trail() {
    let app = TestApp::start().await;
    let town = app.town().await;
    Story::draft(&app, &town, &town.members[0]).await;
    app.work().await;
    let counts = app.database().row_counts();
    for (table, column) in [
        ("events", "actor_name"),
        ("feed", "stream_kind"),
        ("audit_seals", "root"),
        ("audit_seal_heads", "hash"),
    ] {
        let mut statements = vec![
            format!("UPDATE {table} SET {column} = 'x'"),
            format!("DELETE FROM {table}"),
        ];
        if matches!(app.db().url(), DatabaseUrl::Postgres(_)) {
            statements.push(format!("TRUNCATE {table} CASCADE"));
        }
        for sql in statements {
            let words = app.database().refusal(&sql);
            assert!(words.contains("is append-only"), "{sql}: {words}");
        }
    }
    assert_eq!(app.database().row_counts(), counts);
    assert_eq!(app.read(verify::run).await.broken, None);
    // The control: without the triggers the same statements work.
    app.database().lift_guards();
    assert!(app.database().execute("UPDATE events SET actor_name = 'x'") > 0);
    assert!(app.read(verify::run).await.broken.is_some());
}

#[actix_web::test]
async fn a_check_is_asked_for_and_done_by_a_worker() {
    let app = TestApp::start().await;
    let town = app.town().await;
    Story::draft(&app, &town, &town.members[0]).await;
    app.work().await;
    let auditor = app.signed_in(&town, &town.auditor);
    let seal = auditor
        .get("/api/v1/audit/seals/1")
        .send()
        .await
        .status(200);
    let head = json!({ "head": { "number": 1, "hash": seal.text("/hash") } });
    let begun = auditor
        .post("/api/v1/audit/checks")
        .json(&head)
        .send()
        .await
        .status(202);
    assert_eq!(begun.json["status"], "running");
    let path = begun.text_header("location").to_owned();
    app.work().await;
    let done = auditor.get(&path).send().await.status(200);
    assert_eq!(done.json["status"], "whole", "{}", done.json);
    assert!(done.json["events"].as_u64() > Some(20) && done.json["finished_at"].is_string());
    // Another seal than the one that was kept.
    let other = json!({ "head": { "number": 1, "hash": "0".repeat(64) } });
    let begun = auditor
        .post("/api/v1/audit/checks")
        .json(&other)
        .send()
        .await
        .status(202);
    app.work().await;
    let done = auditor
        .get(begun.text_header("location"))
        .send()
        .await
        .status(200);
    assert_eq!(done.json["status"], "broken");
    assert_eq!(done.json["found"][0]["fault"], "head_other");
    // Cut the trail, and the check says where.
    app.database().lift_guards();
    app.database()
        .execute("UPDATE events SET actor_name = 'x' WHERE stream_kind = 'proposal'");
    let begun = auditor
        .post("/api/v1/audit/checks")
        .json(json!({}))
        .send()
        .await
        .status(202);
    app.work().await;
    let done = auditor
        .get(begun.text_header("location"))
        .send()
        .await
        .status(200);
    assert_eq!(done.json["found"][0]["fault"], "changed");
    assert_eq!(done.json["found"][0]["stream_kind"], "proposal");
    let chair = app.signed_in(&town, &town.chair);
    chair
        .get(begun.text_header("location"))
        .send()
        .await
        .status(403);
    chair
        .post("/api/v1/audit/checks")
        .json(json!({}))
        .send()
        .await
        .status(403);
    let wrong = json!({ "head": { "number": 0, "hash": "x" } });
    auditor
        .post("/api/v1/audit/checks")
        .json(wrong)
        .send()
        .await
        .status(422);
}

#[actix_web::test]
async fn the_command_line_seals_exports_and_verifies() {
    let app = TestApp::start().await;
    let town = app.town().await;
    Story::draft(&app, &town, &town.members[0]).await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("head.json");
    let file = file.to_str().expect("a name");
    let url = app.database().url_text();
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_jianjian"))
            .args(arguments)
            .args(["--database-url", &url, "--log-level", "error"])
            .current_dir(directory.path())
            .output()
            .expect("to run");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let none = run(&["audit", "export-head", "--committee", &town.code]);
    assert!(
        none.0 == Some(1) && none.2.contains("no seal yet"),
        "{none:?}"
    );
    // The clock of the command is the real one: all that is there is older.
    let sealed = run(&["audit", "seal"]);
    assert!(
        sealed.0 == Some(0) && sealed.1.contains("seal 1"),
        "{sealed:?}"
    );
    let exported = run(&[
        "audit",
        "export-head",
        "--committee",
        &town.code,
        "--out",
        file,
    ]);
    assert_eq!(exported.0, Some(0), "{exported:?}");
    let whole = run(&["verify", "--head", file, "--committee", &town.code]);
    assert!(
        whole.0 == Some(0) && whole.1.contains("under 1 seals: every chain is whole"),
        "{whole:?}"
    );
    app.database().lift_guards();
    app.database()
        .batch("DELETE FROM audit_seal_heads; DELETE FROM audit_seals;");
    let without = run(&["verify"]);
    assert!(
        without.0 == Some(0) && without.1.contains("with --head only"),
        "{without:?}"
    );
    let gone = run(&["verify", "--head", file]);
    assert_eq!(gone.0, Some(1));
    assert!(
        gone.2.contains("the seal that was exported is not there"),
        "{gone:?}"
    );
    let unknown = run(&["verify", "--committee", "nowhere"]);
    assert!(
        unknown.0 == Some(1) && unknown.2.contains("nowhere"),
        "{unknown:?}"
    );
    let key = run(&["audit", "rotate-key"]);
    assert!(key.0 == Some(0), "{key:?}");
}
