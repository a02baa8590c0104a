//! The things of a case that have rows of their own: inserted when new, updated when changed.

use diesel::prelude::*;

use super::save::Writer;
use super::side_roads;
use crate::error::Result;
use crate::ids::UnitId;
use crate::store::Tx;
use crate::store::prepared::Prepare;
use crate::store::run::Run;
use crate::store::schema::{
    assignments, clocks, countersign_requests, promises, proposers, replies,
};
use crate::store::sql_types::{At, Json, On};
use crate::workflow::case::{Assignment, Case, Clock, Countersign, Promise, Proposer, Reply};
use crate::workflow::role::Line;

/// Calls `insert` for what is new and `update` for what changed, with what it was before, by key.
fn sync<T: PartialEq, K: PartialEq>(
    tx: &mut Tx<'_>,
    old: &[T],
    new: &[T],
    key: impl Fn(&T) -> K,
    mut insert: impl FnMut(&mut Tx<'_>, &T) -> Result<()>,
    mut update: impl FnMut(&mut Tx<'_>, &T, &T) -> Result<()>,
) -> Result<()> {
    for item in new {
        match old.iter().find(|other| key(other) == key(item)) {
            None => insert(tx, item)?,
            Some(other) if other != item => update(tx, other, item)?,
            Some(_) => {}
        }
    }
    Ok(())
}

/// Writes every difference between the case before and after.
pub(super) fn write(
    tx: &mut Tx<'_>,
    before: Option<&Case>,
    after: &Case,
    writer: &Writer<'_>,
) -> Result<()> {
    macro_rules! old {
        ($field:ident) => {
            before
                .map(|case| case.$field.as_slice())
                .unwrap_or_default()
        };
    }
    sync(
        tx,
        old!(proposers),
        &after.proposers,
        |item| item.id,
        |tx, item| insert_proposer(tx, item, writer),
        |tx, _, item| update_proposer(tx, item, writer),
    )?;
    // Excused, or re-handling given up: noted at the proposer of an absorbed proposal too.
    for (old, new) in before
        .map(|case| case.absorbed.as_slice())
        .unwrap_or_default()
        .iter()
        .zip(&after.absorbed)
    {
        sync(
            tx,
            &old.signers,
            &new.signers,
            |item| item.id,
            |_, _| Ok(()),
            |tx, _, item| update_proposer(tx, item, writer),
        )?;
    }
    sync(
        tx,
        old!(assignments),
        &after.assignments,
        |item| item.id,
        |tx, item| insert_assignment(tx, item, writer),
        |tx, old, item| update_assignment(tx, old, item, writer),
    )?;
    sync(
        tx,
        old!(replies),
        &after.replies,
        |item| item.id,
        |tx, item| insert_reply(tx, item, writer),
        |tx, old, item| update_reply(tx, old, item, writer),
    )?;
    sync(
        tx,
        old!(countersigns),
        &after.countersigns,
        |item| (item.reply, item.assignment, item.attempt),
        |tx, item| insert_countersign(tx, item, writer),
        |tx, _, item| update_countersign(tx, item, writer),
    )?;
    sync(
        tx,
        old!(promises),
        &after.promises,
        |item| item.id,
        |tx, item| insert_promise(tx, item, writer),
        |tx, _, item| {
            diesel::update(promises::table.find((writer.committee, item.id)))
                .set((
                    promises::status.eq(item.status),
                    promises::unit_id.eq(item.unit),
                ))
                .prepared()
                .run(tx.conn)?;
            Ok(())
        },
    )?;
    write_clocks(tx, before, after, writer)?;
    let tracked = before.and_then(|case| case.tracked_since);
    side_roads::write_tracking(tx, tracked, after.tracked_since, writer)?;
    side_roads::write(tx, before, after, writer)
}

fn insert_proposer(tx: &mut Tx<'_>, item: &Proposer, writer: &Writer<'_>) -> Result<()> {
    diesel::insert_into(proposers::table)
        .values((
            proposers::committee_id.eq(writer.committee),
            proposers::id.eq(item.id),
            proposers::proposal_id.eq(writer.proposal),
            proposers::position.eq(item.position),
            proposers::role.eq(item.role),
            proposers::status.eq(item.status),
            proposers::member_id.eq(item.member),
            proposers::organisation_id.eq(item.organisation),
            proposers::name.eq(&item.name),
            proposers::sector.eq(item.sector.as_deref()),
            proposers::party.eq(item.party.as_deref()),
            proposers::member_no.eq(item.member_no.as_deref()),
            proposers::consented_version.eq(item.consented_version),
            proposers::comment.eq(item.comment.as_deref()),
            proposers::decided_at.eq(item.decided_at.map(At)),
            proposers::created_at.eq(At(writer.by.at)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

fn update_proposer(tx: &mut Tx<'_>, item: &Proposer, writer: &Writer<'_>) -> Result<()> {
    diesel::update(proposers::table.find((writer.committee, item.id)))
        .set((
            proposers::status.eq(item.status),
            proposers::excused.eq(item.excused.as_deref()),
            proposers::waived_round.eq(item.waived_round),
            proposers::consented_version.eq(item.consented_version),
            proposers::comment.eq(item.comment.as_deref()),
            proposers::decided_at.eq(item.decided_at.map(At)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

fn insert_assignment(tx: &mut Tx<'_>, item: &Assignment, writer: &Writer<'_>) -> Result<()> {
    diesel::insert_into(assignments::table)
        .values((
            (
                assignments::committee_id.eq(writer.committee),
                assignments::id.eq(item.id),
                assignments::proposal_id.eq(writer.proposal),
                assignments::round.eq(item.round),
                assignments::position.eq(item.position),
                assignments::role.eq(item.role),
                assignments::unit_id.eq(item.unit),
                assignments::unit_name.eq(&item.unit_name),
            ),
            (
                assignments::status.eq(item.status),
                assignments::version.eq(item.version),
                assignments::part.eq(item.part.as_deref()),
                assignments::returnable.eq(item.returnable),
                assignments::deemed.eq(item.deemed),
                assignments::opinion_missing.eq(item.opinion_missing),
                assignments::opinions.eq(item.opinions),
                assignments::accepted_at.eq(item.accepted_at.map(At)),
                assignments::clerk_name.eq(item.clerk_name.as_deref()),
                assignments::clerk_phone.eq(item.clerk_phone.as_deref()),
                assignments::carried_over.eq(item.carried_over),
                assignments::created_at.eq(At(writer.by.at)),
                assignments::updated_at.eq(At(writer.by.at)),
            ),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Columns of an index are named only where they changed: SQLite writes the entries of all that are
/// named anew.
fn update_assignment(
    tx: &mut Tx<'_>,
    old: &Assignment,
    item: &Assignment,
    writer: &Writer<'_>,
) -> Result<()> {
    let unit = old.unit != item.unit;
    let status = old.status != item.status;
    diesel::update(assignments::table.find((writer.committee, item.id)))
        .set((
            unit.then(|| assignments::unit_id.eq(item.unit)),
            assignments::unit_name.eq(&item.unit_name),
            assignments::role.eq(item.role),
            assignments::part.eq(item.part.as_deref()),
            assignments::replaced_by.eq(item.replaced_by),
            status.then(|| assignments::status.eq(item.status)),
            assignments::version.eq(item.version),
            assignments::returnable.eq(item.returnable),
            assignments::deemed.eq(item.deemed),
            assignments::accepted_at.eq(item.accepted_at.map(At)),
            assignments::clerk_name.eq(item.clerk_name.as_deref()),
            assignments::clerk_phone.eq(item.clerk_phone.as_deref()),
            assignments::opinion_missing.eq(item.opinion_missing),
            assignments::opinions.eq(item.opinions),
            assignments::updated_at.eq(At(writer.by.at)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

fn insert_reply(tx: &mut Tx<'_>, item: &Reply, writer: &Writer<'_>) -> Result<()> {
    diesel::insert_into(replies::table)
        .values((
            replies::committee_id.eq(writer.committee),
            replies::id.eq(item.id),
            replies::proposal_id.eq(writer.proposal),
            replies::assignment_id.eq(item.assignment),
            replies::unit_id.eq(item.unit),
            replies::round.eq(item.round),
            replies::status.eq(item.status),
            replies::version.eq(item.version),
            replies::text_version.eq(item.text_version),
            replies::approved.eq(item.approved),
            replies::unit_outcome.eq(item.unit_outcome),
            replies::created_at.eq(At(writer.by.at)),
            replies::updated_at.eq(At(writer.by.at)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Columns of an index are named only where they changed, as for rows of units.
fn update_reply(tx: &mut Tx<'_>, old: &Reply, item: &Reply, writer: &Writer<'_>) -> Result<()> {
    let unit = old.unit != item.unit;
    let status = old.status != item.status;
    let document = item.document.as_ref();
    diesel::update(replies::table.find((writer.committee, item.id)))
        .set((
            (
                unit.then(|| replies::unit_id.eq(item.unit)),
                status.then(|| replies::status.eq(item.status)),
                replies::version.eq(item.version),
                replies::text_version.eq(item.text_version),
                replies::approved.eq(item.approved),
                replies::unit_outcome.eq(item.unit_outcome),
                replies::reviewer_outcome.eq(item.reviewer_outcome),
                replies::current_outcome.eq(item.current_outcome),
                replies::document_prefix.eq(document.map(|document| document.prefix.as_str())),
                replies::document_year.eq(document.map(|document| document.year)),
                replies::document_number.eq(document.and_then(|document| document.number)),
            ),
            (
                replies::signed_by.eq(item.signed_by),
                replies::signatory.eq(item.signatory.as_deref()),
                replies::signed_hash.eq(item.signed_hash.as_deref()),
                replies::signed_at.eq(item.signed_at.map(At)),
                replies::reviewed_by.eq(item.reviewed_by),
                replies::review_note.eq(item.review_note.as_deref()),
                replies::coordinated_hash.eq(item.coordinated_hash.as_deref()),
                replies::coordination.eq(item.coordination.as_deref()),
                replies::signed_by_head.eq(item.signed_by_head),
                replies::rejected_hash.eq(item.rejected_hash.as_deref()),
                replies::delivered_at.eq(item.delivered_at.map(At)),
                replies::updated_at.eq(At(writer.by.at)),
            ),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

fn insert_countersign(tx: &mut Tx<'_>, item: &Countersign, writer: &Writer<'_>) -> Result<()> {
    diesel::insert_into(countersign_requests::table)
        .values((
            countersign_requests::committee_id.eq(writer.committee),
            countersign_requests::proposal_id.eq(writer.proposal),
            countersign_requests::reply_id.eq(item.reply),
            countersign_requests::assignment_id.eq(item.assignment),
            countersign_requests::attempt.eq(item.attempt),
            countersign_requests::status.eq(item.status),
            countersign_requests::content_hash.eq(&item.content_hash),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

fn update_countersign(tx: &mut Tx<'_>, item: &Countersign, writer: &Writer<'_>) -> Result<()> {
    let key = (writer.committee, item.reply, item.assignment, item.attempt);
    diesel::update(countersign_requests::table.find(key))
        .set((
            countersign_requests::status.eq(item.status),
            countersign_requests::remarks.eq(item.remarks.as_deref()),
            countersign_requests::signatory.eq(item.signatory.as_deref()),
            countersign_requests::answered_at.eq(item.answered_at.map(At)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

fn insert_promise(tx: &mut Tx<'_>, item: &Promise, writer: &Writer<'_>) -> Result<()> {
    diesel::insert_into(promises::table)
        .values((
            promises::committee_id.eq(writer.committee),
            promises::id.eq(item.id),
            promises::proposal_id.eq(writer.proposal),
            promises::reply_id.eq(item.reply),
            promises::unit_id.eq(item.unit),
            promises::status.eq(item.status),
            promises::text.eq(&item.text),
            promises::person.eq(&item.person),
            promises::due_on.eq(On(item.due_on)),
            promises::created_at.eq(At(writer.by.at)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Clocks, with the unit and the line that they are listed under.
fn write_clocks(
    tx: &mut Tx<'_>,
    before: Option<&Case>,
    after: &Case,
    writer: &Writer<'_>,
) -> Result<()> {
    let place = |case: &Case, clock: &Clock| (case.unit_of(clock), case.proposal.assigning_line);
    for item in &after.clocks {
        let at = place(after, item);
        let old = before.and_then(|case| {
            let old = case.clocks.iter().find(|old| old.id == item.id);
            old.map(|old| (old, place(case, old)))
        });
        match old {
            None => insert_clock(tx, item, at, writer)?,
            Some((old, was)) if old != item || (item.stopped_at.is_none() && was != at) => {
                update_clock(tx, (old, was), (item, at), writer)?;
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The unit and the line that a clock is listed under.
type Place = (Option<UnitId>, Option<Line>);

/// Columns of indexes are named only where they changed, as for rows of units.
fn update_clock(
    tx: &mut Tx<'_>,
    (old, was): (&Clock, Place),
    (item, (unit, line)): (&Clock, Place),
    writer: &Writer<'_>,
) -> Result<()> {
    let due = old.due_at != item.due_at;
    let stopped = old.stopped_at != item.stopped_at;
    // One that stood still did not follow its case to another unit.
    let moved = was != (unit, line) || old.stopped_at.is_some();
    diesel::update(clocks::table.find((writer.committee, item.id)))
        .set((
            clocks::started_at.eq(At(item.started_at)),
            clocks::time_limit.eq(&item.limit),
            clocks::calendar_version.eq(item.calendar_version),
            due.then(|| clocks::due_at.eq(At(item.due_at))),
            stopped.then(|| clocks::stopped_at.eq(item.stopped_at.map(At))),
            clocks::provisional.eq(item.provisional),
            clocks::changes.eq(Json::of(&item.changes)?),
            clocks::wake_at.eq(item.wake_at.map(At)),
            clocks::woken.eq(false),
            moved.then(|| clocks::unit_id.eq(unit)),
            moved.then(|| clocks::line.eq(line)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

fn insert_clock(
    tx: &mut Tx<'_>,
    item: &Clock,
    (unit, line): Place,
    writer: &Writer<'_>,
) -> Result<()> {
    diesel::insert_into(clocks::table)
        .values((
            clocks::committee_id.eq(writer.committee),
            clocks::id.eq(item.id),
            clocks::proposal_id.eq(writer.proposal),
            clocks::kind.eq(item.kind),
            clocks::subject_id.eq(item.subject),
            clocks::started_at.eq(At(item.started_at)),
            clocks::time_limit.eq(&item.limit),
            clocks::profile_version.eq(item.profile_version),
            clocks::calendar_version.eq(item.calendar_version),
            clocks::provisional.eq(item.provisional),
            clocks::original_due.eq(At(item.original_due)),
            clocks::due_at.eq(At(item.due_at)),
            clocks::stopped_at.eq(item.stopped_at.map(At)),
            clocks::changes.eq(Json::of(&item.changes)?),
            clocks::wake_at.eq(item.wake_at.map(At)),
            clocks::woken.eq(false),
            clocks::unit_id.eq(unit),
            clocks::line.eq(line),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}
