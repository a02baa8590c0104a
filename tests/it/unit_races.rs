//! Acts on the units of a case at the same moment: one of them happens (I1, I7, I9).

use std::time::Duration;

use actix_web::rt::spawn;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::seed::{Person, Town};
use crate::support::story::{Story, contact};
use crate::support::{Reply, TestApp};

/// Rounds of each race.
const ROUNDS: usize = 20;

async fn app() -> TestApp {
    TestApp::start_with(|config| config.database.threads.write = 8).await
}

async fn assigned<'a>(app: &'a TestApp, town: &'a Town) -> Story<'a> {
    let mut case = Story::draft(app, town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case
}

/// Both at once, on whatever version there is.
async fn both(case: &Story<'_>, acts: [(&Person, String, Value); 2]) -> Vec<Reply> {
    let tasks = acts.map(|(who, path, body)| {
        spawn(
            case.as_(who)
                .post(&path)
                .header("If-Match", "*")
                .json(body)
                .send(),
        )
    });
    let mut replies = Vec::new();
    for task in tasks {
        replies.push(task.await.expect("an answer"));
    }
    replies
}

fn statuses(replies: &[Reply]) -> Vec<u16> {
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    statuses
}

#[actix_web::test]
async fn a_return_at_the_last_moment_and_deemed_acceptance_never_both_happen() {
    let app = app().await;
    let town = app.town().await;
    let mut returned = 0;
    for round in 0..ROUNDS {
        let case = assigned(&app, &town).await;
        let due = case.due(0, "K05").await;
        app.clock.set(due);
        let (clerk, row) = (&town.unit_clerks[0], case.row(0));
        let ask = case
            .as_(clerk)
            .post(&format!("{row}/actions/request-return"))
            .header("If-Match", "*")
            .json(case.return_request(1));
        let mut say = contact();
        say["date"] = json!("2026-03-02");
        let act = case
            .as_(clerk)
            .post(&format!("{row}/actions/record-contact"))
            .header("If-Match", "*")
            .json(say);
        // The window closes a little later each time: before the request is read, or after.
        let ask = spawn(ask.send());
        let wait = u64::try_from(round).unwrap_or_default() * 300;
        actix_web::rt::time::sleep(Duration::from_micros(wait)).await;
        app.clock.advance(SignedDuration::from_micros(1));
        let act = spawn(act.send());
        let (ask, act) = (ask.await.expect("an answer"), act.await.expect("an answer"));
        assert_eq!(
            statuses(&[ask, act]),
            [200, 409],
            "a return, or a contact of a row that is accepted"
        );
        let deemed = case.times("AT08").await;
        let asked = case.times("AT04").await;
        assert_eq!(deemed + asked, 1);
        returned += asked;
    }
    eprintln!("{returned} of {ROUNDS} were returned in time");
}

#[actix_web::test]
async fn a_return_is_granted_or_rejected() {
    let app = app().await;
    let town = app.town().await;
    for _ in 0..ROUNDS {
        let case = assigned(&app, &town).await;
        case.request_return(0, 1).await;
        let row = case.row(0);
        let grant = json!({ "replacement": [case.unit_row(1, "lead")] });
        let replies = both(
            &case,
            [
                (&town.officer, format!("{row}/actions/grant-return"), grant),
                (
                    &town.officer,
                    format!("{row}/actions/reject-return"),
                    json!({ "reason": "属法定职责。" }),
                ),
            ],
        )
        .await;
        assert_eq!(statuses(&replies), [200, 409]);
        assert_eq!(case.times("AT05").await + case.times("AT06").await, 1);
        let seen = case.seen_by(&town.auditor).await;
        let bound = seen.json["handling"].as_array().expect("rows").iter();
        let bound = bound.filter(|row| {
            ["pending", "accepted"].contains(&row["status"].as_str().unwrap_or_default())
        });
        assert_eq!(bound.count(), 1, "I7");
    }
}

#[actix_web::test]
async fn of_two_officers_one_changes_the_units() {
    let app = app().await;
    let town = app.town().await;
    for _ in 0..ROUNDS {
        let case = assigned(&app, &town).await;
        let path = case.path();
        let officer = case.as_(&town.officer);
        let version = officer.get(&path).send().await.version();
        let tasks = [1, 2].map(|unit| {
            let body = json!({
                "cause": "correction", "reason": "更正。", "handling_kind": "joint",
                "add": [case.unit_row(unit, "co_handler")],
            });
            let adjust = officer.post(&format!("{path}/actions/adjust-units"));
            spawn(adjust.if_match(version).json(body).send())
        });
        let mut replies = Vec::new();
        for task in tasks {
            replies.push(task.await.expect("an answer"));
        }
        assert_eq!(statuses(&replies), [200, 412]);
        assert_eq!(case.times("PT20").await, 1);
        // The same unit from both, whatever version there is: it is added once (I5).
        let body = json!({
            "cause": "correction", "reason": "更正。", "add": [case.unit_row(3, "co_handler")],
        });
        let adjust = format!("{path}/actions/adjust-units");
        let acts = [
            (&town.officer, adjust.clone(), body.clone()),
            (&town.officer, adjust, body),
        ];
        assert_eq!(statuses(&both(&case, acts).await), [200, 422]);
    }
}

#[actix_web::test]
async fn an_extension_is_granted_before_the_delivery_or_not_at_all() {
    let app = app().await;
    let town = app.town().await;
    for _ in 0..ROUNDS {
        let mut case = assigned(&app, &town).await;
        case.accept(0).await;
        case.contact(0).await;
        case.draft_reply(0).await;
        case.sign(0).await;
        case.approve(0).await;
        let ask =
            json!({ "reason": "须经会议审议。", "signatory": "林涛", "new_date": "2026-07-15" });
        case.on_row(0, "request-extension", ask).await;
        let grant = format!("{}/actions/grant-extension", case.row(0));
        let deliver = format!("{}/actions/deliver", case.reply(0));
        let acts = [
            (&town.officer, grant, json!({})),
            (&town.unit_clerks[0], deliver, json!({})),
        ];
        let replies = both(&case, acts).await;
        assert_eq!(replies[1].status, 200, "{}", replies[1]);
        let trail = case.trail().await;
        let place = |rule: &str| {
            trail
                .iter()
                .position(|event| event.rule.as_deref() == Some(rule))
        };
        match replies[0].status {
            200 => assert!(place("AT12") < place("RT09")),
            409 => assert_eq!(place("AT12"), None),
            other => panic!("{other}: {}", replies[0]),
        }
        assert_eq!(case.status().await, "handled");
    }
}
