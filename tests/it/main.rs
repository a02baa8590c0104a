//! Tests of the whole service over HTTP, each with a database of its own. They run on SQLite, and
//! on PostgreSQL when `TEST_DATABASE_URL` names a server on which databases may be created.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking; clippy knows test functions, but not their helpers"
)]

mod architecture;
mod bad_input;
mod bad_requests;
mod compose;
mod concurrency;
mod conditional;
mod docs;
mod errors;
mod headers;
mod idempotency;
mod outage;
mod paging;
mod program;
mod register_rows;
mod registers;
mod schema;
mod service;
mod sign_in;
mod spine;
mod support;
