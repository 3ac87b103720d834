//! The world that a history plays in: the sandbox's Calendly, in this process.

mod pick;

use super::asked::Listener;
use super::twist::Twists;
use crate::history::{Act, Forms, Kind, Setup, Trouble};
use crate::reference;
use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use sandbox::{
    By, CallFault, EventChange, Faults, Instead, NewBooking, NewEventType, Options, Place, Refused,
    Role, Sandbox, SeenEvent, WebhookForm,
};
use serde_json::json;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A connected account.
pub(crate) struct Account {
    pub(crate) user_uri: String,
    pub(crate) organization_uri: String,
    pub(crate) token: String,
}

/// A webhook on its way.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) event: &'static str,
    pub(crate) body: String,
}

/// Calendly, and what went on in it.
pub(crate) struct World {
    calendly: sandbox::World,
    forms: Forms,
    self_links: bool,
    twists: Twists,
    connected: Vec<String>,
    deleted: RefCell<BTreeMap<String, reference::Truth>>,
    /// Accounts that have been in more than one organization.
    moved: RefCell<BTreeSet<String>>,
}

const DANA: &str = "AAAAHOSTUSER0001";
const SAM: &str = "AAAAHOSTUSER0002";
const RAE: &str = "AAAAHOSTUSER0003";
const FIRST: &str = "AAAAORG000000001";
const SECOND: &str = "AAAAORG000000002";

/// Who books: some share a name, one has two addresses of which one differs in case alone.
const PEOPLE: [(&str, &str); 6] = [
    ("Robin Example", "robin@example.com"),
    ("Alex Example", "alex@example.org"),
    ("Kim Sample", "kim+calendly@example.net"),
    ("Ñandú Prueba", "nandu@example.com"),
    ("Robin Example", "Robin.Two@Example.com"),
    ("Mo", "mo@example.io"),
];

impl World {
    pub(crate) fn new(setup: &Setup) -> Self {
        let calendly = Sandbox::in_process(Options {
            rate_limit: setup.calls_a_minute,
            disable_after: 0,
            conference_delay: Duration::from_secs(90),
            memory: Duration::from_secs(4 * 3600),
            ..Options::default()
        });
        calendly.set_clock_ahead(SignedDuration::from_millis(setup.ahead_ms));
        // Of the sandbox's accounts, so it can be made.
        let _ = calendly.add_event_type(NewEventType {
            name: event_type(Kind::Convention),
            hosts: vec![DANA.to_owned()],
            pooling: None,
            minutes: 60,
            limit: 5000,
            place: Place::Zoom,
        });
        let all = [
            (DANA, true),
            (SAM, setup.sam_connects),
            (RAE, setup.rae_connects),
        ];
        let connected = all.iter().filter(|(_, connects)| *connects);
        Self {
            calendly,
            forms: setup.forms,
            self_links: setup.self_links,
            twists: Twists::new(setup.odd_lists),
            connected: connected.map(|(id, _)| (*id).to_owned()).collect(),
            deleted: RefCell::default(),
            moved: RefCell::default(),
        }
    }

    /// The accounts that connect, with a token of each.
    pub(crate) fn connected(&self) -> Vec<Account> {
        let accounts = self.calendly.accounts();
        let mine = accounts.iter().filter(|a| self.connected.contains(&a.id));
        mine.filter_map(|account| {
            Some(Account {
                user_uri: account.uri.clone(),
                organization_uri: account.organization.clone(),
                token: self.calendly.personal_token(&account.id).ok()?,
            })
        })
        .collect()
    }

    /// What listens to its answers to `accounts`.
    pub(crate) fn listener(&self, accounts: &[Account]) -> Listener {
        let ids = accounts.iter().filter_map(|account| {
            let id = account.user_uri.rsplit('/').next()?;
            Some((account.token.clone(), id.to_owned()))
        });
        Listener::new(self.calendly.clone(), ids.collect())
    }

    pub(crate) fn router(&self) -> axum::Router {
        self.calendly.router()
    }

    /// The time by Calendly's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.calendly.now()
    }

    /// What is odd about its answers.
    pub(crate) fn twists(&self) -> Twists {
        self.twists.clone()
    }

    /// From now on it answers well.
    pub(crate) fn calm(&self) {
        self.twists.calm();
        self.calendly.fail_no_more();
    }

    /// The webhooks that were made since the last look.
    pub(crate) fn webhooks(&self) -> Vec<Webhook> {
        let made = self.calendly.take_webhooks();
        let told = made.into_iter().map(|webhook| Webhook {
            url: webhook.url,
            event: webhook.event,
            body: if self.self_links {
                linked_to_itself(webhook.body)
            } else {
                webhook.body
            },
        });
        told.collect()
    }

    /// Writes what comes next as Calendly does today, or did years ago.
    fn write_as_ever(&self) {
        let old = match self.forms {
            Forms::New => false,
            Forms::Old => true,
            Forms::Mixed => ambient::rng().random(),
        };
        let webhook_form = match (old, ambient::rng().random()) {
            (false, _) => WebhookForm::Present,
            (true, false) => WebhookForm::BareMemberships,
            (true, true) => WebhookForm::NoScheduledEvent,
        };
        let mut faults = Faults::default();
        faults.webhook_form = webhook_form;
        self.calendly.set_faults(faults);
    }

    /// Has something happen. Answers whether it could.
    pub(crate) fn act(&self, act: &Act) -> Result<(), Refused> {
        let world = &self.calendly;
        self.write_as_ever();
        match *act {
            Act::Book {
                kind,
                person,
                quarters,
                guests,
            } => self.book(kind, person, self.at(quarters), guests),
            Act::Crowd { people, quarters } => {
                let start = self.at(quarters);
                (0..people).try_for_each(|number| {
                    let email = format!("visitor.{number}@example.com");
                    let mut new = NewBooking::new(&format!("Visitor {number}"), &email, start);
                    new.event_type = Some(event_type(Kind::Convention));
                    world.book(new).map(|_| ())
                })
            }
            Act::BusyDay { people, quarters } => (0..people).try_for_each(|number| {
                let start = self.at(quarters + i64::try_from(number).unwrap_or_default());
                self.book(Kind::Demo, number, start, 0)
            }),
            Act::Join { event, person } => {
                let event = self.group(event)?;
                self.book(Kind::Webinar, person, event.start, 0)
            }
            Act::Move {
                invitee,
                quarters,
                by_host,
            } => {
                let invitee = self.invitee(invitee, |i| i.is_active)?;
                let start = self.at(quarters);
                let moved = world.reschedule(&invitee, start, by(by_host), Some(String::new()));
                moved.map(|_| ())
            }
            Act::MoveInto { invitee, event } => {
                let event = self.group(event)?;
                let invitee = self.invitee_of_group(invitee, &event)?;
                let moved = world.reschedule(&invitee, event.start, By::Invitee, None);
                moved.map(|_| ())
            }
            Act::Cancel { invitee, by_host } => {
                let invitee = self.invitee(invitee, |i| i.is_active)?;
                let reason = by_host.then(|| "No time".to_owned());
                world.cancel(&invitee, by(by_host), reason).map(|_| ())
            }
            Act::CancelEvent { event } => {
                let event = self.event(event, |e| e.is_active)?.id;
                world.cancel_event(&event, Some("Ill".to_owned()))
            }
            Act::AskForAnotherTime { invitee } => {
                let invitee = self.invitee(invitee, |i| i.is_active)?;
                world.ask_for_another_time(&invitee, None).map(|_| ())
            }
            Act::MarkNoShow { invitee } => {
                // Only of a meeting that has begun can a host say so.
                let invitee = self.invitee(invitee, |i| !i.is_no_show && self.has_begun(i))?;
                world.mark_no_show(&invitee).map(|_| ())
            }
            Act::ClearNoShow { invitee } => {
                let invitee = self.invitee(invitee, |i| i.is_no_show)?;
                world.clear_no_show(&invitee).map(|_| ())
            }
            Act::Delete { event } => self.delete(event),
            Act::Demote => world.set_role(DANA, Role::User),
            Act::Promote => world.set_role(DANA, Role::Owner),
            Act::ChangeOrganization => self.change_organization(SAM, Role::User),
            Act::AuthorizeElsewhere => self.change_organization(DANA, Role::Owner),
            Act::Trouble { skip, calls, how } => {
                match fault(skip, calls, how) {
                    Some(fault) => world.fail(fault),
                    None => self.twists.add(how, skip, calls),
                }
                Ok(())
            }
            Act::Unsubscribe { subscription } => {
                let all = world.subscriptions();
                let named = all.get(subscription % all.len().max(1));
                world.unsubscribe(named.ok_or(Refused::NotFound)?)
            }
            Act::Sync | Act::Redrive | Act::Replay { .. } | Act::Wait => Ok(()),
            Act::Reassign { .. }
            | Act::Rename { .. }
            | Act::ChangePlace { .. }
            | Act::WriteNotes { .. }
            | Act::RemoveNotes { .. }
            | Act::Shift { .. }
            | Act::Forbid { .. }
            | Act::Allow { .. } => self.act_quietly(act),
        }
    }

    /// Changes an event, and nothing tells of it.
    fn act_quietly(&self, act: &Act) -> Result<(), Refused> {
        match *act {
            Act::Reassign { event, to_sam } => {
                let host = if to_sam { SAM } else { DANA };
                self.change(event, |change| change.host = Some(host.to_owned()))
            }
            Act::Rename { event } => {
                let name = format!("Renamed {}", ambient::rng().random_range(0..100));
                self.change(event, |change| change.name = Some(Some(name)))
            }
            Act::ChangePlace { event } => {
                let place = json!(format!(
                    "{} Side Street",
                    ambient::rng().random_range(1..99)
                ));
                self.change(event, |change| change.location = Some(place))
            }
            Act::WriteNotes { event } => {
                let notes = format!("Note {}", ambient::rng().random_range(0..100));
                self.change(event, |change| change.notes = Some(Some(notes)))
            }
            Act::RemoveNotes { event } => self.change(event, |change| change.notes = Some(None)),
            Act::Shift { event, quarters } => {
                let start = self.at(quarters);
                // A meeting that was held is not held anew: then its marks would be of the future.
                let event = self.event(event, |event| event.start > self.now())?.id;
                let change = EventChange {
                    start_time: Some(start),
                    ..EventChange::default()
                };
                self.calendly.change_event(&event, change)
            }
            Act::Forbid { event } => self.change(event, |change| change.forbidden = Some(true)),
            Act::Allow { event } => self.change(event, |change| change.forbidden = Some(false)),
            _ => Ok(()),
        }
    }

    fn change_organization(&self, id: &str, role: Role) -> Result<(), Refused> {
        let accounts = self.calendly.accounts();
        let account = accounts.iter().find(|account| account.id == id);
        let account = account.ok_or(Refused::UnknownUser)?;
        let next = if account.organization.ends_with(FIRST) {
            SECOND
        } else {
            FIRST
        };
        self.moved.borrow_mut().insert(id.to_owned());
        self.calendly.move_account(id, next, role)
    }

    /// URIs of Dana and of the organization that she is in.
    pub(crate) fn dana(&self) -> Option<(String, String)> {
        let accounts = self.calendly.accounts();
        let dana = accounts.into_iter().find(|account| account.id == DANA);
        dana.map(|dana| (dana.uri, dana.organization))
    }

    fn at(&self, quarters: i64) -> Timestamp {
        let now = self.now().as_second();
        let quarter = now - now.rem_euclid(900) + quarters * 900;
        Timestamp::from_second(quarter).unwrap_or(self.now())
    }

    fn book(
        &self,
        kind: Kind,
        person: usize,
        start: Timestamp,
        guests: usize,
    ) -> Result<(), Refused> {
        let (name, email) = PEOPLE[person % PEOPLE.len()];
        let mut new = NewBooking::new(name, email, start);
        new.event_type = Some(event_type(kind));
        let guest = |number| format!("guest.{number}@example.com");
        new.guests = (0..guests).map(guest).collect();
        if person.is_multiple_of(2) {
            new.phone = Some("+12125550142".to_owned());
            let answers = json!([{"question": "What about?", "answer": "This & that"}]);
            new.answers = serde_json::from_value(answers).unwrap_or_default();
            new.tracking = [("utm_source".to_owned(), "news".to_owned())].into();
        }
        if person.is_multiple_of(3) {
            let (first, last) = name.split_once(' ').unwrap_or((name, "Only"));
            new.first_name = Some(first.to_owned());
            new.last_name = Some(last.to_owned());
            new.payment = json!({
                "external_id": "ch_made_up", "provider": "stripe", "amount": 49.5,
                "currency": "USD", "terms": "none", "successful": true,
            });
        }
        self.calendly.book(new).map(|_| ())
    }

    fn change(&self, event: usize, set: impl FnOnce(&mut EventChange)) -> Result<(), Refused> {
        let event = self.event(event, |_| true)?.id;
        let mut change = EventChange::default();
        set(&mut change);
        self.calendly.change_event(&event, change)
    }

    fn delete(&self, event: usize) -> Result<(), Refused> {
        let event = self.event(event, |_| true)?;
        let id = event.id.clone();
        self.calendly.delete_event(&id)?;
        self.deleted.borrow_mut().insert(id, truth(&event));
        Ok(())
    }

    /// What was deleted with its data, as it was last.
    pub(crate) fn deleted(&self) -> BTreeMap<String, reference::Truth> {
        self.deleted.borrow().clone()
    }

    /// How many of the connected accounts can have no subscription that tells them anything. Who
    /// has left the organization that they connected with may make none for it.
    pub(crate) fn unheard(&self) -> usize {
        let accounts = self.calendly.accounts();
        let mine = accounts.iter().filter(|a| self.connected.contains(&a.id));
        let moved = self.moved.borrow();
        let there = mine.filter(|account| !moved.contains(&account.id));
        let subscriptions = self.calendly.subscriptions().len();
        there.count().saturating_sub(subscriptions)
    }

    /// All of it, as it is now.
    pub(crate) fn truth(&self) -> reference::World {
        let events = self.calendly.events();
        let accounts = self.calendly.accounts();
        let mine = accounts.iter().filter(|a| self.connected.contains(&a.id));
        reference::World {
            now: ambient::now(),
            events: events.iter().map(|e| (e.id.clone(), truth(e))).collect(),
            deleted: self.deleted(),
            sights: mine
                .map(|account| reference::Sight {
                    user: account.uri.clone(),
                    organization: account.organization.clone(),
                    sees_all: account.role != Role::User,
                    has_moved: self.moved.borrow().contains(&account.id),
                })
                .collect(),
        }
    }
}

fn event_type(kind: Kind) -> String {
    let name = match kind {
        Kind::Consultation => "30 Minute Consultation",
        Kind::Demo => "Product Demo",
        Kind::Visit => "Office Visit",
        Kind::RoundRobin => "Support Call",
        Kind::Collective => "Panel Interview",
        Kind::Webinar => "Weekly Webinar",
        Kind::Convention => "Convention",
        Kind::Call => "Phone Call",
    };
    name.to_owned()
}

/// Of single things only: that a list isn't there is not what Calendly says.
const SINGLE: &str = "/scheduled_events/";

/// Trouble of single calls; nothing for that of lists.
fn fault(skip: u32, times: u32, how: Trouble) -> Option<CallFault> {
    let next = CallFault::next(match how {
        Trouble::Circle | Trouble::Refused => return None,
        Trouble::NotFound => Instead::Status(404),
        Trouble::Forbidden => Instead::Status(403),
        Trouble::Page => Instead::CdnPage,
        Trouble::TooMany => Instead::Status(429),
        Trouble::Broken => Instead::Status(500),
        Trouble::Lost => Instead::Lost,
        Trouble::Lag { seconds } => Instead::LagMs(seconds * 1000),
    });
    Some(CallFault {
        path: (how == Trouble::NotFound).then(|| SINGLE.to_owned()),
        skip,
        times,
        ..next
    })
}

/// As some relays write it: a booking that nothing replaced is named as its own successor.
fn linked_to_itself(body: String) -> String {
    let Ok(mut told) = serde_json::from_str::<serde_json::Value>(&body) else {
        return body;
    };
    let payload = &mut told["payload"];
    let uri = payload["uri"].clone();
    let links = payload.get_mut("new_invitee").filter(|new| new.is_null());
    match links {
        Some(link) if uri.is_string() => *link = uri,
        _ => return body,
    }
    told.to_string()
}

fn by(host: bool) -> By {
    if host { By::Host } else { By::Invitee }
}

fn truth(event: &SeenEvent) -> reference::Truth {
    reference::Truth {
        event: event.json.clone(),
        invitees: event.invitees.iter().map(|i| i.json.clone()).collect(),
        organization: event.organization.clone(),
        hosts: event.hosts.clone(),
        forbidden: event.is_forbidden,
    }
}
