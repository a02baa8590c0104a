//! The demo committee, and the check of the audit trail on it.

use jianjian::demo::{self, Made};
use jianjian::store::verify::{self, Fault};

use crate::support::TestApp;

/// Every status that a case can have today, with one case at least.
const STATUSES: &[&str] = &[
    "draft",
    "submitted",
    "returned",
    "filed",
    "not_filed",
    "assigned",
    "handled",
    "feedback",
    "closed",
];

#[actix_web::test]
async fn a_sample_of_the_demo_has_every_status_and_a_whole_trail_and_is_made_once() {
    let app = TestApp::start().await;
    let now = app.clock_now();
    let made = demo::make_every(&app.app, now, 7).await.expect("the demo");
    assert!(
        matches!(made, Made::New { proposals: 85, acts } if acts > 800),
        "{made:?}"
    );
    assert_eq!(
        demo::make(&app.app, now).await.expect("the demo"),
        Made::Kept
    );
    let signed_in = app
        .anonymous()
        .post("/api/v1/auth/login")
        .json(serde_json::json!({
            "committee": demo::CODE, "username": "staff", "password": demo::PASSWORD,
        }))
        .send()
        .await
        .ok();
    let staff = app.client(&signed_in.text("/access_token"));
    let mut total = 0;
    for status in STATUSES {
        let path = format!("/api/v1/proposals?status={status}&count=true&limit=1");
        let count = staff.get(&path).send().await.ok().json["count"]
            .as_i64()
            .unwrap_or(0);
        assert!(count > 0, "none is {status}");
        total += count;
    }
    assert!((84..=85).contains(&total), "{total}");
    let report = app.read(verify::run).await;
    assert_eq!(report.broken, None);
    assert!(report.events > 800 && report.streams > 85, "{report:?}");
}

#[actix_web::test]
async fn the_demo_does_not_touch_a_database_of_somebody_else() {
    let app = TestApp::start().await;
    app.town_called("elsewhere").await;
    let before = app.database().row_counts();
    let refused = demo::make(&app.app, app.clock_now())
        .await
        .expect_err("refused");
    assert_eq!(refused.code().as_str(), "in-use");
    assert_eq!(app.database().row_counts(), before);
}

#[actix_web::test]
async fn verify_names_the_first_broken_link_whatever_was_done_to_the_trail() {
    let tampering = [
        (
            "UPDATE events SET actor_name = 'x' WHERE seq = 2",
            Fault::Changed,
        ),
        (
            "UPDATE events SET rule = 'PT99' WHERE seq = 1 AND stream_kind = 'proposal'",
            Fault::Changed,
        ),
        (
            "DELETE FROM events WHERE seq = 1 AND stream_kind = 'proposal'",
            Fault::Missing,
        ),
        (
            "DELETE FROM events WHERE seq = 2 AND stream_kind = 'proposal'",
            Fault::Missing,
        ),
        (
            "UPDATE events SET prev_hash = '' WHERE seq = 3",
            Fault::Link,
        ),
        (
            "DELETE FROM events WHERE seq > 3 AND stream_kind = 'proposal'",
            Fault::WrongEnd,
        ),
        (
            "DELETE FROM events WHERE stream_kind = 'proposal'",
            Fault::WrongEnd,
        ),
    ];
    for (sql, fault) in tampering {
        let app = TestApp::start().await;
        let now = app.clock_now();
        demo::make_every(&app.app, now, 60).await.expect("the demo");
        assert_eq!(app.read(verify::run).await.broken, None);
        app.database().lift_guards();
        assert!(app.database().execute(sql) > 0, "{sql}");
        let broken = app
            .read(verify::run)
            .await
            .broken
            .unwrap_or_else(|| panic!("not found: {sql}"));
        assert_eq!(broken.fault, fault, "{sql}");
    }
}
