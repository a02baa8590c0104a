//! `jianjian seed`: synthetic committees for load tests.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, out};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::demo::PASSWORD;
use crate::seed::layout::PREFIX;
use crate::seed::{self, Wish, Years};
use crate::startup;

/// Most proposals of one run.
const MOST: u64 = 10_000_000;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Proposals to make, over all committees; a few more may come out
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    proposals: u64,
    /// Go on after an interrupted run, or add to a database that is not empty
    #[arg(long)]
    append: bool,
}

/// Fills the database and says how to sign in.
pub fn run(args: &Args, config: &Config) -> Result<(), Failure> {
    let wish = Wish {
        proposals: args.proposals,
        append: args.append,
    };
    let bar = ProgressBar::new(args.proposals);
    if let Ok(style) = ProgressStyle::with_template(
        "{bar:30} {human_pos} of {human_len} proposals, {per_sec}, {eta} left",
    ) {
        bar.set_style(style);
    }
    let started = Instant::now();
    let seeded = startup::block_on(async {
        let db = startup::open_database(&config.database).await?;
        // Before the minute that the telling may take.
        seed::check(&db, wish.append).await?;
        let settings = startup::app_settings(config);
        let years = Years::tell(&settings, SystemClock.now(), 1).await?;
        seed::run(&db, &years, wish, |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        })
        .await
    })?;
    bar.finish_and_clear();
    out::line(&format!(
        "{} proposals made, {} kept from before, in {} committees ({PREFIX}0000 …), {:.1} s.",
        seeded.made,
        seeded.kept,
        seeded.committees,
        started.elapsed().as_secs_f64()
    ));
    out::line(&format!(
        "Every account has the password {PASSWORD}: never put such a database on a network."
    ));
    Ok(())
}
