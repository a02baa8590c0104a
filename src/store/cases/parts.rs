//! What belongs to a case, table by table.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use jiff::Timestamp;

use super::rows::{
    AssignmentRow, ClockRow, ConsultationRow, ContactRow, CountersignRow, FollowUpRow, FormRow,
    MarksRow, OpinionRow, PromiseRow, ProposalRow, ProposerRow, ReferralRow, ReplyRow, RequestRow,
    SessionRow,
};
use crate::error::{Error, Result};
use crate::ids::{CommitteeId, ProposalId};
use crate::store::Tx;
use crate::store::policy_profiles::{ActiveVersion, ActiveVersions, active_versions};
use crate::store::rows_of::{Many, RowsOf};
use crate::store::run::Run;
use crate::store::schema::{
    assignments, case_marks, clocks, committees, consultations, contacts, countersign_requests,
    feedback_forms, follow_ups, opinions, promises, proposal_texts, proposals, proposers,
    referrals, replies, reply_texts, requests, sessions, terms, trackings,
};
use crate::store::sql_types::{At, Json};
use crate::workflow::case::Session;

/// Selects the columns of a row type.
macro_rules! columns {
    ($row:ty) => {
        <$row as Selectable<$crate::store::connection::MultiBackend>>::construct_selection()
    };
}
pub(super) use columns;

/// The rows of a table that belong to a case.
macro_rules! of_case {
    ($table:ident, $of:expr) => {
        $table::table
            .filter($table::committee_id.eq($of.0))
            .filter($table::proposal_id.eq($of.1))
    };
}

/// What is read of each table, in which order.
macro_rules! query {
    (proposers, $of:expr) => {
        of_case!(proposers, $of)
            .order(proposers::position)
            .select(columns!(ProposerRow))
    };
    (opinions, $of:expr) => {
        of_case!(opinions, $of)
            .order(opinions::id)
            .select(columns!(OpinionRow))
    };
    (clocks, $of:expr) => {
        of_case!(clocks, $of)
            .order(clocks::id)
            .select(columns!(ClockRow))
    };
    (assignments, $of:expr) => {
        of_case!(assignments, $of)
            .order((assignments::round, assignments::position))
            .select(columns!(AssignmentRow))
    };
    (contacts, $of:expr) => {
        of_case!(contacts, $of)
            .order(contacts::id)
            .select(columns!(ContactRow))
    };
    (replies, $of:expr) => {
        replies::table
            .inner_join(
                reply_texts::table.on(reply_texts::committee_id
                    .eq(replies::committee_id)
                    .and(reply_texts::reply_id.eq(replies::id))
                    .and(reply_texts::version.eq(replies::text_version))),
            )
            .filter(replies::committee_id.eq($of.0))
            .filter(replies::proposal_id.eq($of.1))
            .order((replies::round, replies::id))
            .select(columns!(ReplyRow))
    };
    (countersigns, $of:expr) => {
        of_case!(countersign_requests, $of)
            .order((
                countersign_requests::reply_id,
                countersign_requests::attempt,
                countersign_requests::assignment_id,
            ))
            .select(columns!(CountersignRow))
    };
    (forms, $of:expr) => {
        of_case!(feedback_forms, $of)
            .order((
                feedback_forms::reply_id,
                feedback_forms::rater_id,
                feedback_forms::version,
            ))
            .select(columns!(FormRow))
    };
    (promises, $of:expr) => {
        of_case!(promises, $of)
            .order(promises::id)
            .select(columns!(PromiseRow))
    };
    // Since when it is tracked, if it is.
    (trackings, $of:expr) => {
        of_case!(trackings, $of)
            .filter(trackings::stopped_at.is_null())
            .select((trackings::started_at,))
    };
    (requests, $of:expr) => {
        of_case!(requests, $of)
            .order(requests::id)
            .select(columns!(RequestRow))
    };
    (consultations, $of:expr) => {
        of_case!(consultations, $of)
            .order(consultations::id)
            .select(columns!(ConsultationRow))
    };
    (follow_ups, $of:expr) => {
        of_case!(follow_ups, $of)
            .order(follow_ups::position)
            .select(columns!(FollowUpRow))
    };
    (referrals, $of:expr) => {
        of_case!(referrals, $of)
            .order(referrals::id)
            .select(columns!(ReferralRow))
    };
}

/// Makes the source of the parts that are named.
macro_rules! source {
    ($($name:ident: $row:ty),+ $(,)?) => {
        /// The parts of a case: those that were read with it, and the others table by table when they are
        /// asked for.
        pub(super) struct Source {
            of: (CommitteeId, ProposalId),
            $($name: Option<Vec<$row>>,)+
        }

        impl Source {
            /// Nothing was read with the case.
            pub(super) fn one_by_one(of: (CommitteeId, ProposalId)) -> Self {
                Self { of, $($name: None,)+ }
            }

            $(
                pub(super) fn $name(&mut self, tx: &mut Tx<'_>) -> Result<Vec<$row>> {
                    match self.$name.take() {
                        Some(rows) => Ok(rows),
                        None => Ok(query!($name, self.of).rows(tx.conn)?),
                    }
                }
            )+
        }
    };
}
source! {
    proposers: ProposerRow,
    opinions: OpinionRow,
    clocks: ClockRow,
    assignments: AssignmentRow,
    contacts: ContactRow,
    replies: ReplyRow,
    countersigns: CountersignRow,
    forms: FormRow,
    promises: PromiseRow,
    trackings: (At,),
    requests: RequestRow,
    consultations: ConsultationRow,
    follow_ups: FollowUpRow,
    referrals: ReferralRow,
}

impl Source {
    /// Since when the case is tracked.
    pub(super) fn tracked_since(&mut self, tx: &mut Tx<'_>) -> Result<Option<Timestamp>> {
        let rows = self.trackings(tx)?;
        let since = rows.first().map(|(at,)| at.0);
        // For who asks again.
        self.trackings = Some(rows);
        Ok(since)
    }
}

/// What there is once of a case, beside its row.
pub(super) struct Frame {
    pub session: Session,
    pub calendar: i32,
    pub form: Json,
    pub marks: MarksRow,
}

type Columns = (SessionRow, i32, i32, Option<Json>, Option<MarksRow>);

impl Frame {
    fn of((session, term, calendar, form, marks): Columns) -> Result<Self> {
        Ok(Self {
            session: session.into_facts(term),
            calendar,
            form: form.ok_or_else(|| Error::internal("a proposal without its text"))?,
            marks: marks.unwrap_or_default(),
        })
    }
}

/// A row with all that stands once beside it.
macro_rules! framed {
    ($of:expr) => {
        proposals::table
            .inner_join(
                sessions::table.on(sessions::committee_id
                    .eq(proposals::committee_id)
                    .and(sessions::id.eq(proposals::session_id))),
            )
            .inner_join(
                terms::table.on(terms::committee_id
                    .eq(sessions::committee_id)
                    .and(terms::id.eq(sessions::term_id))),
            )
            .inner_join(committees::table.on(committees::id.eq(proposals::committee_id)))
            .left_join(
                proposal_texts::table.on(proposal_texts::committee_id
                    .eq(proposals::committee_id)
                    .and(proposal_texts::proposal_id.eq(proposals::id))
                    .and(proposal_texts::version.eq(proposals::text_version))),
            )
            .left_join(
                case_marks::table.on(case_marks::committee_id
                    .eq(proposals::committee_id)
                    .and(case_marks::proposal_id.eq(proposals::id))),
            )
            .filter(proposals::committee_id.eq($of.0))
            .filter(proposals::id.eq($of.1))
    };
}

/// What is read of them.
macro_rules! frame_columns {
    () => {
        (
            columns!(SessionRow),
            terms::number,
            committees::calendar_version,
            proposal_texts::form.nullable(),
            columns!(MarksRow).nullable(),
        )
    };
}

/// A case as it was read.
pub(super) struct Read {
    pub row: ProposalRow,
    pub frame: Frame,
    pub source: Source,
    /// The versions of the profile that are in force, where they came with it.
    pub active: Option<ActiveVersions>,
}

/// Reads the row of a case with what stands once beside it.
pub(super) fn read(tx: &mut Tx<'_>, of: (CommitteeId, ProposalId)) -> Result<Option<Read>> {
    let row: Option<(ProposalRow, Columns)> = framed!(of)
        .select((columns!(ProposalRow), frame_columns!()))
        .row(tx.conn)
        .optional()?;
    row.map(|(row, frame)| {
        Ok(Read {
            row,
            frame: Frame::of(frame)?,
            source: Source::one_by_one(of),
            active: None,
        })
    })
    .transpose()
}

/// Each of these parts as one value, with the profiles in force.
macro_rules! together {
    ($of:expr; $($name:ident),+) => {
        (
            RowsOf(active_versions!($of.0)),
            ($(RowsOf(query!($name, $of)),)+),
        )
    };
}

/// Reads with the case these parts of it, with one statement.
macro_rules! read_together {
    ($conn:expr, $of:expr; $($name:ident),+) => {{
        let row: Option<(ProposalRow, Columns, (Many<ActiveVersion>, _))> = framed!($of)
            .select((columns!(ProposalRow), frame_columns!(), together!($of; $($name),+)))
            .get_result($conn)
            .optional()?;
        row.map(|(row, frame, (active, ($(Many($name),)+)))| {
            Ok(Read {
                row,
                frame: Frame::of(frame)?,
                source: Source {
                    $($name: Some($name),)+
                    ..Source::one_by_one($of)
                },
                active: Some(ActiveVersions(active.0)),
            })
        })
        .transpose()
    }};
}

/// Reads a draft with its parts, with one statement.
pub(super) fn read_draft(
    conn: &mut PgConnection,
    of: (CommitteeId, ProposalId),
) -> Result<Option<Read>> {
    read_together!(conn, of; proposers, clocks)
}

/// Reads a case with all parts, with one statement.
pub(super) fn read_whole(
    conn: &mut PgConnection,
    of: (CommitteeId, ProposalId),
) -> Result<Option<Read>> {
    read_together!(
        conn, of;
        proposers, opinions, clocks, assignments, contacts, replies, countersigns, forms, promises,
        trackings, requests, consultations, follow_ups, referrals
    )
}
