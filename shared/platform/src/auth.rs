//! Who may call: `Authorization: Bearer …` or `x-api-key`.

use crate::http::Problem;
use crate::secrets::{ApiKeySecret, RotatingSecret, Versions};
use lambda_http::Request;
use lambda_http::http::{StatusCode, header};

/// The holder of the key that a request was made with. Only
/// [`RotatingSecret::caller`] makes one.
pub struct Caller {
    /// Name of the key, for the logs.
    pub name: String,
}

impl<V: Versions> RotatingSecret<ApiKeySecret, V> {
    /// The caller, or 401 `UNAUTHORIZED`.
    pub async fn caller(&self, request: &Request) -> Result<Caller, Problem> {
        let Some(given) = given(request) else {
            return Err(unauthorized(
                "no API key; send it as `Authorization: Bearer …` or `x-api-key`",
            ));
        };
        let keys = self.values().await.map_err(unavailable)?;
        if let Some(key) = keys.iter().find(|key| key.fits(given)) {
            return Ok(Caller {
                name: key.name.clone(),
            });
        }
        // The key may have been rotated since it was cached.
        let keys = self.values_now().await.map_err(unavailable)?;
        keys.iter()
            .find(|key| key.fits(given))
            .map(|key| Caller {
                name: key.name.clone(),
            })
            .ok_or_else(|| unauthorized("this API key is not known"))
    }
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
