//! The password policy of a committee, and the passwords that an account had before.

use diesel::dsl::max;
use diesel::prelude::*;
use jiff::Timestamp;

use super::Tx;
use super::events::{self, Circumstances, Happening, Stream};
use super::prepared::Prepare;
use super::run::Run;
use super::schema::{password_history, password_policies};
use super::sql_types::At;
use crate::app::Ctx;
use crate::auth::policy::{PasswordPolicy, PasswordProfile};
use crate::error::{Code, Error, Result};
use crate::ids::{CommitteeId, UserId};
use crate::workflow::role::Role;

/// Who sets the policy.
pub const WRITERS: &[Role] = &[Role::SecurityAdministrator];

/// The policy of a committee, with the number of its version; 0 before it was ever set.
pub fn policy(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<(PasswordPolicy, i32)> {
    type Row = (
        PasswordProfile,
        (i32, i32, i32),
        (Option<i32>, Option<i32>, i32, Option<i32>),
        i32,
    );
    let row: Option<Row> = password_policies::table
        .find(committee)
        .select((
            password_policies::profile,
            (
                password_policies::min_length,
                password_policies::min_classes,
                password_policies::history,
            ),
            (
                password_policies::max_age_days,
                password_policies::lock_after_failures,
                password_policies::lock_minutes,
                password_policies::idle_minutes,
            ),
            password_policies::version,
        ))
        .first_row(tx.conn)
        .optional()?;
    let policy = row.map(|(profile, rules, times, version)| {
        let (min_length, min_classes, history) = rules;
        let (max_age_days, lock_after_failures, lock_minutes, idle_minutes) = times;
        let policy = PasswordPolicy {
            profile,
            min_length,
            min_classes,
            max_age_days,
            history,
            lock_after_failures,
            lock_minutes,
            idle_minutes,
        };
        (policy, version)
    });
    Ok(policy.unwrap_or((PasswordPolicy::default(), 0)))
}

/// Sets the policy, with an event in the history of the committee; gives the number of its version.
pub fn set_policy(tx: &mut Tx<'_>, ctx: &Ctx, policy: &PasswordPolicy) -> Result<i32> {
    let committee = ctx.committee();
    let (before, version) = self::policy(tx, committee)?;
    ctx.if_match.check(version)?;
    if before == *policy && version > 0 {
        return Ok(version);
    }
    let values = (
        password_policies::profile.eq(policy.profile),
        password_policies::min_length.eq(policy.min_length),
        password_policies::min_classes.eq(policy.min_classes),
        password_policies::max_age_days.eq(policy.max_age_days),
        password_policies::history.eq(policy.history),
        password_policies::lock_after_failures.eq(policy.lock_after_failures),
        password_policies::lock_minutes.eq(policy.lock_minutes),
        password_policies::idle_minutes.eq(policy.idle_minutes),
        password_policies::version.eq(version + 1),
        password_policies::updated_at.eq(At(ctx.now)),
    );
    if version == 0 {
        // Of two who are the first at the same time one does it again, and finds what the other left.
        diesel::insert_into(password_policies::table)
            .values((password_policies::committee_id.eq(committee), values))
            .prepared()
            .run(tx.conn)?;
    } else {
        let row = password_policies::table
            .find(committee)
            .filter(password_policies::version.eq(version));
        if diesel::update(row).set(values).prepared().run(tx.conn)? == 0 {
            return Err(Error::new(Code::VersionMismatch).retryable());
        }
    }
    let happening = Happening::change("committee.password_policy_changed", &before, policy);
    let stream = Stream::of(committee, "committee", committee);
    events::append(tx, &stream, &Circumstances::of(ctx, WRITERS), happening)?;
    Ok(version + 1)
}

/// Hashes of the passwords that an account had before, the last one first, at most `count`.
pub fn earlier(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    count: i32,
) -> Result<Vec<String>> {
    if count <= 0 {
        return Ok(Vec::new());
    }
    Ok(password_history::table
        .filter(password_history::committee_id.eq(committee))
        .filter(password_history::user_id.eq(user))
        .order(password_history::number.desc())
        .limit(i64::from(count))
        .select(password_history::password_hash)
        .rows(tx.conn)?)
}

/// Keeps the password that an account had until now, and of those before it as many as the policy
/// asks for. The account must be locked.
pub fn keep(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    password_hash: &str,
) -> Result<()> {
    let (policy, _) = policy(tx, committee)?;
    let own = password_history::table
        .filter(password_history::committee_id.eq(committee))
        .filter(password_history::user_id.eq(user));
    let last: Option<i32> = own
        .select(max(password_history::number))
        .first_row(tx.conn)?;
    let number = last.unwrap_or(0) + 1;
    // The present one counts, and is not here.
    let kept = policy.history - 1;
    if kept > 0 {
        diesel::insert_into(password_history::table)
            .values((
                password_history::committee_id.eq(committee),
                password_history::user_id.eq(user),
                password_history::number.eq(number),
                password_history::password_hash.eq(password_hash),
            ))
            .prepared()
            .run(tx.conn)?;
    }
    diesel::delete(own.filter(password_history::number.le(number - kept.max(0)))).run(tx.conn)?;
    Ok(())
}

/// Whether a sign-in that was last seen then has ended for want of use. Where the policy is newer
/// than that, the time counts from the policy.
pub(in crate::store) fn is_idle(
    idle_minutes: Option<i32>,
    since: Timestamp,
    last_seen_at: Timestamp,
    now: Timestamp,
) -> bool {
    idle_before(idle_minutes, since, now).is_some_and(|before| last_seen_at <= before)
}

/// What was not used after this moment has ended for want of use; `None`: nothing has.
pub(in crate::store) fn idle_before(
    idle_minutes: Option<i32>,
    since: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let policy = PasswordPolicy {
        idle_minutes,
        ..PasswordPolicy::default()
    };
    let before = now.checked_sub(policy.idle()?).ok()?;
    (since <= before).then_some(before)
}
