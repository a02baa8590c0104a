//! `jianjian verify`: checks every seal and every chain of the audit trail.

use std::path::PathBuf;

use super::{Failure, audit, out};
use crate::auth::seal::Seal;
use crate::config::Config;
use crate::startup;
use crate::store::Db;
use crate::store::verify::{Check, Exported, Report};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A seal that was exported and kept elsewhere; may be given several times
    #[arg(long = "head", value_name = "FILE")]
    heads: Vec<PathBuf>,
    /// Only this committee
    #[arg(long, value_name = "CODE")]
    committee: Option<String>,
}

/// Prints what was found; fails if anything does not hold.
pub fn run(args: &Args, config: &Config) -> Result<(), Failure> {
    let heads = args.heads.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let report = startup::block_on(async {
        let db = startup::open_database(&config.database).await?;
        let scope = match &args.committee {
            Some(code) => Some(audit::committee(&db, code).await?),
            None => None,
        };
        check(&db, Check::new(scope, heads)).await
    })?;
    let Report {
        seals,
        events,
        streams,
        ..
    } = report;
    for broken in &report.found {
        out::line(&broken.to_string());
    }
    match report.found.len() {
        0 => {
            out::line(&format!(
                "{events} events in {streams} chains under {seals} seals: every chain is whole"
            ));
            if args.heads.is_empty() {
                out::line(
                    "compared with no exported seal: a trail rewritten as a whole is found with --head only",
                );
            }
            Ok(())
        }
        _ => Err(Failure::Other(format!(
            "the audit trail is broken: {}",
            report
                .broken
                .map(|first| first.to_string())
                .unwrap_or_default()
        ))),
    }
}

/// Piece by piece, so that a trail of many years needs neither memory nor a long statement.
async fn check(db: &Db, mut check: Check) -> Result<Report, crate::error::Error> {
    while !check.is_done() {
        check = db
            .read("verify", move |tx| {
                let mut check = check.clone();
                check.step(tx)?;
                Ok(check)
            })
            .await?;
    }
    Ok(check.report().clone())
}

fn read(path: &PathBuf) -> Result<Exported, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Other(format!("{}: {error}", path.display())))?;
    let seal: Seal = serde_json::from_str(&text)
        .map_err(|error| Failure::Other(format!("{}: not a seal: {error}", path.display())))?;
    if seal.hash != seal.expected_hash() {
        let words = format!("{}: the exported seal itself was changed", path.display());
        return Err(Failure::Other(words));
    }
    Ok(Exported::from(&seal))
}
