//! Every clock K01–K21 started and stopped by the rows of the tables (domain 4.1), seen over HTTP.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::sides::refusal;
use crate::support::story::{Story, form, members, reply_form};

/// Kinds of the running clocks, as the auditor sees them, each with its number.
async fn running(case: &Story<'_>) -> String {
    let items = list(case, "?state=running&limit=100").await;
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for item in items {
        *kinds
            .entry(item["kind"].as_str().expect("a kind").to_owned())
            .or_default() += 1;
    }
    let told: Vec<_> = kinds
        .into_iter()
        .map(|(kind, n)| if n == 1 { kind } else { format!("{kind}×{n}") })
        .collect();
    told.join(" ")
}

async fn list(case: &Story<'_>, query: &str) -> Vec<Value> {
    let path = format!("{}/clocks{query}", case.path());
    let reply = case
        .as_(&case.town.auditor)
        .get(&path)
        .send()
        .await
        .status(200);
    reply.json["items"].as_array().expect("items").clone()
}

/// Limit and last day of the last clock of a kind that started.
async fn clock(case: &Story<'_>, kind: &str) -> (String, String) {
    let items = list(case, &format!("?kind={kind}&limit=100")).await;
    let last = items.last().unwrap_or_else(|| panic!("no {kind}"));
    let text = |name: &str| last[name].as_str().expect(name).to_owned();
    (text("limit"), text("due_on"))
}

fn says(limit: &str, due_on: &str) -> (String, String) {
    (limit.to_owned(), due_on.to_owned())
}

/// K01–K05, K07–K12, K15, K17, K18 along the main road of a joint case.
#[actix_web::test]
async fn the_main_road_starts_and_stops_its_clocks() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let body = json!({ "kind": "joint", "form": form() });
    let mut case = Story::draft_of(&app, &town, &people[0], body).await;
    assert_eq!(running(&case).await, "");
    // K01: 24 hours inside the session window, one per invitation.
    let invitation = json!({ "member_ids": members(&people[1..3]) });
    case.does(&people[0], "invite-cosigners", invitation).await;
    assert_eq!(running(&case).await, "K01×2");
    assert_eq!(clock(&case, "K01").await.0, "24 h");
    case.does(&people[1], "consent-cosign", json!({})).await;
    assert_eq!(running(&case).await, "K01");
    // K03: to the day on the session record.
    case.submit().await;
    assert_eq!(running(&case).await, "K01 K03");
    assert!(clock(&case, "K03").await.0.starts_with("until "));
    // K02: ten working days for the revision; K03 starts anew with the resubmission.
    let back = json!({ "reason": "请补充具体措施。" });
    case.does(&town.staff, "return-for-revision", back).await;
    assert_eq!(running(&case).await, "K01 K02");
    assert_eq!(clock(&case, "K02").await, says("10 wd", "2026-03-16"));
    case.edit(json!({ "situation": "情况有所补充。" })).await;
    // Consents on the older text are stale: K01 starts again for them.
    assert_eq!(running(&case).await, "K01×2 K02");
    case.submit().await;
    assert_eq!(running(&case).await, "K01×2 K03");
    case.does(&people[1], "consent-cosign", json!({})).await;
    case.does(&people[2], "decline-cosign", json!({})).await;
    assert_eq!(running(&case).await, "K03");
    // K04 and K17 from the filing; K04 of a session proposal from the end of the session.
    case.examine_all().await;
    case.file().await;
    assert_eq!(running(&case).await, "K04 K17");
    assert_eq!(clock(&case, "K04").await, says("30 cd", "2026-04-07"));
    assert_eq!(clock(&case, "K17").await, says("15 cd", "2026-03-17"));
    // K05 for each row, K07 and K10 for the lead, K08 for the co-handler.
    case.assign("joint", &[0, 1]).await;
    assert_eq!(running(&case).await, "K05×2 K07 K08 K10 K17");
    assert_eq!(clock(&case, "K05").await, says("5 wd", "2026-03-09"));
    assert_eq!(clock(&case, "K07").await, says("15 wd", "2026-03-23"));
    assert_eq!(clock(&case, "K08").await, says("1 mo", "2026-04-02"));
    assert_eq!(clock(&case, "K10").await, says("3 mo", "2026-06-02"));
    case.accept(0).await;
    case.accept(1).await;
    assert_eq!(
        running(&case).await,
        "K05×2 K07 K08 K10 K17",
        "returns stay possible"
    );
    case.contact(0).await;
    assert_eq!(running(&case).await, "K05×2 K08 K10 K17");
    case.give_opinion(1).await;
    assert_eq!(running(&case).await, "K05×2 K10 K17");
    // K09 for each co-handler.
    let mut promising = reply_form();
    promising["outcome"] = json!("in_progress");
    promising["promises"] = json!([
        { "text": "开通社区微循环三号线", "due_on": "2026-12-31", "person": "林涛" }
    ]);
    case.draft_reply_of(0, promising).await;
    case.request_countersign(0).await;
    assert_eq!(running(&case).await, "K05×2 K09 K10 K17");
    assert_eq!(clock(&case, "K09").await, says("5 wd", "2026-03-09"));
    case.countersign(0, 1).await;
    assert_eq!(running(&case).await, "K05×2 K10 K17");
    // K11 until the review.
    case.sign(0).await;
    assert_eq!(running(&case).await, "K05×2 K10 K11 K17");
    assert_eq!(clock(&case, "K11").await, says("5 wd", "2026-03-09"));
    case.approve(0).await;
    assert_eq!(running(&case).await, "K05×2 K10 K17");
    // Delivery: K05, K07, K10 stop; K18, K15 and K12 for each rater start.
    case.deliver(0).await;
    assert_eq!(running(&case).await, "K12×2 K15 K17 K18");
    assert_eq!(clock(&case, "K12").await, says("15 wd", "2026-03-23"));
    assert_eq!(
        clock(&case, "K15").await,
        says("until 2026-12-31", "2026-12-31")
    );
    assert_eq!(clock(&case, "K18").await, says("20 wd", "2026-03-30"));
    case.rate(&people[0], 0).await;
    assert_eq!(running(&case).await, "K12 K15 K17 K18");
    case.rate(&people[1], 0).await;
    assert_eq!(running(&case).await, "K15 K17 K18");
    // The case closes; the promise and the publication go on.
    case.close().await;
    assert!(running(&case).await.starts_with("K15"));
}

/// K06, K13, K14 beside the road, K19 and K21 of the follow-up: none stops another (I8).
#[actix_web::test]
async fn requests_urgings_and_instructions_have_clocks_of_their_own() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    // K06 takes the place of K05; K07 and K10 run on.
    let wish = case.return_request(1);
    case.on_row(0, "request-return", wish).await;
    assert_eq!(running(&case).await, "K06 K07 K10 K17");
    assert_eq!(clock(&case, "K06").await, says("7 cd", "2026-03-09"));
    let no = json!({ "reason": "所提事项属该单位法定职责。" });
    case.decides(0, "reject-return", no).await;
    assert_eq!(running(&case).await, "K07 K10 K17");
    // K13 of the request to extend, and of the request to pause.
    let more = json!({ "reason": "方案须经审议。", "signatory": "林涛", "new_date": "2026-07-15" });
    case.on_row(0, "request-extension", more).await;
    assert_eq!(running(&case).await, "K07 K10 K13 K17");
    assert_eq!(clock(&case, "K13").await, says("5 wd", "2026-03-09"));
    case.decides(0, "grant-extension", json!({})).await;
    assert_eq!(running(&case).await, "K07 K10 K17");
    let pause =
        json!({ "reason": "等待标准发布。", "signatory": "林涛", "expected_end": "2026-03-20" });
    case.on_row(0, "request-pause", pause).await;
    assert_eq!(running(&case).await, "K07 K10 K13 K17");
    let no = json!({ "reason": "不须等待。" });
    case.decides(0, "deny-pause", no).await;
    assert_eq!(running(&case).await, "K07 K10 K17");
    // K14 of the withdrawal.
    let why = json!({ "reason": "情况有变。" });
    case.does(&town.members[0], "withdraw", why.clone()).await;
    assert_eq!(running(&case).await, "K07 K10 K14 K17");
    assert_eq!(clock(&case, "K14").await, says("10 wd", "2026-03-16"));
    case.does(&town.chair, "reject-withdrawal", why).await;
    assert_eq!(running(&case).await, "K07 K10 K17");
    // K21 of an urging, K19 of an instruction.
    let urging = json!({
        "addressees": [{ "unit_id": town.units[0] }], "text": "请抓紧办理。", "due_on": "2026-05-20",
    });
    case.does(&town.officer, "urge", urging).await;
    assert_eq!(running(&case).await, "K07 K10 K17 K21");
    assert_eq!(
        clock(&case, "K21").await,
        says("until 2026-05-20", "2026-05-20")
    );
    let id = list(&case, "?kind=K21").await[0]["follow_up_id"].clone();
    let answer = json!({ "urging_id": id, "text": "本周内报送。" });
    case.does(&town.unit_clerks[0], "acknowledge-urging", answer)
        .await;
    let body = json!({
        "leader": "韩松", "post": "市长", "date": "2026-03-02", "kind": "instruction",
        "text": "请抓紧研究。", "unit_ids": [town.units[0]], "due_on": "2026-06-30", "restricted": false,
    });
    case.does(&town.leader, "instruct", body).await;
    assert_eq!(running(&case).await, "K07 K10 K17 K19");
    assert_eq!(
        clock(&case, "K19").await,
        says("until 2026-06-30", "2026-06-30")
    );
    let id = list(&case, "?kind=K19").await[0]["follow_up_id"].clone();
    let answer = json!({ "instruction_id": id, "text": "已研究。" });
    case.does(&town.unit_clerks[0], "answer-instruction", answer)
        .await;
    assert_eq!(running(&case).await, "K07 K10 K17");
    // PT11: all of them stop with the case.
    let why = json!({ "reason": "情况有变。" });
    case.does(&town.members[0], "withdraw", why).await;
    case.does(&town.chair, "approve-withdrawal", json!({}))
        .await;
    assert_eq!(running(&case).await, "");
}

/// K20 of a refusal; K03 and K01 stop.
#[actix_web::test]
async fn a_refusal_starts_the_clock_of_its_disposition() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.submit().await;
    case.does(
        &town.chair,
        "not-file",
        refusal(&["academic_discussion"], "kept"),
    )
    .await;
    assert_eq!(running(&case).await, "K20");
    assert_eq!(clock(&case, "K20").await, says("5 wd", "2026-03-09"));
    let done = json!({ "note": "已告知提案者。", "sent_on": "2026-03-02" });
    case.does(&town.staff, "carry-out-disposition", done).await;
    assert_eq!(running(&case).await, "");
}
