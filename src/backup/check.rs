//! Checking a backup, or the installation itself, without changing either.

use std::path::{Path, PathBuf};

use futures_util::StreamExt;

use super::disk;
use super::manifest::{FILES, Figures, Kind, Manifest};
use super::take::each_file;
use crate::error::{Error, Result};
use crate::files::{Files, Place, Storage};
use crate::store::DatabaseUrl;
use crate::store::checks::{self, Finding, Kept, Outcome};
use crate::store::snapshot::Snapshot;

/// Checks a backup: that every file is there as the manifest says, and that the database in it is
/// in order and names no other files. Blocks.
pub fn check_backup(backup: &Path) -> Result<Vec<Finding>> {
    let manifest = Manifest::read(backup)?;
    let mut findings = vec![listed_files(backup, &manifest)];
    match manifest.database {
        Kind::Postgresql => findings.push(Finding::skipped(
            "content of the dump",
            "it is checked when it is restored, against the figures of the manifest",
        )),
        // What is broken already must not be read as if it were a database.
        Kind::Sqlite if findings.iter().all(is_fine) => {
            let mut snapshot = Snapshot::of_copy(&backup.join(manifest.database.file()))?;
            findings.extend(checks::run(&mut snapshot)?);
            if findings.iter().all(is_fine) {
                findings.push(figures(&mut snapshot, &manifest)?);
                findings.push(named_files(&mut snapshot, &manifest)?);
            }
        }
        Kind::Sqlite => {}
    }
    Ok(findings)
}

fn is_fine(finding: &Finding) -> bool {
    finding.outcome != Outcome::Wrong
}

/// Whether every file of the manifest is there, and no other.
fn listed_files(backup: &Path, manifest: &Manifest) -> Finding {
    const CHECK: &str = "files of the backup";
    let copy = manifest.database.file();
    if !manifest.files.iter().any(|listed| listed.path == copy) {
        return Finding::wrong(CHECK, format!("the manifest lists no {copy}"));
    }
    let mut count = 0;
    for listed in &manifest.files {
        if !manifest.with_files && listed.path != copy {
            continue;
        }
        match disk::checksum(&backup.join(&listed.path)) {
            Ok((size, sha256)) if size == listed.size && sha256 == listed.sha256 => count += 1,
            Ok((size, _)) if size != listed.size => {
                let words = format!("{} has {size} bytes, not {}", listed.path, listed.size);
                return Finding::wrong(CHECK, words);
            }
            Ok(_) => return Finding::wrong(CHECK, format!("{} was changed", listed.path)),
            Err(error) => {
                let words = error.log_context().unwrap_or("cannot be read").to_owned();
                return Finding::wrong(CHECK, words);
            }
        }
    }
    Finding::fine(CHECK, format!("{count} with the checksums of the manifest"))
}

/// Whether a database holds what the manifest says.
pub fn figures(snapshot: &mut Snapshot, manifest: &Manifest) -> Result<Finding> {
    const CHECK: &str = "figures of the manifest";
    let found = Figures::of(snapshot)?;
    Ok(match manifest.figures.differ_from(&found) {
        Some(words) => Finding::wrong(CHECK, words),
        None => Finding::fine(
            CHECK,
            format!("{} tables and the ends of all chains", found.rows.len()),
        ),
    })
}

/// Whether the manifest lists every file that the database names.
fn named_files(snapshot: &mut Snapshot, manifest: &Manifest) -> Result<Finding> {
    const CHECK: &str = "attachments";
    let listed: std::collections::HashSet<&str> = manifest
        .files
        .iter()
        .map(|listed| listed.path.as_str())
        .chain(manifest.removed_meanwhile.iter().map(String::as_str))
        .collect();
    let (mut count, mut lost) = (0, None);
    each_file(snapshot, |kept| {
        count += 1;
        let path = format!("{FILES}/{}", kept.key.place().join("/"));
        if !listed.contains(path.as_str()) {
            lost.get_or_insert(path);
        }
        Ok(())
    })?;
    Ok(match lost {
        Some(path) => Finding::wrong(CHECK, format!("{path} is named and not in the backup")),
        None if manifest.with_files => Finding::fine(CHECK, format!("{count} in the backup")),
        None => Finding::skipped(
            CHECK,
            format!("{count} are in {}, not in the backup", manifest.storage),
        ),
    })
}

/// Checks the installation that the settings name, living or just restored. `gone` are files that
/// need not be there.
pub async fn check_living(
    url: &DatabaseUrl,
    storage: &Storage,
    manifest: Option<Manifest>,
) -> Result<Vec<Finding>> {
    if let DatabaseUrl::Sqlite(file) = url
        && !file.exists()
    {
        let words = format!("there is no database {}", file.display());
        return Err(Error::internal(words));
    }
    let (url, gone) = (
        url.clone(),
        manifest
            .as_ref()
            .map(|manifest| manifest.removed_meanwhile.clone())
            .unwrap_or_default(),
    );
    let database = tokio::task::spawn_blocking(move || {
        let mut snapshot = Snapshot::open(&url)?;
        let mut findings = checks::run(&mut snapshot)?;
        let mut kept = Vec::new();
        if findings.iter().all(is_fine) {
            if let Some(manifest) = &manifest {
                findings.push(figures(&mut snapshot, manifest)?);
            }
            each_file(&mut snapshot, |file| {
                kept.push(file.clone());
                Ok(())
            })?;
        }
        Ok::<_, Error>((findings, kept))
    });
    let (mut findings, kept) = database.await.map_err(Error::internal)??;
    if findings.iter().all(is_fine) {
        findings.push(stored_files(storage, &kept, &gone).await?);
    }
    Ok(findings)
}

/// Whether the storage has every file, with its checksum.
async fn stored_files(storage: &Storage, kept: &[Kept], gone: &[String]) -> Result<Finding> {
    const CHECK: &str = "attachments";
    if kept.is_empty() {
        return Ok(Finding::fine(CHECK, "the database names none"));
    }
    // Opening it would make it.
    if let Place::Directory(directory) = &storage.place
        && !directory.is_dir()
    {
        let words = format!("there is no directory {}", directory.display());
        return Ok(Finding::wrong(CHECK, words));
    }
    let files = Files::open(storage)?;
    let mut count = 0;
    for file in kept {
        let path = format!("{FILES}/{}", file.key.place().join("/"));
        if gone.contains(&path) {
            continue;
        }
        if let Err(why) = whole(&files, file).await {
            let path: PathBuf = file.key.place().iter().collect();
            let why = why.log_context().unwrap_or("cannot be read").to_owned();
            return Ok(Finding::wrong(CHECK, format!("{}: {why}", path.display())));
        }
        count += 1;
    }
    let words = format!("{count} in {} with their checksums", storage.place);
    Ok(Finding::fine(CHECK, words))
}

async fn whole(files: &Files, file: &Kept) -> Result<()> {
    let mut pieces = files.get(&file.key, file.size).await?;
    while let Some(piece) = pieces.next().await {
        piece?;
    }
    Ok(())
}
