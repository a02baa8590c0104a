//! Second factors of accounts, their recovery codes, and sign-ins that wait for one.

use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

use super::Tx;
use super::connection::MultiBackend;
use super::prepared::Prepare;
use super::run::Run;
use super::schema::{committees, recovery_codes, second_factors, sign_in_challenges, users};
use super::sql_types::At;
use crate::auth::ticket::Ticket;
use crate::error::Result;
use crate::ids::{ChallengeId, CommitteeId, OpenidProviderId, UserId, kind};

/// Wrong codes in a row that have no consequence.
const FREE_FAILURES: i32 = 4;
/// How long codes are not looked at after one more; twice as long after each further one.
const FIRST_HOLD: SignedDuration = SignedDuration::from_secs(30);
/// Longest such time.
const LONGEST_HOLD: SignedDuration = SignedDuration::from_hours(1);

/// The second factor of an account.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = second_factors)]
pub struct FactorRow {
    /// The secret as it is kept.
    pub secret: String,
    /// When a code of it was first shown; until then it does not count.
    pub confirmed_at: Option<At>,
    /// The period whose code was used last.
    pub last_step: i64,
    /// Wrong codes since the last right one.
    pub failures: i32,
    /// Codes are not looked at before.
    pub held_until: Option<At>,
}

fn columns() -> <FactorRow as Selectable<MultiBackend>>::SelectExpression {
    <FactorRow as Selectable<MultiBackend>>::construct_selection()
}

macro_rules! this {
    ($committee:expr, $user:expr) => {
        second_factors::table
            .filter(second_factors::committee_id.eq($committee))
            .filter(second_factors::user_id.eq($user))
    };
}

/// The second factor of an account, confirmed or pending.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<Option<FactorRow>> {
    Ok(this!(committee, user)
        .select(columns())
        .first_row(tx.conn)
        .optional()?)
}

/// Takes the row for this transaction and reads it.
fn lock(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<Option<FactorRow>> {
    diesel::update(this!(committee, user))
        .set(second_factors::failures.eq(second_factors::failures))
        .prepared()
        .run(tx.conn)?;
    find(tx, committee, user)
}

/// Puts a secret in the place of what is there; it is pending.
pub fn put(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    secret: &str,
    now: Timestamp,
) -> Result<()> {
    diesel::delete(this!(committee, user)).run(tx.conn)?;
    diesel::insert_into(second_factors::table)
        .values((
            second_factors::committee_id.eq(committee),
            second_factors::user_id.eq(user),
            second_factors::secret.eq(secret),
            second_factors::last_step.eq(0),
            second_factors::failures.eq(0),
            second_factors::created_at.eq(At(now)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// From now on it counts.
pub fn confirm(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    now: Timestamp,
) -> Result<()> {
    diesel::update(this!(committee, user))
        .set(second_factors::confirmed_at.eq(Some(At(now))))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Removes the second factor with its recovery codes; `false` if there was none.
pub fn remove(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<bool> {
    remove_codes(tx, committee, user)?;
    Ok(diesel::delete(this!(committee, user)).run(tx.conn)? > 0)
}

/// Whether an attempt may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It may, and was counted.
    Counted,
    /// Not before this moment.
    Held(Timestamp),
    /// There is no second factor.
    Missing,
}

/// Counts an attempt before its code is looked at, so that any number of them at once is held
/// after the same few. The right code takes the count back.
pub fn count_attempt(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    now: Timestamp,
) -> Result<Attempt> {
    let Some(row) = lock(tx, committee, user)? else {
        return Ok(Attempt::Missing);
    };
    if let Some(until) = row.held_until.filter(|until| now < until.0) {
        return Ok(Attempt::Held(until.0));
    }
    let failures = row.failures.saturating_add(1);
    diesel::update(this!(committee, user))
        .set((
            second_factors::failures.eq(failures),
            second_factors::held_until.eq(hold(failures).map(|pause| At(now + pause))),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(Attempt::Counted)
}

/// For how long codes are not looked at after so many wrong ones in a row.
fn hold(failures: i32) -> Option<SignedDuration> {
    let doublings = u32::try_from(failures - FREE_FAILURES - 1).ok()?;
    let factor = 2_i32.checked_pow(doublings).unwrap_or(i32::MAX);
    Some(FIRST_HOLD.saturating_mul(factor).min(LONGEST_HOLD))
}

/// Uses the code of a period. Of any number of callers exactly one gets `true`: the others wait
/// for its transaction.
pub fn use_step(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId, step: i64) -> Result<bool> {
    let unused = this!(committee, user).filter(second_factors::last_step.lt(step));
    let changed = diesel::update(unused)
        .set((
            second_factors::last_step.eq(step),
            second_factors::failures.eq(0),
            second_factors::held_until.eq(None::<At>),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(changed == 1)
}

/// Uses a recovery code. Of any number of callers exactly one gets `true`.
pub fn use_recovery_code(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    code_hash: &str,
    now: Timestamp,
) -> Result<bool> {
    let unused = recovery_codes::table
        .filter(recovery_codes::committee_id.eq(committee))
        .filter(recovery_codes::user_id.eq(user))
        .filter(recovery_codes::code_hash.eq(code_hash))
        .filter(recovery_codes::used_at.is_null());
    let changed = diesel::update(unused)
        .set(recovery_codes::used_at.eq(Some(At(now))))
        .prepared()
        .run(tx.conn)?;
    if changed == 1 {
        diesel::update(this!(committee, user))
            .set((
                second_factors::failures.eq(0),
                second_factors::held_until.eq(None::<At>),
            ))
            .prepared()
            .run(tx.conn)?;
    }
    Ok(changed == 1)
}

/// Recovery codes that were not used.
pub fn codes_left(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<i64> {
    Ok(recovery_codes::table
        .filter(recovery_codes::committee_id.eq(committee))
        .filter(recovery_codes::user_id.eq(user))
        .filter(recovery_codes::used_at.is_null())
        .count()
        .row(tx.conn)?)
}

fn remove_codes(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<()> {
    let all = recovery_codes::table
        .filter(recovery_codes::committee_id.eq(committee))
        .filter(recovery_codes::user_id.eq(user));
    diesel::delete(all).run(tx.conn)?;
    Ok(())
}

/// Puts recovery codes in the place of all that are there.
pub fn replace_codes(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    hashes: &[String],
    now: Timestamp,
) -> Result<()> {
    remove_codes(tx, committee, user)?;
    for hash in hashes {
        diesel::insert_into(recovery_codes::table)
            .values((
                recovery_codes::committee_id.eq(committee),
                recovery_codes::user_id.eq(user),
                recovery_codes::code_hash.eq(hash),
                recovery_codes::created_at.eq(At(now)),
            ))
            .prepared()
            .run(tx.conn)?;
    }
    Ok(())
}

/// A sign-in that waits for the second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge {
    /// Whose it is.
    pub user: UserId,
    /// By which provider it came; `None`: by password.
    pub provider: Option<OpenidProviderId>,
}

/// The number of the version that an account has now; `None` if it cannot sign in. It changes with
/// everything that an administrator does to the account, and with its password.
fn account_version(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId) -> Result<Option<i32>> {
    Ok(users::table
        .inner_join(committees::table.on(committees::id.eq(users::committee_id)))
        .filter(committees::active.eq(true))
        .filter(users::committee_id.eq(committee))
        .filter(users::id.eq(user))
        .filter(users::disabled.eq(false))
        .select(users::version)
        .first_row(tx.conn)
        .optional()?)
}

/// Stores a challenge; those of the account that have expired go.
pub fn challenge(
    tx: &mut Tx<'_>,
    ticket: &Ticket<kind::Challenge>,
    challenge: &Challenge,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    let committee = ticket.committee();
    let old = sign_in_challenges::table
        .filter(sign_in_challenges::committee_id.eq(committee))
        .filter(sign_in_challenges::user_id.eq(challenge.user))
        .filter(sign_in_challenges::expires_at.le(At(now)));
    diesel::delete(old).run(tx.conn)?;
    let version = account_version(tx, committee, challenge.user)?;
    diesel::insert_into(sign_in_challenges::table)
        .values((
            sign_in_challenges::committee_id.eq(committee),
            sign_in_challenges::id.eq(ticket.id()),
            sign_in_challenges::user_id.eq(challenge.user),
            sign_in_challenges::ticket_hash.eq(ticket.hash()),
            // Of an account that cannot sign in no version is right.
            sign_in_challenges::account_version.eq(version.unwrap_or(0)),
            sign_in_challenges::created_at.eq(At(now)),
            sign_in_challenges::expires_at.eq(At(expires_at)),
            sign_in_challenges::provider_id.eq(challenge.provider),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// The challenge of a ticket, while it is open and its account is as it was.
pub fn open_challenge(
    tx: &mut Tx<'_>,
    ticket: &Ticket<kind::Challenge>,
    now: Timestamp,
) -> Result<Option<Challenge>> {
    type Row = (UserId, Option<OpenidProviderId>, String, i32);
    let committee = ticket.committee();
    let row: Option<Row> = sign_in_challenges::table
        .filter(sign_in_challenges::committee_id.eq(committee))
        .filter(sign_in_challenges::id.eq(ticket.id()))
        .filter(sign_in_challenges::expires_at.gt(At(now)))
        .filter(sign_in_challenges::used_at.is_null())
        .select((
            sign_in_challenges::user_id,
            sign_in_challenges::provider_id,
            sign_in_challenges::ticket_hash,
            sign_in_challenges::account_version,
        ))
        .first_row(tx.conn)
        .optional()?;
    let Some((user, provider, hash, version)) = row else {
        return Ok(None);
    };
    let unchanged = account_version(tx, committee, user)? == Some(version);
    Ok((unchanged && ticket.is(&hash)).then_some(Challenge { user, provider }))
}

/// Uses a challenge. Of any number of callers exactly one gets `true`.
pub fn use_challenge(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ChallengeId,
    now: Timestamp,
) -> Result<bool> {
    let unused = sign_in_challenges::table
        .filter(sign_in_challenges::committee_id.eq(committee))
        .filter(sign_in_challenges::id.eq(id))
        .filter(sign_in_challenges::used_at.is_null());
    let changed = diesel::update(unused)
        .set(sign_in_challenges::used_at.eq(Some(At(now))))
        .prepared()
        .run(tx.conn)?;
    Ok(changed == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hold_doubles_from_the_fifth_wrong_code_on_up_to_an_hour() {
        let seconds = |failures| hold(failures).map(|pause| pause.as_secs());
        assert_eq!((1..=4).filter_map(seconds).count(), 0);
        assert_eq!(seconds(5), Some(30));
        assert_eq!(seconds(6), Some(60));
        assert_eq!(seconds(8), Some(240));
        assert_eq!(seconds(12), Some(3600));
        assert_eq!(seconds(i32::MAX), Some(3600));
    }
}
