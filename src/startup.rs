//! From the settings to a running service, and back to a stopped one.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App as HttpApp, HttpRequest, HttpServer};
use tokio::task::JoinHandle;

use crate::api::cors::{self, AllowedOrigins};
use crate::api::document::Document;
use crate::api::schemas::Schemas;
use crate::api::service::{self, Condition};
use crate::api::workflow::Description;
use crate::api::{self, problem};
use crate::app::live::Live;
use crate::app::{App, AppSettings};
use crate::auth::password::HashParams;
use crate::clock::Clock;
use crate::config::{Config, Database};
use crate::error::{Code, Error, Result};
use crate::jobs::Jobs;
use crate::store::{DatabaseUrl, Db, migrate};
use crate::telemetry::Metrics;
use crate::webhooks::Settings;

/// A request's head must arrive within this time.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// A closing connection may take this long.
const DISCONNECT_TIME: Duration = Duration::from_secs(2);
/// An idle connection is kept for this long.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A service that answers requests.
pub struct Running {
    address: SocketAddr,
    app: App,
    condition: Data<Condition>,
    grace: Duration,
    shutdown: Duration,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
    jobs: Option<Jobs>,
}

/// How often the room that the database has left is measured.
const ROOM_PERIOD: Duration = Duration::from_secs(2);

/// What the program knows of its own interface: made once, the same for every service in the
/// process.
#[derive(Clone)]
struct Interface {
    schemas: Data<Schemas>,
    document: Data<Document>,
    description: Data<Description>,
}

impl Interface {
    fn of_the_program() -> Result<Self> {
        static MADE: Mutex<Option<Interface>> = Mutex::new(None);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(interface) = &*made {
            return Ok(interface.clone());
        }
        // What is needed only for making it goes with the thread.
        let interface = thread::spawn(Self::make)
            .join()
            .unwrap_or_else(|_| Err(Error::internal("the interface cannot be made")))?;
        *made = Some(interface.clone());
        Ok(interface)
    }

    fn make() -> Result<Self> {
        let routes = api::routes();
        Ok(Self {
            schemas: Data::new(Schemas::of(routes.openapi(), routes.hidden_bodies())?),
            document: Data::new(Document::of(&routes)?),
            description: Data::new(Description::new()?),
        })
    }
}

/// Starts the service: database, threads, server. Must be called inside an actix system.
pub async fn build(config: Config, clock: Arc<dyn Clock>) -> Result<Running> {
    let db = open_database(&config.database).await?;
    let app = App::new(db, clock, app_settings(&config)).await?;
    let metrics = Data::new(Metrics::new(&app)?);
    let jobs = config.jobs.in_server.then(|| Jobs::start(&app));
    tokio::task::spawn_local(watch_room(app.db.clone()));
    let tidied = app.clone();
    tokio::task::spawn_local(async move { tidied.keep_files_tidy().await });
    tokio::task::spawn_local(Live::follow(app.clone()));
    let watched = app.clone();
    tokio::task::spawn_local(async move { watched.keep_watch().await });
    let Interface {
        schemas,
        document,
        description,
    } = Interface::of_the_program()?;
    let condition = Data::new(Condition::default());
    let origins = Data::new(AllowedOrigins(config.server.allowed_origins.clone()));
    let (data, state) = (Data::new(app.clone()), condition.clone());
    let clients = Data::new(config.server.clients.clone());
    let mut server = HttpServer::new(move || {
        let http = HttpApp::new()
            .app_data(data.clone())
            .app_data(schemas.clone())
            .app_data(metrics.clone())
            .app_data(document.clone())
            .app_data(description.clone())
            .app_data(state.clone())
            .app_data(clients.clone())
            .app_data(origins.clone())
            .wrap(from_fn(service::surroundings))
            .wrap(from_fn(problem::frame))
            .wrap(from_fn(cors::other_origins));
        #[cfg(feature = "seeded-defects")]
        let http = http.wrap(from_fn(api::defects::seed));
        http.configure(|config| api::routing().configure(config))
            .configure(service::pages)
            .default_service(web::to(no_such_path))
    })
    .client_request_timeout(HEAD_TIME)
    .client_disconnect_timeout(DISCONNECT_TIME)
    .keep_alive(KEEP_ALIVE)
    .on_connect(let_go_of_stuck_readers)
    .backlog(BACKLOG)
    .shutdown_timeout(config.server.shutdown.as_secs())
    .disable_signals();
    let workers = match config.server.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    server = server
        .workers(workers)
        .max_connections(config.server.connections.div_ceil(workers));
    let bind = config.server.bind;
    let server = server
        .bind(bind)
        .map_err(|error| Error::internal(error).context(format!("cannot listen on {bind}")))?;
    let address = server.addrs().first().copied().unwrap_or(bind);
    let server = server.run();
    let handle = server.handle();
    let server = tokio::task::spawn_local(server);
    Ok(Running {
        address,
        app,
        condition,
        grace: config.server.shutdown_grace,
        shutdown: config.server.shutdown,
        handle,
        server,
        jobs,
    })
}

/// A client that takes nothing of an answer for this long is cut off.
const STUCK: Duration = Duration::from_secs(30);

/// The server itself waits for ever for a client to take its answer; the system does not.
fn let_go_of_stuck_readers(connection: &dyn std::any::Any, _: &mut actix_web::dev::Extensions) {
    #[cfg(target_os = "linux")]
    if let Some(tcp) = connection.downcast_ref::<actix_web::rt::net::TcpStream>()
        && let Err(error) = socket2::SockRef::from(tcp).set_tcp_user_timeout(Some(STUCK))
    {
        tracing::debug!(%error, "no limit for stuck readers");
    }
}

/// What the use cases are told of the settings.
pub fn app_settings(config: &Config) -> AppSettings {
    AppSettings {
        issuer: config.auth.issuer.clone(),
        audience: config.auth.audience.clone(),
        storage: config.storage.clone(),
        mail: config.mail.clone(),
        keep_read: config.notifications.keep_read,
        webhooks: Settings {
            keeper: config.webhooks.keeper.clone(),
            insecure: config.webhooks.allow_insecure_targets,
            timeout: config.webhooks.timeout,
            names: config.webhooks.names.clone(),
            source: config.server.public_url.clone(),
        },
        limits: config.limits,
        password_params: HashParams {
            memory_kib: config.auth.argon2_memory_kib,
            passes: config.auth.argon2_iterations,
            lanes: 1,
        },
        password_queue: config.auth.queue,
        leaked: config.auth.leaked.clone(),
        address_limit: config.auth.address_limit,
        lease: config.jobs.lease,
        second_factor: config.second_factor.clone(),
        openid: config.openid.clone(),
        seal_every: config.audit.seal_every,
    }
}

async fn no_such_path(_: HttpRequest) -> Result<&'static str> {
    Err(Error::not_found())
}

/// Runs a future on the calling thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    actix_web::rt::System::new().block_on(future)
}

/// Does the work that is done after the answer, beside the servers, until a signal asks to stop.
pub async fn work(config: Config, clock: Arc<dyn Clock>) -> Result<()> {
    let mut signals = Signals::new()?;
    let opened = async {
        let db = open_database(&config.database).await?;
        App::new(db, clock, app_settings(&config)).await
    };
    let app = tokio::select! {
        opened = opened => opened?,
        name = signals.next() => {
            tracing::info!("{name} received during the start");
            return Ok(());
        }
    };
    // What is spawned stays on this thread.
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            tokio::task::spawn_local(watch_room(app.db.clone()));
            let jobs = Jobs::start(&app);
            tracing::info!(database = %config.database.url, "working");
            let name = signals.next().await;
            tracing::info!("{name} received, stopping");
            tokio::select! {
                () = stop_jobs(jobs, config.server.shutdown) => {}
                name = signals.next() => tracing::warn!("{name} received again, stopping at once"),
            }
        })
        .await;
    tracing::info!("stopped");
    Ok(())
}

/// Waits for the work under way, but not for ever: what is left comes back when its lease ends.
async fn stop_jobs(jobs: Jobs, patience: Duration) {
    if tokio::time::timeout(patience, jobs.stop()).await.is_err() {
        tracing::warn!("jobs were still under way; their leases run out");
    }
}

/// Serves until a signal asks the service to stop.
pub async fn serve(config: Config, clock: Arc<dyn Clock>) -> Result<()> {
    let (url, public_url) = (
        config.database.url.clone(),
        config.server.public_url.clone(),
    );
    // Before anything else: a signal must never meet the default, which ends the process at once.
    let mut signals = Signals::new()?;
    let running = tokio::select! {
        built = build(config, clock) => built?,
        name = signals.next() => {
            tracing::info!("{name} received during the start");
            return Ok(());
        }
    };
    tracing::info!(
        address = %running.address(),
        database = %url,
        version = env!("CARGO_PKG_VERSION"),
        public_url,
        "listening on {}",
        running.address()
    );
    running.until(signals).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Brings the database up to date, or makes sure that it is, and starts its threads.
pub async fn open_database(database: &Database) -> Result<Db> {
    if database.migrate_on_start {
        for name in migrate(database).await? {
            tracing::info!(migration = name, "migration {name} applied");
        }
    } else {
        let url = database.url.clone();
        let pending = patiently(database, move || migrate::pending(&url)).await?;
        if !pending.is_empty() {
            return Err(Error::internal(format!(
                "the database lacks migrations ({}): run `jianjian migrate`",
                pending.join(", ")
            )));
        }
    }
    Ok(Db::start(database.url.clone(), database.threads)?.watched(database.room.clone()))
}

/// Measures the room that the database has left, again and again.
async fn watch_room(db: Db) {
    loop {
        if let Err(error) = db.measure().await {
            tracing::warn!(
                context = error.log_context(),
                "the room that is left was not measured"
            );
        }
        tokio::time::sleep(ROOM_PERIOD).await;
    }
}

/// Brings the database up to date; gives the versions that were applied.
pub async fn migrate(database: &Database) -> Result<Vec<String>> {
    let url = database.url.clone();
    patiently(database, move || migrate::run(&url)).await
}

/// Does something with the database on a thread of its own. A PostgreSQL server that is still
/// starting is waited for.
async fn patiently<T, F>(database: &Database, work: F) -> Result<T>
where
    T: Send + 'static,
    F: Fn() -> Result<T> + Clone + Send + 'static,
{
    let is_server = matches!(database.url, DatabaseUrl::Postgres(_));
    let started = Instant::now();
    let mut pause = Duration::from_millis(250);
    loop {
        let done = tokio::task::spawn_blocking(work.clone())
            .await
            .map_err(Error::internal)?;
        match done {
            Err(error)
                if error.code() == Code::DatabaseUnavailable
                    && is_server
                    && started.elapsed() + pause < database.wait =>
            {
                tracing::warn!(
                    context = error.log_context(),
                    "the database is away, trying again in {} ms",
                    pause.as_millis()
                );
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            done => return done,
        }
    }
}

impl Running {
    /// Where the service listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What its use cases work with.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Starts the work that is done after the answer, where it does not run yet.
    pub fn start_jobs(&mut self) {
        self.jobs.get_or_insert_with(|| Jobs::start(&self.app));
    }

    /// A handle that stops the service at once, from any thread.
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Serves until SIGTERM or SIGINT, then stops in order; a second signal stops at once.
    pub async fn until_signal(self) -> Result<()> {
        let signals = Signals::new()?;
        self.until(signals).await
    }

    async fn until(mut self, mut signals: Signals) -> Result<()> {
        tokio::select! {
            name = signals.next() => tracing::info!("{name} received, stopping"),
            ended = &mut self.server => return outcome(ended),
        }
        let handle = self.handle.clone();
        tokio::select! {
            ended = self.stop() => ended,
            name = signals.next() => {
                tracing::warn!("{name} received again, stopping at once");
                handle.stop(false).await;
                Ok(())
            }
        }
    }

    /// Stops in order: readiness turns 503, connections are closed after their answer, requests
    /// under way are finished.
    pub async fn stop(self) -> Result<()> {
        self.condition.stop();
        tokio::time::sleep(self.grace).await;
        self.app.live.stop();
        self.handle.stop(true).await;
        let ended = outcome(self.server.await);
        if let Some(jobs) = self.jobs {
            stop_jobs(jobs, self.shutdown).await;
        }
        end_watch(&self.app).await;
        ended
    }

    /// Serves until the handle stops it.
    pub async fn until_stopped(self) -> Result<()> {
        let ended = outcome(self.server.await);
        if let Some(jobs) = self.jobs {
            stop_jobs(jobs, self.shutdown).await;
        }
        end_watch(&self.app).await;
        ended
    }
}

/// What was counted so far goes into the audit trail.
async fn end_watch(app: &App) {
    if let Err(error) = app.flush_watch(true).await {
        tracing::error!(%error, "counts of refusals are not in the audit trail");
    }
}

fn outcome(ended: Result<std::io::Result<()>, tokio::task::JoinError>) -> Result<()> {
    ended
        .map_err(Error::internal)?
        .map_err(|error| Error::internal(error).context("HTTP server"))
}

/// The signals that ask a service to stop.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let on = |kind| signal(kind).map_err(|error| Error::internal(error).context("signals"));
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
