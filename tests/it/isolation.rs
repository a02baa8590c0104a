//! Committees know nothing of each other. Everybody of one committee reads everything that the
//! document offers, and tries the identifiers, numbers and words of another committee in every
//! place that takes one: nothing of it is told, what is refused is refused as if it were not there,
//! and no row of it changes. A new operation is covered by being in the document.

use std::collections::{BTreeMap, BTreeSet};

use awc::http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::permissions::{ROLES, case_at, columns, step_of};
use crate::support::contents::difference;
use crate::support::document::{self, Operation, Parameter};
use crate::support::everything::{self, Mark};
use crate::support::secrets::Secrets;
use crate::support::seed::Town;
use crate::support::sse::Events;
use crate::support::story::Story;
use crate::support::{Client, Reply, Request, TestApp};

const THEIRS: Mark<'_> = Mark {
    word: "朱鹮",
    ascii: "zhuhuan",
    term: 13,
};
const OURS: Mark<'_> = Mark {
    word: "白鹭",
    ascii: "bailu",
    term: 12,
};
/// Objects that are read in any case.
const FIRST: usize = 8;
/// Where an identifier stands in a request.
const HERE: &str = "@@";

/// Operations in which somebody who may read everything of his committee finds nothing of it, with
/// the reason.
const WITHOUT: &[(&str, &str)] = &[
    ("count_unread_notifications", "a number"),
    ("get_error_page", "public"),
    ("get_jwks", "public"),
    ("get_live", "public"),
    ("get_metrics", "public"),
    ("get_openapi", "public"),
    ("get_password_policy", "settings without names"),
    ("get_ready", "public"),
    ("get_seal_keys", "public"),
    ("get_second_factor", "whether the caller has one"),
    ("get_workflow", "the tables of the program"),
    ("list_code_lists", "the code lists of the program"),
    ("list_mails", "no mail server is set up"),
];

/// Tables in which neither committee has a row, with the reason.
const EMPTY: &[(&str, &str)] = &[
    ("mails", "no mail server is set up"),
    ("openid_flows", "nobody has been sent to a provider"),
    ("outbox", "everything in it was published"),
    (
        "request_budgets",
        "who stays far below his quota takes nothing of it",
    ),
];

/// Somebody who asks.
struct Walker {
    name: String,
    client: Client,
    machine: bool,
}

impl Walker {
    fn request(&self, method: &Method, path: &str) -> Request {
        let request = self.client.request(method.clone(), path);
        if self.machine && *method == Method::POST {
            return request.key("isolation-0001");
        }
        request
    }
}

/// Somebody in every role of a town, and its machine clients.
async fn walkers(app: &TestApp, town: &Town) -> Vec<Walker> {
    let walker = |name: &str, client, machine| Walker {
        name: name.to_owned(),
        client,
        machine,
    };
    let mut found: Vec<_> = columns(town)
        .into_iter()
        .take(ROLES)
        .map(|(name, person)| walker(name, app.signed_in(town, &person), false))
        .collect();
    let security = app.signed_in(town, &town.security);
    for body in [
        json!({ "role": "unit_clerk", "unit_id": town.units[0] }),
        json!({ "role": "committee_staff" }),
    ] {
        let mut token = body.clone();
        let role = body["role"].as_str().expect("a role");
        token["name"] = json!(format!("{}{role}", OURS.word));
        token["expires_at"] = json!(app.clock_now() + SignedDuration::from_hours(24));
        let made = security.post("/api/v1/api-tokens").json(token).send().await;
        let client = app.client(&made.status(201).text("/token"));
        found.push(walker(&format!("{role}_token"), client, true));
    }
    found
}

/// What is known of a committee by reading.
#[derive(Default)]
struct Known {
    /// Identifiers by prefix, in the order in which they were found.
    ids: BTreeMap<String, Vec<String>>,
    /// What in the path of an operation made it tell something of the committee.
    telling: BTreeMap<String, String>,
}

impl Known {
    /// Learns from an answer; gives whether it tells something of the committee.
    fn learn(&mut self, reply: &Reply, secrets: &Secrets) -> bool {
        document::ids(&reply.json, &mut |id| {
            if secrets.has(id) {
                let ids = self.ids.entry(id[..4].to_owned()).or_default();
                if !ids.iter().any(|known| known == id) {
                    ids.push(id.to_owned());
                }
            }
        });
        !secrets.told_by(reply).is_empty()
    }

    /// Some identifiers of a kind: the first, the last and what is between, as many as asked for.
    fn some(&self, kind: &str, most: usize) -> Vec<String> {
        let all = self.ids.get(kind).map_or(&[][..], Vec::as_slice);
        let step = all.len().div_ceil(most).max(1);
        all.iter().step_by(step).cloned().collect()
    }
}

/// What a parameter that takes no identifier is given: values that a committee of these tests has.
fn usual(name: &str, mark: Mark<'_>) -> Vec<String> {
    match name {
        "version" | "number" => vec!["1".to_owned(), "2".to_owned()],
        "code" => vec!["not-found".to_owned()],
        "reason_code" => vec!["bad_form".to_owned(), format!("{}_matter", mark.ascii)],
        "year" => vec!["2027".to_owned()],
        "committee" => vec![town_code(mark)],
        other => panic!("say in this test what a usual {{{other}}} is"),
    }
}

fn town_code(mark: Mark<'_>) -> String {
    format!("{}-shi", mark.ascii)
}

/// The query that an operation must have, and one that makes pages large.
fn query(operation: &Operation, mark: Mark<'_>) -> String {
    let mut parts: Vec<_> = operation
        .in_query
        .iter()
        .filter(|one| one.required)
        .map(|one| format!("{}={}", one.name, usual(&one.name, mark)[0]))
        .collect();
    if operation.takes("limit") {
        parts.push("limit=100".to_owned());
    }
    if parts.is_empty() {
        String::new()
    } else {
        format!("?{}", parts.join("&"))
    }
}

fn only_parameter(operation: &Operation) -> Option<&Parameter> {
    assert!(
        operation.in_path.len() < 2,
        "{}: two in the path",
        operation.id
    );
    operation.in_path.first()
}

/// Who reads how much.
#[derive(Clone, Copy, PartialEq)]
enum Reading {
    /// A few objects, and more until the operation told something of the committee; each of them
    /// until it told somebody something.
    Once,
    /// Everybody each operation: what told something before, and a few objects more.
    Thorough,
}

impl Known {
    /// What an operation is asked about next.
    fn values(&self, operation: &Operation, mark: Mark<'_>, reading: Reading) -> Vec<String> {
        let Some(one) = only_parameter(operation) else {
            return vec![String::new()];
        };
        match (&one.kind, reading) {
            (None, _) => usual(&one.name, mark),
            (Some(kind), Reading::Once) => self.some(kind, usize::MAX),
            (Some(kind), Reading::Thorough) => {
                let mut values = self.some(kind, 2);
                values.extend(self.telling.get(&operation.id).cloned());
                values
            }
        }
    }
}

/// Reads what there is to read, each page of it, as each walker.
async fn read_everything(
    operations: &[Operation],
    walkers: &[Walker],
    secrets: &Secrets,
    (known, mark, reading): (&mut Known, Mark<'_>, Reading),
    mut see: impl FnMut(&Operation, &Walker, &Reply),
) {
    let mut done = BTreeSet::new();
    // Objects that were found in other objects are read in the next round.
    for _ in 0..3 {
        for operation in operations {
            if operation.method != Method::GET || operation.endless {
                continue;
            }
            let values = known.values(operation, mark, reading);
            for (number, value) in values.into_iter().enumerate() {
                let is_told = number >= FIRST && known.telling.contains_key(&operation.id);
                let is_new = done.insert((operation.id.clone(), value.clone()));
                if !is_new || (reading == Reading::Once && is_told) {
                    continue;
                }
                let path = path(operation, &value) + &query(operation, mark);
                for walker in walkers {
                    let mut tells = false;
                    for reply in pages(walker, operation, &path).await {
                        if known.learn(&reply, secrets) {
                            tells = true;
                            let telling = known.telling.entry(operation.id.clone());
                            telling.or_insert_with(|| value.clone());
                        }
                        see(operation, walker, &reply);
                    }
                    if reading == Reading::Once && tells {
                        break;
                    }
                }
            }
        }
    }
}

/// Every page of a list, or the one answer.
async fn pages(walker: &Walker, operation: &Operation, path: &str) -> Vec<Reply> {
    let mut found = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(address) = next {
        let reply = walker.request(&Method::GET, &address).send().await;
        assert!(reply.status < 500, "{reply}");
        let cursor = reply.json["next_cursor"].as_str();
        let cursor = cursor.filter(|_| operation.takes("cursor"));
        next = cursor.map(|cursor| format!("{path}&cursor={cursor}"));
        found.push(reply);
    }
    found
}

/// The path of an operation with this in the place of its parameter.
fn path(operation: &Operation, value: &str) -> String {
    only_parameter(operation).map_or_else(
        || operation.path.clone(),
        |one| operation.path.replace(&format!("{{{}}}", one.name), value),
    )
}

/// An answer without what differs between two requests: identifiers, which may be new or the one
/// that was tried, what is left of a budget, and words that were tried.
fn normal(reply: &Reply, tried: &str) -> String {
    let mut lines: Vec<_> = reply
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .filter(|(name, _)| {
            let own = ["connection", "content-length", "date", "x-request-id"];
            !own.contains(name) && !name.starts_with("ratelimit")
        })
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    lines.sort_unstable();
    let body = String::from_utf8_lossy(&reply.body);
    let text = format!("{}\n{}\n{body}", reply.status, lines.join("\n"));
    // A number may be in many places.
    let text = if tried.len() < 4 {
        text
    } else {
        text.replace(tried, HERE)
    };
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    text.split_inclusive(is_end)
        .map(|part| {
            let word = part.trim_end_matches(is_end);
            if document::is_id(word) {
                part.replace(word, "id")
            } else {
                part.to_owned()
            }
        })
        .collect()
}

/// The same identifier with other last digits, of the same moment: it names nothing.
fn like(id: &str) -> String {
    let (kept, last) = id.split_at(id.len() - 8);
    let last = u32::from_str_radix(last, 16).expect("digits");
    format!("{kept}{:08x}", last ^ 0x5a5a_5a5a)
}

/// A request with a place in which something of another committee is tried.
struct Probe {
    operation: String,
    method: Method,
    path: String,
    body: Option<Value>,
    /// Whether it asks for a thing that is not there.
    is_thing: bool,
    /// Theirs.
    theirs: String,
    /// The same that names nothing.
    nothing: String,
}

impl Probe {
    async fn send(&self, walker: &Walker, value: &str) -> Reply {
        let path = self.path.replace(HERE, &encoded(value));
        let mut request = walker.request(&self.method, &path).header("If-Match", "*");
        if let Some(body) = &self.body {
            let body: Value = serde_json::from_str(&body.to_string().replace(HERE, value))
                .expect("what was JSON before");
            request = request.json(body);
        }
        request.send().await
    }

    /// Tries theirs, and then nothing, unless somebody got the very same answer to that; gives the
    /// status, or what is wrong.
    async fn play(
        &self,
        walker: &Walker,
        secrets: &Secrets,
        to_nothing: &mut BTreeSet<String>,
    ) -> Result<u16, String> {
        let theirs = self.send(walker, &self.theirs).await;
        let place = format!("{} {} ({})", self.method, self.path, self.operation);
        let (name, value) = (&walker.name, &self.theirs);
        if theirs.status >= 500 {
            return Err(format!("{name}: {theirs}"));
        }
        let told = told_beside(secrets, &theirs, value);
        if !told.is_empty() {
            return Err(format!("{place} tells {name} {told:?}: {theirs}"));
        }
        let answer = normal(&theirs, value);
        if !to_nothing.contains(&answer) {
            let nothing = normal(&self.send(walker, &self.nothing).await, &self.nothing);
            if answer != nothing {
                return Err(format!(
                    "{place} knows {value} for {name}:\n{answer}\n{nothing}"
                ));
            }
            to_nothing.insert(nothing);
        }
        Ok(theirs.status)
    }
}

/// What an answer tells beside the value that the request had in it.
fn told_beside(secrets: &Secrets, reply: &Reply, value: &str) -> BTreeSet<String> {
    let mut told = secrets.told_by(reply);
    told.retain(|secret| !value.contains(secret.as_str()));
    told
}

fn encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// What is tried in a parameter: theirs, and the same that names nothing.
fn foreign(one: &Parameter, known: &Known) -> Option<(String, String)> {
    let pair = |theirs: &str, nothing: &str| Some((theirs.to_owned(), nothing.to_owned()));
    if let Some(kind) = &one.kind {
        let theirs = known.some(kind, 1).into_iter().next();
        let theirs = theirs.unwrap_or_else(|| panic!("{}: nothing of theirs is known", one.name));
        let nothing = like(&theirs);
        return Some((theirs, nothing));
    }
    match one.name.as_str() {
        "reason_code" => pair("zhuhuan_matter", "zhuhuan_nothing"),
        // Their third; each of ours has fewer.
        "version" | "number" => pair("3", "9"),
        "title" | "name" => pair("朱鹮", "朱鹳"),
        "username" => pair("zhuhuan", "zhuguan"),
        "sector" | "party" => pair("朱鹮界", "朱鹳界"),
        _ => None,
    }
}

/// Every place of the path and the query.
fn probes(operations: &[Operation], known: &Known) -> Vec<Probe> {
    let mut found = Vec::new();
    for operation in operations.iter().filter(|one| !one.endless) {
        let mut probe = |path: String, is_thing, (theirs, nothing): (String, String)| {
            let changes = operation.method != Method::GET;
            found.push(Probe {
                operation: operation.id.clone(),
                method: operation.method.clone(),
                path,
                body: changes.then(|| json!({ "no_such_field": true })),
                is_thing,
                theirs,
                nothing,
            });
        };
        let template = path(operation, HERE);
        if let Some(pair) = only_parameter(operation).and_then(|one| foreign(one, known)) {
            probe(template + &query(operation, OURS), true, pair);
            continue;
        }
        for one in &operation.in_query {
            if let Some(pair) = foreign(one, known) {
                let path = format!("{}?{}={HERE}", operation.path, one.name);
                probe(path, false, pair);
            }
        }
    }
    found
}

/// The two committees with everything in them, and what is theirs alone.
async fn two_committees(app: &TestApp) -> (Town, Town, Secrets) {
    let mut towns = Vec::new();
    for (mark, below) in [(THEIRS, "shangyou"), (OURS, "xiayou")] {
        let town = app.town_called(&town_code(mark)).await;
        everything::mark(app, &town, mark);
        let below = app.town_called(below).await;
        everything::fill(app, &town, &below, mark).await;
        towns.push(town);
    }
    let ours = towns.pop().expect("a town");
    let theirs = towns.pop().expect("a town");
    // One more of what has a number instead of an identifier.
    let administrator = app.signed_in(&theirs, &theirs.administrator);
    let calendar = json!({
        "source_note": "朱鹮放假通知", "csv": "date,kind,name\n2028-01-01,holiday,朱鹮节\n",
    });
    let calendar = administrator.post("/api/v1/calendars").json(calendar);
    calendar.send().await.status(201);
    let auditor = app.signed_in(&theirs, &theirs.auditor);
    let seal = auditor.post("/api/v1/audit/seals").json(json!({}));
    seal.send().await.status(202);
    app.work().await;
    let database = app.database();
    let (own, others) = (
        database.contents(Some(theirs.committee)),
        database.contents(Some(ours.committee)),
    );
    let secrets = Secrets::of(&own, &[&others], &[THEIRS.word, THEIRS.ascii, "第13届"]);
    assert!(secrets.len() > 1_000, "{}", secrets.len());
    (theirs, ours, secrets)
}

/// Tables with rows of one committee only, or of none, but for those of which that was said.
fn hollow_tables(app: &TestApp, towns: [&Town; 2]) -> Vec<String> {
    let [one, other] = towns.map(|town| app.database().contents(Some(town.committee)));
    let wrong = one.iter().filter(|(table, rows)| {
        let is_named = EMPTY.iter().any(|(name, _)| name == table);
        is_named != (rows.is_empty() || other[*table].is_empty())
    });
    wrong
        .map(|(table, rows)| {
            let (one, other) = (rows.len(), other[table].len());
            format!("{table}: {one} and {other} rows, against what EMPTY says")
        })
        .collect()
}

/// Operations that told their own people nothing of their committee, but for those of which that
/// was said.
fn hollow_operations(operations: &[Operation], known: &Known) -> Vec<String> {
    let reading = operations
        .iter()
        .filter(|one| one.method == Method::GET && !one.endless);
    let wrong = reading.filter(|one| {
        known.telling.contains_key(&one.id) == WITHOUT.iter().any(|(name, _)| *name == one.id)
    });
    wrong
        .map(|one| {
            format!(
                "{}: nothing of its kind is in support/everything.rs, or WITHOUT names it in vain",
                one.id
            )
        })
        .collect()
}

async fn document(app: &TestApp) -> Vec<Operation> {
    let operations = document::operations(&app.openapi().await);
    assert!(operations.len() > 200, "{}", operations.len());
    operations
}

/// Asks about everything of theirs that has a name, in every place of every path and query.
async fn try_everything(
    operations: &[Operation],
    walkers: &[Walker],
    known: &Known,
    secrets: &Secrets,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for probe in probes(operations, known) {
        let (mut reached, mut to_nothing) = (false, BTreeSet::new());
        for walker in walkers {
            match probe.play(walker, secrets, &mut to_nothing).await {
                Ok(status) => {
                    if probe.is_thing && !matches!(status, 401 | 403 | 404) {
                        wrong.push(format!("{} is {status} for {}", probe.path, walker.name));
                    }
                    reached |= !matches!(status, 401 | 403);
                }
                Err(words) => wrong.push(words),
            }
        }
        if !reached {
            wrong.push(format!("{}: nobody got past the door", probe.operation));
        }
    }
    wrong
}

/// A cursor of each list, by the address of the list.
async fn cursors(operations: &[Operation], walkers: &[Walker]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for operation in operations {
        if !operation.takes("cursor") || !operation.in_path.is_empty() {
            continue;
        }
        let path = format!("{}?limit=1", operation.path);
        for walker in walkers {
            let reply = walker.request(&Method::GET, &path).send().await;
            if let Some(cursor) = reply.json["next_cursor"].as_str() {
                found.insert(path, cursor.to_owned());
                break;
            }
        }
    }
    found
}

/// Their cursors are no cursors.
async fn try_cursors(
    cursors: &BTreeMap<String, String>,
    walkers: &[Walker],
    secrets: &Secrets,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, cursor) in cursors {
        for walker in walkers {
            let path = format!("{path}&cursor={cursor}");
            let reply = walker.request(&Method::GET, &path).send().await;
            let told = secrets.told_by(&reply);
            if !matches!(reply.status, 400 | 403) || !told.is_empty() {
                wrong.push(format!("{} took a cursor: {reply}", walker.name));
            }
        }
    }
    wrong
}

/// Bodies with something of theirs in each place that takes an identifier, by somebody who may do
/// the like with what is his own.
async fn try_bodies(
    app: &TestApp,
    town: &Town,
    operations: &[Operation],
    (known, own): (&Known, &Known),
    secrets: &Secrets,
) -> (usize, Vec<String>) {
    let (mut tried, mut wrong) = (0, Vec::new());
    let people: Vec<_> = columns(town)
        .into_iter()
        .map(|(name, person)| Walker {
            name: name.to_owned(),
            client: app.signed_in(town, &person),
            machine: false,
        })
        .collect();
    let mut cases: BTreeMap<&str, Story<'_>> = BTreeMap::new();
    for operation in operations.iter().filter(|one| !one.places.is_empty()) {
        let step = step_of(&operation.id);
        if !cases.contains_key(step) {
            let case = case_at(app, town, step).await;
            if step == "accepted" {
                everything::instruct(&case, OURS.word).await;
            }
            cases.insert(step, case);
        }
        let case = &cases[step];
        let object = match only_parameter(operation) {
            None => String::new(),
            Some(one) => match one.kind.as_deref().expect("an identifier") {
                "prop" => case.id.clone(),
                "asgn" => case.rows[&usize::from(operation.id.starts_with("submit_op"))].clone(),
                "repl" => case.replies[&0].clone(),
                "user" => town.leader.user.to_string(),
                kind => own.some(kind, 1)[0].clone(),
            },
        };
        let address = path(operation, &object);
        let mut entitled = None;
        for walker in &people {
            let request = walker.request(&operation.method, &address);
            let request = request.header("If-Match", "*");
            let reply = request.json(json!({ "no_such_field": true })).send().await;
            if reply.status == 422 {
                entitled = Some(walker);
                break;
            }
        }
        let Some(walker) = entitled else {
            wrong.push(format!("{}: nobody may", operation.id));
            continue;
        };
        let mut example = operation.example.clone().expect("an example");
        document::replace_ids(&mut example, &|kind| own.some(kind, 1).pop());
        for (pointer, kind) in &operation.places {
            let theirs = known.some(kind, 1).pop();
            let Some(theirs) = theirs else {
                wrong.push(format!(
                    "{} {pointer}: nothing of theirs is known",
                    operation.id
                ));
                continue;
            };
            let mut body = example.clone();
            document::put(&mut body, pointer, json!(HERE));
            tried += 1;
            let mut probe = Probe {
                operation: format!("{} {pointer}", operation.id),
                method: operation.method.clone(),
                path: format!("{address}?validate_only=true"),
                body: Some(body),
                is_thing: false,
                nothing: like(&theirs),
                theirs,
            };
            if operation.public {
                probe.path.clone_from(&address);
            }
            if let Err(words) = probe.play(walker, secrets, &mut BTreeSet::new()).await {
                wrong.push(words);
            }
            // In earnest, too: what is kept is looked at afterwards.
            probe.path.clone_from(&address);
            let reply = probe.send(walker, &probe.theirs).await;
            let told = told_beside(secrets, &reply, &probe.theirs);
            if reply.status >= 500 || !told.is_empty() {
                wrong.push(format!("{} tells {told:?}: {reply}", probe.operation));
            }
        }
    }
    (tried, wrong)
}

#[actix_web::test]
async fn nothing_of_another_committee_is_told_whatever_is_asked() {
    let app = TestApp::start().await;
    let (theirs, ours, secrets) = two_committees(&app).await;
    let operations = document(&app).await;
    let mut wrong = hollow_tables(&app, [&theirs, &ours]);

    // Their own people find it: the scan sees, and knows of every kind of thing.
    let their_walkers = walkers(&app, &theirs).await;
    let mut known = Known::default();
    let once = (&mut known, THEIRS, Reading::Once);
    read_everything(&operations, &their_walkers, &secrets, once, |_, _, _| {}).await;
    wrong.extend(hollow_operations(&operations, &known));
    let cursors = cursors(&operations, &their_walkers).await;
    let before = app.database().contents(Some(theirs.committee));

    // Ours read everything of ours, and find nothing of theirs.
    let our_walkers = walkers(&app, &ours).await;
    let own = app.database().contents(Some(ours.committee));
    let our_secrets = Secrets::of(&own, &[&before], &[OURS.word, OURS.ascii]);
    let mut own = Known::default();
    let once = (&mut own, OURS, Reading::Once);
    read_everything(&operations, &our_walkers, &our_secrets, once, |_, _, _| {}).await;
    wrong.extend(hollow_operations(&operations, &own));
    let thorough = (&mut own, OURS, Reading::Thorough);
    let tells = |operation: &Operation, walker: &Walker, reply: &Reply| {
        let told = secrets.told_by(reply);
        if !told.is_empty() {
            wrong.push(format!("{} tells {} {told:?}", operation.id, walker.name));
        }
    };
    read_everything(&operations, &our_walkers, &our_secrets, thorough, tells).await;

    // Ours ask about theirs.
    let mut everybody = our_walkers;
    wrong.extend(try_cursors(&cursors, &everybody, &secrets).await);
    everybody.push(Walker {
        name: "anonymous".to_owned(),
        client: app.anonymous(),
        machine: false,
    });
    wrong.extend(try_everything(&operations, &everybody, &known, &secrets).await);
    let (bodies, found) = try_bodies(&app, &ours, &operations, (&known, &own), &secrets).await;
    wrong.extend(found);
    assert!(cursors.len() > 10, "{cursors:?}");
    assert!(bodies > 80, "{bodies}");

    let after = app.database().contents(Some(theirs.committee));
    wrong.extend(difference(&before, &after));
    assert!(
        wrong.is_empty(),
        "{} findings:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

/// An open stream tells what happens in the own committee, and only that.
#[actix_web::test]
async fn nothing_of_another_committee_is_streamed() {
    let app = TestApp::start().await;
    let (theirs, ours) = (app.town().await, app.town_called("linjiang").await);
    app.work().await;
    for reader in [&ours.auditor, &ours.staff, &ours.members[0]] {
        let client = app.signed_in(&ours, reader);
        let stream = client.get("/api/v1/events/stream?name=proposal.*");
        let mut stream = Events::open(stream).await;
        let other = Story::draft(&app, &theirs, &theirs.members[0]).await;
        let own = Story::draft(&app, &ours, &ours.members[0]).await;
        app.work().await;
        // Theirs came first.
        let frame = stream.take(1).await.remove(0);
        assert!(!frame.data.to_string().contains(&other.id), "{frame:?}");
        assert_eq!(frame.data["proposal_id"], own.id.as_str());
    }
}
