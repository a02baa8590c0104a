//! Inboxes: who finds what, reading marks, secrecy, and what telling fifty readers costs.

use jianjian::ids::CommitteeId;
use jianjian::store::register::Entry;
use jianjian::store::users::{self, UserFields};
use jianjian::workflow::role::{Grant, Role};
use serde_json::{Value, json};

use crate::support::seed::{Person, Town};
use crate::support::story::{Story, form, members};
use crate::support::{Client, TestApp};

async fn inbox_of(client: &Client, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/notifications?limit=100{query}");
    let page = client.get(&path).send().await.status(200);
    page.json["items"].as_array().expect("items").clone()
}

async fn inbox(app: &TestApp, town: &Town, who: &Person) -> Vec<Value> {
    inbox_of(&app.signed_in(town, who), "").await
}

async fn topics(app: &TestApp, town: &Town, who: &Person) -> Vec<String> {
    let items = inbox(app, town, who).await;
    let topics = items
        .iter()
        .map(|item| item["topic"].as_str().expect("a topic"));
    topics.rev().map(str::to_owned).collect()
}

/// PT06 to AT01: each of the "event → told" columns on the ordinary way.
#[actix_web::test]
async fn everybody_who_awaits_something_finds_it_in_the_inbox() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("joint", &[0, 1]).await;
    app.work().await;

    assert_eq!(
        topics(&app, &town, &town.members[0]).await,
        ["proposal.filed", "proposal.assigned"]
    );
    assert_eq!(
        topics(&app, &town, &town.staff).await,
        ["proposal.submitted"]
    );
    assert_eq!(
        topics(&app, &town, &town.chair).await,
        ["examination.recorded"]
    );
    assert_eq!(topics(&app, &town, &town.officer).await, ["proposal.filed"]);
    for unit in [0, 1] {
        assert_eq!(
            topics(&app, &town, &town.unit_clerks[unit]).await,
            ["proposal.assigned", "assignment.created"]
        );
    }
    for other in [
        &town.unit_clerks[2],
        &town.members[1],
        &town.party_officer,
        &town.leader,
    ] {
        assert!(topics(&app, &town, other).await.is_empty());
    }
    let first = &inbox(&app, &town, &town.members[0]).await[1];
    assert_eq!(first["proposal_id"], json!(case.id));
    assert_eq!(first["title"], form()["title"]);
    assert_eq!(first["href"], json!(case.path()));
    let text = first["text"]["zh-CN"].as_str().expect("words");
    assert!(
        text.contains("提案已立案") && text.contains("老城区"),
        "{text}"
    );
    // Publishing once more tells nobody twice.
    app.work().await;
    assert_eq!(inbox(&app, &town, &town.members[0]).await.len(), 2);
}

/// One, many, everything up to one; nobody else's.
#[actix_web::test]
async fn messages_are_marked_as_read_and_counted() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    app.work().await;
    let client = app.signed_in(&town, &town.members[0]);
    let unread = || async {
        let path = "/api/v1/notifications/unread-count";
        client.get(path).send().await.status(200).json["unread"].clone()
    };
    assert_eq!(unread().await, 2);
    let page = client
        .get("/api/v1/notifications?limit=1")
        .send()
        .await
        .status(200);
    let newest = page.json["items"][0]["id"].clone();
    let cursor = page.json["next_cursor"].as_str().expect("more").to_owned();
    let path = format!("/api/v1/notifications?limit=1&cursor={cursor}");
    let second = client.get(&path).send().await.status(200);
    let oldest = second.json["items"][0]["id"].clone();
    assert_ne!(newest, oldest);
    assert!(second.json["next_cursor"].is_null());

    let mark = |client: Client, body: Value| async move {
        let path = "/api/v1/notifications/actions/mark";
        client.post(path).json(body).send().await
    };
    let marked = mark(client.clone(), json!({ "ids": [oldest] }))
        .await
        .status(200);
    assert_eq!(marked.json, json!({ "changed": 1, "unread": 1 }));
    assert_eq!(inbox_of(&client, "&unread=true").await.len(), 1);
    assert_eq!(inbox_of(&client, "&unread=false").await.len(), 1);
    assert_eq!(inbox_of(&client, "&group=decision").await.len(), 1);
    let back = mark(client.clone(), json!({ "ids": [oldest], "read": false })).await;
    assert_eq!(back.status(200).json["unread"], 2);
    // A stranger changes nothing.
    let stranger = app.signed_in(&town, &town.members[1]);
    let tried = mark(stranger, json!({ "ids": [oldest, newest] }))
        .await
        .status(200);
    assert_eq!(tried.json, json!({ "changed": 0, "unread": 0 }));
    let all = mark(client.clone(), json!({ "up_to": newest }))
        .await
        .status(200);
    assert_eq!(all.json, json!({ "changed": 2, "unread": 0 }));
    for wrong in [
        json!({}),
        json!({ "ids": [newest], "up_to": newest }),
        json!({ "up_to": newest, "read": false }),
    ] {
        mark(client.clone(), wrong).await.status(422);
    }
    assert_eq!(unread().await, 0);
}

/// I20 to I22: no account of the handling side hears of a form before the conclusion, not even one
/// that also works for the committee; the rater gets a copy.
#[actix_web::test]
async fn the_handling_side_hears_of_feedback_with_its_conclusion() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let both = [
        Grant::of(Role::CommitteeStaff),
        Grant::unit(Role::UnitClerk, town.units[0]),
    ];
    let both = app
        .person((town.committee, &town.code), "both", &both)
        .await;
    let body = json!({ "kind": "joint", "form": form() });
    let mut case = Story::draft_of(&app, &town, &town.members[0], body).await;
    let invited = json!({ "member_ids": members(&town.members[2..3]) });
    case.does(&town.members[0], "invite-cosigners", invited)
        .await;
    case.does(&town.members[2], "consent-cosign", json!({}))
        .await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    case.answer(0).await;
    case.rate(&town.members[0], 0).await;
    app.work().await;
    let heard = |topics: &[String]| topics.iter().any(|topic| topic.starts_with("feedback."));
    let given = "feedback.given".to_owned();
    assert!(topics(&app, &town, &town.staff).await.contains(&given));
    assert!(topics(&app, &town, &town.members[0]).await.contains(&given));
    assert!(!topics(&app, &town, &town.members[2]).await.contains(&given));
    for other in [&town.unit_clerks[0], &town.signatories[0], &town.officer] {
        assert!(!heard(&topics(&app, &town, other).await));
    }
    let seen = inbox_of(&both.client, "").await;
    assert!(!seen.is_empty());
    assert!(
        !seen.iter().any(|item| item["topic"] == "feedback.given"),
        "{seen:?}"
    );

    case.rate(&town.members[2], 0).await;
    app.work().await;
    let concluded = "feedback.concluded".to_owned();
    assert!(
        topics(&app, &town, &town.unit_clerks[0])
            .await
            .contains(&concluded)
    );
    let seen = inbox_of(&both.client, "").await;
    assert!(
        seen.iter()
            .any(|item| item["topic"] == "feedback.concluded")
    );
    assert!(!seen.iter().any(|item| item["topic"] == "feedback.given"));
}

/// Whoever may not read a case any more keeps the message, without what it was about.
#[actix_web::test]
async fn the_title_of_a_restricted_case_is_shown_to_its_readers_only() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let body = json!({ "kind": "joint", "form": form() });
    let case = Story::draft_of(&app, &town, &town.members[0], body).await;
    let invited = json!({ "member_ids": members(&town.members[1..3]) });
    case.does(&town.members[0], "invite-cosigners", invited)
        .await;
    case.does(&town.members[1], "consent-cosign", json!({}))
        .await;
    case.until_filed().await;
    app.work().await;
    // Unsigned and dropped, he reads it as every member does while it is open.
    let before = inbox(&app, &town, &town.members[2]).await;
    let oldest = before.last().expect("a message");
    assert_eq!(oldest["topic"], "cosign.invited");
    assert_eq!(oldest["title"], form()["title"]);
    let secrecy = json!({ "secrecy": "restricted", "reason": "涉及工作秘密。" });
    case.does(&town.staff, "set-secrecy", secrecy).await;
    let after = inbox(&app, &town, &town.members[2]).await;
    assert_eq!(after.len(), before.len());
    for item in after {
        assert!(item["title"].is_null(), "{item}");
        assert!(!item.to_string().contains("老城区"), "{item}");
    }
    let signer = inbox(&app, &town, &town.members[1]).await;
    assert_eq!(signer[0]["title"], form()["title"]);
}

async fn staff(app: &TestApp, committee: CommitteeId, from: usize, count: usize) {
    let now = app.clock_now();
    app.write(move |tx| {
        for n in from..from + count {
            let fields = UserFields {
                username: format!("staff-{n}"),
                display_name: format!("工作人员{n}"),
                member_id: None,
                roles: vec![Grant::of(Role::CommitteeStaff)],
                disabled: n % 10 == 9,
            };
            users::insert(tx, committee, &Entry::new(fields, now), None)?;
        }
        Ok(())
    })
    .await;
}

/// Telling fifty readers takes as many statements as telling a few; shut accounts are told nothing.
#[actix_web::test]
async fn what_telling_costs_does_not_depend_on_the_number_of_readers() {
    let app = TestApp::start().await;
    let town = app.town().await;
    app.work().await;
    let mut costs = Vec::new();
    for (from, count) in [(0, 0), (0, 56)] {
        staff(&app, town.committee, from, count).await;
        let case = Story::draft(&app, &town, &town.members[0]).await;
        case.submit().await;
        let before = app.db().statements();
        app.work().await;
        costs.push(app.db().statements() - before);
    }
    assert_eq!(costs[0], costs[1], "{costs:?}");
    assert!(costs[0] < 70, "{costs:?}");
    let committee = town.committee;
    let told = app
        .read(move |tx| {
            let facts = jianjian::store::outbox::depth(tx)?;
            let accounts = users_told(tx, committee)?;
            Ok((facts, accounts))
        })
        .await;
    assert_eq!(told, (0, 52), "the seeded one and those that are not shut");
}

fn users_told(
    tx: &mut jianjian::store::Tx<'_>,
    committee: CommitteeId,
) -> jianjian::error::Result<usize> {
    use jianjian::store::readers;
    use jianjian::workflow::desk::Scope;
    let scope = Scope::Role(Role::CommitteeStaff);
    let found = readers::find(tx, committee, &[scope].into())?;
    Ok(found.of(scope).len())
}

/// The address is the account's own business, and the administrator's.
#[actix_web::test]
async fn settings_are_set_by_oneself_or_by_an_administrator() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let own = app.signed_in(&town, &town.members[0]);
    let path = "/api/v1/notification-settings";
    let usual = own.get(path).send().await.status(200);
    assert_eq!(usual.json["language"], "zh-CN");
    assert_eq!(usual.json["mail_enabled"], false);
    let groups = usual.json["groups"].as_array().expect("groups");
    let of = |name: &str| {
        let group = groups.iter().find(|group| group["group"] == name);
        group.expect("the group")["delivery"].clone()
    };
    assert_eq!(of("decision"), "immediate");
    assert_eq!(of("assignment"), "digest");
    assert_eq!(of("reminder"), "digest");
    let patch = json!({ "email": "zhou@example.cn", "deliveries": { "decision": "off" } });
    let set = own.patch(path).json(patch).send().await.status(200);
    assert_eq!(set.json["email"], "zhou@example.cn");
    assert_eq!(set.json["deliveries"], json!({ "decision": "off" }));
    for wrong in [
        "zhou",
        "zhou@",
        "a b@example.cn",
        "a@b\r\nBcc: c@d",
        "周@example.cn",
    ] {
        own.patch(path)
            .json(json!({ "email": wrong }))
            .send()
            .await
            .status(422);
    }
    let user = town.members[0].user;
    let other = format!("/api/v1/users/{user}/notification-settings");
    app.signed_in(&town, &town.staff)
        .get(&other)
        .send()
        .await
        .status(403);
    let keeper = app.signed_in(&town, &town.administrator);
    let seen = keeper.get(&other).send().await.status(200);
    assert_eq!(seen.json["email"], "zhou@example.cn");
    let gone = json!({ "email": null });
    keeper
        .patch(&other)
        .json(gone.clone())
        .send()
        .await
        .status(428);
    let request = keeper.patch(&other).if_match(seen.version());
    let set = request.json(gone).send().await.status(200);
    assert!(set.json["email"].is_null());
    // Neither the account nor the trail shows an address.
    let account = keeper
        .get(&format!("/api/v1/users/{user}"))
        .send()
        .await
        .status(200);
    assert!(!account.json.to_string().contains("example.cn"));
}
