//! The OpenAPI 3.1 document, made of the table of routes and of the types of the answers.

use crate::answers::ErrorBody;
use crate::errors::EVERY;
use crate::examples;
use crate::params::{DEFAULT_LIMIT, Kind, MAX_EMAIL, MAX_LIMIT, MAX_VALUE, Parameter, Place};
use crate::route::{Access, Content, Error, Good, Route};
use crate::routes::ROUTES;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const ABOUT: &str = "Bookings of connected Calendly accounts, and the deliveries they came by. \
Every answer has an `x-tracking-id` header; the log lines of the request carry the same id. Times \
are RFC 3339, UTC. Lists go on at `nextCursor`. \
Bodies are read as JSON whatever their content type; only webhooks are held to theirs.\n\nAPI Gateway itself answers 429, 500 and 503 with \
`{\"message\"}` when a stage's throttle is exceeded or a function can't be reached.";

/// The document.
pub fn document(version: &str) -> Value {
    let mut makers = Makers::new();
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let operation = operation(route, &mut makers);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    makers.answers.subschema_for::<ErrorBody>();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "calendly-serverless",
            "version": version,
            "summary": "Bookings, deliveries and operations over HTTP",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        // Relative to where the document is: `/v1/openapi.json`.
        "servers": [{"url": "../", "description": "where this document comes from"}],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": makers.schemas(),
            "headers": {
                "TrackingId": {
                    "description": "The id that the log lines of this request carry",
                    "schema": {"type": "string", "format": "uuid"},
                },
                "RetryAfter": {
                    "description": "Seconds after which another try may be answered otherwise",
                    "schema": {"type": "integer", "minimum": 0},
                },
            },
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key; its scopes are in the API key secret",
                },
                "apiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "x-api-key",
                    "description": "An API key, the other way",
                },
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Calendly-Webhook-Signature",
                    "description": "`t=<epoch seconds>,v1=<hex HMAC-SHA256 of \"t.body\">`",
                },
            },
        },
    })
}

/// Answers are described as they are written, requests as they are read.
struct Makers {
    answers: SchemaGenerator,
    requests: SchemaGenerator,
}

impl Makers {
    fn new() -> Self {
        let settings = |mut settings: SchemaSettings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
            settings
        };
        let settings = settings(SchemaSettings::draft2020_12());
        Self {
            answers: settings.clone().for_serialize().into_generator(),
            requests: settings.for_deserialize().into_generator(),
        }
    }

    fn schemas(mut self) -> Map<String, Value> {
        let mut schemas = self.requests.take_definitions(true);
        schemas.extend(self.answers.take_definitions(true));
        schemas.sort_keys();
        schemas
    }
}

fn tags() -> Vec<Value> {
    let mut names: Vec<&str> = Vec::new();
    for route in ROUTES {
        if !names.contains(&route.tag) {
            names.push(route.tag);
        }
    }
    names
        .into_iter()
        .map(|name| json!({"name": name}))
        .collect()
}

fn operation(route: &Route, makers: &mut Makers) -> Value {
    let parameters = route.parameters.iter();
    let parameters: Vec<Value> = parameters.map(|one| parameter(route, one)).collect();
    let mut operation = json!({
        "operationId": route.operation.id(),
        "tags": [route.tag],
        "summary": route.summary,
        "parameters": parameters,
        "security": security(route.access),
        "responses": responses(route, makers),
    });
    let description = match route.access {
        Access::Key(scope) => {
            let needs = format!("Needs the scope `{}`.", scope.as_str());
            format!("{} {needs}", route.description)
        }
        _ => route.description.to_owned(),
    };
    operation["description"] = description.trim().into();
    if let Some(input) = route.input {
        let mut content = json!({"schema": (input.schema)(&mut makers.requests)});
        if let Some(example) = examples::input(route.operation) {
            content["example"] = example;
        }
        operation["requestBody"] = json!({
            "required": input.required,
            "content": {"application/json": content},
        });
    }
    operation
}

/// A scheme's list names the scope that the key must have.
fn security(access: Access) -> Value {
    match access {
        Access::Anyone => json!([]),
        Access::Key(scope) => json!([{"bearer": [scope]}, {"apiKey": [scope]}]),
        Access::KeyOrStartLink => json!([{"bearer": ["operate"]}, {"apiKey": ["operate"]}, {}]),
        Access::Signature => json!([{"signature": []}]),
    }
}

fn parameter(route: &Route, parameter: &Parameter) -> Value {
    let mut shown = json!({
        "name": parameter.name,
        "in": match parameter.place { Place::Path => "path", Place::Query => "query" },
        "required": parameter.required,
        "description": parameter.about,
        "schema": schema(parameter.kind),
    });
    if let Some(example) = examples::parameter(route.operation, parameter) {
        shown["example"] = example;
    }
    shown
}

fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Id => json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,100}$"}),
        Kind::DeliveryId => json!({"type": "string", "pattern": "^[0-9a-f]{64}$"}),
        Kind::DeliveryIdPrefix => json!({"type": "string", "pattern": "^[0-9a-f]{8,64}$"}),
        Kind::Uuid => json!({
            "type": "string",
            "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        }),
        Kind::Email => json!({
            "type": "string",
            "pattern": r"^[^@/\s\x00-\x1f\x7f-\x9f]+@[^@/\s\x00-\x1f\x7f-\x9f]+$",
            "minLength": 3,
            "maxLength": MAX_EMAIL,
        }),
        Kind::Limit => json!({
            "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT,
        }),
        Kind::Time => json!({"type": "string", "format": "date-time"}),
        Kind::Cursor => json!({
            "type": "string", "pattern": "^[A-Za-z0-9_-]+$", "minLength": 1, "maxLength": MAX_VALUE,
        }),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Words(words) => json!({"type": "string", "enum": words}),
        Kind::Raw(longest) => json!({"type": "string", "maxLength": longest}),
        Kind::Text(longest) => json!({"type": "string", "minLength": 1, "maxLength": longest}),
    }
}

fn responses(route: &Route, makers: &mut Makers) -> Value {
    let mut responses = Map::new();
    for good in route.good {
        responses.insert(good.status.to_string(), good_answer(route, good, makers));
    }
    let mut errors: BTreeMap<u16, Vec<Error>> = BTreeMap::new();
    for error in [&EVERY].into_iter().chain(route.errors).copied().flatten() {
        errors.entry(error.status).or_default().push(*error);
    }
    for (status, errors) in errors {
        responses.insert(status.to_string(), error_answer(route, status, &errors));
    }
    Value::Object(responses)
}

fn good_answer(route: &Route, good: &Good, makers: &mut Makers) -> Value {
    let example = examples::answer(route.operation, good.status);
    let typed = |schema: Value| {
        let mut content = json!({"schema": schema});
        if let Some(example) = &example {
            content["example"] = example.clone();
        }
        content
    };
    let text = || json!({"schema": {"type": "string"}});
    let mut content = Map::new();
    match good.content {
        Content::Json(of) => {
            content.insert(
                "application/json".to_owned(),
                typed(of(&mut makers.answers).to_value()),
            );
        }
        Content::JsonOrHtml(of) => {
            content.insert(
                "application/json".to_owned(),
                typed(of(&mut makers.answers).to_value()),
            );
            content.insert("text/html; charset=utf-8".to_owned(), text());
        }
        Content::AnyJson => {
            let any = typed(json!({"type": "object"}));
            content.insert("application/json".to_owned(), any);
        }
        Content::Html => {
            content.insert("text/html; charset=utf-8".to_owned(), text());
        }
        Content::File(kinds) => {
            for kind in kinds {
                content.insert((*kind).to_owned(), json!({}));
            }
        }
        Content::Empty => {}
    }
    let mut answer = json!({"description": good.about, "headers": headers(good.status)});
    if !content.is_empty() {
        answer["content"] = Value::Object(content);
    }
    answer
}

fn error_answer(route: &Route, status: u16, errors: &[Error]) -> Value {
    let mut shown = Map::new();
    let mut about = Vec::new();
    for error in errors {
        about.push(format!("`{}`: {}", error.code, error.about));
        shown.insert(
            error.code.to_owned(),
            json!({"summary": error.about, "value": examples::error(error)}),
        );
    }
    let json = json!({
        "schema": {"$ref": "#/components/schemas/ErrorBody"},
        "examples": shown,
    });
    let mut content = json!({"application/json": json});
    let page = matches!(route.access, Access::KeyOrStartLink)
        || route
            .good
            .iter()
            .any(|good| matches!(good.content, Content::JsonOrHtml(_)));
    if page {
        content["text/html; charset=utf-8"] = json!({"schema": {"type": "string"}});
    }
    json!({
        "description": about.join("\n\n"),
        "headers": headers(status),
        "content": content,
    })
}

fn headers(status: u16) -> Value {
    let mut headers = json!({"x-tracking-id": {"$ref": "#/components/headers/TrackingId"}});
    if status == 429 {
        headers["Retry-After"] = json!({"$ref": "#/components/headers/RetryAfter"});
    }
    if status == 302 {
        headers["Location"] = json!({"schema": {"type": "string", "format": "uri"}});
    }
    headers
}
