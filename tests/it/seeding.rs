//! Synthetic committees: valid under every check, worked with like any other, written once.

use jianjian::config::{Config, Sources};
use jianjian::error::{Code, Result};
use jianjian::seed::{self, Seeded, Wish, Years};
use jianjian::startup;
use jianjian::store::verify;
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

/// About 30 cases a year instead of 590.
async fn years(app: &TestApp) -> Years {
    let mut config = Config::load(&Sources::default()).expect("the defaults");
    config.auth.argon2_memory_kib = 64;
    config.auth.argon2_iterations = 1;
    let settings = startup::app_settings(&config);
    Years::tell(&settings, app.clock_now(), 20)
        .await
        .expect("two years")
}

async fn seed(app: &TestApp, years: &Years, proposals: u64, append: bool) -> Result<Seeded> {
    let wish = Wish { proposals, append };
    seed::run(app.db(), years, wish, |_, _| {}).await
}

async fn sign_in(app: &TestApp, committee: &str, username: &str) -> Client {
    let offered = json!({
        "committee": committee, "username": username, "password": jianjian::demo::PASSWORD,
    });
    let login = app.anonymous().post("/api/v1/auth/login").json(offered);
    app.client(&login.send().await.status(200).text("/access_token"))
}

async fn all(client: &Client, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut next = format!("{path}limit=100");
    loop {
        let page = client.get(&next).send().await.status(200);
        items.extend(page.json["items"].as_array().expect("items").clone());
        match page.json["next_cursor"].as_str() {
            Some(cursor) => next = format!("{path}limit=100&cursor={cursor}"),
            None => return items,
        }
    }
}

/// I2, I3: numbers without a gap, session by session; and the audit trail is whole.
#[actix_web::test]
async fn seeded_committees_are_like_those_that_people_made() {
    let app = TestApp::start().await;
    let years = years(&app).await;
    let made = seed(&app, &years, 400, false)
        .await
        .expect("some committees");
    assert!(made.made >= 400 && made.kept == 0, "{made:?}");
    assert!(made.committees > 1, "{made:?}");
    let report = app.read(verify::run).await;
    assert_eq!(report.broken, None);
    assert!(report.events > 3000, "{report:?}");

    // A province with two copies of a year in each of five sessions.
    let staff = sign_in(&app, "seed-0000", "staff").await;
    let committee = staff.get("/api/v1/auth/me").send().await.status(200);
    assert!(committee.text("/committee/name").ends_with("省委员会"));
    let sessions = all(&staff, "/api/v1/sessions?").await;
    assert_eq!(sessions.len(), 5);
    let mut total = 0;
    for session in &sessions {
        let id = session["id"].as_str().expect("an id");
        let cases = all(&staff, &format!("/api/v1/proposals?session_id={id}&")).await;
        for number in ["serial_no", "case_no"] {
            let mut numbers: Vec<_> = cases
                .iter()
                .filter_map(|case| case[number].as_i64())
                .collect();
            numbers.sort_unstable();
            let count = i64::try_from(numbers.len()).expect("few");
            assert!(count > 10, "{count}");
            assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "{number} of {id}");
        }
        total += cases.len();
    }
    assert!(total > 200, "{total}");

    // Work goes on where the copies end.
    let filed = &all(&staff, "/api/v1/proposals?status=filed&").await[0];
    let case = filed["id"].as_str().expect("an id");
    let case_of = staff.get(&format!("/api/v1/proposals/{case}")).send().await;
    let officer = match case_of.status(200).text("/assigning_line").as_str() {
        "government" => "officer.gov",
        "party" => "officer.party",
        _ => "officer.cppcc",
    };
    let officer = sign_in(&app, "seed-0000", officer).await;
    let unit = all(&officer, "/api/v1/units?").await[0]["id"].clone();
    let assign = officer.post(&format!("/api/v1/proposals/{case}/actions/assign"));
    let body = json!({
        "handling_kind": "sole", "opinion": "请于三个月内答复。",
        "rows": [{ "role": "lead", "unit_id": unit }],
    });
    let assigned = assign.header("If-Match", "*").json(body).send().await;
    assert_eq!(assigned.status(200).text("/status"), "assigned");
    app.work().await;
    assert_eq!(app.read(verify::run).await.broken, None);

    // A due date of a copy is explained by its own inputs (I24).
    let clocks = all(&staff, "/api/v1/clocks?kind=K10&").await;
    assert!(!clocks.is_empty());
    for clock in clocks.iter().take(5) {
        let id = clock["id"].as_str().expect("an id");
        let told = staff.get(&format!("/api/v1/clocks/{id}/explanation"));
        let told = told.send().await.status(200);
        let last = told.json["days"].as_array().expect("days").last().cloned();
        assert_eq!(last.expect("a day")["date"], clock["due_on"], "{id}");
    }
}

#[actix_web::test]
async fn an_interrupted_run_is_taken_up_and_others_are_left_alone() {
    let app = TestApp::start().await;
    let told = years(&app).await;
    let first = seed(&app, &told, 100, false).await.expect("some");
    let refused = seed(&app, &told, 100, false).await;
    let refused = refused.expect_err("not empty");
    assert_eq!(refused.code(), Code::InUse);
    // What is there is kept, though another run has told its years anew; the rest is added.
    let told = years(&app).await;
    let again = seed(&app, &told, 100, true).await.expect("nothing to do");
    assert_eq!((again.made, again.kept), (0, first.made));
    let more = seed(&app, &told, 200, true).await.expect("more");
    assert!(more.made > 0 && more.kept > 0, "{more:?}");
    assert_eq!(app.read(verify::run).await.broken, None);
}
