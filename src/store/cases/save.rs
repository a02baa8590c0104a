//! Writing a decision: what differs between the case before and after, the records, the numbers,
//! the duties and the events.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

use super::{children, records};
use crate::error::Result;
use crate::ids::{CommitteeId, DutyId, ProposalId, UserId};
use crate::store::batch::Batch;
use crate::store::desk::NEVER;
use crate::store::events::{Circumstances, Event, Happening, Head, Stream};
use crate::store::outbox::Parcel;
use crate::store::schema::{duties, proposals};
use crate::store::sql_types::At;
use crate::store::timeline::target_id;
use crate::store::{Tx, numbers, outbox};
use crate::text::fold;
use crate::workflow::case::Case;
use crate::workflow::case::Proposal;
use crate::workflow::decide::{Decision, Number};
use crate::workflow::desk::{self, Duty};
use crate::workflow::profile::Profile;
use crate::workflow::role::Role;
use crate::workflow::told;

/// Who wrote it, for the records, and what waits to be written.
pub(super) struct Writer<'a> {
    pub committee: CommitteeId,
    pub proposal: ProposalId,
    pub user: UserId,
    pub by: &'a Circumstances,
    batch: Batch<'a>,
}

impl<'a> Writer<'a> {
    /// Writes something, on PostgreSQL together with what else waits.
    pub(super) fn put<S>(&mut self, tx: &mut Tx<'_>, statement: S) -> Result<()>
    where
        S: QueryFragment<Pg> + QueryFragment<Sqlite> + QueryId + 'a,
    {
        self.batch.put(tx, statement)
    }

    /// Sends what waits: before something that depends on it, or that changes the same rows.
    pub(super) fn send(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        self.batch.send(tx)
    }
}

/// Writes a new case.
pub fn create(
    tx: &mut Tx<'_>,
    decision: &mut Decision,
    profile: &Profile,
    by: &Circumstances,
) -> Result<()> {
    write(tx, None, &Head::default(), decision, profile, by)
}

/// Writes what a decision changed; the case must be locked. Numbers are filled in. With the case
/// before goes the profile under which it was last written to.
pub fn save(
    tx: &mut Tx<'_>,
    before: (&Case, &Profile),
    head: &Head,
    decision: &mut Decision,
    profile: &Profile,
    by: &Circumstances,
) -> Result<()> {
    write(tx, Some(before), head, decision, profile, by)
}

fn write(
    tx: &mut Tx<'_>,
    before: Option<(&Case, &Profile)>,
    head: &Head,
    decision: &mut Decision,
    profile: &Profile,
    by: &Circumstances,
) -> Result<()> {
    allot_numbers(tx, decision)?;
    let after = &decision.case;
    let stream = Stream::of(after.proposal.committee, "proposal", after.proposal.id);
    let (happened, head) = chain(&stream, head, decision, by);
    let old = before
        .map(|(case, profile)| desk::duties(case, profile))
        .unwrap_or_default();
    let new = desk::duties(after, profile);
    let mut writer = Writer {
        committee: after.proposal.committee,
        proposal: after.proposal.id,
        user: by.actor.unwrap_or(after.proposal.created_by),
        by,
        batch: Batch::default(),
    };
    let before = before.map(|(case, _)| case);
    // What belongs to a case refers to it.
    if before.is_none() {
        insert_proposal(tx, after, &head, &mut writer)?;
    }
    children::write(tx, before, after, &mut writer)?;
    for record in &decision.records {
        records::write(tx, record, after, &mut writer)?;
    }
    write_duties(tx, &old, &new, &mut writer)?;
    tell(tx, &stream, happened, decision, profile, &mut writer)?;
    if let Some(before) = before {
        update_proposal(tx, before, after, &head, &mut writer)?;
    }
    writer.send(tx)
}

fn allot_numbers(tx: &mut Tx<'_>, decision: &mut Decision) -> Result<()> {
    let committee = decision.case.proposal.committee;
    let session = decision.case.session.id;
    for number in &decision.numbers {
        match number {
            Number::Serial => {
                let next = numbers::allot(tx, committee, &numbers::serial_series(session))?;
                decision.case.proposal.serial_no = Some(next);
            }
            Number::Case => {
                let series = decision.case.proposal.case_series;
                let series = numbers::case_series(session, series);
                let next = numbers::allot(tx, committee, &series)?;
                decision.case.proposal.case_no = Some(next);
            }
            Number::Document(id) => {
                let reply = decision
                    .case
                    .replies
                    .iter_mut()
                    .find(|reply| reply.id == *id);
                let Some(reply) = reply else { continue };
                if let Some(document) = &mut reply.document {
                    let series =
                        numbers::document_series(reply.unit, document.year, &document.prefix);
                    document.number = Some(numbers::allot(tx, committee, &series)?);
                }
            }
        }
    }
    Ok(())
}

fn insert_proposal<'a>(
    tx: &mut Tx<'_>,
    case: &'a Case,
    head: &Head,
    writer: &mut Writer<'a>,
) -> Result<()> {
    let (proposal, session) = (&case.proposal, &case.session);
    let statement = diesel::insert_into(proposals::table).values((
        (
            proposals::committee_id.eq(proposal.committee),
            proposals::id.eq(proposal.id),
            proposals::term_id.eq(session.term),
            proposals::session_id.eq(session.id),
            proposals::kind.eq(proposal.kind),
            proposals::status.eq(proposal.status),
            proposals::version.eq(proposal.version),
            proposals::round.eq(proposal.round),
            proposals::serial_no.eq(proposal.serial_no),
            proposals::case_no.eq(proposal.case_no),
            proposals::case_series.eq(proposal.case_series),
            proposals::session_mark.eq(proposal.session_mark),
        ),
        (
            proposals::title.eq(&proposal.form.title),
            proposals::title_folded.eq(fold(&proposal.form.title)),
            proposals::subject_class.eq(proposal.subject_class),
            proposals::assigning_line.eq(proposal.assigning_line),
            proposals::handling_kind.eq(proposal.handling_kind),
            proposals::secrecy.eq(proposal.secrecy),
            proposals::urgency.eq(proposal.urgency),
            proposals::text_version.eq(proposal.text_version),
            proposals::submitted_version.eq(proposal.submitted_version),
            proposals::submission_no.eq(proposal.submission_no),
        ),
        (
            proposals::profile_version.eq(proposal.profile_version),
            proposals::organisation_id.eq(proposal.organisation),
            proposals::created_by.eq(proposal.created_by),
            proposals::filed_at.eq(proposal.filed_at.map(At)),
            proposals::status_since.eq(At(proposal.status_since)),
            proposals::created_at.eq(At(writer.by.at)),
            proposals::updated_at.eq(At(proposal.updated_at)),
            proposals::event_seq.eq(head.seq),
            proposals::event_hash.eq(head.hash.clone()),
        ),
    ));
    writer.put(tx, statement)
}

/// Columns of indexes are named only where they changed: SQLite writes the entries of all that are
/// named anew.
fn update_proposal<'a>(
    tx: &mut Tx<'_>,
    before: &Case,
    case: &'a Case,
    head: &Head,
    writer: &mut Writer<'a>,
) -> Result<()> {
    let proposal = &case.proposal;
    let differs = |same: fn(&Proposal, &Proposal) -> bool| !same(&before.proposal, proposal);
    let status = differs(|old, new| old.status == new.status);
    let class = differs(|old, new| old.subject_class == new.subject_class);
    let numbers = differs(|old, new| {
        (old.serial_no, old.case_no, old.case_series)
            == (new.serial_no, new.case_no, new.case_series)
    });
    let statement = diesel::update(proposals::table.find((proposal.committee, proposal.id))).set((
        (
            proposals::kind.eq(proposal.kind),
            status.then(|| proposals::status.eq(proposal.status)),
            proposals::version.eq(proposal.version),
            proposals::round.eq(proposal.round),
            numbers.then(|| proposals::serial_no.eq(proposal.serial_no)),
            numbers.then(|| proposals::case_no.eq(proposal.case_no)),
            numbers.then(|| proposals::case_series.eq(proposal.case_series)),
            proposals::session_mark.eq(proposal.session_mark),
            proposals::title.eq(&proposal.form.title),
            proposals::title_folded.eq(fold(&proposal.form.title)),
            class.then(|| proposals::subject_class.eq(proposal.subject_class)),
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
            proposals::event_hash.eq(head.hash.clone()),
        ),
    ));
    writer.put(tx, statement)
}

fn write_duties<'a>(
    tx: &mut Tx<'_>,
    old: &'a [Duty],
    new: &'a [Duty],
    writer: &mut Writer<'a>,
) -> Result<()> {
    for duty in old.iter().filter(|duty| !new.contains(duty)) {
        let statement = diesel::delete(duties::table)
            .filter(duties::committee_id.eq(writer.committee))
            .filter(duties::proposal_id.eq(writer.proposal))
            .filter(duties::audience.eq(duty.audience.as_str()))
            .filter(duties::action.eq(duty.task))
            .filter(duties::subject_id.eq(duty.subject));
        writer.put(tx, statement)?;
    }
    for duty in new.iter().filter(|duty| !old.contains(duty)) {
        let statement = diesel::insert_into(duties::table).values((
            duties::committee_id.eq(writer.committee),
            duties::id.eq(DutyId::new(writer.by.at)),
            duties::proposal_id.eq(writer.proposal),
            duties::audience.eq(duty.audience.as_str()),
            duties::action.eq(duty.task),
            duties::subject_kind.eq(duty.subject_kind),
            duties::subject_id.eq(duty.subject),
            duties::due_at.eq(At(duty.due_at.unwrap_or(NEVER))),
            duties::created_at.eq(At(writer.by.at)),
        ));
        writer.put(tx, statement)?;
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
            form.insert("text_hash".to_owned(), crate::digest::hex(&parts).into());
        }
    }
    input
}

/// The events of a decision, each with the hash of the one before it, and where the chain ends then.
fn chain(
    stream: &Stream,
    head: &Head,
    decision: &Decision,
    by: &Circumstances,
) -> (Vec<Event>, Head) {
    let proposal = &decision.case.proposal;
    let mut head = head.clone();
    let mut events = Vec::new();
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
            "target": target_id(happened.target, proposal.id),
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
        let event = head.next(stream, &circumstances, happening);
        head = event.head();
        events.push(event);
    }
    (events, head)
}

/// Appends the events, and puts them where those are found who are told of them.
fn tell(
    tx: &mut Tx<'_>,
    stream: &Stream,
    events: Vec<Event>,
    decision: &Decision,
    profile: &Profile,
    writer: &mut Writer<'_>,
) -> Result<()> {
    let Some(first) = events.first().map(|event| event.seq) else {
        return Ok(());
    };
    for event in events {
        writer.put(tx, event.insertion(stream))?;
    }
    let told = decision
        .happened
        .iter()
        .map(|happened| told::told(happened, &decision.case, profile))
        .collect();
    let parcel = Parcel::of(stream, first, told);
    outbox::put(
        tx,
        &mut writer.batch,
        stream.committee,
        &parcel,
        At(writer.by.at),
    )
}
