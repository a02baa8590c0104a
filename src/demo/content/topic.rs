//! The shape of a topic and the way back from a title to its topic.

use super::places::{Place, Pool, place_named};
use super::{culture, ecology, econ_a, econ_b, econ_c, politics, social_a, social_b};

/// One subject on which many proposals are written, for many places.
pub(super) struct Topic {
    /// The kind of place the sentences speak of.
    pub(super) pool: Pool,
    /// Names of the units that fit, most fitting first.
    pub(super) units: &'static [&'static str],
    /// Sentences of the situation part.
    pub(super) facts: [&'static str; 3],
    /// Clauses of the analysis part.
    pub(super) causes: [&'static str; 2],
    /// Suggestions that suit every angle.
    pub(super) measures: [&'static str; 2],
    /// What a unit can do about it, as bare predicates for replies.
    pub(super) steps: [&'static str; 3],
    /// The special demands.
    pub(super) angles: [Angle; 3],
}

/// One special demand inside a topic.
pub(super) struct Angle {
    /// The unit in the lead, empty for the first unit of the topic.
    pub(super) lead: &'static str,
    /// Title with the place.
    pub(super) title: &'static str,
    /// The clause of the analysis that is special to the angle.
    pub(super) cause: &'static str,
    /// First special suggestion.
    pub(super) first: &'static str,
    /// Second special suggestion.
    pub(super) second: &'static str,
}

/// A class of the five spheres with its share and topics.
pub(super) struct Class {
    /// Code of the class.
    pub(super) code: &'static str,
    /// Proposals of this class among every hundred.
    pub(super) share: usize,
    /// Topics, file by file.
    pub(super) parts: &'static [&'static [Topic]],
}

/// The five classes; the shares follow the national body in 2025 and sum to 100.
pub(super) const CLASSES: [Class; 5] = [
    Class {
        code: "economic",
        share: 43,
        parts: &[econ_a::TOPICS, econ_b::TOPICS, econ_c::TOPICS],
    },
    Class {
        code: "political",
        share: 8,
        parts: &[politics::TOPICS],
    },
    Class {
        code: "cultural",
        share: 9,
        parts: &[culture::TOPICS],
    },
    Class {
        code: "social",
        share: 28,
        parts: &[social_a::TOPICS, social_b::TOPICS],
    },
    Class {
        code: "ecological",
        share: 12,
        parts: &[ecology::TOPICS],
    },
];

impl Class {
    /// Number of topics in the class.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    /// Topic `index` over all parts.
    pub(super) fn topic(&self, index: usize) -> Option<&'static Topic> {
        self.parts.iter().flat_map(|part| part.iter()).nth(index)
    }
}

/// The topic, angle and place a title was built from, if it is one of ours.
pub(super) fn topic_of_title(title: &str) -> Option<(&'static Topic, &'static Angle, Place)> {
    let topics = CLASSES
        .iter()
        .flat_map(|class| class.parts.iter())
        .flat_map(|part| part.iter());
    for topic in topics {
        for angle in &topic.angles {
            let Some((head, tail)) = angle.title.split_once("{p}") else {
                continue;
            };
            let name = title
                .strip_prefix(head)
                .and_then(|rest| rest.strip_suffix(tail));
            if let Some(place) = name.and_then(|name| place_named(topic.pool, name)) {
                return Some((topic, angle, place));
            }
        }
    }
    None
}
