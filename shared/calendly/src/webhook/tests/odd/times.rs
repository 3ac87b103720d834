//! Times however they are written, and where there are none.

use super::{is_clear, odd, one, warnings, with};
use crate::webhook::tests::{booking, has, shown};
use serde_json::{Value, json};
use testkit::received_at;

#[test]
fn times_are_read_however_they_are_written() {
    let (event, _) = one(&["times-with-a-space-and-utc"]);
    has(
        &event,
        &json!({"startTime": "2027-03-10T10:00:00Z", "endTime": "2027-03-10T10:30:00Z"}),
    );
    is_clear("times-with-a-space-and-utc");
    let read = |given: &Value| {
        let body = with("times-with-a-space-and-utc", |body| {
            body["payload"]["scheduled_event"]["start_time"] = given.clone();
        });
        (
            shown(std::slice::from_ref(&body))[0]["startTime"].take(),
            warnings(&body),
        )
    };
    for given in [
        json!("2027-03-10T10:00:00Z"),
        json!("2027-03-10T10:00:00.000000Z"),
        json!("2027-03-10t10:00:00z"),
        json!("2027-03-10 10:00Z"),
        json!(" 2027-03-10T11:00:00+01:00 "),
        json!("2027-03-10 11:00:00 +0100"),
        json!("2027-03-10T10:00:00 gmt"),
        json!("2027-03-10 10:00:00UTC"),
        json!("2027-03-10T05:00:00[America/New_York]"),
        json!("2027-03-10T05:00[America/New_York]"),
        json!("2027-03-10T05:00:00-05:00[America/New_York]"),
        json!("2027-03-10T10:00:00Z[America/New_York]"),
        json!("2027-03-10T10:00:00[UTC]"),
        // Of a zone that isn't known, or that contradicts it, the offset says all.
        json!("2027-03-10T05:00:00-05:00[Nowhere/Town]"),
        json!("2027-03-10T05:00:00-05:00[Europe/Berlin]"),
        json!("2027-03-10T10:00:00+00:00 GMT"),
        json!("2027-03-10T10:00:00Z UTC"),
        json!(1_804_672_800),
        json!(1_804_672_800.0),
        json!("1804672800"),
        json!(1_804_672_800_000_i64),
        json!(1_804_672_800_000_000_i64),
    ] {
        assert_eq!(
            read(&given),
            (json!("2027-03-10T10:00:00Z"), vec![]),
            "{given}"
        );
    }
    for given in [
        json!("2027-03-10T10:00:00"),
        json!("2027-03-10 10:00"),
        json!(20_270_310_100_000_i64),
        json!("20270310100000"),
        json!(202_703_101_000_i64),
        json!("202703101000"),
    ] {
        let (start, warnings) = read(&given);
        assert_eq!(start, "2027-03-10T10:00:00Z");
        assert_eq!(
            warnings,
            ["`payload.scheduled_event.start_time` has no time zone: taken as UTC"]
        );
    }
    for given in [
        json!("soon"),
        json!("2027-03-10"),
        json!("10:00"),
        json!(12),
        // No time of day, and in milliseconds the years 1970 and 2640.
        json!(20_270_310),
        json!(20_271_310_100_000_i64),
        json!("21270310100000"),
        json!(true),
        json!({"at": 1}),
        json!("éUTC"),
        // Which zone it is can't be known, or they are two.
        json!("2027-03-10T10:00:00[Nowhere/Town]"),
        json!("2027-03-10T10:00:00-05:00 GMT"),
        json!("2027-03-10T10:00:00-05 UTC"),
        json!("2027-03-10T10:00:00[America/New_York] GMT"),
        json!("2027-03-10T10:00:00+00:00[America/New_York] GMT"),
    ] {
        let (_, warnings) = read(&given);
        assert!(
            warnings[0].starts_with("`payload.scheduled_event.start_time` is "),
            "{warnings:?}"
        );
    }
}

#[test]
fn where_a_payload_tells_no_time_the_envelopes_counts_and_then_when_it_came() {
    let (event, invitee) = one(&["only-the-time-of-the-envelope"]);
    assert_eq!(event["startTime"], "2027-02-03T10:00:00Z");
    assert_eq!(invitee["name"], "Robin Tester");
    is_clear("only-the-time-of-the-envelope");
    let told = booking(&odd("only-the-time-of-the-envelope")).created_at;
    assert_eq!(json!(invitee["updatedAt"]), json!(told.unwrap()));

    let body = with("only-the-time-of-the-envelope", |body| {
        body["time"] = "yesterday".into();
    });
    let invitee = &shown(std::slice::from_ref(&body))[0]["invitees"][0];
    assert_eq!(invitee["updatedAt"], json!(received_at()));
    let [unread, taken] = warnings(&body).try_into().unwrap();
    assert!(unread.starts_with("`time` is a text"), "{unread}");
    assert!(taken.starts_with("`payload` tells no time"), "{taken}");
    // Marks and forms are dated alike.
    let mark = json!({"event": "invitee_no_show.created", "payload": {"invitee": invitee["uri"]}});
    let form = json!({"event": "routing_form_submission.created", "payload": {
        "uri": "https://api.calendly.com/routing_form_submissions/f"}});
    for body in [mark, form] {
        assert_eq!(warnings(body.to_string().as_bytes()).len(), 1, "{body}");
    }
}

#[test]
fn a_start_without_an_end_is_kept() {
    let (event, invitee) = one(&["start-without-end"]);
    has(
        &event,
        &json!({"startTime": "2027-03-10T10:00:00Z", "endTime": null}),
    );
    assert_eq!(invitee["status"], "active");
    is_clear("start-without-end");
}
