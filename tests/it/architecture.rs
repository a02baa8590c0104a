//! Rules about the code itself, and about all operations alike.

use std::collections::{BTreeMap, BTreeSet};

use awc::http::Method;
use jianjian::api::routes::Access;
use jianjian::store::migrate;

use crate::support::{TestApp, files};

/// Lines of code, without comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line.split("//").next().unwrap_or_default()))
}

fn assert_absent(allowed: impl Fn(&str) -> bool, words: &[&str]) {
    for (name, text) in files::rust_files("src") {
        for (number, line) in code(&text).filter(|_| !allowed(&name)) {
            for word in words {
                assert!(
                    !line.contains(word),
                    "{name}:{number} must not use {word}: {line}"
                );
            }
        }
    }
}

#[test]
fn only_the_store_knows_the_database() {
    assert_absent(
        |name| name.starts_with("src/store/"),
        &["diesel::", "diesel_migrations"],
    );
}

#[test]
fn only_the_interface_and_the_start_know_http() {
    let allowed = |name: &str| {
        name.starts_with("src/api/") || ["src/api.rs", "src/startup.rs"].contains(&name)
    };
    assert_absent(allowed, &["actix_web"]);
}

#[test]
fn the_workflow_is_pure() {
    let words = [
        "async fn",
        "tokio",
        "std::fs",
        "std::env",
        "std::net",
        "std::time",
        "crate::store",
        "crate::api",
        "crate::app",
        "crate::auth::p",
        "crate::auth::t",
        "crate::auth::r",
        "crate::config",
    ];
    // Its tests may read how long a run is wanted.
    let core =
        |name: &str| name.starts_with("src/workflow") && !name.starts_with("src/workflow/tests/");
    assert_absent(|name| !core(name), &words);
}

#[test]
fn no_file_is_too_long_to_read() {
    for (name, text) in files::rust_files("src")
        .into_iter()
        .chain(files::rust_files("tests"))
    {
        let lines = text.lines().count();
        assert!(
            lines <= 800 || name == "src/store/schema.rs",
            "{name} has {lines} lines"
        );
    }
}

#[test]
fn both_databases_have_the_same_migrations() {
    let [sqlite, postgres] = migrate::embedded().expect("the migrations");
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, postgres);
}

#[test]
fn operations_have_unique_names_and_a_tag() {
    let routes = jianjian::api::routes();
    let mut seen = BTreeSet::new();
    for meta in routes.operations() {
        assert!(
            seen.insert(meta.operation.to_string()),
            "{} is there twice",
            meta.operation
        );
    }
    let document = serde_json::to_value(routes.openapi()).expect("the document");
    let tags: BTreeSet<_> = document["tags"]
        .as_array()
        .expect("tags")
        .iter()
        .map(|tag| tag["name"].clone().to_string())
        .collect();
    let mut count = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            count += 1;
            let own = operation["tags"]
                .as_array()
                .unwrap_or_else(|| panic!("{method} {path} has no tag"));
            assert_eq!(own.len(), 1, "{method} {path}");
            assert!(tags.contains(&own[0].to_string()), "{method} {path}");
            assert!(
                operation["summary"].is_string(),
                "{method} {path} has no summary"
            );
        }
    }
    assert_eq!(count, seen.len(), "routes and documented operations differ");
}

/// A path of the document with something in place of its parameters.
fn example(path: &str) -> String {
    path.split('/')
        .map(|part| match part {
            "{code}" => "state-conflict",
            part if part.starts_with('{') => "x",
            part => part,
        })
        .collect::<Vec<_>>()
        .join("/")
}

#[actix_web::test]
async fn without_a_token_everything_but_the_public_is_refused_before_it_is_looked_at() {
    let app = TestApp::start().await;
    for meta in jianjian::api::routes().operations() {
        let what = format!("{} {}", meta.method, meta.path);
        for token in [None, Some("x"), Some("a.b.c")] {
            let client = token.map_or_else(|| app.anonymous(), |token| app.client(token));
            let method = meta.method.as_str().parse::<Method>().expect("a method");
            let mut request = client.request(method, &example(&meta.path));
            if meta.method != "GET" {
                request = request.raw("text/plain", "{").header("If-Match", "broken");
            }
            let reply = request.send().await;
            if meta.access == Access::Public {
                assert!(![404, 405].contains(&reply.status), "{what}: {reply}");
            } else {
                let reply = reply.status(401).code("unauthenticated");
                assert_eq!(reply.text_header("www-authenticate"), "Bearer", "{what}");
                assert_eq!(reply.text_header("cache-control"), "no-store", "{what}");
            }
        }
    }
}

#[actix_web::test]
async fn a_wrong_method_is_answered_with_the_right_ones() {
    let app = TestApp::start().await;
    let mut paths: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for meta in jianjian::api::routes().operations() {
        paths
            .entry(meta.path.to_string())
            .or_default()
            .insert(meta.method.to_string());
    }
    for (path, methods) in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if methods.contains(method) {
                continue;
            }
            let request = app
                .anonymous()
                .request(method.parse().expect("a method"), &example(&path));
            let reply = request.send().await.status(405).code("method-not-allowed");
            let allow: BTreeSet<_> = reply
                .text_header("allow")
                .split(", ")
                .map(str::to_owned)
                .collect();
            assert_eq!(allow, methods, "{method} {path}");
        }
    }
}

#[test]
fn the_page_says_which_keys_of_the_policy_profile_have_no_effect_yet() {
    use jianjian::workflow::profile::keys::{KEYS, NOT_READ};
    let files = files::rust_files("src");
    let (_, profile) = files
        .iter()
        .find(|(name, _)| name == "src/workflow/profile.rs")
        .expect("the profile");
    let lines: Vec<_> = profile.lines().map(str::trim).collect();
    let field = |key: &str| {
        let rename = format!("rename = \"{key}\"");
        let at = lines.iter().position(|line| line.contains(&rename));
        let rest = &lines[at.unwrap_or_else(|| panic!("{key} has no field"))..];
        let line = rest.iter().find_map(|line| line.strip_prefix("pub "));
        let (name, _) = line.and_then(|line| line.split_once(':')).expect("a field");
        name.to_owned()
    };
    // Methods of the profile are read where they are called.
    let methods = [
        ("feedback_raters", "every_signer_rates("),
        ("outcome_scheme", "profile.letter("),
        ("line_routing", "line_of("),
    ];
    let core = "src/workflow/profile";
    for key in KEYS {
        let field = field(key.name);
        let words = [format!("profile.{field}"), format!("profile\n.{field}")];
        let method = methods.iter().find(|(name, _)| *name == field);
        let read = files
            .iter()
            .filter(|(name, _)| !name.starts_with(core))
            .any(|(_, text)| {
                let text: Vec<_> = text.lines().map(str::trim).collect();
                let text = text.join("\n");
                words.iter().any(|word| followed_by_no_letter(&text, word))
                    || method.is_some_and(|(_, call)| text.contains(call))
            });
        assert_eq!(
            NOT_READ.contains(&key.name),
            !read,
            "put {} into NOT_READ of src/workflow/profile/keys.rs, or take it out",
            key.name
        );
    }
}

/// Whether a word stands in a text and does not go on.
fn followed_by_no_letter(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let next = text[at + word.len()..].chars().next();
        next.is_none_or(|next| !next.is_ascii_alphanumeric() && next != '_')
    })
}
