//! What becomes of requests is counted for whoever asks whether all is well.

use super::*;
use platform::traffic::Traffic;

async fn read(dynamo: &Dynamo) -> Traffic {
    let store = TrafficStore::new(dynamo.client(), "limits".to_owned());
    store.read(Timestamp::now()).await.unwrap()
}

fn counts(traffic: &Traffic) -> Vec<(Outcome, u64)> {
    let count = |outcome| (outcome, traffic.within(outcome, 0..i64::MAX));
    let all = Outcome::ALL.map(count);
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

#[tokio::test]
async fn each_outcome_is_counted_as_what_it_is_and_at_once() {
    let body = fixture("invitee.created.json");
    let now = Timestamp::now().as_second();
    let mut unsigned = signed(&body);
    unsigned.headers_mut().remove(signature::HEADER);
    let cases = [
        (signed(&body), vec![(Outcome::Verified, 1)]),
        (
            signed(b"not json"),
            vec![(Outcome::Verified, 1), (Outcome::Unreadable, 1)],
        ),
        (
            request(&body, &sign("another key", now, &body)),
            vec![(Outcome::Mismatch, 1)],
        ),
        (
            request(&body, &sign(KEY, now - 999, &body)),
            vec![(Outcome::Stale, 1)],
        ),
        (unsigned, vec![(Outcome::Unsigned, 1)]),
        (
            signed(&vec![b'x'; MAX_BODY + 1]),
            vec![(Outcome::Unsigned, 1)],
        ),
    ];
    for (request, expected) in cases {
        let (stage, dynamo) = Stage::new().await;
        stage.post(request).await;
        let traffic = read(&dynamo).await;
        assert_eq!(counts(&traffic), expected);
        for (outcome, _) in expected {
            let last = traffic.last(outcome).unwrap();
            assert!(last.as_second() >= now, "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn what_is_our_fault_is_counted_as_that() {
    let body = fixture("invitee.created.json");
    let (mut stage, dynamo) = Stage::new().await;
    stage.receiver.keys.unreadable = true;
    assert_eq!(stage.post(signed(&body)).await.0, 500);
    stage.receiver.keys.unreadable = false;
    stage.receiver.queue.1 = true;
    assert_eq!(stage.post(signed(&body)).await.0, 503);
    let counted = counts(&read(&dynamo).await);
    for outcome in [Outcome::NoKey, Outcome::NoStore] {
        assert!(counted.contains(&(outcome, 1)), "{counted:?}");
    }
}

#[tokio::test]
async fn a_flood_costs_one_write_a_minute() {
    let (mut stage, dynamo) = Stage::new().await;
    let writes = Crashes::none();
    stage.count_traffic_by(dynamo.crashing(&writes));
    let body = fixture("invitee.created.json");
    for _ in 0..50 {
        stage.post(request(&body, "t=1,v1=00")).await;
    }
    assert_eq!(writes.calls(), 1);
}

#[tokio::test]
async fn no_answer_fails_where_nothing_can_be_counted() {
    let (mut stage, _dynamo) = Stage::new().await;
    // Somebody who takes connections, and never answers.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = Dynamo::at(listener.local_addr().unwrap());
    for client in [Dynamo::unreachable(), silent.client()] {
        stage.count_traffic_by(client);
        let body = fixture("invitee.created.json");
        assert_eq!(stage.post(signed(&body)).await.0, 200);
        let refused = request(&body, "t=1,v1=00");
        assert_eq!(stage.post(refused).await.0, 401);
    }
}
