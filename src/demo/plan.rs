//! Which cases there are: the proportions of a prefecture-level city, one year after its plenary.
//!
//! 578 received; 470 filed, 371 of them by members and 99 by collectives; 86 units; about 86 % of
//! the assigned cases with co-handlers; outcomes about 15 % A, 68 % B, 17 % C; 0.4 % dissatisfied.

use jiff::{SignedDuration, Timestamp};

use crate::workflow::codes::OutcomeMeaning;

/// Proposals that were handed in.
pub const RECEIVED: usize = 578;
/// Drafts beside them.
const DRAFTS: usize = 12;

/// How far a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Never handed in.
    Draft,
    /// Handed in; this many stages of examination recorded.
    Submitted(usize),
    /// Back with its proposer.
    Returned,
    /// Taken back after submission.
    Withdrawn,
    /// Refused.
    NotFiled,
    /// Waits for its units.
    Filed,
    /// With its units; see [`Progress`].
    Assigned(Progress),
    /// Answered; some raters may have rated.
    Handled,
    /// Everybody rated.
    Feedback,
    /// Struck off.
    Closed,
}

/// How far the lead unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// Nobody has signed for it.
    Pending,
    /// Signed for by all.
    Accepted,
    /// The proposer was contacted, opinions are in.
    Contacted,
    /// The reply is drafted.
    Drafted,
    /// The reply is signed and under review.
    UnderReview,
    /// The reply passed the review.
    Approved,
}

/// Who proposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// One member, by index.
    Member(usize),
    /// A member with this many co-signers.
    Joint(usize, usize),
    /// An organisation, by index.
    Organisation(usize),
    /// A member whose paper the staff entered.
    Paper(usize),
}

/// One case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Number of the case; chooses its text.
    pub n: usize,
    /// How far it is.
    pub stop: Stop,
    /// Who proposes.
    pub from: From,
    /// When it was made.
    pub start: Timestamp,
    /// What the reply comes to.
    pub outcome: OutcomeMeaning,
    /// Units beside the lead.
    pub co_handlers: usize,
    /// Separate instead of joint handling.
    pub separate: bool,
    /// Returned once before it was filed.
    pub revised: bool,
    /// A rater is dissatisfied.
    pub dissatisfied: bool,
}

/// A number that looks random and is always the same.
pub fn mix(n: usize, salt: usize) -> usize {
    let mut x = (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ (salt as u64).wrapping_mul(0xD1B5_4A32_D192_ED03);
    x ^= x >> 29;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^= x >> 32;
    usize::try_from(x % 1_000_003).unwrap_or(0)
}

/// Number of cases per stop, with the days before `now` between which they were made.
const STOPS: &[(Stop, usize, i64, i64)] = &[
    (Stop::Closed, 262, 300, 236),
    (Stop::NotFiled, 62, 300, 30),
    (Stop::Withdrawn, 8, 290, 40),
    (Stop::Feedback, 28, 240, 150),
    (Stop::Handled, 44, 225, 128),
    (Stop::Assigned(Progress::Approved), 8, 110, 96),
    (Stop::Assigned(Progress::UnderReview), 16, 108, 80),
    (Stop::Assigned(Progress::Drafted), 20, 104, 66),
    (Stop::Assigned(Progress::Contacted), 34, 90, 52),
    (Stop::Assigned(Progress::Accepted), 24, 60, 36),
    (Stop::Assigned(Progress::Pending), 12, 34, 27),
    (Stop::Filed, 22, 26, 18),
    (Stop::Returned, 12, 14, 5),
    (Stop::Submitted(2), 8, 13, 9),
    (Stop::Submitted(1), 8, 8, 5),
    (Stop::Submitted(0), 10, 4, 1),
    (Stop::Draft, DRAFTS, 6, 1),
];

/// Every case, oldest first.
pub fn all(now: Timestamp) -> Vec<Plan> {
    let mut plans = Vec::with_capacity(RECEIVED + DRAFTS);
    let mut filed = 0;
    for (stop, count, oldest, newest) in STOPS {
        for index in 0..*count {
            let n = plans.len();
            let span = (oldest - newest) * 24 * 60;
            let place =
                i64::try_from(index).unwrap_or(0) * span / i64::try_from(*count).unwrap_or(1);
            let minutes = oldest * 24 * 60 - place + i64::try_from(mix(n, 1) % 300).unwrap_or(0);
            let is_filed = matches!(
                stop,
                Stop::Filed | Stop::Assigned(_) | Stop::Handled | Stop::Feedback | Stop::Closed
            );
            // 99 of the 470 filed ones are collective: every one whose share grows by a whole.
            let collective = is_filed && (filed + 1) * 99 / 470 > filed * 99 / 470;
            filed += usize::from(is_filed);
            plans.push(Plan {
                n,
                stop: *stop,
                from: proposer(n, collective),
                start: crate::clock::to_micros(now - SignedDuration::from_mins(minutes)),
                outcome: outcome(n),
                co_handlers: co_handlers(n),
                separate: mix(n, 7).is_multiple_of(25),
                revised: is_filed && mix(n, 8).is_multiple_of(30),
                dissatisfied: matches!(stop, Stop::Feedback) && index < 2,
            });
        }
    }
    plans.sort_by_key(|plan| plan.start);
    plans
}

/// The same year long after: whatever was under way is struck off, nothing is a draft.
pub fn long_ago(now: Timestamp) -> Vec<Plan> {
    let (_, _, oldest, newest) = STOPS[0];
    let mut plans: Vec<_> = all(now)
        .into_iter()
        .filter(|plan| plan.stop != Stop::Draft)
        .map(|mut plan| {
            if !matches!(plan.stop, Stop::Closed | Stop::NotFiled | Stop::Withdrawn) {
                let minutes = i64::try_from(mix(plan.n, 12)).unwrap_or(0);
                let minutes = newest * 24 * 60 + minutes % ((oldest - newest) * 24 * 60);
                plan.start = crate::clock::to_micros(now - SignedDuration::from_mins(minutes));
                plan.stop = Stop::Closed;
                plan.dissatisfied = false;
            }
            plan
        })
        .collect();
    plans.sort_by_key(|plan| plan.start);
    plans
}

fn proposer(n: usize, collective: bool) -> From {
    let member = mix(n, 2);
    if collective {
        From::Organisation(mix(n, 3))
    } else if mix(n, 4).is_multiple_of(5) {
        From::Joint(member, 1 + mix(n, 5) % 4)
    } else if mix(n, 6).is_multiple_of(40) {
        From::Paper(member)
    } else {
        From::Member(member)
    }
}

fn outcome(n: usize) -> OutcomeMeaning {
    match mix(n, 9) % 100 {
        0..12 => OutcomeMeaning::Resolved,
        12..15 => OutcomeMeaning::ResolvedOtherwise,
        15..30 => OutcomeMeaning::PartiallyResolved,
        30..66 => OutcomeMeaning::InProgress,
        66..83 => OutcomeMeaning::Planned,
        83..93 => OutcomeMeaning::DeferredByConditions,
        93..98 => OutcomeMeaning::ForReference,
        _ => OutcomeMeaning::NotFeasible,
    }
}

fn co_handlers(n: usize) -> usize {
    match mix(n, 10) % 100 {
        0..14 => 0,
        14..50 => 1,
        50..75 => 2,
        75..90 => 3,
        90..97 => 4,
        97..99 => 6,
        _ => 11,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_has_its_proportions() {
        let now = "2026-11-23T02:00:00Z".parse().expect("a moment");
        let plans = all(now);
        assert_eq!(plans.len(), RECEIVED + DRAFTS);
        assert!(plans.iter().all(|plan| plan.start < now));
        let filed = |plan: &&Plan| {
            matches!(
                plan.stop,
                Stop::Filed | Stop::Assigned(_) | Stop::Handled | Stop::Feedback | Stop::Closed
            )
        };
        assert_eq!(plans.iter().filter(filed).count(), 470);
        let collective = plans
            .iter()
            .filter(filed)
            .filter(|plan| matches!(plan.from, From::Organisation(_)));
        assert_eq!(collective.count(), 99);
        let helped = plans.iter().filter(|plan| plan.co_handlers > 0).count();
        assert!((80..92).contains(&(helped * 100 / plans.len())));
    }
}
