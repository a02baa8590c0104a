//! The invariants of the domain, checked on a step from one case to the next.

use std::collections::BTreeSet;

use super::driver::{Attempt, Move, People, targets};
use super::fixture::World;
use super::plausible::plausible;
use crate::ids::MemberId;
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::case::{Case, Clock, ClockChange, Contact, Reply, Request};
use crate::workflow::codes::{ClockKind, PromiseStatus, RequestStatus};
use crate::workflow::decide::{Happened, Target, allowed, catch_up, decide};
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::refusal::Refusal;
use crate::workflow::reply::ReplyStatus;
use crate::workflow::role::Role;
use crate::workflow::rule::{State, To, rules};

/// Conditions that only an input can break: what [`allowed`] cannot know.
const OF_THE_INPUT: &[&str] = &[
    "case_open",
    "current_member",
    "main_filed",
    "main_open",
    "not_yet_rated",
    "publication_consented",
    "publication_reviewed",
    "inside_quota",
    "invitation_open",
    "not_its_examiner",
    "inside_reviewed_level",
    "rehandling_due",
    "reply_delivered",
    "same_session",
    "own_promise",
    "evidence_on_record",
    "every_promise_settled",
    "addressee_owes",
];

/// What has to be remembered over a walk.
#[derive(Default)]
pub struct Witness {
    examiners: BTreeSet<MemberId>,
    /// The case as it was when it was merged.
    unmerged: Option<Case>,
    pub rules: BTreeSet<(&'static str, &'static str)>,
}

/// What is shown as possible is possible, and the other way round. Of what is shown as impossible
/// a fifth is tried at each step.
pub fn possibilities(world: &World, people: &People, step: Move) {
    let (person, actor) = people.pick(step.1);
    let mut tried = usize::from(step.2);
    for target in targets(world) {
        for possible in allowed(&world.case, actor, target, world.env()) {
            tried += 1;
            if possible.refusal.is_some() && tried % 5 != 0 {
                continue;
            }
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

/// One step, and what it may have changed; `logged` is how much had happened before.
pub fn step(
    old: &Case,
    logged: usize,
    after: &World,
    attempt: Option<&Attempt>,
    witness: &mut Witness,
) {
    let granted = attempt.is_some_and(|attempt| attempt.granted);
    let happened = &after.log[logged..];
    assert_eq!(granted, !happened.is_empty());
    let new = &after.case;
    if !granted {
        assert_eq!(old, new, "I1: nothing happened, yet the case changed");
        return;
    }
    let has = |id: &str| happened.iter().any(|happened| happened.rule == id);
    status_through_rows(old, new, happened);
    if old.proposal.serial_no.is_some() {
        assert_eq!(old.proposal.serial_no, new.proposal.serial_no, "I3");
    }
    if old.proposal.case_no.is_some() {
        assert_eq!(old.proposal.case_no, new.proposal.case_no, "I2");
        let profile = |case: &Case| case.proposal.profile_version;
        assert_eq!(profile(old), profile(new), "I26");
        let kept = old.signers().map(|p| p.id).eq(new.signers().map(|p| p.id));
        assert!(kept, "I17: the signers are frozen");
    }
    immutable(old, new, happened);
    earlier_rounds(old, new, happened);
    requests(old, new, happened);
    let completed = happened.iter().find(|happened| happened.rule == "PT21");
    assert!(completed.is_none_or(|happened| happened.by_system), "I15");
    if !old.absorbed.is_empty() {
        for id in ["PT08", "PT09", "PT11", "PT13", "PT16", "PT17"] {
            assert!(!has(id), "I19: {id} of a main proposal");
        }
    }
    if has("AT05") {
        assert_eq!(new.bounces(), old.bounces() + 1, "returns are counted");
    }
    for event in happened.iter().filter(|event| event.rule == "RT06") {
        signed(after, event.target);
    }
    if has("PT17") {
        witness.unmerged = Some(catch_up(old, after.env()));
    }
    if has("PT18") {
        let before = witness.unmerged.take().expect("merged before");
        restored(&before, new);
    }
    // Who let an invitation run out signs no more.
    let at_the_act = catch_up(old, after.env());
    if let Some(actor) = attempt.map(|attempt| &attempt.actor) {
        for happened in happened.iter().filter(|happened| judges(happened)) {
            assert!(
                !at_the_act.is_signed_by(actor),
                "I10: {} of a signer",
                happened.rule
            );
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
    witness.rules.extend(happened.iter().map(taken));
}

/// The row that was taken; of those of one number the one that starts from here.
fn taken(event: &Happened) -> (&'static str, &'static str) {
    let own = rules().filter(|rule| rule.id == event.rule);
    let mut fits = own.filter(|rule| {
        rule.event == event.event && (rule.id != "AT15" || rule.is_by_system() == event.by_system)
    });
    let deny = event.input.get("reason").is_some();
    let first = fits.next().unwrap();
    let rule = match fits.next() {
        Some(second) if deny => second,
        _ => first,
    };
    (rule.id, rule.action.as_str())
}

/// The act of somebody who examines or decides; links and consultations decide nothing.
fn judges(happened: &Happened) -> bool {
    let roles = [Role::Examiner, Role::CommitteeChair, Role::AssigningOfficer];
    roles.contains(&happened.role) && !happened.by_system && !happened.rule.starts_with("OT")
}

/// I1: every change of a status is one link of the chain of what happened.
fn status_through_rows(old: &Case, new: &Case, happened: &[Happened]) {
    for event in happened {
        let mut own = rules().filter(|rule| rule.id == event.rule);
        let rule = own.find(|rule| rule.from.contains(&event.from));
        let rule = rule.unwrap_or_else(|| panic!("I1: {} from {:?}", event.rule, event.from));
        match (rule.id, rule.to) {
            ("AT01", _) => assert!(
                [AssignmentStatus::Pending, AssignmentStatus::Accepted]
                    .map(State::Assignment)
                    .contains(&event.to)
            ),
            ("PT18", _) => assert!(
                [ProposalStatus::Submitted, ProposalStatus::Filed]
                    .map(State::Proposal)
                    .contains(&event.to)
            ),
            (_, To::Stay) => assert_eq!(event.from, event.to, "{} stays", rule.id),
            (_, To::State(to)) => assert_eq!(event.to, to),
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
        let before = old.assignment(row.id);
        let start = before.map_or(State::Start, |row| State::Assignment(row.status));
        let end = follow(Target::Assignment(row.id), start);
        assert_eq!(end, State::Assignment(row.status), "I1: row");
        if let Some(before) = before {
            let counted = row.version > before.version;
            assert_eq!(counted, row != before, "versions count changes");
            assert!(before.returnable || !row.returnable, "I9");
        }
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

/// A delivered reply is what it was, but for being superseded (RT10).
fn same_reply(old: &Reply, new: &Reply) -> bool {
    // I14: only the outcome after tracking rises.
    assert!(new.current_outcome <= old.current_outcome, "I14");
    let superseded = Reply {
        status: new.status,
        version: new.version,
        current_outcome: new.current_outcome,
        ..old.clone()
    };
    superseded == *new && (new.status == old.status || new.status == ReplyStatus::Superseded)
}

/// I13: what is given stays.
fn immutable(old: &Case, new: &Case, happened: &[Happened]) {
    let count = |id: &str| happened.iter().filter(|event| event.rule == id).count();
    assert!(new.opinions.starts_with(&old.opinions), "I13: opinions");
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
    assert!(new.consultations.starts_with(&old.consultations));
    let corrected = old.forms.iter().zip(&new.forms).filter(|(old, new)| {
        assert_eq!((old.reply, old.rater), (new.reply, new.rater), "I20");
        assert!(old == new || new.version == old.version + 1, "I13: forms");
        old != new
    });
    assert_eq!(corrected.count(), count("PT22b"), "I13: forms");
    let given = new.forms.len() - old.forms.len();
    assert_eq!(given, count("PT22"), "I22: silence is no form");
    for (old, new) in old.contacts.iter().zip(&new.contacts) {
        let objected = Contact {
            objection: old.objection.clone().or(new.objection.clone()),
            ..old.clone()
        };
        assert_eq!(
            objected, *new,
            "a contact stays; only an objection is added"
        );
    }
    let delivered = |reply: &&Reply| reply.delivered_at.is_some();
    for reply in old.replies.iter().filter(delivered) {
        let now = new.reply(reply.id).expect("I13: a reply is kept");
        assert!(same_reply(reply, now), "I13: delivered replies");
        let superseded = now.status != reply.status;
        assert!(!superseded || count("RT10") > 0, "I13: RT10");
    }
    for clock in &old.clocks {
        let now = new.clocks.iter().find(|now| now.id == clock.id);
        same_clock(clock, now.expect("I23: a clock is kept"));
    }
}

fn same_clock(old: &Clock, new: &Clock) {
    // Only the urgent lane, and the way back, puts a clock on another limit; the first due moment
    // stays, and the step says which limits they were.
    let relimited = match new.changes.get(old.changes.len()) {
        Some(ClockChange::Relimited { from, to, .. }) => {
            assert_eq!((from, to), (&old.limit, &new.limit), "I23");
            true
        }
        _ => false,
    };
    let fixed = |clock: &Clock| {
        let from = (!relimited).then(|| (clock.started_at, clock.limit.clone()));
        (clock.kind, clock.subject, clock.original_due, from)
    };
    assert_eq!(fixed(old), fixed(new), "I23");
    if old.stopped_at.is_some() {
        assert_eq!(old, new, "a stopped clock stays as it is");
    }
    assert!(
        old.changes.len() <= new.changes.len(),
        "I23: every step stays"
    );
    for (old, new) in old.changes.iter().zip(&new.changes) {
        match (old, new) {
            (
                ClockChange::Paused {
                    ended: false,
                    from: first,
                    until: agreed,
                },
                ClockChange::Paused { from, until, .. },
            ) => assert!(first == from && until <= agreed),
            _ => assert_eq!(old, new, "I23: every step stays"),
        }
    }
    if old.changes == new.changes {
        assert_eq!(old.due_at, new.due_at, "I8: moved without a decision");
    }
}

/// I16: rows, replies, forms and countersignatures of earlier rounds.
fn earlier_rounds(old: &Case, new: &Case, happened: &[Happened]) {
    let round = new.proposal.round;
    let grown = round - old.proposal.round;
    assert_eq!(
        grown == 1,
        happened.iter().any(|event| event.rule == "PT24")
    );
    assert!(grown == 0 || grown == 1, "rounds are counted one by one");
    for row in old.assignments.iter().filter(|row| row.round < round) {
        assert_eq!(new.assignment(row.id), Some(row), "I16: rows");
    }
    for reply in old.replies.iter().filter(|reply| reply.round < round) {
        let now = new.reply(reply.id).expect("I16: replies");
        assert!(same_reply(reply, now), "I16: replies");
        for one in old.countersigns.iter().filter(|one| one.reply == reply.id) {
            assert!(new.countersigns.contains(one), "I16: countersignatures");
        }
    }
    for form in old.forms.iter().filter(|form| form.round < round) {
        assert!(new.forms.contains(form), "I16: forms");
    }
}

/// Decided requests are immutable (I13), and asking moves no clock (I8).
fn requests(old: &Case, new: &Case, happened: &[Happened]) {
    assert!(old.requests.len() <= new.requests.len());
    for (before, after) in old.requests.iter().zip(&new.requests) {
        assert_eq!(before.id, after.id);
        if before.status != RequestStatus::Open {
            assert_eq!(before, after, "I13: decided requests");
        }
    }
    for request in &new.requests {
        decided(request);
    }
    let lapsed = happened.iter().any(|event| event.rule == "AT10b");
    for event in happened {
        let Target::Assignment(row) = event.target else {
            continue;
        };
        if lapsed || !["AT03", "AT04", "AT07", "AT11", "AT13"].contains(&event.rule) {
            continue;
        }
        for kind in [ClockKind::K08, ClockKind::K10] {
            let due = |case: &Case| case.running(kind, row.cast()).map(|clock| clock.due_at);
            assert_eq!(due(old), due(new), "I8: {kind}");
        }
    }
}

fn decided(request: &Request) {
    let answered = matches!(
        request.status,
        RequestStatus::Granted | RequestStatus::Denied
    );
    assert_eq!(
        request.decision.is_some(),
        answered,
        "who decided, and when"
    );
    let note = request.decision.as_ref().and_then(|one| one.note.as_ref());
    assert!(
        request.status != RequestStatus::Denied || note.is_some(),
        "I11"
    );
}

/// I12.
fn signed(world: &World, target: Target) {
    let Target::Reply(id) = target else {
        panic!("a reply is signed");
    };
    let reply = world.case.reply(id).unwrap();
    let outcome = reply.form.outcome.expect("I12: outcome");
    assert!(reply.signatory.is_some(), "I12: signatory");
    assert_eq!(reply.signed_hash.as_ref(), Some(&reply.content_hash));
    let profile = &world.profile;
    let contacted = world.case.contacted(reply.assignment);
    assert!(contacted || !profile.contact_required, "I12: contact");
    let promised = !reply.form.promises.is_empty();
    let owed = profile.promise_required_for.contains(&outcome);
    assert!(promised || !owed, "I12: promises");
}

/// I18: an unmerge restores what the merge changed.
fn restored(before: &Case, after: &Case) {
    let of = |case: &Case| {
        let proposal = &case.proposal;
        let numbers = (proposal.serial_no, proposal.case_no, proposal.filed_at);
        let text = (proposal.form.clone(), proposal.text_version);
        let kind = (proposal.kind, proposal.status, proposal.session_mark);
        (
            numbers,
            text,
            kind,
            case.proposers.clone(),
            case.opinions.clone(),
        )
    };
    assert_eq!(of(before), of(after), "I18");
    let running = |case: &Case| {
        let running = case
            .clocks
            .iter()
            .filter(|clock| clock.stopped_at.is_none());
        let mut kinds: Vec<_> = running.map(|clock| (clock.kind, clock.subject)).collect();
        kinds.sort();
        kinds
    };
    assert_eq!(running(before), running(after), "I18: clocks");
}
