//! Accounts as administrators see them, with the roles they hold.

use std::collections::HashMap;

use diesel::dsl::exists;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::connection::MultiBackend;
use super::events::Circumstances;
use super::grants;
use super::members::MemberFields;
use super::prepared::Prepare;
use super::register::{Entry, Register, Rows, containing, lower, referred, text, touch, touch_by};
use super::run::Run;
use super::schema::{user_roles, users};
use super::sign_ins::{EndReason, end_all};
use super::sql_types::At;
use super::{Tx, accounts, passwords};
use crate::app::Ctx;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{CommitteeId, MemberId, OrganisationId, UnitId, UserId, kind};
use crate::workflow::role::{Grant, Line, Role};

/// What the system administrator sets of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserIn {
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
    /// The member on the register whose account it is; unique in the committee. It stays as long
    /// as the account holds a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub member_id: Option<MemberId>,
    /// Whether the account is shut: it cannot sign in, and its sign-ins end.
    #[serde(default)]
    #[schema(default = false, example = false)]
    pub disabled: bool,
}

/// An account: what the system administrator set, and the roles that the security administrator
/// granted.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct UserFields {
    /// Name for signing in; unique in the committee.
    #[schema(min_length = 3, max_length = 64, example = "gu.qingyang")]
    pub username: String,
    /// Name shown to others.
    #[schema(min_length = 1, max_length = 50, example = "顾清扬")]
    pub display_name: String,
    /// The member on the register whose account it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub member_id: Option<MemberId>,
    /// The roles held, as the security administrator granted them; none at first.
    #[schema(max_items = 20)]
    pub roles: Vec<Grant>,
    /// Whether the account is shut.
    #[schema(example = false)]
    pub disabled: bool,
}

impl UserFields {
    /// What the system administrator set, with these roles.
    pub fn new(set: UserIn, roles: Vec<Grant>) -> Self {
        let UserIn {
            username,
            display_name,
            member_id,
            disabled,
        } = set;
        Self {
            username,
            display_name,
            member_id,
            roles,
            disabled,
        }
    }

    /// What the system administrator set.
    pub fn set(&self) -> UserIn {
        UserIn {
            username: self.username.clone(),
            display_name: self.display_name.clone(),
            member_id: self.member_id,
            disabled: self.disabled,
        }
    }

    /// Whether the account holds the role.
    pub fn holds(&self, role: Role) -> bool {
        self.roles.iter().any(|grant| grant.role == role)
    }
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
        .rows(tx.conn)?;
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
            .prepared()
            .run(tx.conn)?;
    }
    Ok(())
}

/// Adds an account whose password, if it has one, must be changed at the first sign-in. Without
/// one nobody can sign in.
pub fn insert(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    entry: &Entry<UserFields>,
    password_hash: Option<&str>,
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
        .prepared()
        .run(tx.conn)?;
    insert_roles(tx, committee, entry)
}

/// Adds an account, with its event. Its roles and its first password are the security
/// administrator's to give.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, set: UserIn) -> Result<Entry<UserFields>> {
    let fields = UserFields::new(set, Vec::new());
    fields.check(tx, ctx, None)?;
    let entry = Entry::new(fields, ctx.now);
    insert(tx, ctx.committee(), &entry, None)?;
    super::register::record_created(tx, ctx, ctx.committee(), &entry)?;
    Ok(entry)
}

/// Signs the owner of an account out everywhere.
pub fn end_sign_ins(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &Entry<UserFields>,
) -> Result<Entry<UserFields>> {
    let after = touch(tx, ctx, before, before.fields.clone(), "sign_ins_ended")?;
    let (committee, why) = (ctx.committee(), EndReason::Ended);
    end_all(tx, committee, after.id, None, why, ctx.now)?;
    Ok(after)
}

/// Sets an initial password, which must be changed at the next sign-in, and ends the sign-ins.
pub fn reset_password(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &Entry<UserFields>,
    password_hash: &str,
) -> Result<Entry<UserFields>> {
    let circumstances = Circumstances::of(ctx, UserFields::WRITERS);
    reset_password_by(tx, ctx.committee(), &circumstances, before, password_hash)
}

/// The same, where nobody has signed in.
pub fn reset_password_by(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    circumstances: &Circumstances,
    before: &Entry<UserFields>,
    password_hash: &str,
) -> Result<Entry<UserFields>> {
    let (fields, now) = (before.fields.clone(), circumstances.at);
    let after = touch_by(
        tx,
        committee,
        circumstances,
        before,
        fields,
        "password_reset",
    )?;
    if let Some(old) =
        accounts::find(tx, committee, after.id)?.and_then(|account| account.password_hash)
    {
        passwords::keep(tx, committee, after.id, &old)?;
    }
    let row = users::table
        .filter(users::committee_id.eq(committee))
        .filter(users::id.eq(after.id));
    diesel::update(row)
        .set((
            users::password_hash.eq(password_hash),
            users::must_change_password.eq(true),
            users::password_changed_at.eq(At(now)),
        ))
        .prepared()
        .run(tx.conn)?;
    end_all(tx, committee, after.id, None, EndReason::PasswordReset, now)?;
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
            .first_row(tx.conn)?;
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
        if diesel::update(row).set(changes).prepared().run(tx.conn)? == 0 {
            return Ok(0);
        }
        let roles = user_roles::table
            .filter(user_roles::committee_id.eq(committee))
            .filter(user_roles::user_id.eq(entry.id));
        diesel::delete(roles).run(tx.conn)?;
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
    /// Each for a part of its own.
    const WRITERS: &'static [Role] = &[Role::Administrator, Role::SecurityAdministrator];

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
        if let Some(before) = before {
            self.check_change(tx, ctx, before)?;
        }
        if let Some(member) = self.member_id
            && before.is_none_or(|before| before.fields.member_id != Some(member))
        {
            referred(tx, ctx, member, "/member_id", |member: &MemberFields| {
                member.active
            })?;
        }
        Ok(())
    }
}

impl UserFields {
    /// Nobody shuts the own account or the last one of its kind, and whose account it is stays as
    /// long as roles were granted for that person.
    fn check_change(&self, tx: &mut Tx<'_>, ctx: &Ctx, before: &Entry<Self>) -> Result<()> {
        let unmet = |zh: &'static str, en: &'static str| {
            Err(Error::new(Code::GuardUnmet).detail(Message::new(zh, en)))
        };
        if self.disabled && before.id == ctx.user() {
            return unmet(
                "不能停用自己的账号；请由另一位系统管理员操作。",
                "Nobody shuts the own account; another system administrator must do it.",
            );
        }
        if self.member_id != before.fields.member_id && !before.fields.roles.is_empty() {
            return unmet(
                "账号持有角色时不能更换所属委员；请先由安全管理员撤去角色。",
                "Whose account it is cannot change while it holds roles; the security administrator must take them away first.",
            );
        }
        grants::keep_one_of_each(tx, ctx.committee(), before, self)
    }
}
