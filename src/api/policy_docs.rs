//! The page about the policy profile: its table of keys is made from the schema that requests are
//! checked against.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::workflow::profile::Profile;
use crate::workflow::profile::keys::{KEYS, LEFT_OUT, NOT_READ};

const HEAD: &str = include_str!("policy_docs.md");

/// Text of `docs/policy-profile.md`.
pub fn markdown() -> Result<String> {
    let document = serde_json::to_value(super::routes().openapi()).map_err(Error::internal)?;
    let schemas = &document["components"]["schemas"];
    let properties = &schemas["PolicySettings"]["properties"];
    let defaults = Profile::default().settings();
    let mut out = String::from(HEAD);
    out.push_str("\n| Key | Meaning 含义 | Default | Range |\n| --- | --- | --- | --- |\n");
    for key in KEYS {
        let default = defaults
            .get(key.name)
            .map_or_else(|| "none".to_owned(), |value| format!("`{}`", words(value)));
        out.extend([
            "| `",
            key.name,
            if NOT_READ.contains(&key.name) {
                "` † | "
            } else {
                "` | "
            },
            key.label.zh,
            "<br>",
            key.label.en,
            " | ",
            &default,
            " | ",
            &range(&properties[key.name], schemas),
            " |\n",
        ]);
    }
    out.push_str(
        "\n† can be set and is kept, but nothing reads it so far: what it steers is not there yet.\n\nA *limit* is ",
    );
    let about = schemas["PolicyLimit"]["description"].as_str();
    out.push_str(
        about
            .and_then(|text| text.rsplit_once("). "))
            .map_or("", |(_, text)| text),
    );
    out.push_str("\n\n## Keys of the reference that are not here\n\n");
    for (names, why) in LEFT_OUT {
        let names: Vec<_> = names.split(", ").map(|name| format!("`{name}`")).collect();
        out.extend(["- ", &names.join(", "), ": ", why, "\n"]);
    }
    Ok(out)
}

/// A default value in few words.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(words).collect();
            items.join(", ")
        }
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let parts: Vec<_> = map
                .iter()
                .map(|(name, value)| format!("{name}: {}", words(value)))
                .collect();
            parts.join(", ")
        }
        other => other.to_string(),
    }
}

/// What a schema allows, in few words.
fn range(schema: &Value, schemas: &Value) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        return match name {
            "PolicyLimit" => "a limit".to_owned(),
            "MonthDay" => "`MM-DD`".to_owned(),
            "PolicySpan" => {
                let bounds = &schemas[name]["properties"]["min"];
                format!("`min` and `max`, {}", range(bounds, schemas))
            }
            _ => range(&schemas[name], schemas),
        };
    }
    let bounds = |low: &str, high: &str| format!("{}–{}", schema[low], schema[high]);
    match schema["type"].as_str() {
        Some("boolean") => "`true`, `false`".to_owned(),
        Some("integer") => bounds("minimum", "maximum"),
        Some("array") => format!(
            "{} of: {}",
            bounds("minItems", "maxItems"),
            range(&schema["items"], schemas)
        ),
        Some("object") => format!(
            "{} → {}",
            range(&schema["propertyNames"], schemas),
            range(&schema["additionalProperties"], schemas)
        ),
        _ if schema["format"] == "date" => "`YYYY-MM-DD`".to_owned(),
        _ => {
            let values = schema["enum"].as_array().into_iter().flatten();
            let values: Vec<_> = values
                .filter_map(Value::as_str)
                .map(|value| format!("`{value}`"))
                .collect();
            values.join(", ")
        }
    }
}
