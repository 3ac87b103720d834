//! Which buckets of the index by start are in use: at most 16 a month, so that a list knows which
//! partitions to read, and no list is ever a scan. One item holds their names: 2 KB a year.

use super::keys::{BUCKETS, Key};
use crate::Result;
use crate::error::failed;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
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
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::new(BUCKETS, BUCKETS).item()))
            .update_expression("ADD #names :bucket")
            .expression_attribute_names("#names", "names")
            .expression_attribute_values(":bucket", AttributeValue::Ss(vec![bucket.to_owned()]))
            .send()
            .await
            .map_err(failed("list a month of events"))?;
        self.listed().insert(bucket.to_owned());
        Ok(())
    }

    /// Every listed bucket, in order.
    pub(super) async fn all(&self) -> Result<Vec<String>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(Key::new(BUCKETS, BUCKETS).item()))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed("read the months of events"))?;
        let names = answer
            .item
            .and_then(|mut item| item.remove("names"))
            .and_then(|names| match names {
                AttributeValue::Ss(names) => Some(names),
                _ => None,
            });
        let mut names = names.unwrap_or_default();
        names.sort_unstable();
        Ok(names)
    }

    fn listed(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
