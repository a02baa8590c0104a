//! A unit ends and another one takes over: AT18 with I4, I5, I28, and RT10 for what an earlier unit
//! delivered.

use serde_json::{Value, json};

use crate::support::seed::{Person, Town};
use crate::support::story::{Story, contact, reply_form};
use crate::support::units::days;
use crate::support::{Reply, TestApp};

async fn assigned<'a>(app: &'a TestApp, town: &'a Town, kind: &str, units: &[usize]) -> Story<'a> {
    let mut case = Story::draft(app, town, &town.members[0]).await;
    case.until_filed().await;
    case.assign(kind, units).await;
    case
}

async fn try_succeed(app: &TestApp, town: &Town, who: &Person, unit: usize, by: usize) -> Reply {
    let body = json!({ "successor_id": town.units[by], "reason": "机构改革，职责划转。" });
    let path = format!("/api/v1/units/{}/actions/succeed", town.units[unit]);
    let client = app.signed_in(town, who);
    client
        .post(&path)
        .header("If-Match", "*")
        .json(body)
        .send()
        .await
}

async fn succeed(app: &TestApp, town: &Town, unit: usize, by: usize) -> Reply {
    try_succeed(app, town, &town.administrator, unit, by)
        .await
        .status(200)
}

/// Unit, role and status of the rows, in order.
async fn rows(case: &Story<'_>) -> Vec<(usize, String, String)> {
    let seen = case.seen_by(&case.town.auditor).await;
    let rows = seen.json["handling"].as_array().expect("rows").clone();
    let unit = |row: &Value| {
        case.town
            .units
            .iter()
            .position(|unit| json!(unit) == row["unit_id"])
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rows.iter()
        .map(|row| {
            (
                unit(row).expect("a unit"),
                text(&row["role"]),
                text(&row["status"]),
            )
        })
        .collect()
}

fn row(unit: usize, role: &str, status: &str) -> (usize, String, String) {
    (unit, role.to_owned(), status.to_owned())
}

#[actix_web::test]
async fn open_rows_and_their_replies_pass_to_the_successor_with_their_clocks() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = assigned(&app, &town, "sole", &[0]).await;
    case.accept(0).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    let asked = assigned(&app, &town, "sole", &[0]).await;
    asked.request_return(0, 2).await;
    let other = assigned(&app, &town, "sole", &[2]).await;
    let before = case.row_now(0).await;
    days(&app, 2);
    let refused = try_succeed(&app, &town, &town.staff, 0, 1).await;
    assert_eq!(refused.status, 403);

    let answer = succeed(&app, &town, 0, 1).await;
    assert_eq!(
        (&answer.json["handed_over"], &answer.json["left"]),
        (&json!(2), &json!([]))
    );
    assert_eq!(
        (&answer.json["remaining"], &answer.json["successor_id"]),
        (&json!(0), &json!(town.units[1]))
    );
    let after = case.row_now(0).await;
    assert_eq!(after.text("/unit_name"), "市自然资源和规划局");
    for same in [
        "/status",
        "/role",
        "/accepted_at",
        "/clerk_name",
        "/clocks/0/due_at",
    ] {
        assert_eq!(
            after.json.pointer(same),
            before.json.pointer(same),
            "{same}"
        );
    }
    assert_eq!(rows(&asked).await, [row(1, "lead", "return_requested")]);
    assert_eq!(rows(&other).await, [row(2, "lead", "pending")]);
    // The old unit's accounts have nothing to do with it any more; the new one's go on.
    let reply = case.reply(0);
    let old = case.as_(&town.unit_clerks[0]);
    assert_eq!(old.get(&reply).send().await.status, 404);
    assert!(
        !case
            .desk(&town.unit_clerks[0])
            .await
            .contains(&"reply".to_owned())
    );
    assert!(
        case.desk(&town.unit_clerks[1])
            .await
            .contains(&"reply".to_owned())
    );
    case.tries_on(
        &town.unit_clerks[1],
        &case.row(0),
        "record-contact",
        contact(),
    )
    .await
    .status(200);
    let by = json!({ "signatory": "郑海峰" });
    case.is_signed_and_delivered(1, &reply, by).await;
    assert_eq!(case.status().await, "handled");
    let seen = case.seen_by(&town.auditor).await;
    assert!(
        seen.text("/replies/0/document_no")
            .starts_with("云资规提复"),
        "{seen}"
    );
    // The trail says from whom to whom; the unit's name in what is past stays.
    let told = case.trail().await;
    let event = told
        .iter()
        .find(|event| event.rule.as_deref() == Some("AT18"))
        .expect("the event");
    assert_eq!(event.content.0["input"]["from_unit"], "市交通运输局");
    // The unit that ended takes no new cases.
    let unit = app.signed_in(&town, &town.administrator);
    let unit = unit
        .get(&format!("/api/v1/units/{}", town.units[0]))
        .send()
        .await
        .ok();
    assert_eq!(
        (&unit.json["active"], &unit.json["successor_id"]),
        (&json!(false), &json!(town.units[1]))
    );
    case.witness(&["AT18", "RT09"]).await;
}

impl Story<'_> {
    async fn is_signed_and_delivered(&self, unit: usize, reply: &str, by: Value) {
        let (clerk, signatory) = (&self.town.unit_clerks[unit], &self.town.signatories[unit]);
        self.tries_on(signatory, reply, "sign", by)
            .await
            .status(200);
        self.tries_on(&self.town.supervision, reply, "approve", json!({}))
            .await
            .status(200);
        self.tries_on(clerk, reply, "deliver", json!({}))
            .await
            .status(200);
    }
}

#[actix_web::test]
async fn where_the_successor_has_a_row_the_stronger_role_stays_and_the_kind_follows() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let lead_goes = assigned(&app, &town, "joint", &[0, 1]).await;
    let co_goes = assigned(&app, &town, "joint", &[1, 0]).await;
    let three = assigned(&app, &town, "joint", &[0, 1, 2]).await;
    let apart = assigned(&app, &town, "separate", &[0, 1]).await;
    let mut half = assigned(&app, &town, "separate", &[0, 1, 2]).await;
    half.answer(1).await;
    let answer = succeed(&app, &town, 0, 1).await;
    assert_eq!(
        (&answer.json["handed_over"], &answer.json["left"]),
        (&json!(5), &json!([])),
        "{answer}"
    );
    let kind = async |case: &Story<'_>| case.seen_by(&town.auditor).await.text("/handling_kind");
    assert_eq!(
        rows(&lead_goes).await,
        [row(1, "lead", "pending"), row(1, "co_handler", "void")]
    );
    assert_eq!(kind(&lead_goes).await, "sole");
    assert_eq!(
        rows(&co_goes).await,
        [row(1, "lead", "pending"), row(0, "co_handler", "void")]
    );
    assert_eq!(kind(&co_goes).await, "sole");
    assert_eq!(
        rows(&three).await,
        [
            row(1, "lead", "pending"),
            row(1, "co_handler", "void"),
            row(2, "co_handler", "pending")
        ]
    );
    assert_eq!(kind(&three).await, "joint");
    // Of two separate rows one is left: it leads alone and answers for both parts.
    assert_eq!(
        rows(&apart).await,
        [row(0, "separate", "void"), row(1, "lead", "pending")]
    );
    assert_eq!(kind(&apart).await, "sole");
    assert_eq!(apart.row_now(1).await.text("/part"), "第1部分；第0部分");
    // A delivered row is no open one: both parts stay.
    assert_eq!(
        rows(&half).await,
        [
            row(1, "separate", "pending"),
            row(1, "separate", "replied"),
            row(2, "separate", "pending")
        ]
    );
    apart.witness(&["AT18"]).await;
}

#[actix_web::test]
async fn a_unit_has_one_successor_and_chains_do_not_turn_back() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let code = async |unit: usize, by: usize| {
        let reply = try_succeed(&app, &town, &town.administrator, unit, by)
            .await
            .status(422);
        assert_eq!(
            reply.json["errors"][0]["pointer"], "/successor_id",
            "{reply}"
        );
        reply.text("/errors/0/code")
    };
    assert_eq!(code(0, 0).await, "cycle");
    succeed(&app, &town, 0, 1).await;
    assert_eq!(code(1, 0).await, "cycle");
    assert_eq!(code(2, 0).await, "inactive_reference");
    assert_eq!(code(0, 2).await, "already_succeeded");
    succeed(&app, &town, 1, 2).await;
    assert_eq!(code(2, 0).await, "cycle", "at any remove");
    // Nothing else sets or takes back a successor.
    let administrator = app.signed_in(&town, &town.administrator);
    let path = format!("/api/v1/units/{}", town.units[0]);
    for (patch, pointer) in [
        (json!({ "active": true }), "/active"),
        (json!({ "successor_id": town.units[3] }), "/successor_id"),
    ] {
        let reply = administrator
            .patch(&path)
            .header("If-Match", "*")
            .json(patch)
            .send()
            .await;
        assert_eq!(reply.status, 422, "{reply}");
        assert_eq!(reply.json["errors"][0]["pointer"], pointer);
    }
    // The same again hands over what is left: here nothing.
    let again = try_succeed(&app, &town, &town.administrator, 0, 1).await;
    assert_eq!(again.status, 422, "the successor has ended itself");
    let again = succeed(&app, &town, 1, 2).await;
    assert_eq!(again.json["handed_over"], 0);
}

#[actix_web::test]
async fn promises_are_inherited_and_a_later_reply_takes_the_place_of_the_earlier_one() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = assigned(&app, &town, "sole", &[0]).await;
    case.accept(0).await;
    case.contact(0).await;
    let mut form = reply_form();
    form["outcome"] = json!("planned");
    form["promises"] =
        json!([{ "text": "开通微循环 3 号线", "due_on": "2026-12-31", "person": "林涛" }]);
    case.draft_reply_of(0, form).await;
    case.sign(0).await;
    case.approve(0).await;
    case.deliver(0).await;
    let mut grades = case.grades(0);
    grades["result"] = json!("dissatisfied");
    grades["comment"] = json!("未解决。");
    case.does(&town.members[0], "give-feedback", grades).await;
    assert_eq!(case.status().await, "feedback");
    // Two reorganisations, one after the other; the case is not under way.
    let first = succeed(&app, &town, 0, 1).await;
    assert_eq!(first.json["handed_over"], 1);
    let second = succeed(&app, &town, 1, 2).await;
    assert_eq!(second.json["handed_over"], 1);
    let seen = case.seen_by(&town.unit_clerks[2]).await.status(200);
    assert_eq!(seen.json["promises"][0]["unit_id"], json!(town.units[2]));
    assert_eq!(
        rows(&case).await,
        [row(0, "lead", "replied")],
        "what is past stays"
    );
    let list = case
        .as_(&town.unit_clerks[2])
        .get("/api/v1/proposals")
        .send()
        .await
        .ok();
    assert_eq!(list.json["items"].as_array().map(Vec::len), Some(1));

    let rehandle = json!({
        "cause": "dissatisfied", "handling_kind": "sole", "rows": [case.unit_row(2, "lead")],
    });
    case.does(&town.chair, "rehandle", rehandle).await;
    case.read_rows().await;
    case.answer(2).await;
    let seen = case.seen_by(&town.auditor).await;
    let replies = seen.json["replies"].as_array().expect("replies");
    let of = |round: i64| replies.iter().find(|reply| reply["round"] == round);
    assert_eq!(
        of(1).expect("a reply")["status"],
        "superseded",
        "by the successor of the successor"
    );
    assert_eq!(of(2).expect("a reply")["status"], "delivered");
    case.witness(&["AT18", "PT24", "RT10"]).await;
}

#[actix_web::test]
async fn a_reply_under_review_keeps_its_number_unless_the_successor_writes_the_same_word() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    // Unit 0 writes the word of unit 1; unit 1 has used the first number.
    let path = format!("/api/v1/units/{}", town.units[0]);
    let word = json!({ "reply_prefix": "云资规提复" });
    administrator
        .patch(&path)
        .header("If-Match", "*")
        .json(word)
        .send()
        .await
        .ok();
    let mut numbered = assigned(&app, &town, "sole", &[1]).await;
    numbered.answer(1).await;
    let mut case = assigned(&app, &town, "sole", &[0]).await;
    case.accept(0).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    case.sign(0).await;
    let number = async |case: &Story<'_>| {
        let seen = case.seen_by(&town.auditor).await;
        seen.text("/replies/0/document_no")
    };
    assert_eq!(number(&numbered).await, number(&case).await, "of two units");
    succeed(&app, &town, 0, 1).await;
    assert_eq!(number(&case).await, "云资规提复〔2026〕2号");
    case.approve(0).await;
    let reply = case.reply(0);
    case.tries_on(&town.unit_clerks[1], &reply, "deliver", json!({}))
        .await
        .status(200);
    case.witness(&["AT18"]).await;
}
