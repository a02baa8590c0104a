//! Stories of the side roads: returns, changes of units, extensions and pauses, further rounds.

use jiff::civil::{Date, date};

use super::fixture::{Person as P, World, member, other_proposal};
use super::inputs;
use super::stories::{clocks, is_wrong_state, unmet, wrong};
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::codes::{
    AssignmentRole, ClockKind, ConsentStatus, ConsultationForm, Grade, HandlingKind,
    OutcomeMeaning, RequestStatus, Urgency,
};
use crate::workflow::deadline;
use crate::workflow::decide::{Target, catch_up};
use crate::workflow::input::{CloseIn, Input};
use crate::workflow::lists::ProposerKind;
use crate::workflow::profile::DropUnsigned;
use crate::workflow::proposal::{ProposalAction as Do, ProposalStatus as S};
use crate::workflow::refusal::Refusal;
use crate::workflow::reply::ReplyStatus;
use crate::workflow::role::Line;
use crate::workflow::rule::Action;

const OFFICER: P = P::Officer(Line::Government);

fn decide(world: &mut World, number: usize, action: Action, input: impl Into<Input>) {
    let target = world.row_target(number);
    world.granted(OFFICER, target, action, &input.into());
}

fn refused(world: &mut World, action: Do, who: P, input: impl Into<Input>) -> Refusal {
    world.refused(who, Target::Proposal, Action::Proposal(action), input)
}

fn ask_again(world: &mut World, number: usize) -> Refusal {
    let target = world.row_target(number);
    let input = inputs::ask_return(Some(5));
    world.refused(P::UnitClerk(number), target, inputs::ASK_RETURN, input)
}

fn at(world: &mut World, moment: &str) {
    world.now = moment.parse().unwrap();
}

/// Last day of the clock of a row.
fn last_day(world: &World, number: usize, kind: ClockKind) -> Date {
    deadline::last_day(world.clock(kind, world.row(number).id.cast()).due_at)
}

/// Ordinary, assigned and accepted on 25 March: due on 25 June.
fn in_march() -> World {
    let mut world = World::individual();
    at(&mut world, "2026-03-25T02:00:00Z");
    world.sole().accepted(0)
}

fn paused(world: &mut World, number: usize, until: Date) {
    world.on_row(number, inputs::ASK_PAUSE, inputs::ask_pause(until));
    decide(world, number, inputs::PAUSE, inputs::pause(None));
}

/// Round one is rated by the first proposer.
fn rated(world: World, grade: Grade) -> World {
    let mut world = world;
    let replies: Vec<_> = world.case.delivered().map(|reply| reply.id).collect();
    for reply in replies {
        let form = inputs::feedback(reply, grade);
        world.on_proposal(P::Member(0), Do::GiveFeedback, form);
    }
    world
}

fn dissatisfied() -> World {
    let world = World::individual().sole();
    rated(
        world.answered(0, OutcomeMeaning::Resolved),
        Grade::Dissatisfied,
    )
}

/// A carried-over row, from the contact to the delivery.
fn answered_again(world: World, number: usize) -> World {
    world
        .contacted(number)
        .drafted(number, OutcomeMeaning::Resolved)
        .signed(number)
        .approved(number)
        .delivered(number)
}

#[test]
fn who_let_the_window_pass_keeps_the_case() {
    let mut world = World::individual().sole();
    world.wait(10);
    let refusal = ask_again(&mut world, 0);
    assert_eq!(unmet(&refusal), ["row_returnable", "return_window_open"]);
    world = world.contacted(0);
    let row = world.row(0);
    assert!(row.deemed && !row.returnable, "AT08, I9");
}

#[test]
fn the_unit_stays_bound_until_the_return_is_decided() {
    let mut world = World::individual().sole();
    let due = last_day(&world, 0, ClockKind::K10);
    world.on_row(0, inputs::ASK_RETURN, inputs::ask_return(Some(1)));
    clocks(&world, &["K06", "K07", "K10", "K17"]);
    assert_eq!(last_day(&world, 0, ClockKind::K10), due, "I8");
    let target = world.row_target(0);
    let alone = inputs::grant_return(&[]);
    let refusal = world.refused(OFFICER, target, inputs::GRANT_RETURN, alone);
    let place = ("unbound", "/replacement".to_owned());
    assert_eq!(wrong(&refusal), place, "I7");
    decide(&mut world, 0, inputs::REJECT_RETURN, inputs::deny());
    assert_eq!(
        unmet(&ask_again(&mut world, 0)),
        ["row_returnable", "return_window_open"]
    );
    world.leaves("the_unit_stays_bound_until_the_return_is_decided");
}

#[test]
fn after_two_returns_the_arbitration_is_final() {
    use AssignmentRole::Lead;
    let mut world = World::individual().sole();
    for number in [0, 1] {
        world.on_row(number, inputs::ASK_RETURN, inputs::ask_return(Some(5)));
        let next = inputs::grant_return(&[(number + 1, Lead)]);
        decide(&mut world, number, inputs::GRANT_RETURN, next);
    }
    assert_eq!(world.case.bounces(), 2);
    let replaced = world.case.assignments[0].replaced_by;
    assert_eq!(replaced, Some(world.case.assignments[1].id));
    assert!(world.case.assignments[1].status == AssignmentStatus::Returned);
    assert_eq!(unmet(&ask_again(&mut world, 2)), ["row_returnable"], "I9");
    clocks(&world, &["K05", "K07", "K10", "K17"]);
}

#[test]
fn joint_handling_becomes_sole_only_by_a_decision_that_says_so() {
    use AssignmentRole::{CoHandler, Lead};
    let filed = World::individual().filed();
    let mut world = filed.assigned(HandlingKind::Joint, &[(0, Lead), (1, CoHandler)]);
    let target = world.row_target(1);
    let refusal = world.refused(OFFICER, target, inputs::VOID, inputs::reason_in());
    assert_eq!(unmet(&refusal), ["whole_without_row"], "I4");
    let mut input = inputs::adjust(&[], vec![world.row(1).id]);
    let refusal = refused(&mut world, Do::AdjustUnits, OFFICER, input.clone());
    assert_eq!(wrong(&refusal).0, "handling_kind", "I4");
    input.handling_kind = Some(HandlingKind::Sole);
    world.on_proposal(OFFICER, Do::AdjustUnits, input);
    assert_eq!(world.case.proposal.handling_kind, Some(HandlingKind::Sole));
    assert_eq!(world.case.live_rows().count(), 1);
    clocks(&world, &["K05", "K07", "K10", "K17"]);
    world.leaves("joint_handling_becomes_sole_only_by_a_decision_that_says_so");
}

#[test]
fn an_extension_sets_a_new_date_inside_the_cap() {
    let mut world = in_march();
    let target = world.row_target(0);
    let over = inputs::ask_extension(date(2026, 10, 20));
    let refusal = world.refused(P::UnitClerk(0), target, inputs::ASK_EXTENSION, over);
    assert_eq!(
        wrong(&refusal),
        ("over_the_cap", "/new_date".to_owned()),
        "I25"
    );
    let until = date(2026, 7, 31);
    world.on_row(0, inputs::ASK_EXTENSION, inputs::ask_extension(until));
    assert_eq!(last_day(&world, 0, ClockKind::K10), date(2026, 6, 25), "I8");
    let over = inputs::grant_extension(Some(date(2026, 10, 20)));
    let refusal = world.refused(OFFICER, target, inputs::GRANT_EXTENSION, over);
    assert_eq!(wrong(&refusal).0, "over_the_cap", "I25");
    decide(
        &mut world,
        0,
        inputs::GRANT_EXTENSION,
        inputs::grant_extension(None),
    );
    assert_eq!(last_day(&world, 0, ClockKind::K10), until);
    // A pause after it is added to the new date.
    at(&mut world, "2026-04-20T02:00:00Z");
    paused(&mut world, 0, date(2026, 4, 30));
    assert_eq!(last_day(&world, 0, ClockKind::K10), date(2026, 8, 10));
    let clock = world.clock(ClockKind::K10, world.row(0).id.cast());
    let original = deadline::last_day(clock.original_due);
    assert_eq!(original, date(2026, 6, 25), "I23");
    world.leaves("an_extension_sets_a_new_date_inside_the_cap");
}

#[test]
fn a_pause_moves_the_due_date_by_the_days_paused() {
    let mut world = in_march();
    at(&mut world, "2026-04-10T02:00:00Z");
    paused(&mut world, 0, date(2026, 4, 22));
    assert_eq!(last_day(&world, 0, ClockKind::K10), date(2026, 7, 7));
    let mut early = world.clone();
    at(&mut early, "2026-04-16T02:00:00Z");
    decide(&mut early, 0, inputs::RESUME, inputs::note());
    assert_eq!(last_day(&early, 0, ClockKind::K10), date(2026, 7, 1));
    at(&mut world, "2026-04-22T02:00:00Z");
    world = world.contacted(0);
    assert!(world.events().contains(&"clock.resumed"), "the agreed end");
    assert_eq!(last_day(&world, 0, ClockKind::K10), date(2026, 7, 7));
    world.leaves("a_pause_moves_the_due_date_by_the_days_paused");
}

#[test]
fn working_days_of_a_pause_are_not_counted() {
    use AssignmentRole::{CoHandler, Lead};
    let mut world = World::individual();
    world.profile.opinion = deadline::Limit::wd(10);
    at(&mut world, "2026-02-11T02:00:00Z");
    let filed = world.filed();
    let assigned = filed.assigned(HandlingKind::Joint, &[(0, Lead), (1, CoHandler)]);
    let mut world = assigned.accepted(1);
    at(&mut world, "2026-02-25T02:00:00Z");
    paused(&mut world, 1, date(2026, 3, 10));
    at(&mut world, "2026-03-02T02:00:00Z");
    decide(&mut world, 1, inputs::RESUME, inputs::note());
    assert_eq!(last_day(&world, 1, ClockKind::K08), date(2026, 3, 9));
}

#[test]
fn fixed_dates_replace_the_computed_ones() {
    let limit = |change: fn(&mut World), world: World| {
        let mut world = world;
        change(&mut world);
        let world = world.filed();
        let world = world.assigned(HandlingKind::Sole, &[(0, AssignmentRole::Lead)]);
        let clock = world.clock(ClockKind::K10, world.row(0).id.cast());
        clock.limit.clone()
    };
    let fixed = |world: &mut World| world.profile.reply_fixed_date = Some(date(2026, 8, 31));
    assert_eq!(limit(fixed, World::individual()), "until 2026-08-31");
    let urgent = |world: &mut World| {
        world.profile.reply_fixed_date = Some(date(2026, 8, 31));
        world.case.proposal.urgency = Urgency::Urgent;
    };
    assert_eq!(
        limit(urgent, World::individual()),
        "30 cd",
        "the earlier one"
    );
    let sooner = |world: &mut World| {
        world.profile.reply_fixed_date = Some(date(2026, 3, 20));
        world.case.proposal.urgency = Urgency::Urgent;
    };
    assert_eq!(limit(sooner, World::individual()), "until 2026-03-20");
    let party = |world: &mut World| {
        world.profile.reply_fixed_date = Some(date(2026, 8, 31));
        world.profile.reply_party_priority_date = Some(date(2026, 5, 10));
    };
    let of_a_party = World::collective(ProposerKind::Party);
    assert_eq!(limit(party, of_a_party), "until 2026-05-10", "a Sunday");
    assert_eq!(limit(party, World::individual()), "until 2026-08-31");
}

#[test]
fn a_further_round_carries_its_units_over() {
    let mut world = dissatisfied();
    world.on_proposal(P::Chair, Do::Rehandle, inputs::rehandle());
    assert_eq!(
        (world.status(), world.case.proposal.round),
        (S::Assigned, 2)
    );
    let row = world.row(0);
    assert_eq!(row.status, AssignmentStatus::Accepted);
    assert!(row.carried_over && !row.returnable, "I9");
    let clock = world.clock(ClockKind::K10, row.id.cast());
    assert_eq!(clock.limit, "1 mo", "the limit of re-handling");
    clocks(&world, &["K07", "K10", "K17", "K18"]);
    let refusal = ask_again(&mut world, 0);
    assert_eq!(unmet(&refusal), ["row_returnable", "return_window_open"]);
    let first = world.reply_id(0);
    world = answered_again(world, 0);
    let first = world.case.reply(first).unwrap();
    assert_eq!(first.status, ReplyStatus::Superseded, "RT10");
    world = rated(world, Grade::Satisfied);
    world.on_proposal(P::Staff, Do::Close, inputs::close());
    world.leaves("a_further_round_carries_its_units_over");
}

#[test]
fn a_reply_is_superseded_only_by_the_same_unit_or_its_successor() {
    use AssignmentRole::Lead;
    for (unit, superseded) in [(1, false), (9, true)] {
        let filed = World::individual().filed();
        let world = filed.assigned(HandlingKind::Sole, &[(8, Lead)]);
        let world = world.answered(8, OutcomeMeaning::Resolved);
        let mut world = rated(world, Grade::Dissatisfied);
        let first = world.reply_id(8);
        let round = inputs::rehandle_with(HandlingKind::Sole, &[(unit, Lead)]);
        world.on_proposal(OFFICER, Do::Rehandle, round);
        assert_eq!(world.row(unit).status, AssignmentStatus::Pending, "new");
        world = rated(
            world.answered(unit, OutcomeMeaning::Resolved),
            Grade::Satisfied,
        );
        let status = world.case.reply(first).unwrap().status;
        assert_eq!(status == ReplyStatus::Superseded, superseded, "{unit}");
        if superseded {
            continue;
        }
        // The complaint about a reply that still stands blocks the close, until the meeting.
        let refusal = refused(&mut world, Do::Close, P::Staff, inputs::close());
        assert_eq!(unmet(&refusal), ["no_rehandling_due"], "3.9 (c)");
        let form = ConsultationForm::FaceToFaceMeeting;
        let met = inputs::consultation(form, world.env().today());
        world.on_proposal(P::Staff, Do::RecordConsultation, met);
        world.on_proposal(P::Staff, Do::Close, inputs::close());
    }
}

#[test]
fn a_coordination_decision_holds_for_its_text_only() {
    let mut world = World::individual().together();
    for number in [0, 1, 2] {
        world = world.accepted(number);
    }
    world = world.opinion(1).opinion(2).contacted(0);
    world = world.drafted(0, OutcomeMeaning::Resolved).countersigning();
    world.on_reply(0, P::Signatory(1), inputs::OBJECT, inputs::object());
    world.on_reply(0, OFFICER, inputs::COORDINATE, inputs::coordinate());
    let mut other = world.clone();
    let text = crate::workflow::input::ReplyForm {
        digest: "另一稿。".to_owned(),
        ..inputs::reply(Some(OutcomeMeaning::Resolved), other.env().today())
    };
    other.on_reply(0, P::UnitClerk(0), inputs::EDIT, text);
    let target = other.reply_target(0);
    let refusal = other.refused(P::Signatory(0), target, inputs::SIGN, inputs::sign());
    assert_eq!(unmet(&refusal), ["countersigned"]);
    world = world.signed(0);
    assert_eq!(world.reply(0).status, ReplyStatus::UnderReview);
    world.leaves("a_coordination_decision_holds_for_its_text_only");
}

#[test]
fn a_co_handler_that_left_countersigns_no_more() {
    let mut world = World::individual().together().accepted(0);
    world = world.drafted(0, OutcomeMeaning::Resolved).countersigning();
    let gone = inputs::adjust(&[], vec![world.row(2).id]);
    world.on_proposal(OFFICER, Do::AdjustUnits, gone);
    let target = world.reply_target(0);
    let refusal = world.refused(P::Signatory(2), target, inputs::OBJECT, inputs::object());
    assert_eq!(unmet(&refusal), ["countersign_requested"]);
    let nine = |kind: &ClockKind| *kind == ClockKind::K09;
    assert_eq!(world.running().into_iter().filter(nine).count(), 1);
}

#[test]
fn each_condition_of_the_close_is_named() {
    let satisfied = || {
        let world = World::individual().sole();
        rated(
            world.answered(0, OutcomeMeaning::Resolved),
            Grade::Satisfied,
        )
    };
    let mut open_row = satisfied();
    open_row.case.assignments[0].status = AssignmentStatus::Accepted;
    let refusal = refused(&mut open_row, Do::Close, P::Staff, inputs::close());
    assert_eq!(unmet(&refusal), ["all_delivered"], "(a)");
    let mut unrated = World::individual()
        .sole()
        .answered(0, OutcomeMeaning::Resolved);
    let refusal = refused(&mut unrated, Do::Close, P::Staff, inputs::close());
    assert!(is_wrong_state(&refusal), "(b)");
    let undecided = CloseIn {
        publish_replies: None,
        ..inputs::close()
    };
    let refusal = refused(&mut satisfied(), Do::Close, P::Staff, undecided);
    assert_eq!(unmet(&refusal), ["publication_reviewed"], "(e)");
}

#[test]
fn silent_raters_do_not_hold_up_the_case() {
    let world = World::joint().invite(&[1]).consent(1).sole();
    let mut world = rated(
        world.answered(0, OutcomeMeaning::Resolved),
        Grade::Satisfied,
    );
    assert_eq!(world.status(), S::Handled);
    let mut excused = world.clone();
    let silent = excused.case.proposers[1].id;
    excused.on_proposal(P::Staff, Do::ExcuseRater, inputs::excuse(silent));
    assert_eq!(excused.status(), S::Feedback, "out of the denominator");
    assert_eq!(excused.case.raters(true).count(), 1);
    world.wait(40);
    assert_eq!(
        catch_up(&world.case, world.env()).proposal.status,
        S::Feedback
    );
    let late = inputs::feedback(world.reply_id(0), Grade::Satisfied);
    world.on_proposal(P::Member(1), Do::GiveFeedback, late);
    assert_eq!(world.case.forms.len(), 2);
    assert!(world.case.forms[1].late && !world.case.forms[0].late, "I22");
    world.leaves("silent_raters_do_not_hold_up_the_case");
}

#[test]
fn a_correction_is_a_new_version_and_counts() {
    let world = World::individual().sole();
    let mut world = rated(
        world.answered(0, OutcomeMeaning::Resolved),
        Grade::Satisfied,
    );
    let form = inputs::correction(world.reply_id(0), Grade::Dissatisfied);
    world.on_proposal(P::Member(0), Do::CorrectFeedback, form);
    let form = &world.case.forms[0];
    assert_eq!(
        (form.version, form.late, form.result),
        (2, true, Grade::Dissatisfied)
    );
    world.on_proposal(P::Chair, Do::Rehandle, inputs::rehandle());
    world.leaves("a_correction_is_a_new_version_and_counts");
}

#[test]
fn invitations_end_and_begin_again() {
    let status = |world: &World, n: usize| {
        let mut proposers = world.case.proposers.iter();
        proposers
            .find(|one| one.member == Some(member(n)))
            .unwrap()
            .status
    };
    let mut world = World::joint().invite(&[1, 2]);
    world.on_proposal(P::Member(1), Do::DeclineCosign, inputs::cosign());
    world = world.invite(&[1]);
    let refusal = refused(
        &mut world,
        Do::InviteCosigners,
        P::Member(0),
        inputs::invite(&[1]),
    );
    assert_eq!(wrong(&refusal).0, "duplicate");
    world.wait(4);
    world = world.invite(&[2]).consent(2);
    assert_eq!(status(&world, 1), ConsentStatus::Expired, "PT05b");
    world.profile.cosign_drop_unsigned_at = DropUnsigned::Submission;
    world = world.invite(&[3]).submit();
    assert_eq!(status(&world, 3), ConsentStatus::Dropped);
    assert_eq!(status(&world, 2), ConsentStatus::Consented);
    clocks(&world, &["K03"]);
    world.leaves("invitations_end_and_begin_again");
}

#[test]
fn a_withdrawal_is_asked_for_and_decided() {
    let mut world = World::individual().sole().accepted(0);
    world = world.drafted(0, OutcomeMeaning::Resolved);
    world.on_proposal(P::Member(0), Do::Withdraw, inputs::withdraw());
    clocks(&world, &["K05", "K07", "K10", "K14", "K17"]);
    world.on_proposal(P::Chair, Do::RejectWithdrawal, inputs::deny());
    world.on_proposal(P::Member(0), Do::Withdraw, inputs::withdraw());
    let mut answered = world
        .clone()
        .contacted(0)
        .signed(0)
        .approved(0)
        .delivered(0);
    assert_eq!(answered.case.requests[1].status, RequestStatus::Lapsed);
    assert_eq!(answered.status(), S::Handled);
    answered = rated(answered, Grade::Satisfied);
    answered.on_proposal(P::Staff, Do::Close, inputs::close());
    world.on_proposal(P::Chair, Do::ApproveWithdrawal, inputs::note());
    assert_eq!(world.status(), S::Withdrawn);
    assert_eq!(world.case.assignments[0].status, AssignmentStatus::Void);
    assert_eq!(
        world.case.replies[0].status,
        ReplyStatus::Superseded,
        "RT11"
    );
    assert_eq!(world.case.proposal.case_no, Some(201), "I2");
    clocks(&world, &[]);
    world.leaves("a_withdrawal_is_asked_for_and_decided");
}

#[test]
fn merged_and_unmerged_nothing_is_lost() {
    let mut world = World::joint().invite(&[1]).submit();
    let before = world.case.proposers.clone();
    for (n, guard) in [(2, "same_session"), (3, "main_open"), (4, "main_open")] {
        let input = inputs::merge(other_proposal(n));
        let refusal = refused(&mut world, Do::Merge, P::Chair, input);
        assert_eq!(unmet(&refusal), [guard]);
    }
    let main = other_proposal(1);
    world.on_proposal(P::Chair, Do::Merge, inputs::merge(main));
    assert_eq!(world.case.proposers[1].status, ConsentStatus::Dropped);
    clocks(&world, &[]);
    world.on_proposal(P::Chair, Do::Unmerge, inputs::reason_in());
    assert_eq!(world.case.proposers, before, "I18");
    clocks(&world, &["K01", "K03"]);
    let mut filed = World::individual().filed();
    let input = inputs::merge(other_proposal(0));
    let refusal = refused(&mut filed, Do::Merge, P::Chair, input);
    assert_eq!(unmet(&refusal), ["main_filed"]);
    world.leaves("merged_and_unmerged_nothing_is_lost");
}

#[test]
fn the_signers_of_an_absorbed_proposal_rate_the_reply() {
    let world = World::individual().filed().absorbing();
    let world = world.assigned(HandlingKind::Sole, &[(0, AssignmentRole::Lead)]);
    let mut world = rated(
        world.answered(0, OutcomeMeaning::Resolved),
        Grade::Satisfied,
    );
    for n in [5, 6] {
        assert_eq!(world.status(), S::Handled, "I18");
        let form = inputs::feedback(world.reply_id(0), Grade::Satisfied);
        world.on_proposal(P::Member(n), Do::GiveFeedback, form);
    }
    assert_eq!(world.status(), S::Feedback);
}

#[test]
fn the_clerk_of_a_co_signing_collective_rates_too() {
    let mut world = World::joint_collective();
    let invitation = inputs::invite_organisations(&[1]);
    world.on_proposal(P::Clerk, Do::InviteCosigners, invitation);
    world.on_proposal(P::ClerkOf(1), Do::ConsentCosign, inputs::cosign());
    let mut world = world.sole().answered(0, OutcomeMeaning::Resolved);
    for who in [P::Clerk, P::ClerkOf(1)] {
        assert_eq!(world.status(), S::Handled);
        let form = inputs::feedback(world.reply_id(0), Grade::Satisfied);
        world.on_proposal(who, Do::GiveFeedback, form);
    }
    assert_eq!(world.status(), S::Feedback);
}
