//! Stories of whole cases, as the people of the town would tell them.

use super::fixture::{Person as P, World};
use super::inputs;
use super::stories::{clocks, is_not_allowed, is_wrong_state, unmet, wrong};
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::case::Phase;
use crate::workflow::codes::{
    AssignmentRole, ClockKind, CountersignStatus, Grade, HandlingKind, OutcomeMeaning,
    PublicationLevel, SessionMark,
};
use crate::workflow::decide::{Record, Target};
use crate::workflow::input::CloseIn;
use crate::workflow::lists::ProposerKind;
use crate::workflow::proposal::{ProposalAction as Do, ProposalStatus as S};
use crate::workflow::reply::ReplyStatus;
use crate::workflow::role::Line;
use crate::workflow::rule::Action;

const fn on(action: Do) -> Action {
    Action::Proposal(action)
}

#[test]
fn sole_handling_from_draft_to_close() {
    let mut world = World::individual();
    assert_eq!(world.events(), ["proposal.created"]);
    world = world.submit();
    assert_eq!(world.case.proposal.serial_no, Some(17));
    assert_eq!(world.case.proposal.session_mark, Some(SessionMark::Session));
    clocks(&world, &["K03"]);
    world = world.examined();
    world.on_proposal(P::Chair, Do::File, inputs::file());
    assert_eq!(world.case.proposal.case_no, Some(201));
    clocks(&world, &["K04", "K17"]);
    world = world.assigned(HandlingKind::Sole, &[(0, AssignmentRole::Lead)]);
    clocks(&world, &["K05", "K07", "K10", "K17"]);
    assert_eq!(world.case.phase(), Some(Phase::AwaitingAcceptance));
    world = world.accepted(0);
    assert_eq!(world.case.phase(), Some(Phase::InHandling));
    clocks(&world, &["K05", "K07", "K10", "K17"]);
    world = world.contacted(0);
    clocks(&world, &["K05", "K10", "K17"]);
    world = world.drafted(0, OutcomeMeaning::Resolved).signed(0);
    clocks(&world, &["K05", "K10", "K11", "K17"]);
    assert_eq!(
        world.reply(0).document.as_ref().unwrap().to_string(),
        "局0复〔2026〕1号"
    );
    let title = world.reply(0).form.title.clone().unwrap();
    assert_eq!(title, "对政协第9届委员会第5次会议第201号提案的答复");
    world = world.approved(0).delivered(0);
    assert_eq!(world.status(), S::Handled);
    assert_eq!(world.row(0).status, AssignmentStatus::Replied);
    clocks(&world, &["K12", "K17", "K18"]);
    let rating = inputs::feedback(world.reply_id(0), Grade::Satisfied);
    world.on_proposal(P::Member(0), Do::GiveFeedback, rating);
    assert_eq!(world.status(), S::Feedback);
    clocks(&world, &["K17", "K18"]);
    world.on_proposal(P::Staff, Do::Close, inputs::close());
    assert_eq!(world.status(), S::Closed);
    let last = world.events();
    assert!(last.ends_with(&[
        "reply.delivered",
        "assignment.replied",
        "proposal.handled",
        "feedback.given",
        "feedback.concluded",
        "proposal.closed"
    ]));
    world.leaves("sole_handling_from_draft_to_close");
}

#[test]
fn session_and_ordinary_proposals_have_their_own_limits() {
    let mut late = World::individual();
    late.now = "2026-03-10T01:00:00Z".parse().unwrap();
    late = late.submit();
    assert_eq!(late.case.proposal.session_mark, Some(SessionMark::Ordinary));
    let subject = late.case.proposal.id.cast();
    assert_eq!(late.clock(ClockKind::K03, subject).limit, "10 wd");
    let world = World::individual().submit();
    let subject = world.case.proposal.id.cast();
    assert_eq!(
        world.clock(ClockKind::K03, subject).limit,
        "until 2026-03-20"
    );
    // Filed on 2 March, the session ends on the 8th: thirty days from there, rolled over Qingming.
    let mut world = world.examined();
    world.on_proposal(P::Chair, Do::File, inputs::file());
    let clock = world.clock(ClockKind::K04, subject);
    assert_eq!(clock.due_at.to_string(), "2026-04-07T16:00:00Z");
}

#[test]
fn joint_handling_with_opinions_and_countersignatures() {
    let mut world = World::individual().together();
    clocks(
        &world,
        &["K05", "K05", "K05", "K07", "K08", "K08", "K10", "K17"],
    );
    for number in [0, 1, 2] {
        world = world.accepted(number);
    }
    world = world.contacted(0).opinion(1).opinion(2);
    assert_eq!(world.row(1).status, AssignmentStatus::OpinionSubmitted);
    world = world.opinion(1);
    assert_eq!(
        world.row(1).opinions,
        2,
        "a new version until the lead has signed"
    );
    world = world.drafted(0, OutcomeMeaning::PartiallyResolved);
    let refusal = world.refused(
        P::Signatory(0),
        world.reply_target(0),
        inputs::SIGN,
        inputs::sign(),
    );
    assert_eq!(unmet(&refusal), ["countersigned"]);
    world = world.countersigning();
    assert_eq!(
        world
            .running()
            .iter()
            .filter(|kind| **kind == ClockKind::K09)
            .count(),
        2
    );
    world = world.agreed(1);
    let refusal = world.refused(
        P::Signatory(0),
        world.reply_target(0),
        inputs::SIGN,
        inputs::sign(),
    );
    assert_eq!(unmet(&refusal), ["countersigned"]);
    // Unit 2 objects: back to a draft, every request ends, everybody is asked again.
    world.on_reply(0, P::Signatory(2), inputs::OBJECT, inputs::object());
    assert_eq!(world.reply(0).status, ReplyStatus::Draft);
    assert!(!world.running().contains(&ClockKind::K09));
    let answers: Vec<_> = world
        .case
        .countersigns
        .iter()
        .map(|request| request.status)
        .collect();
    assert_eq!(
        answers,
        [CountersignStatus::Agree, CountersignStatus::Object],
        "given answers stay on record, bound to their text"
    );
    let mended = inputs::reply(Some(OutcomeMeaning::PartiallyResolved), world.env().today());
    let mended = crate::workflow::input::ReplyForm {
        digest: "已修改。".to_owned(),
        ..mended
    };
    world.on_reply(0, P::UnitClerk(0), inputs::EDIT, mended);
    world = world.countersigning().agreed(1).agreed(2).signed(0);
    assert!(!world.running().contains(&ClockKind::K09));
    let refusal = world.refused(
        P::UnitClerk(1),
        world.row_target(1),
        inputs::OPINION,
        inputs::opinion(),
    );
    assert_eq!(unmet(&refusal), ["lead_not_signed"]);
    world = world.approved(0).delivered(0);
    assert_eq!(world.status(), S::Handled);
    assert_eq!(
        world.row(1).status,
        AssignmentStatus::OpinionSubmitted,
        "owes nothing, stays"
    );
    clocks(&world, &["K12", "K17", "K18"]);
    world.leaves("joint_handling_with_opinions_and_countersignatures");
}

#[test]
fn a_silent_co_handler_does_not_hold_up_the_lead() {
    let mut world = World::individual().together();
    world = world
        .accepted(0)
        .contacted(0)
        .drafted(0, OutcomeMeaning::Resolved)
        .countersigning();
    let sign = world.refused(
        P::Signatory(0),
        world.reply_target(0),
        inputs::SIGN,
        inputs::sign(),
    );
    assert_eq!(unmet(&sign), ["opinions_in", "countersigned"]);
    world.wait(40);
    world = world.signed(0).approved(0).delivered(0);
    assert_eq!(world.status(), S::Handled);
    let row = world.row(1);
    assert_eq!(row.status, AssignmentStatus::Accepted, "AT08");
    assert!(row.deemed && row.opinion_missing && !row.returnable);
    clocks(&world, &["K12", "K17", "K18"]);
    let input = inputs::contact(world.env().today());
    let target = world.row_target(1);
    let refusal = world.refused(P::UnitClerk(1), target, inputs::CONTACT, input);
    assert_eq!(unmet(&refusal), ["round_open"]);
    world.leaves("a_silent_co_handler_does_not_hold_up_the_lead");
}

#[test]
fn separate_handling_waits_for_both_replies_and_both_forms() {
    use AssignmentRole::{Reference, Separate};
    let mut world = World::individual().filed().assigned(
        HandlingKind::Separate,
        &[(5, Reference), (0, Separate), (1, Separate)],
    );
    assert_eq!(world.row(5).position, 3, "reference units stand last");
    world = world.answered(0, OutcomeMeaning::Resolved);
    assert_eq!(world.status(), S::Assigned);
    assert!(!world.running().contains(&ClockKind::K12));
    world = world.answered(1, OutcomeMeaning::ForReference);
    assert_eq!(world.status(), S::Handled);
    assert_eq!(
        world.case.outcome(),
        Some(OutcomeMeaning::ForReference),
        "the worst one"
    );
    let rating = inputs::feedback(world.reply_id(0), Grade::Satisfied);
    world.on_proposal(P::Member(0), Do::GiveFeedback, rating.clone());
    assert_eq!(world.status(), S::Handled);
    assert!(
        world.running().contains(&ClockKind::K12),
        "one form is still owed"
    );
    let twice = world.refused(P::Member(0), Target::Proposal, on(Do::GiveFeedback), rating);
    assert_eq!(unmet(&twice), ["not_yet_rated"]);
    let rating = inputs::feedback(world.reply_id(1), Grade::Satisfied);
    world.on_proposal(P::Member(0), Do::GiveFeedback, rating);
    assert_eq!(world.status(), S::Feedback);
    world.leaves("separate_handling_waits_for_both_replies_and_both_forms");
}

#[test]
fn a_collective_proposes_and_staff_enter_its_paper_form() {
    let mut world = World::collective(ProposerKind::Party)
        .sole()
        .answered(0, OutcomeMeaning::Resolved);
    let (reply, rater) = (world.reply_id(0), world.case.first_proposer().unwrap().id);
    let without_paper = inputs::feedback(reply, Grade::Satisfied);
    let refusal = world.refused(
        P::Staff,
        Target::Proposal,
        on(Do::GiveFeedback),
        without_paper,
    );
    assert_eq!(wrong(&refusal), ("required", "/rater_id".to_owned()));
    let paper = inputs::paper_feedback(reply, rater, Grade::BasicallySatisfied);
    let refusal = world.refused(
        P::Clerk,
        Target::Proposal,
        on(Do::GiveFeedback),
        paper.clone(),
    );
    assert_eq!(wrong(&refusal).0, "not_for_raters");
    let outsider = world.refused(
        P::Member(3),
        Target::Proposal,
        on(Do::GiveFeedback),
        paper.clone(),
    );
    assert!(is_not_allowed(&outsider));
    world.on_proposal(P::Staff, Do::GiveFeedback, paper);
    assert_eq!(world.status(), S::Feedback);
    let by_staff = |record: &Record| matches!(record, Record::FormContent { by_staff: true, .. });
    assert!(world.records.iter().any(by_staff));
    world.leaves("a_collective_proposes_and_staff_enter_its_paper_form");
}

#[test]
fn dissatisfaction_blocks_the_close_until_it_is_waived() {
    let mut world = World::individual()
        .sole()
        .answered(0, OutcomeMeaning::Resolved);
    let mut form = inputs::feedback(world.reply_id(0), Grade::Dissatisfied);
    form.comment = None;
    let refusal = world.refused(P::Member(0), Target::Proposal, on(Do::GiveFeedback), form);
    assert_eq!(wrong(&refusal).1, "/comment");
    let form = inputs::feedback(world.reply_id(0), Grade::Dissatisfied);
    world.on_proposal(P::Member(0), Do::GiveFeedback, form);
    let refusal = world.refused(P::Staff, Target::Proposal, on(Do::Close), inputs::close());
    assert_eq!(unmet(&refusal), ["no_rehandling_due"]);
    world.on_proposal(P::Member(0), Do::WaiveRehandling, inputs::waive());
    world.on_proposal(P::Staff, Do::Close, inputs::close());
    assert_eq!(world.status(), S::Closed);
    world.leaves("dissatisfaction_blocks_the_close_until_it_is_waived");
}

#[test]
fn nothing_is_published_against_the_proposer() {
    let mut world = World::individual();
    let mut form = inputs::form();
    form.publish_consent = Some(false);
    form.publish_refusal_reason = Some("涉及企业商业信息。".to_owned());
    world.on_proposal(P::Member(0), Do::Edit, form);
    world = world.sole().answered(0, OutcomeMeaning::Resolved);
    let rating = inputs::feedback(world.reply_id(0), Grade::Satisfied);
    world.on_proposal(P::Member(0), Do::GiveFeedback, rating);
    let refusal = world.refused(P::Chair, Target::Proposal, on(Do::Close), inputs::close());
    assert_eq!(unmet(&refusal), ["publication_consented"]);
    let close = CloseIn {
        publish_text: Some(PublicationLevel::Catalogue),
        ..inputs::close()
    };
    world.on_proposal(P::Chair, Do::Close, close);
}

#[test]
fn a_dissenting_reviewer_leaves_three_outcomes() {
    let mut world = World::individual().sole().accepted(0).contacted(0);
    world = world.drafted(0, OutcomeMeaning::Planned).signed(0);
    let silent = crate::workflow::input::ApproveIn {
        reason: None,
        ..inputs::approve_as(OutcomeMeaning::DeferredByConditions)
    };
    let refusal = world.refused(
        P::Supervision,
        world.reply_target(0),
        inputs::APPROVE,
        silent,
    );
    assert_eq!(wrong(&refusal).1, "/reason");
    let input = inputs::approve_as(OutcomeMeaning::DeferredByConditions);
    world.on_reply(0, P::Officer(Line::Government), inputs::APPROVE, input);
    world = world.delivered(0);
    let reply = world.reply(0);
    assert_eq!(reply.unit_outcome, Some(OutcomeMeaning::Planned), "I14");
    assert_eq!(
        reply.reviewer_outcome,
        Some(OutcomeMeaning::DeferredByConditions)
    );
    assert_eq!(
        reply.current_outcome,
        Some(OutcomeMeaning::DeferredByConditions)
    );
    assert_eq!(
        reply.form.outcome,
        Some(OutcomeMeaning::Planned),
        "the signed text stays"
    );
    assert_eq!(world.case.promises.len(), 1);
    assert!(
        world.case.tracked_since.is_some(),
        "what is promised is tracked"
    );
    world.leaves("a_dissenting_reviewer_leaves_three_outcomes");
}

#[test]
fn a_rejected_reply_keeps_its_document_number() {
    let mut world = World::individual().sole().accepted(0).contacted(0);
    world = world.drafted(0, OutcomeMeaning::Resolved).signed(0);
    let number = world.reply(0).document.clone();
    world.on_reply(0, P::Supervision, inputs::REJECT, inputs::reject());
    let reply = world.reply(0);
    assert_eq!(
        (reply.status, reply.signed_by, &reply.signed_hash),
        (ReplyStatus::Draft, None, &None)
    );
    assert!(!world.running().contains(&ClockKind::K11));
    assert!(world.running().contains(&ClockKind::K10), "K10 runs on");
    world.wait(1);
    let (target, sign) = (world.reply_target(0), inputs::sign());
    let same = world.refused(P::Signatory(0), target, inputs::SIGN, sign);
    assert_eq!(unmet(&same), ["changed_since_rejection"]);
    let mended = crate::workflow::input::ReplyForm {
        digest: "已逐条回应。".to_owned(),
        ..inputs::reply(Some(OutcomeMeaning::Resolved), world.env().today())
    };
    world.on_reply(0, P::UnitClerk(0), inputs::EDIT, mended);
    world = world.signed(0);
    assert_eq!(world.reply(0).document, number);
    assert_eq!(
        world.documents.values().sum::<i32>(),
        2,
        "one number was used"
    );
    world = world.approved(0);
    let late = world.refused(
        P::Supervision,
        world.reply_target(0),
        inputs::REJECT,
        inputs::reject(),
    );
    assert_eq!(unmet(&late), ["not_approved"]);
    let edit = inputs::reply(Some(OutcomeMeaning::Resolved), world.env().today());
    let refusal = world.refused(
        P::UnitClerk(0),
        world.reply_target(0),
        inputs::EDIT,
        edit.clone(),
    );
    assert!(is_wrong_state(&refusal), "a signed text is not edited");
    world = world.delivered(0);
    let refusal = world.refused(P::UnitClerk(0), world.reply_target(0), inputs::EDIT, edit);
    assert!(is_wrong_state(&refusal), "I13");
    world.leaves("a_rejected_reply_keeps_its_document_number");
}

#[test]
fn thirty_co_handlers_and_not_one_more() {
    let co = |n: usize| (n, AssignmentRole::CoHandler);
    let rows = |count: usize| {
        let all: Vec<_> = std::iter::once((0, AssignmentRole::Lead))
            .chain((1..=count).map(co))
            .collect();
        inputs::assign(HandlingKind::Joint, inputs::rows(&all))
    };
    let mut world = World::individual().filed();
    let officer = P::Officer(Line::Government);
    for count in [0, 31] {
        let refusal = world.refused(officer, Target::Proposal, on(Do::Assign), rows(count));
        assert_eq!(
            wrong(&refusal),
            ("handling_kind", "/rows".to_owned()),
            "I4: {count}"
        );
    }
    let other_line = world.refused(
        P::Officer(Line::Party),
        Target::Proposal,
        on(Do::Assign),
        rows(30),
    );
    assert!(is_not_allowed(&other_line), "I10");
    world.on_proposal(officer, Do::Assign, rows(30));
    assert_eq!(world.case.live_rows().count(), 31);
}
