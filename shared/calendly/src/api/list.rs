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
    /// What comes behind it.
    pub next: Next,
}

/// What a page says of the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It has this token.
    Token(String),
    /// There is none.
    End,
    /// Nothing that can be read, so there may be more.
    Unsaid,
}

impl From<Option<String>> for Next {
    fn from(token: Option<String>) -> Self {
        token.map_or(Self::End, Self::Token)
    }
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
        Self {
            items,
            unreadable,
            next: next(&sent.pagination),
        }
    }
}

fn next(pagination: &Value) -> Next {
    let link = pagination.get("next_page").unwrap_or(&Value::Null);
    match (pagination.get("next_page_token"), link) {
        (Some(Value::String(token)), _) if !token.is_empty() => Next::Token(token.clone()),
        // The token stands in the link, too. An empty one would bring the first page again.
        (_, Value::String(link)) => token_of(link).map_or(Next::Unsaid, Next::Token),
        (Some(Value::String(_) | Value::Null), Value::Null) => Next::End,
        _ => Next::Unsaid,
    }
}

fn token_of(link: &str) -> Option<String> {
    let link = reqwest::Url::parse(link).ok()?;
    let (_, token) = link.query_pairs().find(|(name, _)| name == "page_token")?;
    (!token.is_empty()).then(|| token.into_owned())
}
