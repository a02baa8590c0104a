//! What the OpenAPI document says beside its operations, and what every operation has in common.

use actix_web::http::Method;
use std::collections::BTreeSet;

use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathItem, Paths,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::{
    Http, HttpAuthScheme, OAuth2, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Components, ContactBuilder, ContentBuilder, HeaderBuilder, InfoBuilder, LicenseBuilder,
    OpenApi, OpenApiBuilder, Ref, RefOr, Required, Response, ResponseBuilder, ServerBuilder, Tag,
};

use super::extract::MAX_ETAGS;
use super::problem::{Problem, ProblemField};
use super::routes::Access;
use super::upload::MULTIPART;
use super::{budgets, entity_tags};
use crate::error::Code;
use crate::workflow::attachments::FileType;

/// The modules of the interface: name and description.
const TAGS: &[(&str, &str)] = &[
    (
        "sign-in",
        "Signing in and out, access and refresh tokens, the own password. 登录与会话。",
    ),
    (
        "registers",
        "Committees, terms, sessions, members, organisations, units. 届次、委员、组织与承办单位名录。",
    ),
    (
        "code-lists",
        "Code lists: the fixed ones, and those that a committee makes its own. 代码表。",
    ),
    ("accounts", "User accounts and their roles. 用户与角色。"),
    (
        "api-tokens",
        "Tokens of machine clients, such as a department's own case system. 接口令牌。",
    ),
    (
        "proposals",
        "Proposals and every act on them. 提案及其办理。",
    ),
    (
        "assignments",
        "The rows that bind handling units to a case, and the acts of units. 交办与承办。",
    ),
    (
        "referrals",
        "Cases sent to committees above and below, on both sides. 转报转办。",
    ),
    (
        "replies",
        "Replies of units: drafted, signed, reviewed, delivered. 答复。",
    ),
    (
        "policy",
        "The limits and choices of the committee, in versions. 政策参数。",
    ),
    (
        "clocks",
        "Clocks of cases: what is due, what is overdue, and why on that day. 期限。",
    ),
    (
        "calendars",
        "The working-day calendar of the committee, in versions. 工作日历。",
    ),
    (
        "batches",
        "Many cases in one request, with a result for each: what a meeting decides, urging, the work of a unit. 批量立案、交办、催办、办理。",
    ),
    (
        "attachments",
        "Files that go with texts: uploaded first, then named by the act that hands the text in. 附件。",
    ),
    ("desk", "What waits for the caller. 待办。"),
    (
        "notifications",
        "What the caller was told, and how: inbox, choices, mails. 通知。",
    ),
    (
        "events",
        "What happened in the committee, to follow as a list or as a stream. 事件流。",
    ),
    (
        "webhooks",
        "Subscriptions of other systems: what happens is sent to them. 外部系统订阅。",
    ),
    (
        "audit",
        "The audit trail, for auditors: search, signed seals, checks. 审计日志。",
    ),
    (
        "jobs",
        "Work that is done after the answer, for system administrators. 后台作业。",
    ),
    (
        "service",
        "Health, metrics, keys and this document. 服务状态。",
    ),
];

/// The document without operations.
pub fn base() -> OpenApi {
    let mut components = Components::new();
    components.add_security_scheme(
        "access_token",
        SecurityScheme::Http(
            Http::builder()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some(
                    "Access token of `POST /api/v1/auth/login`, valid for 10 minutes: a JWT, signed and \
                     checked as RFC8725 demands.",
                ))
                .build(),
        ),
    );
    components.add_security_scheme(
        "api_token",
        SecurityScheme::Http(
            Http::builder()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("jjt")
                .description(Some(
                    "Token of a machine client, made by the security administrator with \
                     `POST /api/v1/api-tokens`: `jjt_`, 86 characters of base64url and 8 \
                     hexadecimal digits. Its clients send an `Idempotency-Key` with every POST.",
                ))
                .build(),
        ),
    );
    components.add_security_scheme("credentials", SecurityScheme::OAuth2(credentials()));
    let mut schemas = Vec::new();
    <Problem as utoipa::ToSchema>::schemas(&mut schemas);
    schemas.push(("Problem".to_owned(), problem_schema()));
    schemas.push((
        "ProblemField".to_owned(),
        <ProblemField as utoipa::PartialSchema>::schema(),
    ));
    components.schemas.extend(schemas);
    let headers = budgets::components();
    let headers = headers.map(|(name, header)| (name.to_owned(), header.into()));
    components.headers.extend(headers);
    let (name, header) = entity_tags::component();
    components.headers.insert(name.to_owned(), header.into());
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("jianjian 件件")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(include_str!("openapi.md")))
                .contact(Some(
                    ContactBuilder::new()
                        .name(Some("The jianjian authors"))
                        .build(),
                ))
                .license(Some(
                    LicenseBuilder::new()
                        .name("Apache-2.0")
                        .identifier(Some("Apache-2.0"))
                        .build(),
                ))
                .build(),
        )
        .servers(Some([ServerBuilder::new()
            .url("/")
            .description(Some(
                "The service that gave this document, in production as in a test",
            ))
            .extensions(Some(
                ExtensionsBuilder::new().add("x-internal", false).build(),
            ))
            .build()]))
        .tags(Some(TAGS.iter().map(|(name, description)| {
            let mut tag = Tag::new(*name);
            tag.description = Some((*description).to_owned());
            tag
        })))
        .webhooks(Some(sent()))
        .components(Some(components))
        .build()
}

/// What signing in asks for in place of a token. No flow of OAuth is offered: the body is JSON.
fn credentials() -> OAuth2 {
    OAuth2::with_description(
        [],
        "Name and password, or a refresh token, in the body of the request. The access tokens that \
         come of it follow RFC8725.",
    )
}

/// What the service sends to subscriptions.
fn sent() -> Paths {
    let text = |max: usize, example: &str| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(max))
            .examples([example])
    };
    let header = |name: &str, schema: ObjectBuilder, about: &str| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(about))
            .schema(Some(schema))
            .build()
    };
    let answer = |about: &str| ResponseBuilder::new().description(about).build();
    let body = RequestBodyBuilder::new()
        .description(Some("The event, without texts."))
        .required(Some(Required::True))
        .content(
            "application/cloudevents+json",
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("WebhookMessage")))
                .build(),
        )
        .build();
    let operation = OperationBuilder::new()
        .operation_id(Some("deliver_event"))
        .tag("webhooks")
        .summary(Some("Something happened"))
        .description(Some(
            "Sent to the target of every subscription that wants the event, at least once and in \
             no promised order; repeated with the same `webhook-id` until it is taken. Verify the \
             signature (Standard Webhooks 1.0.0) before anything else.",
        ))
        .securities(Some(Vec::<SecurityRequirement>::new()))
        .parameter(header(
            "webhook-id",
            text(64, "dlvr_019a1b2c3d4e7f8090a1b2c3d4e5f607"),
            "The message: the same on every attempt.",
        ))
        .parameter(header(
            "webhook-timestamp",
            text(20, "1768699800"),
            "The moment of the attempt, in seconds since 1970.",
        ))
        .parameter(header(
            "webhook-signature",
            text(200, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            "Signatures by the present secret and, for some time after a rotation, by the old \
             one, with a blank between them.",
        ))
        .request_body(Some(body))
        .response("2XX", answer("Taken. The body is not looked at."))
        .response("410", answer("Gone: the subscription is disabled."))
        .response(
            "4XX",
            answer("Not taken: tried again later; `Retry-After` is heard."),
        )
        .build();
    let mut paths = Paths::new();
    let item = PathItem::new(HttpMethod::Post, operation);
    paths.paths.insert("event".to_owned(), item);
    paths
}

fn names_an_object(path: &str) -> bool {
    let ids = ["_id}", "_code}", "{version}"];
    ids.iter().any(|id| path.contains(id))
}

/// Objects of which a committee has one, so that no identifier stands in their address.
const ONLY_ONES: &[&str] = &["/api/v1/password-policy"];

/// What can happen to whoever sends a body.
const OF_A_BODY: &[Code] = &[
    Code::MalformedJson,
    Code::InvalidBody,
    Code::InvalidInput,
    Code::AlreadyExists,
    Code::PayloadTooLarge,
    Code::UnsupportedMediaType,
];

/// What can happen to whoever is signed in. A required second factor does not stand in the way of
/// the operations that lead to it.
fn of_access(access: Access) -> &'static [Code] {
    match access {
        Access::Public => &[],
        Access::PasswordPending | Access::FactorPending => {
            &[Code::PasswordChangeRequired, Code::Forbidden]
        }
        Access::SignedIn | Access::Persons | Access::Roles(_) => &[
            Code::PasswordChangeRequired,
            Code::SecondFactorEnrolmentRequired,
            Code::Forbidden,
        ],
    }
}

/// What can happen while somebody signs in, beside what can always happen.
fn of_signing_in(path: &str) -> &'static [Code] {
    match path {
        "/api/v1/auth/login" => &[Code::TooManySignIns],
        "/api/v1/auth/login/second-factor" => &[Code::SecondFactorHeld],
        // It may be missing, or held after wrong codes.
        "/api/v1/auth/step-up" => &[Code::SecondFactorHeld, Code::GuardUnmet],
        path if path.starts_with("/api/v1/auth/second-factor") => {
            &[Code::SecondFactorHeld, Code::GuardUnmet]
        }
        path if path.starts_with("/api/v1/auth/openid/") => &[Code::ProviderUnavailable],
        _ => &[],
    }
}

/// Adds to an operation what follows from its method, path and access: headers and problems.
pub fn complete(
    operation: &mut Operation,
    method: &Method,
    path: &str,
    access: Access,
    step_up: bool,
) {
    let has_id = names_an_object(path);
    let body = operation.request_body.as_ref();
    let has_body = body.is_some();
    let uploads = matches!(body, Some(RefOr::T(body)) if body.content.contains_key(MULTIPART));
    let is_only_one = ONLY_ONES.contains(&path);
    let on_object = (has_id || is_only_one) && path.starts_with("/api/");
    let mutates = method != Method::GET;
    let mut codes = vec![
        Code::InvalidParameter,
        Code::Unauthenticated,
        Code::UriTooLong,
        Code::RateLimited,
        Code::Internal,
        Code::Busy,
        Code::DatabaseUnavailable,
    ];
    codes.extend(of_access(access));
    codes.extend(step_up.then_some(Code::StepUpRequired));
    if path.contains('{') {
        codes.push(Code::NotFound);
    }
    if operation
        .parameters
        .as_ref()
        .is_some_and(|list| !list.is_empty())
        && !mutates
    {
        codes.push(Code::InvalidCursor);
    }
    if mutates && access != Access::Public {
        codes.push(Code::InvalidHeader);
        parameter(
            operation,
            "validate_only",
            ParameterIn::Query,
            validate_only_schema(),
            "Run every check and the whole act, answer as usual, and keep nothing.",
        );
    }
    codes.extend(path.ends_with("/stream").then_some(Code::TooManyStreams));
    if mutates {
        codes.extend(of_signing_in(path));
    }
    if uploads {
        codes.extend([
            Code::MalformedMultipart,
            Code::ScannerUnavailable,
            Code::StorageUnavailable,
        ]);
    }
    if path.ends_with("/content") {
        as_it_is(operation);
        codes.extend([Code::ContentRemoved, Code::StorageUnavailable]);
    }
    codes.extend((method == Method::DELETE).then_some(Code::InUse));
    if has_body {
        codes.extend(OF_A_BODY);
    }
    if method == Method::POST && access != Access::Public {
        codes.extend([Code::IdempotencyKeyReused, Code::IdempotencyKeyRequired]);
        parameter(
            operation,
            "Idempotency-Key",
            ParameterIn::Header,
            key_schema(),
            "Makes the request safe to repeat: the same key with the same request gives the first answer again. Clients with an API token must send it.",
        );
    }
    // An upload makes something new and changes nothing that was read.
    if uploads {
        codes.push(Code::GuardUnmet);
        codes.retain(|code| !matches!(code, Code::MalformedJson | Code::AlreadyExists));
    } else if mutates && on_object {
        codes.extend([
            Code::StateConflict,
            Code::GuardUnmet,
            Code::VersionMismatch,
            Code::PreconditionRequired,
        ]);
        parameter(
            operation,
            "If-Match",
            ParameterIn::Header,
            etag_schema(),
            "ETag of the version that was read, or `*`.",
        );
    }
    // What is known by a code of the committee may be in use.
    if mutates && path.contains("_code}") {
        codes.push(Code::InUse);
    }
    if !mutates && entity_tags::has_tag(path) {
        codes.push(Code::InvalidHeader);
        entity_tags::document(operation);
    }
    add_problems(operation, &codes);
    budgets::document(operation);
}

/// A file is sent as what it is.
fn as_it_is(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response
            && let Some(bytes) = response.content.shift_remove("application/octet-stream")
        {
            let types = FileType::ALL.iter().map(|kind| kind.media_type());
            let named = types.filter_map(|name| name.split(';').next());
            let each = named.map(|name| (name.to_owned(), bytes.clone()));
            response.content.extend(each);
        }
    }
}

/// The schema of a problem document with the members that depend on its code.
fn problem_schema() -> RefOr<Schema> {
    let text = |about: &str| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(2000))
            .description(Some(about))
    };
    let list = |about: &str| {
        ArrayBuilder::new()
            .items(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .max_length(Some(64)),
            )
            .max_items(Some(60))
            .description(Some(about))
    };
    let unmet = ObjectBuilder::new()
        .property("guard", text("Stable name of the condition."))
        .property("invariant", text("The invariant behind it, such as I12."))
        .property(
            "message",
            text("What is missing, in the language of the request."),
        )
        .required("guard")
        .required("message");
    let unmet = ArrayBuilder::new()
        .items(unmet)
        .max_items(Some(20))
        .description(Some("`guard-unmet`: every condition that is not met."));
    let uses = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(i32::MAX))
        .description(Some("`in-use`: how many cases have it."));
    let line = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .maximum(Some(i32::MAX));
    let lines = ArrayBuilder::new()
        .items(line)
        .max_items(Some(50))
        .description(Some(
            "`invalid-input` of a file: the numbers of its broken lines.",
        ));
    let mut schema = <Problem as utoipa::PartialSchema>::schema();
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        let members: [(&str, RefOr<Schema>); 8] = [
            (
                "current_status",
                text("`state-conflict`: the present status.").into(),
            ),
            (
                "allowed_from",
                list("`state-conflict`: statuses from which it would work.").into(),
            ),
            (
                "allowed_actions",
                list("What the caller may do now instead.").into(),
            ),
            (
                "needs",
                list("`forbidden`: roles that have the right.").into(),
            ),
            ("unmet", unmet.into()),
            ("uses", uses.into()),
            (
                "current_etag",
                text("`version-mismatch`: the present entity tag.").into(),
            ),
            ("lines", lines.into()),
        ];
        let budget = text("`rate-limited`: the budget of requests that is used up.");
        let further = waiting().into_iter().chain([("budget", budget.into())]);
        object
            .properties
            .extend(members.into_iter().chain(further).map(named));
    }
    schema
}

fn named((name, schema): (&str, RefOr<Schema>)) -> (String, RefOr<Schema>) {
    (name.to_owned(), schema)
}

/// Members of problem documents that ask the client to go on in another way, or later.
fn waiting() -> [(&'static str, RefOr<Schema>); 4] {
    let challenge = ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(2000))
        .description(Some(
            "`second-factor-required`: names the sign-in that waits.",
        ));
    let seconds = |about: &str| {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(0))
            .maximum(Some(3600))
            .description(Some(format!("{about} In seconds.")))
    };
    [
        ("challenge", challenge.into()),
        (
            "expires_in",
            seconds("`second-factor-required`: for how long it waits.").into(),
        ),
        (
            "max_age_seconds",
            seconds("`step-up-required`: for how long a proof counts.").into(),
        ),
        (
            "retry_after",
            seconds("`second-factor-held`, `rate-limited`: as in `Retry-After`.").into(),
        ),
    ]
}

/// Removes the schemas that nothing refers to: items of pages stand inside their pages.
pub fn prune(openapi: &mut OpenApi) {
    const REFERENCE: &str = "\"#/components/schemas/";
    let text = serde_json::to_string(openapi).unwrap_or_default();
    let used: BTreeSet<&str> = text
        .split(REFERENCE)
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(name, _)| name)
        .collect();
    if let Some(components) = &mut openapi.components {
        components
            .schemas
            .retain(|name, _| used.contains(name.as_str()));
    }
}

fn add_problems(operation: &mut Operation, codes: &[Code]) {
    let mut statuses: Vec<u16> = codes.iter().map(|code| code.status()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    for status in statuses {
        let entry = operation.responses.responses.entry(status.to_string());
        entry.or_insert_with(|| {
            let list: Vec<_> = Code::ALL
                .iter()
                .filter(|code| code.status() == status && codes.contains(code))
                .map(|code| format!("`{}`: {}", code.as_str(), code.title().en))
                .collect();
            RefOr::T(problem_response(status, &list.join("; ")))
        });
    }
}

fn problem_response(status: u16, description: &str) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    let mut response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content);
    if matches!(status, 429 | 503) {
        let seconds = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Integer))
            .minimum(Some(0.0))
            .maximum(Some(3600.0));
        response = response.header(
            "Retry-After",
            HeaderBuilder::new()
                .schema(Some(seconds))
                .description(Some("Seconds to wait."))
                .build(),
        );
    }
    response.build()
}

fn parameter(
    operation: &mut Operation,
    name: &str,
    place: ParameterIn,
    schema: ObjectBuilder,
    description: &str,
) {
    operation.parameters.get_or_insert_default().push(
        ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(schema))
            .build()
            .into(),
    );
}

fn validate_only_schema() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .default(Some(false.into()))
}

fn key_schema() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(8))
        .max_length(Some(128))
        .pattern(Some("^[!#-~]{8,128}$"))
        .examples(["7d3f0b1e-5b0c-4a53-9f0e-1f6c2c9d8e11"])
}

fn etag_schema() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(MAX_ETAGS))
        .pattern(Some(
            "^(\\*|(W/)?\"[!#-~]*\"([ \\t]*,[ \\t]*(W/)?\"[!#-~]*\")*)$",
        ))
        .examples(["\"3\""])
}
