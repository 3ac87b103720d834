//! `invitee.*` and `invitee_no_show.*`: one person's booking.

use super::json::Json;
use super::{Envelope, Unreadable, new_facts, said_at, scheduled_event};
use booking::{
    Answer, Cancellation, EventRecord, Facts, InviteeRecord, InviteeUri, Latest, NoShow, Payment,
    Provider, Reconfirmation, Sightings, Stamp, SubmissionUri, Tracking,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// `invitee.created`. Both halves of a move are read by what they carry, so a literal
/// `invitee.rescheduled` needs nothing of its own.
pub(super) fn booked(payload: &Value, envelope: &Envelope) -> Result<Facts, Unreadable> {
    Ok(Message::read(payload, envelope)?.into_facts())
}

/// `invitee.canceled`: canceled, whatever the payload's status says.
pub(super) fn canceled(payload: &Value, envelope: &Envelope) -> Result<Facts, Unreadable> {
    let mut message = Message::read(payload, envelope)?;
    message.cancel(payload.flag("rescheduled"));
    Ok(message.into_facts())
}

/// `invitee_no_show.created`. The payload is the invitee with its mark; relays send the mark
/// alone, with the invitee's URI in it.
pub(super) fn no_show_marked(payload: &Value, envelope: &Envelope) -> Result<Facts, Unreadable> {
    if let Some(mark) = Mark::alone(payload)? {
        let at = mark.created_at.or(envelope.created_at).ok_or(NO_TIME)?;
        return Ok(mark.about(
            NoShow::Marked {
                uri: mark.uri.clone(),
                at,
            },
            at,
        ));
    }
    let mut message = Message::read(payload, envelope)?;
    if message.record.no_show.is_none() {
        let at = message.observed;
        let mark = NoShow::Marked { uri: None, at };
        message.record.set_no_show(at, mark);
    }
    Ok(message.into_facts())
}

/// `invitee_no_show.deleted`. When the mark was taken back is written nowhere: it was after the
/// mark that the payload may still show, and no later than the message.
pub(super) fn no_show_cleared(payload: &Value, envelope: &Envelope) -> Result<Facts, Unreadable> {
    if let Some(mark) = Mark::alone(payload)? {
        let at = after(mark.created_at, envelope.created_at).ok_or(NO_TIME)?;
        return Ok(mark.about(NoShow::Cleared, at));
    }
    let mut message = Message::read(payload, envelope)?;
    let marked_at = payload
        .object("no_show")
        .and_then(|mark| mark.time("created_at"));
    let cleared_at = message.written_at(envelope).unwrap_or(message.observed);
    let at = after(marked_at, Some(cleared_at)).unwrap_or(cleared_at);
    message.record.set_no_show(at, NoShow::Cleared);
    Ok(message.into_facts())
}

const NO_TIME: Unreadable = Unreadable::Field {
    field: "payload.created_at",
    expected: "not a time",
};

/// `at`, but in any case after `mark`: Calendly cuts the envelope's time to whole seconds, which
/// can put it before the mark that it takes back.
fn after(mark: Option<Timestamp>, at: Option<Timestamp>) -> Option<Timestamp> {
    let next = mark.map(|mark| mark.saturating_add(SignedDuration::from_micros(1)));
    match next {
        Some(Ok(next)) => Some(at.map_or(next, |at| at.max(next))),
        _ => at,
    }
}

/// A no-show mark that stands for itself: `{uri, invitee, created_at}`.
struct Mark {
    invitee: InviteeUri,
    uri: Option<String>,
    created_at: Option<Timestamp>,
}

impl Mark {
    fn alone(payload: &Value) -> Result<Option<Self>, Unreadable> {
        let Some(invitee) = payload.uri("invitee") else {
            return Ok(None);
        };
        if payload.object("scheduled_event").is_some() {
            return Ok(None);
        }
        Ok(Some(Self {
            invitee: invitee_uri(&invitee, "payload.invitee")?,
            uri: payload.text("uri"),
            created_at: payload.time("created_at"),
        }))
    }

    fn about(&self, no_show: NoShow, at: Timestamp) -> Facts {
        let mut record = InviteeRecord::about(self.invitee.clone());
        record.set_no_show(at, no_show);
        record.updated_at = Some(at);
        let mut facts = new_facts();
        facts.add_invitee(&record);
        facts
    }
}

fn invitee_uri(uri: &str, field: &'static str) -> Result<InviteeUri, Unreadable> {
    InviteeUri::parse(uri).map_err(|_| Unreadable::Field {
        field,
        expected: "not the URI of an invitee (…/scheduled_events/{id}/invitees/{id})",
    })
}

/// An invitee resource, read at `read_at`. Unlike a message it says it too when there is no mark:
/// of what is read, the later read counts, whatever time the mark itself has.
pub(super) fn resource(json: &Value, read: &Envelope) -> Result<InviteeRecord, Unreadable> {
    let uri = invitee_uri(&json.uri("uri").unwrap_or_default(), "uri")?;
    let created_at = json.time("created_at");
    let told = json.time("updated_at").or(created_at).ok_or(NO_TIME)?;
    let read_at = read.created_at.unwrap_or(told);
    // One that can't be believed is as old as the read that found it, each time anew; what is shown
    // of it stays, or each read would be worth a write.
    let believed = read.believed(told);
    let updated_at = believed.unwrap_or(read_at);
    let at = Stamp::new(updated_at, read_at);
    let shown_at = believed.or(created_at).unwrap_or(updated_at);
    let mut record = record(uri, json, at, read, shown_at);
    // A message can leave them out though they are there; a read shows all that there is.
    let gone = |name| json.field(name).is_some_and(Value::is_null);
    if gone("text_reminder_number") {
        record.phone = Some(Latest::new(at, None));
    }
    if gone("reconfirmation") {
        record.reconfirmation = Some(Latest::new(at, None));
    }
    let read_at = Stamp::new(read_at, read_at);
    if let Some(no_show) = record.no_show.take() {
        record.no_show = Some(Latest::new(read_at, no_show.value));
    } else if gone("no_show") {
        record.no_show = Some(Latest::new(read_at, NoShow::Cleared));
    }
    Ok(record)
}

/// A full invitee payload.
struct Message {
    record: InviteeRecord,
    event: EventRecord,
    /// The latest time that the message speaks of.
    observed: Timestamp,
    at: Stamp,
}

impl Message {
    fn read(payload: &Value, envelope: &Envelope) -> Result<Self, Unreadable> {
        let uri = payload.uri("uri").unwrap_or_default();
        let uri = invitee_uri(&uri, "payload.uri")?;
        let meeting = payload.object("scheduled_event");
        let updated_at = said_at(payload, envelope)?;
        let observed = [
            envelope.created_at,
            meeting
                .and_then(|meeting| meeting.time("updated_at"))
                .and_then(|time| envelope.believed(time)),
        ]
        .into_iter()
        .flatten()
        .fold(updated_at, Timestamp::max);
        let at = Stamp::new(updated_at, observed);

        let event = if let Some(meeting) = meeting {
            scheduled_event::read(uri.event(), meeting, envelope, observed)
        } else {
            // Until about 2022 the payload named the event and said no more of it.
            let mut event = EventRecord::about(uri.event(), Provider::Calendly);
            event.connections.extend(envelope.connection.clone());
            event.sightings = Sightings::seen(observed);
            event
        };
        Ok(Self {
            record: record(uri, payload, at, envelope, updated_at),
            event,
            observed,
            at,
        })
    }

    /// When the invitee was written that this message tells of, where the message followed at once:
    /// to the microsecond, while the message's own time is cut, or rounded, to the second.
    fn written_at(&self, envelope: &Envelope) -> Option<Timestamp> {
        let updated_at = self.record.updated_at?;
        let apart = envelope.created_at?.duration_since(updated_at).abs();
        (apart <= SignedDuration::from_secs(1)).then_some(updated_at)
    }

    fn cancel(&mut self, rescheduled: bool) {
        self.record.canceled = true;
        self.record.rescheduled |= rescheduled;
        if self.record.cancellation.is_none() {
            let at = Some(self.record.updated_at.unwrap_or(self.observed));
            self.record.cancellation = Some(Latest::new(
                self.at,
                Cancellation {
                    by: None,
                    reason: None,
                    by_type: None,
                    at,
                    inferred: false,
                },
            ));
        }
    }

    fn into_facts(self) -> Facts {
        let mut facts = new_facts();
        facts.add_event(&self.event);
        facts.add_invitee(&self.record);
        facts
    }
}

fn record(
    uri: InviteeUri,
    payload: &Value,
    at: Stamp,
    envelope: &Envelope,
    updated_at: Timestamp,
) -> InviteeRecord {
    let text = |name| payload.filled(name).map(|v| Latest::new(at, v));
    // Some relays put the booking's own URI there, which is no link.
    let link = |name| {
        let linked = InviteeUri::parse(&payload.uri(name)?).ok()?;
        (linked != uri).then_some(linked)
    };
    let cancellation = payload.object("cancellation");

    let mut record = InviteeRecord::about(uri.clone());
    record.known = true;
    record.email = text("email");
    record.name = payload
        .filled("name")
        .or_else(|| full_name(payload))
        .map(|v| Latest::new(at, v));
    record.first_name = text("first_name");
    record.last_name = text("last_name");
    record.timezone = text("timezone");
    record.phone = text("text_reminder_number").map(Latest::some);
    record.answers = answers(payload).map(|v| Latest::new(at, v));
    record.tracking = tracking(payload).map(|v| Latest::new(at, v));
    record.payment = payload
        .object("payment")
        .map(|v| Latest::new(at, payment(v)));
    record.reconfirmation = payload.object("reconfirmation").map(|v| {
        Latest::new(
            at,
            Some(Reconfirmation {
                created_at: v.time("created_at"),
                confirmed_at: v.time("confirmed_at"),
            }),
        )
    });
    record.scheduling_method = text("scheduling_method");
    record.scheduled_by = text("invitee_scheduled_by");
    record.cancel_url = text("cancel_url");
    record.reschedule_url = text("reschedule_url");
    record.submission = payload
        .uri("routing_form_submission")
        .and_then(|uri| SubmissionUri::parse(&uri).ok());
    record.moved_from = link("old_invitee");
    record.moved_to.extend(link("new_invitee"));
    record.canceled = !record.moved_to.is_empty()
        || cancellation.is_some()
        || payload.text("status").as_deref() == Some("canceled");
    // The flag belongs to the old half. Should a relay set it on the new one, which is active, it must
    // not end that booking.
    record.rescheduled = record.canceled && payload.flag("rescheduled");
    record.cancellation = cancellation.map(|v| Latest::new(at, scheduled_event::cancellation(v)));
    // A mark has a time of its own. That there is none is only believed of the message that
    // takes one back: a booking made later must not clear a mark by saying nothing of it.
    if let Some(mark) = payload.object("no_show") {
        let at = mark.time("created_at");
        let at = at
            .and_then(|at| envelope.believed(at))
            .unwrap_or(updated_at);
        let uri = mark.text("uri");
        record.set_no_show(at, NoShow::Marked { uri, at });
    }
    record.created_at = payload.time("created_at");
    record.updated_at = Some(updated_at);
    record
}

fn full_name(payload: &Value) -> Option<String> {
    match (payload.filled("first_name"), payload.filled("last_name")) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        (first, last) => first.or(last),
    }
}

fn answers(payload: &Value) -> Option<Vec<Answer>> {
    let answers: Vec<_> = payload
        .array("questions_and_answers")?
        .iter()
        .filter_map(|v| {
            Some(Answer {
                question: v.text("question")?,
                answer: v.text("answer").unwrap_or_default(),
                position: v.int("position"),
            })
        })
        .collect();
    (!answers.is_empty()).then_some(answers)
}

/// Tracking with anything in it.
pub(super) fn tracking(payload: &Value) -> Option<Tracking> {
    let json = payload.object("tracking")?;
    let tracking = Tracking {
        utm_campaign: json.filled("utm_campaign"),
        utm_source: json.filled("utm_source"),
        utm_medium: json.filled("utm_medium"),
        utm_content: json.filled("utm_content"),
        utm_term: json.filled("utm_term"),
        salesforce_uuid: json.filled("salesforce_uuid"),
    };
    (tracking != Tracking::default()).then_some(tracking)
}

fn payment(json: &Value) -> Payment {
    Payment {
        external_id: json.text("external_id"),
        provider: json.text("provider"),
        amount: json.field("amount").and_then(|v| v.as_number().cloned()),
        currency: json.text("currency"),
        terms: json.text("terms"),
        successful: json.field("successful").and_then(Value::as_bool),
    }
}
