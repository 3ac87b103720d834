//! Brings in line what follows from an event's record, where one transaction can't hold it all: the
//! records of a group's invitees, and the entries by which very many guests find it.
//!
//! The event says that it isn't settled in the very write that changes it, and says so until all is
//! done. So a process may stop anywhere: whoever touches the event next goes on. Every write holds on
//! condition that the event is still the one that was read.

use super::item::{Check, record, write_event, write_invitee};
use super::keys::{self, Key};
use super::store::{BookingStore, Merged};
use crate::error::failed;
use crate::item::{Item, Read, s};
use crate::race::{MAX_TRIES, lost};
use crate::{Error, Result};
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use booking::{EventRecord, EventUri, InviteeRecord, Meeting, Provider, Transition};

/// How many items a transaction writes beside its check of the event.
const AT_A_TIME: usize = super::item::TRANSACTION - 1;
/// How many bytes of records a transaction writes: of the 4 MB that it can hold, in a size that
/// doesn't count what their encoding adds.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The event that is being settled.
struct Settling {
    key: Key,
    etag: String,
    event: EventRecord,
}

/// Writes that follow from an event, sent as many at a time as one transaction takes.
struct Batch<'a> {
    store: &'a BookingStore,
    settling: &'a Settling,
    items: Vec<TransactWriteItem>,
    bytes: usize,
    /// What `items` change, record by record.
    made: Vec<Vec<Transition>>,
    /// What is written: another may be faster, and then it is the other's to tell.
    merged: &'a mut Merged,
}

impl BookingStore {
    /// Brings in line what follows from an event, if its record says that something is behind.
    pub async fn settle(&self, provider: Provider, event: &EventUri) -> Result<Merged> {
        let mut merged = Merged::default();
        let key = keys::event(provider, event);
        for attempt in 0..MAX_TRIES {
            let found = self.batch_get(std::slice::from_ref(&key)).await?;
            let Some(item) = found.first() else {
                return Ok(merged);
            };
            let settling = Settling {
                key: key.clone(),
                etag: item.must("etag")?.to_owned(),
                event: record(item)?,
            };
            if settling.event.is_settled() || self.settle_read(settling, &mut merged).await? {
                return Ok(merged);
            }
            merged.taken_anew = true;
            lost(attempt).await;
        }
        Err(Error::Contended {
            action: "bring an event's bookings in line",
            tries: MAX_TRIES,
        })
    }

    /// `false` when another changed the event, or one of its invitees, meanwhile.
    async fn settle_read(&self, settling: Settling, merged: &mut Merged) -> Result<bool> {
        let is_whole = self.links_in_line(&settling, merged).await?
            && self.invitees_in_line(&settling, merged).await?;
        if !is_whole {
            return Ok(false);
        }
        let Settling {
            key,
            etag,
            mut event,
        } = settling;
        event.settle();
        self.put(write_event(&key, &event, etag)?).await
    }

    async fn links_in_line(&self, settling: &Settling, merged: &mut Merged) -> Result<bool> {
        let mut wanted = keys::links_of_event(&settling.event);
        let mut batch = Batch::new(self, settling, merged);
        let mut start = None;
        loop {
            let page = self.beside(&settling.key, "sk < :event", start).await?;
            for item in page.0 {
                let key = Key::of(&item)?;
                match wanted.remove(&key) {
                    Some(link) if link == item => {}
                    Some(link) => batch.link(link)?,
                    None => batch.unlink(&key)?,
                }
                if !batch.send_if_full().await? {
                    return Ok(false);
                }
            }
            start = page.1;
            if start.is_none() {
                break;
            }
        }
        for link in wanted.into_values() {
            batch.link(link)?;
            if !batch.send_if_full().await? {
                return Ok(false);
            }
        }
        batch.send().await
    }

    async fn invitees_in_line(&self, settling: &Settling, merged: &mut Merged) -> Result<bool> {
        let meeting = settling.event.meeting();
        let mut batch = Batch::new(self, settling, merged);
        let mut start = None;
        loop {
            let page = self.beside(&settling.key, "sk > :event", start).await?;
            for item in page.0 {
                batch.follow(&item, &meeting)?;
                if !batch.send_if_full().await? {
                    return Ok(false);
                }
            }
            start = page.1;
            if start.is_none() {
                return batch.send().await;
            }
        }
    }

    /// A page of the items beside an event's own, and where the next begins.
    pub(super) async fn beside(
        &self,
        event: &Key,
        which: &str,
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>)> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression(format!("pk = :pk AND {which}"))
            .expression_attribute_values(":pk", s(&event.pk))
            .expression_attribute_values(":event", s(&event.sk))
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(failed("read an event's bookings"))?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }
}

impl<'a> Batch<'a> {
    fn new(store: &'a BookingStore, settling: &'a Settling, merged: &'a mut Merged) -> Self {
        Self {
            store,
            settling,
            items: Vec::new(),
            bytes: 0,
            made: Vec::new(),
            merged,
        }
    }

    fn link(&mut self, item: Item) -> Result<()> {
        self.items.push(self.store.link(item)?);
        Ok(())
    }

    fn unlink(&mut self, key: &Key) -> Result<()> {
        self.items.push(self.store.unlink(key)?);
        Ok(())
    }

    /// Lets an invitee follow the event who doesn't yet.
    fn follow(&mut self, item: &Item, meeting: &Meeting) -> Result<()> {
        let before: InviteeRecord = record(item)?;
        let mut after = before.clone();
        if !after.follow(meeting) {
            return Ok(());
        }
        let etag = item.must("etag")?.to_owned();
        let write = write_invitee(&Key::of(item)?, &after, etag)?;
        self.bytes += size(&write.item);
        self.items.push(self.store.write(write)?);
        let made = Transition::between(Some(&before), &after, false);
        self.made.push(made);
        Ok(())
    }

    async fn send_if_full(&mut self) -> Result<bool> {
        if self.items.len() < AT_A_TIME && self.bytes < MAX_BYTES {
            return Ok(true);
        }
        self.send().await
    }

    /// Writes what there is. `false` when another was faster.
    async fn send(&mut self) -> Result<bool> {
        let mut items = std::mem::take(&mut self.items);
        let made = std::mem::take(&mut self.made);
        self.bytes = 0;
        if items.is_empty() {
            return Ok(true);
        }
        items.push(self.store.check(Check {
            key: self.settling.key.clone(),
            expected: Some(self.settling.etag.clone()),
        })?);
        let is_written = self.store.transact(items).await?;
        if is_written {
            self.merged.written += made.len();
            self.merged.transitions.extend(made.into_iter().flatten());
        }
        Ok(is_written)
    }
}

fn size(item: &Item) -> usize {
    let values = item.values().map(|value| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        _ => 0,
    });
    values.sum()
}
