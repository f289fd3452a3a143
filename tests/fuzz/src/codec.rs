//! Bytes of a store: whatever they are, they are read as something whole or refused, and what is read is written back.

use jiff::civil::Date;
use unisson_connector::{Presence, StreamId};
use unisson_consent::{
    Address, Algorithm, CustomerNo, FactId, HashedAddress, Normalisation, PersonId, RecordId, RecordRef, SystemId,
};
use unisson_plan::Digest;
use unisson_store::Result;
use unisson_store::codec::{
    About, Names, Needs, Numbers, Place, StoredFact, StoredReplica, StoredStanding, decode_scope, encode_fact,
    encode_replica, encode_scope, encode_standing,
};
use unisson_store::identifier::Identifier;

use super::policy;
use super::silence::{names_nobody, told};

/// Words that stored bytes are made of.
pub const WORDS: &[&[u8]] = &[
    b"\x01",
    b"\x01\x00\x00\x00",
    b"\xff\xff\xff\xff\x0f",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x04news",
    b"\x01\x01\x04news",
    b"\x80\x00",
    b"\x02\x00",
];

/// The record that everything here is about.
const OWNER: u64 = 1;

/// What the numbers up to eight stand for, in both directions.
struct Register {
    names: Names,
    numbers: Numbers,
}

/// Reads bytes as each thing that is stored; the first one says which.
///
/// # Panics
/// Where a promise is broken.
pub fn run(input: &[u8]) {
    let Some((which, bytes)) = input.split_first() else { return };
    let read = match which % 4 {
        0 => fact(bytes),
        1 => replica(bytes),
        2 => standing(bytes),
        _ => scope(bytes),
    };
    if let Err(error) = read {
        names_nobody(&told(&error));
    }
}

/// The fact that some bytes are, if they are one.
pub fn built(bytes: &[u8]) -> Option<unisson_consent::Fact> {
    let stored = StoredFact::read(bytes).ok()?;
    stored.build(FactId::of(&["fuzz"]), Some(&record("a")), &Register::new().names).ok()
}

fn fact(bytes: &[u8]) -> Result<()> {
    let stored = StoredFact::read(bytes)?;
    let mut needs = Needs::default();
    stored.needs(&mut needs);
    let numbers = needs.identifiers.len() + needs.records.len();
    assert!(numbers <= bytes.len(), "{numbers} numbers stand in {} bytes", bytes.len());
    stored.tell()?;
    let register = Register::new();
    let (about, id) = (stored.about(), FactId::of(&["fuzz"]));
    let fact = stored.build(id, Some(&record("a")), &register.names)?;
    let again = encode_fact(&fact, Place { about, owner: OWNER }, &register.numbers)?;
    let back = StoredFact::read(&again)?.build(id, Some(&record("a")), &register.names)?;
    assert_eq!(back, fact, "a fact that was read is written as it is");
    let whole = matches!(about, About::Row | About::Nothing) || fact.record.is_some();
    assert!(whole, "a fact that names a record has one");
    policy::fold(&[fact]);
    Ok(())
}

fn replica(bytes: &[u8]) -> Result<()> {
    let stored = StoredReplica::read(bytes)?;
    stored.needs(&mut Needs::default());
    let register = Register::new();
    let build = |stored: StoredReplica| {
        let row = (record("a"), StreamId("all".to_owned()));
        stored.build(row, (Presence::Present, Digest::default()), &register.names)
    };
    let replica = build(stored)?;
    let again = encode_replica(&replica, OWNER, &register.numbers)?;
    assert_eq!(build(StoredReplica::read(&again)?)?, replica, "a replica that was read is written as it is");
    Ok(())
}

fn standing(bytes: &[u8]) -> Result<()> {
    let stored = StoredStanding::read(bytes)?;
    stored.needs(&mut Needs::default());
    let register = Register::new();
    let decisions = stored.build(&register.names)?;
    let again = encode_standing(&decisions, &register.numbers)?;
    assert_eq!(StoredStanding::read(&again)?.build(&register.names)?, decisions, "decisions are written as they are");
    Ok(())
}

fn scope(bytes: &[u8]) -> Result<()> {
    let scope = decode_scope(bytes)?;
    assert_eq!(decode_scope(&encode_scope(&scope)?)?, scope, "a scope that was read is written as it is");
    Ok(())
}

fn record(native: &str) -> RecordRef {
    RecordRef { system: SystemId::new("news"), record: RecordId::new(native) }
}

impl Register {
    fn new() -> Self {
        let ada = Address::email("ada@example.org").expect("the text is not blank");
        let number = Address::phone("+33612345678", None).expect("the text is not blank");
        let digest = HashedAddress::of(&ada, &Algorithm::Md5(Normalisation::TrimLower)).expect("it needs no key");
        let identifiers = [
            Identifier::from(&ada),
            Identifier::from(&number),
            Identifier::from(&CustomerNo::new("4711")),
            Identifier::from(&PersonId::new("p")),
            Identifier::birth(OWNER, Date::constant(1990, 2, 28)),
            Identifier::from(&digest),
        ];
        let (mut names, mut numbers) = (Names::default(), Numbers::default());
        for (place, identifier) in (0..).zip(identifiers) {
            names.set_identifier(place, identifier.clone());
            numbers.set_identifier(identifier, place);
        }
        for (place, native) in (0..).zip(["z", "a", "b"]) {
            names.set_record(place, record(native));
            numbers.set_record(record(native), place);
        }
        Self { names, numbers }
    }
}
