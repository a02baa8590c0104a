//! Serving subscriptions: what happened becomes messages, messages are sent, outcomes are kept.
//!
//! There is one job for each subscription, so that a receiver that hangs or fails delays no other:
//! it holds one place of the lane, for a bounded time, and after some failures it is left alone for
//! a while. Messages are sent outside of any transaction; an outcome is kept in a transaction of
//! its own, so a message whose outcome was lost is sent once more, under the same `webhook-id`.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::App;
use super::feed::{self, ThinEvent, Wanted};
use crate::error::{Code, Result};
use crate::ids::{CommitteeId, DeliveryId, EventId, WebhookId};
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::store::jobs::{self, Claim};
use crate::store::webhooks::{self as store, DeliveryRow, WebhookRow};
use crate::store::{Tx, feed as feed_store};
use crate::webhooks::{DeliveryStatus, Message, Outcome, Secret, WebhookStatus};
use crate::workflow::role::{Actor, Grant};

/// Messages of one subscription that are sent at the same time.
const AT_ONCE: usize = 4;
/// Rounds in which a subscription is served before others have their turn …
const ROUNDS: usize = 25;
/// … and the time after which no further one begins.
const TURN: Duration = Duration::from_secs(10);
/// Events that become messages in one transaction.
const CHUNK: usize = 100;
/// Failures one after the other, after which a receiver is left alone for a while.
const PATIENCE: i32 = 5;
/// How long it is left alone first, in seconds; twice as long after each further failure.
const HOLD: i64 = 60;
/// How long at most, in seconds.
const LONGEST_HOLD: i64 = 3600;
/// A message that was held back so long is given up.
const GIVE_UP: SignedDuration = SignedDuration::from_hours(72);
/// Pauses after the first, second … failed attempt, in seconds.
pub const SCHEDULE: [i64; 7] = [5, 300, 1800, 7200, 18_000, 36_000, 36_000];

/// Name of the message that a test sends.
pub const PING: &str = "webhook.ping";

/// What a webhook delivers: an event without texts, with the attributes of `CloudEvents` 1.0.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookMessage {
    /// Version of the specification.
    #[schema(max_length = 5, pattern = r"^1\.0$", example = "1.0")]
    pub specversion: &'static str,
    /// Identifier of the event; of the delivery, where it is a test.
    #[schema(max_length = 64, example = "evnt_019a1b2c3d4e7f8090a1b2c3d4e5f607")]
    pub id: String,
    /// The committee of the service that it comes from.
    #[schema(
        format = "uri-reference",
        max_length = 500,
        example = "https://tian.example.cn/api/v1/committees/cmte_019a1b2c3d4e7f8090a1b2c3d4e5f607"
    )]
    pub source: String,
    /// Name of the event, or `webhook.ping`.
    #[serde(rename = "type")]
    #[schema(max_length = 64, example = "proposal.filed")]
    pub kind: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 64,
        example = "prop_019a1b2c3d4e7f8090a1b2c3d4e5f607"
    )]
    pub subject: Option<String>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub time: Timestamp,
    /// Form of `data`.
    #[schema(
        max_length = 40,
        pattern = "^application/json$",
        example = "application/json"
    )]
    pub datacontenttype: &'static str,
    /// The event; absent in a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub data: Option<ThinEvent>,
}

fn body(message: &WebhookMessage) -> Result<String> {
    serde_json::to_string(message).map_err(crate::error::Error::internal)
}

fn source(base: &str, committee: CommitteeId) -> String {
    format!("{base}/api/v1/committees/{committee}")
}

/// Somebody with nothing but one role.
pub fn reader(grant: Grant) -> Actor {
    Actor {
        user: None,
        name: "webhook".to_owned(),
        member: None,
        grants: vec![grant],
    }
}

/// Puts a test message on its way; gives it.
pub fn ping(
    tx: &mut Tx<'_>,
    base: &str,
    committee: CommitteeId,
    webhook: WebhookId,
    now: Timestamp,
) -> Result<DeliveryRow> {
    let id = DeliveryId::new(now);
    let message = WebhookMessage {
        specversion: "1.0",
        id: id.to_string(),
        source: source(base, committee),
        kind: PING.to_owned(),
        subject: Some(webhook.to_string()),
        time: now,
        datacontenttype: "application/json",
        data: None,
    };
    store::add_delivery(
        tx,
        (committee, webhook),
        id,
        (PING, None),
        &body(&message)?,
        now,
    )?;
    store::want(tx, committee, webhook, now)?;
    store::delivery(tx, committee, id)
}

/// What a round begins with.
struct Round {
    hook: WebhookRow,
    due: Vec<DeliveryRow>,
    /// More of the feed has to become messages.
    more: bool,
}

impl App {
    /// Serves one subscription for a while, then says when it is to be served again.
    pub async fn serve_webhook(&self, claim: Claim) -> Result<()> {
        let committee = claim.job.committee_id;
        let id: WebhookId = claim
            .job
            .job_key
            .parse()
            .map_err(crate::error::Error::internal)?;
        let begun = Instant::now();
        for _ in 0..ROUNDS {
            if begun.elapsed() > TURN || *self.live.stopping().borrow() {
                break;
            }
            let Some(round) = self.begin_round(&claim, committee, id).await? else {
                break;
            };
            if round.due.is_empty() {
                if round.more {
                    continue;
                }
                break;
            }
            let secrets = self.secrets(&round.hook)?;
            let at = self.clock.now().as_second();
            let messages: Vec<_> = round
                .due
                .iter()
                .map(|delivery| Message {
                    url: round.hook.url.clone(),
                    id: delivery.id.to_string(),
                    at,
                    body: delivery.body.clone(),
                    secrets: secrets.clone(),
                })
                .collect();
            let outcomes = join_all(messages.iter().map(|message| self.sender.send(message))).await;
            let sent: Vec<_> = round.due.into_iter().zip(outcomes).collect();
            self.keep(&claim, (committee, id), sent).await?;
        }
        let now = self.clock.now();
        self.db
            .write("webhooks.rest", move |tx| {
                rest(tx, &claim, committee, id, now)
            })
            .await
    }

    fn secrets(&self, hook: &WebhookRow) -> Result<Vec<Secret>> {
        let now = self.clock.now();
        let owner = hook.id.to_string();
        let old = hook
            .old_secret
            .as_ref()
            .filter(|_| hook.old_secret_until.is_some_and(|until| until.0 > now));
        std::iter::once(&hook.secret)
            .chain(old)
            .map(|kept| self.sender.keeper.read(kept, &owner).map(Secret::kept))
            .collect()
    }

    async fn begin_round(
        &self,
        claim: &Claim,
        committee: CommitteeId,
        id: WebhookId,
    ) -> Result<Option<Round>> {
        let (claim, now, lease) = (claim.clone(), self.clock.now(), self.lease);
        let base = self.sender.source.clone();
        self.db
            .write("webhooks.round", move |tx| {
                let Some(mut hook) = held(tx, (&claim, lease), committee, id, now)? else {
                    return Ok(None);
                };
                if hook.status != WebhookStatus::Active {
                    return Ok(None);
                }
                let more = fan_out(tx, &mut hook, &base, now)?;
                let held = hook.held_until.is_some_and(|until| until.0 > now);
                // A receiver that failed again and again is tried with one message first.
                let limit = if hook.failures >= PATIENCE {
                    1
                } else {
                    AT_ONCE
                };
                let due = if held {
                    Vec::new()
                } else {
                    store::due(tx, committee, id, now, i64::try_from(limit).unwrap_or(1))?
                };
                Ok(Some(Round { hook, due, more }))
            })
            .await
    }

    async fn keep(
        &self,
        claim: &Claim,
        (committee, id): (CommitteeId, WebhookId),
        sent: Vec<(DeliveryRow, Outcome)>,
    ) -> Result<()> {
        let (claim, now, lease) = (claim.clone(), self.clock.now(), self.lease);
        self.db
            .write("webhooks.keep", move |tx| {
                // Removed while a message was on its way?
                let Some(mut hook) = held(tx, (&claim, lease), committee, id, now)? else {
                    return Ok(());
                };
                for (delivery, outcome) in &sent {
                    // Put on its way again while it was under way, or removed: its own row says.
                    let Ok(present) = store::delivery(tx, committee, delivery.id) else {
                        continue;
                    };
                    let verdict = judge(&mut hook, &present, outcome, now);
                    store::record(tx, &present, outcome, verdict, now)?;
                }
                store::update(tx, &hook)?;
                if hook.status == WebhookStatus::Disabled && hook.disabled_reason.is_some() {
                    store::give_up(tx, committee, id, Timestamp::MAX)?;
                    let stream = Stream::of(committee, "webhook", id);
                    let happening = Happening {
                        name: "webhook.disabled".to_owned(),
                        rule: None,
                        content: serde_json::json!({ "reason": hook.disabled_reason }),
                    };
                    events::append(tx, &stream, &Circumstances::system(now), happening)?;
                }
                Ok(())
            })
            .await
    }
}

/// The subscription, if it is still there; the lease begins anew. People who change the subscription
/// take the same rows in the same order.
fn held(
    tx: &mut Tx<'_>,
    (claim, lease): (&Claim, SignedDuration),
    committee: CommitteeId,
    id: WebhookId,
    now: Timestamp,
) -> Result<Option<WebhookRow>> {
    let hook = match store::lock(tx, committee, id) {
        Err(error) if error.code() == Code::NotFound => None,
        hook => Some(hook?),
    };
    jobs::hold(tx, claim, lease, now)?;
    Ok(hook)
}

/// Turns what happened since into messages; whether there is more.
fn fan_out(tx: &mut Tx<'_>, hook: &mut WebhookRow, base: &str, now: Timestamp) -> Result<bool> {
    let committee = hook.committee_id;
    let wanted = Wanted {
        names: hook.names()?,
        kinds: Vec::new(),
    };
    let reader = reader(hook.grant()?);
    let page = feed::page(tx, committee, &reader, hook.position, &wanted, CHUNK)?;
    if page.end == hook.position {
        return Ok(false);
    }
    for (_, event) in page.events {
        let event_id: EventId = event.id;
        let name = event.name.clone();
        let message = WebhookMessage {
            specversion: "1.0",
            id: event.id.to_string(),
            source: source(base, committee),
            kind: name.clone(),
            subject: Some(event.subject.id.clone()),
            time: event.at,
            datacontenttype: "application/json",
            data: Some(event),
        };
        let text = body(&message)?;
        let about = (name.as_str(), Some(event_id));
        store::add_delivery(
            tx,
            (committee, hook.id),
            DeliveryId::new(now),
            about,
            &text,
            now,
        )?;
    }
    hook.position = page.end;
    store::moved(tx, hook)?;
    Ok(page.more)
}

/// What an outcome means for the message and for the subscription.
fn judge(
    hook: &mut WebhookRow,
    delivery: &DeliveryRow,
    outcome: &Outcome,
    now: Timestamp,
) -> (DeliveryStatus, Option<Timestamp>) {
    if outcome.is_delivered() {
        hook.failures = 0;
        hook.held_until = None;
        hook.last_success_at = Some(now.into());
        return (DeliveryStatus::Delivered, None);
    }
    hook.failures = hook.failures.saturating_add(1);
    hook.last_failure_at = Some(now.into());
    if outcome.status == Some(410) {
        if hook.status == WebhookStatus::Active {
            hook.status = WebhookStatus::Disabled;
            hook.disabled_reason = Some("gone".to_owned());
            hook.version += 1;
        }
        return (DeliveryStatus::Failed, None);
    }
    let later = |seconds: i64| now + SignedDuration::from_secs(seconds);
    let asked = outcome
        .retry_after
        .map(|seconds| i64::try_from(seconds).unwrap_or(LONGEST_HOLD));
    // Who asks for a pause gets one, and so does who failed too often.
    let broken = (hook.failures >= PATIENCE).then(|| {
        let doublings = u32::try_from(hook.failures - PATIENCE).unwrap_or(0).min(10);
        (HOLD << doublings).min(LONGEST_HOLD)
    });
    if let Some(seconds) = asked.map(|asked| asked.min(LONGEST_HOLD)).max(broken) {
        let until = hook
            .held_until
            .map_or(later(seconds), |held| held.0.max(later(seconds)));
        hook.held_until = Some(until.into());
    }
    let Some(pause) = pause(delivery) else {
        return (DeliveryStatus::Failed, None);
    };
    let asked = SignedDuration::from_secs(asked.unwrap_or(0));
    (DeliveryStatus::Pending, Some(now + pause.max(asked)))
}

/// The pause after one more failed attempt, with a spread of a fifth; `None` after the last.
fn pause(delivery: &DeliveryRow) -> Option<SignedDuration> {
    let seconds = *SCHEDULE.get(usize::try_from(delivery.tries).ok()?)?;
    let spread = delivery.id.uuid().as_u64_pair().1 % 200;
    let extra = seconds * i64::try_from(spread).unwrap_or(0);
    Some(SignedDuration::from_millis(seconds * 1000 + extra))
}

/// The end of serving: when next, if at all.
fn rest(
    tx: &mut Tx<'_>,
    claim: &Claim,
    committee: CommitteeId,
    id: WebhookId,
    now: Timestamp,
) -> Result<()> {
    let Some(hook) = store::get(tx, committee, id)? else {
        return jobs::finish(tx, claim);
    };
    if hook.status != WebhookStatus::Active {
        return jobs::finish(tx, claim);
    }
    store::give_up(tx, committee, id, now - GIVE_UP)?;
    store::sweep(tx, committee, id, now)?;
    let due = store::next_due(tx, committee, id)?;
    let held = hook.held_until.map(|held| held.0);
    let next = due.map(|due| held.map_or(due, |held| due.max(held)));
    let behind = feed_store::end(tx, committee)? > hook.position;
    match (behind, next) {
        (true, _) => jobs::again(tx, claim, &serde_json::Value::Null, now),
        (false, Some(next)) => jobs::again(tx, claim, &serde_json::Value::Null, next.max(now)),
        (false, None) => jobs::finish(tx, claim),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_tried_eight_times_at_growing_pauses() {
        let now = Timestamp::UNIX_EPOCH;
        let mut delivery = DeliveryRow {
            committee_id: CommitteeId::new(now),
            id: DeliveryId::new(now),
            webhook_id: WebhookId::new(now),
            event: PING.to_owned(),
            event_id: None,
            body: String::new(),
            status: DeliveryStatus::Pending,
            attempts: 0,
            tries: 0,
            next_at: None,
            sent_at: now.into(),
            created_at: now.into(),
        };
        for seconds in SCHEDULE {
            let pause = pause(&delivery).expect("one more");
            assert!(pause >= SignedDuration::from_secs(seconds));
            assert!(pause < SignedDuration::from_secs(seconds + seconds / 5 + 1));
            delivery.tries += 1;
        }
        assert_eq!(pause(&delivery), None);
    }
}
