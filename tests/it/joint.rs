//! Joint proposals and joint handling: co-signers, one lead with co-handlers, countersignatures.

use serde_json::json;

use crate::support::story::{Story, form, members};
use crate::support::{Reply, TestApp};

fn unmet(reply: &Reply) -> Vec<&str> {
    reply.json["unmet"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|unmet| unmet["guard"].as_str())
        .collect()
}

#[actix_web::test]
async fn a_joint_case_with_lead_and_two_co_handlers_goes_from_draft_to_closed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let body = json!({ "kind": "joint", "form": form() });
    let mut case = Story::draft_of(&app, &town, &people[0], body).await;
    let alone = case
        .tries(&people[0], "submit", json!({}))
        .await
        .status(409)
        .code("guard-unmet");
    assert_eq!(unmet(&alone), ["joint_has_cosigners"]);
    let invited = case
        .does(
            &people[0],
            "invite-cosigners",
            json!({ "member_ids": members(&people[1..4]) }),
        )
        .await;
    assert_eq!(
        invited.json["proposers"]
            .as_array()
            .expect("proposers")
            .len(),
        4
    );
    assert_eq!(case.desk(&people[1]).await, ["answer_invitation"]);
    case.does(
        &people[1],
        "consent-cosign",
        json!({ "comment": "同意联名。" }),
    )
    .await;
    case.does(&people[2], "decline-cosign", json!({})).await;
    assert!(case.desk(&people[1]).await.is_empty());
    case.submit().await;
    case.examine_all().await;
    let filed = case.file().await;
    let states: Vec<_> = filed.json["proposers"]
        .as_array()
        .expect("proposers")
        .iter()
        .map(|proposer| proposer["status"].as_str().expect("a status"))
        .collect();
    assert_eq!(
        states,
        ["consented", "consented", "declined", "dropped"],
        "I17"
    );
    case.assign("joint", &[0, 1, 2]).await;
    for unit in [0, 1, 2] {
        case.accept(unit).await;
    }
    case.contact(0).await;
    let planned = json!({
        "outcome": "in_progress", "digest": "正在推进。", "body": "您的提案收悉，现答复如下……",
        "promises": [{ "text": "开通 3 号线", "due_on": "2026-12-31", "person": "林涛" }],
        "leader": "林涛", "clerk": "陈思源", "phone": "0599-5550145", "publication": "full",
    });
    case.draft_reply_of(0, planned).await;
    let early = json!({ "signatory": "林涛" });
    let early = case
        .tries_on_reply(&town.signatories[0], 0, "sign", early)
        .await
        .status(409);
    assert_eq!(
        unmet(&early),
        ["opinions_in", "countersigned"],
        "I12: {early}"
    );
    case.give_opinion(1).await;
    case.give_opinion(2).await;
    case.request_countersign(0).await;
    case.countersign(0, 1).await;
    // RT05: the other one objects; the lead mends the text and asks again.
    let objection = json!({ "signatory": "郑海峰", "reason": "与现行规划不符。" });
    let objected = case
        .on_reply(&town.signatories[2], 0, "object", objection)
        .await;
    assert_eq!(objected.json["status"], "draft");
    assert_eq!(case.desk(&town.unit_clerks[0]).await, ["reply"]);
    let lead = case.as_(&town.unit_clerks[0]);
    let version = lead.get(&case.reply(0)).send().await.version();
    lead.patch(&case.reply(0))
        .if_match(version)
        .json(json!({ "digest": "正在推进，按规划调整。" }))
        .send()
        .await
        .status(200);
    case.request_countersign(0).await;
    case.countersign(0, 1).await;
    let half = json!({ "signatory": "林涛" });
    let half = case
        .tries_on_reply(&town.signatories[0], 0, "sign", half)
        .await
        .status(409);
    assert_eq!(unmet(&half), ["countersigned"]);
    let remarks = json!({ "signatory": "郑海峰", "remarks": "请注意道路红线。" });
    let agreed = case
        .on_reply(&town.signatories[2], 0, "countersign", remarks)
        .await;
    assert_eq!(
        agreed.json["countersigns"][1]["status"],
        "agree_with_remarks"
    );
    case.sign(0).await;
    // RT07 with another outcome: only with a reason, and both are kept (I14).
    let silent = json!({ "outcome": "planned" });
    case.tries_on_reply(&town.supervision, 0, "approve", silent)
        .await
        .status(422)
        .blames(&["/reason"]);
    let changed = json!({ "outcome": "planned", "reason": "尚未开工，按列入计划认定。" });
    let approved = case
        .on_reply(&town.supervision, 0, "approve", changed)
        .await;
    assert_eq!(approved.json["unit_outcome"], "in_progress");
    assert_eq!(approved.json["reviewer_outcome"], "planned");
    let delivered = case.deliver(0).await;
    assert_eq!(delivered.json["proposal"]["status"], "handled");
    // Every signer rates, and nobody else.
    let half = case.rate(&people[1], 0).await;
    assert_eq!(half.json["status"], "handled");
    case.tries(&people[1], "give-feedback", case.grades(0))
        .await
        .status(409);
    case.tries(&people[3], "give-feedback", case.grades(0))
        .await
        .status(403);
    let rated = case.rate(&people[0], 0).await;
    assert_eq!(rated.json["status"], "feedback");
    let closed = case.close().await;
    assert_eq!(closed.json["status"], "closed");
    assert_eq!(closed.json["outcome"], "planned");
    assert_eq!(closed.json["promises"][0]["status"], "open");
    assert!(closed.json["tracked_since"].is_string(), "I27");
    case.witness(&["PT03", "PT04", "PT05", "AT10"]).await;
    case.witness(&["RT02", "RT03", "RT04", "RT05"]).await;
}

#[actix_web::test]
async fn a_changed_text_makes_consents_stale_until_they_are_given_again() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let body = json!({ "kind": "joint", "form": form() });
    let case = Story::draft_of(&app, &town, &people[0], body).await;
    let invitation = json!({ "member_ids": members(&people[1..2]) });
    case.does(&people[0], "invite-cosigners", invitation).await;
    case.does(&people[1], "consent-cosign", json!({})).await;
    let edited = case.edit(json!({ "situation": "情况有变化。" })).await;
    assert_eq!(edited.json["proposers"][1]["status"], "stale");
    assert_eq!(case.desk(&people[1]).await, ["answer_invitation"]);
    let again = case.does(&people[1], "consent-cosign", json!({})).await;
    assert_eq!(again.json["proposers"][1]["status"], "consented");
    case.witness(&["PT02", "PT04"]).await;
}

#[actix_web::test]
async fn a_joint_proposal_left_without_co_signers_is_filed_as_individual() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let body = json!({ "kind": "joint", "form": form() });
    let case = Story::draft_of(&app, &town, &people[0], body).await;
    let invitation = json!({ "member_ids": members(&people[1..2]) });
    case.does(&people[0], "invite-cosigners", invitation).await;
    let filed = case.until_filed().await;
    assert_eq!(filed.json["kind"], "individual");
    case.seen_by(&people[1]).await.status(200);
}

#[actix_web::test]
async fn a_rejected_reply_keeps_its_document_number_when_it_is_signed_again() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    let first = case.sign(0).await.text("/document_no");
    let reason = json!({ "reason": "未逐条回应建议。" });
    let rejected = case.on_reply(&town.officer, 0, "reject", reason).await;
    assert_eq!(rejected.json["status"], "draft");
    assert_eq!(rejected.json["review_note"], "未逐条回应建议。");
    case.edit_reply(0, json!({ "body": "一、……二、……" })).await;
    let again = case.sign(0).await;
    assert_eq!(again.text("/document_no"), first);
    case.approve(0).await;
    case.deliver(0).await;
    assert_eq!(case.status().await, "handled");
    case.witness(&["RT08"]).await;
}

#[actix_web::test]
async fn thirty_co_handlers_are_possible_and_thirty_one_are_not() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    let admin = case.as_(&town.administrator);
    let mut units = Vec::new();
    for n in 0..32 {
        let unit = json!({
            "name": format!("市第{n}局"), "system_line": "government",
            "reply_prefix": format!("云{n}复"), "active": true,
        });
        units.push(
            admin
                .post("/api/v1/units")
                .json(unit)
                .send()
                .await
                .status(201)
                .id(),
        );
    }
    let body = |co: usize| {
        let mut rows = vec![json!({ "unit_id": units[0], "role": "lead" })];
        rows.extend(
            units[1..=co]
                .iter()
                .map(|id| json!({ "unit_id": id, "role": "co_handler" })),
        );
        json!({ "handling_kind": "joint", "rows": rows })
    };
    case.tries(&town.officer, "assign", body(31))
        .await
        .status(422)
        .blames(&["/rows"]);
    assert_eq!(case.status().await, "filed");
    let assigned = case.does(&town.officer, "assign", body(30)).await;
    assert_eq!(
        assigned.json["assignments"].as_array().expect("rows").len(),
        31
    );
}
