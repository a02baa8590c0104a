//! Request bodies: strict JSON, checked against the very schema that the OpenAPI document shows.
//!
//! A body is kept as bytes until the operation knows that the caller may send it at all; so an
//! answer about the form of a body never tells anything to somebody who may not see the object.

use std::fmt;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::{Method, header};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::schemas::Schemas;
use crate::error::{Code, Error, Message, Result};

/// Largest body accepted, in bytes.
pub const MAX_BODY: usize = 256 * 1024;
/// Below this no two whole numbers are read as one: 2⁵³.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;
/// A body must arrive whole within this time.
const BODY_TIME: Duration = Duration::from_secs(10);

/// The body of a request, not yet looked into.
#[derive(Clone)]
pub struct RawBody {
    bytes: Bytes,
    /// Whether no body counts as `{}`: a patch has to say something.
    may_be_missing: bool,
    schemas: Data<Schemas>,
}

impl RawBody {
    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The body as a `T`, or everything that is wrong with it. No body at all counts as `{}`, unless it is
    /// that of a patch.
    pub fn parse<T: ToSchema + DeserializeOwned>(&self) -> Result<T> {
        self.check(self.value()?)
    }

    fn value(&self) -> Result<Value> {
        if self.bytes.is_empty() && self.may_be_missing {
            Ok(Value::Object(Map::new()))
        } else {
            strict_json(&self.bytes)
        }
    }

    /// A part of this body, as if it had come alone.
    pub fn part(&self, value: &Value) -> Result<Self> {
        let bytes = serde_json::to_vec(value).map_err(Error::internal)?;
        Ok(Self {
            bytes: bytes.into(),
            may_be_missing: false,
            schemas: self.schemas.clone(),
        })
    }

    /// The present value changed by the body as a JSON merge patch (RFC 7396), as a whole `T`.
    pub fn merge_into<T: ToSchema + DeserializeOwned + Serialize>(&self, present: &T) -> Result<T> {
        let patch = self.value()?;
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
        // A field that there is not cannot be removed either.
        self.schemas.check_names(&T::name(), &patch)?;
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
            Ok(Self {
                bytes,
                may_be_missing: request.method() != Method::PATCH,
                schemas,
            })
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

    /// 2.0 is a whole number (JSON Schema, draft 2020-12, core, 4.2.1), and some clients write all of theirs so.
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        if value.fract() != 0.0 || value.abs() >= MOST_EXACT {
            return Ok(value.into());
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is whole and small enough"
        )]
        let whole = value as i64;
        Ok(whole.into())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_may_have_a_point_or_an_exponent() {
        let read = |text: &str| strict_json(text.as_bytes()).map_err(|error| error.code());
        for (text, number) in [
            ("2.0", 2),
            ("-0.0", 0),
            ("3e2", 300),
            ("9007199254740991.0", 9_007_199_254_740_991_i64),
        ] {
            assert_eq!(read(text), Ok(number.into()), "{text}");
        }
        for (text, number) in [
            ("2.5", 2.5),
            ("9007199254740992.0", MOST_EXACT),
            ("1e300", 1e300),
        ] {
            assert_eq!(read(text), Ok(number.into()), "{text}");
        }
    }

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
