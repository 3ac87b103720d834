//! DynamoDB items as typed fields.

use crate::error::failed;
use crate::{Error, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use std::collections::HashMap;

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A string attribute.
pub(crate) fn s(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

/// A number attribute.
pub(crate) fn n(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A binary attribute.
pub(crate) fn b(value: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// Asks a table whose key is `id` for an item that isn't there: after that, there is a connection.
pub(crate) async fn reach(client: &Client, table: &str) -> Result<()> {
    client
        .get_item()
        .table_name(table)
        .key("id", s("none"))
        .send()
        .await
        .map_err(failed("reach a table"))?;
    Ok(())
}

/// Reads the attributes of an item.
pub(crate) trait Read {
    fn text(&self, name: &'static str) -> Option<&str>;
    fn must(&self, name: &'static str) -> Result<&str>;
    fn number<T: std::str::FromStr>(&self, name: &'static str) -> Option<T>;
    fn time(&self, name: &'static str) -> Option<Timestamp>;
    fn bytes(&self, name: &'static str) -> Option<&[u8]>;
    fn texts(&self, name: &'static str) -> Vec<String>;
}

impl Read for Item {
    fn text(&self, name: &'static str) -> Option<&str> {
        self.get(name)?.as_s().ok().map(String::as_str)
    }

    fn must(&self, name: &'static str) -> Result<&str> {
        self.text(name)
            .ok_or_else(|| Error::corrupt("a stored item", format!("no attribute {name}")))
    }

    fn number<T: std::str::FromStr>(&self, name: &'static str) -> Option<T> {
        self.get(name)?.as_n().ok()?.parse().ok()
    }

    fn time(&self, name: &'static str) -> Option<Timestamp> {
        self.text(name)?.parse().ok()
    }

    fn bytes(&self, name: &'static str) -> Option<&[u8]> {
        Some(self.get(name)?.as_b().ok()?.as_ref())
    }

    fn texts(&self, name: &'static str) -> Vec<String> {
        let list = self.get(name).and_then(|value| value.as_l().ok());
        list.into_iter()
            .flatten()
            .filter_map(|value| value.as_s().ok().cloned())
            .collect()
    }
}
