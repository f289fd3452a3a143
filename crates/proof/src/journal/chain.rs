//! Reading a journal line by line along its chain, in bounded memory.

use std::io::{BufRead, Read as _};
use std::path::{Path, PathBuf};

use super::entry::Entry;
use super::error::JournalError;
use super::{Head, LINE_BYTES_MAX, wire};

/// A reader on its way through a journal.
#[derive(Debug)]
pub(super) struct Chain<R> {
    path: PathBuf,
    reader: R,
    head: Head,
    end: u64,
    line: Vec<u8>,
}

/// What is behind the last whole line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    End,
    /// A whole line that lacks only its end; the head with it, and how many bytes there are then.
    Unended(Head, u64),
    /// A line that was not finished.
    Torn,
}

impl<R: BufRead> Chain<R> {
    /// At the beginning.
    pub(super) fn of(path: &Path, reader: R) -> Self {
        Self { path: path.to_owned(), reader, head: Head::default(), end: 0, line: Vec::new() }
    }

    /// The end of what was read and verified.
    pub(super) fn head(&self) -> Head {
        self.head
    }

    /// How many bytes were read and verified.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Reads to the end.
    pub(super) fn run(&mut self) -> Result<Found, JournalError> {
        while self.next_entry()?.is_some() {}
        if self.line.is_empty() {
            return Ok(Found::End);
        }
        if let Ok(entry) = wire::read(self.head, &self.line) {
            let end = self.end + self.line.len() as u64;
            return Ok(Found::Unended(Head { lines: entry.seq, hash: entry.hash }, end));
        }
        // A crash leaves less than a line. A whole line with more behind it had an end, and something wrote over it.
        let ends = self.line.iter().enumerate().filter(|(_, byte)| **byte == b'}').map(|(place, _)| place + 1);
        if ends.into_iter().any(|end| wire::read(self.head, &self.line[..end]).is_ok()) {
            return Err(self.damaged("has no end any more"));
        }
        Ok(Found::Torn)
    }

    /// The next whole line; `None` behind the last. What follows it without an end stays in `line`.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry>, JournalError> {
        self.line.clear();
        let limit = LINE_BYTES_MAX as u64 + 1;
        let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut self.line);
        let bytes = read.map_err(|source| JournalError::of(&self.path, source))?;
        if self.line.last() != Some(&b'\n') {
            if bytes > LINE_BYTES_MAX {
                return Err(self.damaged("is longer than any entry"));
            }
            return Ok(None);
        }
        self.line.pop();
        let entry = wire::read(self.head, &self.line).map_err(|what| self.damaged(what))?;
        self.head = Head { lines: entry.seq, hash: entry.hash };
        self.end += bytes as u64;
        Ok(Some(entry))
    }

    fn damaged(&self, what: &'static str) -> JournalError {
        JournalError::Damaged { path: self.path.clone(), line: self.head.lines + 1, what }
    }
}
