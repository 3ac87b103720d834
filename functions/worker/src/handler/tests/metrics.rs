//! What the worker counts.

use super::*;
use platform::metrics::{Captured, Metric, capture};

fn sums(captured: &Captured) -> Vec<(Metric, u64)> {
    use Metric::{
        BookingsScheduled, DeliveriesDead, DeliveriesFailed, DeliveriesProcessed, DeliveriesRetried,
    };
    let all = [
        DeliveriesProcessed,
        DeliveriesFailed,
        DeliveriesDead,
        DeliveriesRetried,
        BookingsScheduled,
    ];
    let sums = all.map(|metric| (metric, captured.sum(metric)));
    sums.into_iter().filter(|(_, sum)| *sum > 0).collect()
}

#[tokio::test]
async fn a_delivery_is_one_line_with_its_outcome_its_changes_and_its_lag() {
    let stage = Stage::new().await;
    let body = fixture("invitee.created.json");
    let message = stage.logged(&body, "invitee.created").await;
    let captured = capture();
    stage.hand(1, &[message]).await;
    assert_eq!(captured.lines().len(), 1);
    let expected = [
        (Metric::DeliveriesProcessed, 1),
        (Metric::BookingsScheduled, 1),
    ];
    assert_eq!(sums(&captured), expected);
    let of_receipt = captured.values(Metric::LagFromReceipt);
    assert!(
        matches!(of_receipt[..], [lag] if lag < 10_000),
        "{of_receipt:?}"
    );
    // The sample was made at a time of its own.
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let made: Timestamp = json["created_at"].as_str().unwrap().parse().unwrap();
    let lag = Timestamp::now().as_millisecond() - made.as_millisecond();
    let of_calendly = captured.values(Metric::LagFromCalendly);
    let expected = u64::try_from(lag).unwrap_or(0);
    assert!(
        matches!(of_calendly[..], [found] if found.abs_diff(expected) < 10_000),
        "{of_calendly:?}, not {expected}"
    );
}

#[tokio::test]
async fn what_is_applied_again_says_nothing_of_how_late_it_is() {
    let stage = Stage::new().await;
    let body = fixture("invitee.created.json");
    let message = stage.logged(&body, "invitee.created").await;
    stage.hand(1, std::slice::from_ref(&message)).await;
    let captured = capture();
    // A second message of it finds it applied; an operator has it applied again.
    stage.hand(1, std::slice::from_ref(&message)).await;
    assert_eq!(captured.lines(), [serde_json::Value::Null; 0]);
    stage
        .deliveries
        .reopen(&DeliveryId::of(&body))
        .await
        .unwrap();
    stage.hand(1, &[message]).await;
    assert_eq!(sums(&captured), [(Metric::DeliveriesProcessed, 1)]);
    assert_eq!(captured.values(Metric::LagFromReceipt), [0; 0]);
    assert_eq!(captured.values(Metric::LagFromCalendly), [0; 0]);
}

#[tokio::test]
async fn attempts_are_counted_by_how_they_end() {
    let stage = Stage::new().await;
    let failing = stage.logged(b"fails", "fail").await;
    let cases = [
        (1, &failing, vec![(Metric::DeliveriesFailed, 1)]),
        (
            2,
            &failing,
            vec![
                (Metric::DeliveriesFailed, 1),
                (Metric::DeliveriesRetried, 1),
            ],
        ),
        (
            6,
            &failing,
            vec![(Metric::DeliveriesDead, 1), (Metric::DeliveriesRetried, 1)],
        ),
        (
            1,
            &"not a message".to_owned(),
            vec![(Metric::DeliveriesDead, 1)],
        ),
        (
            1,
            &message_text(&DeliveryId::of(b"never logged"), "invitee.created"),
            vec![(Metric::DeliveriesDead, 1)],
        ),
    ];
    for (attempt, message, expected) in cases {
        let captured = capture();
        stage.hand(attempt, std::slice::from_ref(message)).await;
        assert_eq!(sums(&captured), expected, "attempt {attempt} of {message}");
    }
}
