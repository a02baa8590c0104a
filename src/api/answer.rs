//! [`Answer`] as an HTTP response: entity tag, Location, Link, 304.

use actix_web::http::header::ContentType;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, Responder};

use serde::Deserialize;

use crate::app::Answer;

impl Responder for Answer {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let etag = self.etag.map(|version| format!("\"{version}\""));
        let unchanged = etag
            .as_deref()
            .is_some_and(|etag| request.method() == Method::GET && none_match(request, etag));
        let mut response = HttpResponse::build(if unchanged {
            StatusCode::NOT_MODIFIED
        } else {
            status
        });
        if let Some(etag) = etag {
            response.insert_header((header::ETAG, etag));
        }
        if let Some(location) = self.location {
            response.insert_header((header::LOCATION, location));
        }
        if self.replayed {
            response.insert_header(("Idempotency-Replayed", "true"));
        }
        if let Some(cursor) = self.body.text().and_then(next_cursor) {
            let next = next_address(request, &cursor);
            response.insert_header((header::LINK, format!("<{next}>; rel=\"next\"")));
        }
        match self.body.into_text() {
            Some(text) if !unchanged => response.content_type(ContentType::json()).body(text),
            _ => response.finish(),
        }
    }
}

/// Where the next page begins, if this is a page and not the last.
fn next_cursor(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Page {
        next_cursor: Option<String>,
    }
    // Most answers are no pages, and need not be read for it.
    if !text.contains("\"next_cursor\"") {
        return None;
    }
    let page: Page = serde_json::from_str(text).ok()?;
    page.next_cursor
}

/// Whether If-None-Match names this entity tag.
pub(super) fn none_match(request: &HttpRequest, etag: &str) -> bool {
    request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .any(|value| {
            value.to_str().is_ok_and(|value| {
                value
                    .split(',')
                    .map(str::trim)
                    .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
            })
        })
}

/// The present address with another cursor.
fn next_address(request: &HttpRequest, cursor: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
        if name != "cursor" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("cursor", cursor);
    format!("{}?{}", request.path(), query.finish())
}
