//! The records of a case that no decision needs: what was written with each step.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::Tx;
use super::run::Run;
use super::schema::{
    co_opinions, consultations, contacts, decisions, deliveries, feedback_forms, opinions, replies,
    users,
};
use super::sql_types::{At, Json};
use crate::error::Result;
use crate::ids::{
    AssignmentId, CommitteeId, ConsultationId, ContactId, DecisionId, OpinionId, ProposalId,
    ProposerId, ReplyId, UserId,
};
use crate::workflow::codes::Stage;

/// Most records of one kind that are given at once; the newest.
pub const MOST: i64 = 200;

/// Decision: identifier, kind, round, content, moment.
pub type DecisionRow = (DecisionId, String, i32, Json, At);
/// Examination opinion: identifier, submission, stage, content, moment.
pub type OpinionRow = (OpinionId, i32, Stage, Json, At);
/// Contact: identifier, row, content, moment.
pub type ContactRow = (ContactId, AssignmentId, Json, At);
/// Co-handler's opinion: row, version, content, moment.
pub type CoOpinionRow = (AssignmentId, i32, Json, At);
/// Opinion form: reply, rater, round, version, late, content, moment, and who of the staff entered
/// it from paper.
pub type FormRow = (
    (ReplyId, ProposerId, i32, i32),
    bool,
    Json,
    At,
    Option<String>,
);

/// Consultation: identifier, round, content, moment.
pub type ConsultationRow = (ConsultationId, i32, Json, At);

/// Delivery: reply, proposal that it reached, moment.
pub type DeliveryRow = (ReplyId, ProposalId, At);

/// Where the replies of a case went, and what reached it as an absorbed one; newest first.
pub fn deliveries(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
) -> Result<Vec<DeliveryRow>> {
    Ok(deliveries::table
        .inner_join(
            replies::table.on(replies::committee_id
                .eq(deliveries::committee_id)
                .and(replies::id.eq(deliveries::reply_id))),
        )
        .filter(deliveries::committee_id.eq(committee))
        .filter(
            replies::proposal_id
                .eq(id)
                .or(deliveries::proposal_id.eq(id)),
        )
        .order((
            deliveries::delivered_at.desc(),
            deliveries::reply_id,
            deliveries::proposal_id,
        ))
        .limit(MOST)
        .select((
            deliveries::reply_id,
            deliveries::proposal_id,
            deliveries::delivered_at,
        ))
        .rows(tx.conn)?)
}

/// Decisions on a case, newest first.
pub fn decisions(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
) -> Result<Vec<DecisionRow>> {
    Ok(decisions::table
        .filter(decisions::committee_id.eq(committee))
        .filter(decisions::proposal_id.eq(id))
        .order((decisions::created_at.desc(), decisions::id.desc()))
        .limit(MOST)
        .select((
            decisions::id,
            decisions::kind,
            decisions::round,
            decisions::content,
            decisions::created_at,
        ))
        .rows(tx.conn)?)
}

/// Examination opinions, newest first.
pub fn opinions(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
) -> Result<Vec<OpinionRow>> {
    Ok(opinions::table
        .filter(opinions::committee_id.eq(committee))
        .filter(opinions::proposal_id.eq(id))
        .order((opinions::created_at.desc(), opinions::id.desc()))
        .limit(MOST)
        .select((
            opinions::id,
            opinions::submission_no,
            opinions::stage,
            opinions::content,
            opinions::created_at,
        ))
        .rows(tx.conn)?)
}

/// Contacts with the proposer, newest first.
pub fn contacts(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
) -> Result<Vec<ContactRow>> {
    Ok(contacts::table
        .filter(contacts::committee_id.eq(committee))
        .filter(contacts::proposal_id.eq(id))
        .order((contacts::created_at.desc(), contacts::id.desc()))
        .limit(MOST)
        .select((
            contacts::id,
            contacts::assignment_id,
            contacts::content,
            contacts::created_at,
        ))
        .rows(tx.conn)?)
}

/// Opinions of co-handlers, every version, newest first.
pub fn co_opinions(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
) -> Result<Vec<CoOpinionRow>> {
    Ok(co_opinions::table
        .filter(co_opinions::committee_id.eq(committee))
        .filter(co_opinions::proposal_id.eq(id))
        .order((
            co_opinions::created_at.desc(),
            co_opinions::assignment_id,
            co_opinions::version,
        ))
        .limit(MOST)
        .select((
            co_opinions::assignment_id,
            co_opinions::version,
            co_opinions::content,
            co_opinions::created_at,
        ))
        .rows(tx.conn)?)
}

/// Opinion forms of the raters, every version, newest first.
pub fn forms(tx: &mut Tx<'_>, committee: CommitteeId, id: ProposalId) -> Result<Vec<FormRow>> {
    let rows: Vec<(_, bool, Json, At, bool, UserId)> = feedback_forms::table
        .filter(feedback_forms::committee_id.eq(committee))
        .filter(feedback_forms::proposal_id.eq(id))
        .order((
            feedback_forms::created_at.desc(),
            feedback_forms::reply_id,
            feedback_forms::rater_id,
            feedback_forms::version.desc(),
        ))
        .limit(MOST)
        .select((
            (
                feedback_forms::reply_id,
                feedback_forms::rater_id,
                feedback_forms::round,
                feedback_forms::version,
            ),
            feedback_forms::late,
            feedback_forms::content,
            feedback_forms::created_at,
            feedback_forms::by_staff,
            feedback_forms::entered_by,
        ))
        .rows(tx.conn)?;
    let staff: Vec<_> = rows.iter().filter(|row| row.4).map(|row| row.5).collect();
    let names: BTreeMap<UserId, String> = users::table
        .filter(users::committee_id.eq(committee))
        .filter(users::id.eq_any(staff))
        .select((users::id, users::display_name))
        .rows::<(UserId, String)>(tx.conn)?
        .into_iter()
        .collect();
    Ok(rows
        .into_iter()
        .map(|(key, late, content, at, by_staff, user)| {
            let name = names.get(&user).filter(|_| by_staff);
            (key, late, content, at, name.cloned())
        })
        .collect())
}

/// Consultations, newest first.
pub fn consultations(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
) -> Result<Vec<ConsultationRow>> {
    Ok(consultations::table
        .filter(consultations::committee_id.eq(committee))
        .filter(consultations::proposal_id.eq(id))
        .order((consultations::held_on.desc(), consultations::id.desc()))
        .limit(MOST)
        .select((
            consultations::id,
            consultations::round,
            consultations::content,
            consultations::created_at,
        ))
        .rows(tx.conn)?)
}

/// Orders of further rounds: decisions of that kind, newest first.
pub fn rehandlings(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
) -> Result<Vec<DecisionRow>> {
    Ok(decisions::table
        .filter(decisions::committee_id.eq(committee))
        .filter(decisions::proposal_id.eq(id))
        .filter(decisions::kind.eq("rehandle"))
        .order((decisions::created_at.desc(), decisions::id.desc()))
        .limit(MOST)
        .select((
            decisions::id,
            decisions::kind,
            decisions::round,
            decisions::content,
            decisions::created_at,
        ))
        .rows(tx.conn)?)
}
