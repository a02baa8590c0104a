//! Seals over the ends of chains, and the keys that sign them.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::dsl::max;
use diesel::prelude::*;
use jiff::Timestamp;

use super::Tx;
use super::connection::{AnyConnection, MultiBackend, per_backend};
use super::prepared::Prepare;
use super::run::Run;
use super::schema::{audit_seal_heads, audit_seals, events, seal_keys};
use super::sql_types::At;
use crate::auth::seal::{Seal, SealKey, SealedEnd};
use crate::error::Result;
use crate::ids::{CommitteeId, EventId, StreamId};

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_seals)]
struct Row {
    committee_id: CommitteeId,
    number: i32,
    sealed_at: At,
    until_id: EventId,
    events: i64,
    streams: i64,
    root: String,
    prev_hash: String,
    hash: String,
    kid: String,
    signature: String,
}

impl From<Row> for Seal {
    fn from(row: Row) -> Self {
        Self {
            committee_id: row.committee_id,
            number: row.number,
            sealed_at: row.sealed_at.0,
            until_id: row.until_id,
            events: row.events,
            streams: row.streams,
            root: row.root,
            prev_hash: row.prev_hash,
            hash: row.hash,
            kid: row.kid,
            signature: row.signature,
        }
    }
}

/// The last seal of a committee.
pub fn last(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<Option<Seal>> {
    Ok(list(tx, committee, None, 1)?.pop())
}

/// A seal.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, number: i32) -> Result<Option<Seal>> {
    let row: Option<Row> = audit_seals::table
        .find((committee, number))
        .select(<Row as Selectable<MultiBackend>>::construct_selection())
        .first_row(tx.conn)
        .optional()?;
    Ok(row.map(Seal::from))
}

/// Seals of a committee, newest first, before a number.
pub fn list(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<Seal>> {
    let rows: Vec<Row> = audit_seals::table
        .filter(audit_seals::committee_id.eq(committee))
        .filter(audit_seals::number.lt(before.unwrap_or(i32::MAX)))
        .order(audit_seals::number.desc())
        .limit(limit)
        .select(<Row as Selectable<MultiBackend>>::construct_selection())
        .rows(tx.conn)?;
    Ok(rows.into_iter().map(Seal::from).collect())
}

/// The first seal after a place, over all committees or in one, in the order of their keys.
pub fn next(
    tx: &mut Tx<'_>,
    committee: Option<CommitteeId>,
    after: Option<(CommitteeId, i32)>,
) -> Result<Option<Seal>> {
    let mut query = audit_seals::table.into_boxed::<MultiBackend>();
    if let Some(committee) = committee {
        query = query.filter(audit_seals::committee_id.eq(committee));
    }
    if let Some((committee, number)) = after {
        let here = audit_seals::committee_id
            .eq(committee)
            .and(audit_seals::number.gt(number));
        query = query.filter(audit_seals::committee_id.gt(committee).or(here));
    }
    let row: Option<Row> = query
        .order((audit_seals::committee_id, audit_seals::number))
        .select(<Row as Selectable<MultiBackend>>::construct_selection())
        .first(tx.conn)
        .optional()?;
    Ok(row.map(Seal::from))
}

/// An event that may have to be sealed.
#[derive(Debug, Clone, Queryable)]
pub struct Candidate {
    /// Identifier.
    pub id: EventId,
    /// Its chain.
    pub stream: StreamId,
    /// Its place there.
    pub seq: i32,
    /// Its hash.
    pub hash: String,
}

/// Events of a committee after an identifier, in the order of their moments.
pub fn candidates(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    after: EventId,
    limit: i64,
) -> Result<Vec<Candidate>> {
    Ok(events::table
        .filter(events::committee_id.eq(committee))
        .filter(events::id.gt(after))
        .order(events::id.asc())
        .limit(limit)
        .select((events::id, events::stream_id, events::seq, events::hash))
        .rows(tx.conn)?)
}

/// Up to where these chains are sealed; those that are not sealed at all are left out.
pub fn sealed(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    streams: &[StreamId],
) -> Result<BTreeMap<StreamId, i32>> {
    let rows: Vec<(StreamId, Option<i32>)> = audit_seal_heads::table
        .filter(audit_seal_heads::committee_id.eq(committee))
        .filter(audit_seal_heads::stream_id.eq_any(streams))
        .group_by(audit_seal_heads::stream_id)
        .select((audit_seal_heads::stream_id, max(audit_seal_heads::seq)))
        .rows(tx.conn)?;
    Ok(rows
        .into_iter()
        .map(|(stream, seq)| (stream, seq.unwrap_or(0)))
        .collect())
}

/// Stores a seal with the ends that it covers.
pub fn insert(tx: &mut Tx<'_>, seal: &Seal, ends: &[SealedEnd]) -> Result<()> {
    diesel::insert_into(audit_seals::table)
        .values((
            audit_seals::committee_id.eq(seal.committee_id),
            audit_seals::number.eq(seal.number),
            audit_seals::sealed_at.eq(At(seal.sealed_at)),
            audit_seals::until_id.eq(seal.until_id),
            audit_seals::events.eq(seal.events),
            audit_seals::streams.eq(seal.streams),
            audit_seals::root.eq(&seal.root),
            audit_seals::prev_hash.eq(&seal.prev_hash),
            audit_seals::hash.eq(&seal.hash),
            audit_seals::kid.eq(&seal.kid),
            audit_seals::signature.eq(&seal.signature),
        ))
        .prepared()
        .run(tx.conn)?;
    for chunk in ends.chunks(1000) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|end| {
                (
                    audit_seal_heads::committee_id.eq(seal.committee_id),
                    audit_seal_heads::stream_id.eq(end.stream),
                    audit_seal_heads::seq.eq(end.seq),
                    audit_seal_heads::hash.eq(&end.hash),
                    audit_seal_heads::seal_number.eq(seal.number),
                )
            })
            .collect();
        per_backend!(&mut *tx.conn, c => diesel::insert_into(audit_seal_heads::table)
            .values(&rows)
            .execute(c))?;
    }
    Ok(())
}

/// Ends under a seal after a chain, in the order of their chains.
pub fn ends(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    number: i32,
    after: Option<StreamId>,
    limit: i64,
) -> Result<Vec<SealedEnd>> {
    let mut query = audit_seal_heads::table
        .filter(audit_seal_heads::committee_id.eq(committee))
        .filter(audit_seal_heads::seal_number.eq(number))
        .into_boxed::<MultiBackend>();
    if let Some(after) = after {
        query = query.filter(audit_seal_heads::stream_id.gt(after));
    }
    let rows: Vec<(StreamId, i32, String)> = query
        .order((audit_seal_heads::stream_id, audit_seal_heads::seq))
        .limit(limit)
        .select((
            audit_seal_heads::stream_id,
            audit_seal_heads::seq,
            audit_seal_heads::hash,
        ))
        .load(tx.conn)?;
    Ok(rows
        .into_iter()
        .map(|(stream, seq, hash)| SealedEnd { stream, seq, hash })
        .collect())
}

type KeyRow = (String, Option<Vec<u8>>, Vec<u8>, At, Option<At>);

/// Every key that ever signed a seal.
pub fn keys(tx: &mut Tx<'_>) -> Result<Vec<SealKey>> {
    let rows: Vec<KeyRow> = seal_keys::table
        .order((seal_keys::created_at, seal_keys::kid))
        .select((
            seal_keys::kid,
            seal_keys::private_key,
            seal_keys::public_key,
            seal_keys::created_at,
            seal_keys::retired_at,
        ))
        .rows(tx.conn)?;
    Ok(rows
        .into_iter()
        .map(
            |(kid, private_key, public_key, created_at, retired_at)| SealKey {
                kid,
                private_key,
                public_key,
                created_at: created_at.0,
                retired_at: retired_at.map(|at| at.0),
            },
        )
        .collect())
}

/// The key that signs now; the first seal makes one.
pub fn signing_key(tx: &mut Tx<'_>, now: Timestamp) -> Result<SealKey> {
    let present = |keys: Vec<SealKey>| keys.into_iter().find(|key| key.retired_at.is_none());
    if let Some(key) = present(keys(tx)?) {
        return Ok(key);
    }
    lock(tx)?;
    match present(keys(tx)?) {
        Some(key) => Ok(key),
        None => make_key(tx, now),
    }
}

/// Makes a new key that signs from now on; the private half of the old one is forgotten.
pub fn rotate_key(tx: &mut Tx<'_>, now: Timestamp) -> Result<SealKey> {
    lock(tx)?;
    diesel::update(seal_keys::table.filter(seal_keys::retired_at.is_null()))
        .set((
            seal_keys::retired_at.eq(Some(At(now))),
            seal_keys::private_key.eq(None::<Vec<u8>>),
        ))
        .prepared()
        .run(tx.conn)?;
    make_key(tx, now)
}

fn make_key(tx: &mut Tx<'_>, now: Timestamp) -> Result<SealKey> {
    let key = SealKey::generate(now)?;
    diesel::insert_into(seal_keys::table)
        .values((
            seal_keys::kid.eq(&key.kid),
            seal_keys::private_key.eq(&key.private_key),
            seal_keys::public_key.eq(&key.public_key),
            seal_keys::created_at.eq(At(now)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(key)
}

/// Keeps other instances from making a key at the same time; a file has one writer anyway.
fn lock(tx: &mut Tx<'_>) -> Result<()> {
    if let AnyConnection::Postgres(conn) = tx.conn {
        conn.batch_execute("LOCK TABLE seal_keys IN EXCLUSIVE MODE")?;
    }
    Ok(())
}
