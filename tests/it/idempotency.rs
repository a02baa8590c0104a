//! A request with an Idempotency-Key happens once, however often it arrives.

use actix_web::rt::spawn;
use serde_json::json;

use crate::support::{TestApp, steps};

const UNITS: &str = "/api/v1/units";

fn unit(name: &str) -> serde_json::Value {
    json!({ "name": name, "system_line": "government", "reply_prefix": "云体提复" })
}

#[actix_web::test]
async fn a_repeated_request_gets_the_first_answer_again() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let body = json!({ "kind": "individual", "form": steps::form("关于优化公交线路的提案") });
    let make = async || {
        let request = member.post("/api/v1/proposals").key("make-0001");
        request.json(&body).send().await.status(201)
    };
    let first = make().await;
    assert_eq!(first.text_header("idempotency-replayed"), "");
    let path = first.text_header("location").to_owned();
    // The answer is the old one even when the object is not.
    steps::act(&member, &path, "submit", json!({}))
        .await
        .status(200);
    let before = app.database().row_counts();
    let again = make().await;
    assert_eq!(again.text_header("idempotency-replayed"), "true");
    // To the letter, whatever a database makes of documents.
    assert_eq!(again.body, first.body);
    for header in ["location", "etag"] {
        assert_eq!(again.text_header(header), first.text_header(header));
    }
    assert_eq!(app.database().row_counts(), before);
}

#[actix_web::test]
async fn answers_that_were_stored_before_they_were_packed_are_given_again() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let send = async || {
        let request = administrator.post(UNITS).key("old-0001");
        request.json(unit("市体育局")).send().await.status(201)
    };
    let first = send().await;
    // As it was kept: the text of the answer as a document.
    let text = std::str::from_utf8(&first.body).expect("text");
    let document = serde_json::to_string(text).expect("a document");
    let literal = document.replace('\'', "''");
    let sql = format!("UPDATE idempotency_keys SET answer = NULL, body = '{literal}'");
    assert_eq!(app.database().execute(&sql), 1);
    let again = send().await;
    assert_eq!(again.text_header("idempotency-replayed"), "true");
    assert_eq!(again.body, first.body);
}

#[actix_web::test]
async fn an_act_is_repeated_without_its_version_being_stale() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let draft = steps::draft(&member, "关于优化公交线路的提案").await;
    let path = format!("{}/actions/submit", draft.text_header("location"));
    let mut answers = Vec::new();
    for _ in 0..2 {
        let request = member
            .post(&path)
            .key("submit-0001")
            .if_match(draft.version());
        answers.push(request.json(json!({})).send().await.status(200));
    }
    assert_eq!(answers[0].body, answers[1].body);
    assert_eq!(answers[1].text_header("idempotency-replayed"), "true");
}

#[actix_web::test]
async fn a_key_stands_for_one_request_of_one_user_to_one_operation() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let staff = app.signed_in(&town, &town.staff);
    let send = |client: &crate::support::Client, path: &str, name: &str| {
        client.post(path).key("key-0001").json(unit(name)).send()
    };
    send(&administrator, UNITS, "市体育局").await.status(201);
    let other = send(&administrator, UNITS, "市水务局").await;
    other.status(422).code("idempotency-key-reused");
    let reply = send(&staff, UNITS, "市水务局").await.status(201);
    assert_eq!(reply.text_header("idempotency-replayed"), "");
    // The same key at another operation, and in another committee.
    let body = json!({ "name": "民盟云川市委会", "kind": "party" });
    let request = administrator.post("/api/v1/organisations").key("key-0001");
    request.json(body).send().await.status(201);
    let other = app.town_called("qinghe").await;
    let theirs = app.signed_in(&other, &other.administrator);
    send(&theirs, UNITS, "市体育局").await.status(201);
}

#[actix_web::test]
async fn refused_and_trial_requests_leave_the_key_free() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let send = async |path: &str, body: serde_json::Value| {
        administrator
            .post(path)
            .key("key-0002")
            .json(body)
            .send()
            .await
    };
    send(UNITS, json!({ "name": "市体育局" })).await.status(422);
    send(UNITS, unit("市教育局"))
        .await
        .status(409)
        .code("already-exists");
    let trial = format!("{UNITS}?validate_only=true");
    for _ in 0..2 {
        let reply = send(&trial, unit("市体育局")).await.status(201);
        assert_eq!(reply.text_header("idempotency-replayed"), "");
    }
    let made = send(UNITS, unit("市体育局")).await.status(201);
    assert_eq!(made.text_header("idempotency-replayed"), "");
    let leader = app.signed_in(&town, &town.leader);
    let refused = leader
        .post(UNITS)
        .key("key-0003")
        .json(unit("市水务局"))
        .send()
        .await;
    refused.status(403);
}

#[actix_web::test]
async fn keys_have_a_form() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let long = "k".repeat(129);
    let before = app.database().row_counts();
    for wrong in [
        "",
        "short",
        "seven77",
        "with space",
        "钥匙钥匙钥匙钥匙",
        &long,
    ] {
        let request = administrator.post(UNITS).key(wrong).json(unit("市体育局"));
        let reply = request.send().await.status(400).code("invalid-header");
        reply.blames(&["Idempotency-Key"]);
    }
    assert_eq!(app.database().row_counts(), before);
    let long = "k".repeat(128);
    let request = administrator.post(UNITS).key(&long).json(unit("市体育局"));
    request.send().await.status(201);
}

#[actix_web::test]
async fn parallel_twins_have_one_effect() {
    let app = TestApp::start_with(|config| config.database.threads.write = 8).await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    for number in 0..200 {
        let key = &format!("twin-{number:04}");
        let before = app.database().row_counts();
        let body = json!({ "kind": "individual", "form": steps::form(key) });
        let tasks: Vec<_> = (0..32)
            .map(|_| {
                let request = member.post("/api/v1/proposals").key(key).json(&body);
                spawn(request.send())
            })
            .collect();
        let (mut fresh, mut ids) = (0, std::collections::BTreeSet::new());
        for task in tasks {
            let reply = task.await.expect("an answer").status(201);
            fresh += usize::from(reply.text_header("idempotency-replayed").is_empty());
            ids.insert(reply.id());
        }
        assert_eq!((fresh, ids.len()), (1, 1), "{key}");
        let after = app.database().row_counts();
        assert_eq!(after["proposals"], before["proposals"] + 1);
        assert_eq!(after["idempotency_keys"], before["idempotency_keys"] + 1);
    }
}

#[actix_web::test]
async fn of_parallel_requests_with_one_key_and_two_bodies_one_is_refused() {
    let app = TestApp::start_with(|config| config.database.threads.write = 8).await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    for round in 0..5 {
        let key = format!("rivals-{round:04}");
        let tasks: Vec<_> = ["甲", "乙"]
            .into_iter()
            .map(|name| {
                let request = administrator.post(UNITS).key(&key);
                spawn(request.json(unit(&format!("市{name}{round}局"))).send())
            })
            .collect();
        let mut statuses = Vec::new();
        for task in tasks {
            statuses.push(task.await.expect("an answer").status);
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 422]);
    }
}
