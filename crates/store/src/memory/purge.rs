//! Purging: what can fail comes first, then everything is taken away.

use unisson_consent::FactId;

use super::state::{Standing, State};
use crate::codec::{Names, Needs, StoredFact, StoredReplica};
use crate::enrol::{Located, Lookup, RecordKey};
use crate::error::Result;
use crate::identifier::Identifier;
use crate::ledger::{Entry, LedgerCommit};
use crate::purge::{Forgetting, Leaving, Remains, forget, released};
use crate::store::{Purge, Purged};

impl State {
    pub(super) fn purge(&mut self, purge: &Purge) -> Result<Purged> {
        let mut remains = &*self;
        let forgetting = forget(purge, &mut remains)?;
        self.save_case(&purge.case)?;
        for (record, held) in &purge.held {
            self.hold(*record, held)?;
        }
        for record in released(&purge.case) {
            self.held.remove(&record.0);
        }
        let purged = Purged {
            records: forgetting.records.iter().filter(|leaving| leaving.system.is_some()).count() as u64,
            facts: forgetting.facts.len() as u64,
            identifiers: forgetting.identifiers.len() as u64,
        };
        self.take_away(purge, &forgetting);
        Ok(purged)
    }

    fn take_away(&mut self, purge: &Purge, forgetting: &Forgetting) {
        for fact in &forgetting.facts {
            self.facts.remove(fact);
            self.requests.remove(&fact.1);
        }
        forgetting.records.iter().for_each(|leaving| self.take_record(leaving));
        forgetting.identifiers.iter().for_each(|number| self.take_identifier(*number));
        for (number, record) in &forgetting.moved {
            if let Some((_, home)) = self.identifiers.get_mut(number) {
                *home = *record;
            }
        }
        // A number that ended with its change is given again, as it is on disk.
        self.last_planned = self.outbox.values().map(|row| row.order).max().unwrap_or(0);
        for subject in &forgetting.ended {
            self.subjects.remove(subject);
            self.members.remove(subject);
            self.lent.change(*subject);
        }
        for subject in &forgetting.lessened {
            self.subjects.insert(*subject, Standing::default());
            self.lent.change(*subject);
        }
        if forgetting.everyone {
            self.lent.change_all();
            self.subjects.values_mut().for_each(|standing| *standing = Standing::default());
        }
        self.counters.subjects -= forgetting.ended.len() as u64;
        self.counters.facts -= forgetting.facts.len() as u64;
        if !forgetting.facts.is_empty() {
            let entries: Vec<Entry> =
                forgetting.facts.iter().map(|(record, id)| Entry::purging(*record, *id)).collect();
            let last = self.ledger.last().map_or((0, [0; 32]), |last| (last.seq, last.hash));
            self.ledger.push(LedgerCommit::after(last, purge.at, &purge.run, &entries));
            self.counters.commits += 1;
        }
    }

    fn take_record(&mut self, leaving: &Leaving) {
        for id in self.planned.remove(&leaving.record).unwrap_or_default() {
            self.outbox.remove(&id);
        }
        if let Some(record) = self.records.remove(&leaving.record) {
            self.record_numbers.remove(&record.key);
        }
        if let Some(members) = self.members.get_mut(&leaving.subject) {
            members.remove(&leaving.record);
        }
        if let Some(system) = &leaving.system {
            self.purged.insert(leaving.record, system.clone());
        }
    }

    fn take_identifier(&mut self, number: u64) {
        let Some((identifier, _)) = self.identifiers.remove(&number) else { return };
        let class = identifier.class();
        if let Some(members) = self.classes.get_mut(&class) {
            members.retain(|member| *member != number);
            if members.is_empty() {
                self.classes.remove(&class);
            }
        }
        self.take_digests(number, &identifier);
    }

    fn take_digests(&mut self, number: u64, identifier: &Identifier) {
        for borne in identifier.borne(&self.schemes, &self.keyring) {
            if let Some(bearers) = self.digests.get_mut(&borne.key) {
                bearers.retain(|bearer| *bearer != number);
                if bearers.is_empty() {
                    self.digests.remove(&borne.key);
                }
            }
        }
    }
}

impl Remains for &State {
    fn record(&mut self, key: &RecordKey) -> Result<Option<Located>> {
        Lookup::record(self, key)
    }

    fn members(&mut self, subject: u64) -> Result<Vec<u64>> {
        Ok(self.members.get(&subject).into_iter().flatten().copied().collect())
    }

    fn facts(&mut self, record: u64) -> Result<Vec<(FactId, StoredFact)>> {
        let facts = self.facts.range((record, FactId([0; 16]))..=(record, FactId([u8::MAX; 16])));
        facts.map(|((_, id), (_, body))| Ok((*id, StoredFact::read(body)?))).collect()
    }

    fn replica(&mut self, record: u64) -> Result<Option<StoredReplica>> {
        let shows = self.records.get(&record).and_then(|record| record.shows.as_ref());
        shows.map(|shows| StoredReplica::read(&shows.body)).transpose()
    }

    fn first_seen(&mut self, record: u64) -> Result<Vec<u64>> {
        let seen = self.identifiers.iter().filter(|(_, (_, home))| *home == record);
        Ok(seen.map(|(number, _)| *number).collect())
    }

    fn names(&mut self, needs: &Needs) -> Result<Names> {
        Ok(State::names(self, needs))
    }
}
