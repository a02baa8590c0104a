//! Statements that a connection prepares once.
//!
//! The query builder takes it that an `UPDATE`, an `INSERT` on PostgreSQL, an `IN` list or a text of
//! our own may have endlessly many texts, and so it has each prepared anew at every execution: on
//! SQLite a third of the time of a write, on PostgreSQL one more round trip. Those whose texts are
//! few are marked here; they are kept under their text, so a mark that is wrong costs memory, never
//! a wrong answer.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A statement that has few texts.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Prepared<T>(T);

/// Marks a statement.
pub(in crate::store) trait Prepare: Sized {
    /// The statement has few texts, whatever its values: a connection may keep each prepared for as
    /// long as it lives.
    fn prepared(self) -> Prepared<Self> {
        Prepared(self)
    }
}

impl<T> Prepare for T {}

impl<T: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Prepared<T> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<T> QueryId for Prepared<T> {
    type QueryId = ();
    // The type says less than the text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T: Query> Query for Prepared<T> {
    type SqlType = T::SqlType;
}

impl<T, Conn> RunQueryDsl<Conn> for Prepared<T> {}
