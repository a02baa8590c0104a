//! One attempt to deliver a message.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use tokio::time::Instant;

use super::target::{Refusal, Targets};
use super::{Names, Secret, signature};
use crate::error::{Error, Result};
use crate::keep::Keeper;

/// Bytes of an answer that are looked at.
const LONGEST_ANSWER: usize = 64 * 1024;
/// Characters of an answer that are kept, of one that failed.
const EXCERPT: usize = 300;
/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest wish for a pause that is heard.
const LONGEST_PAUSE: u64 = 24 * 3600;

/// What the configuration says about webhooks.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Keeps secrets in the database.
    pub keeper: Keeper,
    /// For development: http, and addresses of this machine.
    pub insecure: bool,
    /// How long an attempt may take in all.
    pub timeout: Duration,
    /// Names whose addresses are known without asking: for tests.
    pub names: Names,
    /// Address of the service, which messages name as their source.
    pub source: String,
}

/// Sends messages.
#[derive(Debug, Clone)]
pub struct Sender {
    client: Client,
    timeout: Duration,
    /// Checks targets.
    pub targets: Targets,
    /// Keeps secrets.
    pub keeper: Keeper,
    /// Address of the service.
    pub source: String,
}

/// A message on its way.
#[derive(Debug, Clone)]
pub struct Message {
    /// Where it goes.
    pub url: String,
    /// `webhook-id`: the same on every attempt.
    pub id: String,
    /// `webhook-timestamp`: the moment of the attempt, in seconds.
    pub at: i64,
    /// The signed text.
    pub body: String,
    /// The present secret, and the one before while it counts.
    pub secrets: Vec<Secret>,
}

/// What became of an attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// HTTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why it failed, for people; the first of an answer that was no success.
    pub error: Option<String>,
    /// The pause that the receiver asks for, in seconds.
    pub retry_after: Option<u64>,
    /// How long it took, in milliseconds.
    pub millis: i32,
}

impl Outcome {
    /// Whether the receiver took it.
    pub fn is_delivered(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }
}

impl Sender {
    /// Made once for a process.
    pub fn new(settings: Settings) -> Result<Self> {
        let targets = Targets::new(settings.insecure, settings.names);
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(targets.clone()))
            .connect_timeout(CONNECT)
            .timeout(settings.timeout)
            // Each delivery resolves, checks and connects anew.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| Error::internal(error).context("the HTTP client"))?;
        Ok(Self {
            client,
            timeout: settings.timeout,
            targets,
            keeper: settings.keeper,
            source: settings.source,
        })
    }

    /// Sends a message once; whatever happens is an outcome.
    pub async fn send(&self, message: &Message) -> Outcome {
        let from = Instant::now();
        let attempt = tokio::time::timeout(self.timeout, self.attempt(message)).await;
        let mut outcome = attempt.unwrap_or_else(|_| failed("no answer in time"));
        outcome.millis = i32::try_from(from.elapsed().as_millis()).unwrap_or(i32::MAX);
        outcome
    }

    async fn attempt(&self, message: &Message) -> Outcome {
        // An address in place of a name is not asked for, so it is checked here.
        let url = match self.targets.parse(&message.url) {
            Ok(url) => url,
            Err(refusal) => return failed(refusal),
        };
        let signed = signature(&message.secrets, &message.id, message.at, &message.body);
        let headers = signed.ok().and_then(|signed| {
            Some((
                HeaderValue::from_str(&message.id).ok()?,
                HeaderValue::from_str(&signed).ok()?,
            ))
        });
        let Some((id, signed)) = headers else {
            return failed("the message cannot be signed");
        };
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/cloudevents+json; charset=utf-8")
            .header(USER_AGENT, concat!("jianjian/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", id)
            .header("webhook-timestamp", message.at)
            .header("webhook-signature", signed)
            .body(message.body.clone());
        match request.send().await {
            Ok(response) => answered(response).await,
            Err(error) => failed(words(&error)),
        }
    }
}

async fn answered(mut response: Response) -> Outcome {
    let status = response.status();
    let outcome = Outcome {
        status: Some(status.as_u16()),
        ..Outcome::default()
    };
    if status.is_success() {
        // What it says beyond that is nobody's business.
        return outcome;
    }
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok())
        .map(|seconds| seconds.min(LONGEST_PAUSE));
    let mut error = match status.as_u16() {
        300..=399 => "redirects are not followed".to_owned(),
        _ => format!("answered {}", status.as_u16()),
    };
    let start = start_of(&mut response).await;
    if !start.is_empty() {
        error.push_str(": ");
        error.push_str(&start);
    }
    Outcome {
        retry_after,
        error: Some(error),
        ..outcome
    }
}

/// The first characters of a body; no more of it is read than that takes.
async fn start_of(response: &mut Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < EXCERPT * 4 && bytes.len() < LONGEST_ANSWER {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    String::from_utf8_lossy(&bytes)
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(EXCERPT)
        .collect()
}

fn failed(why: impl std::fmt::Display) -> Outcome {
    Outcome {
        error: Some(why.to_string()),
        ..Outcome::default()
    }
}

/// What went wrong, without the address: names may hide what they resolve to.
fn words(error: &reqwest::Error) -> String {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = source {
        if let Some(refusal) = inner.downcast_ref::<Refusal>() {
            return refusal.to_string();
        }
        source = inner.source();
    }
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection, or no trust in the certificate"
    } else {
        "the answer is not HTTP, or broke off"
    };
    what.to_owned()
}
