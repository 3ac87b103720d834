//! Events with so many invitees that a message may not read them all.

use super::*;
use platform::metrics::capture;
use sandbox::{NewBooking, NewEventType, Place};
use std::collections::BTreeSet;

impl Stage {
    /// So many book one event, with room for all of them. Answers the event's id, and the invitees' in
    /// the order in which Calendly lists them.
    fn crowd(&self, people: usize) -> (String, Vec<String>) {
        let world = self.sandbox.world();
        let kind = NewEventType {
            name: "Convention".to_owned(),
            hosts: vec!["AAAAHOSTUSER0001".to_owned()],
            pooling: None,
            minutes: 60,
            limit: 5000,
            place: Place::Zoom,
        };
        world.add_event_type(kind).unwrap();
        let start = ambient::now() + SignedDuration::from_hours(30);
        let booked = (0..people).map(|number| {
            let email = format!("visitor.{number}@example.com");
            let mut new = NewBooking::new(&format!("Visitor {number}"), &email, start);
            new.event_type = Some("Convention".to_owned());
            world.book(new).unwrap()
        });
        let booked: Vec<_> = booked.collect();
        let invitees = booked.iter().map(|one| one.invitee.clone()).collect();
        (booked[0].event.clone(), invitees)
    }

    /// How all people of an event are stored: each one's status.
    async fn people(&self, event: &str) -> BTreeMap<String, String> {
        let event = self
            .function
            .bookings
            .event_alone(Provider::Calendly, event);
        let event = event.await.unwrap().unwrap();
        let meeting = self.function.bookings.people(&event).await.unwrap();
        let people = meeting.into_iter();
        let status = |one: &booking::InviteeSummary| json!(one.status).as_str().unwrap().to_owned();
        people.map(|one| (one.id.clone(), status(&one))).collect()
    }

    /// Refuses the page of invitees with this number, once.
    fn refuse_page(&self, number: usize) {
        let mut pages = 0;
        self.wire.instead(move |url| {
            pages += usize::from(url.path().ends_with("/invitees"));
            (pages == number).then(|| {
                pages += 1;
                (429, String::new())
            })
        });
    }
}

#[tokio::test]
async fn whoever_had_left_before_an_event_was_called_off_is_never_told_of_as_canceled_with_it() {
    for (people, refused) in [(12, 0), (150, 0), (150, 2)] {
        let stage = Stage::new().await;
        let (event, invitees) = stage.crowd(people);
        stage.sync(LONG).await;
        let moved = invitees.last().unwrap();
        let world = stage.sandbox.world();
        world.ask_for_another_time(moved, None).unwrap();
        world.cancel_event(&event, None).unwrap();
        stage.refuse_page(refused);
        let captured = capture();
        stage.sync(LONG).await;
        let stored = stage.people(&event).await;
        let mut canceled = invitees.clone();
        canceled.pop();
        assert_eq!(stored[moved], "rescheduled", "{people} {refused}");
        assert!(canceled.iter().all(|one| stored[one] == "canceled"));
        let told = captured.sum(Metric::BookingsCanceled);
        assert_eq!(
            told,
            u64::try_from(people).unwrap() - 1,
            "{people} {refused}"
        );
    }
}

#[tokio::test]
async fn a_crowd_of_which_a_page_is_refused_is_read_whole_all_the_same() {
    let stage = Stage::new().await;
    let (event, invitees) = stage.crowd(1200);
    let all: BTreeSet<_> = invitees.iter().collect();
    stage.refuse_page(11);
    stage.sync(LONG).await;
    let stored = stage.people(&event).await;
    assert_eq!(stored.keys().collect::<BTreeSet<_>>(), all);

    // And so where one of more than a thousand leaves.
    let left = invitees.last().unwrap();
    stage
        .sandbox
        .world()
        .cancel(left, sandbox::By::Invitee, None)
        .unwrap();
    stage.refuse_page(2);
    stage.sync(LONG).await;
    assert_eq!(stage.people(&event).await[left], "canceled");
}

#[tokio::test]
async fn a_crowd_with_more_pages_than_a_message_has_calls_is_read_over_several() {
    let stage = Stage::with(Options {
        rate_limit: 20,
        rate_window: Duration::from_secs(3600),
        disable_after: 0,
        conference_delay: Duration::ZERO,
        ..Options::default()
    })
    .await;
    let (event, invitees) = stage.crowd(2200);
    let after = stage.book(40).await.0;
    let (messages, calls) = stage.windows(6).await;
    assert_eq!(stage.people(&event).await.len(), invitees.len());
    assert!(stage.stored().await.contains_key(&after));
    assert!(
        calls <= 22 + 2 + 3 * messages,
        "{calls} calls in {messages} messages"
    );
}

#[tokio::test]
async fn a_canceled_event_whose_people_may_not_be_read_cancels_none_of_them() {
    let stage = Stage::new().await;
    let (event, invitee) = stage.book(24).await;
    stage.sync(LONG).await;
    let world = stage.sandbox.world();
    world.ask_for_another_time(&invitee, None).unwrap();
    let old = event.clone();
    stage.wire.instead(move |url| {
        let people = url.path().ends_with(&format!("{old}/invitees"));
        people.then(|| refusal(403, "Permission Denied"))
    });
    stage.sync(LONG).await;
    assert!(stage.told().await.errors[0].error.contains(&event));
    let shown = async || stage.stored().await[&event]["invitees"][0]["status"].clone();
    assert_ne!(shown().await, "canceled");
    stage.wire.straighten();
    stage.sync(LONG).await;
    assert_eq!(shown().await, "rescheduled");
}
