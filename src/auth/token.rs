//! Access tokens (RFC 9068): short-lived, signed with Ed25519, checked without mercy; and the keys
//! that sign them.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::password::random;
use super::verified::Verified;
use crate::digest;
use crate::error::{Code, Error, Result};
use crate::ids::{CommitteeId, SignInId, UserId};

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod objections;
#[cfg(test)]
mod tests;

/// How long an access token is valid, in seconds.
pub const LIFETIME: i64 = 600;
/// By how much the clocks of two instances may differ, in seconds.
const LEEWAY: i64 = 5;
/// After this time keys in memory are read anew, so that every instance learns of a rotation.
const RELOAD_AGE: Duration = Duration::from_secs(60);
/// An unknown key makes an instance read the keys anew at most this often.
const RELOAD_PAUSE: Duration = Duration::from_secs(2);
/// A retired key verifies for this time: the last token of an instance that had not heard of the
/// retirement (60 s), its whole life, and the leeway.
pub const RETIREMENT: SignedDuration = SignedDuration::from_secs(60 + LIFETIME + LEEWAY);
/// The `typ` of an access token.
const TYP: &str = "at+jwt";
/// The only algorithm.
const ALG: &str = "EdDSA";
/// No token of ours is longer.
const MAX_TOKEN: usize = 2048;

/// What an access token says. Other claims are not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// For whom: one audience, as text.
    pub aud: String,
    /// The account.
    pub sub: UserId,
    /// The tenant.
    pub cid: CommitteeId,
    /// The sign-in.
    pub sid: SignInId,
    /// Names this one token.
    pub jti: String,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// From when it is valid.
    pub nbf: i64,
    /// From when it is not valid any more.
    pub exp: i64,
}

/// Whose token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The tenant.
    pub committee: CommitteeId,
    /// The account.
    pub user: UserId,
    /// The sign-in.
    pub sign_in: SignInId,
}

/// Who issues tokens, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parties {
    /// The `iss` claim.
    pub issuer: String,
    /// The `aud` claim.
    pub audience: String,
}

/// A key as it is stored.
#[derive(Clone)]
pub struct StoredKey {
    /// Names the key in the header of a token.
    pub kid: String,
    /// PKCS #8, DER.
    pub private_key: Vec<u8>,
    /// The 32 bytes of the public key.
    pub public_key: Vec<u8>,
    /// Secret from which the successors of refresh tokens follow.
    pub refresh_secret: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stopped signing.
    pub retired_at: Option<Timestamp>,
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredKey")
            .field("kid", &self.kid)
            .field("created_at", &self.created_at)
            .field("retired_at", &self.retired_at)
            .finish_non_exhaustive()
    }
}

impl StoredKey {
    /// A new key, named after its public half.
    pub fn generate(now: Timestamp) -> Result<Self> {
        let failed = |_| Error::internal("cannot make an Ed25519 key");
        let pair = Ed25519KeyPair::generate().map_err(failed)?;
        let private_key = pair.to_pkcs8().map_err(failed)?.as_ref().to_vec();
        let public_key = pair.public_key().as_ref().to_vec();
        let mut kid = digest::hex(&[&public_key]);
        kid.truncate(16);
        let refresh_secret = random::<32>()?.to_vec();
        Ok(Self {
            kid,
            private_key,
            public_key,
            refresh_secret,
            created_at: now,
            retired_at: None,
        })
    }

    fn verifies_at(&self, now: Timestamp) -> bool {
        self.retired_at
            .is_none_or(|at| now < at.saturating_add(RETIREMENT).unwrap_or(at))
    }
}

/// The keys in memory. Shared by all workers; replaced as a whole.
pub struct Keys {
    set: RwLock<(Arc<[StoredKey]>, Instant)>,
    verified: Verified,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all().iter()).finish()
    }
}

impl Keys {
    /// Keys as they were just read.
    pub fn new(keys: Vec<StoredKey>) -> Self {
        Self {
            set: RwLock::new((newest_first(keys), Instant::now())),
            verified: Verified::default(),
        }
    }

    /// Puts keys as they were just read in the place of all.
    pub fn replace(&self, keys: Vec<StoredKey>) {
        let set = (newest_first(keys), Instant::now());
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = set;
        self.verified.forget();
    }

    fn all(&self) -> Arc<[StoredKey]> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner).0)
    }

    fn age(&self) -> Duration {
        self.set
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .1
            .elapsed()
    }

    /// Whether it is time to read the keys anew.
    pub fn is_stale(&self) -> bool {
        self.age() > RELOAD_AGE
    }

    /// Whether the token names a key that is not known here but may be elsewhere; at most once
    /// in two seconds, so that invented names cost nothing.
    pub fn may_be_elsewhere(&self, token: &str) -> bool {
        self.age() > RELOAD_PAUSE
            && header(token)
                .is_some_and(|header| self.all().iter().all(|key| key.kid != header.kid))
    }

    /// The key that signs now.
    fn signing(&self) -> Result<StoredKey> {
        let key = self
            .all()
            .iter()
            .find(|key| key.retired_at.is_none())
            .cloned();
        key.ok_or_else(|| Error::internal("there is no signing key"))
    }

    /// Keys from which successors of refresh tokens may have been derived, the present one first.
    pub fn refresh_keys(&self, now: Timestamp) -> Vec<hmac::Key> {
        let mut keys: Vec<_> = self
            .all()
            .iter()
            .filter(|key| key.verifies_at(now))
            .cloned()
            .collect();
        keys.sort_by_key(|key| key.retired_at.is_some());
        keys.iter()
            .map(|key| hmac::Key::new(hmac::HMAC_SHA256, &key.refresh_secret))
            .collect()
    }

    /// A new access token.
    pub fn issue(&self, parties: &Parties, subject: Subject, now: Timestamp) -> Result<String> {
        let iat = now.as_second();
        let claims = Claims {
            iss: parties.issuer.clone(),
            aud: parties.audience.clone(),
            sub: subject.user,
            cid: subject.committee,
            sid: subject.sign_in,
            jti: URL_SAFE_NO_PAD.encode(random::<16>()?),
            iat,
            nbf: iat,
            exp: iat + LIFETIME,
        };
        sign(&self.signing()?, &claims)
    }

    /// The claims of a token that is whole, ours, for us, and valid now.
    pub fn verify(&self, parties: &Parties, token: &str, now: Timestamp) -> Result<Claims> {
        let refuse = |why: &str| Error::new(Code::Unauthenticated).context(why);
        let header = header(token).ok_or_else(|| refuse("not an access token"))?;
        if header.alg != ALG || header.typ != TYP {
            return Err(refuse("algorithm or type of token"));
        }
        let all = self.all();
        let key = all
            .iter()
            .find(|key| key.kid == header.kid && key.verifies_at(now))
            .ok_or_else(|| refuse("key not known"))?;
        let known = self
            .verified
            .find(token)
            .filter(|claims| claims.iss == parties.issuer && claims.aud == parties.audience);
        let claims = if let Some(claims) = known {
            claims
        } else {
            let claims = Self::signed(key, parties, token)?;
            self.verified.remember(token, &claims);
            claims
        };
        check_times(&claims, now.as_second()).map_err(refuse)?;
        Ok(claims)
    }

    /// What a token says, if the key has signed it for these parties.
    fn signed(key: &StoredKey, parties: &Parties, token: &str) -> Result<Claims> {
        // The library reads the system clock; exp and nbf are checked below against the clock of
        // the service, which tests can set. Their presence is its business all the same.
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.set_issuer(&[&parties.issuer]);
        validation.set_audience(&[&parties.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        let decoding = DecodingKey::from_ed_der(&key.public_key);
        jsonwebtoken::decode::<Claims>(token, &decoding, &validation)
            .map(|decoded| decoded.claims)
            .map_err(|error| Error::new(Code::Unauthenticated).context(error.to_string()))
    }

    /// The public keys by which others can verify our tokens (RFC 7517, RFC 8037).
    pub fn jwks(&self, now: Timestamp) -> Vec<Jwk> {
        self.all()
            .iter()
            .filter(|key| key.verifies_at(now))
            .map(|key| Jwk {
                kty: "OKP",
                crv: "Ed25519",
                key_use: "sig",
                alg: ALG,
                kid: key.kid.clone(),
                x: URL_SAFE_NO_PAD.encode(&key.public_key),
            })
            .collect()
    }
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Jwk {
    /// Key type.
    #[schema(max_length = 8, example = "OKP")]
    pub kty: &'static str,
    /// Curve.
    #[schema(max_length = 16, example = "Ed25519")]
    pub crv: &'static str,
    /// What it is for.
    #[serde(rename = "use")]
    #[schema(max_length = 8, example = "sig")]
    pub key_use: &'static str,
    /// Algorithm.
    #[schema(max_length = 16, example = "EdDSA")]
    pub alg: &'static str,
    /// Names the key in the header of a token.
    #[schema(max_length = 64, example = "3f2a9c0d1e4b5a67")]
    pub kid: String,
    /// The public key, in base64url.
    #[schema(
        max_length = 64,
        example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    )]
    pub x: String,
}

fn newest_first(mut keys: Vec<StoredKey>) -> Arc<[StoredKey]> {
    keys.sort_by_key(|key| std::cmp::Reverse((key.created_at, key.kid.clone())));
    keys.into()
}

/// The header that our tokens have, and nothing beside it: with `jku`, `jwk`, `x5u`, `crit`,
/// `b64`, `zip` or any other member a token is not ours.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    typ: String,
    kid: String,
}

fn header(token: &str) -> Option<StrictHeader> {
    let mut parts = token.split('.');
    let (Some(header), Some(_), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let header = URL_SAFE_NO_PAD
        .decode(header)
        .ok()
        .filter(|_| token.len() <= MAX_TOKEN)?;
    serde_json::from_slice(&header).ok()
}

fn sign(key: &StoredKey, claims: &Claims) -> Result<String> {
    let header = Header {
        typ: Some(TYP.to_owned()),
        kid: Some(key.kid.clone()),
        ..Header::new(Algorithm::EdDSA)
    };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(&key.private_key))
        .map_err(|error| Error::internal(error).context("signing a token"))
}

fn check_times(claims: &Claims, now: i64) -> Result<(), &'static str> {
    let Claims { iat, nbf, exp, .. } = *claims;
    if exp.saturating_add(LEEWAY) <= now {
        Err("expired")
    } else if nbf > now.saturating_add(LEEWAY) || iat > now.saturating_add(LEEWAY) {
        Err("not valid yet")
    } else if iat > exp || exp.saturating_sub(iat) > LIFETIME {
        Err("valid for longer than any token of ours")
    } else {
        Ok(())
    }
}
