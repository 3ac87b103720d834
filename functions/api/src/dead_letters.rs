//! `GET /v1/dead-letters`, `POST /v1/dead-letters/redrive`, `POST /v1/dead-letters/{id}/discard`.

use crate::deliveries::{delivery_id, unknown};
use crate::handler::{Answer, Api, Call, ok, unavailable};
use contract::answers::{DeadLetterList, RedriveReport};
use contract::requests::{DiscardRequest, RedriveRequest};
use contract::{cursor, object, required_object};
use futures::future::join_all;
use lambda_http::Request;
use lambda_http::http::StatusCode;
use platform::deliveries::{
    Delivery, DeliveryCursor, DeliveryId, DeliveryQuery, Discarded, Reopened, Status,
};
use platform::http::Problem;
use platform::metrics::{Metric, Metrics};
use platform::queue::DeadLetter;
use std::time::Duration;
use tokio::time::Instant;

const LIST: &str = "dead-letters";

/// Messages that a redrive looks at are hidden from others for this long; it gives them back
/// itself, unless it is killed.
const HIDDEN: Duration = Duration::from_secs(60);
/// A redrive stops looking after this time, well before the function's 29 s.
const TIME_LIMIT: Duration = Duration::from_secs(15);
/// The most messages that one redrive looks at: it holds those that it leaves until its end.
const MAX_LOOKED_AT: usize = 1000;
/// How many are given back at a time.
const AT_A_TIME: usize = 20;
/// The longest reason for a discard, in characters.
const LONGEST_REASON: usize = 500;

fn read(request: &Request) -> Result<RedriveRequest, Problem> {
    let form = "{\"dryRun\", \"limit\", \"event\", \"deliveryId\"}";
    let redrive: RedriveRequest = object(request, form)?;
    if !(1..=1000).contains(&redrive.limit) {
        return Err(Problem::parameter("limit", "must be from 1 to 1000"));
    }
    Ok(redrive)
}

fn wants(redrive: &RedriveRequest, letter: &DeadLetter) -> bool {
    let Some(delivery) = &letter.delivery else {
        return false;
    };
    let event = redrive.event.is_none() || redrive.event == delivery.event;
    let id = redrive.delivery_id.as_ref();
    event && id.is_none_or(|id| *id == delivery.delivery_id)
}

/// What a redrive did.
#[derive(Default)]
struct Report {
    matched: Vec<DeliveryId>,
    redriven: usize,
    not_retryable: usize,
    unreadable: usize,
    not_in_log: usize,
    erased: usize,
    discarded: usize,
    complete: bool,
}

impl Report {
    /// Counts what became of a letter, or would become. Answers whether it leaves the queue.
    fn count(&mut self, reopened: &Reopened) -> bool {
        match reopened {
            Reopened::Yes(delivery) => {
                let lasts = delivery.error_kind.is_some_and(|kind| !kind.is_passing());
                self.not_retryable += usize::from(lasts);
                self.matched.push(delivery.id.clone());
                true
            }
            // They can never be sent back, and would be in the way of each redrive.
            Reopened::Erased => {
                self.erased += 1;
                true
            }
            Reopened::Discarded => {
                self.discarded += 1;
                true
            }
            Reopened::Unknown => {
                self.not_in_log += 1;
                false
            }
        }
    }
}

/// What a redrive would find of a delivery.
fn would_be(delivery: Option<Delivery>) -> Reopened {
    match delivery {
        None => Reopened::Unknown,
        Some(delivery) if delivery.erased_at.is_some() => Reopened::Erased,
        Some(delivery) if delivery.status == Status::Discarded => Reopened::Discarded,
        Some(delivery) => Reopened::Yes(Box::new(delivery)),
    }
}

impl Api {
    pub(crate) async fn list_dead_letters(&self, call: &Call<'_>) -> Answer {
        let query = DeliveryQuery {
            status: Some(Status::Dead),
            after: call.params.cursor(LIST, DeliveryCursor::parse)?,
            ..DeliveryQuery::all(call.params.limit(), self.retention)
        };
        let page = self.deliveries_page(query).await?;
        let depth = self.dead_letters.depth().await.map_err(unavailable)?;
        ok(DeadLetterList {
            dead_letters: page.items,
            next_cursor: page.next.map(|place| cursor(LIST, &place.to_string())),
            messages_in_queue: depth,
        })
    }

    /// Sends dead letters back by receive, send and delete: unlike a move by SQS itself that
    /// allows a filter and a dry run.
    pub(crate) async fn redrive(&self, call: &Call<'_>) -> Answer {
        let redrive = read(call.request)?;
        let mut held = Vec::new();
        let result = self.look_through(&redrive, &mut held).await;
        // What is left goes back, whatever stopped the search.
        for letters in held.chunks(AT_A_TIME) {
            let back = join_all(
                letters
                    .iter()
                    .map(|letter| self.dead_letters.put_back(letter)),
            );
            for error in back.await.into_iter().filter_map(Result::err) {
                tracing::warn!(%error, "a dead letter comes back later");
            }
        }
        let report = result?;
        ok(RedriveReport {
            dry_run: redrive.dry_run,
            matched: report.matched.len(),
            redriven: report.redriven,
            left: held.len(),
            not_retryable: report.not_retryable,
            unreadable: report.unreadable,
            not_in_log: report.not_in_log,
            erased: report.erased,
            discarded: report.discarded,
            complete: report.complete,
            delivery_ids: report.matched,
        })
    }

    async fn look_through(
        &self,
        redrive: &RedriveRequest,
        held: &mut Vec<DeadLetter>,
    ) -> Result<Report, Problem> {
        let began = Instant::now();
        let mut report = Report::default();
        let mut looked_at = 0;
        // Written also where a problem ends this halfway.
        let mut metrics = Metrics::default();
        while report.matched.len() < redrive.limit
            && looked_at < MAX_LOOKED_AT
            && began.elapsed() < TIME_LIMIT
        {
            let taken = self.dead_letters.take(HIDDEN).await.map_err(unavailable)?;
            if taken.is_empty() {
                report.complete = true;
                break;
            }
            looked_at += taken.len();
            let mut letters = taken.into_iter();
            while let Some(letter) = letters.next() {
                let full = report.matched.len() >= redrive.limit;
                report.unreadable += usize::from(letter.delivery.is_none());
                // One that died again at once is not taken up again by the same redrive.
                let wanted = letter.delivery.as_ref().filter(|delivery| {
                    wants(redrive, &letter) && !report.matched.contains(&delivery.delivery_id)
                });
                let Some(delivery) = wanted.filter(|_| !full) else {
                    held.push(letter);
                    continue;
                };
                let (id, event) = (delivery.delivery_id.clone(), delivery.event.clone());
                if redrive.dry_run {
                    let found = self.deliveries.get(&id).await.map_err(unavailable);
                    held.push(letter);
                    match found {
                        Ok(found) => report.count(&would_be(found)),
                        Err(problem) => {
                            held.extend(letters);
                            return Err(problem);
                        }
                    };
                    continue;
                }
                match self.sent_back(&id).await {
                    Ok(reopened) => {
                        if !report.count(&reopened) {
                            held.push(letter);
                            continue;
                        }
                        self.dead_letters
                            .remove(&letter)
                            .await
                            .map_err(unavailable)?;
                        if let Reopened::Yes(_) = reopened {
                            metrics.count(Metric::DeliveriesRedriven);
                            tracing::info!(
                                deliveryId = %id,
                                event = event.as_deref().map(calendly::webhook::word),
                                outcome = "redriven",
                                "delivery queued again"
                            );
                            report.redriven += 1;
                        }
                    }
                    Err(problem) => {
                        held.push(letter);
                        held.extend(letters);
                        return Err(problem);
                    }
                }
            }
        }
        Ok(report)
    }

    /// Sends a dead letter back, unless somebody put it away.
    async fn sent_back(&self, id: &DeliveryId) -> Result<Reopened, Problem> {
        let reopened = self.deliveries.reopen_kept(id).await.map_err(unavailable)?;
        self.resend(reopened).await
    }

    pub(crate) async fn discard(&self, call: &Call<'_>) -> Answer {
        let id = delivery_id(call)?;
        let by = &call.caller()?.name;
        self.put_away(&id, by, call.request).await
    }

    async fn put_away(&self, id: &DeliveryId, by: &str, request: &Request) -> Answer {
        let request: DiscardRequest = required_object(request, "{\"reason\": \"…\"}")?;
        let reason = request.reason.trim();
        if reason.is_empty() || reason.chars().nth(LONGEST_REASON).is_some() {
            let must = format!("must have from 1 to {LONGEST_REASON} characters");
            return Err(Problem::parameter("reason", must));
        }
        let done = self.deliveries.discard(id, by, reason).await;
        match done.map_err(unavailable)? {
            Discarded::Now(delivery) => {
                // Not the reason: people's own words may name somebody.
                tracing::info!(
                    deliveryId = %delivery.id,
                    event = delivery.event.as_deref().map(calendly::webhook::word),
                    key = by,
                    outcome = "discarded",
                    "dead letter put away"
                );
                ok(delivery)
            }
            Discarded::Before(delivery) => ok(delivery),
            Discarded::NotDead(status) => Err(not_dead(status)),
            Discarded::Unknown => Err(unknown()),
        }
    }
}

fn not_dead(status: Status) -> Problem {
    let stands = status.as_str();
    Problem::new(
        StatusCode::CONFLICT,
        "NOT_DEAD",
        format!("this delivery is {stands}; only a dead one can be discarded"),
    )
}

#[cfg(test)]
mod tests;
