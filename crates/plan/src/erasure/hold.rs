//! Legal holds: what must stay after an erasure, and who may look at it ("cloisonner", consent model 6.4).
//!
//! What a hold keeps is locked: a [`Held`] shows nothing. Only a [`Warrant`] opens it, and a case gives one only for a
//! record whose hold has ended, so no path of marketing can come to read it.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use unisson_connector::Target;
use unisson_consent::{Address, HoldBasis, RecordRef, SystemId};

use super::case::{Case, PartHold};
use super::task::TaskState;
use crate::replica::RecordNo;

/// A hold as the policy declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRule {
    /// Its name.
    pub name: String,
    /// In which system.
    pub system: SystemId,
    /// The groups of fields that stay, in the operator's words for that system.
    pub fields: Vec<String>,
    /// Why (art. 17(3)).
    pub ground: HoldBasis,
    /// The provision that asks for it, as the person is told: "C. com. L123-22".
    pub provision: String,
    /// For how long, from the receipt of the request.
    pub keeps_for: SignedDuration,
    /// Whether it holds for everybody; otherwise only where the operator names it.
    pub always: bool,
}

impl HoldRule {
    /// What it keeps after a request of this date.
    pub fn applied(&self, received_at: Timestamp) -> PartHold {
        let until = received_at.checked_add(self.keeps_for).unwrap_or(Timestamp::MAX);
        PartHold { name: self.name.clone(), fields: self.fields.clone(), until }
    }
}

/// Whose record a hold keeps, locked away from everything but the end of that hold.
#[derive(Clone, PartialEq, Eq)]
pub struct Held {
    record: RecordRef,
    addresses: Vec<Address>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held(…)")
    }
}

impl Held {
    /// Locks a record away.
    pub fn lock(record: RecordRef, addresses: Vec<Address>) -> Self {
        Self { record, addresses }
    }

    /// Whose record it is, once its hold has ended.
    pub fn open(&self, _: &Warrant) -> Target {
        Target { record: self.record.record.clone(), addresses: self.addresses.clone() }
    }

    /// What a store writes down. Only a store has a [`Locker`].
    pub fn parts(&self, _: &Locker) -> (&RecordRef, &[Address]) {
        (&self.record, &self.addresses)
    }
}

/// Permission to open what one hold kept. Only a case whose hold has ended gives it.
#[derive(Debug)]
pub struct Warrant(());

/// Permission to write locked records down. For stores.
#[derive(Debug)]
pub struct Locker(());

impl Locker {
    /// A store's permission.
    pub fn of_a_store() -> Self {
        Self(())
    }
}

impl Case {
    /// The permission to open a record that a hold has kept; `None` while it does, and where none did.
    pub fn warrant(&self, system: &SystemId, record: RecordNo, now: Timestamp) -> Option<Warrant> {
        let part = self.parts.get(system)?;
        let task = part.tasks.get(&record)?;
        let ended = part.hold.as_ref().is_some_and(|hold| hold.until <= now);
        (ended && !matches!(task.state, TaskState::Held { .. })).then_some(Warrant(()))
    }
}
