//! `jianjian jobs`: the work that is done after the answer, for whoever looks after the machine.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{Failure, out};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::ids::JobId;
use crate::jobs::kind::{JobKind, JobState};
use crate::startup;
use crate::store::jobs::{self, JobFilter, JobRow};

/// Jobs read at a time.
const PAGE: i64 = 500;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List jobs of every committee, one line each
    List(List),
    /// Try jobs again that were given up
    Retry(Retry),
}

#[derive(Debug, clap::Args)]
pub struct List {
    /// Only jobs that stand there
    #[arg(long, value_parser = state())]
    state: Option<JobState>,
    /// Only jobs of this kind
    #[arg(long, value_parser = kind())]
    kind: Option<JobKind>,
}

#[derive(Debug, clap::Args)]
pub struct Retry {
    /// Identifiers of jobs
    #[arg(value_name = "JOB", required_unless_present = "all")]
    jobs: Vec<JobId>,
    /// Every job that was given up
    #[arg(long, conflicts_with = "jobs")]
    all: bool,
    /// Only those of this kind
    #[arg(long, requires = "all", value_parser = kind())]
    kind: Option<JobKind>,
}

fn state() -> impl TypedValueParser<Value = JobState> {
    PossibleValuesParser::new(JobState::ALL.iter().map(|state| state.as_str()))
        .try_map(|text| text.parse::<JobState>())
}

fn kind() -> impl TypedValueParser<Value = JobKind> {
    PossibleValuesParser::new(JobKind::ALL.iter().map(|kind| kind.as_str()))
        .try_map(|text| text.parse::<JobKind>())
}

pub fn run(command: &Command, config: &Config) -> Result<(), Failure> {
    let filter = match command {
        Command::List(list) => JobFilter {
            committee: None,
            state: list.state,
            kind: list.kind,
        },
        Command::Retry(retry) => JobFilter {
            committee: None,
            state: Some(JobState::Dead),
            kind: retry.kind,
        },
    };
    startup::block_on(async {
        let db = startup::open_database(&config.database).await?;
        let mut after: Option<JobId> = None;
        let mut tried = 0_usize;
        loop {
            let rows = db
                .read("jobs.list", move |tx| jobs::list(tx, &filter, after, PAGE))
                .await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.id);
            match command {
                Command::List(_) => rows.iter().for_each(line),
                Command::Retry(retry) => {
                    let wanted: Vec<_> = rows
                        .iter()
                        .filter(|row| retry.all || retry.jobs.contains(&row.id))
                        .map(|row| (row.committee_id, row.id))
                        .collect();
                    let now = SystemClock.now();
                    tried += db
                        .write("jobs.retry", move |tx| {
                            let mut count = 0;
                            for (committee, id) in &wanted {
                                count += usize::from(jobs::revive(tx, *committee, *id, now)?);
                            }
                            Ok(count)
                        })
                        .await?;
                }
            }
        }
        if let Command::Retry(retry) = command {
            out::line(&format!("{tried} jobs wait for a worker again"));
            if tried < retry.jobs.len() {
                return Err(Failure::Other(format!(
                    "{} of the jobs named are not there or were not given up",
                    retry.jobs.len() - tried
                )));
            }
        }
        Ok(())
    })
}

fn line(row: &JobRow) {
    let error = row.last_error.as_deref().unwrap_or("-");
    let error = error.split_whitespace().collect::<Vec<_>>().join(" ");
    out::line(&format!(
        "{} {} {} {} attempts={} run_at={} error={error}",
        row.id,
        row.kind,
        row.state(),
        row.job_key,
        row.attempts,
        row.run_at.0,
    ));
}
