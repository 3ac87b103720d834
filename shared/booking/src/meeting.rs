//! What an event says of its meeting, of which every invitee's record carries a copy.
//!
//! A person's list of bookings is sorted by start, and each booking has to say by itself whether it
//! takes place. Both are the event's to say. So the copy is never merged from messages: it is taken
//! from the event's record whenever one of the two is written ([`reduce`](crate::reduce)), and an
//! event with more invitees than a step holds says that its copies are behind
//! ([`EventRecord::is_settled`]) until the store has brought them in line.

use crate::event::Slot;
use crate::invitee::Cancellation;
use crate::{EventRecord, InviteeRecord};
use serde::{Deserialize, Serialize};

/// Start and end, and whether the event was called off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// When it takes place.
    pub slot: Option<Slot>,
    /// Canceled by the event's own word, or gone from Calendly.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub canceled: bool,
    /// Who canceled it and why, of one that is canceled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<Cancellation>,
}

impl EventRecord {
    /// What its invitees' records are to carry.
    pub fn meeting(&self) -> Meeting {
        Meeting {
            slot: self.slot.as_ref().map(|slot| slot.value.clone()),
            canceled: self.canceled || self.gone_since().is_some(),
            cancellation: self.shown_cancellation(),
        }
    }

    /// Whether the records of all its invitees carry its present [`Meeting`], and it is found by
    /// all whom it names.
    pub fn is_settled(&self) -> bool {
        !self.unsettled
    }

    /// Notes that what follows from this record is still to be written elsewhere.
    pub fn unsettle(&mut self) {
        self.unsettled = true;
    }

    /// Notes that everything that follows from this record is written.
    pub fn settle(&mut self) {
        self.unsettled = false;
    }
}

impl InviteeRecord {
    /// Takes over what the event says. Answers whether that is anything new.
    pub fn follow(&mut self, meeting: &Meeting) -> bool {
        let differs = self.meeting != *meeting;
        if differs {
            self.meeting = meeting.clone();
        }
        differs
    }
}
