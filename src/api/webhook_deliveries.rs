//! What was delivered to a subscription: the log, a test, and sending again.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use actix_web::web::Data;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Listing, PathId};
use super::json::RawBody;
use super::page::{Binding, CursorParams, Page};
use super::routes::{Access, Routes};
use super::webhooks::{READERS, WRITERS, record};
use crate::app::webhooks::{self as serving, WebhookMessage};
use crate::app::{Answer, App, Ctx};
use crate::enter;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{DeliveryId, EventId, WebhookId, kind};
use crate::store::events::Happening;
use crate::store::webhooks::{self, AttemptRow, DeliveryRow, WebhookRow};
use crate::webhooks::{DeliveryStatus, WebhookStatus};
use crate::workflow::input::NoInput;

/// A message and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDelivery {
    /// Identifier; the header `webhook-id` of every attempt.
    pub id: DeliveryId,
    /// The subscription.
    pub webhook_id: WebhookId,
    /// Name of the event, or `webhook.ping`.
    #[schema(max_length = 64, example = "proposal.filed")]
    pub event: String,
    /// The event; absent of a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub event_id: Option<EventId>,
    /// What became of it.
    pub status: DeliveryStatus,
    /// When it is tried next, at the earliest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, max_length = 40, nullable = false)]
    pub next_at: Option<Timestamp>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub created_at: Timestamp,
    /// The attempts, the last 20 of them.
    #[schema(max_items = 20)]
    pub attempts: Vec<WebhookAttempt>,
    /// What is sent: of one delivery that is read by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<WebhookMessage>, nullable = false)]
    pub message: Option<Value>,
}

/// An attempt to deliver a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookAttempt {
    /// Counted from 1.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub number: i32,
    /// When.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    #[schema(minimum = 0, maximum = 3_600_000)]
    pub duration_ms: i32,
    /// HTTP status of the answer, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 100, maximum = 999, nullable = false)]
    pub status: Option<i32>,
    /// Why it failed, with the beginning of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        max_length = 400,
        nullable = false,
        example = "answered 500: out of order"
    )]
    pub error: Option<String>,
}

/// Attempts that are shown.
const SHOWN: usize = 20;

impl WebhookDelivery {
    fn of(row: &DeliveryRow, attempts: Vec<AttemptRow>) -> Self {
        let skipped = attempts.len().saturating_sub(SHOWN);
        let attempts = attempts.into_iter().skip(skipped);
        Self {
            id: row.id,
            webhook_id: row.webhook_id,
            event: row.event.clone(),
            event_id: row.event_id,
            status: row.status,
            next_at: row.next_at.map(|at| at.0),
            created_at: row.created_at.0,
            attempts: attempts
                .map(|attempt| WebhookAttempt {
                    number: attempt.number,
                    at: attempt.at.0,
                    duration_ms: attempt.millis,
                    status: attempt.http_status,
                    error: attempt.error,
                })
                .collect(),
            message: None,
        }
    }
}

/// What the log is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryFilter {
    /// What became of them.
    #[param(required = false)]
    pub status: Option<DeliveryStatus>,
}

/// Which messages to send again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayFailed {
    /// Those that were created at or after this moment.
    #[schema(value_type = String, format = DateTime, max_length = 40, example = "2026-01-18T01:30:00Z")]
    pub since: Timestamp,
}

/// How many messages are on their way again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replayed {
    /// Their number.
    #[schema(minimum = 0, maximum = 2_147_483_647, example = 12)]
    pub replayed: usize,
}

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const READ: Access = Access::Roles(READERS);
    const WRITE: Access = Access::Roles(WRITERS);
    enter!(routes, WRITE, [__path_ping_webhook] ping_webhook);
    enter!(routes, READ, [__path_list_webhook_deliveries] list_webhook_deliveries);
    enter!(routes, WRITE, [__path_replay_failed_deliveries] replay_failed_deliveries);
    enter!(routes, READ, [__path_get_webhook_delivery] get_webhook_delivery);
    enter!(routes, WRITE, [__path_replay_webhook_delivery] replay_webhook_delivery);
}

/// Test a webhook
///
/// Sends a message of the type `webhook.ping`; read the delivery to learn what became of it.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{webhook_id}/actions/ping", tag = "webhooks",
    params(("webhook_id" = WebhookId, Path, description = "The subscription.")),
    request_body(content = NoInput, example = json!({})),
    responses((status = 201, description = "The message is on its way.", body = WebhookDelivery)),
)]
pub async fn ping_webhook(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    id: PathId<kind::Webhook>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let (act, base) = (ctx.clone(), app.sender.source.clone());
    app.write(&ctx, move |tx| {
        let hook = webhooks::lock(tx, act.committee(), id.0)?;
        body.parse::<NoInput>()?;
        act.if_match.check_part(hook.version)?;
        served(&hook)?;
        let delivery = serving::ping(tx, &base, act.committee(), id.0, act.now)?;
        record(
            tx,
            &act,
            id.0,
            happening("webhook.pinged", json!({ "delivery": delivery.id })),
        )?;
        let location = format!("/api/v1/webhook-deliveries/{}", delivery.id);
        let shown = WebhookDelivery::of(&delivery, Vec::new());
        Ok(Answer::created(&shown, location)?.tag(tag(&delivery)))
    })
    .await
}

/// List what was delivered
///
/// The messages of a subscription with their attempts, newest first. They are kept for 30 days.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{webhook_id}/deliveries", tag = "webhooks",
    params(("webhook_id" = WebhookId, Path, description = "The subscription."), DeliveryFilter, CursorParams),
    responses((status = 200, description = "A page of messages.", body = Page<WebhookDelivery>)),
)]
pub async fn list_webhook_deliveries(
    app: Data<App>,
    ctx: Ctx,
    id: PathId<kind::Webhook>,
    listing: Listing<DeliveryFilter>,
) -> Result<Answer> {
    let Listing { filter, page } = listing;
    let (committee, status) = (ctx.committee(), filter.status);
    let binding = Binding::new(&ctx, &(id.0, status));
    let before: Option<DeliveryId> = page
        .cursor
        .as_deref()
        .map(|cursor| binding.decode(cursor))
        .transpose()?;
    let limit = i64::try_from(page.limit.get() + 1).unwrap_or(i64::MAX);
    let (rows, attempts) = app
        .db
        .read("webhooks.deliveries", move |tx| {
            webhooks::find(tx, committee, id.0)?;
            let rows = webhooks::deliveries(tx, committee, id.0, status, before, limit)?;
            let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
            let attempts = webhooks::attempts(tx, committee, &ids)?;
            Ok((rows, attempts))
        })
        .await?;
    let mut of: BTreeMap<DeliveryId, Vec<AttemptRow>> = BTreeMap::new();
    for attempt in attempts {
        of.entry(attempt.delivery_id).or_default().push(attempt);
    }
    let page = binding
        .page(rows, page.limit, |row| row.id)?
        .map(|row| WebhookDelivery::of(&row, of.remove(&row.id).unwrap_or_default()));
    Answer::ok(&page)
}

/// Send again what failed
///
/// Every message of the subscription that was given up and was created since a moment begins its
/// schedule anew, under its own `webhook-id`.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{webhook_id}/actions/replay-failed", tag = "webhooks",
    params(("webhook_id" = WebhookId, Path, description = "The subscription.")),
    request_body(content = ReplayFailed, example = json!({ "since": "2026-01-18T01:30:00Z" })),
    responses((status = 200, description = "They are on their way.", body = Replayed)),
)]
pub async fn replay_failed_deliveries(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    id: PathId<kind::Webhook>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let hook = webhooks::lock(tx, act.committee(), id.0)?;
        let wanted: ReplayFailed = body.parse()?;
        act.if_match.check_part(hook.version)?;
        served(&hook)?;
        let (committee, since) = (act.committee(), wanted.since);
        let replayed = webhooks::replay_failed(tx, committee, id.0, since, act.now)?;
        if replayed > 0 {
            webhooks::want(tx, committee, id.0, act.now)?;
            let content = json!({ "since": since, "replayed": replayed });
            record(tx, &act, id.0, happening("webhook.replayed", content))?;
        }
        Answer::ok(&Replayed { replayed })
    })
    .await
}

/// Read a delivery
///
/// One message with its attempts and what is sent.
#[utoipa::path(
    get, path = "/api/v1/webhook-deliveries/{delivery_id}", tag = "webhooks",
    params(("delivery_id" = DeliveryId, Path, description = "The delivery.")),
    responses((status = 200, description = "The delivery.", body = WebhookDelivery)),
)]
pub async fn get_webhook_delivery(
    app: Data<App>,
    ctx: Ctx,
    id: PathId<kind::Delivery>,
) -> Result<Answer> {
    let committee = ctx.committee();
    let (row, attempts) = app
        .db
        .read("webhooks.delivery", move |tx| {
            let row = webhooks::delivery(tx, committee, id.0)?;
            let attempts = webhooks::attempts(tx, committee, &[id.0])?;
            Ok((row, attempts))
        })
        .await?;
    let mut shown = WebhookDelivery::of(&row, attempts);
    shown.message = serde_json::from_str(&row.body).ok();
    Ok(Answer::ok(&shown)?.tag(tag(&row)))
}

/// Send a message again
///
/// Whatever became of it: it begins its schedule anew, under its own `webhook-id`.
#[utoipa::path(
    post, path = "/api/v1/webhook-deliveries/{delivery_id}/actions/replay", tag = "webhooks",
    params(("delivery_id" = DeliveryId, Path, description = "The delivery.")),
    request_body(content = NoInput, example = json!({})),
    responses((status = 200, description = "It is on its way.", body = WebhookDelivery)),
)]
pub async fn replay_webhook_delivery(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    id: PathId<kind::Delivery>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let committee = act.committee();
        let found = webhooks::delivery(tx, committee, id.0)?;
        // Whoever serves the subscription takes the same row first.
        let hook = webhooks::lock(tx, committee, found.webhook_id)?;
        let found = webhooks::delivery(tx, committee, id.0)?;
        body.parse::<NoInput>()?;
        act.if_match.check_part(found.attempts + 1)?;
        served(&hook)?;
        webhooks::replay(tx, &found, act.now)?;
        webhooks::want(tx, committee, hook.id, act.now)?;
        record(
            tx,
            &act,
            hook.id,
            happening("webhook.replayed", json!({ "delivery": found.id })),
        )?;
        let found = webhooks::delivery(tx, committee, id.0)?;
        let attempts = webhooks::attempts(tx, committee, &[id.0])?;
        Ok(Answer::ok(&WebhookDelivery::of(&found, attempts))?.tag(tag(&found)))
    })
    .await
}

/// The attempts are the versions of a delivery; what is to come of it changes besides.
fn tag(row: &DeliveryRow) -> String {
    let next = row.next_at.map_or(0, |at| at.0.as_millisecond());
    format!("{}.{}-{next}", row.attempts + 1, row.status)
}

fn served(hook: &WebhookRow) -> Result<()> {
    if hook.status == WebhookStatus::Active {
        return Ok(());
    }
    let detail = Message::new("该订阅未启用。", "The subscription is not active.");
    Err(Error::new(Code::StateConflict)
        .detail(detail)
        .with("current_status", hook.status)
        .with("allowed_from", [WebhookStatus::Active]))
}

fn happening(name: &str, content: Value) -> Happening {
    Happening {
        name: name.to_owned(),
        rule: None,
        content,
    }
}
