//! Publication: OT13, OT14 after the review OT02, with K17, K18 and I30, I37. Nothing is public
//! above its review, against the proposer, without a delivered reply, or of a restricted case.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::sides::into;
use crate::support::story::Story;
use crate::support::units::Why;

fn part(part: &str, level: &str) -> Value {
    json!({ "part": part, "level": level })
}

fn review(text: &str, replies: &str) -> Value {
    json!({ "publish_text": text, "publish_replies": replies })
}

fn back(part: &str) -> Value {
    json!({ "part": part, "reason": "发现涉及个人隐私，暂停公开。" })
}

#[actix_web::test]
async fn parts_are_published_inside_the_review_and_taken_back_with_a_reason() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let staff = &town.staff;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.is_out_of_place(staff, "publish", part("text", "full"))
        .await;
    case.until_filed().await;
    let path = case.path();
    let unreviewed = Why::Guard("publication_reviewed");
    case.refuses_on(staff, &path, "publish", part("text", "summary"), unreviewed)
        .await;
    case.does(staff, "review-publication", review("summary", "full"))
        .await;
    assert!(case.case_clock("K17").await.is_some(), "not published yet");
    for who in [&town.members[0], &town.chair, &town.officer, &town.auditor] {
        case.refuses_on(who, &path, "publish", part("text", "summary"), Why::Right)
            .await;
    }
    let above = Why::Guard("inside_reviewed_level");
    case.refuses_on(staff, &path, "publish", part("text", "full"), above)
        .await;
    let nothing = Why::Field("/level", "required");
    case.refuses_on(staff, &path, "publish", part("text", "none"), nothing)
        .await;
    let absent = Why::Guard("published");
    case.refuses_on(staff, &path, "unpublish", back("text"), absent)
        .await;
    let published = case.does(staff, "publish", part("text", "catalogue"));
    let published = published.await;
    assert_eq!(published.json["status"], "filed", "I37");
    assert_eq!(published.json["marks"]["published_text"], "catalogue");
    assert_eq!(
        published.json["marks"]["text_published_at"],
        "2026-03-02T01:00:00Z"
    );
    assert!(case.case_clock("K17").await.is_none());
    case.does(staff, "publish", part("text", "summary")).await;

    // Replies only once there is one.
    let early = || Why::Guard("reply_delivered");
    case.refuses_on(staff, &path, "publish", part("replies", "full"), early())
        .await;
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    case.sign(0).await;
    case.approve(0).await;
    case.refuses_on(staff, &path, "publish", part("replies", "full"), early())
        .await;
    case.deliver(0).await;
    case.does(staff, "review-publication", review("summary", "full"))
        .await;
    let shown = case.seen_by(&town.auditor).await.json;
    assert!(shown.to_string().contains("\"K18\""), "{shown}");
    let seen = case.does(staff, "publish", part("replies", "full")).await;
    assert_eq!(seen.json["marks"]["published_replies"], "full");
    let shown = case.seen_by(&town.auditor).await.json;
    assert!(!shown.to_string().contains("\"K18\""), "{shown}");

    let silent = json!({ "part": "replies", "reason": " " });
    let why = Why::Field("/reason", "required");
    case.refuses_on(staff, &path, "unpublish", silent, why)
        .await;
    let gone = case.does(staff, "unpublish", back("replies")).await;
    assert_eq!(gone.json["marks"].get("published_replies"), None);
    assert_eq!(gone.json["marks"]["published_text"], "summary");
    case.does(staff, "publish", part("replies", "summary"))
        .await;
    // A lower review takes down what stands above it.
    let seen = case.does(staff, "review-publication", review("catalogue", "none"));
    let seen = seen.await;
    assert_eq!(seen.json["marks"]["published_text"], "catalogue", "I30");
    assert_eq!(seen.json["marks"].get("published_replies"), None, "I30");
    assert_eq!(seen.json["marks"].get("replies_published_at"), None);
    let above = Why::Guard("inside_reviewed_level");
    case.refuses_on(staff, &path, "publish", part("replies", "summary"), above)
        .await;
    assert_eq!(case.status().await, "handled", "I37");
    case.is_whole().await;
    case.witness(&["OT02", "OT13", "OT14"]).await;
}

#[actix_web::test]
async fn the_clocks_of_the_publication_outlast_the_closing_unless_nothing_is_published() {
    let app = TestApp::start().await;
    let town = app.town().await;
    for (text, replies, left) in [
        ("full", "summary", vec!["K17", "K18"]),
        ("none", "summary", vec!["K18"]),
        ("none", "none", vec![]),
    ] {
        let mut case = Story::draft(&app, &town, &town.members[0]).await;
        case.until_filed().await;
        case.assign("sole", &[0]).await;
        case.answer(0).await;
        case.rate(&town.members[0], 0).await;
        case.does(&town.staff, "close", review(text, replies)).await;
        let shown = case.seen_by(&town.auditor).await.json.to_string();
        for kind in ["K17", "K18"] {
            let runs = shown.contains(&format!("\"{kind}\""));
            assert_eq!(runs, left.contains(&kind), "{kind} {text} {replies}");
        }
        if text == "full" {
            case.does(&town.staff, "publish", part("text", "full"))
                .await;
            case.does(&town.staff, "publish", part("replies", "summary"))
                .await;
            let shown = case.seen_by(&town.auditor).await.json;
            assert_eq!(shown["status"], "closed", "I37");
            assert_eq!(shown["clocks"], json!([]), "{shown}");
        }
    }
}

#[actix_web::test]
async fn a_restricted_case_disappears_and_a_merged_one_shows_no_reply_of_its_main() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let staff = &town.staff;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    let path = case.path();
    case.does(staff, "review-publication", review("full", "full"))
        .await;
    case.does(staff, "publish", part("text", "full")).await;
    let restricted = json!({ "secrecy": "restricted", "reason": "涉及在谈项目。" });
    let seen = case.does(staff, "set-secrecy", restricted).await;
    assert_eq!(seen.json["marks"].get("published_text"), None, "I30");
    assert_eq!(seen.json["marks"].get("text_published_at"), None);
    let closed = Why::Guard("case_open");
    case.refuses_on(staff, &path, "publish", part("text", "catalogue"), closed)
        .await;
    // Open again, it waits for a new review.
    let open = json!({ "secrecy": "open", "reason": "已公布。" });
    case.does(staff, "set-secrecy", open).await;
    let above = Why::Guard("inside_reviewed_level");
    case.refuses_on(staff, &path, "publish", part("text", "catalogue"), above)
        .await;

    let mut main = Story::draft(&app, &town, &town.members[1]).await;
    main.until_filed().await;
    case.does(
        &town.staff,
        "nominate-key",
        json!({ "reason": "事关民生。" }),
    )
    .await;
    case.does(&town.chair, "merge", into(&main)).await;
    let desk = case.desk(&town.chair).await;
    assert!(!desk.contains(&"decide_key".to_owned()), "{desk:?}");
    main.assign("sole", &[0]).await;
    main.answer(0).await;
    case.does(staff, "review-publication", review("full", "full"))
        .await;
    let seen = case.does(staff, "publish", part("text", "full")).await;
    assert_eq!(seen.json["status"], "merged", "I37");
    let own = Why::Guard("reply_delivered");
    case.refuses_on(staff, &path, "publish", part("replies", "full"), own)
        .await;
    let seen = main.seen_by(staff).await;
    assert_eq!(seen.json["marks"].get("published_text"), None, "{seen}");
    case.does(staff, "unpublish", back("text")).await;
    case.is_whole().await;
    case.witness(&["OT13", "OT14"]).await;
}
