//! Who was refused and who read restricted cases is in the trail, and auditors find it there.

use jianjian::config::Config;
use jianjian::store::verify;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::seed::{PASSWORD, Town};
use crate::support::story::Story;
use crate::support::{Reply, TestApp};

async fn search(app: &TestApp, town: &Town, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/audit/events?limit=100&{query}");
    let auditor = app.signed_in(town, &town.auditor);
    let found = auditor.get(&path).send().await.status(200);
    found.json["items"].as_array().expect("items").clone()
}

fn accesses(app: &TestApp) -> i64 {
    app.database()
        .number("SELECT count(*) AS n FROM events WHERE stream_kind = 'access'")
}

async fn restricted<'a>(app: &'a TestApp, town: &'a Town) -> Story<'a> {
    let case = Story::draft(app, town, &town.members[0]).await;
    case.until_filed().await;
    let body = json!({ "secrecy": "restricted", "reason": "内容涉及未公开事项。" });
    case.does(&town.chair, "set-secrecy", body).await;
    case
}

fn names(entries: &[Value]) -> Vec<&str> {
    entries
        .iter()
        .filter_map(|entry| entry["name"].as_str())
        .collect()
}

#[actix_web::test]
async fn whoever_is_refused_is_in_the_trail_with_what_and_why() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.submit().await;
    let before = case.trail().await.len();
    let member = app.signed_in(&town, &town.members[0]);
    // By the operation: the caller may know of the case.
    let by_case = case
        .tries(&town.members[0], "file", json!({}))
        .await
        .status(403);
    // Events of one moment have no order of their own.
    app.clock.advance(SignedDuration::from_secs(1));
    // By the door: the role is missing.
    let by_door = member.get("/api/v1/jobs").send().await.status(403);
    // Of what the caller may not know.
    let stranger = app.signed_in(&town, &town.members[1]);
    let hidden = stranger.get(&case.path()).send().await.status(404);
    assert_eq!(
        case.trail().await.len(),
        before,
        "the case itself tells nothing of it"
    );

    let refused = search(
        &app,
        &town,
        &format!("actor_id={}&class=refusals", town.members[0].user),
    )
    .await;
    assert_eq!(names(&refused), ["access.refused"; 2]);
    let request = |reply: &Reply| json!(reply.text_header("x-request-id"));
    assert_eq!(refused[0]["request_id"], request(&by_door));
    assert_eq!(refused[0]["content"]["operation"], "list_jobs");
    assert_eq!(refused[0]["content"]["reason"], "forbidden");
    assert_eq!(refused[0].get("object"), None);
    assert_eq!(refused[1]["request_id"], request(&by_case));
    assert_eq!(refused[1]["object"], json!(case.id));
    assert_eq!(refused[1]["content"]["operation"], "file_proposal");
    assert_eq!(refused[1]["actor"]["role"], "member");
    // The case leads to whom it refused, not to who only guessed at it.
    let of_case = search(
        &app,
        &town,
        &format!("object_id={}&class=refusals", case.id),
    )
    .await;
    assert_eq!(of_case.len(), 1);
    let by_request = format!("request_id={}", hidden.text_header("x-request-id"));
    let of_request = search(&app, &town, &by_request).await;
    assert_eq!(of_request[0]["content"]["reason"], "not-found");
    assert_eq!(of_request[0]["actor"]["id"], json!(town.members[1].user));
    // Signing in with a wrong password stands beside them.
    let wrong = json!({ "committee": town.code, "username": town.staff.username, "password": "wrong-wrong" });
    let wrong = app.anonymous().post("/api/v1/auth/login").json(wrong);
    wrong.send().await.status(401);
    let all = search(&app, &town, "class=refusals").await;
    assert!(names(&all).contains(&"user.sign_in_refused"), "{all:?}");
    assert_eq!(app.read(verify::run).await.broken, None);
}

#[actix_web::test]
async fn a_client_that_hammers_fills_nothing() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    for _ in 0..40 {
        member.get("/api/v1/jobs").send().await.status(403);
    }
    assert_eq!(accesses(&app), 1);
    // Many different things: thirty apart, the rest by operation.
    for _ in 0..50 {
        let id = jianjian::ids::ProposalId::new(app.clock_now());
        member
            .get(&format!("/api/v1/proposals/{id}"))
            .send()
            .await
            .status(404);
    }
    assert_eq!(accesses(&app), 31);
    app.clock.advance(SignedDuration::from_secs(61));
    app.app.flush_watch(false).await.expect("to write");
    let told = search(
        &app,
        &town,
        &format!("actor_id={}&name=access.*", town.members[0].user),
    )
    .await;
    let times = |operation: &str| {
        let mut entries = told
            .iter()
            .filter(|entry| entry["content"]["operation"] == operation);
        entries.find_map(|entry| entry["content"]["repeated"]["times"].as_i64())
    };
    assert_eq!(times("list_jobs"), Some(39));
    assert_eq!(times("get_proposal"), Some(20));
    assert_eq!(app.read(verify::run).await.broken, None);
}

#[actix_web::test]
async fn whoever_reads_a_restricted_case_is_in_the_trail() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let open = Story::draft(&app, &town, &town.members[1]).await;
    open.until_filed().await;
    let case = restricted(&app, &town).await;
    let (version, events) = (
        case.seen_by(&town.leader).await.version(),
        case.trail().await.len(),
    );
    let leader = app.signed_in(&town, &town.leader);
    for part in ["timeline", "records", "attachments", "clocks", "actions"] {
        let path = format!("{}/{part}", case.path());
        leader.get(&path).send().await.status(200);
        leader.get(&path).send().await.status(200);
    }
    leader.get("/api/v1/proposals").send().await.status(200);
    let read = search(&app, &town, &format!("object_id={}&class=reads", case.id)).await;
    let mut operations: Vec<_> = read
        .iter()
        .map(|entry| {
            entry["content"]["operation"]
                .as_str()
                .expect("an operation")
        })
        .collect();
    operations.sort_unstable();
    assert_eq!(
        operations,
        [
            "get_proposal",
            "get_records",
            "get_timeline",
            "list_attachments",
            "list_case_clocks",
            "list_proposal_actions",
            "list_proposals",
        ]
    );
    assert!(
        read.iter()
            .all(|entry| entry["actor"]["id"] == json!(town.leader.user))
    );
    // Neither the case nor its version know of it, and an open case costs no write.
    assert_eq!(case.seen_by(&town.leader).await.version(), version);
    assert_eq!(case.trail().await.len(), events);
    let before = accesses(&app);
    open.seen_by(&town.leader).await.status(200);
    assert_eq!(accesses(&app), before);
    assert_eq!(
        search(&app, &town, &format!("object_id={}&class=reads", open.id))
            .await
            .len(),
        0
    );
}

/// The database takes no entry any more: what is open is still read, what is restricted is not.
#[actix_web::test]
async fn without_evidence_a_restricted_case_is_not_read() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let open = Story::draft(&app, &town, &town.members[1]).await;
    open.until_filed().await;
    let case = restricted(&app, &town).await;
    case.seen_by(&town.chair).await.status(200);
    let column = |from: &str, to: &str| {
        app.database()
            .batch(&format!("ALTER TABLE events RENAME COLUMN {from} TO {to};"));
    };
    column("prev_hash", "lost");
    open.seen_by(&town.leader).await.status(200);
    let refused = case.seen_by(&town.leader).await;
    assert!(refused.status >= 500, "{}", refused.status);
    assert_eq!(refused.json.get("form"), None);
    assert!(!String::from_utf8_lossy(&refused.body).contains(&case.id));
    column("lost", "prev_hash");
    case.seen_by(&town.leader).await.status(200);
}

#[actix_web::test]
async fn the_log_is_searched_by_auditors_only_and_tells_who_searched() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    for who in [
        &town.administrator,
        &town.security,
        &town.chair,
        &town.members[0],
    ] {
        let client = app.signed_in(&town, who);
        client.get("/api/v1/audit/events").send().await.status(403);
    }
    let count = |entries: Vec<Value>| entries.len();
    let chair = format!("actor_id={}", town.chair.user);
    let acts = search(&app, &town, &format!("{chair}&name=proposal.*")).await;
    assert!(names(&acts).contains(&"proposal.filed"), "{acts:?}");
    assert_eq!(acts[0]["content"].get("form"), None);
    assert_eq!(
        count(search(&app, &town, "name=proposal.filed&role=committee_chair").await),
        1
    );
    assert_eq!(
        count(search(&app, &town, "name=proposal.filed&role=leader").await),
        0
    );
    assert_eq!(
        count(search(&app, &town, "name=proposal.filed&class=administration").await),
        0
    );
    assert!(count(search(&app, &town, "class=administration&kind=unit").await) >= 4);
    assert_eq!(count(search(&app, &town, "name=proposal_filed.*").await), 0);
    let now = app.clock_now();
    let filed = "name=proposal.filed";
    assert_eq!(
        count(search(&app, &town, &format!("{filed}&from={now}")).await),
        1
    );
    assert_eq!(
        count(search(&app, &town, &format!("{filed}&to={now}")).await),
        0
    );
    let searched = search(&app, &town, "name=audit.read").await;
    assert!(searched.len() >= 8, "{}", searched.len());
    assert_eq!(searched[0]["actor"]["id"], json!(town.auditor.user));
    // Page by page everything comes once.
    let auditor = app.signed_in(&town, &town.auditor);
    let to = now + SignedDuration::from_secs(1);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/audit/events?limit=2&class=cases&to={to}{cursor}");
        let page = auditor.get(&path).send().await.status(200);
        seen.extend(
            page.json["items"]
                .as_array()
                .expect("items")
                .iter()
                .map(|entry| entry["id"].to_string()),
        );
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(
        seen.len() > 2 && seen.is_sorted_by(|a, b| a > b),
        "{seen:?}"
    );
    assert_eq!(seen.len(), search(&app, &town, "class=cases").await.len());
    // Nothing of another committee.
    let other = app.town_called("linjiang").await;
    assert_eq!(
        count(search(&app, &other, &format!("object_id={}", case.id)).await),
        0
    );
    assert_eq!(count(search(&app, &other, &chair).await), 0);
    for wrong in [
        "object_id=x",
        "from=yesterday",
        "name=%25",
        "kind=a,b",
        "class=all",
        "actor_id=1",
    ] {
        let path = format!("/api/v1/audit/events?{wrong}");
        auditor.get(&path).send().await.status(400);
    }
}

/// I29: neither contacts nor passwords are in the trail, which cannot forget.
#[actix_web::test]
async fn the_trail_knows_neither_contacts_nor_passwords() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let unit = format!("/api/v1/units/{}", town.units[0]);
    let patch = json!({ "contact_person": "钱多多", "contact_phone": "13900001111" });
    let changed = administrator
        .patch(&unit)
        .if_match("1")
        .json(patch)
        .send()
        .await;
    changed.status(200);
    let again = json!({ "contact_phone": "13900002222" });
    administrator
        .patch(&unit)
        .if_match("2")
        .json(again)
        .send()
        .await
        .status(200);
    let mail = json!({ "email": "secret.address@example.cn" });
    let settings = "/api/v1/notification-settings";
    let settings = app.signed_in(&town, &town.members[0]).patch(settings);
    let _ = settings.json(mail).send().await;
    let login = json!({ "committee": town.code, "username": town.members[0].username, "password": PASSWORD });
    app.anonymous()
        .post("/api/v1/auth/login")
        .json(login)
        .send()
        .await
        .status(200);
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    case.contact(0).await;
    let contents = app.database().names(match app.db().url() {
        jianjian::store::DatabaseUrl::Sqlite(_) => "SELECT content AS name FROM events",
        jianjian::store::DatabaseUrl::Postgres(_) => "SELECT content::text AS name FROM events",
    });
    assert!(contents.len() > 30);
    for secret in [
        "13900001111",
        "13900002222",
        "钱多多",
        "secret.address",
        PASSWORD,
        "argon2",
    ] {
        let found: Vec<_> = contents
            .iter()
            .filter(|content| content.contains(secret))
            .collect();
        assert!(found.is_empty(), "{secret}: {found:?}");
    }
    // That it was changed is told.
    let told = search(
        &app,
        &town,
        &format!("object_id={}&name=unit.changed", town.units[0]),
    )
    .await;
    // Events of one moment have no order of their own.
    let changed = told
        .iter()
        .map(|entry| &entry["content"])
        .find(|content| content["before"]["contact_phone"] == "…")
        .expect("the second change");
    assert_eq!(changed["after"]["contact_phone"], "… *");
    assert_eq!(changed["after"]["contact_person"], "…");
}

#[actix_web::test]
async fn neither_operation_nor_setting_takes_anything_out_of_the_trail() {
    let app = TestApp::start().await;
    let document = app.openapi().await;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        if path.starts_with("/api/v1/audit") {
            for method in ["delete", "put", "patch"] {
                assert!(methods.get(method).is_none(), "{method} {path}");
            }
        }
    }
    for wrong in ["0", "169"] {
        let sources = jianjian::config::Sources {
            environment: vec![("JIANJIAN_AUDIT__SEAL_HOURS".into(), wrong.into())],
            ..jianjian::config::Sources::default()
        };
        assert!(Config::load(&sources).is_err(), "{wrong}");
    }
    // After years of daily work the first event is still there.
    app.town().await;
    app.work().await;
    let first = app.database().number("SELECT count(*) AS n FROM events");
    for _ in 0..3 {
        app.clock.advance(SignedDuration::from_hours(24 * 400));
        app.work().await;
    }
    assert!(app.database().number("SELECT count(*) AS n FROM events") >= first);
}
