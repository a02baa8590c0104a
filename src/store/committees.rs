//! The directory of committees: a tree from the national level down.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::expression::UncheckedBind;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Tx;
use super::connection::MultiBackend;
use super::events::{self, Circumstances, Happening, Stream};
use super::register::{self, Entry, Register, Row, Rows, columns, containing, in_order, lower};
use super::schema::committees;
use super::sql_types::{At, Uid};
use super::users::{self, UserFields};
use crate::app::Ctx;
use crate::error::Result;
use crate::ids::{CommitteeId, Id, kind};
use crate::workflow::lists::CommitteeLevel;
use crate::workflow::role::Role;

/// What is known of a committee (政协委员会).
#[derive(
    Debug, Clone, PartialEq, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset,
)]
#[diesel(table_name = committees, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct CommitteeFields {
    /// Short name for signing in; unique in the service.
    #[schema(min_length = 2, max_length = 39, pattern = "^[a-z][a-z0-9-]{1,38}$",
             example = "yunling")]
    pub code: String,
    /// Full name.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", example = "政协云岭市委员会")]
    pub name: String,
    /// Where it stands in the tree.
    #[schema(example = "municipal")]
    pub level: CommitteeLevel,
    /// The region it belongs to.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", example = "云岭市")]
    pub region: String,
    /// Whether its accounts may sign in.
    #[schema(example = true)]
    pub active: bool,
    /// The committee above; absent at the root of the tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parent_id: Option<CommitteeId>,
}

/// Narrows a list of committees.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CommitteeFilter {
    /// Only committees of this level.
    #[param(nullable = false)]
    pub level: Option<CommitteeLevel>,
    /// Only committees directly below this one.
    #[param(nullable = false)]
    pub parent_id: Option<CommitteeId>,
    /// Only committees whose name contains this.
    #[param(min_length = 1, max_length = 100, nullable = false, example = "云岭")]
    pub name: Option<String>,
}

/// The committee itself, those above it and those below it. The tree has five levels, so no walk
/// takes more than four steps.
fn visible(
    own: CommitteeId,
) -> UncheckedBind<SqlLiteral<Bool, UncheckedBind<SqlLiteral<Bool>, CommitteeId, Uid>>, CommitteeId, Uid> {
    todo!()
}
