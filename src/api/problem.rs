//! Problem documents (RFC 9457) and the frame around every request: its name, its span, its one
//! line in the log, its headers.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tracing::Instrument;
use utoipa::ToSchema;

use super::budgets;
use super::extract::request_id;
use super::routes::Meta;
use super::unread::Unread;
use crate::app::App;
use crate::app::limits::Standing;
use crate::error::{Code, Error};
use crate::ids::RequestId;

/// Why a request failed (RFC 9457). Further members depend on the code; see the page that `type`
/// leads to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Address of the page about this kind of problem, relative to the service.
    #[serde(rename = "type")]
    #[schema(
        format = "uri-reference",
        max_length = 200,
        example = "/errors/state-conflict"
    )]
    kind: String,
    /// Title in the language of the request.
    #[schema(max_length = 200, example = "当前状态不允许此操作")]
    title: String,
    /// HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 409)]
    status: u16,
    /// What happened in this case.
    #[schema(max_length = 2000, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Identifier of the request, under which the log has it.
    #[schema(max_length = 64, example = "reqt_019a1b2c3d4e7f8090a1b2c3d4e5f607")]
    instance: String,
    /// Stable code.
    #[schema(max_length = 64, pattern = "^[a-z-]+$", example = "state-conflict")]
    code: &'static str,
    /// Every wrong place of the request.
    #[schema(max_items = 50, nullable = false)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemField>,
}

/// One wrong place of a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemField {
    /// JSON pointer into the body (RFC 6901), or the name of a parameter or header.
    #[schema(max_length = 500, example = "/title")]
    pointer: String,
    /// Stable code of the rule that failed.
    #[schema(max_length = 64, example = "max_length")]
    code: &'static str,
    /// What would be right, in the language of the request.
    #[schema(max_length = 2000, example = "最多 50 个字符。")]
    detail: String,
}

/// The language of titles and details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// Simplified Chinese, the default.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// From Accept-Language: the first of zh and en in the order of their weights.
    pub fn of(headers: &HeaderMap) -> Self {
        let Some(text) = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|v| v.to_str().ok())
        else {
            return Self::Zh;
        };
        let mut best = (0.0, Self::Zh);
        for part in text.split(',') {
            let mut pieces = part.trim().split(';');
            let tag = pieces.next().unwrap_or_default().to_ascii_lowercase();
            let weight = pieces
                .find_map(|piece| piece.trim().strip_prefix("q=")?.parse::<f32>().ok())
                .unwrap_or(1.0);
            let lang = if tag.starts_with("en") {
                Self::En
            } else if tag.starts_with("zh") {
                Self::Zh
            } else {
                continue;
            };
            if weight > best.0 {
                best = (weight, lang);
            }
        }
        best.1
    }
}

/// actix asks for a response where an [`Error`] leaves a handler; [`frame`] writes the real one.
impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        HttpResponse::new(self.status_code())
    }
}

/// The outermost layer: every response of the service passes through here.
pub async fn frame<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let now = request.app_data::<Data<App>>().map(|app| app.clock.now());
    let id = RequestId::new(now.unwrap_or_default());
    request.extensions_mut().insert(id);
    let unread = Unread::of(&mut request);
    let lang = Lang::of(request.headers());
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let span = tracing::info_span!("request", id = %id, %method, path);
    // No clone of the request may live while it is routed; so an `Err` could not be turned into
    // a response here, and nothing inside gives one.
    let mut response = next
        .call(request)
        .instrument(span.clone())
        .await?
        .map_into_boxed_body();
    if response.status().is_client_error() || response.status().is_server_error() {
        response = span.in_scope(|| problem(response, lang));
        if let Some(unread) = unread {
            response = response.map_body(|_, body| unread.held_by(body));
        }
    }
    finish_headers(&mut response, id);
    span.in_scope(|| log(&response, started));
    Ok(response)
}

fn problem(response: ServiceResponse, lang: Lang) -> ServiceResponse {
    let (request, response) = response.into_parts();
    let own = response.error().and_then(|error| error.as_error::<Error>());
    let foreign;
    let error = if let Some(error) = own {
        error
    } else {
        foreign = from_status(response.status(), response.error());
        &foreign
    };
    if error.code().status() >= 500 {
        tracing::error!(
            code = error.code().as_str(),
            context = error.log_context(),
            "request failed"
        );
    }
    let body = document(error, request_id(&request), lang);
    let mut answer = HttpResponse::build(error.status_code());
    answer.content_type("application/problem+json");
    for (name, value) in response.headers() {
        if name == header::ALLOW {
            answer.insert_header((name.clone(), value.clone()));
        }
    }
    match error.code() {
        Code::Unauthenticated => {
            answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        Code::Busy | Code::DatabaseUnavailable | Code::StorageUnavailable => {
            answer.insert_header((header::RETRY_AFTER, "2"));
        }
        Code::TooManyStreams
        | Code::ReadOnly
        | Code::ProviderUnavailable
        | Code::ScannerUnavailable => {
            answer.insert_header((header::RETRY_AFTER, "10"));
        }
        Code::TooManySignIns | Code::RateLimited | Code::SecondFactorHeld => {
            let wait = error.extra().get("retry_after").and_then(Value::as_i64);
            answer.insert_header((header::RETRY_AFTER, wait.unwrap_or(60).to_string()));
        }
        Code::PayloadTooLarge => {
            answer.force_close();
        }
        _ => {}
    }
    ServiceResponse::new(request, answer.body(body.to_string()))
}

/// What actix itself refused.
fn from_status(status: StatusCode, error: Option<&actix_web::Error>) -> Error {
    let code = match status.as_u16() {
        404 => Code::NotFound,
        405 => Code::MethodNotAllowed,
        413 => Code::PayloadTooLarge,
        414 => Code::UriTooLong,
        415 => Code::UnsupportedMediaType,
        400..=499 => Code::InvalidHeader,
        _ => Code::Internal,
    };
    let error = error.map(ToString::to_string).unwrap_or_default();
    Error::new(code).context(error)
}

/// The problem document of an error.
pub fn document(error: &Error, id: RequestId, lang: Lang) -> Value {
    let pick = |message: &crate::error::Message| match lang {
        Lang::Zh => message.zh.to_string(),
        Lang::En => message.en.to_string(),
    };
    let title = error.code().title();
    let problem = Problem {
        kind: format!("/errors/{}", error.code().as_str()),
        title: match lang {
            Lang::Zh => title.zh.to_owned(),
            Lang::En => title.en.to_owned(),
        },
        status: error.code().status(),
        detail: error.detail_message().map(pick),
        instance: id.to_string(),
        code: error.code().as_str(),
        errors: error
            .fields()
            .iter()
            .take(50)
            .map(|field| ProblemField {
                pointer: field.pointer.chars().take(500).collect(),
                code: field.code,
                detail: pick(&field.message),
            })
            .collect(),
    };
    let mut document = serde_json::to_value(&problem).unwrap_or_else(|_| json!({}));
    if let Value::Object(document) = &mut document {
        document.extend(in_language(error.extra(), lang));
    }
    document
}

/// Bilingual messages among the further members are given in the language of the request.
fn in_language(extra: &Map<String, Value>, lang: Lang) -> Map<String, Value> {
    fn walk(value: &Value, key: &str) -> Value {
        match value {
            Value::Object(map)
                if map.len() == 2 && map.contains_key("zh-CN") && map.contains_key("en") =>
            {
                map.get(key).cloned().unwrap_or_default()
            }
            Value::Object(map) => map
                .iter()
                .map(|(name, value)| (name.clone(), walk(value, key)))
                .collect(),
            Value::Array(items) => items.iter().map(|item| walk(item, key)).collect(),
            other => other.clone(),
        }
    }
    let key = match lang {
        Lang::Zh => "zh-CN",
        Lang::En => "en",
    };
    extra
        .iter()
        .map(|(name, value)| (name.clone(), walk(value, key)))
        .collect()
}

fn finish_headers(response: &mut ServiceResponse, id: RequestId) {
    let public = response
        .request()
        .extensions()
        .get::<std::sync::Arc<Meta>>()
        .is_some_and(|meta| meta.access == super::routes::Access::Public);
    let standing = response.request().extensions().get::<Standing>().copied();
    let headers = response.headers_mut();
    if let Some(standing) = standing {
        budgets::tell(headers, &standing);
    }
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    let mut default = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    );
    default(
        header::STRICT_TRANSPORT_SECURITY,
        "max-age=31536000; includeSubDomains",
    );
    default(header::REFERRER_POLICY, "no-referrer");
    default(
        header::CACHE_CONTROL,
        if public { "no-cache" } else { "no-store" },
    );
    default(header::VARY, "Accept-Language, Authorization");
}

fn log(response: &ServiceResponse, started: Instant) {
    let request = response.request();
    let extensions = request.extensions();
    let operation = extensions
        .get::<std::sync::Arc<Meta>>()
        .map(|meta| meta.operation.to_string());
    let user = extensions
        .get::<crate::auth::principal::Principal>()
        .map(|principal| principal.user.to_string());
    let millis = started.elapsed().as_secs_f64() * 1000.0;
    if let Some(metrics) = request.app_data::<Data<crate::telemetry::Metrics>>() {
        metrics.observe(
            operation.as_deref().unwrap_or("none"),
            response.status().as_u16(),
            started.elapsed(),
        );
    }
    tracing::info!(
        operation,
        user,
        status = response.status().as_u16(),
        millis = (millis * 100.0).round() / 100.0,
        "{} {} answered {}",
        request.method(),
        request.path(),
        response.status().as_u16()
    );
}
