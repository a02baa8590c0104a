//! The code lists that columns hold.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, Queryable};
use diesel::expression::AsExpression;
use diesel::internal::derives::as_expression::Bound;
use diesel::sql_types::{Nullable, Text};

use super::sql_types::text_codes;
use crate::workflow::lists::{CommitteeLevel, ProposerKind, SystemLine};
use crate::workflow::role::{Line, Role};

text_codes!(CommitteeLevel, Line, ProposerKind, Role, SystemLine);
