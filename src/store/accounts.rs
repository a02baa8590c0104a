//! Accounts as signing in needs them: the user with password and grants, and who is behind a
//! token.

use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

use super::Tx;
use super::connection::MultiBackend;
use super::passwords::is_idle;
use super::prepared::Prepare;
use super::run::Run;
use super::schema::{
    committees, members, organisations, password_policies, second_factors, sign_ins, units,
    user_roles, users,
};
use super::sql_types::At;
use crate::auth::policy::PasswordPolicy;
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
        .first_row(tx.conn)
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
        .first_row(tx.conn)
        .optional()?)
}

/// One account.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<Option<Account>> {
    Ok(users::table
        .filter(users::committee_id.eq(committee))
        .filter(users::id.eq(user))
        .select(columns())
        .first_row(tx.conn)
        .optional()?)
}

/// The same, if somebody can sign in with it: no machine client has a password.
pub fn person(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<Option<Account>> {
    Ok(users::table
        .filter(users::committee_id.eq(committee))
        .filter(users::id.eq(user))
        .filter(users::machine.eq(false))
        .select(columns())
        .first_row(tx.conn)
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
    .prepared()
    .run(tx.conn)?;
    find(tx, committee, user)
}

/// The roles of an account, in their order.
pub fn grants(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<Vec<Grant>> {
    let rows: Vec<GrantRow> = user_roles::table
        .filter(user_roles::committee_id.eq(committee))
        .filter(user_roles::user_id.eq(user))
        .order(user_roles::position.asc())
        .select((
            user_roles::role,
            user_roles::unit_id,
            user_roles::organisation_id,
            user_roles::line,
        ))
        .rows(tx.conn)?;
    Ok(rows.into_iter().map(grant).collect())
}

type GrantRow = (Role, Option<UnitId>, Option<OrganisationId>, Option<Line>);

fn grant((role, unit_id, organisation_id, line): GrantRow) -> Grant {
    Grant {
        role,
        unit_id,
        organisation_id,
        line,
    }
}

/// The use of a sign-in is noted at most this often.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Who is behind a sign-in.
pub struct Seen {
    /// Who it is.
    pub principal: Principal,
    /// It is to be noted that the sign-in is used: it would end if it were not.
    pub unnoted: bool,
}

/// Who is behind a sign-in now; `None` if it has ended or the account may not be used.
pub fn principal(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    sign_in: SignInId,
    now: Timestamp,
) -> Result<Option<Principal>> {
    Ok(seen(tx, committee, sign_in, now)?.map(|seen| seen.principal))
}

/// The same, for a request that may have to note the use.
pub fn seen(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    sign_in: SignInId,
    now: Timestamp,
) -> Result<Option<Seen>> {
    type Times = (At, Option<At>, Option<At>);
    type Proofs = (Option<At>, Option<OpenidProviderId>, Option<At>);
    type Policy = (Option<i32>, Option<i32>, Option<At>);
    type Row = (Account, Times, Policy, Proofs, Option<GrantRow>);
    // Asked at nearly every request, so it is one statement: a row for each role.
    let rows: Vec<Row> = sign_ins::table
        .inner_join(
            users::table.on(users::committee_id
                .eq(sign_ins::committee_id)
                .and(users::id.eq(sign_ins::user_id))),
        )
        .inner_join(committees::table.on(committees::id.eq(sign_ins::committee_id)))
        .left_join(
            password_policies::table.on(password_policies::committee_id.eq(sign_ins::committee_id)),
        )
        .left_join(
            second_factors::table.on(second_factors::committee_id
                .eq(sign_ins::committee_id)
                .and(second_factors::user_id.eq(sign_ins::user_id))),
        )
        .left_join(
            user_roles::table.on(user_roles::committee_id
                .eq(sign_ins::committee_id)
                .and(user_roles::user_id.eq(sign_ins::user_id))),
        )
        .filter(committees::active.eq(true))
        .filter(sign_ins::committee_id.eq(committee))
        .filter(sign_ins::id.eq(sign_in))
        .filter(sign_ins::ended_at.is_null())
        .filter(sign_ins::expires_at.gt(At(now)))
        .filter(users::disabled.eq(false))
        .select((
            columns(),
            (
                sign_ins::created_at,
                sign_ins::last_seen_at,
                users::password_changed_at,
            ),
            (
                password_policies::idle_minutes.nullable(),
                password_policies::max_age_days.nullable(),
                password_policies::updated_at.nullable(),
            ),
            (
                sign_ins::second_factor_at,
                sign_ins::provider_id,
                second_factors::confirmed_at.nullable(),
            ),
            (
                user_roles::role,
                user_roles::unit_id,
                user_roles::organisation_id,
                user_roles::line,
            )
                .nullable(),
        ))
        .order(user_roles::position.asc())
        .rows(tx.conn)?;
    let mut grants = Vec::new();
    let mut who = None;
    for (account, times, policy, proofs, role) in rows {
        grants.extend(role.map(grant));
        who = Some((account, times, policy, proofs));
    }
    let Some((account, times, (idle_minutes, max_age_days, since), proofs)) = who else {
        return Ok(None);
    };
    let (created_at, last_seen_at, changed_at) = times;
    let (proven_at, provider, confirmed_at) = proofs;
    let last_seen_at = last_seen_at.map(|at| at.0);
    let since = since.map_or(created_at.0, |at| at.0);
    let seen_at = last_seen_at.unwrap_or(created_at.0);
    if is_idle(idle_minutes, since, seen_at, now) {
        return Ok(None);
    }
    let policy = PasswordPolicy {
        max_age_days,
        ..PasswordPolicy::default()
    };
    let is_old = policy.is_expired(changed_at.map(|at| at.0), now);
    let principal = Principal {
        committee,
        user: account.id,
        sign_in,
        username: account.username,
        display_name: account.display_name,
        member: account.member_id,
        grants,
        // Whoever came by an identity provider has no use for the password.
        must_change_password: (account.must_change_password || is_old) && provider.is_none(),
        factor: Factor {
            enrolled: confirmed_at.is_some(),
            proven_at: proven_at.map(|at| at.0),
        },
        machine: None,
    };
    let noted = last_seen_at.is_some_and(|at| now.duration_since(at) < NOTED_EVERY);
    Ok(Some(Seen {
        principal,
        unnoted: idle_minutes.is_some() && !noted,
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
        .prepared()
        .run(tx.conn)?;
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
        .prepared()
        .run(tx.conn)?;
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
        .first_row(tx.conn)
        .optional()?
        .ok_or_else(|| Error::internal("a principal without committee"))?;
    let member = match principal.member {
        None => None,
        Some(member) => members::table
            .filter(members::committee_id.eq(committee))
            .filter(members::id.eq(member))
            .select(members::name)
            .first_row(tx.conn)
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
        .rows(tx.conn)?;
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
            .prepared()
            .run(tx.conn)?;
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
            .prepared()
            .run(tx.conn)?;
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
            .prepared()
            .run(tx.conn)?;
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
                .prepared()
                .run(tx.conn)?;
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
        .prepared()
        .run(tx.conn)?;
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
            .row(tx.conn)?;
        let reason = sign_ins::table
            .filter(sign_ins::committee_id.eq(committee))
            .filter(sign_ins::id.eq(id))
            .select(sign_ins::end_reason)
            .first_row(tx.conn)?;
        Ok((count, reason))
    }
}
