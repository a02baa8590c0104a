//! Signing in: passwords, tokens, and who is asking. The database is not here.

pub mod api_token;
mod hashers;
pub mod known_words;
pub mod leaked;
pub mod password;
pub mod policy;
pub mod principal;
pub mod refresh;
pub mod remembered;
pub mod seal;
pub mod throttle;
pub mod ticket;
pub mod token;
pub mod totp;
mod verified;
