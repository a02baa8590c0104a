//! The workflow core. Pure: no I/O, no async, no database, no HTTP, no clock.
//!
//! A [`case::Case`] holds the facts. The tables [`proposal::RULES`], [`assignment::RULES`] and
//! [`reply::RULES`] say, one row per way, how it can change. [`decide::decide`] asks the tables for
//! an act and gives the case afterwards with what is to be written; [`decide::allowed`] asks the
//! same for every action; [`desk::duties`] says what waits for whom.

pub mod access;
pub mod advice;
pub mod assignment;
pub mod attachments;
mod authoring;
pub mod calendar;
pub mod calendar_file;
pub mod case;
pub mod codes;
mod conclusion;
pub mod deadline;
pub mod decide;
pub mod desk;
mod examination;
pub mod explain;
mod extension;
mod facts;
pub mod follow_up;
pub mod guard;
pub mod input;
pub mod lists;
mod merging;
pub mod profile;
mod programme;
pub mod proposal;
pub mod reasons;
pub mod recount;
pub mod referral;
pub mod refusal;
pub mod reminders;
pub mod reply;
mod returning;
pub mod role;
mod rounds;
pub mod rule;
pub mod succession;
#[cfg(test)]
mod tests;
pub mod told;
pub mod topics;
mod units;
mod urgency;
pub mod wake;
mod withdrawal;

pub use authoring::{Origin, begin};
