//! Plenary sessions (次会议) of a term, with the window in which proposals are handed in.

use diesel::prelude::*;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Tx;
use super::connection::MultiBackend;
use super::policy_profiles;
use super::register::{Entry, Register, Row, columns, in_order, referred, row_statements};
use super::run::Run;
use super::schema::sessions;
use super::sql_types::{At, On};
use super::terms::TermFields;
use crate::app::Ctx;
use crate::clock::to_micros;
use crate::error::{Error, Message, Result};
use crate::ids::{CommitteeId, SessionId, TermId};
use crate::workflow::calendar::local_date;
use crate::workflow::role::Role;

/// What is known of a plenary session (次会议).
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
#[diesel(table_name = sessions)]
#[serde(deny_unknown_fields)]
pub struct SessionFields {
    /// The term; fixed once the session exists.
    pub term_id: TermId,
    /// Which session of the term it is, counted from the first; unique in the term.
    #[schema(minimum = 1, maximum = 100, example = 3)]
    pub number: i32,
    /// Name as used in documents.
    #[schema(
        min_length = 1,
        max_length = 50,
        pattern = r"\S",
        example = "十四届三次会议"
    )]
    pub name: String,
    /// First day on which proposals of the session may be handed in; not after the opening.
    #[diesel(serialize_as = On, deserialize_as = On)]
    #[schema(value_type = String, format = Date, max_length = 10, example = "2025-12-20")]
    pub window_opens_on: Date,
    /// Day of the opening.
    #[diesel(serialize_as = On, deserialize_as = On)]
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-01-18")]
    pub opens_on: Date,
    /// Moment up to which a proposal counts as one of the session, kept to the microsecond; from
    /// the opening to the day after the closing, in China's time.
    #[diesel(serialize_as = At, deserialize_as = At)]
    #[serde(deserialize_with = "micros")]
    #[schema(value_type = String, format = DateTime, max_length = 40,
             example = "2026-01-20T10:00:00Z")]
    pub deadline_at: Timestamp,
    /// Day of the closing; not before the opening.
    #[diesel(serialize_as = On, deserialize_as = On)]
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-01-22")]
    pub ends_on: Date,
    /// Last day of the examination of the session's proposals; not before the closing.
    #[diesel(serialize_as = On, deserialize_as = On)]
    #[schema(value_type = String, format = Date, max_length = 10, example = "2026-02-12")]
    pub examination_until: Date,
}

fn micros<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Timestamp::deserialize(deserializer).map(to_micros)
}

/// Narrows a list of sessions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SessionFilter {
    /// Only sessions of this term.
    #[param(nullable = false)]
    pub term_id: Option<TermId>,
}

fn matching(
    committee: CommitteeId,
    filter: &SessionFilter,
) -> sessions::BoxedQuery<'_, MultiBackend> {
    let query = sessions::table
        .filter(sessions::committee_id.eq(committee))
        .into_boxed();
    match filter.term_id {
        Some(term) => query.filter(sessions::term_id.eq(term)),
        None => query,
    }
}

row_statements!(sessions, SessionFields, Session);

impl Register for SessionFields {
    type Filter = SessionFilter;
    type Key = SessionId;
    const NAME: &'static str = "session";
    const WRITERS: &'static [Role] = &[Role::Administrator, Role::CommitteeStaff];

    fn list(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        filter: &SessionFilter,
        after: Option<&SessionId>,
        limit: i64,
    ) -> Result<Vec<Entry<Self>>> {
        let mut query = matching(committee, filter);
        if let Some(id) = after {
            query = query.filter(sessions::id.gt(*id));
        }
        let query = query.order(sessions::id).limit(limit);
        let rows: Vec<Row<Self>> = query.select(columns!(sessions, Self)).load(tx.conn)?;
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    fn count(tx: &mut Tx<'_>, committee: CommitteeId, filter: &SessionFilter) -> Result<i64> {
        Ok(matching(committee, filter).count().get_result(tx.conn)?)
    }

    fn key(entry: &Entry<Self>) -> SessionId {
        entry.id
    }

    fn check(&self, tx: &mut Tx<'_>, ctx: &Ctx, before: Option<&Entry<Self>>) -> Result<()> {
        self.check_dates()?;
        match before {
            // Proposals carry the term of their session.
            Some(before) if before.fields.term_id != self.term_id => Err(Error::invalid(
                "/term_id",
                "fixed",
                Message::new(
                    "会议所属的届不能更改。",
                    "The term of a session cannot be changed.",
                ),
            )),
            Some(_) => Ok(()),
            None => referred::<TermFields>(tx, ctx, self.term_id, "/term_id", |_| true),
        }
    }
}

/// The first day of the window of a session that names none: so many months before the opening as
/// the policy profile in force says.
pub fn default_window(tx: &mut Tx<'_>, committee: CommitteeId, opens_on: Date) -> Result<Date> {
    let profile = policy_profiles::in_force(tx, committee, None, None)?;
    let months = i64::from(profile.session_window_months);
    Ok(opens_on.saturating_sub(jiff::Span::new().months(months)))
}

impl SessionFields {
    fn check_dates(&self) -> Result<()> {
        let deadline = local_date(self.deadline_at);
        let last = self.ends_on.saturating_add(jiff::Span::new().days(1));
        in_order(
            self.window_opens_on <= self.opens_on,
            "/window_opens_on",
            "不能晚于开幕日期。",
            "It must not be after the opening.",
        )?;
        in_order(
            self.opens_on <= self.ends_on,
            "/ends_on",
            "不能早于开幕日期。",
            "It must not be before the opening.",
        )?;
        in_order(
            (self.opens_on..=last).contains(&deadline),
            "/deadline_at",
            "须在开幕日至闭幕次日之间（北京时间）。",
            "It must lie between the opening and the day after the closing, in China's time.",
        )?;
        in_order(
            self.ends_on <= self.examination_until,
            "/examination_until",
            "不能早于闭幕日期。",
            "It must not be before the closing.",
        )
    }
}
