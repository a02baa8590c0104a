//! Who sees what of a case, and when.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::people::grant;
use crate::support::seed::Person;
use crate::support::story::{Story, form, members};

/// How many proposals somebody finds in the list.
async fn listed(case: &Story<'_>, who: &Person) -> usize {
    let page = case
        .as_(who)
        .get("/api/v1/proposals?limit=100")
        .send()
        .await
        .status(200);
    page.json["items"].as_array().expect("items").len()
}

#[actix_web::test]
async fn before_filing_a_case_is_for_its_proposer_and_the_committee() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    for submitted in [false, true] {
        if submitted {
            case.submit().await;
        }
        let inside = [
            &town.members[0],
            &town.staff,
            &town.examiners[0],
            &town.chair,
            &town.auditor,
        ];
        for who in inside {
            case.seen_by(who).await.status(200);
            assert_eq!(listed(&case, who).await, 1, "{}", who.username);
        }
        let outside = [
            &town.members[1],
            &town.clerk,
            &town.officer,
            &town.unit_clerks[0],
            &town.signatories[0],
            &town.supervision,
            &town.leader,
            &town.administrator,
        ];
        for who in outside {
            case.seen_by(who).await.status(404).code("not-found");
            for part in ["actions", "timeline"] {
                let path = format!("{}/{part}", case.path());
                case.as_(who).get(&path).send().await.status(404);
            }
            assert_eq!(listed(&case, who).await, 0, "{}", who.username);
        }
    }
}

#[actix_web::test]
async fn once_filed_an_open_case_is_for_members_and_its_own_units() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    for who in [
        &town.members[1],
        &town.clerk,
        &town.officer,
        &town.supervision,
        &town.leader,
    ] {
        case.seen_by(who).await.status(200);
        assert_eq!(listed(&case, who).await, 1, "{}", who.username);
    }
    case.seen_by(&town.unit_clerks[0]).await.status(404);
    case.assign("joint", &[0, 1]).await;
    for unit in [0, 1] {
        for who in [&town.unit_clerks[unit], &town.signatories[unit]] {
            case.seen_by(who).await.status(200);
            assert_eq!(listed(&case, who).await, 1, "{}", who.username);
        }
    }
    for who in [
        &town.unit_clerks[2],
        &town.signatories[3],
        &town.administrator,
    ] {
        case.seen_by(who).await.status(404);
        case.as_(who).get(&case.row(0)).send().await.status(404);
        assert_eq!(listed(&case, who).await, 0, "{}", who.username);
    }
}

#[actix_web::test]
async fn forms_are_hidden_from_the_handling_side_until_all_have_answered() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let body = json!({ "kind": "joint", "form": form() });
    let mut case = Story::draft_of(&app, &town, &people[0], body).await;
    let invitation = json!({ "member_ids": members(&people[1..2]) });
    case.does(&people[0], "invite-cosigners", invitation).await;
    case.does(&people[1], "consent-cosign", json!({})).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.answer(0).await;
    case.rate(&people[0], 0).await;
    let handling = [&town.unit_clerks[0], &town.signatories[0], &town.officer];
    let others = [&people[1], &people[2], &town.leader, &town.examiners[0]];
    for who in handling.into_iter().chain(others) {
        let seen = case.seen_by(who).await.status(200);
        assert_eq!(seen.json["feedback"], json!([]), "I21: {}", who.username);
    }
    for who in handling {
        let events = case.events_seen_by(who).await;
        assert!(
            !events.contains(&"feedback.given".to_owned()),
            "I21: {}",
            who.username
        );
    }
    for who in [
        &people[0],
        &town.staff,
        &town.chair,
        &town.supervision,
        &town.auditor,
    ] {
        let seen = case.seen_by(who).await;
        assert_eq!(
            seen.json["feedback"][0]["result"], "satisfied",
            "{}",
            who.username
        );
    }
    case.rate(&people[1], 0).await;
    for who in handling {
        let seen = case.seen_by(who).await;
        assert_eq!(
            seen.json["feedback"].as_array().map(Vec::len),
            Some(2),
            "{}",
            who.username
        );
        let events = case.events_seen_by(who).await;
        assert!(
            events.contains(&"feedback.given".to_owned()),
            "{}",
            who.username
        );
    }
}

#[actix_web::test]
async fn an_unfinished_reply_is_for_its_unit_and_a_signed_one_for_its_reviewers() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    let reviewers = [&town.supervision, &town.officer];
    let others = [
        member,
        &town.members[1],
        &town.staff,
        &town.chair,
        &town.leader,
    ];
    for who in reviewers.into_iter().chain(others) {
        case.as_(who).get(&case.reply(0)).send().await.status(404);
        let seen = case.seen_by(who).await.status(200);
        assert_eq!(seen.json["replies"], json!([]), "{}", who.username);
    }
    for who in [&town.unit_clerks[0], &town.signatories[0], &town.auditor] {
        case.as_(who).get(&case.reply(0)).send().await.status(200);
    }
    assert!(
        !case
            .events_seen_by(member)
            .await
            .contains(&"reply.drafted".to_owned())
    );
    case.sign(0).await;
    for who in reviewers {
        case.as_(who).get(&case.reply(0)).send().await.status(200);
    }
    for who in others {
        case.as_(who).get(&case.reply(0)).send().await.status(404);
    }
    case.approve(0).await;
    case.deliver(0).await;
    for who in reviewers.into_iter().chain(others) {
        case.as_(who).get(&case.reply(0)).send().await.status(200);
    }
}

#[actix_web::test]
async fn a_co_handler_loses_sight_of_a_reply_whose_request_was_called_back() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("joint", &[0, 1]).await;
    case.accept(0).await;
    case.draft_reply(0).await;
    let signatory = case.as_(&town.signatories[1]);
    signatory.get(&case.reply(0)).send().await.status(404);
    case.request_countersign(0).await;
    signatory.get(&case.reply(0)).send().await.status(200);
    case.as_(&town.unit_clerks[0])
        .patch(&case.reply(0))
        .header("If-Match", "*")
        .json(json!({ "digest": "另作考虑。" }))
        .send()
        .await
        .status(200);
    signatory.get(&case.reply(0)).send().await.status(404);
}

#[actix_web::test]
async fn contact_data_are_for_those_who_work_on_the_case() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut sealed = form();
    sealed["contact_person"] = json!("周明远");
    sealed["contact_phone"] = json!("0599-5550123");
    sealed["seal_evidence"] = json!("盖章原件 2026-集-017");
    let body = json!({ "kind": "party", "form": sealed });
    let mut case = Story::draft_of(&app, &town, &town.clerk, body).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    for who in [
        &town.clerk,
        &town.staff,
        &town.officer,
        &town.unit_clerks[0],
        &town.supervision,
    ] {
        let seen = case.seen_by(who).await.status(200);
        assert_eq!(
            seen.json["form"]["contact_phone"], "0599-5550123",
            "{}",
            who.username
        );
        assert_eq!(
            seen.json["handling"][0]["clerk_phone"], "0599-5550145",
            "{}",
            who.username
        );
    }
    for who in [&town.members[0], &town.leader] {
        let seen = case.seen_by(who).await.status(200);
        for name in [
            "contact_person",
            "contact_phone",
            "seal_evidence",
            "paper_reference",
        ] {
            assert_eq!(
                seen.json["form"][name],
                Value::Null,
                "{name} for {}",
                who.username
            );
        }
        let text = String::from_utf8_lossy(&seen.body).into_owned();
        assert!(!text.contains("0599-5550"), "{seen}");
    }
    // Somebody of another unit who reads the case as a member gets no more than members do.
    let both = json!([
        { "role": "member" }, { "role": "unit_clerk", "unit_id": town.units[1] },
    ]);
    let account = format!("/api/v1/users/{}", town.members[1].user);
    grant(&case.as_(&town.security), &account, &both)
        .await
        .status(200);
    let seen = case.seen_by(&town.members[1]).await.status(200);
    assert_eq!(seen.json["form"]["contact_phone"], Value::Null, "{seen}");
}
