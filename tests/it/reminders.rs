//! Reminders of due dates: at their steps, the last one only after a rest of the worker, on the
//! day, and further up once it has passed.

use serde_json::Value;

use crate::support::TestApp;
use crate::support::seed::{Person, Town};
use crate::support::story::Story;
use crate::support::units::at;

/// The reminders of a clock in an inbox, oldest first: topic and working days left.
async fn reminders(app: &TestApp, town: &Town, who: &Person, clock: &str) -> Vec<(String, Value)> {
    let client = app.signed_in(town, who);
    let path = "/api/v1/notifications?group=reminder&limit=100";
    let page = client.get(path).send().await.status(200);
    let items = page.json["items"].as_array().expect("items");
    let own = items.iter().rev();
    own.filter(|item| item["reminder"]["clock"] == clock)
        .map(|item| {
            let topic = item["topic"].as_str().expect("a topic").to_owned();
            (topic, item["reminder"]["working_days_left"].clone())
        })
        .collect()
}

/// K10: assigned on 2 March, due on 2 June.
#[actix_web::test]
async fn a_unit_is_reminded_of_its_reply_and_then_its_signatory() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    app.work().await;
    let clerk = &town.unit_clerks[0];
    assert!(reminders(&app, &town, clerk, "K10").await.is_empty());

    // Fifteen working days before 2 June, at eight.
    at(&app, "2026-05-11T23:59:59Z");
    app.work().await;
    assert!(reminders(&app, &town, clerk, "K10").await.is_empty());
    at(&app, "2026-05-12T00:00:00Z");
    app.work().await;
    let ahead = |days: u32| ("reminder.ahead".to_owned(), Value::from(days));
    assert_eq!(reminders(&app, &town, clerk, "K10").await, [ahead(15)]);
    assert_eq!(app.work().await, 0, "it is told once");

    // The worker rests over the steps seven and three: only the latter is told.
    at(&app, "2026-05-28T03:00:00Z");
    app.work().await;
    assert_eq!(
        reminders(&app, &town, clerk, "K10").await,
        [ahead(15), ahead(3)]
    );
    at(&app, "2026-06-01T01:00:00Z");
    app.work().await;
    at(&app, "2026-06-02T01:00:00Z");
    app.work().await;
    let due = ("reminder.due".to_owned(), Value::Null);
    let told = [ahead(15), ahead(3), ahead(1), due];
    assert_eq!(reminders(&app, &town, clerk, "K10").await, told);
    for other in [&town.signatories[0], &town.supervision] {
        assert!(reminders(&app, &town, other, "K10").await.is_empty());
    }

    at(&app, "2026-06-03T00:00:00Z");
    app.work().await;
    app.work().await;
    let overdue = ("reminder.overdue".to_owned(), Value::Null);
    for other in [&town.signatories[0], &town.supervision] {
        assert_eq!(
            reminders(&app, &town, other, "K10").await,
            std::slice::from_ref(&overdue)
        );
    }
    assert_eq!(
        reminders(&app, &town, clerk, "K10").await.last(),
        Some(&overdue)
    );
    for other in [&town.unit_clerks[1], &town.members[0], &town.staff] {
        assert!(reminders(&app, &town, other, "K10").await.is_empty());
    }
}

/// What was done in time is not reminded of; the profile says when reminders go out.
#[actix_web::test]
async fn nobody_is_reminded_of_what_is_done() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.answer(0).await;
    at(&app, "2026-06-10T00:00:00Z");
    app.work().await;
    let clerk = &town.unit_clerks[0];
    for clock in ["K05", "K07", "K10"] {
        assert!(
            reminders(&app, &town, clerk, clock).await.is_empty(),
            "{clock}"
        );
    }
}
