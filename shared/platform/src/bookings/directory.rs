//! Which buckets of the index by start are in use: at most 16 a month, so that a list knows which
//! partitions to read, and no list is ever a scan.

use super::keys::{BUCKETS, Key};
use crate::Result;
use crate::error::failed;
use crate::item::Read;
use aws_sdk_dynamodb::Client;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Clone)]
pub(super) struct Directory {
    client: Client,
    table: String,
    /// Buckets that this process has seen to be listed: nearly every write finds its own here.
    listed: Arc<Mutex<HashSet<String>>>,
}

impl Directory {
    pub(super) fn new(client: Client, table: String) -> Self {
        Self {
            client,
            table,
            listed: Arc::default(),
        }
    }

    /// Lists `bucket`. Called before an event is written to it: a bucket without events does no
    /// harm, events in a bucket that isn't listed would not be found.
    pub(super) async fn list(&self, bucket: &str) -> Result<()> {
        if self.listed().contains(bucket) {
            return Ok(());
        }
        let key = Key {
            pk: BUCKETS.to_owned(),
            sk: bucket.to_owned(),
        };
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key.item()))
            .send()
            .await
            .map_err(failed("list a month of events"))?;
        self.listed().insert(bucket.to_owned());
        Ok(())
    }

    /// Listed buckets from `from` on, in order.
    pub(super) async fn from(&self, from: &str) -> Result<Vec<String>> {
        let mut buckets = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :buckets AND sk >= :from")
                .expression_attribute_values(":buckets", crate::item::s(BUCKETS))
                .expression_attribute_values(":from", crate::item::s(from))
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(failed("read the months of events"))?;
            for item in answer.items() {
                buckets.push(item.must("sk")?.to_owned());
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(buckets);
            }
        }
    }

    fn listed(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
