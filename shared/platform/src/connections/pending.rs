//! Authorizations under way: a `state` is random, works once, and for ten minutes.

use super::store::ConnectionStore;
use crate::Result;
use crate::error::failed;
use crate::item::{Read, n, s};
use aws_sdk_dynamodb::types::ReturnValue;
use jiff::{SignedDuration, Timestamp};

/// How long an authorization may take: as long as Calendly's code lives.
const PENDING_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// What is kept of an authorization under way.
#[derive(Clone, PartialEq, Eq)]
pub struct Pending {
    /// The PKCE verifier: a secret.
    pub verifier: String,
    /// The redirect URI that was sent along, which the exchange must repeat.
    pub redirect_uri: String,
}

impl ConnectionStore {
    /// Keeps an authorization under `state`.
    pub async fn begin(&self, state: &str, pending: &Pending) -> Result<()> {
        let now = ambient::now();
        let until = now
            .saturating_add(PENDING_LIFETIME)
            .unwrap_or(Timestamp::MAX);
        self.client
            .put_item()
            .table_name(&self.table)
            .item("id", s(key(state)))
            .item("verifier", s(&pending.verifier))
            .item("redirectUri", s(&pending.redirect_uri))
            .item("expiresAt", n(until.as_second()))
            .condition_expression("attribute_not_exists(id)")
            .send()
            .await
            .map_err(failed("keep an authorization"))?;
        Ok(())
    }

    /// Takes the authorization of `state`: the first caller gets it, and nobody after that, or
    /// after its time.
    pub async fn take(&self, state: &str) -> Result<Option<Pending>> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("id", s(key(state)))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(failed("take an authorization"))?;
        let Some(item) = answer.attributes.filter(|item| !item.is_empty()) else {
            return Ok(None);
        };
        let expires_at: i64 = item.number("expiresAt").unwrap_or(0);
        if expires_at < ambient::now().as_second() {
            return Ok(None);
        }
        Ok(Some(Pending {
            verifier: item.must("verifier")?.to_owned(),
            redirect_uri: item.must("redirectUri")?.to_owned(),
        }))
    }
}

fn key(state: &str) -> String {
    format!("pending#{state}")
}
