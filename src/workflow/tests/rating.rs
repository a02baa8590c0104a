//! Opinion forms and the end of a round at their edges (PT21–PT25): who gives which form, what a correction
//! changes, whom a committee need not wait for, and what is published after the review.

use super::fixture::{Person as P, World};
use super::inputs;
use super::people::fixed;
use super::stories::{unmet, wrong};
use crate::ids::ProposerId;
use crate::workflow::attachments::Binding;
use crate::workflow::codes::{
    AssignmentRole, ClockKind, Grade, HandlingKind, OutcomeMeaning, PublicationLevel, RequestKind,
    RequestStatus, Secrecy,
};
use crate::workflow::decide::{Record, Target};
use crate::workflow::input::{FeedbackIn, Input};
use crate::workflow::profile::Raters;
use crate::workflow::proposal::{ProposalAction as Do, ProposalStatus};
use crate::workflow::refusal::Refusal;
use crate::workflow::role::{Line, Role};
use crate::workflow::rule::Action;

const OFFICER: P = P::Officer(Line::Government);
/// A member of the committee's staff who signed the proposal as a member.
const SIGNING_STAFF: P = P::MemberAnd(3, Role::CommitteeStaff);

fn refused(world: &mut World, who: P, action: Do, input: impl Into<Input>) -> Refusal {
    world.refused(who, Target::Proposal, Action::Proposal(action), input)
}

/// Signed by the members 0, 1 and 3, answered by two units.
fn answered() -> World {
    use AssignmentRole::Separate;
    let mut world = World::joint().invite(&[1, 3]).consent(1);
    world.on_proposal(SIGNING_STAFF, Do::ConsentCosign, inputs::cosign());
    let filed = world.filed();
    let rows = [(0, Separate), (1, Separate)];
    let mut world = filed.assigned(HandlingKind::Separate, &rows);
    for number in [0, 1] {
        world = world.answered(number, OutcomeMeaning::Resolved);
    }
    assert_eq!(world.status(), ProposalStatus::Handled);
    world
}

fn rater(world: &World, number: usize) -> ProposerId {
    world.case.proposers[number].id
}

fn of(world: &World, unit: usize, grade: Grade) -> FeedbackIn {
    inputs::feedback(world.reply_id(unit), grade)
}

/// PT21: what can no longer be decided lapses with the round; a nomination for the programme can.
#[test]
fn the_end_of_handling_ends_all_requests_but_the_nomination() {
    let mut world = World::individual().sole().accepted(0).contacted(0);
    world = world.drafted(0, OutcomeMeaning::Resolved).signed(0);
    world = world.approved(0);
    world.on_proposal(P::Staff, Do::RequestUrgency, inputs::reason_in());
    world.on_proposal(P::Staff, Do::NominateKey, inputs::reason_in());
    let world = world.delivered(0);
    let status = |kind| {
        let mut requests = world.case.requests.iter();
        requests.find(|one| one.kind == kind).unwrap().status
    };
    assert_eq!(status(RequestKind::Urgency), RequestStatus::Lapsed);
    assert_eq!(status(RequestKind::Key), RequestStatus::Open);
}

/// I20: a rater writes the own form and names nobody, staff who signed as well; staff name the rater whose
/// paper they enter. Nobody else rates.
#[test]
fn only_staff_who_enter_paper_name_a_rater() {
    let world = answered();
    let reply = world.reply_id(0);
    let paper = |number: usize| {
        let rater = rater(&world, number);
        inputs::paper_feedback(reply, rater, Grade::Satisfied)
    };
    let own = inputs::feedback(reply, Grade::Satisfied);
    let named = FeedbackIn {
        paper_reference: None,
        ..paper(0)
    };
    let on_paper = FeedbackIn {
        rater_id: None,
        ..paper(0)
    };
    let unknown = FeedbackIn {
        rater_id: Some(fixed(9, 99)),
        ..paper(0)
    };
    for (who, input, expected) in [
        (P::Member(0), &own, Ok((0, false))),
        (P::Member(0), &named, Err(("not_for_raters", "/rater_id"))),
        (
            P::Member(0),
            &on_paper,
            Err(("not_for_raters", "/rater_id")),
        ),
        (SIGNING_STAFF, &own, Ok((2, false))),
        (
            SIGNING_STAFF,
            &on_paper,
            Err(("not_for_raters", "/rater_id")),
        ),
        (SIGNING_STAFF, &paper(1), Ok((1, true))),
        (P::Staff, &own, Err(("required", "/rater_id"))),
        (P::Staff, &named, Err(("required", "/paper_reference"))),
        (P::Staff, &unknown, Err(("unknown_rater", "/rater_id"))),
        (P::Staff, &paper(0), Ok((0, true))),
    ] {
        // The same of the form and of its correction.
        for action in [Do::GiveFeedback, Do::CorrectFeedback] {
            let mut world = world.clone();
            if action == Do::CorrectFeedback {
                for number in [0, 1, 2] {
                    world.on_proposal(P::Staff, Do::GiveFeedback, paper(number));
                }
            }
            let forms = world.case.forms.len();
            match expected {
                Ok((number, staff)) => {
                    world.on_proposal(who, action, input.clone());
                    let Some(Record::FormContent {
                        rater, by_staff, ..
                    }) = world.records.last()
                    else {
                        panic!("no form: {:?}", world.records.last());
                    };
                    let signer = world.case.proposers[number].id;
                    assert_eq!((*rater, *by_staff), (signer, staff), "{who:?}");
                    let added = usize::from(action == Do::GiveFeedback);
                    assert_eq!(world.case.forms.len(), forms + added);
                }
                Err((code, place)) => {
                    let refusal = refused(&mut world, who, action, input.clone());
                    assert_eq!(wrong(&refusal), (code, place.to_owned()), "{who:?}");
                }
            }
        }
    }
    // `feedback.raters` = `lead_only`: a co-signer is no rater.
    let mut first = world.clone();
    first.profile.feedback_raters = Raters::LeadOnly;
    let refusal = refused(&mut first, P::Member(1), Do::GiveFeedback, own);
    assert_eq!(unmet(&refusal), ["not_yet_rated"]);
}

/// I13, I20: a correction is the next version of that form, of that rater, of that round; every other
/// form stays.
#[test]
fn a_correction_changes_one_form() {
    let mut world = answered();
    for who in [P::Member(0), P::Member(1), SIGNING_STAFF] {
        for unit in [0, 1] {
            let form = of(&world, unit, Grade::Dissatisfied);
            world.on_proposal(who, Do::GiveFeedback, form);
        }
    }
    assert_eq!(world.status(), ProposalStatus::Feedback);
    let before = world.case.forms.clone();
    let input = inputs::correction(world.reply_id(1), Grade::BasicallySatisfied);
    world.on_proposal(P::Member(1), Do::CorrectFeedback, input);
    for (old, new) in before.iter().zip(&world.case.forms) {
        let changed = old.reply == world.reply_id(1) && old.rater == rater(&world, 1);
        let mut expected = old.clone();
        if changed {
            expected.version = 2;
            expected.result = Grade::BasicallySatisfied;
            expected.late = true;
        }
        assert_eq!(*new, expected);
    }

    // In the next round the forms of the one before are no longer corrected (I16).
    let earlier = world.reply_id(0);
    let round = inputs::rehandle_with(HandlingKind::Sole, &[(0, AssignmentRole::Lead)]);
    world.on_proposal(OFFICER, Do::Rehandle, round);
    let mut world = world
        .contacted(0)
        .drafted(0, OutcomeMeaning::Resolved)
        .signed(0)
        .approved(0)
        .delivered(0);
    let form = of(&world, 0, Grade::Satisfied);
    world.on_proposal(P::Member(0), Do::GiveFeedback, form);
    let input = inputs::correction(earlier, Grade::Satisfied);
    let refusal = refused(&mut world, P::Member(0), Do::CorrectFeedback, input);
    assert_eq!(wrong(&refusal), ("unknown_form", "/reply_id".to_owned()));
}

/// I20: the scan of a corrected paper form goes with that form, like that of the first version; a file
/// that is not there is named.
#[test]
fn a_correction_takes_its_files_along() {
    let mut world = answered();
    let (reply, rater) = (world.reply_id(0), rater(&world, 0));
    let staff = P::Staff.actor();
    let mut input = inputs::paper_feedback(reply, rater, Grade::Satisfied);
    let first = world.staged(&staff).unwrap();
    input.attachment_ids = vec![first];
    world.on_proposal(P::Staff, Do::GiveFeedback, input.clone());
    let second = world.staged(&staff).unwrap();
    input.attachment_ids = vec![first, second];
    world.on_proposal(P::Staff, Do::CorrectFeedback, input.clone());
    let bound = world.references.attachments[&second].bound;
    assert_eq!(bound, Some(Binding::to_form(reply, rater)));
    input.attachment_ids = vec![first, fixed(10, 99)];
    let refusal = refused(&mut world, P::Staff, Do::CorrectFeedback, input);
    let place = "/attachment_ids/1".to_owned();
    assert_eq!(wrong(&refusal), ("unknown_attachment", place));
}

/// `PT22c`: excused is who still owes a form, and nobody else waits less for it.
#[test]
fn only_a_rater_who_owes_a_form_is_excused() {
    let mut world = answered();
    for unit in [0, 1] {
        let form = of(&world, unit, Grade::Satisfied);
        world.on_proposal(P::Member(0), Do::GiveFeedback, form);
    }
    for id in [fixed(9, 99), rater(&world, 0)] {
        let refusal = refused(&mut world, P::Staff, Do::ExcuseRater, inputs::excuse(id));
        assert_eq!(wrong(&refusal), ("unknown_rater", "/rater_id".to_owned()));
    }
    let id = rater(&world, 1);
    world.on_proposal(P::Staff, Do::ExcuseRater, inputs::excuse(id));
    let excused = |world: &World| [0, 1, 2].map(|n| world.case.proposers[n].excused.is_some());
    assert_eq!(excused(&world), [false, true, false]);
    let waiting = world
        .running()
        .iter()
        .filter(|kind| **kind == ClockKind::K12)
        .count();
    assert_eq!(waiting, 1);
    assert_eq!(world.status(), ProposalStatus::Handled);
}

/// K12, PT22: a rater is waited for until the last reply has a form, and each reply once.
#[test]
fn a_rater_is_waited_for_until_every_reply_is_rated() {
    let mut world = answered();
    let rater = rater(&world, 0).cast();
    for (unit, waiting) in [(0, true), (1, false)] {
        let form = of(&world, unit, Grade::Satisfied);
        world.on_proposal(P::Member(0), Do::GiveFeedback, form.clone());
        let clock = world.case.running(ClockKind::K12, rater);
        assert_eq!(clock.is_some(), waiting);
        let refusal = refused(&mut world, P::Member(0), Do::GiveFeedback, form);
        assert_eq!(unmet(&refusal), ["not_yet_rated"]);
    }
}

/// PT23, I22: when the time of the raters is over nobody is waited for any more.
#[test]
fn no_clock_of_a_rater_outlives_the_feedback() {
    let mut world = answered();
    world.wait(60);
    world.settle();
    assert_eq!(world.status(), ProposalStatus::Feedback);
    assert!(world.case.forms.is_empty(), "silence is no form");
    assert!(!world.running().contains(&ClockKind::K12));
}

/// I30: a text that the proposer keeps back is published as a title at most, the replies as reviewed;
/// what is public already is taken down to what the review allows, and K17 and K18 end where nothing is
/// to be published.
#[test]
fn the_review_bounds_what_is_public() {
    use PublicationLevel as L;
    let filed = || {
        let mut world = World::individual().sole();
        world = world.answered(0, OutcomeMeaning::Resolved);
        world
    };
    let kept_back = |mut world: World| {
        world.case.proposal.form.publish_consent = Some(false);
        world
    };
    for text in L::ALL {
        for replies in L::ALL {
            let input = inputs::publication(*text, *replies);
            let mut world = kept_back(filed());
            if *text <= L::Catalogue {
                world.on_proposal(P::Staff, Do::ReviewPublication, input.clone());
            } else {
                let refusal = refused(&mut world, P::Staff, Do::ReviewPublication, input.clone());
                assert_eq!(unmet(&refusal), ["publication_consented"], "{text}");
            }
            let mut world = filed();
            world.case.proposal.secrecy = Secrecy::Restricted;
            if (*text, *replies) == (L::None, L::None) {
                world.on_proposal(P::Staff, Do::ReviewPublication, input.clone());
            } else {
                let refusal = refused(&mut world, P::Staff, Do::ReviewPublication, input.clone());
                assert_eq!(unmet(&refusal), ["case_open"], "{text} {replies}");
            }
            for public in L::ALL.iter().filter(|level| **level != L::None) {
                let mut world = filed();
                let (now, marks) = (world.now, &mut world.case.proposal.marks);
                (marks.published_text, marks.text_published_at) = (Some(*public), Some(now));
                (marks.published_replies, marks.replies_published_at) = (Some(*public), Some(now));
                world.wait(1);
                world.on_proposal(P::Staff, Do::ReviewPublication, input.clone());
                let left = |reviewed: L| {
                    let level = (*public).min(reviewed);
                    (level != L::None).then_some(level)
                };
                let marks = &world.case.proposal.marks;
                let reviewed = (marks.publish_text, marks.publish_replies);
                assert_eq!(reviewed, (Some(*text), Some(*replies)));
                let now_public = (marks.published_text, marks.published_replies);
                assert_eq!(now_public, (left(*text), left(*replies)));
                let since = (marks.text_published_at, marks.replies_published_at);
                let expected = (left(*text).map(|_| now), left(*replies).map(|_| now));
                assert_eq!(since, expected);
                let running = world.running();
                let (k17, k18) = (*text != L::None, *replies != L::None);
                assert_eq!(running.contains(&ClockKind::K17), k17);
                assert_eq!(running.contains(&ClockKind::K18), k18);
            }
        }
    }
}
