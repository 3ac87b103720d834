//! What it means that a message or a read shows nothing where something is stored: one table.
//!
//! A field that is missing altogether never says anything; older messages are shorter. The type of a
//! field enforces its row: only a [`Removable`] value can be taken away.

use crate::merge::{Latest, Removable};
use crate::parts::ByPart;
use crate::{EventRecord, InviteeRecord};

/// What a `null` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Null {
    /// In any message or read: that there is none any more.
    TakesAway,
    /// In a read of the API: that there is none any more. In a message: nothing.
    TakesAwayWhenRead,
    /// Nothing: only a newer value takes the place of what is there.
    SaysNothing,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The provider's name of the field.
    pub field: &'static str,
    /// What a `null` in it says.
    pub null: Null,
    /// Why.
    pub why: &'static str,
}

fn removable<T>(_: &Removable<T>, field: &'static str, null: Null, why: &'static str) -> Row {
    Row { field, null, why }
}

fn stays<T>(_: &Option<Latest<T>>, field: &'static str, why: &'static str) -> Row {
    let null = Null::SaysNothing;
    Row { field, null, why }
}

/// Nor does a part of it that is missing.
fn stays_by_part<T>(_: &Option<ByPart<T>>, field: &'static str, why: &'static str) -> Row {
    let null = Null::SaysNothing;
    Row { field, null, why }
}

/// The rows of a scheduled event's fields.
pub fn of_event(event: &EventRecord) -> Vec<Row> {
    // Every field, so that a new one gets its row.
    let EventRecord {
        name,
        event_type,
        slot,
        location,
        hosts,
        guests,
        counter,
        notes,
        cancellation,
        // Joined in other ways: what was once said of these stays said.
        uri: _,
        provider: _,
        connections: _,
        canceled: _,
        sightings: _,
        organization: _,
        erased_people: _,
        named: _,
        named_more: _,
        created_at: _,
        updated_at: _,
        // Derived.
        roster: _,
        unsettled: _,
    } = event;
    let list = "a list is always there; an empty one is a value like any other";
    vec![
        removable(name, "name", Null::TakesAway, "documented as nullable"),
        removable(
            notes,
            "meeting_notes_plain",
            Null::TakesAway,
            "the host can delete what they wrote",
        ),
        Row {
            null: Null::TakesAway,
            ..stays(
                location,
                "location",
                "the whole place can be null, and is a value like any other",
            )
        },
        stays(
            event_type,
            "event_type",
            "a meeting keeps its type; null only where it never had one",
        ),
        stays_by_part(slot, "start_time", "a meeting is moved, never timeless"),
        stays_by_part(hosts, "event_memberships", list),
        stays(guests, "event_guests", list),
        stays_by_part(
            counter,
            "invitees_counter",
            "always there in whole messages",
        ),
        stays_by_part(cancellation, "cancellation", "a cancellation is for good"),
    ]
}

/// The rows of an invitee's fields.
pub fn of_invitee(invitee: &InviteeRecord) -> Vec<Row> {
    // Every field, so that a new one gets its row.
    let InviteeRecord {
        email,
        name,
        first_name,
        last_name,
        timezone,
        phone,
        answers,
        tracking,
        payment,
        reconfirmation,
        scheduling_method,
        scheduled_by,
        cancel_url,
        reschedule_url,
        cancellation,
        // Of a rule of its own: what was read or told last counts, in both directions.
        no_show: _,
        // Joined in other ways: what was once said of these stays said.
        uri: _,
        known: _,
        erased: _,
        submission: _,
        canceled: _,
        rescheduled: _,
        marks: _,
        moved_from: _,
        moved_to: _,
        lineage: _,
        created_at: _,
        updated_at: _,
        // Derived.
        meeting: _,
    } = invitee;
    let given = "given on booking, and never unset";
    let short = "messages about one booking were seen with it and without";
    let link = "a booking never loses its link";
    vec![
        removable(
            phone,
            "text_reminder_number",
            Null::TakesAwayWhenRead,
            short,
        ),
        removable(
            reconfirmation,
            "reconfirmation",
            Null::TakesAwayWhenRead,
            short,
        ),
        stays(email, "email", given),
        stays(name, "name", given),
        stays(first_name, "first_name", given),
        stays(last_name, "last_name", given),
        stays(timezone, "timezone", given),
        stays(answers, "questions_and_answers", given),
        stays_by_part(tracking, "tracking", given),
        stays_by_part(payment, "payment", "what was paid stays paid"),
        stays(scheduling_method, "scheduling_method", given),
        stays(scheduled_by, "invitee_scheduled_by", given),
        stays(cancel_url, "cancel_url", link),
        stays(reschedule_url, "reschedule_url", link),
        stays_by_part(cancellation, "cancellation", "a cancellation is for good"),
    ]
}
