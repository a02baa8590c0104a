//! Lists of a unit, which look at its cases some at a time: they show all of them, once, in order.

use serde_json::json;

use crate::support::rounds::because_dissatisfied;
use crate::support::seed::Town;
use crate::support::story::Story;
use crate::support::{Client, TestApp};

/// All pages of a list, one case each.
async fn pages(client: &Client, query: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut path = Some(format!("/api/v1/proposals?limit=1{query}"));
    while let Some(page) = path {
        let reply = client.get(&page).send().await.status(200);
        seen.extend(reply.item_ids());
        path = reply.next_page();
    }
    seen
}

/// What somebody's list shows, whichever end it begins with. Cases of one moment have no order but
/// that of their identifiers.
async fn shows(client: &Client, query: &str, expected: &[&String]) {
    let mut expected: Vec<String> = expected.iter().map(|id| (*id).clone()).collect();
    expected.sort();
    let oldest = pages(client, &format!("{query}&sort=oldest")).await;
    assert_eq!(oldest, expected, "{query}, oldest first");
    expected.reverse();
    let newest = pages(client, &format!("{query}&sort=newest")).await;
    assert_eq!(newest, expected, "{query}, newest first");
    let whole = client
        .get(&format!("/api/v1/proposals?limit=100&count=true{query}"))
        .send()
        .await;
    assert_eq!(whole.status(200).item_ids(), expected, "{query}, at once");
}

async fn handed_to<'a>(app: &'a TestApp, town: &'a Town, units: &[usize]) -> Story<'a> {
    let mut case = Story::draft(app, town, &town.members[0]).await;
    case.until_filed().await;
    let kind = if units.len() > 1 { "joint" } else { "sole" };
    case.assign(kind, units).await;
    case
}

#[actix_web::test]
async fn they_show_every_case_of_the_unit_once_and_in_order() {
    let app = TestApp::start().await;
    let town = app.town().await;
    // More than the first look takes: one page has one case, and is asked for with the next one.
    let mut cases = Vec::new();
    for number in 0..12 {
        let units: &[usize] = match number % 4 {
            0 | 1 => &[0],
            2 => &[1, 0],
            _ => &[1],
        };
        let mut case = handed_to(&app, &town, units).await;
        if matches!(number, 0 | 1 | 9) {
            case.answer(0).await;
        }
        cases.push(case);
    }
    // The second unit has nothing to do with this one but an instruction.
    let told = json!({
        "leader": "韩松", "post": "市长", "date": "2026-03-02", "kind": "instruction",
        "text": "请抓紧研究。", "unit_ids": [town.units[1]], "due_on": "2026-06-30", "restricted": false,
    });
    cases[4].does(&town.leader, "instruct", told).await;
    let ids: Vec<String> = cases.iter().map(|case| case.id.clone()).collect();
    let some = |numbers: &[usize]| -> Vec<&String> {
        numbers.iter().map(|number| &ids[*number]).collect()
    };
    let first = some(&[0, 1, 2, 4, 5, 6, 8, 9, 10]);
    let second = some(&[2, 3, 6, 7, 10, 11]);
    let handled = some(&[0, 1, 9]);

    let staff = app.signed_in(&town, &town.staff);
    let of_first = format!("&unit_id={}", town.units[0]);
    let of_second = format!("&unit_id={}", town.units[1]);
    shows(&staff, &of_first, &first).await;
    shows(&staff, &of_second, &second).await;
    shows(&staff, &format!("{of_first}&status=handled"), &handled).await;
    shows(&staff, &format!("{of_second}&status=handled"), &[]).await;
    let serial = format!("{of_first}&serial_no=1");
    shows(&staff, &serial, &some(&[0])).await;

    let clerk = app.signed_in(&town, &town.unit_clerks[0]);
    shows(&clerk, "", &first).await;
    shows(&clerk, "&status=handled", &handled).await;
    shows(&clerk, "&status=handled,assigned", &first).await;
    shows(&clerk, &of_second, &some(&[2, 6, 10])).await;
    let clerk = app.signed_in(&town, &town.unit_clerks[1]);
    shows(&clerk, "", &some(&[2, 3, 4, 6, 7, 10, 11])).await;
    shows(&clerk, &of_first, &some(&[2, 4, 6, 10])).await;
}

#[actix_web::test]
async fn a_case_of_several_rounds_is_shown_once() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let mut case = handed_to(&app, &town, &[0]).await;
        case.answer(0).await;
        case.dislike(&town.members[0], 0).await;
        case.rehandle(because_dissatisfied()).await;
        ids.push(case.id);
    }
    let all: Vec<&String> = ids.iter().collect();
    let staff = app.signed_in(&town, &town.staff);
    shows(&staff, &format!("&unit_id={}", town.units[0]), &all).await;
    let clerk = app.signed_in(&town, &town.unit_clerks[0]);
    shows(&clerk, "", &all).await;
    shows(&clerk, "&status=assigned", &all).await;
}
