//! A history as a story: one line a step.

use super::{Act, History, How, Told};
use std::fmt::Write;

/// The history in words.
pub fn tell(history: &History) -> String {
    let mut story = format!("seed {}: {:?}\n", history.seed, history.setup);
    let mut at = 0;
    for step in &history.steps {
        at += step.pause_ms;
        let _ = write!(story, "  {}  {}", time(at), act(&step.act));
        if step.act.is_told() {
            let told: Vec<String> = step.told.iter().map(told).collect();
            let _ = write!(story, "; webhooks: {}", told.join(", "));
        }
        story.push('\n');
    }
    for stop in &history.stops {
        let how = match stop.how {
            How::Killed => "is killed",
            How::Lost => "loses its call",
            How::Slow => "waits long",
        };
        let when = if stop.after { "after" } else { "before" };
        let _ = writeln!(
            story,
            "  run {} {how} {when} call {} took effect",
            stop.run, stop.call
        );
    }
    for write in &history.last_writes {
        let _ = writeln!(story, "  whoever makes write {write} is killed after it");
    }
    story
}

fn time(ms: u64) -> String {
    let seconds = ms / 1000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!(
        "+{hours:02}:{minutes:02}:{:02}.{:03}",
        seconds % 60,
        ms % 1000
    )
}

fn told(told: &Told) -> String {
    match told {
        Told::Never => "lost".to_owned(),
        Told::After(times) => {
            let times: Vec<String> = times.iter().map(|ms| time(*ms)).collect();
            times.join(" and ")
        }
    }
}

impl Act {
    /// Whether webhooks tell of it.
    fn is_told(&self) -> bool {
        matches!(
            self,
            Self::Book { .. }
                | Self::Crowd { .. }
                | Self::BusyDay { .. }
                | Self::Join { .. }
                | Self::Move { .. }
                | Self::MoveInto { .. }
                | Self::Cancel { .. }
                | Self::CancelEvent { .. }
                | Self::AskForAnotherTime { .. }
                | Self::MarkNoShow { .. }
                | Self::ClearNoShow { .. }
        )
    }
}

fn act(act: &Act) -> String {
    let by = |by_host: bool| if by_host { "the host" } else { "themselves" };
    match act {
        Act::Book {
            kind,
            person,
            quarters,
            guests,
        } => format!(
            "person {person} books {kind:?} in {} min with {guests} guests",
            quarters * 15
        ),
        Act::Crowd { people, quarters } => {
            format!("{people} people book a convention in {} min", quarters * 15)
        }
        Act::BusyDay { people, quarters } => format!(
            "{people} people book a meeting each, from in {} min on",
            quarters * 15
        ),
        Act::Join { event, person } => format!("person {person} joins group event {event}"),
        Act::Move {
            invitee,
            quarters,
            by_host,
        } => format!(
            "invitee {invitee} is moved by {} to {} min from now",
            by(*by_host),
            quarters * 15
        ),
        Act::MoveInto { invitee, event } => {
            format!("invitee {invitee} is moved into group event {event}")
        }
        Act::Cancel { invitee, by_host } => {
            format!("invitee {invitee} is canceled by {}", by(*by_host))
        }
        Act::CancelEvent { event } => format!("the host cancels event {event}"),
        Act::AskForAnotherTime { invitee } => {
            format!("the host asks invitee {invitee} for another time")
        }
        Act::MarkNoShow { invitee } => format!("invitee {invitee} is marked as a no-show"),
        Act::ClearNoShow { invitee } => format!("the no-show mark of invitee {invitee} is cleared"),
        Act::Reassign { event, to_sam } => {
            let host = if *to_sam { "Sam" } else { "Dana" };
            format!("event {event} is given to {host}, quietly")
        }
        Act::Rename { event } => format!("event {event} is renamed, quietly"),
        Act::ChangePlace { event } => format!("event {event} takes place elsewhere, quietly"),
        Act::WriteNotes { event } => format!("notes are written on event {event}, quietly"),
        Act::RemoveNotes { event } => format!("the notes of event {event} are removed, quietly"),
        Act::Shift { event, quarters } => format!(
            "event {event} is put to {} min from now, quietly",
            quarters * 15
        ),
        Act::Delete { event } => format!("event {event} is deleted with its data, quietly"),
        Act::Demote => "Dana is no longer an owner".to_owned(),
        Act::Promote => "Dana is an owner again".to_owned(),
        Act::AuthorizeElsewhere => {
            "Dana changes organization, and authorizes again from there".to_owned()
        }
        Act::ChangeOrganization => "Sam changes organization".to_owned(),
        Act::Forbid { event } => format!("event {event} may not be read any more"),
        Act::Allow { event } => format!("event {event} may be read again"),
        Act::Sync => "the scheduled sync".to_owned(),
        Act::Trouble { skip, calls, how } => {
            format!("after {skip} good calls to Calendly, {calls} go wrong: {how:?}")
        }
        Act::Unsubscribe { subscription } => {
            format!("subscription {subscription} is deleted at Calendly")
        }
        Act::Replay { delivery } => format!("delivery {delivery} is applied again"),
        Act::Redrive => "dead letters are sent back".to_owned(),
        Act::Wait => "nothing".to_owned(),
    }
}
