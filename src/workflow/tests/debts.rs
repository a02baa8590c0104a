//! Who owes what, and how promises, urgings, instructions and look-backs end (3.3, 3.7, I14, I27, I34).

use super::fixture::{Person as P, UNITS, World, unit};
use super::follow_up::{fulfil, instruct, progress, rated, stop, supervise, urge};
use super::inputs;
use super::people::{fixed, member};
use super::stories::{unmet, wrong};
use crate::workflow::calendar::add_days;
use crate::workflow::codes::{
    AssignmentRole, ClockKind, ConsentStatus, FollowUpKind, FollowUpStatus, Grade, HandlingKind,
    OutcomeMeaning, PromiseStatus, PromiseVerdict, ProposerRole,
};
use crate::workflow::decide::Target;
use crate::workflow::follow_up::{debtors, look_back_opens};
use crate::workflow::input::{AddresseeIn, AnswerInstructionIn, AnswerUrgingIn, Input, UrgeIn};
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::refusal::Refusal;
use crate::workflow::rule::Action;

use AssignmentRole::{CoHandler, Lead, Reference};

fn refused(world: &mut World, who: P, action: Do, input: impl Into<Input>) -> Refusal {
    world.refused(who, Target::Proposal, Action::Proposal(action), input)
}

/// Units as they are numbered, raters from 100 on.
fn owing(world: &World) -> Vec<usize> {
    let mut all: Vec<_> = debtors(&world.case, &world.profile)
        .into_iter()
        .map(|one| match (one.unit_id, one.rater_id) {
            (Some(id), None) => (0..10).find(|number| unit(*number) == id).unwrap(),
            (None, Some(id)) => {
                let mut proposers = world.case.proposers.iter();
                100 + proposers.position(|one| one.id == id).unwrap()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    all.sort_unstable();
    all
}

/// urge: acceptance, opinion, countersignature, reply, form; not what waits for a reviewer, and nothing of
/// units for reference.
#[test]
fn each_step_leaves_the_next_debt() {
    let world = World::joint().invite(&[1]).consent(1).filed();
    assert!(owing(&world).is_empty());
    let rows = [(0, Lead), (1, CoHandler), (3, Reference)];
    let mut world = world.assigned(HandlingKind::Joint, &rows);
    assert_eq!(owing(&world), [0, 1], "acceptance");
    let mut returning = world.clone();
    returning.on_row(0, inputs::ASK_RETURN, inputs::ask_return(Some(5)));
    assert_eq!(owing(&returning), [0, 1], "I8");
    world = world.accepted(0).accepted(1);
    assert_eq!(owing(&world), [0, 1], "opinion and reply");
    let mut silent = world.clone();
    silent.case.assignments[1].opinion_missing = true;
    assert_eq!(owing(&silent), [0]);
    world = world.opinion(1).contacted(0);
    assert_eq!(owing(&world), [0]);
    world = world.drafted(0, OutcomeMeaning::Resolved);
    assert_eq!(owing(&world), [0]);
    world = world.countersigning();
    assert_eq!(owing(&world), [0, 1], "countersignature");
    world = world.agreed(1);
    assert_eq!(owing(&world), [0]);
    world = world.signed(0);
    assert!(owing(&world).is_empty(), "under review");
    world = world.approved(0);
    assert_eq!(owing(&world), [0], "delivery");
    world = world.delivered(0);
    assert_eq!(owing(&world), [100, 101], "forms");
    for (number, left) in [(0, vec![101]), (1, vec![])] {
        let form = inputs::feedback(world.reply_id(0), Grade::Satisfied);
        world.on_proposal(P::Member(number), Do::GiveFeedback, form);
        assert_eq!(owing(&world), left);
    }
    assert_eq!(owing(&rated(OutcomeMeaning::Planned)), [0], "promise");
    let mut world = rated(OutcomeMeaning::Resolved);
    let today = world.env().today();
    let input = Input::Instruct(Box::new(instruct(3, today)));
    world.on_proposal(P::Leader, Do::Instruct, input);
    assert_eq!(owing(&world), [3], "instruction");
}

/// OT25: to units and raters that owe something, each once and with its own K21; the answer of whom it asks
/// stops it.
#[test]
fn an_urging_is_to_those_who_owe() {
    let mut world = World::individual().together();
    let today = world.env().today();
    let to = |number: usize| AddresseeIn {
        unit_id: Some(unit(number)),
        rater_id: None,
    };
    let urge = |addressees: Vec<AddresseeIn>| UrgeIn {
        addressees,
        ..urge(&World::individual(), today)
    };
    let nobody = AddresseeIn {
        unit_id: None,
        rater_id: None,
    };
    let both = AddresseeIn {
        rater_id: Some(world.case.proposers[0].id),
        ..to(0)
    };
    for (list, code, place) in [
        (vec![to(0), nobody], "one_of", 1),
        (vec![both], "one_of", 0),
        (vec![to(0), to(0)], "duplicate", 1),
    ] {
        let refusal = refused(&mut world, P::Staff, Do::Urge, urge(list));
        assert_eq!(wrong(&refusal), (code, format!("/addressees/{place}")));
    }
    let refusal = refused(&mut world, P::Staff, Do::Urge, urge(vec![to(0), to(5)]));
    assert_eq!(unmet(&refusal), ["addressee_owes"]);
    let mut late = urge(vec![to(0)]);
    late.due_on = add_days(today, -1);
    let refusal = refused(&mut world, P::Staff, Do::Urge, late.clone());
    assert_eq!(wrong(&refusal), ("in_past", "/due_on".to_owned()));
    late.due_on = today;
    world.clone().on_proposal(P::Staff, Do::Urge, late);
    world.on_proposal(P::Staff, Do::Urge, urge(vec![to(0), to(1)]));
    let entries = world.case.follow_ups.clone();
    assert_eq!(entries.len(), 2);
    let acts = [0, 1].map(|number| (entries[number].act, entries[number].id));
    let first = entries[0].id;
    assert_eq!(acts, [(first, first), (first, entries[1].id)], "one notice");
    let running = |world: &World| {
        let running = world.running();
        running
            .iter()
            .filter(|kind| **kind == ClockKind::K21)
            .count()
    };
    assert_eq!(running(&world), 2);
    let answer = |urging_id| AnswerUrgingIn {
        urging_id,
        text: "本周报送。".to_owned(),
    };
    let other = answer(entries[1].id);
    let refusal = refused(&mut world, P::UnitClerk(0), Do::AcknowledgeUrging, other);
    assert_eq!(wrong(&refusal), ("not_waiting", "/urging_id".to_owned()));
    let own = answer(entries[0].id);
    world.on_proposal(P::UnitClerk(0), Do::AcknowledgeUrging, own);
    let status = world.case.follow_ups.iter().map(|entry| entry.status);
    let expected = [FollowUpStatus::Answered, FollowUpStatus::Open];
    assert_eq!(status.collect::<Vec<_>>(), expected);
    assert_eq!(running(&world), 1);
}

/// OT27, I34: one item for each unit; staff enter what stands on paper. A unit that works on the case need
/// not be active any more.
#[test]
fn an_instruction_is_an_item_for_each_unit() {
    let mut world = World::individual().sole();
    let today = world.env().today();
    let input = |units: &[usize]| {
        let mut input = instruct(1, today);
        input.unit_ids = units.iter().map(|number| unit(*number)).collect();
        input
    };
    let boxed = |input| Input::Instruct(Box::new(input));
    for (units, code, place) in [
        (vec![0, UNITS], "unknown_unit", 1),
        (vec![UNITS + 5], "unknown_unit", 0),
        (vec![1, 2, 1], "duplicate", 2),
    ] {
        let refusal = refused(&mut world, P::Leader, Do::Instruct, boxed(input(&units)));
        assert_eq!(wrong(&refusal), (code, format!("/unit_ids/{place}")));
    }
    let mut plain = input(&[1]);
    plain.paper_reference = None;
    let refusal = refused(&mut world, P::Staff, Do::Instruct, boxed(plain.clone()));
    assert_eq!(wrong(&refusal).1, "/paper_reference");
    let (mut ahead, mut behind) = (input(&[1]), input(&[1]));
    (ahead.date, behind.due_on) = (add_days(today, 1), add_days(today, -1));
    let refusal = refused(&mut world, P::Leader, Do::Instruct, boxed(ahead));
    assert_eq!(wrong(&refusal), ("in_future", "/date".to_owned()));
    let refusal = refused(&mut world, P::Leader, Do::Instruct, boxed(behind));
    assert_eq!(wrong(&refusal), ("in_past", "/due_on".to_owned()));
    world.on_proposal(P::Leader, Do::Instruct, boxed(plain));
    let facts = world.references.units.get_mut(&unit(0)).unwrap();
    facts.active = false;
    world.on_proposal(P::Staff, Do::Instruct, boxed(input(&[0, 2])));
    let entries = world.case.follow_ups.clone();
    let asked: Vec<_> = entries.iter().map(|one| (one.kind, one.unit)).collect();
    assert_eq!(
        asked,
        [1, 0, 2].map(|n| (FollowUpKind::Instruction, Some(unit(n))))
    );
    let first = entries[1].id;
    let acts: Vec<_> = entries.iter().map(|one| one.act).collect();
    assert_eq!(acts, [entries[0].id, first, first], "one document each");
    let mut answer = AnswerInstructionIn {
        instruction_id: entries[2].id,
        text: "已开专题会。".to_owned(),
    };
    let refusal = refused(
        &mut world,
        P::UnitClerk(0),
        Do::AnswerInstruction,
        answer.clone(),
    );
    assert_eq!(wrong(&refusal).0, "not_waiting");
    answer.instruction_id = entries[1].id;
    world.on_proposal(P::UnitClerk(0), Do::AnswerInstruction, answer);
    let running = |number: usize| {
        let subject = entries[number].id.cast();
        world.case.running(ClockKind::K19, subject).is_some()
    };
    assert_eq!([0, 1, 2].map(running), [true, false, true]);
}

/// OT21, OT22, I14: a promise is fulfilled on the evidence of its unit; the current outcome may rise, the
/// others stay.
#[test]
fn a_promise_is_fulfilled_on_evidence_and_the_outcome_only_rises() {
    use OutcomeMeaning::{InProgress, Planned, Resolved};
    let mut world = rated(InProgress);
    let promise = world.case.promises[0].clone();
    let unknown = progress(Some(fixed(11, 5)));
    let refusal = refused(&mut world, P::UnitClerk(0), Do::ReportProgress, unknown);
    let expected = ("unknown_promise", "/promise_id".to_owned());
    assert_eq!(wrong(&refusal), expected);
    world.on_proposal(P::UnitClerk(0), Do::ReportProgress, progress(None));
    let refusal = refused(
        &mut world,
        P::Supervision,
        Do::FulfilPromise,
        fulfil(promise.id),
    );
    assert_eq!(
        unmet(&refusal),
        ["evidence_on_record"],
        "not of this promise"
    );
    let own = progress(Some(promise.id));
    world.on_proposal(P::UnitClerk(0), Do::ReportProgress, own);
    assert!(
        world
            .case
            .follow_ups
            .iter()
            .all(|one| one.unit == Some(unit(0)))
    );
    for outcome in [None, Some(Resolved), Some(InProgress), Some(Planned)] {
        let mut world = world.clone();
        let mut input = fulfil(promise.id);
        input.outcome = outcome;
        if outcome.is_some_and(|outcome| outcome != Resolved) {
            let refusal = refused(&mut world, P::Supervision, Do::FulfilPromise, input);
            assert_eq!(wrong(&refusal), ("not_better", "/outcome".to_owned()));
            continue;
        }
        world.on_proposal(P::Supervision, Do::FulfilPromise, input);
        let reply = world.reply(0);
        assert_eq!(reply.current_outcome, outcome.or(Some(InProgress)));
        assert_eq!(reply.unit_outcome, Some(InProgress));
        assert_eq!(world.case.promises[0].status, PromiseStatus::Fulfilled);
        assert!(!world.running().contains(&ClockKind::K15));
    }
}

/// OT23, I27: a verdict for each open promise, once, with its reason.
#[test]
fn tracking_stops_with_a_verdict_for_each_promise() {
    let mut world = rated(OutcomeMeaning::InProgress);
    let mut second = world.case.promises[0].clone();
    second.id = fixed(11, 1);
    world.case.promises.push(second);
    let all = stop(&world);
    assert_eq!(all.verdicts.len(), 2);
    let mut one = all.clone();
    one.verdicts.pop();
    let refusal = refused(&mut world, P::Chair, Do::StopTracking, one);
    assert_eq!(unmet(&refusal), ["every_promise_settled"]);
    let mut twice = all.clone();
    twice.verdicts.push(all.verdicts[0].clone());
    let refusal = refused(&mut world, P::Chair, Do::StopTracking, twice);
    let place = "/verdicts/2/promise_id".to_owned();
    assert_eq!(wrong(&refusal), ("duplicate", place));
    let mut blank = all.clone();
    blank.verdicts[1].reason = " ".to_owned();
    let refusal = refused(&mut world, P::Chair, Do::StopTracking, blank);
    assert_eq!(wrong(&refusal).1, "/verdicts/1/reason");
    let mut mixed = all;
    mixed.verdicts[0].verdict = PromiseVerdict::Broken;
    world.on_proposal(P::Chair, Do::StopTracking, mixed);
    let status: Vec<_> = world.case.promises.iter().map(|one| one.status).collect();
    assert_eq!(status, [PromiseStatus::Broken, PromiseStatus::Released]);
    assert_eq!(world.case.tracked_since, None);
}

/// OT24: what a unit that has answered commits itself to is a promise, and keeps the case tracked; of another
/// unit it stands in the record.
#[test]
fn a_commitment_of_a_unit_that_answered_is_a_promise() {
    let boxed = |input| Input::Supervise(Box::new(input));
    let mut world = rated(OutcomeMeaning::Resolved);
    let today = world.env().today();
    let input = || supervise(&world.clone(), today);
    let (mut ahead, mut due, mut other) = (input(), input(), input());
    ahead.date = add_days(today, 1);
    due.commitments[0].due_on = today;
    other.commitments[0].unit_id = unit(1);
    let good = input();
    for (input, code, place) in [
        (ahead, "in_future", "/date"),
        (due, "not_in_future", "/commitments/0/due_on"),
        (other, "not_a_unit_of_the_case", "/commitments/0/unit_id"),
    ] {
        let refusal = refused(&mut world, P::Supervision, Do::Supervise, boxed(input));
        assert_eq!(wrong(&refusal), (code, place.to_owned()));
    }
    assert_eq!(world.case.tracked_since, None);
    world.on_proposal(P::Supervision, Do::Supervise, boxed(good));
    let promise = world.case.promises[0].clone();
    assert_eq!((promise.unit, promise.reply), (unit(0), world.reply_id(0)));
    assert!(
        world
            .case
            .running(ClockKind::K15, promise.id.cast())
            .is_some()
    );
    assert_eq!(world.case.tracked_since, Some(world.now));

    let rows = [(0, Lead), (3, Reference)];
    let mut early = World::individual()
        .filed()
        .assigned(HandlingKind::Sole, &rows);
    let mut copied = supervise(&early, today);
    copied.commitments[0].unit_id = unit(3);
    let refusal = refused(&mut early, P::Supervision, Do::Supervise, boxed(copied));
    assert_eq!(wrong(&refusal).0, "not_a_unit_of_the_case", "for reference");
    let input = boxed(supervise(&early, today));
    early.on_proposal(P::Supervision, Do::Supervise, input);
    assert!(early.case.promises.is_empty());
    let kinds: Vec<_> = early.case.follow_ups.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [FollowUpKind::Supervision, FollowUpKind::Commitment]);
}

/// What a unit has only drafted is no answer that a promise could hang on, nor is another unit's reply.
#[test]
fn a_promise_hangs_on_a_delivered_reply_of_its_unit() {
    let rows = [0, 1].map(|number| (number, AssignmentRole::Separate));
    let filed = World::individual().filed();
    let world = filed.assigned(HandlingKind::Separate, &rows);
    let world = world.answered(0, OutcomeMeaning::Resolved).accepted(1);
    let world = world.contacted(1).drafted(1, OutcomeMeaning::Resolved);
    for (number, promises) in [(0, 1), (1, 0)] {
        let mut world = world.clone();
        let mut input = supervise(&world, world.env().today());
        input.commitments[0].unit_id = unit(number);
        let input = Input::Supervise(Box::new(input));
        world.on_proposal(P::Supervision, Do::Supervise, input);
        assert_eq!(world.case.promises.len(), promises, "{number}");
    }
}

/// OT31, K16: from 1 January, local time, a look-back on the promises of earlier years is owed, once a year.
#[test]
fn a_look_back_is_owed_from_the_first_of_january() {
    let mut world = rated(OutcomeMeaning::InProgress);
    let opens = |world: &World, at: &str| look_back_opens(&world.case, at.parse().unwrap());
    let (before, after) = ("2026-12-31T15:59:59Z", "2026-12-31T16:00:01Z");
    assert!(!opens(&world, before) && opens(&world, after));
    let none = rated(OutcomeMeaning::Resolved);
    assert!(!opens(&none, after));
    let mut this_year = world.clone();
    for clock in &mut this_year.case.clocks {
        clock.started_at = "2026-12-31T16:00:00Z".parse().unwrap();
    }
    assert!(!opens(&this_year, after), "promised on 1 January");
    world.now = after.parse().unwrap();
    world.settle();
    assert!(world.running().contains(&ClockKind::K16));
    assert!(!opens(&world, after), "opened already");
    assert!(!opens(&world, "2028-02-01T00:00:00Z"), "owed still");
    let input = super::follow_up::look_back(world.env().today());
    world.on_proposal(P::Supervision, Do::RecordLookBack, input);
    assert!(!opens(&world, "2027-06-01T00:00:00Z"), "held this year");
    assert!(opens(&world, "2028-02-01T00:00:00Z"), "the year after");
    let verdicts = stop(&world);
    world.on_proposal(P::Chair, Do::StopTracking, verdicts);
    assert!(!opens(&world, "2028-02-01T00:00:00Z"));
}

/// `PT04b`, `seconding.enabled`: a member who joins uninvited has consented to the present text.
#[test]
fn a_seconder_signs_the_present_text() {
    let mut world = World::joint();
    world.profile.seconding_enabled = true;
    world.case.proposal.marks.open_for_seconding = true;
    world.on_proposal(P::Member(4), Do::Second, inputs::cosign());
    let seconder = world.case.proposers.last().unwrap();
    assert_eq!(seconder.role, ProposerRole::Seconder);
    assert_eq!(seconder.status, ConsentStatus::Consented);
    assert_eq!(seconder.member, Some(member(4)));
    assert_eq!(seconder.consented_version, Some(1));
    assert_eq!(seconder.decided_at, Some(world.now));
}
