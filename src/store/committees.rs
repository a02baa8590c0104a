//! The directory of committees: a tree from the national level down.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Tx;
use super::connection::MultiBackend;
use super::events::{self, Circumstances, Happening, Stream};
use super::policy_profiles;
use super::prepared::Prepare;
use super::refusal_reasons;
use super::register::{
    self, Entry, Register, Row, Rows, columns, containing, in_order, lower, text,
};
use super::run::Run;
use super::schema::committees;
use super::sql_types::{At, Uid};
use super::users::{self, UserFields};
use crate::app::Ctx;
use crate::error::{Code, Result};
use crate::ids::{CommitteeId, kind};
use crate::workflow::lists::CommitteeLevel;
use crate::workflow::role::Role;

/// What is known of a committee (政协委员会).
#[derive(
    Debug, Clone, PartialEq, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset,
)]
#[diesel(table_name = committees, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct CommitteeFields {
    /// Short name for signing in; unique in the service.
    #[schema(
        min_length = 2,
        max_length = 39,
        pattern = "^[a-z][a-z0-9-]{1,38}$",
        example = "yunling"
    )]
    pub code: String,
    /// Full name.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"\S",
        example = "政协云岭市委员会"
    )]
    pub name: String,
    /// Where it stands in the tree.
    #[schema(example = "municipal")]
    pub level: CommitteeLevel,
    /// The region it belongs to.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", example = "云岭市")]
    pub region: String,
    /// Whether its accounts may sign in.
    #[schema(example = true)]
    pub active: bool,
    /// The committee above; absent at the root of the tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parent_id: Option<CommitteeId>,
}

/// Narrows a list of committees.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CommitteeFilter {
    /// Only committees of this level.
    #[param(nullable = false)]
    pub level: Option<CommitteeLevel>,
    /// Only committees directly below this one.
    #[param(nullable = false)]
    pub parent_id: Option<CommitteeId>,
    /// Only committees whose name contains this.
    #[serde(default, deserialize_with = "text::<_, 100>")]
    #[param(min_length = 1, max_length = 100, nullable = false, example = "云岭")]
    pub name: Option<String>,
}

/// Condition for the committees that one can see: itself, those above it and those below it. The
/// tree has five levels, so no walk takes more than four steps.
const VISIBLE: [&str; 2] = [
    "committees.id IN (
        WITH RECURSIVE walk (id, parent_id, step) AS (
            SELECT id, parent_id, 0 FROM committees WHERE id = ",
    "
            UNION ALL
            SELECT c.id, c.parent_id, CASE WHEN c.id = w.parent_id THEN w.step - 1 ELSE w.step + 1 END
            FROM committees AS c
            JOIN walk AS w
                ON (c.id = w.parent_id AND w.step BETWEEN -3 AND 0)
                OR (c.parent_id = w.id AND w.step BETWEEN 0 AND 3)
        )
        SELECT id FROM walk
    )",
];

fn matching(
    own: CommitteeId,
    filter: &CommitteeFilter,
) -> committees::BoxedQuery<'_, MultiBackend> {
    let [before, after] = VISIBLE;
    let visible = sql::<Bool>(before).bind::<Uid, _>(own).sql(after);
    let mut query = committees::table.filter(visible).into_boxed();
    if let Some(level) = filter.level {
        query = query.filter(committees::level.eq(level));
    }
    if let Some(parent) = filter.parent_id {
        query = query.filter(committees::parent_id.eq(parent));
    }
    if let Some(name) = &filter.name {
        query = query.filter(lower(committees::name).like(containing(name)).escape('\\'));
    }
    query
}

/// Adds a committee, with what all are given: the code lists, and the defaults as its policy
/// profile. Its parent must exist.
pub fn insert(tx: &mut Tx<'_>, entry: &Entry<CommitteeFields>) -> Result<()> {
    diesel::insert_into(committees::table)
        .values((
            committees::id.eq(entry.id),
            entry.fields.clone(),
            committees::version.eq(entry.version),
            committees::created_at.eq(At(entry.created_at)),
            committees::updated_at.eq(At(entry.updated_at)),
        ))
        .prepared()
        .run(tx.conn)?;
    policy_profiles::insert_first(tx, entry.id, entry.created_at)?;
    refusal_reasons::give_built_in(tx, entry.id, entry.created_at)
}

/// Name of another active committee above or below, and whether it stands above.
pub fn relation(
    tx: &mut Tx<'_>,
    own: CommitteeId,
    id: CommitteeId,
) -> Result<Option<(String, bool)>> {
    let found = |tx: &mut Tx<'_>, id| match CommitteeFields::find(tx, own, id) {
        Ok(entry) => Ok(Some(entry.fields)),
        Err(error) if error.code() == Code::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    if own == id {
        return Ok(None);
    }
    let (Some(mine), Some(other)) = (found(tx, own)?, found(tx, id)?) else {
        return Ok(None);
    };
    Ok(other.active.then(|| (other.name, other.level < mine.level)))
}

/// Holds the row of a committee for the rest of the transaction and leaves it as it is: acts that
/// look at the committee as a whole take turns here.
pub fn hold(tx: &mut Tx<'_>, id: CommitteeId) -> Result<()> {
    diesel::update(committees::table.find(id))
        .set(committees::version.eq(committees::version))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Adds a committee below the caller's, with the accounts of its first administrators, each with
/// the hash of a password that must be changed. Both committees keep an event of it.
pub fn create(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    fields: CommitteeFields,
    administrators: &[(UserFields, String)],
) -> Result<Entry<CommitteeFields>> {
    let parent = CommitteeFields::find(tx, ctx.committee(), ctx.committee())?;
    in_order(
        parent.fields.level < fields.level,
        "/level",
        "须低于上级委员会的层级。",
        "It must be below the level of the committee above.",
    )?;
    let entry = Entry::new(
        CommitteeFields {
            parent_id: Some(parent.id),
            ..fields
        },
        ctx.now,
    );
    insert(tx, &entry)?;
    register::record_created(tx, ctx, entry.id, &entry)?;
    for (administrator, password_hash) in administrators {
        let administrator = Entry::new(administrator.clone(), ctx.now);
        users::insert(tx, entry.id, &administrator, Some(password_hash))?;
        register::record_created(tx, ctx, entry.id, &administrator)?;
    }
    let stream = Stream::of(ctx.committee(), CommitteeFields::NAME, parent.id);
    let circumstances = Circumstances::of(ctx, CommitteeFields::WRITERS);
    let happening = Happening::change("committee.child_created", &(), &entry);
    events::append(tx, &stream, &circumstances, happening)?;
    Ok(entry)
}

impl Rows for CommitteeFields {
    type Kind = kind::Committee;

    fn find(tx: &mut Tx<'_>, own: CommitteeId, id: CommitteeId) -> Result<Entry<Self>> {
        let row: Row<Self> = matching(own, &CommitteeFilter::default())
            .filter(committees::id.eq(id))
            .select(columns!(committees, Self))
            .first(tx.conn)?;
        Ok(row.into())
    }

    /// Only a committee itself changes what is known of it.
    fn update(
        tx: &mut Tx<'_>,
        own: CommitteeId,
        entry: &Entry<Self>,
        version: i32,
    ) -> Result<usize> {
        let row = committees::table
            .filter(committees::id.eq(own))
            .filter(committees::id.eq(entry.id))
            .filter(committees::version.eq(version));
        let changes = (
            entry.fields.clone(),
            committees::version.eq(entry.version),
            committees::updated_at.eq(At(entry.updated_at)),
        );
        Ok(diesel::update(row).set(changes).prepared().run(tx.conn)?)
    }
}

impl Register for CommitteeFields {
    type Filter = CommitteeFilter;
    type Key = CommitteeId;
    const NAME: &'static str = "committee";
    const WRITERS: &'static [Role] = &[Role::Administrator];

    fn list(
        tx: &mut Tx<'_>,
        own: CommitteeId,
        filter: &CommitteeFilter,
        after: Option<&CommitteeId>,
        limit: i64,
    ) -> Result<Vec<Entry<Self>>> {
        let mut query = matching(own, filter);
        if let Some(id) = after {
            query = query.filter(committees::id.gt(*id));
        }
        let query = query.order(committees::id).limit(limit);
        let rows: Vec<Row<Self>> = query.select(columns!(committees, Self)).load(tx.conn)?;
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    fn count(tx: &mut Tx<'_>, own: CommitteeId, filter: &CommitteeFilter) -> Result<i64> {
        Ok(matching(own, filter).count().get_result(tx.conn)?)
    }

    fn key(entry: &Entry<Self>) -> CommitteeId {
        entry.id
    }

    fn check(&self, _: &mut Tx<'_>, _: &Ctx, _: Option<&Entry<Self>>) -> Result<()> {
        Ok(())
    }
}
