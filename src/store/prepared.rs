//! Statements that a connection prepares once.
//!
//! The query builder takes it that an `UPDATE`, an `INSERT` on PostgreSQL, an `IN` list or a text of
//! our own may have endlessly many texts, and so it has each prepared anew at every execution: on
//! SQLite it is parsed and planned, on PostgreSQL it costs one more round trip. Those whose texts
//! are few are marked here. One whose text follows from its type, as that of an `INSERT` of named columns
//! does, is found by its type, without making the text; any other is kept under its text. So a mark that is
//! wrong costs memory, never a wrong answer.

use std::cell::Cell;

use diesel::backend::Backend;
use diesel::internal::derives::multiconnection::AstPassHelper;
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
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let text = Cell::new(false);
        // The query builder does not say what it asks; only for the text does it bring a builder.
        out.reborrow().cast_database::<DB>(
            |same| same,
            |builder| {
                text.set(true);
                builder
            },
            |same| same,
            |same| same,
        );
        if text.get() || out.bind_collector().is_some() || out.debug_binds().is_some() {
            return self.0.walk_ast(out);
        }
        // What is left asks whether the statement may be kept, which it would deny itself, or whether it
        // says nothing. To have said something that never changes is the answer to both.
        out.push_sql(" ");
        Ok(())
    }
}

impl<T: QueryId> QueryId for Prepared<T> {
    // The query builder knows of each statement whether its type says all of its text.
    type QueryId = T::QueryId;
    const HAS_STATIC_QUERY_ID: bool = T::HAS_STATIC_QUERY_ID;
}

impl<T: Query> Query for Prepared<T> {
    type SqlType = T::SqlType;
}

impl<T, Conn> RunQueryDsl<Conn> for Prepared<T> {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use diesel::connection::InstrumentationEvent;
    use diesel::sqlite::SqliteConnection;

    use super::*;
    use crate::store::connection::AnyConnection;

    diesel::table! {
        things (id) {
            id -> Integer,
            name -> Text,
        }
    }

    /// A connection, and how many statements it has kept.
    fn counted() -> (AnyConnection, Arc<AtomicUsize>) {
        let mut conn = SqliteConnection::establish(":memory:").expect("memory");
        diesel::sql_query("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
            .execute(&mut conn)
            .expect("a table");
        diesel::sql_query("INSERT INTO things VALUES (1, 'one'), (2, 'two')")
            .execute(&mut conn)
            .expect("rows");
        let mut conn = AnyConnection::Sqlite(conn);
        let kept = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&kept);
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::CacheQuery { .. }) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        (conn, kept)
    }

    #[test]
    fn a_marked_statement_is_prepared_once_and_does_what_it_says() {
        let (mut conn, kept) = counted();
        for (id, name) in [(1, "uno"), (2, "due"), (3, "tre")] {
            let changed = diesel::update(things::table.find(id))
                .set(things::name.eq(name))
                .prepared()
                .execute(&mut conn)
                .expect("an update");
            assert_eq!(changed, usize::from(id < 3), "{name}");
        }
        let now: Vec<(i32, String)> = things::table
            .order(things::id)
            .load(&mut conn)
            .expect("all");
        assert_eq!(now, [(1, "uno".to_owned()), (2, "due".to_owned())]);
        let written: String = diesel::update(things::table.find(1))
            .set(things::name.eq("eins"))
            .returning(things::name)
            .prepared()
            .get_result(&mut conn)
            .expect("a row");
        assert_eq!(written, "eins");
        // The update, the list, the update that answers.
        assert_eq!(kept.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_statement_is_found_by_its_type_where_that_says_all_of_its_text() {
        fn by_type<T: QueryId>(_: &T) -> Option<std::any::TypeId> {
            T::query_id()
        }
        let name = String::from("uno");
        let owned = diesel::insert_into(things::table)
            .values((things::id.eq(3), things::name.eq(name.clone())))
            .prepared();
        let borrowed = diesel::insert_into(things::table)
            .values((things::id.eq(3), things::name.eq(&name)))
            .prepared();
        assert!(by_type(&owned).is_some());
        assert_eq!(by_type(&owned), by_type(&borrowed), "one text, one type");
        let other = diesel::insert_into(things::table)
            .values((things::name.eq(&name), things::id.eq(3)))
            .prepared();
        assert_ne!(by_type(&owned), by_type(&other));
        // Columns that may be left out, lists, and texts of our own.
        let update = diesel::update(things::table.find(1))
            .set((Some(things::id.eq(1)), things::name.eq(&name)))
            .prepared();
        assert_eq!(by_type(&update), None);
        let some = diesel::delete(things::table)
            .filter(things::id.eq_any([1, 2]))
            .prepared();
        assert_eq!(by_type(&some), None);
        let own = diesel::sql_query("DELETE FROM things WHERE id = ?")
            .bind::<diesel::sql_types::Integer, _>(1)
            .prepared();
        assert_eq!(by_type(&own), None);
    }

    #[test]
    fn control_an_unmarked_update_is_not_kept() {
        let (mut conn, kept) = counted();
        for name in ["uno", "due"] {
            diesel::update(things::table.find(1))
                .set(things::name.eq(name))
                .execute(&mut conn)
                .expect("an update");
        }
        assert_eq!(kept.load(Ordering::Relaxed), 0);
    }
}
