//! Finished requests by Idempotency-Key, stored in the transaction of their effect.

use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

use super::Tx;
use super::connection::AnyConnection;
use super::prepared::Prepare;
use super::run::Run;
use super::schema::idempotency_keys::dsl;
use super::sql_types::{At, Json};
use crate::app::{Answer, Body};
use crate::error::{Code, Error, Result};
use crate::ids::{CommitteeId, UserId};

/// What a key is unique in.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The tenant.
    pub committee: CommitteeId,
    /// Who sent it.
    pub principal: UserId,
    /// The operation it was sent to.
    pub operation: &'a str,
    /// The key itself.
    pub key: &'a str,
}

/// A finished request.
#[derive(Debug)]
pub struct Stored {
    /// Hash of the request it was first sent with.
    pub request_hash: String,
    /// What was answered.
    pub answer: Answer,
}

type Row = (
    String,
    i32,
    Json,
    Option<Vec<u8>>,
    Option<String>,
    Option<String>,
);

macro_rules! row {
    ($scope:expr) => {
        dsl::idempotency_keys
            .filter(dsl::committee_id.eq($scope.committee))
            .filter(dsl::principal_id.eq($scope.principal))
            .filter(dsl::operation.eq($scope.operation))
            .filter(dsl::idempotency_key.eq($scope.key))
    };
}

/// The answer that was given to the key.
pub fn find(tx: &mut Tx<'_>, scope: &Scope<'_>) -> Result<Option<Stored>> {
    let row: Option<Row> = row!(scope)
        .select((
            dsl::request_hash,
            dsl::status,
            dsl::body,
            dsl::answer,
            dsl::etag,
            dsl::location,
        ))
        .first_row(tx.conn)
        .optional()?;
    row.map(|(request_hash, status, body, packed, etag, location)| {
        let status = u16::try_from(status).map_err(Error::internal)?;
        let body = match packed {
            Some(packed) => Body::unpacked(&packed)?,
            None => Body::from_stored(body.0),
        };
        let answer = Answer {
            status,
            body,
            etag,
            location,
            replayed: false,
        };
        Ok(Stored {
            request_hash,
            answer,
        })
    })
    .transpose()
}

macro_rules! values {
    ($scope:expr, $hash:expr, $status:expr, $answer:expr, $etag:expr, $location:expr, $now:expr) => {
        diesel::insert_into(dsl::idempotency_keys).values((
            dsl::committee_id.eq($scope.committee),
            dsl::principal_id.eq($scope.principal),
            dsl::operation.eq($scope.operation),
            dsl::idempotency_key.eq($scope.key),
            dsl::request_hash.eq($hash),
            dsl::status.eq($status),
            dsl::body.eq(Json(serde_json::Value::Null)),
            dsl::answer.eq($answer),
            dsl::etag.eq($etag),
            dsl::location.eq($location),
            dsl::created_at.eq(At($now)),
        ))
    };
}

/// Takes the key, or gives what was answered to it. A concurrent request with the same key waits for
/// this transaction; on SQLite it waits already, and the row is written once, with the answer.
pub fn claim(
    tx: &mut Tx<'_>,
    scope: &Scope<'_>,
    request_hash: &str,
    now: Timestamp,
) -> Result<Option<Stored>> {
    let AnyConnection::Postgres(conn) = &mut *tx.conn else {
        return find(tx, scope);
    };
    let (none, nothing) = (None::<&str>, None::<Vec<u8>>);
    let taken = values!(scope, request_hash, 0, nothing, none, none, now)
        .on_conflict_do_nothing()
        .prepared()
        .execute(conn)?;
    if taken > 0 {
        return Ok(None);
    }
    match find(tx, scope)? {
        // It was there a moment ago: the sweep took it.
        None => Err(Error::new(Code::Busy).retryable()),
        stored => Ok(stored),
    }
}

/// Stores the answer under the key that was claimed.
pub fn finish(
    tx: &mut Tx<'_>,
    scope: &Scope<'_>,
    request_hash: &str,
    answer: &Answer,
    now: Timestamp,
) -> Result<()> {
    let status = i32::from(answer.status);
    let packed = answer.body.packed();
    let (etag, location) = (answer.etag.as_deref(), answer.location.as_deref());
    match &mut *tx.conn {
        AnyConnection::Postgres(conn) => diesel::update(row!(scope))
            .set((
                dsl::status.eq(status),
                dsl::answer.eq(packed),
                dsl::etag.eq(etag),
                dsl::location.eq(location),
            ))
            .prepared()
            .execute(conn)?,
        AnyConnection::Sqlite(conn) => {
            values!(scope, request_hash, status, packed, etag, location, now)
                .prepared()
                .execute(conn)?
        }
    };
    Ok(())
}

/// Removes the stored answers of acts on proposals and of uploads: a text that must go, or the
/// name of a file, is in some of them (I29).
pub fn forget_proposals(tx: &mut Tx<'_>, committee: CommitteeId) -> Result<()> {
    diesel::delete(dsl::idempotency_keys)
        .filter(dsl::committee_id.eq(committee))
        .filter(
            dsl::operation
                .like("%_proposal")
                .or(dsl::operation.eq("upload_attachment")),
        )
        .filter(dsl::status.ne(0))
        .run(tx.conn)?;
    Ok(())
}

/// How long an answer is kept at least.
pub const KEPT: SignedDuration = SignedDuration::from_hours(48);

/// Removes the answers of a committee stored before a moment; gives how many there were.
pub fn sweep(tx: &mut Tx<'_>, committee: CommitteeId, before: Timestamp) -> Result<usize> {
    Ok(diesel::delete(dsl::idempotency_keys)
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::created_at.lt(At(before)))
        .run(tx.conn)?)
}
