//! What is remembered of refused sign-ins, so that all instances count together.

use diesel::prelude::*;
use jiff::Timestamp;

use super::Tx;
use super::prepared::Prepare;
use super::run::Run;
use super::schema::sign_in_throttles::dsl;
use super::sql_types::At;
use crate::auth::throttle::{Counted, Tally};
use crate::error::Result;
use crate::ids::CommitteeId;

type Row = (i32, i32, At, At, Option<At>, Option<At>);

macro_rules! this {
    ($committee:expr, $subject:expr) => {
        dsl::sign_in_throttles
            .filter(dsl::committee_id.eq($committee))
            .filter(dsl::subject.eq($subject.as_str()))
    };
}

/// What is remembered.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, subject: &Counted) -> Result<Option<Tally>> {
    let row: Option<Row> = this!(committee, subject)
        .select((
            dsl::failures,
            dsl::refused,
            dsl::counted_from,
            dsl::last_failure_at,
            dsl::blocked_until,
            dsl::noted_at,
        ))
        .first_row(tx.conn)
        .optional()?;
    Ok(row.map(
        |(failures, refused, counted_from, last_failure_at, blocked_until, noted_at)| Tally {
            failures,
            refused,
            counted_from: counted_from.0,
            last_failure_at: last_failure_at.0,
            blocked_until: blocked_until.map(|at| at.0),
            noted_at: noted_at.map(|at| at.0),
        },
    ))
}

/// The same, taken for this transaction: attempts at the same time, on whichever instance, count
/// one after the other.
pub fn lock(tx: &mut Tx<'_>, committee: CommitteeId, subject: &Counted) -> Result<Option<Tally>> {
    let taken = diesel::update(this!(committee, subject))
        .set(dsl::refused.eq(dsl::refused))
        .prepared()
        .run(tx.conn)?;
    if taken == 0 {
        return Ok(None);
    }
    find(tx, committee, subject)
}

/// Remembers it in the place of what was locked. Where nothing was, it is the first: of two who are
/// the first at the same time one does it again, and then finds the other. An update would not do:
/// it would put the count of the second over that of the first.
pub fn put(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    subject: &Counted,
    before: Option<&Tally>,
    tally: &Tally,
) -> Result<()> {
    let values = (
        dsl::failures.eq(tally.failures),
        dsl::refused.eq(tally.refused),
        dsl::counted_from.eq(At(tally.counted_from)),
        dsl::last_failure_at.eq(At(tally.last_failure_at)),
        dsl::blocked_until.eq(tally.blocked_until.map(At)),
        dsl::noted_at.eq(tally.noted_at.map(At)),
    );
    if before.is_some() {
        diesel::update(this!(committee, subject))
            .set(values)
            .prepared()
            .run(tx.conn)?;
        return Ok(());
    }
    let key = (
        dsl::committee_id.eq(committee),
        dsl::subject.eq(subject.as_str()),
    );
    diesel::insert_into(dsl::sign_in_throttles)
        .values((key, values))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Forgets it; `false` if there was nothing.
pub fn forget(tx: &mut Tx<'_>, committee: CommitteeId, subject: &Counted) -> Result<bool> {
    Ok(diesel::delete(this!(committee, subject)).run(tx.conn)? > 0)
}

/// Forgets what was refused in a committee before a moment, at most `limit` rows; gives how many
/// there were.
pub fn sweep(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    before: Timestamp,
    limit: i64,
) -> Result<usize> {
    let old: Vec<String> = dsl::sign_in_throttles
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::last_failure_at.lt(At(before)))
        .order(dsl::last_failure_at)
        .limit(limit)
        .select(dsl::subject)
        .rows(tx.conn)?;
    if old.is_empty() {
        return Ok(0);
    }
    let old = dsl::sign_in_throttles
        .filter(dsl::committee_id.eq(committee))
        // Somebody may have failed again meanwhile.
        .filter(dsl::last_failure_at.lt(At(before)))
        .filter(dsl::subject.eq_any(old));
    Ok(diesel::delete(old).run(tx.conn)?)
}
