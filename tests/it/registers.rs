//! The registers and accounts over HTTP.

use jianjian::workflow::lists::CommitteeLevel;
use jianjian::workflow::role::{Grant, Role};
use serde_json::{Value, json};

use crate::support::people::{self, FIRST, PASSWORD};
use crate::support::{Client, Reply, TestApp};

const UNITS: &str = "/api/v1/units";
const USERS: &str = "/api/v1/users";

fn unit(name: &str) -> Value {
    json!({ "name": name, "system_line": "government", "reply_prefix": "云教提复" })
}

fn user(username: &str) -> Value {
    json!({ "username": username, "display_name": "顾清扬" })
}

async fn create(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path).json(body).send().await.status(201)
}

async fn term(client: &Client) -> String {
    let term = json!({ "number": 14, "name": "十四届", "starts_on": "2022-01-10", "ends_on": "2027-01-09" });
    create(client, "/api/v1/terms", term).await.id()
}

fn names(reply: &Reply) -> Vec<String> {
    let items = reply.json["items"].as_array().expect("items");
    items
        .iter()
        .map(|item| item["name"].as_str().expect("name").to_owned())
        .collect()
}

#[actix_web::test]
async fn a_row_is_created_read_and_changed_under_its_version() {
    let app = TestApp::start().await;
    let admin = app.administrator("yunling").await.client;

    let created = create(&admin, UNITS, unit("云岭市教育局")).await;
    let path = created.text_header("location").to_owned();
    assert_eq!(path, format!("{UNITS}/{}", created.id()));
    assert_eq!(
        (created.version(), created.json["active"].as_bool()),
        (1, Some(true))
    );

    let read = admin.get(&path).send().await.status(200);
    assert_eq!(read.json, created.json);
    admin
        .get(&path)
        .header("If-None-Match", "\"1\"")
        .send()
        .await
        .status(304);

    let change = json!({ "contact_person": "陆明远", "active": false });
    admin
        .patch(&path)
        .json(&change)
        .send()
        .await
        .status(428)
        .code("precondition-required");
    let changed = admin
        .patch(&path)
        .if_match(1)
        .json(&change)
        .send()
        .await
        .status(200);
    assert_eq!(changed.version(), 2);
    assert_eq!(changed.json["contact_person"], "陆明远");
    admin
        .patch(&path)
        .if_match(1)
        .json(&change)
        .send()
        .await
        .status(412)
        .code("version-mismatch");

    // What changes nothing makes no version; null removes.
    let same = admin
        .patch(&path)
        .if_match(2)
        .json(&change)
        .send()
        .await
        .status(200);
    assert_eq!(same.version(), 2);
    let removed = json!({ "contact_person": null });
    let removed = admin
        .patch(&path)
        .if_match(2)
        .json(removed)
        .send()
        .await
        .status(200);
    assert_eq!(removed.json.get("contact_person"), None);
}

#[actix_web::test]
async fn a_trial_leaves_nothing_and_a_key_makes_one_row() {
    let app = TestApp::start().await;
    let admin = app.administrator("yunling").await.client;
    let body = unit("云岭市教育局");

    let trial = admin
        .post(&format!("{UNITS}?validate_only=true"))
        .json(&body)
        .send()
        .await;
    trial.status(201);
    let first = admin
        .post(UNITS)
        .key("key-0001")
        .json(&body)
        .send()
        .await
        .status(201);
    let again = admin
        .post(UNITS)
        .key("key-0001")
        .json(&body)
        .send()
        .await
        .status(201);
    assert_eq!(again.json, first.json);
    assert_eq!(again.text_header("idempotency-replayed"), "true");

    let list = admin
        .get(&format!("{UNITS}?count=true"))
        .send()
        .await
        .status(200);
    assert_eq!(list.json["count"], 1);
    admin
        .post(UNITS)
        .json(&body)
        .send()
        .await
        .status(409)
        .code("already-exists")
        .blames(&["/name"]);
}

#[actix_web::test]
async fn pages_go_by_name_and_filters_narrow_them() {
    let app = TestApp::start().await;
    let admin = app.administrator("yunling").await.client;
    let mut expected: Vec<String> = (0..7).map(|number| format!("处室{number}")).collect();
    expected.push("a_b".to_owned());
    for name in &expected {
        create(&admin, UNITS, unit(name)).await;
    }

    let mut seen = Vec::new();
    let mut next = format!("{UNITS}?limit=3");
    loop {
        let page = admin.get(&next).send().await.status(200);
        seen.extend(names(&page));
        let Some(cursor) = page.json["next_cursor"].as_str() else {
            break;
        };
        next = format!("{UNITS}?limit=3&cursor={cursor}");
        assert!(page.text_header("link").contains(cursor));
    }
    assert!(seen.is_sorted());
    expected.sort_unstable();
    assert_eq!(seen, expected);

    for (filter, count) in [
        ("name=_", 1),
        ("name=A_", 1),
        ("name=%25", 0),
        ("active=false", 0),
        ("system_line=court", 0),
    ] {
        let found = admin
            .get(&format!("{UNITS}?{filter}"))
            .send()
            .await
            .status(200);
        assert_eq!(names(&found).len(), count, "{filter}");
    }
    for wrong in [
        "name=",
        "active=1",
        "system_line=x",
        "limit=0",
        "other=1",
        "name=a&name=b",
    ] {
        let reply = admin.get(&format!("{UNITS}?{wrong}")).send().await;
        reply.status(400).code("invalid-parameter");
    }
    let foreign = next.replace("limit=3", "limit=3&active=true");
    admin
        .get(&foreign)
        .send()
        .await
        .status(400)
        .code("invalid-cursor");
}

#[actix_web::test]
async fn a_list_takes_two_statements_and_a_count_one_more() {
    let app = TestApp::start().await;
    let (admin, security) = app.administrators("yunling").await;
    let (admin, security) = (admin.client, security.client);
    for number in 0..5 {
        create(&admin, UNITS, unit(&format!("处室{number}"))).await;
        let roles = json!([{ "role": "leader" }, { "role": "examiner" }]);
        people::account(&admin, &security, user(&format!("user{number}")), &roles).await;
    }
    // What it costs to find out who asks.
    let before = app.db().statements();
    admin.get("/api/v1/auth/me").send().await.ok();
    let asking = app.db().statements() - before;
    for (path, most) in [
        (UNITS, 1),
        (USERS, 2),
        ("/api/v1/committees", 1),
        ("/api/v1/units?count=true", 2),
        ("/api/v1/users?count=true", 3),
    ] {
        let before = app.db().statements();
        admin.get(path).send().await.ok();
        let taken = app.db().statements() - before;
        assert!(
            taken <= asking + most,
            "{path} took {taken} statements, {asking} to ask"
        );
    }
}

#[actix_web::test]
async fn rows_of_other_committees_do_not_exist() {
    let app = TestApp::start().await;
    let ours = app.administrator("yunling").await.client;
    let theirs = app.administrator("qinghe").await.client;
    let path = create(&ours, UNITS, unit("云岭市教育局"))
        .await
        .text_header("location")
        .to_owned();

    theirs.get(&path).send().await.status(404).code("not-found");
    theirs
        .patch(&path)
        .if_match(1)
        .json(json!({ "bad": 1 }))
        .send()
        .await
        .status(404);
    assert_eq!(
        names(&theirs.get(UNITS).send().await.ok()),
        Vec::<String>::new()
    );
    let term = term(&ours).await;
    let member = json!({ "term_id": term, "member_no": "1", "name": "顾清扬", "sector": "教育界" });
    let reply = theirs.post("/api/v1/members").json(member).send().await;
    reply
        .status(422)
        .code("invalid-input")
        .blames(&["/term_id"]);
}

#[actix_web::test]
async fn only_some_roles_write_and_only_administrators_see_accounts() {
    let app = TestApp::start().await;
    let committee = app.committee("yunling", CommitteeLevel::Municipal).await;
    let home = (committee, "yunling");
    let staff = app
        .person(home, "staff", &[Grant::of(Role::CommitteeStaff)])
        .await
        .client;
    let leader = app
        .person(home, "leader", &[Grant::of(Role::Leader)])
        .await
        .client;
    let auditor = app
        .person(home, "auditor", &[Grant::of(Role::Auditor)])
        .await
        .client;

    create(&staff, UNITS, unit("云岭市教育局")).await;
    leader
        .post(UNITS)
        .json(json!({}))
        .send()
        .await
        .status(403)
        .code("forbidden");
    leader.get(UNITS).send().await.ok();
    leader.get(USERS).send().await.status(403);
    staff.get(USERS).send().await.status(403);
    auditor.get(USERS).send().await.ok();
    auditor.post(USERS).json(json!({})).send().await.status(403);
    app.anonymous()
        .get(UNITS)
        .send()
        .await
        .status(401)
        .code("unauthenticated");
}

#[actix_web::test]
async fn dates_stand_in_their_order() {
    let app = TestApp::start().await;
    let admin = app.administrator("yunling").await.client;
    let backwards =
        json!({ "number": 1, "name": "一届", "starts_on": "2027-01-09", "ends_on": "2022-01-10" });
    let reply = admin.post("/api/v1/terms").json(backwards).send().await;
    reply
        .status(422)
        .code("invalid-input")
        .blames(&["/ends_on"]);

    let session = json!({
        "term_id": term(&admin).await, "number": 3, "name": "十四届三次会议",
        "window_opens_on": "2025-12-20", "opens_on": "2026-01-18",
        // Still the day after the closing in Beijing.
        "deadline_at": "2026-01-23T15:59:59.1234567Z",
        "ends_on": "2026-01-22", "examination_until": "2026-02-12",
    });
    for (field, value) in [
        ("window_opens_on", "2026-01-19"),
        ("ends_on", "2026-01-17"),
        ("deadline_at", "2026-01-23T16:00:00Z"),
        ("examination_until", "2026-01-21"),
    ] {
        let mut wrong = session.clone();
        wrong[field] = value.into();
        let reply = admin.post("/api/v1/sessions").json(wrong).send().await;
        reply
            .status(422)
            .code("invalid-input")
            .blames(&[&format!("/{field}")]);
    }
    let created = create(&admin, "/api/v1/sessions", session).await;
    assert_eq!(created.json["deadline_at"], "2026-01-23T15:59:59.123456Z");
    let path = created.text_header("location").to_owned();
    assert_eq!(admin.get(&path).send().await.ok().json, created.json);
    let listed = format!("/api/v1/sessions?term_id={}", created.text("/term_id"));
    assert_eq!(
        admin.get(&listed).send().await.ok().json["items"][0],
        created.json
    );
}

#[actix_web::test]
async fn personal_data_is_for_the_staff_and_for_oneself() {
    let app = TestApp::start().await;
    let committee = app.committee("yunling", CommitteeLevel::Municipal).await;
    let home = (committee, "yunling");
    let admin = app
        .person(home, "admin", &[Grant::of(Role::Administrator)])
        .await
        .client;
    let security = app
        .person(home, "security", &[Grant::of(Role::SecurityAdministrator)])
        .await
        .client;
    let leader = app
        .person(home, "leader", &[Grant::of(Role::Leader)])
        .await
        .client;
    let body =
        json!({ "name": "民盟云岭市委员会", "kind": "party", "contact_phone": "0871-5550188" });
    let organisation = create(&admin, "/api/v1/organisations", body).await;
    let path = organisation.text_header("location").to_owned();
    let id = organisation.id();
    let clerk = Grant::organisation(id.parse().expect("an id"));
    let clerk = app.person(home, "clerk", &[clerk]).await.client;

    for (client, sees) in [(&admin, true), (&clerk, true), (&leader, false)] {
        let one = client.get(&path).send().await.ok();
        assert_eq!(one.json.get("contact_phone").is_some(), sees);
        let list = client.get("/api/v1/organisations").send().await.ok();
        assert_eq!(list.json["items"][0].get("contact_phone").is_some(), sees);
    }
    let individual = json!({ "name": "某人", "kind": "individual" });
    let reply = admin
        .post("/api/v1/organisations")
        .json(individual)
        .send()
        .await;
    reply.status(422).blames(&["/kind"]);

    let member = json!({
        "term_id": term(&admin).await, "member_no": "140217", "name": "顾清扬", "sector": "教育界",
        "organisation_id": id, "phone": "19900000123",
    });
    let member = create(&admin, "/api/v1/members", member).await;
    let roles = json!([{ "role": "member" }]);
    let mut account = user("gu.qingyang");
    account["member_id"] = member.json["id"].clone();
    people::account(&admin, &security, account, &roles).await;
    let himself = app.first_sign_in("yunling", "gu.qingyang", FIRST).await;
    let path = member.text_header("location").to_owned();
    for (client, sees) in [(&admin, true), (&himself, true), (&leader, false)] {
        let one = client.get(&path).send().await.ok();
        assert_eq!(one.json.get("phone").is_some(), sees);
    }
    let found = himself.get("/api/v1/members?name=%E6%B8%85&sector=%E6%95%99%E8%82%B2%E7%95%8C");
    assert_eq!(names(&found.send().await.ok()), ["顾清扬"]);
}

#[actix_web::test]
async fn roles_are_narrowed_as_they_ask() {
    let app = TestApp::start().await;
    let (admin, security) = app.administrators("yunling").await;
    let (admin, security) = (admin.client, security.client);
    let unit = create(&admin, UNITS, unit("云岭市教育局")).await;
    let unit_id = unit.id();
    let made = create(&admin, USERS, user("lu.mingyuan")).await;
    let path = made.text_header("location").to_owned();
    let unknown = unit_id.replace(|letter: char| letter.is_ascii_digit(), "0");

    for (roles, pointer) in [
        (json!([{ "role": "unit_clerk" }]), "/roles/0"),
        (json!([{ "role": "system" }]), "/roles/0"),
        (
            json!([{ "role": "leader" }, { "role": "leader" }]),
            "/roles/1",
        ),
        (json!([{ "role": "leader", "line": "party" }]), "/roles/0"),
        (json!([{ "role": "member" }]), "/roles/0"),
        (
            json!([{ "role": "leader" }, { "role": "unit_clerk", "unit_id": unknown }]),
            "/roles/1/unit_id",
        ),
    ] {
        let reply = people::grant(&security, &path, &roles).await;
        reply.status(422).code("invalid-input").blames(&[pointer]);
        let account = admin.get(&path).send().await.ok();
        assert_eq!(account.json, made.json, "nothing is changed");
    }
    let clerk = json!([{ "role": "unit_clerk", "unit_id": unit_id }, { "role": "leader" }]);
    let granted = people::grant(&security, &path, &clerk).await.status(200);
    assert_eq!(granted.json["roles"], clerk);
    let of_unit = admin
        .get(&format!("{USERS}?unit_id={unit_id}&role=unit_clerk"))
        .send()
        .await;
    assert_eq!(of_unit.ok().json["items"][0], granted.json);

    // A unit that was shut afterwards stays with those who have it, and goes to nobody else.
    let shut = admin
        .patch(unit.text_header("location"))
        .if_match(1)
        .json(json!({ "active": false }));
    shut.send().await.ok();
    let renamed = admin
        .patch(&path)
        .if_match(granted.version())
        .json(json!({ "display_name": "陆明远" }));
    let renamed = renamed.send().await.status(200);
    assert_eq!(renamed.json["roles"], clerk);
    let fewer = json!([{ "role": "unit_clerk", "unit_id": unit_id }]);
    people::grant(&security, &path, &fewer).await.status(200);
    let another = create(&admin, USERS, user("another")).await;
    let reply = people::grant(&security, another.text_header("location"), &clerk).await;
    reply.status(422).blames(&["/roles/0/unit_id"]);
    let weak = security.post(&format!(
        "{}/actions/reset-password",
        another.text_header("location")
    ));
    let weak = weak.if_match(1).json(json!({ "password": "password" }));
    weak.send().await.status(422).blames(&["/password"]);
}

#[actix_web::test]
async fn a_new_password_or_shutting_an_account_signs_it_out() {
    let app = TestApp::start().await;
    let (admin, security) = app.administrators("yunling").await;
    let (admin, security) = (admin.client, security.client);
    let roles = json!([{ "role": "leader" }]);
    let made = people::account(&admin, &security, user("lu.mingyuan"), &roles).await;
    let path = format!("{USERS}/{}", made.id());
    let owner = app.first_sign_in("yunling", "lu.mingyuan", FIRST).await;
    owner.get(UNITS).send().await.ok();

    let reset = format!("{path}/actions/reset-password");
    let version = admin.get(&path).send().await.version();
    let body = json!({ "password": "second-lantern" });
    security.post(&reset).json(&body).send().await.status(428);
    let reply = security
        .post(&reset)
        .if_match(version)
        .json(&body)
        .send()
        .await
        .status(200);
    owner.get(UNITS).send().await.status(401);
    let owner = app
        .sign_in("yunling", "lu.mingyuan", "second-lantern")
        .await;
    owner
        .get(UNITS)
        .send()
        .await
        .status(403)
        .code("password-change-required");
    let owner = app
        .first_sign_in("yunling", "lu.mingyuan", "second-lantern")
        .await;
    owner.get(UNITS).send().await.ok();

    assert!(reply.version() > version);
    let version = admin.get(&path).send().await.version();
    let shut = json!({ "disabled": true });
    admin
        .patch(&path)
        .if_match(version)
        .json(shut)
        .send()
        .await
        .ok();
    owner.get(UNITS).send().await.status(401);
    let login = json!({ "committee": "yunling", "username": "lu.mingyuan", "password": PASSWORD });
    app.anonymous()
        .post("/api/v1/auth/login")
        .json(login)
        .send()
        .await
        .status(401);
}

#[actix_web::test]
async fn committees_see_the_tree_above_and_below_them() {
    const COMMITTEES: &str = "/api/v1/committees";
    fn committee(code: &str, level: &str) -> Value {
        json!({
            "code": code, "name": code, "level": level, "region": "云岭",
            "administrator": {
                "username": "founder", "display_name": "沈若溪", "password": "first-lantern",
            },
            "security_administrator": {
                "username": "guard", "display_name": "陆明远", "password": "first-beacon",
            },
        })
    }
    let app = TestApp::start().await;
    let city = app.administrator("city").await.client;
    let upwards = city
        .post(COMMITTEES)
        .json(committee("up", "municipal"))
        .send()
        .await;
    upwards.status(422).blames(&["/level"]);
    let east = create(&city, COMMITTEES, committee("east", "county")).await;
    create(&city, COMMITTEES, committee("west", "county")).await;
    let east_admin = app.first_sign_in("east", "founder", "first-lantern").await;
    create(
        &east_admin,
        COMMITTEES,
        committee("village", "township_workgroup"),
    )
    .await;
    let west_admin = app.first_sign_in("west", "founder", "first-lantern").await;

    let codes = async |client: &Client| {
        let list = client
            .get(&format!("{COMMITTEES}?count=true"))
            .send()
            .await
            .ok();
        let items = list.json["items"].as_array().expect("items").clone();
        assert_eq!(list.json["count"], items.len());
        let mut codes: Vec<_> = items
            .iter()
            .map(|item| item["code"].as_str().expect("code").to_owned())
            .collect();
        codes.sort_unstable();
        codes
    };
    assert_eq!(codes(&city).await, ["city", "east", "village", "west"]);
    assert_eq!(codes(&east_admin).await, ["city", "east", "village"]);
    assert_eq!(codes(&west_admin).await, ["city", "west"]);

    let path = east.text_header("location").to_owned();
    west_admin.get(&path).send().await.status(404);
    let change = json!({ "name": "政协东区委员会" });
    west_admin
        .patch(&path)
        .if_match(1)
        .json(&change)
        .send()
        .await
        .status(404);
    city.patch(&path)
        .if_match(1)
        .json(&change)
        .send()
        .await
        .status(403);
    let changed = east_admin
        .patch(&path)
        .if_match(1)
        .json(&change)
        .send()
        .await
        .status(200);
    assert_eq!(
        (changed.version(), changed.text("/code")),
        (2, "east".to_owned())
    );
    let fixed = json!({ "level": "national" });
    east_admin
        .patch(&path)
        .if_match(2)
        .json(fixed)
        .send()
        .await
        .status(422)
        .blames(&["/level"]);
    let again = city
        .post(COMMITTEES)
        .json(committee("east", "county"))
        .send()
        .await;
    again.status(409).code("already-exists").blames(&["/code"]);
    // Its two administrators are two persons.
    let mut one = committee("north", "county");
    one["security_administrator"] = one["administrator"].clone();
    let reply = city.post(COMMITTEES).json(one).send().await;
    reply.status(422).blames(&[
        "/security_administrator/password",
        "/security_administrator/username",
    ]);
    let mut none = committee("north", "county");
    none["security_administrator"] = Value::Null;
    let reply = city.post(COMMITTEES).json(none).send().await;
    reply.status(422).blames(&["/security_administrator"]);
    assert_eq!(codes(&city).await.len(), 4);
}
