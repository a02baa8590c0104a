//! The operations of the OpenAPI document, with every place in which they take an identifier.

use std::collections::BTreeMap;

use awc::http::Method;
use serde_json::{Value, json};

use super::wants_token;

/// A parameter of the path or the query.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// The prefix of the identifiers that it takes, if it takes any.
    pub kind: Option<String>,
    /// Whether requests must have it.
    pub required: bool,
}

/// An operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `operationId`.
    pub id: String,
    /// Method.
    pub method: Method,
    /// Path template.
    pub path: String,
    /// Whether it needs no token.
    pub public: bool,
    /// Whether its answer never ends.
    pub endless: bool,
    /// Parameters of the path.
    pub in_path: Vec<Parameter>,
    /// Parameters of the query.
    pub in_query: Vec<Parameter>,
    /// An example of the body; an empty object where there is a body without one.
    pub example: Option<Value>,
    /// Places of the body that take an identifier: JSON pointer and prefix.
    pub places: Vec<(String, String)>,
}

impl Operation {
    /// Whether the query takes this.
    pub fn takes(&self, name: &str) -> bool {
        self.in_query.iter().any(|one| one.name == name)
    }
}

/// Every operation.
pub fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            found.push(read(document, path, method, operation));
        }
    }
    found
}

fn read(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let parameters = |place: &str| {
        let all = operation["parameters"].as_array().into_iter().flatten();
        all.map(|one| resolve(document, one))
            .filter(|one| one["in"] == place)
            .map(|one| Parameter {
                name: one["name"].as_str().expect("a name").to_owned(),
                kind: kind(document, &one["schema"]),
                required: one["required"] == true,
            })
            .collect()
    };
    let contents = &operation["requestBody"]["content"];
    let content = contents.as_object().and_then(|map| map.iter().next());
    let mut places = BTreeMap::new();
    let mut example = None;
    if let Some((media, content)) = content
        && media.contains("json")
    {
        find_places(
            document,
            &content["schema"],
            "",
            &mut Vec::new(),
            &mut places,
        );
        let first = content["examples"].as_object();
        let first = first.and_then(|map| map.values().next());
        let shown = content
            .get("example")
            .or(first.and_then(|one| one.get("value")));
        example = Some(shown.cloned().unwrap_or_else(|| json!({})));
    }
    Operation {
        id: operation["operationId"]
            .as_str()
            .expect("a name")
            .to_owned(),
        method: method.to_uppercase().parse().expect("a method"),
        path: path.to_owned(),
        public: !wants_token(operation),
        endless: operation["responses"]["200"]["content"]["text/event-stream"].is_object(),
        in_path: parameters("path"),
        in_query: parameters("query"),
        example,
        places: places.into_iter().collect(),
    }
}

fn resolve<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(name) => document
            .pointer(name.trim_start_matches('#'))
            .expect("something under every reference"),
        None => value,
    }
}

/// The prefix of the identifiers that a schema describes.
fn kind(document: &Value, schema: &Value) -> Option<String> {
    let schema = resolve(document, schema);
    let pattern = schema["pattern"].as_str().unwrap_or_default();
    let prefix = pattern
        .strip_prefix('^')
        .and_then(|rest| rest.strip_suffix("_[0-9a-f]{32}$"));
    let inside = |name: &str| {
        let mut variants = schema[name].as_array().into_iter().flatten();
        variants.find_map(|one| kind(document, one))
    };
    prefix
        // Where it may be of any kind, it is tried with that of a case.
        .map(|prefix| if prefix == "[a-z]{4}" { "prop" } else { prefix })
        .map(str::to_owned)
        .or_else(|| inside("oneOf"))
        .or_else(|| inside("anyOf"))
        .or_else(|| inside("allOf"))
}

fn find_places<'d>(
    document: &'d Value,
    schema: &'d Value,
    at: &str,
    above: &mut Vec<&'d str>,
    found: &mut BTreeMap<String, String>,
) {
    if let Some(kind) = kind(document, schema) {
        found.insert(at.to_owned(), kind);
        return;
    }
    let name = schema["$ref"].as_str();
    if let Some(name) = name {
        // A schema inside of itself has no new places.
        if above.contains(&name) {
            return;
        }
        above.push(name);
    }
    let schema = resolve(document, schema);
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        find_places(document, inner, &format!("{at}/{name}"), above, found);
    }
    if schema["items"].is_object() {
        find_places(document, &schema["items"], &format!("{at}/0"), above, found);
    }
    for variants in ["oneOf", "anyOf", "allOf"] {
        for inner in schema[variants].as_array().into_iter().flatten() {
            find_places(document, inner, at, above, found);
        }
    }
    if name.is_some() {
        above.pop();
    }
}

/// Puts a value at a JSON pointer, and makes what is missing on the way.
pub fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut place = body;
    for step in pointer.split('/').skip(1) {
        place = if let Ok(index) = step.parse::<usize>() {
            if !place.is_array() {
                *place = json!([]);
            }
            let list = place.as_array_mut().expect("a list");
            while list.len() <= index {
                list.push(Value::Null);
            }
            &mut list[index]
        } else {
            if !place.is_object() {
                *place = json!({});
            }
            let object = place.as_object_mut().expect("an object");
            object.entry(step).or_insert(Value::Null)
        };
    }
    *place = value;
}

/// Every identifier in a value, whatever it names.
pub fn ids(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) if is_id(text) => see(text),
        Value::Array(list) => list.iter().for_each(|inner| ids(inner, see)),
        Value::Object(map) => map.values().for_each(|inner| ids(inner, see)),
        _ => {}
    }
}

/// Whether a text has the form of an identifier: four letters and 32 digits.
pub fn is_id(text: &str) -> bool {
    text.split_once('_').is_some_and(|(prefix, number)| {
        prefix.len() == 4
            && number.len() == 32
            && number.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Puts other identifiers in the place of those in a value.
pub fn replace_ids(value: &mut Value, other: &impl Fn(&str) -> Option<String>) {
    match value {
        Value::String(text) if is_id(text) => {
            if let Some(new) = other(&text[..4]) {
                *text = new;
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| replace_ids(inner, other)),
        Value::Object(map) => map.values_mut().for_each(|inner| replace_ids(inner, other)),
        _ => {}
    }
}
