//! Who answers an invitation to sign, and how (PT04, PT05, I10, I17); and K03 from its three limits.

use jiff::SignedDuration;
use jiff::civil::date;

use super::fixture::{Person as P, World};
use super::inputs;
use super::people::fixed;
use super::stories::{unmet, wrong};
use crate::ids::ProposerId;
use crate::workflow::codes::{ClockKind, ConsentStatus};
use crate::workflow::decide::Target;
use crate::workflow::input::{CosignIn, InviteIn};
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::refusal::Refusal;
use crate::workflow::rule::Action;

fn invited() -> World {
    World::joint().invite(&[1, 2])
}

fn refused(world: &mut World, who: P, action: Do, input: CosignIn) -> Refusal {
    world.refused(who, Target::Proposal, Action::Proposal(action), input)
}

fn named(proposer: ProposerId) -> CosignIn {
    inputs::cosign_on_paper(proposer, None)
}

/// PT03: members are asked to sign a joint proposal, organisations a joint collective one.
#[test]
fn each_kind_of_joint_proposal_asks_its_own() {
    let both = || InviteIn {
        organisation_ids: inputs::invite_organisations(&[1]).organisation_ids,
        ..inputs::invite(&[1])
    };
    let (members, organisations) = ("/member_ids", "/organisation_ids");
    for (mut world, who, own, other, none) in [
        (
            World::joint(),
            P::Member(0),
            members,
            organisations,
            inputs::invite_organisations(&[1]),
        ),
        (
            World::joint_collective(),
            P::Clerk,
            organisations,
            members,
            inputs::invite(&[1]),
        ),
    ] {
        let invite = Action::Proposal(Do::InviteCosigners);
        let refusal = world.refused(who, Target::Proposal, invite, both());
        assert_eq!(wrong(&refusal), ("mismatch", other.to_owned()));
        let refusal = world.refused(who, Target::Proposal, invite, none);
        assert_eq!(wrong(&refusal), ("required", own.to_owned()));
    }
}

/// PT04, `cosign.comment_required`: consent says why where the policy asks for it; a refusal need not.
#[test]
fn consent_needs_an_opinion_where_the_policy_asks_for_one() {
    for asked in [false, true] {
        for action in [Do::ConsentCosign, Do::DeclineCosign] {
            for comment in [None, Some("同意联名。".to_owned())] {
                let mut world = invited();
                world.profile.cosign_comment_required = asked;
                let silent = comment.is_none();
                let input = CosignIn {
                    comment,
                    ..inputs::cosign()
                };
                if asked && silent && action == Do::ConsentCosign {
                    let refusal = refused(&mut world, P::Member(1), action, input);
                    assert_eq!(wrong(&refusal), ("required", "/comment".to_owned()));
                } else {
                    world.on_proposal(P::Member(1), action, input);
                }
            }
        }
    }
}

/// I10: everybody answers for himself, named or not; nobody but staff for somebody else.
#[test]
fn an_invitation_is_answered_by_whom_it_asks() {
    let mut world = invited();
    let [one, two] = [1, 2].map(|number| world.case.proposers[number].id);
    for (who, other) in [(P::Member(1), two), (P::Member(2), one)] {
        let refusal = refused(&mut world, who, Do::ConsentCosign, named(other));
        assert_eq!(wrong(&refusal), ("not_own", "/proposer_id".to_owned()));
    }
    for (number, own) in [(2, two), (1, one)] {
        world.on_proposal(P::Member(number), Do::ConsentCosign, named(own));
        let status = world.case.proposers[number].status;
        assert_eq!(status, ConsentStatus::Consented);
    }
    let mut world = invited();
    let refusal = refused(&mut world, P::Staff, Do::ConsentCosign, inputs::cosign());
    assert_eq!(wrong(&refusal), ("required", "/proposer_id".to_owned()));
}

/// Staff enter from paper what a co-signer who was asked answered, with the scan.
#[test]
fn an_answer_on_paper_is_of_somebody_who_was_asked() {
    let mut world = invited();
    let scan = world.staged(&P::Staff.actor());
    let [first, one, two] = [0, 1, 2].map(|number| world.case.proposers[number].id);
    for nobody in [first, fixed(9, 70)] {
        let input = inputs::cosign_on_paper(nobody, scan);
        let refusal = refused(&mut world, P::Staff, Do::ConsentCosign, input);
        let expected = ("unknown_invitee", "/proposer_id".to_owned());
        assert_eq!(wrong(&refusal), expected);
    }
    let refusal = refused(&mut world, P::Staff, Do::ConsentCosign, named(two));
    let expected = ("scan_required", "/attachment_ids".to_owned());
    assert_eq!(wrong(&refusal), expected);
    let input = inputs::cosign_on_paper(two, scan);
    world.on_proposal(P::Staff, Do::ConsentCosign, input);
    let status = |world: &World| [1, 2].map(|number| world.case.proposers[number].status);
    let expected = [ConsentStatus::Invited, ConsentStatus::Consented];
    assert_eq!(status(&world), expected);
    let scan = world.staged(&P::Staff.actor());
    let input = inputs::cosign_on_paper(two, scan);
    let refusal = refused(&mut world, P::Staff, Do::DeclineCosign, input);
    assert_eq!(unmet(&refusal), ["invitation_open"], "I17: answered");
    let input = inputs::cosign_on_paper(one, scan);
    world.on_proposal(P::Staff, Do::DeclineCosign, input);
    assert_eq!(status(&world)[0], ConsentStatus::Declined);
}

/// I10: who examined the proposal may decline on paper, not sign.
#[test]
fn an_examiner_does_not_sign_on_paper() {
    let mut world = invited().consent(2).submit();
    world.on_proposal(P::Examiner(1), Do::Examine, inputs::examine());
    // The account of the member 1.
    world.case.opinions[0].examiner = P::Member(1).actor().user.unwrap();
    let one = world.case.proposers[1].id;
    let scan = world.staged(&P::Staff.actor());
    let input = || inputs::cosign_on_paper(one, scan);
    let refusal = refused(&mut world, P::Staff, Do::ConsentCosign, input());
    assert_eq!(unmet(&refusal), ["not_its_examiner"]);
    world.on_proposal(P::Staff, Do::DeclineCosign, input());
    assert_eq!(world.case.proposers[1].status, ConsentStatus::Declined);
}

/// K03: the day of the session record for session proposals unless it was past at the start, 10 working
/// days for the others, 24 hours from the original start for urgent ones.
#[test]
fn examination_has_three_limits() {
    let limit = |world: &World| {
        let clock = world.clock(ClockKind::K03, world.case.proposal.id.cast());
        clock.limit.clone()
    };
    let mut session = World::individual().submit();
    assert_eq!(limit(&session), "until 2026-03-20");
    let mut at_the_last = World::individual();
    at_the_last.case.session.examination_until = date(2026, 3, 2);
    assert_eq!(limit(&at_the_last.submit()), "until 2026-03-02");
    let mut past = World::individual();
    past.case.session.examination_until = date(2026, 3, 1);
    assert_eq!(limit(&past.submit()), "10 wd");
    let mut ordinary = World::individual();
    ordinary.wait(60);
    let mut ordinary = ordinary.submit();
    assert_eq!(limit(&ordinary), "10 wd");
    for world in [&mut session, &mut ordinary] {
        let started = world.now;
        world.now += SignedDuration::from_hours(3);
        world.on_proposal(P::Chair, Do::MarkUrgent, inputs::urgent(&[]));
        let clock = world.clock(ClockKind::K03, world.case.proposal.id.cast());
        assert_eq!(clock.due_at, started + SignedDuration::from_hours(24));
    }
}
