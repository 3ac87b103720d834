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

mod erase;
mod event;
mod facts;
mod history;
mod ids;
mod invitee;
mod merge;
mod people;
mod reduce;
mod submission;
mod transition;
mod view;

pub use erase::erasure;
pub use event::{Counter, EventRecord, Guest, Host, ROSTER_LIMIT, Slot};
pub use facts::{Facts, RecordKeys};
pub use history::{Cause, HistoryEntry, history};
pub use ids::{
    ConnectionId, ContactKey, EventUri, InvalidUri, InviteeUri, Provider, SubmissionUri,
};
pub use invitee::{
    Answer, Cancellation, InviteeRecord, InviteeStatus, Lineage, Mark, NoShow, Payment,
    Reconfirmation, Tracking,
};
pub use merge::{Latest, Stamp};
pub use people::Role;
pub use reduce::{MAX_CHAIN, Records, Reduction, reduce};
pub use submission::{FormAnswer, SubmissionRecord};
pub use transition::Transition;
pub use view::{CancellationView, EventStatus, EventView, InviteeSummary, InviteeView};
