//! Clocks as the interface shows them.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use crate::codes::Label;
use crate::ids::{
    AssignmentId, CaseRequestId, ClockId, FollowUpId, PromiseId, ProposerId, ReplyId,
};
use crate::workflow::case::{Clock, ClockChange};
use crate::workflow::codes::ClockKind;
use crate::workflow::deadline;

/// A clock.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockFacts {
    /// Identifier.
    pub id: ClockId,
    /// Which clock.
    pub kind: ClockKind,
    /// Its label.
    pub label: Label,
    /// The unit's row it runs for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assignment_id: Option<AssignmentId>,
    /// The reply it runs for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reply_id: Option<ReplyId>,
    /// The request it runs for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub request_id: Option<CaseRequestId>,
    /// The promise it runs for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub promise_id: Option<PromiseId>,
    /// The urging or instruction it runs for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub follow_up_id: Option<FollowUpId>,
    /// The proposer it runs for. A clock of none of these runs for the proposal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub proposer_id: Option<ProposerId>,
    /// When it started.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub started_at: Timestamp,
    /// The limit, such as `5 wd`.
    #[schema(max_length = 40, example = "5 wd")]
    pub limit: String,
    /// Version of the policy profile in force at its start.
    #[schema(minimum = 1, example = 1)]
    pub profile_version: i32,
    /// Version of the calendar that it was counted with.
    #[schema(minimum = 1, example = 1)]
    pub calendar_version: i32,
    /// When it stopped; absent while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = DateTime, max_length = 40)]
    pub stopped_at: Option<Timestamp>,
    /// Due moment.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub due_at: Timestamp,
    /// Due moment when it started.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub original_due_at: Timestamp,
    /// Pauses and extensions, in order of time.
    #[schema(max_items = 50)]
    pub changes: Vec<ClockChangeFacts>,
    /// It stands still until this day, on which it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub paused_until: Option<Date>,
    /// The last day, in the committee's time zone; what to show to people.
    #[schema(value_type = String, format = Date, max_length = 10)]
    pub due_on: Date,
    /// Calendar days left; negative when overdue. Of a stopped clock: those left when it stopped.
    pub days_left: i64,
    /// Computed, never stored. Of a stopped clock: it stopped too late.
    pub overdue: bool,
    /// The calendar has no data for the year yet.
    pub provisional: bool,
}

const fn runs_for_row(kind: ClockKind) -> bool {
    matches!(
        kind,
        ClockKind::K05
            | ClockKind::K06
            | ClockKind::K07
            | ClockKind::K08
            | ClockKind::K09
            | ClockKind::K10
    )
}

impl ClockFacts {
    /// A clock as it stands now.
    pub fn of(clock: &Clock, now: Timestamp) -> Self {
        let now = clock.stopped_at.unwrap_or(now);
        Self {
            id: clock.id,
            kind: clock.kind,
            label: clock.kind.label(),
            assignment_id: runs_for_row(clock.kind).then(|| clock.subject.cast()),
            reply_id: matches!(clock.kind, ClockKind::K11 | ClockKind::K18)
                .then(|| clock.subject.cast()),
            request_id: matches!(clock.kind, ClockKind::K13 | ClockKind::K14)
                .then(|| clock.subject.cast()),
            promise_id: (clock.kind == ClockKind::K15).then(|| clock.subject.cast()),
            follow_up_id: matches!(clock.kind, ClockKind::K19 | ClockKind::K21)
                .then(|| clock.subject.cast()),
            proposer_id: matches!(clock.kind, ClockKind::K01 | ClockKind::K12)
                .then(|| clock.subject.cast()),
            started_at: clock.started_at,
            limit: clock.limit.clone(),
            profile_version: clock.profile_version,
            calendar_version: clock.calendar_version,
            stopped_at: clock.stopped_at,
            due_at: clock.due_at,
            original_due_at: clock.original_due,
            changes: clock.changes.iter().map(Into::into).collect(),
            paused_until: clock.paused_until(),
            due_on: deadline::last_day(clock.due_at),
            days_left: deadline::days_left(clock.due_at, now),
            overdue: deadline::overdue(clock.due_at, now),
            provisional: clock.provisional,
        }
    }
}

/// Ways in which a running clock is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClockChangeKind {
    /// It stands or stood still.
    Paused,
    /// Its last day was moved.
    Extended,
    /// It counts on another limit: the case became urgent, or is no longer.
    Relimited,
    /// Another version of the calendar counts the same time otherwise.
    Recounted,
}

/// A pause, an extension or another change of a clock.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockChangeFacts {
    /// Which of them.
    pub change: ClockChangeKind,
    /// Pause: the first day that is not counted. Otherwise: the day of the decision.
    #[schema(value_type = String, format = Date, max_length = 10)]
    pub from: Date,
    /// Pause: the day on which it goes on. Extension, new count: the new last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub until: Option<Date>,
    /// Pause: it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ended: Option<bool>,
    /// Another limit: the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 40, example = "3 mo")]
    pub limit_before: Option<String>,
    /// Another limit: the one from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 40, example = "30 cd")]
    pub limit_after: Option<String>,
    /// New count: the last day before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, format = Date, max_length = 10)]
    pub due_before: Option<Date>,
    /// New count: the calendar before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub calendar_before: Option<i32>,
    /// New count: the calendar from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub calendar_after: Option<i32>,
}

impl From<&ClockChange> for ClockChangeFacts {
    fn from(change: &ClockChange) -> Self {
        let none = Self {
            change: ClockChangeKind::Relimited,
            from: Date::MIN,
            until: None,
            ended: None,
            limit_before: None,
            limit_after: None,
            due_before: None,
            calendar_before: None,
            calendar_after: None,
        };
        match change {
            ClockChange::Paused { from, until, ended } => Self {
                change: ClockChangeKind::Paused,
                from: *from,
                until: Some(*until),
                ended: Some(*ended),
                ..none
            },
            ClockChange::Extended { decided_on, until } => Self {
                change: ClockChangeKind::Extended,
                from: *decided_on,
                until: Some(*until),
                ..none
            },
            ClockChange::Relimited { on, from, to } => Self {
                from: *on,
                limit_before: Some(from.clone()),
                limit_after: Some(to.clone()),
                ..none
            },
            ClockChange::Recounted {
                on,
                from_version,
                to_version,
                due_before,
                due_after,
            } => Self {
                change: ClockChangeKind::Recounted,
                from: *on,
                until: Some(*due_after),
                due_before: Some(*due_before),
                calendar_before: Some(*from_version),
                calendar_after: Some(*to_version),
                ..none
            },
        }
    }
}
