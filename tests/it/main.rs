//! Tests of the whole service over HTTP, each with a database of its own. They run on SQLite, and
//! on PostgreSQL when `TEST_DATABASE_URL` names a server on which databases may be created.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking; clippy knows test functions, but not their helpers"
)]

mod architecture;
mod audit;
mod collective;
mod compose;
mod docs;
mod errors;
mod explain;
mod joint;
mod permissions;
mod program;
mod registers;
mod schema;
mod separate;
mod service;
mod spine;
mod support;
mod tour;
mod visibility;
