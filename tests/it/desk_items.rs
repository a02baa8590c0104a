//! What a desk says of its items: names, replies sent back (RT08), no invitation that ran out (I17).

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::seed::Person;
use crate::support::story::{Story, form, members};

/// The items of one kind on somebody's desk.
async fn items(case: &Story<'_>, who: &Person, task: &str) -> Vec<Value> {
    let path = format!("/api/v1/desk?task={task}");
    let page = case.as_(who).get(&path).send().await.status(200);
    page.json["items"].as_array().expect("items").clone()
}

#[actix_web::test]
async fn an_invitation_whose_time_has_run_out_waits_for_nobody() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let body = json!({ "kind": "joint", "form": form() });
    let case = Story::draft_of(&app, &town, &people[0], body).await;
    let invitation = json!({ "member_ids": members(&people[1..2]) });
    case.does(&people[0], "invite-cosigners", invitation).await;
    let waiting = items(&case, &people[1], "answer_invitation").await;
    assert_eq!(waiting[0]["first_proposer"], "林若舟");
    assert!(waiting[0]["unit_name"].is_null());
    let due = waiting[0]["due_at"].as_str().expect("a moment");
    app.clock.set(due.parse().expect("a moment"));
    assert_eq!(items(&case, &people[1], "answer_invitation").await.len(), 1);
    app.clock.advance(SignedDuration::from_micros(1));
    assert!(
        items(&case, &people[1], "answer_invitation")
            .await
            .is_empty()
    );
    let counted = case
        .as_(&people[1])
        .get("/api/v1/desk?count=true")
        .send()
        .await
        .ok();
    assert_eq!(counted.json["count"], 0);
}

#[actix_web::test]
async fn a_reply_that_the_review_sent_back_is_marked() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    let clerk = &town.unit_clerks[0];
    let drafting = items(&case, clerk, "reply").await;
    assert_eq!(
        (&drafting[0]["rejected"], &drafting[0]["unit_name"]),
        (&json!(false), &json!("市交通运输局"))
    );
    assert_eq!(drafting[0]["first_proposer"], "林若舟");
    case.sign(0).await;
    let body = json!({ "reason": "未逐条回应建议。" });
    case.on_reply(&town.supervision, 0, "reject", body).await;
    assert_eq!(items(&case, clerk, "reply").await[0]["rejected"], true);
    assert_eq!(
        items(&case, &town.signatories[0], "sign").await[0]["rejected"],
        true
    );
    let client = case.as_(clerk);
    let version = client.get(&case.reply(0)).send().await.version();
    let patch = json!({ "digest": "已逐条回应。" });
    client
        .patch(&case.reply(0))
        .if_match(version)
        .json(patch)
        .send()
        .await
        .ok();
    case.sign(0).await;
    let review = items(&case, &town.supervision, "review").await;
    assert_eq!(
        (&review[0]["rejected"], &review[0]["unit_name"]),
        (&json!(false), &json!("市交通运输局"))
    );
    case.witness(&["RT02", "RT06", "RT08"]).await;
}
