//! Tests of the whole service over HTTP, each with a database of its own. They run on SQLite, and
//! on PostgreSQL when `TEST_DATABASE_URL` names a server on which databases may be created.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking; clippy knows test functions, but not their helpers"
)]

mod api_tokens;
mod architecture;
mod assurance;
mod attachments;
mod attachments_s3;
mod audit;
mod audit_access;
mod audit_seals;
mod backup;
mod bad_input;
mod bad_requests;
mod batches;
mod budgets;
mod bulk;
mod calendars;
mod clock_kinds;
mod clocks;
mod closing;
mod collective;
mod compose;
mod concurrency;
mod conditional;
mod cors;
mod cosign;
mod cosign_paper;
mod countersigning;
mod data_classes;
mod demo;
mod desk_items;
mod docs;
mod errors;
mod explain;
mod extensions;
#[cfg(feature = "faults")]
mod faults;
mod feed;
mod feedback;
mod follow_up;
mod fuzz_host;
mod grants;
mod headers;
mod hostile;
mod hostile_tokens;
mod idempotency;
mod joint;
mod limits;
mod login_storm;
mod mail;
mod merging;
mod model;
mod notifications;
mod numbers;
mod openid;
mod openid_real;
mod outage;
mod paging;
mod panics;
mod password_policy;
mod permissions;
mod profiles;
mod program;
mod programme;
mod publication;
mod races;
mod records;
mod referrals;
mod refusal_reasons;
mod register_rows;
mod registers;
mod reminders;
mod reorganisation;
mod request_files;
mod returns;
mod rounds;
mod rounds_races;
mod schema;
mod second_factor;
mod secrecy;
mod seeding;
mod separate;
mod service;
mod sign_in;
mod sign_in_protection;
mod spine;
mod stream;
mod supply_chain;
mod support;
mod tampering;
mod timed;
mod tour;
mod unit_races;
mod units;
mod urgency;
mod visibility;
mod webhook_targets;
mod webhooks;
mod withdrawal;
mod worker;
