//! What the sandbox holds, as the API must show it: every field of an event, and no more.

use crate::sandbox::items;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A time as this service writes it.
fn time(at: &Value) -> Value {
    let Some(text) = at.as_str() else {
        return Value::Null;
    };
    let at: Timestamp = text.parse().expect("a time");
    at.to_string().into()
}

fn last_part(uri: &Value) -> &str {
    uri.as_str().unwrap().rsplit('/').next().unwrap()
}

/// Field names in camel case, at every depth.
fn camel(json: &Value) -> Value {
    let name = |name: &String| {
        let mut words = name.split('_');
        let first = words.next().unwrap().to_owned();
        words.fold(first, |name, word| {
            let (head, tail) = word.split_at(1);
            name + &head.to_uppercase() + tail
        })
    };
    match json {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (name(key), camel(value)));
            Value::Object(fields.collect())
        }
        Value::Array(items) => items.iter().map(camel).collect(),
        other => other.clone(),
    }
}

fn cancellation(json: Option<&Value>) -> Value {
    json.map_or(Value::Null, |it| {
        json!({
            "by": it["canceled_by"],
            "reason": it["reason"],
            "byType": it["canceler_type"],
            "at": time(&it["created_at"]),
            "inferred": false,
        })
    })
}

/// The first booking of the chain that led to this one, if any did.
fn root(invitee: &Value, events: &[Value]) -> Value {
    let mut root = &Value::Null;
    let mut old = &invitee["old_invitee"];
    while !old.is_null() {
        root = old;
        let mut all = events.iter().flat_map(|event| items(&event["invitees"]));
        let before = all.find(|it| it["uri"] == *old).expect("the old booking");
        old = &before["old_invitee"];
    }
    root.clone()
}

fn invitee(held: &Value, events: &[Value]) -> Value {
    let canceled = held.get("cancellation").is_some();
    let status = match (held["rescheduled"].as_bool().unwrap(), canceled) {
        (true, true) => "rescheduled",
        (false, true) => "canceled",
        (_, false) => "active",
    };
    let tracking = held["tracking"].as_object().unwrap();
    let tracked = tracking.values().any(|value| !value.is_null());
    let mut shown = json!({
        "id": last_part(&held["uri"]),
        "status": status,
        "canceled": status == "canceled",
        "rescheduled": status == "rescheduled",
        "noShow": !held["no_show"].is_null(),
        "erased": false,
        "noShowAt": time(&held["no_show"]["created_at"]),
        "cancellation": cancellation(held.get("cancellation")),
        "rescheduledFrom": held["old_invitee"],
        "rescheduledTo": held["new_invitee"],
        "root": root(held, events),
        "answers": held["questions_and_answers"],
        "tracking": if tracked { camel(&held["tracking"]) } else { Value::Null },
        "scheduledBy": held["invitee_scheduled_by"],
        "createdAt": time(&held["created_at"]),
        "updatedAt": time(&held["updated_at"]),
    });
    for same in [
        "uri",
        "name",
        "email",
        "first_name",
        "last_name",
        "timezone",
        "text_reminder_number",
        "payment",
        "reconfirmation",
        "scheduling_method",
        "cancel_url",
        "reschedule_url",
        "routing_form_submission",
    ] {
        let field = camel(&json!({ same: held[same] }));
        shown
            .as_object_mut()
            .unwrap()
            .extend(field.as_object().unwrap().clone());
    }
    shown
}

/// An event of `events`, all that there are, as `connection` told of it.
pub(crate) fn event(held: &Value, events: &[Value], connection: &str) -> Value {
    let mut invitees = items(&held["invitees"]).to_vec();
    invitees.sort_by_key(|it| it["created_at"].as_str().unwrap().to_owned());
    let host = |it: &Value| json!({ "uri": it["user"], "name": it["user_name"], "email": it["user_email"] });
    let hosts: Vec<_> = items(&held["event_memberships"]).iter().map(host).collect();
    let guests = items(&held["event_guests"]).iter();
    let guests: Vec<_> = guests.map(|it| json!({ "email": it["email"] })).collect();
    sorted(json!({
        "id": last_part(&held["uri"]),
        "uri": held["uri"],
        "name": held["name"],
        "status": held["status"],
        "startTime": time(&held["start_time"]),
        "endTime": time(&held["end_time"]),
        "timezone": invitees[0]["timezone"],
        "location": camel(&held["location"]),
        "hosts": hosts,
        "guests": guests,
        "eventType": held["event_type"],
        "inviteesCounter": held["invitees_counter"],
        "cancellation": cancellation(held.get("cancellation")),
        "missingSince": null,
        "notes": held["meeting_notes_plain"],
        "connection": connection,
        "provider": "calendly",
        "createdAt": time(&held["created_at"]),
        "updatedAt": time(&held["updated_at"]),
        "invitees": invitees.iter().map(|it| invitee(it, events)).collect::<Vec<_>>(),
    }))
}

/// The same event with its invitees in the order of their ids, which no contract gives.
pub(crate) fn sorted(mut event: Value) -> Value {
    if let Some(invitees) = event["invitees"].as_array_mut() {
        invitees.sort_by_key(|it| it["id"].as_str().map(str::to_owned));
    }
    event
}

/// An event without what lists leave out: where its next invitees begin, and details of each.
pub(crate) fn listed(mut event: Value, like: &Value) -> Value {
    event.as_object_mut().unwrap().remove("nextCursor");
    let kept: &Map<String, Value> = like["invitees"][0].as_object().expect("an invitee");
    for invitee in event["invitees"].as_array_mut().unwrap() {
        let fields = invitee.as_object_mut().unwrap();
        fields.retain(|name, _| kept.contains_key(name));
    }
    event
}
