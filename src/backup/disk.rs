//! Files that are there for good once a function returns, and their checksums. Everything here
//! blocks.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use crate::digest::Running;
use crate::error::{Error, Result};

/// Bytes in memory at a time.
const PIECE: usize = 128 * 1024;

/// An error with the name of what it happened to.
pub fn at(path: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |error| Error::internal(format!("{}: {error}", path.display()))
}

/// Size and checksum of a file.
pub fn checksum(path: &Path) -> Result<(u64, String)> {
    let mut file = File::open(path).map_err(at(path))?;
    let (size, sha256) = pass(&mut file, &mut std::io::sink()).map_err(at(path))?;
    Ok((size, sha256))
}

/// Copies a file to where none is; gives the size and checksum of what was copied. The copy
/// outlives a power cut, its name only after [`settle`] of its directory.
pub fn copy(from: &Path, to: &Path) -> std::io::Result<(u64, String)> {
    let mut source = File::open(from)?;
    let mut copy = File::create_new(to)?;
    let copied = pass(&mut source, &mut copy)?;
    copy.sync_all()?;
    Ok(copied)
}

/// Writes a file where none is.
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    let mut file = File::create_new(path).map_err(at(path))?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(at(path))
}

/// What was written to a file by somebody else outlives a power cut from now on.
pub fn sync(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(at(path))
}

/// The names in a directory, and in all below it, outlive a power cut from now on.
pub fn settle(directory: &Path) -> Result<()> {
    for entry in std::fs::read_dir(directory).map_err(at(directory))? {
        let path = entry.map_err(at(directory))?.path();
        if path.is_dir() {
            settle(&path)?;
        }
    }
    sync(directory)
}

fn pass(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<(u64, String)> {
    let mut hash = Running::new();
    let mut piece = vec![0; PIECE];
    let mut size = 0;
    loop {
        let count = match from.read(&mut piece) {
            Ok(0) => return Ok((size, hash.finish())),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = piece.get(..count).unwrap_or_default();
        hash.update(bytes);
        to.write_all(bytes)?;
        size += u64::try_from(count).unwrap_or_default();
    }
}
