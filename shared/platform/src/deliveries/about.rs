//! What deliveries are about, and the list of those about one thing.

use super::list::DeliveryCursor;
use super::record::{Delivery, Page};
use super::store::DeliveryStore;
use crate::Result;
use crate::error::failed;
use crate::item::{Item, Read, n, s};
use std::fmt;

/// The most queries for one page: each ends at 1 MB or at what is missing of the page.
const MAX_QUERIES: usize = 20;

/// What a delivery is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About(String);

impl About {
    /// A scheduled event, by its id.
    pub fn event(id: &str) -> Self {
        Self(format!("event#{id}"))
    }

    /// A routing form submission, by its id.
    pub fn submission(id: &str) -> Self {
        Self(format!("submission#{id}"))
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl DeliveryStore {
    /// What was told about one thing, the oldest first, from `after` (as the page before gave it)
    /// on. A page that isn't full may have a next one.
    pub async fn about(
        &self,
        about: &About,
        after: Option<&DeliveryCursor>,
        limit: usize,
    ) -> Result<Page<Delivery, DeliveryCursor>> {
        // A space sorts before every place.
        let mut reached = after.map_or_else(|| " ".to_owned(), DeliveryCursor::to_string);
        let mut found: Vec<Item> = Vec::new();
        let mut more = true;
        for _ in 0..MAX_QUERIES {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name("byAbout")
                .key_condition_expression("#about = :about AND receivedKey > :reached")
                .filter_expression("expiresAt >= :now")
                .expression_attribute_names("#about", "about")
                .expression_attribute_values(":about", s(about))
                .expression_attribute_values(":reached", s(&reached))
                .expression_attribute_values(":now", n(ambient::now().as_second()))
                // One more than wanted tells whether there is a next page.
                .limit(i32::try_from(limit + 1 - found.len()).unwrap_or(i32::MAX))
                .send()
                .await
                .map_err(failed("list deliveries about one thing"))?;
            found.extend(answer.items.unwrap_or_default());
            match answer.last_evaluated_key {
                Some(last) => last.must("receivedKey")?.clone_into(&mut reached),
                None => more = false,
            }
            if !more || found.len() > limit {
                break;
            }
        }
        let next = if found.len() > limit {
            found.truncate(limit);
            found.last().and_then(|item| item.text("receivedKey"))
        } else {
            more.then_some(reached.as_str())
        };
        let next = next.and_then(DeliveryCursor::parse);
        let items = found
            .iter()
            .map(Delivery::from_item)
            .collect::<Result<_>>()?;
        Ok(Page { items, next })
    }
}
