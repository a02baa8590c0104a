//! Signing in: passwords, tokens, and who is asking. Pure functions; the database is not here.

pub mod digest;
pub mod principal;
