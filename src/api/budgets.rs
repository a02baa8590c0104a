//! Budgets of requests over HTTP: which operation draws on which, and the headers that tell
//! callers how they stand (draft-ietf-httpapi-ratelimit-headers).

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Header, HeaderBuilder, Ref, RefOr};

use super::routes::Access;
use super::upload::MULTIPART;
use crate::app::limits::{Budget, Standing};

/// Operations that do the work of many, by their `operationId`; uploads are counted with them.
const HEAVY: &[&str] = &[
    "assign_batch",
    "count_what_if",
    "file_batch",
    "import_calendar",
    "preview_policy_profile",
    "replay_failed_deliveries",
    "succeed_unit",
    "update_assignments",
    "urge_batch",
];

const LIMIT: &str = "RateLimit";
const POLICY: &str = "RateLimit-Policy";

/// The budget that an operation draws on.
pub fn budget_of(operation: &Operation, method: &Method, path: &str, access: Access) -> Budget {
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let body = operation.request_body.as_ref();
    let uploads = matches!(body, Some(RefOr::T(body)) if body.content.contains_key(MULTIPART));
    if access == Access::Public {
        if path.starts_with("/health/") || path == "/metrics" {
            Budget::Probes
        } else {
            Budget::Open
        }
    } else if uploads || HEAVY.contains(&id) {
        Budget::Heavy
    } else if *method == Method::GET {
        Budget::Reads
    } else {
        Budget::Writes
    }
}

/// Writes the headers.
pub fn tell(headers: &mut HeaderMap, standing: &Standing) {
    let name = standing.budget.as_str();
    let (quota, window) = (standing.quota, standing.window);
    let (left, reset) = (standing.left, standing.reset);
    let values = [
        ("ratelimit", format!("\"{name}\";r={left};t={reset}")),
        (
            "ratelimit-policy",
            format!("\"{name}\";q={quota};w={window}"),
        ),
    ];
    for (name, value) in values {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// The headers as components of the document.
pub fn components() -> [(&'static str, Header); 2] {
    let header = |pattern: &str, example: &str, about: &str| {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(100))
            .pattern(Some(pattern))
            .examples([example]);
        HeaderBuilder::new()
            .schema(Some(text))
            .description(Some(about))
            .build()
    };
    [
        (
            LIMIT,
            header(
                r#"^"[a-z]+";r=[0-9]+;t=[0-9]+$"#,
                r#""reads";r=2399;t=42"#,
                "The budget that the request was counted in: the requests that are left (`r`), and \
                 the seconds until there are as many as before (`t`).",
            ),
        ),
        (
            POLICY,
            header(
                r#"^"[a-z]+";q=[0-9]+;w=[0-9]+$"#,
                r#""reads";q=2400;w=60"#,
                "That budget: requests (`q`) in a window of so many seconds (`w`).",
            ),
        ),
    ]
}

/// Adds the headers to every answer of an operation that tells something of the request.
pub fn document(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['2', '4'])
        {
            for name in [LIMIT, POLICY] {
                let place = Ref::new(format!("#/components/headers/{name}"));
                response.headers.insert(name.to_owned(), RefOr::Ref(place));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_heavy_operation_exists() {
        let routes = crate::api::routes();
        let known: BTreeSet<_> = routes.operations().map(|meta| &*meta.operation).collect();
        for name in HEAVY {
            assert!(known.contains(name), "{name}");
        }
    }
}
