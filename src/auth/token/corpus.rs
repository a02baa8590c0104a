//! Hostile tokens, each made from a good one, with everything that is wrong with it: what is
//! declared here is what an independent reading (`objections.rs`) finds. So no token is refused for
//! another reason than the one it is here for, and each check has tokens that it alone stops.

use std::collections::{BTreeMap, BTreeSet};

use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

use super::objections::{Check, objections};
use super::tests::{Bench, bench, part, raw_signed_by, signed_by};
use super::*;

struct Hostile {
    what: String,
    token: String,
    stopped_by: BTreeSet<Check>,
}

fn hostile(what: impl Into<String>, token: String, stopped_by: &[Check]) -> Hostile {
    Hostile {
        what: what.into(),
        token,
        stopped_by: stopped_by.iter().copied().collect(),
    }
}

fn corpus(bench: &Bench) -> Vec<Hostile> {
    let mut all = wrong_times(bench);
    all.extend(wrong_claims(bench));
    all.extend(wrong_headers(bench));
    all.extend(shared_secrets(bench));
    all.extend(wrong_shapes(bench));
    all
}

fn wrong_times(bench: &Bench) -> Vec<Hostile> {
    let now = bench.now.as_second();
    let made = |at: i64| {
        let mut claims = bench.claims();
        claims["iat"] = json!(at);
        claims["nbf"] = json!(at);
        claims["exp"] = json!(at + LIFETIME);
        bench.signed(&bench.header(), &claims)
    };
    vec![
        hostile("made eleven minutes ago", made(now - 660), &[Check::Expiry]),
        hostile("made just too long ago", made(now - 605), &[Check::Expiry]),
        hostile(
            "made in the future",
            made(now + 6),
            &[Check::Start, Check::Issue],
        ),
        hostile(
            "expired before it was issued",
            bench.with("exp", json!(now - 30)),
            &[Check::Expiry, Check::Lifetime],
        ),
        hostile(
            "expired long ago",
            bench.with("exp", json!(0)),
            &[Check::Expiry, Check::Lifetime],
        ),
        hostile(
            "negative exp",
            bench.with("exp", json!(-1)),
            &[Check::Expiry, Check::Lifetime],
        ),
        hostile(
            "nbf in the future",
            bench.with("nbf", json!(now + 6)),
            &[Check::Start],
        ),
        hostile(
            "iat in the future",
            bench.with("iat", json!(now + 6)),
            &[Check::Issue],
        ),
        hostile(
            "a second too long",
            bench.with("exp", json!(now + LIFETIME + 1)),
            &[Check::Lifetime],
        ),
        hostile(
            "valid for a year",
            bench.with("exp", json!(now + 31_536_000)),
            &[Check::Lifetime],
        ),
        hostile(
            "huge exp",
            bench.with("exp", json!(i64::MAX)),
            &[Check::Lifetime],
        ),
        hostile(
            "exp as text",
            bench.with("exp", json!("9999999999")),
            &[Check::Claims],
        ),
        hostile(
            "exp as a fraction",
            bench.with("exp", json!(9e99)),
            &[Check::Claims],
        ),
        hostile("exp null", bench.with("exp", Value::Null), &[Check::Claims]),
    ]
}

fn wrong_claims(bench: &Bench) -> Vec<Hostile> {
    let Bench { parties, .. } = bench;
    let capitals = bench.subject.user.to_string().to_uppercase();
    let mut all = vec![
        hostile(
            "foreign issuer",
            bench.with("iss", json!("https://evil.example")),
            &[Check::Issuer],
        ),
        hostile(
            "issuer with a slash behind",
            bench.with("iss", json!(format!("{}/", parties.issuer))),
            &[Check::Issuer],
        ),
        hostile(
            "issuer as a list",
            bench.with("iss", json!([parties.issuer, "https://evil.example"])),
            &[Check::Claims],
        ),
        hostile(
            "foreign audience",
            bench.with("aud", json!("other")),
            &[Check::Audience],
        ),
        hostile(
            "empty audience",
            bench.with("aud", json!("")),
            &[Check::Audience],
        ),
        hostile(
            "audience as a list",
            bench.with("aud", json!([parties.audience])),
            &[Check::Claims],
        ),
        hostile(
            "subject of another kind",
            bench.with("sub", json!(bench.subject.committee)),
            &[Check::Claims],
        ),
        hostile(
            "subject in capitals",
            bench.with("sub", json!(capitals)),
            &[Check::Claims],
        ),
        hostile(
            "no claims",
            bench.signed(&bench.header(), &json!({})),
            &[Check::Claims],
        ),
        hostile(
            "claims as a list",
            bench.signed(&bench.header(), &json!([1])),
            &[Check::Claims],
        ),
    ];
    for name in [
        "iss", "aud", "sub", "cid", "sid", "jti", "iat", "nbf", "exp",
    ] {
        let token = bench.without(name);
        all.push(hostile(format!("without {name}"), token, &[Check::Claims]));
    }
    let other = format!(r#"{{"sub":"{}","#, UserId::new(bench.now));
    let twice = bench.claims().to_string().replacen('{', &other, 1);
    let message = format!(
        "{}.{}",
        part(&bench.header()),
        URL_SAFE_NO_PAD.encode(twice)
    );
    let twice = raw_signed_by(&bench.stored, &message);
    all.push(hostile("a claim given twice", twice, &[Check::Claims]));
    all
}

fn wrong_headers(bench: &Bench) -> Vec<Hostile> {
    let other = StoredKey::generate(bench.now).expect("a key");
    let x = URL_SAFE_NO_PAD.encode(&bench.stored.public_key);
    let with = |name: &str, value: Value| bench.with_header(name, value);
    let mut all = Vec::new();
    for alg in ["none", "NONE", "eddsa", "Ed25519", "ES256", "RS256", ""] {
        let token = with("alg", json!(alg));
        all.push(hostile(format!("alg {alg:?}"), token, &[Check::Algorithm]));
    }
    for typ in ["JWT", "AT+JWT", "dpop+jwt", "application/at+jwt"] {
        let token = with("typ", json!(typ));
        all.push(hostile(format!("typ {typ}"), token, &[Check::Type]));
    }
    for kid in ["0000000000000000", "../../dev/null", "' OR '1'='1", ""] {
        let token = with("kid", json!(kid));
        all.push(hostile(format!("kid {kid:?}"), token, &[Check::Key]));
    }
    for (name, value) in [
        ("jku", json!("https://evil.example/jwks.json")),
        ("jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": x })),
        ("x5u", json!("https://evil.example/x.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
    ] {
        all.push(hostile(name, with(name, value), &[Check::Header]));
    }
    all.extend([
        hostile(
            "kid null",
            with("kid", Value::Null),
            &[Check::Header, Check::Key],
        ),
        hostile(
            "kid as a list",
            with("kid", json!([bench.stored.kid])),
            &[Check::Header, Check::Key],
        ),
        hostile(
            "no typ",
            bench.without_header("typ"),
            &[Check::Header, Check::Type],
        ),
        hostile(
            "no kid",
            bench.without_header("kid"),
            &[Check::Header, Check::Key],
        ),
        hostile(
            "no alg",
            bench.without_header("alg"),
            &[Check::Header, Check::Algorithm],
        ),
        hostile(
            "another key under the name of ours",
            signed_by(&other, &bench.header(), &bench.claims()),
            &[Check::Signature],
        ),
    ]);
    for (name, value) in [("alg", "none"), ("kid", "0000000000000000")] {
        let first = format!(r#"{{"{name}":"{value}","#);
        let twice = bench.header().to_string().replacen('{', &first, 1);
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(twice),
            part(&bench.claims())
        );
        let twice = raw_signed_by(&bench.stored, &message);
        all.push(hostile(
            format!("{name} given twice"),
            twice,
            &[Check::Header],
        ));
    }
    all
}

/// The public key, which everybody has, as a shared secret.
fn shared_secrets(bench: &Bench) -> Vec<Hostile> {
    let x = URL_SAFE_NO_PAD.encode(&bench.stored.public_key);
    let mut all = Vec::new();
    for alg in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let header = Header {
            typ: Some(TYP.into()),
            kid: Some(bench.stored.kid.clone()),
            ..Header::new(alg)
        };
        for secret in [bench.stored.public_key.as_slice(), x.as_bytes(), b""] {
            let key = EncodingKey::from_secret(secret);
            let token = jsonwebtoken::encode(&header, &bench.claims(), &key).expect("a token");
            let what = format!("{alg:?} with {} bytes", secret.len());
            all.push(hostile(what, token, &[Check::Algorithm, Check::Signature]));
        }
    }
    all
}

fn wrong_shapes(bench: &Bench) -> Vec<Hostile> {
    let good = bench.signed(&bench.header(), &bench.claims());
    let parts: Vec<_> = good.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("three parts")
    };
    let none = part(&json!({ "alg": "none", "typ": "at+jwt", "kid": bench.stored.kid }));
    // The last character of the signature carries unused bits: another one means the same bytes.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet
        .find(&signature[signature.len() - 1..])
        .expect("base64url");
    let respelt = format!(
        "{}{}",
        &good[..good.len() - 1],
        &alphabet[last ^ 1..=last ^ 1]
    );
    let mut upgraded = bench.claims();
    upgraded["sub"] = json!(UserId::new(bench.now));
    let upgraded = part(&upgraded);
    vec![
        hostile(
            "no signature",
            format!("{header}.{claims}."),
            &[Check::Signature],
        ),
        hostile(
            "two parts",
            format!("{header}.{claims}"),
            &[Check::Shape, Check::Signature],
        ),
        hostile("four parts", format!("{good}.x"), &[Check::Shape]),
        hostile(
            "five parts, as enciphered",
            format!("{good}.x.y"),
            &[Check::Shape],
        ),
        hostile(
            "alg none without a signature",
            format!("{none}.{claims}."),
            &[Check::Algorithm, Check::Signature],
        ),
        hostile(
            "alg none with the signature",
            format!("{none}.{claims}.{signature}"),
            &[Check::Algorithm, Check::Signature],
        ),
        hostile(
            "other claims under the signature",
            format!("{header}.{upgraded}.{signature}"),
            &[Check::Signature],
        ),
        hostile(
            "a signature of zeros",
            format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
            &[Check::Signature],
        ),
        hostile("padding", format!("{good}="), &[Check::Spelling]),
        hostile(
            "another spelling of the signature",
            respelt,
            &[Check::Spelling],
        ),
        hostile("a blank before", format!(" {good}"), &[Check::Spelling]),
        hostile(
            "a line break behind",
            format!("{good}\n"),
            &[Check::Spelling],
        ),
        hostile(
            "not base64",
            format!("{header}.{claims}.***"),
            &[Check::Spelling, Check::Signature],
        ),
        hostile(
            "too long",
            bench.with("x", json!("a".repeat(3000))),
            &[Check::Length],
        ),
    ]
}

#[test]
fn the_twin_of_all_hostile_tokens_is_good() {
    let bench = bench();
    let twin = bench.signed(&bench.header(), &bench.claims());
    let keys = [bench.stored.clone()];
    let found = objections(&keys, &bench.parties, &twin, bench.now);
    assert!(found.is_empty(), "{found:?}");
    assert!(!bench.refuses(&twin));
}

#[test]
fn every_hostile_token_is_refused_and_for_what_is_wrong_with_it() {
    let bench = bench();
    let keys = [bench.stored.clone()];
    let (mut accepted, mut misjudged) = (Vec::new(), Vec::new());
    // Tokens that nothing but this check stops.
    let mut alone: BTreeMap<Check, Vec<String>> = BTreeMap::new();
    for Hostile {
        what,
        token,
        stopped_by,
    } in corpus(&bench)
    {
        let found = objections(&keys, &bench.parties, &token, bench.now);
        if found != stopped_by {
            misjudged.push(format!("{what}: {found:?}, not {stopped_by:?}"));
        }
        if !bench.refuses(&token) {
            accepted.push(what.clone());
        }
        if let Some(check) = stopped_by.first().filter(|_| stopped_by.len() == 1) {
            alone.entry(*check).or_default().push(what);
        }
    }
    assert_eq!(accepted, [""; 0], "accepted");
    assert_eq!(misjudged, [""; 0], "refused for something else");
    let unproven: Vec<_> = Check::ALL
        .iter()
        .filter(|check| !alone.contains_key(check))
        .collect();
    assert!(
        unproven.is_empty(),
        "no token shows the need of {unproven:?}"
    );
}

/// What is no token at all.
#[test]
fn nonsense_is_refused() {
    let bench = bench();
    let good = bench.signed(&bench.header(), &bench.claims());
    let parts: Vec<_> = good.split('.').collect();
    let long = "A".repeat(100_000);
    for nonsense in [
        String::new(),
        "..".to_owned(),
        "...".to_owned(),
        "null".to_owned(),
        "令牌.令牌.令牌".to_owned(),
        json!({ "protected": parts[0], "payload": parts[1], "signature": parts[2] }).to_string(),
        format!("{}.{long}.{}", parts[0], parts[2]),
        format!("{good} {good}"),
    ] {
        assert!(bench.refuses(&nonsense), "{nonsense:.60}");
    }
}
