//! Enrolment: what a commit names gets its numbers, and records that may be one person come under one subject.
//!
//! A subject of the store is a cluster that over-approximates a person: all records connected by the widest suppression
//! class of an address, by a customer number, by a person id, or by being named together in a link, a split or a change of
//! address. The law tells the real people in it apart, so joining too much costs time and joining too little costs a
//! refusal. Clusters grow and merge, and never part; the lowest number stays.
//!
//! Everything here is a function of the commit and of what the store finds, so every store numbers alike.

mod desk;
mod meet;
mod roll;
mod sets;

use std::collections::BTreeSet;

use jiff::Timestamp;
use unisson_connector::{Presence, StreamId};
use unisson_consent::{FactId, HashedAddress, Keyring, RecordRef, SystemId, Who};
use unisson_plan::{Commit, Digest, Judged, RecordNo};

use crate::codec::{Numbers, encode_standing};
use crate::error::Result;
use crate::identifier::{Class, Identifier, Scheme, native_key};
use desk::Desk;
use roll::Roll;

pub use meet::meet;

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

impl RecordKey {
    /// The key of its native id in an index.
    pub fn narrow(&self) -> i64 {
        match self {
            Self::Named(record) => native_key(record.record.as_str()),
            Self::Loose(id) => native_key(&id.to_string()),
        }
    }
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
    /// The keys ([`RecordKey::narrow`]) of records that are asked for next, so that a store can look for all at once.
    fn foresee_records(&mut self, _keys: &mut dyn Iterator<Item = i64>) -> Result<()> {
        Ok(())
    }

    /// The keys ([`Class::key`]) of identifiers that are asked for next, so that a store can look for all at once.
    fn foresee_classes(&mut self, _keys: &mut dyn Iterator<Item = i64>) -> Result<()> {
        Ok(())
    }

    /// Where a record stands.
    fn record(&mut self, key: &RecordKey) -> Result<Option<Located>>;

    /// What is known of an identifier of this class.
    fn identifier(&mut self, identifier: &Identifier, class: &Class) -> Result<Found>;

    /// The schemes under which every address is found by its digest: those of [`schemes`] for this commit and all before.
    fn schemes(&self) -> &[Scheme];

    /// The keys of those that take one.
    fn keyring(&self) -> &Keyring;

    /// The subject of an address that has this digest, made under one of those schemes.
    fn bearer(&mut self, digest: &HashedAddress) -> Result<Option<u64>>;

    /// Whether any fact is kept with [`EVERYONE`].
    fn reaches_everyone(&mut self) -> Result<bool>;
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
    /// The narrow keys of an address's digests, one for each scheme.
    pub digests: Vec<i64>,
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
    /// Whether it asks for an erasure and is told on a record, so that it can be found by its id only where that is kept.
    pub is_request: bool,
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
    /// Standings of judged subjects in the order of the commit, then those of newcomers.
    pub standings: Vec<EnrolledStanding>,
    /// The records that the commit learns, in its order.
    pub learned: Vec<RecordNo>,
    /// The newcomers that count, by their places among the newcomers of the commit.
    pub newcomers: Vec<usize>,
    /// The counters after the new numbers were given.
    pub counters: Counters,
    numbers: Numbers,
}

impl Enrolment<'_> {
    /// The number of a record that the commit names.
    pub fn record(&self, record: &RecordRef) -> Result<u64> {
        self.numbers.record(record)
    }

    /// The judgements that count.
    pub fn judged<'j>(&'j self, commit: &'j Commit) -> impl Iterator<Item = &'j Judged> {
        let newcomers = self.newcomers.iter().filter_map(|place| commit.newcomers.get(*place));
        commit.judged.iter().chain(newcomers.map(|newcomer| &newcomer.judged))
    }
}

/// The schemes of the digests that a commit names. Before it is enrolled, a store sees to it that every address it holds
/// is found by its digest under each of them.
pub fn schemes(commit: &Commit) -> BTreeSet<Scheme> {
    let learned = commit.learned.iter().map(|learned| &learned.replica.who);
    let settled = commit.settled.iter().filter_map(|settled| settled.replica.as_ref()).map(|replica| &replica.who);
    schemes_of(commit.facts().map(|fact| &fact.who).chain(learned).chain(settled))
}

/// The schemes of the digests that somebody is known by.
pub fn schemes_of<'w>(named: impl Iterator<Item = &'w Who>) -> BTreeSet<Scheme> {
    named.flat_map(|who| &who.hashes).flat_map(Scheme::all_of).collect()
}

/// Enrols a commit. Judgements of subjects that are gone, and settlements of changes that have ended, are left out of it
/// before.
pub fn enrol<'c>(commit: &'c Commit, counters: Counters, lookup: &mut dyn Lookup) -> Result<Enrolment<'c>> {
    let roll = Roll::read(commit);
    let mut desk = Desk::new(counters);
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
        standings: Vec::with_capacity(commit.judged.len() + commit.newcomers.len()),
        learned: roll.learned.iter().map(|place| RecordNo(desk.record(*place))).collect(),
        newcomers: Vec::new(),
        counters: desk.counters,
        numbers: Numbers::default(),
    };
    let alone = desk.newcomers(commit, &roll, lookup)?;
    let newcomers = alone.iter().map(|(place, subject)| (*subject, &commit.newcomers[*place].judged));
    for (subject, judged) in commit.judged.iter().map(|judged| (judged.subject.0, judged)).chain(newcomers) {
        enrolment.standings.push(EnrolledStanding {
            subject,
            valid_until: judged.valid_until,
            body: encode_standing(&judged.decisions, &desk.numbers)?,
        });
    }
    enrolment.newcomers = alone.into_iter().map(|(place, _)| place).collect();
    enrolment.records = desk.new_records(roll);
    enrolment.numbers = desk.numbers;
    Ok(enrolment)
}
