//! From a backup to an installation that was not there before.

use std::path::Path;

use super::check;
use super::disk;
use super::manifest::{FILES, Kind, Manifest};
use super::postgres;
use crate::error::{Error, Result};
use crate::files::{Place, Storage};
use crate::store::DatabaseUrl;
use crate::store::checks::{Finding, Outcome};
use crate::store::snapshot::Snapshot;

/// Restores a backup to where the settings say, which must be empty, and checks the result.
///
/// The backup is checked before anything is written; the files come first and the database last, so
/// that there is no service on half of it.
pub async fn restore(backup: &Path, url: &DatabaseUrl, storage: &Storage) -> Result<Vec<Finding>> {
    let (from, to, place) = (backup.to_owned(), url.clone(), storage.place.clone());
    let written = tokio::task::spawn_blocking(move || write(&from, &to, &place));
    match written.await.map_err(Error::internal)?? {
        (findings, Some(manifest)) => {
            let mut all = findings;
            all.extend(check::check_living(url, storage, Some(manifest)).await?);
            Ok(all)
        }
        (findings, None) => Ok(findings),
    }
}

/// Gives the manifest if everything was written.
fn write(
    backup: &Path,
    url: &DatabaseUrl,
    place: &Place,
) -> Result<(Vec<Finding>, Option<Manifest>)> {
    let manifest = Manifest::read(backup)?;
    must_be_empty(&manifest, url, place)?;
    let findings = check::check_backup(backup)?;
    if findings.iter().any(|one| one.outcome == Outcome::Wrong) {
        return Ok((findings, None));
    }
    if let Place::Directory(files) = place
        && manifest.with_files
    {
        copy_files(backup, &manifest, files)?;
    }
    let copy = backup.join(manifest.database.file());
    match url {
        DatabaseUrl::Sqlite(file) => place_database(&copy, file)?,
        DatabaseUrl::Postgres(address) => postgres::load(address, &copy)?,
    }
    Ok((findings, Some(manifest)))
}

/// Nothing is ever restored over something.
fn must_be_empty(manifest: &Manifest, url: &DatabaseUrl, place: &Place) -> Result<()> {
    let refused = |words: String| Err(Error::internal(words));
    match (manifest.database, url) {
        (Kind::Sqlite, DatabaseUrl::Sqlite(file)) => {
            for end in ["", "-wal", "-shm", "-journal"] {
                let mut name = file.clone().into_os_string();
                name.push(end);
                let file = Path::new(&name);
                if file.symlink_metadata().is_ok() {
                    return refused(format!("{} is there already", file.display()));
                }
            }
        }
        (Kind::Postgresql, DatabaseUrl::Postgres(_)) => {
            if let Some(table) = Snapshot::open(url)?.tables()?.first() {
                return refused(format!("the database is not empty: it has a table {table}"));
            }
        }
        (Kind::Sqlite, _) => return refused("the backup is one of SQLite".to_owned()),
        (Kind::Postgresql, _) => return refused("the backup is one of PostgreSQL".to_owned()),
    }
    let Place::Directory(files) = place else {
        return if manifest.with_files {
            refused(format!(
                "the backup holds its files, and storage.url names {place}: restore into a \
                 directory, or copy the files into the bucket first"
            ))
        } else {
            Ok(())
        };
    };
    if !manifest.with_files && manifest.files.len() > 1 {
        return refused(format!(
            "the files are in {}, and storage.url names {place}",
            manifest.storage
        ));
    }
    let others = match std::fs::read_dir(files) {
        Ok(entries) => entries
            .flatten()
            .filter(|entry| entry.file_name() != ".incoming")
            .count(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(error) => return Err(disk::at(files)(error)),
    };
    if others > 0 {
        return refused(format!("the directory {} is not empty", files.display()));
    }
    Ok(())
}

fn copy_files(backup: &Path, manifest: &Manifest, files: &Path) -> Result<()> {
    std::fs::create_dir_all(files).map_err(disk::at(files))?;
    for listed in &manifest.files {
        let inside = listed.path.strip_prefix(FILES);
        let Some(inside) = inside.and_then(|path| path.strip_prefix('/')) else {
            continue;
        };
        let to = files.join(inside);
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(disk::at(folder))?;
        }
        disk::copy(&backup.join(&listed.path), &to).map_err(disk::at(&to))?;
    }
    disk::settle(files)
}

/// The database gets its name last, and never that of another one.
fn place_database(copy: &Path, file: &Path) -> Result<()> {
    let parent = match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(parent).map_err(disk::at(parent))?;
    let work = tempfile::Builder::new()
        .prefix(".restoring-")
        .tempdir_in(parent)
        .map_err(disk::at(parent))?;
    let whole = work.path().join("database");
    disk::copy(copy, &whole).map_err(disk::at(&whole))?;
    // A second name for it, which fails where the name is taken; the first one goes.
    std::fs::hard_link(&whole, file).map_err(disk::at(file))?;
    disk::sync(parent)
}
