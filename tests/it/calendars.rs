//! Calendars as versions: importing a year, and what a new version does to open clocks (counting
//! rule 8; OT30; I23, I24).

use jianjian::app::calendars;
use jianjian::ids::ProposalId;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::seed::Town;
use crate::support::story::Story;
use crate::support::{Client, Reply};

const CALENDARS: &str = "/api/v1/calendars";
const SOURCE: &str = "国务院办公厅关于2027年部分节假日安排的通知";

fn csv(text: &str) -> Value {
    json!({ "source_note": SOURCE, "csv": text })
}

const YEAR: &str = "date,kind,name\n2027-01-01,holiday,元旦\n2027-02-06,makeup_workday,春节\n\
2027-02-07,holiday,春节\n2027-02-08,holiday,春节\n";

async fn import(client: &Client, body: &Value) -> Reply {
    client.post(CALENDARS).json(body).send().await
}

async fn days_of(client: &Client, version: &str, year: i16) -> Value {
    let path = format!("{CALENDARS}/{version}/days?year={year}");
    client.get(&path).send().await.status(200).json
}

#[actix_web::test]
async fn a_year_is_imported_from_csv_after_a_trial() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let admin = app.signed_in(&town, &town.administrator);
    let before = days_of(&admin, "current", 2027).await;
    assert_eq!(
        (&before["provisional"], &before["version"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(before["working_days"], 261, "weekends only");

    let rows = app.database().row_counts();
    let trial = admin.post(&format!("{CALENDARS}?validate_only=true"));
    let trial = trial.json(csv(YEAR)).send().await.status(201);
    assert_eq!(trial.json["calendar"]["version"], 2);
    assert_eq!(trial.json["years"], json!([2027]));
    assert_eq!(
        trial.json["changes"][1],
        json!({
            "date": "2027-02-06", "after": "makeup_workday", "name": "春节"
        })
    );
    assert_eq!(app.database().row_counts(), rows, "nothing is kept");
    assert_eq!(days_of(&admin, "current", 2027).await["version"], 1);

    let made = import(&admin, &csv(YEAR)).await.status(201);
    assert_eq!(made.text_header("location"), format!("{CALENDARS}/2"));
    assert_eq!(made.json["calendar"]["source_note"], SOURCE);
    let member = app.signed_in(&town, &town.members[0]);
    let now = days_of(&member, "current", 2027).await;
    assert_eq!(
        (&now["provisional"], &now["version"]),
        (&json!(false), &json!(2))
    );
    // 7 February 2027 is a Sunday anyway.
    assert_eq!(now["working_days"], 261 - 2 + 1);
    assert_eq!(now["days"][1]["source_note"], SOURCE);
    assert_eq!(days_of(&member, "2", 2028).await["provisional"], true);
    // The first version stays as it is, and other years come along.
    assert_eq!(days_of(&member, "1", 2027).await["provisional"], true);
    let old = days_of(&member, "1", 2026).await["days"].clone();
    assert_eq!(days_of(&member, "2", 2026).await["days"], old);
    let listed = member.get(CALENDARS).send().await.status(200).json;
    let versions: Vec<_> = listed["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["version"].clone())
        .collect();
    assert_eq!(versions, [2, 1]);
    let page = member
        .get(&format!("{CALENDARS}?limit=1&count=true"))
        .send()
        .await
        .status(200);
    assert_eq!(page.json["count"], 2);
    let next = page.text("/next_cursor");
    let rest = member
        .get(&format!("{CALENDARS}?cursor={next}"))
        .send()
        .await
        .status(200);
    assert_eq!(rest.json["items"][0]["version"], 1);
    let years = member
        .get(&format!("{CALENDARS}/current"))
        .send()
        .await
        .status(200)
        .json;
    assert_eq!(
        years["years"][3],
        json!({
            "year": 2027, "holidays": 3, "makeup_workdays": 1, "working_days": 260
        })
    );
    assert_eq!(years["years"][1]["working_days"], 248);
    member
        .get(&format!("{CALENDARS}/9"))
        .send()
        .await
        .status(404)
        .code("not-found");
    member
        .get(&format!("{CALENDARS}/9/days?year=2026"))
        .send()
        .await
        .status(404);
    member
        .get(&format!("{CALENDARS}/1/days?year=1999"))
        .send()
        .await
        .status(400)
        .code("invalid-parameter");
    import(&member, &csv(YEAR)).await.status(403);
    // Nothing new in it.
    import(&admin, &csv(YEAR))
        .await
        .status(422)
        .code("invalid-input");
}

#[actix_web::test]
async fn an_icalendar_file_says_the_same_as_a_table_and_as_a_list() {
    let app = TestApp::start().await;
    let ics = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270101\r\n\
        SUMMARY:元旦（休）\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270206\r\n\
        SUMMARY:春节（班）\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270207\r\n\
        DTEND;VALUE=DATE:20270209\r\nSUMMARY:春节（休）\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let list = json!([
        { "date": "2027-01-01", "kind": "holiday", "name": "元旦" },
        { "date": "2027-02-06", "kind": "makeup_workday", "name": "春节" },
        { "date": "2027-02-07", "kind": "holiday", "name": "春节" },
        { "date": "2027-02-08", "kind": "holiday", "name": "春节" },
    ]);
    let mut told = Vec::new();
    for (code, body) in [
        ("yunling", csv(YEAR)),
        ("luhe", json!({ "source_note": SOURCE, "icalendar": ics })),
        ("baishui", json!({ "source_note": SOURCE, "days": list })),
    ] {
        let town = app.town_called(code).await;
        let admin = app.signed_in(&town, &town.administrator);
        import(&admin, &body).await.status(201);
        told.push(days_of(&admin, "current", 2027).await);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
}

#[actix_web::test]
async fn a_broken_line_is_named_and_nothing_is_imported() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let admin = app.signed_in(&town, &town.administrator);
    let rows = app.database().row_counts();
    let broken = "date,kind,name\n2027-01-01,holiday,元旦\n2027-02-31,holiday,春节\n\
        2027-02-05,makeup_workday,春节\n";
    let reply = import(&admin, &csv(broken))
        .await
        .status(422)
        .code("invalid-input");
    assert_eq!(reply.json["lines"], json!([3]), "{reply}");
    assert_eq!(reply.json["errors"][0]["pointer"], "/csv");
    assert!(reply.text("/errors/0/detail").contains('3'), "{reply}");
    let weekday = YEAR.replace("2027-02-06", "2027-02-05");
    let reply = import(&admin, &csv(&weekday)).await.status(422);
    assert_eq!(reply.json["lines"], json!([3]));
    let event = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20270101T090000\nSUMMARY:元旦（休）\n\
        END:VEVENT\nEND:VCALENDAR\n";
    let body = json!({ "source_note": SOURCE, "icalendar": event });
    assert_eq!(
        import(&admin, &body).await.status(422).json["lines"],
        json!([3, 2])
    );
    for body in [
        json!({ "source_note": SOURCE }),
        json!({ "source_note": SOURCE, "csv": YEAR, "icalendar": event }),
    ] {
        import(&admin, &body)
            .await
            .status(422)
            .code("invalid-input");
    }
    let twice = json!({ "date": "2027-01-01", "kind": "holiday", "name": "元旦" });
    let body = json!({ "source_note": SOURCE, "days": [twice, twice] });
    import(&admin, &body).await.status(422).blames(&["/days/1"]);
    import(&admin, &json!({ "source_note": " ", "csv": YEAR }))
        .await
        .status(422);
    assert_eq!(app.database().row_counts(), rows);
}

/// The year 2026 as it is, with one more holiday.
async fn with_holiday(client: &Client, date: &str) -> Value {
    let mut days = days_of(client, "1", 2026).await["days"].clone();
    let days = days.as_array_mut().expect("days");
    days.push(json!({ "date": date, "kind": "holiday", "name": "临时放假" }));
    json!({ "source_note": "国务院办公厅关于调整放假安排的通知", "days": days })
}

fn id(case: &Story<'_>) -> ProposalId {
    case.id.parse().expect("an id")
}

async fn pending(app: &TestApp, town: &Town) -> Vec<ProposalId> {
    let committee = town.committee;
    app.read(move |tx| calendars::to_recompute(tx, committee, None, 100))
        .await
}

/// Lets the worker do what is due; whether it wrote anything about the case.
async fn recompute(app: &TestApp, case: &Story<'_>) -> bool {
    let before = case.trail().await.len();
    app.work().await;
    case.trail().await.len() > before
}

#[actix_web::test]
async fn a_new_version_moves_open_clocks_and_logs_both_dates() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let admin = app.signed_in(&town, &town.administrator);
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    assert_eq!(case.due_on(0, "K05").await, "2026-03-09");
    let (reply, contact) = (case.due_on(0, "K10").await, case.due_on(0, "K07").await);
    // An extension sets a date: it counts on no calendar.
    let more = json!({ "reason": "须经会议审议。", "signatory": "林涛", "new_date": "2026-07-01" });
    case.on_row(0, "request-extension", more).await;
    case.decides(0, "grant-extension", json!({})).await;
    assert_eq!(
        (reply.as_str(), contact.as_str()),
        ("2026-06-02", "2026-03-23")
    );
    let before = case.seen_by(&town.staff).await.version();
    let desk = |who: Client| async move {
        let page = who.get("/api/v1/desk").send().await.status(200);
        page.json["items"][0]["due_on"].clone()
    };
    let clerk = case.as_(&town.unit_clerks[0]);
    assert_eq!(desk(clerk).await, "2026-03-23");

    let trial = admin.post(&format!("{CALENDARS}?validate_only=true"));
    let trial = trial
        .json(with_holiday(&admin, "2026-03-04").await)
        .send()
        .await
        .status(201);
    assert_eq!(trial.json["open_cases"], 1);
    assert!(pending(&app, &town).await.is_empty());
    import(&admin, &with_holiday(&admin, "2026-03-04").await)
        .await
        .status(201);

    // Right at once, before the job has come by; and nothing is written by looking.
    assert_eq!(case.due_on(0, "K05").await, "2026-03-10");
    assert_eq!(case.seen_by(&town.staff).await.version(), before);
    assert_eq!(pending(&app, &town).await, [id(&case)]);
    assert!(recompute(&app, &case).await);
    assert!(!recompute(&app, &case).await, "once is enough");
    assert!(pending(&app, &town).await.is_empty());
    assert_eq!(case.seen_by(&town.staff).await.version(), before + 1);

    let clock = case.clock(0, "K05").await.expect("it runs");
    assert_eq!(clock["due_on"], "2026-03-10");
    assert_eq!(clock["original_due_at"], "2026-03-09T16:00:00Z");
    assert_eq!(clock["calendar_version"], 2);
    assert_eq!(
        clock["changes"],
        json!([{
            "change": "recounted", "from": "2026-03-02", "until": "2026-03-10",
            "due_before": "2026-03-09", "calendar_before": 1, "calendar_after": 2,
        }])
    );
    assert_eq!(case.due_on(0, "K10").await, "2026-07-01", "extended");
    assert_eq!(desk(case.as_(&town.unit_clerks[0])).await, "2026-03-24");
    let told = case.trail().await;
    let moved: Vec<_> = told
        .iter()
        .filter(|event| event.name == "clock.recounted")
        .collect();
    assert!(moved.len() >= 2, "K05 and K07");
    for event in &moved {
        assert_eq!(event.actor_name, "system");
        let input = &event.content.0["input"];
        assert_eq!(
            (&input["calendar_before"], &input["calendar_after"]),
            (&json!(1), &json!(2))
        );
        assert!(
            input["due_before"].as_str() < input["due_after"].as_str(),
            "{input}"
        );
    }
    case.witness(&["OT30"]).await;
}

#[actix_web::test]
async fn an_act_brings_its_case_along_and_later_days_concern_nobody() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let admin = app.signed_in(&town, &town.administrator);
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    // After every due date.
    import(&admin, &csv(YEAR)).await.status(201);
    assert!(pending(&app, &town).await.is_empty());
    let two = with_holiday(&admin, "2026-03-05").await;
    import(&admin, &two).await.status(201);
    assert_eq!(pending(&app, &town).await, [id(&case)]);
    case.accept(0).await;
    assert!(pending(&app, &town).await.is_empty());
    let clock = case.clock(0, "K05").await.expect("it runs");
    assert_eq!(
        (&clock["due_on"], &clock["calendar_version"]),
        (&json!("2026-03-10"), &json!(3))
    );
    case.witness(&["OT30", "AT02"]).await;
    // The holiday is taken back: the clock goes back with it, and both moves stand in it.
    let builtin = json!({
        "source_note": "更正", "days": days_of(&admin, "1", 2026).await["days"].as_array()
            .expect("days").clone()
    });
    import(&admin, &builtin).await.status(201);
    assert!(recompute(&app, &case).await);
    let clock = case.clock(0, "K05").await.expect("it runs");
    assert_eq!(clock["due_on"], "2026-03-09");
    assert_eq!(clock["changes"].as_array().map(Vec::len), Some(2));
}

#[actix_web::test]
async fn acts_pay_for_a_new_calendar_once() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let admin = app.signed_in(&town, &town.administrator);
    let mut cost = Vec::new();
    for round in 0..3 {
        if round == 1 {
            import(&admin, &csv(YEAR)).await.status(201);
        }
        let mut case = Story::draft(&app, &town, &town.members[0]).await;
        case.until_filed().await;
        case.assign("sole", &[0]).await;
        // Nobody is remembered.
        app.clock.advance(SignedDuration::from_secs(5));
        let before = app.db().statements();
        case.accept(0).await;
        cost.push(app.db().statements() - before);
    }
    assert_eq!(cost[0], cost[1]);
    assert_eq!(cost[0], cost[2]);
}
