//! How the databases answer the statements of every day: by the keys that they were given, whatever is
//! known of the tables. A database that was never analysed must not read the rows of a whole committee
//! to find those of one case.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use awc::http::Method;
use jianjian::store::DatabaseUrl;
use serde_json::json;

use crate::support::TestApp;
use crate::support::database::TestDatabase;
use crate::support::document::operations;
use crate::support::everything;
use crate::support::smtp::Smtp;
use crate::support::story::{Story, form, members};
use crate::support::units::days;

/// Tables of which a committee has few rows, or of which all are wanted; what waits in the outbox; and
/// what SQLite calls the rows of a statement itself.
const FEW: &[&str] = &[
    "committees",
    "terms",
    "sessions",
    "policy_profiles",
    "refusal_reasons",
    "calendars",
    "openid_providers",
    "signing_keys",
    "seal_keys",
    "webhooks",
    "outbox",
    "VALUES CLAUSE",
];
/// The steps of a walk over committees: over what it has found so far, and over all of that.
const WALK: &[&str] = &["SCAN w", "SCAN walk"];
/// The first cases of a unit, of which a statement has limited how many there are.
const WINDOW: &[&str] = &["SCAN source", "SCAN cases"];

/// The statements while a joint case goes from draft to closed, and while everybody looks at it.
async fn statements_of_a_year(app: &TestApp) -> BTreeSet<String> {
    let town = app.town().await;
    let heard = listening(app);
    let people = &town.members;
    let body = json!({ "kind": "joint", "form": form() });
    let mut case = Story::draft_of(app, &town, &people[0], body).await;
    let invited = json!({ "member_ids": members(&people[1..3]) });
    case.does(&people[0], "invite-cosigners", invited).await;
    case.does(&people[1], "consent-cosign", json!({})).await;
    case.submit().await;
    case.examine_all().await;
    case.file().await;
    case.assign("joint", &[0, 1]).await;
    case.accept(0).await;
    case.accept(1).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    case.give_opinion(1).await;
    case.request_countersign(0).await;
    case.countersign(0, 1).await;
    case.sign(0).await;
    case.approve(0).await;
    case.deliver(0).await;
    let path = case.path();
    let seen = [
        (&town.staff, path.clone()),
        (&town.staff, format!("{path}/actions")),
        (&town.staff, format!("{path}/timeline")),
        (&town.staff, format!("{path}/clocks")),
        (&town.staff, case.row(0)),
        (&town.staff, case.reply(0)),
        (&town.staff, "/api/v1/proposals?limit=20".to_owned()),
        (
            &town.staff,
            format!("/api/v1/proposals?unit_id={}&status=handled", town.units[0]),
        ),
        (&town.unit_clerks[0], "/api/v1/proposals".to_owned()),
        (&town.unit_clerks[0], "/api/v1/desk".to_owned()),
        (&people[0], "/api/v1/desk".to_owned()),
        (&people[0], "/api/v1/proposals".to_owned()),
        (&people[0], "/api/v1/notifications".to_owned()),
    ];
    for (who, path) in seen {
        case.as_(who).get(&path).send().await.status(200);
    }
    case.rate(&people[0], 0).await;
    let heard = heard.lock().expect("a list");
    heard.clone()
}

/// The statements while a committee gets something of everything, while everybody reads every list
/// of it, and while a year goes by in which nobody does anything.
async fn statements_of_everything(app: &TestApp) -> BTreeSet<String> {
    let heard = listening(app);
    let town = everything::town(app).await;
    let document = app.openapi().await;
    let lists: Vec<_> = operations(&document)
        .into_iter()
        .filter(|one| one.method == Method::GET && !one.public && !one.endless)
        .filter(|one| one.in_path.is_empty() && one.in_query.iter().all(|query| !query.required))
        .collect();
    assert!(lists.len() > 30, "{}", lists.len());
    for who in [
        &town.staff,
        &town.unit_clerks[0],
        &town.members[0],
        &town.auditor,
        &town.administrator,
    ] {
        let client = app.signed_in(&town, who);
        for list in &lists {
            client.get(&list.path).send().await;
        }
    }
    for _ in 0..52 {
        days(app, 7);
        app.work().await;
    }
    let heard = heard.lock().expect("a list");
    heard.clone()
}

/// What is heard from here on.
fn listening(app: &TestApp) -> Arc<Mutex<BTreeSet<String>>> {
    let heard = Arc::new(Mutex::new(BTreeSet::new()));
    let list = Arc::clone(&heard);
    app.db().listen(move |sql| {
        list.lock().expect("a list").insert(sql.to_owned());
    });
    heard
}

/// What is wrong with the plan of a statement, if something is.
fn wrong(sql: &str, steps: &[String]) -> Option<String> {
    let sorts = steps
        .iter()
        .any(|step| step.contains("TEMP B-TREE") || step.contains("Sort"));
    // The first rows of a list in the order of its key, or the last one.
    let is_page = (sql.contains("LIMIT") || sql.contains("max(")) && !sorts;
    let few =
        |step: &str| FEW.iter().any(|table| step.contains(table)) || step.contains("CONSTANT");
    steps
        .iter()
        .find(|step| {
            let step = step.trim();
            let whole = step.starts_with("SCAN ") || step.contains("Seq Scan");
            // PostgreSQL knows how many rows there are, and may do so where they are few.
            let tenant = step.ends_with("(committee_id=?)");
            let bounded = WALK.contains(&step) || WINDOW.iter().any(|name| step.starts_with(name));
            (whole || tenant && !is_page) && !few(step) && !bounded
        })
        .cloned()
}

#[actix_web::test]
async fn every_statement_of_a_case_finds_its_rows_by_a_key_in_a_database_without_statistics() {
    let app = TestApp::start().await;
    let statements = statements_of_a_year(&app).await;
    all_by_a_key(&app, &statements);
}

#[actix_web::test]
async fn so_does_every_statement_of_lists_and_of_what_happens_by_itself() {
    let server = Smtp::start().await;
    let app = TestApp::start_with(|config| server.settings(config)).await;
    let statements = statements_of_everything(&app).await;
    all_by_a_key(&app, &statements);
}

fn all_by_a_key(app: &TestApp, statements: &BTreeSet<String>) {
    let is_query = |sql: &&String| {
        let words = ["SELECT", "WITH", "UPDATE", "DELETE", "INSERT"];
        // What a caller without any rights asks is answered without a look at the rows.
        words.iter().any(|word| sql.starts_with(word)) && !sql.contains("AND (1=0)")
    };
    let asked: Vec<_> = statements.iter().filter(is_query).collect();
    // What an act writes goes to PostgreSQL as one, and what belongs to a case is read by one.
    assert!(asked.len() > 40, "{}", asked.len());
    let database = app.database();
    let wrong: Vec<_> = asked
        .iter()
        .filter_map(|sql| Some((wrong(sql, &database.steps(sql))?, sql)))
        .map(|(step, sql)| format!("{step}\n    {sql}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[actix_web::test]
async fn a_statement_that_reads_a_whole_committee_is_found() {
    let app = TestApp::start().await;
    let by_hand = "SELECT id FROM proposals WHERE title = 'x'";
    assert!(wrong(by_hand, &app.database().steps(by_hand)).is_some());
    let by_key = "SELECT seq FROM events WHERE committee_id = (SELECT id FROM committees LIMIT 1) AND name = 'x'";
    assert!(wrong(by_key, &app.database().steps(by_key)).is_none());
}

#[actix_web::test]
async fn lists_of_a_unit_begin_with_its_rows() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listening = Arc::clone(&heard);
    app.db().listen(move |sql| {
        listening.lock().expect("a list").push(sql.to_owned());
    });
    let postgres = matches!(app.db().url(), DatabaseUrl::Postgres(_));
    if postgres {
        // It looks at the size of a table: where there is a handful, a walk over them is as good.
        Story::draft(&app, &town, &town.members[0]).await;
        app.database().execute(
            "INSERT INTO proposals SELECT copy.* FROM proposals AS p, generate_series(1, 5000) AS n, \
             jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'serial_no', -n)) AS copy",
        );
    }
    let of_unit = format!("/api/v1/proposals?unit_id={}", town.units[0]);
    let handled = format!("{of_unit}&status=handled");
    for (who, path) in [
        (&town.staff, of_unit.as_str()),
        (&town.staff, handled.as_str()),
        (&town.unit_clerks[0], "/api/v1/proposals"),
    ] {
        heard.lock().expect("a list").clear();
        app.signed_in(&town, who).get(path).send().await.status(200);
        let statements = heard.lock().expect("a list").clone();
        let pages: Vec<_> = statements
            .iter()
            .filter(|sql| sql.contains("title_folded") && sql.contains("LIMIT"))
            .collect();
        assert_eq!(pages.len(), 1, "{path}: {statements:?}");
        let steps = app.database().steps(pages[0]);
        let has = |words: &[&str]| {
            let all = |step: &&String| words.iter().all(|word| step.contains(word));
            steps.iter().any(|step| all(&step))
        };
        // Each case is fetched by its own key, not met on a walk over all.
        let key = if postgres {
            has(&["Cond: ", "committee_id = ", "id = ANY"])
        } else {
            has(&["SEARCH proposals", " id=?"])
        };
        assert!(has(&["assignments_unit_idx"]) && key, "{path}: {steps:#?}");
    }
}

#[test]
fn sqlite_is_built_so_that_a_plan_does_not_depend_on_values() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = TestDatabase::at(&directory.path().join("empty.db"));
    let options = database.names("SELECT compile_options AS name FROM pragma_compile_options");
    let has = |name: &str| options.iter().any(|option| option == name);
    assert!(
        has("ENABLE_QPSG") && has("DEFAULT_MEMSTATUS=0"),
        "{options:?}"
    );
    assert!(
        !has("ENABLE_STAT4") && !has("ENABLE_MEMORY_MANAGEMENT"),
        "{options:?}"
    );
}
