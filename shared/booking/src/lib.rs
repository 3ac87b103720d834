//! The domain: scheduled events, invitees, and how facts about them merge.
//!
//! Everything here is pure: no I/O, no clock, no AWS. A provider (Calendly, Cal.com) turns what
//! it received into [`Facts`]; [`reduce`] merges them with the stored [`Records`] and says which
//! [`Transition`]s that made.
//!
//! **Convergence.** A fact is itself a partial record, and merging records is a join: it is
//! commutative, associative and idempotent. So any order, any number of repeats and any
//! interleaving of the same deliveries end in the same records, byte for byte. What makes a merge
//! a join is written beside each field in [`EventRecord`] and [`InviteeRecord`].

pub mod absence;
mod address;
mod erase;
mod event;
mod facts;
mod history;
mod ids;
mod invitee;
mod lineage;
mod meeting;
mod merge;
mod naming;
mod parts;
mod people;
mod reduce;
mod sightings;
mod submission;
mod text;
mod transition;
mod view;

pub use address::Address;
pub use erase::erasure;
pub use event::{Counter, EventRecord, Guest, Host, NAMED_LIMIT, ROSTER_LIMIT, Slot};
pub use facts::{Facts, MAX_NAMED, RecordKeys};
pub use history::{Cause, HistoryEntry, history};
pub use ids::{
    ConnectionId, ContactKey, EventUri, InvalidUri, InviteeUri, Provider, SubmissionUri,
};
pub use invitee::{
    Answer, Cancellation, InviteeRecord, InviteeStatus, Mark, NoShow, Payment, Reconfirmation,
    Tracking,
};
pub use lineage::{Handed, Lineage, MAX_CHAIN};
pub use meeting::Meeting;
pub use merge::{Latest, Removable, Stamp};
pub use naming::{is_named, names, people_in, text_names};
pub use parts::{ByPart, Parts};
pub use people::Role;
pub use reduce::{Records, Reduction, reduce};
pub use sightings::{GONE_AFTER, Sightings};
pub use submission::{FormAnswer, SubmissionRecord};
pub use text::{cut, stored_len};
pub use transition::Transition;
pub use view::{CancellationView, EventStatus, EventView, InviteeSummary, InviteeView};
