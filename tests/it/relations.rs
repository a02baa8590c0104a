//! Who may do what on a case that stands to people otherwise than that of `permissions`: one of a
//! collective proposer, restricted to those who work on it. Every operation on a case, its rows,
//! replies and files × everybody, with a body that no operation accepts.

use std::collections::BTreeMap;

use serde_json::json;

use crate::permissions::{Kept, columns, fill, lead_to, line, status, step_of};
use crate::support::document::{self, Operation};
use crate::support::seed::Town;
use crate::support::sides;
use crate::support::story::{Story, form};
use crate::support::{Client, TestApp};

/// A restricted case of the party of the town, in a state from which an operation starts.
async fn case_at<'a>(app: &'a TestApp, town: &'a Town, step: &str) -> Story<'a> {
    let mut text = form();
    text["contact_person"] = json!("周明远");
    text["contact_phone"] = json!("0599-5550123");
    text["seal_evidence"] = json!("盖章原件 2026-集-017");
    let body = json!({ "kind": "party", "form": text });
    let case = Story::draft_of(app, town, &town.clerk, body).await;
    let case = lead_to(case, None, step).await;
    if step != "draft" {
        let secrecy = json!({ "secrecy": "restricted", "reason": "内容涉及未公开事项。" });
        case.does(&town.staff, "set-secrecy", secrecy).await;
    }
    case
}

/// The operations on a case and on what belongs to it.
async fn operations(app: &TestApp) -> Vec<Operation> {
    let mut all = document::operations(&app.openapi().await);
    all.retain(|one| {
        let parts = ["prop", "asgn", "repl", "atta"];
        let of_case = |kind: &str| parts.contains(&kind);
        one.in_path
            .iter()
            .any(|one| one.kind.as_deref().is_some_and(of_case))
    });
    assert!(all.len() > 80, "{}", all.len());
    all
}

#[actix_web::test]
async fn a_restricted_collective_case_is_open_to_those_who_work_on_it_and_to_nobody_else() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (_, stranger) = sides::organisation(&app, &town, "九三学社云川市委会", "party").await;
    let mut people: Vec<(&str, Client)> = columns(&town)
        .into_iter()
        .map(|(name, person)| (name, app.signed_in(&town, &person)))
        .collect();
    people.push(("other_organisation_clerk", stranger));
    let mut cases: BTreeMap<&str, Story<'_>> = BTreeMap::new();
    let mut matrix = Vec::new();
    let mut kept = Kept::of(&app);
    for operation in operations(&app).await {
        let step = step_of(&operation.id);
        if !cases.contains_key(step) {
            cases.insert(step, case_at(&app, &town, step).await);
            kept = Kept::of(&app);
        }
        let path = fill(&operation.path, &operation.id, &town, &cases[step], &[]);
        let mut cells = Vec::new();
        for (name, client) in &people {
            let got = status(client, operation.method.as_str(), &path).await;
            assert!(got < 500, "{} for {name}: {got}", operation.id);
            // Before it is on file, and afterwards as it is restricted.
            let is_stranger = matches!(
                *name,
                "member"
                    | "other_member"
                    | "other_organisation_clerk"
                    | "other_unit_clerk"
                    | "other_unit_signatory"
                    | "administrator"
                    | "security_administrator"
            );
            assert!(
                !is_stranger || got == 404,
                "{} for {name}: {got}",
                operation.id
            );
            cells.push(((*name).to_owned(), got));
        }
        kept = kept.unchanged(&app, &operation.id);
        let head = format!("{} {} ({})", operation.method, operation.path, operation.id);
        matrix.push(format!("{head}\n{}", line(&cells)));
    }
    insta::assert_snapshot!("relations", matrix.join("\n"));
}
