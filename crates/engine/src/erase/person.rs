//! Whose case it is: everything known of the person, and nothing of anybody else.

use std::collections::{BTreeMap, BTreeSet};

use unisson_connector::{Presence, Seek, Target};
use unisson_consent::{Erased, RecordId, RecordRef, Standing, SystemId};
use unisson_plan::erasure::Case;
use unisson_plan::{Dossier, RecordNo, Replica};
use unisson_store::StoreError;

use crate::host::Run;

/// The person of a case, as the store knows them now.
#[derive(Debug)]
pub(super) struct Person {
    /// What the law says of them.
    pub(super) erased: Erased,
    /// What every system shows of them.
    pub(super) replicas: Vec<Replica>,
}

impl Run<'_> {
    /// The person of a case; `None` once nothing is known of them any more.
    pub(super) async fn person(&self, case: &Case) -> Result<Option<Person>, StoreError> {
        let subjects = self.engine.store.subjects_of(&case.facts).await?;
        let subjects: BTreeSet<_> = subjects.into_iter().flatten().collect();
        let subjects: Vec<_> = subjects.into_iter().collect();
        let law = &self.engine.law;
        let mut found: Option<Person> = None;
        for dossier in self.engine.store.dossiers(&subjects).await? {
            let Dossier { facts, replicas, .. } = dossier;
            let standing = Standing::fold(facts, &[], law);
            let theirs = standing.erased(law, self.now());
            for erased in theirs.into_iter().filter(|erased| erased.asked.iter().any(|id| case.facts.contains(id))) {
                let own = replicas.iter().filter(|replica| erased.records.contains(&replica.record)).cloned();
                match &mut found {
                    None => found = Some(Person { replicas: own.collect(), erased }),
                    Some(person) => {
                        person.replicas.extend(own);
                        unite(&mut person.erased, erased);
                    }
                }
            }
        }
        Ok(found)
    }

    /// The numbers of the records that a system shows of a person, archived ones included.
    pub(super) async fn numbers_at(
        &self,
        person: Option<&Person>,
        system: &SystemId,
    ) -> Result<Vec<RecordNo>, StoreError> {
        let Some(person) = person else { return Ok(Vec::new()) };
        let there = person.replicas.iter().filter(|replica| replica.presence != Presence::Deleted);
        let here: Vec<RecordRef> =
            there.filter(|replica| replica.record.system == *system).map(|replica| replica.record.clone()).collect();
        Ok(self.engine.store.numbers(&here).await?.into_iter().flatten().collect())
    }
}

impl Person {
    /// What to look for in a system.
    pub(super) fn seek(&self, system: &SystemId) -> Seek {
        let of_system = self.erased.records.iter().filter(|record| record.system == *system);
        let records: Vec<RecordId> = of_system.map(|record| record.record.clone()).collect();
        Seek { addresses: self.erased.addresses.clone(), customers: self.erased.customers.clone(), records }
    }

    /// A record with the addresses it shows, and behind them every other of the person: whoever looks whether the person
    /// is gone looks under all of them.
    pub(super) fn target(&self, replica: &Replica) -> Target {
        let mut addresses = replica.who.addresses.clone();
        for address in &self.erased.addresses {
            if !addresses.iter().any(|held| held == address && held.raw() == address.raw()) {
                addresses.push(address.clone());
            }
        }
        Target { record: replica.record.record.clone(), addresses }
    }
}

/// One person who stands in two clusters: an address that no record ties to the other.
fn unite(into: &mut Erased, from: Erased) {
    into.asked.extend(from.asked);
    into.records.extend(from.records);
    into.due.extend(from.due);
    into.loose.extend(from.loose);
    into.addresses.extend(from.addresses);
    into.customers.extend(from.customers);
    into.held_until = into.held_until.max(from.held_until);
}

/// What records show, by their numbers.
pub(super) fn by_number(numbers: &[RecordNo], shown: Vec<Option<Replica>>) -> BTreeMap<RecordNo, Replica> {
    numbers.iter().copied().zip(shown).filter_map(|(number, replica)| Some((number, replica?))).collect()
}
