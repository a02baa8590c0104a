//! Many acts in one call, each by itself: the work of a unit (AT02, AT09, AT10) and urging (OT25).

use jianjian::workflow::rule::rules;
use serde_json::{Value, json};

use crate::support::seed::Town;
use crate::support::story::contact;
use crate::support::{Client, Reply, TestApp, rows, steps};

const UPDATES: &str = "/api/v1/assignment-updates";
const URGINGS: &str = "/api/v1/urging-batches";

/// A case with its row of the first unit.
struct Row {
    case: String,
    id: String,
}

impl Row {
    fn path(&self) -> String {
        format!("/api/v1/assignments/{}", self.id)
    }

    fn item(&self) -> Value {
        json!({ "assignment_id": self.id, "version": 1 })
    }

    fn with(&self, version: i32, action: &str, input: impl Into<Value>) -> Value {
        let input: Value = input.into();
        json!({
            "assignment_id": self.id, "version": version, "action": action, "input": input,
        })
    }
}

/// Cases assigned to the first unit as lead and the second as co-handler.
async fn assigned(app: &TestApp, town: &Town, n: usize) -> Row {
    let case = steps::assigned(app, town, &format!("关于第{n}条线路的提案")).await;
    row_of(&case, "lead")
}

fn row_of(case: &Reply, role: &str) -> Row {
    let rows = case.json["assignments"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["role"] == role).expect("a row");
    Row {
        case: case.id(),
        id: row["id"].as_str().expect("an id").to_owned(),
    }
}

fn statuses(reply: &Reply) -> Vec<u64> {
    let items = reply.json["items"].as_array().expect("items");
    let status = |item: &Value| {
        assert_eq!(item["ok"], item["status"] == 200, "{item}");
        item["status"].as_u64().expect("a status")
    };
    items.iter().map(status).collect()
}

fn acceptance(items: &[Value]) -> Value {
    json!({ "action": "accept", "input": steps::clerk(), "items": items })
}

async fn sent(client: &Client, path: &str, key: &str, body: &Value) -> Reply {
    client.post(path).key(key).json(body).send().await
}

async fn token(app: &TestApp, town: &Town, body: Value) -> Client {
    let mut body = body;
    body["expires_at"] = json!(app.clock_now() + jiff::SignedDuration::from_hours(24));
    let security = app.signed_in(town, &town.security);
    let made = security.post("/api/v1/api-tokens").json(body).send().await;
    app.client(&made.status(201).text("/token"))
}

#[actix_web::test]
async fn a_clerk_accepts_all_that_wait_by_one_call() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut waiting = Vec::new();
    for n in 0..4 {
        waiting.push(assigned(&app, &town, n).await);
    }
    let clerk = app.signed_in(&town, &town.unit_clerks[0]);
    let desk = clerk
        .get("/api/v1/desk?task=accept")
        .send()
        .await
        .status(200);
    assert_eq!(desk.json["items"].as_array().map(Vec::len), Some(4));
    let items: Vec<_> = waiting.iter().map(Row::item).collect();
    let done = sent(&clerk, UPDATES, "accept-all-1", &acceptance(&items)).await;
    let done = done.status(200);
    assert_eq!(statuses(&done), [200; 4]);
    assert_eq!(
        (&done.json["succeeded"], &done.json["failed"]),
        (&json!(4), &json!(0))
    );
    assert_eq!(done.text("/items/0/assignment_status"), "accepted");
    assert_eq!(done.json["items"][0]["version"], 2);
    let desk = clerk
        .get("/api/v1/desk?task=accept")
        .send()
        .await
        .status(200);
    assert_eq!(desk.json["items"], json!([]));
    let auditor = app.signed_in(&town, &town.auditor);
    for row in &waiting {
        rows::witness(
            &auditor,
            &format!("/api/v1/proposals/{}", row.case),
            &["AT02"],
        )
        .await;
    }
}

#[actix_web::test]
async fn each_item_is_done_or_refused_as_the_single_act_would_be() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut made = Vec::new();
    for n in 0..5 {
        made.push(assigned(&app, &town, n).await);
    }
    let other = steps::assigned(&app, &town, "关于会办单位的提案").await;
    let theirs = row_of(&other, "co_handler");
    let restricted = steps::filed(&app, &town, "关于另一单位的提案").await;
    let officer = app.signed_in(&town, &town.officer);
    let alone = json!({
        "handling_kind": "sole", "rows": [{ "unit_id": town.units[2], "role": "lead" }],
    });
    let foreign = steps::act(&officer, &restricted, "assign", alone)
        .await
        .status(200);
    let foreign = row_of(&foreign, "lead");
    let system = json!({ "name": "公文系统", "role": "unit_clerk", "unit_id": town.units[0] });
    let client = token(&app, &town, system).await;
    for row in &made[1..3] {
        let single = client.post(&format!("{}/actions/accept", row.path()));
        let single = single.if_match(1).key(&format!("single-{}", row.id));
        single.json(steps::clerk()).send().await.status(200);
    }
    let body = json!({
        "action": "accept", "input": steps::clerk(),
        "items": [
            made[0].item(),
            made[1].with(2, "record_contact", contact()),
            // A wrong body, a stale version, a status from which it does not start.
            made[2].with(2, "record_contact", json!({ "way": "pigeon" })),
            made[3].with(7, "accept", steps::clerk()),
            made[4].with(1, "record_contact", contact()),
            // The lead has no opinion to give; another unit's row; a unit that is not on the case.
            theirs.item(),
            foreign.item(),
            { "assignment_id": "asgn_019a1b2c3d4e7f8090a1b2c3d4e5f607", "version": 1 },
        ],
    });
    let before = app.database().row_counts();
    let trial = sent(
        &client,
        &format!("{UPDATES}?validate_only=true"),
        "trial-0001",
        &body,
    )
    .await;
    let expected = [200, 200, 422, 412, 409, 403, 404, 404];
    assert_eq!(statuses(&trial.status(200)), expected);
    assert_eq!(app.database().row_counts(), before);

    let done = sent(&client, UPDATES, "mixed-0001", &body)
        .await
        .status(200);
    assert_eq!(statuses(&done), expected, "{done}");
    assert_eq!(
        (&done.json["succeeded"], &done.json["failed"]),
        (&json!(2), &json!(6))
    );
    let problem = |n: usize| &done.json["items"][n]["problem"];
    assert_eq!(problem(2)["code"], "invalid-body");
    assert_eq!(problem(3)["code"], "version-mismatch");
    assert_eq!(problem(4)["code"], "state-conflict");
    // What an outsider learns of a row that is there and of one that is not is the same.
    assert_eq!(problem(6), problem(7));
    // The problem is that of the single call.
    let single = client.post(&format!("{}/actions/record-contact", made[2].path()));
    let single = single
        .if_match(2)
        .key("single-bad")
        .json(json!({ "way": "pigeon" }));
    let (mut single, mut told) = (single.send().await.status(422).json, problem(2).clone());
    for document in [&mut single, &mut told] {
        document["instance"] = Value::Null;
    }
    assert_eq!(single, told);

    // The same key gives the same answer, and nothing happens again.
    let before = app.database().row_counts();
    let again = sent(&client, UPDATES, "mixed-0001", &body)
        .await
        .status(200);
    assert_eq!(again.text_header("idempotency-replayed"), "true");
    assert_eq!(again.json, done.json);
    assert_eq!(app.database().row_counts(), before);
    let mut changed = body.clone();
    changed["items"][0]["version"] = json!(2);
    let reused = sent(&client, UPDATES, "mixed-0001", &changed).await;
    reused.status(422).code("idempotency-key-reused");
    // What was refused is as it was; what was done has its own event, under the token's name.
    let left = client.get(&made[4].path()).send().await.status(200);
    assert_eq!(
        (left.version(), left.text("/status")),
        (1, "pending".into())
    );
    let auditor = app.signed_in(&town, &town.auditor);
    rows::witness(
        &auditor,
        &format!("/api/v1/proposals/{}", made[1].case),
        &["AT09"],
    )
    .await;
}

#[actix_web::test]
async fn a_list_as_a_whole_is_refused_for_its_form() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let row = assigned(&app, &town, 1).await;
    let clerk = app.signed_in(&town, &town.unit_clerks[0]);
    let before = app.database().row_counts();
    let id = |n: usize| format!("asgn_019a1b2c3d4e7f8090a1b2c3d4e5{n:04x}");
    let many = |count: usize| -> Vec<_> {
        let item = |n| json!({ "assignment_id": id(n), "version": 1 });
        (0..count).map(item).collect()
    };
    let post = async |body: Value| clerk.post(UPDATES).json(body).send().await.status(422);
    post(acceptance(&[])).await.blames(&["/items"]);
    post(acceptance(&many(201))).await.blames(&["/items"]);
    let twice = acceptance(&[row.item(), many(1)[0].clone(), row.item(), row.item()]);
    let twice = post(twice).await;
    assert_eq!(twice.json["errors"][0]["code"], "duplicate");
    twice.blames(&["/items/2/assignment_id", "/items/3/assignment_id"]);
    post(json!({ "items": [row.item()] }))
        .await
        .blames(&["/items/0/action"]);
    let mut item = row.item();
    item["version"] = json!(0);
    post(acceptance(&[item]))
        .await
        .blames(&["/items/0/version"]);
    let mut item = row.item();
    item.as_object_mut().expect("an object").remove("version");
    post(acceptance(&[item]))
        .await
        .blames(&["/items/0/version"]);
    post(acceptance(&[row.with(1, "void", json!({}))]))
        .await
        .blames(&["/items/0/action"]);
    post(acceptance(&[row.with(1, "accept", json!([]))]))
        .await
        .blames(&["/items/0/input"]);
    let mut body = acceptance(&[row.item()]);
    body["meeting"] = json!("交办会");
    post(body).await.blames(&["/meeting"]);
    assert_eq!(app.database().row_counts(), before);
    // Who may at all.
    for person in [&town.officer, &town.signatories[0], &town.members[0]] {
        let client = app.signed_in(&town, person);
        let reply = client.post(UPDATES).json(json!({})).send().await;
        reply.status(403).code("forbidden");
    }
    // An item with an action of its own does not take the input of the others.
    let own = json!({ "assignment_id": row.id, "version": 1, "action": "accept" });
    let done = clerk.post(UPDATES).json(acceptance(&[own])).send().await;
    assert_eq!(statuses(&done.status(200)), [422]);
}

#[actix_web::test]
async fn opinions_and_wishes_for_time_go_the_same_way() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (mut leads, mut others) = (Vec::new(), Vec::new());
    for n in 0..2 {
        let case = steps::assigned(&app, &town, &format!("关于第{n}条线路的提案")).await;
        leads.push(row_of(&case, "lead"));
        others.push(row_of(&case, "co_handler"));
    }
    let second = app.signed_in(&town, &town.unit_clerks[1]);
    let items: Vec<_> = others.iter().map(Row::item).collect();
    let accepted = second.post(UPDATES).json(acceptance(&items)).send().await;
    assert_eq!(statuses(&accepted.status(200)), [200, 200]);
    let opinion = json!({ "text": "我局将同步预留公交停靠条件。", "signatory": "郑海峰" });
    let items: Vec<_> = others
        .iter()
        .map(|row| row.with(2, "submit_opinion", opinion.clone()))
        .collect();
    let done = second
        .post(UPDATES)
        .json(json!({ "items": items }))
        .send()
        .await;
    let done = done.status(200);
    assert_eq!(statuses(&done), [200, 200], "{done}");
    assert_eq!(done.text("/items/1/assignment_status"), "opinion_submitted");
    let auditor = app.signed_in(&town, &town.auditor);
    rows::witness(
        &auditor,
        &format!("/api/v1/proposals/{}", others[0].case),
        &["AT10"],
    )
    .await;
}

#[actix_web::test]
async fn whoever_watches_urges_in_many_cases_at_once() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut made = Vec::new();
    for n in 0..3 {
        made.push(assigned(&app, &town, n).await);
    }
    let supervision = app.signed_in(&town, &town.supervision);
    let mut items = Vec::new();
    for row in &made {
        let path = format!("/api/v1/proposals/{}", row.case);
        let version = supervision.get(&path).send().await.status(200).version();
        items.push(json!({
            "proposal_id": row.case, "version": version,
            "addressees": [{ "unit_id": town.units[0] }],
        }));
    }
    // Who owes nothing; what somebody else changed since.
    items[1]["addressees"] = json!([{ "unit_id": town.units[3] }]);
    items[2]["version"] = json!(1);
    let body = json!({ "text": "请抓紧办理。", "due_on": "2026-03-20", "items": items });
    let done = sent(&supervision, URGINGS, "urging-0001", &body)
        .await
        .status(200);
    assert_eq!(statuses(&done), [200, 409, 412], "{done}");
    let again = sent(&supervision, URGINGS, "urging-0001", &body)
        .await
        .status(200);
    assert_eq!(again.json, done.json);
    let auditor = app.signed_in(&town, &town.auditor);
    rows::witness(
        &auditor,
        &format!("/api/v1/proposals/{}", made[0].case),
        &["OT25"],
    )
    .await;

    let mut twice = body.clone();
    twice["items"] = json!([items[0], items[0]]);
    let refused = supervision
        .post(URGINGS)
        .json(twice)
        .send()
        .await
        .status(422);
    refused.blames(&["/items/1/proposal_id"]);
    let clerk = app.signed_in(&town, &town.unit_clerks[0]);
    clerk.post(URGINGS).json(json!({})).send().await.status(403);
    // A system of the supervision office may, too.
    let system = json!({ "name": "督查系统", "role": "supervision_officer" });
    let client = token(&app, &town, system).await;
    let mut fresh = body.clone();
    fresh["items"] = json!([items[2].clone()]);
    fresh["items"][0]["version"] = supervision
        .get(&format!("/api/v1/proposals/{}", made[2].case))
        .send()
        .await
        .json["version"]
        .clone();
    let done = sent(&client, URGINGS, "urging-0002", &fresh)
        .await
        .status(200);
    assert_eq!(statuses(&done), [200], "{done}");
}

#[actix_web::test]
async fn two_hundred_rows_are_accepted_within_the_budget() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut items = Vec::new();
    for n in 0..200 {
        items.push(assigned(&app, &town, n).await.item());
    }
    let clerk = app.signed_in(&town, &town.unit_clerks[0]);
    let (from, before) = (std::time::Instant::now(), app.db().statements());
    let done = clerk
        .post(UPDATES)
        .json(acceptance(&items))
        .send()
        .await
        .status(200);
    let statements = app.db().statements() - before;
    assert_eq!(done.json["succeeded"], 200);
    let per_item = statements / 200;
    eprintln!(
        "200 rows: {} ms, {per_item} statements per row",
        from.elapsed().as_millis()
    );
    assert!(per_item <= 60, "{statements} statements");
}

#[actix_web::test]
async fn two_systems_over_the_same_rows_accept_every_row_once() {
    let app = TestApp::start_with(|config| config.database.threads.write = 8).await;
    let town = app.town().await;
    let clerk = app.signed_in(&town, &town.unit_clerks[0]);
    for round in 0..10 {
        let mut items = Vec::new();
        for n in 0..4 {
            items.push(assigned(&app, &town, round * 10 + n).await.item());
        }
        let there = acceptance(&items);
        items.reverse();
        let back = acceptance(&items);
        let tasks =
            [there, back].map(|body| actix_web::rt::spawn(clerk.post(UPDATES).json(body).send()));
        let mut succeeded = 0;
        for task in tasks {
            let reply = task.await.expect("an answer").status(200);
            succeeded += reply.json["succeeded"].as_u64().expect("a number");
        }
        assert_eq!(succeeded, 4);
    }
}

#[test]
fn the_rows_that_are_done_in_bulk_are_open_to_machines() {
    use jianjian::api::cases::bulk::UpdateAction;
    use jianjian::workflow::rule::is_open_to_machines;
    for action in UpdateAction::ALL {
        let rule = rules().find(|rule| rule.action.as_str() == action.as_str());
        assert!(
            rule.is_some_and(|rule| is_open_to_machines(rule.action)),
            "{action:?}"
        );
    }
}
