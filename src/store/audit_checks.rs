//! Checks of the whole trail that auditors asked for.

use diesel::prelude::*;
use jiff::Timestamp;

use super::Tx;
use super::connection::MultiBackend;
use super::prepared::Prepare;
use super::run::Run;
use super::schema::audit_checks;
use super::sql_types::{At, Json};
use super::verify::Report;
use crate::code_list;
use crate::error::Result;
use crate::ids::{AuditCheckId, CommitteeId, UserId};

code_list! {
    /// Where a check of the trail stands.
    pub enum CheckStatus {
        Running = "running", "核验中", "under way";
        Whole = "whole", "完好", "everything holds";
        Broken = "broken", "有损坏", "something does not hold";
    }
}

/// A check.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_checks)]
pub struct CheckRow {
    /// The tenant.
    pub committee_id: CommitteeId,
    /// Identifier.
    pub id: AuditCheckId,
    /// Who asked for it.
    pub requested_by: UserId,
    /// Where it stands.
    pub status: CheckStatus,
    /// Number of the exported seal that the trail is compared with.
    pub head_number: Option<i32>,
    /// Hash of that seal.
    pub head_hash: Option<String>,
    /// What was found so far.
    pub report: Json,
    /// When it was asked for.
    pub created_at: At,
    /// When it was done.
    pub finished_at: Option<At>,
}

/// Stores a check that begins.
pub fn insert(tx: &mut Tx<'_>, row: &CheckRow) -> Result<()> {
    diesel::insert_into(audit_checks::table)
        .values((
            audit_checks::committee_id.eq(row.committee_id),
            audit_checks::id.eq(row.id),
            audit_checks::requested_by.eq(row.requested_by),
            audit_checks::status.eq(row.status),
            audit_checks::head_number.eq(row.head_number),
            audit_checks::head_hash.eq(&row.head_hash),
            audit_checks::report.eq(&row.report),
            audit_checks::created_at.eq(row.created_at),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// A check.
pub fn find(tx: &mut Tx<'_>, committee: CommitteeId, id: AuditCheckId) -> Result<Option<CheckRow>> {
    Ok(audit_checks::table
        .find((committee, id))
        .select(<CheckRow as Selectable<MultiBackend>>::construct_selection())
        .first_row(tx.conn)
        .optional()?)
}

/// Stores how far a check came.
pub fn proceed(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: AuditCheckId,
    report: &Report,
    finished: Option<Timestamp>,
) -> Result<()> {
    let status = match (finished, &report.broken) {
        (None, _) => CheckStatus::Running,
        (Some(_), None) => CheckStatus::Whole,
        (Some(_), Some(_)) => CheckStatus::Broken,
    };
    diesel::update(audit_checks::table.find((committee, id)))
        .set((
            audit_checks::status.eq(status),
            audit_checks::report.eq(Json::of(report)?),
            audit_checks::finished_at.eq(finished.map(At)),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}
