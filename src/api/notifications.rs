//! What the caller was told, and how he wants to be told.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use actix_web::web::Data;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Params, PathId};
use super::json::RawBody;
use super::page::{Binding, CursorParams, Page, PageSize};
use super::routes::{Access, Routes};
use crate::app::ctx::IfMatch;
use crate::app::{Answer, App, Ctx, notify};
use crate::codes::Label;
use crate::enter;
use crate::error::{Error, Message, Result};
use crate::ids::{MailId, NotificationId, ProposalId, UserId, kind};
use crate::mail::{Language, MailKind, MailStatus};
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::store::mails::{self, MailRow};
use crate::store::notification_settings::{self, Chosen};
use crate::store::notifications::{self, Filter, NotificationRow};
use crate::store::{Tx, accounts};
use crate::workflow::role::Role;
use crate::workflow::topics::{CaseName, Delivery, Detail, Group, Headline};

/// Messages that are not read are counted up to this.
const UNREAD_CAP: i64 = 1000;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const KEEPERS: Access = Access::Roles(&[Role::Administrator]);
    const READERS: Access = Access::Roles(&[Role::Administrator, Role::Auditor]);
    routes.hidden_body::<NotificationSettingsIn>();
    enter!(routes, Access::Persons, [__path_list_notifications] list_notifications);
    enter!(routes, Access::Persons, [__path_count_unread_notifications] count_unread_notifications);
    enter!(routes, Access::Persons, [__path_mark_notifications] mark_notifications);
    enter!(routes, Access::Persons, [__path_get_notification_settings] get_notification_settings);
    enter!(routes, Access::Persons, [__path_update_notification_settings] update_notification_settings);
    enter!(routes, KEEPERS, [__path_get_user_notification_settings] get_user_notification_settings);
    enter!(routes, KEEPERS, [__path_update_user_notification_settings] update_user_notification_settings);
    enter!(routes, READERS, [__path_list_mails] list_mails);
}

/// Narrows the inbox.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NotificationParams {
    /// Only messages that are not read, or with `false` only those that are.
    #[param(required = false, nullable = false)]
    unread: Option<bool>,
    /// Only messages of this group.
    #[param(inline, required = false)]
    group: Option<Group>,
    /// Only messages about this case.
    #[param(required = false, nullable = false)]
    proposal_id: Option<ProposalId>,
    #[serde(default)]
    #[param(ignore)]
    limit: PageSize,
    #[param(ignore)]
    cursor: Option<String>,
}

/// What a message says, in both languages.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageText {
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    #[schema(
        max_length = 400,
        example = "提案已立案：第12号《关于优化老城区公交微循环线路的提案》"
    )]
    pub zh: String,
    /// English.
    #[schema(
        max_length = 400,
        example = "A proposal was filed: no. 12, 关于优化老城区公交微循环线路的提案"
    )]
    pub en: String,
}

impl From<Headline> for MessageText {
    fn from(headline: Headline) -> Self {
        Self {
            zh: headline.zh,
            en: headline.en,
        }
    }
}

/// A message to the caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct Notification {
    /// Identifier.
    pub id: NotificationId,
    /// Name of the event, or `reminder.ahead`, `reminder.due`, `reminder.overdue`.
    #[schema(max_length = 64, example = "proposal.filed")]
    pub topic: String,
    /// Group of the topic.
    pub group: Group,
    /// Labels of the group.
    pub group_label: Label,
    /// What it says. Without the title where the caller may not read the case (any more).
    pub text: MessageText,
    /// The case.
    pub proposal_id: ProposalId,
    /// Title of the case; absent where the caller may not read it (any more).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 200,
        example = "关于优化老城区公交微循环线路的提案"
    )]
    pub title: Option<String>,
    /// 案号; absent like the title, and before the filing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub case_no: Option<i32>,
    /// Where the case is.
    #[schema(max_length = 300)]
    pub href: String,
    /// Of a reminder: which clock, its last day, the working days left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reminder: Option<ReminderOut>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub created_at: Timestamp,
    /// When the caller read it; absent if not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub read_at: Option<Timestamp>,
}

/// What a reminder is about.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReminderOut {
    /// Which clock.
    pub clock: crate::workflow::codes::ClockKind,
    /// Its labels.
    pub clock_label: Label,
    /// Its last day.
    #[schema(value_type = String, format = Date, max_length = 10)]
    pub due_on: jiff::civil::Date,
    /// Working days left when it went out; absent on the last day and after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 60)]
    pub working_days_left: Option<u32>,
}

impl Notification {
    fn of(row: NotificationRow, headline: Headline, case: Option<CaseName>) -> Result<Self> {
        let detail: Detail = row.detail.to()?;
        let reminder = detail
            .clock
            .zip(detail.due_on)
            .map(|(clock, due_on)| ReminderOut {
                clock,
                clock_label: clock.label(),
                due_on,
                working_days_left: detail.working_days_left,
            });
        Ok(Self {
            id: row.id,
            topic: row.topic,
            group: row.topic_group,
            group_label: row.topic_group.label(),
            text: headline.into(),
            proposal_id: row.proposal_id,
            case_no: case.as_ref().and_then(|case| case.case_no),
            title: case.map(|case| case.title),
            href: format!("/api/v1/proposals/{}", row.proposal_id),
            reminder,
            created_at: row.created_at.0,
            read_at: row.read_at.map(|at| at.0),
        })
    }
}

/// My inbox
///
/// What the caller was told, newest first. Nobody sees the inbox of another account.
#[utoipa::path(get, path = "/api/v1/notifications", tag = "notifications",
    params(NotificationParams, CursorParams),
    responses((status = 200, description = "A page of messages", body = Page<Notification>)))]
pub async fn list_notifications(
    app: Data<App>,
    ctx: Ctx,
    Params(params): Params<NotificationParams>,
) -> Result<Answer> {
    let filter = Filter {
        unread: params.unread,
        group: params.group,
        proposal: params.proposal_id,
    };
    let binding = Binding::new(&ctx, &(ctx.user(), &filter));
    let after: Option<NotificationId> = params
        .cursor
        .as_deref()
        .map(|cursor| binding.decode(cursor))
        .transpose()?;
    let page = app
        .db
        .read("notifications", move |tx| {
            let (committee, user) = (ctx.committee(), ctx.user());
            let limit = params.limit.get() + 1;
            let rows = notifications::list(tx, committee, user, &filter, after, limit)?;
            let page = binding.page(rows, params.limit, |row| row.id)?;
            let actor = ctx.principal.actor();
            let said = notify::headlines(tx, committee, &actor, &page.items)?;
            let items = page.items.into_iter().zip(said);
            let items = items.map(|(row, (text, case))| Notification::of(row, text, case));
            Ok(Page {
                items: items.collect::<Result<_>>()?,
                next_cursor: page.next_cursor,
                count: None,
            })
        })
        .await?;
    Answer::ok(&page)
}

/// How many messages wait to be read.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnreadCount {
    /// Messages that are not read, counted up to 1,000.
    #[schema(minimum = 0, maximum = 1000)]
    pub unread: i64,
}

/// Count my unread messages
///
/// Cheap enough to ask every minute.
#[utoipa::path(get, path = "/api/v1/notifications/unread-count", tag = "notifications",
    responses((status = 200, description = "How many there are", body = UnreadCount)))]
pub async fn count_unread_notifications(app: Data<App>, ctx: Ctx) -> Result<Answer> {
    let unread = app
        .db
        .read("notifications.unread", move |tx| {
            notifications::unread(tx, ctx.committee(), ctx.user(), UNREAD_CAP)
        })
        .await?;
    Answer::ok(&UnreadCount { unread })
}

/// Which messages are marked, and how: by name, or everything up to one.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "up_to": "noti_019a1b2c3d4e7f8090a1b2c3d4e5f607" }))]
pub struct MarkIn {
    /// These messages …
    #[serde(default)]
    #[schema(max_items = 100)]
    pub ids: Vec<NotificationId>,
    /// … or this one and everything older: only to mark as read.
    #[serde(default)]
    #[schema(nullable = false)]
    pub up_to: Option<NotificationId>,
    /// Read, or with `false` not read (any more).
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub read: bool,
}

const fn yes() -> bool {
    true
}

/// What marking came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Marked {
    /// Messages whose mark changed.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub changed: usize,
    /// Messages that are not read now, counted up to 1,000.
    #[schema(minimum = 0, maximum = 1000)]
    pub unread: i64,
}

/// Mark my messages
///
/// As read or not read: one, many, or everything up to one. Messages that are not the caller's are
/// passed over.
#[utoipa::path(post, path = "/api/v1/notifications/actions/mark", tag = "notifications",
    request_body = MarkIn,
    responses((status = 200, description = "What it came to", body = Marked)))]
pub async fn mark_notifications(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    let mark: MarkIn = body.parse()?;
    if mark.up_to.is_some() != mark.ids.is_empty() || (mark.up_to.is_some() && !mark.read) {
        return Err(Error::invalid(
            "/ids",
            "one_of",
            Message::new(
                "请给出 ids 或 up_to 之一；up_to 只用于标为已读。",
                "Give either ids or up_to; up_to only marks as read.",
            ),
        ));
    }
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let (committee, user, now) = (act.committee(), act.user(), act.now);
        let changed = match mark.up_to {
            Some(last) => notifications::mark_up_to(tx, committee, user, last, now)?,
            None => notifications::mark(tx, committee, user, &mark.ids, mark.read, now)?,
        };
        let unread = notifications::unread(tx, committee, user, UNREAD_CAP)?;
        Answer::ok(&Marked { changed, unread })
    })
    .await
}

/// How an account is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NotificationSettingsIn)]
pub struct NotificationSettingsIn {
    /// Where mails go; without it none are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 3,
        max_length = 254,
        pattern = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}))*$",
        example = "zhou.mingyuan@example.cn"
    )]
    pub email: Option<String>,
    /// The language of mails.
    #[serde(default = "chinese")]
    #[schema(default = json!("zh-CN"))]
    pub language: Language,
    /// By group, how mails come: groups that are not named come as usual.
    #[serde(default)]
    pub deliveries: Deliveries,
}

const fn chinese() -> Language {
    Language::Chinese
}

/// How mails of each group come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "assignment": "immediate", "tracking": "off" }))]
pub struct Deliveries {
    /// Invitations to sign; usually at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub invitation: Option<Delivery>,
    /// Examination and decisions; usually at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub decision: Option<Delivery>,
    /// Assignment and units; usually in the digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assignment: Option<Delivery>,
    /// Handling; usually in the digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub handling: Option<Delivery>,
    /// Replies and feedback; usually at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub answer: Option<Delivery>,
    /// Urgings and instructions; usually at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub urging: Option<Delivery>,
    /// Tracking and supervision; usually in the digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tracking: Option<Delivery>,
    /// Reminders of due dates; usually in the digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reminder: Option<Delivery>,
}

impl Deliveries {
    fn place(&mut self, group: Group) -> &mut Option<Delivery> {
        match group {
            Group::Invitation => &mut self.invitation,
            Group::Decision => &mut self.decision,
            Group::Assignment => &mut self.assignment,
            Group::Handling => &mut self.handling,
            Group::Answer => &mut self.answer,
            Group::Urging => &mut self.urging,
            Group::Tracking => &mut self.tracking,
            Group::Reminder => &mut self.reminder,
        }
    }

    fn choices(mut self) -> BTreeMap<Group, Delivery> {
        let groups = Group::ALL.iter();
        groups
            .filter_map(|group| self.place(*group).map(|delivery| (*group, delivery)))
            .collect()
    }
}

impl From<&Chosen> for NotificationSettingsIn {
    fn from(chosen: &Chosen) -> Self {
        let mut deliveries = Deliveries::default();
        for (group, delivery) in &chosen.choices {
            *deliveries.place(*group) = Some(*delivery);
        }
        Self {
            email: chosen.email.clone(),
            language: chosen.language,
            deliveries,
        }
    }
}

/// A merge patch of how an account is told.
pub struct NotificationSettingsPatch;

impl utoipa::PartialSchema for NotificationSettingsPatch {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let mut patch = super::register::patch_of::<NotificationSettingsIn>();
        // A merge patch goes down into the groups, too.
        if let RefOr::T(Schema::Object(patch)) = &mut patch {
            let groups = super::register::nullable(super::register::patch_of::<Deliveries>());
            patch.properties.insert("deliveries".to_owned(), groups);
        }
        patch
    }
}

impl ToSchema for NotificationSettingsPatch {
    fn schemas(schemas: &mut super::routes::Schemas) {
        NotificationSettingsIn::schemas(schemas);
    }
}

/// How an account is told, with what that means for each group.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotificationSettings {
    /// Where mails go; absent: none are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 254,
        example = "zhou.mingyuan@example.cn"
    )]
    pub email: Option<String>,
    /// The language of mails.
    pub language: Language,
    /// What was chosen.
    pub deliveries: Deliveries,
    /// Every group with how its mails come.
    #[schema(max_items = 20)]
    pub groups: Vec<GroupSetting>,
    /// Whether this service sends mails at all.
    pub mail_enabled: bool,
    /// Rises with every change; 0 before the first.
    #[schema(minimum = 0)]
    pub version: i32,
}

/// How mails of a group come.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupSetting {
    /// The group.
    pub group: Group,
    /// Its labels.
    pub label: Label,
    /// How its mails come.
    pub delivery: Delivery,
    /// How they come where nothing was chosen.
    pub usual: Delivery,
}

fn shown(chosen: &Chosen, mail_enabled: bool) -> Result<Answer> {
    let settings = NotificationSettingsIn::from(chosen);
    let groups = Group::ALL.iter().map(|group| GroupSetting {
        group: *group,
        label: group.label(),
        delivery: chosen.delivery(*group),
        usual: group.usual(),
    });
    let answer = NotificationSettings {
        email: settings.email,
        language: settings.language,
        deliveries: settings.deliveries,
        groups: groups.collect(),
        mail_enabled,
        version: chosen.version,
    };
    Ok(Answer::ok(&answer)?.version(chosen.version))
}

async fn show(app: &App, ctx: &Ctx, user: UserId) -> Result<Answer> {
    let (committee, mail) = (ctx.committee(), app.post().mail);
    app.db
        .read("notification_settings", move |tx| {
            accounts::find(tx, committee, user)?.ok_or_else(Error::not_found)?;
            shown(&notification_settings::find(tx, committee, user)?, mail)
        })
        .await
}

/// Changes the settings of an account, which is locked. The address does not stand in the trail.
fn change(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId, body: &RawBody) -> Result<Chosen> {
    let committee = ctx.committee();
    accounts::lock(tx, committee, user)?.ok_or_else(Error::not_found)?;
    let before = notification_settings::find(tx, committee, user)?;
    if user != ctx.user() || ctx.if_match != IfMatch::Missing {
        ctx.if_match.check(before.version)?;
    }
    let wanted = body.merge_into(&NotificationSettingsIn::from(&before))?;
    let after = Chosen {
        email: wanted.email,
        language: wanted.language,
        choices: wanted.deliveries.choices(),
        version: before.version + 1,
    };
    notification_settings::put(tx, committee, user, &after, ctx.now)?;
    let happening = Happening {
        name: "user.notification_settings_changed".to_owned(),
        rule: None,
        content: serde_json::json!({
            "address_changed": before.email != after.email,
            "language": after.language,
            "deliveries": after.choices,
        }),
    };
    let stream = Stream::of(committee, "user", user);
    let by = Circumstances::of(ctx, &[Role::Administrator]);
    events::append(tx, &stream, &by, happening)?;
    Ok(after)
}

async fn update(
    app: &App,
    ctx: Ctx,
    request: &HttpRequest,
    user: UserId,
    body: RawBody,
) -> Result<Answer> {
    let (ctx, mail) = (ctx.for_write(request, &body)?, app.post().mail);
    let act = ctx.clone();
    app.write(&ctx, move |tx| shown(&change(tx, &act, user, &body)?, mail))
        .await
}

/// How I am told
///
/// The own address for mails, their language, and how the mails of each group come.
#[utoipa::path(get, path = "/api/v1/notification-settings", tag = "notifications",
    responses((status = 200, description = "The settings", body = NotificationSettings)))]
pub async fn get_notification_settings(app: Data<App>, ctx: Ctx) -> Result<Answer> {
    let user = ctx.user();
    show(&app, &ctx, user).await
}

/// Change how I am told
///
/// A merge patch. The address is shown to the account itself and to administrators only.
#[utoipa::path(patch, path = "/api/v1/notification-settings", tag = "notifications",
    request_body(content = NotificationSettingsPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The settings as they are now", body = NotificationSettings)))]
pub async fn update_notification_settings(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let user = ctx.user();
    update(&app, ctx, &request, user, body).await
}

/// How an account is told
///
/// For administrators, who may enter the address for others.
#[utoipa::path(get, path = "/api/v1/users/{user_id}/notification-settings", tag = "notifications",
    params(("user_id" = UserId, Path, description = "The account.")),
    responses((status = 200, description = "The settings", body = NotificationSettings)))]
pub async fn get_user_notification_settings(
    app: Data<App>,
    ctx: Ctx,
    PathId(user): PathId<kind::User>,
) -> Result<Answer> {
    show(&app, &ctx, user).await
}

/// Change how an account is told
///
/// A merge patch, by an administrator.
#[utoipa::path(patch, path = "/api/v1/users/{user_id}/notification-settings", tag = "notifications",
    params(("user_id" = UserId, Path, description = "The account.")),
    request_body(content = NotificationSettingsPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The settings as they are now", body = NotificationSettings)))]
pub async fn update_user_notification_settings(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathId(user): PathId<kind::User>,
    body: RawBody,
) -> Result<Answer> {
    update(&app, ctx, &request, user, body).await
}

/// Narrows the list of mails.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MailParams {
    /// Only mails that are so far.
    #[param(inline, required = false)]
    status: Option<MailStatus>,
    #[serde(default)]
    #[param(ignore)]
    limit: PageSize,
    #[param(ignore)]
    cursor: Option<String>,
}

/// A mail, without what it says and without the address.
#[derive(Debug, Serialize, ToSchema)]
pub struct Mail {
    /// Identifier; its digits stand in the Message-ID.
    pub id: MailId,
    /// The reader.
    pub user_id: UserId,
    /// What it is.
    pub kind: MailKind,
    /// How far it is.
    pub status: MailStatus,
    /// Label of the status.
    pub status_label: Label,
    /// What the mail server said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 500)]
    pub last_answer: Option<String>,
    /// Since when it is wanted.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub created_at: Timestamp,
    /// When it was sent or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub finished_at: Option<Timestamp>,
}

impl From<MailRow> for Mail {
    fn from(row: MailRow) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            kind: row.kind,
            status: row.status,
            status_label: row.status.label(),
            last_answer: row.last_answer,
            created_at: row.created_at.0,
            finished_at: row.finished_at.map(|at| at.0),
        }
    }
}

/// List mails
///
/// What became of the committee's mails, newest first: those that were refused (`bounced`) need
/// another address, those that failed a look at the mail server.
#[utoipa::path(get, path = "/api/v1/mails", tag = "notifications",
    params(MailParams, CursorParams),
    responses((status = 200, description = "A page of mails", body = Page<Mail>)))]
pub async fn list_mails(
    app: Data<App>,
    ctx: Ctx,
    Params(params): Params<MailParams>,
) -> Result<Answer> {
    let binding = Binding::new(&ctx, &params.status);
    let after: Option<MailId> = params
        .cursor
        .as_deref()
        .map(|cursor| binding.decode(cursor))
        .transpose()?;
    let page = app
        .db
        .read("mails", move |tx| {
            let limit = params.limit.get() + 1;
            let rows = mails::list(tx, ctx.committee(), params.status, after, limit)?;
            binding.page(rows, params.limit, |row| row.id)
        })
        .await?;
    Answer::ok(&page.map(Mail::from))
}
