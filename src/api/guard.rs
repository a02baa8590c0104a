//! Authentication before anything of a request is parsed: 401 here or never.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use futures_util::FutureExt;

use super::extract::request_id;
use super::routes::{Access, Meta};
use crate::app::App;
use crate::app::audit::{Asked, Disclosed, Refused};
use crate::auth::principal::{Machine, Principal};
use crate::error::{Code, Error, Message, Result};

/// Lets a request through to the operation it matched, or answers in its place.
pub async fn check<B: MessageBody + 'static>(
    meta: Arc<Meta>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let disclosed = Disclosed::default();
    request.extensions_mut().insert(Arc::clone(&meta));
    request.extensions_mut().insert(disclosed.clone());
    let response = match admit(&meta, &request).await {
        Ok(()) => answered(request, next).await?,
        // An `Err` would pass by the frame, which makes the problem document.
        Err(error) => {
            note_refusal(&meta, request.request(), &error, false).await;
            return Ok(request.error_response(error));
        }
    };
    let refusal = response.response().error();
    if let Some(error) = refusal.and_then(|error| error.as_error::<Error>()) {
        note_refusal(&meta, response.request(), error, true).await;
        return Ok(response);
    }
    match note_reads(&meta, response.request(), &disclosed).await {
        Ok(()) => Ok(response),
        // What few may read is not read without evidence.
        Err(error) => {
            let (request, _) = response.into_parts();
            Ok(ServiceResponse::new(
                request,
                HttpResponse::from_error(error),
            ))
        }
    }
}

/// Refusals of somebody who is signed in are told in the audit trail; `asked` says that the
/// operation itself refused, not the door before it.
async fn note_refusal(meta: &Meta, request: &HttpRequest, error: &Error, asked: bool) {
    let refused = match error.code() {
        // Whoever is refused by the operation may know of what it is about.
        Code::Forbidden | Code::PasswordChangeRequired => Refused {
            code: error.code().as_str(),
            knows: asked,
        },
        Code::NotFound if asked && meta.path.contains('{') => Refused {
            code: error.code().as_str(),
            knows: false,
        },
        _ => return,
    };
    if let Some((app, asked)) = asked_by(meta, request) {
        app.note_refusal(asked, refused).await;
    }
}

async fn note_reads(meta: &Meta, request: &HttpRequest, disclosed: &Disclosed) -> Result<()> {
    if disclosed.is_empty() {
        return Ok(());
    }
    match asked_by(meta, request) {
        Some((app, asked)) => app.note_reads(asked, disclosed).await,
        None => Err(Error::internal("nobody asked")),
    }
}

/// Who asks for what; `None` where nobody is signed in.
fn asked_by(meta: &Meta, request: &HttpRequest) -> Option<(Data<App>, Asked)> {
    let app = request.app_data::<Data<App>>()?.clone();
    let principal = request.extensions().get::<Principal>()?.clone();
    let named = request.match_info().iter().next();
    let asked = Asked {
        principal,
        request: request_id(request),
        operation: Arc::clone(&meta.operation),
        object: named.map(|(_, text)| text.chars().take(64).collect()),
    };
    Some((app, asked))
}

/// Runs the operation. A panic in it is one failed request, no more.
async fn answered<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let kept = request.request().clone();
    let answer = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    answer.map_or_else(
        |_| {
            let response = HttpResponse::from_error(Error::internal("the operation panicked"));
            Ok(ServiceResponse::new(kept, response))
        },
        |result| result.map(ServiceResponse::map_into_boxed_body),
    )
}

async fn admit(meta: &Meta, request: &ServiceRequest) -> Result<()> {
    if meta.access == Access::Public {
        return Ok(());
    }
    let principal = {
        let app = app(request)?;
        app.authenticate(bearer_of(request.headers())?).await?
    };
    let verdict = may_call(meta, &principal, request.headers());
    request.extensions_mut().insert(principal);
    verdict
}

/// Whether the caller may call the operation at all.
fn may_call(meta: &Meta, principal: &Principal, headers: &header::HeaderMap) -> Result<()> {
    if principal.must_change_password && meta.access != Access::PasswordPending {
        return Err(Error::new(Code::PasswordChangeRequired));
    }
    if let Some(machine) = &principal.machine {
        check_machine(meta, machine)?;
    }
    if let Access::Roles(roles) = meta.access
        && !principal.has_any(roles)
    {
        return Err(Error::new(Code::Forbidden).with("needs", roles));
    }
    if principal.machine.is_some()
        && meta.method == Method::POST
        && !headers.contains_key("idempotency-key")
    {
        return Err(Error::new(Code::IdempotencyKeyRequired));
    }
    Ok(())
}

/// Whether a machine client may call the operation at all.
fn check_machine(meta: &Meta, machine: &Machine) -> Result<()> {
    if !meta.machines {
        return Err(Error::new(Code::Forbidden).detail(Message::new(
            "此操作须由自然人登录后进行，不能使用 API 令牌。",
            "This is for a person who signs in, not for a client with an API token.",
        )));
    }
    let listed = |names: &Vec<String>| names.iter().any(|name| **name == *meta.operation);
    if machine.operations.as_ref().is_none_or(listed) {
        return Ok(());
    }
    Err(Error::new(Code::Forbidden).detail(Message::new(
        "该 API 令牌未列入此操作。",
        "The operation is not among those that the API token may call.",
    )))
}

fn app(request: &ServiceRequest) -> Result<Data<App>> {
    request
        .app_data::<Data<App>>()
        .cloned()
        .ok_or_else(|| Error::internal("no App"))
}

/// The token of the one `Authorization: Bearer` header.
pub(super) fn bearer_of(headers: &header::HeaderMap) -> Result<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION);
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Error::new(Code::Unauthenticated));
    };
    value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Error::new(Code::Unauthenticated))
}
