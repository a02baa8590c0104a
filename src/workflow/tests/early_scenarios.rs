//! Stories of proposals before they are filed.

use super::fixture::{Person as P, World, member, member_facts};
use super::inputs;
use super::stories::{clocks, is_not_allowed, is_wrong_state, unmet, wrong};
use crate::workflow::Origin;
use crate::workflow::codes::{
    AssignmentRole, ClockKind, ConsentStatus, Grade, HandlingKind, OutcomeMeaning, Recommendation,
    SessionMark,
};
use crate::workflow::decide::{Record, Target};
use crate::workflow::input::{NoInput, ProposalForm};
use crate::workflow::lists::ProposerKind;
use crate::workflow::proposal::{ProposalAction as Do, ProposalStatus as S};
use crate::workflow::refusal::Refusal;
use crate::workflow::role::Role;
use crate::workflow::rule::Action;

const fn on(action: Do) -> Action {
    Action::Proposal(action)
}

#[test]
fn staff_enter_a_paper_proposal_of_a_member() {
    let origin = Origin::Member(member(0), member_facts(0));
    let mut input = inputs::proposal(ProposerKind::Individual);
    let refusal = World::begin(&P::Staff.actor(), &input, &origin)
        .err()
        .unwrap();
    assert_eq!(wrong(&refusal).1, "/form/paper_reference");
    input.form.paper_reference = Some("纸质提案 2026-代-003".to_owned());
    let mut world = World::begin(&P::Staff.actor(), &input, &origin).unwrap();
    let lost = world.refused(P::Staff, Target::Proposal, on(Do::Edit), inputs::form());
    assert_eq!(wrong(&lost).1, "/paper_reference");
    world.on_proposal(
        P::Staff,
        Do::Edit,
        ProposalForm {
            title: "改题".to_owned(),
            ..input.form
        },
    );
    world.on_proposal(P::Staff, Do::Submit, NoInput {});
    world.on_proposal(P::Member(0), Do::Recall, NoInput {});
    assert!(is_not_allowed(&world.refused(
        P::Member(1),
        Target::Proposal,
        on(Do::Submit),
        NoInput {}
    )));
    world.leaves("staff_enter_a_paper_proposal_of_a_member");
}

#[test]
fn who_may_not_begin() {
    let input = inputs::proposal(ProposerKind::Individual);
    let stranger = Origin::Member(member(1), member_facts(1));
    let refusal = World::begin(&P::Member(0).actor(), &input, &stranger)
        .err()
        .unwrap();
    assert!(is_not_allowed(&refusal));
    let past = super::fixture::MEMBERS;
    let former = Origin::Member(member(past), member_facts(past));
    let refusal = World::begin(&P::Member(past).actor(), &input, &former)
        .err()
        .unwrap();
    assert_eq!(unmet(&refusal), ["current_member"]);
    let own = Origin::Member(member(0), member_facts(0));
    let collective = inputs::proposal(ProposerKind::Party);
    let refusal = World::begin(&P::Member(0).actor(), &collective, &own)
        .err()
        .unwrap();
    assert_eq!(wrong(&refusal).1, "/kind");
    let closed = Origin::Organisation {
        id: super::fixture::organisation(),
        name: "民盟县委会".to_owned(),
        kind: ProposerKind::Party,
        active: false,
    };
    let refusal = World::begin(&P::Clerk.actor(), &collective, &closed)
        .err()
        .unwrap();
    assert_eq!(unmet(&refusal), ["organisation_active"]);
}

#[test]
fn returned_and_submitted_again() {
    let mut world = World::individual().submit();
    world.on_proposal(P::Examiner(1), Do::Examine, inputs::examine());
    world.on_proposal(
        P::Staff,
        Do::ReturnForRevision,
        inputs::return_for_revision(),
    );
    clocks(&world, &["K02"]);
    let same = world.refused(P::Member(0), Target::Proposal, on(Do::Submit), NoInput {});
    assert_eq!(unmet(&same), ["changed_since_return"]);
    // Saving the same text again is no change.
    world.on_proposal(P::Member(0), Do::Edit, inputs::form());
    let same = world.refused(P::Member(0), Target::Proposal, on(Do::Submit), NoInput {});
    assert_eq!(unmet(&same), ["changed_since_return"]);
    world.on_proposal(P::Member(0), Do::Edit, inputs::other_text(2));
    world.wait(20);
    world = world.submit();
    assert_eq!(world.case.proposal.serial_no, Some(17), "I3");
    assert_eq!(world.serial, 18);
    assert_eq!(
        world.case.proposal.session_mark,
        Some(SessionMark::Session),
        "kept"
    );
    clocks(&world, &["K03"]);
    assert_eq!(world.case.opinions.len(), 1, "the old opinion stays");
    assert_eq!(
        world.case.current_opinions().count(),
        0,
        "examination starts anew"
    );
    let events = world.events();
    assert_eq!(events.last(), Some(&"proposal.resubmitted"));
    world = world.examined();
    assert_eq!(world.case.opinions.len(), 3);
    world.leaves("returned_and_submitted_again");
}

#[test]
fn a_revision_that_never_comes_is_refused_after_its_time() {
    let mut world = World::individual().submit();
    world.on_proposal(
        P::Chair,
        Do::ReturnForRevision,
        inputs::return_for_revision(),
    );
    let input = inputs::not_file("revision_not_received");
    let early = world.refused(P::Chair, Target::Proposal, on(Do::NotFile), input.clone());
    assert_eq!(unmet(&early), ["revision_lapsed"]);
    world.wait(20);
    world.on_proposal(P::Chair, Do::NotFile, input);
    assert_eq!(world.status(), S::NotFiled);
    clocks(&world, &["K20"]);
}

#[test]
fn recalled_and_submitted_once_more() {
    let mut world = World::individual().submit();
    world.on_proposal(P::Member(0), Do::Recall, NoInput {});
    assert_eq!(world.status(), S::Draft);
    clocks(&world, &[]);
    world = world.submit();
    assert_eq!(
        (world.case.proposal.serial_no, world.serial),
        (Some(17), 18)
    );
    world.on_proposal(P::Examiner(1), Do::Examine, inputs::examine());
    let refusal = world.refused(P::Member(0), Target::Proposal, on(Do::Recall), NoInput {});
    assert_eq!(unmet(&refusal), ["not_yet_examined"]);
    world.leaves("recalled_and_submitted_once_more");
}

#[test]
fn withdrawn_with_a_reason_once_it_was_submitted() {
    let no_reason = crate::workflow::input::WithdrawIn::default();
    let mut draft = World::joint().invite(&[1]);
    draft.on_proposal(P::Member(0), Do::Withdraw, no_reason.clone());
    assert_eq!(draft.status(), S::Withdrawn);
    clocks(&draft, &[]);
    let mut world = World::individual().submit();
    let refusal = world.refused(P::Member(0), Target::Proposal, on(Do::Withdraw), no_reason);
    assert_eq!(wrong(&refusal), ("required", "/reason".to_owned()));
    let blank = crate::workflow::input::WithdrawIn {
        reason: Some("  ".to_owned()),
        attachment_ids: Vec::new(),
    };
    world.refused(P::Member(0), Target::Proposal, on(Do::Withdraw), blank);
    world.on_proposal(P::Member(0), Do::Withdraw, inputs::withdraw());
    assert_eq!(world.case.proposal.serial_no, Some(17), "stays used");
    let refusal = world.refused(P::Member(0), Target::Proposal, on(Do::Edit), inputs::form());
    assert!(is_wrong_state(&refusal));
    world.leaves("withdrawn_with_a_reason_once_it_was_submitted");
}

#[test]
fn a_text_refused_as_secret_is_removed_and_its_metadata_stay() {
    let mut world = World::individual().submit();
    let mut input = inputs::not_file("state_or_party_secret");
    input.reason_codes.clear();
    let refusal = world.refused(P::Chair, Target::Proposal, on(Do::NotFile), input.clone());
    assert_eq!(
        wrong(&refusal),
        ("required", "/reason_codes".to_owned()),
        "I11"
    );
    input.reason_codes = ["other", "state_or_party_secret"]
        .map(inputs::reason)
        .into();
    input.disposition = crate::workflow::codes::Disposition::MemberLetter;
    let refusal = world.refused(P::Chair, Target::Proposal, on(Do::NotFile), input.clone());
    assert_eq!(wrong(&refusal).1, "/proposer_agrees");
    input.proposer_agrees = true;
    world.on_proposal(P::Chair, Do::NotFile, input);
    let form = &world.case.proposal.form;
    assert!(form.parts().all(str::is_empty) && form.suggestions.is_empty());
    assert_eq!(form.title, inputs::form().title);
    assert!(world.records.contains(&Record::HideText));
    assert_eq!(world.case.proposal.serial_no, Some(17));
    let secret = &inputs::form().situation;
    assert!(
        world
            .log
            .iter()
            .all(|happened| !happened.input.to_string().contains(secret)),
        "the audit trail is for ever, so it must not hold the text (I29)"
    );
    world.leaves("a_text_refused_as_secret_is_removed_and_its_metadata_stay");
}

#[test]
fn reasons_are_those_that_the_committee_uses_now() {
    let mut world = World::individual().submit();
    let mut input = inputs::not_file("bad_form");
    for (codes, places) in [
        (
            vec!["no_such_reason"],
            vec![("/reason_codes/0", "unknown_reason")],
        ),
        (
            vec!["bad_form", "draft_reason", "bad_form"],
            vec![
                ("/reason_codes/1", "inactive_reason"),
                ("/reason_codes/2", "duplicate"),
            ],
        ),
    ] {
        input.reason_codes = codes.into_iter().map(inputs::reason).collect();
        let refusal = world.refused(P::Chair, Target::Proposal, on(Do::NotFile), input.clone());
        let Refusal::Invalid(wrongs) = &refusal else {
            panic!("{refusal:?}");
        };
        let found: Vec<_> = wrongs.iter().map(|one| (&*one.pointer, one.code)).collect();
        assert_eq!(found, places);
    }
    let mut opinion = inputs::examine();
    opinion.recommendation = Recommendation::NotFile;
    opinion.reason_codes = vec![inputs::reason("draft_reason")];
    let refusal = world.refused(
        P::Examiner(1),
        Target::Proposal,
        on(Do::Examine),
        opinion.clone(),
    );
    assert!(refusal.words().zh.contains("理由draft_reason"), "its label");
    opinion.reason_codes = vec![inputs::reason("bad_form")];
    world.on_proposal(P::Examiner(1), Do::Examine, opinion);
    input.reason_codes = ["bad_form", "own_reason"].map(inputs::reason).into();
    world.on_proposal(P::Chair, Do::NotFile, input.clone());
    let used = |act, codes| Record::ReasonsUsed { act, codes };
    for record in [
        used("examine", vec![inputs::reason("bad_form")]),
        used("not_file", input.reason_codes),
        Record::HideText,
    ] {
        assert!(world.records.contains(&record), "{record:?}");
    }
}

#[test]
fn joint_proposal_stale_consents_and_unsigned_cosigners() {
    let mut world = World::joint().invite(&[1, 2, 3]).consent(1).consent(2);
    clocks(&world, &["K01"]);
    world.on_proposal(P::Member(0), Do::Edit, inputs::other_text(2));
    let status = |world: &World, n: usize| {
        let found = world
            .case
            .proposers
            .iter()
            .find(|p| p.member == Some(member(n)));
        found.unwrap().status
    };
    assert_eq!(status(&world, 1), ConsentStatus::Stale);
    clocks(&world, &["K01", "K01", "K01"]);
    world = world.consent(1);
    world.on_proposal(P::Member(2), Do::DeclineCosign, inputs::cosign());
    world = world.filed();
    assert_eq!(status(&world, 1), ConsentStatus::Consented);
    assert_eq!(status(&world, 2), ConsentStatus::Declined);
    assert_eq!(
        status(&world, 3),
        ConsentStatus::Dropped,
        "unsigned at filing"
    );
    assert_eq!(world.case.proposal.kind, ProposerKind::Joint);
    clocks(&world, &["K04", "K17"]);
    world = world.assigned(HandlingKind::Sole, &[(0, AssignmentRole::Lead)]);
    world = world.answered(0, OutcomeMeaning::Resolved);
    let raters = world
        .running()
        .iter()
        .filter(|kind| **kind == ClockKind::K12)
        .count();
    assert_eq!(raters, 2, "the first proposer and the co-signer who signed");
    let rating = inputs::feedback(world.reply_id(0), Grade::Satisfied);
    assert!(is_not_allowed(&world.refused(
        P::Member(3),
        Target::Proposal,
        on(Do::GiveFeedback),
        rating
    )));
    world.leaves("joint_proposal_stale_consents_and_unsigned_cosigners");
}

#[test]
fn a_joint_proposal_nobody_else_signed_is_filed_as_individual() {
    let mut world = World::joint().invite(&[1]).consent(1);
    world.on_proposal(P::Member(0), Do::Edit, inputs::other_text(2));
    world = world.filed();
    assert_eq!(world.case.proposal.kind, ProposerKind::Individual);
    assert_eq!(world.case.signers().count(), 1);
}

#[test]
fn only_the_form_changes_and_consents_stay() {
    let mut world = World::joint().invite(&[1]).consent(1);
    let form = ProposalForm {
        hide_my_name: true,
        ..inputs::form()
    };
    world.on_proposal(P::Member(0), Do::Edit, form);
    assert_eq!(world.case.signers().count(), 2);
}

#[test]
fn nobody_examines_what_he_or_she_signed() {
    let mut world = World::joint().invite(&[1]).submit();
    for role in [Role::Examiner, Role::CommitteeChair] {
        for n in [0, 1] {
            let input = inputs::return_for_revision();
            let who = P::MemberAnd(n, role);
            let refusal = world.refused(who, Target::Proposal, on(Do::ReturnForRevision), input);
            assert_eq!(unmet(&refusal), ["not_a_signer"]);
        }
    }
    let examiner = P::MemberAnd(2, Role::Examiner);
    world.on_proposal(examiner, Do::Examine, inputs::examine());
    world.on_proposal(
        examiner,
        Do::ReturnForRevision,
        inputs::return_for_revision(),
    );
    world = world.invite(&[2]);
    let refusal = world.refused(
        examiner,
        Target::Proposal,
        on(Do::ConsentCosign),
        inputs::cosign(),
    );
    assert_eq!(
        unmet(&refusal),
        ["not_its_examiner"],
        "nor signs what he or she examined"
    );
}
