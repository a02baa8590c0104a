//! What one committee must not be told of another, and looking for it in answers, however it is
//! written there.

use std::collections::{BTreeSet, HashSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Reply;
use super::contents::Contents;

/// Digits of an identifier, and of a SHA-256.
const LENGTHS: [usize; 2] = [32, 64];

/// Identifiers, digests and words that are nobody else's.
pub struct Secrets {
    numbers: HashSet<String>,
    /// The identifiers as they are inside of cursors.
    bytes: HashSet<u128>,
    words: Vec<String>,
}

impl Secrets {
    /// Everything hexadecimal that is in some rows and not in those of anybody else, and words with
    /// which all names and texts of these rows were marked.
    pub fn of(own: &Contents, others: &[&Contents], words: &[&str]) -> Self {
        let mut numbers = HashSet::new();
        own.values().flatten().for_each(|row| {
            hexadecimal(row, &mut |number| {
                numbers.insert(number.to_owned());
            });
        });
        for row in others.iter().flat_map(|rows| rows.values().flatten()) {
            hexadecimal(row, &mut |number| {
                numbers.remove(number);
            });
        }
        let bytes = numbers
            .iter()
            .filter_map(|number| u128::from_str_radix(number, 16).ok())
            .collect();
        Self {
            numbers,
            bytes,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    /// How many identifiers and digests there are.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether an identifier is among them.
    pub fn has(&self, id: &str) -> bool {
        id.split_once('_')
            .is_some_and(|(_, number)| self.numbers.contains(number))
    }

    /// What of it an answer tells, in its headers or its body.
    pub fn told_by(&self, reply: &Reply) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (_, value) in &reply.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            self.look(&value, &mut found);
            for (name, value) in form_urlencoded::parse(value.as_bytes()) {
                self.look(&format!("{name} {value}"), &mut found);
            }
        }
        let body = String::from_utf8_lossy(&reply.body);
        self.look(&body, &mut found);
        if body.contains("\\u") {
            // As the reader of the JSON has it.
            self.look(&reply.json.to_string(), &mut found);
        }
        found
    }

    fn look(&self, text: &str, found: &mut BTreeSet<String>) {
        self.look_plainly(text, found);
        // Cursors and tokens.
        let is_sign = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
        for sign in text.split(is_sign).filter(|sign| sign.len() >= 22) {
            let Ok(bytes) = URL_SAFE_NO_PAD.decode(sign) else {
                continue;
            };
            self.look_plainly(&String::from_utf8_lossy(&bytes), found);
            for window in bytes.windows(16) {
                let number = window
                    .iter()
                    .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
                if self.bytes.contains(&number) {
                    found.insert(format!("{number:032x}"));
                }
            }
        }
    }

    fn look_plainly(&self, text: &str, found: &mut BTreeSet<String>) {
        let words = self.words.iter().filter(|word| text.contains(*word));
        found.extend(words.cloned());
        hexadecimal(text, &mut |number| {
            if self.numbers.contains(number) {
                found.insert(number.to_owned());
            }
        });
    }
}

/// Every run of as many hexadecimal digits as identifiers and digests have, with or without
/// hyphens.
fn hexadecimal(text: &str, see: &mut impl FnMut(&str)) {
    let text: String = text
        .chars()
        .filter(|c| *c != '-')
        .map(|c| c.to_ascii_lowercase())
        .collect();
    for run in text.split(|c: char| !c.is_ascii_hexdigit()) {
        for length in LENGTHS {
            for start in 0..(run.len() + 1).saturating_sub(length) {
                see(&run[start..start + length]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Secrets;
    use crate::support::contents::Contents;

    const ID: &str = "019a1b2c3d4e7f8090a1b2c3d4e5f607";

    fn secrets() -> Secrets {
        let rows = |text: &str| Contents::from([("t".to_owned(), vec![text.to_owned()])]);
        let own = rows(&format!("X'{}' 朱鹮 {}", ID.to_uppercase(), "c".repeat(64)));
        Secrets::of(&own, &[&rows(&"d".repeat(32))], &["朱鹮"])
    }

    fn found_in(text: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        secrets().look(text, &mut found);
        found
    }

    #[test]
    fn what_is_told_is_found_however_it_is_written() {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let number = u128::from_str_radix(ID, 16).expect("a number");
        let raw = [b"[1,", &number.to_be_bytes()[..], b"]"].concat();
        for text in [
            format!(r#"{{"id":"prop_{ID}"}}"#),
            format!("\"{ID}\""),
            ID.to_uppercase(),
            "019a1b2c-3d4e-7f80-90a1-b2c3d4e5f607".to_owned(),
            format!("attachments/x-{ID}.pdf"),
            format!("</api?cursor={}>", URL_SAFE_NO_PAD.encode(raw)),
            URL_SAFE_NO_PAD.encode(format!("prop_{ID}")),
        ] {
            assert_eq!(found_in(&text), BTreeSet::from([ID.to_owned()]), "{text}");
        }
        assert_eq!(found_in("关于朱鹮的提案").len(), 1);
        assert_eq!(
            found_in(&"c".repeat(64)).len(),
            2,
            "of 64 digits, and of 32"
        );
    }

    #[test]
    fn what_is_somebody_elses_is_no_secret() {
        for text in [
            "019a1b2c3d4e7f8090a1b2c3d4e5f608",
            "朱",
            "提案",
            &"d".repeat(32),
        ] {
            assert_eq!(found_in(text), BTreeSet::new(), "{text}");
        }
    }
}
