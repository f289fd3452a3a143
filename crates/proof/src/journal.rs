//! The journal: what must survive a store that is restored from a backup (consent model 6.5, 6.6, I29).
//!
//! One line of canonical JSON for each entry, each with the hash of the one before. Nothing is ever changed or removed, so
//! whoever keeps a head can tell whether the file is still the one, is ahead, or is another. The file must lie where the
//! backups of the store do not reach.
//!
//! A crash in the middle of an append leaves a last line without its end. It was never acknowledged, and opening cuts it
//! off. Everything else that does not fit is damage, and is refused with the number of its line.

mod chain;
mod entry;
mod error;
mod tail;
mod wire;

use std::fs::{File, TryLockError};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::digest::Digest32;
use crate::file::{open_private, sync_folder};

use chain::{Chain, Found};
pub use entry::{Entry, Record, Seal};
pub use error::JournalError;
use tail::extend;

/// The longest line, in bytes.
pub const LINE_BYTES_MAX: usize = 4096;

/// The end of a journal: how many lines it has, and the hash of the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// How many lines.
    pub lines: u64,
    /// The hash of the last; zeros before the first.
    pub hash: Digest32,
}

/// How a journal stands to a head that the store remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// They agree: go on.
    Same,
    /// The journal has so many lines that the store does not know: the store was restored, or ended before it could
    /// remember them. Replay them before anything is sent.
    Ahead(u64),
    /// The journal lacks so many lines that the store knows: refuse, and ask for the journal file.
    Behind(u64),
    /// The journal is not the one the store knows: refuse, and ask for the journal file.
    Foreign,
}

/// A journal that was looked through without the right to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Its end.
    pub head: Head,
    /// Whether an unfinished line follows: a writer is at work, or was cut short.
    pub is_torn: bool,
}

/// An open journal. One process at a time has it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    _lock: File,
    head: Head,
    end: u64,
    is_sound: bool,
}

impl Journal {
    /// Opens the journal at this path, and makes it where it is missing. Reads and verifies all of it, in bounded memory.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let lock = take_lock(path)?;
        let (mut file, is_new) = open_private(path).map_err(|source| JournalError::of(path, source))?;
        if is_new {
            sync_folder(path).map_err(|source| JournalError::of(path, source))?;
        }
        let mut chain = Chain::of(path, BufReader::new(&file));
        let found = chain.run()?;
        let (head, end) = (chain.head(), chain.end());
        drop(chain);
        match found {
            Found::End => Ok(Self::opened(path, (file, lock), head, end)),
            // Only the end of the line is missing: what it says is whole.
            Found::Unended(head, end) => {
                extend(&mut file, end, b"\n").map_err(|failure| failure.of(path))?;
                Ok(Self::opened(path, (file, lock), head, end + 1))
            }
            Found::Torn => {
                file.set_len(end).and_then(|()| file.sync_all()).map_err(|source| JournalError::of(path, source))?;
                Ok(Self::opened(path, (file, lock), head, end))
            }
        }
    }

    fn opened(path: &Path, (file, lock): (File, File), head: Head, end: u64) -> Self {
        Self { path: path.to_owned(), file, _lock: lock, head, end, is_sound: true }
    }

    /// Looks through a journal beside whoever writes it, and changes nothing.
    pub fn check(path: &Path) -> Result<Checked, JournalError> {
        let file = File::open(path).map_err(|source| JournalError::of(path, source))?;
        let mut chain = Chain::of(path, BufReader::new(file));
        let found = chain.run()?;
        Ok(Checked { head: chain.head(), is_torn: !matches!(found, Found::End) })
    }

    /// The end of the journal: what a store remembers.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Adds entries, all with the same time. They are on the disk when this returns. Where it fails, the file is as it was
    /// before.
    pub fn append(&mut self, at: Timestamp, records: &[Record]) -> Result<Head, JournalError> {
        if !self.is_sound {
            return Err(JournalError::Unsound { path: self.path.clone() });
        }
        let (mut head, mut bytes) = (self.head, Vec::new());
        for record in records {
            let line = wire::render(head, at, record).map_err(|what| self.refused(what))?;
            head = line.head;
            bytes.extend_from_slice(line.text.as_bytes());
            bytes.push(b'\n');
        }
        if bytes.is_empty() {
            return Ok(head);
        }
        if let Err(failure) = extend(&mut self.file, self.end, &bytes) {
            self.is_sound = failure.is_undone();
            return Err(failure.of(&self.path));
        }
        self.head = head;
        self.end += bytes.len() as u64;
        Ok(head)
    }

    /// Every entry behind this place, oldest first: 0 gives all. The chain is verified again on the way.
    pub fn entries_after(&self, seq: u64) -> Result<Entries, JournalError> {
        let failed = |source| JournalError::of(&self.path, source);
        let mut file = File::open(&self.path).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let chain = Chain::of(&self.path, BufReader::new(file.take(self.end)));
        Ok(Entries { chain, after: seq, has_ended: false })
    }

    /// How this journal stands to a head that the store remembers.
    pub fn agrees(&self, known: Head) -> Result<Agreement, JournalError> {
        let Some(ahead) = self.head.lines.checked_sub(known.lines) else {
            return Ok(Agreement::Behind(known.lines - self.head.lines));
        };
        if self.hash_at(known.lines)? != known.hash {
            return Ok(Agreement::Foreign);
        }
        Ok(if ahead == 0 { Agreement::Same } else { Agreement::Ahead(ahead) })
    }

    /// The hash of the line at this place, which the journal has; zeros for place 0.
    fn hash_at(&self, seq: u64) -> Result<Digest32, JournalError> {
        if seq == self.head.lines {
            return Ok(self.head.hash);
        }
        let mut entries = self.entries_after(0)?;
        for entry in entries.by_ref().take(usize::try_from(seq).unwrap_or(usize::MAX)) {
            entry?;
        }
        Ok(entries.chain.head().hash)
    }

    fn refused(&self, what: &'static str) -> JournalError {
        JournalError::Refused { path: self.path.clone(), what }
    }
}

/// The entries of a journal, read one by one.
#[derive(Debug)]
pub struct Entries {
    chain: Chain<BufReader<std::io::Take<File>>>,
    after: u64,
    has_ended: bool,
}

impl Iterator for Entries {
    type Item = Result<Entry, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.has_ended {
            match self.chain.next_entry() {
                Ok(Some(entry)) if entry.seq > self.after => return Some(Ok(entry)),
                Ok(Some(_)) => {}
                Ok(None) => self.has_ended = true,
                Err(error) => {
                    self.has_ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// Takes the lock beside the journal, or says that another process has it.
fn take_lock(path: &Path) -> Result<File, JournalError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock_path = PathBuf::from(name);
    let (lock, _) = open_private(&lock_path).map_err(|source| JournalError::of(&lock_path, source))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse { path: path.to_owned(), lock: lock_path }),
        Err(TryLockError::Error(source)) => Err(JournalError::Unlockable { path: lock_path, source }),
    }
}
