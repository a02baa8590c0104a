//! The four column types that differ between the backends, each with one Rust type.
//!
//! | here | PostgreSQL | SQLite | Rust |
//! | --- | --- | --- | --- |
//! | [`Uid`] | `UUID` | `BLOB` of 16 bytes | [`Id`] |
//! | [`Moment`] | `TIMESTAMPTZ` | `TEXT`, RFC 3339, UTC, always six decimals, so that it sorts | [`At`] |
//! | [`Day`] | `DATE` | `TEXT`, `YYYY-MM-DD` | [`On`] |
//! | [`Doc`] | `JSONB` | `TEXT` | [`Json`] |

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, Queryable};
use diesel::expression::AsExpression;
use diesel::internal::derives::as_expression::Bound;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{HasSqlType, Nullable, SqlType, Text};
use diesel::sqlite::{Sqlite, SqliteValue};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;

use super::connection::MultiBackend;
use crate::error::{Error, Result};
use crate::ids::{Id, IdKind};

/// An identifier.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
pub struct Uid;

/// A moment with microseconds.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Moment;

/// A calendar day.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1082, array_oid = 1182))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Day;

/// A JSON document.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Doc;

macro_rules! on_both_backends {
    ($($sql:ty),+) => { $(
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                Self::lookup_sql_type::<$sql>(lookup)
            }
        }
    )+ };
}
on_both_backends!(Uid, Moment, Day, Doc);

/// A moment on its way to or from a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct At(pub Timestamp);

/// A day on its way to or from a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct On(pub Date);

impl From<Timestamp> for At {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl From<At> for Timestamp {
    fn from(at: At) -> Self {
        at.0
    }
}

impl From<Date> for On {
    fn from(on: Date) -> Self {
        Self(on)
    }
}

impl From<On> for Date {
    fn from(on: On) -> Self {
        on.0
    }
}

/// A JSON document on its way to or from a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Json(pub Value);

impl Json {
    /// Any serialisable value as a document.
    pub fn of(value: &impl Serialize) -> Result<Self> {
        serde_json::to_value(value)
            .map(Self)
            .map_err(Error::internal)
    }

    /// The document as a value of the type that was stored.
    pub fn to<T: serde::de::DeserializeOwned>(self) -> Result<T> {
        serde_json::from_value(self.0)
            .map_err(|error| Error::internal(error).context("stored document"))
    }
}

/// What `derive(AsExpression, FromSqlRow)` would write, for types of other crates and for [`Id`].
macro_rules! sql_value {
    ([$($generic:tt)*] $rust:ty as $sql:ty) => {
        sql_value!(@expression [$($generic)*] $rust, $rust, $sql);
        sql_value!(@expression ['e, $($generic)*] &'e $rust, $rust, $sql);
        impl<$($generic)* DB: Backend> Queryable<$sql, DB> for $rust
        where
            Self: FromSql<$sql, DB>,
        {
            type Row = Self;
            fn build(row: Self) -> deserialize::Result<Self> {
                Ok(row)
            }
        }
        impl<$($generic)*> ToSql<$sql, MultiBackend> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value((<$sql>::default(), self));
                Ok(IsNull::No)
            }
        }
        impl<$($generic)* DB: Backend> ToSql<Nullable<$sql>, DB> for $rust
        where
            Self: ToSql<$sql, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <Self as ToSql<$sql, DB>>::to_sql(self, out)
            }
        }
        impl<$($generic)*> FromSql<$sql, MultiBackend> for $rust {
            fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                value.from_sql::<Self, $sql>()
            }
        }
    };
    (@expression [$($generic:tt)*] $rust:ty, $bare:ty, $sql:ty) => {
        impl<$($generic)*> AsExpression<$sql> for $rust {
            type Expression = Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
        impl<$($generic)*> AsExpression<Nullable<$sql>> for $rust {
            type Expression = Bound<Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
    };
}
sql_value!([K: IdKind,] Id<K> as Uid);
sql_value!([] At as Moment);
sql_value!([] On as Day);
sql_value!([] Json as Doc);

impl<K: IdKind> ToSql<Uid, Pg> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        std::io::Write::write_all(out, self.uuid().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl<K: IdKind> ToSql<Uid, Sqlite> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.uuid().as_bytes().to_vec());
        Ok(IsNull::No)
    }
}

impl<K: IdKind> FromSql<Uid, Pg> for Id<K> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_uuid(uuid::Uuid::from_slice(value.as_bytes())?))
    }
}

impl<K: IdKind> FromSql<Uid, Sqlite> for Id<K> {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<diesel::sql_types::Binary, Sqlite>>::from_sql(value)?;
        Ok(Self::from_uuid(uuid::Uuid::from_slice(&bytes)?))
    }
}

/// Microseconds between the Unix epoch and PostgreSQL's own, 2000-01-01 UTC.
const PG_EPOCH_MICROS: i64 = 946_684_800_000_000;
/// The first moment that PostgreSQL knows, from its own epoch.
const PG_FIRST_MICROS: i64 = -211_813_488_000_000_000;
/// Days between the same two.
const PG_EPOCH: Date = jiff::civil::date(2000, 1, 1);

impl ToSql<Moment, Pg> for At {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // PostgreSQL knows no moment before 4713 BC; a filter from before it means the same.
        let micros = (self.0.as_microsecond() - PG_EPOCH_MICROS).max(PG_FIRST_MICROS);
        std::io::Write::write_all(out, &micros.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<Moment, Sqlite> for At {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(format!("{:.6}", self.0));
        Ok(IsNull::No)
    }
}

impl FromSql<Moment, Pg> for At {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = i64::from_be_bytes(value.as_bytes().try_into()?);
        let micros = micros
            .checked_add(PG_EPOCH_MICROS)
            .ok_or("timestamp out of range")?;
        Ok(Self(Timestamp::from_microsecond(micros)?))
    }
}

impl FromSql<Moment, Sqlite> for At {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(text.parse()?))
    }
}

impl ToSql<Day, Pg> for On {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let days = (self.0 - PG_EPOCH).get_days();
        std::io::Write::write_all(out, &days.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<Day, Sqlite> for On {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.to_string());
        Ok(IsNull::No)
    }
}

impl FromSql<Day, Pg> for On {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let days = i32::from_be_bytes(value.as_bytes().try_into()?);
        Ok(Self(
            PG_EPOCH.checked_add(jiff::Span::new().try_days(days)?)?,
        ))
    }
}

impl FromSql<Day, Sqlite> for On {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(text.parse()?))
    }
}

impl ToSql<Doc, Pg> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // The leading byte is the version of the binary JSONB format.
        std::io::Write::write_all(out, &[1])?;
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}

impl ToSql<Doc, Sqlite> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl FromSql<Doc, Pg> for Json {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            Some((1, json)) => Ok(Self(serde_json::from_slice(json)?)),
            _ => Err("unknown version of the binary JSONB format".into()),
        }
    }
}

impl FromSql<Doc, Sqlite> for Json {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}

/// Stores code lists as their identifiers; a text that is no value of the list is an error.
macro_rules! text_codes {
    ($($code:path),+ $(,)?) => { $(
        impl<'e> AsExpression<Text> for &'e $code {
            type Expression = Bound<Text, &'e $code>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
        impl<'e> AsExpression<Nullable<Text>> for &'e $code {
            type Expression = Bound<Nullable<Text>, &'e $code>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
        impl AsExpression<Text> for $code {
            type Expression = Bound<Text, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
        impl AsExpression<Nullable<Text>> for $code {
            type Expression = Bound<Nullable<Text>, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
        impl<DB: Backend> ToSql<Text, DB> for $code
        where
            str: ToSql<Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <str as ToSql<Text, DB>>::to_sql(self.as_str(), out)
            }
        }
        impl<DB: Backend> ToSql<Nullable<Text>, DB> for $code
        where
            Self: ToSql<Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <Self as ToSql<Text, DB>>::to_sql(self, out)
            }
        }
        impl<DB: Backend> FromSql<Text, DB> for $code
        where
            String: FromSql<Text, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                Ok(String::from_sql(value)?.parse()?)
            }
        }
        impl<DB: Backend> Queryable<Text, DB> for $code
        where
            Self: FromSql<Text, DB>,
        {
            type Row = Self;
            fn build(row: Self) -> deserialize::Result<Self> {
                Ok(row)
            }
        }
    )+ };
}
pub(in crate::store) use text_codes;
