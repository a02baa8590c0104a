//! Signing in: passwords, tokens, and who is asking. Pure functions; the database is not here.

pub mod principal;
pub mod digest;
