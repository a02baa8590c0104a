//! The loops: publish, collect, claim and do.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::kind::Lane;
use super::tally::Outcome;
use super::{chores, perform};
use crate::app::{App, publish};
use crate::error::{Error, Result};
use crate::store::jobs::{self, Claim};
use crate::store::wakes;

/// How long the workers rest where nothing wakes them.
const POLL: Duration = Duration::from_secs(1);
/// How long they rest after a failure of their own, such as a database that is away.
const TROUBLE: Duration = Duration::from_secs(5);
/// How often somebody looks whether every committee has its daily chores.
const CHORES: Duration = Duration::from_secs(60);
/// What is wanted within this time is done together: one transaction for many acts.
const LINGER: Duration = Duration::from_millis(20);
/// Jobs that end within this time are followed by others together.
const GATHER: Duration = Duration::from_millis(5);

/// The running loops of a process.
pub struct Jobs {
    stop: watch::Sender<bool>,
    loops: Vec<JoinHandle<()>>,
}

impl Jobs {
    /// Starts the loops on the calling thread's system.
    pub fn start(app: &App) -> Self {
        let (stop, stopped) = watch::channel(false);
        let spawn = |name, rest, step: fn(App) -> StepFuture| {
            tokio::task::spawn_local(repeat(app.clone(), stopped.clone(), name, rest, step))
        };
        let mut loops = vec![
            spawn("outbox", POLL, |app| {
                Box::pin(async move { Ok(publish::publish(&app).await? >= publish::CHUNK) })
            }),
            spawn("clocks", POLL, |app| {
                Box::pin(async move { Ok(collect(&app).await? >= wakes::CHUNK) })
            }),
            spawn("chores", CHORES, |app| {
                Box::pin(async move { chores::ensure(&app).await.map(|_| false) })
            }),
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
    let mut count = chores::ensure(app).await?;
    loop {
        let mut found = publish::publish(app).await? + collect(app).await?;
        for lane in Lane::ALL {
            let claims = claim(app, *lane, lane.width()).await?;
            found += claims.len();
            join_all(claims.into_iter().map(|claim| run(app, claim))).await;
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
    let (now, lease) = (app.clock.now(), app.lease);
    if !app
        .db
        .read("jobs.look", move |tx| jobs::any_due(tx, lane, now))
        .await?
    {
        return Ok(Vec::new());
    }
    app.db
        .write("jobs.claim", move |tx| {
            jobs::claim(tx, lane, limit, now, lease)
        })
        .await
}

type StepFuture = std::pin::Pin<Box<dyn Future<Output = Result<bool>>>>;

/// Repeats `step` whenever something is wanted, and at least every `rest`; at once where it says
/// that there is more.
async fn repeat(
    app: App,
    mut stopped: watch::Receiver<bool>,
    name: &'static str,
    rest: Duration,
    step: fn(App) -> StepFuture,
) {
    let mut wanted = app.wanted();
    while !is_over(&stopped) {
        let trouble = match unwound(step(app.clone())).await {
            Ok(true) => continue,
            Ok(false) => false,
            Err(error) => {
                tracing::warn!(%error, context = error.log_context(), "{name}: trying again soon");
                true
            }
        };
        let pause = if trouble { TROUBLE } else { rest };
        tokio::select! {
            _ = stopped.changed() => {}
            _ = wanted.changed(), if pause == POLL => tokio::time::sleep(LINGER).await,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Asked to stop, or there is nobody left to ask.
fn is_over(stopped: &watch::Receiver<bool>) -> bool {
    *stopped.borrow() || stopped.has_changed().is_err()
}

/// Works on a lane: as many jobs at a time as it is wide.
async fn work(app: App, mut stopped: watch::Receiver<bool>, lane: Lane) {
    let mut under_way = JoinSet::new();
    let mut wanted = app.wanted();
    while !is_over(&stopped) {
        while under_way.try_join_next().is_some() {}
        let free = lane.width().saturating_sub(under_way.len());
        let claims = if free == 0 {
            Ok(Vec::new())
        } else {
            unwound(claim(&app, lane, free)).await
        };
        let rest = match claims {
            Ok(claims) if claims.is_empty() => POLL,
            Ok(claims) => {
                for claim in claims {
                    let app = app.clone();
                    under_way.spawn_local(async move { run(&app, claim).await });
                }
                continue;
            }
            Err(error) => {
                tracing::warn!(%error, context = error.log_context(), %lane, "jobs: trying again soon");
                TROUBLE
            }
        };
        tokio::select! {
            _ = stopped.changed() => {}
            // Everything that is written wakes every lane, and most of it leaves nothing to do.
            _ = wanted.changed(), if rest == POLL && free > 0 => {
                tokio::time::sleep(if under_way.is_empty() { LINGER } else { GATHER }).await;
            }
            _ = under_way.join_next(), if rest == POLL && !under_way.is_empty() => {
                tokio::time::sleep(GATHER).await;
            }
            () = tokio::time::sleep(rest) => {}
        }
    }
    while under_way.join_next().await.is_some() {}
}

/// A panic is a failure like any other.
async fn unwound<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| {
            let words = panic
                .downcast_ref::<&str>()
                .map(|words| (*words).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned());
            Err(Error::internal(format!(
                "panicked: {}",
                words.as_deref().unwrap_or("no message")
            )))
        })
}

/// Does a job and sees to it that a failed one comes back.
async fn run(app: &App, claim: Claim) {
    let kind = claim.job.kind;
    let Err(error) = unwound(perform(app, &claim)).await else {
        app.tally.count(kind, Outcome::Done);
        return;
    };
    let now = app.clock.now();
    let spread = claim.job.id.uuid().as_u64_pair().1;
    let next = kind
        .retry()
        .pause(claim.job.attempts, spread)
        .map(|pause| now + pause);
    let words = error.log_context().map_or_else(
        || error.to_string(),
        |context| format!("{error}: {context}"),
    );
    if next.is_none() {
        app.tally.count(kind, Outcome::Dead);
        tracing::error!(%kind, key = claim.job.job_key, "a job is given up: {words}");
    } else {
        app.tally.count(kind, Outcome::Failed);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_failure() {
        let panicked: Result<()> = unwound(async { panic!("a job broke: {}", 7) }).await;
        let error = panicked.expect_err("a failure");
        let words = error.log_context().unwrap_or_default();
        assert!(words.contains("a job broke: 7"), "{words}");
        assert!(unwound(async { Ok(7) }).await.is_ok_and(|seven| seven == 7));
    }
}
