//! Effects of the rows by which a clock is extended or paused: AT11–AT15. A request moves nothing
//! by itself (I8); nothing moves a reply beyond the cap (I25).

use jiff::ToSpan;
use jiff::civil::Date;

use super::assignment::own_row;
use super::authoring::mismatched;
use super::calendar::{Calendar, days_between};
use super::case::{Case, Clock, ClockChange, RequestForm};
use super::codes::{ClockKind, RequestKind, RequestStatus};
use super::deadline::{self, Due, Limit, Pause};
use super::decide::Step;
use super::examination::{not_blank, required};
use super::follow_up::not_past;
use super::input::Input;
use super::profile::{ExtensionApprover, Profile};
use super::refusal::Refusal;
use super::withdrawal::{answer, ask};
use crate::ids::AssignmentId;

/// The clock of a row that can be extended and paused: of the reply, or of the opinion.
pub fn clock_of(case: &Case, row: AssignmentId) -> Option<&Clock> {
    case.running(ClockKind::K10, row.cast())
        .or_else(|| case.running(ClockKind::K08, row.cast()))
}

/// The due moment of a clock, from its start, limit, pauses and extensions (I24).
pub fn due_of(clock: &Clock, calendar: &Calendar) -> Due {
    let pauses = |changes: &[ClockChange]| -> Vec<Pause> {
        changes
            .iter()
            .filter_map(|change| match change {
                ClockChange::Paused { from, until, .. } => Some(Pause {
                    from: *from,
                    until: Some(*until),
                }),
                _ => None,
            })
            .collect()
    };
    let extended = clock
        .changes
        .iter()
        .rposition(|change| matches!(change, ClockChange::Extended { .. }));
    if let Some(index) = extended
        && let Some(ClockChange::Extended { decided_on, until }) = clock.changes.get(index)
    {
        let later = clock.changes.get(index..).unwrap_or_default();
        return moved(*decided_on, *until, &pauses(later), calendar);
    }
    let start = deadline::local_date(clock.started_at);
    if let Some(date) = clock.limit.strip_prefix("until ") {
        let last = date.parse().unwrap_or(start);
        return moved(start, last, &pauses(&clock.changes), calendar);
    }
    match clock.limit.parse::<Limit>() {
        Ok(limit) => {
            deadline::due_with_pauses(clock.started_at, limit, &pauses(&clock.changes), calendar)
        }
        Err(_) => Due {
            at: clock.due_at,
            provisional: clock.provisional,
        },
    }
}

/// A fixed date does not roll; the days of a pause after it was set are added, then it rolls.
fn moved(set_on: Date, last: Date, pauses: &[Pause], calendar: &Calendar) -> Due {
    if pauses.is_empty() {
        return deadline::fixed(last);
    }
    let days = u32::try_from(days_between(set_on, last)).unwrap_or(0);
    let start = deadline::end_of_day(set_on) - jiff::SignedDuration::from_secs(1);
    deadline::due_with_pauses(start, Limit::cd(days), pauses, calendar)
}

/// The last day to which a clock may be moved: the cap of the policy for replies (I25), one more
/// month for opinions. A cap rolls like any due date.
fn cap(clock: &Clock, profile: &Profile, calendar: &Calendar) -> Date {
    if clock.kind == ClockKind::K10 {
        let limit = Limit::mo(profile.extension_max_months);
        return deadline::last_day(deadline::due(clock.started_at, limit, calendar).at);
    }
    let last = deadline::last_day(clock.original_due);
    last.checked_add(1.month()).unwrap_or(last)
}

fn own_clock(step: &Step<'_>) -> Result<(AssignmentId, Clock), Refusal> {
    let id = own_row(step)?;
    let clock = clock_of(&step.case, id).cloned().ok_or_else(mismatched)?;
    Ok((id, clock))
}

/// A new last day: later than the present one, not beyond the cap.
fn check_new_date(
    step: &Step<'_>,
    clock: &Clock,
    date: Date,
    pointer: &str,
) -> Result<(), Refusal> {
    if date <= deadline::last_day(clock.due_at) {
        return Err(Refusal::invalid(
            pointer,
            "not_later",
            "新的期限须晚于现有期限。",
            "The new date must be later than the present one.",
        ));
    }
    check_cap(step, clock, date, pointer)
}

fn check_cap(step: &Step<'_>, clock: &Clock, date: Date, pointer: &str) -> Result<(), Refusal> {
    let cap = cap(clock, step.env.profile, step.env.calendar);
    if date <= cap {
        return Ok(());
    }
    Err(Refusal::invalid(
        pointer,
        "over_the_cap",
        format!("延期和中止合计不得超过 {cap}。"),
        format!("Extensions and pauses together end by {cap}."),
    ))
}

fn check_future(step: &Step<'_>, date: Date, pointer: &str) -> Result<(), Refusal> {
    if date > step.env.today() {
        return Ok(());
    }
    Err(Refusal::invalid(
        pointer,
        "in_past",
        "须晚于今天。",
        "A day after today.",
    ))
}

/// AT11: more time, asked for before the due date.
pub fn request_extension(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::RequestExtension(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    not_blank("/signatory", &input.signatory)?;
    let (id, clock) = own_clock(step)?;
    check_new_date(step, &clock, input.new_date, "/new_date")?;
    let form = RequestForm {
        reason: input.reason.clone(),
        signatory: Some(input.signatory.clone()),
        until: Some(input.new_date),
        attachment_ids: input.attachment_ids.clone(),
        ..RequestForm::default()
    };
    let request = ask(step, RequestKind::Extension, Some(id), form)?;
    step.start(ClockKind::K13, request.cast(), Profile::REQUEST_DECISION);
    Ok(())
}

/// AT12: the decision sets a new date; the original one is kept.
pub fn grant_extension(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::GrantExtension(input) = input else {
        return Err(mismatched());
    };
    if step.env.profile.extension_approver == ExtensionApprover::WithProposalsCommittee {
        let consent = input.committee_consent.as_deref().unwrap_or_default();
        not_blank("/committee_consent", consent)?;
    }
    let (id, clock) = own_clock(step)?;
    let asked = step
        .case
        .open_request(RequestKind::Extension, Some(id))
        .and_then(|request| request.form.until);
    let Some(date) = input.new_date.or(asked) else {
        return Err(required("/new_date"));
    };
    not_past(step, "/new_date", date)?;
    check_new_date(step, &clock, date, "/new_date")?;
    let decided_on = step.env.today();
    change(
        step,
        &clock,
        &ClockChange::Extended {
            decided_on,
            until: date,
        },
    );
    answer(
        step,
        RequestKind::Extension,
        Some(id),
        RequestStatus::Granted,
        input.note.as_deref(),
        Some(date),
    );
    Ok(())
}

/// AT12: no more time (I11).
pub fn deny_extension(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    deny(step, input, RequestKind::Extension)
}

/// AT13: the clock should stand still.
pub fn request_pause(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::RequestPause(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    not_blank("/signatory", &input.signatory)?;
    let (id, clock) = own_clock(step)?;
    check_pause(step, &clock, input.expected_end, "/expected_end")?;
    let form = RequestForm {
        reason: input.reason.clone(),
        signatory: Some(input.signatory.clone()),
        until: Some(input.expected_end),
        attachment_ids: input.attachment_ids.clone(),
        ..RequestForm::default()
    };
    let request = ask(step, RequestKind::Pause, Some(id), form)?;
    step.start(ClockKind::K13, request.cast(), Profile::REQUEST_DECISION);
    Ok(())
}

/// Days paused in all, and the day reached, are inside what the policy allows.
fn check_pause(step: &Step<'_>, clock: &Clock, until: Date, pointer: &str) -> Result<(), Refusal> {
    check_future(step, until, pointer)?;
    let paused: i64 = clock
        .changes
        .iter()
        .map(|change| match change {
            ClockChange::Paused { from, until, .. } => days_between(*from, *until).max(0),
            _ => 0,
        })
        .sum();
    let days = paused + days_between(step.env.today(), until);
    let most = step.env.profile.pause_max_days;
    if days > i64::from(most) {
        return Err(Refusal::invalid(
            pointer,
            "over_the_cap",
            format!("中止合计不得超过 {most} 天。"),
            format!("Pauses last {most} days in all at most."),
        ));
    }
    let mut later = clock.clone();
    later.changes.push(ClockChange::Paused {
        from: step.env.today(),
        until,
        ended: false,
    });
    let reached = deadline::last_day(due_of(&later, step.env.calendar).at);
    check_cap(step, clock, reached, pointer)
}

/// AT14: the clock stands still from the day of the decision.
pub fn pause_clock(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Pause(input) = input else {
        return Err(mismatched());
    };
    let (id, clock) = own_clock(step)?;
    let asked = step
        .case
        .open_request(RequestKind::Pause, Some(id))
        .and_then(|request| request.form.until);
    let Some(until) = input.until.or(asked) else {
        return Err(required("/until"));
    };
    check_pause(step, &clock, until, "/until")?;
    let from = step.env.today();
    change(
        step,
        &clock,
        &ClockChange::Paused {
            from,
            until,
            ended: false,
        },
    );
    answer(
        step,
        RequestKind::Pause,
        Some(id),
        RequestStatus::Granted,
        input.note.as_deref(),
        Some(until),
    );
    Ok(())
}

/// AT14: the clock runs on (I11).
pub fn deny_pause(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    deny(step, input, RequestKind::Pause)
}

fn deny(step: &mut Step<'_>, input: &Input, kind: RequestKind) -> Result<(), Refusal> {
    let Input::Deny(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let id = own_row(step)?;
    answer(
        step,
        kind,
        Some(id),
        RequestStatus::Denied,
        Some(&input.reason),
        None,
    );
    Ok(())
}

/// AT15: the clock goes on before the agreed end; the resume day is not paused.
pub fn resume_clock(step: &mut Step<'_>, _: &Input) -> Result<(), Refusal> {
    let today = step.env.today();
    end(step, Some(today))
}

/// AT15: the agreed end has come.
pub fn end_pause(step: &mut Step<'_>, _: &Input) -> Result<(), Refusal> {
    end(step, None)
}

fn end(step: &mut Step<'_>, today: Option<Date>) -> Result<(), Refusal> {
    let (_, own) = own_clock(step)?;
    let calendar = step.env.calendar;
    for clock in &mut step.case.clocks {
        if clock.id != own.id {
            continue;
        }
        for change in &mut clock.changes {
            if let ClockChange::Paused { until, ended, .. } = change
                && !*ended
            {
                *ended = true;
                *until = today.map_or(*until, |today| today.min(*until));
            }
        }
        let due = due_of(clock, calendar);
        clock.due_at = due.at;
        clock.provisional |= due.provisional;
    }
    Ok(())
}

fn change(step: &mut Step<'_>, own: &Clock, change: &ClockChange) {
    let calendar = step.env.calendar;
    for clock in &mut step.case.clocks {
        if clock.id == own.id {
            clock.changes.push(change.clone());
            let due = due_of(clock, calendar);
            clock.due_at = due.at;
            clock.provisional |= due.provisional;
        }
    }
}

/// The pause that runs on a row's clock, as its agreed end.
pub fn pause_running(case: &Case, row: AssignmentId) -> Option<Date> {
    clock_of(case, row)?.paused_until()
}
