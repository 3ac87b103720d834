//! Whom a record names, as keys that don't tell the address.

use crate::erase::covers;
use crate::{
    Address, ContactKey, EventRecord, Facts, InviteeRecord, NAMED_LIMIT, Records, SubmissionRecord,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What somebody is to a scheduled event.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Booked it.
    Invitee,
    /// Was brought along.
    Guest,
    /// Holds it.
    Host,
}

impl Role {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invitee => "invitee",
            Self::Guest => "guest",
            Self::Host => "host",
        }
    }
}

impl InviteeRecord {
    /// Who booked; nobody once they are erased, or while only links tell of the booking.
    pub fn contact(&self) -> Option<ContactKey> {
        let email = self.email.as_ref()?;
        Some(ContactKey::of(&email.value))
    }
}

impl EventRecord {
    /// The guests, and those hosts whose address is known.
    pub fn contacts(&self) -> BTreeSet<(ContactKey, Role)> {
        let hosts = self.hosts.iter().flat_map(|hosts| &hosts.value);
        let hosts = hosts.filter_map(|host| host.email.as_deref());
        let guests = self.guests.iter().flat_map(|guests| &guests.value);
        let guests = guests.map(|guest| guest.email.as_str());
        hosts
            .map(|email| (ContactKey::of(email), Role::Host))
            .chain(guests.map(|email| (ContactKey::of(email), Role::Guest)))
            .collect()
    }
}

impl EventRecord {
    /// Everybody whom it knows to have been named.
    pub(crate) fn told(&self) -> BTreeSet<ContactKey> {
        let now = self.contacts().into_iter().map(|(contact, _)| contact);
        now.chain(self.named.iter().cloned()).collect()
    }

    /// Keeps those of whom nothing else in it tells, and no more than there is room for. Those who
    /// tell elsewhere, and the erased, count as well: so the cut doesn't depend on who came first.
    pub(crate) fn keep_named(&mut self, mut told: BTreeSet<ContactKey>) {
        told.extend(self.erased_people.iter().cloned());
        if let Some(beyond) = told.iter().nth(NAMED_LIMIT).cloned() {
            told.split_off(&beyond);
            self.named_more = true;
        }
        for (contact, _) in self.contacts() {
            told.remove(&contact);
        }
        self.named = &told - &self.erased_people;
    }
}

/// Keeps with the event under which addresses an invitee was known: all of them, once there is more
/// than one. Whichever of two comes first, the step that sees the other knows both.
pub(crate) fn keep_former_addresses(next: &mut Records, stored: &Records, facts: &Facts) {
    for (uri, fact) in &facts.invitees {
        let Some(after) = next.invitees.get(uri) else {
            continue;
        };
        let marked = |contact: &ContactKey| {
            let mark = stored.erasures.get(contact);
            mark.is_some_and(|mark| covers(*mark, after.created_at, after.updated_at))
        };
        let before = stored.invitees.get(uri).filter(|_| !fact.erased);
        let told = [before.and_then(InviteeRecord::contact), fact.contact()];
        let told = told.into_iter().flatten();
        let mut addresses: BTreeSet<_> = told.filter(|contact| !marked(contact)).collect();
        let now = after.contact();
        if addresses.iter().all(|known| Some(known) == now.as_ref()) {
            continue;
        }
        addresses.extend(now);
        if let Some(event) = next.events.get_mut(&uri.event()) {
            let told = &event.told() | &addresses;
            event.keep_named(told);
        }
    }
}

impl SubmissionRecord {
    /// Those whose addresses were filled in. A form doesn't say which of its questions asks for
    /// one, so whatever looks like an address is taken for it.
    pub fn contacts(&self) -> BTreeSet<ContactKey> {
        let answers = self.answers.iter().flat_map(|answers| &answers.value);
        answers
            .filter_map(|answer| answer.answer.as_deref())
            .filter_map(Address::parse)
            .map(|address| ContactKey::from(&address))
            .collect()
    }
}
