//! [`Answer`] as an HTTP response: entity tag, Location, Link, 304.

use actix_web::http::header::ContentType;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, Responder};

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
            let next = next_address(request, cursor);
            response.insert_header((header::LINK, format!("<{next}>; rel=\"next\"")));
        }
        match self.body.into_text() {
            Some(text) if !unchanged => response.content_type(ContentType::json()).body(text),
            _ => response.finish(),
        }
    }
}

/// Where the next page begins, if this is a page and not the last. Every page begins with its
/// items, and what follows them is this and some numbers: it need not be read as JSON again.
fn next_cursor(text: &str) -> Option<&str> {
    if !text.starts_with(r#"{"items":["#) {
        return None;
    }
    let (_, end) = text.rsplit_once(r#"],"next_cursor":""#)?;
    let (cursor, numbers) = end.split_once('"')?;
    // Or it is the cursor of something that stands in an item.
    (!numbers.contains(']')).then_some(cursor)
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::page::Page;

    fn page(items: Vec<Value>, next: Option<&str>, count: Option<i64>) -> String {
        let page = Page {
            items,
            next_cursor: next.map(str::to_owned),
            count,
        };
        serde_json::to_string(&page).expect("JSON")
    }

    #[test]
    fn a_page_tells_where_the_next_one_begins() {
        let items = || vec![json!({ "title": "一\"],\"next_cursor\":\"x\"", "list": [1] })];
        for count in [None, Some(7)] {
            assert_eq!(
                next_cursor(&page(items(), Some("abc-_1"), count)),
                Some("abc-_1")
            );
            assert_eq!(next_cursor(&page(items(), None, count)), None);
            assert_eq!(next_cursor(&page(Vec::new(), None, count)), None);
        }
    }

    #[test]
    fn what_stands_in_an_item_is_not_the_cursor_of_the_page() {
        let inner = json!({ "items": [1], "next_cursor": "inner" });
        // As a derived type would write it, whose fields keep their order.
        let text = page(Vec::new(), None, None).replace("[]", &format!("[{inner}]"));
        assert_eq!(next_cursor(&text), None);
        let text = page(Vec::new(), Some("outer"), None).replace("[]", &format!("[{inner}]"));
        assert_eq!(next_cursor(&text), Some("outer"));
        assert_eq!(
            next_cursor(&inner.to_string().replacen('{', "{\"id\":1,", 1)),
            None
        );
    }
}
