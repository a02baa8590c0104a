//! Health, metrics, the document, pages about errors, the page to try the interface.

use std::collections::BTreeSet;

use jianjian::error::Code;
use jianjian::workflow::rule::rules;

use crate::support::TestApp;

#[actix_web::test]
async fn the_service_is_alive_and_ready() {
    let app = TestApp::start().await;
    for path in ["/health/live", "/health/ready"] {
        let reply = app.anonymous().get(path).send().await.status(200);
        assert_eq!(reply.json["status"], "ok");
        assert_eq!(reply.text_header("cache-control"), "no-cache");
    }
}

#[actix_web::test]
async fn metrics_count_requests_and_statements() {
    let app = TestApp::start().await;
    app.anonymous().get("/health/live").send().await.ok();
    app.anonymous().get("/nowhere").send().await.status(404);
    let reply = app.anonymous().get("/metrics").send().await.status(200);
    assert!(
        reply
            .text_header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    let text = String::from_utf8(reply.body.clone()).expect("UTF-8");
    for part in [
        "jianjian_http_requests_total{operation=\"get_live\",status=\"200\"} 1",
        "jianjian_http_requests_total{operation=\"none\",status=\"404\"} 1",
        "jianjian_http_request_duration_seconds_count{operation=\"get_live\",status_class=\"2xx\"} 1",
        "# TYPE jianjian_db_statements_total counter",
        "jianjian_db_queue{threads=\"write\"} 0",
        "jianjian_build_info{version=",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    #[cfg(target_os = "linux")]
    assert!(text.contains("process_resident_memory_bytes"), "{text}");
}

#[actix_web::test]
async fn the_document_is_served_and_cached() {
    let app = TestApp::start().await;
    let reply = app
        .anonymous()
        .get("/openapi.json")
        .send()
        .await
        .status(200);
    assert_eq!(reply.json["openapi"], "3.1.0");
    assert_eq!(reply.text_header("cache-control"), "public, max-age=300");
    let etag = reply.text_header("etag").to_owned();
    let again = app
        .anonymous()
        .get("/openapi.json")
        .header("If-None-Match", &etag)
        .send()
        .await;
    let again = again.status(304);
    assert!(again.body.is_empty());
    assert_eq!(again.text_header("etag"), etag);
}

#[actix_web::test]
async fn every_error_has_a_page() {
    let app = TestApp::start().await;
    for code in Code::ALL {
        let reply = app
            .anonymous()
            .get(&format!("/errors/{}", code.as_str()))
            .send()
            .await
            .status(200);
        assert_eq!(
            reply.text_header("content-type"),
            "text/html; charset=utf-8"
        );
        let page = String::from_utf8(reply.body).expect("UTF-8");
        let (title, about) = (code.title(), code.about());
        let first = |text: &'static str| text.split('`').next().unwrap_or_default();
        for words in [title.zh, title.en, first(about.zh), first(about.en)] {
            assert!(page.contains(words), "{words}: {page}");
        }
    }
    app.anonymous()
        .get("/errors/no-such-code")
        .send()
        .await
        .status(404)
        .code("not-found");
}

#[actix_web::test]
async fn the_interface_can_be_tried_in_a_browser() {
    let app = TestApp::start().await;
    for path in ["/", "/docs"] {
        let reply = app.anonymous().get(path).send().await;
        // The client follows the redirect.
        assert!(String::from_utf8_lossy(&reply.ok().body).contains("swagger-ui"));
    }
    let script = app
        .anonymous()
        .get("/docs/swagger-initializer.js")
        .send()
        .await
        .ok();
    assert!(String::from_utf8_lossy(&script.body).contains("/openapi.json"));
    for path in [
        "/docs/",
        "/docs/swagger-ui-bundle.js",
        "/docs/swagger-ui.css",
    ] {
        let reply = app.anonymous().get(path).send().await.status(200);
        let policy = reply.text_header("content-security-policy");
        assert!(policy.contains("script-src 'self'"), "{path}: {policy}");
    }
    app.anonymous()
        .get("/docs/nothing.js")
        .send()
        .await
        .status(404)
        .code("not-found");
}

#[actix_web::test]
async fn the_workflow_is_told_to_anybody_and_names_operations_that_exist() {
    let app = TestApp::start().await;
    let path = "/api/v1/workflow";
    let reply = app.anonymous().get(path).send().await.status(200);
    assert_eq!(reply.text_header("cache-control"), "public, max-age=300");
    let etag = reply.text_header("etag").to_owned();
    let again = app.anonymous().get(path).header("If-None-Match", &etag);
    assert!(again.send().await.status(304).body.is_empty());

    let operations: BTreeSet<_> = jianjian::api::routes()
        .operations()
        .map(|meta| (meta.method.to_string(), meta.path.to_string()))
        .collect();
    let mut told = BTreeSet::new();
    for machine in reply.json["machines"].as_array().expect("machines") {
        let codes: Vec<_> = machine["statuses"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|status| &status["code"])
            .collect();
        for row in machine["rows"].as_array().expect("rows") {
            told.insert(row["id"].as_str().expect("an id").to_owned());
            let ends = row["from"].as_array().into_iter().flatten();
            for status in ends.chain(row.get("to")) {
                assert!(codes.contains(&status), "{row}");
            }
            let Some(operation) = row.get("operation") else {
                assert_eq!(row["by_system"], true, "{row}");
                continue;
            };
            let text = |name: &str| operation[name].as_str().expect("a text").to_owned();
            assert!(
                operations.contains(&(text("method"), text("path"))),
                "{row}"
            );
        }
    }
    let rows: BTreeSet<_> = rules().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(told, rows);
}
