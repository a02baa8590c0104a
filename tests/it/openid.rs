//! Signing in through an identity provider, with one that does as it is told. The real one is in
//! `openid_real.rs`.

use jianjian::auth::totp::{self, Secret};
use jianjian::store::DatabaseUrl;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::provider::{CLIENT, Fault, Provider, REDIRECT, Signed};
use crate::support::seed::Town;
use crate::support::{Client, Reply, TestApp};

const PROVIDERS: &str = "/api/v1/openid-providers";
const START: &str = "/api/v1/auth/openid/start";
const FINISH: &str = "/api/v1/auth/openid/finish";
const ME: &str = "/api/v1/auth/me";

async fn app() -> TestApp {
    TestApp::start_with(|config| config.openid.insecure = true).await
}

async fn post(client: &Client, path: &str, body: Value) -> Reply {
    let request = client.post(path).header("If-Match", "*");
    request.json(body).send().await
}

/// A provider that the committee knows; gives its identifier.
async fn known(app: &TestApp, town: &Town, provider: &Provider, change: Value) -> String {
    let security = app.signed_in(town, &town.security);
    let mut body = json!({
        "name": "市政务统一身份认证", "issuer": provider.issuer, "client_id": CLIENT.0,
        "redirect_uri": REDIRECT, "claim": "sub",
    });
    for (name, value) in change.as_object().expect("fields") {
        body[name] = value.clone();
    }
    let id = post(&security, PROVIDERS, body).await.status(201).id();
    let secret = format!("{PROVIDERS}/{id}/actions/set-client-secret");
    let answer = post(&security, &secret, json!({ "client_secret": CLIENT.1 })).await;
    assert!(!answer.status(200).to_string().contains(CLIENT.1));
    let link = format!("{PROVIDERS}/{id}/actions/link");
    let body = json!({ "user_id": town.staff.user, "subject": "subject-1" });
    post(&security, &link, body).await.status(200);
    id
}

async fn start(app: &TestApp, town: &Town, id: &str) -> Reply {
    let body = json!({ "committee": town.code, "provider_id": id });
    app.anonymous().post(START).json(body).send().await
}

async fn finish(app: &TestApp, body: Value) -> Reply {
    app.anonymous().post(FINISH).json(body).send().await
}

/// The whole way: begins, agrees at the provider, brings the code back.
async fn sign_in(app: &TestApp, town: &Town, provider: &Provider, id: &str) -> Reply {
    let begun = start(app, town, id).await.status(200);
    let code = provider.agree(&begun.text("/authorization_url"));
    finish(app, json!({ "code": code, "state": begun.text("/state") })).await
}

/// Sign-ins that came by a provider.
fn sign_ins(app: &TestApp) -> i64 {
    let sql = "SELECT COUNT(*) AS n FROM sign_ins WHERE provider_id IS NOT NULL";
    app.database().number(sql)
}

#[actix_web::test]
async fn whoever_the_provider_names_is_signed_in() {
    let app = app().await;
    let town = app.town().await;
    let provider = Provider::start(app.clock_now());
    let id = known(&app, &town, &provider, json!({})).await;
    let offered = format!("/api/v1/auth/openid/providers?committee={}", town.code);
    let offered = app.anonymous().get(&offered).send().await.status(200);
    assert_eq!(offered.text("/items/0/id"), id);
    let nobody = "/api/v1/auth/openid/providers?committee=nowhere";
    let nobody = app.anonymous().get(nobody).send().await.status(200);
    assert_eq!(nobody.json["items"], json!([]));
    let signed_in = sign_in(&app, &town, &provider, &id).await.status(200);
    assert_eq!(signed_in.text_header("cache-control"), "no-store");
    let client = app.client(&signed_in.text("/access_token"));
    let me = client.get(ME).send().await.status(200);
    assert_eq!(me.text("/username"), "staff");
    let refresh = json!({ "refresh_token": signed_in.text("/refresh_token") });
    let refresh = app.anonymous().post("/api/v1/auth/refresh").json(refresh);
    refresh.send().await.status(200);
    // By user name, where the committee says so.
    let security = app.signed_in(&town, &town.security);
    let path = format!("{PROVIDERS}/{id}");
    let patch = |body: Value| security.patch(&path).header("If-Match", "*").json(body);
    let by_name = patch(json!({ "claim": "preferred_username" }));
    by_name.send().await.status(200);
    provider.manner().claims = json!({ "sub": "another", "preferred_username": "chair" });
    let chair = sign_in(&app, &town, &provider, &id).await.status(200);
    assert_eq!(chair.text("/user/username"), "chair");
    provider.manner().claims = json!({ "preferred_username": null });
    let unnamed = sign_in(&app, &town, &provider, &id).await;
    unnamed.status(401).code("bad-credentials");
    // Shut: nobody comes in any more, and who came by it is out.
    patch(json!({ "enabled": false })).send().await.status(200);
    start(&app, &town, &id).await.status(404);
    client.get(ME).send().await.status(401);
}

#[actix_web::test]
async fn a_state_is_good_for_one_attempt_and_ten_minutes() {
    let app = app().await;
    let town = app.town().await;
    let provider = Provider::start(app.clock_now());
    let id = known(&app, &town, &provider, json!({})).await;
    let begun = start(&app, &town, &id).await.status(200);
    let code = provider.agree(&begun.text("/authorization_url"));
    let body = json!({ "code": code, "state": begun.text("/state") });
    // Two at once: one gets in.
    let both = futures_util::future::join(finish(&app, body.clone()), finish(&app, body.clone()));
    let (one, two) = both.await;
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401], "{one} {two}");
    let replayed = finish(&app, body).await.status(401);
    replayed.code("challenge-refused");
    assert_eq!(provider.manner().exchanges, 1);
    // A code that the provider took back.
    let begun = start(&app, &town, &id).await.status(200);
    let used = json!({ "code": code, "state": begun.text("/state") });
    let used = finish(&app, used).await.status(401);
    used.code("bad-credentials");
    // Somebody else's code under one's own state: its verifier does not fit.
    let (mine, his) = (start(&app, &town, &id).await, start(&app, &town, &id).await);
    let stolen = provider.agree(&his.text("/authorization_url"));
    let body = json!({ "code": stolen, "state": mine.text("/state") });
    finish(&app, body).await.status(401).code("bad-credentials");
    let begun = start(&app, &town, &id).await.status(200);
    let code = provider.agree(&begun.text("/authorization_url"));
    let state = begun.text("/state");
    // In the middle: the last character of base64 has bits that mean nothing.
    let (begin, end) = state.split_at(state.len() / 2);
    let other = if end.starts_with('A') { 'B' } else { 'A' };
    let tampered = format!("{begin}{other}{}", &end[1..]);
    for wrong in ["x", "jjo_AAAA", tampered.as_str()] {
        let reply = finish(&app, json!({ "code": code, "state": wrong })).await;
        reply.status(401).code("challenge-refused");
    }
    app.clock.advance(SignedDuration::from_mins(10));
    let late = finish(&app, json!({ "code": code, "state": state })).await;
    late.status(401).code("challenge-refused");
}

/// Why sign-ins by a provider were refused, one after the other.
fn reasons(app: &TestApp) -> Vec<String> {
    let text = match app.db().url() {
        DatabaseUrl::Sqlite(_) => "content",
        DatabaseUrl::Postgres(_) => "content::text",
    };
    app.database().names(&format!(
        "SELECT {text} AS name FROM events WHERE name = 'openid_provider.sign_in_refused' ORDER BY seq"
    ))
}

#[actix_web::test]
async fn what_is_wrong_with_an_id_token_signs_nobody_in() {
    let app = app().await;
    let town = app.town().await;
    let provider = Provider::start(app.clock_now());
    let id = known(&app, &town, &provider, json!({})).await;
    let now = app.clock_now().as_second();
    let mut tried = Vec::new();
    for (what, claims) in [
        ("nonce", json!({ "nonce": "another" })),
        ("no nonce", json!({ "nonce": null })),
        ("audience", json!({ "aud": "another" })),
        ("no audience", json!({ "aud": null })),
        ("several audiences", json!({ "aud": [CLIENT.0, "another"] })),
        (
            "other party",
            json!({ "aud": [CLIENT.0], "azp": "another" }),
        ),
        ("issuer", json!({ "iss": "https://id.example.cn" })),
        ("no issuer", json!({ "iss": null })),
        ("expired", json!({ "exp": now - 6, "iat": now - 300 })),
        ("no end", json!({ "exp": null })),
        ("future", json!({ "iat": now + 120 })),
        ("not yet", json!({ "nbf": now + 120 })),
        ("no subject", json!({ "sub": null })),
        ("empty subject", json!({ "sub": "" })),
        ("unknown subject", json!({ "sub": "subject-2" })),
        // Nothing is wrong with it: this one is seen to get in.
        ("the good one", json!({})),
    ] {
        provider.manner().claims = claims;
        let reply = sign_in(&app, &town, &provider, &id).await;
        tried.push((what, reply));
    }
    provider.manner().claims = json!({});
    for signed in [
        Signed::OtherKey,
        Signed::PublicKeyAsSecret,
        Signed::ClientSecret,
        Signed::None,
    ] {
        provider.manner().signed = signed;
        let reply = sign_in(&app, &town, &provider, &id).await;
        let what = match signed {
            Signed::OtherKey => "another key",
            Signed::PublicKeyAsSecret => "the public key as a secret",
            Signed::ClientSecret => "the client secret",
            _ => "no signature",
        };
        tried.push((what, reply));
    }
    provider.manner().signed = Signed::Right;
    provider.manner().typ = "at+jwt";
    tried.push(("type", sign_in(&app, &town, &provider, &id).await));
    provider.manner().typ = "JWT";
    let count = tried.len() - 1;
    let let_in: Vec<_> = tried
        .iter()
        .filter(|(_, reply)| reply.status != 401 || reply.json["code"] != "bad-credentials")
        .map(|(what, reply)| (*what, reply.status))
        .collect();
    assert_eq!(let_in, [("the good one", 200)]);
    assert_eq!(sign_ins(&app), 1);
    // Each refusal stands in the history of the provider, with the one thing that was wrong.
    let reasons = reasons(&app);
    assert_eq!(reasons.len(), count, "{reasons:?}");
    for (reason, wrong) in reasons.iter().zip([
        "nonce",
        "nonce",
        "audience",
        "claims",
        "authorised party",
        "authorised party",
        "issuer",
        "claims",
        "expired",
        "claims",
        "not valid yet",
        "not valid yet",
        "claims",
        "subject",
        "no account",
        "signature",
        "algorithm",
        "algorithm",
        "header",
        "type",
    ]) {
        assert!(reason.contains(wrong), "{wrong}: {reasons:?}");
    }
    // And the same provider signs in once it does as it should: several audiences with the right
    // party, a token just at its end.
    provider.manner().claims = json!({
        "aud": [CLIENT.0, "another"], "azp": CLIENT.0, "exp": now - 4, "iat": now - 300,
    });
    sign_in(&app, &town, &provider, &id).await.status(200);
    assert_eq!(sign_ins(&app), 2);
}

#[actix_web::test]
async fn providers_are_not_mixed_up() {
    let app = app().await;
    let town = app.town().await;
    let provider = Provider::start(app.clock_now());
    let id = known(&app, &town, &provider, json!({})).await;
    let finish_as = |issuer: Option<&'static str>| {
        let (app, provider, id, town) = (&app, &provider, &id, &town);
        async move {
            let begun = start(app, town, id).await.status(200);
            let code = provider.agree(&begun.text("/authorization_url"));
            let mut body = json!({ "code": code, "state": begun.text("/state") });
            match issuer {
                Some("own") => body["iss"] = provider.issuer.clone().into(),
                Some(other) => body["iss"] = other.into(),
                None => {}
            }
            finish(app, body).await
        }
    };
    let wrong = finish_as(Some("https://id.example.cn")).await;
    wrong.status(401).code("bad-credentials");
    assert_eq!(provider.manner().exchanges, 0, "the code went nowhere");
    finish_as(Some("own")).await.status(200);
    provider.manner().names_itself = true;
    finish_as(None).await.status(401).code("bad-credentials");
    finish_as(Some("own")).await.status(200);
    // Another committee knows neither the provider nor its people.
    let elsewhere = app.town_called("linjiang").await;
    start(&app, &elsewhere, &id).await.status(404);
    let path = format!("{PROVIDERS}/{id}");
    let other = app.signed_in(&elsewhere, &elsewhere.security);
    other.get(&path).send().await.status(404);
}

#[actix_web::test]
async fn a_provider_that_is_away_or_astray_changes_nothing() {
    let app = app().await;
    let town = app.town().await;
    let provider = Provider::start(app.clock_now());
    let id = known(&app, &town, &provider, json!({})).await;
    for fault in [
        Fault::Redirect,
        Fault::Huge,
        Fault::Broken,
        Fault::InnerEndpoint,
    ] {
        provider.manner().fault = fault;
        let reply = sign_in(&app, &town, &provider, &id).await;
        let reply = reply.status(503).code("provider-unavailable");
        assert_eq!(reply.text_header("retry-after"), "10", "{fault:?}");
        let text = String::from_utf8_lossy(&reply.body);
        assert!(
            !text.contains("127.0.0.1") && !text.contains("169.254"),
            "{text}"
        );
    }
    provider.manner().fault = Fault::OtherIssuer;
    let reply = start(&app, &town, &id).await.status(503);
    reply.code("provider-unavailable");
    assert_eq!(sign_ins(&app), 0);
    provider.manner().fault = Fault::None;
    sign_in(&app, &town, &provider, &id).await.status(200);
    // Nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|one| one.local_addr());
    let address = format!("http://{}", port.expect("a port that is free again"));
    let gone = json!({ "name": "已停运", "issuer": address });
    let gone = known(&app, &town, &provider, gone).await;
    start(&app, &town, &gone)
        .await
        .status(503)
        .code("provider-unavailable");
}

#[actix_web::test]
async fn the_word_of_the_provider_on_the_second_factor_counts_where_the_committee_says_so() {
    let app = app().await;
    let town = app.town().await;
    let provider = Provider::start(app.clock_now());
    let id = known(&app, &town, &provider, json!({})).await;
    provider.manner().claims = json!({ "amr": ["pwd", "otp"], "acr": "silver" });
    // Without a second factor here it makes no difference.
    let signed_in = sign_in(&app, &town, &provider, &id).await.status(200);
    let client = app.client(&signed_in.text("/access_token"));
    let factor = "/api/v1/auth/second-factor";
    let begun = client.post(factor).json(json!({})).send().await.status(200);
    let secret = Secret::parse(&begun.text("/secret")).expect("a secret");
    let code = |app: &TestApp| secret.code(totp::period(app.clock_now()));
    let first = json!({ "code": code(&app) });
    post(&client, &format!("{factor}/actions/confirm"), first)
        .await
        .status(200);
    let asked = sign_in(&app, &town, &provider, &id).await.status(401);
    let challenge = asked.code("second-factor-required").text("/challenge");
    app.clock.advance(SignedDuration::from_secs(30));
    let body = json!({ "challenge": challenge, "code": code(&app) });
    post(&app.anonymous(), "/api/v1/auth/login/second-factor", body)
        .await
        .status(200);
    let security = app.signed_in(&town, &town.security);
    let path = format!("{PROVIDERS}/{id}");
    let trust = |words: &'static str| {
        let patch = security.patch(&path).header("If-Match", "*");
        patch.json(json!({ "second_factor": words })).send()
    };
    for (words, status) in [("mfa gold", 401), ("mfa otp", 200), ("silver", 200)] {
        trust(words).await.status(200);
        let reply = sign_in(&app, &town, &provider, &id).await;
        assert_eq!(reply.status, status, "{words}: {reply}");
    }
    provider.manner().claims = json!({});
    let asked = sign_in(&app, &town, &provider, &id).await.status(401);
    asked.code("second-factor-required");
}

#[actix_web::test]
async fn only_the_security_administrator_sets_providers_up_and_only_to_safe_places() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let body = |issuer: &str, redirect: &str| {
        json!({
            "name": "身份认证", "issuer": issuer, "client_id": "jianjian",
            "redirect_uri": redirect, "claim": "sub",
        })
    };
    let good = body("https://8.8.8.8/realm", REDIRECT);
    for person in [&town.administrator, &town.auditor, &town.staff] {
        let client = app.signed_in(&town, person);
        post(&client, PROVIDERS, good.clone()).await.status(403);
    }
    let security = app.signed_in(&town, &town.security);
    for (issuer, redirect, place) in [
        ("http://8.8.8.8/", REDIRECT, "/issuer"),
        ("https://127.0.0.1/", REDIRECT, "/issuer"),
        ("https://169.254.169.254/", REDIRECT, "/issuer"),
        ("https://10.1.2.3/", REDIRECT, "/issuer"),
        ("https://user@8.8.8.8/", REDIRECT, "/issuer"),
        (
            "https://8.8.8.8/",
            "http://tian.example.cn/",
            "/redirect_uri",
        ),
        (
            "https://8.8.8.8/",
            "http://localhost.example.cn/",
            "/redirect_uri",
        ),
    ] {
        let refused = post(&security, PROVIDERS, body(issuer, redirect)).await;
        refused.status(422).blames(&[place]);
    }
    let made = post(&security, PROVIDERS, good.clone()).await.status(201);
    let path = format!("{PROVIDERS}/{}", made.id());
    assert_eq!(made.json["enabled"], true);
    let twice = post(&security, PROVIDERS, good).await.status(409);
    twice.code("already-exists").blames(&["/name"]);
    let link = |user: &jianjian::ids::UserId, subject: &str| {
        let body = json!({ "user_id": user, "subject": subject });
        let (security, path) = (&security, &path);
        async move { post(security, &format!("{path}/actions/link"), body).await }
    };
    link(&town.staff.user, "one").await.status(200);
    link(&town.staff.user, "two").await.status(409);
    let taken = link(&town.chair.user, "one").await.status(409);
    taken.code("already-exists").blames(&["/subject"]);
    link(&town.chair.user, "three").await.status(200);
    let page = security.get(&format!("{path}/links?limit=1&count=true"));
    let page = page.send().await.status(200);
    assert_eq!(page.json["count"], 2);
    let next = format!("{path}/links?limit=1&cursor={}", page.text("/next_cursor"));
    let next = security.get(&next).send().await.status(200);
    assert_ne!(next.text("/items/0/subject"), page.text("/items/0/subject"));
    // The subjects are those of this issuer.
    let moved = security.patch(&path).header("If-Match", "*");
    let moved = moved.json(json!({ "issuer": "https://8.8.4.4/realm" }));
    moved.send().await.status(409).code("guard-unmet");
    let unlink = json!({ "user_id": town.staff.user });
    post(&security, &format!("{path}/actions/unlink"), unlink)
        .await
        .status(200);
    let links = security.get(&format!("{path}/links")).send().await;
    assert_eq!(links.json["items"].as_array().map(Vec::len), Some(1));
}
