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
        // The link alone says so, too: but not one that is missing, like the token.
        (None, Value::Null) if pagination.get("next_page").is_some() => Next::End,
        _ => Next::Unsaid,
    }
}

fn token_of(link: &str) -> Option<String> {
    let link = reqwest::Url::parse(link).ok()?;
    let (_, token) = link.query_pairs().find(|(name, _)| name == "page_token")?;
    (!token.is_empty()).then(|| token.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn page(pagination: &Value) -> Page<u8> {
        let sent = json!({"collection": [1, "two", null, 4], "pagination": pagination});
        serde_json::from_value::<Collection>(sent).unwrap().into()
    }

    #[test]
    fn an_odd_entry_takes_no_other_with_it() {
        let page = page(&json!({"next_page_token": null, "next_page": null}));
        assert_eq!((page.items, page.unreadable), (vec![1, 4], 2));
        assert_eq!(page.next, Next::End);
    }

    #[test]
    fn the_next_page_is_named_by_its_token_or_its_link_or_is_not_known() {
        let link = "https://api.calendly.com/scheduled_events?count=100&page_token=a%2Bb";
        let bare = "https://api.calendly.com/scheduled_events?page_token=";
        let token = |token: &str| Next::Token(token.to_owned());
        for (pagination, next) in [
            (
                json!({"next_page_token": "t", "next_page": link}),
                token("t"),
            ),
            (
                json!({"next_page_token": "", "next_page": link}),
                token("a+b"),
            ),
            (
                json!({"next_page_token": null, "next_page": link}),
                token("a+b"),
            ),
            (
                json!({"next_page_token": 7, "next_page": link}),
                token("a+b"),
            ),
            (json!({"next_page_token": "", "next_page": null}), Next::End),
            (json!({"next_page_token": null}), Next::End),
            (json!({"count": 3, "next_page": null}), Next::End),
            (
                json!({"next_page_token": 7, "next_page": null}),
                Next::Unsaid,
            ),
            (
                json!({"next_page_token": "", "next_page": bare}),
                Next::Unsaid,
            ),
            (json!({"next_page_token": 7}), Next::Unsaid),
            (json!({}), Next::Unsaid),
            (json!(null), Next::Unsaid),
        ] {
            assert_eq!(page(&pagination).next, next, "{pagination}");
        }
    }
}
