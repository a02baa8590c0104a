//! Refusal, disposition, archive and secrecy: PT13, PT14, PT16, `PT16b`, OT03, OT04, I10, I11, I29.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::seed::Person;
use crate::support::sides::{account, into, organisation, refusal, unmet};
use crate::support::steps::act;
use crate::support::story::{Story, form, meeting, opinion};

fn secrecy(level: &str) -> Value {
    json!({ "secrecy": level, "reason": "内容涉及未公开事项。" })
}

fn carried_out() -> Value {
    json!({
        "note": "已转市发展研究中心，并告知提案者。", "receiver": "市发展研究中心",
        "sent_on": "2026-03-02",
    })
}

#[actix_web::test]
async fn a_refused_proposal_is_followed_until_its_disposition_is_carried_out() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let case = Story::draft(&app, &town, member).await;
    case.submit().await;
    let chair = &town.chair;
    let mut bare = refusal(&["bad_form"], "kept");
    bare["explanation"] = json!(" ");
    case.is_invalid(chair, "not-file", bare, &["/explanation"])
        .await;
    let mut unasked = refusal(&["bad_form"], "sent_for_reference");
    unasked["proposer_agrees"] = json!(false);
    case.is_invalid(chair, "not-file", unasked, &["/proposer_agrees"])
        .await;
    let no = refusal(&["academic_discussion"], "sent_for_reference");
    for who in [&town.staff, &town.examiners[0], member] {
        case.tries(who, "not-file", no.clone()).await.status(403);
    }
    let refused = case.does(chair, "not-file", no).await;
    assert_eq!(refused.json["status"], "not_filed");
    assert_eq!(refused.json.get("case_no"), None);
    assert_eq!(case.desk(&town.staff).await, ["carry_out_disposition"]);
    let clocks = case.seen_by(&town.staff).await.json["clocks"].clone();
    assert_eq!(clocks[0]["kind"], "K20");
    case.is_refused(&town.staff, "archive", json!({}), "nothing_owed")
        .await;
    // The proposer sees why, and what becomes of it.
    let records = case
        .as_(member)
        .get(&format!("{}/records", case.path()))
        .send()
        .await
        .status(200);
    assert!(
        records.json["decisions"]
            .to_string()
            .contains("已向提案者说明")
    );
    let mut future = carried_out();
    future["sent_on"] = json!("2026-03-03");
    case.is_invalid(&town.staff, "carry-out-disposition", future, &["/sent_on"])
        .await;
    case.tries(chair, "carry-out-disposition", carried_out())
        .await
        .status(403);
    case.does(&town.staff, "carry-out-disposition", carried_out())
        .await;
    assert!(case.desk(&town.staff).await.is_empty());
    case.is_refused(
        &town.staff,
        "carry-out-disposition",
        carried_out(),
        "disposition_open",
    )
    .await;
    let seen = case.seen_by(member).await;
    assert!(seen.json["marks"]["disposed_at"].is_string());
    assert!(seen.json["clocks"].as_array().expect("clocks").is_empty());
    case.tries(chair, "archive", json!({})).await.status(403);
    let archived = case.does(&town.staff, "archive", json!({})).await;
    assert_eq!(archived.json["status"], "not_filed", "I37");
    case.is_refused(&town.staff, "archive", json!({}), "not_archived")
        .await;
    case.witness(&["PT16", "PT16b", "OT04"]).await;
    // The proposer may draft anew from it.
    let mut anew = form();
    anew["derived_from"] = json!(case.id);
    let body = json!({ "kind": "individual", "form": anew });
    Story::draft_of(&app, &town, member, body).await;
    case.is_whole().await;
}

#[actix_web::test]
async fn what_was_returned_is_refused_only_when_the_time_for_revision_is_over() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.submit().await;
    let back = json!({ "reason": "建议部分过于原则，请补充具体措施。" });
    case.does(&town.staff, "return-for-revision", back.clone())
        .await;
    case.is_out_of_place(&town.chair, "return-for-revision", back)
        .await;
    let no = refusal(&["revision_not_received"], "kept");
    case.is_refused(&town.chair, "not-file", no.clone(), "revision_lapsed")
        .await;
    app.clock.advance(SignedDuration::from_hours(24 * 15));
    case.does(&town.chair, "not-file", no).await;
    assert!(case.desk(&town.members[0]).await.is_empty());
    case.witness(&["PT13", "PT16"]).await;
}

#[actix_web::test]
async fn a_secret_proposal_is_left_with_its_refusal() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (member, staff, chair) = (&town.members[0], &town.staff, &town.chair);
    let body = json!({ "kind": "joint", "form": form() });
    let case = Story::draft_of(&app, &town, member, body).await;
    let invited = json!({ "member_ids": [town.members[1].member] });
    case.does(member, "invite-cosigners", invited).await;
    case.is_invalid(staff, "set-secrecy", secrecy("secret"), &["/secrecy"])
        .await;
    case.submit().await;
    case.tries(member, "set-secrecy", secrecy("secret"))
        .await
        .status(403);
    case.is_invalid(staff, "set-secrecy", secrecy("open"), &["/secrecy"])
        .await;
    let without = json!({ "secrecy": "secret", "reason": " " });
    case.is_invalid(staff, "set-secrecy", without, &["/reason"])
        .await;
    let other = Story::draft(&app, &town, &town.members[2]).await;
    other.submit().await;
    let secret = case.does(staff, "set-secrecy", secrecy("secret")).await;
    assert_eq!(secret.json["status"], "submitted", "I37");
    let reason = json!({ "reason": "请修改。" });
    let link = json!({ "kind": "handled_together", "proposal_id": other.id });
    let tries: Vec<(&Person, &str, Value)> = vec![
        (member, "recall", json!({})),
        (member, "withdraw", reason.clone()),
        (&town.members[1], "consent-cosign", json!({})),
        (&town.members[1], "decline-cosign", json!({})),
        (staff, "return-for-revision", reason),
        (&town.examiners[0], "examine", opinion(&town)),
        (chair, "file", meeting()),
        (chair, "merge", into(&other)),
        (staff, "set-secrecy", secrecy("open")),
        (staff, "link-cases", link),
    ];
    for (who, action, body) in tries {
        case.is_refused(who, action, body, "not_secret").await;
    }
    other
        .is_refused(chair, "merge", into(&case), "not_secret")
        .await;
    // What may be done is one thing.
    for who in [member, staff, chair, &town.examiners[0], &town.members[1]] {
        let path = format!("{}/actions", case.path());
        let told = case.as_(who).get(&path).send().await.status(200);
        let told = told.json["items"].as_array().expect("actions").clone();
        let open: Vec<_> = told
            .iter()
            .filter(|action| action["allowed"] == true)
            .map(|action| action["action"].as_str().expect("a name").to_owned())
            .collect();
        let expected: &[&str] = if who.user == chair.user {
            &["not_file"]
        } else {
            &[]
        };
        assert_eq!(open, expected, "{}", who.username);
    }
    // I29: whatever the reason says, the text of a secret proposal goes.
    case.does(chair, "not-file", refusal(&["other"], "kept"))
        .await;
    for who in [member, staff, &town.auditor] {
        let seen = case.seen_by(who).await.status(200);
        assert_eq!(seen.json["form"].get("situation"), None, "I29");
        assert_eq!(seen.json["form"].get("suggestions"), None, "I29");
        assert!(seen.json["title"].is_string(), "the metadata stay");
        let texts = case.as_(who).get(&format!("{}/texts", case.path())).send();
        let texts = texts.await.status(200).json.to_string();
        assert!(!texts.contains("老城区部分道路狭窄"), "I29");
    }
    case.does(staff, "carry-out-disposition", carried_out())
        .await;
    case.does(staff, "archive", json!({})).await;
    case.witness(&["OT03", "OT04", "PT16", "PT16b"]).await;
    case.is_whole().await;
}

#[actix_web::test]
async fn a_reason_that_hides_the_text_removes_it_and_leaves_what_quotes_nothing() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.edit(json!({ "analysis": "甲局与乙局互相推诿。" }))
        .await;
    case.submit().await;
    case.does(&town.examiners[0], "examine", opinion(&town))
        .await;
    case.does(
        &town.chair,
        "not-file",
        refusal(&["named_accusation"], "kept"),
    )
    .await;
    let path = format!("{}/records", case.path());
    let records = case.as_(&town.staff).get(&path).send().await.status(200);
    assert_eq!(
        records.json["opinions"][0]["opinion"],
        opinion(&town)["opinion"]
    );
    assert!(records.json["decisions"].to_string().contains("已向提案者"));
    let texts = case
        .as_(&town.staff)
        .get(&format!("{}/texts", case.path()))
        .send()
        .await
        .status(200);
    for version in texts.json["items"].as_array().expect("versions") {
        assert_eq!(version["form"].get("situation"), None, "I29: {version}");
        assert_eq!(version["form"].get("analysis"), None, "I29: {version}");
    }
}

#[actix_web::test]
async fn a_filed_case_that_is_found_sensitive_is_for_insiders_only() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    let published = json!({ "publish_text": "full", "publish_replies": "summary" });
    case.does(&town.staff, "review-publication", published)
        .await;
    let stranger = &town.members[1];
    case.seen_by(stranger).await.status(200);
    case.is_invalid(&town.chair, "set-secrecy", secrecy("secret"), &["/secrecy"])
        .await;
    let closed = case
        .does(&town.chair, "set-secrecy", secrecy("restricted"))
        .await;
    assert_eq!(closed.json["secrecy"], "restricted");
    assert_eq!(closed.json["marks"]["publish_text"], "none", "I30");
    assert_eq!(closed.json["marks"]["publish_replies"], "none", "I30");
    for who in [stranger, &town.clerk] {
        case.seen_by(who).await.status(404).code("not-found");
        assert!(!case.is_listed_for(&case.as_(who)).await);
    }
    case.assign("sole", &[0]).await;
    let insiders = [
        &town.members[0],
        &town.staff,
        &town.officer,
        &town.leader,
        &town.supervision,
        &town.unit_clerks[0],
    ];
    for who in insiders {
        case.seen_by(who).await.status(200);
        assert!(case.is_listed_for(&case.as_(who)).await, "{}", who.username);
    }
    case.seen_by(&town.unit_clerks[1]).await.status(404);
    case.does(&town.staff, "set-secrecy", secrecy("open")).await;
    case.seen_by(stranger).await.status(200);
    // Open again does not publish it again.
    let seen = case.seen_by(&town.staff).await;
    assert_eq!(seen.json["marks"]["publish_text"], "none");
    case.is_out_of_place(&town.staff, "archive", json!({}))
        .await;
    case.witness(&["OT02", "OT03"]).await;
}

#[actix_web::test]
async fn nobody_examines_or_decides_on_what_his_organisation_signed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let clerk_too = |role: &str, organisation: &str| {
        json!([
            { "role": role },
            { "role": "organisation_clerk", "organisation_id": organisation },
        ])
    };
    let party = town.party.to_string();
    let (partner_id, partner) = organisation(&app, &town, "民盟云川市委会", "party").await;
    let examiner = account(&app, &town, "exam.party", clerk_too("examiner", &party)).await;
    let chair = account(
        &app,
        &town,
        "chair.partner",
        clerk_too("committee_chair", &partner_id),
    )
    .await;
    let staff = account(
        &app,
        &town,
        "staff.partner",
        clerk_too("committee_staff", &partner_id),
    )
    .await;
    let mut text = form();
    text["contact_person"] = json!("周明远");
    text["contact_phone"] = json!("0599-5550123");
    text["seal_evidence"] = json!("盖章原件 2026-集-018");
    let body = json!({ "kind": "joint_collective", "form": text });
    let case = Story::draft_of(&app, &town, &town.clerk, body).await;
    let invited = json!({ "organisation_ids": [partner_id] });
    case.does(&town.clerk, "invite-cosigners", invited).await;
    act(&partner, &case.path(), "consent-cosign", json!({}))
        .await
        .status(200);
    case.submit().await;
    let back = json!({ "reason": "请补充。" });
    for (client, action, body) in [
        (&examiner, "examine", opinion(&town)),
        (&examiner, "return-for-revision", back.clone()),
        (&staff, "return-for-revision", back),
        (&staff, "set-secrecy", secrecy("restricted")),
        (&chair, "not-file", refusal(&["bad_form"], "kept")),
    ] {
        let refused = act(client, &case.path(), action, body).await.status(409);
        assert_eq!(unmet(&refused), ["not_a_signer"], "I10: {action}");
    }
    case.examine_all().await;
    let refused = act(&chair, &case.path(), "file", meeting()).await;
    assert_eq!(unmet(&refused.status(409)), ["not_a_signer"], "I10");
    case.file().await;
    // With another proposal they have nothing to do, and so may act.
    let other = Story::draft(&app, &town, &town.members[0]).await;
    other.submit().await;
    act(&examiner, &other.path(), "examine", opinion(&town))
        .await
        .status(200);
}
