//! A scheduled event: one meeting, with its invitees.

use crate::accounts::User;
use crate::event_type::EventType;
use crate::invitee::{Cancellation, Invitee};
use crate::location::Location;
use crate::{clock, ids};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A host, as the event remembers them.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub id: String,
    name: String,
    email: String,
}

impl From<&User> for Host {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            name: user.name.clone(),
            email: user.email.clone(),
        }
    }
}

/// Somebody whom an invitee brings along.
#[derive(Debug, Clone)]
pub(crate) struct Guest {
    pub email: String,
    /// Id of the invitee.
    pub of: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A meeting slot with all of its invitees.
#[derive(Debug, Clone)]
pub(crate) struct ScheduledEvent {
    pub id: String,
    pub organization: String,
    pub kind: EventType,
    pub name: Option<String>,
    /// The host's notes.
    pub notes: Option<String>,
    pub start: Timestamp,
    pub end: Timestamp,
    pub location: Location,
    pub hosts: Vec<Host>,
    pub guests: Vec<Guest>,
    /// Id of the entry in the host's calendar, if there is one: a move keeps it.
    pub calendar_entry: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub cancellation: Option<Cancellation>,
    pub invitees: Vec<Invitee>,
}

impl ScheduledEvent {
    pub(crate) fn uri(&self) -> String {
        ids::event(&self.id)
    }

    pub(crate) fn is_active(&self) -> bool {
        self.cancellation.is_none()
    }

    pub(crate) fn status(&self) -> &'static str {
        if self.is_active() {
            "active"
        } else {
            "canceled"
        }
    }

    pub(crate) fn active_invitees(&self) -> usize {
        self.invitees.iter().filter(|i| i.is_active()).count()
    }

    pub(crate) fn has_host(&self, user: &str) -> bool {
        self.hosts.iter().any(|host| host.id == user)
    }

    /// As webhooks carry it: without the calendar's own entry.
    pub(crate) fn webhook_json(&self) -> Value {
        let guests = self.guests.iter().map(|guest| {
            json!({
                "email": guest.email,
                "created_at": clock::text(guest.created_at),
                "updated_at": clock::text(guest.updated_at),
            })
        });
        let hosts = self.hosts.iter().map(|host| {
            json!({
                "user": ids::user(&host.id), "user_email": host.email, "user_name": host.name,
            })
        });
        let html = self.notes.as_ref().map(|notes| format!("<p>{notes}</p>"));
        let mut json = json!({
            "uri": self.uri(),
            "name": self.name,
            "meeting_notes_plain": self.notes,
            "meeting_notes_html": html,
            "status": self.status(),
            "start_time": clock::text(self.start),
            "end_time": clock::text(self.end),
            "event_type": self.kind.uri(),
            "location": self.location.json(),
            "invitees_counter": {
                "total": self.invitees.len(),
                "active": self.active_invitees(),
                "limit": self.kind.limit,
            },
            "created_at": clock::text(self.created_at),
            "updated_at": clock::text(self.updated_at),
            "event_memberships": hosts.collect::<Vec<_>>(),
            "event_guests": guests.collect::<Vec<_>>(),
        });
        if let Some(cancellation) = &self.cancellation {
            json["cancellation"] = cancellation.json();
        }
        json
    }

    /// As the REST API answers it.
    pub(crate) fn json(&self) -> Value {
        let mut json = self.webhook_json();
        let entry = self.calendar_entry.as_ref();
        json["calendar_event"] =
            json!(entry.map(|id| json!({"kind": "google", "external_id": id})));
        // Recorded answers have these, documented webhooks don't. There are no buffers here.
        if let Some(hosts) = json["event_memberships"].as_array_mut() {
            for host in hosts {
                host["buffered_start_time"] = clock::text(self.start).into();
                host["buffered_end_time"] = clock::text(self.end).into();
            }
        }
        json
    }
}
