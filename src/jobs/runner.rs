//! The loops: publish, collect, claim and do.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::kind::Lane;
use super::perform;
use crate::app::{App, publish};
use crate::error::Result;
use crate::store::jobs::{self, Claim};
use crate::store::wakes;

/// How long the workers rest where nothing wakes them.
const POLL: Duration = Duration::from_secs(1);
/// How long they rest after a failure of their own, such as a database that is away.
const TROUBLE: Duration = Duration::from_secs(5);

/// The running loops of a process.
pub struct Jobs {
    stop: watch::Sender<bool>,
    loops: Vec<JoinHandle<()>>,
}

impl Jobs {
    /// Starts the loops on the calling thread's system.
    pub fn start(app: &App) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut loops = vec![
            tokio::task::spawn_local(repeat(
                app.clone(),
                stopped.clone(),
                "outbox",
                |app| async move { Ok(publish::publish(&app).await? > 0) },
            )),
            tokio::task::spawn_local(repeat(
                app.clone(),
                stopped.clone(),
                "clocks",
                |app| async move { Ok(collect(&app).await? > 0) },
            )),
        ];
        for lane in Lane::ALL {
            loops.push(tokio::task::spawn_local(work(
                app.clone(),
                stopped.clone(),
                *lane,
            )));
        }
        Self { stop, loops }
    }

    /// Takes up nothing more and waits for what is under way.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for one in self.loops {
            // A loop that panicked has said so in the log.
            let _ = one.await;
        }
    }
}

/// Does everything that is due now, until nothing is: for tests, which move the clock themselves,
/// and for commands that are not a server.
pub async fn drain(app: &App) -> Result<usize> {
    let mut count = 0;
    loop {
        let mut found = publish::publish(app).await? + collect(app).await?;
        for lane in Lane::ALL {
            for claim in claim(app, *lane, lane.width()).await? {
                run(app, claim).await;
                found += 1;
            }
        }
        if found == 0 {
            return Ok(count);
        }
        count += found;
    }
}

async fn collect(app: &App) -> Result<usize> {
    let now = app.clock.now();
    // Mostly nothing is due, and a look costs no writer.
    if !app
        .db
        .read("jobs.look", move |tx| wakes::any(tx, now))
        .await?
    {
        return Ok(0);
    }
    let count = app
        .db
        .write("jobs.collect", move |tx| wakes::collect(tx, now))
        .await?;
    app.wake_workers();
    Ok(count)
}

async fn claim(app: &App, lane: Lane, limit: usize) -> Result<Vec<Claim>> {
    let now = app.clock.now();
    if !app
        .db
        .read("jobs.look", move |tx| jobs::any_due(tx, lane, now))
        .await?
    {
        return Ok(Vec::new());
    }
    app.db
        .write("jobs.claim", move |tx| jobs::claim(tx, lane, limit, now))
        .await
}

/// Repeats `step` whenever something is wanted; at once where it found something to do.
async fn repeat<F, Fut>(app: App, mut stopped: watch::Receiver<bool>, name: &str, step: F)
where
    F: Fn(App) -> Fut,
    Fut: Future<Output = Result<bool>>,
{
    let mut wanted = app.wanted();
    while !*stopped.borrow() {
        let rest = match step(app.clone()).await {
            Ok(true) => continue,
            Ok(false) => POLL,
            Err(error) => {
                tracing::warn!(%error, context = error.log_context(), "{name}: trying again soon");
                TROUBLE
            }
        };
        tokio::select! {
            _ = stopped.changed() => {}
            _ = wanted.changed(), if rest == POLL => {}
            () = tokio::time::sleep(rest) => {}
        }
    }
}

/// Works on a lane: as many jobs at a time as it is wide.
async fn work(app: App, mut stopped: watch::Receiver<bool>, lane: Lane) {
    let places = Arc::new(Semaphore::new(lane.width()));
    let mut under_way = JoinSet::new();
    let mut wanted = app.wanted();
    while !*stopped.borrow() {
        while under_way.try_join_next().is_some() {}
        let free = places.available_permits();
        let claims = if free == 0 {
            Ok(Vec::new())
        } else {
            claim(&app, lane, free).await
        };
        let rest = match claims {
            Ok(claims) if claims.is_empty() => POLL,
            Ok(claims) => {
                for claim in claims {
                    let (app, places) = (app.clone(), Arc::clone(&places));
                    under_way.spawn_local(async move {
                        let _place = places.acquire_owned().await;
                        run(&app, claim).await;
                    });
                }
                // The tasks take their places before the next look.
                tokio::task::yield_now().await;
                continue;
            }
            Err(error) => {
                tracing::warn!(%error, context = error.log_context(), %lane, "jobs: trying again soon");
                TROUBLE
            }
        };
        tokio::select! {
            _ = stopped.changed() => {}
            _ = wanted.changed(), if rest == POLL && free > 0 => {}
            _ = under_way.join_next(), if !under_way.is_empty() => {}
            () = tokio::time::sleep(rest) => {}
        }
    }
    while under_way.join_next().await.is_some() {}
}

/// Does a job and sees to it that a failed one comes back.
async fn run(app: &App, claim: Claim) {
    let Err(error) = perform(app, &claim).await else {
        return;
    };
    let now = app.clock.now();
    let kind = claim.job.kind;
    let spread = claim.lease.uuid().as_u64_pair().1;
    let next = kind
        .retry()
        .pause(claim.job.attempts, spread)
        .map(|pause| now + pause);
    let words = error.log_context().map_or_else(
        || error.to_string(),
        |context| format!("{error}: {context}"),
    );
    if next.is_none() {
        tracing::error!(%kind, key = claim.job.job_key, "a job is given up: {words}");
    } else {
        tracing::warn!(%kind, key = claim.job.job_key, "a job failed and will be tried again: {words}");
    }
    let noted = app
        .db
        .write("jobs.fail", move |tx| {
            jobs::fail(tx, &claim, &words, next, now)
        })
        .await;
    if let Err(error) = noted {
        // Its lease runs out, then it is due again.
        tracing::warn!(%error, %kind, "the failure of a job could not be noted");
    }
}
