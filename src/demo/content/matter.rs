//! One proposal text out of topic, angle, place and chance.

use super::UNITS;
use super::phrases::{self, ClassPhrases};
use super::places::Place;
use super::render::{Chance, fill};
use super::topic::{Angle, CLASSES, Class, Topic};

/// The text of one proposal and what an examiner would say it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matter {
    /// Title 案由 in the form 关于…的提案, at most 50 characters.
    pub title: String,
    /// Situation 情况.
    pub situation: String,
    /// Analysis 分析.
    pub analysis: String,
    /// Suggestions 建议, two to five, in order.
    pub suggestions: Vec<String>,
    /// Class code: `economic`, `political`, `cultural`, `social` or `ecological`.
    pub class: &'static str,
    /// Indexes into [`UNITS`], most fitting first, one to six, none twice.
    pub units: Vec<usize>,
}

/// The matter number `n`: equal numbers give equal texts, and all titles
/// below 5000 differ.
#[must_use]
pub fn matter(n: usize) -> Matter {
    let short = build(n, false);
    if han_count(&short) >= ENOUGH {
        return short;
    }
    build(n, true)
}

/// Texts with fewer Chinese characters are written again with a fuller account.
const ENOUGH: usize = 590;

/// Number of Chinese characters in the three parts.
fn han_count(matter: &Matter) -> usize {
    let parts = [matter.situation.as_str(), matter.analysis.as_str()];
    parts
        .into_iter()
        .chain(matter.suggestions.iter().map(String::as_str))
        .flat_map(str::chars)
        .filter(|character| ('\u{4E00}'..='\u{9FFF}').contains(character))
        .count()
}

/// Matter `n`, with every optional sentence if `full`.
fn build(n: usize, full: bool) -> Matter {
    let (class, rank) = class_and_rank(n);
    let topics = class.len().max(1);
    let Some(topic) = class.topic(rank % topics) else {
        return empty(n, class);
    };
    let round = rank / topics;
    let angle_index = (round + rank % topics) % topic.angles.len();
    let angle = &topic.angles[angle_index];
    let turn = round / topic.angles.len();
    let place = topic
        .pool
        .place(turn * 13 + (rank % topics) * 5 + angle_index * 17);
    let mut chance = Chance::new(n, 1);
    let chosen = phrases::of_class(class.code, topic.pool);
    let full = full || chance.percent(15);
    Matter {
        title: angle.title.replace("{p}", &place.full),
        situation: situation(topic, chosen, &place, full, &mut chance),
        analysis: analysis(topic, angle, chosen, &place, full, &mut chance),
        suggestions: suggestions(topic, angle, chosen, &place, full, &mut chance),
        class: class.code,
        units: units(topic, angle, &place, &mut chance),
    }
}

/// The class of matter `n` and its rank among the matters of that class.
fn class_and_rank(n: usize) -> (&'static Class, usize) {
    let mut slot = (n % 100 * 37 + 11) % 100;
    for class in &CLASSES {
        if slot < class.share {
            return (class, n / 100 * class.share + slot);
        }
        slot -= class.share;
    }
    (&CLASSES[0], n)
}

/// Stands in for a class without topics; the tests show that there is none.
fn empty(n: usize, class: &Class) -> Matter {
    Matter {
        title: format!("关于改进第{n}项工作的提案"),
        situation: String::new(),
        analysis: String::new(),
        suggestions: Vec::new(),
        class: class.code,
        units: vec![0],
    }
}

fn situation(
    topic: &Topic,
    class: &ClassPhrases,
    place: &Place,
    full: bool,
    chance: &mut Chance,
) -> String {
    let mut text = String::new();
    if full || chance.percent(55) {
        text.push_str(chance.pick(class.context));
    }
    for fact in topic.facts {
        text.push_str(&fill(fact, Some(place), chance));
    }
    if full || chance.percent(60) {
        text.push_str(&fill(chance.pick(class.voices), Some(place), chance));
    }
    let surveys = if full || chance.percent(40) { 2 } else { 1 };
    for survey in chance.sample(phrases::SURVEYS, surveys) {
        text.push_str(&fill(survey, Some(place), chance));
    }
    text
}

fn analysis(
    topic: &Topic,
    angle: &Angle,
    class: &ClassPhrases,
    place: &Place,
    full: bool,
    chance: &mut Chance,
) -> String {
    let mut causes = vec![angle.cause, topic.causes[0], topic.causes[1]];
    if chance.percent(50) {
        causes.swap(1, 2);
    }
    if full || chance.percent(75) {
        causes.push(chance.pick(class.causes));
    }
    let mut text = chance.pick(phrases::LEADS).to_owned();
    let last = causes.len() - 1;
    for (index, (cause, number)) in causes
        .iter()
        .zip(["一是", "二是", "三是", "四是"])
        .enumerate()
    {
        text.push_str(number);
        text.push_str(&fill(cause, Some(place), chance));
        text.push_str(if index == last { "。" } else { "；" });
    }
    text.push_str(chance.pick(class.effects));
    if full || chance.percent(60) {
        text.push_str(chance.pick(class.compare));
    }
    text
}

fn suggestions(
    topic: &Topic,
    angle: &Angle,
    class: &ClassPhrases,
    place: &Place,
    full: bool,
    chance: &mut Chance,
) -> Vec<String> {
    let general = if chance.percent(50) {
        chance.pick(class.measures)
    } else {
        chance.pick(phrases::MEASURES)
    };
    let mut chosen = vec![angle.first, angle.second];
    match chance.below(100) {
        0..10 => {}
        10..45 => chosen.push(topic.measures[chance.below(2)]),
        45..65 => chosen.extend(topic.measures),
        65..80 => chosen.extend([topic.measures[chance.below(2)], general]),
        _ => {
            chosen.extend(topic.measures);
            chosen.push(general);
        }
    }
    let mut tails = chance.sample(phrases::TAILS, chosen.len());
    let start = chance.below(tails.len());
    tails.rotate_left(start);
    let share = if full { 85 } else { 40 };
    let mut texts = Vec::with_capacity(chosen.len());
    for (text, tail) in chosen.into_iter().zip(tails) {
        let mut text = fill(text, Some(place), chance);
        if chance.percent(share) {
            text.push_str(&fill(tail, Some(place), chance));
        }
        texts.push(text);
    }
    texts
}

/// Indexes of the fitting units; the local government joins in.
fn units(topic: &Topic, angle: &Angle, place: &Place, chance: &mut Chance) -> Vec<usize> {
    let mut names: Vec<&str> = Vec::with_capacity(8);
    if !angle.lead.is_empty() {
        names.push(angle.lead);
    }
    names.extend(
        topic
            .units
            .iter()
            .copied()
            .filter(|name| *name != angle.lead),
    );
    if let Some(government) = place.government {
        let position = if chance.percent(12) {
            0
        } else {
            1 + chance.below(2)
        };
        names.insert(position.min(names.len()), government);
    }
    let count = match chance.below(100) {
        0..14 => 1,
        14..42 => 2,
        42..72 => 3,
        72..88 => 4,
        88..96 => 5,
        _ => 6,
    };
    let mut found: Vec<usize> = names
        .into_iter()
        .filter_map(|name| UNITS.iter().position(|unit| unit.name == name))
        .collect();
    found.truncate(count);
    found
}
