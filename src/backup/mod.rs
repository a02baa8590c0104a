//! Backups: a directory with a copy of the database, the files of the storage, and a manifest by
//! which both can be checked; and the way back.
//!
//! A backup is made beside living servers. It holds what was committed at one moment; the content
//! of files is copied afterwards, which is enough: content is stored before a row names it and
//! never changed. The directory gets its name only when everything in it is on the disk, so
//! whatever has that name is whole.

mod check;
mod disk;
mod manifest;
mod postgres;
mod restore;
mod take;

pub use check::{check_backup, check_living};
pub use manifest::{Figures, Kind, Listed, MANIFEST, Manifest};
pub use restore::restore;
pub use take::take;
