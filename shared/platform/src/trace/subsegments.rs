//! Spans named `call` become subsegments. Source of their form: X-Ray's segment documents.

use super::daemon::Daemon;
use super::header::Trace;
use rand::Rng;
use serde_json::{Map, Value, json};
use std::fmt::Debug;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Span, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// Name of a span that is a call.
const CALL: &str = "call";
/// Field of a span whose work belongs to a trace.
const TRACE: &str = "xrayTraceId";

/// Sends each call to the daemon when it ends.
pub struct Subsegments {
    daemon: Daemon,
    region: Option<String>,
}

/// A call under way.
struct Call {
    id: String,
    trace: Trace,
    began: f64,
    fields: Map<String, Value>,
}

/// Texts and numbers of a span.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Subsegments {
    /// Sends to `daemon`.
    pub fn new(daemon: Daemon) -> Self {
        Self {
            daemon,
            region: std::env::var("AWS_REGION").ok(),
        }
    }

    /// The document of a call that ends now.
    fn document(&self, call: Call) -> Value {
        let text = |name: &str| call.fields.get(name).and_then(Value::as_str);
        let status = call.fields.get("status").and_then(Value::as_u64);
        let mut document = json!({
            "type": "subsegment",
            "id": call.id,
            "trace_id": call.trace.root,
            "parent_id": call.trace.parent,
            "name": text("service"),
            "start_time": call.began,
            "end_time": now().max(call.began),
        });
        if let Some(status) = status {
            document["http"] = json!({"response": {"status": status}});
        }
        match status {
            Some(429) => {
                document["error"] = true.into();
                document["throttle"] = true.into();
            }
            Some(400..=499) => document["error"] = true.into(),
            Some(100..=399) => {}
            // No answer, or the other side's own failure.
            Some(_) | None => document["fault"] = true.into(),
        }
        if text("kind") == Some("aws") {
            document["namespace"] = "aws".into();
            document["aws"] = json!({"operation": text("operation")});
            for (field, name) in [("table", "table_name"), ("queue", "queue_url")] {
                if let Some(value) = text(field) {
                    document["aws"][name] = value.into();
                }
            }
            if let Some(region) = &self.region {
                document["aws"]["region"] = region.as_str().into();
            }
        } else {
            document["namespace"] = "remote".into();
            document["annotations"] = json!({"operation": text("operation")});
        }
        document
    }
}

fn now() -> f64 {
    // Microseconds of this century fit a float exactly.
    ambient::now().as_duration().as_secs_f64()
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Subsegments {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if attributes.metadata().name() == CALL {
            let trace = trace_of(span.parent());
            if let Some(trace) = trace.filter(|trace| trace.sampled && trace.parent.is_some()) {
                span.extensions_mut().insert(Call {
                    id: format!("{:016x}", ambient::rng().random::<u64>()),
                    trace,
                    began: now(),
                    fields: fields.0,
                });
            }
        } else if let Some(trace) = fields.0.get(TRACE).and_then(Value::as_str)
            && let Some(trace) = Trace::parse(trace)
        {
            span.extensions_mut().insert(trace);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(call) = span.extensions_mut().get_mut::<Call>()
        {
            let mut fields = Fields::default();
            values.record(&mut fields);
            call.fields.extend(fields.0);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if let Some(span) = context.span(&id)
            && let Some(call) = span.extensions_mut().remove::<Call>()
        {
            self.daemon.send(&self.document(call));
        }
    }
}

/// The trace of the innermost span that names one.
fn trace_of<'a, R: LookupSpan<'a>>(
    span: Option<tracing_subscriber::registry::SpanRef<'a, R>>,
) -> Option<Trace> {
    let mut scope = span.into_iter().flat_map(|span| span.scope());
    scope.find_map(|span| span.extensions().get::<Trace>().cloned())
}

/// The trace that what is done now belongs to, where there is a daemon.
pub fn current() -> Option<Trace> {
    let found = Span::current().with_subscriber(|(id, dispatch)| {
        let registry = dispatch.downcast_ref::<Registry>()?;
        trace_of(registry.span(id))
    });
    found.flatten()
}
