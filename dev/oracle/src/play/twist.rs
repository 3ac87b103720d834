//! Answers of Calendly that are not as documented, made on the way of a call.

use crate::history::Trouble;
use calendly::Reply;
use reqwest::Url;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The token of a page that is the page before it.
const SAME: &str = "the-same-page";
/// The token of a page that is refused.
const REFUSED: &str = "a-page-that-is-refused";

/// Trouble with the next lists.
#[derive(Default)]
struct Next {
    how: Option<Trouble>,
    skip: u32,
    lists: u32,
}

/// What is odd about answers.
#[derive(Clone)]
pub(crate) struct Twists {
    odd_lists: bool,
    next: Arc<Mutex<Next>>,
}

impl Twists {
    pub(crate) fn new(odd_lists: bool) -> Self {
        Self {
            odd_lists,
            next: Arc::default(),
        }
    }

    fn next(&self) -> MutexGuard<'_, Next> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After `skip` lists, the next `lists` go wrong.
    pub(crate) fn add(&self, how: Trouble, skip: u32, lists: u32) {
        *self.next() = Next {
            how: Some(how),
            skip,
            lists,
        };
    }

    /// From now on lists lead to their end.
    pub(crate) fn calm(&self) {
        *self.next() = Next::default();
    }

    /// Calendly's own form of a call: it takes a token that is empty for none.
    pub(crate) fn ask(url: &mut Url) {
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let no_page = |(name, value): &(String, String)| {
            name == "page_token" && (value.is_empty() || value == SAME)
        };
        if pairs.iter().any(no_page) {
            let rest = pairs.iter().filter(|pair| !no_page(pair));
            url.query_pairs_mut().clear().extend_pairs(rest);
        }
    }

    /// The answer to a call of `path`, made odd.
    pub(crate) fn answer(&self, path: &str, reply: Reply) -> Reply {
        let is_list = matches!(path, "/scheduled_events" | "/webhook_subscriptions")
            || path.ends_with("/invitees");
        if !is_list || !reply.status.is_success() {
            return reply;
        }
        let how = self.take(path);
        if how.is_none() && !self.odd_lists {
            return reply;
        }
        let Ok(mut list) = serde_json::from_slice::<Value>(&reply.body) else {
            return reply;
        };
        if self.odd_lists {
            make_odd(&mut list);
        }
        let token = match how {
            Some(Trouble::Circle) => Some(SAME),
            Some(_) => Some(REFUSED),
            None => None,
        };
        if let Some(token) = token {
            list["pagination"]["next_page_token"] = json!(token);
        }
        Reply {
            body: list.to_string().into_bytes(),
            ..reply
        }
    }

    /// The trouble with this list, if it has any. That of a subscription's list is not the matter.
    fn take(&self, path: &str) -> Option<Trouble> {
        let mut next = self.next();
        if path == "/webhook_subscriptions" || next.lists == 0 {
            return None;
        }
        if next.skip > 0 {
            next.skip -= 1;
            return None;
        }
        next.lists -= 1;
        next.how
    }
}

/// An entry of a kind that nobody knows comes first, and the last page names an empty next one.
fn make_odd(list: &mut Value) {
    let odd = json!({"uri": null, "scope": 7, "events": null});
    if let Some(entries) = list["collection"].as_array_mut() {
        entries.insert(0, odd);
    }
    let pagination = &mut list["pagination"];
    if pagination.is_object() && pagination["next_page_token"].is_null() {
        pagination["next_page_token"] = json!("");
    }
}
