//! The session that a new proposal belongs to.

use diesel::prelude::*;
use jiff::civil::Date;

use super::parts::columns;
use super::rows::SessionRow;
use crate::error::Result;
use crate::ids::{CommitteeId, SessionId};
use crate::store::Tx;
use crate::store::connection::AnyConnection;
use crate::store::policy_profiles::{ActiveVersion, ActiveVersions, active_versions};
use crate::store::rows_of::{Many, RowsOf};
use crate::store::schema::{committees, sessions, terms};
use crate::store::sql_types::On;
use crate::workflow::case::Session;

/// A session that a proposal can belong to, and what counts for that proposal.
pub struct Opening {
    /// The session.
    pub session: Session,
    /// The committee's current version of the calendar.
    pub calendar: i32,
    /// The versions of the profile that are in force, where they were read with it.
    pub active: Option<ActiveVersions>,
}

type Columns = (SessionRow, i32, i32);

/// Of a session, its term and the committee.
macro_rules! opening_columns {
    () => {
        (
            columns!(SessionRow),
            terms::number,
            committees::calendar_version,
        )
    };
}

/// The session of a new proposal: the one that was asked for, or the last one whose window has
/// opened by `today`; an ordinary proposal belongs to the last session held.
pub fn session_for(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    wanted: Option<SessionId>,
    today: Date,
) -> Result<Option<Opening>> {
    let of_committee = sessions::table
        .inner_join(
            terms::table.on(terms::committee_id
                .eq(sessions::committee_id)
                .and(terms::id.eq(sessions::term_id))),
        )
        .inner_join(committees::table.on(committees::id.eq(sessions::committee_id)))
        .filter(sessions::committee_id.eq(committee));
    macro_rules! first {
        ($query:expr) => {
            match &mut *tx.conn {
                AnyConnection::Postgres(conn) => $query
                    .select((opening_columns!(), RowsOf(active_versions!(committee))))
                    .first::<(Columns, Many<ActiveVersion>)>(conn)
                    .map(|(columns, active)| (columns, Some(ActiveVersions(active.0)))),
                AnyConnection::Sqlite(conn) => $query
                    .select(opening_columns!())
                    .first::<Columns>(conn)
                    .map(|columns| (columns, None)),
            }
            .optional()?
        };
    }
    let found = match wanted {
        Some(id) => first!(of_committee.filter(sessions::id.eq(id))),
        None => first!(
            of_committee
                .filter(sessions::window_opens_on.le(On(today)))
                .order((sessions::window_opens_on.desc(), sessions::id.desc()))
        ),
    };
    Ok(found.map(|((row, term, calendar), active)| Opening {
        session: row.into_facts(term),
        calendar,
        active,
    }))
}
