//! Request bodies: strict JSON, checked against the very schema that the OpenAPI document shows.
//!
//! A body is kept as bytes until the operation knows that the caller may send it at all; so an
//! answer about the form of a body never tells anything to somebody who may not see the object.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::{Method, header};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::{OpenApi, RefOr};

use crate::error::{Code, Error, Message, Result};

/// Most wrong places told at once.
const MOST_ERRORS: usize = 50;
/// Largest body accepted, in bytes.
pub const MAX_BODY: usize = 256 * 1024;
/// A body must arrive whole within this time.
const BODY_TIME: Duration = Duration::from_secs(10);

/// The schemas of all bodies, compiled once.
pub struct Schemas(HashMap<String, Validator>);

impl Schemas {
    /// Compiles the schema of every body that an operation of the document takes, of all that these
    /// are made of (what a merge patch comes to is checked as such a part), and of bodies that the
    /// document does not show. What is only answered is never checked.
    pub fn compile(openapi: &OpenApi, hidden: &super::routes::Schemas) -> Result<Self> {
        let mut document = serde_json::to_value(openapi).map_err(Error::internal)?;
        let Some(schemas) = document
            .pointer_mut("/components/schemas")
            .and_then(Value::as_object_mut)
        else {
            return Ok(Self(HashMap::new()));
        };
        let mut taken = BTreeSet::new();
        for name in bodies(openapi) {
            taken.extend(
                with_all_it_refers_to(&name, schemas)
                    .into_iter()
                    .map(|(name, _)| name),
            );
        }
        for (name, schema) in hidden {
            let schema = serde_json::to_value(schema).map_err(Error::internal)?;
            schemas.entry(name).or_insert(schema);
            taken.insert(name.clone());
        }
        taken
            .into_iter()
            .map(|name| {
                let root = serde_json::json!({
                    "$ref": format!("{SCHEMAS}{name}"),
                    "components": { "schemas": with_all_it_refers_to(&name, schemas) },
                });
                let validator = jsonschema::options()
                    .with_draft(Draft::Draft202012)
                    .should_validate_formats(true)
                    .build(&root)
                    .map_err(|error| Error::internal(error).context(format!("schema {name}")))?;
                Ok((name, validator))
            })
            .collect::<Result<_>>()
            .map(Self)
    }

    fn check(&self, name: &str, value: &Value) -> Result<()> {
        let validator = self
            .0
            .get(name)
            .ok_or_else(|| Error::internal(format!("the schema {name} is not in the document")))?;
        let mut error = Error::new(Code::InvalidBody);
        for wrong in validator.iter_errors(value).take(MOST_ERRORS) {
            error = match wrong.kind() {
                ValidationErrorKind::FalseSchema => no_fields(error, &wrong, value),
                _ => report(error, &wrong),
            };
            if error.fields().len() >= MOST_ERRORS {
                break;
            }
        }
        if error.fields().is_empty() {
            Ok(())
        } else {
            Err(error)
        }
    }
}

/// Where schemas are in the document.
const SCHEMAS: &str = "#/components/schemas/";

/// The names of the schemas of all bodies that operations take.
fn bodies(openapi: &OpenApi) -> BTreeSet<String> {
    let operations = openapi.paths.paths.values().flat_map(|item| {
        [&item.get, &item.put, &item.post, &item.delete, &item.patch]
            .into_iter()
            .flatten()
    });
    operations
        .filter_map(|operation| match &operation.request_body {
            Some(RefOr::T(body)) => Some(body),
            _ => None,
        })
        .flat_map(|body| body.content.values())
        .filter_map(|content| match content {
            RefOr::T(content) => content.schema.as_ref(),
            RefOr::Ref(_) => None,
        })
        .filter_map(|schema| match schema {
            RefOr::Ref(schema) => schema.ref_location.strip_prefix(SCHEMAS),
            RefOr::T(_) => None,
        })
        .map(str::to_owned)
        .collect()
}

/// A schema with all those it refers to, at any remove: without the others, or compiling all of
/// them would take time by the square of their number.
fn with_all_it_refers_to(name: &str, all: &Map<String, Value>) -> Map<String, Value> {
    let (mut found, mut open) = (Map::new(), vec![name.to_owned()]);
    while let Some(name) = open.pop() {
        if let Some(schema) = all.get(&name).filter(|_| !found.contains_key(&name)) {
            references(schema, &mut open);
            found.insert(name, schema.clone());
        }
    }
    found
}

fn references(schema: &Value, open: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            let name = map.get("$ref").and_then(Value::as_str);
            open.extend(
                name.and_then(|name| name.strip_prefix(SCHEMAS))
                    .map(str::to_owned),
            );
            map.values().for_each(|inner| references(inner, open));
        }
        Value::Array(items) => items.iter().for_each(|inner| references(inner, open)),
        _ => {}
    }
}

/// An object that may have no field at all: the library does not say which ones there are.
fn no_fields(error: Error, wrong: &ValidationError<'_>, body: &Value) -> Error {
    let place = wrong.instance_path().as_str();
    match body.pointer(place) {
        Some(Value::Object(members)) if error.fields().is_empty() => {
            members.keys().take(MOST_ERRORS).fold(error, |error, name| {
                error.field(below(place, name), "unknown_field", no_such_field())
            })
        }
        _ => report(error, wrong),
    }
}

/// The pointer of a member.
fn below(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Says what is wrong at one place, in the words of the rule that failed.
#[expect(
    clippy::too_many_lines,
    reason = "a table: one entry per rule of a schema"
)]
fn report(error: Error, wrong: &ValidationError<'_>) -> Error {
    let place = wrong.instance_path().as_str().to_owned();
    let at = |name: &str| below(&place, name);
    let say = |code, zh: String, en: String| (code, Message::new(zh, en));
    let (code, message) = match wrong.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            return unexpected
                .iter()
                .take(MOST_ERRORS)
                .fold(error, |error, name| {
                    error.field(at(name), "unknown_field", no_such_field())
                });
        }
        ValidationErrorKind::Required { property } => {
            return error.field(
                at(property.as_str().unwrap_or_default()),
                "required",
                Message::new("必填。", "This is required."),
            );
        }
        // Of the alternatives of a nullable value, report the one that is not null.
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            let deepest = context
                .iter()
                .flatten()
                .filter(|inner| !is_null_alternative(inner))
                .max_by_key(|inner| inner.instance_path().as_str().len());
            return match deepest {
                Some(inner) => report(error, inner),
                None => error.field(
                    place,
                    "one_of",
                    Message::new(
                        "不符合任何一种允许的形式。",
                        "It fits none of the allowed forms.",
                    ),
                ),
            };
        }
        ValidationErrorKind::MaxLength { limit } => say(
            "max_length",
            format!("最多 {limit} 个字符。"),
            format!("At most {limit} characters."),
        ),
        ValidationErrorKind::MinLength { limit } => say(
            "min_length",
            format!("至少 {limit} 个字符。"),
            format!("At least {limit} characters."),
        ),
        ValidationErrorKind::MaxItems { limit } => say(
            "max_items",
            format!("最多 {limit} 项。"),
            format!("At most {limit} items."),
        ),
        ValidationErrorKind::MinItems { limit } => say(
            "min_items",
            format!("至少 {limit} 项。"),
            format!("At least {limit} items."),
        ),
        ValidationErrorKind::UniqueItems => say(
            "unique_items",
            "不能重复。".into(),
            "Items must differ.".into(),
        ),
        ValidationErrorKind::Maximum { limit } => say(
            "maximum",
            format!("不能大于 {limit}。"),
            format!("At most {limit}."),
        ),
        ValidationErrorKind::Minimum { limit } => say(
            "minimum",
            format!("不能小于 {limit}。"),
            format!("At least {limit}."),
        ),
        ValidationErrorKind::Pattern { pattern } => say(
            "pattern",
            format!("须符合格式 {pattern}。"),
            format!("It must match {pattern}."),
        ),
        ValidationErrorKind::Format { format } => say(
            "format",
            format!("须为有效的 {format}。"),
            format!("It must be a valid {format}."),
        ),
        ValidationErrorKind::Enum { options } => say(
            "enum",
            format!("须为以下之一：{options}。"),
            format!("One of {options}."),
        ),
        ValidationErrorKind::Constant { expected_value } => say(
            "const",
            format!("须为 {expected_value}。"),
            format!("It must be {expected_value}."),
        ),
        ValidationErrorKind::Type { .. } => say(
            "type",
            "类型不对。".into(),
            "It is of the wrong type.".into(),
        ),
        other => say(
            "invalid",
            format!("不符合规则 {}。", other.keyword()),
            format!("It breaks the rule {}.", other.keyword()),
        ),
    };
    error.field(place, code, message)
}

fn no_such_field() -> Message {
    Message::new("没有这个字段。", "There is no such field.")
}

/// `{"type": "null"}` stands beside the real schema of every nullable field.
fn is_null_alternative(wrong: &ValidationError<'_>) -> bool {
    let path = wrong.schema_path().as_str();
    path.ends_with("/oneOf/0/type") || path.ends_with("/anyOf/0/type")
}

/// The body of a request, not yet looked into.
#[derive(Clone)]
pub struct RawBody {
    bytes: Bytes,
    schemas: Data<Schemas>,
}

impl RawBody {
    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The body as a `T`, or everything that is wrong with it. No body at all counts as `{}`.
    pub fn parse<T: ToSchema + DeserializeOwned>(&self) -> Result<T> {
        let value = if self.bytes.is_empty() {
            Value::Object(Map::new())
        } else {
            strict_json(&self.bytes)?
        };
        self.check(value)
    }

    /// A part of this body, as if it had come alone.
    pub fn part(&self, value: &Value) -> Result<Self> {
        let bytes = serde_json::to_vec(value).map_err(Error::internal)?;
        Ok(Self {
            bytes: bytes.into(),
            schemas: self.schemas.clone(),
        })
    }

    /// The present value changed by the body as a JSON merge patch (RFC 7396), as a whole `T`.
    pub fn merge_into<T: ToSchema + DeserializeOwned + Serialize>(&self, present: &T) -> Result<T> {
        let patch = strict_json(&self.bytes)?;
        if !patch.is_object() {
            return Err(Error::new(Code::InvalidBody).field(
                "",
                "type",
                Message::new(
                    "合并补丁须为 JSON 对象。",
                    "A merge patch must be a JSON object.",
                ),
            ));
        }
        let mut value = serde_json::to_value(present).map_err(Error::internal)?;
        merge(&mut value, patch);
        self.check(value)
    }

    fn check<T: ToSchema + DeserializeOwned>(&self, value: Value) -> Result<T> {
        self.schemas.check(&T::name(), &value)?;
        serde_path_to_error::deserialize(value).map_err(|error| {
            let pointer = pointer(error.path());
            let inner = error.into_inner().to_string();
            Error::new(Code::InvalidBody).field(
                pointer,
                "invalid",
                Message::new(format!("无效：{inner}"), format!("Not valid: {inner}")),
            )
        })
    }
}

/// RFC 7396: null removes, objects merge, everything else replaces.
pub(super) fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            if value.is_null() {
                target.remove(&name);
            } else {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

impl FromRequest for RawBody {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let schemas = request
                .app_data::<Data<Schemas>>()
                .cloned()
                .ok_or_else(|| Error::internal("no Schemas"))?;
            let bytes = tokio::time::timeout(BODY_TIME, read(&request, &mut payload))
                .await
                .map_err(|_| {
                    Error::new(Code::MalformedJson).detail(Message::new(
                        "请求体未在 10 秒内传完。",
                        "The body did not arrive within 10 seconds.",
                    ))
                })??;
            if !bytes.is_empty() {
                check_media_type(&request)?;
            }
            Ok(Self { bytes, schemas })
        })
    }
}

async fn read(request: &HttpRequest, payload: &mut Payload) -> Result<Bytes> {
    let too_large = || Error::new(Code::PayloadTooLarge).with("max_bytes", MAX_BODY);
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok())
        .unwrap_or(0);
    if declared > MAX_BODY {
        return Err(too_large());
    }
    let mut bytes = BytesMut::with_capacity(declared);
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| Error::new(Code::MalformedJson).context(error))?;
        if bytes.len() + chunk.len() > MAX_BODY {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn check_media_type(request: &HttpRequest) -> Result<()> {
    let wanted = if request.method() == Method::PATCH {
        "application/merge-patch+json"
    } else {
        "application/json"
    };
    let given = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim)
        .unwrap_or_default();
    let encoded = request.headers().contains_key(header::CONTENT_ENCODING);
    if given.eq_ignore_ascii_case(wanted) && !encoded {
        Ok(())
    } else {
        Err(Error::new(Code::UnsupportedMediaType).with("accepts", wanted))
    }
}

/// One JSON value; a key given twice, a NUL character or anything behind it is an error.
pub fn strict_json(bytes: &[u8]) -> Result<Value> {
    let malformed = |error: serde_json::Error| {
        let what = error.to_string();
        Error::new(Code::MalformedJson).detail(Message::new(
            format!("JSON 有误：{what}"),
            format!("Not JSON: {what}"),
        ))
    };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict::deserialize(&mut deserializer).map_err(malformed)?;
    deserializer.end().map_err(malformed)?;
    Ok(value.0)
}

/// A JSON value read with the rules of [`strict_json`].
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        if value.contains('\0') {
            return Err(E::custom("the NUL character is not allowed"));
        }
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        use serde::de::Error as _;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key.contains('\0') {
                return Err(A::Error::custom("the NUL character is not allowed"));
            }
            let Strict(value) = entries.next_value()?;
            if map.insert(key.clone(), value).is_some() {
                return Err(A::Error::custom(format!("the key {key:?} stands twice")));
            }
        }
        Ok(map.into())
    }
}

/// Keeps the compiled schemas reachable from every worker.
pub fn shared(schemas: Schemas) -> Data<Schemas> {
    Data::from(Arc::new(schemas))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_keys_nul_and_trailing_text_are_refused() {
        for wrong in [
            r#"{"a":1,"a":2}"#,
            "\"a\\u0000b\"",
            "{} {}",
            "{",
            "",
            "\"\\ud800\"",
            "1e400",
        ] {
            assert_eq!(
                strict_json(wrong.as_bytes()).map_err(|error| error.code()),
                Err(Code::MalformedJson),
                "{wrong}"
            );
        }
        assert!(strict_json("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn merge_patch_follows_the_examples_of_rfc_7396() {
        let cases = [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (
                r#"{"a":{"b":"c"}}"#,
                r#"{"a":{"b":"d","c":null}}"#,
                r#"{"a":{"b":"d"}}"#,
            ),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            (r"[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ];
        for (original, patch, expected) in cases {
            let parse = |text: &str| serde_json::from_str::<Value>(text).expect("test data");
            let mut value = parse(original);
            merge(&mut value, parse(patch));
            assert_eq!(value, parse(expected), "{original} + {patch}");
        }
    }
}
