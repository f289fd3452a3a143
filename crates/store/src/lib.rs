//! The memory: store trait, persisted codec, in-memory store, and the suite that every store must pass.

mod error;
mod store;

pub use error::{Result, StoreError, StoreErrorKind};
pub use store::{Claim, Claimed, Counts, OutboxCount, Receipt, RunRecord, RunState, Store, Verified, Wanted};
