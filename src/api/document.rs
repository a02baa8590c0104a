//! Documents that are always the same for the same program, with an entity tag; among them the
//! OpenAPI document as text.

use std::fmt;

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::none_match;
use super::routes::Routes;
use crate::digest;
use crate::error::{Error, Result};

/// A JSON document that changes only with the version of the program.
#[derive(Debug, Clone)]
pub struct Document {
    text: Bytes,
    etag: String,
}

impl Document {
    /// The OpenAPI document of the register: pretty, with a newline at the end.
    pub fn of(routes: &Routes) -> Result<Self> {
        let text = serde_json::to_string(routes.openapi()).map_err(Error::internal)?;
        let node: Node = serde_json::from_str(&text).map_err(Error::internal)?;
        let mut text = serde_json::to_string_pretty(&node).map_err(Error::internal)?;
        text.push('\n');
        Ok(Self::from_text(text))
    }

    /// A value as a document.
    pub fn from_value(value: &impl Serialize) -> Result<Self> {
        serde_json::to_string(value)
            .map(Self::from_text)
            .map_err(Error::internal)
    }

    fn from_text(text: String) -> Self {
        let mut etag = digest::hex(&[text.as_bytes()]);
        etag.truncate(32);
        Self {
            text: text.into(),
            etag: format!("\"{etag}\""),
        }
    }

    /// The text.
    pub fn text(&self) -> &Bytes {
        &self.text
    }

    /// Its strong entity tag.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// The document as an answer, or 304 where the client has it. Anybody may keep it.
    pub fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let unchanged = none_match(request, &self.etag);
        let mut response = if unchanged {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        response
            .insert_header((header::ETAG, self.etag.as_str()))
            .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
            .content_type("application/json");
        if unchanged {
            response.finish()
        } else {
            response.body(self.text.clone())
        }
    }
}

/// JSON that keeps the order of its keys, except that extensions (`x-…`), which come in any
/// order, are sorted and last.
enum Node {
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
    Leaf(Value),
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Self::Array(items) => items.serialize(serializer),
            Self::Leaf(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry::<String, Node>()? {
            entries.push(entry);
        }
        let rank = |key: &str| key.strip_prefix("x-").map(str::to_owned);
        // Stable, and nothing sorts before an extension: all else keeps its place.
        entries.sort_by_key(|(key, _)| rank(key));
        Ok(Node::Object(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::Array(items))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Leaf(text.into()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Leaf(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Leaf(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Leaf(number.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Value::Null))
    }
}
