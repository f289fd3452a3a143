//! What the store in memory holds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use unisson_connector::{Action, ChangeId, Presence, StreamId, Ticket};
use unisson_consent::{FactId, HashedAddress, Keyring, Reason, RecordRef, Scope, SystemId};
use unisson_plan::erasure::CaseId;
use unisson_plan::{Digest, PlanId, Position, RunId};

use crate::enrol::{Counters, EVERYONE, Found, Located, Lookup, RecordKey};
use crate::error::Result;
use crate::identifier::{Class, Identifier, Scheme, key_of};
use crate::ledger::LedgerCommit;
use crate::lent::Lent;
use crate::outbox::OutboxState;
use crate::store::RunRecord;

/// Everything there is.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) counters: Counters,
    pub(super) records: BTreeMap<u64, Record>,
    pub(super) record_numbers: BTreeMap<RecordKey, u64>,
    /// The records of each subject.
    pub(super) members: BTreeMap<u64, BTreeSet<u64>>,
    /// The commit of each fact and its bytes, by record and id.
    pub(super) facts: BTreeMap<(u64, FactId), (u64, Vec<u8>)>,
    /// Each identifier and the record it was first seen on.
    pub(super) identifiers: BTreeMap<u64, (Identifier, u64)>,
    pub(super) classes: BTreeMap<Class, Vec<u64>>,
    /// The schemes under which addresses are found by their digests.
    pub(super) schemes: Vec<Scheme>,
    pub(super) keyring: Keyring,
    /// The addresses that have a digest, by its narrow key.
    pub(super) digests: BTreeMap<i64, Vec<u64>>,
    pub(super) subjects: BTreeMap<u64, Standing>,
    pub(super) outbox: BTreeMap<ChangeId, Row>,
    /// The place of the last change that was planned.
    pub(super) last_planned: u64,
    /// The changes that were planned for each record.
    pub(super) planned: BTreeMap<u64, BTreeSet<ChangeId>>,
    pub(super) positions: BTreeMap<(SystemId, StreamId), Position>,
    pub(super) runs: BTreeMap<RunId, RunRecord>,
    pub(super) law: Option<String>,
    pub(super) ledger: Vec<LedgerCommit>,
    pub(super) lent: Lent,
    pub(super) cases: BTreeMap<CaseId, Vec<u8>>,
    /// The records of requests to be erased that are told on one.
    pub(super) requests: BTreeMap<FactId, u64>,
    /// What a hold keeps, by the numbers of its records.
    pub(super) held: BTreeMap<u64, (RecordRef, Vec<u8>)>,
    /// The systems of records that were purged.
    pub(super) purged: BTreeMap<u64, SystemId>,
    pub(super) journal: Option<(u64, [u8; 32])>,
}

/// A record.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) key: RecordKey,
    pub(super) subject: u64,
    pub(super) shows: Option<Shows>,
}

/// What a record showed last.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shows {
    pub(super) stream: StreamId,
    pub(super) presence: Presence,
    pub(super) digest: Digest,
    pub(super) body: Vec<u8>,
}

/// The cached decisions of a subject; without bytes it is stale.
#[derive(Debug, Default)]
pub(super) struct Standing {
    pub(super) body: Option<Vec<u8>>,
    pub(super) valid_until: Option<Timestamp>,
}

/// A planned change.
#[derive(Debug)]
pub(super) struct Row {
    /// Its place among all that were planned, from 1.
    pub(super) order: u64,
    pub(super) instance: SystemId,
    pub(super) record: u64,
    pub(super) scope: Scope,
    pub(super) scope_key: Vec<u8>,
    pub(super) action: Action,
    pub(super) reason: Reason,
    pub(super) by_person: bool,
    pub(super) state: OutboxState,
    pub(super) held_by: Option<RunId>,
    /// The plan that it was let go under, or is marked for.
    pub(super) plan: Option<PlanId>,
    pub(super) attempts: u32,
    pub(super) not_before: Option<Timestamp>,
    pub(super) lease_until: Option<Timestamp>,
    pub(super) ticket: Option<Ticket>,
    pub(super) code: String,
}

impl Record {
    pub(super) fn is_present(&self) -> bool {
        self.shows.as_ref().is_some_and(|shows| shows.presence == Presence::Present)
    }

    pub(super) fn instance(&self) -> Option<&SystemId> {
        match &self.key {
            RecordKey::Named(record) => Some(&record.system),
            RecordKey::Loose(_) => None,
        }
    }
}

impl Row {
    /// Moves the change on and forgets what belonged to the state it leaves.
    pub(super) fn enter(&mut self, state: OutboxState) {
        self.state = state;
        self.held_by = None;
        self.not_before = None;
        self.lease_until = None;
        self.ticket = None;
        self.code = String::new();
    }
}

impl Lookup for &State {
    fn record(&mut self, key: &RecordKey) -> Result<Option<Located>> {
        let located =
            |number: &u64| self.records.get(number).map(|record| Located { record: *number, subject: record.subject });
        Ok(self.record_numbers.get(key).and_then(located))
    }

    fn identifier(&mut self, identifier: &Identifier, class: &Class) -> Result<Found> {
        let Some(members) = self.classes.get(class) else { return Ok(Found::default()) };
        let number = members
            .iter()
            .copied()
            .find(|number| self.identifiers.get(number).is_some_and(|(known, _)| known == identifier));
        let subject = members.first().and_then(|number| self.holder(*number));
        Ok(Found { number, subject })
    }

    fn schemes(&self) -> &[Scheme] {
        &self.schemes
    }

    fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    fn bearer(&mut self, digest: &HashedAddress) -> Result<Option<u64>> {
        for number in self.digests.get(&key_of(digest)).into_iter().flatten() {
            let Some((identifier, _)) = self.identifiers.get(number) else { continue };
            if identifier.bears(digest, &self.keyring)? {
                return Ok(self.holder(*number));
            }
        }
        Ok(None)
    }

    fn reaches_everyone(&mut self) -> Result<bool> {
        Ok(self.facts.keys().next().is_some_and(|(record, _)| *record == EVERYONE))
    }
}

impl State {
    /// The subject that holds an identifier.
    pub(super) fn holder(&self, identifier: u64) -> Option<u64> {
        let (_, record) = self.identifiers.get(&identifier)?;
        self.records.get(record).map(|record| record.subject)
    }
}
