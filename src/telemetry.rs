//! Logs and metrics.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{
    Encoder, Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry, TextEncoder,
};
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::app::App;
use crate::config::{Log, LogFormat};
use crate::error::{Error, Result};
use crate::store::Db;
use crate::store::jobs::{self, Standing};

/// Media type of [`Metrics::render`].
pub const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The queue of jobs is counted at most this often, however often the metrics are asked for.
const REST: Duration = Duration::from_secs(5);
/// How long the metrics wait for that count.
const PATIENCE: Duration = Duration::from_secs(2);

/// Upper bounds of the histogram of response times, in seconds.
const BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The filter of a log level such as `info,jianjian::store=debug`.
pub fn filter(level: &str) -> Result<EnvFilter, String> {
    EnvFilter::builder()
        .parse(level)
        .map_err(|error| error.to_string())
}

/// Starts the log, on standard error. Only the program calls it, once; tests stay quiet.
pub fn start_log(log: &Log) -> Result<(), String> {
    subscriber(log, std::io::stderr)?
        .try_init()
        .map_err(|error| error.to_string())
}

/// What writes the log to `writer`. Without colours, even on a terminal: those of values that
/// strangers send could not be told from those of the log.
fn subscriber<W: Write>(
    log: &Log,
    writer: impl Fn() -> W + Send + Sync + 'static,
) -> Result<Box<dyn Subscriber + Send + Sync>, String> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(&log.level)?)
        .with_ansi(false)
        .with_writer(move || OneLine(writer()));
    Ok(match log.format {
        LogFormat::Human => Box::new(builder.finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    })
}

/// Writes each entry as one line, so that what strangers send can neither begin another nor speak
/// to a terminal: control characters and line separators are written as `\u000a`, which JSON
/// reads, too.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    /// An entry, which comes whole, with the end of its line.
    fn write(&mut self, entry: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(entry);
        let (text, end) = text
            .strip_suffix('\n')
            .map_or((&*text, ""), |text| (text, "\n"));
        let mut line = String::with_capacity(entry.len() + 1);
        for char in text.chars() {
            if char.is_control() || matches!(char, '\u{2028}' | '\u{2029}') {
                let escaped = format!("\\u{:04x}", u32::from(char));
                line.push_str(&escaped);
            } else {
                line.push(char);
            }
        }
        line.push_str(end);
        self.0.write_all(line.as_bytes())?;
        Ok(entry.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Counters and histograms, read at `/metrics`.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    work: Work,
}

impl Metrics {
    /// The metrics of one service over one database.
    pub fn new(app: &App) -> Result<Self> {
        let build = || {
            let requests = IntCounterVec::new(
                Opts::new("jianjian_http_requests_total", "Answered requests."),
                &["operation", "status"],
            )?;
            let durations = HistogramVec::new(
                HistogramOpts::new(
                    "jianjian_http_request_duration_seconds",
                    "Time from the head of a request to the head of its answer.",
                )
                .buckets(BUCKETS.to_vec()),
                &["operation", "status_class"],
            )?;
            let info = IntGaugeVec::new(
                Opts::new("jianjian_build_info", "Version of the program; always 1."),
                &["version"],
            )?;
            info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
            let registry = Registry::new();
            registry.register(Box::new(requests.clone()))?;
            registry.register(Box::new(durations.clone()))?;
            registry.register(Box::new(info))?;
            registry.register(Box::new(DbCollector::new(app.db.clone())?))?;
            registry.register(Box::new(app.tally.counters()))?;
            let work = Work::new(&registry)?;
            #[cfg(target_os = "linux")]
            registry.register(Box::new(
                prometheus::process_collector::ProcessCollector::for_self(),
            ))?;
            Ok(Self {
                registry,
                requests,
                durations,
                work,
            })
        };
        build().map_err(|error: prometheus::Error| Error::internal(error).context("metrics"))
    }

    /// Records one answered request.
    pub fn observe(&self, operation: &str, status: u16, elapsed: Duration) {
        self.requests
            .with_label_values(&[operation, &status.to_string()])
            .inc();
        let class = match status / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        self.durations
            .with_label_values(&[operation, class])
            .observe(elapsed.as_secs_f64());
    }

    /// Reads how the queue of jobs and the outbox stand, unless that was read just now. Where the
    /// database does not answer soon, the figures stay as they were.
    pub async fn look(&self, app: &App) {
        if !self.work.is_old() {
            return;
        }
        let now = app.clock.now();
        let read = app
            .db
            .read("metrics.jobs", move |tx| jobs::standing(tx, now));
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(Ok(standing)) => self.work.show(&standing, now),
            Ok(Err(error)) => tracing::debug!(%error, "the jobs were not counted"),
            Err(_) => tracing::debug!("the jobs were not counted in time"),
        }
    }

    /// All metrics in the text format of Prometheus.
    pub fn render(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        TextEncoder::new()
            .encode(&self.registry.gather(), &mut out)
            .map_err(|error| Error::internal(error).context("metrics"))?;
        Ok(out)
    }
}

/// How the queue of jobs and the outbox stand.
struct Work {
    read_at: Mutex<Option<Instant>>,
    jobs: IntGaugeVec,
    due_age: Gauge,
    outbox: IntGauge,
    outbox_age: Gauge,
}

impl Work {
    fn new(registry: &Registry) -> prometheus::Result<Self> {
        let work = Self {
            read_at: Mutex::new(None),
            jobs: IntGaugeVec::new(
                Opts::new(
                    "jianjian_jobs",
                    "Jobs of the installation by kind and state: waiting, running, dead.",
                ),
                &["kind", "state"],
            )?,
            due_age: Gauge::new(
                "jianjian_jobs_due_age_seconds",
                "How long the longest due job waits for a worker; 0 if none is due.",
            )?,
            outbox: IntGauge::new(
                "jianjian_outbox",
                "Acts whose events wait to be published in the feed.",
            )?,
            outbox_age: Gauge::new(
                "jianjian_outbox_age_seconds",
                "How long the oldest of them waits; 0 if none does.",
            )?,
        };
        registry.register(Box::new(work.jobs.clone()))?;
        registry.register(Box::new(work.due_age.clone()))?;
        registry.register(Box::new(work.outbox.clone()))?;
        registry.register(Box::new(work.outbox_age.clone()))?;
        Ok(work)
    }

    /// Whether the figures may be read anew; whoever asks next in the meantime hears no.
    fn is_old(&self) -> bool {
        let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        let old = read_at.is_none_or(|at| at.elapsed() >= REST);
        if old {
            *read_at = Some(Instant::now());
        }
        old
    }

    fn show(&self, standing: &Standing, now: Timestamp) {
        let age = |since: Option<Timestamp>| {
            since.map_or(0.0, |since| {
                now.duration_since(since).as_secs_f64().max(0.0)
            })
        };
        for (kind, counts) in &standing.jobs {
            for (state, count) in ["waiting", "running", "dead"].iter().zip(counts) {
                self.jobs
                    .with_label_values(&[kind.as_str(), state])
                    .set(*count);
            }
        }
        self.due_age.set(age(standing.due_since));
        self.outbox.set(standing.outbox);
        self.outbox_age.set(age(standing.outbox_since));
    }
}

/// Reads the figures of the database threads when the metrics are asked for.
struct DbCollector {
    db: Db,
    descriptions: Vec<Desc>,
}

impl DbCollector {
    fn new(db: Db) -> prometheus::Result<Self> {
        let DbFigures {
            waiting,
            statements,
            free,
            read_only,
        } = DbFigures::new()?;
        let descriptions = waiting
            .desc()
            .into_iter()
            .chain(statements.desc())
            .chain(free.desc())
            .chain(read_only.desc())
            .cloned()
            .collect();
        Ok(Self { db, descriptions })
    }
}

/// The figures of the database, as they are made for one reading.
struct DbFigures {
    waiting: IntGaugeVec,
    statements: IntCounter,
    free: Gauge,
    read_only: IntGauge,
}

impl DbFigures {
    fn new() -> prometheus::Result<Self> {
        Ok(Self {
            waiting: IntGaugeVec::new(
                Opts::new(
                    "jianjian_db_queue",
                    "Requests that wait for a database thread.",
                ),
                &["threads"],
            )?,
            statements: IntCounter::new(
                "jianjian_db_statements_total",
                "Statements sent to the database.",
            )?,
            free: Gauge::new(
                "jianjian_db_free_bytes",
                "Room that is left for the database; absent where it is not measured.",
            )?,
            read_only: IntGauge::new(
                "jianjian_db_read_only",
                "1 while little room is left and writes are refused, else 0.",
            )?,
        })
    }
}

impl Collector for DbCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Ok(DbFigures {
            waiting,
            statements,
            free,
            read_only,
        }) = DbFigures::new()
        else {
            return Vec::new();
        };
        let (reads, writes) = self.db.waiting();
        for (threads, count) in [("read", reads), ("write", writes)] {
            waiting
                .with_label_values(&[threads])
                .set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        statements.inc_by(self.db.statements());
        let mut families = waiting.collect();
        families.extend(statements.collect());
        let room = self.db.room();
        read_only.set(room.is_low().into());
        families.extend(read_only.collect());
        if let Some(bytes) = room.free() {
            #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
            free.set(bytes as f64);
            families.extend(free.collect());
        }
        families
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, entry: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("the log").write(entry)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// A line of the own, colours, C1 control characters, a line separator.
    const HOSTILE: &str =
        "a\n2026-01-01T00:00:00Z ERROR forged\r\u{1b}[2K\u{9b}31m\u{85}b\u{2028}c\0灯";

    /// What is logged of it in every way there is.
    fn logged(format: LogFormat) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let log = Log {
            format,
            level: "info".to_owned(),
        };
        let subscriber = subscriber(&log, move || writer.clone()).expect("a level");
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("request", path = HOSTILE, shown = %HOSTILE);
            let _entered = span.enter();
            tracing::info!(text = HOSTILE, shown = %HOSTILE, debug = ?HOSTILE, "one {HOSTILE}");
            let error = Error::internal(HOSTILE).context(HOSTILE);
            tracing::error!(%error, context = error.log_context(), "two");
        });
        let bytes = kept.0.lock().expect("the log").clone();
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn what_strangers_send_cannot_forge_lines_of_the_log() {
        for format in [LogFormat::Human, LogFormat::Json] {
            let text = logged(format);
            assert_eq!(text.matches('\n').count(), 2, "{text:?}");
            assert!(text.contains('灯'), "{text:?}");
            let is_wild = |char: char| char.is_control() || char == '\u{2028}';
            assert!(text.lines().all(|line| !line.contains(is_wild)), "{text:?}");
            if format == LogFormat::Json {
                let line = text.lines().next().expect("a line");
                let entry: serde_json::Value = serde_json::from_str(line).expect("JSON");
                assert_eq!(entry["text"], HOSTILE);
            }
        }
    }
}
