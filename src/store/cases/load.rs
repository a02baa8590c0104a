//! Reading a case.

use diesel::pg::PgConnection;
use diesel::prelude::*;

use super::parts::{self, Read, Source};
use super::rows::{ClockRow, ProposalRow, ReplyRow};
use super::side_roads;
use crate::error::Result;
use crate::ids::{AssignmentId, ClockId, CommitteeId, ProposalId, ReplyId};
use crate::store::Tx;
use crate::store::connection::AnyConnection;
use crate::store::events::Head;
use crate::store::policy_profiles::ActiveVersions;
use crate::store::prepared::Prepare;
use crate::store::run::Run;
use crate::store::schema::{assignments, clocks, proposals, replies};
use crate::workflow::case::{Case, Form};
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
    /// The versions of the profile that are in force, where they were read with the case.
    pub active: Option<ActiveVersions>,
}

/// How a case is asked for: by itself, or by something in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// A proposal.
    Proposal(ProposalId),
    /// A unit's row.
    Assignment(AssignmentId),
    /// A reply.
    Reply(ReplyId),
}

impl From<ProposalId> for Object {
    fn from(id: ProposalId) -> Self {
        Self::Proposal(id)
    }
}

/// Reads the case of an object; `None` if the committee has no such thing.
pub fn load(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    object: impl Into<Object>,
) -> Result<Option<Loaded>> {
    let id = match object.into() {
        Object::Proposal(id) => Some(id),
        Object::Assignment(id) => assignments::table
            .find((committee, id))
            .select(assignments::proposal_id)
            .first_row(tx.conn)
            .optional()?,
        Object::Reply(id) => replies::table
            .find((committee, id))
            .select(replies::proposal_id)
            .first_row(tx.conn)
            .optional()?,
    };
    let Some(id) = id else { return Ok(None) };
    let read = match &mut *tx.conn {
        AnyConnection::Postgres(conn) => parts::read_whole(conn, (committee, id))?,
        AnyConnection::Sqlite(_) => parts::read(tx, (committee, id))?,
    };
    read.map(|read| assemble(tx, read)).transpose()
}

/// Locks the case of an object for the rest of the transaction and reads it with the version that it
/// gets: whoever comes second waits here.
pub fn lock(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    object: impl Into<Object>,
) -> Result<Option<Loaded>> {
    let mut loaded = keep(tx, committee, object)?;
    if let Some(loaded) = &mut loaded {
        loaded.case.proposal.version += 1;
    }
    Ok(loaded)
}

/// The same without counting its version: for who may find that there is nothing to do.
pub fn keep(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    object: impl Into<Object>,
) -> Result<Option<Loaded>> {
    let AnyConnection::Postgres(conn) = &mut *tx.conn else {
        // A transaction of SQLite is alone from its start.
        return load(tx, committee, object);
    };
    let Some(held) = take(conn, committee, object.into())? else {
        return Ok(None);
    };
    // What becomes of a merged proposal depends on its main one: that is locked too.
    if let Some(main) = held.main {
        take(conn, committee, main.into())?;
    }
    // Only now: a statement that waits for a lock sees other tables as they were before.
    let of = (committee, held.id);
    let read = if held.is_draft {
        parts::read_draft(conn, of)?
    } else {
        parts::read_whole(conn, of)?
    };
    read.map(|read| assemble(tx, read)).transpose()
}

/// A case that is locked.
struct Held {
    id: ProposalId,
    main: Option<ProposalId>,
    /// Never handed in.
    is_draft: bool,
}

fn take(
    conn: &mut PgConnection,
    committee: CommitteeId,
    object: Object,
) -> QueryResult<Option<Held>> {
    macro_rules! lock_where {
        ($condition:expr) => {
            proposals::table
                .filter(proposals::committee_id.eq(committee))
                .filter($condition)
                .select((
                    proposals::id,
                    proposals::main_id,
                    proposals::submission_no.eq(0),
                ))
                .for_no_key_update()
                .get_result(conn)
                .optional()?
        };
    }
    // The one that a thing belongs to never changes.
    macro_rules! case_of {
        ($table:ident, $id:expr) => {
            proposals::id.nullable().eq($table::table
                .find((committee, $id))
                .select($table::proposal_id)
                .single_value())
        };
    }
    let row: Option<(ProposalId, Option<ProposalId>, bool)> = match object {
        Object::Proposal(id) => lock_where!(proposals::id.eq(id)),
        Object::Assignment(id) => lock_where!(case_of!(assignments, id)),
        Object::Reply(id) => lock_where!(case_of!(replies, id)),
    };
    Ok(row.map(|(id, main, is_draft)| Held { id, main, is_draft }))
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

fn assemble(tx: &mut Tx<'_>, read: Read) -> Result<Loaded> {
    let Read {
        row,
        frame,
        mut source,
        active,
    } = read;
    let head = Head {
        seq: row.event_seq,
        hash: row.event_hash.clone(),
    };
    // Rows exist once a case is filed; early reference copies of an urgent one before, also when it
    // is urgent no more.
    let filed = row.filed_at.is_some() || row.submission_no > 0;
    let main_id = row.main_id;
    let proposal = row.into_facts(frame.form.to()?, frame.marks.clone().into_facts());
    let mut case = Case {
        proposers: facts(source.proposers(tx)?),
        // Nobody examines what was never handed in.
        opinions: if proposal.submission_no > 0 {
            facts(source.opinions(tx)?)
        } else {
            Vec::new()
        },
        clocks: try_facts(source.clocks(tx)?, ClockRow::into_facts)?,
        proposal,
        session: frame.session,
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
        add_handling(tx, &mut source, &mut case)?;
    }
    side_roads::add(tx, &mut source, &mut case, &frame.marks, main_id)?;
    Ok(Loaded {
        case,
        head,
        calendar: frame.calendar,
        active,
    })
}

/// Rows as what they stand for.
pub(super) fn facts<Row, Fact: From<Row>>(rows: Vec<Row>) -> Vec<Fact> {
    rows.into_iter().map(Into::into).collect()
}

/// The same for those with documents, which can be of another form than the program knows.
pub(super) fn try_facts<Row, Fact>(
    rows: Vec<Row>,
    to_fact: impl Fn(Row) -> Result<Fact>,
) -> Result<Vec<Fact>> {
    rows.into_iter().map(to_fact).collect()
}

/// What exists only once units are at work; each part is asked for only if what it needs is there.
fn add_handling(tx: &mut Tx<'_>, source: &mut Source, case: &mut Case) -> Result<()> {
    case.assignments = facts(source.assignments(tx)?);
    if case.assignments.iter().all(|row| row.accepted_at.is_none()) {
        return Ok(());
    }
    case.contacts = facts(source.contacts(tx)?);
    case.replies = try_facts(source.replies(tx)?, ReplyRow::into_facts)?;
    if case.replies.is_empty() {
        return Ok(());
    }
    if case
        .assignments
        .iter()
        .any(|row| row.role == AssignmentRole::CoHandler)
    {
        case.countersigns = facts(source.countersigns(tx)?);
    }
    if case
        .replies
        .iter()
        .any(|reply| reply.delivered_at.is_some())
    {
        add_delivered(tx, source, case)?;
    }
    Ok(())
}

/// What only a delivered reply brings: forms, promises, tracking.
fn add_delivered(tx: &mut Tx<'_>, source: &mut Source, case: &mut Case) -> Result<()> {
    // The last version of each: a correction comes after what it corrects.
    for form in source.forms(tx)?.into_iter().map(Form::from) {
        match case
            .forms
            .iter_mut()
            .find(|known| known.reply == form.reply && known.rater == form.rater)
        {
            Some(known) => *known = form,
            None => case.forms.push(form),
        }
    }
    case.promises = facts(source.promises(tx)?);
    case.tracked_since = source.tracked_since(tx)?;
    Ok(())
}

/// Who signed a case, or was asked to, in order.
pub fn proposers_of(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
) -> Result<Vec<crate::workflow::case::Proposer>> {
    Ok(facts(Source::one_by_one((committee, id)).proposers(tx)?))
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
