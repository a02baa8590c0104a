//! What is due and what is overdue, over all cases that the caller looks after.

use actix_web::web::Data;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::extract::Listing;
use crate::api::page::{Binding, COUNT_CAP, Page, PageParams};
use crate::api::routes::{Access, Routes};
use crate::app::{Answer, App, Ctx};
use crate::codes::Label;
use crate::enter;
use crate::error::Result;
use crate::ids::{ClockId, ProposalId, UnitId};
use crate::store::clocks::{self, ClockRow, Filter, Names, Scope};
use crate::workflow::access::{READ_RESTRICTED, Reach};
use crate::workflow::codes::ClockKind;
use crate::workflow::deadline::{days_left, end_of_day, last_day, local_date, overdue};
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::role::{Actor, Line, Role};

/// Who looks after clocks: of the whole committee, of a line, of a unit.
const LOOK_AFTER: &[Role] = &[
    Role::CommitteeStaff,
    Role::CommitteeChair,
    Role::SupervisionOfficer,
    Role::Auditor,
    Role::AssigningOfficer,
    Role::UnitClerk,
    Role::UnitSignatory,
];

/// Those of them who see every unit's.
const EVERYTHING: [Role; 4] = [
    Role::CommitteeStaff,
    Role::CommitteeChair,
    Role::SupervisionOfficer,
    Role::Auditor,
];

/// Days ahead that count as due soon.
const SOON: i64 = 7;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::Roles(LOOK_AFTER), [__path_list_clocks] list_clocks);
}

crate::code_list! {
    /// How far a running clock is; computed, never stored.
    pub enum ClockState {
        Running = "running", "未逾期", "not overdue";
        Due = "due", "七日内到期", "due today or within seven days";
        Overdue = "overdue", "已逾期", "overdue";
    }
}

/// Narrows the list of running clocks.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ClockFilter {
    /// Only clocks that concern this unit.
    #[param(nullable = false)]
    pub unit_id: Option<UnitId>,
    /// Only clocks of cases of this assigning line.
    #[param(inline, nullable = false)]
    pub line: Option<Line>,
    /// Only clocks of this kind.
    #[param(inline, nullable = false)]
    pub kind: Option<ClockKind>,
    /// Only clocks of this state; left out: every running clock.
    #[param(inline, nullable = false)]
    pub state: Option<ClockState>,
    /// Only clocks whose last day comes before this one.
    #[param(value_type = Option<String>, format = Date, nullable = false, example = "2026-04-01")]
    pub due_before: Option<Date>,
}

/// The case of a clock, in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockCase {
    /// Identifier.
    pub id: ProposalId,
    /// 案由.
    #[schema(max_length = 200, example = "关于优化老城区公交微循环线路的提案")]
    pub title: String,
    /// Name of the first proposer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200, example = "周明远")]
    pub first_proposer: Option<String>,
    /// 案号.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub case_no: Option<i32>,
    /// 流水号.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub serial_no: Option<i32>,
    /// Status.
    pub status: ProposalStatus,
    /// Label of the status.
    pub status_label: Label,
}

/// A running clock in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockItem {
    /// Identifier; `/clocks/{clock_id}/explanation` says why it is due on that day.
    pub id: ClockId,
    /// Which clock.
    pub kind: ClockKind,
    /// Its label.
    pub label: Label,
    /// The unit it concerns; absent where it concerns the proposal or a proposer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unit_id: Option<UnitId>,
    /// Name of the unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200, example = "市交通运输局")]
    pub unit_name: Option<String>,
    /// Assigning line of the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub line: Option<Line>,
    /// When it started.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub started_at: Timestamp,
    /// Due moment.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub due_at: Timestamp,
    /// Due moment when it started.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub original_due_at: Timestamp,
    /// The last day, in the committee's time zone.
    #[schema(value_type = String, format = Date, max_length = 10)]
    pub due_on: Date,
    /// Calendar days left; negative when overdue.
    pub days_left: i64,
    /// Computed, never stored.
    pub overdue: bool,
    /// The calendar has no data for the year yet.
    pub provisional: bool,
    /// The case.
    pub proposal: ClockCase,
}

impl ClockItem {
    /// `None` if its case was not there any more when the page was put together.
    fn of(row: &ClockRow, names: &Names, now: Timestamp) -> Option<Self> {
        let (due, case) = (row.due_at.0, names.cases.get(&row.proposal_id)?);
        Some(Self {
            id: row.id,
            kind: row.kind,
            label: row.kind.label(),
            unit_id: row.unit_id,
            unit_name: row.unit_id.and_then(|unit| names.units.get(&unit).cloned()),
            line: row.line,
            started_at: row.started_at.0,
            due_at: due,
            original_due_at: row.original_due.0,
            due_on: last_day(due),
            days_left: days_left(due, now),
            overdue: overdue(due, now),
            provisional: row.provisional,
            proposal: ClockCase {
                id: row.proposal_id,
                title: case.title.clone(),
                first_proposer: names.proposers.get(&row.proposal_id).cloned(),
                case_no: case.case_no,
                serial_no: case.serial_no,
                status: case.status,
                status_label: case.status.label(),
            },
        })
    }
}

/// Whose clocks the caller looks after.
fn scope(actor: &Actor) -> Scope {
    let any = |roles: &[Role]| roles.iter().any(|role| actor.has(*role));
    let officers = actor.grants.iter();
    Scope {
        everything: any(&EVERYTHING),
        units: actor.units().collect(),
        lines: officers
            .filter(|grant| grant.role == Role::AssigningOfficer)
            .filter_map(|grant| grant.line)
            .collect(),
        restricted: any(&READ_RESTRICTED),
        unfiled: Reach::of(actor).everything,
    }
}

impl ClockFilter {
    fn at(&self, now: Timestamp) -> Filter {
        let soon = local_date(now).saturating_add(jiff::SignedDuration::from_hours(24 * SOON));
        let before = self
            .due_before
            .map(|day| end_of_day(day.yesterday().unwrap_or(day)));
        let (from, late, until) = match self.state {
            None => (None, None, before),
            Some(ClockState::Running) => (Some(now), None, before),
            Some(ClockState::Overdue) => (None, Some(now), before),
            Some(ClockState::Due) => {
                let end = end_of_day(soon);
                (
                    Some(now),
                    None,
                    Some(before.map_or(end, |before| before.min(end))),
                )
            }
        };
        Filter {
            unit: self.unit_id,
            line: self.line,
            kind: self.kind,
            from,
            before: late,
            until,
        }
    }
}

/// List running clocks
///
/// Those due first in front: units see their own, assigning officers those of their line, staff,
/// chair, supervision and auditors all, of cases that they may read. Windows that have closed
/// (invitations, returns, feedback) are not listed: nobody is late. `state=overdue` gives what is
/// late, `state=due` what is due within seven days.
#[utoipa::path(get, path = "/api/v1/clocks", tag = "clocks",
    params(ClockFilter, PageParams),
    responses((status = 200, description = "A page of clocks.", body = Page<ClockItem>)))]
pub async fn list_clocks(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<ClockFilter>,
) -> Result<Answer> {
    let Listing { filter, page } = listing;
    let binding = Binding::new(&ctx, &filter);
    let cursor = page.cursor.as_deref();
    let after = cursor.map(|cursor| binding.decode(cursor)).transpose()?;
    let scope = scope(&ctx.principal.actor());
    let page = app
        .db
        .read("clock.list", move |tx| {
            let (committee, filter) = (ctx.committee(), filter.at(ctx.now));
            let limit = page.limit.get() + 1;
            let rows = clocks::list(tx, committee, &scope, &filter, ctx.now, after, limit)?;
            let mut found = binding.page(rows, page.limit, |row| (row.due_at.0, row.id))?;
            if page.count {
                let count = clocks::count(tx, committee, &scope, &filter, ctx.now, COUNT_CAP)?;
                found.count = Some(count);
            }
            let names = clocks::names(tx, committee, &found.items)?;
            let now = ctx.now;
            let items = found.items.into_iter();
            Ok(Page {
                items: items
                    .filter_map(|row| ClockItem::of(&row, &names, now))
                    .collect(),
                next_cursor: found.next_cursor,
                count: found.count,
            })
        })
        .await?;
    Answer::ok(&page)
}
