//! Members (委员) on the register of a term.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Tx;
use super::connection::MultiBackend;
use super::organisations::OrganisationFields;
use super::register::{
    self, Entry, Register, Row, columns, containing, lower, referred, row_statements, text,
};
use super::run::Run;
use super::schema::members;
use super::terms::TermFields;
use crate::app::Ctx;
use crate::error::Result;
use crate::ids::{CommitteeId, MemberId, OrganisationId, TermId};
use crate::workflow::role::Role;

/// What is known of a member (委员).
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
#[diesel(table_name = members, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct MemberFields {
    /// The term for which the member was elected.
    pub term_id: TermId,
    /// Number of the member's card; unique in the term.
    #[schema(
        min_length = 1,
        max_length = 20,
        pattern = "^[0-9A-Za-z-]+$",
        example = "140217"
    )]
    pub member_no: String,
    /// Full name.
    #[schema(min_length = 1, max_length = 50, pattern = r"\S", example = "顾清扬")]
    pub name: String,
    /// Sector (界别) that the member stands for.
    #[schema(min_length = 1, max_length = 50, pattern = r"\S", example = "教育界")]
    pub sector: String,
    /// Political party, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 50, nullable = false, example = "民盟")]
    pub party: Option<String>,
    /// The party, organisation, group or special committee that the member belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub organisation_id: Option<OrganisationId>,
    /// Work unit and post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        min_length = 1,
        max_length = 100,
        nullable = false,
        example = "云岭市第一中学副校长"
    )]
    pub post: Option<String>,
    /// Telephone number, as written. Personal: shown to the committee's staff, to assigning
    /// officers and to the member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        min_length = 1,
        max_length = 30,
        nullable = false,
        example = "19900000123"
    )]
    pub phone: Option<String>,
    /// Whether the member is in office.
    #[serde(default = "register::active")]
    #[schema(default = true, example = true)]
    pub active: bool,
}

/// Narrows a list of members.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MemberFilter {
    /// Only members of this term.
    #[param(nullable = false)]
    pub term_id: Option<TermId>,
    /// Only members of this sector.
    #[serde(default, deserialize_with = "text::<_, 50>")]
    #[param(min_length = 1, max_length = 50, nullable = false, example = "教育界")]
    pub sector: Option<String>,
    /// Only members of this party.
    #[serde(default, deserialize_with = "text::<_, 50>")]
    #[param(min_length = 1, max_length = 50, nullable = false, example = "民盟")]
    pub party: Option<String>,
    /// Only members whose name contains this.
    #[serde(default, deserialize_with = "text::<_, 50>")]
    #[param(min_length = 1, max_length = 50, nullable = false, example = "清扬")]
    pub name: Option<String>,
    /// Only members who are (or are not) in office.
    #[param(nullable = false)]
    pub active: Option<bool>,
}

fn matching(
    committee: CommitteeId,
    filter: &MemberFilter,
) -> members::BoxedQuery<'_, MultiBackend> {
    let mut query = members::table
        .filter(members::committee_id.eq(committee))
        .into_boxed();
    if let Some(term) = filter.term_id {
        query = query.filter(members::term_id.eq(term));
    }
    if let Some(sector) = &filter.sector {
        query = query.filter(members::sector.eq(sector));
    }
    if let Some(party) = &filter.party {
        query = query.filter(members::party.eq(party));
    }
    if let Some(name) = &filter.name {
        query = query.filter(lower(members::name).like(containing(name)).escape('\\'));
    }
    if let Some(active) = filter.active {
        query = query.filter(members::active.eq(active));
    }
    query
}

row_statements!(members, MemberFields, Member);

impl Register for MemberFields {
    type Filter = MemberFilter;
    type Key = (String, MemberId);
    const NAME: &'static str = "member";
    const WRITERS: &'static [Role] = &[Role::Administrator, Role::CommitteeStaff];

    fn list(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        filter: &MemberFilter,
        after: Option<&Self::Key>,
        limit: i64,
    ) -> Result<Vec<Entry<Self>>> {
        let mut query = matching(committee, filter);
        if let Some((name, id)) = after {
            query = query
                .filter(members::name.ge(name))
                .filter(members::name.gt(name).or(members::id.gt(*id)));
        }
        let query = query.order((members::name, members::id)).limit(limit);
        let rows: Vec<Row<Self>> = query.select(columns!(members, Self)).load(tx.conn)?;
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    fn count(tx: &mut Tx<'_>, committee: CommitteeId, filter: &MemberFilter) -> Result<i64> {
        Ok(matching(committee, filter).count().get_result(tx.conn)?)
    }

    fn key(entry: &Entry<Self>) -> Self::Key {
        (entry.fields.name.clone(), entry.id)
    }

    fn check(&self, tx: &mut Tx<'_>, ctx: &Ctx, before: Option<&Entry<Self>>) -> Result<()> {
        let before = before.map(|before| &before.fields);
        if before.is_none_or(|before| before.term_id != self.term_id) {
            referred::<TermFields>(tx, ctx, self.term_id, "/term_id", |_| true)?;
        }
        match self.organisation_id {
            Some(id) if before.is_none_or(|before| before.organisation_id != Some(id)) => {
                let active = |organisation: &OrganisationFields| organisation.active;
                referred(tx, ctx, id, "/organisation_id", active)
            }
            _ => Ok(()),
        }
    }
}
