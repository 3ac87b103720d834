//! Secrets, read through a short-lived cache, with the version before the present one.

use crate::error::failed;
use crate::{Error, Result};
use aws_sdk_secretsmanager::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;

/// Refused signatures and keys make the secret be read again, but not more often than this: a
/// flood of forged requests must not become a flood of calls.
const MIN_AGE: Duration = Duration::from_secs(5);

/// A JSON secret and the value that it had before, which stays valid while a rotation is under
/// way: both of Secrets Manager's stages `AWSCURRENT` and `AWSPREVIOUS` count.
pub struct RotatingSecret<T> {
    client: Client,
    id: String,
    name: &'static str,
    lifetime: Duration,
    cached: Mutex<Option<Cached<T>>>,
}

struct Cached<T> {
    values: Arc<[T]>,
    read: Instant,
}

impl<T: DeserializeOwned> RotatingSecret<T> {
    /// The secret `id` (name or ARN), used for `name`, read again once it is older than `lifetime`.
    pub fn new(client: Client, id: String, name: &'static str, lifetime: Duration) -> Self {
        Self {
            client,
            id,
            name,
            lifetime,
            cached: Mutex::new(None),
        }
    }

    /// The present value, then the previous one where there is one.
    pub async fn values(&self) -> Result<Arc<[T]>> {
        self.younger_than(self.lifetime).await
    }

    /// As [`Self::values`], read again unless that was done a moment ago: for when none of the
    /// values fitted, since the secret may just have been rotated.
    pub async fn values_now(&self) -> Result<Arc<[T]>> {
        self.younger_than(MIN_AGE.min(self.lifetime)).await
    }

    async fn younger_than(&self, age: Duration) -> Result<Arc<[T]>> {
        // The lock is held over the call, so that a burst of requests makes one read.
        let mut cached = self.cached.lock().await;
        if let Some(cached) = cached.as_ref()
            && cached.read.elapsed() < age
        {
            return Ok(cached.values.clone());
        }
        let (current, previous) =
            tokio::try_join!(self.stage("AWSCURRENT"), self.stage("AWSPREVIOUS"))?;
        let current = current.ok_or(Error::Secret {
            name: self.name,
            cause: "it has no value yet; put one with `aws secretsmanager put-secret-value`",
        })?;
        let mut values = vec![self.parse(&current)?];
        // A previous value of another form is none: it must not stop the present one.
        values.extend(previous.and_then(|previous| self.parse(&previous).ok()));
        let values: Arc<[T]> = values.into();
        *cached = Some(Cached {
            values: values.clone(),
            read: Instant::now(),
        });
        Ok(values)
    }

    async fn stage(&self, stage: &str) -> Result<Option<String>> {
        let answer = self
            .client
            .get_secret_value()
            .secret_id(&self.id)
            .version_stage(stage)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.secret_string),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|e| e.is_resource_not_found_exception()) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed("read a secret")(error)),
        }
    }

    fn parse(&self, value: &str) -> Result<T> {
        // The parser's own error would quote the secret.
        serde_json::from_str(value).map_err(|_| Error::Secret {
            name: self.name,
            cause: "its value is not the JSON object that the README describes",
        })
    }
}

/// What the Calendly secret holds.
#[derive(Clone, Deserialize)]
pub struct CalendlySecret {
    /// The key that Calendly signs webhooks with.
    #[serde(rename = "signingKey", default)]
    pub signing_key: String,
}

/// What the API key secret holds.
#[derive(Clone, Deserialize)]
pub struct ApiKeySecret {
    /// Name of the key's holder, for the logs.
    #[serde(default)]
    pub name: String,
    /// The key.
    pub key: String,
}

impl ApiKeySecret {
    /// Compares in a time that tells nothing of where two keys differ. An empty key fits nothing.
    pub fn fits(&self, given: &str) -> bool {
        !self.key.is_empty() && bool::from(self.key.as_bytes().ct_eq(given.as_bytes()))
    }
}
