//! Clocks whose moment has come, over all committees: what the worker looks for.

use std::collections::BTreeSet;

use diesel::prelude::*;
use jiff::Timestamp;
use serde_json::Value;

use super::Tx;
use super::jobs::{self, Wanted};
use super::schema::clocks;
use super::sql_types::At;
use crate::error::Result;
use crate::ids::{ClockId, CommitteeId, ProposalId};
use crate::jobs::kind::JobKind;
use crate::workflow::case::Clock;

/// Cases taken up in one transaction.
const CHUNK: i64 = 500;

/// Turns clocks whose moment has come into jobs, one for each case; gives how many clocks there
/// were. From here on the job stands for the moment.
pub fn collect(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    let due: Vec<(CommitteeId, ProposalId, ClockId)> = clocks::table
        .filter(clocks::woken.eq(false))
        .filter(clocks::wake_at.le(At(now)))
        .order(clocks::wake_at.asc())
        .limit(CHUNK)
        .select((clocks::committee_id, clocks::proposal_id, clocks::id))
        .load(tx.conn)?;
    let cases: BTreeSet<_> = due
        .iter()
        .map(|(committee, case, _)| (*committee, *case))
        .collect();
    for (committee, case) in cases {
        let wanted = Wanted {
            committee,
            kind: JobKind::WakeCase,
            key: case.to_string(),
            payload: Value::Null,
            at: now,
        };
        jobs::want(tx, &wanted, now)?;
    }
    for (committee, _, clock) in &due {
        diesel::update(clocks::table.find((committee, clock)))
            .set(clocks::woken.eq(true))
            .execute(tx.conn)?;
    }
    Ok(due.len())
}

/// Whether the moment of any clock has come.
pub fn any(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool> {
    let first: Option<ClockId> = clocks::table
        .filter(clocks::woken.eq(false))
        .filter(clocks::wake_at.le(At(now)))
        .select(clocks::id)
        .first(tx.conn)
        .optional()?;
    Ok(first.is_some())
}

/// Sets the next moments of clocks.
pub fn set(tx: &mut Tx<'_>, committee: CommitteeId, moved: &[Clock]) -> Result<()> {
    for clock in moved {
        diesel::update(clocks::table.find((committee, clock.id)))
            .set((
                clocks::wake_at.eq(clock.wake_at.map(At)),
                clocks::woken.eq(false),
            ))
            .execute(tx.conn)?;
    }
    Ok(())
}
