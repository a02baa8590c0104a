//! Checks of the whole audit trail for an auditor: asked for over HTTP, done by a worker a piece at
//! a time, so that neither a request nor the database is held up by a trail of many years.

use serde_json::Value;

use super::{App, Ctx};
use crate::error::{Error, Result};
use crate::ids::AuditCheckId;
use crate::jobs::kind::JobKind;
use crate::store::Tx;
use crate::store::audit_checks::{self, CheckRow, CheckStatus};
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::store::jobs::{self, Claim, Wanted};
use crate::store::sql_types::{At, Json};
use crate::store::verify::{Check, Exported, Report};
use crate::workflow::role::Role;

/// Pieces of one turn of the worker: a few seconds at most.
const PIECES: usize = 20;

/// Asks for a check against a seal that is kept elsewhere, if there is one.
pub fn begin(tx: &mut Tx<'_>, ctx: &Ctx, head: Option<Exported>) -> Result<CheckRow> {
    let committee = ctx.committee();
    let row = CheckRow {
        committee_id: committee,
        id: AuditCheckId::new(ctx.now),
        requested_by: ctx.user(),
        status: CheckStatus::Running,
        head_number: head.as_ref().map(|head| head.number),
        head_hash: head.as_ref().map(|head| head.hash.clone()),
        report: Json::of(&Report::default())?,
        created_at: At(ctx.now),
        finished_at: None,
    };
    audit_checks::insert(tx, &row)?;
    let check = Check::new(Some(committee), head.into_iter().collect());
    let wanted = Wanted {
        committee,
        kind: JobKind::CheckAudit,
        key: row.id.to_string(),
        payload: serde_json::to_value(check).map_err(Error::internal)?,
        at: ctx.now,
    };
    jobs::want(tx, &wanted, ctx.now)?;
    let happening = Happening {
        name: "audit.check_requested".to_owned(),
        rule: None,
        content: serde_json::json!({ "check": row.id, "head": row.head_number }),
    };
    let stream = Stream::access_to(committee, ctx.user());
    events::append_access(
        tx,
        &stream,
        &Circumstances::of(ctx, &[Role::Auditor]),
        happening,
    )?;
    Ok(row)
}

/// Does the next pieces of a check.
pub async fn proceed(app: &App, claim: Claim) -> Result<()> {
    let (committee, now) = (claim.job.committee_id, app.clock.now());
    let id: AuditCheckId = claim.job.job_key.parse().map_err(Error::internal)?;
    let mut check: Check = claim.job.payload.clone().to()?;
    for _ in 0..PIECES {
        if check.is_done() {
            break;
        }
        check = app
            .db
            .read("audit.check", move |tx| {
                let mut check = check.clone();
                check.step(tx)?;
                Ok(check)
            })
            .await?;
    }
    app.db
        .write("audit.check.note", move |tx| {
            let finished = check.is_done().then_some(now);
            audit_checks::proceed(tx, committee, id, check.report(), finished)?;
            if check.is_done() {
                return jobs::finish(tx, &claim);
            }
            let payload: Value = serde_json::to_value(&check).map_err(Error::internal)?;
            jobs::again(tx, &claim, &payload, now)
        })
        .await?;
    app.wake_workers();
    Ok(())
}
