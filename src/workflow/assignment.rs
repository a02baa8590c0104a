//! The assignment machine: one row per unit and round.

use super::attachments::{self, Binding, BoundKind};
use super::authoring::mismatched;
use super::codes::ClockKind;
use super::decide::{Record, Step, Target};
use super::examination::not_blank;
use super::guard as g;
use super::input::Input;
use super::refusal::Refusal;
use super::rule::{Action, Rule, State, To, Who, is_unambiguous};
use crate::code_list;
use crate::ids::{AssignmentId, ContactId};

code_list! {
    /// Statuses of a unit's row.
    pub enum AssignmentStatus {
        Pending = "pending", "待签收", "pending";
        Accepted = "accepted", "已签收", "accepted";
        ReturnRequested = "return_requested", "申退中", "return requested";
        Returned = "returned", "已退回(改办)", "returned";
        OpinionSubmitted = "opinion_submitted", "会办意见已提交", "opinion submitted";
        Replied = "replied", "已答复", "replied";
        Void = "void", "作废", "void";
    }
}

impl AssignmentStatus {
    /// Neither void nor returned: counts for I4, I5 and I7.
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Returned | Self::Void)
    }
}

code_list! {
    /// Actions on a unit's row.
    pub enum AssignmentAction {
        Accept = "accept", "签收", "accept";
        RecordContact = "record_contact", "登记沟通", "record a contact";
        SubmitOpinion = "submit_opinion", "提交会办意见", "submit an opinion";
    }
}

use AssignmentAction as Do;
use AssignmentStatus as S;

const PENDING: State = State::Assignment(S::Pending);
const ACCEPTED: State = State::Assignment(S::Accepted);
const OPINION: State = State::Assignment(S::OpinionSubmitted);

/// The table. AT01 is an effect of PT19, AT16 one of RT09.
pub const RULES: &[Rule] = &[
    Rule {
        id: "AT02",
        action: Action::Assignment(Do::Accept),
        from: &[PENDING],
        to: To::State(ACCEPTED),
        who: &[Who::OwnUnitClerk],
        guards: &[&g::ROUND_OPEN, &g::ROW_OWES_SOMETHING],
        effect: accept,
        event: "assignment.accepted",
    },
    Rule {
        id: "AT09",
        action: Action::Assignment(Do::RecordContact),
        from: &[ACCEPTED, OPINION],
        to: To::Stay,
        who: &[Who::OwnUnitClerk],
        guards: &[&g::ROUND_OPEN, &g::ROW_OWES_SOMETHING],
        effect: record_contact,
        event: "contact.recorded",
    },
    Rule {
        id: "AT10",
        action: Action::Assignment(Do::SubmitOpinion),
        from: &[ACCEPTED, OPINION],
        to: To::State(OPINION),
        who: &[Who::OwnUnitClerk],
        guards: &[&g::ROUND_OPEN, &g::IS_CO_HANDLER, &g::LEAD_NOT_SIGNED],
        effect: submit_opinion,
        event: "opinion.submitted",
    },
];

const _: () = assert!(
    is_unambiguous(RULES),
    "two rows of one action start from the same status"
);

fn own_row(step: &Step<'_>) -> Result<AssignmentId, Refusal> {
    match step.target {
        Target::Assignment(id) if step.case.assignment(id).is_some() => Ok(id),
        _ => Err(mismatched()),
    }
}

/// AT02: signed for; the return window goes on.
fn accept(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Accept(input) = input else {
        return Err(mismatched());
    };
    not_blank("/clerk_name", &input.clerk_name)?;
    let (id, now) = (own_row(step)?, step.env.now);
    if let Some(row) = step.row_mut(id) {
        row.accepted_at = Some(now);
        row.clerk_name = Some(input.clerk_name.clone());
        row.clerk_phone = Some(input.clerk_phone.clone());
    }
    Ok(())
}

/// AT09: the first contact stops K07.
fn record_contact(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Contact(input) = input else {
        return Err(mismatched());
    };
    if input.date > step.env.today() {
        return Err(Refusal::invalid(
            "/date",
            "in_future",
            "沟通日期不能晚于今天。",
            "A contact cannot lie in the future.",
        ));
    }
    if input.way == super::codes::ContactWay::None && input.no_visit_note.is_none() {
        return Err(super::examination::required("/no_visit_note"));
    }
    let id = own_row(step)?;
    let contact: ContactId = step.env.id();
    let binding = Binding::to(BoundKind::Contact, contact.cast());
    attachments::attach(step, &input.attachment_ids, binding)?;
    if !step.case.contacted.contains(&id) {
        step.case.contacted.push(id);
    }
    step.stop(&[ClockKind::K07], Some(id.cast()));
    let content = serde_json::to_value(input).unwrap_or_default();
    step.records.push(Record::Contact {
        id: contact,
        assignment: id,
        content,
    });
    Ok(())
}

/// AT10: a new version each time; stops K08.
fn submit_opinion(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::Opinion(input) = input else {
        return Err(mismatched());
    };
    not_blank("/text", &input.text)?;
    let id = own_row(step)?;
    let binding = Binding::to(BoundKind::CoOpinion, id.cast());
    attachments::attach(step, &input.attachment_ids, binding)?;
    let mut version = 0;
    if let Some(row) = step.row_mut(id) {
        row.opinions += 1;
        version = row.opinions;
    }
    step.stop(&[ClockKind::K08], Some(id.cast()));
    let content = serde_json::to_value(input).unwrap_or_default();
    step.records.push(Record::CoOpinion {
        assignment: id,
        version,
        content,
    });
    Ok(())
}
