//! Writes that go to PostgreSQL together.
//!
//! An act writes a dozen rows and reads none of them back. Sent one by one each is a round trip, and the rows
//! that everybody waits for, such as that of a series of numbers, stay locked meanwhile. Here they wait for
//! each other and go as one statement, `WITH … AS (INSERT …), … UPDATE …`. SQLite is in the same process:
//! there each is run at once.
//!
//! All parts of one statement see the database as it was before it, whatever their order, and references
//! between rows are looked at when all have been written. So no row may be changed by two of them, or be
//! inserted by one and changed by another: what depends on what waits sends that first.

use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use diesel::pg::{Pg, PgQueryBuilder};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryBuilder, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

use super::Tx;
use super::connection::AnyConnection;
use super::prepared::Prepare;
use crate::error::Result;

type Part<'a> = Box<dyn QueryFragment<Pg> + 'a>;

/// Writes that wait.
#[derive(Default)]
pub(in crate::store) struct Batch<'a>(Vec<Part<'a>>);

impl<'a> Batch<'a> {
    /// Adds a statement with few texts; nobody hears how many rows it changed.
    pub(in crate::store) fn put<S>(&mut self, tx: &mut Tx<'_>, statement: S) -> Result<()>
    where
        S: QueryFragment<Pg> + QueryFragment<Sqlite> + QueryId + 'a,
    {
        match &mut *tx.conn {
            AnyConnection::Postgres(_) => self.0.push(Box::new(statement)),
            AnyConnection::Sqlite(conn) => {
                statement.prepared().execute(conn)?;
            }
        }
        Ok(())
    }

    /// Adds a statement that only PostgreSQL understands.
    pub(in crate::store) fn put_postgres(&mut self, statement: impl QueryFragment<Pg> + 'a) {
        self.0.push(Box::new(statement));
    }

    /// Sends what waits.
    pub(in crate::store) fn send(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let parts = std::mem::take(&mut self.0);
        if let AnyConnection::Postgres(conn) = &mut *tx.conn
            && !parts.is_empty()
        {
            let together = Together(parts);
            let text = together.text()?;
            if KEPT.with_borrow_mut(|kept| kept.has(&text)) {
                together.prepared().execute(conn)?;
            } else {
                together.execute(conn)?;
            }
        }
        Ok(())
    }
}

/// How many statements of acts a connection keeps prepared. Each has its plan in the memory of the server, and
/// with the number of units, clocks and duties of a case their texts are without end.
const MOST: usize = 200;

thread_local! {
    /// Of the connection that this thread owns.
    static KEPT: RefCell<Kept> = RefCell::default();
}

/// The texts that are kept prepared: the first ones that come, so those that are frequent.
#[derive(Default)]
struct Kept(HashSet<u64>);

impl Kept {
    fn has(&mut self, text: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        self.0.contains(&hash) || self.0.len() < MOST && self.0.insert(hash)
    }
}

/// One statement of all parts.
struct Together<'a>(Vec<Part<'a>>);

impl Together<'_> {
    fn text(&self) -> QueryResult<String> {
        let mut text = PgQueryBuilder::default();
        self.to_sql(&mut text, &Pg)?;
        Ok(text.finish())
    }
}

impl<Conn> RunQueryDsl<Conn> for Together<'_> {}

impl QueryId for Together<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for Together<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // Unless it is marked.
        out.unsafe_to_cache_prepared();
        let Some((last, others)) = self.0.split_last() else {
            return Ok(());
        };
        for (number, part) in others.iter().enumerate() {
            out.push_sql(if number == 0 { "WITH " } else { ", " });
            out.push_sql(&format!("part_{number} AS ("));
            part.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        if !others.is_empty() {
            out.push_sql(" ");
        }
        last.walk_ast(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_first_is_kept_and_the_rest_never() {
        let mut kept = Kept::default();
        let text = |number: usize| format!("UPDATE {number}");
        assert!((0..MOST).all(|number| kept.has(&text(number))));
        assert!((MOST..2 * MOST).all(|number| !kept.has(&text(number))));
        assert!((0..MOST).all(|number| kept.has(&text(number))));
    }
}
