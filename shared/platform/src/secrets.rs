//! Secrets, read through a short-lived cache, with the version before the present one.

use crate::connections::Tokens;
use crate::error::{failed, not_found};
use crate::{Error, Result};
use aws_sdk_secretsmanager::Client;
use calendly::oauth::App;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Refused signatures and keys make the secret be read again, but not more often than this: a
/// flood of forged requests must not become a flood of calls.
const MIN_AGE: Duration = Duration::from_secs(5);

/// Where a secret's values are.
pub trait Versions {
    /// The value at `stage` (`AWSCURRENT`, `AWSPREVIOUS`), if there is one.
    fn at(&self, stage: &'static str) -> impl Future<Output = Result<Option<String>>> + Send;
}

/// A secret in Secrets Manager.
pub struct ManagedSecret {
    client: Client,
    id: String,
}

impl ManagedSecret {
    /// The secret `id` (name or ARN).
    pub fn new(client: Client, id: String) -> Self {
        Self { client, id }
    }
}

impl Versions for ManagedSecret {
    async fn at(&self, stage: &'static str) -> Result<Option<String>> {
        let answer = self
            .client
            .get_secret_value()
            .secret_id(&self.id)
            .version_stage(stage)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.secret_string),
            Err(error) if not_found(&error) => Ok(None),
            Err(error) => Err(failed("read a secret")(error)),
        }
    }
}

/// A JSON secret and the value that it had before, which stays valid while a rotation is under
/// way: both of Secrets Manager's stages `AWSCURRENT` and `AWSPREVIOUS` count, unless the present
/// value says `"previous": "refused"`, as it does where the one before has leaked.
pub struct RotatingSecret<T, V = ManagedSecret> {
    versions: V,
    name: &'static str,
    lifetime: Duration,
    cached: Mutex<Option<Cached<T>>>,
}

struct Cached<T> {
    values: Arc<[T]>,
    read: Instant,
}

impl<T: DeserializeOwned, V: Versions> RotatingSecret<T, V> {
    /// The secret that `versions` has, used for `name`, read again once it is older than
    /// `lifetime`.
    pub fn new(versions: V, name: &'static str, lifetime: Duration) -> Self {
        Self {
            versions,
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
        let (current, previous) = tokio::try_join!(
            self.versions.at("AWSCURRENT"),
            self.versions.at("AWSPREVIOUS")
        )?;
        let current = current.ok_or(Error::Secret {
            name: self.name,
            cause: "it has no value yet; put one with `aws secretsmanager put-secret-value`",
        })?;
        let mut values = vec![self.parse(&current)?];
        let previous = previous.filter(|_| !refuses_previous(&current));
        // A previous value of another form is none: it must not stop the present one.
        values.extend(previous.and_then(|previous| self.parse(&previous).ok()));
        let values: Arc<[T]> = values.into();
        *cached = Some(Cached {
            values: values.clone(),
            read: Instant::now(),
        });
        Ok(values)
    }

    fn parse(&self, value: &str) -> Result<T> {
        // The parser's own error would quote the secret.
        serde_json::from_str(value).map_err(|_| Error::Secret {
            name: self.name,
            cause: "its value is not the JSON object that the README describes",
        })
    }
}

/// Whether a present value says that the one before counts no more. Whatever it says of it means that, so
/// that a misspelt word doesn't keep a key that has leaked.
fn refuses_previous(current: &str) -> bool {
    #[derive(Deserialize)]
    struct OfPrevious {
        previous: Option<serde_json::Value>,
    }
    serde_json::from_str(current).is_ok_and(|of: OfPrevious| of.previous.is_some())
}

/// What the Calendly secret holds.
#[derive(Clone, Deserialize)]
pub struct CalendlySecret {
    /// The key that Calendly signs webhooks with.
    #[serde(rename = "signingKey", default)]
    pub signing_key: String,
    /// The OAuth app's id; empty where there is no app.
    #[serde(rename = "clientId", default)]
    pub client_id: String,
    /// The OAuth app's secret.
    #[serde(rename = "clientSecret", default)]
    pub client_secret: String,
}

impl CalendlySecret {
    /// The OAuth app, if there is one.
    pub fn app(&self) -> Option<App> {
        let there = !self.client_id.is_empty() && !self.client_secret.is_empty();
        there.then(|| App {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
        })
    }

    /// The key to send along with a subscription that these tokens make. Calendly signs for a
    /// personal access token only with such a key; an OAuth app has one of its own.
    pub fn key_to_send(&self, tokens: Option<&Tokens>) -> Option<&str> {
        let personal = tokens.is_some_and(|tokens| tokens.refresh_token.is_none());
        let key = self.signing_key.as_str();
        Some(key).filter(|key| personal && !key.is_empty())
    }
}

/// What the API key secret holds: one key that may do everything, as the stack makes it, or any
/// number of named keys with scopes of their own, or both.
#[derive(Clone, Deserialize)]
pub struct ApiKeySecret {
    #[serde(default)]
    name: String,
    #[serde(default)]
    key: String,
    keys: Option<Vec<NamedKey>>,
}

#[derive(Clone, Deserialize)]
struct NamedKey {
    name: String,
    key: String,
    #[serde(default)]
    scopes: Vec<String>,
}

/// What a key allows. None includes another: a key that may replay need not read people's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Look at bookings, deliveries, connections and syncs.
    Read,
    /// Replay, redrive, sync, and connect or disconnect accounts.
    Operate,
    /// See the bodies of deliveries, and erase people.
    Admin,
}

impl Scope {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Read, Self::Operate, Self::Admin];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }
}

/// An API key.
#[derive(Clone)]
pub struct ApiKey {
    /// Name of the key's holder, for the logs.
    pub name: String,
    /// What it allows.
    pub scopes: BTreeSet<Scope>,
    key: String,
}

impl ApiKey {
    /// Compares in a time that tells nothing of where two keys differ. An empty key fits nothing.
    pub fn fits(&self, given: &str) -> bool {
        !self.key.is_empty() && bool::from(self.key.as_bytes().ct_eq(given.as_bytes()))
    }

    /// The key's bytes, to sign with; nothing of an empty one.
    pub fn secret(&self) -> Option<&[u8]> {
        Some(self.key.as_bytes()).filter(|key| !key.is_empty())
    }
}

impl ApiKeySecret {
    /// The keys that count, of the present value and the one before.
    ///
    /// A value with a list of `keys` stands alone: there a key is replaced by listing both for a
    /// while, and one that was taken out is refused at once. A value with the one key that a new
    /// stack has leaves the value before it valid, so that nothing is refused while callers change.
    pub fn keys(values: &[Self]) -> Vec<ApiKey> {
        let listed = values.first().is_some_and(|present| present.keys.is_some());
        let counting = if listed { &values[..1] } else { values };
        counting.iter().flat_map(Self::own).collect()
    }

    fn own(&self) -> impl Iterator<Item = ApiKey> {
        let single = Some(ApiKey {
            name: self.name.clone(),
            scopes: Scope::ALL.into(),
            key: self.key.clone(),
        });
        let named = self.keys.iter().flatten().map(|named| ApiKey {
            name: named.name.clone(),
            // A scope of another name allows nothing.
            scopes: Scope::ALL
                .into_iter()
                .filter(|scope| named.scopes.iter().any(|word| word == scope.as_str()))
                .collect(),
            key: named.key.clone(),
        });
        single
            .into_iter()
            .chain(named)
            .filter(|key| !key.key.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex as Sync;

    /// The present value, the previous one, and how often they were asked for.
    type State = (Option<&'static str>, Option<&'static str>, u32);

    #[derive(Clone, Default)]
    struct Stages(Arc<Sync<State>>);

    impl Versions for Stages {
        async fn at(&self, stage: &'static str) -> Result<Option<String>> {
            let mut stages = self.0.lock().unwrap();
            let (current, previous, reads) = &mut *stages;
            let current_wanted = stage == "AWSCURRENT";
            *reads += u32::from(current_wanted);
            let value = if current_wanted { current } else { previous };
            Ok(value.map(str::to_owned))
        }
    }

    fn secret(stages: &Stages, lifetime: u64) -> RotatingSecret<ApiKeySecret, Stages> {
        RotatingSecret::new(stages.clone(), "key", Duration::from_secs(lifetime))
    }

    fn keys(values: &[ApiKeySecret]) -> Vec<&str> {
        values.iter().map(|value| value.key.as_str()).collect()
    }

    #[tokio::test]
    async fn both_values_count_and_are_read_once_in_a_lifetime() {
        let stages = Stages::default();
        *stages.0.lock().unwrap() = (Some(r#"{"key":"b"}"#), Some(r#"{"key":"a"}"#), 0);
        let secret = secret(&stages, 60);
        for _ in 0..3 {
            assert_eq!(keys(&secret.values().await.unwrap()), ["b", "a"]);
            assert_eq!(keys(&secret.values_now().await.unwrap()), ["b", "a"]);
        }
        assert_eq!(stages.0.lock().unwrap().2, 1);
    }

    #[tokio::test]
    async fn the_value_before_counts_no_more_once_the_present_one_says_so() {
        let stages = Stages::default();
        let secret = secret(&stages, 0);
        let before = Some(r#"{"key":"a"}"#);
        for word in [r#""refused""#, r#""refuse""#, "false"] {
            let present = format!(r#"{{"key":"b","previous":{word}}}"#);
            *stages.0.lock().unwrap() = (Some(present.leak()), before, 0);
            assert_eq!(keys(&secret.values().await.unwrap()), ["b"], "{word}");
        }
        let present = Some(r#"{"key":"b","previous":null}"#);
        *stages.0.lock().unwrap() = (present, before, 0);
        assert_eq!(keys(&secret.values().await.unwrap()), ["b", "a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_that_was_taken_out_counts_no_longer_than_the_lifetime() {
        let stages = Stages::default();
        let secret = secret(&stages, 60);
        *stages.0.lock().unwrap() = (Some(r#"{"key":"a"}"#), None, 0);
        assert_eq!(keys(&secret.values().await.unwrap()), ["a"]);
        let present = Some(r#"{"key":"b","previous":"refused"}"#);
        *stages.0.lock().unwrap() = (present, Some(r#"{"key":"a"}"#), 0);
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(keys(&secret.values().await.unwrap()), ["a"]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(keys(&secret.values().await.unwrap()), ["b"]);
    }

    #[tokio::test]
    async fn a_new_value_is_seen_when_the_old_has_expired() {
        let stages = Stages::default();
        *stages.0.lock().unwrap() = (Some(r#"{"key":"a"}"#), None, 0);
        let secret = secret(&stages, 0);
        assert_eq!(keys(&secret.values().await.unwrap()), ["a"]);
        *stages.0.lock().unwrap() = (Some(r#"{"key":"b"}"#), Some(r#"{"key":"a"}"#), 0);
        assert_eq!(keys(&secret.values().await.unwrap()), ["b", "a"]);
    }

    #[tokio::test]
    async fn no_value_and_one_that_is_no_json_are_errors_that_do_not_quote_it() {
        let stages = Stages::default();
        let secret = secret(&stages, 0);
        assert!(secret.values().await.is_err());
        stages.0.lock().unwrap().0 = Some("hunter2");
        let error = secret.values().await.map(|_| ()).unwrap_err().to_string();
        assert!(
            error.contains("key") && !error.contains("hunter2"),
            "{error}"
        );
        // A previous value of another form doesn't stop the present one.
        *stages.0.lock().unwrap() = (Some(r#"{"key":"b"}"#), Some("hunter2"), 0);
        assert_eq!(keys(&secret.values().await.unwrap()), ["b"]);
    }

    fn parsed(values: &[&str]) -> Vec<ApiKey> {
        let values: Vec<ApiKeySecret> = values
            .iter()
            .map(|value| serde_json::from_str(value).unwrap())
            .collect();
        ApiKeySecret::keys(&values)
    }

    #[test]
    fn an_empty_key_fits_nothing() {
        let keys = parsed(&[r#"{"key":"k"}"#]);
        assert!(keys[0].fits("k") && !keys[0].fits("K") && !keys[0].fits(""));
        assert!(parsed(&[r#"{"key":""}"#, r#"{"keys":[{"name":"n","key":""}]}"#]).is_empty());
    }

    #[test]
    fn a_single_key_may_do_everything_and_named_ones_what_they_list() {
        let keys = parsed(&[r#"{"name":"own","key":"a","keys":[
                {"name":"reader","key":"b","scopes":["read"]},
                {"name":"both","key":"c","scopes":["operate","admin"]},
                {"name":"typo","key":"d","scopes":["Read","everything"]},
                {"name":"none","key":"e"}]}"#]);
        let scopes = |name: &str| {
            let key = keys.iter().find(|key| key.name == name).unwrap();
            key.scopes.iter().copied().collect::<Vec<_>>()
        };
        assert_eq!(scopes("own"), Scope::ALL);
        assert_eq!(scopes("reader"), [Scope::Read]);
        assert_eq!(scopes("both"), [Scope::Operate, Scope::Admin]);
        assert!(scopes("typo").is_empty() && scopes("none").is_empty());
    }

    #[test]
    fn the_value_before_counts_beside_a_single_key_but_not_beside_a_list() {
        let before = r#"{"key":"old"}"#;
        assert_eq!(parsed(&[r#"{"key":"new"}"#, before]).len(), 2);
        let listed = r#"{"keys":[{"name":"n","key":"new","scopes":["read"]}]}"#;
        let keys = parsed(&[listed, before]);
        assert!(keys.len() == 1 && keys[0].fits("new"));
        // The present single key, and what was listed before it: both are being changed over.
        assert_eq!(parsed(&[before, listed]).len(), 2);
        assert!(parsed(&[r#"{"keys":[]}"#, before]).is_empty());
    }
}
