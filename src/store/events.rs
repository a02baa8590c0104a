//! The audit trail (I33): append-only, hash-chained per stream, written in the transaction of the
//! change it tells of.

use diesel::prelude::*;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::schema::events;
use super::sql_types::{At, Json};
use super::{Tx, outbox};
use crate::app::Ctx;
use crate::digest;
use crate::error::Result;
use crate::ids::{CommitteeId, EventId, Id, IdKind, RequestId, StreamId, UserId};
use crate::workflow::role::{Actor, Role};

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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
        Self {
            name: name.to_owned(),
            rule: None,
            content: serde_json::json!({ "before": before, "after": after }),
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

impl Event {
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
        .first(tx.conn)
        .optional()?;
    Ok(head
        .map(|(seq, hash)| Head { seq, hash })
        .unwrap_or_default())
}

/// Appends to a stream whose end is known; gives the new end. The outbox is left to the caller, who
/// tells of several events at once.
pub(in crate::store) fn append_after(
    tx: &mut Tx<'_>,
    stream: &Stream,
    head: &Head,
    circumstances: &Circumstances,
    happening: Happening,
) -> Result<Head> {
    let mut event = Event {
        seq: head.seq + 1,
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
        prev_hash: head.hash.clone(),
        hash: String::new(),
    };
    event.hash = event.expected_hash(stream);
    let head = Head {
        seq: event.seq,
        hash: event.hash.clone(),
    };
    diesel::insert_into(events::table)
        .values((
            (
                events::committee_id.eq(stream.committee),
                events::stream_id.eq(stream.id),
                events::seq.eq(event.seq),
                events::id.eq(event.id),
                events::stream_kind.eq(event.stream_kind),
                events::at.eq(event.at),
                events::actor_id.eq(event.actor_id),
                events::actor_name.eq(event.actor_name),
            ),
            (
                events::actor_role.eq(event.actor_role),
                events::on_behalf_of.eq(event.on_behalf_of),
                events::name.eq(event.name),
                events::rule.eq(event.rule),
                events::request_id.eq(event.request_id),
                events::content.eq(event.content),
                events::prev_hash.eq(event.prev_hash),
                events::hash.eq(event.hash),
            ),
        ))
        .execute(tx.conn)?;
    Ok(head)
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
    let end = append_after(tx, stream, head, circumstances, happening)?;
    // Nobody is told of an entry of a register; those who follow the feed see it.
    outbox::put(tx, stream, end.seq, &[Vec::new()], At(circumstances.at))?;
    Ok(end)
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
        .load(tx.conn)?)
}
