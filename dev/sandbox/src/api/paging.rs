//! Pages of a list, as Calendly cuts them. The tokens are positions, so rows that come or go
//! between two pages shift the rest: a client must bear it.

use super::error::ApiError;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Parameters of a query.
pub(super) type Params = BTreeMap<String, String>;

/// Which part of a list is asked for.
#[derive(Debug)]
pub(super) struct Page<'a> {
    path: String,
    params: &'a Params,
    count: usize,
    offset: usize,
}

fn fingerprint(params: &Params) -> u64 {
    let mut hasher = DefaultHasher::new();
    for pair in params.iter().filter(|(name, _)| *name != "page_token") {
        pair.hash(&mut hasher);
    }
    hasher.finish()
}

impl<'a> Page<'a> {
    pub(super) fn read(path: impl Into<String>, params: &'a Params) -> Result<Self, ApiError> {
        let count = match params.get("count").map(|count| count.parse()) {
            None => 20,
            Some(Ok(count @ 1..=100)) => count,
            Some(_) => return Err(ApiError::invalid("count", "must be from 1 to 100")),
        };
        let offset = match params.get("page_token") {
            None => 0,
            Some(token) => offset(token, params)
                .ok_or_else(|| ApiError::invalid("page_token", "is invalid"))?,
        };
        Ok(Self {
            path: path.into(),
            params,
            count,
            offset,
        })
    }

    /// The answer for this page of all rows.
    pub(super) fn of<T>(&self, rows: &[T], json: impl Fn(&T) -> Value) -> Value {
        let start = self.offset.min(rows.len());
        let end = (start + self.count).min(rows.len());
        let next = (end < rows.len()).then(|| self.token(end));
        let previous = (start > 0).then(|| self.token(start.saturating_sub(self.count)));
        json!({
            "collection": rows[start..end].iter().map(json).collect::<Vec<_>>(),
            "pagination": {
                "count": end - start,
                "next_page": next.as_ref().map(|token| self.link(token)),
                "previous_page": previous.as_ref().map(|token| self.link(token)),
                "next_page_token": next,
                "previous_page_token": previous,
            },
        })
    }

    fn token(&self, offset: usize) -> String {
        URL_SAFE_NO_PAD.encode(format!("{offset}.{:x}", fingerprint(self.params)))
    }

    fn link(&self, token: &str) -> String {
        let path = format!("https://api.calendly.com{}", self.path);
        let params = self.params.iter().filter(|(name, _)| *name != "page_token");
        let params = params.map(|(name, value)| (name.as_str(), value.as_str()));
        let params = params.chain([("page_token", token)]);
        Url::parse_with_params(&path, params).map_or(path, String::from)
    }
}

/// The position in a token; `None` if it was made for other parameters.
fn offset(token: &str, params: &Params) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (offset, made_for) = text.split_once('.')?;
    (made_for == format!("{:x}", fingerprint(params)))
        .then(|| offset.parse().ok())
        .flatten()
}

/// The parameter as one of some words, or `None` if it is not there.
pub(super) fn one_of(
    params: &Params,
    name: &str,
    words: &[&'static str],
) -> Result<Option<&'static str>, ApiError> {
    let Some(given) = params.get(name) else {
        return Ok(None);
    };
    let known = words.iter().find(|word| *word == given);
    let wrong = || ApiError::invalid(name, &format!("must be one of {}", words.join(", ")));
    known.copied().map(Some).ok_or_else(wrong)
}
