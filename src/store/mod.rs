//! The only place that knows diesel: connections, transactions, rows and queries.
//!
//! Every function that reads or writes tenant data takes the committee, so that an unscoped
//! query does not compile.

pub mod accounts;
pub mod api_tokens;
pub mod attachments;
pub mod audit_checks;
pub mod audit_log;
mod batch;
pub mod bulk;
pub mod calendars;
pub mod cases;
mod checkpoint;
pub mod checks;
pub mod clocks;
mod codes;
pub mod committees;
pub mod connection;
mod constraint;
pub mod desk;
pub mod events;
pub mod feed;
pub mod follow_ups;
pub mod grants;
mod group;
pub mod health;
pub mod idempotency;
pub mod jobs;
mod keyset;
pub mod links;
pub mod mails;
pub mod members;
pub mod migrate;
pub mod notification_settings;
pub mod notifications;
pub mod numbers;
pub mod openid;
pub mod organisations;
pub mod outbox;
pub mod passwords;
pub mod policy_profiles;
mod prepared;
pub mod proposals;
pub mod readers;
pub mod records;
pub mod references;
pub mod referrals;
pub mod refusal_reasons;
pub mod refusal_uses;
pub mod register;
pub mod request_budgets;
pub mod room;
#[rustfmt::skip]
#[expect(missing_docs, reason = "derived from the migrations")]
pub mod schema;
mod rows_of;
mod run;
pub mod seals;
pub mod second_factors;
pub mod sessions;
pub mod setup;
pub mod sign_ins;
pub mod signing_keys;
pub mod snapshot;
pub mod sql_types;
pub mod succession;
pub mod terms;
pub mod texts;
pub mod throttles;
pub mod timeline;
pub mod tx;
pub mod units;
pub mod users;
pub mod verify;
pub mod wakes;
pub mod webhooks;

pub use connection::DatabaseUrl;
pub use tx::{BESIDE_ACCOUNTS, Db, Point, Threads, Tx};
