//! What the service asked Calendly, and how it was answered.

use crate::reference::Asked;
use calendly::Reply;
use reqwest::{StatusCode, Url};
use sandbox::Role;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Heard {
    asked: Asked,
    /// How often the run that asked last has asked for each URL.
    run: (u32, BTreeMap<String, u32>),
    /// Tokens to which the list of an organization was refused.
    refused: BTreeSet<String>,
}

/// Listens to the answers of a world.
#[derive(Clone)]
pub(crate) struct Listener {
    calendly: sandbox::World,
    /// Ids of the accounts by their tokens.
    accounts: Arc<BTreeMap<String, String>>,
    heard: Arc<Mutex<Heard>>,
}

impl Listener {
    pub(crate) fn new(calendly: sandbox::World, accounts: BTreeMap<String, String>) -> Self {
        Self {
            calendly,
            accounts: Arc::new(accounts),
            heard: Arc::default(),
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that `run`, which has `token`, was answered so.
    pub(crate) fn answered(&self, run: u32, url: &Url, token: &str, reply: &Reply) {
        self.heard().answered(run, url, token, reply);
        let Some(rest) = url.path().strip_prefix("/scheduled_events/") else {
            return;
        };
        let (event, alone) = match rest.split_once('/') {
            Some((event, _)) => (event, false),
            None => (rest, true),
        };
        let in_vain =
            alone && reply.status == StatusCode::NOT_FOUND && self.would_see(event, token);
        let asked = &mut self.heard().asked;
        asked.read.insert(event.to_owned());
        if in_vain {
            let looks = asked.in_vain.entry(event.to_owned()).or_default();
            looks.push(ambient::now());
        }
    }

    /// Whether a token would see an event if it were there: it sees all of its organization, and the
    /// event is not there in another.
    fn would_see(&self, event: &str, token: &str) -> bool {
        let id = self.accounts.get(token);
        let accounts = self.calendly.accounts();
        let account = accounts.iter().find(|account| Some(&account.id) == id);
        account.is_some_and(|account| {
            let there = self.calendly.event(event);
            account.role != Role::User
                && there.is_none_or(|there| there.organization == account.organization)
        })
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Asked {
        self.heard().asked.clone()
    }
}

impl Heard {
    fn answered(&mut self, run: u32, url: &Url, token: &str, reply: &Reply) {
        if self.run.0 != run {
            self.run = (run, BTreeMap::new());
        }
        let times = self.run.1.entry(url.to_string()).or_default();
        *times += 1;
        if *times > self.asked.most.1 {
            self.asked.most = (url.path().to_owned(), *times);
        }
        if url.path() != "/scheduled_events" {
            return;
        }
        // Not by a page of something before it.
        if reply.status == StatusCode::FORBIDDEN && reply.body.starts_with(b"{") {
            self.refused.insert(token.to_owned());
        }
        let own_only = url.query_pairs().any(|(name, _)| name == "user");
        self.asked.content_with_less |= own_only && !self.refused.contains(token);
    }
}
