//! Two people at the same moment, about replies, forms and rounds: one of the two orders happens,
//! and the case is whole afterwards.

use actix_web::rt::spawn;
use serde_json::{Value, json};

use crate::support::seed::Person;
use crate::support::story::{Story, form, members};
use crate::support::{Reply, TestApp};

const ROUNDS: usize = 20;

async fn app() -> TestApp {
    TestApp::start_with(|config| config.database.threads.write = 4).await
}

/// Both at once, each with whatever version there is.
async fn both(
    case: &Story<'_>,
    one: (&Person, &str, &str, Value),
    other: (&Person, &str, &str, Value),
) -> (Reply, Reply) {
    let send = |(who, base, action, body): (&Person, &str, &str, Value)| {
        let request = case.as_(who).post(&format!("{base}/actions/{action}"));
        spawn(request.header("If-Match", "*").json(body).send())
    };
    let (one, other) = (send(one), send(other));
    (
        one.await.expect("an answer"),
        other.await.expect("an answer"),
    )
}

fn closing() -> Value {
    json!({ "publish_text": "full", "publish_replies": "full" })
}

async fn count(case: &Story<'_>, name: &str) -> usize {
    let names = case.events_seen_by(&case.town.auditor).await;
    names.iter().filter(|one| *one == name).count()
}

#[actix_web::test]
async fn closing_and_a_late_form() {
    let app = app().await;
    let town = app.town().await;
    let people = &town.members;
    let mut cases = Vec::new();
    for _ in 0..ROUNDS {
        let body = json!({ "kind": "joint", "form": form() });
        let mut case = Story::draft_of(&app, &town, &people[0], body).await;
        let invitation = json!({ "member_ids": members(&people[1..2]) });
        case.does(&people[0], "invite-cosigners", invitation).await;
        case.does(&people[1], "consent-cosign", json!({})).await;
        case.sole_answered().await;
        case.rate(&people[0], 0).await;
        cases.push(case);
    }
    cases[0].days_pass(22);
    for (n, case) in cases.iter().enumerate() {
        let path = case.path();
        let late = if n % 2 == 0 {
            case.grades(0)
        } else {
            case.complaint(0)
        };
        let (closed, given) = both(
            case,
            (&town.staff, &path, "close", closing()),
            (&people[1], &path, "give-feedback", late),
        )
        .await;
        let forms = case.seen_by(&town.staff).await;
        let forms = forms.json["feedback"].as_array().expect("forms").len();
        match (closed.status, given.status) {
            // The form came first, and did not or did stand in the way.
            (200, 200) => assert_eq!((forms, n % 2), (2, 0)),
            (409, 200) => {
                assert_eq!(
                    closed.json["unmet"][0]["guard"], "no_rehandling_due",
                    "{closed}"
                );
                assert_eq!(forms, 2);
            }
            (200, 409) => {
                assert_eq!(given.json["current_status"], "closed", "{given}");
                assert_eq!(forms, 1);
            }
            other => panic!("{other:?}: {closed} {given}"),
        }
        assert_eq!(count(case, "feedback.concluded").await, 1);
    }
}

#[actix_web::test]
async fn delivering_and_voiding_the_row() {
    let app = app().await;
    let town = app.town().await;
    for _ in 0..ROUNDS {
        let mut case = Story::draft(&app, &town, &town.members[0]).await;
        case.until_filed().await;
        case.assign("separate", &[0, 1, 2]).await;
        case.accept(0).await;
        case.contact(0).await;
        case.draft_reply(0).await;
        case.sign(0).await;
        case.approve(0).await;
        let (row, reply) = (case.row(0), case.reply(0));
        let (delivered, voided) = both(
            &case,
            (&town.unit_clerks[0], &reply, "deliver", json!({})),
            (
                &town.officer,
                &row,
                "void",
                json!({ "reason": "职责已划转。" }),
            ),
        )
        .await;
        let seen = case
            .as_(&town.unit_clerks[0])
            .get(&row)
            .send()
            .await
            .status(200);
        let text = case
            .as_(&town.unit_clerks[0])
            .get(&reply)
            .send()
            .await
            .status(200);
        let (row, reply) = (seen.text("/status"), text.text("/status"));
        match (delivered.status, voided.status) {
            (200, 409) => assert_eq!((row.as_str(), reply.as_str()), ("replied", "delivered")),
            (409, 200) => assert_eq!((row.as_str(), reply.as_str()), ("void", "superseded")),
            other => panic!("{other:?}: {delivered} {voided}"),
        }
    }
}

#[actix_web::test]
async fn the_last_two_forms_conclude_once() {
    let app = app().await;
    let town = app.town().await;
    let people = &town.members;
    for _ in 0..ROUNDS {
        let body = json!({ "kind": "joint", "form": form() });
        let mut case = Story::draft_of(&app, &town, &people[0], body).await;
        let invitation = json!({ "member_ids": members(&people[1..2]) });
        case.does(&people[0], "invite-cosigners", invitation).await;
        case.does(&people[1], "consent-cosign", json!({})).await;
        case.sole_answered().await;
        let path = case.path();
        let (one, other) = both(
            &case,
            (&people[0], &path, "give-feedback", case.grades(0)),
            (&people[1], &path, "give-feedback", case.grades(0)),
        )
        .await;
        assert_eq!((one.status, other.status), (200, 200), "{one} {other}");
        let seen = case.seen_by(&town.staff).await;
        assert_eq!(seen.json["status"], "feedback");
        assert_eq!(seen.json["feedback"].as_array().expect("forms").len(), 2);
        assert_eq!(count(&case, "feedback.given").await, 2);
        assert_eq!(count(&case, "feedback.concluded").await, 1);
    }
}

#[actix_web::test]
async fn signing_and_objecting() {
    let app = app().await;
    let town = app.town().await;
    for _ in 0..ROUNDS {
        let mut case = Story::draft(&app, &town, &town.members[0]).await;
        case.joint_drafted(&[1]).await;
        case.request_countersign(0).await;
        // With a coordination decision the lead need not wait.
        let decision = json!({ "decision": "按第三稿执行。", "decided_by": "市政府办公室" });
        case.on_reply(&town.officer, 0, "coordinate", decision)
            .await;
        let reply = case.reply(0);
        let objection = json!({ "signatory": "郑海峰", "reason": "与现行规划不符。" });
        let (signed, objected) = both(
            &case,
            (
                &town.signatories[0],
                &reply,
                "sign",
                json!({ "signatory": "林涛" }),
            ),
            (&town.signatories[1], &reply, "object", objection),
        )
        .await;
        // The decision holds for this text, with or without the objection.
        assert_eq!(signed.status, 200, "{signed}");
        assert!([200, 409].contains(&objected.status), "{objected}");
        let seen = case
            .as_(&town.unit_clerks[0])
            .get(&reply)
            .send()
            .await
            .status(200);
        assert_eq!(seen.json["status"], "under_review");
        let answer = if objected.status == 200 {
            "object"
        } else {
            "recalled"
        };
        assert_eq!(seen.json["countersigns"][0]["status"], answer);
        assert_eq!(count(&case, "reply.signed").await, 1);
    }
}

#[actix_web::test]
async fn another_round_and_closing() {
    let app = app().await;
    let town = app.town().await;
    let member = &town.members[0];
    for _ in 0..ROUNDS {
        let mut case = Story::draft(&app, &town, member).await;
        case.sole_answered().await;
        case.rate(member, 0).await;
        let path = case.path();
        let cause = json!({ "cause": "quality", "reason": "承诺未落实。" });
        let (again, closed) = both(
            &case,
            (&town.officer, &path, "rehandle", cause),
            (&town.staff, &path, "close", closing()),
        )
        .await;
        let seen = case.seen_by(&town.staff).await;
        let now = (seen.text("/status"), seen.json["round"].as_i64());
        match (again.status, closed.status) {
            (200, 409) => assert_eq!(now, ("assigned".to_owned(), Some(2))),
            (409, 200) => assert_eq!(now, ("closed".to_owned(), Some(1))),
            other => panic!("{other:?}: {again} {closed}"),
        }
    }
}
