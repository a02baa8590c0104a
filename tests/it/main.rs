//! Tests of the whole service over HTTP, each with a database of its own. They run on SQLite, and
//! on PostgreSQL when `TEST_DATABASE_URL` names a server on which databases may be created.

mod architecture;
mod compose;
mod docs;
mod errors;
mod program;
mod registers;
mod schema;
mod service;
mod spine;
mod support;
