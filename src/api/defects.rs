//! Defects on purpose, to show that the checks of `scripts/fuzz` find what they are for. Only with
//! the feature `seeded-defects`, never in a release, and only the one that a file names, so that one
//! service shows them one after the other: all at the edge, none in the code that they pretend to
//! break.

use std::time::Duration;

use actix_web::body::{self, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpMessage, HttpResponse, error};
use futures_util::StreamExt;
use serde_json::{Value, json};

#[cfg(not(debug_assertions))]
compile_error!("defects on purpose are for tests: build without the feature seeded-defects");

/// The variable that names the file with the name of the defect.
const VARIABLE: &str = "JIANJIAN_SEEDED_DEFECT";

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    ServerError,
    UndocumentedStatus,
    MissingField,
    WrongType,
    UnknownEnumValue,
    WrongContentType,
    LongTextTaken,
    UnknownFieldTaken,
    NoAllow,
    OpenWithoutToken,
    NoEntityTag,
    Slow,
}

impl Defect {
    #[expect(clippy::disallowed_methods, reason = "a switch of tests, no setting")]
    fn chosen() -> Option<Self> {
        let name = std::fs::read_to_string(std::env::var_os(VARIABLE)?).ok()?;
        Some(match name.trim() {
            "server-error" => Self::ServerError,
            "undocumented-status" => Self::UndocumentedStatus,
            "missing-field" => Self::MissingField,
            "wrong-type" => Self::WrongType,
            "unknown-enum-value" => Self::UnknownEnumValue,
            "wrong-content-type" => Self::WrongContentType,
            "long-text-taken" => Self::LongTextTaken,
            "unknown-field-taken" => Self::UnknownFieldTaken,
            "no-allow" => Self::NoAllow,
            "open-without-token" => Self::OpenWithoutToken,
            "no-entity-tag" => Self::NoEntityTag,
            "slow" => Self::Slow,
            _ => return None,
        })
    }
}

/// Breaks what the chosen defect breaks; outside of everything else.
pub async fn seed<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(defect) = Defect::chosen() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let path = request.path().to_owned();
    let method = request.method().clone();
    let on = |wanted: Method, prefix: &str| method == wanted && path.starts_with(prefix);
    let counted = request.query_string().contains("count=true");
    if defect == Defect::Slow && on(Method::GET, "/api/v1/sessions") {
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }
    let forgiving = matches!(defect, Defect::LongTextTaken | Defect::UnknownFieldTaken);
    if forgiving && on(Method::POST, "/api/v1/units") {
        forgive(&mut request, defect).await?;
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    let status = response.status();
    match defect {
        Defect::ServerError if counted && status == StatusCode::OK => {
            let answer = HttpResponse::InternalServerError().body("panicked at src/store");
            response = response.into_response(answer);
        }
        Defect::UndocumentedStatus
            if on(Method::GET, "/api/v1/terms") && status == StatusCode::OK =>
        {
            *response.response_mut().status_mut() = StatusCode::NON_AUTHORITATIVE_INFORMATION;
        }
        Defect::WrongContentType if on(Method::GET, "/api/v1/units/") => {
            let plain = header::HeaderValue::from_static("text/plain");
            response.headers_mut().insert(header::CONTENT_TYPE, plain);
        }
        Defect::NoAllow => drop(response.headers_mut().remove(header::ALLOW)),
        Defect::NoEntityTag => drop(response.headers_mut().remove(header::ETAG)),
        Defect::OpenWithoutToken
            if on(Method::GET, "/api/v1/units") && status == StatusCode::UNAUTHORIZED =>
        {
            response = response.into_response(HttpResponse::Ok().json(json!({ "items": [] })));
        }
        Defect::MissingField | Defect::WrongType | Defect::UnknownEnumValue
            if on(Method::GET, "/api/v1/units/") && status == StatusCode::OK =>
        {
            response = spoiled(response, defect).await?;
        }
        _ => {}
    }
    Ok(response)
}

/// Changes one member of the answer.
async fn spoiled(
    response: ServiceResponse<BoxBody>,
    defect: Defect,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let (request, response) = response.into_parts();
    let (response, old) = response.into_parts();
    let bytes = body::to_bytes(old).await.map_err(error::ErrorBadGateway)?;
    let mut unit: Value = serde_json::from_slice(&bytes)?;
    if let Some(members) = unit.as_object_mut() {
        match defect {
            Defect::MissingField => drop(members.remove("name")),
            Defect::WrongType => drop(members.insert("version".into(), json!("2"))),
            _ => drop(members.insert("system_line".into(), json!("moon"))),
        }
    }
    let response = response.set_body(BoxBody::new(unit.to_string()));
    Ok(ServiceResponse::new(request, response))
}

/// Makes a body right that the service would refuse.
async fn forgive(request: &mut ServiceRequest, defect: Defect) -> Result<(), actix_web::Error> {
    const KNOWN: [&str; 7] = [
        "name",
        "system_line",
        "reply_prefix",
        "contact_person",
        "contact_phone",
        "active",
        "successor_id",
    ];
    let mut payload = request.take_payload();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    let mut bytes = bytes.freeze();
    if let Ok(Value::Object(mut members)) = serde_json::from_slice(&bytes) {
        if defect == Defect::UnknownFieldTaken {
            members.retain(|name, _| KNOWN.contains(&name.as_str()));
        } else if let Some(Value::String(name)) = members.get_mut("name") {
            *name = name.chars().take(20).collect();
        }
        bytes = Bytes::from(Value::Object(members).to_string());
    }
    let length = header::HeaderValue::from(bytes.len());
    request.headers_mut().insert(header::CONTENT_LENGTH, length);
    request.set_payload(Payload::from(bytes));
    Ok(())
}
