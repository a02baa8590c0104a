//! Whether the time of a refusal tells why it was refused.
//!
//! Times are compared by rank: of how many pairs of a refusal of this kind and one of another kind
//! is this one the slower? Half of them, if the time tells nothing, whatever its distribution is.

use std::collections::BTreeMap;

use super::tests::{PASSWORD, World, world};
use super::*;
use crate::app::ctx::IfMatch;
use crate::auth::password::{HashParams, Passwords};
use crate::auth::policy::{PasswordPolicy, PasswordProfile};
use crate::clock::Clock;
use crate::store::accounts::sample;
use crate::store::passwords;

/// Refusals of each kind.
const ROUNDS: usize = 24;
/// Rounds that are enough to see a difference that is there.
const CONTROL: usize = 8;
/// Shorter than that of the service, so that the test is.
const STEP: Duration = Duration::from_millis(20);
/// The share of pairs may be off a half by this much: more than four standard deviations of chance.
const OFF: f64 = 0.32;
const WRONG: &str = "lantern-under-water";

/// A way to be refused: what is wrong, and the committee, name and password of a round.
type Way = (&'static str, String, fn(usize) -> String, &'static str);

/// A committee beside that of the world, in which `chen.wei` is locked.
async fn locked(world: &mut World) -> String {
    let code = CommitteeId::new(world.clock.now()).to_string();
    let hash = world.app.passwords.hash_blocking(PASSWORD).expect("a hash");
    let (now, for_db) = (world.clock.now(), code.clone());
    let found = world.app.db.write("sample", move |tx| {
        let committee = sample::committee(tx, &for_db, now)?;
        sample::user(tx, committee, "chen.wei", &hash, now)
    });
    found.await.expect("a committee");
    let signed_in = world.try_login(&code, "chen.wei", PASSWORD).await;
    let mut ctx = world.ctx(&signed_in.expect("signed in").principal);
    ctx.if_match = IfMatch::Any;
    let strict = PasswordPolicy::of(PasswordProfile::Mlps3);
    let set = world
        .app
        .db
        .write("policy", move |tx| passwords::set_policy(tx, &ctx, &strict));
    set.await.expect("a policy");
    fail(world, &code, 4).await;
    world.advance(1);
    fail(world, &code, 1).await;
    code
}

async fn fail(world: &World, code: &str, times: usize) {
    for _ in 0..times {
        let refused = world.try_login(code, "chen.wei", WRONG).await;
        assert!(refused.is_err());
    }
}

/// Everybody whom the ways need: one whose password is wrong and one who is shut for each round,
/// because the third failure of a name is not like the first; and one whose hash is dear.
async fn people(world: &World) {
    let hash = world.app.passwords.hash_blocking(PASSWORD).expect("a hash");
    // Several steps on any machine: within one step, a difference is not to be seen, as it should be.
    let costs = HashParams {
        passes: 20,
        ..HashParams::default()
    };
    let dear = Passwords::new(costs).expect("costs");
    let dear = dear.hash_blocking(PASSWORD).expect("a hash");
    let (committee, now) = (world.committee, world.clock.now());
    let made = world.app.db.write("people", move |tx| {
        sample::user(tx, committee, "dear", &dear, now)?;
        for round in 0..ROUNDS + CONTROL {
            sample::user(tx, committee, &format!("open.{round}"), &hash, now)?;
            let shut = sample::user(tx, committee, &format!("shut.{round}"), &hash, now)?;
            sample::disable(tx, committee, shut, true)?;
        }
        Ok(())
    });
    made.await.expect("people");
}

/// How long each refusal took, by what was wrong. All kinds in turn, each round in another order,
/// so that what else the machine does falls on all of them alike.
async fn times(
    world: &World,
    ways: &[Way],
    rounds: std::ops::Range<usize>,
) -> BTreeMap<&'static str, Vec<Duration>> {
    let mut times: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for round in rounds {
        for number in 0..ways.len() {
            let (what, committee, username, password) = &ways[(number + round) % ways.len()];
            let started = Instant::now();
            let refused = world.try_login(committee, &username(round), password).await;
            let took = started.elapsed();
            let code = refused.err().map(|error| error.code());
            assert_eq!(code, Some(Code::BadCredentials), "{what}");
            times.entry(*what).or_default().push(took);
        }
    }
    times
}

/// The kinds whose time tells them from the others, with the share of pairs in which they are the
/// slower.
fn told(times: &BTreeMap<&'static str, Vec<Duration>>) -> Vec<String> {
    let mut told = Vec::new();
    for (what, own) in times {
        let others = times.iter().filter(|(other, _)| *other != what);
        let others: Vec<_> = others.flat_map(|(_, times)| times).collect();
        let mut slower = 0.0;
        for one in own {
            for other in &others {
                slower += match one.cmp(other) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                };
            }
        }
        let pairs = u32::try_from(own.len() * others.len()).expect("few pairs");
        let share = slower / f64::from(pairs);
        if (share - 0.5).abs() > OFF {
            told.push(format!("{what}: slower in {share:.2} of the pairs"));
        }
    }
    told
}

#[tokio::test]
async fn the_time_of_a_refusal_does_not_tell_why() {
    let mut world = world().await;
    world.app.refusal_step = Duration::ZERO;
    let strict = locked(&mut world).await;
    let code = world.code.clone();
    people(&world).await;
    fail(&world, &code, 4).await;
    world.app.refusal_step = STEP;
    let chen: fn(usize) -> String = |_| "chen.wei".to_owned();
    let ways: [Way; 8] = [
        ("no such committee", "nowhere".to_owned(), chen, PASSWORD),
        (
            "no such name",
            code.clone(),
            |round| format!("nobody.{round}"),
            PASSWORD,
        ),
        (
            "wrong password",
            code.clone(),
            |round| format!("open.{round}"),
            WRONG,
        ),
        (
            "shut",
            code.clone(),
            |round| format!("shut.{round}"),
            PASSWORD,
        ),
        ("delayed, wrong", code.clone(), chen, WRONG),
        ("delayed, right", code, chen, PASSWORD),
        ("locked, wrong", strict.clone(), chen, WRONG),
        ("locked, right", strict, chen, PASSWORD),
    ];
    assert_eq!(told(&times(&world, &ways, 0..ROUNDS).await), [""; 0]);
    // Whose hash costs more than that of names that do not exist is told apart by the same measure.
    let dear: Way = ("dear", world.code.clone(), |_| "dear".to_owned(), WRONG);
    let ways: Vec<_> = ways.into_iter().chain([dear]).collect();
    let seen = told(&times(&world, &ways, ROUNDS..ROUNDS + CONTROL).await);
    assert!(seen.iter().any(|told| told.starts_with("dear")), "{seen:?}");
}
