//! Compression of what is stored, so that more of it fits DynamoDB's 400 KB an item.

use crate::{Error, Result};
use flate2::read::ZlibDecoder;
use flate2::{Compress, Compression, FlushCompress, Status};
use std::cell::RefCell;
use std::io::Read;

/// Up to so many bytes are kept as they are: with all that stands beside them they fit the first KB of an
/// item, for which DynamoDB counts one unit anyway.
const KEPT: usize = 300;

/// What stands before them. A zlib stream begins otherwise.
const AS_IS: u8 = 0;

thread_local! {
    /// Kept, since its tables take longer to make than a body takes to compress.
    static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), true));
}

/// Compresses `bytes`. The same bytes always give the same result.
pub(crate) fn pack(bytes: &[u8]) -> Result<Vec<u8>> {
    if bytes.len() <= KEPT {
        return Ok([&[AS_IS], bytes].concat());
    }
    COMPRESS.with_borrow_mut(|compress| {
        compress.reset();
        let mut rest = bytes;
        let mut packed = Vec::with_capacity(bytes.len() / 2 + 64);
        loop {
            let before = compress.total_in();
            let status = compress
                .compress_vec(rest, &mut packed, FlushCompress::Finish)
                .map_err(|error| Error::corrupt("what is to be stored", error))?;
            if status == Status::StreamEnd {
                return Ok(packed);
            }
            let taken = usize::try_from(compress.total_in() - before).unwrap_or(usize::MAX);
            rest = rest.get(taken..).unwrap_or_default();
            packed.reserve(packed.len());
        }
    })
}

/// Takes back what [`pack`] made; at most `limit` bytes, so that no stored item can fill the memory.
pub(crate) fn unpack(packed: &[u8], limit: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match packed.split_first() {
        Some((&AS_IS, kept)) => bytes.extend_from_slice(kept),
        _ => {
            ZlibDecoder::new(packed)
                .take(limit as u64 + 1)
                .read_to_end(&mut bytes)
                .map_err(|error| Error::corrupt("a stored item", error))?;
        }
    }
    if bytes.len() > limit {
        return Err(Error::corrupt(
            "a stored item",
            "larger than any that is written",
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What compresses well, what hardly does, and both in turn.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let noise = prop::collection::vec(any::<u8>(), 0..3000);
        let repeated = ("[a-z]{1,8}", 0_usize..2000).prop_map(|(text, times)| text.repeat(times));
        prop::collection::vec(
            prop_oneof![noise, repeated.prop_map(String::into_bytes)],
            0..3,
        )
        .prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn all_bytes_come_back_and_always_have_the_same_form(one in bytes(), other in bytes()) {
            let packed = pack(&one).unwrap();
            prop_assert!(packed.len() <= one.len() + one.len() / 1000 + 64);
            pack(&other).unwrap();
            prop_assert_eq!(&pack(&one).unwrap(), &packed);
            prop_assert_eq!(unpack(&packed, one.len()).unwrap(), one);
        }
    }

    #[test]
    fn only_what_is_short_is_kept_as_it_is() {
        assert_eq!(pack(&[b'x'; KEPT]).unwrap().len(), KEPT + 1);
        assert!(pack(&[b'x'; KEPT + 1]).unwrap().len() < 30);
    }

    #[test]
    fn what_is_no_such_form_or_too_large_is_an_error() {
        for packed in [&[][..], b"xyz", &[AS_IS, 1, 2, 3]] {
            assert!(unpack(packed, 2).is_err(), "{packed:?}");
        }
        let large = pack(&[b'x'; 1000]).unwrap();
        assert!(unpack(&large, 999).is_err());
        assert!(unpack(&large, 1000).is_ok());
    }
}
