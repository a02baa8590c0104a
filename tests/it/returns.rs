//! Returns of a case by a unit: AT04–AT08 with I4, I7, I8, I9; PT20 and AT05 replace the unit.

use serde_json::json;

use crate::support::TestApp;
use crate::support::seed::Town;
use crate::support::story::{Story, contact, reply_form};
use crate::support::units::{Why, at, days};

async fn assigned<'a>(app: &'a TestApp, town: &'a Town, kind: &str, units: &[usize]) -> Story<'a> {
    let mut case = Story::draft(app, town, &town.members[0]).await;
    case.until_filed().await;
    case.assign(kind, units).await;
    case
}

#[actix_web::test]
async fn a_unit_that_asks_to_return_stays_bound_and_its_clock_runs_until_it_is_rejected() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = assigned(&app, &town, "joint", &[0, 1]).await;
    let (clerk, officer) = (&town.unit_clerks[0], &town.officer);
    case.accept(0).await;
    case.draft_reply(0).await;
    let due = case.due(0, "K10").await;
    assert_eq!(case.due_on(0, "K05").await, "2026-03-09");

    let mut request = case.return_request(1);
    request["reason"] = json!("不归我们管");
    case.row_refuses(
        clerk,
        0,
        "request-return",
        request,
        Why::Field("/reason", "min_length"),
    )
    .await;
    let mut request = case.return_request(1);
    request
        .as_object_mut()
        .expect("an object")
        .remove("suggested_unit_id");
    let why = Why::Field("/suggested_unit_id", "required");
    case.row_refuses(clerk, 0, "request-return", request, why)
        .await;
    let own = case.return_request(0);
    let why = Why::Field("/suggested_unit_id", "duplicate");
    case.row_refuses(clerk, 0, "request-return", own, why).await;
    let wished = case.return_request(1);
    case.row_refuses(officer, 0, "request-return", wished, Why::Right)
        .await;

    days(&app, 1);
    let row = case.request_return(0, 2).await;
    assert_eq!(row.text("/status"), "return_requested");
    assert_eq!(case.due(0, "K10").await, due, "I8");
    assert!(case.clock(0, "K05").await.is_none());
    assert_eq!(case.due_on(0, "K06").await, "2026-03-10");
    assert_eq!(case.status().await, "assigned");

    // I8: the work on the reply rests, contact included; nothing of the row moves.
    case.row_refuses(clerk, 0, "record-contact", contact(), Why::State)
        .await;
    case.row_refuses(
        clerk,
        0,
        "request-return",
        case.return_request(1),
        Why::State,
    )
    .await;
    let reply = case.reply(0);
    let by = json!({ "signatory": "林涛" });
    case.refuses_on(
        &town.signatories[0],
        &reply,
        "sign",
        by,
        Why::Guard("row_accepted"),
    )
    .await;
    let ask = Why::Guard("row_accepted");
    case.refuses_on(clerk, &reply, "request-countersign", json!({}), ask)
        .await;
    let edit = case.as_(clerk);
    let version = edit.get(&reply).send().await.version();
    let edited = edit
        .patch(&reply)
        .if_match(version)
        .json(json!({ "digest": "改。" }))
        .send()
        .await;
    assert_eq!(
        edited.code("guard-unmet").json["unmet"][0]["guard"],
        "row_accepted"
    );
    assert!(
        case.desk(officer)
            .await
            .contains(&"decide_return".to_owned())
    );

    let why = Why::Field("/reason", "min_length");
    case.row_refuses(officer, 0, "reject-return", json!({ "reason": "" }), why)
        .await;
    let no = json!({ "reason": "所提事项属该单位法定职责。" });
    case.row_refuses(
        &town.party_officer,
        0,
        "reject-return",
        no.clone(),
        Why::Right,
    )
    .await;
    let row = case.decides(0, "reject-return", no.clone()).await;
    assert_eq!(
        (row.text("/status"), &row.json["returnable"]),
        ("accepted".into(), &json!(false))
    );
    assert!(case.clock(0, "K06").await.is_none());
    assert_eq!(case.due(0, "K10").await, due);
    // I9: bound for good, though the window would still be open.
    let again = case.return_request(1);
    case.row_refuses(
        clerk,
        0,
        "request-return",
        again,
        Why::Guard("row_returnable"),
    )
    .await;
    case.row_refuses(officer, 0, "reject-return", no, Why::State)
        .await;
    assert!(
        !case
            .desk(officer)
            .await
            .contains(&"decide_return".to_owned())
    );
    case.contact(0).await;
    case.witness(&["AT04", "AT06", "AT09"]).await;
}

#[actix_web::test]
async fn a_granted_return_names_who_follows_in_the_same_act() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = assigned(&app, &town, "sole", &[0]).await;
    let officer = &town.officer;
    case.accept(0).await;
    case.contact(0).await;
    case.draft_reply_of(0, reply_form()).await;
    days(&app, 2);
    case.request_return(0, 1).await;
    let grant = |rows: serde_json::Value| json!({ "replacement": rows });
    let lead = |unit| case.unit_row(unit, "lead");
    let refused = [
        (grant(json!([])), "/replacement", "unbound"),
        (
            grant(json!([lead(1), lead(2)])),
            "/replacement",
            "handling_kind",
        ),
        (
            grant(json!([case.unit_row(1, "co_handler")])),
            "/replacement",
            "unbound",
        ),
        (
            grant(json!([lead(0)])),
            "/replacement/0/unit_id",
            "same_unit",
        ),
        (
            grant(json!([lead(1), lead(1)])),
            "/replacement/1/unit_id",
            "duplicate",
        ),
    ];
    for (body, pointer, code) in refused {
        case.row_refuses(officer, 0, "grant-return", body, Why::Field(pointer, code))
            .await;
    }
    let clerk = &town.unit_clerks[0];
    case.row_refuses(
        clerk,
        0,
        "grant-return",
        grant(json!([lead(1)])),
        Why::Right,
    )
    .await;

    // The handling kind may change, and who gave it back may help.
    let body = json!({
        "handling_kind": "joint", "note": "同意改办。",
        "replacement": [lead(1), case.unit_row(0, "co_handler")],
    });
    let old = case.row(0);
    let returned = case.decides(0, "grant-return", body).await;
    assert_eq!(returned.text("/status"), "returned");
    assert_eq!(
        returned.json["clocks"],
        json!([]),
        "K06 and the clocks of the row stop"
    );
    case.read_rows().await;
    assert_ne!(case.row(0), old);
    let seen = case.seen_by(&town.auditor).await;
    assert_eq!(seen.text("/handling_kind"), "joint");
    assert_eq!(seen.json["handling"].as_array().map(Vec::len), Some(3));
    assert_eq!(seen.text("/replies/0/status"), "superseded");
    assert_eq!(case.row_now(1).await.text("/status"), "pending");
    // Fresh clocks from the day of the decision, 4 March.
    assert_eq!(case.due_on(1, "K05").await, "2026-03-11");
    assert_eq!(case.due_on(1, "K10").await, "2026-06-04");
    assert_eq!(case.due_on(0, "K08").await, "2026-04-07");
    let told = case.events_seen_by(&case.proposer).await;
    assert!(told.contains(&"return.granted".to_owned()), "{told:?}");
    case.witness(&["AT04", "AT05", "RT11"]).await;
}

#[actix_web::test]
async fn after_too_many_bounces_the_next_unit_is_bound_for_good() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = assigned(&app, &town, "sole", &[0]).await;
    for (from, to) in [(0, 1), (1, 2)] {
        case.request_return(from, to).await;
        let body = json!({ "replacement": [case.unit_row(to, "lead")] });
        case.decides(from, "grant-return", body).await;
        case.read_rows().await;
        let returnable = case.row_now(to).await.json["returnable"].clone();
        assert_eq!(returnable, json!(to == 1), "final arbitration after two");
    }
    let wished = case.return_request(0);
    let clerk = &town.unit_clerks[2];
    case.row_refuses(
        clerk,
        2,
        "request-return",
        wished,
        Why::Guard("row_returnable"),
    )
    .await;
    assert_eq!(case.times("AT05").await, 2);
    case.accept(2).await;
    case.witness(&["AT02", "AT05"]).await;
}

#[actix_web::test]
async fn a_dispute_is_escalated_once_with_the_statement_of_the_unit_head() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = assigned(&app, &town, "joint", &[0, 1]).await;
    let statement = json!({
        "statement": "两单位对职责划分有争议，情况说明如下。", "unit_head": "林涛",
        "meeting": { "name": "交办协调会", "date": "2026-03-02" },
    });
    let officer = &town.officer;
    case.row_refuses(officer, 1, "escalate-return", statement.clone(), Why::State)
        .await;
    // A co-handler may return too; without it a joint case is none.
    case.request_return(1, 2).await;
    let row = case.decides(1, "escalate-return", statement.clone()).await;
    assert_eq!(row.text("/status"), "return_requested");
    case.row_refuses(
        officer,
        1,
        "escalate-return",
        statement,
        Why::Guard("not_escalated"),
    )
    .await;
    let alone = json!({ "replacement": [] });
    let why = Why::Field("/replacement", "handling_kind");
    case.row_refuses(officer, 1, "grant-return", alone, why)
        .await;
    let sole = json!({ "replacement": [], "handling_kind": "sole" });
    case.decides(1, "grant-return", sole).await;
    assert_eq!(case.seen_by(officer).await.text("/handling_kind"), "sole");
    case.witness(&["AT05", "AT07"]).await;
}

#[actix_web::test]
async fn when_the_window_has_lapsed_the_row_is_accepted_before_anybody_acts() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = assigned(&app, &town, "joint", &[0, 1]).await;
    case.accept(1).await;
    // The last moment of the fifth working day still counts.
    at(&app, "2026-03-09T16:00:00Z");
    assert_eq!(case.row_now(0).await.text("/status"), "pending");
    at(&app, "2026-03-09T16:00:01Z");
    let row = case.row_now(0).await;
    assert_eq!(
        (row.text("/status"), &row.json["returnable"]),
        ("accepted".into(), &json!(false))
    );
    assert_eq!(case.times("AT08").await, 0, "seen, not written");
    let (clerk, other) = (&town.unit_clerks[0], &town.unit_clerks[1]);
    let signed = json!({ "clerk_name": "陈思源", "clerk_phone": "0599-5550145" });
    case.row_refuses(clerk, 0, "accept", signed, Why::State)
        .await;
    // Late: of the row that was deemed accepted, and of the one that was signed for.
    let late = Why::Guard("row_returnable");
    case.row_refuses(clerk, 0, "request-return", case.return_request(2), late)
        .await;
    let late = Why::Guard("return_window_open");
    case.row_refuses(other, 1, "request-return", case.return_request(2), late)
        .await;
    assert_eq!(case.times("AT08").await, 0);
    // Written with the next act, whoever does it, and once.
    case.give_opinion(1).await;
    assert_eq!(case.times("AT08").await, 1);
    case.contact(0).await;
    case.contact(0).await;
    assert_eq!(case.times("AT08").await, 1);
    assert!(case.clock(0, "K07").await.is_none());
    case.witness(&["AT08", "AT09", "AT10"]).await;
}
