//! Reading: records, dossiers, standings, positions, runs, the ledger.

use std::collections::BTreeSet;

use jiff::Timestamp;
use unisson_connector::StreamId;
use unisson_consent::{FactId, RecordRef, SystemId};
use unisson_plan::{Digest, Dossier, KeyDecision, OpenChange, Position, RecordNo, Replica, SubjectNo};

use super::state::{Standing, State};
use crate::codec::{Names, Needs, StoredFact, StoredReplica, StoredStanding};
use crate::enrol::{EVERYONE, RecordKey};
use crate::error::Result;
use crate::identifier::{Class, Identifier};
use crate::ledger::{Audit, broken, smuggled};
use crate::outbox::OutboxState;
use crate::purge::purged_record;
use crate::store::{Counts, RunRecord, Verified, Wanted};

impl State {
    pub(super) fn known(&self, record: &RecordRef) -> Option<(RecordNo, Digest)> {
        let number = self.record_numbers.get(&RecordKey::Named(record.clone()))?;
        let shows = self.records.get(number)?.shows.as_ref()?;
        Some((RecordNo(*number), shows.digest))
    }

    pub(super) fn replica_of(&self, record: &RecordRef) -> Result<Option<Replica>> {
        match self.record_numbers.get(&RecordKey::Named(record.clone())) {
            Some(number) => self.replica(*number),
            None => Ok(None),
        }
    }

    pub(super) fn replica(&self, number: u64) -> Result<Option<Replica>> {
        let Some(record) = self.records.get(&number) else { return Ok(None) };
        let (RecordKey::Named(key), Some(shows)) = (&record.key, &record.shows) else { return Ok(None) };
        let stored = StoredReplica::read(&shows.body)?;
        let mut needs = Needs::default();
        stored.needs(&mut needs);
        let row = (key.clone(), shows.stream.clone());
        stored.build(row, (shows.presence, shows.digest), &self.names(&needs)).map(Some)
    }

    /// What these numbers stand for.
    pub(super) fn names(&self, needs: &Needs) -> Names {
        let mut names = Names::default();
        for number in &needs.identifiers {
            if let Some((identifier, _)) = self.identifiers.get(number) {
                names.set_identifier(*number, identifier.clone());
            }
        }
        for number in &needs.records {
            if let Some(RecordKey::Named(record)) = self.records.get(number).map(|record| &record.key) {
                names.set_record(*number, record.clone());
            } else if let Some(system) = self.purged.get(number) {
                names.set_record(*number, purged_record(system.clone(), *number));
            }
        }
        names
    }

    pub(super) fn stale(&self, now: Timestamp, limit: usize) -> Vec<SubjectNo> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let none = self.subjects.iter().filter(|(_, standing)| standing.body.is_none());
        let mut over: Vec<(Option<Timestamp>, u64)> = self
            .subjects
            .iter()
            .filter(|(_, standing)| standing.is_over(now))
            .map(|(subject, standing)| (standing.valid_until, *subject))
            .collect();
        over.sort_unstable();
        let lost: BTreeSet<u64> = self
            .outbox
            .values()
            .filter(|row| row.state == OutboxState::Unknown)
            .filter_map(|row| self.records.get(&row.record).map(|record| record.subject))
            .collect();
        let over = over.into_iter().map(|(_, subject)| subject);
        for subject in none.map(|(subject, _)| *subject).chain(over).chain(lost) {
            if found.len() < limit && seen.insert(subject) {
                found.push(SubjectNo(subject));
            }
        }
        found
    }

    pub(super) fn subjects_after(&self, after: Option<SubjectNo>, limit: usize) -> Vec<SubjectNo> {
        let next = after.map_or(0, |after| after.0.saturating_add(1));
        self.subjects.range(next..).take(limit).map(|(subject, _)| SubjectNo(*subject)).collect()
    }

    pub(super) fn dossiers(&mut self, subjects: &[SubjectNo]) -> Result<Vec<Dossier>> {
        let known: Vec<u64> =
            subjects.iter().map(|subject| subject.0).filter(|subject| self.subjects.contains_key(subject)).collect();
        let dossiers = known.iter().map(|subject| self.dossier(*subject)).collect::<Result<_>>()?;
        for subject in known {
            self.lent.lend(subject);
        }
        Ok(dossiers)
    }

    fn dossier(&self, subject: u64) -> Result<Dossier> {
        let members = self.members.get(&subject).cloned().unwrap_or_default();
        let mut dossier =
            Dossier { subject: SubjectNo(subject), facts: Vec::new(), replicas: Vec::new(), open: Vec::new() };
        for record in [EVERYONE].iter().chain(&members) {
            for ((_, id), (_, body)) in self.facts.range((*record, FactId([0; 16]))..=(*record, FactId([u8::MAX; 16])))
            {
                let stored = StoredFact::read(body)?;
                let mut needs = Needs::default();
                stored.needs(&mut needs);
                let row = match self.records.get(record).map(|record| &record.key) {
                    Some(RecordKey::Named(record)) => Some(record),
                    _ => None,
                };
                dossier.facts.push(stored.build(*id, row, &self.names(&needs))?);
            }
            dossier.replicas.extend(self.replica(*record)?);
        }
        let mut open: Vec<(u64, OpenChange)> = Vec::new();
        for id in members.iter().filter_map(|record| self.planned.get(record)).flatten() {
            let Some((row, state)) = self.outbox.get(id).and_then(|row| Some((row, row.state.open()?))) else {
                continue;
            };
            let Some(RecordKey::Named(record)) = self.records.get(&row.record).map(|record| &record.key) else {
                continue;
            };
            let change = OpenChange {
                id: id.clone(),
                instance: row.instance.clone(),
                record: record.record.clone(),
                scope: row.scope.clone(),
                action: row.action,
                state,
            };
            open.push((row.order, change));
        }
        open.sort_by_key(|(order, _)| *order);
        dossier.open = open.into_iter().map(|(_, change)| change).collect();
        Ok(dossier)
    }

    pub(super) fn adopt_law(&mut self, hash: &str) -> bool {
        if self.law.as_deref() == Some(hash) {
            return false;
        }
        self.subjects.values_mut().for_each(|standing| *standing = Standing::default());
        self.lent.change_all();
        self.law.replace(hash.to_owned()).is_some()
    }

    pub(super) fn position(&self, instance: &SystemId, stream: &StreamId) -> Option<Position> {
        self.positions.get(&(instance.clone(), stream.clone())).cloned()
    }

    pub(super) fn absentees(&self, instance: &SystemId, stream: &StreamId, seen: &BTreeSet<RecordNo>) -> Vec<RecordNo> {
        self.records
            .iter()
            .filter(|(_, record)| record.is_present() && record.instance() == Some(instance))
            .filter(|(_, record)| record.shows.as_ref().is_some_and(|shows| shows.stream == *stream))
            .map(|(number, _)| RecordNo(*number))
            .filter(|number| !seen.contains(number))
            .collect()
    }

    pub(super) fn contacts(&self, instance: &SystemId) -> u64 {
        self.records.values().filter(|record| record.is_present() && record.instance() == Some(instance)).count() as u64
    }

    pub(super) fn save_run(&mut self, run: RunRecord) {
        self.runs.insert(run.id.clone(), run);
    }

    pub(super) fn runs(&self, limit: usize) -> Vec<RunRecord> {
        let mut runs: Vec<RunRecord> = self.runs.values().cloned().collect();
        runs.sort_by(|a, b| (b.started_at, &b.id).cmp(&(a.started_at, &a.id)));
        runs.truncate(limit);
        runs
    }

    pub(super) fn find(&self, wanted: &Wanted) -> Vec<SubjectNo> {
        let by_class = |class: &Class| -> BTreeSet<u64> {
            self.classes.get(class).into_iter().flatten().filter_map(|number| self.holder(*number)).collect()
        };
        let found = match wanted {
            Wanted::Address(address) => {
                let borne = Identifier::from(address).borne(&self.schemes, &self.keyring);
                let digests = borne.into_iter().flat_map(|borne| by_class(&borne.digest.class()));
                by_class(&Class::of_address(address)).into_iter().chain(digests).collect()
            }
            Wanted::Customer(customer) => by_class(&Class::of_customer(customer)),
            Wanted::Record(id) => self
                .records
                .values()
                .filter(|record| matches!(&record.key, RecordKey::Named(named) if named.record == *id))
                .map(|record| record.subject)
                .collect(),
        };
        found.into_iter().map(SubjectNo).collect()
    }

    pub(super) fn standings(
        &self,
        after: Option<SubjectNo>,
        limit: usize,
    ) -> Result<Vec<(SubjectNo, Vec<KeyDecision>)>> {
        let from = after.map_or(0, |after| after.0.saturating_add(1));
        let fresh =
            self.subjects.range(from..).filter_map(|(subject, held)| held.body.as_ref().map(|body| (subject, body)));
        fresh
            .take(limit)
            .map(|(subject, body)| {
                let stored = StoredStanding::read(body)?;
                let mut needs = Needs::default();
                stored.needs(&mut needs);
                Ok((SubjectNo(*subject), stored.build(&self.names(&needs))?))
            })
            .collect()
    }

    pub(super) fn verify(&self) -> Result<Verified> {
        let mut audit = Audit::default();
        for commit in &self.ledger {
            for entry in audit.commit(commit)? {
                let stored = self.facts.get(&(entry.record, entry.id));
                audit.fact(&entry, stored.map(|(seq, body)| (*seq, body.as_slice())))?;
            }
        }
        let verified = audit.finish()?;
        if verified.facts == self.facts.len() as u64 { Ok(verified) } else { Err(self.smuggled()) }
    }

    /// Where facts are that no commit names.
    fn smuggled(&self) -> crate::error::StoreError {
        let mut audit = Audit::default();
        let mut named = BTreeSet::new();
        for commit in &self.ledger {
            named.extend(audit.commit(commit).into_iter().flatten().map(|entry| (entry.record, entry.id)));
        }
        let extra = self.facts.iter().filter(|(key, _)| !named.contains(key)).map(|(_, (seq, _))| *seq).min();
        extra.map_or_else(|| broken(0, "a fact is named twice"), smuggled)
    }

    pub(super) fn counts(&self, now: Timestamp) -> Counts {
        Counts {
            subjects: self.counters.subjects,
            records: self.records.values().filter(|record| record.instance().is_some()).count() as u64,
            facts: self.counters.facts,
            commits: self.counters.commits,
            stale: self.stale(now, usize::MAX).len() as u64,
        }
    }
}

impl Standing {
    /// Whether time alone ended it.
    fn is_over(&self, now: Timestamp) -> bool {
        self.body.is_some() && self.valid_until.is_some_and(|until| until <= now)
    }
}
