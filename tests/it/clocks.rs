//! Why a clock is due on its day, trial counts, and lists of what is due (domain 4.2–4.4; I23,
//! I24, I25; clocks K05, K07, K10, K19).

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::seed::{Person, Town};
use crate::support::story::Story;
use crate::support::units::{at, days};
use crate::support::{Client, Reply, TestApp};

const WHAT_IF: &str = "/api/v1/clocks/what-if";

/// Days of a count as short text, `09-28 makeup_workday 1`.
fn told(reply: &Reply) -> Vec<String> {
    let days = reply.json["days"].as_array().expect("days");
    days.iter()
        .map(|day| {
            let date = day["date"].as_str().expect("a date");
            let mut text = format!(
                "{} {}",
                &date[5..],
                day["verdict"].as_str().expect("a verdict")
            );
            for more in ["n", "name", "days"] {
                if let Some(more) = day.get(more) {
                    text = format!("{text} {}", more.to_string().trim_matches('"'));
                }
            }
            for language in ["zh-CN", "en"] {
                assert!(
                    day["label"][language]
                        .as_str()
                        .is_some_and(|label| !label.is_empty())
                );
            }
            text
        })
        .collect()
}

async fn explained(client: &Client, clock: &Value) -> Reply {
    let id = clock["id"].as_str().expect("an id");
    client
        .get(&format!("/api/v1/clocks/{id}/explanation"))
        .send()
        .await
}

/// The worked example of domain 4.4, day by day.
#[actix_web::test]
async fn a_trial_count_tells_the_worked_example() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let rows = app.database().row_counts();
    let body = json!({ "start": "2025-09-26T09:00:00+08:00", "limit": "5 wd" });
    let reply = member.post(WHAT_IF).json(&body).send().await.status(200);
    let mut expected: Vec<String> = [
        "09-26 start",
        "09-27 weekend",
        "09-28 makeup_workday 1",
        "09-29 counted 2",
        "09-30 counted 3",
    ]
    .map(str::to_owned)
    .to_vec();
    expected.extend((1..=8).map(|day| format!("10-0{day} holiday 国庆节、中秋节")));
    expected.extend(["10-09 counted 4".to_owned(), "10-10 counted 5".to_owned()]);
    assert_eq!(told(&reply), expected);
    assert_eq!(reply.json["due_on"], "2025-10-10");
    assert_eq!(reply.json["due_at"], "2025-10-10T16:00:00Z");
    assert_eq!(
        (&reply.json["calendar_version"], &reply.json["provisional"]),
        (&json!(1), &json!(false))
    );

    let body = json!({
        "start": "2026-02-11T09:00:00+08:00", "limit": "10 wd", "calendar_version": 1,
        "pauses": [{ "from": "2026-02-25", "until": "2026-03-02" }],
    });
    let reply = member.post(WHAT_IF).json(&body).send().await.status(200);
    assert_eq!(reply.json["due_on"], "2026-03-09");
    assert_eq!(reply.json["original_due_at"], "2026-03-03T16:00:00Z");
    let body = json!({ "start": "2028-02-11T09:00:00+08:00", "limit": "3 mo" });
    let reply = member.post(WHAT_IF).json(&body).send().await.status(200);
    assert_eq!(reply.json["provisional"], true);
    assert_eq!(app.database().row_counts(), rows);
}

#[actix_web::test]
async fn a_trial_count_out_of_range_is_a_clear_problem() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let start = "2026-03-02T09:00:00+08:00";
    for (body, pointer) in [
        (
            json!({ "start": start, "limit": "5 wd", "calendar_version": 7 }),
            "/calendar_version",
        ),
        (json!({ "start": start, "limit": "2501 wd" }), "/limit"),
        (json!({ "start": start, "limit": "121 mo" }), "/limit"),
        (json!({ "start": start, "limit": "87601 h" }), "/limit"),
        (
            json!({ "start": "1999-12-31T09:00:00+08:00", "limit": "5 wd" }),
            "/start",
        ),
        (
            json!({ "start": start, "limit": "5 wd", "pauses": [{ "from": "2026-03-09", "until": "2026-03-08" }] }),
            "/pauses/0/until",
        ),
        (
            json!({ "start": start, "limit": "5 wd", "pauses": [{ "from": "2026-03-09", "until": "2199-03-08" }] }),
            "/pauses/0",
        ),
    ] {
        let reply = member.post(WHAT_IF).json(&body).send().await;
        reply.status(422).code("invalid-input").blames(&[pointer]);
    }
    for body in [
        json!({ "start": start, "limit": "5 days" }),
        json!({ "start": start, "limit": "5 wd", "calendar_version": 0 }),
        json!({ "start": "soon", "limit": "5 wd" }),
        json!({ "limit": "5 wd" }),
    ] {
        let reply = member.post(WHAT_IF).json(&body).send().await;
        reply.status(422).code("invalid-body");
    }
    let longest = json!({ "start": "2099-12-31T09:00:00+08:00", "limit": "2500 wd" });
    member.post(WHAT_IF).json(&longest).send().await.status(200);
    app.anonymous()
        .post(WHAT_IF)
        .json(&longest)
        .send()
        .await
        .status(401);
}

/// A case assigned before Labour Day.
async fn before_labour_day<'a>(app: &'a TestApp, town: &'a Town) -> Story<'a> {
    let mut case = Story::draft(app, town, &town.members[0]).await;
    case.until_filed().await;
    at(app, "2026-04-29T02:00:00Z");
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    case
}

/// K05 over Labour Day with its make-up Saturday.
#[actix_web::test]
async fn a_clock_is_explained_over_a_holiday_with_make_up_days() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = before_labour_day(&app, &town).await;
    let clock = case.clock(0, "K05").await.expect("it runs");
    let clerk = case.as_(&town.unit_clerks[0]);
    let reply = explained(&clerk, &clock).await.status(200);
    let mut expected: Vec<String> = ["04-29 start", "04-30 counted 1"]
        .map(str::to_owned)
        .to_vec();
    expected.extend((1..=5).map(|day| format!("05-0{day} holiday 劳动节")));
    let rest = [
        "05-06 counted 2",
        "05-07 counted 3",
        "05-08 counted 4",
        "05-09 makeup_workday 5",
    ];
    expected.extend(rest.map(str::to_owned));
    assert_eq!(told(&reply), expected);
    assert_eq!(reply.json["clock"]["due_on"], "2026-05-09");
    assert_eq!(reply.json["rule"]["policy_key"], "return.window");
    assert_eq!(reply.json["rule"]["limit"], "5 wd");
    assert_eq!(reply.json["rule"]["profile_version"], 1);
    assert_eq!(reply.json["clock"]["calendar_version"], 1);
    assert_eq!(reply.json["start"]["on"], "2026-04-29");
    assert!(reply.json["start"]["label"]["zh-CN"].is_string());
    // Whoever may not read the case learns nothing of its clocks.
    explained(&case.as_(&town.unit_clerks[2]), &clock)
        .await
        .status(404)
        .code("not-found");
    let other = app.town_called("luhe").await;
    explained(&app.signed_in(&other, &other.staff), &clock)
        .await
        .status(404);
    let none = json!({ "id": "clck_019a1b2c3d4e7f8090a1b2c3d4e5f607" });
    explained(&clerk, &none).await.status(404);
}

/// K10 extended, then paused: decisions with who decided, both due dates, and the last day told is
/// the last day of the period (I24, I25).
#[actix_web::test]
async fn extensions_and_pauses_are_told_with_their_decisions() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = before_labour_day(&app, &town).await;
    let more = json!({ "reason": "方案须经市规委会审议。", "signatory": "林涛", "new_date": "2026-08-14" });
    case.on_row(0, "request-extension", more).await;
    case.decides(0, "grant-extension", json!({ "note": "同意。" }))
        .await;
    days(&app, 1);
    let pause = json!({ "reason": "等待国家标准发布。", "signatory": "林涛", "expected_end": "2026-05-08" });
    case.on_row(0, "request-pause", pause).await;
    case.decides(0, "pause-clock", json!({})).await;
    let clock = case.clock(0, "K10").await.expect("it runs");
    // Eight days from 30 April; 22 August is a Saturday.
    assert_eq!(clock["due_on"], "2026-08-24");
    let reply = explained(&case.as_(&town.unit_clerks[0]), &clock)
        .await
        .status(200);
    assert_eq!(
        told(&reply),
        [
            "04-29 start",
            "07-29 counted 3",
            "08-14 extended",
            "08-22 paused 8",
            "08-22 weekend",
            "08-23 weekend",
            "08-24 rolled"
        ]
    );
    assert_eq!(
        reply.json["clock"]["original_due_at"],
        "2026-07-29T16:00:00Z"
    );
    assert_eq!(reply.json["rule"]["policy_key"], "reply.limit.session");
    let changes = &reply.json["changes"];
    assert_eq!(
        (&changes[0]["change"], &changes[0]["until"]),
        (&json!("extended"), &json!("2026-08-14"))
    );
    assert_eq!(changes[0]["decision"]["note"], "同意。");
    assert!(changes[0]["decision"]["decided_by"].is_string(), "{reply}");
    assert_eq!(changes[1]["decision"]["reason"], "等待国家标准发布。");
    // Another member reads the case and its clocks, not what passed between unit and officer.
    let member = explained(&case.as_(&town.members[1]), &clock)
        .await
        .status(200);
    assert!(
        member.json["changes"][0].get("decision").is_none(),
        "{member}"
    );
    assert_eq!(member.json["days"], reply.json["days"]);
}

#[actix_web::test]
async fn clocks_of_a_case_are_listed_running_and_stopped() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = before_labour_day(&app, &town).await;
    let list = async |who: &Person, query: &str| {
        let path = format!("{}/clocks{query}", case.path());
        case.as_(who).get(&path).send().await
    };
    let kinds = |reply: &Reply| -> Vec<String> {
        let items = reply.json["items"].as_array().expect("items");
        let mut kinds: Vec<_> = items
            .iter()
            .map(|item| item["kind"].as_str().expect("a kind").to_owned())
            .collect();
        kinds.sort();
        kinds
    };
    let running = list(&town.members[0], "?state=running").await.status(200);
    assert_eq!(kinds(&running), ["K05", "K07", "K10", "K17"]);
    let stopped = list(&town.members[0], "?state=stopped").await.status(200);
    assert_eq!(kinds(&stopped), ["K03", "K04"]);
    assert!(stopped.json["items"][0]["stopped_at"].is_string());
    // Examined in time, assigned after the end of April: too late.
    for item in stopped.json["items"].as_array().expect("items") {
        assert_eq!(item["overdue"], item["kind"] == "K04", "{item}");
    }
    let reply = explained(&case.as_(&town.members[0]), &stopped.json["items"][0]).await;
    reply.status(200);
    let all = list(&town.members[0], "?count=true").await.status(200);
    assert_eq!(
        (all.json["count"].clone(), kinds(&all).len()),
        (json!(6), 6)
    );
    let page = list(&town.members[0], "?limit=4").await.status(200);
    let cursor = page.text("/next_cursor");
    let rest = list(&town.members[0], &format!("?cursor={cursor}"))
        .await
        .status(200);
    assert_eq!(kinds(&rest).len(), 2);
    list(&town.members[0], "?kind=K99")
        .await
        .status(400)
        .code("invalid-parameter");
    list(&town.unit_clerks[2], "").await.status(404);
    // A request of the unit and its clock are not for every reader.
    let more = json!({ "reason": "方案须经市规委会审议。", "signatory": "林涛", "new_date": "2026-08-14" });
    case.on_row(0, "request-extension", more).await;
    for (who, seen) in [(&town.officer, 1), (&town.members[1], 0)] {
        let reply = list(who, "?kind=K13").await.status(200);
        assert_eq!(kinds(&reply).len(), seen, "{}", who.username);
    }
}

/// Cases and kinds of a list of running clocks.
async fn due(app: &TestApp, town: &Town, who: &Person, query: &str) -> Vec<(String, String)> {
    let client = app.signed_in(town, who);
    let reply = client
        .get(&format!("/api/v1/clocks?limit=100{query}"))
        .send()
        .await
        .status(200);
    let items = reply.json["items"].as_array().expect("items");
    assert!(items.is_sorted_by_key(|item| item["due_at"].as_str().map(str::to_owned)));
    let text = |item: &Value, at: &str| item.pointer(at).and_then(Value::as_str).map(str::to_owned);
    items
        .iter()
        .map(|item| {
            (
                text(item, "/proposal/id").expect("a case"),
                text(item, "/kind").expect("a kind"),
            )
        })
        .collect()
}

#[actix_web::test]
async fn lists_of_due_clocks_follow_role_unit_and_line() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut one = Story::draft(&app, &town, &town.members[0]).await;
    one.until_filed().await;
    one.assign("sole", &[0]).await;
    let mut two = Story::draft(&app, &town, &town.members[1]).await;
    two.until_filed().await;
    two.assign("sole", &[1]).await;
    let three = Story::draft(&app, &town, &town.members[2]).await;
    three.submit().await;
    let on = |case: &Story<'_>, kinds: &[&str]| -> Vec<(String, String)> {
        kinds
            .iter()
            .map(|kind| (case.id.clone(), (*kind).to_owned()))
            .collect()
    };
    let sorted = |mut list: Vec<(String, String)>| {
        list.sort();
        list
    };
    for (unit, case) in [(0, &one), (1, &two)] {
        let own = on(case, &["K05", "K07", "K10"]);
        for who in [&town.unit_clerks[unit], &town.signatories[unit]] {
            assert_eq!(due(&app, &town, who, "").await, own, "{}", who.username);
        }
    }
    let filed = sorted(
        [
            on(&one, &["K05", "K07", "K10", "K17"]),
            on(&two, &["K05", "K07", "K10", "K17"]),
        ]
        .concat(),
    );
    let all = sorted([filed.clone(), on(&three, &["K03"])].concat());
    for (who, expected) in [
        (&town.officer, &filed),
        (&town.supervision, &filed),
        (&town.staff, &all),
        (&town.chair, &all),
        (&town.auditor, &all),
    ] {
        assert_eq!(
            &sorted(due(&app, &town, who, "").await),
            expected,
            "{}",
            who.username
        );
    }
    assert!(due(&app, &town, &town.party_officer, "").await.is_empty());
    let unit = format!("&unit_id={}", town.units[1]);
    assert_eq!(
        due(&app, &town, &town.staff, &unit).await,
        on(&two, &["K05", "K07", "K10"])
    );
    assert!(
        due(&app, &town, &town.unit_clerks[0], &unit)
            .await
            .is_empty()
    );
    assert_eq!(
        due(&app, &town, &town.staff, "&line=government&kind=K10")
            .await
            .len(),
        2
    );
    assert!(
        due(&app, &town, &town.staff, "&line=party")
            .await
            .is_empty()
    );
    assert_eq!(
        due(&app, &town, &town.staff, "&due_before=2026-03-09&kind=K05")
            .await
            .len(),
        0
    );
    assert_eq!(
        due(&app, &town, &town.staff, "&due_before=2026-03-10&kind=K05")
            .await
            .len(),
        2
    );
    assert_eq!(
        due(&app, &town, &town.staff, "&state=due&kind=K05")
            .await
            .len(),
        2
    );
    assert!(
        due(&app, &town, &town.staff, "&state=overdue")
            .await
            .is_empty()
    );
    let client = app.signed_in(&town, &town.members[0]);
    client
        .get("/api/v1/clocks")
        .send()
        .await
        .status(403)
        .code("forbidden");
    let staff = app.signed_in(&town, &town.staff);
    for query in [
        "state=late",
        "due_before=tomorrow",
        "unit_id=x",
        "line=none",
        "kind=K22",
    ] {
        let reply = staff.get(&format!("/api/v1/clocks?{query}")).send().await;
        reply.status(400).code("invalid-parameter");
    }
    // Page by page, each once.
    let mut seen = Vec::new();
    let mut path = "/api/v1/clocks?limit=2&count=true".to_owned();
    loop {
        let page = staff.get(&path).send().await.status(200);
        assert_eq!(page.json["count"], all.len());
        let items = page.json["items"].as_array().expect("items");
        seen.extend(items.iter().map(|item| item["id"].clone()));
        let Some(cursor) = page.json["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/v1/clocks?limit=2&count=true&cursor={cursor}");
    }
    seen.sort_by_key(Value::to_string);
    seen.dedup();
    assert_eq!(seen.len(), all.len());

    // First contact is late after 15 working days; a closed window is nobody's debt.
    at(&app, "2026-03-24T01:00:00Z");
    let late = due(&app, &town, &town.unit_clerks[0], "&state=overdue").await;
    assert_eq!(late, on(&one, &["K07"]));
    let staff = app.signed_in(&town, &town.staff);
    let reply = staff
        .get("/api/v1/clocks?state=overdue&kind=K07")
        .send()
        .await
        .status(200);
    // Both cases are due at once; their order is that of identifiers.
    let items = reply.json["items"].as_array().expect("items");
    let of_one = |item: &&Value| item["proposal"]["id"] == json!(one.id);
    let item = items.iter().find(of_one).expect("the first case");
    assert_eq!(
        (&item["days_left"], &item["overdue"]),
        (&json!(-1), &json!(true))
    );
    assert_eq!(item["unit_name"], town_unit(&one).await);
    assert_eq!(item["proposal"]["status"], "assigned");
    let running = due(&app, &town, &town.unit_clerks[0], "&state=running").await;
    assert_eq!(running, on(&one, &["K10"]));
}

async fn town_unit(case: &Story<'_>) -> Value {
    case.row_now(0).await.json["unit_name"].clone()
}

/// K19 of a restricted instruction is listed for the few it is meant for.
#[actix_web::test]
async fn clocks_of_restricted_instructions_are_for_a_few() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    for restricted in [true, false] {
        let body = json!({
            "leader": "韩松", "post": "市长", "date": "2026-03-02", "kind": "instruction",
            "text": "请抓紧研究，务求实效。", "unit_ids": [town.units[1]],
            "due_on": "2026-06-30", "restricted": restricted,
        });
        case.does(&town.leader, "instruct", body).await;
    }
    for (who, seen) in [
        (&town.staff, 2),
        (&town.chair, 2),
        (&town.auditor, 2),
        (&town.unit_clerks[1], 2),
        (&town.officer, 1),
        (&town.supervision, 1),
        (&town.unit_clerks[0], 0),
    ] {
        let list = due(&app, &town, who, "&kind=K19").await;
        assert_eq!(list.len(), seen, "{}", who.username);
    }
}

/// A line that changes takes the open clocks of the case along.
#[actix_web::test]
async fn clocks_follow_the_line_of_their_case() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.submit().await;
    assert!(
        due(&app, &town, &town.staff, "&line=government")
            .await
            .is_empty()
    );
    case.examine_all().await;
    let now = due(&app, &town, &town.staff, "&line=government").await;
    assert_eq!(now, [(case.id.clone(), "K03".to_owned())]);
    // Not filed yet: not for the officer.
    assert!(due(&app, &town, &town.officer, "").await.is_empty());
}

/// Many open clocks beside the real ones, behind the back of the service: one in fifty is of the
/// same unit, line and kind.
fn many(app: &TestApp, town: &Town, proposal: &str, rows: usize) {
    let sqlite = app.database().url_text().starts_with("sqlite:");
    let (id, moment, series) = if sqlite {
        (
            "randomblob(16)",
            "strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2026-03-05', '+' || n || ' minutes')",
            format!(
                "WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {rows}) "
            ),
        )
    } else {
        (
            "gen_random_uuid()",
            "TIMESTAMPTZ '2026-03-05 00:00:00Z' + n * INTERVAL '1 minute'",
            format!("WITH series AS (SELECT generate_series(1, {rows}) AS n) "),
        )
    };
    let changed = app.database().execute(&format!(
        "{series}INSERT INTO clocks (committee_id, id, proposal_id, kind, subject_id, started_at, \
         time_limit, profile_version, calendar_version, provisional, original_due, due_at, \
         stopped_at, changes, unit_id, line) \
         SELECT c.committee_id, {id}, c.proposal_id, CASE WHEN n % 50 = 0 THEN 'K10' ELSE 'K07' END, \
         c.subject_id, c.started_at, c.time_limit, c.profile_version, c.calendar_version, \
         c.provisional, {moment}, {moment}, NULL, c.changes, \
         CASE WHEN n % 50 = 0 THEN c.unit_id END, \
         CASE WHEN n % 50 = 0 THEN c.line ELSE 'party' END FROM series, clocks AS c \
         WHERE c.kind = 'K10' AND c.stopped_at IS NULL"
    ));
    assert_eq!(changed, rows, "{} {proposal}", town.code);
}

#[actix_web::test]
async fn lists_are_fast_with_a_hundred_thousand_open_clocks() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    many(&app, &town, &case.id, 100_000);
    let now = "due_at >= '2026-03-02T01:00:00.000000Z'";
    let of = |condition: &str| {
        format!(
            "SELECT id FROM clocks WHERE committee_id = (SELECT id FROM committees LIMIT 1) \
             AND stopped_at IS NULL AND {condition} AND {now} ORDER BY due_at, id LIMIT 21"
        )
    };
    let unit = "unit_id = (SELECT unit_id FROM assignments LIMIT 1)";
    for (condition, index) in [
        ("kind <> 'K99'", "clocks_due_idx"),
        ("line = 'government'", "clocks_line_idx"),
        (unit, "clocks_unit_idx"),
        ("kind = 'K10'", "clocks_kind_idx"),
    ] {
        let plan = app.database().plan(&of(condition));
        assert!(plan.contains(index), "{condition}\n{plan}");
        assert!(
            !plan.contains("Sort") && !plan.contains("TEMP B-TREE"),
            "{condition}\n{plan}"
        );
    }
    for (who, query) in [
        (&town.staff, ""),
        (&town.staff, "&state=overdue"),
        (&town.staff, "&kind=K10&due_before=2026-04-20"),
        (&town.supervision, "&state=due"),
        (&town.officer, "&state=running"),
        (&town.unit_clerks[0], "&state=running"),
    ] {
        let client = app.signed_in(&town, who);
        let cost = async |limit: usize| {
            let path = format!("/api/v1/clocks?limit={limit}{query}");
            client.get(&path).send().await.status(200);
            let (from, before) = (Instant::now(), app.db().statements());
            client.get(&path).send().await.status(200);
            (app.db().statements() - before, from.elapsed())
        };
        let ((short, _), (long, time)) = (cost(2).await, cost(100).await);
        assert!(
            long <= 10 && long - short <= 3,
            "{query}: {short} and {long} statements"
        );
        assert!(time.as_millis() < 500, "{} {query}: {time:?}", who.username);
    }
}
