//! The schemas of all bodies, as the OpenAPI document shows them, and what is wrong with a body.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Map, Value};
use utoipa::openapi::{OpenApi, RefOr};

use super::limits::NOT_BLANK_WITHOUT_NUL;
use super::routes;
use crate::error::{Code, Error, Message, Result};

/// Most wrong places told at once.
const MOST_ERRORS: usize = 50;

/// The schemas of all bodies that operations take, each compiled when a body first needs it: a service
/// starts sooner and is smaller for what nobody sends.
pub struct Schemas {
    /// Every schema of the document, as text.
    texts: BTreeMap<String, Box<str>>,
    compiled: HashMap<String, OnceLock<Validator>>,
}

impl Schemas {
    /// The schemas of every body that an operation of the document takes, of all that these are made
    /// of (what a merge patch comes to is checked as such a part), and of bodies that the document does
    /// not show. What is only answered is never checked.
    pub fn of(openapi: &OpenApi, hidden: &routes::Schemas) -> Result<Self> {
        let shown = openapi.components.iter().flat_map(|all| &all.schemas);
        let hidden_ones = hidden.iter().map(|(name, schema)| (name, schema));
        let mut texts = BTreeMap::new();
        for (name, schema) in shown.chain(hidden_ones) {
            let text = serde_json::to_string(schema).map_err(Error::internal)?;
            texts.entry(name.clone()).or_insert(text.into_boxed_str());
        }
        let mut schemas = Self {
            texts,
            compiled: HashMap::new(),
        };
        for name in bodies(openapi) {
            for taken in schemas.with_all_it_refers_to(&name)?.keys() {
                schemas.compiled.entry(taken.clone()).or_default();
            }
        }
        for (name, _) in hidden {
            schemas.compiled.entry(name.clone()).or_default();
        }
        Ok(schemas)
    }

    /// Says of every place of a body what is wrong with it, 50 places at most.
    pub fn check(&self, name: &str, value: &Value) -> Result<()> {
        let validator = self.validator(name)?;
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

    /// Says which members of a merge patch have a name that is not known at their place.
    pub fn check_names(&self, name: &str, patch: &Value) -> Result<()> {
        let error = self
            .validator(name)?
            .iter_errors(patch)
            .filter(|wrong| {
                matches!(
                    wrong.kind(),
                    ValidationErrorKind::AdditionalProperties { .. }
                )
            })
            .take(MOST_ERRORS)
            .fold(Error::new(Code::InvalidBody), |error, wrong| {
                report(error, &wrong)
            });
        if error.fields().is_empty() {
            Ok(())
        } else {
            Err(error)
        }
    }

    fn validator(&self, name: &str) -> Result<&Validator> {
        let place = self
            .compiled
            .get(name)
            .ok_or_else(|| Error::internal(format!("the schema {name} is not in the document")))?;
        if let Some(validator) = place.get() {
            return Ok(validator);
        }
        let made = self.compile(name)?;
        Ok(place.get_or_init(|| made))
    }

    fn compile(&self, name: &str) -> Result<Validator> {
        let root = serde_json::json!({
            "$ref": format!("{SCHEMAS}{name}"),
            "components": { "schemas": self.with_all_it_refers_to(name)? },
        });
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&root)
            .map_err(|error| Error::internal(error).context(format!("schema {name}")))
    }

    /// A schema with all those it refers to, at any remove: without the others, or compiling all of
    /// them would take time by the square of their number.
    fn with_all_it_refers_to(&self, name: &str) -> Result<Map<String, Value>> {
        let (mut found, mut open) = (Map::new(), vec![name.to_owned()]);
        while let Some(name) = open.pop() {
            if let Some(text) = self.texts.get(&name).filter(|_| !found.contains_key(&name)) {
                let schema = serde_json::from_str(text).map_err(Error::internal)?;
                references(&schema, &mut open);
                found.insert(name, schema);
            }
        }
        Ok(found)
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
        ValidationErrorKind::Pattern { pattern } if pattern == NOT_BLANK_WITHOUT_NUL => say(
            "pattern",
            "不能只有空白。".into(),
            "It must not be blank.".into(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_compiles() {
        let routes = crate::api::routes();
        let schemas = Schemas::of(routes.openapi(), routes.hidden_bodies()).expect("schemas");
        assert!(schemas.compiled.len() > 80, "{}", schemas.compiled.len());
        for name in schemas.compiled.keys() {
            schemas.validator(name).expect(name);
        }
    }
}
