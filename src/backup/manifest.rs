//! What a backup says of itself.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::store::checks;
use crate::store::snapshot::Snapshot;

/// Name of the manifest in the directory of a backup.
pub const MANIFEST: &str = "manifest.json";
/// Directory of the files in the directory of a backup.
pub const FILES: &str = "files";
/// What the manifests of this version begin with.
const FORMAT: &str = "jianjian-backup-1";
/// No manifest is larger, in bytes.
const MOST: u64 = 1 << 30;

/// Which database the copy is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A file of SQLite.
    Sqlite,
    /// A dump in the custom format of `pg_dump`.
    Postgresql,
}

impl Kind {
    /// Name of the copy in the directory of the backup.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Sqlite => "database.sqlite3",
            Self::Postgresql => "database.dump",
        }
    }
}

/// A file of the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Where it is, from the directory of the backup; with `/`.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its checksum, in hexadecimal.
    pub sha256: String,
}

/// What the database held, to compare a restored one with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Rows of each table.
    pub rows: BTreeMap<String, i64>,
    /// A digest over where every audit chain ends.
    pub chain_ends: String,
}

impl Figures {
    /// Of a database of this version.
    pub fn of(snapshot: &mut Snapshot) -> Result<Self> {
        let mut rows = BTreeMap::new();
        for table in snapshot.tables()? {
            let count = snapshot.count(&table)?;
            rows.insert(table, count);
        }
        let chain_ends = snapshot.read(checks::ends)?;
        Ok(Self { rows, chain_ends })
    }

    /// In which they differ from what was found, if they do.
    pub fn differ_from(&self, found: &Self) -> Option<String> {
        for (table, count) in &self.rows {
            let there = found.rows.get(table).copied().unwrap_or_default();
            if there != *count {
                return Some(format!("{table} had {count} rows and has {there}"));
            }
        }
        let more = found
            .rows
            .keys()
            .find(|table| !self.rows.contains_key(*table));
        if let Some(table) = more {
            return Some(format!("the table {table} was not there"));
        }
        (self.chain_ends != found.chain_ends).then(|| "the audit chains end elsewhere".to_owned())
    }
}

/// What a backup says of itself; the last file that is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this form.
    pub format: String,
    /// Version of the program that made it.
    pub program: String,
    /// When it was begun; everything acknowledged before is in it.
    pub begun_at: Timestamp,
    /// Which database.
    pub database: Kind,
    /// Versions of the migrations that the database had.
    pub migrations: Vec<String>,
    /// What the database held.
    pub figures: Figures,
    /// Where the files were kept.
    pub storage: String,
    /// Whether the files are in the backup; those in a bucket are not.
    pub with_files: bool,
    /// The copy of the database, and below `files/` what it names, laid out as in the storage. What
    /// is in a bucket is listed all the same.
    pub files: Vec<Listed>,
    /// Files that were taken away in the service while they were copied.
    pub removed_meanwhile: Vec<String>,
}

impl Manifest {
    /// The form of this version.
    pub fn format() -> String {
        FORMAT.to_owned()
    }

    /// The version of the program.
    pub fn program() -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    /// Reads the manifest of a backup.
    pub fn read(backup: &Path) -> Result<Self> {
        let file = backup.join(MANIFEST);
        let wrong = |why: &dyn std::fmt::Display| {
            let what = format!("{} is no backup: {MANIFEST}: {why}", backup.display());
            Error::internal(what)
        };
        let size = std::fs::metadata(&file)
            .map_err(|error| wrong(&error))?
            .len();
        if size > MOST {
            return Err(wrong(&"it is too large"));
        }
        let text = std::fs::read(&file).map_err(|error| wrong(&error))?;
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| wrong(&error))?;
        if manifest.format != FORMAT {
            let why = format!("it is of the form '{}', not '{FORMAT}'", manifest.format);
            return Err(wrong(&why));
        }
        let stays_inside = |path: &str| {
            !path.contains('\\')
                && path
                    .split('/')
                    .all(|part| !part.is_empty() && part != "." && part != "..")
        };
        match manifest.files.iter().find(|file| !stays_inside(&file.path)) {
            Some(file) => Err(wrong(&format!("'{}' leads outside", file.path))),
            None => Ok(manifest),
        }
    }

    /// As it is written.
    pub fn text(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self).map_err(Error::internal)?;
        text.push(b'\n');
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            format: Manifest::format(),
            program: Manifest::program(),
            begun_at: Timestamp::UNIX_EPOCH,
            database: Kind::Sqlite,
            migrations: vec!["20261123000000".to_owned()],
            figures: Figures {
                rows: BTreeMap::from([("units".to_owned(), 3)]),
                chain_ends: "ab".to_owned(),
            },
            storage: "files".to_owned(),
            with_files: true,
            files: Vec::new(),
            removed_meanwhile: Vec::new(),
        }
    }

    fn read_back(manifest: &Manifest) -> Result<Manifest> {
        let directory = tempfile::tempdir().expect("a directory");
        let text = manifest.text().expect("a text");
        std::fs::write(directory.path().join(MANIFEST), text).expect("to write");
        Manifest::read(directory.path())
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        assert_eq!(read_back(&manifest()).expect("a manifest"), manifest());
    }

    #[test]
    fn other_forms_and_paths_that_lead_outside_are_refused() {
        let mut other = manifest();
        other.format = "jianjian-backup-9".to_owned();
        assert!(read_back(&other).is_err());
        for path in ["../x", "/etc/passwd", "a/../../b", "a//b", ".", "a\\b", ""] {
            let mut outside = manifest();
            outside.files.push(Listed {
                path: path.to_owned(),
                size: 0,
                sha256: String::new(),
            });
            assert!(read_back(&outside).is_err(), "{path}");
        }
    }

    #[test]
    fn every_difference_of_the_figures_shows() {
        let then = manifest().figures;
        assert_eq!(then.differ_from(&then), None);
        let mut fewer = then.clone();
        fewer.rows.insert("units".to_owned(), 2);
        let mut more = then.clone();
        more.rows.insert("others".to_owned(), 0);
        let mut ends = then.clone();
        ends.chain_ends = "cd".to_owned();
        for found in [fewer, more, ends] {
            assert!(then.differ_from(&found).is_some(), "{found:?}");
        }
    }
}
