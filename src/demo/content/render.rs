//! Deterministic chance and the filling of sentence templates.

use super::places::Place;

/// A small deterministic generator (splitmix64): equal seeds give equal texts.
pub(super) struct Chance(u64);

impl Chance {
    /// Starts a stream for item `n`; `salt` keeps the streams of different texts apart.
    pub(super) fn new(n: usize, salt: u64) -> Self {
        let n = u64::try_from(n).unwrap_or(u64::MAX);
        Self(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ salt.wrapping_mul(0xD1B5_4A32_D192_ED03))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 for an empty range.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(1).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// True in `percent` of all calls.
    pub(super) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the phrases; the empty phrase of an empty list.
    pub(super) fn pick<'a>(&mut self, phrases: &[&'a str]) -> &'a str {
        let index = self.below(phrases.len());
        phrases.get(index).copied().unwrap_or("")
    }

    /// `count` different phrases in list order, or all of them if there are fewer.
    pub(super) fn sample<'a>(&mut self, phrases: &[&'a str], count: usize) -> Vec<&'a str> {
        let mut left = phrases.to_vec();
        while left.len() > count {
            let index = self.below(left.len());
            left.remove(index);
        }
        left
    }
}

/// Fills a template: `{p}` full place name, `{s}` short name, `{d}` district,
/// `{lo-hi}` or `{lo-hi/step}` a number in the range, with as many decimals as `lo` has.
pub(super) fn fill(template: &str, place: Option<&Place>, chance: &mut Chance) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, tail)) = rest.split_once('{') {
        out.push_str(before);
        let Some((key, after)) = tail.split_once('}') else {
            rest = tail;
            break;
        };
        match (key, place) {
            ("p", Some(place)) => out.push_str(&place.full),
            ("s", Some(place)) => out.push_str(place.short),
            ("d", Some(place)) => out.push_str(place.district),
            ("p" | "s" | "d", None) => out.push_str("我市"),
            _ => out.push_str(&number(key, chance).unwrap_or_default()),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A number for a range such as `12-40`, `200-900/10` or `0.6-2.4`.
fn number(key: &str, chance: &mut Chance) -> Option<String> {
    let (range, step) = key.split_once('/').unwrap_or((key, "1"));
    let (low, high) = range.split_once('-')?;
    let decimals = low.split_once('.').map_or(0, |(_, tail)| tail.len());
    let low = scaled(low, decimals)?;
    let high = scaled(high, decimals)?;
    let step = step.parse::<usize>().ok().filter(|step| *step > 0)?;
    let choices = high.checked_sub(low)? / step + 1;
    let value = low + chance.below(choices) * step;
    let unit = 10_usize.pow(u32::try_from(decimals).ok()?);
    let fraction = value % unit;
    if fraction == 0 {
        return Some((value / unit).to_string());
    }
    Some(format!("{}.{fraction:0decimals$}", value / unit))
}

/// Reads a plain decimal as a whole number of its last decimal place.
fn scaled(text: &str, decimals: usize) -> Option<usize> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Chance, fill, number};

    #[test]
    fn numbers_stay_in_range() {
        let mut chance = Chance::new(7, 1);
        for _ in 0..500 {
            let whole = number("20-40/10", &mut chance).unwrap_or_default();
            assert!(["20", "30", "40"].contains(&whole.as_str()), "{whole}");
            let tenth = number("0.8-1.1", &mut chance).unwrap_or_default();
            assert!(
                ["0.8", "0.9", "1", "1.1"].contains(&tenth.as_str()),
                "{tenth}"
            );
            let mixed = number("6.8-42", &mut chance).unwrap_or_default();
            let value: f64 = mixed.parse().unwrap_or_default();
            assert!((6.8..=42.0).contains(&value), "{mixed}");
        }
        assert_eq!(number("nonsense", &mut chance), None);
        assert_eq!(number("9-3", &mut chance), None);
    }

    #[test]
    fn equal_seeds_give_equal_text() {
        let text = "共{100-900}件，{0.1-9.9}%";
        let one = fill(text, None, &mut Chance::new(3, 2));
        assert_eq!(one, fill(text, None, &mut Chance::new(3, 2)));
        assert!(!one.contains('{'));
    }

    #[test]
    fn a_sample_has_no_repetition() {
        let mut chance = Chance::new(1, 1);
        let mut got = chance.sample(&["a", "b", "c", "d"], 3);
        got.dedup();
        assert_eq!(got.len(), 3);
    }
}
