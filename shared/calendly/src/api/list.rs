//! Lists: what a page holds, as far as it can be read.

use super::error::ApiError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What it holds.
    pub items: Vec<T>,
    /// How many of its entries can't be read.
    pub unreadable: usize,
    /// The token of the next page; nothing on the last.
    pub next: Option<String>,
}

/// All pages of a list, as far as they can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What they hold. Rows move between pages while they are read, so one may be here twice.
    pub items: Vec<T>,
    /// How many entries can't be read.
    pub unreadable: usize,
    /// Why there may be more.
    pub stopped: Option<ApiError>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            unreadable: 0,
            stopped: None,
        }
    }
}

/// A page as it is sent.
#[derive(Deserialize)]
pub(super) struct Collection {
    collection: Vec<Value>,
    #[serde(default)]
    pagination: Value,
}

impl<T: DeserializeOwned> From<Collection> for Page<T> {
    /// Reads each entry on its own: an odd one doesn't take the others with it.
    fn from(sent: Collection) -> Self {
        let mut items = Vec::with_capacity(sent.collection.len());
        let mut unreadable = 0;
        for entry in sent.collection {
            match serde_json::from_value(entry) {
                Ok(item) => items.push(item),
                Err(_) => unreadable += 1,
            }
        }
        let next = match sent.pagination.get("next_page_token") {
            // An empty token would bring the first page again.
            Some(Value::String(token)) => (!token.is_empty()).then(|| token.clone()),
            Some(Value::Null) => None,
            // Whether there is more can't be known.
            _ => {
                unreadable += 1;
                None
            }
        };
        Self {
            items,
            unreadable,
            next,
        }
    }
}
