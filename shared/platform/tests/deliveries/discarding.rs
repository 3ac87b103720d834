//! Dead letters that are put away, and what no attempt can mend.

use crate::support::{Log, Told, aws, id, of_status, told};
use jiff::Timestamp;
use platform::deliveries::{Delivery, Discarded, ErrorKind, Failure, Reopened, Status};

/// A dead delivery of this body.
async fn dead(log: &Log, body: &str) {
    log.tell(&told(body, Timestamp::now())).await;
    log.store.dead(&id(body), &aws("e"), 1).await.unwrap();
}

async fn discarded(log: &Log, body: &str) -> Delivery {
    match log.store.discard(&id(body), "on-call", "why").await {
        Ok(Discarded::Now(delivery)) => *delivery,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_discarded_letter_says_who_when_and_why_and_is_dead_no_more() {
    let log = Log::new().await;
    let before = Timestamp::now();
    dead(&log, "d").await;
    let delivery = discarded(&log, "d").await;
    assert_eq!(delivery, log.get("d").await);
    assert_eq!(delivery.status, Status::Discarded);
    assert_eq!(delivery.last_error.as_deref(), Some("e"));
    let discard = delivery.discarded.clone().unwrap();
    assert_eq!(discard.by, "on-call");
    assert_eq!(discard.reason.as_deref(), Some("why"));
    assert!(discard.at.unwrap() >= before);
    assert!(log.list(of_status(Status::Dead)).await.is_empty());
    let listed = log.store.list(&of_status(Status::Discarded)).await.unwrap();
    assert_eq!(listed.items, std::slice::from_ref(&delivery));
    // Once more, by somebody else, changes nothing.
    let again = log.store.discard(&id("d"), "another", "other").await;
    assert_eq!(
        again.unwrap(),
        Discarded::Before(Box::new(delivery.clone()))
    );
    assert_eq!(log.get("d").await, delivery);
}

#[tokio::test]
async fn only_what_is_dead_can_be_discarded() {
    let log = Log::new().await;
    let now = Timestamp::now();
    for status in [Status::Received, Status::Ignored, Status::Unprocessable] {
        log.tell(&Told {
            status,
            ..told(status.as_str(), now)
        })
        .await;
    }
    for body in ["failed", "processed"] {
        log.tell(&told(body, now)).await;
    }
    let store = &log.store;
    store.failed(&id("failed"), &aws("e"), now).await.unwrap();
    store
        .processed(&id("processed"), Some(&[]), &[])
        .await
        .unwrap();
    for status in [
        Status::Received,
        Status::Ignored,
        Status::Unprocessable,
        Status::Failed,
        Status::Processed,
    ] {
        let stood = log.get(status.as_str()).await;
        let answer = store.discard(&id(status.as_str()), "k", "why").await;
        assert_eq!(answer.unwrap(), Discarded::NotDead(status));
        assert_eq!(log.get(status.as_str()).await, stood);
    }
    let unknown = store.discard(&id("never logged"), "k", "why").await;
    assert_eq!(unknown.unwrap(), Discarded::Unknown);
    assert_eq!(store.get(&id("never logged")).await.unwrap(), None);
}

#[tokio::test]
async fn a_redrive_leaves_what_was_discarded_and_a_replay_takes_it_back() {
    let log = Log::new().await;
    dead(&log, "d").await;
    let stood = discarded(&log, "d").await;
    let kept = log.store.reopen_kept(&id("d")).await.unwrap();
    assert_eq!(kept, Reopened::Discarded);
    assert_eq!(log.get("d").await, stood);

    let Reopened::Yes(replayed) = log.store.reopen(&id("d")).await.unwrap() else {
        panic!("it is there");
    };
    assert_eq!(*replayed, log.get("d").await);
    assert_eq!(
        (replayed.status, &replayed.discarded),
        (Status::Received, &None)
    );
    // Dead again, it is like any other.
    log.store.dead(&id("d"), &aws("e"), 1).await.unwrap();
    let kept = log.store.reopen_kept(&id("d")).await.unwrap();
    assert!(matches!(kept, Reopened::Yes(_)));
}

#[tokio::test]
async fn an_attempt_under_way_undoes_a_discard_only_if_it_succeeds() {
    let log = Log::new().await;
    dead(&log, "d").await;
    let stood = discarded(&log, "d").await;
    let (store, id) = (&log.store, id("d"));
    store
        .failed(&id, &aws("late"), Timestamp::now())
        .await
        .unwrap();
    store.dead(&id, &aws("late"), 1).await.unwrap();
    assert_eq!(log.get("d").await, stood);
    store.processed(&id, Some(&[]), &[]).await.unwrap();
    let applied = log.get("d").await;
    assert_eq!(
        (applied.status, applied.discarded),
        (Status::Processed, None)
    );
    assert!(applied.retryable && applied.error_kind.is_none());
}

/// One of the two comes first, and the other finds it so.
#[tokio::test]
async fn a_discard_and_a_redrive_at_once_leave_it_either_discarded_or_sent() {
    let log = Log::new().await;
    for number in 0..20 {
        let body = format!("d{number}");
        dead(&log, &body).await;
        let id = id(&body);
        let (put_away, sent) = tokio::join!(
            log.store.discard(&id, "k", "why"),
            log.store.reopen_kept(&id)
        );
        let status = log.get(&body).await.status;
        match (put_away.unwrap(), sent.unwrap()) {
            (Discarded::Now(_), Reopened::Discarded) => assert_eq!(status, Status::Discarded),
            (Discarded::NotDead(Status::Received), Reopened::Yes(_)) => {
                assert_eq!(status, Status::Received);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_was_discarded_keeps_no_words_about_anybody_who_is_erased() {
    let log = Log::new().await;
    dead(&log, "d").await;
    discarded(&log, "d").await;
    assert!(log.store.erase(&id("d")).await.unwrap());
    let erased = log.get("d").await;
    assert_eq!(erased.status, Status::Discarded);
    assert!(erased.erased_at.is_some() && !erased.retryable);
    let discard = erased.discarded.unwrap();
    assert_eq!((discard.by.as_str(), discard.reason), ("on-call", None));
}

#[tokio::test]
async fn a_delivery_says_whether_another_attempt_can_mend_it() {
    let log = Log::new().await;
    let now = Timestamp::now();
    let stands = async |body: &str| {
        let delivery = log.get(body).await;
        let listed = log.store.list(&of_status(delivery.status)).await.unwrap();
        let mut listed = listed.items.iter();
        let listed = listed.find(|listed| listed.id == delivery.id).unwrap();
        assert_eq!(listed.retryable, delivery.retryable);
        assert_eq!(listed.error_kind, delivery.error_kind);
        (delivery.retryable, delivery.error_kind)
    };
    for (kind, retryable) in [
        (ErrorKind::Aws, true),
        (ErrorKind::Stopped, true),
        (ErrorKind::TooLarge, false),
        (ErrorKind::Corrupt, false),
    ] {
        let body = kind.as_str();
        log.tell(&told(body, now)).await;
        assert_eq!(stands(body).await, (true, None));
        let failure = Failure::new(kind, "e");
        log.store.dead(&id(body), &failure, 1).await.unwrap();
        assert_eq!(stands(body).await, (retryable, Some(kind)));
        // While it is tried again nobody knows.
        log.store.reopen(&id(body)).await.unwrap();
        assert_eq!(stands(body).await, (true, Some(kind)));
    }
    log.tell(&Told {
        status: Status::Unprocessable,
        ..told("no JSON", now)
    })
    .await;
    assert_eq!(
        stands("no JSON").await,
        (false, Some(ErrorKind::Unreadable))
    );
    log.tell(&told("erased", now)).await;
    log.store.erase(&id("erased")).await.unwrap();
    assert_eq!(stands("erased").await, (false, None));
}
