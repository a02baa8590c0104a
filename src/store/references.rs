//! Facts of the registers that a decision needs.

use diesel::prelude::*;

use super::schema::{members, organisations, units};
use super::{Tx, refusal_uses};
use crate::error::Result;
use crate::ids::{CommitteeId, MemberId, OrganisationId, TermId, UnitId};
use crate::workflow::decide::{MemberFacts, References, UnitFacts};
use crate::workflow::lists::{ProposerKind, SystemLine};
use crate::workflow::reasons::ReasonCode;

/// Facts of the units, members and reasons named.
pub fn load(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    term: TermId,
    unit_ids: &[UnitId],
    member_ids: &[MemberId],
    reasons: &[ReasonCode],
) -> Result<References> {
    let mut references = References {
        reasons: refusal_uses::facts(tx, committee, reasons)?,
        ..References::default()
    };
    if !unit_ids.is_empty() {
        let rows: Vec<(UnitId, String, bool, String, SystemLine)> = units::table
            .filter(units::committee_id.eq(committee))
            .filter(units::id.eq_any(unit_ids))
            .select((
                units::id,
                units::name,
                units::active,
                units::reply_prefix,
                units::system_line,
            ))
            .load(tx.conn)?;
        references.units = rows
            .into_iter()
            .map(|(id, name, active, reply_prefix, system_line)| {
                (
                    id,
                    UnitFacts {
                        name,
                        active,
                        reply_prefix,
                        system_line,
                    },
                )
            })
            .collect();
    }
    for id in member_ids {
        if let Some(facts) = member(tx, committee, term, *id)? {
            references.members.insert(*id, facts);
        }
    }
    Ok(references)
}

/// Facts of one member, as of a term.
pub fn member(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    term: TermId,
    id: MemberId,
) -> Result<Option<MemberFacts>> {
    let row: Option<(String, String, Option<String>, String, TermId, bool)> = members::table
        .find((committee, id))
        .select((
            members::name,
            members::sector,
            members::party,
            members::member_no,
            members::term_id,
            members::active,
        ))
        .first(tx.conn)
        .optional()?;
    Ok(row.map(
        |(name, sector, party, member_no, own_term, active)| MemberFacts {
            name,
            sector,
            party,
            member_no,
            current: active && own_term == term,
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
        .first(tx.conn)
        .optional()?)
}
