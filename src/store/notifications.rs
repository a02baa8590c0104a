//! Inboxes: what accounts were told, and whether they have read it.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use jiff::Timestamp;
use jiff::civil::Date;

use super::Tx;
use super::connection::{MultiBackend, per_backend};
use super::prepared::Prepare;
use super::run::Run;
use super::schema::{events, notifications as dsl};
use super::sql_types::{At, Json, On};
use crate::error::Result;
use crate::ids::{CommitteeId, MailId, NotificationId, ProposalId, StreamId, UserId};
use crate::store::outbox::Parcel;
use crate::workflow::topics::Group;

/// Rows written with one statement.
const CHUNK: usize = 500;

/// A message in an inbox.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = dsl)]
pub struct NotificationRow {
    /// Identifier; later ones sort behind earlier ones.
    pub id: NotificationId,
    /// Whose inbox it is in.
    pub user_id: UserId,
    /// Name of the event or of the reminder.
    pub topic: String,
    /// Group of the topic.
    pub topic_group: Group,
    /// The case.
    pub proposal_id: ProposalId,
    /// What a reminder says beside its topic.
    pub detail: Json,
    /// When it happened.
    pub created_at: At,
    /// When it was read.
    pub read_at: Option<At>,
}

/// A message on its way to an inbox.
#[derive(Debug, Clone)]
pub struct NewNotification {
    /// Identifier.
    pub id: NotificationId,
    /// Whose inbox.
    pub user: UserId,
    /// Name of the event or of the reminder.
    pub topic: &'static str,
    /// Its group.
    pub group: Group,
    /// What it tells of: nobody is told of the same twice.
    pub source_key: String,
    /// The case.
    pub proposal: ProposalId,
    /// What a reminder says beside its topic.
    pub detail: Json,
    /// When it happened.
    pub at: Timestamp,
    /// Nothing new to the reader, who did it.
    pub read: bool,
    /// The digest that takes it up.
    pub digest_on: Option<Date>,
    /// The mail that tells of it.
    pub mail: Option<MailId>,
}

/// Puts messages into inboxes; what is there already stays as it is.
pub fn insert(tx: &mut Tx<'_>, committee: CommitteeId, list: &[NewNotification]) -> Result<()> {
    for chunk in list.chunks(CHUNK) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|new| {
                (
                    (
                        dsl::committee_id.eq(committee),
                        dsl::id.eq(new.id),
                        dsl::user_id.eq(new.user),
                        dsl::topic.eq(new.topic),
                        dsl::topic_group.eq(new.group),
                        dsl::source_key.eq(&new.source_key),
                    ),
                    (
                        dsl::proposal_id.eq(new.proposal),
                        dsl::detail.eq(&new.detail),
                        dsl::created_at.eq(At(new.at)),
                        dsl::read_at.eq(new.read.then_some(At(new.at))),
                        dsl::digest_on.eq(new.digest_on.map(On)),
                        dsl::mail_id.eq(new.mail),
                    ),
                )
            })
            .collect();
        per_backend!(&mut *tx.conn, c => diesel::insert_into(dsl::table)
            .values(&rows)
            .on_conflict_do_nothing()
            .execute(c))?;
    }
    Ok(())
}

/// Who of these was told of these already.
pub fn told(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    users: &BTreeSet<UserId>,
    sources: &[&str],
) -> Result<BTreeSet<(UserId, String)>> {
    let found: Vec<(UserId, String)> = dsl::table
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::user_id.eq_any(users))
        .filter(dsl::source_key.eq_any(sources))
        .select((dsl::user_id, dsl::source_key))
        .rows(tx.conn)?;
    Ok(found.into_iter().collect())
}

/// What an event is called, when it happened, and who did it.
pub type Fact = (String, Timestamp, Option<UserId>);

type EventRow = (StreamId, i32, String, At, Option<UserId>);

/// Names of the events of parcels that somebody is told of.
pub fn facts(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    parcels: &[Parcel],
) -> Result<BTreeMap<(StreamId, i32), Fact>> {
    let mut query = events::table
        .select((
            events::stream_id,
            events::seq,
            events::name,
            events::at,
            events::actor_id,
        ))
        .into_boxed::<MultiBackend>();
    for parcel in parcels {
        let last = parcel.first_seq + i32::try_from(parcel.told.len()).unwrap_or(i32::MAX) - 1;
        query = query.or_filter(
            events::committee_id
                .eq(committee)
                .and(events::stream_id.eq(parcel.stream))
                .and(events::seq.between(parcel.first_seq, last)),
        );
    }
    let rows: Vec<EventRow> = query.load(tx.conn)?;
    let facts = rows.into_iter();
    Ok(facts
        .map(|(stream, seq, name, at, actor)| ((stream, seq), (name, at.0, actor)))
        .collect())
}

/// Which messages are meant.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those that are not read, or only those that are.
    pub unread: Option<bool>,
    /// Only of this group.
    pub group: Option<Group>,
    /// Only of this case.
    pub proposal: Option<ProposalId>,
}

/// The messages of an account, newest first, after a position.
pub fn list(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    filter: &Filter,
    after: Option<NotificationId>,
    limit: usize,
) -> Result<Vec<NotificationRow>> {
    let mut query = dsl::table
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::user_id.eq(user))
        .order(dsl::id.desc())
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(<NotificationRow as Selectable<MultiBackend>>::construct_selection())
        .into_boxed();
    match filter.unread {
        Some(true) => query = query.filter(dsl::read_at.is_null()),
        Some(false) => query = query.filter(dsl::read_at.is_not_null()),
        None => {}
    }
    if let Some(group) = filter.group {
        query = query.filter(dsl::topic_group.eq(group));
    }
    if let Some(proposal) = filter.proposal {
        query = query.filter(dsl::proposal_id.eq(proposal));
    }
    if let Some(after) = after {
        query = query.filter(dsl::id.lt(after));
    }
    Ok(query.load(tx.conn)?)
}

/// How many messages an account has not read, counted up to `cap`.
pub fn unread(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId, cap: i64) -> Result<i64> {
    let ids: Vec<NotificationId> = dsl::table
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::user_id.eq(user))
        .filter(dsl::read_at.is_null())
        .limit(cap)
        .select(dsl::id)
        .rows(tx.conn)?;
    Ok(i64::try_from(ids.len()).unwrap_or(cap))
}

/// Marks messages of an account as read or not; gives how many changed.
pub fn mark(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    ids: &[NotificationId],
    read: bool,
    now: Timestamp,
) -> Result<usize> {
    let own = dsl::table
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::user_id.eq(user))
        .filter(dsl::id.eq_any(ids));
    Ok(if read {
        diesel::update(own.filter(dsl::read_at.is_null()))
            .set(dsl::read_at.eq(At(now)))
            .prepared()
            .run(tx.conn)?
    } else {
        diesel::update(own.filter(dsl::read_at.is_not_null()))
            .set(dsl::read_at.eq(None::<At>))
            .prepared()
            .run(tx.conn)?
    })
}

/// Marks everything up to a message as read; gives how many changed.
pub fn mark_up_to(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    last: NotificationId,
    now: Timestamp,
) -> Result<usize> {
    let own = dsl::table
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::user_id.eq(user))
        .filter(dsl::id.le(last))
        .filter(dsl::read_at.is_null());
    Ok(diesel::update(own)
        .set(dsl::read_at.eq(At(now)))
        .prepared()
        .run(tx.conn)?)
}

/// Readers for whom something waits for the digest of a day, or was left by an earlier one.
pub fn waiting_for_digest(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    day: Date,
    limit: i64,
) -> Result<Vec<UserId>> {
    Ok(dsl::table
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::digest_on.le(On(day)))
        .select(dsl::user_id)
        .distinct()
        .limit(limit)
        .rows(tx.conn)?)
}

/// What waits for a reader's digest of a day goes with this mail.
pub fn into_digest(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    day: Date,
    mail: MailId,
) -> Result<()> {
    diesel::update(
        dsl::table
            .filter(dsl::committee_id.eq(committee))
            .filter(dsl::user_id.eq(user))
            .filter(dsl::digest_on.le(On(day))),
    )
    .set((dsl::mail_id.eq(mail), dsl::digest_on.eq(None::<On>)))
    .prepared()
    .run(tx.conn)?;
    Ok(())
}

/// What waits for the digest of a day waits for that of another day; `None`: it waits no more.
pub fn postpone(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    user: UserId,
    day: Date,
    to: Option<Date>,
) -> Result<()> {
    diesel::update(
        dsl::table
            .filter(dsl::committee_id.eq(committee))
            .filter(dsl::user_id.eq(user))
            .filter(dsl::digest_on.le(On(day))),
    )
    .set(dsl::digest_on.eq(to.map(On)))
    .prepared()
    .run(tx.conn)?;
    Ok(())
}

/// What a mail tells of, in order; at most `limit`.
pub fn of_mail(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    mail: MailId,
    limit: i64,
) -> Result<Vec<NotificationRow>> {
    Ok(dsl::table
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::mail_id.eq(mail))
        .order(dsl::id.asc())
        .limit(limit)
        .select(<NotificationRow as Selectable<MultiBackend>>::construct_selection())
        .rows(tx.conn)?)
}

/// Removes messages that were read before a moment, at most `limit`; gives how many. What waits for
/// a digest stays.
pub fn sweep(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    before: Timestamp,
    limit: i64,
) -> Result<usize> {
    let old: Vec<NotificationId> = dsl::table
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::read_at.lt(At(before)))
        .filter(dsl::digest_on.is_null())
        .limit(limit)
        .select(dsl::id)
        .rows(tx.conn)?;
    if old.is_empty() {
        return Ok(0);
    }
    Ok(diesel::delete(
        dsl::table
            .filter(dsl::committee_id.eq(committee))
            .filter(dsl::id.eq_any(old)),
    )
    .run(tx.conn)?)
}
