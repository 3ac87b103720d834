//! Events that a connection can't tell of: those of colleagues, and of other organizations.

use super::*;
use booking::EventUri;
use platform::syncs::Missed;
use sandbox::{EventChange, NewBooking, Role};

const DANA: &str = "AAAAHOSTUSER0001";
const SAM: &str = "AAAAHOSTUSER0002";
const RAE: &str = "AAAAHOSTUSER0003";
const FIRST: &str = "AAAAORG000000001";
const SECOND: &str = "AAAAORG000000002";

fn of(user: &str) -> ConnectionId {
    ConnectionId::from_user_uri(&format!("https://api.calendly.com/users/{user}")).unwrap()
}

impl Stage {
    /// Connects an account, or authorizes it again, from the organization that it is in.
    async fn connect(&self, user: &str) {
        let accounts = self.sandbox.world().accounts();
        let account = accounts.iter().find(|account| account.id == user).unwrap();
        let (user_uri, organization) = (&account.uri, &account.organization);
        let base = "http://127.0.0.1:1";
        let (id, connections) = (of(user), &self.function.connections);
        let made = connections.authorized(&id, user_uri, organization, &[], base);
        made.await.unwrap();
        let tokens = Tokens {
            access_token: self.sandbox.world().personal_token(user).unwrap(),
            refresh_token: None,
            expires_at: None,
        };
        self.function.vault.put(user, tokens);
    }

    /// One run of a connection, and all that follows from it. Answers which connections had a part in
    /// it.
    async fn run(&self, user: &str) -> Vec<String> {
        let mut jobs = vec![SyncJob {
            connection_id: Some(of(user)),
            ..SyncJob::default()
        }];
        let mut parts = Vec::new();
        while let Some(job) = jobs.pop() {
            let connection = job.connection_id.as_ref();
            parts.extend(connection.map(|id| id.as_str().to_owned()));
            let answer = Box::pin(self.once(&job)).await;
            assert_eq!(answer["batchItemFailures"], json!([]));
            jobs.extend(self.jobs.drain().into_iter().map(|(job, _)| job));
            assert!(parts.len() < 20, "it comes to an end");
        }
        parts
    }

    /// Some runs of a connection, a quarter of an hour apart.
    async fn runs(&self, user: &str) {
        for _ in 0..3 {
            self.run(user).await;
            self.clock.minutes(15);
        }
    }

    fn booked(&self, kind: &str) -> String {
        let start = ambient::now() + SignedDuration::from_hours(30);
        let mut new = NewBooking::new("Robin Example", "robin@example.com", start);
        new.event_type = Some(kind.to_owned());
        self.sandbox.world().book(new).unwrap().event
    }

    /// An event with Sam that only his connection was told of, while Dana's lists all.
    async fn told_to_sam(&self) -> String {
        self.connect(SAM).await;
        self.run(DANA).await;
        let event = self.booked("Office Visit");
        self.run(SAM).await;
        assert_eq!(self.tellers(&event).await, [SAM]);
        event
    }

    async fn tellers(&self, event: &str) -> Vec<String> {
        let uri = format!("https://api.calendly.com/scheduled_events/{event}");
        let uri = EventUri::parse(&uri).unwrap();
        let bookings = &self.function.bookings;
        let found = bookings.events(Provider::Calendly, [uri.clone()]).await;
        let found = found.unwrap();
        let tellers = found[&uri].connections.iter();
        tellers.map(|id| id.as_str().to_owned()).collect()
    }

    async fn is_active(&self, event: &str) -> bool {
        self.stored().await[event]["status"] == "active"
    }

    /// Lets Calendly answer as if some events weren't there, as it may to whoever may not see them.
    fn hide(&self, events: &[&str]) {
        let path = |event: &&str| format!("/scheduled_events/{event}");
        let hidden: Vec<String> = events.iter().map(path).collect();
        self.wire.instead(move |url| {
            let is_hidden = hidden.iter().any(|path| url.path() == path);
            is_hidden.then(|| refusal(404, "Resource Not Found"))
        });
    }

    fn delete_now(&self, event: &str) {
        self.sandbox.world().delete_event(event).unwrap();
    }
}

#[tokio::test]
async fn an_event_that_only_a_member_was_told_of_is_gone_if_an_owner_does_not_find_it_twice() {
    let stage = Stage::new().await;
    let event = stage.told_to_sam().await;
    assert_eq!(
        stage.run(SAM).await,
        [SAM],
        "nobody is asked of what is there"
    );
    stage.delete_now(&event);

    assert_eq!(stage.run(SAM).await, [SAM, DANA]);
    stage.run(SAM).await;
    assert!(stage.is_active(&event).await, "no time has passed");
    let stored = stage.stored().await[&event].clone();
    assert!(stored["missingSince"].is_string(), "{stored:#}");

    stage.clock.minutes(15);
    stage.run(SAM).await;
    assert!(!stage.is_active(&event).await);

    let written = stage.calls.writes();
    assert_eq!(stage.run(SAM).await, [SAM]);
    assert_eq!(stage.calls.writes(), written);
}

#[tokio::test]
async fn an_owner_without_a_call_left_is_asked_again_a_little_later() {
    let stage = Stage::new().await;
    let event = stage.told_to_sam().await;
    stage.delete_now(&event);
    let asked = SyncJob {
        connection_id: Some(of(DANA)),
        missed: Some(Missed {
            event: EventUri::parse(&format!(
                "https://api.calendly.com/scheduled_events/{event}"
            ))
            .unwrap(),
            organization: format!("https://api.calendly.com/organizations/{FIRST}"),
            looks: 0,
        }),
        ..SyncJob::default()
    };
    let none_left = |_: &reqwest::Url| Some(refusal(429, "Too Many Requests"));
    stage.wire.instead(none_left);
    let mut job = asked.clone();
    for wait in [60, 120, 240, 480] {
        stage.once(&job).await;
        let (again, delay) = stage.jobs.drain().pop().unwrap();
        assert_eq!(delay.as_secs(), wait);
        job = again;
    }
    let missing = async || stage.stored().await[&event]["missingSince"].is_string();
    stage.once(&job).await;
    assert!(stage.jobs.drain().is_empty(), "it comes to an end");
    assert!(!missing().await);

    stage.once(&asked).await;
    let (again, _) = stage.jobs.drain().pop().unwrap();
    stage.wire.instead(|_| None);
    stage.once(&again).await;
    assert!(stage.jobs.drain().is_empty());
    assert!(missing().await);
}

#[tokio::test]
async fn an_owner_who_is_one_no_longer_is_asked_once_and_not_believed() {
    let stage = Stage::new().await;
    let event = stage.told_to_sam().await;
    stage.delete_now(&event);
    let world = stage.sandbox.world();
    world.set_role(DANA, Role::User).unwrap();

    assert_eq!(stage.run(SAM).await, [SAM, DANA]);
    assert_eq!(stage.run(SAM).await, [SAM], "she is not asked again");
    stage.runs(SAM).await;
    stage.runs(DANA).await;
    stage.runs(SAM).await;
    let stored = stage.stored().await[&event].clone();
    assert_eq!(stored["status"], "active");
    assert_eq!(stored["missingSince"], Value::Null);

    world.set_role(DANA, Role::Owner).unwrap();
    stage.run(DANA).await;
    stage.runs(SAM).await;
    assert!(!stage.is_active(&event).await, "she is one again");
}

#[tokio::test]
async fn the_owner_of_another_organization_is_not_asked() {
    let stage = Stage::new().await;
    let event = stage.told_to_sam().await;
    stage.function.connections.remove(&of(DANA)).await.unwrap();
    stage.connect(RAE).await;
    stage.run(RAE).await;
    stage.delete_now(&event);
    for _ in 0..3 {
        assert_eq!(stage.run(SAM).await, [SAM]);
        stage.clock.minutes(15);
    }
    assert!(stage.is_active(&event).await);
}

#[tokio::test]
async fn an_owner_who_has_to_authorize_again_is_asked_from_then_on() {
    let stage = Stage::new().await;
    let event = stage.told_to_sam().await;
    let connections = &stage.function.connections;
    connections.needs_reauth(&of(DANA), None).await.unwrap();
    stage.delete_now(&event);
    for _ in 0..3 {
        assert_eq!(stage.run(SAM).await, [SAM]);
        stage.clock.minutes(15);
    }
    assert!(stage.is_active(&event).await);

    stage.connect(DANA).await;
    stage.runs(SAM).await;
    assert!(!stage.is_active(&event).await);
}

#[tokio::test]
async fn an_owner_who_lost_her_access_does_not_hide_others_who_list_all() {
    let stage = Stage::new().await;
    let event = stage.told_to_sam().await;
    let connections = &stage.function.connections;
    for number in 0..9 {
        let user = format!("https://api.calendly.com/users/GONE{number}");
        let id = ConnectionId::from_user_uri(&user).unwrap();
        let made = connections.authorized(&id, &user, ORGANIZATION, &[], "https://example.com");
        made.await.unwrap();
        let connection = connections.get(&id).await.unwrap().unwrap();
        connections.lists_all(&connection, true).await.unwrap();
        connections.needs_reauth(&id, None).await.unwrap();
    }
    stage.delete_now(&event);
    for _ in 0..40 {
        stage.run(SAM).await;
        stage.clock.minutes(15);
    }
    assert!(!stage.is_active(&event).await);
}

#[tokio::test]
async fn an_event_that_was_given_to_a_colleague_stays_and_is_looked_for_by_who_sees_it() {
    let stage = Stage::new().await;
    let event = stage.told_to_sam().await;
    let given = EventChange {
        host: Some(DANA.to_owned()),
        ..EventChange::default()
    };
    stage.sandbox.world().change_event(&event, given).unwrap();
    // To Sam it is as if it weren't there.
    let (path, mut asked) = (format!("/scheduled_events/{event}"), 0);
    stage.wire.instead(move |url| {
        let is_sam = url.path() == path && asked == 0;
        asked += u32::from(is_sam);
        is_sam.then(|| refusal(404, "Resource Not Found"))
    });
    assert_eq!(stage.run(SAM).await, [SAM, DANA]);
    stage.wire.straighten();
    let stored = stage.stored().await[&event].clone();
    assert_eq!(stored["status"], "active");
    assert_eq!(stored["hosts"][0]["email"], "dana.host@example.com");
    assert_eq!(stage.tellers(&event).await, [DANA, SAM]);

    stage.wire.asked();
    assert_eq!(stage.run(SAM).await, [SAM]);
    let asked = stage.wire.asked();
    assert!(
        !asked.iter().any(|url| url.path().contains(&event)),
        "{asked:?}"
    );

    stage.delete_now(&event);
    stage.runs(DANA).await;
    assert!(!stage.is_active(&event).await);
}

#[tokio::test]
async fn a_member_asks_nobody_of_an_event_that_an_owner_looks_for() {
    let stage = Stage::new().await;
    let event = stage.told_to_sam().await;
    stage.run(DANA).await;
    assert_eq!(stage.tellers(&event).await, [DANA, SAM]);
    stage.delete_now(&event);
    assert_eq!(stage.run(SAM).await, [SAM]);
    stage.runs(DANA).await;
    assert!(!stage.is_active(&event).await);
}

#[tokio::test]
async fn an_owner_who_authorizes_from_another_organization_cancels_nothing_of_the_former_one() {
    let stage = Stage::new().await;
    let former = stage.booked("Product Demo");
    stage.run(DANA).await;
    let world = stage.sandbox.world();
    world.move_account(DANA, SECOND, Role::Owner).unwrap();
    stage.connect(DANA).await;
    stage.hide(&[&former]);
    // The former organization's subscription goes on telling.
    let start = ambient::now() + SignedDuration::from_hours(40);
    stage.told_of("FORMER", "P", start).await;
    stage.runs(DANA).await;
    assert!(stage.is_active(&former).await);
    assert!(stage.is_active("FORMER").await);

    // And what is deleted in the new one is found to be.
    let there = stage.booked("Product Demo");
    stage.run(DANA).await;
    assert!(stage.is_active(&there).await);
    stage.delete_now(&there);
    stage.runs(DANA).await;
    assert!(!stage.is_active(&there).await);
    let written = stage.calls.writes();
    stage.run(DANA).await;
    assert_eq!(stage.calls.writes(), written);

    // Back again, it is the other way round.
    let there = stage.booked("Product Demo");
    stage.run(DANA).await;
    world.move_account(DANA, FIRST, Role::Owner).unwrap();
    stage.hide(&[&there]);
    stage.connect(DANA).await;
    stage.run(DANA).await;
    stage.delete_now(&former);
    stage.runs(DANA).await;
    assert!(!stage.is_active(&former).await);
    assert!(stage.is_active(&there).await);
}

#[tokio::test]
async fn nor_does_one_who_was_disconnected_in_between() {
    let stage = Stage::new().await;
    let former = stage.booked("Product Demo");
    stage.run(DANA).await;
    let world = stage.sandbox.world();
    world.move_account(DANA, SECOND, Role::Owner).unwrap();
    stage.function.connections.remove(&of(DANA)).await.unwrap();
    stage.connect(DANA).await;
    stage.hide(&[&former]);
    stage.runs(DANA).await;
    assert!(stage.is_active(&former).await);

    // From where it came from, all is as it was.
    world.move_account(DANA, FIRST, Role::Owner).unwrap();
    stage.function.connections.remove(&of(DANA)).await.unwrap();
    stage.connect(DANA).await;
    stage.run(DANA).await;
    stage.delete_now(&former);
    stage.runs(DANA).await;
    assert!(!stage.is_active(&former).await);
}

#[tokio::test]
async fn an_account_that_moves_without_a_word_is_followed_and_cancels_nothing_either() {
    let stage = Stage::new().await;
    stage.connect(SAM).await;
    stage.run(DANA).await;
    let world = stage.sandbox.world();
    world.move_account(SAM, SECOND, Role::User).unwrap();
    let there = stage.booked("Office Visit");
    stage.run(SAM).await;
    let sam = stage.function.connections.get(&of(SAM)).await.unwrap();
    let second = "https://api.calendly.com/organizations/AAAAORG000000002";
    assert_eq!(sam.unwrap().organization_uri, second);
    assert_eq!(stage.tellers(&there).await, [SAM]);

    world.move_account(SAM, FIRST, Role::User).unwrap();
    stage.hide(&[&there]);
    stage.runs(SAM).await;
    assert!(stage.is_active(&there).await);
}

#[tokio::test]
async fn an_owner_who_moves_without_a_word_lists_all_of_the_new_organization() {
    let stage = Stage::new().await;
    let former = stage.booked("Product Demo");
    stage.run(DANA).await;
    let world = stage.sandbox.world();
    world.move_account(DANA, SECOND, Role::Owner).unwrap();
    stage.hide(&[&former]);
    let call = stage.booked("Phone Call");
    stage.runs(DANA).await;
    assert!(stage.is_active(&former).await);
    assert!(stage.is_active(&call).await);
    stage.delete_now(&call);
    stage.runs(DANA).await;
    assert!(!stage.is_active(&call).await);
}
