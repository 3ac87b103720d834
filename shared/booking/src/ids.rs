//! Names of things: URIs as the provider gives them, and the ids that are their last part.

use crate::address::{Address, folded, plain};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// Where a booking comes from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Calendly, API v2.
    Calendly,
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Calendly => "calendly",
        })
    }
}

/// A URI that names no such thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the URI of {expected}")]
pub struct InvalidUri {
    /// What the URI should have named. The URI itself is left out: it can carry personal data.
    pub expected: &'static str,
}

/// The longest URI that is read; Calendly's are about 150 characters.
const MAX_URI: usize = 512;

/// The provider's own spelling of a URI that ends in `pattern`. Documents leave out the `api.` of the
/// host, and relays may put their own; only the path names the thing, and links must meet.
fn canonical(uri: &str, pattern: &[&str]) -> String {
    let parts = parts(uri);
    let path = &parts[parts.len().saturating_sub(pattern.len())..];
    format!("https://api.calendly.com/{}", path.join("/"))
}

/// The path parts of `uri`, without query, fragment and trailing slash.
fn parts(uri: &str) -> Vec<&str> {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/').split('/').collect()
}

fn is_id(part: &str) -> bool {
    !part.is_empty()
        && part
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// `true` when `uri` is an http(s) URI whose path ends in the `pattern`, `*` standing for an id.
fn ends_in(uri: &str, pattern: &[&str]) -> bool {
    let parts = parts(uri);
    uri.len() <= MAX_URI
        && (uri.starts_with("https://") || uri.starts_with("http://"))
        && !uri.chars().any(|c| c.is_whitespace() || c.is_control())
        && parts.len() > pattern.len()
        && parts[parts.len() - pattern.len()..]
            .iter()
            .zip(pattern)
            .all(|(part, want)| {
                if *want == "*" {
                    is_id(part)
                } else {
                    part == want
                }
            })
}

macro_rules! uri_type {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $pattern:expr) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads the URI as the provider wrote it. Fails when it names something else.
            pub fn parse(uri: &str) -> Result<Self, InvalidUri> {
                if ends_in(uri, $pattern) {
                    Ok(Self(canonical(uri, $pattern)))
                } else {
                    Err(InvalidUri { expected: $expected })
                }
            }

            /// The whole URI.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The id: the last part of the URI.
            pub fn id(&self) -> &str {
                self.0.rsplit('/').next().unwrap_or_default()
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidUri;
            fn try_from(uri: String) -> Result<Self, InvalidUri> {
                Self::parse(&uri)
            }
        }

        impl From<$name> for String {
            fn from(uri: $name) -> Self {
                uri.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

uri_type!(
    /// Names a scheduled event: `…/scheduled_events/{id}`.
    EventUri,
    "a scheduled event (…/scheduled_events/{id})",
    &["scheduled_events", "*"]
);

uri_type!(
    /// Names one invitee's booking: `…/scheduled_events/{id}/invitees/{id}`.
    InviteeUri,
    "an invitee (…/scheduled_events/{id}/invitees/{id})",
    &["scheduled_events", "*", "invitees", "*"]
);

uri_type!(
    /// Names a routing form submission: `…/routing_form_submissions/{id}`.
    SubmissionUri,
    "a routing form submission (…/routing_form_submissions/{id})",
    &["routing_form_submissions", "*"]
);

impl InviteeUri {
    /// The scheduled event that this invitee belongs to.
    pub fn event(&self) -> EventUri {
        let end = self.0.rfind("/invitees/").unwrap_or(self.0.len());
        EventUri(self.0[..end].to_owned())
    }
}

/// One connected account, named by the last part of its user URI.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// The connection of the account whose user URI is `…/users/{id}`.
    pub fn from_user_uri(uri: &str) -> Result<Self, InvalidUri> {
        if ends_in(uri, &["users", "*"]) {
            Ok(Self((*parts(uri).last().unwrap_or(&"")).to_owned()))
        } else {
            Err(InvalidUri {
                expected: "a user (…/users/{id})",
            })
        }
    }

    /// The id itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names a person by their e-mail address without telling it: in keys of items, and in the mark that
/// stays of somebody who was erased.
///
/// It is the SHA-256 of the address in its one form ([`Address`]), in hex. Whoever knows an address
/// can find its key, so it is pseudonymous, not anonymous.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContactKey(String);

impl ContactKey {
    /// The key of an address, in whichever way it is written. What stands where an address should,
    /// and is none, has a key, too.
    pub fn of(email: &str) -> Self {
        match Address::parse(email) {
            Some(address) => Self::from(&address),
            None => Self::digest(&folded(plain(email).trim())),
        }
    }

    fn digest(form: &str) -> Self {
        Self(hex::encode(Sha256::digest(form)))
    }

    /// The key itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Address> for ContactKey {
    fn from(address: &Address) -> Self {
        Self::digest(address.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitee_uri_gives_its_ids_and_its_event() {
        let uri = InviteeUri::parse("https://api.calendly.com/scheduled_events/e-1/invitees/i-1")
            .unwrap();
        assert_eq!(uri.id(), "i-1");
        assert_eq!(uri.event().id(), "e-1");
        assert_eq!(
            uri.event().as_str(),
            "https://api.calendly.com/scheduled_events/e-1"
        );
    }

    #[test]
    fn only_the_path_names_a_thing() {
        let short = InviteeUri::parse("https://calendly.com/scheduled_events/e/invitees/i/?utm=x");
        let full = InviteeUri::parse("https://api.calendly.com/scheduled_events/e/invitees/i");
        assert_eq!(short, full);
        let relayed = InviteeUri::parse("http://127.0.0.1:80/v2/scheduled_events/e/invitees/i");
        assert_eq!(relayed, full);
    }

    #[test]
    fn other_things_are_refused() {
        for uri in [
            "",
            "e-1",
            "scheduled_events/e",
            "https://api.calendly.com/users/u",
            "https://api.calendly.com/scheduled_events/",
            "https://api.calendly.com/scheduled_events/a b",
            "ftp://api.calendly.com/scheduled_events/e",
        ] {
            assert!(EventUri::parse(uri).is_err(), "{uri}");
        }
    }
}
