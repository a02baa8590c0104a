//! The things of a case that have rows of their own: inserted when new, updated when changed.

use diesel::prelude::*;

use super::save::Writer;
use super::side_roads;
use crate::error::Result;
use crate::ids::UnitId;
use crate::store::Tx;
use crate::store::schema::{
    assignments, clocks, countersign_requests, promises, proposers, replies,
};
use crate::store::sql_types::{At, Json, On};
use crate::workflow::case::{Assignment, Case, Clock, Countersign, Promise, Proposer, Reply};
use crate::workflow::role::Line;

/// Calls `insert` for what is new and `update` for what changed, with what it was before, by key.
fn sync<'a, T: PartialEq, K: PartialEq>(
    tx: &mut Tx<'_>,
    writer: &mut Writer<'a>,
    (old, new): (&[T], &'a [T]),
    key: impl Fn(&T) -> K,
    insert: impl Fn(&mut Tx<'_>, &mut Writer<'a>, &'a T) -> Result<()>,
    update: impl Fn(&mut Tx<'_>, &mut Writer<'a>, &T, &'a T) -> Result<()>,
) -> Result<()> {
    for item in new {
        match old.iter().find(|other| key(other) == key(item)) {
            None => insert(tx, writer, item)?,
            Some(other) if other != item => update(tx, writer, other, item)?,
            Some(_) => {}
        }
    }
    Ok(())
}

/// Writes every difference between the case before and after.
pub(super) fn write<'a>(
    tx: &mut Tx<'_>,
    before: Option<&Case>,
    after: &'a Case,
    writer: &mut Writer<'a>,
) -> Result<()> {
    macro_rules! both {
        ($field:ident) => {
            (
                before
                    .map(|case| case.$field.as_slice())
                    .unwrap_or_default(),
                after.$field.as_slice(),
            )
        };
    }
    let proposers = both!(proposers);
    sync(
        tx,
        writer,
        proposers,
        |item| item.id,
        insert_proposer,
        update_proposer,
    )?;
    // Excused, or re-handling given up: noted at the proposer of an absorbed proposal too.
    let (old, new) = both!(absorbed);
    for (old, new) in old.iter().zip(new) {
        let signers = (old.signers.as_slice(), new.signers.as_slice());
        sync(
            tx,
            writer,
            signers,
            |item| item.id,
            |_, _, _| Ok(()),
            update_proposer,
        )?;
    }
    let rows = both!(assignments);
    sync(
        tx,
        writer,
        rows,
        |item| item.id,
        insert_assignment,
        update_assignment,
    )?;
    sync(
        tx,
        writer,
        both!(replies),
        |item| item.id,
        insert_reply,
        update_reply,
    )?;
    let key = |item: &Countersign| (item.reply, item.assignment, item.attempt);
    sync(
        tx,
        writer,
        both!(countersigns),
        key,
        insert_countersign,
        update_countersign,
    )?;
    sync(
        tx,
        writer,
        both!(promises),
        |item| item.id,
        insert_promise,
        update_promise,
    )?;
    write_clocks(tx, before, after, writer)?;
    let tracked = before.and_then(|case| case.tracked_since);
    side_roads::write_tracking(tx, tracked, after.tracked_since, writer)?;
    side_roads::write(tx, before, after, writer)
}

fn insert_proposer<'a>(tx: &mut Tx<'_>, writer: &mut Writer<'a>, item: &'a Proposer) -> Result<()> {
    let statement = diesel::insert_into(proposers::table).values((
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
    ));
    writer.put(tx, statement)
}

fn update_proposer<'a>(
    tx: &mut Tx<'_>,
    writer: &mut Writer<'a>,
    _old: &Proposer,
    item: &'a Proposer,
) -> Result<()> {
    let statement = diesel::update(proposers::table.find((writer.committee, item.id))).set((
        proposers::status.eq(item.status),
        proposers::excused.eq(item.excused.as_deref()),
        proposers::waived_round.eq(item.waived_round),
        proposers::consented_version.eq(item.consented_version),
        proposers::comment.eq(item.comment.as_deref()),
        proposers::decided_at.eq(item.decided_at.map(At)),
    ));
    writer.put(tx, statement)
}

fn insert_assignment<'a>(
    tx: &mut Tx<'_>,
    writer: &mut Writer<'a>,
    item: &'a Assignment,
) -> Result<()> {
    let statement = diesel::insert_into(assignments::table).values((
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
    ));
    writer.put(tx, statement)
}

/// Columns of an index are named only where they changed: SQLite writes the entries of all that are
/// named anew.
fn update_assignment<'a>(
    tx: &mut Tx<'_>,
    writer: &mut Writer<'a>,
    old: &Assignment,
    item: &'a Assignment,
) -> Result<()> {
    let unit = old.unit != item.unit;
    let status = old.status != item.status;
    let statement = diesel::update(assignments::table.find((writer.committee, item.id))).set((
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
    ));
    writer.put(tx, statement)
}

fn insert_reply<'a>(tx: &mut Tx<'_>, writer: &mut Writer<'a>, item: &'a Reply) -> Result<()> {
    let statement = diesel::insert_into(replies::table).values((
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
    ));
    writer.put(tx, statement)
}

/// Columns of an index are named only where they changed, as for rows of units.
fn update_reply<'a>(
    tx: &mut Tx<'_>,
    writer: &mut Writer<'a>,
    old: &Reply,
    item: &'a Reply,
) -> Result<()> {
    let unit = old.unit != item.unit;
    let status = old.status != item.status;
    let document = item.document.as_ref();
    let statement = diesel::update(replies::table.find((writer.committee, item.id))).set((
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
    ));
    writer.put(tx, statement)
}

fn insert_countersign<'a>(
    tx: &mut Tx<'_>,
    writer: &mut Writer<'a>,
    item: &'a Countersign,
) -> Result<()> {
    let statement = diesel::insert_into(countersign_requests::table).values((
        countersign_requests::committee_id.eq(writer.committee),
        countersign_requests::proposal_id.eq(writer.proposal),
        countersign_requests::reply_id.eq(item.reply),
        countersign_requests::assignment_id.eq(item.assignment),
        countersign_requests::attempt.eq(item.attempt),
        countersign_requests::status.eq(item.status),
        countersign_requests::content_hash.eq(&item.content_hash),
    ));
    writer.put(tx, statement)
}

fn update_countersign<'a>(
    tx: &mut Tx<'_>,
    writer: &mut Writer<'a>,
    _old: &Countersign,
    item: &'a Countersign,
) -> Result<()> {
    let key = (writer.committee, item.reply, item.assignment, item.attempt);
    let statement = diesel::update(countersign_requests::table.find(key)).set((
        countersign_requests::status.eq(item.status),
        countersign_requests::remarks.eq(item.remarks.as_deref()),
        countersign_requests::signatory.eq(item.signatory.as_deref()),
        countersign_requests::answered_at.eq(item.answered_at.map(At)),
    ));
    writer.put(tx, statement)
}

fn insert_promise<'a>(tx: &mut Tx<'_>, writer: &mut Writer<'a>, item: &'a Promise) -> Result<()> {
    let statement = diesel::insert_into(promises::table).values((
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
    ));
    writer.put(tx, statement)
}

fn update_promise<'a>(
    tx: &mut Tx<'_>,
    writer: &mut Writer<'a>,
    _old: &Promise,
    item: &'a Promise,
) -> Result<()> {
    let statement = diesel::update(promises::table.find((writer.committee, item.id))).set((
        promises::status.eq(item.status),
        promises::unit_id.eq(item.unit),
    ));
    writer.put(tx, statement)
}

/// Clocks, with the unit and the line that they are listed under.
fn write_clocks<'a>(
    tx: &mut Tx<'_>,
    before: Option<&Case>,
    after: &'a Case,
    writer: &mut Writer<'a>,
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
fn update_clock<'a>(
    tx: &mut Tx<'_>,
    (old, was): (&Clock, Place),
    (item, (unit, line)): (&'a Clock, Place),
    writer: &mut Writer<'a>,
) -> Result<()> {
    let due = old.due_at != item.due_at;
    let stopped = old.stopped_at != item.stopped_at;
    // One that stood still did not follow its case to another unit.
    let moved = was != (unit, line) || old.stopped_at.is_some();
    let statement = diesel::update(clocks::table.find((writer.committee, item.id))).set((
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
    ));
    writer.put(tx, statement)
}

fn insert_clock<'a>(
    tx: &mut Tx<'_>,
    item: &'a Clock,
    (unit, line): Place,
    writer: &mut Writer<'a>,
) -> Result<()> {
    let statement = diesel::insert_into(clocks::table).values((
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
    ));
    writer.put(tx, statement)
}
