//! All seven registers: create, read, change, list, and values that clash.

use serde_json::{Value, json};

use crate::support::seed::Town;
use crate::support::{TestApp, people};

/// Path, a new row, a change, the field that must be unique and where it is given.
fn rows(town: &Town) -> Vec<(&'static str, Value, Value, &'static str)> {
    vec![
        (
            "/api/v1/terms",
            json!({ "number": 15, "name": "十五届", "starts_on": "2027-01-10", "ends_on": "2032-01-09" }),
            json!({ "ends_on": "2032-01-20" }),
            "/number",
        ),
        (
            "/api/v1/sessions",
            json!({
                "term_id": town.term, "number": 5, "name": "十四届五次会议",
                "window_opens_on": "2026-12-01", "opens_on": "2027-01-03",
                "deadline_at": "2027-01-05T12:00:00Z", "ends_on": "2027-01-07",
                "examination_until": "2027-01-20",
            }),
            json!({ "name": "十四届第五次会议" }),
            "/number",
        ),
        (
            "/api/v1/members",
            json!({ "term_id": town.term, "member_no": "14-100", "name": "许清如", "sector": "科技界" }),
            json!({ "sector": "教育界", "phone": "13900000001" }),
            "/member_no",
        ),
        (
            "/api/v1/organisations",
            json!({ "name": "民盟云川市委会", "kind": "party", "contact_phone": "0599-5550188" }),
            json!({ "address": "云川市文昌路12号" }),
            "/name",
        ),
        (
            "/api/v1/units",
            json!({ "name": "市体育局", "system_line": "government", "reply_prefix": "云体提复" }),
            json!({ "system_line": "party_committee" }),
            "/name",
        ),
        (
            "/api/v1/users",
            json!({ "username": "xu.qingru", "display_name": "许清如" }),
            json!({ "display_name": "许清茹" }),
            "/username",
        ),
        (
            "/api/v1/committees",
            json!({
                "code": "nanhu", "name": "政协云川市南湖区委员会", "level": "county", "region": "南湖区",
                "administrator": {
                    "username": "founder", "display_name": "沈若溪", "password": "first-lantern",
                },
                "security_administrator": {
                    "username": "guard", "display_name": "陆明远", "password": "first-beacon",
                },
            }),
            Value::Null,
            "/code",
        ),
    ]
}

#[actix_web::test]
async fn every_register_is_written_read_listed_and_keeps_what_is_unique() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    for (path, row, change, unique) in rows(&town) {
        let before = app.database().row_counts()["events"];
        let made = administrator.post(path).json(&row).send().await.status(201);
        assert!(app.database().row_counts()["events"] > before);
        let place = made.text_header("location").to_owned();
        assert_eq!(place, format!("{path}/{}", made.id()));
        for (name, value) in row.as_object().expect("fields") {
            if !name.ends_with("administrator") {
                assert_eq!(made.json[name], *value, "{path}");
            }
        }
        assert!(!made.to_string().contains("first-"));
        let read = administrator.get(&place).send().await.status(200);
        assert_eq!(read.json, made.json);
        assert_eq!(read.version(), 1);
        let clash = administrator.post(path).json(&row).send().await.status(409);
        clash.code("already-exists").blames(&[unique]);
        let list = administrator
            .get(&format!("{path}?limit=100&count=true"))
            .send()
            .await
            .status(200);
        let items = list.json["items"].as_array().expect("items");
        assert_eq!(list.json["count"], items.len());
        assert!(items.contains(&made.json), "{path}: {list}");
        if change.is_null() {
            continue;
        }
        let patch = administrator.patch(&place).if_match(1).json(&change);
        let changed = patch.send().await.status(200);
        assert_eq!(changed.version(), 2);
        for (name, value) in change.as_object().expect("fields") {
            assert_eq!(changed.json[name], *value);
        }
        for fixed in ["id", "version", "created_at", "updated_at", "committee_id"] {
            let patch = administrator
                .patch(&place)
                .if_match(2)
                .json(json!({ fixed: 1 }));
            let reply = patch.send().await.status(422).code("invalid-body");
            reply.blames(&[&format!("/{fixed}")]);
        }
    }
}

#[actix_web::test]
async fn a_child_committee_is_set_up_by_its_own_administrators() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let (path, committee, ..) = rows(&town).pop().expect("the committees");
    administrator
        .post(path)
        .json(committee)
        .send()
        .await
        .status(201);
    let founder = app.sign_in("nanhu", "founder", "first-lantern").await;
    let refused = founder.get("/api/v1/units").send().await;
    refused.status(403).code("password-change-required");
    let founder = app.first_sign_in("nanhu", "founder", "first-lantern").await;
    let (path, unit, ..) = rows(&town).swap_remove(4);
    let made = founder.post(path).json(&unit).send().await.status(201);
    // Accounts of the one are nothing before the other grants them something.
    let guard = app.first_sign_in("nanhu", "guard", "first-beacon").await;
    let user = json!({ "username": "he.jingming", "display_name": "何景明" });
    let roles = json!([{ "role": "committee_staff" }]);
    people::account(&founder, &guard, user, &roles).await;
    let staff = app
        .first_sign_in("nanhu", "he.jingming", people::FIRST)
        .await;
    staff.get("/api/v1/units").send().await.status(200);
    // Neither committee sees the rows of the other.
    let place = made.text_header("location").to_owned();
    administrator.get(&place).send().await.status(404);
    let list = founder
        .get(&format!("{path}?count=true"))
        .send()
        .await
        .status(200);
    assert_eq!(list.json["count"], 1);
    let theirs = format!("{path}/{}", town.units[0]);
    founder.get(&theirs).send().await.status(404);
}

#[actix_web::test]
async fn a_change_to_a_value_that_is_used_is_a_clash() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let staff = app.signed_in(&town, &town.staff);
    for (path, change, pointer) in [
        (
            format!("/api/v1/units/{}", town.units[1]),
            json!({ "name": "市教育局" }),
            "/name",
        ),
        (
            format!(
                "/api/v1/members/{}",
                town.members[1].member.expect("a member")
            ),
            json!({ "member_no": "14-001" }),
            "/member_no",
        ),
    ] {
        let before = app.database().row_counts();
        let reply = staff.patch(&path).if_match(1).json(change).send().await;
        reply.status(409).code("already-exists").blames(&[pointer]);
        assert_eq!(app.database().row_counts(), before);
        assert_eq!(staff.get(&path).send().await.status(200).version(), 1);
    }
}

#[actix_web::test]
async fn contact_data_of_units_and_accounts_stays_where_it_belongs() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let staff = app.signed_in(&town, &town.staff);
    let party = format!("/api/v1/organisations/{}", town.party);
    let member = format!(
        "/api/v1/members/{}",
        town.members[0].member.expect("a member")
    );
    for (person, sees_party, sees_member) in [
        (&town.staff, true, true),
        (&town.clerk, true, false),
        (&town.members[0], false, true),
        (&town.members[1], false, false),
        (&town.unit_clerks[0], false, false),
        (&town.leader, false, false),
    ] {
        let client = app.signed_in(&town, person);
        let name = &person.username;
        let shown = client.get(&party).send().await.status(200);
        assert_eq!(
            shown.json.get("contact_phone").is_some(),
            sees_party,
            "{name}"
        );
        let shown = client.get(&member).send().await.status(200);
        assert_eq!(shown.json.get("phone").is_some(), sees_member, "{name}");
        let list = client
            .get("/api/v1/members?limit=100")
            .send()
            .await
            .status(200);
        let phones = list.json["items"].as_array().expect("items").iter();
        let phones = phones.filter(|item| item.get("phone").is_some()).count();
        // Staff see all five, members their own, others none.
        let wanted = match name.as_str() {
            "staff" => 5,
            "member1" | "member2" => 1,
            _ => 0,
        };
        assert_eq!(phones, wanted, "{name}");
    }
    staff.get("/api/v1/users").send().await.status(403);
}
