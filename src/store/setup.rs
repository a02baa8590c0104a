//! What the command line asks and writes before anybody can sign in: a committee, and whether it
//! has its administrators.

use diesel::prelude::*;
use jiff::Timestamp;

use super::prepared::Prepare;
use super::run::Run;
use super::schema::{committees, user_roles};
use super::sql_types::At;
use super::{Tx, policy_profiles, refusal_reasons};
use crate::error::Result;
use crate::ids::CommitteeId;
use crate::workflow::lists::CommitteeLevel;
use crate::workflow::role::Role;

/// Every committee with its code.
pub fn committees(tx: &mut Tx<'_>) -> Result<Vec<(CommitteeId, String)>> {
    Ok(committees::table
        .order(committees::code)
        .select((committees::id, committees::code))
        .rows(tx.conn)?)
}

/// The committee with a code.
pub fn committee(tx: &mut Tx<'_>, code: &str) -> Result<Option<CommitteeId>> {
    Ok(committees::table
        .filter(committees::code.eq(code))
        .select(committees::id)
        .first_row(tx.conn)
        .optional()?)
}

/// The code of a committee.
pub fn code(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<String> {
    Ok(committees::table
        .find(committee)
        .select(committees::code)
        .first_row(tx.conn)?)
}

/// Whether some account of the committee holds the role, disabled or not.
pub fn has(tx: &mut Tx<'_>, committee: CommitteeId, role: Role) -> Result<bool> {
    let found: i64 = user_roles::table
        .filter(user_roles::committee_id.eq(committee))
        .filter(user_roles::role.eq(role))
        .count()
        .row(tx.conn)?;
    Ok(found > 0)
}

/// Whether there is any committee.
pub fn any_committee(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(committees::table
        .select(committees::id)
        .first_row::<CommitteeId>(tx.conn)
        .optional()?
        .is_some())
}

/// A committee at the root of the tree, with what all are given: the code lists, and the defaults
/// as its policy profile.
pub fn insert_committee(
    tx: &mut Tx<'_>,
    id: CommitteeId,
    (code, name, level, region): (&str, &str, CommitteeLevel, &str),
    now: Timestamp,
) -> Result<()> {
    diesel::insert_into(committees::table)
        .values((
            committees::id.eq(id),
            committees::code.eq(code),
            committees::name.eq(name),
            committees::level.eq(level),
            committees::region.eq(region),
            committees::active.eq(true),
            committees::version.eq(1),
            committees::created_at.eq(At(now)),
            committees::updated_at.eq(At(now)),
        ))
        .prepared()
        .run(tx.conn)?;
    policy_profiles::insert_first(tx, id, now)?;
    refusal_reasons::give_built_in(tx, id, now)
}
