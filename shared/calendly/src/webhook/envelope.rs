//! What is around a part of a body: for whom it was sent, and which of the times that it tells count.

use super::json::{self, Json};
use super::part::Part;
use booking::{ConnectionId, Stamp};
use jiff::{SignedDuration, Timestamp};

/// How far a time may lie after the message that tells it, and that after the moment at which it came.
///
/// Clocks differ by seconds, and Calendly cuts a message's own time to whole ones. A signature may be
/// three minutes old or young. What lies within this counts as it is told, so that the order in which
/// messages come makes no difference; five minutes are well beyond all of these.
const LEEWAY: SignedDuration = SignedDuration::from_mins(5);

/// Before all times that are read.
const LEAST: Timestamp = Timestamp::UNIX_EPOCH;

/// What every part of a body may need of its envelope.
///
/// Facts are ordered by the times that they tell. One that lies in the future, by a broken clock or a
/// relay's, would beat whatever is told until then. So it doesn't count: the next best time does that
/// is told, and last the time at which the message came. The log keeps that, so a replay reads the
/// same. What is only shown stays as it is told.
pub(super) struct Envelope {
    pub(super) connection: Option<ConnectionId>,
    /// When the message was made, where that counts.
    pub(super) created_at: Option<Timestamp>,
    /// The same as it is told, whether or not that can be.
    told: Option<Timestamp>,
    received_at: Timestamp,
    /// It is no message: somebody looked when it came.
    is_read: bool,
}

impl Envelope {
    /// That of a message which came at `received_at`.
    pub(super) fn of_message(whole: &Part<'_>, received_at: Timestamp) -> Self {
        let mut envelope = Self {
            connection: connection(whole),
            created_at: None,
            told: None,
            received_at,
            is_read: false,
        };
        // The second is what Calendly's first API called it.
        if let Some((part, told)) = ["created_at", "time"].iter().find_map(|name| {
            let part = whole.given(name)?;
            let told = part.time()?;
            Some((part, told))
        }) {
            envelope.created_at = envelope.counting(&part, told);
            envelope.told = Some(told);
        }
        envelope
    }

    /// That of what was read at `read_at`.
    pub(super) fn of_read(connection: ConnectionId, read_at: Timestamp) -> Self {
        Self {
            connection: Some(connection),
            created_at: Some(read_at),
            told: Some(read_at),
            received_at: read_at,
            is_read: true,
        }
    }

    /// When the message was sent, where it tells anything of that: it was no later than it came.
    pub(super) fn sent_at(&self) -> Option<Timestamp> {
        self.created_at.or(self.told.map(|_| self.received_at))
    }

    /// When what a payload says was true: `told`, or else the best of the other times.
    pub(super) fn told_at(&self, payload: &Part<'_>, told: Option<Timestamp>) -> Timestamp {
        told.or(self.created_at).unwrap_or_else(|| {
            payload.note(
                "tells no time that counts, nor does what is around it: taken is when it came",
            );
            self.received_at
        })
    }

    /// When a payload was last changed, to be shown: by its own word, or else by the time of the
    /// message. `own` is what counts of the times that it tells itself.
    pub(super) fn changed_at(&self, payload: &Part<'_>, own: Option<Timestamp>) -> Timestamp {
        let told = payload.value.time("updated_at").is_some();
        self.told_at(payload, own.filter(|_| told || self.created_at.is_none()))
    }

    /// By which time the facts of a part are ordered that was made at `created_at`. `own` is what counts
    /// of the times that it tells itself, and `observed` the latest that the message around it speaks of.
    ///
    /// The message of one that tells none may have come long after it was true: it says nothing against
    /// what is told with a time, and among such messages the last counts. What is read was true when
    /// it was read.
    pub(super) fn stamp(
        &self,
        own: Option<Timestamp>,
        created_at: Option<Timestamp>,
        observed: Timestamp,
    ) -> Stamp {
        let at_least = if self.is_read {
            self.received_at
        } else {
            let created_at = created_at.filter(|time| self.counts(*time));
            created_at.unwrap_or(LEAST)
        };
        Stamp::new(own.unwrap_or(at_least), observed)
    }

    /// Whether facts may be ordered by `time`.
    pub(super) fn counts(&self, time: Timestamp) -> bool {
        not_far_after(self.created_at.unwrap_or(self.received_at), time)
    }

    /// Whether `time` can be shown: it fits the message that tells it, whenever that says it was made.
    pub(super) fn fits(&self, time: Timestamp) -> bool {
        not_far_after(self.told.unwrap_or(self.received_at), time)
    }

    /// `time`, which `part` tells, where it counts.
    pub(super) fn counting(&self, part: &Part<'_>, time: Timestamp) -> Option<Timestamp> {
        let counts = self.counts(time);
        if !counts {
            part.note(&format!(
                "is {time}, which lies after the message that tells it: doesn't count"
            ));
        }
        counts.then_some(time)
    }

    /// When `part` was made: nothing can have been made after the message came.
    pub(super) fn created_at(&self, part: &Part<'_>) -> Option<Timestamp> {
        let told = part.given("created_at")?;
        let time = told.time()?;
        let can_be = not_far_after(self.received_at, time);
        if !can_be {
            told.note(&format!(
                "is {time}, which lies after the message came: left out"
            ));
        }
        can_be.then_some(time)
    }

    /// When `part` was last changed, if that counts; when it was made, where a message tells nothing of
    /// that.
    pub(super) fn updated_at(
        &self,
        part: &Part<'_>,
        created_at: Option<Timestamp>,
    ) -> Option<Timestamp> {
        let told = part.given("updated_at");
        let Some((told, time)) = told.and_then(|told| told.time().map(|time| (told, time))) else {
            return created_at.filter(|time| !self.is_read && self.counts(*time));
        };
        self.counting(&told, time)
    }
}

fn not_far_after(sent: Timestamp, time: Timestamp) -> bool {
    // Nothing lies after the last of all times.
    let latest = sent.saturating_add(LEEWAY).unwrap_or(Timestamp::MAX);
    time <= latest
}

fn connection(whole: &Part<'_>) -> Option<ConnectionId> {
    let part = whole.given("created_by")?;
    let uri = json::uri(part.value, "users");
    let connection = uri.and_then(|uri| ConnectionId::from_user_uri(&uri).ok());
    if connection.is_none() {
        part.not("the URI of a user");
    }
    connection
}
