//! The audit trail (I33): append-only, hash-chained per stream, written in the transaction of the
//! change it tells of.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Tx;
use super::batch::Batch;
use super::connection::AnyConnection;
use super::outbox::{self, Parcel};
use super::prepared::Prepare;
use super::run::Run;
use super::schema::events;
use super::sql_types::{At, Json};
use crate::app::Ctx;
use crate::digest;
use crate::error::Result;
use crate::ids::{CommitteeId, EventId, Id, IdKind, RequestId, StreamId, UserId};
use crate::workflow::role::{Actor, Role};

/// Kind of the streams that tell who read what, and who was refused.
pub const ACCESS: &str = "access";

/// Whose history an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// The tenant.
    pub committee: CommitteeId,
    /// Such as `proposal`, `unit`, `user`.
    pub kind: &'static str,
    /// The thing itself.
    pub id: StreamId,
}

impl Stream {
    /// Who read a thing, or was refused it, in a stream beside its own: a look at a case must
    /// neither wait for those who work on it nor count as a change. The stream of an account tells
    /// of what it was refused without a thing, and of what it read of the trail itself.
    pub fn access_to<K: IdKind>(committee: CommitteeId, id: Id<K>) -> Self {
        let hash = digest::hex(&[b"access", id.uuid().as_bytes()]);
        let half =
            |range| u64::from_str_radix(hash.get(range).unwrap_or_default(), 16).unwrap_or(0);
        let mut bytes = *uuid::Uuid::from_u64_pair(half(0..16), half(16..32)).as_bytes();
        // Version 8: a name of our own making.
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Self {
            committee,
            kind: ACCESS,
            id: StreamId::from_uuid(uuid::Uuid::from_bytes(bytes)),
        }
    }

    /// The stream of one thing.
    pub fn of<K: IdKind>(committee: CommitteeId, kind: &'static str, id: Id<K>) -> Self {
        Self {
            committee,
            kind,
            id: id.cast(),
        }
    }
}

/// Where a chain ends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Head {
    /// Number of events so far.
    pub seq: i32,
    /// Hash of the last one; empty before the first.
    pub hash: String,
}

/// Who did it, when, in which request.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// The moment.
    pub at: Timestamp,
    /// The account; `None` for the system.
    pub actor: Option<UserId>,
    /// Its name at that time.
    pub actor_name: String,
    /// The role that entitled it.
    pub role: Role,
    /// In whose place, where staff enter what stands on paper.
    pub on_behalf_of: Option<String>,
    /// The request.
    pub request: Option<RequestId>,
}

impl Circumstances {
    /// Of a request whose act was allowed by the first of `roles` that the caller holds.
    pub fn of(ctx: &Ctx, roles: &[Role]) -> Self {
        let held = |role: &&Role| ctx.principal.has_any(&[**role]);
        let any = ctx
            .principal
            .grants
            .first()
            .map_or(Role::Member, |grant| grant.role);
        Self {
            at: ctx.now,
            actor: Some(ctx.user()),
            actor_name: ctx.principal.display_name.clone(),
            role: roles.iter().find(held).copied().unwrap_or(any),
            on_behalf_of: None,
            request: Some(ctx.request_id),
        }
    }

    /// Of what the system does by itself.
    pub fn system(at: Timestamp) -> Self {
        Self {
            at,
            actor: None,
            actor_name: "system".to_owned(),
            role: Role::System,
            on_behalf_of: None,
            request: None,
        }
    }

    /// Of an act of the workflow.
    pub fn acting(actor: &Actor, role: Role, at: Timestamp, request: Option<RequestId>) -> Self {
        Self {
            at,
            actor: actor.user,
            actor_name: actor.name.clone(),
            role,
            on_behalf_of: None,
            request,
        }
    }
}

/// What happened.
#[derive(Debug, Clone)]
pub struct Happening {
    /// Such as `proposal.filed`.
    pub name: String,
    /// The row of the tables, such as `PT15`.
    pub rule: Option<&'static str>,
    /// What it changed: for registers `{"before": …, "after": …}`.
    pub content: Value,
}

impl Happening {
    /// A row of a register that changed from `before` to `after`.
    pub fn change(name: &str, before: &impl Serialize, after: &impl Serialize) -> Self {
        let mut content = serde_json::json!({ "before": before, "after": after });
        without_contacts(&mut content);
        Self {
            name: name.to_owned(),
            rule: None,
            content,
        }
    }
}

/// How to reach somebody: what is never in the trail, which cannot forget (I29).
const CONTACTS: [&str; 6] = [
    "phone",
    "contact_person",
    "contact_phone",
    "address",
    "post_code",
    "email",
];

/// Puts a mark in the place of each contact, so that the trail tells that there was one and
/// whether it was changed, but not which.
fn without_contacts(content: &mut Value) {
    for name in CONTACTS {
        let value = |side: &str| content.get(side).and_then(|row| row.get(name)).cloned();
        let (before, after) = (value("before"), value("after"));
        let mark = if before == after { "…" } else { "… *" };
        for (side, mark) in [("before", "…"), ("after", mark)] {
            let place = content.get_mut(side).and_then(|row| row.get_mut(name));
            if let Some(place) = place.filter(|place| !place.is_null()) {
                *place = Value::from(mark);
            }
        }
    }
}

/// One entry of the trail.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct Event {
    /// Position in its stream, from 1.
    pub seq: i32,
    /// Identifier.
    pub id: EventId,
    /// Kind of the stream.
    pub stream_kind: String,
    /// The moment.
    pub at: At,
    /// The account; `None` for the system.
    pub actor_id: Option<UserId>,
    /// Its name at that time.
    pub actor_name: String,
    /// The role that entitled it.
    pub actor_role: String,
    /// In whose place.
    pub on_behalf_of: Option<String>,
    /// What happened.
    pub name: String,
    /// By which row of the tables.
    pub rule: Option<String>,
    /// The request.
    pub request_id: Option<RequestId>,
    /// What it changed.
    pub content: Json,
    /// Hash of the event before.
    pub prev_hash: String,
    /// Hash of this one.
    pub hash: String,
}

impl Head {
    /// What comes next.
    pub(in crate::store) fn next(
        &self,
        stream: &Stream,
        circumstances: &Circumstances,
        happening: Happening,
    ) -> Event {
        let mut event = Event {
            seq: self.seq + 1,
            id: EventId::new(circumstances.at),
            stream_kind: stream.kind.to_owned(),
            at: At(circumstances.at),
            actor_id: circumstances.actor,
            actor_name: circumstances.actor_name.clone(),
            actor_role: circumstances.role.as_str().to_owned(),
            on_behalf_of: circumstances.on_behalf_of.clone(),
            name: happening.name,
            rule: happening.rule.map(str::to_owned),
            request_id: circumstances.request,
            content: Json(happening.content),
            prev_hash: self.hash.clone(),
            hash: String::new(),
        };
        event.hash = event.expected_hash(stream);
        event
    }
}

impl Event {
    /// Where its stream ends with it.
    pub(in crate::store) fn head(&self) -> Head {
        Head {
            seq: self.seq,
            hash: self.hash.clone(),
        }
    }

    /// The statement that appends it.
    pub(in crate::store) fn insertion(
        self,
        stream: &Stream,
    ) -> impl QueryFragment<Pg> + QueryFragment<Sqlite> + QueryId + use<> {
        diesel::insert_into(events::table).values((
            (
                events::committee_id.eq(stream.committee),
                events::stream_id.eq(stream.id),
                events::seq.eq(self.seq),
                events::id.eq(self.id),
                events::stream_kind.eq(self.stream_kind),
                events::at.eq(self.at),
                events::actor_id.eq(self.actor_id),
                events::actor_name.eq(self.actor_name),
            ),
            (
                events::actor_role.eq(self.actor_role),
                events::on_behalf_of.eq(self.on_behalf_of),
                events::name.eq(self.name),
                events::rule.eq(self.rule),
                events::request_id.eq(self.request_id),
                events::content.eq(self.content),
                events::prev_hash.eq(self.prev_hash),
                events::hash.eq(self.hash),
            ),
        ))
    }

    /// The hash that the event should carry: over everything it says and the hash before it.
    pub fn expected_hash(&self, stream: &Stream) -> String {
        let option = |text: Option<String>| text.unwrap_or_default();
        digest::hex(&[
            self.prev_hash.as_bytes(),
            stream.committee.uuid().as_bytes(),
            stream.id.uuid().as_bytes(),
            &self.seq.to_be_bytes(),
            self.id.uuid().as_bytes(),
            self.stream_kind.as_bytes(),
            &self.at.0.as_microsecond().to_be_bytes(),
            option(self.actor_id.map(|id| id.to_string())).as_bytes(),
            self.actor_name.as_bytes(),
            self.actor_role.as_bytes(),
            option(self.on_behalf_of.clone()).as_bytes(),
            self.name.as_bytes(),
            option(self.rule.clone()).as_bytes(),
            option(self.request_id.map(|id| id.to_string())).as_bytes(),
            // Keys of objects are sorted, so both backends give the same text back.
            self.content.0.to_string().as_bytes(),
        ])
    }
}

/// Where the chain of a stream ends now.
pub fn head(tx: &mut Tx<'_>, stream: &Stream) -> Result<Head> {
    let head: Option<(i32, String)> = events::table
        .filter(events::committee_id.eq(stream.committee))
        .filter(events::stream_id.eq(stream.id))
        .order(events::seq.desc())
        .select((events::seq, events::hash))
        .first_row(tx.conn)
        .optional()?;
    Ok(head
        .map(|(seq, hash)| Head { seq, hash })
        .unwrap_or_default())
}

/// Appends to a stream: for registers and accounts.
pub fn append(
    tx: &mut Tx<'_>,
    stream: &Stream,
    circumstances: &Circumstances,
    happening: Happening,
) -> Result<()> {
    let head = head(tx, stream)?;
    append_to(tx, stream, &head, circumstances, happening).map(|_| ())
}

/// Appends to a stream whose end is known.
pub fn append_to(
    tx: &mut Tx<'_>,
    stream: &Stream,
    head: &Head,
    circumstances: &Circumstances,
    happening: Happening,
) -> Result<Head> {
    let event = head.next(stream, circumstances, happening);
    let end = event.head();
    // Nobody is told of an entry of a register; those who follow the feed see it.
    let parcel = Parcel::of(stream, end.seq, vec![Vec::new()]);
    let mut batch = Batch::default();
    batch.put(tx, event.insertion(stream))?;
    let at = At(circumstances.at);
    outbox::put(tx, &mut batch, stream.committee, &parcel, at)?;
    batch.send(tx)?;
    Ok(end)
}

/// Appends to a stream of accesses. Nobody is told of it: it is the auditor's.
pub fn append_access(
    tx: &mut Tx<'_>,
    stream: &Stream,
    circumstances: &Circumstances,
    happening: Happening,
) -> Result<()> {
    hold(tx, stream)?;
    let event = head(tx, stream)?.next(stream, circumstances, happening);
    event.insertion(stream).prepared().run(tx.conn)?;
    Ok(())
}

/// Makes those who append to a stream at the same time wait for each other, where there is no row
/// of the thing to hold; a file has one writer anyway.
fn hold(tx: &mut Tx<'_>, stream: &Stream) -> Result<()> {
    if let AnyConnection::Postgres(conn) = &mut *tx.conn {
        let (high, low) = stream.id.uuid().as_u64_pair();
        diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
            .bind::<BigInt, _>((high ^ low).cast_signed())
            .prepared()
            .execute(conn)?;
    }
    Ok(())
}

/// Events of a stream from `after` on, oldest first, at most `limit`.
pub fn list(tx: &mut Tx<'_>, stream: &Stream, after: i32, limit: usize) -> Result<Vec<Event>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(events::table
        .filter(events::committee_id.eq(stream.committee))
        .filter(events::stream_id.eq(stream.id))
        .filter(events::seq.gt(after))
        .order(events::seq.asc())
        .limit(limit)
        .select(<Event as Selectable<super::connection::MultiBackend>>::construct_selection())
        .rows(tx.conn)?)
}
