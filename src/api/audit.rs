//! The audit trail for auditors: searched, sealed, checked. There is no operation that changes or
//! deletes anything of it.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, http::header::CACHE_CONTROL};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::events::Names;
use super::extract::{Listing, PathId, PathText};
use super::json::RawBody;
use super::page::{Binding, CursorParams, Page};
use super::routes::{Access, Routes};
use crate::app::feed::name_of;
use crate::app::{Answer, App, Ctx, checking};
use crate::auth::seal::Seal;
use crate::auth::token::Jwk;
use crate::enter;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{AuditCheckId, EventId, RequestId, StreamId, SubjectId, UserId, kind};
use crate::jobs::{chores, kind::JobKind};
use crate::store::audit_checks::{self, CheckRow, CheckStatus};
use crate::store::audit_log::{self, EntryClass, LogFilter};
use crate::store::events::{self, ACCESS, Circumstances, Event, Happening, Stream};
use crate::store::jobs::{self, Wanted};
use crate::store::seals;
use crate::store::verify::{Broken, Exported, Report};
use crate::workflow::input::NoInput;
use crate::workflow::role::Role;

/// Who looks on and touches nothing.
const AUDITORS: &[Role] = &[Role::Auditor];

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const ACCESS: Access = Access::Roles(AUDITORS);
    enter!(routes, ACCESS, [__path_search_audit_log] search_audit_log);
    enter!(routes, ACCESS, [__path_list_audit_seals] list_audit_seals);
    enter!(routes, ACCESS, [__path_seal_audit_log] seal_audit_log);
    enter!(routes, ACCESS, [__path_get_audit_seal] get_audit_seal);
    enter!(routes, ACCESS, [__path_check_audit_log] check_audit_log);
    enter!(routes, ACCESS, [__path_get_audit_check] get_audit_check);
    enter!(routes, Access::Public, [__path_get_seal_keys] get_seal_keys);
}

/// Who did it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogActor {
    /// The account; absent for the system and for whoever did not prove to be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<UserId>,
    /// Its name at that time.
    #[schema(max_length = 200, example = "陈伟")]
    pub name: String,
    /// The role that entitled it; for accesses the first role of the account.
    #[schema(max_length = 64, example = "committee_chair")]
    pub role: String,
    /// In whose place, where staff enter what stands on paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, nullable = false)]
    pub on_behalf_of: Option<String>,
}

/// An entry of the audit trail, with everything that its hash covers.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogEntry {
    /// Identifier.
    pub id: EventId,
    /// When.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// What happened.
    #[schema(max_length = 64, example = "proposal.filed")]
    pub name: String,
    /// Who did it.
    pub actor: LogActor,
    /// Kind of the history: `proposal`, a register such as `unit`, `access` for reads and refusals.
    #[schema(max_length = 32, example = "proposal")]
    pub kind: String,
    /// The thing whose history it is; for `access` what was read or refused, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        max_length = 64,
        nullable = false,
        example = "prop_019a1b2c3d4e7f8090a1b2c3d4e5f607"
    )]
    pub object: Option<String>,
    /// The history itself, as hashes name it.
    pub stream: StreamId,
    /// Place in that history, from 1.
    #[schema(minimum = 1, maximum = 2_147_483_647, example = 7)]
    pub seq: i32,
    /// By which row of the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 16, nullable = false, example = "PT15")]
    pub rule: Option<String>,
    /// In which request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub request_id: Option<RequestId>,
    /// What it changed, or what was refused or read.
    #[schema(value_type = Object, additional_properties = true)]
    pub content: Value,
    /// Hash of the entry before in the same history.
    #[schema(max_length = 64, pattern = "^([0-9a-f]{64})?$")]
    pub prev_hash: String,
    /// Hash of this one.
    #[schema(max_length = 64, pattern = "^[0-9a-f]{64}$")]
    pub hash: String,
}

impl From<(StreamId, Event)> for LogEntry {
    fn from((stream, event): (StreamId, Event)) -> Self {
        let object = if event.stream_kind == ACCESS {
            event.content.0["object"].as_str().map(str::to_owned)
        } else {
            Some(name_of(&event.stream_kind, stream))
        };
        Self {
            id: event.id,
            at: event.at.0,
            name: event.name,
            actor: LogActor {
                id: event.actor_id,
                name: event.actor_name,
                role: event.actor_role,
                on_behalf_of: event.on_behalf_of,
            },
            kind: event.stream_kind,
            object,
            stream,
            seq: event.seq,
            rule: event.rule,
            request_id: event.request_id,
            content: event.content.0,
            prev_hash: event.prev_hash,
            hash: event.hash,
        }
    }
}

/// An identifier of anything.
fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SubjectId>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.split_once('_').map(|(_, digits)| digits);
    let uuid = digits.and_then(|digits| uuid::Uuid::try_parse(digits).ok());
    uuid.map(|uuid| Some(SubjectId::from_uuid(uuid)))
        .ok_or_else(|| {
            serde::de::Error::custom(Message::new(
                "须为标识，如 prop_019a1b2c3d4e7f8090a1b2c3d4e5f607。",
                "An identifier, such as prop_019a1b2c3d4e7f8090a1b2c3d4e5f607.",
            ))
        })
}

/// A moment.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| {
        serde::de::Error::custom(Message::new(
            "须为 RFC 3339 时刻，如 2026-03-05T01:00:00Z。",
            "A moment as in RFC 3339, such as 2026-03-05T01:00:00Z.",
        ))
    })
}

/// What is searched for. All of it must fit.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogParams {
    /// Who did it.
    #[param(required = false)]
    pub actor_id: Option<UserId>,
    /// In which role.
    #[param(inline, required = false)]
    pub role: Option<Role>,
    /// Names of events, separated by commas; `reply.*` stands for all that begin with `reply.`.
    #[param(value_type = Option<String>, max_length = 1300, example = "proposal.filed,reply.*",
        pattern = r"^[a-z_]{1,30}(\.[a-z_]{1,30})?(\.\*)?(,[a-z_]{1,30}(\.[a-z_]{1,30})?(\.\*)?){0,19}$")]
    pub name: Option<Names>,
    /// Kind of the history, such as `proposal`, `unit` or `access`.
    #[param(value_type = Option<String>, max_length = 64, example = "proposal", pattern = "^[a-z_]+$")]
    pub kind: Option<Names>,
    /// Identifier of a thing: its own history, and who read it or was refused it.
    #[serde(default, deserialize_with = "object")]
    #[param(value_type = Option<String>, max_length = 64, pattern = "^[a-z]{4}_[0-9a-f]{32}$",
        example = "prop_019a1b2c3d4e7f8090a1b2c3d4e5f607")]
    pub object_id: Option<SubjectId>,
    /// In this request: the `instance` of a problem, or `X-Request-Id`.
    #[param(required = false)]
    pub request_id: Option<RequestId>,
    /// What kind of entry.
    #[param(inline, required = false)]
    pub class: Option<EntryClass>,
    /// At or after this moment.
    #[serde(default, deserialize_with = "moment")]
    #[param(value_type = Option<String>, format = DateTime, max_length = 40)]
    pub from: Option<Timestamp>,
    /// Before this moment.
    #[serde(default, deserialize_with = "moment")]
    #[param(value_type = Option<String>, format = DateTime, max_length = 40)]
    pub to: Option<Timestamp>,
}

impl LogParams {
    fn filter(&self) -> Result<LogFilter> {
        let kind = match self.kind.as_ref().map(|kinds| &*kinds.0) {
            None => None,
            Some([kind]) if !kind.contains('*') => Some(kind.clone()),
            Some(_) => {
                return Err(Error::new(Code::InvalidParameter).field(
                    "kind",
                    "invalid",
                    Message::new(
                        "只能是一个类别，如 proposal。",
                        "One kind, such as proposal.",
                    ),
                ));
            }
        };
        Ok(LogFilter {
            actor: self.actor_id,
            role: self.role,
            names: self.name.clone().unwrap_or_default().0,
            kind,
            object: self.object_id,
            request: self.request_id,
            class: self.class,
            from: self.from,
            to: self.to,
        })
    }
}

/// Search the audit trail
///
/// Every entry of the committee, newest first: acts, sign-ins, refusals, reads of restricted cases,
/// administration. One answer looks at a bounded number of entries unless `actor_id`, `object_id` or
/// `request_id` is given: `items` may have fewer than `limit`, or none, and `next_cursor` all the
/// same. The search itself is recorded.
#[utoipa::path(get, path = "/api/v1/audit/events", tag = "audit", params(LogParams, CursorParams),
    responses((status = 200, description = "A page of the trail.", body = Page<LogEntry>)))]
pub async fn search_audit_log(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    listing: Listing<LogParams>,
) -> Result<Answer> {
    let Listing { filter, page } = listing;
    let binding = Binding::new(&ctx, &filter);
    let before: Option<EventId> = page
        .cursor
        .as_deref()
        .map(|cursor| binding.decode(cursor))
        .transpose()?;
    let (committee, wanted) = (ctx.committee(), filter.filter()?);
    let limit = i64::try_from(page.limit.get()).unwrap_or(i64::MAX);
    ctx.disclosed.trail(request.query_string());
    let found = app
        .db
        .read("audit.search", move |tx| {
            audit_log::search(tx, committee, &wanted, before, limit)
        })
        .await?;
    Answer::ok(&Page {
        items: found.entries.into_iter().map(LogEntry::from).collect(),
        next_cursor: found.next.map(|next| binding.encode(&next)).transpose()?,
        count: None,
    })
}

/// No filter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

/// List seals
///
/// The signed seals over the audit trail of the committee, newest first. Keep one elsewhere, on paper
/// or in another system: it shows later whether anything that it covers was changed.
#[utoipa::path(get, path = "/api/v1/audit/seals", tag = "audit", params(CursorParams),
    responses((status = 200, description = "A page of seals.", body = Page<Seal>)))]
pub async fn list_audit_seals(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<NoFilter>,
) -> Result<Answer> {
    let Listing { filter, page } = listing;
    let binding = Binding::new(&ctx, &filter);
    let before: Option<i32> = page
        .cursor
        .as_deref()
        .map(|cursor| binding.decode(cursor))
        .transpose()?;
    let committee = ctx.committee();
    let limit = i64::try_from(page.limit.get() + 1).unwrap_or(i64::MAX);
    let found = app
        .db
        .read("audit.seals", move |tx| {
            seals::list(tx, committee, before, limit)
        })
        .await?;
    Answer::ok(&binding.page(found, page.limit, |seal| seal.number)?)
}

/// Seal the audit trail now
///
/// Makes the next seal due at once instead of at its hour. It appears in the list as soon as a worker
/// made it; where nothing is new, none is made.
#[utoipa::path(post, path = "/api/v1/audit/seals", tag = "audit",
    request_body(content = NoInput, example = json!({})),
    responses((status = 202, description = "A worker makes it.", body = SealsAddress)))]
pub async fn seal_audit_log(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        body.parse::<NoInput>()?;
        let wanted = Wanted {
            committee: act.committee(),
            kind: JobKind::SealAudit,
            key: chores::KEY.to_owned(),
            payload: Value::Null,
            at: act.now,
        };
        jobs::want(tx, &wanted, act.now)?;
        let stream = Stream::access_to(act.committee(), act.user());
        let happening = Happening {
            name: "audit.seal_requested".to_owned(),
            rule: None,
            content: serde_json::json!({}),
        };
        events::append_access(tx, &stream, &Circumstances::of(&act, AUDITORS), happening)?;
        let seals = "/api/v1/audit/seals";
        Ok(Answer {
            status: 202,
            location: Some(seals.to_owned()),
            ..Answer::ok(&SealsAddress { seals })?
        })
    })
    .await
}

/// Where seals are.
#[derive(Debug, Serialize, ToSchema)]
pub struct SealsAddress {
    /// The list in which the seal will be.
    #[schema(
        max_length = 100,
        format = "uri-reference",
        example = "/api/v1/audit/seals"
    )]
    pub seals: &'static str,
}

/// Export a seal
///
/// The body is the file that `jianjian verify --head FILE` takes. It never changes.
#[utoipa::path(get, path = "/api/v1/audit/seals/{number}", tag = "audit",
    params(("number" = i32, Path, description = "Number of the seal.", minimum = 1, maximum = 2_147_483_647)),
    responses((status = 200, description = "The seal.", body = Seal)))]
pub async fn get_audit_seal(
    app: Data<App>,
    ctx: Ctx,
    PathText(number): PathText<i32>,
) -> Result<Answer> {
    let committee = ctx.committee();
    let seal = app
        .db
        .read("audit.seal.get", move |tx| {
            seals::find(tx, committee, number)
        })
        .await?
        .ok_or_else(Error::not_found)?;
    Ok(Answer::ok(&seal)?.tag(seal.hash))
}

/// A seal that was exported.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportedIn {
    /// Number of the seal.
    #[schema(minimum = 1, maximum = 2_147_483_647, example = 42)]
    number: i32,
    /// Its `hash`.
    #[schema(
        min_length = 64,
        max_length = 64,
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    hash: String,
}

/// What a check is to compare the trail with.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckIn {
    /// The seal that was kept elsewhere. Without it a trail that was rewritten as a whole, seals and
    /// all, is not told from the true one.
    #[serde(default)]
    #[schema(nullable = false)]
    head: Option<ExportedIn>,
}

/// A check of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditCheck {
    /// Identifier.
    pub id: AuditCheckId,
    /// Where it stands.
    pub status: CheckStatus,
    /// Number of the exported seal that the trail is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 2_147_483_647, nullable = false)]
    pub head: Option<i32>,
    /// Seals looked at so far.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub seals: usize,
    /// Entries looked at so far.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub events: usize,
    /// Histories looked at so far.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub streams: usize,
    /// The first broken place of each kind.
    #[schema(max_items = 20)]
    pub found: Vec<Broken>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub created_at: Timestamp,
    /// When it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, max_length = 40, nullable = false)]
    pub finished_at: Option<Timestamp>,
}

impl AuditCheck {
    fn of(row: CheckRow) -> Result<Self> {
        let report: Report = row.report.to()?;
        Ok(Self {
            id: row.id,
            status: row.status,
            head: row.head_number,
            seals: report.seals,
            events: report.events,
            streams: report.streams,
            found: report.found,
            created_at: row.created_at.0,
            finished_at: row.finished_at.map(|at| at.0),
        })
    }
}

/// Check the audit trail
///
/// Every entry, every link, every seal of the committee, and the ends that cases and seals remember.
/// A worker does it; `Location` is where the progress and the result are read.
#[utoipa::path(post, path = "/api/v1/audit/checks", tag = "audit",
    request_body(content = CheckIn, example = json!({ "head": { "number": 42,
        "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" } })),
    responses((status = 202, description = "The check, which goes on.", body = AuditCheck)))]
pub async fn check_audit_log(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let head = body.parse::<CheckIn>()?.head.map(|head| Exported {
            committee: act.committee(),
            number: head.number,
            hash: head.hash,
        });
        let row = checking::begin(tx, &act, head)?;
        let location = format!("/api/v1/audit/checks/{}", row.id);
        Ok(Answer {
            status: 202,
            location: Some(location),
            ..Answer::ok(&AuditCheck::of(row)?)?
        })
    })
    .await
}

/// Read a check
///
/// How far it is, and what was found.
#[utoipa::path(get, path = "/api/v1/audit/checks/{check_id}", tag = "audit",
    params(("check_id" = AuditCheckId, Path, description = "The check.")),
    responses((status = 200, description = "The check.", body = AuditCheck)))]
pub async fn get_audit_check(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::AuditCheck>,
) -> Result<Answer> {
    let committee = ctx.committee();
    let row = app
        .db
        .read("audit.check.get", move |tx| {
            audit_checks::find(tx, committee, id)
        })
        .await?
        .ok_or_else(Error::not_found)?;
    let check = AuditCheck::of(row)?;
    let tag = format!("{}.{}.{}", check.seals, check.events, check.status);
    Ok(Answer::ok(&check)?.tag(tag))
}

/// The keys that signed seals.
#[derive(Debug, Serialize, ToSchema)]
pub struct SealKeysOut {
    /// The keys, oldest first.
    #[schema(max_items = 1000)]
    keys: Vec<Jwk>,
}

/// Keys of seals
///
/// The public keys by which seals of the audit trail can be verified: the one that signs, and all
/// that ever did.
#[utoipa::path(get, path = "/.well-known/seal-keys.json", tag = "service",
    responses((status = 200, description = "JSON Web Key Set", body = SealKeysOut)))]
pub async fn get_seal_keys(app: Data<App>) -> Result<HttpResponse> {
    let keys = app.db.read("audit.keys", seals::keys).await?;
    let keys = keys.iter().map(crate::auth::seal::SealKey::jwk).collect();
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .json(SealKeysOut { keys }))
}
