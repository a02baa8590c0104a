//! Files of the repository.

use std::path::{Path, PathBuf};

/// A path in the repository.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The text of a file.
pub fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every Rust file below a folder: name from the root of the repository, and text.
pub fn rust_files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![path(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let file = entry.expect("an entry").path();
            if file.is_dir() {
                folders.push(file);
            } else if file.extension().is_some_and(|extension| extension == "rs") {
                let name = file.strip_prefix(path("")).expect("below the root");
                let name = name.to_str().expect("a name in UTF-8").to_owned();
                found.push((name, std::fs::read_to_string(&file).expect("a text")));
            }
        }
    }
    found.sort();
    found
}

/// Asserts that a generated file is what would be generated now; with UPDATE=1, writes it.
#[track_caller]
pub fn assert_current(name: &str, wanted: &[u8]) {
    let file = path(name);
    #[expect(
        clippy::disallowed_methods,
        reason = "asked for by whoever runs the tests"
    )]
    let update = std::env::var("UPDATE").is_ok();
    if update {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("to make the folder");
        std::fs::write(&file, wanted).expect("to write the file");
    }
    let present = std::fs::read(&file).unwrap_or_default();
    assert!(
        present == wanted,
        "{name} is not up to date; run the tests with UPDATE=1"
    );
}
