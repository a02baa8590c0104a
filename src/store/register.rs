//! What the registers have in common: rows with a version, pages, references, the audit trail.
//!
//! A register is described by one struct of fields. It is the part of the row that people fill
//! in, the body of a request that creates one, and, with what the service adds, the answer.

use diesel::define_sql_function;
use diesel::sql_types::Text;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::Tx;
use super::events::{self, Circumstances, Happening, Head, Stream};
use super::sql_types::At;
use crate::app::Ctx;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{CommitteeId, Id, IdKind};
use crate::workflow::role::Role;

/// A row of a register: the fields, and what the service adds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(bound = "")]
pub struct Entry<F: Rows> {
    /// Identifier.
    pub id: Id<F::Kind>,
    /// What people filled in.
    #[serde(flatten)]
    pub fields: F,
    /// Number of the present version, from 1; its entity tag.
    pub version: i32,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A row as it comes from the database.
pub(in crate::store) type Row<F> = (Id<<F as Rows>::Kind>, F, i32, At, At);

impl<F: Rows> From<Row<F>> for Entry<F> {
    fn from((id, fields, version, created_at, updated_at): Row<F>) -> Self {
        Self {
            id,
            fields,
            version,
            created_at: created_at.0,
            updated_at: updated_at.0,
        }
    }
}

impl<F: Rows> Entry<F> {
    /// The first version of a new row.
    pub fn new(fields: F, now: Timestamp) -> Self {
        Self {
            id: Id::new(now),
            fields,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The same row with other fields, one version later.
    fn changed(&self, fields: F, now: Timestamp) -> Self {
        Self {
            fields,
            version: self.version + 1,
            updated_at: now,
            ..self.clone()
        }
    }
}

/// The statements on single rows of a register.
pub trait Rows: std::fmt::Debug + Clone + PartialEq + Serialize + Send + Sync + 'static {
    /// What the rows are.
    type Kind: IdKind;

    /// One row of the committee, or 404.
    fn find(tx: &mut Tx<'_>, committee: CommitteeId, id: Id<Self::Kind>) -> Result<Entry<Self>>
    where
        Self: Sized;

    /// Stores `entry` in place of the row if that still is `version`; gives the number of rows
    /// changed.
    fn update(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        entry: &Entry<Self>,
        version: i32,
    ) -> Result<usize>
    where
        Self: Sized;
}

/// One register: who may write it, what it refers to, how it is listed.
pub trait Register: Rows + Sized {
    /// What a list may be narrowed to.
    type Filter: std::fmt::Debug + Send + 'static;
    /// What a list is sorted by, ascending.
    type Key: Serialize + DeserializeOwned + Send + 'static;
    /// Kind of the event streams, such as `unit`; events are named `unit.created`.
    const NAME: &'static str;
    /// Who may create and change rows.
    const WRITERS: &'static [Role];

    /// Rows behind `after`, at most `limit`.
    fn list(
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        filter: &Self::Filter,
        after: Option<&Self::Key>,
        limit: i64,
    ) -> Result<Vec<Entry<Self>>>;

    /// Number of rows.
    fn count(tx: &mut Tx<'_>, committee: CommitteeId, filter: &Self::Filter) -> Result<i64>;

    /// Where the row stands in a list.
    fn key(entry: &Entry<Self>) -> Self::Key;

    /// The rules that a schema cannot express. References are looked up where they differ from
    /// `before`, so that a row may keep one that is not active any more.
    fn check(&self, tx: &mut Tx<'_>, ctx: &Ctx, before: Option<&Entry<Self>>) -> Result<()>;
}

/// A register whose rows need nothing but their fields.
pub trait Insert: Register {
    /// Stores a new row.
    fn insert(tx: &mut Tx<'_>, committee: CommitteeId, entry: &Entry<Self>) -> Result<()>;
}

/// Adds a row, with its event.
pub fn create<F: Insert>(tx: &mut Tx<'_>, ctx: &Ctx, fields: F) -> Result<Entry<F>> {
    fields.check(tx, ctx, None)?;
    let entry = Entry::new(fields, ctx.now);
    F::insert(tx, ctx.committee(), &entry)?;
    record_created(tx, ctx, ctx.committee(), &entry)?;
    Ok(entry)
}

/// Changes the fields of a row, with its event. Nothing happens where nothing differs.
pub fn change<F: Register>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: Entry<F>,
    fields: F,
) -> Result<Entry<F>> {
    if before.fields == fields {
        return Ok(before);
    }
    fields.check(tx, ctx, Some(&before))?;
    touch(tx, ctx, &before, fields, "changed")
}

/// Stores the next version of a row, with an event of the given name.
pub fn touch<F: Register>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &Entry<F>,
    fields: F,
    event: &str,
) -> Result<Entry<F>> {
    let circumstances = Circumstances::of(ctx, F::WRITERS);
    touch_by(tx, ctx.committee(), &circumstances, before, fields, event)
}

/// The same, where nobody has signed in.
pub fn touch_by<F: Register>(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    circumstances: &Circumstances,
    before: &Entry<F>,
    fields: F,
    event: &str,
) -> Result<Entry<F>> {
    let after = before.changed(fields, circumstances.at);
    if F::update(tx, committee, &after, before.version)? == 0 {
        // Somebody else was faster: run again, and compare If-Match with what he left.
        return Err(Error::new(Code::VersionMismatch).retryable());
    }
    let stream = Stream::of(committee, F::NAME, after.id);
    let happening = Happening::change(&format!("{}.{event}", F::NAME), before, &after);
    events::append(tx, &stream, circumstances, happening)?;
    Ok(after)
}

/// The first event of a new row.
pub(in crate::store) fn record_created<F: Register>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    committee: CommitteeId,
    entry: &Entry<F>,
) -> Result<()> {
    let stream = Stream::of(committee, F::NAME, entry.id);
    let happening = Happening::change(&format!("{}.created", F::NAME), &(), entry);
    let circumstances = Circumstances::of(ctx, F::WRITERS);
    events::append_to(tx, &stream, &Head::default(), &circumstances, happening)?;
    Ok(())
}

/// The row that a field of a body refers to; 422 at `pointer` where there is none.
pub fn referred<F: Register>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: Id<F::Kind>,
    pointer: &str,
    usable: impl Fn(&F) -> bool,
) -> Result<()> {
    match F::find(tx, ctx.committee(), id) {
        Ok(entry) if usable(&entry.fields) => Ok(()),
        Ok(_) => Err(inactive(pointer)),
        Err(error) if error.code() == Code::NotFound => Err(unknown(pointer)),
        Err(error) => Err(error),
    }
}

/// The reference at `pointer` leads nowhere.
pub(in crate::store) fn unknown(pointer: &str) -> Error {
    Error::invalid(
        pointer,
        "unknown_reference",
        Message::new("本委员会没有该记录。", "The committee has no such row."),
    )
}

/// The reference at `pointer` leads to a row that is not used any more.
pub(in crate::store) fn inactive(pointer: &str) -> Error {
    Error::invalid(
        pointer,
        "inactive_reference",
        Message::new("该记录已停用。", "The row is not active."),
    )
}

/// 422 at `pointer` unless two fields stand in the right order.
pub(in crate::store) fn in_order(
    ordered: bool,
    pointer: &'static str,
    zh: &'static str,
    en: &'static str,
) -> Result<()> {
    if ordered {
        Ok(())
    } else {
        Err(Error::invalid(pointer, "order", Message::new(zh, en)))
    }
}

/// What `active` is in a new row.
pub(in crate::store) const fn active() -> bool {
    true
}

/// A search text in a query string: 1 to `MAX` characters.
pub(in crate::store) fn text<'de, D: Deserializer<'de>, const MAX: usize>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if (1..=MAX).contains(&text.chars().count()) {
        Ok(Some(text))
    } else {
        Err(serde::de::Error::custom(Message::new(
            format!("须为 1 至 {MAX} 个字符。"),
            format!("1 to {MAX} characters."),
        )))
    }
}

define_sql_function! {
    /// Lower case, so that a search treats Latin letters alike on both backends.
    fn lower(text: Text) -> Text;
}

/// What `lower(column) LIKE … ESCAPE '\'` must match for the column to contain `text`.
pub(in crate::store) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// The columns of a [`Row`].
macro_rules! columns {
    ($table:ident, $fields:ty) => {
        (
            $table::id,
            <$fields as diesel::Selectable<$crate::store::connection::MultiBackend>>::construct_selection(),
            $table::version,
            $table::created_at,
            $table::updated_at,
        )
    };
}
pub(in crate::store) use columns;

/// [`Rows`] and [`Insert`] for a table that is keyed by committee and id.
macro_rules! row_statements {
    ($table:ident, $fields:ident, $kind:ident) => {
        impl $crate::store::register::Rows for $fields {
            type Kind = $crate::ids::kind::$kind;

            fn find(
                tx: &mut $crate::store::Tx<'_>,
                committee: $crate::ids::CommitteeId,
                id: $crate::ids::Id<Self::Kind>,
            ) -> $crate::error::Result<$crate::store::register::Entry<Self>> {
                let row: $crate::store::register::Row<Self> = $table::table
                    .filter($table::committee_id.eq(committee))
                    .filter($table::id.eq(id))
                    .select($crate::store::register::columns!($table, $fields))
                    .first_row(tx.conn)?;
                Ok(row.into())
            }

            fn update(
                tx: &mut $crate::store::Tx<'_>,
                committee: $crate::ids::CommitteeId,
                entry: &$crate::store::register::Entry<Self>,
                version: i32,
            ) -> $crate::error::Result<usize> {
                let row = $table::table
                    .filter($table::committee_id.eq(committee))
                    .filter($table::id.eq(entry.id))
                    .filter($table::version.eq(version));
                let changes = (
                    entry.fields.clone(),
                    $table::version.eq(entry.version),
                    $table::updated_at.eq($crate::store::sql_types::At(entry.updated_at)),
                );
                Ok(diesel::update(row).set(changes).run(tx.conn)?)
            }
        }

        impl $crate::store::register::Insert for $fields {
            fn insert(
                tx: &mut $crate::store::Tx<'_>,
                committee: $crate::ids::CommitteeId,
                entry: &$crate::store::register::Entry<Self>,
            ) -> $crate::error::Result<()> {
                let values = (
                    $table::committee_id.eq(committee),
                    $table::id.eq(entry.id),
                    entry.fields.clone(),
                    $table::version.eq(entry.version),
                    $table::created_at.eq($crate::store::sql_types::At(entry.created_at)),
                    $table::updated_at.eq($crate::store::sql_types::At(entry.updated_at)),
                );
                diesel::insert_into($table::table)
                    .values(values)
                    .run(tx.conn)?;
                Ok(())
            }
        }
    };
}
pub(in crate::store) use row_statements;

#[cfg(test)]
mod tests {
    use super::containing;

    #[test]
    fn wildcards_in_a_search_stand_for_themselves() {
        assert_eq!(containing(r"50%_A\b"), r"%50\%\_a\\b%");
    }
}
