//! Collective proposals, and paper that staff enter for others.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::story::{Story, form};

fn sealed() -> Value {
    let mut form = form();
    form["contact_person"] = json!("周明远");
    form["contact_phone"] = json!("0599-5550123");
    form["seal_evidence"] = json!("盖章原件 2026-集-017");
    form
}

#[actix_web::test]
async fn a_party_proposes_through_its_clerk_and_rates_with_the_leaders_answer() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let body = json!({ "kind": "party", "form": form() });
    let mut case = Story::draft_of(&app, &town, &town.clerk, body).await;
    let bare = case
        .tries(&town.clerk, "submit", json!({}))
        .await
        .status(409);
    assert_eq!(bare.json["unmet"][0]["guard"], "collective_evidence");
    case.edit(sealed()).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.answer(0).await;
    assert_eq!(case.desk(&town.clerk).await, ["give_feedback"]);
    case.tries(&town.clerk, "give-feedback", case.grades(0))
        .await
        .status(422)
        .blames(&["/leader_answered"]);
    let mut grades = case.grades(0);
    grades["leader_answered"] = json!(true);
    let rated = case.does(&town.clerk, "give-feedback", grades).await;
    assert_eq!(rated.json["status"], "feedback");
    assert_eq!(case.close().await.json["status"], "closed");
    case.witness(&["PT01", "PT22"]).await;
}

#[actix_web::test]
async fn staff_enter_the_paper_of_a_party_and_the_timeline_says_for_whom() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut paper = sealed();
    let body = json!({ "kind": "party", "organisation_id": town.party, "form": paper });
    app.signed_in(&town, &town.staff)
        .post("/api/v1/proposals")
        .json(body)
        .send()
        .await
        .status(422)
        .blames(&["/form/paper_reference"]);
    paper["paper_reference"] = json!("纸质提案 2026-代-003");
    let body = json!({ "kind": "party", "organisation_id": town.party, "form": paper });
    let mut case = Story::draft_of(&app, &town, &town.staff, body).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.answer(0).await;
    let rater = case.seen_by(&town.staff).await.text("/proposers/0/id");
    let mut grades = case.grades(0);
    grades["leader_answered"] = json!(false);
    case.tries(&town.staff, "give-feedback", grades.clone())
        .await
        .status(422)
        .blames(&["/rater_id"]);
    grades["rater_id"] = json!(rater);
    case.tries(&town.staff, "give-feedback", grades.clone())
        .await
        .status(422)
        .blames(&["/paper_reference"]);
    grades["paper_reference"] = json!("纸质反馈 2026-003");
    let rated = case.does(&town.staff, "give-feedback", grades).await;
    assert_eq!(rated.json["status"], "feedback");
    case.close().await;
    let behalf = |items: &[Value], name: &str| {
        let item = items
            .iter()
            .find(|item| item["name"] == name)
            .expect(name)
            .clone();
        assert_eq!(item["actor"], "提案委办公室·staff", "{item}");
        item["on_behalf_of"].as_str().map(str::to_owned)
    };
    let timeline = case.timeline(&town.auditor).await;
    for name in ["proposal.created", "proposal.submitted", "feedback.given"] {
        assert_eq!(
            behalf(&timeline, name).as_deref(),
            Some("民革云川市委会"),
            "{name}"
        );
    }
    // Closing is the committee's own act, not the proposer's.
    assert_eq!(behalf(&timeline, "proposal.closed"), None);
}

#[actix_web::test]
async fn staff_enter_the_paper_forms_of_members_who_rate_by_hand() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.answer(0).await;
    let rater = case.seen_by(member).await.text("/proposers/0/id");
    let mut grades = case.grades(0);
    grades["rater_id"] = json!(rater);
    grades["paper_reference"] = json!("纸质反馈 2026-004");
    case.tries(member, "give-feedback", grades.clone())
        .await
        .status(422);
    let rated = case.does(&town.staff, "give-feedback", grades).await;
    assert_eq!(rated.json["status"], "feedback");
    let timeline = case.timeline(&town.staff).await;
    let given = timeline
        .iter()
        .find(|item| item["name"] == "feedback.given")
        .expect("the form");
    assert_eq!(given["on_behalf_of"], "林若舟");
    assert_eq!(given["actor_role"], "committee_staff");
}
