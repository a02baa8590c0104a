//! What accounts have taken of their budgets of requests, counted over all instances.

use diesel::prelude::*;
use jiff::Timestamp;

use super::Tx;
use super::prepared::Prepare;
use super::run::Run;
use super::schema::request_budgets::dsl;
use super::sql_types::At;
use crate::error::Result;
use crate::ids::{CommitteeId, UserId};

/// The smallest part of what is left that an instance takes at once is one request; otherwise it
/// takes this part, so that several instances share the rest fairly and use up all of it.
const PART: u32 = 8;

/// Whose budget it is, and of which window.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// The tenant.
    pub committee: CommitteeId,
    /// The account.
    pub user: UserId,
    /// Name of the budget.
    pub budget: &'static str,
    /// When the window began.
    pub window: Timestamp,
    /// Requests that the account may make in it.
    pub quota: u32,
}

/// What an instance was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Requests that it may let through.
    pub requests: u32,
    /// Requests that all instances have taken, with these.
    pub taken: u32,
}

/// Reports requests that were let through without asking, and takes some more. Instances that ask
/// at the same time wait for each other here, so that they never take more than the quota.
pub fn take(tx: &mut Tx<'_>, share: &Share, unreported: u32) -> Result<Given> {
    let key = (share.committee, share.user, share.budget);
    // Holds the row.
    let row: Option<(At, i32)> = diesel::update(dsl::request_budgets.find(key))
        .set(dsl::taken.eq(dsl::taken))
        .returning((dsl::window_at, dsl::taken))
        .prepared()
        .row(tx.conn)
        .optional()?;
    // An instance whose clock is behind takes part in the window of the others.
    let (window, taken) = match row {
        Some((At(window), taken)) if window >= share.window => (window, taken),
        _ => (share.window, 0),
    };
    let taken = u32::try_from(taken).unwrap_or_default() + unreported;
    let left = share.quota.saturating_sub(taken);
    let requests = left.min((left / PART).max(1));
    let given = Given {
        requests,
        taken: taken + requests,
    };
    let taken = i32::try_from(given.taken).unwrap_or(i32::MAX);
    if row.is_some() {
        diesel::update(dsl::request_budgets.find(key))
            .set((dsl::window_at.eq(At(window)), dsl::taken.eq(taken)))
            .prepared()
            .run(tx.conn)?;
    } else {
        diesel::insert_into(dsl::request_budgets)
            .values((
                dsl::committee_id.eq(share.committee),
                dsl::user_id.eq(share.user),
                dsl::budget.eq(share.budget),
                dsl::window_at.eq(At(window)),
                dsl::taken.eq(taken),
            ))
            .prepared()
            .run(tx.conn)?;
    }
    Ok(given)
}
