//! What can go wrong with a journal. Callers branch on the variant.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a journal cannot be read or written.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Another process has it.
    #[error(
        "another process works with the journal `{}`: wait for it or end it (it holds `{}`)",
        path.display(), lock.display()
    )]
    InUse {
        /// Which journal.
        path: PathBuf,
        /// The file that is locked.
        lock: PathBuf,
    },
    /// Its lock cannot be taken.
    #[error("`{}` cannot be locked: put the journal on a local disk", path.display())]
    Unlockable {
        /// The file of the lock.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The disk is full. The file is as it was before.
    #[error("there is no room for the journal `{}`: make room and try again", path.display())]
    Full {
        /// Which journal.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A line was changed, removed or added from outside.
    #[error(
        "line {line} of the journal `{}` {what}: restore the file from where it is copied to, and never edit it",
        path.display()
    )]
    Damaged {
        /// Which journal.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An entry cannot be written down.
    #[error("the journal `{}` takes no entry whose {what}", path.display())]
    Refused {
        /// Which journal.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An append failed half-way, and the file could not be cut back.
    #[error("the last write to the journal `{}` failed half-way: see to the disk, then open it again", path.display())]
    Unsound {
        /// Which journal.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("the journal `{}` cannot be read or written: check the folder and who may write there", path.display())]
    Unavailable {
        /// Which file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}

impl JournalError {
    /// A failure of the system with this file.
    pub(super) fn of(path: &Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::Full { path, source },
            _ => Self::Unavailable { path, source },
        }
    }
}
