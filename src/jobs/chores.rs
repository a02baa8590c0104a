//! What is done once a day for each committee, by one of all processes.

use jiff::SignedDuration;
use serde_json::Value;

use super::kind::JobKind;
use crate::app::{App, sealing};
use crate::auth::throttle::MEMORY;
use crate::error::Result;
use crate::store::jobs::{self, Claim, Wanted};
use crate::store::{idempotency, mails, notifications, sign_ins, throttles};

/// Kinds of work that every committee has once, always waiting for its next time.
const DAILY: &[JobKind] = &[
    JobKind::SweepKeys,
    JobKind::SweepInboxes,
    JobKind::SweepSignIns,
    JobKind::SealAudit,
];
/// The one piece of such work.
pub const KEY: &str = "daily";
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Sees to it that every committee has its daily work; gives how much was missing.
pub(super) async fn ensure(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let mut count = 0;
    for kind in DAILY {
        let missing = app
            .db
            .read("jobs.chores", move |tx| jobs::committees_without(tx, *kind))
            .await?;
        if missing.is_empty() {
            continue;
        }
        count += missing.len();
        app.db
            .write("jobs.chores", move |tx| {
                for committee in &missing {
                    let wanted = Wanted {
                        committee: *committee,
                        kind: *kind,
                        key: KEY.to_owned(),
                        payload: Value::Null,
                        at: now,
                    };
                    jobs::want(tx, &wanted, now)?;
                }
                Ok(())
            })
            .await?;
    }
    Ok(count)
}

/// Removes the stored answers of old idempotency keys of a committee, and comes back tomorrow.
pub(super) async fn sweep_keys(app: &App, claim: Claim) -> Result<()> {
    let now = app.clock.now();
    app.db
        .write("jobs.sweep_keys", move |tx| {
            idempotency::sweep(tx, claim.job.committee_id, now - idempotency::KEPT)?;
            jobs::again(tx, &claim, &Value::Null, now + DAY)
        })
        .await
}

/// Seals the audit trail of a committee, a piece at a time; comes back when the next seal is due.
pub(super) async fn seal_audit(app: &App, claim: Claim) -> Result<()> {
    let now = app.clock.now();
    let sealed = sealing::seal(&app.db, claim.job.committee_id, now).await?;
    let next = if sealed.more {
        now
    } else {
        now + app.seal_every
    };
    app.db
        .write("jobs.seal_audit", move |tx| {
            jobs::again(tx, &claim, &Value::Null, next)
        })
        .await
}

/// Removes messages of a committee that were read long ago, and mails of which nothing is left, a
/// piece at a time; comes back tomorrow.
pub(super) async fn sweep_inboxes(app: &App, claim: Claim) -> Result<()> {
    const PIECE: i64 = 1000;
    let (now, before) = (app.clock.now(), app.clock.now() - app.keep_read);
    app.db
        .write("jobs.sweep_inboxes", move |tx| {
            let committee = claim.job.committee_id;
            let removed = notifications::sweep(tx, committee, before, PIECE)?
                + mails::sweep(tx, committee, before, PIECE)?;
            let next = if removed > 0 { now } else { now + DAY };
            jobs::again(tx, &claim, &Value::Null, next)
        })
        .await
}

/// Forgets refused sign-ins of a committee that count no more, and the tokens of sign-ins that
/// expired, a piece at a time; comes back tomorrow.
pub(super) async fn sweep_sign_ins(app: &App, claim: Claim) -> Result<()> {
    const PIECE: i64 = 1000;
    let now = app.clock.now();
    app.db
        .write("jobs.sweep_sign_ins", move |tx| {
            let committee = claim.job.committee_id;
            let removed = throttles::sweep(tx, committee, now - MEMORY, PIECE)?
                + sign_ins::sweep_tokens(tx, committee, now - DAY, PIECE)?;
            let next = if removed > 0 { now } else { now + DAY };
            jobs::again(tx, &claim, &Value::Null, next)
        })
        .await
}
