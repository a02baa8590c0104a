//! What is offered to whom is what would be granted: every action of the target's machine once, the
//! roles of its rows, and the very refusal that the act would meet (I1, I10, I36). And what an act
//! is told as: by whom, from where to where.

use std::collections::BTreeSet;

use super::driver::{People, targets};
use super::fixture::{Person as P, World};
use super::inputs;
use crate::workflow::codes::ClockKind;
use crate::workflow::decide::{Possibility, Target, allowed, catch_up, decide};
use crate::workflow::guard;
use crate::workflow::input::NoInput;
use crate::workflow::refusal::Refusal;
use crate::workflow::role::{Actor, Role};
use crate::workflow::rule::{Action, Cause, Machine, State, rules, rules_of};

fn countersigning() -> World {
    World::drafted_jointly().countersigning()
}

/// The actions of the rows that people take on a target of this kind: a draft of a reply begins on
/// its row, a proposal and its rows begin on nothing that is there.
fn of_target(target: Target) -> BTreeSet<&'static str> {
    let wanted = match target {
        Target::Proposal => Machine::Proposal,
        Target::Assignment(_) => Machine::Assignment,
        Target::Reply(_) => Machine::Reply,
    };
    let by_people = rules().filter(|rule| rule.cause() == Cause::Call);
    by_people
        .filter(|rule| {
            let begins = rule.from == [State::Start];
            let machine = rule.action.machine();
            match target {
                Target::Assignment(_) if begins => machine == Machine::Reply,
                _ => machine == wanted && !begins,
            }
        })
        .map(|rule| rule.action.as_str())
        .collect()
}

#[test]
fn what_is_offered_is_what_would_be_granted() {
    let people = People::of_the_town();
    let worlds = [
        World::joint().invite(&[1]),
        World::individual().submit(),
        World::individual().sole(),
        countersigning(),
    ];
    for world in worlds {
        for target in targets(&world) {
            for (person, actor) in &people.0 {
                let list = allowed(&world.case, actor, target, world.env());
                let names: Vec<_> = list.iter().map(|one| one.action.as_str()).collect();
                let once: BTreeSet<_> = names.iter().copied().collect();
                assert_eq!(names.len(), once.len(), "{names:?}");
                assert_eq!(once, of_target(target), "{target:?}");
                for one in &list {
                    compare(&world, person, actor, target, one);
                }
            }
        }
    }
}

fn compare(world: &World, person: &P, actor: &Actor, target: Target, one: &Possibility) {
    let roles: BTreeSet<Role> = rules_of(one.action)
        .flat_map(|rule| rule.who.iter().map(|who| who.role()))
        .collect();
    assert_eq!(one.roles, roles.into_iter().collect::<Vec<_>>());
    let input = NoInput {}.into();
    let done = decide(&world.case, actor, target, one.action, &input, world.env());
    match (&one.refusal, done.err()) {
        (None, Some(Refusal::NotAllowed { .. } | Refusal::WrongState { .. })) => {
            panic!("{person:?} is offered {} in vain", one.action.as_str())
        }
        (None, _) => {}
        (Some(told), met) => assert_eq!(Some(told), met.as_ref(), "{person:?}"),
    }
}

fn open_to(world: &World, who: P, target: Target) -> Vec<Action> {
    let list = allowed(&world.case, &who.actor(), target, world.env());
    let open = list.into_iter().filter(|one| one.refusal.is_none());
    open.map(|one| one.action).collect()
}

/// AT08, counting rule 8: what is offered starts from what time and the calendar have done, whether
/// or not it is written yet.
#[test]
fn what_time_has_done_counts_before_it_is_written() {
    let mut world = World::individual().sole();
    let row = world.row_target(0);
    let open = open_to(&world, P::UnitClerk(0), row);
    assert!(open.contains(&inputs::ACCEPT) && !open.contains(&inputs::CONTACT));
    world.wait(60);
    let open = open_to(&world, P::UnitClerk(0), row);
    assert!(!open.contains(&inputs::ACCEPT) && open.contains(&inputs::CONTACT));

    // Only an earlier calendar stood in the way: by the present one the window has run out.
    let mut outdated = World::individual().sole();
    let started = outdated.now;
    for clock in &mut outdated.case.clocks {
        clock.calendar_version = 0;
        if clock.kind == ClockKind::K05 {
            clock.due_at = started + jiff::SignedDuration::from_hours(24 * 300);
        }
    }
    outdated.wait(60);
    let row = outdated.row_target(0);
    let open = open_to(&outdated, P::UnitClerk(0), row);
    assert!(!open.contains(&inputs::ACCEPT) && open.contains(&inputs::CONTACT));
}

/// Rule 8: what comes to the same days only names the new version, and is no write.
#[test]
fn a_calendar_that_moves_nothing_is_not_shown_as_a_change() {
    let mut world = World::individual().sole();
    for clock in &mut world.case.clocks {
        clock.calendar_version = 0;
    }
    world.now += jiff::SignedDuration::from_hours(1);
    let shown = catch_up(&world.case, world.env());
    assert_eq!(
        shown.proposal.updated_at, world.case.proposal.updated_at,
        "nothing happened"
    );
    assert_eq!(shown.assignments, world.case.assignments);
}

/// I1, I33: every row is told with the status before and after as its table has them, and the
/// system's rows as the system's.
#[test]
fn what_happened_is_told_as_the_table_has_it() {
    let mut world = World::individual().filed();
    let late = World::individual().sole();
    let delivered = countersigning()
        .agreed(1)
        .signed(0)
        .approved(0)
        .delivered(0);
    for mut story in [delivered, late] {
        story.wait(90);
        story.settle();
        world.log.append(&mut story.log);
    }
    let by_system = world.log.iter().filter(|one| one.by_system);
    let system: BTreeSet<_> = by_system.map(|one| one.rule).collect();
    for expected in ["AT01", "AT08", "AT16", "PT21", "PT23"] {
        assert!(system.contains(expected), "{expected} in {system:?}");
    }
    for happened in &world.log {
        let rule = rules()
            .filter(|rule| rule.id == happened.rule && rule.event == happened.event)
            .find(|rule| rule.from.contains(&happened.from));
        let rule = rule.unwrap_or_else(|| panic!("{} from {:?}", happened.rule, happened.from));
        assert_eq!(happened.by_system, rule.is_by_system(), "{}", rule.id);
        assert_eq!(happened.role == Role::System, rule.is_by_system());
        if let crate::workflow::rule::To::State(to) = rule.to {
            assert_eq!(happened.to, to, "{}", rule.id);
        }
    }
}

#[test]
fn a_guard_is_printed_by_its_name() {
    assert_eq!(format!("{:?}", guard::NOT_A_SIGNER), "not_a_signer");
}
