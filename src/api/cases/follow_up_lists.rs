//! Lists over all cases: promises and instructions.

use actix_web::web::Data;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::follow_up::{FollowUpContent, overdue};
use crate::api::extract::Listing;
use crate::api::page::{Binding, COUNT_CAP, Page, PageParams};

use crate::api::routes::{Access, Routes};
use crate::app::{Answer, App, Ctx};
use crate::codes::Label;
use crate::enter;
use crate::error::Result;
use crate::ids::{FollowUpId, PromiseId, ProposalId, ReplyId, UnitId};
use crate::store::follow_ups::{
    self, InstructionFilter, InstructionLine, PromiseFilter, PromiseLine,
};
use crate::workflow::access::READ_RESTRICTED;
use crate::workflow::codes::{FollowUpStatus, PromiseStatus};
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::role::Role;

/// Those who read promises and unrestricted instructions of every unit.
const OVERSEE: [Role; 6] = [
    Role::CommitteeStaff,
    Role::CommitteeChair,
    Role::AssigningOfficer,
    Role::SupervisionOfficer,
    Role::Leader,
    Role::Auditor,
];

/// Those who oversee, and the units for their own.
const READERS: &[Role] = &[
    Role::CommitteeStaff,
    Role::CommitteeChair,
    Role::AssigningOfficer,
    Role::SupervisionOfficer,
    Role::Leader,
    Role::Auditor,
    Role::UnitClerk,
    Role::UnitSignatory,
];

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::Roles(READERS), [__path_list_promises] list_promises);
    enter!(routes, Access::Roles(READERS), [__path_list_instructions] list_instructions);
}

/// Filters of the list of promises.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PromiseListFilter {
    /// Of this unit.
    #[param(required = false)]
    unit_id: Option<UnitId>,
    /// This far.
    #[param(inline, required = false)]
    status: Option<PromiseStatus>,
    /// Due before this day.
    #[param(value_type = String, format = Date, max_length = 10, required = false)]
    due_before: Option<Date>,
}

/// A promise with its case in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromiseItem {
    /// Identifier.
    pub id: PromiseId,
    /// The reply that it hangs on.
    pub reply_id: ReplyId,
    /// The unit that owes it.
    pub unit_id: UnitId,
    /// How far it is.
    pub status: PromiseStatus,
    /// Label of the status.
    pub status_label: Label,
    /// What is promised.
    #[schema(max_length = 1000)]
    pub text: String,
    /// Who is responsible.
    #[schema(max_length = 50)]
    pub person: String,
    /// By when.
    #[schema(value_type = String, format = Date, max_length = 10)]
    pub due_on: Date,
    /// It is open and its day is past.
    pub overdue: bool,
    /// The case.
    pub proposal_id: ProposalId,
    /// Its title.
    #[schema(max_length = 200)]
    pub title: String,
    /// 案号.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub case_no: Option<i32>,
    /// Status of the case.
    pub proposal_status: ProposalStatus,
}

impl PromiseItem {
    fn of(line: PromiseLine, now: Timestamp) -> Self {
        Self {
            id: line.id,
            reply_id: line.reply_id,
            unit_id: line.unit_id,
            status: line.status,
            status_label: line.status.label(),
            text: line.text,
            person: line.person,
            due_on: line.due_on.0,
            overdue: line.status == PromiseStatus::Open && overdue(line.due_on.0, now),
            proposal_id: line.proposal_id,
            title: line.title,
            case_no: line.case_no,
            proposal_status: line.proposal_status,
        }
    }
}

/// Of one unit, as far as the caller may read: everything for those who oversee, the own units for
/// the others.
fn units(ctx: &Ctx, wanted: Option<UnitId>) -> Option<Vec<UnitId>> {
    if ctx.principal.has_any(&OVERSEE) {
        return wanted.map(|unit| vec![unit]);
    }
    let own = ctx.principal.actor();
    let own = own
        .units()
        .filter(|unit| wanted.is_none_or(|it| it == *unit));
    Some(own.collect())
}

/// List promises
///
/// Promises of delivered replies and of supervision, earliest due first: those of the caller's
/// units, or of every unit for those who oversee the handling.
#[utoipa::path(get, path = "/api/v1/promises", tag = "proposals",
    params(PromiseListFilter, PageParams),
    responses((status = 200, description = "A page of promises", body = Page<PromiseItem>)))]
pub async fn list_promises(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<PromiseListFilter>,
) -> Result<Answer> {
    let Listing { filter, page } = listing;
    let binding = Binding::new(&ctx, &filter);
    let cursor = page.cursor.as_deref();
    let after = cursor.map(|cursor| binding.decode(cursor)).transpose()?;
    let filter = PromiseFilter {
        units: units(&ctx, filter.unit_id),
        status: filter.status,
        due_before: filter.due_before,
    };
    let answer = app
        .db
        .read("promises", move |tx| {
            let (committee, limit) = (ctx.committee(), page.limit.get() + 1);
            let rows = follow_ups::promises(tx, committee, &filter, after, limit)?;
            let mut answer = binding.page(rows, page.limit, |row| (row.due_on.0, row.id))?;
            if page.count {
                let count = follow_ups::count_promises(tx, committee, &filter, COUNT_CAP)?;
                answer.count = Some(count);
            }
            Ok(answer.map(|row| PromiseItem::of(row, ctx.now)))
        })
        .await?;
    Answer::ok(&answer)
}

/// Filters of the list of instructions.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InstructionListFilter {
    /// To this unit.
    #[param(required = false)]
    unit_id: Option<UnitId>,
    /// `open` (default) or `answered`.
    #[param(inline, required = false)]
    status: Option<FollowUpStatus>,
}

/// An item of an instruction with its case in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct InstructionItem {
    /// Identifier.
    pub id: FollowUpId,
    /// The instruction; its items share it.
    pub act_id: FollowUpId,
    /// How far it is.
    pub status: FollowUpStatus,
    /// Label of the status.
    pub status_label: Label,
    /// The unit it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unit_id: Option<UnitId>,
    /// By when feedback is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub due_on: Option<Date>,
    /// It waits for feedback and its day is past.
    pub overdue: bool,
    /// Who may read it is limited.
    pub restricted: bool,
    /// What it says.
    pub content: FollowUpContent,
    /// The feedback.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub answer: Option<String>,
    /// When it was entered.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// The case.
    pub proposal_id: ProposalId,
    /// Its title.
    #[schema(max_length = 200)]
    pub title: String,
    /// 案号.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub case_no: Option<i32>,
}

impl InstructionItem {
    fn of(line: InstructionLine, now: Timestamp) -> Self {
        let due_on = line.due_on.map(|day| day.0);
        let mut content: FollowUpContent =
            serde_json::from_value(line.content.0).unwrap_or_default();
        content.promised_for = None;
        Self {
            id: line.id,
            act_id: line.act_id,
            status: line.status,
            status_label: line.status.label(),
            unit_id: line.unit_id,
            due_on,
            overdue: line.status == FollowUpStatus::Open
                && due_on.is_some_and(|day| overdue(day, now)),
            restricted: line.restricted,
            content,
            answer: line.answer,
            at: line.created_at.0,
            proposal_id: line.proposal_id,
            title: line.title,
            case_no: line.case_no,
        }
    }
}

/// A page of items of instructions.
#[derive(Debug, Serialize, ToSchema)]
pub struct InstructionPage {
    /// The items, at most `limit`: one for each unit of an instruction.
    #[schema(max_items = 100)]
    pub items: Vec<InstructionItem>,
    /// Give it as `cursor` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, nullable = false)]
    pub next_cursor: Option<String>,
    /// Number of items on all pages, with `count=true`; counted up to 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 10_000, nullable = false)]
    pub count: Option<i64>,
    /// 件次, with `count=true`: of how many instructions these items are; one document instructed
    /// twice counts two.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 10_000, nullable = false)]
    pub item_times: Option<i64>,
}

/// List instructions
///
/// Instructions of leaders that wait for feedback, or were answered, earliest due first: those to
/// the caller's units; every one for leaders, chair, staff and auditors; unrestricted ones for
/// supervision and assigning officers.
#[utoipa::path(get, path = "/api/v1/instructions", tag = "proposals",
    params(InstructionListFilter, PageParams),
    responses((status = 200, description = "A page of items", body = InstructionPage)))]
pub async fn list_instructions(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<InstructionListFilter>,
) -> Result<Answer> {
    let Listing { filter, page } = listing;
    let binding = Binding::new(&ctx, &filter);
    let cursor = page.cursor.as_deref();
    let after = cursor.map(|cursor| binding.decode(cursor)).transpose()?;
    let every = ctx.principal.has_any(&READ_RESTRICTED);
    let filter = InstructionFilter {
        status: filter.status.unwrap_or(FollowUpStatus::Open),
        unit: filter.unit_id,
        readable_units: (!every).then(|| ctx.principal.actor().units().collect()),
        others: ctx.principal.has_any(&OVERSEE),
    };
    let answer = app
        .db
        .read("instructions", move |tx| {
            let (committee, limit) = (ctx.committee(), page.limit.get() + 1);
            let rows = follow_ups::instructions(tx, committee, &filter, after, limit)?;
            let rows = binding.page(rows, page.limit, |row| {
                (row.due_on.map(|day| day.0), row.id)
            })?;
            let counted = page
                .count
                .then(|| follow_ups::count_instructions(tx, committee, &filter, COUNT_CAP))
                .transpose()?;
            let rows = rows.map(|row| InstructionItem::of(row, ctx.now));
            Ok(InstructionPage {
                items: rows.items,
                next_cursor: rows.next_cursor,
                count: counted.map(|counted| counted.0),
                item_times: counted.map(|counted| counted.1),
            })
        })
        .await?;
    Answer::ok(&answer)
}
