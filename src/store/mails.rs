//! Mails: one for each reader and act, one digest for each reader and day.

use diesel::prelude::*;
use jiff::Timestamp;

use super::Tx;
use super::connection::{MultiBackend, per_backend};
use super::prepared::Prepare;
use super::run::Run;
use super::schema::{mails as dsl, notifications};
use super::sql_types::At;
use crate::error::Result;
use crate::ids::{CommitteeId, MailId, UserId};
use crate::mail::{MailKind, MailStatus};

/// Rows written with one statement.
const CHUNK: usize = 500;
/// Longest answer of a server that is kept.
const LONGEST_ANSWER: usize = 500;

/// A mail.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = dsl)]
pub struct MailRow {
    /// Identifier; its Message-ID is made from it.
    pub id: MailId,
    /// The reader.
    pub user_id: UserId,
    /// What it is.
    pub kind: MailKind,
    /// How far it is.
    pub status: MailStatus,
    /// What the server said last.
    pub last_answer: Option<String>,
    /// Since when it is wanted.
    pub created_at: At,
    /// When it was sent or given up.
    pub finished_at: Option<At>,
}

/// A mail that is to be sent.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// Identifier.
    pub id: MailId,
    /// The reader.
    pub user: UserId,
    /// What it is.
    pub kind: MailKind,
    /// What it is about: a reader gets one mail of each.
    pub key: String,
}

/// Writes mails that are to be sent.
pub fn insert(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    list: &[NewMail],
    now: Timestamp,
) -> Result<()> {
    for chunk in list.chunks(CHUNK) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|new| {
                (
                    dsl::committee_id.eq(committee),
                    dsl::id.eq(new.id),
                    dsl::user_id.eq(new.user),
                    dsl::kind.eq(new.kind),
                    dsl::mail_key.eq(&new.key),
                    dsl::status.eq(MailStatus::Queued),
                    dsl::created_at.eq(At(now)),
                )
            })
            .collect();
        per_backend!(&mut *tx.conn, c => diesel::insert_into(dsl::table)
            .values(&rows)
            .execute(c))?;
    }
    Ok(())
}

/// Whether the reader has a mail of this key.
pub fn exists(tx: &mut Tx<'_>, committee: CommitteeId, user: UserId, key: &str) -> Result<bool> {
    let found: Option<MailId> = dsl::table
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::user_id.eq(user))
        .filter(dsl::mail_key.eq(key))
        .select(dsl::id)
        .first_row(tx.conn)
        .optional()?;
    Ok(found.is_some())
}

/// One mail.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, id: MailId) -> Result<Option<MailRow>> {
    Ok(dsl::table
        .find((committee, id))
        .select(<MailRow as Selectable<MultiBackend>>::construct_selection())
        .first_row(tx.conn)
        .optional()?)
}

/// Notes how it ended with a mail.
pub fn finish(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: MailId,
    status: MailStatus,
    answer: &str,
    now: Timestamp,
) -> Result<()> {
    let answer: String = answer.chars().take(LONGEST_ANSWER).collect();
    diesel::update(dsl::table.find((committee, id)))
        .set((
            dsl::status.eq(status),
            dsl::last_answer.eq(answer),
            dsl::finished_at.eq(At(now)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// The mails of a committee, newest first, after a position.
pub fn list(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    status: Option<MailStatus>,
    after: Option<MailId>,
    limit: usize,
) -> Result<Vec<MailRow>> {
    let mut query = dsl::table
        .filter(dsl::committee_id.eq(committee))
        .order(dsl::id.desc())
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(<MailRow as Selectable<MultiBackend>>::construct_selection())
        .into_boxed();
    if let Some(status) = status {
        query = query.filter(dsl::status.eq(status));
    }
    if let Some(after) = after {
        query = query.filter(dsl::id.lt(after));
    }
    Ok(query.load(tx.conn)?)
}

/// Removes finished mails whose messages are gone, at most `limit`; gives how many.
pub fn sweep(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    before: Timestamp,
    limit: i64,
) -> Result<usize> {
    let told = diesel::dsl::exists(
        notifications::table
            .filter(notifications::committee_id.eq(dsl::committee_id))
            .filter(notifications::mail_id.assume_not_null().eq(dsl::id)),
    );
    let old: Vec<MailId> = dsl::table
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::finished_at.lt(At(before)))
        .filter(diesel::dsl::not(told))
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
