//! Who was behind a sign-in a moment ago: a page of a client asks for ten things at once, and each of them
//! would look the same account up.
//!
//! What is remembered ends after five seconds, and at once with every write of this process that may have
//! changed it. So what another instance ends, ends here within that time. It is for reads alone: who writes
//! is looked up each time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::principal::Principal;
use crate::ids::SignInId;

/// How long somebody is remembered.
pub const KEPT: SignedDuration = SignedDuration::from_secs(5);
/// Most sign-ins that are remembered; some 500 bytes each. When there are more, all are forgotten.
const MOST: usize = 4096;

/// The principals, by their sign-ins.
#[derive(Default)]
pub struct Remembered(Mutex<HashMap<SignInId, Entry>>);

struct Entry {
    principal: Principal,
    generation: u64,
    at: Timestamp,
    /// The same moment by a clock that nobody sets back.
    since: Instant,
}

impl Remembered {
    /// Who is behind a sign-in, if that was looked up in this generation of the accounts and is not too long ago.
    pub fn find(&self, sign_in: SignInId, generation: u64, now: Timestamp) -> Option<Principal> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(&sign_in)
            .filter(|entry| {
                let age = now.duration_since(entry.at);
                entry.generation == generation
                    && !age.is_negative()
                    && age < KEPT
                    && entry.since.elapsed() < KEPT.unsigned_abs()
            })
            .map(|entry| entry.principal.clone())
    }

    /// Remembers somebody who was looked up at `at`, in a generation that had begun before.
    pub fn remember(&self, principal: &Principal, generation: u64, at: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        let entry = Entry {
            principal: principal.clone(),
            generation,
            at,
            since: Instant::now(),
        };
        known.insert(principal.sign_in, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::principal::Factor;
    use crate::ids::{CommitteeId, UserId};

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn somebody() -> Principal {
        Principal {
            committee: CommitteeId::new(START),
            user: UserId::new(START),
            sign_in: SignInId::new(START),
            username: "he.qingyuan".to_owned(),
            display_name: "何清源".to_owned(),
            member: None,
            grants: Vec::new(),
            must_change_password: false,
            factor: Factor::default(),
            machine: None,
        }
    }

    #[test]
    fn somebody_is_remembered_for_less_than_five_seconds() {
        let (remembered, one) = (Remembered::default(), somebody());
        let find = |millis| {
            let now = START + SignedDuration::from_millis(millis);
            remembered.find(one.sign_in, 7, now).map(|found| found.user)
        };
        assert_eq!(find(0), None);
        remembered.remember(&one, 7, START);
        assert_eq!(find(0), Some(one.user));
        assert_eq!(find(4999), Some(one.user));
        assert_eq!(find(5000), None);
        // A clock that was set back makes nobody stay longer.
        assert_eq!(find(-1), None);
        assert_eq!(
            remembered
                .find(SignInId::new(START), 7, START)
                .map(|found| found.user),
            None
        );
    }

    #[test]
    fn a_new_generation_forgets_everybody() {
        let (remembered, one) = (Remembered::default(), somebody());
        remembered.remember(&one, 7, START);
        assert!(remembered.find(one.sign_in, 8, START).is_none());
        // Looked up before the generation ended, remembered after.
        remembered.remember(&one, 6, START);
        assert!(remembered.find(one.sign_in, 7, START).is_none());
    }

    #[test]
    fn no_more_than_so_many_are_remembered() {
        let remembered = Remembered::default();
        for _ in 0..=MOST {
            remembered.remember(&somebody(), 1, START);
        }
        assert_eq!(remembered.0.lock().map(|known| known.len()).ok(), Some(1));
    }
}
