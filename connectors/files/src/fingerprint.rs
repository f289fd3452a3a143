//! What tells a file from the same file changed.

use std::fs::Metadata;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::digest;

/// How much of the beginning of a file is looked at.
const HEAD_BYTES_MAX: u64 = 64 * 1024;

/// The size of a file, when it was last written, and a digest of its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fingerprint {
    pub(crate) size: u64,
    modified_ns: i64,
    head: String,
}

impl Fingerprint {
    /// The fingerprint of an open file, which is left at an arbitrary place.
    pub(crate) fn of(file: &mut (impl Read + Seek), metadata: &Metadata) -> io::Result<Self> {
        let modified_ns = metadata.modified().map_or(0, |at| match at.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
        });
        file.seek(SeekFrom::Start(0))?;
        let mut head = Vec::new();
        file.by_ref().take(HEAD_BYTES_MAX).read_to_end(&mut head)?;
        Ok(Self { size: metadata.len(), modified_ns, head: digest::of([head]) })
    }
}
