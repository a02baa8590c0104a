//! The invariants of the domain, checked on a case at rest.

use std::collections::BTreeSet;

use super::driver::{People, named_by, open_to};
use super::fixture::World;
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::calendar::{Calendar, days_between};
use crate::workflow::case::{Case, Clock, ClockChange};
use crate::workflow::codes::{
    AssignmentRole, ClockKind, ConsentStatus, FollowUpStatus, HandlingKind, ProposerRole,
    RequestKind, RequestStatus,
};
use crate::workflow::deadline::{self, Limit};
use crate::workflow::decide::{catch_up, entitled, settled};
use crate::workflow::desk::{Task, duties};
use crate::workflow::extension::due_of;
use crate::workflow::proposal::ProposalStatus as S;

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
    if handling {
        assert!(!case.assignments.is_empty() && proposal.handling_kind.is_some());
        rows(case);
    } else if proposal.status != S::Withdrawn {
        // Reference copies of an urgent one may go ahead of the assignment.
        let early = case
            .live_rows()
            .all(|row| row.role == AssignmentRole::Reference);
        assert!(early && proposal.handling_kind.is_none());
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
    let mut pairs = BTreeSet::new();
    let once = |form: &crate::workflow::case::Form| pairs.insert((form.reply, form.rater));
    assert!(case.forms.iter().all(once), "I20");
    assert_eq!(proposal.status == S::Merged, case.main.is_some(), "merged");
    signers(case);
    requests(case);
    clocks(case);
    moved(world);
    if handling {
        row_clocks(case);
    }
    desks(world, people);
    up_to_date(world);
    if !proposal.status.is_final() {
        nobody_is_stuck(world, people);
    }
}

/// I36; those whom the desk names first.
fn nobody_is_stuck(world: &World, people: &People) {
    let list = duties(&world.case, &world.profile);
    let named = list.iter().flat_map(|duty| people.audience(duty));
    let somebody = named
        .chain(&people.0)
        .any(|(_, actor)| !open_to(world, actor).is_empty());
    assert!(
        somebody,
        "I36: nobody can do anything in {} ({}); proposers {:?}",
        world.case.proposal.status, world.case.proposal.secrecy, world.case.proposers
    );
}

/// What time has done is done once, and what comes of it is what the next act starts from.
fn up_to_date(world: &World) {
    let now = catch_up(&world.case, world.env());
    if now != world.case {
        let again = settled(&now, world.env()).expect("the system's rows apply");
        assert!(again.happened.is_empty(), "catching up is idempotent");
        assert_eq!(catch_up(&now, world.env()), now);
    }
}

/// At most one open request of a kind per row, each with its clock.
fn requests(case: &Case) {
    let mut seen = BTreeSet::new();
    for request in &case.requests {
        if request.status != RequestStatus::Open {
            continue;
        }
        let first = seen.insert((request.kind, request.assignment));
        assert!(first, "two open requests: {}", request.kind);
        let status = case.proposal.status;
        let fits = match request.kind {
            RequestKind::Urgency => matches!(status, S::Submitted | S::Filed | S::Assigned),
            RequestKind::Key => case.proposal.filed_at.is_some() && status != S::Withdrawn,
            _ => matches!(status, S::Filed | S::Assigned),
        };
        assert!(fits, "{} is open in {status}", request.kind);
        if let Some(row) = request.assignment.and_then(|row| case.assignment(row)) {
            assert!(!row.status.is_final(), "a request of an ended row");
        }
    }
    let rows = case.current_rows();
    for row in rows.filter(|row| row.status == AssignmentStatus::ReturnRequested) {
        let kind = RequestKind::Return;
        let open = case.open_request(kind, Some(row.id)).is_some();
        assert_eq!(
            open,
            case.proposal.status == S::Assigned,
            "return asked for"
        );
    }
}

/// I8: who is bound has a clock that runs; who is not has none.
fn row_clocks(case: &Case) {
    use ClockKind as K;
    let handling = case.proposal.status == S::Assigned;
    for row in &case.assignments {
        let runs = |kind| case.running(kind, row.id.cast()).is_some();
        let bound = handling && row.round == case.proposal.round && !row.status.is_final();
        if !bound {
            let kinds = [K::K05, K::K06, K::K07, K::K08, K::K09, K::K10];
            let running: Vec<_> = kinds.into_iter().filter(|kind| runs(*kind)).collect();
            assert!(running.is_empty(), "{:?} of {:?}", running, row.status);
            continue;
        }
        assert_eq!(runs(K::K10), row.role.replies(), "I8: K10");
        let owes = row.role == AssignmentRole::CoHandler;
        let silent = row.opinions == 0 && !row.opinion_missing;
        assert_eq!(runs(K::K08), owes && silent, "K08");
        let asked = row.status == AssignmentStatus::ReturnRequested;
        assert_eq!(runs(K::K06), asked, "K06");
        assert!(!(asked && runs(K::K05)), "K05 stops with the request");
        let bound_for_good = row.carried_over || row.deemed;
        assert!(!(row.returnable && bound_for_good), "I9");
    }
}

/// I24: a due date follows from what is stored; I25: nothing moves a reply beyond the cap.
fn moved(world: &World) {
    let calendar = Calendar::builtin();
    // Those that began or were moved; [`super::invariants`] sees to it that the others stay.
    let moved = |clock: &&Clock| clock.started_at == world.now || !clock.changes.is_empty();
    for clock in world.case.clocks.iter().filter(moved) {
        assert_eq!(
            due_of(clock, calendar).at,
            clock.due_at,
            "I24: {}",
            clock.kind
        );
        if clock.changes.is_empty() {
            assert_eq!(clock.due_at, clock.original_due, "I23");
            continue;
        }
        if clock.kind == ClockKind::K10 {
            let months = Limit::mo(world.profile.extension_max_months);
            let cap = deadline::due(clock.started_at, months, calendar);
            assert!(clock.due_at <= cap.at, "I25");
        }
        let days = clock.changes.iter().map(|change| match change {
            ClockChange::Paused { from, until, .. } => days_between(*from, *until),
            _ => 0,
        });
        assert!(days.sum::<i64>() <= i64::from(world.profile.pause_max_days));
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
#[expect(clippy::match_same_arms, reason = "grouped by what belongs together")]
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
            K::K17 | K::K18 => case.proposal.filed_at.is_some(),
            K::K20 => status == S::NotFiled,
            K::K13 => status == S::Assigned,
            K::K14 => matches!(status, S::Filed | S::Assigned),
            K::K15 => case
                .open_promises()
                .any(|promise| promise.id.cast() == clock.subject),
            K::K19 | K::K21 => case.follow_ups.iter().any(|entry| {
                entry.id.cast() == clock.subject && entry.status == FollowUpStatus::Open
            }),
            K::K16 => case.proposal.filed_at.is_some(),
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
    let disposed = case.proposal.marks.disposed_at.is_some();
    let owed = status == S::NotFiled && !disposed;
    assert_eq!(runs(ClockKind::K20), owed, "K20");
}

/// Somebody always has something to do, and has the right to it.
fn desks(world: &World, people: &People) {
    let list = duties(&world.case, &world.profile);
    let status = world.status();
    let disposed = world.case.proposal.marks.disposed_at.is_some();
    let ended = status.is_final() && (status != S::NotFiled || disposed);
    // What follows a case may wait after its end.
    let after = [
        Task::KeepPromise,
        Task::LookBack,
        Task::AnswerUrging,
        Task::AnswerInstruction,
        Task::DecideKey,
        Task::NoteReferralAnswer,
    ];
    let rest = list.iter().filter(|duty| !after.contains(&duty.task));
    assert_eq!(rest.count() == 0, ended, "duties in {status}");
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
