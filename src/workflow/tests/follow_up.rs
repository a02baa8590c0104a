//! Promises, tracking, supervision, urging, instructions: plausible inputs and the guards, each in
//! a case in which it and nothing else stands in the way.

use jiff::ToSpan;
use jiff::civil::Date;

use super::fixture::{Person as P, World, unit};
use super::guard_cases::{Case, refuse};
use super::inputs;
use crate::ids::{FollowUpId, PromiseId};
use crate::workflow::case::FollowUp;
use crate::workflow::codes::{
    AssignmentRole, ClockKind, FollowUpKind, FollowUpStatus, Grade, HandlingKind, InstructionKind,
    OutcomeMeaning, PromiseStatus, PromiseVerdict, SupervisionMode,
};
use crate::workflow::decide::Target;
use crate::workflow::follow_up::debtors;
use crate::workflow::input::*;
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::role::Actor;
use crate::workflow::rule::Action;

pub fn start() -> StartTrackingIn {
    StartTrackingIn {
        decided_by: "主任会议".to_owned(),
        list_year: 2026,
        targets: "年底开通三号线。".to_owned(),
    }
}

pub fn progress(promise_id: Option<PromiseId>) -> ProgressIn {
    ProgressIn {
        text: "已试运行。".to_owned(),
        evidence: "公告88号".to_owned(),
        promise_id,
        proposed_outcome: None,
    }
}

pub fn fulfil(promise_id: PromiseId) -> FulfilPromiseIn {
    FulfilPromiseIn {
        promise_id,
        shown_by: "实地查看。".to_owned(),
        outcome: None,
    }
}

pub fn stop(world: &World) -> StopTrackingIn {
    let verdict = |promise_id| VerdictIn {
        promise_id,
        verdict: PromiseVerdict::Released,
        reason: "条件变化。".to_owned(),
    };
    let open = world.case.open_promises();
    StopTrackingIn {
        reason: "结束跟踪。".to_owned(),
        verdicts: open.map(|promise| verdict(promise.id)).collect(),
    }
}

pub fn supervise(world: &World, today: Date) -> SuperviseIn {
    let unit = world.case.assignments.first().map(|row| row.unit);
    let commitment = |unit_id| CommitmentIn {
        unit_id,
        text: "完成征地。".to_owned(),
        due_on: today.saturating_add(90.days()),
        person: "林涛".to_owned(),
    };
    SuperviseIn {
        mode: SupervisionMode::Inspection,
        leader: "韩松".to_owned(),
        participants: "提案委".to_owned(),
        date: today,
        place: None,
        findings: "征地未完成。".to_owned(),
        opinions: None,
        report_reference: None,
        commitments: unit.map(commitment).into_iter().collect(),
    }
}

pub fn urge(world: &World, today: Date) -> UrgeIn {
    UrgeIn {
        addressees: debtors(&world.case, &world.profile).into_iter().collect(),
        text: "请抓紧办理。".to_owned(),
        due_on: today.saturating_add(10.days()),
    }
}

pub fn instruct(number: usize, today: Date) -> InstructIn {
    InstructIn {
        leader: "韩松".to_owned(),
        post: "市长".to_owned(),
        date: today,
        kind: InstructionKind::Instruction,
        text: "请抓紧研究。".to_owned(),
        restricted: number.is_multiple_of(2),
        unit_ids: vec![unit(number)],
        due_on: today.saturating_add(30.days()),
        paper_reference: Some("批示件 2026-012".to_owned()),
    }
}

pub fn look_back(date: Date) -> LookBackIn {
    LookBackIn {
        date,
        findings: "正在推进。".to_owned(),
        report_reference: None,
    }
}

/// An input that fits the action.
pub fn plausible(world: &World, actor: &Actor, action: Do, tone: u8) -> Input {
    let today = world.env().today();
    let case = &world.case;
    let waiting = |kind| {
        let mut open = case.unanswered(kind);
        let found = open.find(|entry| case.asks(entry, actor));
        found.map_or_else(|| world.env().id(), |entry: &FollowUp| entry.id)
    };
    let first = case.open_promises().next().map(|promise| promise.id);
    let own = case
        .open_promises()
        .find(|promise| actor.units().any(|unit| unit == promise.unit));
    match action {
        Do::StartTracking => start().into(),
        Do::ReportProgress => progress(own.map(|promise| promise.id)).into(),
        Do::FulfilPromise => fulfil(first.unwrap_or_else(|| world.env().id())).into(),
        Do::StopTracking => stop(world).into(),
        Do::Supervise => Input::Supervise(Box::new(supervise(world, today))),
        Do::Urge => urge(world, today).into(),
        Do::AcknowledgeUrging => AnswerUrgingIn {
            urging_id: waiting(FollowUpKind::Urging),
            text: "本周报送。".to_owned(),
        }
        .into(),
        Do::Instruct => Input::Instruct(Box::new(instruct(usize::from(tone) % 5, today))),
        Do::AnswerInstruction => AnswerInstructionIn {
            instruction_id: waiting(FollowUpKind::Instruction),
            text: "已开专题会。".to_owned(),
        }
        .into(),
        Do::RecordLookBack => look_back(today).into(),
        _ => NoInput {}.into(),
    }
}

fn entry(world: &World, status: FollowUpStatus) -> FollowUp {
    let id: FollowUpId = world.env().id();
    FollowUp {
        id,
        act: id,
        kind: FollowUpKind::Instruction,
        status,
        unit: Some(unit(0)),
        rater: None,
        promise: None,
        due_on: None,
        restricted: false,
    }
}

/// Rated by the only rater, who is satisfied.
pub fn rated(outcome: OutcomeMeaning) -> World {
    let mut world = World::individual().sole().answered(0, outcome);
    let form = inputs::feedback(world.reply_id(0), Grade::Satisfied);
    world.on_proposal(P::Member(0), Do::GiveFeedback, form);
    world
}

pub const OF_THE_FOLLOW_UP: &[Case] = &[
    ("instructions_answered", || {
        let mut world = rated(OutcomeMeaning::Resolved);
        let open = entry(&world, FollowUpStatus::Open);
        world.case.follow_ups.push(open);
        refuse(&mut world, P::Staff, Do::Close, inputs::close())
    }),
    ("tracked", || {
        let mut world = World::individual().sole().accepted(0);
        let input = progress(None);
        refuse(&mut world, P::UnitClerk(0), Do::ReportProgress, input)
    }),
    ("tracked", || {
        let mut world = World::individual().filed();
        let input = stop(&world);
        refuse(&mut world, P::Chair, Do::StopTracking, input)
    }),
    ("not_tracked", || {
        let mut world = World::individual().filed();
        world.on_proposal(P::Chair, Do::StartTracking, start());
        refuse(&mut world, P::Chair, Do::StartTracking, start())
    }),
    ("promise_open", || {
        let mut world = rated(OutcomeMeaning::Resolved);
        let input = fulfil(world.env().id());
        refuse(&mut world, P::Staff, Do::FulfilPromise, input)
    }),
    ("tracked_if_closed", || {
        let mut world = rated(OutcomeMeaning::Resolved);
        world.on_proposal(P::Staff, Do::Close, inputs::close());
        let open = entry(&world, FollowUpStatus::Open);
        world.case.follow_ups.push(open);
        let input = urge(&world, world.env().today());
        refuse(&mut world, P::Staff, Do::Urge, input)
    }),
    ("something_owed", || {
        let mut world = rated(OutcomeMeaning::Resolved);
        let input = urge(&world, world.env().today());
        refuse(&mut world, P::Supervision, Do::Urge, input)
    }),
    ("urged", || {
        let mut world = rated(OutcomeMeaning::Resolved);
        let actor = P::Member(0).actor();
        let input = plausible(&world, &actor, Do::AcknowledgeUrging, 0);
        refuse(&mut world, P::Member(0), Do::AcknowledgeUrging, input)
    }),
    ("instructed", || {
        let mut world = World::individual().sole();
        let answered = entry(&world, FollowUpStatus::Answered);
        world.case.follow_ups.push(answered);
        let actor = P::UnitClerk(0).actor();
        let input = plausible(&world, &actor, Do::AnswerInstruction, 0);
        refuse(&mut world, P::UnitClerk(0), Do::AnswerInstruction, input)
    }),
    ("look_back_due", || {
        let mut world = rated(OutcomeMeaning::Resolved);
        let input = look_back(world.env().today());
        refuse(&mut world, P::Staff, Do::RecordLookBack, input)
    }),
];

#[test]
fn a_promise_has_its_own_clock_until_its_verdict() {
    let mut world = rated(OutcomeMeaning::InProgress);
    let promise = world.case.promises[0].clone();
    let runs = |world: &World| {
        let subject = promise.id.cast();
        world.case.running(ClockKind::K15, subject).is_some()
    };
    world.on_proposal(P::Staff, Do::Close, inputs::close());
    assert!(runs(&world), "closing does not stop it");
    let verdicts = stop(&world);
    world.on_proposal(P::Chair, Do::StopTracking, verdicts);
    assert!(!runs(&world));
    assert_eq!(world.case.promises[0].status, PromiseStatus::Released);
    world.leaves("a_promise_has_its_own_clock_until_its_verdict");
}

#[test]
fn a_look_back_stops_its_clock() {
    let mut world = rated(OutcomeMeaning::InProgress);
    let mut clock = world.case.clocks[0].clone();
    clock.kind = ClockKind::K16;
    clock.subject = world.case.proposal.id.cast();
    clock.stopped_at = None;
    world.case.clocks.push(clock);
    let today = world.env().today();
    world.on_proposal(P::Supervision, Do::RecordLookBack, look_back(today));
    let subject = world.case.proposal.id.cast();
    assert!(world.case.running(ClockKind::K16, subject).is_none());
    world.leaves("a_look_back_stops_its_clock");
}

#[test]
fn each_guard_of_the_follow_up_stands_alone_in_the_way() {
    for (name, refused) in OF_THE_FOLLOW_UP {
        assert_eq!(super::stories::unmet(&refused()), [*name], "{name}");
    }
}

/// OT21: a unit reports on what it has promised itself; the report is the unit's.
#[test]
fn a_unit_reports_on_its_own_promises() {
    use AssignmentRole::{Reference, Separate};
    let filed = World::individual().filed();
    let rows = [(0, Separate), (1, Separate), (2, Reference)];
    let mut world = filed.assigned(HandlingKind::Separate, &rows);
    for number in [0, 1] {
        world = world.answered(number, OutcomeMeaning::InProgress);
    }
    let promises: Vec<_> = world.case.promises.iter().map(|one| one.id).collect();
    let report = Action::Proposal(Do::ReportProgress);
    for (number, other) in [(0, 1), (1, 0)] {
        let who = P::UnitClerk(number);
        let input = progress(Some(promises[other]));
        let refusal = world.refused(who, Target::Proposal, report, input);
        assert_eq!(super::stories::unmet(&refusal), ["own_promise"]);
        for promise in [None, Some(promises[number])] {
            world.on_proposal(who, Do::ReportProgress, progress(promise));
            let entry = world.case.follow_ups.last().unwrap();
            assert_eq!((entry.unit, entry.promise), (Some(unit(number)), promise));
        }
    }
    let copied = progress(None);
    let refusal = world.refused(P::UnitClerk(2), Target::Proposal, report, copied);
    assert!(super::stories::is_not_allowed(&refusal), "for reference");
}
