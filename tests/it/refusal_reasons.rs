//! Reasons for not filing as data of the committee, and the fixed code lists.

use std::collections::BTreeSet;

use awc::http::Method;
use jianjian::store::refusal_reasons::stream;
use jianjian::store::{events, migrate};
use jianjian::workflow::reasons::BUILT_IN;
use serde_json::{Value, json};

use crate::support::seed::{Person, Town};
use crate::support::story::{Story, meeting};
use crate::support::{Reply, TestApp, files};

const PATH: &str = "/api/v1/refusal-reasons";
const OWN: &str = "/api/v1/refusal-reasons/repeats_answered_case";

fn own() -> Value {
    json!({
        "code": "repeats_answered_case",
        "label": { "zh-CN": "重复已办复提案", "en": "repeats an answered proposal" },
    })
}

/// A refusal with these reasons.
fn refusal(codes: &[&str]) -> Value {
    let mut body = meeting();
    body["reason_codes"] = json!(codes);
    body["explanation"] = json!("所提内容宜通过其他渠道反映。");
    body["disposition"] = json!("kept");
    body
}

/// Makes the committee's own reason as a draft.
async fn make(app: &TestApp, town: &Town, body: Value) -> Reply {
    let admin = app.signed_in(town, &town.administrator);
    admin.post(PATH).json(body).send().await.status(201)
}

/// Decides on a reason, whatever its version.
async fn decide(app: &TestApp, town: &Town, who: &Person, path: &str, what: &str) -> Reply {
    app.signed_in(town, who)
        .post(&format!("{path}/actions/{what}"))
        .header("If-Match", "*")
        .send()
        .await
}

/// A proposal that was handed in.
async fn submitted<'a>(app: &'a TestApp, town: &'a Town) -> Story<'a> {
    let case = Story::draft(app, town, &town.members[0]).await;
    case.submit().await;
    case
}

async fn delete(app: &TestApp, town: &Town, path: &str) -> Reply {
    app.signed_in(town, &town.administrator)
        .request(Method::DELETE, path)
        .header("If-Match", "*")
        .send()
        .await
}

#[actix_web::test]
async fn every_committee_has_the_twenty_in_their_order() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let list = member
        .get(&format!("{PATH}?limit=100&count=true"))
        .send()
        .await
        .status(200);
    assert_eq!(list.json["count"], 20);
    let items = list.json["items"].as_array().expect("items");
    let found: Vec<_> = items.iter().map(|item| item["code"].clone()).collect();
    let wanted: Vec<_> = BUILT_IN.iter().map(|one| json!(one.code)).collect();
    assert_eq!(found, wanted);
    for (item, given) in items.iter().zip(BUILT_IN) {
        assert_eq!(item["label"]["zh-CN"], given.label.zh);
        assert_eq!(item["national"], given.national);
        assert_eq!(item["hide_text"], given.hides_text);
        assert_eq!(
            (&item["built_in"], &item["status"]),
            (&json!(true), &json!("active"))
        );
    }
    // Page by page the same.
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = member
            .get(&format!("{PATH}?limit=7{cursor}"))
            .send()
            .await
            .status(200);
        paged.extend(page.json["items"].as_array().expect("items").clone());
        let Some(next) = page.json["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(&paged, items);
    // A committee below has them from its first day.
    let below = json!({
        "code": "nanhu", "name": "政协云川市南湖区委员会", "level": "county", "region": "南湖区",
        "administrator": { "username": "root", "display_name": "管理员", "password": "first-lantern" },
        "security_administrator": { "username": "guard", "display_name": "安全员", "password": "first-beacon" },
    });
    let admin = app.signed_in(&town, &town.administrator);
    let made = admin
        .post("/api/v1/committees")
        .json(below)
        .send()
        .await
        .status(201);
    let id: jianjian::ids::CommitteeId = made.id().parse().expect("an id");
    let filter = jianjian::store::refusal_reasons::RefusalReasonFilter { status: None };
    let count = app
        .read(move |tx| jianjian::store::refusal_reasons::count(tx, id, &filter))
        .await;
    assert_eq!(count, 20);
}

#[actix_web::test]
async fn an_own_reason_is_made_activated_used_kept_and_retired() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (admin, chair) = (&town.administrator, &town.chair);
    let made = make(&app, &town, own()).await;
    assert_eq!(made.text_header("location"), OWN);
    assert_eq!(made.version(), 1);
    assert_eq!(made.text("/status"), "draft");
    assert_eq!(made.json["position"], 210, "behind the others");
    // A draft is not for use.
    let first = submitted(&app, &town).await;
    first
        .tries(chair, "not-file", refusal(&["repeats_answered_case"]))
        .await
        .status(422)
        .code("invalid-input")
        .blames(&["/reason_codes/0"]);
    // Only the chair says that it is.
    let refused = decide(&app, &town, admin, OWN, "activate").await;
    refused.status(403).code("forbidden");
    let active = decide(&app, &town, chair, OWN, "activate")
        .await
        .status(200);
    assert_eq!(
        (active.text("/status"), active.version()),
        ("active".into(), 2)
    );
    let again = decide(&app, &town, chair, OWN, "activate").await;
    let again = again.status(409).code("state-conflict");
    assert_eq!(again.json["current_status"], "active");
    let opinion = json!({
        "opinion": "与去年办复的提案重复。", "recommendation": "not_file",
        "checklist": { "standing": true, "content": true, "form": true },
        "reason_codes": ["repeats_answered_case"],
    });
    first.does(&town.examiners[0], "examine", opinion).await;
    let reasons = ["repeats_answered_case", "academic_discussion"];
    first.does(chair, "not-file", refusal(&reasons)).await;
    let second = submitted(&app, &town).await;
    second
        .does(chair, "not-file", refusal(&["repeats_answered_case"]))
        .await;

    // What the proposer reads carries the labels.
    let labelled = json!([
        { "code": "repeats_answered_case",
          "label": { "zh-CN": "重复已办复提案", "en": "repeats an answered proposal" } },
        { "code": "academic_discussion",
          "label": { "zh-CN": "属于学术研讨", "en": "academic discussion" } },
    ]);
    let records = first
        .as_(&town.members[0])
        .get(&format!("{}/records", first.path()))
        .send()
        .await
        .status(200);
    assert_eq!(
        records.json["decisions"][0]["content"]["reason_codes"],
        json!(reasons)
    );
    assert_eq!(records.json["decisions"][0]["content"]["reasons"], labelled);
    let timeline = first.timeline(&town.members[0]).await;
    let refused = timeline
        .iter()
        .find(|item| item["name"] == "proposal.not_filed");
    assert_eq!(refused.expect("the refusal")["reasons"], labelled);
    let examined = timeline.iter().filter(|item| !item["reasons"].is_null());
    assert_eq!(examined.count(), 1, "an opinion stays with the committee");
    let seen = first
        .as_(chair)
        .get(&format!("{}/records", first.path()))
        .send()
        .await
        .status(200);
    assert_eq!(
        seen.json["opinions"][0]["reasons"][0]["label"]["zh-CN"],
        "重复已办复提案"
    );

    // Used: neither deleted nor given another meaning, by the service or behind its back.
    let kept = delete(&app, &town, OWN).await.status(409).code("in-use");
    assert_eq!(kept.json["uses"], 2, "cases, not acts: {kept}");
    assert!(kept.text("/detail").contains("2 件"), "{kept}");
    let change = |body: Value| {
        let admin = app.signed_in(&town, admin);
        async move {
            let request = admin.patch(OWN).header("If-Match", "*").json(body);
            request.send().await
        }
    };
    for meaning in [
        json!({ "hide_text": true }),
        json!({ "label": { "zh-CN": "另一回事" } }),
    ] {
        change(meaning).await.status(409).code("in-use");
    }
    let moved = change(json!({ "position": 5 })).await.status(200);
    assert_eq!(
        (moved.text("/status"), moved.version()),
        ("active".into(), 3)
    );
    let sql = "DELETE FROM refusal_reasons WHERE code = 'repeats_answered_case'";
    app.database().refuses(sql);

    // Retired: not accepted any more, but still read.
    let retired = decide(&app, &town, chair, OWN, "retire").await.status(200);
    assert_eq!(retired.text("/status"), "retired");
    let third = submitted(&app, &town).await;
    let rejected = third
        .tries(
            chair,
            "not-file",
            refusal(&["bad_form", "repeats_answered_case"]),
        )
        .await
        .status(422)
        .code("invalid-input")
        .blames(&["/reason_codes/1"]);
    assert!(
        rejected.text("/errors/0/detail").contains("重复已办复提案"),
        "{rejected}"
    );
    assert_eq!(third.status().await, "submitted");
    let again = first
        .as_(&town.members[0])
        .get(&format!("{}/records", first.path()))
        .send()
        .await;
    assert_eq!(again.json["decisions"][0]["content"]["reasons"], labelled);
    decide(&app, &town, chair, OWN, "activate")
        .await
        .status(200);
    third
        .does(chair, "not-file", refusal(&["repeats_answered_case"]))
        .await;

    // Everything that was done to it stands in the trail.
    let code = "repeats_answered_case".parse().expect("a code");
    let stream = stream(town.committee, &code);
    let trail = app.read(move |tx| events::list(tx, &stream, 0, 100)).await;
    let names: Vec<_> = trail.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(
        names,
        ["created", "activated", "changed", "retired", "activated"]
            .map(|name| format!("refusal_reason.{name}"))
    );
    assert_eq!(trail[0].actor_role, "administrator");
    assert_eq!(trail[1].actor_role, "committee_chair");
}

#[actix_web::test]
async fn an_own_reason_that_hides_the_text_removes_it() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (member, chair) = (&town.members[0], &town.chair);
    make(&app, &town, own()).await;
    decide(&app, &town, chair, OWN, "activate")
        .await
        .status(200);
    // To give an active reason another meaning needs the chair again.
    let admin = app.signed_in(&town, &town.administrator);
    let hiding = admin
        .patch(OWN)
        .if_match(2)
        .json(json!({ "hide_text": true }))
        .send()
        .await
        .status(200);
    assert_eq!(
        (hiding.text("/status"), hiding.json["hide_text"].as_bool()),
        ("draft".into(), Some(true))
    );
    decide(&app, &town, chair, OWN, "activate")
        .await
        .status(200);
    let case = Story::draft(&app, &town, member).await;
    case.edit(json!({ "situation": "涉密内容乙，老城区部分道路狭窄。" }))
        .await;
    case.submit().await;
    case.does(
        chair,
        "not-file",
        refusal(&["bad_form", "repeats_answered_case"]),
    )
    .await;
    for who in [member, &town.staff, chair, &town.auditor] {
        let seen = case.seen_by(who).await.status(200);
        assert_eq!(seen.json["status"], "not_filed");
        let text = String::from_utf8_lossy(&seen.body).into_owned();
        assert!(!text.contains("老城区部分道路"), "I29: {seen}");
    }
    let (committee, id) = (
        town.committee,
        case.id.parse::<jianjian::ids::ProposalId>().expect("an id"),
    );
    let loaded = app
        .read(move |tx| jianjian::store::cases::load(tx, committee, id))
        .await
        .expect("the case");
    assert!(loaded.case.proposal.form.situation.is_empty());
    // Without it the text stays.
    let other = submitted(&app, &town).await;
    other.does(chair, "not-file", refusal(&["bad_form"])).await;
    let seen = other.seen_by(member).await;
    assert!(String::from_utf8_lossy(&seen.body).contains("老城区部分道路"));
}

#[actix_web::test]
async fn an_unused_own_reason_is_deleted_and_a_built_in_one_only_retired() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let admin = app.signed_in(&town, &town.administrator);
    make(&app, &town, own()).await;
    let request = || admin.request(Method::DELETE, OWN);
    request()
        .send()
        .await
        .status(428)
        .code("precondition-required");
    let stale = request().if_match(7).send().await;
    stale.status(412).code("version-mismatch");
    let trial = admin
        .request(Method::DELETE, &format!("{OWN}?validate_only=true"))
        .if_match(1)
        .send()
        .await;
    trial.status(204);
    admin.get(OWN).send().await.status(200);
    let gone = request().if_match(1).key("delete-0001").send().await;
    assert!(gone.status(204).body.is_empty());
    let replayed = request().if_match(1).key("delete-0001").send().await;
    replayed.status(204);
    admin.get(OWN).send().await.status(404).code("not-found");
    request().if_match(1).send().await.status(404);
    // The name is free again.
    make(&app, &town, own()).await;

    let built_in = format!("{PATH}/bad_form");
    let kept = delete(&app, &town, &built_in).await;
    let kept = kept.status(409).code("guard-unmet");
    assert_eq!(kept.text("/unmet/0/guard"), "not_built_in");
    for meaning in [
        json!({ "hide_text": true }),
        json!({ "label": { "en": "other" } }),
    ] {
        let request = admin.patch(&built_in).if_match(1).json(meaning);
        request.send().await.status(409).code("guard-unmet");
    }
    let moved = admin
        .patch(&built_in)
        .if_match(1)
        .json(json!({ "position": 9999 }));
    moved.send().await.status(200);
    let retired = decide(&app, &town, &town.chair, &built_in, "retire").await;
    retired.status(200);
    let active = admin
        .get(&format!("{PATH}?status=active&limit=100"))
        .send()
        .await
        .status(200);
    let codes: BTreeSet<_> = active.json["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|item| item["code"].as_str())
        .collect();
    assert_eq!(codes.len(), 19);
    assert!(!codes.contains("bad_form"));
    let case = submitted(&app, &town).await;
    case.tries(&town.chair, "not-file", refusal(&["bad_form"]))
        .await
        .status(422)
        .blames(&["/reason_codes/0"]);
}

#[actix_web::test]
async fn another_committee_neither_sees_nor_uses_it() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let elsewhere = app.town_called("linjiang").await;
    make(&app, &town, own()).await;
    decide(&app, &town, &town.chair, OWN, "activate")
        .await
        .status(200);
    let admin = app.signed_in(&elsewhere, &elsewhere.administrator);
    admin.get(OWN).send().await.status(404);
    let list = admin
        .get(&format!("{PATH}?count=true"))
        .send()
        .await
        .status(200);
    assert_eq!(list.json["count"], 20);
    let patch = admin.patch(OWN).header("If-Match", "*");
    patch
        .json(json!({ "position": 1 }))
        .send()
        .await
        .status(404);
    delete(&app, &elsewhere, OWN).await.status(404);
    decide(&app, &elsewhere, &elsewhere.chair, OWN, "retire")
        .await
        .status(404);
    let case = submitted(&app, &elsewhere).await;
    case.tries(
        &elsewhere.chair,
        "not-file",
        refusal(&["repeats_answered_case"]),
    )
    .await
    .status(422)
    .blames(&["/reason_codes/0"]);
    // It may have one of the same name.
    make(&app, &elsewhere, own()).await;
    decide(&app, &town, &town.chair, OWN, "retire")
        .await
        .status(200);
    assert_eq!(
        admin.get(OWN).send().await.text("/status"),
        "draft",
        "the other one"
    );
}

#[actix_web::test]
async fn members_read_and_do_not_write() {
    let app = TestApp::start().await;
    let town = app.town().await;
    make(&app, &town, own()).await;
    for who in [
        &town.members[0],
        &town.clerk,
        &town.unit_clerks[0],
        &town.staff,
        &town.chair,
    ] {
        let client = app.signed_in(&town, who);
        client.get(PATH).send().await.status(200);
        let read = client.get(OWN).send().await.status(200);
        client
            .get(OWN)
            .header("If-None-Match", read.text_header("etag"))
            .send()
            .await
            .status(304);
        client.post(PATH).json(own()).send().await.status(403);
        let patch = client.patch(OWN).if_match(1);
        patch
            .json(json!({ "position": 1 }))
            .send()
            .await
            .status(403);
        let delete = client.request(Method::DELETE, OWN).if_match(1);
        delete.send().await.status(403);
    }
    for who in [&town.members[0], &town.staff, &town.administrator] {
        for what in ["activate", "retire"] {
            decide(&app, &town, who, OWN, what).await.status(403);
        }
    }
    app.anonymous().get(PATH).send().await.status(401);
    let now = app.signed_in(&town, &town.chair).get(OWN).send().await;
    assert_eq!((now.version(), now.text("/status")), (1, "draft".into()));
}

#[actix_web::test]
async fn what_is_malformed_changes_nothing() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let admin = app.signed_in(&town, &town.administrator);
    make(&app, &town, own()).await;
    let case = submitted(&app, &town).await;
    let before = app.database().row_counts();
    let with = |name: &str, value: Value| {
        let mut body = own();
        body["code"] = json!("another_reason");
        body[name] = value;
        body
    };
    let label = |zh: &str, en: &str| json!({ "zh-CN": zh, "en": en });
    for (body, places) in [
        (json!({}), vec!["/code", "/label"]),
        (with("code", json!("A")), vec!["/code", "/code"]),
        (with("code", json!("with-hyphen")), vec!["/code"]),
        (with("code", json!("a".repeat(65))), vec!["/code", "/code"]),
        (with("label", json!("文字")), vec!["/label"]),
        (with("label", label("  ", "x")), vec!["/label/zh-CN"]),
        (
            with("label", label("好", &"x".repeat(101))),
            vec!["/label/en"],
        ),
        (
            with("label", json!({ "zh-CN": "好", "en": "good", "fr": "bon" })),
            vec!["/label/fr"],
        ),
        (with("hide_text", json!("yes")), vec!["/hide_text"]),
        (with("position", json!(0)), vec!["/position"]),
        (with("position", json!(10_000)), vec!["/position"]),
        (with("position", json!(null)), vec!["/position"]),
        (with("status", json!("active")), vec!["/status"]),
        (with("built_in", json!(true)), vec!["/built_in"]),
    ] {
        let reply = admin.post(PATH).json(body).send().await;
        reply.status(422).code("invalid-body").blames(&places);
    }
    for taken in ["repeats_answered_case", "other"] {
        let request = admin.post(PATH).json(with("code", json!(taken)));
        let reply = request.send().await;
        reply.status(409).code("already-exists").blames(&["/code"]);
    }
    for (body, places) in [
        (json!({ "code": "renamed" }), vec!["/code"]),
        (json!({ "status": "active" }), vec!["/status"]),
        (json!({ "label": null }), vec!["/label"]),
        (json!({ "position": "first" }), vec!["/position"]),
    ] {
        let reply = admin.patch(OWN).if_match(1).json(body).send().await;
        reply.status(422).code("invalid-body").blames(&places);
    }
    let request = || admin.patch(OWN).json(json!({ "position": 3 }));
    request().send().await.status(428);
    request().if_match(2).send().await.status(412);
    let chair = app.signed_in(&town, &town.chair);
    let request = || chair.post(&format!("{OWN}/actions/activate"));
    request().send().await.status(428);
    request().if_match(2).send().await.status(412);
    let reply = request().if_match(1).json(json!({ "why": "x" }));
    reply.send().await.status(422).code("invalid-body");
    let trial = chair
        .post(&format!("{OWN}/actions/activate?validate_only=true"))
        .if_match(1)
        .send()
        .await
        .status(200);
    assert_eq!(trial.text("/status"), "active");
    for nothing in ["no_such_reason", "A", "a-b", "%00", "x"] {
        let path = format!("{PATH}/{nothing}");
        let status = admin.get(&path).send().await.status;
        assert!([400, 404].contains(&status), "{nothing}: {status}");
        delete(&app, &town, &path).await;
    }
    for (codes, code, places) in [
        (vec![], "invalid-body", vec!["/reason_codes"]),
        (vec!["A B"], "invalid-body", vec!["/reason_codes/0"]),
        (vec!["no_such"], "invalid-input", vec!["/reason_codes/0"]),
        (
            vec!["other", "other"],
            "invalid-input",
            vec!["/reason_codes/1"],
        ),
    ] {
        case.tries(&town.chair, "not-file", refusal(&codes))
            .await
            .status(422)
            .code(code)
            .blames(&places);
    }
    for query in ["status=open", "status=active&status=draft", "sort=code"] {
        let reply = admin.get(&format!("{PATH}?{query}")).send().await;
        reply.status(400).code("invalid-parameter");
    }
    assert_eq!(app.database().row_counts(), before);
    assert_eq!(admin.get(OWN).send().await.version(), 1);
    assert_eq!(case.status().await, "submitted");
}

#[actix_web::test]
async fn a_key_makes_one_reason() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let admin = app.signed_in(&town, &town.administrator);
    let send = || admin.post(PATH).key("reason-0001").json(own()).send();
    let first = send().await.status(201);
    let again = send().await.status(201);
    assert_eq!(again.json, first.json);
    assert_eq!(again.text_header("idempotency-replayed"), "true");
    assert_eq!(admin.get(OWN).send().await.version(), 1);
}

#[actix_web::test]
async fn at_once_a_reason_is_either_used_or_deleted() {
    let app = TestApp::start().await;
    let town = app.town().await;
    for _ in 0..6 {
        let made = make(&app, &town, own()).await;
        let version = decide(&app, &town, &town.chair, OWN, "activate")
            .await
            .status(200)
            .version();
        assert_eq!((made.version(), version), (1, 2));
        let case = submitted(&app, &town).await;
        let admin = app.signed_in(&town, &town.administrator);
        let chair = app.signed_in(&town, &town.chair);
        let (used, deleted) = futures_util::future::join(
            chair
                .post(&format!("{}/actions/not-file", case.path()))
                .header("If-Match", "*")
                .json(refusal(&["repeats_answered_case"]))
                .send(),
            admin.request(Method::DELETE, OWN).if_match(2).send(),
        )
        .await;
        match (used.status, deleted.status) {
            (200, 409) => {
                deleted.code("in-use");
                return;
            }
            (422, 204) => {
                used.blames(&["/reason_codes/0"]);
            }
            _ => panic!("{used} and {deleted}"),
        }
    }
}

#[actix_web::test]
async fn those_who_were_there_before_are_given_what_they_lack() {
    for database in ["postgres", "sqlite"] {
        let name = format!("migrations/{database}/2026-11-24-000200_refusal_reasons/up.sql");
        let text = files::read(&name);
        for (number, one) in (1..).zip(BUILT_IN) {
            let flag = |on: bool| if on { "TRUE" } else { "FALSE" };
            let row = format!(
                "('{}', '{}', '{}', {}, {}, {})",
                one.code,
                one.label.zh,
                one.label.en,
                flag(one.national),
                flag(one.hides_text),
                number * 10
            );
            assert!(text.contains(&row), "{name} lacks {row}");
        }
    }
    let app = TestApp::start().await;
    let town = app.town().await;
    app.town_called("linjiang").await;
    let case = submitted(&app, &town).await;
    let opinion = json!({
        "opinion": "一案多事。", "recommendation": "not_file",
        "checklist": { "standing": true, "content": true, "form": true },
        "reason_codes": ["multiple_matters", "bad_form"],
    });
    case.does(&town.examiners[0], "examine", opinion).await;
    case.does(
        &town.chair,
        "not-file",
        refusal(&["other", "multiple_matters"]),
    )
    .await;
    let counts = app.database().row_counts();
    assert_eq!(counts["refusal_reasons"], 40);
    assert_eq!(counts["refusal_uses"], 4);
    let first = "SELECT count(*) FROM refusal_uses WHERE act = 'not_file' AND code = 'other' AND position = 1";
    let uses_of_other = format!(
        "UPDATE committees SET region = region WHERE ({first}) = 1 AND id IN \
         (SELECT committee_id FROM refusal_reasons WHERE code = 'named_accusation' AND hide_text AND position = 90)"
    );
    assert_eq!(app.database().execute(&uses_of_other), 2);
    // As it was before the migration, and the migration again.
    for sql in [
        "DROP TABLE refusal_uses",
        "DROP TABLE refusal_reasons",
        "DELETE FROM __diesel_schema_migrations WHERE version = '20261124000200'",
    ] {
        app.database().execute(sql);
    }
    let applied = migrate::run(app.database().url()).expect("to migrate");
    assert_eq!(applied, ["20261124000200"]);
    assert_eq!(app.database().row_counts(), counts);
    assert_eq!(app.database().execute(&uses_of_other), 2);
    let admin = app.signed_in(&town, &town.administrator);
    let list = admin.get(&format!("{PATH}?limit=100")).send().await;
    let list = list.status(200);
    assert_eq!(list.json["items"][8]["label"]["zh-CN"], "指名举报");
    assert_eq!(list.json["items"][8]["created_at"], "2026-03-02T01:00:00Z");
}

/// Snake case of the name of a type.
fn snake(name: &str) -> String {
    name.char_indices()
        .flat_map(|(at, c)| {
            let gap = (at > 0 && c.is_ascii_uppercase()).then_some('_');
            gap.into_iter().chain(c.to_lowercase())
        })
        .collect()
}

#[actix_web::test]
async fn every_fixed_list_is_there_as_data() {
    let app = TestApp::start().await;
    let anybody = app.anonymous();
    let reply = anybody.get("/api/v1/code-lists").send().await.status(200);
    let tag = reply.text_header("etag").to_owned();
    assert!(tag.starts_with('"'), "{tag}");
    assert_eq!(reply.text_header("cache-control"), "public, max-age=300");
    let same = anybody
        .get("/api/v1/code-lists")
        .header("If-None-Match", &tag)
        .send()
        .await
        .status(304);
    assert!(same.body.is_empty());
    let lists = reply.json["items"].as_array().expect("lists");
    let found: BTreeSet<_> = lists.iter().map(|list| list["list"].to_string()).collect();
    assert_eq!(found.len(), lists.len());
    let wanted: BTreeSet<_> = ["src/workflow", "src/jobs", "src/mail", "src/webhooks"]
        .iter()
        .flat_map(|folder| files::rust_files(folder))
        .collect::<Vec<_>>()
        .iter()
        .flat_map(|(_, text)| text.split("code_list! {\n").skip(1))
        .filter_map(|rest| rest.split("pub enum ").nth(1)?.split(' ').next())
        .map(|name| json!(snake(name)).to_string())
        .collect();
    assert_eq!(found, wanted, "say in src/api/code_lists.rs what is new");
    for list in lists {
        for item in list["codes"].as_array().expect("codes") {
            assert!(item["code"].is_string(), "{list}");
            assert!(item["label"]["zh-CN"].is_string() && item["label"]["en"].is_string());
        }
    }
    let ways = lists.iter().find(|list| list["list"] == "contact_way");
    assert_eq!(
        ways.expect("the ways")["codes"][0],
        json!({ "code": "visit", "label": { "zh-CN": "走访", "en": "visit" } })
    );
}
