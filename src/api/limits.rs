//! What every schema of the document says, whoever wrote its type: texts are without NUL, whole
//! numbers have a width and both limits. Bodies are checked against the document, so whatever is
//! added here is enforced. And which bodies may be left out: those that may be empty.

use std::collections::BTreeSet;

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayItems, KnownFormat, Object, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response};
use utoipa::openapi::{Required, request_body::RequestBody};
use utoipa::{Number, openapi};

/// Any text but one with the character that one of the databases cannot keep.
const WITHOUT_NUL: &str = "^[^\\u0000]*$";
/// What a type says of a text that must not be blank.
const NOT_BLANK: &str = r"\S";
/// The same without that character.
pub const NOT_BLANK_WITHOUT_NUL: &str = r"^\s*[^\s\u0000][^\u0000]*$";
/// Length of what stands in lists of names and codes without a limit of its own, and of keys.
const NAME: usize = 64;
/// Length of a date.
const DATE: usize = 10;
/// Largest number of 32 bits.
const MAX_32: isize = i32::MAX as isize;
/// Largest whole number that every client can tell from its neighbours: those of JavaScript end
/// there.
const MAX_SAFE: isize = (1 << 53) - 1;
/// The header that every answer may have, under the same name among the components.
const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";

/// Completes every schema of the document, and names the header of other origins in every answer.
pub fn complete(document: &mut OpenApi) {
    if let Some(components) = &mut document.components {
        components.schemas.values_mut().for_each(schema);
        components
            .headers
            .insert(ALLOW_ORIGIN.to_owned(), RefOr::T(allow_origin()));
    }
    document.paths.paths.values_mut().for_each(path);
    optional_bodies(document);
    let sent = document.webhooks.iter_mut();
    sent.flat_map(|paths| paths.paths.values_mut())
        .flat_map(operations)
        .for_each(schemas_of);
}

/// Completes one schema and everything inside it.
pub fn schema(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(inner)) => object(inner),
        RefOr::T(Schema::Array(array)) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                if let RefOr::T(Schema::Object(item)) = &mut **items {
                    name(item);
                }
                self::schema(items);
            }
        }
        RefOr::T(Schema::OneOf(choice)) => choice.items.iter_mut().for_each(self::schema),
        RefOr::T(Schema::AllOf(choice)) => choice.items.iter_mut().for_each(self::schema),
        RefOr::T(Schema::AnyOf(choice)) => choice.items.iter_mut().for_each(self::schema),
        // What is referred to is completed where it stands; no other kinds are known yet.
        RefOr::Ref(_) | RefOr::T(_) => {}
    }
}

fn object(object: &mut Object) {
    object.properties.values_mut().for_each(schema);
    if let Some(AdditionalProperties::RefOr(values)) = object.additional_properties.as_deref_mut() {
        schema(values);
    }
    if let Some(Schema::Object(names)) = object.property_names.as_deref_mut() {
        name(names);
        self::object(names);
    }
    // The container has a default; a member that may not be null has none.
    if object
        .default
        .as_ref()
        .is_some_and(serde_json::Value::is_null)
        && !is(object, &Type::Null)
    {
        object.default = None;
    }
    if is(object, &Type::String) {
        text(object);
    }
    if is(object, &Type::Integer) {
        integer(object);
    }
}

fn is(object: &Object, wanted: &Type) -> bool {
    match &object.schema_type {
        SchemaType::Type(one) => one == wanted,
        SchemaType::Array(several) => several.contains(wanted),
        SchemaType::AnyValue => false,
    }
}

fn name(object: &mut Object) {
    if is(object, &Type::String) && object.enum_values.is_none() {
        object.max_length.get_or_insert(NAME);
    }
}

fn text(object: &mut Object) {
    if object.format == Some(SchemaFormat::KnownFormat(KnownFormat::Date)) {
        object.max_length.get_or_insert(DATE);
    }
    let is_free = match &object.format {
        None => object.enum_values.is_none(),
        Some(SchemaFormat::KnownFormat(format)) => *format == KnownFormat::Password,
        Some(_) => false,
    };
    match object.pattern.as_deref() {
        None if is_free => object.pattern = Some(WITHOUT_NUL.to_owned()),
        Some(NOT_BLANK) => object.pattern = Some(NOT_BLANK_WITHOUT_NUL.to_owned()),
        _ => {}
    }
}

fn integer(object: &mut Object) {
    let most = match &object.maximum {
        Some(Number::Int(most)) => *most,
        Some(Number::UInt(most)) => isize::try_from(*most).unwrap_or(isize::MAX),
        _ => MAX_32,
    };
    let known = SchemaFormat::KnownFormat;
    let format = object.format.get_or_insert(known(if most > MAX_32 {
        KnownFormat::Int64
    } else {
        KnownFormat::Int32
    }));
    let (least, most) = if *format == known(KnownFormat::Int64) {
        (-MAX_SAFE, MAX_SAFE)
    } else {
        (-MAX_32 - 1, MAX_32)
    };
    if object.exclusive_minimum.is_none() {
        object.minimum.get_or_insert(Number::Int(least));
    }
    if object.exclusive_maximum.is_none() {
        object.maximum.get_or_insert(Number::Int(most));
    }
}

/// No body counts as `{}`, so one that may be empty need not be sent; a patch has to say something.
fn optional_bodies(document: &mut OpenApi) {
    let schemas = document.components.iter().flat_map(|all| &all.schemas);
    let empty: BTreeSet<String> = schemas
        .filter(|(_, schema)| may_be_empty(schema))
        .map(|(name, _)| format!("#/components/schemas/{name}"))
        .collect();
    let named = |content: &RefOr<Content>| match content {
        RefOr::T(content) => match &content.schema {
            Some(RefOr::Ref(place)) => empty.contains(&place.ref_location),
            Some(schema) => may_be_empty(schema),
            None => false,
        },
        RefOr::Ref(_) => false,
    };
    let items = document.paths.paths.values_mut();
    for operation in items
        .flat_map(|item| [&mut item.put, &mut item.post, &mut item.delete])
        .flatten()
    {
        if let Some(RefOr::T(RequestBody {
            content, required, ..
        })) = &mut operation.request_body
            && content.values().all(named)
        {
            *required = Some(Required::False);
        }
    }
}

fn may_be_empty(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object))
        if is(object, &Type::Object) && object.required.is_empty() && object.min_properties.is_none())
}

fn path(item: &mut PathItem) {
    for operation in operations(item) {
        schemas_of(operation);
        for answer in operation.responses.responses.values_mut() {
            if let RefOr::T(answer) = answer {
                let header = Ref::new(format!("#/components/headers/{ALLOW_ORIGIN}"));
                answer
                    .headers
                    .insert(ALLOW_ORIGIN.to_owned(), RefOr::Ref(header));
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
    ];
    all.into_iter().flatten()
}

/// Completes what an operation says in place.
fn schemas_of(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            parameter.schema.iter_mut().for_each(schema);
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.content.values_mut().for_each(content);
    }
    for answer in operation.responses.responses.values_mut() {
        if let RefOr::T(answer) = answer {
            response(answer);
        }
    }
}

fn response(response: &mut Response) {
    response.content.values_mut().for_each(content);
    for header in response.headers.values_mut() {
        if let RefOr::T(header) = header {
            header.schema.iter_mut().for_each(schema);
        }
    }
}

fn content(content: &mut RefOr<Content>) {
    if let RefOr::T(content) = content {
        content.schema.iter_mut().for_each(schema);
        content.item_schema.iter_mut().for_each(schema);
    }
}

fn allow_origin() -> openapi::Header {
    let origin = openapi::ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(300))
        .pattern(Some("^https?://[!-~]+$"))
        .examples(["https://tian.example.cn"])
        .build();
    openapi::HeaderBuilder::new()
        .description(Some(
            "The origin of the request, if it is one of `server.allowed_origins`; otherwise \
             absent, and browsers keep the answer from pages of other origins.",
        ))
        .schema(Some(origin))
        .build()
}
