//! Random walks: whatever people do, in whatever order, the invariants hold, nobody is led into a
//! dead end, and what is shown as possible is possible.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::driver::{Move, People, play, to_the_end};
use super::fixture::World;
use super::invariants::{self, Witness};
use crate::workflow::lists::ProposerKind;
use crate::workflow::profile::Profile;
use crate::workflow::rule::rules;

/// Walks per run. The same ones every time: raise the number to look further.
const WALKS: u32 = 300;
/// Steps of a walk.
const STEPS: usize = 60;

/// Kind of the proposer, and the profile.
fn worlds() -> impl Strategy<Value = (usize, usize)> {
    let kinds = prop_oneof![2 => Just(0_usize), 3 => Just(1), 1 => Just(2), 1 => Just(3)];
    (
        kinds,
        prop_oneof![2 => Just(0_usize), 1 => Just(1), 1 => Just(2)],
    )
}

fn world((kind, profile): (usize, usize)) -> World {
    let mut world = match kind {
        0 => World::individual(),
        1 => World::joint(),
        2 => World::collective(ProposerKind::Party),
        _ => World::collective(ProposerKind::Sector),
    };
    let default = world.profile.clone();
    world.profile = match profile {
        0 => default,
        1 => lenient(&default),
        _ => strict(&default),
    };
    world
}

fn lenient(default: &Profile) -> Profile {
    Profile {
        cosign_reset_on_edit: false,
        examination_stages: 1,
        contact_required: false,
        opinion_required: false,
        countersign_required: false,
        review_required: false,
        feedback_raters: crate::workflow::profile::Raters::LeadOnly,
        ..default.clone()
    }
}

fn strict(default: &Profile) -> Profile {
    Profile {
        cosign_comment_required: true,
        examination_stages: 3,
        countersign_lapse: crate::workflow::profile::LapseMeans::Blocks,
        reviewer_may_change_outcome: false,
        ..default.clone()
    }
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    proptest::collection::vec(any::<Move>(), STEPS)
}

#[test]
fn whatever_people_do_the_invariants_hold() {
    let config = Config {
        cases: WALKS,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let people = People::of_the_town();
    let taken = RefCell::new(std::collections::BTreeSet::from(["PT01"]));
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&(worlds(), moves()), |(start, moves)| {
        let mut world = world(start);
        let mut witness = Witness::default();
        for step in moves {
            invariants::possibilities(&world, &people, step);
            let before = world.clone();
            let attempt = play(&mut world, &people, step);
            invariants::step(&before, &world, attempt.as_ref(), &mut witness);
            invariants::case(&world, &people);
        }
        to_the_end(world, &people);
        taken.borrow_mut().extend(witness.rules);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    let taken = taken.into_inner();
    let missed: Vec<_> = rules()
        .map(|rule| rule.id)
        .filter(|id| !taken.contains(id))
        .collect();
    assert_eq!(missed, [""; 0], "rows that no walk took");
}
