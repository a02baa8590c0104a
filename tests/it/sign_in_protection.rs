//! Guessing passwords: delays, locks, the count that instances share, and answers that tell nothing.

use actix_web::rt::spawn;
use awc::http::Method;
use jianjian::config::Clients;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::seed::{PASSWORD, Person, Town};
use crate::support::{Client, Reply, TestApp};

const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";
const ME: &str = "/api/v1/auth/me";
const POLICY: &str = "/api/v1/password-policy";
const WRONG: &str = "moon-over-river";

/// Fails so many times, one after the other.
async fn fail(client: &Client, town: &Town, username: &str, times: usize) {
    for _ in 0..times {
        client
            .login(town, username, WRONG)
            .await
            .status(401)
            .code("bad-credentials");
    }
}

async fn set_policy(app: &TestApp, town: &Town, policy: Value) {
    let security = app.signed_in(town, &town.security);
    let request = security
        .request(Method::PUT, POLICY)
        .header("If-Match", "*");
    request.json(policy).send().await.status(200);
}

fn protection(person: &Person) -> String {
    format!("/api/v1/users/{}/sign-in-protection", person.user)
}

fn events(app: &TestApp, person: &Person, name: &str) -> i64 {
    let id = person.user.uuid().simple().to_string();
    let stream = match app.db().url() {
        jianjian::store::DatabaseUrl::Sqlite(_) => format!("x'{id}'"),
        jianjian::store::DatabaseUrl::Postgres(_) => format!("'{id}'::uuid"),
    };
    app.database().number(&format!(
        "SELECT count(*) AS n FROM events WHERE stream_id = {stream} AND name = '{name}'"
    ))
}

fn wait(app: &TestApp, seconds: i64) {
    app.clock.advance(SignedDuration::from_secs(seconds));
}

#[actix_web::test]
async fn failures_delay_the_name_and_two_instances_count_together() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let second = app.second().await;
    let instances = [app.anonymous(), second.anonymous()];
    // Three are free, wherever they are.
    fail(&instances[0], &town, "staff", 2).await;
    fail(&instances[1], &town, "staff", 1).await;
    instances[0]
        .login(&town, "staff", PASSWORD)
        .await
        .status(200);
    // A sign-in forgets them; the fourth delays by a second, on both.
    fail(&instances[0], &town, "staff", 2).await;
    fail(&instances[1], &town, "staff", 2).await;
    for instance in &instances {
        instance
            .login(&town, "staff", PASSWORD)
            .await
            .status(401)
            .code("bad-credentials");
    }
    wait(&app, 1);
    // Attempts in the meantime made it no longer; the fifth delays by two.
    fail(&instances[1], &town, "staff", 1).await;
    wait(&app, 1);
    instances[0]
        .login(&town, "staff", PASSWORD)
        .await
        .status(401);
    wait(&app, 1);
    instances[0]
        .login(&town, "staff", PASSWORD)
        .await
        .status(200);
    // Other names are not touched, and the history of the account says how many there were.
    instances[0]
        .login(&town, "chair", PASSWORD)
        .await
        .status(200);
    let told = app.database().names(
        "SELECT content AS name FROM events WHERE name = 'user.signed_in' ORDER BY seq"
            .replace(
                "content",
                if app.database().url_text().starts_with("sqlite") {
                    "content"
                } else {
                    "content::text"
                },
            )
            .as_str(),
    );
    assert!(
        told.iter().any(|content| {
            serde_json::from_str::<Value>(content)
                .is_ok_and(|content| content["refused_before"] == 8)
        }),
        "{told:?}"
    );
}

#[actix_web::test]
async fn parallel_guesses_do_not_slip_through() {
    let app = TestApp::start_with(|config| config.database.threads.write = 8).await;
    let town = app.town().await;
    let second = app.second().await;
    // 39 wrong ones at the same time on two instances.
    let tasks: Vec<_> = (0..39)
        .map(|number| {
            let client = if number % 2 == 0 {
                app.anonymous()
            } else {
                second.anonymous()
            };
            let body = json!({ "committee": town.code, "username": "staff", "password": WRONG });
            spawn(client.post(LOGIN).json(body).send())
        })
        .collect();
    for task in tasks {
        task.await.expect("an answer").status(401);
    }
    app.anonymous()
        .login(&town, "staff", PASSWORD)
        .await
        .status(401);
    // Four count, the others came while it was blocked: nobody locks an account for long by haste.
    let security = app.signed_in(&town, &town.security);
    let state = security
        .get(&protection(&town.staff))
        .send()
        .await
        .status(200);
    assert_eq!(state.json["failures"], 4, "{state}");
    // The first few one by one. A sixth would be one that was not counted.
    assert_eq!(events(&app, &town.staff, "user.sign_in_refused"), 5);
    wait(&app, 1);
    app.anonymous()
        .login(&town, "staff", PASSWORD)
        .await
        .status(200);
}

#[actix_web::test]
async fn level_three_locks_after_five_failures_until_somebody_unlocks() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let second = app.second().await;
    set_policy(&app, &town, json!({ "profile": "mlps3" })).await;
    let client = app.anonymous();
    fail(&client, &town, "staff", 4).await;
    wait(&app, 1);
    fail(&client, &town, "staff", 1).await;
    assert_eq!(events(&app, &town.staff, "user.sign_in_locked"), 1);
    wait(&app, 14 * 60 + 59);
    client.login(&town, "staff", PASSWORD).await.status(401);
    wait(&app, 1);
    client.login(&town, "staff", PASSWORD).await.status(200);

    // Locked again, and unlocked on the other instance.
    fail(&client, &town, "staff", 4).await;
    wait(&app, 1);
    fail(&client, &town, "staff", 1).await;
    let security = second.client(&app.token(&town, &town.security));
    let path = protection(&town.staff);
    let state = security.get(&path).send().await.status(200);
    assert_eq!(
        (&state.json["failures"], &state.json["locked"]),
        (&json!(5), &json!(true)),
        "{state}"
    );
    assert!(state.json["blocked_until"].is_string(), "{state}");
    let tag = state.text_header("etag").to_owned();
    // Trying while it is locked changes nothing that is shown.
    client.login(&town, "staff", PASSWORD).await.status(401);
    let same = security
        .get(&path)
        .header("If-None-Match", &tag)
        .send()
        .await;
    same.status(304);
    let unlock = format!("/api/v1/users/{}/actions/unlock", town.staff.user);
    for person in [&town.administrator, &town.staff, &town.auditor, &town.chair] {
        let refused = app
            .signed_in(&town, person)
            .post(&unlock)
            .header("If-Match", "*");
        refused.json(json!({})).send().await.status(403);
    }
    security
        .post(&unlock)
        .json(json!({}))
        .send()
        .await
        .status(428);
    let stale = security
        .post(&unlock)
        .header("If-Match", "\"1\"")
        .json(json!({}));
    stale.send().await.status(412);
    let trial = security
        .post(&format!("{unlock}?validate_only=true"))
        .header("If-Match", &tag);
    trial.json(json!({})).send().await.status(200);
    client.login(&town, "staff", PASSWORD).await.status(401);
    let done = security
        .post(&unlock)
        .header("If-Match", &tag)
        .json(json!({}))
        .send()
        .await;
    let done = done.status(200);
    assert_eq!(
        (&done.json["failures"], &done.json["locked"]),
        (&json!(0), &json!(false))
    );
    assert_eq!(events(&app, &town.staff, "user.sign_in_unlocked"), 1);
    client.login(&town, "staff", PASSWORD).await.status(200);
    // Nobody knows of accounts of other committees.
    let elsewhere = app.town_called("linjiang").await;
    let foreign = app.signed_in(&elsewhere, &elsewhere.security);
    foreign.get(&path).send().await.status(404);
    let foreign = foreign
        .post(&unlock)
        .header("If-Match", "*")
        .json(json!({ "x": 1 }));
    foreign.send().await.status(404);
}

/// The answer without what names the request.
fn told(reply: Reply) -> (u16, Vec<String>, Value) {
    let mut names: Vec<_> = reply
        .headers
        .iter()
        .map(|(name, _)| name.to_string())
        .collect();
    names.sort();
    let mut json = reply.json;
    json["instance"] = Value::Null;
    (reply.status, names, json)
}

#[actix_web::test]
async fn unknown_wrong_delayed_locked_and_shut_are_told_alike() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let strict = app.town_called("linjiang").await;
    set_policy(&app, &strict, json!({ "profile": "mlps3" })).await;
    app.database()
        .execute("UPDATE users SET disabled = TRUE WHERE username = 'leader'");
    let client = app.anonymous();
    fail(&client, &town, "chair", 4).await;
    fail(&client, &strict, "chair", 4).await;
    wait(&app, 1);
    fail(&client, &strict, "chair", 1).await;
    fail(&client, &town, "chair", 1).await;
    fail(&client, &town, "nobody.at.all", 5).await;
    let nowhere = Town {
        code: "nowhere".to_owned(),
        ..town.clone()
    };
    let mut answers = Vec::new();
    for (what, town, username, password) in [
        ("no such committee", &nowhere, "staff", PASSWORD),
        ("unknown", &town, "nobody", PASSWORD),
        ("unknown and delayed", &town, "nobody.at.all", PASSWORD),
        ("wrong", &town, "staff", WRONG),
        ("shut", &town, "leader", PASSWORD),
        ("delayed and wrong", &town, "chair", WRONG),
        ("delayed and right", &town, "chair", PASSWORD),
        ("locked and wrong", &strict, "chair", WRONG),
        ("locked and right", &strict, "chair", PASSWORD),
    ] {
        answers.push((what, told(client.login(town, username, password).await)));
    }
    // Somebody who is right is answered otherwise, and this comparison sees it.
    let right = client.login(&town, "staff", PASSWORD).await;
    answers.push(("right", told(right)));
    let told_apart: Vec<_> = answers
        .iter()
        .filter(|(_, answer)| *answer != answers[0].1)
        .map(|(what, _)| *what)
        .collect();
    assert_eq!(told_apart, ["right"], "{answers:?}");
    assert_eq!(answers[0].1.0, 401);
    // What is kept says neither which names there are nor which were tried.
    let kept = app
        .database()
        .names("SELECT subject AS name FROM sign_in_throttles");
    assert!(kept.len() >= 6, "{kept:?}");
    assert!(kept.iter().all(|subject| subject.len() == 64), "{kept:?}");
}

#[actix_web::test]
async fn a_flood_fills_neither_the_trail_nor_the_table() {
    let app = TestApp::start_with(|config| config.auth.address_limit.refusals = 0).await;
    let town = app.town().await;
    for _ in 0..3 {
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let body =
                    json!({ "committee": town.code, "username": "staff", "password": WRONG });
                spawn(app.anonymous().post(LOGIN).json(body).send())
            })
            .collect();
        for task in tasks {
            task.await.expect("an answer").status(401);
        }
    }
    assert_eq!(events(&app, &town.staff, "user.sign_in_refused"), 5);
    wait(&app, 601);
    fail(&app.anonymous(), &town, "staff", 1).await;
    assert_eq!(events(&app, &town.staff, "user.sign_in_refused"), 6);
    let rows = || {
        app.database()
            .number("SELECT count(*) AS n FROM sign_in_throttles")
    };
    assert_eq!(rows(), 1);
    app.work().await;
    assert_eq!(rows(), 1, "it still counts");
    wait(&app, 25 * 3600);
    app.work().await;
    assert_eq!(rows(), 0, "forgotten by the daily work");
}

#[actix_web::test]
async fn an_address_with_many_refusals_waits_whatever_the_account() {
    let app = TestApp::start_with(|config| config.auth.address_limit.refusals = 5).await;
    let town = app.town().await;
    let client = app.anonymous();
    for number in 0..5 {
        fail(&client, &town, &format!("nobody{number}"), 1).await;
    }
    let refused = client
        .login(&town, "staff", PASSWORD)
        .await
        .status(429)
        .code("too-many-sign-ins");
    assert_eq!(refused.text_header("retry-after"), "601");
    wait(&app, 300);
    let refused = client.login(&town, "nobody", WRONG).await.status(429);
    assert_eq!(refused.text_header("retry-after"), "301");
    // Whoever has signed in goes on; another committee has a count of its own.
    app.signed_in(&town, &town.staff)
        .get(ME)
        .send()
        .await
        .status(200);
    let other = app.town_called("linjiang").await;
    client.login(&other, "staff", PASSWORD).await.status(200);
    wait(&app, 300);
    client.login(&town, "staff", PASSWORD).await.status(200);
}

#[actix_web::test]
async fn behind_a_trusted_proxy_the_client_counts_and_not_the_proxy() {
    let app = TestApp::start_with(|config| {
        config.auth.address_limit.refusals = 2;
        config.server.clients = Clients::behind("x-forwarded-for", "127.0.0.1").expect("settings");
    })
    .await;
    let town = app.town().await;
    let from = async |address: &str, username: &str| {
        let body = json!({ "committee": town.code, "username": username, "password": PASSWORD });
        let request = app
            .anonymous()
            .post(LOGIN)
            .header("X-Forwarded-For", address);
        request.json(body).send().await.status
    };
    assert_eq!(from("203.0.113.9", "nobody1").await, 401);
    // What the client itself wrote stands before what the proxy added.
    assert_eq!(from("198.51.100.7, 203.0.113.9", "nobody2").await, 401);
    assert_eq!(from("203.0.113.9", "staff").await, 429);
    assert_eq!(from("203.0.113.10", "staff").await, 200);
}

#[actix_web::test]
async fn guessing_the_present_password_is_delayed_as_well() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let client = app.signed_in(&town, &town.staff);
    let change = async |old: &str, suffix: &str| {
        let body = json!({ "old_password": old, "new_password": "a-letter-that-gets-an-answer" });
        let path = format!("/api/v1/auth/password{suffix}");
        client.post(&path).json(body).send().await
    };
    // A trial tells as much, so it counts.
    for suffix in ["", "?validate_only=true", "", "?validate_only=true"] {
        change(WRONG, suffix)
            .await
            .status(422)
            .blames(&["/old_password"]);
    }
    let right = told(change(PASSWORD, "").await);
    let wrong = told(change(WRONG, "").await);
    assert_eq!(right, wrong);
    app.anonymous()
        .login(&town, "staff", PASSWORD)
        .await
        .status(401);
    wait(&app, 1);
    change(PASSWORD, "").await.status(204);
    assert_eq!(events(&app, &town.staff, "user.password_change_refused"), 5);
}

/// What ends a sign-in is in force on another instance within five seconds, and at once
/// where something could be changed.
#[actix_web::test]
async fn what_ends_a_sign_in_ends_it_on_the_other_instance_within_five_seconds() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let second = app.second().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let sign_in = async |username: &str| {
        let reply = app
            .anonymous()
            .login(&town, username, PASSWORD)
            .await
            .status(200);
        let tokens = (reply.text("/access_token"), reply.text("/refresh_token"));
        // Both remember who it is.
        for client in [app.client(&tokens.0), second.client(&tokens.0)] {
            client.get(ME).send().await.status(200);
        }
        tokens
    };
    let is_out = async |tokens: &(String, String), what: &str| {
        let here = app.client(&tokens.0).get(ME).send().await;
        assert_eq!(here.status, 401, "{what}, where it was ended: {here}");
        let write = second.client(&tokens.0).post("/api/v1/proposals");
        let write = write.json(json!({})).send().await;
        assert_eq!(write.status, 401, "{what}, a write: {write}");
        let me = async || second.client(&tokens.0).get(ME).send().await;
        app.clock.advance(SignedDuration::from_millis(4999));
        // The control: it is remembered there so long.
        assert_eq!(me().await.status, 200, "{what}, before five seconds");
        app.clock.advance(SignedDuration::from_millis(1));
        let out = me().await;
        assert_eq!(out.status, 401, "{what}, five seconds later: {out}");
        let body = json!({ "refresh_token": tokens.1 });
        let next = second.anonymous().post(REFRESH).json(body).send().await;
        assert_eq!(next.status, 401, "{what}: {next}");
    };

    let out = sign_in("staff").await;
    app.client(&out.0)
        .post("/api/v1/auth/logout")
        .send()
        .await
        .status(204);
    is_out(&out, "signed out").await;

    let (own, other) = (sign_in("staff").await, sign_in("staff").await);
    let body = json!({ "old_password": PASSWORD, "new_password": "a-letter-that-gets-an-answer" });
    app.client(&own.0)
        .post("/api/v1/auth/password")
        .json(body)
        .send()
        .await
        .status(204);
    is_out(&other, "another password").await;
    second.client(&own.0).get(ME).send().await.status(200);

    let shut = sign_in("chair").await;
    let user = format!("/api/v1/users/{}", town.chair.user);
    let change = administrator.patch(&user).header("If-Match", "*");
    change
        .json(json!({ "disabled": true }))
        .send()
        .await
        .status(200);
    is_out(&shut, "shut").await;

    let (officer, _) = sign_in("supervision").await;
    let jobs = async |client: &Client| client.get("/api/v1/jobs").send().await.status;
    let (here, there) = (app.client(&officer), second.client(&officer));
    assert_eq!((jobs(&here).await, jobs(&there).await), (403, 403));
    let roles = format!("/api/v1/users/{}/roles", town.supervision.user);
    let security = app.signed_in(&town, &town.security);
    let (before, granted) = (
        json!([{ "role": "supervision_officer" }]),
        json!([{ "role": "administrator" }]),
    );
    for (set, was, is) in [(granted, 403, 200), (before, 200, 403)] {
        let grant = security
            .request(Method::PUT, &roles)
            .header("If-Match", "*");
        grant.json(json!({ "roles": set })).send().await.status(200);
        assert_eq!((jobs(&here).await, jobs(&there).await), (is, was));
        app.clock.advance(SignedDuration::from_secs(5));
        assert_eq!(jobs(&there).await, is);
    }
}

/// The twin of the test before: somebody is remembered at all.
#[actix_web::test]
async fn who_reads_again_is_not_looked_up_again() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let spent = async || {
        let before = app.db().statements();
        member.get(ME).send().await.status(200);
        app.db().statements() - before
    };
    // Keys are read first of all.
    app.anonymous()
        .login(&town, "staff", PASSWORD)
        .await
        .status(200);
    let first = spent().await;
    let again = spent().await;
    assert!(again < first, "{again} statements after {first}");
    // An act on a case changes nothing of accounts, a change of any register might.
    let draft = json!({ "kind": "individual", "form": crate::support::steps::form("关于优化公交线路的提案") });
    let make = member.post("/api/v1/proposals").json(draft);
    make.send().await.status(201);
    assert_eq!(spent().await, again);
    let administrator = app.signed_in(&town, &town.administrator);
    let unit =
        json!({ "name": "市体育局", "system_line": "government", "reply_prefix": "云体提复" });
    let make = administrator.post("/api/v1/units").json(unit);
    make.send().await.status(201);
    assert_eq!(spent().await, first);
    assert_eq!(spent().await, again);
    app.clock.advance(SignedDuration::from_secs(5));
    assert_eq!(spent().await, first);
}

#[actix_web::test]
async fn sixty_four_refreshes_at_once_leave_one_successor() {
    let app = TestApp::start_with(|config| config.database.threads.write = 8).await;
    let town = app.town().await;
    let second = app.second().await;
    let first = app
        .anonymous()
        .login(&town, "staff", PASSWORD)
        .await
        .status(200);
    let (token, access) = (first.text("/refresh_token"), first.text("/access_token"));
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let client = if number % 2 == 0 {
                app.anonymous()
            } else {
                second.anonymous()
            };
            spawn(
                client
                    .post(REFRESH)
                    .json(json!({ "refresh_token": token }))
                    .send(),
            )
        })
        .collect();
    let mut successors = std::collections::BTreeSet::new();
    for task in tasks {
        successors.insert(
            task.await
                .expect("an answer")
                .status(200)
                .text("/refresh_token"),
        );
    }
    assert_eq!(successors.len(), 1, "{successors:?}");
    let tokens = || {
        app.database().number("SELECT count(*) AS n FROM refresh_tokens WHERE used_at IS NULL AND sign_in_id IN (SELECT sign_in_id FROM refresh_tokens WHERE used_at IS NOT NULL)")
    };
    assert_eq!(tokens(), 1);
    // Within the grace nothing is revoked.
    wait(&app, 9);
    let refresh = async |token: &str| {
        let body = json!({ "refresh_token": token });
        second.anonymous().post(REFRESH).json(body).send().await
    };
    let successor = successors.pop_first().expect("one");
    assert_eq!(
        refresh(&token).await.status(200).text("/refresh_token"),
        successor
    );
    app.client(&access).get(ME).send().await.status(200);
    // After it, all of them are.
    wait(&app, 2);
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let client = if number % 2 == 0 {
                app.anonymous()
            } else {
                second.anonymous()
            };
            spawn(
                client
                    .post(REFRESH)
                    .json(json!({ "refresh_token": token }))
                    .send(),
            )
        })
        .collect();
    for task in tasks {
        task.await
            .expect("an answer")
            .status(401)
            .code("refresh-refused");
    }
    refresh(&successor).await.status(401);
    app.client(&access).get(ME).send().await.status(401);
    assert_eq!(events(&app, &town.staff, "user.refresh_token_reused"), 1);
}

#[actix_web::test]
async fn tokens_of_sign_ins_that_expired_are_swept() {
    let app = TestApp::start().await;
    let town = app.town().await;
    app.anonymous()
        .login(&town, "staff", PASSWORD)
        .await
        .status(200);
    let rows = || {
        app.database()
            .number("SELECT count(*) AS n FROM refresh_tokens")
    };
    let sign_ins = || app.database().number("SELECT count(*) AS n FROM sign_ins");
    let before = (rows(), sign_ins());
    wait(&app, 14 * 24 * 3600 + 3600);
    app.work().await;
    assert_eq!(rows(), before.0, "a day is left");
    wait(&app, 24 * 3600);
    app.work().await;
    assert_eq!((rows(), sign_ins()), (before.0 - 1, before.1));
}
