//! Stand-ins in memory for what has no embedded version: Secrets Manager and SQS.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use booking::ConnectionId;
use platform::connections::{Stored, Tokens, Vault};
use platform::queue::{DeliveryRef, Jobs, Outbox};
use platform::secrets::Versions;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Tokens by connection. Writes can be made to fail, as if the process had been killed before, and to be
/// seen late, as Secrets Manager may show them.
#[derive(Clone, Default)]
pub struct MemoryVault {
    secrets: Arc<Mutex<HashMap<String, Secret>>>,
    killed: Arc<Mutex<bool>>,
    late: Arc<Mutex<u32>>,
}

/// All versions of a secret, the last one at the end.
#[derive(Default)]
struct Secret {
    versions: Vec<Stored>,
    /// Reads to which the last version isn't shown yet.
    late: u32,
}

impl Secret {
    fn read(&mut self, version: Option<&str>) -> Option<&Stored> {
        let is_late = self.late > 0;
        self.late -= u32::from(is_late);
        let shown = &self.versions[..self.versions.len() - usize::from(is_late)];
        match version {
            Some(version) => shown.iter().find(|stored| stored.version == version),
            None => shown.last(),
        }
    }
}

impl MemoryVault {
    /// Puts tokens there, for everybody to see at once.
    pub fn put(&self, id: &str, tokens: Tokens) {
        let mut secrets = self.secrets.lock().unwrap();
        let secret = secrets.entry(id.to_owned()).or_default();
        let version = format!("put by hand {}", secret.versions.len());
        secret.versions.push(Stored { tokens, version });
    }

    /// The tokens of a connection.
    pub fn tokens(&self, id: &str) -> Option<Tokens> {
        let secrets = self.secrets.lock().unwrap();
        Some(secrets.get(id)?.versions.last()?.tokens.clone())
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.secrets.lock().unwrap().is_empty()
    }

    /// Makes writes fail, or work again.
    pub fn kill_before_write(&self, killed: bool) {
        *self.killed.lock().unwrap() = killed;
    }

    /// From now on each writing is not shown to the next `reads` of the same tokens.
    pub fn show_late(&self, reads: u32) {
        *self.late.lock().unwrap() = reads;
    }
}

impl Vault for MemoryVault {
    async fn read(
        &self,
        id: &ConnectionId,
        version: Option<&str>,
    ) -> platform::Result<Option<Stored>> {
        let mut secrets = self.secrets.lock().unwrap();
        let secret = secrets.get_mut(id.as_str());
        Ok(secret.and_then(|secret| secret.read(version).cloned()))
    }

    async fn write(
        &self,
        id: &ConnectionId,
        tokens: &Tokens,
        version: &str,
    ) -> platform::Result<()> {
        if *self.killed.lock().unwrap() {
            return Err(platform::Error::Aws {
                action: "write tokens",
                cause: "killed".to_owned(),
            });
        }
        let (tokens, version) = (tokens.clone(), version.to_owned());
        let mut secrets = self.secrets.lock().unwrap();
        let secret = secrets.entry(id.as_str().to_owned()).or_default();
        secret.versions.push(Stored { tokens, version });
        secret.late = *self.late.lock().unwrap();
        Ok(())
    }

    async fn forget(&self, id: &ConnectionId) -> platform::Result<()> {
        self.secrets.lock().unwrap().remove(id.as_str());
        Ok(())
    }
}

/// A secret that never had another value.
pub struct FixedSecret(pub String);

impl Versions for FixedSecret {
    async fn at(&self, stage: &'static str) -> platform::Result<Option<String>> {
        Ok((stage == "AWSCURRENT").then(|| self.0.clone()))
    }
}

/// A queue that keeps what it is sent, with the delays that were asked for.
#[derive(Clone)]
pub struct MemoryQueue<J>(Arc<Mutex<Vec<(J, Duration)>>>);

impl<J> Default for MemoryQueue<J> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<J> MemoryQueue<J> {
    /// Takes everything that was sent.
    pub fn drain(&self) -> Vec<(J, Duration)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl<J: Clone + Send + Sync> Jobs<J> for MemoryQueue<J> {
    async fn push(&self, job: &J, delay: Duration) -> platform::Result<()> {
        self.0.lock().unwrap().push((job.clone(), delay));
        Ok(())
    }
}

impl Outbox for MemoryQueue<DeliveryRef> {
    async fn send(&self, delivery: &DeliveryRef) -> platform::Result<()> {
        self.push(delivery, Duration::ZERO).await
    }
}
