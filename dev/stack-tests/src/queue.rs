//! The queues, past the API.

use crate::Stack;
use crate::stack::variable;
use aws_sdk_sqs::types::QueueAttributeName;

/// A message in the dead letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its text.
    pub body: String,
    /// Its attribute `reason`.
    pub reason: Option<String>,
}

impl Stack {
    /// Sends any text to the worker's queue.
    pub async fn send_to_queue(&self, body: &str) {
        let url = variable("WEBHOOK_QUEUE_URL");
        self.sqs
            .send_message()
            .queue_url(url)
            .message_body(body)
            .send()
            .await
            .unwrap();
    }

    /// How many messages the worker's queue has, hidden ones included.
    pub async fn waiting(&self) -> u32 {
        let wanted = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let ask = self
            .sqs
            .get_queue_attributes()
            .queue_url(variable("WEBHOOK_QUEUE_URL"));
        let answer = ask
            .set_attribute_names(Some(wanted.to_vec()))
            .send()
            .await
            .unwrap();
        let counts = answer.attributes().unwrap();
        wanted
            .iter()
            .map(|name| counts[name].parse::<u32>().unwrap())
            .sum()
    }

    /// Empties the dead letter queue. Only for tests that run alone.
    pub async fn purge_dead_letters(&self) {
        self.sqs
            .purge_queue()
            .queue_url(variable("WEBHOOK_DLQ_URL"))
            .send()
            .await
            .unwrap();
    }

    /// What is in the dead letter queue; it stays there. Only for tests that run alone.
    pub async fn letters(&self) -> Vec<Letter> {
        let url = variable("WEBHOOK_DLQ_URL");
        let (mut letters, mut receipts) = (Vec::new(), Vec::new());
        loop {
            let answer = self
                .sqs
                .receive_message()
                .queue_url(&url)
                .max_number_of_messages(10)
                .visibility_timeout(30)
                .message_attribute_names("All")
                .send()
                .await
                .unwrap();
            if answer.messages().is_empty() {
                break;
            }
            for message in answer.messages() {
                receipts.push(message.receipt_handle().unwrap().to_owned());
                letters.push(Letter {
                    body: message.body().unwrap_or_default().to_owned(),
                    reason: message
                        .message_attributes()
                        .and_then(|all| all.get("reason")?.string_value())
                        .map(str::to_owned),
                });
            }
        }
        for receipt in receipts {
            self.sqs
                .change_message_visibility()
                .queue_url(&url)
                .receipt_handle(receipt)
                .visibility_timeout(0)
                .send()
                .await
                .unwrap();
        }
        letters
    }
}
