//! Signed start links: whoever has one may begin an authorization, without an API key in a browser.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use platform::secrets::{ApiKey, ApiKeySecret, Scope};
use sha2::Sha256;

/// How long a link works: long enough to be sent to a colleague.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// The keys that may sign: a link does what the scope `operate` is for.
fn signers(secrets: &[ApiKeySecret]) -> Vec<ApiKey> {
    let mut keys = ApiKeySecret::keys(secrets);
    keys.retain(|key| key.scopes.contains(&Scope::Operate));
    keys
}

/// What a link says, all of which is signed. What else is in its address comes from mailers and says
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartLink {
    /// Until when it works, in seconds since the epoch.
    pub expires: i64,
    /// Whether routing forms are asked for, too.
    pub routing_forms: bool,
}

impl StartLink {
    /// A link that works from now on for as long as one may.
    pub fn from(now: Timestamp, routing_forms: bool) -> Self {
        Self {
            expires: now.as_second().saturating_add(LIFETIME.as_secs()),
            routing_forms,
        }
    }

    /// Its query, or nothing where no key may sign it.
    pub fn sign(self, secrets: &[ApiKeySecret]) -> Option<String> {
        let key = signers(secrets).into_iter().next()?;
        let signature = hex::encode(self.mac(&key)?.finalize().into_bytes());
        let expires = self.expires;
        let forms = if self.routing_forms {
            "routingForms=true&"
        } else {
            ""
        };
        Some(format!("{forms}expires={expires}&signature={signature}"))
    }

    /// Whether this was signed with a key of these secrets and has not expired.
    pub fn verify(self, secrets: &[ApiKeySecret], signature: &str, now: Timestamp) -> bool {
        // It ends the address: the full stop of a sentence or a bracket may have stuck to it.
        let digits = signature.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let Ok(signature) = hex::decode(digits) else {
            return false;
        };
        let signed = signers(secrets).iter().any(|key| {
            self.mac(key)
                .is_some_and(|mac| mac.verify_slice(&signature).is_ok())
        });
        // One that would work for longer was not made here, though with a key of ours.
        let latest = now.as_second().saturating_add(LIFETIME.as_secs());
        signed && (now.as_second()..=latest).contains(&self.expires)
    }

    fn mac(self, key: &ApiKey) -> Option<Hmac<Sha256>> {
        let Self {
            expires,
            routing_forms,
        } = self;
        let mac = hmac(&own_key(key)?)?;
        Some(mac.chain_update(format!("{expires} {routing_forms}")))
    }
}

/// What a key's links are signed with: derived from it for them alone, so that nothing else that it may
/// ever sign is taken for a link, and no link tells anything that could be tried out against the key
/// but by way of this.
fn own_key(key: &ApiKey) -> Option<[u8; 32]> {
    let derived = hmac(key.secret()?)?.chain_update("calendly-serverless start link 1");
    Some(derived.finalize().into_bytes().into())
}

fn hmac(key: &[u8]) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(key).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str) -> ApiKeySecret {
        serde_json::from_value(serde_json::json!({ "key": key })).unwrap()
    }

    fn signature(link: StartLink, by: &str) -> String {
        let query = link.sign(&[key(by)]).unwrap();
        query.rsplit_once("signature=").unwrap().1.to_owned()
    }

    #[test]
    fn a_link_works_until_it_expires_and_with_its_own_key_only() {
        let made: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        let link = StartLink::from(made, false);
        let signed = signature(link, "k");
        let query = link.sign(&[key("k")]).unwrap();
        assert_eq!(
            query,
            format!("expires={}&signature={signed}", link.expires)
        );
        let second = SignedDuration::from_secs(1);
        let until = made + LIFETIME;
        assert!(link.verify(&[key("other"), key("k")], &signed, until));
        assert!(link.verify(&[key("k")], &signed, made));
        assert!(!link.verify(&[key("k")], &signed, made - second));
        assert!(!link.verify(&[key("k")], &signed, until + second));
        assert!(!link.verify(&[key("other")], &signed, until));
        assert!(!link.verify(&[key("k")], "zz", until));
        assert!(!link.verify(&[key("k")], "", until));
        assert!(link.sign(&[key("")]).is_none());
        assert!(!link.verify(&[key("")], &signed, until));
    }

    #[test]
    fn what_the_key_itself_signed_is_no_link() {
        let made: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        let link = StartLink::from(made, false);
        for text in [
            format!("start {} false", link.expires),
            format!("{} false", link.expires),
        ] {
            let mac = hmac(b"k").unwrap().chain_update(text);
            let signature = hex::encode(mac.finalize().into_bytes());
            assert!(!link.verify(&[key("k")], &signature, made));
        }
    }

    #[test]
    fn all_that_a_link_says_is_signed() {
        let made: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        let link = StartLink::from(made, false);
        let signed = signature(link, "k");
        let other = |link: StartLink| link.verify(&[key("k")], &signed, made);
        assert!(other(link));
        assert!(!other(StartLink {
            expires: link.expires - 1,
            ..link
        }));
        assert!(!other(StartLink {
            routing_forms: true,
            ..link
        }));
    }

    #[test]
    fn what_stuck_to_the_end_of_a_link_is_passed_over() {
        let made: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        let link = StartLink::from(made, true);
        let signed = signature(link, "k");
        for end in [".", ")", ">", "\u{201d}.", " "] {
            assert!(
                link.verify(&[key("k")], &format!("{signed}{end}"), made),
                "{end}"
            );
        }
        assert!(!link.verify(&[key("k")], &format!("{signed}0"), made));
    }

    #[test]
    fn only_a_key_that_may_operate_signs() {
        let link = StartLink::from(Timestamp::UNIX_EPOCH, false);
        let reader = r#"{"keys":[{"name":"reader","key":"k","scopes":["read","admin"]}]}"#;
        assert!(
            link.sign(&[serde_json::from_str(reader).unwrap()])
                .is_none()
        );
    }
}
