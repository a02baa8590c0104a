//! Seals of the audit trail: what they say, how they hang together, and the keys that sign them.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::token::Jwk;
use crate::digest;
use crate::error::{Error, Result};
use crate::ids::{CommitteeId, EventId, StreamId};

/// What a seal is made of; another form would have another name.
const FORMAT: &str = "jianjian-seal-1";

/// A key that signs seals.
#[derive(Clone)]
pub struct SealKey {
    /// Names the key in a seal.
    pub kid: String,
    /// PKCS #8, DER; forgotten once the key is retired.
    pub private_key: Option<Vec<u8>>,
    /// The 32 bytes of the public key.
    pub public_key: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stopped signing.
    pub retired_at: Option<Timestamp>,
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealKey")
            .field("kid", &self.kid)
            .field("created_at", &self.created_at)
            .field("retired_at", &self.retired_at)
            .finish_non_exhaustive()
    }
}

impl SealKey {
    /// A new key, named after its public half.
    pub fn generate(now: Timestamp) -> Result<Self> {
        let failed = |_| Error::internal("cannot make an Ed25519 key");
        let pair = Ed25519KeyPair::generate().map_err(failed)?;
        let private_key = pair.to_pkcs8().map_err(failed)?.as_ref().to_vec();
        let public_key = pair.public_key().as_ref().to_vec();
        let mut kid = digest::hex(&[b"seal", &public_key]);
        kid.truncate(16);
        Ok(Self {
            kid,
            private_key: Some(private_key),
            public_key,
            created_at: now,
            retired_at: None,
        })
    }

    /// Signs the hash of a seal.
    pub fn sign(&self, hash: &str) -> Result<String> {
        let private_key = self.private_key.as_deref();
        let private_key =
            private_key.ok_or_else(|| Error::internal("a retired key signs no more"))?;
        let pair = Ed25519KeyPair::from_pkcs8(private_key)
            .map_err(|error| Error::internal(error).context("the key that signs seals"))?;
        Ok(URL_SAFE_NO_PAD.encode(pair.sign(hash.as_bytes())))
    }

    /// Whether this key signed the hash.
    pub fn signed(&self, hash: &str, signature: &str) -> bool {
        URL_SAFE_NO_PAD.decode(signature).is_ok_and(|signature| {
            UnparsedPublicKey::new(&ED25519, &self.public_key)
                .verify(hash.as_bytes(), &signature)
                .is_ok()
        })
    }

    /// The public key as others read it.
    pub fn jwk(&self) -> Jwk {
        Jwk {
            kty: "OKP",
            crv: "Ed25519",
            key_use: "sig",
            alg: "EdDSA",
            kid: self.kid.clone(),
            x: URL_SAFE_NO_PAD.encode(&self.public_key),
        }
    }
}

/// A signed seal over the ends of all chains of a committee that grew since the seal before. Kept
/// elsewhere, it shows later whether anything that it covers was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Seal {
    /// The committee.
    pub committee_id: CommitteeId,
    /// Number of the seal, from 1 without a gap.
    #[schema(minimum = 1, maximum = 2_147_483_647, example = 42)]
    pub number: i32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub sealed_at: Timestamp,
    /// The last event that was looked at.
    pub until_id: EventId,
    /// Events that are new under this seal.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 1203)]
    pub events: i64,
    /// Chains that they belong to.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 87)]
    pub streams: i64,
    /// Hash over the ends of these chains.
    #[schema(min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
    pub root: String,
    /// Hash of the seal before; empty for the first.
    #[schema(max_length = 64, pattern = "^([0-9a-f]{64})?$")]
    pub prev_hash: String,
    /// Hash over all of the above and the name of the key.
    #[schema(min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
    pub hash: String,
    /// The key that signed it; see `/.well-known/seal-keys.json`.
    #[schema(max_length = 64, example = "3f2a9c0d1e4b5a67")]
    pub kid: String,
    /// Ed25519 signature over the text of `hash`, in base64url.
    #[schema(max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    pub signature: String,
}

impl Seal {
    /// The hash that the seal should carry.
    pub fn expected_hash(&self) -> String {
        digest::hex(&[
            FORMAT.as_bytes(),
            self.committee_id.uuid().as_bytes(),
            &self.number.to_be_bytes(),
            &self.sealed_at.as_microsecond().to_be_bytes(),
            self.until_id.uuid().as_bytes(),
            &self.events.to_be_bytes(),
            &self.streams.to_be_bytes(),
            self.root.as_bytes(),
            self.prev_hash.as_bytes(),
            self.kid.as_bytes(),
        ])
    }
}

/// The end of a chain under a seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEnd {
    /// The chain.
    pub stream: StreamId,
    /// Its last event.
    pub seq: i32,
    /// The hash of that event.
    pub hash: String,
}

/// The root over one end more; the ends come in the order of their chains, after the empty text.
pub fn root_with(root: &str, end: &SealedEnd) -> String {
    digest::hex(&[
        root.as_bytes(),
        end.stream.uuid().as_bytes(),
        &end.seq.to_be_bytes(),
        end.hash.as_bytes(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_fits_its_key_and_its_hash_only() {
        let now = Timestamp::UNIX_EPOCH;
        let (key, other) = (
            SealKey::generate(now).expect("a key"),
            SealKey::generate(now).expect("a key"),
        );
        let signature = key.sign("a hash").expect("a signature");
        assert!(key.signed("a hash", &signature));
        assert!(!key.signed("another", &signature));
        assert!(!other.signed("a hash", &signature));
        assert!(!key.signed("a hash", "not base64!"));
        let retired = SealKey {
            private_key: None,
            ..key
        };
        assert!(retired.sign("a hash").is_err());
        assert!(retired.signed("a hash", &signature));
    }

    #[test]
    fn the_hash_of_a_seal_covers_every_field() {
        let now = Timestamp::UNIX_EPOCH;
        let seal = Seal {
            committee_id: CommitteeId::new(now),
            number: 1,
            sealed_at: now,
            until_id: EventId::new(now),
            events: 2,
            streams: 1,
            root: "r".into(),
            prev_hash: String::new(),
            hash: String::new(),
            kid: "k".into(),
            signature: String::new(),
        };
        let hash = seal.expected_hash();
        let others = [
            Seal {
                committee_id: CommitteeId::new(now),
                ..seal.clone()
            },
            Seal {
                number: 2,
                ..seal.clone()
            },
            Seal {
                sealed_at: now + jiff::SignedDuration::from_micros(1),
                ..seal.clone()
            },
            Seal {
                until_id: EventId::new(now),
                ..seal.clone()
            },
            Seal {
                events: 3,
                ..seal.clone()
            },
            Seal {
                streams: 2,
                ..seal.clone()
            },
            Seal {
                root: "s".into(),
                ..seal.clone()
            },
            Seal {
                prev_hash: "p".into(),
                ..seal.clone()
            },
            Seal {
                kid: "l".into(),
                ..seal.clone()
            },
        ];
        for other in others {
            assert_ne!(other.expected_hash(), hash, "{other:?}");
        }
    }
}
