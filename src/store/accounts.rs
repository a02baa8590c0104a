//! Accounts as signing in needs them: the user with password and grants, and who is behind a
//! token.

use diesel::prelude::*;
use jiff::Timestamp;

use super::Tx;
use super::connection::MultiBackend;
use super::schema::{
    committees, members, organisations, second_factors, sign_ins, units, user_roles, users,
};
use super::sql_types::At;
use crate::auth::principal::{Factor, Principal};
use crate::error::{Error, Result};
use crate::ids::{
    CommitteeId, MemberId, OpenidProviderId, OrganisationId, SignInId, UnitId, UserId,
};
use crate::workflow::role::{Grant, Line, Role};

/// An account.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Account {
    /// Identifier.
    pub id: UserId,
    /// Sign-in name.
    pub username: String,
    /// Name shown to others.
    pub display_name: String,
    /// The member it belongs to.
    pub member_id: Option<MemberId>,
    /// PHC string; without one nobody can sign in.
    pub password_hash: Option<String>,
    /// Only the password may be changed until it has been.
    pub must_change_password: bool,
    /// Nobody may sign in.
    pub disabled: bool,
}

fn columns() -> <Account as Selectable<MultiBackend>>::SelectExpression {
    <Account as Selectable<MultiBackend>>::construct_selection()
}

/// The committee of a code, and whether it is active.
pub fn committee(tx: &mut Tx<'_>, code: &str) -> Result<Option<(CommitteeId, bool)>> {
    Ok(committees::table
        .filter(committees::code.eq(code))
        .select((committees::id, committees::active))
        .first(tx.conn)
        .optional()?)
}

/// The account with a sign-in name.
pub fn by_username(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    username: &str,
) -> Result<Option<Account>> {
    Ok(users::table
        .filter(users::committee_id.eq(committee))
        .filter(users::username.eq(username))
        .filter(users::machine.eq(false))
        .select(columns())
        .first(tx.conn)
        .optional()?)
}

/// One account.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<Option<Account>> {
    Ok(users::table
        .filter(users::committee_id.eq(committee))
        .filter(users::id.eq(user))
        .select(columns())
        .first(tx.conn)
        .optional()?)
}

/// Takes the row of an account for this transaction and reads it: whoever else writes to the
/// account or to its history waits.
pub fn lock(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<Option<Account>> {
    diesel::update(
        users::table
            .filter(users::committee_id.eq(committee))
            .filter(users::id.eq(user)),
    )
    .set(users::version.eq(users::version))
    .execute(tx.conn)?;
    find(tx, committee, user)
}

/// The roles of an account, in their order.
pub fn grants(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<Vec<Grant>> {
    type Row = (Role, Option<UnitId>, Option<OrganisationId>, Option<Line>);
    let rows: Vec<Row> = user_roles::table
        .filter(user_roles::committee_id.eq(committee))
        .filter(user_roles::user_id.eq(user))
        .order(user_roles::position.asc())
        .select((
            user_roles::role,
            user_roles::unit_id,
            user_roles::organisation_id,
            user_roles::line,
        ))
        .load(tx.conn)?;
    Ok(rows
        .into_iter()
        .map(|(role, unit_id, organisation_id, line)| Grant {
            role,
            unit_id,
            organisation_id,
            line,
        })
        .collect())
}

/// Who is behind a sign-in now; `None` if it has ended or the account may not be used.
pub fn principal(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    sign_in: SignInId,
    now: Timestamp,
) -> Result<Option<Principal>> {
    type Row = (Account, (Option<At>, Option<OpenidProviderId>), Option<At>);
    let row: Option<Row> = sign_ins::table
        .inner_join(
            users::table.on(users::committee_id
                .eq(sign_ins::committee_id)
                .and(users::id.eq(sign_ins::user_id))),
        )
        .inner_join(committees::table.on(committees::id.eq(sign_ins::committee_id)))
        .left_join(
            second_factors::table.on(second_factors::committee_id
                .eq(sign_ins::committee_id)
                .and(second_factors::user_id.eq(sign_ins::user_id))),
        )
        .filter(committees::active.eq(true))
        .filter(sign_ins::committee_id.eq(committee))
        .filter(sign_ins::id.eq(sign_in))
        .filter(sign_ins::ended_at.is_null())
        .filter(sign_ins::expires_at.gt(At(now)))
        .filter(users::disabled.eq(false))
        .select((
            columns(),
            (sign_ins::second_factor_at, sign_ins::provider_id),
            second_factors::confirmed_at.nullable(),
        ))
        .first(tx.conn)
        .optional()?;
    let Some((account, (proven_at, provider), confirmed_at)) = row else {
        return Ok(None);
    };
    let grants = grants(tx, committee, account.id)?;
    Ok(Some(Principal {
        committee,
        user: account.id,
        sign_in,
        username: account.username,
        display_name: account.display_name,
        member: account.member_id,
        grants,
        // Whoever came by an identity provider has no use for the password.
        must_change_password: account.must_change_password && provider.is_none(),
        factor: Factor {
            enrolled: confirmed_at.is_some(),
            proven_at: proven_at.map(|at| at.0),
        },
        machine: None,
    }))
}

/// Sets the own password if the stored one is still `old_hash`; `false` if it was changed since.
pub fn change_password(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    old_hash: &str,
    new_hash: &str,
    now: Timestamp,
) -> Result<bool> {
    let row = users::table
        .filter(users::committee_id.eq(committee))
        .filter(users::id.eq(user))
        .filter(users::password_hash.eq(old_hash));
    let changed = diesel::update(row)
        .set((
            users::password_hash.eq(new_hash),
            users::must_change_password.eq(false),
            users::password_changed_at.eq(Some(At(now))),
            users::version.eq(users::version + 1),
            users::updated_at.eq(At(now)),
        ))
        .execute(tx.conn)?;
    Ok(changed == 1)
}

/// Replaces the hash of an unchanged password by one at another cost.
pub fn rehash(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    old_hash: &str,
    new_hash: &str,
) -> Result<()> {
    let row = users::table
        .filter(users::committee_id.eq(committee))
        .filter(users::id.eq(user))
        .filter(users::password_hash.eq(old_hash));
    diesel::update(row)
        .set(users::password_hash.eq(new_hash))
        .execute(tx.conn)?;
    Ok(())
}

/// A role that is held, with the names of what it is narrowed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedGrant {
    /// The role.
    pub grant: Grant,
    /// Name of its unit.
    pub unit: Option<String>,
    /// Name of its organisation.
    pub organisation: Option<String>,
}

/// The names of what a principal belongs to and is narrowed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Code of the committee.
    pub committee_code: String,
    /// Name of the committee.
    pub committee: String,
    /// Name of the member.
    pub member: Option<String>,
    /// The roles, in their order.
    pub grants: Vec<NamedGrant>,
}

/// Looks up the names for a principal.
pub fn names(tx: &mut Tx<'_>, principal: &Principal) -> Result<Names> {
    let committee = principal.committee;
    let (code, name) = committees::table
        .filter(committees::id.eq(committee))
        .select((committees::code, committees::name))
        .first(tx.conn)
        .optional()?
        .ok_or_else(|| Error::internal("a principal without committee"))?;
    let member = match principal.member {
        None => None,
        Some(member) => members::table
            .filter(members::committee_id.eq(committee))
            .filter(members::id.eq(member))
            .select(members::name)
            .first(tx.conn)
            .optional()?,
    };
    let grants = named_grants(tx, committee, principal.user)?;
    Ok(Names {
        committee_code: code,
        committee: name,
        member,
        grants,
    })
}

fn named_grants(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<Vec<NamedGrant>> {
    type Row = (
        (Role, Option<UnitId>, Option<OrganisationId>, Option<Line>),
        Option<String>,
        Option<String>,
    );
    let rows: Vec<Row> = user_roles::table
        .left_join(
            units::table.on(units::committee_id
                .eq(user_roles::committee_id)
                .and(units::id.nullable().eq(user_roles::unit_id))),
        )
        .left_join(
            organisations::table.on(organisations::committee_id
                .eq(user_roles::committee_id)
                .and(organisations::id.nullable().eq(user_roles::organisation_id))),
        )
        .filter(user_roles::committee_id.eq(committee))
        .filter(user_roles::user_id.eq(user))
        .order(user_roles::position.asc())
        .select((
            (
                user_roles::role,
                user_roles::unit_id,
                user_roles::organisation_id,
                user_roles::line,
            ),
            units::name.nullable(),
            organisations::name.nullable(),
        ))
        .load(tx.conn)?;
    Ok(rows
        .into_iter()
        .map(
            |((role, unit_id, organisation_id, line), unit, organisation)| NamedGrant {
                grant: Grant {
                    role,
                    unit_id,
                    organisation_id,
                    line,
                },
                unit,
                organisation,
            },
        )
        .collect())
}

/// Rows for the tests of signing in.
#[cfg(test)]
pub(crate) mod sample {
    use super::*;
    use crate::store::schema::refresh_tokens;

    /// An active committee.
    pub fn committee(tx: &mut Tx<'_>, code: &str, now: Timestamp) -> Result<CommitteeId> {
        let id = CommitteeId::new(now);
        diesel::insert_into(committees::table)
            .values((
                committees::id.eq(id),
                committees::code.eq(code),
                committees::name.eq("政协临江市委员会"),
                committees::level.eq("city"),
                committees::region.eq("临江市"),
                committees::active.eq(true),
                committees::version.eq(1),
                (
                    committees::created_at.eq(At(now)),
                    committees::updated_at.eq(At(now)),
                ),
            ))
            .execute(tx.conn)?;
        Ok(id)
    }

    /// An account with two roles, one of them in a unit of its own.
    pub fn user(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        username: &str,
        hash: &str,
        now: Timestamp,
    ) -> Result<UserId> {
        let (id, unit) = (UserId::new(now), UnitId::new(now));
        diesel::insert_into(users::table)
            .values((
                (users::committee_id.eq(committee), users::id.eq(id)),
                users::username.eq(username),
                users::display_name.eq("陈维"),
                users::password_hash.eq(hash),
                users::must_change_password.eq(true),
                users::disabled.eq(false),
                users::version.eq(1),
                (users::created_at.eq(At(now)), users::updated_at.eq(At(now))),
            ))
            .execute(tx.conn)?;
        diesel::insert_into(units::table)
            .values((
                (units::committee_id.eq(committee), units::id.eq(unit)),
                units::name.eq(format!("水务局 {username}")),
                units::system_line.eq("government"),
                units::reply_prefix.eq("临水函"),
                units::active.eq(true),
                units::version.eq(1),
                (units::created_at.eq(At(now)), units::updated_at.eq(At(now))),
            ))
            .execute(tx.conn)?;
        let grants = [
            Grant::unit(Role::UnitClerk, unit),
            Grant::line(Line::Government),
        ];
        for (position, grant) in (0..).zip(grants) {
            diesel::insert_into(user_roles::table)
                .values((
                    (
                        user_roles::committee_id.eq(committee),
                        user_roles::user_id.eq(id),
                    ),
                    user_roles::position.eq(position),
                    user_roles::role.eq(grant.role),
                    user_roles::unit_id.eq(grant.unit_id),
                    user_roles::line.eq(grant.line.map(Line::as_str)),
                ))
                .execute(tx.conn)?;
        }
        Ok(id)
    }

    /// Disables an account, or enables it.
    pub fn disable(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        user: UserId,
        disabled: bool,
    ) -> Result<()> {
        diesel::update(
            users::table
                .filter(users::committee_id.eq(committee))
                .filter(users::id.eq(user)),
        )
        .set(users::disabled.eq(disabled))
        .execute(tx.conn)?;
        Ok(())
    }

    /// How many refresh tokens a sign-in has, and why it ended.
    pub fn tokens(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        id: SignInId,
    ) -> Result<(i64, Option<String>)> {
        let count = refresh_tokens::table
            .filter(refresh_tokens::committee_id.eq(committee))
            .filter(refresh_tokens::sign_in_id.eq(id))
            .count()
            .get_result(tx.conn)?;
        let reason = sign_ins::table
            .filter(sign_ins::committee_id.eq(committee))
            .filter(sign_ins::id.eq(id))
            .select(sign_ins::end_reason)
            .first(tx.conn)?;
        Ok((count, reason))
    }
}
