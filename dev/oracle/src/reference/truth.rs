//! The world at one moment, and the records that it asks for.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// One scheduled event with its invitees, as Calendly's API would show them to somebody who may see
/// everything.
#[derive(Debug, Clone)]
pub struct Truth {
    /// The event.
    pub event: Value,
    /// Its invitees.
    pub invitees: Vec<Value>,
    /// URI of its organization.
    pub organization: String,
    /// URIs of its hosts.
    pub hosts: Vec<String>,
    /// Reading it is refused.
    pub forbidden: bool,
}

/// What one connected account may see.
#[derive(Debug, Clone)]
pub struct Sight {
    /// URI of the account.
    pub user: String,
    /// URI of its organization.
    pub organization: String,
    /// It lists all events of its organization; else only its own.
    pub sees_all: bool,
    /// It has been in another organization.
    pub has_moved: bool,
}

/// The world at one moment.
#[derive(Debug, Clone)]
pub struct World {
    /// When, by our clock.
    pub now: Timestamp,
    /// What there is, by id.
    pub events: BTreeMap<String, Truth>,
    /// What was deleted with its data, as it was last, by id.
    pub deleted: BTreeMap<String, Truth>,
    /// What the connected accounts may see.
    pub sights: Vec<Sight>,
}

impl Sight {
    /// Whether the account lists an event.
    pub fn sees(&self, truth: &Truth) -> bool {
        let inside = self.organization == truth.organization;
        let own = truth.hosts.contains(&self.user);
        inside && (own || self.sees_all) && !truth.forbidden
    }
}

impl World {
    /// Whether a connected account lists an event.
    pub fn is_seen(&self, truth: &Truth) -> bool {
        self.sights.iter().any(|sight| sight.sees(truth))
    }

    /// Whether somebody would list an event if it were there, and all others of its organization too,
    /// and `teller`, the id of the first account that told of it, would ask there.
    pub fn would_be_missed(&self, truth: &Truth, teller: &str) -> bool {
        let all = |sight: &Sight| sight.sees_all && sight.organization == truth.organization;
        let asks = |sight: &Sight| sight.user.ends_with(teller) && !sight.has_moved;
        self.sights.iter().any(all) && self.sights.iter().any(asks)
    }

    /// An invitee by its URI, wherever it is now or was last.
    pub fn invitee(&self, uri: &str) -> Option<&Value> {
        let event = uri.split("/scheduled_events/").nth(1)?.split('/').next()?;
        let truth = self.events.get(event).or_else(|| self.deleted.get(event))?;
        truth.invitees.iter().find(|invitee| invitee["uri"] == uri)
    }

    /// Whether it may be that nobody could read of the booking at this URI: see
    /// [`super::Why::ChainUnseen`].
    fn is_unread(&self, uri: &str) -> bool {
        let event = uri.split("/scheduled_events/").nth(1);
        let event = event.and_then(|rest| self.events.get(rest.split('/').next()?));
        event.is_none_or(|event| !self.is_seen(event))
    }

    /// The first booking of the chain that an invitee belongs to, and nothing for one that replaced
    /// none, and beyond [`LONGEST_CHAIN`]. Before it, each at which the chain seems to begin to whom
    /// a link is not told.
    fn roots(&self, invitee: &Value) -> Vec<Value> {
        let mut first = &invitee["old_invitee"];
        let mut roots = Vec::new();
        let mut moves = 1;
        while let Some(before) = first.as_str().and_then(|uri| self.invitee(uri)) {
            let earlier = &before["old_invitee"];
            if earlier.is_null() {
                break;
            }
            // Each end of a link tells of it.
            let mut ends = [first, earlier].into_iter().filter_map(Value::as_str);
            if ends.all(|uri| self.is_unread(uri)) {
                roots.push(first.clone());
            }
            first = earlier;
            moves += 1;
        }
        let too_long = moves > LONGEST_CHAIN;
        roots.push(if too_long { Value::Null } else { first.clone() });
        roots
    }
}

/// See [`super::Why::LongChain`].
const LONGEST_CHAIN: usize = 200;

impl Truth {
    /// The last part of the event's URI.
    pub fn id(&self) -> String {
        last_part(&self.event["uri"])
    }

    /// When it starts.
    pub fn start(&self) -> Option<Timestamp> {
        self.event["start_time"].as_str()?.parse().ok()
    }

    /// What must be stored of it. Where more than one value is right, the one that is stored.
    pub fn expected(&self, world: &World, stored: &Value) -> Value {
        let event = &self.event;
        let shown = |id: &Value| {
            let mut all = stored["invitees"].as_array().into_iter().flatten();
            all.find(|invitee| invitee["id"] == *id)
        };
        let people = self.invitees.iter().map(|invitee| {
            let mut expected = person(invitee);
            let mut roots = world.roots(invitee);
            let stored = shown(&expected["id"]).map(|stored| &stored["root"]);
            let right = roots.iter().position(|root| Some(root) == stored);
            expected["root"] = roots.swap_remove(right.unwrap_or(roots.len() - 1));
            expected
        });
        let mut invitees: Vec<Value> = people.collect();
        invitees.sort_by_key(|invitee| invitee["id"].to_string());
        let first = self.invitees.iter().min_by_key(|invitee| {
            let created = time(&invitee["created_at"]).to_string();
            (created, last_part(&invitee["uri"]))
        });
        json!({
            "id": self.id(),
            "uri": event["uri"],
            "name": event["name"],
            "status": event["status"],
            "startTime": time(&event["start_time"]),
            "endTime": time(&event["end_time"]),
            "timezone": first.map(|invitee| &invitee["timezone"]),
            "location": camel_case(&event["location"]),
            "hosts": list(&event["event_memberships"], |host| json!({
                "uri": host["user"], "name": host["user_name"], "email": host["user_email"],
            })),
            "guests": list(&event["event_guests"], |guest| json!({"email": guest["email"]})),
            "eventType": event["event_type"],
            "inviteesCounter": event["invitees_counter"],
            "cancellation": cancellation(&event["cancellation"]),
            "notes": event["meeting_notes_plain"],
            "provider": "calendly",
            "createdAt": time(&event["created_at"]),
            "invitees": invitees,
        })
    }
}

/// All but its root.
fn person(invitee: &Value) -> Value {
    let canceled = invitee["status"] == "canceled";
    let rescheduled = canceled && invitee["rescheduled"] == true;
    let status = match (rescheduled, canceled) {
        (true, _) => "rescheduled",
        (false, true) => "canceled",
        (false, false) => "active",
    };
    let form = &invitee["routing_form_submission"];
    json!({
        "id": last_part(&invitee["uri"]),
        "uri": invitee["uri"],
        "name": invitee["name"],
        "firstName": invitee["first_name"],
        "lastName": invitee["last_name"],
        "email": invitee["email"],
        "timezone": invitee["timezone"],
        "status": status,
        "canceled": status == "canceled",
        "rescheduled": rescheduled,
        "noShow": !invitee["no_show"].is_null(),
        "noShowAt": time(&invitee["no_show"]["created_at"]),
        "erased": false,
        "cancellation": cancellation(&invitee["cancellation"]),
        "rescheduledFrom": invitee["old_invitee"],
        "rescheduledTo": invitee["new_invitee"],
        "textReminderNumber": invitee["text_reminder_number"],
        "answers": list(&invitee["questions_and_answers"], Value::clone),
        "tracking": tracking(&invitee["tracking"]),
        "payment": payment(&invitee["payment"]),
        "reconfirmation": reconfirmation(&invitee["reconfirmation"]),
        "schedulingMethod": invitee["scheduling_method"],
        "scheduledBy": invitee["invitee_scheduled_by"],
        "cancelUrl": invitee["cancel_url"],
        "rescheduleUrl": invitee["reschedule_url"],
        "routingFormSubmission": form.as_str().map(|uri| json!({"uri": uri})),
        "createdAt": time(&invitee["created_at"]),
    })
}

/// A time in the one form in which times are compared.
pub(super) fn time(value: &Value) -> Value {
    let parsed = value
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok());
    parsed.map_or(Value::Null, |time| json!(format!("{time:.6}")))
}

fn last_part(uri: &Value) -> String {
    let uri = uri.as_str().unwrap_or_default();
    uri.rsplit('/').next().unwrap_or_default().to_owned()
}

fn list(value: &Value, each: impl Fn(&Value) -> Value) -> Vec<Value> {
    value.as_array().into_iter().flatten().map(each).collect()
}

fn cancellation(value: &Value) -> Value {
    if value.is_null() {
        return Value::Null;
    }
    json!({
        "by": value["canceled_by"],
        "reason": value["reason"],
        "byType": value["canceler_type"],
        "at": time(&value["created_at"]),
        "inferred": false,
    })
}

/// Nothing where it says nothing.
fn tracking(value: &Value) -> Value {
    let fields = value.as_object().cloned().unwrap_or_default();
    if fields.values().all(Value::is_null) {
        return Value::Null;
    }
    camel_case(&Value::Object(fields))
}

fn payment(value: &Value) -> Value {
    camel_case(value)
}

fn reconfirmation(value: &Value) -> Value {
    if value.is_null() {
        return Value::Null;
    }
    json!({
        "createdAt": time(&value["created_at"]),
        "confirmedAt": time(&value["confirmed_at"]),
    })
}

/// Names as this service writes them, at every depth.
fn camel_case(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut renamed = Map::new();
            for (name, value) in fields {
                let mut words = name.split('_').filter(|word| !word.is_empty());
                let mut camel = words.next().unwrap_or_default().to_owned();
                for word in words {
                    let (first, rest) = word.split_at(1);
                    camel = format!("{camel}{}{rest}", first.to_uppercase());
                }
                renamed.insert(camel, camel_case(value));
            }
            Value::Object(renamed)
        }
        Value::Array(items) => Value::Array(items.iter().map(camel_case).collect()),
        other => other.clone(),
    }
}
