//! Files that go with texts: upload, reading, taking away, and the deletion of what is left over.

use std::time::Duration;

use jiff::SignedDuration;

use super::act::{self, Known, Object};
use super::{Answer, App, Ctx};
use crate::error::{Code, Error, Message, Result};
use crate::files::{Key, Received, name};
use crate::ids::{AttachmentId, ProposalId};
use crate::store::Tx;
use crate::store::attachments::{self as rows, AttachmentRow};
use crate::store::events::Circumstances;
use crate::store::sql_types::At;
use crate::workflow::attachments::{self, AttachmentStatus, FileType, MAX_STAGED};
use crate::workflow::case::Case;
use crate::workflow::refusal::Refusal;

/// How long a file is kept that no text names.
pub const UNUSED: SignedDuration = SignedDuration::from_hours(24);
/// How often is looked for such files and for content to delete, beside when something is taken
/// away.
const TIDY: Duration = Duration::from_secs(3600);

/// A file that has arrived, not yet judged.
pub struct Upload {
    /// Its name as it was sent.
    pub name: String,
    /// Its content.
    pub received: Received,
}

/// Makes the answer to an upload from the row and its case.
pub trait Answers: Fn(&AttachmentRow, &Case) -> Result<Answer> + Send + 'static {}
impl<F: Fn(&AttachmentRow, &Case) -> Result<Answer> + Send + 'static> Answers for F {}

impl App {
    /// How many bytes a file may have that the caller uploads to a case; refused where the caller
    /// may not upload. Asked before anything of the body is read.
    pub async fn upload_limit(&self, ctx: &Ctx, proposal: ProposalId) -> Result<u64> {
        let ctx = ctx.clone();
        self.db
            .read("attachment.limit", move |tx| {
                let known = may_upload(tx, &ctx, proposal, 0)?;
                Ok(attachments::max_bytes(&known.profile))
            })
            .await
    }

    /// Stores an upload; it is then there for its uploader to name in a text.
    ///
    /// A row is written first, then the content, then the row is made valid: whatever fails on the
    /// way leaves a row by which the content is found and deleted later.
    pub async fn stage(
        &self,
        ctx: &Ctx,
        proposal: ProposalId,
        upload: Upload,
        answer: impl Answers,
    ) -> Result<Answer> {
        let row = judged(ctx, proposal, &upload)?;
        self.files.scan(&upload.received).await?;
        if let Some(answer) = self.announce(ctx, &row).await? {
            return Ok(answer);
        }
        if !ctx.validate_only {
            self.files.put(&key(&row), &upload.received).await?;
        }
        drop(upload);
        let (by, id, trial) = (ctx.clone(), row.id, ctx.validate_only);
        let staged = self
            .write(ctx, move |tx| {
                // It counts itself by now.
                let known = may_upload(tx, &by, proposal, usize::from(!trial))?;
                if trial {
                    rows::insert(tx, &row)?;
                }
                let circumstances = Circumstances::of(&by, &[]);
                let row = rows::stage(tx, by.committee(), id, &circumstances)?;
                answer(&row, &known.case)
            })
            .await;
        // Refused after all, or a twin with the same key was first.
        if !trial && staged.as_ref().map_or(true, |answer| answer.replayed) {
            self.give_up(ctx, id).await;
        }
        staged
    }

    /// Notes that content is about to be stored; gives the answer of an earlier twin instead.
    async fn announce(&self, ctx: &Ctx, row: &AttachmentRow) -> Result<Option<Answer>> {
        let (ctx, row) = (ctx.clone(), row.clone());
        self.db
            .write("attachment.announce", move |tx| {
                if let Some(answer) = super::write::stored(tx, &ctx)? {
                    return Ok(Some(answer));
                }
                may_upload(tx, &ctx, row.proposal_id, 0)?;
                if !ctx.validate_only {
                    rows::insert(tx, &row)?;
                }
                Ok(None)
            })
            .await
    }

    /// Leaves the content of an upload that came to nothing to the next sweep.
    async fn give_up(&self, ctx: &Ctx, id: AttachmentId) {
        let by = ctx.clone();
        let given_up = self
            .db
            .write("attachment.give_up", move |tx| {
                match rows::find(tx, by.committee(), id)? {
                    Some(row) if row.status == AttachmentStatus::Incoming => {
                        rows::remove(tx, &row, "unused", &Circumstances::of(&by, &[]))
                    }
                    _ => Ok(()),
                }
            })
            .await;
        match given_up {
            Ok(()) => self.files.wake(),
            Err(error) => tracing::warn!(%error, attachment = %id, "left to the sweep"),
        }
    }

    /// Takes a file away that no text names.
    pub async fn discard(&self, ctx: &Ctx, id: AttachmentId) -> Result<Answer> {
        let by = ctx.clone();
        let answer = self
            .write(ctx, move |tx| {
                let (row, _) = readable(tx, &by, id)?;
                if row.uploaded_by != by.user() {
                    return Err(Error::new(Code::Forbidden).detail(Message::new(
                        "只有上传者可以删除尚未使用的附件。",
                        "Only its uploader may take a file away, as long as no text names it.",
                    )));
                }
                by.if_match.check_part(row.version)?;
                if row.status != AttachmentStatus::Staged {
                    return Err(Error::new(Code::InUse).detail(Message::new(
                        "附件已附于文本，不能删除；可修改文本不再引用。",
                        "A text names the file: it stays with that version of the text.",
                    )));
                }
                rows::remove(tx, &row, "by_uploader", &Circumstances::of(&by, &[]))?;
                Ok(Answer::none())
            })
            .await?;
        self.files.wake();
        Ok(answer)
    }

    /// Takes away what nobody used for a day, and deletes the content of all that was taken away.
    pub async fn sweep_files(&self) -> Result<()> {
        let now = self.clock.now();
        let before = now - UNUSED;
        let expire = move |tx: &mut Tx<'_>| rows::expire(tx, before, now);
        while self.db.write("attachment.expire", expire).await? > 0 {}
        loop {
            let gone = self
                .db
                .read("attachment.to_delete", rows::to_delete)
                .await?;
            if gone.is_empty() {
                return Ok(());
            }
            for row in gone {
                self.files.delete(&key(&row)).await?;
                self.db
                    .write("attachment.deleted", move |tx| rows::deleted(tx, &row))
                    .await?;
            }
        }
    }

    /// Sweeps at once, whenever something is taken away, and every hour; never ends.
    pub async fn keep_files_tidy(&self) {
        loop {
            if let Err(error) = self.sweep_files().await {
                tracing::warn!(%error, "files were not swept");
            }
            self.files.woken(TIDY).await;
        }
    }
}

/// What names the content of a file.
pub fn key(row: &AttachmentRow) -> Key {
    Key {
        committee: row.committee_id,
        id: row.id,
        sha256: row.sha256.clone(),
    }
}

/// A file that the caller may read, with its case; 404 otherwise.
pub fn readable(tx: &mut Tx<'_>, ctx: &Ctx, id: AttachmentId) -> Result<(AttachmentRow, Known)> {
    let row = rows::find(tx, ctx.committee(), id)?.ok_or_else(Error::not_found)?;
    let known = act::look(tx, ctx, Object::Proposal(row.proposal_id))?;
    if is_readable(&row, &known, ctx) {
        Ok((row, known))
    } else {
        Err(Error::not_found())
    }
}

/// The files of a case that the caller may read, newest first.
pub fn list(tx: &mut Tx<'_>, ctx: &Ctx, known: &Known) -> Result<Vec<AttachmentRow>> {
    let mut found = rows::list(tx, ctx.committee(), known.case.proposal.id)?;
    found.retain(|row| is_readable(row, known, ctx));
    Ok(found)
}

fn is_readable(row: &AttachmentRow, known: &Known, ctx: &Ctx) -> bool {
    // What was staged and taken away again is no business of anybody.
    let never_used = row.status == AttachmentStatus::Removed && row.bound_kind.is_none();
    !never_used && attachments::may_read(&known.case, row.id, &row.facts(), &ctx.principal.actor())
}

/// The case, if the caller may upload to it; `own` of the open files are the one it is about.
fn may_upload(tx: &mut Tx<'_>, ctx: &Ctx, proposal: ProposalId, own: usize) -> Result<Known> {
    let known = act::look(tx, ctx, Object::Proposal(proposal))?;
    attachments::may_upload(&known.case, &ctx.principal.actor())
        .map_err(|refusal| act::refuse(refusal, None))?;
    let open = rows::count_open(tx, ctx.committee(), proposal, ctx.user())?;
    if usize::try_from(open).is_ok_and(|open| open < MAX_STAGED + own) {
        return Ok(known);
    }
    let refusal = Refusal::unmet(
        "staged_within_limit",
        None,
        format!("本案中您已有 {MAX_STAGED} 个未使用的附件，请先使用或删除。"),
        format!("{MAX_STAGED} files of yours wait in this case already: use or delete some."),
    );
    Err(act::refuse(refusal, None))
}

/// The row of an upload whose content and name are in order.
fn judged(ctx: &Ctx, proposal: ProposalId, upload: &Upload) -> Result<AttachmentRow> {
    let received = &upload.received;
    let name = name::clean(&upload.name);
    let wrong =
        |code, zh: String, en: String| Err(Error::invalid("/file", code, Message::new(zh, en)));
    if received.size == 0 {
        return wrong("empty", "文件为空。".into(), "The file is empty.".into());
    }
    let Some(file_type) = received.file_type else {
        let known: Vec<_> = FileType::ALL.iter().map(|kind| kind.as_str()).collect();
        let known = known.join(", ");
        return wrong(
            "content_not_allowed",
            format!(
                "文件内容不属于允许的类型（{known}；文本须为 UTF-8，Office 文档不得加密或含宏）。"
            ),
            format!(
                "The content is of no type that is taken ({known}; text in UTF-8, office documents neither encrypted nor with macros)."
            ),
        );
    };
    if !name::fits(&name, file_type) {
        let fitting = file_type.extensions().join(", ");
        return wrong(
            "extension_mismatch",
            format!("扩展名与内容不符，应为：{fitting}。"),
            format!("The extension does not fit the content; right would be: {fitting}."),
        );
    }
    Ok(AttachmentRow {
        committee_id: ctx.committee(),
        id: AttachmentId::new(ctx.now),
        proposal_id: proposal,
        version: 1,
        status: AttachmentStatus::Incoming,
        name,
        file_type,
        size_bytes: i64::try_from(received.size).map_err(Error::internal)?,
        sha256: received.sha256.clone(),
        stored: true,
        bound_kind: None,
        bound_id: None,
        bound_rater_id: None,
        uploaded_by: ctx.user(),
        created_at: At(ctx.now),
        bound_at: None,
        removed_at: None,
    })
}
