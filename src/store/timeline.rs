//! The history of a case: the events of its stream.

use serde_json::{Value, json};

use super::Tx;
use super::events::{self, Event, Stream};
use crate::error::Result;
use crate::ids::{CommitteeId, ProposalId};
use crate::workflow::decide::Target;

/// The kind and identifier of what an event is about.
pub fn target_id(target: Target, proposal: ProposalId) -> Value {
    match target {
        Target::Proposal => json!({ "kind": "proposal", "id": proposal }),
        Target::Assignment(id) => json!({ "kind": "assignment", "id": id }),
        Target::Reply(id) => json!({ "kind": "reply", "id": id }),
    }
}

/// Events of a case after a position, oldest first.
pub fn list(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: ProposalId,
    after: i32,
    limit: usize,
) -> Result<Vec<Event>> {
    events::list(tx, &Stream::of(committee, "proposal", id), after, limit)
}

/// How many events a case has.
pub fn count(tx: &mut Tx<'_>, committee: CommitteeId, id: ProposalId) -> Result<i64> {
    let head = events::head(tx, &Stream::of(committee, "proposal", id))?;
    Ok(i64::from(head.seq))
}
