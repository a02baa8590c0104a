//! Writing a decision: what differs between the case before and after, the records, the numbers,
//! the duties and the events.

use diesel::prelude::*;

use crate::auth::digest;
use crate::error::{Error, Result};
use crate::ids::{CommitteeId, ContactId, DutyId, ProposalId, UserId};
use crate::store::events::{self, Circumstances, Happening, Head, Stream};
use crate::store::schema::{
    assignments, clocks, co_opinions, contacts, countersigns, decisions, duties, feedback_forms,
    opinions, promises, proposal_texts, proposals, proposers, replies, reply_texts, trackings,
};
use crate::store::sql_types::{At, Json, On};
use crate::store::{Tx, numbers};
use crate::text::fold;
use crate::workflow::case::{Assignment, Case, Clock, Countersign, Promise, Proposer, Reply};
use crate::workflow::decide::{Decision, Number, Record};
use crate::workflow::desk::{self, Duty};
use crate::workflow::profile::Profile;
use crate::workflow::role::Role;

/// Who wrote it, for the records.
struct Writer<'a> {
    committee: CommitteeId,
    proposal: ProposalId,
    user: UserId,
    by: &'a Circumstances,
}

/// Writes a new case.
pub fn create(
    tx: &mut Tx<'_>,
    decision: &mut Decision,
    profile: &Profile,
    by: &Circumstances,
) -> Result<()> {
    insert_proposal(tx, &decision.case, by)?;
    write(tx, None, &Head::default(), decision, profile, by)
}

/// Writes what a decision changed; the case must be locked. Numbers are filled in.
pub fn save(
    tx: &mut Tx<'_>,
    before: &Case,
    head: &Head,
    decision: &mut Decision,
    profile: &Profile,
    by: &Circumstances,
) -> Result<()> {
    write(tx, Some(before), head, decision, profile, by)
}

fn write(
    tx: &mut Tx<'_>,
    before: Option<&Case>,
    head: &Head,
    decision: &mut Decision,
    profile: &Profile,
    by: &Circumstances,
) -> Result<()> {
    allot_numbers(tx, decision)?;
    let after = &decision.case;
    let user = by.actor.unwrap_or(after.proposal.created_by);
    let writer = Writer {
        committee: after.proposal.committee,
        proposal: after.proposal.id,
        user,
        by,
    };
    write_children(tx, before, after, &writer)?;
    for record in &decision.records {
        write_record(tx, record, after, &writer)?;
    }
    let old = before
        .map(|case| desk::duties(case, profile))
        .unwrap_or_default();
    write_duties(tx, &old, &desk::duties(after, profile), &writer)?;
    let head = append_events(tx, head, decision, by)?;
    update_proposal(tx, &decision.case, &head)
}

fn allot_numbers(tx: &mut Tx<'_>, decision: &mut Decision) -> Result<()> {
    let committee = decision.case.proposal.committee;
    let session = decision.case.session.id.uuid().simple();
    for number in &decision.numbers {
        match number {
            Number::Serial => {
                let next = numbers::allot(tx, committee, &format!("serial:{session}"))?;
                decision.case.proposal.serial_no = Some(next);
            }
            Number::Case => {
                let next = numbers::allot(tx, committee, &format!("case:{session}"))?;
                decision.case.proposal.case_no = Some(next);
            }
            Number::Document(id) => {
                let reply = decision
                    .case
                    .replies
                    .iter_mut()
                    .find(|reply| reply.id == *id);
                let Some(reply) = reply else { continue };
                let unit = reply.unit.uuid().simple();
                if let Some(document) = &mut reply.document {
                    let series = format!("document:{unit}:{}:{}", document.year, document.prefix);
                    document.number = Some(numbers::allot(tx, committee, &series)?);
                }
            }
        }
    }
    Ok(())
}

fn insert_proposal(tx: &mut Tx<'_>, case: &Case, by: &Circumstances) -> Result<()> {
    let (proposal, session) = (&case.proposal, &case.session);
    diesel::insert_into(proposals::table)
        .values((
            (
                proposals::committee_id.eq(proposal.committee),
                proposals::id.eq(proposal.id),
                proposals::term_id.eq(session.term),
                proposals::session_id.eq(session.id),
                proposals::kind.eq(proposal.kind),
                proposals::status.eq(proposal.status),
                proposals::version.eq(proposal.version),
                proposals::round.eq(proposal.round),
                proposals::title.eq(&proposal.form.title),
                proposals::title_folded.eq(fold(&proposal.form.title)),
                proposals::secrecy.eq(proposal.secrecy),
                proposals::urgency.eq(proposal.urgency),
            ),
            (
                proposals::text_version.eq(proposal.text_version),
                proposals::submitted_version.eq(proposal.submitted_version),
                proposals::submission_no.eq(proposal.submission_no),
                proposals::profile_version.eq(proposal.profile_version),
                proposals::organisation_id.eq(proposal.organisation),
                proposals::created_by.eq(proposal.created_by),
                proposals::status_since.eq(At(by.at)),
                proposals::created_at.eq(At(by.at)),
                proposals::updated_at.eq(At(by.at)),
                proposals::event_seq.eq(0),
                proposals::event_hash.eq(""),
            ),
        ))
        .execute(tx.conn)?;
    Ok(())
}

fn update_proposal(tx: &mut Tx<'_>, case: &Case, head: &Head) -> Result<()> {
    let proposal = &case.proposal;
    diesel::update(proposals::table.find((proposal.committee, proposal.id)))
        .set((
            (
                proposals::kind.eq(proposal.kind),
                proposals::status.eq(proposal.status),
                proposals::round.eq(proposal.round),
                proposals::serial_no.eq(proposal.serial_no),
                proposals::case_no.eq(proposal.case_no),
                proposals::session_mark.eq(proposal.session_mark),
                proposals::title.eq(&proposal.form.title),
                proposals::title_folded.eq(fold(&proposal.form.title)),
                proposals::subject_class.eq(proposal.subject_class),
                proposals::assigning_line.eq(proposal.assigning_line),
                proposals::handling_kind.eq(proposal.handling_kind),
                proposals::secrecy.eq(proposal.secrecy),
            ),
            (
                proposals::urgency.eq(proposal.urgency),
                proposals::text_version.eq(proposal.text_version),
                proposals::submitted_version.eq(proposal.submitted_version),
                proposals::submission_no.eq(proposal.submission_no),
                proposals::profile_version.eq(proposal.profile_version),
                proposals::filed_at.eq(proposal.filed_at.map(At)),
                proposals::status_since.eq(At(proposal.status_since)),
                proposals::updated_at.eq(At(proposal.updated_at)),
                proposals::event_seq.eq(head.seq),
                proposals::event_hash.eq(&head.hash),
            ),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Calls `insert` for what is new and `update` for what changed, by key.
fn sync<T: PartialEq, K: PartialEq>(
    tx: &mut Tx<'_>,
    old: &[T],
    new: &[T],
    key: impl Fn(&T) -> K,
    mut insert: impl FnMut(&mut Tx<'_>, &T) -> Result<()>,
    mut update: impl FnMut(&mut Tx<'_>, &T) -> Result<()>,
) -> Result<()> {
    for item in new {
        match old.iter().find(|other| key(other) == key(item)) {
            None => insert(tx, item)?,
            Some(other) if other != item => update(tx, item)?,
            Some(_) => {}
        }
    }
    Ok(())
}

fn write_children(
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
        |tx, item| update_proposer(tx, item, writer),
    )?;
    sync(
        tx,
        old!(assignments),
        &after.assignments,
        |item| item.id,
        |tx, item| insert_assignment(tx, item, writer),
        |tx, item| update_assignment(tx, item, writer),
    )?;
    sync(
        tx,
        old!(replies),
        &after.replies,
        |item| item.id,
        |tx, item| insert_reply(tx, item, writer),
        |tx, item| update_reply(tx, item, writer),
    )?;
    write_countersigns(tx, old!(countersigns), &after.countersigns, writer)?;
    sync(
        tx,
        old!(promises),
        &after.promises,
        |item| item.id,
        |tx, item| insert_promise(tx, item, writer),
        |tx, item| {
            diesel::update(promises::table.find((writer.committee, item.id)))
                .set(promises::status.eq(item.status))
                .execute(tx.conn)?;
            Ok(())
        },
    )?;
    sync(
        tx,
        old!(clocks),
        &after.clocks,
        |item| item.id,
        |tx, item| insert_clock(tx, item, writer),
        |tx, item| {
            diesel::update(clocks::table.find((writer.committee, item.id)))
                .set((
                    clocks::due_at.eq(At(item.due_at)),
                    clocks::stopped_at.eq(item.stopped_at.map(At)),
                ))
                .execute(tx.conn)?;
            Ok(())
        },
    )?;
    if let (Some(since), None) = (
        after.tracked_since,
        before.and_then(|case| case.tracked_since),
    ) {
        diesel::insert_into(trackings::table)
            .values((
                trackings::committee_id.eq(writer.committee),
                trackings::proposal_id.eq(writer.proposal),
                trackings::started_at.eq(At(since)),
            ))
            .execute(tx.conn)?;
    }
    Ok(())
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
        .execute(tx.conn)?;
    Ok(())
}

fn update_proposer(tx: &mut Tx<'_>, item: &Proposer, writer: &Writer<'_>) -> Result<()> {
    diesel::update(proposers::table.find((writer.committee, item.id)))
        .set((
            proposers::status.eq(item.status),
            proposers::consented_version.eq(item.consented_version),
            proposers::comment.eq(item.comment.as_deref()),
            proposers::decided_at.eq(item.decided_at.map(At)),
        ))
        .execute(tx.conn)?;
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
                assignments::created_at.eq(At(writer.by.at)),
                assignments::updated_at.eq(At(writer.by.at)),
            ),
        ))
        .execute(tx.conn)?;
    Ok(())
}

fn update_assignment(tx: &mut Tx<'_>, item: &Assignment, writer: &Writer<'_>) -> Result<()> {
    diesel::update(assignments::table.find((writer.committee, item.id)))
        .set((
            assignments::status.eq(item.status),
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
        .execute(tx.conn)?;
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
        .execute(tx.conn)?;
    Ok(())
}

fn update_reply(tx: &mut Tx<'_>, item: &Reply, writer: &Writer<'_>) -> Result<()> {
    let document = item.document.as_ref();
    diesel::update(replies::table.find((writer.committee, item.id)))
        .set((
            (
                replies::status.eq(item.status),
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
                replies::delivered_at.eq(item.delivered_at.map(At)),
                replies::updated_at.eq(At(writer.by.at)),
            ),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// A new request replaces the answered ones of the text before.
fn write_countersigns(
    tx: &mut Tx<'_>,
    old: &[Countersign],
    new: &[Countersign],
    writer: &Writer<'_>,
) -> Result<()> {
    for item in new {
        let known = old
            .iter()
            .find(|other| other.reply == item.reply && other.assignment == item.assignment);
        if known == Some(item) {
            continue;
        }
        diesel::delete(countersigns::table.find((writer.committee, item.reply, item.assignment)))
            .execute(tx.conn)?;
        diesel::insert_into(countersigns::table)
            .values((
                countersigns::committee_id.eq(writer.committee),
                countersigns::proposal_id.eq(writer.proposal),
                countersigns::reply_id.eq(item.reply),
                countersigns::assignment_id.eq(item.assignment),
                countersigns::status.eq(item.status),
                countersigns::content_hash.eq(&item.content_hash),
                countersigns::remarks.eq(item.remarks.as_deref()),
                countersigns::signatory.eq(item.signatory.as_deref()),
                countersigns::answered_at.eq(item.answered_at.map(At)),
            ))
            .execute(tx.conn)?;
    }
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
        .execute(tx.conn)?;
    Ok(())
}

fn insert_clock(tx: &mut Tx<'_>, item: &Clock, writer: &Writer<'_>) -> Result<()> {
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
        ))
        .execute(tx.conn)?;
    Ok(())
}

fn write_record(tx: &mut Tx<'_>, record: &Record, case: &Case, writer: &Writer<'_>) -> Result<()> {
    let at = At(writer.by.at);
    match record {
        Record::ProposalText { version, form } => {
            let form = Json::of(form)?;
            diesel::insert_into(proposal_texts::table)
                .values((
                    proposal_texts::committee_id.eq(writer.committee),
                    proposal_texts::proposal_id.eq(writer.proposal),
                    proposal_texts::version.eq(*version),
                    proposal_texts::content_hash.eq(digest::hex(&[form.0.to_string().as_bytes()])),
                    proposal_texts::form.eq(form),
                    proposal_texts::created_by.eq(writer.user),
                    proposal_texts::created_at.eq(at),
                ))
                .execute(tx.conn)?;
        }
        Record::HideText => {
            diesel::update(proposal_texts::table)
                .filter(proposal_texts::committee_id.eq(writer.committee))
                .filter(proposal_texts::proposal_id.eq(writer.proposal))
                .set(proposal_texts::form.eq(Json::of(&case.proposal.form)?))
                .execute(tx.conn)?;
        }
        Record::OpinionText { id, content } => {
            let opinion = case
                .opinions
                .iter()
                .find(|opinion| opinion.id == *id)
                .ok_or_else(|| Error::internal("an opinion text without its opinion"))?;
            diesel::insert_into(opinions::table)
                .values((
                    opinions::committee_id.eq(writer.committee),
                    opinions::id.eq(*id),
                    opinions::proposal_id.eq(writer.proposal),
                    opinions::submission_no.eq(opinion.submission_no),
                    opinions::stage.eq(opinion.stage),
                    opinions::examiner_id.eq(opinion.examiner),
                    opinions::recommendation.eq(opinion.recommendation),
                    opinions::content.eq(Json(content.clone())),
                    opinions::created_at.eq(at),
                ))
                .execute(tx.conn)?;
        }
        Record::Decision { id, kind, content } => {
            diesel::insert_into(decisions::table)
                .values((
                    decisions::committee_id.eq(writer.committee),
                    decisions::id.eq(*id),
                    decisions::proposal_id.eq(writer.proposal),
                    decisions::kind.eq(*kind),
                    decisions::round.eq(case.proposal.round),
                    decisions::content.eq(Json(content.clone())),
                    decisions::decided_by.eq(writer.user),
                    decisions::created_at.eq(at),
                ))
                .execute(tx.conn)?;
        }
        Record::Contact { .. } | Record::CoOpinion { .. } => write_unit_record(tx, record, writer)?,
        Record::ReplyText { .. } | Record::FormContent { .. } => {
            write_reply_record(tx, record, case, writer)?;
        }
    }
    Ok(())
}

fn write_unit_record(tx: &mut Tx<'_>, record: &Record, writer: &Writer<'_>) -> Result<()> {
    let at = At(writer.by.at);
    match record {
        Record::Contact {
            assignment,
            content,
        } => {
            diesel::insert_into(contacts::table)
                .values((
                    contacts::committee_id.eq(writer.committee),
                    contacts::id.eq(ContactId::new(writer.by.at)),
                    contacts::proposal_id.eq(writer.proposal),
                    contacts::assignment_id.eq(*assignment),
                    contacts::content.eq(Json(content.clone())),
                    contacts::recorded_by.eq(writer.user),
                    contacts::created_at.eq(at),
                ))
                .execute(tx.conn)?;
        }
        Record::CoOpinion {
            assignment,
            version,
            content,
        } => {
            diesel::insert_into(co_opinions::table)
                .values((
                    co_opinions::committee_id.eq(writer.committee),
                    co_opinions::proposal_id.eq(writer.proposal),
                    co_opinions::assignment_id.eq(*assignment),
                    co_opinions::version.eq(*version),
                    co_opinions::content.eq(Json(content.clone())),
                    co_opinions::submitted_by.eq(writer.user),
                    co_opinions::created_at.eq(at),
                ))
                .execute(tx.conn)?;
        }
        _ => {}
    }
    Ok(())
}

fn write_reply_record(
    tx: &mut Tx<'_>,
    record: &Record,
    case: &Case,
    writer: &Writer<'_>,
) -> Result<()> {
    let at = At(writer.by.at);
    match record {
        Record::ReplyText {
            reply,
            version,
            form,
            hash,
        } => {
            diesel::insert_into(reply_texts::table)
                .values((
                    reply_texts::committee_id.eq(writer.committee),
                    reply_texts::reply_id.eq(*reply),
                    reply_texts::version.eq(*version),
                    reply_texts::form.eq(Json::of(form)?),
                    reply_texts::content_hash.eq(hash),
                    reply_texts::created_by.eq(writer.user),
                    reply_texts::created_at.eq(at),
                ))
                .execute(tx.conn)?;
        }
        Record::FormContent {
            reply,
            rater,
            version,
            by_staff,
            content,
        } => {
            let form = case
                .forms
                .iter()
                .find(|form| {
                    form.reply == *reply && form.rater == *rater && form.version == *version
                })
                .ok_or_else(|| Error::internal("a form content without its form"))?;
            diesel::insert_into(feedback_forms::table)
                .values((
                    feedback_forms::committee_id.eq(writer.committee),
                    feedback_forms::proposal_id.eq(writer.proposal),
                    feedback_forms::reply_id.eq(*reply),
                    feedback_forms::rater_id.eq(*rater),
                    feedback_forms::version.eq(*version),
                    feedback_forms::round.eq(form.round),
                    feedback_forms::attitude.eq(form.attitude),
                    feedback_forms::result.eq(form.result),
                    feedback_forms::late.eq(form.late),
                    feedback_forms::content.eq(Json(content.clone())),
                    feedback_forms::entered_by.eq(writer.user),
                    feedback_forms::by_staff.eq(*by_staff),
                    feedback_forms::created_at.eq(at),
                ))
                .execute(tx.conn)?;
        }
        _ => {}
    }
    Ok(())
}

fn write_duties(tx: &mut Tx<'_>, old: &[Duty], new: &[Duty], writer: &Writer<'_>) -> Result<()> {
    if old.iter().any(|duty| !new.contains(duty)) {
        // What is gone is deleted by what it is about, in as few statements as there are things.
        for duty in old.iter().filter(|duty| !new.contains(duty)) {
            diesel::delete(duties::table)
                .filter(duties::committee_id.eq(writer.committee))
                .filter(duties::proposal_id.eq(writer.proposal))
                .filter(duties::audience.eq(duty.audience.as_str()))
                .filter(duties::action.eq(duty.task))
                .filter(duties::subject_id.eq(duty.subject))
                .execute(tx.conn)?;
        }
    }
    for duty in new.iter().filter(|duty| !old.contains(duty)) {
        diesel::insert_into(duties::table)
            .values((
                duties::committee_id.eq(writer.committee),
                duties::id.eq(DutyId::new(writer.by.at)),
                duties::proposal_id.eq(writer.proposal),
                duties::audience.eq(duty.audience.as_str()),
                duties::action.eq(duty.task),
                duties::subject_kind.eq(duty.subject_kind),
                duties::subject_id.eq(duty.subject),
                duties::due_at.eq(At(duty.due_at.unwrap_or(super::super::desk::NEVER))),
                duties::created_at.eq(At(writer.by.at)),
            ))
            .execute(tx.conn)?;
    }
    Ok(())
}

/// What was handed in, without the parts of a proposal's text: they stand in its versions, from
/// which they can be removed (I29), and the trail is for ever. A digest shows which text it was.
fn without_text(input: &serde_json::Value) -> serde_json::Value {
    const PARTS: [&str; 3] = ["situation", "analysis", "suggestions"];
    let mut input = input.clone();
    let form = match input.get("form") {
        Some(_) => input.get_mut("form"),
        None => Some(&mut input),
    };
    if let Some(form) = form.and_then(serde_json::Value::as_object_mut) {
        let parts: Vec<_> = PARTS
            .iter()
            .filter_map(|part| form.remove(*part))
            .map(|part| part.to_string())
            .collect();
        if !parts.is_empty() {
            let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
            form.insert("text_hash".to_owned(), digest::hex(&parts).into());
        }
    }
    input
}

fn append_events(
    tx: &mut Tx<'_>,
    head: &Head,
    decision: &Decision,
    by: &Circumstances,
) -> Result<Head> {
    let proposal = &decision.case.proposal;
    let stream = Stream::of(proposal.committee, "proposal", proposal.id);
    let mut head = head.clone();
    for happened in &decision.happened {
        let circumstances = if happened.by_system {
            Circumstances {
                actor: None,
                actor_name: "system".to_owned(),
                role: Role::System,
                on_behalf_of: None,
                ..by.clone()
            }
        } else {
            Circumstances {
                role: happened.role,
                ..by.clone()
            }
        };
        let content = serde_json::json!({
            "target": super::super::timeline::target_id(happened.target, proposal.id),
            "before": happened.from.as_str(),
            "after": happened.to.as_str(),
            "round": proposal.round,
            "version": proposal.version,
            "input": without_text(&happened.input),
        });
        let happening = Happening {
            name: happened.event.to_owned(),
            rule: Some(happened.rule),
            content,
        };
        head = events::append_after(tx, &stream, &head, &circumstances, happening)?;
    }
    Ok(head)
}
