//! `GET /v1/events`: pages, order and bounds.

use futures::future::join_all;
use rand::Rng;
use serde_json::Value;
use stack_tests::{Samples, Stack};

/// Bookings that start in a year of their own: one a week, so in more than one month.
struct Year {
    year: u16,
    /// Start and id, in order.
    events: Vec<(String, String)>,
}

impl Year {
    async fn booked(stack: &Stack, count: usize) -> Self {
        let year = rand::rng().random_range(2100..9900);
        let starts = (0..count).map(|week| {
            format!(
                "{year}-{:02}-{:02}T10:00:00Z",
                1 + week / 4,
                1 + week % 4 * 7
            )
        });
        let bookings: Vec<_> = starts.map(|start| (start, Samples::fresh())).collect();
        let posts = bookings.iter().map(|(start, samples)| {
            stack.applied(samples.edited("invitee.created", |json| {
                let event = &mut json["payload"]["scheduled_event"];
                event["start_time"] = start.as_str().into();
                event["end_time"] = start.replace("10:00", "10:30").into();
            }))
        });
        join_all(posts).await;
        let events = bookings
            .iter()
            .map(|(start, samples)| (start.clone(), samples.event(1)));
        Self {
            year,
            events: events.collect(),
        }
    }

    fn path(&self) -> String {
        let year = self.year;
        format!("/v1/events?from={year}-01-01T00:00:00Z&to={year}-12-31T00:00:00Z")
    }
}

fn starts_and_ids(events: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    events
        .iter()
        .map(|event| (text(&event["startTime"]), text(&event["id"])))
        .collect()
}

#[tokio::test]
async fn pages_hold_each_event_once_and_in_order() {
    let stack = Stack::from_env().await;
    let year = Year::booked(&stack, 25).await;

    let pages = stack.pages(&year.path(), "events", 20).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [20, 5]);
    assert_eq!(starts_and_ids(&pages.concat()), year.events);

    for limit in [1, 7, 24, 25, 100] {
        let pages = stack
            .pages(&format!("{}&limit={limit}", year.path()), "events", limit)
            .await;
        assert_eq!(
            starts_and_ids(&pages.concat()),
            year.events,
            "limit {limit}"
        );
        assert_eq!(pages.len(), 25_usize.div_ceil(limit), "limit {limit}");
    }
}

#[tokio::test]
async fn from_is_included_and_to_is_not() {
    let stack = Stack::from_env().await;
    let year = Year::booked(&stack, 6).await;
    let (second, fifth) = (&year.events[1].0, &year.events[4].0);
    let list = async |query: &str| {
        let page = stack.get(&format!("/v1/events?{query}")).await.ok();
        starts_and_ids(page["events"].as_array().unwrap())
    };
    assert_eq!(
        list(&format!("from={second}&to={fifth}")).await,
        year.events[1..4]
    );
    // The same instant in another zone.
    let zoned = second.replace("T10:00:00Z", "T12:00:00%2B02:00");
    assert_eq!(
        list(&format!("from={zoned}&to={fifth}")).await,
        year.events[1..4]
    );
    assert_eq!(list(&format!("from={second}&to={second}")).await, []);
    // With one bound alone others' events may be there, but none beyond it.
    let later = list(&format!("from={fifth}&limit=2")).await;
    assert_eq!(later[..2], year.events[4..6]);
    let earlier = list(&format!("to={fifth}&limit=100")).await;
    assert!(earlier.iter().all(|(start, _)| start < fifth));
}

#[tokio::test]
async fn a_list_shows_each_event_with_its_invitees() {
    let stack = Stack::from_env().await;
    let year = Year::booked(&stack, 1).await;
    let page = stack.get(&year.path()).await.ok();
    assert_eq!(page["nextCursor"], Value::Null);
    let listed = &page["events"][0];
    let alone = stack.event(&year.events[0].1).await;
    for (field, value) in listed.as_object().unwrap() {
        if field != "invitees" {
            assert_eq!(*value, alone[field], "{field}");
        }
    }
    for (field, value) in listed["invitees"][0].as_object().unwrap() {
        assert_eq!(*value, alone["invitees"][0][field], "{field}");
    }
    assert_eq!(listed["invitees"][0]["name"], "Ada Booker");
}
