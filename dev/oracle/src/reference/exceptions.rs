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
    /// It was deleted, and nobody who is connected lists all of its organization, or it isn't known
    /// which that is.
    DeletedUnseen,
    /// It belongs to a very long chain of moves.
    LongChain,
    /// Nobody could read that one booking of its chain took the place of another.
    ChainUnseen,
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
               its whole organization, and where all that was told of it came by an account that has \
               been in more than one",
        reason: "to whoever sees only their own events, one that was given to a colleague looks the \
                 same as one that was deleted. And no webhook says which organization an event \
                 belongs to: a subscription of the former one goes on telling of its events",
    },
    Exception {
        why: Why::LongChain,
        what: "`root` is null for a booking that more than 200 moves separate from the first one",
        reason: "a chain is followed as far as anybody moves a booking in earnest: its length is \
                 whatever somebody sends",
    },
    Exception {
        why: Why::ChainUnseen,
        what: "`root` is a later booking of the chain, where the two before it are both deleted, or \
               in events that no connected account lists",
        reason: "that one booking took the place of another is told by these two bookings alone",
    },
    Exception {
        why: Why::Ours,
        what: "`connection`, `updatedAt` and `missingSince` are this service's own",
        reason: "they say who told of a booking, and when: the world has no such fields",
    },
];
