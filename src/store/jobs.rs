//! Work that is done after the answer, each piece by one worker at a time.
//!
//! A claim takes a lease: it names the worker's claim in `lease_id` and moves `run_at` to the end of
//! the lease. Whoever finishes a job does so in the transaction of its effect and must still hold
//! the lease, so an effect happens once, whatever dies in between.

use std::collections::BTreeMap;

use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Tx;
use super::connection::{AnyConnection, MultiBackend};
use super::prepared::Prepare;
use super::run::Run;
use super::schema::{committees, jobs, outbox};
use super::sql_types::{At, Json};
use crate::error::{Error, Result};
use crate::ids::{CommitteeId, JobId, LeaseId};
use crate::jobs::kind::{JobKind, JobState, Lane};

/// How often [`want`] looks again when the job goes while it looks.
const PATIENCE: usize = 5;
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
    /// The claim that holds it, if one does.
    pub lease_id: Option<LeaseId>,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// When it was given up.
    pub dead_at: Option<At>,
    /// When it was first wanted.
    pub created_at: At,
}

impl JobRow {
    /// Where it stands.
    pub fn state(&self) -> JobState {
        match (&self.dead_at, &self.lease_id) {
            (Some(_), _) => JobState::Dead,
            (None, Some(_)) => JobState::Running,
            (None, None) => JobState::Waiting,
        }
    }
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
    // The row may go between two statements, with the worker that finishes it.
    for _ in 0..PATIENCE {
        if insert(tx, std::slice::from_ref(wanted), now)? > 0 || join(tx, wanted)? {
            return Ok(());
        }
    }
    Err(Error::internal("a job came and went").retryable())
}

/// The same for many at once.
pub fn want_all(tx: &mut Tx<'_>, wanted: &[Wanted], now: Timestamp) -> Result<()> {
    for chunk in wanted.chunks(500) {
        // Mostly none of them is wanted yet.
        if insert(tx, chunk, now)? < chunk.len() {
            for one in chunk {
                want(tx, one, now)?;
            }
        }
    }
    Ok(())
}

/// Inserts what is not there; gives how many that were.
fn insert(tx: &mut Tx<'_>, wanted: &[Wanted], now: Timestamp) -> Result<usize> {
    let rows: Vec<_> = wanted
        .iter()
        .map(|wanted| {
            (
                jobs::committee_id.eq(wanted.committee),
                jobs::id.eq(JobId::new(now)),
                jobs::kind.eq(wanted.kind),
                jobs::lane.eq(wanted.kind.lane()),
                jobs::job_key.eq(wanted.key.clone()),
                jobs::payload.eq(Json(wanted.payload.clone())),
                jobs::run_at.eq(At(wanted.at)),
                jobs::attempts.eq(0),
                jobs::created_at.eq(At(now)),
            )
        })
        .collect();
    match &mut *tx.conn {
        AnyConnection::Postgres(conn) => Ok(diesel::insert_into(jobs::table)
            .values(rows)
            .on_conflict_do_nothing()
            .execute(conn)?),
        AnyConnection::Sqlite(conn) => {
            let mut count = 0;
            for row in rows {
                count += diesel::insert_into(jobs::table)
                    .values(row)
                    .on_conflict_do_nothing()
                    .prepared()
                    .execute(conn)?;
            }
            Ok(count)
        }
    }
}

/// Joins what is wanted to the job that is there; `false` if it has gone.
fn join(tx: &mut Tx<'_>, wanted: &Wanted) -> Result<bool> {
    type Standing = (JobId, At, Option<At>, Option<LeaseId>, Option<At>);
    // An update that changes nothing holds the row until the end of the transaction: a worker that
    // finishes the job waits here, or has finished it before.
    let found: Option<JobId> = diesel::update(
        jobs::table
            .filter(jobs::committee_id.eq(wanted.committee))
            .filter(jobs::kind.eq(wanted.kind))
            .filter(jobs::job_key.eq(&wanted.key)),
    )
    .set(jobs::kind.eq(wanted.kind))
    .returning(jobs::id)
    .prepared()
    .row(tx.conn)
    .optional()?;
    let Some(id) = found else { return Ok(false) };
    let row = jobs::table.find((wanted.committee, id));
    let (_, run_at, again_at, lease, dead_at): Standing = row
        .select((
            jobs::id,
            jobs::run_at,
            jobs::again_at,
            jobs::lease_id,
            jobs::dead_at,
        ))
        .first_row(tx.conn)?;
    let at = At(wanted.at);
    if dead_at.is_some() {
        diesel::update(row)
            .set((
                jobs::run_at.eq(at),
                jobs::attempts.eq(0),
                jobs::dead_at.eq(None::<At>),
            ))
            .prepared()
            .run(tx.conn)?;
    } else if lease.is_some() {
        let earlier = again_at.filter(|other| other.0 <= at.0).unwrap_or(at);
        diesel::update(row)
            .set(jobs::again_at.eq(earlier))
            .prepared()
            .run(tx.conn)?;
    } else if run_at.0 > at.0 {
        diesel::update(row)
            .set(jobs::run_at.eq(at))
            .prepared()
            .run(tx.conn)?;
    }
    Ok(true)
}

/// Whether a job of a lane is due.
pub fn any_due(tx: &mut Tx<'_>, lane: Lane, now: Timestamp) -> Result<bool> {
    let first: Option<JobId> = jobs::table
        .filter(jobs::dead_at.is_null())
        .filter(jobs::lane.eq(lane))
        .filter(jobs::run_at.le(At(now)))
        .select(jobs::id)
        .first_row(tx.conn)
        .optional()?;
    Ok(first.is_some())
}

/// Whether a job of a kind waits for a worker of a committee, or one has it.
pub fn any_open(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    kind: JobKind,
    now: Timestamp,
) -> Result<bool> {
    let first: Option<JobId> = jobs::table
        .filter(jobs::committee_id.eq(committee))
        .filter(jobs::kind.eq(kind))
        .filter(jobs::dead_at.is_null())
        // A claim moves the moment to the end of its lease.
        .filter(jobs::run_at.le(At(now)).or(jobs::lease_id.is_not_null()))
        .select(jobs::id)
        .first_row(tx.conn)
        .optional()?;
    Ok(first.is_some())
}

/// Takes up to `limit` due jobs of a lane, the longest due first, for `lease` or as long as their
/// kind needs. Jobs that another worker is just taking are passed over. A job that has been taken
/// more often than it may be tried, because its workers died of it, is given up here.
pub fn claim(
    tx: &mut Tx<'_>,
    lane: Lane,
    limit: usize,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<Vec<Claim>> {
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
    let (lost, taken): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|job| job.attempts >= job.kind.retry().attempts());
    for job in lost {
        diesel::update(jobs::table.find((job.committee_id, job.id)))
            .set((
                jobs::lease_id.eq(None::<LeaseId>),
                jobs::last_error.eq("no worker that took it up came to an end"),
                jobs::dead_at.eq(At(now)),
            ))
            .prepared()
            .run(tx.conn)?;
    }
    // One statement for all of a committee and kind: they have one lease.
    let lease_id = LeaseId::new(now);
    let mut groups: BTreeMap<(CommitteeId, JobKind), Vec<JobId>> = BTreeMap::new();
    for job in &taken {
        let group = groups.entry((job.committee_id, job.kind)).or_default();
        group.push(job.id);
    }
    for ((committee, kind), ids) in groups {
        diesel::update(
            jobs::table
                .filter(jobs::committee_id.eq(committee))
                .filter(jobs::id.eq_any(ids)),
        )
        .set((
            jobs::lease_id.eq(lease_id),
            jobs::attempts.eq(jobs::attempts + 1),
            jobs::run_at.eq(At(now + lease.max(kind.lease()))),
        ))
        .run(tx.conn)?;
    }
    let claimed = |mut job: JobRow| {
        job.attempts += 1;
        Claim {
            job,
            lease: lease_id,
        }
    };
    Ok(taken.into_iter().map(claimed).collect())
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
    // The deletion first: somebody who just wants it again is waited for, and then it is kept.
    let done = diesel::delete(held!(claim).filter(jobs::again_at.is_null())).run(tx.conn)?;
    if done > 0 {
        return Ok(());
    }
    let kept = diesel::update(held!(claim).filter(jobs::again_at.is_not_null()))
        .set((
            jobs::run_at.eq(jobs::again_at.assume_not_null()),
            jobs::again_at.eq(None::<At>),
            jobs::lease_id.eq(None::<LeaseId>),
            jobs::attempts.eq(0),
            jobs::last_error.eq(None::<String>),
        ))
        .prepared()
        .run(tx.conn)?;
    if kept == 0 { Err(lost()) } else { Ok(()) }
}

/// The job is to run once more at `at`, as if for the first time; sooner if somebody wanted it
/// while it ran.
pub fn again(tx: &mut Tx<'_>, claim: &Claim, payload: &Value, at: Timestamp) -> Result<()> {
    // Holds the row, so that nobody wants it again in between.
    let wish: Option<Option<At>> = diesel::update(held!(claim))
        .set(jobs::payload.eq(Json(payload.clone())))
        .returning(jobs::again_at)
        .prepared()
        .row(tx.conn)
        .optional()?;
    let at = match wish {
        None => return Err(lost()),
        Some(wish) => wish.map_or(at, |wish| wish.0.min(at)),
    };
    diesel::update(held!(claim))
        .set((
            jobs::run_at.eq(At(at)),
            jobs::again_at.eq(None::<At>),
            jobs::lease_id.eq(None::<LeaseId>),
            jobs::attempts.eq(0),
            jobs::last_error.eq(None::<String>),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// The worker goes on: the lease begins anew. An error if another worker holds the job now.
pub fn hold(tx: &mut Tx<'_>, claim: &Claim, lease: SignedDuration, now: Timestamp) -> Result<()> {
    let lease = lease.max(claim.job.kind.lease());
    let held = diesel::update(held!(claim))
        .set(jobs::run_at.eq(At(now + lease)))
        .prepared()
        .run(tx.conn)?;
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
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

fn lost() -> Error {
    Error::internal("the lease of a job was lost: another worker took it over")
}

/// One job of a committee.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, id: JobId) -> Result<Option<JobRow>> {
    Ok(jobs::table
        .find((committee, id))
        .select(<JobRow as Selectable<MultiBackend>>::construct_selection())
        .first_row(tx.conn)
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
    .prepared()
    .run(tx.conn)?;
    Ok(revived > 0)
}

/// Committees that have no job of a kind.
pub fn committees_without(tx: &mut Tx<'_>, kind: JobKind) -> Result<Vec<CommitteeId>> {
    let theirs = jobs::table
        .filter(jobs::committee_id.eq(committees::id))
        .filter(jobs::kind.eq(kind));
    Ok(committees::table
        .filter(diesel::dsl::not(diesel::dsl::exists(theirs)))
        .select(committees::id)
        .rows(tx.conn)?)
}

/// What a list of jobs is narrowed to.
#[derive(Debug, Clone, Copy, Default)]
pub struct JobFilter {
    /// One committee; `None`: all of them, for the command line.
    pub committee: Option<CommitteeId>,
    /// State.
    pub state: Option<JobState>,
    /// Kind.
    pub kind: Option<JobKind>,
}

/// Jobs in the order in which they were first wanted, after one of them.
pub fn list(
    tx: &mut Tx<'_>,
    filter: &JobFilter,
    after: Option<JobId>,
    limit: i64,
) -> Result<Vec<JobRow>> {
    let mut query = narrowed(filter).order(jobs::id.asc()).limit(limit);
    if let Some(id) = after {
        query = query.filter(jobs::id.gt(id));
    }
    Ok(query
        .select(<JobRow as Selectable<MultiBackend>>::construct_selection())
        .load(tx.conn)?)
}

/// How many there are, up to `cap`.
pub fn count(tx: &mut Tx<'_>, filter: &JobFilter, cap: i64) -> Result<i64> {
    let ids: Vec<JobId> = narrowed(filter).limit(cap).select(jobs::id).load(tx.conn)?;
    Ok(i64::try_from(ids.len()).unwrap_or(i64::MAX))
}

fn narrowed(filter: &JobFilter) -> jobs::BoxedQuery<'static, MultiBackend> {
    let mut query = jobs::table.into_boxed();
    if let Some(committee) = filter.committee {
        query = query.filter(jobs::committee_id.eq(committee));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(jobs::kind.eq(kind));
    }
    match filter.state {
        None => query,
        Some(JobState::Waiting) => query
            .filter(jobs::dead_at.is_null())
            .filter(jobs::lease_id.is_null()),
        Some(JobState::Running) => query.filter(jobs::lease_id.is_not_null()),
        Some(JobState::Dead) => query.filter(jobs::dead_at.is_not_null()),
    }
}

/// How the queue and the outbox stand, over all committees: for metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// By kind: jobs that wait, that are being done, that were given up.
    pub jobs: Vec<(JobKind, [i64; 3])>,
    /// The moment since which the longest due job waits.
    pub due_since: Option<Timestamp>,
    /// Parcels in the outbox.
    pub outbox: i64,
    /// The moment of the oldest one.
    pub outbox_since: Option<Timestamp>,
}

/// How the queue and the outbox stand.
pub fn standing(tx: &mut Tx<'_>, now: Timestamp) -> Result<Standing> {
    use diesel::dsl::count_star;
    let mut standing = Standing {
        jobs: JobKind::ALL.iter().map(|kind| (*kind, [0; 3])).collect(),
        ..Standing::default()
    };
    let all: Vec<(JobKind, i64)> = jobs::table
        .group_by(jobs::kind)
        .select((jobs::kind, count_star()))
        .rows(tx.conn)?;
    let running: Vec<(JobKind, i64)> = jobs::table
        .filter(jobs::lease_id.is_not_null())
        .group_by(jobs::kind)
        .select((jobs::kind, count_star()))
        .rows(tx.conn)?;
    let dead: Vec<(JobKind, i64)> = jobs::table
        .filter(jobs::dead_at.is_not_null())
        .group_by(jobs::kind)
        .select((jobs::kind, count_star()))
        .rows(tx.conn)?;
    for (kind, counts) in &mut standing.jobs {
        let of = |list: &[(JobKind, i64)]| {
            list.iter()
                .find(|(other, _)| other == kind)
                .map_or(0, |(_, count)| *count)
        };
        let (running, dead) = (of(&running), of(&dead));
        *counts = [of(&all) - running - dead, running, dead];
    }
    for lane in Lane::ALL {
        let first: Option<At> = jobs::table
            .filter(jobs::dead_at.is_null())
            .filter(jobs::lane.eq(*lane))
            .filter(jobs::run_at.le(At(now)))
            .order(jobs::run_at.asc())
            .select(jobs::run_at)
            .first_row(tx.conn)
            .optional()?;
        let first = first.map(|at| at.0);
        standing.due_since = match (standing.due_since, first) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    standing.outbox = outbox::table.count().row(tx.conn)?;
    let oldest: Option<At> = outbox::table
        .order(outbox::created_at.asc())
        .select(outbox::created_at)
        .first_row(tx.conn)
        .optional()?;
    standing.outbox_since = oldest.map(|at| at.0);
    Ok(standing)
}
