//! Lists of proposals: what a caller may see, filtered, page by page.

mod conditions;
mod window;

use diesel::prelude::*;
use jiff::Timestamp;

pub(in crate::store) use self::conditions::visible;
use self::conditions::{
    assigned_to, awaits_acceptance, concerns, in_handling, is_archived, of_member, of_programme,
    of_tier,
};
use self::window::Window;

use super::Tx;
use super::cases::ProposalRow;
use super::connection::MultiBackend;
use super::run::Run;
use super::schema::{assignments, proposals, proposers};
use super::sql_types::At;
use crate::error::Result;
use crate::ids::{
    AssignmentId, CommitteeId, MemberId, OrganisationId, ProposalId, SessionId, UnitId,
};
use crate::text::contains_pattern;
use crate::workflow::access::Reach;
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::case::Phase;
use crate::workflow::codes::{
    AssignmentRole, CaseSeries, ProgrammeTier, ProposerRole, SubjectClass,
};
use crate::workflow::lists::ProposerKind;
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::role::Line;

/// Orders of the list; each is unique through the identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
    /// Least recently changed first: for clients that follow changes.
    Updated,
}

/// What to keep.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Any of these statuses.
    pub status: Vec<ProposalStatus>,
    /// This class.
    pub class: Option<SubjectClass>,
    /// This session.
    pub session: Option<SessionId>,
    /// This kind of proposer.
    pub kind: Option<ProposerKind>,
    /// Assigned to this unit, in any round.
    pub unit: Option<UnitId>,
    /// Signed by this member …
    pub member: Option<MemberId>,
    /// … or handed in by this organisation.
    pub organisation: Option<OrganisationId>,
    /// This assigning line.
    pub line: Option<Line>,
    /// This phase inside `assigned`.
    pub phase: Option<Phase>,
    /// In the archive, or not.
    pub archived: Option<bool>,
    /// In this tier of a yearly programme.
    pub tier: Option<ProgrammeTier>,
    /// In the programme of this year.
    pub programme_year: Option<i32>,
    /// Absorbed by this proposal.
    pub main: Option<ProposalId>,
    /// This case number.
    pub case_no: Option<i32>,
    /// Numbered in this series.
    pub case_series: Option<CaseSeries>,
    /// This serial number.
    pub serial_no: Option<i32>,
    /// Title contains this.
    pub title: Option<String>,
    /// Changed at or after this moment.
    pub updated_since: Option<Timestamp>,
}

/// Where a page starts: sort key and identifier of the last row before it.
pub type After = (Option<Timestamp>, ProposalId);

type Query<'a> = proposals::BoxedQuery<'a, MultiBackend>;

/// Cases that are kept; of units, those of a window alone if there is one.
fn filtered<'a>(
    committee: CommitteeId,
    reach: &Reach,
    filter: &Filter,
    window: Option<&Window>,
) -> Query<'a> {
    let mut query = proposals::table
        .filter(proposals::committee_id.eq(committee))
        .into_boxed();
    if let Some(condition) = visible(reach) {
        query = query.filter(condition);
    }
    if let Some(window) = window {
        query = query.filter(window.clone());
    } else if let Some(unit) = filter.unit {
        query = query.filter(assigned_to(committee, unit));
    } else if reach.is_of_units_alone() {
        query = query.filter(concerns(committee, &reach.units));
    }
    if !filter.status.is_empty() {
        query = query.filter(proposals::status.eq_any(filter.status.clone()));
    }
    if let Some(class) = filter.class {
        query = query.filter(proposals::subject_class.eq(class));
    }
    if let Some(session) = filter.session {
        query = query.filter(proposals::session_id.eq(session));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(proposals::kind.eq(kind));
    }
    if let Some(member) = filter.member {
        query = query.filter(of_member(committee, member));
    }
    if let Some(organisation) = filter.organisation {
        query = query.filter(proposals::organisation_id.eq(organisation));
    }
    if let Some(line) = filter.line {
        query = query.filter(proposals::assigning_line.eq(line));
    }
    match filter.phase {
        Some(Phase::AwaitingAcceptance) => {
            query = query.filter(in_handling()).filter(awaits_acceptance());
        }
        Some(Phase::InHandling) => {
            query = query
                .filter(in_handling())
                .filter(diesel::dsl::not(awaits_acceptance()));
        }
        None => {}
    }
    match filter.archived {
        Some(true) => query = query.filter(is_archived()),
        Some(false) => query = query.filter(diesel::dsl::not(is_archived())),
        None => {}
    }
    if let Some(tier) = filter.tier {
        query = query.filter(of_tier(committee, tier));
    }
    if let Some(year) = filter.programme_year {
        query = query.filter(of_programme(committee, year));
    }
    if let Some(main) = filter.main {
        query = query.filter(proposals::main_id.eq(main));
    }
    if let Some(number) = filter.case_no {
        query = query.filter(proposals::case_no.eq(number));
    }
    if let Some(series) = filter.case_series {
        query = query.filter(proposals::case_series.eq(series));
        query = query.filter(proposals::case_no.is_not_null());
    }
    if let Some(number) = filter.serial_no {
        query = query.filter(proposals::serial_no.eq(number));
    }
    if let Some(title) = &filter.title {
        query = query.filter(
            proposals::title_folded
                .like(contains_pattern(title))
                .escape('\\'),
        );
    }
    if let Some(since) = filter.updated_since {
        query = query.filter(proposals::updated_at.ge(At(since)));
    }
    query
}

/// At most `limit` rows after a position.
pub fn list(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    reach: &Reach,
    filter: &Filter,
    order: Order,
    after: Option<&After>,
    limit: usize,
) -> Result<Vec<ProposalRow>> {
    let mut limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let id = after.map(|(_, id)| *id);
    let Some(mut window) = Window::first(tx, committee, reach, filter, order, id, limit) else {
        let query = behind(filtered(committee, reach, filter, None), order, after);
        return page(tx, query, order, limit);
    };
    let mut rows = Vec::new();
    loop {
        let query = filtered(committee, reach, filter, Some(&window));
        let more = page(tx, query, order, limit)?;
        limit -= i64::try_from(more.len()).unwrap_or(limit);
        rows.extend(more);
        if limit == 0 || !window.go_on(tx)? {
            return Ok(rows);
        }
    }
}

fn behind<'a>(query: Query<'a>, order: Order, after: Option<&After>) -> Query<'a> {
    match (order, after) {
        (Order::Newest, Some((_, id))) => query.filter(proposals::id.lt(*id)),
        (Order::Oldest, Some((_, id))) => query.filter(proposals::id.gt(*id)),
        (Order::Updated, Some((Some(at), id))) => query.filter(
            proposals::updated_at
                .ge(At(*at))
                .and(proposals::updated_at.gt(At(*at)).or(proposals::id.gt(*id))),
        ),
        (_, _) => query,
    }
}

/// The first rows in an order.
fn page(tx: &mut Tx<'_>, query: Query<'_>, order: Order, limit: i64) -> Result<Vec<ProposalRow>> {
    let query = match order {
        Order::Newest => query.order(proposals::id.desc()),
        Order::Oldest => query.order(proposals::id.asc()),
        Order::Updated => query.order((proposals::updated_at.asc(), proposals::id.asc())),
    };
    Ok(query
        .limit(limit)
        .select(<ProposalRow as Selectable<MultiBackend>>::construct_selection())
        .load(tx.conn)?)
}

/// How many rows there are, counted up to `cap`.
pub fn count(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    reach: &Reach,
    filter: &Filter,
    cap: i64,
) -> Result<i64> {
    let ids: Vec<ProposalId> = filtered(committee, reach, filter, None)
        .limit(cap)
        .select(proposals::id)
        .load(tx.conn)?;
    Ok(i64::try_from(ids.len()).unwrap_or(cap))
}

/// A unit's row, as a list of proposals shows it.
#[derive(Debug, Clone, Queryable)]
pub struct UnitLine {
    /// The case.
    pub proposal_id: ProposalId,
    /// The row.
    pub id: AssignmentId,
    /// Its round.
    pub round: i32,
    /// The unit.
    pub unit_id: UnitId,
    /// Its name.
    pub unit_name: String,
    /// What it is to the case.
    pub role: AssignmentRole,
    /// How far it is.
    pub status: AssignmentStatus,
}

/// Rows of all rounds of these cases.
pub fn unit_lines(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    ids: &[ProposalId],
) -> Result<Vec<UnitLine>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(assignments::table
        .filter(assignments::committee_id.eq(committee))
        .filter(assignments::proposal_id.eq_any(ids))
        .order((
            assignments::proposal_id,
            assignments::round,
            assignments::position,
        ))
        .select((
            assignments::proposal_id,
            assignments::id,
            assignments::round,
            assignments::unit_id,
            assignments::unit_name,
            assignments::role,
            assignments::status,
        ))
        .rows(tx.conn)?)
}

/// Names of the first proposers of these cases.
pub fn first_proposers(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    ids: &[ProposalId],
) -> Result<Vec<(ProposalId, String)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(proposers::table
        .filter(proposers::committee_id.eq(committee))
        .filter(proposers::proposal_id.eq_any(ids))
        .filter(proposers::role.eq(ProposerRole::First))
        .select((proposers::proposal_id, proposers::name))
        .rows(tx.conn)?)
}

/// Statuses of these cases.
pub fn statuses(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    ids: &[ProposalId],
) -> Result<Vec<(ProposalId, ProposalStatus)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(proposals::table
        .filter(proposals::committee_id.eq(committee))
        .filter(proposals::id.eq_any(ids))
        .select((proposals::id, proposals::status))
        .rows(tx.conn)?)
}

/// Those of these cases that the caller may see in lists.
pub fn among(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    reach: &Reach,
    ids: &[ProposalId],
) -> Result<Vec<ProposalRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(filtered(committee, reach, &Filter::default(), None)
        .filter(proposals::id.eq_any(ids.to_vec()))
        .select(<ProposalRow as Selectable<MultiBackend>>::construct_selection())
        .load(tx.conn)?)
}

/// Those of `ids` that may be read, with their case numbers.
pub fn readable(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    reach: &Reach,
    ids: &[ProposalId],
) -> Result<Vec<(ProposalId, Option<i32>)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(filtered(committee, reach, &Filter::default(), None)
        .filter(proposals::id.eq_any(ids.to_vec()))
        .select((proposals::id, proposals::case_no))
        .load(tx.conn)?)
}
