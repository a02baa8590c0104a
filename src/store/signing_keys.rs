//! The keys that sign access tokens.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use jiff::Timestamp;

use super::Tx;
use super::connection::AnyConnection;
use super::prepared::Prepare;
use super::run::Run;
use super::schema::signing_keys::dsl;
use super::sql_types::At;
use crate::auth::token::{RETIREMENT, StoredKey};
use crate::error::Result;

type Row = (String, Vec<u8>, Vec<u8>, Vec<u8>, At, Option<At>);

/// Every key that is kept.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<StoredKey>> {
    let rows: Vec<Row> = dsl::signing_keys
        .select((
            dsl::kid,
            dsl::private_key,
            dsl::public_key,
            dsl::refresh_secret,
            dsl::created_at,
            dsl::retired_at,
        ))
        .rows(tx.conn)?;
    Ok(rows.into_iter().map(from_row).collect())
}

fn from_row(
    (kid, private_key, public_key, refresh_secret, created_at, retired_at): Row,
) -> StoredKey {
    StoredKey {
        kid,
        private_key,
        public_key,
        refresh_secret,
        created_at: created_at.0,
        retired_at: retired_at.map(|at| at.0),
    }
}

/// Keeps other instances from making a key at the same time; a file has one writer anyway.
fn lock(tx: &mut Tx<'_>) -> Result<()> {
    if let AnyConnection::Postgres(conn) = tx.conn {
        conn.batch_execute("LOCK TABLE signing_keys IN EXCLUSIVE MODE")?;
    }
    Ok(())
}

/// Every key that is kept; the first instance that starts makes one.
pub fn ensure(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<StoredKey>> {
    lock(tx)?;
    let mut keys = list(tx)?;
    if keys.iter().all(|key| key.retired_at.is_some()) {
        let key = StoredKey::generate(now)?;
        insert(tx, &key)?;
        keys.push(key);
    }
    Ok(keys)
}

/// Makes a new key that signs from now on, retires the others, and forgets those that verify no
/// token any more.
pub fn rotate(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<StoredKey>> {
    lock(tx)?;
    diesel::update(dsl::signing_keys.filter(dsl::retired_at.is_null()))
        .set(dsl::retired_at.eq(Some(At(now))))
        .prepared()
        .run(tx.conn)?;
    let forgotten = now.checked_sub(RETIREMENT * 2).unwrap_or(now);
    diesel::delete(dsl::signing_keys.filter(dsl::retired_at.lt(Some(At(forgotten)))))
        .run(tx.conn)?;
    insert(tx, &StoredKey::generate(now)?)?;
    list(tx)
}

fn insert(tx: &mut Tx<'_>, key: &StoredKey) -> Result<()> {
    diesel::insert_into(dsl::signing_keys)
        .values((
            dsl::kid.eq(&key.kid),
            dsl::private_key.eq(&key.private_key),
            dsl::public_key.eq(&key.public_key),
            dsl::refresh_secret.eq(&key.refresh_secret),
            dsl::created_at.eq(At(key.created_at)),
            dsl::retired_at.eq(key.retired_at.map(At)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}
