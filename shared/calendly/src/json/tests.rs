use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(bytes: &[u8]) -> Value {
    parse(bytes).unwrap().value
}

fn lossy(bytes: &[u8]) -> bool {
    parse::<Value>(bytes).unwrap().lossy
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(read(b"\xef\xbb\xbf{\"a\": 1}"), json!({"a": 1}));
    assert!(!lossy(b"\xef\xbb\xbf{}"));
}

#[test]
fn half_a_surrogate_pair_is_one_unknown_character() {
    for (text, read_as) in [
        (r#""a\ud83db""#, "a\u{fffd}b"),
        (r#""a\ude00b""#, "a\u{fffd}b"),
        (r#""\ud83d""#, "\u{fffd}"),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
        (r#""\ud83dA""#, "\u{fffd}A"),
        (r#""\ud83d\n""#, "\u{fffd}\n"),
        (r#""\ud8"#, ""),
        (r#""\u12""#, "\u{fffd}"),
        (r#""\u00zz""#, "\u{fffd}zz"),
    ] {
        let Ok(parsed) = parse::<String>(text.as_bytes()) else {
            assert_eq!(read_as, "", "{text}");
            continue;
        };
        assert_eq!(
            (parsed.value.as_str(), parsed.lossy),
            (read_as, true),
            "{text}"
        );
    }
    // A whole pair stays one beside a broken one.
    assert_eq!(
        read(br#"["\ud83d\ude00", "\ud83d"]"#),
        json!(["😀", "\u{fffd}"])
    );
}

#[test]
fn raw_control_characters_are_kept() {
    assert_eq!(
        read(b"{\"a\": \"x\ny\tz\x00\x1f\"}"),
        json!({"a": "x\ny\tz\u{0}\u{1f}"})
    );
    assert!(!lossy(b"\"x\ny\""));
    assert_eq!(read(b"{\"a\":\x001}\x00"), json!({"a": 1}));
}

#[test]
fn bytes_that_are_no_utf_8_are_unknown_characters() {
    assert_eq!(read(b"\"Zo\xeb\""), json!("Zo\u{fffd}"));
    assert!(lossy(b"\"Zo\xeb\""));
}

#[test]
fn escapes_that_are_not_known_stand_for_their_letter() {
    assert_eq!(read(br#""it\'s \x41 \"""#), json!("it's x41 \""));
}

#[test]
fn numbers_that_json_can_not_have_are_kept_as_text() {
    let odd = br#"{"a": 1e999, "b": 007, "c": NaN, "d": -Infinity, "e": [+1, .5], "f": "NaN"}"#;
    let want =
        json!({"a": "1e999", "b": "007", "c": null, "d": null, "e": ["+1", ".5"], "f": "NaN"});
    assert_eq!(read(odd), want);
}

#[test]
fn what_is_not_json_stays_unreadable_and_its_place_is_told() {
    for bytes in [
        "",
        "{",
        "{\"a\": x}",
        "{\"a\": \"",
        "{\"a\": \"\\",
        "not json",
        "{} {}",
        "[1,]",
        "{a1: 1}",
    ] {
        assert!(parse::<Value>(bytes.as_bytes()).is_err(), "{bytes}");
    }
    let error = parse::<Value>(b"{\"a\": \"\x01\",\n \"b\": x}").unwrap_err();
    assert_eq!(error.line(), 1);
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep = |prefix: &str| format!("{prefix}{}", "[".repeat(1 << 20));
    assert!(parse::<Value>(deep("").as_bytes()).is_err());
    assert!(parse::<Value>(deep("\u{1}").as_bytes()).is_err());
}

proptest! {
    #[test]
    fn any_bytes_within_a_string_leave_the_rest_of_a_body(
        bytes in proptest::collection::vec(any::<u8>().prop_filter("ends it", |b| !b"\"\\".contains(b)), 0..40)
    ) {
        let body = [b"{\"a\": \"".as_slice(), &bytes, b"\", \"b\": [1, true]}"].concat();
        let read = read(&body);
        prop_assert_eq!(&read["b"], &json!([1, true]));
        prop_assert_eq!(read["a"].as_str().unwrap(), String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn what_is_json_is_read_as_it_is(text in ".*", number in any::<i64>()) {
        let json = json!({ "text": text, "number": number });
        let parsed = parse::<Value>(json.to_string().as_bytes()).unwrap();
        prop_assert_eq!(parsed.value, json);
        prop_assert!(!parsed.lossy);
    }
}
