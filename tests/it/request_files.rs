//! Files that go with requests: return, extension, pause, withdrawal (AT04, AT11, AT13, PT10), read
//! by whoever may read the request.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::seed::Person;
use crate::support::steps::{PDF, upload as try_upload};
use crate::support::story::Story;
use crate::support::units::{Why, days};

async fn upload(case: &Story<'_>, who: &Person, name: &str) -> String {
    let staged = try_upload(&case.as_(who), &case.path(), name, PDF).await;
    staged.status(201).id()
}

/// Who of these finds the file, by the status of the answer.
async fn read_by(case: &Story<'_>, file: &str, people: &[&Person]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for who in people {
        let path = format!("/api/v1/attachments/{file}/content");
        statuses.push(case.as_(who).get(&path).send().await.status);
    }
    statuses
}

/// The files of the requests that somebody sees, with the kind of the request.
async fn listed(case: &Story<'_>, who: &Person) -> Vec<(String, Value)> {
    let seen = case.seen_by(who).await.status(200);
    let requests = seen.json["requests"].as_array().expect("requests").clone();
    let pair = |request: Value| {
        let kind = request["kind"].as_str().expect("a kind").to_owned();
        (kind, request["attachment_ids"].clone())
    };
    requests.into_iter().map(pair).collect()
}

#[actix_web::test]
async fn files_of_a_unit_go_with_its_requests() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("joint", &[0, 1]).await;
    let (clerk, officer) = (&town.unit_clerks[0], &town.officer);
    let file = upload(&case, clerk, "职责说明.pdf").await;
    let ask = |ids: Value| {
        json!({
            "reason": "所提事项不属我局职责范围，建议改由规划部门主办。", "signatory": "林涛",
            "suggested_unit_id": town.units[2], "attachment_ids": ids,
        })
    };
    let foreign = upload(&case, &town.unit_clerks[1], "他局材料.pdf").await;
    for (ids, code) in [
        (json!([foreign]), "unknown_attachment"),
        (json!([file, file]), "duplicate"),
    ] {
        let place = usize::from(code == "duplicate");
        let place = format!("/attachment_ids/{place}");
        let why = Why::Field(&place, code);
        case.row_refuses(clerk, 0, "request-return", ask(ids), why)
            .await;
    }
    case.on_row(0, "request-return", ask(json!([file]))).await;
    let facts = case.as_(clerk).get(&format!("/api/v1/attachments/{file}"));
    let facts = facts.send().await.status(200);
    assert_eq!(facts.text("/bound_to/kind"), "request");
    assert!(facts.text("/bound_to/id").starts_with("creq_"));
    assert_eq!(facts.json["current"], true);
    let own = vec![("return".to_owned(), json!([file]))];
    assert_eq!(listed(&case, officer).await, own);
    assert_eq!(listed(&case, clerk).await, own);
    assert!(listed(&case, &town.members[0]).await.is_empty());
    let readers = [
        clerk,
        &town.signatories[0],
        officer,
        &town.staff,
        &town.supervision,
        &town.auditor,
    ];
    assert_eq!(read_by(&case, &file, &readers).await, [200; 6]);
    let others = [
        &town.members[0],
        &town.members[1],
        &town.unit_clerks[1],
        &town.leader,
        &town.examiners[0],
    ];
    assert_eq!(read_by(&case, &file, &others).await, [404; 5]);
    let no = json!({ "reason": "属该单位法定职责，请按期办理。" });
    case.tries_on(officer, &case.row(0), "reject-return", no)
        .await
        .status(200);
    // The next requests take other files: one file goes with one request.
    let extension = |ids: Value| {
        json!({
            "reason": "方案须经市规委会审议。", "signatory": "林涛", "new_date": "2026-07-31",
            "attachment_ids": ids,
        })
    };
    let why = Why::Field("/attachment_ids/0", "attachment_in_use");
    case.row_refuses(clerk, 0, "request-extension", extension(json!([file])), why)
        .await;
    let minutes = upload(&case, clerk, "会议安排.pdf").await;
    case.on_row(0, "request-extension", extension(json!([minutes])))
        .await;
    // The proposer knows of an extension, and of its files, once it is decided.
    let both = [clerk, &town.members[0]];
    assert_eq!(read_by(&case, &minutes, &both).await, [200, 404]);
    case.tries_on(officer, &case.row(0), "grant-extension", json!({}))
        .await
        .status(200);
    assert_eq!(read_by(&case, &minutes, &both).await, [200, 200]);
    let standard = upload(&case, clerk, "国家标准征求意见稿.pdf").await;
    let pause = json!({
        "reason": "等待国家标准发布。", "signatory": "林涛", "expected_end": "2026-03-20",
        "attachment_ids": [standard],
    });
    case.on_row(0, "request-pause", pause).await;
    // All were made at one moment: their order says nothing.
    let mut all = listed(&case, clerk).await;
    all.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(
        all,
        [
            ("extension".to_owned(), json!([minutes])),
            ("pause".to_owned(), json!([standard])),
            ("return".to_owned(), json!([file])),
        ]
    );
    case.witness(&["AT04", "AT11", "AT13"]).await;
    case.is_whole().await;
}

#[actix_web::test]
async fn files_of_the_proposer_go_with_the_request_to_withdraw() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (member, clerk) = (&town.members[0], &town.unit_clerks[0]);
    let mut case = Story::draft(&app, &town, member).await;
    case.submit().await;
    let file = upload(&case, member, "情况说明.pdf").await;
    let ask = json!({ "reason": "情况已有变化。", "attachment_ids": [file] });
    // Before the filing there is no request.
    case.is_invalid(member, "withdraw", ask.clone(), &["/attachment_ids"])
        .await;
    case.examine_all().await;
    case.file().await;
    case.assign("sole", &[0]).await;
    case.does(member, "withdraw", ask).await;
    let own = vec![("withdrawal".to_owned(), json!([file]))];
    assert_eq!(listed(&case, &town.chair).await, own);
    let people = [member, &town.chair, &town.staff, clerk, &town.members[1]];
    let before = [200, 200, 200, 404, 404];
    assert_eq!(read_by(&case, &file, &people).await, before);
    case.does(&town.chair, "approve-withdrawal", json!({}))
        .await;
    // Granted, its units know of it.
    let after = [200, 200, 200, 200, 404];
    assert_eq!(read_by(&case, &file, &people).await, after);
    case.witness(&["PT10", "PT11"]).await;
}

#[actix_web::test]
async fn no_extension_ends_in_the_past() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.accept(0).await;
    let due = case.due_on(0, "K10").await;
    let ask = json!({
        "reason": "方案须经市规委会审议。", "signatory": "林涛", "new_date": "2026-06-30",
    });
    case.on_row(0, "request-extension", ask).await;
    // The officer decides long after the day that was asked for: 2026-07-10.
    days(&app, 130);
    let officer = &town.officer;
    let past = || Why::Field("/new_date", "in_past");
    for body in [
        json!({}),
        json!({ "new_date": "2026-06-30" }),
        json!({ "new_date": "2026-07-09" }),
    ] {
        case.row_refuses(officer, 0, "grant-extension", body, past())
            .await;
    }
    assert_eq!(case.due_on(0, "K10").await, due);
    let later = json!({ "new_date": "2026-07-31" });
    case.tries_on(officer, &case.row(0), "grant-extension", later)
        .await
        .status(200);
    assert_eq!(case.due_on(0, "K10").await, "2026-07-31");
    case.witness(&["AT11", "AT12"]).await;
}
