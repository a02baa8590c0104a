//! A panic in a job is one failed attempt: what it wrote is undone, the failure is counted, the job
//! comes back, and the worker does the rest meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jianjian::store::{Point, verify};
use jiff::SignedDuration;

use crate::support::TestApp;
use crate::support::bulk;
use crate::support::story::Story;

/// Panics so many times at a point of the closure of a job.
#[derive(Clone, Default)]
struct Trap {
    armed: Arc<Mutex<Option<(Point, usize)>>>,
    sprung: Arc<AtomicUsize>,
}

impl Trap {
    fn in_service(app: &TestApp, job: &'static str) -> Self {
        let trap = Self::default();
        let set = trap.clone();
        app.db().watch(move |name, point| {
            let mut armed = set.armed.lock().expect("the trap");
            let Some((when, left)) = armed.filter(|(when, _)| name == job && *when == point) else {
                return;
            };
            *armed = (left > 1).then_some((when, left - 1));
            drop(armed);
            set.sprung.fetch_add(1, Ordering::SeqCst);
            panic!("a trap in a job");
        });
        trap
    }

    fn arm(&self, point: Point, times: usize) {
        *self.armed.lock().expect("the trap") = Some((point, times));
    }

    fn sprung(&self) -> usize {
        self.sprung.load(Ordering::SeqCst)
    }
}

/// Two cases whose window to return is over.
async fn due_cases(app: &TestApp) {
    let town = app.town().await;
    let mut case = Story::draft(app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("sole", &[0]).await;
    app.work().await;
    bulk::multiply(app.database(), 1);
    let sql = "UPDATE clocks SET wake_at = NULL, woken = FALSE";
    app.database().execute(sql);
    let sql = "UPDATE clocks SET wake_at = started_at, due_at = started_at WHERE kind = 'K05'";
    app.database().execute(sql);
    app.clock.advance(SignedDuration::from_mins(1));
}

fn accepted(app: &TestApp) -> i64 {
    let sql = "SELECT count(*) AS n FROM assignments WHERE status = 'accepted'";
    app.database().number(sql)
}

/// How many cases were done, each with its one event; in chains that verify once all are.
async fn done(app: &TestApp) -> i64 {
    if accepted(app) == 2 {
        let report = app.read(verify::run).await;
        assert!(report.broken.is_none(), "{:?}", report.broken);
    }
    let events = "SELECT count(*) AS n FROM events WHERE rule = 'AT08'";
    assert_eq!(app.database().number(events), accepted(app));
    accepted(app)
}

#[actix_web::test]
async fn a_panic_in_a_job_is_one_failure_that_is_tried_again() {
    for point in [Point::Asked, Point::Begun, Point::Done] {
        let app = TestApp::start().await;
        due_cases(&app).await;
        let trap = Trap::in_service(&app, "jobs.wake_case");
        trap.arm(point, 1);
        app.work().await;
        // One of the two was done; the other one was not, not by half.
        assert_eq!((trap.sprung(), done(&app).await), (1, 1), "{point:?}");
        let metrics = app.anonymous().get("/metrics").send().await.status(200);
        let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
        let failed = "jianjian_jobs_total{kind=\"wake_case\",outcome=\"failed\"} 1";
        assert!(metrics.contains(failed), "{point:?}: {metrics}");
        let noted = "SELECT last_error AS name FROM jobs WHERE kind = 'wake_case' AND attempts = 1";
        let noted = app.database().names(noted);
        assert!(
            noted.len() == 1 && noted[0].contains("a trap in a job"),
            "{point:?}: {noted:?}"
        );
        // Not at once, but later, and then for good.
        assert_eq!(app.work().await, 0, "{point:?}");
        app.clock.advance(SignedDuration::from_mins(10));
        app.work().await;
        assert_eq!((trap.sprung(), done(&app).await), (1, 2), "{point:?}");
        let left = "SELECT count(*) AS n FROM jobs WHERE kind = 'wake_case'";
        assert_eq!(app.database().number(left), 0, "{point:?}");
    }
}

/// The loops of a process go on whatever panics in them.
#[actix_web::test]
async fn the_workers_outlive_panics() {
    let app = TestApp::start_with(|config| config.jobs.in_server = true).await;
    due_cases(&app).await;
    let trap = Trap::in_service(&app, "jobs.wake_case");
    trap.arm(Point::Done, 3);
    app.app.wake_workers();
    let started = Instant::now();
    while accepted(&app) < 2 {
        assert!(started.elapsed() < Duration::from_secs(20), "they stopped");
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
        // What failed comes back after a while.
        app.clock.advance(SignedDuration::from_mins(1));
        app.app.wake_workers();
    }
    assert_eq!((trap.sprung(), done(&app).await), (3, 2));
}
