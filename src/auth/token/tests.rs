//! What good tokens look like, and how keys change. The hostile ones: `corpus.rs`.

use serde_json::{Value, json};

use super::*;

pub(super) struct Bench {
    pub(super) keys: Keys,
    pub(super) stored: StoredKey,
    pub(super) parties: Parties,
    pub(super) subject: Subject,
    pub(super) now: Timestamp,
}

pub(super) fn bench() -> Bench {
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
    pub(super) fn claims(&self) -> Value {
        let now = self.now.as_second();
        json!({
            "iss": self.parties.issuer, "aud": self.parties.audience,
            "sub": self.subject.user, "cid": self.subject.committee, "sid": self.subject.sign_in,
            "jti": "x", "iat": now, "nbf": now, "exp": now + LIFETIME,
        })
    }

    pub(super) fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": self.stored.kid })
    }

    /// Any header and claims with a right signature of our key.
    pub(super) fn signed(&self, header: &Value, claims: &Value) -> String {
        signed_by(&self.stored, header, claims)
    }

    pub(super) fn with(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[name] = value;
        self.signed(&self.header(), &claims)
    }

    pub(super) fn without(&self, name: &str) -> String {
        let mut claims = self.claims();
        claims.as_object_mut().expect("object").remove(name);
        self.signed(&self.header(), &claims)
    }

    pub(super) fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = self.header();
        header[name] = value;
        self.signed(&header, &self.claims())
    }

    pub(super) fn without_header(&self, name: &str) -> String {
        let mut header = self.header();
        header.as_object_mut().expect("object").remove(name);
        self.signed(&header, &self.claims())
    }

    pub(super) fn refuses(&self, token: &str) -> bool {
        let result = self.keys.verify(&self.parties, token, self.now);
        matches!(result, Err(error) if error.code() == Code::Unauthenticated)
    }
}

pub(super) fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

pub(super) fn signed_by(key: &StoredKey, header: &Value, claims: &Value) -> String {
    raw_signed_by(key, &format!("{}.{}", part(header), part(claims)))
}

pub(super) fn raw_signed_by(key: &StoredKey, message: &str) -> String {
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

#[test]
fn a_token_that_was_verified_before_is_judged_anew() {
    let bench = bench();
    let token = bench.signed(&bench.header(), &bench.claims());
    let at = |seconds| bench.now + SignedDuration::from_secs(seconds);
    let accepts =
        |parties: &Parties, token: &str, now| bench.keys.verify(parties, token, now).is_ok();
    assert!(accepts(&bench.parties, &token, bench.now));
    assert!(accepts(&bench.parties, &token, at(1)));
    // Over, or not begun.
    assert!(!accepts(&bench.parties, &token, at(LIFETIME + LEEWAY + 1)));
    assert!(!accepts(&bench.parties, &token, at(-LEEWAY - 1)));
    // For others.
    let mut others = bench.parties.clone();
    others.audience = "another".into();
    assert!(!accepts(&others, &token, bench.now));
    // Another signature over the same words, and the same signature over others.
    let (message, signature) = token.rsplit_once('.').expect("a signature");
    let forged = URL_SAFE_NO_PAD.encode([7; 64]);
    assert!(!accepts(
        &bench.parties,
        &format!("{message}.{forged}"),
        bench.now
    ));
    let mut claims = bench.claims();
    claims["jti"] = json!("y");
    let other = format!("{}.{}.{signature}", part(&bench.header()), part(&claims));
    assert!(!accepts(&bench.parties, &other, bench.now));
    // Its key is known no more.
    bench
        .keys
        .replace(vec![StoredKey::generate(bench.now).expect("key")]);
    assert!(!accepts(&bench.parties, &token, bench.now));
}
