//! Stand-ins in memory for what has no embedded version: Secrets Manager and SQS.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use booking::ConnectionId;
use platform::connections::{Tokens, Vault};
use platform::queue::{DeliveryRef, Jobs, Outbox};
use platform::secrets::Versions;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Tokens by connection. Writes can be made to fail, as if the process had been killed before.
#[derive(Clone, Default)]
pub struct MemoryVault {
    tokens: Arc<Mutex<HashMap<String, Tokens>>>,
    killed: Arc<Mutex<bool>>,
}

impl MemoryVault {
    /// Puts tokens there.
    pub fn put(&self, id: &str, tokens: Tokens) {
        self.tokens.lock().unwrap().insert(id.to_owned(), tokens);
    }

    /// The tokens of a connection.
    pub fn tokens(&self, id: &str) -> Option<Tokens> {
        self.tokens.lock().unwrap().get(id).cloned()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.tokens.lock().unwrap().is_empty()
    }

    /// Makes writes fail, or work again.
    pub fn kill_before_write(&self, killed: bool) {
        *self.killed.lock().unwrap() = killed;
    }
}

impl Vault for MemoryVault {
    async fn read(&self, id: &ConnectionId) -> platform::Result<Option<Tokens>> {
        Ok(self.tokens(id.as_str()))
    }

    async fn write(&self, id: &ConnectionId, tokens: &Tokens) -> platform::Result<()> {
        if *self.killed.lock().unwrap() {
            return Err(platform::Error::Aws {
                action: "write tokens",
                cause: "killed".to_owned(),
            });
        }
        self.put(id.as_str(), tokens.clone());
        Ok(())
    }

    async fn forget(&self, id: &ConnectionId) -> platform::Result<()> {
        self.tokens.lock().unwrap().remove(id.as_str());
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
