//! Synthetic committees in the proportions of the field, up to millions of proposals: for load
//! tests, and to try the program at the size of a province.
//!
//! A year of one committee is told by the engine in a small database of its own, once as it is now
//! and once as it is long after. It is then copied, with other identifiers, numbers and places and
//! with its chains of events computed anew, into sessions and committees. So every row is one that
//! the rules have made, and what `verify` and the invariants ask of a database holds for a seeded
//! one. The dates of a copy are those of its year: past sessions share the dates of the year before
//! the last.

mod copy;
pub mod layout;
mod template;

use std::cell::Cell;
use std::sync::Arc;

use futures_util::future::try_join;
use futures_util::{TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::app::AppSettings;
use crate::demo::Year;
use crate::error::{Code, Error, Message, Result};
use crate::store::{Db, bulk, setup};

use copy::{Part, Standing};
use layout::{Body, Sizes};
use template::Template;

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// Proposals, or a few more.
    pub proposals: u64,
    /// Into a database that holds something: what an earlier run made is kept and the rest is
    /// added.
    pub append: bool,
}

/// A year as it is now, and one long after.
pub struct Years {
    present: Arc<Template>,
    past: Arc<Template>,
}

impl Years {
    /// Tells both, with every `step`-th case of the demo committee.
    pub async fn tell(settings: &AppSettings, now: Timestamp, step: usize) -> Result<Self> {
        let year_ago = now
            .checked_sub(SignedDuration::from_hours(24 * 365))
            .map_err(Error::internal)?;
        let (present, past) = try_join(
            template::make(settings.clone(), now, Year { step, past: false }),
            template::make(settings.clone(), year_ago, Year { step, past: true }),
        )
        .await?;
        Ok(Self {
            present: Arc::new(present),
            past: Arc::new(past),
        })
    }

    fn of(&self, part: &Part) -> &Arc<Template> {
        if part.back == 0 {
            &self.present
        } else {
            &self.past
        }
    }
}

/// What was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seeded {
    /// Committees there are now.
    pub committees: usize,
    /// Proposals made.
    pub made: u64,
    /// Proposals found from an earlier run.
    pub kept: u64,
}

/// Committees that are filled at the same time.
const AT_ONCE: usize = 2;

/// Fills the database. Each copy of a year is one transaction: an interrupted run leaves whole
/// copies, and the same run with `append` goes on after them. While one is written the next is
/// made. `progress` is told how many of how many proposals there are.
pub async fn run(
    db: &Db,
    years: &Years,
    wish: Wish,
    progress: impl Fn(u64, u64),
) -> Result<Seeded> {
    let sizes = Sizes {
        present: years.present.proposals,
        past: years.past.proposals,
    };
    check(db, wish.append).await?;
    let bodies = Arc::new(layout::plan(wish.proposals, sizes));
    let size = |part: Part| years.of(&part).proposals;
    let total: u64 = bodies.iter().flat_map(parts_of).map(size).sum();
    progress(0, total);
    let (founded, template) = (Arc::clone(&bodies), Arc::clone(&years.present));
    db.write("seed.found", move |tx| {
        founded
            .iter()
            .try_for_each(|body| copy::found(tx, &template, body))
    })
    .await?;
    let (made, kept) = (Cell::new(0), Cell::new(0));
    let done = |count: u64, is_new: bool| {
        let counted = if is_new { &made } else { &kept };
        counted.set(counted.get() + count);
        progress(made.get() + kept.get(), total);
    };
    stream::iter(bodies.iter().map(Ok))
        .try_for_each_concurrent(AT_ONCE, |body| fill(db, years, body, &done))
        .await?;
    db.write("seed.analyse", bulk::analyse).await?;
    Ok(Seeded {
        committees: bodies.len(),
        made: made.get(),
        kept: kept.get(),
    })
}

/// Makes the copies of a committee one after the other, and writes each while the next is made.
async fn fill(db: &Db, years: &Years, body: &Body, done: &impl Fn(u64, bool)) -> Result<()> {
    let looked_at = body.clone();
    let mut standing = db
        .read("seed.stand", move |tx| Standing::read(tx, &looked_at))
        .await?;
    let (ready, mut next) = mpsc::channel(1);
    let making = async move {
        for part in parts_of(body) {
            let template = Arc::clone(years.of(&part));
            let copied = Arc::clone(&template);
            let (after, copy) = spawn_blocking(move || {
                let copy = copy::make(&copied, &part, &mut standing)?;
                Ok::<_, Error>((standing, copy))
            })
            .await
            .map_err(Error::internal)??;
            standing = after;
            if ready.send((template, copy)).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    let writing = async {
        while let Some((template, copy)) = next.recv().await {
            let (count, is_new) = (template.proposals, copy.is_some());
            if let Some(copy) = copy {
                db.write("seed.copy", move |tx| copy::write(tx, &template, &copy))
                    .await?;
            }
            done(count, is_new);
        }
        Ok(())
    };
    try_join(making, writing).await.map(|_| ())
}

/// Refuses a database that holds something, unless that is meant.
pub async fn check(db: &Db, append: bool) -> Result<()> {
    db.read("seed.look", move |tx| {
        if !append && setup::any_committee(tx)? {
            return Err(Error::new(Code::InUse).detail(Message::new(
                "数据库非空；如须续写或追加，请使用 --append。",
                "the database is not empty; --append goes on after an earlier run, or adds to what is there",
            )));
        }
        Ok(())
    })
    .await
}

fn parts_of(body: &Body) -> impl Iterator<Item = Part> + '_ {
    body.sessions
        .iter()
        .enumerate()
        .flat_map(move |(back, copies)| {
            (0..*copies).map(move |copy| Part {
                body: body.clone(),
                back,
                copy,
            })
        })
}
