//! Tokens of machine clients: made, used, narrowed, rotated, revoked (I10, I33, I35).

use std::time::Duration;

use jianjian::auth::api_token::{ApiToken, TEXT_LENGTH};
use jianjian::ids::{ApiTokenId, CommitteeId};
use jianjian::store::events::{self, Stream};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::seed::Town;
use crate::support::story::Story;
use crate::support::{Client, Reply, TestApp, rows, steps};

const TOKENS: &str = "/api/v1/api-tokens";

/// A token for the clerk of the first unit, for 100 days.
fn wanted(app: &TestApp, town: &Town) -> Value {
    let expires_at = app.clock_now() + SignedDuration::from_hours(100 * 24);
    json!({
        "name": "市交通运输局公文系统", "role": "unit_clerk",
        "unit_id": town.units[0], "expires_at": expires_at,
    })
}

async fn made(app: &TestApp, town: &Town, body: Value) -> Reply {
    let security = app.signed_in(town, &town.security);
    security.post(TOKENS).json(body).send().await.status(201)
}

async fn machine(app: &TestApp, town: &Town) -> (String, Client) {
    let made = made(app, town, wanted(app, town)).await;
    (made.id(), app.client(&made.text("/token")))
}

async fn refused(client: &Client) {
    let reply = client.get("/api/v1/desk").send().await.status(401);
    reply.code("unauthenticated");
}

#[actix_web::test]
async fn a_department_s_own_system_does_the_work_of_its_clerk() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (id, client) = machine(&app, &town).await;
    let me = client.get("/api/v1/auth/me").send().await.status(200);
    assert_eq!(me.text("/display_name"), "市交通运输局公文系统");
    assert_eq!(me.text("/roles/0/unit/name"), "市交通运输局");

    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("joint", &[0, 1]).await;
    let desk = client.get("/api/v1/desk").send().await.status(200);
    assert_eq!(desk.text("/items/0/task"), "accept", "{desk}");

    // The row of its own unit, as the clerk sees it; that of another unit is for others.
    let clerk = case.as_(&town.unit_clerks[0]);
    let seen = client.get(&case.row(0)).send().await.status(200);
    let by_clerk = clerk.get(&case.row(0)).send().await.status(200);
    assert_eq!(seen.json, by_clerk.json);
    let accept = |row: usize, key: &'static str| {
        client
            .post(&format!("{}/actions/accept", case.row(row)))
            .header("If-Match", "*")
            .key(key)
            .json(steps::clerk())
    };
    accept(1, "other-unit")
        .send()
        .await
        .status(403)
        .code("forbidden");
    let done = accept(0, "accept-0001").send().await.status(200);
    let again = accept(0, "accept-0001").send().await.status(200);
    assert_eq!(again.text_header("idempotency-replayed"), "true");
    assert_eq!(again.json, done.json);

    // The trail names the token as the actor, under an identifier that stays.
    let trail = case.trail().await;
    let event = trail
        .iter()
        .find(|event| event.name == "assignment.accepted");
    let event = event.expect("the event");
    assert_eq!(event.actor_name, "市交通运输局公文系统");
    assert_eq!(event.actor_role, "unit_clerk");
    let account: ApiTokenId = id.parse().expect("an id");
    assert_eq!(event.actor_id, Some(account.cast()));
    let auditor = app.signed_in(&town, &town.auditor);
    rows::witness(&auditor, &case.path(), &["AT02"]).await;

    // A file goes with its account.
    let upload = client
        .post(&format!("{}/attachments", case.path()))
        .key("upload-0001")
        .raw(
            steps::MULTIPART,
            steps::parts(&[("file", Some("a.pdf"), steps::PDF)]),
        )
        .send()
        .await;
    upload.status(201);
}

#[actix_web::test]
async fn the_token_is_shown_once_and_stored_hashed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let security = app.signed_in(&town, &town.security);
    let post = || {
        security
            .post(TOKENS)
            .json(wanted(&app, &town))
            .key("token-for-transport")
    };
    let made = post().send().await.status(201);
    let secret = made.text("/token");
    assert_eq!(secret.len(), TEXT_LENGTH);
    let parsed = ApiToken::parse(&secret).expect("prefix and sum");
    assert_eq!(made.text("/prefix"), secret[..20]);
    assert!(made.text_header("location").ends_with(&made.id()));

    // Repeated by its key the answer comes without the secret, and no second token is made.
    let again = post().send().await.status(201);
    assert_eq!(again.text_header("idempotency-replayed"), "true");
    assert_eq!((again.id(), again.json.get("token")), (made.id(), None));
    let list = security.get(TOKENS).send().await.status(200);
    assert_eq!(list.json["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(list.text("/items/0/created_by_name"), "安全管理员·security");
    let one = security
        .get(&format!("{TOKENS}/{}", made.id()))
        .send()
        .await
        .status(200);
    assert_eq!(one.json, list.json["items"][0]);
    assert_eq!(one.json.get("token"), None);
    let trial = security
        .post(&format!("{TOKENS}?validate_only=true"))
        .json(wanted(&app, &town))
        .send()
        .await
        .status(201);
    assert_eq!(trial.json.get("token"), None);
    assert_eq!(app.database().row_counts()["api_tokens"], 1);

    // Neither the trail nor the stored answer has it.
    let stream = Stream::of(town.committee, "api_token", parsed.id());
    let trail = app.read(move |tx| events::list(tx, &stream, 0, 10)).await;
    assert_eq!(trail[0].name, "api_token.created");
    assert!(!trail[0].content.0.to_string().contains(&secret));

    // Its account is not on the register of accounts, and cannot sign in.
    let account = one.text("/account_id");
    let users = security
        .get("/api/v1/users?limit=100")
        .send()
        .await
        .status(200);
    assert!(!users.json.to_string().contains(&account));
    security
        .get(&format!("/api/v1/users/{account}"))
        .send()
        .await
        .status(404);
    let filtered = format!(
        "{TOKENS}?unit_id={}&role=unit_clerk&revoked=false&count=true",
        town.units[0]
    );
    assert_eq!(
        security.get(&filtered).send().await.status(200).json["count"],
        1
    );
    let other = format!("{TOKENS}?unit_id={}", town.units[1]);
    assert_eq!(
        security.get(&other).send().await.status(200).json["items"],
        json!([])
    );
    security
        .get(&format!("{TOKENS}?revoked=perhaps"))
        .send()
        .await
        .status(400);

    // Others neither make nor read them.
    for person in [&town.staff, &town.chair, &town.unit_clerks[0]] {
        let client = app.signed_in(&town, person);
        client.post(TOKENS).json(json!({})).send().await.status(403);
        client.get(TOKENS).send().await.status(403);
    }
    let auditor = app.signed_in(&town, &town.auditor);
    auditor.get(TOKENS).send().await.status(200);
    auditor
        .post(TOKENS)
        .json(json!({}))
        .send()
        .await
        .status(403);
    let elsewhere = app.town_called("linjiang").await;
    let stranger = app.signed_in(&elsewhere, &elsewhere.security);
    stranger
        .get(&format!("{TOKENS}/{}", made.id()))
        .send()
        .await
        .status(404);
}

#[actix_web::test]
async fn what_a_token_may_not_be_is_said_with_its_place() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let security = app.signed_in(&town, &town.security);
    let now = app.clock_now();
    let day = |days: i64| json!(now + SignedDuration::from_hours(days * 24));
    let unknown = "unit_019a1b2c3d4e7f8090a1b2c3d4e5f607";
    let cases: [(&str, Value, &str); 13] = [
        ("/name", json!("   "), "/name"),
        ("/role", json!("administrator"), "/role"),
        ("/role", json!("auditor"), "/role"),
        ("/role", json!("committee_chair"), "/role"),
        ("/role", json!("unit_signatory"), "/role"),
        ("/role", json!("member"), "/role"),
        ("/role", json!("committee_staff"), "/role"),
        ("/unit_id", json!(unknown), "/unit_id"),
        ("/expires_at", json!(now), "/expires_at"),
        ("/expires_at", day(367), "/expires_at"),
        ("/operations", json!([]), "/operations"),
        ("/operations", json!(["no_such_operation"]), "/operations/0"),
        (
            "/operations",
            json!(["accept_assignment", "sign_reply"]),
            "/operations/1",
        ),
    ];
    let before = app.database().row_counts();
    for (field, value, blamed) in cases {
        let mut body = wanted(&app, &town);
        body[field.trim_start_matches('/')] = value.clone();
        let reply = security.post(TOKENS).json(body).send().await;
        let reply = reply.status(422).blames(&[blamed]);
        assert_eq!(reply.json["status"], 422, "{field} {value}");
    }
    let mut body = wanted(&app, &town);
    body.as_object_mut()
        .expect("an object")
        .remove("expires_at");
    security
        .post(TOKENS)
        .json(body)
        .send()
        .await
        .status(422)
        .blames(&["/expires_at"]);
    assert_eq!(app.database().row_counts(), before);
    let mut body = wanted(&app, &town);
    body["expires_at"] = day(366);
    security.post(TOKENS).json(body).send().await.status(201);
}

#[actix_web::test]
async fn an_idempotency_key_is_required_with_every_post() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (_, client) = machine(&app, &town).await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    let before = case.trail().await.len();
    let post = || {
        client
            .post(&format!("{}/actions/accept", case.row(0)))
            .if_match(1)
            .json(steps::clerk())
    };
    post()
        .send()
        .await
        .status(400)
        .code("idempotency-key-required");
    client
        .post("/api/v1/assignment-updates")
        .json(json!({}))
        .send()
        .await
        .status(400)
        .code("idempotency-key-required");
    post()
        .key("short")
        .send()
        .await
        .status(400)
        .code("invalid-header");
    assert_eq!(case.trail().await.len(), before);
    post().key("long-enough").send().await.status(200);
    // Persons may do without.
    case.contact(0).await;
}

#[actix_web::test]
async fn what_a_person_answers_for_is_closed_to_tokens() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (_, client) = machine(&app, &town).await;
    let under_way = steps::under_way(&app, &town, "关于微循环线路的提案").await;
    let post = |path: String| {
        client
            .post(&path)
            .header("If-Match", "*")
            .key("closed-0001")
    };
    // Signing, reviewing, the password: not even looked at.
    for path in [
        format!("{}/actions/sign", under_way.reply),
        format!("{}/actions/approve", under_way.reply),
        format!("{}/actions/submit", under_way.proposal),
        "/api/v1/auth/logout".to_owned(),
        "/api/v1/auth/password".to_owned(),
    ] {
        let reply = post(path).json(json!({ "no_such_field": 1 })).send().await;
        reply.status(403).code("forbidden");
    }
    // The list of actions says the same as the operations.
    let officer = json!({
        "name": "市府办督查系统", "role": "assigning_officer", "line": "government",
        "expires_at": app.clock_now() + SignedDuration::from_hours(24),
    });
    let officer = app.client(&made(&app, &town, officer).await.text("/token"));
    let path = format!("{}/actions", under_way.proposal);
    let actions = officer.get(&path).send().await.status(200);
    let of = |name: &str| {
        let all = actions.json["items"].as_array().expect("actions");
        let found = all.iter().find(|action| action["action"] == name);
        found.expect("the action").clone()
    };
    assert_eq!(of("urge")["allowed"], true, "{actions}");
    assert_eq!(of("adjust_units")["allowed"], false);
    assert_eq!(of("adjust_units")["why_not"]["code"], "forbidden");
    let person = app.signed_in(&town, &town.officer);
    let actions = person.get(&path).send().await.status(200);
    let all = actions.json["items"].as_array().expect("actions");
    let adjust = all.iter().find(|action| action["action"] == "adjust_units");
    assert_eq!(adjust.expect("the action")["allowed"], true);
    // Registers and tokens are for administrators.
    post(TOKENS.to_owned())
        .json(json!({}))
        .send()
        .await
        .status(403);
    client.get(TOKENS).send().await.status(403);
}

#[actix_web::test]
async fn a_token_may_be_narrowed_to_some_operations() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut body = wanted(&app, &town);
    body["operations"] = json!(["get_desk", "get_me"]);
    let listed = made(&app, &town, body).await;
    let client = app.client(&listed.text("/token"));
    client.get("/api/v1/auth/me").send().await.status(200);
    client
        .get("/api/v1/proposals")
        .send()
        .await
        .status(403)
        .code("forbidden");
    client
        .post("/api/v1/assignment-updates")
        .json(json!({}))
        .send()
        .await
        .status(403);
}

#[actix_web::test]
async fn a_token_that_is_not_valid_any_more_is_refused_like_any_other() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let security = app.signed_in(&town, &town.security);
    let (id, client) = machine(&app, &town).await;
    let (_, other) = machine(&app, &town).await;
    client.get("/api/v1/desk").send().await.status(200);

    // Revoked: at once, and for good.
    let revoke = || security.post(&format!("{TOKENS}/{id}/actions/revoke"));
    revoke().send().await.status(428);
    revoke().if_match(9).send().await.status(412);
    let gone = revoke().if_match(1).send().await.status(200);
    assert_eq!(gone.version(), 2);
    refused(&client).await;
    let again = revoke().if_match(2).send().await.status(200);
    assert_eq!(again.version(), 2);
    let rotate = security.post(&format!("{TOKENS}/{id}/actions/rotate"));
    let rotate = rotate.if_match(2).json(json!({ "grace_seconds": 0 }));
    rotate.send().await.status(409).code("guard-unmet");
    let list = security.get(&format!("{TOKENS}?revoked=true")).send().await;
    assert_eq!(list.status(200).text("/items/0/id"), id);

    // Malformed, of nobody, of another committee, or with another secret.
    let committee = town.committee;
    let now = app.clock_now();
    let never = ApiToken::generate(committee, ApiTokenId::new(now)).expect("a token");
    let forged = ApiToken::generate(committee, id.parse().expect("an id")).expect("a token");
    let astray = ApiToken::generate(CommitteeId::new(now), id.parse().expect("an id"));
    let astray = astray.expect("a token");
    for text in [
        "jjt_",
        "jjt_x",
        never.reveal(),
        forged.reveal(),
        astray.reveal(),
        &forged.reveal()[..90],
    ] {
        refused(&app.client(text)).await;
    }

    // A unit that is not active any more.
    let admin = app.signed_in(&town, &town.administrator);
    let unit = format!("/api/v1/units/{}", town.units[0]);
    let version = admin.get(&unit).send().await.status(200).version();
    let shut = admin
        .patch(&unit)
        .if_match(version)
        .json(json!({ "active": false }));
    shut.send().await.status(200);
    refused(&other).await;
    let open = admin
        .patch(&unit)
        .if_match(version + 1)
        .json(json!({ "active": true }));
    open.send().await.status(200);
    other.get("/api/v1/desk").send().await.status(200);

    // A committee that is not.
    app.database()
        .execute("UPDATE committees SET active = FALSE");
    refused(&other).await;
    app.database()
        .execute("UPDATE committees SET active = TRUE");
    other.get("/api/v1/desk").send().await.status(200);

    // Expired.
    app.clock
        .advance(SignedDuration::from_hours(100 * 24) - SignedDuration::from_secs(1));
    other.get("/api/v1/desk").send().await.status(200);
    app.clock.advance(SignedDuration::from_secs(1));
    refused(&other).await;
}

#[actix_web::test]
async fn a_new_secret_leaves_its_client_time_to_change_over() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let security = app.signed_in(&town, &town.security);
    let (id, first) = machine(&app, &town).await;
    let rotate = |version: i32, body: Value| {
        let path = format!("{TOKENS}/{id}/actions/rotate");
        security.post(&path).if_match(version).json(body).send()
    };
    rotate(1, json!({}))
        .await
        .status(422)
        .blames(&["/grace_seconds"]);
    rotate(1, json!({ "grace_seconds": 86_401 }))
        .await
        .status(422);
    let far = app.clock_now() + SignedDuration::from_hours(400 * 24);
    let beyond = json!({ "grace_seconds": 0, "expires_at": far });
    rotate(1, beyond).await.status(422).blames(&["/expires_at"]);

    let before = first.get("/api/v1/auth/me").send().await.status(200);
    let rotated = rotate(1, json!({ "grace_seconds": 3600 }))
        .await
        .status(200);
    assert_eq!(rotated.id(), id);
    let second = app.client(&rotated.text("/token"));
    first.get("/api/v1/desk").send().await.status(200);
    let after = second.get("/api/v1/auth/me").send().await.status(200);
    assert_eq!(after.json, before.json, "the same account");
    app.clock.advance(SignedDuration::from_secs(3600));
    refused(&first).await;
    second.get("/api/v1/desk").send().await.status(200);

    // Twice within the grace: the oldest ends. Without grace: at once.
    let security = app.signed_in(&town, &town.security);
    let rotate = |version: i32, grace: u32| {
        let path = format!("{TOKENS}/{id}/actions/rotate");
        let body = json!({ "grace_seconds": grace });
        security.post(&path).if_match(version).json(body).send()
    };
    let third = rotate(2, 3600).await.status(200);
    let third = app.client(&third.text("/token"));
    let fourth = rotate(3, 3600).await.status(200);
    let fourth = app.client(&fourth.text("/token"));
    refused(&second).await;
    third.get("/api/v1/desk").send().await.status(200);
    let fifth = rotate(4, 0).await.status(200);
    let fifth = app.client(&fifth.text("/token"));
    refused(&third).await;
    refused(&fourth).await;
    fifth.get("/api/v1/desk").send().await.status(200);
}

#[actix_web::test]
async fn a_token_costs_one_statement_and_its_use_is_noted_once_an_hour() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let security = app.signed_in(&town, &town.security);
    let (id, client) = machine(&app, &town).await;
    let path = format!("{TOKENS}/{id}");
    let used = || async {
        let mut seen = Value::Null;
        for _ in 0..100 {
            seen = security.get(&path).send().await.status(200).json["last_used_at"].clone();
            if !seen.is_null() {
                break;
            }
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
        seen
    };
    let tag = security.get(&path).send().await.status(200);
    assert!(tag.json.get("last_used_at").is_none());
    client.get("/api/v1/units").send().await.status(200);
    let first = used().await;
    assert!(first.is_string(), "{first}");
    let clerk = app.signed_in(&town, &town.unit_clerks[0]);
    let count = async |client: &Client| {
        let before = app.db().statements();
        client.get("/api/v1/units").send().await.status(200);
        app.db().statements() - before
    };
    app.clock.advance(SignedDuration::from_mins(59));
    let clerk_again = app.signed_in(&town, &town.unit_clerks[0]);
    drop(clerk);
    let (person, machine) = (count(&clerk_again).await, count(&client).await);
    assert_eq!(machine, person, "a token is one statement, as a sign-in is");
    let security = app.signed_in(&town, &town.security);
    let seen = security.get(&path).send().await.status(200);
    assert_eq!(seen.json["last_used_at"], first);
    assert_eq!(seen.version(), 1, "using it is no change");
}
