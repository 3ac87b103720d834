//! Objects within a payload: tracking, payment, reconfirmation, counter; and what is kept as it is.

use super::limits::{LINE, OTHER, REASON, TRACKING, URI, WORD};
use super::part::Part;
use booking::{Counter, Payment, Reconfirmation, Tracking, cut, stored_len};
use serde_json::{Map, Value};

/// Notes that an object says something, but nothing of what is known.
fn known<T>(part: &Part<'_>, read: T, nothing: &T) -> Option<T>
where
    T: PartialEq,
{
    if read == *nothing {
        part.note("has none of its documented fields: left out");
        return None;
    }
    Some(read)
}

/// Tracking with anything in it.
pub(super) fn tracking(payload: &Part<'_>) -> Option<Tracking> {
    let part = payload.object_of("tracking")?;
    let text = |name| part.text_of(name, TRACKING);
    let tracking = Tracking {
        utm_campaign: text("utm_campaign"),
        utm_source: text("utm_source"),
        utm_medium: text("utm_medium"),
        utm_content: text("utm_content"),
        utm_term: text("utm_term"),
        salesforce_uuid: text("salesforce_uuid"),
    };
    known(&part, tracking, &Tracking::default())
}

/// The payment; of several the first that was successful, or else the last.
pub(super) fn payment(payload: &Part<'_>) -> Option<Payment> {
    let part = payload.given("payment")?;
    if let Some(several) = part.entries() {
        let several: Vec<_> = several.into_iter().filter(|one| !one.is_blank()).collect();
        if several.len() > 1 {
            part.note("is a list: the first payment in it counts that was successful, or the last");
        }
        let succeeded = |one: &&Part<'_>| {
            let successful = one.value.get("successful");
            successful.and_then(super::json::flag) == Some(true)
        };
        let counts = several.iter().find(succeeded).or(several.last());
        return one_payment(counts?.clone());
    }
    one_payment(part)
}

fn one_payment(part: Part<'_>) -> Option<Payment> {
    let part = part.object()?;
    let nothing = Payment {
        external_id: None,
        provider: None,
        amount: None,
        currency: None,
        terms: None,
        successful: None,
    };
    let payment = Payment {
        // Calendly's first API called it `id`.
        external_id: part
            .word_of("external_id", LINE)
            .or_else(|| part.word_of("id", LINE)),
        provider: part.word_of("provider", WORD),
        amount: part.given("amount").and_then(|amount| amount.number()),
        currency: part.word_of("currency", WORD),
        terms: part.text_of("terms", REASON),
        successful: part.flag_of("successful"),
    };
    known(&part, payment, &nothing)
}

pub(super) fn reconfirmation(payload: &Part<'_>) -> Option<Reconfirmation> {
    let part = payload.object_of("reconfirmation")?;
    let nothing = Reconfirmation {
        created_at: None,
        confirmed_at: None,
    };
    let reconfirmation = Reconfirmation {
        created_at: part.time_of("created_at"),
        confirmed_at: part.time_of("confirmed_at"),
    };
    known(&part, reconfirmation, &nothing)
}

pub(super) fn counter(meeting: &Part<'_>) -> Option<Counter> {
    let part = meeting.object_of("invitees_counter")?;
    let nothing = Counter {
        total: None,
        active: None,
        limit: None,
    };
    let counter = Counter {
        total: part.int_of("total"),
        active: part.int_of("active"),
        limit: part.int_of("limit"),
    };
    known(&part, counter, &nothing)
}

/// A link that works only as a whole.
pub(super) fn link(payload: &Part<'_>, name: &str) -> Option<String> {
    payload.given(name)?.letters("a link", URI)
}

/// A value of which the provider makes what it likes, as it is. One that takes too much keeps its
/// first lines: names and texts, these cut, and nothing deeper than two levels.
pub(super) fn as_it_is(part: &Part<'_>) -> Value {
    if part.value.to_string().len() <= OTHER {
        return part.value.clone();
    }
    part.note(&format!("takes more than {OTHER} bytes: cut"));
    let mut left = OTHER;
    shortened(part.value, 2, &mut left).unwrap_or_default()
}

fn shortened(value: &Value, levels: u8, left: &mut usize) -> Option<Value> {
    let kept = match value {
        Value::String(text) => {
            let text = cut(text, LINE).unwrap_or_else(|| text.clone());
            Value::String(text)
        }
        Value::Object(fields) if levels > 0 => {
            let mut kept = Map::new();
            for (name, value) in fields {
                if name.len() <= WORD
                    && let Some(value) = shortened(value, levels - 1, left)
                    && let Some(rest) = left.checked_sub(stored_len(name) + 10)
                {
                    *left = rest;
                    kept.insert(name.clone(), value);
                }
            }
            return Some(Value::Object(kept));
        }
        Value::Object(_) | Value::Array(_) => return None,
        other => other.clone(),
    };
    *left = left.checked_sub(kept.to_string().len())?;
    Some(kept)
}
