//! AT18: a unit that another one took over passes what it still owes to it: open rows with their
//! live replies, and open promises. Clocks run on as they are and nothing of the past changes
//! (I28).

use serde_json::json;

use super::assignment::AssignmentStatus;
use super::case::{Assignment, Case};
use super::codes::{AssignmentRole, FollowUpStatus, HandlingKind, PromiseStatus};
use super::decide::{Decision, Env, Number, Step, Target, consequence};
use super::proposal::ProposalStatus;
use super::refusal::Refusal;
use super::units::{check_shape, void_row};
use crate::ids::{AssignmentId, UnitId};

/// Most characters of the part of a separate row.
const PART_CHARS: usize = 500;

/// Who takes over from whom.
#[derive(Debug, Clone)]
pub struct Succession {
    /// The unit that ends.
    pub from: UnitId,
    /// Its name.
    pub from_name: String,
    /// The unit that takes over.
    pub to: UnitId,
    /// Its name.
    pub to_name: String,
    /// The word of its own reply documents.
    pub to_prefix: String,
    /// Why.
    pub reason: String,
}

/// What a case comes to when the unit's open rows and promises pass to its successor.
pub fn hand_over(case: &Case, succession: &Succession, env: Env<'_>) -> Result<Decision, Refusal> {
    consequence(case, env, |step| {
        pass_rows(step, succession)?;
        pass_promises(step, succession);
        pass_follow_ups(step, succession);
        Ok(())
    })
}

fn pass_rows(step: &mut Step<'_>, succession: &Succession) -> Result<(), Refusal> {
    let under_way = matches!(
        step.case.proposal.status,
        ProposalStatus::Submitted | ProposalStatus::Filed | ProposalStatus::Assigned
    );
    let open: Vec<_> = step
        .case
        .current_rows()
        .filter(|row| under_way && row.unit == succession.from && !row.status.is_final())
        .map(|row| row.id)
        .collect();
    for id in &open {
        pass_row(step, *id, succession);
    }
    if open.is_empty() || step.case.proposal.status != ProposalStatus::Assigned {
        return Ok(());
    }
    follow_kind(step);
    check_shape(step, "")
}

/// The row goes over as it stands. Where the successor has an open row in the case already, the
/// stronger role stays and the other row becomes void (I5).
fn pass_row(step: &mut Step<'_>, id: AssignmentId, succession: &Succession) {
    let Some(row) = step.case.assignment(id).cloned() else {
        return;
    };
    let own = step
        .case
        .current_rows()
        .find(|own| own.unit == succession.to && !own.status.is_final())
        .cloned();
    if let Some(own) = own {
        let (stays, goes) = if strength(own.role) >= strength(row.role) {
            (&own, &row)
        } else {
            (&row, &own)
        };
        if stays.role == AssignmentRole::Separate && goes.role == AssignmentRole::Separate {
            join_parts(step, stays.id, goes);
        }
        let ends = goes.id;
        if ends == id {
            step.part_with("AT18", Target::Assignment(id), told(succession, "row_ends"));
        }
        void_row(step, ends, "AT18");
        if ends == id {
            return;
        }
    }
    if let Some(row) = step.row_mut(id) {
        row.unit = succession.to;
        row.unit_name.clone_from(&succession.to_name);
    }
    pass_reply(step, id, succession);
    step.part_with("AT18", Target::Assignment(id), told(succession, "row"));
}

/// The live reply of the row. A number from the old unit's series stands, unless the successor
/// writes the same word and may have used it.
fn pass_reply(step: &mut Step<'_>, row: AssignmentId, succession: &Succession) {
    let Some(id) = step.case.live_reply(row).map(|reply| reply.id) else {
        return;
    };
    let mut again = false;
    if let Some(reply) = step.reply_mut(id) {
        reply.unit = succession.to;
        if let Some(document) = &mut reply.document
            && document.prefix == succession.to_prefix
        {
            document.number = None;
            again = true;
        }
    }
    if again {
        step.numbers.push(Number::Document(id));
    }
}

/// Open promises, of any round and whatever became of the case; the replies that made them stay
/// with the unit that delivered them.
fn pass_promises(step: &mut Step<'_>, succession: &Succession) {
    let mut replies = Vec::new();
    for promise in &mut step.case.promises {
        if promise.unit == succession.from && promise.status == PromiseStatus::Open {
            promise.unit = succession.to;
            replies.push(promise.reply);
        }
    }
    let mut rows: Vec<_> = replies
        .into_iter()
        .filter_map(|reply| step.case.reply(reply).map(|reply| reply.assignment))
        .collect();
    rows.sort_unstable();
    rows.dedup();
    for row in rows {
        step.part_with(
            "AT18",
            Target::Assignment(row),
            told(succession, "promises"),
        );
    }
}

/// Urgings and instructions that wait for an answer.
fn pass_follow_ups(step: &mut Step<'_>, succession: &Succession) {
    for entry in &mut step.case.follow_ups {
        if entry.unit == Some(succession.from) && entry.status == FollowUpStatus::Open {
            entry.unit = Some(succession.to);
        }
    }
}

fn told(succession: &Succession, what: &str) -> serde_json::Value {
    json!({
        "because_of": "units.succeed",
        "what": what,
        "from_unit_id": succession.from,
        "from_unit": succession.from_name,
        "to_unit_id": succession.to,
        "to_unit": succession.to_name,
        "reason": succession.reason,
    })
}

/// How much a role counts where one unit has two.
const fn strength(role: AssignmentRole) -> u8 {
    match role {
        AssignmentRole::Lead => 3,
        AssignmentRole::Separate => 2,
        AssignmentRole::CoHandler => 1,
        AssignmentRole::Reference => 0,
    }
}

/// Of two separate rows the one that stays answers for both parts of the matter.
fn join_parts(step: &mut Step<'_>, stays: AssignmentId, goes: &Assignment) {
    if let Some(row) = step.row_mut(stays) {
        let parts: Vec<_> = [row.part.take(), goes.part.clone()]
            .into_iter()
            .flatten()
            .collect();
        let joined: String = parts.join("；").chars().take(PART_CHARS).collect();
        row.part = Some(joined).filter(|part| !part.is_empty());
    }
}

/// Joint handling without a co-handler, and separate handling by one unit alone, are sole (I4).
fn follow_kind(step: &mut Step<'_>) {
    let rows = |role| {
        let live = step.case.live_rows().filter(move |row| row.role == role);
        live.map(|row| (row.id, row.status)).collect::<Vec<_>>()
    };
    match step.case.proposal.handling_kind {
        Some(HandlingKind::Joint) if rows(AssignmentRole::CoHandler).is_empty() => {
            step.case.proposal.handling_kind = Some(HandlingKind::Sole);
        }
        Some(HandlingKind::Separate) => {
            if let [(only, status)] = rows(AssignmentRole::Separate)[..]
                && status != AssignmentStatus::Replied
            {
                step.case.proposal.handling_kind = Some(HandlingKind::Sole);
                if let Some(row) = step.row_mut(only) {
                    row.role = AssignmentRole::Lead;
                }
            }
        }
        _ => {}
    }
}
