//! Who has an account, what can be booked with them, and who is told of it.

use super::World;
use crate::accounts::{Role, User};
use crate::bookings::Refused;
use crate::event_type::{EventType, Pooling};
use crate::grants::Token;
use crate::ids;
use crate::location::Place;
use crate::subscription::{Reach, Subscription};
use jiff::Timestamp;
use serde::Deserialize;

/// Somebody with a Calendly account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Last part of the URI.
    pub id: String,
    /// The user's URI.
    pub uri: String,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// URI of their organization.
    pub organization: String,
    /// What they may do in it.
    pub role: Role,
}

impl From<&User> for Account {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            uri: user.uri(),
            name: user.name.clone(),
            email: user.email.clone(),
            organization: user.organization_uri(),
            role: user.role,
        }
    }
}

/// Something new that can be booked.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewEventType {
    /// Its name.
    pub name: String,
    /// Ids or URIs of the users who host it; the first one owns it.
    pub hosts: Vec<String>,
    /// How it takes them; all of them by default.
    #[serde(default)]
    pub pooling: Option<Pooling>,
    /// Its length.
    pub minutes: i64,
    /// How many can join one event; over 1 it is a group event.
    pub limit: usize,
    /// Where it takes place.
    pub place: Place,
}

/// A webhook subscription that is made past the API.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSubscription {
    /// Where its webhooks go, even if that is taken.
    pub url: String,
    /// Names of events.
    pub events: Vec<String>,
    /// Id or URI of the user who made it; the first one by default.
    pub creator: Option<String>,
    /// Only this user's events; all of the organization by default.
    pub user: Option<String>,
    /// With none, webhooks carry no signature.
    pub signing_key: Option<String>,
}

impl World {
    /// Everybody with an account.
    pub fn accounts(&self) -> Vec<Account> {
        let state = self.app.state();
        state.accounts.users.iter().map(Account::from).collect()
    }

    /// A new account in an organization of its own, with one event type.
    pub fn add_account(&self, name: &str, email: &str) -> Account {
        let mut state = self.app.state();
        let at = state.clock.next();
        let user = state.accounts.add(name.to_owned(), email.to_owned(), at);
        Account::from(&user)
    }

    /// A new account in an organization that is there; `organization` is an id or URI.
    pub fn add_member(&self, organization: &str, name: &str, email: &str, role: Role) -> Account {
        let mut state = self.app.state();
        let at = state.clock.next();
        let organization = ids::last_part(organization).to_owned();
        let (name, email) = (name.to_owned(), email.to_owned());
        let user = state
            .accounts
            .add_member(name, email, organization, role, at);
        Account::from(&user)
    }

    /// Gives a user, by id or URI, another role in their organization.
    pub fn set_role(&self, user: &str, role: Role) -> Result<(), Refused> {
        let mut state = self.app.state();
        let user = state.accounts.user_mut(user).ok_or(Refused::UnknownUser)?;
        user.role = role;
        Ok(())
    }

    /// Moves an account to another organization, by ids or URIs. What was booked with it stays with
    /// the old one.
    pub fn move_account(&self, user: &str, organization: &str, role: Role) -> Result<(), Refused> {
        let mut state = self.app.state();
        let user = state.accounts.user_mut(user).ok_or(Refused::UnknownUser)?;
        ids::last_part(organization).clone_into(&mut user.organization);
        user.membership = ids::new_uuid();
        user.role = role;
        Ok(())
    }

    /// An access token of a user, by id or URI, with every scope, and which never expires.
    pub fn personal_token(&self, user: &str) -> Result<String, Refused> {
        let mut state = self.app.state();
        let user = state.accounts.user(user).ok_or(Refused::UnknownUser)?;
        let token = Token {
            access: ids::secret(4),
            refresh: None,
            user: user.id.clone(),
            scopes: crate::options::SCOPES.map(str::to_owned).to_vec(),
            issued_at: state.clock.now(),
            expires_at: Timestamp::MAX,
            revoked: false,
            refresh_used: false,
        };
        let access = token.access.clone();
        state.grants.tokens.push(token);
        Ok(access)
    }

    /// Something more that can be booked; answers its id.
    pub fn add_event_type(&self, new: NewEventType) -> Result<String, Refused> {
        let mut state = self.app.state();
        let created_at = state.clock.next();
        let user = |named: &String| state.accounts.user(named).map(|user| user.id.clone());
        let hosts: Option<Vec<_>> = new.hosts.iter().map(user).collect();
        let hosts = hosts.filter(|hosts| !hosts.is_empty());
        let kind = EventType {
            id: ids::new_uuid(),
            name: new.name,
            hosts: hosts.ok_or(Refused::UnknownUser)?,
            pooling: new.pooling,
            minutes: new.minutes,
            limit: new.limit,
            place: new.place,
            created_at,
        };
        let id = kind.id.clone();
        state.accounts.event_types.push(kind);
        Ok(id)
    }

    /// A subscription that somebody made, even at a URL that is taken; answers its id.
    pub fn subscribe(&self, new: NewSubscription) -> Result<String, Refused> {
        let mut state = self.app.state();
        let creator = match &new.creator {
            Some(named) => state.accounts.user(named),
            None => state.accounts.users.first(),
        };
        let creator = creator.cloned().ok_or(Refused::UnknownUser)?;
        let at = state.clock.next();
        let reach = new.user.map_or(Reach::Organization, |user| {
            Reach::User(ids::last_part(&user).to_owned())
        });
        let subscription = Subscription::new(new.url, new.events, &creator, reach, at);
        let id = subscription.id.clone();
        state.subscriptions.push(Subscription {
            key: new.signing_key,
            ..subscription
        });
        Ok(id)
    }

    /// Ids of the subscriptions that are there, oldest first; switched off ones too.
    pub fn subscriptions(&self) -> Vec<String> {
        let state = self.app.state();
        let ids = state.subscriptions.iter().map(|known| known.id.clone());
        ids.collect()
    }

    /// Takes a subscription away.
    pub fn unsubscribe(&self, id: &str) -> Result<(), Refused> {
        let mut state = self.app.state();
        state.subscription(id).ok_or(Refused::NotFound)?;
        state.subscriptions.retain(|known| known.id != id);
        Ok(())
    }

    /// Switches a subscription off, as Calendly does it: without a word.
    pub fn disable(&self, id: &str) -> Result<(), Refused> {
        let mut state = self.app.state();
        let at = state.clock.next();
        let subscription = state.subscription(id).ok_or(Refused::NotFound)?;
        subscription.disabled = true;
        subscription.updated_at = at;
        Ok(())
    }
}
