//! Histories of bookings: people book, move, cancel and stay away, and a small model of Calendly
//! tells of it in the words and with the quirks of the real one.

mod payload;

use crate::person::{PEOPLE, Person};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A history as it was told, and a way for it to arrive.
#[derive(Debug, Clone)]
pub struct History {
    /// Webhook bodies in the order in which things happened.
    pub webhooks: Vec<Vec<u8>>,
    /// Indexes into `webhooks`: each at least once, in any order, some repeatedly.
    pub arrivals: Vec<usize>,
    /// What syncs found in between.
    pub looks: Vec<Look>,
    /// Indexes into webhooks and looks together, these after those: each at least once, in any
    /// order, some repeatedly.
    pub all_arrivals: Vec<usize>,
    /// Where processes crash, for [`crate::dynamo::Crashes::at`]; one for each crash.
    pub crashes: Vec<u8>,
    /// How many workers share the work: 1 to 3.
    pub workers: usize,
}

/// What a read of the provider's API found, by a clock that differs from the provider's.
#[derive(Debug, Clone)]
pub enum Look {
    /// An event and its invitees, as resources.
    Found {
        /// The event.
        event: Value,
        /// The invitees.
        invitees: Vec<Value>,
        /// When.
        at: Timestamp,
    },
    /// The list of all events of an organization named it.
    Listed {
        /// The event's URI.
        event: String,
        /// The organization's URI.
        organization: String,
        /// When.
        at: Timestamp,
    },
    /// It was not there.
    NotFound {
        /// The event's URI.
        event: String,
        /// When.
        at: Timestamp,
    },
}

/// Something that people do; the number chooses whom it concerns among those who are there.
#[derive(Debug, Clone, Copy)]
enum Act {
    Book,
    JoinGroup,
    Reschedule(usize),
    Cancel(usize),
    NoShow(usize),
    ClearNoShow(usize),
    Route(usize),
    /// The host moves a group event, of which no webhook tells.
    MoveGroup(usize),
    /// The host cancels a group event with all of its people.
    CallOff(usize),
    /// A sync reads an event, by a clock that is so many microseconds ahead.
    Look(usize, i64),
    /// The list of one of two organizations names an event.
    List(usize, i64),
    /// A sync looks for an event and doesn't find it.
    LookInVain(usize, i64),
}

fn act() -> impl Strategy<Value = Act> {
    let who = 0_usize..8;
    let skew = -2_000_000_i64..2_000_000;
    prop_oneof![
        3 => Just(Act::Book),
        2 => Just(Act::JoinGroup),
        4 => who.clone().prop_map(Act::Reschedule),
        2 => who.clone().prop_map(Act::Cancel),
        2 => who.clone().prop_map(Act::NoShow),
        2 => who.clone().prop_map(Act::ClearNoShow),
        1 => who.clone().prop_map(Act::Route),
        2 => who.clone().prop_map(Act::MoveGroup),
        1 => who.clone().prop_map(Act::CallOff),
        2 => (who.clone(), skew.clone()).prop_map(|(which, skew)| Act::Look(which, skew)),
        1 => (who.clone(), skew.clone()).prop_map(|(which, skew)| Act::List(which, skew)),
        1 => (who, skew).prop_map(|(which, skew)| Act::LookInVain(which, skew)),
    ]
}

/// Histories of up to a dozen acts, with chains of at most five reschedules.
pub fn histories() -> impl Strategy<Value = History> {
    // Some acts fall into the same microsecond, many into the same second, some are a while apart.
    let pause =
        prop_oneof![2 => Just(0_i64), 8 => 1_i64..3_000_000, 1 => 600_000_000_i64..900_000_000];
    let acts = prop::collection::vec((act(), pause), 1..12);
    (acts, any::<bool>())
        .prop_map(|(acts, old_payloads)| tell(&acts, old_payloads))
        .prop_flat_map(|(webhooks, looks)| {
            let crashes = prop::collection::vec(0_u8..12, 0..4);
            (
                arrivals(webhooks.len()),
                arrivals(webhooks.len() + looks.len()),
                (Just(webhooks), Just(looks)),
                crashes,
                1_usize..4,
            )
        })
        .prop_map(|(arrivals, all_arrivals, told, crashes, workers)| History {
            webhooks: told.0,
            arrivals,
            looks: told.1,
            all_arrivals,
            crashes,
            workers,
        })
}

fn arrivals(count: usize) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..count, 0..4)
        .prop_map(move |repeats| (0..count).chain(repeats).collect())
        .prop_shuffle()
}

#[derive(Clone)]
struct Invitee {
    event: usize,
    person: Person,
    number: usize,
    created: Timestamp,
    updated: Timestamp,
    canceled: Option<Timestamp>,
    by_host: bool,
    moved_to: Option<(usize, usize)>,
    moved_from: Option<(usize, usize)>,
    moves: usize,
    no_show: Option<Timestamp>,
    submission: bool,
}

#[derive(Clone, Copy)]
struct Event {
    group: bool,
    /// Who booked it first, and so gave a one-to-one meeting its name and place.
    booker: Person,
    created: Timestamp,
    start: Timestamp,
    moved: Option<Timestamp>,
    canceled: Option<Timestamp>,
    by_host: bool,
}

struct World {
    now: Timestamp,
    events: Vec<Event>,
    invitees: Vec<Invitee>,
    old_payloads: bool,
    told: Vec<Vec<u8>>,
    looks: Vec<Look>,
}

fn tell(acts: &[(Act, i64)], old_payloads: bool) -> (Vec<Vec<u8>>, Vec<Look>) {
    let mut world = World {
        now: "2026-11-20T09:15:01.123456Z".parse().unwrap(),
        events: Vec::new(),
        invitees: Vec::new(),
        old_payloads,
        told: Vec::new(),
        looks: Vec::new(),
    };
    world.book(false, None);
    for (act, pause) in acts {
        world.now += SignedDuration::from_micros(*pause);
        world.act(*act);
    }
    (world.told, world.looks)
}

fn event_uri(event: usize) -> String {
    format!("https://api.calendly.com/scheduled_events/e{event:03}")
}

fn invitee_uri((event, number): (usize, usize)) -> String {
    format!("{}/invitees/i{number:03}", event_uri(event))
}

impl World {
    fn act(&mut self, act: Act) {
        match act {
            Act::Book => self.book(false, None),
            Act::JoinGroup => self.book(true, None),
            Act::Reschedule(who) => {
                if let Some(who) = self.someone(who, |i| i.canceled.is_none() && i.moves < 5) {
                    self.book(false, Some(who));
                }
            }
            Act::Cancel(who) => {
                if let Some(who) = self.someone(who, |i| i.canceled.is_none()) {
                    self.leave(who);
                    self.say("invitee.canceled", who);
                }
            }
            Act::NoShow(who) => {
                if let Some(who) = self.someone(who, |i| i.no_show.is_none()) {
                    self.invitees[who].no_show = Some(self.now);
                    self.invitees[who].updated = self.now;
                    self.say("invitee_no_show.created", who);
                }
            }
            Act::ClearNoShow(who) => {
                if let Some(who) = self.someone(who, |i| i.no_show.is_some()) {
                    self.invitees[who].no_show = None;
                    self.invitees[who].updated = self.now;
                    self.say("invitee_no_show.deleted", who);
                }
            }
            Act::Route(who) => {
                if let Some(who) = self.someone(who, |i| !i.submission) {
                    self.invitees[who].submission = true;
                    self.say_routed(who);
                }
            }
            Act::MoveGroup(which) => {
                if let Some(event) = self.open_group(which) {
                    let event = &mut self.events[event];
                    event.start += SignedDuration::from_hours(24 * 20);
                    event.moved = Some(self.now);
                }
            }
            Act::CallOff(which) => {
                if let Some(event) = self.open_group(which) {
                    self.call_off(event);
                }
            }
            Act::Look(which, skew) => self.look(which % self.events.len(), skew),
            Act::List(which, skew) => self.looks.push(Look::Listed {
                event: event_uri(which % self.events.len()),
                organization: format!("https://api.calendly.com/organizations/{}", which % 2),
                at: self.now + SignedDuration::from_micros(skew),
            }),
            Act::LookInVain(which, skew) => self.looks.push(Look::NotFound {
                event: event_uri(which % self.events.len()),
                at: self.now + SignedDuration::from_micros(skew),
            }),
        }
    }

    fn open_group(&self, which: usize) -> Option<usize> {
        let open = |event: &Event| event.group && event.canceled.is_none();
        let all = 0..self.events.len();
        let all: Vec<usize> = all.filter(|event| open(&self.events[*event])).collect();
        (!all.is_empty()).then(|| all[which % all.len()])
    }

    fn call_off(&mut self, event: usize) {
        self.events[event].canceled = Some(self.now);
        self.events[event].by_host = true;
        let here = |invitee: &Invitee| invitee.event == event && invitee.canceled.is_none();
        let all = 0..self.invitees.len();
        let all: Vec<usize> = all.filter(|who| here(&self.invitees[*who])).collect();
        for who in &all {
            let invitee = &mut self.invitees[*who];
            invitee.canceled = Some(self.now);
            invitee.updated = self.now;
            invitee.by_host = true;
        }
        for who in all {
            self.say("invitee.canceled", who);
        }
    }

    fn look(&mut self, event: usize, skew: i64) {
        let all = 0..self.invitees.len();
        let here = all.filter(|who| self.invitees[*who].event == event);
        let invitees = here.map(|who| {
            let mut invitee = self.payload(who);
            let fields = invitee.as_object_mut().unwrap();
            fields.remove("scheduled_event");
            invitee
        });
        let look = Look::Found {
            invitees: invitees.collect(),
            event: self.scheduled_event(event),
            at: self.now + SignedDuration::from_micros(skew),
        };
        self.looks.push(look);
    }

    fn someone(&self, who: usize, fits: impl Fn(&Invitee) -> bool) -> Option<usize> {
        let all: Vec<usize> = (0..self.invitees.len())
            .filter(|i| fits(&self.invitees[*i]))
            .collect();
        (!all.is_empty()).then(|| all[who % all.len()])
    }

    fn book(&mut self, group: bool, old: Option<usize>) {
        let open = |event: &Event| event.group && event.canceled.is_none();
        let number = self.invitees.len();
        let person = match old {
            Some(old) => self.invitees[old].person,
            None => Person(number % PEOPLE),
        };
        let event = match self.events.iter().position(open) {
            Some(event) if group => event,
            _ => {
                self.events.push(Event {
                    group,
                    booker: person,
                    created: self.now,
                    start: self.now + SignedDuration::from_hours(24 * 20),
                    moved: None,
                    canceled: None,
                    by_host: false,
                });
                self.events.len() - 1
            }
        };
        let old_name = old.map(|old| (self.invitees[old].event, self.invitees[old].number));
        self.invitees.push(Invitee {
            event,
            person,
            number,
            created: self.now,
            updated: self.now,
            canceled: None,
            by_host: false,
            moved_to: None,
            moved_from: old_name,
            moves: old.map_or(0, |old| self.invitees[old].moves + 1),
            no_show: None,
            submission: false,
        });
        if let Some(old) = old {
            self.invitees[old].moved_to = Some((event, number));
            self.leave(old);
            self.say("invitee.canceled", old);
        }
        self.say("invitee.created", number);
    }

    fn leave(&mut self, who: usize) {
        let invitee = &mut self.invitees[who];
        invitee.canceled = Some(self.now);
        invitee.updated = self.now;
        let event = &mut self.events[invitee.event];
        if !event.group {
            event.canceled = Some(self.now);
        }
    }

    fn say(&mut self, event: &str, who: usize) {
        let payload = self.payload(who);
        self.send(event, &payload);
    }

    fn send(&mut self, event: &str, payload: &Value) {
        // As Calendly does, the envelope's time is cut to the second.
        let second = Timestamp::from_second(self.now.as_second()).unwrap();
        let body = json!({
            "created_at": format!("{second:.6}"),
            "created_by": "https://api.calendly.com/users/AAAAHOSTUSER0001",
            "event": event,
            "payload": payload,
        });
        self.told.push(serde_json::to_vec(&body).unwrap());
    }
}
