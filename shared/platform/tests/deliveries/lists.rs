//! What a list shows.

use crate::support::{Log, Told, all, aws, days, id, ids, now, of_status, told};
use jiff::{SignedDuration, Timestamp};
use platform::deliveries::{
    About, Delivery, DeliveryCursor, DeliveryId, DeliveryQuery, Reopened, Status,
};

#[tokio::test]
async fn each_status_has_its_list_and_a_delivery_is_in_one_at_a_time() {
    let log = Log::new().await;
    let now = Timestamp::now();
    let names = [
        "received",
        "failed",
        "dead",
        "processed",
        "set aside",
        "unreadable",
        "reopened",
        "discarded",
    ];
    for (n, name) in (1..).zip(names) {
        log.tell(&told(name, now - SignedDuration::from_secs(n)))
            .await;
    }
    let ignored = Told {
        status: Status::Ignored,
        ..told("ignored", now - SignedDuration::from_secs(9))
    };
    log.tell(&ignored).await;
    let store = &log.store;
    store.failed(&id("failed"), &aws("e"), now).await.unwrap();
    store.failed(&id("dead"), &aws("e"), now).await.unwrap();
    store
        .dead(&id("dead"), &aws("gone wrong"), 1)
        .await
        .unwrap();
    let made = [booking::Transition::Scheduled];
    store
        .processed(&id("processed"), Some(&made), &[])
        .await
        .unwrap();
    let (aside, unreadable) = (id("set aside"), id("unreadable"));
    let set = store.set_aside(&aside, Status::Ignored, None);
    set.await.unwrap();
    let why = aws("why");
    let set = store.set_aside(&unreadable, Status::Unprocessable, Some(&why));
    set.await.unwrap();
    store
        .dead(&id("reopened"), &aws("gone wrong"), 1)
        .await
        .unwrap();
    store.reopen(&id("reopened")).await.unwrap();
    let discarded = id("discarded");
    store.dead(&discarded, &aws("e"), 1).await.unwrap();
    store.discard(&discarded, "on-call", "why").await.unwrap();

    let lists = [
        (Status::Received, vec!["reopened", "received"]),
        (Status::Failed, vec!["failed"]),
        (Status::Dead, vec!["dead"]),
        (Status::Processed, vec!["processed"]),
        (Status::Ignored, vec!["set aside", "ignored"]),
        (Status::Unprocessable, vec!["unreadable"]),
        (Status::Discarded, vec!["discarded"]),
    ];
    for (status, want) in lists {
        let want: Vec<DeliveryId> = want.iter().map(id).collect();
        assert_eq!(log.list(of_status(status)).await, want, "{status:?}");
    }
    let every: Vec<DeliveryId> = names.iter().chain(&["ignored"]).map(id).collect();
    assert_eq!(log.list(all()).await, every);

    // A list shows all that a single delivery shows.
    for query in [all(), of_status(Status::Dead), of_status(Status::Processed)] {
        for listed in log.store.list(&query).await.unwrap().items {
            let got = log.store.get(&listed.id).await.unwrap();
            let shown = |delivery: &Delivery| serde_json::to_value(delivery).unwrap();
            assert_eq!(got.as_ref().map(shown), Some(shown(&listed)));
        }
    }
}

#[tokio::test]
async fn dead_letters_page_until_they_are_redriven() {
    let log = Log::new().await;
    let body = |n: u8| vec![b'b', n];
    for n in 0..7 {
        log.tell(&told(body(n), Timestamp::now())).await;
        if n != 3 {
            log.store
                .dead(&id(body(n)), &aws("gone wrong"), 1)
                .await
                .unwrap();
        }
    }
    let list = async || {
        let query = DeliveryQuery {
            limit: 2,
            ..of_status(Status::Dead)
        };
        log.list(query).await
    };
    let want = |numbers: &[u8]| -> Vec<_> { numbers.iter().map(|n| id(body(*n))).collect() };
    assert_eq!(list().await, want(&[6, 5, 4, 2, 1, 0]));

    let Reopened::Yes(reopened) = log.store.reopen(&id(body(4))).await.unwrap() else {
        panic!("it is there");
    };
    assert_eq!(reopened.status, Status::Received);
    assert_eq!(list().await, want(&[6, 5, 2, 1, 0]));
    let unknown = log.store.reopen(&id("never logged")).await.unwrap();
    assert_eq!(unknown, Reopened::Unknown);
}

#[tokio::test]
async fn filters_alone_and_together_keep_what_fits() {
    let log = Log::new().await;
    let now = now();
    let events = ["invitee.created", "invitee.canceled", "event_type.updated"];
    let statuses = [
        Status::Received,
        Status::Ignored,
        Status::Received,
        Status::Unprocessable,
    ];
    // Over 70 days, so that months begin in between.
    let at = |n: usize| now - SignedDuration::from_hours(28 * i64::try_from(n).unwrap());
    let history: Vec<Told> = (0..60)
        .map(|n| Told {
            event: events[n % 3],
            status: statuses[n % 4],
            about: n.is_multiple_of(5).then(|| About::event("e1")),
            ..told(format!("b{n}"), at(n))
        })
        .collect();
    log.tell_all(&history).await;
    // Their status is of today, whenever they came; the last is the newest in its list.
    for n in (0..60).rev().filter(|n| n % 4 == 2) {
        let id = id(format!("b{n}"));
        match n % 3 {
            0 => log.store.processed(&id, Some(&[]), &[]).await.unwrap(),
            _ => log.store.dead(&id, &aws("e"), 1).await.unwrap(),
        }
    }
    let mut now_so = Vec::new();
    for told in &history {
        now_so.push((log.get(&told.body).await, told));
    }

    let times = [None, Some(at(45)), Some(at(20)), Some(at(3))];
    let of_one = |n: usize| (None, Some(id(format!("b{n}")).as_str()[..8].to_owned()));
    let about = (Some(About::event("e1")), None);
    let narrowed = [(None, None), about, of_one(0), of_one(2)];
    let mut shown = 0;
    for ((about, id_prefix), status) in narrowed.iter().flat_map(|narrow| {
        let statuses = [Status::Received, Status::Processed, Status::Dead];
        let statuses = statuses.map(Some).into_iter().chain([None]);
        statuses.map(move |status| (narrow, status))
    }) {
        // All together is less than each with each.
        let few = if about.is_some() || id_prefix.is_some() {
            2
        } else {
            4
        };
        let names = [None, Some(events[0]), Some(events[2]), Some("never.told")];
        for event in names.into_iter().take(few) {
            let spans = times.iter().flat_map(|from| times.map(|to| (*from, to)));
            for (from, to) in spans.step_by(9 - 2 * few) {
                let query = DeliveryQuery {
                    status,
                    event: event.map(str::to_owned),
                    about: about.clone(),
                    id_prefix: id_prefix.clone(),
                    from,
                    to,
                    limit: 4,
                    ..all()
                };
                let fits = now_so.iter().filter(|(delivery, told)| {
                    status.is_none_or(|status| delivery.status == status)
                        && event.is_none_or(|event| told.event == event)
                        && (about.is_none() || told.about == *about)
                        && id_prefix
                            .as_ref()
                            .is_none_or(|prefix| delivery.id.as_str().starts_with(prefix))
                        && from.is_none_or(|from| told.at >= from)
                        && to.is_none_or(|to| told.at < to)
                });
                let want: Vec<_> = fits.map(|(delivery, _)| delivery.id.clone()).collect();
                shown += want.len();
                assert_eq!(log.list(query.clone()).await, want, "{query:?}");
            }
        }
    }
    assert!(shown > 300, "only {shown} deliveries fit any query");
}

#[tokio::test]
async fn the_edges_of_a_span_are_exact_to_the_microsecond() {
    let log = Log::new().await;
    let edge = now() - SignedDuration::from_hours(1);
    let micro = SignedDuration::from_micros(1);
    for (name, at) in [
        ("before", edge - micro),
        ("at", edge),
        ("after", edge + micro),
    ] {
        log.tell(&told(name, at)).await;
    }
    for status in [None, Some(Status::Received)] {
        let from = |from| DeliveryQuery {
            status,
            from: Some(from),
            ..all()
        };
        let to = |to| DeliveryQuery {
            status,
            to: Some(to),
            ..all()
        };
        let nano = SignedDuration::from_nanos(1);
        assert_eq!(log.list(from(edge)).await, [id("after"), id("at")]);
        assert_eq!(log.list(from(edge + nano)).await, [id("after")]);
        assert_eq!(log.list(to(edge)).await, [id("before")]);
        assert_eq!(log.list(to(edge + nano)).await, [id("at"), id("before")]);
    }
}

#[tokio::test]
async fn what_has_passed_its_time_is_not_shown() {
    let log = Log::new().await;
    let about = About::event("e1");
    let long_ago = Timestamp::now() - days(20);
    for (body, retention) in [("gone", days(19)), ("kept", days(21))] {
        log.tell(&Told {
            retention,
            about: Some(about.clone()),
            ..told(body, long_ago)
        })
        .await;
    }
    assert_eq!(log.list(all()).await, [id("kept")]);
    assert_eq!(log.list(of_status(Status::Received)).await, [id("kept")]);
    let page = log.store.about(&about, None, 10).await.unwrap();
    assert_eq!(ids(&page.items), [id("kept")]);
}

#[tokio::test]
async fn what_was_told_about_one_thing_pages_from_the_oldest() {
    let log = Log::new().await;
    let now = Timestamp::now();
    let history: Vec<Told> = (0..30)
        .map(|n| Told {
            about: match n % 3 {
                0 => Some(About::event("e1")),
                1 => Some(About::submission("e1")),
                _ => None,
            },
            ..told(format!("b{n}"), now - days(60 - n))
        })
        .collect();
    log.tell_all(&history).await;
    for limit in [1, 3, 10, 20] {
        for (about, first) in [(About::event("e1"), 0), (About::submission("e1"), 1)] {
            let (mut got, mut after) = (Vec::new(), None);
            loop {
                let page = log
                    .store
                    .about(&about, after.as_ref(), limit)
                    .await
                    .unwrap();
                assert!(page.items.len() == limit || page.next.is_none());
                got.extend(ids(&page.items));
                assert!(
                    page.next.is_none() || page.next != after,
                    "each page goes on"
                );
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let want: Vec<_> = (first..30)
                .step_by(3)
                .map(|n| id(format!("b{n}")))
                .collect();
            assert_eq!(got, want, "{about} by {limit}");
        }
    }
    let nothing = log.store.about(&About::event("e2"), None, 5).await.unwrap();
    assert!(nothing.items.is_empty() && nothing.next.is_none());
}

#[test]
fn a_cursor_has_one_form() {
    let time = "2026-11-20T09:15:01.123456Z";
    let digest = "a".repeat(64);
    for good in [time.to_owned(), format!("{time}#{digest}")] {
        assert_eq!(DeliveryCursor::parse(&good).unwrap().to_string(), good);
    }
    let bad = [
        String::new(),
        "x".to_owned(),
        digest.clone(),
        "2026-11-20T09:15:01Z".to_owned(),
        "2026-11-20T10:15:01.123456+01:00".to_owned(),
        format!("{time}#"),
        format!("{time}#{digest}a"),
        format!("{time}#{digest}#"),
        format!("{time}\n"),
    ];
    for bad in bad {
        assert_eq!(DeliveryCursor::parse(&bad), None, "{bad}");
    }
}
