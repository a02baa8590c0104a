//! Extensions and pauses: AT11–AT15 with I8, I24, I25, and the vectors of counting.

use serde_json::json;

use crate::support::TestApp;
use crate::support::seed::Town;
use crate::support::story::Story;
use crate::support::units::{Why, at, days};

/// A case assigned at a moment; ordinary ones count three months too.
async fn assigned_at<'a>(
    app: &'a TestApp,
    town: &'a Town,
    moment: &str,
    kind: &str,
    units: &[usize],
) -> Story<'a> {
    let mut case = Story::draft(app, town, &town.members[0]).await;
    case.until_filed().await;
    at(app, moment);
    case.assign(kind, units).await;
    case
}

fn extension(date: &str) -> serde_json::Value {
    json!({ "reason": "方案须经市规委会审议。", "signatory": "林涛", "new_date": date })
}

fn pause(date: &str) -> serde_json::Value {
    json!({ "reason": "等待国家标准发布。", "signatory": "林涛", "expected_end": date })
}

#[actix_web::test]
async fn an_extension_is_asked_before_the_due_date_and_never_goes_beyond_the_cap() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = assigned_at(&app, &town, "2026-03-25T02:00:00Z", "joint", &[0, 1]).await;
    let (clerk, officer) = (&town.unit_clerks[0], &town.officer);
    case.row_refuses(
        clerk,
        0,
        "request-extension",
        extension("2026-07-31"),
        Why::State,
    )
    .await;
    case.accept(0).await;
    assert_eq!(case.due_on(0, "K10").await, "2026-06-25");
    let refused = [("2026-06-25", "not_later"), ("2026-09-29", "over_the_cap")];
    for (date, code) in refused {
        let why = Why::Field("/new_date", code);
        let reply = case
            .row_refuses(clerk, 0, "request-extension", extension(date), why)
            .await;
        if code == "over_the_cap" {
            // Six months from 25 March end in Mid-Autumn and roll (I25).
            assert!(
                reply.text("/errors/0/detail").contains("2026-09-28"),
                "{reply}"
            );
        }
    }
    let yes = json!({ "note": "同意。" });
    let none = || Why::Guard("extension_open");
    case.row_refuses(officer, 0, "grant-extension", yes.clone(), none())
        .await;
    case.row_refuses(
        officer,
        0,
        "deny-extension",
        json!({ "reason": "无。" }),
        none(),
    )
    .await;

    let due = case.due(0, "K10").await;
    case.on_row(0, "request-extension", extension("2026-07-31"))
        .await;
    assert_eq!(case.due(0, "K10").await, due, "I8");
    let open = Why::Guard("no_open_extension");
    case.row_refuses(clerk, 0, "request-extension", extension("2026-08-31"), open)
        .await;
    // K13 is on the officer's desk: five working days from 25 March.
    let page = case
        .as_(officer)
        .get("/api/v1/desk?task=decide_extension")
        .send()
        .await
        .status(200);
    assert_eq!(page.json["items"][0]["due_on"], "2026-04-01", "{page}");
    assert_eq!(page.json["items"][0]["unit_name"], "市交通运输局");
    assert!(page.json["items"][0]["first_proposer"].is_string());
    case.row_refuses(clerk, 0, "grant-extension", yes.clone(), Why::Right)
        .await;
    let deny = json!({ "reason": "该事项不须上会。" });
    case.row_refuses(
        officer,
        0,
        "deny-extension",
        json!({ "reason": "" }),
        Why::Field("/reason", "min_length"),
    )
    .await;
    case.decides(0, "deny-extension", deny).await;
    assert_eq!(case.due(0, "K10").await, due);

    case.on_row(0, "request-extension", extension("2026-07-31"))
        .await;
    for (date, code) in [("2026-06-01", "not_later"), ("2026-10-08", "over_the_cap")] {
        let why = Why::Field("/new_date", code);
        case.row_refuses(
            officer,
            0,
            "grant-extension",
            json!({ "new_date": date }),
            why,
        )
        .await;
    }
    case.decides(0, "grant-extension", json!({ "new_date": "2026-07-15" }))
        .await;
    let clock = case.clock(0, "K10").await.expect("it runs");
    assert_eq!(clock["due_on"], "2026-07-15");
    assert_eq!(clock["original_due_at"], json!(due.to_string()), "kept");
    assert_eq!(clock["changes"][0]["change"], "extended");
    let told = case.events_seen_by(&case.proposer).await;
    assert!(told.contains(&"extension.decided".to_owned()), "{told:?}");

    // A co-handler gets one more month for its opinion.
    case.accept(1).await;
    let other = &town.unit_clerks[1];
    assert_eq!(case.due_on(1, "K08").await, "2026-04-27");
    let why = Why::Field("/new_date", "over_the_cap");
    case.row_refuses(other, 1, "request-extension", extension("2026-06-01"), why)
        .await;
    case.on_row(1, "request-extension", extension("2026-05-27"))
        .await;
    case.decides(1, "grant-extension", json!({})).await;
    assert_eq!(case.due_on(1, "K08").await, "2026-05-27");

    // Too late.
    at(&app, "2026-07-15T16:00:01Z");
    let late = Why::Guard("due_date_ahead");
    case.row_refuses(clerk, 0, "request-extension", extension("2026-08-31"), late)
        .await;
    let late = Why::Guard("due_date_ahead");
    case.row_refuses(clerk, 0, "request-pause", pause("2026-07-20"), late)
        .await;
    case.witness(&["AT11", "AT12"]).await;
}

#[actix_web::test]
async fn a_pause_runs_from_its_decision_until_it_is_ended_or_its_end_comes() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = assigned_at(&app, &town, "2026-03-25T02:00:00Z", "sole", &[0]).await;
    let (clerk, officer) = (&town.unit_clerks[0], &town.officer);
    case.accept(0).await;
    days(&app, 1);
    let due = case.due(0, "K10").await;
    case.row_refuses(
        officer,
        0,
        "pause-clock",
        json!({}),
        Why::Guard("pause_open"),
    )
    .await;
    case.row_refuses(
        officer,
        0,
        "deny-pause",
        json!({ "reason": "无。" }),
        Why::Guard("pause_open"),
    )
    .await;
    case.row_refuses(
        officer,
        0,
        "resume-clock",
        json!({}),
        Why::Guard("pause_running"),
    )
    .await;
    for (date, code) in [("2026-03-26", "in_past"), ("2026-04-26", "over_the_cap")] {
        let why = Why::Field("/expected_end", code);
        case.row_refuses(clerk, 0, "request-pause", pause(date), why)
            .await;
    }
    case.on_row(0, "request-pause", pause("2026-04-07")).await;
    assert_eq!(case.due(0, "K10").await, due, "I8");
    assert!(
        case.desk(officer)
            .await
            .contains(&"decide_pause".to_owned())
    );
    case.row_refuses(
        clerk,
        0,
        "request-pause",
        pause("2026-04-07"),
        Why::Guard("no_open_pause"),
    )
    .await;
    case.row_refuses(clerk, 0, "pause-clock", json!({}), Why::Right)
        .await;
    case.decides(0, "deny-pause", json!({ "reason": "现行标准不影响办理。" }))
        .await;
    assert_eq!(case.due(0, "K10").await, due);

    // Twelve days from 26 March: the due date of 25 June moves to 7 July.
    case.on_row(0, "request-pause", pause("2026-04-07")).await;
    case.decides(0, "pause-clock", json!({})).await;
    let clock = case.clock(0, "K10").await.expect("it runs");
    assert_eq!(
        (&clock["due_on"], &clock["paused_until"]),
        (&json!("2026-07-07"), &json!("2026-04-07"))
    );
    assert_eq!(clock["original_due_at"], json!(due.to_string()));
    case.row_refuses(
        clerk,
        0,
        "request-pause",
        pause("2026-04-08"),
        Why::Guard("no_pause_running"),
    )
    .await;
    // The unit may still ask for more time; the pause goes on meanwhile.
    // AT15 by the system: seen when the day has come, written with the next act.
    at(&app, "2026-04-06T15:59:59Z");
    assert!(case.clock(0, "K10").await.expect("it runs")["paused_until"].is_string());
    at(&app, "2026-04-06T16:00:00Z");
    assert!(case.clock(0, "K10").await.expect("it runs")["paused_until"].is_null());
    assert_eq!(case.times("AT15").await, 0);
    case.row_refuses(
        officer,
        0,
        "resume-clock",
        json!({}),
        Why::Guard("pause_running"),
    )
    .await;
    case.contact(0).await;
    assert_eq!(case.times("AT15").await, 1);
    assert_eq!(case.due_on(0, "K10").await, "2026-07-07");

    // AT15 by the officer: only the days that really were paused count.
    case.on_row(0, "request-pause", pause("2026-04-17")).await;
    case.decides(0, "pause-clock", json!({})).await;
    days(&app, 3);
    case.decides(0, "resume-clock", json!({ "note": "标准已发布。" }))
        .await;
    assert_eq!(case.times("AT15").await, 2);
    let clock = case.clock(0, "K10").await.expect("it runs");
    assert_eq!(clock["due_on"], "2026-07-10");
    assert_eq!(clock["changes"].as_array().map(Vec::len), Some(2));
    let told = case.events_seen_by(&case.proposer).await;
    for name in ["clock.paused", "clock.resumed"] {
        assert!(told.contains(&name.to_owned()), "{told:?}");
    }
    case.witness(&["AT13", "AT14", "AT15"]).await;
}

#[actix_web::test]
async fn due_dates_are_those_of_the_reference() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let vectors = [
        // 3 mo, rolled over Dragon Boat.
        ("2026-03-20T02:00:00Z", "K10", "2026-06-22"),
        // 15 wd over Labour Day, with a make-up day.
        ("2026-04-20T02:00:00Z", "K07", "2026-05-13"),
        ("2026-08-31T02:00:00Z", "K10", "2026-11-30"),
        // 1 mo that would end in the holidays.
        ("2026-09-02T02:00:00Z", "K08", "2026-10-08"),
    ];
    for (start, kind, last) in vectors {
        let case = assigned_at(&app, &town, start, "joint", &[0, 1]).await;
        let unit = usize::from(kind == "K08");
        assert_eq!(case.due_on(unit, kind).await, last, "{kind} from {start}");
    }
    // 7 cd from a Friday end in Mid-Autumn and roll.
    let case = assigned_at(&app, &town, "2026-09-17T02:00:00Z", "sole", &[0]).await;
    days(&app, 1);
    case.request_return(0, 1).await;
    assert_eq!(case.due_on(0, "K06").await, "2026-09-28");
}

#[actix_web::test]
async fn what_was_asked_for_lapses_when_the_reply_is_delivered() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = assigned_at(&app, &town, "2026-03-25T02:00:00Z", "sole", &[0]).await;
    case.accept(0).await;
    case.on_row(0, "request-extension", extension("2026-07-31"))
        .await;
    let suggest = json!({ "units": [town.units[1]], "reason": "建议增加会办单位。" });
    case.on_row(0, "suggest-units", suggest).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    case.sign(0).await;
    case.approve(0).await;
    case.deliver(0).await;
    let desk = case.desk(&town.officer).await;
    assert!(!desk.contains(&"decide_extension".to_owned()), "{desk:?}");
    assert!(!desk.contains(&"answer_suggestion".to_owned()), "{desk:?}");
    case.row_refuses(&town.officer, 0, "grant-extension", json!({}), Why::State)
        .await;
    // Nothing open stands in the way of the end.
    case.rate(&town.members[0], 0).await;
    case.close().await;
    case.witness(&["AT11", "AT16", "PT25"]).await;
}
