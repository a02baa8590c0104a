//! Sign-ins and the chains of their refresh tokens.

use std::collections::BTreeMap;

use diesel::dsl::exists;
use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

use super::connection::MultiBackend;
use super::prepared::Prepare;
use super::register::unknown;
use super::run::Run;
use super::schema::{password_policies, refresh_tokens, sign_ins};
use super::sql_types::At;
use super::{Tx, passwords};
use crate::error::Result;
use crate::ids::{CommitteeId, OpenidProviderId, SignInId, UserId};

/// Why a sign-in ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The user signed out.
    SignedOut,
    /// A refresh token was used a second time.
    Reuse,
    /// The user changed the password in another sign-in.
    PasswordChanged,
    /// The security administrator set a new password.
    PasswordReset,
    /// The security administrator ended it.
    Ended,
    /// Its owner ended it, in this or another sign-in.
    EndedByOwner,
    /// The system administrator disabled the account.
    Disabled,
    /// The user confirmed a second factor in another sign-in.
    SecondFactorConfirmed,
    /// An administrator removed the second factor.
    SecondFactorReset,
    /// The identity provider by which it came was shut.
    ProviderShut,
}

impl EndReason {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Reuse => "reuse",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::Ended => "ended",
            Self::EndedByOwner => "ended_by_owner",
            Self::Disabled => "disabled",
            Self::SecondFactorConfirmed => "second_factor_confirmed",
            Self::SecondFactorReset => "second_factor_reset",
            Self::ProviderShut => "provider_shut",
        }
    }
}

/// A sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignIn {
    /// Whose it is.
    pub user: UserId,
    /// When it ends of itself.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
}

impl SignIn {
    /// Whether it goes on.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

/// A refresh token that was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issued {
    /// When.
    pub issued_at: Timestamp,
    /// When it was exchanged for its successor.
    pub used_at: Option<Timestamp>,
}

macro_rules! this {
    ($committee:expr, $id:expr) => {
        sign_ins::table
            .filter(sign_ins::committee_id.eq($committee))
            .filter(sign_ins::id.eq($id))
    };
}

/// One sign-in.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, id: SignInId) -> Result<Option<SignIn>> {
    let row: Option<(UserId, At, Option<At>)> = this!(committee, id)
        .select((sign_ins::user_id, sign_ins::expires_at, sign_ins::ended_at))
        .first_row(tx.conn)
        .optional()?;
    Ok(row.map(|(user, expires_at, ended_at)| SignIn {
        user,
        expires_at: expires_at.0,
        ended_at: ended_at.map(|at| at.0),
    }))
}

/// Begins a sign-in with its first refresh token.
pub fn begin(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: SignInId,
    sign_in: &SignIn,
    token_hash: &str,
    now: Timestamp,
) -> Result<()> {
    diesel::insert_into(sign_ins::table)
        .values((
            sign_ins::committee_id.eq(committee),
            sign_ins::id.eq(id),
            sign_ins::user_id.eq(sign_in.user),
            sign_ins::created_at.eq(At(now)),
            sign_ins::expires_at.eq(At(sign_in.expires_at)),
        ))
        .prepared()
        .run(tx.conn)?;
    add_token(tx, committee, id, token_hash, now)
}

/// Notes that a sign-in is used.
pub fn note_use(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: SignInId,
    now: Timestamp,
) -> Result<()> {
    let older = this!(committee, id).filter(
        sign_ins::last_seen_at
            .is_null()
            .or(sign_ins::last_seen_at.lt(Some(At(now)))),
    );
    diesel::update(older)
        .set(sign_ins::last_seen_at.eq(Some(At(now))))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Notes when the second factor was proven in a sign-in.
pub fn proven(tx: &mut Tx<'_>, committee: CommitteeId, id: SignInId, at: Timestamp) -> Result<()> {
    diesel::update(this!(committee, id))
        .set(sign_ins::second_factor_at.eq(Some(At(at))))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// No sign-in of the account has proven anything any more.
pub fn forget_proofs(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<()> {
    let proven = sign_ins::table
        .filter(sign_ins::committee_id.eq(committee))
        .filter(sign_ins::user_id.eq(user))
        .filter(sign_ins::ended_at.is_null());
    diesel::update(proven)
        .set(sign_ins::second_factor_at.eq(None::<At>))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Notes by which identity provider a sign-in came.
pub fn came_by(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: SignInId,
    provider: OpenidProviderId,
) -> Result<()> {
    diesel::update(this!(committee, id))
        .set(sign_ins::provider_id.eq(Some(provider)))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Ends a sign-in; `false` if it had ended before.
pub fn end(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: SignInId,
    reason: EndReason,
    now: Timestamp,
) -> Result<bool> {
    let ended = diesel::update(this!(committee, id).filter(sign_ins::ended_at.is_null()))
        .set((
            sign_ins::ended_at.eq(Some(At(now))),
            sign_ins::end_reason.eq(reason.as_str()),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(ended > 0)
}

/// Ends every sign-in of an account but `keep`; gives how many.
pub fn end_all(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    keep: Option<SignInId>,
    reason: EndReason,
    now: Timestamp,
) -> Result<usize> {
    let open = sign_ins::table
        .filter(sign_ins::committee_id.eq(committee))
        .filter(sign_ins::user_id.eq(user))
        .filter(sign_ins::ended_at.is_null());
    let end = (
        sign_ins::ended_at.eq(Some(At(now))),
        sign_ins::end_reason.eq(reason.as_str()),
    );
    let ended = match keep {
        Some(keep) => diesel::update(open.filter(sign_ins::id.ne(keep)))
            .set(end)
            .prepared()
            .run(tx.conn)?,
        None => diesel::update(open).set(end).prepared().run(tx.conn)?,
    };
    Ok(ended)
}

/// A sign-in that goes on, as its owner sees it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sign_ins)]
pub struct Going {
    /// Identifier.
    pub id: SignInId,
    /// When it began.
    pub created_at: At,
    /// When it ends of itself.
    pub expires_at: At,
    /// When a request of it was last noted; where the policy ends idle sign-ins.
    pub last_seen_at: Option<At>,
    /// When the second factor was last proven in it.
    pub second_factor_at: Option<At>,
    /// The identity provider by which it came.
    pub provider_id: Option<OpenidProviderId>,
}

/// The sign-ins of an account that go on, newest first, those before one of them. `(since, now)`:
/// one whose tokens were last exchanged before `since` cannot be continued any more.
pub fn going_on(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    (since, now): (Timestamp, Timestamp),
    before: Option<SignInId>,
    limit: i64,
) -> Result<Vec<Going>> {
    let continued = refresh_tokens::table
        .filter(refresh_tokens::committee_id.eq(sign_ins::committee_id))
        .filter(refresh_tokens::sign_in_id.eq(sign_ins::id))
        .filter(refresh_tokens::issued_at.gt(At(since)));
    let mut query = sign_ins::table
        .filter(sign_ins::committee_id.eq(committee))
        .filter(sign_ins::user_id.eq(user))
        .filter(sign_ins::ended_at.is_null())
        .filter(sign_ins::expires_at.gt(At(now)))
        .filter(exists(continued))
        .order(sign_ins::id.desc())
        .limit(limit)
        .select(<Going as Selectable<MultiBackend>>::construct_selection())
        .into_boxed();
    if let Some(seen) = idle_before(tx, committee, now)? {
        let unseen = sign_ins::last_seen_at.is_null();
        query = query.filter(
            (unseen.and(sign_ins::created_at.gt(At(seen))))
                .or(sign_ins::last_seen_at.gt(Some(At(seen)))),
        );
    }
    if let Some(before) = before {
        query = query.filter(sign_ins::id.lt(before));
    }
    Ok(query.load(tx.conn)?)
}

/// Sign-ins that were not used after this moment have ended for want of use; `None`: none has.
fn idle_before(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let row: Option<(Option<i32>, At)> = password_policies::table
        .find(committee)
        .select((
            password_policies::idle_minutes,
            password_policies::updated_at,
        ))
        .first_row(tx.conn)
        .optional()?;
    Ok(row.and_then(|(minutes, since)| passwords::idle_before(minutes, since.0, now)))
}

/// When each of these sign-ins last exchanged its tokens, or began: when the one token of it that
/// is not used was issued.
pub fn exchanged_at(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    ids: &[SignInId],
) -> Result<BTreeMap<SignInId, Timestamp>> {
    let rows: Vec<(SignInId, At)> = refresh_tokens::table
        .filter(refresh_tokens::committee_id.eq(committee))
        .filter(refresh_tokens::sign_in_id.eq_any(ids.to_vec()))
        .filter(refresh_tokens::used_at.is_null())
        .select((refresh_tokens::sign_in_id, refresh_tokens::issued_at))
        .rows(tx.conn)?;
    Ok(rows.into_iter().map(|(id, at)| (id, at.0)).collect())
}

/// 422 at `pointer` unless the sign-in is the account's.
pub fn check_owner(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    id: SignInId,
    pointer: &str,
) -> Result<()> {
    match find(tx, committee, id)? {
        Some(sign_in) if sign_in.user == user => Ok(()),
        _ => Err(unknown(pointer)),
    }
}

macro_rules! token {
    ($committee:expr, $id:expr, $hash:expr) => {
        refresh_tokens::table
            .filter(refresh_tokens::committee_id.eq($committee))
            .filter(refresh_tokens::token_hash.eq($hash))
            .filter(refresh_tokens::sign_in_id.eq($id))
    };
}

/// A token of a sign-in.
pub fn find_token(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: SignInId,
    token_hash: &str,
) -> Result<Option<Issued>> {
    let row: Option<(At, Option<At>)> = token!(committee, id, token_hash)
        .select((refresh_tokens::issued_at, refresh_tokens::used_at))
        .first_row(tx.conn)
        .optional()?;
    Ok(row.map(|(issued_at, used_at)| Issued {
        issued_at: issued_at.0,
        used_at: used_at.map(|at| at.0),
    }))
}

/// Marks a token as used. Of any number of callers exactly one gets `true`: the others wait for
/// its transaction.
pub fn use_token(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: SignInId,
    token_hash: &str,
    now: Timestamp,
) -> Result<bool> {
    let unused = token!(committee, id, token_hash).filter(refresh_tokens::used_at.is_null());
    let used = diesel::update(unused)
        .set(refresh_tokens::used_at.eq(Some(At(now))))
        .prepared()
        .run(tx.conn)?;
    Ok(used == 1)
}

/// Adds a token to a sign-in.
pub fn add_token(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: SignInId,
    token_hash: &str,
    now: Timestamp,
) -> Result<()> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::committee_id.eq(committee),
            refresh_tokens::sign_in_id.eq(id),
            refresh_tokens::token_hash.eq(token_hash),
            refresh_tokens::issued_at.eq(At(now)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// How far back old tokens are looked for: longer than any process is away.
const SWEPT_BACK: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Removes tokens of sign-ins that expired before a moment, at most `limit`; gives how many there
/// were. The sign-ins themselves stay, and with them who was signed in when.
pub fn sweep_tokens(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    before: Timestamp,
    limit: i64,
) -> Result<usize> {
    let old: Vec<String> = refresh_tokens::table
        .inner_join(
            sign_ins::table.on(sign_ins::committee_id
                .eq(refresh_tokens::committee_id)
                .and(sign_ins::id.eq(refresh_tokens::sign_in_id))),
        )
        .filter(refresh_tokens::committee_id.eq(committee))
        .filter(sign_ins::expires_at.lt(At(before)))
        // Those of earlier times were removed in their time, and are not looked at every day.
        .filter(sign_ins::expires_at.gt(At(before - SWEPT_BACK)))
        .limit(limit)
        .select(refresh_tokens::token_hash)
        .rows(tx.conn)?;
    if old.is_empty() {
        return Ok(0);
    }
    let old = refresh_tokens::table
        .filter(refresh_tokens::committee_id.eq(committee))
        .filter(refresh_tokens::token_hash.eq_any(old));
    Ok(diesel::delete(old).run(tx.conn)?)
}
