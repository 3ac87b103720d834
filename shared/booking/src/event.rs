//! A scheduled event as it is kept.

use crate::invitee::{Cancellation, InviteeRecord};
use crate::merge::{Latest, latest, max_of, min_of};
use crate::view::InviteeSummary;
use crate::{ConnectionId, ContactKey, EventStatus, EventUri, Provider};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// How many invitees an event's own record carries, so that a list of events needs no further
/// read. The rest of a large group is on the invitees' own records.
pub const ROSTER_LIMIT: usize = 50;

/// When the meeting takes place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Start, UTC.
    pub start: Timestamp,
    /// End, UTC.
    pub end: Timestamp,
}

/// A member of the account who holds the meeting. Older payloads name only the URI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// User URI.
    pub uri: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

/// Somebody whom an invitee brings along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// E-mail address.
    pub email: String,
}

/// How many people an event has: Calendly's `invitees_counter`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// All invitees, canceled ones included.
    pub total: Option<i64>,
    /// Invitees who are coming.
    pub active: Option<i64>,
    /// How many may book; 1 for a one-to-one meeting.
    pub limit: Option<i64>,
}

/// A scheduled event: what is known, each part with the time it was true.
///
/// A record may be partial: a link from another booking makes it known by its URI alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// The event's URI, its identity.
    pub uri: EventUri,
    /// Where it comes from.
    pub provider: Provider,
    /// The connections that told of it. Join: union.
    #[serde(default)]
    pub connections: BTreeSet<ConnectionId>,
    /// Name of the meeting. Join: latest.
    pub name: Option<Latest<String>>,
    /// URI of the event type. Join: latest.
    pub event_type: Option<Latest<String>>,
    /// Start and end. Join: latest.
    pub slot: Option<Latest<Slot>>,
    /// Where it takes place, as the provider gives it: kinds unknown today must not be lost. Join: latest.
    pub location: Option<Latest<serde_json::Value>>,
    /// Hosts. Join: latest.
    pub hosts: Option<Latest<Vec<Host>>>,
    /// Guests. Join: latest.
    pub guests: Option<Latest<Vec<Guest>>>,
    /// Counter of invitees. Join: latest.
    pub counter: Option<Latest<Counter>>,
    /// Internal notes, plain text. Join: latest.
    pub notes: Option<Latest<String>>,
    /// The event was canceled; never undone. Join: or.
    pub canceled: bool,
    /// Who canceled it and why. Join: latest.
    pub cancellation: Option<Latest<Cancellation>>,
    /// Guests and hosts who were erased: whoever names them again is not heard. Join: union.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub erased_people: BTreeSet<ContactKey>,
    /// When it was made. Join: earliest.
    pub created_at: Option<Timestamp>,
    /// The latest time that any fact about it speaks of. Join: latest.
    pub updated_at: Option<Timestamp>,
    /// Its first [`ROSTER_LIMIT`] invitees by id. Derived from their records, never merged.
    #[serde(default)]
    pub roster: BTreeMap<String, InviteeSummary>,
}

impl EventRecord {
    /// A record that knows nothing but the event's name.
    pub fn about(uri: EventUri, provider: Provider) -> Self {
        Self {
            uri,
            provider,
            connections: BTreeSet::new(),
            name: None,
            event_type: None,
            slot: None,
            location: None,
            hosts: None,
            guests: None,
            counter: None,
            notes: None,
            canceled: false,
            cancellation: None,
            erased_people: BTreeSet::new(),
            created_at: None,
            updated_at: None,
            roster: BTreeMap::new(),
        }
    }

    /// Joins what `other` knows of the same event. Lists of people are compared without those who
    /// were erased. So which of two different lists of the very same time stays can depend on
    /// whether they met before the erasure or after; that none of them names the erased can't.
    pub fn merge(&mut self, other: &Self) {
        self.erased_people
            .extend(other.erased_people.iter().cloned());
        let mut other = Cow::Borrowed(other);
        if !self.erased_people.is_empty() {
            self.forget_people(&self.erased_people.clone());
            other.to_mut().forget_people(&self.erased_people);
        }
        self.connections.extend(other.connections.iter().cloned());
        latest(&mut self.name, &other.name);
        latest(&mut self.event_type, &other.event_type);
        latest(&mut self.slot, &other.slot);
        latest(&mut self.location, &other.location);
        latest(&mut self.hosts, &other.hosts);
        latest(&mut self.guests, &other.guests);
        latest(&mut self.counter, &other.counter);
        latest(&mut self.notes, &other.notes);
        self.canceled |= other.canceled;
        latest(&mut self.cancellation, &other.cancellation);
        min_of(&mut self.created_at, &other.created_at);
        max_of(&mut self.updated_at, &other.updated_at);
    }

    /// Takes over what the roster says of `invitee`. Keeping the smallest ids makes the cut
    /// independent of the order in which invitees came.
    pub(crate) fn enrol(&mut self, invitee: &InviteeRecord) {
        self.roster
            .insert(invitee.uri.id().to_owned(), InviteeSummary::of(invitee));
        while self.roster.len() > ROSTER_LIMIT {
            self.roster.pop_last();
        }
    }

    /// Whether only one person can book it.
    pub(crate) fn is_one_to_one(&self) -> bool {
        let limit = self.counter.as_ref().map(|counter| counter.value.limit);
        limit == Some(Some(1))
    }

    /// Where it stands.
    pub fn status(&self) -> EventStatus {
        if self.is_canceled() {
            EventStatus::Canceled
        } else {
            EventStatus::Active
        }
    }

    /// Canceled by its own word, or because its one invitee has left: Calendly cancels a
    /// one-to-one event together with its booking, and that message may be the one that is lost.
    pub fn is_canceled(&self) -> bool {
        let left = !self.roster.is_empty() && self.roster.values().all(|i| !i.is_active());
        self.canceled || self.is_one_to_one() && left
    }
}
