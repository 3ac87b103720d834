//! What the receiver counts: one line a request, with how it ended.

use super::*;
use jiff::Timestamp;
use platform::metrics::{Metric, capture};

/// Posts a request, which must be counted as received, and as `metric`.
async fn counted(stage: &Stage, request: Request, metric: Metric) {
    let captured = capture();
    stage.post(request).await;
    let lines = captured.lines();
    assert_eq!(lines.len(), 1, "{metric:?}: {lines:?}");
    let counts: Vec<(&str, u64)> = platform::metrics::ALL
        .iter()
        .filter_map(|(name, _)| Some((*name, lines[0].get(name)?.as_u64()?)))
        .collect();
    let expected = [(metric.name(), 1), ("WebhooksReceived", 1)];
    assert_eq!(counts.len(), 2, "{counts:?}");
    for count in expected {
        assert!(counts.contains(&count), "{count:?} in {counts:?}");
    }
}

#[tokio::test]
async fn what_is_taken_is_counted_by_what_it_is() {
    let (stage, _dynamo) = Stage::new().await;
    let body = fixture("invitee.created.json");
    let foreign = fixture("event_type.updated.json");
    counted(&stage, signed(&body), Metric::WebhooksAccepted).await;
    counted(&stage, signed(&body), Metric::WebhooksDuplicate).await;
    counted(&stage, signed(&foreign), Metric::WebhooksIgnored).await;
    counted(&stage, signed(b"{}"), Metric::WebhooksUnprocessable).await;
}

#[tokio::test]
async fn what_is_refused_is_counted_by_its_cause() {
    let (mut stage, _dynamo) = Stage::new().await;
    let body = fixture("invitee.created.json");
    let forged = request(&body, "t=1,v1=00");
    counted(&stage, forged, Metric::RefusedInvalidSignature).await;
    let stale = sign(KEY, Timestamp::now().as_second() - 999, &body);
    let stale = request(&body, &stale);
    counted(&stage, stale, Metric::RefusedStaleSignature).await;
    let large = signed(&vec![b' '; MAX_BODY + 1]);
    counted(&stage, large, Metric::RefusedTooLarge).await;
    let mut text = signed(&body);
    let plain = "text/plain".parse().unwrap();
    text.headers_mut().insert(header::CONTENT_TYPE, plain);
    counted(&stage, text, Metric::RefusedMediaType).await;

    stage.receiver.keys.unreadable = true;
    counted(&stage, signed(&body), Metric::SigningKeyUnavailable).await;
    let stage = Stage::with(Dynamo::unreachable());
    counted(&stage, signed(&body), Metric::StoreUnavailable).await;
}
