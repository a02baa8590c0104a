//! Links between cases without merging.

use diesel::prelude::*;

use super::Tx;
use super::run::Run;
use super::schema::case_links;
use super::sql_types::At;
use crate::error::Result;
use crate::ids::{CommitteeId, ProposalId};
use crate::workflow::codes::LinkKind;

/// Most links of one direction that are given at once; the newest.
pub const MOST: i64 = 200;

/// A link: the other case, what it says, remarks, moment.
pub type LinkRow = (ProposalId, LinkKind, Option<String>, At);

/// Links that were made on this case, newest first.
pub fn made_on(tx: &mut Tx<'_>, committee: CommitteeId, id: ProposalId) -> Result<Vec<LinkRow>> {
    Ok(case_links::table
        .filter(case_links::committee_id.eq(committee))
        .filter(case_links::proposal_id.eq(id))
        .order((case_links::created_at.desc(), case_links::other_id))
        .limit(MOST)
        .select((
            case_links::other_id,
            case_links::kind,
            case_links::note,
            case_links::created_at,
        ))
        .rows(tx.conn)?)
}

/// Links that were made on other cases and name this one, newest first.
pub fn naming(tx: &mut Tx<'_>, committee: CommitteeId, id: ProposalId) -> Result<Vec<LinkRow>> {
    Ok(case_links::table
        .filter(case_links::committee_id.eq(committee))
        .filter(case_links::other_id.eq(id))
        .order((case_links::created_at.desc(), case_links::proposal_id))
        .limit(MOST)
        .select((
            case_links::proposal_id,
            case_links::kind,
            case_links::note,
            case_links::created_at,
        ))
        .rows(tx.conn)?)
}
