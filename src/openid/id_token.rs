//! ID tokens (OpenID Connect Core 1.0, section 3.1.3.7), checked without mercy.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

/// Signatures that are taken: those that others can verify and not make. What depends on a shared
/// secret (`HS256`) or on nothing (`none`) is refused.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// By how much a token may have expired, in seconds.
const LEEWAY: i64 = 5;
/// By how much the clock of a provider may be ahead, in seconds.
const AHEAD: i64 = 60;
/// No ID token is longer.
const LONGEST: usize = 16 * 1024;

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `aud`.
    pub client_id: &'a str,
    /// `nonce`.
    pub nonce: &'a str,
}

/// What a token says, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IdClaims {
    /// The subject.
    pub sub: String,
    /// The user name.
    #[serde(default)]
    pub preferred_username: Option<String>,
    /// How the provider made sure.
    #[serde(default)]
    acr: Option<String>,
    #[serde(default)]
    amr: Vec<String>,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    #[serde(default)]
    nonce: Option<String>,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nbf: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl IdClaims {
    /// Whether the provider says any of these words, separated by blanks, of how it made sure.
    pub fn says(&self, words: &str) -> bool {
        words
            .split(' ')
            .filter(|word| !word.is_empty())
            .any(|word| self.acr.as_deref() == Some(word) || self.amr.iter().any(|amr| amr == word))
    }
}

/// The claims of a token that is whole, signed by the provider, for us, for this sign-in, and
/// valid now.
pub fn check(
    token: &str,
    keys: &JwkSet,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<IdClaims, &'static str> {
    if token.len() > LONGEST || has_critical_header(token) {
        return Err("ID token");
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| "header of the ID token")?;
    // An access token of the same provider is not an ID token.
    let is_jwt = |typ: &String| typ.eq_ignore_ascii_case("jwt");
    if !header.typ.as_ref().is_none_or(is_jwt) {
        return Err("type of the ID token");
    }
    if !ALGORITHMS.contains(&header.alg) {
        return Err("algorithm of the ID token");
    }
    let key = key_of(keys, header.kid.as_deref(), header.alg).ok_or("key of the ID token")?;
    let key = DecodingKey::from_jwk(key).map_err(|_| "key of the ID token")?;
    // Times are compared with the clock of the service below, which tests can set.
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client_id]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    let claims = jsonwebtoken::decode::<IdClaims>(token, &key, &validation)
        .map_err(|error| why(error.kind()))?
        .claims;
    check_parties(&claims, expected)?;
    check_times(&claims, now.as_second())?;
    Ok(claims)
}

fn why(kind: &jsonwebtoken::errors::ErrorKind) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidSignature => "signature of the ID token",
        ErrorKind::InvalidIssuer => "issuer of the ID token",
        ErrorKind::InvalidAudience => "audience of the ID token",
        ErrorKind::InvalidAlgorithm => "algorithm of the ID token",
        _ => "claims of the ID token",
    }
}

fn check_parties(claims: &IdClaims, expected: &Expected<'_>) -> Result<(), &'static str> {
    let several = matches!(&claims.aud, Audience::Many(all) if all.len() > 1);
    match &claims.azp {
        Some(azp) if azp != expected.client_id => return Err("authorised party of the ID token"),
        None if several => return Err("authorised party of the ID token"),
        _ => {}
    }
    let nonce = claims.nonce.as_deref().unwrap_or_default();
    if verify_slices_are_equal(nonce.as_bytes(), expected.nonce.as_bytes()).is_err() {
        return Err("nonce of the ID token");
    }
    if claims.sub.is_empty() || claims.sub.len() > 255 {
        return Err("subject of the ID token");
    }
    Ok(())
}

fn check_times(claims: &IdClaims, now: i64) -> Result<(), &'static str> {
    if claims.exp.saturating_add(LEEWAY) <= now {
        return Err("the ID token has expired");
    }
    let latest = now.saturating_add(AHEAD);
    if claims.iat > latest || claims.nbf.is_some_and(|nbf| nbf > latest) {
        return Err("the ID token is not valid yet");
    }
    Ok(())
}

/// The key that a header names, or the only one that fits.
fn key_of<'a>(keys: &'a JwkSet, kid: Option<&str>, alg: Algorithm) -> Option<&'a Jwk> {
    let name = format!("{alg:?}");
    let mut fitting = keys.keys.iter().filter(|key| {
        let common = &key.common;
        let signs = common
            .public_key_use
            .as_ref()
            .is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
        let same = common
            .key_algorithm
            .is_none_or(|algorithm| algorithm.to_string() == name);
        let named = kid.is_none_or(|kid| common.key_id.as_deref() == Some(kid));
        signs && same && named
    });
    let first = fitting.next()?;
    (kid.is_some() || fitting.next().is_none()).then_some(first)
}

/// A header with members that must be understood is not: we know of none.
fn has_critical_header(token: &str) -> bool {
    let header = token.split('.').next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    serde_json::from_slice::<serde_json::Value>(&header)
        .is_ok_and(|header| header.get("crit").is_some())
}
