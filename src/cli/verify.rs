//! `jianjian verify`: checks every chain of the audit trail.

use super::{Failure, out};
use crate::config::Config;
use crate::startup;
use crate::store::verify;

/// Prints what was found; fails at the first broken link.
pub fn run(config: &Config) -> Result<(), Failure> {
    let report = startup::block_on(async {
        let db = startup::open_database(&config.database).await?;
        db.read("verify", verify::run).await
    })?;
    match report.broken {
        None => {
            out::line(&format!(
                "{} events in {} chains: every chain is whole",
                report.events, report.streams
            ));
            Ok(())
        }
        Some(broken) => Err(Failure::Other(format!(
            "the audit trail is broken: {broken}"
        ))),
    }
}
