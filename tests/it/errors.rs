//! Whatever is refused, and by whomever: the answer is a problem document.

use crate::support::TestApp;

const LOGIN: &str = "/api/v1/auth/login";

#[actix_web::test]
async fn an_unknown_path_is_not_found_in_the_language_of_the_caller() {
    let app = TestApp::start().await;
    for (accept, title) in [
        ("", "找不到该资源"),
        ("en", "Not found"),
        ("zh;q=0.5, en-GB;q=0.8", "Not found"),
        ("de, zh-CN;q=0.2", "找不到该资源"),
    ] {
        let reply = app
            .anonymous()
            .get("/api/v1/nowhere")
            .header("Accept-Language", accept);
        let reply = reply.send().await.status(404).code("not-found");
        assert_eq!(reply.json["title"], title, "{accept}");
        assert_eq!(reply.json["instance"], reply.text_header("x-request-id"));
        assert!(reply.text("/instance").starts_with("reqt_"));
    }
}

#[actix_web::test]
async fn every_answer_carries_the_headers_of_a_careful_service() {
    let app = TestApp::start().await;
    for path in ["/health/live", "/nowhere", "/api/v1/auth/me"] {
        let reply = app.anonymous().get(path).send().await;
        assert_eq!(
            reply.text_header("x-content-type-options"),
            "nosniff",
            "{path}"
        );
        assert!(
            reply
                .text_header("content-security-policy")
                .contains("frame-ancestors 'none'")
        );
        assert!(
            reply
                .text_header("strict-transport-security")
                .contains("max-age=")
        );
        assert!(reply.text_header("server").is_empty());
        assert!(!reply.text_header("cache-control").is_empty(), "{path}");
    }
}

#[actix_web::test]
async fn bodies_that_are_not_json_are_refused() {
    let app = TestApp::start().await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for body in [
        "{",
        "",
        "{\"a\":1,\"a\":2}",
        "{\"a\":\"\\u0000\"}",
        "\u{1}",
        "{} {}",
        &deep,
    ] {
        let reply = app
            .anonymous()
            .post(LOGIN)
            .raw("application/json", body)
            .send()
            .await;
        // No body counts as an empty object, which lacks every field.
        if body.is_empty() {
            reply.status(422).code("invalid-body");
        } else {
            reply.status(400).code("malformed-json");
        }
    }
    let reply = app
        .anonymous()
        .post(LOGIN)
        .raw("application/json", b"{\"a\":\"\xff\"}".to_vec());
    reply.send().await.status(400).code("malformed-json");
}

#[actix_web::test]
async fn bodies_are_checked_against_their_schema() {
    let app = TestApp::start().await;
    let body = serde_json::json!({ "committee": "", "username": 1, "admin": true });
    let reply = app.anonymous().post(LOGIN).json(body).send().await;
    let reply = reply.status(422).code("invalid-body");
    let codes: Vec<_> = reply.json["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| {
            (
                error["pointer"].as_str().expect("a place"),
                error["code"].clone(),
            )
        })
        .collect();
    for wanted in [
        ("/username", "type"),
        ("/admin", "unknown_field"),
        ("/password", "required"),
    ] {
        assert!(
            codes
                .iter()
                .any(|(at, code)| (*at, code) == (wanted.0, &wanted.1.into())),
            "{reply}"
        );
    }
}

#[actix_web::test]
async fn other_media_types_and_large_bodies_are_refused() {
    let app = TestApp::start().await;
    let send = |kind, body: Vec<u8>| app.anonymous().post(LOGIN).raw(kind, body).send();
    send("text/plain", b"{}".to_vec())
        .await
        .status(415)
        .code("unsupported-media-type");
    send("application/json", vec![b' '; 300_000])
        .await
        .status(413)
        .code("payload-too-large");
}

#[actix_web::test]
async fn an_internal_error_tells_nothing_about_the_inside() {
    let app = TestApp::start_with(|config| config.database.threads.queue = 1).await;
    // The tables go away under the service.
    app.database().lose_tables();
    let body = serde_json::json!({ "committee": "nobody", "username": "nobody", "password": "x" });
    let reply = app.anonymous().post(LOGIN).json(body).send().await;
    assert!(reply.status >= 500, "{reply}");
    let text = reply.to_string().to_lowercase();
    for word in [
        "diesel", "sqlite", "postgres", "panicked", "src/", "table", "relation",
    ] {
        assert!(!text.contains(word), "{text}");
    }
}
