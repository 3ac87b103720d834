//! Erased bodies are gone, and what stays says so.

use crate::support::{Log, Told, aws, id, ids, of_status, told};
use jiff::{SignedDuration, Timestamp};
use platform::deliveries::{Body, MAX_BODY, Open, Recorded, Reopened, Status};

#[tokio::test]
async fn an_erased_body_is_gone_with_all_its_parts_and_stays_gone() {
    let log = Log::new().await;
    let now = Timestamp::now();
    for (body, parts) in [(b"a small body".to_vec(), 1), (testkit::noise(MAX_BODY), 3)] {
        let (told, id) = (told(&body, now), id(&body));
        assert_eq!(log.tell(&told).await, Recorded::New);
        let dump = log.dynamo.dump("deliveries").await;
        assert_eq!(
            dump.matches(id.as_str()).count(),
            parts + 2,
            "with its keys"
        );
        assert_eq!(log.store.body(&id).await.unwrap(), Body::Kept(body.clone()));

        assert!(log.store.erase(&id).await.unwrap());
        assert!(
            !log.store.erase(&id).await.unwrap(),
            "there is nothing left"
        );
        let gone = async || {
            let dump = log.dynamo.dump("deliveries").await;
            let lines: Vec<&str> = dump.lines().filter(|l| l.contains(id.as_str())).collect();
            assert_eq!(lines.len(), 1, "no part is left");
            assert!(!lines[0].contains("\"body\"") && !lines[0].contains("bodyParts"));
        };
        gone().await;
        assert_eq!(log.store.body(&id).await.unwrap(), Body::Erased);
        let (delivery, kept) = log.store.get_with_body(&id).await.unwrap().unwrap();
        assert_eq!(kept, None);
        assert_eq!(delivery.status, Status::Ignored);
        assert!(delivery.erased_at.unwrap() >= now);
        assert!(
            delivery
                .last_error
                .as_deref()
                .unwrap()
                .starts_with("erased: ")
        );

        // Calendly sends it again; an operator wants it again; a worker still fails on it.
        let again = log.tell(&told).await;
        assert!(matches!(
            again,
            Recorded::Duplicate {
                status: Status::Ignored,
                ..
            }
        ));
        assert_eq!(log.store.reopen(&id).await.unwrap(), Reopened::Erased);
        log.store.failed(&id, &aws("e"), now).await.unwrap();
        log.store.dead(&id, &aws("e"), 1).await.unwrap();
        gone().await;
        let after = log.store.get(&id).await.unwrap().unwrap();
        assert_eq!(after, delivery);
    }
    let unknown = id("never logged");
    assert!(!log.store.erase(&unknown).await.unwrap());
    assert_eq!(log.store.body(&unknown).await.unwrap(), Body::Unknown);
}

#[tokio::test]
async fn what_was_settled_keeps_its_status_and_the_rest_is_ignored() {
    let log = Log::new().await;
    let now = Timestamp::now();
    let bodies = ["received", "failed", "dead", "processed", "unprocessable"];
    for body in bodies {
        let status = if body == "unprocessable" {
            Status::Unprocessable
        } else {
            Status::Received
        };
        log.tell(&Told {
            status,
            ..told(body, now - SignedDuration::from_hours(1))
        })
        .await;
    }
    log.store
        .failed(&id("failed"), &aws("e"), now)
        .await
        .unwrap();
    log.store.dead(&id("dead"), &aws("e"), 1).await.unwrap();
    log.store
        .processed(&id("processed"), Some(&[]), &[])
        .await
        .unwrap();
    for body in bodies {
        assert!(log.store.erase(&id(body)).await.unwrap());
    }
    let listed = async |status| {
        let page = log.store.list(&of_status(status)).await.unwrap();
        assert!(
            page.items
                .iter()
                .all(|delivery| delivery.erased_at.is_some())
        );
        ids(&page.items)
    };
    assert_eq!(
        listed(Status::Ignored).await,
        [id("dead"), id("failed"), id("received")]
    );
    assert_eq!(listed(Status::Processed).await, [id("processed")]);
    assert_eq!(listed(Status::Unprocessable).await, [id("unprocessable")]);
    for gone in [Status::Received, Status::Failed, Status::Dead] {
        assert!(listed(gone).await.is_empty());
    }
    assert_eq!(log.get("failed").await.next_attempt_at, None);
    let open = log.store.open().await.unwrap();
    assert_eq!(open, Open::default(), "no sweep sends it again");
}

#[tokio::test]
async fn an_erasure_that_breaks_off_is_whole_or_not_there() {
    let log = Log::new().await;
    let body = testkit::noise(MAX_BODY);
    log.tell(&told(&body, Timestamp::now())).await;
    for (crash, done) in [(0, false), (1, true)] {
        log.calls.at(crash);
        assert!(log.store.erase(&id(&body)).await.is_err());
        let kept = log.store.body(&id(&body)).await.unwrap();
        assert_eq!(kept == Body::Erased, done);
        let lines = log.dynamo.dump("deliveries").await.lines().count();
        assert_eq!(lines, if done { 1 } else { 3 });
    }
    assert_eq!(log.calls.happened(), 2);
}

#[tokio::test]
async fn what_is_left_of_a_body_takes_its_place_with_no_part_left_behind() {
    let log = Log::new().await;
    let now = Timestamp::now();
    let body = testkit::noise(MAX_BODY);
    log.tell(&told(&body, now)).await;
    let id = id(&body);
    log.store.dead(&id, &aws("e"), 1).await.unwrap();
    let left = b"{\"left\": true}";
    let replace = |seen| log.store.replace_body(&id, seen, left);
    assert!(
        !replace(Status::Received).await.unwrap(),
        "it stands otherwise"
    );
    assert_eq!(log.store.body(&id).await.unwrap(), Body::Kept(body.clone()));

    assert!(replace(Status::Dead).await.unwrap());
    assert_eq!(log.store.body(&id).await.unwrap(), Body::Kept(left.into()));
    assert_eq!(log.dynamo.dump("deliveries").await.lines().count(), 1);
    let delivery = log.store.get(&id).await.unwrap().unwrap();
    assert_eq!((delivery.status, delivery.erased_at), (Status::Dead, None));

    assert!(log.store.erase(&id).await.unwrap());
    assert!(
        !replace(Status::Ignored).await.unwrap(),
        "what is erased stays so"
    );
    assert_eq!(log.store.body(&id).await.unwrap(), Body::Erased);
}

#[tokio::test]
async fn what_is_left_of_a_large_body_is_kept_in_parts() {
    let log = Log::new().await;
    let body = testkit::noise(MAX_BODY);
    log.tell(&told(&body, Timestamp::now())).await;
    let id = id(&body);
    let expiries = async || {
        let items = log.dynamo.items("deliveries").await;
        let items = items.iter().map(|item| item["expiresAt"].clone());
        items.collect::<Vec<_>>()
    };
    let before = expiries().await;
    for (bytes, parts) in [(600_000, 2), (MAX_BODY, 3), (10, 1)] {
        let left = testkit::noise(bytes);
        let replaced = log.store.replace_body(&id, Status::Received, &left);
        assert!(replaced.await.unwrap());
        assert_eq!(log.store.body(&id).await.unwrap(), Body::Kept(left));
        assert_eq!(expiries().await, before[..parts], "{bytes}");
    }
}
