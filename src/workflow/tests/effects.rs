//! Effects at their edges: what a row changes, and what beside it must stay as it was.

use super::fixture::{Person as P, World, unit};
use super::inputs;
use super::people::{fixed, member};
use super::stories::{unmet, wrong};
use crate::workflow::case::{Case, FollowUp};
use crate::workflow::codes::{
    AssignmentRole, ClockKind, ContactWay, CountersignStatus, FollowUpKind, FollowUpStatus, Grade,
    HandlingKind, OutcomeMeaning, ProgrammeTier, RequestKind, RequestStatus, Urgency,
};
use crate::workflow::decide::Target;
use crate::workflow::guard::{self, View};
use crate::workflow::input::{ContactIn, ReplyForm, SignIn};
use crate::workflow::lists::ProposerKind;
use crate::workflow::profile::{ConsultationCase, LapseMeans};
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::reply::ReplyStatus;
use crate::workflow::role::Line;

const OFFICER: P = P::Officer(Line::Government);

/// Lead unit 0 drafted, the co-handlers 1 and 2 gave their opinions.
fn drafted() -> World {
    let mut world = World::individual().together();
    for number in [0, 1, 2] {
        world = world.accepted(number);
    }
    let world = world.opinion(1).opinion(2).contacted(0);
    world.drafted(0, OutcomeMeaning::Resolved)
}

fn text(world: &World, digest: &str) -> ReplyForm {
    ReplyForm {
        digest: digest.to_owned(),
        ..inputs::reply(Some(OutcomeMeaning::Resolved), world.env().today())
    }
}

fn separate(units: [usize; 2]) -> World {
    let rows = units.map(|unit| (unit, AssignmentRole::Separate));
    let filed = World::individual().filed();
    filed.assigned(HandlingKind::Separate, &rows)
}

/// `RT04b`, K09: only what is still asked for on this very reply lapses; an answer and what was called
/// back stay as they are.
#[test]
fn silence_changes_no_answer_and_nothing_that_was_called_back() {
    let mut world = drafted().countersigning();
    let other = text(&world, "另一稿。");
    world.on_reply(0, P::UnitClerk(0), inputs::EDIT, other);
    world = world.countersigning().agreed(1);
    world.wait(30);
    world.settle();
    let told = |status: CountersignStatus, attempt: i32| {
        let requests = world.case.countersigns.iter();
        let found = requests.filter(|one| one.status == status && one.attempt == attempt);
        found.count()
    };
    assert_eq!(told(CountersignStatus::Recalled, 1), 2);
    assert_eq!(told(CountersignStatus::Agree, 2), 1);
    assert_eq!(told(CountersignStatus::Lapsed, 2), 1);
    let world = world.signed(0);
    assert_eq!(world.reply(0).status, ReplyStatus::UnderReview);

    // `countersign.lapse_means` = `blocks`: silence is no agreement.
    let mut world = drafted().countersigning().agreed(1);
    world.profile.countersign_lapse = LapseMeans::Blocks;
    world.wait(30);
    world.settle();
    let target = world.reply_target(0);
    let refusal = world.refused(P::Signatory(0), target, inputs::SIGN, inputs::sign());
    assert_eq!(unmet(&refusal), ["countersigned"]);
}

/// RT05: a coordination decision is about the text that was there; it is gone with it, even if that
/// text comes back.
#[test]
fn a_coordination_decision_does_not_come_back_with_its_text() {
    let mut world = drafted().countersigning();
    world.on_reply(0, P::Signatory(1), inputs::OBJECT, inputs::object());
    world.on_reply(0, OFFICER, inputs::COORDINATE, inputs::coordinate());
    let first = text(&world, &world.reply(0).form.digest.clone());
    let mut same = world.clone();
    same.on_reply(0, P::UnitClerk(0), inputs::EDIT, first.clone());
    assert_eq!(same.signed(0).reply(0).status, ReplyStatus::UnderReview);
    let other = text(&world, "另一稿。");
    world.on_reply(0, P::UnitClerk(0), inputs::EDIT, other);
    world.on_reply(0, P::UnitClerk(0), inputs::EDIT, first);
    let target = world.reply_target(0);
    let refusal = world.refused(P::Signatory(0), target, inputs::SIGN, inputs::sign());
    assert_eq!(unmet(&refusal), ["countersigned"]);
}

/// I12: a promise has a date that is still to come, when it is written as when it is changed.
#[test]
fn a_promise_is_due_after_today() {
    let mut world = World::individual().sole().accepted(0).contacted(0);
    let today = world.env().today();
    let form = |days: i64| {
        let mut form = inputs::reply(Some(OutcomeMeaning::Planned), today);
        let mut late = form.promises[0].clone();
        late.due_on = crate::workflow::calendar::add_days(today, days);
        form.promises.push(late);
        form
    };
    let place = ("in_past", "/promises/1/due_on".to_owned());
    for days in [-1, 0] {
        let row = world.row_target(0);
        let refusal = world.refused(P::UnitClerk(0), row, inputs::DRAFT, form(days));
        assert_eq!(wrong(&refusal), place);
    }
    world.on_row(0, inputs::DRAFT, form(1));
    let reply = world.reply_target(0);
    let refusal = world.refused(P::UnitClerk(0), reply, inputs::EDIT, form(0));
    assert_eq!(wrong(&refusal), place);
    world.on_reply(0, P::UnitClerk(0), inputs::EDIT, form(2));
    assert_eq!(world.reply(0).form.promises.len(), 2);
}

/// RT06, `reply.key_signed_by_head`.
#[test]
fn the_head_of_the_unit_signs_what_is_key() {
    for (tier, asked, by_head, granted) in [
        (None, true, false, true),
        (Some(ProgrammeTier::No1), true, false, false),
        (Some(ProgrammeTier::No1), true, true, true),
        (Some(ProgrammeTier::Key), true, false, false),
        (Some(ProgrammeTier::Key), true, true, true),
        (Some(ProgrammeTier::Key), false, false, true),
        (Some(ProgrammeTier::Practical), true, false, true),
        (Some(ProgrammeTier::Other), true, false, true),
    ] {
        let world = World::individual().sole().accepted(0).contacted(0);
        let mut world = world.drafted(0, OutcomeMeaning::Resolved);
        world.case.proposal.marks.tier = tier;
        world.profile.key_signed_by_head = asked;
        let input = SignIn {
            by_head,
            ..inputs::sign()
        };
        let target = world.reply_target(0);
        if granted {
            world.granted(P::Signatory(0), target, inputs::SIGN, &input.into());
            assert_eq!(world.reply(0).signed_by_head, by_head);
        } else {
            let refusal = world.refused(P::Signatory(0), target, inputs::SIGN, input);
            assert_eq!(wrong(&refusal), ("required", "/by_head".to_owned()));
        }
    }
}

/// RT09: what the unit still asked for is over; what others asked for is not.
#[test]
fn a_delivery_ends_the_requests_of_its_row_alone() {
    let mut world = separate([0, 1]);
    for number in [0, 1] {
        world = world.accepted(number).contacted(number);
        let later = crate::workflow::calendar::add_days(world.env().today(), 100);
        world.on_row(number, inputs::ASK_EXTENSION, inputs::ask_extension(later));
    }
    let world = world
        .drafted(0, OutcomeMeaning::Resolved)
        .signed(0)
        .approved(0)
        .delivered(0);
    let open = |number: usize| {
        let row = world.row(number).id;
        let requests = world.case.requests.iter();
        let mut own = requests.filter(|one| one.assignment == Some(row));
        let request = own.next().expect("a request");
        assert_eq!(request.kind, RequestKind::Extension);
        request.status == RequestStatus::Open
    };
    assert!(!open(0) && open(1));
}

/// RT10: in the same round nothing is superseded, not even by a unit's successor; in a later one
/// what the unit itself delivered is.
#[test]
fn only_a_later_round_supersedes() {
    for pair in [[0, 1], [8, 9]] {
        let mut world = separate(pair);
        for number in pair {
            world = world.answered(number, OutcomeMeaning::Resolved);
        }
        let status = |world: &World| pair.map(|number| world.reply(number).status);
        assert_eq!(status(&world), [ReplyStatus::Delivered; 2], "{pair:?}");
        for number in pair {
            let form = inputs::feedback(world.reply_id(number), Grade::Dissatisfied);
            world.on_proposal(P::Member(0), Do::GiveFeedback, form);
        }
        let first = pair.map(|number| world.reply_id(number));
        let round = inputs::rehandle_with(HandlingKind::Sole, &[(pair[0], AssignmentRole::Lead)]);
        world.on_proposal(OFFICER, Do::Rehandle, round);
        let world = world
            .contacted(pair[0])
            .drafted(pair[0], OutcomeMeaning::Resolved)
            .signed(pair[0])
            .approved(pair[0])
            .delivered(pair[0]);
        let now = first.map(|id| world.case.reply(id).unwrap().status);
        let expected = [ReplyStatus::Superseded, ReplyStatus::Delivered];
        assert_eq!(now, expected, "{pair:?}");
    }
}

/// 3.9 (f), `close.consultation_required_for`: each kind of case that may be named, and no other.
#[test]
fn a_consultation_is_asked_of_the_cases_that_are_named() {
    use ConsultationCase as C;
    let plain = World::individual();
    let with = |change: fn(&mut World)| {
        let mut world = plain.clone();
        change(&mut world);
        world
    };
    let worlds = [
        (None, plain.clone()),
        (
            Some(C::No1),
            with(|w| w.case.proposal.marks.tier = Some(ProgrammeTier::No1)),
        ),
        (
            Some(C::Key),
            with(|w| w.case.proposal.marks.tier = Some(ProgrammeTier::Key)),
        ),
        (
            Some(C::Practical),
            with(|w| w.case.proposal.marks.tier = Some(ProgrammeTier::Practical)),
        ),
        (
            Some(C::Urgent),
            with(|w| w.case.proposal.urgency = Urgency::Urgent),
        ),
        (Some(C::Collective), World::collective(ProposerKind::Party)),
    ];
    let staff = P::Staff.actor();
    for (is, mut world) in worlds {
        for asked in ConsultationCase::ALL {
            world.profile.consultation_required_for = vec![*asked];
            let view = View {
                case: &world.case,
                actor: &staff,
                target: Target::Proposal,
                env: world.env(),
            };
            let met = (guard::CONSULTATION_RECORDED.met)(&view);
            assert_eq!(met, is != Some(*asked), "{is:?} {asked:?}");
        }
    }
}

/// Urgings and instructions wait for the clerks of the unit they are for, or for the rater: not for
/// its signatories, not for another unit, not for another proposer.
#[test]
fn an_entry_asks_those_it_is_for() {
    let world = World::joint().invite(&[1]).consent(1).submit();
    let case = &world.case;
    let entry = |unit, rater| FollowUp {
        id: fixed(12, 0),
        act: fixed(12, 0),
        kind: FollowUpKind::Urging,
        status: FollowUpStatus::Open,
        unit,
        rater,
        promise: None,
        due_on: None,
        restricted: false,
    };
    let everybody = [
        P::Member(0),
        P::Member(1),
        P::Member(2),
        P::Clerk,
        P::UnitClerk(0),
        P::UnitClerk(1),
        P::Signatory(0),
        P::Signatory(1),
        P::Staff,
        P::Chair,
        OFFICER,
    ];
    let (first, second) = (case.proposers[0].id, case.proposers[1].id);
    for (entry, expected) in [
        (entry(None, None), vec![]),
        (entry(Some(unit(0)), None), vec![P::UnitClerk(0)]),
        (entry(Some(unit(1)), None), vec![P::UnitClerk(1)]),
        (entry(None, Some(first)), vec![P::Member(0)]),
        (entry(None, Some(second)), vec![P::Member(1)]),
        (
            entry(Some(unit(0)), Some(second)),
            vec![P::Member(1), P::UnitClerk(0)],
        ),
    ] {
        let asked = everybody
            .iter()
            .filter(|who| case.asks(&entry, &who.actor()));
        assert_eq!(asked.copied().collect::<Vec<_>>(), expected);
    }
}

/// Counting rule 1: overdue is later than the last moment. K09 of a text that is asked for, and of
/// nothing else.
#[test]
fn a_request_to_countersign_lapses_after_its_last_moment() {
    let mut world = drafted().countersigning();
    let reply = world.reply_id(0);
    let row = world.case.countersigns[0].assignment;
    let due = world.clock(ClockKind::K09, row.cast()).due_at;
    let lapsed = |case: &Case, now| case.lapsed_countersigns(reply, now).count();
    assert_eq!(lapsed(&world.case, due), 0);
    assert!(!world.case.lapsed(ClockKind::K09, row.cast(), due));
    let later = due + jiff::SignedDuration::from_micros(1);
    assert_eq!(lapsed(&world.case, later), 2);
    assert!(world.case.lapsed(ClockKind::K09, row.cast(), later));
    let other = &mut world.case.countersigns[0];
    other.reply = fixed(13, 0);
    assert_eq!(lapsed(&world.case, later), 1, "of another reply");
    world.case.countersigns[1].status = CountersignStatus::Agree;
    assert_eq!(lapsed(&world.case, later), 0, "answered");
}

/// `feedback.raters`, I17, I18: every signer of the case and of those it absorbed, or the first of
/// each; not who was excused, not who has not signed.
#[test]
fn raters_are_the_signers_or_the_first_of_them() {
    let world = World::joint().invite(&[1, 2]).consent(1);
    let mut case = world.filed().absorbing().case;
    let names = |case: &Case, every: bool| -> Vec<_> {
        case.raters(every)
            .filter_map(|rater| rater.member)
            .collect()
    };
    assert_eq!(names(&case, true), [0, 1, 5, 6].map(member));
    assert_eq!(names(&case, false), [0, 5].map(member));
    case.proposers[0].excused = Some("已离任".to_owned());
    assert_eq!(names(&case, true), [1, 5, 6].map(member));
    assert_eq!(names(&case, false), [5].map(member));
}

/// AT09, `AT09b`: a contact has happened already, says why nobody came where nobody did, and is objected
/// to by its own identifier, on its own row, once.
#[test]
fn a_contact_is_past_and_objected_to_once() {
    let mut world = separate([0, 1]).accepted(0).accepted(1);
    let today = world.env().today();
    let on = |days: i64| inputs::contact(crate::workflow::calendar::add_days(today, days));
    let row = world.row_target(0);
    let refusal = world.refused(P::UnitClerk(0), row, inputs::CONTACT, on(1));
    assert_eq!(wrong(&refusal), ("in_future", "/date".to_owned()));
    let nobody = |note: Option<&str>| ContactIn {
        way: ContactWay::None,
        no_visit_note: note.map(str::to_owned),
        ..on(0)
    };
    let refusal = world.refused(P::UnitClerk(0), row, inputs::CONTACT, nobody(None));
    assert_eq!(wrong(&refusal).1, "/no_visit_note");
    world.on_row(0, inputs::CONTACT, nobody(Some("提案者在外地。")));
    world.on_row(0, inputs::CONTACT, on(-3));
    world.on_row(1, inputs::CONTACT, on(0));

    let ids: Vec<_> = world.case.contacts.iter().map(|one| one.id).collect();
    let object = inputs::object_contact;
    let unknown = ("unknown_contact", "/contact_id".to_owned());
    for wrong_one in [ids[2], fixed(14, 0)] {
        let input = object(wrong_one);
        let refusal = world.refused(P::Member(0), row, inputs::OBJECT_CONTACT, input);
        assert_eq!(wrong(&refusal), unknown);
    }
    let input = object(ids[1]).into();
    world.granted(P::Member(0), row, inputs::OBJECT_CONTACT, &input);
    let objected = |world: &World| -> Vec<_> {
        let contacts = world.case.contacts.iter();
        contacts.map(|one| one.objection.is_some()).collect()
    };
    assert_eq!(objected(&world), [false, true, false]);
    let refusal = world.refused(P::Member(0), row, inputs::OBJECT_CONTACT, object(ids[1]));
    assert_eq!(wrong(&refusal), unknown);
    let other = world.row_target(1);
    let input = object(ids[2]).into();
    world.granted(P::Member(0), other, inputs::OBJECT_CONTACT, &input);
    assert_eq!(objected(&world), [false, true, true]);
}

/// `seconding.enabled`: the proposer's wish opens a proposal only where the profile knows seconding.
#[test]
fn a_proposal_is_opened_for_seconding_where_the_profile_knows_it() {
    for (enabled, wish) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut world = World::joint();
        world.profile.seconding_enabled = enabled;
        let form = crate::workflow::input::ProposalForm {
            open_for_seconding: wish,
            ..inputs::other_text(2)
        };
        world.on_proposal(P::Member(0), Do::Edit, form);
        let open = world.case.proposal.marks.open_for_seconding;
        assert_eq!(open, enabled && wish);
    }
}
