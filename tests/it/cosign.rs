//! Joint signing: PT03–`PT05b`, `PT04b`, PT08, PT09 and I17. Invitations with consent, refusal and
//! expiry, consent bound to the text, organisations that sign together, conveners, paper.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::seed::{Person, Town};
use crate::support::sides::{again, organisation, unmet};
use crate::support::steps::act;
use crate::support::story::{Story, form, members};

async fn joint<'a>(app: &'a TestApp, town: &'a Town) -> Story<'a> {
    let body = json!({ "kind": "joint", "form": form() });
    Story::draft_of(app, town, &town.members[0], body).await
}

fn invite(people: &[Person]) -> Value {
    json!({ "member_ids": members(people) })
}

#[actix_web::test]
async fn who_may_be_invited_and_who_may_not() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let case = joint(&app, &town).await;
    let first = &people[0];
    let stranger = "memb_019a1b2c3d4e7f8090a1b2c3d4e5f607";
    for (body, place) in [
        (json!({}), "/member_ids"),
        (json!({ "member_ids": [] }), "/member_ids"),
        (invite(&people[0..1]), "/member_ids/0"),
        (
            json!({ "member_ids": [people[1].member, people[1].member] }),
            "/member_ids/1",
        ),
        (json!({ "member_ids": [stranger] }), "/member_ids/0"),
    ] {
        case.is_invalid(first, "invite-cosigners", body, &[place])
            .await;
    }
    let both = json!({ "member_ids": [people[1].member], "organisation_ids": [town.party] });
    case.is_invalid(first, "invite-cosigners", both, &["/organisation_ids"])
        .await;
    case.tries(&people[1], "invite-cosigners", invite(&people[2..3]))
        .await
        .status(404);
    let staff = case.tries(&town.staff, "invite-cosigners", invite(&people[2..3]));
    staff.await.status(403).code("forbidden");
    case.does(first, "invite-cosigners", invite(&people[1..2]))
        .await;
    case.is_invalid(
        first,
        "invite-cosigners",
        invite(&people[1..2]),
        &["/member_ids/0"],
    )
    .await;
    let alone = Story::draft(&app, &town, first).await;
    alone
        .is_refused(first, "invite-cosigners", invite(&people[1..2]), "is_joint")
        .await;
    case.submit().await;
    case.is_out_of_place(first, "invite-cosigners", invite(&people[2..3]))
        .await;
    case.witness(&["PT03"]).await;
}

#[actix_web::test]
async fn invitations_run_out_after_a_day_in_session_and_three_days_otherwise() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let case = joint(&app, &town).await;
    case.does(&people[0], "invite-cosigners", invite(&people[1..3]))
        .await;
    app.clock.advance(SignedDuration::from_hours(24));
    let in_time = case.seen_by(&people[1]).await.status(200);
    assert_eq!(in_time.json["proposers"][1]["status"], "invited");
    assert_eq!(case.desk(&people[1]).await, ["answer_invitation"]);
    app.clock.advance(SignedDuration::from_secs(1));
    // Nobody has written since, yet everybody sees it.
    assert_eq!(
        case.consents(&people[1]).await,
        ["consented", "expired", "expired"]
    );
    assert!(case.desk(&people[1]).await.is_empty());
    case.is_refused(&people[1], "consent-cosign", json!({}), "invitation_open")
        .await;
    case.is_refused(&people[1], "decline-cosign", json!({}), "invitation_open")
        .await;
    case.is_refused(&people[0], "submit", json!({}), "joint_has_cosigners")
        .await;
    assert!(
        !case
            .events_seen_by(&town.auditor)
            .await
            .contains(&"cosign.expired".to_owned())
    );
    // The next act finds it, writes it down, and asks again: the place of the signer stays.
    case.does(&people[0], "invite-cosigners", invite(&people[2..3]))
        .await;
    let events = case.events_seen_by(&town.auditor).await;
    assert_eq!(
        events,
        [
            "proposal.created",
            "cosign.invited",
            "cosign.expired",
            "cosign.invited"
        ]
    );
    case.does(&people[2], "consent-cosign", json!({})).await;
    assert_eq!(
        case.consents(&people[0]).await,
        ["consented", "expired", "consented"]
    );
    // Outside the session window three days.
    app.clock.advance(SignedDuration::from_hours(24));
    case.does(&people[0], "invite-cosigners", invite(&people[1..2]))
        .await;
    app.clock.advance(SignedDuration::from_hours(72));
    assert_eq!(case.desk(&people[1]).await, ["answer_invitation"]);
    app.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(case.consents(&people[1]).await[1], "expired");
    case.does(&people[0], "invite-cosigners", invite(&people[1..2]))
        .await;
    case.does(&people[1], "consent-cosign", json!({})).await;
    assert_eq!(
        case.consents(&people[0]).await,
        ["consented", "consented", "consented"]
    );
    case.witness(&["PT03", "PT04", "PT05b"]).await;
    case.is_whole().await;
}

#[actix_web::test]
async fn who_declined_is_asked_again_and_may_change_his_mind() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let case = joint(&app, &town).await;
    case.does(&people[0], "invite-cosigners", invite(&people[1..2]))
        .await;
    case.tries(&people[2], "consent-cosign", json!({}))
        .await
        .status(404);
    case.tries(&people[0], "consent-cosign", json!({}))
        .await
        .status(403);
    let why = json!({ "comment": "内容尚不成熟。" });
    case.does(&people[1], "decline-cosign", why).await;
    case.is_refused(&people[1], "consent-cosign", json!({}), "invitation_open")
        .await;
    case.is_refused(&people[0], "submit", json!({}), "joint_has_cosigners")
        .await;
    case.does(&people[0], "invite-cosigners", invite(&people[1..2]))
        .await;
    assert_eq!(case.desk(&people[1]).await, ["answer_invitation"]);
    case.does(&people[1], "consent-cosign", json!({})).await;
    case.is_refused(&people[1], "decline-cosign", json!({}), "invitation_open")
        .await;
    case.submit().await;
    case.witness(&["PT04", "PT05", "PT06"]).await;
}

#[actix_web::test]
async fn a_consent_is_to_a_text_and_what_is_not_signed_is_dropped_at_filing() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let case = joint(&app, &town).await;
    case.does(&people[0], "invite-cosigners", invite(&people[1..4]))
        .await;
    for person in &people[1..3] {
        case.does(person, "consent-cosign", json!({})).await;
    }
    // What is no text leaves the consents alone.
    case.edit(json!({ "hide_my_name": true })).await;
    assert_eq!(
        case.consents(&people[0]).await,
        ["consented", "consented", "consented", "invited"]
    );
    case.edit(json!({ "suggestions": ["开通三条社区微循环线路。"] }))
        .await;
    assert_eq!(
        case.consents(&people[0]).await,
        ["consented", "stale", "stale", "invited"]
    );
    case.does(&people[1], "consent-cosign", json!({})).await;
    case.submit().await;
    // Signing goes on while the committee examines.
    case.does(&people[3], "consent-cosign", json!({})).await;
    case.examine_all().await;
    let filed = case.file().await;
    assert_eq!(filed.json["kind"], "joint");
    assert_eq!(
        case.consents(&town.staff).await,
        ["consented", "consented", "dropped", "consented"],
        "I17"
    );
    case.is_out_of_place(&people[2], "consent-cosign", json!({}))
        .await;
    case.witness(&["PT02", "PT04", "PT15"]).await;
}

#[actix_web::test]
async fn organisations_sign_together_and_each_of_them_rates() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (partner, clerk) = organisation(&app, &town, "民盟云川市委会", "party").await;
    let mut text = form();
    text["contact_person"] = json!("周明远");
    text["contact_phone"] = json!("0599-5550123");
    text["seal_evidence"] = json!("盖章原件 2026-集-017");
    let body = json!({ "kind": "joint_collective", "form": text });
    let mut case = Story::draft_of(&app, &town, &town.clerk, body).await;
    case.is_refused(&town.clerk, "submit", json!({}), "joint_has_cosigners")
        .await;
    let first = &town.clerk;
    let member = json!({ "member_ids": members(&town.members[1..2]) });
    case.is_invalid(first, "invite-cosigners", member, &["/organisation_ids"])
        .await;
    let own = json!({ "organisation_ids": [town.party] });
    case.is_invalid(first, "invite-cosigners", own, &["/organisation_ids/0"])
        .await;
    assert!(!case.is_listed_for(&clerk).await);
    clerk.get(&case.path()).send().await.status(404);
    let partner = json!({ "organisation_ids": [partner] });
    case.does(first, "invite-cosigners", partner).await;
    assert!(case.is_listed_for(&clerk).await);
    clerk.get(&case.path()).send().await.status(200);
    act(&clerk, &case.path(), "submit", json!({}))
        .await
        .status(403);
    act(&clerk, &case.path(), "consent-cosign", json!({}))
        .await
        .status(200);
    assert_eq!(case.until_filed().await.json["kind"], "joint_collective");
    case.assign("sole", &[0]).await;
    case.answer(0).await;
    let mut grades = case.grades(0);
    grades["leader_answered"] = json!(true);
    let rated = case.does(first, "give-feedback", grades.clone()).await;
    assert_eq!(rated.json["status"], "handled", "the partner has not rated");
    let rated = act(&clerk, &case.path(), "give-feedback", grades).await;
    assert_eq!(rated.status(200).json["status"], "feedback");
    case.witness(&["PT03", "PT04", "PT22", "PT23"]).await;
}

#[actix_web::test]
async fn sectors_and_groups_need_their_convener_and_the_session() {
    let app = TestApp::start().await;
    let town = app.town().await;
    for kind in ["sector", "member_group"] {
        let (_, clerk) = organisation(&app, &town, &format!("云川{kind}"), kind).await;
        let mut text = form();
        text["contact_person"] = json!("周明远");
        text["contact_phone"] = json!("0599-5550123");
        text["seal_evidence"] = json!("签名原件 2026-界-002");
        let draft = clerk
            .post("/api/v1/proposals")
            .json(json!({ "kind": kind, "form": text }))
            .send()
            .await
            .status(201);
        let path = draft.text_header("location").to_owned();
        let refused = act(&clerk, &path, "submit", json!({})).await.status(409);
        assert_eq!(unmet(&refused), ["convener_in_window"]);
        clerk
            .patch(&path)
            .if_match(draft.version())
            .json(json!({ "convener": "林若舟" }))
            .send()
            .await
            .status(200);
        act(&clerk, &path, "submit", json!({})).await.status(200);
    }
    // After the deadline a convener is not enough.
    let (id, clerk) = organisation(&app, &town, "教育界别", "sector").await;
    let mut text = form();
    text["contact_person"] = json!("周明远");
    text["contact_phone"] = json!("0599-5550123");
    text["seal_evidence"] = json!("签名原件 2026-界-003");
    text["convener"] = json!("林若舟");
    let draft = clerk
        .post("/api/v1/proposals")
        .json(json!({ "kind": "sector", "form": text }))
        .send()
        .await
        .status(201);
    app.clock.advance(SignedDuration::from_hours(48));
    let clerk = again(&app, &town, &format!("clerk.{}", &id[id.len() - 8..])).await;
    let path = draft.text_header("location").to_owned();
    let late = act(&clerk, &path, "submit", json!({})).await.status(409);
    assert_eq!(unmet(&late), ["convener_in_window"]);
}

#[actix_web::test]
async fn without_a_policy_of_seconding_an_opened_draft_stays_closed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let mut text = form();
    text["open_for_seconding"] = json!(true);
    let body = json!({ "kind": "joint", "form": text });
    let case = Story::draft_of(&app, &town, &people[0], body).await;
    case.seen_by(&people[2]).await.status(404);
    assert!(!case.is_listed_for(&case.as_(&people[2])).await);
    case.tries(&people[2], "second", json!({}))
        .await
        .status(404);
    case.does(&people[0], "invite-cosigners", invite(&people[1..2]))
        .await;
    let refused = case
        .is_refused(&people[1], "second", json!({}), "open_for_seconding")
        .await;
    assert_eq!(unmet(&refused), ["open_for_seconding", "not_yet_signed"]);
}

#[actix_web::test]
async fn staff_enter_a_paper_from_draft_to_withdrawal() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut text = form();
    text["paper_reference"] = json!("纸质提案 2026-代-009");
    let body = json!({ "kind": "joint", "member_id": town.members[0].member, "form": text });
    let mut case = Story::draft_of(&app, &town, &town.staff, body).await;
    case.proposer = town.staff.clone();
    case.does(&town.staff, "invite-cosigners", invite(&town.members[1..2]))
        .await;
    case.does(&town.members[1], "consent-cosign", json!({}))
        .await;
    case.edit(json!({ "hide_my_name": true })).await;
    let submitted = case.submit().await;
    let serial = submitted.json["serial_no"].clone();
    let recalled = case.does(&town.staff, "recall", json!({})).await;
    assert_eq!(recalled.json["status"], "draft");
    assert_eq!(recalled.json["serial_no"], serial, "I3");
    assert_eq!(case.submit().await.json["serial_no"], serial, "I3");
    case.is_invalid(&town.staff, "withdraw", json!({}), &["/reason"])
        .await;
    let why = json!({ "reason": "提案者来函撤回。" });
    let gone = case.does(&town.staff, "withdraw", why.clone()).await;
    assert_eq!(gone.json["serial_no"], serial, "I3");
    assert!(gone.json["clocks"].as_array().expect("clocks").is_empty());
    case.is_out_of_place(&town.staff, "withdraw", why).await;
    let timeline = case.timeline(&town.auditor).await;
    for event in &timeline {
        if event["actor_role"] == "committee_staff" {
            assert_eq!(event["on_behalf_of"], "林若舟", "{event}");
        }
    }
    case.witness(&["PT01", "PT02", "PT03", "PT08", "PT09"])
        .await;
}

#[actix_web::test]
async fn a_submission_is_recalled_only_until_somebody_examines_it() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let case = Story::draft(&app, &town, member).await;
    // A draft that nobody has seen goes without a word.
    let never = Story::draft(&app, &town, member).await;
    never.does(member, "withdraw", json!({})).await;
    case.is_out_of_place(member, "recall", json!({})).await;
    case.submit().await;
    case.tries(&town.members[1], "recall", json!({}))
        .await
        .status(404);
    case.does(member, "recall", json!({})).await;
    case.submit().await;
    let examiner = &town.examiners[0];
    case.does(examiner, "examine", crate::support::story::opinion(&town))
        .await;
    case.is_refused(member, "recall", json!({}), "not_yet_examined")
        .await;
    let back = json!({ "reason": "建议部分过于原则，请补充具体措施。" });
    case.is_invalid(
        examiner,
        "return-for-revision",
        json!({ "reason": "  " }),
        &["/reason"],
    )
    .await;
    case.does(examiner, "return-for-revision", back).await;
    case.is_refused(member, "submit", json!({}), "changed_since_return")
        .await;
    case.edit(json!({ "analysis": "现有线路以干道为主，站点间距过大。" }))
        .await;
    case.submit().await;
    // Examination starts again, the old opinion stays.
    case.examine_all().await;
    let seen = case.seen_by(&town.chair).await;
    assert_eq!(seen.json["opinions"].as_array().expect("opinions").len(), 3);
    case.witness(&["PT07", "PT08", "PT13", "PT14"]).await;
    never.witness(&["PT09"]).await;
}

/// Settings that are in force from now on.
async fn policy(app: &TestApp, town: &Town, settings: Value) {
    let administrator = app.signed_in(town, &town.administrator);
    let draft = administrator
        .post("/api/v1/policy-profiles")
        .json(json!({ "settings": settings }))
        .send()
        .await
        .status(201);
    let path = format!("/api/v1/policy-profiles/{}", draft.id());
    act(
        &app.signed_in(town, &town.chair),
        &path,
        "activate",
        json!({}),
    )
    .await
    .status(200);
}

#[actix_web::test]
async fn where_the_policy_has_it_members_join_an_opened_proposal_uninvited() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    policy(&app, &town, json!({ "seconding.enabled": true })).await;
    let mut closed = Story::draft(&app, &town, &people[0]).await;
    closed.seen_by(&people[1]).await.status(404);
    let mut text = form();
    text["open_for_seconding"] = json!(true);
    let body = json!({ "kind": "individual", "form": text });
    let mut case = Story::draft_of(&app, &town, &people[0], body).await;
    let joining = case.as_(&people[1]);
    case.seen_by(&people[1]).await.status(200);
    assert!(case.is_listed_for(&joining).await);
    assert!(!closed.is_listed_for(&joining).await);
    for who in [&town.clerk, &town.officer, &town.leader] {
        case.seen_by(who).await.status(404);
        assert!(!case.is_listed_for(&case.as_(who)).await);
    }
    let words = json!({ "comment": "赞同，愿附议。" });
    let seconded = case.does(&people[1], "second", words.clone()).await;
    assert_eq!(seconded.json["proposers"][1]["role"], "seconder");
    case.is_refused(&people[1], "second", words.clone(), "not_yet_signed")
        .await;
    case.is_refused(&people[0], "second", words.clone(), "not_yet_signed")
        .await;
    // An edit does not touch a seconder, and closing it keeps others out.
    case.edit(json!({ "situation": "情况有变化。" })).await;
    case.submit().await;
    case.does(&people[2], "second", words.clone()).await;
    case.examine_all().await;
    let filed = case.file().await;
    assert_eq!(filed.json["kind"], "individual");
    case.is_out_of_place(&people[3], "second", words).await;
    case.assign("sole", &[0]).await;
    case.answer(0).await;
    assert!(case.desk(&people[1]).await.is_empty());
    case.tries(&people[1], "give-feedback", case.grades(0))
        .await
        .status(403);
    assert_eq!(case.rate(&people[0], 0).await.json["status"], "feedback");
    case.witness(&["PT04b"]).await;
    // Opened later, closed again.
    closed.proposer = people[0].clone();
    closed.edit(json!({ "open_for_seconding": true })).await;
    closed.seen_by(&people[1]).await.status(200);
    closed.edit(json!({ "open_for_seconding": false })).await;
    closed.seen_by(&people[1]).await.status(404);
}

#[actix_web::test]
async fn the_policy_may_ask_for_an_opinion_and_drop_who_has_not_signed_at_submission() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let settings = json!({
        "cosign.comment_required": true, "cosign.drop_unsigned_at": "submission",
        "cosign.reset_on_edit": false,
    });
    policy(&app, &town, settings).await;
    let case = joint(&app, &town).await;
    case.does(&people[0], "invite-cosigners", invite(&people[1..3]))
        .await;
    case.is_invalid(&people[1], "consent-cosign", json!({}), &["/comment"])
        .await;
    let words = json!({ "comment": "同意联名。" });
    case.does(&people[1], "consent-cosign", words.clone()).await;
    case.edit(json!({ "situation": "情况有变化。" })).await;
    assert_eq!(
        case.consents(&people[0]).await,
        ["consented", "consented", "invited"]
    );
    case.submit().await;
    assert_eq!(
        case.consents(&people[0]).await,
        ["consented", "consented", "dropped"]
    );
    case.seen_by(&people[2]).await.status(404);
    // Back for revision, who was dropped is asked once more.
    let back = json!({ "reason": "请补充具体措施。" });
    case.does(&town.staff, "return-for-revision", back).await;
    case.does(&people[0], "invite-cosigners", invite(&people[2..3]))
        .await;
    case.does(&people[2], "consent-cosign", words).await;
    case.edit(json!({ "situation": "情况又有变化。" })).await;
    case.submit().await;
    assert_eq!(
        case.consents(&people[0]).await,
        ["consented", "consented", "consented"]
    );
    case.witness(&["PT07"]).await;
}
