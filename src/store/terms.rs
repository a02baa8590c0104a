//! Terms (届) of a committee.

use diesel::prelude::*;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Tx;
use super::connection::MultiBackend;
use super::register::{Entry, Register, Row, columns, in_order, row_statements};
use super::run::Run;
use super::schema::terms;
use super::sql_types::On;
use crate::app::Ctx;
use crate::error::Result;
use crate::ids::{CommitteeId, TermId};
use crate::workflow::role::Role;

/// What is known of a term (届).
#[derive(
    Debug,
    Clone,
    PartialEq,
    Serialize,
    Deserialize,
    ToSchema,
    Queryable,
    Selectable,
    Insertable,
    AsChangeset,
)]
#[diesel(table_name = terms)]
#[serde(deny_unknown_fields)]
pub struct TermFields {
    /// Which term it is, counted from the first; unique in the committee.
    #[schema(minimum = 1, maximum = 100, example = 14)]
    pub number: i32,
    /// Name as used in documents.
    #[schema(min_length = 1, max_length = 50, pattern = r"\S", example = "十四届")]
    pub name: String,
    /// First day.
    #[diesel(serialize_as = On, deserialize_as = On)]
    #[schema(value_type = String, format = Date, max_length = 10, example = "2022-01-10")]
    pub starts_on: Date,
    /// Last day; after the first.
    #[diesel(serialize_as = On, deserialize_as = On)]
    #[schema(value_type = String, format = Date, max_length = 10, example = "2027-01-09")]
    pub ends_on: Date,
}

/// Terms are few: a list of them is not narrowed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TermFilter {}

fn matching(committee: CommitteeId) -> terms::BoxedQuery<'static, MultiBackend> {
    terms::table
        .filter(terms::committee_id.eq(committee))
        .into_boxed()
}

row_statements!(terms, TermFields, Term);

impl Register for TermFields {
    type Filter = TermFilter;
    type Key = TermId;
    const NAME: &'static str = "term";
    const WRITERS: &'static [Role] = &[Role::Administrator, Role::CommitteeStaff];

    fn list(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        _: &TermFilter,
        after: Option<&TermId>,
        limit: i64,
    ) -> Result<Vec<Entry<Self>>> {
        let mut query = matching(committee);
        if let Some(id) = after {
            query = query.filter(terms::id.gt(*id));
        }
        let query = query.order(terms::id).limit(limit);
        let rows: Vec<Row<Self>> = query.select(columns!(terms, Self)).load(tx.conn)?;
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    fn count(tx: &mut Tx<'_>, committee: CommitteeId, _: &TermFilter) -> Result<i64> {
        Ok(matching(committee).count().get_result(tx.conn)?)
    }

    fn key(entry: &Entry<Self>) -> TermId {
        entry.id
    }

    fn check(&self, _: &mut Tx<'_>, _: &Ctx, _: Option<&Entry<Self>>) -> Result<()> {
        in_order(
            self.starts_on < self.ends_on,
            "/ends_on",
            "须晚于开始日期。",
            "It must be after the first day.",
        )
    }
}
