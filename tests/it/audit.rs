//! The audit trail of a case: complete, chained, and true to the requests.

use std::collections::BTreeMap;

use jianjian::store::events::Stream;
use serde_json::{Value, json};

use crate::support::story::{Story, form, members};
use crate::support::{Reply, TestApp};

#[actix_web::test]
async fn every_write_of_a_case_is_in_a_chain_that_verifies() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let body = json!({ "kind": "joint", "form": form() });
    let mut case = Story::draft_of(&app, &town, &people[0], body).await;
    let invitation = json!({ "member_ids": members(&people[1..2]) });
    let mut requests: Vec<(&str, Reply)> = vec![
        (
            "cosign.invited",
            case.does(&people[0], "invite-cosigners", invitation).await,
        ),
        (
            "cosign.consented",
            case.does(&people[1], "consent-cosign", json!({})).await,
        ),
        ("proposal.submitted", case.submit().await),
    ];
    case.examine_all().await;
    requests.push(("proposal.filed", case.file().await));
    requests.push(("proposal.assigned", case.assign("joint", &[0, 1]).await));
    case.accept(0).await;
    case.accept(1).await;
    requests.push(("contact.recorded", case.contact(0).await));
    requests.push(("opinion.submitted", case.give_opinion(1).await));
    requests.push(("reply.drafted", case.draft_reply(0).await));
    requests.push(("countersign.requested", case.request_countersign(0).await));
    requests.push(("countersign.given", case.countersign(0, 1).await));
    requests.push(("reply.signed", case.sign(0).await));
    requests.push(("reply.approved", case.approve(0).await));
    let delivered = case.deliver(0).await;
    case.rate(&people[0], 0).await;
    let last = case.rate(&people[1], 0).await;
    requests.push(("proposal.closed", case.close().await));

    let trail = case.trail().await;
    let stream = Stream {
        committee: town.committee,
        kind: "proposal",
        id: case
            .id
            .parse::<jianjian::ids::ProposalId>()
            .expect("an id")
            .cast(),
    };
    let mut before = String::new();
    for (index, event) in trail.iter().enumerate() {
        assert_eq!(usize::try_from(event.seq), Ok(index + 1), "no gap");
        assert_eq!(event.prev_hash, before, "{}", event.name);
        assert_eq!(event.hash, event.expected_hash(&stream), "{}", event.name);
        before.clone_from(&event.hash);
        assert!(event.request_id.is_some(), "{}", event.name);
        assert_eq!(
            event.actor_id.is_none(),
            event.actor_role == "system",
            "{}",
            event.name
        );
    }
    // A changed word breaks the chain.
    let mut forged = trail[0].clone();
    forged.actor_name = "别人".to_owned();
    assert_ne!(forged.hash, forged.expected_hash(&stream));

    // Every thing goes on from the status where it was left.
    let mut left: BTreeMap<String, Value> = BTreeMap::new();
    for event in &trail {
        let content = &event.content.0;
        let target = content["target"].to_string();
        if let Some(status) = left.get(&target) {
            assert_eq!(&content["before"], status, "{}: {content}", event.name);
        }
        left.insert(target, content["after"].clone());
    }

    // The request in the trail is the one that the answer named.
    let request_of = |name: &str| {
        let event = trail.iter().find(|event| event.name == name).expect(name);
        event.request_id.expect("a request").to_string()
    };
    for (name, reply) in &requests {
        assert_eq!(
            request_of(name),
            reply.text_header("x-request-id"),
            "{name}"
        );
    }
    // What the system does as a consequence belongs to the request that caused it.
    assert_eq!(
        request_of("proposal.handled"),
        delivered.text_header("x-request-id")
    );
    assert_eq!(
        request_of("feedback.concluded"),
        last.text_header("x-request-id")
    );
    // One event per write, and those of the system: two rows made, the row replied, two statuses.
    let own = trail
        .iter()
        .filter(|event| event.actor_role != "system")
        .count();
    assert_eq!(
        (own, trail.len()),
        (21, 26),
        "{:?}",
        trail.iter().map(|e| &e.name).collect::<Vec<_>>()
    );
}

#[actix_web::test]
async fn what_is_refused_leaves_no_trace() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    let seen = case.seen_by(&town.staff).await;
    case.tries(&town.chair, "file", json!({})).await.status(422);
    case.tries(&town.examiners[0], "examine", json!({ "opinion": 1 }))
        .await
        .status(422);
    case.tries(&town.members[1], "submit", json!({}))
        .await
        .status(404);
    case.tries(&town.members[0], "recall", json!({}))
        .await
        .status(409);
    assert_eq!(case.trail().await.len(), 1);
    assert_eq!(case.seen_by(&town.staff).await.body, seen.body);
}
