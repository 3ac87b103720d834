//! Deliveries, as the API shows them.

use crate::stack::variable;
use crate::{Stack, eventually};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

impl Stack {
    /// A delivery by its id.
    pub async fn delivery(&self, id: &str) -> Value {
        self.get(&format!("/v1/deliveries/{id}")).await.ok()
    }

    /// Waits until a delivery has this status.
    pub async fn until_status(&self, id: &str, status: &str) -> Value {
        self.until(id, status, |delivery| delivery["status"] == status)
            .await
    }

    /// Waits until a delivery is as wanted.
    pub async fn until(&self, id: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("delivery {id}: {what}"), async || {
            let delivery = self.delivery(id).await;
            if wanted(&delivery) {
                Ok(delivery)
            } else {
                Err(delivery)
            }
        })
        .await
    }

    /// Writes an attribute of a delivery's stored item, past everything that guards it.
    pub async fn tamper(&self, id: &str, attribute: &str, value: AttributeValue) {
        let update = self
            .dynamodb
            .update_item()
            .table_name(variable("DELIVERIES_TABLE"));
        update
            .key("id", AttributeValue::S(id.to_owned()))
            .update_expression("SET #attribute = :value")
            .condition_expression("attribute_exists(#attribute)")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":value", value)
            .send()
            .await
            .unwrap();
    }

    /// Sends a delivery again, which must be answered with 202.
    pub async fn replay(&self, id: &str) -> Value {
        let answer = self
            .post_json(&format!("/v1/deliveries/{id}/replay"), &Value::Null)
            .await;
        let body = answer.with_status(202);
        assert_eq!(body["success"], true);
        assert_eq!(body["deliveryId"], id);
        body
    }

    /// Redrives dead letters; what the stack answered.
    pub async fn redrive(&self, wanted: Value) -> Value {
        self.post_json("/v1/dead-letters/redrive", &wanted)
            .await
            .ok()
    }

    /// Every item of a list, page by page: `path` has its parameters but `cursor`, `name` is the
    /// list's field. No page may be larger than `limit`, and only the last may be smaller.
    pub async fn pages(&self, path: &str, name: &str, limit: usize) -> Vec<Vec<Value>> {
        let mut pages = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let next = cursor
                .map(|cursor| format!("&cursor={cursor}"))
                .unwrap_or_default();
            let page = self.get(&format!("{path}{next}")).await.ok();
            let items = page[name].as_array().expect("a list").clone();
            assert!(items.len() <= limit, "{} on a page of {limit}", items.len());
            let full = items.len() == limit;
            pages.push(items);
            match &page["nextCursor"] {
                Value::Null => return pages,
                Value::String(next) => {
                    assert!(full, "a page that isn't full has a next one");
                    cursor = Some(next.clone());
                }
                other => panic!("nextCursor is {other}"),
            }
            assert!(pages.len() < 200, "the list does not end");
        }
    }
}
