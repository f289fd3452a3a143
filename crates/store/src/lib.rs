//! The memory: store trait, persisted codec, in-memory store, and the suite that every store must pass.
//!
//! A store is written against [`Store`] with the parts it shares with every other: [`codec`] gives the bytes, [`enrol`] the
//! numbers and the clusters, [`ledger`] the chain, [`outbox`] the life of a planned change, [`mod@purge`] what goes with an
//! erased person; [`export`] hands the ledger on to whoever has no store. It refuses to know of any database, and
//! to decide anything about a person.

pub mod codec;
pub mod enrol;
mod error;
pub mod export;
pub mod identifier;
pub mod ledger;
pub mod lent;
mod memory;
pub mod outbox;
pub mod purge;
mod store;
#[cfg(feature = "suite")]
pub mod suite;

pub use error::{Result, StoreError, StoreErrorKind};
pub use memory::MemoryStore;
pub use store::{
    CaseCount, Cases, Claim, Claimed, Counts, LedgerFact, Met, Naming, OutboxChange, OutboxCount, OutboxNo, Purge,
    Purged, Receipt, RunRecord, RunState, Store, Verified, Wanted,
};
