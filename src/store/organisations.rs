//! Parties, people's organisations, sectors and other collective proposers.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Tx;
use super::connection::MultiBackend;
use super::register::{
    self, Entry, Register, Row, columns, containing, lower, row_statements, text,
};
use super::run::Run;
use super::schema::organisations;
use crate::app::Ctx;
use crate::error::{Error, Message, Result};
use crate::ids::{CommitteeId, OrganisationId};
use crate::workflow::lists::ProposerKind;
use crate::workflow::role::Role;

/// What is known of a collective proposer (集体提案者).
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
#[diesel(table_name = organisations, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct OrganisationFields {
    /// Full name; unique in the committee.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"\S",
        example = "民盟云岭市委员会"
    )]
    pub name: String,
    /// What it is; any kind but `individual` and `joint`.
    #[schema(example = "party")]
    pub kind: ProposerKind,
    /// Whom to ask about its proposals. Personal: shown to the committee's staff and to the
    /// organisation's own clerk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 50, nullable = false, example = "沈若溪")]
    pub contact_person: Option<String>,
    /// Telephone number of the contact person, as written. Personal, as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        min_length = 1,
        max_length = 30,
        nullable = false,
        example = "0871-5550188"
    )]
    pub contact_phone: Option<String>,
    /// Postal address. Personal, as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        min_length = 1,
        max_length = 200,
        nullable = false,
        example = "云岭市文昌路12号"
    )]
    pub address: Option<String>,
    /// Post code. Personal, as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        min_length = 6,
        max_length = 6,
        pattern = "^[0-9]{6}$",
        nullable = false,
        example = "650100"
    )]
    pub post_code: Option<String>,
    /// Whether it may hand in new proposals.
    #[serde(default = "register::active")]
    #[schema(default = true, example = true)]
    pub active: bool,
}

/// Narrows a list of organisations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OrganisationFilter {
    /// Only organisations of this kind.
    #[param(nullable = false)]
    pub kind: Option<ProposerKind>,
    /// Only organisations whose name contains this.
    #[serde(default, deserialize_with = "text::<_, 100>")]
    #[param(min_length = 1, max_length = 100, nullable = false, example = "民盟")]
    pub name: Option<String>,
    /// Only organisations that are (or are not) active.
    #[param(nullable = false)]
    pub active: Option<bool>,
}

fn matching(
    committee: CommitteeId,
    filter: &OrganisationFilter,
) -> organisations::BoxedQuery<'_, MultiBackend> {
    let mut query = organisations::table
        .filter(organisations::committee_id.eq(committee))
        .into_boxed();
    if let Some(kind) = filter.kind {
        query = query.filter(organisations::kind.eq(kind));
    }
    if let Some(name) = &filter.name {
        query = query.filter(
            lower(organisations::name)
                .like(containing(name))
                .escape('\\'),
        );
    }
    if let Some(active) = filter.active {
        query = query.filter(organisations::active.eq(active));
    }
    query
}

row_statements!(organisations, OrganisationFields, Organisation);

impl Register for OrganisationFields {
    type Filter = OrganisationFilter;
    type Key = (String, OrganisationId);
    const NAME: &'static str = "organisation";
    const WRITERS: &'static [Role] = &[Role::Administrator, Role::CommitteeStaff];

    fn list(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        filter: &OrganisationFilter,
        after: Option<&Self::Key>,
        limit: i64,
    ) -> Result<Vec<Entry<Self>>> {
        let mut query = matching(committee, filter);
        if let Some((name, id)) = after {
            query = query
                .filter(organisations::name.ge(name))
                .filter(organisations::name.gt(name).or(organisations::id.gt(*id)));
        }
        let query = query
            .order((organisations::name, organisations::id))
            .limit(limit);
        let rows: Vec<Row<Self>> = query.select(columns!(organisations, Self)).load(tx.conn)?;
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    fn count(tx: &mut Tx<'_>, committee: CommitteeId, filter: &OrganisationFilter) -> Result<i64> {
        Ok(matching(committee, filter).count().get_result(tx.conn)?)
    }

    fn key(entry: &Entry<Self>) -> Self::Key {
        (entry.fields.name.clone(), entry.id)
    }

    fn check(&self, _: &mut Tx<'_>, _: &Ctx, _: Option<&Entry<Self>>) -> Result<()> {
        if self.kind.is_collective() {
            return Ok(());
        }
        Err(Error::invalid(
            "/kind",
            "collective",
            Message::new(
                "须为集体提案者的性质。",
                "It must be a kind of collective proposer.",
            ),
        ))
    }
}
