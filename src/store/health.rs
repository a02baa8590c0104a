//! Whether the database answers.

use diesel::connection::SimpleConnection;

use super::Tx;
use super::connection::per_backend;
use crate::error::{Error, Result};

/// A statement that touches no table.
pub fn ping(tx: &mut Tx<'_>) -> Result<()> {
    per_backend!(&mut *tx.conn, c => c.batch_execute("SELECT 1")).map_err(Error::from)
}
