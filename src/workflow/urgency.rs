//! Effects of the urgent lane (急办): OT06–OT09. Its clocks run on short limits from their original
//! start; units may get reference copies before the filing.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use super::authoring::{examination_limit, mismatched};
use super::case::{ClockChange, RequestForm};
use super::codes::{AssignmentRole, ClockKind, RequestKind, RequestStatus, Urgency};
use super::decide::Step;
use super::examination::{assignment_limit, not_blank};
use super::extension::due_of;
use super::input::{AssignRow, Input};
use super::refusal::Refusal;
use super::units::{self, Standing, reply_limit};
use super::withdrawal::{answer, ask};
use crate::ids::ClockId;

/// OT06: somebody thinks that the matter cannot wait; the chair decides.
pub fn request(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Reason(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let form = RequestForm {
        reason: input.reason.clone(),
        ..RequestForm::default()
    };
    ask(step, RequestKind::Urgency, None, form)?;
    Ok(())
}

/// OT07: urgent from now on. Before the filing, units may get reference copies at once.
pub fn mark(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Urgent(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let filed = step.case.proposal.filed_at.is_some();
    if !input.reference_units.is_empty() && (filed || !step.env.profile.urgent_reference_copy) {
        return Err(Refusal::invalid(
            "/reference_units",
            "not_allowed",
            "立案后请通过交办增加参阅单位；本届政策也可能不允许立案前送阅。",
            "Reference copies go ahead of the filing only, where the policy allows it.",
        ));
    }
    step.case.proposal.urgency = Urgency::Urgent;
    answer(
        step,
        RequestKind::Urgency,
        None,
        RequestStatus::Granted,
        Some(&input.reason),
        None,
    );
    let mut seen: BTreeSet<_> = step.case.live_rows().map(|row| row.unit).collect();
    let named = input.reference_units.iter().enumerate();
    Refusal::together(named.map(|(index, unit)| {
        let pointer = format!("/reference_units/{index}");
        units::check_unit(step, *unit, &pointer, seen.insert(*unit))
    }))?;
    let rows = input.reference_units.iter().map(|unit| {
        let row = AssignRow {
            unit_id: *unit,
            role: AssignmentRole::Reference,
            part: None,
        };
        (row, Standing::New)
    });
    let rows = rows.collect();
    units::add_rows(step, rows, "OT07");
    relimit(step);
    step.record_decision(
        "mark_urgent",
        json!({ "reason": input.reason, "reference_units": input.reference_units }),
    );
    Ok(())
}

/// OT08: the matter takes its ordinary course (I11).
pub fn refuse(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Deny(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    answer(
        step,
        RequestKind::Urgency,
        None,
        RequestStatus::Denied,
        Some(&input.reason),
        None,
    );
    Ok(())
}

/// OT09: back to the ordinary limits, with a reason (I11); early reference copies end.
pub fn downgrade(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Reason(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    step.case.proposal.urgency = Urgency::Normal;
    if step.case.proposal.filed_at.is_none() {
        units::void_early(step, "OT09");
    }
    relimit(step);
    step.record_decision("downgrade_urgency", json!({ "reason": input.reason }));
    Ok(())
}

/// K03, K04 and K10 count on the limits of the present urgency, from their original start; what
/// was paused or extended stays. In a further round K10 has the same limit in either lane, so
/// nothing moves it.
fn relimit(step: &mut Step<'_>) {
    for (id, kind, started_at) in running(step) {
        let (start, limit) = match kind {
            ClockKind::K03 => (started_at, examination_limit(step, started_at)),
            ClockKind::K04 => assignment_limit(step),
            ClockKind::K10 => (started_at, reply_limit(step, started_at)),
            _ => continue,
        };
        put_on(step, id, start, &limit, false);
    }
}

/// K10 counts on the limit of the present place in the programme, from its original start; in a
/// further round that is the one it has. A fixed date that is past already moves nothing: no unit
/// falls behind by a decision.
pub fn relimit_replies(step: &mut Step<'_>) {
    for (id, kind, start) in running(step) {
        if kind == ClockKind::K10 {
            let limit = reply_limit(step, start);
            put_on(step, id, start, &limit, true);
        }
    }
}

fn running(step: &Step<'_>) -> Vec<(ClockId, ClockKind, Timestamp)> {
    step.case
        .clocks
        .iter()
        .filter(|clock| clock.stopped_at.is_none())
        .map(|clock| (clock.id, clock.kind, clock.started_at))
        .collect()
}

fn put_on(step: &mut Step<'_>, id: ClockId, start: Timestamp, limit: &str, ahead: bool) {
    let (now, on, calendar) = (step.env.now, step.env.today(), step.env.calendar);
    let Some(clock) = step.case.clocks.iter_mut().find(|clock| clock.id == id) else {
        return;
    };
    if clock.limit == limit && clock.started_at == start {
        return;
    }
    let mut later = clock.clone();
    later.changes.push(ClockChange::Relimited {
        on,
        from: std::mem::replace(&mut later.limit, limit.to_owned()),
        to: limit.to_owned(),
    });
    later.started_at = start;
    let due = due_of(&later, calendar);
    if ahead && due.at < now {
        return;
    }
    later.due_at = due.at;
    later.provisional |= due.provisional;
    *clock = later;
}
