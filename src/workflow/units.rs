//! The rows of a case: made, changed, ended. PT20, AT01, AT03, AT17, and what PT19, PT24 and AT05
//! share with them.

use std::collections::BTreeSet;

use serde_json::json;

use super::assignment::{AssignmentStatus, own_row};
use super::authoring::mismatched;
use super::case::{Assignment, Case, Request, RequestForm};
use super::codes::{
    AdjustCause, AssignmentRole, ClockKind, CountersignStatus, HandlingKind, ProgrammeTier,
    RequestKind, RequestStatus, SessionMark, Urgency,
};
use super::decide::{Step, Target};
use super::examination::{not_blank, required};
use super::input::{AssignRow, Input};
use super::lists::ProposerKind;
use super::refusal::Refusal;
use super::withdrawal::{answer, ask};
use crate::ids::{AssignmentId, SubjectId, UnitId};

/// How a new row stands to the units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Signs for the case, or asks to return it inside the window.
    New,
    /// After final arbitration: signs for it, cannot return it (I9).
    Final,
    /// Handled the round before: accepted from the start, cannot return it (I9).
    CarriedOver,
}

/// A unit that an input names: known, active, and named once.
pub fn check_unit(
    step: &Step<'_>,
    unit: UnitId,
    pointer: &str,
    first_time: bool,
) -> Result<(), Refusal> {
    if !first_time {
        return Err(Refusal::invalid(
            pointer,
            "duplicate",
            "同一单位不能重复。",
            "A unit may stand here once.",
        ));
    }
    match step.env.references.units.get(&unit) {
        Some(facts) if facts.active => Ok(()),
        _ => Err(Refusal::invalid(
            pointer,
            "unknown_unit",
            "没有这个在用的承办单位。",
            "There is no such active unit.",
        )),
    }
}

/// New rows: units known, none twice in the round (I5), a part for each of separate handling.
pub fn check_rows(step: &Step<'_>, rows: &[AssignRow], base: &str) -> Result<(), Refusal> {
    check_new_rows(step, rows, &BTreeSet::new(), base)
}

/// The same, of those rows alone whose unit does not go on.
pub fn check_new_rows(
    step: &Step<'_>,
    rows: &[AssignRow],
    going_on: &BTreeSet<UnitId>,
    base: &str,
) -> Result<(), Refusal> {
    let mut seen: BTreeSet<_> = step.case.live_rows().map(|row| row.unit).collect();
    let mut checks = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if going_on.contains(&row.unit_id) {
            continue;
        }
        checks.push(check_unit(
            step,
            row.unit_id,
            &format!("{base}/{index}/unit_id"),
            seen.insert(row.unit_id),
        ));
        if row.role == AssignmentRole::Separate && row.part.is_none() {
            checks.push(Err(required(&format!("{base}/{index}/part"))));
        }
    }
    Refusal::together(checks)
}

/// I4 and I7 over the rows that count.
pub fn check_shape(step: &Step<'_>, pointer: &str) -> Result<(), Refusal> {
    let Some(kind) = step.case.proposal.handling_kind else {
        return Err(required("/handling_kind"));
    };
    let count = |role| step.case.live_rows().filter(|row| row.role == role).count();
    let (lead, co, separate) = (
        count(AssignmentRole::Lead),
        count(AssignmentRole::CoHandler),
        count(AssignmentRole::Separate),
    );
    if fits(kind, lead, co, separate) {
        return Ok(());
    }
    let (zh, en) = match kind {
        HandlingKind::Sole => (
            "独办须恰有一个主办单位（I4）。",
            "Sole handling has exactly one lead (I4).",
        ),
        HandlingKind::Joint => (
            "会办须有一个主办单位和 1–30 个会办单位（I4）。",
            "Joint handling has one lead and 1 to 30 co-handlers (I4).",
        ),
        HandlingKind::Separate => (
            "分办须有两个以上分办单位，且无主办、会办（I4）。",
            "Separate handling has two or more separate units, no lead and no co-handler (I4).",
        ),
    };
    Err(Refusal::invalid(pointer, "handling_kind", zh, en))
}

/// How many rows of each role a kind of handling has (I4).
fn fits(kind: HandlingKind, lead: usize, co: usize, separate: usize) -> bool {
    match kind {
        HandlingKind::Sole => lead == 1 && co == 0 && separate == 0,
        HandlingKind::Joint => lead == 1 && (1..=30).contains(&co) && separate == 0,
        HandlingKind::Separate => lead == 0 && co == 0 && separate >= 2,
    }
}

/// Whether the other rows make a whole without this one (I4, I7).
pub fn whole_without(case: &Case, id: AssignmentId) -> bool {
    let count = |role| {
        case.live_rows()
            .filter(|row| row.id != id && row.role == role)
            .count()
    };
    case.proposal.handling_kind.is_some_and(|kind| {
        fits(
            kind,
            count(AssignmentRole::Lead),
            count(AssignmentRole::CoHandler),
            count(AssignmentRole::Separate),
        )
    })
}

/// I7: somebody owes the reply at every moment.
pub fn check_bound(step: &Step<'_>, pointer: &str) -> Result<(), Refusal> {
    if step.case.live_rows().any(|row| row.role.replies()) {
        return Ok(());
    }
    Err(Refusal::invalid(
        pointer,
        "unbound",
        "须始终有主办或分办单位承办（I7）。",
        "A lead or separate unit is bound at every moment (I7).",
    ))
}

/// AT01: one row per unit with its clocks; the lead stands first whatever the order given.
pub fn add_rows(
    step: &mut Step<'_>,
    mut rows: Vec<(AssignRow, Standing)>,
    because_of: &'static str,
) -> Vec<AssignmentId> {
    rows.sort_by_key(|(row, _)| row.role);
    let round = step.case.proposal.round;
    let mut made = Vec::new();
    for (row, standing) in rows {
        let id: AssignmentId = step.env.id();
        let position = step
            .case
            .current_rows()
            .map(|row| row.position)
            .max()
            .unwrap_or(0)
            + 1;
        let name = step.env.references.units.get(&row.unit_id);
        let name = name.map(|unit| unit.name.clone()).unwrap_or_default();
        let before = step
            .case
            .assignments
            .iter()
            .rev()
            .find(|old| standing == Standing::CarriedOver && old.unit == row.unit_id)
            .cloned();
        let carried_over = standing == Standing::CarriedOver;
        step.case.assignments.push(Assignment {
            id,
            version: 1,
            round,
            position,
            role: row.role,
            unit: row.unit_id,
            unit_name: name,
            status: if carried_over {
                AssignmentStatus::Accepted
            } else {
                AssignmentStatus::Pending
            },
            part: row.part,
            returnable: standing == Standing::New && row.role != AssignmentRole::Reference,
            deemed: false,
            accepted_at: carried_over.then_some(step.env.now),
            clerk_name: before.as_ref().and_then(|old| old.clerk_name.clone()),
            clerk_phone: before.and_then(|old| old.clerk_phone),
            opinion_missing: false,
            opinions: 0,
            carried_over,
            replaced_by: None,
        });
        start_row_clocks(step, id, row.role, standing);
        step.part("AT01", Target::Assignment(id), because_of);
        made.push(id);
    }
    made
}

fn start_row_clocks(
    step: &mut Step<'_>,
    id: AssignmentId,
    role: AssignmentRole,
    standing: Standing,
) {
    let (profile, subject) = (step.env.profile, id.cast());
    if role == AssignmentRole::Reference {
        return;
    }
    if standing != Standing::CarriedOver {
        step.start(ClockKind::K05, subject, profile.return_window);
    }
    if role == AssignmentRole::CoHandler {
        let limit = if step.case.proposal.round > 1 {
            profile.rehandling_limit
        } else {
            profile.opinion
        };
        step.start(ClockKind::K08, subject, limit);
        return;
    }
    step.start(ClockKind::K07, subject, profile.first_contact);
    start_reply_clock(step, subject);
}

/// K10.
fn start_reply_clock(step: &mut Step<'_>, subject: SubjectId) {
    let (now, limit) = (step.env.now, reply_limit(step, step.env.now));
    step.start_on(ClockKind::K10, subject, now, limit);
}

/// K10: a further round and the urgent lane have limits of their own; a fixed date that was not
/// past at the start replaces the computed one, and for urgent cases the earlier of the two holds.
pub fn reply_limit(step: &Step<'_>, start: jiff::Timestamp) -> String {
    let (profile, proposal) = (step.env.profile, &step.case.proposal);
    if proposal.round > 1 {
        return profile.rehandling_limit.to_string();
    }
    let key = matches!(
        proposal.marks.tier,
        Some(ProgrammeTier::No1 | ProgrammeTier::Key)
    );
    let party = proposal.kind == ProposerKind::Party;
    let fixed = [
        profile.reply_key_fixed_date.filter(|_| key),
        profile.reply_party_priority_date.filter(|_| party),
        profile.reply_fixed_date,
    ];
    let started_on = super::deadline::local_date(start);
    let fixed = fixed.into_iter().flatten().find(|date| *date >= started_on);
    let limit = match (proposal.urgency, proposal.session_mark) {
        (Urgency::Urgent, _) => profile.reply_urgent,
        (Urgency::Normal, Some(SessionMark::Session)) => profile.reply_session,
        _ => profile.reply_ordinary,
    };
    let computed = super::deadline::due(start, limit, step.env.calendar);
    match fixed {
        Some(date)
            if proposal.urgency == Urgency::Normal
                || super::deadline::fixed(date).at < computed.at =>
        {
            format!("until {date}")
        }
        _ => limit.to_string(),
    }
}

/// Reference copies that went ahead of the filing end with it (AT17), and so does a request for
/// the urgent lane.
pub fn void_early(step: &mut Step<'_>, because_of: &'static str) {
    lapse(step, |request| request.kind == RequestKind::Urgency);
    let rows: Vec<_> = step.case.live_rows().map(|row| row.id).collect();
    for row in rows {
        void_row(step, row, because_of);
    }
}

/// Ends what a row still owes: its clocks, its live reply (RT11), its open requests.
pub fn release(step: &mut Step<'_>, id: AssignmentId, because_of: &'static str) {
    let clocks = [
        ClockKind::K05,
        ClockKind::K06,
        ClockKind::K07,
        ClockKind::K08,
        ClockKind::K09,
        ClockKind::K10,
    ];
    step.stop(&clocks, Some(id.cast()));
    // As a co-handler it is not asked to countersign any more.
    for request in &mut step.case.countersigns {
        if request.assignment == id && request.status == CountersignStatus::Requested {
            request.status = CountersignStatus::Recalled;
        }
    }
    if let Some(reply) = step.case.live_reply(id).map(|reply| reply.id) {
        super::reply::call_back(step, reply);
        step.stop(&[ClockKind::K11], Some(reply.cast()));
        step.part("RT11", Target::Reply(reply), because_of);
    }
    lapse(step, |request| request.assignment == Some(id));
}

/// Open requests whose object has ended lapse; their clocks stop.
pub fn lapse(step: &mut Step<'_>, ended: impl Fn(&Request) -> bool) {
    let open: Vec<_> = step
        .case
        .requests
        .iter_mut()
        .filter(|request| request.status == RequestStatus::Open && ended(request))
        .map(|request| {
            request.status = RequestStatus::Lapsed;
            request.id
        })
        .collect();
    for request in open {
        let clocks = [ClockKind::K13, ClockKind::K14];
        step.stop(&clocks, Some(request.cast()));
    }
}

/// Requests to move the clock of a row, which has stopped.
pub fn lapse_clock_requests(step: &mut Step<'_>, row: AssignmentId) {
    lapse(step, |request| {
        request.assignment == Some(row)
            && matches!(request.kind, RequestKind::Extension | RequestKind::Pause)
    });
}

/// AT17 as a part of another act.
pub fn void_row(step: &mut Step<'_>, id: AssignmentId, because_of: &'static str) {
    release(step, id, because_of);
    step.part("AT17", Target::Assignment(id), because_of);
}

/// Rows that are only ever part of another one have nothing to do of their own.
pub fn part(_: &mut Step<'_>, _: &Input) -> Result<(), Refusal> {
    Err(mismatched())
}

/// PT20: other units, with cause and reason; rows with a delivered reply stay.
pub fn adjust(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Adjust(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let kind = input.handling_kind.or(step.case.proposal.handling_kind);
    if input.add.is_empty() && input.remove.is_empty() && kind == step.case.proposal.handling_kind {
        return Err(required("/add"));
    }
    for (index, id) in input.remove.iter().enumerate() {
        let open = step
            .case
            .live_rows()
            .any(|row| row.id == *id && row.status != AssignmentStatus::Replied);
        if !open {
            return Err(Refusal::invalid(
                format!("/remove/{index}"),
                "not_open",
                "不是本轮在办的承办单位，或已送达答复。",
                "This is not an open row of the present round; one with a delivered reply stays.",
            ));
        }
        void_row(step, *id, "PT20");
    }
    check_rows(step, &input.add, "/add")?;
    step.case.proposal.handling_kind = kind;
    let rows = input.add.iter().map(|row| (row.clone(), Standing::New));
    let rows: Vec<_> = rows.collect();
    add_rows(step, rows, "PT20");
    check_bound(step, "/add")?;
    check_shape(step, "/add")?;
    if input.cause == AdjustCause::UnitSuggestion {
        let added: BTreeSet<_> = input.add.iter().map(|row| row.unit_id).collect();
        let asked: Vec<_> = step
            .case
            .requests
            .iter()
            .filter(|request| {
                request.kind == RequestKind::Units
                    && request.status == RequestStatus::Open
                    && request.form.units.iter().any(|unit| added.contains(unit))
            })
            .map(|request| request.assignment)
            .collect();
        for row in asked {
            answer(
                step,
                RequestKind::Units,
                row,
                RequestStatus::Granted,
                Some(&input.reason),
                None,
            );
        }
    }
    let content = serde_json::to_value(input).unwrap_or_default();
    step.record_decision("adjust_units", content);
    Ok(())
}

/// AT03: the assigning officer answers by PT20 or by `AT03b`.
pub fn suggest(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::SuggestUnits(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let mut seen: BTreeSet<_> = step.case.live_rows().map(|row| row.unit).collect();
    let units = input.units.iter().enumerate();
    Refusal::together(units.map(|(index, unit)| {
        check_unit(step, *unit, &format!("/units/{index}"), seen.insert(*unit))
    }))?;
    let id = own_row(step)?;
    let form = RequestForm {
        reason: input.reason.clone(),
        units: input.units.clone(),
        ..RequestForm::default()
    };
    ask(step, RequestKind::Units, Some(id), form)?;
    Ok(())
}

/// `AT03b`: the units stay as they are (I11).
pub fn refuse_suggestion(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Deny(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let id = own_row(step)?;
    answer(
        step,
        RequestKind::Units,
        Some(id),
        RequestStatus::Denied,
        Some(&input.reason),
        None,
    );
    Ok(())
}

/// AT17: one row ends, with a reason (I11); the others must still make a whole (I4, I7).
pub fn void(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Reason(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let id = own_row(step)?;
    release(step, id, "AT17");
    step.record_decision(
        "void",
        json!({ "assignment_id": id, "reason": input.reason }),
    );
    Ok(())
}
