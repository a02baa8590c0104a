//! Many rows in one column, for PostgreSQL.
//!
//! What belongs to a case stands in a dozen tables. SQLite is in the same process and is asked for one after
//! the other, as far as there can be something; each question to PostgreSQL is a round trip, so there one
//! statement brings them all: each table as an array of records, a column of the one row that it answers with. It
//! also sees all of them as they were at one moment.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::expression::{AppearsOnTable, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Record, SqlType};

/// The rows of a query, in its order, as one value.
#[derive(Debug, Clone, Copy, QueryId)]
pub(in crate::store) struct RowsOf<Q>(pub Q);

impl<Q: Query> Expression for RowsOf<Q>
where
    Q::SqlType: 'static,
    Array<Record<Q::SqlType>>: SqlType,
{
    type SqlType = Array<Record<Q::SqlType>>;
}

impl<Q, Source> AppearsOnTable<Source> for RowsOf<Q> where Self: Expression {}
impl<Q, Source> SelectableExpression<Source> for RowsOf<Q> where Self: AppearsOnTable<Source> {}

impl<Q, Columns> ValidGrouping<Columns> for RowsOf<Q> {
    type IsAggregate = is_aggregate::Never;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for RowsOf<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("ARRAY(SELECT ROW(part.*) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") AS part)");
        Ok(())
    }
}

/// Those rows, read.
#[derive(Debug)]
pub(in crate::store) struct Many<T>(pub Vec<T>);

impl<T, Columns> FromSql<Array<Record<Columns>>, Pg> for Many<T>
where
    T: Queryable<Columns, Pg>,
    T::Row: FromSql<Record<Columns>, Pg>,
    Columns: 'static,
{
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let rows = <Vec<T::Row> as FromSql<Array<Record<Columns>>, Pg>>::from_sql(value)?;
        rows.into_iter()
            .map(T::build)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl<T, Columns: 'static, DB: Backend> Queryable<Array<Record<Columns>>, DB> for Many<T>
where
    Self: FromSql<Array<Record<Columns>>, DB>,
{
    type Row = Self;

    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}
