//! The worker does what time alone does, with nobody acting: each effect once, as the system's own
//! act, and in the database, not only on reading.

use jianjian::store::feed;

use crate::support::TestApp;
use crate::support::story::Story;
use crate::support::units::days;

/// AT08, K05: nobody accepts; the day after the window the worker has deemed the row accepted,
/// once, and the feed tells of it after what came before.
#[actix_web::test]
async fn the_worker_deems_a_row_accepted_once() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    app.work().await;
    assert_eq!(app.work().await, 0, "nothing is due");

    let before = case.trail().await.len();
    days(&app, 8);
    assert!(app.work().await > 0);
    let events = case.trail().await;
    let names: Vec<_> = events[before..]
        .iter()
        .map(|event| (event.name.as_str(), event.actor_role.as_str()))
        .collect();
    assert_eq!(names, [("assignment.deemed_accepted", "system")]);
    assert_eq!(app.work().await, 0, "it happens once");
    assert_eq!(case.trail().await.len(), events.len());

    let committee = town.committee;
    let entries = app
        .read(move |tx| feed::after(tx, committee, 0, 1000))
        .await;
    let positions: Vec<_> = entries.iter().map(|entry| entry.position).collect();
    let all: Vec<_> = (1..=i64::try_from(entries.len()).expect("few")).collect();
    assert_eq!(positions, all, "no gap");
    let own: Vec<_> = entries
        .iter()
        .filter(|entry| entry.stream_kind == "proposal")
        .map(|entry| entry.seq)
        .collect();
    assert_eq!(own.len(), events.len(), "every event is published");
    assert!(own.is_sorted());
}
