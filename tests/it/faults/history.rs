//! What clients of a run sent and what they were answered, one JSON line for each, written before
//! the request leaves and after its answer has come.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Line {
    /// A request is about to be sent for the first time. Repetitions have the same key.
    Sent {
        /// Its Idempotency-Key, which no other request has.
        key: String,
        /// The account that sends it, as bare digits.
        actor: String,
        /// The case it is about, as bare digits; empty where it makes one.
        case: String,
        /// Method and path.
        request: String,
        /// The version in If-Match; empty without.
        if_match: String,
    },
    /// An answer that says what became of it.
    Answered {
        /// Of which request.
        key: String,
        /// HTTP status.
        status: u16,
        /// `id` of the body, as bare digits.
        id: String,
        /// X-Request-Id, as bare digits.
        request_id: String,
        /// The answer to an earlier sending.
        replayed: bool,
    },
    /// No answer, or one that does not say whether it happened.
    Unknown {
        /// Of which request.
        key: String,
        /// Status, or words of the client.
        why: String,
    },
}

/// The file of a run, open for writing.
pub struct Recorder {
    path: PathBuf,
    file: Mutex<File>,
}

impl Recorder {
    /// A new file in a directory.
    pub fn create(directory: &Path) -> Self {
        let path = directory.join("history.jsonl");
        let file = File::create(&path).expect("a file for the history");
        Self {
            path,
            file: Mutex::new(file),
        }
    }

    /// Writes a line.
    pub fn write(&self, line: &Line) {
        let mut text = serde_json::to_vec(line).expect("a line as JSON");
        text.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&text).expect("to write the history");
    }

    /// What was written so far.
    pub fn read(&self) -> History {
        let file = File::open(&self.path).expect("the history");
        let mut history = History::default();
        for line in BufReader::new(file).lines() {
            let line = line.expect("a line of the history");
            history.take(serde_json::from_str(&line).expect("a line of the history"));
        }
        history
    }
}

/// A request with whatever is known of it.
#[derive(Debug, Clone, Default)]
pub struct Op {
    /// The account that sent it.
    pub actor: String,
    /// The case; that which it made, where it made one.
    pub case: String,
    /// Method and path.
    pub request: String,
    /// The version in If-Match.
    pub if_match: String,
    /// How often it was sent without learning what became of it.
    pub unknowns: usize,
    /// Answers that do not say what became of it, such as `500`.
    pub whys: Vec<String>,
    /// What became of it.
    pub answer: Option<Answered>,
}

/// What a client was told.
#[derive(Debug, Clone)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// X-Request-Id.
    pub request_id: String,
    /// The answer to an earlier sending.
    pub replayed: bool,
}

impl Op {
    /// Whether the client was told that it happened.
    pub fn acknowledged(&self) -> Option<&Answered> {
        let answer = self.answer.as_ref();
        answer.filter(|answer| (200..300).contains(&answer.status))
    }
}

/// All requests of a run by key.
#[derive(Debug, Clone, Default)]
pub struct History(pub BTreeMap<String, Op>);

impl History {
    fn take(&mut self, line: Line) {
        match line {
            Line::Sent {
                key,
                actor,
                case,
                request,
                if_match,
            } => {
                let op = self.0.entry(key).or_default();
                (op.actor, op.case, op.request, op.if_match) = (actor, case, request, if_match);
            }
            Line::Answered {
                key,
                status,
                id,
                request_id,
                replayed,
            } => {
                let op = self.0.entry(key).or_default();
                if op.case.is_empty() {
                    op.case = id;
                }
                op.answer = Some(Answered {
                    status,
                    request_id,
                    replayed,
                });
            }
            Line::Unknown { key, why } => {
                let op = self.0.entry(key).or_default();
                op.unknowns += 1;
                op.whys.push(why);
            }
        }
    }

    /// What clients were told that they did, by its name, and how often.
    pub fn acts(&self) -> BTreeMap<&str, usize> {
        let mut acts = BTreeMap::new();
        for op in self.0.values().filter(|op| op.acknowledged().is_some()) {
            let name = op.request.rsplit('/').next().unwrap_or_default();
            let name = if name.contains('_') { "edit" } else { name };
            *acts.entry(name).or_default() += 1;
        }
        acts
    }
}
