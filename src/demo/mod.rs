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
    make_every(app, now, 1).await
}

/// The same with every `step`-th case only, for tests.
///
/// One transaction holds it all: an interrupted run leaves nothing behind.
pub async fn make_every(app: &App, now: Timestamp, step: usize) -> Result<Made> {
    let hash = app.passwords.hash(PASSWORD).await?;
    app.db
        .write("demo.make", move |tx| {
            if setup::committee(tx, CODE)?.is_some() {
                return Ok(Made::Kept);
            }
            if setup::any_committee(tx)? {
                return Err(Error::new(Code::InUse).detail(Message::new(
                    "数据库中已有其他委员会，演示数据只写入空数据库。",
                    "the database holds a committee that is not the demo's; the demo fills empty databases only",
                )));
            }
            let town = town::found(tx, &hash, now)?;
            let plans: Vec<_> = plan::all(now).into_iter().step_by(step.max(1)).collect();
            let mut acts = 0;
            for plan in &plans {
                acts += story::tell(tx, &town, plan)?;
            }
            Ok(Made::New { proposals: plans.len(), acts })
        })
        .await
}
