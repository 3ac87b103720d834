//! Authorizations: a `state` is random, works once, and for ten minutes. What became of it is kept for
//! a day, so that a page that is loaded again says the same.

use super::store::ConnectionStore;
use crate::Result;
use crate::error::{condition_failed, failed};
use crate::item::{Item, Read, n, s};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::{SignedDuration, Timestamp};

/// How long an authorization may take: as long as Calendly's code lives.
const PENDING_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// How long its outcome is known: browsers load the pages of the day before again.
const OUTCOME_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// What is kept of an authorization under way.
#[derive(Clone, PartialEq, Eq)]
pub struct Pending {
    /// The PKCE verifier: a secret.
    pub verifier: String,
    /// The redirect URI that was sent along, which the exchange must repeat.
    pub redirect_uri: String,
}

/// What a `state` is worth to somebody who comes with it.
#[derive(Clone, PartialEq, Eq)]
pub enum Taken {
    /// This is the first: the authorization is theirs to finish.
    First(Pending),
    /// They, or somebody with the very same answer of Calendly's, came before; the outcome is the
    /// text that was remembered, or still to come.
    Again(Option<String>),
    /// Nothing: it is unknown, too old, or came with another answer before.
    Unknown,
}

impl ConnectionStore {
    /// Keeps an authorization under `state`.
    pub async fn begin(&self, state: &str, pending: &Pending) -> Result<()> {
        self.client
            .put_item()
            .table_name(&self.table)
            .item("id", key(state))
            .item("verifier", s(&pending.verifier))
            .item("redirectUri", s(&pending.redirect_uri))
            .item("expiresAt", after(PENDING_LIFETIME))
            .condition_expression("attribute_not_exists(id)")
            .send()
            .await
            .map_err(failed("keep an authorization"))?;
        Ok(())
    }

    /// Takes the authorization of `state` with an answer of Calendly's, by a digest that tells
    /// answers apart: only the first caller ever gets it.
    pub async fn take(&self, state: &str, answer: &str) -> Result<Taken> {
        let taken = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(state))
            // The last part is for the SDK's own retry of a call whose answer got lost.
            .condition_expression(
                "attribute_exists(id) AND (attribute_not_exists(taker) OR taker = :taker)",
            )
            .update_expression("SET taker = :taker, answer = :answer")
            .expression_attribute_values(":taker", s(ambient::uuid()))
            .expression_attribute_values(":answer", s(answer))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match taken {
            Ok(taken) => match taken.attributes.filter(is_valid) {
                Some(item) => Ok(Taken::First(Pending {
                    verifier: item.must("verifier")?.to_owned(),
                    redirect_uri: item.must("redirectUri")?.to_owned(),
                })),
                None => Ok(Taken::Unknown),
            },
            Err(error) if condition_failed(&error) => self.taken(state, answer).await,
            Err(error) => Err(failed("take an authorization")(error)),
        }
    }

    /// What became of an authorization that somebody took.
    pub async fn taken(&self, state: &str, answer: &str) -> Result<Taken> {
        let found = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", key(state))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed("read an authorization"))?;
        let same = |item: &Item| item.text("answer") == Some(answer);
        let item = found.item.filter(is_valid).filter(same);
        Ok(item.map_or(Taken::Unknown, |item| {
            Taken::Again(item.text("outcome").map(str::to_owned))
        }))
    }

    /// Remembers what became of an authorization, and forgets its secret.
    pub async fn remember(&self, state: &str, outcome: &str) -> Result<()> {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("id", key(state))
            .condition_expression("attribute_exists(id)")
            .update_expression(
                "SET outcome = :outcome, expiresAt = :until REMOVE verifier, redirectUri",
            )
            .expression_attribute_values(":outcome", s(outcome))
            .expression_attribute_values(":until", after(OUTCOME_LIFETIME))
            .send()
            .await
            .map_err(failed("remember an authorization"))?;
        Ok(())
    }
}

fn key(state: &str) -> AttributeValue {
    s(format!("pending#{state}"))
}

fn after(time: SignedDuration) -> AttributeValue {
    let until = ambient::now().saturating_add(time);
    n(until.unwrap_or(Timestamp::MAX).as_second())
}

/// Whether its time isn't over: DynamoDB deletes items some time after that.
fn is_valid(item: &Item) -> bool {
    let until: i64 = item.number("expiresAt").unwrap_or(0);
    until >= ambient::now().as_second()
}
