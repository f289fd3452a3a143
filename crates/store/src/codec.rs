//! The persisted form of what a store keeps as bytes: facts, replicas, standings, scopes, erasure cases.
//!
//! The forms are types of their own, so that a change of the domain cannot silently change what is on disk: each is
//! written by `postcard` behind a version byte and held by a snapshot test. What is written once is never written anew in
//! another form; an old version stays readable.
//!
//! Identifiers and native record ids never stand in the bytes. [`Numbers`] gives the numbers to write for them, and
//! [`Names`] what the numbers mean; [`Needs`] collects the numbers that some bytes speak of, so that a store can look them
//! all up at once. The one exception is what a legal hold keeps of an erased record: nothing else refers to it, so it holds
//! its own addresses and native id, and goes as a whole.

mod case;
mod envelope;
mod fact;
mod kind;
mod mirror;
mod replica;
mod scope;
mod standing;
mod tell;
mod time;
mod who;
mod word;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use unisson_consent::RecordRef;

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::identifier::Identifier;

pub use case::{decode_case, decode_held, encode_case, encode_held, held_record};
pub use fact::{About, Place, StoredFact, encode_fact};
pub use replica::{StoredReplica, encode_replica};
pub use scope::{decode_scope, encode_scope};
pub use standing::{StoredStanding, encode_standing};
pub use tell::Told;
pub use time::{instant, nanos};
pub use word::{action, action_code, presence, presence_code, reason, run_state};

/// The numbers that stand for identifiers and records in what is written.
#[derive(Debug, Default)]
pub struct Numbers {
    identifiers: foldhash::HashMap<Identifier, u64>,
    records: foldhash::HashMap<RecordRef, u64>,
}

impl Numbers {
    /// Makes room for so many more of each.
    pub fn reserve(&mut self, identifiers: usize, records: usize) {
        self.identifiers.reserve(identifiers);
        self.records.reserve(records);
    }

    /// Gives an identifier its number.
    pub fn set_identifier(&mut self, identifier: Identifier, number: u64) {
        self.identifiers.insert(identifier, number);
    }

    /// Gives a record its number.
    pub fn set_record(&mut self, record: RecordRef, number: u64) {
        self.records.insert(record, number);
    }

    /// The number of an identifier.
    pub fn identifier(&self, identifier: &Identifier) -> Result<u64> {
        self.identifiers.get(identifier).copied().ok_or_else(|| unnumbered("an identifier"))
    }

    /// The number of a record.
    pub fn record(&self, record: &RecordRef) -> Result<u64> {
        self.records.get(record).copied().ok_or_else(|| unnumbered("a record"))
    }
}

/// The numbers that some bytes speak of.
#[derive(Debug, Default)]
pub struct Needs {
    /// Identifiers, by their numbers.
    pub identifiers: BTreeSet<u64>,
    /// Records, by their numbers.
    pub records: BTreeSet<u64>,
}

/// What numbers stand for in what is read.
#[derive(Debug, Default)]
pub struct Names {
    identifiers: HashMap<u64, Identifier>,
    records: HashMap<u64, RecordRef>,
}

impl Names {
    /// Says what the number of an identifier stands for.
    pub fn set_identifier(&mut self, number: u64, identifier: Identifier) {
        self.identifiers.insert(number, identifier);
    }

    /// Says what the number of a record stands for.
    pub fn set_record(&mut self, number: u64, record: RecordRef) {
        self.records.insert(number, record);
    }

    fn identifier(&self, number: u64) -> Result<&Identifier> {
        self.identifiers.get(&number).ok_or_else(|| missing("identifier", number))
    }

    fn record(&self, number: u64) -> Result<&RecordRef> {
        self.records.get(&number).ok_or_else(|| missing("record", number))
    }
}

fn unnumbered(what: &str) -> StoreError {
    let what = format!("{what} of the commit is not known to the store: read the person anew and try again");
    StoreError::new(StoreErrorKind::Corrupt, "encode what was learnt", what)
}

fn missing(what: &str, number: u64) -> StoreError {
    let what = format!("{what} {number} is named and not there: restore a backup");
    StoreError::new(StoreErrorKind::Corrupt, "decode what is stored", what)
}
