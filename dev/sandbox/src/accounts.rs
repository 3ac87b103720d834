//! Organizations, their users and groups, and what can be booked with them.

use crate::event_type::{EventType, Pooling};
use crate::location::Place;
use crate::{clock, ids};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// What somebody may do in their organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Made the organization: sees all of it.
    Owner,
    /// Sees all of it.
    Admin,
    /// Sees their own.
    User,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::User => "user",
        }
    }

    /// `true` for those who see all of their organization.
    pub(crate) fn sees_all(self) -> bool {
        match self {
            Self::Owner | Self::Admin => true,
            Self::User => false,
        }
    }
}

/// One person with a Calendly account.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub id: String,
    pub name: String,
    pub email: String,
    pub organization: String,
    /// Id of their membership of it.
    pub membership: String,
    pub role: Role,
    pub created_at: Timestamp,
}

impl User {
    pub(crate) fn uri(&self) -> String {
        ids::user(&self.id)
    }

    pub(crate) fn organization_uri(&self) -> String {
        ids::organization(&self.organization)
    }

    pub(crate) fn slug(&self) -> String {
        ids::slug(&self.name)
    }

    pub(crate) fn json(&self) -> Value {
        let slug = self.slug();
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

/// Some of an organization's users, and who leads them.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub id: String,
    pub name: String,
    pub organization: String,
    /// Ids of users.
    pub members: Vec<String>,
    /// Ids of those who see what the members host.
    pub leads: Vec<String>,
    pub created_at: Timestamp,
}

impl Group {
    pub(crate) fn uri(&self) -> String {
        ids::uri("groups", &self.id)
    }

    pub(crate) fn has(&self, user: &str) -> bool {
        self.members.iter().any(|member| member == user)
    }
}

/// Everyone, and everything that can be booked.
#[derive(Debug)]
pub(crate) struct Accounts {
    pub users: Vec<User>,
    pub event_types: Vec<EventType>,
    pub groups: Vec<Group>,
}

const DANA: &str = "AAAAHOSTUSER0001";
const SAM: &str = "AAAAHOSTUSER0002";
const RAE: &str = "AAAAHOSTUSER0003";

impl Accounts {
    /// Dana owns an organization that Sam is a member of; Rae owns another one.
    pub(crate) fn sample(now: Timestamp) -> Self {
        let user = |id: &str, name: &str, email: &str, organization: &str, role| User {
            id: id.to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
            organization: organization.to_owned(),
            membership: ids::new_uuid(),
            role,
            created_at: now,
        };
        let (first, second) = ("AAAAORG000000001", "AAAAORG000000002");
        let kind = |n: u8, name: &str, hosts: &[&str], minutes, limit, place| EventType {
            id: format!("AAAAEVTYPE{n:06}"),
            name: name.to_owned(),
            hosts: hosts.iter().map(|id| (*id).to_owned()).collect(),
            pooling: None,
            minutes,
            limit,
            place,
            created_at: now,
        };
        let pool = |kind: EventType, pooling| EventType {
            pooling: Some(pooling),
            ..kind
        };
        let team = &[DANA, SAM];
        let support = Group {
            id: "AAAAGROUP0000001".to_owned(),
            name: "Support".to_owned(),
            organization: first.to_owned(),
            members: vec![SAM.to_owned()],
            leads: vec![SAM.to_owned()],
            created_at: now,
        };
        Self {
            groups: vec![support],
            users: vec![
                user(
                    DANA,
                    "Dana Host",
                    "dana.host@example.com",
                    first,
                    Role::Owner,
                ),
                user(
                    SAM,
                    "Sam Cohost",
                    "sam.cohost@example.com",
                    first,
                    Role::User,
                ),
                user(
                    RAE,
                    "Rae Other",
                    "rae.other@example.org",
                    second,
                    Role::Owner,
                ),
            ],
            event_types: vec![
                kind(
                    1,
                    "30 Minute Consultation",
                    &[DANA],
                    30,
                    1,
                    Place::GoogleConference,
                ),
                kind(2, "Product Demo", &[DANA], 60, 1, Place::Zoom),
                kind(3, "Weekly Webinar", team, 60, 20, Place::Zoom),
                kind(4, "Office Visit", &[SAM], 45, 1, Place::Physical),
                kind(5, "Phone Call", &[RAE], 15, 1, Place::OutboundCall),
                pool(
                    kind(
                        6,
                        "Support Call",
                        team,
                        30,
                        1,
                        Place::MicrosoftTeamsConference,
                    ),
                    Pooling::RoundRobin,
                ),
                pool(
                    kind(7, "Panel Interview", team, 45, 1, Place::Custom),
                    Pooling::Collective,
                ),
            ],
        }
    }

    /// A new organization with an owner and one event type.
    pub(crate) fn add(&mut self, name: String, email: String, now: Timestamp) -> User {
        let organization = ids::new_uuid();
        let user = self.add_member(name, email, organization, Role::Owner, now);
        self.event_types.push(EventType {
            id: ids::new_uuid(),
            name: "30 Minute Consultation".to_owned(),
            hosts: vec![user.id.clone()],
            pooling: None,
            minutes: 30,
            limit: 1,
            place: Place::GoogleConference,
            created_at: now,
        });
        user
    }

    /// A new member of an organization.
    pub(crate) fn add_member(
        &mut self,
        name: String,
        email: String,
        organization: String,
        role: Role,
        now: Timestamp,
    ) -> User {
        let user = User {
            id: ids::new_uuid(),
            name,
            email,
            organization,
            membership: ids::new_uuid(),
            role,
            created_at: now,
        };
        self.users.push(user.clone());
        user
    }

    /// The user with this id or URI.
    pub(crate) fn user(&self, uri_or_id: &str) -> Option<&User> {
        let id = ids::last_part(uri_or_id);
        self.users.iter().find(|user| user.id == id)
    }

    /// The same, to be changed.
    pub(crate) fn user_mut(&mut self, uri_or_id: &str) -> Option<&mut User> {
        let id = ids::last_part(uri_or_id);
        self.users.iter_mut().find(|user| user.id == id)
    }

    /// The event type with this id, URI or name.
    pub(crate) fn event_type(&self, named: &str) -> Option<&EventType> {
        let id = ids::last_part(named);
        self.event_types
            .iter()
            .find(|kind| kind.id == id || kind.name.eq_ignore_ascii_case(named))
    }

    /// The group with this id or URI.
    pub(crate) fn group(&self, uri_or_id: &str) -> Option<&Group> {
        let id = ids::last_part(uri_or_id);
        self.groups.iter().find(|group| group.id == id)
    }
}
