//! The policy profile: drafted, previewed, put into force, and what cases have of it.

use jianjian::store::events::{self, Stream};
use jianjian::store::migrate;
use jianjian::workflow::profile::Profile;
use jianjian::workflow::profile::forms::PolicyLimit;
use jianjian::workflow::profile::keys::KEYS;
use serde_json::{Value, json};
use utoipa::PartialSchema;

use crate::support::seed::Town;
use crate::support::story::{Story, form, opinion, reply_form};
use crate::support::{Client, Reply, TestApp};

const PROFILES: &str = "/api/v1/policy-profiles";

/// The administrator drafts a version.
async fn drafts(app: &TestApp, town: &Town, body: Value) -> Reply {
    let administrator = app.signed_in(town, &town.administrator);
    administrator.post(PROFILES).json(body).send().await
}

/// The chair puts a version into force.
async fn activates(app: &TestApp, town: &Town, id: &str) -> Reply {
    let chair = app.signed_in(town, &town.chair);
    let path = format!("{PROFILES}/{id}");
    let version = chair.get(&path).send().await.status(200).version();
    let request = chair.post(&format!("{path}/actions/activate"));
    request.if_match(version).json(json!({})).send().await
}

/// Settings that are in force from now on; gives the version.
async fn in_force(app: &TestApp, town: &Town, settings: Value) -> Value {
    let draft = drafts(app, town, json!({ "settings": settings })).await;
    let draft = draft.status(201);
    activates(app, town, &draft.id()).await.status(200).json
}

/// The versions that a caller sees: number and status, newest first.
async fn versions(client: &Client, query: &str) -> Vec<(i64, String)> {
    let page = client.get(&format!("{PROFILES}?limit=100{query}")).send();
    let page = page.await.status(200);
    let items = page.json["items"].as_array().expect("items").clone();
    items
        .iter()
        .map(|item| {
            let status = item["status"].as_str().expect("a status").to_owned();
            (item["profile_version"].as_i64().expect("a number"), status)
        })
        .collect()
}

fn numbered(list: &[(i64, &str)]) -> Vec<(i64, String)> {
    list.iter()
        .map(|(number, status)| (*number, (*status).to_owned()))
        .collect()
}

/// Limit and version of the clocks of a kind that run.
fn clocks(case: &Value, kind: &str) -> Vec<(String, i64)> {
    case["clocks"]
        .as_array()
        .expect("clocks")
        .iter()
        .filter(|clock| clock["kind"] == kind)
        .map(|clock| {
            let limit = clock["limit"].as_str().expect("a limit").to_owned();
            (limit, clock["profile_version"].as_i64().expect("a version"))
        })
        .collect()
}

#[actix_web::test]
async fn every_committee_begins_with_the_defaults() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let page = member.get(PROFILES).send().await.status(200);
    let items = page.json["items"].as_array().expect("items").clone();
    assert_eq!(items.len(), 1);
    assert_eq!(
        items[0]["settings"],
        Value::Object(Profile::default().settings())
    );
    assert_eq!(items[0]["status"], "active");
    let id = page.text("/items/0/id");
    let one = member
        .get(&format!("{PROFILES}/{id}"))
        .send()
        .await
        .status(200);
    assert_eq!(one.json, items[0]);
    assert_eq!(one.version(), 1);
}

#[actix_web::test]
async fn a_new_case_follows_and_a_filed_one_keeps() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (first, second) = (&town.members[0], &town.members[1]);
    let mut filed = Story::draft(&app, &town, first).await;
    filed.until_filed().await;
    let mut waiting = Story::draft(&app, &town, second).await;
    let submitted = waiting.submit().await;
    let examination = clocks(&submitted.json, "K03");
    let changes = json!({
        "examination.stages": 1, "return.window": "7 wd", "revision.limit": "3 cd",
        "outcome.scheme": { "resolved": "D" },
    });
    let draft = drafts(&app, &town, json!({ "note": "试行", "settings": changes })).await;
    let draft = draft.status(201);
    assert_eq!(draft.json["profile_version"], 2);
    assert_eq!(draft.json["status"], "draft");
    assert_eq!(draft.json["settings"]["outcome.scheme"]["planned"], "B");
    assert_eq!(draft.json["settings"]["outcome.scheme"]["resolved"], "D");
    assert_eq!(draft.json["settings"]["feedback.window"], "15 wd");

    // The chair sees what it means before anything happens.
    let chair = app.signed_in(&town, &town.chair);
    let preview = format!("{PROFILES}/{}/preview", draft.id());
    let seen = chair.get(&preview).send().await.status(200);
    assert_eq!(seen.json["against_version"], 1);
    let keys: Vec<_> = seen.json["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .collect();
    let names: Vec<_> = keys
        .iter()
        .map(|key| key["key"].as_str().expect("a key"))
        .collect();
    let wanted = [
        "examination.stages",
        "revision.limit",
        "return.window",
        "outcome.scheme",
    ];
    assert_eq!(names, wanted);
    assert_eq!(keys[0]["label"]["zh-CN"], "审查级数");
    assert_eq!((&keys[0]["from"], &keys[0]["to"]), (&json!(2), &json!(1)));
    let counted: Vec<_> = seen.json["counts"]
        .as_array()
        .expect("counts")
        .iter()
        .map(|one| {
            (
                one["status"].as_str(),
                one["effect"].as_str(),
                one["cases"].as_i64(),
            )
        })
        .collect();
    assert_eq!(
        counted,
        [
            (Some("submitted"), Some("follows"), Some(1)),
            (Some("filed"), Some("keeps"), Some(1))
        ]
    );
    assert_eq!(seen.text("/cases/items/0/id"), waiting.id);
    let keep = chair.get(&format!("{preview}?effect=keeps")).send().await;
    assert_eq!(keep.status(200).text("/cases/items/0/id"), filed.id);
    // The administrator learns how many, not which: no case is open to that role.
    let administrator = app.signed_in(&town, &town.administrator);
    let counts = administrator.get(&preview).send().await.status(200);
    assert_eq!(counts.json["counts"], seen.json["counts"]);
    assert_eq!(counts.json["cases"]["items"], json!([]));

    // A trial run leaves everything as it is.
    let before = app.database().row_counts();
    let trial = format!(
        "{PROFILES}/{}/actions/activate?validate_only=true",
        draft.id()
    );
    let trial = chair.post(&trial).if_match(1).json(json!({})).send().await;
    assert_eq!(trial.status(200).json["status"], "active");
    assert_eq!(app.database().row_counts(), before);
    assert_eq!(
        versions(&chair, "").await,
        numbered(&[(2, "draft"), (1, "active")])
    );

    let active = activates(&app, &town, &draft.id()).await.status(200);
    assert_eq!(active.json["status"], "active");
    assert_eq!(
        versions(&chair, "").await,
        numbered(&[(2, "active"), (1, "superseded")])
    );

    // Nothing has happened to either case.
    let seen = waiting.seen_by(&town.staff).await.status(200);
    assert_eq!(seen.version(), submitted.version());
    assert_eq!(seen.json["profile_version"], 2);
    assert_eq!(clocks(&seen.json, "K03"), examination);
    assert_eq!(examination[0].1, 1);
    let kept = filed.seen_by(&town.staff).await.status(200);
    assert_eq!(kept.json["profile_version"], 1);
    let assigned = filed.assign("sole", &[0]).await;
    assert_eq!(clocks(&assigned.json, "K05"), [("5 wd".to_owned(), 1)]);
    filed.answer(0).await;
    let case = filed.seen_by(&town.staff).await.status(200);
    assert_eq!(case.json["replies"][0]["letter"], "A");

    // One stage is enough for the other, which is filed under the new version and stays there.
    waiting
        .does(&town.examiners[0], "examine", opinion(&town))
        .await;
    let pinned = waiting.file().await;
    assert_eq!(pinned.json["profile_version"], 2);
    in_force(
        &app,
        &town,
        json!({ "return.window": "9 wd", "outcome.scheme": { "resolved": "A" } }),
    )
    .await;
    let assigned = waiting.assign("sole", &[1]).await;
    assert_eq!(assigned.json["profile_version"], 2);
    assert_eq!(clocks(&assigned.json, "K05"), [("7 wd".to_owned(), 2)]);
    waiting.answer(1).await;
    let case = waiting.seen_by(&town.staff).await.status(200);
    assert_eq!(case.json["replies"][0]["letter"], "D");

    // What happened is on record.
    let id = draft.id().parse().expect("an id");
    let stream = Stream::of::<jianjian::ids::kind::PolicyProfile>(town.committee, "profile", id);
    let names: Vec<_> = app
        .read(move |tx| events::list(tx, &stream, 0, 10))
        .await
        .into_iter()
        .map(|event| (event.name, event.actor_role))
        .collect();
    let named = |name: &str, role: &str| (name.to_owned(), role.to_owned());
    assert_eq!(
        names,
        [
            named("profile.drafted", "administrator"),
            named("profile.activated", "committee_chair"),
            named("profile.superseded", "committee_chair"),
        ]
    );
}

#[actix_web::test]
async fn desks_follow_with_the_next_act() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.submit().await;
    case.examine_all().await;
    assert_eq!(case.desk(&town.chair).await, ["decide"]);
    in_force(&app, &town, json!({ "examination.stages": 3 })).await;
    case.tries(&town.chair, "file", crate::support::story::meeting())
        .await
        .status(409)
        .code("guard-unmet");
    case.does(&town.examiners[2], "examine", opinion(&town))
        .await;
    assert_eq!(case.desk(&town.chair).await, ["decide"]);
    case.file().await;
    assert_eq!(case.desk(&town.chair).await, Vec::<String>::new());
    // And where a stage more is due, nobody is asked to file any more.
    in_force(&app, &town, json!({ "examination.stages": 1 })).await;
    let other = Story::draft(&app, &town, &town.members[0]).await;
    other.submit().await;
    other
        .does(&town.examiners[0], "examine", opinion(&town))
        .await;
    assert_eq!(other.desk(&town.chair).await, ["decide"]);
    in_force(&app, &town, json!({ "examination.stages": 3 })).await;
    other
        .does(&town.examiners[1], "examine", opinion(&town))
        .await;
    assert_eq!(other.desk(&town.chair).await, Vec::<String>::new());
    assert_eq!(other.desk(&town.examiners[2]).await, ["examine"]);
}

/// Values that a schema must refuse: one beyond each bound.
fn beyond(schema: &Value) -> Vec<Value> {
    let reference = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next());
    match reference {
        Some("PolicyLimit") => {
            let beyond = PolicyLimit::UNITS
                .iter()
                .map(|unit| json!(format!("{} {unit}", PolicyLimit::most(*unit) + 1)));
            let below = PolicyLimit::UNITS
                .iter()
                .map(|unit| json!(format!("0 {unit}")));
            return beyond
                .chain(below)
                .chain([json!(5), json!("5 y")])
                .collect();
        }
        Some("MonthDay") => return vec![json!("13-01"), json!("02-30"), json!("1-1"), json!(1)],
        Some("PolicySpan") => {
            return vec![
                json!({ "min": 0 }),
                json!({ "max": 10_001 }),
                json!({ "mean": 5 }),
                json!(5),
            ];
        }
        Some(_) => return vec![json!("no_such_value"), json!(true)],
        None => {}
    }
    let number = |name: &str| schema[name].as_i64().expect(name);
    if schema["items"]["$ref"] == "#/components/schemas/ReminderStep" {
        let most = usize::try_from(number("maxItems")).expect("a number");
        return vec![json!(["1"]), json!([0]), json!(5), json!(vec![1; most + 1])];
    }
    match schema["type"].as_str() {
        Some("boolean") => vec![json!("true"), json!(1)],
        Some("integer") => vec![
            json!(number("minimum") - 1),
            json!(number("maximum") + 1),
            json!("1"),
            json!(1.5),
        ],
        Some("array") => {
            let mut wrong = vec![json!(["no_such_value"]), json!("satisfied")];
            if number("minItems") > 0 {
                wrong.push(json!([]));
            }
            wrong.push(json!(["dissatisfied", "dissatisfied", "satisfied"]));
            wrong
        }
        Some("object") => vec![json!({ "no_such_value": "A" }), json!([])],
        _ => vec![
            json!("2026-02-30"),
            json!("1999-06-30"),
            json!("30 June"),
            json!(1),
        ],
    }
}

#[actix_web::test]
async fn every_key_out_of_its_range_is_refused() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let schema = serde_json::to_value(Profile::schema()).expect("the schema");
    let before = app.database().row_counts();
    let mut tried = 0;
    for key in KEYS {
        for value in beyond(&schema["properties"][key.name]) {
            let mut settings = serde_json::Map::new();
            settings.insert(key.name.to_owned(), value);
            let reply = drafts(&app, &town, json!({ "settings": settings })).await;
            let reply = reply.status(422);
            let place = reply.text("/errors/0/pointer");
            let wanted = format!("/settings/{}", key.name);
            assert!(place.starts_with(&wanted), "{settings:?}: {reply}");
            tried += 1;
        }
        // A key that every version has cannot be taken away.
        if !key.name.ends_with("_date") || key.name == "tracking.look_back_date" {
            let mut settings = serde_json::Map::new();
            settings.insert(key.name.to_owned(), Value::Null);
            drafts(&app, &town, json!({ "settings": settings }))
                .await
                .status(422);
        }
    }
    assert!(tried > 200, "{tried}");
    assert_eq!(app.database().row_counts(), before);
}

#[actix_web::test]
async fn what_does_not_fit_together_is_refused_with_every_place() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let settings = json!({
        "text.total_max_chars": 1000,
        "extension.max_months_total": 2,
        "feedback.scale_result": ["satisfied", "reserved"],
        "reply.fixed_date": "2026-05-01",
        "reply.key_fixed_date": "2026-05-31",
        "outcome.scheme": { "planned": null },
    });
    let refused = drafts(&app, &town, json!({ "settings": settings })).await;
    refused.status(422).code("invalid-input").blames(&[
        "/settings/text.part_max_chars",
        "/settings/text.total_advice_chars",
        "/settings/reply.limit.session",
        "/settings/reply.limit.ordinary",
        "/settings/feedback.scale_result",
        "/settings/reply.key_fixed_date",
        "/settings/outcome.scheme/planned",
    ]);
    let unknown = json!({ "settings": { "examination.steps": 3 } });
    let refused = drafts(&app, &town, unknown)
        .await
        .status(422)
        .code("invalid-body");
    refused.blames(&["/settings/examination.steps"]);
    let nobody = json!({ "session_id": "sess_019a1b2c3d4e7f8090a1b2c3d4e5f607" });
    let refused = drafts(&app, &town, nobody).await.status(422);
    refused.blames(&["/session_id"]);
}

#[actix_web::test]
async fn one_drafts_another_activates_and_nobody_else_does_either() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let elsewhere = app.town_called("linjiang").await;
    let draft = drafts(
        &app,
        &town,
        json!({ "settings": { "examination.stages": 3 } }),
    )
    .await;
    let draft = draft.status(201);
    let path = draft.text_header("location").to_owned();
    let (chair, administrator) = (
        app.signed_in(&town, &town.chair),
        app.signed_in(&town, &town.administrator),
    );
    let patch = json!({ "settings": { "examination.stages": 2 } });
    let request = chair.patch(&path).if_match(1).json(&patch);
    request.send().await.status(403).code("forbidden");
    chair
        .post(PROFILES)
        .json(json!({}))
        .send()
        .await
        .status(403);
    let activate = format!("{path}/actions/activate");
    let request = administrator.post(&activate).if_match(1).json(json!({}));
    request.send().await.status(403).code("forbidden");
    for who in [
        &town.members[0],
        &town.staff,
        &town.unit_clerks[0],
        &town.auditor,
    ] {
        let client = app.signed_in(&town, who);
        client.get(&path).send().await.status(200);
        client
            .patch(&path)
            .if_match(1)
            .json(&patch)
            .send()
            .await
            .status(403);
        let request = client.post(&activate).if_match(1).json(json!({}));
        request.send().await.status(403);
    }
    let member = app.signed_in(&town, &town.members[0]);
    member
        .get(&format!("{path}/preview"))
        .send()
        .await
        .status(403);
    // Another committee sees nothing.
    let (theirs, head) = (
        app.signed_in(&elsewhere, &elsewhere.administrator),
        app.signed_in(&elsewhere, &elsewhere.chair),
    );
    assert_eq!(versions(&theirs, "").await, numbered(&[(1, "active")]));
    theirs.get(&path).send().await.status(404);
    theirs
        .get(&format!("{path}/preview"))
        .send()
        .await
        .status(404);
    theirs
        .patch(&path)
        .if_match(1)
        .json(&patch)
        .send()
        .await
        .status(404);
    head.post(&activate)
        .if_match(1)
        .json(json!({}))
        .send()
        .await
        .status(404);

    // Changed, then in force; then it never changes again.
    administrator
        .patch(&path)
        .json(&patch)
        .send()
        .await
        .status(428);
    let request = administrator.patch(&path).if_match(7).json(&patch);
    request.send().await.status(412);
    let patch = json!({ "note": "定稿", "settings": { "line_routing": { "court": "party" } } });
    let changed = administrator
        .patch(&path)
        .if_match(1)
        .json(&patch)
        .send()
        .await;
    let changed = changed.status(200);
    assert_eq!(changed.version(), 2);
    assert_eq!(changed.json["settings"]["examination.stages"], 3);
    let again = administrator
        .patch(&path)
        .if_match(2)
        .json(&patch)
        .send()
        .await;
    assert_eq!(again.status(200).version(), 2, "nothing differs");
    let back = json!({ "settings": { "line_routing": { "court": null } } });
    let changed = administrator
        .patch(&path)
        .if_match(2)
        .json(&back)
        .send()
        .await;
    assert_eq!(
        changed.status(200).json["settings"]["line_routing"],
        json!({})
    );
    chair
        .post(&activate)
        .if_match(2)
        .json(json!({}))
        .send()
        .await
        .status(412);
    let first = chair
        .post(&activate)
        .if_match(3)
        .key("activate-it")
        .json(json!({}));
    let first = first.send().await.status(200);
    let twin = chair
        .post(&activate)
        .if_match(3)
        .key("activate-it")
        .json(json!({}));
    assert_eq!(twin.send().await.status(200).json, first.json);
    let request = administrator.patch(&path).if_match(4).json(&back);
    request.send().await.status(409).code("state-conflict");
    let request = chair.post(&activate).if_match(4).json(json!({}));
    let refused = request.send().await.status(409).code("state-conflict");
    assert_eq!(refused.json["current_status"], "active");
}

#[actix_web::test]
async fn a_session_may_have_a_version_of_its_own() {
    let app = TestApp::start().await;
    let town = app.town().await;
    in_force(
        &app,
        &town,
        json!({ "session.window_opens_months_before": 2, "examination.stages": 3 }),
    )
    .await;
    let staff = app.signed_in(&town, &town.staff);
    let session = json!({
        "term_id": town.term, "number": 5, "name": "十四届五次会议", "opens_on": "2026-04-30",
        "deadline_at": "2026-05-01T10:00:00Z", "ends_on": "2026-05-03",
        "examination_until": "2026-05-20",
    });
    let session = staff
        .post("/api/v1/sessions")
        .json(session)
        .send()
        .await
        .status(201);
    assert_eq!(session.json["window_opens_on"], "2026-02-28");
    let own = json!({ "session_id": session.id(), "settings": { "examination.stages": 1 } });
    let own = drafts(&app, &town, own).await.status(201);
    assert_eq!(
        own.json["settings"]["session.window_opens_months_before"],
        2
    );
    activates(&app, &town, &own.id()).await.status(200);
    let chair = app.signed_in(&town, &town.chair);
    let active = versions(&chair, "&status=active").await;
    assert_eq!(active, numbered(&[(3, "active"), (2, "active")]));
    let of_session = versions(&chair, &format!("&session_id={}", session.id())).await;
    assert_eq!(of_session, numbered(&[(3, "active")]));
    for (session, version) in [(session.id(), 3), (town.session.to_string(), 2)] {
        let body = json!({ "kind": "individual", "session_id": session, "form": form() });
        let case = Story::draft_of(&app, &town, &town.members[0], body).await;
        let seen = case.seen_by(&town.staff).await.status(200);
        assert_eq!(seen.json["profile_version"], version);
    }
    // A new general version concerns only sessions without one of their own.
    let general = drafts(&app, &town, json!({})).await.status(201);
    let preview = chair.get(&format!("{PROFILES}/{}/preview", general.id()));
    let preview = preview.send().await.status(200);
    assert_eq!(preview.json["against_version"], 2);
    assert_eq!(preview.json["changes"], json!([]));
    assert_eq!(
        preview.json["cases"]["items"].as_array().map(Vec::len),
        Some(1)
    );
}

#[actix_web::test]
async fn the_cases_of_a_preview_come_page_by_page() {
    let app = TestApp::start().await;
    let town = app.town().await;
    for _ in 0..3 {
        Story::draft(&app, &town, &town.members[0]).await;
    }
    let draft = drafts(&app, &town, json!({})).await.status(201);
    let chair = app.signed_in(&town, &town.chair);
    let path = format!("{PROFILES}/{}/preview", draft.id());
    let first = chair
        .get(&format!("{path}?limit=2"))
        .send()
        .await
        .status(200);
    let cursor = first.text("/cases/next_cursor");
    let rest = chair
        .get(&format!("{path}?limit=2&cursor={cursor}"))
        .send()
        .await;
    let rest = rest.status(200);
    assert_eq!(
        rest.json["cases"]["items"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(rest.json["cases"]["next_cursor"], Value::Null);
    let other = chair
        .get(&format!("{path}?effect=keeps&cursor={cursor}"))
        .send()
        .await;
    other.status(400).code("invalid-cursor");
    let page = chair
        .get(&format!("{PROFILES}?limit=1&count=true"))
        .send()
        .await
        .status(200);
    assert_eq!(page.json["count"], 2);
    let cursor = page.text("/next_cursor");
    let rest = chair
        .get(&format!("{PROFILES}?limit=1&cursor={cursor}"))
        .send()
        .await;
    assert_eq!(rest.status(200).json["items"][0]["profile_version"], 1);
}

#[actix_web::test]
async fn two_activations_at_once_leave_one_in_force() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let session = json!({ "session_id": town.session });
    let mut drafted = Vec::new();
    for _ in 0..4 {
        drafted.push(drafts(&app, &town, session.clone()).await.status(201).id());
    }
    let all = drafted.iter().map(|id| activates(&app, &town, id));
    for reply in futures_util::future::join_all(all).await {
        reply.status(200);
    }
    let chair = app.signed_in(&town, &town.chair);
    let of_session = versions(&chair, &format!("&session_id={}", town.session)).await;
    let active = of_session.iter().filter(|(_, status)| status == "active");
    assert_eq!((of_session.len(), active.count()), (4, 1));
}

#[actix_web::test]
async fn the_length_advised_is_a_warning() {
    let app = TestApp::start().await;
    let town = app.town().await;
    in_force(&app, &town, json!({ "text.total_advice_chars": 100 })).await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    let seen = case.seen_by(&town.members[0]).await.status(200);
    assert_eq!(seen.json["warnings"], json!([]));
    let long = case.edit(json!({ "situation": "长".repeat(200) })).await;
    assert_eq!(long.json["warnings"][0]["code"], "longer_than_advised");
    assert_eq!(case.submit().await.json["warnings"], json!([]));
}

#[actix_web::test]
async fn the_line_of_a_unit_follows_the_profile() {
    let app = TestApp::start().await;
    let town = app.town().await;
    in_force(
        &app,
        &town,
        json!({ "line_routing": { "government": "cppcc" } }),
    )
    .await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.submit().await;
    let examined = case.examine_all().await;
    assert_eq!(examined.json["assigning_line"], "cppcc");
}

#[actix_web::test]
async fn committees_from_before_get_the_defaults_by_the_migration() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    for sql in [
        "DROP TABLE policy_profiles",
        "DELETE FROM number_series WHERE series = 'policy_profile'",
        "DELETE FROM __diesel_schema_migrations WHERE version = '20261124000100'",
    ] {
        app.database().execute(sql);
    }
    let applied = migrate::run(app.database().url()).expect("to migrate");
    assert_eq!(applied, ["20261124000100"]);
    let member = app.signed_in(&town, &town.members[0]);
    let page = member.get(PROFILES).send().await.status(200);
    assert_eq!(page.json["items"][0]["profile_version"], 1);
    assert_eq!(page.json["items"][0]["status"], "active");
    let settings = Value::Object(Profile::default().settings());
    assert_eq!(page.json["items"][0]["settings"], settings);
    // Cases go on, and the next version is the second.
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    case.draft_reply_of(0, reply_form()).await;
    let next = in_force(&app, &town, json!({ "examination.stages": 1 })).await;
    assert_eq!(next["profile_version"], 2);
}
