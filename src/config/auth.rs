//! Settings of signing in.

use std::path::Path;

use jiff::SignedDuration;
use serde::Deserialize;

use super::{ConfigError, Origins};
use crate::auth::leaked::Leaked;
use crate::auth::throttle::AddressLimit;

/// Signing in.
#[derive(Debug, Clone)]
pub struct Auth {
    /// Issuer of access tokens.
    pub issuer: String,
    /// Audience of access tokens.
    pub audience: String,
    /// Memory for one password hash, in KiB.
    pub argon2_memory_kib: u32,
    /// Passes over that memory.
    pub argon2_iterations: u32,
    /// Passwords that may wait to be hashed.
    pub queue: usize,
    /// Passwords that leaked, if there is a file of them.
    pub leaked: Option<Leaked>,
    /// How many refused sign-ins an address has.
    pub address_limit: AddressLimit,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAuth {
    issuer: String,
    audience: String,
    argon2_memory_kib: u64,
    argon2_iterations: u64,
    queue: u64,
    leaked_passwords: String,
    address_refusals: u64,
    address_window_minutes: u64,
}

pub(super) fn check(
    raw: RawAuth,
    public_url: &str,
    origins: &Origins,
) -> Result<Auth, ConfigError> {
    let number = |key, value, min, max| origins.within::<u32>(key, value, min, max);
    let issuer = if raw.issuer.is_empty() {
        public_url.to_owned()
    } else {
        raw.issuer
    };
    let window = origins.within(
        "auth.address_window_minutes",
        raw.address_window_minutes,
        1,
        1440,
    )?;
    Ok(Auth {
        issuer,
        audience: origins.not_empty("auth.audience", raw.audience)?,
        argon2_memory_kib: number(
            "auth.argon2_memory_kib",
            raw.argon2_memory_kib,
            19_456,
            262_144,
        )?,
        argon2_iterations: number("auth.argon2_iterations", raw.argon2_iterations, 2, 16)?,
        queue: origins.within("auth.queue", raw.queue, 1, 4096)?,
        leaked: check_leaked(&raw.leaked_passwords, origins)?,
        address_limit: AddressLimit {
            refusals: origins.within(
                "auth.address_refusals",
                raw.address_refusals,
                0,
                1_000_000,
            )?,
            window: SignedDuration::from_mins(window),
        },
    })
}

fn check_leaked(file: &str, origins: &Origins) -> Result<Option<Leaked>, ConfigError> {
    if file.is_empty() {
        return Ok(None);
    }
    let leaked = Leaked::at(Path::new(file)).map_err(|error| {
        let what = format!("{file} is no list of leaked passwords: {error}");
        origins.wrong("auth.leaked_passwords", what)
    })?;
    Ok(Some(leaked))
}
