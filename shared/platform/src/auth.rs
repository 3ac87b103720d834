//! Who may call, and what: `Authorization: Bearer …` or `x-api-key`.

use crate::http::{Problem, TrackingId};
use crate::secrets::{ApiKey, ApiKeySecret, RotatingSecret, Scope, Versions};
use lambda_http::Request;
use lambda_http::http::{StatusCode, header};
use std::collections::BTreeSet;

/// The holder of the key that a request was made with. Only
/// [`RotatingSecret::caller`] makes one.
pub struct Caller {
    /// Name of the key, for the logs.
    pub name: String,
    scopes: BTreeSet<Scope>,
}

impl Caller {
    /// 403 `FORBIDDEN` unless the key has the scope.
    pub fn may(&self, scope: Scope) -> Result<(), Problem> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "FORBIDDEN",
            format!(
                "this API key lacks the scope `{}`; use another, or add the scope to it in the API \
                 key secret",
                scope.as_str()
            ),
        ))
    }

    /// Puts on record who changed something.
    pub fn operates(&self, operation: &'static str, tracking_id: &TrackingId) {
        tracing::info!(trackingId = %tracking_id, key = self.name, operation, "operating call");
    }
}

impl<V: Versions> RotatingSecret<ApiKeySecret, V> {
    /// The caller, or 401 `UNAUTHORIZED`; 403 `FORBIDDEN` where its key lacks `scope`.
    pub async fn caller(&self, request: &Request, scope: Scope) -> Result<Caller, Problem> {
        let Some(given) = given(request) else {
            return Err(unauthorized(
                "no API key; send it as `Authorization: Bearer …` or `x-api-key`",
            ));
        };
        let keys = self.values().await.map_err(unavailable)?;
        let mut found = fitting(&keys, given);
        if found.is_none() {
            // The key may have been rotated since it was cached.
            let keys = self.values_now().await.map_err(unavailable)?;
            found = fitting(&keys, given);
        }
        let key = found.ok_or_else(|| unauthorized("this API key is not known"))?;
        let caller = Caller {
            name: key.name,
            scopes: key.scopes,
        };
        caller.may(scope)?;
        Ok(caller)
    }
}

/// The key that fits. All are compared, whichever it is.
fn fitting(values: &[ApiKeySecret], given: &str) -> Option<ApiKey> {
    let keys = ApiKeySecret::keys(values);
    keys.into_iter().fold(
        None,
        |found, key| if key.fits(given) { Some(key) } else { found },
    )
}

fn given(request: &Request) -> Option<&str> {
    let headers = request.headers();
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    bearer.or_else(|| headers.get("x-api-key")?.to_str().ok())
}

fn unauthorized(message: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message)
}

fn unavailable(error: crate::Error) -> Problem {
    tracing::error!(%error, "no API key to compare with");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "API_KEY_UNAVAILABLE",
        "the API key secret can't be read, so no caller can be known",
    )
}
