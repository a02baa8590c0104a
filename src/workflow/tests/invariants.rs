//! The invariants of the domain, checked on a case or on a step from one to the next.

use std::collections::BTreeSet;

use super::driver::{Attempt, Move, People, named_by, open_to, targets};
use super::fixture::World;
use super::plausible::plausible;
use crate::ids::MemberId;
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::case::Case;
use crate::workflow::codes::{
    AssignmentRole, ClockKind, ConsentStatus, FollowUpStatus, HandlingKind, PromiseStatus,
    ProposerRole,
};
use crate::workflow::decide::{Happened, Target, allowed, decide, entitled};
use crate::workflow::desk::{Task, duties};
use crate::workflow::proposal::ProposalStatus as S;
use crate::workflow::refusal::Refusal;
use crate::workflow::reply::ReplyStatus;
use crate::workflow::role::Role;
use crate::workflow::rule::{State, To, rules};

/// Conditions that only an input can break: what [`allowed`] cannot know.
const OF_THE_INPUT: &[&str] = &[
    "no_rehandling_due",
    "publication_consented",
    "not_yet_rated",
    "own_promise",
    "evidence_on_record",
    "every_promise_settled",
    "addressee_owes",
];

/// What has to be remembered over a walk.
#[derive(Default)]
pub struct Witness {
    examiners: BTreeSet<MemberId>,
    pub rules: BTreeSet<&'static str>,
}

/// What is shown as possible is possible, and the other way round.
pub fn possibilities(world: &World, people: &People, step: Move) {
    let (person, actor) = people.pick(step.1);
    for target in targets(world) {
        for possible in allowed(&world.case, actor, target, world.env()) {
            let action = possible.action;
            let input = plausible(world, actor, target, action, step.4);
            let result = decide(&world.case, actor, target, action, &input, world.env());
            match (possible.refusal, result.err()) {
                (shown, refused) if shown == refused => {}
                (None, Some(Refusal::Invalid(_))) => {}
                (None, Some(Refusal::Unmet(list)))
                    if list.iter().all(|unmet| OF_THE_INPUT.contains(&unmet.guard)) => {}
                (shown, refused) => panic!(
                    "{person:?} {}: shown {shown:?}, decided {refused:?}",
                    action.as_str()
                ),
            }
        }
    }
}

/// One step, and what it may have changed.
pub fn step(before: &World, after: &World, attempt: Option<&Attempt>, witness: &mut Witness) {
    let granted = attempt.is_some_and(|attempt| attempt.granted);
    let happened = &after.log[before.log.len()..];
    assert_eq!(granted, !happened.is_empty());
    if !granted {
        assert_eq!(
            before.case, after.case,
            "I1: nothing happened, yet the case changed"
        );
        return;
    }
    let (old, new) = (&before.case, &after.case);
    status_through_rows(old, new, happened);
    if old.proposal.serial_no.is_some() {
        assert_eq!(old.proposal.serial_no, new.proposal.serial_no, "I3");
    }
    if old.proposal.case_no.is_some() {
        assert_eq!(old.proposal.case_no, new.proposal.case_no, "I2");
        let kept = old.signers().map(|p| p.id).eq(new.signers().map(|p| p.id));
        assert!(kept, "I17: the signers are frozen");
    }
    immutable(old, new);
    let completed = happened.iter().find(|happened| happened.rule == "PT21");
    assert!(completed.is_none_or(|happened| happened.by_system), "I15");
    if let Some(actor) = attempt.map(|attempt| &attempt.actor) {
        for happened in happened.iter().filter(|happened| judges(happened)) {
            let signer = actor.member.filter(|member| old.is_signer(*member));
            assert_eq!(signer, None, "I10: {} of a signer", happened.rule);
            if happened.rule == "PT14" {
                witness.examiners.extend(actor.member);
            }
        }
    }
    for proposer in new.signers().filter_map(|proposer| proposer.member) {
        assert!(
            !witness.examiners.contains(&proposer),
            "I10: a signer examined it"
        );
    }
    witness
        .rules
        .extend(happened.iter().map(|happened| happened.rule));
}

/// The act of somebody who examines or decides.
fn judges(happened: &Happened) -> bool {
    let roles = [Role::Examiner, Role::CommitteeChair, Role::AssigningOfficer];
    roles.contains(&happened.role) && !happened.by_system
}

/// I1: every change of a status is one link of the chain of what happened.
fn status_through_rows(old: &Case, new: &Case, happened: &[Happened]) {
    for event in happened {
        let rule = rules().find(|rule| rule.id == event.rule).unwrap();
        assert!(
            rule.from.contains(&event.from),
            "I1: {} from {:?}",
            rule.id,
            event.from
        );
        match rule.to {
            To::Stay => assert_eq!(event.from, event.to),
            To::State(to) => assert_eq!(event.to, to),
        }
    }
    let follow = |target: Target, start: State| {
        let links = happened.iter().filter(|event| event.target == target);
        links.fold(start, |state, event| {
            assert_eq!(
                event.from, state,
                "I1: the chain is broken at {}",
                event.rule
            );
            event.to
        })
    };
    let end = follow(Target::Proposal, State::Proposal(old.proposal.status));
    assert_eq!(end, State::Proposal(new.proposal.status), "I1");
    for row in &new.assignments {
        let Some(before) = old.assignment(row.id) else {
            assert_eq!(row.status, AssignmentStatus::Pending);
            continue;
        };
        let end = follow(Target::Assignment(row.id), State::Assignment(before.status));
        let replied = row.status == AssignmentStatus::Replied
            && happened.iter().any(|event| event.rule == "RT09");
        assert!(end == State::Assignment(row.status) || replied, "I1: row");
        assert_eq!(
            row.version > before.version,
            row != before,
            "versions count changes"
        );
    }
    for reply in &new.replies {
        let start = old
            .reply(reply.id)
            .map_or(State::Start, |old| State::Reply(old.status));
        assert_eq!(
            follow(Target::Reply(reply.id), start),
            State::Reply(reply.status),
            "I1: reply"
        );
    }
}

/// I13, I16: what is given stays.
fn immutable(old: &Case, new: &Case) {
    assert!(new.opinions.starts_with(&old.opinions), "I13: opinions");
    assert!(new.forms.starts_with(&old.forms), "I13: forms");
    for (old, new) in old.promises.iter().zip(&new.promises) {
        let was = crate::workflow::case::Promise {
            status: old.status,
            ..new.clone()
        };
        assert_eq!(was, *old, "I27: promises");
        assert!(
            old.status == PromiseStatus::Open || old.status == new.status,
            "I27: a verdict stays"
        );
    }
    assert!(new.promises.len() >= old.promises.len(), "I27: promises");
    for reply in old
        .replies
        .iter()
        .filter(|reply| reply.status == ReplyStatus::Delivered)
    {
        // I14: only the outcome after tracking rises.
        let mut now = new.reply(reply.id).cloned();
        if let Some(now) = &mut now {
            assert!(now.current_outcome <= reply.current_outcome, "I14");
            (now.current_outcome, now.version) = (reply.current_outcome, reply.version);
        }
        assert_eq!(now.as_ref(), Some(reply), "I13: delivered replies");
    }
    for clock in &old.clocks {
        let now = new
            .clocks
            .iter()
            .find(|now| now.id == clock.id)
            .expect("I23: a clock is kept");
        assert_eq!(
            (now.started_at, now.original_due),
            (clock.started_at, clock.original_due)
        );
        assert!(clock.stopped_at.is_none() || now.stopped_at == clock.stopped_at);
    }
}

/// A case at rest.
pub fn case(world: &World, people: &People) {
    let case = &world.case;
    let proposal = &case.proposal;
    assert_eq!(
        proposal.serial_no.is_some(),
        proposal.submission_no > 0,
        "I3"
    );
    assert_eq!(
        proposal.case_no.is_some(),
        proposal.filed_at.is_some(),
        "I2"
    );
    let handling = [S::Assigned, S::Handled, S::Feedback, S::Closed].contains(&proposal.status);
    assert_eq!(proposal.handling_kind.is_some(), handling);
    assert_eq!(!case.assignments.is_empty(), handling);
    if handling {
        rows(case);
    }
    for reply in &case.replies {
        assert!(
            case.assignment(reply.assignment).unwrap().role.replies(),
            "I6"
        );
        let live = case
            .replies
            .iter()
            .filter(|other| other.assignment == reply.assignment && other.status.is_live());
        assert!(live.count() <= 1, "one live reply per row");
    }
    signers(case);
    clocks(case);
    desks(world, people);
    if !proposal.status.is_final() {
        let somebody = people
            .0
            .iter()
            .any(|(_, actor)| !open_to(world, actor).is_empty());
        assert!(
            somebody,
            "I36: nobody can do anything in {}",
            proposal.status
        );
    }
}

fn rows(case: &Case) {
    let count = |role| case.live_rows().filter(|row| row.role == role).count();
    let (lead, co, separate) = (
        count(AssignmentRole::Lead),
        count(AssignmentRole::CoHandler),
        count(AssignmentRole::Separate),
    );
    let fits = match case.proposal.handling_kind.unwrap() {
        HandlingKind::Sole => (lead, co, separate) == (1, 0, 0),
        HandlingKind::Joint => lead == 1 && co >= 1 && separate == 0,
        HandlingKind::Separate => lead == 0 && co == 0 && separate >= 2,
    };
    assert!(fits, "I4");
    let units: BTreeSet<_> = case.live_rows().map(|row| row.unit).collect();
    assert_eq!(units.len(), case.live_rows().count(), "I5");
    assert!(case.bound_rows().next().is_some(), "I7");
    let answered = case
        .bound_rows()
        .all(|row| row.status == AssignmentStatus::Replied);
    assert_eq!(answered, case.proposal.status != S::Assigned, "I15");
    for row in case.bound_rows() {
        let delivered = case.delivered().any(|reply| reply.assignment == row.id);
        assert_eq!(delivered, row.status == AssignmentStatus::Replied, "AT16");
    }
}

fn signers(case: &Case) {
    let first = case
        .proposers
        .iter()
        .filter(|p| p.role == ProposerRole::First)
        .count();
    assert_eq!(first, 1);
    let members: BTreeSet<_> = case
        .proposers
        .iter()
        .map(|p| (p.member, p.organisation))
        .collect();
    assert_eq!(members.len(), case.proposers.len(), "none twice");
    let open = [S::Draft, S::Submitted, S::Returned].contains(&case.proposal.status);
    for proposer in case
        .proposers
        .iter()
        .filter(|p| p.role == ProposerRole::Cosigner)
    {
        let current = proposer
            .consented_version
            .is_some_and(|version| version >= 1);
        assert!(
            proposer.status != ConsentStatus::Consented || current,
            "I17"
        );
        let undecided = matches!(
            proposer.status,
            ConsentStatus::Invited | ConsentStatus::Stale
        );
        let runs = case.running(ClockKind::K01, proposer.id.cast()).is_some();
        assert_eq!(
            runs,
            undecided && open,
            "K01 runs while an answer is awaited"
        );
    }
}

/// Where each clock may run.
fn clocks(case: &Case) {
    let mut seen = BTreeSet::new();
    for clock in case
        .clocks
        .iter()
        .filter(|clock| clock.stopped_at.is_none())
    {
        use ClockKind as K;
        let kind = clock.kind;
        let status = case.proposal.status;
        let fits = match kind {
            K::K01 => matches!(status, S::Draft | S::Submitted | S::Returned),
            K::K02 => status == S::Returned,
            K::K03 => status == S::Submitted,
            K::K04 => status == S::Filed,
            K::K05 | K::K06 | K::K07 | K::K08 | K::K09 | K::K10 | K::K11 => status == S::Assigned,
            K::K12 => status == S::Handled,
            K::K17 | K::K18 => case.proposal.filed_at.is_some() && status != S::Closed,
            K::K20 => status == S::NotFiled,
            K::K13 => status == S::Assigned,
            K::K14 => matches!(status, S::Filed | S::Assigned),
            K::K15 => case
                .open_promises()
                .any(|promise| promise.id.cast() == clock.subject),
            K::K19 | K::K21 => case.follow_ups.iter().any(|entry| {
                entry.id.cast() == clock.subject && entry.status == FollowUpStatus::Open
            }),
            // Started each year by a job.
            K::K16 => false,
        };
        assert!(fits, "{kind} runs in {status}");
        assert!(seen.insert((kind, clock.subject)), "{kind} runs twice");
        assert!(clock.due_at >= clock.started_at, "{kind}");
    }
    let runs = |kind| seen.iter().any(|(running, _)| *running == kind);
    let status = case.proposal.status;
    assert_eq!(runs(ClockKind::K02), status == S::Returned, "K02");
    assert_eq!(runs(ClockKind::K03), status == S::Submitted, "K03");
    assert_eq!(runs(ClockKind::K04), status == S::Filed, "K04");
    assert_eq!(runs(ClockKind::K10), status == S::Assigned, "K10");
    assert_eq!(runs(ClockKind::K12), status == S::Handled, "K12");
    assert_eq!(runs(ClockKind::K20), status == S::NotFiled, "K20");
}

/// Somebody always has something to do, and has the right to it.
fn desks(world: &World, people: &People) {
    let list = duties(&world.case, &world.profile);
    // What follows a case may wait after its end.
    let after = [
        Task::KeepPromise,
        Task::AnswerUrging,
        Task::AnswerInstruction,
    ];
    assert_eq!(
        list.iter().all(|duty| after.contains(&duty.task)),
        world.status().is_final(),
        "duties in {}",
        world.status()
    );
    for duty in &list {
        let (action, target) = named_by(duty);
        let audience = people.audience(duty);
        assert!(
            !audience.is_empty() || world.case.proposers.len() > 5,
            "{duty:?} is nobody's"
        );
        for (person, actor) in audience {
            let right = entitled(&world.case, actor, target, action);
            assert_eq!(right, Ok(()), "{person:?} has {duty:?} without the right");
        }
    }
}
