//! What is kept of the cases of a committee, as conditions.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::ids::{CommitteeId, MemberId, OrganisationId, UnitId};
use crate::store::connection::MultiBackend;
use crate::store::schema::{
    assignments, case_marks, follow_ups, merges, promises, proposals, proposers,
};
use crate::workflow::access::Reach;
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::codes::{
    AssignmentRole, ConsentStatus, FollowUpKind, ProgrammeTier, ProposerRole, Secrecy,
};
use crate::workflow::proposal::ProposalStatus;

/// A condition on a case.
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

/// Signed by the member. Begins with his signatures, of which there are few.
pub(super) fn of_member(committee: CommitteeId, member: MemberId) -> Condition {
    let signed = proposers::table
        .filter(proposers::committee_id.eq(committee))
        .filter(proposers::member_id.assume_not_null().eq(member))
        .filter(proposers::status.ne(ConsentStatus::Dropped))
        .select(proposers::proposal_id);
    Box::new(proposals::id.eq_any(signed))
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
pub(super) fn assigned_to(committee: CommitteeId, unit: UnitId) -> Condition {
    let rows = assignments::table
        .filter(assignments::committee_id.eq(committee))
        .filter(assignments::unit_id.eq(unit))
        .select(assignments::proposal_id);
    Box::new(proposals::id.eq_any(rows))
}

/// What a unit may have to do with: more than it sees, and found by its name alone. Whether it sees
/// each is asked of these cases instead of all.
pub(super) fn concerns(committee: CommitteeId, units: &[UnitId]) -> Condition {
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

pub(super) fn in_handling() -> Condition {
    Box::new(proposals::status.eq(ProposalStatus::Assigned))
}

/// A row that owes a reply is not signed for, or asked to be returned.
pub(super) fn awaits_acceptance() -> Condition {
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

pub(super) fn is_archived() -> Condition {
    Box::new(exists(
        case_marks::table
            .filter(case_marks::committee_id.eq(proposals::committee_id))
            .filter(case_marks::proposal_id.eq(proposals::id))
            .filter(case_marks::archived_at.is_not_null()),
    ))
}

/// In this tier of a programme. Begins with the cases of programmes, one in some tens.
pub(super) fn of_tier(committee: CommitteeId, tier: ProgrammeTier) -> Condition {
    let marked = case_marks::table
        .filter(case_marks::committee_id.eq(committee))
        .filter(case_marks::programme_year.is_not_null())
        .filter(case_marks::tier.eq(tier))
        .select(case_marks::proposal_id);
    Box::new(proposals::id.eq_any(marked))
}

/// In the programme of this year. Begins with its cases.
pub(super) fn of_programme(committee: CommitteeId, year: i32) -> Condition {
    let marked = case_marks::table
        .filter(case_marks::committee_id.eq(committee))
        .filter(case_marks::programme_year.eq(year))
        .select(case_marks::proposal_id);
    Box::new(proposals::id.eq_any(marked))
}
