//! A model-based test: random commands of everybody, legal and illegal, sent over HTTP, beside a
//! reference model of the domain that knows nothing of the engine. After every command the answer
//! and the case are what the model says; a refusal changes nothing (I1).
//!
//! `JIANJIAN_MODEL_RUNS=500 cargo test --test it -- model` looks further than a usual run;
//! `JIANJIAN_MODEL_SEED=<seed>` plays one run again, or as many from there on as the other says.

mod commands;
mod compare;
mod effects;
mod effects_on_case;
mod effects_on_rows;
mod guards;
mod requests;
mod rules;
mod runner;
mod settle;
mod world;

use commands::{Dice, Step};
use effects::{Command, Fault, Input};
use rules::{Act, Target};
use runner::{Run, Tally, play, shrink};
use serde_json::json;
use world::Person;

use crate::support::TestApp;

/// Runs, if `JIANJIAN_MODEL_RUNS` does not say otherwise.
const RUNS: u64 = 16;
/// Commands of a run.
const COMMANDS: usize = 120;
/// Where the seeds of a usual run begin.
const SEED: u64 = 2026;

#[expect(clippy::disallowed_methods, reason = "knobs of this test")]
fn knob(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn numbers(seed: u64) -> Vec<u64> {
    let mut dice = Dice::of(seed);
    (0..COMMANDS).map(|_| dice.roll()).collect()
}

/// I1–I5, I9, I13–I22 and the rows PT01–PT26, AT01–AT10b, AT17, RT01–RT11.
#[actix_web::test]
async fn the_service_does_what_the_reference_model_says() {
    let app = TestApp::start().await;
    let seed = knob("JIANJIAN_MODEL_SEED");
    let usual = if seed.is_some() { 1 } else { RUNS };
    let count = knob("JIANJIAN_MODEL_RUNS").unwrap_or(usual);
    let first = seed.unwrap_or(SEED);
    let mut tally = Tally::default();
    for seed in first..first + count {
        let numbers = numbers(seed);
        let Err(failure) = play(&app, &numbers, &mut tally).await else {
            continue;
        };
        let (numbers, failure) = shrink(&app, numbers, failure).await;
        panic!(
            "JIANJIAN_MODEL_SEED={seed} (down to {} numbers)\n{failure}",
            numbers.len()
        );
    }
    if seed.is_none() && count >= RUNS {
        assert_eq!(
            tally.missing(),
            Vec::<String>::new(),
            "never done, or never refused\n{tally}"
        );
    }
    println!("{tally}");
}

/// A control: what the service really shows is held against a model that is wrong on purpose, and
/// against answers that were tampered with. A comparison that cannot fail is worth nothing.
#[actix_web::test]
async fn the_comparison_sees_what_is_wrong() {
    let app = TestApp::start().await;
    let mut tally = Tally::default();
    let mut run = Run::begin(&app, &mut tally).await;
    let step = |who, act, input| {
        Step::Do(Command {
            who,
            act,
            case: 0,
            target: Target::Case,
            input,
            fault: Fault::None,
        })
    };
    let member = Person::Member(0);
    let create = step(member, Act::Create, Input::Joint(false));
    assert_eq!(run.step(&create, &mut tally).await, Vec::<String>::new());

    // Something shown that is not so.
    let sound = run.names.cases[0].seen.clone();
    for (pointer, wrong) in [
        ("/status", json!("submitted")),
        ("/round", json!(2)),
        ("/serial_no", json!(7)),
        ("/proposers/0/status", json!("declined")),
        (
            "/handling",
            json!([{ "id": "asgn_1", "status": "pending" }]),
        ),
        ("/requests", json!([{ "kind": "return", "status": "open" }])),
    ] {
        let mut tampered = sound.clone();
        match tampered.pointer_mut(pointer) {
            Some(place) => *place = wrong,
            None => tampered[&pointer[1..]] = wrong,
        }
        let (sound, tampered) = (compare::seen(&sound), compare::seen(&tampered));
        assert_eq!(compare::of_views(&sound, &sound), Vec::<String>::new());
        assert_eq!(compare::of_views(&sound, &tampered).len(), 1, "{pointer}");
    }

    // A model that expects another status, a refusal, a success, another guard.
    run.world.cases[0].status = "submitted";
    let recall = step(member, Act::Recall, Input::Plain);
    let found = run.step(&recall, &mut tally).await;
    assert!(found[0].contains("expected Ok(())"), "{found:?}");
    run.world.cases[0].status = "draft";
    run.world.cases[0].no_secret = false;
    let submit = step(member, Act::Submit, Input::Plain);
    let found = run.step(&submit, &mut tally).await;
    assert!(found[0].contains("no_secret_declared"), "{found:?}");

    // It was submitted all the same, unknown to the model: that shows at the next look, too.
    run.world.cases[0].no_secret = true;
    let look = run.step(&Step::Wait(1), &mut tally).await;
    assert!(look.iter().any(|one| one.contains("status")), "{look:?}");

    // And in what somebody is told to be possible.
    let mut differences = Vec::new();
    for number in 0..40 {
        differences.extend(run.ask(number).await);
    }
    assert!(!differences.is_empty(), "nobody was told anything else");
    assert!(tally.missing().contains(&"File".to_owned()));
}
