//! Positive controls: the records of a clean run, spoilt in the ways in which faults spoil them.
//! The checker must see each.

use super::check::{Verdict, check};
use super::facts::Facts;
use super::history::{Answered, History};

/// Spoils the records in each way and asserts that it is found, and found to be what it is.
pub fn are_found(history: &History, facts: &Facts) {
    check(history, facts).assert_clean();
    let spoil = |what: &str, spoil: &dyn Fn(&mut History, &mut Facts)| {
        let (mut history, mut facts) = (history.clone(), facts.clone());
        spoil(&mut history, &mut facts);
        let verdict = check(&history, &facts);
        assert!(!verdict.wrongs.is_empty(), "{what} is not found");
        verdict
    };
    let loses = |verdict: &Verdict, what: &str| assert!(verdict.lost > 0, "{what}: {verdict}");
    let doubles = |verdict: &Verdict, what: &str| assert!(verdict.double > 0, "{what}: {verdict}");

    // The disk forgot the last commits, as with `synchronous_commit = off`.
    let what = "an older state of the database";
    let verdict = spoil(what, &|_, facts| {
        let Some(last) = facts.events.iter().map(|event| event.at.clone()).max() else {
            return;
        };
        facts.events.retain(|event| event.at < last);
        facts
            .stored
            .retain(|stored| stored.at.trim_end_matches('Z') < last.trim_end_matches('Z'));
    });
    loses(&verdict, what);

    // The key is stored in another transaction than the effect: one of the two can be missing.
    let what = "an effect without its key";
    let verdict = spoil(what, &|history, facts| {
        let key = some_key(history);
        facts.stored.retain(|stored| stored.key != key);
    });
    loses(&verdict, what);
    let what = "an effect that was repeated, for want of its key";
    let verdict = spoil(what, &|_, facts| {
        let event = facts.events.iter().find(|event| event.actor.is_some());
        let mut again = event.expect("an event").clone();
        again.request = Some("f".repeat(32));
        again.at = "2199-01-01T00:00:00.000000".into();
        facts.events.push(again);
    });
    doubles(&verdict, what);
    let what = "a key without its effect";
    let verdict = spoil(what, &|history, facts| {
        let op = &history.0[&some_key(history)];
        let request = op.answer.as_ref().map(|answer| answer.request_id.clone());
        facts.events.retain(|event| event.request != request);
    });
    loses(&verdict, what);

    // The condition on the version is gone: two change what they have read.
    let what = "a lost update";
    let verdict = spoil(what, &|history, _| {
        let changes: Vec<_> = history
            .0
            .iter()
            .filter(|(_, op)| op.acknowledged().is_some() && !op.if_match.is_empty())
            .filter(|(_, op)| op.request.contains(" /api/v1/proposals/"))
            .map(|(key, op)| (key.clone(), op.case.clone(), op.if_match.clone()))
            .collect();
        let pair = changes.iter().find_map(|one| {
            let other = |other: &&(String, String, String)| other.1 == one.1 && other.2 != one.2;
            changes.iter().find(other).map(|other| (one, other))
        });
        let (one, other) = pair.expect("two changes of a case");
        if let Some(op) = history.0.get_mut(&one.0) {
            op.if_match.clone_from(&other.2);
        }
    });
    doubles(&verdict, what);

    // Refused, and done all the same.
    let what = "a refusal that was none";
    let verdict = spoil(what, &|history, _| {
        let key = some_key(history);
        if let Some(Answered { status, .. }) =
            history.0.get_mut(&key).and_then(|op| op.answer.as_mut())
        {
            *status = 409;
        }
    });
    doubles(&verdict, what);

    for (what, change) in OTHERS {
        spoil(what, &change);
    }
}

/// A way to spoil records.
type Spoil = fn(&mut History, &mut Facts);

/// What is wrong in the database, without being a lost or repeated effect.
const OTHERS: [(&str, Spoil); 9] = [
    ("a row that went back", |_, facts| {
        if let Some(case) = facts.cases.iter_mut().find(|case| case.filed_as.is_some()) {
            case.status = "submitted".into();
        }
    }),
    ("an assignment that went back", |_, facts| {
        if let Some(part) = facts.parts.first_mut() {
            part.status = "returned".into();
        }
    }),
    ("a version that went back", |_, facts| {
        facts.cases[0].version = 0;
    }),
    ("a number given twice", |_, facts| {
        let number = facts.cases.iter().filter_map(|case| case.filed_as).max();
        if let Some(case) = facts.cases.iter_mut().find(|case| case.filed_as == Some(1)) {
            case.filed_as = number.map(|number| number + 1);
        }
    }),
    ("a gap in the trail", |_, facts| {
        facts.events.remove(1);
    }),
    ("an event that is not in the feed", |_, facts| {
        facts.feed.pop();
    }),
    ("an event twice in the feed", |_, facts| {
        let first = facts.feed[0].clone();
        facts.feed.push(first);
    }),
    ("nobody told", |_, facts| facts.told.clear()),
    ("a damaged file", |_, facts| {
        facts.damage.push("row 3 missing from index".into());
    }),
];

/// The key of a request that was done when it was first sent.
fn some_key(history: &History) -> String {
    let done = history.0.iter().find(|(_, op)| {
        op.acknowledged().is_some_and(|answer| !answer.replayed) && !op.if_match.is_empty()
    });
    done.expect("a request that was done").0.clone()
}
