//! The records that a decision adds: texts in every version, opinions, decisions, forms.

use diesel::prelude::*;

use super::save::Writer;
use super::side_roads;
use crate::digest;
use crate::error::{Error, Result};
use crate::store::prepared::Prepare;
use crate::store::run::Run;
use crate::store::schema::{
    co_opinions, contacts, decisions, feedback_forms, opinions, proposal_texts, reply_texts,
};
use crate::store::sql_types::{At, Json};
use crate::store::{Tx, attachments, idempotency, referrals, refusal_uses};
use crate::workflow::case::Case;
use crate::workflow::decide::Record;

/// Writes one record.
pub(super) fn write<'a>(
    tx: &mut Tx<'_>,
    record: &'a Record,
    case: &'a Case,
    writer: &mut Writer<'a>,
) -> Result<()> {
    let at = At(writer.by.at);
    match record {
        Record::ProposalText { version, form } => {
            let form = Json::of(form)?;
            let statement = diesel::insert_into(proposal_texts::table).values((
                proposal_texts::committee_id.eq(writer.committee),
                proposal_texts::proposal_id.eq(writer.proposal),
                proposal_texts::version.eq(*version),
                proposal_texts::content_hash.eq(digest::hex(&[form.0.to_string().as_bytes()])),
                proposal_texts::form.eq(form),
                proposal_texts::created_by.eq(writer.user),
                proposal_texts::created_at.eq(at),
            ));
            writer.put(tx, statement)?;
        }
        Record::HideText => {
            writer.send(tx)?;
            diesel::update(proposal_texts::table)
                .filter(proposal_texts::committee_id.eq(writer.committee))
                .filter(proposal_texts::proposal_id.eq(writer.proposal))
                .set(proposal_texts::form.eq(Json::of(&case.proposal.form)?))
                .prepared()
                .run(tx.conn)?;
            attachments::hide(tx, writer.committee, writer.proposal, writer.by)?;
            referrals::hide(tx, case)?;
            idempotency::forget_proposals(tx, writer.committee)?;
        }
        Record::Referred { id, sent } => {
            writer.send(tx)?;
            referrals::send(tx, case, *id, sent, writer.by)?;
        }
        Record::ReferralRecalled { id, reason } => {
            writer.send(tx)?;
            referrals::recall(tx, case, *id, reason, writer.by)?;
        }
        Record::Attachment { id, to } => {
            writer.send(tx)?;
            attachments::bind(tx, writer.committee, *id, *to, writer.by.at)?;
        }
        Record::ReasonsUsed { act, codes } => {
            writer.send(tx)?;
            refusal_uses::note(tx, writer.committee, writer.proposal, act, codes)?;
        }
        Record::OpinionText { id, content } => {
            let opinion = case
                .opinions
                .iter()
                .find(|opinion| opinion.id == *id)
                .ok_or_else(|| Error::internal("an opinion text without its opinion"))?;
            let statement = diesel::insert_into(opinions::table).values((
                opinions::committee_id.eq(writer.committee),
                opinions::id.eq(*id),
                opinions::proposal_id.eq(writer.proposal),
                opinions::submission_no.eq(opinion.submission_no),
                opinions::stage.eq(opinion.stage),
                opinions::examiner_id.eq(opinion.examiner),
                opinions::recommendation.eq(opinion.recommendation),
                opinions::content.eq(Json(content.clone())),
                opinions::created_at.eq(at),
            ));
            writer.put(tx, statement)?;
        }
        Record::Decision { id, kind, content } => {
            let statement = diesel::insert_into(decisions::table).values((
                decisions::committee_id.eq(writer.committee),
                decisions::id.eq(*id),
                decisions::proposal_id.eq(writer.proposal),
                decisions::kind.eq(*kind),
                decisions::round.eq(case.proposal.round),
                decisions::content.eq(Json(content.clone())),
                decisions::decided_by.eq(writer.user),
                decisions::created_at.eq(at),
            ));
            writer.put(tx, statement)?;
        }
        Record::Contact { .. } | Record::CoOpinion { .. } => {
            write_unit_record(tx, record, case, writer)?;
        }
        Record::Consultation { .. }
        | Record::FollowUp { .. }
        | Record::FollowUpAnswer { .. }
        | Record::Delivery { .. }
        | Record::Merge { .. }
        | Record::Unmerge
        | Record::Link { .. } => side_roads::record(tx, record, case, writer)?,
        Record::ReplyText { .. } | Record::FormContent { .. } => {
            write_reply_record(tx, record, case, writer)?;
        }
    }
    Ok(())
}

fn write_unit_record<'a>(
    tx: &mut Tx<'_>,
    record: &'a Record,
    case: &'a Case,
    writer: &mut Writer<'a>,
) -> Result<()> {
    let at = At(writer.by.at);
    match record {
        Record::Contact { id, content } => {
            let contact = case
                .contacts
                .iter()
                .find(|contact| contact.id == *id)
                .ok_or_else(|| Error::internal("the words of a contact without the contact"))?;
            let statement = diesel::insert_into(contacts::table).values((
                contacts::committee_id.eq(writer.committee),
                contacts::id.eq(*id),
                contacts::proposal_id.eq(writer.proposal),
                contacts::assignment_id.eq(contact.assignment),
                contacts::way.eq(contact.way),
                contacts::content.eq(Json(content.clone())),
                contacts::recorded_by.eq(writer.user),
                contacts::created_at.eq(at),
            ));
            writer.put(tx, statement)?;
        }
        Record::CoOpinion {
            assignment,
            version,
            content,
        } => {
            let statement = diesel::insert_into(co_opinions::table).values((
                co_opinions::committee_id.eq(writer.committee),
                co_opinions::proposal_id.eq(writer.proposal),
                co_opinions::assignment_id.eq(*assignment),
                co_opinions::version.eq(*version),
                co_opinions::content.eq(Json(content.clone())),
                co_opinions::submitted_by.eq(writer.user),
                co_opinions::created_at.eq(at),
            ));
            writer.put(tx, statement)?;
        }
        _ => {}
    }
    Ok(())
}

fn write_reply_record<'a>(
    tx: &mut Tx<'_>,
    record: &'a Record,
    case: &'a Case,
    writer: &mut Writer<'a>,
) -> Result<()> {
    let at = At(writer.by.at);
    match record {
        Record::ReplyText {
            reply,
            version,
            form,
            hash,
        } => {
            let statement = diesel::insert_into(reply_texts::table).values((
                reply_texts::committee_id.eq(writer.committee),
                reply_texts::reply_id.eq(*reply),
                reply_texts::version.eq(*version),
                reply_texts::form.eq(Json::of(form)?),
                reply_texts::content_hash.eq(hash),
                reply_texts::created_by.eq(writer.user),
                reply_texts::created_at.eq(at),
            ));
            writer.put(tx, statement)?;
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
            let statement = diesel::insert_into(feedback_forms::table).values((
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
            ));
            writer.put(tx, statement)?;
        }
        _ => {}
    }
    Ok(())
}
