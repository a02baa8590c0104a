//! Accounts as administrators see them, with the roles they hold.

use std::collections::{BTreeSet, HashMap};

use diesel::dsl::exists;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::connection::MultiBackend;
use super::members::MemberFields;
use super::register::{
    Entry, Register, Rows, containing, inactive, lower, referred, text, touch, unknown,
};
use super::schema::{organisations, units, user_roles, users};
use super::sign_ins::{EndReason, end_all};
use super::sql_types::At;
use super::{Tx, accounts, passwords};
use crate::app::Ctx;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{CommitteeId, Id, IdKind, MemberId, OrganisationId, UnitId, UserId, kind};
use crate::workflow::role::{Grant, Line, Role};

/// What an administrator sets of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserFields {
    /// Name for signing in; unique in the committee.
    #[schema(
        min_length = 3,
        max_length = 64,
        pattern = "^[a-z0-9][a-z0-9._-]{2,63}$",
        example = "gu.qingyang"
    )]
    pub username: String,
    /// Name shown to others.
    #[schema(min_length = 1, max_length = 50, pattern = r"\S", example = "顾清扬")]
    pub display_name: String,
    /// The member on the register whose account it is; unique in the committee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub member_id: Option<MemberId>,
    /// The roles held, each narrowed as the role asks; none twice.
    #[schema(min_items = 1, max_items = 20)]
    pub roles: Vec<Grant>,
    /// Whether the account is shut: it cannot sign in, and its sign-ins end.
    #[serde(default)]
    #[schema(default = false, example = false)]
    pub disabled: bool,
}

/// Narrows a list of accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UserFilter {
    /// Only the account with this sign-in name.
    #[serde(default, deserialize_with = "text::<_, 64>")]
    #[param(
        min_length = 1,
        max_length = 64,
        nullable = false,
        example = "gu.qingyang"
    )]
    pub username: Option<String>,
    /// Only accounts whose shown name contains this.
    #[serde(default, deserialize_with = "text::<_, 50>")]
    #[param(min_length = 1, max_length = 50, nullable = false, example = "清扬")]
    pub name: Option<String>,
    /// Only accounts that hold this role.
    #[param(nullable = false)]
    pub role: Option<Role>,
    /// Only accounts that hold a role in this unit.
    #[param(nullable = false)]
    pub unit_id: Option<UnitId>,
    /// Only accounts that are (or are not) shut.
    #[param(nullable = false)]
    pub disabled: Option<bool>,
}

fn matching(committee: CommitteeId, filter: &UserFilter) -> users::BoxedQuery<'_, MultiBackend> {
    let mut query = users::table
        .filter(users::committee_id.eq(committee))
        // Those of tokens are no business of this register.
        .filter(users::machine.eq(false))
        .into_boxed();
    if let Some(username) = &filter.username {
        query = query.filter(users::username.eq(username));
    }
    if let Some(name) = &filter.name {
        query = query.filter(
            lower(users::display_name)
                .like(containing(name))
                .escape('\\'),
        );
    }
    let of_user = || {
        user_roles::table
            .filter(user_roles::committee_id.eq(committee))
            .filter(user_roles::user_id.eq(users::id))
    };
    if let Some(role) = filter.role {
        query = query.filter(exists(of_user().filter(user_roles::role.eq(role))));
    }
    if let Some(unit) = filter.unit_id {
        query = query.filter(exists(of_user().filter(user_roles::unit_id.eq(unit))));
    }
    if let Some(disabled) = filter.disabled {
        query = query.filter(users::disabled.eq(disabled));
    }
    query
}

type UserRow = (UserId, String, String, Option<MemberId>, bool, i32, At, At);

const COLUMNS: (
    users::id,
    users::username,
    users::display_name,
    users::member_id,
    users::disabled,
    users::version,
    users::created_at,
    users::updated_at,
) = (
    users::id,
    users::username,
    users::display_name,
    users::member_id,
    users::disabled,
    users::version,
    users::created_at,
    users::updated_at,
);

/// Adds the roles to rows of accounts, with one statement for all of them.
fn with_roles(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    rows: Vec<UserRow>,
) -> Result<Vec<Entry<UserFields>>> {
    type RoleRow = (
        UserId,
        Role,
        Option<UnitId>,
        Option<OrganisationId>,
        Option<Line>,
    );
    let ids: Vec<UserId> = rows.iter().map(|row| row.0).collect();
    let roles: Vec<RoleRow> = user_roles::table
        .filter(user_roles::committee_id.eq(committee))
        .filter(user_roles::user_id.eq_any(ids))
        .order((user_roles::user_id, user_roles::position))
        .select((
            user_roles::user_id,
            user_roles::role,
            user_roles::unit_id,
            user_roles::organisation_id,
            user_roles::line,
        ))
        .load(tx.conn)?;
    let mut grants: HashMap<UserId, Vec<Grant>> = HashMap::new();
    for (user, role, unit_id, organisation_id, line) in roles {
        grants.entry(user).or_default().push(Grant {
            role,
            unit_id,
            organisation_id,
            line,
        });
    }
    let entry = |(id, username, display_name, member_id, disabled, version, created, updated)| {
        let roles = grants.remove(&id).unwrap_or_default();
        let fields = UserFields {
            username,
            display_name,
            member_id,
            roles,
            disabled,
        };
        Entry::from((id, fields, version, created, updated))
    };
    Ok(rows.into_iter().map(entry).collect())
}

fn insert_roles(tx: &mut Tx<'_>, committee: CommitteeId, entry: &Entry<UserFields>) -> Result<()> {
    for (position, grant) in (0..).zip(&entry.fields.roles) {
        diesel::insert_into(user_roles::table)
            .values((
                user_roles::committee_id.eq(committee),
                user_roles::user_id.eq(entry.id),
                user_roles::position.eq(position),
                user_roles::role.eq(grant.role),
                user_roles::unit_id.eq(grant.unit_id),
                user_roles::organisation_id.eq(grant.organisation_id),
                user_roles::line.eq(grant.line.map(Line::as_str)),
            ))
            .execute(tx.conn)?;
    }
    Ok(())
}

/// Adds an account whose password must be changed at the first sign-in.
pub fn insert(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    entry: &Entry<UserFields>,
    password_hash: &str,
) -> Result<()> {
    diesel::insert_into(users::table)
        .values((
            users::committee_id.eq(committee),
            users::id.eq(entry.id),
            users::username.eq(&entry.fields.username),
            users::display_name.eq(&entry.fields.display_name),
            users::member_id.eq(entry.fields.member_id),
            users::password_hash.eq(password_hash),
            users::must_change_password.eq(true),
            users::disabled.eq(entry.fields.disabled),
            users::version.eq(entry.version),
            users::created_at.eq(At(entry.created_at)),
            users::updated_at.eq(At(entry.updated_at)),
        ))
        .execute(tx.conn)?;
    insert_roles(tx, committee, entry)
}

/// Adds an account, with its event.
pub fn create(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    fields: UserFields,
    password_hash: &str,
) -> Result<Entry<UserFields>> {
    fields.check(tx, ctx, None)?;
    let entry = Entry::new(fields, ctx.now);
    insert(tx, ctx.committee(), &entry, password_hash)?;
    super::register::record_created(tx, ctx, ctx.committee(), &entry)?;
    Ok(entry)
}

/// Sets an initial password, which must be changed at the next sign-in, and ends the sign-ins.
pub fn reset_password(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &Entry<UserFields>,
    password_hash: &str,
) -> Result<Entry<UserFields>> {
    let after = touch(tx, ctx, before, before.fields.clone(), "password_reset")?;
    if let Some(old) =
        accounts::find(tx, ctx.committee(), after.id)?.and_then(|account| account.password_hash)
    {
        passwords::keep(tx, ctx.committee(), after.id, &old)?;
    }
    let row = users::table
        .filter(users::committee_id.eq(ctx.committee()))
        .filter(users::id.eq(after.id));
    diesel::update(row)
        .set((
            users::password_hash.eq(password_hash),
            users::must_change_password.eq(true),
            users::password_changed_at.eq(At(ctx.now)),
        ))
        .execute(tx.conn)?;
    end_all(
        tx,
        ctx.committee(),
        after.id,
        None,
        EndReason::PasswordReset,
        ctx.now,
    )?;
    Ok(after)
}

impl Rows for UserFields {
    type Kind = kind::User;

    fn find(tx: &mut Tx<'_>, committee: CommitteeId, id: UserId) -> Result<Entry<Self>> {
        let row: UserRow = users::table
            .filter(users::committee_id.eq(committee))
            .filter(users::id.eq(id))
            .filter(users::machine.eq(false))
            .select(COLUMNS)
            .first(tx.conn)?;
        with_roles(tx, committee, vec![row])?
            .pop()
            .ok_or_else(Error::not_found)
    }

    /// Ends the sign-ins of an account that is shut.
    fn update(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        entry: &Entry<Self>,
        version: i32,
    ) -> Result<usize> {
        let row = users::table
            .filter(users::committee_id.eq(committee))
            .filter(users::id.eq(entry.id))
            .filter(users::version.eq(version));
        let changes = (
            users::username.eq(&entry.fields.username),
            users::display_name.eq(&entry.fields.display_name),
            users::member_id.eq(entry.fields.member_id),
            users::disabled.eq(entry.fields.disabled),
            users::version.eq(entry.version),
            users::updated_at.eq(At(entry.updated_at)),
        );
        if diesel::update(row).set(changes).execute(tx.conn)? == 0 {
            return Ok(0);
        }
        let roles = user_roles::table
            .filter(user_roles::committee_id.eq(committee))
            .filter(user_roles::user_id.eq(entry.id));
        diesel::delete(roles).execute(tx.conn)?;
        insert_roles(tx, committee, entry)?;
        if entry.fields.disabled {
            end_all(
                tx,
                committee,
                entry.id,
                None,
                EndReason::Disabled,
                entry.updated_at,
            )?;
        }
        Ok(1)
    }
}

impl Register for UserFields {
    type Filter = UserFilter;
    type Key = UserId;
    const NAME: &'static str = "user";
    const WRITERS: &'static [Role] = &[Role::Administrator];

    fn list(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        filter: &UserFilter,
        after: Option<&UserId>,
        limit: i64,
    ) -> Result<Vec<Entry<Self>>> {
        let mut query = matching(committee, filter);
        if let Some(id) = after {
            query = query.filter(users::id.gt(*id));
        }
        let rows = query
            .order(users::id)
            .limit(limit)
            .select(COLUMNS)
            .load(tx.conn)?;
        with_roles(tx, committee, rows)
    }

    fn count(tx: &mut Tx<'_>, committee: CommitteeId, filter: &UserFilter) -> Result<i64> {
        Ok(matching(committee, filter).count().get_result(tx.conn)?)
    }

    fn key(entry: &Entry<Self>) -> UserId {
        entry.id
    }

    fn check(&self, tx: &mut Tx<'_>, ctx: &Ctx, before: Option<&Entry<Self>>) -> Result<()> {
        self.check_roles()?;
        if let Some(before) = before.filter(|before| before.id == ctx.user()) {
            self.check_own(&before.fields)?;
        }
        let before = before.map(|before| &before.fields);
        if let Some(member) = self.member_id
            && before.is_none_or(|before| before.member_id != Some(member))
        {
            referred(tx, ctx, member, "/member_id", |member: &MemberFields| {
                member.active
            })?;
        }
        let old = before.map_or(&[][..], |before| &before.roles);
        self.check_narrowing(tx, ctx.committee(), old)
    }
}

impl UserFields {
    fn holds(&self, role: Role) -> bool {
        self.roles.iter().any(|grant| grant.role == role)
    }

    /// Each role is narrowed as it asks, none stands twice, and a member's account says whose.
    fn check_roles(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        let mut error = Error::new(Code::InvalidInput);
        for (index, grant) in self.roles.iter().enumerate() {
            if !grant.is_well_formed() {
                error = error.field(
                    format!("/roles/{index}"),
                    "narrowing",
                    Message::new(
                        "该角色的范围不对：经办人和签发人须且仅须指定单位，提案单位联系人须且仅须指定组织，交办人员须且仅须指定系统，其他角色不限定范围。",
                        "The role is not narrowed as it asks: unit roles name a unit, an organisation clerk an organisation, an assigning officer a line, all others nothing; `system` is nobody's.",
                    ),
                );
            }
            if !seen.insert(grant) {
                error = error.field(
                    format!("/roles/{index}"),
                    "duplicate",
                    Message::new("该角色已列出。", "The role stands there already."),
                );
            }
        }
        if self.holds(Role::Member) && self.member_id.is_none() {
            error = error.field(
                "/member_id",
                "required",
                Message::new(
                    "委员角色须指定委员。",
                    "The role `member` needs the member.",
                ),
            );
        }
        if error.fields().is_empty() {
            Ok(())
        } else {
            Err(error)
        }
    }

    /// An administrator cannot lock himself out.
    fn check_own(&self, before: &Self) -> Result<()> {
        let locked_out = self.disabled
            || (before.holds(Role::Administrator) && !self.holds(Role::Administrator));
        if !locked_out {
            return Ok(());
        }
        Err(Error::new(Code::GuardUnmet).detail(Message::new(
            "管理员不能停用自己的账号，也不能取消自己的管理员角色；请由另一位管理员操作。",
            "Administrators can neither shut their own account nor give up their own role of administrator; another one must do it.",
        )))
    }

    /// The units and organisations that were not there before exist and are active.
    fn check_narrowing(
        &self,
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        old: &[Grant],
    ) -> Result<()> {
        let units = self.newly_named(old, |grant| grant.unit_id);
        if !units.is_empty() {
            let ids: Vec<UnitId> = units.iter().map(|(_, id)| *id).collect();
            let known = units::table
                .filter(units::committee_id.eq(committee))
                .filter(units::id.eq_any(ids))
                .select((units::id, units::active))
                .load(tx.conn)?;
            usable(&units, &known, "unit_id")?;
        }
        let organisations = self.newly_named(old, |grant| grant.organisation_id);
        if !organisations.is_empty() {
            let ids: Vec<OrganisationId> = organisations.iter().map(|(_, id)| *id).collect();
            let known = organisations::table
                .filter(organisations::committee_id.eq(committee))
                .filter(organisations::id.eq_any(ids))
                .select((organisations::id, organisations::active))
                .load(tx.conn)?;
            usable(&organisations, &known, "organisation_id")?;
        }
        Ok(())
    }

    /// What the roles are narrowed to and were not before, each with the place of its role.
    fn newly_named<K: IdKind>(
        &self,
        old: &[Grant],
        of: impl Fn(&Grant) -> Option<Id<K>>,
    ) -> Vec<(usize, Id<K>)> {
        let new = |id: &Id<K>| !old.iter().any(|grant| of(grant) == Some(*id));
        let named = self.roles.iter().enumerate();
        named
            .filter_map(|(index, grant)| of(grant).filter(new).map(|id| (index, id)))
            .collect()
    }
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
