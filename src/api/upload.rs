//! The body of an upload: `multipart/form-data` with one part `file`, taken piece by piece.

use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::HttpRequest;
use actix_web::http::header::{self, ContentDisposition, DispositionParam};
use actix_web::web::Payload;
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use crate::app::attachments::Upload;
use crate::error::{Code, Error, Message, Result};
use crate::files::Files;

/// The media type.
pub const MULTIPART: &str = "multipart/form-data";
/// How long nothing may arrive at the start, and how many bytes a second must arrive on average
/// from then on.
const START: Duration = Duration::from_secs(10);
const LEAST_RATE: u64 = 32 * 1024;
/// What the frame of the parts may add to the file, in bytes.
const FRAME: u64 = 64 * 1024;

/// The time until which more must have arrived.
struct Pace {
    started: Instant,
    bytes: u64,
}

impl Pace {
    async fn next<T>(&self, more: impl Future<Output = Option<T>>) -> Result<Option<T>> {
        let until = self.started + START + Duration::from_secs(self.bytes / LEAST_RATE);
        timeout_at(until, more).await.map_err(|_| {
            malformed(
                "上传过慢，已中止。",
                "The upload came too slowly and was given up.",
            )
        })
    }
}

fn malformed(zh: &'static str, en: &'static str) -> Error {
    Error::new(Code::MalformedMultipart).detail(Message::new(zh, en))
}

/// Receives the file; 413 as soon as there is too much, without reading on.
pub async fn receive(
    files: &Files,
    request: &HttpRequest,
    payload: Payload,
    max: u64,
) -> Result<Upload> {
    check_head(request, max)?;
    let mut parts = Multipart::new(request.headers(), payload);
    let mut pace = Pace {
        started: Instant::now(),
        bytes: 0,
    };
    let mut upload = None;
    while let Some(part) = pace.next(parts.next()).await? {
        let part = part.map_err(wrong_frame)?;
        if part.name() != Some("file") {
            let name: String = part.name().unwrap_or_default().chars().take(64).collect();
            return Err(Error::new(Code::InvalidBody).field(
                format!("/{name}"),
                "unknown_field",
                Message::new("没有这个字段。", "There is no such field."),
            ));
        }
        if upload.is_some() {
            return Err(Error::new(Code::InvalidBody).field(
                "/file",
                "max_items",
                Message::new("一次上传一个文件。", "One file at a time."),
            ));
        }
        upload = Some(receive_file(files, part, max, &mut pace).await?);
    }
    upload.ok_or_else(|| {
        Error::new(Code::InvalidBody).field(
            "/file",
            "required",
            Message::new("必填。", "This is required."),
        )
    })
}

/// What can be said before the body.
fn check_head(request: &HttpRequest, max: u64) -> Result<()> {
    let text = |name: header::HeaderName| {
        let value = request.headers().get(name);
        value.and_then(|value| value.to_str().ok())
    };
    let given = text(header::CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .map(str::trim)
        .unwrap_or_default();
    let encoded = request.headers().contains_key(header::CONTENT_ENCODING);
    if !given.eq_ignore_ascii_case(MULTIPART) || encoded {
        return Err(Error::new(Code::UnsupportedMediaType).with("accepts", MULTIPART));
    }
    let declared = text(header::CONTENT_LENGTH).and_then(|value| value.parse::<u64>().ok());
    if declared.is_some_and(|declared| declared > max.saturating_add(FRAME)) {
        return Err(Error::new(Code::PayloadTooLarge).with("max_bytes", max));
    }
    Ok(())
}

async fn receive_file(files: &Files, mut part: Field, max: u64, pace: &mut Pace) -> Result<Upload> {
    let Some(name) = file_name(&part) else {
        return Err(Error::new(Code::InvalidBody).field(
            "/file",
            "filename_missing",
            Message::new("须给出文件名。", "The part must carry a file name."),
        ));
    };
    let mut incoming = files.receive(max).await?;
    while let Some(piece) = pace.next(part.next()).await? {
        let piece = piece.map_err(wrong_frame)?;
        pace.bytes += u64::try_from(piece.len()).unwrap_or_default();
        incoming.write(&piece).await?;
    }
    let received = incoming.finish().await?;
    Ok(Upload { name, received })
}

fn file_name(part: &Field) -> Option<String> {
    part.content_disposition().and_then(name_in)
}

/// The name of the file: in its extended form (RFC 8187) where there is one.
pub(super) fn name_in(disposition: &ContentDisposition) -> Option<String> {
    let extended = disposition.parameters.iter().find_map(|param| match param {
        DispositionParam::FilenameExt(value) => String::from_utf8(value.value.clone()).ok(),
        _ => None,
    });
    extended.or_else(|| disposition.get_filename().map(str::to_owned))
}

fn wrong_frame(error: MultipartError) -> Error {
    malformed(
        "不是有效的 multipart/form-data，或未传完。",
        "Not valid as multipart/form-data, or it ended early.",
    )
    .context(error)
}
