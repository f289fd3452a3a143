//! The journal of erasures, as the engine needs it: what must survive a restored backup of the store.
//!
//! It lies apart from the store and its backups. Tombstones are written to it before anything is deleted, and what it
//! knows and the store does not is told to the store before anything is sent (consent model 6.6, I29).

use std::fmt::Debug;

use jiff::Timestamp;
use unisson_consent::{FactId, HashedAddress};
use unisson_plan::erasure::{CaseId, CaseState};
use unisson_store::StoreError;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalLine {
    /// An address that was erased, by its keyed digests.
    Tombstone {
        /// The case.
        case: CaseId,
        /// The fact that the store keeps of it.
        fact: FactId,
        /// The digests, one for each class of spellings.
        hashes: Vec<HashedAddress>,
        /// When it was frozen.
        at: Timestamp,
    },
    /// A refusal that was told at the command line, by the keyed digests of its address.
    Refusal {
        /// Whether processing is restricted; otherwise the person objects.
        restricts: bool,
        /// The fact that the store keeps of it.
        fact: FactId,
        /// The digests.
        hashes: Vec<HashedAddress>,
        /// When it was told.
        at: Timestamp,
    },
    /// A case that ended, or is held.
    Case {
        /// Which.
        case: CaseId,
        /// How.
        state: CaseState,
        /// When.
        at: Timestamp,
    },
    /// How far the ledger had come when a run ended.
    Ledger {
        /// Its commits.
        commits: u64,
        /// The hash of the last one.
        head: [u8; 32],
        /// When.
        at: Timestamp,
    },
}

/// How far a journal has come: its lines, and the hash of the last one.
pub type JournalHead = (u64, [u8; 32]);

/// The journal.
pub trait Journal: Send + Sync + Debug {
    /// How far it has come.
    fn head(&self) -> JournalHead;

    /// Whether it holds a line of this place and hash: then it is the journal of this store.
    fn knows(&self, head: JournalHead) -> Result<bool, StoreError>;

    /// The lines after this place, as many as there are.
    fn after(&self, line: u64) -> Result<Vec<JournalLine>, StoreError>;

    /// Adds lines and waits until they are on the disk.
    fn append(&self, lines: &[JournalLine]) -> Result<JournalHead, StoreError>;
}
