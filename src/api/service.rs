//! The service about itself: health, metrics, the OpenAPI document, pages about errors, and a
//! page to try the interface.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::document::Document;
use super::problem::Problem;
use super::routes::{Access, Routes};
use crate::app::App;
use crate::error::{Code, Error, Message, Result};
use crate::store::{health, migrate};
use crate::telemetry::{METRICS_TYPE, Metrics};

/// How long readiness waits for the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest path with query that is looked at, in bytes.
const MAX_ADDRESS: usize = 8 * 1024;

/// What the program shows under `/docs` loads its own scripts and styles, and nothing else.
const DOCS_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";
const PAGE_CSP: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// Whether the service takes requests.
#[derive(Debug, Default)]
pub struct Condition {
    stopping: AtomicBool,
    migrated: AtomicBool,
}

impl Condition {
    /// From now on readiness fails and connections are closed after each answer.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Whether the service is about to end.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

/// State of the service.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`; anything else is a problem document.
    #[schema(max_length = 10, pattern = "^ok$", example = "ok")]
    status: &'static str,
    /// Version of the program.
    #[schema(max_length = 40, example = "0.1.0")]
    version: &'static str,
}

/// Whether the service can do its work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// Always `ok`; anything else is a problem document.
    #[schema(max_length = 10, pattern = "^ok$", example = "ok")]
    status: &'static str,
    /// Version of the program.
    #[schema(max_length = 40, example = "0.1.0")]
    version: &'static str,
    /// Little room is left for the database: reads are answered, writes are refused with 503
    /// `read-only`.
    #[schema(example = false)]
    read_only: bool,
}

const HEALTHY: Health = Health {
    status: "ok",
    version: env!("CARGO_PKG_VERSION"),
};

/// Enters the operations of this module.
pub fn routes(routes: &mut Routes) {
    crate::enter!(routes, Access::Public, [__path_get_live] get_live);
    crate::enter!(routes, Access::Public, [__path_get_ready] get_ready);
    crate::enter!(routes, Access::Public, [__path_get_metrics] get_metrics);
    crate::enter!(routes, Access::Public, [__path_get_openapi] get_openapi);
    crate::enter!(routes, Access::Public, [__path_get_error_page] get_error_page);
}

/// Whether the process answers
///
/// Says nothing about the database: an orchestrator restarts the service when this fails.
#[utoipa::path(get, path = "/health/live", tag = "service",
    responses((status = 200, description = "It does.", body = Health)))]
pub async fn get_live() -> HttpResponse {
    HttpResponse::Ok().json(HEALTHY)
}

/// Whether the service can do its work
///
/// 503 while the database is away or not migrated, and from the moment in which the service was
/// told to stop: a load balancer sends requests elsewhere. A service that only reads, because little
/// room is left for the database, is ready and says so in `read_only`.
#[utoipa::path(get, path = "/health/ready", tag = "service",
    responses((status = 200, description = "It can.", body = Readiness)))]
pub async fn get_ready(app: Data<App>, condition: Data<Condition>) -> Result<HttpResponse> {
    if condition.is_stopping() {
        return Err(Error::new(Code::Busy).detail(Message::new(
            "服务正在停止。",
            "The service is about to stop.",
        )));
    }
    tokio::time::timeout(PATIENCE, look(&app, &condition))
        .await
        .unwrap_or_else(|_| {
            Err(Error::new(Code::DatabaseUnavailable).context("no answer from the database"))
        })?;
    Ok(HttpResponse::Ok().json(Readiness {
        status: HEALTHY.status,
        version: HEALTHY.version,
        read_only: app.db.room().is_low(),
    }))
}

async fn look(app: &App, condition: &Condition) -> Result<()> {
    app.db.read("health.ready", health::ping).await?;
    if !condition.migrated.load(Ordering::Relaxed) {
        let url = app.db.url().clone();
        let pending = web::block(move || migrate::pending(&url))
            .await
            .map_err(Error::internal)??;
        if !pending.is_empty() {
            return Err(Error::new(Code::DatabaseUnavailable)
                .detail(Message::new(
                    "数据库尚未升级。",
                    "The database is not migrated.",
                ))
                .context(format!("migrations to apply: {}", pending.join(", "))));
        }
        condition.migrated.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// Figures for monitoring
///
/// Requests by operation and status, response times, database threads, jobs, the outbox and the
/// process, in the text format of Prometheus. Jobs and outbox are counted at most every five
/// seconds.
#[utoipa::path(get, path = "/metrics", tag = "service",
    responses((status = 200, description = "The figures.", content_type = "text/plain",
        body = inline(Text))))]
pub async fn get_metrics(app: Data<App>, metrics: Data<Metrics>) -> Result<HttpResponse> {
    metrics.look(&app).await;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, METRICS_TYPE))
        .body(metrics.render()?))
}

/// Some text.
#[derive(ToSchema)]
#[schema(value_type = String, max_length = 10_000_000)]
#[expect(dead_code, reason = "stands in the OpenAPI document only")]
pub struct Text(String);

/// This document
///
/// The OpenAPI description of the interface. It changes only with the version of the program.
#[utoipa::path(get, path = "/openapi.json", tag = "service",
    responses((status = 200, description = "The document.", content_type = "application/json",
        body = inline(serde_json::Map<String, serde_json::Value>))))]
pub async fn get_openapi(request: HttpRequest, document: Data<Document>) -> HttpResponse {
    document.answer(&request)
}

/// What an error means
///
/// The page to which `type` of a problem document leads.
#[utoipa::path(get, path = "/errors/{code}", tag = "service",
    params(("code" = String, Path, description = "Stable code of the error.", max_length = 64,
        pattern = "^[a-z-]+$", example = "state-conflict")),
    responses(
        (status = 200, description = "The page.", content_type = "text/html", body = inline(Text)),
        (status = 404, description = "There is no such code.", body = Problem,
            content_type = "application/problem+json")))]
pub async fn get_error_page(request: HttpRequest) -> Result<HttpResponse> {
    let wanted = request.match_info().get("code").unwrap_or_default();
    let code = Code::ALL
        .iter()
        .find(|code| code.as_str() == wanted)
        .ok_or_else(Error::not_found)?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .insert_header((header::CONTENT_SECURITY_POLICY, PAGE_CSP))
        .body(error_page(*code)))
}

/// A text of the program's own as HTML, with its code marked.
fn html(text: &str) -> String {
    let mut html = String::new();
    for (number, part) in text.split('`').enumerate() {
        let part = part.replace('&', "&amp;").replace('<', "&lt;");
        if number % 2 == 1 {
            html.extend(["<code>", &part, "</code>"]);
        } else {
            html.push_str(&part);
        }
    }
    html
}

fn error_page(code: Code) -> String {
    let (title, about) = (code.title(), code.about());
    format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{code} · jianjian</title>\n\
         <style>body{{font:1.1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;\
         padding:0 1rem;color:#222}}code{{background:#eee;padding:0 .25em}}</style>\n</head>\n<body>\n\
         <p><code>{code}</code> · HTTP {status}</p>\n<h1>{zh}</h1>\n<p>{about_zh}</p>\n\
         <div lang=\"en\">\n<h2>{en}</h2>\n<p>{about_en}</p>\n</div>\n</body>\n</html>\n",
        code = code.as_str(),
        status = code.status(),
        zh = title.zh,
        en = title.en,
        about_zh = html(about.zh),
        about_en = html(about.en),
    )
}

/// `docs/errors.md`: every code with its meaning.
pub fn errors_markdown() -> String {
    let mut out = String::from(
        "# Errors\n\n\
         <!-- Made from the table in src/error.rs (`UPDATE=1 cargo test --test it docs`); do not edit. -->\n\n\
         Every answer with a status of 400 or above is a problem document (RFC 9457,\n\
         `application/problem+json`). Its `code` is stable; `type` is `/errors/{code}`, a page of the\n\
         service. `title` and `detail` are in zh-CN or English by `Accept-Language`. `instance` names the\n\
         request and is also sent as `X-Request-Id`; `errors` lists wrong places by JSON pointer.\n\n\
         状态码 400 及以上的回答都是问题文档（RFC 9457）。`code` 固定不变；`type` 指向本服务的说明页；\n\
         `title` 和 `detail` 按 `Accept-Language` 用中文或英文；`instance` 为请求编号，与 `X-Request-Id` 相同；\n\
         `errors` 以 JSON 指针列出每一处错误。\n\n\
         | Code | Status | 中文 | English |\n| --- | --- | --- | --- |\n",
    );
    for code in Code::ALL {
        let (name, title) = (code.as_str(), code.title());
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "| [`{name}`](#{name}) | {} | {} | {} |",
            code.status(),
            title.zh,
            title.en
        );
    }
    for code in Code::ALL {
        let (title, about) = (code.title(), code.about());
        let _ = write!(
            out,
            "\n## {}\n\nHTTP {}. {} {}.\n\n{}\n\n{}\n",
            code.as_str(),
            code.status(),
            title.zh,
            title.en,
            about.zh,
            about.en
        );
    }
    out
}

/// The page to read and try the interface: for people, so not part of the document.
pub fn pages(config: &mut ServiceConfig) {
    let to_docs = |_: HttpRequest| async {
        HttpResponse::Found()
            .insert_header((header::LOCATION, "/docs/"))
            .finish()
    };
    config
        .service(web::resource("/").route(web::get().to(to_docs)))
        .service(web::resource("/docs").route(web::get().to(to_docs)))
        .service(
            utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}").config(
                utoipa_swagger_ui::Config::from("/openapi.json")
                    .try_it_out_enabled(true)
                    .persist_authorization(false),
            ),
        );
}

/// What holds for every operation: addresses of bearable length, and the headers that depend on
/// the service rather than on the operation.
pub async fn surroundings<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let length = request
        .uri()
        .path_and_query()
        .map_or(0, |address| address.as_str().len());
    if length > MAX_ADDRESS {
        return Ok(
            request.error_response(Error::new(Code::UriTooLong).with("max_bytes", MAX_ADDRESS))
        );
    }
    let stopping = request
        .app_data::<Data<Condition>>()
        .is_some_and(|condition| condition.is_stopping());
    let docs = request.path().starts_with("/docs/");
    let mut response = next.call(request).await?.map_into_boxed_body();
    if docs {
        response.headers_mut().insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(DOCS_CSP),
        );
    }
    if stopping {
        response
            .response_mut()
            .head_mut()
            .set_connection_type(actix_web::http::ConnectionType::Close);
    }
    Ok(response)
}
