//! Places in a file, as the host keeps them.

use serde::{Deserialize, Serialize};
use unisson_connector::{Cursor, Error, ErrorKind, Result};

use crate::fingerprint::Fingerprint;

/// The form of cursors that this version writes and reads.
const VERSION: u8 = 1;

/// How far a file was read, and which file it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Progress {
    version: u8,
    /// The file's name.
    pub(crate) file: String,
    /// A digest of the settings it was read with.
    pub(crate) settings: String,
    /// What it looked like.
    pub(crate) fingerprint: Fingerprint,
    /// Where reading goes on; `None` where it was read to its end.
    pub(crate) rest: Option<Rest>,
}

/// Where reading goes on, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rest {
    /// The run that read so far.
    pub(crate) run: String,
    /// How many bytes were read.
    pub(crate) offset: u64,
    /// The number of the next line.
    pub(crate) line: u64,
    /// The encoding that was found.
    pub(crate) encoding: String,
    /// How many bytes its byte order mark takes.
    pub(crate) mark_bytes: u64,
    /// The separator that was found, in delimited text.
    pub(crate) separator: Option<char>,
    /// The first line where a quote was opened that the file never closes.
    pub(crate) cut: Option<u64>,
}

impl Progress {
    pub(crate) fn new(file: &str, settings: &str, fingerprint: Fingerprint, rest: Option<Rest>) -> Self {
        Self { version: VERSION, file: file.to_owned(), settings: settings.to_owned(), fingerprint, rest }
    }

    /// Writes it as a cursor.
    pub(crate) fn cursor(&self) -> Result<Cursor> {
        let text = serde_json::to_string(self);
        text.map(Cursor).map_err(|error| Error::new(ErrorKind::Contract, "write the place in a file").because(error))
    }

    /// Reads a cursor of this file. One that is damaged or another file's is refused, never taken for the beginning.
    pub(crate) fn read(cursor: &Cursor, file: &str) -> Result<Self> {
        let refused = |words| Error::new(ErrorKind::Config, "read the place in a file").because(words);
        let progress: Self =
            serde_json::from_str(&cursor.0).map_err(|_| refused("it is damaged: sweep the instance in full"))?;
        if progress.version != VERSION {
            return Err(refused("another version wrote it: sweep the instance in full"));
        }
        if progress.file != file {
            return Err(refused("it is the place of another file: sweep the instance in full"));
        }
        Ok(progress)
    }
}
