//! The versions of a proposal's text.

use diesel::prelude::*;

use super::Tx;
use super::run::Run;
use super::schema::{events, proposal_texts, users};
use super::sql_types::{At, Json};
use crate::error::Result;
use crate::ids::{CommitteeId, ProposalId, StreamId};

/// Most versions that are given at once; the newest.
pub const MOST: i64 = 100;

/// A version: number, text, name of the account that wrote it, moment.
pub type TextRow = (i32, Json, String, At);

/// Versions, newest first.
pub fn versions(tx: &mut Tx<'_>, committee: CommitteeId, id: ProposalId) -> Result<Vec<TextRow>> {
    Ok(proposal_texts::table
        .inner_join(
            users::table.on(users::committee_id
                .eq(proposal_texts::committee_id)
                .and(users::id.eq(proposal_texts::created_by))),
        )
        .filter(proposal_texts::committee_id.eq(committee))
        .filter(proposal_texts::proposal_id.eq(id))
        .order(proposal_texts::version.desc())
        .limit(MOST)
        .select((
            proposal_texts::version,
            proposal_texts::form,
            users::display_name,
            proposal_texts::created_at,
        ))
        .rows(tx.conn)?)
}

/// When the proposal was handed in, each time, oldest first.
pub fn submissions(tx: &mut Tx<'_>, committee: CommitteeId, id: ProposalId) -> Result<Vec<At>> {
    let stream: StreamId = id.cast();
    Ok(events::table
        .filter(events::committee_id.eq(committee))
        .filter(events::stream_id.eq(stream))
        .filter(events::name.eq_any(["proposal.submitted", "proposal.resubmitted"]))
        .order(events::seq)
        .select(events::at)
        .rows(tx.conn)?)
}
