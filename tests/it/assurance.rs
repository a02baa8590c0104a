//! The pages that say which test or script checks a promise name only what is there.

use std::collections::BTreeSet;

use crate::support::files;

/// What stands between backquotes in the rows of the tables.
fn named(page: &str) -> BTreeSet<String> {
    let text = files::read(page);
    let rows = text.lines().filter(|line| line.starts_with('|'));
    rows.flat_map(|line| line.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

/// The source of a file of tests, or of all files of a folder of tests.
fn source(file: &str) -> String {
    if files::path(&format!("tests/it/{file}.rs")).is_file() {
        return files::read(&format!("tests/it/{file}.rs"));
    }
    let sources = files::rust_files(&format!("tests/it/{file}"));
    sources.into_iter().map(|(_, text)| text).collect()
}

/// Whether what a page names exists; `None` where it names no test, script or file.
fn is_there(name: &str) -> Option<bool> {
    if let Some((file, test)) = name.split_once("::") {
        return Some(source(file).contains(&format!("fn {test}(")));
    }
    let is_path = name.starts_with("scripts/") || name.starts_with("src/");
    is_path.then(|| files::path(name).is_file())
}

#[test]
fn what_the_pages_name_is_there() {
    let mut count = 0;
    for page in [
        "docs/assurance.md",
        "docs/asvs.md",
        "docs/threat-model.md",
        "docs/data-classes.md",
    ] {
        for name in named(page) {
            if let Some(there) = is_there(&name) {
                assert!(there, "{page} names {name}");
                count += 1;
            }
        }
    }
    assert!(count > 120, "{count}");
}

#[test]
fn the_properties_that_the_pages_name_are_there() {
    let source = files::read("src/api/properties.rs");
    for page in ["docs/assurance.md", "docs/asvs.md", "docs/threat-model.md"] {
        let text = files::read(page);
        for rest in text.split("propert").skip(1) {
            let rest = rest.trim_start_matches("ies ").trim_start_matches("y ");
            if !rest.starts_with('`') {
                continue;
            }
            let names = rest.split(['|', ',', ';']).next().unwrap_or_default();
            for name in names.split('`').skip(1).step_by(2) {
                assert!(source.contains(&format!("(\"{name}\", ")), "{page}: {name}");
            }
        }
    }
}

#[test]
fn a_name_that_is_not_there_is_found_out() {
    assert_eq!(is_there("backup::no_such_test"), Some(false));
    assert_eq!(is_there("scripts/none"), Some(false));
    assert_eq!(is_there("faults::the_api_is_killed_under_load"), Some(true));
    assert_eq!(is_there("403"), None);
}
