//! Queues: a delivery's id travels, its body stays in the log.

use crate::Result;
use crate::deliveries::{Delivery, DeliveryId};
use crate::error::failed;
use crate::trace;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder;
use aws_sdk_sqs::types::{
    Message, MessageAttributeValue, MessageSystemAttributeNameForSends as SystemAttribute,
    MessageSystemAttributeValue, QueueAttributeName,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::time::Duration;

/// A message: a reference to a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryRef {
    /// Which delivery.
    pub delivery_id: DeliveryId,
    /// The id that its log lines carry.
    pub tracking_id: String,
    /// Name of its event.
    pub event: Option<String>,
}

/// Of one that the log has: it is sent again.
impl From<&Delivery> for DeliveryRef {
    fn from(delivery: &Delivery) -> Self {
        Self {
            delivery_id: delivery.id.clone(),
            tracking_id: delivery.tracking_id.clone(),
            event: delivery.event.clone(),
        }
    }
}

/// How often SQS has handed out a message with these attributes, this time included.
pub fn receive_count<S: BuildHasher>(attributes: &HashMap<String, String, S>) -> usize {
    attributes
        .get("ApproximateReceiveCount")
        .and_then(|count| count.parse().ok())
        .unwrap_or(1)
        .max(1)
}

/// The trace that a message with these attributes was sent in.
pub fn trace_header<S: BuildHasher>(attributes: &HashMap<String, String, S>) -> Option<&str> {
    attributes.get("AWSTraceHeader").map(String::as_str)
}

/// Where deliveries are sent to be processed.
pub trait Outbox {
    /// Sends a reference.
    fn send(&self, delivery: &DeliveryRef) -> impl Future<Output = Result<()>> + Send;
}

/// Where messages come from: a message can be made to come back at a given time.
pub trait Inbox {
    /// Makes the received message come back after `delay`.
    fn hide(&self, receipt: &str, delay: Duration) -> impl Future<Output = Result<()>> + Send;
}

/// Where messages go that were given up.
pub trait DeadLetters {
    /// Sends `body`, as it came, with the reason.
    fn bury(&self, body: &str, reason: &str) -> impl Future<Output = Result<()>> + Send;
}

/// An SQS queue.
#[derive(Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A message taken from a dead letter queue, hidden from others for a while.
pub struct DeadLetter {
    /// What it refers to; nothing for a message that can't be read.
    pub delivery: Option<DeliveryRef>,
    receipt: String,
}

impl Outbox for Queue {
    async fn send(&self, delivery: &DeliveryRef) -> Result<()> {
        let body = serde_json::to_string(delivery)
            .map_err(|error| crate::Error::corrupt("a delivery reference", error))?;
        self.message()
            .message_body(body)
            .send()
            .await
            .map_err(failed("queue a delivery"))?;
        Ok(())
    }
}

impl Inbox for Queue {
    async fn hide(&self, receipt: &str, delay: Duration) -> Result<()> {
        self.client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt)
            .visibility_timeout(i32::try_from(delay.min(MAX_HIDDEN).as_secs()).unwrap_or(0))
            .send()
            .await
            .map_err(failed("set a message's next attempt"))?;
        Ok(())
    }
}

impl DeadLetters for Queue {
    async fn bury(&self, body: &str, reason: &str) -> Result<()> {
        let reason = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(reason)
            .build()
            .map_err(|error| crate::Error::corrupt("a message attribute", error))?;
        self.message()
            .message_body(body)
            .message_attributes("reason", reason)
            .send()
            .await
            .map_err(failed("send to the dead letter queue"))?;
        Ok(())
    }
}

/// Where jobs are sent to be done, now or a little later.
pub trait Jobs<J> {
    /// Sends a job that appears after `delay` (15 minutes at most).
    fn push(&self, job: &J, delay: Duration) -> impl Future<Output = Result<()>> + Send;
}

/// SQS counts its twelve hours from the receive on, so a little less is what can be added.
const MAX_HIDDEN: Duration = Duration::from_secs(43_000);
/// The longest delay that SQS takes.
const MAX_DELAY: Duration = Duration::from_secs(900);

impl<J: Serialize + std::marker::Sync> Jobs<J> for Queue {
    async fn push(&self, job: &J, delay: Duration) -> Result<()> {
        let body =
            serde_json::to_string(job).map_err(|error| crate::Error::corrupt("a job", error))?;
        self.message()
            .message_body(body)
            .delay_seconds(i32::try_from(delay.min(MAX_DELAY).as_secs()).unwrap_or(0))
            .send()
            .await
            .map_err(failed("queue a job"))?;
        Ok(())
    }
}

impl Queue {
    /// The queue at `url`.
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Connects to SQS, and does nothing there.
    pub async fn reach(&self) -> Result<()> {
        self.client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::QueueArn)
            .send()
            .await
            .map_err(failed("reach a queue"))?;
        Ok(())
    }

    /// A message to be sent. The present trace goes with it, beside what counts as its content.
    fn message(&self) -> SendMessageFluentBuilder {
        let message = self.client.send_message().queue_url(&self.url);
        let trace = trace::current().and_then(|trace| {
            let value = MessageSystemAttributeValue::builder().data_type("String");
            value.string_value(trace.header()).build().ok()
        });
        match trace {
            Some(trace) => {
                message.message_system_attributes(SystemAttribute::AwsTraceHeader, trace)
            }
            None => message,
        }
    }

    /// Takes up to ten messages, hidden from others for `hidden`.
    pub async fn take(&self, hidden: Duration) -> Result<Vec<DeadLetter>> {
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .visibility_timeout(i32::try_from(hidden.as_secs()).unwrap_or(60))
            // A short wait asks all of SQS's servers; with none, a nearly empty queue can look empty.
            .wait_time_seconds(1)
            .send()
            .await
            .map_err(failed("receive from the dead letter queue"))?;
        Ok(answer.messages().iter().filter_map(dead_letter).collect())
    }

    /// Puts a taken message back at once.
    pub async fn put_back(&self, letter: &DeadLetter) -> Result<()> {
        self.hide(&letter.receipt, Duration::ZERO).await
    }

    /// Removes a taken message.
    pub async fn remove(&self, letter: &DeadLetter) -> Result<()> {
        self.client
            .delete_message()
            .queue_url(&self.url)
            .receipt_handle(&letter.receipt)
            .send()
            .await
            .map_err(failed("remove from the dead letter queue"))?;
        Ok(())
    }

    /// About how many messages lie here, hidden ones included.
    pub async fn depth(&self) -> Result<u64> {
        let wanted = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let answer = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .set_attribute_names(Some(wanted.to_vec()))
            .send()
            .await
            .map_err(failed("read the dead letter queue's size"))?;
        Ok(wanted
            .iter()
            .filter_map(|name| answer.attributes()?.get(name)?.parse::<u64>().ok())
            .sum())
    }
}

fn dead_letter(message: &Message) -> Option<DeadLetter> {
    let body = message.body().unwrap_or_default();
    Some(DeadLetter {
        delivery: serde_json::from_str(body).ok(),
        receipt: message.receipt_handle()?.to_owned(),
    })
}
