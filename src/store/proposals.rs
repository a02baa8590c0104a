//! Lists of proposals: what a caller may see, filtered, page by page.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use jiff::Timestamp;

use super::Tx;
use super::cases::ProposalRow;
use super::connection::MultiBackend;
use super::run::Run;
use super::schema::{assignments, case_marks, follow_ups, merges, promises, proposals, proposers};
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
    AssignmentRole, CaseSeries, ConsentStatus, FollowUpKind, ProgrammeTier, ProposerRole, Secrecy,
    SubjectClass,
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
#[derive(Debug, Clone, Default)]
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

pub(in crate::store) type Condition =
    Box<dyn BoxableExpression<proposals::table, MultiBackend, SqlType = Bool>>;

/// The row of the permission matrix as a condition: own, assigned, filed and open, or everything.
pub(in crate::store) fn visible(reach: &Reach) -> Option<Condition> {
    if reach.everything {
        return None;
    }
    let mut condition: Condition = Box::new(proposals::id.ne(proposals::id));
    if reach.filed_restricted {
        condition = Box::new(condition.or(proposals::filed_at.is_not_null()));
    } else if reach.filed_open {
        condition = Box::new(
            condition.or(proposals::filed_at
                .is_not_null()
                .and(proposals::secrecy.eq(Secrecy::Open))),
        );
    }
    if let Some(member) = reach.member {
        condition = Box::new(condition.or(signed_by(member)));
        condition = Box::new(condition.or(opened()));
        condition = Box::new(condition.or(absorbed(Whose::Member(member))));
    }
    for organisation in &reach.organisations {
        condition = Box::new(condition.or(invited(*organisation)));
        condition = Box::new(condition.or(absorbed(Whose::Organisation(*organisation))));
    }
    for unit in &reach.units {
        condition = Box::new(
            condition
                .or(handed_to(*unit))
                .or(promised_by(*unit))
                .or(instructed(*unit)),
        );
    }
    Some(condition)
}

fn signed_by(member: MemberId) -> Condition {
    Box::new(exists(
        proposers::table
            .filter(proposers::committee_id.eq(proposals::committee_id))
            .filter(proposers::proposal_id.eq(proposals::id))
            .filter(proposers::member_id.eq(member))
            .filter(proposers::status.ne(ConsentStatus::Dropped)),
    ))
}

/// The organisation proposes it, or was invited to.
fn invited(organisation: OrganisationId) -> Condition {
    Box::new(exists(
        proposers::table
            .filter(proposers::committee_id.eq(proposals::committee_id))
            .filter(proposers::proposal_id.eq(proposals::id))
            .filter(proposers::organisation_id.eq(organisation))
            .filter(proposers::status.ne(ConsentStatus::Dropped)),
    ))
}

/// 附议: opened to every member until it is filed.
fn opened() -> Condition {
    let before_filing = [
        ProposalStatus::Draft,
        ProposalStatus::Submitted,
        ProposalStatus::Returned,
    ];
    let opened = exists(
        case_marks::table
            .filter(case_marks::committee_id.eq(proposals::committee_id))
            .filter(case_marks::proposal_id.eq(proposals::id))
            .filter(case_marks::open_for_seconding.eq(true)),
    );
    Box::new(
        proposals::status
            .eq_any(before_filing)
            .and(proposals::secrecy.eq(Secrecy::Open))
            .and(opened),
    )
}

/// It absorbed a proposal that the member or the organisation signs: that one is answered with it.
fn absorbed(whose: Whose) -> Condition {
    macro_rules! signs {
        ($own:expr) => {
            Box::new(exists(
                merges::table
                    .inner_join(
                        proposers::table.on(proposers::committee_id
                            .eq(merges::committee_id)
                            .and(proposers::proposal_id.eq(merges::proposal_id))),
                    )
                    .filter(merges::committee_id.eq(proposals::committee_id))
                    .filter(merges::main_id.eq(proposals::id))
                    .filter(merges::unmerged_at.is_null())
                    .filter(proposers::status.eq(ConsentStatus::Consented))
                    .filter(proposers::role.ne(ProposerRole::Seconder))
                    .filter($own),
            ))
        };
    }
    match whose {
        Whose::Member(member) => signs!(proposers::member_id.eq(member)),
        Whose::Organisation(organisation) => signs!(proposers::organisation_id.eq(organisation)),
    }
}

/// Whose signature is looked for.
#[derive(Clone, Copy)]
enum Whose {
    Member(MemberId),
    Organisation(OrganisationId),
}

/// A leader's instruction on the case is for the unit.
fn instructed(unit: UnitId) -> Condition {
    Box::new(exists(
        follow_ups::table
            .filter(follow_ups::committee_id.eq(proposals::committee_id))
            .filter(follow_ups::proposal_id.eq(proposals::id))
            .filter(follow_ups::kind.eq(FollowUpKind::Instruction))
            .filter(follow_ups::unit_id.assume_not_null().eq(unit)),
    ))
}

/// Begins with the rows of the unit, of which there are few, where the cases may be many.
fn assigned_to(committee: CommitteeId, unit: UnitId) -> Condition {
    let rows = assignments::table
        .filter(assignments::committee_id.eq(committee))
        .filter(assignments::unit_id.eq(unit))
        .select(assignments::proposal_id);
    Box::new(proposals::id.eq_any(rows))
}

/// What a unit may have to do with: more than it sees, and found by its name alone. Whether it sees
/// each is asked of these cases instead of all.
fn concerns(committee: CommitteeId, units: &[UnitId]) -> Condition {
    let rows = assignments::table
        .filter(assignments::committee_id.eq(committee))
        .filter(assignments::unit_id.eq_any(units.to_vec()))
        .select(assignments::proposal_id);
    let promised = promises::table
        .filter(promises::committee_id.eq(committee))
        .filter(promises::unit_id.eq_any(units.to_vec()))
        .select(promises::proposal_id);
    let told = follow_ups::table
        .filter(follow_ups::committee_id.eq(committee))
        .filter(follow_ups::unit_id.assume_not_null().eq_any(units.to_vec()))
        .filter(follow_ups::kind.eq(FollowUpKind::Instruction))
        .select(follow_ups::proposal_id);
    Box::new(proposals::id.eq_any(rows.union_all(promised).union_all(told)))
}

/// The unit has a row in it; before the filing that is a reference copy, and counts until it ends.
fn handed_to(unit: UnitId) -> Condition {
    let counts = exists(
        assignments::table
            .filter(assignments::committee_id.eq(proposals::committee_id))
            .filter(assignments::proposal_id.eq(proposals::id))
            .filter(assignments::unit_id.eq(unit))
            .filter(
                assignments::status
                    .ne(AssignmentStatus::Void)
                    .or(proposals::filed_at.is_not_null()),
            ),
    );
    Box::new(counts)
}

/// A promise of it is the unit's, perhaps inherited with a unit that it took over.
fn promised_by(unit: UnitId) -> Condition {
    Box::new(exists(
        promises::table
            .filter(promises::committee_id.eq(proposals::committee_id))
            .filter(promises::proposal_id.eq(proposals::id))
            .filter(promises::unit_id.eq(unit)),
    ))
}

fn in_handling() -> Condition {
    Box::new(proposals::status.eq(ProposalStatus::Assigned))
}

/// A row that owes a reply is not signed for, or asked to be returned.
fn awaits_acceptance() -> Condition {
    let waiting = [AssignmentStatus::Pending, AssignmentStatus::ReturnRequested];
    let replying = [AssignmentRole::Lead, AssignmentRole::Separate];
    Box::new(exists(
        assignments::table
            .filter(assignments::committee_id.eq(proposals::committee_id))
            .filter(assignments::proposal_id.eq(proposals::id))
            .filter(assignments::round.eq(proposals::round))
            .filter(assignments::role.eq_any(replying))
            .filter(assignments::status.eq_any(waiting)),
    ))
}

fn is_archived() -> Condition {
    Box::new(exists(
        case_marks::table
            .filter(case_marks::committee_id.eq(proposals::committee_id))
            .filter(case_marks::proposal_id.eq(proposals::id))
            .filter(case_marks::archived_at.is_not_null()),
    ))
}

fn of_tier(tier: ProgrammeTier) -> Condition {
    Box::new(exists(
        case_marks::table
            .filter(case_marks::committee_id.eq(proposals::committee_id))
            .filter(case_marks::proposal_id.eq(proposals::id))
            .filter(case_marks::tier.eq(tier)),
    ))
}

fn of_programme(year: i32) -> Condition {
    Box::new(exists(
        case_marks::table
            .filter(case_marks::committee_id.eq(proposals::committee_id))
            .filter(case_marks::proposal_id.eq(proposals::id))
            .filter(case_marks::programme_year.eq(year)),
    ))
}

type Query<'a> = proposals::BoxedQuery<'a, MultiBackend>;

fn filtered<'a>(committee: CommitteeId, reach: &Reach, filter: &Filter) -> Query<'a> {
    let mut query = proposals::table
        .filter(proposals::committee_id.eq(committee))
        .into_boxed();
    if let Some(condition) = visible(reach) {
        query = query.filter(condition);
    }
    if reach.is_of_units_alone() {
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
    if let Some(unit) = filter.unit {
        query = query.filter(assigned_to(committee, unit));
    }
    if let Some(member) = filter.member {
        query = query.filter(signed_by(member));
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
        query = query.filter(of_tier(tier));
    }
    if let Some(year) = filter.programme_year {
        query = query.filter(of_programme(year));
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
    let mut query = filtered(committee, reach, filter);
    query = match (order, after) {
        (Order::Newest, Some((_, id))) => query.filter(proposals::id.lt(*id)),
        (Order::Oldest, Some((_, id))) => query.filter(proposals::id.gt(*id)),
        (Order::Updated, Some((Some(at), id))) => query.filter(
            proposals::updated_at
                .ge(At(*at))
                .and(proposals::updated_at.gt(At(*at)).or(proposals::id.gt(*id))),
        ),
        (_, _) => query,
    };
    query = match order {
        Order::Newest => query.order(proposals::id.desc()),
        Order::Oldest => query.order(proposals::id.asc()),
        Order::Updated => query.order((proposals::updated_at.asc(), proposals::id.asc())),
    };
    Ok(query
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
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
    let ids: Vec<ProposalId> = filtered(committee, reach, filter)
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
    Ok(filtered(committee, reach, &Filter::default())
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
    Ok(filtered(committee, reach, &Filter::default())
        .filter(proposals::id.eq_any(ids.to_vec()))
        .select((proposals::id, proposals::case_no))
        .load(tx.conn)?)
}
