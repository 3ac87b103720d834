//! What happens in a play, as plain data: made from a seed, made smaller while it still fails, and
//! told as a story. Nothing here knows how the service works, or how Calendly does.

mod make;
mod scenes;
mod shrink;
mod story;

pub use make::make;
pub use shrink::shrink;
pub use story::tell;

/// A history, and how everything goes wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The seed that it was made from; chance within the play comes from it too.
    pub seed: u64,
    /// What holds for all of it.
    pub setup: Setup,
    /// What happens, one after another.
    pub steps: Vec<Step>,
    /// Which runs of functions are stopped where.
    pub stops: Vec<Stop>,
    /// Which writes of bookings, of all, are the last thing that whoever makes them does.
    pub last_writes: Vec<u64>,
}

/// What holds for a whole history.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each switches something of its own"
)]
pub struct Setup {
    /// How many minutes after the first second of a month it begins, give or take: lists are kept
    /// by month.
    pub minutes_into_month: i64,
    /// Calendly's clock is that much ahead of ours; negative when it is behind.
    pub ahead_ms: i64,
    /// Sam, a member of Dana's organization, connects too: events are told by two subscriptions.
    pub sam_connects: bool,
    /// Rae, of another organization, connects too.
    pub rae_connects: bool,
    /// Of a hundred queue messages that were done, how many come once more.
    pub repeats: u32,
    /// How Calendly writes.
    pub forms: Forms,
    /// Where a booking was not moved, webhooks name it as what took its own place, as some relays do.
    pub self_links: bool,
    /// Lists hold an entry of no known form, and a last page that names an empty next one, from the
    /// beginning to the end.
    pub odd_lists: bool,
    /// Calls that an account has a minute.
    pub calls_a_minute: u32,
    /// How many seconds a function's run may take.
    pub run_seconds: u64,
}

/// How Calendly writes what it tells and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forms {
    /// As today.
    New,
    /// As years ago: webhooks without the scheduled event, hosts by their URI alone.
    Old,
    /// Sometimes so, sometimes so.
    Mixed,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How long after the one before.
    pub pause_ms: u64,
    /// What.
    pub act: Act,
    /// What becomes of the webhooks that tell of it, in their order; the last stands for all that
    /// follow.
    pub told: Vec<Told>,
}

/// What becomes of one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It never comes.
    Never,
    /// It comes once after each of these times.
    After(Vec<u64>),
}

/// What can be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// With Dana, by a conference link that takes its time to get ready.
    Consultation,
    /// With Dana, by another link, ready at once.
    Demo,
    /// With Sam.
    Visit,
    /// With Dana or Sam, whose turn it is.
    RoundRobin,
    /// With both of them.
    Collective,
    /// A group event of both of them.
    Webinar,
    /// A group event of Dana's with room for thousands.
    Convention,
    /// With Rae, in another organization.
    Call,
}

/// Something that people do, or Calendly, or our schedule. A number that names somebody or something
/// counts those who are there, in the order in which they came, and begins anew after the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Somebody books, or joins a group event that is there at that time.
    Book {
        /// What.
        kind: Kind,
        /// Who.
        person: usize,
        /// Start, in quarters of an hour from now.
        quarters: i64,
        /// How many guests come along.
        guests: usize,
    },
    /// Very many people book one large group event.
    Crowd {
        /// How many.
        people: usize,
        /// Start, in quarters of an hour from now.
        quarters: i64,
    },
    /// Many people book, one after another, each a meeting of their own.
    BusyDay {
        /// How many.
        people: usize,
        /// Start of the first, in quarters of an hour from now.
        quarters: i64,
    },
    /// Somebody joins a group event.
    Join {
        /// Which.
        event: usize,
        /// Who.
        person: usize,
    },
    /// An invitee is moved to another time: to an event of its own, or into a group event that is
    /// there then.
    Move {
        /// Who.
        invitee: usize,
        /// Start, in quarters of an hour from now.
        quarters: i64,
        /// The host moves it, not the invitee.
        by_host: bool,
    },
    /// An invitee of a group event is moved into another one.
    MoveInto {
        /// Who.
        invitee: usize,
        /// Which.
        event: usize,
    },
    /// One invitee is canceled.
    Cancel {
        /// Who.
        invitee: usize,
        /// By the host, not by the invitee.
        by_host: bool,
    },
    /// The host cancels an event with all who are coming.
    CancelEvent {
        /// Which.
        event: usize,
    },
    /// The host asks an invitee for another time: `rescheduled`, with no new booking.
    AskForAnotherTime {
        /// Who.
        invitee: usize,
    },
    /// An invitee is marked as not having come.
    MarkNoShow {
        /// Who.
        invitee: usize,
    },
    /// That is taken back.
    ClearNoShow {
        /// Who.
        invitee: usize,
    },
    /// An event gets another host. Nothing tells of it.
    Reassign {
        /// Which.
        event: usize,
        /// To Sam, not to Dana.
        to_sam: bool,
    },
    /// An event gets another name. Nothing tells of it.
    Rename {
        /// Which.
        event: usize,
    },
    /// An event takes place elsewhere. Nothing tells of it.
    ChangePlace {
        /// Which.
        event: usize,
    },
    /// The host writes notes, or others. Nothing tells of it.
    WriteNotes {
        /// Which.
        event: usize,
    },
    /// The host removes the notes. Nothing tells of it.
    RemoveNotes {
        /// Which.
        event: usize,
    },
    /// An event is put to another time, and stays the same event. Nothing tells of it.
    Shift {
        /// Which.
        event: usize,
        /// Start, in quarters of an hour from now.
        quarters: i64,
    },
    /// An event is deleted with its data. Nothing tells of it.
    Delete {
        /// Which.
        event: usize,
    },
    /// Dana is no longer an owner, and sees only events of her own.
    Demote,
    /// Dana is an owner again.
    Promote,
    /// Sam moves to Rae's organization, or back.
    ChangeOrganization,
    /// Dana moves to Rae's organization, or back, as an owner there, and authorizes again.
    AuthorizeElsewhere,
    /// One event may not be read any more.
    Forbid {
        /// Which.
        event: usize,
    },
    /// It may again.
    Allow {
        /// Which.
        event: usize,
    },
    /// The scheduled sync of all connections.
    Sync,
    /// The next calls to Calendly, after some that go well, go wrong.
    Trouble {
        /// How many go well before.
        skip: u32,
        /// How many go wrong.
        calls: u32,
        /// How.
        how: Trouble,
    },
    /// Somebody deletes a subscription, at Calendly.
    Unsubscribe {
        /// Which.
        subscription: usize,
    },
    /// Dead letters are sent back.
    Redrive,
    /// Somebody has a delivery of the log applied again.
    Replay {
        /// Which.
        delivery: usize,
    },
    /// Nothing, but that time passes.
    Wait,
}

/// How a call to Calendly goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// 404 for something that is there.
    NotFound,
    /// 403 for something that may be read.
    Forbidden,
    /// The CDN's page, 403.
    Page,
    /// 429.
    TooMany,
    /// 500.
    Broken,
    /// The call has its effect, and its answer never comes.
    Lost,
    /// It answers what was true some seconds ago.
    Lag {
        /// How long ago.
        seconds: u64,
    },
    /// A list names the page that it is as the next one.
    Circle,
    /// A list names a next page, which is then refused.
    Refused,
}

/// A stop of one run of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Which run, of all.
    pub run: u32,
    /// At which of its calls.
    pub call: u32,
    /// After the call had its effect, not before.
    pub after: bool,
    /// How.
    pub how: How,
}

/// How a run is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The process is killed.
    Killed,
    /// This one call fails.
    Lost,
    /// This one call takes long: others overtake it.
    Slow,
}
