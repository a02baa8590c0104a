//! Separate handling, and the side roads before filing.

use serde_json::json;

use crate::support::TestApp;
use crate::support::story::{Story, meeting, opinion};

#[actix_web::test]
async fn a_separate_case_is_handled_only_when_the_last_reply_is_delivered() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    case.until_filed().await;
    let single = json!({
        "handling_kind": "separate",
        "rows": [{ "unit_id": town.units[0], "role": "separate", "part": "线路" }],
    });
    case.tries(&town.officer, "assign", single)
        .await
        .status(422)
        .blames(&["/rows"]);
    case.assign("separate", &[0, 3]).await;
    let first = case.answer(0).await;
    assert_eq!(first.json["proposal"]["status"], "assigned", "I15");
    case.tries(member, "give-feedback", case.grades(0))
        .await
        .status(409)
        .code("state-conflict");
    let last = case.answer(3).await;
    assert_eq!(last.json["proposal"]["status"], "handled", "I15");
    assert_eq!(case.desk(member).await, ["give_feedback", "give_feedback"]);
    assert_eq!(case.rate(member, 0).await.json["status"], "handled");
    assert_eq!(case.rate(member, 3).await.json["status"], "feedback");
    assert_eq!(case.close().await.json["status"], "closed");
    case.witness(&["PT21", "PT23", "PT25"]).await;
}

#[actix_web::test]
async fn a_returned_proposal_is_changed_and_comes_back_with_its_serial_number() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let case = Story::draft(&app, &town, member).await;
    case.submit().await;
    case.does(&town.examiners[0], "examine", opinion(&town))
        .await;
    let reason = json!({ "reason": "请补充具体措施。" });
    case.does(&town.staff, "return-for-revision", reason).await;
    assert_eq!(case.desk(member).await, ["revise"]);
    let unchanged = case.tries(member, "submit", json!({})).await.status(409);
    assert_eq!(unchanged.json["unmet"][0]["guard"], "changed_since_return");
    case.edit(json!({ "suggestions": ["开通两条线路，年内完成。"] }))
        .await;
    let again = case.submit().await;
    assert_eq!(again.json["serial_no"], 1, "I3");
    assert_eq!(again.json["submission_no"], 2);
    // The examination starts again; the old opinion stays.
    let examined = case.examine_all().await;
    assert_eq!(
        examined.json["opinions"]
            .as_array()
            .expect("opinions")
            .len(),
        3
    );
    assert_eq!(case.file().await.json["case_no"], 1);
    case.witness(&["PT13", "PT02", "PT07"]).await;
}

#[actix_web::test]
async fn a_submission_is_recalled_until_somebody_has_examined_it() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let case = Story::draft(&app, &town, member).await;
    case.submit().await;
    let recalled = case.does(member, "recall", json!({})).await;
    assert_eq!(recalled.json["status"], "draft");
    let again = case.submit().await;
    assert_eq!(again.json["serial_no"], 1, "I3");
    case.does(&town.examiners[0], "examine", opinion(&town))
        .await;
    let late = case
        .tries(member, "recall", json!({}))
        .await
        .status(409)
        .code("guard-unmet");
    assert_eq!(late.json["unmet"][0]["guard"], "not_yet_examined");
    case.witness(&["PT08"]).await;
}

#[actix_web::test]
async fn a_submitted_proposal_is_withdrawn_with_a_reason_and_for_good() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let case = Story::draft(&app, &town, member).await;
    case.submit().await;
    case.tries(member, "withdraw", json!({}))
        .await
        .status(422)
        .blames(&["/reason"]);
    let gone = case
        .does(member, "withdraw", json!({ "reason": "拟重新调研。" }))
        .await;
    assert_eq!(gone.json["status"], "withdrawn");
    assert_eq!(gone.json["serial_no"], 1);
    case.tries(member, "submit", json!({}))
        .await
        .status(409)
        .code("state-conflict");
    for who in [&town.examiners[0], &town.chair, member] {
        assert!(case.desk(who).await.is_empty());
    }
    case.witness(&["PT09"]).await;
}

#[actix_web::test]
async fn a_secret_text_that_is_not_filed_is_gone_from_everywhere() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let case = Story::draft(&app, &town, member).await;
    case.edit(json!({ "situation": "涉密内容甲，老城区部分道路狭窄。" }))
        .await;
    case.submit().await;
    let mut body = meeting();
    body["reason_codes"] = json!(["state_or_party_secret"]);
    body["explanation"] = json!("涉及秘密，不予立案。");
    body["disposition"] = json!("kept");
    case.does(&town.chair, "not-file", body).await;
    for who in [member, &town.staff, &town.chair, &town.auditor] {
        let seen = case.seen_by(who).await.status(200);
        assert_eq!(seen.json["status"], "not_filed");
        let text = String::from_utf8_lossy(&seen.body).into_owned();
        assert!(!text.contains("老城区部分道路"), "I29: {seen}");
        assert!(!text.contains("微循环线路。"), "I29: {seen}");
    }
    // Not in the audit trail either, which nobody can change.
    let trail = case.trail().await;
    assert!(
        trail
            .iter()
            .all(|event| !event.content.0.to_string().contains("涉密内容甲")),
        "I29"
    );
    case.witness(&["PT16"]).await;
}
