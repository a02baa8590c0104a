//! Health, metrics, the document, pages about errors.

use crate::support::TestApp;

#[actix_web::test]
async fn the_service_is_alive_and_ready() {
    let app = TestApp::start().await;
    for path in ["/health/live", "/health/ready"] {
        let reply = app.anonymous().get(path).send().await.status(200);
        assert_eq!(reply.json["status"], "ok");
    }
}
