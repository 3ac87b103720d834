//! Where what is stored may differ from what is true: what Calendly can't tell, each with its reason.
//! This list is the whole of it; a difference that is not here is a fault.

/// One exception.
#[derive(Debug, Clone, Copy)]
pub struct Exception {
    /// Which.
    pub why: Why,
    /// What may differ.
    pub what: &'static str,
    /// Why Calendly can't tell.
    pub reason: &'static str,
}

/// Which exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nobody who is connected lists it.
    NotSeen,
    /// It was deleted, and had begun before it could be missed.
    DeletedAfterItBegan,
    /// It was deleted, and nobody who is connected lists all of its organization.
    DeletedUnseen,
    /// It was deleted before whoever lists all of its organization was told of it.
    DeletedUnheard,
    /// It belongs to a very long chain of moves.
    LongChain,
    /// A field that is no fact of Calendly's.
    Ours,
}

/// All exceptions.
pub const EXCEPTIONS: [Exception; 6] = [
    Exception {
        why: Why::NotSeen,
        what: "an event that no connected account lists keeps what was last told of it",
        reason: "an account that is no owner lists its own events only, one that changed its \
                 organization none of the former, and what is refused with 403 isn't shown; \
                 webhooks may have told of it before",
    },
    Exception {
        why: Why::DeletedAfterItBegan,
        what: "an event that is deleted with its data keeps what was last known, if it had begun \
               before it was missed twice",
        reason: "Calendly answers the same for an event whose data was deleted as for one that \
                 never was, and a meeting that was held must not become a canceled one",
    },
    Exception {
        why: Why::DeletedUnseen,
        what: "an event that is deleted keeps what was last known, where no connected account lists \
               its whole organization",
        reason: "to whoever sees only their own events, one that was given to a colleague looks the \
                 same as one that was deleted",
    },
    Exception {
        why: Why::DeletedUnheard,
        what: "an event that is deleted keeps what was last known, if only colleagues of whoever \
               lists the whole organization were told of it",
        reason: "an account looks for the events that it was told of, and its colleague's token can't \
                 tell an event that was deleted from one that was given to somebody else. Of all \
                 exceptions this is the one that is no limit of Calendly's",
    },
    Exception {
        why: Why::LongChain,
        what: "`root` is null for a booking that more than 200 moves separate from the first one",
        reason: "a chain is followed as far as anybody moves a booking in earnest: its length is \
                 whatever somebody sends",
    },
    Exception {
        why: Why::Ours,
        what: "`connection`, `updatedAt` and `missingSince` are this service's own",
        reason: "they say who told of a booking, and when: the world has no such fields",
    },
];
