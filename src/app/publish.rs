//! From the outbox to everybody who wants to know: the feed, in the order of commits, and those
//! who are told.

use jiff::Timestamp;

use super::App;
use super::notify::{self, Post};
use crate::error::Result;
use crate::ids::CommitteeId;
use crate::store::{Tx, feed, outbox, webhooks};

/// Parcels published in one transaction.
pub const CHUNK: usize = 200;

/// Publishes what waits, over all committees; gives how many parcels there were. A committee whose
/// parcels cannot be published holds up no other one.
pub async fn publish(app: &App) -> Result<usize> {
    let post = app.post();
    let (mut count, mut failure) = (0, None);
    for committee in app.db.read("outbox.waiting", outbox::waiting).await? {
        loop {
            let now = app.clock.now();
            let published = app
                .db
                .write("outbox.publish", move |tx| chunk(tx, committee, post, now))
                .await;
            match published {
                Ok(published) => {
                    count += published;
                    // What came meanwhile is published next time.
                    if published < CHUNK {
                        break;
                    }
                }
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
    }
    if count > 0 {
        // Streams and deliveries wait for what is in the feed now.
        app.wake_workers();
    }
    failure.map_or(Ok(count), Err)
}

/// One transaction: whatever is published leaves the outbox with it.
fn chunk(tx: &mut Tx<'_>, committee: CommitteeId, post: Post, now: Timestamp) -> Result<usize> {
    let last = feed::hold(tx, committee)?;
    let parcels = outbox::take(tx, committee, i64::try_from(CHUNK).unwrap_or(i64::MAX))?;
    feed::append(tx, committee, last, &parcels)?;
    notify::deliver(tx, committee, &parcels, post, now)?;
    if !parcels.is_empty() {
        webhooks::feed_grew(tx, committee, now)?;
    }
    Ok(parcels.len())
}
