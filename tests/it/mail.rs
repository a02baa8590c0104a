//! Mails: one for each reader and act whatever crashes, servers that misbehave, the daily digest.

use jianjian::app::notify;
use jianjian::ids::ProposalId;
use jianjian::jobs::kind::{JobKind, Lane};
use jianjian::store::jobs::{self, Wanted};
use jianjian::workflow::codes::ClockKind;
use jianjian::workflow::desk::Audience;
use jianjian::workflow::reminders::{Reminder, Step};
use jianjian::workflow::role::Role;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::seed::{Person, Town};
use crate::support::smtp::{Mood, Smtp};
use crate::support::story::{Story, form};
use crate::support::units::at;

async fn with_mail() -> (TestApp, Town, Smtp) {
    let server = Smtp::start().await;
    let settings = server.clone();
    let app = TestApp::start_with(move |config| settings.settings(config)).await;
    let town = app.town().await;
    (app, town, server)
}

async fn prefers(app: &TestApp, town: &Town, who: &Person, choices: Value) {
    let client = app.signed_in(town, who);
    let path = "/api/v1/notification-settings";
    client.patch(path).json(choices).send().await.status(200);
}

async fn mails(app: &TestApp, town: &Town, status: &str) -> Vec<Value> {
    let keeper = app.signed_in(town, &town.administrator);
    let path = format!("/api/v1/mails?status={status}");
    let page = keeper.get(&path).send().await.status(200);
    page.json["items"].as_array().expect("items").clone()
}

fn later(app: &TestApp, seconds: i64) {
    app.clock.advance(SignedDuration::from_secs(seconds));
}

/// PT15, two workers at a time: the proposer gets one mail, in his language, with a link.
#[actix_web::test]
async fn a_reader_gets_one_mail_for_an_act() {
    let (app, town, server) = with_mail().await;
    prefers(
        &app,
        &town,
        &town.members[0],
        json!({ "email": "zhou@example.cn" }),
    )
    .await;
    let english = json!({ "email": "officer@example.cn", "language": "en" });
    prefers(&app, &town, &town.officer, english).await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    let (one, other) = (
        jianjian::jobs::drain(&app.app),
        jianjian::jobs::drain(&app.app),
    );
    let (one, other) = futures_util::future::join(one, other).await;
    one.expect("to work");
    other.expect("to work");
    app.work().await;
    let received = server.received();
    let mut readers: Vec<_> = received.iter().map(|mail| mail.to.as_str()).collect();
    readers.sort_unstable();
    assert_eq!(readers, ["officer@example.cn", "zhou@example.cn"]);
    for mail in &received {
        let words = mail.words();
        assert!(
            words.contains(form()["title"].as_str().expect("a title")),
            "{words}"
        );
        assert!(words.contains(&format!("https://desk.example.cn/cases/{}", case.id)));
        assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
        assert!(mail.header("Message-ID").ends_with("@jianjian.example.cn>"));
        let english = mail.to.starts_with("officer");
        assert_eq!(words.contains("A proposal was filed"), english, "{words}");
        assert_eq!(words.contains("提案已立案"), !english, "{words}");
    }
    assert_eq!(mails(&app, &town, "sent").await.len(), 2);
    assert_eq!(mails(&app, &town, "queued").await.len(), 0);
}

/// The server takes the mail and is gone before it says so: it is offered once more, under the same
/// Message-ID.
#[actix_web::test]
async fn a_mail_of_unknown_fate_comes_again_under_the_same_name() {
    let (app, town, server) = with_mail().await;
    prefers(
        &app,
        &town,
        &town.members[0],
        json!({ "email": "zhou@example.cn" }),
    )
    .await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    server.then(&[Mood::DropAfterData]);
    app.work().await;
    assert_eq!(mails(&app, &town, "queued").await.len(), 1);
    later(&app, 60);
    app.work().await;
    let received = server.received();
    assert_eq!(received.len(), 2);
    let names: Vec<_> = received
        .iter()
        .map(|mail| mail.header("Message-ID"))
        .collect();
    assert_eq!(names[0], names[1]);
    assert!(names[0].len() > 20);
    later(&app, 3600);
    app.work().await;
    assert_eq!(server.attempts(), 2);
    assert_eq!(mails(&app, &town, "sent").await.len(), 1);
}

/// 4xx and silence are tried again, 5xx is told to the administrator and not tried again.
#[actix_web::test]
async fn servers_that_misbehave_lose_no_mail() {
    let (app, town, server) = with_mail().await;
    prefers(
        &app,
        &town,
        &town.members[0],
        json!({ "email": "zhou@example.cn" }),
    )
    .await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    server.then(&[Mood::Busy, Mood::Hang]);
    for offered in 1..=3 {
        app.work().await;
        assert_eq!(server.attempts(), offered);
        later(&app, 200);
    }
    assert_eq!(server.received().len(), 1);
    server.then(&[Mood::Refuse]);
    case.does(
        &town.members[0],
        "withdraw",
        json!({ "reason": "另行提出。" }),
    )
    .await;
    let reject = json!({ "reason": "已交办。" });
    case.does(&town.chair, "reject-withdrawal", reject).await;
    app.work().await;
    later(&app, 200_000);
    app.work().await;
    assert_eq!(server.attempts(), 4);
    let bounced = mails(&app, &town, "bounced").await;
    assert_eq!(bounced.len(), 1);
    let said = bounced[0]["last_answer"].as_str().expect("the answer");
    assert!(said.contains("no such reader"), "{said}");
    assert!(!bounced[0].to_string().contains("zhou@"));
}

/// Forty messages on a day are one mail, at eight in the morning of the next working day.
#[actix_web::test]
async fn forty_cases_are_one_digest() {
    let (app, town, server) = with_mail().await;
    prefers(
        &app,
        &town,
        &town.members[0],
        json!({ "email": "zhou@example.cn" }),
    )
    .await;
    // Friday at noon.
    app.clock
        .set("2026-03-06T04:00:00Z".parse().expect("a moment"));
    let mut cases: Vec<ProposalId> = Vec::new();
    for _ in 0..40 {
        let case = Story::draft(&app, &town, &town.members[0]).await;
        cases.push(case.id.parse().expect("an id"));
    }
    let (committee, now, post) = (town.committee, app.clock_now(), app.app.post());
    let audience = Audience::member(town.members[0].member.expect("a member"));
    app.write(move |tx| {
        for case in &cases {
            let reminder = Reminder {
                key: format!("{case}:test"),
                step: Step::Ahead(3),
                kind: ClockKind::K02,
                due_on: "2026-03-11".parse().expect("a day"),
                audiences: vec![audience.clone()],
            };
            // Twice: told once.
            for _ in 0..2 {
                let one = std::slice::from_ref(&reminder);
                notify::remind(tx, committee, *case, one, post, now)?;
            }
        }
        Ok(())
    })
    .await;
    let inbox = app.signed_in(&town, &town.members[0]);
    let unread = inbox.get("/api/v1/notifications/unread-count").send().await;
    assert_eq!(unread.status(200).json["unread"], 40);
    app.work().await;
    let received = server.received();
    assert_eq!(received.len(), 1, "reminders of a day go with its digest");
    assert_eq!(received[0].words().matches("<li>").count(), 40);
    // What comes later waits for Monday.
    let case = Story::draft(&app, &town, &town.members[0]).await;
    prefers(
        &app,
        &town,
        &town.members[0],
        json!({ "deliveries": { "decision": "digest" } }),
    )
    .await;
    case.submit().await;
    case.examine_all().await;
    case.file().await;
    app.work().await;
    for moment in [
        "2026-03-07T01:00:00Z",
        "2026-03-08T01:00:00Z",
        "2026-03-08T23:59:00Z",
    ] {
        app.clock.set(moment.parse().expect("a moment"));
        app.work().await;
        assert_eq!(server.received().len(), 1, "{moment}");
    }
    app.clock
        .set("2026-03-09T00:00:00Z".parse().expect("a moment"));
    app.work().await;
    app.work().await;
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert!(
        received[1].words().contains("提案已立案"),
        "{}",
        received[1].words()
    );
}

/// A digest waits for the reminders of its morning, also for those that another worker is just
/// making, but not for ever.
#[actix_web::test]
async fn a_digest_waits_for_the_reminders_of_its_morning() {
    let (app, town, server) = with_mail().await;
    let clerk = &town.unit_clerks[0];
    prefers(&app, &town, clerk, json!({ "email": "clerk@example.cn" })).await;
    let case = Story::draft(&app, &town, &town.members[0]).await.id;
    let other = Story::draft(&app, &town, &town.members[0]).await.id;
    app.work().await;
    let (committee, unit) = (town.committee, town.units[0]);
    let audience = Audience::unit(Role::UnitClerk, unit);
    let remind = |key: &'static str, case: &str| {
        let (case, now, post) = (
            case.parse().expect("an id"),
            app.clock_now(),
            app.app.post(),
        );
        let reminder = Reminder {
            key: key.to_owned(),
            step: Step::Ahead(3),
            kind: ClockKind::K10,
            due_on: "2026-03-30".parse().expect("a day"),
            audiences: vec![audience.clone()],
        };
        app.write(move |tx| {
            let one = std::slice::from_ref(&reminder);
            notify::remind(tx, committee, case, one, post, now)
        })
    };
    // Each round: one reminder is made, the other case is in the hands of another worker.
    for (round, morning, patient) in [
        (1, "2026-03-17T00:00:00Z", true),
        (2, "2026-03-18T00:00:00Z", false),
    ] {
        at(&app, morning);
        remind(if patient { "a" } else { "c" }, &case).await;
        let now = app.clock_now();
        let wanted = Wanted {
            committee,
            kind: JobKind::WakeCase,
            key: other.clone(),
            payload: Value::Null,
            at: now,
        };
        let claims = app
            .write(move |tx| {
                jobs::want(tx, &wanted, now)?;
                jobs::claim(tx, Lane::Cases, 1, now, SignedDuration::from_hours(1))
            })
            .await;
        let drained = jianjian::jobs::drain(&app.app);
        let meanwhile = async {
            tokio::time::sleep(std::time::Duration::from_millis(700)).await;
            assert_eq!(server.received().len(), round - 1, "it waits");
            if patient {
                remind("b", &other).await;
                let claim = claims.first().expect("a job").clone();
                app.write(move |tx| jobs::finish(tx, &claim)).await;
            } else {
                later(&app, 601);
            }
        };
        let (drained, ()) = futures_util::future::join(drained, meanwhile).await;
        drained.expect("the work is done");
        let received = server.received();
        assert_eq!(received.len(), round, "one digest a morning");
        let lines = received[round - 1].words().matches("<li>").count();
        assert_eq!(lines, if patient { 2 } else { 1 });
    }
}

/// Off means off; without an address nothing is queued; one who has none any more gets none.
#[actix_web::test]
async fn choices_are_kept() {
    let (app, town, server) = with_mail().await;
    let off = json!({ "email": "zhou@example.cn", "deliveries": { "decision": "off" } });
    prefers(&app, &town, &town.members[0], off).await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    app.work().await;
    assert_eq!(server.attempts(), 0);
    let usual = json!({ "deliveries": { "decision": null } });
    prefers(&app, &town, &town.members[0], usual).await;
    case.does(
        &town.members[0],
        "withdraw",
        json!({ "reason": "另行提出。" }),
    )
    .await;
    let reject = json!({ "reason": "已交办。" });
    case.does(&town.chair, "reject-withdrawal", reject).await;
    server.then(&[Mood::Busy]);
    app.work().await;
    prefers(&app, &town, &town.members[0], json!({ "email": null })).await;
    later(&app, 60);
    app.work().await;
    assert_eq!(server.attempts(), 1);
    assert_eq!(server.received().len(), 0);
    assert_eq!(mails(&app, &town, "dropped").await.len(), 1);
}
