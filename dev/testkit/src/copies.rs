//! Many stored records by copying one: as the store would write them, at a fraction of the time.

use crate::dynamo::Dynamo;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use jiff::Timestamp;
use std::collections::HashMap;

type Item = HashMap<String, AttributeValue>;

/// How many items `BatchWriteItem` takes.
const AT_A_TIME: usize = 25;

/// Copies records of a table that holds bookings.
pub struct Copies<'a> {
    dynamo: &'a Dynamo,
    table: &'a str,
}

impl<'a> Copies<'a> {
    /// Copies within `table`.
    pub fn new(dynamo: &'a Dynamo, table: &'a str) -> Self {
        Self { dynamo, table }
    }

    /// Copies every item of the event `id`, which starts at `start` in the first second of a month,
    /// once for each new id and start. Such a copy is what the store would have written, but for
    /// the digest of its record and the end of its meeting.
    pub async fn of(
        &self,
        id: &str,
        start: Timestamp,
        places: impl Iterator<Item = (String, Timestamp)>,
    ) {
        let items = self.dynamo.items(self.table).await;
        let names = |item: &Item| {
            item["pk"]
                .as_s()
                .unwrap()
                .ends_with(&format!("#event#{id}"))
        };
        let patterns: Vec<Item> = items.into_iter().filter(names).collect();
        assert!(!patterns.is_empty(), "no event {id}");
        let copies = places.flat_map(|place| {
            let copied = patterns
                .iter()
                .map(|pattern| copy(pattern, id, start, &place));
            copied.collect::<Vec<_>>()
        });
        let client = self.dynamo.client();
        let mut copies = copies.peekable();
        while copies.peek().is_some() {
            let writes = copies.by_ref().take(AT_A_TIME).map(|item| {
                let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
                WriteRequest::builder().put_request(put).build()
            });
            let batch = client
                .batch_write_item()
                .request_items(self.table, writes.collect());
            let left = batch.send().await.unwrap().unprocessed_items;
            assert!(left.is_none_or(|left| left.is_empty()), "not all was taken");
        }
    }
}

/// A record with another id and start in each of its texts.
fn copy(pattern: &Item, id: &str, start: Timestamp, place: &(String, Timestamp)) -> Item {
    let second = |time: Timestamp| time.to_string()[..19].to_owned();
    let month = |time: Timestamp| format!("{}#", &time.to_string()[..7]);
    let text = |value: &str| {
        value
            .replace(id, &place.0)
            .replace(&second(start), &second(place.1))
            .replace(&month(start), &month(place.1))
    };
    let copied = |value: &AttributeValue| match value {
        AttributeValue::S(value) => AttributeValue::S(text(value)),
        other => other.clone(),
    };
    let fields = pattern.iter();
    fields
        .map(|(name, value)| (name.clone(), copied(value)))
        .collect()
}
