//! Work that is done after the answer, each piece by one worker at a time.
//!
//! A claim takes a lease: it names the worker's claim in `lease_id` and moves `run_at` to the end of
//! the lease. Whoever finishes a job does so in the transaction of its effect and must still hold
//! the lease, so an effect happens once, whatever dies in between.

use diesel::prelude::*;
use jiff::Timestamp;
use serde_json::Value;

use super::Tx;
use super::connection::{AnyConnection, MultiBackend, per_backend};
use super::schema::jobs;
use super::sql_types::{At, Json};
use crate::error::{Error, Result};
use crate::ids::{CommitteeId, JobId, LeaseId};
use crate::jobs::kind::{JobKind, Lane};

/// Longest account of a failure that is kept.
const LONGEST_ERROR: usize = 1000;

/// A job as it stands in the queue.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub struct JobRow {
    /// The tenant.
    pub committee_id: CommitteeId,
    /// Identifier.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// What it is about.
    pub job_key: String,
    /// What else it has to know.
    pub payload: Json,
    /// Not before.
    pub run_at: At,
    /// How often it was taken up.
    pub attempts: i32,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// When it was given up.
    pub dead_at: Option<At>,
    /// When it was first wanted.
    pub created_at: At,
}

/// A job in the hands of a worker.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The job.
    pub job: JobRow,
    /// What proves that the worker still holds it.
    pub lease: LeaseId,
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The tenant.
    pub committee: CommitteeId,
    /// What is to be done.
    pub kind: JobKind,
    /// About what: there is one job of a kind for each.
    pub key: String,
    /// What else it has to know.
    pub payload: Value,
    /// Not before.
    pub at: Timestamp,
}

/// Puts work into the queue. Where the same is wanted already, it happens at the earlier of both
/// moments; where it is being done, it is done once more; where it was given up, it is tried again.
pub fn want(tx: &mut Tx<'_>, wanted: &Wanted, now: Timestamp) -> Result<()> {
    let row = (
        jobs::committee_id.eq(wanted.committee),
        jobs::id.eq(JobId::new(now)),
        jobs::kind.eq(wanted.kind),
        jobs::lane.eq(wanted.kind.lane()),
        jobs::job_key.eq(&wanted.key),
        jobs::payload.eq(Json(wanted.payload.clone())),
        jobs::run_at.eq(At(wanted.at)),
        jobs::attempts.eq(0),
        jobs::created_at.eq(At(now)),
    );
    let inserted = per_backend!(&mut *tx.conn, c => diesel::insert_into(jobs::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    if inserted > 0 {
        return Ok(());
    }
    let same = jobs::table
        .filter(jobs::committee_id.eq(wanted.committee))
        .filter(jobs::kind.eq(wanted.kind))
        .filter(jobs::job_key.eq(&wanted.key));
    let at = At(wanted.at);
    diesel::update(same.filter(jobs::lease_id.is_not_null()))
        .set(jobs::again_at.eq(at))
        .execute(tx.conn)?;
    diesel::update(same.filter(jobs::dead_at.is_not_null()))
        .set((
            jobs::run_at.eq(at),
            jobs::attempts.eq(0),
            jobs::dead_at.eq(None::<At>),
        ))
        .execute(tx.conn)?;
    diesel::update(
        same.filter(jobs::lease_id.is_null())
            .filter(jobs::run_at.gt(at)),
    )
    .set(jobs::run_at.eq(at))
    .execute(tx.conn)?;
    Ok(())
}

/// Whether a job of a lane is due.
pub fn any_due(tx: &mut Tx<'_>, lane: Lane, now: Timestamp) -> Result<bool> {
    let first: Option<JobId> = jobs::table
        .filter(jobs::dead_at.is_null())
        .filter(jobs::lane.eq(lane))
        .filter(jobs::run_at.le(At(now)))
        .select(jobs::id)
        .first(tx.conn)
        .optional()?;
    Ok(first.is_some())
}

/// Takes up to `limit` due jobs of a lane, the longest due first. Jobs that another worker is just
/// taking are passed over.
pub fn claim(tx: &mut Tx<'_>, lane: Lane, limit: usize, now: Timestamp) -> Result<Vec<Claim>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    macro_rules! due {
        () => {
            jobs::table
                .filter(jobs::dead_at.is_null())
                .filter(jobs::lane.eq(lane))
                .filter(jobs::run_at.le(At(now)))
                .order(jobs::run_at.asc())
                .limit(limit)
        };
    }
    let rows: Vec<JobRow> = match &mut *tx.conn {
        AnyConnection::Postgres(conn) => due!()
            .for_update()
            .skip_locked()
            .select(JobRow::as_select())
            .load(conn)?,
        AnyConnection::Sqlite(conn) => due!().select(JobRow::as_select()).load(conn)?,
    };
    let mut claims = Vec::with_capacity(rows.len());
    for mut job in rows {
        let lease = LeaseId::new(now);
        job.attempts += 1;
        diesel::update(jobs::table.find((job.committee_id, job.id)))
            .set((
                jobs::lease_id.eq(lease),
                jobs::attempts.eq(job.attempts),
                jobs::run_at.eq(At(now + job.kind.lease())),
            ))
            .execute(tx.conn)?;
        claims.push(Claim { job, lease });
    }
    Ok(claims)
}

macro_rules! held {
    ($claim:expr) => {
        jobs::table
            .filter(jobs::committee_id.eq($claim.job.committee_id))
            .filter(jobs::id.eq($claim.job.id))
            .filter(jobs::lease_id.eq($claim.lease))
    };
}

/// The job is done: call it in the transaction of its effect. An error if the worker was too slow
/// and another one holds the job now; the effect is rolled back with it.
pub fn finish(tx: &mut Tx<'_>, claim: &Claim) -> Result<()> {
    let wanted_again = diesel::update(held!(claim).filter(jobs::again_at.is_not_null()))
        .set((
            jobs::run_at.eq(jobs::again_at.assume_not_null()),
            jobs::again_at.eq(None::<At>),
            jobs::lease_id.eq(None::<LeaseId>),
            jobs::attempts.eq(0),
        ))
        .execute(tx.conn)?;
    if wanted_again > 0 {
        return Ok(());
    }
    match diesel::delete(held!(claim)).execute(tx.conn)? {
        0 => Err(lost()),
        _ => Ok(()),
    }
}

/// The job is to run once more at `at`, as if for the first time.
pub fn again(tx: &mut Tx<'_>, claim: &Claim, payload: &Value, at: Timestamp) -> Result<()> {
    let wished: Option<Option<At>> = held!(claim)
        .select(jobs::again_at)
        .first(tx.conn)
        .optional()?;
    // Who wanted it meanwhile does not wait longer for that.
    let at = wished.flatten().map_or(at, |wished| wished.0.min(at));
    let kept = diesel::update(held!(claim))
        .set((
            jobs::run_at.eq(At(at)),
            jobs::payload.eq(Json(payload.clone())),
            jobs::again_at.eq(None::<At>),
            jobs::lease_id.eq(None::<LeaseId>),
            jobs::attempts.eq(0),
        ))
        .execute(tx.conn)?;
    if kept == 0 { Err(lost()) } else { Ok(()) }
}

/// The worker goes on: the lease begins anew. An error if another worker holds the job now.
pub fn hold(tx: &mut Tx<'_>, claim: &Claim, now: Timestamp) -> Result<()> {
    let held = diesel::update(held!(claim))
        .set(jobs::run_at.eq(At(now + claim.job.kind.lease())))
        .execute(tx.conn)?;
    if held == 0 { Err(lost()) } else { Ok(()) }
}

/// The job failed: it comes back at `next`, or is given up.
pub fn fail(
    tx: &mut Tx<'_>,
    claim: &Claim,
    error: &str,
    next: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let error: String = error.chars().take(LONGEST_ERROR).collect();
    diesel::update(held!(claim))
        .set((
            jobs::run_at.eq(At(next.unwrap_or(now))),
            jobs::lease_id.eq(None::<LeaseId>),
            jobs::last_error.eq(error),
            jobs::dead_at.eq(next.is_none().then_some(At(now))),
        ))
        .execute(tx.conn)?;
    Ok(())
}

fn lost() -> Error {
    Error::internal("the lease of a job was lost: another worker took it over")
}

/// Jobs of a committee that were given up, the oldest first, after a position.
pub fn dead(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    after: Option<(At, JobId)>,
    limit: i64,
) -> Result<Vec<JobRow>> {
    let mut query = jobs::table
        .filter(jobs::committee_id.eq(committee))
        .filter(jobs::dead_at.is_not_null())
        .order((jobs::dead_at.asc(), jobs::id.asc()))
        .limit(limit)
        .select(<JobRow as Selectable<MultiBackend>>::construct_selection())
        .into_boxed();
    if let Some((at, id)) = after {
        query = query.filter(
            jobs::dead_at
                .gt(at)
                .or(jobs::dead_at.eq(at).and(jobs::id.gt(id))),
        );
    }
    Ok(query.load(tx.conn)?)
}

/// One job of a committee.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, id: JobId) -> Result<Option<JobRow>> {
    Ok(jobs::table
        .find((committee, id))
        .select(<JobRow as Selectable<MultiBackend>>::construct_selection())
        .first(tx.conn)
        .optional()?)
}

/// A job that was given up is tried again from the beginning. `false`: it is not given up.
pub fn revive(tx: &mut Tx<'_>, committee: CommitteeId, id: JobId, now: Timestamp) -> Result<bool> {
    let revived = diesel::update(
        jobs::table
            .find((committee, id))
            .filter(jobs::dead_at.is_not_null()),
    )
    .set((
        jobs::run_at.eq(At(now)),
        jobs::attempts.eq(0),
        jobs::dead_at.eq(None::<At>),
    ))
    .execute(tx.conn)?;
    Ok(revived > 0)
}

/// How the queue stands, for metrics: by kind the jobs that wait and those given up, and the
/// longest due moment.
pub fn standing(tx: &mut Tx<'_>) -> Result<Vec<(JobKind, bool, i64)>> {
    use diesel::dsl::count_star;
    let dead: Vec<(JobKind, i64)> = jobs::table
        .filter(jobs::dead_at.is_not_null())
        .group_by(jobs::kind)
        .select((jobs::kind, count_star()))
        .load(tx.conn)?;
    let waiting: Vec<(JobKind, i64)> = jobs::table
        .filter(jobs::dead_at.is_null())
        .group_by(jobs::kind)
        .select((jobs::kind, count_star()))
        .load(tx.conn)?;
    let marked = |rows: Vec<(JobKind, i64)>, dead| {
        rows.into_iter()
            .map(move |(kind, count)| (kind, dead, count))
    };
    Ok(marked(waiting, false).chain(marked(dead, true)).collect())
}
