//! Refresh tokens: opaque, single use, each naming its sign-in so that no search is needed.
//!
//! `jjr_` and, in base64url, the committee (16 bytes), the sign-in (16 bytes) and 32 random bytes.
//! The successor of a used token follows from it and a secret of the service, so that a client
//! whose answer got lost, or that asks twice at once, is given the same successor again.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::password::random;
use crate::digest;
use crate::error::Result;
use crate::ids::{CommitteeId, SignInId};

/// Starts every refresh token, so that scanners find one that leaked.
pub const PREFIX: &str = "jjr_";
/// Bytes behind the prefix.
const LENGTH: usize = 64;
/// Bytes that name the committee and the sign-in.
const NAMES: usize = 32;

/// A refresh token as the client holds it. Debug output never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    text: String,
    committee: CommitteeId,
    sign_in: SignInId,
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken")
            .field("sign_in", &self.sign_in)
            .finish_non_exhaustive()
    }
}

impl RefreshToken {
    /// The first token of a sign-in.
    pub fn first(committee: CommitteeId, sign_in: SignInId) -> Result<Self> {
        Ok(Self::with_secret(
            committee,
            sign_in,
            &random::<{ LENGTH - NAMES }>()?,
        ))
    }

    fn with_secret(committee: CommitteeId, sign_in: SignInId, secret: &[u8]) -> Self {
        let bytes = [
            committee.uuid().as_bytes().as_slice(),
            sign_in.uuid().as_bytes(),
            secret,
        ]
        .concat();
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        Self {
            text,
            committee,
            sign_in,
        }
    }

    /// Reads what a client sent; `None` if it was never a token of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let encoded = text
            .strip_prefix(PREFIX)
            .filter(|rest| rest.len() <= 2 * LENGTH)?;
        let bytes = URL_SAFE_NO_PAD
            .decode(encoded)
            .ok()
            .filter(|all| all.len() == LENGTH)?;
        let (committee, rest) = bytes.split_at_checked(NAMES / 2)?;
        let (sign_in, secret) = rest.split_at_checked(NAMES / 2)?;
        let committee = CommitteeId::from_uuid(Uuid::from_slice(committee).ok()?);
        let sign_in = SignInId::from_uuid(Uuid::from_slice(sign_in).ok()?);
        Some(Self::with_secret(committee, sign_in, secret))
    }

    /// What replaces this token when it is used.
    #[must_use]
    pub fn successor(&self, key: &hmac::Key) -> Self {
        let tag = hmac::sign(key, self.text.as_bytes());
        Self::with_secret(self.committee, self.sign_in, tag.as_ref())
    }

    /// The tenant.
    pub fn committee(&self) -> CommitteeId {
        self.committee
    }

    /// The sign-in it continues.
    pub fn sign_in(&self) -> SignInId {
        self.sign_in
    }

    /// What is stored of it: SHA-256, in hexadecimal.
    pub fn hash(&self) -> String {
        digest::hex(&[self.text.as_bytes()])
    }

    /// The token itself, for the client alone.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn token() -> RefreshToken {
        let committee = CommitteeId::new(Timestamp::UNIX_EPOCH);
        RefreshToken::first(committee, SignInId::new(Timestamp::UNIX_EPOCH)).expect("token")
    }

    fn key(secret: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[secret; 32])
    }

    #[test]
    fn text_form_round_trips() {
        let token = token();
        assert!(token.reveal().starts_with(PREFIX));
        assert_eq!(RefreshToken::parse(token.reveal()), Some(token));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let good = token().reveal().to_owned();
        let shorter = good.get(..good.len() - 1).unwrap_or_default();
        let bare = good.strip_prefix(PREFIX).unwrap_or_default();
        let long = format!("{good}{}", "A".repeat(100_000));
        for wrong in [
            "",
            "jjr_",
            shorter,
            bare,
            &long,
            &format!("{good}="),
            &format!(" {good}"),
        ] {
            assert_eq!(RefreshToken::parse(wrong), None);
        }
    }

    #[test]
    fn the_successor_follows_from_token_and_key() {
        let token = token();
        let next = token.successor(&key(1));
        assert_eq!(token.successor(&key(1)), next);
        assert_ne!(token.successor(&key(2)), next);
        assert_ne!(next, token);
        assert_ne!(next.successor(&key(1)), next);
        assert_eq!(
            (next.committee(), next.sign_in()),
            (token.committee(), token.sign_in())
        );
        assert_eq!(RefreshToken::parse(next.reveal()), Some(next));
    }

    #[test]
    fn neither_hash_nor_debug_output_gives_the_token_away() {
        let token = token();
        assert_eq!(token.hash().len(), 64);
        let secret = token
            .reveal()
            .get(PREFIX.len() + 44..)
            .unwrap_or_default()
            .to_owned();
        assert!(!format!("{token:?}{}", token.hash()).contains(&secret));
    }
}
