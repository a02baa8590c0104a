//! Two acts at the same moment, twenty times each: exactly one happens where they exclude each
//! other, both where either order is lawful, and the invariants hold afterwards (I1, I2, I18, I19).

use actix_web::rt::spawn;
use serde_json::{Value, json};

use crate::support::seed::{Person, Town};
use crate::support::sides::{into, unmet};
use crate::support::story::{Story, meeting};
use crate::support::{Reply, Request, TestApp};

const ROUNDS: usize = 20;

async fn app() -> TestApp {
    TestApp::start_with(|config| config.database.threads.write = 8).await
}

/// An act on whatever version there is.
fn act(case: &Story<'_>, who: &Person, action: &str, body: Value) -> Request {
    act_on(case, &case.path(), who, action, body)
}

fn act_on(case: &Story<'_>, base: &str, who: &Person, action: &str, body: Value) -> Request {
    case.as_(who)
        .post(&format!("{base}/actions/{action}"))
        .header("If-Match", "*")
        .json(body)
}

/// Both at once; every other round the second one is sent first.
async fn race(round: usize, one: Request, two: Request) -> (Reply, Reply) {
    let (first, second) = if round.is_multiple_of(2) {
        (one, two)
    } else {
        (two, one)
    };
    let (first, second) = (spawn(first.send()), spawn(second.send()));
    let (first, second) = (
        first.await.expect("an answer"),
        second.await.expect("an answer"),
    );
    if round.is_multiple_of(2) {
        (first, second)
    } else {
        (second, first)
    }
}

/// Asserts that one of them happened and the other was refused; whether it is the first.
fn one_winner(one: &Reply, two: &Reply) -> bool {
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{one}\n{two}");
    one.status == 200
}

async fn submitted<'a>(app: &'a TestApp, town: &'a Town, who: usize) -> Story<'a> {
    let case = Story::draft(app, town, &town.members[who]).await;
    case.submit().await;
    case
}

async fn examined<'a>(app: &'a TestApp, town: &'a Town, who: usize) -> Story<'a> {
    let case = submitted(app, town, who).await;
    case.examine_all().await;
    case
}

#[actix_web::test]
async fn of_two_filings_one_counts() {
    let app = app().await;
    let town = app.town().await;
    for round in 0..ROUNDS {
        let case = examined(&app, &town, 0).await;
        let file = || act(&case, &town.chair, "file", meeting());
        let (one, two) = race(round, file(), file()).await;
        let won = if one_winner(&one, &two) { one } else { two };
        assert_eq!(won.json["case_no"], round + 1, "I2");
        let events = case.events_seen_by(&town.auditor).await;
        let filed = events.iter().filter(|event| *event == "proposal.filed");
        assert_eq!(filed.count(), 1);
        case.is_whole().await;
    }
}

#[actix_web::test]
async fn merging_into_a_main_that_is_being_filed_is_lawful_in_either_order() {
    let app = app().await;
    let town = app.town().await;
    for round in 0..ROUNDS {
        let main = examined(&app, &town, 0).await;
        let other = submitted(&app, &town, 1).await;
        let file = act(&main, &town.chair, "file", meeting());
        let merge = act(&other, &town.chair, "merge", into(&main));
        let (file, merge) = race(round, file, merge).await;
        assert_eq!([file.status, merge.status], [200, 200], "{file}\n{merge}");
        let seen = main.seen_by(&town.staff).await;
        assert_eq!(seen.json["status"], "filed");
        assert_eq!(seen.json["case_no"], round + 1, "I2");
        assert_eq!(seen.json["absorbed"][0]["id"], other.id.as_str(), "I18");
        let seen = other.seen_by(&town.staff).await;
        assert_eq!(seen.json["main"]["status"], "filed");
        main.is_whole().await;
    }
}

#[actix_web::test]
async fn of_two_that_would_absorb_each_other_one_does() {
    let app = app().await;
    let town = app.town().await;
    for round in 0..ROUNDS {
        let one = submitted(&app, &town, 0).await;
        let two = submitted(&app, &town, 1).await;
        let there = act(&one, &town.chair, "merge", into(&two));
        let back = act(&two, &town.chair, "merge", into(&one));
        let (there, back) = race(round, there, back).await;
        let first = one_winner(&there, &back);
        let (absorbed, main) = if first { (&one, &two) } else { (&two, &one) };
        assert_eq!(absorbed.status().await, "merged");
        let seen = main.seen_by(&town.staff).await;
        assert_eq!(seen.json["status"], "submitted");
        assert_eq!(seen.json["absorbed"][0]["id"], absorbed.id.as_str(), "I18");
        main.is_whole().await;
    }
}

#[actix_web::test]
async fn a_main_is_recalled_or_absorbs_but_not_both() {
    let app = app().await;
    let town = app.town().await;
    for round in 0..ROUNDS {
        let main = submitted(&app, &town, 0).await;
        let other = submitted(&app, &town, 1).await;
        let recall = act(&main, &town.members[0], "recall", json!({}));
        let merge = act(&other, &town.chair, "merge", into(&main));
        let (recall, merge) = race(round, recall, merge).await;
        if one_winner(&recall, &merge) {
            assert_eq!(unmet(&merge), ["main_open"]);
            assert_eq!(main.status().await, "draft");
            assert_eq!(other.status().await, "submitted");
        } else {
            assert_eq!(unmet(&recall), ["not_a_main"], "I19");
            assert_eq!(main.status().await, "submitted");
            assert_eq!(other.status().await, "merged");
        }
        main.is_whole().await;
    }
}

#[actix_web::test]
async fn a_case_is_withdrawn_or_answered_but_not_both() {
    let app = app().await;
    let town = app.town().await;
    for round in 0..ROUNDS {
        let mut case = examined(&app, &town, 0).await;
        case.file().await;
        case.assign("sole", &[0]).await;
        case.accept(0).await;
        case.contact(0).await;
        case.draft_reply(0).await;
        case.sign(0).await;
        case.approve(0).await;
        let why = json!({ "reason": "情况已有变化。" });
        case.does(&town.members[0], "withdraw", why).await;
        let grant = act(&case, &town.chair, "approve-withdrawal", json!({}));
        let clerk = &town.unit_clerks[0];
        let deliver = act_on(&case, &case.reply(0), clerk, "deliver", json!({}));
        let (grant, deliver) = race(round, grant, deliver).await;
        let granted = one_winner(&grant, &deliver);
        let seen = case.seen_by(&town.auditor).await;
        let (status, reply, request) = if granted {
            ("withdrawn", "superseded", "granted")
        } else {
            ("handled", "delivered", "lapsed")
        };
        assert_eq!(seen.json["status"], status);
        assert_eq!(seen.json["replies"][0]["status"], reply);
        assert_eq!(seen.json["requests"][0]["status"], request);
        assert!(case.desk(&town.chair).await.is_empty());
        case.is_whole().await;
    }
}

#[actix_web::test]
async fn a_withdrawal_beside_the_filing_ends_the_case_or_becomes_a_request() {
    let app = app().await;
    let town = app.town().await;
    let mut filed = 0;
    for round in 0..ROUNDS {
        let case = examined(&app, &town, 0).await;
        let why = json!({ "reason": "情况已有变化。" });
        let withdraw = act(&case, &town.members[0], "withdraw", why);
        let file = act(&case, &town.chair, "file", meeting());
        let (withdraw, file) = race(round, withdraw, file).await;
        // Taken back first, nothing can be filed; filed first, taking it back is a request (PT10).
        assert_eq!(withdraw.status, 200, "{withdraw}");
        let seen = case.seen_by(&town.staff).await;
        if file.status == 200 {
            filed += 1;
            assert_eq!(seen.json["status"], "filed");
            assert_eq!(seen.json["case_no"], filed, "I2");
            assert_eq!(seen.json["requests"][0]["status"], "open");
        } else {
            file.status(409).code("state-conflict");
            assert_eq!(seen.json["status"], "withdrawn");
            assert_eq!(seen.json.get("case_no"), None, "I2");
        }
        case.is_whole().await;
    }
}
