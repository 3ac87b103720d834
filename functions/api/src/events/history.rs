//! `GET …/history`: what happened to an event's bookings, and the deliveries that told of it.

use super::{AT_A_TIME, unknown_event};
use crate::handler::{Answer, Api, Call, ok, unavailable};
use booking::{EventRecord, InviteeRecord, InviteeUri, Provider, history};
use contract::answers::{History, HistoryStep, Told};
use contract::cursor;
use jiff::Timestamp;
use platform::deliveries::{About, DeliveryCursor};
use platform::http::Problem;
use platform::room::{Room, carried};

/// The most deliveries that a history names.
const TOLD: usize = 100;
/// How many times as many are looked at for one invitee: all of an event's are kept as one list.
const LOOKED_AT: usize = 20;
/// How many bytes of steps are held, more than an answer has room for: what comes later gives way.
const HELD: usize = 10_000_000;

/// A step's place in the order: by time, what has none last; then by invitee, and as things follow each
/// other within a booking.
type Place = (bool, Option<Timestamp>, String, usize);

/// The first steps after a place, as many as an answer may have room for.
struct Steps {
    after: Option<Place>,
    held: Vec<(Place, HistoryStep)>,
    bytes: usize,
    /// The first that gave way: it and all after it are for another page.
    end: Option<Place>,
}

impl Steps {
    fn after(after: Option<Place>) -> Self {
        Self {
            after,
            held: Vec::new(),
            bytes: 0,
            end: None,
        }
    }

    fn add(&mut self, invitee: &InviteeRecord) {
        for (number, entry) in history(invitee).into_iter().enumerate() {
            let invitee_id = invitee.uri.id().to_owned();
            let place = (entry.at.is_none(), entry.at, invitee_id.clone(), number);
            let is_before = self.after.as_ref().is_some_and(|after| place <= *after);
            let is_behind = self.end.as_ref().is_some_and(|end| place >= *end);
            if is_before || is_behind {
                continue;
            }
            let step = HistoryStep { invitee_id, entry };
            self.bytes += size(&step);
            self.held.push((place, step));
        }
        if self.bytes > HELD {
            self.trim(Room::default());
            self.bytes = self.held.iter().map(|(_, step)| size(step)).sum();
        }
    }

    /// Keeps what `room` holds, the earliest first: one at least, which is cut where it is written.
    fn trim(&mut self, mut room: Room) {
        self.held.sort_by(|(a, _), (b, _)| a.cmp(b));
        let fitting = self.held.iter().take_while(|(_, step)| room.takes(step));
        let fitting = fitting.count().max(1);
        let end = self.held.drain(fitting.min(self.held.len())..).next();
        self.end = end.map(|(place, _)| place).or(self.end.take());
    }
}

fn size(step: &HistoryStep) -> usize {
    serde_json::to_string(step).map_or(0, |json| carried(&json))
}

fn written((_, at, invitee, number): &Place) -> String {
    let at = at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    format!("{at} {number} {invitee}")
}

fn read(place: &str) -> Option<Place> {
    let mut parts = place.splitn(3, ' ');
    let at = match parts.next()? {
        "-" => None,
        at => Some(at.parse().ok()?),
    };
    let number = parts.next()?.parse().ok()?;
    Some((at.is_none(), at, parts.next()?.to_owned(), number))
}

impl Api {
    pub(crate) async fn event_history(&self, call: &Call<'_>) -> Answer {
        let id = call.id("id", unknown_event)?;
        let event = self.bookings.event_alone(Provider::Calendly, id).await;
        let event = event.map_err(unavailable)?.ok_or_else(unknown_event)?;
        let list = format!("history-{id}");
        let mut steps = Steps::after(call.params.cursor(&list, read)?);
        let mut place: Option<String> = None;
        loop {
            let after = place.as_deref();
            let page = self.bookings.records_after(&event, after, AT_A_TIME).await;
            let page = page.map_err(unavailable)?;
            page.items.iter().for_each(|invitee| steps.add(invitee));
            place = page.next;
            if place.is_none() {
                break;
            }
        }
        self.history(&list, steps, &event, None).await
    }

    pub(crate) async fn invitee_history(&self, call: &Call<'_>) -> Answer {
        let invitee = self.stored_invitee(call).await?;
        let event = EventRecord::about(invitee.uri.event(), Provider::Calendly);
        let list = format!("history-{}", invitee.uri.id());
        let mut steps = Steps::after(call.params.cursor(&list, read)?);
        steps.add(&invitee);
        self.history(&list, steps, &event, Some(&invitee.uri)).await
    }

    /// These steps, and the deliveries that told of the whole event, or of one invitee by their URI.
    async fn history(
        &self,
        list: &str,
        mut steps: Steps,
        event: &EventRecord,
        only: Option<&InviteeUri>,
    ) -> Answer {
        let (deliveries, more_deliveries) = self.told(event, only).await?;
        steps.trim(Room::beside(&deliveries));
        let last = steps.held.last().filter(|_| steps.end.is_some());
        let next_cursor = last.map(|(place, _)| cursor(list, &written(place)));
        ok(History {
            history: steps.held.into_iter().map(|(_, step)| step).collect(),
            deliveries,
            more_deliveries,
            next_cursor,
        })
    }

    /// The first deliveries that told of an event, or of one of its invitees; and whether there may be
    /// more.
    async fn told(
        &self,
        event: &EventRecord,
        only: Option<&InviteeUri>,
    ) -> Result<(Vec<Told>, bool), Problem> {
        let about = About::event(event.uri.id());
        let mut told: Vec<Told> = Vec::new();
        let mut after: Option<DeliveryCursor> = None;
        for _ in 0..LOOKED_AT {
            let page = self.deliveries.about(&about, after.as_ref(), TOLD).await;
            let page = page.map_err(unavailable)?;
            let fits = page.items.iter().filter(|told| {
                only.is_none_or(|uri| told.invitee_uri.as_deref() == Some(uri.as_str()))
            });
            told.extend(fits.map(Told::from));
            after = page.next;
            if after.is_none() || told.len() > TOLD {
                break;
            }
        }
        let more = after.is_some() || told.len() > TOLD;
        told.truncate(TOLD);
        Ok((told, more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use booking::{HistoryEntry, Transition};
    use proptest::prelude::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        for at in [None, Some(Timestamp::UNIX_EPOCH)] {
            let place: Place = (at.is_none(), at, "some id".to_owned(), 3);
            assert_eq!(read(&written(&place)), Some(place));
        }
        for odd in ["", "7", "- x i", "never 1 i"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }

    fn booked(number: usize, second: i64, reason: usize) -> InviteeRecord {
        let uri = format!("https://api.calendly.com/scheduled_events/e/invitees/i{number:04}");
        let mut record = InviteeRecord::about(InviteeUri::parse(&uri).unwrap());
        let at = Timestamp::from_second(second).unwrap();
        record.known = true;
        record.created_at = Some(at);
        record.canceled = true;
        let cancellation = booking::Cancellation {
            by_type: None,
            at: reason.is_multiple_of(2).then_some(at),
            by: None,
            reason: Some("x".repeat(reason)),
            inferred: false,
        };
        let stamp = booking::Stamp::new(at, at);
        record.cancellation = Some(booking::ByPart::new(stamp, cancellation));
        record
    }

    fn pages(people: &[InviteeRecord]) -> Vec<(String, HistoryEntry)> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let mut steps = Steps::after(after);
            for one in people {
                steps.add(one);
                assert!(steps.bytes < HELD + 3_000_000);
            }
            steps.trim(Room::default());
            let last = steps.held.last().map(|(place, _)| written(place));
            let entries = steps.held.into_iter();
            all.extend(entries.map(|(_, step)| (step.invitee_id, step.entry)));
            if steps.end.is_none() {
                return all;
            }
            after = last.map(|last| read(&last).unwrap());
        }
    }

    fn whole(people: &[InviteeRecord]) -> Vec<(String, HistoryEntry)> {
        let mut all: Vec<(String, HistoryEntry)> = Vec::new();
        for one in people {
            let entries = history(one).into_iter();
            all.extend(entries.map(|entry| (one.uri.id().to_owned(), entry)));
        }
        all.sort_by_key(|(_, entry)| (entry.at.is_none(), entry.at));
        all
    }

    #[test]
    fn what_is_small_and_later_takes_no_place_of_what_gave_way() {
        let sizes = std::iter::repeat_n(1_150_000, 9).chain([2]);
        let people = sizes.zip(1..).enumerate();
        let people: Vec<_> = people
            .map(|(number, (reason, second))| booked(number, second, reason))
            .collect();
        assert!(pages(&people) == whole(&people));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pages_are_all_that_happened_in_its_order(
            people in prop::collection::vec((0..5_i64, 0..1_200_000_usize), 1..30),
        ) {
            let people: Vec<_> = people
                .into_iter()
                .enumerate()
                .map(|(number, (second, reason))| booked(number, second, reason))
                .collect();
            let (got, want) = (pages(&people), whole(&people));
            prop_assert!(got == want, "{} of {}", got.len(), want.len());
            let ended = |(_, entry): &&(String, HistoryEntry)| entry.transition == Transition::Canceled;
            prop_assert_eq!(got.iter().filter(ended).count(), people.len());
        }
    }
}
