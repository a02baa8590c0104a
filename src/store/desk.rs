//! Desks: what waits for an account, oldest due first.

use diesel::prelude::*;
use jiff::Timestamp;

use super::Tx;
use super::schema::{duties, opinions, proposals, proposers};
use super::sql_types::At;
use crate::error::Result;
use crate::ids::{CommitteeId, DutyId, MemberId, ProposalId, SubjectId, UserId};
use crate::workflow::codes::ConsentStatus;
use crate::workflow::desk::{Audience, Task};
use crate::workflow::proposal::ProposalStatus;

/// Sort key of duties that no clock drives: the year 9999.
pub const NEVER: Timestamp = Timestamp::constant(253_370_764_800, 0);

/// One thing that waits.
#[derive(Debug, Clone, Queryable)]
pub struct DutyRow {
    /// Identifier.
    pub id: DutyId,
    /// The case.
    pub proposal_id: ProposalId,
    /// What is expected.
    pub task: Task,
    /// Kind of the subject.
    pub subject_kind: String,
    /// What it is about.
    pub subject_id: SubjectId,
    /// Audience it waits for.
    pub audience: String,
    /// When it is due; [`NEVER`] without a clock.
    pub due_at: At,
    /// Since when it waits.
    pub created_at: At,
    /// Title of the proposal.
    pub title: String,
    /// Number of the case.
    pub case_no: Option<i32>,
    /// Serial number.
    pub serial_no: Option<i32>,
    /// Status of the proposal.
    pub status: ProposalStatus,
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Asker {
    /// The account.
    pub user: UserId,
    /// When.
    pub now: Timestamp,
    /// Its member on the register.
    pub member: Option<MemberId>,
    /// The audiences it belongs to.
    pub audiences: Vec<Audience>,
}

/// The duties of an asker, before paging.
macro_rules! waiting {
    ($committee:expr, $asker:expr, $task:expr) => {{
        let (committee, asker, task) = ($committee, $asker, $task);
        let audiences: Vec<&str> = asker.audiences.iter().map(Audience::as_str).collect();
        let examined = diesel::dsl::exists(
            opinions::table
                .filter(opinions::committee_id.eq(duties::committee_id))
                .filter(opinions::proposal_id.eq(duties::proposal_id))
                .filter(opinions::submission_no.eq(proposals::submission_no))
                .filter(opinions::examiner_id.eq(asker.user)),
        );
        let mut query = duties::table
            .inner_join(
                proposals::table.on(proposals::committee_id
                    .eq(duties::committee_id)
                    .and(proposals::id.eq(duties::proposal_id))),
            )
            .filter(duties::committee_id.eq(committee))
            .filter(duties::audience.eq_any(audiences))
            // An invitation that has run out is refused already, though nobody has written it down.
            .filter(
                duties::action
                    .ne(Task::AnswerInvitation)
                    .or(duties::due_at.ge(At(asker.now))),
            )
            .filter(
                duties::action
                    .ne(Task::Examine)
                    .or(diesel::dsl::not(examined)),
            )
            .into_boxed();
        if let Some(member) = asker.member {
            let signed = diesel::dsl::exists(
                proposers::table
                    .filter(proposers::committee_id.eq(duties::committee_id))
                    .filter(proposers::proposal_id.eq(duties::proposal_id))
                    .filter(proposers::member_id.eq(member))
                    .filter(proposers::status.ne_all([
                        ConsentStatus::Declined,
                        ConsentStatus::Dropped,
                        ConsentStatus::Expired,
                    ])),
            );
            let decides = duties::action.eq_any([
                Task::Examine,
                Task::Decide,
                Task::Assign,
                Task::Review,
                Task::Close,
            ]);
            query = query.filter(diesel::dsl::not(decides).or(diesel::dsl::not(signed)));
        }
        if let Some(task) = task {
            query = query.filter(duties::action.eq(task));
        }
        query
    }};
}

/// At most `limit` duties after a position, oldest due first. Examination and decision of
/// proposals that the asker signed are left out, and stages after one the asker has examined (I10).
pub fn list(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    asker: &Asker,
    task: Option<Task>,
    after: Option<(Timestamp, DutyId)>,
    limit: usize,
) -> Result<Vec<DutyRow>> {
    let mut query = waiting!(committee, asker, task);
    if let Some((due, id)) = after {
        query = query.filter(
            duties::due_at
                .gt(At(due))
                .or(duties::due_at.eq(At(due)).and(duties::id.gt(id))),
        );
    }
    Ok(query
        .order((duties::due_at, duties::id))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((
            duties::id,
            duties::proposal_id,
            duties::action,
            duties::subject_kind,
            duties::subject_id,
            duties::audience,
            duties::due_at,
            duties::created_at,
            proposals::title,
            proposals::case_no,
            proposals::serial_no,
            proposals::status,
        ))
        .load(tx.conn)?)
}

/// How many duties there are, counted up to `cap`.
pub fn count(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    asker: &Asker,
    task: Option<Task>,
    cap: i64,
) -> Result<i64> {
    let ids: Vec<DutyId> = waiting!(committee, asker, task)
        .limit(cap)
        .select(duties::id)
        .load(tx.conn)?;
    Ok(i64::try_from(ids.len()).unwrap_or(cap))
}
