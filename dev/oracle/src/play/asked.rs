//! What the service asked Calendly about single events, and which of them it did not find.

use crate::reference::Asked;
use sandbox::Role;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Listens to the answers of a world.
#[derive(Clone)]
pub(crate) struct Listener {
    calendly: sandbox::World,
    /// Ids of the accounts by their tokens.
    accounts: Arc<BTreeMap<String, String>>,
    asked: Arc<Mutex<Asked>>,
}

impl Listener {
    pub(crate) fn new(calendly: sandbox::World, accounts: BTreeMap<String, String>) -> Self {
        Self {
            calendly,
            accounts: Arc::new(accounts),
            asked: Arc::default(),
        }
    }

    /// Notes that whoever has `token` was answered with `status`.
    pub(crate) fn answered(&self, path: &str, token: &str, status: u16) {
        let Some(rest) = path.strip_prefix("/scheduled_events/") else {
            return;
        };
        let (event, alone) = match rest.split_once('/') {
            Some((event, _)) => (event, false),
            None => (rest, true),
        };
        let in_vain = alone && status == 404 && self.would_see(event, token);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
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
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }
}
