//! How many statements one request of each operation of the benchmark sends: exactly so many as stand in
//! `statements.txt`, for either database. One more is a round trip more for everybody, so it is seen when it
//! comes and not when somebody measures the next time.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use jianjian::store::DatabaseUrl;
use serde_json::{Value, json};

use crate::support::seed::{PASSWORD, Person, Town};
use crate::support::story::{Story, contact, form, meeting, opinion, reply_form};
use crate::support::{Request, TestApp, files};

/// Where the numbers stand.
const TABLE: &str = "tests/it/statements.txt";
const HEAD: &str = "\
# Statements of one request of each operation, the beginning and the end of transactions among them.
# `UPDATE=1 cargo test --test it statements` writes the column of SQLite; with PostgreSQL, the other one:
# `UPDATE=1 scripts/lib/postgres.sh cargo test --test it statements`. A larger number needs a reason.
# Whoever reads is remembered from the first request, which is `me`.
";

/// Hears every statement.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<String>>>);

impl Ear {
    fn of(app: &TestApp) -> Self {
        let ear = Self::default();
        let heard = ear.clone();
        app.db().listen(move |sql| {
            // How large the database is, is asked every two seconds beside all requests.
            if !sql.contains("pg_database_size") {
                heard.0.lock().expect("a list").push(sql.to_owned());
            }
        });
        ear
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("a list"))
    }
}

/// What each operation sent.
type Sent = BTreeMap<&'static str, Vec<String>>;

/// Somebody who does one thing after the other and hears what each costs.
struct Walk<'a> {
    app: &'a TestApp,
    town: &'a Town,
    ear: &'a Ear,
    /// What its keys begin with.
    key: &'static str,
    sent: Sent,
}

impl Walk<'_> {
    async fn notes(&mut self, name: &'static str, request: Request, status: u16) -> Value {
        self.ear.taken();
        let answer = request.send().await.status(status);
        self.sent.insert(name, self.ear.taken());
        answer.json
    }

    async fn reads(&mut self, name: &'static str, who: &Person, path: &str) {
        let request = self.app.signed_in(self.town, who).get(path);
        self.notes(name, request, 200).await;
    }

    /// As the benchmark writes: with a key, and taking the case as it is.
    async fn writes(&mut self, name: &'static str, who: &Person, path: &str, body: Value) -> Value {
        let status = if path == "/api/v1/proposals" {
            201
        } else {
            200
        };
        let key = format!("{}-{name}", self.key);
        let request = self.app.signed_in(self.town, who).post(path);
        let request = request.header("If-Match", "*").key(&key).json(body);
        self.notes(name, request, status).await
    }
}

/// A case from draft to opinion form, and the looks at it; what is not measured is done as in any story.
async fn walk(app: &TestApp, town: &Town, ear: &Ear, key: &'static str) -> Sent {
    let (member, unit, clerk) = (&town.members[0], town.units[0], &town.unit_clerks[0]);
    let mut one = Walk {
        app,
        town,
        ear,
        key,
        sent: Sent::new(),
    };
    let offered =
        json!({ "committee": town.code, "username": member.username, "password": PASSWORD });
    let request = app.anonymous().post("/api/v1/auth/login").json(offered);
    one.notes("sign-in", request, 200).await;
    one.reads("me", &town.staff, "/api/v1/auth/me").await;

    let draft = json!({ "kind": "individual", "form": form() });
    let made = one
        .writes("create", member, "/api/v1/proposals", draft)
        .await;
    let mut case = Story::draft(app, town, member).await;
    case.id = made["id"].as_str().expect("an id").to_owned();
    let acts = format!("{}/actions", case.path());
    one.writes("submit", member, &format!("{acts}/submit"), json!({}))
        .await;
    for examiner in &town.examiners[..2] {
        case.does(examiner, "examine", opinion(town)).await;
    }
    one.writes("file", &town.chair, &format!("{acts}/file"), meeting())
        .await;
    let row = json!({ "unit_id": unit, "role": "lead" });
    let order = json!({ "handling_kind": "sole", "rows": [row], "opinion": "请按期办理。" });
    let assigned = one
        .writes("assign", &town.officer, &format!("{acts}/assign"), order)
        .await;
    let row = assigned["assignments"][0]["id"].as_str().expect("a row");
    case.rows.insert(0, row.to_owned());
    let acts_of_row = format!("{}/actions", case.row(0));
    let accepted = json!({ "clerk_name": "陈思源", "clerk_phone": "0599-5550145" });
    one.writes("accept", clerk, &format!("{acts_of_row}/accept"), accepted)
        .await;
    case.on_row(0, "record-contact", contact()).await;
    case.draft_reply_of(0, reply_form()).await;
    case.sign(0).await;
    case.approve(0).await;
    // Something waits there.
    one.reads("desk", clerk, "/api/v1/desk?limit=20").await;
    let deliver = format!("{}/actions/deliver", case.reply(0));
    one.writes("deliver", clerk, &deliver, json!({})).await;

    one.reads("detail", &town.staff, &case.path()).await;
    one.reads("actions", &town.staff, &acts).await;
    let timeline = format!("{}/timeline?limit=20", case.path());
    one.reads("timeline", &town.staff, &timeline).await;
    let of_unit = format!("/api/v1/proposals?unit_id={unit}&status=handled&limit=20");
    one.reads("list", &town.staff, &of_unit).await;

    let grades = case.grades(0);
    one.writes("feedback", member, &format!("{acts}/give-feedback"), grades)
        .await;
    one.sent
}

/// The numbers that stand in the table, by operation, in the order of its columns.
fn written() -> BTreeMap<String, Vec<String>> {
    let text = std::fs::read_to_string(files::path(TABLE)).unwrap_or_default();
    let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.map(|line| {
        let mut words = line.split_whitespace().map(str::to_owned);
        (words.next().unwrap_or_default(), words.collect())
    })
    .collect()
}

/// The table as it should be, with what was heard in this column.
fn table(sent: &Sent, column: usize) -> String {
    let before = written();
    let mut text = format!(
        "{HEAD}{:<10}{:>8}{:>10}\n",
        "operation", "sqlite", "postgres"
    );
    for (name, statements) in sent {
        let number = |place: usize| {
            let known = before.get(*name).and_then(|row| row.get(place)).cloned();
            if place == column {
                statements.len().to_string()
            } else {
                known.unwrap_or_else(|| "?".to_owned())
            }
        };
        writeln!(text, "{name:<10}{:>8}{:>10}", number(0), number(1)).expect("a line");
    }
    text
}

/// What does not stand in the table as it was heard, with the statements themselves.
fn differences(sent: &Sent, column: usize) -> Vec<String> {
    let before = written();
    let mut found = Vec::new();
    for (name, statements) in sent {
        let known = before.get(*name).and_then(|row| row.get(column));
        let known = known.map_or("none", String::as_str);
        if known != statements.len().to_string() {
            let list = statements.join("\n    ");
            found.push(format!(
                "{name}: {} statements, {known} in {TABLE}:\n    {list}",
                statements.len()
            ));
        }
    }
    found
}

#[actix_web::test]
async fn each_operation_sends_as_many_statements_as_it_always_did() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let ear = Ear::of(&app);
    // What is read once by each process, and noted once for each account, is behind us then.
    walk(&app, &town, &ear, "the-first").await;
    let sent = walk(&app, &town, &ear, "the-second").await;
    let column = usize::from(matches!(app.db().url(), DatabaseUrl::Postgres(_)));
    let differ = differences(&sent, column);
    if !differ.is_empty() {
        eprintln!("{}", differ.join("\n"));
    }
    files::assert_current(TABLE, table(&sent, column).as_bytes());
}

#[actix_web::test]
async fn a_statement_more_is_seen() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let ear = Ear::of(&app);
    let mut sent = walk(&app, &town, &ear, "the-only").await;
    let column = usize::from(matches!(app.db().url(), DatabaseUrl::Postgres(_)));
    let detail = sent.get_mut("detail").expect("the detail");
    detail.push("SELECT 1".to_owned());
    let differ = differences(&sent, column);
    assert!(
        differ.iter().any(|one| one.starts_with("detail: ")),
        "{differ:?}"
    );
}
