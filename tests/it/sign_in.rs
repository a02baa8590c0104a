//! Signing in and out over HTTP.

use actix_web::rt::spawn;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use crate::support::seed::PASSWORD;
use crate::support::{Reply, TestApp, people, wants_token};

const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";
const ME: &str = "/api/v1/auth/me";

async fn refresh(app: &TestApp, token: &str) -> Reply {
    let body = json!({ "refresh_token": token });
    app.anonymous().post(REFRESH).json(body).send().await
}

#[actix_web::test]
async fn somebody_who_signs_in_is_told_who_he_is() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let signed_in = app.login(&town, "unit0", PASSWORD).await.status(200);
    assert_eq!(signed_in.text_header("cache-control"), "no-store");
    assert_eq!(signed_in.json["expires_in"], 600);
    let me = app
        .client(&signed_in.text("/access_token"))
        .get(ME)
        .send()
        .await
        .status(200);
    assert_eq!(me.json, signed_in.json["user"]);
    assert_eq!(me.json["roles"][0]["role"], "unit_clerk");
    assert_eq!(me.json["roles"][0]["unit"]["id"], town.units[0].to_string());
    for language in ["zh-CN", "en"] {
        assert!(me.json["roles"][0]["label"][language].is_string(), "{me}");
    }
    assert!(!me.to_string().to_lowercase().contains("argon2"));
}

#[actix_web::test]
async fn wrong_committee_name_password_or_account_are_answered_alike() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let path = format!("/api/v1/users/{}", town.leader.user);
    let shut = administrator
        .patch(&path)
        .header("If-Match", "*")
        .json(json!({ "disabled": true }));
    shut.send().await.status(200);
    let mut answers = Vec::new();
    for (committee, username, password) in [
        ("nowhere", "staff", PASSWORD),
        (town.code.as_str(), "nobody", PASSWORD),
        (town.code.as_str(), "staff", "not-the-password"),
        (town.code.as_str(), "leader", PASSWORD),
    ] {
        let body = json!({ "committee": committee, "username": username, "password": password });
        let reply = app.anonymous().post(LOGIN).json(body).send().await;
        let mut reply = reply.status(401).code("bad-credentials");
        reply.json["instance"] = Value::Null;
        answers.push(reply.json);
    }
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
    let long = app.login(&town, "staff", &"x".repeat(257)).await;
    long.status(422).code("invalid-body").blames(&["/password"]);
}

#[actix_web::test]
async fn refresh_tokens_rotate_and_a_reused_one_ends_the_sign_in() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let first = app.login(&town, "staff", PASSWORD).await.status(200);
    let (one, access) = (first.text("/refresh_token"), first.text("/access_token"));
    let second = refresh(&app, &one).await.status(200);
    let two = second.text("/refresh_token");
    assert_ne!(one, two);
    // A lost answer: the same successor again.
    assert_eq!(
        refresh(&app, &one).await.status(200).text("/refresh_token"),
        two
    );
    app.client(&access).get(ME).send().await.status(200);
    let three = refresh(&app, &two).await.status(200).text("/refresh_token");
    // Now the first one is stolen goods.
    refresh(&app, &one)
        .await
        .status(401)
        .code("refresh-refused");
    refresh(&app, &three)
        .await
        .status(401)
        .code("refresh-refused");
    app.client(&access)
        .get(ME)
        .send()
        .await
        .status(401)
        .code("unauthenticated");
    app.login(&town, "staff", PASSWORD).await.status(200);
}

#[actix_web::test]
async fn a_used_token_is_worthless_after_ten_seconds_and_any_after_a_week() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let first = app
        .login(&town, "staff", PASSWORD)
        .await
        .status(200)
        .text("/refresh_token");
    let second = refresh(&app, &first)
        .await
        .status(200)
        .text("/refresh_token");
    app.clock.advance(SignedDuration::from_secs(11));
    refresh(&app, &first).await.status(401);
    refresh(&app, &second).await.status(401);
    let idle = app.login(&town, "staff", PASSWORD).await.status(200);
    // Ten minutes, and a few seconds for clocks that differ.
    app.clock.advance(SignedDuration::from_secs(606));
    app.client(&idle.text("/access_token"))
        .get(ME)
        .send()
        .await
        .status(401);
    app.clock.advance(SignedDuration::from_hours(7 * 24));
    refresh(&app, &idle.text("/refresh_token"))
        .await
        .status(401)
        .code("refresh-refused");
    for wrong in ["jjr_x", "x", &"A".repeat(128)] {
        refresh(&app, wrong)
            .await
            .status(401)
            .code("refresh-refused");
    }
}

#[actix_web::test]
async fn parallel_refreshes_get_the_same_successor() {
    let app = TestApp::start_with(|config| config.database.threads.write = 8).await;
    let town = app.town().await;
    for _ in 0..3 {
        let first = app
            .login(&town, "staff", PASSWORD)
            .await
            .status(200)
            .text("/refresh_token");
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let request = app.anonymous().post(REFRESH);
                spawn(request.json(json!({ "refresh_token": first })).send())
            })
            .collect();
        let mut successors = std::collections::BTreeSet::new();
        for task in tasks {
            let reply = task.await.expect("an answer").status(200);
            successors.insert(reply.text("/refresh_token"));
        }
        assert_eq!(successors.len(), 1);
        let next = successors.first().expect("one");
        refresh(&app, next).await.status(200);
    }
}

#[actix_web::test]
async fn signing_out_ends_the_sign_in_at_once_and_no_other() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let one = app.login(&town, "staff", PASSWORD).await.status(200);
    let other = app.login(&town, "staff", PASSWORD).await.status(200);
    let client = app.client(&one.text("/access_token"));
    client.post("/api/v1/auth/logout").send().await.status(204);
    client.get(ME).send().await.status(401);
    client.post("/api/v1/auth/logout").send().await.status(401);
    refresh(&app, &one.text("/refresh_token")).await.status(401);
    app.client(&other.text("/access_token"))
        .get(ME)
        .send()
        .await
        .status(200);
}

#[actix_web::test]
async fn a_new_password_ends_all_other_sign_ins() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let own = app.login(&town, "staff", PASSWORD).await.status(200);
    let other = app.login(&town, "staff", PASSWORD).await.status(200);
    let client = app.client(&own.text("/access_token"));
    let change = async |old: &str, new: &str| {
        let body = json!({ "old_password": old, "new_password": new });
        client.post("/api/v1/auth/password").json(body).send().await
    };
    change("not-the-password", "moon-over-river")
        .await
        .status(422)
        .blames(&["/old_password"]);
    change(PASSWORD, PASSWORD)
        .await
        .status(422)
        .blames(&["/new_password"]);
    change(PASSWORD, "12345678")
        .await
        .status(422)
        .blames(&["/new_password"]);
    change(PASSWORD, "staff-staff")
        .await
        .status(422)
        .blames(&["/new_password"]);
    change(PASSWORD, "moon-over-river").await.status(204);
    client.get(ME).send().await.status(200);
    refresh(&app, &own.text("/refresh_token")).await.status(200);
    app.client(&other.text("/access_token"))
        .get(ME)
        .send()
        .await
        .status(401);
    refresh(&app, &other.text("/refresh_token"))
        .await
        .status(401);
    app.login(&town, "staff", PASSWORD).await.status(401);
    app.login(&town, "staff", "moon-over-river")
        .await
        .status(200);
}

#[actix_web::test]
async fn nothing_else_works_before_an_initial_password_is_changed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let security = app.signed_in(&town, &town.security);
    let user = json!({ "username": "newcomer", "display_name": "顾清扬" });
    let roles = json!([{ "role": "committee_staff" }, { "role": "committee_chair" }]);
    people::account(&administrator, &security, user, &roles).await;
    let signed_in = app
        .login(&town, "newcomer", people::FIRST)
        .await
        .status(200);
    assert_eq!(signed_in.json["must_change_password"], true);
    let client = app.client(&signed_in.text("/access_token"));
    let document = app.anonymous().get("/openapi.json").send().await.ok().json;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let open = !wants_token(operation);
            if open
                || [
                    "/api/v1/auth/me",
                    "/api/v1/auth/logout",
                    "/api/v1/auth/password",
                ]
                .contains(&path.as_str())
                || (path == "/api/v1/password-policy" && method == "get")
            {
                continue;
            }
            let method = method.to_uppercase().parse().expect("a method");
            let reply = client
                .request(method, &path.replace(['{', '}'], "x"))
                .send()
                .await;
            reply.status(403).code("password-change-required");
        }
    }
    client.get(ME).send().await.status(200);
    let body = json!({ "old_password": people::FIRST, "new_password": PASSWORD });
    client
        .post("/api/v1/auth/password")
        .json(body)
        .send()
        .await
        .status(204);
    client.get("/api/v1/units").send().await.status(200);
}

#[actix_web::test]
async fn the_published_keys_verify_the_token() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let token = app
        .login(&town, "staff", PASSWORD)
        .await
        .status(200)
        .text("/access_token");
    let jwks = app
        .anonymous()
        .get("/.well-known/jwks.json")
        .send()
        .await
        .status(200);
    let header = jsonwebtoken::decode_header(&token).expect("a header");
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let keys = jwks.json["keys"].as_array().expect("keys");
    let key = keys
        .iter()
        .find(|key| key["kid"] == *header.kid.as_deref().expect("a name"));
    let key = key.expect("the key");
    assert!(key.get("d").is_none());
    let key = DecodingKey::from_ed_components(key["x"].as_str().expect("x")).expect("a key");
    let mut rules = Validation::new(Algorithm::EdDSA);
    // The service lives at another time than the test.
    rules.validate_exp = false;
    rules.validate_aud = false;
    let claims = jsonwebtoken::decode::<Value>(&token, &key, &rules)
        .expect("to verify")
        .claims;
    assert_eq!(claims["sub"], town.staff.user.to_string());
    assert_eq!(
        claims["exp"]
            .as_i64()
            .zip(claims["iat"].as_i64())
            .map(|(exp, iat)| exp - iat),
        Some(600)
    );
}

#[actix_web::test]
async fn hostile_authorization_headers_are_refused() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let token = app
        .login(&town, "staff", PASSWORD)
        .await
        .status(200)
        .text("/access_token");
    let parts: Vec<_> = token.split('.').collect();
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = URL_SAFE_NO_PAD.decode(parts[1]).expect("base64");
    let mut claims: Value = serde_json::from_slice(&claims).expect("JSON");
    claims["sub"] = json!(town.administrator.user);
    let altered = encode(&claims);
    let none = encode(&json!({ "alg": "none", "typ": "at+jwt" }));
    let symmetric = encode(&json!({ "alg": "HS256", "typ": "at+jwt" }));
    let remote = encode(
        &json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "../../x", "jku": "https://x.invalid" }),
    );
    let signature = parts[2];
    let headers = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        token.clone(),
        format!("Basic {token}"),
        format!("Bearer {token}x"),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer {}", &token[..token.len() - 4]),
        format!("Bearer {}.{}.", parts[0], parts[1]),
        format!("Bearer {}.{altered}.{signature}", parts[0]),
        format!("Bearer {none}.{}.", parts[1]),
        format!("Bearer {symmetric}.{}.{signature}", parts[1]),
        format!("Bearer {remote}.{}.{signature}", parts[1]),
        "Bearer ...".to_owned(),
        "Bearer null".to_owned(),
        format!("Bearer {}", "A".repeat(20_000)),
        format!("Bearer {}", "钥".repeat(100)),
        format!("Bearer {}", ".".repeat(5000)),
    ];
    for header in headers {
        let reply = app
            .anonymous()
            .get(ME)
            .header("Authorization", &header)
            .send()
            .await;
        let reply = reply.status(401).code("unauthenticated");
        assert_eq!(reply.text_header("www-authenticate"), "Bearer", "{header}");
    }
    let signed_in = app
        .login(&town, "staff", PASSWORD)
        .await
        .text("/refresh_token");
    app.client(&signed_in).get(ME).send().await.status(401);
    // Only in the header, never in the address.
    app.anonymous()
        .get(&format!("{ME}?access_token={token}"))
        .send()
        .await
        .status(401);
    app.client(&token).get(ME).send().await.status(200);
}
