//! Somebody who is to be erased, and what Calendly told of them.

use reqwest::Method;
use serde_json::{Value, json};
use stack_tests::{Answer, Samples, Stack};

/// Somebody of whom every text has a token that nothing else has.
pub struct Person {
    pub token: String,
}

impl Person {
    pub fn fresh() -> Self {
        let id = uuid::Uuid::new_v4().simple().to_string();
        Self {
            token: format!("zq{}", &id[..14]),
        }
    }

    pub fn text(&self, what: &str) -> String {
        format!("{what}.{}", self.token)
    }

    pub fn email(&self) -> String {
        format!("{}@example.com", self.text("erin"))
    }

    pub fn path(&self) -> String {
        format!("/v1/contacts/{}", self.email().replace('@', "%40"))
    }

    /// A sample that tells of them in place of Ada, made well before they are erased. Their
    /// cancel and reschedule links have a token of theirs.
    pub fn told(&self, samples: &Samples, name: &str, edit: impl FnOnce(&mut Value)) -> String {
        let body = samples.edited(name, |json| {
            edit(json);
            let payload = &mut json["payload"];
            if payload["email"] == "ada.booker@example.com" {
                for link in ["cancel_url", "reschedule_url"] {
                    payload[link] = format!("https://calendly.com/{}", self.text(link)).into();
                }
            }
        });
        body.replace("2026-1", "2025-1")
            .replace("ada.booker@example.com", &self.email().to_uppercase())
            .replace("Ada Booker", &self.text("Erin Erased"))
    }

    pub async fn erase(&self, stack: &Stack) -> Value {
        let report = erase(stack, &self.path()).await.ok();
        assert_eq!(report["complete"], true, "{report}");
        report
    }

    /// Every stored item and log line that tells of them.
    pub async fn traces(&self, stack: &Stack) -> Vec<String> {
        let mut all = stack.everything().await;
        all.retain(|text| text.to_lowercase().contains(&self.token));
        all
    }

    pub async fn assert_gone(&self, stack: &Stack, when: &str) {
        let traces = self.traces(stack).await;
        let (count, text) = (traces.len(), traces.join("\n"));
        assert!(count == 0, "{when}: {count} traces:\n{text}");
    }
}

/// Asks to erase whom the path names; whatever is answered.
pub async fn erase(stack: &Stack, path: &str) -> Answer {
    let key = [("x-api-key", stack.api_key.as_str())];
    stack.call(Method::DELETE, path, &key, None).await
}

/// The person's webhooks: those that are about bookings, and those that nothing is done with.
pub struct Told {
    pub bookings: Vec<String>,
    pub set_aside: Vec<String>,
}

/// Booked, with answers, a phone number, tracking, a routing form, and a guest, and stayed away;
/// moved; canceled; joined a group; was a guest of somebody else's.
pub fn told(person: &Person, samples: &Samples) -> Told {
    let about = |payload: &mut Value, number: u32| {
        let uri = format!(
            "{}/invitees/{}",
            samples.event_uri(number),
            samples.invitee(number)
        );
        payload["uri"] = uri.into();
        payload["event"] = samples.event_uri(number).into();
        payload["scheduled_event"]["uri"] = samples.event_uri(number).into();
    };
    let bookings = vec![
        person.told(samples, "invitee.created", |json| {
            let payload = &mut json["payload"];
            payload["first_name"] = person.text("First").into();
            payload["last_name"] = person.text("Last").into();
            payload["text_reminder_number"] = person.text("+1 212").into();
            payload["questions_and_answers"][0]["answer"] = person.text("Answer").into();
            payload["tracking"]["utm_campaign"] = person.text("campaign").into();
            payload["scheduled_event"]["meeting_notes_plain"] = person.text("Notes").into();
        }),
        person.told(samples, "routing_form_submission.created", |json| {
            let payload = &mut json["payload"];
            payload["questions_and_answers"][1]["answer"] = person.text("Size").into();
            payload["tracking"]["utm_term"] = person.text("term").into();
        }),
        person.told(samples, "invitee_no_show.created", |json| {
            let at = "2026-11-20T09:15:01.200000Z";
            json["payload"]["scheduled_event"]["event_guests"] =
                json!([{ "email": "guest.one@example.net", "created_at": at, "updated_at": at }]);
        }),
        person.told(samples, "reschedule.1-invitee.canceled", |json| {
            for at in [
                "/payload/cancellation",
                "/payload/scheduled_event/cancellation",
            ] {
                json.pointer_mut(at).unwrap()["reason"] = person.text("Later").into();
            }
        }),
        person.told(samples, "reschedule.2-invitee.created", |_| {}),
        person.told(samples, "invitee.canceled", |json| {
            about(&mut json["payload"], 8);
            json["payload"]["cancellation"]["reason"] = person.text("Ill").into();
        }),
        // In a group with Grace, and guest of hers elsewhere.
        person.told(samples, "invitee.created.group-guests", |json| {
            let payload = &mut json["payload"];
            about(payload, 6);
            payload["email"] = "ada.booker@example.com".into();
            payload["name"] = "Ada Booker".into();
        }),
        person.told(samples, "invitee.created.group-guests", |json| {
            json["payload"]["scheduled_event"]["event_guests"][0]["email"] = person.email().into();
        }),
    ];
    let torn = person.told(samples, "invitee.created", |json| {
        json["payload"]["uri"] = samples.invitee_uri(9).into();
    });
    let set_aside = vec![
        person.told(samples, "event_type.updated", |json| {
            json["payload"]["uri"] = samples.event_uri(1).into();
            json["payload"]["internal_note"] = person.email().into();
        }),
        torn[..torn.len() - 3].to_owned(),
    ];
    Told {
        bookings,
        set_aside,
    }
}

/// Grace's own booking of the group.
pub fn others(samples: &Samples) -> String {
    let body = samples.edited("invitee.created.group-guests", |json| {
        let payload = &mut json["payload"];
        payload["uri"] = format!("{}/invitees/{}", samples.event_uri(6), samples.invitee(7)).into();
        payload["event"] = samples.event_uri(6).into();
        payload["scheduled_event"]["uri"] = samples.event_uri(6).into();
    });
    body.replace("2026-1", "2025-1")
}
