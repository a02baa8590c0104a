//! An upload on its way: a scratch file that never grows beyond the limit.

use std::fs::File;
use std::io;

use tokio::io::AsyncWriteExt;
use tokio::sync::OwnedSemaphorePermit;

use super::{on_disk, sniff};
use crate::digest::Running;
use crate::error::{Code, Error, Result};
use crate::workflow::attachments::FileType;

/// An upload that is being received.
pub struct Incoming {
    file: tokio::fs::File,
    max: u64,
    size: u64,
    hash: Running,
    permit: OwnedSemaphorePermit,
}

/// An upload that has arrived. The scratch file goes with the value.
pub struct Received {
    /// Bytes.
    pub size: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// What the content is; `None` for everything that is not taken.
    pub file_type: Option<FileType>,
    file: File,
    _permit: OwnedSemaphorePermit,
}

impl Incoming {
    pub(super) fn new(file: File, max: u64, permit: OwnedSemaphorePermit) -> Self {
        Self {
            file: tokio::fs::File::from_std(file),
            max,
            size: 0,
            hash: Running::new(),
            permit,
        }
    }

    /// Takes the next piece; 413 as soon as there is too much.
    pub async fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.size += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if self.size > self.max {
            return Err(Error::new(Code::PayloadTooLarge).with("max_bytes", self.max));
        }
        self.hash.update(piece);
        self.file.write_all(piece).await.map_err(on_disk)
    }

    /// The upload is complete: looks at what it is.
    pub async fn finish(mut self) -> Result<Received> {
        self.file.flush().await.map_err(on_disk)?;
        let file = self.file.into_std().await;
        let mut reader = file.try_clone().map_err(on_disk)?;
        let looked = tokio::task::spawn_blocking(move || sniff::file_type(&mut reader)).await;
        let file_type = match looked {
            Ok(found) => found.map_err(on_disk)?,
            Err(panic) => {
                tracing::warn!(%panic, "an upload could not be looked at");
                None
            }
        };
        Ok(Received {
            size: self.size,
            sha256: self.hash.finish(),
            file_type,
            file,
            _permit: self.permit,
        })
    }
}

impl Received {
    /// Another handle on the scratch file.
    pub(super) fn reader(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}
