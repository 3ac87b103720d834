//! A raw body as attributes: compressed, and in parts where one item can't hold it.

use crate::Result;
use crate::pack::{pack, unpack};

/// The largest body that is accepted, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// A DynamoDB item ends at 400 KB, names and other attributes included.
const MAX_PART: usize = 360 * 1024;

/// The most parts of one body; zlib adds far less than makes a fourth.
pub(super) const MAX_PARTS: usize = MAX_BODY / MAX_PART + 1;

/// Compresses `body` into one or more parts.
pub(super) fn split(body: &[u8]) -> Result<Vec<Vec<u8>>> {
    Ok(pack(body)?.chunks(MAX_PART).map(<[u8]>::to_vec).collect())
}

/// Puts a body together again.
pub(super) fn join(parts: &[&[u8]]) -> Result<Vec<u8>> {
    unpack(&parts.concat(), MAX_BODY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;

    fn round_trip(body: &[u8]) -> usize {
        let parts = split(body).unwrap();
        assert!(parts.iter().all(|part| part.len() <= MAX_PART));
        let parts: Vec<_> = parts.iter().map(Vec::as_slice).collect();
        assert_eq!(join(&parts).unwrap(), body);
        parts.len()
    }

    #[test]
    fn any_body_comes_back_whole() {
        assert_eq!(round_trip(b""), 1);
        assert_eq!(round_trip(b"{}"), 1);
        assert_eq!(round_trip(&vec![b'x'; MAX_BODY]), 1);
    }

    #[test]
    fn the_largest_body_fits_the_parts_that_there_may_be_even_if_it_does_not_compress() {
        let mut noise = vec![0; MAX_BODY];
        rand::rng().fill_bytes(&mut noise);
        assert_eq!(round_trip(&noise), MAX_PARTS);
    }

    #[test]
    fn a_body_that_swells_beyond_the_limit_is_refused() {
        let parts = split(&vec![0; MAX_BODY + 1]).unwrap();
        let parts: Vec<_> = parts.iter().map(Vec::as_slice).collect();
        assert!(join(&parts).is_err());
    }
}
