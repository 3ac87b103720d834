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

fn mac(key: &ApiKey, expires: i64) -> Option<Hmac<Sha256>> {
    let mac = Hmac::<Sha256>::new_from_slice(key.secret()?).ok()?;
    Some(mac.chain_update(format!("start {expires}")))
}

/// The query of a link that works until `expires`, or until its key is taken away.
pub fn sign(secrets: &[ApiKeySecret], expires: Timestamp) -> Option<String> {
    let expires = expires.as_second();
    let key = signers(secrets).into_iter().next()?;
    let signature = hex::encode(mac(&key, expires)?.finalize().into_bytes());
    Some(format!("expires={expires}&signature={signature}"))
}

/// Whether a link was signed with a key of these secrets and has not expired.
pub fn verify(secrets: &[ApiKeySecret], expires: &str, signature: &str, now: Timestamp) -> bool {
    let Ok(expires) = expires.parse::<i64>() else {
        return false;
    };
    let Ok(signature) = hex::decode(signature) else {
        return false;
    };
    let signed = signers(secrets)
        .iter()
        .any(|key| mac(key, expires).is_some_and(|mac| mac.verify_slice(&signature).is_ok()));
    // One that would work for longer was not made here, though with a key of ours.
    let latest = now.as_second().saturating_add(LIFETIME.as_secs());
    signed && (now.as_second()..=latest).contains(&expires)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str) -> ApiKeySecret {
        serde_json::from_value(serde_json::json!({ "key": key })).unwrap()
    }

    #[test]
    fn a_link_works_until_it_expires_and_with_its_own_key_only() {
        let until: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        let link = sign(&[key("k")], until).unwrap();
        let (expires, signature) = link.split_once('&').unwrap();
        let expires = expires.strip_prefix("expires=").unwrap();
        let signature = signature.strip_prefix("signature=").unwrap();
        let second = SignedDuration::from_secs(1);
        assert!(verify(&[key("other"), key("k")], expires, signature, until));
        let early = until - LIFETIME;
        assert!(verify(&[key("k")], expires, signature, early));
        assert!(!verify(
            &[key("k")],
            expires,
            signature,
            early - SignedDuration::from_secs(1)
        ));
        assert!(!verify(&[key("k")], expires, signature, until + second));
        assert!(!verify(&[key("other")], expires, signature, until));
        assert!(!verify(&[key("k")], "1893456000", signature, until));
        assert!(!verify(&[key("k")], expires, "zz", until));
        assert!(sign(&[key("")], until).is_none());
        assert!(!verify(&[key("")], expires, signature, until));
    }

    #[test]
    fn only_a_key_that_may_operate_signs() {
        let until: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        let reader = r#"{"keys":[{"name":"reader","key":"k","scopes":["read","admin"]}]}"#;
        assert!(sign(&[serde_json::from_str(reader).unwrap()], until).is_none());
    }
}
