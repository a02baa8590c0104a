//! What is told of a clock beside its days (4.4): the rule that its limit comes from, the request that it was
//! moved on, the unit that it concerns; and the days themselves.

use jiff::civil::{Date, date};

use super::fixture::{Person as P, World, unit};
use super::follow_up::{instruct, rated as answered, urge};
use super::inputs;
use super::side_guard_cases::rated;
use crate::workflow::calendar::Calendar;
use crate::workflow::case::{Clock, ClockChange};
use crate::workflow::codes::{
    AssignmentRole, ClockKind, Grade, HandlingKind, OutcomeMeaning, ProgrammeTier, RequestStatus,
};
use crate::workflow::deadline::{Limit, end_of_day};
use crate::workflow::explain::{count, origin, request_of};
use crate::workflow::input::Input;
use crate::workflow::lists::ProposerKind;
use crate::workflow::profile::Profile;
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::role::Line;
use crate::workflow::rule::Action;

use AssignmentRole::{CoHandler, Lead, Separate};

const OFFICER: P = P::Officer(Line::Government);

/// The last clock of the kind.
fn last(world: &World, kind: ClockKind) -> &Clock {
    let mut clocks = world.case.clocks.iter();
    clocks.rfind(|clock| clock.kind == kind).expect("a clock")
}

/// Days as short text, `09-28 makeup_workday 1`.
fn days(limit: &str, start: Date, changes: Vec<ClockChange>) -> String {
    let mut clock = last(&World::individual().submit(), ClockKind::K03).clone();
    clock.started_at = end_of_day(start) - jiff::SignedDuration::from_hours(9);
    (clock.limit, clock.changes) = (limit.to_owned(), changes);
    let told = count(&clock, Calendar::builtin()).days.into_iter();
    let lines = told.map(|day| {
        let number = day.n.map(|n| format!(" {n}"));
        let paused = day.days.map(|days| format!(" {days} days"));
        let name = day.name.map(|name| format!(" {name}"));
        let more = [number, paused, name].into_iter().flatten();
        let more: String = more.collect();
        format!("{} {}{more}", day.date.strftime("%m-%d"), day.verdict)
    });
    lines.collect::<Vec<_>>().join(", ")
}

/// The examples of 4.4: a counted day has its number, a holiday its name, a jump over a pause its days.
#[test]
fn each_day_is_told_with_its_number_or_name() {
    let holiday = |day| format!("10-0{day} holiday 国庆节、中秋节, ");
    let holidays: Vec<_> = (1..=8).map(holiday).collect();
    let expected = [
        "09-26 start, 09-27 weekend, 09-28 makeup_workday 1, 09-29 counted 2, 09-30 counted 3, ",
        &holidays.concat(),
        "10-09 counted 4, 10-10 counted 5",
    ];
    let five = days("5 wd", date(2025, 9, 26), Vec::new());
    assert_eq!(five, expected.concat());
    let paused = |from, until| ClockChange::Paused {
        from,
        until,
        ended: true,
    };
    let month = days(
        "3 mo",
        date(2026, 3, 25),
        vec![paused(date(2026, 4, 13), date(2026, 4, 25))],
    );
    assert_eq!(month, "03-25 start, 06-25 counted 3, 07-07 paused 12 days");
    let moved = days(
        "24 h",
        date(2026, 3, 5),
        vec![ClockChange::Extended {
            decided_on: date(2026, 3, 6),
            until: date(2026, 3, 14),
        }],
    );
    assert_eq!(moved, "03-05 start, 03-06 counted 24, 03-14 extended");
}

/// The key of the profile, or the words where it is none.
fn rule(world: &World, kind: ClockKind) -> &'static str {
    let told = origin(&world.case, last(world, kind), &world.profile);
    told.key.unwrap_or(told.label.en)
}

/// A case of ordinary time: after the deadline of the session.
fn ordinary(mut world: World) -> World {
    world.wait(60);
    world
}

fn urgent(mut world: World) -> World {
    world.on_proposal(P::Chair, Do::MarkUrgent, inputs::urgent(&[]));
    world
}

/// Section 4.1 with section 5: the limits of clocks before the units have the case.
#[test]
fn limits_before_the_assignment_come_from_their_keys() {
    use ClockKind::{K01, K02, K03, K04, K17, K20};
    let mut returned = World::individual().submit();
    let back = inputs::return_for_revision();
    returned.on_proposal(P::Staff, Do::ReturnForRevision, back);
    let mut refused = World::individual().submit().examined();
    refused.on_proposal(P::Chair, Do::NotFile, inputs::not_file("bad_form"));
    let late = || ordinary(World::individual());
    for (world, kind, expected) in vec![
        (
            World::joint().invite(&[1]),
            K01,
            "cosign.limit_in_session_hours",
        ),
        (
            ordinary(World::joint()).invite(&[1]),
            K01,
            "cosign.limit_ordinary_hours",
        ),
        (returned, K02, "revision.limit"),
        (
            World::individual().submit(),
            K03,
            "the end of the examination on the record of the session",
        ),
        (late().submit(), K03, "examination.limit_ordinary"),
        (
            urgent(World::individual().submit()),
            K03,
            "urgent.examination_hours",
        ),
        (urgent(late().submit()), K03, "urgent.examination_hours"),
        (
            World::individual().filed(),
            K04,
            "assignment.meeting_within_days",
        ),
        (late().filed(), K04, "assignment.ordinary_limit"),
        (
            urgent(World::individual().filed()),
            K04,
            "urgent.assignment_hours",
        ),
        (
            World::individual().filed(),
            K17,
            "publication.catalogue_within",
        ),
        (refused, K20, "notice and disposition (set by the program)"),
    ] {
        assert_eq!(rule(&world, kind), expected, "{kind}");
    }
}

/// K05 to K14: the limits of the handling; what was agreed on elsewhere has its date from there.
#[test]
fn limits_of_the_handling_come_from_their_keys() {
    use ClockKind::{K05, K06, K07, K08, K09, K10, K11, K12, K13, K14, K15, K18, K19, K21};
    let joint = World::drafted_jointly().countersigning();
    let mut asked = World::individual().together();
    asked.on_row(0, inputs::ASK_RETURN, inputs::ask_return(Some(5)));
    let mut withdrawn = World::individual().filed();
    withdrawn.on_proposal(P::Member(0), Do::Withdraw, inputs::withdraw());
    let mut handled = answered(OutcomeMeaning::Planned);
    let today = handled.env().today();
    let instruction = Input::Instruct(Box::new(instruct(0, today)));
    handled.on_proposal(P::Leader, Do::Instruct, instruction);
    let notice = urge(&handled, today);
    handled.on_proposal(P::Staff, Do::Urge, notice);
    for (world, kind, expected) in [
        (&joint, K05, "return.window"),
        (&asked, K06, "return.answer_limit"),
        (&joint, K07, "contact.first_limit"),
        (&joint, K08, "opinion.limit"),
        (&joint, K09, "countersign.limit"),
        (&joint, K10, "reply.limit.session"),
        (&handled, K11, "reply.review_limit"),
        (&handled, K12, "feedback.window"),
        (
            &extended(),
            K13,
            "decision on a request (set by the program)",
        ),
        (
            &withdrawn,
            K14,
            "decision of the chair (set by the program)",
        ),
        (&handled, K15, "the date of the promise"),
        (&handled, K18, "publication.reply_within"),
        (&handled, K19, "the date on the instruction"),
        (&handled, K21, "the date on the urging"),
    ] {
        assert_eq!(rule(world, kind), expected, "{kind}");
    }
    handled.now = "2027-01-02T02:00:00Z".parse().unwrap();
    handled.settle();
    assert_eq!(rule(&handled, ClockKind::K16), "tracking.look_back_date");
}

/// K10, also where several keys say the same: the limit of the session or of ordinary time, that of the urgent
/// lane, one of the fixed dates, that of a further round.
#[test]
fn the_limit_of_a_reply_comes_from_the_key_that_counted() {
    let sole = |world: World| world.filed().assigned(HandlingKind::Sole, &[(0, Lead)]);
    let with = |change: fn(&mut Profile), kind| {
        let mut world = match kind {
            ProposerKind::Individual => World::individual(),
            kind => World::collective(kind),
        };
        change(&mut world.profile);
        world
    };
    let same: fn(&mut Profile) = |profile| profile.reply_session = Limit::cd(30);
    let dated: fn(&mut Profile) = |profile| {
        profile.reply_fixed_date = Some(date(2026, 8, 31));
        profile.reply_party_priority_date = Some(date(2026, 5, 10));
        profile.reply_key_fixed_date = Some(date(2026, 5, 31));
    };
    let mut key = sole(with(dated, ProposerKind::Individual));
    let designation = inputs::designate(ProgrammeTier::Key, 2026);
    key.on_proposal(P::Chair, Do::DesignateKey, designation);
    let mut again = rated(Grade::Dissatisfied);
    again.on_proposal(P::Chair, Do::Rehandle, inputs::rehandle());
    for (world, expected) in vec![
        (sole(World::individual()), "reply.limit.session"),
        (sole(ordinary(World::individual())), "reply.limit.ordinary"),
        (urgent(sole(World::individual())), "urgent.reply_days"),
        (
            sole(with(same, ProposerKind::Individual)),
            "reply.limit.session",
        ),
        (
            urgent(sole(with(same, ProposerKind::Individual))),
            "urgent.reply_days",
        ),
        (
            sole(with(dated, ProposerKind::Individual)),
            "reply.fixed_date",
        ),
        (
            sole(with(dated, ProposerKind::Party)),
            "reply.party_priority_date",
        ),
        (key, "reply.key_fixed_date"),
        (again, "rehandling.limit"),
    ] {
        assert_eq!(rule(&world, ClockKind::K10), expected);
    }
    // The co-handler of a further round; in the first one the same month is that of the opinion.
    let mut joint = World::drafted_jointly().countersigning().agreed(1);
    assert_eq!(rule(&joint, ClockKind::K08), "opinion.limit");
    joint = joint.signed(0).approved(0).delivered(0);
    for number in [0, 1] {
        let form = inputs::feedback(joint.reply_id(0), Grade::Dissatisfied);
        joint.on_proposal(P::Member(number), Do::GiveFeedback, form);
    }
    let second = inputs::rehandle_with(HandlingKind::Joint, &[(0, Lead), (1, CoHandler)]);
    joint.on_proposal(P::Chair, Do::Rehandle, second);
    assert_eq!(rule(&joint, ClockKind::K08), "rehandling.limit");
    // Pinned at filing (I26): where the profile that is asked says otherwise, it is not named.
    let mut other = sole(World::individual());
    other.profile.reply_session = Limit::mo(4);
    other.profile.reply_ordinary = Limit::mo(5);
    assert_eq!(
        rule(&other, ClockKind::K10),
        "the rule in force at the start"
    );
}

/// Lead unit 0 and co-handler unit 1 have accepted on 2 March. On that day unit 0 is granted its second
/// request of an extension, and its third, and unit 1 one to the date of the second; on the day after both ask
/// for a pause, unit 0 twice, and are granted the last; unit 0 another one five days later.
fn extended() -> World {
    let rows = [(0, Lead), (1, CoHandler)];
    let filed = World::individual().filed();
    let mut world = filed.assigned(HandlingKind::Joint, &rows);
    world = world.accepted(0).accepted(1);
    let decide = |world: &mut World, number: usize, action: Action, input: Input| {
        let target = world.row_target(number);
        world.granted(OFFICER, target, action, &input);
    };
    let (first, second) = (date(2026, 6, 9), date(2026, 6, 16));
    for (until, granted) in [(first, false), (first, true), (second, true)] {
        world.on_row(0, inputs::ASK_EXTENSION, inputs::ask_extension(until));
        if granted {
            let input = inputs::grant_extension(None).into();
            decide(&mut world, 0, inputs::GRANT_EXTENSION, input);
        } else {
            decide(&mut world, 0, inputs::DENY_EXTENSION, inputs::deny().into());
        }
    }
    let month = inputs::ask_extension(date(2026, 4, 20));
    world.on_row(1, inputs::ASK_EXTENSION, month);
    let input = inputs::grant_extension(None).into();
    decide(&mut world, 1, inputs::GRANT_EXTENSION, input);
    for (number, wait, granted) in [(0, 1, false), (1, 0, true), (0, 0, true), (0, 5, true)] {
        world.wait(wait);
        let until = crate::workflow::calendar::add_days(world.env().today(), 3);
        world.on_row(number, inputs::ASK_PAUSE, inputs::ask_pause(until));
        if granted {
            decide(
                &mut world,
                number,
                inputs::PAUSE,
                inputs::pause(None).into(),
            );
        } else {
            decide(
                &mut world,
                number,
                inputs::DENY_PAUSE,
                inputs::deny().into(),
            );
        }
        world.settle();
    }
    world
}

/// 4.4: extensions and pauses with the decision: of that kind, on that row, granted on that day, to that date.
#[test]
fn a_change_is_told_with_the_request_it_was_granted_on() {
    let world = extended();
    let granted = world.case.requests.iter().map(|request| request.status);
    let granted: Vec<_> = granted
        .map(|status| status == RequestStatus::Granted)
        .collect();
    let expected = [false, true, true, true, false, true, true, true];
    assert_eq!(granted, expected);
    for (kind, expected) in [
        (ClockKind::K10, &[1, 2, 6, 7][..]),
        (ClockKind::K08, &[3, 5]),
    ] {
        let clock = last(&world, kind);
        let places = clock
            .changes
            .iter()
            .map(|change| request_of(&world.case, clock, change));
        let expected: Vec<_> = expected.iter().map(|place| Some(*place)).collect();
        assert_eq!(places.collect::<Vec<_>>(), expected, "{kind}");
    }
    let faster = urgent(World::individual().sole());
    let clock = last(&faster, ClockKind::K10);
    let relimited = clock.changes.last().expect("a change");
    assert!(matches!(relimited, ClockChange::Relimited { .. }));
    assert_eq!(request_of(&world.case, clock, relimited), None);
}

/// Every clock with the number of the unit that it concerns.
fn concerned(world: &World) -> Vec<String> {
    let clocks = world.case.clocks.iter();
    let mut list: Vec<_> = clocks
        .map(|clock| match world.case.unit_of(clock) {
            Some(id) => {
                let number = (0..10).find(|number| unit(*number) == id);
                format!("{} {}", clock.kind, number.expect("a unit"))
            }
            None => format!("{} -", clock.kind),
        })
        .collect();
    list.sort();
    list.dedup();
    list
}

/// Lists of clocks are narrowed to a unit: that of the row, reply, request, promise or entry; what runs for a
/// proposer or for the committee is of none.
#[test]
fn a_clock_concerns_the_unit_it_runs_for() {
    let mut joint = World::drafted_jointly().countersigning();
    joint.on_row(
        0,
        inputs::ASK_EXTENSION,
        inputs::ask_extension(date(2026, 7, 1)),
    );
    joint.on_proposal(P::Member(0), Do::Withdraw, inputs::withdraw());
    let expected = [
        "K01 -", "K03 -", "K04 -", "K05 0", "K05 1", "K07 0", "K08 1", "K09 1", "K10 0", "K13 0",
        "K14 -", "K17 -",
    ];
    assert_eq!(concerned(&joint), expected);

    let parts = [(0, Separate), (1, Separate)];
    let filed = World::individual().filed();
    let mut world = filed.assigned(HandlingKind::Separate, &parts).accepted(0);
    for number in [1, 0] {
        if number == 1 {
            world.on_row(number, inputs::ASK_RETURN, inputs::ask_return(Some(5)));
            let row = world.row_target(number);
            let input = inputs::deny().into();
            world.granted(OFFICER, row, inputs::REJECT_RETURN, &input);
        }
        world.on_row(
            number,
            inputs::ASK_EXTENSION,
            inputs::ask_extension(date(2026, 7, 1)),
        );
        world = world
            .contacted(number)
            .drafted(number, OutcomeMeaning::Planned);
        world = world.signed(number).approved(number).delivered(number);
    }
    let today = world.env().today();
    for number in [3, 2] {
        let input = Input::Instruct(Box::new(instruct(number, today)));
        world.on_proposal(P::Leader, Do::Instruct, input);
    }
    // Units 0 and 1 with their promises, units 2 and 3 with their instructions, the rater with the form.
    let notice = urge(&world, today);
    world.on_proposal(P::Staff, Do::Urge, notice);
    let expected = [
        "K03 -", "K04 -", "K05 0", "K05 1", "K06 1", "K07 0", "K07 1", "K10 0", "K10 1", "K11 0",
        "K11 1", "K12 -", "K13 0", "K13 1", "K15 0", "K15 1", "K17 -", "K18 0", "K18 1", "K19 2",
        "K19 3", "K21 -", "K21 0", "K21 1", "K21 2", "K21 3",
    ];
    assert_eq!(concerned(&world), expected);
    // Each its own, not that of another one.
    for promise in &world.case.promises {
        let clock = world.clock(ClockKind::K15, promise.id.cast());
        assert_eq!(world.case.unit_of(clock), Some(promise.unit));
    }
}
