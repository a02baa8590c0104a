//! The limits that the document names are those that the service enforces: for every operation and
//! every place of its body and its address, one value beyond each limit is refused with the name of
//! the place, and the value at the limit is not.

use std::collections::BTreeMap;

use awc::http::Method;
use serde_json::{Map, Value, json};

use crate::fuzz_host::host;
use crate::support::{Client, Reply, TestApp};

/// Bodies above this are refused as a whole.
const MAX_BODY: usize = 256 * 1024;
/// Texts without NUL: what breaks this pattern is no JSON that is taken at all.
const WITHOUT_NUL: &str = "^[^\\u0000]*$";

/// One value for one place of a body.
struct Probe {
    pointer: String,
    /// The rule that it breaks, or that it just keeps.
    rule: &'static str,
    value: Value,
    breaks: bool,
}

struct Document(Value);

impl Document {
    /// The schema itself, for one that refers to it or adds null to it.
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        if let Some(name) = schema["$ref"].as_str() {
            let pointer = name.strip_prefix('#').expect("a place in the document");
            return self.resolve(self.0.pointer(pointer).expect("a schema"));
        }
        let choice = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
        match choice {
            Some(choice) => {
                let real = choice.iter().find(|one| one["type"] != "null");
                self.resolve(real.expect("an alternative"))
            }
            None => schema,
        }
    }

    /// A value with everything that may be there, and one item in every list.
    fn sample(&self, schema: &Value) -> Value {
        let example = schema.get("example").or(schema["examples"].get(0));
        let schema = self.resolve(schema);
        if let Some(properties) = schema["properties"].as_object() {
            let all = properties
                .iter()
                .map(|(name, one)| (name.clone(), self.sample(one)));
            return all.collect::<Map<_, _>>().into();
        }
        match kind(schema) {
            "array" => {
                let least = length(schema, "minItems").unwrap_or(1).max(1);
                vec![self.sample(&schema["items"]); least].into()
            }
            "object" => json!({}),
            kind => example
                .or(schema.get("example"))
                .or(schema["examples"].get(0))
                .or(schema["enum"].get(0))
                .cloned()
                .unwrap_or_else(|| match kind {
                    "integer" => schema["minimum"].clone(),
                    "boolean" => json!(false),
                    _ => json!("x".repeat(length(schema, "minLength").unwrap_or(1))),
                }),
        }
    }

    /// Every limit of a schema and of what is inside it.
    fn probes(&self, schema: &Value, pointer: &str, found: &mut Vec<Probe>) {
        let sample = self.sample(schema);
        let schema = self.resolve(schema);
        let mut add = |rule, value, breaks| {
            let pointer = pointer.to_owned();
            found.push(Probe {
                pointer,
                rule,
                value,
                breaks,
            });
        };
        match kind(schema) {
            "string" => {
                if let Some(most) = length(schema, "maxLength") {
                    add("max_length", json!("x".repeat(most + 1)), true);
                    add("max_length", json!("x".repeat(most)), false);
                }
                if let Some(least) = length(schema, "minLength").filter(|least| *least > 0) {
                    add("min_length", json!("x".repeat(least - 1)), true);
                    add("min_length", json!("x".repeat(least)), false);
                }
                let pattern = schema["pattern"].as_str().filter(|one| *one != WITHOUT_NUL);
                if let Some(pattern) = pattern {
                    add("pattern", json!(other_than(pattern)), true);
                }
                let known = ["date", "date-time", "email", "uri"];
                if schema["format"]
                    .as_str()
                    .is_some_and(|one| known.contains(&one))
                {
                    add("format", json!("\u{1}"), true);
                }
                if schema["enum"].is_array() {
                    add("enum", json!("no such value"), true);
                }
                add("type", json!(["x"]), true);
            }
            "integer" => {
                if let Some(most) = schema["maximum"].as_i64() {
                    add("maximum", json!(most + 1), true);
                    add("maximum", json!(most), false);
                }
                if let Some(least) = schema["minimum"].as_i64() {
                    add("minimum", json!(least - 1), true);
                    add("minimum", json!(least), false);
                }
                add("type", json!("x"), true);
            }
            "array" => {
                let item = &sample[0];
                if let Some(most) = length(schema, "maxItems") {
                    add("max_items", vec![item.clone(); most + 1].into(), true);
                    add("max_items", vec![item.clone(); most].into(), false);
                }
                if let Some(least) = length(schema, "minItems").filter(|least| *least > 0) {
                    add("min_items", vec![item.clone(); least - 1].into(), true);
                }
                if schema["uniqueItems"] == true {
                    add("unique_items", json!([item, item]), true);
                }
                self.probes(&schema["items"], &format!("{pointer}/0"), found);
            }
            "object" => self.members(schema, pointer, found),
            _ => {}
        }
    }

    fn members(&self, schema: &Value, pointer: &str, found: &mut Vec<Probe>) {
        let below =
            |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        if schema["additionalProperties"] == false {
            found.push(Probe {
                pointer: below("no_such_field"),
                rule: "unknown_field",
                value: json!(1),
                breaks: true,
            });
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            found.push(Probe {
                pointer: below(name.as_str().expect("a name")),
                rule: "required",
                value: Value::Null,
                breaks: true,
            });
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            self.probes(member, &below(name), found);
        }
    }
}

/// NUL, which one of the databases cannot keep, is taken nowhere, so the document has to say so of every text; the
/// contract is read by programs.
#[actix_web::test]
async fn no_text_of_a_body_may_hold_nul() {
    let app = TestApp::start().await;
    let document = app.openapi().await;
    let mut patterns = BTreeMap::new();
    for (name, schema) in document["components"]["schemas"]
        .as_object()
        .expect("schemas")
    {
        collect_patterns(schema, name, &mut patterns);
    }
    assert!(patterns.len() > 20, "{}", patterns.len());
    for (pattern, place) in patterns {
        let matches = jsonschema::validator_for(&json!({ "pattern": pattern })).expect("a pattern");
        for start in ["", "a", "0", "文", "https://a", "a@b.c", "2026-11-30"] {
            for text in [
                format!("{start}\0"),
                format!("\0{start}"),
                format!("{start}\0{start}"),
            ] {
                assert!(
                    !matches.is_valid(&json!(text)),
                    "{place}: {pattern}: {text:?}"
                );
            }
        }
    }
}

fn collect_patterns<'d>(schema: &'d Value, place: &'d str, found: &mut BTreeMap<&'d str, &'d str>) {
    // A date is none with anything behind it.
    if let (Some(pattern), None) = (schema["pattern"].as_str(), schema["format"].as_str()) {
        found.insert(pattern, place);
    }
    match schema {
        Value::Object(members) => {
            let below = members.values();
            below.for_each(|one| collect_patterns(one, place, found));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|one| collect_patterns(one, place, found)),
        _ => {}
    }
}

/// The type of a schema, whether or not it may be null.
fn kind(schema: &Value) -> &str {
    let several = schema["type"].as_array().into_iter().flatten();
    let mut all = std::iter::once(&schema["type"]).chain(several);
    all.find_map(|one| one.as_str().filter(|one| *one != "null"))
        .unwrap_or_default()
}

/// A text that a pattern does not match.
fn other_than(pattern: &str) -> &'static str {
    let schema = json!({ "pattern": pattern });
    let matches = |text: &str| jsonschema::is_valid(&schema, &json!(text));
    let all = ["\u{1}", " ", "~", "A", "1"];
    let other = all.into_iter().find(|text| !matches(text));
    other.unwrap_or_else(|| panic!("everything matches {pattern}"))
}

fn length(schema: &Value, limit: &str) -> Option<usize> {
    schema[limit]
        .as_u64()
        .and_then(|most| usize::try_from(most).ok())
}

/// The body with the value of a probe in its place.
fn with(body: &Value, probe: &Probe) -> Value {
    let mut body = body.clone();
    let (parent, name) = probe.pointer.rsplit_once('/').expect("a pointer");
    let name = name.replace("~1", "/").replace("~0", "~");
    match body.pointer_mut(parent).expect("the parent") {
        Value::Object(members) if probe.rule == "required" => drop(members.remove(&name)),
        Value::Object(members) => drop(members.insert(name, probe.value.clone())),
        Value::Array(items) => items[0] = probe.value.clone(),
        other => panic!("{other} has no {}", probe.pointer),
    }
    body
}

/// Whether a problem names the place and the rule.
fn blames(reply: &Reply, pointer: &str, rule: &str) -> bool {
    let mut errors = reply.json["errors"].as_array().into_iter().flatten();
    errors.any(|error| error["pointer"] == pointer && error["code"] == rule)
}

/// An operation of the document with somebody who may call it on something.
struct Callable<'a> {
    id: &'a str,
    method: Method,
    /// The path with identifiers, and without.
    path: String,
    template: &'a str,
    operation: &'a Value,
    client: Client,
}

impl Callable<'_> {
    async fn send(&self, path: &str, body: Option<Value>) -> Reply {
        let mut request = self.client.request(self.method.clone(), path);
        if self.method != Method::GET {
            request = request.header("If-Match", "*");
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await
    }

    fn parameters(&self, place: &str) -> impl Iterator<Item = &Value> {
        let all = self.operation["parameters"]
            .as_array()
            .into_iter()
            .flatten();
        all.filter(move |one| one["in"] == place)
    }
}

/// Who calls what the document opens to everybody who is signed in.
fn usual_caller(path: &str) -> &'static str {
    let of = |part: &str| path.contains(part);
    if of("/assignments") || of("/replies") {
        "unit_clerk"
    } else if of("/proposals") || of("/attachments") {
        "member"
    } else {
        "auditor"
    }
}

fn callable<'a>(app: &TestApp, host: &Value, document: &'a Document) -> Vec<Callable<'a>> {
    let mut found = Vec::new();
    for (template, item) in document.0["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let id = operation["operationId"].as_str().expect("a name");
            let known = &host["operations"][id];
            let caller = known["caller"].as_str();
            let caller = caller.or(operation["x-roles"][0].as_str());
            let token = &host["tokens"][caller.unwrap_or_else(|| usual_caller(template))];
            let client = if known["token"] == true {
                app.client(token.as_str().unwrap_or_else(|| panic!("{id}: {caller:?}")))
            } else {
                app.anonymous()
            };
            let path = template.split('/').map(|part| {
                let name = part
                    .strip_prefix('{')
                    .and_then(|part| part.strip_suffix('}'));
                let first = |name| host["ids"][name][0].as_str().expect("an identifier");
                name.map_or(part, |name| {
                    known["id"].as_str().unwrap_or_else(|| first(name))
                })
            });
            found.push(Callable {
                id,
                method: method.to_uppercase().parse().expect("a method"),
                path: path.collect::<Vec<_>>().join("/"),
                template,
                operation,
                client,
            });
        }
    }
    found
}

#[actix_web::test]
async fn the_limits_of_the_document_are_those_of_the_service() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let host = host(&app, &town).await;
    let document = app.openapi().await;
    let document = Document(document);
    let (mut bodies, mut addresses, mut wrong) = (0, 0, Vec::new());
    for callable in callable(&app, &host, &document) {
        bodies += in_body(&document, &callable, &mut wrong).await;
        addresses += in_query(&document, &callable, &mut wrong).await
            + in_path(&document, &callable, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(bodies > 1500, "{bodies}");
    assert!(addresses > 300, "{addresses}");
}

/// What is no matter of the body as a whole.
fn looked_at_later(operation: &str, probe: &Probe) -> bool {
    match operation {
        // Checked for each row by the rules of its action, with a problem for each.
        "update_assignments" => probe.pointer.contains("/input"),
        // What is left out stays as it is.
        "draft_policy_profile" => {
            probe.rule == "required" && probe.pointer.starts_with("/settings/")
        }
        _ => false,
    }
}

/// Tries every limit of the body.
async fn in_body(document: &Document, callable: &Callable<'_>, wrong: &mut Vec<String>) -> usize {
    let contents = callable.operation["requestBody"]["content"].as_object();
    let json = contents
        .into_iter()
        .flatten()
        .find(|(name, _)| name.ends_with("json"));
    let Some((_, content)) = json else {
        return 0;
    };
    let body = document.sample(&content["schema"]);
    let mut probes = Vec::new();
    document.probes(&content["schema"], "", &mut probes);
    // What a merge patch leaves out stays as it is.
    let whole = callable.method != Method::PATCH;
    let trial = callable
        .parameters("query")
        .any(|one| one["name"] == "validate_only");
    let mut count = 0;
    let looked_at = |probe: &&Probe| {
        (probe.breaks || trial)
            && (whole || probe.rule != "required")
            && !looked_at_later(callable.id, probe)
    };
    for probe in probes.iter().filter(looked_at) {
        let body = with(&body, probe);
        if body.to_string().len() > MAX_BODY {
            continue;
        }
        let query = if trial { "?validate_only=true" } else { "" };
        let path = format!("{}{query}", callable.path);
        let reply = callable.send(&path, Some(body)).await;
        let told =
            reply.json["code"] == "invalid-body" && blames(&reply, &probe.pointer, probe.rule);
        if told != probe.breaks || reply.status == 403 || reply.status >= 500 {
            let said: String = reply.to_string().chars().take(600).collect();
            wrong.push(format!(
                "{} {} {}: {said}",
                callable.id, probe.pointer, probe.rule
            ));
        }
        count += 1;
    }
    count
}

/// Tries every limit of the query string.
async fn in_query(document: &Document, callable: &Callable<'_>, wrong: &mut Vec<String>) -> usize {
    let mut count = 0;
    for parameter in callable.parameters("query") {
        let name = parameter["name"].as_str().expect("a name");
        let schema = document.resolve(&parameter["schema"]);
        let mut values = Vec::new();
        if let Some(most) = length(schema, "maxLength") {
            values.push("x".repeat(most + 1));
        }
        if let Some(least) = length(schema, "minLength").filter(|least| *least > 0) {
            values.push("x".repeat(least - 1));
        }
        let numbers = [("maximum", 1), ("minimum", -1)];
        let limits = numbers.map(|(limit, more)| schema[limit].as_i64().map(|at| at + more));
        values.extend(limits.into_iter().flatten().map(|value| value.to_string()));
        if kind(schema) != "string" || schema["enum"].is_array() || schema["pattern"].is_string() {
            values.push("%00".to_owned());
        }
        for value in values {
            let path = format!("{}?{name}={value}", callable.path);
            let body = (callable.method != Method::GET).then(|| json!({}));
            let reply = callable.send(&path, body).await;
            let named = reply.json["errors"][0]["pointer"] == name || name == "cursor";
            // A body is looked at first where there is one.
            let first = callable.method != Method::GET && matches!(reply.status, 415 | 422);
            if !(reply.status == 400 && named || first) {
                let said: String = reply.to_string().chars().take(400).collect();
                wrong.push(format!("{} ?{name}: {said}", callable.id));
            }
            count += 1;
        }
    }
    count
}

/// Tries what names nothing in the path.
async fn in_path(document: &Document, callable: &Callable<'_>, wrong: &mut Vec<String>) -> usize {
    let mut count = 0;
    for parameter in callable.parameters("path") {
        let name = parameter["name"].as_str().expect("a name");
        let schema = document.resolve(&parameter["schema"]);
        let most = length(schema, "maxLength")
            .or_else(|| (kind(schema) == "integer").then_some(20))
            .unwrap_or_else(|| panic!("{name}"));
        for value in ["x".repeat(most + 1), "~".to_owned()] {
            let path = callable.template.replace(&format!("{{{name}}}"), &value);
            let body = (callable.method != Method::GET).then(|| json!({}));
            let reply = callable.send(&path, body).await;
            if reply.status != 404 {
                let said: String = reply.to_string().chars().take(400).collect();
                wrong.push(format!("{} {{{name}}}: {said}", callable.id));
            }
            count += 1;
        }
    }
    count
}
