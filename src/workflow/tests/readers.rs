//! Who may read what of a case, and which files an act may take along.

use super::fixture::{Person as P, World, member};
use super::inputs;
use crate::ids::{AttachmentId, Id};
use crate::workflow::access::{may_know_of, may_read_clock, may_read_referrals, may_read_request};
use crate::workflow::attachments::{
    AttachmentFacts, AttachmentStatus, Binding, BoundKind, max_bytes, may_read, may_upload,
};
use crate::workflow::case::Case;
use crate::workflow::codes::{AssignmentRole, ClockKind, HandlingKind, RequestKind};
use crate::workflow::decide::Target;
use crate::workflow::input::CosignIn;
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::refusal::Refusal;
use crate::workflow::role::{Actor, Line};
use crate::workflow::rule::Action;

/// Those who steer the case, and the auditor.
const STEER: [P; 5] = [
    P::Staff,
    P::Chair,
    P::Officer(Line::Government),
    P::Supervision,
    P::Auditor,
];

const EVERYBODY: [P; 15] = [
    P::Staff,
    P::Chair,
    P::Officer(Line::Government),
    P::Supervision,
    P::Auditor,
    P::UnitClerk(0),
    P::Signatory(0),
    P::UnitClerk(1),
    P::UnitClerk(2),
    P::Member(0),
    P::Member(5),
    P::Leader,
    P::Examiner(1),
    P::Administrator,
    P::Security,
];

/// Everybody of whom it holds, beside those who steer.
fn beside(holds: impl Fn(&Actor) -> bool) -> Vec<P> {
    for who in STEER {
        assert!(holds(&who.actor()), "{who:?} steers the case");
    }
    let others = EVERYBODY.into_iter().filter(|who| !STEER.contains(who));
    others.filter(|who| holds(&who.actor())).collect()
}

fn of_request(case: &Case, kind: RequestKind) -> Vec<P> {
    let request = case.requests.iter().find(|request| request.kind == kind);
    let request = request.expect("a request");
    beside(|actor| may_read_request(case, request, actor))
}

fn handled_by_two() -> World {
    World::individual().filed().assigned(
        HandlingKind::Joint,
        &[(0, AssignmentRole::Lead), (1, AssignmentRole::CoHandler)],
    )
}

#[test]
fn a_request_of_a_unit_is_for_the_unit_and_those_who_steer() {
    let mut world = handled_by_two();
    world.on_row(0, inputs::SUGGEST, inputs::suggest(3));
    world.on_row(0, inputs::ASK_RETURN, inputs::ask_return(Some(3)));
    let own = [P::UnitClerk(0), P::Signatory(0)];
    assert_eq!(of_request(&world.case, RequestKind::Return), own);
    assert_eq!(of_request(&world.case, RequestKind::Units), own);
    // Its clock tells that there is one.
    let row = world.row(0).id.cast();
    let clock = world.clock(ClockKind::K06, row);
    let told = beside(|actor| may_read_clock(&world.case, clock, actor));
    assert_eq!(told, own);
    let clock = world.clock(ClockKind::K10, row);
    assert!(may_read_clock(&world.case, clock, &P::Member(5).actor()));
    assert!(!may_know_of(
        &world.case,
        "return.requested",
        &P::Member(0).actor()
    ));
}

#[test]
fn the_proposer_knows_of_an_extension_once_it_is_decided() {
    let mut world = handled_by_two().accepted(0);
    let date = "2026-07-31".parse().unwrap();
    world.on_row(0, inputs::ASK_EXTENSION, inputs::ask_extension(date));
    let own = [P::UnitClerk(0), P::Signatory(0)];
    assert_eq!(of_request(&world.case, RequestKind::Extension), own);
    let target = world.row_target(0);
    let officer = P::Officer(Line::Government);
    let deny = inputs::deny().into();
    world.granted(officer, target, inputs::DENY_EXTENSION, &deny);
    let told = [P::UnitClerk(0), P::Signatory(0), P::Member(0)];
    assert_eq!(of_request(&world.case, RequestKind::Extension), told);
}

#[test]
fn a_withdrawal_is_for_the_proposer_and_for_the_units_once_it_is_granted() {
    let mut world = handled_by_two();
    world.on_proposal(P::Member(0), Do::Withdraw, inputs::withdraw());
    assert_eq!(
        of_request(&world.case, RequestKind::Withdrawal),
        [P::Member(0)]
    );
    world.on_proposal(P::Chair, Do::ApproveWithdrawal, inputs::note());
    let told = [
        P::UnitClerk(0),
        P::Signatory(0),
        P::UnitClerk(1),
        P::Member(0),
    ];
    assert_eq!(of_request(&world.case, RequestKind::Withdrawal), told);
}

#[test]
fn referrals_are_for_those_who_take_part() {
    let world = handled_by_two();
    let told = beside(|actor| may_read_referrals(&world.case, actor));
    let expected = [
        P::UnitClerk(0),
        P::Signatory(0),
        P::UnitClerk(1),
        P::Member(0),
        P::Leader,
        P::Examiner(1),
    ];
    assert_eq!(told, expected);
}

/// An answer from paper with these files.
fn answer(world: &mut World, files: &[AttachmentId]) -> Refusal {
    let invited = world.case.proposers[1].id;
    let input = CosignIn {
        attachment_ids: files.to_vec(),
        ..inputs::cosign_on_paper(invited, None)
    };
    let action = Action::Proposal(Do::ConsentCosign);
    world.refused(P::Staff, Target::Proposal, action, input)
}

fn wrong(refusal: Refusal) -> Vec<(String, &'static str)> {
    match refusal {
        Refusal::Invalid(wrongs) => wrongs
            .into_iter()
            .map(|one| (one.pointer, one.code))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_act_takes_its_own_staged_files_of_the_case_each_once_within_the_limits() {
    let mut world = World::joint().invite(&[1]);
    let staff = P::Staff.actor();
    let own: Vec<AttachmentId> = world
        .references
        .attachments
        .iter()
        .filter(|(_, facts)| staff.user == Some(facts.uploader))
        .map(|(id, _)| *id)
        .collect();
    let foreign = world.references.attachments.iter();
    let mut foreign = foreign.filter(|(_, facts)| staff.user != Some(facts.uploader));
    let foreign = *foreign.next().unwrap().0;
    let unknown = Id::from_uuid(uuid::Uuid::from_u128(1));
    let at = |n: usize| format!("/attachment_ids/{n}");
    for (files, expected) in [
        (vec![unknown], vec![(at(0), "unknown_attachment")]),
        (vec![own[0], foreign], vec![(at(1), "unknown_attachment")]),
        (vec![own[0], own[0]], vec![(at(1), "duplicate")]),
        (
            own[..6].to_vec(),
            vec![("/attachment_ids".to_owned(), "max_items")],
        ),
        (
            vec![unknown, own[0], own[0]],
            vec![(at(0), "unknown_attachment"), (at(2), "duplicate")],
        ),
    ] {
        assert_eq!(wrong(answer(&mut world, &files)), expected);
    }
    let large = max_bytes(&world.profile) + 1;
    let change = |world: &mut World, n: usize, change: &dyn Fn(&mut AttachmentFacts)| {
        change(world.references.attachments.get_mut(&own[n]).unwrap());
    };
    change(&mut world, 0, &|facts| facts.size = large);
    change(&mut world, 1, &|facts| {
        facts.proposal = super::fixture::other_proposal(0);
    });
    change(&mut world, 2, &|facts| {
        facts.status = AttachmentStatus::Incoming;
    });
    change(&mut world, 3, &|facts| {
        facts.status = AttachmentStatus::Removed;
    });
    change(&mut world, 4, &|facts| {
        facts.status = AttachmentStatus::Bound;
        facts.bound = Some(Binding::to(
            BoundKind::Contact,
            Id::from_uuid(uuid::Uuid::nil()),
        ));
    });
    for (n, code) in [
        (0, "too_large"),
        (1, "unknown_attachment"),
        (2, "unknown_attachment"),
        (3, "unknown_attachment"),
        (4, "attachment_in_use"),
    ] {
        assert_eq!(wrong(answer(&mut world, &[own[n]])), [(at(0), code)]);
    }
}

#[test]
fn a_file_is_read_by_its_uploader_and_by_whoever_may_read_what_it_goes_with() {
    let mut world = handled_by_two();
    let (id, uploader) = (
        Id::from_uuid(uuid::Uuid::from_u128(5)),
        P::UnitClerk(0).actor(),
    );
    let mut facts = AttachmentFacts {
        proposal: world.case.proposal.id,
        uploader: uploader.user.unwrap(),
        status: AttachmentStatus::Staged,
        bound: None,
        size: 10,
    };
    let reads = |case: &Case, facts: &AttachmentFacts| {
        let all = EVERYBODY.into_iter();
        all.filter(|who| may_read(case, id, facts, &who.actor()))
            .collect::<Vec<_>>()
    };
    assert_eq!(reads(&world.case, &facts), [P::UnitClerk(0)]);
    world.on_row(0, inputs::ASK_RETURN, inputs::ask_return(Some(3)));
    facts.status = AttachmentStatus::Bound;
    facts.bound = Some(Binding::to(
        BoundKind::Request,
        world.case.requests[0].id.cast(),
    ));
    let mut expected = STEER.to_vec();
    expected.extend([P::UnitClerk(0), P::Signatory(0)]);
    assert_eq!(reads(&world.case, &facts), expected);
    facts.bound = Some(Binding::to(
        BoundKind::Request,
        Id::from_uuid(uuid::Uuid::nil()),
    ));
    assert_eq!(
        reads(&world.case, &facts),
        [P::UnitClerk(0)],
        "of no request of the case"
    );
    facts.status = AttachmentStatus::Incoming;
    assert_eq!(reads(&world.case, &facts), []);
}

#[test]
fn who_may_name_files_may_upload_them() {
    let world = handled_by_two();
    for (who, may) in [
        (P::Member(0), true),
        (P::Staff, true),
        (P::UnitClerk(0), true),
        (P::UnitClerk(2), false),
        (P::Member(5), false),
        (P::Chair, false),
        (P::Auditor, false),
    ] {
        assert_eq!(
            may_upload(&world.case, &who.actor()).is_ok(),
            may,
            "{who:?}"
        );
    }
    assert_eq!(world.case.proposers[0].member, Some(member(0)));
}
