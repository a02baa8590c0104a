//! The three administrators (三员分立): one makes accounts, one grants roles and passwords, one
//! reads what both did. None of them does the work of another, and nobody is two of them.

use jianjian::ids::UserId;
use jianjian::store::events::{self, Stream};
use serde_json::{Value, json};

use crate::support::people::{FIRST, PASSWORD, grant};
use crate::support::seed::{Person, Town};
use crate::support::{Client, Reply, TestApp};

const USERS: &str = "/api/v1/users";

fn path(user: impl std::fmt::Display) -> String {
    format!("{USERS}/{user}")
}

fn roles(names: &[&str]) -> Value {
    names.iter().map(|role| json!({ "role": role })).collect()
}

/// An account without roles and password.
async fn newcomer(app: &TestApp, town: &Town, username: &str) -> Reply {
    let body = json!({ "username": username, "display_name": "顾清扬" });
    let system = app.signed_in(town, &town.administrator);
    system.post(USERS).json(body).send().await.status(201)
}

async fn reset(security: &Client, account: &str, password: &str) -> Reply {
    security
        .post(&format!("{account}/actions/reset-password"))
        .header("If-Match", "*")
        .json(json!({ "password": password }))
        .send()
        .await
}

async fn shut(system: &Client, account: &str) -> Reply {
    let request = system.patch(account).header("If-Match", "*");
    request.json(json!({ "disabled": true })).send().await
}

#[actix_web::test]
async fn an_account_takes_two_administrators() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let system = app.signed_in(&town, &town.administrator);
    let security = app.signed_in(&town, &town.security);

    // Neither roles nor a password come from the maker of the account.
    for (field, value) in [
        ("roles", roles(&["committee_staff"])),
        ("password", json!(FIRST)),
    ] {
        let mut body = json!({ "username": "xu.qingru", "display_name": "许清如" });
        body[field] = value.clone();
        let reply = system.post(USERS).json(body).send().await;
        reply
            .status(422)
            .code("invalid-body")
            .blames(&[&format!("/{field}")]);
        let leader = path(town.leader.user);
        let patch = system.patch(&leader).header("If-Match", "*");
        let reply = patch.json(json!({ field: value })).send().await;
        reply
            .status(422)
            .code("invalid-body")
            .blames(&[&format!("/{field}")]);
    }
    let made = newcomer(&app, &town, "xu.qingru").await;
    let (account, id) = (path(made.id()), made.id());
    assert_eq!(made.json["roles"], json!([]));
    let refused = app.login(&town, "xu.qingru", FIRST).await;
    refused.status(401).code("bad-credentials");

    // Each is refused what is the other's, and so is everybody else.
    for person in [
        &town.administrator,
        &town.auditor,
        &town.chair,
        &town.members[0],
    ] {
        let client = app.signed_in(&town, person);
        let staff = roles(&["committee_staff"]);
        grant(&client, &account, &staff).await.status(403);
        reset(&client, &account, FIRST).await.status(403);
        let end = client.post(&format!("{account}/actions/end-sign-ins"));
        end.json(json!({})).send().await.status(403);
    }
    security
        .post(USERS)
        .json(json!({}))
        .send()
        .await
        .status(403);
    shut(&security, &account).await.status(403);

    let staff = roles(&["committee_staff"]);
    let request = security.put(&format!("{account}/roles"));
    let request = request.json(json!({ "roles": staff }));
    request.send().await.status(428);
    let granted = grant(&security, &account, &staff).await.status(200);
    assert_eq!((granted.version(), &granted.json["roles"]), (2, &staff));
    let stale = security.put(&format!("{account}/roles")).if_match(1);
    let stale = stale.json(json!({ "roles": [] })).send().await;
    stale.status(412);
    reset(&security, &account, FIRST).await.status(200);
    let owner = app.first_sign_in(&town.code, "xu.qingru", FIRST).await;
    owner.get("/api/v1/desk").send().await.status(200);

    // What is taken away is gone with the next request.
    owner
        .get("/api/v1/proposals?status=submitted")
        .send()
        .await
        .status(200);
    let members = "/api/v1/members";
    owner.post(members).json(json!({})).send().await.status(422);
    let none = grant(&security, &account, &json!([])).await.status(200);
    assert_eq!(none.json["roles"], json!([]));
    owner.post(members).json(json!({})).send().await.status(403);

    // The trail says who granted what, before and after.
    let user: UserId = id.parse().expect("an id");
    let stream = Stream::of(town.committee, "user", user);
    let trail = app.read(move |tx| events::list(tx, &stream, 0, 20)).await;
    let grants: Vec<_> = trail
        .iter()
        .filter(|event| event.name == "user.roles_changed")
        .collect();
    assert_eq!(grants.len(), 2);
    assert_eq!(grants[0].actor_id, Some(town.security.user));
    assert_eq!(grants[0].actor_role, "security_administrator");
    assert_eq!(grants[0].content.0["before"]["roles"], json!([]));
    assert_eq!(grants[0].content.0["after"]["roles"], staff);
    assert_eq!(grants[1].content.0["after"]["roles"], json!([]));
    let created = &trail[0];
    assert_eq!(created.name, "user.created");
    assert_eq!(created.actor_role, "administrator");
    for (person, knows) in [
        (&town.auditor, true),
        (&town.security, true),
        (&town.administrator, true),
        (&town.staff, false),
    ] {
        app.work().await;
        let events = app.signed_in(&town, person);
        let events = events.get("/api/v1/events?name=user.roles_changed&limit=100");
        let events = events.send().await.status(200);
        let told = events.json["items"]
            .as_array()
            .is_some_and(|items| !items.is_empty());
        assert_eq!(told, knows, "{}", person.username);
    }
}

#[actix_web::test]
async fn the_three_administrators_are_three_persons() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let security = app.signed_in(&town, &town.security);
    let made = newcomer(&app, &town, "xu.qingru").await;
    let account = path(made.id());
    let three = ["administrator", "security_administrator", "auditor"];
    for one in three {
        for other in three.iter().chain(&["committee_staff", "leader"]) {
            if one == *other {
                continue;
            }
            let reply = grant(&security, &account, &roles(&[one, other])).await;
            let reply = reply.status(422).code("invalid-input");
            assert_eq!(reply.text("/errors/0/code"), "separated");
            reply.blames(&["/roles/0", "/roles/1"]);
        }
        // A member has a part in the business.
        let member = path(town.members[0].user);
        let reply = grant(&security, &member, &roles(&[one])).await;
        reply.status(422).blames(&["/roles/0"]);
        // Nobody gets it beside what is held already: the list is the whole of it.
        grant(&security, &account, &roles(&[one])).await.status(200);
        grant(&security, &account, &roles(&["leader"]))
            .await
            .status(200);
    }
}

#[actix_web::test]
async fn nobody_grants_anything_to_the_own_account() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let security = app.signed_in(&town, &town.security);
    let own = path(town.security.user);
    let before = app.database().row_counts();
    for wanted in [
        roles(&["administrator"]),
        roles(&["security_administrator", "auditor"]),
        json!([]),
        json!("nonsense"),
    ] {
        let reply = grant(&security, &own, &wanted).await;
        reply.status(403).code("forbidden");
    }
    let reply = reset(&security, &own, "another-lantern").await;
    reply.status(403).code("forbidden");
    let system = app.signed_in(&town, &town.administrator);
    let reply = shut(&system, &path(town.administrator.user)).await;
    reply.status(409).code("guard-unmet");
    assert_eq!(app.database().row_counts(), before);
}

#[actix_web::test]
async fn the_last_administrator_of_a_kind_stays() {
    let app = TestApp::start().await;
    let (system, security) = app.administrators("yunling").await;
    let (own_system, own_security) = (path(system.id), path(security.id));
    let (system, security) = (system.client, security.client);
    let unmet = |reply: Reply| reply.status(409).code("guard-unmet");
    unmet(shut(&system, &own_security).await);
    unmet(grant(&security, &own_system, &json!([])).await);
    unmet(grant(&security, &own_system, &roles(&["leader"])).await);

    // One who cannot sign in is nobody.
    let body = json!({ "username": "second", "display_name": "沈若溪" });
    let second = system.post(USERS).json(body).send().await.status(201);
    let second = path(second.id());
    grant(&security, &second, &roles(&["security_administrator"]))
        .await
        .status(200);
    unmet(shut(&system, &own_security).await);
    reset(&security, &second, FIRST).await.status(200);
    shut(&system, &own_security).await.status(200);
    let second_client = app.first_sign_in("yunling", "second", FIRST).await;
    unmet(shut(&system, &second).await);

    // A shut account may lose its role, and can be opened again by the system administrator.
    let none = json!([]);
    grant(&second_client, &own_security, &none)
        .await
        .status(200);
    let open = system.patch(&own_security).header("If-Match", "*");
    let open = open.json(json!({ "disabled": false }));
    open.send().await.status(200);
}

/// Two who take the role from each other at the same moment: one of them stays.
#[actix_web::test]
async fn two_security_administrators_do_not_remove_each_other_at_once() {
    let app = TestApp::start().await;
    for round in 0..4 {
        let code = format!("yunling{round}");
        let (system, first) = app.administrators(&code).await;
        let body = json!({ "username": "second", "display_name": "沈若溪" });
        let second = system.client.post(USERS).json(body).send().await;
        let second = path(second.status(201).id());
        let role = roles(&["security_administrator"]);
        grant(&first.client, &second, &role).await.status(200);
        reset(&first.client, &second, FIRST).await.status(200);
        let other = app.first_sign_in(&code, "second", FIRST).await;
        let (none, first_path) = (json!([]), path(first.id));
        let (one, two) = futures_util::join!(
            grant(&first.client, &second, &none),
            grant(&other, &first_path, &none),
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        // The slower one has lost the role already, or finds that it would be the last.
        assert_eq!(statuses[0], 200, "{statuses:?}");
        assert!([403, 409].contains(&statuses[1]), "{statuses:?}");
        let left = system
            .client
            .get(&format!("{USERS}?role=security_administrator"))
            .send()
            .await;
        let left = left.status(200).json["items"].as_array().map(Vec::len);
        assert_eq!(left, Some(1));
    }
}

#[actix_web::test]
async fn whose_account_it_is_stays_while_it_holds_roles() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let system = app.signed_in(&town, &town.administrator);
    let security = app.signed_in(&town, &town.security);
    let free = json!({
        "term_id": town.term, "member_no": "14-100", "name": "许清如", "sector": "科技界",
    });
    let free = system.post("/api/v1/members").json(free).send().await;
    let free = free.status(201).id();
    let account = path(town.members[1].user);
    let change = async |member: Value| {
        let request = system.patch(&account).header("If-Match", "*");
        request.json(json!({ "member_id": member })).send().await
    };
    change(json!(free)).await.status(409).code("guard-unmet");
    change(Value::Null).await.status(409).code("guard-unmet");
    grant(&security, &account, &json!([])).await.status(200);
    change(json!(free)).await.status(200);
    let member = roles(&["member"]);
    grant(&security, &account, &member).await.status(200);
}

#[actix_web::test]
async fn sign_ins_are_ended_by_the_security_administrator() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let security = app.signed_in(&town, &town.security);
    let staff: &Person = &town.staff;
    let owner = app.signed_in(&town, staff);
    owner.get("/api/v1/units").send().await.status(200);
    let account = path(staff.user);
    let version = security.get(&account).send().await.status(200).version();
    let end = || security.post(&format!("{account}/actions/end-sign-ins"));
    end().json(json!({})).send().await.status(428);
    let ended = end().if_match(version).json(json!({})).send().await;
    assert_eq!(ended.status(200).version(), version + 1);
    owner.get("/api/v1/units").send().await.status(401);
    // The password stays, and a new sign-in works.
    let again = app
        .sign_in(&town.code, "staff", crate::support::seed::PASSWORD)
        .await;
    again.get("/api/v1/units").send().await.status(200);
    assert_ne!(PASSWORD, crate::support::seed::PASSWORD);
}

/// The security administrator and the system administrator know nothing of cases.
#[actix_web::test]
async fn administrators_have_no_business_content() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = crate::support::story::Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    for person in [&town.administrator, &town.security] {
        let client = app.signed_in(&town, person);
        client.get(&case.path()).send().await.status(404);
        let list = client.get("/api/v1/proposals?count=true").send().await;
        assert_eq!(list.status(200).json["count"], 0, "{}", person.username);
        let desk = client.get("/api/v1/desk").send().await.status(200);
        assert_eq!(desk.json["items"], json!([]));
        app.work().await;
        let feed = client.get("/api/v1/events?limit=100").send().await;
        let feed = feed.status(200).to_string();
        assert!(!feed.contains("proposal"), "{feed}");
    }
}
