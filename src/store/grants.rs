//! The roles of an account, which the security administrator grants (三员分立).

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::Tx;
use super::committees;
use super::register::{Entry, inactive, touch, unknown};
use super::run::Run;
use super::schema::{organisations, units, user_roles, users};
use super::users::UserFields;
use crate::app::Ctx;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{CommitteeId, Id, IdKind, OrganisationId, UnitId, UserId};
use crate::workflow::role::{Grant, Role};

/// Those without whom a committee cannot be set up any more: each has one account at least that
/// can sign in.
const NEVER_NONE: [Role; 2] = [Role::Administrator, Role::SecurityAdministrator];

/// Gives an account other roles in place of those it holds, with the event. Nothing happens where
/// nothing differs.
pub fn replace(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: Entry<UserFields>,
    roles: Vec<Grant>,
) -> Result<Entry<UserFields>> {
    if before.fields.roles == roles {
        return Ok(before);
    }
    let after = UserFields {
        roles,
        ..before.fields.clone()
    };
    check_roles(&after)?;
    check_narrowing(tx, ctx.committee(), &after.roles, &before.fields.roles)?;
    keep_one_of_each(tx, ctx.committee(), &before, &after)?;
    touch(tx, ctx, &before, after, "roles_changed")
}

/// Each role is narrowed as it asks and stands once, an administrator is nothing else, and a
/// member's account says whose it is.
fn check_roles(wanted: &UserFields) -> Result<()> {
    let roles = &wanted.roles;
    let mut seen = BTreeSet::new();
    let mut error = Error::new(Code::InvalidInput);
    for (index, grant) in roles.iter().enumerate() {
        let pointer = format!("/roles/{index}");
        if !grant.is_well_formed() {
            error = error.field(
                &pointer,
                "narrowing",
                Message::new(
                    "该角色的范围不对：经办人和签发人须且仅须指定单位，提案单位联系人须且仅须指定组织，交办人员须且仅须指定系统，其他角色不限定范围。",
                    "The role is not narrowed as it asks: unit roles name a unit, an organisation clerk an organisation, an assigning officer a line, all others nothing; `system` is nobody's.",
                ),
            );
        }
        if !seen.insert(grant) {
            error = error.field(
                &pointer,
                "duplicate",
                Message::new("该角色已列出。", "The role stands there already."),
            );
        }
        if roles.iter().any(|other| !grant.goes_with(other)) {
            error = error.field(
                &pointer,
                "separated",
                Message::new(
                    "三员分立：系统管理员、安全管理员、审计员不得由同一账号兼任，也不得兼任其他角色。",
                    "System administrator, security administrator and auditor are three persons, and none of them holds another role.",
                ),
            );
        }
        if grant.role.is_administrative() && wanted.member_id.is_some() {
            error = error.field(
                &pointer,
                "separated",
                Message::new(
                    "委员的账号不能担任系统管理员、安全管理员或审计员。",
                    "A member's account is neither an administrator's nor the auditor's.",
                ),
            );
        }
        if grant.role == Role::Member && wanted.member_id.is_none() {
            error = error.field(
                &pointer,
                "member_required",
                Message::new(
                    "委员角色须先由系统管理员为账号指定委员。",
                    "The role `member` needs an account of which the system administrator said whose it is.",
                ),
            );
        }
    }
    if error.fields().is_empty() {
        Ok(())
    } else {
        Err(error)
    }
}

/// Refuses a change that leaves the committee without anybody who can sign in as one of
/// [`NEVER_NONE`]. Changes of that kind take turns, or two of them could each leave the other's.
pub(in crate::store) fn keep_one_of_each(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    before: &Entry<UserFields>,
    after: &UserFields,
) -> Result<()> {
    for role in NEVER_NONE {
        let was = !before.fields.disabled && before.fields.holds(role);
        if !was || (!after.disabled && after.holds(role)) {
            continue;
        }
        committees::hold(tx, committee)?;
        if others(tx, committee, role, before.id)? == 0 {
            let label = role.label();
            return Err(Error::new(Code::GuardUnmet).detail(Message::new(
                format!("本委员会须至少保留一个可以登录的{}账号。", label.zh),
                format!(
                    "The committee keeps at least one account that can sign in as {}.",
                    label.en
                ),
            )));
        }
    }
    Ok(())
}

/// How many other accounts can sign in and hold the role.
fn others(tx: &mut Tx<'_>, committee: CommitteeId, role: Role, but: UserId) -> Result<i64> {
    Ok(user_roles::table
        .inner_join(
            users::table.on(users::committee_id
                .eq(user_roles::committee_id)
                .and(users::id.eq(user_roles::user_id))),
        )
        .filter(user_roles::committee_id.eq(committee))
        .filter(user_roles::role.eq(role))
        .filter(user_roles::user_id.ne(but))
        .filter(users::disabled.eq(false))
        .filter(users::password_hash.is_not_null())
        .count()
        .row(tx.conn)?)
}

/// The units and organisations that were not there before exist and are active.
fn check_narrowing(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    roles: &[Grant],
    old: &[Grant],
) -> Result<()> {
    let units = newly_named(roles, old, |grant| grant.unit_id);
    if !units.is_empty() {
        let ids: Vec<UnitId> = units.iter().map(|(_, id)| *id).collect();
        let known = units::table
            .filter(units::committee_id.eq(committee))
            .filter(units::id.eq_any(ids))
            .select((units::id, units::active))
            .rows(tx.conn)?;
        usable(&units, &known, "unit_id")?;
    }
    let organisations = newly_named(roles, old, |grant| grant.organisation_id);
    if !organisations.is_empty() {
        let ids: Vec<OrganisationId> = organisations.iter().map(|(_, id)| *id).collect();
        let known = organisations::table
            .filter(organisations::committee_id.eq(committee))
            .filter(organisations::id.eq_any(ids))
            .select((organisations::id, organisations::active))
            .rows(tx.conn)?;
        usable(&organisations, &known, "organisation_id")?;
    }
    Ok(())
}

/// What roles are narrowed to and were not before, each with the place of its role.
fn newly_named<K: IdKind>(
    roles: &[Grant],
    old: &[Grant],
    of: impl Fn(&Grant) -> Option<Id<K>>,
) -> Vec<(usize, Id<K>)> {
    let new = |id: &Id<K>| !old.iter().any(|grant| of(grant) == Some(*id));
    let named = roles.iter().enumerate();
    named
        .filter_map(|(index, grant)| of(grant).filter(new).map(|id| (index, id)))
        .collect()
}

/// 422 at the first role that is narrowed to something unknown or not active.
fn usable<K: IdKind>(named: &[(usize, Id<K>)], known: &[(Id<K>, bool)], field: &str) -> Result<()> {
    for (index, id) in named {
        let pointer = format!("/roles/{index}/{field}");
        match known.iter().find(|(known, _)| known == id) {
            Some((_, true)) => {}
            Some((_, false)) => return Err(inactive(&pointer)),
            None => return Err(unknown(&pointer)),
        }
    }
    Ok(())
}
