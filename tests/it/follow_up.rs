//! Promises, tracking, supervision, urging and instructions: rows OT20 to OT29; invariants I14,
//! I27, I28, I34, I37; clocks K15, K19, K21; the readers of a restricted instruction.

use serde_json::{Value, json};

use crate::support::seed::{Person, Town};
use crate::support::story::{Story, reply_form};
use crate::support::{Reply, TestApp};

/// A reply with one promise.
fn promising() -> Value {
    let mut form = reply_form();
    form["outcome"] = json!("in_progress");
    form["promises"] = json!([
        { "text": "开通社区微循环三号线", "due_on": "2026-12-31", "person": "林涛" }
    ]);
    form
}

/// A case answered by unit 0 with a promise.
async fn promised<'a>(app: &'a TestApp, town: &'a Town) -> Story<'a> {
    let mut case = Story::draft(app, town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    case.contact(0).await;
    case.draft_reply_of(0, promising()).await;
    case.sign(0).await;
    case.approve(0).await;
    case.deliver(0).await;
    case
}

async fn follow_up(case: &Story<'_>, who: &Person) -> Value {
    let path = format!("{}/follow-up", case.path());
    case.as_(who).get(&path).send().await.status(200).json
}

/// Refused by this guard, and nothing changed.
async fn refused(case: &Story<'_>, who: &Person, action: &str, body: Value, guard: &str) {
    let before = case.seen_by(&case.town.staff).await.version();
    let reply = case.tries(who, action, body).await.status(409);
    let reply = reply.code("guard-unmet");
    assert_eq!(reply.json["unmet"][0]["guard"], guard, "{}", reply.json);
    let after = case.seen_by(&case.town.staff).await.version();
    assert_eq!(after, before, "{guard}: something changed");
}

fn clock<'a>(seen: &'a Reply, kind: &str) -> Vec<&'a Value> {
    let clocks = seen.json["clocks"].as_array().expect("clocks");
    clocks
        .iter()
        .filter(|clock| clock["kind"] == kind)
        .collect()
}

fn instruction(town: &Town, units: &[usize], restricted: bool) -> Value {
    let units: Vec<_> = units.iter().map(|unit| town.units[*unit]).collect();
    json!({
        "leader": "韩松", "post": "市长", "date": "2026-03-02", "kind": "instruction",
        "text": "请抓紧研究，务求实效。", "unit_ids": units, "due_on": "2026-06-30",
        "restricted": restricted,
    })
}

#[actix_web::test]
async fn a_promise_is_tracked_reported_on_and_kept() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = promised(&app, &town).await;
    let (clerk, staff) = (&town.unit_clerks[0], &town.staff);
    let seen = case.seen_by(staff).await;
    assert!(
        seen.json["tracked_since"].is_string(),
        "tracked at delivery"
    );
    let promise = seen.text("/promises/0/id");
    let running = clock(&seen, "K15");
    assert_eq!(running[0]["promise_id"], promise.as_str());
    assert_eq!(running[0]["due_on"], "2026-12-31", "its own date");
    assert_eq!(case.desk(clerk).await, ["keep_promise"]);

    let confirm = json!({ "promise_id": promise, "shown_by": "实地查看。", "outcome": "resolved" });
    case.tries(clerk, "fulfil-promise", confirm.clone())
        .await
        .status(403);
    refused(
        &case,
        staff,
        "fulfil-promise",
        confirm.clone(),
        "evidence_on_record",
    )
    .await;
    let report = json!({
        "text": "三号线已试运行。", "evidence": "公告88号", "promise_id": promise,
        "proposed_outcome": "resolved",
    });
    case.tries(&town.unit_clerks[2], "report-progress", report.clone())
        .await
        .status(404);
    case.does(clerk, "report-progress", report.clone()).await;
    let worse = json!({ "promise_id": promise, "shown_by": "实地查看。", "outcome": "planned" });
    case.tries(staff, "fulfil-promise", worse)
        .await
        .status(422)
        .blames(&["/outcome"]);
    let kept = case
        .does(&town.supervision, "fulfil-promise", confirm.clone())
        .await;
    assert_eq!(kept.json["status"], "handled", "I37");
    assert_eq!(kept.json["promises"][0]["status"], "fulfilled");
    let reply = &kept.json["replies"][0];
    assert_eq!(reply["current_outcome"], "resolved", "I14: it rose");
    assert_eq!(reply["unit_outcome"], "in_progress", "I14: its own stays");
    assert!(clock(&case.seen_by(staff).await, "K15").is_empty());
    assert!(case.desk(clerk).await.is_empty());
    refused(&case, staff, "fulfil-promise", confirm, "promise_open").await;

    let followed = follow_up(&case, &town.members[0]).await;
    let kinds: Vec<_> = followed["promises"][0]["history"]
        .as_array()
        .expect("a history")
        .iter()
        .map(|entry| entry["kind"].clone())
        .collect();
    assert_eq!(kinds, ["progress", "fulfilment"]);
    let other = follow_up(&case, &town.members[1]).await;
    let history = other["promises"][0]["history"].as_array().expect("history");
    assert_eq!(history.len(), 1, "reports are for those who take part");
    case.witness(&["OT21", "OT22"]).await;
}

#[actix_web::test]
async fn tracking_stops_only_with_a_verdict_for_every_open_promise() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = promised(&app, &town).await;
    let chair = &town.chair;
    let start = json!({ "decided_by": "主任会议", "list_year": 2026, "targets": "年底开通。" });
    refused(&case, chair, "start-tracking", start.clone(), "not_tracked").await;
    let promise = case.seen_by(chair).await.text("/promises/0/id");
    let bare = json!({ "reason": "结束跟踪。" });
    refused(&case, chair, "stop-tracking", bare, "every_promise_settled").await;
    let look = json!({ "date": "2026-03-02", "findings": "一项正在推进。" });
    case.does(&town.supervision, "record-look-back", look.clone())
        .await;
    let stop = json!({ "reason": "规划调整。", "verdicts": [
        { "promise_id": promise, "verdict": "superseded", "reason": "并入地铁接驳工程。" }
    ]});
    case.tries(&town.staff, "stop-tracking", stop.clone())
        .await
        .status(403);
    let stopped = case.does(chair, "stop-tracking", stop.clone()).await;
    assert!(stopped.json.get("tracked_since").is_none());
    assert_eq!(stopped.json["promises"][0]["status"], "superseded", "I27");
    assert!(clock(&case.seen_by(chair).await, "K15").is_empty());
    refused(&case, chair, "stop-tracking", stop, "tracked").await;
    refused(
        &case,
        &town.staff,
        "record-look-back",
        look,
        "look_back_due",
    )
    .await;
    let report = json!({ "text": "已试运行。", "evidence": "公告88号" });
    refused(
        &case,
        &town.unit_clerks[0],
        "report-progress",
        report.clone(),
        "tracked",
    )
    .await;
    // Put on the list of a year by decision, after closing too; the entries of before stay.
    case.rate(&town.members[0], 0).await;
    case.close().await;
    let tracked = case.does(chair, "start-tracking", start).await;
    assert_eq!(tracked.json["status"], "closed", "I37");
    assert!(tracked.json["tracked_since"].is_string());
    case.does(&town.unit_clerks[0], "report-progress", report)
        .await;
    let followed = follow_up(&case, &town.members[1]).await;
    assert_eq!(followed["promises"][0]["history"][0]["kind"], "verdict");
    assert_eq!(followed["tracking"].as_array().expect("entries").len(), 2);
    case.witness(&["OT20", "OT23", "OT29"]).await;
}

#[actix_web::test]
async fn commitments_under_supervision_become_promises() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("separate", &[0, 3]).await;
    case.answer(0).await;
    let of = |unit: usize| {
        json!({
            "unit_id": town.units[unit], "text": "八月底前完成征地。",
            "due_on": "2026-08-31", "person": "林涛",
        })
    };
    let mut record = json!({
        "mode": "on_site_handling", "leader": "副主席 韩松", "participants": "提案委、交通局",
        "date": "2026-03-02", "findings": "征地尚未完成。", "commitments": [of(2)],
    });
    case.tries(&town.leader, "supervise", record.clone())
        .await
        .status(422)
        .blames(&["/commitments/0/unit_id"]);
    case.tries(&town.chair, "supervise", record.clone())
        .await
        .status(403);
    record["commitments"] = json!([of(0), of(3)]);
    let seen = case.does(&town.leader, "supervise", record).await;
    let promises = seen.json["promises"].as_array().expect("promises");
    assert_eq!(promises.len(), 1, "unit 3 has delivered no reply");
    assert_eq!(promises[0]["unit_id"], json!(town.units[0]));
    assert!(seen.json["tracked_since"].is_string(), "I27");
    assert_eq!(clock(&seen, "K15")[0]["due_on"], "2026-08-31");
    assert_eq!(case.desk(&town.unit_clerks[0]).await, ["keep_promise"]);
    let followed = follow_up(&case, &town.supervision).await;
    let kinds = followed["supervision"].as_array().expect("entries");
    assert_eq!(kinds.len(), 3, "the record and both commitments");
    let hidden = follow_up(&case, &town.members[1]).await;
    assert_eq!(hidden["supervision"], json!([]));
    case.witness(&["OT24"]).await;

    // The list: the unit's own, or every one.
    let list = |who: &Person, query: &str| {
        let client = case.as_(who);
        let path = format!("/api/v1/promises?count=true{query}");
        async move { client.get(&path).send().await }
    };
    let own = list(&town.unit_clerks[0], "").await.status(200);
    assert_eq!(own.json["items"][0]["due_on"], "2026-08-31");
    let other = list(&town.unit_clerks[1], "").await.status(200);
    assert_eq!(other.json["count"], 0);
    let all = list(&town.supervision, "&status=open&due_before=2026-09-01").await;
    assert_eq!(all.status(200).json["count"], 1);
    let before = list(&town.staff, "&due_before=2026-08-31")
        .await
        .status(200);
    assert_eq!(before.json["count"], 0);
    list(&town.members[0], "").await.status(403);
}

#[actix_web::test]
async fn only_who_owes_something_is_urged_until_an_answer_comes() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    let notice = |unit: usize| {
        json!({
            "addressees": [{ "unit_id": town.units[unit] }], "text": "请抓紧办理。",
            "due_on": "2026-05-20",
        })
    };
    refused(&case, &town.officer, "urge", notice(1), "addressee_owes").await;
    case.tries(&town.party_officer, "urge", notice(0))
        .await
        .status(403);
    let mut both = notice(0);
    both["addressees"][0]["rater_id"] = json!("prps_019a1b2c3d4e7f8090a1b2c3d4e5f607");
    case.tries(&town.officer, "urge", both)
        .await
        .status(422)
        .blames(&["/addressees/0"]);
    let urged = case.does(&town.officer, "urge", notice(0)).await;
    assert_eq!(urged.json["status"], "assigned", "I37");
    let running = clock(&urged, "K21");
    assert_eq!(running[0]["due_on"], "2026-05-20");
    let id = running[0]["follow_up_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let clerk = &town.unit_clerks[0];
    assert!(case.desk(clerk).await.contains(&"answer_urging".to_owned()));
    let seen = case.seen_by(&town.members[0]).await;
    assert!(clock(&seen, "K21").is_empty(), "not for the proposer");
    assert!(
        !case
            .events_seen_by(&town.members[0])
            .await
            .contains(&"urged".to_owned())
    );
    let answer = json!({ "urging_id": id, "text": "本周内报送。" });
    refused(
        &case,
        &town.members[0],
        "acknowledge-urging",
        answer.clone(),
        "urged",
    )
    .await;
    case.does(clerk, "acknowledge-urging", answer.clone()).await;
    refused(&case, clerk, "acknowledge-urging", answer, "urged").await;
    assert!(clock(&case.seen_by(&town.staff).await, "K21").is_empty());
    let followed = follow_up(&case, &town.staff).await;
    assert_eq!(followed["urgings"][0]["answer"], "本周内报送。");
    assert_eq!(followed["urgings"][0]["status"], "answered");

    // A rater owes a form once the reply is there; the unit owes nothing any more.
    case.answer(0).await;
    refused(&case, &town.staff, "urge", notice(0), "addressee_owes").await;
    let rater = case.seen_by(&town.staff).await.text("/proposers/0/id");
    let form = json!({
        "addressees": [{ "rater_id": rater }], "text": "请反馈意见。", "due_on": "2026-05-20",
    });
    let urged = case.does(&town.staff, "urge", form).await;
    let id = clock(&urged, "K21")[0]["follow_up_id"].clone();
    let answer = json!({ "urging_id": id, "text": "本周反馈。" });
    case.does(&town.members[0], "acknowledge-urging", answer)
        .await;
    case.rate(&town.members[0], 0).await;
    refused(&case, &town.staff, "urge", notice(0), "something_owed").await;
    case.close().await;
    refused(&case, &town.staff, "urge", notice(0), "tracked_if_closed").await;
    case.witness(&["OT25", "OT26"]).await;
}

#[actix_web::test]
async fn an_instruction_is_one_item_per_unit_and_holds_up_the_end() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.answer(0).await;
    case.rate(&town.members[0], 0).await;
    case.tries(&town.staff, "instruct", instruction(&town, &[0], false))
        .await
        .status(422)
        .blames(&["/paper_reference"]);
    case.tries(&town.chair, "instruct", instruction(&town, &[0], false))
        .await
        .status(403);
    let given = case
        .does(&town.leader, "instruct", instruction(&town, &[0, 1], false))
        .await;
    assert_eq!(given.json["status"], "feedback", "I37");
    let running = clock(&given, "K19");
    assert_eq!(running.len(), 2, "one for each unit");
    let mut paper = instruction(&town, &[0], false);
    paper["paper_reference"] = json!("批示件 2026-012");
    case.does(&town.staff, "instruct", paper).await;
    let timeline = case.timeline(&town.auditor).await;
    let last = timeline.last().expect("an event");
    assert_eq!(last["on_behalf_of"], "韩松");
    let open = case
        .as_(&town.staff)
        .get("/api/v1/instructions?count=true")
        .send()
        .await
        .status(200);
    assert_eq!(open.json["count"], 3);
    assert_eq!(open.json["item_times"], 2, "I34");

    let close = json!({ "publish_text": "full", "publish_replies": "full" });
    refused(&case, &town.staff, "close", close, "instructions_answered").await;
    // A unit without a row reads the case by its instruction, and finds it in its list.
    let clerk = &town.unit_clerks[1];
    assert_eq!(case.desk(clerk).await, ["answer_instruction"]);
    let mine = case.as_(clerk).get("/api/v1/proposals").send().await;
    assert_eq!(mine.json["items"][0]["id"], case.id.as_str());
    let items = open.json["items"].as_array().expect("items");
    let lead = items
        .iter()
        .find(|item| item["unit_id"] == json!(town.units[0]));
    let body = json!({ "instruction_id": lead.expect("an item")["id"], "text": "代为反馈。" });
    case.tries(clerk, "answer-instruction", body)
        .await
        .status(422)
        .blames(&["/instruction_id"]);
    for item in items {
        let unit = town
            .units
            .iter()
            .position(|unit| json!(unit) == item["unit_id"]);
        let clerk = &town.unit_clerks[unit.expect("a unit")];
        let body = json!({ "instruction_id": item["id"], "text": "已召开专题会。" });
        case.does(clerk, "answer-instruction", body).await;
    }
    let body = json!({ "instruction_id": items[0]["id"], "text": "再报。" });
    refused(
        &case,
        &town.unit_clerks[0],
        "answer-instruction",
        body,
        "instructed",
    )
    .await;
    assert!(clock(&case.seen_by(&town.staff).await, "K19").is_empty());
    assert_eq!(case.close().await.json["status"], "closed");
    case.witness(&["OT27", "OT28"]).await;
}

#[actix_web::test]
async fn a_restricted_instruction_is_for_a_few() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.does(&town.leader, "instruct", instruction(&town, &[1], true))
        .await;
    let reads = [
        &town.leader,
        &town.chair,
        &town.staff,
        &town.auditor,
        &town.unit_clerks[1],
        &town.signatories[1],
    ];
    for who in reads {
        let followed = follow_up(&case, who).await;
        let text = &followed["instructions"][0]["content"]["text"];
        assert_eq!(text, "请抓紧研究，务求实效。", "{}", who.username);
        let listed = case.as_(who).get("/api/v1/instructions").send().await;
        assert_eq!(listed.status(200).json["items"][0]["restricted"], true);
        assert_eq!(clock(&case.seen_by(who).await, "K19").len(), 1);
    }
    let others = [
        &town.members[0],
        &town.members[1],
        &town.officer,
        &town.supervision,
        &town.unit_clerks[0],
    ];
    for who in others {
        let followed = follow_up(&case, who).await;
        assert_eq!(followed["instructions"], json!([]), "{}", who.username);
        assert_eq!(followed["instruction_item_times"], 0);
        assert!(clock(&case.seen_by(who).await, "K19").is_empty());
        let events = case.events_seen_by(who).await;
        assert!(
            !events.contains(&"instructed".to_owned()),
            "{}",
            who.username
        );
        let listed = case.as_(who).get("/api/v1/instructions").send().await;
        if listed.status == 200 {
            assert_eq!(listed.json["items"], json!([]), "{}", who.username);
        }
    }
    // The words stand in the record alone, not in the trail.
    for event in case.trail().await {
        assert!(!event.content.0.to_string().contains("务求实效"));
    }
}
