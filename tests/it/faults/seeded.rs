//! Positive controls with a service that is wrong: each defect is found out by the checker. They are
//! built with the feature `seeded-defects`; `scripts/faults` plays them.

use std::time::Duration;

use super::check::Verdict;
use super::load::Load;
use super::service::Service;
use super::{clients, place, ready, town, turn, until_done, verdict};
use crate::support::TestApp;

/// What the checker says of a run of a service with a defect that is killed now and then.
async fn run(defect: &'static str, kills: usize) -> Verdict {
    let app = TestApp::start().await;
    let town = town(&app).await;
    let mut place = place(&app);
    place.defect = defect;
    let mut service = Service::start(&place).await;
    let load = Load::new(&app, &town, clients().max(16), vec![place.bind.clone()]);
    load.run(async {
        for round in 0..kills {
            until_done(&load, 40 + round % 7 * 11).await;
            service.crash(&place).await;
            ready(&place.bind, Duration::from_secs(20)).await;
        }
        until_done(&load, 100).await;
    })
    .await;
    verdict(&app, &load).await.0
}

#[actix_web::test]
async fn a_service_without_defect_is_clean() {
    let _turn = turn().await;
    let verdict = run("", 5).await;
    eprintln!("no defect: {verdict}");
    verdict.assert_clean();
}

#[actix_web::test]
async fn a_version_that_is_not_compared_is_found_out() {
    let _turn = turn().await;
    let verdict = run("no-version-check", 0).await;
    eprintln!("the version is not compared: {verdict}");
    assert!(verdict.double > 0, "{verdict}");
}

#[actix_web::test]
async fn a_key_outside_the_transaction_is_found_out() {
    let _turn = turn().await;
    let verdict = run("key-apart", 5).await;
    eprintln!("the key in a transaction of its own: {verdict}");
    assert!(verdict.lost + verdict.double > 0, "{verdict}");
}
