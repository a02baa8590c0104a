//! Pages of other origins: none may read an answer, unless the settings name them.

use awc::http::Method;

use crate::support::TestApp;

const PAGE: &str = "https://tian.example.cn";

#[actix_web::test]
async fn only_the_origins_of_the_settings_may_read_answers() {
    let app = TestApp::start_with(|config| {
        config.server.allowed_origins = vec![PAGE.to_owned()];
    })
    .await;
    let anonymous = app.anonymous();
    // Answers and problem documents alike.
    for (path, status) in [("/health/live", 200), ("/api/v1/desk", 401)] {
        let reply = anonymous.get(path).header("Origin", PAGE).send().await;
        let reply = reply.status(status);
        assert_eq!(reply.text_header("access-control-allow-origin"), PAGE);
        let shown = reply.text_header("access-control-expose-headers");
        assert!(
            shown.contains("ETag") && shown.contains("Retry-After"),
            "{shown}"
        );
        let reply = anonymous.get(path).header("Origin", "https://x.example.cn");
        let reply = reply.send().await.status(status);
        assert_eq!(reply.text_header("access-control-allow-origin"), "");
        // Caches must tell them apart.
        let vary: Vec<_> = reply.headers.get_all("vary").collect();
        assert!(vary.iter().any(|value| *value == "origin"), "{vary:?}");
    }
    let asks = |origin: &str| {
        let request = anonymous.request(Method::OPTIONS, "/api/v1/proposals");
        let request = request.header("Access-Control-Request-Method", "POST");
        request.header("Origin", origin)
    };
    let reply = asks(PAGE).send().await.status(204);
    assert_eq!(reply.text_header("access-control-allow-origin"), PAGE);
    let methods = reply.text_header("access-control-allow-methods");
    let known: Vec<_> = methods.split(", ").collect();
    let document = app.openapi().await;
    for item in document["paths"].as_object().expect("paths").values() {
        for method in item.as_object().expect("operations").keys() {
            let method = method.to_uppercase();
            assert!(known.contains(&&*method), "{method}: {methods}");
        }
    }
    let headers = reply.text_header("access-control-allow-headers");
    assert!(headers.contains("If-Match"), "{headers}");
    let reply = asks("https://x.example.cn").send().await.status(405);
    assert_eq!(reply.text_header("access-control-allow-methods"), "");
}

#[actix_web::test]
async fn without_the_setting_no_page_of_another_origin_may_read_answers() {
    let app = TestApp::start().await;
    let anonymous = app.anonymous();
    let reply = anonymous.get("/health/live").header("Origin", PAGE);
    let reply = reply.send().await.status(200);
    assert_eq!(reply.text_header("access-control-allow-origin"), "");
}
