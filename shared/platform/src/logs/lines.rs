//! An event as one flat line: its own fields, and those of every span that it is in.

use super::redact;
use serde_json::Value;
use std::fmt::Debug;
use std::io::Write;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Writes each event as a line of JSON.
pub(super) struct Lines<W> {
    function: &'static str,
    write: W,
}

impl<W: Fn(&str)> Lines<W> {
    pub(super) fn new(function: &'static str, write: W) -> Self {
        Self { function, write }
    }
}

/// Writes a line in one piece, so that none is torn.
pub(super) fn to_stdout(line: &str) {
    let mut out = std::io::stdout().lock();
    // With no way to write there is nobody to tell, either.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

/// Names and values; a later value takes an earlier one's place.
#[derive(Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    fn set_text(&mut self, name: &'static str, text: &str) {
        self.set(name, Value::from(redact(text)));
    }

    fn line(&self) -> String {
        let fields = self
            .0
            .iter()
            .map(|(name, value)| format!("{}:{value}", Value::from(*name)));
        format!("{{{}}}\n", fields.collect::<Vec<_>>().join(","))
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set_text(field.name(), &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set_text(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value.into());
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&str) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Fields::default();
        line.set("timestamp", format!("{:.6}", ambient::now()).into());
        line.set("level", event.metadata().level().as_str().into());
        // Its place near the front; the event's own message takes it.
        line.set("message", "".into());
        line.set("function", self.function.into());
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            if let Some(fields) = span.extensions().get::<Fields>() {
                for (name, value) in &fields.0 {
                    line.set(name, value.clone());
                }
            }
        }
        event.record(&mut line);
        (self.write)(&line.line());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt;

    /// What `work` logs.
    fn logged(work: impl FnOnce()) -> Vec<Value> {
        let lines = Arc::new(Mutex::new(String::new()));
        let kept = lines.clone();
        let write = move |line: &str| kept.lock().unwrap().push_str(line);
        let subscriber = tracing_subscriber::registry().with(Lines::new("worker", write));
        tracing::subscriber::with_default(subscriber, work);
        let lines = lines.lock().unwrap();
        let lines = lines.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_line_has_the_fields_of_all_its_spans_and_its_own_win() {
        let lines = logged(|| {
            let outer = tracing::error_span!("invocation", requestId = "r-1", trackingId = "none");
            let _outer = outer.enter();
            tracing::warn!("before");
            let inner = tracing::error_span!(
                "record",
                trackingId = "t-1",
                deliveryId = tracing::field::Empty
            );
            let _inner = inner.enter();
            inner.record("deliveryId", "d-1");
            let error: Option<&str> = None;
            tracing::info!(
                attempt = 2,
                outcome = "failed",
                durationMs = 17_u64,
                last = true,
                error,
                "delivery \"handled\""
            );
        });
        let keys = |line: &Value| {
            line.as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["message"], "before");
        assert_eq!(lines[0]["trackingId"], "none");
        let mut line = lines[1].clone();
        let time = line["timestamp"].take();
        assert!(
            time.as_str().unwrap().parse::<jiff::Timestamp>().is_ok(),
            "{time}"
        );
        let expected = json!({
            "timestamp": null, "level": "INFO", "message": "delivery \"handled\"",
            "function": "worker", "requestId": "r-1", "trackingId": "t-1", "deliveryId": "d-1",
            "attempt": 2, "outcome": "failed", "durationMs": 17, "last": true,
        });
        assert_eq!(line, expected, "{:?}", keys(&line));
    }

    #[test]
    fn what_must_not_be_logged_is_taken_out_of_every_kind_of_value() {
        let lines = logged(|| {
            let address = "ada.booker@example.com";
            let span = tracing::error_span!("record", who = address);
            let _span = span.enter();
            let error = std::io::Error::other(format!("no {address}"));
            tracing::error!(
                shown = %address,
                debugged = ?Some(address),
                error = &error as &(dyn std::error::Error + 'static),
                "sent to {address}"
            );
        });
        let text = lines[0].to_string();
        assert!(!text.contains("ada"), "{text}");
        for name in ["message", "who", "shown", "debugged", "error"] {
            let value = lines[0][name].as_str().unwrap();
            assert!(value.contains("[address]"), "{name}: {value}");
        }
    }
}
