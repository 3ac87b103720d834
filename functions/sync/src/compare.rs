//! Whether an event has to be read: what Calendly lists of it against what is stored.

use crate::reconcile::Run;
use crate::trouble::Trouble;
use booking::{EventRecord, InviteeSummary, ROSTER_LIMIT, Records, reduce};
use calendly::api::Access;
use calendly::webhook::resource;
use jiff::Timestamp;
use serde_json::Value;

/// Whether an event has to be read.
pub(crate) enum Differs {
    /// It has.
    Yes,
    /// All of it is stored.
    No,
}

impl<A: Access> Run<'_, A> {
    /// Whether an event's invitees have to be read: it is new, it differs, it has other people
    /// than are stored, or it has begun, after which a no-show mark moves nothing of the event.
    pub(crate) async fn differs(
        &self,
        stored: Option<&EventRecord>,
        event: &Value,
        read_at: Timestamp,
    ) -> Result<Differs, Trouble> {
        let Some(stored) = stored.filter(|stored| stored.updated_at.is_some()) else {
            return Ok(Differs::Yes);
        };
        let Ok(facts) = resource::facts(event, &[], &self.connection.id, read_at) else {
            return Ok(Differs::Yes);
        };
        let mut records = Records::default();
        records.events.insert(stored.uri.clone(), stored.clone());
        let next = reduce(&records, &facts).changes_since(&records);
        if !next.records.events.is_empty() || has_begun(stored, read_at) {
            return Ok(Differs::Yes);
        }
        let people = self.people(stored).await?;
        Ok(if people_missing(stored, &people) {
            Differs::Yes
        } else {
            Differs::No
        })
    }

    /// The stored people of an event, each as messages about this very person say. A roster that is
    /// full doesn't name all.
    async fn people(&self, stored: &EventRecord) -> Result<Vec<InviteeSummary>, Trouble> {
        if stored.roster.len() < ROSTER_LIMIT {
            return Ok(stored.roster.values().cloned().collect());
        }
        Ok(self.bookings.people(stored).await?)
    }
}

/// Whether there is more to know of an event's people than is stored.
fn people_missing(stored: &EventRecord, people: &[InviteeSummary]) -> bool {
    let Some(counter) = stored.counter.as_ref().map(|counter| &counter.value) else {
        return people.is_empty();
    };
    // Known only through a link; moved with the half that says why still missing; or marked as a
    // no-show, which may be taken back and moves nothing of the event. Who was erased has no address
    // either, and none to be read.
    let in_doubt = |invitee: &InviteeSummary| {
        invitee.email.is_none() && !invitee.erased
            || !invitee.is_active() && !is_explained(invitee)
            || invitee.no_show
    };
    if people.iter().any(in_doubt) {
        return true;
    }
    let known = i64::try_from(people.len()).unwrap_or(i64::MAX);
    let active = people.iter().filter(|invitee| invitee.is_active()).count();
    let active = i64::try_from(active).unwrap_or(i64::MAX);
    let all_known = counter.total.is_none_or(|total| total <= known);
    let same_active = counter.active.is_none_or(|count| count == active);
    !(all_known && same_active)
}

/// Whether it is known how somebody left. Who was erased keeps nothing of that.
fn is_explained(invitee: &InviteeSummary) -> bool {
    let told = invitee.cancellation.as_ref();
    invitee.erased || told.is_some_and(|it| it.by.is_some() || it.by_type.is_some())
}

/// Whether an event's start is over.
pub(crate) fn has_begun(stored: &EventRecord, now: Timestamp) -> bool {
    let start = stored.slot.as_ref().map(|slot| slot.value.start);
    start.is_some_and(|start| start <= now)
}
