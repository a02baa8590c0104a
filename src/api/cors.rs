//! Pages of other origins: which of them a browser lets read an answer (CORS). None, unless the
//! settings name them.

use actix_web::HttpResponse;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::web::Data;

/// What a page may send beside the few headers that every page may.
const REQUEST_HEADERS: &str =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID";
/// What a page may read beside the few headers that every page may.
const RESPONSE_HEADERS: &str = "ETag, Idempotency-Replayed, Link, Location, RateLimit, \
    RateLimit-Policy, Retry-After, X-Request-Id";
/// The methods of the interface.
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
/// How long a browser may keep what it was told, in seconds.
const MAX_AGE: &str = "600";

/// The origins whose pages may read answers.
#[derive(Debug, Clone, Default)]
pub struct AllowedOrigins(pub Vec<String>);

/// Answers what browsers ask before a request of another origin, and marks every answer for them.
/// Outside of everything else, so that problem documents are marked, too.
pub async fn other_origins<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let allowed = request.app_data::<Data<AllowedOrigins>>().cloned();
    let Some(allowed) = allowed.filter(|allowed| !allowed.0.is_empty()) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let origin = request.headers().get(header::ORIGIN).cloned();
    let origin = origin.filter(|origin| allowed.0.iter().any(|one| origin == one.as_str()));
    let asks_first = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks_first && origin.is_some() {
        tracing::debug!(path = request.path(), "a page of another origin asks");
        let answer = HttpResponse::NoContent()
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
            .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, MAX_AGE))
            .finish();
        request.into_response(answer)
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, header::HeaderValue::from_name(header::ORIGIN));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            header::HeaderValue::from_static(RESPONSE_HEADERS),
        );
    }
    Ok(response)
}
