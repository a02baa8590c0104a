//! Access tokens whose signature was verified lately: a client sends the same one for ten minutes,
//! and verifying it takes longer than all else at the door.
//!
//! Only that the signature is good is remembered, and what the token says. Whether its time has
//! come or gone, whether its key still counts and whether its sign-in has ended is asked of every
//! request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

use super::token::Claims;

/// Most tokens that are remembered; some 400 bytes each. When there are more, all are forgotten.
const MOST: usize = 4096;

type Hash = [u8; SHA256_OUTPUT_LEN];

/// The tokens, by their hash, so that nothing that somebody could sign in with is kept.
#[derive(Default)]
pub struct Verified(Mutex<HashMap<Hash, Claims>>);

impl Verified {
    /// What a token says that was verified before.
    pub fn find(&self, token: &str) -> Option<Claims> {
        let hash = hash(token)?;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&hash).cloned()
    }

    /// Remembers a token whose signature is good.
    pub fn remember(&self, token: &str, claims: &Claims) {
        let Some(hash) = hash(token) else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(hash, claims.clone());
    }

    /// Forgets all of them: the keys are others now.
    pub fn forget(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

fn hash(token: &str) -> Option<Hash> {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().ok()
}
