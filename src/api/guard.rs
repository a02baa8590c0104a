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

use super::extract::{check_known, client_address, request_id};
use super::query;
use super::routes::{Access, Meta};
use crate::app::App;
use crate::app::audit::{Asked, Disclosed, Refused};
use crate::app::limits::Standing;
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
    let admitted = admit(&meta, &request).await;
    let response = match admitted.and_then(|()| check_head(&meta, &request)) {
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
        Code::Forbidden
        | Code::PasswordChangeRequired
        | Code::SecondFactorEnrolmentRequired
        | Code::StepUpRequired => Refused {
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
    let app = app(request)?;
    if meta.access == Access::Public {
        if let Some(address) = client_address(request.request()) {
            within(request, app.charge_address(address, meta.budget).await)?;
        }
        return well_formed(request.headers());
    }
    let token = bearer_of(request.headers())?;
    // Clients open it again by themselves, whether somebody is there or not.
    let principal = if meta.path.ends_with("/stream") {
        app.recheck(token).await?
    } else if meta.method.is_safe() && !meta.step_up {
        app.authenticate_reader(token).await?
    } else {
        app.authenticate(token).await?
    };
    let standing = app.charge_account(principal.committee, principal.user, meta.budget);
    within(request, standing.await)?;
    let verdict = may_call(&app, meta, &principal, request.headers());
    request.extensions_mut().insert(principal);
    verdict
}

/// Whether the caller may call the operation at all.
fn may_call(
    app: &App,
    meta: &Meta,
    principal: &Principal,
    headers: &header::HeaderMap,
) -> Result<()> {
    if principal.must_change_password && meta.access != Access::PasswordPending {
        return Err(Error::new(Code::PasswordChangeRequired));
    }
    let is_pending = matches!(meta.access, Access::PasswordPending | Access::FactorPending);
    if !is_pending && app.must_enrol(principal) {
        return Err(Error::new(Code::SecondFactorEnrolmentRequired));
    }
    if let Some(machine) = &principal.machine {
        check_machine(meta, machine)?;
    }
    if let Access::Roles(roles) = meta.access
        && !principal.has_any(roles)
    {
        return Err(Error::new(Code::Forbidden).with("needs", roles));
    }
    if meta.step_up {
        app.check_step_up(principal)?;
    }
    if principal.machine.is_some()
        && meta.method == Method::POST
        && !headers.contains_key("idempotency-key")
    {
        return Err(Error::new(Code::IdempotencyKeyRequired));
    }
    Ok(())
}

/// What no operation takes, whatever it does.
fn check_head(meta: &Meta, request: &ServiceRequest) -> Result<()> {
    if !meta.queried {
        query::nothing(request.query_string())?;
    }
    check_known(request.headers())
}

/// A public operation needs no token; but one that is sent must look like one. What a proxy in
/// front of the service asks for (another scheme) is none of its business.
fn well_formed(headers: &header::HeaderMap) -> Result<()> {
    let sent = headers.get_all(header::AUTHORIZATION);
    let bearer = sent.filter(|value| {
        let scheme = value.as_bytes().get(..6).unwrap_or_default();
        scheme.eq_ignore_ascii_case(b"bearer")
    });
    if bearer.count() == 0 {
        return Ok(());
    }
    let token = bearer_of(headers)?;
    if token.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(Error::new(Code::Unauthenticated))
    }
}

/// Keeps how the caller stands for the headers of the answer; refuses a request that was one too
/// many.
fn within(request: &ServiceRequest, standing: Option<Standing>) -> Result<()> {
    let Some(standing) = standing else {
        return Ok(());
    };
    request.extensions_mut().insert(standing);
    standing.refusal().map_or(Ok(()), Err)
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
