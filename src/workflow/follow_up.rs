//! Effects of promises, tracking, supervision, urging and instructions: OT20 to OT29 and OT31. None of them
//! changes a status (I37).

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};

use super::assignment::AssignmentStatus;
use super::authoring::mismatched;
use super::case::{Assignment, Case, FollowUp, Promise};
use super::codes::{
    AssignmentRole, ClockKind, CountersignStatus, FollowUpKind, FollowUpStatus, PromiseStatus,
};
use super::deadline;
use super::decide::{Record, Step};
use super::examination::not_blank;
use super::input::{AddresseeIn, CommitmentIn, Input};
use super::profile::Profile;
use super::proposal::ProposalStatus;
use super::refusal::Refusal;
use super::reply::ReplyStatus;
use super::role::Role;
use super::rule::Who;
use crate::ids::{FollowUpId, PromiseId, SubjectId, UnitId};

/// Units and raters that owe something now: acceptance, opinion, countersignature, reply, an open
/// promise, feedback on an instruction, an opinion form. What waits for a reviewer is no debt of
/// the unit.
pub fn debtors(case: &Case, profile: &Profile) -> BTreeSet<AddresseeIn> {
    let unit = |unit: UnitId| AddresseeIn {
        unit_id: Some(unit),
        rater_id: None,
    };
    let mut list = BTreeSet::new();
    if case.proposal.status == ProposalStatus::Assigned {
        let rows = case.live_rows().filter(|row| owes(case, row));
        list.extend(rows.map(|row| unit(row.unit)));
        let asked = case
            .countersigns
            .iter()
            .filter(|request| request.status == CountersignStatus::Requested)
            .filter_map(|request| case.assignment(request.assignment));
        list.extend(asked.map(|row| unit(row.unit)));
    }
    list.extend(case.open_promises().map(|promise| unit(promise.unit)));
    let instructed = case.unanswered(FollowUpKind::Instruction);
    list.extend(instructed.filter_map(|entry| entry.unit).map(unit));
    if case.proposal.status == ProposalStatus::Handled {
        let silent = case
            .raters(profile.every_signer_rates())
            .filter(|rater| {
                case.delivered().any(|reply| {
                    !case
                        .forms
                        .iter()
                        .any(|form| form.reply == reply.id && form.rater == rater.id)
                })
            })
            .map(|rater| AddresseeIn {
                unit_id: None,
                rater_id: Some(rater.id),
            });
        list.extend(silent);
    }
    list
}

fn owes(case: &Case, row: &Assignment) -> bool {
    match (row.role, row.status) {
        (AssignmentRole::Reference, _) => false,
        (_, AssignmentStatus::Pending | AssignmentStatus::ReturnRequested) => true,
        (AssignmentRole::CoHandler, AssignmentStatus::Accepted) => {
            !row.opinion_missing && !case.lead_signed()
        }
        (_, AssignmentStatus::Accepted) => case
            .live_reply(row.id)
            .is_none_or(|reply| reply.status != ReplyStatus::UnderReview || reply.approved),
        _ => false,
    }
}

/// An entry that only records something.
fn recorded(id: FollowUpId, kind: FollowUpKind) -> FollowUp {
    FollowUp {
        id,
        act: id,
        kind,
        status: FollowUpStatus::Recorded,
        unit: None,
        rater: None,
        promise: None,
        due_on: None,
        restricted: false,
    }
}

fn enter(step: &mut Step<'_>, entry: FollowUp, content: Value) {
    let id = entry.id;
    step.case.follow_ups.push(entry);
    step.records.push(Record::FollowUp { id, content });
}

fn content_of(input: &impl Serialize) -> Value {
    serde_json::to_value(input).unwrap_or_default()
}

fn open_promise(step: &Step<'_>, id: PromiseId, pointer: &str) -> Result<Promise, Refusal> {
    let found = step.case.open_promises().find(|promise| promise.id == id);
    found.cloned().ok_or_else(|| {
        Refusal::invalid(
            pointer,
            "unknown_promise",
            "本案没有此项未落实的承诺。",
            "The case has no such open promise.",
        )
    })
}

/// A promise ends, and with it its clock.
fn settle_promise(step: &mut Step<'_>, id: PromiseId, status: PromiseStatus) {
    if let Some(promise) = step.case.promises.iter_mut().find(|one| one.id == id) {
        promise.status = status;
    }
    step.stop(&[ClockKind::K15], Some(id.cast()));
}

fn not_in_future(step: &Step<'_>, pointer: &str, date: Date) -> Result<(), Refusal> {
    if date <= step.env.today() {
        return Ok(());
    }
    Err(Refusal::invalid(
        pointer,
        "in_future",
        "日期不能晚于今天。",
        "The date cannot lie in the future.",
    ))
}

/// The day is today or later.
pub fn not_past(step: &Step<'_>, pointer: &str, date: Date) -> Result<(), Refusal> {
    if date >= step.env.today() {
        return Ok(());
    }
    Err(Refusal::invalid(
        pointer,
        "in_past",
        "期限不能早于今天。",
        "The date cannot lie in the past.",
    ))
}

/// OT20: on the list of a year.
pub fn start_tracking(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::StartTracking(input) = input else {
        return Err(mismatched());
    };
    not_blank("/decided_by", &input.decided_by)?;
    not_blank("/targets", &input.targets)?;
    step.case.tracked_since = Some(step.env.now);
    let entry = recorded(step.env.id(), FollowUpKind::TrackingStarted);
    enter(step, entry, content_of(input));
    Ok(())
}

/// The units of the case in which the actor is clerk.
fn own_units(step: &Step<'_>) -> Vec<UnitId> {
    let held = |unit: UnitId| {
        step.actor
            .grants
            .iter()
            .any(|grant| grant.role == Role::UnitClerk && grant.unit_id == Some(unit))
    };
    let rows = step.case.assignments.iter().rev();
    rows.filter(|row| row.role != AssignmentRole::Reference && held(row.unit))
        .map(|row| row.unit)
        .collect()
}

/// OT21: what a unit did since its reply.
pub fn report_progress(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Progress(input) = input else {
        return Err(mismatched());
    };
    not_blank("/text", &input.text)?;
    not_blank("/evidence", &input.evidence)?;
    let own = own_units(step);
    let unit = match input.promise_id {
        None => own.first().copied(),
        Some(id) => {
            let unit = open_promise(step, id, "/promise_id")?.unit;
            if !own.contains(&unit) {
                return Err(Refusal::unmet(
                    "own_promise",
                    None,
                    "该承诺不是本单位作出的。",
                    "The promise is another unit's.",
                ));
            }
            Some(unit)
        }
    };
    let entry = FollowUp {
        unit,
        promise: input.promise_id,
        ..recorded(step.env.id(), FollowUpKind::Progress)
    };
    enter(step, entry, content_of(input));
    Ok(())
}

/// OT22: a promise was kept; what the reply comes to may rise, its own outcome and the reviewer's
/// stay (I14).
pub fn fulfil_promise(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::FulfilPromise(input) = input else {
        return Err(mismatched());
    };
    not_blank("/shown_by", &input.shown_by)?;
    let promise = open_promise(step, input.promise_id, "/promise_id")?;
    let reported = step
        .case
        .follow_ups
        .iter()
        .any(|entry| entry.kind == FollowUpKind::Progress && entry.promise == Some(promise.id));
    if !reported {
        return Err(Refusal::unmet(
            "evidence_on_record",
            None,
            "承办单位尚未就该承诺报告进展并附佐证。",
            "The unit has reported no progress on this promise with its evidence.",
        ));
    }
    if let Some(outcome) = input.outcome {
        let now = step
            .case
            .reply(promise.reply)
            .and_then(|reply| reply.current_outcome);
        if now.is_some_and(|now| outcome >= now) {
            return Err(Refusal::invalid(
                "/outcome",
                "not_better",
                "办理类别只能由低到高调整。",
                "The outcome only rises.",
            ));
        }
        if let Some(reply) = step.reply_mut(promise.reply) {
            reply.current_outcome = Some(outcome);
        }
    }
    settle_promise(step, promise.id, PromiseStatus::Fulfilled);
    let entry = FollowUp {
        unit: Some(promise.unit),
        promise: Some(promise.id),
        ..recorded(step.env.id(), FollowUpKind::Fulfilment)
    };
    enter(step, entry, content_of(input));
    Ok(())
}

/// OT23: tracking ends; no open promise disappears without a verdict (I27).
pub fn stop_tracking(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::StopTracking(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let mut seen = BTreeSet::new();
    for (index, verdict) in input.verdicts.iter().enumerate() {
        let pointer = format!("/verdicts/{index}/promise_id");
        open_promise(step, verdict.promise_id, &pointer)?;
        not_blank(&format!("/verdicts/{index}/reason"), &verdict.reason)?;
        if !seen.insert(verdict.promise_id) {
            return Err(twice(pointer));
        }
    }
    if step.case.open_promises().any(|one| !seen.contains(&one.id)) {
        return Err(Refusal::unmet(
            "every_promise_settled",
            Some("I27"),
            "每项未落实的承诺都须给出结论和理由。",
            "Every open promise needs a verdict with its reason.",
        ));
    }
    let act: FollowUpId = step.env.id();
    let entry = recorded(act, FollowUpKind::TrackingStopped);
    enter(step, entry, json!({ "reason": input.reason }));
    for verdict in &input.verdicts {
        let promise = open_promise(step, verdict.promise_id, "/verdicts")?;
        settle_promise(step, promise.id, verdict.verdict.status());
        let entry = FollowUp {
            act,
            unit: Some(promise.unit),
            promise: Some(promise.id),
            ..recorded(step.env.id(), FollowUpKind::Verdict)
        };
        enter(step, entry, content_of(verdict));
    }
    step.case.tracked_since = None;
    step.stop(&[ClockKind::K16], None);
    Ok(())
}

fn twice(pointer: String) -> Refusal {
    Refusal::invalid(
        pointer,
        "duplicate",
        "不能重复。",
        "Each may stand here once.",
    )
}

/// OT24: what was found and what units committed themselves to. A commitment of a unit that has
/// answered is a promise and keeps the case tracked; one of another unit stands in the record.
pub fn supervise(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Supervise(input) = input else {
        return Err(mismatched());
    };
    not_blank("/leader", &input.leader)?;
    not_blank("/participants", &input.participants)?;
    not_blank("/findings", &input.findings)?;
    not_in_future(step, "/date", input.date)?;
    for (index, commitment) in input.commitments.iter().enumerate() {
        check_commitment(step, commitment, &format!("/commitments/{index}"))?;
    }
    let act: FollowUpId = step.env.id();
    let entry = recorded(act, FollowUpKind::Supervision);
    enter(step, entry, content_of(input));
    for commitment in &input.commitments {
        let promise = promise_of(step, commitment);
        let entry = FollowUp {
            act,
            unit: Some(commitment.unit_id),
            promise,
            ..recorded(step.env.id(), FollowUpKind::Commitment)
        };
        enter(step, entry, content_of(commitment));
    }
    Ok(())
}

fn check_commitment(
    step: &Step<'_>,
    commitment: &CommitmentIn,
    pointer: &str,
) -> Result<(), Refusal> {
    not_blank(&format!("{pointer}/text"), &commitment.text)?;
    not_blank(&format!("{pointer}/person"), &commitment.person)?;
    if commitment.due_on <= step.env.today() {
        return Err(Refusal::invalid(
            format!("{pointer}/due_on"),
            "not_in_future",
            "承诺期限须晚于今天。",
            "A commitment is due after today.",
        ));
    }
    let mut rows = step.case.assignments.iter();
    if rows.any(|row| row.unit == commitment.unit_id && row.role != AssignmentRole::Reference) {
        return Ok(());
    }
    Err(Refusal::invalid(
        format!("{pointer}/unit_id"),
        "not_a_unit_of_the_case",
        "该单位未承办本案。",
        "The unit does not handle the case.",
    ))
}

/// The promise that a commitment becomes; it hangs on the last reply that the unit delivered.
fn promise_of(step: &mut Step<'_>, commitment: &CommitmentIn) -> Option<PromiseId> {
    let reply = step
        .case
        .replies
        .iter()
        .filter(|reply| reply.unit == commitment.unit_id && reply.delivered_at.is_some())
        .max_by_key(|reply| reply.round)?
        .id;
    let id: PromiseId = step.env.id();
    step.case.promises.push(Promise {
        id,
        reply,
        unit: commitment.unit_id,
        status: PromiseStatus::Open,
        text: commitment.text.clone(),
        person: commitment.person.clone(),
        due_on: commitment.due_on,
    });
    step.start_until(ClockKind::K15, id.cast(), commitment.due_on);
    let now = step.env.now;
    step.case.tracked_since.get_or_insert(now);
    Some(id)
}

/// OT25: a notice to everybody named; to nobody if one of them owes nothing.
pub fn urge(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Urge(input) = input else {
        return Err(mismatched());
    };
    not_blank("/text", &input.text)?;
    not_past(step, "/due_on", input.due_on)?;
    let debtors = debtors(&step.case, step.env.profile);
    let mut seen = BTreeSet::new();
    for (index, addressee) in input.addressees.iter().enumerate() {
        let pointer = format!("/addressees/{index}");
        if addressee.unit_id.is_some() == addressee.rater_id.is_some() {
            return Err(Refusal::invalid(
                pointer,
                "one_of",
                "须填写单位或提案者之一。",
                "Name either a unit or a rater.",
            ));
        }
        if !seen.insert(*addressee) {
            return Err(twice(pointer));
        }
    }
    if !seen.is_subset(&debtors) {
        return Err(Refusal::unmet(
            "addressee_owes",
            None,
            "催办对象中有当前没有待办事项的单位或提案者。",
            "One of the addressees owes nothing at present.",
        ));
    }
    let act: FollowUpId = step.env.id();
    for (index, addressee) in input.addressees.iter().enumerate() {
        let id = if index == 0 { act } else { step.env.id() };
        let entry = FollowUp {
            act,
            status: FollowUpStatus::Open,
            unit: addressee.unit_id,
            rater: addressee.rater_id,
            due_on: Some(input.due_on),
            ..recorded(id, FollowUpKind::Urging)
        };
        enter(step, entry, json!({ "text": input.text }));
        step.start_until(ClockKind::K21, id.cast(), input.due_on);
    }
    Ok(())
}

/// OT26: the answer stops K21.
pub fn acknowledge_urging(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::AnswerUrging(input) = input else {
        return Err(mismatched());
    };
    let (id, kind) = (input.urging_id, FollowUpKind::Urging);
    answer(step, id, kind, "/urging_id", &input.text)?;
    step.stop(&[ClockKind::K21], Some(id.cast()));
    Ok(())
}

fn answer(
    step: &mut Step<'_>,
    id: FollowUpId,
    kind: FollowUpKind,
    pointer: &str,
    text: &str,
) -> Result<(), Refusal> {
    not_blank("/text", text)?;
    let own = step
        .case
        .unanswered(kind)
        .any(|entry| entry.id == id && step.case.asks(entry, step.actor));
    if !own {
        return Err(Refusal::invalid(
            pointer,
            "not_waiting",
            "没有该项待答复的事项。",
            "Nothing of that name waits for your answer.",
        ));
    }
    if let Some(entry) = step.case.follow_ups.iter_mut().find(|entry| entry.id == id) {
        entry.status = FollowUpStatus::Answered;
    }
    step.records.push(Record::FollowUpAnswer {
        id,
        text: text.to_owned(),
    });
    Ok(())
}

/// OT27: one item for each unit, each with its own K19. Staff enter what stands on paper.
pub fn instruct(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Instruct(input) = input else {
        return Err(mismatched());
    };
    not_blank("/leader", &input.leader)?;
    not_blank("/post", &input.post)?;
    not_blank("/text", &input.text)?;
    if step.who == Who::Staff {
        let paper = input.paper_reference.as_deref().unwrap_or_default();
        not_blank("/paper_reference", paper)?;
    }
    not_in_future(step, "/date", input.date)?;
    not_past(step, "/due_on", input.due_on)?;
    let mut seen = BTreeSet::new();
    for (index, unit) in input.unit_ids.iter().enumerate() {
        let pointer = format!("/unit_ids/{index}");
        let known = step.env.references.units.get(unit);
        let bound = step.case.assignments.iter().any(|row| row.unit == *unit);
        // A unit of the case need not be active any more.
        if !known.is_some_and(|facts| facts.active || bound) {
            return Err(Refusal::invalid(
                pointer,
                "unknown_unit",
                "没有该单位，或已停用。",
                "There is no such unit, or it is not active.",
            ));
        }
        if !seen.insert(*unit) {
            return Err(twice(pointer));
        }
    }
    let act: FollowUpId = step.env.id();
    let content = content_of(input);
    for (index, unit) in input.unit_ids.iter().enumerate() {
        let id = if index == 0 { act } else { step.env.id() };
        let entry = FollowUp {
            act,
            status: FollowUpStatus::Open,
            unit: Some(*unit),
            due_on: Some(input.due_on),
            restricted: input.restricted,
            ..recorded(id, FollowUpKind::Instruction)
        };
        enter(step, entry, content.clone());
        step.start_until(ClockKind::K19, id.cast(), input.due_on);
    }
    Ok(())
}

/// OT28: the feedback stops K19 of that unit's item.
pub fn answer_instruction(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::AnswerInstruction(input) = input else {
        return Err(mismatched());
    };
    let (id, kind) = (input.instruction_id, FollowUpKind::Instruction);
    answer(step, id, kind, "/instruction_id", &input.text)?;
    step.stop(&[ClockKind::K19], Some(id.cast()));
    Ok(())
}

/// The first moment of the year in which a moment lies, in the committee's time zone.
fn start_of_year(now: Timestamp) -> (Date, Timestamp) {
    let first = deadline::local_date(now).first_of_year();
    let start = first
        .yesterday()
        .map_or(Timestamp::MIN, deadline::end_of_day);
    (first, start)
}

/// Whether the look-back of the year is to be opened: a promise from before 1 January is open,
/// and none was opened since or is owed still.
pub fn look_back_opens(case: &Case, now: Timestamp) -> bool {
    let (_, start) = start_of_year(now);
    let subject: SubjectId = case.proposal.id.cast();
    let mut look_backs = case
        .clocks
        .iter()
        .filter(|clock| clock.kind == ClockKind::K16 && clock.subject == subject);
    let earlier = |promise: &Promise| {
        case.running(ClockKind::K15, promise.id.cast())
            .is_some_and(|clock| clock.started_at < start)
    };
    look_backs.all(|clock| clock.stopped_at.is_some() && clock.started_at < start)
        && case.open_promises().any(earlier)
}

/// OT31: from 1 January a look-back is owed; K16 ends on the day that the profile names.
pub fn open_look_back(step: &mut Step<'_>, _: &Input) -> Result<(), Refusal> {
    let (first, start) = start_of_year(step.env.now);
    let wanted = step.env.profile.tracking_look_back;
    let day = wanted.in_year(first.year());
    let subject = step.subject();
    step.start_on(ClockKind::K16, subject, start, format!("until {day}"));
    Ok(())
}

/// OT29: the yearly look-back; stops K16.
pub fn record_look_back(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::LookBack(input) = input else {
        return Err(mismatched());
    };
    not_blank("/findings", &input.findings)?;
    not_in_future(step, "/date", input.date)?;
    step.stop(&[ClockKind::K16], None);
    let entry = recorded(step.env.id(), FollowUpKind::LookBack);
    enter(step, entry, content_of(input));
    Ok(())
}
