//! Reading the ledger page by page, and who is in it.

use std::collections::BTreeMap;

use unisson_consent::{RecordRef, SystemId};
use unisson_plan::SubjectNo;

use super::state::State;
use crate::codec::{About, Needs, StoredFact};
use crate::enrol::RecordKey;
use crate::error::Result;
use crate::ledger::{Entry, LedgerCommit, unplaced};
use crate::store::{LedgerFact, Naming};

impl State {
    pub(super) fn commits(&self, from: u64, limit: usize) -> Vec<LedgerCommit> {
        self.ledger.iter().filter(|commit| commit.seq >= from).take(limit).cloned().collect()
    }

    pub(super) fn ledger_fact(&self, entry: &Entry, naming: Naming) -> Result<Option<LedgerFact>> {
        let Some((seq, body)) = self.facts.get(&(entry.record, entry.id)) else { return Ok(None) };
        let stored = StoredFact::read(body)?;
        let place = match stored.about() {
            About::Record(number) => number,
            About::Row | About::Nothing => entry.record,
        };
        let row = self.named(entry.record);
        let told_on = self.named(place).map(|record| record.system.clone());
        let told_on = told_on.or_else(|| self.purged.get(&place).cloned());
        let system = stored.system().map(SystemId::new).or(told_on).ok_or_else(unplaced)?;
        let subject = self.records.get(&place).map(|record| SubjectNo(record.subject));
        let fact = match naming {
            Naming::Numbers => None,
            Naming::Names => {
                let mut needs = Needs::default();
                stored.needs(&mut needs);
                Some(stored.build(entry.id, row, &self.names(&needs))?)
            }
        };
        Ok(Some(LedgerFact { seq: *seq, body: body.clone(), system, subject, fact }))
    }

    /// The record of a number, unless it stands for a fact without one.
    fn named(&self, number: u64) -> Option<&RecordRef> {
        match &self.records.get(&number)?.key {
            RecordKey::Named(record) => Some(record),
            RecordKey::Loose(_) => None,
        }
    }

    pub(super) fn systems(&self) -> Vec<(SystemId, u64)> {
        let mut systems: BTreeMap<SystemId, u64> =
            self.positions.keys().map(|(instance, _)| (instance.clone(), 0)).collect();
        for record in self.records.values() {
            if let Some(instance) = record.instance() {
                *systems.entry(instance.clone()).or_default() += u64::from(record.is_present());
            }
        }
        for system in self.purged.values() {
            systems.entry(system.clone()).or_default();
        }
        systems.into_iter().collect()
    }
}
