//! Reasons for not filing, as each committee has them.
//!
//! A reason is known by its code. Once a case has it it keeps its meaning, and the database itself
//! keeps it: what was said to a proposer stays readable for ever.

use diesel::dsl::max;
use diesel::prelude::*;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Tx;
use super::connection::{AnyConnection, MultiBackend};
use super::events::{self, Circumstances, Happening, Stream};
use super::prepared::Prepare;
use super::refusal_uses;
use super::run::Run;
use super::schema::refusal_reasons;
use super::sql_types::At;
use crate::app::Ctx;
use crate::codes::Label;
use crate::digest;
use crate::error::{Code, Error, Message, Result};
use crate::ids::{CommitteeId, StreamId};
use crate::workflow::reasons::{BUILT_IN, ReasonCode, ReasonLabel, ReasonStatus};
use crate::workflow::role::Role;

/// Who makes reasons.
pub const WRITERS: &[Role] = &[Role::Administrator];
/// Who says which are in use.
pub const DECIDERS: &[Role] = &[Role::CommitteeChair];

/// Last place in the list.
const LAST: i32 = 9999;
/// Distance between two places, so that something fits between.
const STEP: i32 = 10;

/// A reason for not filing, as the committee has it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RefusalReason {
    /// Its code; unique in the committee, never changed.
    pub code: ReasonCode,
    /// What it is called.
    pub label: ReasonLabel,
    /// One of the national list of ten.
    #[schema(example = true)]
    pub national: bool,
    /// It removes the text of the proposal for good; the metadata stay.
    #[schema(example = false)]
    pub hide_text: bool,
    /// Given to every committee: it can be retired, but neither deleted nor given another meaning.
    #[schema(example = true)]
    pub built_in: bool,
    /// Whether it may be given.
    pub status: ReasonStatus,
    /// Label of the status.
    pub status_label: Label,
    /// Place in the list.
    #[schema(minimum = 1, maximum = 9999, example = 100)]
    pub position: i32,
    /// Number of the present version, from 1; its entity tag.
    #[schema(minimum = 1, example = 1)]
    pub version: i32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, max_length = 40, example = "2026-01-18T01:30:00Z")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime, max_length = 40, example = "2026-01-18T01:30:00Z")]
    pub updated_at: Timestamp,
}

/// A reason of the committee's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRefusalReason {
    /// Its code; unique in the committee, never changed.
    pub code: ReasonCode,
    /// What it is called.
    pub label: ReasonLabel,
    /// Whether it removes the text of the proposal for good.
    #[serde(default)]
    #[schema(default = false, example = false)]
    pub hide_text: bool,
    /// Place in the list; behind all others if it is left out.
    #[serde(default)]
    #[schema(nullable = false, minimum = 1, maximum = 9999, example = 205)]
    pub position: Option<i32>,
}

/// What can be changed of a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusalReasonFields {
    /// What it is called.
    pub label: ReasonLabel,
    /// Whether it removes the text of the proposal for good.
    #[schema(example = false)]
    pub hide_text: bool,
    /// Place in the list.
    #[schema(minimum = 1, maximum = 9999, example = 205)]
    pub position: i32,
}

/// Narrows a list of reasons.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RefusalReasonFilter {
    /// Only reasons of this status; `active` for those that may be given now.
    #[param(nullable = false)]
    pub status: Option<ReasonStatus>,
}

/// What a list is sorted by.
pub type Key = (i32, ReasonCode);

/// A row as it comes from the database.
#[derive(Queryable, Selectable)]
#[diesel(table_name = refusal_reasons)]
struct Row {
    code: ReasonCode,
    label_zh: String,
    label_en: String,
    national: bool,
    hide_text: bool,
    built_in: bool,
    status: ReasonStatus,
    position: i32,
    version: i32,
    created_at: At,
    updated_at: At,
}

impl Row {
    fn columns() -> <Self as Selectable<MultiBackend>>::SelectExpression {
        <Self as Selectable<MultiBackend>>::construct_selection()
    }
}

impl From<Row> for RefusalReason {
    fn from(row: Row) -> Self {
        Self {
            code: row.code,
            label: ReasonLabel {
                zh: row.label_zh,
                en: row.label_en,
            },
            national: row.national,
            hide_text: row.hide_text,
            built_in: row.built_in,
            status: row.status,
            status_label: row.status.label(),
            position: row.position,
            version: row.version,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        }
    }
}

impl RefusalReason {
    /// Where it stands in a list.
    pub fn key(&self) -> Key {
        (self.position, self.code.clone())
    }

    /// The part that can be changed.
    pub fn fields(&self) -> RefusalReasonFields {
        RefusalReasonFields {
            label: self.label.clone(),
            hide_text: self.hide_text,
            position: self.position,
        }
    }

    /// The next version.
    fn next(&self, now: Timestamp) -> Self {
        Self {
            version: self.version + 1,
            updated_at: now,
            ..self.clone()
        }
    }
}

fn matching(
    committee: CommitteeId,
    filter: &RefusalReasonFilter,
) -> refusal_reasons::BoxedQuery<'_, MultiBackend> {
    let query = refusal_reasons::table
        .filter(refusal_reasons::committee_id.eq(committee))
        .into_boxed();
    match filter.status {
        Some(status) => query.filter(refusal_reasons::status.eq(status)),
        None => query,
    }
}

/// Reasons behind `after` in the order of the list, at most `limit`.
pub fn list(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    filter: &RefusalReasonFilter,
    after: Option<&Key>,
    limit: i64,
) -> Result<Vec<RefusalReason>> {
    let mut query = matching(committee, filter);
    if let Some((position, code)) = after {
        query = query.filter(
            refusal_reasons::position
                .gt(*position)
                .or(refusal_reasons::position
                    .eq(*position)
                    .and(refusal_reasons::code.gt(code))),
        );
    }
    let rows: Vec<Row> = query
        .order((refusal_reasons::position, refusal_reasons::code))
        .limit(limit)
        .select(Row::columns())
        .load(tx.conn)?;
    Ok(rows.into_iter().map(RefusalReason::from).collect())
}

/// Number of reasons.
pub fn count(tx: &mut Tx<'_>, committee: CommitteeId, filter: &RefusalReasonFilter) -> Result<i64> {
    Ok(matching(committee, filter).count().get_result(tx.conn)?)
}

/// One reason of the committee, or 404.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, code: &ReasonCode) -> Result<RefusalReason> {
    let row: Row = refusal_reasons::table
        .filter(refusal_reasons::committee_id.eq(committee))
        .filter(refusal_reasons::code.eq(code))
        .select(Row::columns())
        .first_row(tx.conn)?;
    Ok(row.into())
}

/// The same, kept from others until the transaction ends: no case gets it meanwhile.
pub fn lock(tx: &mut Tx<'_>, committee: CommitteeId, code: &ReasonCode) -> Result<RefusalReason> {
    // On SQLite only one writes at a time.
    if let AnyConnection::Postgres(conn) = &mut *tx.conn {
        refusal_reasons::table
            .filter(refusal_reasons::committee_id.eq(committee))
            .filter(refusal_reasons::code.eq(code))
            .select(refusal_reasons::version)
            .for_update()
            .load::<i32>(conn)?;
    }
    find(tx, committee, code)
}

/// The reasons of these codes, in any order.
pub(in crate::store) fn named(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    codes: &[ReasonCode],
) -> Result<Vec<RefusalReason>> {
    let rows: Vec<Row> = refusal_reasons::table
        .filter(refusal_reasons::committee_id.eq(committee))
        .filter(refusal_reasons::code.eq_any(codes))
        .select(Row::columns())
        .rows(tx.conn)?;
    Ok(rows.into_iter().map(RefusalReason::from).collect())
}

/// Gives a new committee the reasons that every committee has.
pub(in crate::store) fn give_built_in(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    now: Timestamp,
) -> Result<()> {
    for (number, given) in (1..).zip(BUILT_IN) {
        let reason = RefusalReason {
            code: given.code.parse().map_err(Error::internal)?,
            label: ReasonLabel {
                zh: given.label.zh.to_owned(),
                en: given.label.en.to_owned(),
            },
            national: given.national,
            hide_text: given.hides_text,
            built_in: true,
            status: ReasonStatus::Active,
            status_label: ReasonStatus::Active.label(),
            position: number * STEP,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        insert(tx, committee, &reason)?;
    }
    Ok(())
}

fn insert(tx: &mut Tx<'_>, committee: CommitteeId, reason: &RefusalReason) -> Result<()> {
    diesel::insert_into(refusal_reasons::table)
        .values((
            refusal_reasons::committee_id.eq(committee),
            refusal_reasons::code.eq(&reason.code),
            refusal_reasons::label_zh.eq(&reason.label.zh),
            refusal_reasons::label_en.eq(&reason.label.en),
            refusal_reasons::national.eq(reason.national),
            refusal_reasons::hide_text.eq(reason.hide_text),
            refusal_reasons::built_in.eq(reason.built_in),
            refusal_reasons::status.eq(reason.status),
            refusal_reasons::position.eq(reason.position),
            refusal_reasons::version.eq(reason.version),
            refusal_reasons::created_at.eq(At(reason.created_at)),
            refusal_reasons::updated_at.eq(At(reason.updated_at)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// Makes a draft of a reason of the committee's own.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewRefusalReason) -> Result<RefusalReason> {
    let last: Option<i32> = refusal_reasons::table
        .filter(refusal_reasons::committee_id.eq(ctx.committee()))
        .select(max(refusal_reasons::position))
        .row(tx.conn)?;
    let behind = (last.unwrap_or(0) + STEP).min(LAST);
    let reason = RefusalReason {
        code: new.code,
        label: new.label,
        national: false,
        hide_text: new.hide_text,
        built_in: false,
        status: ReasonStatus::Draft,
        status_label: ReasonStatus::Draft.label(),
        position: new.position.unwrap_or(behind),
        version: 1,
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    insert(tx, ctx.committee(), &reason)?;
    let happening = Happening::change("refusal_reason.created", &(), &reason);
    record(tx, ctx, &reason.code, WRITERS, happening)?;
    Ok(reason)
}

/// Changes a locked reason. Its meaning (label and what it does to the text) changes only while no
/// case has it; an active one is a draft again after that, for the chair to look at.
pub fn change(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &RefusalReason,
    fields: RefusalReasonFields,
) -> Result<RefusalReason> {
    if before.fields() == fields {
        return Ok(before.clone());
    }
    let mut after = RefusalReason {
        label: fields.label,
        hide_text: fields.hide_text,
        position: fields.position,
        ..before.next(ctx.now)
    };
    if (&after.label, after.hide_text) != (&before.label, before.hide_text) {
        refusal_uses::check_free(tx, ctx, before)?;
        if before.status == ReasonStatus::Active {
            after.status = ReasonStatus::Draft;
            after.status_label = after.status.label();
        }
    }
    store(tx, ctx, before, after, WRITERS, "refusal_reason.changed")
}

/// Puts a locked reason to use, from draft or retired.
pub fn activate(tx: &mut Tx<'_>, ctx: &Ctx, before: &RefusalReason) -> Result<RefusalReason> {
    const FROM: &[ReasonStatus] = &[ReasonStatus::Draft, ReasonStatus::Retired];
    let name = "refusal_reason.activated";
    set_status(tx, ctx, before, FROM, ReasonStatus::Active, name)
}

/// Takes a locked reason out of use; the cases that have it keep it.
pub fn retire(tx: &mut Tx<'_>, ctx: &Ctx, before: &RefusalReason) -> Result<RefusalReason> {
    const FROM: &[ReasonStatus] = &[ReasonStatus::Active];
    let name = "refusal_reason.retired";
    set_status(tx, ctx, before, FROM, ReasonStatus::Retired, name)
}

fn set_status(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &RefusalReason,
    from: &[ReasonStatus],
    to: ReasonStatus,
    event: &str,
) -> Result<RefusalReason> {
    if !from.contains(&before.status) {
        let label = before.status_label;
        return Err(Error::new(Code::StateConflict)
            .detail(Message::new(
                format!("当前状态“{}”不能进行此操作。", label.zh),
                format!("Not from the present status: {}.", label.en),
            ))
            .with("current_status", before.status)
            .with("allowed_from", from));
    }
    let after = RefusalReason {
        status: to,
        status_label: to.label(),
        ..before.next(ctx.now)
    };
    store(tx, ctx, before, after, DECIDERS, event)
}

/// Deletes a locked reason of the committee's own that no case has.
pub fn delete(tx: &mut Tx<'_>, ctx: &Ctx, before: &RefusalReason) -> Result<()> {
    refusal_uses::check_free(tx, ctx, before)?;
    diesel::delete(refusal_reasons::table.find((ctx.committee(), &before.code))).run(tx.conn)?;
    let happening = Happening::change("refusal_reason.deleted", before, &());
    record(tx, ctx, &before.code, WRITERS, happening)
}

fn store(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &RefusalReason,
    after: RefusalReason,
    by: &[Role],
    event: &str,
) -> Result<RefusalReason> {
    let row = refusal_reasons::table
        .filter(refusal_reasons::committee_id.eq(ctx.committee()))
        .filter(refusal_reasons::code.eq(&after.code))
        .filter(refusal_reasons::version.eq(before.version));
    let changed = diesel::update(row)
        .set((
            refusal_reasons::label_zh.eq(&after.label.zh),
            refusal_reasons::label_en.eq(&after.label.en),
            refusal_reasons::hide_text.eq(after.hide_text),
            refusal_reasons::status.eq(after.status),
            refusal_reasons::position.eq(after.position),
            refusal_reasons::version.eq(after.version),
            refusal_reasons::updated_at.eq(At(after.updated_at)),
        ))
        .prepared()
        .run(tx.conn)?;
    if changed == 0 {
        return Err(Error::new(Code::VersionMismatch).retryable());
    }
    record(
        tx,
        ctx,
        &after.code,
        by,
        Happening::change(event, before, &after),
    )?;
    Ok(after)
}

fn record(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    code: &ReasonCode,
    by: &[Role],
    happening: Happening,
) -> Result<()> {
    let circumstances = Circumstances::of(ctx, by);
    events::append(
        tx,
        &stream(ctx.committee(), code),
        &circumstances,
        happening,
    )
}

/// The history of a code. It outlives the reason, so that its name follows from the code alone.
pub fn stream(committee: CommitteeId, code: &ReasonCode) -> Stream {
    const KIND: &str = "refusal_reason";
    let digest = digest::hex(&[
        KIND.as_bytes(),
        committee.uuid().as_bytes(),
        code.as_str().as_bytes(),
    ]);
    let number = digest
        .get(..32)
        .and_then(|half| u128::from_str_radix(half, 16).ok())
        .unwrap_or_default();
    let uuid = uuid::Builder::from_custom_bytes(Uuid::from_u128(number).into_bytes()).into_uuid();
    Stream {
        committee,
        kind: KIND,
        id: StreamId::from_uuid(uuid),
    }
}
