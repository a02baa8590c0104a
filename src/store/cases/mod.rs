//! Cases: the facts of one proposal read with a fixed number of statements, and a decision
//! written back.

mod children;
mod load;
mod parts;
mod records;
mod rows;
mod save;
mod sessions;
mod side_roads;

pub use load::{
    Loaded, Object, find_by_clock, hold, keep, load, lock, lock_all, of_assignments, proposers_of,
};
pub use rows::{ProposalRow, ReferralRow};
pub use save::{create, save};
pub use sessions::{Opening, session_for};
