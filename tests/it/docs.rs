//! Files of the repository that the program makes: they must be what it would make now.
//! `UPDATE=1 cargo test --test it docs` writes them.

use jianjian::api::document::Document;
use jianjian::api::service::errors_markdown;
use jianjian::{api, config};

use crate::support::files;

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
