//! What the workers of this process have done, for its metrics.

use prometheus::{IntCounterVec, Opts};

use super::kind::JobKind;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its effect is there.
    Done,
    /// It will be tried again.
    Failed,
    /// It was given up.
    Dead,
}

/// Attempts by kind and outcome since the start of the process.
#[derive(Clone)]
pub struct Tally(IntCounterVec);

impl Tally {
    /// Nothing done yet.
    pub fn new() -> prometheus::Result<Self> {
        let options = Opts::new(
            "jianjian_jobs_total",
            "Attempts at jobs by this process, by how they ended.",
        );
        IntCounterVec::new(options, &["kind", "outcome"]).map(Self)
    }

    /// Counts an attempt.
    pub fn count(&self, kind: JobKind, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::Dead => "dead",
        };
        self.0.with_label_values(&[kind.as_str(), outcome]).inc();
    }

    /// The counters themselves.
    pub fn counters(&self) -> IntCounterVec {
        self.0.clone()
    }
}
