//! People who act at the same moment.

use std::collections::BTreeSet;

use actix_web::rt::spawn;
use serde_json::{Value, json};

use crate::support::{Reply, TestApp, people, steps};

async fn app() -> TestApp {
    TestApp::start_with(|config| config.database.threads.write = 8).await
}

async fn all(requests: impl IntoIterator<Item = crate::support::Request>) -> Vec<Reply> {
    let tasks: Vec<_> = requests
        .into_iter()
        .map(|request| spawn(request.send()))
        .collect();
    let mut replies = Vec::new();
    for task in tasks {
        replies.push(task.await.expect("an answer"));
    }
    replies
}

fn numbers(replies: &[Reply], name: &str) -> BTreeSet<i64> {
    replies
        .iter()
        .filter_map(|reply| reply.json[name].as_i64())
        .collect()
}

#[actix_web::test]
async fn of_identical_acts_exactly_one_happens() {
    let app = app().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    for round in 0..5 {
        let draft = steps::draft(&member, &format!("关于优化公交线路的提案{round}")).await;
        let path = draft.text_header("location").to_owned();
        let before = app.database().row_counts();
        let submit = format!("{path}/actions/submit");
        let requests = (0..4).map(|_| {
            member
                .post(&submit)
                .if_match(draft.version())
                .json(json!({}))
        });
        let replies = all(requests).await;
        let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses[0], 200, "{statuses:?}");
        assert!(
            statuses[1..]
                .iter()
                .all(|status| [409, 412].contains(status)),
            "{statuses:?}"
        );
        let read = member.get(&path).send().await.ok();
        assert_eq!(
            (read.version(), read.json["serial_no"].as_i64()),
            (draft.version() + 1, Some(round + 1))
        );
        let after = app.database().row_counts();
        assert_eq!(after["events"], before["events"] + 1);
    }
}

#[actix_web::test]
async fn parallel_submissions_are_numbered_without_a_gap() {
    let app = app().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let mut drafts = Vec::new();
    for number in 0..40 {
        drafts.push(steps::draft(&member, &format!("关于第{number}条线路的提案")).await);
    }
    let requests = drafts.iter().map(|draft| {
        let path = format!("{}/actions/submit", draft.text_header("location"));
        member.post(&path).if_match(draft.version()).json(json!({}))
    });
    let replies = all(requests).await;
    assert!(
        replies.iter().all(|reply| reply.status == 200),
        "{}",
        replies[0]
    );
    assert_eq!(numbers(&replies, "serial_no"), (1..=40).collect());
}

#[actix_web::test]
async fn parallel_filings_are_numbered_without_a_gap_and_refusals_take_none() {
    let app = app().await;
    let town = app.town().await;
    let chair = app.signed_in(&town, &town.chair);
    let mut paths = Vec::new();
    for number in 0..40 {
        let title = format!("关于第{number}条线路的提案");
        // Every fourth one has not been examined, and so cannot be filed.
        paths.push(if number % 4 == 3 {
            steps::submitted(&app, &town, &title).await
        } else {
            steps::examined(&app, &town, &title).await
        });
    }
    let requests = paths.iter().map(|path| {
        let request = chair.post(&format!("{path}/actions/file"));
        request.header("If-Match", "*").json(steps::filing())
    });
    let replies = all(requests).await;
    for (number, reply) in replies.iter().enumerate() {
        assert_eq!(
            reply.status,
            if number % 4 == 3 { 409 } else { 200 },
            "{reply}"
        );
    }
    assert_eq!(numbers(&replies, "case_no"), (1..=30).collect());
}

#[actix_web::test]
async fn thirty_co_handlers_accept_at_once() {
    let app = app().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let security = app.signed_in(&town, &town.security);
    let mut rows = vec![json!({ "unit_id": town.units[0], "role": "lead" })];
    for number in 0..30 {
        let unit = json!({
            "name": format!("市直第{number}局"), "system_line": "government", "reply_prefix": "云直提复",
        });
        let unit = administrator
            .post("/api/v1/units")
            .json(unit)
            .send()
            .await
            .status(201);
        let user = json!({ "username": format!("clerk.{number}"), "display_name": "陈思源" });
        let roles = json!([{ "role": "unit_clerk", "unit_id": unit.id() }]);
        people::account(&administrator, &security, user, &roles).await;
        rows.push(json!({ "unit_id": unit.id(), "role": "co_handler" }));
    }
    let path = steps::filed(&app, &town, "关于优化公交线路的提案").await;
    let officer = app.signed_in(&town, &town.officer);
    let body = json!({ "handling_kind": "joint", "rows": rows });
    let case = steps::act(&officer, &path, "assign", body)
        .await
        .status(200);
    let rows = case.json["assignments"].as_array().expect("rows");
    let row_of = |unit: &Value| {
        let row = rows
            .iter()
            .find(|row| row["unit"]["id"] == *unit || row["unit_id"] == *unit);
        row.expect("the row")["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    let users = administrator
        .get("/api/v1/users?role=unit_clerk&limit=100")
        .send()
        .await
        .ok();
    let mut requests = Vec::new();
    for user in users.json["items"].as_array().expect("users") {
        let username = user["username"].as_str().expect("a name");
        if !username.starts_with("clerk.") {
            continue;
        }
        let clerk = app.first_sign_in(&town.code, username, people::FIRST).await;
        let row = row_of(&user["roles"][0]["unit_id"]);
        let request = clerk.post(&format!("/api/v1/assignments/{row}/actions/accept"));
        requests.push(request.if_match(1).json(steps::clerk()));
    }
    assert_eq!(requests.len(), 30);
    for reply in all(requests).await {
        assert_eq!(reply.json["status"], "accepted", "{reply}");
        reply.status(200);
    }
}
