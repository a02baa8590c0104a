//! The second factor over HTTP: enrolling it, signing in with it, and proving it again.

use jianjian::auth::totp::{self, Secret};
use jianjian::config::RequiredFor;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::seed::{PASSWORD, Person, Town};
use crate::support::{Client, Reply, TestApp};

const SECOND: &str = "/api/v1/auth/login/second-factor";
const FACTOR: &str = "/api/v1/auth/second-factor";
const CONFIRM: &str = "/api/v1/auth/second-factor/actions/confirm";
const DISABLE: &str = "/api/v1/auth/second-factor/actions/disable";
const REPLACE: &str = "/api/v1/auth/second-factor/actions/replace-recovery-codes";
const STEP_UP: &str = "/api/v1/auth/step-up";
const ME: &str = "/api/v1/auth/me";

async fn post(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path).json(body).send().await
}

async fn answer(app: &TestApp, challenge: &str, code: &str) -> Reply {
    let body = json!({ "challenge": challenge, "code": code });
    post(&app.anonymous(), SECOND, body).await
}

/// The code that the authenticator shows now.
fn code(app: &TestApp, secret: &Secret) -> String {
    secret.code(totp::period(app.clock_now()))
}

/// The next code: the clock goes on to it.
fn next_code(app: &TestApp, secret: &Secret) -> String {
    app.clock.advance(SignedDuration::from_secs(totp::PERIOD));
    code(app, secret)
}

/// A code that is none of the present ones.
fn wrong_code(app: &TestApp, secret: &Secret) -> String {
    let present = totp::period(app.clock_now());
    let right: Vec<_> = (present - 2..=present + 2)
        .map(|period| secret.code(period))
        .collect();
    let candidates = ["000000", "111111", "222222", "333333", "444444", "555555"];
    let wrong = candidates
        .iter()
        .find(|code| !right.contains(&(**code).to_owned()));
    (*wrong.expect("a wrong code")).to_owned()
}

/// A second factor for somebody, with the client that confirmed it and the recovery codes.
async fn enrolled(app: &TestApp, town: &Town, person: &Person) -> (Secret, Client, Vec<String>) {
    let client = app.signed_in(town, person);
    let begun = post(&client, FACTOR, json!({})).await.status(200);
    let secret = Secret::parse(&begun.text("/secret")).expect("a secret");
    let uri = begun.text("/otpauth_uri");
    assert!(uri.starts_with(&format!("otpauth://totp/jianjian:{}?", person.username)));
    assert!(uri.contains(&format!("secret={}", secret.reveal())));
    let first = json!({ "code": code(app, &secret) });
    let confirmed = post(&client, CONFIRM, first).await.status(200);
    let codes = confirmed.json["recovery_codes"].as_array().expect("codes");
    let codes: Vec<_> = codes
        .iter()
        .map(|code| code.as_str().expect("text").to_owned())
        .collect();
    assert_eq!(codes.len(), 10);
    (secret, client, codes)
}

/// The names of the events in the history of an account.
async fn history(app: &TestApp, town: &Town, person: &Person) -> Vec<String> {
    let (committee, user) = (town.committee, person.user);
    app.read(move |tx| {
        use jianjian::store::events::{Stream, list};
        list(tx, &Stream::of(committee, "user", user), 0, 200)
    })
    .await
    .into_iter()
    .map(|event| event.name)
    .collect()
}

#[actix_web::test]
async fn signing_in_asks_for_the_second_factor_once_it_is_confirmed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let client = app.signed_in(&town, &town.administrator);
    let none = client.get(FACTOR).send().await.status(200);
    assert_eq!(none.json["enrolled"], false);
    let begun = post(&client, FACTOR, json!({})).await.status(200);
    // Until a code was shown it does not count.
    app.login(&town, &town.administrator.username, PASSWORD)
        .await
        .status(200);
    let secret = Secret::parse(&begun.text("/secret")).expect("a secret");
    let wrong = json!({ "code": wrong_code(&app, &secret) });
    let refused = post(&client, CONFIRM, wrong).await.status(422);
    refused.code("invalid-input").blames(&["/code"]);
    let other = app
        .login(&town, &town.administrator.username, PASSWORD)
        .await
        .status(200);
    let other = app.client(&other.text("/access_token"));
    let first = json!({ "code": code(&app, &secret) });
    post(&client, CONFIRM, first).await.status(200);
    // What was signed in without it is signed out.
    client.get(ME).send().await.status(200);
    other.get(ME).send().await.status(401);
    let standing = client.get(FACTOR).send().await.status(200);
    assert_eq!(standing.json["enrolled"], true);
    assert_eq!(standing.json["recovery_codes_left"], 10);
    let again = post(&client, FACTOR, json!({})).await.status(409);
    again.code("guard-unmet");

    let asked = app
        .login(&town, &town.administrator.username, PASSWORD)
        .await
        .status(401);
    let asked = asked.code("second-factor-required");
    assert_eq!(asked.json["expires_in"], 300);
    assert!(asked.json.get("access_token").is_none());
    let challenge = asked.text("/challenge");
    let wrong = wrong_code(&app, &secret);
    let refused = answer(&app, &challenge, &wrong).await.status(401);
    refused.code("second-factor-refused");
    // The code that confirmed was used with that.
    let used = answer(&app, &challenge, &code(&app, &secret)).await;
    used.status(401).code("second-factor-refused");
    let signed_in = answer(&app, &challenge, &next_code(&app, &secret)).await;
    let signed_in = signed_in.status(200);
    assert_eq!(signed_in.text_header("cache-control"), "no-store");
    let client = app.client(&signed_in.text("/access_token"));
    client.get(ME).send().await.status(200);
    let refresh = json!({ "refresh_token": signed_in.text("/refresh_token") });
    post(&app.anonymous(), "/api/v1/auth/refresh", refresh)
        .await
        .status(200);
    // A challenge is good for one sign-in.
    let twice = answer(&app, &challenge, &next_code(&app, &secret)).await;
    twice.status(401).code("challenge-refused");
    let names = history(&app, &town, &town.administrator).await;
    for name in [
        "user.second_factor_enrolled",
        "user.second_factor_confirmed",
        "user.second_factor_asked",
        "user.second_factor_refused",
        "user.signed_in",
    ] {
        assert!(names.contains(&name.to_owned()), "{name} in {names:?}");
    }
}

#[actix_web::test]
async fn nothing_is_told_before_the_password_is_right() {
    let app = TestApp::start().await;
    let town = app.town().await;
    enrolled(&app, &town, &town.staff).await;
    let mut answers = Vec::new();
    for (username, password) in [
        ("staff", "not-the-password"),
        ("chair", "not-the-password"),
        ("nobody", PASSWORD),
    ] {
        let mut reply = app.login(&town, username, password).await.status(401);
        reply.json["instance"] = Value::Null;
        answers.push(reply.json);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(answers[0]["code"], "bad-credentials");
}

#[actix_web::test]
async fn a_challenge_ends_with_time_and_with_every_change_of_its_account() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (secret, ..) = enrolled(&app, &town, &town.staff).await;
    let asked = || async {
        let asked = app.login(&town, "staff", PASSWORD).await.status(401);
        asked.text("/challenge")
    };
    let late = asked().await;
    app.clock.advance(SignedDuration::from_mins(5));
    answer(&app, &late, &code(&app, &secret))
        .await
        .status(401)
        .code("challenge-refused");
    let challenge = asked().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let path = format!("/api/v1/users/{}", town.staff.user);
    let change = administrator.patch(&path).header("If-Match", "*");
    change
        .json(json!({ "disabled": true }))
        .send()
        .await
        .status(200);
    answer(&app, &challenge, &next_code(&app, &secret))
        .await
        .status(401)
        .code("challenge-refused");
    let tampered = format!("{}A", &challenge[..challenge.len() - 1]);
    for wrong in ["jjc_x", "x", tampered.as_str()] {
        answer(&app, wrong, "123456")
            .await
            .status(401)
            .code("challenge-refused");
    }
}

#[actix_web::test]
async fn each_code_works_once_however_many_try_it_at_once() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (secret, ..) = enrolled(&app, &town, &town.staff).await;
    let mut challenges = Vec::new();
    for _ in 0..4 {
        let asked = app.login(&town, "staff", PASSWORD).await.status(401);
        challenges.push(asked.text("/challenge"));
    }
    let code = next_code(&app, &secret);
    let tries = challenges.iter().map(|one| answer(&app, one, &code));
    let replies = futures_util::future::join_all(tries).await;
    let right = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(right, 1, "{replies:?}");
    let refused = replies
        .iter()
        .filter(|reply| reply.json["code"] == "second-factor-refused");
    assert_eq!(refused.count(), 3, "{replies:?}");
}

#[actix_web::test]
async fn recovery_codes_work_once_each_and_can_be_replaced() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (secret, client, codes) = enrolled(&app, &town, &town.staff).await;
    let asked = || async {
        let asked = app.login(&town, "staff", PASSWORD).await.status(401);
        asked.text("/challenge")
    };
    let typed = codes[0].to_lowercase().replace('-', " ");
    answer(&app, &asked().await, &typed).await.status(200);
    answer(&app, &asked().await, &codes[0])
        .await
        .status(401)
        .code("second-factor-refused");
    let standing = client.get(FACTOR).send().await.status(200);
    assert_eq!(standing.json["recovery_codes_left"], 9);
    let body = json!({ "code": next_code(&app, &secret) });
    let replaced = post(&client, REPLACE, body).await.status(200);
    let fresh = replaced.text("/recovery_codes/0");
    answer(&app, &asked().await, &codes[1]).await.status(401);
    answer(&app, &asked().await, &fresh).await.status(200);
    // Neither secret nor codes stand in the database as they are read by people.
    let (committee, user) = (town.committee, town.staff.user);
    let row = app
        .read(move |tx| jianjian::store::second_factors::find(tx, committee, user))
        .await;
    let kept = row.expect("a row").secret;
    assert!(kept.starts_with("plain:"), "{kept}");
}

#[actix_web::test]
async fn the_secret_is_enciphered_with_the_key_of_the_settings() {
    let app = TestApp::start_with(|config| {
        config.second_factor.keeper = jianjian::keep::Keeper::new("secrets.key", Some([9; 32]));
    })
    .await;
    let town = app.town().await;
    let (secret, ..) = enrolled(&app, &town, &town.staff).await;
    let (committee, user) = (town.committee, town.staff.user);
    let row = app
        .read(move |tx| jianjian::store::second_factors::find(tx, committee, user))
        .await;
    let kept = row.expect("a row").secret;
    assert!(kept.starts_with("aes256gcm:") && !kept.contains(&secret.reveal()));
    let asked = app.login(&town, "staff", PASSWORD).await.status(401);
    let challenge = asked.text("/challenge");
    answer(&app, &challenge, &next_code(&app, &secret))
        .await
        .status(200);
}

#[actix_web::test]
async fn five_wrong_codes_hold_the_account_and_a_right_one_meanwhile_changes_nothing() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (secret, client, _) = enrolled(&app, &town, &town.staff).await;
    let asked = app.login(&town, "staff", PASSWORD).await.status(401);
    let challenge = asked.text("/challenge");
    let wrong = wrong_code(&app, &secret);
    // All at once: the attempts are counted before any code is looked at.
    let tries = (0..12).map(|_| answer(&app, &challenge, &wrong));
    let replies = futures_util::future::join_all(tries).await;
    let looked_at = replies.iter().filter(|reply| reply.status == 401).count();
    assert_eq!(looked_at, 5, "{replies:?}");
    let right = next_code(&app, &secret);
    // The 30 seconds of the hold have passed with the clock; one more wrong code holds for 60.
    answer(&app, &challenge, &wrong).await.status(401);
    let held = answer(&app, &challenge, &right).await.status(429);
    let held = held.code("second-factor-held");
    assert_eq!(held.text_header("retry-after"), "61");
    // The count is the account's: it holds elsewhere too, and where somebody is signed in.
    let held = post(&client, STEP_UP, json!({ "code": right })).await;
    held.status(429).code("second-factor-held");
    app.clock.advance(SignedDuration::from_secs(61));
    answer(&app, &challenge, &code(&app, &secret))
        .await
        .status(200);
    // The right one took the count back.
    answer_wrong_four_times(&app, &town, &secret).await;
}

async fn answer_wrong_four_times(app: &TestApp, town: &Town, secret: &Secret) {
    let asked = app.login(town, "staff", PASSWORD).await.status(401);
    let challenge = asked.text("/challenge");
    for _ in 0..4 {
        let wrong = wrong_code(app, secret);
        answer(app, &challenge, &wrong).await.status(401);
    }
    answer(app, &challenge, &next_code(app, secret))
        .await
        .status(200);
}

#[actix_web::test]
async fn dangerous_operations_ask_for_a_recent_proof_where_there_is_a_second_factor() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let without = app.signed_in(&town, &town.administrator);
    let hook = |about: &str| {
        json!({
            "url": "https://8.8.8.8/", "events": ["proposal.*"], "description": about,
            "reads_as": { "role": "auditor" },
        })
    };
    let hooks = "/api/v1/webhooks";
    post(&without, hooks, hook("one")).await.status(201);
    let (secret, client, _) = enrolled(&app, &town, &town.administrator).await;
    // Confirming was a proof.
    post(&client, hooks, hook("two")).await.status(201);
    app.clock.advance(SignedDuration::from_mins(10));
    let client = app.signed_in(&town, &town.administrator);
    let refused = post(&client, hooks, hook("three")).await.status(403);
    let refused = refused.code("step-up-required");
    assert_eq!(refused.json["max_age_seconds"], 600);
    // What is not dangerous goes on; and nothing was made.
    let found = client.get(hooks).send().await.status(200);
    assert_eq!(found.json["items"].as_array().map(Vec::len), Some(2));
    let wrong = json!({ "code": wrong_code(&app, &secret) });
    let refused = post(&client, STEP_UP, wrong).await.status(422);
    refused.code("invalid-input").blames(&["/code"]);
    let right = code(&app, &secret);
    let body = json!({ "code": right });
    let key = "step-up-0001";
    let proven = client.post(STEP_UP).key(key).json(&body).send().await;
    let proven = proven.status(200);
    let until: jiff::Timestamp = proven.text("/stepped_up_until").parse().expect("a moment");
    assert_eq!(until, app.clock_now() + SignedDuration::from_mins(10));
    // A lost answer is given again; the code itself is used.
    let again = client.post(STEP_UP).key(key).json(&body).send().await;
    assert_eq!(
        again.status(200).text_header("idempotency-replayed"),
        "true"
    );
    let twice = post(&client, STEP_UP, body).await.status(422);
    twice.code("invalid-input");
    post(&client, hooks, hook("three")).await.status(201);
    let names = history(&app, &town, &town.administrator).await;
    assert!(names.contains(&"user.stepped_up".to_owned()), "{names:?}");
}

/// Every operation that asks for it. A new dangerous operation is added here and to the document.
#[test]
fn these_operations_and_no_others_are_marked_dangerous() {
    let routes = jianjian::api::routes();
    let mut marked: Vec<_> = routes
        .operations()
        .filter(|meta| meta.step_up)
        .map(|meta| meta.operation.to_string())
        .collect();
    marked.sort_unstable();
    let wanted = [
        "activate_policy_profile",
        "create_api_token",
        "create_committee",
        "create_openid_provider",
        "create_webhook",
        "end_sign_ins",
        "link_openid_subject",
        "reset_user_password",
        "reset_user_second_factor",
        "rotate_api_token",
        "rotate_webhook_secret",
        "set_openid_client_secret",
        "set_password_policy",
        "set_user_roles",
        "unlink_openid_subject",
        "unlock_user",
        "update_openid_provider",
        "update_user",
        "update_webhook",
    ];
    assert_eq!(marked, wanted);
    let document = serde_json::to_value(routes.openapi()).expect("the document");
    let operations = document["paths"].as_object().expect("paths").values();
    let operations = operations.flat_map(|item| item.as_object().expect("operations").values());
    let mut shown: Vec<_> = operations
        .filter(|operation| operation["x-step-up"] == true)
        .map(|operation| operation["operationId"].as_str().expect("a name"))
        .collect();
    shown.sort_unstable();
    assert_eq!(shown, wanted);
}

#[actix_web::test]
async fn whoever_must_have_a_second_factor_can_do_nothing_but_enrol_it() {
    let app = TestApp::start_with(|config| {
        config.second_factor.required_for = RequiredFor::Administrators;
    })
    .await;
    let town = app.town().await;
    let staff = app.login(&town, "staff", PASSWORD).await.status(200);
    assert_eq!(staff.json["must_enrol_second_factor"], false);
    let signed_in = app
        .login(&town, &town.administrator.username, PASSWORD)
        .await
        .status(200);
    assert_eq!(signed_in.json["must_enrol_second_factor"], true);
    let client = app.client(&signed_in.text("/access_token"));
    for path in ["/api/v1/users", "/api/v1/desk", "/api/v1/proposals"] {
        let refused = client.get(path).send().await.status(403);
        refused.code("second-factor-enrolment-required");
    }
    client.get(ME).send().await.status(200);
    let standing = client.get(FACTOR).send().await.status(200);
    assert_eq!(standing.json["required"], true);
    let begun = post(&client, FACTOR, json!({})).await.status(200);
    let secret = Secret::parse(&begun.text("/secret")).expect("a secret");
    let first = json!({ "code": code(&app, &secret) });
    post(&client, CONFIRM, first).await.status(200);
    client.get("/api/v1/users").send().await.status(200);
    // Without it again, back to where he was.
    let body = json!({ "code": next_code(&app, &secret) });
    post(&client, DISABLE, body).await.status(204);
    let refused = client.get("/api/v1/users").send().await.status(403);
    refused.code("second-factor-enrolment-required");
    app.login(&town, &town.administrator.username, PASSWORD)
        .await
        .status(200);
}

#[actix_web::test]
async fn a_lost_second_factor_is_removed_by_the_security_administrator_alone() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (_, client, _) = enrolled(&app, &town, &town.staff).await;
    let path = format!(
        "/api/v1/users/{}/actions/reset-second-factor",
        town.staff.user
    );
    for person in [&town.administrator, &town.staff, &town.auditor] {
        let request = app.signed_in(&town, person).post(&path);
        let request = request.header("If-Match", "*").json(json!({}));
        request.send().await.status(403);
    }
    let security = app.signed_in(&town, &town.security);
    let missing = security.post(&path).json(json!({})).send().await;
    missing.status(428);
    // Not his own: another one must do it.
    let own = format!(
        "/api/v1/users/{}/actions/reset-second-factor",
        town.security.user
    );
    let own = security.post(&own).header("If-Match", "*").json(json!({}));
    own.send().await.status(403).code("forbidden");
    let request = security.post(&path).header("If-Match", "*");
    request.json(json!({})).send().await.status(200);
    client.get(ME).send().await.status(401);
    app.login(&town, "staff", PASSWORD).await.status(200);
    let names = history(&app, &town, &town.staff).await;
    assert!(names.contains(&"user.second_factor_reset".to_owned()));
}

#[actix_web::test]
async fn secrets_are_shown_once_and_a_trial_shows_none() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let client = app.signed_in(&town, &town.staff);
    let trial = post(&client, &format!("{FACTOR}?validate_only=true"), json!({})).await;
    assert_eq!(trial.status(200).json, json!({}));
    let standing = client.get(FACTOR).send().await.status(200);
    assert_eq!(standing.json["pending"], false);
    let key = "enrol-0000001";
    let first = client.post(FACTOR).key(key).json(json!({})).send().await;
    let secret = first.status(200).text("/secret");
    let again = client.post(FACTOR).key(key).json(json!({})).send().await;
    assert_eq!(again.status(200).json, json!({}));
    let secret = Secret::parse(&secret).expect("a secret");
    for path in [DISABLE, STEP_UP, REPLACE] {
        let reply = post(&client, path, json!({ "code": code(&app, &secret) })).await;
        reply.status(409).code("guard-unmet");
    }
    for wrong in [
        "12345",
        "１２３４５６",
        "1234567890123456789012345678901234",
    ] {
        let reply = post(&client, CONFIRM, json!({ "code": wrong })).await;
        reply.status(422).code("invalid-body");
    }
}
