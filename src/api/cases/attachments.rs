//! Files that go with texts: upload, facts, content, list, taking away.

use actix_web::body::SizedStream;
use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::api::answer::none_match;
use crate::api::extract::PathId;
use crate::api::json::RawBody;
use crate::api::routes::{Access, Routes};
use crate::api::upload;
use crate::app::act::{self, Object};
use crate::app::attachments::{self as files, key};
use crate::app::{Answer, App, Ctx};
use crate::codes::Label;
use crate::enter;
use crate::error::{Code, Error, Result};
use crate::files::name::disposition;
use crate::ids::{
    AssignmentId, AttachmentId, CaseRequestId, ContactId, ProposalId, ProposerId, ReplyId, kind,
};
use crate::store::attachments::AttachmentRow;
use crate::workflow::attachments::{AttachmentStatus, Binding, BoundKind, FileType};
use crate::workflow::case::Case;

/// What a browser may do with a file that is opened all the same: nothing.
const FILE_CSP: &str = "default-src 'none'; sandbox; base-uri 'none'; frame-ancestors 'none'";

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::SignedIn, [__path_upload_attachment] upload_attachment);
    enter!(routes, Access::SignedIn, [__path_list_attachments] list_attachments);
    enter!(routes, Access::SignedIn, [__path_get_attachment] get_attachment);
    enter!(routes, Access::SignedIn, [__path_download_attachment] download_attachment);
    enter!(routes, Access::SignedIn, [__path_delete_attachment] delete_attachment);
}

/// The bytes of a file.
#[derive(Deserialize)]
pub struct FileContent;

impl PartialSchema for FileContent {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .max_length(Some(33_554_432))
            .description(Some(
                "The bytes of a file; by default at most 32 MiB (`attachments.max_mb` of the policy profile).",
            ))
            .into()
    }
}

impl ToSchema for FileContent {}

/// A file to upload.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it shows the form of a multipart body")]
pub struct AttachmentUpload {
    /// The file with its name: pdf, jpg, png, docx, xlsx, pptx, doc, xls, ppt, ofd or txt (UTF-8).
    /// The content decides which of them it is, and the extension must fit.
    file: FileContent,
}

/// A file and what it goes with.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttachmentOut {
    /// Identifier.
    pub id: AttachmentId,
    /// The case.
    pub proposal_id: ProposalId,
    /// `staged` until a text names it, then `bound`; `removed` once its content is gone.
    pub status: AttachmentStatus,
    /// Label of the status.
    pub status_label: Label,
    /// Name under which it is given back.
    #[schema(max_length = 200, example = "公交客流调研报告.pdf")]
    pub name: String,
    /// What its content is.
    pub file_type: FileType,
    /// Label of the type.
    pub file_type_label: Label,
    /// Its media type.
    #[schema(max_length = 100, example = "application/pdf")]
    pub media_type: &'static str,
    /// Bytes.
    #[schema(minimum = 1)]
    pub size: i64,
    /// SHA-256 of the content, in hexadecimal.
    #[schema(
        min_length = 64,
        max_length = 64,
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub sha256: String,
    /// The text it goes with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub bound_to: Option<BoundTo>,
    /// The present version of that text names it.
    pub current: bool,
    /// When it was uploaded.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    pub created_at: Timestamp,
    /// Where its content is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 200,
        example = "/api/v1/attachments/atta_019a1b2c3d4e7f8090a1b2c3d4e5f607/content"
    )]
    pub content_href: Option<String>,
}

/// The text that a file goes with.
#[derive(Debug, Serialize, ToSchema)]
pub struct BoundTo {
    /// Kind of the text.
    pub kind: BoundKind,
    /// Label of the kind.
    pub label: Label,
    /// Identifier of the proposal, proposer, contact, row, reply or request; of an opinion form the reply.
    #[schema(max_length = 64, example = "repl_019a1b2c3d4e7f8090a1b2c3d4e5f607")]
    pub id: String,
    /// Of an opinion form the rater.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rater_id: Option<ProposerId>,
}

impl BoundTo {
    fn of(binding: Binding) -> Self {
        let id = binding.id;
        let id = match binding.kind {
            BoundKind::ProposalText => id.cast::<kind::Proposal>().to_string(),
            BoundKind::Consent => ProposerId::from_uuid(id.uuid()).to_string(),
            BoundKind::Contact => ContactId::from_uuid(id.uuid()).to_string(),
            BoundKind::CoOpinion => AssignmentId::from_uuid(id.uuid()).to_string(),
            BoundKind::Request => CaseRequestId::from_uuid(id.uuid()).to_string(),
            BoundKind::Reply | BoundKind::OpinionForm => ReplyId::from_uuid(id.uuid()).to_string(),
        };
        Self {
            kind: binding.kind,
            label: binding.kind.label(),
            id,
            rater_id: binding.rater,
        }
    }
}

impl AttachmentOut {
    fn of(row: &AttachmentRow, case: &Case) -> Self {
        let bound = row.binding();
        let named = match bound.map(|bound| (bound.kind, bound.id)) {
            None => false,
            Some((BoundKind::ProposalText, _)) => {
                case.proposal.form.attachment_ids.contains(&row.id)
            }
            Some((BoundKind::Reply, id)) => case
                .reply(id.cast())
                .is_some_and(|reply| reply.form.attachment_ids.contains(&row.id)),
            Some(_) => true,
        };
        let there = row.status != AttachmentStatus::Removed;
        Self {
            id: row.id,
            proposal_id: row.proposal_id,
            status: row.status,
            status_label: row.status.label(),
            name: row.name.clone(),
            file_type: row.file_type,
            file_type_label: row.file_type.label(),
            media_type: row.file_type.media_type(),
            size: row.size_bytes,
            sha256: row.sha256.clone(),
            bound_to: bound.map(BoundTo::of),
            current: named,
            created_at: row.created_at.0,
            content_href: there.then(|| format!("/api/v1/attachments/{}/content", row.id)),
        }
    }
}

/// What is shown of a file depends on its case as well; If-Match looks at the first part.
fn tag(row: &AttachmentRow, case: &Case) -> String {
    format!("{}.{}", row.version, case.proposal.version)
}

/// The files of a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttachmentList {
    /// Those that the caller may read, newest first.
    #[schema(max_items = 500)]
    pub items: Vec<AttachmentOut>,
}

/// Upload a file
///
/// `multipart/form-data` with one part `file` that carries the name of the file. The file waits,
/// visible to its uploader only, until an act of the same account names it in `attachment_ids`: a
/// change of the proposal's text, the answer of a co-signer, a contact record, an opinion of a
/// co-handler, a reply, an opinion form, a request to return, extend, pause or withdraw. What no text names within 24 hours is removed; at most 20
/// files may wait per account and case. For everybody with a right to one of these acts.
///
/// With an Idempotency-Key, the request counts as the same if content and name are the same.
#[utoipa::path(post, path = "/api/v1/proposals/{proposal_id}/attachments", tag = "attachments",
    params(("proposal_id" = ProposalId, Path, description = "The proposal")),
    request_body(content = AttachmentUpload, content_type = "multipart/form-data"),
    responses((status = 201, description = "The file, staged", body = AttachmentOut)))]
pub async fn upload_attachment(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Proposal>,
    request: HttpRequest,
    payload: Payload,
) -> Result<Answer> {
    let max = app.upload_limit(&ctx, id).await?;
    let received = upload::receive(&app.files, &request, payload, max).await?;
    let parts = [&received.received.sha256, &received.name];
    let ctx = ctx.for_parts(&request, &parts.map(String::as_bytes))?;
    app.stage(&ctx, id, received, |row, case| {
        let location = format!("/api/v1/attachments/{}", row.id);
        Ok(Answer::created(&AttachmentOut::of(row, case), location)?.tag(tag(row, case)))
    })
    .await
}

/// The files of a case
///
/// Those that the caller may read, newest first, at most 500: the own staged ones, and those that
/// go with texts that the caller may read.
#[utoipa::path(get, path = "/api/v1/proposals/{proposal_id}/attachments", tag = "attachments",
    params(("proposal_id" = ProposalId, Path, description = "The proposal")),
    responses((status = 200, description = "The files", body = AttachmentList)))]
pub async fn list_attachments(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Proposal>,
) -> Result<Answer> {
    app.db
        .read("attachment.list", move |tx| {
            let known = act::read(tx, &ctx, Object::Proposal(id))?;
            let rows = files::list(tx, &ctx, &known)?;
            let items: Vec<_> = rows
                .iter()
                .map(|row| AttachmentOut::of(row, &known.case))
                .collect();
            let answer = Answer::ok(&AttachmentList { items })?;
            let hash = crate::digest::hex(&[answer.body.text().unwrap_or_default().as_bytes()]);
            Ok(answer.tag(format!("{}.{hash}", known.case.proposal.version)))
        })
        .await
}

/// Facts of a file
///
/// Name, kind, size and what it goes with; the content has an address of its own.
#[utoipa::path(get, path = "/api/v1/attachments/{attachment_id}", tag = "attachments",
    params(("attachment_id" = AttachmentId, Path, description = "The file")),
    responses((status = 200, description = "The file", body = AttachmentOut)))]
pub async fn get_attachment(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Attachment>,
) -> Result<Answer> {
    app.db
        .read("attachment.get", move |tx| {
            let (row, known) = files::readable(tx, &ctx, id)?;
            let answer = Answer::ok(&AttachmentOut::of(&row, &known.case))?;
            Ok(answer.tag(tag(&row, &known.case)))
        })
        .await
}

/// The content of a file
///
/// Always to be saved, never shown in place. The ETag is the SHA-256 checksum; a file whose content
/// was changed behind the back of the service never arrives whole.
#[utoipa::path(get, path = "/api/v1/attachments/{attachment_id}/content", tag = "attachments",
    params(("attachment_id" = AttachmentId, Path, description = "The file")),
    responses((status = 200, description = "The bytes", body = FileContent,
        content_type = "application/octet-stream")))]
pub async fn download_attachment(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Attachment>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let row = app
        .db
        .read("attachment.content", move |tx| {
            files::readable(tx, &ctx, id).map(|(row, _)| row)
        })
        .await?;
    if row.status == AttachmentStatus::Removed {
        return Err(Error::new(Code::ContentRemoved));
    }
    let etag = format!("\"{}\"", row.sha256);
    if none_match(&request, &etag) {
        return Ok(HttpResponse::NotModified()
            .insert_header((header::ETAG, etag))
            .finish());
    }
    let size = u64::try_from(row.size_bytes).map_err(Error::internal)?;
    let pieces = app.files.get(&key(&row), size).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, row.file_type.media_type()))
        .insert_header((header::CONTENT_DISPOSITION, disposition(&row.name)))
        .insert_header((header::CONTENT_SECURITY_POLICY, FILE_CSP))
        .insert_header(("Cross-Origin-Resource-Policy", "same-origin"))
        .insert_header(("Repr-Digest", repr_digest(&row.sha256)))
        .insert_header((header::ETAG, etag))
        .body(SizedStream::new(size, pieces)))
}

/// The checksum as RFC 9530 writes it.
fn repr_digest(sha256: &str) -> String {
    let bytes: Vec<u8> = (0..sha256.len())
        .step_by(2)
        .filter_map(|at| u8::from_str_radix(sha256.get(at..at + 2)?, 16).ok())
        .collect();
    format!("sha-256=:{}:", STANDARD.encode(bytes))
}

/// Take a file away
///
/// Only its uploader may, and only as long as no text names it.
#[utoipa::path(delete, path = "/api/v1/attachments/{attachment_id}", tag = "attachments",
    params(("attachment_id" = AttachmentId, Path, description = "The file")),
    responses((status = 204, description = "It is gone")))]
pub async fn delete_attachment(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::Attachment>,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    app.discard(&ctx, id).await
}
