//! What a run leaves for its next message, and when that one comes.

use super::*;
use crate::time::NONE_TO_WORK;

impl Stage {
    /// One message of an invocation that ends after `limit`.
    async fn within(&self, job: &SyncJob, limit: Duration) -> (Value, Option<(SyncJob, Duration)>) {
        let batch = json!({"Records": [{"messageId": "m", "body": json!(job).to_string()}]});
        let until = SystemTime::from(ambient::now()) + limit;
        let answer = self.function.handle(batch, until).await.unwrap();
        (answer, self.jobs.drain().pop())
    }

    async fn three_events(&self) {
        for hours in [24, 30, 36] {
            self.book(hours).await;
        }
    }
}

fn is_invitees(url: &reqwest::Url) -> bool {
    url.path().ends_with("/invitees")
}

#[tokio::test]
async fn a_page_that_comes_when_no_call_fits_any_more_is_left_to_the_next_message() {
    let stage = Stage::new().await;
    stage.three_events().await;
    // The list takes what time there was.
    stage
        .wire
        .lasting("/scheduled_events", Duration::from_secs(6));
    let (answer, next) = stage.within(&scheduled(), NONE_TO_WORK).await;
    assert_eq!(answer["batchItemFailures"], json!([]));
    let (next, after) = next.expect("it goes on");
    assert!(after > Duration::ZERO, "but not at once");
    assert_eq!(next.place.as_ref().unwrap().done, [""; 0]);

    stage.wire.straighten();
    let (_, more) = stage.within(&next, LONG).await;
    assert!(more.is_none());
    assert_eq!(stage.stored().await.len(), 3);
}

#[tokio::test]
async fn a_page_of_which_nothing_can_be_read_for_now_is_read_again() {
    let stage = Stage::new().await;
    stage.three_events().await;
    stage
        .wire
        .instead(|url| is_invitees(url).then(|| refusal(503, "Service Unavailable")));
    let (answer, next) = stage.within(&scheduled(), LONG).await;
    assert_eq!(
        answer["batchItemFailures"][0]["itemIdentifier"], "m",
        "{next:?}"
    );
}

#[tokio::test]
async fn events_that_fail_before_a_429_are_read_again_after_it() {
    let stage = Stage::new().await;
    stage.three_events().await;
    let failing = Arc::new(std::sync::Mutex::new(BTreeMap::<String, usize>::new()));
    stage.wire.instead(move |url| {
        let mut failing = failing.lock().unwrap();
        let events = failing.len();
        is_invitees(url).then(|| {
            let known = failing.contains_key(url.path());
            if known || events < 2 {
                *failing.entry(url.path().to_owned()).or_default() += 1;
                refusal(503, "Service Unavailable")
            } else {
                (429, String::new())
            }
        })
    });
    let (_, next) = stage.within(&scheduled(), LONG).await;
    let (next, after) = next.expect("it goes on");
    assert!(after >= Duration::from_secs(60), "{after:?}");
    assert_eq!(next.place.as_ref().unwrap().done, [""; 0]);
    stage.wire.straighten();
    stage.within(&next, LONG).await;
    assert_eq!(stage.stored().await.len(), 3);
}

#[tokio::test]
async fn a_page_of_what_is_stored_already_is_compared_over_messages_when_time_is_short() {
    let stage = Stage::new().await;
    stage.three_events().await;
    stage.sync(LONG).await;
    let (_, next) = stage.within(&scheduled(), NONE_TO_WORK).await;
    let (mut job, _) = next.expect("it goes on");
    assert_eq!(job.place.as_ref().unwrap().done.len(), 1);
    for _ in 1..=3 {
        match stage.within(&job, NONE_TO_WORK).await.1 {
            Some((next, _)) => job = next,
            None => return,
        }
    }
    panic!("still at {:?}", job.place);
}

#[tokio::test]
async fn an_event_that_takes_all_the_time_of_some_messages_is_left_out() {
    let stage = Stage::new().await;
    let (event, _) = stage.book(24).await;
    stage
        .wire
        .instead(|url| is_invitees(url).then(|| refusal(503, "Service Unavailable")));
    stage.wire.lasting("/invitees", Duration::from_secs(580));
    assert_eq!(stage.sync(LONG).await, 4, "messages");
    let sync = stage.told().await;
    assert_eq!((sync.state, sync.error_count), ("done", 1));
    assert!(sync.errors[0].error.contains(&event), "{:?}", sync.errors);
}
