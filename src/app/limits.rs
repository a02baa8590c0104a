//! How many requests a caller may make: a budget for each kind of operation and window.
//!
//! An address is counted by each instance alone. An account is counted by all instances together,
//! without a statement for most requests: an instance lets the first requests of a window through
//! without asking (a small part of the quota), and then takes parts of what is left from one row,
//! parts that shrink to one request as the budget runs out. So an account that stays far below its
//! quota costs no statement at all, one that uses it up costs about one for twenty requests, and no
//! spread over the instances gets it more than its quota and that first small part for each further
//! instance.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::App;
use crate::config::Limits;
use crate::error::{Code, Error};
use crate::ids::{CommitteeId, UserId};
use crate::store::Db;
use crate::store::request_budgets::{self, Given, Share};

/// The part of a quota that an instance lets through without asking the others.
const UNASKED: u32 = 32;
/// Callers that one instance counts at the same time; those beyond share one count.
const MOST_CALLERS: usize = 50_000;

/// A budget: which operations are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Budget {
    /// Reads of an account.
    Reads,
    /// Writes of an account.
    Writes,
    /// Requests of an account that do the work of many.
    Heavy,
    /// Requests of an address that need no token.
    Open,
    /// Questions of an address about the service itself.
    Probes,
}

impl Budget {
    /// Its name in headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Heavy => "heavy",
            Self::Open => "open",
            Self::Probes => "probes",
        }
    }

    fn quota(self, limits: &Limits) -> u32 {
        match self {
            Self::Reads => limits.reads,
            Self::Writes => limits.writes,
            Self::Heavy => limits.heavy,
            Self::Open => limits.open,
            Self::Probes => limits.probes,
        }
    }
}

/// How a caller stands with a budget after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The budget.
    pub budget: Budget,
    /// Requests in a window.
    pub quota: u32,
    /// Length of a window, in seconds.
    pub window: i64,
    /// Requests that are left in this window, as far as this instance knows.
    pub left: u32,
    /// Seconds until the next window begins.
    pub reset: i64,
    /// This request was one too many.
    pub exceeded: bool,
}

impl Standing {
    /// The refusal of a request that was one too many.
    pub fn refusal(&self) -> Option<Error> {
        self.exceeded.then(|| {
            Error::new(Code::RateLimited)
                .with("budget", self.budget.as_str())
                .with("retry_after", self.reset)
        })
    }
}

/// Who is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Caller {
    Account(CommitteeId, UserId),
    Address(IpAddr),
    /// Everybody beyond [`MOST_CALLERS`].
    Others,
}

/// What one caller used of one budget in one window, here.
#[derive(Debug, Default)]
struct Count {
    /// The number of the window; none yet.
    window: Option<i64>,
    /// Requests that were let through.
    used: u32,
    /// Requests that may be let through.
    given: u32,
    /// Those of `given` that the common row does not know of.
    unreported: u32,
    /// What all instances have taken, by the common row.
    taken: u32,
    /// One request asks for all those that wait.
    gate: Arc<tokio::sync::Mutex<()>>,
}

impl Count {
    fn left(&self, quota: u32) -> u32 {
        quota.saturating_sub(self.taken + self.unreported) + self.given.saturating_sub(self.used)
    }
}

/// What becomes of a request.
enum Step {
    /// It is decided; so many requests are left, or it was one too many.
    Done(Option<u32>),
    /// The common row has to be asked.
    Ask(Arc<tokio::sync::Mutex<()>>),
}

/// The counts of this instance.
#[derive(Debug)]
pub struct Limiter {
    limits: Limits,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    of: HashMap<(Caller, Budget), Count>,
    /// The window in which those of earlier ones were thrown away.
    swept: i64,
}

impl Counts {
    /// Whether there is no place for one more.
    fn are_full(&mut self, window: i64) -> bool {
        if self.of.len() >= MOST_CALLERS && self.swept != window {
            self.swept = window;
            self.of.retain(|_, count| count.window == Some(window));
        }
        self.of.len() >= MOST_CALLERS
    }
}

impl Limiter {
    /// Nothing is counted yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            counts: Mutex::default(),
        }
    }

    /// Runs with the count of a caller in this window.
    fn count<T>(
        &self,
        caller: Caller,
        budget: Budget,
        window: i64,
        work: impl FnOnce(&mut Count) -> T,
    ) -> T {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = counts.of.contains_key(&(caller, budget));
        let caller = if !is_known && counts.are_full(window) {
            Caller::Others
        } else {
            caller
        };
        let count = counts.of.entry((caller, budget)).or_default();
        if count.window != Some(window) {
            let quota = budget.quota(&self.limits);
            // What everybody else shares cannot be shared with other instances, too.
            let unasked = match caller {
                Caller::Account(..) => quota / UNASKED,
                Caller::Address(_) | Caller::Others => quota,
            };
            *count = Count {
                window: Some(window),
                given: unasked,
                unreported: unasked,
                ..Count::default()
            };
        }
        work(count)
    }

    fn step(&self, caller: Caller, budget: Budget, window: i64) -> Step {
        let quota = budget.quota(&self.limits);
        self.count(caller, budget, window, |count| {
            if count.used < count.given {
                count.used += 1;
                Step::Done(Some(count.left(quota)))
            } else if count.taken + count.unreported >= quota {
                Step::Done(None)
            } else {
                Step::Ask(Arc::clone(&count.gate))
            }
        })
    }

    /// Counts a request; `None` where the budget has no limit.
    async fn charge(
        &self,
        db: &Db,
        caller: Caller,
        budget: Budget,
        now: Timestamp,
    ) -> Option<Standing> {
        let quota = budget.quota(&self.limits);
        if quota == 0 {
            return None;
        }
        let length = self.limits.window;
        let (window, since) = (
            now.as_second().div_euclid(length),
            now.as_second().rem_euclid(length),
        );
        let left = loop {
            let gate = match self.step(caller, budget, window) {
                Step::Done(left) => break left,
                Step::Ask(gate) => gate,
            };
            let held = gate.lock().await;
            // Another request may have asked meanwhile.
            if let Step::Done(left) = self.step(caller, budget, window) {
                break left;
            }
            self.ask(db, caller, budget, window).await;
            drop(held);
        };
        Some(Standing {
            budget,
            quota,
            window: length,
            left: left.unwrap_or(0),
            reset: length - since,
            exceeded: left.is_none(),
        })
    }

    /// Takes a part of what is left for this instance.
    async fn ask(&self, db: &Db, caller: Caller, budget: Budget, window: i64) {
        let quota = budget.quota(&self.limits);
        let reported = self.count(caller, budget, window, |count| count.unreported);
        let given = self.take(db, caller, budget, window, reported).await;
        self.count(caller, budget, window, |count| {
            if let Some(given) = given {
                count.given += given.requests;
                count.taken = given.taken;
                count.unreported = count.unreported.saturating_sub(reported);
            } else {
                // Nobody is refused because the database is away; it is told later.
                let part = (quota / UNASKED).max(1);
                count.given += part;
                count.unreported += part;
            }
        });
    }

    async fn take(
        &self,
        db: &Db,
        caller: Caller,
        budget: Budget,
        window: i64,
        reported: u32,
    ) -> Option<Given> {
        let Caller::Account(committee, user) = caller else {
            return None;
        };
        let share = Share {
            committee,
            user,
            budget: budget.as_str(),
            window: Timestamp::from_second(window * self.limits.window).ok()?,
            quota: budget.quota(&self.limits),
        };
        let taking = db.write("limits.take", move |tx| {
            request_budgets::take(tx, &share, reported)
        });
        match tokio::time::timeout(self.limits.patience, taking).await {
            Ok(Ok(given)) => Some(given),
            Ok(Err(error)) => {
                tracing::warn!(%error, "a budget of requests is counted here alone for now");
                None
            }
            Err(_) => None,
        }
    }
}

impl App {
    /// Counts a request of an account.
    pub async fn charge_account(
        &self,
        committee: CommitteeId,
        user: UserId,
        budget: Budget,
    ) -> Option<Standing> {
        let caller = Caller::Account(committee, user);
        let now = self.clock.now();
        self.limiter.charge(&self.db, caller, budget, now).await
    }

    /// Counts a request of an address.
    pub async fn charge_address(&self, address: IpAddr, budget: Budget) -> Option<Standing> {
        let caller = Caller::Address(network(address));
        let now = self.clock.now();
        self.limiter.charge(&self.db, caller, budget, now).await
    }
}

/// Whoever has one address of IPv6 has the 2^64 of its network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            std::net::Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into()
        }
    }
}
