//! Signing in through a real identity provider: the certified `oidc-provider`, started by
//! `scripts/lib/openid.sh`, which sets `TEST_OPENID_ISSUER`. Without it this test does nothing;
//! `scripts/test` runs it with the provider.

use std::collections::BTreeMap;

use jianjian::clock::{Clock, SystemClock};
use reqwest::redirect::Policy;
use reqwest::{Client as Browser, Url};
use serde_json::{Value, json};

use crate::support::seed::Town;
use crate::support::{Client, Reply, TestApp};

/// Registered at the provider; nobody listens there.
const REDIRECT: &str = "http://127.0.0.1:4710/signed-in";
const PROVIDERS: &str = "/api/v1/openid-providers";

#[expect(
    clippy::disallowed_methods,
    reason = "set by the script that starts the provider"
)]
fn issuer() -> Option<String> {
    std::env::var("TEST_OPENID_ISSUER").ok()
}

async fn post(client: &Client, path: &str, body: Value) -> Reply {
    let request = client.post(path).header("If-Match", "*");
    request.json(body).send().await
}

/// Follows the address as a browser does, as somebody whom the provider calls `login`, until it
/// leads back; gives what it leads back with.
async fn follow(address: &str, login: &str) -> BTreeMap<String, String> {
    let browser = Browser::builder().redirect(Policy::none()).build();
    let browser = browser.expect("a browser");
    let mut url = Url::parse(address).expect("an address");
    url.query_pairs_mut().append_pair("login_hint", login);
    let mut cookies: BTreeMap<String, String> = BTreeMap::new();
    for _ in 0..10 {
        let jar: Vec<_> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = browser.get(url.clone()).header("cookie", jar.join("; "));
        let response = request.send().await.expect("an answer");
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text").split(';').next();
            if let Some((name, value)) = cookie.and_then(|pair| pair.split_once('=')) {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = response.headers().get("location");
        let location = location.unwrap_or_else(|| panic!("{url} leads nowhere"));
        url = url
            .join(location.to_str().expect("text"))
            .expect("an address");
        if url.as_str().starts_with(REDIRECT) {
            return url.query_pairs().into_owned().collect();
        }
    }
    panic!("the provider leads in circles");
}

async fn known(app: &TestApp, town: &Town, issuer: &str, client: &str, claim: &str) -> String {
    let security = app.signed_in(town, &town.security);
    let body = json!({
        "name": client, "issuer": issuer, "client_id": client, "redirect_uri": REDIRECT,
        "claim": claim, "second_factor": "otp",
    });
    post(&security, PROVIDERS, body).await.status(201).id()
}

/// What the front end does: begins, sends the browser away, brings back what it came with.
async fn sign_in(app: &TestApp, town: &Town, id: &str, login: &str) -> (Reply, Value) {
    let body = json!({ "committee": town.code, "provider_id": id });
    let start = app.anonymous().post("/api/v1/auth/openid/start").json(body);
    let begun = start.send().await.status(200);
    let back = follow(&begun.text("/authorization_url"), login).await;
    assert_eq!(back["state"], begun.text("/state"));
    let body = json!({ "code": back["code"], "state": back["state"], "iss": back["iss"] });
    (finish(app, &body).await, body)
}

async fn finish(app: &TestApp, body: &Value) -> Reply {
    let finish = app
        .anonymous()
        .post("/api/v1/auth/openid/finish")
        .json(body);
    finish.send().await
}

#[actix_web::test]
async fn people_sign_in_through_a_real_provider() {
    let Some(issuer) = issuer() else {
        println!("not run: TEST_OPENID_ISSUER names no provider (scripts/lib/openid.sh)");
        return;
    };
    let app = TestApp::start_with(|config| config.openid.insecure = true).await;
    // The provider has no clock that could be set.
    app.clock.set(SystemClock.now());
    let town = app.town().await;
    let id = known(&app, &town, &issuer, "jianjian", "sub").await;
    let security = app.signed_in(&town, &town.security);
    // Without its secret the client is not the one that the provider knows.
    let (stranger, _) = sign_in(&app, &town, &id, "subject-of-staff").await;
    stranger.status(503).code("provider-unavailable");
    let secret = format!("{PROVIDERS}/{id}/actions/set-client-secret");
    let body = json!({ "client_secret": "a secret: with % and :" });
    post(&security, &secret, body).await.status(200);
    let (unknown, _) = sign_in(&app, &town, &id, "subject-of-staff").await;
    unknown.status(401).code("bad-credentials");
    let link = format!("{PROVIDERS}/{id}/actions/link");
    let body = json!({ "user_id": town.staff.user, "subject": "subject-of-staff" });
    post(&security, &link, body).await.status(200);
    let (signed_in, body) = sign_in(&app, &town, &id, "subject-of-staff").await;
    let signed_in = signed_in.status(200);
    assert_eq!(signed_in.text("/user/username"), "staff");
    let client = app.client(&signed_in.text("/access_token"));
    client.get("/api/v1/desk").send().await.status(200);
    // The provider's word on the second factor is taken.
    let factor = client.get("/api/v1/auth/second-factor").send().await;
    factor.status(200).text("/proven_at");
    finish(&app, &body)
        .await
        .status(401)
        .code("challenge-refused");
    // A public client, and accounts by their names.
    let public = known(
        &app,
        &town,
        &issuer,
        "jianjian-public",
        "preferred_username",
    )
    .await;
    let (chair, _) = sign_in(&app, &town, &public, "chair").await;
    assert_eq!(chair.status(200).text("/user/username"), "chair");
    let (nobody, _) = sign_in(&app, &town, &public, "nobody-here").await;
    nobody.status(401).code("bad-credentials");
}
