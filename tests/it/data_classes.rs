//! Every column of the database has a class (`docs/data-classes.md`), and without an account only
//! what is public is to be had.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::story::Story;
use crate::support::{TestApp, files, wants_token};

const CLASSES: [&str; 4] = ["public", "internal", "personal", "sensitive"];

/// Each column with its classes, as the page says.
fn classified() -> BTreeMap<String, Vec<&'static str>> {
    let page = files::read("docs/data-classes.md");
    let mut found: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 1 + CLASSES.len(), "{line}");
        let table = cells[0].trim_matches('`');
        for (class, cell) in CLASSES.into_iter().zip(&cells[1..]) {
            for column in cell.split('`').skip(1).step_by(2) {
                found
                    .entry(format!("{table}.{column}"))
                    .or_default()
                    .push(class);
            }
        }
    }
    found
}

/// Every column of the schema.
fn columns() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut table = String::new();
    for line in files::read("src/store/schema.rs").lines() {
        if let Some((name, _)) = line
            .trim()
            .split_once(" (")
            .filter(|_| line.ends_with(") {"))
        {
            name.clone_into(&mut table);
        } else if let Some((column, _)) = line.trim().split_once(" -> ") {
            found.insert(format!("{table}.{column}"));
        }
    }
    assert!(found.len() > 500, "{}", found.len());
    found
}

#[test]
fn every_column_has_one_class() {
    let (classified, columns) = (classified(), columns());
    let without: Vec<_> = columns
        .iter()
        .filter(|name| !classified.contains_key(*name))
        .collect();
    assert!(
        without.is_empty(),
        "no class in docs/data-classes.md: {without:?}"
    );
    let gone: Vec<_> = classified
        .keys()
        .filter(|name| !columns.contains(*name))
        .collect();
    assert!(gone.is_empty(), "not in the schema: {gone:?}");
    let twice: Vec<_> = classified
        .iter()
        .filter(|(_, classes)| classes.len() != 1)
        .collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn secrets_are_sensitive() {
    let classified = classified();
    let secret = |name: &String| {
        ["secret", "password_hash", "token_hash", "private_key"]
            .iter()
            .any(|word| name.contains(word))
    };
    // When a secret runs out, or must be changed, is none.
    let about = |name: &String| name.ends_with("_until") || name.contains("must_change");
    let found: Vec<_> = classified
        .keys()
        .filter(|name| secret(name) && !about(name))
        .collect();
    assert!(found.len() >= 6, "{found:?}");
    for name in found {
        assert_eq!(classified[name], ["sensitive"], "{name}");
    }
}

/// The operations of the document that need no account.
fn open_operations(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let open = item["get"].is_object() && !wants_token(&item["get"]);
        if open && !path.contains('{') {
            found.push(path.clone());
        }
    }
    found
}

#[actix_web::test]
async fn without_an_account_nothing_of_a_committee_is_to_be_had() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    let words = app.database().names(
        "SELECT name FROM members UNION SELECT name FROM units \
         UNION SELECT display_name FROM users UNION SELECT username FROM users \
         UNION SELECT title FROM proposals UNION SELECT code FROM committees",
    );
    assert!(words.len() > 15, "{words:?}");
    let anonymous = app.anonymous();
    let document = anonymous.get("/openapi.json").send().await.status(200);
    let open = open_operations(&document.json);
    assert!(open.len() >= 6, "{open:?}");
    for path in open {
        // The buttons that a page for signing in shows.
        let query = if path.ends_with("/openid/providers") {
            format!("?committee={}", town.code)
        } else {
            String::new()
        };
        let reply = anonymous
            .get(&format!("{path}{query}"))
            .send()
            .await
            .status(200);
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        // Names of accounts are those of roles here, and code lists have those; so only others count.
        // Names of the examples are invented for the document; those of this town are not in it.
        for word in words.iter().filter(|word| !word.is_ascii()) {
            let general = ["/openapi.json", "/api/v1/code-lists"].contains(&path.as_str());
            let shown = !general && text.contains(word.as_str());
            assert!(!shown, "{path} tells {word}");
        }
    }
    let keys = anonymous
        .get("/.well-known/jwks.json")
        .send()
        .await
        .status(200);
    let members: BTreeSet<_> = keys.json["keys"][0]
        .as_object()
        .expect("a key")
        .keys()
        .collect();
    assert!(
        !members.iter().any(|name| *name == "d"),
        "the private half: {members:?}"
    );
}
