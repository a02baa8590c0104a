//! The explanation of a clock as the interface shows it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::clock_out::{ClockChangeFacts, ClockFacts};
use crate::app::Ctx;
use crate::codes::Label;
use crate::ids::{CaseRequestId, UserId};
use crate::workflow::access;
use crate::workflow::case::{Case, Clock, ClockChange};
use crate::workflow::deadline::{self, Explanation};
use crate::workflow::explain::{self, Count, DayVerdict, ExplainedDay, Origin};

/// Where a limit comes from.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockRule {
    /// Key of the policy profile; absent where the limit is no key of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, example = "return.window")]
    pub policy_key: Option<&'static str>,
    /// What it means.
    pub label: Label,
    /// Version of the policy profile in force at the start.
    #[schema(minimum = 1, example = 1)]
    pub profile_version: i32,
    /// The limit: amount and unit, or `until` and a date.
    #[schema(max_length = 40, example = "5 wd")]
    pub limit: String,
}

/// What started it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockStart {
    /// The event, in words.
    pub label: Label,
    /// The moment from which it counts.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub at: Timestamp,
    /// Its local day, which is not counted.
    #[schema(value_type = String, format = Date, max_length = 10)]
    pub on: Date,
}

/// A day of a count, or a jump to one.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockDay {
    /// The local day.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2025-09-28")]
    pub date: Date,
    /// What it means for the count.
    pub verdict: DayVerdict,
    /// The same in words.
    pub label: Label,
    /// Units counted so far, this one included: working days one by one, other units in one jump.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 87_600, example = 1)]
    pub n: Option<u32>,
    /// Name of the holiday.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 50, example = "国庆节、中秋节")]
    pub name: Option<String>,
    /// Paused days: this one, or those by which the end moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub days: Option<i64>,
}

impl From<ExplainedDay> for ClockDay {
    fn from(day: ExplainedDay) -> Self {
        Self {
            date: day.date,
            verdict: day.verdict,
            label: day.verdict.label(),
            n: day.n,
            name: day.name,
            days: day.days,
        }
    }
}

/// A change of a clock with what it was decided on.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainedChange {
    /// The change.
    #[serde(flatten)]
    pub change: ClockChangeFacts,
    /// The request that was granted, where the caller may read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub decision: Option<ChangeDecision>,
}

/// The decision on an extension or a pause.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeDecision {
    /// The request.
    pub request_id: CaseRequestId,
    /// Why it was asked for.
    #[schema(max_length = 2000)]
    pub reason: String,
    /// When it was decided.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub decided_at: Timestamp,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200, example = "市政府办公室交办人员")]
    pub decided_by: Option<String>,
    /// In which words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub note: Option<String>,
}

/// Why a clock is due on its day.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockExplanation {
    /// The clock with its original and current due date.
    pub clock: ClockFacts,
    /// Where its limit comes from.
    pub rule: ClockRule,
    /// What started it.
    pub start: ClockStart,
    /// Every day, or every jump, from the start to the last day of the period.
    #[schema(max_items = 20_100)]
    pub days: Vec<ClockDay>,
    /// Days left out because there are too many.
    #[schema(minimum = 0)]
    pub omitted_days: usize,
    /// Pauses, extensions and new counts, in order of time, with their decisions.
    #[schema(max_items = 50)]
    pub changes: Vec<ExplainedChange>,
}

impl ClockExplanation {
    /// Puts the parts together, as far as the caller may read them.
    pub fn of(
        ctx: &Ctx,
        case: &Case,
        clock: &Clock,
        told: Count,
        origin: Origin,
        deciders: &BTreeMap<UserId, String>,
    ) -> Self {
        let changes = clock.changes.iter();
        Self {
            clock: ClockFacts::of(clock, ctx.now),
            rule: ClockRule {
                policy_key: origin.key,
                label: origin.label,
                profile_version: clock.profile_version,
                limit: clock.limit.clone(),
            },
            start: ClockStart {
                label: explain::start_event(clock.kind),
                at: clock.started_at,
                on: deadline::local_date(clock.started_at),
            },
            days: told.days.into_iter().map(Into::into).collect(),
            omitted_days: told.omitted,
            changes: changes
                .map(|change| ExplainedChange {
                    change: change.into(),
                    decision: decision(ctx, case, clock, change, deciders),
                })
                .collect(),
        }
    }
}

fn decision(
    ctx: &Ctx,
    case: &Case,
    clock: &Clock,
    change: &ClockChange,
    deciders: &BTreeMap<UserId, String>,
) -> Option<ChangeDecision> {
    let request = case
        .requests
        .get(explain::request_of(case, clock, change)?)?;
    let decision = request.decision.as_ref()?;
    access::may_read_request(case, request, &ctx.principal.actor()).then(|| ChangeDecision {
        request_id: request.id,
        reason: request.form.reason.clone(),
        decided_at: decision.at,
        decided_by: decision.by.and_then(|user| deciders.get(&user).cloned()),
        note: decision.note.clone(),
    })
}

/// What a trial count came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhatIfOut {
    /// The calendar it was counted with.
    #[schema(minimum = 1, example = 1)]
    pub calendar_version: i32,
    /// The limit.
    #[schema(max_length = 40, example = "5 wd")]
    pub limit: String,
    /// The start.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub start: Timestamp,
    /// Every day, or every jump, from the start to the last day of the period.
    #[schema(max_items = 20_100)]
    pub days: Vec<ClockDay>,
    /// Days left out because there are too many.
    #[schema(minimum = 0)]
    pub omitted_days: usize,
    /// The due moment without the pauses.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub original_due_at: Timestamp,
    /// The due moment.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub due_at: Timestamp,
    /// The last day, in the committee's time zone.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2025-10-10")]
    pub due_on: Date,
    /// A year without holiday data was counted.
    pub provisional: bool,
}

impl WhatIfOut {
    /// From the count.
    pub fn of(told: Explanation) -> Self {
        Self {
            calendar_version: told.calendar_version,
            limit: told.limit.to_string(),
            start: told.start,
            omitted_days: told.omitted_steps,
            original_due_at: told.original.at,
            due_at: told.due.at,
            due_on: deadline::last_day(told.due.at),
            provisional: told.due.provisional,
            days: told
                .steps
                .into_iter()
                .map(|step| ExplainedDay::from(step).into())
                .collect(),
        }
    }
}
