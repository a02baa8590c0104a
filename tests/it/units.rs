//! Suggestions of units, changes of units, ends of rows, opinions that never came: AT03, `AT03b`,
//! `AT10b`, AT17, PT20 with I4, I5, I7, I15.

use serde_json::json;

use crate::support::TestApp;
use crate::support::seed::Town;
use crate::support::story::Story;
use crate::support::units::{Why, at, days};

async fn assigned<'a>(app: &'a TestApp, town: &'a Town, kind: &str, units: &[usize]) -> Story<'a> {
    let mut case = Story::draft(app, town, &town.members[0]).await;
    case.until_filed().await;
    case.assign(kind, units).await;
    case
}

#[actix_web::test]
async fn a_suggestion_of_units_is_answered_by_other_units_or_by_a_refusal() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = assigned(&app, &town, "sole", &[0]).await;
    let (clerk, officer) = (&town.unit_clerks[0], &town.officer);
    let suggest = |unit: usize| json!({ "units": [town.units[unit]], "reason": "涉及管网改造，建议增加会办单位。" });
    let why = Why::Field("/units/0", "duplicate");
    case.row_refuses(clerk, 0, "suggest-units", suggest(0), why)
        .await;
    case.row_refuses(officer, 0, "suggest-units", suggest(1), Why::Right)
        .await;
    let no = json!({ "reason": "现有单位可以办理。" });
    let none = Why::Guard("suggestion_open");
    case.row_refuses(officer, 0, "refuse-suggestion", no.clone(), none)
        .await;

    case.on_row(0, "suggest-units", suggest(1)).await;
    assert!(
        case.desk(officer)
            .await
            .contains(&"answer_suggestion".to_owned())
    );
    let twice = Why::Guard("no_open_suggestion");
    case.row_refuses(clerk, 0, "suggest-units", suggest(2), twice)
        .await;
    assert_eq!(
        case.row_now(0).await.text("/status"),
        "pending",
        "AT03 moves nothing"
    );
    case.decides(0, "refuse-suggestion", no).await;
    assert!(
        !case
            .desk(officer)
            .await
            .contains(&"answer_suggestion".to_owned())
    );

    case.on_row(0, "suggest-units", suggest(2)).await;
    // Another cause, or other units, leave the suggestion open.
    let other = json!({
        "cause": "correction", "reason": "更正。", "handling_kind": "joint",
        "add": [case.unit_row(1, "co_handler")],
    });
    case.does(officer, "adjust-units", other).await;
    assert!(
        case.desk(officer)
            .await
            .contains(&"answer_suggestion".to_owned())
    );
    let body = json!({
        "cause": "unit_suggestion", "reason": "采纳建议。",
        "add": [case.unit_row(2, "co_handler")],
    });
    let seen = case.does(officer, "adjust-units", body).await;
    assert_eq!(seen.json["handling"].as_array().map(Vec::len), Some(3));
    assert!(
        !case
            .desk(officer)
            .await
            .contains(&"answer_suggestion".to_owned())
    );
    case.read_rows().await;
    assert_eq!(case.due_on(2, "K05").await, "2026-03-09");
    case.witness(&["AT01", "AT03", "AT03b", "PT20"]).await;
}

#[actix_web::test]
async fn units_change_only_into_a_whole_and_a_delivered_row_stays() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = assigned(&app, &town, "separate", &[0, 1, 2]).await;
    let officer = &town.officer;
    case.answer(0).await;
    let path = case.path();
    let change = |body: serde_json::Value| {
        let mut body = body;
        body["cause"] = json!("dispute_decided");
        body["reason"] = json!("经协调决定。");
        body
    };
    let row = |unit: usize| case.rows[&unit].clone();
    let refused = [
        (json!({}), "/add", "required"),
        (json!({ "remove": [row(0)] }), "/remove/0", "not_open"),
        (
            json!({ "remove": [row(1), row(2)] }),
            "/add",
            "handling_kind",
        ),
        (json!({ "handling_kind": "sole" }), "/add", "handling_kind"),
        (
            json!({ "add": [case.unit_row(1, "separate")] }),
            "/add/0/unit_id",
            "duplicate",
        ),
        (
            json!({ "add": [{ "unit_id": town.units[3], "role": "separate" }] }),
            "/add/0/part",
            "required",
        ),
    ];
    for (body, pointer, code) in refused {
        let why = Why::Field(pointer, code);
        case.refuses_on(officer, &path, "adjust-units", change(body), why)
            .await;
    }
    let clerk = &town.unit_clerks[1];
    let body = change(json!({ "remove": [row(1)] }));
    case.refuses_on(clerk, &path, "adjust-units", body, Why::Right)
        .await;
    let void = json!({ "reason": "该单位职责已划出。" });
    case.row_refuses(officer, 0, "void", void.clone(), Why::State)
        .await;

    // One unit leaves for another; the delivered row is the same as before.
    let before = case.row_now(0).await.json["version"].clone();
    let body = json!({ "remove": [row(1)], "add": [case.unit_row(3, "separate")] });
    case.does(officer, "adjust-units", change(body)).await;
    assert_eq!(case.row_now(1).await.text("/status"), "void");
    assert_eq!(case.row_now(0).await.json["version"], before);
    case.read_rows().await;
    // AT17: a row may go while the others make a whole; the last required reply was delivered
    // already, so the case is handled at that moment (I15).
    case.answer(2).await;
    assert_eq!(case.status().await, "assigned");
    case.decides(3, "void", void).await;
    assert_eq!(case.status().await, "handled");
    case.witness(&["AT17", "PT20", "PT21"]).await;
}

#[actix_web::test]
async fn void_is_refused_where_the_rest_makes_no_whole() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = assigned(&app, &town, "joint", &[0, 1, 2]).await;
    let officer = &town.officer;
    let void = json!({ "reason": "由主办单位一并办理。" });
    let whole = || Why::Guard("whole_without_row");
    case.row_refuses(officer, 0, "void", void.clone(), whole())
        .await;
    case.row_refuses(
        officer,
        0,
        "void",
        json!({ "reason": "" }),
        Why::Field("/reason", "min_length"),
    )
    .await;
    case.row_refuses(&town.party_officer, 2, "void", void.clone(), Why::Right)
        .await;
    case.accept(2).await;
    // What it asked for has lost its object.
    let suggest = json!({ "units": [town.units[3]], "reason": "建议增加会办单位。" });
    case.on_row(2, "suggest-units", suggest).await;
    case.accept(0).await;
    case.draft_reply(0).await;
    case.request_countersign(0).await;
    assert!(
        case.desk(&town.signatories[2])
            .await
            .contains(&"countersign".to_owned())
    );
    case.decides(2, "void", void.clone()).await;
    assert_eq!(case.row_now(2).await.json["clocks"], json!([]));
    assert!(
        !case
            .desk(officer)
            .await
            .contains(&"answer_suggestion".to_owned())
    );
    assert!(
        !case
            .desk(&town.signatories[2])
            .await
            .contains(&"countersign".to_owned())
    );
    case.row_refuses(officer, 1, "void", void, whole()).await;
    // Into sole handling by the act that may change the kind.
    let body = json!({
        "cause": "correction", "reason": "由主办单位独办。", "handling_kind": "sole",
        "remove": [case.rows[&1]],
    });
    let seen = case.does(officer, "adjust-units", body).await;
    assert_eq!(seen.text("/handling_kind"), "sole");
    // The lead goes on without countersignatures.
    case.contact(0).await;
    case.sign(0).await;
    case.witness(&["AT17", "PT20", "RT06"]).await;
}

#[actix_web::test]
async fn an_opinion_that_never_came_blocks_the_lead_no_longer() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = assigned(&app, &town, "joint", &[0, 1]).await;
    case.accept(0).await;
    case.contact(0).await;
    days(&app, 29);
    case.draft_reply(0).await;
    case.request_countersign(0).await;
    case.countersign(0, 1).await;
    assert_eq!(case.due_on(1, "K08").await, "2026-04-02");
    let (reply, by) = (case.reply(0), json!({ "signatory": "林涛" }));
    let signatory = &town.signatories[0];
    at(&app, "2026-04-02T16:00:00Z");
    case.refuses_on(signatory, &reply, "sign", by, Why::Guard("opinions_in"))
        .await;
    at(&app, "2026-04-02T16:00:01Z");
    assert!(
        case.clock(1, "K08").await.is_none(),
        "seen before anybody acts"
    );
    assert_eq!(case.times("AT10b").await, 0);
    case.sign(0).await;
    assert_eq!(case.times("AT10b").await, 1);
    case.witness(&["AT08", "AT10b", "RT06"]).await;
}
