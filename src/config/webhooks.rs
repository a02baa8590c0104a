//! Messages to other systems.

use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, Origins};
use crate::keep::Keeper;
use crate::webhooks::Names;

/// Messages to other systems.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// Keeps the secrets of subscriptions.
    pub keeper: Keeper,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// For development: http, and addresses of this machine.
    pub allow_insecure_targets: bool,
    /// Names whose addresses are known without asking: for tests, no setting.
    pub names: Names,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWebhooks {
    key: String,
    timeout_seconds: u64,
    allow_insecure_targets: bool,
}

pub(super) fn check(raw: &RawWebhooks, origins: &Origins) -> Result<Webhooks, ConfigError> {
    Ok(Webhooks {
        keeper: origins.keeper("webhooks.key", &raw.key)?,
        timeout: Duration::from_secs(origins.within(
            "webhooks.timeout_seconds",
            raw.timeout_seconds,
            1,
            60,
        )?),
        allow_insecure_targets: raw.allow_insecure_targets,
        names: Names::default(),
    })
}
