//! Use cases: each function is one transaction. The layer exists only where something is decided.

pub mod ctx;
pub mod signin;
pub mod write;

use std::sync::Arc;

use crate::auth::password::Passwords;
use crate::clock::Clock;
use crate::store::Db;

pub use ctx::Ctx;
pub use write::Answer;

/// What every use case works with.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Hashes and checks passwords, a few at a time.
    pub passwords: Arc<Passwords>,
}
