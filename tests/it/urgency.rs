//! The urgent lane: OT06–OT09 with K03, K04, K10 (domain 4.1, 9.8), I37. Clocks count on the short
//! limits from their original start; units read early copies while those count.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::seed::Town;
use crate::support::sides::{policy, refusal};
use crate::support::story::{Story, meeting};
use crate::support::units::{Why, at, days};

fn reason() -> Value {
    json!({ "reason": "汛期将至，涉及堤防隐患，须提前办理。" })
}

/// Urgent, with reference copies for these units.
fn copies(town: &Town, units: &[usize]) -> Value {
    let units: Vec<_> = units.iter().map(|unit| town.units[*unit]).collect();
    json!({ "reason": "汛期将至。", "reference_units": units })
}

/// Status and role of the rows that the auditor sees, in order.
async fn rows(case: &Story<'_>) -> Vec<(String, String)> {
    let seen = case.seen_by(&case.town.auditor).await.status(200);
    let text = |row: &Value, name: &str| row[name].as_str().expect("text").to_owned();
    seen.json["handling"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| (text(row, "role"), text(row, "status")))
        .collect()
}

/// What a clock of the case says: limit, due moment, how often it changed.
async fn counts(case: &Story<'_>, kind: &str) -> (String, String, usize) {
    let clock = case.case_clock(kind).await.expect("it runs");
    (
        clock["limit"].as_str().expect("a limit").to_owned(),
        clock["due_at"].as_str().expect("a moment").to_owned(),
        clock["changes"].as_array().expect("changes").len(),
    )
}

#[actix_web::test]
async fn it_is_asked_for_refused_asked_again_granted_and_taken_back() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (member, chair) = (&town.members[0], &town.chair);
    let case = Story::draft(&app, &town, member).await;
    case.is_out_of_place(member, "request-urgency", reason())
        .await;
    case.submit().await;
    let ordinary = counts(&case, "K03").await;
    let path = case.path();
    let asked = || Why::Guard("urgency_requested");
    case.refuses_on(chair, &path, "refuse-urgency", reason(), asked())
        .await;
    let lane = || Why::Guard("is_urgent");
    case.refuses_on(chair, &path, "downgrade-urgency", reason(), lane())
        .await;
    for who in [&town.examiners[0], chair, &town.auditor] {
        case.refuses_on(who, &path, "request-urgency", reason(), Why::Right)
            .await;
    }
    let blank = json!({ "reason": "  " });
    let place = Why::Field("/reason", "required");
    case.refuses_on(member, &path, "request-urgency", blank, place)
        .await;
    case.does(member, "request-urgency", reason()).await;
    assert_eq!(counts(&case, "K03").await, ordinary, "I8");
    let open = Why::Guard("no_open_urgency");
    case.refuses_on(&town.staff, &path, "request-urgency", reason(), open)
        .await;
    let desk = case.desk(chair).await;
    assert!(desk.contains(&"decide_urgency".to_owned()), "{desk:?}");
    for who in [member, &town.staff, &town.examiners[0]] {
        for action in ["mark-urgent", "refuse-urgency"] {
            case.refuses_on(who, &path, action, reason(), Why::Right)
                .await;
        }
    }
    case.does(chair, "refuse-urgency", reason()).await;
    assert_eq!(counts(&case, "K03").await, ordinary);
    let desk = case.desk(chair).await;
    assert!(!desk.contains(&"decide_urgency".to_owned()), "{desk:?}");

    case.does(member, "request-urgency", reason()).await;
    app.clock.advance(jiff::SignedDuration::from_hours(2));
    let marked = case.does(chair, "mark-urgent", reason()).await;
    assert_eq!(marked.json["urgency"], "urgent", "{marked}");
    assert_eq!(marked.json["status"], "submitted", "I37");
    let desk = case.desk(chair).await;
    assert!(!desk.contains(&"decide_urgency".to_owned()), "{desk:?}");
    // From the original start, two hours ago.
    let urgent = ("24 h".to_owned(), "2026-03-03T01:00:00Z".to_owned(), 1);
    assert_eq!(counts(&case, "K03").await, urgent);
    let clock = case.case_clock("K03").await.expect("it runs");
    assert_eq!(clock["changes"][0]["change"], "relimited", "{clock}");
    assert_eq!(clock["original_due_at"], ordinary.1.as_str(), "I23");
    for (who, action, guard) in [
        (chair, "mark-urgent", "not_urgent"),
        (member, "request-urgency", "not_urgent"),
        (chair, "refuse-urgency", "urgency_requested"),
    ] {
        case.refuses_on(who, &path, action, reason(), Why::Guard(guard))
            .await;
    }
    // Back, even when the day of the session record is past: it was not at the start.
    at(&app, "2026-03-21T02:00:00Z");
    case.does(chair, "downgrade-urgency", reason()).await;
    let back = (ordinary.0, ordinary.1, 2);
    assert_eq!(counts(&case, "K03").await, back);
    assert_eq!(case.status().await, "submitted", "I37");
    case.is_whole().await;
    case.witness(&["OT06", "OT07", "OT08", "OT09"]).await;
}

#[actix_web::test]
async fn assignment_and_reply_count_from_their_start_too_with_pauses_and_extensions_kept() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let chair = &town.chair;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    let ordinary = counts(&case, "K04").await;
    days(&app, 1);
    case.does(&town.officer, "request-urgency", reason()).await;
    case.does(chair, "mark-urgent", reason()).await;
    let urgent = ("48 h".to_owned(), "2026-03-04T01:00:00Z".to_owned(), 1);
    assert_eq!(counts(&case, "K04").await, urgent);
    case.does(chair, "downgrade-urgency", reason()).await;
    assert_eq!(counts(&case, "K04").await, (ordinary.0, ordinary.1, 2));
    let path = case.path();
    let place = Why::Field("/reference_units", "not_allowed");
    case.refuses_on(chair, &path, "mark-urgent", copies(&town, &[0]), place)
        .await;

    // K10: three months from 3 March, thirty days when urgent, and nine days of pause: the day on
    // which it started is not counted anyway.
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    assert_eq!(case.due_on(0, "K10").await, "2026-06-03");
    let pause = json!({
        "reason": "等待国家标准发布。", "signatory": "林涛", "expected_end": "2026-03-13",
    });
    case.on_row(0, "request-pause", pause).await;
    case.decides(0, "pause-clock", json!({})).await;
    assert_eq!(case.due_on(0, "K10").await, "2026-06-12");
    days(&app, 1);
    case.does(&town.staff, "request-urgency", reason()).await;
    case.does(chair, "mark-urgent", reason()).await;
    assert_eq!(case.due_on(0, "K10").await, "2026-04-13");
    case.does(chair, "downgrade-urgency", reason()).await;
    assert_eq!(case.due_on(0, "K10").await, "2026-06-12");
    let clock = case.clock(0, "K10").await.expect("it runs");
    let changes: Vec<_> = clock["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .collect();
    assert_eq!(changes.len(), 3, "{clock}");
    assert_eq!(changes[0]["change"], "paused");

    // A date that was granted holds in either lane.
    at(&app, "2026-03-16T02:00:00Z");
    let longer = json!({ "reason": "须经审议。", "signatory": "林涛", "new_date": "2026-07-15" });
    case.on_row(0, "request-extension", longer).await;
    case.decides(0, "grant-extension", json!({})).await;
    case.does(chair, "mark-urgent", reason()).await;
    assert_eq!(case.due_on(0, "K10").await, "2026-07-15");
    case.does(chair, "downgrade-urgency", reason()).await;
    assert_eq!(case.due_on(0, "K10").await, "2026-07-15");
    assert_eq!(case.status().await, "assigned", "I37");
    // What is asked for and not decided by the end of the handling lapses.
    case.does(&town.staff, "request-urgency", reason()).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    case.sign(0).await;
    case.approve(0).await;
    case.deliver(0).await;
    case.is_out_of_place(chair, "mark-urgent", reason()).await;
    let desk = case.desk(chair).await;
    assert!(!desk.contains(&"decide_urgency".to_owned()), "{desk:?}");
    case.rate(&town.members[0], 0).await;
    case.close().await;
    case.is_whole().await;
    case.witness(&["OT06", "OT07", "OT09", "PT25"]).await;
}

#[actix_web::test]
async fn units_read_an_early_copy_until_it_ends() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let elsewhere = app.town_called("linjiang").await;
    let (chair, unit) = (&town.chair, &town.unit_clerks[1]);
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.submit().await;
    case.seen_by(unit).await.status(404);
    let path = case.path();
    let wrong = [
        (copies(&town, &[1, 1]), "/reference_units/1", "duplicate"),
        (
            copies(&elsewhere, &[1]),
            "/reference_units/0",
            "unknown_unit",
        ),
    ];
    for (body, place, code) in wrong {
        let why = Why::Field(place, code);
        case.refuses_on(chair, &path, "mark-urgent", body, why)
            .await;
    }
    let mut voided = Vec::new();
    let reference = |status: &str| ("reference".to_owned(), status.to_owned());
    for end in [
        "recall",
        "return-for-revision",
        "downgrade-urgency",
        "not-file",
    ] {
        let marked = case.does(chair, "mark-urgent", copies(&town, &[1])).await;
        assert_eq!(marked.json["status"], "submitted", "I37");
        let mut expected = voided.clone();
        expected.push(reference("pending"));
        assert_eq!(rows(&case).await, expected, "{end}");
        case.seen_by(unit).await.status(200);
        assert!(case.is_listed_for(&case.as_(unit)).await, "{end}");
        assert!(case.desk(unit).await.is_empty(), "it owes nothing");
        case.seen_by(&town.unit_clerks[2]).await.status(404);
        let kinds = case.seen_by(&town.auditor).await.json["clocks"].clone();
        assert_eq!(kinds.as_array().map(Vec::len), Some(1), "no clock: {kinds}");
        let (who, body) = match end {
            "recall" => (&town.members[0], json!({})),
            "not-file" => (chair, refusal(&["bad_form"], "kept")),
            _ => (chair, reason()),
        };
        case.does(who, end, body).await;
        voided.push(reference("void"));
        assert_eq!(rows(&case).await, voided, "{end}");
        case.seen_by(unit).await.status(404);
        assert!(!case.is_listed_for(&case.as_(unit)).await, "{end}");
        match end {
            "recall" | "return-for-revision" => {
                let text = json!({ "situation": format!("老城区道路狭窄（{end}）。") });
                case.edit(text).await;
                case.submit().await;
                case.does(chair, "downgrade-urgency", reason()).await;
            }
            _ => {}
        }
    }
    assert_eq!(case.times("AT01").await, 4);
    assert_eq!(case.times("AT17").await, 4);
    // Withdrawal ends it as well, and a request that nobody could decide any more.
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.submit().await;
    case.does(chair, "mark-urgent", copies(&town, &[1])).await;
    case.does(&town.members[0], "withdraw", reason()).await;
    assert_eq!(rows(&case).await, [reference("void")]);
    case.seen_by(unit).await.status(404);
    for end in ["withdraw", "not-file"] {
        let case = Story::draft(&app, &town, &town.members[0]).await;
        case.submit().await;
        case.does(&town.members[0], "request-urgency", reason())
            .await;
        match end {
            "withdraw" => case.does(&town.members[0], end, reason()).await,
            _ => case.does(chair, end, refusal(&["bad_form"], "kept")).await,
        };
        let desk = case.desk(chair).await;
        assert!(
            !desk.contains(&"decide_urgency".to_owned()),
            "{end}: {desk:?}"
        );
        if end == "withdraw" {
            case.does(&town.staff, "archive", json!({})).await;
        }
    }
    case.is_whole().await;
}

#[actix_web::test]
async fn a_unit_with_an_early_copy_can_lead_and_one_that_keeps_it_never_blocks() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.submit().await;
    case.does(&town.chair, "mark-urgent", copies(&town, &[0, 1]))
        .await;
    case.examine_all().await;
    case.does(&town.chair, "file", meeting()).await;
    case.assign("sole", &[0]).await;
    let mut found = rows(&case).await;
    found.sort();
    let wanted = [
        ("lead", "pending"),
        ("reference", "pending"),
        ("reference", "void"),
    ];
    let wanted = wanted.map(|(role, status)| (role.to_owned(), status.to_owned()));
    assert_eq!(found, wanted);
    case.read_rows().await;
    assert_eq!(case.due_on(0, "K10").await, "2026-04-01");
    case.answer(0).await;
    assert_eq!(case.status().await, "handled");
    case.rate(&town.members[0], 0).await;
    assert_eq!(case.close().await.json["status"], "closed");
    case.seen_by(&town.unit_clerks[1]).await.status(200);
    case.witness(&["OT07", "PT19", "PT25"]).await;
}

#[actix_web::test]
async fn of_a_fixed_date_and_the_urgent_limit_the_earlier_holds() {
    let app = TestApp::start().await;
    let town = app.town().await;
    for (fixed, urgent) in [("2026-06-20", "2026-04-01"), ("2026-03-20", "2026-03-20")] {
        let settings = json!({ "reply.fixed_date": fixed });
        policy(&app, &town, settings).await;
        let mut case = Story::draft(&app, &town, &town.members[0]).await;
        case.until_filed().await;
        case.assign("sole", &[0]).await;
        assert_eq!(case.due_on(0, "K10").await, fixed);
        case.does(&town.chair, "mark-urgent", reason()).await;
        assert_eq!(case.due_on(0, "K10").await, urgent);
        case.does(&town.chair, "downgrade-urgency", reason()).await;
        assert_eq!(case.due_on(0, "K10").await, fixed);
    }
    let settings = json!({ "urgent.reference_copy_before_filing": false });
    policy(&app, &town, settings).await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.submit().await;
    let (path, place) = (case.path(), Why::Field("/reference_units", "not_allowed"));
    case.refuses_on(
        &town.chair,
        &path,
        "mark-urgent",
        copies(&town, &[1]),
        place,
    )
    .await;
}
