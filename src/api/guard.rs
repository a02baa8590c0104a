//! Authentication before anything of a request is parsed: 401 here or never.

use std::sync::Arc;

use actix_web::HttpMessage;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::routes::{Access, Meta};
use crate::app::App;
use crate::error::{Code, Error, Result};

/// Lets a request through to the operation it matched, or refuses it.
pub async fn check<B: MessageBody>(
    meta: Arc<Meta>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    request.extensions_mut().insert(Arc::clone(&meta));
    if meta.access != Access::Public {
        let principal = {
            let app = app(&request)?;
            app.authenticate(bearer(&request)?).await?
        };
        if principal.must_change_password && meta.access != Access::PasswordPending {
            return Err(Error::new(Code::PasswordChangeRequired).into());
        }
        if let Access::Roles(roles) = meta.access
            && !principal.has_any(roles)
        {
            return Err(Error::new(Code::Forbidden).with("needs", roles).into());
        }
        request.extensions_mut().insert(principal);
    }
    next.call(request).await
}

fn app(request: &ServiceRequest) -> Result<Data<App>> {
    request
        .app_data::<Data<App>>()
        .cloned()
        .ok_or_else(|| Error::internal("no App"))
}

/// The token of the one `Authorization: Bearer` header.
fn bearer(request: &ServiceRequest) -> Result<&str> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
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
