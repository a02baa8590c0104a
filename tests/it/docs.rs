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

/// `docs/practice.md` names tests as `file::test`: each of them is there.
#[test]
fn the_tests_that_play_the_practice_are_there() {
    let page = files::read("docs/practice.md");
    let named: Vec<_> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|name| name.split_once("::"))
        .collect();
    assert!(named.len() > 25, "{named:?}");
    for (file, test) in named {
        let source = files::read(&format!("tests/it/{file}.rs"));
        assert!(source.contains(&format!("fn {test}(")), "{file}::{test}");
    }
}
