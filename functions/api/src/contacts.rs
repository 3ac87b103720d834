//! `GET /v1/contacts/{email}/activity`, `DELETE /v1/contacts/{email}`.

use crate::events::order;
use crate::handler::{Answer, Api, Call, ok, unavailable};
use booking::ContactKey;
use contract::answers::{Activity, ActivityEvent, ErasureReport};
use contract::cursor;
use jiff::Timestamp;
use platform::bookings::{EventCursor, EventQuery, Trace};
use platform::deliveries::{About, Body, Delivery, DeliveryCursor, DeliveryQuery, Status};
use platform::http::Problem;
use std::time::{Duration, Instant};

/// An erasure stops looking after this time, well before the function's 29 s, and tells that there
/// is more to do.
const TIME_LIMIT: Duration = Duration::from_secs(18);
/// When bookings are looked for once more.
const SECOND_LOOK: Duration = Duration::from_secs(2);
/// How many index entries are read at a time.
const AT_A_TIME: usize = 100;

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
}

impl Api {
    pub(crate) async fn activity(&self, call: &Call<'_>) -> Answer {
        let email = call.id("email", unknown)?;
        let (order, list) = order(call, "activity");
        let (from, to) = call.params.span()?;
        let query = EventQuery {
            from,
            to,
            order,
            limit: call.params.limit(),
            after: call.params.cursor(&list)?.map(EventCursor),
            ..EventQuery::default()
        };
        let page = self.bookings.activity(&ContactKey::of(email), &query).await;
        let page = page.map_err(unavailable)?;
        let events = page.items.into_iter().map(|(roles, event)| ActivityEvent {
            roles: roles.into_iter().collect(),
            event,
        });
        ok(Activity {
            events: events.collect(),
            next_cursor: page.next.map(|EventCursor(place)| cursor(&list, &place)),
        })
    }

    /// First the mark, so that nothing comes back; then, event by event, the deliveries before the
    /// bookings, which lead to them. So a request that is stopped anywhere can be repeated.
    pub(crate) async fn erase(&self, call: &Call<'_>) -> Answer {
        let email = call.id("email", unknown)?;
        let now = Timestamp::now();
        let mut erasing = Erasing {
            email: email.to_lowercase(),
            contact: ContactKey::of(email),
            began: Instant::now(),
            report: ErasureReport {
                erased_at: Some(now),
                ..ErasureReport::default()
            },
        };
        let marked = self.bookings.mark_erased(&erasing.contact, now).await;
        marked.map_err(unavailable)?;
        let mut bookings = self.erase_bookings(&mut erasing).await?;
        if bookings {
            // A step that had looked for the mark before it was there may have been written since, and
            // an index is a moment late.
            tokio::time::sleep(SECOND_LOOK).await;
            bookings = self.erase_bookings(&mut erasing).await?;
        }
        let unread = self.erase_unread(&mut erasing).await?;
        erasing.report.complete = bookings && unread;
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

    /// Erases all that the indexes know. Answers whether it came to the end.
    async fn erase_bookings(&self, erasing: &mut Erasing) -> Result<bool, Problem> {
        let mut done: Vec<Trace> = Vec::new();
        loop {
            let traces = self
                .bookings
                .traces(&erasing.contact, AT_A_TIME + done.len());
            let mut traces = traces.await.map_err(unavailable)?;
            // An index shows for a moment what is gone already.
            traces.retain(|trace| !done.contains(trace));
            if traces.is_empty() {
                return Ok(true);
            }
            for trace in traces {
                if erasing.out_of_time() {
                    return Ok(false);
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
            for delivery in page.items {
                self.erase_delivery(erasing, &delivery).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Erases those deliveries that name the person and are about nothing that is known: events that
    /// nothing here handles, and what can't be read. Answers whether it came to the end.
    async fn erase_unread(&self, erasing: &mut Erasing) -> Result<bool, Problem> {
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
                for delivery in page.items {
                    if erasing.out_of_time() {
                        return Ok(false);
                    }
                    self.erase_delivery(erasing, &delivery).await?;
                }
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
        }
        Ok(true)
    }

    async fn erase_delivery(
        &self,
        erasing: &mut Erasing,
        delivery: &Delivery,
    ) -> Result<(), Problem> {
        if delivery.erased_at.is_some() {
            return Ok(());
        }
        let body = self.deliveries.body(&delivery.id).await;
        let Body::Kept(body) = body.map_err(unavailable)? else {
            return Ok(());
        };
        if !mentions(&body, &erasing.email) {
            return Ok(());
        }
        let erased = self.deliveries.erase(&delivery.id).await;
        erasing.report.deliveries += usize::from(erased.map_err(unavailable)?);
        Ok(())
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

fn unknown() -> Problem {
    Problem::not_found("not an e-mail address; encode its @ and + as %40 and %2B in the path")
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
