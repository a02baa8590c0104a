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

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::app::AppSettings;
use crate::demo::Year;
use crate::error::{Code, Error, Message, Result};
use crate::store::{Db, bulk, setup};

use copy::Part;
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
        let present = template::make(settings.clone(), now, Year { step, past: false }).await?;
        let past = template::make(settings.clone(), year_ago, Year { step, past: true }).await?;
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

/// Fills the database. Each copy of a year is one transaction: an interrupted run leaves whole
/// copies, and the same run with `append` goes on after them. `progress` is told how many of how
/// many proposals there are.
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
    let bodies = layout::plan(wish.proposals, sizes);
    let parts: Vec<Part> = bodies.iter().flat_map(parts_of).collect();
    let total: u64 = parts.iter().map(|part| years.of(part).proposals).sum();
    let mut seeded = Seeded {
        committees: bodies.len(),
        ..Seeded::default()
    };
    progress(0, total);
    for part in parts {
        let template = Arc::clone(years.of(&part));
        let count = template.proposals;
        let is_new = db
            .write("seed.copy", move |tx| copy::write(tx, &template, &part))
            .await?;
        if is_new {
            seeded.made += count;
        } else {
            seeded.kept += count;
        }
        progress(seeded.made + seeded.kept, total);
    }
    db.write("seed.analyse", bulk::analyse).await?;
    Ok(seeded)
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
