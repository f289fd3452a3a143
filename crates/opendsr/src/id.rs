//! The id of a request.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::domain::Domain;

/// The id of a request: a UUID of version 4 in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestId(String);

impl RequestId {
    /// The id under which a case asks a processor in this round, from 1.
    ///
    /// The first 16 bytes of SHA-256 over the case's id, the domain and the round, with the version and the variant of a
    /// random UUID set. A request that is repeated after a crash has the same id; two processors cannot compare theirs;
    /// and the time in a case's id does not leave the house.
    ///
    /// ```
    /// use unisson_opendsr::{Domain, RequestId};
    /// let (one, other) = (Domain::parse("dsr.example.com").unwrap(), Domain::parse("dsr.example.net").unwrap());
    /// let case = "0194ba00-0000-7000-8000-000000000001";
    /// assert_eq!(RequestId::of(case, &one, 1), RequestId::of(case, &one, 1));
    /// assert_ne!(RequestId::of(case, &one, 1), RequestId::of(case, &other, 1));
    /// assert_ne!(RequestId::of(case, &one, 1), RequestId::of(case, &one, 2));
    /// ```
    pub fn of(case: &str, processor: &Domain, round: u32) -> Self {
        let mut hash = sha2::Sha256::new();
        for part in ["opendsr/1", case, processor.as_str()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(round.to_be_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = String::with_capacity(36);
        for (place, byte) in bytes.iter().enumerate() {
            let dash = if matches!(place, 4 | 6 | 8 | 10) { "-" } else { "" };
            let _ = write!(text, "{dash}{byte:02x}");
        }
        Self(text)
    }

    /// Reads an id; `None` for anything but a UUID of version 4 in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 36
            && text.bytes().enumerate().all(|(place, byte)| match place {
                8 | 13 | 18 | 23 => byte == b'-',
                14 => byte == b'4',
                19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            });
        fits.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RequestId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a UUID of version 4 in lower case")
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> Self {
        id.0
    }
}
