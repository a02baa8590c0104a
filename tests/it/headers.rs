//! What every answer of every operation carries.

use awc::http::Method;
use serde_json::Value;

use crate::support::{Reply, TestApp, wants_token};

fn operations(document: &Value) -> Vec<(Method, String, bool)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let open = !wants_token(operation);
            let method = method.to_uppercase().parse().expect("a method");
            found.push((method, path.clone(), open));
        }
    }
    assert!(found.len() > 60, "{}", found.len());
    found
}

fn check(reply: &Reply) {
    assert!(reply.status < 500, "{reply}");
    assert!(
        reply.text_header("x-request-id").starts_with("reqt_"),
        "{reply}"
    );
    assert_eq!(
        reply.text_header("x-content-type-options"),
        "nosniff",
        "{reply}"
    );
    let policy = reply.text_header("content-security-policy");
    for directive in [
        "default-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(directive), "{directive}: {reply}");
    }
    assert!(policy.contains("default-src 'none'"), "{reply}");
    assert_eq!(reply.text_header("server"), "");
    assert_eq!(reply.text_header("x-powered-by"), "");
    assert_ne!(reply.text_header("strict-transport-security"), "");
    if reply.status >= 400 {
        assert_eq!(
            reply.text_header("content-type"),
            "application/problem+json",
            "{reply}"
        );
        assert_eq!(reply.json["status"], reply.status, "{reply}");
        assert_eq!(reply.json["instance"], reply.text_header("x-request-id"));
        for member in ["type", "title", "code"] {
            assert!(reply.json[member].is_string(), "{reply}");
        }
    }
}

#[actix_web::test]
async fn every_operation_answers_with_the_headers_of_a_careful_service() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let anonymous = app.anonymous();
    let administrator = app.signed_in(&town, &town.administrator);
    let document = app.openapi().await;
    for (method, template, open) in operations(&document) {
        let mut path = template.replace(['{', '}'], "x");
        // A stream that is opened does not end.
        if path.ends_with("/stream") {
            path.push_str("?after=x");
        }
        let refused = anonymous.request(method.clone(), &path).send().await;
        check(&refused);
        if !open {
            refused.status(401).code("unauthenticated");
        }
        if path.ends_with("/logout") {
            continue;
        }
        let reply = administrator.request(method.clone(), &path).send().await;
        check(&reply);
        if !open {
            assert_eq!(reply.text_header("cache-control"), "no-store", "{reply}");
        }
        if !open && template.contains("_id}") {
            assert!([403, 404].contains(&reply.status), "{reply}");
        }
    }
}

#[actix_web::test]
async fn methods_that_a_path_does_not_have_are_answered_with_those_it_has() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let document = app.openapi().await;
    let all = operations(&document);
    let paths: std::collections::BTreeSet<_> = all.iter().map(|(_, path, _)| path).collect();
    for path in paths {
        let has = |method: &Method| all.iter().any(|(m, p, _)| m == method && p == path);
        for method in [
            Method::GET,
            Method::POST,
            Method::PATCH,
            Method::PUT,
            Method::DELETE,
            Method::OPTIONS,
        ] {
            if has(&method) {
                continue;
            }
            let reply = administrator
                .request(method, &path.replace(['{', '}'], "x"))
                .send()
                .await;
            check(&reply);
            let reply = reply.status(405).code("method-not-allowed");
            let mut allowed: Vec<_> = reply.text_header("allow").split(", ").collect();
            allowed.sort_unstable();
            let mut wanted: Vec<_> = all
                .iter()
                .filter(|(_, p, _)| p == path)
                .map(|(m, ..)| m.as_str())
                .collect();
            wanted.sort_unstable();
            assert_eq!(allowed, wanted, "{path}");
        }
    }
}
