//! Webhook subscriptions: who is told of what, and where.

use crate::accounts::{Accounts, User};
use crate::bookings::Message;
use crate::faults::WebhookForm;
use crate::{clock, ids};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Whose events a subscription hears of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    Organization,
    /// One user, by id.
    User(String),
    /// The members of a group, by its id.
    Group(String),
}

/// A webhook subscription.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub id: String,
    pub url: String,
    pub events: Vec<String>,
    pub organization: String,
    pub reach: Reach,
    /// Id of the user who made it: every webhook names them.
    pub creator: String,
    /// With no key, webhooks carry no signature.
    pub key: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub retry_started_at: Option<Timestamp>,
    pub disabled: bool,
    /// Messages that used up their retries since the last success.
    pub given_up: u32,
}

/// Events, the scopes of a subscription that may ask for them, and the scope a token needs.
const EVENTS: [(&str, &[&str], &str); 14] = [
    ("invitee.created", ANY, "scheduled_events:read"),
    ("invitee.canceled", ANY, "scheduled_events:read"),
    ("invitee_no_show.created", ANY, "scheduled_events:read"),
    ("invitee_no_show.deleted", ANY, "scheduled_events:read"),
    (
        "routing_form_submission.created",
        &["organization"],
        "routing_forms:read",
    ),
    ("event_type.created", ANY, "event_types:read"),
    ("event_type.updated", ANY, "event_types:read"),
    ("event_type.deleted", ANY, "event_types:read"),
    ("meeting_recap.created", &["user"], "meeting_recaps:read"),
    ("meeting_recap.updated", &["user"], "meeting_recaps:read"),
    ("meeting_recap.deleted", &["user"], "meeting_recaps:read"),
    ("contact.created", ANY, "contacts:read"),
    ("contact.updated", ANY, "contacts:read"),
    ("contact.deleted", ANY, "contacts:read"),
];
const ANY: &[&str] = &["organization", "user", "group"];

/// The read scope that a subscription of this scope needs for an event; `None` if there is no
/// such event for it.
pub(crate) fn read_scope(event: &str, scope: &str) -> Option<&'static str> {
    let (_, scopes, read) = EVENTS.iter().find(|(name, ..)| *name == event)?;
    scopes.contains(&scope).then_some(*read)
}

impl Subscription {
    /// A new one, without a key.
    pub(crate) fn new(
        url: String,
        events: Vec<String>,
        creator: &User,
        reach: Reach,
        at: Timestamp,
    ) -> Self {
        Self {
            id: ids::new_uuid(),
            url,
            events,
            organization: creator.organization.clone(),
            reach,
            creator: creator.id.clone(),
            key: None,
            created_at: at,
            updated_at: at,
            retry_started_at: None,
            disabled: false,
            given_up: 0,
        }
    }

    pub(crate) fn uri(&self) -> String {
        ids::uri("webhook_subscriptions", &self.id)
    }

    pub(crate) fn scope(&self) -> &'static str {
        match self.reach {
            Reach::Organization => "organization",
            Reach::User(_) => "user",
            Reach::Group(_) => "group",
        }
    }

    pub(crate) fn wants(&self, message: &Message, accounts: &Accounts) -> bool {
        let reaches = match &self.reach {
            Reach::Organization => true,
            // Documented: it stops when its user leaves, where an organization's goes on.
            Reach::User(id) => {
                let user = accounts.user(id);
                message.hosts.contains(id)
                    && user.is_some_and(|user| user.organization == self.organization)
            }
            Reach::Group(group) => {
                let group = accounts.group(group);
                group.is_some_and(|group| message.hosts.iter().any(|host| group.has(host)))
            }
        };
        reaches
            && !self.disabled
            && self.organization == message.organization
            && self.events.iter().any(|event| event == message.event)
    }

    /// The body for this subscription, as it will be signed.
    pub(crate) fn body(&self, message: &Message, form: WebhookForm) -> String {
        json!({
            "created_at": clock::whole_second(message.at),
            "created_by": ids::user(&self.creator),
            "event": message.event,
            "payload": form.write(&message.payload),
        })
        .to_string()
    }

    pub(crate) fn json(&self) -> Value {
        let (user, group) = match &self.reach {
            Reach::Organization => (None, None),
            Reach::User(user) => (Some(ids::user(user)), None),
            Reach::Group(group) => (None, Some(ids::uri("groups", group))),
        };
        json!({
            "uri": self.uri(),
            "callback_url": self.url,
            "created_at": clock::text(self.created_at),
            "updated_at": clock::text(self.updated_at),
            "retry_started_at": self.retry_started_at.map(clock::text),
            "state": if self.disabled { "disabled" } else { "active" },
            "events": self.events,
            "scope": self.scope(),
            "organization": ids::organization(&self.organization),
            "user": user,
            "group": group,
            "creator": ids::user(&self.creator),
        })
    }
}
