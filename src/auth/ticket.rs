//! Tickets: opaque, short-lived, single use, each naming its committee and its row so that no
//! search is needed. They stand for a sign-in that has begun and is not through.
//!
//! A prefix and, in base64url, the committee (16 bytes), the row (16 bytes) and 32 random bytes.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::password::random;
use crate::digest;
use crate::error::Result;
use crate::ids::{CommitteeId, Id, IdKind};

/// Stands before a challenge: the password was right, the second factor is awaited.
pub const CHALLENGE: &str = "jjc_";
/// Stands before the `state` of a sign-in at an identity provider.
pub const STATE: &str = "jjo_";
/// Bytes behind the prefix.
const LENGTH: usize = 64;
/// Bytes of a name.
const NAME: usize = 16;

/// A ticket as the client holds it. Debug output never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket<K: IdKind> {
    text: String,
    committee: CommitteeId,
    id: Id<K>,
}

impl<K: IdKind> fmt::Debug for Ticket<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl<K: IdKind> Ticket<K> {
    /// A new ticket for a row.
    pub fn new(prefix: &str, committee: CommitteeId, id: Id<K>) -> Result<Self> {
        let secret = random::<{ LENGTH - 2 * NAME }>()?;
        let bytes = [
            committee.uuid().as_bytes().as_slice(),
            id.uuid().as_bytes(),
            &secret,
        ]
        .concat();
        Ok(Self {
            text: format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)),
            committee,
            id,
        })
    }

    /// Reads what a client sent; `None` if it was never a ticket of this kind.
    pub fn parse(prefix: &str, text: &str) -> Option<Self> {
        let encoded = text
            .strip_prefix(prefix)
            .filter(|rest| rest.len() <= 2 * LENGTH)?;
        let bytes = URL_SAFE_NO_PAD
            .decode(encoded)
            .ok()
            .filter(|all| all.len() == LENGTH)?;
        let (committee, rest) = bytes.split_at_checked(NAME)?;
        let (id, _) = rest.split_at_checked(NAME)?;
        Some(Self {
            text: text.to_owned(),
            committee: CommitteeId::from_uuid(Uuid::from_slice(committee).ok()?),
            id: Id::from_uuid(Uuid::from_slice(id).ok()?),
        })
    }

    /// The tenant.
    pub fn committee(&self) -> CommitteeId {
        self.committee
    }

    /// The row it stands for.
    pub fn id(&self) -> Id<K> {
        self.id
    }

    /// What is stored of it: SHA-256, in hexadecimal.
    pub fn hash(&self) -> String {
        digest::hex(&[self.text.as_bytes()])
    }

    /// Whether this is the ticket of which `hash` was stored.
    pub fn is(&self, hash: &str) -> bool {
        verify_slices_are_equal(self.hash().as_bytes(), hash.as_bytes()).is_ok()
    }

    /// The ticket itself, for the client alone.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

/// 32 random bytes in base64url: a nonce, or a code verifier (RFC 7636).
pub fn random_text() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ChallengeId, kind};
    use jiff::Timestamp;

    #[test]
    fn a_ticket_names_its_row_and_shows_nothing() {
        let now = Timestamp::UNIX_EPOCH;
        let (committee, id) = (CommitteeId::new(now), ChallengeId::new(now));
        let ticket = Ticket::new(CHALLENGE, committee, id).expect("a ticket");
        let read = Ticket::<kind::Challenge>::parse(CHALLENGE, ticket.reveal()).expect("a ticket");
        assert_eq!((read.committee(), read.id()), (committee, id));
        assert!(read.is(&ticket.hash()));
        assert!(
            !read.is(&Ticket::new(CHALLENGE, committee, id)
                .expect("another")
                .hash())
        );
        let secret = ticket.reveal().get(50..).unwrap_or_default();
        assert!(!format!("{ticket:?}{}", ticket.hash()).contains(secret));
        for wrong in [
            "",
            CHALLENGE,
            "jjc_AAAA",
            &ticket.reveal().replace(CHALLENGE, STATE),
        ] {
            assert!(
                Ticket::<kind::Challenge>::parse(CHALLENGE, wrong).is_none(),
                "{wrong}"
            );
        }
    }
}
