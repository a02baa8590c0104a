//! Rows that come and go (PT20, AT03, AT10, AT17): which clocks they get, what ends with them, and whose
//! suggestion a change of units answers.

use jiff::civil::{Date, date};

use super::fixture::{Person as P, World, unit};
use super::inputs;
use super::people::fixed;
use super::stories::wrong;
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::calendar::add_days;
use crate::workflow::case::Request;
use crate::workflow::codes::{
    AdjustCause, AssignmentRole, ClockKind, CountersignStatus, Grade, HandlingKind, OutcomeMeaning,
    RequestKind, RequestStatus, Urgency,
};
use crate::workflow::deadline::Limit;
use crate::workflow::decide::Target;
use crate::workflow::input::AdjustIn;
use crate::workflow::proposal::{ProposalAction as Do, ProposalStatus};
use crate::workflow::role::Line;
use crate::workflow::rule::Action;

use AssignmentRole::{CoHandler, Lead, Separate};

const OFFICER: P = P::Officer(Line::Government);
const ADJUST: Action = Action::Proposal(Do::AdjustUnits);

fn separate(units: &[usize]) -> World {
    let rows: Vec<_> = units.iter().map(|unit| (*unit, Separate)).collect();
    let filed = World::individual().filed();
    filed.assigned(HandlingKind::Separate, &rows)
}

fn limit(world: &World, kind: ClockKind, number: usize) -> String {
    world.clock(kind, world.row(number).id.cast()).limit.clone()
}

/// K10: session and ordinary proposals, the urgent lane and a further round have limits of their own. A
/// fixed date that is not past replaces the computed end; of an urgent case only if it is the earlier
/// one.
#[test]
fn the_limit_of_a_reply_is_that_of_its_case() {
    let session = "2026-03-02T01:00:00Z";
    let ordinary = "2026-03-25T01:00:00Z";
    let on = |month, day| Some(date(2026, month, day));
    let cases: [(&str, Urgency, Option<Date>, &str); 8] = [
        (session, Urgency::Normal, None, "4 mo"),
        (ordinary, Urgency::Normal, None, "2 mo"),
        (session, Urgency::Urgent, None, "30 cd"),
        (ordinary, Urgency::Urgent, None, "30 cd"),
        (ordinary, Urgency::Normal, on(3, 24), "2 mo"),
        (ordinary, Urgency::Normal, on(3, 25), "until 2026-03-25"),
        // Thirty days from 25 March end on 24 April.
        (ordinary, Urgency::Urgent, on(4, 23), "until 2026-04-23"),
        (ordinary, Urgency::Urgent, on(4, 24), "30 cd"),
    ];
    for (at, urgency, fixed_on, expected) in cases {
        let mut world = World::individual();
        world.now = at.parse().unwrap();
        world.profile.reply_session = Limit::mo(4);
        world.profile.reply_ordinary = Limit::mo(2);
        world.profile.reply_fixed_date = fixed_on;
        let mut world = world.filed();
        world.case.proposal.urgency = urgency;
        let world = world.assigned(HandlingKind::Sole, &[(0, Lead)]);
        assert_eq!(
            limit(&world, ClockKind::K10, 0),
            expected,
            "{at} {urgency} {fixed_on:?}"
        );
    }
}

/// K08, K10, PT24: in a further round co-handlers have the limits of re-handling too, whether they go on
/// or come anew.
#[test]
fn a_further_round_has_limits_of_its_own() {
    let mut world = World::individual();
    world.profile.opinion = Limit::wd(20);
    world.profile.rehandling_limit = Limit::wd(12);
    let filed = world.filed();
    let world = filed.assigned(HandlingKind::Joint, &[(0, Lead), (1, CoHandler)]);
    assert_eq!(limit(&world, ClockKind::K08, 1), "20 wd");
    let world = world.accepted(0).accepted(1).opinion(1).contacted(0);
    let world = world.drafted(0, OutcomeMeaning::Resolved).countersigning();
    let mut world = world.agreed(1).signed(0).approved(0).delivered(0);
    let form = inputs::feedback(world.reply_id(0), Grade::Dissatisfied);
    world.on_proposal(P::Member(0), Do::GiveFeedback, form);
    let rows = [(0, Lead), (1, CoHandler), (2, CoHandler)];
    let round = inputs::rehandle_with(HandlingKind::Joint, &rows);
    world.on_proposal(OFFICER, Do::Rehandle, round);
    for (kind, number) in [
        (ClockKind::K10, 0),
        (ClockKind::K08, 1),
        (ClockKind::K08, 2),
    ] {
        assert_eq!(limit(&world, kind, number), "12 wd", "{number}");
    }
}

/// PT13, AT17: what went ahead of the filing ends when the proposal goes back, and so does the request
/// for the urgent lane.
#[test]
fn a_proposal_that_goes_back_is_urgent_for_nobody() {
    let mut world = World::individual().submit();
    world.on_proposal(P::Chair, Do::MarkUrgent, inputs::urgent(&[1]));
    world.on_proposal(P::Chair, Do::DowngradeUrgency, inputs::reason_in());
    world.on_proposal(P::Staff, Do::RequestUrgency, inputs::reason_in());
    let input = inputs::return_for_revision();
    world.on_proposal(P::Staff, Do::ReturnForRevision, input);
    assert_eq!(world.status(), ProposalStatus::Returned);
    assert_eq!(world.case.requests[0].status, RequestStatus::Lapsed);
    assert_eq!(world.case.assignments[0].status, AssignmentStatus::Void);
}

/// These requests, and no others, have lapsed.
fn lapsed(world: &World, ended: impl Fn(&Request) -> bool) {
    for request in &world.case.requests {
        let expected = if ended(request) {
            RequestStatus::Lapsed
        } else {
            RequestStatus::Open
        };
        assert_eq!(request.status, expected, "{request:?}");
    }
}

/// How many requests wait for a decision by K13.
fn waiting(world: &World) -> usize {
    let running = world.running();
    let waiting = running.iter().filter(|kind| **kind == ClockKind::K13);
    waiting.count()
}

/// AT17, I13: with a row end its open requests and what it was asked to countersign; its answers, and
/// what others are asked, stay.
#[test]
fn with_a_row_ends_what_it_was_asked_and_asked_for() {
    let rows = [(0, Lead), (1, CoHandler), (2, CoHandler), (3, CoHandler)];
    let filed = World::individual().filed();
    let mut world = filed.assigned(HandlingKind::Joint, &rows);
    for number in 0..4 {
        world = world.accepted(number);
    }
    let later = add_days(world.env().today(), 45);
    for number in [1, 2] {
        world.on_row(number, inputs::SUGGEST, inputs::suggest(7));
        world.on_row(number, inputs::ASK_EXTENSION, inputs::ask_extension(later));
    }
    world.profile.opinion_required = false;
    let mut world = world.contacted(0);
    world = world.drafted(0, OutcomeMeaning::Resolved).countersigning();
    world = world.agreed(3);
    let ids = [1, 2, 3].map(|number| world.row(number).id);
    let mut blank = inputs::reason_in();
    blank.reason = " ".to_owned();
    let target = world.row_target(1);
    let refusal = world.refused(OFFICER, target, inputs::VOID, blank);
    assert_eq!(wrong(&refusal), ("required", "/reason".to_owned()), "I11");
    let input = inputs::reason_in().into();
    for number in [1, 3] {
        let target = world.row_target(number);
        world.granted(OFFICER, target, inputs::VOID, &input);
    }
    let asked = ids.map(|id| {
        let mut all = world.case.countersigns.iter();
        all.find(|one| one.assignment == id).unwrap().status
    });
    let expected = [
        CountersignStatus::Recalled,
        CountersignStatus::Requested,
        CountersignStatus::Agree,
    ];
    assert_eq!(asked, expected);
    lapsed(&world, |request| request.assignment == Some(ids[0]));
    assert_eq!(waiting(&world), 1, "the extension of the other row");
}

/// AT10, `AT10b`: once the opinion is in, or is no longer waited for, nobody decides on its clock; what
/// else the unit, or another unit, asked for stays open.
#[test]
fn a_stopped_clock_is_not_asked_about() {
    let rows = [(0, Lead), (1, CoHandler), (2, CoHandler)];
    let filed = World::individual().filed();
    let mut world = filed.assigned(HandlingKind::Joint, &rows);
    for number in 0..3 {
        world = world.accepted(number);
    }
    let today = world.env().today();
    for number in [1, 2] {
        world.on_row(number, inputs::SUGGEST, inputs::suggest(7));
        let input = inputs::ask_extension(add_days(today, 45));
        world.on_row(number, inputs::ASK_EXTENSION, input);
        let input = inputs::ask_pause(add_days(today, 5));
        world.on_row(number, inputs::ASK_PAUSE, input);
    }
    let given = world.clone().opinion(1);
    let mut missing = world.clone();
    missing.wait(60);
    missing.settle();
    for (world, ended) in [(given, &[1][..]), (missing, &[1, 2])] {
        let ended: Vec<_> = ended
            .iter()
            .map(|number| Some(world.row(*number).id))
            .collect();
        lapsed(&world, |request| {
            request.kind != RequestKind::Units && ended.contains(&request.assignment)
        });
        assert_eq!(waiting(&world), 4 - 2 * ended.len());
    }
}

/// PT20: a change changes something, and takes away only what is open in this round.
#[test]
fn a_change_of_units_takes_away_what_is_open() {
    let mut world = separate(&[0, 1, 2]).answered(0, OutcomeMeaning::Resolved);
    let nothing = inputs::adjust(&[], Vec::new());
    let other_kind = AdjustIn {
        handling_kind: Some(HandlingKind::Joint),
        ..nothing.clone()
    };
    let replied = inputs::adjust(&[], vec![world.row(2).id, world.row(0).id]);
    let unknown = inputs::adjust(&[], vec![fixed(16, 0)]);
    let mut blank = inputs::adjust(&[(4, Separate)], Vec::new());
    blank.reason = " ".to_owned();
    for (input, code, place) in [
        (nothing, "required", "/add"),
        (other_kind, "handling_kind", "/add"),
        (replied, "not_open", "/remove/1"),
        (unknown, "not_open", "/remove/0"),
        (blank, "required", "/reason"),
    ] {
        let refusal = world.refused(OFFICER, Target::Proposal, ADJUST, input);
        assert_eq!(wrong(&refusal), (code, place.to_owned()));
    }
    let input = inputs::adjust(&[(4, Separate)], vec![world.row(1).id]);
    world.on_proposal(OFFICER, Do::AdjustUnits, input);
    let live: Vec<_> = world.case.live_rows().map(|row| row.unit).collect();
    assert_eq!(live, [0, 2, 4].map(unit));
}

/// PT20, AT03: only a change that follows a suggestion answers it, and only those that named a unit which
/// was added.
#[test]
fn a_change_answers_the_suggestions_that_it_follows() {
    use RequestStatus::{Denied, Granted, Open};
    let mut world = separate(&[0, 1, 2]);
    let suggest = |world: &mut World, number: usize, wanted: usize| {
        world.on_row(number, inputs::SUGGEST, inputs::suggest(wanted));
    };
    suggest(&mut world, 0, 4);
    // Refused before; what it asks for now is something else.
    suggest(&mut world, 1, 4);
    let row = world.row_target(1);
    let mut blank = inputs::deny();
    blank.reason = String::new();
    let refusal = world.refused(OFFICER, row, inputs::REFUSE_SUGGESTION, blank);
    assert_eq!(wrong(&refusal), ("required", "/reason".to_owned()), "I11");
    let input = inputs::deny().into();
    world.granted(OFFICER, row, inputs::REFUSE_SUGGESTION, &input);
    suggest(&mut world, 1, 5);
    // Suggests another unit, and would give the case to the one that is added.
    suggest(&mut world, 2, 5);
    world.on_row(2, inputs::ASK_RETURN, inputs::ask_return(Some(4)));
    let open = |world: &World| -> Vec<_> {
        let requests = world.case.requests.iter();
        requests.map(|one| one.status).collect()
    };
    let before = [Open, Denied, Open, Open, Open];
    assert_eq!(open(&world), before);
    for (cause, first) in [
        (AdjustCause::Correction, Open),
        (AdjustCause::UnitSuggestion, Granted),
    ] {
        let mut world = world.clone();
        let input = AdjustIn {
            cause,
            ..inputs::adjust(&[(4, Separate)], Vec::new())
        };
        world.on_proposal(OFFICER, Do::AdjustUnits, input);
        assert_eq!(open(&world), [first, Denied, Open, Open, Open], "{cause}");
    }
}
