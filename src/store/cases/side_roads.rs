//! What only the side roads of a case bring: marks, requests, consultations, merging.

use diesel::prelude::*;
use jiff::Timestamp;
use serde_json::json;

use super::load::{facts, proposers_of, touch, try_facts};
use super::parts::{Source, columns};
use super::rows::{MarksRow, ProposalRow, ReferralRow, RequestRow};
use super::save::Writer;
use crate::error::{Error, Result};
use crate::ids::{CaseRequestId, CommitteeId, DecisionId, ProposalId};
use crate::store::Tx;
use crate::store::events::{self, Happening, Head, Stream};
use crate::store::prepared::Prepare;
use crate::store::run::Run;
use crate::store::schema::{
    case_links, case_marks, consultations, contacts, deliveries, follow_ups, merges, proposals,
    referrals, replies, requests, trackings,
};
use crate::store::sql_types::{At, Json, On};
use crate::workflow::case::{Absorbed, Case, Main};
use crate::workflow::codes::{ConsentStatus, FollowUpStatus, ProposerRole};
use crate::workflow::decide::Record;

/// Reads what the flags of the marks, and the pointer to a main proposal, say is there.
pub(super) fn add(
    tx: &mut Tx<'_>,
    source: &mut Source,
    case: &mut Case,
    marks: &MarksRow,
    main: Option<ProposalId>,
) -> Result<()> {
    let (committee, id) = (case.proposal.committee, case.proposal.id);
    if marks.has_requests {
        case.requests = try_facts(source.requests(tx)?, RequestRow::into_facts)?;
    }
    if marks.has_consultations {
        case.consultations = facts(source.consultations(tx)?);
    }
    if marks.has_follow_ups {
        case.follow_ups = facts(source.follow_ups(tx)?);
        // A decision can track a case that has no reply yet.
        case.tracked_since = source.tracked_since(tx)?;
    }
    if marks.has_referrals {
        case.referrals = try_facts(source.referrals(tx)?, ReferralRow::into_facts)?;
    }
    if marks.has_absorbed {
        case.absorbed = absorbed_by(tx, committee, id)?;
    }
    if let Some(main) = main {
        case.main = Some(main_of(tx, committee, id, main)?);
    }
    Ok(())
}

/// Tracking that started, or ended.
pub(super) fn write_tracking(
    tx: &mut Tx<'_>,
    before: Option<Timestamp>,
    after: Option<Timestamp>,
    writer: &mut Writer<'_>,
) -> Result<()> {
    if before == after {
        return Ok(());
    }
    writer.send(tx)?;
    let key = (writer.committee, writer.proposal);
    let Some(since) = after else {
        diesel::update(trackings::table.find(key))
            .set(trackings::stopped_at.eq(At(writer.by.at)))
            .prepared()
            .run(tx.conn)?;
        return Ok(());
    };
    // Started again: the entries tell of the time before.
    let again = diesel::update(trackings::table.find(key))
        .set((
            trackings::started_at.eq(At(since)),
            trackings::stopped_at.eq(None::<At>),
        ))
        .prepared()
        .run(tx.conn)?;
    if again == 0 {
        diesel::insert_into(trackings::table)
            .values((
                trackings::committee_id.eq(writer.committee),
                trackings::proposal_id.eq(writer.proposal),
                trackings::started_at.eq(At(since)),
            ))
            .prepared()
            .run(tx.conn)?;
    }
    Ok(())
}

/// The proposals that one absorbed, with those who signed them.
fn absorbed_by(tx: &mut Tx<'_>, committee: CommitteeId, main: ProposalId) -> Result<Vec<Absorbed>> {
    let rows: Vec<ProposalRow> = proposals::table
        .filter(proposals::committee_id.eq(committee))
        .filter(proposals::main_id.eq(main))
        .order(proposals::id)
        .select(columns!(ProposalRow))
        .rows(tx.conn)?;
    rows.into_iter()
        .map(|row| {
            let signers = proposers_of(tx, committee, row.id)?
                .into_iter()
                .filter(|one| {
                    one.role == ProposerRole::First
                        || (one.role == ProposerRole::Cosigner
                            && one.status == ConsentStatus::Consented)
                })
                .collect();
            Ok(Absorbed {
                proposal: row.id,
                serial_no: row.serial_no,
                case_no: row.case_no,
                title: row.title,
                organisation: row.organisation_id,
                signers,
            })
        })
        .collect()
}

/// The proposal that absorbed another one, and how that was before.
fn main_of(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
    main: ProposalId,
) -> Result<Main> {
    let row: ProposalRow = proposals::table
        .find((committee, main))
        .select(columns!(ProposalRow))
        .first_row(tx.conn)?;
    let delivered = diesel::select(diesel::dsl::exists(
        replies::table
            .filter(replies::committee_id.eq(committee))
            .filter(replies::proposal_id.eq(main))
            .filter(replies::delivered_at.is_not_null()),
    ))
    .row(tx.conn)?;
    let before: Json = merges::table
        .filter(merges::committee_id.eq(committee))
        .filter(merges::proposal_id.eq(id))
        .filter(merges::unmerged_at.is_null())
        .select(merges::before)
        .first_row(tx.conn)?;
    Ok(Main {
        proposal: main,
        status: row.status,
        serial_no: row.serial_no,
        case_no: row.case_no,
        title: row.title,
        delivered,
        before: before.to()?,
    })
}

/// Writes every difference of what stands here between the case before and after.
pub(super) fn write<'a>(
    tx: &mut Tx<'_>,
    before: Option<&Case>,
    after: &'a Case,
    writer: &mut Writer<'a>,
) -> Result<()> {
    write_contacts(tx, before, after, writer)?;
    pass_follow_ups(tx, before, after, writer)?;
    write_referrals(tx, before, after, writer)?;
    let none = Vec::new();
    let old = before.map_or(&none, |case| &case.requests);
    for request in &after.requests {
        let known = old.iter().find(|known| known.id == request.id);
        if known == Some(request) {
            continue;
        }
        if known.is_none() {
            insert_request(tx, request, writer)?;
        } else {
            update_request(tx, request.id, request, writer)?;
        }
    }
    let marks = &after.proposal.marks;
    let unchanged = before.is_some_and(|case| {
        case.proposal.marks == *marks
            && case.requests.is_empty() == after.requests.is_empty()
            && case.consultations.is_empty() == after.consultations.is_empty()
            && case.follow_ups.is_empty() == after.follow_ups.is_empty()
            && case.referrals.is_empty() == after.referrals.is_empty()
    });
    let nothing = before.is_none() && *marks == crate::workflow::case::Marks::default();
    if unchanged || nothing {
        return Ok(());
    }
    writer.send(tx)?;
    ensure_marks(tx, writer.committee, writer.proposal)?;
    diesel::update(case_marks::table.find((writer.committee, writer.proposal)))
        .set((
            case_marks::archived_at.eq(marks.archived_at.map(At)),
            case_marks::tier.eq(marks.tier),
            case_marks::programme_year.eq(marks.programme_year),
            case_marks::published_text.eq(marks.published_text),
            case_marks::text_published_at.eq(marks.text_published_at.map(At)),
            case_marks::published_replies.eq(marks.published_replies),
            case_marks::replies_published_at.eq(marks.replies_published_at.map(At)),
            case_marks::publish_text.eq(marks.publish_text),
            case_marks::publish_replies.eq(marks.publish_replies),
            case_marks::disposed_at.eq(marks.disposed_at.map(At)),
            case_marks::open_for_seconding.eq(marks.open_for_seconding),
            case_marks::has_requests.eq(!after.requests.is_empty()),
            case_marks::has_consultations.eq(!after.consultations.is_empty()),
            case_marks::has_follow_ups.eq(!after.follow_ups.is_empty()),
            case_marks::has_referrals.eq(!after.referrals.is_empty()),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// The row of marks, made if there is none; the case is locked.
fn ensure_marks(tx: &mut Tx<'_>, committee: CommitteeId, id: ProposalId) -> Result<()> {
    let known: i64 = case_marks::table
        .find((committee, id))
        .count()
        .row(tx.conn)?;
    if known == 0 {
        diesel::insert_into(case_marks::table)
            .values((
                case_marks::committee_id.eq(committee),
                case_marks::proposal_id.eq(id),
                case_marks::open_for_seconding.eq(false),
                case_marks::has_requests.eq(false),
                case_marks::has_consultations.eq(false),
                case_marks::has_absorbed.eq(false),
                case_marks::has_follow_ups.eq(false),
                case_marks::has_referrals.eq(false),
            ))
            .prepared()
            .run(tx.conn)?;
    }
    Ok(())
}

/// Referrals that were sent, answered or recalled.
fn write_referrals<'a>(
    tx: &mut Tx<'_>,
    before: Option<&Case>,
    after: &'a Case,
    writer: &mut Writer<'a>,
) -> Result<()> {
    let old = before
        .map(|case| case.referrals.as_slice())
        .unwrap_or_default();
    for one in &after.referrals {
        let answer = one.answer.as_ref().map(Json::of).transpose()?;
        match old.iter().find(|known| known.id == one.id) {
            Some(known) if known == one => {}
            Some(_) => {
                let statement = diesel::update(referrals::table.find((writer.committee, one.id)))
                    .set((
                        referrals::status.eq(one.status),
                        referrals::counterpart_id.eq(one.counterpart),
                        referrals::answer.eq(answer),
                    ));
                writer.put(tx, statement)?;
            }
            None => {
                let statement = diesel::insert_into(referrals::table).values((
                    referrals::committee_id.eq(writer.committee),
                    referrals::id.eq(one.id),
                    referrals::proposal_id.eq(writer.proposal),
                    referrals::direction.eq(one.direction),
                    referrals::target_id.eq(one.committee),
                    referrals::body.eq(&one.body),
                    referrals::status.eq(one.status),
                    referrals::reason.eq(&one.reason),
                    referrals::sent_by.eq(one.sent_by),
                    referrals::sent_at.eq(At(one.sent_at)),
                ));
                writer.put(tx, statement)?;
            }
        }
    }
    Ok(())
}

/// Entries that wait for an answer pass to the unit that took another one over.
fn pass_follow_ups<'a>(
    tx: &mut Tx<'_>,
    before: Option<&Case>,
    after: &'a Case,
    writer: &mut Writer<'a>,
) -> Result<()> {
    for old in before.map(|case| &case.follow_ups).into_iter().flatten() {
        let new = after.follow_ups.iter().find(|new| new.id == old.id);
        if let Some(new) = new.filter(|new| new.unit != old.unit) {
            let statement = diesel::update(follow_ups::table.find((writer.committee, new.id)))
                .set(follow_ups::unit_id.eq(new.unit));
            writer.put(tx, statement)?;
        }
    }
    Ok(())
}

/// An objection of the proposer to a contact record.
fn write_contacts<'a>(
    tx: &mut Tx<'_>,
    before: Option<&Case>,
    after: &'a Case,
    writer: &mut Writer<'a>,
) -> Result<()> {
    for old in before.map(|case| &case.contacts).into_iter().flatten() {
        let new = after.contacts.iter().find(|new| new.id == old.id);
        if let Some(new) = new.filter(|new| new.objection != old.objection) {
            let statement = diesel::update(contacts::table.find((writer.committee, new.id)))
                .set(contacts::objection.eq(new.objection.as_deref()));
            writer.put(tx, statement)?;
        }
    }
    Ok(())
}

fn insert_request<'a>(
    tx: &mut Tx<'_>,
    request: &'a crate::workflow::case::Request,
    writer: &mut Writer<'a>,
) -> Result<()> {
    let statement = diesel::insert_into(requests::table).values((
        requests::committee_id.eq(writer.committee),
        requests::id.eq(request.id),
        requests::proposal_id.eq(writer.proposal),
        requests::assignment_id.eq(request.assignment),
        requests::kind.eq(request.kind),
        requests::status.eq(request.status),
        requests::escalated.eq(request.escalated),
        requests::form.eq(Json::of(&request.form)?),
        requests::requested_by.eq(request.requested_by),
        requests::requested_at.eq(At(request.requested_at)),
    ));
    writer.put(tx, statement)
}

fn update_request<'a>(
    tx: &mut Tx<'_>,
    id: CaseRequestId,
    request: &'a crate::workflow::case::Request,
    writer: &mut Writer<'a>,
) -> Result<()> {
    let decision = request.decision.as_ref().map(Json::of).transpose()?;
    let statement = diesel::update(requests::table.find((writer.committee, id))).set((
        requests::status.eq(request.status),
        requests::escalated.eq(request.escalated),
        requests::form.eq(Json::of(&request.form)?),
        requests::decision.eq(decision),
    ));
    writer.put(tx, statement)
}

/// Writes a record of a side road.
#[expect(clippy::too_many_lines, reason = "one arm per record")]
pub(super) fn record<'a>(
    tx: &mut Tx<'_>,
    record: &'a Record,
    case: &'a Case,
    writer: &mut Writer<'a>,
) -> Result<()> {
    let (committee, proposal, at) = (writer.committee, writer.proposal, At(writer.by.at));
    match record {
        Record::Consultation { id, content } => {
            let held = case
                .consultations
                .iter()
                .find(|held| held.id == *id)
                .ok_or_else(|| Error::internal("minutes without their consultation"))?;
            let statement = diesel::insert_into(consultations::table).values((
                consultations::committee_id.eq(committee),
                consultations::id.eq(*id),
                consultations::proposal_id.eq(proposal),
                consultations::round.eq(held.round),
                consultations::form.eq(held.form),
                consultations::held_on.eq(On(held.date)),
                consultations::content.eq(Json(content.clone())),
                consultations::recorded_by.eq(writer.user),
                consultations::created_at.eq(at),
            ));
            writer.put(tx, statement)?;
        }
        Record::FollowUp { id, content } => {
            let (index, entry) = case
                .follow_ups
                .iter()
                .enumerate()
                .find(|(_, entry)| entry.id == *id)
                .ok_or_else(|| Error::internal("the words of an entry without the entry"))?;
            let statement = diesel::insert_into(follow_ups::table).values((
                (
                    follow_ups::committee_id.eq(committee),
                    follow_ups::id.eq(*id),
                    follow_ups::proposal_id.eq(proposal),
                    follow_ups::position.eq(i32::try_from(index).unwrap_or(i32::MAX)),
                    follow_ups::act_id.eq(entry.act),
                    follow_ups::kind.eq(entry.kind),
                    follow_ups::status.eq(entry.status),
                    follow_ups::unit_id.eq(entry.unit),
                    follow_ups::rater_id.eq(entry.rater),
                ),
                (
                    follow_ups::promise_id.eq(entry.promise),
                    follow_ups::due_on.eq(entry.due_on.map(On)),
                    follow_ups::restricted.eq(entry.restricted),
                    follow_ups::content.eq(Json(content.clone())),
                    follow_ups::recorded_by.eq(writer.user),
                    follow_ups::created_at.eq(at),
                ),
            ));
            writer.put(tx, statement)?;
        }
        Record::FollowUpAnswer { id, text } => {
            let statement = diesel::update(follow_ups::table.find((committee, *id))).set((
                follow_ups::status.eq(FollowUpStatus::Answered),
                follow_ups::answer.eq(text),
                follow_ups::answered_by.eq(writer.user),
                follow_ups::answered_at.eq(at),
            ));
            writer.put(tx, statement)?;
        }
        Record::Delivery { reply, proposal } => {
            let statement = diesel::insert_into(deliveries::table).values((
                deliveries::committee_id.eq(committee),
                deliveries::reply_id.eq(*reply),
                deliveries::proposal_id.eq(*proposal),
                deliveries::delivered_at.eq(at),
            ));
            writer.put(tx, statement)?;
        }
        Record::Merge {
            main,
            before,
            content,
        } => {
            writer.send(tx)?;
            diesel::insert_into(merges::table)
                .values((
                    merges::committee_id.eq(committee),
                    merges::id.eq(DecisionId::new(writer.by.at)),
                    merges::proposal_id.eq(proposal),
                    merges::main_id.eq(*main),
                    merges::before.eq(Json::of(before)?),
                    merges::content.eq(Json(content.clone())),
                    merges::decided_by.eq(writer.user),
                    merges::merged_at.eq(at),
                ))
                .prepared()
                .run(tx.conn)?;
            point_to(tx, writer, Some(*main))?;
            ensure_marks(tx, committee, *main)?;
            has_absorbed(tx, writer, *main)?;
            note_on_main(tx, writer, *main, "proposal.absorbed")?;
        }
        Record::Unmerge => {
            writer.send(tx)?;
            let main: ProposalId = merges::table
                .filter(merges::committee_id.eq(committee))
                .filter(merges::proposal_id.eq(proposal))
                .filter(merges::unmerged_at.is_null())
                .select(merges::main_id)
                .first_row(tx.conn)?;
            diesel::update(merges::table)
                .filter(merges::committee_id.eq(committee))
                .filter(merges::proposal_id.eq(proposal))
                .filter(merges::unmerged_at.is_null())
                .set(merges::unmerged_at.eq(at))
                .prepared()
                .run(tx.conn)?;
            point_to(tx, writer, None)?;
            has_absorbed(tx, writer, main)?;
            note_on_main(tx, writer, main, "proposal.released")?;
        }
        Record::Link { kind, other, note } => {
            writer.send(tx)?;
            let key = (committee, proposal, *other, *kind);
            diesel::delete(case_links::table.find(key)).run(tx.conn)?;
            diesel::insert_into(case_links::table)
                .values((
                    case_links::committee_id.eq(committee),
                    case_links::proposal_id.eq(proposal),
                    case_links::other_id.eq(*other),
                    case_links::kind.eq(*kind),
                    case_links::note.eq(note.as_deref()),
                    case_links::created_by.eq(writer.user),
                    case_links::created_at.eq(at),
                ))
                .prepared()
                .run(tx.conn)?;
        }
        _ => {}
    }
    Ok(())
}

fn point_to(tx: &mut Tx<'_>, writer: &Writer<'_>, main: Option<ProposalId>) -> Result<()> {
    diesel::update(proposals::table.find((writer.committee, writer.proposal)))
        .set(proposals::main_id.eq(main))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

fn has_absorbed(tx: &mut Tx<'_>, writer: &Writer<'_>, main: ProposalId) -> Result<()> {
    let any: bool = diesel::select(diesel::dsl::exists(
        proposals::table
            .filter(proposals::committee_id.eq(writer.committee))
            .filter(proposals::main_id.eq(main)),
    ))
    .row(tx.conn)?;
    diesel::update(case_marks::table.find((writer.committee, main)))
        .set(case_marks::has_absorbed.eq(any))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// The history of the main proposal tells of it too.
fn note_on_main(tx: &mut Tx<'_>, writer: &Writer<'_>, main: ProposalId, name: &str) -> Result<()> {
    let Some(row) = touch(tx, writer.committee, main)? else {
        return Err(Error::internal("a main proposal that is not there"));
    };
    let head = Head {
        seq: row.event_seq,
        hash: row.event_hash,
    };
    let status = row.status.as_str();
    let happening = Happening {
        name: name.to_owned(),
        rule: None,
        content: json!({
            "target": { "kind": "proposal", "id": main },
            "before": status,
            "after": status,
            "round": row.round,
            "version": row.version,
            "input": { "absorbed_id": writer.proposal },
        }),
    };
    let stream = Stream::of(writer.committee, "proposal", main);
    let head = events::append_to(tx, &stream, &head, writer.by, happening)?;
    diesel::update(proposals::table.find((writer.committee, main)))
        .set((
            proposals::event_seq.eq(head.seq),
            proposals::event_hash.eq(&head.hash),
            proposals::updated_at.eq(At(writer.by.at)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}
