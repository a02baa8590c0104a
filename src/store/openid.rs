//! Identity providers of a committee, whose subjects are whose accounts, and sign-ins under way.

use diesel::prelude::*;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Tx;
use super::accounts::Account;
use super::connection::MultiBackend;
use super::prepared::Prepare;
use super::register::{Entry, Register, Row, columns, row_statements};
use super::run::Run;
use super::schema::{committees, openid_flows, openid_links, openid_providers, sign_ins, users};
use super::sql_types::At;
use crate::app::Ctx;
use crate::auth::ticket::Ticket;
use crate::code_list;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{CommitteeId, OpenidProviderId, UserId, kind};
use crate::workflow::role::Role;

code_list! {
    /// Which claim of an identity provider names the account.
    pub enum AccountClaim {
        Subject = "sub", "用户标识：由安全管理员逐一绑定", "the subject, bound to an account by the security administrator";
        Username = "preferred_username", "用户名：与账号的登录名相同", "the user name, equal to that of the account";
    }
}

/// What the security administrator sets of an identity provider.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Serialize,
    Deserialize,
    ToSchema,
    Queryable,
    Selectable,
    Insertable,
    AsChangeset,
)]
#[diesel(table_name = openid_providers, treat_none_as_null = true)]
#[serde(deny_unknown_fields)]
pub struct OpenidProviderFields {
    /// Name shown where people sign in; unique in the committee.
    #[schema(
        min_length = 1,
        max_length = 50,
        pattern = r"\S",
        example = "市政务统一身份认证"
    )]
    pub name: String,
    /// Its issuer, exactly as it names itself: https, a public host.
    #[schema(
        min_length = 8,
        max_length = 500,
        pattern = r"^https?://[^\s\u0000?#]+$",
        example = "https://id.example.cn"
    )]
    pub issuer: String,
    /// Under which name it knows this service.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[!-~]+$",
        example = "jianjian"
    )]
    pub client_id: String,
    /// Where it sends people back to: the page of the front end that is registered there, to the
    /// letter.
    #[schema(
        min_length = 8,
        max_length = 500,
        pattern = r"^https?://[^\s\u0000#]+$",
        example = "https://tian.example.cn/signed-in"
    )]
    pub redirect_uri: String,
    /// Which claim names the account.
    pub claim: AccountClaim,
    /// Values of `acr` or `amr`, with blanks between them, any of which says that the provider saw
    /// a second factor. Left out: its word is not taken, and accounts with a second factor are
    /// asked for it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 200,
        pattern = r"^[!-~]+( [!-~]+)*$",
        example = "mfa otp"
    )]
    pub second_factor: Option<String>,
    /// Whether people may sign in through it. When it is shut, sign-ins that came by it end.
    #[serde(default = "super::register::active")]
    #[schema(default = true)]
    pub enabled: bool,
}

/// Providers are few: a list of them is not narrowed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OpenidProviderFilter {}

fn matching(committee: CommitteeId) -> openid_providers::BoxedQuery<'static, MultiBackend> {
    openid_providers::table
        .filter(openid_providers::committee_id.eq(committee))
        .into_boxed()
}

row_statements!(openid_providers, OpenidProviderFields, OpenidProvider);

/// Providers of a committee.
const MOST: i64 = 20;

impl Register for OpenidProviderFields {
    type Filter = OpenidProviderFilter;
    type Key = OpenidProviderId;
    const NAME: &'static str = "openid_provider";
    const WRITERS: &'static [Role] = &[Role::SecurityAdministrator];

    fn list(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        _: &OpenidProviderFilter,
        after: Option<&OpenidProviderId>,
        limit: i64,
    ) -> Result<Vec<Entry<Self>>> {
        let mut query = matching(committee);
        if let Some(id) = after {
            query = query.filter(openid_providers::id.gt(*id));
        }
        let query = query.order(openid_providers::id).limit(limit);
        let rows: Vec<Row<Self>> = query
            .select(columns!(openid_providers, Self))
            .load(tx.conn)?;
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    fn count(tx: &mut Tx<'_>, committee: CommitteeId, _: &OpenidProviderFilter) -> Result<i64> {
        Ok(matching(committee).count().get_result(tx.conn)?)
    }

    fn key(entry: &Entry<Self>) -> OpenidProviderId {
        entry.id
    }

    fn check(&self, tx: &mut Tx<'_>, ctx: &Ctx, before: Option<&Entry<Self>>) -> Result<()> {
        if before.is_none() && Self::count(tx, ctx.committee(), &OpenidProviderFilter {})? >= MOST {
            return Err(Error::invalid(
                "",
                "too_many",
                Message::new(
                    format!("每个委员会最多 {MOST} 个身份提供方。"),
                    format!("At most {MOST} identity providers of a committee."),
                ),
            ));
        }
        // Subjects are those of one issuer: another one may give the same to somebody else.
        let other_issuer = before.is_some_and(|before| before.fields.issuer != self.issuer);
        if let Some(before) = before.filter(|_| other_issuer)
            && has_links(tx, ctx.committee(), before.id)?
        {
            return Err(Error::new(Code::GuardUnmet).detail(Message::new(
                "已有账号绑定到该身份提供方，不能更换 issuer；请先解除绑定，或另建一个。",
                "Accounts are linked to this provider, so its issuer stays; unlink them first, or make another one.",
            )));
        }
        Ok(())
    }
}

/// Keeps the client secret of a provider, or removes it: a public client.
pub fn set_client_secret(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: OpenidProviderId,
    secret: Option<&str>,
) -> Result<()> {
    diesel::update(openid_providers::table.find((committee, id)))
        .set(openid_providers::client_secret.eq(secret))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// The client secret as it is kept.
pub fn client_secret(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: OpenidProviderId,
) -> Result<Option<String>> {
    Ok(openid_providers::table
        .find((committee, id))
        .select(openid_providers::client_secret)
        .first_row(tx.conn)?)
}

/// Ends the sign-ins that came by a provider; gives how many.
pub fn end_sign_ins(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: OpenidProviderId,
    now: Timestamp,
) -> Result<usize> {
    let open = sign_ins::table
        .filter(sign_ins::committee_id.eq(committee))
        .filter(sign_ins::provider_id.eq(id))
        .filter(sign_ins::ended_at.is_null());
    Ok(diesel::update(open)
        .set((
            sign_ins::ended_at.eq(Some(At(now))),
            sign_ins::end_reason.eq(super::sign_ins::EndReason::ProviderShut.as_str()),
        ))
        .prepared()
        .run(tx.conn)?)
}

/// The providers through which people of an active committee may sign in.
pub fn offered(tx: &mut Tx<'_>, code: &str) -> Result<Vec<(OpenidProviderId, String)>> {
    Ok(openid_providers::table
        .inner_join(committees::table.on(committees::id.eq(openid_providers::committee_id)))
        .filter(committees::code.eq(code))
        .filter(committees::active.eq(true))
        .filter(openid_providers::enabled.eq(true))
        .order(openid_providers::id)
        .limit(MOST)
        .select((openid_providers::id, openid_providers::name))
        .rows(tx.conn)?)
}

/// An account and the subject that the provider knows it by.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OpenidLink {
    /// The account.
    pub user_id: UserId,
    /// What the provider calls it (`sub`).
    #[schema(max_length = 255, example = "248289761001")]
    pub subject: String,
    /// When it was linked.
    #[schema(value_type = String, format = DateTime, max_length = 40, example = "2026-01-18T01:30:00Z")]
    pub created_at: Timestamp,
}

/// Links of a provider behind `after`, at most `limit`.
pub fn links(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    provider: OpenidProviderId,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<OpenidLink>> {
    let mut query = openid_links::table
        .filter(openid_links::committee_id.eq(committee))
        .filter(openid_links::provider_id.eq(provider))
        .order(openid_links::user_id)
        .limit(limit)
        .select((
            openid_links::user_id,
            openid_links::subject,
            openid_links::created_at,
        ))
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(openid_links::user_id.gt(after));
    }
    let rows: Vec<(UserId, String, At)> = query.load(tx.conn)?;
    Ok(rows
        .into_iter()
        .map(|(user_id, subject, created_at)| OpenidLink {
            user_id,
            subject,
            created_at: created_at.0,
        })
        .collect())
}

/// Number of links of a provider.
pub fn count_links(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    provider: OpenidProviderId,
) -> Result<i64> {
    Ok(openid_links::table
        .filter(openid_links::committee_id.eq(committee))
        .filter(openid_links::provider_id.eq(provider))
        .count()
        .row(tx.conn)?)
}

fn has_links(tx: &mut Tx<'_>, committee: CommitteeId, provider: OpenidProviderId) -> Result<bool> {
    Ok(!links(tx, committee, provider, None, 1)?.is_empty())
}

/// Binds a subject to an account.
pub fn link(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    provider: OpenidProviderId,
    user: UserId,
    subject: &str,
    now: Timestamp,
) -> Result<()> {
    diesel::insert_into(openid_links::table)
        .values((
            openid_links::committee_id.eq(committee),
            openid_links::provider_id.eq(provider),
            openid_links::user_id.eq(user),
            openid_links::subject.eq(subject),
            openid_links::created_at.eq(At(now)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Takes the link of an account away; `false` if there was none.
pub fn unlink(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    provider: OpenidProviderId,
    user: UserId,
) -> Result<bool> {
    Ok(diesel::delete(openid_links::table.find((committee, provider, user))).run(tx.conn)? > 0)
}

/// The account that a claim names; machine clients are nobody's.
pub fn account(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    provider: OpenidProviderId,
    claim: AccountClaim,
    value: &str,
) -> Result<Option<Account>> {
    match claim {
        AccountClaim::Username => super::accounts::by_username(tx, committee, value),
        AccountClaim::Subject => Ok(openid_links::table
            .inner_join(
                users::table.on(users::committee_id
                    .eq(openid_links::committee_id)
                    .and(users::id.eq(openid_links::user_id))),
            )
            .filter(openid_links::committee_id.eq(committee))
            .filter(openid_links::provider_id.eq(provider))
            .filter(openid_links::subject.eq(value))
            .filter(users::machine.eq(false))
            .select(<Account as Selectable<MultiBackend>>::construct_selection())
            .first_row(tx.conn)
            .optional()?),
    }
}

/// A sign-in under way at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// The provider.
    pub provider: OpenidProviderId,
    /// The version of the provider that it was begun with.
    pub provider_version: i32,
    /// What the ID token must repeat.
    pub nonce: String,
    /// The code verifier as it is kept.
    pub code_verifier: String,
}

/// Sign-ins that may be under way at a provider at the same time: anybody can begin one.
const MOST_FLOWS: i64 = 10_000;

/// Stores a sign-in that begins; those that have expired go.
pub fn begin_flow(
    tx: &mut Tx<'_>,
    ticket: &Ticket<kind::OpenidFlow>,
    flow: &Flow,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    let of_provider = || {
        openid_flows::table
            .filter(openid_flows::committee_id.eq(ticket.committee()))
            .filter(openid_flows::provider_id.eq(flow.provider))
    };
    let old = of_provider().filter(openid_flows::expires_at.le(At(now)));
    diesel::delete(old).run(tx.conn)?;
    let open: i64 = of_provider().count().row(tx.conn)?;
    if open >= MOST_FLOWS {
        return Err(Error::new(Code::Busy).context("too many sign-ins under way"));
    }
    diesel::insert_into(openid_flows::table)
        .values((
            openid_flows::committee_id.eq(ticket.committee()),
            openid_flows::id.eq(ticket.id()),
            openid_flows::provider_id.eq(flow.provider),
            openid_flows::ticket_hash.eq(ticket.hash()),
            openid_flows::nonce.eq(&flow.nonce),
            openid_flows::code_verifier.eq(&flow.code_verifier),
            openid_flows::provider_version.eq(flow.provider_version),
            openid_flows::created_at.eq(At(now)),
            openid_flows::expires_at.eq(At(expires_at)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Takes a sign-in that is under way: of any number of callers one gets it.
pub fn take_flow(
    tx: &mut Tx<'_>,
    ticket: &Ticket<kind::OpenidFlow>,
    now: Timestamp,
) -> Result<Option<Flow>> {
    type Row = (OpenidProviderId, i32, String, String, String);
    let this = openid_flows::table.find((ticket.committee(), ticket.id()));
    let row: Option<Row> = this
        .filter(openid_flows::expires_at.gt(At(now)))
        .select((
            openid_flows::provider_id,
            openid_flows::provider_version,
            openid_flows::nonce,
            openid_flows::code_verifier,
            openid_flows::ticket_hash,
        ))
        .first_row(tx.conn)
        .optional()?;
    let Some((provider, provider_version, nonce, code_verifier, hash)) = row else {
        return Ok(None);
    };
    if !ticket.is(&hash) || diesel::delete(this).run(tx.conn)? == 0 {
        return Ok(None);
    }
    Ok(Some(Flow {
        provider,
        provider_version,
        nonce,
        code_verifier,
    }))
}
