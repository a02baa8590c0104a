//! How many requests a caller may make.

use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, Origins};

/// Requests of one caller within a window; 0: any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Length of a window, in seconds.
    pub window: i64,
    /// Reads of an account.
    pub reads: u32,
    /// Writes of an account.
    pub writes: u32,
    /// Requests of an account that do the work of many.
    pub heavy: u32,
    /// Requests of an address that need no token.
    pub open: u32,
    /// Questions of an address about the service itself.
    pub probes: u32,
    /// How long a request waits for its place in a budget that all instances share. It is one second: the
    /// database being slow is no reason to refuse a request, which is then counted here alone.
    pub patience: Duration,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimits {
    window_seconds: u64,
    reads: u64,
    writes: u64,
    heavy: u64,
    open: u64,
    probes: u64,
}

/// More requests in a window are no limit any more.
const MOST: u64 = 1_000_000;

const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn check(raw: &RawLimits, origins: &Origins) -> Result<Limits, ConfigError> {
    let requests = |key, value| origins.within(key, value, 0, MOST);
    Ok(Limits {
        window: origins.within("limits.window_seconds", raw.window_seconds, 1, 3600)?,
        reads: requests("limits.reads", raw.reads)?,
        writes: requests("limits.writes", raw.writes)?,
        heavy: requests("limits.heavy", raw.heavy)?,
        open: requests("limits.open", raw.open)?,
        probes: requests("limits.probes", raw.probes)?,
        patience: PATIENCE,
    })
}
