//! Syncs, started and waited for.

use crate::stack::variable;
use crate::{Account, Stack, wait_until};
use aws_sdk_lambda::primitives::Blob;
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than a sync takes of what a test books.
const LIMIT: Duration = Duration::from_secs(120);

impl Stack {
    /// Waits until the sync is over that connecting an account begins. Nobody can ask after it, so
    /// the function's log tells.
    pub async fn until_first_sync(&self, account: &Account) {
        wait_until("the first sync is over", LIMIT, async || {
            let path = self.log_dir.join("sync.log");
            let lines = if path.exists() {
                self.log_lines("sync")
            } else {
                Vec::new()
            };
            let of = lines
                .into_iter()
                .filter(|line| line["connection"] == account.id.as_str());
            let of: Vec<_> = of.collect();
            if of.iter().any(|line| line["outcome"] == "Finished") {
                Ok(())
            } else {
                Err(of)
            }
        })
        .await;
    }

    /// Calls the sync function as the schedule does, and waits for its answer.
    pub async fn tick(&self) -> Value {
        self.invoke_sync("{}").await
    }

    /// Calls it as the schedule does that looks whether all is well.
    pub async fn watch(&self) -> Value {
        self.invoke_sync(r#"{"watch": true}"#).await
    }

    async fn invoke_sync(&self, payload: &str) -> Value {
        let answer = self
            .lambda
            .invoke()
            .function_name(variable("SYNC_FUNCTION_NAME"))
            .payload(Blob::new(payload))
            .send()
            .await
            .unwrap();
        let payload = answer.payload.unwrap_or_else(|| Blob::new("null"));
        serde_json::from_slice(payload.as_ref()).unwrap()
    }

    /// Has one connection synced, and waits until that is done without an error. What it found.
    pub async fn sync(&self, account: &Account) -> Value {
        let wanted = json!({ "connection": account.id });
        let answer = self.post_json("/v1/sync", &wanted).await.with_status(202);
        let path = format!("/v1/sync/{}", answer["syncId"].as_str().unwrap());
        let sync = wait_until("the sync is done", LIMIT, async || {
            let sync = self.get(&path).await.ok();
            match sync["state"].as_str() {
                Some("done" | "failed") => Ok(sync),
                Some("queued" | "running" | "retrying") => Err(sync),
                _ => panic!("no state: {sync:#}"),
            }
        })
        .await;
        assert_eq!(sync["state"], "done", "{sync:#}");
        assert_eq!(sync["errors"], json!([]), "{sync:#}");
        assert_eq!(sync["connections"], 1, "{sync:#}");
        assert_eq!(sync["finished"], 1, "{sync:#}");
        assert_eq!(sync["total"], sync["syncedCount"], "{sync:#}");
        sync
    }
}
