//! The OpenAPI document: whole in itself, with examples that fit, and of the routes that are deployed.

#![allow(clippy::unwrap_used)] // helpers of tests

use serde_json::{Map, Value};
use std::collections::BTreeSet;

fn document() -> Value {
    contract::openapi::document("1.2.3")
}

/// Every operation with its method and path.
fn operations(document: &Value) -> Vec<(String, String, &Map<String, Value>)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(|(method, operation)| {
            let operation = operation.as_object().unwrap();
            (method.to_uppercase(), path.clone(), operation)
        })
    });
    all.collect()
}

fn visit<'a>(value: &'a Value, see: &mut impl FnMut(&'a Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            see(fields);
            fields.values().for_each(|value| visit(value, see));
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        _ => {}
    }
}

/// JSON bodies: of the request, and of each answer with its status.
fn bodies<'a>(operation: &'a Map<String, Value>) -> Vec<(String, &'a Value)> {
    let mut found = Vec::new();
    let mut add = |name: &str, holder: &'a Value| {
        if let Some(body) = holder["content"].get("application/json") {
            found.push((name.to_owned(), body));
        }
    };
    if let Some(input) = operation.get("requestBody") {
        add("request", input);
    }
    for (status, answer) in operation["responses"].as_object().unwrap() {
        add(status, answer);
    }
    found
}

/// A media type's examples: the one, or all those that have names.
fn examples(body: &Value) -> Vec<&Value> {
    let named = body.get("examples").and_then(Value::as_object);
    let named = named.into_iter().flat_map(Map::values);
    body.get("example")
        .into_iter()
        .chain(named.map(|example| &example["value"]))
        .collect()
}

/// What is wrong with a value, by a schema of the document.
fn wrong(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    let validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .build(&whole)
        .unwrap();
    let errors = validator.iter_errors(value);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut seen = 0;
    visit(&document, &mut |fields| {
        if let Some(to) = fields.get("$ref") {
            let pointer = to.as_str().unwrap().strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{to}");
            seen += 1;
        }
    });
    assert!(seen > 100, "{seen}");
}

#[test]
fn each_operation_says_what_it_takes_and_answers() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let name = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()));
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|s| s.starts_with('2')), "{name}");
        for (status, answer) in responses {
            assert!(answer["description"].is_string(), "{name} {status}");
            let id = &answer["headers"]["x-tracking-id"];
            assert!(id.is_object(), "{name} {status}");
        }
        let in_path: BTreeSet<&str> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let parameters = operation["parameters"].as_array().unwrap();
        let declared: BTreeSet<&str> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .inspect(|parameter| assert_eq!(parameter["required"], true, "{name}"))
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(in_path, declared, "{name}");
        for scheme in operation["security"].as_array().unwrap() {
            for used in scheme.as_object().unwrap().keys() {
                let known = &document["components"]["securitySchemes"][used];
                assert!(known.is_object(), "{name}: {used}");
            }
        }
    }
    assert_eq!(ids.len(), contract::ROUTES.len());
}

#[test]
fn every_json_body_has_an_example() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        for (which, body) in bodies(operation) {
            let found = examples(body).len();
            assert!(found > 0, "{method} {path} has no example of {which}");
        }
    }
}

#[test]
fn every_example_fits_its_schema() {
    let document = document();
    let mut checked = 0;
    let mut check = |name: &str, schema: &Value, example: &Value| {
        let wrong = wrong(&document, schema, example);
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        checked += 1;
    };
    for (method, path, operation) in operations(&document) {
        for (which, body) in bodies(operation) {
            for example in examples(body) {
                check(
                    &format!("{method} {path} {which}"),
                    &body["schema"],
                    example,
                );
            }
        }
        for parameter in operation["parameters"].as_array().unwrap() {
            if let Some(example) = parameter.get("example") {
                let name = format!("{method} {path} {}", parameter["name"]);
                check(&name, &parameter["schema"], example);
            }
        }
    }
    assert!(checked > 200, "{checked}");
}

/// A schema that fits everything would fit the examples, too.
#[test]
fn a_wrong_answer_does_not_fit() {
    let document = document();
    let operations = operations(&document);
    for (method, path, operation) in operations {
        for (which, body) in bodies(operation) {
            if operation["operationId"] == "getOpenapi" && which == "200" {
                continue; // any document
            }
            let fits = wrong(&document, &body["schema"], &serde_json::json!([7]));
            assert!(!fits.is_empty(), "{method} {path} {which} takes anything");
        }
    }
}

/// Examples that name no body of the document are of no use to anybody.
#[test]
fn no_example_is_left_over() {
    let document = document();
    let examples: Value = serde_json::from_str(include_str!("../src/examples.json")).unwrap();
    let operations = operations(&document);
    let of = |id: &str| {
        let mut all = operations.iter();
        let found = all.find(|(_, _, operation)| operation["operationId"] == id);
        found.unwrap_or_else(|| panic!("no operation {id}")).2
    };
    for id in examples["requests"].as_object().unwrap().keys() {
        assert!(of(id).contains_key("requestBody"), "{id}");
    }
    for (id, answers) in examples["answers"].as_object().unwrap() {
        for status in answers.as_object().unwrap().keys() {
            assert!(
                bodies(of(id)).iter().any(|(s, _)| s == status),
                "{id} {status}"
            );
        }
    }
}

/// What a line of the template gives `name`.
fn given<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = line.split_once(name)?;
    let value = value.trim();
    let bare = |end: &[char]| value.split(end).next();
    match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        // In `{…}` a bare value ends with the comma or the brace.
        None if line.contains(": {") => bare(&[',', '}']),
        None => Some(value),
    }
}

/// Method and path of each `HttpApi` event of the template.
fn deployed() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut method = None;
    for line in include_str!("../../../template.yaml").lines() {
        method = given(line, "Method: ").or(method);
        if let Some(path) = given(line, "Path: ").filter(|path| path.starts_with("/v1/")) {
            found.push((method.take().unwrap().to_owned(), path.to_owned()));
        }
    }
    found
}

/// Whether a deployed path takes requests of another one: its `{names}` stand for one part of any
/// text, and a `{name+}` for all that follow.
fn takes(deployed: &str, path: &str) -> bool {
    let (own, other): (Vec<_>, Vec<_>) = (deployed.split('/').collect(), path.split('/').collect());
    let greedy = own.last().is_some_and(|last| last.ends_with("+}"));
    let fixed = own.len() - usize::from(greedy);
    let length = if greedy {
        other.len() > fixed
    } else {
        other.len() == fixed
    };
    length
        && own[..fixed]
            .iter()
            .zip(&other)
            .all(|(own, other)| own == other || own.starts_with('{') && !other.is_empty())
}

#[test]
fn the_template_deploys_what_the_document_says() {
    let document = document();
    let documented: Vec<_> = operations(&document)
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    let deployed = deployed();
    assert!(deployed.len() > 20, "{deployed:?}");
    for (method, path) in &deployed {
        let known = documented.iter().any(|(verb, own)| {
            verb == method && (own == path || path.ends_with("+}") && takes(path, own))
        });
        assert!(known, "{method} {path} is not documented");
    }
    for (method, path) in &documented {
        let served = deployed
            .iter()
            .any(|(verb, own)| verb == method && takes(own, path));
        assert!(served, "{method} {path} is not deployed");
    }
}

/// To API Gateway that is another path, and what no route takes goes to the function `api`, which
/// takes no webhooks.
#[test]
fn a_webhook_address_may_end_in_a_slash() {
    let deployed = deployed();
    let webhooks = contract::ROUTES
        .iter()
        .filter(|route| route.path.starts_with("/v1/webhooks/"));
    let mut seen = 0;
    for route in webhooks {
        let path = format!("{}/", route.path);
        let served = deployed
            .iter()
            .any(|(verb, own)| verb == route.method.as_str() && takes(own, &path));
        assert!(served, "{path} is not deployed");
        seen += 1;
    }
    assert_eq!(seen, 3);
}
