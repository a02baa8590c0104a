//! The instances of a service are exchanged one after the other behind a balancer.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::load::Load;
use super::service::{Place, Service};
use super::{clients, place, ready, town, turn, until_done, verdict};
use crate::support::TestApp;

/// Asks every instance for its readiness, as a balancer does, and sends clients to those that are.
async fn balance(load: &Load<'_>, known: &RefCell<Vec<String>>) {
    let http = awc::Client::builder()
        .timeout(Duration::from_secs(2))
        .finish();
    let ask = async |address: String| {
        let ready = http.get(format!("http://{address}/health/ready"));
        let ready = ready.send().await.is_ok_and(|one| one.status() == 200);
        let mut fit = load.instances.borrow_mut();
        if ready && !fit.contains(&address) {
            fit.push(address);
        } else if !ready && fit.len() > 1 {
            fit.retain(|one| *one != address);
        }
    };
    loop {
        let all = known.borrow().clone();
        futures_util::future::join_all(all.into_iter().map(&ask)).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Each of two instances is told to stop under load and replaced: readiness turns first, every
/// request is answered, and none with 5xx.
#[actix_web::test]
async fn instances_are_exchanged_without_an_unanswered_request() {
    let _turn = turn().await;
    let app = TestApp::start().await;
    let town = town(&app).await;
    // Longer than the balancer of a busy machine may take to ask.
    let place = || Place {
        grace: Duration::from_secs(3),
        ..place(&app)
    };
    let (one, other) = (place(), place());
    let mut instances = [Service::start(&one).await, Service::start(&other).await].map(Some);
    let addresses = vec![one.bind, other.bind];
    let known = RefCell::new(addresses.clone());
    let load: Rc<Load<'_>> = Load::new(&app, &town, clients(), addresses);
    load.run(async {
        let exchange = async {
            until_done(&load, 30).await;
            for slot in &mut instances {
                let Some(old) = slot.take() else { continue };
                old.terminate();
                let gone = old.address.clone();
                assert_eq!(old.stopped().await, Some(0));
                let new = Service::start(&place()).await;
                ready(&new.address, Duration::from_secs(20)).await;
                known.borrow_mut().retain(|address| *address != gone);
                known.borrow_mut().push(new.address.clone());
                *slot = Some(new);
                until_done(&load, 30).await;
            }
        };
        tokio::select! {
            () = exchange => {}
            () = balance(&load, &known) => {}
        }
    })
    .await;
    let (verdict, _) = verdict(&app, &load).await;
    let answers = load.answers.borrow().clone();
    eprintln!("exchanged two instances, answers {answers:?}: {verdict}");
    verdict.assert_clean();
    let history = load.history();
    let whys: Vec<_> = history.0.values().flat_map(|op| &op.whys).collect();
    assert_eq!(verdict.unknown, 0, "{verdict}: {whys:?}");
    assert_eq!(
        load.unanswered.get(),
        0,
        "reads or writes without an answer"
    );
    assert!(answers.keys().all(|status| *status < 500), "{answers:?}");
}
