//! A scheduled event: one meeting, with its invitees.

use crate::accounts::{EventType, Place, User};
use crate::invitee::{Cancellation, Invitee};
use crate::{clock, ids};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Where a meeting takes place, as told now and until its conference link is made.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    told: Value,
    processing: Option<(Value, Timestamp)>,
}

impl Location {
    /// The place of a new meeting; a Google Meet link is there only from `ready` on.
    pub(crate) fn new(place: Place, event: &str, ready: Timestamp) -> Self {
        let short = &event[..8];
        let told = match place {
            Place::GoogleMeet => json!({
                "type": "google_conference", "status": "pushed",
                "join_url": format!("https://meet.google.com/{short}"),
            }),
            Place::Zoom => json!({
                "type": "zoom", "status": "pushed",
                "join_url": format!("https://us02web.zoom.us/j/{short}?pwd=made-up"),
                "data": {
                    "id": 81_234_567_890_i64,
                    "password": "made-up",
                    "extra": {"intl_numbers_url": "https://us02web.zoom.us/u/made-up"},
                    "settings": {"global_dial_in_numbers": [{
                        "city": "Chicago", "country": "US", "country_name": "US",
                        "number": "+1 312 555 0100", "type": "toll",
                    }]},
                },
            }),
            Place::Office => json!({
                "type": "physical", "location": "1 Example Street",
                "additional_info": "Ring at the door",
            }),
            Place::Phone => json!({"type": "outbound_call", "location": "+1 212-555-0142"}),
        };
        let processing = matches!(place, Place::GoogleMeet).then(|| {
            let stand_in = json!({
                "type": "google_conference", "status": "processing",
                "join_url": format!("https://calendly.com/events/{event}/google_meet"),
            });
            (stand_in, ready)
        });
        Self { told, processing }
    }

    /// A place that a host wrote by hand.
    pub(crate) fn fixed(told: Value) -> Self {
        Self {
            told,
            processing: None,
        }
    }

    fn json(&self) -> &Value {
        match &self.processing {
            Some((stand_in, ready)) if Timestamp::now() < *ready => stand_in,
            _ => &self.told,
        }
    }
}

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

/// A meeting slot with all of its invitees.
#[derive(Debug, Clone)]
pub(crate) struct ScheduledEvent {
    pub id: String,
    pub organization: String,
    pub kind: EventType,
    pub name: String,
    pub start: Timestamp,
    pub end: Timestamp,
    pub location: Location,
    pub hosts: Vec<Host>,
    pub guests: Vec<(String, Timestamp)>,
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
        let guests = self.guests.iter().map(|(email, at)| {
            let at = clock::text(*at);
            json!({"email": email, "created_at": at, "updated_at": at})
        });
        let hosts = self.hosts.iter().map(|host| {
            json!({
                "user": ids::user(&host.id), "user_email": host.email, "user_name": host.name,
            })
        });
        let mut json = json!({
            "uri": self.uri(),
            "name": self.name,
            "meeting_notes_plain": null,
            "meeting_notes_html": null,
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
        json["calendar_event"] = json!({"kind": "google", "external_id": &self.id[..8]});
        json
    }
}
