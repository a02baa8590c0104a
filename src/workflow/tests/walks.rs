//! Random walks: whatever people do, in whatever order, the invariants hold, nobody is led into a
//! dead end, and what is shown as possible is possible.
//!
//! `JIANJIAN_WALKS=20000 cargo test --lib walks` looks further than a usual run.

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::at_rest;
use super::driver::{Move, People, elsewhere, play, to_the_end};
use super::fixture::World;
use super::invariants::{self, Witness};
use crate::workflow::codes::ProgrammeTier;
use crate::workflow::lists::ProposerKind;
use crate::workflow::profile::{DropUnsigned, ExtensionApprover, LapseMeans, Profile, Raters};
use crate::workflow::rule::rules;

/// Walks per run, if `JIANJIAN_WALKS` does not say otherwise. The same ones every time.
const WALKS: u32 = 1000;
/// Walkers side by side, each with a seed of its own.
const WALKERS: u8 = 4;
/// Steps of a walk.
const STEPS: usize = 60;

/// Rows by number and action.
type Rows = BTreeSet<(&'static str, &'static str)>;

/// Kind of the proposer, and the profile.
fn worlds() -> impl Strategy<Value = (usize, usize)> {
    let kinds = prop_oneof![
        2 => Just(0_usize), 3 => Just(1), 1 => Just(2), 1 => Just(3), 1 => Just(4), 1 => Just(5)
    ];
    (
        kinds,
        prop_oneof![2 => Just(0_usize), 1 => Just(1), 1 => Just(2), 1 => Just(3)],
    )
}

fn world((kind, profile): (usize, usize)) -> World {
    let mut world = match kind {
        0 => World::individual(),
        1 => World::joint(),
        2 => World::collective(ProposerKind::Party),
        3 => World::collective(ProposerKind::Sector),
        4 => World::joint_collective(),
        _ => World::individual().submit().absorbing(),
    };
    let default = world.profile.clone();
    world.profile = match profile {
        0 => default,
        1 => lenient(&default),
        2 => strict(&default),
        _ => open(&default),
    };
    if profile == 2 {
        world.case.proposal.marks.tier = Some(ProgrammeTier::Key);
    }
    if profile == 3 {
        world.case.proposal.form.open_for_seconding = true;
        world.case.proposal.marks.open_for_seconding = true;
    }
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
        feedback_raters: Raters::LeadOnly,
        rehandling_max_rounds: 0,
        ..default.clone()
    }
}

fn strict(default: &Profile) -> Profile {
    Profile {
        cosign_comment_required: true,
        examination_stages: 3,
        countersign_lapse: LapseMeans::Blocks,
        reviewer_may_change_outcome: false,
        return_late_accepted: false,
        return_max_bounces: 1,
        extension_approver: ExtensionApprover::WithProposalsCommittee,
        ..default.clone()
    }
}

/// Members join uninvited, unsigned invitations end with the submission, and two more rounds.
fn open(default: &Profile) -> Profile {
    Profile {
        seconding_enabled: true,
        cosign_drop_unsigned_at: DropUnsigned::Submission,
        rehandling_max_rounds: 2,
        reply_fixed_date: "2026-06-30".parse().ok(),
        ..default.clone()
    }
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    proptest::collection::vec(any::<Move>(), STEPS)
}

/// One walker with its own seed; gives the rows that were taken.
fn walker(seed: u8, walks: u32) -> Rows {
    let config = Config {
        cases: walks,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let people = People::of_the_town();
    let taken = RefCell::new(Rows::new());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&(worlds(), moves()), |(start, moves)| {
        let mut world = world(start);
        let mut witness = Witness::default();
        for step in moves {
            elsewhere(&mut world, step);
            invariants::possibilities(&world, &people, step);
            let (before, logged) = (world.case.clone(), world.log.len());
            let attempt = play(&mut world, &people, step);
            invariants::step(&before, logged, &world, attempt.as_ref(), &mut witness);
            at_rest::case(&world, &people);
        }
        to_the_end(world, &people);
        taken.borrow_mut().extend(witness.rules);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("walker {seed}: {failure}");
    }
    taken.into_inner()
}

#[expect(clippy::disallowed_methods, reason = "a knob of this test")]
fn walks() -> u32 {
    let wanted = std::env::var("JIANJIAN_WALKS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(WALKS)
}

#[test]
fn whatever_people_do_the_invariants_hold() {
    let share = walks().div_ceil(u32::from(WALKERS));
    let mut taken = Rows::from([("PT01", "create")]);
    std::thread::scope(|scope| {
        let walkers: Vec<_> = (1..=WALKERS)
            .map(|seed| scope.spawn(move || walker(seed, share)))
            .collect();
        for walker in walkers {
            taken.extend(walker.join().expect("a walker has failed"));
        }
    });
    if walks() < WALKS {
        return; // too few to take every row
    }
    let all = rules().map(|rule| (rule.id, rule.action.as_str()));
    // No acts on the case: a unit is taken over, a calendar is imported, a year begins,
    // another committee answers.
    let outside = ["AT18", "OT30", "OT31", "OT35"];
    let missed: Vec<_> = all
        .filter(|row| !outside.contains(&row.0) && !taken.contains(row))
        .collect();
    assert_eq!(missed, [], "rows that no walk took");
}
