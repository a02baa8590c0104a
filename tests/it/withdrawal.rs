//! Taking back a filed case: PT10–PT12, I2, I8, I19.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::sides::into;
use crate::support::story::Story;

fn why() -> Value {
    json!({ "reason": "情况已有变化，拟重新调研后再提。" })
}

fn clocks(case: &crate::support::Reply) -> Vec<String> {
    let clocks = case.json["clocks"].as_array().expect("clocks");
    clocks
        .iter()
        .map(|clock| clock["kind"].as_str().expect("a kind").to_owned())
        .collect()
}

#[actix_web::test]
async fn a_withdrawal_is_asked_for_while_handling_goes_on_and_then_ends_everything() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    let number = case.until_filed().await.json["case_no"].clone();
    case.assign("joint", &[0, 1]).await;
    case.accept(0).await;
    case.contact(0).await;
    case.is_invalid(member, "withdraw", json!({}), &["/reason"])
        .await;
    case.tries(&town.members[1], "withdraw", why())
        .await
        .status(403);
    case.tries(&town.staff, "withdraw", why()).await.status(403);
    let before = clocks(&case.seen_by(&town.staff).await);
    case.does(member, "withdraw", why()).await;
    let after = clocks(&case.seen_by(&town.staff).await);
    assert!(before.iter().all(|kind| after.contains(kind)), "I8");
    assert!(after.contains(&"K14".to_owned()), "{after:?}");
    assert_eq!(case.desk(&town.chair).await, ["decide_withdrawal"]);
    case.is_refused(member, "withdraw", why(), "no_open_withdrawal")
        .await;
    case.tries(&town.staff, "approve-withdrawal", json!({}))
        .await
        .status(403);
    // Handling goes on.
    case.draft_reply(0).await;
    let gone = case
        .does(&town.chair, "approve-withdrawal", json!({}))
        .await;
    assert_eq!(gone.json["status"], "withdrawn");
    assert_eq!(gone.json["case_no"], number, "I2");
    let seen = case.seen_by(&town.auditor).await;
    assert!(clocks(&seen).is_empty());
    for row in seen.json["handling"].as_array().expect("rows") {
        assert_eq!(row["status"], "void");
    }
    assert_eq!(seen.json["replies"][0]["status"], "superseded");
    assert_eq!(seen.json["requests"][0]["status"], "granted");
    for unit in [0, 1] {
        assert!(case.desk(&town.unit_clerks[unit]).await.is_empty());
    }
    assert!(case.desk(&town.chair).await.is_empty());
    case.is_out_of_place(member, "withdraw", why()).await;
    // Its number is found in the list, and no other case gets it.
    let found = case
        .as_(&town.staff)
        .get(&format!("/api/v1/proposals?case_no={number}"))
        .send()
        .await
        .status(200);
    assert_eq!(found.json["items"][0]["status"], "withdrawn");
    let next = Story::draft(&app, &town, &town.members[1]).await;
    let next_number = next.until_filed().await.json["case_no"].clone();
    assert_eq!(next_number.as_i64(), number.as_i64().map(|no| no + 1));
    case.does(&town.staff, "archive", json!({})).await;
    case.witness(&["PT10", "PT11", "RT11"]).await;
    case.is_whole().await;
}

#[actix_web::test]
async fn a_rejected_withdrawal_leaves_the_case_as_it_was_and_may_be_asked_for_again() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    case.until_filed().await;
    case.is_refused(
        &town.chair,
        "approve-withdrawal",
        json!({}),
        "withdrawal_open",
    )
    .await;
    let no = json!({ "reason": "所提问题仍需办理。" });
    case.is_refused(
        &town.chair,
        "reject-withdrawal",
        no.clone(),
        "withdrawal_open",
    )
    .await;
    case.does(member, "withdraw", why()).await;
    case.is_invalid(
        &town.chair,
        "reject-withdrawal",
        json!({ "reason": " " }),
        &["/reason"],
    )
    .await;
    let kept = case.does(&town.chair, "reject-withdrawal", no).await;
    assert_eq!(kept.json["status"], "filed");
    assert!(!clocks(&case.seen_by(&town.staff).await).contains(&"K14".to_owned()));
    assert!(case.desk(&town.chair).await.is_empty());
    case.assign("sole", &[0]).await;
    case.does(member, "withdraw", why()).await;
    // The first delivered reply overtakes it: nothing is left to decide, and nothing blocks closing.
    case.answer(0).await;
    let seen = case.seen_by(&town.staff).await;
    let requests = seen.json["requests"].as_array().expect("requests");
    let mut statuses: Vec<_> = requests.iter().map(|one| &one["status"]).collect();
    statuses.sort_by_key(|status| status.as_str());
    assert_eq!(statuses, ["denied", "lapsed"]);
    assert!(case.desk(&town.chair).await.is_empty());
    case.is_out_of_place(&town.chair, "approve-withdrawal", json!({}))
        .await;
    case.is_out_of_place(member, "withdraw", why()).await;
    case.rate(member, 0).await;
    assert_eq!(case.close().await.json["status"], "closed");
    case.witness(&["PT10", "PT12"]).await;
}

#[actix_web::test]
async fn after_one_of_two_replies_and_for_a_main_proposal_nothing_is_withdrawn() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    case.until_filed().await;
    let other = Story::draft(&app, &town, &town.members[1]).await;
    other.submit().await;
    other.does(&town.chair, "merge", into(&case)).await;
    case.is_refused(member, "withdraw", why(), "not_a_main")
        .await;
    let reason = json!({ "reason": "提案者要求分别办理。" });
    other.does(&town.chair, "unmerge", reason).await;
    case.assign("separate", &[0, 1]).await;
    case.answer(0).await;
    assert_eq!(case.status().await, "assigned");
    case.is_refused(member, "withdraw", why(), "no_reply_delivered")
        .await;
}
