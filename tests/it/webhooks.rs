//! Webhooks: what is set up, what is sent, to whom it may go, and what bad receivers do.

use std::time::Duration;

use jianjian::app::publish;
use jianjian::ids::WebhookId;
use jianjian::keep::Keeper;
use jianjian::store::webhooks;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::support::receiver::{Answer, OK, Receiver};
use crate::support::seed::Town;
use crate::support::story::Story;
use crate::support::{Client, Reply, TestApp, steps};

const HOOKS: &str = "/api/v1/webhooks";

/// A service that sends to this machine and is not patient.
async fn lax() -> TestApp {
    TestApp::start_with(|config| {
        config.webhooks.allow_insecure_targets = true;
        config.webhooks.timeout = Duration::from_secs(1);
        config.webhooks.keeper = Keeper::new("webhooks.key", Some([7; 32]));
    })
    .await
}

fn body(url: &str, events: &[&str], role: &str) -> Value {
    json!({ "url": url, "events": events, "reads_as": { "role": role } })
}

/// Subscribes as the administrator; gives the path and the secret.
async fn subscribe(client: &Client, url: &str, events: &[&str]) -> (String, String) {
    let made = client
        .post(HOOKS)
        .json(body(url, events, "committee_staff"))
        .send()
        .await
        .status(201);
    (
        made.text_header("location").to_owned(),
        made.text("/secret"),
    )
}

async fn draft(app: &TestApp, town: &Town) -> Reply {
    let member = app.signed_in(town, &town.members[0]);
    steps::draft(&member, "关于优化公交线路的提案").await
}

async fn deliveries(client: &Client, hook: &str, query: &str) -> Vec<Value> {
    let page = client
        .get(&format!("{hook}/deliveries?limit=100{query}"))
        .send()
        .await
        .status(200);
    page.json["items"].as_array().expect("items").clone()
}

fn advance(app: &TestApp, seconds: i64) {
    app.clock.advance(SignedDuration::from_secs(seconds));
}

#[actix_web::test]
async fn a_subscription_is_set_up_shown_changed_and_removed_and_its_secret_is_shown_once() {
    let app = lax().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let wanted = body(
        "http://127.0.0.1:4711/in",
        &["proposal.filed", "reply.*"],
        "committee_staff",
    );
    let create = || administrator.post(HOOKS).key("webhook-key-1").json(&wanted);
    let trial = administrator
        .post(&format!("{HOOKS}?validate_only=true"))
        .json(&wanted);
    assert_eq!(trial.send().await.status(201).json["secret"], Value::Null);
    let made = create().send().await.status(201);
    let (path, secret) = (
        made.text_header("location").to_owned(),
        made.text("/secret"),
    );
    assert!(secret.starts_with("whsec_") && secret.len() > 40);
    let again = create().send().await.status(201);
    assert_eq!(again.text_header("idempotency-replayed"), "true");
    assert_eq!(
        (again.id(), &again.json["secret"]),
        (made.id(), &Value::Null)
    );

    let auditor = app.signed_in(&town, &town.auditor);
    for client in [&administrator, &auditor] {
        let seen = client.get(&path).send().await.status(200);
        assert_eq!(seen.json["secret"], Value::Null);
        assert_eq!(seen.json["events"], wanted["events"]);
        let list = client.get(HOOKS).send().await.status(200);
        assert_eq!(list.json["items"][0]["id"], made.id());
        assert!(!String::from_utf8_lossy(&list.body).contains("whsec_"));
    }
    // What is kept cannot be read without the key.
    let (committee, id) = (
        town.committee,
        made.id().parse::<WebhookId>().expect("an id"),
    );
    let row = app.read(move |tx| webhooks::find(tx, committee, id)).await;
    assert!(row.secret.starts_with("aes256gcm:"), "{}", row.secret);

    let patch = json!({ "status": "paused", "description": "办文系统" });
    let paused = administrator
        .patch(&path)
        .if_match(made.version())
        .json(&patch)
        .send()
        .await
        .status(200);
    assert_eq!(
        (&paused.json["status"], paused.version()),
        (&json!("paused"), 2)
    );
    auditor
        .patch(&path)
        .if_match(2)
        .json(&patch)
        .send()
        .await
        .status(403);
    app.signed_in(&town, &town.staff)
        .get(&path)
        .send()
        .await
        .status(403);
    let other = app.town_called("linjiang").await;
    app.signed_in(&other, &other.administrator)
        .get(&path)
        .send()
        .await
        .status(404);
    administrator
        .post(&format!("{path}/actions/ping"))
        .if_match(2)
        .json(json!({}))
        .send()
        .await
        .status(409)
        .code("state-conflict");
    administrator
        .request(awc::http::Method::DELETE, &path)
        .if_match(2)
        .send()
        .await
        .status(204);
    administrator.get(&path).send().await.status(404);

    // The audit trail has it all, without the secret.
    app.work().await;
    let feed = auditor
        .get("/api/v1/events?kind=webhook&limit=100")
        .send()
        .await
        .status(200);
    let names: Vec<_> = feed.json["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["name"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(
        names,
        ["webhook.created", "webhook.changed", "webhook.deleted"]
    );
}

/// The independent library verifies what arrives; the message is thin.
#[actix_web::test]
async fn what_arrives_is_signed_as_standard_webhooks_asks() {
    let app = lax().await;
    #[expect(
        clippy::disallowed_methods,
        reason = "the library compares with the system clock"
    )]
    app.clock.set(Timestamp::now());
    let town = app.town().await;
    let receiver = Receiver::start(OK).await;
    let administrator = app.signed_in(&town, &town.administrator);
    let (path, secret) = subscribe(&administrator, &receiver.url, &["proposal.*"]).await;
    let draft = draft(&app, &town).await;
    app.work().await;
    let received = receiver.received();
    assert_eq!(received.len(), 1);
    let message = &received[0];
    let library = Webhook::new(&secret).expect("a secret");
    library
        .verify(message.body.as_bytes(), &message.headers)
        .expect("the signature");
    let changed = message.body.replace("created", "deleted");
    assert!(
        library
            .verify(changed.as_bytes(), &message.headers)
            .is_err()
    );
    let (_, other) = subscribe(&administrator, &receiver.url, &["x.*"]).await;
    let other = Webhook::new(&other).expect("a secret");
    assert!(
        other
            .verify(message.body.as_bytes(), &message.headers)
            .is_err()
    );

    let json = message.json();
    assert_eq!(
        message.header("content-type"),
        "application/cloudevents+json; charset=utf-8"
    );
    assert_eq!(json["specversion"], "1.0");
    assert_eq!(json["type"], "proposal.created");
    assert_eq!(json["subject"], draft.id());
    assert_eq!(json["data"]["proposal_id"], draft.id());
    assert_eq!(json["data"]["id"], json["id"]);
    assert!(
        json["source"]
            .as_str()
            .expect("text")
            .ends_with(&town.committee.to_string())
    );
    assert!(!message.body.contains("公交"), "no texts");

    let log = deliveries(&administrator, &path, "").await;
    assert_eq!(log.len(), 1);
    assert_eq!(log[0]["status"], "delivered");
    assert_eq!(log[0]["id"], message.header("webhook-id"));
    assert_eq!(log[0]["attempts"][0]["status"], 204);
    let one = format!(
        "/api/v1/webhook-deliveries/{}",
        message.header("webhook-id")
    );
    let one = administrator.get(&one).send().await.status(200);
    assert_eq!(one.json["message"], json);
}

#[actix_web::test]
async fn after_a_rotation_both_secrets_count_for_the_chosen_time() {
    let app = lax().await;
    let town = app.town().await;
    let receiver = Receiver::start(OK).await;
    let administrator = app.signed_in(&town, &town.administrator);
    let (path, old) = subscribe(&administrator, &receiver.url, &["proposal.*"]).await;
    let rotate = administrator
        .post(&format!("{path}/actions/rotate-secret"))
        .header("If-Match", "*");
    let rotated = rotate
        .json(json!({ "keep_old_hours": 2 }))
        .send()
        .await
        .status(200);
    let new = rotated.text("/secret");
    assert_ne!(old, new);
    draft(&app, &town).await;
    app.work().await;
    advance(&app, 2 * 3600);
    draft(&app, &town).await;
    app.work().await;
    let received = receiver.received();
    let signed = |index: usize, secret: &str| {
        let message = &received[index];
        let at = message
            .header("webhook-timestamp")
            .parse()
            .expect("seconds");
        let library = Webhook::new(secret).expect("a secret");
        let signature = library.sign(message.header("webhook-id"), at, message.body.as_bytes());
        let signature = signature.expect("a signature");
        message
            .header("webhook-signature")
            .split(' ')
            .any(|one| one == signature)
    };
    assert!(signed(0, &new) && signed(0, &old));
    assert!(signed(1, &new) && !signed(1, &old));
    let wrong = app
        .signed_in(&town, &town.administrator)
        .post(&format!("{path}/actions/rotate-secret"))
        .header("If-Match", "*");
    wrong
        .json(json!({ "keep_old_hours": 169 }))
        .send()
        .await
        .status(422)
        .blames(&["/keep_old_hours"]);
}

#[actix_web::test]
async fn a_message_is_tried_by_the_schedule_then_given_up_and_sent_again_by_hand() {
    let app = lax().await;
    let town = app.town().await;
    let receiver = Receiver::start(Answer::Status(500, "", "out of order")).await;
    let administrator = || app.signed_in(&town, &town.administrator);
    let (path, _) = subscribe(&administrator(), &receiver.url, &["proposal.*"]).await;
    draft(&app, &town).await;
    app.work().await;
    assert_eq!(receiver.count(), 1);
    for (done, pause) in [5, 300, 1800, 7200, 18_000, 36_000, 36_000]
        .into_iter()
        .enumerate()
    {
        advance(&app, pause - 1);
        app.work().await;
        assert_eq!(receiver.count(), done + 1, "not before {pause} s");
        advance(&app, pause / 5 + 2);
        app.work().await;
        assert_eq!(receiver.count(), done + 2, "after {pause} s");
    }
    advance(&app, 100_000);
    app.work().await;
    assert_eq!(receiver.count(), 8);
    let ids: std::collections::BTreeSet<_> = receiver
        .received()
        .iter()
        .map(|message| message.header("webhook-id").to_owned())
        .collect();
    assert_eq!(ids.len(), 1, "the same on every attempt");
    let bodies: std::collections::BTreeSet<_> = receiver
        .received()
        .into_iter()
        .map(|message| message.body)
        .collect();
    assert_eq!(bodies.len(), 1);
    let log = deliveries(&administrator(), &path, "&status=failed").await;
    assert_eq!(log[0]["attempts"].as_array().expect("attempts").len(), 8);
    assert_eq!(log[0]["attempts"][7]["error"], "answered 500: out of order");
    assert_eq!(log[0]["next_at"], Value::Null);

    receiver.answers(OK);
    let one = format!("/api/v1/webhook-deliveries/{}", ids.first().expect("one"));
    let seen = administrator().get(&one).send().await.status(200);
    let replay = administrator()
        .post(&format!("{one}/actions/replay"))
        .if_match(seen.version());
    replay.json(json!({})).send().await.status(200);
    // The receiver had failed too often and is left alone for a while.
    advance(&app, 3600);
    app.work().await;
    assert_eq!(receiver.count(), 9);
    assert_eq!(
        receiver.received()[8].header("webhook-id"),
        ids.first().expect("one")
    );
    assert_eq!(
        deliveries(&administrator(), &path, "&status=delivered")
            .await
            .len(),
        1
    );
}

#[actix_web::test]
async fn what_failed_since_a_moment_is_sent_again() {
    let app = lax().await;
    let town = app.town().await;
    let receiver = Receiver::start(Answer::Status(503, "", "")).await;
    let administrator = || app.signed_in(&town, &town.administrator);
    let (path, _) = subscribe(&administrator(), &receiver.url, &["proposal.*"]).await;
    draft(&app, &town).await;
    app.work().await;
    // Held back so long, it is given up.
    advance(&app, 73 * 3600);
    app.work().await;
    let since = app.clock_now();
    draft(&app, &town).await;
    draft(&app, &town).await;
    app.work().await;
    advance(&app, 73 * 3600);
    app.work().await;
    app.work().await;
    assert_eq!(
        deliveries(&administrator(), &path, "&status=failed")
            .await
            .len(),
        3
    );
    receiver.answers(OK);
    let before = receiver.count();
    let again = administrator()
        .post(&format!("{path}/actions/replay-failed"))
        .header("If-Match", "*");
    let again = again
        .json(json!({ "since": since }))
        .send()
        .await
        .status(200);
    assert_eq!(again.json["replayed"], 2);
    advance(&app, 3700);
    app.work().await;
    assert_eq!(receiver.count(), before + 2);
}

#[actix_web::test]
async fn a_receiver_that_is_gone_is_left_alone_until_it_is_activated_again() {
    let app = lax().await;
    let town = app.town().await;
    let receiver = Receiver::start(Answer::Status(410, "", "")).await;
    let administrator = app.signed_in(&town, &town.administrator);
    let (path, _) = subscribe(&administrator, &receiver.url, &["proposal.*"]).await;
    draft(&app, &town).await;
    app.work().await;
    let seen = administrator.get(&path).send().await.status(200);
    assert_eq!(
        (&seen.json["status"], &seen.json["disabled_reason"]),
        (&json!("disabled"), &json!("gone"))
    );
    draft(&app, &town).await;
    app.work().await;
    assert_eq!(receiver.count(), 1);
    receiver.answers(OK);
    let active = json!({ "status": "active" });
    administrator
        .patch(&path)
        .if_match(seen.version())
        .json(active)
        .send()
        .await
        .status(200);
    app.work().await;
    assert_eq!(
        receiver.count(),
        1,
        "what happened meanwhile is not delivered"
    );
    let known = draft(&app, &town).await.id();
    app.work().await;
    assert_eq!(receiver.count(), 2);
    assert_eq!(receiver.received()[1].json()["subject"], known);
    let events = app
        .signed_in(&town, &town.auditor)
        .get("/api/v1/events?name=webhook.disabled")
        .send()
        .await;
    assert_eq!(events.json["items"].as_array().expect("items").len(), 1);
}

#[actix_web::test]
async fn what_happens_during_a_pause_is_delivered_afterwards() {
    let app = lax().await;
    let town = app.town().await;
    let receiver = Receiver::start(OK).await;
    let administrator = app.signed_in(&town, &town.administrator);
    let (path, _) = subscribe(&administrator, &receiver.url, &["proposal.*"]).await;
    let set = async |status: &str| {
        let patch = administrator.patch(&path).header("If-Match", "*");
        patch
            .json(json!({ "status": status }))
            .send()
            .await
            .status(200);
    };
    set("paused").await;
    draft(&app, &town).await;
    app.work().await;
    assert_eq!(receiver.count(), 0);
    set("active").await;
    app.work().await;
    assert_eq!(receiver.count(), 1);
    // A test goes the same way.
    let ping = administrator
        .post(&format!("{path}/actions/ping"))
        .header("If-Match", "*");
    let ping = ping.json(json!({})).send().await.status(201);
    app.work().await;
    assert_eq!(receiver.received()[1].kind(), "webhook.ping");
    let seen = administrator
        .get(ping.text_header("location"))
        .send()
        .await
        .status(200);
    assert_eq!(seen.json["status"], "delivered");
}

#[actix_web::test]
async fn redirects_are_not_followed_and_a_wish_for_a_pause_is_heard() {
    let app = lax().await;
    let town = app.town().await;
    let trap = Receiver::start(OK).await;
    let location: &'static str = Box::leak(format!("Location: {}\r\n", trap.url).into_boxed_str());
    let receiver = Receiver::start(Answer::Status(302, location, "")).await;
    let administrator = app.signed_in(&town, &town.administrator);
    let (path, _) = subscribe(&administrator, &receiver.url, &["proposal.*"]).await;
    draft(&app, &town).await;
    app.work().await;
    assert_eq!((receiver.count(), trap.count()), (1, 0));
    let log = deliveries(&administrator, &path, "").await;
    assert_eq!(log[0]["attempts"][0]["error"], "redirects are not followed");
    receiver.answers(Answer::Status(429, "Retry-After: 200\r\n", ""));
    advance(&app, 7);
    app.work().await;
    assert_eq!(receiver.count(), 2);
    receiver.answers(OK);
    draft(&app, &town).await;
    advance(&app, 190);
    app.work().await;
    assert_eq!(receiver.count(), 2, "nothing while it wants to rest");
    advance(&app, 11);
    app.work().await;
    assert_eq!(receiver.count(), 3);
}

#[actix_web::test]
async fn receivers_that_hang_drip_or_flood_cost_little() {
    let app = lax().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    for (answer, error) in [
        (Answer::Hang, "no answer in time"),
        (Answer::Drip, "no answer in time"),
        (Answer::Huge, "answered 500: xxxx"),
    ] {
        let receiver = Receiver::start(answer).await;
        let (path, _) = subscribe(&administrator, &receiver.url, &["proposal.*"]).await;
        draft(&app, &town).await;
        let from = std::time::Instant::now();
        app.work().await;
        assert!(from.elapsed() < Duration::from_secs(10));
        let log = deliveries(&administrator, &path, "").await;
        let attempt = &log[0]["attempts"][0];
        let words = attempt["error"].as_str().expect("an error");
        assert!(words.starts_with(error) && words.len() < 400, "{words}");
        assert!(attempt["duration_ms"].as_i64().expect("a time") < 3000);
        administrator
            .request(awc::http::Method::DELETE, &path)
            .header("If-Match", "*")
            .send()
            .await
            .status(204);
    }
}

/// Measured by the order of arrivals: while one receiver holds the first messages, the other one
/// has got all of its own.
#[actix_web::test]
async fn one_dead_receiver_delays_no_other() {
    let app = TestApp::start_with(|config| {
        config.webhooks.allow_insecure_targets = true;
        config.webhooks.timeout = Duration::from_secs(20);
        config.jobs.in_server = true;
    })
    .await;
    let town = app.town().await;
    let (dead, good) = (
        Receiver::start(Answer::Hang).await,
        Receiver::start(OK).await,
    );
    let administrator = app.signed_in(&town, &town.administrator);
    subscribe(&administrator, &dead.url, &["proposal.*"]).await;
    subscribe(&administrator, &good.url, &["proposal.*"]).await;
    draft(&app, &town).await;
    dead.wait(1).await;
    for _ in 0..15 {
        draft(&app, &town).await;
    }
    good.wait(16).await;
    assert!(dead.count() <= 4, "{}", dead.count());
}

#[actix_web::test]
async fn a_receiver_that_fails_again_and_again_is_asked_with_one_message() {
    let app = lax().await;
    let town = app.town().await;
    let receiver = Receiver::start(Answer::Status(500, "", "")).await;
    let administrator = app.signed_in(&town, &town.administrator);
    let (path, _) = subscribe(&administrator, &receiver.url, &["proposal.*"]).await;
    for _ in 0..12 {
        draft(&app, &town).await;
    }
    app.work().await;
    let tried = receiver.count();
    assert!((5..=8).contains(&tried), "{tried}");
    let seen = administrator.get(&path).send().await.status(200);
    assert!(seen.json["held_until"].is_string(), "{seen}");
    advance(&app, 30);
    app.work().await;
    assert_eq!(receiver.count(), tried, "left alone");
    advance(&app, 600);
    app.work().await;
    assert_eq!(receiver.count(), tried + 1, "asked once");
    receiver.answers(OK);
    advance(&app, 3600);
    app.work().await;
    let administrator = app.signed_in(&town, &town.administrator);
    assert_eq!(
        deliveries(&administrator, &path, "&status=delivered")
            .await
            .len(),
        12
    );
    let seen = administrator.get(&path).send().await.status(200);
    assert_eq!(
        (&seen.json["failures"], &seen.json["held_until"]),
        (&json!(0), &Value::Null)
    );
}

/// The worker dies after the message arrived and before its outcome is kept: it is sent again,
/// under the same `webhook-id`.
#[actix_web::test]
async fn a_message_whose_outcome_was_lost_is_sent_again_under_its_id() {
    let app = lax().await;
    let town = app.town().await;
    let receiver = Receiver::start(Answer::Hang).await;
    let administrator = app.signed_in(&town, &town.administrator);
    let (path, _) = subscribe(&administrator, &receiver.url, &["proposal.*"]).await;
    draft(&app, &town).await;
    tokio::select! {
        _ = app.work() => panic!("it was to die"),
        () = receiver.wait(1) => {}
    }
    assert_eq!(
        deliveries(&administrator, &path, "").await[0]["attempts"],
        json!([])
    );
    receiver.answers(OK);
    app.work().await;
    assert_eq!(receiver.count(), 1, "its lease still stands");
    advance(&app, 121);
    app.work().await;
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(
        received[0].header("webhook-id"),
        received[1].header("webhook-id")
    );
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(
        deliveries(&administrator, &path, "&status=delivered")
            .await
            .len(),
        1
    );
}

/// I21 and 2.2: a subscription is told what an account of its role may know.
#[actix_web::test]
async fn a_subscription_looks_through_the_eyes_of_its_role() {
    let app = lax().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let mut receivers = Vec::new();
    for reads_as in [
        json!({ "role": "committee_staff" }),
        json!({ "role": "unit_clerk", "unit_id": town.units[0] }),
        json!({ "role": "unit_clerk", "unit_id": town.units[2] }),
        json!({ "role": "administrator" }),
    ] {
        let receiver = Receiver::start(OK).await;
        let wanted = json!({ "url": receiver.url, "reads_as": reads_as,
            "events": ["proposal.*", "feedback.*", "assignment.*"] });
        administrator
            .post(HOOKS)
            .json(wanted)
            .send()
            .await
            .status(201);
        receivers.push(receiver);
    }
    let body = json!({ "kind": "joint", "form": crate::support::story::form() });
    let mut case = Story::draft_of(&app, &town, &town.members[0], body).await;
    let invitation = json!({ "member_ids": crate::support::story::members(&town.members[2..3]) });
    case.does(&town.members[0], "invite-cosigners", invitation)
        .await;
    case.does(&town.members[2], "consent-cosign", json!({}))
        .await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    case.sign(0).await;
    case.approve(0).await;
    case.deliver(0).await;
    case.rate(&town.members[0], 0).await;
    app.work().await;
    let heard = |index: usize, name: &str| {
        let received: &Receiver = &receivers[index];
        received
            .received()
            .iter()
            .any(|message| message.kind() == name)
    };
    assert!(heard(0, "feedback.given") && heard(0, "proposal.filed"));
    assert!(
        heard(1, "assignment.accepted") && !heard(1, "feedback.given"),
        "I21"
    );
    assert_eq!((receivers[2].count(), receivers[3].count()), (0, 0));
    case.rate(&town.members[2], 0).await;
    app.work().await;
    assert!(heard(1, "feedback.concluded"));
}

#[actix_web::test]
async fn publishing_costs_one_statement_and_one_for_each_subscription() {
    let app = lax().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    app.work().await;
    let mut costs = Vec::new();
    for _ in 0..2 {
        draft(&app, &town).await;
        let before = app.db().statements();
        publish::publish(&app.app).await.expect("to publish");
        costs.push(app.db().statements() - before);
        for _ in 0..3 {
            subscribe(&administrator, "http://127.0.0.1:4711/", &["x.*"]).await;
        }
        app.work().await;
    }
    assert!(costs[1] <= costs[0] + 3, "{costs:?}");
}
