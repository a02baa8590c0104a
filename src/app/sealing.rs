//! Sealing the audit trail: now and then the ends of all chains of a committee that grew are put
//! under one signed seal, which covers the seal before.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::auth::seal::{Seal, SealedEnd, root_with};
use crate::error::Result;
use crate::ids::{CommitteeId, EventId, StreamId};
use crate::store::seals::{self, Candidate};
use crate::store::{Db, verify};

/// Events read at a time.
const PAGE: i64 = 1000;
/// New events under one seal, about; what is beyond comes under the next one.
const MOST: i64 = 50_000;

/// What an attempt to seal came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The new seal; `None` where nothing was new.
    pub seal: Option<Seal>,
    /// There is more to seal already.
    pub more: bool,
}

/// The chains that grew.
#[derive(Debug, Default)]
struct Grown {
    ends: BTreeMap<StreamId, SealedEnd>,
    /// Events since the last seal.
    events: i64,
    until: Option<EventId>,
    more: bool,
}

impl Grown {
    fn add(&mut self, rows: Vec<Candidate>, sealed: &BTreeMap<StreamId, i32>) {
        for row in rows {
            self.until = self.until.max(Some(row.id));
            let known = self.ends.get(&row.stream).map(|end| end.seq);
            let known = known.or_else(|| sealed.get(&row.stream).copied());
            let new = row.seq - known.unwrap_or(0);
            if new > 0 {
                self.events += i64::from(new);
                let end = SealedEnd {
                    stream: row.stream,
                    seq: row.seq,
                    hash: row.hash,
                };
                self.ends.insert(row.stream, end);
            }
        }
    }
}

/// Seals what is new in a committee. The work grows with what is new, not with what there is.
pub async fn seal(db: &Db, committee: CommitteeId, now: Timestamp) -> Result<Sealed> {
    let last = db
        .read("audit.seal.last", move |tx| seals::last(tx, committee))
        .await?;
    let grown = gather(db, committee, last.as_ref()).await?;
    let more = grown.more;
    let Some(until) = grown.until.filter(|_| !grown.ends.is_empty()) else {
        return Ok(Sealed { seal: None, more });
    };
    // A clock that runs ahead somewhere must not make the next seal pass over anything.
    let until = until.min(EventId::first_at(now));
    let ends: Vec<_> = grown.ends.into_values().collect();
    let root = ends
        .iter()
        .fold(String::new(), |root, end| root_with(&root, end));
    let streams = i64::try_from(ends.len()).unwrap_or(i64::MAX);
    let seal = db
        .write("audit.seal", move |tx| {
            // Somebody else may have sealed meanwhile: then this work is void.
            if seals::last(tx, committee)? != last {
                return Ok(None);
            }
            let key = seals::signing_key(tx, now)?;
            let mut seal = Seal {
                committee_id: committee,
                number: last.as_ref().map_or(0, |last| last.number) + 1,
                sealed_at: now,
                until_id: last.as_ref().map_or(until, |last| last.until_id.max(until)),
                events: grown.events,
                streams,
                root: root.clone(),
                prev_hash: last
                    .as_ref()
                    .map(|last| last.hash.clone())
                    .unwrap_or_default(),
                hash: String::new(),
                kid: key.kid.clone(),
                signature: String::new(),
            };
            seal.hash = seal.expected_hash();
            seal.signature = key.sign(&seal.hash)?;
            seals::insert(tx, &seal, &ends)?;
            Ok(Some(seal))
        })
        .await?;
    Ok(Sealed {
        more: more || seal.is_none(),
        seal,
    })
}

/// Seals until nothing is new; gives the last seal that was made.
pub async fn seal_all(db: &Db, committee: CommitteeId, now: Timestamp) -> Result<Option<Seal>> {
    let mut made = None;
    loop {
        let Sealed { seal, more } = seal(db, committee, now).await?;
        made = seal.or(made);
        if !more {
            return Ok(made);
        }
    }
}

async fn gather(db: &Db, committee: CommitteeId, last: Option<&Seal>) -> Result<Grown> {
    let start = last.map_or(Timestamp::UNIX_EPOCH, verify::horizon);
    let mut after = EventId::first_at(start);
    let mut grown = Grown::default();
    loop {
        let (rows, sealed) = db
            .read("audit.seal.gather", move |tx| {
                let rows = seals::candidates(tx, committee, after, PAGE)?;
                let mut streams: Vec<_> = rows.iter().map(|row| row.stream).collect();
                streams.sort_unstable();
                streams.dedup();
                let sealed = seals::sealed(tx, committee, &streams)?;
                tx.forget_pages()?;
                Ok((rows, sealed))
            })
            .await?;
        let full = i64::try_from(rows.len()).is_ok_and(|count| count == PAGE);
        after = rows.last().map_or(after, |row| row.id);
        grown.add(rows, &sealed);
        if !full || grown.events >= MOST {
            grown.more = full;
            return Ok(grown);
        }
    }
}
