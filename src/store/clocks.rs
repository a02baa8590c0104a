//! Lists of running clocks: what is due and what is overdue, for those who look after it.

use std::collections::BTreeMap;

use diesel::dsl::{exists, not, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use jiff::Timestamp;

use super::Tx;
use super::connection::MultiBackend;
use super::run::Run;
use super::schema::{clocks, follow_ups, proposals, proposers, units, users};
use super::sql_types::At;
use crate::error::Result;
use crate::ids::{ClockId, CommitteeId, ProposalId, SubjectId, UnitId, UserId};
use crate::workflow::case::{Case, Clock};
use crate::workflow::codes::{ClockKind, FollowUpKind, ProposerRole};
use crate::workflow::explain;
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::role::Line;

/// Whose clocks a caller may list.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Those of the whole committee …
    pub everything: bool,
    /// … or those of these units …
    pub units: Vec<UnitId>,
    /// … and of these lines.
    pub lines: Vec<Line>,
    /// Also those of restricted instructions to any unit.
    pub restricted: bool,
    /// Also those of cases that are not filed.
    pub unfiled: bool,
}

/// What to keep.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this unit.
    pub unit: Option<UnitId>,
    /// Of this line.
    pub line: Option<Line>,
    /// Of this kind.
    pub kind: Option<ClockKind>,
    /// Due at or after this moment: not overdue then.
    pub from: Option<Timestamp>,
    /// Due before this moment.
    pub before: Option<Timestamp>,
    /// Due at or before this moment.
    pub until: Option<Timestamp>,
}

/// A running clock in a list.
#[derive(Debug, Clone, Queryable)]
pub struct ClockRow {
    /// Identifier.
    pub id: ClockId,
    /// Which clock.
    pub kind: ClockKind,
    /// What it runs for.
    pub subject_id: SubjectId,
    /// The case.
    pub proposal_id: ProposalId,
    /// The unit it concerns.
    pub unit_id: Option<UnitId>,
    /// The line of the case.
    pub line: Option<Line>,
    /// When it started.
    pub started_at: At,
    /// Due moment.
    pub due_at: At,
    /// Due moment when it started.
    pub original_due: At,
    /// The calendar has no data for the year yet.
    pub provisional: bool,
}

/// The case of a clock, in short.
#[derive(Debug, Clone, Queryable)]
pub struct CaseRow {
    /// Identifier.
    pub id: ProposalId,
    /// Title.
    pub title: String,
    /// 案号.
    pub case_no: Option<i32>,
    /// 流水号.
    pub serial_no: Option<i32>,
    /// Status.
    pub status: ProposalStatus,
}

/// Windows that close without anybody being late: no longer listed once they have.
const WINDOWS: [ClockKind; 3] = [ClockKind::K01, ClockKind::K05, ClockKind::K12];

type Condition = Box<dyn BoxableExpression<clocks::table, MultiBackend, SqlType = Bool>>;

/// Clocks of the scope's own units.
fn own(scope: &Scope) -> Condition {
    let units = clocks::unit_id.assume_not_null();
    let units = units.eq_any(scope.units.clone());
    Box::new(clocks::unit_id.is_not_null().and(units))
}

/// Clocks of cases of the scope's lines.
fn of_lines(scope: &Scope) -> Condition {
    let lines = clocks::line.assume_not_null();
    let lines = lines.eq_any(scope.lines.clone());
    Box::new(clocks::line.is_not_null().and(lines))
}

/// Clocks of filed cases.
fn of_filed() -> Condition {
    Box::new(exists(
        proposals::table
            .filter(proposals::committee_id.eq(clocks::committee_id))
            .filter(proposals::id.eq(clocks::proposal_id))
            .filter(proposals::filed_at.is_not_null()),
    ))
}

/// Clocks of instructions that only few may know of.
fn of_restricted() -> Condition {
    Box::new(exists(
        follow_ups::table
            .filter(follow_ups::committee_id.eq(clocks::committee_id))
            .filter(follow_ups::proposal_id.eq(clocks::proposal_id))
            .filter(follow_ups::restricted.eq(true))
            .filter(follow_ups::kind.eq(FollowUpKind::Instruction))
            .filter(sql::<Bool>("follow_ups.id = clocks.subject_id")),
    ))
}

/// The running clocks of a scope, before paging.
fn running<'a>(
    committee: CommitteeId,
    scope: &Scope,
    filter: &Filter,
    now: Timestamp,
) -> clocks::BoxedQuery<'a, MultiBackend> {
    let closed = clocks::kind.eq_any(WINDOWS).and(clocks::due_at.lt(At(now)));
    let mut query = clocks::table
        .filter(clocks::committee_id.eq(committee))
        .filter(clocks::stopped_at.is_null())
        .filter(not(closed))
        .into_boxed();
    if !scope.everything {
        query = match (scope.units.as_slice(), scope.lines.as_slice()) {
            // One value lets an index give the order.
            ([unit], []) => query.filter(clocks::unit_id.eq(*unit)),
            ([], [line]) => query.filter(clocks::line.eq(*line)),
            _ => query.filter(own(scope).or(of_lines(scope))),
        };
    }
    if !scope.restricted {
        let other = clocks::kind.ne(ClockKind::K19);
        query = query.filter(other.or(own(scope)).or(not(of_restricted())));
    }
    if !scope.unfiled {
        // A unit has clocks only where it has something in the case.
        query = query.filter(own(scope).or(of_filed()));
    }
    if let Some(unit) = filter.unit {
        query = query.filter(clocks::unit_id.eq(unit));
    }
    if let Some(line) = filter.line {
        query = query.filter(clocks::line.eq(line));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(clocks::kind.eq(kind));
    }
    if let Some(from) = filter.from {
        query = query.filter(clocks::due_at.ge(At(from)));
    }
    if let Some(before) = filter.before {
        query = query.filter(clocks::due_at.lt(At(before)));
    }
    if let Some(until) = filter.until {
        query = query.filter(clocks::due_at.le(At(until)));
    }
    query
}

/// At most `limit` running clocks after a position, those due first in front.
pub fn list(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    scope: &Scope,
    filter: &Filter,
    now: Timestamp,
    after: Option<(Timestamp, ClockId)>,
    limit: usize,
) -> Result<Vec<ClockRow>> {
    let mut query = running(committee, scope, filter, now);
    if let Some((due, id)) = after {
        query = query
            .filter(clocks::due_at.ge(At(due)))
            .filter(clocks::due_at.gt(At(due)).or(clocks::id.gt(id)));
    }
    Ok(query
        .order((clocks::due_at, clocks::id))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((
            clocks::id,
            clocks::kind,
            clocks::subject_id,
            clocks::proposal_id,
            clocks::unit_id,
            clocks::line,
            clocks::started_at,
            clocks::due_at,
            clocks::original_due,
            clocks::provisional,
        ))
        .load(tx.conn)?)
}

/// How many there are, counted up to `cap`.
pub fn count(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    scope: &Scope,
    filter: &Filter,
    now: Timestamp,
    cap: i64,
) -> Result<i64> {
    let ids: Vec<ClockId> = running(committee, scope, filter, now)
        .limit(cap)
        .select(clocks::id)
        .load(tx.conn)?;
    Ok(i64::try_from(ids.len()).unwrap_or(cap))
}

/// What a page says beside its rows.
#[derive(Debug, Default)]
pub struct Names {
    /// Cases.
    pub cases: BTreeMap<ProposalId, CaseRow>,
    /// Units.
    pub units: BTreeMap<UnitId, String>,
    /// First proposers by case.
    pub proposers: BTreeMap<ProposalId, String>,
}

/// The rest of a page of clocks: at most three statements whatever its size.
pub fn names(tx: &mut Tx<'_>, committee: CommitteeId, page: &[ClockRow]) -> Result<Names> {
    let mut names = Names::default();
    if page.is_empty() {
        return Ok(names);
    }
    let cases: Vec<_> = page.iter().map(|row| row.proposal_id).collect();
    names.cases = proposals::table
        .filter(proposals::committee_id.eq(committee))
        .filter(proposals::id.eq_any(cases.clone()))
        .select((
            proposals::id,
            proposals::title,
            proposals::case_no,
            proposals::serial_no,
            proposals::status,
        ))
        .rows::<CaseRow>(tx.conn)?
        .into_iter()
        .map(|case| (case.id, case))
        .collect();
    names.proposers = proposers::table
        .filter(proposers::committee_id.eq(committee))
        .filter(proposers::proposal_id.eq_any(cases))
        .filter(proposers::role.eq(ProposerRole::First))
        .select((proposers::proposal_id, proposers::name))
        .rows::<(ProposalId, String)>(tx.conn)?
        .into_iter()
        .collect();
    let of_page: Vec<_> = page.iter().filter_map(|row| row.unit_id).collect();
    if !of_page.is_empty() {
        names.units = units::table
            .filter(units::committee_id.eq(committee))
            .filter(units::id.eq_any(of_page))
            .select((units::id, units::name))
            .rows::<(UnitId, String)>(tx.conn)?
            .into_iter()
            .collect();
    }
    Ok(names)
}

/// The names of those who decided on the changes of a clock.
pub fn deciders(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    case: &Case,
    clock: &Clock,
) -> Result<BTreeMap<UserId, String>> {
    let by: Vec<UserId> = clock
        .changes
        .iter()
        .filter_map(|change| explain::request_of(case, clock, change))
        .filter_map(|place| case.requests.get(place)?.decision.as_ref()?.by)
        .collect();
    if by.is_empty() {
        return Ok(BTreeMap::new());
    }
    let names: Vec<(UserId, String)> = users::table
        .filter(users::committee_id.eq(committee))
        .filter(users::id.eq_any(by))
        .select((users::id, users::display_name))
        .rows(tx.conn)?;
    Ok(names.into_iter().collect())
}
