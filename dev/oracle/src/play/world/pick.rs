//! Whom and what the numbers of a history name.

use super::World;
use sandbox::{Refused, SeenEvent, SeenInvitee};

impl World {
    /// The event that a number names, of those that fit.
    pub(super) fn event(
        &self,
        number: usize,
        fits: impl Fn(&SeenEvent) -> bool,
    ) -> Result<SeenEvent, Refused> {
        let mut all = self.calendly.events();
        all.retain(fits);
        if all.is_empty() {
            return Err(Refused::NotFound);
        }
        let place = number % all.len();
        Ok(all.swap_remove(place))
    }

    pub(super) fn group(&self, number: usize) -> Result<SeenEvent, Refused> {
        self.event(number, |event| {
            event.is_active && event.json["invitees_counter"]["limit"].as_i64() > Some(1)
        })
    }

    pub(super) fn invitee(
        &self,
        number: usize,
        fits: impl Fn(&SeenInvitee) -> bool,
    ) -> Result<String, Refused> {
        let all = self.calendly.events();
        let all = all.into_iter().flat_map(|event| event.invitees);
        let mut all: Vec<_> = all.filter(|invitee| fits(invitee)).collect();
        all.sort_by_key(|invitee| invitee.json["created_at"].to_string());
        let invitee = all.get(number % all.len().max(1));
        invitee
            .map(|invitee| invitee.id.clone())
            .ok_or(Refused::NotFound)
    }

    pub(super) fn has_begun(&self, invitee: &SeenInvitee) -> bool {
        let event = invitee.json["event"].as_str().unwrap_or_default();
        let event = event.rsplit('/').next().unwrap_or_default();
        let event = self.calendly.event(event);
        event.is_some_and(|event| event.start <= self.now())
    }

    /// Somebody of another group event.
    pub(super) fn invitee_of_group(
        &self,
        number: usize,
        other: &SeenEvent,
    ) -> Result<String, Refused> {
        self.invitee(number, |invitee| {
            let event = invitee.json["event"].as_str().unwrap_or_default();
            let event = event.rsplit('/').next().unwrap_or_default();
            invitee.is_active
                && event != other.id
                && self
                    .calendly
                    .event(event)
                    .is_some_and(|event| event.json["event_type"] == other.json["event_type"])
        })
    }
}
