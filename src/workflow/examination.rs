//! Effects of the rows by which the committee and the assigning officer act: PT13–PT19.

use std::collections::BTreeSet;

use serde_json::json;

use super::authoring::mismatched;
use super::case::Opinion;
use super::codes::{
    CaseSeries, ClockKind, ConsentStatus, Disposition, ProposerRole, Recommendation, Secrecy,
    SessionMark, Urgency,
};
use super::deadline;
use super::decide::{Number, Record, Step};
use super::input::{ExamineIn, Input};
use super::lists::ProposerKind;
use super::profile::Profile;
use super::reasons::{ReasonCode, ReasonFacts};
use super::refusal::Refusal;
use super::rule::Who;
use super::units::{self, Standing};

/// PT13: back to the proposer, with what is to be revised (I11).
pub fn return_for_revision(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::ReturnForRevision(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    step.stop(&[ClockKind::K03], None);
    units::void_early(step, "PT13");
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
    check_reasons(step, &input.reason_codes)?;
    let last = step.case.current_opinions().count() + 1 == stages;
    let line = input.assigning_line.or_else(|| {
        let lead = input.draft_units.first()?;
        step.env
            .references
            .units
            .get(lead)
            .map(|unit| step.env.profile.line_of(unit.system_line))
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
    note_reasons(step, "examine", &input.reason_codes);
    Ok(())
}

fn check_draft_units(step: &Step<'_>, input: &ExamineIn) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    let units = input.draft_units.iter().enumerate();
    Refusal::together(units.map(|(index, unit)| {
        units::check_unit(
            step,
            *unit,
            &format!("/draft_units/{index}"),
            seen.insert(*unit),
        )
    }))
}

/// Every reason is one that the committee uses now, and stands there once.
fn check_reasons(step: &Step<'_>, codes: &[ReasonCode]) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    Refusal::together(codes.iter().enumerate().map(|(index, code)| {
        let pointer = format!("/reason_codes/{index}");
        if !seen.insert(code) {
            return Err(Refusal::invalid(
                pointer,
                "duplicate",
                "同一理由不能重复。",
                "A reason may stand here once.",
            ));
        }
        match step.env.references.reasons.get(code) {
            Some(facts) if facts.active => Ok(()),
            Some(ReasonFacts { label, .. }) => Err(Refusal::invalid(
                pointer,
                "inactive_reason",
                format!("理由“{}”未启用或已停用。", label.zh),
                format!("The reason '{}' is not active.", label.en),
            )),
            None => Err(Refusal::invalid(
                pointer,
                "unknown_reason",
                "本委员会没有这一不予立案理由。",
                "The committee has no such reason.",
            )),
        }
    }))
}

/// Notes that the case has these reasons.
fn note_reasons(step: &mut Step<'_>, act: &'static str, codes: &[ReasonCode]) {
    if !codes.is_empty() {
        step.records.push(Record::ReasonsUsed {
            act,
            codes: codes.to_vec(),
        });
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
    proposal.case_series = match proposal.session_mark {
        Some(SessionMark::Ordinary) if step.env.profile.separate_series => CaseSeries::Ordinary,
        _ => CaseSeries::Main,
    };
    step.numbers.push(Number::Case);
    freeze_signers(step);
    step.stop(&[ClockKind::K01, ClockKind::K03], None);
    start_assignment(step);
    let (subject, profile) = (step.subject(), step.env.profile);
    step.start(ClockKind::K17, subject, profile.catalogue_publication);
    step.record_decision("file", serde_json::to_value(input).unwrap_or_default());
    Ok(())
}

/// K04.
pub fn start_assignment(step: &mut Step<'_>) {
    let subject = step.subject();
    let (start, limit) = assignment_limit(step);
    step.start_on(ClockKind::K04, subject, start, limit);
}

/// K04: from the filing; for session proposals from the end of the session, if that comes later.
pub fn assignment_limit(step: &Step<'_>) -> (jiff::Timestamp, String) {
    let (profile, proposal) = (step.env.profile, &step.case.proposal);
    // After an unmerge it starts anew.
    let filed = match proposal.filed_at {
        Some(at) if step.case.running(ClockKind::K04, step.subject()).is_some() => at,
        _ => step.env.now,
    };
    match (proposal.urgency, proposal.session_mark) {
        (Urgency::Urgent, _) => (filed, profile.assignment_urgent.to_string()),
        (Urgency::Normal, Some(SessionMark::Session)) => {
            let end = deadline::end_of_day(step.case.session.ends_on);
            let end = end - jiff::SignedDuration::from_secs(1);
            (end.max(filed), profile.assignment_session.to_string())
        }
        _ => (filed, profile.assignment_ordinary.to_string()),
    }
}

/// Unsigned co-signers are dropped; a joint proposal left with none becomes an individual one.
pub fn freeze_signers(step: &mut Step<'_>) {
    let mut left = false;
    for proposer in &mut step.case.proposers {
        if proposer.role == ProposerRole::First {
            continue;
        }
        match proposer.status {
            ConsentStatus::Consented => left |= proposer.role == ProposerRole::Cosigner,
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
    check_reasons(step, &input.reason_codes)?;
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
    units::void_early(step, "PT16");
    let subject = step.subject();
    step.start(ClockKind::K20, subject, Profile::DISPOSITION);
    note_reasons(step, "not_file", &input.reason_codes);
    let reasons = &step.env.references.reasons;
    let hides = |code| reasons.get(code).is_some_and(|facts| facts.hides_text);
    let secret = step.case.proposal.secrecy == Secrecy::Secret;
    if secret || input.reason_codes.iter().any(hides) {
        step.case.proposal.form = step.case.proposal.form.without_text();
        step.records.push(Record::HideText);
    }
    step.record_decision("not_file", serde_json::to_value(input).unwrap_or_default());
    Ok(())
}

/// `PT16b`: what was to become of a refused proposal has been done, and the proposer told.
pub fn carry_out_disposition(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Disposition(input) = input else {
        return Err(mismatched());
    };
    not_blank("/note", &input.note)?;
    if input.sent_on.is_some_and(|day| day > step.env.today()) {
        return Err(Refusal::invalid(
            "/sent_on",
            "in_future",
            "日期不能晚于今天。",
            "It cannot lie in the future.",
        ));
    }
    step.case.proposal.marks.disposed_at = Some(step.env.now);
    step.stop(&[ClockKind::K20], None);
    let content = serde_json::to_value(input).unwrap_or_default();
    step.record_decision("carry_out_disposition", content);
    Ok(())
}

/// PT19: one row per unit, with its clocks (I4, I5).
pub fn assign(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Assign(input) = input else {
        return Err(mismatched());
    };
    // A unit that got a reference copy ahead may be assigned now.
    let early: Vec<_> = step
        .case
        .live_rows()
        .filter(|row| input.rows.iter().any(|named| named.unit_id == row.unit))
        .map(|row| row.id)
        .collect();
    for row in early {
        units::void_row(step, row, "PT19");
    }
    units::check_rows(step, &input.rows, "/rows")?;
    step.stop(&[ClockKind::K04], None);
    step.case.proposal.handling_kind = Some(input.handling_kind);
    let rows = input.rows.iter().map(|row| (row.clone(), Standing::New));
    let rows = rows.collect();
    units::add_rows(step, rows, "PT19");
    units::check_shape(step, "/rows")?;
    step.record_decision(
        "assign",
        json!({ "meeting": input.meeting, "opinion": input.opinion, "handling_kind": input.handling_kind }),
    );
    Ok(())
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
