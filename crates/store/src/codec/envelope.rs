//! The envelope of everything that is kept as bytes: one version byte, then `postcard`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Result, StoreError, StoreErrorKind};

/// The version that is written. Readers of older versions stay for as long as there are such bytes.
const VERSION: u8 = 1;

/// As many bytes as almost every body has.
const BYTES_USUAL: usize = 128;

/// The bytes of a body.
pub(super) fn seal<T: Serialize>(body: &T) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(BYTES_USUAL);
    bytes.push(VERSION);
    postcard::to_extend(body, bytes).map_err(|error| {
        StoreError::new(StoreErrorKind::Corrupt, "encode what was learnt", "a value has no stored form").because(error)
    })
}

/// The body of some bytes. `during` says what is read.
pub(super) fn open<T: DeserializeOwned>(bytes: &[u8], during: &'static str) -> Result<T> {
    let (version, body) = bytes.split_first().ok_or_else(|| corrupt(during, "there are no bytes"))?;
    if *version > VERSION {
        let what = format!("it has form {version}, and this program knows forms up to {VERSION}: update it");
        return Err(StoreError::new(StoreErrorKind::Newer, during, what));
    }
    if *version < VERSION {
        return Err(corrupt(during, "it has no form that was ever written"));
    }
    let (value, rest) =
        postcard::take_from_bytes(body).map_err(|error| corrupt(during, "the bytes do not fit").because(error))?;
    if rest.is_empty() { Ok(value) } else { Err(corrupt(during, "there are more bytes than belong to it")) }
}

/// Bytes that cannot be what was written.
pub(super) fn corrupt(during: &'static str, what: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, during, format!("{what}: restore a backup"))
}
