//! Effects of the rows by which a unit asks to give a case back: AT04–AT08. The unit stays bound
//! and its clock runs until the decision (I8).

use serde_json::json;

use super::assignment::{AssignmentStatus, own_row};
use super::authoring::mismatched;
use super::case::RequestForm;
use super::codes::{ClockKind, RequestKind, RequestStatus};
use super::decide::Step;
use super::examination::{not_blank, required};
use super::input::{AssignRow, Input};
use super::refusal::Refusal;
use super::units::{self, Standing};
use super::withdrawal::{answer, ask};
use crate::ids::AssignmentId;

/// Fewest characters of a reason to return a case.
const REASON_CHARS: usize = 10;

/// AT04: inside the window, with a reason and the unit that should have it.
pub fn request_return(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::RequestReturn(input) = input else {
        return Err(mismatched());
    };
    if input.reason.trim().chars().count() < REASON_CHARS {
        return Err(Refusal::invalid(
            "/reason",
            "min_length",
            "申退理由不少于十个字。",
            "At least ten characters.",
        ));
    }
    not_blank("/signatory", &input.signatory)?;
    let id = own_row(step)?;
    let own = step.case.assignment(id).map(|row| row.unit);
    match input.suggested_unit_id {
        None if step.env.profile.return_requires_unit => {
            return Err(required("/suggested_unit_id"));
        }
        Some(unit) => {
            units::check_unit(step, unit, "/suggested_unit_id", own != Some(unit))?;
        }
        None => {}
    }
    let form = RequestForm {
        reason: input.reason.clone(),
        signatory: Some(input.signatory.clone()),
        units: input.suggested_unit_id.into_iter().collect(),
        attachment_ids: input.attachment_ids.clone(),
        ..RequestForm::default()
    };
    ask(step, RequestKind::Return, Some(id), form)?;
    step.stop(&[ClockKind::K05], Some(id.cast()));
    step.start(ClockKind::K06, id.cast(), step.env.profile.return_answer);
    Ok(())
}

/// AT05: other units take its place in the same act, so that the case is always bound (I4, I7).
pub fn grant_return(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::GrantReturn(input) = input else {
        return Err(mismatched());
    };
    let id = own_row(step)?;
    answer(
        step,
        RequestKind::Return,
        Some(id),
        RequestStatus::Granted,
        input.note.as_deref(),
        None,
    );
    units::release(step, id, "AT05");
    if let Some(row) = step.row_mut(id) {
        row.status = AssignmentStatus::Returned;
    }
    units::check_rows(step, &input.replacement, "/replacement")?;
    check_others(step, id, &input.replacement)?;
    if let Some(kind) = input.handling_kind {
        step.case.proposal.handling_kind = Some(kind);
    }
    let limit = usize::try_from(step.env.profile.return_max_bounces).unwrap_or(usize::MAX);
    let standing = if step.case.bounces() >= limit {
        Standing::Final
    } else {
        Standing::New
    };
    let rows: Vec<_> = input
        .replacement
        .iter()
        .map(|row| (row.clone(), standing))
        .collect();
    let made = units::add_rows(step, rows, "AT05");
    units::check_bound(step, "/replacement")?;
    units::check_shape(step, "/replacement")?;
    if let Some(row) = step.row_mut(id) {
        row.replaced_by = made.first().copied();
    }
    step.record_decision(
        "grant_return",
        json!({ "assignment_id": id, "note": input.note, "replacement": input.replacement }),
    );
    Ok(())
}

/// Whoever gave the case back may help in another role, not get the same row again.
fn check_others(
    step: &Step<'_>,
    id: AssignmentId,
    replacement: &[AssignRow],
) -> Result<(), Refusal> {
    let again = step.case.assignment(id).and_then(|own| {
        replacement
            .iter()
            .position(|row| row.unit_id == own.unit && row.role == own.role)
    });
    match again {
        Some(index) => Err(Refusal::invalid(
            format!("/replacement/{index}/unit_id"),
            "same_unit",
            "不能改办给申退的单位；不同意申退请驳回。",
            "That unit gave the case back: reject the return instead.",
        )),
        None => Ok(()),
    }
}

/// AT06: bound for good (I9).
pub fn reject_return(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Deny(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let (id, now) = (own_row(step)?, step.env.now);
    answer(
        step,
        RequestKind::Return,
        Some(id),
        RequestStatus::Denied,
        Some(&input.reason),
        None,
    );
    if let Some(row) = step.row_mut(id) {
        row.returnable = false;
        row.accepted_at.get_or_insert(now);
    }
    step.stop(&[ClockKind::K06], Some(id.cast()));
    step.record_decision(
        "reject_return",
        json!({ "assignment_id": id, "reason": input.reason }),
    );
    Ok(())
}

/// AT07: the dispute goes further up, with the statement of the unit's head.
pub fn escalate_return(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::EscalateReturn(input) = input else {
        return Err(mismatched());
    };
    not_blank("/statement", &input.statement)?;
    not_blank("/unit_head", &input.unit_head)?;
    let id = own_row(step)?;
    for request in &mut step.case.requests {
        if request.kind == RequestKind::Return
            && request.assignment == Some(id)
            && request.status == RequestStatus::Open
        {
            request.escalated = true;
            request.form.statement = Some(input.statement.clone());
        }
    }
    step.record_decision(
        "escalate_return",
        json!({
            "assignment_id": id,
            "statement": input.statement,
            "unit_head": input.unit_head,
            "meeting": input.meeting,
        }),
    );
    Ok(())
}

/// AT08: the window has lapsed with nothing said: accepted, and bound (I9).
pub fn deem_accepted(step: &mut Step<'_>, _: &Input) -> Result<(), Refusal> {
    let (id, now) = (own_row(step)?, step.env.now);
    if let Some(row) = step.row_mut(id) {
        row.deemed = true;
        row.returnable = false;
        row.accepted_at = Some(now);
    }
    step.stop(&[ClockKind::K05], Some(id.cast()));
    Ok(())
}
