//! The second factor, the secrets that the service itself has to read, and identity providers.

use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;

use super::{ConfigError, Origins};
use crate::auth::principal::Principal;
use crate::keep::Keeper;
use crate::openid;
use crate::webhooks::Names;
use crate::workflow::role::Role;

/// The second factor.
#[derive(Debug, Clone)]
pub struct SecondFactor {
    /// Keeps the secrets of second factors and of clients of identity providers.
    pub keeper: Keeper,
    /// Who must have one.
    pub required_for: RequiredFor,
    /// For how long after it was proven dangerous operations may be called.
    pub step_up: SignedDuration,
    /// Name of the service in an authenticator.
    pub label: String,
}

impl Default for SecondFactor {
    fn default() -> Self {
        Self {
            keeper: Keeper::new("secrets.key", None),
            required_for: RequiredFor::None,
            step_up: SignedDuration::from_mins(10),
            label: "jianjian".to_owned(),
        }
    }
}

/// Who must have a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredFor {
    /// Nobody; whoever wants one may have it.
    None,
    /// Those who administer: accounts, security, the audit trail.
    Administrators,
    /// Everybody who signs in.
    All,
}

impl RequiredFor {
    /// Whether an account with these roles must have one. Machine clients do not sign in.
    pub fn includes(self, principal: &Principal) -> bool {
        const ADMINISTRATORS: &[Role] = &[
            Role::Administrator,
            Role::SecurityAdministrator,
            Role::Auditor,
        ];
        principal.machine.is_none()
            && match self {
                Self::None => false,
                Self::Administrators => principal.has_any(ADMINISTRATORS),
                Self::All => true,
            }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSecrets {
    key: String,
}

impl std::fmt::Debug for RawSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawSecrets")
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSecondFactor {
    required_for: String,
    step_up_minutes: u64,
    label: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOpenId {
    timeout_seconds: u64,
    allow_insecure_issuers: bool,
}

pub(super) fn check(
    raw: RawSecondFactor,
    secrets: &RawSecrets,
    origins: &Origins,
) -> Result<SecondFactor, ConfigError> {
    let required_for = match raw.required_for.as_str() {
        "none" => RequiredFor::None,
        "administrators" => RequiredFor::Administrators,
        "all" => RequiredFor::All,
        other => {
            let what = format!("'{other}' is none of none, administrators, all");
            return Err(origins.wrong("second_factor.required_for", what));
        }
    };
    let minutes = origins.within("second_factor.step_up_minutes", raw.step_up_minutes, 1, 60)?;
    let label = origins.not_empty("second_factor.label", raw.label)?;
    if label.contains(':') || label.chars().count() > 50 {
        let what = "at most 50 characters, without a colon";
        return Err(origins.wrong("second_factor.label", what));
    }
    Ok(SecondFactor {
        keeper: origins.keeper("secrets.key", &secrets.key)?,
        required_for,
        step_up: SignedDuration::from_mins(minutes),
        label,
    })
}

pub(super) fn check_openid(
    raw: &RawOpenId,
    origins: &Origins,
) -> Result<openid::Settings, ConfigError> {
    let seconds = origins.within("openid.timeout_seconds", raw.timeout_seconds, 1, 60)?;
    Ok(openid::Settings {
        insecure: raw.allow_insecure_issuers,
        timeout: Duration::from_secs(seconds),
        names: Names::default(),
    })
}
