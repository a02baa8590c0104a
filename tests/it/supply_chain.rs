//! What the program is built from: `deny.toml` asked of the crates themselves, so that every run of
//! the tests asks it. `scripts/supply-chain` asks cargo-deny, which also knows advisories.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::support::files;

/// The strings of a list of `deny.toml`, such as `allow`.
fn listed(deny: &str, section: &str, key: &str) -> Vec<String> {
    let start = deny.find(&format!("[{section}]")).expect(section);
    let rest = &deny[start..];
    let list = rest.find(&format!("\n{key} = [")).expect(key);
    let list = &rest[list..];
    let list = &list[..list.find("\n]").expect("the end of the list")];
    list.lines()
        .filter_map(|line| line.split('"').nth(1))
        .map(str::to_owned)
        .collect()
}

/// What cargo says about the crates, for the one system that everybody who tests can ask about.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--offline"])
        .current_dir(files::path(""))
        .output()
        .expect("cargo");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The crates that are compiled into the program or run to build it, by name and version. Only
/// `cargo tree` knows which they are: `cargo metadata` also lists what other features would need.
fn crates() -> BTreeMap<String, Value> {
    let target = "x86_64-unknown-linux-gnu";
    let edges = [
        "tree",
        "--edges=normal,build",
        "--prefix=none",
        "--format={p}",
    ];
    let tree = cargo(&[&edges[..], &["--target", target]].concat());
    let named: BTreeSet<(&str, &str)> = tree
        .lines()
        .filter_map(|line| line.split_once(" v"))
        .map(|(name, rest)| (name, rest.split(' ').next().unwrap_or_default()))
        .filter(|(name, _)| *name != "jianjian")
        .collect();
    let platform = format!("--filter-platform={target}");
    let metadata = cargo(&["metadata", "--format-version=1", &platform]);
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let mut found = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let text = |key: &str| package[key].as_str().expect(key).to_owned();
        let (name, version) = (text("name"), text("version"));
        if named.contains(&(name.as_str(), version.as_str())) {
            found.insert(format!("{name} {version}"), package.clone());
        }
    }
    assert_eq!(found.len(), named.len(), "a crate without metadata");
    found
}

/// Whether a licence expression (SPDX) can be met with the licences that are allowed.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = any_of(&words, &mut at, allowed);
    assert_eq!(at, words.len(), "not understood: {expression}");
    met
}

fn any_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut met = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all_of(words, at, allowed);
    }
    met
}

fn all_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut met = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at, allowed);
    }
    met
}

fn one(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let word = words[*at];
    *at += 1;
    if word == "(" {
        let met = any_of(words, at, allowed);
        assert_eq!(words.get(*at), Some(&")"), "{words:?}");
        *at += 1;
        return met;
    }
    let mut licence = word.to_owned();
    if words.get(*at) == Some(&"WITH") {
        licence = format!("{word} WITH {}", words[*at + 1]);
        *at += 2;
    }
    allowed.contains(&licence)
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = ["MIT", "ISC", "Apache-2.0"].map(str::to_owned);
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0-or-later", false),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0-only OR MIT", true),
        ("MIT AND GPL-3.0-only", false),
        ("ISC AND (GPL-2.0-only OR Apache-2.0)", true),
        ("ISC AND (GPL-2.0-only OR LGPL-2.1-only)", false),
        ("GPL-2.0-only WITH Classpath-exception-2.0", false),
    ] {
        assert_eq!(is_met(expression, &allowed), met, "{expression}");
    }
}

#[test]
fn every_crate_of_the_program_has_a_licence_that_is_allowed() {
    let allowed = listed(&files::read("deny.toml"), "licenses", "allow");
    assert!(allowed.len() > 5, "{allowed:?}");
    let copyleft = |licence: &String| licence.contains("GPL") || licence.contains("MPL");
    assert!(!allowed.iter().any(copyleft), "{allowed:?}");
    let crates = crates();
    assert!(crates.len() > 200, "{} crates", crates.len());
    for (name, package) in crates {
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_met(licence, &allowed), "{name} is under '{licence}'");
    }
}

#[test]
fn no_crate_of_the_program_is_banned() {
    let deny = files::read("deny.toml");
    let banned = listed(&deny, "bans", "deny");
    for expected in ["rsa", "ring", "native-tls", "openssl", "actix-governor"] {
        assert!(banned.iter().any(|name| name == expected), "{expected}");
    }
    for (name, package) in crates() {
        let bare = package["name"].as_str().expect("a name");
        assert!(
            !banned.iter().any(|banned| banned == bare),
            "{name} is banned"
        );
    }
}

#[test]
fn every_crate_comes_from_the_registry_with_its_checksum() {
    for lock in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let text = files::read(lock);
        let mut own = Vec::new();
        for package in text.split("[[package]]").skip(1) {
            let field = |name: &str| {
                let line = package.lines().find_map(|line| line.strip_prefix(name));
                line.map(|value| value.trim_matches(['=', ' ', '"']).to_owned())
            };
            let name = field("name ").expect("a name");
            match field("source ") {
                None => own.push(name),
                Some(source) => {
                    let registry = "registry+https://github.com/rust-lang/crates.io-index";
                    assert_eq!(source, registry, "{name} in {lock}");
                    let checksum = field("checksum ").unwrap_or_default();
                    assert_eq!(checksum.len(), 64, "{name} in {lock}");
                }
            }
        }
        assert!(
            own.iter().all(|name| name.starts_with("jianjian")),
            "{own:?}"
        );
    }
}

#[test]
fn the_bill_of_materials_names_every_crate_of_the_program() {
    let output = Command::new(files::path("scripts/sbom"))
        .output()
        .expect("scripts/sbom");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let bill: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&bill["bomFormat"], &bill["specVersion"]),
        (&"CycloneDX".into(), &"1.5".into())
    );
    assert_eq!(bill["metadata"]["component"]["name"], "jianjian");
    let components = bill["components"].as_array().expect("components");
    let named: BTreeSet<_> = components
        .iter()
        .map(|component| {
            let name = component["name"].as_str().expect("a name");
            let purl = component["purl"].as_str().expect("a package URL");
            assert!(purl.starts_with(&format!("pkg:cargo/{name}@")), "{purl}");
            assert_eq!(
                component["hashes"][0]["content"].as_str().map(str::len),
                Some(64)
            );
            assert!(component["licenses"][0]["expression"].is_string(), "{name}");
            format!(
                "{name} {}",
                component["version"].as_str().expect("a version")
            )
        })
        .collect();
    let wanted: BTreeSet<_> = crates().into_keys().collect();
    assert_eq!(named, wanted);
}
