//! Statements, run on the connection that is there.
//!
//! The type that stands for either database can run them too, but it makes the text of a statement
//! anew for every question that is asked of it, twice or more at each execution, whether it is
//! prepared already or not. These find out first which connection it is, and run the statement there: one
//! that the compiler knows by its type is found without any text.

use diesel::dsl::Limit;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::query_dsl::methods::{ExecuteDsl, LimitDsl, LoadQuery};
use diesel::sqlite::SqliteConnection;

use super::connection::{AnyConnection, per_backend};

/// What a statement that is written for both databases can be asked for. Those that are boxed are for one
/// type of connection alone, and stay with [`RunQueryDsl`].
pub(in crate::store) trait Run: Sized {
    /// All rows.
    fn rows<'q, T>(self, conn: &mut AnyConnection) -> QueryResult<Vec<T>>
    where
        Self: LoadQuery<'q, PgConnection, T> + LoadQuery<'q, SqliteConnection, T>,
    {
        per_backend!(conn, conn => self.load(conn))
    }

    /// The one row that there is; [`diesel::NotFound`] without any.
    fn row<'q, T>(self, conn: &mut AnyConnection) -> QueryResult<T>
    where
        Self: LoadQuery<'q, PgConnection, T> + LoadQuery<'q, SqliteConnection, T>,
    {
        per_backend!(conn, conn => self.get_result(conn))
    }

    /// The first row; [`diesel::NotFound`] without any.
    fn first_row<'q, T>(self, conn: &mut AnyConnection) -> QueryResult<T>
    where
        Self: LimitDsl + RunQueryDsl<PgConnection> + RunQueryDsl<SqliteConnection>,
        Limit<Self>: LoadQuery<'q, PgConnection, T> + LoadQuery<'q, SqliteConnection, T>,
    {
        per_backend!(conn, conn => self.first(conn))
    }

    /// How many rows it changed.
    fn run(self, conn: &mut AnyConnection) -> QueryResult<usize>
    where
        Self: RunQueryDsl<PgConnection>
            + RunQueryDsl<SqliteConnection>
            + ExecuteDsl<PgConnection>
            + ExecuteDsl<SqliteConnection>,
    {
        per_backend!(conn, conn => self.execute(conn))
    }
}

impl<T> Run for T {}
