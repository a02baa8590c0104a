//! The yearly programme of key proposals: OT10–OT12 inside its quotas (domain 9.6), what a key case
//! asks of the reply and of the closing, and I37.

use actix_web::rt::spawn;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::rounds::consultation;
use crate::support::seed::{Person, Town};
use crate::support::sides::{organisation, policy};
use crate::support::steps::act;
use crate::support::story::{Story, form};
use crate::support::units::Why;

fn reason() -> Value {
    json!({ "reason": "事关民生，社会关注度高。" })
}

fn place(tier: &str, year: i32) -> Value {
    json!({
        "tier": tier, "year": year,
        "meeting": { "name": "第十二次主席会议", "date": "2026-03-20" },
        "lead_supervisor": "市政协副主席韩静宜", "mode": "leader_supervision",
    })
}

async fn filed<'a>(app: &'a TestApp, town: &'a Town) -> Story<'a> {
    let case = Story::draft(app, town, &town.members[0]).await;
    case.until_filed().await;
    case
}

/// How many cases a list has.
async fn listed(app: &TestApp, town: &Town, query: &str) -> usize {
    let path = format!("/api/v1/proposals?limit=100&{query}");
    let page = app.signed_in(town, &town.staff).get(&path).send().await;
    let page = page.status(200);
    page.json["items"].as_array().expect("items").len()
}

#[actix_web::test]
async fn staff_units_leaders_and_the_own_organisation_nominate_and_the_chair_decides() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let chair = &town.chair;
    let mut text = form();
    text["contact_person"] = json!("周明远");
    text["contact_phone"] = json!("0599-5550123");
    text["seal_evidence"] = json!("盖章原件 2026-集-017");
    let body = json!({ "kind": "party", "form": text });
    let mut case = Story::draft_of(&app, &town, &town.clerk, body).await;
    let path = case.path();
    case.submit().await;
    case.is_out_of_place(&town.staff, "nominate-key", reason())
        .await;
    case.examine_all().await;
    case.file().await;
    case.assign("sole", &[0]).await;
    let (_, other) = organisation(&app, &town, "民盟云川市委会", "party").await;
    let refused = act(&other, &path, "nominate-key", reason()).await;
    refused.status(403).code("forbidden");
    let not_these = [&town.members[1], &town.officer, chair, &town.auditor];
    for who in not_these {
        case.refuses_on(who, &path, "nominate-key", reason(), Why::Right)
            .await;
    }
    let outsider = case.tries(&town.unit_clerks[1], "nominate-key", reason());
    outsider.await.status(404);
    let blank = json!({ "reason": " " });
    let why = Why::Field("/reason", "required");
    case.refuses_on(&town.staff, &path, "nominate-key", blank, why)
        .await;
    let nothing = || Why::Guard("in_programme");
    case.refuses_on(chair, &path, "release-key", reason(), nothing())
        .await;
    let these: [&Person; 5] = [
        &town.staff,
        &town.clerk,
        &town.supervision,
        &town.leader,
        &town.unit_clerks[0],
    ];
    for who in these {
        case.does(who, "nominate-key", reason()).await;
        let open = Why::Guard("no_open_nomination");
        case.refuses_on(&town.staff, &path, "nominate-key", reason(), open)
            .await;
        let desk = case.desk(chair).await;
        assert!(desk.contains(&"decide_key".to_owned()), "{desk:?}");
        for action in ["designate-key", "release-key"] {
            let body = match action {
                "release-key" => reason(),
                _ => place("key", 2026),
            };
            case.refuses_on(who, &path, action, body, Why::Right).await;
        }
        case.does(chair, "release-key", reason()).await;
        let desk = case.desk(chair).await;
        assert!(!desk.contains(&"decide_key".to_owned()), "{desk:?}");
    }
    // A nomination outlives the handling: an answered case is taken too, and (g) asks for it.
    case.does(&town.staff, "nominate-key", reason()).await;
    case.answer(0).await;
    let mut grades = case.grades(0);
    grades["leader_answered"] = json!(true);
    case.does(&town.clerk, "give-feedback", grades).await;
    let closing = json!({ "publish_text": "full", "publish_replies": "full" });
    let open = Why::Guard("nothing_open");
    case.refuses_on(&town.staff, &path, "close", closing, open)
        .await;
    let taken = case.does(chair, "designate-key", place("practical", 2026));
    let taken = taken.await;
    assert_eq!(taken.json["status"], "feedback", "I37");
    assert_eq!(taken.json["marks"]["programme_tier"], "practical");
    assert_eq!(taken.json["marks"]["programme_year"], 2026);
    case.close().await;
    let late = Why::Guard("key_open");
    case.refuses_on(&town.staff, &path, "nominate-key", reason(), late)
        .await;
    let late = Why::Guard("key_open");
    case.refuses_on(chair, &path, "designate-key", place("key", 2026), late)
        .await;
    let released = case.does(chair, "release-key", reason()).await;
    assert_eq!(released.json["status"], "closed", "I37");
    assert_eq!(released.json["marks"].get("programme_tier"), None);
    case.is_whole().await;
    case.witness(&["OT10", "OT11", "OT12"]).await;
}

#[actix_web::test]
async fn a_place_is_given_inside_the_quota_of_its_tier_and_year() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let chair = &town.chair;
    let quota = json!({ "key.quota_by_tier": { "no_1": 1 } });
    policy(&app, &town, quota).await;
    let (one, two) = (filed(&app, &town).await, filed(&app, &town).await);
    for who in [&town.staff, &town.leader, &town.officer] {
        let body = place("no_1", 2026);
        one.refuses_on(who, &one.path(), "designate-key", body, Why::Right)
            .await;
    }
    one.does(chair, "designate-key", place("no_1", 2026)).await;
    let same = Why::Field("/tier", "unchanged");
    one.refuses_on(
        chair,
        &one.path(),
        "designate-key",
        place("no_1", 2026),
        same,
    )
    .await;
    let full = || Why::Guard("inside_quota");
    let path = two.path();
    two.refuses_on(chair, &path, "designate-key", place("no_1", 2026), full())
        .await;
    // Another year and a tier without a quota have room; a change of tier gives the place up.
    two.does(chair, "designate-key", place("no_1", 2027)).await;
    two.does(chair, "designate-key", place("key", 2026)).await;
    assert_eq!(listed(&app, &town, "tier=no_1").await, 1);
    assert_eq!(listed(&app, &town, "programme_year=2026").await, 2);
    let query = "programme_year=2026&tier=key&count=true";
    assert_eq!(listed(&app, &town, query).await, 1);
    assert_eq!(listed(&app, &town, "programme_year=2027").await, 0);
    one.does(chair, "designate-key", place("other", 2026)).await;
    two.does(chair, "designate-key", place("no_1", 2026)).await;
    one.refuses_on(
        chair,
        &one.path(),
        "designate-key",
        place("no_1", 2026),
        full(),
    )
    .await;
    // Released or withdrawn makes room.
    two.does(chair, "release-key", reason()).await;
    one.does(chair, "designate-key", place("no_1", 2026)).await;
    one.does(&town.members[0], "withdraw", reason()).await;
    one.does(&town.staff, "nominate-key", reason()).await;
    one.does(chair, "approve-withdrawal", json!({})).await;
    let desk = one.desk(chair).await;
    assert!(!desk.contains(&"decide_key".to_owned()), "{desk:?}");
    two.does(chair, "designate-key", place("no_1", 2026)).await;
    // Trying it out holds nothing back.
    let three = filed(&app, &town).await;
    three.does(&town.staff, "nominate-key", reason()).await;
    three.does(chair, "release-key", reason()).await;
    assert_eq!(three.status().await, "filed", "I37");
    three.is_whole().await;
    two.witness(&["OT11", "OT12"]).await;
}

#[actix_web::test]
async fn of_two_that_want_the_last_place_one_gets_it() {
    let app = TestApp::start_with(|config| config.database.threads.write = 8).await;
    let town = app.town().await;
    let quota = json!({ "key.quota_by_tier": { "no_1": 1 } });
    policy(&app, &town, quota).await;
    let (one, two) = (filed(&app, &town).await, filed(&app, &town).await);
    for year in 2026..2046 {
        let takes = |case: &Story<'_>| {
            case.as_(&town.chair)
                .post(&format!("{}/actions/designate-key", case.path()))
                .header("If-Match", "*")
                .json(place("no_1", year))
        };
        let (first, second) = if year % 2 == 0 {
            (takes(&one), takes(&two))
        } else {
            (takes(&two), takes(&one))
        };
        let (first, second) = (spawn(first.send()), spawn(second.send()));
        let replies = [
            first.await.expect("an answer"),
            second.await.expect("an answer"),
        ];
        let mut statuses = replies.each_ref().map(|reply| reply.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{}\n{}", replies[0], replies[1]);
        let lost = replies.iter().find(|reply| reply.status == 409);
        let lost = lost.expect("one is refused");
        assert_eq!(lost.json["unmet"][0]["guard"], "inside_quota", "{lost}");
        let query = format!("programme_year={year}&tier=no_1");
        assert_eq!(listed(&app, &town, &query).await, 1);
    }
    one.is_whole().await;
}

#[actix_web::test]
async fn a_key_case_has_its_own_date_the_heads_signature_and_a_consultation() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let settings = json!({ "reply.key_fixed_date": "2026-05-31" });
    policy(&app, &town, settings).await;
    let mut case = filed(&app, &town).await;
    case.does(&town.chair, "designate-key", place("key", 2026))
        .await;
    case.assign("sole", &[0]).await;
    // A fixed date does not roll: 31 May is a Sunday.
    assert_eq!(case.due_on(0, "K10").await, "2026-05-31");
    case.accept(0).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    let (head, reply) = (&town.signatories[0], case.reply(0));
    let deputy = json!({ "signatory": "林涛" });
    let why = Why::Field("/by_head", "required");
    case.refuses_on(head, &reply, "sign", deputy, why).await;
    let signed = json!({ "signatory": "林涛", "by_head": true });
    case.on_reply(head, 0, "sign", signed).await;
    case.approve(0).await;
    case.deliver(0).await;
    case.rate(&town.members[0], 0).await;
    let closing = json!({ "publish_text": "full", "publish_replies": "full" });
    let (path, gate) = (case.path(), Why::Guard("consultation_recorded"));
    case.refuses_on(&town.staff, &path, "close", closing, gate)
        .await;
    let held = consultation("proposal_handling", "2026-03-02");
    case.does(&town.staff, "record-consultation", held).await;
    case.close().await;
    // An ordinary one needs neither.
    let mut plain = filed(&app, &town).await;
    plain.assign("sole", &[0]).await;
    assert_eq!(plain.due_on(0, "K10").await, "2026-06-02");
    plain.answer(0).await;
    plain.rate(&town.members[0], 0).await;
    plain.close().await;
}

/// Designated after the assignment, a case gets the fixed day of key proposals, unless that is past;
/// released, it gets the ordinary one back.
#[actix_web::test]
async fn a_late_designation_counts_the_reply_anew() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let settings = json!({
        "reply.fixed_date": "2026-06-30", "reply.key_fixed_date": "2026-05-31",
    });
    policy(&app, &town, settings).await;
    let mut case = filed(&app, &town).await;
    case.assign("sole", &[0]).await;
    assert_eq!(case.due_on(0, "K10").await, "2026-06-30");
    case.does(&town.chair, "designate-key", place("key", 2026))
        .await;
    assert_eq!(case.due_on(0, "K10").await, "2026-05-31");
    let no = json!({ "reason": "主席会议调整年度重点。" });
    case.does(&town.chair, "release-key", no.clone()).await;
    assert_eq!(case.due_on(0, "K10").await, "2026-06-30");
    // No unit is late by a decision.
    app.clock
        .set("2026-06-01T01:00:00Z".parse().expect("a moment"));
    case.does(&town.chair, "designate-key", place("key", 2026))
        .await;
    assert_eq!(case.due_on(0, "K10").await, "2026-06-30");
    case.witness(&["OT11", "OT12"]).await;
}
