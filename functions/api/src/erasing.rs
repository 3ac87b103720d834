//! `DELETE /v1/contacts/{email}`.

use crate::contacts::unknown;
use crate::handler::{Answer, Api, Call, ok, unavailable};
use booking::ContactKey;
use contract::answers::ErasureReport;
use futures::stream::{self, StreamExt};
use platform::apply::{Apply, Bookkeeper, Failure};
use platform::bookings::Trace;
use platform::deliveries::{About, Body, Delivery, DeliveryCursor, DeliveryQuery, Status};
use platform::http::Problem;
use platform::queue::DeliveryRef;
use std::time::Duration;
use tokio::time::Instant;

/// An erasure stops looking after this time, well before the function's 29 s, and tells that there
/// is more to do.
const TIME_LIMIT: Duration = Duration::from_secs(18);
/// When bookings are looked for once more: longer than a write may take that was under way.
const SECOND_LOOK: Duration = Duration::from_secs(6);
/// How many index entries are read at a time.
const AT_A_TIME: usize = 100;
/// How many bodies are read at the same time.
const BODIES: usize = 16;

/// One erasure.
struct Erasing {
    email: String,
    contact: ContactKey,
    began: Instant,
    report: ErasureReport,
}

impl Erasing {
    fn out_of_time(&self) -> bool {
        self.began.elapsed() > TIME_LIMIT
    }

    /// Something is left to be done by the next request.
    fn incomplete(&mut self) {
        self.report.complete = false;
    }
}

/// What became of a delivery.
enum Looked {
    /// It doesn't name the person, or not any more.
    Clean,
    /// Its body was erased.
    Erased,
    /// It names the person, or can't be read, and has to wait for the next request.
    Left,
}

impl Api {
    /// First the mark, so that nothing comes back; then, event by event, the deliveries before the
    /// bookings, which lead to them. So a request that is stopped anywhere can be repeated.
    pub(crate) async fn erase(&self, call: &Call<'_>) -> Answer {
        let email = call.id("email", unknown)?;
        let now = ambient::now();
        let mut erasing = Erasing {
            email: email.to_lowercase(),
            contact: ContactKey::of(email),
            began: Instant::now(),
            report: ErasureReport {
                complete: true,
                erased_at: Some(now),
                ..ErasureReport::default()
            },
        };
        let marked = self.bookings.mark_erased(&erasing.contact, now).await;
        marked.map_err(unavailable)?;
        let mut done = Vec::new();
        self.erase_bookings(&mut erasing, &mut done).await?;
        if erasing.report.complete {
            // A step that had looked for the mark before it was there may have been written since, and
            // an index is a moment late.
            tokio::time::sleep(SECOND_LOOK).await;
            for trace in done.clone() {
                self.erase_told(&mut erasing, &trace.about()).await?;
            }
            self.erase_bookings(&mut erasing, &mut done).await?;
        }
        self.erase_unread(&mut erasing).await?;
        let report = erasing.report;
        tracing::info!(
            complete = report.complete,
            invitees = report.invitees,
            events = report.events,
            submissions = report.submissions,
            deliveries = report.deliveries,
            "person erased"
        );
        ok(report)
    }

    /// Erases all that the indexes know, but for what is `done`.
    async fn erase_bookings(
        &self,
        erasing: &mut Erasing,
        done: &mut Vec<Trace>,
    ) -> Result<(), Problem> {
        loop {
            // An index shows for a moment what is gone already.
            let gone: usize = done.iter().map(Trace::entries).sum();
            let traces = self.bookings.traces(&erasing.contact, AT_A_TIME + gone);
            let mut traces = traces.await.map_err(unavailable)?;
            traces.retain(|trace| !done.contains(trace));
            if traces.is_empty() {
                return Ok(());
            }
            for trace in traces {
                if erasing.out_of_time() {
                    erasing.incomplete();
                    return Ok(());
                }
                self.erase_told(erasing, &trace.about()).await?;
                let erased = self.bookings.erase(&erasing.contact, &trace).await;
                let erased = erased.map_err(unavailable)?;
                for submission in &erased.submissions {
                    let about = About::submission(submission.id());
                    self.erase_told(erasing, &about).await?;
                }
                erasing.report.invitees += erased.invitees.len();
                erasing.report.events += usize::from(erased.event.is_some());
                erasing.report.submissions += erased.submissions.len();
                done.push(trace);
            }
        }
    }

    /// Erases those deliveries about an event or a submission that name the person.
    async fn erase_told(&self, erasing: &mut Erasing, about: &About) -> Result<(), Problem> {
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

    /// Erases those deliveries that name the person and are about nothing that is known: events that
    /// nothing here handles, and what can't be read.
    async fn erase_unread(&self, erasing: &mut Erasing) -> Result<(), Problem> {
        for status in [Status::Unprocessable, Status::Ignored, Status::Dead] {
            let mut query = DeliveryQuery {
                status: Some(status),
                event: None,
                from: None,
                to: None,
                limit: AT_A_TIME,
                after: None::<DeliveryCursor>,
                retention: self.retention,
            };
            loop {
                let page = self.deliveries.list(&query).await.map_err(unavailable)?;
                query.after = page.next;
                let more = self.erase_deliveries(erasing, page.items).await?;
                if !more || query.after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Erases those of these deliveries that name the person. Answers whether there is time for more.
    async fn erase_deliveries(
        &self,
        erasing: &mut Erasing,
        deliveries: Vec<Delivery>,
    ) -> Result<bool, Problem> {
        if erasing.out_of_time() {
            erasing.incomplete();
            return Ok(false);
        }
        let email = erasing.email.clone();
        let looked = stream::iter(deliveries)
            .map(|delivery| self.erase_delivery(&email, delivery))
            .buffer_unordered(BODIES);
        for looked in looked.collect::<Vec<_>>().await {
            match looked? {
                Looked::Clean => {}
                Looked::Erased => erasing.report.deliveries += 1,
                Looked::Left => erasing.incomplete(),
            }
        }
        Ok(true)
    }

    async fn erase_delivery(&self, email: &str, delivery: Delivery) -> Result<Looked, Problem> {
        if delivery.erased_at.is_some() {
            return Ok(Looked::Clean);
        }
        let body = match self.deliveries.body(&delivery.id).await {
            Ok(Body::Kept(body)) => body,
            Ok(Body::Erased | Body::Unknown) => return Ok(Looked::Clean),
            Err(error) if error.is_transient() => return Err(unavailable(error)),
            // One that can't be read must not keep the others from being erased.
            Err(error) => {
                tracing::error!(deliveryId = %delivery.id, %error, "a delivery can't be searched");
                return Ok(Looked::Left);
            }
        };
        if !mentions(&body, email) {
            return Ok(Looked::Clean);
        }
        if !delivery.status.is_settled() && !self.applied_first(&delivery).await? {
            return Ok(Looked::Left);
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

    /// Applies a delivery that was not applied yet, or was given up: it can tell of others, too, and
    /// of their bookings nothing may be lost. `false` when that has to be tried again.
    async fn applied_first(&self, delivery: &Delivery) -> Result<bool, Problem> {
        let bookkeeper = Bookkeeper {
            jobs: self.sync_jobs.clone(),
            deliveries: self.deliveries.clone(),
            bookings: self.bookings.clone(),
        };
        let attempt = usize::try_from(delivery.attempts).unwrap_or(usize::MAX);
        let attempt = attempt.saturating_add(1);
        match bookkeeper
            .apply(&DeliveryRef::from(delivery), attempt)
            .await
        {
            // Or it never can be, so that nothing is lost with its body.
            Ok(_) | Err(Failure::Lasting(_)) => Ok(true),
            Err(Failure::Passing(error)) => {
                tracing::warn!(deliveryId = %delivery.id, error, "a delivery is erased once it is applied");
                Ok(false)
            }
        }
    }
}

/// Whether a body names an address, however its letters are written, or escaped in JSON.
fn mentions(body: &[u8], email: &str) -> bool {
    let names = |text: &str| text.to_lowercase().contains(email);
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) else {
        return names(&String::from_utf8_lossy(body));
    };
    let mut left = vec![&json];
    while let Some(value) = left.pop() {
        match value {
            serde_json::Value::String(text) if names(text) => return true,
            serde_json::Value::Array(items) => left.extend(items),
            serde_json::Value::Object(fields) => {
                if fields.keys().any(|name| names(name)) {
                    return true;
                }
                left.extend(fields.values());
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn a_body_names_an_address_however_it_is_written() {
        let email = "jane.doe+x@example.com";
        for body in [
            r#"{"payload": {"email": "Jane.Doe+X@Example.com"}}"#,
            r#"{"answers": [["mail me at jane.doe+x@example.com, please"]]}"#,
            "{\"email\": \"jane.doe+x\\u0040example.com\"}",
            r#"{"jane.doe+x@example.com": 1}"#,
            "not json: jane.doe+x@example.com",
        ] {
            assert!(mentions(body.as_bytes(), email), "{body}");
        }
        for body in [r#"{"email": "doe@example.com"}"#, "", "{}"] {
            assert!(!mentions(body.as_bytes(), email), "{body}");
        }
    }
}
