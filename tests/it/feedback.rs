//! Opinion forms: PT22, `PT22b`, `PT22c`, PT23, `AT09b` (domain 3.2, 6.4; I13, I20, I21, I22).

use jianjian::workflow::role::{Grant, Role};
use serde_json::{Value, json};

use crate::support::rounds::pick;
use crate::support::seed::{Person, Town};
use crate::support::story::{Story, contact, form, members};
use crate::support::{Client, TestApp};

/// A joint proposal of the first two members, answered by the first unit alone.
async fn answered_for_two<'a>(app: &'a TestApp, town: &'a Town) -> Story<'a> {
    let people = &town.members;
    let body = json!({ "kind": "joint", "form": form() });
    let mut case = Story::draft_of(app, town, &people[0], body).await;
    let invitation = json!({ "member_ids": members(&people[1..2]) });
    case.does(&people[0], "invite-cosigners", invitation).await;
    case.does(&people[1], "consent-cosign", json!({})).await;
    case.sole_answered().await;
    case
}

#[actix_web::test]
async fn silence_is_not_returned_and_late_forms_are_marked() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let case = answered_for_two(&app, &town).await;
    case.rate(&people[0], 0).await;
    assert_eq!(case.status().await, "handled");
    assert!(
        case.seen_by(&town.staff).await.json["not_returned"]
            .as_array()
            .expect("a list")
            .is_empty()
    );
    case.days_pass(22);
    assert_eq!(case.status().await, "feedback", "K12 has lapsed");
    let seen = case.seen_by(&town.unit_clerks[0]).await.status(200);
    // I22: silence is not returned, and no form is made up.
    assert_eq!(seen.json["feedback"].as_array().expect("forms").len(), 1);
    let silent = seen.json["not_returned"].as_array().expect("a list");
    assert_eq!(silent.len(), 1, "{seen}");
    assert_eq!(silent[0]["counts_as"], "not_returned");
    assert_eq!(silent[0]["rater_name"], "陈思远");
    assert_eq!(silent[0]["reply_id"], case.replies[&0]);
    let actions = case
        .as_(&people[1])
        .get(&format!("{}/actions", case.path()))
        .send()
        .await;
    assert_eq!(
        pick(&actions.json["items"], "action", &json!("give_feedback"))[0]["allowed"],
        true
    );
    let late = case.rate(&people[1], 0).await;
    assert_eq!(late.json["status"], "feedback");
    let own = pick(&late.json["feedback"], "rater_name", &json!("陈思远"));
    assert_eq!(own[0]["late"], true);
    assert_eq!(pick(&late.json["feedback"], "late", &json!(false)).len(), 1);
    assert!(
        late.json["not_returned"]
            .as_array()
            .expect("a list")
            .is_empty()
    );
    case.refused(
        &people[1],
        &case.path(),
        "give-feedback",
        case.grades(0),
        &["not_yet_rated"],
    )
    .await;
    let names = case.events_seen_by(&people[0]).await;
    let concluded = names.iter().position(|name| name == "feedback.concluded");
    let given = names.iter().rposition(|name| name == "feedback.given");
    assert!(concluded < given, "{names:?}");
    case.close().await;
    case.fails(
        &people[1],
        &case.path(),
        "correct-feedback",
        case.grades(0),
        (409, "state-conflict"),
    )
    .await;
    case.witness(&["PT21", "PT22", "PT23", "PT25"]).await;
}

#[actix_web::test]
async fn nobody_rates_after_closing_or_in_the_next_round() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let case = answered_for_two(&app, &town).await;
    case.days_pass(30);
    case.close().await;
    case.fails(
        &people[0],
        &case.path(),
        "give-feedback",
        case.grades(0),
        (409, "state-conflict"),
    )
    .await;
    let mut case = answered_for_two(&app, &town).await;
    case.dislike(&people[0], 0).await;
    case.days_pass(30);
    case.rehandle(json!({ "cause": "dissatisfied" })).await;
    case.fails(
        &people[1],
        &case.path(),
        "give-feedback",
        case.grades(0),
        (409, "state-conflict"),
    )
    .await;
    case.witness(&["PT23", "PT24"]).await;
}

#[actix_web::test]
async fn a_dissatisfied_form_says_why_and_a_rater_rates_once() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let case = answered_for_two(&app, &town).await;
    let path = case.path();
    let mut silent = case.complaint(0);
    silent.as_object_mut().expect("a form").remove("comment");
    case.fails(
        &people[0],
        &path,
        "give-feedback",
        silent,
        (422, "invalid-input"),
    )
    .await
    .blames(&["/comment"]);
    let mut off_scale = case.grades(0);
    off_scale["attitude"] = json!("understanding");
    case.fails(
        &people[0],
        &path,
        "give-feedback",
        off_scale,
        (422, "invalid-input"),
    )
    .await
    .blames(&["/attitude"]);
    let mut unknown = case.grades(0);
    unknown["reply_id"] = json!("repl_01994d4d000070008000000000000000");
    let refused = case.tries(&people[0], "give-feedback", unknown).await;
    assert_eq!(refused.status, 422, "{refused}");
    let mut paper = case.grades(0);
    paper["paper_reference"] = json!("纸质 1 号");
    case.fails(
        &people[0],
        &path,
        "give-feedback",
        paper,
        (422, "invalid-input"),
    )
    .await
    .blames(&["/rater_id"]);
    // Units and members who did not sign have no form to give (I20).
    for stranger in [
        &town.unit_clerks[0],
        &town.signatories[0],
        &town.officer,
        &people[2],
    ] {
        case.fails(
            stranger,
            &path,
            "give-feedback",
            case.grades(0),
            (403, "forbidden"),
        )
        .await;
    }
    case.dislike(&people[0], 0).await;
    case.refused(
        &people[0],
        &path,
        "give-feedback",
        case.grades(0),
        &["not_yet_rated"],
    )
    .await;
    case.witness(&["PT22"]).await;
}

#[actix_web::test]
async fn staff_enter_paper_forms_and_the_rater_sees_who_and_from_what() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let case = answered_for_two(&app, &town).await;
    let path = case.path();
    let second = case.rater(1).await;
    let form = |rater: Option<&str>, paper: Option<&str>| {
        let mut form = case.complaint(0);
        if let Some(rater) = rater {
            form["rater_id"] = json!(rater);
        }
        if let Some(paper) = paper {
            form["paper_reference"] = json!(paper);
        }
        form
    };
    for (body, blamed) in [
        (form(None, Some("纸质 7 号")), "/rater_id"),
        (form(Some(&second), None), "/paper_reference"),
    ] {
        case.fails(
            &town.staff,
            &path,
            "give-feedback",
            body,
            (422, "invalid-input"),
        )
        .await
        .blames(&[blamed]);
    }
    let entered = case
        .does(
            &town.staff,
            "give-feedback",
            form(Some(&second), Some("纸质 7 号")),
        )
        .await;
    assert_eq!(entered.json["status"], "handled");
    // The rater sees the form, who entered it and where the paper is; before the conclusion.
    let records = case.records(&people[1]).await;
    let own = &records["feedback"][0];
    assert_eq!(own["rater_id"], second.as_str());
    assert_eq!(own["by_staff"], true);
    assert_eq!(own["entered_by"], "提案委办公室·staff");
    assert_eq!(own["paper_reference"], "纸质 7 号");
    let timeline = case.timeline(&people[1]).await;
    let given = timeline
        .iter()
        .find(|item| item["name"] == "feedback.given")
        .expect("the event");
    assert_eq!(given["actor"], "提案委办公室·staff");
    assert_eq!(given["on_behalf_of"], "陈思远");
    assert_eq!(given["actor_role"], "committee_staff");
    // The other signer does not see it yet.
    assert!(
        case.records(&people[0]).await["feedback"]
            .as_array()
            .expect("forms")
            .is_empty()
    );
    let again = form(Some(&second), Some("纸质 8 号"));
    let twice = case
        .tries(&town.staff, "give-feedback", again.clone())
        .await
        .status(409);
    assert_eq!(twice.json["unmet"][0]["guard"], "not_yet_rated");
    // PT22b from paper.
    case.does(&town.staff, "correct-feedback", again).await;
    let records = case.records(&people[1]).await;
    let papers: Vec<_> = records["feedback"]
        .as_array()
        .expect("forms")
        .iter()
        .map(|form| (form["version"].as_i64(), form["paper_reference"].as_str()))
        .collect();
    assert_eq!(
        papers,
        [(Some(2), Some("纸质 8 号")), (Some(1), Some("纸质 7 号"))]
    );
    // A form entered from paper after the window stands for its rater too.
    case.days_pass(22);
    let mut late = form(Some(&case.rater(0).await), Some("纸质 9 号"));
    late["result"] = json!("satisfied");
    let late = case.does(&town.staff, "give-feedback", late).await;
    assert_eq!(pick(&late.json["feedback"], "late", &json!(true)).len(), 1);
    let timeline = case.timeline(&people[1]).await;
    let given = timeline
        .iter()
        .rfind(|item| item["name"] == "feedback.given")
        .expect("the event");
    assert_eq!(given["on_behalf_of"], "林若舟");
    case.witness(&["PT22", "PT22b", "PT23"]).await;
}

#[actix_web::test]
async fn a_correction_is_a_new_version_and_the_earlier_one_stays() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let case = answered_for_two(&app, &town).await;
    let path = case.path();
    case.refused(
        &people[0],
        &path,
        "correct-feedback",
        case.grades(0),
        &["has_rated"],
    )
    .await;
    case.dislike(&people[0], 0).await;
    case.refused(
        &people[1],
        &path,
        "correct-feedback",
        case.grades(0),
        &["has_rated"],
    )
    .await;
    case.fails(
        &town.unit_clerks[0],
        &path,
        "correct-feedback",
        case.grades(0),
        (403, "forbidden"),
    )
    .await;
    let corrected = case
        .does(&people[0], "correct-feedback", case.grades(0))
        .await;
    let own = &corrected.json["feedback"][0];
    assert_eq!(
        (own["version"].as_i64(), &own["result"]),
        (Some(2), &json!("satisfied"))
    );
    assert_eq!(own["late"], false);
    // I13: version 1 stays on record, word for word.
    let records = case.records(&people[0]).await;
    let versions: Vec<_> = records["feedback"]
        .as_array()
        .expect("forms")
        .iter()
        .map(|form| (form["version"].as_i64(), form["result"].as_str()))
        .collect();
    assert_eq!(
        versions,
        [
            (Some(2), Some("satisfied")),
            (Some(1), Some("dissatisfied"))
        ]
    );
    assert_eq!(records["feedback"][1]["comment"], "第二条建议没有回应。");
    let concluded = case.rate(&people[1], 0).await;
    assert_eq!(concluded.json["status"], "feedback");
    // After the conclusion a correction is late; it may ask for another round.
    let later = case
        .does(&people[0], "correct-feedback", case.complaint(0))
        .await;
    let own = pick(
        &later.json["feedback"],
        "rater_id",
        &json!(case.rater(0).await),
    );
    assert_eq!(
        (own[0]["version"].as_i64(), &own[0]["late"]),
        (Some(3), &json!(true))
    );
    let unit = case.records(&town.unit_clerks[0]).await;
    assert_eq!(unit["feedback"].as_array().expect("forms").len(), 4);
    case.witness(&["PT22", "PT22b", "PT23"]).await;
}

#[actix_web::test]
async fn an_excused_rater_leaves_the_denominator() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let case = answered_for_two(&app, &town).await;
    let path = case.path();
    let (first, second) = (case.rater(0).await, case.rater(1).await);
    let excuse = |rater: &str, reason: &str| json!({ "rater_id": rater, "reason": reason });
    case.fails(
        &town.staff,
        &path,
        "excuse-rater",
        excuse(&second, " "),
        (422, "invalid-input"),
    )
    .await
    .blames(&["/reason"]);
    case.fails(
        &town.chair,
        &path,
        "excuse-rater",
        excuse(&second, "已离任。"),
        (403, "forbidden"),
    )
    .await;
    case.rate(&people[0], 0).await;
    case.fails(
        &town.staff,
        &path,
        "excuse-rater",
        excuse(&first, "已离任。"),
        (422, "invalid-input"),
    )
    .await
    .blames(&["/rater_id"]);
    let excused = case
        .does(&town.staff, "excuse-rater", excuse(&second, "已离任。"))
        .await;
    assert_eq!(excused.json["status"], "feedback");
    assert!(
        excused.json["not_returned"]
            .as_array()
            .expect("a list")
            .is_empty()
    );
    assert!(case.desk(&people[1]).await.is_empty());
    // Why somebody left is for proposers and committee.
    let kinds = |records: &Value| pick(&records["decisions"], "kind", &json!("excuse_rater")).len();
    assert_eq!(kinds(&case.records(&people[0]).await), 1);
    assert_eq!(kinds(&case.records(&town.unit_clerks[0]).await), 0);
    case.close().await;
    case.witness(&["PT22c", "PT23", "PT25"]).await;
}

/// Everything about a case that an account can read, as one text.
async fn everything_read_by(case: &Story<'_>, who: &Person) -> String {
    everything_read_with(case, &case.as_(who)).await
}

async fn everything_read_with(case: &Story<'_>, client: &Client) -> String {
    let mut addresses = vec![
        case.path(),
        format!("{}/records", case.path()),
        format!("{}/timeline?limit=100", case.path()),
        format!("{}/actions", case.path()),
        format!("{}/rounds", case.path()),
        "/api/v1/proposals?limit=100".to_owned(),
        "/api/v1/desk?limit=100".to_owned(),
    ];
    for row in case.rows.values() {
        addresses.push(format!("/api/v1/assignments/{row}"));
        addresses.push(format!("/api/v1/assignments/{row}/actions"));
    }
    for reply in case.replies.values() {
        addresses.push(format!("/api/v1/replies/{reply}"));
        addresses.push(format!("/api/v1/replies/{reply}/actions"));
    }
    let mut all = String::new();
    for address in addresses {
        let answer = client.get(&address).send().await;
        all.push_str(&String::from_utf8_lossy(&answer.body));
    }
    all
}

#[actix_web::test]
async fn no_handling_account_reads_a_form_before_its_round_is_concluded() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    // I21 binds the account, whatever other roles it holds.
    let both = app
        .person(
            (town.committee, &town.code),
            "both",
            &[
                Grant::unit(Role::UnitClerk, town.units[0]),
                Grant::of(Role::CommitteeStaff),
                Grant::of(Role::SupervisionOfficer),
            ],
        )
        .await;
    let mut case = answered_for_two(&app, &town).await;
    let mut first = case.complaint(0);
    first["comment"] = json!("第一轮意见");
    case.does(&people[0], "give-feedback", first.clone()).await;
    first["comment"] = json!("第一轮更正");
    case.does(&people[0], "correct-feedback", first).await;
    let handling: Vec<&Person> = vec![
        &town.unit_clerks[0],
        &town.signatories[0],
        &town.officer,
        &town.leader,
        &people[2],
    ];
    let text = everything_read_with(&case, &both.client).await;
    for word in ["第一轮", "\"feedback.given\"", "\"feedback.corrected\""] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    for who in &handling {
        let text = everything_read_by(&case, who).await;
        assert!(text.contains(&case.id), "{} sees the case", who.username);
        for word in [
            "第一轮",
            "\"feedback.given\"",
            "\"feedback.corrected\"",
            "\"dissatisfied\"",
        ] {
            assert!(
                !text.contains(word),
                "{} reads {word}: {text}",
                who.username
            );
        }
    }
    // The committee and the rater do.
    for who in [
        &town.staff,
        &town.chair,
        &town.supervision,
        &town.auditor,
        &people[0],
    ] {
        let text = everything_read_by(&case, who).await;
        assert!(text.contains("第一轮更正"), "{}", who.username);
    }
    case.rate(&people[1], 0).await;
    for who in &handling {
        let text = everything_read_by(&case, who).await;
        assert!(
            text.contains("第一轮更正"),
            "{} after the conclusion",
            who.username
        );
        assert!(text.contains("\"feedback.given\""), "{}", who.username);
    }
    // In the next round the forms of the first stay open to read, those of the second do not yet.
    case.rehandle(json!({ "cause": "dissatisfied" })).await;
    let text = everything_read_by(&case, &town.unit_clerks[0]).await;
    assert!(text.contains("第一轮更正") && text.contains("\"feedback.given\""));
    app.clock.advance(jiff::SignedDuration::from_secs(1));
    case.answer_again(0).await;
    let mut second = case.complaint(0);
    second["comment"] = json!("第二轮意见");
    app.clock.advance(jiff::SignedDuration::from_secs(1));
    case.does(&people[0], "give-feedback", second).await;
    for who in &handling {
        let text = everything_read_by(&case, who).await;
        assert!(text.contains("第一轮更正"), "{}", who.username);
        assert!(
            !text.contains("第二轮"),
            "{} reads it: {text}",
            who.username
        );
        let given = text.matches("\"feedback.given\"").count();
        assert_eq!(given, 2, "{}: those of the first round", who.username);
    }
    case.rate(&people[1], 0).await;
    assert!(
        everything_read_by(&case, &town.unit_clerks[0])
            .await
            .contains("第二轮")
    );
    case.witness(&["PT22", "PT22b", "PT23", "PT24"]).await;
}

#[actix_web::test]
async fn the_proposer_objects_to_a_contact_record_and_the_reviewers_see_both() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let mut case = Story::draft(&app, &town, &people[0]).await;
    case.sole().await;
    case.accept(0).await;
    let row = case.row(0);
    let none =
        json!({ "contact_id": "cont_01994d4d000070008000000000000000", "reason": "并未联系。" });
    case.refused(
        &people[0],
        &row,
        "object-contact",
        none,
        &["contact_on_record"],
    )
    .await;
    case.contact(0).await;
    let records = case.records(&people[0]).await;
    assert_eq!(records["contacts"][0]["said"], contact()["said"]);
    let id = records["contacts"][0]["id"].clone();
    let objection = json!({ "contact_id": id, "reason": "未当面沟通，仅发过短信。" });
    case.fails(
        &people[1],
        &row,
        "object-contact",
        objection.clone(),
        (403, "forbidden"),
    )
    .await;
    case.tries_on(&people[0], &row, "object-contact", objection.clone())
        .await
        .status(200);
    case.fails(
        &people[0],
        &row,
        "object-contact",
        objection,
        (422, "invalid-input"),
    )
    .await
    .blames(&["/contact_id"]);
    for who in [
        &people[0],
        &town.supervision,
        &town.officer,
        &town.unit_clerks[0],
        &town.staff,
    ] {
        let records = case.records(who).await;
        assert_eq!(
            records["contacts"][0]["objection"], "未当面沟通，仅发过短信。",
            "{}",
            who.username
        );
        assert_eq!(records["contacts"][0]["said"], contact()["said"], "I13");
    }
    assert!(
        case.records(&people[1]).await["contacts"]
            .as_array()
            .expect("a list")
            .is_empty()
    );
    case.witness(&["AT09", "AT09b"]).await;
}
