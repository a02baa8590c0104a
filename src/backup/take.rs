//! Making a backup.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::disk;
use super::manifest::{FILES, Figures, Kind, Listed, MANIFEST, Manifest};
use super::postgres;
use crate::error::{Error, Result};
use crate::files::{Place, Storage};
use crate::ids::{AttachmentId, CommitteeId};
use crate::store::checks::{self, Kept};
use crate::store::snapshot::{Snapshot, copy_sqlite};
use crate::store::{DatabaseUrl, migrate};

/// Makes a backup of a living installation in a directory that is not there yet. Blocks.
///
/// Everything is written into a directory of another name beside it, which gets its own name when
/// all of it is on the disk.
pub fn take(url: &DatabaseUrl, storage: &Storage, to: &Path, now: Timestamp) -> Result<Manifest> {
    if to.symlink_metadata().is_ok() {
        return Err(Error::internal(format!(
            "{} is there already; a backup overwrites nothing",
            to.display()
        )));
    }
    let name = to.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Error::internal("the backup needs a name"))?;
    let parent = match to.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let work = tempfile::Builder::new()
        .prefix(&format!(".{name}.incomplete-"))
        .tempdir_in(parent)
        .map_err(disk::at(parent))?;
    let manifest = fill(work.path(), url, storage, now)?;
    disk::write(&work.path().join(MANIFEST), &manifest.text()?)?;
    disk::settle(work.path())?;
    // Onto a directory that came about meanwhile this fails, unless it is empty.
    std::fs::rename(work.path(), to).map_err(disk::at(to))?;
    // It has gone: there is nothing left to clear away.
    let _ = work.keep();
    disk::sync(parent)?;
    Ok(manifest)
}

fn fill(work: &Path, url: &DatabaseUrl, storage: &Storage, now: Timestamp) -> Result<Manifest> {
    let (database, mut snapshot) = match url {
        DatabaseUrl::Sqlite(file) => {
            if !file.exists() {
                let words = format!("there is no database {}", file.display());
                return Err(Error::internal(words));
            }
            let copy = work.join(Kind::Sqlite.file());
            copy_sqlite(file, &copy)?;
            disk::sync(&copy)?;
            (Kind::Sqlite, Snapshot::of_copy(&copy)?)
        }
        DatabaseUrl::Postgres(address) => {
            let mut snapshot = Snapshot::open(url)?;
            let copy = work.join(Kind::Postgresql.file());
            postgres::dump(address, &snapshot.export()?, &copy)?;
            disk::sync(&copy)?;
            (Kind::Postgresql, snapshot)
        }
    };
    if snapshot.tables()?.is_empty() {
        return Err(Error::internal("the database is empty"));
    }
    let migrations = snapshot.migrations()?;
    if migrations != migrate::versions()? {
        return Err(Error::internal(
            "the database is of another version than this program: back it up with that one",
        ));
    }
    let figures = Figures::of(&mut snapshot)?;
    let (size, sha256) = disk::checksum(&work.join(database.file()))?;
    let mut manifest = Manifest {
        format: Manifest::format(),
        program: Manifest::program(),
        begun_at: now,
        database,
        migrations,
        figures,
        storage: storage.place.to_string(),
        with_files: matches!(storage.place, Place::Directory(_)),
        files: vec![Listed {
            path: database.file().to_owned(),
            size,
            sha256,
        }],
        removed_meanwhile: Vec::new(),
    };
    each_file(&mut snapshot, |kept| {
        let path = [FILES.to_owned()].into_iter().chain(kept.key.place());
        let listed = Listed {
            path: path.collect::<Vec<_>>().join("/"),
            size: kept.size,
            sha256: kept.key.sha256.clone(),
        };
        match &storage.place {
            Place::Directory(files) => copy_file(work, files, url, kept, listed, &mut manifest),
            Place::Bucket { .. } => {
                manifest.files.push(listed);
                Ok(())
            }
        }
    })?;
    Ok(manifest)
}

/// Does something with every file that a database names.
pub fn each_file(snapshot: &mut Snapshot, mut work: impl FnMut(&Kept) -> Result<()>) -> Result<()> {
    let mut after: Option<(CommitteeId, AttachmentId)> = None;
    loop {
        let page = snapshot.read(|tx| checks::kept_files(tx, after))?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some((last.key.committee, last.key.id));
        for kept in &page {
            work(kept)?;
        }
    }
}

fn copy_file(
    work: &Path,
    files: &Path,
    url: &DatabaseUrl,
    kept: &Kept,
    listed: Listed,
    manifest: &mut Manifest,
) -> Result<()> {
    let from: PathBuf = files.join(kept.key.place().iter().collect::<PathBuf>());
    let to = work.join(&listed.path);
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(disk::at(folder))?;
    }
    match disk::copy(&from, &to) {
        Ok((size, sha256)) if size == listed.size && sha256 == listed.sha256 => {
            manifest.files.push(listed);
            Ok(())
        }
        Ok(_) => Err(Error::internal(format!(
            "{} has not the checksum of the database",
            from.display()
        ))),
        // Somebody may have taken it away since the copy of the database was made.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if still_named(url, kept)? {
                let words = format!("the storage has lost {}", from.display());
                return Err(Error::internal(words));
            }
            manifest.removed_meanwhile.push(listed.path);
            Ok(())
        }
        Err(error) => Err(disk::at(&from)(error)),
    }
}

/// Whether the living database still names a file.
fn still_named(url: &DatabaseUrl, kept: &Kept) -> Result<bool> {
    let mut living = Snapshot::open(url)?;
    living.read(|tx| checks::is_kept(tx, kept.key.committee, kept.key.id))
}
