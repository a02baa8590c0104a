//! Cases: the facts of one proposal read with a fixed number of statements, and a decision
//! written back.

mod children;
mod load;
mod records;
mod rows;
mod save;
mod side_roads;

pub use load::{
    Loaded, find_by_assignment, find_by_clock, find_by_reply, hold, keep, load, lock, lock_all,
    of_assignments, proposers_of, session_for,
};
pub use rows::{ProposalRow, ReferralRow};
pub use save::{create, save};
