//! Numbers (I2, I3, I39): 200 people at the same moment, and acts that fail, leave no gap.

use std::collections::BTreeSet;

use actix_web::rt::spawn;
use serde_json::{Value, json};

use crate::support::seed::Town;
use crate::support::story::{Story, form, meeting, members, reply_form};
use crate::support::{Reply, Request, TestApp, sides, steps, units};

const MANY: usize = 200;

async fn at_once(requests: Vec<Request>) -> Vec<Reply> {
    let tasks: Vec<_> = requests
        .into_iter()
        .map(|request| spawn(request.send()))
        .collect();
    let mut replies = Vec::new();
    for task in tasks {
        replies.push(task.await.expect("an answer"));
    }
    replies
}

fn numbers(replies: &[Reply], name: &str) -> BTreeSet<i64> {
    let given = replies.iter().filter(|reply| reply.status == 200);
    given
        .filter_map(|reply| reply.json[name].as_i64())
        .collect()
}

#[actix_web::test]
async fn two_hundred_submissions_and_filings_are_numbered_without_a_gap() {
    let app = TestApp::start_with(|config| config.database.threads.write = 8).await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let act = |path: &str, action: &str, body: Value| {
        let chair = app.signed_in(&town, &town.chair);
        let client = if action == "file" { &chair } else { &member };
        let request = client.post(&format!("{path}/actions/{action}"));
        request.header("If-Match", "*").json(body)
    };
    // Every tenth draft lacks the declaration and is refused: it takes no number.
    let mut paths = Vec::new();
    for number in 0..MANY + MANY / 10 {
        let mut form = steps::form(&format!("关于第{number}条线路的提案"));
        if number % 11 == 10 {
            form["no_secret_declaration"] = json!(false);
        }
        let body = json!({ "kind": "individual", "form": form });
        let made = member.post("/api/v1/proposals").json(body).send().await;
        paths.push(made.status(201).text_header("location").to_owned());
    }
    let requests = paths.iter().map(|path| act(path, "submit", json!({})));
    let replies = at_once(requests.collect()).await;
    for (number, reply) in replies.iter().enumerate() {
        let expected = if number % 11 == 10 { 409 } else { 200 };
        assert_eq!(reply.status, expected, "{reply}");
    }
    let all: BTreeSet<_> = (1..=200).collect();
    assert_eq!(numbers(&replies, "serial_no"), all, "I3");
    // The same for filing; the one without examination is refused and takes no number.
    let handed_in: Vec<_> = paths
        .iter()
        .enumerate()
        .filter(|(number, _)| number % 11 != 10)
        .map(|(_, path)| path.clone())
        .collect();
    for examiner in &town.examiners[..2] {
        let examiner = app.signed_in(&town, examiner);
        for path in &handed_in {
            steps::act(&examiner, path, "examine", steps::opinion(&town))
                .await
                .status(200);
        }
    }
    let late = steps::submitted(&app, &town, "关于未审查线路的提案").await;
    let mut requests: Vec<_> = handed_in
        .iter()
        .map(|path| act(path, "file", meeting()))
        .collect();
    requests.insert(MANY / 2, act(&late, "file", meeting()));
    let replies = at_once(requests).await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 409).count(),
        1
    );
    assert_eq!(numbers(&replies, "case_no"), all, "I2");
    // The series goes on behind them.
    let next = Story::draft(&app, &town, &town.members[1]).await;
    let filed = next.until_filed().await;
    assert_eq!(filed.json["serial_no"], 202);
    assert_eq!(filed.json["case_no"], 201);
    sides::is_whole(&app).await;
}

#[actix_web::test]
async fn a_failed_act_and_a_trial_take_no_number_and_a_number_once_given_stays() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let people = &town.members;
    let body = json!({ "kind": "joint", "form": form() });
    let first = Story::draft_of(&app, &town, &people[0], body).await;
    first
        .tries(&people[0], "submit", json!({}))
        .await
        .status(409);
    let invited = json!({ "member_ids": members(&people[1..2]) });
    first.does(&people[0], "invite-cosigners", invited).await;
    let path = format!("{}/actions/submit?validate_only=true", first.path());
    let version = first.seen_by(&people[0]).await.version();
    let client = first.as_(&people[0]);
    let trial = client.post(&path).if_match(version).json(json!({})).send();
    trial.await.ok();
    assert_eq!(first.submit().await.json["serial_no"], 1);
    let second = Story::draft(&app, &town, &people[2]).await;
    assert_eq!(second.submit().await.json["serial_no"], 2);
    first.does(&people[0], "recall", json!({})).await;
    assert_eq!(first.submit().await.json["serial_no"], 1, "I3");
    first
        .tries(&town.chair, "file", meeting())
        .await
        .status(409);
    second.examine_all().await;
    assert_eq!(second.file().await.json["case_no"], 1);
    first.examine_all().await;
    assert_eq!(first.file().await.json["case_no"], 2);
}

#[actix_web::test]
async fn documents_are_numbered_by_unit_and_word() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut numbers = Vec::new();
    for units in [[0, 1], [0, 2], [1, 0]] {
        let mut case = Story::draft(&app, &town, &town.members[0]).await;
        case.until_filed().await;
        case.assign("separate", &units).await;
        for unit in units {
            case.accept(unit).await;
            case.contact(unit).await;
            case.draft_reply(unit).await;
            numbers.push(case.sign(unit).await.text("/document_no"));
        }
    }
    assert_eq!(
        numbers,
        [
            "云交提复〔2026〕1号",
            "云资规提复〔2026〕1号",
            "云交提复〔2026〕2号",
            "云教提复〔2026〕1号",
            "云资规提复〔2026〕2号",
            "云交提复〔2026〕3号",
        ]
    );
}

/// A draft handed in and examined, ready to be filed.
async fn ready(app: &TestApp, town: &Town, title: &str) -> String {
    steps::examined(app, town, title).await
}

#[actix_web::test]
async fn ordinary_proposals_have_numbers_of_their_own_where_the_policy_says_so() {
    let app = TestApp::start_with(|config| config.database.threads.write = 8).await;
    let town = app.town().await;
    let file = |path: &str| {
        let chair = app.signed_in(&town, &town.chair);
        let request = chair.post(&format!("{path}/actions/file"));
        request.header("If-Match", "*").json(meeting())
    };
    // One series for all, as long as the policy says nothing.
    let first = ready(&app, &town, "关于第一条线路的提案").await;
    let first = file(&first).send().await.status(200);
    assert_eq!(first.json["case_no"], 1);
    assert_eq!(first.json["case_series"], "main");
    let settings = json!({ "number.separate_series": true });
    sides::policy(&app, &town, settings).await;
    let mut paths = Vec::new();
    for number in 0..24 {
        paths.push(ready(&app, &town, &format!("关于第{number}条线路的提案")).await);
    }
    // After the deadline they are ordinary ones.
    units::days(&app, 3);
    for number in 0..25 {
        let title = format!("关于第{number}个站点的提案");
        paths.insert(number * 2, ready(&app, &town, &title).await);
    }
    // One without examination stands in between and takes no number of either series.
    let late = steps::submitted(&app, &town, "关于未审查线路的提案").await;
    paths.insert(20, late);
    let replies = at_once(paths.iter().map(|path| file(path)).collect()).await;
    let refused = replies.iter().filter(|reply| reply.status == 409);
    assert_eq!(refused.count(), 1);
    let of = |series: &str| {
        let own = replies.iter().filter(|reply| reply.status == 200);
        let own = own.filter(|reply| reply.json["case_series"] == series);
        let mut numbers: Vec<_> = own
            .filter_map(|reply| reply.json["case_no"].as_i64())
            .collect();
        numbers.sort_unstable();
        numbers
    };
    // The common series goes on; the other one begins (I2).
    assert_eq!(of("main"), (2..=25).collect::<Vec<_>>());
    assert_eq!(of("ordinary"), (1..=25).collect::<Vec<_>>());
    for reply in replies.iter().filter(|reply| reply.status == 200) {
        let ordinary = reply.json["session_mark"] == "ordinary";
        assert_eq!(reply.json["case_series"] == "ordinary", ordinary, "{reply}");
    }
    // A number alone names two cases; with its series one.
    let staff = app.signed_in(&town, &town.staff);
    for (filter, found) in [
        ("case_no=7", 2),
        ("case_no=7&case_series=ordinary", 1),
        ("case_series=ordinary&limit=100", 25),
        ("case_series=main&limit=100", 25),
    ] {
        let page = staff.get(&format!("/api/v1/proposals?{filter}"));
        let page = page.send().await.status(200);
        let items = page.json["items"].as_array().expect("items");
        assert_eq!(items.len(), found, "{filter}");
    }
    sides::is_whole(&app).await;
}

#[actix_web::test]
async fn a_case_is_cited_with_its_series() {
    let app = TestApp::start().await;
    let town = app.town().await;
    sides::policy(&app, &town, json!({ "number.separate_series": true })).await;
    let mut titles = Vec::new();
    for _ in 0..2 {
        let mut case = Story::draft(&app, &town, &town.members[0]).await;
        case.until_filed().await;
        case.assign("sole", &[0]).await;
        case.accept(0).await;
        case.contact(0).await;
        let mut text = reply_form();
        text.as_object_mut().expect("a form").remove("title");
        titles.push(case.draft_reply_of(0, text).await.text("/form/title"));
        // The number, once given, stays with its series through a later change of the policy.
        units::days(&app, 3);
    }
    assert_eq!(
        titles,
        [
            "对政协第14届委员会第4次会议第1号提案的答复",
            "对政协第14届委员会第4次会议平时提案第1号的答复",
        ]
    );
    sides::policy(&app, &town, json!({ "number.separate_series": false })).await;
    let third = Story::draft(&app, &town, &town.members[1]).await;
    let filed = third.until_filed().await;
    assert_eq!(filed.json["session_mark"], "ordinary");
    assert_eq!(filed.json["case_series"], "main");
    assert_eq!(filed.json["case_no"], 2);
}
