//! Events of a year and of accounts that no other test has, for tests of lists.

use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use rand::Rng;
use serde_json::{Value, json};
use stack_tests::{Samples, Stack};

/// How many webhooks are under way at a time.
const AT_ONCE: usize = 24;

/// A year in which no other test books.
pub fn own_year() -> u16 {
    rand::rng().random_range(2100..9900)
}

/// A name that nothing else has.
pub fn own(what: &str) -> String {
    format!("{what}{}", &uuid::Uuid::new_v4().simple().to_string()[..12])
}

/// An event with one invitee.
#[derive(Clone)]
pub struct Told {
    pub id: String,
    pub invitee: String,
    pub start: String,
    pub canceled: bool,
    pub connection: String,
    pub email: String,
    pub guests: Vec<String>,
    pub host: String,
    /// Grows with each change that no list looks at.
    pub version: u32,
}

impl Told {
    /// An event of this account that starts then, of people whom nobody asks for.
    pub fn new(connection: &str, start: String) -> Self {
        let samples = Samples::fresh();
        Self {
            id: samples.event(1),
            invitee: samples.invitee(1),
            start,
            canceled: false,
            connection: connection.to_owned(),
            email: "somebody@example.com".to_owned(),
            guests: Vec::new(),
            host: "dana.host@example.com".to_owned(),
            version: 0,
        }
    }

    /// The webhook that tells how it stands.
    pub fn body(&self) -> String {
        let uri = format!("https://api.calendly.com/scheduled_events/{}", self.id);
        let made = "2025-11-20T09:15:01.000000Z";
        let seconds = self.version + u32::from(self.canceled);
        let updated = format!("2025-11-21T09:15:{seconds:02}.000000Z");
        let status = if self.canceled { "canceled" } else { "active" };
        let guests = self
            .guests
            .iter()
            .map(|email| json!({ "email": email, "created_at": made, "updated_at": made }));
        let mut body = json!({
            "event": if self.canceled { "invitee.canceled" } else { "invitee.created" },
            "created_at": updated,
            "created_by": format!("https://api.calendly.com/users/{}", self.connection),
            "payload": {
                "uri": format!("{uri}/invitees/{}", self.invitee),
                "event": uri,
                "name": format!("Somebody {}", self.version),
                "email": self.email,
                "status": status,
                "rescheduled": false,
                "created_at": made,
                "updated_at": updated,
                "scheduled_event": {
                    "uri": uri,
                    "name": "Meeting",
                    "status": status,
                    "start_time": self.start,
                    "end_time": self.start,
                    "created_at": made,
                    "updated_at": updated,
                    "event_guests": guests.collect::<Vec<_>>(),
                    "event_memberships": [{
                        "user": "https://api.calendly.com/users/HOST", "user_name": "Host",
                        "user_email": self.host,
                    }],
                },
            },
        });
        if self.canceled {
            let cancellation = json!({
                "canceled_by": "Host", "canceler_type": "host", "reason": "",
                "created_at": updated,
            });
            body["payload"]["cancellation"] = cancellation.clone();
            body["payload"]["scheduled_event"]["cancellation"] = cancellation;
        }
        body.to_string()
    }

    /// Its place in the order of starts.
    pub fn place(&self) -> (Timestamp, String) {
        (self.start.parse().unwrap(), self.id.clone())
    }
}

/// Posts what tells of these events, many at a time, and waits until all is applied. The ids of the
/// deliveries.
pub async fn apply_all(stack: &Stack, all: &[Told]) -> Vec<String> {
    let bodies: Vec<String> = all.iter().map(Told::body).collect();
    let posts = stream::iter(bodies).map(|body| stack.accepted(body));
    let ids: Vec<String> = posts.buffered(AT_ONCE).collect().await;
    stream::iter(&ids)
        .for_each_concurrent(AT_ONCE, async |id| {
            stack.until_status(id, "processed").await;
        })
        .await;
    ids
}

/// Places of listed events, as they are listed.
pub fn places(events: &[Value]) -> Vec<(Timestamp, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let places = events.iter().map(|event| {
        (
            text(&event["startTime"]).parse().unwrap(),
            text(&event["id"]),
        )
    });
    places.collect()
}

/// The places of those of `all` that fit, in order.
pub fn wanted(
    all: &[Told],
    fits: impl Fn(&Told) -> bool,
    descending: bool,
) -> Vec<(Timestamp, String)> {
    let fitting = all.iter().filter(|told| fits(told));
    let mut places: Vec<_> = fitting.map(Told::place).collect();
    places.sort();
    if descending {
        places.reverse();
    }
    places
}
