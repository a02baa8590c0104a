//! Jobs (后台作业): work that is done after the answer, as operators see it. Nothing of what a case
//! says is shown.

use actix_web::HttpRequest;
use actix_web::web::Data;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Listing, PathId};
use super::json::RawBody;
use super::page::{Binding, COUNT_CAP, Page, PageParams};
use super::routes::{Access, Routes};
use crate::app::{Answer, App, Ctx};
use crate::digest;
use crate::enter;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{JobId, kind};
use crate::jobs::kind::{JobKind, JobState};
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::store::jobs::{self as store, JobFilter, JobRow};
use crate::workflow::input::NoInput;
use crate::workflow::role::Role;

/// Who looks after the installation.
const OPERATORS: &[Role] = &[Role::Administrator];

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const ACCESS: Access = Access::Roles(OPERATORS);
    enter!(routes, ACCESS, [__path_list_jobs] list_jobs);
    enter!(routes, ACCESS, [__path_get_job] get_job);
    enter!(routes, ACCESS, [__path_retry_job] retry_job);
}

/// A piece of work that is done after the answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Job {
    /// Identifier.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Where it stands.
    pub state: JobState,
    /// What it is about, mostly an identifier; there is one job of a kind for each.
    #[schema(max_length = 200, example = "prop_0195c1c2f3a87d3a8f6e5d4c3b2a1908")]
    pub key: String,
    /// How often it was taken up since it was first wanted, or tried again by hand.
    #[schema(minimum = 0, maximum = 1000)]
    pub attempts: i32,
    /// Not before this moment; while a worker has it, the end of the worker's lease.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub run_at: Timestamp,
    /// Why it failed last, in words of the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000, nullable = false)]
    pub last_error: Option<String>,
    /// When it was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, max_length = 40, nullable = false)]
    pub dead_at: Option<Timestamp>,
    /// When it was first wanted.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub created_at: Timestamp,
}

impl From<JobRow> for Job {
    fn from(row: JobRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            state: row.state(),
            key: row.job_key,
            attempts: row.attempts,
            run_at: row.run_at.0,
            last_error: row.last_error,
            dead_at: row.dead_at.map(|at| at.0),
            created_at: row.created_at.0,
        }
    }
}

impl Job {
    /// A number that changes with whatever changes of it.
    fn version(&self) -> i32 {
        let text = format!("{self:?}");
        let hash = digest::hex(&[text.as_bytes()]);
        i32::from_str_radix(hash.get(..7).unwrap_or_default(), 16).unwrap_or(0)
    }
}

/// What a list of jobs is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct JobParams {
    /// Only jobs that stand there; `dead` for those that wait for a person.
    #[param(nullable = false)]
    pub state: Option<JobState>,
    /// Only jobs of this kind.
    #[param(nullable = false)]
    pub kind: Option<JobKind>,
}

/// List jobs
///
/// Work of the committee that waits, is being done or was given up, in the order in which it was
/// first wanted. What is done leaves the list.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "jobs",
    params(JobParams, PageParams),
    responses((status = 200, description = "A page of jobs.", body = Page<Job>)),
)]
pub async fn list_jobs(app: Data<App>, ctx: Ctx, listing: Listing<JobParams>) -> Result<Answer> {
    let Listing { filter, page } = listing;
    let binding = Binding::new(&ctx, &filter);
    let after: Option<JobId> = page
        .cursor
        .as_deref()
        .map(|cursor| binding.decode(cursor))
        .transpose()?;
    let filter = JobFilter {
        committee: Some(ctx.committee()),
        state: filter.state,
        kind: filter.kind,
    };
    let limit = i64::try_from(page.limit.get() + 1).unwrap_or(i64::MAX);
    let with_count = page.count;
    let (rows, count) = app
        .db
        .read("jobs.list", move |tx| {
            let rows = store::list(tx, &filter, after, limit)?;
            let count = with_count
                .then(|| store::count(tx, &filter, COUNT_CAP))
                .transpose()?;
            Ok((rows, count))
        })
        .await?;
    let jobs: Vec<Job> = rows.into_iter().map(Job::from).collect();
    let mut answer = binding.page(jobs, page.limit, |job| job.id)?;
    answer.count = count;
    Answer::ok(&answer)
}

/// Read a job
///
/// One piece of work of the committee. 404 once it is done.
#[utoipa::path(
    get, path = "/api/v1/jobs/{job_id}", tag = "jobs",
    params(("job_id" = JobId, Path, description = "The job.")),
    responses((status = 200, description = "The job.", body = Job)),
)]
pub async fn get_job(app: Data<App>, ctx: Ctx, PathId(id): PathId<kind::Job>) -> Result<Answer> {
    let committee = ctx.committee();
    let row = app
        .db
        .read("jobs.get", move |tx| store::find(tx, committee, id))
        .await?;
    shown(row)
}

/// Try a job again that was given up
///
/// It starts from the beginning, with all its attempts. Remove the cause of `last_error` first.
/// 409 `state-conflict` if it was not given up.
#[utoipa::path(
    post, path = "/api/v1/jobs/{job_id}/actions/retry", tag = "jobs",
    params(("job_id" = JobId, Path, description = "The job.")),
    request_body(content = NoInput, example = json!({})),
    responses((status = 200, description = "The job, which waits for a worker now.", body = Job)),
)]
pub async fn retry_job(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathId(id): PathId<kind::Job>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let committee = act.committee();
        let before = store::find(tx, committee, id)?.ok_or_else(Error::not_found)?;
        body.parse::<NoInput>()?;
        let before = Job::from(before);
        act.if_match.check(before.version())?;
        if !store::revive(tx, committee, id, act.now)? {
            return Err(not_dead(&before));
        }
        let after = store::find(tx, committee, id)?;
        let stream = Stream::of(committee, "job", id);
        let by = Circumstances::of(&act, OPERATORS);
        let change = Happening::change("job.retried", &before, &after.clone().map(Job::from));
        events::append(tx, &stream, &by, change)?;
        shown(after)
    })
    .await
}

fn shown(row: Option<JobRow>) -> Result<Answer> {
    let job = Job::from(row.ok_or_else(Error::not_found)?);
    Ok(Answer::ok(&job)?.version(job.version()))
}

fn not_dead(job: &Job) -> Error {
    Error::new(Code::StateConflict)
        .detail(Message::new(
            "该作业未被放弃，会自行执行。",
            "The job was not given up: it will be done by itself.",
        ))
        .with("current_status", job.state.as_str())
        .with("allowed_from", [JobState::Dead.as_str()])
}
