//! Faults on request. Each decision is a pure function of the seed and of how many decisions of
//! its kind came before, so a seed always breaks the same things.

mod call;

pub(crate) use call::CallFaults;
pub use call::{CallFault, Instead};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How often something happens, 0 to 1; `true` is always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Given", into = "f64")]
pub struct Share(f64);

#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Always(bool),
    Share(f64),
}

impl TryFrom<Given> for Share {
    type Error = &'static str;

    fn try_from(given: Given) -> Result<Self, Self::Error> {
        match given {
            Given::Always(always) => Ok(Self(f64::from(u8::from(always)))),
            Given::Share(share) if (0.0..=1.0).contains(&share) => Ok(Self(share)),
            Given::Share(_) => Err("a share must be from 0 to 1, or true or false"),
        }
    }
}

impl Share {
    /// Always.
    pub const ALL: Self = Self(1.0);

    /// A share of 0 to 1; more or less is cut to that.
    pub fn of(share: f64) -> Self {
        Self(share.clamp(0.0, 1.0))
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        share.0
    }
}

/// What an answer's body is replaced with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Body {
    /// Not replaced.
    #[default]
    Normal,
    /// A gateway's HTML page.
    Html,
    /// Nothing.
    Empty,
    /// JSON without the fields that matter.
    Partial,
    /// The call takes effect, but its answer never comes.
    Lost,
}

/// How webhooks are written: captures of former years lack parts of what is documented now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WebhookForm {
    /// As they are documented.
    #[default]
    Present,
    /// The scheduled event names its hosts by their URIs alone.
    BareMemberships,
    /// There is no scheduled event in it, but its URI.
    NoScheduledEvent,
}

impl WebhookForm {
    /// The payload in this form.
    pub(crate) fn write(self, payload: &Value) -> Value {
        let mut payload = payload.clone();
        match self {
            Self::Present => {}
            Self::BareMemberships => {
                let hosts = payload.pointer_mut("/scheduled_event/event_memberships");
                for host in hosts.and_then(Value::as_array_mut).into_iter().flatten() {
                    *host = json!({"user": host["user"]});
                }
            }
            Self::NoScheduledEvent => {
                if let Some(fields) = payload.as_object_mut() {
                    fields.remove("scheduled_event");
                }
            }
        }
        payload
    }
}

/// What goes wrong, and how often.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Faults {
    /// Which of the things that may go wrong do.
    pub seed: u64,
    /// Webhooks that are never sent.
    pub drop: Share,
    /// Webhooks that are sent twice.
    pub repeat: Share,
    /// Webhooks are held and sent in another order.
    pub reorder: bool,
    /// How many are held at a time.
    pub reorder_window: Option<usize>,
    /// Wait before a webhook is first sent.
    pub delay_ms: u64,
    /// Attempts whose signature is an hour old.
    pub stale_signature: Share,
    /// API calls answered with an error, by status.
    pub api_errors: BTreeMap<u16, Share>,
    /// Token calls answered with an error, by status.
    pub token_errors: BTreeMap<u16, Share>,
    /// API calls that hang.
    pub hang: Share,
    /// How long they hang before the connection is answered with 504.
    pub hang_ms: Option<u64>,
    /// How far every read lags behind, as far back as is remembered.
    pub lag_ms: u64,
    /// How webhooks are written.
    pub webhook_form: WebhookForm,
    /// Bodies of successful API answers.
    pub api_body: Body,
    /// Bodies of successful token answers.
    pub token_body: Body,
    /// Bodies of the errors above.
    pub error_body: Body,
    /// How many decisions of each kind were made.
    #[serde(skip)]
    made: BTreeMap<&'static str, u64>,
}

impl Faults {
    pub(crate) fn hang_for(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.hang_ms.unwrap_or(60_000).min(600_000))
    }

    pub(crate) fn window(&self) -> usize {
        self.reorder_window.unwrap_or(8).max(2)
    }

    /// The next number, 0 to 1, of a kind of decision.
    fn draw(&mut self, kind: &'static str) -> f64 {
        let made = self.made.entry(kind).or_default();
        *made += 1;
        part(scramble(self.seed, kind, *made))
    }

    /// Whether an attempt is signed with an old time: a function of which one it is, as attempts
    /// run side by side.
    pub(crate) fn is_stale(&self, delivery: usize, attempt: usize) -> bool {
        let number = (delivery as u64) << 8 | attempt as u64;
        part(scramble(self.seed, "stale", number)) < self.stale_signature.0
    }

    pub(crate) fn happens(&mut self, kind: &'static str, share: Share) -> bool {
        self.draw(kind) < share.0
    }

    /// Where a held webhook comes in the new order.
    pub(crate) fn place(&self, number: u64) -> u64 {
        scramble(self.seed, "place", number)
    }

    /// The error that an API or token call gets, if any.
    pub(crate) fn error(&mut self, of_tokens: bool) -> Option<u16> {
        let kind = if of_tokens { "token" } else { "api" };
        let mut drawn = self.draw(kind);
        let errors = if of_tokens {
            &self.token_errors
        } else {
            &self.api_errors
        };
        for (status, share) in errors {
            if drawn < share.0 {
                return Some(*status);
            }
            drawn -= share.0;
        }
        None
    }
}

/// A number as a part of 1.
fn part(number: u64) -> f64 {
    let [a, b, c, d, ..] = number.to_be_bytes();
    f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
}

/// A well spread function of its arguments (the finisher of splitmix64).
fn scramble(seed: u64, kind: &str, number: u64) -> u64 {
    let kind = kind
        .bytes()
        .fold(0_u64, |sum, byte| sum.wrapping_mul(257) + u64::from(byte));
    let mut z = seed
        .wrapping_add(kind.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_add(number.wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drops(seed: u64) -> Vec<bool> {
        let mut faults: Faults =
            serde_json::from_value(serde_json::json!({"seed": seed, "drop": 0.3})).unwrap();
        let share = faults.drop;
        (0..2000).map(|_| faults.happens("drop", share)).collect()
    }

    #[test]
    fn a_seed_always_breaks_the_same_things_and_the_share_is_kept() {
        assert_eq!(drops(7), drops(7));
        assert_ne!(drops(7), drops(8));
        let dropped = drops(7).into_iter().filter(|dropped| *dropped).count();
        assert!((500..700).contains(&dropped), "{dropped}");
    }

    #[test]
    fn errors_come_in_their_shares() {
        let mut faults: Faults = serde_json::from_value(
            serde_json::json!({"apiErrors": {"429": 0.2, "500": 0.1}, "staleSignature": true}),
        )
        .unwrap();
        assert_eq!(faults.stale_signature, Share(1.0));
        let errors: Vec<_> = (0..2000).filter_map(|_| faults.error(false)).collect();
        let limited = errors.iter().filter(|status| **status == 429).count();
        assert!((320..480).contains(&limited), "{limited}");
        assert!((120..280).contains(&(errors.len() - limited)));
        assert_eq!(faults.error(true), None);
    }

    #[test]
    fn what_is_no_share_or_no_fault_is_refused() {
        for wrong in [r#"{"drop": 2}"#, r#"{"dorp": 0.1}"#, r#"{"drop": "often"}"#] {
            assert!(serde_json::from_str::<Faults>(wrong).is_err(), "{wrong}");
        }
    }
}
