//! Everything that a sandbox holds.

use crate::Options;
use crate::accounts::Accounts;
use crate::bookings::Bookings;
use crate::budget::Budget;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::faults::{CallFaults, Faults};
use crate::forms::Forms;
use crate::grants::{Grants, Token};
use crate::subscription::Subscription;
use crate::webhooks::Deliveries;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that a sandbox holds.
#[derive(Debug)]
pub(crate) struct State {
    pub clock: Clock,
    pub accounts: Accounts,
    pub bookings: Bookings,
    pub forms: Forms,
    pub subscriptions: Vec<Subscription>,
    pub deliveries: Deliveries,
    pub grants: Grants,
    pub faults: Faults,
    pub call_faults: CallFaults,
    pub budget: Budget,
    pub token_budget: Budget,
    pub calls: Calls,
    /// Ids of events that nobody may read.
    pub forbidden: BTreeSet<String>,
    /// Bookings of each event type whose hosts take turns.
    turns: BTreeMap<String, usize>,
}

impl State {
    pub(crate) fn new(options: &Options) -> Self {
        let mut clock = Clock::default();
        let accounts = Accounts::sample(clock.next());
        let mut grants = Grants::default();
        if let Some(user) = accounts.users.first() {
            grants.tokens.push(Token {
                access: options.personal_access_token.clone(),
                refresh: None,
                user: user.id.clone(),
                scopes: crate::options::SCOPES.map(str::to_owned).to_vec(),
                issued_at: clock.next(),
                expires_at: Timestamp::MAX,
                revoked: false,
                refresh_used: false,
            });
        }
        let first = accounts.users.first();
        let first = first.map_or("", |user| &user.organization).to_owned();
        let forms = Forms::sample(&first, clock.next());
        let signed = |duration| SignedDuration::try_from(duration).unwrap_or_default();
        let bookings = Bookings::new(signed(options.conference_delay), signed(options.memory));
        Self {
            clock,
            accounts,
            bookings,
            forms,
            subscriptions: Vec::new(),
            deliveries: Deliveries::default(),
            grants,
            faults: Faults::default(),
            call_faults: CallFaults::default(),
            budget: Budget::new(options.rate_limit, options.rate_window),
            token_budget: Budget::new(options.token_rate_limit, options.rate_window),
            calls: Calls::default(),
            forbidden: BTreeSet::new(),
            turns: BTreeMap::new(),
        }
    }

    pub(crate) fn subscription(&mut self, id: &str) -> Option<&mut Subscription> {
        self.subscriptions.iter_mut().find(|known| known.id == id)
    }

    /// Whose turn it is at an event type with so many hosts.
    pub(crate) fn turn(&mut self, kind: &str, hosts: usize) -> usize {
        let turn = self.turns.entry(kind.to_owned()).or_default();
        let now = *turn;
        *turn += 1;
        now.checked_rem(hosts).unwrap_or_default()
    }
}
