//! The spine: submitted → filed → assigned → handled → feedback → closed.

use crate::support::TestApp;
use crate::support::story::Story;

#[actix_web::test]
async fn a_sole_case_goes_from_draft_to_closed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    let submitted = case.submit().await;
    assert_eq!(submitted.json["status"], "submitted");
    assert_eq!(submitted.json["serial_no"], 1);
    assert_eq!(submitted.json["session_mark"], "session");
    assert_eq!(case.desk(&town.examiners[0]).await, ["examine"]);
    let examined = case.examine_all().await;
    assert_eq!(examined.json["opinions"][0]["stage"], "preliminary");
    assert_eq!(examined.json["opinions"][1]["stage"], "second");
    let filed = case.file().await;
    assert_eq!(filed.json["status"], "filed");
    assert_eq!(filed.json["case_no"], 1);
    assert_eq!(filed.json["assigning_line"], "government");
    let assigned = case.assign("sole", &[0]).await;
    assert_eq!(assigned.json["phase"], "awaiting_acceptance");
    let accepted = case.accept(0).await;
    assert_eq!(accepted.json["status"], "accepted");
    assert_eq!(accepted.json["proposal"]["phase"], "in_handling");
    case.contact(0).await;
    case.draft_reply(0).await;
    let signed = case.sign(0).await;
    assert_eq!(signed.json["document_no"], "云交提复〔2026〕1号");
    case.approve(0).await;
    let delivered = case.deliver(0).await;
    assert_eq!(delivered.json["proposal"]["status"], "handled");
    let rated = case.rate(member, 0).await;
    assert_eq!(rated.json["status"], "feedback");
    let closed = case.close().await;
    assert_eq!(closed.json["status"], "closed");
    let names = case.events_seen_by(member).await;
    assert_eq!(names.first().map(String::as_str), Some("proposal.created"));
    assert_eq!(names.last().map(String::as_str), Some("proposal.closed"));
    case.witness(&[
        "PT01", "PT06", "PT14", "PT15", "PT19", "PT21", "PT22", "PT23", "PT25",
    ])
    .await;
    case.witness(&["AT02", "AT09"]).await;
    case.witness(&["RT01", "RT06", "RT07", "RT09"]).await;
}
