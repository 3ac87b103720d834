//! Organizations, their users, and what can be booked with them.

use crate::{clock, ids};
use jiff::Timestamp;
use serde_json::{Value, json};

/// One person with a Calendly account.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub id: String,
    pub name: String,
    pub email: String,
    pub organization: String,
    /// Owners see all of their organization; others only themselves.
    pub owner: bool,
    pub created_at: Timestamp,
}

impl User {
    pub(crate) fn uri(&self) -> String {
        ids::user(&self.id)
    }

    pub(crate) fn organization_uri(&self) -> String {
        ids::organization(&self.organization)
    }

    pub(crate) fn json(&self) -> Value {
        let slug = self.name.to_lowercase().replace(' ', "-");
        json!({
            "uri": self.uri(),
            "name": self.name,
            "slug": slug,
            "email": self.email,
            "scheduling_url": format!("https://calendly.com/{slug}"),
            "timezone": "Europe/Berlin",
            "avatar_url": null,
            "created_at": clock::text(self.created_at),
            "updated_at": clock::text(self.created_at),
            "current_organization": self.organization_uri(),
            "resource_type": "User",
            "locale": "en",
            "time_notation": "24h",
        })
    }
}

/// Where a meeting takes place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    GoogleMeet,
    Zoom,
    Office,
    Phone,
}

/// What can be booked. With a `limit` over 1 it is a group event: one meeting, many invitees.
#[derive(Debug, Clone)]
pub(crate) struct EventType {
    pub id: String,
    pub name: String,
    /// Ids of the users who host it; the first one owns it.
    pub hosts: Vec<String>,
    pub minutes: i64,
    pub limit: usize,
    pub place: Place,
}

impl EventType {
    pub(crate) fn uri(&self) -> String {
        ids::uri("event_types", &self.id)
    }

    pub(crate) fn is_group(&self) -> bool {
        self.limit > 1
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "uri": self.uri(),
            "id": self.id,
            "name": self.name,
            "minutes": self.minutes,
            "limit": self.limit,
            "hosts": self.hosts,
        })
    }
}

/// Everyone, and everything that can be booked.
#[derive(Debug)]
pub(crate) struct Accounts {
    pub users: Vec<User>,
    pub event_types: Vec<EventType>,
}

const DANA: &str = "AAAAHOSTUSER0001";
const SAM: &str = "AAAAHOSTUSER0002";
const RAE: &str = "AAAAHOSTUSER0003";

impl Accounts {
    /// Dana owns an organization that Sam is a member of; Rae owns another one.
    pub(crate) fn sample(now: Timestamp) -> Self {
        let user = |id: &str, name: &str, email: &str, organization: &str, owner| User {
            id: id.to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
            organization: organization.to_owned(),
            owner,
            created_at: now,
        };
        let (first, second) = ("AAAAORG000000001", "AAAAORG000000002");
        let kind = |n: u8, name: &str, hosts: &[&str], minutes, limit, place| EventType {
            id: format!("AAAAEVTYPE{n:06}"),
            name: name.to_owned(),
            hosts: hosts.iter().map(|id| (*id).to_owned()).collect(),
            minutes,
            limit,
            place,
        };
        Self {
            users: vec![
                user(DANA, "Dana Host", "dana.host@example.com", first, true),
                user(SAM, "Sam Cohost", "sam.cohost@example.com", first, false),
                user(RAE, "Rae Other", "rae.other@example.org", second, true),
            ],
            event_types: vec![
                kind(
                    1,
                    "30 Minute Consultation",
                    &[DANA],
                    30,
                    1,
                    Place::GoogleMeet,
                ),
                kind(2, "Product Demo", &[DANA], 60, 1, Place::Zoom),
                kind(3, "Weekly Webinar", &[DANA, SAM], 60, 20, Place::Zoom),
                kind(4, "Office Visit", &[SAM], 45, 1, Place::Office),
                kind(5, "Phone Call", &[RAE], 15, 1, Place::Phone),
            ],
        }
    }

    /// A new organization with an owner and one event type.
    pub(crate) fn add(&mut self, name: String, email: String, now: Timestamp) -> User {
        let user = User {
            id: ids::new_account_id(),
            name,
            email,
            organization: ids::new_account_id(),
            owner: true,
            created_at: now,
        };
        self.event_types.push(EventType {
            id: ids::new_account_id(),
            name: "30 Minute Consultation".to_owned(),
            hosts: vec![user.id.clone()],
            minutes: 30,
            limit: 1,
            place: Place::GoogleMeet,
        });
        self.users.push(user.clone());
        user
    }

    /// The user with this id or URI.
    pub(crate) fn user(&self, uri_or_id: &str) -> Option<&User> {
        let id = ids::last_part(uri_or_id);
        self.users.iter().find(|user| user.id == id)
    }

    /// The event type with this id, URI or name.
    pub(crate) fn event_type(&self, named: &str) -> Option<&EventType> {
        let id = ids::last_part(named);
        self.event_types
            .iter()
            .find(|kind| kind.id == id || kind.name.eq_ignore_ascii_case(named))
    }
}
