//! Deliveries whose bodies name somebody who is erased.

use super::{AT_A_TIME, Erasing, Mode};
use crate::handler::{Api, unavailable};
use booking::{ContactKey, names};
use calendly::webhook::without;
use futures::stream::{self, StreamExt};
use platform::apply::{Applied, Apply, Bookkeeper};
use platform::bookings::Erasure;
use platform::deliveries::{
    About, Body, Delivery, DeliveryCursor, DeliveryId, DeliveryQuery, Status,
};
use platform::http::Problem;
use platform::queue::DeliveryRef;

/// How many bodies are read at the same time.
const BODIES: usize = 16;
/// Deliveries to which no booking may lead: not applied (yet), given up, put away, or nothing to apply.
const UNREAD: [Status; 6] = [
    Status::Received,
    Status::Failed,
    Status::Dead,
    Status::Unprocessable,
    Status::Ignored,
    Status::Discarded,
];

/// What became of a delivery.
enum Looked {
    /// It doesn't name the person, or not any more.
    Clean,
    /// Its body was erased, or would be.
    Erased,
    /// They were taken out of its body, and the rest stays.
    Reduced,
    /// It names the person, and has to wait for the next request.
    Left,
    /// It can't be read, now or ever.
    Unreadable,
}

/// What applying a delivery first came to.
enum AppliedFirst {
    Yes,
    /// Every attempt ends like this, and the delivery stands so.
    Never(Status),
    /// Another attempt may succeed.
    NotNow,
}

impl Api {
    /// Erases those deliveries about an event or a submission that name the person.
    pub(super) async fn erase_told(
        &self,
        erasing: &mut Erasing,
        about: &About,
    ) -> Result<(), Problem> {
        let mut after: Option<DeliveryCursor> = None;
        loop {
            let page = self
                .deliveries
                .about(about, after.as_ref(), AT_A_TIME)
                .await;
            let page = page.map_err(unavailable)?;
            after = page.next;
            let more = self.erase_deliveries(erasing, page.items).await?;
            if !more || after.is_none() {
                return Ok(());
            }
        }
    }

    /// Erases those deliveries that name the person and to which nothing leads, from where an earlier
    /// request stopped on: all that come in meanwhile meet the mark.
    pub(super) async fn erase_unread(
        &self,
        erasing: &mut Erasing,
        erasure: &mut Erasure,
    ) -> Result<(), Problem> {
        let place = erasure.place.take().unwrap_or_default();
        let (word, mut after) = match place.split_once(' ') {
            Some((word, place)) => (word, DeliveryCursor::parse(place)),
            None => (place.as_str(), None),
        };
        let first = UNREAD.iter().position(|status| status.as_str() == word);
        for status in &UNREAD[first.unwrap_or_default()..] {
            loop {
                let query = DeliveryQuery {
                    status: Some(*status),
                    after: after.take(),
                    ..DeliveryQuery::all(AT_A_TIME, self.retention)
                };
                let page = self.deliveries.list(&query).await.map_err(unavailable)?;
                let more = self.erase_deliveries(erasing, page.items).await?;
                if !more {
                    let place = query
                        .after
                        .map(|place| format!("{} {place}", status.as_str()));
                    erasure.left |= erasing.report.left > 0;
                    erasure.place = Some(place.unwrap_or_else(|| status.as_str().to_owned()));
                    return self.keep(erasing, erasure).await;
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        // Something may lie before the place from which this request went on.
        if erasure.left || erasing.report.left > 0 {
            erasing.stopped = true;
            erasure.left = false;
            erasure.place = Some(Status::Received.as_str().to_owned());
        }
        self.keep(erasing, erasure).await
    }

    pub(super) async fn keep(&self, erasing: &Erasing, erasure: &Erasure) -> Result<(), Problem> {
        if erasing.mode == Mode::DryRun {
            return Ok(());
        }
        let kept = self.bookings.keep_erasure(&erasing.contact, erasure).await;
        kept.map_err(unavailable)
    }

    /// Erases those of these deliveries that name the person. Answers whether there was time for that.
    async fn erase_deliveries(
        &self,
        erasing: &mut Erasing,
        deliveries: Vec<Delivery>,
    ) -> Result<bool, Problem> {
        if deliveries.is_empty() {
            return Ok(true);
        }
        if erasing.out_of_time() {
            erasing.stopped = true;
            return Ok(false);
        }
        let (contact, mode) = (erasing.contact.clone(), erasing.mode);
        let looked = stream::iter(deliveries)
            .map(async |delivery| {
                let id = delivery.id.clone();
                let looked = match mode {
                    Mode::Erase => self.erase_delivery(&contact, delivery).await,
                    Mode::DryRun => self.would_erase(&contact, &delivery).await,
                };
                looked.map(|looked| (id, looked))
            })
            .buffer_unordered(BODIES);
        for looked in looked.collect::<Vec<_>>().await {
            let (id, looked) = looked?;
            let report = &mut erasing.report;
            let count = match looked {
                Looked::Clean => continue,
                Looked::Erased => &mut report.deliveries,
                Looked::Reduced => &mut report.reduced,
                Looked::Left => {
                    erasing.waits = true;
                    &mut report.left
                }
                Looked::Unreadable => &mut report.left,
            };
            *count += usize::from(erasing.deliveries.insert(id));
        }
        Ok(true)
    }

    /// The body of a delivery that names somebody; nothing where there is none, or it doesn't.
    async fn naming(
        &self,
        contact: &ContactKey,
        delivery: &Delivery,
    ) -> Result<Result<Vec<u8>, Looked>, Problem> {
        if delivery.erased_at.is_some() {
            return Ok(Err(Looked::Clean));
        }
        match self.deliveries.body(&delivery.id).await {
            Ok(Body::Kept(body)) if names(&body, contact) => Ok(Ok(body)),
            Ok(Body::Kept(_) | Body::Erased | Body::Unknown) => Ok(Err(Looked::Clean)),
            Err(error) if error.is_transient() => Err(unavailable(error)),
            // One that can't be read must not keep the others from being erased.
            Err(error) => {
                tracing::error!(deliveryId = %delivery.id, %error, "a delivery can't be searched");
                Ok(Err(Looked::Unreadable))
            }
        }
    }

    async fn would_erase(
        &self,
        contact: &ContactKey,
        delivery: &Delivery,
    ) -> Result<Looked, Problem> {
        let found = self.naming(contact, delivery).await?;
        Ok(found.map_or_else(|looked| looked, |_| Looked::Erased))
    }

    async fn erase_delivery(
        &self,
        contact: &ContactKey,
        delivery: Delivery,
    ) -> Result<Looked, Problem> {
        let body = match self.naming(contact, &delivery).await? {
            Ok(body) => body,
            Err(looked) => return Ok(looked),
        };
        match delivery.status {
            Status::Processed | Status::Ignored => {}
            Status::Unprocessable | Status::Discarded => {
                return self
                    .take_out(contact, &delivery.id, delivery.status, &body)
                    .await;
            }
            Status::Received | Status::Failed | Status::Dead => {
                match self.applied_first(&delivery).await {
                    AppliedFirst::Yes => {}
                    AppliedFirst::Never(status) => {
                        return self.take_out(contact, &delivery.id, status, &body).await;
                    }
                    AppliedFirst::NotNow => return Ok(Looked::Left),
                }
            }
        }
        let erased = self.deliveries.erase(&delivery.id).await;
        // Applying it may have erased it already, as it tells of somebody who was erased.
        let erased = erased.map_err(unavailable)? || !delivery.status.is_settled();
        Ok(if erased {
            Looked::Erased
        } else {
            Looked::Clean
        })
    }

    /// Takes somebody out of a body that was not applied, and keeps the rest: it can be redriven or
    /// replayed once what is in its way is gone. What isn't JSON may be anybody's, and tells nothing
    /// that could be applied.
    async fn take_out(
        &self,
        contact: &ContactKey,
        id: &DeliveryId,
        status: Status,
        body: &[u8],
    ) -> Result<Looked, Problem> {
        let Some(left) = without(body, contact) else {
            let erased = self.deliveries.erase(id).await.map_err(unavailable)?;
            return Ok(if erased {
                Looked::Erased
            } else {
                Looked::Clean
            });
        };
        let kept = self.deliveries.replace_body(id, status, &left).await;
        match kept {
            Ok(true) => Ok(Looked::Reduced),
            Ok(false) => Ok(Looked::Left),
            Err(error) if error.is_transient() => Err(unavailable(error)),
            // One that can't be written must not keep the others from being erased.
            Err(error) => {
                tracing::error!(deliveryId = %id, %error, "what is left of a delivery can't be kept");
                Ok(Looked::Left)
            }
        }
    }

    /// Applies a delivery that was not applied yet, or was given up: it can tell of others, too, and
    /// of their bookings nothing may be lost.
    async fn applied_first(&self, delivery: &Delivery) -> AppliedFirst {
        let bookkeeper = Bookkeeper {
            jobs: self.sync_jobs.clone(),
            deliveries: self.deliveries.clone(),
            bookings: self.bookings.clone(),
        };
        // Never the first: its own message may be under way.
        let attempt = usize::try_from(delivery.attempts).unwrap_or(usize::MAX);
        let attempt = attempt.saturating_add(2);
        let message = DeliveryRef::from(delivery);
        match bookkeeper.apply(&message, attempt).await {
            Ok(Applied::Nothing(Status::Unprocessable)) => {
                AppliedFirst::Never(Status::Unprocessable)
            }
            Ok(_) => AppliedFirst::Yes,
            Err(failure) if !failure.kind.is_passing() => AppliedFirst::Never(delivery.status),
            Err(failure) => {
                tracing::warn!(deliveryId = %delivery.id, error = failure.error, "a delivery is erased once it is applied");
                AppliedFirst::NotNow
            }
        }
    }
}
