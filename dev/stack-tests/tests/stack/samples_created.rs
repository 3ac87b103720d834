//! The samples of new bookings, and what must come of each.

use serde_json::{Value, json};
use stack_tests::{Samples, Stack, assert_has, part};

/// Posts a sample and answers the event with this number.
async fn event_of(samples: &Samples, sample: &str, number: u32) -> Value {
    let stack = Stack::from_env().await;
    stack.applied(samples.body(sample)).await;
    stack.event(&samples.event(number)).await
}

#[tokio::test]
async fn every_sample_has_a_test() {
    let _ = Stack::from_env().await;
    let tested = [
        "event_type.updated",
        "invitee.canceled",
        "invitee.canceled.host-empty-reason",
        "invitee.created",
        "invitee.created.group-guests",
        "invitee.created.payment",
        "invitee.created.unicode",
        "invitee_no_show.created",
        "invitee_no_show.deleted",
        "reschedule.1-invitee.canceled",
        "reschedule.2-invitee.created",
        "routing_form_submission.created",
    ];
    assert_eq!(Samples::names(), tested);
}

#[tokio::test]
async fn created() {
    let samples = Samples::fresh();
    let event = event_of(&samples, "invitee.created", 1).await;
    assert_has(
        &event,
        &json!({
            "id": samples.event(1),
            "uri": samples.event_uri(1),
            "name": "30 Minute Consultation",
            "status": "active",
            "startTime": "2026-12-01T15:00:00Z",
            "endTime": "2026-12-01T15:30:00Z",
            "timezone": "America/New_York",
            "location": {
                "type": "google_conference",
                "status": "processing",
                "joinUrl": format!("https://calendly.com/events/{}/google_meet", samples.event(1)),
            },
            "hosts": [{
                "uri": "https://api.calendly.com/users/AAAAHOSTUSER0001",
                "name": "Dana Host",
                "email": "dana.host@example.com",
            }],
            "guests": [{ "email": "guest.one@example.net" }],
            "eventType": "https://api.calendly.com/event_types/AAAAEVTYPE000001",
            "inviteesCounter": { "total": 1, "active": 1, "limit": 1 },
            "provider": "calendly",
            "cancellation": null,
            "createdAt": "2026-11-20T09:15:01.10101Z",
        }),
    );
    assert_eq!(event["invitees"].as_array().unwrap().len(), 1);
    assert_has(
        &event["invitees"][0],
        &json!({
            "id": samples.invitee(1),
            "uri": samples.invitee_uri(1),
            "name": "Ada Booker",
            "firstName": "Ada",
            "lastName": "Booker",
            "email": "ada.booker@example.com",
            "timezone": "America/New_York",
            "textReminderNumber": "+1 212-555-0142",
            "status": "active",
            "canceled": false,
            "rescheduled": false,
            "noShow": false,
            "cancellation": null,
            "rescheduledFrom": null,
            "rescheduledTo": null,
            "root": null,
            "answers": [
                { "question": "Company", "answer": "Analytical Engines Ltd", "position": 0 },
                { "question": "Which topics?", "answer": "Pricing\nSecurity review", "position": 1 },
            ],
            "tracking": {
                "utmCampaign": "autumn-launch",
                "utmSource": "newsletter",
                "utmMedium": "email",
                "utmContent": "cta-2",
                "utmTerm": null,
                "salesforceUuid": "003000000000001AAA",
            },
            "payment": null,
            "reconfirmation": { "createdAt": "2026-11-20T09:15:02Z", "confirmedAt": null },
            "schedulingMethod": "instant_book",
            "scheduledBy": "https://api.calendly.com/users/AAAAHOSTUSER0002",
            "cancelUrl": format!("https://calendly.com/cancellations/{}", samples.invitee(1)),
            "rescheduleUrl": format!("https://calendly.com/reschedulings/{}", samples.invitee(1)),
            "createdAt": "2026-11-20T09:15:01.123456Z",
        }),
    );
}

#[tokio::test]
async fn created_with_unicode() {
    let samples = Samples::fresh();
    let event = event_of(&samples, "invitee.created.unicode", 7).await;
    assert_has(
        &event,
        &json!({
            "name": "Première visite – 初回 👋",
            "startTime": "2026-12-10T00:30:00Z",
            "timezone": "Asia/Tokyo",
            "location": {
                "type": "physical",
                "location": "12 Rue de l’Église, 75015 Paris",
                "additionalInfo": "2ᵉ étage & sonner <fort>",
            },
            "guests": [],
            "invitees": [{
                "id": samples.invitee(7),
                "name": "Zoë 🧑‍🚀 D’Ångström 山田",
                "firstName": "Zoë 🧑‍🚀",
                "lastName": "D’Ångström 山田",
                "email": "søren+日本@exämple.test",
                "tracking": { "utmCampaign": "élan+été%20", "utmSource": null },
            }],
        }),
    );
    // Compared with the file itself: it holds a mark that turns the direction of writing.
    let sent: Value = serde_json::from_str(&samples.body("invitee.created.unicode")).unwrap();
    let (sent, kept) = (
        &sent["payload"]["questions_and_answers"],
        &event["invitees"][0]["answers"],
    );
    assert_eq!(kept, sent);
    assert!(kept[0]["answer"].as_str().unwrap().contains("à débattre"));
}

#[tokio::test]
async fn created_with_a_payment() {
    let samples = Samples::fresh();
    let event = event_of(&samples, "invitee.created.payment", 6).await;
    assert_has(
        &event,
        &json!({
            "name": "Paid Strategy Hour",
            "startTime": "2026-12-09T13:00:00Z",
            "endTime": "2026-12-09T14:00:00Z",
            "location": { "type": "outbound_call", "location": "+44 20 7946 0018" },
            "invitees": [{
                "name": "Pay Er",
                "email": "pay.er@example.com",
                "timezone": "Europe/London",
                "payment": {
                    "amount": 249.99,
                    "currency": "GBP",
                    "externalId": "ch_3Madeup0000000000000001",
                    "provider": "stripe",
                    "successful": true,
                    "terms": "Refundable up to 24 hours before the meeting.",
                },
            }],
        }),
    );
}

#[tokio::test]
async fn created_in_a_group_with_guests() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let event = event_of(&samples, "invitee.created.group-guests", 5).await;
    assert_has(
        &event,
        &json!({
            "name": "Weekly Webinar",
            "status": "active",
            "guests": [{ "email": "g1@example.net" }, { "email": "g2@example.net" }],
            "hosts": [
                { "name": "Dana Host", "email": "dana.host@example.com" },
                { "name": "Sam Cohost", "email": "sam.cohost@example.com" },
            ],
            "inviteesCounter": { "total": 7, "active": 5, "limit": 20 },
            "location": {
                "type": "zoom",
                "joinUrl": "https://us02web.zoom.us/j/81234567890?pwd=fakepwd",
                "data": { "id": 81_234_567_890_u64 },
            },
            "invitees": [{ "name": "Grace Group", "email": "grace.group@example.org" }],
        }),
    );

    // A second person books a place in it, and the first one cancels hers.
    let grace = samples.invitee(5);
    let second = grace.replacen("00000005", "00000099", 1);
    let body = samples.body("invitee.created.group-guests");
    let body = body
        .replace(&grace, &second)
        .replace("Grace Group", "Rosa Second");
    stack.applied(body).await;
    let canceled = samples.body("invitee.canceled.host-empty-reason");
    let canceled = canceled
        .replace("00000002", "00000005")
        .replace("Ada Booker", "Grace Group");
    let mut canceled: Value = serde_json::from_str(&canceled).unwrap();
    let payload = canceled["payload"].as_object_mut().unwrap();
    payload["scheduled_event"]["status"] = "active".into();
    payload["scheduled_event"]
        .as_object_mut()
        .unwrap()
        .remove("cancellation");
    stack.applied(canceled.to_string()).await;

    let event = stack.event(&samples.event(5)).await;
    assert_eq!(event["status"], "active");
    assert_eq!(event["invitees"].as_array().unwrap().len(), 2);
    assert_has(
        part(&event["invitees"], "id", &grace),
        &json!({ "status": "canceled" }),
    );
    let rosa = json!({ "name": "Rosa Second", "status": "active", "canceled": false });
    assert_has(part(&event["invitees"], "id", &second), &rosa);
}
