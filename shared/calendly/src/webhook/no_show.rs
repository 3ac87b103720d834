//! No-show marks: within an invitee, and alone.

use super::json::Json;
use super::limits::URI;
use super::part::Part;
use super::{Envelope, Unreadable, identity, new_facts};
use booking::{Facts, InviteeRecord, InviteeUri, NoShow};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// The mark that an invitee carries.
#[derive(Default)]
pub(super) struct Mark {
    pub(super) uri: Option<String>,
    pub(super) set: Set,
}

/// When a mark was set, as far as that is told.
#[derive(Default, Clone, Copy)]
pub(super) struct Set {
    /// What is shown.
    pub(super) shown: Option<Timestamp>,
    /// What it is ordered by.
    pub(super) counts: Option<Timestamp>,
}

impl Set {
    fn read(mark: &Part<'_>, envelope: &Envelope) -> Option<Self> {
        let part = mark.given("created_at")?;
        let told = part.time()?;
        Some(Self {
            shown: envelope.fits(told).then_some(told),
            counts: envelope.counting(&part, told),
        })
    }
}

impl Mark {
    /// `no_show`: `{uri, created_at}`, the URI alone, or true. An empty object is no mark.
    pub(super) fn read(invitee: &Part<'_>, envelope: &Envelope) -> Option<Self> {
        let part = invitee.given("no_show")?;
        match part.value {
            Value::Object(_) => {
                let uri = part.word_of("uri", URI);
                let set = Set::read(&part, envelope);
                if uri.is_none() && set.is_none() {
                    part.note("has none of its documented fields: left out");
                    return None;
                }
                Some(Self {
                    uri,
                    set: set.unwrap_or_default(),
                })
            }
            Value::String(text) if text.contains("://") => Some(Self {
                uri: part.word(URI),
                set: Set::default(),
            }),
            Value::Bool(_) | Value::String(_) | Value::Number(_) => {
                part.flag()?.then(Self::default)
            }
            _ => {
                part.not("a no-show mark");
                None
            }
        }
    }
}

/// `at`, but in any case after `mark`: Calendly cuts the envelope's time to whole seconds, which
/// can put it before the mark that it takes back.
pub(super) fn after(mark: Option<Timestamp>, at: Option<Timestamp>) -> Option<Timestamp> {
    let next = mark.map(|mark| mark.saturating_add(SignedDuration::from_micros(1)));
    match next {
        Some(Ok(next)) => Some(at.map_or(next, |at| at.max(next))),
        _ => at,
    }
}

/// A no-show mark that stands for itself: `{uri, invitee, created_at}`.
pub(super) struct Alone {
    invitee: InviteeUri,
    uri: Option<String>,
    pub(super) set: Set,
}

impl Alone {
    /// Nothing, where the payload is of another form.
    pub(super) fn read(
        payload: &Part<'_>,
        envelope: &Envelope,
    ) -> Result<Option<Self>, Unreadable> {
        let Some(invitee) = payload.value.field("invitee") else {
            return Ok(None);
        };
        if payload.value.object("scheduled_event").is_some()
            || payload.value.uri("invitee").is_none()
        {
            return Ok(None);
        }
        let invitee = identity::invitee_of(invitee, None).ok_or(Unreadable::Field {
            field: "payload.invitee",
            expected: "not the URI of an invitee (…/scheduled_events/{id}/invitees/{id})",
        })?;
        Ok(Some(Self {
            invitee,
            uri: payload.word_of("uri", URI),
            set: Set::read(payload, envelope).unwrap_or_default(),
        }))
    }

    /// It was set at `at`.
    pub(super) fn marked(&self, at: Timestamp) -> Facts {
        let mark = NoShow::Marked {
            uri: self.uri.clone(),
            at: self.set.shown.unwrap_or(at),
        };
        self.about(mark, at)
    }

    /// It was taken back at `at`.
    pub(super) fn cleared(&self, at: Timestamp) -> Facts {
        self.about(NoShow::Cleared, at)
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
