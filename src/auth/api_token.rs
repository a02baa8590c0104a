//! Tokens of machine clients: opaque, long-lived, each naming its committee and itself so that no
//! search is needed.
//!
//! `jjt_`, 86 characters of base64url (the token's id, the committee, 32 random bytes) and 8
//! hexadecimal digits: the CRC-32 of everything before. So a scanner recognises a token that
//! leaked (`jjt_[A-Za-z0-9_-]{86}[0-9a-f]{8}`, with the right sum), and a mistyped one costs no
//! look-up. Stored is SHA-256 of the text: nobody can guess 256 random bits, so a slow hash, which
//! protects what people think up, would only make every request slow.

use std::fmt;

use aws_lc_rs::constant_time;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::password::random;
use crate::digest;
use crate::error::Result;
use crate::ids::{ApiTokenId, CommitteeId};

/// Starts every token of a machine client.
pub const PREFIX: &str = "jjt_";
/// Characters of a whole token.
pub const TEXT_LENGTH: usize = PREFIX.len() + 86 + SUM;
/// Characters that are kept to recognise a token by; they are part of its id, not of its secret.
pub const SHOWN: usize = 20;
/// Bytes of a name.
const NAME: usize = 16;
/// Random bytes.
const SECRET: usize = 32;
/// Characters of the check sum.
const SUM: usize = 8;

/// A token as the client holds it. Debug output never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiToken {
    text: String,
    committee: CommitteeId,
    id: ApiTokenId,
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiToken")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl ApiToken {
    /// A new secret for the token of this name.
    pub fn generate(committee: CommitteeId, id: ApiTokenId) -> Result<Self> {
        let secret = random::<SECRET>()?;
        let bytes = [
            id.uuid().as_bytes().as_slice(),
            committee.uuid().as_bytes(),
            &secret,
        ]
        .concat();
        let body = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let text = format!("{body}{}", sum(&body));
        Ok(Self {
            text,
            committee,
            id,
        })
    }

    /// Reads what a client sent; `None` if it was never a token of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let (body, tail) = text
            .split_at_checked(TEXT_LENGTH - SUM)
            .filter(|_| text.len() == TEXT_LENGTH)?;
        if sum(body) != tail {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(body.strip_prefix(PREFIX)?).ok()?;
        let (id, rest) = bytes.split_at_checked(NAME)?;
        let (committee, _) = rest.split_at_checked(NAME)?;
        Some(Self {
            text: text.to_owned(),
            committee: CommitteeId::from_uuid(Uuid::from_slice(committee).ok()?),
            id: ApiTokenId::from_uuid(Uuid::from_slice(id).ok()?),
        })
    }

    /// The tenant.
    pub fn committee(&self) -> CommitteeId {
        self.committee
    }

    /// The token.
    pub fn id(&self) -> ApiTokenId {
        self.id
    }

    /// What is stored of it: SHA-256, in hexadecimal.
    pub fn hash(&self) -> String {
        digest::hex(&[self.text.as_bytes()])
    }

    /// Whether a stored hash is that of this token; takes the same time whatever differs.
    pub fn is(&self, stored: &str) -> bool {
        constant_time::verify_slices_are_equal(self.hash().as_bytes(), stored.as_bytes()).is_ok()
    }

    /// Its first characters, for people to recognise it by.
    pub fn prefix(&self) -> &str {
        self.text.get(..SHOWN).unwrap_or_default()
    }

    /// The token itself, for the client alone.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

fn sum(body: &str) -> String {
    format!("{:08x}", crc32fast::hash(body.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn token() -> ApiToken {
        let now = Timestamp::UNIX_EPOCH;
        ApiToken::generate(CommitteeId::new(now), ApiTokenId::new(now)).expect("a token")
    }

    #[test]
    fn text_form_round_trips() {
        let token = token();
        assert_eq!(token.reveal().len(), TEXT_LENGTH);
        let parsed = ApiToken::parse(token.reveal()).expect("a token");
        assert_eq!(parsed, token);
        assert!(parsed.is(&token.hash()));
        assert!(!parsed.is(&self::token().hash()));
    }

    #[test]
    fn one_changed_character_is_noticed_without_a_look_up() {
        let text = token().reveal().to_owned();
        for at in 0..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'a' { b'b' } else { b'a' };
            let wrong = String::from_utf8(wrong).expect("text");
            assert_eq!(ApiToken::parse(&wrong), None, "{at}");
        }
        let cut = text.get(..TEXT_LENGTH - 1).unwrap_or_default();
        for wrong in ["", "jjt_", cut, &format!("{text} "), &"密".repeat(40)] {
            assert_eq!(ApiToken::parse(wrong), None);
        }
    }

    #[test]
    fn neither_hash_nor_prefix_nor_debug_output_gives_the_secret_away() {
        let token = token();
        let secret = token.reveal().get(50..90).unwrap_or_default().to_owned();
        let shown = format!("{token:?}{}{}", token.hash(), token.prefix());
        assert!(!shown.contains(&secret));
    }
}
