//! What the service says can be done is what can be done; and the desk shows the next task.

use std::collections::BTreeMap;

use awc::http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::seed::{Person, Town};
use crate::support::story::{Story, form, members};

/// An address with its identifiers left out.
fn shape(path: &str) -> String {
    path.split('/')
        .map(|part| {
            if part.starts_with('{') || part.contains('_') {
                "{}"
            } else {
                part
            }
        })
        .collect::<Vec<_>>()
        .join("/")
}

/// The example body of every operation, by method and shape of the address.
async fn examples(app: &TestApp) -> BTreeMap<(String, String), Value> {
    let document = app.openapi().await;
    let mut examples = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            for (_, media) in operation["requestBody"]["content"]
                .as_object()
                .into_iter()
                .flatten()
            {
                examples.insert(
                    (method.to_uppercase(), shape(path)),
                    media["example"].clone(),
                );
            }
        }
    }
    examples
}

fn people(town: &Town) -> Vec<&Person> {
    vec![
        &town.members[0],
        &town.members[1],
        &town.clerk,
        &town.staff,
        &town.examiners[0],
        &town.chair,
        &town.officer,
        &town.unit_clerks[0],
        &town.unit_clerks[1],
        &town.signatories[0],
        &town.signatories[1],
        &town.supervision,
        &town.auditor,
    ]
}

/// The conditions that are not met.
/// Conditions of what is handed in: nobody can tell before.
const OF_THE_BODY: [&str; 1] = ["addressee_owes"];

fn guards(told: &Value) -> Vec<Value> {
    let unmet = told["unmet"].as_array().into_iter().flatten();
    unmet.map(|unmet| unmet["guard"].clone()).collect()
}

/// Compares what each person is told with what happens, on everything in the case.
async fn agrees(case: &Story<'_>, bodies: &BTreeMap<(String, String), Value>) {
    let events = case.trail().await.len();
    let status = case.status().await;
    let targets = std::iter::once(case.path())
        .chain(case.rows.keys().map(|unit| case.row(*unit)))
        .chain(case.replies.keys().map(|unit| case.reply(*unit)));
    let targets: Vec<_> = targets.collect();
    for who in people(case.town) {
        let client = case.as_(who);
        for target in &targets {
            let told = client.get(&format!("{target}/actions")).send().await;
            if told.status == 404 {
                continue;
            }
            for item in told.status(200).json["items"].as_array().expect("items") {
                let at = format!("{} in {status}: {item}", who.username);
                for language in ["zh-CN", "en"] {
                    assert!(
                        item["label"][language]
                            .as_str()
                            .is_some_and(|l| !l.is_empty()),
                        "{at}"
                    );
                }
                let method = item["method"].as_str().expect("a method");
                let href = item["href"].as_str().expect("an address");
                let body = bodies
                    .get(&(method.to_owned(), shape(href)))
                    .unwrap_or_else(|| panic!("no such operation: {at}"));
                let reply = client
                    .request(
                        method.parse::<Method>().expect("a method"),
                        &format!("{href}?validate_only=true"),
                    )
                    .header("If-Match", "*")
                    .json(body)
                    .send()
                    .await;
                if item["allowed"] == true {
                    assert!(item["why_not"].is_null(), "{at}");
                    // The example names units and replies that this town does not have.
                    // It may also name somebody who owes nothing at present.
                    let of_the_body = guards(&reply.json).iter().any(|guard| {
                        guard
                            .as_str()
                            .is_some_and(|guard| OF_THE_BODY.contains(&guard))
                    });
                    assert!(
                        matches!(reply.status, 200 | 201 | 422) || of_the_body,
                        "{at}\n{reply}"
                    );
                } else {
                    assert_eq!(reply.json["code"], item["why_not"]["code"], "{at}\n{reply}");
                    assert_eq!(
                        guards(&reply.json),
                        guards(&item["why_not"]),
                        "{at}\n{reply}"
                    );
                    for language in ["zh-CN", "en"] {
                        let words = item["why_not"]["message"][language].as_str();
                        assert!(words.is_some_and(|words| !words.is_empty()), "{at}");
                    }
                }
            }
        }
    }
    assert_eq!(
        case.trail().await.len(),
        events,
        "validate_only left something in {status}"
    );
}

#[actix_web::test]
async fn what_is_said_to_be_possible_is_what_happens_at_every_step_for_every_role() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let bodies = examples(&app).await;
    let people = &town.members;
    let body = json!({ "kind": "joint", "form": form() });
    let mut case = Story::draft_of(&app, &town, &people[0], body).await;
    agrees(&case, &bodies).await;
    let invitation = json!({ "member_ids": members(&people[1..2]) });
    case.does(&people[0], "invite-cosigners", invitation).await;
    agrees(&case, &bodies).await;
    case.submit().await;
    agrees(&case, &bodies).await;
    case.does(
        &town.staff,
        "return-for-revision",
        json!({ "reason": "请补充。" }),
    )
    .await;
    agrees(&case, &bodies).await;
    case.edit(json!({ "situation": "情况有所补充。" })).await;
    case.submit().await;
    case.does(&people[1], "consent-cosign", json!({})).await;
    case.examine_all().await;
    agrees(&case, &bodies).await;
    case.file().await;
    agrees(&case, &bodies).await;
    case.assign("joint", &[0, 1]).await;
    agrees(&case, &bodies).await;
    case.accept(0).await;
    case.accept(1).await;
    agrees(&case, &bodies).await;
    case.contact(0).await;
    case.give_opinion(1).await;
    case.draft_reply(0).await;
    agrees(&case, &bodies).await;
    case.request_countersign(0).await;
    agrees(&case, &bodies).await;
    case.countersign(0, 1).await;
    case.sign(0).await;
    agrees(&case, &bodies).await;
    case.approve(0).await;
    agrees(&case, &bodies).await;
    case.deliver(0).await;
    agrees(&case, &bodies).await;
    case.rate(&people[0], 0).await;
    case.rate(&people[1], 0).await;
    agrees(&case, &bodies).await;
    case.close().await;
    agrees(&case, &bodies).await;
}

#[actix_web::test]
async fn each_desk_shows_the_next_task_and_nothing_afterwards() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (member, clerk) = (&town.members[0], &town.unit_clerks[0]);
    let signatory = &town.signatories[0];
    let mut case = Story::draft(&app, &town, member).await;
    assert_eq!(case.desk(member).await, ["finish"]);
    case.submit().await;
    assert!(case.desk(member).await.is_empty());
    case.does(
        &town.examiners[0],
        "examine",
        crate::support::story::opinion(&town),
    )
    .await;
    assert!(
        case.desk(&town.examiners[0]).await.is_empty(),
        "the next stage is somebody else's"
    );
    assert_eq!(case.desk(&town.examiners[1]).await, ["examine"]);
    case.does(
        &town.examiners[1],
        "examine",
        crate::support::story::opinion(&town),
    )
    .await;
    assert!(case.desk(&town.examiners[2]).await.is_empty());
    assert_eq!(case.desk(&town.chair).await, ["decide"]);
    case.file().await;
    assert_eq!(case.desk(&town.officer).await, ["assign"]);
    assert!(case.desk(&town.party_officer).await.is_empty());
    case.assign("sole", &[0]).await;
    assert_eq!(case.desk(clerk).await, ["accept"]);
    assert!(case.desk(&town.unit_clerks[1]).await.is_empty());
    case.accept(0).await;
    assert_eq!(
        case.desk(clerk).await,
        ["contact", "reply"],
        "oldest due first"
    );
    case.contact(0).await;
    assert_eq!(case.desk(clerk).await, ["reply"]);
    case.draft_reply(0).await;
    assert_eq!(case.desk(signatory).await, ["sign"]);
    case.sign(0).await;
    assert_eq!(case.desk(&town.supervision).await, ["review"]);
    assert_eq!(case.desk(&town.officer).await, ["review"]);
    case.approve(0).await;
    assert_eq!(case.desk(clerk).await, ["deliver"]);
    case.deliver(0).await;
    assert_eq!(case.desk(member).await, ["give_feedback"]);
    case.rate(member, 0).await;
    assert_eq!(case.desk(&town.staff).await, ["close"]);
    case.close().await;
    for who in people(&town) {
        assert!(case.desk(who).await.is_empty(), "{}", who.username);
    }
}

#[actix_web::test]
async fn a_desk_is_ordered_by_due_date_and_says_what_is_overdue() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let first = Story::draft(&app, &town, member).await;
    let second = Story::draft(&app, &town, member).await;
    first.submit().await;
    second.submit().await;
    let reason = json!({ "reason": "请补充具体措施。" });
    second
        .does(&town.staff, "return-for-revision", reason.clone())
        .await;
    app.clock.advance(SignedDuration::from_hours(48));
    first.does(&town.staff, "return-for-revision", reason).await;
    let read = async || {
        let page = first
            .as_(member)
            .get("/api/v1/desk")
            .send()
            .await
            .status(200);
        page.json["items"].as_array().expect("items").clone()
    };
    let desk = read().await;
    assert_eq!(desk[0]["proposal_id"], json!(second.id));
    assert_eq!(desk[1]["proposal_id"], json!(first.id));
    assert!(desk[0]["due_at"].as_str() < desk[1]["due_at"].as_str());
    assert_eq!(desk[0]["overdue"], false);
    let actions = first.as_(member);
    for item in &desk {
        actions
            .get(item["actions_href"].as_str().expect("an address"))
            .send()
            .await
            .status(200);
    }
    app.clock.advance(SignedDuration::from_hours(24 * 60));
    for item in read().await {
        assert_eq!(item["overdue"], true, "{item}");
        assert!(
            item["days_left"].as_i64().is_some_and(|days| days < 0),
            "{item}"
        );
    }
    let clocks = first.seen_by(&town.staff).await.json["clocks"].clone();
    assert_eq!(clocks[0]["kind"], "K02");
    assert_eq!(clocks[0]["overdue"], true);
}
