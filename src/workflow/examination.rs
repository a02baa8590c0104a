//! Effects of the rows by which the committee and the assigning officer act: PT13–PT19.

use std::collections::BTreeSet;

use serde_json::json;

use super::assignment::AssignmentStatus;
use super::authoring::mismatched;
use super::case::{Assignment, Opinion};
use super::codes::{
    AssignmentRole, ClockKind, ConsentStatus, Disposition, HandlingKind, ProposerRole,
    Recommendation, SessionMark, Urgency,
};
use super::deadline;
use super::decide::{Number, Record, Step};
use super::input::{AssignIn, ExamineIn, Input};
use super::lists::ProposerKind;
use super::profile::Profile;
use super::refusal::Refusal;
use super::rule::Who;

/// PT13: back to the proposer, with what is to be revised (I11).
pub fn return_for_revision(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::ReturnForRevision(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    step.stop(&[ClockKind::K03], None);
    let subject = step.subject();
    step.start(ClockKind::K02, subject, step.env.profile.revision);
    step.record_decision("return_for_revision", json!({ "reason": input.reason }));
    Ok(())
}

/// PT14: the opinion of the next stage; the last one settles class, line and draft units.
pub fn examine(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Examine(input) = input else {
        return Err(mismatched());
    };
    let stages = step.env.profile.examination_stages;
    let (Some(stage), Some(examiner)) = (step.case.stage_due(stages), step.actor.user) else {
        return Err(Refusal::NotAllowed {
            needs: vec![Who::Examiner],
        });
    };
    not_blank("/opinion", &input.opinion)?;
    check_draft_units(step, input)?;
    if input.recommendation == Recommendation::NotFile && input.reason_codes.is_empty() {
        return Err(required("/reason_codes"));
    }
    let last = step.case.current_opinions().count() + 1 == stages;
    let line = input.assigning_line.or_else(|| {
        let lead = input.draft_units.first()?;
        step.env
            .references
            .units
            .get(lead)
            .map(|unit| unit.system_line.default_line())
    });
    if last && input.recommendation == Recommendation::File {
        if input.subject_class.is_none() && step.case.proposal.subject_class.is_none() {
            return Err(required("/subject_class"));
        }
        if line.is_none() && step.case.proposal.assigning_line.is_none() {
            return Err(required("/assigning_line"));
        }
    }
    let proposal = &mut step.case.proposal;
    proposal.subject_class = input.subject_class.or(proposal.subject_class);
    proposal.assigning_line = line.or(proposal.assigning_line);
    let id = step.env.id();
    step.case.opinions.push(Opinion {
        id,
        submission_no: step.case.proposal.submission_no,
        stage,
        examiner,
        recommendation: input.recommendation,
    });
    let content = serde_json::to_value(input).unwrap_or_default();
    step.records.push(Record::OpinionText { id, content });
    Ok(())
}

fn check_draft_units(step: &Step<'_>, input: &ExamineIn) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    let units = input.draft_units.iter().enumerate();
    Refusal::together(units.map(|(index, unit)| {
        check_unit(
            step,
            *unit,
            &format!("/draft_units/{index}"),
            seen.insert(*unit),
        )
    }))
}

fn check_unit(
    step: &Step<'_>,
    unit: crate::ids::UnitId,
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

/// PT15: on file. Case number, pinned profile, frozen signers (I2, I17, I26).
pub fn file(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::File(input) = input else {
        return Err(mismatched());
    };
    let now = step.env.now;
    let proposal = &mut step.case.proposal;
    proposal.subject_class = input.subject_class.or(proposal.subject_class);
    proposal.assigning_line = input.assigning_line.or(proposal.assigning_line);
    if proposal.subject_class.is_none() {
        return Err(required("/subject_class"));
    }
    if proposal.assigning_line.is_none() {
        return Err(required("/assigning_line"));
    }
    proposal.filed_at = Some(now);
    proposal.profile_version = step.env.profile.version;
    step.numbers.push(Number::Case);
    freeze_signers(step);
    step.stop(&[ClockKind::K01, ClockKind::K03], None);
    let (subject, profile) = (step.subject(), step.env.profile);
    let (urgency, mark) = (step.case.proposal.urgency, step.case.proposal.session_mark);
    match (urgency, mark) {
        (Urgency::Urgent, _) => step.start(ClockKind::K04, subject, profile.assignment_urgent),
        (Urgency::Normal, Some(SessionMark::Session)) => {
            // Counted from the end of the session, or from filing where that comes later.
            let end = deadline::end_of_day(step.case.session.ends_on);
            let end = end - jiff::SignedDuration::from_secs(1);
            step.start_from(
                ClockKind::K04,
                subject,
                end.max(now),
                profile.assignment_session,
            );
        }
        _ => step.start(ClockKind::K04, subject, profile.assignment_ordinary),
    }
    step.start(ClockKind::K17, subject, profile.catalogue_publication);
    step.record_decision("file", serde_json::to_value(input).unwrap_or_default());
    Ok(())
}

/// Unsigned co-signers are dropped; a joint proposal left with none becomes an individual one.
fn freeze_signers(step: &mut Step<'_>) {
    let mut left = false;
    for proposer in &mut step.case.proposers {
        if proposer.role != ProposerRole::Cosigner {
            continue;
        }
        match proposer.status {
            ConsentStatus::Consented => left = true,
            ConsentStatus::Invited | ConsentStatus::Stale | ConsentStatus::Expired => {
                proposer.status = ConsentStatus::Dropped;
            }
            ConsentStatus::Declined | ConsentStatus::Dropped => {}
        }
    }
    if step.case.proposal.kind == ProposerKind::Joint && !left {
        step.case.proposal.kind = ProposerKind::Individual;
    }
}

/// PT16: refused with reasons, explanation and disposition (I11); some reasons remove the text.
pub fn not_file(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::NotFile(input) = input else {
        return Err(mismatched());
    };
    if input.reason_codes.is_empty() {
        return Err(required("/reason_codes"));
    }
    not_blank("/explanation", &input.explanation)?;
    if input.disposition != Disposition::Kept && !input.proposer_agrees {
        return Err(Refusal::invalid(
            "/proposer_agrees",
            "required",
            "转其他渠道须经提案者同意。",
            "Another channel is used only if the proposer agrees.",
        ));
    }
    step.stop(&[ClockKind::K01, ClockKind::K02, ClockKind::K03], None);
    let subject = step.subject();
    step.start(ClockKind::K20, subject, Profile::DISPOSITION);
    if input.reason_codes.iter().any(|code| code.hides_text()) {
        step.case.proposal.form = step.case.proposal.form.without_text();
        step.records.push(Record::HideText);
    }
    step.record_decision("not_file", serde_json::to_value(input).unwrap_or_default());
    Ok(())
}

/// PT19: one row per unit, with its clocks (I4, I5).
pub fn assign(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Assign(input) = input else {
        return Err(mismatched());
    };
    check_kind(input)?;
    let mut seen = BTreeSet::new();
    let mut checks = Vec::new();
    for (index, row) in input.rows.iter().enumerate() {
        checks.push(check_unit(
            step,
            row.unit_id,
            &format!("/rows/{index}/unit_id"),
            seen.insert(row.unit_id),
        ));
        if row.role == AssignmentRole::Separate && row.part.is_none() {
            checks.push(Err(required(&format!("/rows/{index}/part"))));
        }
    }
    Refusal::together(checks)?;
    step.stop(&[ClockKind::K04], None);
    step.case.proposal.handling_kind = Some(input.handling_kind);
    // The lead stands first whatever the order of the request.
    let mut rows: Vec<_> = input.rows.iter().collect();
    rows.sort_by_key(|row| row.role);
    for (index, row) in rows.into_iter().enumerate() {
        let id = step.env.id();
        let name = step
            .env
            .references
            .units
            .get(&row.unit_id)
            .map(|unit| unit.name.clone());
        step.case.assignments.push(Assignment {
            id,
            version: 1,
            round: step.case.proposal.round,
            position: i32::try_from(index + 1).unwrap_or(i32::MAX),
            role: row.role,
            unit: row.unit_id,
            unit_name: name.unwrap_or_default(),
            status: AssignmentStatus::Pending,
            part: row.part.clone(),
            returnable: row.role != AssignmentRole::Reference,
            deemed: false,
            accepted_at: None,
            clerk_name: None,
            clerk_phone: None,
            opinion_missing: false,
            opinions: 0,
        });
        start_row_clocks(step, id, row.role);
    }
    step.record_decision(
        "assign",
        json!({ "meeting": input.meeting, "opinion": input.opinion, "handling_kind": input.handling_kind }),
    );
    Ok(())
}

/// I4: sole = one lead; joint = one lead and co-handlers; separate = two or more parts.
fn check_kind(input: &AssignIn) -> Result<(), Refusal> {
    let count = |role| input.rows.iter().filter(|row| row.role == role).count();
    let (lead, co, separate) = (
        count(AssignmentRole::Lead),
        count(AssignmentRole::CoHandler),
        count(AssignmentRole::Separate),
    );
    let fits = match input.handling_kind {
        HandlingKind::Sole => lead == 1 && co == 0 && separate == 0,
        HandlingKind::Joint => lead == 1 && (1..=30).contains(&co) && separate == 0,
        HandlingKind::Separate => lead == 0 && co == 0 && separate >= 2,
    };
    if fits {
        return Ok(());
    }
    let (zh, en) = match input.handling_kind {
        HandlingKind::Sole => (
            "独办须恰有一个主办单位。",
            "Sole handling has exactly one lead.",
        ),
        HandlingKind::Joint => (
            "会办须有一个主办单位和 1–30 个会办单位。",
            "Joint handling has one lead and 1 to 30 co-handlers.",
        ),
        HandlingKind::Separate => (
            "分办须有两个以上分办单位，且无主办、会办。",
            "Separate handling has two or more separate units, no lead and no co-handler.",
        ),
    };
    Err(Refusal::invalid("/rows", "handling_kind", zh, en))
}

fn start_row_clocks(step: &mut Step<'_>, id: crate::ids::AssignmentId, role: AssignmentRole) {
    let (profile, subject) = (step.env.profile, id.cast());
    if role == AssignmentRole::Reference {
        return;
    }
    step.start(ClockKind::K05, subject, profile.return_window);
    if role == AssignmentRole::CoHandler {
        step.start(ClockKind::K08, subject, profile.opinion);
        return;
    }
    step.start(ClockKind::K07, subject, profile.first_contact);
    let reply = match (step.case.proposal.urgency, step.case.proposal.session_mark) {
        (Urgency::Urgent, _) => profile.reply_urgent,
        (Urgency::Normal, Some(SessionMark::Session)) => profile.reply_session,
        _ => profile.reply_ordinary,
    };
    step.start(ClockKind::K10, subject, reply);
}

/// A required place that is empty.
pub fn required(pointer: &str) -> Refusal {
    Refusal::invalid(pointer, "required", "必填。", "This is required.")
}

/// Text that consists of more than blanks.
pub fn not_blank(pointer: &str, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        Err(required(pointer))
    } else {
        Ok(())
    }
}
