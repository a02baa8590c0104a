//! The room that the database has left. Below a mark the service only reads: a database whose disk
//! is full may stop altogether and not start again, so the last of the room is not for requests.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::connection::{AnyConnection, DatabaseUrl};
use super::{Db, Tx};
use crate::error::{Error, Result};

/// What counts as little room, and how the room is measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// With less room than this, in bytes, the service only reads; 0: it never does.
    pub floor: u64,
    /// A directory on the volume that has the data; `None`: the volume cannot be seen from here.
    pub volume: Option<PathBuf>,
    /// The size that the database may have, in bytes; 0: any.
    pub max_size: u64,
}

/// The room as it was measured last.
#[derive(Debug, Default)]
pub struct Room {
    limits: Limits,
    low: AtomicBool,
    free: AtomicU64,
}

impl Room {
    /// Nothing measured yet: there is room.
    pub(in crate::store) fn new(limits: Limits) -> Self {
        Self {
            limits,
            low: AtomicBool::new(false),
            free: AtomicU64::new(u64::MAX),
        }
    }

    /// Whether the service only reads.
    pub fn is_low(&self) -> bool {
        self.low.load(Ordering::Relaxed)
    }

    /// Bytes that are left; `None` where they are not measured.
    pub fn free(&self) -> Option<u64> {
        Some(self.free.load(Ordering::Relaxed)).filter(|free| *free < u64::MAX)
    }

    /// Whether there is anything to measure.
    fn is_watched(&self) -> bool {
        self.limits.floor > 0 && (self.limits.volume.is_some() || self.limits.max_size > 0)
    }

    /// Takes a measurement. What is low stays low until there is a quarter more than the mark, so
    /// that the service does not flutter.
    fn found(&self, free: u64) {
        let floor = self.limits.floor;
        self.free.store(free, Ordering::Relaxed);
        let low = free < floor || (self.is_low() && free < floor.saturating_add(floor / 4));
        if self.low.swap(low, Ordering::Relaxed) != low {
            let mib = free / (1024 * 1024);
            if low {
                tracing::error!("{mib} MiB are left for the database: only reading from now on");
            } else {
                tracing::info!("{mib} MiB are left for the database: writing again");
            }
        }
    }
}

impl Db {
    /// Measures the room that is left. A database that does not say how large it is leaves the
    /// last measurement as it was.
    pub async fn measure(&self) -> Result<()> {
        let room = self.room();
        if !room.is_watched() {
            return Ok(());
        }
        let limits = room.limits.clone();
        let file = match self.url() {
            DatabaseUrl::Sqlite(file) => Some(file.clone()),
            DatabaseUrl::Postgres(_) => None,
        };
        let size = match (&file, limits.max_size) {
            (None, 1..) => self.read("room.size", size).await?,
            _ => 0,
        };
        let free = tokio::task::spawn_blocking(move || {
            let mut free = u64::MAX;
            if let Some(volume) = &limits.volume {
                free = free_of_volume(volume)?;
            }
            if limits.max_size > 0 {
                let size = file.as_deref().map_or(size, size_of_files);
                free = free.min(limits.max_size.saturating_sub(size));
            }
            Ok::<_, Error>(free)
        })
        .await
        .map_err(Error::internal)??;
        room.found(free);
        Ok(())
    }
}

/// What an account without privileges may still write on the volume, in bytes.
fn free_of_volume(directory: &Path) -> Result<u64> {
    let volume = rustix::fs::statvfs(directory).map_err(|error| {
        Error::internal(error).context(format!("cannot measure {}", directory.display()))
    })?;
    Ok(volume.f_bavail.saturating_mul(volume.f_frsize))
}

/// The file of SQLite with its log.
fn size_of_files(file: &Path) -> u64 {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    size(file).saturating_add(size(Path::new(&log)))
}

/// The size of a PostgreSQL database.
fn size(tx: &mut Tx<'_>) -> Result<u64> {
    #[derive(QueryableByName)]
    struct Size {
        #[diesel(sql_type = BigInt)]
        size: i64,
    }
    match &mut *tx.conn {
        AnyConnection::Postgres(conn) => {
            let found: Size =
                diesel::sql_query("SELECT pg_database_size(current_database()) AS size")
                    .get_result(conn)?;
            Ok(u64::try_from(found.size).unwrap_or(0))
        }
        AnyConnection::Sqlite(_) => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_stays_little_until_there_is_clearly_more() {
        let room = Room::new(Limits {
            floor: 100,
            ..Limits::default()
        });
        assert_eq!((room.is_low(), room.free()), (false, None));
        for (free, low) in [
            (100, false),
            (99, true),
            (124, true),
            (125, false),
            (110, false),
        ] {
            room.found(free);
            assert_eq!((room.is_low(), room.free()), (low, Some(free)));
        }
    }

    #[test]
    fn the_volume_of_a_directory_has_room_and_no_directory_has_none() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(free_of_volume(directory.path()).expect("a size") > 0);
        assert!(free_of_volume(&directory.path().join("none")).is_err());
    }
}
