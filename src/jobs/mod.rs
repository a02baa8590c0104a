//! Work that is done after the answer, in the server or in a worker of its own.
//!
//! Three things happen here again and again, each when it is wanted and at least once a second:
//! what waits in the outbox is published, clocks whose moment has come become jobs, and due jobs
//! are done, lane by lane. Everything is in the database: any number of processes may do it beside
//! each other, and one that dies leaves its work to the others.

pub mod chores;
pub mod kind;
mod runner;
pub mod tally;

use serde_json::{Value, json};

use crate::app::{App, calendars, checking, notify, timed};
use crate::error::{Error, Result};
use crate::store::jobs::{self, Claim, Wanted};

use kind::JobKind;
pub use runner::{Jobs, drain};

/// Does a job: its effect and its end are one transaction.
async fn perform(app: &App, claim: &Claim) -> Result<()> {
    match claim.job.kind {
        JobKind::WakeCase => wake_case(app, claim.clone()).await,
        JobKind::Digest => notify::digest(app, claim.clone()).await,
        JobKind::SendMail => notify::send(app, claim.clone()).await,
        JobKind::ServeWebhook => app.serve_webhook(claim.clone()).await,
        JobKind::RecountClocks => recount_clocks(app, claim.clone()).await,
        JobKind::SweepKeys => chores::sweep_keys(app, claim.clone()).await,
        JobKind::SweepInboxes => chores::sweep_inboxes(app, claim.clone()).await,
        JobKind::SweepSignIns => chores::sweep_sign_ins(app, claim.clone()).await,
        JobKind::SealAudit => chores::seal_audit(app, claim.clone()).await,
        JobKind::CheckAudit => checking::proceed(app, claim.clone()).await,
    }
}

async fn wake_case(app: &App, claim: Claim) -> Result<()> {
    let (committee, now, post) = (claim.job.committee_id, app.clock.now(), app.post());
    let proposal = claim.job.job_key.parse().map_err(Error::internal)?;
    app.db
        .write("jobs.wake_case", move |tx| {
            timed::wake(tx, committee, proposal, post, now)?;
            jobs::finish(tx, &claim)
        })
        .await?;
    // What happened is told at once.
    app.wake_workers();
    Ok(())
}

/// Cases handed on in one transaction.
const CHUNK: i64 = 500;

/// Wakes the cases whose open clocks a new calendar may count otherwise, a chunk at a time: each is
/// then counted anew in a transaction of its own.
async fn recount_clocks(app: &App, claim: Claim) -> Result<()> {
    let (committee, now) = (claim.job.committee_id, app.clock.now());
    app.db
        .write("jobs.recount_clocks", move |tx| {
            let after = claim.job.payload.0["after"].as_str();
            let after = after.map(str::parse).transpose().map_err(Error::internal)?;
            let cases = calendars::to_recompute(tx, committee, after, CHUNK)?;
            for case in &cases {
                let wanted = Wanted {
                    committee,
                    kind: JobKind::WakeCase,
                    key: case.to_string(),
                    payload: Value::Null,
                    at: now,
                };
                jobs::want(tx, &wanted, now)?;
            }
            match cases.last() {
                Some(last) => jobs::again(tx, &claim, &json!({ "after": last }), now),
                None => jobs::finish(tx, &claim),
            }
        })
        .await?;
    app.wake_workers();
    Ok(())
}
