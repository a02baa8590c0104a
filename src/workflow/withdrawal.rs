//! Effects of the rows by which a filed case is taken back: PT10–PT12.

use serde_json::json;

use super::attachments::{self, Binding, BoundKind};
use super::authoring::mismatched;
use super::case::{Request, RequestDecision, RequestForm};
use super::codes::{ClockKind, RequestKind, RequestStatus};
use super::decide::Step;
use super::examination::not_blank;
use super::input::Input;
use super::profile::Profile;
use super::refusal::Refusal;
use super::rule::Who;
use super::units;

/// Notes a request, which waits for its decision; its files go with it.
pub fn ask(
    step: &mut Step<'_>,
    kind: RequestKind,
    assignment: Option<crate::ids::AssignmentId>,
    form: RequestForm,
) -> Result<crate::ids::CaseRequestId, Refusal> {
    let Some(user) = step.actor.user else {
        return Err(Refusal::NotAllowed {
            needs: vec![Who::FirstProposer],
        });
    };
    let id: crate::ids::CaseRequestId = step.env.id();
    let binding = Binding::to(BoundKind::Request, id.cast());
    attachments::attach(step, &form.attachment_ids, binding)?;
    step.case.requests.push(Request {
        id,
        kind,
        assignment,
        status: RequestStatus::Open,
        escalated: false,
        requested_by: user,
        requested_at: step.env.now,
        form,
        decision: None,
    });
    Ok(id)
}

/// Decides the open request of a kind; its clock stops. Gives what was asked.
pub fn answer(
    step: &mut Step<'_>,
    kind: RequestKind,
    assignment: Option<crate::ids::AssignmentId>,
    status: RequestStatus,
    note: Option<&str>,
    until: Option<jiff::civil::Date>,
) -> Option<RequestForm> {
    let (by, at) = (step.actor.user, step.env.now);
    let request = step.case.requests.iter_mut().find(|request| {
        request.kind == kind
            && request.assignment == assignment
            && request.status == RequestStatus::Open
    })?;
    request.status = status;
    request.decision = Some(RequestDecision {
        by,
        at,
        note: note.map(str::to_owned),
        until,
    });
    let (id, form) = (request.id, request.form.clone());
    step.stop(&[ClockKind::K13, ClockKind::K14], Some(id.cast()));
    Some(form)
}

/// PT10: handling goes on, all clocks run (I8); the chair decides (K14).
pub fn request(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Withdraw(input) = input else {
        return Err(mismatched());
    };
    let reason = input.reason.clone().unwrap_or_default();
    not_blank("/reason", &reason)?;
    let form = RequestForm {
        reason,
        attachment_ids: input.attachment_ids.clone(),
        ..RequestForm::default()
    };
    let id = ask(step, RequestKind::Withdrawal, None, form)?;
    step.start(ClockKind::K14, id.cast(), Profile::WITHDRAWAL_DECISION);
    Ok(())
}

/// PT11: everything that is open ends; the number stays (I2).
pub fn approve(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Note(input) = input else {
        return Err(mismatched());
    };
    answer(
        step,
        RequestKind::Withdrawal,
        None,
        RequestStatus::Granted,
        input.note.as_deref(),
        None,
    );
    // Nobody can decide what else was asked for.
    units::lapse(step, |_| true);
    let rows: Vec<_> = step
        .case
        .live_rows()
        .filter(|row| !row.status.is_final())
        .map(|row| row.id)
        .collect();
    for row in rows {
        units::void_row(step, row, "PT11");
    }
    step.stop_all();
    step.record_decision("approve_withdrawal", json!({ "note": input.note }));
    Ok(())
}

/// RT09: with the first delivered reply nothing can be withdrawn any more; an open request ends.
pub fn overtake(step: &mut Step<'_>) {
    let open = step.case.requests.iter_mut().find(|request| {
        request.kind == RequestKind::Withdrawal && request.status == RequestStatus::Open
    });
    if let Some(request) = open {
        request.status = RequestStatus::Lapsed;
        let id = request.id;
        step.stop(&[ClockKind::K14], Some(id.cast()));
    }
}

/// PT12: the case goes on (I11).
pub fn reject(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Deny(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    answer(
        step,
        RequestKind::Withdrawal,
        None,
        RequestStatus::Denied,
        Some(&input.reason),
        None,
    );
    step.record_decision("reject_withdrawal", json!({ "reason": input.reason }));
    Ok(())
}
