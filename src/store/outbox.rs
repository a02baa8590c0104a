//! Events on their way to the feed and to those who are told: written in the transaction of the
//! act, taken out in the transaction that publishes them, so that each is published once.

use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use serde::{Deserialize, Serialize};

use super::Tx;
use super::batch::Batch;
use super::connection::{AnyConnection, MultiBackend};
use super::events::Stream;
use super::prepared::Prepare;
use super::run::Run;
use super::schema::outbox;
use super::sql_types::{At, Doc, Json, Moment, Uid};
use crate::error::Result;
use crate::ids::{CommitteeId, OutboxId, StreamId};
use crate::workflow::desk::Audience;

/// Who is told of one event.
pub type Told = Vec<Audience>;

/// The events of one act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    /// Whose history they are in.
    pub stream: StreamId,
    /// Such as `proposal`.
    pub stream_kind: String,
    /// The first one.
    pub first_seq: i32,
    /// For each event, in order: who is told.
    pub told: Vec<Told>,
}

impl Parcel {
    /// Events of a stream from `first_seq` on, and for each who is told.
    pub(in crate::store) fn of(stream: &Stream, first_seq: i32, told: Vec<Told>) -> Self {
        Self {
            stream: stream.id,
            stream_kind: stream.kind.to_owned(),
            first_seq,
            told,
        }
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = outbox)]
struct Row {
    id: OutboxId,
    stream_id: StreamId,
    stream_kind: String,
    first_seq: i32,
    told: Json,
}

/// Puts the events of an act into the outbox.
pub(in crate::store) fn put(
    tx: &mut Tx<'_>,
    batch: &mut Batch<'_>,
    committee: CommitteeId,
    parcel: &Parcel,
    at: At,
) -> Result<()> {
    let id = OutboxId::new(at.0);
    let last_seq = parcel.first_seq + i32::try_from(parcel.told.len()).unwrap_or(i32::MAX) - 1;
    let told = Json::of(&parcel.told)?;
    match &mut *tx.conn {
        // The position comes from a sequence.
        AnyConnection::Postgres(_) => {
            batch.put_postgres(diesel::insert_into(outbox::table).values((
                outbox::committee_id.eq(committee),
                outbox::id.eq(id),
                outbox::stream_id.eq(parcel.stream),
                outbox::stream_kind.eq(parcel.stream_kind.clone()),
                outbox::first_seq.eq(parcel.first_seq),
                outbox::last_seq.eq(last_seq),
                outbox::told.eq(told),
                outbox::created_at.eq(at),
            )));
        }
        // One writer at a time: the next position is the one after the last that waits.
        AnyConnection::Sqlite(conn) => {
            diesel::sql_query(
                "INSERT INTO outbox (committee_id, id, position, stream_id, stream_kind, first_seq, \
                 last_seq, told, created_at) SELECT ?1, ?2, coalesce(max(position), 0) + 1, ?3, ?4, \
                 ?5, ?6, ?7, ?8 FROM outbox WHERE committee_id = ?1",
            )
            .bind::<Uid, _>(committee)
            .bind::<Uid, _>(id)
            .bind::<Uid, _>(parcel.stream)
            .bind::<Text, _>(&parcel.stream_kind)
            .bind::<Integer, _>(parcel.first_seq)
            .bind::<Integer, _>(last_seq)
            .bind::<Doc, _>(told)
            .bind::<Moment, _>(at)
            .prepared()
            .execute(conn)?;
        }
    }
    Ok(())
}

/// Committees for which something waits.
pub fn waiting(tx: &mut Tx<'_>) -> Result<Vec<CommitteeId>> {
    Ok(outbox::table
        .select(outbox::committee_id)
        .distinct()
        .rows(tx.conn)?)
}

/// How many parcels wait, over all committees.
pub fn depth(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(outbox::table.count().row::<i64>(tx.conn)?)
}

/// Whether something of a committee waits.
pub fn any_of(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<bool> {
    let first: Option<OutboxId> = outbox::table
        .filter(outbox::committee_id.eq(committee))
        .select(outbox::id)
        .first_row(tx.conn)
        .optional()?;
    Ok(first.is_some())
}

/// Takes the oldest parcels of a committee out of the outbox, in their order.
pub fn take(tx: &mut Tx<'_>, committee: CommitteeId, limit: i64) -> Result<Vec<Parcel>> {
    let rows: Vec<Row> = outbox::table
        .filter(outbox::committee_id.eq(committee))
        .order(outbox::position.asc())
        .limit(limit)
        .select(<Row as Selectable<MultiBackend>>::construct_selection())
        .rows(tx.conn)?;
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    diesel::delete(outbox::table)
        .filter(outbox::committee_id.eq(committee))
        .filter(outbox::id.eq_any(ids))
        .run(tx.conn)?;
    rows.into_iter()
        .map(|row| {
            Ok(Parcel {
                stream: row.stream_id,
                stream_kind: row.stream_kind,
                first_seq: row.first_seq,
                told: row.told.to()?,
            })
        })
        .collect()
}
