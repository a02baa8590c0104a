//! The change feed: in the order of commits, without gaps, and to each reader what he may know.

use std::collections::BTreeSet;

use actix_web::rt::spawn;
use jianjian::app::publish;
use jianjian::store::feed;
use serde_json::{Value, json};

use crate::support::seed::{Person, Town};
use crate::support::story::Story;
use crate::support::{Client, TestApp, steps};

const EVENTS: &str = "/api/v1/events";

/// Everything behind a cursor, page by page.
async fn all(client: &Client, limit: usize, narrowed: &str) -> Vec<Value> {
    let (mut items, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("{EVENTS}?limit={limit}{narrowed}{after}");
        let page = client.get(&path).send().await.status(200);
        let found = page.json["items"].as_array().expect("items");
        assert!(found.len() <= limit);
        items.extend(found.clone());
        if page.json["more"] == false {
            return items;
        }
        after = format!("&after={}", page.text("/cursor"));
    }
}

fn texts(items: &[Value], name: &str) -> Vec<String> {
    let text = |item: &Value| item[name].as_str().unwrap_or_default().to_owned();
    items.iter().map(text).collect()
}

/// A case that was handled and awaits the forms of its raters, one of which is there.
async fn rated<'a>(app: &'a TestApp, town: &'a Town) -> Story<'a> {
    let body = json!({ "kind": "joint", "form": crate::support::story::form() });
    let mut case = Story::draft_of(app, town, &town.members[0], body).await;
    let invitation = json!({ "member_ids": crate::support::story::members(&town.members[2..3]) });
    case.does(&town.members[0], "invite-cosigners", invitation)
        .await;
    case.does(&town.members[2], "consent-cosign", json!({}))
        .await;
    case.until_filed().await;
    case.assign("joint", &[0, 1]).await;
    case.accept(0).await;
    case.accept(1).await;
    case.contact(0).await;
    case.give_opinion(1).await;
    case.draft_reply(0).await;
    case.request_countersign(0).await;
    case.countersign(0, 1).await;
    case.sign(0).await;
    case.approve(0).await;
    case.deliver(0).await;
    case.rate(&town.members[0], 0).await;
    case
}

#[actix_web::test]
async fn the_feed_is_complete_ordered_and_the_same_on_every_read() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = rated(&app, &town).await;
    let auditor = app.signed_in(&town, &town.auditor);
    assert!(
        all(&auditor, 100, "").await.is_empty(),
        "nothing is published yet"
    );
    app.work().await;
    let (one, another) = (all(&auditor, 3, "").await, all(&auditor, 100, "").await);
    assert_eq!(one, another);
    let committee = town.committee;
    let end = app.read(move |tx| feed::end(tx, committee)).await;
    assert_eq!(
        i64::try_from(one.len()).expect("few"),
        end,
        "the auditor knows all"
    );
    let ids: BTreeSet<_> = texts(&one, "id").into_iter().collect();
    assert_eq!(ids.len(), one.len(), "each once");

    // The chain of the case in its order, thin.
    let trail: Vec<_> = case
        .trail()
        .await
        .iter()
        .map(|event| event.id.to_string())
        .collect();
    let of_case: Vec<_> = one
        .iter()
        .filter(|item| item["proposal_id"] == case.id.as_str())
        .cloned()
        .collect();
    assert_eq!(texts(&of_case, "id"), trail);
    let filed = of_case
        .iter()
        .find(|item| item["name"] == "proposal.filed")
        .expect("it");
    assert_eq!(filed["before"], "submitted");
    assert_eq!(filed["after"], "filed");
    assert_eq!(filed["actor_role"], "committee_chair");
    assert_eq!(filed["case_no"], 1);
    assert_eq!(
        filed["subject"],
        json!({ "kind": "proposal", "id": case.id })
    );
    let text = serde_json::to_string(&one).expect("text");
    assert!(!text.contains("公交"), "no texts");
    let accepted = of_case
        .iter()
        .find(|item| item["name"] == "assignment.accepted")
        .expect("it");
    assert_eq!(accepted["subject"]["id"], case.rows[&0].as_str());

    // From the middle; the present end; what happens behind it.
    let middle = one.len() / 2;
    let cursor = one[middle]["cursor"].as_str().expect("a cursor");
    let rest = all(&auditor, 100, &format!("&after={cursor}")).await;
    assert_eq!(rest, one[middle + 1..]);
    let now = auditor
        .get(&format!("{EVENTS}?from=now"))
        .send()
        .await
        .status(200);
    assert_eq!(
        (&now.json["items"], &now.json["more"]),
        (&json!([]), &json!(false))
    );
    steps::draft(&app.signed_in(&town, &town.members[1]), "关于新线路的提案").await;
    app.work().await;
    let behind = all(&auditor, 10, &format!("&after={}", now.text("/cursor"))).await;
    assert_eq!(texts(&behind, "name"), ["proposal.created"]);
}

#[actix_web::test]
async fn events_are_narrowed_by_name_and_kind() {
    let app = TestApp::start().await;
    let town = app.town().await;
    rated(&app, &town).await;
    app.work().await;
    let auditor = app.signed_in(&town, &town.auditor);
    let replies = all(&auditor, 2, "&name=reply.*,proposal.filed").await;
    assert_eq!(
        texts(&replies, "name"),
        [
            "proposal.filed",
            "reply.drafted",
            "reply.signed",
            "reply.approved",
            "reply.delivered"
        ]
    );
    let units = all(&auditor, 100, "&kind=unit").await;
    assert_eq!(units.len(), 4);
    assert_eq!(
        units[0]["subject"],
        json!({ "kind": "unit", "id": town.units[0] })
    );
    for wrong in [
        "name=Proposal",
        "name=",
        "name=a..b",
        "name=*",
        "kind=a,,b",
        "from=then",
        "limit=0",
        "limit=101",
        "x=1",
    ] {
        let reply = auditor.get(&format!("{EVENTS}?{wrong}")).send().await;
        reply.status(400).code("invalid-parameter");
    }
    let cursor = auditor
        .get(&format!("{EVENTS}?from=now"))
        .send()
        .await
        .text("/cursor");
    let both = format!("{EVENTS}?from=now&after={cursor}");
    auditor
        .get(&both)
        .send()
        .await
        .status(400)
        .code("invalid-parameter");
}

#[actix_web::test]
async fn a_cursor_belongs_to_its_committee() {
    let app = TestApp::start().await;
    let (town, other) = (app.town().await, app.town_called("linjiang").await);
    app.work().await;
    let (here, there) = (
        app.signed_in(&town, &town.auditor),
        app.signed_in(&other, &other.auditor),
    );
    let cursor = here
        .get(&format!("{EVENTS}?from=now"))
        .send()
        .await
        .text("/cursor");
    for wrong in [&cursor, &cursor[1..], "x", ""] {
        let path = format!("{EVENTS}?after={wrong}");
        there
            .get(&path)
            .send()
            .await
            .status(400)
            .code("invalid-cursor")
            .blames(&["after"]);
    }
    // Nothing of one committee is in the feed of another (I35).
    let ids = |items: Vec<Value>| texts(&items, "id").into_iter().collect::<BTreeSet<_>>();
    let (a, b) = (
        ids(all(&here, 100, "").await),
        ids(all(&there, 100, "").await),
    );
    assert!(!a.is_empty() && a.is_disjoint(&b));
}

/// I21, I29, 2.2: the feed tells a reader of a case what its timeline tells him, and nothing of a
/// case that he may not read.
#[actix_web::test]
async fn the_feed_tells_what_the_timeline_tells() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let draft = Story::draft(&app, &town, &town.members[1]).await;
    let rated_case = rated(&app, &town).await;
    let restricted = Story::draft(&app, &town, &town.members[3]).await;
    restricted.until_filed().await;
    restricted
        .does(
            &town.staff,
            "set-secrecy",
            json!({ "secrecy": "restricted", "reason": "涉及个人隐私。" }),
        )
        .await;
    app.work().await;
    let everybody: Vec<&Person> = [
        &town.members[0],
        &town.members[1],
        &town.members[2],
        &town.members[3],
        &town.members[4],
        &town.clerk,
        &town.staff,
        &town.examiners[0],
        &town.chair,
        &town.officer,
        &town.party_officer,
        &town.unit_clerks[0],
        &town.unit_clerks[1],
        &town.unit_clerks[2],
        &town.signatories[0],
        &town.signatories[2],
        &town.supervision,
        &town.leader,
        &town.auditor,
        &town.administrator,
        &town.security,
    ]
    .into();
    let mut forms = BTreeSet::new();
    for person in everybody {
        let client = app.signed_in(&town, person);
        let feed = all(&client, 100, "").await;
        for case in [&draft, &rated_case, &restricted] {
            let own: Vec<_> = feed
                .iter()
                .filter(|item| item["proposal_id"] == case.id.as_str())
                .cloned()
                .collect();
            let timeline = client
                .get(&format!("{}/timeline?limit=100", case.path()))
                .send()
                .await;
            let told = if timeline.status == 200 {
                texts(timeline.json["items"].as_array().expect("items"), "id")
            } else {
                Vec::new()
            };
            assert_eq!(texts(&own, "id"), told, "{}", person.username);
            if own.iter().any(|item| item["name"] == "feedback.given") {
                forms.insert(person.username.clone());
            }
        }
        let kinds: BTreeSet<_> = texts(&feed, "kind").into_iter().collect();
        let registers = kinds.iter().any(|kind| kind == "unit");
        let knows = ["staff", "chair", "auditor", "admin"].contains(&&*person.username);
        assert_eq!(registers, knows, "{}", person.username);
        assert_eq!(
            kinds.contains("user"),
            ["auditor", "admin", "security"].contains(&&*person.username)
        );
        if ["admin", "security"].contains(&&*person.username) {
            assert!(!kinds.contains("proposal"), "no business content");
        }
    }
    let wanted = [
        "auditor",
        "chair",
        "member1",
        "member3",
        "staff",
        "supervision",
    ];
    assert!(forms.iter().eq(wanted), "I21: {forms:?}");
}

/// While several people write and two workers publish, a reader who follows sees every event, each
/// once, in the one order.
#[actix_web::test]
async fn a_reader_who_follows_misses_nothing_while_others_write() {
    let app = TestApp::start_with(|config| config.database.threads.write = 6).await;
    let town = app.town().await;
    app.work().await;
    let auditor = app.signed_in(&town, &town.auditor);
    let start = auditor
        .get(&format!("{EVENTS}?from=now"))
        .send()
        .await
        .text("/cursor");
    let publishers: Vec<_> = (0..2)
        .map(|_| {
            let app = app.app.clone();
            spawn(async move {
                loop {
                    publish::publish(&app).await.expect("to publish");
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
            })
        })
        .collect();
    let writers: Vec<_> = (0..5)
        .map(|number| {
            let client = app.signed_in(&town, &town.members[number]);
            spawn(async move {
                for round in 0..8 {
                    let draft = steps::draft(&client, &format!("关于第{round}条线路的提案")).await;
                    let path = format!("{}/actions/submit", draft.text_header("location"));
                    client
                        .post(&path)
                        .if_match(draft.version())
                        .json(json!({}))
                        .send()
                        .await
                        .status(200);
                }
            })
        })
        .collect();
    let (mut seen, mut after) = (Vec::new(), start.clone());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while seen.len() < 80 && std::time::Instant::now() < deadline {
        let page = auditor
            .get(&format!("{EVENTS}?limit=7&after={after}"))
            .send()
            .await
            .status(200);
        seen.extend(page.json["items"].as_array().expect("items").clone());
        after = page.text("/cursor");
    }
    for writer in writers {
        writer.await.expect("to write");
    }
    for publisher in publishers {
        publisher.abort();
    }
    app.work().await;
    assert_eq!(seen.len(), 80);
    assert_eq!(seen, all(&auditor, 100, &format!("&after={start}")).await);
    let ids: BTreeSet<_> = texts(&seen, "id").into_iter().collect();
    assert_eq!(ids.len(), 80);
}

#[actix_web::test]
async fn a_page_takes_a_few_statements_however_long_it_is() {
    let app = TestApp::start().await;
    let town = app.town().await;
    rated(&app, &town).await;
    app.work().await;
    for (person, most) in [(&town.auditor, 10), (&town.unit_clerks[0], 10 + 20)] {
        let client = app.signed_in(&town, person);
        let before = app.db().statements();
        client
            .get(&format!("{EVENTS}?limit=100"))
            .send()
            .await
            .status(200);
        let taken = app.db().statements() - before;
        assert!(taken <= most, "{}: {taken}", person.username);
    }
}
