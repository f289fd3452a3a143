//! The roll of a commit: which records it names, what each is known by, and which are named together.

use std::collections::BTreeSet;

use foldhash::HashMap;
use jiff::civil::Date;
use unisson_consent::{Address, CustomerNo, Fact, HashedAddress, Kind, PersonId, RecordRef, Who};
use unisson_plan::{Commit, Replica};

use super::RecordKey;
use crate::codec::{About, Place};

/// Something a record is known by.
pub(super) enum Trait<'c> {
    Address(&'c Address),
    Hashed(&'c HashedAddress),
    Customer(&'c CustomerNo),
    Person(&'c PersonId),
    Birth(Date),
}

/// A fact and where it belongs, records by their places on the roll.
pub(super) struct Told<'c> {
    pub(super) fact: &'c Fact,
    /// The record it is kept with; `None` for everyone.
    pub(super) row: Option<usize>,
    /// The record it is told on or stands for, if there is one.
    anchor: Option<usize>,
}

/// Everything a commit names, in the order in which it does.
#[derive(Default)]
pub(super) struct Roll<'c> {
    pub(super) keys: Vec<RecordKey>,
    /// Records that have to be known already.
    pub(super) required: BTreeSet<usize>,
    pub(super) traits: Vec<(usize, Trait<'c>)>,
    /// Records that are named together.
    pub(super) joins: Vec<(usize, usize)>,
    pub(super) facts: Vec<Told<'c>>,
    /// The record of each lesson, in the order of the commit.
    pub(super) learned: Vec<usize>,
    /// Records of which more than one lesson tells.
    pub(super) repeated: BTreeSet<usize>,
    /// What each record shows: the last word of the commit on it.
    pub(super) replicas: Vec<(usize, &'c Replica)>,
    places: HashMap<RecordKey, usize>,
    shown: HashMap<usize, usize>,
}

impl<'c> Roll<'c> {
    pub(super) fn read(commit: &'c Commit) -> Self {
        let mut roll = Self::default();
        roll.places.reserve(commit.learned.len() + commit.told.len());
        roll.shown.reserve(commit.learned.len());
        for learned in &commit.learned {
            let place = roll.show(&learned.replica);
            roll.learned.push(place);
            learned.facts.iter().for_each(|fact| roll.tell(fact));
        }
        commit.told.iter().for_each(|fact| roll.tell(fact));
        for settled in &commit.settled {
            if let Some(replica) = &settled.replica {
                roll.show(replica);
            }
        }
        for planned in commit.judged.iter().flat_map(|judged| &judged.changes) {
            let record = RecordRef { system: planned.instance.clone(), record: planned.change.target.record.clone() };
            let before = roll.keys.len();
            let place = roll.place(RecordKey::Named(record));
            // What the same commit learns is known soon enough.
            if place == before {
                roll.required.insert(place);
            }
        }
        roll
    }

    fn show(&mut self, replica: &'c Replica) -> usize {
        let place = self.place(RecordKey::Named(replica.record.clone()));
        self.know(place, &replica.who);
        if let Some(held) = self.shown.get(&place) {
            self.replicas[*held].1 = replica;
            self.repeated.insert(place);
        } else {
            self.shown.insert(place, self.replicas.len());
            self.replicas.push((place, replica));
        }
        place
    }

    fn tell(&mut self, fact: &'c Fact) {
        let key = match &fact.record {
            Some(record) => Some(RecordKey::Named(RecordRef { system: fact.system.clone(), record: record.clone() })),
            None => names_somebody(fact).then_some(RecordKey::Loose(fact.id)),
        };
        let anchor = key.map(|key| self.place(key));
        if let Some(anchor) = anchor {
            self.know(anchor, &fact.who);
            match &fact.kind {
                Kind::AddressChange { from, to, .. } => {
                    self.traits.extend([(anchor, Trait::Address(from)), (anchor, Trait::Address(to))]);
                }
                Kind::Link { records } => self.join(anchor, records.iter()),
                // The law parts them again; for that, the fact has to stand in their dossier.
                Kind::Split { groups } => self.join(anchor, groups.iter().flatten()),
                _ => {}
            }
        }
        let row = if reaches_everyone(fact) { None } else { anchor };
        self.facts.push(Told { fact, row, anchor });
    }

    fn know(&mut self, place: usize, who: &'c Who) {
        self.traits.extend(who.addresses.iter().map(|address| (place, Trait::Address(address))));
        self.traits.extend(who.hashes.iter().map(|hashed| (place, Trait::Hashed(hashed))));
        self.traits.extend(who.customer.iter().map(|customer| (place, Trait::Customer(customer))));
        self.traits.extend(who.person.iter().map(|person| (place, Trait::Person(person))));
        self.traits.extend(who.birth.iter().map(|day| (place, Trait::Birth(*day))));
    }

    fn join(&mut self, anchor: usize, records: impl Iterator<Item = &'c RecordRef>) {
        for record in records {
            let place = self.place(RecordKey::Named(record.clone()));
            self.joins.push((anchor, place));
        }
    }

    fn place(&mut self, key: RecordKey) -> usize {
        let next = self.keys.len();
        let place = *self.places.entry(key.clone()).or_insert(next);
        if place == next {
            self.keys.push(key);
        }
        place
    }
}

impl Told<'_> {
    /// Where the fact is kept, given the numbers of records.
    pub(super) fn place(&self, number: impl Fn(usize) -> u64) -> Place {
        let about = match (self.row, self.anchor) {
            _ if self.fact.record.is_none() => About::Nothing,
            (None, Some(anchor)) => About::Record(number(anchor)),
            _ => About::Row,
        };
        Place { about, owner: self.anchor.map_or(super::EVERYONE, number) }
    }
}

/// Whether a fact without a record still names somebody.
fn names_somebody(fact: &Fact) -> bool {
    let Who { addresses, hashes, customer, person, birth, .. } = &fact.who;
    !addresses.is_empty()
        || !hashes.is_empty()
        || customer.is_some()
        || person.is_some()
        || birth.is_some()
        || matches!(fact.kind, Kind::Link { .. } | Kind::Split { .. } | Kind::AddressChange { .. })
}

/// Whether a fact speaks of other facts or of notices rather than of a person: it may reach anybody.
fn reaches_everyone(fact: &Fact) -> bool {
    matches!(fact.kind, Kind::Annul { .. } | Kind::Invalidate { .. })
}
