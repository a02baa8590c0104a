//! Units that another one took over, and what they still owe.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use jiff::Timestamp;

use super::Tx;
use super::prepared::Prepare;
use super::run::Run;
use super::schema::{assignments, follow_ups, promises, proposals, units};
use super::sql_types::At;
use crate::error::Result;
use crate::ids::{CommitteeId, ProposalId, UnitId};
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::codes::{FollowUpStatus, PromiseStatus};
use crate::workflow::proposal::ProposalStatus;

/// Units that were taken over, and by which one.
macro_rules! taken_over {
    ($committee:expr) => {
        $crate::store::schema::units::table
            .filter($crate::store::schema::units::committee_id.eq($committee))
            .filter($crate::store::schema::units::successor_id.is_not_null())
            .select((
                $crate::store::schema::units::id,
                $crate::store::schema::units::successor_id,
            ))
    };
}
pub(in crate::store) use taken_over;

/// Every unit of the committee that was taken over, and by which one.
pub fn successors(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<BTreeMap<UnitId, UnitId>> {
    Ok(by_unit(taken_over!(committee).rows(tx.conn)?))
}

/// The same of rows.
pub(in crate::store) fn by_unit(rows: Vec<(UnitId, Option<UnitId>)>) -> BTreeMap<UnitId, UnitId> {
    rows.into_iter()
        .filter_map(|(unit, successor)| successor.map(|successor| (unit, successor)))
        .collect()
}

/// The units that `unit` took over, at any remove.
pub fn predecessors(successors: &BTreeMap<UnitId, UnitId>, unit: UnitId) -> Vec<UnitId> {
    let (mut found, mut open) = (BTreeSet::new(), vec![unit]);
    while let Some(next) = open.pop() {
        for (before, after) in successors {
            if *after == next && *before != unit && found.insert(*before) {
                open.push(*before);
            }
        }
    }
    found.into_iter().collect()
}

/// Whether `unit` comes after `other` in a chain of successors.
pub fn follows(successors: &BTreeMap<UnitId, UnitId>, unit: UnitId, other: UnitId) -> bool {
    predecessors(successors, unit).contains(&other)
}

/// Notes when and why a unit was taken over, beside its fields.
pub fn note(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    unit: UnitId,
    at: Timestamp,
    reason: &str,
) -> Result<()> {
    diesel::update(units::table.find((committee, unit)))
        .set((
            units::succeeded_at.eq(At(at)),
            units::succession_reason.eq(reason),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// When and why a unit was taken over.
pub fn noted(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    unit: UnitId,
) -> Result<(Option<Timestamp>, Option<String>)> {
    let (at, reason): (Option<At>, Option<String>) = units::table
        .find((committee, unit))
        .select((units::succeeded_at, units::succession_reason))
        .first_row(tx.conn)?;
    Ok((at.map(|at| at.0), reason))
}

/// The cases in which the unit has an open row of the present round, or owes an open promise.
pub fn owing(tx: &mut Tx<'_>, committee: CommitteeId, unit: UnitId) -> Result<Vec<ProposalId>> {
    let open = [
        AssignmentStatus::Pending,
        AssignmentStatus::Accepted,
        AssignmentStatus::ReturnRequested,
        AssignmentStatus::OpinionSubmitted,
    ];
    let under_way = [
        ProposalStatus::Submitted,
        ProposalStatus::Filed,
        ProposalStatus::Assigned,
    ];
    let rows: Vec<ProposalId> = assignments::table
        .inner_join(
            proposals::table.on(proposals::committee_id
                .eq(assignments::committee_id)
                .and(proposals::id.eq(assignments::proposal_id))),
        )
        .filter(assignments::committee_id.eq(committee))
        .filter(assignments::unit_id.eq(unit))
        .filter(assignments::status.eq_any(open))
        .filter(assignments::round.eq(proposals::round))
        .filter(proposals::status.eq_any(under_way))
        .select(assignments::proposal_id)
        .rows(tx.conn)?;
    let promised: Vec<ProposalId> = promises::table
        .filter(promises::committee_id.eq(committee))
        .filter(promises::unit_id.eq(unit))
        .filter(promises::status.eq(PromiseStatus::Open))
        .select(promises::proposal_id)
        .rows(tx.conn)?;
    let asked: Vec<ProposalId> = follow_ups::table
        .filter(follow_ups::committee_id.eq(committee))
        .filter(follow_ups::unit_id.eq(unit))
        .filter(follow_ups::status.eq(FollowUpStatus::Open))
        .select(follow_ups::proposal_id)
        .rows(tx.conn)?;
    let all: BTreeSet<_> = rows.into_iter().chain(promised).chain(asked).collect();
    Ok(all.into_iter().collect())
}
