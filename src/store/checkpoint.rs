//! Brings what stands in SQLite's log into the file, on a thread beside the one that writes.
//!
//! Left to itself the library does it in the commit after which the log has become long enough, and
//! everybody who waits for that commit waits for the file as well. A checkpoint that is passive waits
//! for nobody and keeps nobody waiting; what it does not get at because somebody reads it still, the
//! next one does.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use diesel::connection::SimpleConnection;

use super::connection::{AnyConnection, DatabaseUrl, Purpose, Statements, open, per_backend};
use crate::error::{Error, Result};

/// How many writes may stand in the log before it is looked at: some thousands of pages.
const WRITES: usize = 256;

/// The writer's side: counts what was written.
pub(in crate::store) struct Checkpoints {
    wanted: SyncSender<()>,
    writes: usize,
}

impl Checkpoints {
    /// Starts the thread; it ends with its writer.
    pub(in crate::store) fn start(url: DatabaseUrl, statements: Arc<Statements>) -> Result<Self> {
        // One that waits stands for all that were wanted meanwhile.
        let (wanted, asked) = sync_channel(1);
        std::thread::Builder::new()
            .name("db-checkpoint".to_owned())
            .spawn(move || work(&url, &statements, &asked))
            .map_err(|error| Error::internal(error).context("cannot start a thread"))?;
        Ok(Self { wanted, writes: 0 })
    }

    /// So many writes were committed.
    pub(in crate::store) fn written(&mut self, count: usize) {
        self.writes += count;
        if self.writes >= WRITES {
            self.writes = 0;
            let _ = self.wanted.try_send(());
        }
    }
}

fn work(url: &DatabaseUrl, statements: &Arc<Statements>, asked: &Receiver<()>) {
    let mut conn: Option<AnyConnection> = None;
    while asked.recv().is_ok() {
        let done = match conn.take() {
            Some(conn) => Ok(conn),
            None => open(url, Purpose::Write, statements),
        }
        .and_then(|mut conn| {
            per_backend!(&mut conn, c => c.batch_execute("PRAGMA wal_checkpoint(PASSIVE)"))?;
            Ok(conn)
        });
        match done {
            Ok(open) => conn = Some(open),
            // The log stays as it is, and the writer brings it in when it is long.
            Err(error) => tracing::debug!(context = error.log_context(), "no checkpoint"),
        }
    }
}
