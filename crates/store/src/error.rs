//! What can go wrong with the memory. Callers branch on the kind.

use thiserror::Error;

/// The result of anything a store does.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A kind of failure, with what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// Another process works with the store: wait for it or end it.
    InUse,
    /// The disk is full: make room; nothing that was acknowledged is lost.
    Full,
    /// What is stored cannot be read, or was changed from outside: restore a backup.
    Corrupt,
    /// The store was written by a newer version: update this program.
    Newer,
    /// The store cannot be opened or read where it is: see the cause.
    Unavailable,
}

/// A failure of the store while doing `during`.
#[derive(Debug, Error)]
#[error("{during}: {what}")]
pub struct StoreError {
    kind: StoreErrorKind,
    during: &'static str,
    what: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// A failure of this kind. `what` says what is wrong and what to do, and names no person.
    pub fn new(kind: StoreErrorKind, during: &'static str, what: impl Into<String>) -> Self {
        Self { kind, during, what: what.into(), source: None }
    }

    /// The same with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}
