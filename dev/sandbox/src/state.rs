//! Everything that a sandbox holds.

use crate::Options;
use crate::accounts::Accounts;
use crate::bookings::Bookings;
use crate::budget::Budget;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::grants::{Grants, Token};
use crate::subscription::Subscription;
use crate::webhooks::Deliveries;
use jiff::{SignedDuration, Timestamp};

/// Everything that a sandbox holds.
#[derive(Debug)]
pub(crate) struct State {
    pub clock: Clock,
    pub accounts: Accounts,
    pub bookings: Bookings,
    pub subscriptions: Vec<Subscription>,
    pub deliveries: Deliveries,
    pub grants: Grants,
    pub faults: Faults,
    pub budget: Budget,
    pub token_budget: Budget,
    pub calls: Calls,
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
        let conference_delay =
            SignedDuration::try_from(options.conference_delay).unwrap_or_default();
        Self {
            clock,
            accounts,
            bookings: Bookings::new(conference_delay),
            subscriptions: Vec::new(),
            deliveries: Deliveries::default(),
            grants,
            faults: Faults::default(),
            budget: Budget::new(options.rate_limit, options.rate_window),
            token_budget: Budget::new(options.token_rate_limit, options.rate_window),
            calls: Calls::default(),
        }
    }

    pub(crate) fn subscription(&mut self, id: &str) -> Option<&mut Subscription> {
        self.subscriptions.iter_mut().find(|known| known.id == id)
    }
}
