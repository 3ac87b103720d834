//! What the model of Calendly says: its bodies, with its quirks.

use super::{World, event_uri, invitee_uri};
use crate::person::{PEOPLE, Person};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Every third event is held by one of the people who book others.
fn hosts(event: usize) -> Value {
    let user = |name: &str| format!("https://api.calendly.com/users/{name}");
    let mut hosts = vec![json!({
        "user": user("AAAAHOSTUSER0001"),
        "user_name": "Dana Host",
        "user_email": "dana.host@example.com",
    })];
    if event % 3 == 2 {
        let host = Person(event % PEOPLE);
        hosts.push(json!({
            "user": user("AAAAHOSTUSER0002"),
            "user_name": host.name(),
            "user_email": host.email(),
        }));
    }
    Value::Array(hosts)
}

/// Every other event has two guests.
fn guests(event: usize) -> Value {
    if event.is_multiple_of(2) {
        let guests = [event, event + 1].map(|n| Person(n % PEOPLE).email());
        json!([{"email": guests[0]}, {"email": guests[1]}])
    } else {
        json!([])
    }
}

fn submission_uri(number: usize) -> String {
    format!("https://api.calendly.com/routing_form_submissions/s{number:03}")
}

impl World {
    pub(super) fn say_routed(&mut self, who: usize) {
        let invitee = &self.invitees[who];
        let person = invitee.person;
        // A form needn't ask for the address.
        let email = invitee.number.is_multiple_of(2).then(|| person.email());
        let payload = json!({
            "uri": submission_uri(invitee.number),
            "routing_form": "https://api.calendly.com/routing_forms/f001",
            "questions_and_answers": [
                {"question": "Size?", "answer": "11-50", "question_uuid": null},
                {"question": "E-mail?", "answer": email, "question_uuid": null},
                {"question": "Why?", "answer": person.answer(), "question_uuid": null},
            ],
            "tracking": {"salesforce_uuid": person.record()},
            "result": {"type": "external_url", "value": person.link("thanks", invitee.number)},
            "submitter": invitee_uri((invitee.event, invitee.number)),
            "submitter_type": "Invitee",
            "created_at": format!("{:.3}", self.now),
            "updated_at": format!("{:.3}", self.now),
        });
        self.send("routing_form_submission.created", &payload);
    }

    pub(super) fn payload(&self, who: usize) -> Value {
        let invitee = &self.invitees[who];
        let person = invitee.person;
        let mut payload = json!({
            "uri": invitee_uri((invitee.event, invitee.number)),
            "event": event_uri(invitee.event),
            "email": person.email(),
            "name": person.name(),
            "first_name": person.first_name(),
            "last_name": person.last_name(),
            "text_reminder_number": person.phone(),
            "cancel_url": person.link("cancellations", invitee.number),
            "reschedule_url": person.link("reschedulings", invitee.number),
            "payment": {"external_id": person.charge(), "provider": "stripe", "amount": 12.5},
            "timezone": "Europe/Berlin",
            "status": if invitee.canceled.is_some() { "canceled" } else { "active" },
            "rescheduled": invitee.moved_to.is_some(),
            "old_invitee": invitee.moved_from.map(invitee_uri),
            "new_invitee": invitee.moved_to.map(invitee_uri),
            "routing_form_submission": invitee.submission.then(|| submission_uri(invitee.number)),
            "no_show": invitee.no_show.map(|at| json!({
                "uri": format!("https://api.calendly.com/invitee_no_shows/n{}", at.as_microsecond()),
                "created_at": format!("{at:.6}"),
            })),
            "questions_and_answers": [
                {"question": "Why?", "answer": person.answer(), "position": 0},
            ],
            "tracking": {"utm_source": "test", "salesforce_uuid": person.record()},
            "created_at": format!("{:.6}", invitee.created),
            "updated_at": format!("{:.6}", invitee.updated),
        });
        if let Some(at) = invitee.canceled {
            payload["cancellation"] = cancellation(person, invitee.by_host, at);
        }
        if !self.old_payloads {
            payload["scheduled_event"] = self.scheduled_event(invitee.event);
        }
        payload
    }

    /// The event as every body and read shows it.
    pub(super) fn scheduled_event(&self, number: usize) -> Value {
        let event = self.events[number];
        let mates: Vec<_> = self.invitees.iter().filter(|i| i.event == number).collect();
        let start = event.start;
        // Who comes changes the counter, but not the event's `updated_at`.
        let updated = event.canceled.or(event.moved).unwrap_or(event.created);
        let (name, location, notes) = if event.group {
            let here = json!({"type": "custom", "location": "here"});
            ("Meeting".to_owned(), here, "bring tea".to_owned())
        } else {
            let call = json!({"type": "outbound_call", "location": event.booker.phone()});
            let notes = format!("from {}", event.booker.email());
            (format!("Meeting {}", event.booker.name()), call, notes)
        };
        let mut shown = json!({
            "uri": event_uri(number),
            "name": name,
            "meeting_notes_plain": notes,
            "status": if event.canceled.is_some() { "canceled" } else { "active" },
            "start_time": format!("{start:.6}"),
            "end_time": format!("{:.6}", start + SignedDuration::from_mins(30)),
            "created_at": format!("{:.6}", event.created),
            "updated_at": format!("{updated:.6}"),
            "location": location,
            "invitees_counter": {
                "total": mates.len(),
                "active": mates.iter().filter(|i| i.canceled.is_none()).count(),
                "limit": if event.group { 20 } else { 1 },
            },
            "event_memberships": hosts(number),
            "event_guests": guests(number),
        });
        if let Some(at) = event.canceled {
            shown["cancellation"] = cancellation(event.booker, event.by_host, at);
        }
        shown
    }
}

fn cancellation(person: Person, by_host: bool, at: Timestamp) -> Value {
    let at = format!("{at:.6}");
    if by_host {
        return json!({
            "canceled_by": "Dana Host", "canceler_type": "host", "created_at": at, "reason": "Full",
        });
    }
    json!({
        "canceled_by": person.name(),
        "canceler_type": "invitee",
        "created_at": at,
        "reason": person.answer(),
    })
}
