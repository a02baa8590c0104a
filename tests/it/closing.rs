//! Closing, each condition alone (domain 3.9), and what is decided about publication: PT25, OT02
//! (I27, I30). Conditions that no sequence of acts can break are broken behind the back of the
//! service.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::rounds::pick;
use crate::support::story::{Story, form, reply_form};

fn closing() -> Value {
    json!({ "publish_text": "full", "publish_replies": "full" })
}

#[actix_web::test]
async fn each_condition_alone_stops_the_closing_and_says_its_name() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let staff = &town.staff;
    let mut case = Story::draft(&app, &town, member).await;
    case.sole().await;
    case.accept(0).await;
    case.contact(0).await;
    let mut text = reply_form();
    text["outcome"] = json!("planned");
    text["promises"] = json!([{ "text": "开通 3 号线", "due_on": "2026-12-31", "person": "林涛" }]);
    case.draft_reply_of(0, text).await;
    case.sign(0).await;
    case.approve(0).await;
    let path = case.path();
    // (a) is not delivered, (b) not concluded: it is not at `feedback` yet.
    let early = case
        .fails(staff, &path, "close", closing(), (409, "state-conflict"))
        .await;
    assert_eq!(early.json["current_status"], "assigned", "(a)");
    case.deliver(0).await;
    let early = case
        .fails(staff, &path, "close", closing(), (409, "state-conflict"))
        .await;
    assert_eq!(early.json["current_status"], "handled", "(b)");
    assert_eq!(early.json["allowed_from"], json!(["feedback"]));
    case.rate(member, 0).await;
    for nobody in [
        member,
        &town.unit_clerks[0],
        &town.officer,
        &town.supervision,
    ] {
        case.fails(nobody, &path, "close", closing(), (403, "forbidden"))
            .await;
    }
    // (e)
    case.refused(staff, &path, "close", json!({}), &["publication_reviewed"])
        .await;
    let half = json!({ "publish_text": "full" });
    case.refused(staff, &path, "close", half, &["publication_reviewed"])
        .await;
    let reviewed = json!({ "publish_text": "full", "publish_replies": "summary" });
    case.does(staff, "review-publication", reviewed).await;
    let database = app.database();
    let broken = [
        // (a) once more, for a row that came open again.
        (
            "UPDATE assignments SET status = 'accepted'",
            "UPDATE assignments SET status = 'replied'",
            "all_delivered",
        ),
        // (c)
        (
            "UPDATE feedback_forms SET result = 'dissatisfied'",
            "UPDATE feedback_forms SET result = 'satisfied'",
            "no_rehandling_due",
        ),
        // (d)
        (
            "UPDATE trackings SET stopped_at = started_at",
            "UPDATE trackings SET stopped_at = NULL",
            "promises_tracked",
        ),
        // (f)
        (
            "UPDATE case_marks SET tier = 'key'",
            "UPDATE case_marks SET tier = NULL",
            "consultation_recorded",
        ),
    ];
    for (breaks, mends, guard) in broken {
        assert_eq!(database.execute(breaks), 1, "{breaks}");
        case.refused(staff, &path, "close", closing(), &[guard])
            .await;
        assert_eq!(database.execute(mends), 1, "{mends}");
    }
    // Each condition is in the answer before anybody tries.
    let actions = case
        .as_(staff)
        .get(&format!("{path}/actions"))
        .send()
        .await
        .status(200);
    let close = actions.json["items"]
        .as_array()
        .expect("actions")
        .iter()
        .find(|action| action["action"] == "close")
        .expect("close");
    assert_eq!(close["allowed"], true);
    case.close().await;
    // Promises and the publication go on (K15, K17, K18), nothing else runs.
    let seen = case.seen_by(member).await.status(200);
    assert_eq!(seen.json["promises"][0]["status"], "open", "I27");
    let clocks = seen.json["clocks"].as_array().expect("clocks");
    let goes_on =
        |clock: &Value| ["K15", "K17", "K18"].contains(&clock["kind"].as_str().expect("a kind"));
    assert!(clocks.iter().all(goes_on), "{seen}");
    case.witness(&["PT25"]).await;
}

#[actix_web::test]
async fn a_request_that_is_open_at_the_last_reply_does_not_block_the_closing() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    case.joint_drafted(&[1]).await;
    // (g): what was asked for and is not decided when the matter ends, ends with it.
    case.does(member, "withdraw", json!({ "reason": "情况已有变化。" }))
        .await;
    let later =
        json!({ "reason": "需与省厅衔接。", "signatory": "林涛", "new_date": "2026-07-02" });
    case.on_row(0, "request-extension", later).await;
    case.request_countersign(0).await;
    case.countersign(0, 1).await;
    case.sign(0).await;
    case.approve(0).await;
    assert!(
        case.desk(&town.chair)
            .await
            .contains(&"decide_withdrawal".to_owned())
    );
    assert!(
        case.desk(&town.officer)
            .await
            .contains(&"decide_extension".to_owned())
    );
    case.deliver(0).await;
    assert!(case.desk(&town.chair).await.is_empty());
    assert!(case.desk(&town.officer).await.is_empty());
    let seen = case.seen_by(&town.staff).await;
    let kinds: Vec<_> = seen.json["clocks"]
        .as_array()
        .expect("clocks")
        .iter()
        .filter_map(|clock| clock["kind"].as_str())
        .collect();
    assert!(
        !kinds.contains(&"K13") && !kinds.contains(&"K14"),
        "{kinds:?}"
    );
    case.rate(member, 0).await;
    // (g) by name, for a request that is open all the same.
    app.database()
        .execute("UPDATE requests SET status = 'open' WHERE kind = 'extension'");
    case.refused(
        &town.staff,
        &case.path(),
        "close",
        closing(),
        &["nothing_open"],
    )
    .await;
    app.database()
        .execute("UPDATE requests SET status = 'lapsed'");
    case.close().await;
    case.witness(&["PT10", "AT11", "RT09", "PT21", "PT25"])
        .await;
}

#[actix_web::test]
async fn what_the_proposer_refused_is_published_as_a_title_at_most() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (member, staff) = (&town.members[0], &town.staff);
    let mut text = form();
    text["publish_consent"] = json!(false);
    text["publish_refusal_reason"] = json!("涉及在谈项目。");
    let body = json!({ "kind": "individual", "form": text });
    let mut case = Story::draft_of(&app, &town, member, body).await;
    case.sole_answered().await;
    case.rate(member, 0).await;
    let path = case.path();
    let review =
        |text: &str, replies: &str| json!({ "publish_text": text, "publish_replies": replies });
    for level in ["summary", "full"] {
        case.refused(
            staff,
            &path,
            "review-publication",
            review(level, "full"),
            &["publication_consented"],
        )
        .await;
        case.refused(
            staff,
            &path,
            "close",
            review(level, "full"),
            &["publication_consented"],
        )
        .await;
    }
    let body = review("catalogue", "full");
    case.fails(
        &town.chair,
        &path,
        "review-publication",
        body.clone(),
        (403, "forbidden"),
    )
    .await;
    case.does(staff, "review-publication", body).await;
    assert_eq!(case.status().await, "feedback", "I37");
    // The review stands in for the closing.
    let closed = case.does(staff, "close", json!({})).await;
    assert_eq!(closed.json["status"], "closed");
    let records = case.records(member).await;
    let decision = pick(&records["decisions"], "kind", &json!("close"))[0];
    assert_eq!(decision["content"]["publish_text"], "catalogue", "I30");
    // It may be reviewed anew later, never above the refusal.
    case.refused(
        staff,
        &path,
        "review-publication",
        review("full", "full"),
        &["publication_consented"],
    )
    .await;
    case.does(staff, "review-publication", review("none", "none"))
        .await;
    case.witness(&["OT02", "PT25"]).await;
}

#[actix_web::test]
async fn a_restricted_case_is_not_published_at_all() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (member, staff) = (&town.members[0], &town.staff);
    let mut case = Story::draft(&app, &town, member).await;
    case.sole_answered().await;
    case.rate(member, 0).await;
    let path = case.path();
    let review =
        |text: &str, replies: &str| json!({ "publish_text": text, "publish_replies": replies });
    case.does(staff, "review-publication", review("full", "summary"))
        .await;
    let secrecy = json!({ "secrecy": "restricted", "reason": "内容涉及未公开的规划。" });
    case.does(staff, "set-secrecy", secrecy).await;
    for body in [
        review("catalogue", "none"),
        review("none", "catalogue"),
        review("full", "full"),
    ] {
        case.refused(
            staff,
            &path,
            "review-publication",
            body.clone(),
            &["case_open"],
        )
        .await;
        case.refused(staff, &path, "close", body, &["case_open"])
            .await;
    }
    // What was reviewed before is hidden, and so it closes.
    case.does(staff, "close", json!({})).await;
    let records = case.records(staff).await;
    let decision = pick(&records["decisions"], "kind", &json!("close"))[0];
    assert_eq!(decision["content"]["publish_text"], "none", "I30");
    assert_eq!(decision["content"]["publish_replies"], "none", "I30");
    case.witness(&["OT02", "OT03", "PT25"]).await;
}
