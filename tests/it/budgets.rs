//! Budgets of requests: who is counted, how callers are told, and that instances count together.

use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::spawn;
use jianjian::clock::MockClock;
use jianjian::config::{Config, Sources};
use jianjian::files::Place;
use jianjian::startup;
use jiff::SignedDuration;
use serde_json::json;
use tokio::sync::oneshot;

use crate::support::seed::Town;
use crate::support::{Client, Reply, TestApp, steps};

const UNITS: &str = "/api/v1/units";

/// Another instance over the database of a service.
struct Beside {
    base: String,
    handle: ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Beside {
    async fn start(app: &TestApp, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::load(&Sources::default()).expect("the defaults");
        config.server.bind = "127.0.0.1:0".parse().expect("an address");
        config.server.workers = 1;
        config.server.shutdown_grace = Duration::ZERO;
        config.database.url = app.database().url().clone();
        config.jobs.in_server = false;
        config.storage.place = Place::Directory(app.storage().to_owned());
        change(&mut config);
        let (started, address) = oneshot::channel();
        let clock: MockClock = app.clock.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let running = startup::build(config, std::sync::Arc::new(clock))
                    .await
                    .expect("to start");
                let _ = started.send((running.port(), running.handle()));
                running.until_stopped().await.expect("to stop");
            });
        });
        let (port, handle) = address.await.expect("the service to start");
        Self {
            base: format!("http://127.0.0.1:{port}"),
            handle,
            thread: Some(thread),
        }
    }

    fn client(&self, app: &TestApp, town: &Town) -> Client {
        app.client_of(&self.base, &app.token(town, &town.staff))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok() || std::thread::panicking());
        }
    }
}

/// What the headers say: budget, quota, window, left, reset.
fn told(reply: &Reply) -> (String, u32, u32, u32, u32) {
    let parts = |name: &str| -> (String, u32, u32) {
        let text = reply.text_header(name);
        let mut parts = text.split(';');
        let mut next = || parts.next().unwrap_or_else(|| panic!("{name}: {reply}"));
        let budget = next().trim_matches('"').to_owned();
        let number = |text: &str| text[2..].parse().expect("a number");
        (budget, number(next()), number(next()))
    };
    let (budget, left, reset) = parts("ratelimit");
    let (same, quota, window) = parts("ratelimit-policy");
    assert_eq!(budget, same, "{reply}");
    (budget, quota, window, left, reset)
}

fn refused(reply: Reply, budget: &str, wait: u32) {
    let reply = reply.status(429).code("rate-limited");
    assert_eq!(reply.json["budget"], budget, "{reply}");
    assert_eq!(reply.text_header("retry-after"), wait.to_string());
    let (named, _, _, left, reset) = told(&reply);
    assert_eq!((named.as_str(), left, reset), (budget, 0, wait), "{reply}");
}

#[actix_web::test]
async fn an_account_that_used_up_its_budget_is_refused_until_the_window_is_over() {
    let app = TestApp::start_with(|config| config.limits.reads = 5).await;
    let town = app.town().await;
    let (staff, other) = (
        app.signed_in(&town, &town.staff),
        app.signed_in(&town, &town.chair),
    );
    app.clock.advance(SignedDuration::from_secs(20));
    for left in (0..5).rev() {
        let reply = staff.get(UNITS).send().await.status(200);
        assert_eq!(told(&reply), ("reads".to_owned(), 5, 60, left, 40));
    }
    refused(staff.get(UNITS).send().await, "reads", 40);
    refused(staff.get("/api/v1/desk").send().await, "reads", 40);
    // Neither other accounts nor other budgets are touched.
    other.get(UNITS).send().await.status(200);
    let written = steps::draft(&app.signed_in(&town, &town.members[0]), "关于绿道的提案").await;
    assert_eq!(told(&written).0, "writes");
    app.anonymous().get("/health/live").send().await.status(200);
    app.clock.advance(SignedDuration::from_secs(39));
    refused(staff.get(UNITS).send().await, "reads", 1);
    app.clock.advance(SignedDuration::from_secs(1));
    let reply = staff.get(UNITS).send().await.status(200);
    assert_eq!(told(&reply), ("reads".to_owned(), 5, 60, 4, 60));
}

#[actix_web::test]
async fn refusals_come_after_401_and_before_the_body_and_change_nothing() {
    let app = TestApp::start_with(|config| {
        config.limits.writes = 2;
        config.limits.heavy = 1;
    })
    .await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let draft = steps::draft(&member, "关于绿道的提案").await;
    // What is refused for another reason counts, too, and says how the caller stands.
    let refusal = member.post(UNITS).json(json!({})).send().await.status(403);
    assert_eq!(told(&refusal).3, 0);
    let before = app.database().row_counts();
    for body in ["{", "{}", ""] {
        let request = member.post("/api/v1/proposals");
        refused(
            request.raw("application/json", body).send().await,
            "writes",
            60,
        );
    }
    let anonymous = app.anonymous();
    let request = anonymous.post("/api/v1/proposals").json(json!({}));
    let reply = request.send().await.status(401).code("unauthenticated");
    assert_eq!(reply.text_header("ratelimit"), "");
    assert_eq!(app.database().row_counts(), before);
    // Uploads are counted with what does the work of many.
    let path = draft.text_header("location");
    let reply = steps::upload(&member, path, "图.pdf", steps::PDF).await;
    assert_eq!(told(&reply.status(201)).0, "heavy");
    refused(
        steps::upload(&member, path, "图.pdf", steps::PDF).await,
        "heavy",
        60,
    );
}

#[actix_web::test]
async fn addresses_are_counted_for_what_needs_no_token() {
    let app = TestApp::start_with(|config| {
        config.limits.open = 3;
        config.limits.probes = 0;
    })
    .await;
    let town = app.town().await;
    let anonymous = app.anonymous();
    for left in (0..3).rev() {
        let reply = anonymous.get("/api/v1/code-lists").send().await.status(200);
        assert_eq!(told(&reply), ("open".to_owned(), 3, 60, left, 60));
    }
    let login = json!({ "committee": "yunchuan", "username": "x", "password": "x" });
    let request = anonymous.post("/api/v1/auth/login").json(login);
    refused(request.send().await, "open", 60);
    // Whoever is signed in works on; health is asked as before, without headers where there is no
    // limit.
    let staff = app.signed_in(&town, &town.staff);
    staff.get(UNITS).send().await.status(200);
    let reply = anonymous.get("/health/ready").send().await.status(200);
    assert_eq!(reply.text_header("ratelimit"), "");
    assert_eq!(reply.text_header("ratelimit-policy"), "");
}

/// So many reads. An instance that does not reach the database in time counts alone for a while, so the tests of two
/// give it more time than a busy machine takes.
fn quota_of_reads(config: &mut Config, quota: u32) {
    config.limits.reads = quota;
    config.limits.patience = Duration::from_secs(60);
}

/// The rule of the interface: quota ± 1 over two instances.
#[actix_web::test]
async fn two_instances_count_together() {
    const QUOTA: u32 = 70;
    let app = TestApp::start_with(|config| quota_of_reads(config, QUOTA)).await;
    let town = app.town().await;
    let beside = Beside::start(&app, |config| quota_of_reads(config, QUOTA)).await;
    let clients = [
        app.signed_in(&town, &town.staff),
        beside.client(&app, &town),
    ];
    // One after the other, each instance in turn.
    let mut let_through = 0;
    for number in 0..QUOTA * 2 {
        let reply = clients[number as usize % 2].get(UNITS).send().await;
        match reply.status {
            200 => let_through += 1,
            _ => refused(reply, "reads", 60),
        }
    }
    assert_eq!(let_through, QUOTA);
    // Many at once, on both; an uneven spread finds the same end.
    app.clock.advance(SignedDuration::from_secs(60));
    let clients = [
        app.signed_in(&town, &town.staff),
        beside.client(&app, &town),
    ];
    let tasks: Vec<_> = (0..QUOTA as usize * 2)
        .map(|number| spawn(clients[usize::from(number % 5 == 0)].get(UNITS).send()))
        .collect();
    let mut let_through = 0;
    for task in tasks {
        let_through += u32::from(task.await.expect("an answer").status == 200);
    }
    // The rest that one instance still holds.
    for client in &clients {
        while client.get(UNITS).send().await.status == 200 {
            let_through += 1;
        }
    }
    assert_eq!(let_through, QUOTA);
}

/// An instance that lets a caller through unasked gives away no more than that first part.
#[actix_web::test]
async fn what_one_instance_uses_up_is_gone_on_the_other() {
    const QUOTA: u32 = 64;
    let app = TestApp::start_with(|config| quota_of_reads(config, QUOTA)).await;
    let town = app.town().await;
    let beside = Beside::start(&app, |config| quota_of_reads(config, QUOTA)).await;
    let count = async |client: &Client| {
        let mut let_through = 0;
        while client.get(UNITS).send().await.status == 200 {
            let_through += 1;
        }
        let_through
    };
    assert_eq!(count(&app.signed_in(&town, &town.staff)).await, QUOTA);
    assert_eq!(count(&beside.client(&app, &town)).await, QUOTA / 32);
}

/// Callers far below their quota cost no statement; those nearer to its end cost few.
#[actix_web::test]
async fn counting_costs_next_to_nothing() {
    let taken = async |reads: u32, requests: u32| {
        let app = TestApp::start_with(|config| config.limits.reads = reads).await;
        let town = app.town().await;
        let staff = app.signed_in(&town, &town.staff);
        for _ in 0..requests {
            staff.get(UNITS).send().await.status(200);
        }
        let sum = "SELECT CAST(COALESCE(SUM(taken), 0) AS BIGINT) AS n FROM request_budgets";
        app.database().number(sum)
    };
    assert_eq!(taken(60 * 32, 60).await, 0, "nothing was asked");
    // Once: the thirty that were let through unasked, and an eighth of the rest.
    assert_eq!(taken(60 * 16, 60).await, 30 + (960 - 30) / 8);
}

/// A database that cannot be written refuses writes, not readers.
#[actix_web::test]
async fn nobody_is_refused_because_the_budget_cannot_be_read() {
    let app = TestApp::start_with(|config| config.limits.reads = 3).await;
    let town = app.town().await;
    let staff = app.signed_in(&town, &town.staff);
    app.database()
        .execute("ALTER TABLE request_budgets RENAME TO lost_budgets");
    let mut let_through = 0;
    while let_through < 10 && staff.get(UNITS).send().await.status == 200 {
        let_through += 1;
    }
    assert_eq!(let_through, 3, "counted by this instance alone");
}
