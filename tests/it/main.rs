//! Tests of the whole service over HTTP, each with a database of its own. They run on SQLite, and
//! on PostgreSQL when `TEST_DATABASE_URL` names a server on which databases may be created.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking; clippy knows test functions, but not their helpers"
)]

mod architecture;
mod audit;
mod bad_input;
mod bad_requests;
mod collective;
mod compose;
mod concurrency;
mod conditional;
mod demo;
mod docs;
mod errors;
mod explain;
mod follow_up;
mod headers;
mod idempotency;
mod joint;
mod outage;
mod paging;
mod permissions;
mod program;
mod records;
mod refusal_reasons;
mod register_rows;
mod registers;
mod schema;
mod separate;
mod service;
mod sign_in;
mod spine;
mod support;
mod tour;
mod visibility;
