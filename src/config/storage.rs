//! Where files are kept.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, Origins};
use crate::files::{Place, S3, Scanner, Storage};
use crate::store::DatabaseUrl;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStorage {
    url: String,
    scratch: String,
    uploads: u64,
    clamd: String,
    clamd_seconds: u64,
    s3_endpoint: String,
    s3_region: String,
    s3_access_key_id: String,
    s3_secret_access_key: String,
    s3_virtual_hosted: bool,
}

impl fmt::Debug for RawStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawStorage")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Checks them.
pub(super) fn check(
    raw: RawStorage,
    database: &DatabaseUrl,
    origins: &Origins,
) -> Result<Storage, ConfigError> {
    let place = match (raw.url.as_str(), database) {
        ("", DatabaseUrl::Sqlite(file)) => Place::Directory(file.with_file_name("files")),
        ("", DatabaseUrl::Postgres(_)) => Place::Directory("data/files".into()),
        (url, _) => url
            .parse()
            .map_err(|error: String| origins.wrong("storage.url", error))?,
    };
    let key = "storage.s3_endpoint";
    let endpoint = Some(raw.s3_endpoint).filter(|endpoint| !endpoint.is_empty());
    if endpoint.as_ref().is_some_and(|endpoint| {
        !endpoint.starts_with("https://") && !endpoint.starts_with("http://")
    }) {
        return Err(origins.wrong(key, "it must start with https:// or http://"));
    }
    let credentials = match (
        raw.s3_access_key_id.is_empty(),
        raw.s3_secret_access_key.is_empty(),
    ) {
        (true, true) => None,
        (false, false) => Some((raw.s3_access_key_id, raw.s3_secret_access_key)),
        (id_is_empty, _) => {
            let key = if id_is_empty {
                "storage.s3_access_key_id"
            } else {
                "storage.s3_secret_access_key"
            };
            return Err(origins.wrong(key, "key and secret are given together or not at all"));
        }
    };
    Ok(Storage {
        place,
        scratch: Some(raw.scratch)
            .filter(|scratch| !scratch.is_empty())
            .map(PathBuf::from),
        uploads: origins.within("storage.uploads", raw.uploads, 1, 256)?,
        scanner: check_scanner(&raw.clamd, raw.clamd_seconds, origins)?,
        s3: S3 {
            endpoint,
            region: origins.not_empty("storage.s3_region", raw.s3_region)?,
            credentials,
            virtual_hosted: raw.s3_virtual_hosted,
        },
    })
}

fn check_scanner(
    clamd: &str,
    seconds: u64,
    origins: &Origins,
) -> Result<Option<Scanner>, ConfigError> {
    let timeout = origins.within("storage.clamd_seconds", seconds, 1, 240)?;
    if clamd.is_empty() {
        return Ok(None);
    }
    Ok(Some(Scanner {
        address: clamd
            .parse()
            .map_err(|error: String| origins.wrong("storage.clamd", error))?,
        timeout: Duration::from_secs(timeout),
    }))
}
