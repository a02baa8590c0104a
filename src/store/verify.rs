//! Checks the audit trail: every chain, link by link, and the ends that the cases remember.

use diesel::prelude::*;

use super::Tx;
use super::connection::MultiBackend;
use super::events::{Event, Head, Stream};
use super::schema::{events, proposals};
use crate::error::Result;
use crate::ids::{CommitteeId, ProposalId, StreamId};

/// Events read at a time.
const PAGE: i64 = 500;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Events read.
    pub events: usize,
    /// Chains read.
    pub streams: usize,
    /// The first broken link; `None` if every chain is whole.
    pub broken: Option<Broken>,
}

/// A link that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The tenant.
    pub committee: CommitteeId,
    /// Kind of the stream; empty where the stream has no event left.
    pub stream_kind: String,
    /// The stream.
    pub stream: StreamId,
    /// Position of the link.
    pub seq: i32,
    /// What is wrong.
    pub why: &'static str,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {} of {}, event {}: {}",
            self.stream_kind,
            self.stream.uuid().simple(),
            self.committee,
            self.seq,
            self.why
        )
    }
}

/// Where the walk over all chains is.
struct Walk {
    at: Option<(CommitteeId, StreamId)>,
    head: Head,
    report: Report,
}

/// Walks every chain of every committee in the order of their keys, a page at a time.
pub fn run(tx: &mut Tx<'_>) -> Result<Report> {
    let mut walk = Walk {
        at: None,
        head: Head::default(),
        report: Report::default(),
    };
    let mut after: Option<(CommitteeId, StreamId, i32)> = None;
    loop {
        let page = page(tx, after)?;
        for (committee, stream, event) in &page {
            after = Some((*committee, *stream, event.seq));
            if let Some(why) = walk.step(*committee, *stream, event) {
                walk.report.broken = Some(broken(*committee, *stream, event, why));
                return Ok(walk.report);
            }
        }
        if page.is_empty() {
            break;
        }
    }
    walk.report.broken = match wrong_end(tx)? {
        Some(broken) => Some(broken),
        None => without_case(tx)?,
    };
    Ok(walk.report)
}

impl Walk {
    /// The next event; says what is wrong with it, if anything is.
    fn step(
        &mut self,
        committee: CommitteeId,
        stream: StreamId,
        event: &Event,
    ) -> Option<&'static str> {
        self.report.events += 1;
        if self.at != Some((committee, stream)) {
            self.at = Some((committee, stream));
            self.head = Head::default();
            self.report.streams += 1;
        }
        if event.seq != self.head.seq + 1 {
            return Some("events before it are missing");
        }
        if event.prev_hash != self.head.hash {
            return Some("it does not follow from the event before");
        }
        // The kind is checked through the hash.
        let owner = Stream {
            committee,
            kind: "",
            id: stream,
        };
        if event.hash != event.expected_hash(&owner) {
            return Some("it was changed after it was written");
        }
        self.head = Head {
            seq: event.seq,
            hash: event.hash.clone(),
        };
        None
    }
}

/// A case remembers the end of its chain: a cut or replaced tail shows, and so does a case whose
/// whole chain is gone.
fn wrong_end(tx: &mut Tx<'_>) -> Result<Option<Broken>> {
    let remembered = diesel::dsl::exists(
        events::table
            .filter(events::committee_id.eq(proposals::committee_id))
            .filter(events::stream_id.eq(proposals::id))
            .filter(events::seq.eq(proposals::event_seq))
            .filter(events::hash.eq(proposals::event_hash)),
    );
    let later = diesel::dsl::exists(
        events::table
            .filter(events::committee_id.eq(proposals::committee_id))
            .filter(events::stream_id.eq(proposals::id))
            .filter(events::seq.gt(proposals::event_seq)),
    );
    let row: Option<(CommitteeId, ProposalId, i32)> = proposals::table
        .filter(diesel::dsl::not(remembered).or(later))
        .order((proposals::committee_id, proposals::id))
        .select((proposals::committee_id, proposals::id, proposals::event_seq))
        .first(tx.conn)
        .optional()?;
    Ok(row.map(|(committee, id, seq)| Broken {
        committee,
        stream_kind: "proposal".to_owned(),
        stream: id.cast(),
        seq,
        why: "the proposal remembers another end of its chain",
    }))
}

/// A chain whose case is gone.
fn without_case(tx: &mut Tx<'_>) -> Result<Option<Broken>> {
    let case = diesel::dsl::exists(
        proposals::table
            .filter(proposals::committee_id.eq(events::committee_id))
            .filter(proposals::id.eq(events::stream_id)),
    );
    let row: Option<(CommitteeId, StreamId)> = events::table
        .filter(events::stream_kind.eq("proposal"))
        .filter(events::seq.eq(1))
        .filter(diesel::dsl::not(case))
        .order((events::committee_id, events::stream_id))
        .select((events::committee_id, events::stream_id))
        .first(tx.conn)
        .optional()?;
    Ok(row.map(|(committee, stream)| Broken {
        committee,
        stream_kind: "proposal".to_owned(),
        stream,
        seq: 1,
        why: "its proposal is gone",
    }))
}

fn broken(committee: CommitteeId, stream: StreamId, event: &Event, why: &'static str) -> Broken {
    Broken {
        committee,
        stream_kind: event.stream_kind.clone(),
        stream,
        seq: event.seq,
        why,
    }
}

fn page(
    tx: &mut Tx<'_>,
    after: Option<(CommitteeId, StreamId, i32)>,
) -> Result<Vec<(CommitteeId, StreamId, Event)>> {
    let mut query = events::table.into_boxed();
    if let Some((committee, stream, seq)) = after {
        query = query.filter(
            events::committee_id
                .gt(committee)
                .or(events::committee_id.eq(committee).and(
                    events::stream_id
                        .gt(stream)
                        .or(events::stream_id.eq(stream).and(events::seq.gt(seq))),
                )),
        );
    }
    Ok(query
        .order((events::committee_id, events::stream_id, events::seq))
        .limit(PAGE)
        .select((
            events::committee_id,
            events::stream_id,
            <Event as Selectable<MultiBackend>>::construct_selection(),
        ))
        .load(tx.conn)?)
}
