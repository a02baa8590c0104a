//! Handling units (承办单位).

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Tx;
use super::connection::MultiBackend;
use super::register::{
    self, Entry, Register, Row, columns, containing, lower, row_statements, text,
};
use super::run::Run;
use super::schema::units;
use crate::app::Ctx;
use crate::error::{Error, Message, Result};
use crate::ids::{CommitteeId, UnitId};
use crate::workflow::lists::SystemLine;
use crate::workflow::role::Role;

/// What is known of a handling unit (承办单位).
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
#[diesel(table_name = units, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct UnitFields {
    /// Full name; unique in the committee.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"\S",
        example = "云岭市教育局"
    )]
    pub name: String,
    /// The system that the unit belongs to; proposes the assigning line of its cases.
    #[schema(example = "government")]
    pub system_line: SystemLine,
    /// Word in front of year and number in the unit's reply documents.
    #[schema(min_length = 1, max_length = 20, pattern = r"\S", example = "云教提复")]
    pub reply_prefix: String,
    /// Whom to ask about the handling of proposals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 50, nullable = false, example = "陆明远")]
    pub contact_person: Option<String>,
    /// Telephone number of the contact person, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        min_length = 1,
        max_length = 30,
        nullable = false,
        example = "0871-5550123"
    )]
    pub contact_phone: Option<String>,
    /// Whether new cases may be assigned to the unit.
    #[serde(default = "register::active")]
    #[schema(default = true, example = true)]
    pub active: bool,
    /// The unit that took over in a reorganisation; set by that act alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, read_only)]
    pub successor_id: Option<UnitId>,
}

/// Narrows a list of units.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UnitFilter {
    /// Only units of this system.
    #[param(nullable = false)]
    pub system_line: Option<SystemLine>,
    /// Only units whose name contains this.
    #[serde(default, deserialize_with = "text::<_, 100>")]
    #[param(min_length = 1, max_length = 100, nullable = false, example = "教育")]
    pub name: Option<String>,
    /// Only units that are (or are not) active.
    #[param(nullable = false)]
    pub active: Option<bool>,
}

fn matching(committee: CommitteeId, filter: &UnitFilter) -> units::BoxedQuery<'_, MultiBackend> {
    let mut query = units::table
        .filter(units::committee_id.eq(committee))
        .into_boxed();
    if let Some(line) = filter.system_line {
        query = query.filter(units::system_line.eq(line));
    }
    if let Some(name) = &filter.name {
        query = query.filter(lower(units::name).like(containing(name)).escape('\\'));
    }
    if let Some(active) = filter.active {
        query = query.filter(units::active.eq(active));
    }
    query
}

row_statements!(units, UnitFields, Unit);

impl Register for UnitFields {
    type Filter = UnitFilter;
    type Key = (String, UnitId);
    const NAME: &'static str = "unit";
    const WRITERS: &'static [Role] = &[Role::Administrator, Role::CommitteeStaff];

    fn list(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        filter: &UnitFilter,
        after: Option<&Self::Key>,
        limit: i64,
    ) -> Result<Vec<Entry<Self>>> {
        let mut query = matching(committee, filter);
        if let Some((name, id)) = after {
            query = query
                .filter(units::name.ge(name))
                .filter(units::name.gt(name).or(units::id.gt(*id)));
        }
        let rows: Vec<Row<Self>> = query
            .order((units::name, units::id))
            .limit(limit)
            .select(columns!(units, Self))
            .load(tx.conn)?;
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    fn count(tx: &mut Tx<'_>, committee: CommitteeId, filter: &UnitFilter) -> Result<i64> {
        Ok(matching(committee, filter).count().get_result(tx.conn)?)
    }

    fn key(entry: &Entry<Self>) -> Self::Key {
        (entry.fields.name.clone(), entry.id)
    }

    fn check(&self, _: &mut Tx<'_>, _: &Ctx, before: Option<&Entry<Self>>) -> Result<()> {
        if self.successor_id != before.and_then(|unit| unit.fields.successor_id) {
            return Err(Error::invalid(
                "/successor_id",
                "read_only",
                Message::new(
                    "承继关系由机构改革操作设定。",
                    "Set by the act of reorganisation alone.",
                ),
            ));
        }
        if self.active && self.successor_id.is_some() {
            return Err(Error::invalid(
                "/active",
                "succeeded",
                Message::new(
                    "该单位已由其他单位承继，不能重新启用。",
                    "Another unit took over: it cannot become active again.",
                ),
            ));
        }
        Ok(())
    }
}
