//! The own sign-ins: everybody sees those that go on and ends them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::guards::enrolled;
use crate::support::seed::{PASSWORD, Town};
use crate::support::{Client, Reply, TestApp};

const OWN: &str = "/api/v1/auth/sign-ins";
const END: &str = "/api/v1/auth/sign-ins/actions/end";
const ME: &str = "/api/v1/auth/me";

/// Signs in: the client, the identifier of the sign-in and its refresh token.
async fn sign_in(app: &TestApp, town: &Town, username: &str) -> (Client, Value, String) {
    let reply = app.login(town, username, PASSWORD).await.status(200);
    let client = app.client(&reply.text("/access_token"));
    let id = reply.json["user"]["sign_in_id"].clone();
    (client, id, reply.text("/refresh_token"))
}

async fn refresh(app: &TestApp, token: &str) -> Reply {
    let body = json!({ "refresh_token": token });
    let request = app.anonymous().post("/api/v1/auth/refresh");
    request.json(body).send().await
}

/// Identifiers of the sign-ins that are shown, and which of them is the present one.
async fn shown(client: &Client) -> (Vec<Value>, Vec<Value>) {
    let list = client.get(OWN).send().await.status(200);
    let items = list.json["items"].as_array().expect("items").clone();
    let ids = |items: &[Value]| items.iter().map(|item| item["id"].clone()).collect();
    let all: Vec<Value> = ids(&items);
    let current = items.into_iter().filter(|item| item["current"] == true);
    (all, ids(&current.collect::<Vec<_>>()))
}

async fn end(client: &Client, body: Value) -> Reply {
    client.post(END).json(body).send().await
}

#[actix_web::test]
async fn everybody_sees_the_own_sign_ins_and_ends_one_or_all_others() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (phone, phone_id, _) = sign_in(&app, &town, "staff").await;
    // The town itself began with one of everybody.
    assert_eq!(end(&phone, json!({})).await.status(200).json["ended"], 1);
    app.clock.advance(SignedDuration::from_secs(60));
    let (desk, desk_id, _) = sign_in(&app, &town, "staff").await;
    app.clock.advance(SignedDuration::from_secs(60));
    let (thief, thief_id, stolen) = sign_in(&app, &town, "staff").await;
    let (leader, leader_id, _) = sign_in(&app, &town, "leader").await;
    let (all, current) = shown(&desk).await;
    assert_eq!(all, [&thief_id, &desk_id, &phone_id].map(Clone::clone));
    assert_eq!(current, std::slice::from_ref(&desk_id));
    assert_eq!(shown(&leader).await.1, std::slice::from_ref(&leader_id));

    // Somebody else's, and none of anybody's: nothing is told, nothing ends.
    for wrong in [leader_id, json!("sign_019a1b2c3d4e7f8090a1b2c3d4e5f607")] {
        let refused = end(&desk, json!({ "sign_in_id": wrong })).await;
        let refused = refused.status(422).code("invalid-input");
        refused.blames(&["/sign_in_id"]);
    }
    leader.get(ME).send().await.status(200);

    // What follows is told in its order: at moments of its own.
    app.clock.advance(SignedDuration::from_secs(1));
    let one = json!({ "sign_in_id": thief_id });
    assert_eq!(end(&desk, one.clone()).await.status(200).json["ended"], 1);
    thief.get(ME).send().await.status(401);
    refresh(&app, &stolen).await.status(401);
    assert_eq!(end(&desk, one).await.status(200).json["ended"], 0);
    assert_eq!(shown(&phone).await.0, [desk_id.clone(), phone_id.clone()]);

    let (_, other_id, _) = sign_in(&app, &town, "staff").await;
    app.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(end(&desk, json!({})).await.status(200).json["ended"], 2);
    phone.get(ME).send().await.status(401);
    assert_eq!(shown(&desk).await.0, std::slice::from_ref(&desk_id));
    assert_eq!(end(&desk, json!({})).await.status(200).json["ended"], 0);
    leader.get(ME).send().await.status(200);
    app.clock.advance(SignedDuration::from_secs(1));
    // The present one, too: as signing out.
    let own = end(&desk, json!({ "sign_in_id": desk_id })).await;
    assert_eq!(own.status(200).json["ended"], 1);
    desk.get(ME).send().await.status(401);

    let auditor = app.signed_in(&town, &town.auditor);
    let told = "/api/v1/audit/events?name=user.own_sign_ins_ended";
    let told = auditor.get(told).send().await.status(200);
    let told: Vec<_> = told.json["items"]
        .as_array()
        .expect("items")
        .iter()
        .collect();
    assert_eq!(told.len(), 4, "one each time something ended: {told:?}");
    let content = &told[2]["content"];
    assert_eq!((&content["by"], &content["sign_in"]), (&desk_id, &thief_id));
    assert_eq!(told[1]["content"]["sign_ins_ended"], 2, "{told:?}");
    assert!(
        !told[1]
            .to_string()
            .contains(other_id.as_str().expect("text"))
    );
}

#[actix_web::test]
async fn what_cannot_be_continued_is_not_shown() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (_, old, token) = sign_in(&app, &town, "staff").await;
    let (_, unused, _) = sign_in(&app, &town, "staff").await;
    app.clock.advance(SignedDuration::from_hours(6 * 24));
    refresh(&app, &token).await.status(200);
    let moment = app.clock_now();
    app.clock.advance(SignedDuration::from_hours(2 * 24));
    let (client, present, _) = sign_in(&app, &town, "staff").await;
    let list = client.get(OWN).send().await.status(200);
    let item = &list.json["items"][1];
    assert_eq!(
        (list.json["items"].as_array().map(Vec::len)),
        Some(2),
        "{list}"
    );
    assert_eq!(
        (&list.json["items"][0]["id"], &item["id"]),
        (&present, &old),
        "{unused}"
    );
    // Continued after six days, and that is when it was last used.
    let used: jiff::Timestamp = item["last_used_at"]
        .as_str()
        .expect("text")
        .parse()
        .expect("moment");
    assert_eq!(used.as_millisecond(), moment.as_millisecond());
    assert_ne!(item["created_at"], item["last_used_at"]);

    // Page by page; the cursor is the caller's own.
    let first = client
        .get(&format!("{OWN}?limit=1"))
        .send()
        .await
        .status(200);
    let next = format!("{OWN}?limit=1&cursor={}", first.text("/next_cursor"));
    let next_page = client.get(&next).send().await.status(200);
    assert_eq!(next_page.json["items"][0]["id"], old);
    assert!(next_page.json.get("next_cursor").is_none());
    let leader = app.signed_in(&town, &town.leader);
    leader
        .get(&next)
        .send()
        .await
        .status(400)
        .code("invalid-cursor");

    // Where the policy ends idle sign-ins, those are not shown.
    let security = app.signed_in(&town, &town.security);
    let policy = security.put("/api/v1/password-policy");
    let policy = policy.header("If-Match", "\"0\"");
    let idle = json!({ "profile": "modern", "idle_minutes": 5 });
    policy.json(idle).send().await.status(200);
    assert_eq!(
        shown(&client).await.0.len(),
        2,
        "the time counts from the policy"
    );
    app.clock.advance(SignedDuration::from_mins(6));
    let (client, present, _) = sign_in(&app, &town, "staff").await;
    assert_eq!(shown(&client).await.0, [present]);
}

#[actix_web::test]
async fn with_a_second_factor_ending_asks_for_a_recent_proof() {
    let app = TestApp::start().await;
    let town = app.town().await;
    enrolled(&app, &town, &town.staff).await;
    app.clock.advance(SignedDuration::from_mins(10));
    let staff = app.signed_in(&town, &town.staff);
    end(&staff, json!({}))
        .await
        .status(403)
        .code("step-up-required");
    staff.get(OWN).send().await.status(200);
}
