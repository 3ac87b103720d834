//! One event with its invitees, a page at a time: together they can be more than an answer holds.

use super::item::record;
use super::keys::{self, Key};
use super::store::BookingStore;
use crate::Result;
use crate::deliveries::Page;
use crate::error::failed;
use crate::item::{Item, Read, s};
use booking::{EventRecord, InviteeRecord, InviteeSummary, InviteeView, Provider};

/// Invitees of an event as they are shown, and the id after which the next ones follow.
pub type Invitees = Page<InviteeView, String>;

const EVENT: &str = "event";
/// Invitees that are read at a time where all are wanted.
const A_PAGE: usize = 200;

impl BookingStore {
    /// An event with its first invitees, up to `limit`, in the order of their ids.
    pub async fn open(
        &self,
        provider: Provider,
        id: &str,
        limit: usize,
    ) -> Result<Option<(EventRecord, Invitees)>> {
        let pk = keys::event_pk(provider, id);
        // The event and its invitees, and none of the items by which they are found.
        let mut items = self.items(&pk, "sk >= :from", EVENT, limit + 2).await?;
        if items.first().and_then(|item| item.text("sk")) != Some(EVENT) {
            return Ok(None);
        }
        let event = record(&items.remove(0))?;
        let invitees = self.page(&event, &items, limit).await?;
        Ok(Some((event, invitees)))
    }

    /// An event alone.
    pub async fn event_alone(&self, provider: Provider, id: &str) -> Result<Option<EventRecord>> {
        let key = Key::new(keys::event_pk(provider, id), EVENT);
        let found = self.batch_get(&[key]).await?;
        found.first().map(record).transpose()
    }

    /// The invitees of `event` after the one of the id `after`, up to `limit`.
    pub async fn invitees_after(
        &self,
        event: &EventRecord,
        after: &str,
        limit: usize,
    ) -> Result<Invitees> {
        let pk = keys::event_pk(event.provider, event.uri.id());
        let after = format!("invitee#{after}");
        let items = self.items(&pk, "sk > :from", &after, limit + 1).await?;
        self.page(event, &items, limit).await
    }

    /// All invitees of `event`, each as messages about this very person say.
    pub async fn people(&self, event: &EventRecord) -> Result<Vec<InviteeSummary>> {
        let pk = keys::event_pk(event.provider, event.uri.id());
        let mut people = Vec::new();
        let mut after = "invitee#".to_owned();
        loop {
            let items = self.items(&pk, "sk > :from", &after, A_PAGE).await?;
            for item in &items {
                people.push(InviteeSummary::own(&record(item)?));
            }
            match items.last().and_then(|item| item.text("sk")) {
                Some(last) if items.len() >= A_PAGE => last.clone_into(&mut after),
                _ => return Ok(people),
            }
        }
    }

    /// The records of the invitees of `event` after the one of the id `after`, or from the first on, up
    /// to `limit`, as their event stands.
    pub async fn records_after(
        &self,
        event: &EventRecord,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<InviteeRecord, String>> {
        let pk = keys::event_pk(event.provider, event.uri.id());
        // No id is empty.
        let after = format!("invitee#{}", after.unwrap_or_default());
        let items = self.items(&pk, "sk > :from", &after, limit + 1).await?;
        records(event, &items, limit)
    }

    async fn page(&self, event: &EventRecord, items: &[Item], limit: usize) -> Result<Invitees> {
        let Page {
            items: invitees,
            next,
        } = records(event, items, limit)?;
        let submissions = self.submissions(event.provider, &invitees).await?;
        let items = invitees.iter().map(|invitee| {
            let uri = invitee.submission.as_ref();
            InviteeView::of(invitee, uri.and_then(|uri| submissions.get(uri)))
        });
        Ok(Page {
            items: items.collect(),
            next,
        })
    }

    /// Up to `wanted` items of a partition.
    async fn items(&self, pk: &str, range: &str, from: &str, wanted: usize) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let left = i32::try_from(wanted - items.len()).unwrap_or(i32::MAX);
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression(format!("pk = :pk AND {range}"))
                .expression_attribute_values(":pk", s(pk))
                .expression_attribute_values(":from", s(from))
                .consistent_read(true)
                .limit(left)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(failed("read an event"))?;
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() || items.len() >= wanted {
                return Ok(items);
            }
        }
    }
}

/// Up to `limit` invitees of an event, as it stands, of items of which one more was wanted.
fn records(
    event: &EventRecord,
    items: &[Item],
    limit: usize,
) -> Result<Page<InviteeRecord, String>> {
    let shown = items.iter().take(limit).map(record);
    let mut invitees: Vec<InviteeRecord> = shown.collect::<Result<_>>()?;
    follow(event, &mut invitees);
    let next = invitees
        .last()
        .filter(|_| items.len() > limit)
        .map(|last| last.uri.id().to_owned());
    Ok(Page {
        items: invitees,
        next,
    })
}

/// Lets invitees stand as their event does, also where it is not settled yet: their records may still
/// be behind.
pub(super) fn follow(event: &EventRecord, invitees: &mut [InviteeRecord]) {
    let meeting = event.meeting();
    for invitee in invitees {
        invitee.follow(&meeting);
    }
}
