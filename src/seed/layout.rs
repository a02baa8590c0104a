//! Which committees there are and how many cases each has: from a county to a nation on one
//! installation, in the proportions of the field.

use crate::workflow::lists::CommitteeLevel;

/// A committee to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Its code.
    pub code: String,
    /// The name of the place, in two characters.
    pub place: String,
    /// The code of the committee above it.
    pub parent: Option<String>,
    /// Its level.
    pub level: CommitteeLevel,
    /// Copies of a year in each session, the present session first.
    pub sessions: Vec<usize>,
}

/// Proposals of one year of each size: the present one and those of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The present session.
    pub present: u64,
    /// A past one.
    pub past: u64,
}

/// What the code of a seeded committee begins with.
pub const PREFIX: &str = "seed-";
/// From this many proposals on, one committee has a fifth of them.
const WITH_A_NATION: u64 = 20_000;
/// Sessions of that committee: four terms.
const SESSIONS_OF_A_NATION: usize = 20;

/// Invented places, by two characters each.
const FIRST: &[&str] = &[
    "云", "青", "临", "澄", "禾", "砚", "岚", "松", "柏", "清", "玉", "石", "金", "白", "碧", "长",
    "安", "宁", "和", "平", "兴", "丰", "永", "嘉",
];
const SECOND: &[&str] = &[
    "岭", "溪", "江", "湖", "原", "州", "港", "陵", "泉", "浦", "塘", "埠", "屏", "畔", "坪", "澜",
];

/// The committees that hold `wanted` proposals or a few more.
pub fn plan(wanted: u64, sizes: Sizes) -> Vec<Body> {
    let mut bodies = Vec::new();
    let mut left = wanted;
    let add =
        |bodies: &mut Vec<Body>, left: &mut u64, level: CommitteeLevel, sessions: Vec<usize>| {
            let number = bodies.len();
            let count: u64 = (0..)
                .zip(&sessions)
                .map(|(index, copies)| {
                    let size = if index == 0 {
                        sizes.present
                    } else {
                        sizes.past
                    };
                    size * *copies as u64
                })
                .sum();
            let above = |one: &&Body| rank(one.level) < rank(level);
            let parent = bodies.iter().rfind(above).map(|one| one.code.clone());
            bodies.push(Body {
                code: format!("{PREFIX}{number:04}"),
                place: place(number),
                parent,
                level,
                sessions,
            });
            *left = left.saturating_sub(count);
        };
    if wanted >= WITH_A_NATION {
        let year = sizes.present.max(1) * SESSIONS_OF_A_NATION as u64;
        let copies = usize::try_from((wanted / 5 / year).max(1)).unwrap_or(1);
        let sessions = vec![copies; SESSIONS_OF_A_NATION];
        add(&mut bodies, &mut left, CommitteeLevel::National, sessions);
    }
    // A province, then cities and counties below it.
    let province = 2 * (sizes.present + 4 * sizes.past);
    let city = sizes.present + 4 * sizes.past;
    let mut turn = 0;
    while left > 0 {
        let (level, sessions) = if turn % 8 == 0 && left > province {
            (CommitteeLevel::Provincial, vec![2; 5])
        } else if turn % 8 < 4 && left > city {
            (CommitteeLevel::Municipal, vec![1; 5])
        } else {
            (CommitteeLevel::County, vec![1])
        };
        add(&mut bodies, &mut left, level, sessions);
        turn += 1;
    }
    bodies
}

fn rank(level: CommitteeLevel) -> Option<usize> {
    CommitteeLevel::ALL.iter().position(|one| *one == level)
}

fn place(number: usize) -> String {
    let all = FIRST.len() * SECOND.len();
    // A step without a common divisor visits every pair.
    let pair = number * 149 % all;
    let name = format!(
        "{}{}",
        FIRST[pair % FIRST.len()],
        SECOND[pair / FIRST.len()]
    );
    match number / all {
        0 => name,
        // Beyond that the names come again.
        again => format!("{name}{again}"),
    }
}

/// The term (5 is the present one) and the number of a session, counted back from the present one,
/// which is the fourth of its term.
pub fn session_number(back: usize) -> (i64, i64) {
    let place = 3 - i64::try_from(back).unwrap_or(0);
    (5 + place.div_euclid(5), place.rem_euclid(5) + 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SIZES: Sizes = Sizes {
        present: 590,
        past: 578,
    };

    fn count(bodies: &[Body]) -> u64 {
        let of = |body: &Body| {
            let past: usize = body.sessions[1..].iter().sum();
            body.sessions[0] as u64 * SIZES.present + past as u64 * SIZES.past
        };
        bodies.iter().map(of).sum()
    }

    #[test]
    fn as_many_as_wanted_or_a_few_more() {
        for wanted in [1, 590, 10_000, 100_000, 1_000_000] {
            let bodies = plan(wanted, SIZES);
            assert!((wanted..wanted + 600).contains(&count(&bodies)), "{wanted}");
            let codes: BTreeSet<_> = bodies.iter().map(|body| &body.code).collect();
            let places: BTreeSet<_> = bodies.iter().map(|body| &body.place).collect();
            assert_eq!((codes.len(), places.len()), (bodies.len(), bodies.len()));
        }
    }

    #[test]
    fn more_are_the_same_and_more() {
        let (some, more) = (plan(30_000, SIZES), plan(30_000, SIZES));
        assert_eq!(some, more);
        assert_eq!(plan(1_000_000, SIZES)[0].level, CommitteeLevel::National);
    }

    #[test]
    fn five_sessions_are_a_term() {
        let numbers: Vec<_> = (0..9).map(session_number).collect();
        assert_eq!(
            numbers,
            [
                (5, 4),
                (5, 3),
                (5, 2),
                (5, 1),
                (4, 5),
                (4, 4),
                (4, 3),
                (4, 2),
                (4, 1)
            ]
        );
        assert_eq!(session_number(19), (1, 5));
    }
}
