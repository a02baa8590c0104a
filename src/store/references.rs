//! Facts of the registers that a decision needs.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::connection::AnyConnection;
use super::prepared::Prepare;
use super::rows_of::{Many, RowsOf};
use super::run::Run;
use super::schema::{case_marks, members, organisations, proposals, units, users};
use super::succession::{self, taken_over};
use super::{Tx, cases, committees, refusal_uses};
use crate::error::Result;
use crate::ids::{CommitteeId, MemberId, OrganisationId, ProposalId, TermId, UnitId, UserId};
use crate::workflow::codes::ProgrammeTier;
use crate::workflow::decide::{
    CommitteeFacts, MemberFacts, OrganisationFacts, ProposalFacts, References, UnitFacts,
};
use crate::workflow::lists::{ProposerKind, SystemLine};
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::reasons::ReasonCode;

/// What an act names.
#[derive(Debug, Clone, Default)]
pub struct Named {
    /// Units.
    pub units: Vec<UnitId>,
    /// Members.
    pub members: Vec<MemberId>,
    /// Organisations.
    pub organisations: Vec<OrganisationId>,
    /// Other proposals; they are locked for the rest of the transaction.
    pub proposals: Vec<ProposalId>,
    /// Reasons for not filing.
    pub reasons: Vec<ReasonCode>,
    /// Other committees.
    pub committees: Vec<CommitteeId>,
    /// A place in the programme: tier and year.
    pub place: Option<(ProgrammeTier, i32)>,
}

/// Facts of everything named.
pub fn load(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    term: TermId,
    named: &Named,
) -> Result<References> {
    let mut references = References {
        reasons: refusal_uses::facts(tx, committee, &named.reasons)?,
        ..References::default()
    };
    if let Some((tier, year)) = named.place {
        references.designated = designated(tx, committee, tier, year)?;
    }
    for id in &named.organisations {
        if let Some((name, _, active)) = organisation(tx, committee, *id)? {
            let facts = OrganisationFacts { name, active };
            references.organisations.insert(*id, facts);
        }
    }
    for id in &named.proposals {
        if let Some(row) = cases::hold(tx, committee, *id)? {
            let facts = ProposalFacts {
                status: row.status,
                session: row.session_id,
                absorbed: row.main_id.is_some(),
                serial_no: row.serial_no,
                case_no: row.case_no,
                title: row.title,
                secrecy: row.secrecy,
                proposers: cases::proposers_of(tx, committee, *id)?,
            };
            references.proposals.insert(*id, facts);
        }
    }
    for id in &named.committees {
        if let Some((name, above)) = committees::relation(tx, committee, *id)? {
            let facts = CommitteeFacts { name, above };
            references.committees.insert(*id, facts);
        }
    }
    let (unit_ids, member_ids) = (&named.units, &named.members);
    if !unit_ids.is_empty() {
        references.units = units_of(tx, committee, unit_ids)?;
    }
    for id in member_ids {
        if let Some(facts) = member(tx, committee, term, *id)? {
            references.members.insert(*id, facts);
        }
    }
    Ok(references)
}

/// Facts of units.
fn units_of(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    ids: &[UnitId],
) -> Result<BTreeMap<UnitId, UnitFacts>> {
    type Row = (UnitId, String, bool, String, SystemLine);
    let named = units::table
        .filter(units::committee_id.eq(committee))
        .filter(units::id.eq_any(ids))
        .select((
            units::id,
            units::name,
            units::active,
            units::reply_prefix,
            units::system_line,
        ));
    let (rows, successors): (Vec<Row>, _) = match &mut *tx.conn {
        AnyConnection::Postgres(conn) => {
            let both = diesel::select((RowsOf(named), RowsOf(taken_over!(committee))));
            let (Many(rows), Many(successors)) = both.prepared().get_result(conn)?;
            (rows, successors)
        }
        AnyConnection::Sqlite(conn) => (
            named.prepared().load(conn)?,
            taken_over!(committee).load(conn)?,
        ),
    };
    let successors = succession::by_unit(successors);
    Ok(rows
        .into_iter()
        .map(|(id, name, active, reply_prefix, system_line)| {
            let facts = UnitFacts {
                name,
                active,
                reply_prefix,
                system_line,
                predecessors: succession::predecessors(&successors, id),
            };
            (id, facts)
        })
        .collect())
}

/// How many cases have a place in the programme; one that was withdrawn gives its place up. The
/// row of the committee is held first, so that two that want the last place take turns.
fn designated(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    tier: ProgrammeTier,
    year: i32,
) -> Result<u32> {
    committees::hold(tx, committee)?;
    let count: i64 = case_marks::table
        .inner_join(
            proposals::table.on(proposals::committee_id
                .eq(case_marks::committee_id)
                .and(proposals::id.eq(case_marks::proposal_id))),
        )
        .filter(case_marks::committee_id.eq(committee))
        .filter(case_marks::programme_year.eq(year))
        .filter(case_marks::tier.eq(tier))
        .filter(proposals::status.ne(ProposalStatus::Withdrawn))
        .count()
        .row(tx.conn)?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Facts of one member, as of a term.
pub fn member(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    term: TermId,
    id: MemberId,
) -> Result<Option<MemberFacts>> {
    type Row = (String, String, Option<String>, String, TermId, bool);
    let row = members::table.find((committee, id));
    let columns = (
        members::name,
        members::sector,
        members::party,
        members::member_no,
        members::term_id,
        members::active,
    );
    let accounts = users::table
        .filter(users::committee_id.eq(committee))
        .filter(users::member_id.eq(id));
    let found: Option<(Row, Vec<UserId>)> = match &mut *tx.conn {
        AnyConnection::Postgres(conn) => row
            .select((columns, RowsOf(accounts.select((users::id,)))))
            .first::<(Row, Many<(UserId,)>)>(conn)
            .optional()?
            .map(|(row, Many(users))| (row, users.into_iter().map(|user| user.0).collect())),
        AnyConnection::Sqlite(conn) => row
            .select(columns)
            .first::<Row>(conn)
            .and_then(|row| Ok((row, accounts.select(users::id).load(conn)?)))
            .optional()?,
    };
    Ok(found.map(
        |((name, sector, party, member_no, own_term, active), accounts)| MemberFacts {
            name,
            sector,
            party,
            member_no,
            current: active && own_term == term,
            accounts,
        },
    ))
}

/// Name, kind and state of an organisation.
pub fn organisation(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: OrganisationId,
) -> Result<Option<(String, ProposerKind, bool)>> {
    Ok(organisations::table
        .find((committee, id))
        .select((
            organisations::name,
            organisations::kind,
            organisations::active,
        ))
        .first_row(tx.conn)
        .optional()?)
}
