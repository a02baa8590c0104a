//! Effects of further rounds and of what is noted about a case without changing its status: PT24,
//! PT26, OT01, OT03, OT04.

use std::collections::BTreeSet;

use serde_json::json;

use super::authoring::mismatched;
use super::case::Consultation;
use super::codes::{AssignmentRole, PublicationLevel, RehandlingCause, Secrecy};
use super::decide::{Record, Step};
use super::examination::not_blank;
use super::input::{AssignRow, Input};
use super::proposal::ProposalStatus;
use super::refusal::Refusal;
use super::role::Role;
use super::rule::Who;
use super::units::{self, Standing};

/// PT24: new rows; those of earlier rounds, their replies and forms stay as they are (I16).
pub fn rehandle(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Rehandle(input) = input else {
        return Err(mismatched());
    };
    let round = step.case.proposal.round;
    match input.cause {
        RehandlingCause::Dissatisfied => {
            let trigger = &step.env.profile.rehandling_trigger;
            let due = step
                .case
                .complaints(trigger)
                .any(|form| form.round == round);
            if !due {
                return Err(Refusal::unmet(
                    "rehandling_due",
                    None,
                    "本轮没有须重新办理的反馈。",
                    "No form of this round asks for another one.",
                ));
            }
        }
        RehandlingCause::Quality => {
            not_blank("/reason", input.reason.as_deref().unwrap_or_default())?;
        }
    }
    let before: Vec<_> = step.case.live_rows().cloned().collect();
    let rows: Vec<AssignRow> = if input.rows.is_empty() {
        before
            .iter()
            .filter(|row| row.role != AssignmentRole::Reference)
            .map(|row| AssignRow {
                unit_id: row.unit,
                role: row.role,
                part: row.part.clone(),
            })
            .collect()
    } else {
        input.rows.clone()
    };
    let carried: BTreeSet<_> = before.iter().map(|row| row.unit).collect();
    step.case.proposal.round += 1;
    if let Some(kind) = input.handling_kind {
        step.case.proposal.handling_kind = Some(kind);
    }
    // Units that go on need not be active any more; new ones must be.
    units::check_new_rows(step, &rows, &carried, "/rows")?;
    check_once(&rows)?;
    let rows = rows
        .into_iter()
        .map(|row| {
            let standing = if carried.contains(&row.unit_id) {
                Standing::CarriedOver
            } else {
                Standing::New
            };
            (row, standing)
        })
        .collect();
    let made = units::add_rows(step, rows, "PT24");
    for id in made {
        let Some(unit) = step.case.assignment(id).map(|row| row.unit) else {
            continue;
        };
        let name = before.iter().find(|row| row.unit == unit);
        let name = name.map(|row| row.unit_name.clone());
        if let (Some(row), Some(name)) = (step.row_mut(id), name) {
            row.unit_name = name;
        }
    }
    units::check_shape(step, "/rows")?;
    step.record_decision(
        "rehandle",
        json!({ "cause": input.cause, "reason": input.reason, "rows": input.rows }),
    );
    Ok(())
}

fn check_once(rows: &[AssignRow]) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    let twice = rows.iter().position(|row| !seen.insert(row.unit_id));
    match twice {
        Some(index) => Err(Refusal::invalid(
            format!("/rows/{index}/unit_id"),
            "duplicate",
            "同一单位不能重复。",
            "A unit may stand here once.",
        )),
        None => Ok(()),
    }
}

/// `PT24b`: a dissatisfied rater gives up another round, in writing.
pub fn waive(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Waive(input) = input else {
        return Err(mismatched());
    };
    let by_staff = step.actor.has(Role::CommitteeStaff) && input.rater_id.is_some();
    if by_staff {
        step.who = Who::Staff;
        not_blank(
            "/paper_reference",
            input.paper_reference.as_deref().unwrap_or_default(),
        )?;
    }
    let trigger = &step.env.profile.rehandling_trigger;
    let rater = step
        .case
        .complaints(trigger)
        .filter_map(|form| step.case.everybody().find(|one| one.id == form.rater))
        .find(|rater| {
            if by_staff {
                Some(rater.id) == input.rater_id
            } else {
                rater.is(step.actor)
            }
        })
        .map(|rater| rater.id);
    let Some(rater) = rater else {
        return Err(Refusal::invalid(
            "/rater_id",
            "unknown_rater",
            "该人员没有须重新办理的反馈。",
            "This rater has no form that asks for another round.",
        ));
    };
    let round = step.case.proposal.round;
    if let Some(proposer) = step.proposer_mut(rater) {
        proposer.waived_round = Some(round);
    }
    step.record_decision(
        "waive_rehandling",
        json!({
            "rater_id": rater,
            "paper_reference": input.paper_reference,
            "comment": input.comment,
        }),
    );
    Ok(())
}

/// PT26: open again (I11); another round or tracking follows.
pub fn reopen(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Reason(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    step.case.proposal.marks.archived_at = None;
    step.record_decision("reopen", json!({ "reason": input.reason }));
    Ok(())
}

/// OT01: a consultation, such as the face-to-face meeting after the last round.
pub fn record_consultation(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Consultation(input) = input else {
        return Err(mismatched());
    };
    not_blank("/participants", &input.participants)?;
    not_blank("/minutes", &input.minutes)?;
    if input.date > step.env.today() {
        return Err(Refusal::invalid(
            "/date",
            "in_future",
            "日期不能晚于今天。",
            "A consultation cannot lie in the future.",
        ));
    }
    let id = step.env.id();
    step.case.consultations.push(Consultation {
        id,
        round: step.case.proposal.round,
        form: input.form,
        date: input.date,
    });
    let content = serde_json::to_value(input).unwrap_or_default();
    step.records.push(Record::Consultation { id, content });
    Ok(())
}

/// OT03: who may read the case. A filed case that is found sensitive is not published any more.
pub fn set_secrecy(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Secrecy(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let is_main = !step.case.absorbed.is_empty();
    let proposal = &mut step.case.proposal;
    if input.secrecy == Secrecy::Secret && is_main {
        // Only the refusal is left of a secret proposal, and a main one is not refused.
        return Err(Refusal::invalid(
            "/secrecy",
            "main_of_a_merge",
            "本案已并入其他提案，须先撤销并案。",
            "Other proposals were merged into this one: unmerge them first.",
        ));
    }
    if input.secrecy == Secrecy::Secret && proposal.status != ProposalStatus::Submitted {
        return Err(Refusal::invalid(
            "/secrecy",
            "only_while_submitted",
            "仅审查中的提案可定为涉密；已立案的请设为内部。",
            "Only a submitted proposal becomes secret; a filed one becomes restricted.",
        ));
    }
    if input.secrecy == proposal.secrecy {
        return Err(Refusal::invalid(
            "/secrecy",
            "unchanged",
            "密级未改变。",
            "That is what it is already.",
        ));
    }
    proposal.secrecy = input.secrecy;
    if input.secrecy != Secrecy::Open {
        let hidden = Some(PublicationLevel::None);
        proposal.marks.publish_text = proposal.marks.publish_text.and(hidden);
        proposal.marks.publish_replies = proposal.marks.publish_replies.and(hidden);
        proposal.marks.published_text = None;
        proposal.marks.text_published_at = None;
        proposal.marks.published_replies = None;
        proposal.marks.replies_published_at = None;
    }
    step.record_decision(
        "set_secrecy",
        json!({ "secrecy": input.secrecy, "reason": input.reason }),
    );
    Ok(())
}

/// OT04: into the archive; reopening and unmerging take it out again.
pub fn archive(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Note(_) = input else {
        return Err(mismatched());
    };
    step.case.proposal.marks.archived_at = Some(step.env.now);
    Ok(())
}
