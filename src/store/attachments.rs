//! Files that go with the texts of a case: everything but their content.

use diesel::prelude::*;
use jiff::Timestamp;
use serde_json::json;

use super::Tx;
use super::connection::MultiBackend;
use super::events::{self, Circumstances, Happening, Stream};
use super::prepared::Prepare;
use super::run::Run;
use super::schema::attachments::{self, dsl};
use super::sql_types::At;
use crate::error::{Error, Result};
use crate::ids::{AttachmentId, CommitteeId, ProposalId, ProposerId, SubjectId, UserId};
use crate::workflow::attachments::{
    AttachmentFacts, AttachmentStatus, Binding, BoundKind, FileType,
};
use crate::workflow::role::Role;

/// Most files of a case that are listed; the newest.
pub const MOST: i64 = 500;
/// Files whose content is deleted in one go.
const BATCH: i64 = 100;

/// A row of `attachments`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = attachments)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct AttachmentRow {
    pub committee_id: CommitteeId,
    pub id: AttachmentId,
    pub proposal_id: ProposalId,
    pub version: i32,
    pub status: AttachmentStatus,
    pub name: String,
    pub file_type: FileType,
    pub size_bytes: i64,
    pub sha256: String,
    pub stored: bool,
    pub bound_kind: Option<BoundKind>,
    pub bound_id: Option<SubjectId>,
    pub bound_rater_id: Option<ProposerId>,
    pub uploaded_by: UserId,
    pub created_at: At,
    pub bound_at: Option<At>,
    pub removed_at: Option<At>,
}

impl AttachmentRow {
    /// The text it goes with.
    pub fn binding(&self) -> Option<Binding> {
        Some(Binding {
            kind: self.bound_kind?,
            id: self.bound_id?,
            rater: self.bound_rater_id,
        })
    }

    /// What the rules ask of it.
    pub fn facts(&self) -> AttachmentFacts {
        AttachmentFacts {
            proposal: self.proposal_id,
            uploader: self.uploaded_by,
            status: self.status,
            bound: self.binding(),
            size: u64::try_from(self.size_bytes).unwrap_or_default(),
        }
    }

    fn stream(&self) -> Stream {
        Stream::of(self.committee_id, "attachment", self.id)
    }

    /// What the audit trail says of it. Not the name: it may have to go with the content (I29).
    fn in_trail(&self) -> serde_json::Value {
        json!({
            "proposal": self.proposal_id,
            "file_type": self.file_type,
            "size": self.size_bytes,
            "sha256": self.sha256,
        })
    }
}

fn columns() -> <AttachmentRow as Selectable<MultiBackend>>::SelectExpression {
    <AttachmentRow as Selectable<MultiBackend>>::construct_selection()
}

/// One file.
pub fn find(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: AttachmentId,
) -> Result<Option<AttachmentRow>> {
    Ok(dsl::attachments
        .find((committee, id))
        .select(columns())
        .first_row(tx.conn)
        .optional()?)
}

/// The files of these names.
pub fn find_all(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    ids: &[AttachmentId],
) -> Result<Vec<AttachmentRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(dsl::attachments
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::id.eq_any(ids))
        .select(columns())
        .rows(tx.conn)?)
}

/// The files of a case that are stored or were, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    proposal: ProposalId,
) -> Result<Vec<AttachmentRow>> {
    Ok(dsl::attachments
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::proposal_id.eq(proposal))
        .filter(dsl::status.ne(AttachmentStatus::Incoming))
        .order(dsl::id.desc())
        .limit(MOST)
        .select(columns())
        .rows(tx.conn)?)
}

/// How many files somebody has on the way or staged in a case.
pub fn count_open(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    proposal: ProposalId,
    uploader: UserId,
) -> Result<i64> {
    let open = [AttachmentStatus::Incoming, AttachmentStatus::Staged];
    Ok(dsl::attachments
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::proposal_id.eq(proposal))
        .filter(dsl::uploaded_by.eq(uploader))
        .filter(dsl::status.eq_any(open))
        .count()
        .row(tx.conn)?)
}

/// Notes a file whose content is about to be stored.
pub fn insert(tx: &mut Tx<'_>, row: &AttachmentRow) -> Result<()> {
    diesel::insert_into(dsl::attachments)
        .values((
            (
                dsl::committee_id.eq(row.committee_id),
                dsl::id.eq(row.id),
                dsl::proposal_id.eq(row.proposal_id),
                dsl::version.eq(row.version),
                dsl::status.eq(row.status),
                dsl::name.eq(&row.name),
                dsl::file_type.eq(row.file_type),
            ),
            (
                dsl::size_bytes.eq(row.size_bytes),
                dsl::sha256.eq(&row.sha256),
                dsl::stored.eq(row.stored),
                dsl::uploaded_by.eq(row.uploaded_by),
                dsl::created_at.eq(row.created_at),
            ),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(())
}

/// The content is stored: the file is there for its uploader.
pub fn stage(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: AttachmentId,
    by: &Circumstances,
) -> Result<AttachmentRow> {
    let changed = diesel::update(dsl::attachments.find((committee, id)))
        .filter(dsl::status.eq(AttachmentStatus::Incoming))
        .set(dsl::status.eq(AttachmentStatus::Staged))
        .prepared()
        .run(tx.conn)?;
    let row = find(tx, committee, id)?.filter(|_| changed == 1);
    let row = row.ok_or_else(|| Error::internal("the upload was given up meanwhile"))?;
    let happening = Happening {
        name: "attachment.uploaded".to_owned(),
        rule: None,
        content: row.in_trail(),
    };
    events::append(tx, &row.stream(), by, happening)?;
    Ok(row)
}

/// A staged file goes with a text from now on.
pub fn bind(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    id: AttachmentId,
    to: Binding,
    at: Timestamp,
) -> Result<()> {
    let changed = diesel::update(dsl::attachments.find((committee, id)))
        .filter(dsl::status.eq(AttachmentStatus::Staged))
        .set((
            dsl::status.eq(AttachmentStatus::Bound),
            dsl::version.eq(dsl::version + 1),
            dsl::bound_kind.eq(to.kind),
            dsl::bound_id.eq(to.id),
            dsl::bound_rater_id.eq(to.rater),
            dsl::bound_at.eq(At(at)),
        ))
        .prepared()
        .run(tx.conn)?;
    if changed == 1 {
        return Ok(());
    }
    // Its uploader took it away between the check and now: look again, and refuse.
    Err(Error::internal("a file was taken away while it was bound").retryable())
}

/// Takes a file away: the row stays until the content is deleted, for good if a text names it.
pub fn remove(
    tx: &mut Tx<'_>,
    row: &AttachmentRow,
    reason: &'static str,
    by: &Circumstances,
) -> Result<()> {
    // The name may be as secret as the content was.
    let extension = row.file_type.extensions().first().copied();
    let name = format!("removed.{}", extension.unwrap_or_default());
    let changed = diesel::update(dsl::attachments.find((row.committee_id, row.id)))
        .filter(dsl::status.eq(row.status))
        .set((
            dsl::status.eq(AttachmentStatus::Removed),
            dsl::version.eq(dsl::version + 1),
            dsl::name.eq(name),
            dsl::removed_at.eq(At(by.at)),
        ))
        .prepared()
        .run(tx.conn)?;
    if changed == 0 {
        return Err(Error::internal("a file changed while it was removed").retryable());
    }
    if row.status == AttachmentStatus::Incoming {
        return Ok(());
    }
    let mut content = row.in_trail();
    content["reason"] = reason.into();
    let happening = Happening {
        name: "attachment.removed".to_owned(),
        rule: None,
        content,
    };
    events::append(tx, &row.stream(), by, happening)
}

/// Takes away what goes with the text of a proposal, and what might have been meant for it (I29).
pub fn hide(
    tx: &mut Tx<'_>,
    committee: CommitteeId,
    proposal: ProposalId,
    by: &Circumstances,
) -> Result<()> {
    let staged = [AttachmentStatus::Incoming, AttachmentStatus::Staged];
    let rows: Vec<AttachmentRow> = dsl::attachments
        .filter(dsl::committee_id.eq(committee))
        .filter(dsl::proposal_id.eq(proposal))
        .filter(dsl::status.ne(AttachmentStatus::Removed))
        .filter(
            dsl::bound_kind
                .eq(BoundKind::ProposalText)
                .or(dsl::status.eq_any(staged)),
        )
        .select(columns())
        .rows(tx.conn)?;
    for row in &rows {
        remove(tx, row, "text_hidden", by)?;
    }
    Ok(())
}

/// Takes away what nobody used since a moment, in every committee; gives how many there were.
pub fn expire(tx: &mut Tx<'_>, before: Timestamp, now: Timestamp) -> Result<usize> {
    let unused = [AttachmentStatus::Incoming, AttachmentStatus::Staged];
    let rows: Vec<AttachmentRow> = dsl::attachments
        .filter(dsl::status.eq_any(unused))
        .filter(dsl::created_at.lt(At(before)))
        .limit(BATCH)
        .select(columns())
        .rows(tx.conn)?;
    let system = Circumstances {
        at: now,
        actor: None,
        actor_name: "system".to_owned(),
        role: Role::System,
        on_behalf_of: None,
        request: None,
    };
    for row in &rows {
        remove(tx, row, "unused", &system)?;
    }
    Ok(rows.len())
}

/// Files that were taken away and whose content is still there, in every committee.
pub fn to_delete(tx: &mut Tx<'_>) -> Result<Vec<AttachmentRow>> {
    Ok(dsl::attachments
        .filter(dsl::status.eq(AttachmentStatus::Removed))
        .filter(dsl::stored.eq(true))
        .limit(BATCH)
        .select(columns())
        .rows(tx.conn)?)
}

/// Notes that the content is gone. What no text names leaves no row behind.
pub fn deleted(tx: &mut Tx<'_>, row: &AttachmentRow) -> Result<()> {
    if row.bound_kind.is_none() {
        diesel::delete(dsl::attachments.find((row.committee_id, row.id))).run(tx.conn)?;
    } else {
        diesel::update(dsl::attachments.find((row.committee_id, row.id)))
            .set(dsl::stored.eq(false))
            .prepared()
            .run(tx.conn)?;
    }
    Ok(())
}
