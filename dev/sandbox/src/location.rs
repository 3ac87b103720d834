//! Where a meeting takes place.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// A kind of place, by Calendly's own name for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Google Meet: its link is ready a little after the booking.
    GoogleConference,
    /// Zoom, with numbers to dial in.
    Zoom,
    /// Microsoft Teams: no link at first.
    MicrosoftTeamsConference,
    /// Webex: no link at first, either.
    WebexConference,
    /// `GoToMeeting`: its link is there at once.
    Gotomeeting,
    /// An address.
    Physical,
    /// The host calls the invitee.
    OutboundCall,
    /// The invitee calls the host.
    InboundCall,
    /// Where the invitee said.
    AskInvitee,
    /// What the host wrote.
    Custom,
    /// The same, when the host wrote nothing.
    CustomEmpty,
    /// No location at all.
    None,
}

impl Place {
    /// The kind as an event type names it.
    pub(crate) fn kind(self) -> Option<&'static str> {
        match self {
            Self::GoogleConference => Some("google_conference"),
            Self::Zoom => Some("zoom_conference"),
            Self::MicrosoftTeamsConference => Some("microsoft_teams_conference"),
            Self::WebexConference => Some("webex_conference"),
            Self::Gotomeeting => Some("gotomeeting_conference"),
            Self::Physical => Some("physical"),
            Self::OutboundCall => Some("outbound_call"),
            Self::InboundCall => Some("inbound_call"),
            Self::AskInvitee => Some("ask_invitee"),
            Self::Custom | Self::CustomEmpty => Some("custom"),
            Self::None => None,
        }
    }
}

/// Where a meeting takes place, and what that becomes when its conference link is made.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    told: Value,
    /// What is told from then on.
    coming: Option<(Timestamp, Value)>,
}

impl Location {
    /// The place of a new meeting; a link that has to be made is there only from `ready` on.
    pub(crate) fn new(place: Place, event: &str, ready: Timestamp) -> Self {
        let short = event.get(..8).unwrap_or(event);
        let conference = |kind: &str, status: &str, link: Option<String>| json!({"type": kind, "status": status, "join_url": link});
        match place {
            // The link stays one of Calendly's own, as recorded in 2023.
            Place::GoogleConference => {
                let link = format!("https://calendly.com/events/{event}/google_meet");
                let at = |status| conference("google_conference", status, Some(link.clone()));
                Self::later(at("processing"), ready, at("pushed"))
            }
            Place::MicrosoftTeamsConference => {
                let kind = "microsoft_teams_conference";
                let link = format!("https://teams.microsoft.com/l/meetup-join/{short}");
                let (first, then) = (
                    conference(kind, "initiated", None),
                    conference(kind, "pushed", Some(link)),
                );
                Self::later(first, ready, then)
            }
            Place::WebexConference => {
                let link = format!("https://example.webex.com/meet/{short}");
                let (first, then) = (
                    conference("webex_conference", "processing", None),
                    conference("webex_conference", "pushed", Some(link)),
                );
                Self::later(first, ready, then)
            }
            Place::Gotomeeting => {
                let link = format!("https://global.gotomeeting.com/join/{short}");
                Self::fixed(conference("gotomeeting", "pushed", Some(link)))
            }
            Place::Zoom => Self::fixed(json!({
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
            })),
            Place::Physical => Self::fixed(json!({
                "type": "physical", "location": "1 Example Street",
                "additional_info": "Ring at the door",
            })),
            Place::OutboundCall => Self::written("outbound_call", "+1 212-555-0142"),
            Place::InboundCall => Self::written("inbound_call", "+1 212-555-0143"),
            Place::AskInvitee => Self::written("ask_invitee", "The café by the station"),
            Place::Custom => Self::written("custom", "By the fountain"),
            Place::CustomEmpty => Self::fixed(json!({"type": "custom", "location": null})),
            Place::None => Self::fixed(Value::Null),
        }
    }

    /// A place that stays as it is.
    pub(crate) fn fixed(told: Value) -> Self {
        Self { told, coming: None }
    }

    fn written(kind: &str, location: &str) -> Self {
        Self::fixed(json!({"type": kind, "location": location}))
    }

    fn later(first: Value, ready: Timestamp, then: Value) -> Self {
        Self {
            told: first,
            coming: Some((ready, then)),
        }
    }

    /// When its link will be there, if it is still being made.
    pub(crate) fn ready_at(&self) -> Option<Timestamp> {
        self.coming.as_ref().map(|(at, _)| *at)
    }

    /// The link is there; `false` if there was none to come.
    pub(crate) fn make_ready(&mut self) -> bool {
        let Some((_, then)) = self.coming.take() else {
            return false;
        };
        self.told = then;
        true
    }

    pub(crate) fn json(&self) -> &Value {
        &self.told
    }
}
