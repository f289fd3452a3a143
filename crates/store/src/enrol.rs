//! Enrolment: what a commit names gets its numbers, and records that may be one person come under one subject.
//!
//! A subject of the store is a cluster that over-approximates a person: all records connected by the widest suppression
//! class of an address, by a customer number, by a person id, or by being named together in a link, a split or a change of
//! address. The law tells the real people in it apart, so joining too much costs time and joining too little costs a
//! refusal. Clusters grow and merge, and never part; the lowest number stays.
//!
//! Everything here is a function of the commit and of what the store finds, so every store numbers alike.

mod roll;
mod sets;

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use unisson_connector::{Presence, StreamId};
use unisson_consent::{FactId, RecordRef, SystemId};
use unisson_plan::{Commit, Digest, Replica};

use crate::codec::{Numbers, encode_fact, encode_replica, encode_standing};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::identifier::{Class, Identifier};
use roll::{Roll, Trait};
use sets::Sets;

/// The number of the row that keeps facts which name nobody, or reach beyond the record they are told on: annulments and
/// invalidations. They stand in everybody's dossier.
pub const EVERYONE: u64 = 0;

/// What a record row is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKey {
    /// A record of a system.
    Named(RecordRef),
    /// A fact that names no record stands for one of its own.
    Loose(FactId),
}

/// The last numbers that were given, and how much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// The last number of a record.
    pub record: u64,
    /// The last number of an identifier.
    pub identifier: u64,
    /// The last number of a subject. Numbers are never given twice, though merged subjects end.
    pub subject: u64,
    /// How many subjects there are.
    pub subjects: u64,
    /// How many facts there are.
    pub facts: u64,
    /// How many commits of the ledger there are.
    pub commits: u64,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// Its number.
    pub record: u64,
    /// Its subject.
    pub subject: u64,
}

/// What is known of an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// The number of exactly this spelling.
    pub number: Option<u64>,
    /// The subject that holds the class.
    pub subject: Option<u64>,
}

/// What a store looks up while a commit is enrolled. Called in the order of the keys of an index.
pub trait Lookup {
    /// Where a record stands.
    fn record(&mut self, key: &RecordKey) -> Result<Option<Located>>;

    /// What is known of an identifier of this class.
    fn identifier(&mut self, identifier: &Identifier, class: &Class) -> Result<Found>;
}

/// A record to be inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// Its number.
    pub number: u64,
    /// What it is found by.
    pub key: RecordKey,
    /// Its subject.
    pub subject: u64,
}

/// An identifier to be inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIdentifier {
    /// Its number.
    pub number: u64,
    /// What it is.
    pub identifier: Identifier,
    /// Its class.
    pub class: Class,
    /// The record it was first seen on: it belongs to that record's subject.
    pub record: u64,
}

/// A fact that may be new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolledFact {
    /// The record it is kept with, or [`EVERYONE`].
    pub record: u64,
    /// The subject of that record; `None` for everyone.
    pub subject: Option<u64>,
    /// Its id.
    pub id: FactId,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// What a record shows from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolledReplica<'c> {
    /// The record.
    pub record: u64,
    /// Its subject.
    pub subject: u64,
    /// Whose record it is.
    pub system: &'c SystemId,
    /// The stream that showed it.
    pub stream: &'c StreamId,
    /// Whether it is there.
    pub presence: Presence,
    /// The digest of its observation.
    pub digest: Digest,
    /// The rest, as bytes.
    pub body: Vec<u8>,
}

/// The decisions of one judged subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolledStanding {
    /// Whose.
    pub subject: u64,
    /// Until when they hold by themselves.
    pub valid_until: Option<Timestamp>,
    /// The decisions, as bytes.
    pub body: Vec<u8>,
}

/// Everything of a commit that is about records and people, with numbers, ready to be written.
#[derive(Debug)]
pub struct Enrolment<'c> {
    /// Records that are new.
    pub records: Vec<NewRecord>,
    /// Identifiers that are new.
    pub identifiers: Vec<NewIdentifier>,
    /// Subjects that are new, in the order of their numbers.
    pub subjects: Vec<u64>,
    /// Subjects that end, each with the one it becomes part of.
    pub merges: Vec<(u64, u64)>,
    /// Facts, new or not, in the order of the commit.
    pub facts: Vec<EnrolledFact>,
    /// Replicas, one for each record, in the order of the commit.
    pub replicas: Vec<EnrolledReplica<'c>>,
    /// Standings, in the order of the commit.
    pub standings: Vec<EnrolledStanding>,
    /// The counters after the new numbers were given.
    pub counters: Counters,
    numbers: Numbers,
}

impl Enrolment<'_> {
    /// The number of a record that the commit names.
    pub fn record(&self, record: &RecordRef) -> Result<u64> {
        self.numbers.record(record)
    }
}

/// Enrols a commit. Judgements of subjects that are gone, and settlements of changes that have ended, are left out of it
/// before.
pub fn enrol<'c>(commit: &'c Commit, counters: Counters, lookup: &mut dyn Lookup) -> Result<Enrolment<'c>> {
    let roll = Roll::read(commit);
    let mut desk = Desk { counters, located: Vec::new(), new_from: counters.record, numbers: Numbers::default() };
    desk.number_records(&roll, lookup)?;
    let named = desk.identify(&roll, lookup)?;
    let (subjects, merges) = desk.join(&roll, &named);
    let identifiers = desk.number_identifiers(named);
    desk.number_decisions(commit, lookup)?;
    let mut enrolment = Enrolment {
        records: Vec::new(),
        identifiers,
        subjects,
        merges,
        facts: desk.facts(&roll)?,
        replicas: desk.replicas(&roll)?,
        standings: Vec::with_capacity(commit.judged.len()),
        counters: desk.counters,
        numbers: Numbers::default(),
    };
    for judged in &commit.judged {
        enrolment.standings.push(EnrolledStanding {
            subject: judged.subject.0,
            valid_until: judged.valid_until,
            body: encode_standing(&judged.decisions, &desk.numbers)?,
        });
    }
    let new = |located: &&(RecordKey, Located)| located.1.record > desk.new_from;
    let located: Vec<(RecordKey, Located)> = roll.keys.into_iter().zip(desk.located).collect();
    enrolment.records = located
        .iter()
        .filter(new)
        .map(|(key, at)| NewRecord { number: at.record, key: key.clone(), subject: at.subject })
        .collect();
    enrolment.numbers = desk.numbers;
    Ok(enrolment)
}

/// An identifier with its class and what the store knows of it.
struct Named {
    identifier: Identifier,
    class: Class,
    found: Found,
    /// The places of the records it was named with.
    records: Vec<usize>,
}

/// The numbers given so far.
struct Desk {
    counters: Counters,
    /// Where each record of the roll stands. A new one has no subject until all are joined.
    located: Vec<Located>,
    /// Records with greater numbers are new.
    new_from: u64,
    numbers: Numbers,
}

impl Desk {
    fn number_records(&mut self, roll: &Roll<'_>, lookup: &mut dyn Lookup) -> Result<()> {
        let mut order: Vec<usize> = (0..roll.keys.len()).collect();
        order.sort_unstable_by_key(|place| &roll.keys[*place]);
        let mut found: Vec<Option<Located>> = vec![None; roll.keys.len()];
        for place in order {
            found[place] = lookup.record(&roll.keys[place])?;
        }
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
    fn identify(&self, roll: &Roll<'_>, lookup: &mut dyn Lookup) -> Result<Vec<Named>> {
        let mut places: HashMap<Identifier, usize> = HashMap::new();
        let mut named: Vec<Named> = Vec::new();
        for (record, mention) in &roll.traits {
            let identifier = mention.identifier(self.located[*record].record);
            let next = named.len();
            let place = *places.entry(identifier.clone()).or_insert(next);
            if place == next {
                let class = identifier.class();
                named.push(Named { identifier, class, found: Found::default(), records: Vec::new() });
            }
            if named[place].records.last() != Some(record) {
                named[place].records.push(*record);
            }
        }
        let mut order: Vec<(i64, usize)> =
            named.iter().enumerate().map(|(place, named)| (named.class.key(), place)).collect();
        order.sort_unstable();
        for (_, place) in order {
            named[place].found = lookup.identifier(&named[place].identifier, &named[place].class)?;
        }
        Ok(named)
    }

    /// Joins records into subjects. Gives the new subjects and the merges of old ones.
    fn join(&mut self, roll: &Roll<'_>, named: &[Named]) -> (Vec<u64>, Vec<(u64, u64)>) {
        let mut sets = Sets::new(self.located.len());
        let mut subjects: BTreeMap<u64, usize> = BTreeMap::new();
        for (place, at) in self.located.iter().enumerate().filter(|(_, at)| at.subject != 0) {
            let node = *subjects.entry(at.subject).or_insert_with(|| sets.push());
            sets.join(place, node);
        }
        let mut classes: HashMap<&Class, usize> = HashMap::new();
        for named in named {
            let node = *classes.entry(&named.class).or_insert_with(|| sets.push());
            named.records.iter().for_each(|record| sets.join(*record, node));
            if let Some(subject) = named.found.subject {
                let holder = *subjects.entry(subject).or_insert_with(|| sets.push());
                sets.join(holder, node);
            }
        }
        for (a, b) in &roll.joins {
            sets.join(*a, *b);
        }
        // In ascending order, so the first subject of a set is the lowest.
        let mut kept: HashMap<usize, u64> = HashMap::new();
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

    fn number_identifiers(&mut self, named: Vec<Named>) -> Vec<NewIdentifier> {
        let mut new = Vec::new();
        for named in named {
            let number = named.found.number.unwrap_or_else(|| {
                self.counters.identifier += 1;
                self.counters.identifier
            });
            if named.found.number.is_none() {
                // Every identifier was named with a record.
                let record = named.records.first().map_or(EVERYONE, |place| self.located[*place].record);
                new.push(NewIdentifier { number, identifier: named.identifier.clone(), class: named.class, record });
            }
            self.numbers.set_identifier(named.identifier, number);
        }
        new
    }

    /// Decisions speak of identifiers that facts of their subject named before.
    fn number_decisions(&mut self, commit: &Commit, lookup: &mut dyn Lookup) -> Result<()> {
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

    fn facts(&self, roll: &Roll<'_>) -> Result<Vec<EnrolledFact>> {
        roll.facts
            .iter()
            .map(|told| {
                let at = told.row.map(|place| self.located[place]);
                let place = told.place(|place| self.located[place].record);
                Ok(EnrolledFact {
                    record: at.map_or(EVERYONE, |at| at.record),
                    subject: at.map(|at| at.subject),
                    id: told.fact.id,
                    body: encode_fact(told.fact, place, &self.numbers)?,
                })
            })
            .collect()
    }

    fn replicas<'c>(&self, roll: &Roll<'c>) -> Result<Vec<EnrolledReplica<'c>>> {
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
