//! Authentication before anything of a request is parsed: 401 here or never.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpResponse};
use futures_util::FutureExt;

use super::routes::{Access, Meta};
use crate::app::App;
use crate::auth::principal::Machine;
use crate::error::{Code, Error, Message, Result};

/// Lets a request through to the operation it matched, or answers in its place.
pub async fn check<B: MessageBody + 'static>(
    meta: Arc<Meta>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    request.extensions_mut().insert(Arc::clone(&meta));
    match admit(&meta, &request).await {
        Ok(()) => answered(request, next).await,
        // An `Err` would pass by the frame, which makes the problem document.
        Err(error) => Ok(request.error_response(error)),
    }
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
        && !request.headers().contains_key("idempotency-key")
    {
        return Err(Error::new(Code::IdempotencyKeyRequired));
    }
    request.extensions_mut().insert(principal);
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
        .and_then(bearer)
        .ok_or_else(|| Error::new(Code::Unauthenticated))
}

/// The token in the value of an Authorization header.
pub(super) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
