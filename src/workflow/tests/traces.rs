//! What each act of a story leaves behind, as text: the events, what changed in the case, and what
//! is written beside it. A change of an effect shows here first.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};

use super::fixture::World;
use crate::workflow::case::Case;
use crate::workflow::decide::{Happened, Record};

/// One write: the case afterwards, and what came with it.
#[derive(Clone)]
pub struct Written {
    pub case: Case,
    pub happened: Vec<Happened>,
    pub records: Vec<Record>,
}

impl World {
    /// Compares everything that was written with the snapshot of the story.
    pub fn leaves(&self, story: &str) {
        let mut names = Names::default();
        let mut text = String::new();
        let mut before: BTreeMap<String, String> = BTreeMap::new();
        for written in &self.written {
            let after = flat(&written.case);
            let events: Vec<_> = written.happened.iter().map(|one| one.event).collect();
            writeln!(text, "== {}", events.join(", ")).unwrap();
            let first = before.is_empty();
            let mut entries: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            for (path, value) in &after {
                let old = before.get(path);
                if first || old == Some(value) || is_counted(path) {
                    continue;
                }
                let line = match (old, path.split_once("].")) {
                    (Some(old), _) => format!("{path}: {old} -> {value}"),
                    // What a new entry of a list says is one line.
                    (None, Some((entry, field))) => {
                        let said = entries.entry(entry).or_default();
                        said.push(format!("{field}: {value}"));
                        continue;
                    }
                    (None, None) => format!("{path}: {value}"),
                };
                writeln!(text, "{}", names.apply(&line)).unwrap();
            }
            for (entry, said) in entries {
                let line = format!("{entry}] {{ {} }}", said.join(", "));
                writeln!(text, "{}", names.apply(&line)).unwrap();
            }
            for (path, old) in &before {
                if !after.contains_key(path) {
                    writeln!(text, "{}", names.apply(&format!("{path}: {old} -> gone"))).unwrap();
                }
            }
            for record in &written.records {
                writeln!(text, "+ {}", names.apply(&format!("{record:?}"))).unwrap();
            }
            before = after;
        }
        insta::assert_snapshot!(story.to_owned(), text);
    }
}

/// What every act changes.
fn is_counted(path: &str) -> bool {
    ["proposal.version", "proposal.updated_at"].contains(&path)
}

/// Names for identifiers, which differ from run to run.
#[derive(Default)]
struct Names(BTreeMap<String, usize>);

impl Names {
    fn apply(&mut self, line: &str) -> String {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut text = String::new();
        for piece in line.split_inclusive(|c| !is_part(c)) {
            let word = piece.trim_end_matches(|c| !is_part(c));
            match word.split_once('_') {
                Some((prefix, digits)) if prefix.len() == 4 && digits.len() == 32 => {
                    let next = self.0.len() + 1;
                    let number = self.0.entry(digits.to_owned()).or_insert(next);
                    write!(text, "{prefix}#{number}{}", &piece[word.len()..]).unwrap();
                }
                _ => text.push_str(piece),
            }
        }
        text
    }
}

/// The facts of a case, each under its path: fields of structures, entries of lists, and fields of
/// these.
fn flat(case: &Case) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    for (name, value) in fields(&format!("{case:?}")) {
        match name.as_str() {
            "proposal" | "session" => {
                for (field, value) in fields(&value) {
                    facts.insert(format!("{name}.{field}"), value);
                }
            }
            _ if value.starts_with('[') => {
                for (number, entry) in parts(&value).into_iter().enumerate() {
                    let inner = fields(&entry);
                    for (field, value) in &inner {
                        facts.insert(format!("{name}[{number}].{field}"), value.clone());
                    }
                    if inner.is_empty() {
                        facts.insert(format!("{name}[{number}]"), entry);
                    }
                }
            }
            _ => {
                facts.insert(name, value);
            }
        }
    }
    facts
}

/// Name and value of each field of a structure.
fn fields(text: &str) -> Vec<(String, String)> {
    let named = |part: String| {
        let (name, value) = part.split_once(": ")?;
        Some((name.to_owned(), value.to_owned()))
    };
    match text.find(['{', '(', '[', '"']) {
        Some(at) if text[at..].starts_with('{') => {
            parts(&text[at..]).into_iter().filter_map(named).collect()
        }
        _ => Vec::new(),
    }
}

/// What stands between the outermost brackets, apart at the commas.
fn parts(text: &str) -> Vec<String> {
    let (mut found, mut depth, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    let mut part = String::new();
    for c in text.chars() {
        let is_quote = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        quoted ^= is_quote;
        if !quoted && matches!(c, '}' | ']' | ')') {
            depth -= 1;
        }
        if depth == 1 && c == ',' && !quoted {
            found.push(std::mem::take(&mut part).trim().to_owned());
        } else if depth > 0 {
            part.push(c);
        }
        if !quoted && matches!(c, '{' | '[' | '(') {
            depth += 1;
        }
    }
    found.push(part.trim().to_owned());
    found.retain(|part| !part.is_empty());
    found
}

#[test]
fn facts_are_read_from_what_is_printed() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "only printed")]
    struct One {
        list: Vec<Two>,
        text: &'static str,
        maybe: Option<i32>,
    }
    #[derive(Debug)]
    #[expect(dead_code, reason = "only printed")]
    struct Two {
        a: i32,
        b: (i32, i32),
    }
    let printed = |value: &dyn Debug| format!("{value:?}");
    let one = One {
        list: vec![Two { a: 1, b: (2, 3) }],
        text: "x, \"{y}",
        maybe: Some(4),
    };
    let read = fields(&printed(&one));
    let expected = [
        ("list", "[Two { a: 1, b: (2, 3) }]"),
        ("text", r#""x, \"{y}""#),
        ("maybe", "Some(4)"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(read, expected);
    let inner = fields(&parts(&read[0].1)[0]);
    assert_eq!(inner[1], ("b".to_owned(), "(2, 3)".to_owned()));
}
