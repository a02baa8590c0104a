//! Where the content of attachments lies: a directory, or a service that speaks the S3 protocol.
//! The only place that knows `object_store`.
//!
//! Nothing here holds a file in memory: an upload goes piece by piece into a scratch file, from
//! there into the storage, and a download piece by piece out of it.

mod incoming;
pub mod name;
mod scan;
pub mod sniff;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::{Notify, Semaphore};

use crate::digest::Running;
use crate::error::{Code, Error, Result};
use crate::ids::{AttachmentId, CommitteeId};

pub use incoming::{Incoming, Received};
pub use scan::{Address, Scanner};

/// A piece of a file.
pub type Piece = bytes::Bytes;

/// What is in memory of a file on its way to the storage; S3 takes no smaller parts than these.
const PART: u64 = 5 * 1024 * 1024;
/// How long an upload waits for a free place.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection to S3 may take to come about, and to stay silent.
const CONNECT: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(20);

/// Where files are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a directory.
    Directory(PathBuf),
    /// In a bucket of an S3 service.
    Bucket {
        /// Its name.
        name: String,
        /// What the keys begin with; may be empty.
        prefix: String,
    },
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix("s3://") {
            let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if name.is_empty() || name.contains(['@', ':', '?', '#']) {
                return Err(format!(
                    "'{text}' does not name a bucket: s3://BUCKET/PREFIX"
                ));
            }
            return Ok(Self::Bucket {
                name: name.to_owned(),
                prefix: prefix.trim_matches('/').to_owned(),
            });
        }
        let path = match text.strip_prefix("file://") {
            Some(path) if path.starts_with('/') => path,
            Some(_) => return Err(format!("'{text}' needs three slashes: file:///DIRECTORY")),
            None if text.contains("://") => {
                return Err(format!("'{text}' is neither file:///… nor s3://…"));
            }
            None => text,
        };
        Ok(Self::Directory(path.into()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(f, "{}", path.display()),
            Self::Bucket { name, prefix } => write!(f, "s3://{name}/{prefix}"),
        }
    }
}

/// How to reach an S3 service.
#[derive(Clone, PartialEq, Eq)]
pub struct S3 {
    /// Its address; `None` for AWS.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// Key and secret; `None` for those that the machine gives.
    pub credentials: Option<(String, String)>,
    /// The bucket is part of the host name.
    pub virtual_hosted: bool,
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// The settings of the storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Where files are kept.
    pub place: Place,
    /// Where uploads wait; `None` for the usual place.
    pub scratch: Option<PathBuf>,
    /// Uploads at the same time.
    pub uploads: usize,
    /// Who looks for viruses in uploads; `None`: nobody.
    pub scanner: Option<Scanner>,
    /// How to reach S3.
    pub s3: S3,
}

/// The storage of files.
pub struct Files {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    scratch: PathBuf,
    permits: Arc<Semaphore>,
    scanner: Option<Scanner>,
    swept: Notify,
}

/// What names the content of one file.
#[derive(Debug, Clone)]
pub struct Key {
    /// The tenant.
    pub committee: CommitteeId,
    /// The file.
    pub id: AttachmentId,
    /// Its checksum.
    pub sha256: String,
}

impl Key {
    /// Where the content lies in the storage: folder in folder, and the name of the file.
    pub fn place(&self) -> [String; 3] {
        let (committee, id) = (self.committee.uuid().simple(), self.id.uuid().simple());
        let start = self.sha256.get(..2).unwrap_or_default();
        [
            committee.to_string(),
            start.to_owned(),
            format!("{}-{id}", self.sha256),
        ]
    }
}

fn unavailable(error: object_store::Error) -> Error {
    Error::new(Code::StorageUnavailable).context(error)
}

fn on_disk(error: impl fmt::Display) -> Error {
    Error::new(Code::StorageUnavailable).context(format!("scratch file: {error}"))
}

impl Files {
    /// Over the storage that the settings name; makes its directories. Blocks.
    pub fn open(storage: &Storage) -> Result<Self> {
        let make = |directory: &PathBuf| {
            std::fs::create_dir_all(directory).map_err(|error| {
                let what = format!("storage.url: cannot make {}", directory.display());
                Error::internal(error).context(what)
            })
        };
        let (store, prefix, scratch): (Arc<dyn ObjectStore>, _, _) = match &storage.place {
            Place::Directory(directory) => {
                make(directory)?;
                let store = LocalFileSystem::new_with_prefix(directory)
                    .map_err(|error| Error::internal(error).context("storage.url"))?
                    .with_fsync(true);
                (
                    Arc::new(store),
                    Path::default(),
                    directory.join(".incoming"),
                )
            }
            Place::Bucket { name, prefix } => {
                let prefix = Path::parse(prefix)
                    .map_err(|error| Error::internal(error).context("storage.url"))?;
                let store = bucket(name, &storage.s3)?;
                (Arc::new(store), prefix, std::env::temp_dir())
            }
        };
        let scratch = storage.scratch.clone().unwrap_or(scratch);
        make(&scratch)?;
        Ok(Self {
            store,
            prefix,
            scratch,
            permits: Arc::new(Semaphore::new(storage.uploads)),
            scanner: storage.scanner.clone(),
            swept: Notify::new(),
        })
    }

    fn path(&self, key: &Key) -> Path {
        key.place()
            .into_iter()
            .fold(self.prefix.clone(), Path::join)
    }

    /// A place for an upload of at most `max` bytes; waits a little for a free one.
    pub async fn receive(&self, max: u64) -> Result<Incoming> {
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| Error::new(Code::Busy).context("too many uploads"))?
            .map_err(Error::internal)?;
        let scratch = self.scratch.clone();
        // Without a name: it is gone with the process, whatever happens.
        let file = tokio::task::spawn_blocking(move || tempfile::tempfile_in(scratch))
            .await
            .map_err(Error::internal)?
            .map_err(on_disk)?;
        Ok(Incoming::new(file, max, permit))
    }

    /// Refuses an upload that is infected, where somebody looks for viruses; 503 where that cannot
    /// be told.
    pub async fn scan(&self, received: &Received) -> Result<()> {
        let Some(scanner) = &self.scanner else {
            return Ok(());
        };
        let mut file = tokio::fs::File::from_std(received.reader().map_err(on_disk)?);
        file.rewind().await.map_err(on_disk)?;
        let content = stream::try_unfold(file, |mut file| async move {
            let mut bytes = vec![0; scan::CHUNK];
            let size = file.read(&mut bytes).await?;
            bytes.truncate(size);
            Ok((size > 0).then(|| (Piece::from(bytes), file)))
        });
        scanner.scan(content).await
    }

    /// Stores the content of an upload; when this returns it outlives a power cut.
    pub async fn put(&self, key: &Key, received: &Received) -> Result<()> {
        let mut file = tokio::fs::File::from_std(received.reader().map_err(on_disk)?);
        file.rewind().await.map_err(on_disk)?;
        let (path, mut rest) = (self.path(key), received.size);
        if rest <= PART {
            let whole = piece(&mut file, rest).await?;
            let stored = self.store.put(&path, whole.into()).await;
            return stored.map(drop).map_err(unavailable);
        }
        let mut parts = self.store.put_multipart(&path).await.map_err(unavailable)?;
        let sent = async {
            while rest > 0 {
                let next = piece(&mut file, rest.min(PART)).await?;
                rest -= rest.min(PART);
                parts.put_part(next.into()).await.map_err(unavailable)?;
            }
            parts.complete().await.map(drop).map_err(unavailable)
        }
        .await;
        if sent.is_err() {
            // Parts that were sent already would stay for ever.
            let _ = parts.abort().await;
        }
        sent
    }

    /// The content, piece by piece. It ends with an error, before its last piece, if it is not what
    /// was stored.
    pub async fn get(&self, key: &Key, size: u64) -> Result<BoxStream<'static, Result<Piece>>> {
        let found = self.store.get(&self.path(key)).await.map_err(|error| {
            if matches!(error, object_store::Error::NotFound { .. }) {
                Error::internal(format!("the storage has lost {}: {error}", key.id))
            } else {
                unavailable(error)
            }
        })?;
        if found.meta.size != size {
            let what = format!("{} has {} bytes, not {size}", key.id, found.meta.size);
            return Err(Error::internal(what));
        }
        Ok(checked(found.into_stream(), key.clone()))
    }

    /// Deletes the content; it may be gone already.
    pub async fn delete(&self, key: &Key) -> Result<()> {
        match self.store.delete(&self.path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Something was taken away: its content is to be deleted soon.
    pub fn wake(&self) {
        self.swept.notify_one();
    }

    /// Waits until something was taken away, at most this long.
    pub async fn woken(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.swept.notified()).await;
    }
}

/// The next bytes of a scratch file.
async fn piece(file: &mut tokio::fs::File, size: u64) -> Result<Piece> {
    let mut bytes = vec![0; usize::try_from(size).map_err(Error::internal)?];
    file.read_exact(&mut bytes).await.map_err(on_disk)?;
    Ok(bytes.into())
}

fn bucket(name: &str, s3: &S3) -> Result<object_store::aws::AmazonS3> {
    let client = ClientOptions::new()
        .with_connect_timeout(CONNECT)
        .with_timeout_disabled()
        .with_read_timeout(SILENCE);
    let retry = RetryConfig {
        max_retries: 3,
        retry_timeout: Duration::from_secs(30),
        ..RetryConfig::default()
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(name)
        .with_region(&s3.region)
        .with_virtual_hosted_style_request(s3.virtual_hosted)
        // Not every service that speaks S3 knows how to delete many at once.
        .with_disable_bulk_delete(true)
        .with_client_options(client)
        .with_retry(retry);
    if let Some(endpoint) = &s3.endpoint {
        builder = builder
            .with_endpoint(endpoint)
            .with_allow_http(endpoint.starts_with("http://"));
    }
    if let Some((id, secret)) = &s3.credentials {
        builder = builder
            .with_access_key_id(id)
            .with_secret_access_key(secret);
    }
    builder
        .build()
        .map_err(|error| Error::internal(error).context("storage"))
}

/// Holds every piece back until the next one is there, and the last one until the checksum is
/// right: nobody ever gets the whole of a file that was changed behind the back of the service.
fn checked(
    pieces: BoxStream<'static, object_store::Result<Piece>>,
    key: Key,
) -> BoxStream<'static, Result<Piece>> {
    struct State {
        pieces: BoxStream<'static, object_store::Result<Piece>>,
        key: Key,
        held: Option<Piece>,
        hash: Option<Running>,
    }
    let state = State {
        pieces,
        key,
        held: None,
        hash: Some(Running::new()),
    };
    stream::try_unfold(state, |mut state| async move {
        loop {
            let Some(hash) = &mut state.hash else {
                return Ok(None);
            };
            if let Some(piece) = state.pieces.next().await {
                let piece = piece.map_err(unavailable)?;
                hash.update(&piece);
                if let Some(ready) = state.held.replace(piece) {
                    return Ok(Some((ready, state)));
                }
                continue;
            }
            let found = state.hash.take().unwrap_or_default().finish();
            if found != state.key.sha256 {
                tracing::error!(attachment = %state.key.id, "the storage gives another content");
                return Err(Error::internal("the checksum is wrong"));
            }
            return Ok(state.held.take().map(|last| (last, state)));
        }
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_directories_or_buckets() {
        let bucket = |name: &str, prefix: &str| Place::Bucket {
            name: name.to_owned(),
            prefix: prefix.to_owned(),
        };
        for (text, place) in [
            ("file:///var/lib/x", Place::Directory("/var/lib/x".into())),
            ("data/files", Place::Directory("data/files".into())),
            ("s3://files", bucket("files", "")),
            ("s3://files/a/b/", bucket("files", "a/b")),
        ] {
            assert_eq!(text.parse(), Ok(place), "{text}");
        }
        for text in [
            "file://here",
            "s3://",
            "s3://key@bucket",
            "ftp://h/x",
            "https://h",
        ] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
