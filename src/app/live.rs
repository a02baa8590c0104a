//! The open event streams of a process: how many there are, and one look at the database for all
//! of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::App;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{CommitteeId, UserId};
use crate::store::feed;

/// Streams of one account at a time.
pub const STREAMS_PER_USER: usize = 4;
/// Streams of the process at a time.
pub const STREAMS: usize = 256;
/// How long the look at the database rests where nothing wakes it.
const POLL: Duration = Duration::from_secs(1);
/// How long it rests after a failure.
const TROUBLE: Duration = Duration::from_secs(3);

/// The open event streams of a process.
#[derive(Debug, Default)]
pub struct Live {
    /// Where the feed of each committee ends, as seen last.
    ends: watch::Sender<BTreeMap<CommitteeId, i64>>,
    stopping: watch::Sender<bool>,
    open: Mutex<BTreeMap<UserId, usize>>,
    opened: Notify,
}

/// A place among the open streams, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    live: Arc<Live>,
    user: UserId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.live.open();
        if let Some(count) = open.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.user);
            }
        }
    }
}

impl Live {
    fn open(&self) -> MutexGuard<'_, BTreeMap<UserId, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many streams are open.
    pub fn count(&self) -> usize {
        self.open().values().sum()
    }

    /// A place for one more stream of an account.
    pub fn enter(self: &Arc<Self>, user: UserId) -> Result<Place> {
        let mut open = self.open();
        if open.values().sum::<usize>() >= STREAMS || *self.stopping.borrow() {
            return Err(Error::new(Code::Busy).detail(Message::new(
                "事件流连接过多。",
                "Too many event streams are open.",
            )));
        }
        let own = open.entry(user).or_default();
        if *own >= STREAMS_PER_USER {
            return Err(Error::new(Code::TooManyStreams));
        }
        *own += 1;
        drop(open);
        self.opened.notify_one();
        Ok(Place {
            live: Arc::clone(self),
            user,
        })
    }

    /// Changes when any feed has grown.
    pub fn ends(&self) -> watch::Receiver<BTreeMap<CommitteeId, i64>> {
        self.ends.subscribe()
    }

    /// Turns true when the streams have to end.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Ends the streams: the service stops.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Looks where the feeds end whenever something was written here, and once a second, while a
    /// stream is open.
    pub async fn follow(app: App) {
        let mut wanted = app.wanted();
        let mut stopping = app.live.stopping();
        while !*stopping.borrow() {
            if app.live.count() == 0 {
                tokio::select! {
                    () = app.live.opened.notified() => {}
                    _ = stopping.changed() => {}
                }
                continue;
            }
            let rest = match app.db.read("feed.ends", feed::ends).await {
                Ok(ends) => {
                    let ends: BTreeMap<_, _> = ends.into_iter().collect();
                    app.live.ends.send_if_modified(|known| {
                        let grown = *known != ends;
                        if grown {
                            *known = ends;
                        }
                        grown
                    });
                    POLL
                }
                Err(error) => {
                    tracing::warn!(%error, context = error.log_context(), "streams: trying again soon");
                    TROUBLE
                }
            };
            tokio::select! {
                _ = wanted.changed(), if rest == POLL => {}
                _ = stopping.changed() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn places_are_bounded_and_given_back() {
        let live = Arc::new(Live::default());
        let user = UserId::new(Timestamp::UNIX_EPOCH);
        let held: Vec<_> = (0..STREAMS_PER_USER)
            .map(|_| live.enter(user).expect("a place"))
            .collect();
        let refused = live.enter(user).expect_err("no place");
        assert_eq!(refused.code(), Code::TooManyStreams);
        drop(held);
        assert_eq!(live.count(), 0);
        let all: Vec<_> = (0..STREAMS)
            .map(|_| {
                live.enter(UserId::new(Timestamp::UNIX_EPOCH))
                    .expect("a place")
            })
            .collect();
        let refused = live.enter(user).expect_err("no place");
        assert_eq!(refused.code(), Code::Busy);
        drop(all);
        live.stop();
        assert!(live.enter(user).is_err());
    }
}
