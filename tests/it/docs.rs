//! Files of the repository that the program makes: they must be what it would make now.
//! `UPDATE=1 cargo test --test it docs` writes them.

use jianjian::api::document::Document;
use jianjian::api::service::errors_markdown;
use jianjian::api::workflow::markdown::workflow_markdown;
use jianjian::{api, config};

use crate::support::{files, rows};

#[test]
fn the_openapi_document_is_up_to_date() {
    let document = Document::of(&api::routes()).expect("the document");
    files::assert_current("openapi/openapi.json", document.text());
}

#[test]
fn the_reference_of_errors_is_up_to_date() {
    files::assert_current("docs/errors.md", errors_markdown().as_bytes());
}

#[test]
fn the_reference_of_settings_is_up_to_date() {
    files::assert_current("docs/configuration.md", config::markdown().as_bytes());
}

#[test]
fn the_reference_of_the_policy_profile_is_up_to_date() {
    let page = api::policy_docs::markdown().expect("the page");
    files::assert_current("docs/policy-profile.md", page.as_bytes());
}

#[test]
fn the_reference_of_the_workflow_is_up_to_date() {
    files::assert_current("docs/workflow.md", workflow_markdown().as_bytes());
}

#[test]
fn the_list_of_rows_and_their_tests_is_up_to_date() {
    files::assert_current("docs/rows.md", rows::rows_markdown().as_bytes());
}

#[test]
fn every_row_has_a_test() {
    let missing = rows::rows_without_test();
    assert!(
        missing.is_empty(),
        "no test takes {missing:?}: add a call of witness to one (CONTRIBUTING.md, Adding an action)"
    );
}
