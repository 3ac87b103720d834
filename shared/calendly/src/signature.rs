//! `Calendly-Webhook-Signature: t=<unix seconds>,v1=<hex>`, where `v1` is the HMAC-SHA256 of
//! `t`, a dot and the raw body, keyed with the signing key's own characters.
//!
//! Source: Calendly's developer documentation, "Webhook signatures".

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::time::Duration;

/// Name of the header, as API Gateway spells it.
pub const HEADER: &str = "calendly-webhook-signature";

/// A header longer than this is not Calendly's.
const MAX_HEADER: usize = 1024;
/// More digits than any time needs for a long while.
const MAX_TIME_DIGITS: usize = 12;
/// How many `v1` are tried; Calendly documents one.
const MAX_SIGNATURES: usize = 8;

/// A key to check signatures with. It never shows itself.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(String);

impl SigningKey {
    /// The key, exactly as Calendly shows it: no decoding, no prefix to strip. An empty or blank
    /// one is no key.
    pub fn new(key: impl Into<String>) -> Option<Self> {
        let key = key.into();
        (!key.trim().is_empty()).then_some(Self(key))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// Why a signature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No header.
    #[error("the Calendly-Webhook-Signature header is missing")]
    Missing,
    /// A header that is not of the form `t=…,v1=…`.
    #[error("the Calendly-Webhook-Signature header is malformed")]
    Malformed,
    /// Several times, which leave open which of them was signed.
    #[error("the Calendly-Webhook-Signature header came more than once, with different times")]
    Ambiguous,
    /// No `v1` fits the body under any key.
    #[error("the signature does not match the body")]
    Mismatch,
    /// A true signature, but of another time.
    #[error("the signature's time is outside the tolerance")]
    Stale,
}

/// A signed body's proof: only [`verify`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct SignedBody<'a>(&'a [u8]);

impl<'a> SignedBody<'a> {
    /// The raw bytes that were signed.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }
}

struct Header<'a> {
    time: &'a str,
    seconds: i64,
    signatures: Vec<[u8; 32]>,
}

/// Reads all values of the header as one: API Gateway joins those of a header that came twice with
/// a comma, so the two forms can't be told apart. What a proxy repeats says nothing new.
fn parse<'a>(headers: &[&'a str]) -> Result<Header<'a>, Refusal> {
    let length: usize = headers.iter().map(|header| header.len() + 1).sum();
    if length > MAX_HEADER {
        return Err(Refusal::Malformed);
    }
    let mut time: Option<&str> = None;
    let mut signatures: Vec<[u8; 32]> = Vec::new();
    for part in headers.iter().flat_map(|header| header.split(',')) {
        let (scheme, value) = part.trim().split_once('=').ok_or(Refusal::Malformed)?;
        let value = value.trim();
        match scheme.trim() {
            "t" if time.is_some_and(|time| time != value) => return Err(Refusal::Ambiguous),
            "t" => time = Some(value),
            "v1" => {
                let mut signature = [0; 32];
                hex::decode_to_slice(value, &mut signature).map_err(|_| Refusal::Malformed)?;
                if !signatures.contains(&signature) {
                    signatures.push(signature);
                }
            }
            _ => {}
        }
    }
    let time = time.ok_or(Refusal::Malformed)?;
    let digits = !time.is_empty()
        && time.len() <= MAX_TIME_DIGITS
        && time.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || signatures.is_empty() || signatures.len() > MAX_SIGNATURES {
        return Err(Refusal::Malformed);
    }
    let seconds = time.parse().map_err(|_| Refusal::Malformed)?;
    Ok(Header {
        time,
        seconds,
        signatures,
    })
}

/// Checks `body` against `headers`, all values of the signature header, under any of `keys`.
///
/// `now` is in seconds since the epoch; the signed time may lie `tolerance` before or after it.
/// The time is checked last, so that [`Refusal::Stale`] means a true signature. With no key,
/// nothing passes.
pub fn verify<'a>(
    keys: &[SigningKey],
    headers: &[&str],
    body: &'a [u8],
    now: i64,
    tolerance: Duration,
) -> Result<SignedBody<'a>, Refusal> {
    if headers.is_empty() {
        return Err(Refusal::Missing);
    }
    let header = parse(headers)?;
    let mut matches = false;
    for key in keys {
        // HMAC takes keys of any length, so there is no error to tell of.
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(key.0.as_bytes()) else {
            continue;
        };
        let mac = mac
            .chain_update(header.time.as_bytes())
            .chain_update(b".")
            .chain_update(body);
        for signature in &header.signatures {
            // Constant in time, and no early exit tells which of them fitted.
            matches |= mac.clone().verify_slice(signature).is_ok();
        }
    }
    if !matches {
        return Err(Refusal::Mismatch);
    }
    if now.abs_diff(header.seconds) > tolerance.as_secs() {
        return Err(Refusal::Stale);
    }
    Ok(SignedBody(body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const KEY: &str = "test-signing-key-made-up-0123456789abcdef";
    const TOLERANCE: Duration = Duration::from_secs(180);

    fn fixture(name: &str) -> Vec<u8> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/calendly");
        std::fs::read(path.join(name)).unwrap()
    }

    fn key() -> Vec<SigningKey> {
        vec![SigningKey::new(KEY).unwrap()]
    }

    fn check(header: &str, body: &[u8], now: i64) -> Result<(), Refusal> {
        verify(&key(), &[header], body, now, TOLERANCE).map(|_| ())
    }

    #[test]
    fn every_vector_passes_and_no_other_byte_does() {
        let vectors: Vec<serde_json::Value> =
            serde_json::from_slice(&fixture("signature-vectors.json")).unwrap();
        assert!(vectors.len() >= 12);
        for vector in &vectors {
            let body = fixture(vector["file"].as_str().unwrap());
            assert_eq!(body.len() as u64, vector["body_bytes"].as_u64().unwrap());
            let keys = vec![SigningKey::new(vector["key"].as_str().unwrap()).unwrap()];
            let header = vector["header"].as_str().unwrap();
            let now = vector["t"].as_i64().unwrap();
            assert!(verify(&keys, &[header], &body, now, TOLERANCE).is_ok());
            let mut changed = body.clone();
            changed.push(b'\n');
            assert_eq!(
                verify(&keys, &[header], &changed, now, TOLERANCE).unwrap_err(),
                Refusal::Mismatch
            );
        }
    }

    /// The header of the first vector, and its parts.
    const T: i64 = 1_795_166_101;
    const V1: &str = "6433ab155e8eff3122b090b232251fa57f4e76b5cda7546d11221eaf115b9b13";

    #[test]
    fn the_time_may_lie_the_tolerance_before_or_after() {
        let body = fixture("invitee.created.json");
        let header = format!("t={T},v1={V1}");
        for (now, want) in [
            (T, Ok(())),
            (T + 180, Ok(())),
            (T - 180, Ok(())),
            (T + 181, Err(Refusal::Stale)),
            (T - 181, Err(Refusal::Stale)),
        ] {
            assert_eq!(check(&header, &body, now), want, "{now}");
        }
    }

    #[test]
    fn a_wrong_signature_is_a_mismatch_however_stale() {
        let body = fixture("invitee.created.json");
        let header = format!("t={T},v1={}", "0".repeat(64));
        assert_eq!(check(&header, &body, T + 9999), Err(Refusal::Mismatch));
    }

    #[test]
    fn spaces_unknown_schemes_and_several_signatures_are_read() {
        let body = fixture("invitee.created.json");
        let other = "0".repeat(64);
        for header in [
            format!(" t={T} , v1={V1} "),
            format!("v1={V1},t={T}"),
            format!("t={T},v0=abc,v2=x=y,v1={V1}"),
            format!("t={T},v1={other},v1={V1}"),
            format!("t={T},v1={}", V1.to_uppercase()),
        ] {
            assert_eq!(check(&header, &body, T), Ok(()), "{header}");
        }
    }

    #[test]
    fn malformed_headers_are_told_from_wrong_ones() {
        let body = fixture("invitee.created.json");
        for header in [
            String::new(),
            "t".to_owned(),
            V1.to_owned(),
            format!("v1={V1}"),
            format!("t={T}"),
            format!("t=,v1={V1}"),
            format!("t=+{T},v1={V1}"),
            format!("t=-{T},v1={V1}"),
            format!("t={T}000000,v1={V1}"),
            format!("t={T}.5,v1={V1}"),
            format!("t={T},v1={}", &V1[1..]),
            format!("t={T},v1={V1}00"),
            format!("t={T},v1=zz{}", &V1[2..]),
            format!("t={T},v1={V1},"),
            format!("t={T},v1={V1}{}", ",v0=x".repeat(300)),
            format!("t={T}{}", format!(",v1={V1}").repeat(20)),
            format!(
                "t={T},v1={V1}{}",
                (0..8).fold(String::new(), |all, n| all + &format!(",v1={n:064}"))
            ),
        ] {
            assert_eq!(
                check(&header, &body, T),
                Err(Refusal::Malformed),
                "{header}"
            );
        }
    }

    #[test]
    fn the_time_is_signed_as_written() {
        let body = fixture("invitee.created.json");
        let header = format!("t=0{T},v1={V1}");
        assert_eq!(check(&header, &body, T), Err(Refusal::Mismatch));
    }

    #[test]
    fn a_header_that_came_twice_counts_once() {
        let body = fixture("invitee.created.json");
        let header = format!("t={T},v1={V1}");
        // As two headers, and as API Gateway joins them.
        let verify = |headers: &[&str], now| verify(&key(), headers, &body, now, TOLERANCE);
        let joined = [format!("{header},{header}"), format!("{header}, {header}")];
        assert!(verify(&[&header, &header], T).is_ok());
        for joined in &joined {
            assert!(verify(&[joined], T).is_ok(), "{joined}");
            assert_eq!(verify(&[joined], T + 181).unwrap_err(), Refusal::Stale);
        }
        let shouted = header.replace(V1, &V1.to_uppercase());
        assert!(verify(&[&header, &shouted], T).is_ok());
    }

    #[test]
    fn headers_that_say_different_things_never_pass_for_each_other() {
        let body = fixture("invitee.created.json");
        let verify = |headers: &[&str]| verify(&key(), headers, &body, T, TOLERANCE).map(|_| ());
        let good = format!("t={T},v1={V1}");
        let (other_time, zeros) = (T - 1, "0".repeat(64));
        for other in [
            format!("t={other_time},v1={V1}"),
            format!("t={other_time},v1={zeros}"),
            format!("t=0{T},v1={V1}"),
        ] {
            let joined = format!("{good},{other}");
            for headers in [vec![&good, &other], vec![&other, &good], vec![&joined]] {
                let headers: Vec<&str> = headers.into_iter().map(String::as_str).collect();
                assert_eq!(verify(&headers), Err(Refusal::Ambiguous), "{headers:?}");
            }
        }
        // One of the same time is one more signature, of which one must fit: as within a header.
        let wrong = format!("t={T},v1={zeros}");
        assert_eq!(verify(&[&wrong, &good]), Ok(()));
        assert_eq!(verify(&[&wrong, &wrong]), Err(Refusal::Mismatch));
        assert_eq!(verify(&[&good, ""]), Err(Refusal::Malformed));
        assert_eq!(verify(&["", ""]), Err(Refusal::Malformed));
    }

    #[test]
    fn no_header_or_no_key_never_passes() {
        let body = fixture("invitee.created.json");
        let header = format!("t={T},v1={V1}");
        let none = verify(&key(), &[], &body, T, TOLERANCE);
        assert_eq!(none.unwrap_err(), Refusal::Missing);
        let keyless = verify(&[], &[&header], &body, T, TOLERANCE);
        assert_eq!(keyless.unwrap_err(), Refusal::Mismatch);
        assert_eq!(SigningKey::new(""), None);
        assert_eq!(SigningKey::new(" \n"), None);
    }

    #[test]
    fn either_of_two_keys_passes_while_a_key_is_rotated() {
        let body = fixture("invitee.created.json");
        let header = format!("t={T},v1={V1}");
        let mut keys = vec![SigningKey::new("the-next-key").unwrap()];
        keys.extend(key());
        assert!(verify(&keys, &[&header], &body, T, TOLERANCE).is_ok());
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert!(!format!("{:?}", key()).contains("test-signing"));
    }
}
