//! From the outbox to everybody who wants to know: the feed, in the order of commits, and those
//! who are told.

use jiff::Timestamp;

use super::App;
use crate::error::Result;
use crate::ids::CommitteeId;
use crate::store::{Tx, feed, outbox, webhooks};

/// Parcels published in one transaction.
const CHUNK: i64 = 200;

/// Publishes what waits, over all committees; gives how many parcels there were.
pub async fn publish(app: &App) -> Result<usize> {
    let mut count = 0;
    for committee in app.db.read("outbox.waiting", outbox::waiting).await? {
        loop {
            let now = app.clock.now();
            let published = app
                .db
                .write("outbox.publish", move |tx| chunk(tx, committee, now))
                .await?;
            count += published;
            if published == 0 {
                break;
            }
        }
    }
    if count > 0 {
        // Streams and deliveries wait for what is in the feed now.
        app.wake_workers();
    }
    Ok(count)
}

/// One transaction: whatever is published leaves the outbox with it.
fn chunk(tx: &mut Tx<'_>, committee: CommitteeId, now: Timestamp) -> Result<usize> {
    let last = feed::hold(tx, committee)?;
    let parcels = outbox::take(tx, committee, CHUNK)?;
    feed::append(tx, committee, last, &parcels)?;
    if !parcels.is_empty() {
        webhooks::feed_grew(tx, committee, now)?;
    }
    Ok(parcels.len())
}
