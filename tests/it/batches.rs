//! Batches of a meeting: PT15 and PT19 over a list, each case by itself (I2, I39).

use std::time::Instant;

use actix_web::rt::spawn;
use jianjian::store::events::{self, Stream};
use serde_json::{Value, json};

use crate::support::seed::Town;
use crate::support::{Reply, TestApp, rows, steps};

fn id(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn sole(town: &Town, path: &str) -> Value {
    let lead = json!({ "unit_id": town.units[0], "role": "lead" });
    json!({ "proposal_id": id(path), "handling_kind": "sole", "rows": [lead] })
}

fn assignment(items: &[Value]) -> Value {
    json!({
        "meeting": { "name": "提案交办会", "date": "2026-03-02" },
        "opinion": "请各单位按期办理。", "items": items,
    })
}

fn filing(paths: &[String]) -> Value {
    let items: Vec<_> = paths
        .iter()
        .map(|path| json!({ "proposal_id": id(path) }))
        .collect();
    let meeting = json!({ "name": "提案审查委员会全体会议", "date": "2026-03-02" });
    json!({ "meeting": meeting, "items": items })
}

/// Events of the committee's own stream.
async fn batches(app: &TestApp, town: &Town) -> Vec<Value> {
    let committee = town.committee;
    let stream = Stream::of(committee, "committee", committee);
    let events = app.read(move |tx| events::list(tx, &stream, 0, 100)).await;
    events
        .into_iter()
        .filter(|event| event.name == "batch.executed")
        .map(|event| event.content.0)
        .collect()
}

fn outcomes(reply: &Reply) -> Vec<(u64, bool)> {
    reply.json["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| {
            (
                item["status"].as_u64().expect("a status"),
                item["ok"] == true,
            )
        })
        .collect()
}

#[actix_web::test]
async fn a_meeting_assigns_what_can_be_assigned_and_says_why_not_for_the_rest() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let officer = app.signed_in(&town, &town.officer);
    let good = steps::filed(&app, &town, "关于第一条线路的提案").await;
    let again = steps::filed(&app, &town, "关于第二条线路的提案").await;
    let alone =
        json!({ "handling_kind": "sole", "rows": [{ "unit_id": town.units[0], "role": "lead" }] });
    steps::act(&officer, &again, "assign", alone.clone())
        .await
        .status(200);
    let bad_rows = steps::filed(&app, &town, "关于第三条线路的提案").await;
    let last = steps::filed(&app, &town, "关于第四条线路的提案").await;
    let mut joint = sole(&town, &bad_rows);
    joint["handling_kind"] = json!("joint");
    let mut unknown = sole(&town, &good);
    unknown["proposal_id"] = json!("prop_019a1b2c3d4e7f8090a1b2c3d4e5f607");
    let items = [
        sole(&town, &good),
        sole(&town, &again),
        joint,
        unknown,
        sole(&town, &last),
    ];
    let post = |body: Value| officer.post("/api/v1/assignment-batches").json(body);

    // Who may, and the form of the list.
    let clerk = app.signed_in(&town, &town.unit_clerks[0]);
    clerk
        .post("/api/v1/assignment-batches")
        .json(assignment(&items))
        .send()
        .await
        .status(403);
    post(assignment(&[])).send().await.status(422);
    let twice = [sole(&town, &good), sole(&town, &last), sole(&town, &good)];
    let refused = post(assignment(&twice)).send().await.status(422);
    assert_eq!(
        refused.json["errors"][0]["pointer"], "/items/2/proposal_id",
        "{refused}"
    );
    assert_eq!(refused.json["errors"][0]["code"], "duplicate");

    // A trial changes nothing.
    let rows_before = app.database().row_counts();
    let trial = officer
        .post("/api/v1/assignment-batches?validate_only=true")
        .json(assignment(&items))
        .send()
        .await
        .status(200);
    let expected = vec![
        (200, true),
        (409, false),
        (422, false),
        (404, false),
        (200, true),
    ];
    assert_eq!(outcomes(&trial), expected);
    assert_eq!(app.database().row_counts(), rows_before);

    let answer = post(assignment(&items))
        .key("batch-2026-03-02-a")
        .send()
        .await
        .status(200);
    assert_eq!(outcomes(&answer), expected);
    assert_eq!(
        (&answer.json["succeeded"], &answer.json["failed"]),
        (&json!(2), &json!(3))
    );
    let order: Vec<_> = answer.json["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| &item["proposal_id"])
        .collect();
    let wanted: Vec<_> = items.iter().map(|item| &item["proposal_id"]).collect();
    assert_eq!(order, wanted, "the order of the list");
    let single = steps::act(&officer, &again, "assign", alone).await;
    let (mut told, mut alone) = (answer.json["items"][1]["problem"].clone(), single.json);
    for problem in [&mut told, &mut alone] {
        problem
            .as_object_mut()
            .expect("a problem")
            .remove("instance");
    }
    assert_eq!(told, alone, "the problem document of the single call");
    let assigned = officer.get(&last).send().await.ok();
    assert_eq!(assigned.text("/status"), "assigned");
    // A refused case is as it was: its version, too.
    let left = officer.get(&bad_rows).send().await.ok();
    assert_eq!((left.text("/status"), left.version()), ("filed".into(), 5));

    // The same key gives the same answer, and nothing happens again.
    let before = app.database().row_counts();
    let again = post(assignment(&items))
        .key("batch-2026-03-02-a")
        .send()
        .await
        .status(200);
    assert_eq!(again.json, answer.json);
    assert_eq!(app.database().row_counts(), before);
    // Without it every item is refused now.
    let now = post(assignment(&items[..1])).send().await.status(200);
    assert_eq!(outcomes(&now), vec![(409, false)]);

    let told = batches(&app, &town).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["action"], "assign");
    assert_eq!(told[0]["succeeded"], json!([id(&good), id(&last)]));
    assert_eq!(told[0]["failed"].as_array().map(Vec::len), Some(3));
    let auditor = app.signed_in(&town, &town.auditor);
    rows::witness(&auditor, &last, &["PT19"]).await;
}

#[actix_web::test]
async fn a_meeting_files_in_the_order_of_its_list_and_refusals_take_no_number() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let chair = app.signed_in(&town, &town.chair);
    let mut paths = Vec::new();
    for n in 0..6 {
        let title = format!("关于第{n}条线路的提案");
        paths.push(match n {
            2 => steps::submitted(&app, &town, &title).await,
            _ => steps::examined(&app, &town, &title).await,
        });
    }
    paths.reverse();
    let officer = app.signed_in(&town, &town.officer);
    officer
        .post("/api/v1/filing-batches")
        .json(filing(&paths))
        .send()
        .await
        .status(403);
    let mut body = filing(&paths);
    body["items"][0]["subject_class"] = json!("cultural");
    let answer = chair
        .post("/api/v1/filing-batches")
        .json(body)
        .send()
        .await
        .status(200);
    let numbers: Vec<_> = answer.json["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["case_no"].as_i64())
        .collect();
    assert_eq!(numbers, [Some(1), Some(2), Some(3), None, Some(4), Some(5)]);
    let first = chair.get(&paths[0]).send().await.ok();
    assert_eq!(first.text("/subject_class"), "cultural");
    let auditor = app.signed_in(&town, &town.auditor);
    rows::witness(&auditor, &paths[5], &["PT15"]).await;
}

#[actix_web::test]
async fn two_meetings_over_the_same_list_assign_every_case_once() {
    let app = TestApp::start_with(|config| config.database.threads.write = 8).await;
    let town = app.town().await;
    let officer = app.signed_in(&town, &town.officer);
    let chair = app.signed_in(&town, &town.chair);
    for round in 0..20 {
        let mut paths = Vec::new();
        for n in 0..3 {
            paths.push(steps::examined(&app, &town, &format!("关于线路{round}.{n}的提案")).await);
        }
        let there = filing(&paths);
        let mut items: Vec<_> = paths.iter().map(|path| sole(&town, path)).collect();
        paths.reverse();
        let back = filing(&paths);
        let tasks =
            [there, back].map(|body| spawn(chair.post("/api/v1/filing-batches").json(body).send()));
        let mut succeeded = 0;
        for task in tasks {
            let reply = task.await.expect("an answer").status(200);
            succeeded += reply.json["succeeded"].as_u64().expect("a number");
        }
        assert_eq!(succeeded, 3);
        let there = assignment(&items);
        items.reverse();
        let back = assignment(&items);
        let tasks = [there, back]
            .map(|body| spawn(officer.post("/api/v1/assignment-batches").json(body).send()));
        let mut succeeded = 0;
        for task in tasks {
            let reply = task.await.expect("an answer").status(200);
            succeeded += reply.json["succeeded"].as_u64().expect("a number");
        }
        assert_eq!(succeeded, 3);
    }
    assert_eq!(batches(&app, &town).await.len(), 80);
}

#[actix_web::test]
async fn five_hundred_cases_are_filed_and_assigned_in_two_requests() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let officer = app.signed_in(&town, &town.officer);
    let chair = app.signed_in(&town, &town.chair);
    let mut paths = Vec::new();
    for n in 0..500 {
        paths.push(steps::examined(&app, &town, &format!("关于第{n}条线路的提案")).await);
    }
    let measure = |what: &'static str, from: Instant, statements: u64| {
        let took = from.elapsed();
        eprintln!(
            "{what}: 500 cases in {} ms, {} statements",
            took.as_millis(),
            statements
        );
        assert!(statements / 500 <= 60, "{what}: {statements} statements");
    };
    let (from, before) = (Instant::now(), app.db().statements());
    let answer = chair
        .post("/api/v1/filing-batches")
        .json(filing(&paths))
        .send()
        .await
        .status(200);
    measure("filing", from, app.db().statements() - before);
    assert_eq!(answer.json["succeeded"], 500);
    assert_eq!(answer.json["items"][499]["case_no"], 500);
    let joint = |path: &String| {
        let mut item = sole(&town, path);
        item["handling_kind"] = json!("joint");
        item["rows"] = json!([
            { "unit_id": town.units[0], "role": "lead" },
            { "unit_id": town.units[1], "role": "co_handler" },
        ]);
        item
    };
    let items: Vec<_> = paths.iter().map(joint).collect();
    let (from, before) = (Instant::now(), app.db().statements());
    let answer = officer
        .post("/api/v1/assignment-batches")
        .json(assignment(&items))
        .send()
        .await
        .status(200);
    measure("assignment", from, app.db().statements() - before);
    assert_eq!(answer.json["succeeded"], 500);
}
