//! How much room the database must have left.

use std::path::Path;

use super::{ConfigError, Origins, RawDatabase};
use crate::store::DatabaseUrl;
use crate::store::room::Limits;

/// Checks what the settings say of it.
pub(super) fn check(
    database: &RawDatabase,
    url: &DatabaseUrl,
    origins: &Origins,
) -> Result<Limits, ConfigError> {
    let mib = |key: &str, value| {
        origins
            .within::<u64>(key, value, 0, 1024 * 1024 * 1024)
            .map(|mib| mib * 1024 * 1024)
    };
    let volume = match (database.volume.as_str(), url) {
        ("", DatabaseUrl::Sqlite(file)) => {
            let directory = file.parent().filter(|parent| *parent != Path::new(""));
            Some(directory.unwrap_or(Path::new(".")).to_owned())
        }
        ("", DatabaseUrl::Postgres(_)) => None,
        (directory, _) if Path::new(directory).is_dir() => Some(directory.into()),
        (directory, _) => {
            let what = format!("{directory} is no directory");
            return Err(origins.wrong("database.volume", what));
        }
    };
    Ok(Limits {
        floor: mib("database.min_free_mib", database.min_free_mib)?,
        volume,
        max_size: mib("database.max_size_mib", database.max_size_mib)?,
    })
}
