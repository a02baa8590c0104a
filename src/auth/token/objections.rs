//! What is wrong with a token, read anew and apart from the code that refuses: every objection and
//! not only the first. A token with a single one gets through as soon as that check is missing; so
//! a corpus in which each check has such a token is one that cannot pass by accident.

use std::collections::BTreeSet;
use std::fmt;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::*;

/// One thing that is asked of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Check {
    /// At most 2,048 bytes.
    Length,
    /// Three parts.
    Shape,
    /// base64url, without padding, blanks or a second spelling.
    Spelling,
    /// An object of the three members that our headers have, each once and a text.
    Header,
    /// `EdDSA`.
    Algorithm,
    /// `at+jwt`.
    Type,
    /// The name of a key of ours.
    Key,
    /// Of a key of ours, over this header and these claims.
    Signature,
    /// An object with all nine claims, each once and of its kind.
    Claims,
    /// Ours.
    Issuer,
    /// Us.
    Audience,
    /// Not over.
    Expiry,
    /// Begun.
    Start,
    /// Issued in the past.
    Issue,
    /// No longer than any of ours.
    Lifetime,
}

impl Check {
    pub(super) const ALL: [Self; 15] = [
        Self::Length,
        Self::Shape,
        Self::Spelling,
        Self::Header,
        Self::Algorithm,
        Self::Type,
        Self::Key,
        Self::Signature,
        Self::Claims,
        Self::Issuer,
        Self::Audience,
        Self::Expiry,
        Self::Start,
        Self::Issue,
        Self::Lifetime,
    ];
}

/// An object as it is written: a name may come twice.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl Members {
    fn read(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or(Self(Vec::new()))
    }

    /// The last of that name, as lenient readers take it.
    fn get(&self, name: &str) -> Option<&Value> {
        let mut found = self.0.iter().rev().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|(key, _)| key == name).count()
    }
}

/// base64url in whatever spelling.
fn lenient(part: &str) -> Vec<u8> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&alphabet::URL_SAFE, config);
    engine.decode(part.trim()).unwrap_or_default()
}

/// Every objection to a token that claims to be of these keys and parties.
pub(super) fn objections(
    keys: &[StoredKey],
    parties: &Parties,
    token: &str,
    now: Timestamp,
) -> BTreeSet<Check> {
    let mut found = BTreeSet::new();
    let mut object = |check: Check, stands: bool| {
        if stands {
            found.insert(check);
        }
    };
    let parts: Vec<_> = token.split('.').collect();
    let part = |number: usize| parts.get(number).copied().unwrap_or_default();
    object(Check::Length, token.len() > 2048);
    object(Check::Shape, parts.len() != 3);
    let misspelt = |part: &&str| URL_SAFE_NO_PAD.decode(part).is_err();
    object(Check::Spelling, parts.iter().take(3).any(misspelt));

    let header = Members::read(&lenient(part(0)));
    let members = ["alg", "typ", "kid"];
    let whole = header.0.len() == 3 && members.iter().all(|name| header.text(name).is_some());
    object(Check::Header, !whole);
    object(Check::Algorithm, header.text("alg") != Some("EdDSA"));
    object(Check::Type, header.text("typ") != Some("at+jwt"));
    let named = |key: &&StoredKey| header.text("kid") == Some(key.kid.as_str());
    object(Check::Key, !keys.iter().any(|key| named(&key)));

    let message = format!("{}.{}", part(0).trim(), part(1));
    let signature = lenient(part(2));
    let signed = |key: &StoredKey| {
        let key = UnparsedPublicKey::new(&ED25519, &key.public_key);
        key.verify(message.as_bytes(), &signature).is_ok()
    };
    object(Check::Signature, !keys.iter().any(signed));

    let claims = Members::read(&lenient(part(1)));
    object(Check::Claims, !is_whole(&claims));
    let is_for = |name: &str, wanted: &str| match claims.get(name) {
        Some(Value::String(text)) => text == wanted,
        // Whether it may be a list or be missing is a question of the form.
        Some(Value::Array(texts)) => texts.iter().any(|text| text == wanted),
        _ => true,
    };
    object(Check::Issuer, !is_for("iss", &parties.issuer));
    object(Check::Audience, !is_for("aud", &parties.audience));
    let moment = |name: &str| claims.get(name).and_then(Value::as_i64);
    let (now, leeway) = (now.as_second(), 5);
    let late = |name: &str| moment(name).is_some_and(|at| at > now + leeway);
    object(
        Check::Expiry,
        moment("exp").is_some_and(|exp| exp.saturating_add(leeway) <= now),
    );
    object(Check::Start, late("nbf"));
    object(Check::Issue, late("iat"));
    let life = moment("exp").zip(moment("iat"));
    let life = life.map(|(exp, iat)| exp.saturating_sub(iat));
    object(
        Check::Lifetime,
        life.is_some_and(|life| !(0..=600).contains(&life)),
    );
    found
}

fn is_whole(claims: &Members) -> bool {
    let texts = ["iss", "aud", "sub", "cid", "sid", "jti"];
    let moments = ["iat", "nbf", "exp"];
    let once = |name: &&str| claims.count(name) == 1;
    let is = |name: &str, parses: fn(&str) -> bool| claims.text(name).is_some_and(parses);
    texts.iter().chain(&moments).all(once)
        && texts.iter().all(|name| claims.text(name).is_some())
        && moments
            .iter()
            .all(|name| claims.get(name).is_some_and(Value::is_i64))
        && is("sub", |text| text.parse::<UserId>().is_ok())
        && is("cid", |text| text.parse::<CommitteeId>().is_ok())
        && is("sid", |text| text.parse::<SignInId>().is_ok())
}
