//! Subscriptions to what happens, and what was delivered to them.

use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

use super::Tx;
use super::connection::MultiBackend;
use super::jobs::{self, Wanted};
use super::organisations::OrganisationFields;
use super::prepared::Prepare;
use super::register::referred;
use super::run::Run;
use super::schema::{webhook_attempts, webhook_deliveries, webhooks};
use super::sql_types::{At, Json};
use super::units::UnitFields;
use crate::app::Ctx;
use crate::error::{Code, Error, Result};
use crate::ids::{CommitteeId, DeliveryId, EventId, WebhookId};
use crate::jobs::kind::JobKind;
use crate::webhooks::{DeliveryStatus, Outcome, WebhookStatus};
use crate::workflow::role::Grant;

/// How long finished deliveries are kept.
pub const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Old deliveries removed at once.
const SWEEP: i64 = 200;

/// A subscription.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = webhooks)]
pub struct WebhookRow {
    /// The tenant.
    pub committee_id: CommitteeId,
    /// Identifier.
    pub id: WebhookId,
    /// Where messages go.
    pub url: String,
    /// Names of events and beginnings of names.
    pub events: Json,
    /// What it is for.
    pub description: String,
    /// Through whose eyes it looks.
    pub reads_as: Json,
    /// Whether it is served.
    pub status: WebhookStatus,
    /// Why the service disabled it.
    pub disabled_reason: Option<String>,
    /// The secret as it is kept.
    pub secret: String,
    /// The secret before.
    pub old_secret: Option<String>,
    /// Until when that one counts.
    pub old_secret_until: Option<At>,
    /// Up to here the feed was turned into deliveries.
    pub position: i64,
    /// Attempts that failed one after the other.
    pub failures: i32,
    /// No attempts before.
    pub held_until: Option<At>,
    /// When an attempt last succeeded.
    pub last_success_at: Option<At>,
    /// When an attempt last failed.
    pub last_failure_at: Option<At>,
    /// Version of what people set.
    pub version: i32,
    /// When it was created.
    pub created_at: At,
    /// When it was last changed by people.
    pub updated_at: At,
}

impl WebhookRow {
    /// The names of events.
    pub fn names(&self) -> Result<Vec<String>> {
        self.events.clone().to()
    }

    /// Through whose eyes it looks.
    pub fn grant(&self) -> Result<Grant> {
        self.reads_as.clone().to()
    }
}

fn columns() -> <WebhookRow as Selectable<MultiBackend>>::SelectExpression {
    <WebhookRow as Selectable<MultiBackend>>::construct_selection()
}

/// Subscriptions behind `after`, oldest first.
pub fn list(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    after: Option<WebhookId>,
    limit: i64,
) -> Result<Vec<WebhookRow>> {
    let mut query = webhooks::table
        .filter(webhooks::committee_id.eq(committee))
        .order(webhooks::id.asc())
        .limit(limit)
        .select(columns())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(webhooks::id.gt(after));
    }
    Ok(query.load(tx.conn)?)
}

/// How many subscriptions a committee has.
pub fn count(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<i64> {
    Ok(webhooks::table
        .filter(webhooks::committee_id.eq(committee))
        .count()
        .row(tx.conn)?)
}

/// One subscription, or 404.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, id: WebhookId) -> Result<WebhookRow> {
    get(tx, committee, id)?.ok_or_else(Error::not_found)
}

/// One subscription, if it is still there.
pub fn get(tx: &mut Tx<'_>, committee: CommitteeId, id: WebhookId) -> Result<Option<WebhookRow>> {
    Ok(webhooks::table
        .find((committee, id))
        .select(columns())
        .first_row(tx.conn)
        .optional()?)
}

/// Whether the unit or organisation that a reader is narrowed to is there.
pub fn check_reader(tx: &mut Tx<'_>, ctx: &Ctx, reader: Grant) -> Result<()> {
    if let Some(unit) = reader.unit_id {
        referred::<UnitFields>(tx, ctx, unit, "/reads_as/unit_id", |_| true)?;
    }
    if let Some(organisation) = reader.organisation_id {
        let pointer = "/reads_as/organisation_id";
        referred::<OrganisationFields>(tx, ctx, organisation, pointer, |_| true)?;
    }
    Ok(())
}

/// Takes the row for this transaction and reads it, or 404.
pub fn lock(tx: &mut Tx<'_>, committee: CommitteeId, id: WebhookId) -> Result<WebhookRow> {
    diesel::update(webhooks::table.find((committee, id)))
        .set(webhooks::version.eq(webhooks::version))
        .prepared()
        .run(tx.conn)?;
    find(tx, committee, id)
}

/// Adds a subscription.
pub fn insert(tx: &mut Tx<'_>, row: &WebhookRow) -> Result<()> {
    diesel::insert_into(webhooks::table)
        .values((
            (
                webhooks::committee_id.eq(row.committee_id),
                webhooks::id.eq(row.id),
                webhooks::url.eq(&row.url),
                webhooks::events.eq(row.events.clone()),
                webhooks::description.eq(&row.description),
                webhooks::reads_as.eq(row.reads_as.clone()),
                webhooks::status.eq(row.status),
                webhooks::secret.eq(&row.secret),
            ),
            (
                webhooks::position.eq(row.position),
                webhooks::failures.eq(row.failures),
                webhooks::version.eq(row.version),
                webhooks::created_at.eq(row.created_at),
                webhooks::updated_at.eq(row.updated_at),
            ),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Stores everything of a locked row.
pub fn update(tx: &mut Tx<'_>, row: &WebhookRow) -> Result<()> {
    diesel::update(webhooks::table.find((row.committee_id, row.id)))
        .set((
            (
                webhooks::url.eq(&row.url),
                webhooks::events.eq(row.events.clone()),
                webhooks::description.eq(&row.description),
                webhooks::reads_as.eq(row.reads_as.clone()),
                webhooks::status.eq(row.status),
                webhooks::disabled_reason.eq(&row.disabled_reason),
                webhooks::secret.eq(&row.secret),
                webhooks::old_secret.eq(&row.old_secret),
                webhooks::old_secret_until.eq(row.old_secret_until),
            ),
            (
                webhooks::position.eq(row.position),
                webhooks::failures.eq(row.failures),
                webhooks::held_until.eq(row.held_until),
                webhooks::last_success_at.eq(row.last_success_at),
                webhooks::last_failure_at.eq(row.last_failure_at),
                webhooks::version.eq(row.version),
                webhooks::updated_at.eq(row.updated_at),
            ),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Stores how far the feed was turned into messages.
pub fn moved(tx: &mut Tx<'_>, row: &WebhookRow) -> Result<()> {
    diesel::update(webhooks::table.find((row.committee_id, row.id)))
        .set(webhooks::position.eq(row.position))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Removes a subscription with everything that was delivered to it.
pub fn delete(tx: &mut Tx<'_>, committee: CommitteeId, id: WebhookId) -> Result<()> {
    let own = webhook_deliveries::table
        .filter(webhook_deliveries::committee_id.eq(committee))
        .filter(webhook_deliveries::webhook_id.eq(id))
        .select(webhook_deliveries::id);
    diesel::delete(webhook_attempts::table)
        .filter(webhook_attempts::committee_id.eq(committee))
        .filter(webhook_attempts::delivery_id.eq_any(own))
        .run(tx.conn)?;
    diesel::delete(webhook_deliveries::table)
        .filter(webhook_deliveries::committee_id.eq(committee))
        .filter(webhook_deliveries::webhook_id.eq(id))
        .run(tx.conn)?;
    diesel::delete(webhooks::table.find((committee, id))).run(tx.conn)?;
    Ok(())
}

/// The feed of a committee has grown: every active subscription is to be served. The one thing
/// that publishing an act costs for webhooks.
pub fn feed_grew(tx: &mut Tx<'_>, committee: CommitteeId, now: Timestamp) -> Result<()> {
    let active: Vec<WebhookId> = webhooks::table
        .filter(webhooks::committee_id.eq(committee))
        .filter(webhooks::status.eq(WebhookStatus::Active))
        .order(webhooks::id.asc())
        .select(webhooks::id)
        .rows(tx.conn)?;
    active
        .into_iter()
        .try_for_each(|id| want(tx, committee, id, now))
}

/// A subscription is to be served at once.
pub fn want(tx: &mut Tx<'_>, committee: CommitteeId, id: WebhookId, now: Timestamp) -> Result<()> {
    let wanted = Wanted {
        committee,
        kind: JobKind::ServeWebhook,
        key: id.to_string(),
        payload: serde_json::Value::Null,
        at: now,
    };
    jobs::want(tx, &wanted, now)
}

/// A message for a subscription.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = webhook_deliveries)]
pub struct DeliveryRow {
    /// The tenant.
    pub committee_id: CommitteeId,
    /// Identifier; the `webhook-id` of every attempt.
    pub id: DeliveryId,
    /// The subscription.
    pub webhook_id: WebhookId,
    /// Name of the event.
    pub event: String,
    /// The event; `None` for a test.
    pub event_id: Option<EventId>,
    /// The message.
    pub body: String,
    /// What became of it.
    pub status: DeliveryStatus,
    /// Attempts so far.
    pub attempts: i32,
    /// Attempts since it was last put on its way.
    pub tries: i32,
    /// When it is tried next.
    pub next_at: Option<At>,
    /// When it was put on its way: at first, or by hand.
    pub sent_at: At,
    /// When it was created.
    pub created_at: At,
}

fn delivery_columns() -> <DeliveryRow as Selectable<MultiBackend>>::SelectExpression {
    <DeliveryRow as Selectable<MultiBackend>>::construct_selection()
}

/// Adds a message that is due now.
pub fn add_delivery(
    tx: &mut Tx<'_>,
    (committee, webhook): (CommitteeId, WebhookId),
    id: DeliveryId,
    (event, event_id): (&str, Option<EventId>),
    body: &str,
    now: Timestamp,
) -> Result<()> {
    diesel::insert_into(webhook_deliveries::table)
        .values((
            (
                webhook_deliveries::committee_id.eq(committee),
                webhook_deliveries::id.eq(id),
                webhook_deliveries::webhook_id.eq(webhook),
                webhook_deliveries::event.eq(event),
                webhook_deliveries::event_id.eq(event_id),
                webhook_deliveries::body.eq(body),
            ),
            (
                webhook_deliveries::status.eq(DeliveryStatus::Pending),
                webhook_deliveries::attempts.eq(0),
                webhook_deliveries::tries.eq(0),
                webhook_deliveries::next_at.eq(Some(At(now))),
                webhook_deliveries::sent_at.eq(At(now)),
                webhook_deliveries::created_at.eq(At(now)),
            ),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Messages of a subscription that are due, the longest due first.
pub fn due(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    webhook: WebhookId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<DeliveryRow>> {
    Ok(webhook_deliveries::table
        .filter(webhook_deliveries::committee_id.eq(committee))
        .filter(webhook_deliveries::webhook_id.eq(webhook))
        .filter(webhook_deliveries::next_at.le(At(now)))
        .order((
            webhook_deliveries::next_at.asc(),
            webhook_deliveries::id.asc(),
        ))
        .limit(limit)
        .select(delivery_columns())
        .rows(tx.conn)?)
}

/// When the next message of a subscription is due.
pub fn next_due(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    webhook: WebhookId,
) -> Result<Option<Timestamp>> {
    let next: Option<Option<At>> = webhook_deliveries::table
        .filter(webhook_deliveries::committee_id.eq(committee))
        .filter(webhook_deliveries::webhook_id.eq(webhook))
        .filter(webhook_deliveries::next_at.is_not_null())
        .order(webhook_deliveries::next_at.asc())
        .select(webhook_deliveries::next_at)
        .first_row(tx.conn)
        .optional()?;
    Ok(next.flatten().map(|at| at.0))
}

/// Gives up messages that were put on their way before a moment and still wait; gives how many.
pub fn give_up(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    webhook: WebhookId,
    before: Timestamp,
) -> Result<usize> {
    Ok(diesel::update(
        webhook_deliveries::table
            .filter(webhook_deliveries::committee_id.eq(committee))
            .filter(webhook_deliveries::webhook_id.eq(webhook))
            .filter(webhook_deliveries::next_at.is_not_null())
            .filter(webhook_deliveries::sent_at.lt(At(before))),
    )
    .set((
        webhook_deliveries::status.eq(DeliveryStatus::Failed),
        webhook_deliveries::next_at.eq(None::<At>),
    ))
    .prepared()
    .run(tx.conn)?)
}

/// Writes an attempt into the log and what it means for the message.
pub fn record(
    tx: &mut Tx<'_>,
    delivery: &DeliveryRow,
    outcome: &Outcome,
    (status, next_at): (DeliveryStatus, Option<Timestamp>),
    now: Timestamp,
) -> Result<()> {
    diesel::insert_into(webhook_attempts::table)
        .values((
            webhook_attempts::committee_id.eq(delivery.committee_id),
            webhook_attempts::delivery_id.eq(delivery.id),
            webhook_attempts::number.eq(delivery.attempts + 1),
            webhook_attempts::at.eq(At(now)),
            webhook_attempts::millis.eq(outcome.millis),
            webhook_attempts::http_status.eq(outcome.status.map(i32::from)),
            webhook_attempts::error.eq(outcome.error.as_deref()),
        ))
        .prepared()
        .run(tx.conn)?;
    diesel::update(webhook_deliveries::table.find((delivery.committee_id, delivery.id)))
        .set((
            webhook_deliveries::status.eq(status),
            webhook_deliveries::attempts.eq(delivery.attempts + 1),
            webhook_deliveries::tries.eq(delivery.tries + 1),
            webhook_deliveries::next_at.eq(next_at.map(At)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Messages of a subscription before a position, newest first.
pub fn deliveries(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    webhook: WebhookId,
    status: Option<DeliveryStatus>,
    before: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<DeliveryRow>> {
    let mut query = webhook_deliveries::table
        .filter(webhook_deliveries::committee_id.eq(committee))
        .filter(webhook_deliveries::webhook_id.eq(webhook))
        .order(webhook_deliveries::id.desc())
        .limit(limit)
        .select(delivery_columns())
        .into_boxed();
    if let Some(status) = status {
        query = query.filter(webhook_deliveries::status.eq(status));
    }
    if let Some(before) = before {
        query = query.filter(webhook_deliveries::id.lt(before));
    }
    Ok(query.load(tx.conn)?)
}

/// One message, or 404.
pub fn delivery(tx: &mut Tx<'_>, committee: CommitteeId, id: DeliveryId) -> Result<DeliveryRow> {
    let found: Option<DeliveryRow> = webhook_deliveries::table
        .find((committee, id))
        .select(delivery_columns())
        .first_row(tx.conn)
        .optional()?;
    found.ok_or_else(|| Error::new(Code::NotFound))
}

/// An attempt to deliver a message.
#[derive(Debug, Clone, Queryable)]
pub struct AttemptRow {
    /// The message.
    pub delivery_id: DeliveryId,
    /// Counted from 1.
    pub number: i32,
    /// When.
    pub at: At,
    /// How long it took, in milliseconds.
    pub millis: i32,
    /// HTTP status of the answer.
    pub http_status: Option<i32>,
    /// Why it failed.
    pub error: Option<String>,
}

/// The attempts of some messages, in their order.
pub fn attempts(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    deliveries: &[DeliveryId],
) -> Result<Vec<AttemptRow>> {
    Ok(webhook_attempts::table
        .filter(webhook_attempts::committee_id.eq(committee))
        .filter(webhook_attempts::delivery_id.eq_any(deliveries.to_vec()))
        .order((webhook_attempts::delivery_id, webhook_attempts::number))
        .select((
            webhook_attempts::delivery_id,
            webhook_attempts::number,
            webhook_attempts::at,
            webhook_attempts::millis,
            webhook_attempts::http_status,
            webhook_attempts::error,
        ))
        .rows(tx.conn)?)
}

/// Puts one message on its way again, from the beginning of the schedule.
pub fn replay(tx: &mut Tx<'_>, delivery: &DeliveryRow, now: Timestamp) -> Result<()> {
    diesel::update(webhook_deliveries::table.find((delivery.committee_id, delivery.id)))
        .set(anew(now))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Puts the messages on their way again that were created since a moment and given up; gives how
/// many.
pub fn replay_failed(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    webhook: WebhookId,
    since: Timestamp,
    now: Timestamp,
) -> Result<usize> {
    Ok(diesel::update(
        webhook_deliveries::table
            .filter(webhook_deliveries::committee_id.eq(committee))
            .filter(webhook_deliveries::webhook_id.eq(webhook))
            .filter(webhook_deliveries::status.eq(DeliveryStatus::Failed))
            .filter(webhook_deliveries::created_at.ge(At(since))),
    )
    .set(anew(now))
    .prepared()
    .run(tx.conn)?)
}

type Anew = (
    diesel::dsl::Eq<webhook_deliveries::status, DeliveryStatus>,
    diesel::dsl::Eq<webhook_deliveries::tries, i32>,
    diesel::dsl::Eq<webhook_deliveries::next_at, Option<At>>,
    diesel::dsl::Eq<webhook_deliveries::sent_at, At>,
);

fn anew(now: Timestamp) -> Anew {
    (
        webhook_deliveries::status.eq(DeliveryStatus::Pending),
        webhook_deliveries::tries.eq(0),
        webhook_deliveries::next_at.eq(Some(At(now))),
        webhook_deliveries::sent_at.eq(At(now)),
    )
}

/// Removes some of the finished messages that are old.
pub fn sweep(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    webhook: WebhookId,
    now: Timestamp,
) -> Result<()> {
    let old: Vec<DeliveryId> = webhook_deliveries::table
        .filter(webhook_deliveries::committee_id.eq(committee))
        .filter(webhook_deliveries::webhook_id.eq(webhook))
        .filter(webhook_deliveries::next_at.is_null())
        .filter(webhook_deliveries::created_at.lt(At(now - KEPT)))
        .order(webhook_deliveries::id.asc())
        .limit(SWEEP)
        .select(webhook_deliveries::id)
        .rows(tx.conn)?;
    if old.is_empty() {
        return Ok(());
    }
    diesel::delete(webhook_attempts::table)
        .filter(webhook_attempts::committee_id.eq(committee))
        .filter(webhook_attempts::delivery_id.eq_any(old.clone()))
        .run(tx.conn)?;
    diesel::delete(webhook_deliveries::table)
        .filter(webhook_deliveries::committee_id.eq(committee))
        .filter(webhook_deliveries::id.eq_any(old))
        .run(tx.conn)?;
    Ok(())
}
