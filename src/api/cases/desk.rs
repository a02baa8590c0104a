//! The desk: what waits for the caller.

use actix_web::web::Data;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::extract::Params;
use crate::api::page::{Binding, COUNT_CAP, Page, PageParams, PageSize};
use crate::api::routes::{Access, Routes};
use crate::app::{Answer, App, Ctx};
use crate::codes::Label;
use crate::enter;
use crate::error::Result;
use crate::ids::{
    AssignmentId, DutyId, FollowUpId, PromiseId, ProposalId, ProposerId, ReferralId, ReplyId,
};
use crate::store::desk::{self, Asker, DutyRow, NEVER, Names};
use crate::workflow::deadline;
use crate::workflow::desk::{Audience, Task};
use crate::workflow::proposal::ProposalStatus;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::SignedIn, [__path_get_desk] get_desk);
}

/// Parameters of the desk.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeskParams {
    /// Only duties of this kind.
    #[param(inline, required = false)]
    task: Option<Task>,
    #[serde(default)]
    #[param(ignore)]
    limit: PageSize,
    #[param(ignore)]
    cursor: Option<String>,
    #[serde(default)]
    #[param(ignore)]
    count: bool,
}

/// Something that waits for the caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeskItem {
    /// Identifier.
    pub id: DutyId,
    /// What is expected.
    pub task: Task,
    /// Its labels.
    pub task_label: Label,
    /// The case.
    pub proposal_id: ProposalId,
    /// Its title.
    #[schema(max_length = 200, example = "关于优化老城区公交微循环线路的提案")]
    pub title: String,
    /// Name of the first proposer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200, example = "周明远")]
    pub first_proposer: Option<String>,
    /// The unit of the row or reply it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200, example = "市交通运输局")]
    pub unit_name: Option<String>,
    /// 审核驳回: the review sent the reply back.
    pub rejected: bool,
    /// 案号.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub case_no: Option<i32>,
    /// 流水号.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub serial_no: Option<i32>,
    /// Status of the case.
    pub status: ProposalStatus,
    /// Label of the status.
    pub status_label: Label,
    /// The unit's row it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assignment_id: Option<AssignmentId>,
    /// The reply it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reply_id: Option<ReplyId>,
    /// The invitation it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub proposer_id: Option<ProposerId>,
    /// The promise it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub promise_id: Option<PromiseId>,
    /// The urging or instruction it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub follow_up_id: Option<FollowUpId>,
    /// The referral it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub referral_id: Option<ReferralId>,
    /// Where the actions on it are listed.
    #[schema(max_length = 300)]
    pub actions_href: String,
    /// When it is due; absent where no clock runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub due_at: Option<Timestamp>,
    /// The last day, in the committee's time zone; what to show to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub due_on: Option<Date>,
    /// Calendar days left; negative when overdue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub days_left: Option<i64>,
    /// The time has run out.
    pub overdue: bool,
    /// Since when it waits.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub waiting_since: Timestamp,
}

impl DeskItem {
    fn of(row: DutyRow, names: &Names, now: Timestamp) -> Self {
        let due_at = Some(row.due_at.0).filter(|due| *due < NEVER);
        let is = |kind: &str| row.subject_kind == kind;
        let (assignment_id, reply_id): (Option<AssignmentId>, Option<ReplyId>) = (
            is("assignment").then(|| row.subject_id.cast()),
            is("reply").then(|| row.subject_id.cast()),
        );
        let actions_href = match (assignment_id, reply_id) {
            (Some(id), _) => format!("/api/v1/assignments/{id}/actions"),
            // Feedback on a reply is an action of the proposal.
            (_, Some(id)) if row.task != Task::GiveFeedback => {
                format!("/api/v1/replies/{id}/actions")
            }
            _ => format!("/api/v1/proposals/{}/actions", row.proposal_id),
        };
        Self {
            id: row.id,
            task: row.task,
            task_label: row.task.label(),
            proposal_id: row.proposal_id,
            title: row.title,
            first_proposer: names.proposers.get(&row.proposal_id).cloned(),
            unit_name: names.units.get(&row.subject_id).cloned(),
            rejected: names.rejected.contains(&row.subject_id)
                && matches!(row.task, Task::Reply | Task::Sign),
            case_no: row.case_no,
            serial_no: row.serial_no,
            status: row.status,
            status_label: row.status.label(),
            assignment_id,
            reply_id,
            promise_id: is("promise").then(|| row.subject_id.cast()),
            follow_up_id: is("follow_up").then(|| row.subject_id.cast()),
            referral_id: is("referral").then(|| row.subject_id.cast()),
            proposer_id: (row.subject_kind == "proposer").then(|| row.subject_id.cast()),
            actions_href,
            due_at,
            due_on: due_at.map(deadline::last_day),
            days_left: due_at.map(|due| deadline::days_left(due, now)),
            overdue: due_at.is_some_and(|due| deadline::overdue(due, now)),
            waiting_since: row.created_at.0,
        }
    }
}

/// What waits for me
///
/// Everything that the caller's roles are expected to do, oldest due first; what has no due date
/// comes last. Proposals that the caller signed are left out of examination and decision.
#[utoipa::path(get, path = "/api/v1/desk", tag = "desk",
    params(DeskParams, PageParams),
    responses((status = 200, description = "A page of duties", body = Page<DeskItem>)))]
pub async fn get_desk(
    app: Data<App>,
    ctx: Ctx,
    Params(params): Params<DeskParams>,
) -> Result<Answer> {
    let binding = Binding::new(&ctx, &params.task);
    let after = params
        .cursor
        .as_deref()
        .map(|cursor| binding.decode(cursor))
        .transpose()?;
    let principal = ctx.principal.clone();
    let asker = Asker {
        user: principal.user,
        now: ctx.now,
        member: principal.member,
        audiences: principal
            .grants
            .iter()
            .filter_map(|grant| Audience::of(grant, principal.member))
            .collect(),
    };
    let page = app
        .db
        .read("desk", move |tx| {
            let limit = params.limit.get() + 1;
            let rows = desk::list(tx, ctx.committee(), &asker, params.task, after, limit)?;
            let mut page = binding.page(rows, params.limit, |row| (row.due_at.0, row.id))?;
            if params.count {
                page.count = Some(desk::count(
                    tx,
                    ctx.committee(),
                    &asker,
                    params.task,
                    COUNT_CAP,
                )?);
            }
            let names = desk::names(tx, ctx.committee(), &page.items)?;
            Ok(page.map(|row| DeskItem::of(row, &names, ctx.now)))
        })
        .await?;
    Answer::ok(&page)
}
