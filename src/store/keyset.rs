//! Places in the order of a key of several columns.
//!
//! Written out with `OR`, "what comes after" is a condition that neither database finds by an index:
//! each page of a long walk would read everything before it again. Rows that are compared as a whole are
//! found by it.

use diesel::dsl::sql;
use diesel::expression::BoxableExpression;
use diesel::sql_types::{Bool, Integer};

use super::connection::MultiBackend;
use super::sql_types::Uid;
use crate::ids::{CommitteeId, Id, IdKind, StreamId};

/// On which side of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Side {
    /// Behind it.
    After,
    /// Before it, or there.
    UpTo,
}

impl Side {
    fn sign(self) -> &'static str {
        match self {
            Self::After => ") > (",
            Self::UpTo => ") <= (",
        }
    }
}

/// A condition on the one table of a query.
type Condition<Table> = Box<dyn BoxableExpression<Table, MultiBackend, SqlType = Bool>>;

/// Rows of a table with the key `(committee_id, id)` that stand after a place.
pub(in crate::store) fn after<Table: 'static, K: IdKind>(
    (committee, id): (CommitteeId, Id<K>),
) -> Condition<Table> {
    Box::new(
        sql::<Bool>("(committee_id, id) > (")
            .bind::<Uid, _>(committee)
            .sql(", ")
            .bind::<Uid, _>(id)
            .sql(")"),
    )
}

/// Rows of a table with the key `(committee_id, stream_id, seq)` on one side of a place.
pub(in crate::store) fn events<Table: 'static>(
    side: Side,
    (committee, stream, seq): (CommitteeId, StreamId, i32),
) -> Condition<Table> {
    Box::new(
        sql::<Bool>("(committee_id, stream_id, seq")
            .sql(side.sign())
            .bind::<Uid, _>(committee)
            .sql(", ")
            .bind::<Uid, _>(stream)
            .sql(", ")
            .bind::<Integer, _>(seq)
            .sql(")"),
    )
}
