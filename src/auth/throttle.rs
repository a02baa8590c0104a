//! How refused sign-ins are counted and answered with time: a pure function of what was before.
//!
//! The count stands in the database, so all instances count together. It goes by a hash of the
//! committee and the name that was given, or of the address: whether there is such an account makes
//! no difference to anything here.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use unicode_normalization::UnicodeNormalization;

use crate::digest;
use crate::ids::CommitteeId;

/// So many failures cost no time.
pub const FREE: i32 = 3;
/// No delay is longer.
pub const MAX_DELAY: SignedDuration = SignedDuration::from_secs(300);
/// Failures are forgotten when there was none for this time.
pub const MEMORY: SignedDuration = SignedDuration::from_hours(24);
/// So many refusals in a row stand in the audit trail one by one.
const TOLD_SINGLY: i32 = 5;
/// Those after them are told with their count, at most once in this time.
const TOLD_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// When failures lock an account, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// After so many failures in a row.
    pub after: i32,
    /// For this time.
    pub time: SignedDuration,
}

/// What is remembered of refusals under one name, or from one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Failures in a row.
    pub failures: i32,
    /// Refusals in a row: the failures, and the attempts while it was blocked.
    pub refused: i32,
    /// When the first of them was.
    pub counted_from: Timestamp,
    /// When the last failure was.
    pub last_failure_at: Timestamp,
    /// Until when every attempt is refused, also one with the right password.
    pub blocked_until: Option<Timestamp>,
    /// When the audit trail was last told.
    pub noted_at: Option<Timestamp>,
}

impl Tally {
    const fn new(now: Timestamp) -> Self {
        Self {
            failures: 0,
            refused: 0,
            counted_from: now,
            last_failure_at: now,
            blocked_until: None,
            noted_at: None,
        }
    }

    /// Until when it is blocked, if it is.
    pub fn blocked(&self, now: Timestamp) -> Option<Timestamp> {
        self.blocked_until.filter(|until| now < *until)
    }

    /// Whether it is blocked because the account is locked, not only delayed.
    pub fn is_locked(&self, lock: Option<Lock>, now: Timestamp) -> bool {
        self.blocked(now).is_some() && lock.is_some_and(|lock| self.failures >= lock.after)
    }

    /// What one more refused attempt makes of it. While it is blocked an attempt changes nothing
    /// but the number of refusals: nobody keeps an account locked for ever by trying.
    #[must_use]
    pub fn refuse(before: Option<Self>, lock: Option<Lock>, now: Timestamp) -> Self {
        let mut tally = before
            .filter(|tally| now.duration_since(tally.last_failure_at) < MEMORY)
            .unwrap_or(Self::new(now));
        tally.refused = tally.refused.saturating_add(1);
        if tally.blocked(now).is_some() {
            return tally;
        }
        // A lock that is over was the answer to the failures before it.
        if lock.is_some_and(|lock| tally.failures >= lock.after) {
            tally.failures = 0;
        }
        tally.failures = tally.failures.saturating_add(1);
        tally.last_failure_at = now;
        let pause = match lock {
            Some(lock) if tally.failures >= lock.after => lock.time,
            _ => delay(tally.failures),
        };
        tally.blocked_until = (!pause.is_zero()).then(|| after(now, pause));
        tally
    }

    /// Whether the audit trail is told of the refusal just counted; remembers that it was.
    pub fn note(&mut self, now: Timestamp) -> bool {
        let due = self
            .noted_at
            .is_none_or(|at| now.duration_since(at) >= TOLD_EVERY);
        let told = due || self.refused <= TOLD_SINGLY;
        if told {
            self.noted_at = Some(now);
        }
        told
    }
}

/// Nothing for the first failures, then 1, 2, 4 … seconds.
fn delay(failures: i32) -> SignedDuration {
    u32::try_from(failures - FREE - 1).map_or(SignedDuration::ZERO, |doublings| {
        SignedDuration::from_secs(1 << doublings.min(30)).min(MAX_DELAY)
    })
}

fn after(now: Timestamp, pause: SignedDuration) -> Timestamp {
    now.saturating_add(pause).unwrap_or(Timestamp::MAX)
}

/// How many refusals from one address a committee bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressLimit {
    /// So many in the window; 0: any number.
    pub refusals: i32,
    /// The window, from the first refusal on.
    pub window: SignedDuration,
}

impl AddressLimit {
    /// For how long nothing more is taken from the address.
    pub fn wait(&self, tally: Option<&Tally>, now: Timestamp) -> Option<SignedDuration> {
        let tally = tally.filter(|tally| self.refusals > 0 && tally.refused >= self.refusals)?;
        let wait = after(tally.counted_from, self.window).duration_since(now);
        wait.is_positive().then_some(wait)
    }

    /// What one more refusal makes of the count.
    #[must_use]
    pub fn refuse(&self, before: Option<Tally>, now: Timestamp) -> Tally {
        let mut tally = before
            .filter(|tally| now.duration_since(tally.counted_from) < self.window)
            .unwrap_or(Tally::new(now));
        tally.failures = tally.failures.saturating_add(1);
        tally.refused = tally.failures;
        tally.last_failure_at = now;
        tally
    }
}

/// Whose refusals are counted together, as the hash that stands for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted(String);

impl Counted {
    /// Everybody who gives this name, however it is spelt.
    pub fn name(committee: CommitteeId, username: &str) -> Self {
        let folded: String = username.nfkc().collect::<String>().to_lowercase();
        Self::of(committee, b"name", folded.as_bytes())
    }

    /// Everybody at this address; of IPv6 the network, because a single customer has one.
    pub fn address(committee: CommitteeId, address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::of(committee, b"address", &address.octets()),
            IpAddr::V6(address) => {
                let network = address.octets();
                Self::of(committee, b"address", network.get(..8).unwrap_or_default())
            }
        }
    }

    fn of(committee: CommitteeId, kind: &[u8], text: &[u8]) -> Self {
        Self(digest::hex(&[
            b"sign-in",
            kind,
            committee.uuid().as_bytes(),
            text,
        ]))
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: Lock = Lock {
        after: 5,
        time: SignedDuration::from_mins(15),
    };

    fn moment() -> Timestamp {
        "2026-11-23T08:00:00Z".parse().expect("moment")
    }

    fn seconds(seconds: i64) -> SignedDuration {
        SignedDuration::from_secs(seconds)
    }

    /// The pauses after each of `count` failures, each as soon as it counts.
    fn pauses(lock: Option<Lock>, count: usize) -> Vec<i64> {
        let (mut tally, mut now) = (None, moment());
        (0..count)
            .map(|_| {
                let next = Tally::refuse(tally, lock, now);
                let until = next.blocked(now).unwrap_or(now);
                let pause = until.duration_since(now).as_secs();
                (tally, now) = (Some(next), until);
                pause
            })
            .collect()
    }

    #[test]
    fn delays_double_up_to_five_minutes() {
        assert_eq!(
            pauses(None, 14),
            [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
        );
        assert_eq!(delay(i32::MAX), MAX_DELAY);
        assert_eq!(delay(FREE + 40), MAX_DELAY);
    }

    #[test]
    fn the_fifth_failure_locks_and_after_the_lock_there_are_five_again() {
        assert_eq!(
            pauses(Some(LOCK), 11),
            [0, 0, 0, 1, 900, 0, 0, 0, 1, 900, 0]
        );
    }

    #[test]
    fn an_attempt_while_it_is_blocked_makes_the_block_no_longer() {
        let now = moment();
        let mut tally = None;
        for _ in 0..4 {
            tally = Some(Tally::refuse(tally, None, now));
        }
        let blocked = tally.expect("counted");
        assert_eq!(blocked.blocked(now), Some(now + seconds(1)));
        let again = Tally::refuse(tally, None, now);
        assert_eq!((again.failures, again.refused), (4, 5));
        assert_eq!(again.blocked_until, blocked.blocked_until);
        assert!(again.blocked(now + seconds(1)).is_none());
    }

    #[test]
    fn failures_are_forgotten_after_a_day_without_any() {
        let now = moment();
        let mut tally = None;
        for _ in 0..3 {
            tally = Some(Tally::refuse(tally, None, now));
        }
        let almost = Tally::refuse(tally, None, now + MEMORY - seconds(1));
        assert_eq!(almost.failures, 4);
        let later = Tally::refuse(tally, None, now + MEMORY);
        assert_eq!((later.failures, later.refused), (1, 1));
    }

    #[test]
    fn a_flood_is_told_with_its_count_and_not_one_by_one() {
        let (mut tally, mut told) = (None, Vec::new());
        for number in 0..10_000 {
            // Ten a second.
            let now = moment() + SignedDuration::from_millis(100 * number);
            let mut next = Tally::refuse(tally, None, now);
            if next.note(now) {
                told.push(next.refused);
            }
            tally = Some(next);
        }
        assert_eq!(told, [1, 2, 3, 4, 5, 6005]);
    }

    #[test]
    fn an_address_is_refused_until_its_window_is_over() {
        let limit = AddressLimit {
            refusals: 3,
            window: seconds(600),
        };
        let now = moment();
        let mut tally = None;
        for second in 0..3 {
            let at = now + seconds(second);
            assert_eq!(limit.wait(tally.as_ref(), at), None);
            tally = Some(limit.refuse(tally, at));
        }
        assert_eq!(
            limit.wait(tally.as_ref(), now + seconds(100)),
            Some(seconds(500))
        );
        assert_eq!(limit.wait(tally.as_ref(), now + seconds(600)), None);
        let anew = limit.refuse(tally, now + seconds(600));
        assert_eq!(anew.refused, 1);
        let off = AddressLimit {
            refusals: 0,
            ..limit
        };
        assert_eq!(off.wait(tally.as_ref(), now), None);
    }

    #[test]
    fn names_and_addresses_are_counted_for_what_they_are() {
        let committee = CommitteeId::new(moment());
        let name = |name| Counted::name(committee, name);
        assert_eq!(name("chen.wei"), name("ＣＨＥＮ.Wei"));
        assert_ne!(name("chen.wei"), name("chen.wen"));
        let other = CommitteeId::new(moment());
        assert_ne!(name("chen.wei"), Counted::name(other, "chen.wei"));
        let address = |text: &str| Counted::address(committee, text.parse().expect("an address"));
        assert_eq!(address("192.0.2.7"), address("::ffff:192.0.2.7"));
        assert_ne!(address("192.0.2.7"), address("192.0.2.8"));
        assert_eq!(address("2001:db8::1"), address("2001:db8::2:3"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_ne!(address("192.0.2.7"), name("192.0.2.7"));
    }
}
