//! Further rounds: PT24, `PT24b`, PT26, OT01, RT10 (domain 3.2, 3.5, 3.8, 9.4; I9, I15, I16).

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::rounds::{because_dissatisfied, consultation, pick};
use crate::support::story::Story;

/// Rows, replies and forms of a round as the auditor sees them.
async fn round(case: &Story<'_>, number: i64) -> Value {
    let seen = case.seen_by(&case.town.auditor).await.status(200);
    json!(["handling", "replies", "feedback"].map(|list| {
        pick(&seen.json[list], "round", &json!(number))
            .into_iter()
            .map(|entry| {
                let mut entry = entry.clone();
                // When it was stored does not change either.
                entry.sort_all_objects();
                entry
            })
            .collect::<Vec<_>>()
    }))
}

const CLOSING: &str = r#"{ "publish_text": "full", "publish_replies": "full" }"#;

fn closing() -> Value {
    serde_json::from_str(CLOSING).expect("a body")
}

#[actix_web::test]
async fn a_further_round_goes_on_with_the_same_units_and_leaves_the_first_alone() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    case.joint_drafted(&[1]).await;
    case.request_countersign(0).await;
    case.countersign(0, 1).await;
    case.sign(0).await;
    case.approve(0).await;
    case.deliver(0).await;
    case.fails(
        &town.officer,
        &case.path(),
        "rehandle",
        because_dissatisfied(),
        (409, "state-conflict"),
    )
    .await;
    case.dislike(member, 0).await;
    assert_eq!(case.desk(&town.chair).await, ["rehandle"]);
    assert!(
        case.desk(&town.officer)
            .await
            .contains(&"rehandle".to_owned())
    );
    let before = round(&case, 1).await;
    let first = case.replies[&0].clone();
    case.fails(
        &town.party_officer,
        &case.path(),
        "rehandle",
        because_dissatisfied(),
        (403, "forbidden"),
    )
    .await;
    case.fails(
        &town.staff,
        &case.path(),
        "rehandle",
        because_dissatisfied(),
        (403, "forbidden"),
    )
    .await;
    let again = case.rehandle(because_dissatisfied()).await;
    assert_eq!(
        (&again.json["status"], &again.json["round"]),
        (&json!("assigned"), &json!(2))
    );
    assert_eq!(
        again.json["phase"], "in_handling",
        "carried-over rows are signed for"
    );
    assert_eq!(round(&case, 1).await, before, "I16");
    let rows = pick(&again.json["handling"], "round", &json!(2));
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["role"].as_str(),
                row["status"].as_str(),
                row["returnable"].as_bool(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some("lead"), Some("accepted"), Some(false)),
            (Some("co_handler"), Some("accepted"), Some(false)),
        ]
    );
    // K10 with the limit of re-handling, no K05.
    let clocks = again.json["clocks"].as_array().expect("clocks");
    let reply_clock = clocks
        .iter()
        .find(|clock| clock["kind"] == "K10")
        .expect("K10");
    assert_eq!(reply_clock["limit"], "1 mo");
    assert!(clocks.iter().all(|clock| clock["kind"] != "K05"), "{again}");
    // I9: not returnable.
    let ask = json!({ "reason": "停车与公交接驳不属于我局职责。", "suggested_unit_id": town.units[3], "signatory": "林涛" });
    let refused = case
        .tries_on(&town.unit_clerks[0], &case.row(0), "request-return", ask)
        .await;
    let refused = refused.status(409).code("guard-unmet");
    assert_eq!(refused.json["unmet"][0]["guard"], "row_returnable", "I9");
    // The earlier row takes no further act.
    let old_row = format!(
        "/api/v1/assignments/{}",
        before[0][0]["id"].as_str().expect("an id")
    );
    let late = json!({ "way": "phone", "date": "2026-03-02", "persons": "陈思源", "said": "补。", "proposer_view": "无。" });
    let late = case
        .tries_on(&town.unit_clerks[0], &old_row, "record-contact", late)
        .await;
    assert_eq!(late.status, 409, "{late}");
    case.give_opinion(1).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    let second = case.replies[&0].clone();
    assert_ne!(first, second);
    let drafted = case
        .as_(&town.unit_clerks[0])
        .get(&case.reply(0))
        .send()
        .await;
    assert_eq!(drafted.json["refers_to"], first.as_str());
    case.request_countersign(0).await;
    case.countersign(0, 1).await;
    case.sign(0).await;
    case.approve(0).await;
    assert_eq!(round(&case, 1).await, before, "I16");
    let delivered = case.deliver(0).await;
    assert_eq!(delivered.json["proposal"]["status"], "handled", "I15");
    // RT10: the earlier reply stays readable with its forms, and stands no longer.
    let old = format!("/api/v1/replies/{first}");
    for who in [member, &town.unit_clerks[0], &town.members[3], &town.leader] {
        let seen = case.as_(who).get(&old).send().await.status(200);
        assert_eq!(seen.json["status"], "superseded", "{}", who.username);
        assert_eq!(seen.json["form"]["digest"], "已解决。");
        let records = case.records(who).await;
        assert_eq!(
            pick(&records["feedback"], "reply_id", &json!(first)).len(),
            1
        );
    }
    let after = round(&case, 1).await;
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]), "I16");
    // A form on the reply that was superseded cannot be given any more.
    let mut old_form = case.grades(0);
    old_form["reply_id"] = json!(first);
    case.fails(
        member,
        &case.path(),
        "give-feedback",
        old_form,
        (422, "invalid-input"),
    )
    .await
    .blames(&["/reply_id"]);
    case.rate(member, 0).await;
    let seen = case.seen_by(&town.staff).await;
    assert_eq!(
        pick(&seen.json["feedback"], "round", &json!(1))[0]["result"],
        "dissatisfied"
    );
    assert_eq!(
        pick(&seen.json["feedback"], "round", &json!(2))[0]["result"],
        "satisfied"
    );
    case.close().await;
    case.witness(&["PT24", "AT01", "RT10", "PT21", "PT22", "PT23", "PT25"])
        .await;
}

#[actix_web::test]
async fn a_further_round_may_take_some_units_and_a_new_one() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    case.until_filed().await;
    case.assign("separate", &[0, 1, 2]).await;
    for unit in [0, 1, 2] {
        case.answer(unit).await;
    }
    for unit in [0, 2] {
        case.rate(member, unit).await;
    }
    case.dislike(member, 1).await;
    let rows = json!([
        { "unit_id": town.units[1], "role": "lead" },
        { "unit_id": town.units[3], "role": "co_handler" },
    ]);
    let twice = json!([rows[0], rows[0]]);
    let again = json!({ "cause": "dissatisfied", "handling_kind": "joint", "rows": twice });
    case.fails(
        &town.officer,
        &case.path(),
        "rehandle",
        again,
        (422, "invalid-input"),
    )
    .await
    .blames(&["/rows/1/unit_id"]);
    let misfit = json!({ "cause": "dissatisfied", "rows": rows });
    case.fails(
        &town.officer,
        &case.path(),
        "rehandle",
        misfit,
        (422, "invalid-input"),
    )
    .await
    .blames(&["/rows"]);
    let before = round(&case, 1).await;
    let body = json!({ "cause": "dissatisfied", "handling_kind": "joint", "rows": rows });
    let again = case.rehandle(body).await;
    assert_eq!(round(&case, 1).await, before, "I16");
    assert_eq!(again.json["phase"], "in_handling");
    let told: Vec<_> = pick(&again.json["handling"], "round", &json!(2))
        .iter()
        .map(|row| {
            (
                row["role"].as_str(),
                row["status"].as_str(),
                row["returnable"].as_bool(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some("lead"), Some("accepted"), Some(false)),
            (Some("co_handler"), Some("pending"), Some(true)),
        ]
    );
    let clocks = again.json["clocks"].as_array().expect("clocks");
    let window: Vec<_> = clocks
        .iter()
        .filter(|clock| clock["kind"] == "K05")
        .collect();
    assert_eq!(window.len(), 1);
    assert_eq!(window[0]["assignment_id"], case.rows[&3]);
    case.accept(3).await;
    case.give_opinion(3).await;
    case.contact(1).await;
    case.draft_reply(1).await;
    case.request_countersign(1).await;
    case.countersign(1, 3).await;
    case.sign(1).await;
    case.approve(1).await;
    // Only the one that answers anew supersedes what it said; the others stand.
    case.deliver(1).await;
    let seen = case.seen_by(member).await;
    let mut states: Vec<_> = pick(&seen.json["replies"], "round", &json!(1))
        .iter()
        .map(|reply| {
            (
                reply["unit_id"] == json!(town.units[1]),
                reply["status"].as_str(),
            )
        })
        .collect();
    states.sort_unstable();
    assert_eq!(
        states,
        [
            (false, Some("delivered")),
            (false, Some("delivered")),
            (true, Some("superseded"))
        ]
    );
    case.rate(member, 1).await;
    case.close().await;
    case.witness(&["PT24", "AT01", "RT10", "PT25"]).await;
}

#[actix_web::test]
async fn a_round_needs_a_cause_and_rounds_run_out() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    case.sole_answered().await;
    case.rate(member, 0).await;
    let path = case.path();
    case.refused(
        &town.chair,
        &path,
        "rehandle",
        because_dissatisfied(),
        &["rehandling_due"],
    )
    .await;
    for reason in [
        json!({ "cause": "quality" }),
        json!({ "cause": "quality", "reason": " " }),
    ] {
        case.fails(
            &town.chair,
            &path,
            "rehandle",
            reason,
            (422, "invalid-input"),
        )
        .await
        .blames(&["/reason"]);
    }
    let quality = json!({ "cause": "quality", "reason": "抽查发现承诺的站点并未设置。" });
    let again = case.does(&town.chair, "rehandle", quality).await;
    case.learn_rows(&again);
    let records = case.records(member).await;
    let order = pick(&records["decisions"], "kind", &json!("rehandle"));
    assert_eq!(order[0]["content"]["cause"], "quality");
    assert_eq!(
        order[0]["content"]["reason"],
        "抽查发现承诺的站点并未设置。"
    );
    case.answer_again(0).await;
    case.dislike(member, 0).await;
    case.refused(
        &town.officer,
        &path,
        "rehandle",
        because_dissatisfied(),
        &["rounds_left"],
    )
    .await;
    case.refused(
        &town.staff,
        &path,
        "close",
        closing(),
        &["no_rehandling_due"],
    )
    .await;
    // OT01: what follows the last round.
    let future = consultation("face_to_face_meeting", "2026-03-09");
    case.fails(
        &town.staff,
        &path,
        "record-consultation",
        future,
        (422, "invalid-input"),
    )
    .await
    .blames(&["/date"]);
    let other = consultation("proposal_handling", "2026-03-02");
    case.does(&town.staff, "record-consultation", other).await;
    case.refused(
        &town.staff,
        &path,
        "close",
        closing(),
        &["no_rehandling_due"],
    )
    .await;
    let meeting = consultation("face_to_face_meeting", "2026-03-02");
    case.fails(
        member,
        &path,
        "record-consultation",
        meeting.clone(),
        (403, "forbidden"),
    )
    .await;
    case.does(&town.officer, "record-consultation", meeting)
        .await;
    for who in [member, &town.unit_clerks[0]] {
        let records = case.records(who).await;
        assert_eq!(
            records["consultations"].as_array().expect("a list").len(),
            2
        );
        let forms: Vec<_> = records["consultations"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|held| &held["content"]["form"])
            .collect();
        assert!(forms.contains(&&json!("face_to_face_meeting")), "{forms:?}");
    }
    assert_eq!(case.status().await, "feedback", "I37");
    case.close().await;
    case.witness(&["PT24", "OT01", "PT25"]).await;
}

#[actix_web::test]
async fn a_special_explanation_does_for_the_meeting() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    case.sole_disliked().await;
    // In the first round a meeting does not do: another round is left.
    let explained = consultation("special_explanation", "2026-03-02");
    case.does(&town.staff, "record-consultation", explained.clone())
        .await;
    case.refused(
        &town.staff,
        &case.path(),
        "close",
        closing(),
        &["no_rehandling_due"],
    )
    .await;
    case.rehandle(because_dissatisfied()).await;
    case.answer_again(0).await;
    case.dislike(member, 0).await;
    // And that of an earlier round is not one after the last.
    case.refused(
        &town.staff,
        &case.path(),
        "close",
        closing(),
        &["no_rehandling_due"],
    )
    .await;
    case.does(&town.supervision, "record-consultation", explained)
        .await;
    case.close().await;
    case.witness(&["PT24", "OT01", "PT25"]).await;
}

#[actix_web::test]
async fn a_rater_gives_up_another_round_in_writing() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    case.sole_answered().await;
    case.fails(
        member,
        &case.path(),
        "waive-rehandling",
        json!({}),
        (409, "state-conflict"),
    )
    .await;
    case.dislike(member, 0).await;
    let path = case.path();
    case.fails(
        &town.unit_clerks[0],
        &path,
        "waive-rehandling",
        json!({}),
        (403, "forbidden"),
    )
    .await;
    case.fails(
        &town.members[1],
        &path,
        "waive-rehandling",
        json!({}),
        (403, "forbidden"),
    )
    .await;
    let waived = json!({ "comment": "电话沟通后表示理解。" });
    case.does(member, "waive-rehandling", waived.clone()).await;
    case.refused(
        member,
        &path,
        "waive-rehandling",
        waived,
        &["complaint_open"],
    )
    .await;
    // The form itself stays as it was given (I13), and asks for nothing any more.
    let seen = case.seen_by(&town.staff).await;
    assert_eq!(seen.json["feedback"][0]["result"], "dissatisfied");
    case.refused(
        &town.chair,
        &path,
        "rehandle",
        because_dissatisfied(),
        &["rehandling_due"],
    )
    .await;
    assert_eq!(case.desk(&town.staff).await, ["close"]);
    case.close().await;
    case.witness(&["PT24b", "PT25"]).await;
}

#[actix_web::test]
async fn staff_note_a_waiver_from_paper() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    case.sole_disliked().await;
    let (path, rater) = (case.path(), case.rater(0).await);
    let no_paper = json!({ "rater_id": rater });
    case.fails(
        &town.staff,
        &path,
        "waive-rehandling",
        no_paper,
        (422, "invalid-input"),
    )
    .await
    .blames(&["/paper_reference"]);
    let nobody = json!({ "paper_reference": "纸质确认单 2026-重-004" });
    case.fails(
        &town.staff,
        &path,
        "waive-rehandling",
        nobody,
        (422, "invalid-input"),
    )
    .await
    .blames(&["/rater_id"]);
    let paper = json!({ "rater_id": rater, "paper_reference": "纸质确认单 2026-重-004" });
    case.does(&town.staff, "waive-rehandling", paper).await;
    let records = case.records(member).await;
    let waiver = pick(&records["decisions"], "kind", &json!("waive_rehandling"));
    assert_eq!(
        waiver[0]["content"]["paper_reference"],
        "纸质确认单 2026-重-004"
    );
    assert_eq!(waiver[0]["content"]["rater_id"], rater.as_str());
    let timeline = case.timeline(member).await;
    let event = timeline
        .iter()
        .find(|item| item["name"] == "rehandling.waived")
        .expect("the event");
    assert_eq!(event["on_behalf_of"], "林若舟");
    assert_eq!(event["actor_role"], "committee_staff");
    case.close().await;
    case.witness(&["PT24b", "PT25"]).await;
}

#[actix_web::test]
async fn a_closed_case_is_opened_again_and_handled_or_closed_once_more() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    for rehandled in [true, false] {
        let mut case = Story::draft(&app, &town, member).await;
        case.sole_answered().await;
        case.rate(member, 0).await;
        let path = case.path();
        let reason = json!({ "reason": "回访发现承诺未落实。" });
        case.fails(
            &town.chair,
            &path,
            "reopen",
            reason.clone(),
            (409, "state-conflict"),
        )
        .await;
        case.close().await;
        let archived = case.does(&town.staff, "archive", json!({})).await;
        assert_eq!(archived.json["status"], "closed");
        case.fails(
            &town.staff,
            &path,
            "reopen",
            reason.clone(),
            (403, "forbidden"),
        )
        .await;
        case.fails(
            &town.chair,
            &path,
            "reopen",
            json!({ "reason": " " }),
            (422, "invalid-input"),
        )
        .await
        .blames(&["/reason"]);
        let open = case.does(&town.chair, "reopen", reason).await;
        assert_eq!(
            (&open.json["status"], &open.json["round"]),
            (&json!("feedback"), &json!(1))
        );
        let records = case.records(member).await;
        let why = pick(&records["decisions"], "kind", &json!("reopen"));
        assert_eq!(why[0]["content"]["reason"], "回访发现承诺未落实。", "I11");
        if rehandled {
            let cause = json!({ "cause": "quality", "reason": "承诺未落实。" });
            case.rehandle(cause).await;
            case.answer_again(0).await;
            case.rate(member, 0).await;
        }
        // What was reviewed stays reviewed.
        let closed = case.does(&town.chair, "close", json!({})).await;
        assert_eq!(closed.json["status"], "closed");
        // It was taken out of the archive.
        case.does(&town.staff, "archive", json!({})).await;
        case.witness(&["OT04", "PT25", "PT26"]).await;
    }
}
