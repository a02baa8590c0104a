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
pub async fn make_every(app: &App, now: Timestamp, step: usize) -> Result<Made> {
    make_year(app, now, Year { step, past: false }).await
}

/// Which cases of a year are made.
#[derive(Debug, Clone, Copy)]
pub struct Year {
    /// Every `step`-th one.
    pub step: usize,
    /// Long ago: all of them have ended.
    pub past: bool,
}

/// Fills an empty database with a year of the demo committee that ends `now`.
///
/// One transaction holds it all: an interrupted run leaves nothing behind.
pub async fn make_year(app: &App, now: Timestamp, year: Year) -> Result<Made> {
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
            let plans = if year.past {
                plan::long_ago(now)
            } else {
                plan::all(now)
            };
            let plans: Vec<_> = plans.into_iter().step_by(year.step.max(1)).collect();
            let mut acts = 0;
            for plan in &plans {
                acts += story::tell(tx, &town, plan)?;
            }
            Ok(Made::New { proposals: plans.len(), acts })
        })
        .await
}
