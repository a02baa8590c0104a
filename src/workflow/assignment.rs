//! The assignment machine: one row per unit and round.

use super::attachments::{self, Binding, BoundKind};
use super::authoring::mismatched;
use super::case::Contact;
use super::codes::ClockKind;
use super::decide::{Record, Step, Target};
use super::examination::not_blank;
use super::extension as x;
use super::guard as g;
use super::input::Input;
use super::refusal::Refusal;
use super::returning as t;
use super::rule::{Action, Rule, State, To, Who, is_unambiguous};
use super::units as u;
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

    /// The row is done with: nothing leads on from here.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Returned | Self::Replied | Self::Void)
    }
}

code_list! {
    /// Actions on a unit's row.
    pub enum AssignmentAction {
        Create = "create", "建立承办关系", "create";
        Accept = "accept", "签收", "accept";
        RecordContact = "record_contact", "登记沟通", "record a contact";
        SubmitOpinion = "submit_opinion", "提交会办意见", "submit an opinion";
        SuggestUnits = "suggest_units", "建议增加单位", "suggest units";
        RefuseSuggestion = "refuse_suggestion", "不采纳单位建议", "refuse the suggestion";
        RequestReturn = "request_return", "申退", "ask to return";
        GrantReturn = "grant_return", "同意退办", "grant the return";
        RejectReturn = "reject_return", "不同意退办", "reject the return";
        EscalateReturn = "escalate_return", "提请裁定", "escalate the return";
        DeemAccepted = "deem_accepted", "视为签收", "deem accepted";
        ObjectContact = "object_contact", "对沟通记录提出异议", "object to a contact record";
        NoteMissingOpinion = "note_missing_opinion", "会办意见逾期", "note the missing opinion";
        RequestExtension = "request_extension", "申请延期", "ask for an extension";
        GrantExtension = "grant_extension", "同意延期", "grant the extension";
        DenyExtension = "deny_extension", "不同意延期", "deny the extension";
        RequestPause = "request_pause", "申请中止", "ask for a pause";
        PauseClock = "pause_clock", "同意中止", "pause the clock";
        DenyPause = "deny_pause", "不同意中止", "deny the pause";
        ResumeClock = "resume_clock", "恢复计时", "resume the clock";
        EndPause = "end_pause", "中止期满", "end the pause";
        MarkReplied = "mark_replied", "答复送达", "mark as replied";
        Void = "void", "作废", "void";
        HandOver = "hand_over", "移交承继单位", "hand over to the successor";
    }
}

use AssignmentAction as Do;
use AssignmentStatus as S;

const PENDING: State = State::Assignment(S::Pending);
const ACCEPTED: State = State::Assignment(S::Accepted);
const OPINION: State = State::Assignment(S::OpinionSubmitted);
const REQUESTED: State = State::Assignment(S::ReturnRequested);

const fn action(action: AssignmentAction) -> Action {
    Action::Assignment(action)
}

/// The table.
pub const RULES: &[Rule] = &[
    Rule {
        id: "AT01",
        action: action(Do::Create),
        from: &[State::Start],
        // Carried over by a further round: accepted from the start.
        to: To::Stay,
        who: &[Who::System],
        guards: &[&g::PART],
        effect: u::part,
        event: "assignment.created",
    },
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
        id: "AT03",
        action: action(Do::SuggestUnits),
        from: &[PENDING, ACCEPTED],
        to: To::Stay,
        who: &[Who::OwnUnitClerk],
        guards: &[
            &g::ROUND_OPEN,
            &g::ROW_OWES_SOMETHING,
            &g::NO_OPEN_SUGGESTION,
        ],
        effect: u::suggest,
        event: "units.suggested",
    },
    Rule {
        id: "AT03b",
        action: action(Do::RefuseSuggestion),
        from: &[PENDING, ACCEPTED, REQUESTED, OPINION],
        to: To::Stay,
        who: &[Who::LineOfficer],
        guards: &[&g::NOT_A_SIGNER, &g::SUGGESTION_OPEN],
        effect: u::refuse_suggestion,
        event: "suggestion.refused",
    },
    Rule {
        id: "AT04",
        action: action(Do::RequestReturn),
        from: &[PENDING, ACCEPTED],
        to: To::State(REQUESTED),
        who: &[Who::OwnUnitClerk],
        guards: &[
            &g::ROUND_OPEN,
            &g::ROW_OWES_SOMETHING,
            &g::ROW_RETURNABLE,
            &g::RETURN_WINDOW_OPEN,
        ],
        effect: t::request_return,
        event: "return.requested",
    },
    Rule {
        id: "AT05",
        action: action(Do::GrantReturn),
        from: &[REQUESTED],
        to: To::State(State::Assignment(S::Returned)),
        who: &[Who::LineOfficer],
        guards: &[&g::NOT_A_SIGNER, &g::ROUND_OPEN],
        effect: t::grant_return,
        event: "return.granted",
    },
    Rule {
        id: "AT06",
        action: action(Do::RejectReturn),
        from: &[REQUESTED],
        to: To::State(ACCEPTED),
        who: &[Who::LineOfficer],
        guards: &[&g::NOT_A_SIGNER, &g::ROUND_OPEN],
        effect: t::reject_return,
        event: "return.rejected",
    },
    Rule {
        id: "AT07",
        action: action(Do::EscalateReturn),
        from: &[REQUESTED],
        to: To::Stay,
        who: &[Who::LineOfficer],
        guards: &[&g::NOT_A_SIGNER, &g::ROUND_OPEN, &g::NOT_ESCALATED],
        effect: t::escalate_return,
        event: "return.escalated",
    },
    Rule {
        id: "AT08",
        action: action(Do::DeemAccepted),
        from: &[PENDING],
        to: To::State(ACCEPTED),
        who: &[Who::System],
        guards: &[&g::ROUND_OPEN, &g::RETURN_WINDOW_LAPSED],
        effect: t::deem_accepted,
        event: "assignment.deemed_accepted",
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
        id: "AT09b",
        action: action(Do::ObjectContact),
        from: &[ACCEPTED, REQUESTED, OPINION, State::Assignment(S::Replied)],
        to: To::Stay,
        who: &[Who::RatingMember, Who::RatingClerk],
        guards: &[&g::CONTACT_ON_RECORD],
        effect: object_contact,
        event: "contact.objected",
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
    Rule {
        id: "AT10b",
        action: action(Do::NoteMissingOpinion),
        from: &[PENDING, ACCEPTED],
        to: To::Stay,
        who: &[Who::System],
        guards: &[&g::ROUND_OPEN, &g::IS_CO_HANDLER, &g::OPINION_LAPSED],
        effect: note_missing_opinion,
        event: "opinion.missing",
    },
    Rule {
        id: "AT11",
        action: action(Do::RequestExtension),
        from: &[ACCEPTED],
        to: To::Stay,
        who: &[Who::OwnUnitClerk],
        guards: &[&g::ROUND_OPEN, &g::DUE_DATE_AHEAD, &g::NO_OPEN_EXTENSION],
        effect: x::request_extension,
        event: "extension.requested",
    },
    Rule {
        id: "AT12",
        action: action(Do::GrantExtension),
        from: &[ACCEPTED],
        to: To::Stay,
        who: &[Who::LineOfficer],
        guards: &[&g::NOT_A_SIGNER, &g::ROUND_OPEN, &g::EXTENSION_OPEN],
        effect: x::grant_extension,
        event: "extension.decided",
    },
    Rule {
        id: "AT12",
        action: action(Do::DenyExtension),
        from: &[ACCEPTED],
        to: To::Stay,
        who: &[Who::LineOfficer],
        guards: &[&g::NOT_A_SIGNER, &g::EXTENSION_OPEN],
        effect: x::deny_extension,
        event: "extension.decided",
    },
    Rule {
        id: "AT13",
        action: action(Do::RequestPause),
        from: &[ACCEPTED],
        to: To::Stay,
        who: &[Who::OwnUnitClerk],
        guards: &[
            &g::ROUND_OPEN,
            &g::DUE_DATE_AHEAD,
            &g::NO_OPEN_PAUSE,
            &g::NO_PAUSE_RUNNING,
        ],
        effect: x::request_pause,
        event: "pause.requested",
    },
    Rule {
        id: "AT14",
        action: action(Do::PauseClock),
        from: &[ACCEPTED],
        to: To::Stay,
        who: &[Who::LineOfficer],
        guards: &[
            &g::NOT_A_SIGNER,
            &g::ROUND_OPEN,
            &g::PAUSE_OPEN,
            &g::DUE_DATE_AHEAD,
        ],
        effect: x::pause_clock,
        event: "clock.paused",
    },
    Rule {
        id: "AT14",
        action: action(Do::DenyPause),
        from: &[ACCEPTED],
        to: To::Stay,
        who: &[Who::LineOfficer],
        guards: &[&g::NOT_A_SIGNER, &g::PAUSE_OPEN],
        effect: x::deny_pause,
        event: "pause.denied",
    },
    Rule {
        id: "AT15",
        action: action(Do::ResumeClock),
        from: &[ACCEPTED],
        to: To::Stay,
        who: &[Who::LineOfficer],
        guards: &[&g::NOT_A_SIGNER, &g::ROUND_OPEN, &g::PAUSE_RUNNING],
        effect: x::resume_clock,
        event: "clock.resumed",
    },
    Rule {
        id: "AT15",
        action: action(Do::EndPause),
        from: &[ACCEPTED],
        to: To::Stay,
        who: &[Who::System],
        guards: &[&g::ROUND_OPEN, &g::PAUSE_ENDED],
        effect: x::end_pause,
        event: "clock.resumed",
    },
    Rule {
        id: "AT16",
        action: action(Do::MarkReplied),
        from: &[ACCEPTED],
        to: To::State(State::Assignment(S::Replied)),
        who: &[Who::System],
        guards: &[&g::PART],
        effect: u::part,
        event: "assignment.replied",
    },
    Rule {
        id: "AT17",
        action: action(Do::Void),
        from: &[PENDING, ACCEPTED, REQUESTED, OPINION],
        to: To::State(State::Assignment(S::Void)),
        who: &[Who::LineOfficer],
        guards: &[&g::NOT_A_SIGNER, &g::ROUND_OPEN, &g::WHOLE_WITHOUT_ROW],
        effect: u::void,
        event: "assignment.voided",
    },
    Rule {
        id: "AT18",
        action: action(Do::HandOver),
        // Of a row that is replied: the promises that its reply made.
        from: &[
            PENDING,
            ACCEPTED,
            REQUESTED,
            OPINION,
            State::Assignment(S::Replied),
        ],
        to: To::Stay,
        who: &[Who::System],
        guards: &[&g::PART],
        effect: u::part,
        event: "assignment.handed_over",
    },
];

const _: () = assert!(
    is_unambiguous(RULES),
    "two rows of one action start from the same status"
);

pub(super) fn own_row(step: &Step<'_>) -> Result<AssignmentId, Refusal> {
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
    let row = own_row(step)?;
    let id: ContactId = step.env.id();
    let binding = Binding::to(BoundKind::Contact, id.cast());
    attachments::attach(step, &input.attachment_ids, binding)?;
    step.case.contacts.push(Contact {
        id,
        assignment: row,
        way: input.way,
        objection: None,
    });
    step.stop(&[ClockKind::K07], Some(row.cast()));
    let content = serde_json::to_value(input).unwrap_or_default();
    step.records.push(Record::Contact { id, content });
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
    u::lapse_clock_requests(step, id);
    let content = serde_json::to_value(input).unwrap_or_default();
    step.records.push(Record::CoOpinion {
        assignment: id,
        version,
        content,
    });
    Ok(())
}

/// `AT09b`: the proposer says that it was not so; the record stays, the reviewers see both.
fn object_contact(step: &mut Step<'_>, input: &Input) -> Result<(), Refusal> {
    let Input::ObjectContact(input) = input else {
        return Err(mismatched());
    };
    not_blank("/reason", &input.reason)?;
    let id = own_row(step)?;
    let contact = step
        .case
        .contacts
        .iter_mut()
        .find(|contact| contact.id == input.contact_id && contact.assignment == id);
    let Some(contact) = contact.filter(|contact| contact.objection.is_none()) else {
        return Err(Refusal::invalid(
            "/contact_id",
            "unknown_contact",
            "没有这条沟通记录，或已提出过异议。",
            "There is no such contact of this unit, or it was objected to already.",
        ));
    };
    contact.objection = Some(input.reason.clone());
    Ok(())
}

/// `AT10b`: K08 ran out; the lead need not wait any longer.
fn note_missing_opinion(step: &mut Step<'_>, _: &Input) -> Result<(), Refusal> {
    let id = own_row(step)?;
    if let Some(row) = step.row_mut(id) {
        row.opinion_missing = true;
    }
    step.stop(&[ClockKind::K08], Some(id.cast()));
    u::lapse_clock_requests(step, id);
    Ok(())
}
