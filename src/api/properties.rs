//! What must hold of everything that reads what strangers send, whatever they send. The tests below
//! ask it of thousands of random inputs and of the seeds in `fuzz/seeds`; the fuzz targets in `fuzz`
//! ask it for as long as they are let.
//!
//! A property panics where it does not hold.

#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::similar_names,
    reason = "panicking is how a property says that it does not hold"
)]

use std::sync::OnceLock;

use actix_web::http::header::{ContentDisposition, DispositionParam, HeaderValue};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::extract::{MAX_ETAGS, key_of, tags_of};
use super::guard::bearer;
use super::json::{merge, strict_json};
use super::page::{Binding, PageQuery};
use super::query;
use super::upload::name_in;
use crate::app::ctx::IfMatch;
use crate::auth::api_token::{ApiToken, TEXT_LENGTH};
use crate::auth::refresh::RefreshToken;
use crate::auth::token::{Keys, Parties, StoredKey, Subject};
use crate::files::name;
use crate::ids::{ApiTokenId, CommitteeId, SignInId, UserId};
use crate::text;
use crate::workflow::calendar_file::{self, FileDay, MOST_DAYS, Wrong};

/// A property of what is read from these bytes.
pub type Property = fn(&[u8]);

/// Every property by its name, which is also the name of the fuzz target and of its seeds.
pub const ALL: [(&str, Property); 10] = [
    ("calendar_file", calendar_file),
    ("cursor", cursor),
    ("file_name", file_name),
    ("idempotency_key", idempotency_key),
    ("if_match", if_match),
    ("merge_patch", merge_patch),
    ("part_header", part_header),
    ("search", search),
    ("strict_json", strict),
    ("token", token),
];

fn committee(number: u128) -> CommitteeId {
    CommitteeId::from_uuid(uuid::Uuid::from_u128(number))
}

/// The same text with one character changed, at a place that the text itself chooses.
fn tampered(text: &str) -> String {
    let characters = text.chars().count().max(1);
    let place = text.bytes().map(usize::from).sum::<usize>() % characters;
    text.chars()
        .enumerate()
        .map(|(at, c)| match c {
            c if at != place => c,
            'A' => 'B',
            _ => 'A',
        })
        .collect()
}

/// A cursor is read as it was made, by the list that made it and by no other; whatever else is taken
/// for a cursor is one.
pub fn cursor(data: &[u8]) {
    let (own, other) = (Binding::feed(committee(1)), Binding::feed(committee(2)));
    let text = String::from_utf8_lossy(data);
    if let Ok(key) = own.decode::<Value>(&text) {
        assert_eq!(
            own.encode(&key).ok().as_deref(),
            Some(&*text),
            "two cursors for one key"
        );
    }
    let key = (text.to_string(), data.len());
    let Ok(made) = own.encode(&key) else {
        panic!("no cursor for {key:?}");
    };
    assert_eq!(own.decode::<(String, usize)>(&made).ok(), Some(key));
    assert!(other.decode::<Value>(&made).is_err(), "of another list");
    assert!(
        own.decode::<Value>(&tampered(&made)).is_err(),
        "a changed cursor"
    );
    assert!(
        made.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    );
}

/// If-Match accepts the versions that it names in quotes, and no other.
pub fn if_match(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Some(read) = tags_of(&text) else {
        return;
    };
    assert!(text.len() <= MAX_ETAGS, "{} bytes", text.len());
    match &read {
        IfMatch::Missing => panic!("a header that is there is not missing"),
        IfMatch::Any => assert_eq!(text.trim(), "*"),
        IfMatch::Tags(tags) => {
            assert!(!tags.is_empty());
            let quoted: Vec<String> = tags
                .iter()
                .map(|tag| match tag.strip_prefix("W/") {
                    Some(weak) if text.contains("W/\"") => format!("W/\"{weak}\""),
                    _ => format!("\"{tag}\""),
                })
                .collect();
            let quoted = quoted.join(",");
            if quoted.len() <= MAX_ETAGS {
                assert_eq!(tags_of(&quoted).as_ref(), Some(&read), "another reading");
            }
        }
    }
    for version in [1, 12, i32::MAX] {
        if read.check(version).is_ok() {
            let named = text.contains(&format!("\"{version}\""));
            assert!(named || read == IfMatch::Any, "{version} is not named");
        }
    }
}

/// An Idempotency-Key is 8 to 128 visible characters, and the same with quotes and without.
pub fn idempotency_key(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Some(key) = key_of(&text) else {
        return;
    };
    assert!((8..=128).contains(&key.len()), "{} characters", key.len());
    assert!(key.bytes().all(|b| b.is_ascii_graphic() && b != b'"'));
    assert_eq!(key_of(&format!("\"{key}\"")), Some(key));
    assert_eq!(key_of(key), Some(key));
    assert_eq!(key_of(&format!("\"{key}")), None, "half a pair of quotes");
}

/// JSON is what every reader of JSON takes for the same value, without NUL, and each name once; 2.0 and 2 are the
/// same number.
pub fn strict(data: &[u8]) {
    let Ok(value) = strict_json(data) else {
        return;
    };
    let lenient = serde_json::from_slice::<Value>(data).ok();
    assert!(
        lenient.is_some_and(|lenient| are_same(&lenient, &value)),
        "another reading"
    );
    assert!(!holds_nul(&value), "NUL");
    let again = value.to_string();
    assert!(
        strict_json(again.as_bytes()).is_ok(),
        "its own text is refused"
    );
}

fn are_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            // Two whole numbers to the last digit.
            one == other || one.is_f64() != other.is_f64() && one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| are_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(name, one)| other.get(name).is_some_and(|other| are_same(one, other));
            one.len() == other.len() && one.iter().all(same)
        }
        _ => one == other,
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(map) => map
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

/// The laws of RFC 7396: a patch leaves what it does not name, removes what it gives as null, and
/// has no more effect the second time.
pub fn merge_patch(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (Some(first), Some(second)) = (parts.next(), parts.next()) else {
        return;
    };
    let (Ok(target), Ok(patch)) = (strict_json(first), strict_json(second)) else {
        return;
    };
    let merged = |target: &Value, patch: &Value| {
        let mut value = target.clone();
        merge(&mut value, patch.clone());
        value
    };
    let once = merged(&target, &patch);
    assert_eq!(merged(&once, &patch), once, "a second time");
    let Value::Object(patch) = &patch else {
        assert_eq!(once, patch, "what is no object replaces");
        return;
    };
    let none = Map::new();
    let (before, after) = (
        target.as_object().unwrap_or(&none),
        once.as_object().unwrap_or(&none),
    );
    assert!(once.is_object());
    for (name, value) in after {
        match patch.get(name) {
            None => assert_eq!(before.get(name), Some(value), "not named by the patch"),
            Some(Value::Null) => panic!("{name} is not removed"),
            Some(Value::Object(_)) => assert!(value.is_object()),
            Some(given) => assert_eq!(value, given),
        }
    }
    for name in before.keys().filter(|name| !patch.contains_key(*name)) {
        assert!(after.contains_key(name), "{name} is lost");
    }
    if target.is_object() {
        assert_eq!(
            merged(&target, &Value::Object(Map::new())),
            target,
            "an empty patch"
        );
    }
}

/// Keys that sign the tokens of these properties.
fn keys() -> &'static (Keys, Parties) {
    static KEYS: OnceLock<(Keys, Parties)> = OnceLock::new();
    KEYS.get_or_init(|| {
        let key = StoredKey::generate(Timestamp::UNIX_EPOCH).ok();
        let parties = Parties {
            issuer: "https://tian.example".to_owned(),
            audience: "jianjian".to_owned(),
        };
        (Keys::new(key.into_iter().collect()), parties)
    })
}

/// A token is ours only as it was issued, to the last bit; and what was read of one is what was
/// sent.
pub fn token(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(token) = bearer(&text) {
        assert!(!token.is_empty() && token.trim() == token, "{token:?}");
        assert_eq!(bearer(&format!("Bearer {token}")), Some(token));
    }
    if let Some(token) = ApiToken::parse(&text) {
        assert_eq!((token.reveal(), text.len()), (&*text, TEXT_LENGTH));
        assert!(token.is(&token.hash()));
    }
    if let Some(token) = RefreshToken::parse(&text) {
        assert_eq!(token.reveal(), text, "two texts of one token");
    }
    let (keys, parties) = keys();
    let now = Timestamp::UNIX_EPOCH;
    // Nobody can guess a signature.
    assert!(keys.verify(parties, &text, now).is_err(), "{text}");
    let subject = Subject {
        committee: committee(1),
        user: UserId::from_uuid(uuid::Uuid::from_u128(2)),
        sign_in: SignInId::from_uuid(uuid::Uuid::from_u128(3)),
    };
    let Ok(issued) = keys.issue(parties, subject, now) else {
        panic!("no token");
    };
    assert!(keys.verify(parties, &issued, now).is_ok());
    let place = data.iter().map(|byte| usize::from(*byte)).sum::<usize>() % issued.len();
    let (head, tail) = issued.split_at(place);
    let spliced = format!("{head}{text}{tail}");
    let accepted = keys.verify(parties, &spliced, now).is_ok();
    assert_eq!(accepted, spliced == issued, "{spliced}");
    let changed = format!("{head}{}", tampered(tail));
    assert!(keys.verify(parties, &changed, now).is_err(), "{changed}");
    let api = ApiToken::generate(
        committee(1),
        ApiTokenId::from_uuid(uuid::Uuid::from_u128(4)),
    );
    if let Ok(api) = api {
        assert!(ApiToken::parse(api.reveal()).is_some());
        assert!(ApiToken::parse(&tampered(api.reveal())).is_none());
    }
}

/// Days of a file, or what is wrong in it with the number of a line that is there.
fn read_days(text: &str, read: Result<Vec<FileDay>, Vec<Wrong>>) -> Vec<FileDay> {
    let lines = text.split('\n').count();
    match read {
        Ok(days) => {
            assert!(days.len() <= MOST_DAYS + 31, "{} days", days.len());
            assert!(days.iter().all(|day| (1..=lines).contains(&day.line)));
            days
        }
        Err(wrongs) => {
            assert!((1..=50).contains(&wrongs.len()), "{} wrongs", wrongs.len());
            for wrong in &wrongs {
                assert!(
                    (1..=lines).contains(&wrong.line),
                    "{wrong:?} of {lines} lines"
                );
            }
            Vec::new()
        }
    }
}

/// A file gives days that can be written again, or says on which of its lines it is wrong.
pub fn calendar_file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let from_icalendar = read_days(&text, calendar_file::from_icalendar(&text));
    let from_csv = read_days(&text, calendar_file::from_csv(&text));
    assert!(
        from_icalendar.is_empty() || from_csv.is_empty(),
        "read as both"
    );
    if from_csv.is_empty() || from_csv.len() > MOST_DAYS {
        return;
    }
    let mut again = csv::Writer::from_writer(Vec::new());
    let mut written = again.write_record(["date", "kind", "name"]).is_ok();
    for day in &from_csv {
        let date = day.date.to_string();
        let name = day.name.as_deref().unwrap_or_default();
        written &= again
            .write_record([&*date, day.kind.as_str(), name])
            .is_ok();
    }
    assert!(written);
    let again = again
        .into_inner()
        .ok()
        .and_then(|text| String::from_utf8(text).ok());
    let again = calendar_file::from_csv(&again.unwrap_or_default()).unwrap_or_default();
    let told = |days: &[FileDay]| -> Vec<_> {
        days.iter()
            .map(|day| (day.date, day.kind, day.name.clone()))
            .collect()
    };
    assert_eq!(told(&again), told(&from_csv), "another reading");
}

/// A clean name is clean, harmless on every system, and survives a download.
fn harmless(clean: &str) {
    assert_eq!(name::clean(clean), clean, "cleaning goes on");
    assert!(
        (1..=name::MAX_CHARS).contains(&clean.chars().count()),
        "{clean:?}"
    );
    assert!(
        !clean.contains(['/', '\\', '<', '>', ':', '"', '|', '?', '*']),
        "{clean:?}"
    );
    assert!(!clean.chars().any(char::is_control), "{clean:?}");
    assert!(
        !clean.starts_with('.') && !clean.ends_with('.'),
        "{clean:?}"
    );
    assert!(clean.trim() == clean, "{clean:?}");
    let header = name::disposition(clean);
    assert!(
        header.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
        "{header:?}"
    );
    let Ok(value) = HeaderValue::from_str(&header) else {
        panic!("no header: {header:?}");
    };
    let Ok(read) = ContentDisposition::from_raw(&value) else {
        panic!("not read: {header:?}");
    };
    assert!(read.is_attachment());
    assert_eq!(name_in(&read).as_deref(), Some(clean), "{header:?}");
    let parameters = read.parameters.iter();
    let known = |param: &&DispositionParam| {
        matches!(
            param,
            DispositionParam::Filename(_) | DispositionParam::FilenameExt(_)
        )
    };
    assert_eq!(
        parameters.filter(known).count(),
        read.parameters.len(),
        "{header:?}"
    );
}

/// The name of an upload, whatever it was, is given back as a harmless one.
pub fn file_name(data: &[u8]) {
    harmless(&name::clean(&String::from_utf8_lossy(data)));
}

/// The head of a part, whatever it says, gives a harmless name or none.
pub fn part_header(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    if let Ok(disposition) = ContentDisposition::from_raw(&value)
        && let Some(name) = name_in(&disposition)
    {
        harmless(&name::clean(&name));
    }
}

/// A search finds what it says and nothing by accident: signs that have a meaning in a pattern have
/// none in a search. A query string is read within its limits or refused.
pub fn search(data: &[u8]) {
    let words = String::from_utf8_lossy(data);
    let folded = text::fold(&words);
    assert_eq!(text::fold(&folded), folded, "folding goes on");
    let pattern = text::contains_pattern(&words);
    let inside = pattern
        .strip_prefix('%')
        .and_then(|rest| rest.strip_suffix('%'));
    let mut literal = String::new();
    let mut signs = inside.unwrap_or_default().chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => literal.extend(signs.next()),
            '%' | '_' => panic!("{sign} has a meaning in {pattern:?}"),
            sign => literal.push(sign),
        }
    }
    assert_eq!(literal, folded);
    if let Ok(page) = query::parse::<PageQuery>(&words) {
        assert!((1..=100).contains(&page.limit.get()));
        assert!(!page.cursor.is_some_and(|cursor| cursor.contains('\0')));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bytes, any text, and texts made of what the readers look for.
    fn inputs() -> impl Strategy<Value = Vec<u8>> {
        let near = prop::sample::select(vec![
            "\"",
            "*",
            ",",
            "W/",
            "1",
            "12",
            "Bearer ",
            "jjt_",
            "jjr_",
            ".",
            "{",
            "}",
            "[",
            "]",
            ":",
            "null",
            "\"a\"",
            "\"b\"",
            "\0",
            "\n",
            "\r\n",
            "BEGIN:VCALENDAR\n",
            "BEGIN:VEVENT\n",
            "END:VEVENT\n",
            "END:VCALENDAR\n",
            "DTSTART;VALUE=DATE:20270206\n",
            "SUMMARY:春节（休）\n",
            "date,kind,name\n",
            "2027-02-06,holiday,春节\n",
            "form-data; name=\"file\"; ",
            "filename=",
            "filename*=UTF-8''",
            "%E9%99%84",
            "../",
            "\\",
            "\u{202e}",
            "e\u{301}",
            "İ",
            "ϓ",
            "%",
            "_",
            "limit=",
            "cursor=",
            "&",
            "%00",
            " ",
            "附件.pdf",
        ]);
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            ".{0,300}".prop_map(String::into_bytes),
            prop::collection::vec(near, 0..16).prop_map(|parts| parts.concat().into_bytes()),
        ]
    }

    /// JSON with the same few names again and again.
    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

        #[test]
        fn every_property_holds_of_random_input(data in inputs()) {
            for (_, property) in ALL {
                property(&data);
            }
        }

        #[test]
        fn merging_keeps_its_laws(target in json(), patch in json()) {
            merge_patch(format!("{target}\0{patch}").as_bytes());
        }

        #[test]
        fn names_are_made_harmless(name in "\\PC{0,40}[./\\\\ \u{200b}\u{301}]{0,3}\\PC{0,230}") {
            file_name(name.as_bytes());
        }

        #[test]
        fn folding_ends(words in "\\PC{0,60}") {
            search(words.as_bytes());
        }
    }

    /// What was once found, and what a fuzzer starts from.
    #[test]
    fn every_property_holds_of_the_seeds() {
        let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
        for (name, property) in ALL {
            let folder = seeds.join(name);
            let files =
                std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut count = 0;
            for file in files {
                let file = file.expect("an entry").path();
                property(&std::fs::read(&file).expect("a seed"));
                count += 1;
            }
            assert!(count >= 3, "{name} has {count} seeds");
        }
    }

    /// Each seed folder has a target, and each target a seed folder.
    #[test]
    fn every_property_is_a_fuzz_target() {
        let fuzz = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("the manifest");
        for (name, _) in ALL {
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
            let target = fuzz.join(format!("fuzz_targets/{name}.rs"));
            assert!(target.is_file(), "{name}");
        }
    }
}
