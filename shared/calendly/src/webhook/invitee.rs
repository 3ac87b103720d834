//! `invitee.*` and `invitee_no_show.*`: one person's booking.

use super::json::{self, Json};
use super::limits::{LINE, WORD};
use super::no_show::{Alone, Mark, after};
use super::part::Part;
use super::{
    Envelope, Unreadable, answers, details, identity, new_facts, scheduled_event, standing,
};
use booking::{
    Answer, ByPart, Cancellation, EventRecord, Facts, InviteeRecord, InviteeUri, Latest, NoShow,
    Provider, Sightings, Stamp, SubmissionUri,
};
use jiff::{SignedDuration, Timestamp};

/// `invitee.created`. Both halves of a move are read by what they carry, so a literal
/// `invitee.rescheduled` needs nothing of its own.
pub(super) fn booked(payload: &Part<'_>, envelope: &Envelope) -> Result<Facts, Unreadable> {
    let mut message = Message::read(payload, envelope, false)?;
    message.mark();
    Ok(message.into_facts())
}

/// `invitee.canceled`: canceled, whatever the payload's status says.
pub(super) fn canceled(payload: &Part<'_>, envelope: &Envelope) -> Result<Facts, Unreadable> {
    let mut message = Message::read(payload, envelope, true)?;
    if message.record.cancellation.is_none() {
        let at = Some(message.record.updated_at.unwrap_or(message.observed));
        let untold = Cancellation {
            by: None,
            reason: None,
            by_type: None,
            at,
            inferred: false,
        };
        let at = envelope.stamp(None, None, message.observed);
        message.record.cancellation = Some(ByPart::guessed(at, untold));
    }
    message.mark();
    Ok(message.into_facts())
}

/// `invitee_no_show.created`. The payload is the invitee with its mark; relays send the mark
/// alone, with the invitee's URI in it.
pub(super) fn no_show_marked(payload: &Part<'_>, envelope: &Envelope) -> Result<Facts, Unreadable> {
    if let Some(alone) = Alone::read(payload, envelope)? {
        return Ok(alone.marked(envelope.told_at(payload, alone.set.counts)));
    }
    let mut message = Message::read(payload, envelope, false)?;
    message.mark.get_or_insert_default();
    message.mark();
    Ok(message.into_facts())
}

/// `invitee_no_show.deleted`. When the mark was taken back is written nowhere: it was after the
/// mark that the payload may still show, and no later than the message.
pub(super) fn no_show_cleared(
    payload: &Part<'_>,
    envelope: &Envelope,
) -> Result<Facts, Unreadable> {
    if let Some(alone) = Alone::read(payload, envelope)? {
        let at = match after(alone.set.counts, envelope.sent_at()) {
            Some(at) => at,
            None => envelope.told_at(payload, None),
        };
        return Ok(alone.cleared(at));
    }
    let mut message = Message::read(payload, envelope, false)?;
    let marked_at = message.mark.as_ref().and_then(|mark| mark.set.counts);
    if marked_at.is_some() {
        message.mark();
    }
    let cleared_at = message.written_at(envelope).unwrap_or(message.sent_at);
    let at = after(marked_at, Some(cleared_at)).unwrap_or(cleared_at);
    message.record.set_no_show(at, NoShow::Cleared);
    Ok(message.into_facts())
}

/// An invitee resource, as a read found it. Unlike a message it says it too when there is no mark: of
/// what is read, the later read counts, whatever time the mark itself has.
pub(super) fn resource(json: &Part<'_>, read: &Envelope) -> Result<InviteeRecord, Unreadable> {
    let uri = identity::invitee(json, "uri")?;
    let created_at = read.created_at(json);
    let updated_at = read.updated_at(json, created_at);
    let told = ["updated_at", "created_at"].map(|name| json.value.time(name));
    let told = told.into_iter().flatten().next().ok_or(Unreadable::Field {
        field: "created_at",
        expected: "not a time",
    })?;
    let read_at = read.created_at.unwrap_or(told);
    // One that doesn't count is as old as the read that found it, each time anew; what is shown of it
    // stays, or each read would be worth a write.
    let at = read.stamp(updated_at, created_at, read_at);
    let shown_at = updated_at.or(created_at);
    let mut record = record(uri, json, at, created_at, shown_at, false);
    // A message can leave them out though they are there; a read shows all that there is.
    let gone = |name| json.field(name).is_some_and(|part| part.is_blank());
    if gone("text_reminder_number") {
        record.phone = Some(Latest::new(at, None));
    }
    if gone("reconfirmation") {
        record.reconfirmation = Some(Latest::new(at, None));
    }
    let seen = |no_show| Some(Latest::new(Stamp::new(read_at, read_at), no_show));
    if let Some(Mark { uri, set }) = Mark::read(json, read) {
        if let Some(at) = set.counts {
            record.marks.insert(booking::Mark { at, marked: true });
        }
        // When it was set may not be told: it is no time that differs at each look.
        let at = set.shown.or(shown_at).unwrap_or(told);
        record.no_show = seen(NoShow::Marked { uri, at });
    } else if gone("no_show") {
        record.no_show = seen(NoShow::Cleared);
    }
    Ok(record)
}

/// A full invitee payload.
struct Message {
    record: InviteeRecord,
    event: EventRecord,
    mark: Option<Mark>,
    /// The latest time that the message speaks of.
    observed: Timestamp,
    /// When the message was sent, or the best of its other times.
    sent_at: Timestamp,
    /// The time that counts of those which the payload tells itself.
    own: Option<Timestamp>,
}

impl Message {
    /// `cancels`: the event's name says that the booking was canceled.
    fn read(payload: &Part<'_>, envelope: &Envelope, cancels: bool) -> Result<Self, Unreadable> {
        let uri = identity::invitee(payload, "payload.uri")?;
        let meeting = scheduled_event::beside(payload, &uri.event());
        let created_at = envelope.created_at(payload);
        let own = envelope.updated_at(payload, created_at);
        let updated_at = envelope.changed_at(payload, own);
        let meeting_at = meeting.as_ref().and_then(|it| it.value.time("updated_at"));
        let meeting_at = meeting_at.filter(|at| envelope.counts(*at));
        let observed = [envelope.created_at, meeting_at]
            .into_iter()
            .flatten()
            .fold(updated_at, Timestamp::max);
        let at = envelope.stamp(own, created_at, observed);

        let event = if let Some(meeting) = meeting {
            scheduled_event::read(uri.event(), &meeting, envelope, observed)
        } else {
            // Until about 2022 the payload named the event and said no more of it.
            let mut event = EventRecord::about(uri.event(), Provider::Calendly);
            event.connections.extend(envelope.connection.clone());
            event.sightings = Sightings::seen(observed);
            event
        };
        Ok(Self {
            record: record(uri, payload, at, created_at, Some(updated_at), cancels),
            event,
            mark: Mark::read(payload, envelope),
            observed,
            sent_at: envelope.sent_at().map_or(observed, |at| at.max(observed)),
            own,
        })
    }

    /// Takes over the mark that the payload shows. A mark has a time of its own. That there is none
    /// is only believed of the message that takes one back: a booking made later must not clear a
    /// mark by saying nothing of it.
    fn mark(&mut self) {
        if let Some(mark) = self.mark.take() {
            let at = mark.set.counts.unwrap_or(self.sent_at);
            let marked = NoShow::Marked {
                uri: mark.uri,
                at: mark.set.shown.unwrap_or(at),
            };
            self.record.set_no_show(at, marked);
        }
    }

    /// When the invitee was written that this message tells of, where the message followed at once:
    /// to the microsecond, while the message's own time is cut, or rounded, to the second.
    fn written_at(&self, envelope: &Envelope) -> Option<Timestamp> {
        let written_at = self.own?;
        let apart = envelope.created_at?.duration_since(written_at).abs();
        (apart <= SignedDuration::from_secs(1)).then_some(written_at)
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
    payload: &Part<'_>,
    at: Stamp,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    cancels: bool,
) -> InviteeRecord {
    let text = |name| payload.text_of(name, LINE);
    let word = |name| payload.word_of(name, WORD).map(|v| Latest::new(at, v));
    let first_name = text("first_name");
    let last_name = text("last_name");
    let name = text("name").or_else(|| full_name(first_name.as_deref(), last_name.as_deref()));
    let moved_from = link(payload, "old_invitee", &uri);
    let moved_to = link(payload, "new_invitee", &uri);
    let standing = standing::read(payload, cancels);

    let mut record = InviteeRecord::about(uri);
    record.known = true;
    record.email = payload
        .given("email")
        .and_then(|email| email.letters("an e-mail address", WORD))
        .map(|v| Latest::new(at, v));
    record.name = name.map(|v| Latest::new(at, v));
    record.first_name = first_name.map(|v| Latest::new(at, v));
    record.last_name = last_name.map(|v| Latest::new(at, v));
    record.timezone = word("timezone");
    record.phone = word("text_reminder_number").map(Latest::some);
    record.answers = answers(payload).map(|v| Latest::new(at, v));
    record.tracking = details::tracking(payload).map(|v| ByPart::new(at, v));
    record.payment = details::payment(payload).map(|v| ByPart::new(at, v));
    record.reconfirmation = details::reconfirmation(payload).map(|v| Latest::new(at, Some(v)));
    record.scheduling_method = word("scheduling_method");
    record.scheduled_by = payload
        .uri_of("invitee_scheduled_by", "users")
        .map(|v| Latest::new(at, v));
    record.cancel_url = details::link(payload, "cancel_url").map(|v| Latest::new(at, v));
    record.reschedule_url = details::link(payload, "reschedule_url").map(|v| Latest::new(at, v));
    record.submission = submission(payload);
    record.moved_from = moved_from;
    if moved_to.is_some()
        && !standing.canceled
        && let Some(link) = payload.given("new_invitee")
    {
        link.note("is told of an active invitee: the link counts");
    }
    record.moved_to.extend(moved_to);
    record.canceled = !record.moved_to.is_empty() || standing.canceled;
    // The flag belongs to the old half. Should a relay set it on the new one, which is active, it must
    // not end that booking.
    if let Some(flag) = payload.given("rescheduled")
        && flag.flag() == Some(true)
    {
        record.rescheduled = record.canceled;
        if !record.canceled {
            flag.note("is told of an active invitee: left out");
        }
    }
    record.cancellation = standing.cancellation.map(|v| ByPart::new(at, v));
    record.created_at = created_at;
    record.updated_at = updated_at;
    record
}

/// The other half of a move.
fn link(payload: &Part<'_>, name: &str, own: &InviteeUri) -> Option<InviteeUri> {
    let part = payload.given(name)?;
    let Some(uri) = identity::invitee_of(part.value, None) else {
        part.not("the URI of an invitee");
        return None;
    };
    if uri == *own {
        part.note("is the invitee itself: left out");
        return None;
    }
    Some(uri)
}

fn submission(payload: &Part<'_>) -> Option<SubmissionUri> {
    let part = payload.given("routing_form_submission")?;
    let uri = json::uri(part.value, "routing_form_submissions");
    let uri = uri.and_then(|uri| SubmissionUri::parse(&uri).ok());
    if uri.is_none() {
        part.not("the URI of a routing form submission");
    }
    uri
}

fn full_name(first: Option<&str>, last: Option<&str>) -> Option<String> {
    match (first, last) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        (first, last) => first.or(last).map(str::to_owned),
    }
}

fn answers(payload: &Part<'_>) -> Option<Vec<Answer>> {
    let answers: Vec<_> = answers::read(payload)?
        .into_iter()
        .map(|read| Answer {
            question: read.question,
            answer: read.answer.unwrap_or_default(),
            position: read.position,
            truncated: read.truncated,
        })
        .collect();
    (!answers.is_empty()).then_some(answers)
}
