//! Who is told of an event: the "event → told" columns of the tables.

use super::case::Case;
use super::decide::Happened;
use super::desk::Audience;

/// Everybody who is told of what happened, from the case as it is afterwards; nobody twice.
pub fn told(_happened: &Happened, _case: &Case) -> Vec<Audience> {
    Vec::new()
}
