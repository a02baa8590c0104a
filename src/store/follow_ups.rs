//! What was written about promises, tracking, supervision, urging and instructions, of one case
//! and over all cases.

use diesel::prelude::*;
use jiff::civil::Date;

use super::Tx;
use super::run::Run;
use super::schema::{follow_ups, promises, proposals};
use super::sql_types::{At, Json, On};
use crate::error::Result;
use crate::ids::{CommitteeId, FollowUpId, PromiseId, ProposalId, ReplyId, UnitId};
use crate::workflow::codes::{FollowUpKind, FollowUpStatus, PromiseStatus};
use crate::workflow::proposal::ProposalStatus;

/// Words of an entry: identifier, content, moment, answer and its moment.
pub type Words = (FollowUpId, Json, At, Option<String>, Option<At>);

/// The words of every entry of a case, oldest first.
pub fn words(tx: &mut Tx<'_>, committee: CommitteeId, id: ProposalId) -> Result<Vec<Words>> {
    Ok(follow_ups::table
        .filter(follow_ups::committee_id.eq(committee))
        .filter(follow_ups::proposal_id.eq(id))
        .order(follow_ups::position)
        .select((
            follow_ups::id,
            follow_ups::content,
            follow_ups::created_at,
            follow_ups::answer,
            follow_ups::answered_at,
        ))
        .rows(tx.conn)?)
}

/// Where a page of promises or instructions goes on: date and identifier of the last one before.
pub type After<K> = (Date, K);

/// Which promises.
#[derive(Debug, Clone, Default)]
pub struct PromiseFilter {
    /// Of these units only; `None` for all.
    pub units: Option<Vec<UnitId>>,
    /// This far.
    pub status: Option<PromiseStatus>,
    /// Due before this day.
    pub due_before: Option<Date>,
}

/// A promise with its case in short.
#[derive(Debug, Clone, Queryable)]
pub struct PromiseLine {
    /// Identifier.
    pub id: PromiseId,
    /// The reply it hangs on.
    pub reply_id: ReplyId,
    /// The unit that owes it.
    pub unit_id: UnitId,
    /// How far it is.
    pub status: PromiseStatus,
    /// What is promised.
    pub text: String,
    /// Who is responsible.
    pub person: String,
    /// By when.
    pub due_on: On,
    /// The case.
    pub proposal_id: ProposalId,
    /// Its title.
    pub title: String,
    /// 案号.
    pub case_no: Option<i32>,
    /// Its status.
    pub proposal_status: ProposalStatus,
}

macro_rules! promised {
    ($committee:expr, $filter:expr) => {{
        let filter: &PromiseFilter = $filter;
        let mut query = promises::table
            .inner_join(
                proposals::table.on(proposals::committee_id
                    .eq(promises::committee_id)
                    .and(proposals::id.eq(promises::proposal_id))),
            )
            .filter(promises::committee_id.eq($committee))
            .into_boxed();
        if let Some(units) = &filter.units {
            query = query.filter(promises::unit_id.eq_any(units.clone()));
        }
        if let Some(status) = filter.status {
            query = query.filter(promises::status.eq(status));
        }
        if let Some(day) = filter.due_before {
            query = query.filter(promises::due_on.lt(On(day)));
        }
        query
    }};
}

/// At most `limit` promises after a position, earliest due first.
pub fn promises(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    filter: &PromiseFilter,
    after: Option<After<PromiseId>>,
    limit: usize,
) -> Result<Vec<PromiseLine>> {
    let mut query = promised!(committee, filter);
    if let Some((day, id)) = after {
        query = query.filter(
            promises::due_on
                .ge(On(day))
                .and(promises::due_on.gt(On(day)).or(promises::id.gt(id))),
        );
    }
    Ok(query
        .order((promises::due_on, promises::id))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((
            promises::id,
            promises::reply_id,
            promises::unit_id,
            promises::status,
            promises::text,
            promises::person,
            promises::due_on,
            promises::proposal_id,
            proposals::title,
            proposals::case_no,
            proposals::status,
        ))
        .load(tx.conn)?)
}

/// How many promises there are, counted up to `cap`.
pub fn count_promises(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    filter: &PromiseFilter,
    cap: i64,
) -> Result<i64> {
    let ids: Vec<PromiseId> = promised!(committee, filter)
        .limit(cap)
        .select(promises::id)
        .load(tx.conn)?;
    Ok(i64::try_from(ids.len()).unwrap_or(cap))
}

/// Which instructions.
#[derive(Debug, Clone)]
pub struct InstructionFilter {
    /// This far.
    pub status: FollowUpStatus,
    /// To this unit.
    pub unit: Option<UnitId>,
    /// Those to these units are readable, and unrestricted ones if `others` says so; `None` for
    /// every one.
    pub readable_units: Option<Vec<UnitId>>,
    /// Unrestricted ones to any unit are readable.
    pub others: bool,
}

/// An item of an instruction with its case in short.
#[derive(Debug, Clone, Queryable)]
pub struct InstructionLine {
    /// Identifier.
    pub id: FollowUpId,
    /// The instruction: its items share it.
    pub act_id: FollowUpId,
    /// How far it is.
    pub status: FollowUpStatus,
    /// The unit it is for.
    pub unit_id: Option<UnitId>,
    /// By when feedback is due.
    pub due_on: Option<On>,
    /// Who may read it is limited.
    pub restricted: bool,
    /// What it says.
    pub content: Json,
    /// The feedback.
    pub answer: Option<String>,
    /// When it was entered.
    pub created_at: At,
    /// The case.
    pub proposal_id: ProposalId,
    /// Its title.
    pub title: String,
    /// 案号.
    pub case_no: Option<i32>,
}

macro_rules! instructed {
    ($committee:expr, $filter:expr) => {{
        let filter: &InstructionFilter = $filter;
        let mut query = follow_ups::table
            .inner_join(
                proposals::table.on(proposals::committee_id
                    .eq(follow_ups::committee_id)
                    .and(proposals::id.eq(follow_ups::proposal_id))),
            )
            .filter(follow_ups::committee_id.eq($committee))
            .filter(follow_ups::kind.eq(FollowUpKind::Instruction))
            .filter(follow_ups::status.eq(filter.status))
            .into_boxed();
        if let Some(unit) = filter.unit {
            query = query.filter(follow_ups::unit_id.eq(unit));
        }
        if let Some(units) = &filter.readable_units {
            let own = follow_ups::unit_id.assume_not_null().eq_any(units.clone());
            query = if filter.others {
                query.filter(own.or(follow_ups::restricted.eq(false)))
            } else {
                query.filter(own)
            };
        }
        query
    }};
}

/// At most `limit` items of instructions after a position, earliest due first.
pub fn instructions(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    filter: &InstructionFilter,
    after: Option<After<FollowUpId>>,
    limit: usize,
) -> Result<Vec<InstructionLine>> {
    let mut query = instructed!(committee, filter);
    if let Some((day, id)) = after {
        let due = follow_ups::due_on.assume_not_null();
        query = query.filter(
            due.ge(On(day))
                .and(due.gt(On(day)).or(follow_ups::id.gt(id))),
        );
    }
    Ok(query
        .order((follow_ups::due_on, follow_ups::id))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((
            follow_ups::id,
            follow_ups::act_id,
            follow_ups::status,
            follow_ups::unit_id,
            follow_ups::due_on,
            follow_ups::restricted,
            follow_ups::content,
            follow_ups::answer,
            follow_ups::created_at,
            follow_ups::proposal_id,
            proposals::title,
            proposals::case_no,
        ))
        .load(tx.conn)?)
}

/// How many items there are, and of how many instructions (I34), counted up to `cap` items.
pub fn count_instructions(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    filter: &InstructionFilter,
    cap: i64,
) -> Result<(i64, i64)> {
    let mut acts: Vec<FollowUpId> = instructed!(committee, filter)
        .limit(cap)
        .select(follow_ups::act_id)
        .load(tx.conn)?;
    let items = i64::try_from(acts.len()).unwrap_or(cap);
    acts.sort_unstable();
    acts.dedup();
    Ok((items, i64::try_from(acts.len()).unwrap_or(cap)))
}
