//! Whom a record names, as keys that don't tell the address.

use crate::{ContactKey, EventRecord, InviteeRecord, SubmissionRecord};
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

impl SubmissionRecord {
    /// Those whose addresses were filled in. A form doesn't say which of its questions asks for
    /// one, so whatever looks like an address is taken for it.
    pub fn contacts(&self) -> BTreeSet<ContactKey> {
        let answers = self.answers.iter().flat_map(|answers| &answers.value);
        answers
            .filter_map(|answer| answer.answer.as_deref())
            .filter(|answer| looks_like_address(answer))
            .map(ContactKey::of)
            .collect()
    }
}

/// The longest address that mail can be sent to, in characters (RFC 5321).
const MAX_ADDRESS: usize = 254;

fn looks_like_address(text: &str) -> bool {
    let text = text.trim();
    let parts = text.split_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
        && !text.contains(char::is_whitespace)
        && text.chars().count() <= MAX_ADDRESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_other_answers() {
        for address in ["ada@example.com", " Ada.Booker+x@example.com\n", "a@b"] {
            assert!(looks_like_address(address), "{address}");
        }
        let long = format!("{}@example.com", "a".repeat(243));
        for other in [
            "", "11-50", "@", "ada@", "@ada", "a@b@c", "ada @b", "a@b c@d", &long,
        ] {
            assert!(!looks_like_address(other), "{other}");
        }
        assert!(looks_like_address(&long[1..]));
    }
}
