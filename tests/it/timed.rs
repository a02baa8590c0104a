//! The worker does what time alone does, with nobody acting: each effect once, as the system's own
//! act, and in the database, not only on reading. Clocks K01, K02, K05, K08, K09, K12, K15, K16 and
//! agreed ends of pauses.

use jianjian::store::{feed, verify};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::story::{Story, members, reply_form};
use crate::support::units::{at, days};

/// Without what differs between a case as time has changed it and the same case written down:
/// its version, and identifiers of clocks that start meanwhile.
fn lasting(mut value: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.remove("id");
                map.remove("version");
                map.values_mut().for_each(strip);
            }
            Value::Array(list) => list.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut value);
    value
}

impl Story<'_> {
    /// The worker takes exactly these rows, each once and as the system, and the case is then as
    /// reading it showed before.
    async fn worker_takes(&self, rules: &[&str]) {
        let auditor = &self.town.auditor;
        let before = self.trail().await;
        let shown = self.seen_by(auditor).await.status(200);
        self.app.work().await;
        let after = self.trail().await;
        let taken: Vec<_> = after[before.len()..]
            .iter()
            .map(|event| {
                assert_eq!(event.actor_role, "system", "{}", event.name);
                assert!(event.actor_id.is_none() && event.request_id.is_none());
                event.rule.clone().unwrap_or_default()
            })
            .collect();
        assert_eq!(taken, rules);
        assert_eq!(self.app.work().await, 0, "it happens once");
        assert_eq!(self.trail().await.len(), after.len());
        let stored = self.seen_by(auditor).await.status(200);
        assert_eq!(lasting(stored.json), lasting(shown.json), "on access");
    }
}

/// AT08, K05: nobody accepts; the day after the window the worker has deemed the row accepted,
/// once, and the feed tells of it after what came before.
#[actix_web::test]
async fn the_worker_deems_a_row_accepted_once() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    app.work().await;
    assert_eq!(app.work().await, 0, "nothing is due");
    days(&app, 8);
    assert_eq!(case.desk(&town.unit_clerks[0]).await, ["accept"]);
    case.worker_takes(&["AT08"]).await;
    let desk = case.desk(&town.unit_clerks[0]).await;
    assert_eq!(desk, ["contact", "reply"], "the stored desk");
    case.witness(&["AT08"]).await;

    let committee = town.committee;
    let entries = app
        .read(move |tx| feed::after(tx, committee, 0, 1000))
        .await;
    let positions: Vec<_> = entries.iter().map(|entry| entry.position).collect();
    let all: Vec<_> = (1..=i64::try_from(entries.len()).expect("few")).collect();
    assert_eq!(positions, all, "no gap");
    let own: Vec<_> = entries
        .iter()
        .filter(|entry| entry.stream_kind == "proposal")
        .map(|entry| entry.seq)
        .collect();
    assert_eq!(own.len(), case.trail().await.len(), "all are published");
    assert!(own.is_sorted());
}

/// `PT05b`, K01: an invitation that nobody answers; it leaves the desk of the invited member.
#[actix_web::test]
async fn the_worker_lets_invitations_run_out() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let body = json!({ "kind": "joint", "form": crate::support::story::form() });
    let case = Story::draft_of(&app, &town, &town.members[0], body).await;
    let invited = json!({ "member_ids": members(&town.members[1..2]) });
    case.does(&town.members[0], "invite-cosigners", invited)
        .await;
    app.work().await;
    assert_eq!(case.desk(&town.members[1]).await, ["answer_invitation"]);
    days(&app, 2);
    case.worker_takes(&["PT05b"]).await;
    assert!(case.desk(&town.members[1]).await.is_empty());
    case.witness(&["PT05b"]).await;
}

/// `AT10b`, K08: a co-handler that stays silent is flagged and holds the lead up no longer.
#[actix_web::test]
async fn the_worker_notes_a_missing_opinion() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("joint", &[0, 1]).await;
    case.accept(0).await;
    case.accept(1).await;
    app.work().await;
    days(&app, 35);
    case.worker_takes(&["AT10b"]).await;
    assert!(case.desk(&town.unit_clerks[1]).await.is_empty());
    case.witness(&["AT10b"]).await;
}

/// `RT04b`, K09: who does not countersign in time counts as having agreed; the signatory of the
/// lead finds the reply on the desk. Where the policy says that silence blocks, nothing happens.
#[actix_web::test]
async fn the_worker_takes_silence_for_a_countersignature() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.joint_drafted(&[1]).await;
    case.request_countersign(0).await;
    app.work().await;
    assert_eq!(case.desk(&town.signatories[1]).await, ["countersign"]);
    days(&app, 8);
    case.worker_takes(&["RT04b"]).await;
    assert!(case.desk(&town.signatories[1]).await.is_empty());
    assert_eq!(case.desk(&town.signatories[0]).await, ["sign"]);
    let late = case
        .tries_on_reply(
            &town.signatories[1],
            0,
            "countersign",
            json!({ "signatory": "郑海峰" }),
        )
        .await
        .status(409);
    assert_eq!(late.json["unmet"][0]["guard"], "countersign_requested");
    case.sign(0).await;
    case.witness(&["RT04b"]).await;
}

/// AT15: a pause ends by itself on the agreed day.
#[actix_web::test]
async fn the_worker_ends_a_pause_on_the_agreed_day() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    let wish = json!({
        "reason": "等待国家标准发布。", "signatory": "林涛", "expected_end": "2026-03-16",
    });
    case.on_row(0, "request-pause", wish).await;
    case.decides(0, "pause-clock", json!({})).await;
    app.work().await;
    at(&app, "2026-03-15T15:59:59Z");
    case.worker_takes(&[]).await;
    at(&app, "2026-03-15T16:00:01Z");
    case.worker_takes(&["AT15"]).await;
    let clock = case.clock(0, "K10").await.expect("it runs");
    assert!(clock["paused_until"].is_null(), "{clock}");
}

/// PT16 from `returned`, K02: no row of the system, the possibility opens by itself; the worker
/// writes nothing, and lists show the revision as overdue.
#[actix_web::test]
async fn a_revision_that_never_comes_may_be_refused_once_its_time_is_over() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.submit().await;
    let reason = json!({ "reason": "请补充具体建议。" });
    case.does(&town.staff, "return-for-revision", reason).await;
    app.work().await;
    assert!(!possible(&case, "not_file").await);
    days(&app, 20);
    case.worker_takes(&[]).await;
    let seen = case.seen_by(&town.chair).await;
    assert_eq!(seen.json["clocks"][0]["overdue"], true);
    assert!(possible(&case, "not_file").await);
}

/// Whether the chair may do this now.
async fn possible(case: &Story<'_>, action: &str) -> bool {
    let path = format!("{}/actions", case.path());
    let told = case.as_(&case.town.chair).get(&path).send().await;
    let told = told.status(200);
    let items = told.json["items"].as_array().expect("items");
    let item = items.iter().find(|item| item["action"] == action);
    item.expect("the action")["allowed"] == true
}

/// OT31, K15 and K16: from 1 January on a look-back at promises of the year before is owed, until
/// 20 November; each year once. A promise that is late shows as overdue.
#[actix_web::test]
async fn the_worker_opens_the_look_back_every_new_year() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    let mut form = reply_form();
    form["outcome"] = json!("in_progress");
    form["promises"] = json!([
        { "text": "开通社区微循环三号线", "due_on": "2026-10-30", "person": "林涛" }
    ]);
    case.sole().await;
    case.accept(0).await;
    case.contact(0).await;
    case.draft_reply_of(0, form).await;
    case.sign(0).await;
    case.approve(0).await;
    case.deliver(0).await;
    days(&app, 40);
    case.worker_takes(&["PT23"]).await;
    at(&app, "2026-12-31T15:59:59Z");
    case.worker_takes(&[]).await;
    let promises = case.as_(&town.supervision).get("/api/v1/promises").send();
    assert_eq!(promises.await.json["items"][0]["overdue"], true, "K15");
    at(&app, "2026-12-31T16:00:01Z");
    case.worker_takes(&["OT31"]).await;
    assert!(
        case.desk(&town.supervision)
            .await
            .contains(&"look_back".to_owned())
    );
    let seen = case.seen_by(&town.supervision).await;
    let clocks = seen.json["clocks"].as_array().expect("clocks");
    let clock = clocks.iter().find(|clock| clock["kind"] == "K16");
    let clock = clock.expect("K16 runs");
    assert_eq!(clock["due_on"], "2027-11-20");
    assert_eq!(clock["started_at"], "2026-12-31T16:00:00Z");
    at(&app, "2027-01-05T02:00:00Z");
    let report = json!({ "date": "2027-01-05", "findings": "线路招标已完成。" });
    case.does(&town.supervision, "record-look-back", report)
        .await;
    assert!(
        !case
            .desk(&town.supervision)
            .await
            .contains(&"look_back".to_owned())
    );
    at(&app, "2027-06-01T02:00:00Z");
    case.worker_takes(&[]).await;
    at(&app, "2028-02-01T02:00:00Z");
    case.worker_takes(&["OT31"]).await;
    // It is owed still: no second one beside it.
    at(&app, "2029-02-01T02:00:00Z");
    case.worker_takes(&[]).await;
    assert_eq!(case.times("OT31").await, 2);
    case.witness(&["OT31", "OT29"]).await;
}

/// The whole story from filing to the lapse of the feedback: people do what only people can do, in
/// time nobody accepts, gives an opinion, countersigns or rates, and the worker alone does the rest.
#[actix_web::test]
async fn a_case_goes_its_way_with_nobody_but_the_necessary_people() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("joint", &[0, 1]).await;
    app.work().await;
    days(&app, 8);
    case.worker_takes(&["AT08", "AT08"]).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    days(&app, 30);
    case.worker_takes(&["AT10b"]).await;
    case.request_countersign(0).await;
    days(&app, 9);
    case.worker_takes(&["RT04b"]).await;
    case.sign(0).await;
    case.approve(0).await;
    case.deliver(0).await;
    assert_eq!(case.status().await, "handled");
    app.work().await;
    assert_eq!(case.desk(&town.members[0]).await, ["give_feedback"]);
    days(&app, 25);
    case.worker_takes(&["PT23"]).await;
    assert_eq!(case.status().await, "feedback");
    assert!(case.desk(&town.members[0]).await.is_empty());
    assert_eq!(case.desk(&town.staff).await, ["close"]);
    case.witness(&["AT08", "AT10b", "RT04b", "PT21", "PT23"])
        .await;

    let report = app.read(verify::run).await;
    assert_eq!(report.broken, None);
    let committee = town.committee;
    let entries = app
        .read(move |tx| feed::after(tx, committee, 0, 1000))
        .await;
    assert_eq!(entries.len(), report.events, "every event is published");
}
