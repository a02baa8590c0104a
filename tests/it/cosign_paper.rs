//! Answers of co-signers that staff enter from paper: PT04, PT05 by staff, with a scan (I10, I17,
//! I33).

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::people::grant;
use crate::support::seed::{Person, Town};
use crate::support::steps::{PDF, upload};
use crate::support::story::{Story, form, members, opinion};

async fn joint<'a>(app: &'a TestApp, town: &'a Town, invited: &[Person]) -> Story<'a> {
    let body = json!({ "kind": "joint", "form": form() });
    let case = Story::draft_of(app, town, &town.members[0], body).await;
    let invitation = json!({ "member_ids": members(invited) });
    case.does(&town.members[0], "invite-cosigners", invitation)
        .await;
    case
}

/// The identifier of a proposer by place; the first proposer is 0.
async fn proposer(case: &Story<'_>, place: usize) -> String {
    let seen = case.seen_by(&case.town.staff).await.status(200);
    seen.text(&format!("/proposers/{place}/id"))
}

async fn scan(case: &Story<'_>, who: &Person) -> String {
    let staged = upload(&case.as_(who), &case.path(), "联名确认单.pdf", PDF).await;
    staged.status(201).id()
}

fn paper(proposer: &str, scans: &[&str]) -> Value {
    json!({ "proposer_id": proposer, "comment": "同意联名。", "attachment_ids": scans })
}

#[actix_web::test]
async fn staff_enter_a_consent_and_a_refusal_with_the_scan_of_each() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (people, staff) = (&town.members, &town.staff);
    let case = joint(&app, &town, &people[1..3]).await;
    let (first, second) = (proposer(&case, 1).await, proposer(&case, 2).await);
    let file = scan(&case, staff).await;
    case.does(staff, "consent-cosign", paper(&first, &[&file]))
        .await;
    let other = scan(&case, staff).await;
    let no = json!({
        "proposer_id": second, "comment": "所提事项本人不熟悉。", "attachment_ids": [other],
    });
    case.does(staff, "decline-cosign", no).await;
    assert_eq!(
        case.consents(staff).await,
        ["consented", "consented", "declined"]
    );
    // The co-signer is told in whose name it was entered, and reads the scan; so does the first
    // proposer. Neither waits on a desk any more.
    for who in [&people[0], &people[1], &town.auditor] {
        let told = case.timeline(who).await;
        let event = told.iter().find(|one| one["name"] == "cosign.consented");
        let event = event.expect("the consent");
        assert_eq!(event["on_behalf_of"], "陈思远", "I33");
        assert_eq!(event["actor_role"], "committee_staff");
        let bound = case.as_(who).get(&format!("/api/v1/attachments/{file}"));
        let bound = bound.send().await.status(200);
        assert_eq!(bound.text("/bound_to/kind"), "consent");
        assert_eq!(bound.text("/bound_to/id"), first);
    }
    assert!(case.desk(&people[1]).await.is_empty());
    assert!(case.desk(&people[2]).await.is_empty());
    let stranger = case.as_(&people[3]);
    let hidden = stranger.get(&format!("/api/v1/attachments/{file}"));
    hidden.send().await.status(404);
    // It counts like any other: bound to the text, on the list of signers.
    case.submit().await;
    case.examine_all().await;
    let filed = case.file().await;
    assert_eq!(filed.json["kind"], "joint");
    case.witness(&["PT04", "PT05"]).await;
    case.is_whole().await;
}

#[actix_web::test]
async fn an_answer_from_paper_names_an_open_invitation_and_carries_its_own_scan() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (people, staff) = (&town.members, &town.staff);
    let case = joint(&app, &town, &people[1..4]).await;
    let mut ids = Vec::new();
    for place in 0..4 {
        ids.push(proposer(&case, place).await);
    }
    let file = scan(&case, staff).await;
    let foreign = scan(&case, &people[0]).await;
    let unknown = "prps_019a1b2c3d4e7f8090a1b2c3d4e5f607";
    for (body, place) in [
        (json!({ "attachment_ids": [file] }), "/proposer_id"),
        (paper(&ids[0], &[&file]), "/proposer_id"),
        (paper(&ids[1], &[]), "/attachment_ids"),
        (paper(&ids[1], &[&foreign]), "/attachment_ids/0"),
        (paper(&ids[1], &[&file, &file]), "/attachment_ids/1"),
        (paper(unknown, &[&file]), "/proposer_id"),
    ] {
        for action in ["consent-cosign", "decline-cosign"] {
            case.is_invalid(staff, action, body.clone(), &[place]).await;
        }
    }
    // Nobody but staff answers for another one.
    case.is_invalid(
        &people[1],
        "consent-cosign",
        paper(&ids[2], &[]),
        &["/proposer_id"],
    )
    .await;
    for who in [&town.chair, &town.examiners[0], &town.auditor] {
        let tried = case.tries(who, "consent-cosign", paper(&ids[1], &[]));
        tried.await.status(403);
    }
    case.does(staff, "consent-cosign", paper(&ids[1], &[&file]))
        .await;
    // Answered once, and one scan for one answer.
    case.is_refused(
        staff,
        "decline-cosign",
        paper(&ids[1], &[&file]),
        "invitation_open",
    )
    .await;
    case.is_invalid(
        staff,
        "consent-cosign",
        paper(&ids[2], &[&file]),
        &["/attachment_ids/0"],
    )
    .await;
    // Its time ran out, on paper too.
    app.clock.advance(SignedDuration::from_hours(25));
    let late = scan(&case, staff).await;
    for action in ["consent-cosign", "decline-cosign"] {
        case.is_refused(staff, action, paper(&ids[2], &[&late]), "invitation_open")
            .await;
    }
    case.witness(&["PT04"]).await;
}

#[actix_web::test]
async fn who_examined_a_proposal_does_not_sign_it_on_paper_either() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (people, staff) = (&town.members, &town.staff);
    let case = joint(&app, &town, &people[1..2]).await;
    case.submit().await;
    // A member who examines as well.
    let user = format!("/api/v1/users/{}", people[2].user);
    let security = app.signed_in(&town, &town.security);
    let roles = json!([{ "role": "member" }, { "role": "examiner" }]);
    grant(&security, &user, &roles).await.status(200);
    case.does(&people[2], "examine", opinion(&town)).await;
    let back = json!({ "reason": "请补充具体措施。" });
    case.does(staff, "return-for-revision", back).await;
    let invitation = json!({ "member_ids": members(&people[2..3]) });
    case.does(&people[0], "invite-cosigners", invitation).await;
    let (id, file) = (proposer(&case, 2).await, scan(&case, staff).await);
    case.is_refused(
        staff,
        "consent-cosign",
        paper(&id, &[&file]),
        "not_its_examiner",
    )
    .await;
    case.does(staff, "decline-cosign", paper(&id, &[&file]))
        .await;
    case.witness(&["PT05"]).await;
}
