//! The workflow core. Pure: no I/O, no async, no database, no HTTP, no clock.

pub mod calendar;
pub mod deadline;
pub mod lists;
pub mod role;
