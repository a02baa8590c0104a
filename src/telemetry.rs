//! Logs and metrics.

use std::io::IsTerminal;
use std::time::Duration;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry,
    TextEncoder,
};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};
use crate::error::{Error, Result};
use crate::store::Db;

/// Media type of [`Metrics::render`].
pub const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

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
    let filter = filter(&log.level)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match log.format {
        LogFormat::Human => builder
            .with_ansi(std::io::stderr().is_terminal())
            .try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    }
    .map_err(|error| error.to_string())
}

/// Counters and histograms, read at `/metrics`.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
}

impl Metrics {
    /// The metrics of one service over one database.
    pub fn new(db: &Db) -> Result<Self> {
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
            registry.register(Box::new(DbCollector::new(db.clone())?))?;
            #[cfg(target_os = "linux")]
            registry.register(Box::new(
                prometheus::process_collector::ProcessCollector::for_self(),
            ))?;
            Ok(Self {
                registry,
                requests,
                durations,
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

    /// All metrics in the text format of Prometheus.
    pub fn render(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        TextEncoder::new()
            .encode(&self.registry.gather(), &mut out)
            .map_err(|error| Error::internal(error).context("metrics"))?;
        Ok(out)
    }
}

/// Reads the figures of the database threads when the metrics are asked for.
struct DbCollector {
    db: Db,
    descriptions: Vec<Desc>,
}

impl DbCollector {
    fn new(db: Db) -> prometheus::Result<Self> {
        let (waiting, statements) = Self::metrics()?;
        let descriptions = waiting
            .desc()
            .into_iter()
            .chain(statements.desc())
            .cloned()
            .collect();
        Ok(Self { db, descriptions })
    }

    fn metrics() -> prometheus::Result<(IntGaugeVec, IntCounter)> {
        Ok((
            IntGaugeVec::new(
                Opts::new(
                    "jianjian_db_queue",
                    "Requests that wait for a database thread.",
                ),
                &["threads"],
            )?,
            IntCounter::new(
                "jianjian_db_statements_total",
                "Statements sent to the database.",
            )?,
        ))
    }
}

impl Collector for DbCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Ok((waiting, statements)) = Self::metrics() else {
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
        families
    }
}
