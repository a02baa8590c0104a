//! Desks: what waits for an account, oldest due first.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use jiff::Timestamp;

use super::Tx;
use super::connection::per_backend;
use super::run::Run;
use super::schema::{assignments, duties, opinions, proposals, proposers, replies};
use super::sql_types::At;
use crate::error::Result;
use crate::ids::{
    AssignmentId, CommitteeId, DutyId, MemberId, ProposalId, ReplyId, SubjectId, UserId,
};
use crate::workflow::codes::{ConsentStatus, ProposerRole};
use crate::workflow::desk::{Audience, Task};
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::reply::ReplyStatus;

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

/// What a duty says beside its row: read once for a whole page.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// First proposers.
    pub proposers: BTreeMap<ProposalId, String>,
    /// Units, by their row or by their reply.
    pub units: BTreeMap<SubjectId, String>,
    /// Replies that the review sent back.
    pub rejected: BTreeSet<SubjectId>,
}

/// Names for a page of duties.
pub fn names(tx: &mut Tx<'_>, committee: CommitteeId, page: &[DutyRow]) -> Result<Names> {
    let mut names = Names::default();
    if page.is_empty() {
        return Ok(names);
    }
    let cases: BTreeSet<_> = page.iter().map(|row| row.proposal_id).collect();
    names.proposers = proposers::table
        .filter(proposers::committee_id.eq(committee))
        .filter(proposers::proposal_id.eq_any(cases))
        .filter(proposers::role.eq(ProposerRole::First))
        .select((proposers::proposal_id, proposers::name))
        .rows::<(ProposalId, String)>(tx.conn)?
        .into_iter()
        .collect();
    let of = |kind: &str| -> Vec<SubjectId> {
        page.iter()
            .filter(|row| row.subject_kind == kind)
            .map(|row| row.subject_id)
            .collect()
    };
    let (rows, answers) = (of("assignment"), of("reply"));
    if !rows.is_empty() {
        let rows: Vec<AssignmentId> = rows.into_iter().map(SubjectId::cast).collect();
        let found: Vec<(AssignmentId, String)> = assignments::table
            .filter(assignments::committee_id.eq(committee))
            .filter(assignments::id.eq_any(rows))
            .select((assignments::id, assignments::unit_name))
            .rows(tx.conn)?;
        let found = found.into_iter().map(|(id, name)| (id.cast(), name));
        names.units.extend(found);
    }
    if !answers.is_empty() {
        let answers: Vec<ReplyId> = answers.into_iter().map(SubjectId::cast).collect();
        let found: Vec<(ReplyId, String, Option<String>, bool)> = replies::table
            .inner_join(
                assignments::table.on(assignments::committee_id
                    .eq(replies::committee_id)
                    .and(assignments::id.eq(replies::assignment_id))),
            )
            .filter(replies::committee_id.eq(committee))
            .filter(replies::id.eq_any(answers))
            .select((
                replies::id,
                assignments::unit_name,
                replies::rejected_hash,
                replies::status.eq(ReplyStatus::Draft),
            ))
            .rows(tx.conn)?;
        for (id, unit, rejected, draft) in found {
            if rejected.is_some() && draft {
                names.rejected.insert(id.cast());
            }
            names.units.insert(id.cast(), unit);
        }
    }
    Ok(names)
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

/// The duties of an asker for whom a condition holds, before paging.
macro_rules! waiting {
    ($backend:ty, $committee:expr, $asker:expr, $task:expr, $condition:expr) => {{
        let (committee, asker, task) = ($committee, $asker, $task);
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
            .filter($condition)
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
            .into_boxed::<$backend>();
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
///
/// Each audience is asked for its own first ones, which stand in that order: asked for all at
/// once, the databases read and sort everything that waits for any of them.
pub fn list(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    asker: &Asker,
    task: Option<Task>,
    after: Option<(Timestamp, DutyId)>,
    limit: usize,
) -> Result<Vec<DutyRow>> {
    let mut found = Vec::new();
    for audience in asker.audiences.iter().collect::<BTreeSet<_>>() {
        found.extend(first_of(
            tx, committee, asker, audience, task, after, limit,
        )?);
    }
    found.sort_by_key(|row| (row.due_at, row.id));
    found.truncate(limit);
    Ok(found)
}

/// The same of one audience.
fn first_of(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    asker: &Asker,
    audience: &Audience,
    task: Option<Task>,
    after: Option<(Timestamp, DutyId)>,
    limit: usize,
) -> Result<Vec<DutyRow>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let own = duties::audience.eq(audience.as_str());
    Ok(per_backend!(&mut *tx.conn, conn: Backend => {
        let mut query = waiting!(Backend, committee, asker, task, own);
        if let Some((due, id)) = after {
            query = query.filter(
                duties::due_at
                    .ge(At(due))
                    .and(duties::due_at.gt(At(due)).or(duties::id.gt(id))),
            );
        }
        query
            .order((duties::due_at, duties::id))
            .limit(limit)
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
            .load(conn)
    })?)
}

/// How many duties there are, counted up to `cap`.
pub fn count(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    asker: &Asker,
    task: Option<Task>,
    cap: i64,
) -> Result<i64> {
    let audiences: Vec<&str> = asker.audiences.iter().map(Audience::as_str).collect();
    let any = duties::audience.eq_any(audiences);
    let ids: Vec<DutyId> = per_backend!(&mut *tx.conn, conn: Backend => {
        waiting!(Backend, committee, asker, task, any)
            .limit(cap)
            .select(duties::id)
            .load(conn)
    })?;
    Ok(i64::try_from(ids.len()).unwrap_or(cap))
}
