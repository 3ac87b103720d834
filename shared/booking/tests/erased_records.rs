//! What is left of a booking when somebody is erased from it, and what it still tells.

#![allow(clippy::unwrap_used)] // helpers of tests

mod memory;

use booking::{
    ContactKey, EventRecord, EventView, InviteeRecord, InviteeView, Role, erasure, history, reduce,
};
use memory::{Memory, facts};
use serde_json::{Value, json};
use testkit::fixture;

const ADA: &str = "ada.booker@example.com";

fn erase(memory: &mut Memory, email: &str) {
    let facts = erasure(&memory.records, &ContactKey::of(email));
    memory.apply(facts);
}

fn event(memory: &Memory) -> Value {
    json!(EventView::listed(
        memory.records.events.values().next().unwrap()
    ))
}

fn invitee(memory: &Memory) -> Value {
    let record = memory.records.invitees.values().next().unwrap();
    let form = record.submission.as_ref();
    let form = form.and_then(|form| memory.submissions.get(form.as_str()));
    json!(InviteeView::of(record, form))
}

#[test]
fn who_booked_is_gone_and_that_it_was_booked_stays() {
    let names = [
        "invitee.created.json",
        "routing_form_submission.created.json",
        "invitee_no_show.created.json",
        "invitee_no_show.deleted.json",
        "invitee.canceled.json",
    ];
    let mut memory = Memory::after(&names.map(fixture));
    let before = invitee(&memory);
    let told = history(memory.records.invitees.values().next().unwrap());
    erase(&mut memory, "ADA.booker@example.com ");

    let after = invitee(&memory);
    for gone in [
        "name",
        "firstName",
        "lastName",
        "email",
        "timezone",
        "textReminderNumber",
        "tracking",
        "payment",
        "cancelUrl",
        "rescheduleUrl",
    ] {
        assert_eq!(after[gone], Value::Null, "{gone}");
    }
    assert_eq!(after["answers"], json!([]));
    for kept in [
        "id",
        "uri",
        "status",
        "canceled",
        "noShow",
        "createdAt",
        "updatedAt",
        "schedulingMethod",
        "scheduledBy",
        "reconfirmation",
    ] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
    assert_eq!(after["erased"], true);
    assert_eq!(before["erased"], false);
    assert_eq!(
        after["cancellation"],
        json!({
            "by": null, "reason": null, "byType": "invitee", "at": "2026-11-21T08:00:10Z",
            "inferred": false,
        })
    );
    let form = &after["routingFormSubmission"];
    assert_eq!(form["uri"], before["routingFormSubmission"]["uri"]);
    assert_eq!(form["form"], before["routingFormSubmission"]["form"]);
    assert_eq!(form["answers"], json!([]));
    assert_eq!(form["result"], Value::Null);

    let now = history(memory.records.invitees.values().next().unwrap());
    let steps = |all: &[booking::HistoryEntry]| -> Vec<_> {
        all.iter()
            .map(|entry| (entry.transition, entry.at))
            .collect()
    };
    assert_eq!(steps(&now), steps(&told));
    assert!(now.iter().all(|entry| entry.cause.by.is_none()));
}

#[test]
fn a_one_to_one_meeting_loses_what_is_made_of_its_one_person() {
    let mut memory = Memory::after(&[fixture("invitee.canceled.json")]);
    let before = event(&memory);
    erase(&mut memory, ADA);
    let after = event(&memory);
    for gone in ["name", "location", "notes", "timezone"] {
        assert_eq!(after[gone], Value::Null, "{gone}");
    }
    for kept in [
        "id",
        "status",
        "startTime",
        "endTime",
        "hosts",
        "guests",
        "eventType",
    ] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
    assert_eq!(after["cancellation"]["by"], Value::Null);
    assert_eq!(after["cancellation"]["reason"], Value::Null);
    assert_eq!(after["cancellation"]["byType"], "invitee");
    assert_eq!(after["invitees"][0]["erased"], true);
    assert_eq!(after["invitees"][0]["email"], Value::Null);
    assert_eq!(after["status"], "canceled");
}

#[test]
fn a_group_keeps_its_meeting() {
    let body = fixture("invitee.created.group-guests.json");
    let mut memory = Memory::after(std::slice::from_ref(&body));
    let before = event(&memory);
    let body: Value = serde_json::from_slice(&body).unwrap();
    erase(&mut memory, body["payload"]["email"].as_str().unwrap());
    let after = event(&memory);
    assert_eq!(after["invitees"][0]["erased"], true);
    for kept in ["name", "location", "hosts", "guests"] {
        assert_ne!(before[kept], Value::Null, "{kept}");
        assert_eq!(after[kept], before[kept], "{kept}");
    }
}

#[test]
fn guests_go_and_of_hosts_the_uri_stays() {
    let body = fixture("invitee.created.group-guests.json");
    let mut memory = Memory::after(std::slice::from_ref(&body));
    let before = event(&memory);
    let record = memory.records.events.values().next().unwrap();
    let guest = before["guests"][0]["email"].as_str().unwrap();
    let host = before["hosts"][1]["email"].as_str().unwrap();
    let contacts = record.contacts();
    assert_eq!(contacts.len(), 4);
    assert!(contacts.contains(&(ContactKey::of(guest), Role::Guest)));
    assert!(contacts.contains(&(ContactKey::of(host), Role::Host)));

    erase(&mut memory, guest);
    erase(&mut memory, host);
    let after = event(&memory);
    assert_eq!(after["guests"], json!([before["guests"][1]]));
    assert_eq!(after["hosts"][0], before["hosts"][0]);
    let uri = &before["hosts"][1]["uri"];
    assert_eq!(
        after["hosts"][1],
        json!({"uri": uri, "name": null, "email": null})
    );
    // The same message again, and a list that was true later.
    let mut later: Value = serde_json::from_slice(&body).unwrap();
    let meeting = &mut later["payload"]["scheduled_event"];
    meeting["updated_at"] = "2026-12-24T00:00:00Z".into();
    for again in [body.clone(), later.to_string().into_bytes()] {
        memory.apply(facts(&again));
        assert_eq!(event(&memory)["guests"], after["guests"]);
        assert_eq!(event(&memory)["hosts"], after["hosts"]);
    }
}

#[test]
fn an_erased_booking_leads_to_its_form_in_the_same_step() {
    let mut created: Value = serde_json::from_slice(&fixture("invitee.created.json")).unwrap();
    let form: Value =
        serde_json::from_slice(&fixture("routing_form_submission.created.json")).unwrap();
    created["payload"]["routing_form_submission"] = form["payload"]["uri"].clone();
    let memory = Memory::after(&[created.to_string().into_bytes()]);
    let facts = erasure(&memory.records, &ContactKey::of(ADA));
    let uri = facts.keys().submission.unwrap();
    assert_eq!(uri.as_str(), form["payload"]["uri"]);
    assert!(
        reduce(&memory.records, &facts)
            .records
            .submission
            .unwrap()
            .erased
    );
}

#[test]
fn records_from_before_are_read() {
    let memory = Memory::after(&[fixture("invitee.created.json")]);
    let record = memory.records.events.values().next().unwrap();
    let mut old = serde_json::to_value(record).unwrap();
    assert!(old.get("erased_people").is_none());
    for summary in old["roster"].as_object_mut().unwrap().values_mut() {
        summary.as_object_mut().unwrap().remove("erased").unwrap();
    }
    assert_eq!(&serde_json::from_value::<EventRecord>(old).unwrap(), record);
    let record = memory.records.invitees.values().next().unwrap();
    let old = serde_json::to_value(record).unwrap();
    assert!(old.get("erased").is_none() && old.get("marks").is_none());
    assert_eq!(
        &serde_json::from_value::<InviteeRecord>(old).unwrap(),
        record
    );
}
