//! Who may call, and what: `Authorization: Bearer …` or `x-api-key`.

use crate::http::{Problem, TrackingId};
use crate::secrets::{ApiKey, ApiKeySecret, ManagedSecret, RotatingSecret, Scope, Versions};
use lambda_http::Request;
use lambda_http::http::{StatusCode, header};
use std::collections::BTreeSet;

/// The holder of the key that a request was made with. Only [`ApiKeys::caller`] and
/// [`RotatingSecret::caller`] make one.
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

/// The keys of the HTTP API. The stack makes two secrets, so that who may only look need not be given
/// what may erase people.
pub struct ApiKeys<V = ManagedSecret> {
    /// Keys that may do what their secret says.
    pub all: RotatingSecret<ApiKeySecret, V>,
    /// Keys that may look and nothing else, whatever their secret says.
    pub readers: RotatingSecret<ApiKeySecret, V>,
}

impl<V: Versions> ApiKeys<V> {
    /// The caller, or 401 `UNAUTHORIZED`; 403 `FORBIDDEN` where its key lacks `scope`.
    pub async fn caller(&self, request: &Request, scope: Scope) -> Result<Caller, Problem> {
        let given = given(request)?;
        // Administrators can work also where the readers' secret can't be read.
        let mut found = fitting(&self.all.values().await.map_err(unavailable)?, given);
        if found.is_none() {
            found = reader(&self.readers.values().await.map_err(unavailable)?, given);
        }
        // The key may have been rotated since it was cached.
        if found.is_none() {
            found = fitting(&self.all.values_now().await.map_err(unavailable)?, given);
        }
        if found.is_none() {
            found = reader(
                &self.readers.values_now().await.map_err(unavailable)?,
                given,
            );
        }
        admitted(found, scope)
    }
}

impl<V: Versions> RotatingSecret<ApiKeySecret, V> {
    /// The caller by the keys of this secret alone, or 401 `UNAUTHORIZED`; 403 `FORBIDDEN` where its
    /// key lacks `scope`.
    pub async fn caller(&self, request: &Request, scope: Scope) -> Result<Caller, Problem> {
        let given = given(request)?;
        let mut found = fitting(&self.values().await.map_err(unavailable)?, given);
        if found.is_none() {
            // The key may have been rotated since it was cached.
            found = fitting(&self.values_now().await.map_err(unavailable)?, given);
        }
        admitted(found, scope)
    }
}

/// The holder of the key that was found, if it may.
fn admitted(found: Option<ApiKey>, scope: Scope) -> Result<Caller, Problem> {
    let key = found.ok_or_else(|| unauthorized("this API key is not known"))?;
    let caller = Caller {
        name: key.name,
        scopes: key.scopes,
    };
    caller.may(scope)?;
    Ok(caller)
}

/// The key that fits among those that may only look.
fn reader(values: &[ApiKeySecret], given: &str) -> Option<ApiKey> {
    let mut key = fitting(values, given)?;
    key.scopes.retain(|scope| *scope == Scope::Read);
    Some(key)
}

/// The key that fits. All are compared, whichever it is.
fn fitting(values: &[ApiKeySecret], given: &str) -> Option<ApiKey> {
    let keys = ApiKeySecret::keys(values);
    keys.into_iter().fold(
        None,
        |found, key| if key.fits(given) { Some(key) } else { found },
    )
}

fn given(request: &Request) -> Result<&str, Problem> {
    let headers = request.headers();
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    bearer
        .or_else(|| headers.get("x-api-key")?.to_str().ok())
        .ok_or_else(|| {
            unauthorized("no API key; send it as `Authorization: Bearer …` or `x-api-key`")
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, Result};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    const ALL: &str = r#"{"name":"boss","key":"b","keys":[
        {"name":"ops","key":"o","scopes":["read","operate"]}]}"#;

    /// A secret's value; nothing: it can't be read.
    #[derive(Clone)]
    struct Held(Arc<Mutex<Option<&'static str>>>);

    impl Held {
        fn put(&self, value: Option<&'static str>) {
            *self.0.lock().unwrap() = value;
        }
    }

    impl Versions for Held {
        async fn at(&self, stage: &'static str) -> Result<Option<String>> {
            let value = *self.0.lock().unwrap();
            let value = value.ok_or(Error::Secret {
                name: "test",
                cause: "it can't be read",
            })?;
            Ok((stage == "AWSCURRENT").then(|| value.to_owned()))
        }
    }

    fn keys(readers: &'static str) -> (ApiKeys<Held>, Held, Held) {
        let [all, read] = [ALL, readers].map(|value| Held(Arc::new(Mutex::new(Some(value)))));
        let secret = |held: &Held| RotatingSecret::new(held.clone(), "keys", Duration::ZERO);
        let keys = ApiKeys {
            all: secret(&all),
            readers: secret(&read),
        };
        (keys, all, read)
    }

    /// The caller's name, or the code of the refusal.
    async fn asked(keys: &ApiKeys<Held>, key: &str, scope: Scope) -> String {
        let mut request = Request::default();
        let headers = request.headers_mut();
        headers.insert("x-api-key", key.parse().unwrap());
        match keys.caller(&request, scope).await {
            Ok(caller) => caller.name,
            Err(problem) => problem.code.to_owned(),
        }
    }

    #[tokio::test]
    async fn a_key_of_the_readers_may_look_and_nothing_else_whatever_its_secret_says() {
        for secret in [
            r#"{"name":"read","key":"r"}"#,
            r#"{"keys":[{"name":"read","key":"r","scopes":["read","operate","admin"]}]}"#,
        ] {
            let (keys, ..) = keys(secret);
            assert_eq!(asked(&keys, "r", Scope::Read).await, "read");
            assert_eq!(asked(&keys, "r", Scope::Operate).await, "FORBIDDEN");
            assert_eq!(asked(&keys, "r", Scope::Admin).await, "FORBIDDEN");
        }
    }

    #[tokio::test]
    async fn the_keys_of_the_first_secret_may_what_it_says_and_no_other_key_fits() {
        let (keys, ..) = keys(r#"{"name":"read","key":"r"}"#);
        assert_eq!(asked(&keys, "b", Scope::Admin).await, "boss");
        assert_eq!(asked(&keys, "o", Scope::Operate).await, "ops");
        assert_eq!(asked(&keys, "o", Scope::Admin).await, "FORBIDDEN");
        assert_eq!(asked(&keys, "x", Scope::Read).await, "UNAUTHORIZED");
    }

    #[tokio::test]
    async fn administrators_can_work_where_the_readers_secret_cannot_be_read() {
        let (keys, all, read) = keys("{}");
        read.put(None);
        assert_eq!(asked(&keys, "b", Scope::Admin).await, "boss");
        assert_eq!(asked(&keys, "r", Scope::Read).await, "API_KEY_UNAVAILABLE");
        all.put(None);
        assert_eq!(asked(&keys, "b", Scope::Admin).await, "API_KEY_UNAVAILABLE");
    }
}
