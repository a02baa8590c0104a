//! Reading a case.

use diesel::prelude::*;
use jiff::civil::Date;

use super::rows::{
    AssignmentRow, ClockRow, ContactRow, CountersignRow, FormRow, MarksRow, OpinionRow, PromiseRow,
    ProposalRow, ProposerRow, ReplyRow, SessionRow,
};
use super::side_roads;
use crate::error::{Error, Result};
use crate::ids::{AssignmentId, ClockId, CommitteeId, ProposalId, ReplyId, SessionId};
use crate::store::Tx;
use crate::store::connection::{AnyConnection, MultiBackend};
use crate::store::events::Head;
use crate::store::prepared::Prepare;
use crate::store::run::Run;
use crate::store::schema::{
    assignments, case_marks, clocks, committees, contacts, countersign_requests, feedback_forms,
    opinions, promises, proposal_texts, proposals, proposers, replies, reply_texts, sessions,
    terms,
};
use crate::store::sql_types::{Json, On};
use crate::workflow::case::{Case, Form, Session};
use crate::workflow::codes::AssignmentRole;

/// A case with the end of its chain of events.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The facts.
    pub case: Case,
    /// Where its history ends.
    pub head: Head,
    /// The committee's current version of the calendar.
    pub calendar: i32,
}

/// Selects the columns of a row type.
macro_rules! columns {
    ($row:ty) => {
        <$row as Selectable<MultiBackend>>::construct_selection()
    };
}

/// Sessions with their terms and the committee, whose current calendar is read with them.
macro_rules! sessions_and_terms {
    () => {
        sessions::table
            .inner_join(
                terms::table.on(terms::committee_id
                    .eq(sessions::committee_id)
                    .and(terms::id.eq(sessions::term_id))),
            )
            .inner_join(committees::table.on(committees::id.eq(sessions::committee_id)))
    };
}

/// What is read of each of them.
macro_rules! session_columns {
    () => {
        (
            columns!(SessionRow),
            terms::number,
            committees::calendar_version,
        )
    };
}

/// Reads a case; `None` if the committee has none of that name.
pub fn load(tx: &mut Tx<'_>, committee: CommitteeId, id: ProposalId) -> Result<Option<Loaded>> {
    let row: Option<ProposalRow> = proposals::table
        .find((committee, id))
        .select(columns!(ProposalRow))
        .first_row(tx.conn)
        .optional()?;
    row.map(|row| assemble(tx, row)).transpose()
}

/// Locks a case for the rest of the transaction and reads it with the version that it gets: whoever
/// comes second waits here.
pub fn lock(tx: &mut Tx<'_>, committee: CommitteeId, id: ProposalId) -> Result<Option<Loaded>> {
    let mut loaded = keep(tx, committee, id)?;
    if let Some(loaded) = &mut loaded {
        loaded.case.proposal.version += 1;
    }
    Ok(loaded)
}

/// The same without counting its version: for who may find that there is nothing to do.
pub fn keep(tx: &mut Tx<'_>, committee: CommitteeId, id: ProposalId) -> Result<Option<Loaded>> {
    let row = hold(tx, committee, id)?;
    // What becomes of a merged proposal depends on its main one: that is locked too.
    if let Some(main) = row.as_ref().and_then(|row| row.main_id) {
        hold(tx, committee, main)?;
    }
    row.map(|row| assemble(tx, row)).transpose()
}

/// Locks another case for the rest of the transaction and counts its version; the row, if the
/// committee has it.
pub(super) fn touch(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
) -> Result<Option<ProposalRow>> {
    Ok(diesel::update(proposals::table.find((committee, id)))
        .set(proposals::version.eq(proposals::version + 1))
        .returning(proposals::all_columns)
        .prepared()
        .row(tx.conn)
        .optional()?)
}

/// Locks another case for the rest of the transaction and leaves it as it is; the row, if the
/// committee has it. A transaction of SQLite is alone from its start.
pub fn hold(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
) -> Result<Option<ProposalRow>> {
    let row = proposals::table.find((committee, id));
    Ok(match &mut *tx.conn {
        AnyConnection::Postgres(conn) => row.for_no_key_update().first(conn),
        AnyConnection::Sqlite(conn) => row.first(conn),
    }
    .optional()?)
}

/// Locks several cases for the rest of the transaction, in one order for everybody, so that two
/// transactions over the same cases wait for each other instead of clashing. SQLite has one writer.
pub fn lock_all(tx: &mut Tx<'_>, committee: CommitteeId, ids: &[ProposalId]) -> Result<()> {
    if let AnyConnection::Postgres(conn) = &mut *tx.conn {
        proposals::table
            .filter(proposals::committee_id.eq(committee))
            .filter(proposals::id.eq_any(ids))
            .order(proposals::id)
            .select(proposals::id)
            .for_update()
            .load::<ProposalId>(conn)?;
    }
    Ok(())
}

fn assemble(tx: &mut Tx<'_>, row: ProposalRow) -> Result<Loaded> {
    let (committee, id) = (row.committee_id, row.id);
    let head = Head {
        seq: row.event_seq,
        hash: row.event_hash.clone(),
    };
    let Frame {
        session,
        calendar,
        form,
        marks,
    } = frame_of(tx, &row)?.ok_or_else(|| Error::internal("a proposal without session or text"))?;
    // Rows exist once a case is filed; early reference copies of an urgent one before, also when it
    // is urgent no more.
    let filed = row.filed_at.is_some() || row.submission_no > 0;
    let main_id = row.main_id;
    let proposal = row.into_facts(form.to()?, marks.clone().into_facts());
    let mut case = Case {
        proposers: proposers_of(tx, committee, id)?,
        // Nobody examines what was never handed in.
        opinions: if proposal.submission_no > 0 {
            opinions_of(tx, committee, id)?
        } else {
            Vec::new()
        },
        clocks: clocks_of(tx, committee, id)?,
        proposal,
        session,
        assignments: Vec::new(),
        contacts: Vec::new(),
        replies: Vec::new(),
        countersigns: Vec::new(),
        forms: Vec::new(),
        promises: Vec::new(),
        tracked_since: None,
        requests: Vec::new(),
        consultations: Vec::new(),
        follow_ups: Vec::new(),
        referrals: Vec::new(),
        absorbed: Vec::new(),
        main: None,
    };
    if filed {
        add_handling(tx, &mut case)?;
    }
    side_roads::add(tx, &mut case, &marks, main_id)?;
    Ok(Loaded {
        case,
        head,
        calendar,
    })
}

/// What exists only once units are at work; each part is read only if what it needs is there.
fn add_handling(tx: &mut Tx<'_>, case: &mut Case) -> Result<()> {
    let (committee, id) = (case.proposal.committee, case.proposal.id);
    let rows: Vec<AssignmentRow> = assignments::table
        .filter(assignments::committee_id.eq(committee))
        .filter(assignments::proposal_id.eq(id))
        .order((assignments::round, assignments::position))
        .select(columns!(AssignmentRow))
        .rows(tx.conn)?;
    case.assignments = rows.into_iter().map(Into::into).collect();
    if case.assignments.iter().all(|row| row.accepted_at.is_none()) {
        return Ok(());
    }
    let rows: Vec<ContactRow> = contacts::table
        .filter(contacts::committee_id.eq(committee))
        .filter(contacts::proposal_id.eq(id))
        .order(contacts::id)
        .select(columns!(ContactRow))
        .rows(tx.conn)?;
    case.contacts = rows.into_iter().map(Into::into).collect();
    case.replies = replies_of(tx, committee, id)?;
    if case.replies.is_empty() {
        return Ok(());
    }
    if case
        .assignments
        .iter()
        .any(|row| row.role == AssignmentRole::CoHandler)
    {
        let rows: Vec<CountersignRow> = countersign_requests::table
            .filter(countersign_requests::committee_id.eq(committee))
            .filter(countersign_requests::proposal_id.eq(id))
            .order((
                countersign_requests::reply_id,
                countersign_requests::attempt,
                countersign_requests::assignment_id,
            ))
            .select(columns!(CountersignRow))
            .rows(tx.conn)?;
        case.countersigns = rows.into_iter().map(Into::into).collect();
    }
    if case
        .replies
        .iter()
        .any(|reply| reply.delivered_at.is_some())
    {
        add_delivered(tx, case)?;
    }
    Ok(())
}

fn replies_of(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
) -> Result<Vec<crate::workflow::case::Reply>> {
    let rows: Vec<(ReplyRow, Json, String)> = replies::table
        .inner_join(
            reply_texts::table.on(reply_texts::committee_id
                .eq(replies::committee_id)
                .and(reply_texts::reply_id.eq(replies::id))
                .and(reply_texts::version.eq(replies::text_version))),
        )
        .filter(replies::committee_id.eq(committee))
        .filter(replies::proposal_id.eq(id))
        .order((replies::round, replies::id))
        .select((
            columns!(ReplyRow),
            reply_texts::form,
            reply_texts::content_hash,
        ))
        .rows(tx.conn)?;
    rows.into_iter()
        .map(|(row, form, hash)| row.into_facts(form, hash))
        .collect()
}

/// What only a delivered reply brings: forms, promises, tracking.
fn add_delivered(tx: &mut Tx<'_>, case: &mut Case) -> Result<()> {
    let (committee, id) = (case.proposal.committee, case.proposal.id);
    let rows: Vec<FormRow> = feedback_forms::table
        .filter(feedback_forms::committee_id.eq(committee))
        .filter(feedback_forms::proposal_id.eq(id))
        .order((
            feedback_forms::reply_id,
            feedback_forms::rater_id,
            feedback_forms::version,
        ))
        .select(columns!(FormRow))
        .rows(tx.conn)?;
    // The last version of each: a correction comes after what it corrects.
    for form in rows.into_iter().map(Form::from) {
        match case
            .forms
            .iter_mut()
            .find(|known| known.reply == form.reply && known.rater == form.rater)
        {
            Some(known) => *known = form,
            None => case.forms.push(form),
        }
    }
    let rows: Vec<PromiseRow> = promises::table
        .filter(promises::committee_id.eq(committee))
        .filter(promises::proposal_id.eq(id))
        .order(promises::id)
        .select(columns!(PromiseRow))
        .rows(tx.conn)?;
    case.promises = rows.into_iter().map(Into::into).collect();
    case.tracked_since = side_roads::tracked_since(tx, committee, id)?;
    Ok(())
}

/// Who signed a case, or was asked to, in order.
pub fn proposers_of(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
) -> Result<Vec<crate::workflow::case::Proposer>> {
    let rows: Vec<ProposerRow> = proposers::table
        .filter(proposers::committee_id.eq(committee))
        .filter(proposers::proposal_id.eq(id))
        .order(proposers::position)
        .select(columns!(ProposerRow))
        .rows(tx.conn)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

fn opinions_of(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
) -> Result<Vec<crate::workflow::case::Opinion>> {
    let rows: Vec<OpinionRow> = opinions::table
        .filter(opinions::committee_id.eq(committee))
        .filter(opinions::proposal_id.eq(id))
        .order(opinions::id)
        .select(columns!(OpinionRow))
        .rows(tx.conn)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

fn clocks_of(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
) -> Result<Vec<crate::workflow::case::Clock>> {
    let rows: Vec<ClockRow> = clocks::table
        .filter(clocks::committee_id.eq(committee))
        .filter(clocks::proposal_id.eq(id))
        .order(clocks::id)
        .select(columns!(ClockRow))
        .rows(tx.conn)?;
    rows.into_iter().map(ClockRow::into_facts).collect()
}

/// What there is once of a case, beside its row.
struct Frame {
    session: Session,
    calendar: i32,
    form: Json,
    marks: MarksRow,
}

/// Reads it with one statement.
fn frame_of(tx: &mut Tx<'_>, case: &ProposalRow) -> Result<Option<Frame>> {
    type Row = ((SessionRow, i32, i32), Json, Option<MarksRow>);
    let text = proposal_texts::committee_id
        .eq(sessions::committee_id)
        .and(proposal_texts::proposal_id.eq(case.id))
        .and(proposal_texts::version.eq(case.text_version));
    let marks = case_marks::committee_id
        .eq(sessions::committee_id)
        .and(case_marks::proposal_id.eq(case.id));
    let row: Option<Row> = sessions_and_terms!()
        .inner_join(proposal_texts::table.on(text))
        .left_join(case_marks::table.on(marks))
        .filter(sessions::committee_id.eq(case.committee_id))
        .filter(sessions::id.eq(case.session_id))
        .select((
            session_columns!(),
            proposal_texts::form,
            columns!(MarksRow).nullable(),
        ))
        .row(tx.conn)
        .optional()?;
    Ok(row.map(|((session, term, calendar), form, marks)| Frame {
        session: session.into_facts(term),
        calendar,
        form,
        marks: marks.unwrap_or_default(),
    }))
}

/// Sessions of a committee.
macro_rules! sessions_of {
    ($committee:expr) => {
        sessions_and_terms!()
            .filter(sessions::committee_id.eq($committee))
            .select(session_columns!())
    };
}

/// A session, and the committee's current version of the calendar.
fn session(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: SessionId,
) -> Result<Option<(Session, i32)>> {
    let row: Option<(SessionRow, i32, i32)> = sessions_of!(committee)
        .filter(sessions::id.eq(id))
        .first_row(tx.conn)
        .optional()?;
    Ok(row.map(|(row, term, calendar)| (row.into_facts(term), calendar)))
}

/// The session of a new proposal: the one that was asked for, or the last one whose window has
/// opened by `today`; an ordinary proposal belongs to the last session held. With it comes the
/// committee's current version of the calendar.
pub fn session_for(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    wanted: Option<SessionId>,
    today: Date,
) -> Result<Option<(Session, i32)>> {
    if let Some(id) = wanted {
        return session(tx, committee, id);
    }
    let row: Option<(SessionRow, i32, i32)> = sessions_of!(committee)
        .filter(sessions::window_opens_on.le(On(today)))
        .order((sessions::window_opens_on.desc(), sessions::id.desc()))
        .first_row(tx.conn)
        .optional()?;
    Ok(row.map(|(row, term, calendar)| (row.into_facts(term), calendar)))
}

/// The case that a row belongs to.
pub fn find_by_assignment(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: AssignmentId,
) -> Result<Option<ProposalId>> {
    Ok(assignments::table
        .find((committee, id))
        .select(assignments::proposal_id)
        .first_row(tx.conn)
        .optional()?)
}

/// The cases that rows belong to.
pub fn of_assignments(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    ids: &[AssignmentId],
) -> Result<Vec<ProposalId>> {
    Ok(assignments::table
        .filter(assignments::committee_id.eq(committee))
        .filter(assignments::id.eq_any(ids))
        .select(assignments::proposal_id)
        .rows(tx.conn)?)
}

/// The case that a reply belongs to.
pub fn find_by_reply(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ReplyId,
) -> Result<Option<ProposalId>> {
    Ok(replies::table
        .find((committee, id))
        .select(replies::proposal_id)
        .first_row(tx.conn)
        .optional()?)
}

/// The case that a clock belongs to.
pub fn find_by_clock(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ClockId,
) -> Result<Option<ProposalId>> {
    Ok(clocks::table
        .find((committee, id))
        .select(clocks::proposal_id)
        .first_row(tx.conn)
        .optional()?)
}
