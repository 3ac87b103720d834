//! The deliveries table.
//!
//! One item a delivery, with its body; a body too large for one item has its further parts in
//! items `{id}#1`, `{id}#2`, which no index has. A mark of erasure, `erased#{contact key}`, is there for
//! a while after somebody was erased. [`super::keys`] says where the first lies in them.

use super::about::About;
use super::body::{join, split};
use super::failure::ErrorKind;
use super::keys::{StatusKey, place, time, time_bucket};
use super::record::{Delivery, DeliveryId, NewDelivery, Recorded, Status};
use crate::error::failed;
use crate::item::{Item, Read, b, n, reach, s};
use crate::race::{TRIES, canceled, is_unmet, meets_another, meets_transaction, through};
use crate::{Error, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use booking::{ContactKey, people_in};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// New, or the log's old entry has passed its time: DynamoDB deletes such items days later.
const IS_NEW: &str = "attribute_not_exists(id) OR expiresAt < :now";

/// The delivery log in DynamoDB.
#[derive(Clone)]
pub struct DeliveryStore {
    pub(super) client: Client,
    pub(super) table: String,
}

/// The most people of a body whose marks are looked for: what a transaction holds beside its parts.
const MOST_PEOPLE: usize = 90;

/// What a delivery's body takes beside its entry.
struct Parts<'a> {
    id: &'a DeliveryId,
    more: &'a [Vec<u8>],
    expires_at: i64,
}

/// What logging a delivery in one transaction found.
enum Written {
    New,
    /// The same body came before; this is its entry.
    Old(Item),
    /// It names somebody who was erased.
    NamesErased,
}

/// The raw body of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// It is there.
    Kept(Vec<u8>),
    /// It was erased.
    Erased,
    /// The delivery is not in the log (any more).
    Unknown,
}

impl DeliveryStore {
    /// The log in `table`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Connects to DynamoDB, and does nothing there.
    pub async fn reach(&self) -> Result<()> {
        reach(&self.client, &self.table).await
    }

    /// Logs a delivery, unless its body is there already. One call, whatever the body's size.
    ///
    /// The entry is deleted some time after `retention`.
    pub async fn record(
        &self,
        new: &NewDelivery<'_>,
        retention: SignedDuration,
    ) -> Result<Recorded> {
        let expires_at = new
            .received_at
            .saturating_add(retention)
            .unwrap_or(Timestamp::MAX)
            .as_second();
        let mut parts = split(new.body)?.into_iter();
        let first = parts.next().unwrap_or_default();
        let more: Vec<_> = parts.collect();
        let mut item = entry(new, &first, 1 + more.len(), expires_at);
        let now = n(new.received_at.as_second());

        // Nothing is to be applied, so this is the last look at whom it names.
        let people = if new.status.is_settled() {
            people_in(new.body)
        } else {
            BTreeSet::new()
        };
        let old = if more.is_empty() && people.is_empty() {
            let put = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(item))
                .condition_expression(IS_NEW)
                .expression_attribute_values(":now", now)
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                );
            match through(meets_transaction, || put.clone().send()).await {
                Ok(_) => return Ok(Recorded::New),
                Err(error) => match error.as_service_error() {
                    Some(PutItemError::ConditionalCheckFailedException(e)) => e.item().cloned(),
                    _ => return Err(failed("log a delivery")(error)),
                },
            }
        } else {
            let parts = Parts {
                id: new.id,
                more: &more,
                expires_at,
            };
            match self
                .record_in_parts(&item, now.clone(), &parts, &people)
                .await?
            {
                Written::New => return Ok(Recorded::New),
                Written::Old(old) => Some(old),
                Written::NamesErased => {
                    // That it came is kept, and nothing of what it says.
                    item.remove("body");
                    item.insert("bodyParts".to_owned(), n(0));
                    item.insert("erasedAt".to_owned(), s(new.received_at));
                    let none = Parts { more: &[], ..parts };
                    let nobody = BTreeSet::new();
                    match self.record_in_parts(&item, now, &none, &nobody).await? {
                        Written::Old(old) => Some(old),
                        Written::New | Written::NamesErased => return Ok(Recorded::New),
                    }
                }
            }
        };
        let old = old.ok_or_else(|| Error::corrupt("a logged delivery", "no item came back"))?;
        let tracking_id = old.must("trackingId")?.to_owned();
        // The SDK's own retry of a write whose answer got lost finds that very write.
        if tracking_id == new.tracking_id {
            return Ok(Recorded::New);
        }
        Ok(Recorded::Duplicate {
            status: old.must("status")?.parse()?,
            tracking_id,
        })
    }

    /// Logs a delivery that one item can't hold, or that must name nobody who was erased a while ago.
    async fn record_in_parts(
        &self,
        item: &Item,
        now: AttributeValue,
        parts: &Parts<'_>,
        people: &BTreeSet<ContactKey>,
    ) -> Result<Written> {
        let action = "log a large delivery";
        let build = |put: aws_sdk_dynamodb::types::builders::PutBuilder| {
            put.table_name(&self.table)
                .build()
                .map(|put| TransactWriteItem::builder().put(put).build())
                .map_err(|error| Error::corrupt("a delivery", error))
        };
        let mut writes = vec![build(
            Put::builder()
                .set_item(Some(item.clone()))
                .condition_expression(IS_NEW)
                .expression_attribute_values(":now", now.clone())
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                ),
        )?];
        for (number, part) in parts.more.iter().enumerate() {
            writes.push(build(
                Put::builder()
                    .item("id", s(part_id(parts.id, number + 1)))
                    .item("body", b(part))
                    .item("expiresAt", n(parts.expires_at)),
            )?);
        }
        for contact in people.iter().take(MOST_PEOPLE) {
            writes.push(self.not_erased(contact, now.clone())?);
        }
        let all = self.client.transact_write_items();
        let all = all.set_transact_items(Some(writes));
        // Two copies of one webhook that come at once meet here.
        let written = through(meets_another, || all.clone().send()).await;
        let Err(error) = written else {
            return Ok(Written::New);
        };
        let mut unmet = canceled(&error).unwrap_or_default().iter().enumerate();
        match unmet.find(|(_, reason)| is_unmet(reason)) {
            Some((0, reason)) => Ok(Written::Old(reason.item().cloned().unwrap_or_default())),
            Some(_) => Ok(Written::NamesErased),
            None if meets_another(&error) => Err(Error::Contended {
                action,
                tries: TRIES,
            }),
            None => Err(failed(action)(error)),
        }
    }

    /// A delivery without its body.
    pub async fn get(&self, id: &DeliveryId) -> Result<Option<Delivery>> {
        self.item(id)
            .await?
            .as_ref()
            .map(Delivery::from_item)
            .transpose()
    }

    /// A delivery with its raw body, or with none if that was erased.
    pub async fn get_with_body(
        &self,
        id: &DeliveryId,
    ) -> Result<Option<(Delivery, Option<Vec<u8>>)>> {
        let Some(item) = self.item(id).await? else {
            return Ok(None);
        };
        let delivery = Delivery::from_item(&item)?;
        if delivery.erased_at.is_some() {
            return Ok(Some((delivery, None)));
        }
        let parts: usize = item.number("bodyParts").unwrap_or(1);
        let more = if parts > 1 {
            self.parts(id, parts).await?
        } else {
            Vec::new()
        };
        let mut bytes = vec![item.bytes("body").unwrap_or_default()];
        bytes.extend(more.iter().map(Vec::as_slice));
        Ok(Some((delivery, Some(join(&bytes)?))))
    }

    /// The raw body of a delivery.
    pub async fn body(&self, id: &DeliveryId) -> Result<Body> {
        Ok(match self.get_with_body(id).await? {
            Some((_, Some(body))) => Body::Kept(body),
            Some((_, None)) => Body::Erased,
            None => Body::Unknown,
        })
    }

    /// The item, unless its time has passed.
    pub(super) async fn item(&self, id: &DeliveryId) -> Result<Option<Item>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", s(id))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed("read a delivery"))?;
        let now = ambient::now();
        Ok(answer.item.filter(|item| !has_expired(item, now)))
    }

    async fn parts(&self, id: &DeliveryId, count: usize) -> Result<Vec<Vec<u8>>> {
        let action = "read a large delivery";
        let keys = (1..count)
            .map(|number| Item::from([("id".to_owned(), s(part_id(id, number)))]))
            .collect();
        let request = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()
            .map_err(|error| Error::corrupt("a delivery", error))?;
        let answer = self
            .client
            .batch_get_item()
            .request_items(&self.table, request)
            .send()
            .await
            .map_err(failed(action))?;
        let items = answer
            .responses()
            .and_then(|tables| tables.get(&self.table))
            .map(Vec::as_slice)
            .unwrap_or_default();
        (1..count)
            .map(|number| {
                let id = part_id(id, number);
                items
                    .iter()
                    .find(|item| item.text("id") == Some(&id))
                    .and_then(|item| item.bytes("body"))
                    .map(<[u8]>::to_vec)
                    // DynamoDB may leave out items of a large batch; the caller tries again.
                    .ok_or_else(|| Error::Aws {
                        action,
                        cause: "a part is missing".to_owned(),
                    })
            })
            .collect()
    }
}

/// A delivery's entry, with the first of the parts of its body.
fn entry(new: &NewDelivery<'_>, first: &[u8], parts: usize, expires_at: i64) -> Item {
    let key = StatusKey::new(new.status, new.received_at, new.id);
    let mut item: Item = [
        ("id", s(new.id)),
        ("trackingId", s(new.tracking_id)),
        ("provider", s(new.provider)),
        ("status", s(new.status.as_str())),
        ("receivedAt", s(time(new.received_at))),
        ("timeBucket", s(time_bucket(new.received_at, new.id))),
        ("receivedKey", s(place(new.received_at, new.id))),
        ("statusBucket", s(key.bucket)),
        ("statusAt", s(key.at)),
        ("attempts", n(0)),
        ("body", b(first)),
        ("bodyParts", n(parts)),
        ("expiresAt", n(expires_at)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let about = new.about.map(About::to_string);
    let unreadable = (new.status == Status::Unprocessable).then(|| ErrorKind::Unreadable.as_str());
    if let Some(at) = new.occurred_at {
        item.insert("occurredAt".to_owned(), s(at));
    }
    let optional = [
        ("event", new.event),
        ("lastError", new.reason),
        ("eventUri", new.event_uri),
        ("inviteeUri", new.invitee_uri),
        ("about", about.as_deref()),
        ("errorKind", unreadable),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            item.insert(name.to_owned(), s(value));
        }
    }
    if !new.warnings.is_empty() {
        let warnings = new.warnings.iter().map(s).collect();
        item.insert("warnings".to_owned(), AttributeValue::L(warnings));
    }
    item
}

/// Whether an item's time has passed: DynamoDB deletes it days later.
pub(super) fn has_expired(item: &Item, now: Timestamp) -> bool {
    let expires_at = item.number::<i64>("expiresAt");
    expires_at.is_some_and(|at| at < now.as_second())
}

pub(super) fn part_id(id: &DeliveryId, number: usize) -> String {
    format!("{id}#{number}")
}
