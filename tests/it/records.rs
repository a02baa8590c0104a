//! What was written with each step, and who may read it.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::seed::Person;
use crate::support::story::Story;

async fn records(case: &Story<'_>, who: &Person) -> Value {
    let path = format!("{}/records", case.path());
    case.as_(who).get(&path).send().await.status(200).json
}

fn count(records: &Value, kind: &str) -> usize {
    records[kind].as_array().map_or(0, Vec::len)
}

#[actix_web::test]
async fn the_proposer_reads_why_a_proposal_came_back_and_others_do_not() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let case = Story::draft(&app, &town, &town.members[0]).await;
    case.submit().await;
    let reason = json!({ "reason": "请补充具体措施。" });
    case.does(&town.staff, "return-for-revision", reason).await;
    let seen = records(&case, &town.members[0]).await;
    assert_eq!(seen["decisions"][0]["kind"], "return_for_revision");
    assert_eq!(
        seen["decisions"][0]["content"]["reason"],
        "请补充具体措施。"
    );
    assert_eq!(count(&seen, "opinions"), 0);
    case.edit(json!({ "suggestions": ["开通两条线路，年内完成。"] }))
        .await;
    case.until_filed().await;
    let other = records(&case, &town.members[1]).await;
    let kinds: Vec<_> = other["decisions"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    assert!(
        kinds
            .iter()
            .all(|decision| decision["kind"] != "return_for_revision"),
        "{other}"
    );
}

#[actix_web::test]
async fn a_lead_reads_the_opinions_of_its_co_handlers_and_proposers_read_contacts() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = &town.members[0];
    let mut case = Story::draft(&app, &town, member).await;
    case.until_filed().await;
    case.assign("joint", &[0, 1]).await;
    for unit in [0, 1] {
        case.accept(unit).await;
    }
    case.give_opinion(1).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    case.request_countersign(0).await;
    case.countersign(0, 1).await;
    case.sign(0).await;
    case.approve(0).await;
    case.deliver(0).await;
    let lead = records(&case, &town.unit_clerks[0]).await;
    assert_eq!(count(&lead, "co_opinions"), 1, "{lead}");
    assert!(lead["co_opinions"][0]["content"]["text"].is_string());
    assert_eq!(count(&lead, "opinions"), 0);
    let proposer = records(&case, member).await;
    assert_eq!(count(&proposer, "contacts"), 1, "{proposer}");
    assert_eq!(count(&proposer, "co_opinions"), 0);
    let stranger = records(&case, &town.members[1]).await;
    assert_eq!(count(&stranger, "contacts"), 0);
    let chair = records(&case, &town.chair).await;
    assert_eq!(count(&chair, "opinions"), 2);
    assert!(chair["opinions"][0]["opinion"].is_string());
    // I21: a form is for its rater and the committee until everybody has answered.
    case.rate(member, 0).await;
    assert_eq!(count(&records(&case, member).await, "feedback"), 1);
    assert_eq!(
        count(&records(&case, &town.unit_clerks[0]).await, "feedback"),
        1
    );
}
