//! The operations that the stack's own document tells of, ready to be called.

use crate::{Answer, Stack};
use reqwest::Method;
use serde_json::Value;

/// An operation of the API, with ids in its path that name nothing.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its `operationId`.
    pub id: String,
    /// Its method.
    pub method: Method,
    /// Its path, as the document has it.
    pub template: String,
    /// A path of that form.
    pub path: String,
    /// The scope that a key must have; nothing where no key is asked for.
    pub scope: Option<String>,
    /// Whether it takes a body.
    pub takes_body: bool,
}

/// A value that no stored thing has.
fn nobody(parameter: &Value) -> String {
    let pattern = parameter["schema"]["pattern"].as_str().unwrap_or_default();
    let random = uuid::Uuid::new_v4();
    if pattern.contains('@') {
        format!("nobody.{random}%40example.com")
    } else if pattern.contains("{64}") {
        format!("{0}{0}", random.simple())
    } else {
        random.to_string()
    }
}

impl Stack {
    /// Every operation of `/v1/openapi.json`.
    pub async fn operations(&self) -> Vec<Operation> {
        let document = self.get("/v1/openapi.json").await.ok();
        let mut operations = Vec::new();
        for (template, methods) in document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                let mut path = template.clone();
                for parameter in operation["parameters"].as_array().expect("parameters") {
                    if parameter["in"] == "path" {
                        let name = parameter["name"].as_str().unwrap();
                        path = path.replace(&format!("{{{name}}}"), &nobody(parameter));
                    }
                }
                operations.push(Operation {
                    id: operation["operationId"].as_str().unwrap().to_owned(),
                    method: method.to_uppercase().parse().unwrap(),
                    scope: scope(&operation["security"]),
                    takes_body: operation["requestBody"].is_object(),
                    template: template.clone(),
                    path,
                });
            }
        }
        assert!(operations.len() > 20, "{operations:?}");
        operations
    }

    /// Those that ask for an API key. The one that tries a webhook is not among them: it has tests of
    /// its own, since it stops listening to an address that was refused a few times.
    pub async fn keyed_operations(&self) -> Vec<Operation> {
        let mut keyed = self.operations().await;
        keyed.retain(|it| it.scope.is_some() && it.template != "/v1/webhooks/calendly/test");
        keyed
    }

    /// Calls an operation with these headers. A body, where it takes one, is such that it is
    /// refused, so that a caller who may does nothing either.
    pub async fn try_out(&self, operation: &Operation, headers: &[(&str, &str)]) -> Answer {
        let body = operation.takes_body.then(|| "[]".to_owned());
        let method = operation.method.clone();
        self.call(method, &operation.path, headers, body).await
    }
}

/// The scope that each key scheme names.
fn scope(security: &Value) -> Option<String> {
    let mut scopes = Vec::new();
    for way in security.as_array().expect("security") {
        for scheme in ["bearer", "apiKey"] {
            scopes.extend(way[scheme].as_array().into_iter().flatten());
        }
    }
    let scope = scopes.first()?.as_str().unwrap().to_owned();
    assert!(scopes.iter().all(|it| **it == scope), "{security}");
    Some(scope)
}
