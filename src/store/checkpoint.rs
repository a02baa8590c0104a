//! Brings what stands in SQLite's log into the file, on a thread beside the one that writes.
//!
//! Left to itself the library does it in the commit after which the log has become long enough, and
//! everybody who waits for that commit waits for the file as well. A checkpoint that is passive waits
//! for nobody and keeps nobody waiting; what it does not get at because somebody reads it still, the
//! next one does. While hardly anybody writes the log is emptied, so that its room on the disk comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Integer;

use super::connection::{AnyConnection, DatabaseUrl, Purpose, open, per_backend};
use crate::error::{Error, Result};

/// How many writes may stand in the log before it is looked at: some thousands of pages.
const WRITES: usize = 256;
/// After so long in which there were fewer the log is emptied.
const QUIET: Duration = Duration::from_secs(60);

/// The writer's side: counts what was written.
pub(in crate::store) struct Checkpoints {
    wanted: SyncSender<()>,
    /// Since the log was looked at.
    writes: Arc<AtomicUsize>,
}

impl Checkpoints {
    /// Starts the thread; it ends with its writer.
    pub(in crate::store) fn start(url: DatabaseUrl) -> Result<Self> {
        Self::start_with(url, QUIET)
    }

    fn start_with(url: DatabaseUrl, quiet: Duration) -> Result<Self> {
        // One that waits stands for all that were wanted meanwhile.
        let (wanted, asked) = sync_channel(1);
        let writes = Arc::<AtomicUsize>::default();
        let mut log = Log {
            url,
            conn: None,
            writes: Arc::clone(&writes),
        };
        std::thread::Builder::new()
            .name("db-checkpoint".to_owned())
            .spawn(move || log.work(&asked, quiet))
            .map_err(|error| Error::internal(error).context("cannot start a thread"))?;
        Ok(Self { wanted, writes })
    }

    /// So many writes were committed.
    pub(in crate::store) fn written(&self, count: usize) {
        if self.writes.fetch_add(count, Ordering::Relaxed) + count >= WRITES {
            let _ = self.wanted.try_send(());
        }
    }
}

/// The thread's side.
struct Log {
    url: DatabaseUrl,
    conn: Option<AnyConnection>,
    writes: Arc<AtomicUsize>,
}

impl Log {
    fn work(&mut self, asked: &Receiver<()>, quiet: Duration) {
        let mut is_empty = true;
        loop {
            match asked.recv_timeout(quiet) {
                Ok(()) => {
                    self.writes.store(0, Ordering::Relaxed);
                    self.bring_in("PASSIVE");
                    is_empty = false;
                }
                Err(RecvTimeoutError::Timeout) => {
                    let was_written = self.writes.swap(0, Ordering::Relaxed) > 0;
                    if was_written || !is_empty {
                        is_empty = self.bring_in("TRUNCATE");
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Whether nobody was in the way and nothing went wrong. Otherwise the log stays as it is: for the next
    /// time, or for the writer, when it is long.
    fn bring_in(&mut self, how: &str) -> bool {
        self.try_to(how).unwrap_or_else(|error| {
            tracing::debug!(context = error.log_context(), "no checkpoint");
            self.conn = None;
            false
        })
    }

    fn try_to(&mut self, how: &str) -> Result<bool> {
        /// Somebody in the way is no error to the library.
        #[derive(QueryableByName)]
        struct Outcome {
            #[diesel(sql_type = Integer)]
            busy: i32,
        }
        let conn = if let Some(conn) = self.conn.take() {
            conn
        } else {
            // No request sent its statements.
            let mut conn = open(&self.url, Purpose::Write, &Arc::default())?;
            // Nobody waits for this one for long.
            per_backend!(&mut conn, c => c.batch_execute("PRAGMA busy_timeout = 20"))?;
            conn
        };
        let conn = self.conn.insert(conn);
        let ask = diesel::sql_query(format!("PRAGMA wal_checkpoint({how})"));
        let outcome: Outcome = ask.get_result(conn)?;
        Ok(outcome.busy == 0)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use diesel::sqlite::SqliteConnection;

    use super::*;
    use crate::store::{Db, Threads, Tx};

    fn executed(tx: &mut Tx<'_>, sql: &str) -> Result<()> {
        per_backend!(&mut *tx.conn, conn => diesel::sql_query(sql).execute(conn))?;
        Ok(())
    }

    async fn written(path: &Path, count: usize) -> Db {
        let url = DatabaseUrl::Sqlite(path.to_owned());
        let db = Db::start(url, Threads::default()).expect("threads");
        let make = |tx: &mut Tx<'_>| executed(tx, "CREATE TABLE notes (text TEXT NOT NULL)");
        db.write("make", make).await.expect("a table");
        for _ in 0..count {
            // A page each.
            let note =
                |tx: &mut Tx<'_>| executed(tx, "INSERT INTO notes VALUES (hex(randomblob(1900)))");
            db.write("note", note).await.expect("a note");
        }
        db
    }

    /// Whether the size of a file comes to what is wanted within half a minute.
    async fn comes_to(path: &Path, wanted: impl Fn(u64) -> bool) -> bool {
        for _ in 0..600 {
            if std::fs::metadata(path).is_ok_and(|found| wanted(found.len())) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }

    #[tokio::test]
    async fn what_stands_in_the_log_comes_into_the_file_long_before_the_log_is_full() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notes.db");
        let _db = written(&path, WRITES).await;
        // A sixtieth of what the log may hold.
        let much = u64::try_from(WRITES).expect("a number") * 4096 / 2;
        assert!(comes_to(&path, |size| size > much).await);
    }

    #[tokio::test]
    async fn the_log_is_emptied_while_nobody_writes_and_once_nobody_reads() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notes.db");
        let _db = written(&path, 20).await;
        let log = folder.path().join("notes.db-wal");
        assert!(std::fs::metadata(&log).expect("the log").len() > 20 * 4096);
        let mut reader = SqliteConnection::establish(&path.to_string_lossy()).expect("a reader");
        let read = reader.batch_execute("BEGIN; SELECT count(*) FROM notes");
        read.expect("a snapshot");
        let quiet = Duration::from_millis(100);
        let beside = Checkpoints::start_with(DatabaseUrl::Sqlite(path.clone()), quiet);
        let beside = beside.expect("a thread");
        beside.written(1);
        tokio::time::sleep(quiet * 8).await;
        assert!(std::fs::metadata(&log).expect("the log").len() > 0);
        reader.batch_execute("COMMIT").expect("an end");
        assert!(comes_to(&log, |size| size == 0).await);
        drop(beside);
    }
}
