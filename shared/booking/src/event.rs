//! A scheduled event as it is kept.

use crate::invitee::{Cancellation, InviteeRecord};
use crate::merge::{Latest, Removable, latest, max_of, min_of};
use crate::parts::{ByPart, Parts, bits, by_part, fill};
use crate::sightings::Sightings;
use crate::view::InviteeSummary;
use crate::{ConnectionId, ContactKey, EventStatus, EventUri, Provider};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// How many invitees an event's own record carries, so that a list of events needs no further
/// read. The rest of a large group is on the invitees' own records.
pub const ROSTER_LIMIT: usize = 50;

/// How many people beside its guests and hosts an event keeps the keys of: anybody can book a public
/// event again and again with new addresses in the answers, and its record must stay writable.
pub const NAMED_LIMIT: usize = 500;

/// When the meeting takes place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Start, UTC.
    pub start: Timestamp,
    /// End, UTC; older messages don't all say.
    pub end: Option<Timestamp>,
}

/// A member of the account who holds the meeting. Older payloads name only the URI.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// User URI.
    pub uri: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Was erased: what isn't there any more was told, and nothing takes its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

impl Parts for Slot {
    fn told(&self) -> u8 {
        let Self { start: _, end } = self;
        bits([end.is_some()])
    }

    /// An end belongs to its start.
    fn fill(&mut self, older: &Self) {
        if self.start == older.start {
            fill(&mut self.end, &older.end);
        }
    }
}

/// Who the hosts are is one part. Their names are another, and their addresses: old messages tell
/// neither.
impl Parts for Vec<Host> {
    fn told(&self) -> u8 {
        let all = |known: fn(&Host) -> bool| {
            !self.is_empty() && self.iter().all(|host| host.erased || known(host))
        };
        bits([
            all(|host| host.name.is_some()),
            all(|host| host.email.is_some()),
        ])
    }

    fn fill(&mut self, older: &Self) {
        for host in self {
            let uri = host.uri.as_ref().filter(|_| !host.erased);
            let known = uri.and_then(|uri| older.iter().find(|it| it.uri.as_ref() == Some(uri)));
            if let Some(known) = known {
                fill(&mut host.name, &known.name);
                fill(&mut host.email, &known.email);
                host.erased = known.erased;
            }
        }
    }
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

impl Parts for Counter {
    fn told(&self) -> u8 {
        let Self {
            total,
            active,
            limit,
        } = self;
        bits([total.is_some(), active.is_some(), limit.is_some()])
    }

    fn fill(&mut self, older: &Self) {
        fill(&mut self.total, &older.total);
        fill(&mut self.active, &older.active);
        fill(&mut self.limit, &older.limit);
    }
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
    pub name: Removable<String>,
    /// URI of the event type. Join: latest.
    pub event_type: Option<Latest<String>>,
    /// Start and end. Join: latest, by part.
    pub slot: Option<ByPart<Slot>>,
    /// Where it takes place, as the provider gives it: kinds unknown today must not be lost. Join: latest.
    pub location: Option<Latest<serde_json::Value>>,
    /// Hosts. Join: latest; their names and addresses by part.
    pub hosts: Option<ByPart<Vec<Host>>>,
    /// Guests. Join: latest.
    pub guests: Option<Latest<Vec<Guest>>>,
    /// Counter of invitees. Join: latest, by part.
    pub counter: Option<ByPart<Counter>>,
    /// Internal notes, plain text. Join: latest.
    pub notes: Removable<String>,
    /// The event was canceled, as Calendly said; never undone. Join: or.
    pub canceled: bool,
    /// Who canceled it and why. Join: latest, by part.
    pub cancellation: Option<ByPart<Cancellation>>,
    /// When it was seen, and when it was not found. Join: their own.
    #[serde(default)]
    pub sightings: Sightings,
    /// URI of the organization whose list named it, where the connection that told of it has been in
    /// more than one. Never shown. Join: latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Latest<String>>,
    /// Guests and hosts who were erased: whoever names them again is not heard. Join: union.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub erased_people: BTreeSet<ContactKey>,
    /// Who else was named in what told of it: former guests and hosts, an invitee's former address, an
    /// address in somebody's answer. The log may hold bodies that name them. Join: the
    /// [`NAMED_LIMIT`] smallest of all who were ever named or erased, less those who are its guests
    /// or hosts now, and those who were erased.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub named: BTreeSet<ContactKey>,
    /// More were named than are kept: whoever is looked for may be among them. Join: or.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub named_more: bool,
    /// When it was made. Join: earliest.
    pub created_at: Option<Timestamp>,
    /// The latest time that any fact about it speaks of. Join: latest.
    pub updated_at: Option<Timestamp>,
    /// Its first [`ROSTER_LIMIT`] invitees by id, as their own messages tell of them. Derived from
    /// their records, never merged.
    #[serde(default)]
    pub roster: BTreeMap<String, InviteeSummary>,
    /// What follows from this record is not yet written everywhere ([`Self::is_settled`]). Derived,
    /// never merged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unsettled: bool,
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
            sightings: Sightings::default(),
            organization: None,
            erased_people: BTreeSet::new(),
            named: BTreeSet::new(),
            named_more: false,
            created_at: None,
            updated_at: None,
            roster: BTreeMap::new(),
            unsettled: false,
        }
    }

    /// Joins what `other` knows of the same event. Lists of people are compared without those who
    /// were erased. So which of two different lists of the very same time stays can depend on
    /// whether they met before the erasure or after; that none of them names the erased can't.
    pub fn merge(&mut self, other: &Self) {
        let told = &self.told() | &other.told();
        self.erased_people
            .extend(other.erased_people.iter().cloned());
        let mut other = Cow::Borrowed(other);
        if !self.erased_people.is_empty() {
            self.forget_people(&self.erased_people.clone());
            other.to_mut().forget_people(&self.erased_people);
        }
        // Every field, so that none can be forgotten.
        let Self {
            uri: _,
            provider: _,
            connections,
            name,
            event_type,
            slot,
            location,
            hosts,
            guests,
            counter,
            notes,
            canceled,
            cancellation,
            sightings,
            organization,
            erased_people: _,
            named: _,
            named_more,
            created_at,
            updated_at,
            roster: _,
            unsettled: _,
        } = &*other;
        self.connections.extend(connections.iter().cloned());
        latest(&mut self.name, name);
        latest(&mut self.event_type, event_type);
        by_part(&mut self.slot, slot);
        latest(&mut self.location, location);
        by_part(&mut self.hosts, hosts);
        latest(&mut self.guests, guests);
        by_part(&mut self.counter, counter);
        latest(&mut self.notes, notes);
        self.canceled |= canceled;
        by_part(&mut self.cancellation, cancellation);
        self.sightings.merge(sightings);
        latest(&mut self.organization, organization);
        min_of(&mut self.created_at, created_at);
        max_of(&mut self.updated_at, updated_at);
        self.named_more |= named_more;
        self.keep_named(told);
    }

    /// Takes over what the roster says of `invitee`. Keeping the smallest ids makes the cut
    /// independent of the order in which invitees came.
    pub(crate) fn enrol(&mut self, invitee: &InviteeRecord) {
        self.roster.insert(
            invitee.uri.id().to_owned(),
            InviteeSummary::own(invitee).in_brief(),
        );
        while self.roster.len() > ROSTER_LIMIT {
            self.roster.pop_last();
        }
    }

    /// How many may book it, where that is known: Calendly's own sample has a counter of zeros.
    fn seats(&self) -> Option<i64> {
        let counter = self.counter.as_ref()?;
        counter.value.limit.filter(|limit| *limit > 0)
    }

    /// Whether only one person can book it. Of one whose seats nobody tells: whether no more are known.
    pub(crate) fn is_one_to_one(&self) -> bool {
        !self.has_more_than(1)
    }

    /// Whether there is room for others than so many people whom it has: it offers seats, or, where
    /// nobody tells how many, more were counted, or are known.
    fn has_more_than(&self, people: usize) -> bool {
        if let Some(seats) = self.seats() {
            return seats > 1;
        }
        let counter = self.counter.iter().map(|counter| &counter.value);
        let counts = counter.flat_map(|it| [it.total, it.active]).flatten();
        let counts = counts.filter_map(|count| usize::try_from(count).ok());
        counts
            .chain([self.roster.len()])
            .any(|count| count > people)
    }

    /// Whether a message told of it, or of a booking of it; and not only a link.
    ///
    /// Old messages name a booking's event and say no more of it, not even when it was changed.
    pub fn is_told(&self) -> bool {
        let told_of = |invitee: &InviteeSummary| invitee.updated_at.is_some();
        self.updated_at.is_some() || self.roster.values().any(told_of)
    }

    /// Where it stands.
    pub fn status(&self) -> EventStatus {
        if self.is_canceled() {
            EventStatus::Canceled
        } else {
            EventStatus::Active
        }
    }

    /// Canceled by its own word, gone from Calendly, or left by everybody.
    ///
    /// Calendly cancels a one-to-one event together with its booking, and that message may be the
    /// one that is lost. So does nobody take part in an event of unknown seats whose known invitees
    /// have all left, where no others were counted, such as one that is known only as the old half of
    /// a move. A group event stays
    /// open while it has seats to offer, until Calendly says that it is canceled.
    pub fn is_canceled(&self) -> bool {
        self.canceled || self.gone_since().is_some() || self.is_left()
    }

    fn is_left(&self) -> bool {
        // A roster that is full doesn't name all.
        let all_named = self.roster.len() < ROSTER_LIMIT;
        let left = !self.roster.is_empty() && self.roster.values().all(|i| !i.is_active());
        all_named && left && !self.has_more_than(self.roster.len())
    }

    /// Since when it is gone from Calendly. Of one whose start isn't known it can't be said whether
    /// it was held.
    pub fn gone_since(&self) -> Option<Timestamp> {
        let slot = self.slot.as_ref()?;
        self.sightings.gone(slot.value.start)
    }

    /// URI of the organization whose list named it last, where that was noted.
    pub fn listed_in(&self) -> Option<&str> {
        let organization = self.organization.as_ref();
        organization.map(|organization| organization.value.as_str())
    }

    /// Who canceled it and why, of one that is canceled: as Calendly told it, or that it is gone.
    pub(crate) fn shown_cancellation(&self) -> Option<Cancellation> {
        if self.canceled {
            return self.cancellation.as_ref().map(|told| told.value.clone());
        }
        self.gone_since().map(Cancellation::inferred)
    }
}
