//! Clocks whose moment has come, over all committees: what the worker looks for.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use jiff::Timestamp;
use serde_json::Value;

use super::Tx;
use super::connection::AnyConnection;
use super::jobs::{self, Wanted};
use super::prepared::Prepare;
use super::run::Run;
use super::schema::clocks;
use super::sql_types::At;
use crate::error::Result;
use crate::ids::{ClockId, CommitteeId, ProposalId};
use crate::jobs::kind::JobKind;
use crate::workflow::case::Clock;

/// Cases taken up in one transaction.
pub const CHUNK: usize = 500;

/// Turns clocks whose moment has come into jobs, one for each case; gives how many clocks there
/// were. From here on the job stands for the moment.
pub fn collect(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    macro_rules! due {
        () => {
            clocks::table
                .filter(clocks::woken.eq(false))
                .filter(clocks::wake_at.le(At(now)))
                .order(clocks::wake_at.asc())
                .limit(i64::try_from(CHUNK).unwrap_or(i64::MAX))
        };
    }
    macro_rules! columns {
        () => {
            (clocks::committee_id, clocks::proposal_id, clocks::id)
        };
    }
    // A clock that an act or another worker holds just now is passed over: its moment may move.
    let due: Vec<(CommitteeId, ProposalId, ClockId)> = match &mut *tx.conn {
        AnyConnection::Postgres(conn) => due!()
            .for_update()
            .skip_locked()
            .select(columns!())
            .load(conn)?,
        AnyConnection::Sqlite(conn) => due!().select(columns!()).load(conn)?,
    };
    let cases: BTreeSet<_> = due
        .iter()
        .map(|(committee, case, _)| (*committee, *case))
        .collect();
    let wanted: Vec<_> = cases
        .into_iter()
        .map(|(committee, case)| Wanted {
            committee,
            kind: JobKind::WakeCase,
            key: case.to_string(),
            payload: Value::Null,
            at: now,
        })
        .collect();
    let mut clocks_of: BTreeMap<CommitteeId, Vec<ClockId>> = BTreeMap::new();
    for (committee, _, clock) in &due {
        clocks_of.entry(*committee).or_default().push(*clock);
    }
    for (committee, ids) in clocks_of {
        diesel::update(
            clocks::table
                .filter(clocks::committee_id.eq(committee))
                .filter(clocks::id.eq_any(ids)),
        )
        .set(clocks::woken.eq(true))
        .run(tx.conn)?;
    }
    jobs::want_all(tx, &wanted, now)?;
    Ok(due.len())
}

/// Whether the moment of any clock has come.
pub fn any(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool> {
    let first: Option<ClockId> = clocks::table
        .filter(clocks::woken.eq(false))
        .filter(clocks::wake_at.le(At(now)))
        .select(clocks::id)
        .first_row(tx.conn)
        .optional()?;
    Ok(first.is_some())
}

/// The same for one committee.
pub fn any_of(tx: &mut Tx<'_>, committee: CommitteeId, now: Timestamp) -> Result<bool> {
    let first: Option<ClockId> = clocks::table
        .filter(clocks::committee_id.eq(committee))
        .filter(clocks::woken.eq(false))
        .filter(clocks::wake_at.le(At(now)))
        .select(clocks::id)
        .first_row(tx.conn)
        .optional()?;
    Ok(first.is_some())
}

/// Sets the next moments of clocks; the case must be held.
pub fn set(tx: &mut Tx<'_>, committee: CommitteeId, moved: &[Clock]) -> Result<()> {
    for clock in moved {
        diesel::update(clocks::table.find((committee, clock.id)))
            .set((
                clocks::wake_at.eq(clock.wake_at.map(At)),
                clocks::woken.eq(false),
            ))
            .prepared()
            .run(tx.conn)?;
    }
    Ok(())
}
