//! Work that is done after the answer, in the server or in a worker of its own.
//!
//! Three things happen here again and again, each when it is wanted and at least once a second:
//! what waits in the outbox is published, clocks whose moment has come become jobs, and due jobs
//! are done, lane by lane. Everything is in the database: any number of processes may do it beside
//! each other, and one that dies leaves its work to the others.

pub mod kind;
mod runner;

use crate::app::{App, timed};
use crate::error::{Error, Result};
use crate::store::jobs::{self, Claim};

use kind::JobKind;
pub use runner::{Jobs, drain};

/// Does a job: its effect and its end are one transaction.
async fn perform(app: &App, claim: &Claim) -> Result<()> {
    match claim.job.kind {
        JobKind::WakeCase => wake_case(app, claim.clone()).await,
        JobKind::ServeWebhook => app.serve_webhook(claim.clone()).await,
    }
}

async fn wake_case(app: &App, claim: Claim) -> Result<()> {
    let (committee, now) = (claim.job.committee_id, app.clock.now());
    let proposal = claim.job.job_key.parse().map_err(Error::internal)?;
    app.db
        .write("jobs.wake_case", move |tx| {
            timed::wake(tx, committee, proposal, now)?;
            jobs::finish(tx, &claim)
        })
        .await?;
    // What happened is told at once.
    app.wake_workers();
    Ok(())
}
