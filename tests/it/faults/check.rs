//! The checker: what clients were told against what the database has. It knows nothing of how the
//! service came by its state, and is a function of the two records alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::facts::{Event, Facts, by_id};
use super::history::{History, Op};

/// What was found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Requests that were answered with 2xx.
    pub acknowledged: usize,
    /// Sendings after which the client did not know what became of the request.
    pub unknown: usize,
    /// Requests that were answered with 2xx and have left no trace.
    pub lost: usize,
    /// Effects that happened more than once, or that nobody asked for.
    pub double: usize,
    /// Everything that is not as it has to be.
    pub wrongs: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "acknowledged {}, unknown {}, lost {}, double {}",
            self.acknowledged, self.unknown, self.lost, self.double
        )?;
        for wrong in self.wrongs.iter().take(20) {
            write!(f, "\n  {wrong}")?;
        }
        Ok(())
    }
}

impl Verdict {
    /// Asserts that all is as it has to be.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(
            self.wrongs.is_empty() && self.lost == 0 && self.double == 0,
            "{self}"
        );
    }

    fn lost(&mut self, what: String) {
        self.lost += 1;
        self.wrongs.push(what);
    }

    fn double(&mut self, what: String) {
        self.double += 1;
        self.wrongs.push(what);
    }
}

/// The events of one request on one case.
struct Group<'f> {
    events: Vec<&'f Event>,
    /// Keys of the requests of which it is the effect.
    of: Vec<&'f str>,
}

/// Compares.
pub fn check(history: &History, facts: &Facts) -> Verdict {
    let mut verdict = Verdict::default();
    effects(history, facts, &mut verdict);
    versions(history, &mut verdict);
    chains(facts, &mut verdict);
    folds(facts, &mut verdict);
    published(facts, &mut verdict);
    numbers(facts, &mut verdict);
    let damage = facts.damage.iter().map(|line| format!("files: {line}"));
    verdict.wrongs.extend(damage);
    verdict
}

/// Every 2xx is in the trail exactly once, and every event is a 2xx or was unknown.
fn effects(history: &History, facts: &Facts, verdict: &mut Verdict) {
    let mut groups: BTreeMap<(&str, &str), Group<'_>> = BTreeMap::new();
    let mut moments: BTreeMap<(&str, &str), Vec<(&str, &str)>> = BTreeMap::new();
    for event in &facts.events {
        if let Some(request) = &event.request {
            let group = groups.entry((request, &event.stream)).or_insert(Group {
                events: Vec::new(),
                of: Vec::new(),
            });
            group.events.push(event);
            if let Some(actor) = &event.actor {
                let at = event.at.trim_end_matches('Z');
                let places: &mut Vec<_> = moments.entry((actor, at)).or_default();
                places.push((request.as_str(), event.stream.as_str()));
            }
        }
    }
    let mut stored: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for one in &facts.stored {
        stored.entry(&one.key).or_default().push(one);
    }
    for (key, op) in &history.0 {
        verdict.unknown += op.unknowns;
        let answers = stored.get(key.as_str()).map_or(0, Vec::len);
        if answers > 1 {
            verdict.double(format!("{key} ({}) has {answers} answers", op.request));
        }
        // The moment of the sending that happened is that of the stored answer.
        let stored = stored.get(key.as_str()).and_then(|all| all.first());
        let direct = op.answer.as_ref().filter(|answer| !answer.replayed);
        let direct = direct
            .map(|answer| (answer.request_id.as_str(), op.case.as_str()))
            .filter(|place| groups.contains_key(place));
        let found = direct.or_else(|| {
            let at = stored?.at.trim_end_matches('Z');
            let sent = moments.get(&(op.actor.as_str(), at))?;
            let same = |place: &&(&str, &str)| op.case.is_empty() || place.1 == op.case;
            sent.iter().find(same).copied()
        });
        if let Some(answer) = op.acknowledged() {
            verdict.acknowledged += 1;
            match stored {
                None => verdict.lost(format!("{key} ({}) has no answer stored", op.request)),
                Some(stored) if stored.status != i32::from(answer.status) => {
                    verdict
                        .wrongs
                        .push(format!("{key} is stored with {}", stored.status));
                }
                Some(_) if found.is_none() => {
                    verdict.lost(format!("{key} ({}) left no event", op.request));
                }
                Some(_) => {}
            }
        } else if op.answer.is_some() && (found.is_some() || stored.is_some()) {
            verdict.double(format!("{key} ({}) was refused and happened", op.request));
        } else if stored.is_some() && found.is_none() {
            verdict.lost(format!("{key} ({}) is answered without event", op.request));
        }
        if let Some(group) = found.and_then(|place| groups.get_mut(&place)) {
            group.of.push(key);
        }
        let fault = op.whys.iter().find(|why| why.starts_with("500"));
        if let Some(why) = fault {
            verdict
                .wrongs
                .push(format!("{key} ({}): {why}", op.request));
        }
    }
    for ((request, stream), group) in &groups {
        let names: Vec<_> = group.events.iter().map(|event| &event.name).collect();
        match group.of[..] {
            [_] => {}
            [] => verdict.double(format!(
                "request {request} did {names:?} to {stream}, and no client sent it or was told"
            )),
            _ => verdict.double(format!(
                "{request} on {stream} is the effect of {:?}",
                group.of
            )),
        }
    }
}

/// No two requests changed the same version of a case.
fn versions(history: &History, verdict: &mut Verdict) {
    let mut taken: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    let of_case = |op: &Op| op.request.contains(" /api/v1/proposals/");
    for (key, op) in &history.0 {
        if of_case(op) && !op.if_match.is_empty() && op.acknowledged().is_some() {
            taken
                .entry((&op.case, &op.if_match))
                .or_default()
                .push(key.as_str());
        }
    }
    for ((case, version), keys) in taken {
        if keys.len() > 1 {
            verdict.double(format!(
                "version {version} of {case} was changed by {keys:?}"
            ));
        }
    }
}

/// The trail of each case is 1..n, and its row says so.
fn chains(facts: &Facts, verdict: &mut Verdict) {
    let mut ends: BTreeMap<&str, i32> = BTreeMap::new();
    for event in &facts.events {
        let end = ends.entry(&event.stream).or_default();
        if event.seq != *end + 1 {
            verdict.wrongs.push(format!(
                "event {} of {} follows {end}",
                event.seq, event.stream
            ));
        }
        *end = event.seq;
    }
    let cases: BTreeSet<_> = facts.cases.iter().map(|case| case.id.as_str()).collect();
    for case in &facts.cases {
        let end = ends.get(case.id.as_str()).copied().unwrap_or_default();
        if end != case.event_seq {
            verdict.wrongs.push(format!(
                "{} has {end} events, not {}",
                case.id, case.event_seq
            ));
        }
    }
    for stream in ends.keys().filter(|stream| !cases.contains(*stream)) {
        verdict
            .wrongs
            .push(format!("events of {stream}, which is not there"));
    }
}

/// Statuses, version and round of each row are what its events lead to.
fn folds(facts: &Facts, verdict: &mut Verdict) {
    let mut statuses: BTreeMap<String, String> = BTreeMap::new();
    let mut marks: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for event in &facts.events {
        let content = event.content();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let target = text(&content["target"]["id"]);
        let target = target.rsplit('_').next().unwrap_or_default().to_owned();
        let (before, after) = (text(&content["before"]), text(&content["after"]));
        // What is not there yet has no status.
        let status = statuses.get(&target).map_or("", String::as_str);
        if target.is_empty() || status != before {
            verdict.wrongs.push(format!(
                "{} {} of {}: from {before:?}, but it was {status:?}",
                event.name, event.seq, event.stream
            ));
        }
        statuses.insert(target, after);
        let number = |name: &str| content[name].as_i64().unwrap_or_default();
        let mark = marks.entry(&event.stream).or_default();
        let now = (number("version"), number("round"));
        if now.0 < mark.0 || now.1 < mark.1 {
            verdict.wrongs.push(format!(
                "version and round of {} go back from {mark:?} to {now:?}",
                event.stream
            ));
        }
        *mark = now;
    }
    let parts = by_id(&facts.parts);
    let cases = facts
        .cases
        .iter()
        .map(|case| (case.id.as_str(), case.status.as_str()));
    for (id, status) in parts.into_iter().chain(cases) {
        match statuses.get(id) {
            Some(folded) if folded == status => {}
            folded => verdict
                .wrongs
                .push(format!("{id} is {status}, its events lead to {folded:?}")),
        }
    }
    for case in &facts.cases {
        let (version, round) = marks.get(case.id.as_str()).copied().unwrap_or_default();
        if version > i64::from(case.version) || round != i64::from(case.round) {
            verdict.wrongs.push(format!(
                "{} has version {} and round {}, its events {version} and {round}",
                case.id, case.version, case.round
            ));
        }
    }
}

/// Every event is in the feed once, in the order of its case, and those who are told of one of its
/// kind are told of it.
fn published(facts: &Facts, verdict: &mut Verdict) {
    if facts.parcels > 0 {
        let parcels = facts.parcels;
        verdict
            .wrongs
            .push(format!("{parcels} acts are not published"));
    }
    let mut last: BTreeMap<&str, i32> = BTreeMap::new();
    for (stream, seq) in &facts.feed {
        let before = last.entry(stream).or_default();
        if *seq != *before + 1 {
            verdict.wrongs.push(format!(
                "the feed has event {seq} of {stream} after {before}"
            ));
        }
        *before = *seq;
    }
    if facts.feed.len() != facts.events.len() {
        let (feed, events) = (facts.feed.len(), facts.events.len());
        verdict
            .wrongs
            .push(format!("{events} events, {feed} in the feed"));
    }
    let place = |event: &Event| format!("{}:{}", event.stream, event.seq);
    let known: BTreeSet<_> = facts.events.iter().map(place).collect();
    for told in facts.told.difference(&known) {
        verdict.wrongs.push(format!(
            "somebody was told of event {told}, which is not there"
        ));
    }
    for event in &facts.events {
        if ALWAYS_TOLD.contains(&event.name.as_str()) && !facts.told.contains(&place(event)) {
            verdict.wrongs.push(format!(
                "nobody was told of {} {}",
                event.name,
                place(event)
            ));
        }
    }
}

/// Events of which somebody other than who acted is told in every case of a run.
const ALWAYS_TOLD: [&str; 2] = ["proposal.filed", "proposal.assigned"];

/// Numbers are 1..n without gap or repetition (I2, I3).
fn numbers(facts: &Facts, verdict: &mut Verdict) {
    let mut serials: Vec<_> = facts
        .cases
        .iter()
        .filter_map(|case| case.serial_no)
        .collect();
    let mut numbers: Vec<_> = facts
        .cases
        .iter()
        .filter_map(|case| case.filed_as)
        .collect();
    for (what, found) in [("serial", &mut serials), ("case", &mut numbers)] {
        found.sort_unstable();
        if !found.iter().copied().eq((1..).take(found.len())) {
            verdict.wrongs.push(format!("{what} numbers: {found:?}"));
        }
    }
}
