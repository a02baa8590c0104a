//! The password policy of a committee: who sets it, and that it holds everywhere.

use awc::http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::seed::PASSWORD;
use crate::support::{Client, Reply, TestApp};

const POLICY: &str = "/api/v1/password-policy";
const ME: &str = "/api/v1/auth/me";

async fn put(client: &Client, tag: &str, policy: Value) -> Reply {
    let request = client.request(Method::PUT, POLICY).header("If-Match", tag);
    request.json(policy).send().await
}

async fn change(client: &Client, old: &str, new: &str) -> Reply {
    let body = json!({ "old_password": old, "new_password": new });
    client.post("/api/v1/auth/password").json(body).send().await
}

/// Codes of the rules that a body broke.
fn codes(reply: &Reply) -> Vec<String> {
    let errors = reply.json["errors"].as_array().into_iter().flatten();
    errors
        .filter_map(|error| error["code"].as_str().map(str::to_owned))
        .collect()
}

#[actix_web::test]
async fn the_security_administrator_sets_it_and_everybody_reads_it() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let security = app.signed_in(&town, &town.security);
    let modern = app
        .signed_in(&town, &town.members[0])
        .get(POLICY)
        .send()
        .await
        .status(200);
    assert_eq!(
        (modern.version(), &modern.json["profile"]),
        (0, &json!("modern"))
    );
    assert_eq!(
        (
            &modern.json["min_length"],
            &modern.json["recommended_length"]
        ),
        (&json!(8), &json!(15))
    );
    assert!(modern.json.get("max_age_days").is_none(), "{modern}");

    let level3 = json!({ "profile": "mlps3" });
    for person in [
        &town.administrator,
        &town.auditor,
        &town.staff,
        &town.members[0],
    ] {
        let client = app.signed_in(&town, person);
        put(&client, "\"0\"", level3.clone())
            .await
            .status(403)
            .code("forbidden");
    }
    let missing = security
        .request(Method::PUT, POLICY)
        .json(&level3)
        .send()
        .await;
    missing.status(428);
    put(&security, "\"7\"", level3.clone()).await.status(412);
    let lax =
        json!({ "profile": "mlps3", "max_age_days": 91, "min_classes": 2, "idle_minutes": 31 });
    let lax = put(&security, "\"0\"", lax).await.status(422);
    lax.blames(&["/max_age_days", "/min_classes", "/idle_minutes"]);
    put(
        &security,
        "\"0\"",
        json!({ "profile": "mlps3", "history": 11 }),
    )
    .await
    .status(422)
    .code("invalid-body");
    put(
        &security,
        "\"0\"",
        json!({ "profile": "mlps3", "version": 3 }),
    )
    .await
    .status(422)
    .code("invalid-body");
    assert_eq!(app.database().row_counts()["password_policies"], 0);

    let set = put(&security, "\"0\"", level3.clone()).await.status(200);
    assert_eq!(set.version(), 1);
    for (field, wanted) in [
        ("min_classes", 3),
        ("max_age_days", 90),
        ("history", 5),
        ("lock_after_failures", 5),
        ("lock_minutes", 15),
        ("idle_minutes", 30),
    ] {
        assert_eq!(set.json[field], wanted, "{field}: {set}");
    }
    // The same again is no change; another committee has its own.
    assert_eq!(
        put(&security, "\"1\"", level3).await.status(200).version(),
        1
    );
    let changed = put(
        &security,
        "\"1\"",
        json!({ "profile": "mlps3", "min_length": 12 }),
    )
    .await;
    assert_eq!(changed.status(200).version(), 2);
    let elsewhere = app.town_called("linjiang").await;
    let theirs = app
        .signed_in(&elsewhere, &elsewhere.security)
        .get(POLICY)
        .send()
        .await;
    assert_eq!(theirs.status(200).json["profile"], "modern");
    let told = app.database().number(
        "SELECT count(*) AS n FROM events WHERE name = 'committee.password_policy_changed'",
    );
    assert_eq!(told, 2);
}

#[actix_web::test]
async fn two_who_set_it_first_do_not_both_win() {
    let app = TestApp::start_with(|config| config.database.threads.write = 8).await;
    let town = app.town().await;
    let client = app.signed_in(&town, &town.security);
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let request = client
                .request(Method::PUT, POLICY)
                .header("If-Match", "\"0\"");
            let body = json!({ "profile": "modern", "min_length": 9 + number });
            actix_web::rt::spawn(request.json(body).send())
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        let reply = task.await.expect("an answer");
        assert!([200, 412].contains(&reply.status), "{reply}");
        won += i32::from(reply.status == 200);
    }
    assert_eq!(won, 1);
}

#[actix_web::test]
async fn it_holds_for_new_initial_and_earlier_passwords() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let security = app.signed_in(&town, &town.security);
    put(
        &security,
        "*",
        json!({ "profile": "mlps3", "history": 5, "min_length": 10 }),
    )
    .await
    .status(200);
    let administrator = app.signed_in(&town, &town.administrator);
    let user = json!({ "username": "newcomer", "display_name": "顾清扬" });
    let user = administrator
        .post("/api/v1/users")
        .json(user)
        .send()
        .await
        .status(201);
    let path = format!("{}/actions/reset-password", user.text_header("location"));
    let initial = async |password: &str| {
        let request = security.post(&path).header("If-Match", "*");
        request.json(json!({ "password": password })).send().await
    };
    let weak = initial("lanternover")
        .await
        .status(422)
        .blames(&["/password"]);
    assert_eq!(codes(&weak), ["password_too_simple"]);
    let short = initial("Lantern-7").await.status(422);
    assert_eq!(codes(&short), ["password_too_short"]);
    initial("Lantern-over-7").await.status(200);
    // Whoever must change the password can read the rules for it.
    let signed_in = app
        .login(&town, "newcomer", "Lantern-over-7")
        .await
        .status(200);
    let client = app.client(&signed_in.text("/access_token"));
    client.get(POLICY).send().await.status(200);
    put(&client, "*", json!({ "profile": "modern" }))
        .await
        .status(403)
        .code("password-change-required");

    let weak = change(&client, "Lantern-over-7", "lantern-over-water")
        .await
        .status(422);
    assert_eq!(codes(&weak), ["password_too_simple"]);
    let passwords: Vec<String> = (0..6)
        .map(|number| format!("Lantern-over-{number}x"))
        .collect();
    let mut present = "Lantern-over-7";
    for next in &passwords[..5] {
        change(&client, present, next).await.status(204);
        present = next;
    }
    // The present one and the four before it.
    for used in &passwords[..4] {
        let refused = change(&client, present, used).await.status(422);
        assert_eq!(codes(&refused), ["password_used_before"], "{used}");
    }
    let refused = change(&client, present, present).await.status(422);
    assert_eq!(codes(&refused), ["password_unchanged"]);
    let kept = || app.database().row_counts()["password_history"];
    assert_eq!(kept(), 4);
    change(&client, present, &passwords[5]).await.status(204);
    change(&client, &passwords[5], &passwords[0])
        .await
        .status(204);
    assert_eq!(kept(), 4);
    // Where the policy asks for none, none are kept.
    put(&security, "*", json!({ "profile": "modern" }))
        .await
        .status(200);
    change(&client, &passwords[0], &passwords[1])
        .await
        .status(204);
    assert_eq!(kept(), 0);
}

#[actix_web::test]
async fn passwords_of_ninety_days_must_be_changed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let security = app.signed_in(&town, &town.security);
    // A password of today's rules, kept while the rules were others.
    put(
        &security,
        "*",
        json!({ "profile": "modern", "max_age_days": 90 }),
    )
    .await
    .status(200);
    let signed_in = app.login(&town, "staff", PASSWORD).await.status(200);
    assert_eq!(signed_in.json["must_change_password"], false);
    app.clock.advance(SignedDuration::from_hours(24 * 90 - 1));
    assert_eq!(
        app.login(&town, "staff", PASSWORD).await.json["must_change_password"],
        false
    );
    let before = app.login(&town, "staff", PASSWORD).await.status(200);
    let client = app.client(&before.text("/access_token"));
    client.get("/api/v1/units").send().await.status(200);
    app.clock.advance(SignedDuration::from_hours(1));
    let expired = app.login(&town, "staff", PASSWORD).await.status(200);
    assert_eq!(expired.json["must_change_password"], true);
    let client = app.client(&expired.text("/access_token"));
    client
        .get("/api/v1/units")
        .send()
        .await
        .status(403)
        .code("password-change-required");
    change(&client, PASSWORD, "a-letter-that-gets-an-answer")
        .await
        .status(204);
    client.get("/api/v1/units").send().await.status(200);
}

const WORD: &str = "password_has_known_word";

#[actix_web::test]
async fn words_of_the_place_are_in_no_password() {
    let app = TestApp::start().await;
    let town = app.town_called("yunling").await;
    let user = json!({ "username": "newcomer", "display_name": "顾清扬" });
    let administrator = app.signed_in(&town, &town.administrator);
    let user = administrator.post("/api/v1/users").json(user).send().await;
    let path = format!(
        "{}/actions/reset-password",
        user.status(201).text_header("location")
    );
    let security = app.signed_in(&town, &town.security);
    let initial = async |password: &str| {
        let request = security.post(&path).header("If-Match", "*");
        request.json(json!({ "password": password })).send().await
    };
    let refused = [
        ("my-YunLing-4711", "yunling"),
        ("ｊｉａｎｊｉａｎ-4711", "jianjian"),
        ("灯火照见提案的人呀", "提案"),
        ("顾清扬的灯火照见人", "顾清扬"),
    ];
    for (password, word) in refused {
        let told = initial(password).await.status(422).blames(&["/password"]);
        assert_eq!(codes(&told), [WORD], "{password}");
        assert!(told.text("/errors/0/detail").contains(word), "{told}");
    }
    initial("lantern-over-linjiang").await.status(200);
    let signed_in = app.login(&town, "newcomer", "lantern-over-linjiang").await;
    let client = app.client(&signed_in.status(200).text("/access_token"));
    for (password, word) in refused {
        let told = change(&client, "lantern-over-linjiang", password).await;
        let told = told.status(422).blames(&["/new_password"]);
        assert_eq!(codes(&told), [WORD], "{password}");
        assert!(told.text("/errors/0/detail").contains(word), "{told}");
    }
    change(&client, "lantern-over-linjiang", "lantern-over-water")
        .await
        .status(204);

    // A new committee, whose code nobody knew before.
    let found = async |password: &str| {
        let body = json!({
            "code": "linjiang", "name": "政协临江县委员会", "level": "county", "region": "临江县",
            "administrator": {
                "username": "founder", "display_name": "沈若溪", "password": password,
            },
            "security_administrator": {
                "username": "guard", "display_name": "陆明远", "password": "first-beacon",
            },
        });
        administrator
            .post("/api/v1/committees")
            .json(body)
            .send()
            .await
    };
    let told = found("lantern-over-linjiang").await.status(422);
    assert_eq!(codes(&told.blames(&["/administrator/password"])), [WORD]);
    found("lantern-over-yunling").await.status(201);
}

/// Waits until the use that a request noted beside itself is stored.
async fn noted(app: &TestApp, wanted: i64) {
    let sql = "SELECT count(*) AS n FROM sign_ins WHERE last_seen_at IS NOT NULL";
    for _ in 0..200 {
        if app.database().number(sql) == wanted {
            return;
        }
        actix_web::rt::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!(
        "{} instead of {wanted} sign-ins were seen",
        app.database().number(sql)
    );
}

/// Waits until the last use is stored as that of now.
async fn noted_now(app: &TestApp) {
    let now = app.clock_now();
    for _ in 0..200 {
        let shown = if app.database().url_text().starts_with("sqlite") {
            "last_seen_at"
        } else {
            "to_char(last_seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        };
        let sql = format!(
            "SELECT {shown} AS name FROM sign_ins WHERE last_seen_at IS NOT NULL \
             ORDER BY last_seen_at"
        );
        let seen = app.database().names(&sql).pop().unwrap_or_default();
        if seen
            .parse::<jiff::Timestamp>()
            .is_ok_and(|seen| seen == now)
        {
            return;
        }
        actix_web::rt::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the use was not noted");
}

#[actix_web::test]
async fn a_sign_in_that_is_not_used_for_thirty_minutes_ends() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let second = app.second().await;
    // Without such a rule a request writes nothing.
    let signed_in = app.login(&town, "staff", PASSWORD).await.status(200);
    app.client(&signed_in.text("/access_token"))
        .get(ME)
        .send()
        .await
        .status(200);
    noted(&app, 0).await;
    let minutes = |minutes: i64| app.clock.advance(SignedDuration::from_mins(minutes));
    minutes(120);
    let security = app.signed_in(&town, &town.security);
    put(&security, "*", json!({ "profile": "mlps3" }))
        .await
        .status(200);
    // Those that are open have the whole time from now on.
    minutes(29);
    let refresh = async |token: &str| {
        let body = json!({ "refresh_token": token });
        second
            .anonymous()
            .post("/api/v1/auth/refresh")
            .json(body)
            .send()
            .await
    };
    let next = refresh(&signed_in.text("/refresh_token")).await.status(200);
    let access = next.text("/access_token");
    app.client(&access).get(ME).send().await.status(200);
    noted_now(&app).await;
    // Used on one instance, seen on the other; neither a refresh nor a stream is use.
    minutes(20);
    let next = refresh(&next.text("/refresh_token")).await.status(200);
    minutes(9);
    let watcher = second.client(&next.text("/access_token"));
    drop(watcher.get("/api/v1/events/stream").open().await);
    let last = refresh(&next.text("/refresh_token")).await.status(200);
    let access = last.text("/access_token");
    minutes(1);
    second
        .client(&access)
        .get(ME)
        .send()
        .await
        .status(401)
        .code("unauthenticated");
    refresh(&last.text("/refresh_token"))
        .await
        .status(401)
        .code("refresh-refused");
    // Stricter for everybody at once: a sign-in of now is measured by it.
    let fresh = app.login(&town, "staff", PASSWORD).await.status(200);
    let security = app.login(&town, "security", PASSWORD).await.status(200);
    let security = app.client(&security.text("/access_token"));
    put(
        &security,
        "*",
        json!({ "profile": "mlps3", "idle_minutes": 5 }),
    )
    .await
    .status(200);
    minutes(5);
    second
        .client(&fresh.text("/access_token"))
        .get(ME)
        .send()
        .await
        .status(401);
}
