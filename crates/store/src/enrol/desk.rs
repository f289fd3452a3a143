//! The desk: numbers for records and identifiers, and one subject for whoever may be one person.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt as _};
use unisson_consent::{Keyring, Kind};
use unisson_plan::{Commit, Replica};

use super::roll::{Roll, Trait};
use super::sets::Sets;
use super::{
    Counters, EVERYONE, EnrolledFact, EnrolledReplica, Found, Located, Lookup, NewIdentifier, NewRecord, RecordKey,
};
use crate::codec::{Numbers, encode_fact, encode_replica};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::identifier::{Borne, Class, Identifier, IdentifierKind, Scheme};

/// An identifier with its class and what the store knows of it.
pub(super) struct Named {
    identifier: Identifier,
    class: Class,
    found: Found,
    /// The places of the records it was named with.
    records: Vec<usize>,
    /// The digests of a new address, each with its class and the subject that holds it.
    borne: Vec<(Borne, Class, Option<u64>)>,
}

/// The numbers given so far.
pub(super) struct Desk {
    pub(super) counters: Counters,
    /// Where each record of the roll stands. A new one has no subject until all are joined.
    located: Vec<Located>,
    /// Records with greater numbers are new.
    new_from: u64,
    /// Subjects with greater numbers are new.
    new_subjects_from: u64,
    pub(super) numbers: Numbers,
}

impl Desk {
    pub(super) fn new(counters: Counters) -> Self {
        Self {
            counters,
            located: Vec::new(),
            new_from: counters.record,
            new_subjects_from: counters.subject,
            numbers: Numbers::default(),
        }
    }

    pub(super) fn number_records(&mut self, roll: &Roll<'_>, lookup: &mut dyn Lookup) -> Result<()> {
        let mut order: Vec<(i64, usize)> =
            roll.keys.iter().enumerate().map(|(place, key)| (key.narrow(), place)).collect();
        order.sort_unstable();
        lookup.foresee_records(&mut order.iter().map(|(key, _)| *key))?;
        let mut found: Vec<Option<Located>> = vec![None; roll.keys.len()];
        for (_, place) in order {
            found[place] = lookup.record(&roll.keys[place])?;
        }
        self.located.reserve(roll.keys.len());
        self.numbers.reserve(roll.keys.len(), roll.keys.len());
        for (place, key) in roll.keys.iter().enumerate() {
            if found[place].is_none() && roll.required.contains(&place) {
                return Err(StoreError::new(
                    StoreErrorKind::Corrupt,
                    "write a planned change",
                    "its record is not known: read its instance anew",
                ));
            }
            let at = found[place].unwrap_or_else(|| {
                self.counters.record += 1;
                Located { record: self.counters.record, subject: 0 }
            });
            self.located.push(at);
            if let RecordKey::Named(record) = key {
                self.numbers.set_record(record.clone(), at.record);
            }
        }
        Ok(())
    }

    /// Reads what was named as identifiers and looks each up once.
    pub(super) fn identify(&self, roll: &Roll<'_>, lookup: &mut dyn Lookup) -> Result<Vec<Named>> {
        let mut places: HashMap<Identifier, usize> = HashMap::with_capacity(roll.keys.len());
        let mut named: Vec<Named> = Vec::with_capacity(roll.keys.len());
        for (record, mention) in &roll.traits {
            let identifier = mention.identifier(self.located[*record].record);
            let next = named.len();
            let place = *places.entry(identifier.clone()).or_insert(next);
            if place == next {
                let class = identifier.class();
                let (found, records, borne) = (Found::default(), Vec::new(), Vec::new());
                named.push(Named { identifier, class, found, records, borne });
            }
            if named[place].records.last() != Some(record) {
                named[place].records.push(*record);
            }
        }
        let mut order: Vec<(i64, usize)> =
            named.iter().enumerate().map(|(place, named)| (named.class.key(), place)).collect();
        order.sort_unstable();
        lookup.foresee_classes(&mut order.iter().map(|(key, _)| *key))?;
        let schemes = lookup.schemes().to_vec();
        let keyring = if schemes.is_empty() { Keyring::default() } else { lookup.keyring().clone() };
        for (_, place) in order {
            let named = &mut named[place];
            named.found = lookup.identifier(&named.identifier, &named.class)?;
            if !schemes.is_empty() && named.found.number.is_none() {
                named.compare((&schemes, &keyring), lookup)?;
            }
        }
        Ok(named)
    }

    /// Joins records into subjects. Gives the new subjects and the merges of old ones.
    pub(super) fn join(&mut self, roll: &Roll<'_>, named: &[Named]) -> (Vec<u64>, Vec<(u64, u64)>) {
        let mut sets = Sets::new(self.located.len());
        let mut subjects: BTreeMap<u64, usize> = BTreeMap::new();
        for (place, at) in self.located.iter().enumerate().filter(|(_, at)| at.subject != 0) {
            let node = *subjects.entry(at.subject).or_insert_with(|| sets.push());
            sets.join(place, node);
        }
        let mut classes: HashMap<&Class, usize> = HashMap::with_capacity(named.len());
        for named in named {
            let node = *classes.entry(&named.class).or_insert_with(|| sets.push());
            named.records.iter().for_each(|record| sets.join(*record, node));
            if let Some(subject) = named.found.subject {
                let holder = *subjects.entry(subject).or_insert_with(|| sets.push());
                sets.join(holder, node);
            }
            for (_, class, subject) in &named.borne {
                let digest = *classes.entry(class).or_insert_with(|| sets.push());
                sets.join(digest, node);
                if let Some(subject) = subject {
                    let holder = *subjects.entry(*subject).or_insert_with(|| sets.push());
                    sets.join(holder, node);
                }
            }
        }
        for (a, b) in &roll.joins {
            sets.join(*a, *b);
        }
        // In ascending order, so the first subject of a set is the lowest.
        let mut kept: HashMap<usize, u64> = HashMap::with_capacity(self.located.len());
        let mut merges = Vec::new();
        for (subject, node) in &subjects {
            let into = *kept.entry(sets.root(*node)).or_insert(*subject);
            if into != *subject {
                merges.push((*subject, into));
            }
        }
        let mut new = Vec::new();
        for place in 0..self.located.len() {
            let counters = &mut self.counters;
            self.located[place].subject = *kept.entry(sets.root(place)).or_insert_with(|| {
                counters.subject += 1;
                new.push(counters.subject);
                counters.subject
            });
        }
        self.counters.subjects = self.counters.subjects + new.len() as u64 - merges.len() as u64;
        (new, merges)
    }

    pub(super) fn number_identifiers(&mut self, named: Vec<Named>) -> Vec<NewIdentifier> {
        let mut new = Vec::new();
        for named in named {
            let number = named.found.number.unwrap_or_else(|| {
                self.counters.identifier += 1;
                self.counters.identifier
            });
            if named.found.number.is_none() {
                // Every identifier was named with a record.
                let record = named.records.first().map_or(EVERYONE, |place| self.located[*place].record);
                let digests = named.borne.iter().map(|(borne, ..)| borne.key).collect();
                let identifier = named.identifier.clone();
                new.push(NewIdentifier { number, identifier, class: named.class, record, digests });
            }
            self.numbers.set_identifier(named.identifier, number);
        }
        new
    }

    /// Decisions speak of identifiers that facts of their subject named before.
    pub(super) fn number_decisions(&mut self, commit: &Commit, lookup: &mut dyn Lookup) -> Result<()> {
        let mut spoken: Vec<(i64, Identifier)> = Vec::new();
        for known in commit.judged.iter().flat_map(|judged| &judged.decisions) {
            let person = known.key.person.as_ref().map(Identifier::from);
            for identifier in person.into_iter().chain([Identifier::from(&known.key.address)]) {
                if self.numbers.identifier(&identifier).is_err()
                    && spoken.last().is_none_or(|(_, last)| *last != identifier)
                {
                    spoken.push((identifier.class().key(), identifier));
                }
            }
        }
        spoken.sort_by_key(|(key, _)| *key);
        for (_, identifier) in spoken {
            if self.numbers.identifier(&identifier).is_ok() {
                continue;
            }
            if let Some(number) = lookup.identifier(&identifier, &identifier.class())?.number {
                self.numbers.set_identifier(identifier, number);
            }
        }
        Ok(())
    }

    pub(super) fn facts(&self, roll: &Roll<'_>) -> Result<Vec<EnrolledFact>> {
        roll.facts
            .iter()
            .map(|told| {
                let at = told.row.map(|place| self.located[place]);
                let place = told.place(|place| self.located[place].record);
                Ok(EnrolledFact {
                    record: at.map_or(EVERYONE, |at| at.record),
                    subject: at.map(|at| at.subject),
                    id: told.fact.id,
                    is_request: told.fact.record.is_some() && matches!(told.fact.kind, Kind::EraseRequest { .. }),
                    body: encode_fact(told.fact, place, &self.numbers)?,
                })
            })
            .collect()
    }

    pub(super) fn replicas<'c>(&self, roll: &Roll<'c>) -> Result<Vec<EnrolledReplica<'c>>> {
        roll.replicas
            .iter()
            .map(|(place, replica): &(usize, &'c Replica)| {
                let at = self.located[*place];
                Ok(EnrolledReplica {
                    record: at.record,
                    subject: at.subject,
                    system: &replica.record.system,
                    stream: &replica.stream,
                    presence: replica.presence,
                    digest: replica.digest,
                    body: encode_replica(replica, at.record, &self.numbers)?,
                })
            })
            .collect()
    }
}

impl Desk {
    /// The number of a record of the roll.
    pub(super) fn record(&self, place: usize) -> u64 {
        self.located[place].record
    }

    /// The newcomers whose condition holds, by their places among the newcomers, with their subjects.
    pub(super) fn newcomers(
        &self,
        commit: &Commit,
        roll: &Roll<'_>,
        lookup: &mut dyn Lookup,
    ) -> Result<Vec<(usize, u64)>> {
        let reaches_everyone = roll.facts.iter().any(|told| told.row.is_none());
        if commit.newcomers.is_empty() || reaches_everyone || lookup.reaches_everyone()? {
            return Ok(Vec::new());
        }
        let mut records: HashMap<u64, usize> = HashMap::with_capacity(self.located.len());
        for at in &self.located {
            *records.entry(at.subject).or_default() += 1;
        }
        let counts = |place: &usize| {
            let at = self.located[*place];
            let is_new = at.record > self.new_from && at.subject > self.new_subjects_from;
            is_new && records.get(&at.subject) == Some(&1) && !roll.repeated.contains(place)
        };
        let places = commit.newcomers.iter().map(|newcomer| roll.learned.get(newcomer.place));
        let places =
            places.enumerate().filter_map(|(order, place)| Some((order, *place.filter(|place| counts(place))?)));
        Ok(places.map(|(order, place)| (order, self.located[place].subject)).collect())
    }

    /// The records that were not known before, now that each has its subject.
    pub(super) fn new_records(&self, roll: Roll<'_>) -> Vec<NewRecord> {
        let places = roll.keys.into_iter().zip(&self.located);
        places
            .filter(|(_, at)| at.record > self.new_from)
            .map(|(key, at)| NewRecord { number: at.record, key, subject: at.subject })
            .collect()
    }
}

impl Named {
    /// Looks for the digests of a new address, or for the address of a new digest: whichever came first, they are one
    /// person's.
    fn compare(&mut self, (schemes, keyring): (&[Scheme], &Keyring), lookup: &mut dyn Lookup) -> Result<()> {
        if self.identifier.kind() == IdentifierKind::Hashed {
            let digest = self.identifier.hashed()?;
            if self.found.subject.is_none() {
                self.found.subject = lookup.bearer(&digest)?;
            }
            return Ok(());
        }
        for borne in self.identifier.borne(schemes, keyring) {
            let class = borne.digest.class();
            let held = lookup.identifier(&borne.digest, &class)?.subject;
            self.borne.push((borne, class, held));
        }
        Ok(())
    }
}

impl Trait<'_> {
    /// What it is, on the record of this number.
    fn identifier(&self, record: u64) -> Identifier {
        match self {
            Self::Address(address) => (*address).into(),
            Self::Hashed(hashed) => (*hashed).into(),
            Self::Customer(customer) => (*customer).into(),
            Self::Person(person) => (*person).into(),
            Self::Birth(day) => Identifier::birth(record, *day),
        }
    }
}
