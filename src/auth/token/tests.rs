//! A corpus of hostile tokens, and what good ones look like.

use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use super::*;

struct Bench {
    keys: Keys,
    stored: StoredKey,
    parties: Parties,
    subject: Subject,
    now: Timestamp,
}

fn bench() -> Bench {
    let now: Timestamp = "2026-11-23T08:00:00Z".parse().expect("moment");
    let stored = StoredKey::generate(now).expect("key");
    Bench {
        keys: Keys::new(vec![stored.clone()]),
        stored,
        parties: Parties {
            issuer: "https://jianjian.example".into(),
            audience: "jianjian".into(),
        },
        subject: Subject {
            committee: CommitteeId::new(now),
            user: UserId::new(now),
            sign_in: SignInId::new(now),
        },
        now,
    }
}

impl Bench {
    fn claims(&self) -> Value {
        let now = self.now.as_second();
        json!({
            "iss": self.parties.issuer, "aud": self.parties.audience,
            "sub": self.subject.user, "cid": self.subject.committee, "sid": self.subject.sign_in,
            "jti": "x", "iat": now, "nbf": now, "exp": now + LIFETIME,
        })
    }

    fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": self.stored.kid })
    }

    /// Any header and claims with a right signature of our key.
    fn signed(&self, header: &Value, claims: &Value) -> String {
        signed_by(&self.stored, header, claims)
    }

    fn with(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[name] = value;
        self.signed(&self.header(), &claims)
    }

    fn without(&self, name: &str) -> String {
        let mut claims = self.claims();
        claims.as_object_mut().expect("object").remove(name);
        self.signed(&self.header(), &claims)
    }

    fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = self.header();
        header[name] = value;
        self.signed(&header, &self.claims())
    }

    fn without_header(&self, name: &str) -> String {
        let mut header = self.header();
        header.as_object_mut().expect("object").remove(name);
        self.signed(&header, &self.claims())
    }

    fn refuses(&self, token: &str) -> bool {
        let result = self.keys.verify(&self.parties, token, self.now);
        matches!(result, Err(error) if error.code() == Code::Unauthenticated)
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn signed_by(key: &StoredKey, header: &Value, claims: &Value) -> String {
    raw_signed_by(key, &format!("{}.{}", part(header), part(claims)))
}

fn raw_signed_by(key: &StoredKey, message: &str) -> String {
    let pair = Ed25519KeyPair::from_pkcs8(&key.private_key).expect("key");
    let signature = pair.sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_good_token_is_accepted_and_says_what_it_should() {
    let bench = bench();
    let token = bench
        .keys
        .issue(&bench.parties, bench.subject, bench.now)
        .expect("token");
    let claims = bench
        .keys
        .verify(&bench.parties, &token, bench.now)
        .expect("claims");
    let subject = Subject {
        committee: claims.cid,
        user: claims.sub,
        sign_in: claims.sid,
    };
    assert_eq!(subject, bench.subject);
    assert_eq!(claims.exp - claims.iat, LIFETIME);
    assert!(token.len() < MAX_TOKEN);
    // The bench itself signs well: what it makes is refused for what is wrong with it.
    assert!(!bench.refuses(&bench.signed(&bench.header(), &bench.claims())));
    let header = jsonwebtoken::decode_header(&token).expect("header");
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(header.kid.as_deref(), Some(bench.stored.kid.as_str()));
}

#[test]
fn the_clock_of_the_service_decides() {
    let bench = bench();
    let token = bench
        .keys
        .issue(&bench.parties, bench.subject, bench.now)
        .expect("token");
    let valid_after = |seconds: i64| {
        let at = bench.now + SignedDuration::from_secs(seconds);
        bench.keys.verify(&bench.parties, &token, at).is_ok()
    };
    assert!(valid_after(LIFETIME + LEEWAY - 1));
    assert!(!valid_after(LIFETIME + LEEWAY));
    assert!(valid_after(-LEEWAY));
    assert!(!valid_after(-LEEWAY - 1));
}

#[test]
fn hostile_claims_are_refused() {
    let bench = bench();
    let now = bench.now.as_second();
    let other = StoredKey::generate(bench.now).expect("key");
    let cases = [
        ("expired", bench.with("exp", json!(now - 30))),
        ("expired long ago", bench.with("exp", json!(0))),
        ("negative exp", bench.with("exp", json!(-1))),
        ("nbf in the future", bench.with("nbf", json!(now + 30))),
        ("iat in the future", bench.with("iat", json!(now + 30))),
        (
            "valid for a year",
            bench.with("exp", json!(now + 31_536_000)),
        ),
        ("huge exp", bench.with("exp", json!(i64::MAX))),
        ("exp as text", bench.with("exp", json!("9999999999"))),
        ("exp as a fraction", bench.with("exp", json!(9e99))),
        ("exp null", bench.with("exp", Value::Null)),
        (
            "foreign issuer",
            bench.with("iss", json!("https://evil.example")),
        ),
        (
            "issuer as list",
            bench.with("iss", json!([bench.parties.issuer, "https://evil.example"])),
        ),
        ("foreign audience", bench.with("aud", json!("other"))),
        (
            "audience as list",
            bench.with("aud", json!([bench.parties.audience])),
        ),
        ("empty audience", bench.with("aud", json!(""))),
        (
            "subject of another kind",
            bench.with("sub", json!(bench.subject.committee)),
        ),
        (
            "subject in capitals",
            bench.with("sub", json!(bench.subject.user.to_string().to_uppercase())),
        ),
        ("no claims", bench.signed(&bench.header(), &json!({}))),
        (
            "claims are a list",
            bench.signed(&bench.header(), &json!([1])),
        ),
        (
            "signed with another key",
            signed_by(&other, &bench.header(), &bench.claims()),
        ),
    ];
    for (what, token) in &cases {
        assert!(bench.refuses(token), "{what}");
    }
    for name in [
        "iss", "aud", "sub", "cid", "sid", "jti", "iat", "nbf", "exp",
    ] {
        assert!(bench.refuses(&bench.without(name)), "without {name}");
    }
    let twice = bench
        .claims()
        .to_string()
        .replacen('{', r#"{"sub":"user_x","#, 1);
    let twice = format!(
        "{}.{}",
        part(&bench.header()),
        URL_SAFE_NO_PAD.encode(twice)
    );
    assert!(
        bench.refuses(&raw_signed_by(&bench.stored, &twice)),
        "a claim given twice"
    );
}

#[test]
fn hostile_headers_are_refused() {
    let bench = bench();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(&bench.stored.public_key) });
    let cases = [
        ("alg none", bench.with_header("alg", json!("none"))),
        ("alg NONE", bench.with_header("alg", json!("NONE"))),
        (
            "alg in small letters",
            bench.with_header("alg", json!("eddsa")),
        ),
        ("alg Ed25519", bench.with_header("alg", json!("Ed25519"))),
        ("alg ES256", bench.with_header("alg", json!("ES256"))),
        ("alg RS256", bench.with_header("alg", json!("RS256"))),
        ("typ JWT", bench.with_header("typ", json!("JWT"))),
        ("typ in capitals", bench.with_header("typ", json!("AT+JWT"))),
        ("typ dpop", bench.with_header("typ", json!("dpop+jwt"))),
        (
            "unknown kid",
            bench.with_header("kid", json!("0000000000000000")),
        ),
        (
            "kid as a path",
            bench.with_header("kid", json!("../../dev/null")),
        ),
        (
            "kid as a query",
            bench.with_header("kid", json!("' OR '1'='1")),
        ),
        ("kid null", bench.with_header("kid", Value::Null)),
        (
            "jku",
            bench.with_header("jku", json!("https://evil.example/jwks.json")),
        ),
        ("jwk", bench.with_header("jwk", jwk)),
        (
            "x5u",
            bench.with_header("x5u", json!("https://evil.example/x.pem")),
        ),
        ("x5c", bench.with_header("x5c", json!(["MIIB"]))),
        ("crit", bench.with_header("crit", json!(["exp"]))),
        ("empty crit", bench.with_header("crit", json!([]))),
        ("b64", bench.with_header("b64", json!(false))),
        ("zip", bench.with_header("zip", json!("DEF"))),
        ("cty", bench.with_header("cty", json!("JWT"))),
        ("no typ", bench.without_header("typ")),
        ("no kid", bench.without_header("kid")),
        ("no alg", bench.without_header("alg")),
    ];
    for (what, token) in &cases {
        assert!(bench.refuses(token), "{what}");
    }
    let twice = bench
        .header()
        .to_string()
        .replacen('{', r#"{"alg":"none","#, 1);
    let twice = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(twice),
        part(&bench.claims())
    );
    assert!(
        bench.refuses(&raw_signed_by(&bench.stored, &twice)),
        "alg given twice"
    );
}

#[test]
fn the_public_key_is_no_shared_secret() {
    let bench = bench();
    for alg in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let header = Header {
            typ: Some(TYP.into()),
            kid: Some(bench.stored.kid.clone()),
            ..Header::new(alg)
        };
        let x = URL_SAFE_NO_PAD.encode(&bench.stored.public_key);
        for secret in [bench.stored.public_key.as_slice(), x.as_bytes(), b""] {
            let key = EncodingKey::from_secret(secret);
            let token = jsonwebtoken::encode(&header, &bench.claims(), &key).expect("token");
            assert!(bench.refuses(&token), "{alg:?}");
        }
    }
}

#[test]
fn broken_shapes_are_refused() {
    let bench = bench();
    let good = bench.signed(&bench.header(), &bench.claims());
    let parts: Vec<_> = good.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("three parts")
    };
    let none = part(&json!({ "alg": "none", "typ": "at+jwt", "kid": bench.stored.kid }));
    // The last character of the signature carries unused bits: any other spelling is refused.
    let last = if signature.ends_with('A') { 'B' } else { 'A' };
    let respelt = format!("{}{last}", &good[..good.len() - 1]);
    let upgraded = part(&json!({ "sub": UserId::new(bench.now) }));
    for (what, token) in [
        ("empty", String::new()),
        ("dots", "..".to_owned()),
        ("no signature", format!("{header}.{claims}.")),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{good}.x")),
        ("five parts, as encrypted", format!("{good}.x.y")),
        ("alg none without signature", format!("{none}.{claims}.")),
        (
            "alg none with signature",
            format!("{none}.{claims}.{signature}"),
        ),
        (
            "other claims under the signature",
            format!("{header}.{upgraded}.{signature}"),
        ),
        ("padding", format!("{good}=")),
        ("respelt signature", respelt),
        ("space before", format!(" {good}")),
        ("line break behind", format!("{good}\n")),
        (
            "zero signature",
            format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
        ),
        ("not base64", format!("{header}.{claims}.***")),
        (
            "JSON form",
            json!({ "protected": header, "payload": claims }).to_string(),
        ),
        (
            "too long",
            format!("{header}.{}.{signature}", "A".repeat(100_000)),
        ),
        ("other letters", "令牌.令牌.令牌".to_owned()),
    ] {
        assert!(bench.refuses(&token), "{what}");
    }
}

#[test]
fn a_retired_key_verifies_until_its_last_token_has_expired() {
    let mut bench = bench();
    let old = bench
        .keys
        .issue(&bench.parties, bench.subject, bench.now)
        .expect("token");
    bench.stored.retired_at = Some(bench.now);
    let next = StoredKey::generate(bench.now + SignedDuration::from_secs(1)).expect("key");
    bench.keys.replace(vec![bench.stored.clone(), next.clone()]);
    assert!(!bench.refuses(&old));
    let new = bench
        .keys
        .issue(&bench.parties, bench.subject, bench.now)
        .expect("token");
    assert_eq!(header(&new).map(|header| header.kid), Some(next.kid));
    assert_eq!(bench.keys.jwks(bench.now).len(), 2);
    assert_eq!(bench.keys.refresh_keys(bench.now).len(), 2);
    bench.now += RETIREMENT;
    let late = bench.with("exp", json!(bench.now.as_second() + 60));
    assert!(bench.refuses(&late));
    assert_eq!(bench.keys.jwks(bench.now).len(), 1);
}

#[test]
fn the_jwks_verifies_our_tokens_and_holds_no_secret() {
    let bench = bench();
    let token = bench
        .keys
        .issue(&bench.parties, bench.subject, bench.now)
        .expect("token");
    let jwk = serde_json::to_value(&bench.keys.jwks(bench.now)[0]).expect("JSON");
    assert!(jwk.get("d").is_none());
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwk).expect("JWK");
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.set_audience(&["jianjian"]);
    let key = DecodingKey::from_jwk(&jwk).expect("key");
    assert!(jsonwebtoken::decode::<Claims>(&token, &key, &validation).is_ok());
}

#[test]
fn unknown_keys_are_looked_for_at_most_every_few_seconds() {
    let bench = bench();
    let token = bench.with_header("kid", json!("0000000000000000"));
    assert!(
        !bench.keys.may_be_elsewhere(&token),
        "the keys were read just now"
    );
    assert!(!bench.keys.is_stale());
}

#[test]
fn debug_output_holds_no_secret() {
    let bench = bench();
    let text = format!("{:?} {:?}", bench.keys, bench.stored);
    assert!(text.contains(&bench.stored.kid));
    assert!(!text.contains("private_key") && !text.contains("refresh_secret"));
}
