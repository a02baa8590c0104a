//! `jianjian backup` and `jianjian restore`.

use std::path::PathBuf;

use super::{Failure, out};
use crate::backup;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::startup;
use crate::store::checks::{Finding, Outcome};

#[derive(Debug, clap::Args)]
pub struct Backup {
    /// Directory of the backup; it must not be there yet
    #[arg(long, value_name = "DIRECTORY")]
    to: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct Restore {
    /// Directory of the backup
    #[arg(long, value_name = "DIRECTORY", required_unless_present = "check")]
    from: Option<PathBuf>,
    /// Change nothing: check the backup or, without --from, the database and files of the settings
    #[arg(long)]
    check: bool,
}

/// Backs up the database and the files of the settings.
pub fn back_up(args: &Backup, config: &Config) -> Result<(), Failure> {
    let now = SystemClock.now();
    let manifest = backup::take(&config.database.url, &config.storage, &args.to, now)?;
    let copy = manifest.database.file();
    let bytes: u64 = manifest.files.iter().map(|listed| listed.size).sum();
    let files = manifest.files.len().saturating_sub(1);
    out::line(&format!(
        "{}: {copy} and {files} files, {bytes} bytes in all",
        args.to.display()
    ));
    if !manifest.with_files && files > 0 {
        out::line(&format!(
            "the files are in {}, not in the backup: keep them with it",
            manifest.storage
        ));
    }
    Ok(())
}

/// Restores a backup, or checks one, or checks what is there.
pub fn restore(args: &Restore, config: &Config) -> Result<(), Failure> {
    let (url, storage) = (&config.database.url, &config.storage);
    let findings = match (&args.from, args.check) {
        (Some(from), true) => backup::check_backup(from)?,
        (Some(from), false) => startup::block_on(backup::restore(from, url, storage))?,
        (None, _) => startup::block_on(backup::check_living(url, storage, None))?,
    };
    for finding in &findings {
        out::line(&finding.to_string());
    }
    let wrong = |finding: &&Finding| finding.outcome == Outcome::Wrong;
    match findings.iter().filter(wrong).count() {
        0 => Ok(()),
        count => Err(Failure::Other(format!(
            "{count} of {} checks failed",
            findings.len()
        ))),
    }
}
