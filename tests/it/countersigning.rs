//! Countersignatures, coordination, signature and review: RT02–RT08, `RT05b`, RT11 (domain 3.5; I12,
//! I13, I14). A signature is bound to the content hash of the text; every attempt stays on record.

use serde_json::{Value, json};

use crate::support::rounds::pick;
use crate::support::story::{Story, reply_form};
use crate::support::{Reply, TestApp};

fn signature() -> Value {
    json!({ "signatory": "林涛" })
}

/// Attempt, answer and text of each request, the last attempt first.
fn attempts(reply: &Reply) -> Vec<(i64, String)> {
    reply.json["countersigns"]
        .as_array()
        .expect("requests")
        .iter()
        .map(|one| {
            let status = one["status"].as_str().expect("a status").to_owned();
            (one["attempt"].as_i64().expect("a number"), status)
        })
        .collect()
}

#[actix_web::test]
async fn an_answer_is_bound_to_its_text_and_every_attempt_stays() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.joint_drafted(&[1, 2]).await;
    let lead = &town.signatories[0];
    let address = case.reply(0);
    // RT03 is the lead's: a co-handler has no reply of its own (I6).
    case.fails(
        &town.unit_clerks[1],
        &address,
        "request-countersign",
        json!({}),
        (404, "not-found"),
    )
    .await;
    let asked = case.request_countersign(0).await;
    let first_text = asked.text("/content_hash");
    assert_eq!(asked.json["countersigns"][0]["current"], true);
    case.countersign(0, 1).await;
    case.refused(lead, &address, "sign", signature(), &["countersigned"])
        .await;
    let twice = json!({ "signatory": "郑海峰" });
    case.refused(
        &town.signatories[1],
        &address,
        "countersign",
        twice,
        &["countersign_requested"],
    )
    .await;
    case.countersign(0, 2).await;
    // RT02: the text changes, the answers lapse, even if the text should come back.
    let edited = case
        .edit_reply(0, json!({ "digest": "已全部解决。" }))
        .await;
    assert_eq!(edited.json["status"], "draft");
    assert_ne!(edited.text("/content_hash"), first_text);
    case.refused(lead, &address, "sign", signature(), &["countersigned"])
        .await;
    let back = case.edit_reply(0, json!({ "digest": "已解决。" })).await;
    assert_eq!(back.text("/content_hash"), first_text);
    case.refused(lead, &address, "sign", signature(), &["countersigned"])
        .await;
    case.request_countersign(0).await;
    case.countersign(0, 2).await;
    case.refused(lead, &address, "sign", signature(), &["countersigned"])
        .await;
    let remarks = json!({ "signatory": "郑海峰", "remarks": "请注意道路红线。" });
    let answered = case
        .on_reply(&town.signatories[1], 0, "countersign", remarks)
        .await;
    let known: Vec<_> = attempts(&answered);
    let known: Vec<_> = known
        .iter()
        .map(|(n, answer)| (*n, answer.as_str()))
        .collect();
    let wanted = [
        (2, "agree_with_remarks"),
        (2, "agree"),
        (1, "agree"),
        (1, "agree"),
    ];
    assert_eq!(known, wanted);
    assert!(answered.json["countersigns"][0]["answered_at"].is_string());
    let signed = case.sign(0).await;
    assert_eq!(signed.json["status"], "under_review");
    case.witness(&["RT02", "RT03", "RT04", "RT06"]).await;
}

#[actix_web::test]
async fn who_agreed_once_and_objects_later_has_objected() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.joint_drafted(&[1, 2]).await;
    let (lead, address) = (&town.signatories[0], case.reply(0));
    let objection = json!({ "signatory": "郑海峰", "reason": "与现行规划不符。" });
    let silent = json!({ "signatory": "郑海峰", "reason": "  " });
    case.request_countersign(0).await;
    case.fails(
        &town.signatories[2],
        &address,
        "object",
        silent,
        (422, "invalid-input"),
    )
    .await
    .blames(&["/reason"]);
    case.countersign(0, 1).await;
    let objected = case
        .on_reply(&town.signatories[2], 0, "object", objection.clone())
        .await;
    assert_eq!(objected.json["status"], "draft");
    // The same text once more: now the other one objects.
    case.request_countersign(0).await;
    let second = case
        .on_reply(&town.signatories[1], 0, "object", objection)
        .await;
    assert_eq!(second.json["countersigns"][1]["status"], "recalled");
    case.request_countersign(0).await;
    case.countersign(0, 2).await;
    case.refused(lead, &address, "sign", signature(), &["countersigned"])
        .await;
    case.countersign(0, 1).await;
    case.sign(0).await;
    case.witness(&["RT03", "RT04", "RT05", "RT06"]).await;
}

#[actix_web::test]
async fn a_coordination_decision_replaces_a_refused_signature_on_this_very_text() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.joint_drafted(&[1]).await;
    let (lead, address) = (&town.signatories[0], case.reply(0));
    let decision =
        json!({ "decision": "按规划部门意见修改后执行。", "decided_by": "市政府办公室主任办公会" });
    case.refused(
        &town.officer,
        &address,
        "coordinate",
        decision.clone(),
        &["countersign_disputed"],
    )
    .await;
    case.request_countersign(0).await;
    let objection = json!({ "signatory": "郑海峰", "reason": "与现行规划不符。" });
    case.on_reply(&town.signatories[1], 0, "object", objection)
        .await;
    case.refused(lead, &address, "sign", signature(), &["countersigned"])
        .await;
    // Only the officer of the line decides, and reads what it is about.
    case.fails(
        &town.unit_clerks[0],
        &address,
        "coordinate",
        decision.clone(),
        (403, "forbidden"),
    )
    .await;
    case.as_(&town.officer)
        .get(&address)
        .send()
        .await
        .status(200);
    case.as_(&town.party_officer)
        .get(&address)
        .send()
        .await
        .status(404);
    let nobody = json!({ "decision": "照办。", "decided_by": " " });
    case.fails(
        &town.officer,
        &address,
        "coordinate",
        nobody,
        (422, "invalid-input"),
    )
    .await
    .blames(&["/decided_by"]);
    let decided = case
        .on_reply(&town.officer, 0, "coordinate", decision.clone())
        .await;
    assert_eq!(decided.json["coordinated"], true);
    assert_eq!(decided.json["status"], "draft");
    assert_eq!(decided.json["coordination"], decision["decision"]);
    // The text changes: the decision was not about that one, not even if the old one comes back.
    let edited = case
        .edit_reply(0, json!({ "digest": "已全部解决。" }))
        .await;
    assert_eq!(edited.json["coordinated"], false);
    case.refused(lead, &address, "sign", signature(), &["countersigned"])
        .await;
    let back = case.edit_reply(0, json!({ "digest": "已解决。" })).await;
    assert_eq!(back.json["coordinated"], false);
    case.refused(lead, &address, "sign", signature(), &["countersigned"])
        .await;
    case.on_reply(&town.officer, 0, "coordinate", decision)
        .await;
    case.sign(0).await;
    // A dispute among units is no business of the proposer.
    let records = case.records(&town.members[0]).await;
    assert!(pick(&records["decisions"], "kind", &json!("coordinate")).is_empty());
    let records = case.records(&town.unit_clerks[0]).await;
    assert_eq!(
        pick(&records["decisions"], "kind", &json!("coordinate")).len(),
        2
    );
    let seen = case.events_seen_by(&town.members[0]).await;
    assert!(!seen.contains(&"reply.coordinated".to_owned()), "{seen:?}");
    case.witness(&["RT05", "RT05b", "RT06"]).await;
}

#[actix_web::test]
async fn a_coordination_decision_replaces_a_missing_signature() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.joint_drafted(&[1, 2]).await;
    case.request_countersign(0).await;
    case.countersign(0, 1).await;
    let decision = json!({ "decision": "规划部门意见另行办理。", "decided_by": "市政府办公室" });
    let decided = case
        .on_reply(&town.officer, 0, "coordinate", decision)
        .await;
    assert_eq!(decided.json["status"], "countersigning");
    let signed = case.sign(0).await;
    // The open request is called back with the signature.
    assert_eq!(attempts(&signed)[1], (1, "recalled".to_owned()));
    case.witness(&["RT05b", "RT06"]).await;
}

#[actix_web::test]
async fn a_signature_that_does_not_come_in_time_counts_as_agreed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.joint_drafted(&[1]).await;
    case.request_countersign(0).await;
    case.days_pass(6);
    case.refused(
        &town.signatories[0],
        &case.reply(0),
        "sign",
        signature(),
        &["countersigned"],
    )
    .await;
    // K09: five working days from Monday, the last one ends on Monday at 24:00.
    case.days_pass(2);
    case.sign(0).await;
    case.witness(&["RT06"]).await;
}

#[actix_web::test]
async fn a_rejected_text_changes_before_it_is_signed_again() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.joint_drafted(&[1]).await;
    case.request_countersign(0).await;
    case.countersign(0, 1).await;
    let signed = case.sign(0).await;
    let (lead, address) = (&town.signatories[0], case.reply(0));
    let empty = json!({ "reason": " " });
    case.fails(
        &town.supervision,
        &address,
        "reject",
        empty,
        (422, "invalid-input"),
    )
    .await
    .blames(&["/reason"]);
    let reason = json!({ "reason": "未逐条回应建议。" });
    let rejected = case
        .on_reply(&town.supervision, 0, "reject", reason.clone())
        .await;
    assert_eq!(rejected.json["status"], "draft");
    assert!(
        rejected.json["signatory"].is_null(),
        "the signature lapsed: {rejected}"
    );
    assert!(rejected.json["current_outcome"].is_null());
    case.refused(
        &town.unit_clerks[0],
        &address,
        "request-countersign",
        json!({}),
        &["changed_since_rejection"],
    )
    .await;
    case.refused(
        lead,
        &address,
        "sign",
        signature(),
        &["changed_since_rejection", "countersigned"],
    )
    .await;
    // The same text under a new version number is no change.
    case.edit_reply(0, json!({ "digest": "已解决。" })).await;
    case.refused(
        lead,
        &address,
        "sign",
        signature(),
        &["changed_since_rejection", "countersigned"],
    )
    .await;
    case.edit_reply(0, json!({ "body": "一、……二、……" })).await;
    case.request_countersign(0).await;
    case.countersign(0, 1).await;
    let again = case.sign(0).await;
    assert_eq!(again.text("/document_no"), signed.text("/document_no"));
    case.approve(0).await;
    // I13: once approved it is neither approved nor rejected.
    case.refused(
        &town.supervision,
        &address,
        "approve",
        json!({}),
        &["not_approved"],
    )
    .await;
    case.refused(&town.officer, &address, "reject", reason, &["not_approved"])
        .await;
    case.deliver(0).await;
    assert_eq!(case.status().await, "handled");
    case.witness(&["RT06", "RT07", "RT08", "RT09"]).await;
}

#[actix_web::test]
async fn the_reviewer_may_see_the_outcome_differently() {
    let app = TestApp::start().await;
    let town = app.town().await;
    for (outcome, letter) in [("partially_resolved", "B"), ("for_reference", "C")] {
        let mut case = Story::draft(&app, &town, &town.members[0]).await;
        case.sole().await;
        case.accept(0).await;
        case.contact(0).await;
        case.draft_reply(0).await;
        let signed = case.sign(0).await;
        assert_eq!(signed.json["letter"], "A");
        let address = case.reply(0);
        // Whoever changes it says why; for a C these are the reasons for not adopting.
        let silent = json!({ "outcome": outcome });
        case.fails(
            &town.officer,
            &address,
            "approve",
            silent,
            (422, "invalid-input"),
        )
        .await
        .blames(&["/reason"]);
        // What asks for promises cannot be made up for by the reviewer.
        let planned = json!({ "outcome": "planned", "reason": "尚未开工。" });
        case.fails(
            &town.officer,
            &address,
            "approve",
            planned,
            (422, "invalid-input"),
        )
        .await
        .blames(&["/outcome"]);
        let changed = json!({ "outcome": outcome, "reason": "第二条建议近期不具备条件。" });
        let approved = case.on_reply(&town.officer, 0, "approve", changed).await;
        assert_eq!(approved.json["unit_outcome"], "resolved", "I14");
        assert_eq!(approved.json["reviewer_outcome"], outcome, "I14");
        assert_eq!(approved.json["current_outcome"], outcome, "I14");
        assert_eq!(approved.json["letter"], letter);
        case.deliver(0).await;
        let seen = case.seen_by(&town.members[0]).await.status(200);
        assert_eq!(seen.json["replies"][0]["unit_outcome"], "resolved", "I14");
        assert_eq!(seen.json["replies"][0]["reviewer_outcome"], outcome, "I14");
        assert_eq!(seen.json["outcome"], outcome);
        assert_eq!(
            seen.json["replies"][0]["review_note"],
            "第二条建议近期不具备条件。"
        );
        case.witness(&["RT06", "RT07", "RT09"]).await;
    }
}

#[actix_web::test]
async fn promises_are_ahead_when_they_are_signed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.sole().await;
    case.accept(0).await;
    case.contact(0).await;
    let mut form = reply_form();
    form["outcome"] = json!("in_progress");
    case.draft_reply_of(0, form).await;
    let (lead, address) = (&town.signatories[0], case.reply(0));
    case.refused(lead, &address, "sign", signature(), &["promises_made"])
        .await;
    let promise = |day: &str| json!([{ "text": "开通 3 号线", "due_on": day, "person": "林涛" }]);
    case.edit_reply(0, json!({ "promises": promise("2026-03-06") }))
        .await;
    case.days_pass(4);
    case.refused(lead, &address, "sign", signature(), &["promises_ahead"])
        .await;
    let clerk = case.as_(&town.unit_clerks[0]);
    let past = clerk.patch(&address).header("If-Match", "*");
    past.json(json!({ "promises": promise("2026-03-06") }))
        .send()
        .await
        .status(422)
        .blames(&["/promises/0/due_on"]);
    case.edit_reply(0, json!({ "promises": promise("2026-12-31") }))
        .await;
    case.sign(0).await;
    case.approve(0).await;
    let delivered = case.deliver(0).await;
    assert_eq!(delivered.json["document_no"], "云交提复〔2026〕1号");
    // RT09: a receipt, the ledger, tracking.
    let seen = case.seen_by(&town.members[0]).await.status(200);
    assert_eq!(seen.json["promises"][0]["status"], "open");
    assert_eq!(seen.json["promises"][0]["due_on"], "2026-12-31");
    assert!(seen.json["tracked_since"].is_string());
    assert_eq!(app.database().row_counts()["deliveries"], 1);
    // I13: nothing changes a delivered reply.
    let late = clerk.patch(&address).header("If-Match", "*");
    late.json(json!({ "digest": "改了。" }))
        .send()
        .await
        .status(409)
        .code("state-conflict");
    case.fails(
        &town.supervision,
        &address,
        "reject",
        json!({ "reason": "重写。" }),
        (409, "state-conflict"),
    )
    .await;
    case.fails(
        &town.unit_clerks[0],
        &address,
        "deliver",
        json!({}),
        (409, "state-conflict"),
    )
    .await;
    case.witness(&["RT01", "RT02", "RT06", "RT09", "AT16", "PT21"])
        .await;
}

#[actix_web::test]
async fn a_reply_ends_with_its_row() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let replacement = json!([
        { "unit_id": town.units[3], "role": "lead" },
    ]);
    for stage in ["draft", "countersigning", "under_review", "returned"] {
        let mut case = Story::draft(&app, &town, &town.members[0]).await;
        case.joint_drafted(&[1]).await;
        let officer = &town.officer;
        let reply = case.reply(0);
        if matches!(stage, "countersigning" | "under_review") {
            case.request_countersign(0).await;
        }
        if stage == "under_review" {
            case.countersign(0, 1).await;
            case.sign(0).await;
        }
        if stage == "returned" {
            let ask = json!({
                "reason": "停车与公交接驳不属于我局职责。", "suggested_unit_id": town.units[3], "signatory": "林涛",
            });
            case.on_row(0, "request-return", ask).await;
            // Reply work is suspended meanwhile.
            case.refused(
                &town.unit_clerks[0],
                &reply,
                "request-countersign",
                json!({}),
                &["row_accepted"],
            )
            .await;
            let grant = json!({ "replacement": replacement });
            case.tries_on(officer, &case.row(0), "grant-return", grant)
                .await
                .status(200);
        } else {
            let adjust = json!({
                "cause": "correction", "reason": "交办有误。",
                "add": replacement, "remove": [case.rows[&0]],
            });
            case.does(officer, "adjust-units", adjust).await;
        }
        let seen = case
            .as_(&town.unit_clerks[0])
            .get(&reply)
            .send()
            .await
            .status(200);
        assert_eq!(seen.json["status"], "superseded", "{stage}");
        assert!(
            seen.json["countersigns"]
                .as_array()
                .expect("requests")
                .iter()
                .all(|one| one["status"] != "requested"),
            "{stage}: {seen}"
        );
        assert!(
            seen.json["actions"]
                .as_array()
                .expect("actions")
                .iter()
                .all(|action| action["allowed"] == false),
            "{stage}: {seen}"
        );
        case.fails(
            &town.unit_clerks[0],
            &reply,
            "deliver",
            json!({}),
            (409, "state-conflict"),
        )
        .await;
        // It was never delivered: the proposer does not see it.
        case.as_(&town.members[0])
            .get(&reply)
            .send()
            .await
            .status(404);
        // The new lead answers.
        let seen = case.seen_by(officer).await.status(200);
        case.learn_rows(&seen);
        case.accept(3).await;
        case.contact(3).await;
        case.draft_reply(3).await;
        case.witness(&["RT01", "RT11"]).await;
    }
}

#[actix_web::test]
async fn the_head_of_the_unit_signs_for_a_key_proposal() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.sole().await;
    case.accept(0).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    let reviewed = json!({ "publish_text": "full", "publish_replies": "full" });
    case.does(&town.staff, "review-publication", reviewed).await;
    assert_eq!(
        app.database().execute("UPDATE case_marks SET tier = 'key'"),
        1
    );
    let (lead, address) = (&town.signatories[0], case.reply(0));
    case.fails(lead, &address, "sign", signature(), (422, "invalid-input"))
        .await
        .blames(&["/by_head"]);
    let by_head =
        json!({ "signatory": "局长王立新", "by_head": true, "document_prefix": "云交办复" });
    let signed = case.on_reply(lead, 0, "sign", by_head).await;
    assert_eq!(signed.json["signed_by_head"], true);
    assert_eq!(signed.json["document_no"], "云交办复〔2026〕1号");
    case.witness(&["RT06", "OT02"]).await;
}

#[actix_web::test]
async fn every_proposer_of_a_merge_group_gets_the_reply_and_rates_it() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let mut case = Story::draft(&app, &town, &people[0]).await;
    case.until_filed().await;
    let other = Story::draft(&app, &town, &people[1]).await;
    other.submit().await;
    let merge = json!({ "main_id": case.id, "opinion": "内容相近，并案办理，分别答复。" });
    other.does(&town.chair, "merge", merge).await;
    case.assign("sole", &[0]).await;
    case.answer(0).await;
    // RT09: one receipt per proposal, and each of the proposers reads it.
    assert_eq!(app.database().row_counts()["deliveries"], 2);
    case.as_(&people[1])
        .get(&case.reply(0))
        .send()
        .await
        .status(200);
    assert_eq!(case.desk(&people[1]).await, ["give_feedback"]);
    case.rate(&people[0], 0).await;
    assert_eq!(
        case.status().await,
        "handled",
        "I18: the other one rates, too"
    );
    let rated = case.dislike(&people[1], 0).await;
    assert_eq!(rated.json["status"], "feedback");
    let names: Vec<_> = rated.json["feedback"]
        .as_array()
        .expect("forms")
        .iter()
        .map(|form| form["rater_name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["林若舟", "陈思远"]);
    let records = case.records(&people[0]).await;
    assert!(records["feedback"].to_string().contains("陈思远"));
    case.does(&people[1], "waive-rehandling", json!({})).await;
    case.close().await;
    case.witness(&["RT09", "PT22", "PT23", "PT24b", "PT25"])
        .await;
}
