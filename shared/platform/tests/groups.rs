//! Events of which one transaction can't hold all that follows from them: groups, and very many
//! guests. However a process is stopped, and whoever else writes, everybody ends with the event as it
//! is, and is found by it.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use booking::{
    ByPart, ContactKey, EventRecord, EventUri, Facts, InviteeRecord, InviteeStatus, InviteeUri,
    Latest, Provider, ROSTER_LIMIT, Sightings, Slot, Stamp, Transition,
};
use jiff::{SignedDuration, Timestamp};
use platform::bookings::{BookingStore, EventQuery, Later, Merged};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use testkit::dynamo::{Crashes, Dynamo};

const EVENT: &str = "https://api.calendly.com/scheduled_events/E";

fn at(minutes: i64) -> Timestamp {
    let first: Timestamp = "2026-12-01T10:00:00Z".parse().unwrap();
    first + SignedDuration::from_mins(minutes)
}

fn uri() -> EventUri {
    EventUri::parse(EVENT).unwrap()
}

/// The event as it was told `version` minutes after it was made, when it started that much later.
fn event(version: i64) -> EventRecord {
    let told = Stamp::new(at(version), at(version));
    let mut event = EventRecord::about(uri(), Provider::Calendly);
    event.slot = Some(ByPart::new(
        told,
        Slot {
            start: at(1_000 + version),
            end: None,
        },
    ));
    event.sightings = Sightings::seen(at(version));
    event.updated_at = Some(at(version));
    event
}

fn moved(version: i64) -> Facts {
    let mut facts = Facts::new(Provider::Calendly);
    facts.add_event(&event(version));
    facts
}

fn called_off(version: i64) -> Facts {
    let mut event = event(version);
    event.canceled = true;
    let mut facts = Facts::new(Provider::Calendly);
    facts.add_event(&event);
    facts
}

fn booked(numbers: impl Iterator<Item = usize>) -> Facts {
    let mut facts = moved(0);
    for number in numbers {
        let uri = InviteeUri::parse(&format!("{EVENT}/invitees/i{number:04}")).unwrap();
        let mut invitee = InviteeRecord::about(uri);
        invitee.known = true;
        let email = format!("i{number:04}@example.com");
        invitee.email = Some(Latest::new(Stamp::new(at(0), at(0)), email));
        facts.add_invitee(&invitee);
    }
    facts
}

/// Notes from which events others would go on.
#[derive(Default)]
struct Noted(Mutex<BTreeSet<EventUri>>);

impl Later for Noted {
    async fn go_on(&self, events: &BTreeSet<EventUri>) -> platform::Result<()> {
        self.0.lock().unwrap().extend(events.iter().cloned());
        Ok(())
    }
}

struct Desk {
    dynamo: Dynamo,
    calls: Crashes,
    table: String,
}

impl Desk {
    async fn new() -> Self {
        let desk = Self {
            dynamo: Dynamo::start().await,
            calls: Crashes::none(),
            table: "bookings".to_owned(),
        };
        desk.dynamo.bookings(&desk.table).await;
        desk
    }

    /// As a process that knows nothing yet.
    fn store(&self) -> BookingStore {
        BookingStore::new(self.dynamo.crashing(&self.calls), self.table.clone())
    }

    async fn reconcile(&self, facts: Facts) -> platform::Result<Merged> {
        self.store().reconcile(facts, &Noted::default()).await
    }

    /// As a sync that is stopped around its write number `crash / 2` and doesn't come back; then those go
    /// on whom it told. Answers whether it was stopped.
    async fn sync_stopped(&self, facts: Facts, crash: u8) -> bool {
        let noted = Noted::default();
        self.calls.at(crash);
        let done = self.store().reconcile(facts, &noted).await;
        self.calls.at(u8::MAX);
        for event in noted.0.into_inner().unwrap() {
            let left = self.store().go_on(Provider::Calendly, &event).await;
            assert!(done.is_err() || left.unwrap().written == 0);
        }
        done.is_err()
    }

    async fn of(people: usize) -> Self {
        let desk = Self::new().await;
        let store = desk.store();
        for some in (0..people).collect::<Vec<_>>().chunks(40) {
            store.apply(booked(some.iter().copied())).await.unwrap();
        }
        desk
    }

    /// All of the event's people, as they are stored.
    async fn people(&self) -> Vec<InviteeRecord> {
        let items = self.dynamo.items(&self.table).await;
        let people = items.iter().filter(|item| {
            let name = item["sk"].as_s().unwrap();
            name.starts_with("invitee#")
        });
        let people = people.map(|item| serde_json::from_str(item["record"].as_s().unwrap()));
        people.collect::<Result<_, _>>().unwrap()
    }

    async fn event(&self) -> EventRecord {
        let stored = self.store().all_of(Provider::Calendly, "E").await.unwrap();
        stored.unwrap().0
    }

    async fn all_follow(&self, people: usize) {
        let event = self.event().await;
        assert!(event.is_settled());
        let all = self.people().await;
        assert_eq!(all.len(), people);
        for invitee in all {
            assert_eq!(invitee.meeting, event.meeting(), "{}", invitee.uri);
            let comes = invitee.status() == InviteeStatus::Active;
            assert!(!(comes && event.is_canceled()), "{}", invitee.uri);
        }
    }

    async fn dump(&self) -> String {
        let dump = self.dynamo.dump(&self.table).await;
        // The months in use are those in which an event ever was.
        let items = dump.lines().filter(|line| !line.contains("S(\"buckets\")"));
        items.collect::<Vec<_>>().join("\n")
    }

    /// Applies `facts`, stopped around its write number `crash / 2`; then once more, as the queue
    /// brings it back. Answers whether it was stopped.
    async fn apply_stopped(&self, facts: &Facts, crash: u8) -> bool {
        let before = self.calls.happened();
        self.calls.at(crash);
        let applied = self.store().apply(facts.clone()).await;
        let stopped = self.calls.happened() > before;
        assert_eq!(applied.is_err(), stopped);
        self.calls.at(u8::MAX);
        self.store().apply(facts.clone()).await.unwrap();
        stopped
    }
}

#[tokio::test]
async fn groups_of_every_size_follow_their_event() {
    // Beyond the roster, beyond one transaction, beyond what the API shows.
    for people in [2, 51, 120, 1_050] {
        let desk = Desk::of(people).await;
        desk.all_follow(people).await;
        let merged = desk.store().apply(moved(5)).await.unwrap();
        desk.all_follow(people).await;
        assert_eq!(merged.transitions.len(), people, "each is told");
        desk.store().apply(called_off(6)).await.unwrap();
        desk.all_follow(people).await;
        assert_eq!(desk.people().await[0].status(), InviteeStatus::Canceled);
    }
}

#[tokio::test]
async fn a_sync_lets_a_group_follow_too_and_then_writes_nothing() {
    let desk = Desk::of(60).await;
    desk.reconcile(moved(5)).await.unwrap();
    desk.all_follow(60).await;
    let again = desk.reconcile(moved(5)).await.unwrap();
    assert_eq!((again.written, again.transitions.len()), (0, 0));
}

#[tokio::test]
async fn an_event_that_is_gone_takes_its_group_along_and_brings_it_back() {
    let desk = Desk::of(60).await;
    for look in [100, 200] {
        let gone = Facts::not_found(Provider::Calendly, uri(), at(look));
        desk.reconcile(gone).await.unwrap();
        desk.all_follow(60).await;
    }
    assert!(desk.event().await.is_canceled());
    let mut seen = event(0);
    seen.sightings = Sightings::seen(at(300));
    let mut facts = Facts::new(Provider::Calendly);
    facts.add_event(&seen);
    desk.reconcile(facts).await.unwrap();
    assert!(!desk.event().await.is_canceled());
    desk.all_follow(60).await;
}

#[tokio::test]
async fn wherever_it_is_stopped_a_repeat_ends_the_same() {
    let whole = Desk::of(230).await;
    whole.store().apply(called_off(5)).await.unwrap();
    let want = whole.dump().await;
    for crash in 0.. {
        let desk = Desk::of(230).await;
        let stopped = desk.apply_stopped(&called_off(5), crash).await;
        assert!(desk.dump().await == want, "stopped at {crash}");
        if !stopped {
            assert!(crash > 8, "only {crash} places to stop at");
            break;
        }
    }
}

/// What the stopped one left behind is done by whoever touches the event next.
#[tokio::test]
async fn another_message_goes_on_with_what_was_left() {
    for crash in [3, 4, 5, 6] {
        let desk = Desk::of(120).await;
        desk.calls.at(crash);
        desk.store().apply(moved(5)).await.unwrap_err();
        desk.calls.at(u8::MAX);
        assert!(!desk.event().await.is_settled(), "stopped at {crash}");
        desk.store()
            .apply(booked(std::iter::once(3)))
            .await
            .unwrap();
        desk.all_follow(120).await;
    }
}

#[tokio::test]
async fn others_go_on_with_the_group_of_a_sync_that_is_stopped_and_never_comes_back() {
    for crash in 0.. {
        let desk = Desk::of(120).await;
        let stopped = desk.sync_stopped(moved(5), crash).await;
        desk.all_follow(120).await;
        if !stopped {
            let start = desk.event().await.meeting().slot.unwrap().start;
            assert_eq!(start, at(1_005));
            assert!(crash > 4, "only {crash} places to stop at");
            break;
        }
    }
}

/// That the first of some bookings, named by letters, was moved to the second.
fn link(old: &str, new: &str) -> Facts {
    let uri = |name: &str| {
        let uri = format!("https://api.calendly.com/scheduled_events/{name}/invitees/{name}");
        InviteeUri::parse(&uri).unwrap()
    };
    let mut about = InviteeRecord::about(uri(old));
    about.moved_to.insert(uri(new));
    let mut facts = Facts::new(Provider::Calendly);
    facts.add_invitee(&about);
    facts
}

#[tokio::test]
async fn others_go_on_with_the_chain_of_a_sync_that_is_stopped_and_never_comes_back() {
    for crash in 0.. {
        let desk = Desk::new().await;
        for (old, new) in [("A", "B"), ("C", "D"), ("D", "E"), ("E", "F")] {
            desk.store().apply(link(old, new)).await.unwrap();
        }
        let stopped = desk.sync_stopped(link("B", "C"), crash).await;
        let people = desk.people().await;
        let roots = people
            .iter()
            .filter_map(|it| it.lineage.as_ref()?.root.as_ref());
        let roots: Vec<&str> = roots.map(InviteeUri::id).collect();
        let want = if crash > 0 { "AAAAA" } else { "ACCC" };
        assert_eq!(roots.concat(), want, "stopped at {crash}");
        if !stopped {
            assert!(crash > 4, "only {crash} places to stop at");
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn movers_and_joiners_at_once_end_together() {
    let desk = Desk::of(120).await;
    let mut told = vec![moved(5), moved(7), called_off(6)];
    told.extend((120..130).map(|number| booked(std::iter::once(number))));
    let writers = told.into_iter().map(|facts| {
        let store = desk.store();
        async move { while store.apply(facts.clone()).await.is_err() {} }
    });
    futures::future::join_all(writers).await;
    desk.all_follow(130).await;
    assert_eq!(desk.people().await[0].start(), Some(at(1_007)));
}

#[tokio::test]
async fn while_a_group_is_behind_the_api_shows_it_as_it_is() {
    let desk = Desk::of(120).await;
    desk.calls.at(3);
    desk.store().apply(called_off(5)).await.unwrap_err();
    desk.calls.at(u8::MAX);
    assert!(!desk.event().await.is_settled());
    let (store, provider) = (desk.store(), Provider::Calendly);
    let event = store.event(provider, "E").await.unwrap().unwrap();
    let (record, first) = store.open(provider, "E", 50).await.unwrap().unwrap();
    let next = first.next.unwrap();
    let rest = store.invitees_after(&record, &next, 100).await.unwrap();
    let mut shown = [event.invitees, first.items, rest.items].concat();
    let alone = store.invitee(provider, "E", "i0119").await.unwrap();
    shown.push(store.show(provider, &alone.unwrap()).await.unwrap());
    assert_eq!(shown.len(), 120 + 50 + 70 + 1);
    assert!(shown.iter().all(|invitee| invitee.summary.canceled));
    let (_, all) = store.whole(provider, "E").await.unwrap().unwrap();
    assert!(
        all.iter()
            .all(|invitee| invitee.status() == InviteeStatus::Canceled)
    );
}

/// The event with so many guests from the first on.
fn with_guests(version: i64, guests: std::ops::Range<usize>) -> Facts {
    let guests = guests.map(|number| booking::Guest {
        email: format!("g{number:04}@example.com"),
    });
    let mut event = event(version);
    let told = Stamp::new(at(version), at(version));
    event.guests = Some(Latest::new(told, guests.collect()));
    let mut facts = Facts::new(Provider::Calendly);
    facts.add_event(&event);
    facts
}

#[tokio::test]
async fn entries_of_very_many_guests_are_those_of_the_event_wherever_it_is_stopped() {
    let (first, second) = (with_guests(1, 0..150), with_guests(2, 90..250));
    let whole = Desk::new().await;
    for facts in [&first, &second] {
        whole.store().apply(facts.clone()).await.unwrap();
    }
    let want = whole.dump().await;
    // Those who are guests no more are found for their erasure.
    assert_eq!(want.lines().count(), 1 + 250);
    for crash in 0.. {
        let desk = Desk::new().await;
        desk.store().apply(first.clone()).await.unwrap();
        let stopped = desk.apply_stopped(&second, crash).await;
        assert!(desk.dump().await == want, "stopped at {crash}");
        if !stopped {
            assert!(crash > 6, "only {crash} places to stop at");
            break;
        }
    }
}

/// A step holds no more than a transaction, with the check of an event which it leaves as it is: one
/// more booking of a group whose roster is full, beside another event with so many guests.
#[tokio::test]
async fn a_step_that_checks_an_event_leaves_room_for_that() {
    let desk = Desk::of(ROSTER_LIMIT).await;
    for guests in 95..=100 {
        let mut facts = booked([2000 + guests].into_iter());
        let other = format!("https://api.calendly.com/scheduled_events/O{guests}");
        let other = EventUri::parse(&other).unwrap();
        let mut other = EventRecord::about(other, Provider::Calendly);
        let people = (0..guests).map(|number| booking::Guest {
            email: format!("g{number:04}@example.com"),
        });
        let told = Stamp::new(at(1), at(1));
        other.guests = Some(Latest::new(told, people.collect()));
        other.updated_at = Some(at(1));
        facts.add_event(&other);
        let merged = desk.reconcile(facts).await;
        assert_eq!(merged.unwrap().transitions.len(), 1, "{guests}");
    }
    desk.all_follow(ROSTER_LIMIT + 6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_of_very_many_guests_are_those_of_the_event_after_a_lost_race() {
    let whole = Desk::new().await;
    let versions: Vec<Facts> = (0_usize..6)
        .map(|version| {
            with_guests(
                version.try_into().unwrap(),
                version * 40..version * 40 + 130,
            )
        })
        .collect();
    for facts in &versions {
        whole.store().apply(facts.clone()).await.unwrap();
    }
    let want = whole.dump().await;
    let desk = Desk::new().await;
    let writers = versions.into_iter().map(|facts| {
        let store = desk.store();
        async move { while store.apply(facts.clone()).await.is_err() {} }
    });
    futures::future::join_all(writers).await;
    assert!(desk.dump().await == want, "{}", desk.dump().await);
    let query = EventQuery {
        limit: 10,
        ..EventQuery::default()
    };
    for (guest, events) in [("g0000", 0), ("g0329", 1)] {
        let contact = ContactKey::of(&format!("{guest}@example.com"));
        let found = desk.store().activity(&contact, &query).await.unwrap();
        assert_eq!(found.items.len(), events, "{guest}");
    }
}

/// Holds up a process before one of its writes, until others have written.
#[derive(Debug)]
struct Gate {
    /// Writes until it closes.
    countdown: AtomicUsize,
    reached: mpsc::Sender<()>,
    open: Mutex<mpsc::Receiver<()>>,
}

impl Intercept for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target");
        let writes = ["PutItem", "TransactWriteItems"];
        if target.is_some_and(|target| writes.iter().any(|write| target.ends_with(write)))
            && self.countdown.fetch_sub(1, Ordering::SeqCst) == 1
        {
            self.reached.send(()).unwrap();
            self.open.lock().unwrap().recv().unwrap();
        }
        Ok(())
    }
}

impl Desk {
    /// Applies `held`, and before its write of this number, from 1, all of `meanwhile`. Answers what
    /// either did.
    async fn apply_between(&self, held: Facts, write: usize, meanwhile: Facts) -> [Merged; 2] {
        let (reached, is_reached) = mpsc::channel();
        let (opens, open) = mpsc::channel();
        let gate = Gate {
            countdown: AtomicUsize::new(write),
            reached,
            open: Mutex::new(open),
        };
        let config = self.dynamo.client().config().to_builder().interceptor(gate);
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        let store = BookingStore::new(client, self.table.clone());
        let held = tokio::spawn(async move { store.apply(held).await });
        tokio::task::spawn_blocking(move || is_reached.recv().unwrap())
            .await
            .unwrap();
        let meanwhile = self.store().apply(meanwhile).await.unwrap();
        opens.send(()).unwrap();
        [held.await.unwrap().unwrap(), meanwhile]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_joins_while_the_event_is_moved_follows_it() {
    let desk = Desk::of(60).await;
    // The roster is full, so that the event itself isn't written.
    let joins = booked(std::iter::once(999));
    desk.apply_between(joins, 1, moved(5)).await;
    desk.all_follow(61).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_follows_from_an_older_record_is_not_written_any_more() {
    let (older, newer) = (with_guests(1, 0..150), with_guests(2, 90..250));
    let whole = Desk::new().await;
    for facts in [&older, &newer] {
        whole.store().apply(facts.clone()).await.unwrap();
    }
    let desk = Desk::new().await;
    desk.apply_between(older, 2, newer).await;
    assert!(desk.dump().await == whole.dump().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_that_another_made_first_is_told_once() {
    // The event's own write is the first; its people are written from the second on.
    for write in [2, 3] {
        let desk = Desk::of(150).await;
        let [held, meanwhile] = desk
            .apply_between(called_off(5), write, called_off(6))
            .await;
        desk.all_follow(150).await;
        let told = [held.transitions, meanwhile.transitions].concat();
        let canceled = told.iter().filter(|it| **it == Transition::Canceled);
        assert_eq!(canceled.count(), 150, "{told:?}");
    }
}
