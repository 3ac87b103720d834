//! Canceled: one invitee, or an event with all of them.

use super::{Bookings, Canceler, Message, Refused};
use crate::clock::Clock;
use crate::invitee::Cancellation;
use jiff::Timestamp;

impl Bookings {
    /// Cancels one invitee, and the event with its last one.
    pub(crate) fn cancel(
        &mut self,
        clock: &mut Clock,
        invitee: &str,
        by: &Canceler,
        reason: Option<String>,
    ) -> Result<Vec<Message>, Refused> {
        let at = self.mark_canceled(clock, invitee, by, reason, false)?;
        let message = self.message("invitee.canceled", invitee, at);
        Ok(message.into_iter().collect())
    }

    pub(super) fn mark_canceled(
        &mut self,
        clock: &mut Clock,
        id: &str,
        by: &Canceler,
        reason: Option<String>,
        rescheduled: bool,
    ) -> Result<Timestamp, Refused> {
        if !self.invitee(id).ok_or(Refused::NotFound)?.is_active() {
            return Err(Refused::AlreadyCanceled);
        }
        let at = clock.next();
        let invitee = self.edit_invitee(id)?;
        let cancellation = Cancellation {
            by: match by {
                Canceler::Invitee => invitee.person.name.clone(),
                Canceler::Host(name) => name.clone(),
            },
            by_host: matches!(by, Canceler::Host(_)),
            reason,
            at,
        };
        invitee.cancellation = Some(cancellation.clone());
        invitee.rescheduled = rescheduled;
        invitee.updated_at = clock.next();
        let event = invitee.event.clone();
        let event = self.edit(&event)?;
        event.updated_at = clock.next();
        if event.active_invitees() == 0 {
            event.cancellation = Some(cancellation);
        }
        Ok(at)
    }

    /// Cancels a whole event: one message for each invitee who was still coming.
    pub(crate) fn cancel_event(
        &mut self,
        clock: &mut Clock,
        event: &str,
        by: &Canceler,
        reason: Option<String>,
    ) -> Result<Vec<Message>, Refused> {
        let event = self.event(event).ok_or(Refused::NotFound)?;
        if !event.is_active() {
            return Err(Refused::AlreadyCanceled);
        }
        let coming = event.invitees.iter().filter(|i| i.is_active());
        let coming: Vec<_> = coming.map(|i| i.id.clone()).collect();
        let mut canceled = Vec::new();
        for id in coming {
            let at = self.mark_canceled(clock, &id, by, reason.clone(), false)?;
            canceled.push((id, at));
        }
        let message = |(id, at): &(String, Timestamp)| self.message("invitee.canceled", id, *at);
        Ok(canceled.iter().filter_map(message).collect())
    }
}
