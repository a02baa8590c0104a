//! What is kept of what was handed in: names from the register, reasons, days, files, and what an entry
//! is about.

use super::fixture::{Person as P, World, member, organisation_no, unit};
use super::follow_up::{fulfil, instruct, progress, rated, supervise, urge};
use super::inputs;
use super::people::fixed;
use crate::ids::AttachmentId;
use crate::workflow::attachments::{Binding, BoundKind};
use crate::workflow::calendar::add_days;
use crate::workflow::case::Proposer;
use crate::workflow::codes::{FollowUpKind, FollowUpStatus, OutcomeMeaning, RequestKind};
use crate::workflow::decide::{Env, Record};
use crate::workflow::input::{AddresseeIn, Input, ReferIn};
use crate::workflow::lists::ProposerKind;
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::{Origin, begin};

/// PT03, `PT04b`: a signer stands there as the register has it, whether invited or joining uninvited.
#[test]
fn signers_are_copied_from_the_register() {
    let mut world = World::joint();
    for number in [1, 2] {
        let facts = world.references.members.get_mut(&member(number)).unwrap();
        facts.party = Some("民盟".to_owned());
        facts.sector = format!("界别{number}");
    }
    let mut world = world.invite(&[1]);
    world.profile.seconding_enabled = true;
    world.case.proposal.marks.open_for_seconding = true;
    world.on_proposal(P::Member(2), Do::Second, inputs::cosign());
    for number in [1, 2] {
        let signer: &Proposer = &world.case.proposers[number];
        let facts = &world.references.members[&member(number)];
        assert_eq!(signer.member, Some(member(number)));
        assert_eq!(signer.name, facts.name);
        assert_eq!(signer.sector.as_ref(), Some(&facts.sector));
        assert_eq!(signer.party, facts.party);
        assert_eq!(signer.member_no.as_ref(), Some(&facts.member_no));
    }
    let said = [0, 1, 2].map(|number| world.case.proposers[number].comment.clone());
    assert_eq!(said, [None, None, inputs::cosign().comment]);

    let mut world = World::joint_collective();
    let input = inputs::invite_organisations(&[1]);
    world.on_proposal(P::Clerk, Do::InviteCosigners, input);
    let signer = &world.case.proposers[1];
    assert_eq!(signer.organisation, Some(organisation_no(1)));
    assert_eq!(signer.name, "第1组织");
}

/// `seconding.enabled`: the wish of a new draft opens it where the profile knows seconding.
#[test]
fn a_new_draft_is_opened_for_seconding_where_the_profile_knows_it() {
    let town = World::individual();
    let origin = Origin::Member(member(0), super::fixture::member_facts(0));
    for (enabled, wish) in [(false, true), (true, false), (true, true)] {
        let mut profile = town.profile.clone();
        profile.seconding_enabled = enabled;
        let env = Env {
            profile: &profile,
            ..town.env()
        };
        let mut input = inputs::proposal(ProposerKind::Joint);
        input.form.open_for_seconding = wish;
        let session = town.case.session.clone();
        let committee = town.case.proposal.committee;
        let who = P::Member(0).actor();
        let made = begin(committee, session, &who, &input, &origin, env).unwrap();
        let open = made.case.proposal.marks.open_for_seconding;
        assert_eq!(open, enabled && wish);
    }
}

/// What is asked for is kept with its reason, the day wanted and its files, which go with the request.
#[test]
fn a_request_keeps_its_reason_and_its_files() {
    let mut world = World::individual().sole();
    let (by_clerk, by_member) = (P::UnitClerk(0), P::Member(0));
    for (number, who) in [(1, by_clerk), (2, by_clerk), (3, by_clerk), (4, by_member)] {
        let facts = world.references.attachments.get_mut(&fixed(10, number));
        facts.unwrap().uploader = who.actor().user.unwrap();
    }
    let files = |number: usize| -> Vec<AttachmentId> { vec![fixed(10, number)] };
    world.on_proposal(P::Staff, Do::NominateKey, inputs::reason_in());
    let mut hurry = inputs::reason_in();
    hurry.reason = "汛期将至。".to_owned();
    world.on_proposal(P::Staff, Do::RequestUrgency, hurry.clone());
    let mut withdrawal = inputs::withdraw();
    withdrawal.attachment_ids = files(4);
    world.on_proposal(by_member, Do::Withdraw, withdrawal.clone());
    let mut back = inputs::ask_return(Some(1));
    back.attachment_ids = files(1);
    let mut returning = world.clone();
    returning.on_row(0, inputs::ASK_RETURN, back.clone());
    let mut world = world.accepted(0);
    let today = world.env().today();
    let mut extension = inputs::ask_extension(add_days(today, 120));
    extension.attachment_ids = files(2);
    world.on_row(0, inputs::ASK_EXTENSION, extension.clone());
    let mut pause = inputs::ask_pause(add_days(today, 9));
    pause.attachment_ids = files(3);
    world.on_row(0, inputs::ASK_PAUSE, pause.clone());
    let suggestion = inputs::suggest(5);
    world.on_row(0, inputs::SUGGEST, suggestion.clone());
    let nomination = inputs::reason_in().reason;
    for (world, kind, reason, until, files) in [
        (&world, RequestKind::Key, nomination, None, Vec::new()),
        (&world, RequestKind::Urgency, hurry.reason, None, Vec::new()),
        (
            &world,
            RequestKind::Units,
            suggestion.reason,
            None,
            Vec::new(),
        ),
        (
            &world,
            RequestKind::Withdrawal,
            withdrawal.reason.unwrap(),
            None,
            files(4),
        ),
        (&returning, RequestKind::Return, back.reason, None, files(1)),
        (
            &world,
            RequestKind::Extension,
            extension.reason,
            Some(extension.new_date),
            files(2),
        ),
        (
            &world,
            RequestKind::Pause,
            pause.reason,
            Some(pause.expected_end),
            files(3),
        ),
    ] {
        let mut requests = world.case.requests.iter();
        let request = requests.find(|one| one.kind == kind).unwrap();
        assert_eq!(request.form.reason, reason, "{kind}");
        assert_eq!(request.form.until, until, "{kind}");
        assert_eq!(request.form.attachment_ids, files, "{kind}");
        for id in files {
            let expected = Binding::to(BoundKind::Request, request.id.cast());
            assert_eq!(
                world.references.attachments[&id].bound,
                Some(expected),
                "{kind}"
            );
        }
    }
}

/// OT22, OT24, OT25, OT27: an entry says of which act it is, which unit, rater or promise it is about,
/// and by when.
#[test]
fn an_entry_says_what_it_is_about() {
    let mut world = rated(OutcomeMeaning::InProgress);
    let (today, promise) = (world.env().today(), world.case.promises[0].id);
    world.on_proposal(P::UnitClerk(0), Do::ReportProgress, progress(Some(promise)));
    world.on_proposal(P::Supervision, Do::FulfilPromise, fulfil(promise));
    let kept = world.case.follow_ups.last().unwrap();
    assert_eq!(kept.kind, FollowUpKind::Fulfilment);
    assert_eq!((kept.unit, kept.promise), (Some(unit(0)), Some(promise)));

    let input = Input::Supervise(Box::new(supervise(&world, today)));
    world.on_proposal(P::Supervision, Do::Supervise, input);
    let [.., visit, commitment] = &world.case.follow_ups[..] else {
        panic!("an entry of the visit, one of the commitment");
    };
    let made = world.case.promises.last().unwrap().id;
    assert_eq!((visit.act, commitment.act), (visit.id, visit.id));
    assert_eq!(commitment.unit, Some(unit(0)));
    assert_eq!(commitment.promise, Some(made));

    for restricted in [false, true] {
        let mut input = instruct(3, today);
        input.restricted = restricted;
        let due_on = Some(input.due_on);
        world.on_proposal(P::Leader, Do::Instruct, Input::Instruct(Box::new(input)));
        let entry = world.case.follow_ups.last().unwrap();
        let found = (entry.unit, entry.due_on, entry.restricted, entry.status);
        assert_eq!(
            found,
            (Some(unit(3)), due_on, restricted, FollowUpStatus::Open)
        );
    }

    let world = World::individual().sole();
    let mut world = world.answered(0, OutcomeMeaning::Resolved);
    let rater = world.case.proposers[0].id;
    let mut input = urge(&world, today);
    input.addressees = vec![AddresseeIn {
        unit_id: None,
        rater_id: Some(rater),
    }];
    let due_on = Some(input.due_on);
    world.on_proposal(P::Staff, Do::Urge, input);
    let entry = world.case.follow_ups.last().unwrap();
    assert_eq!(
        (entry.unit, entry.rater, entry.due_on),
        (None, Some(rater), due_on)
    );
}

/// I29: the copy that another committee got loses the text as well, and keeps what it is called.
#[test]
fn a_copy_of_a_referral_loses_its_text_too() {
    let mut world = World::individual();
    let form = crate::workflow::input::ProposalForm {
        analysis: "线路与需求不匹配。".to_owned(),
        ..inputs::form()
    };
    world.on_proposal(P::Member(0), Do::Edit, form.clone());
    let mut world = world.filed();
    let input = Input::Refer(ReferIn {
        committee_id: Some(super::fixture::above()),
        body_name: None,
        reason: "须由上级统筹。".to_owned(),
    });
    world.on_proposal(P::Chair, Do::ReferUp, input);
    let copies = world.records.iter().filter_map(|record| match record {
        Record::Referred { sent, .. } => Some(sent),
        _ => None,
    });
    let [sent] = &copies.collect::<Vec<_>>()[..] else {
        panic!("one copy");
    };
    assert_eq!(sent.situation, form.situation);
    let left = sent.without_text();
    assert!(left.situation.is_empty() && left.analysis.is_empty());
    assert!(left.suggestions.is_empty() && !sent.suggestions.is_empty());
    assert_eq!((&left.title, &left.citation), (&sent.title, &sent.citation));
}
