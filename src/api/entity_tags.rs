//! Entity tags in the document: what is read with one, and what spares sending it again.

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Header, HeaderBuilder, Ref, RefOr, Required, ResponseBuilder};

use super::extract::MAX_ETAGS;

/// Name of the header, and of its component.
const ETAG: &str = "ETag";

/// What is read with an entity tag though its address does not end in the name of an object.
const TAGGED: &[&str] = &[
    "/api/v1/assignments/{assignment_id}/actions",
    "/api/v1/attachments/{attachment_id}/content",
    "/api/v1/audit/seals/{number}",
    "/api/v1/code-lists",
    "/api/v1/notification-settings",
    "/api/v1/password-policy",
    "/api/v1/proposals/{proposal_id}/actions",
    "/api/v1/proposals/{proposal_id}/attachments",
    "/api/v1/proposals/{proposal_id}/follow-up",
    "/api/v1/proposals/{proposal_id}/links",
    "/api/v1/proposals/{proposal_id}/records",
    "/api/v1/proposals/{proposal_id}/referrals",
    "/api/v1/proposals/{proposal_id}/rounds",
    "/api/v1/proposals/{proposal_id}/texts",
    "/api/v1/replies/{reply_id}/actions",
    "/api/v1/users/{user_id}/notification-settings",
    "/api/v1/users/{user_id}/sign-in-protection",
    "/api/v1/workflow",
    "/openapi.json",
];

/// Whether what is read there has an entity tag.
pub fn has_tag(path: &str) -> bool {
    TAGGED.contains(&path) || path.ends_with("_id}") || path.ends_with("_code}")
}

/// Says of an operation that its answer has a tag, and that it is spared whoever has it already.
pub fn document(operation: &mut Operation) {
    let known = ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(MAX_ETAGS))
        .examples(["\"3\""]);
    operation.parameters.get_or_insert_default().push(
        ParameterBuilder::new()
            .name("If-None-Match")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "ETag of the version the client has; 304 if it is still the present one.",
            ))
            .schema(Some(known))
            .build()
            .into(),
    );
    let responses = &mut operation.responses.responses;
    let same = ResponseBuilder::new().description("It is still the one the client has.");
    responses.insert("304".to_owned(), RefOr::T(same.build()));
    for (status, response) in responses {
        if let RefOr::T(response) = response
            && matches!(&**status, "200" | "304")
        {
            let place = Ref::new(format!("#/components/headers/{ETAG}"));
            response.headers.insert(ETAG.to_owned(), RefOr::Ref(place));
        }
    }
}

/// The header as a component of the document. Where it is named it is never missing.
pub fn component() -> (&'static str, Header) {
    let tag = ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(100))
        .pattern(Some("^\"[!#-~]+\"$"))
        .examples(["\"3\""]);
    let header = HeaderBuilder::new()
        .description(Some(
            "Names this state of what was read, for `If-Match` and `If-None-Match`.",
        ))
        .schema(Some(tag))
        .extensions(Some(Extensions::from_iter([("required", true)])))
        .build();
    (ETAG, header)
}
