//! A demo committee with invented data, made through the functions that HTTP uses.

pub mod content;
mod plan;
mod story;
mod town;

use jiff::Timestamp;

use crate::app::App;
use crate::error::{Code, Error, Message, Result};
use crate::store::setup;

pub use plan::RECEIVED;
pub use town::{CODE, PASSWORD};

/// What was made, or found from an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// The demo committee is new.
    New {
        /// Proposals made, drafts included.
        proposals: usize,
        /// Acts performed on them.
        acts: usize,
    },
    /// The database held it already; nothing was changed.
    Kept,
}

/// Whether the database holds the demo committee.
pub async fn is_made(app: &App) -> Result<bool> {
    app.db
        .read("demo.is_made", |tx| {
            Ok(setup::committee(tx, CODE)?.is_some())
        })
        .await
}

/// Fills an empty database with the demo committee, as of `now`. A database that holds the demo
/// committee is kept as it is; one that holds another committee is refused.
pub async fn make(app: &App, now: Timestamp) -> Result<Made> {
    let (found, others) = app
        .db
        .read("demo.look", |tx| {
            Ok((
                setup::committee(tx, CODE)?.is_some(),
                setup::any_committee(tx)?,
            ))
        })
        .await?;
    if found {
        return Ok(Made::Kept);
    }
    if others {
        return Err(Error::new(Code::InUse).detail(Message::new(
            "数据库中已有其他委员会，演示数据只写入空数据库。",
            "the database holds a committee that is not the demo's; the demo fills empty databases only",
        )));
    }
    let hash = app.passwords.hash(PASSWORD).await?;
    let town = app
        .db
        .write("demo.town", move |tx| town::found(tx, &hash, now))
        .await?;
    let plans = plan::all(now);
    let proposals = plans.len();
    let mut acts = 0;
    // A few cases in one transaction: the disk is waited for less often.
    for chunk in plans.chunks(40) {
        let (chunk, town) = (chunk.to_vec(), town.clone());
        acts += app
            .db
            .write("demo.cases", move |tx| {
                chunk
                    .iter()
                    .map(|plan| story::tell(tx, &town, plan))
                    .sum::<Result<usize>>()
            })
            .await?;
    }
    Ok(Made::New { proposals, acts })
}
