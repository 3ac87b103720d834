//! Compression of what is stored, so that more of it fits DynamoDB's 400 KB an item.

use crate::{Error, Result};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use std::io::{Read, Write};

/// Compresses `bytes`. The same bytes always give the same result.
pub(crate) fn pack(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .map_err(|error| Error::corrupt("what is to be stored", error))
}

/// Takes back what [`pack`] made; at most `limit` bytes, so that no stored item can fill the memory.
pub(crate) fn unpack(packed: &[u8], limit: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    ZlibDecoder::new(packed)
        .take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::corrupt("a stored item", error))?;
    if bytes.len() > limit {
        return Err(Error::corrupt(
            "a stored item",
            "larger than any that is written",
        ));
    }
    Ok(bytes)
}
