//! Tokens of machine clients, each with an account of the same UUID that nobody can sign in to.

use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Tx;
use super::connection::MultiBackend;
use super::prepared::Prepare;
use super::register::{self, Entry, Register, Rows, inactive, touch, unknown};
use super::run::Run;
use super::schema::{api_tokens, committees, organisations, units, user_roles, users};
use super::sql_types::{At, Json};
use crate::app::Ctx;
use crate::auth::api_token::ApiToken;
use crate::auth::principal::{Factor, Machine, Principal};
use crate::error::{Code, Error, Message, Result};
use crate::ids::{ApiTokenId, CommitteeId, OrganisationId, SignInId, UnitId, UserId, kind};
use crate::workflow::role::{Grant, Line, Role};

/// A token is valid for this time at most.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);
/// The use of a token is noted at most this often.
const NOTED: SignedDuration = SignedDuration::from_hours(1);

/// A token as it is listed; its secret is known to its client alone.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ApiTokenFields {
    /// Name; events name it as the actor.
    #[schema(max_length = 50, example = "市交通运输局公文系统")]
    pub name: String,
    /// The account behind it, by which events, files and records name it. It cannot sign in.
    pub account_id: UserId,
    /// The role in which it acts.
    pub role: Role,
    /// The handling unit of a `unit_clerk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unit_id: Option<UnitId>,
    /// The organisation of an `organisation_clerk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub organisation_id: Option<OrganisationId>,
    /// The line of an `assigning_officer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub line: Option<Line>,
    /// The operations that it may call; absent: all that are open to machines and its role.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_items = 100)]
    pub operations: Option<Vec<String>>,
    /// The first characters of the token. They tell nothing of its secret.
    #[schema(max_length = 20, example = "jjt_AZqbLD1OfwCQobLD")]
    pub prefix: String,
    /// From when it is not valid any more.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub expires_at: Timestamp,
    /// When it was last given a new secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub rotated_at: Option<Timestamp>,
    /// Until when the secret before the present one is valid as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub previous_until: Option<Timestamp>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub revoked_at: Option<Timestamp>,
    /// When it was last used; noted once an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub last_used_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: UserId,
    /// The name of that account then.
    #[schema(max_length = 50, example = "顾清扬")]
    pub created_by_name: String,
}

/// A token that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiTokenIn {
    /// Which system it is for; events name it as the actor.
    #[schema(
        min_length = 1,
        max_length = 50,
        pattern = r"\S",
        example = "市交通运输局公文系统"
    )]
    pub name: String,
    /// The role in which it acts: `unit_clerk`, `organisation_clerk`, `assigning_officer`,
    /// `committee_staff` or `supervision_officer`.
    pub role: Role,
    /// The handling unit of a `unit_clerk`.
    #[serde(default)]
    #[schema(nullable = false)]
    pub unit_id: Option<UnitId>,
    /// The organisation of an `organisation_clerk`.
    #[serde(default)]
    #[schema(nullable = false)]
    pub organisation_id: Option<OrganisationId>,
    /// The line of an `assigning_officer`.
    #[serde(default)]
    #[schema(nullable = false)]
    pub line: Option<Line>,
    /// From when it is not valid any more: within 366 days.
    #[schema(value_type = String, format = DateTime, max_length = 40, example = "2027-01-31T16:00:00Z")]
    pub expires_at: Timestamp,
    /// The operations (`operationId`) that it may call; leave it out for all that are open to
    /// machines and its role.
    #[serde(default)]
    #[schema(nullable = false, min_items = 1, max_items = 100, example = json!(["get_desk", "update_assignments"]))]
    pub operations: Option<Vec<OperationName>>,
}

/// `operationId` of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(
    min_length = 1,
    max_length = 64,
    pattern = "^[a-z][a-z0-9_]*$",
    example = "update_assignments"
)]
pub struct OperationName(pub String);

impl ApiTokenIn {
    /// The role with what it is narrowed to.
    pub fn grant(&self) -> Grant {
        Grant {
            role: self.role,
            unit_id: self.unit_id,
            organisation_id: self.organisation_id,
            line: self.line,
        }
    }
}

/// Another secret for a token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateApiTokenIn {
    /// For how many seconds the present secret stays valid, at most 24 hours; 0: not at all.
    #[schema(minimum = 0, maximum = 86_400, example = 3600)]
    pub grace_seconds: u32,
    /// From when the token is not valid any more, where that changes: within 366 days.
    #[serde(default)]
    #[schema(nullable = false, value_type = Option<String>, format = DateTime, max_length = 40, example = "2027-06-30T16:00:00Z")]
    pub expires_at: Option<Timestamp>,
}

/// Narrows a list of tokens.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ApiTokenFilter {
    /// Only tokens of this unit.
    #[param(nullable = false)]
    pub unit_id: Option<UnitId>,
    /// Only tokens that act in this role.
    #[param(nullable = false)]
    pub role: Option<Role>,
    /// Only tokens that were (or were not) revoked.
    #[param(nullable = false)]
    pub revoked: Option<bool>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
struct TokenRow {
    id: ApiTokenId,
    prefix: String,
    previous_until: Option<At>,
    operations: Option<Json>,
    expires_at: At,
    rotated_at: Option<At>,
    revoked_at: Option<At>,
    last_used_at: Option<At>,
    created_by: UserId,
    created_by_name: String,
    version: i32,
    created_at: At,
    updated_at: At,
}

type GrantRow = (Role, Option<UnitId>, Option<OrganisationId>, Option<Line>);
type JoinedRow = (TokenRow, String, GrantRow);

fn entry(
    (row, name, (role, unit_id, organisation_id, line)): JoinedRow,
) -> Result<Entry<ApiTokenFields>> {
    let moment = |at: Option<At>| at.map(|at| at.0);
    Ok(Entry {
        id: row.id,
        fields: ApiTokenFields {
            name,
            account_id: row.id.cast(),
            role,
            unit_id,
            organisation_id,
            line,
            operations: row.operations.map(Json::to).transpose()?,
            prefix: row.prefix,
            expires_at: row.expires_at.0,
            rotated_at: moment(row.rotated_at),
            previous_until: moment(row.previous_until),
            revoked_at: moment(row.revoked_at),
            last_used_at: moment(row.last_used_at),
            created_by: row.created_by,
            created_by_name: row.created_by_name,
        },
        version: row.version,
        created_at: row.created_at.0,
        updated_at: row.updated_at.0,
    })
}

/// The token, its account and the one role of that.
macro_rules! joined {
    ($committee:expr) => {
        api_tokens::table
            .inner_join(
                users::table.on(users::committee_id
                    .eq(api_tokens::committee_id)
                    .and(users::id.eq(api_tokens::id))),
            )
            .inner_join(
                user_roles::table.on(user_roles::committee_id
                    .eq(api_tokens::committee_id)
                    .and(user_roles::user_id.eq(api_tokens::id))
                    .and(user_roles::position.eq(0))),
            )
            .filter(api_tokens::committee_id.eq($committee))
    };
}

macro_rules! joined_columns {
    () => {
        (
            <TokenRow as Selectable<MultiBackend>>::construct_selection(),
            users::display_name,
            (
                user_roles::role,
                user_roles::unit_id,
                user_roles::organisation_id,
                user_roles::line,
            ),
        )
    };
}

/// Narrows a query of [`joined`] tokens.
macro_rules! narrowed {
    ($query:expr, $filter:expr) => {{
        let mut query = $query;
        if let Some(unit) = $filter.unit_id {
            query = query.filter(user_roles::unit_id.eq(unit));
        }
        if let Some(role) = $filter.role {
            query = query.filter(user_roles::role.eq(role));
        }
        match $filter.revoked {
            Some(true) => query = query.filter(api_tokens::revoked_at.is_not_null()),
            Some(false) => query = query.filter(api_tokens::revoked_at.is_null()),
            None => {}
        }
        query
    }};
}

impl Rows for ApiTokenFields {
    type Kind = kind::ApiToken;

    fn find(tx: &mut Tx<'_>, committee: CommitteeId, id: ApiTokenId) -> Result<Entry<Self>> {
        let row: JoinedRow = joined!(committee)
            .filter(api_tokens::id.eq(id))
            .select(joined_columns!())
            .first_row(tx.conn)?;
        entry(row)
    }

    fn update(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        entry: &Entry<Self>,
        version: i32,
    ) -> Result<usize> {
        let row = api_tokens::table
            .filter(api_tokens::committee_id.eq(committee))
            .filter(api_tokens::id.eq(entry.id))
            .filter(api_tokens::version.eq(version));
        let fields = &entry.fields;
        Ok(diesel::update(row)
            .set((
                api_tokens::expires_at.eq(At(fields.expires_at)),
                api_tokens::rotated_at.eq(fields.rotated_at.map(At)),
                api_tokens::previous_until.eq(fields.previous_until.map(At)),
                api_tokens::revoked_at.eq(fields.revoked_at.map(At)),
                api_tokens::version.eq(entry.version),
                api_tokens::updated_at.eq(At(entry.updated_at)),
            ))
            .prepared()
            .run(tx.conn)?)
    }
}

impl Register for ApiTokenFields {
    type Filter = ApiTokenFilter;
    type Key = ApiTokenId;
    const NAME: &'static str = "api_token";
    const WRITERS: &'static [Role] = &[Role::SecurityAdministrator];

    fn list(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        filter: &ApiTokenFilter,
        after: Option<&ApiTokenId>,
        limit: i64,
    ) -> Result<Vec<Entry<Self>>> {
        let mut query = narrowed!(joined!(committee).into_boxed(), filter);
        if let Some(id) = after {
            query = query.filter(api_tokens::id.gt(*id));
        }
        let rows: Vec<JoinedRow> = query
            .order(api_tokens::id)
            .limit(limit)
            .select(joined_columns!())
            .load(tx.conn)?;
        rows.into_iter().map(entry).collect()
    }

    fn count(tx: &mut Tx<'_>, committee: CommitteeId, filter: &ApiTokenFilter) -> Result<i64> {
        let query = narrowed!(joined!(committee).into_boxed(), filter);
        Ok(query.count().get_result(tx.conn)?)
    }

    fn key(entry: &Entry<Self>) -> ApiTokenId {
        entry.id
    }

    fn check(&self, _: &mut Tx<'_>, _: &Ctx, _: Option<&Entry<Self>>) -> Result<()> {
        Ok(())
    }
}

/// Makes a token and its account, with the event.
pub fn create(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    wanted: &ApiTokenIn,
    token: &ApiToken,
) -> Result<Entry<ApiTokenFields>> {
    check(tx, ctx, wanted)?;
    let (committee, id) = (ctx.committee(), token.id());
    let account: UserId = id.cast();
    let moment = At(ctx.now);
    diesel::insert_into(users::table)
        .values((
            users::committee_id.eq(committee),
            users::id.eq(account),
            users::username.eq(format!("token.{}", id.uuid().simple())),
            users::display_name.eq(&wanted.name),
            users::must_change_password.eq(false),
            users::disabled.eq(false),
            users::machine.eq(true),
            users::version.eq(1),
            users::created_at.eq(moment),
            users::updated_at.eq(moment),
        ))
        .prepared()
        .run(tx.conn)?;
    diesel::insert_into(user_roles::table)
        .values((
            user_roles::committee_id.eq(committee),
            user_roles::user_id.eq(account),
            user_roles::position.eq(0),
            user_roles::role.eq(wanted.role),
            user_roles::unit_id.eq(wanted.unit_id),
            user_roles::organisation_id.eq(wanted.organisation_id),
            user_roles::line.eq(wanted.line.map(Line::as_str)),
        ))
        .prepared()
        .run(tx.conn)?;
    diesel::insert_into(api_tokens::table)
        .values((
            api_tokens::committee_id.eq(committee),
            api_tokens::id.eq(id),
            api_tokens::prefix.eq(token.prefix()),
            api_tokens::secret_hash.eq(token.hash()),
            api_tokens::operations.eq(wanted.operations.as_ref().map(Json::of).transpose()?),
            api_tokens::expires_at.eq(At(wanted.expires_at)),
            api_tokens::created_by.eq(ctx.user()),
            api_tokens::created_by_name.eq(&ctx.principal.display_name),
            api_tokens::version.eq(1),
            api_tokens::created_at.eq(moment),
            api_tokens::updated_at.eq(moment),
        ))
        .prepared()
        .run(tx.conn)?;
    let entry = ApiTokenFields::find(tx, committee, id)?;
    register::record_created(tx, ctx, committee, &entry)?;
    Ok(entry)
}

/// Gives a token another secret; the present one stays valid for the time that is asked for, the
/// one before it not.
pub fn rotate(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &Entry<ApiTokenFields>,
    wanted: &RotateApiTokenIn,
    token: &ApiToken,
) -> Result<Entry<ApiTokenFields>> {
    let mut fields = before.fields.clone();
    if fields.revoked_at.is_some() || fields.expires_at <= ctx.now {
        return Err(Error::new(Code::GuardUnmet).detail(Message::new(
            "令牌已撤销或已过期，请新建令牌。",
            "The token was revoked or has expired; make a new one.",
        )));
    }
    if let Some(expires_at) = wanted.expires_at {
        check_expiry(ctx, expires_at)?;
        fields.expires_at = expires_at;
    }
    let grace = SignedDuration::from_secs(wanted.grace_seconds.into());
    fields.rotated_at = Some(ctx.now);
    fields.previous_until = (!grace.is_zero()).then(|| ctx.now + grace);
    let (committee, id) = (ctx.committee(), before.id);
    let row = api_tokens::table
        .filter(api_tokens::committee_id.eq(committee))
        .filter(api_tokens::id.eq(id));
    diesel::update(row)
        .set(api_tokens::previous_hash.eq(api_tokens::secret_hash.nullable()))
        .prepared()
        .run(tx.conn)?;
    diesel::update(row)
        .set(api_tokens::secret_hash.eq(token.hash()))
        .prepared()
        .run(tx.conn)?;
    touch(tx, ctx, before, fields, "rotated")
}

/// Ends a token for good. One that was revoked before stays as it is.
pub fn revoke(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: Entry<ApiTokenFields>,
) -> Result<Entry<ApiTokenFields>> {
    if before.fields.revoked_at.is_some() {
        return Ok(before);
    }
    let fields = ApiTokenFields {
        revoked_at: Some(ctx.now),
        previous_until: None,
        ..before.fields.clone()
    };
    touch(tx, ctx, &before, fields, "revoked")
}

fn check_expiry(ctx: &Ctx, expires_at: Timestamp) -> Result<()> {
    if expires_at > ctx.now && expires_at.duration_since(ctx.now) <= LONGEST {
        return Ok(());
    }
    Err(Error::invalid(
        "/expires_at",
        "out_of_range",
        Message::new(
            "须晚于现在，且不超过 366 天。",
            "It must lie ahead, by 366 days at most.",
        ),
    ))
}

fn check(tx: &mut Tx<'_>, ctx: &Ctx, wanted: &ApiTokenIn) -> Result<()> {
    check_expiry(ctx, wanted.expires_at)?;
    if !wanted.role.is_open_to_machines() {
        return Err(Error::invalid(
            "/role",
            "not_for_machines",
            Message::new(
                "该角色须由自然人担任，不能授予令牌；可用：unit_clerk、organisation_clerk、assigning_officer、committee_staff、supervision_officer。",
                "This role is for persons; a token may hold unit_clerk, organisation_clerk, assigning_officer, committee_staff or supervision_officer.",
            ),
        ));
    }
    if !wanted.grant().is_well_formed() {
        return Err(Error::invalid(
            "/role",
            "narrowing",
            Message::new(
                "该角色的范围不对：经办人须且仅须指定单位，提案单位联系人须且仅须指定组织，交办人员须且仅须指定系统，其他角色不限定范围。",
                "The role is not narrowed as it asks: a unit clerk names a unit, an organisation clerk an organisation, an assigning officer a line, all others nothing.",
            ),
        ));
    }
    let committee = ctx.committee();
    if let Some(unit) = wanted.unit_id {
        let active = units::table
            .filter(units::committee_id.eq(committee))
            .filter(units::id.eq(unit))
            .select(units::active)
            .first_row(tx.conn)
            .optional()?;
        usable(active, "/unit_id")?;
    }
    if let Some(organisation) = wanted.organisation_id {
        let active = organisations::table
            .filter(organisations::committee_id.eq(committee))
            .filter(organisations::id.eq(organisation))
            .select(organisations::active)
            .first_row(tx.conn)
            .optional()?;
        usable(active, "/organisation_id")?;
    }
    Ok(())
}

fn usable(active: Option<bool>, pointer: &str) -> Result<()> {
    match active {
        Some(true) => Ok(()),
        Some(false) => Err(inactive(pointer)),
        None => Err(unknown(pointer)),
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
struct SecretRow {
    secret_hash: String,
    previous_hash: Option<String>,
    previous_until: Option<At>,
    operations: Option<Json>,
    last_used_at: Option<At>,
}

/// A principal, and whether its use is to be noted again.
type Bearer = (Principal, bool);

/// Who is behind a token now, with one statement; `None` if it is not valid, or if its committee,
/// unit or organisation is not active.
pub fn principal(tx: &mut Tx<'_>, token: &ApiToken, now: Timestamp) -> Result<Option<Bearer>> {
    type Row = (
        SecretRow,
        (String, String),
        GrantRow,
        (Option<bool>, Option<bool>),
    );
    let (committee, id) = (token.committee(), token.id());
    let row: Option<Row> = joined!(committee)
        .inner_join(committees::table.on(committees::id.eq(api_tokens::committee_id)))
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
        .filter(api_tokens::id.eq(id))
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::expires_at.gt(At(now)))
        .filter(committees::active.eq(true))
        .filter(users::disabled.eq(false))
        .select((
            <SecretRow as Selectable<MultiBackend>>::construct_selection(),
            (users::username, users::display_name),
            (
                user_roles::role,
                user_roles::unit_id,
                user_roles::organisation_id,
                user_roles::line,
            ),
            (units::active.nullable(), organisations::active.nullable()),
        ))
        .first_row(tx.conn)
        .optional()?;
    let Some((secret, (username, display_name), grant, places)) = row else {
        return Ok(None);
    };
    if places.0 == Some(false) || places.1 == Some(false) || !is_secret(token, &secret, now) {
        return Ok(None);
    }
    let stale = secret
        .last_used_at
        .is_none_or(|at| now.duration_since(at.0) >= NOTED);
    let (role, unit_id, organisation_id, line) = grant;
    let principal = Principal {
        committee,
        user: id.cast(),
        sign_in: SignInId::from_uuid(id.uuid()),
        username,
        display_name,
        member: None,
        grants: vec![Grant {
            role,
            unit_id,
            organisation_id,
            line,
        }],
        must_change_password: false,
        factor: Factor::default(),
        machine: Some(Machine {
            token: id,
            operations: secret.operations.map(Json::to).transpose()?,
        }),
    };
    Ok(Some((principal, stale)))
}

fn is_secret(token: &ApiToken, row: &SecretRow, now: Timestamp) -> bool {
    let in_grace = row
        .previous_until
        .as_ref()
        .is_some_and(|until| now < until.0);
    token.is(&row.secret_hash)
        || (in_grace
            && row
                .previous_hash
                .as_ref()
                .is_some_and(|hash| token.is(hash)))
}

/// Notes that a token is used, unless another instance just did.
pub fn note_use(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ApiTokenId,
    now: Timestamp,
) -> Result<()> {
    let row = api_tokens::table
        .filter(api_tokens::committee_id.eq(committee))
        .filter(api_tokens::id.eq(id))
        .filter(
            api_tokens::last_used_at
                .is_null()
                .or(api_tokens::last_used_at.le(At(now - NOTED))),
        );
    diesel::update(row)
        .set(api_tokens::last_used_at.eq(At(now)))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}
