//! Subscriptions of other systems to what happens, for administrators.

use actix_web::HttpRequest;
use actix_web::web::Data;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::events::is_name;
use super::extract::{Listing, PathId};
use super::json::RawBody;
use super::page::{Binding, COUNT_CAP, Page, PageParams};
use super::register::patch_of;
use super::routes::{Access, Routes};
use crate::app::{Answer, App, Ctx};
use crate::digest;
use crate::enter;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{WebhookId, kind};
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::store::sql_types::Json;
use crate::store::webhooks::{self, WebhookRow};
use crate::store::{Tx, feed};
use crate::webhooks::{Secret, WebhookStatus};
use crate::workflow::input::NoInput;
use crate::workflow::role::{Grant, Role};

const PATH: &str = "/api/v1/webhooks";
/// Who sets subscriptions up.
pub const WRITERS: &[Role] = &[Role::Administrator];
/// Who looks at them.
pub const READERS: &[Role] = &[Role::Administrator, Role::Auditor];
/// Subscriptions of a committee.
const MOST: i64 = 50;
/// Roles through whose eyes a subscription may look: those that a system can stand for.
const EYES: [Role; 8] = [
    Role::CommitteeStaff,
    Role::SupervisionOfficer,
    Role::AssigningOfficer,
    Role::UnitClerk,
    Role::OrganisationClerk,
    Role::Leader,
    Role::Auditor,
    Role::Administrator,
];

/// What an administrator sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookFields {
    /// Where messages go: https, a public host, port 443 or one from 1024 on.
    #[schema(
        min_length = 8,
        max_length = 1000,
        example = "https://hooks.example.cn/jianjian"
    )]
    pub url: String,
    /// Names of events; `reply.*` stands for all that begin with `reply.`.
    #[schema(min_items = 1, max_items = 20, example = json!(["proposal.filed", "assignment.*"]))]
    pub events: Vec<EventName>,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 200, default = "", example = "市交通运输局办文系统")]
    pub description: String,
    /// The role through whose eyes the subscription looks, narrowed as it asks: it is told what an
    /// account with nothing but this role may know, such as the clerk of one unit.
    pub reads_as: Grant,
    /// Whether it is served. What happens while it is `paused` is delivered afterwards; what
    /// happens while it is `disabled` is not.
    #[serde(default = "active")]
    pub status: WebhookStatus,
}

const fn active() -> WebhookStatus {
    WebhookStatus::Active
}

/// Name of an event, or the beginning of names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(
    min_length = 1,
    max_length = 64,
    pattern = r"^[a-z_]+(\.[a-z_]+)*(\.\*)?$",
    example = "proposal.filed"
)]
#[serde(transparent)]
pub struct EventName(pub String);

/// A merge patch (RFC 7396) of a subscription.
pub struct WebhookPatch;

impl PartialSchema for WebhookPatch {
    fn schema() -> RefOr<Schema> {
        patch_of::<WebhookFields>()
    }
}

impl ToSchema for WebhookPatch {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        WebhookFields::schemas(schemas);
    }
}

/// A subscription.
#[derive(Debug, Serialize, ToSchema)]
pub struct Webhook {
    /// Identifier.
    pub id: WebhookId,
    /// Where messages go.
    #[schema(format = "uri", max_length = 1000)]
    pub url: String,
    /// Names of events and beginnings of names.
    #[schema(max_items = 20)]
    pub events: Vec<EventName>,
    /// What it is for.
    #[schema(max_length = 200)]
    pub description: String,
    /// The role through whose eyes it looks.
    pub reads_as: Grant,
    /// Whether it is served.
    pub status: WebhookStatus,
    /// Why the service disabled it: `gone`, the receiver answered 410.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, nullable = false, example = "gone")]
    pub disabled_reason: Option<String>,
    /// Attempts that failed one after the other.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub failures: i32,
    /// The receiver failed too often, or asked for a pause: no attempts before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, max_length = 40, nullable = false)]
    pub held_until: Option<Timestamp>,
    /// When an attempt last succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, max_length = 40, nullable = false)]
    pub last_success_at: Option<Timestamp>,
    /// When an attempt last failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, max_length = 40, nullable = false)]
    pub last_failure_at: Option<Timestamp>,
    /// Until when messages are signed with the secret before as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, max_length = 40, nullable = false)]
    pub old_secret_until: Option<Timestamp>,
    /// The secret, in the one answer that makes it: `whsec_` and base64. It is not shown again, not
    /// even to a repeated request with the same idempotency key: rotate it where it was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        max_length = 100,
        nullable = false,
        example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    )]
    pub secret: Option<String>,
    /// Number of the present version of what people set.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    pub version: i32,
    /// When it was created.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub updated_at: Timestamp,
}

impl Webhook {
    fn of(row: &WebhookRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            url: row.url.clone(),
            events: row.events.clone().to()?,
            description: row.description.clone(),
            reads_as: row.grant()?,
            status: row.status,
            disabled_reason: row.disabled_reason.clone(),
            failures: row.failures,
            held_until: row.held_until.map(|at| at.0),
            last_success_at: row.last_success_at.map(|at| at.0),
            last_failure_at: row.last_failure_at.map(|at| at.0),
            old_secret_until: row.old_secret_until.map(|at| at.0),
            secret: None,
            version: row.version,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }

    /// The version that people set, then how deliveries go: both change what is answered, and only
    /// the first has to be as it was read.
    fn tag(&self) -> String {
        let state = serde_json::to_string(self).unwrap_or_default();
        let mut seal = digest::hex(&[state.as_bytes()]);
        seal.truncate(16);
        format!("{}.{seal}", self.version)
    }

    fn shown(row: &WebhookRow) -> Result<Answer> {
        let shown = Self::of(row)?;
        Ok(Answer::ok(&shown)?.tag(shown.tag()))
    }
}

fn fields(row: &WebhookRow) -> Result<WebhookFields> {
    Ok(WebhookFields {
        url: row.url.clone(),
        events: row.events.clone().to()?,
        description: row.description.clone(),
        reads_as: row.grant()?,
        status: row.status,
    })
}

/// What to narrow the list to: nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

/// How to rotate a secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretRotation {
    /// Hours for which messages are signed with the old secret as well.
    #[serde(default = "one_day")]
    #[schema(minimum = 0, maximum = 168, default = 24, example = 24)]
    pub keep_old_hours: i64,
}

const fn one_day() -> i64 {
    24
}

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const READ: Access = Access::Roles(READERS);
    const WRITE: Access = Access::Roles(WRITERS);
    routes.hidden_body::<WebhookFields>();
    enter!(routes, READ, [__path_list_webhooks] list_webhooks);
    enter!(routes, WRITE.stepped_up(), [__path_create_webhook] create_webhook);
    enter!(routes, READ, [__path_get_webhook] get_webhook);
    enter!(routes, WRITE.stepped_up(), [__path_update_webhook] update_webhook);
    enter!(routes, WRITE, [__path_delete_webhook] delete_webhook);
    enter!(routes, WRITE.stepped_up(), [__path_rotate_webhook_secret] rotate_webhook_secret);
    super::webhook_deliveries::routes(routes);
}

/// List webhooks
///
/// The subscriptions of the committee, in the order in which they were created.
#[utoipa::path(
    get, path = "/api/v1/webhooks", tag = "webhooks", params(PageParams),
    responses((status = 200, description = "A page of subscriptions.", body = Page<Webhook>)),
)]
pub async fn list_webhooks(app: Data<App>, ctx: Ctx, listing: Listing<NoFilter>) -> Result<Answer> {
    let Listing { page, .. } = listing;
    let binding = Binding::new(&ctx, &"webhooks");
    let after: Option<WebhookId> = page
        .cursor
        .as_deref()
        .map(|cursor| binding.decode(cursor))
        .transpose()?;
    let (committee, with_count) = (ctx.committee(), page.count);
    let limit = i64::try_from(page.limit.get() + 1).unwrap_or(i64::MAX);
    let (rows, count) = app
        .db
        .read("webhooks.list", move |tx| {
            let rows = webhooks::list(tx, committee, after, limit)?;
            let count = with_count
                .then(|| webhooks::count(tx, committee))
                .transpose()?;
            Ok((rows, count))
        })
        .await?;
    let page = binding.page(rows, page.limit, |row| row.id)?;
    let items = page.items.iter().map(Webhook::of).collect::<Result<_>>()?;
    Answer::ok(&Page {
        items,
        next_cursor: page.next_cursor,
        count: count.map(|count| count.min(COUNT_CAP)),
    })
}

/// Subscribe to what happens
///
/// From now on an event of these names is sent to `url` by POST, signed as Standard Webhooks 1.0.0
/// asks. The answer shows the secret, once. At most 50 subscriptions of a committee.
#[utoipa::path(
    post, path = "/api/v1/webhooks", tag = "webhooks",
    request_body(content = WebhookFields, example = json!({
        "url": "https://hooks.example.cn/jianjian",
        "events": ["proposal.filed", "assignment.*"],
        "description": "提案委办公室统计",
        "reads_as": { "role": "committee_staff" }
    })),
    responses((status = 201, description = "The subscription was created.", body = Webhook)),
)]
pub async fn create_webhook(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let wanted: WebhookFields = body.parse()?;
    check_target(&app, &wanted.url).await?;
    let (act, secret, keeper) = (ctx.clone(), Secret::random()?, app.sender.keeper.clone());
    let made = secret.clone();
    let answer = app
        .write(&ctx, move |tx| {
            check(tx, &act, &wanted)?;
            if webhooks::count(tx, act.committee())? >= MOST {
                return Err(too_many());
            }
            let id = WebhookId::new(act.now);
            let row = WebhookRow {
                committee_id: act.committee(),
                id,
                url: wanted.url.clone(),
                events: Json::of(&wanted.events)?,
                description: wanted.description.clone(),
                reads_as: Json::of(&wanted.reads_as)?,
                status: wanted.status,
                disabled_reason: None,
                secret: keeper.keep(made.reveal(), &id.to_string())?,
                old_secret: None,
                old_secret_until: None,
                position: feed::end(tx, act.committee())?,
                failures: 0,
                held_until: None,
                last_success_at: None,
                last_failure_at: None,
                version: 1,
                created_at: act.now.into(),
                updated_at: act.now.into(),
            };
            webhooks::insert(tx, &row)?;
            record(
                tx,
                &act,
                id,
                Happening::change("webhook.created", &(), &wanted),
            )?;
            let shown = Webhook::of(&row)?;
            Ok(Answer::created(&shown, format!("{PATH}/{id}"))?.tag(shown.tag()))
        })
        .await?;
    with_secret(answer, &ctx, &secret)
}

/// Read a webhook
///
/// One subscription of the committee, without its secret.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{webhook_id}", tag = "webhooks",
    params(("webhook_id" = WebhookId, Path, description = "The subscription.")),
    responses((status = 200, description = "The subscription.", body = Webhook)),
)]
pub async fn get_webhook(app: Data<App>, ctx: Ctx, id: PathId<kind::Webhook>) -> Result<Answer> {
    let committee = ctx.committee();
    let row = app
        .db
        .read("webhooks.get", move |tx| {
            webhooks::find(tx, committee, id.0)
        })
        .await?;
    Webhook::shown(&row)
}

/// Change a webhook
///
/// Pauses, disables and activates it too. A subscription that was disabled begins again with what
/// happens from then on; `GET /api/v1/events` tells what it missed.
#[utoipa::path(
    patch, path = "/api/v1/webhooks/{webhook_id}", tag = "webhooks",
    params(("webhook_id" = WebhookId, Path, description = "The subscription.")),
    request_body(content = WebhookPatch, content_type = "application/merge-patch+json",
        example = json!({ "status": "paused" })),
    responses((status = 200, description = "The subscription as it is now.", body = Webhook)),
)]
pub async fn update_webhook(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    id: PathId<kind::Webhook>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let id = id.0;
    // A name is resolved before the transaction; whether it is the one that the patch leaves is
    // asked inside.
    let (committee, tag) = (ctx.committee(), ctx.if_match.clone());
    let present = app
        .db
        .read("webhooks.get", move |tx| webhooks::find(tx, committee, id))
        .await?;
    tag.check_part(present.version)?;
    let merged: WebhookFields = body.merge_into(&fields(&present)?)?;
    if merged.url != present.url {
        check_target(&app, &merged.url).await?;
    }
    let (act, checked) = (ctx.clone(), merged.url);
    app.write(&ctx, move |tx| {
        let mut row = webhooks::lock(tx, committee, id)?;
        act.if_match.check_part(row.version)?;
        let before = fields(&row)?;
        let wanted: WebhookFields = body.merge_into(&before)?;
        if wanted == before {
            return Webhook::shown(&row);
        }
        if wanted.url != before.url && wanted.url != checked {
            return Err(Error::new(Code::VersionMismatch).retryable());
        }
        check(tx, &act, &wanted)?;
        change(tx, &mut row, &wanted, act.now)?;
        record(
            tx,
            &act,
            id,
            Happening::change("webhook.changed", &before, &wanted),
        )?;
        Webhook::shown(&row)
    })
    .await
}

/// Delete a webhook
///
/// The subscription goes with its log of deliveries; nothing more is sent.
#[utoipa::path(
    delete, path = "/api/v1/webhooks/{webhook_id}", tag = "webhooks",
    params(("webhook_id" = WebhookId, Path, description = "The subscription.")),
    responses((status = 204, description = "The subscription is gone.")),
)]
pub async fn delete_webhook(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    id: PathId<kind::Webhook>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let row = webhooks::lock(tx, act.committee(), id.0)?;
        body.parse::<NoInput>()?;
        act.if_match.check_part(row.version)?;
        webhooks::delete(tx, act.committee(), id.0)?;
        record(
            tx,
            &act,
            id.0,
            Happening::change("webhook.deleted", &fields(&row)?, &()),
        )?;
        Ok(Answer::none())
    })
    .await
}

/// Rotate the secret of a webhook
///
/// The answer shows the new secret, once. For the chosen time messages carry two signatures, by the
/// new and by the old secret, so that the receiver can change over without losing any.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{webhook_id}/actions/rotate-secret", tag = "webhooks",
    params(("webhook_id" = WebhookId, Path, description = "The subscription.")),
    request_body(content = SecretRotation, example = json!({ "keep_old_hours": 24 })),
    responses((status = 200, description = "The subscription with the new secret.", body = Webhook)),
)]
pub async fn rotate_webhook_secret(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    id: PathId<kind::Webhook>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let (act, secret, keeper) = (ctx.clone(), Secret::random()?, app.sender.keeper.clone());
    let made = secret.clone();
    let answer = app
        .write(&ctx, move |tx| {
            let mut row = webhooks::lock(tx, act.committee(), id.0)?;
            let rotation: SecretRotation = body.parse()?;
            act.if_match.check_part(row.version)?;
            let until = act.now + SignedDuration::from_hours(rotation.keep_old_hours);
            let keeps = rotation.keep_old_hours > 0;
            let old = std::mem::replace(
                &mut row.secret,
                keeper.keep(made.reveal(), &row.id.to_string())?,
            );
            row.old_secret = keeps.then_some(old);
            row.old_secret_until = keeps.then_some(until.into());
            row.version += 1;
            row.updated_at = act.now.into();
            webhooks::update(tx, &row)?;
            let happening = Happening {
                name: "webhook.secret_rotated".to_owned(),
                rule: None,
                content: json!({ "keep_old_hours": rotation.keep_old_hours }),
            };
            record(tx, &act, row.id, happening)?;
            Webhook::shown(&row)
        })
        .await?;
    with_secret(answer, &ctx, &secret)
}

/// Shows the secret in the answer that made it; the stored answer has none.
fn with_secret(mut answer: Answer, ctx: &Ctx, secret: &Secret) -> Result<Answer> {
    if !answer.replayed && !ctx.validate_only {
        answer.body.add(&json!({ "secret": secret.reveal() }))?;
    }
    Ok(answer)
}

async fn check_target(app: &App, url: &str) -> Result<()> {
    let refused = |refusal: crate::webhooks::Refusal| {
        Error::invalid("/url", refusal.code(), refusal.message())
    };
    let targets = &app.sender.targets;
    let url = targets.parse(url).map_err(refused)?;
    let host = url.host_str().unwrap_or_default();
    targets.resolve(host).await.map_err(refused)?;
    Ok(())
}

fn too_many() -> Error {
    Error::invalid(
        "",
        "too_many",
        Message::new(
            format!("每个委员会最多 {MOST} 个订阅。"),
            format!("At most {MOST} subscriptions of a committee."),
        ),
    )
}

fn check(tx: &mut Tx<'_>, ctx: &Ctx, wanted: &WebhookFields) -> Result<()> {
    if let Some(index) = wanted.events.iter().position(|name| !is_name(&name.0)) {
        return Err(Error::invalid(
            format!("/events/{index}"),
            "event_name",
            Message::new(
                "须为事件名称，如 proposal.filed 或 reply.*。",
                "The name of an event, such as proposal.filed or reply.*.",
            ),
        ));
    }
    let eyes = wanted.reads_as;
    if !EYES.contains(&eyes.role) || !eyes.is_well_formed() {
        return Err(Error::invalid(
            "/reads_as",
            "reads_as",
            Message::new(
                "须为可代表系统的角色，并带上所需的单位、组织或系统线。",
                "A role that a system can stand for, with the unit, organisation or line that it asks for.",
            ),
        ));
    }
    webhooks::check_reader(tx, ctx, eyes)
}

fn change(
    tx: &mut Tx<'_>,
    row: &mut WebhookRow,
    wanted: &WebhookFields,
    now: Timestamp,
) -> Result<()> {
    let committee = row.committee_id;
    let was = std::mem::replace(&mut row.status, wanted.status);
    if wanted.status == WebhookStatus::Disabled && was != WebhookStatus::Disabled {
        webhooks::give_up(tx, committee, row.id, Timestamp::MAX)?;
    }
    if was == WebhookStatus::Disabled && wanted.status != WebhookStatus::Disabled {
        row.position = feed::end(tx, committee)?;
    }
    if wanted.status != was || wanted.url != row.url {
        // Another receiver, or one that was mended: it gets a fresh chance.
        row.failures = 0;
        row.held_until = None;
        row.disabled_reason = None;
    }
    row.url.clone_from(&wanted.url);
    row.events = Json::of(&wanted.events)?;
    row.description.clone_from(&wanted.description);
    row.reads_as = Json::of(&wanted.reads_as)?;
    row.version += 1;
    row.updated_at = now.into();
    webhooks::update(tx, row)?;
    webhooks::want(tx, committee, row.id, now)
}

/// Appends to the history of a subscription.
pub(super) fn record(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: WebhookId,
    happening: Happening,
) -> Result<()> {
    let stream = Stream::of(ctx.committee(), "webhook", id);
    events::append(tx, &stream, &Circumstances::of(ctx, WRITERS), happening)
}
