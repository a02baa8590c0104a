//! Lists while they grow, cursors that were tampered with, and what lists cost.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Client, TestApp, steps};

/// Statements that a case takes to read, who asks included.
const READ_CASE: u64 = 20;
/// Statements that an act takes, who asks included.
const ACT: u64 = 40;

#[actix_web::test]
async fn a_list_that_grows_and_changes_shows_nothing_twice_and_skips_nothing() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    for sort in ["newest", "oldest"] {
        let mut expected = BTreeSet::new();
        for number in 0..9 {
            expected.insert(
                steps::draft(&member, &format!("关于第{number}条线路的提案"))
                    .await
                    .id(),
            );
        }
        let mut seen = Vec::new();
        let mut path = Some(format!(
            "/api/v1/proposals?limit=2&sort={sort}&status=draft"
        ));
        while let Some(page) = path {
            let reply = member.get(&page).send().await.status(200);
            seen.extend(reply.item_ids());
            path = reply.next_page();
            // Somebody writes another one, and changes the one seen last.
            if seen.len() < 30 {
                steps::draft(&member, "关于新线路的提案").await;
                let last = format!("/api/v1/proposals/{}", seen.last().expect("one"));
                let patch = json!({ "title": "关于老线路的提案" });
                let patch = member.patch(&last).header("If-Match", "*").json(patch);
                patch.send().await.status(200);
            }
        }
        let unique: BTreeSet<_> = seen.iter().cloned().collect();
        assert_eq!(unique.len(), seen.len(), "{sort}: something came twice");
        assert!(
            unique.is_superset(&expected),
            "{sort}: something was skipped"
        );
    }
}

#[actix_web::test]
async fn cursors_belong_to_one_list_of_one_committee_and_cannot_be_changed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let other = app.town_called("qinghe").await;
    let member = app.signed_in(&town, &town.members[0]);
    for number in 0..3 {
        steps::draft(&member, &format!("关于第{number}条线路的提案")).await;
    }
    let first = member
        .get("/api/v1/proposals?limit=1")
        .send()
        .await
        .status(200);
    let cursor = first.text("/next_cursor");
    let refused = async |client: &Client, path: String| {
        client
            .get(&path)
            .send()
            .await
            .status(400)
            .code("invalid-cursor");
    };
    for position in 0..cursor.len() {
        let mut changed = cursor.clone().into_bytes();
        changed[position] = if changed[position] == b'A' {
            b'B'
        } else {
            b'A'
        };
        let changed = String::from_utf8(changed).expect("ASCII");
        refused(&member, format!("/api/v1/proposals?cursor={changed}")).await;
    }
    for query in [
        "status=draft",
        "sort=oldest",
        "title=%E6%8F%90",
        "kind=individual",
    ] {
        refused(
            &member,
            format!("/api/v1/proposals?{query}&cursor={cursor}"),
        )
        .await;
    }
    refused(&member, format!("/api/v1/units?cursor={cursor}")).await;
    refused(&member, format!("/api/v1/desk?cursor={cursor}")).await;
    let theirs = app.signed_in(&other, &other.members[0]);
    refused(&theirs, format!("/api/v1/proposals?cursor={cursor}")).await;
    // The size of the page may change on the way.
    let rest = member
        .get(&format!("/api/v1/proposals?limit=50&cursor={cursor}"))
        .send()
        .await;
    assert_eq!(rest.status(200).item_ids().len(), 2);
}

async fn cost(app: &TestApp, client: &Client, path: &str) -> u64 {
    client.get(path).send().await.status(200);
    let before = app.db().statements();
    client.get(path).send().await.status(200);
    app.db().statements() - before
}

#[actix_web::test]
async fn lists_cost_the_same_whatever_their_length() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let staff = app.signed_in(&town, &town.staff);
    let administrator = app.signed_in(&town, &town.administrator);
    let examiner = app.signed_in(&town, &town.examiners[0]);
    for number in 0..6 {
        steps::submitted(&app, &town, &format!("关于第{number}条线路的提案")).await;
        steps::filed(&app, &town, &format!("关于第{number}个站点的提案")).await;
    }
    for (client, path) in [
        (&staff, "/api/v1/proposals?sort=newest"),
        (&examiner, "/api/v1/desk?task=examine"),
        (&staff, "/api/v1/units?active=true"),
        (&staff, "/api/v1/members?active=true"),
        (&administrator, "/api/v1/users?disabled=false"),
    ] {
        let short = cost(&app, client, &format!("{path}&limit=1")).await;
        let long = cost(&app, client, &format!("{path}&limit=100")).await;
        assert_eq!(short, long, "{path}");
        assert!(long <= 10, "{path} took {long}");
    }
}

#[actix_web::test]
async fn cases_and_acts_stay_in_their_budget() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = steps::under_way(&app, &town, "关于优化公交线路的提案").await;
    let staff = app.signed_in(&town, &town.staff);
    let read = cost(&app, &staff, &case.proposal).await;
    assert!(read <= READ_CASE, "a case took {read} statements");
    let clerk = app.signed_in(&town, &town.unit_clerks[1]);
    let before = app.db().statements();
    steps::act(&clerk, &case.other, "accept", steps::clerk())
        .await
        .status(200);
    let taken = app.db().statements() - before;
    assert!(taken <= ACT, "an act took {taken} statements");
}
