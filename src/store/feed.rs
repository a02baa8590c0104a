//! The feed: every event of a committee once, in the order of commits, numbered without a gap.

use diesel::prelude::*;

use super::Tx;
use super::connection::per_backend;
use super::outbox::Parcel;
use super::prepared::Prepare;
use super::run::Run;
use super::schema::{events, feed, number_series};
use super::sql_types::{At, Json};
use crate::error::Result;
use crate::ids::{CommitteeId, EventId, StreamId};

/// Series of the positions.
const SERIES: &str = "feed";

/// One event with its place in the feed.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct Entry {
    /// Its place, from 1.
    pub position: i64,
    /// Whose history it is in.
    pub stream_id: StreamId,
    /// Such as `proposal`.
    pub stream_kind: String,
    /// Its place there.
    pub seq: i32,
}

/// Makes simultaneous publishers of a committee wait for each other; gives the last position.
/// Call it before the outbox is read, so that what is read then has its place after it.
pub fn hold(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<i64> {
    per_backend!(&mut *tx.conn, c => diesel::insert_into(number_series::table)
        .values((
            number_series::committee_id.eq(committee),
            number_series::series.eq(SERIES),
            number_series::last_number.eq(0),
        ))
        .on_conflict_do_nothing()
        .prepared()
        .execute(c))?;
    let last: i32 = diesel::update(number_series::table.find((committee, SERIES)))
        .set(number_series::last_number.eq(number_series::last_number))
        .returning(number_series::last_number)
        .prepared()
        .row(tx.conn)?;
    Ok(last.into())
}

/// Appends parcels after the position `last`, which [`hold`] gave; gives the entries.
pub fn append(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    last: i64,
    parcels: &[Parcel],
) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let events = parcels.iter().flat_map(|parcel| {
        (parcel.first_seq..)
            .take(parcel.told.len())
            .map(move |seq| (parcel, seq))
    });
    for (position, (parcel, seq)) in (last + 1..).zip(events) {
        entries.push(Entry {
            position,
            stream_id: parcel.stream,
            stream_kind: parcel.stream_kind.clone(),
            seq,
        });
    }
    for chunk in entries.chunks(1000) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|entry| {
                (
                    feed::committee_id.eq(committee),
                    feed::position.eq(entry.position),
                    feed::stream_id.eq(entry.stream_id),
                    feed::stream_kind.eq(&entry.stream_kind),
                    feed::seq.eq(entry.seq),
                )
            })
            .collect();
        per_backend!(&mut *tx.conn, c => diesel::insert_into(feed::table)
            .values(&rows)
            .execute(c))?;
    }
    if let Some(end) = entries.last() {
        let end = i32::try_from(end.position).map_err(crate::error::Error::internal)?;
        diesel::update(number_series::table.find((committee, SERIES)))
            .set(number_series::last_number.eq(end))
            .prepared()
            .run(tx.conn)?;
    }
    Ok(entries)
}

/// Entries after a position, in order.
pub fn after(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    position: i64,
    limit: i64,
) -> Result<Vec<Entry>> {
    Ok(feed::table
        .filter(feed::committee_id.eq(committee))
        .filter(feed::position.gt(position))
        .order(feed::position.asc())
        .limit(limit)
        .select((
            feed::position,
            feed::stream_id,
            feed::stream_kind,
            feed::seq,
        ))
        .rows(tx.conn)?)
}

/// An event as the feed shows it, without what it changed.
#[derive(Debug, Clone, Queryable)]
pub struct Seen {
    /// Its place, from 1.
    pub position: i64,
    /// Whose history it is in.
    pub stream_id: StreamId,
    /// Such as `proposal`.
    pub stream_kind: String,
    /// Identifier.
    pub id: EventId,
    /// What happened.
    pub name: String,
    /// The moment.
    pub at: At,
    /// The role that entitled the actor.
    pub actor_role: String,
}

/// The next `limit` events after a position, in order, whoever may know of them.
pub fn scan(tx: &mut Tx<'_>, committee: CommitteeId, after: i64, limit: i64) -> Result<Vec<Seen>> {
    Ok(feed::table
        .inner_join(
            events::table.on(events::committee_id
                .eq(feed::committee_id)
                .and(events::stream_id.eq(feed::stream_id))
                .and(events::seq.eq(feed::seq))),
        )
        .filter(feed::committee_id.eq(committee))
        .filter(feed::position.gt(after))
        .order(feed::position.asc())
        .limit(limit)
        .select((
            feed::position,
            feed::stream_id,
            feed::stream_kind,
            events::id,
            events::name,
            events::at,
            events::actor_role,
        ))
        .rows(tx.conn)?)
}

/// What the events at these positions changed, by position.
pub fn contents(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    positions: &[i64],
) -> Result<Vec<(i64, Json)>> {
    Ok(feed::table
        .inner_join(
            events::table.on(events::committee_id
                .eq(feed::committee_id)
                .and(events::stream_id.eq(feed::stream_id))
                .and(events::seq.eq(feed::seq))),
        )
        .filter(feed::committee_id.eq(committee))
        .filter(feed::position.eq_any(positions.to_vec()))
        .order(feed::position.asc())
        .select((feed::position, events::content))
        .rows(tx.conn)?)
}

/// The last position; 0 before the first.
pub fn end(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<i64> {
    let last: Option<i32> = number_series::table
        .find((committee, SERIES))
        .select(number_series::last_number)
        .first_row(tx.conn)
        .optional()?;
    Ok(last.unwrap_or(0).into())
}

/// The last position of every committee.
pub fn ends(tx: &mut Tx<'_>) -> Result<Vec<(CommitteeId, i64)>> {
    let ends: Vec<(CommitteeId, i32)> = number_series::table
        .filter(number_series::series.eq(SERIES))
        .select((number_series::committee_id, number_series::last_number))
        .rows(tx.conn)?;
    Ok(ends
        .into_iter()
        .map(|(committee, last)| (committee, last.into()))
        .collect())
}
