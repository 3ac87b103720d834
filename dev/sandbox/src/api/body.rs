//! Bodies of calls: JSON, or a form as some clients send it.

use super::error::ApiError;
use axum::Form;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

/// What a call brought along; null if there was nothing.
pub(super) struct Given(pub Value);

impl<S: Send + Sync> FromRequest<S> for Given {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let kind = request.headers().get(CONTENT_TYPE);
        let form = b"application/x-www-form-urlencoded";
        let is_form = kind.is_some_and(|kind| kind.as_bytes().starts_with(form));
        let wrong = |()| ApiError::invalid("body", "must be JSON");
        if is_form {
            let form = Form::from_request(request, state).await;
            return form
                .map(|Form(pairs)| Self(fields(pairs)))
                .map_err(|_| wrong(()));
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|_| wrong(()))?;
        if body.is_empty() {
            return Ok(Self(Value::Null));
        }
        let json = serde_json::from_slice(&body);
        json.map(Self).map_err(|_| wrong(()))
    }
}

/// The fields of a form: `name[]` is one more of a list.
fn fields(pairs: Vec<(String, String)>) -> Value {
    let mut fields = Map::new();
    for (name, value) in pairs {
        let value = Value::from(value);
        match name.strip_suffix("[]") {
            None => drop(fields.insert(name, value)),
            Some(list) => {
                let list = fields
                    .entry(list)
                    .or_insert_with(|| Value::Array(Vec::new()));
                if let Some(list) = list.as_array_mut() {
                    list.push(value);
                }
            }
        }
    }
    Value::Object(fields)
}
