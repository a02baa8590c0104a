//! Query strings as types. What is wrong with a parameter is told in both languages: the words of
//! the library that reads them are not for clients.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::{Code, Error, Message, Result};

/// The query string as a `T`; unknown and repeated parameters are refused.
pub fn parse<T: DeserializeOwned>(query: &str) -> Result<T> {
    for (name, value) in pairs(query) {
        if name.contains('\0') || value.contains('\0') {
            let message = Message::new("不得含有 NUL 字符。", "Without the NUL character.");
            return Err(invalid(name.replace('\0', ""), "invalid", message));
        }
    }
    let parts = pairs(query).map(|(name, value)| (Part(name), Part(value)));
    serde_path_to_error::deserialize(MapDeserializer::new(parts)).map_err(|error| {
        let place = error.path().to_string();
        let wrong: Wrong = error.into_inner();
        invalid(wrong.name.unwrap_or(place), wrong.code, wrong.message)
    })
}

/// Refuses every parameter.
pub fn nothing(query: &str) -> Result<()> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    parse::<Nothing>(query).map(|Nothing {}| ())
}

/// The parameters as they stand.
pub fn pairs(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}

fn invalid(name: String, code: &'static str, message: Message) -> Error {
    Error::new(Code::InvalidParameter).field(name, code, message)
}

/// What is wrong with a parameter.
#[derive(Debug)]
struct Wrong {
    /// The parameter, where the place does not say it.
    name: Option<String>,
    code: &'static str,
    message: Message,
}

impl Wrong {
    fn value(code: &'static str, message: Message) -> Self {
        Self {
            name: None,
            code,
            message,
        }
    }

    fn parameter(name: &str, code: &'static str, message: Message) -> Self {
        Self {
            name: Some(name.chars().take(64).collect()),
            code,
            message,
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl std::error::Error for Wrong {}

fn list(words: &[&str], between: &str) -> String {
    words.join(between)
}

impl serde::de::Error for Wrong {
    /// Types of ours give a [`Message`]; the words of others are not shown.
    fn custom<T: fmt::Display>(words: T) -> Self {
        let message = Message::from_words(&words.to_string()).unwrap_or_else(|| {
            Message::new(
                "值的格式不正确，见接口文档。",
                "Not of the documented form.",
            )
        });
        Self::value("invalid", message)
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(expected)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::value(
            "enum",
            Message::new(
                format!("须为以下之一：{}。", list(expected, "、")),
                format!("One of: {}.", list(expected, ", ")),
            ),
        )
    }

    fn unknown_field(name: &str, expected: &'static [&'static str]) -> Self {
        let message = if expected.is_empty() {
            Message::new("没有这个参数。", "There is no such parameter.")
        } else {
            Message::new(
                format!("没有这个参数，可用：{}。", list(expected, "、")),
                format!(
                    "There is no such parameter; there are: {}.",
                    list(expected, ", ")
                ),
            )
        };
        Self::parameter(name, "unknown_parameter", message)
    }

    fn missing_field(name: &'static str) -> Self {
        let message = Message::new("缺少这个参数。", "The parameter is missing.");
        Self::parameter(name, "required", message)
    }

    fn duplicate_field(name: &'static str) -> Self {
        let message = Message::new(
            "参数只能出现一次。",
            "The parameter is given more than once.",
        );
        Self::parameter(name, "repeated", message)
    }
}

/// A name or a value.
struct Part<'de>(Cow<'de, str>);

impl Part<'_> {
    fn number<T: FromStr>(&self) -> Result<T, Wrong> {
        self.0.parse().map_err(|_| {
            let message = Message::new(
                "须为允许范围内的整数。",
                "A whole number inside the limits.",
            );
            Wrong::value("type", message)
        })
    }
}

impl<'de> IntoDeserializer<'de, Wrong> for Part<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Part<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &*self.0 {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => {
                let message = Message::new("须为 true 或 false。", "Either true or false.");
                Err(Wrong::value("type", message))
            }
        }
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_i32(self.number()?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_i64(self.number()?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_u32(self.number()?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_i16(self.number()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    forward_to_deserialize_any! {
        i8 u8 u16 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any
    }
}
