//! Assertions that the stories share.

use super::fixture::World;
use crate::workflow::codes::ClockKind;
use crate::workflow::refusal::Refusal;
use crate::workflow::rule::State;

/// Names of the guards that failed.
pub fn unmet(refusal: &Refusal) -> Vec<&'static str> {
    match refusal {
        Refusal::Unmet(list) => list.iter().map(|unmet| unmet.guard).collect(),
        other => panic!("not a failed guard: {other:?}"),
    }
}

/// Code and place of what is wrong in the input.
pub fn wrong(refusal: &Refusal) -> (&'static str, String) {
    match refusal {
        Refusal::Invalid(list) => (list[0].code, list[0].pointer.clone()),
        other => panic!("not a wrong input: {other:?}"),
    }
}

pub fn is_wrong_state(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::WrongState { now, allowed_from }
        if *now != State::Start && !allowed_from.contains(now))
}

pub fn is_not_allowed(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::NotAllowed { needs } if !needs.is_empty())
}

/// Every clock that runs is one of these, and all of these run.
pub fn clocks(world: &World, expected: &[&str]) {
    let running: Vec<_> = world.running().into_iter().map(ClockKind::as_str).collect();
    assert_eq!(running, expected, "running clocks");
}
