//! How much an answer may hold. Lambda takes 6 MB, and calls more an error of the function: what is
//! stored could then never be read.

use serde::Serialize;
use serde_json::Value;

/// The most bytes of an answer's body, as Lambda carries it. Its 6 MB (6,291,556 bytes) are for the
/// headers, too.
pub const MAX_ANSWER: usize = 5_000_000;

/// What of it is left for all that stands beside a list.
const BESIDE: usize = 100_000;

/// What is left of a text that is too long for its answer, in characters: as much as it takes.
const CUT_TO: [usize; 3] = [100_000, 10_000, 1_000];

/// The bytes that a JSON text takes as Lambda carries it: as a string of other JSON, in which its
/// quotes and backslashes are escaped.
pub fn carried(json: &str) -> usize {
    let escaped = json.bytes().filter(|byte| matches!(byte, b'"' | b'\\'));
    json.len() + escaped.count()
}

/// The room that an answer has for the items of a list.
#[derive(Debug, Clone)]
pub struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(MAX_ANSWER - BESIDE)
    }
}

impl Room {
    /// What `item` leaves of it: nothing, if it is too large itself.
    pub fn beside(item: &impl Serialize) -> Self {
        let mut room = Self::default();
        room.takes(item);
        room
    }

    /// Whether there is room for one more item, which then has it. Where there is not, there is none
    /// for those after it either.
    pub fn takes(&mut self, item: &impl Serialize) -> bool {
        // What can't be written is told when the answer is.
        let size = serde_json::to_string(item).map_or(0, |json| carried(&json) + 1);
        let left = self.0.checked_sub(size);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// An answer as text; nothing if it can't be brought to fit. One thing can be larger than an answer:
/// then its longest texts are cut, and say so.
pub(crate) fn written(answer: &impl Serialize) -> serde_json::Result<Option<String>> {
    let whole = serde_json::to_string(answer)?;
    if carried(&whole) <= MAX_ANSWER {
        return Ok(Some(whole));
    }
    let whole: Value = serde_json::from_str(&whole)?;
    for longest in CUT_TO {
        let mut some = whole.clone();
        cut(&mut some, longest);
        let some = serde_json::to_string(&some)?;
        if carried(&some) <= MAX_ANSWER {
            return Ok(Some(some));
        }
    }
    Ok(None)
}

/// Cuts the texts in a value. Answers whether it is one itself that was cut: what has it says
/// `truncated`, as it does of a text that was cut when it was stored.
fn cut(value: &mut Value, longest: usize) -> bool {
    match value {
        Value::String(text) => {
            let Some((end, _)) = text.char_indices().nth(longest) else {
                return false;
            };
            let all = text.chars().count();
            *text = format!("{}… (cut: {all} characters in all)", &text[..end]);
            true
        }
        Value::Array(items) => {
            for item in items {
                cut(item, longest);
            }
            false
        }
        Value::Object(fields) => {
            let texts = fields.values_mut().map(|field| cut(field, longest));
            // All of them: `any` would stop at the first.
            if texts.fold(false, |any, cut| any | cut) {
                fields.insert("truncated".to_owned(), Value::Bool(true));
            }
            false
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// As `lambda_http` writes an answer.
    fn by_lambda(body: &str) -> usize {
        json!({ "body": body }).to_string().len() - r#"{"body":""}"#.len()
    }

    #[test]
    fn a_text_takes_what_lambda_makes_of_it() {
        for value in [
            json!({"a": "b"}),
            json!("\u{1}\u{7f}\n\t\\ \" / é 😀 \u{2028}"),
            json!([null, 1.5, {"x\"": ["\\\\"]}]),
        ] {
            let body = value.to_string();
            assert_eq!(carried(&body), by_lambda(&body), "{body}");
        }
    }

    #[test]
    fn items_have_room_until_one_has_none() {
        let mut room = Room::default();
        let item = "x".repeat(1_000_000);
        let taken = (0..10).take_while(|_| room.takes(&item)).count();
        assert_eq!(taken, 4);
        assert!(!room.takes(&"x"), "not even a small one after it");
        assert!(!Room::beside(&"x".repeat(MAX_ANSWER)).takes(&"x"));
    }

    #[test]
    fn an_answer_that_fits_is_written_as_it_is() {
        let body = json!({"a": "x".repeat(4_000_000)});
        let text = written(&body).unwrap().unwrap();
        assert_eq!(text, body.to_string());
    }

    #[test]
    fn only_texts_that_are_too_long_are_cut() {
        for (letter, longest) in [("x", 100_000), ("\u{1}", 10_000)] {
            let long = letter.repeat(1_000_000);
            let body =
                json!({"id": "i", "answers": [long, long, long, long, long, long, long, long]});
            let text = written(&body).unwrap().unwrap();
            assert!(by_lambda(&text) <= MAX_ANSWER);
            let read: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(read["id"], "i");
            let answer = read["answers"][7].as_str().unwrap();
            assert!(answer.starts_with(&letter.repeat(longest)));
            assert!(answer.ends_with("… (cut: 1000000 characters in all)"));
        }
        let many = vec!["x".repeat(900); 10_000];
        assert_eq!(written(&many).unwrap(), None);
    }
}
