//! Every persisted form, held by a snapshot: one that moves is a format that changed, and old stores must stay readable.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use insta::assert_snapshot;
use proptest::prelude::*;
use unisson_connector::{Action, Presence};
use unisson_consent::{
    Activity, Actor, Address, Basis, Channel, Channels, ConsentStatus, CustomerNo, Fact, FactId, HashedAddress, Kind,
    Level, Occurred, PersonId, Purposes, Reason, Scope, Verdict, Via,
};
use unisson_plan::{KeyDecision, RunId};

use super::word::REASONS;
use super::*;
use crate::enrol::{Counters, Found, Located, Lookup, RecordKey, enrol};
use crate::error::StoreErrorKind;
use crate::identifier::{Class, IdentifierKind, Scheme};
use crate::ledger::{Entry, LedgerCommit};
use crate::outbox::OutboxState;
use crate::store::RunState;
use crate::suite::fixture::{at, commit, contact, decision, email, fact, list, record, with_facts};
use crate::suite::rich::{kinds, replica, rich};

/// Numbers for everything the fixtures name, and what they stand for, in both directions.
fn register() -> (Numbers, Names) {
    let (mut numbers, mut names) = (Numbers::default(), Names::default());
    let who = rich(fact("news", Some("a"), Kind::Attribute)).who;
    let mut identifiers: Vec<Identifier> = who.addresses.iter().map(Identifier::from).collect();
    identifiers.extend(who.hashes.iter().map(Identifier::from));
    identifiers.extend(who.customer.iter().map(Identifier::from));
    identifiers.extend(who.person.iter().map(Identifier::from));
    identifiers.extend(who.birth.map(|day| Identifier::birth(300, day)));
    identifiers
        .extend(["old@example.org", "New@example.org", "a@example.org"].map(|raw| Identifier::from(&email(raw))));
    for (number, identifier) in (1_000..).zip(identifiers) {
        numbers.set_identifier(identifier.clone(), number);
        names.set_identifier(number, identifier);
    }
    for (number, native) in (300..).zip([("news", "a"), ("crm", "b"), ("crm", "c")]) {
        numbers.set_record(record(native.0, native.1), number);
        names.set_record(number, record(native.0, native.1));
    }
    (numbers, names)
}

const ROW: Place = Place { about: About::Row, owner: 300 };

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Lines of what something is and its bytes.
fn listing(lines: impl IntoIterator<Item = (String, Vec<u8>)>) -> String {
    lines.into_iter().fold(String::new(), |mut listing, (what, bytes)| {
        let _ = writeln!(listing, "{what}: {}", hex(&bytes));
        listing
    })
}

#[test]
fn every_kind_of_fact_has_a_stored_form() {
    let (numbers, names) = register();
    let mut lines = Vec::new();
    for kind in kinds() {
        let bare = fact("news", Some("a"), kind);
        let bytes = encode_fact(&bare, ROW, &numbers).unwrap();
        let back = StoredFact::read(&bytes).unwrap().build(bare.id, Some(&record("news", "a")), &names).unwrap();
        assert_eq!(back, bare);
        lines.push((format!("{:?}", bare.kind), bytes));
    }
    assert_snapshot!(listing(lines));
}

#[test]
fn every_kind_of_fact_has_words_that_stay() {
    let (numbers, _) = register();
    let mut lines = String::new();
    let facts = kinds().into_iter().map(|kind| fact("news", Some("a"), kind));
    for fact in facts.chain([rich(fact("news", Some("a"), Kind::Withdraw))]) {
        let bytes = encode_fact(&fact, ROW, &numbers).unwrap();
        let told = StoredFact::read(&bytes).unwrap().tell().unwrap();
        let _ = writeln!(lines, "{}", serde_json::to_string(&told).unwrap());
    }
    for about in [About::Nothing, About::Record(301)] {
        let bytes = encode_fact(&fact("host", None, Kind::Invite), Place { about, ..ROW }, &numbers).unwrap();
        let told = StoredFact::read(&bytes).unwrap().tell().unwrap();
        let _ = writeln!(lines, "{}", serde_json::to_string(&told).unwrap());
    }
    assert_snapshot!(lines);
}

#[test]
fn everything_else_a_fact_says_has_a_stored_form() {
    let (numbers, names) = register();
    let full = rich(fact("news", Some("a"), Kind::Attribute));
    let mut facts: Vec<(&str, Fact, Place)> = vec![
        ("in full", full.clone(), ROW),
        ("without a record", Fact { record: None, ..full.clone() }, Place { about: About::Nothing, owner: 300 }),
        ("kept elsewhere", full.clone(), Place { about: About::Record(300), owner: 300 }),
    ];
    let vary = |change: &dyn Fn(&mut Fact)| {
        let mut fact = fact("news", Some("a"), Kind::Attribute);
        change(&mut fact);
        fact
    };
    facts.extend(Actor::ALL.map(|(actor, name)| (name, vary(&|fact| fact.actor = actor), ROW)));
    facts.extend([Via::Message, Via::Account].map(|via| ("via", vary(&|fact| fact.via = via), ROW)));
    let times = ["", "0001-01-01T00:00:00Z", "2026-05-02T20:00:00.5Z", "2026-05-02T20:00:00", "2026-05-02"];
    facts.extend(times.map(|time| (time, vary(&|fact| fact.occurred = Occurred::parse(time)), ROW)));
    let mut lines = Vec::new();
    for (what, fact, place) in facts {
        let bytes = encode_fact(&fact, place, &numbers).unwrap();
        let stored = StoredFact::read(&bytes).unwrap();
        assert_eq!(stored.build(fact.id, Some(&record("news", "a")), &names).unwrap(), fact);
        lines.push((what.to_owned(), bytes));
    }
    assert_snapshot!(listing(lines));
}

#[test]
fn replicas_have_a_stored_form() {
    let (numbers, names) = register();
    let replica = replica();
    let bytes = encode_replica(&replica, 300, &numbers).unwrap();
    let row = (replica.record.clone(), replica.stream.clone());
    let stored = StoredReplica::read(&bytes).unwrap();
    assert_eq!(stored.build(row, (replica.presence, replica.digest), &names).unwrap(), replica);
    assert_snapshot!(hex(&bytes));
}

/// A decision of each reason, with statuses, levels, verdicts and channels in turn.
fn decisions() -> Vec<KeyDecision> {
    let statuses = [
        ConsentStatus::Unknown,
        ConsentStatus::Requested,
        ConsentStatus::Unqualified,
        ConsentStatus::Granted,
        ConsentStatus::NotRequired,
        ConsentStatus::Expired,
        ConsentStatus::Lapsed,
        ConsentStatus::Invalidated,
        ConsentStatus::Refused,
        ConsentStatus::Withdrawn,
        ConsentStatus::Objected,
        ConsentStatus::Erased,
    ];
    let reasons = REASONS.into_iter().chain(Basis::ALL.map(|(basis, _)| Reason::Basis(basis)));
    let channels = Channel::ALL.into_iter().cycle();
    let levels = Level::ALL.into_iter().cycle();
    let verdicts = [Verdict::Deny, Verdict::Ask, Verdict::Allow].into_iter().cycle();
    let turns = statuses.into_iter().cycle().zip(levels).zip(verdicts).zip(channels);
    reasons
        .zip(turns)
        .map(|(reason, (((status, level), verdict), channel))| {
            let mut known = decision("a@example.org");
            known.key.channel = channel;
            known.key.person = (verdict == Verdict::Ask).then(|| PersonId::new("P1"));
            known.since = (verdict != Verdict::Ask).then(|| at(0));
            known.decision.reason = reason;
            known.decision.status = status;
            known.decision.level = level;
            known.decision.verdict = verdict;
            known.decision.rule = (verdict == Verdict::Allow).then(|| "rule".to_owned());
            known.decision.facts.truncate(usize::from(level.number()) % 3);
            known.decision.valid_until = (verdict == Verdict::Deny).then_some(jiff::Timestamp::MAX);
            known
        })
        .collect()
}

#[test]
fn standings_have_a_stored_form() {
    let (numbers, names) = register();
    let mut lines = vec![("nothing".to_owned(), encode_standing(&[], &numbers).unwrap())];
    for known in decisions() {
        let bytes = encode_standing(std::slice::from_ref(&known), &numbers).unwrap();
        assert_eq!(StoredStanding::read(&bytes).unwrap().build(&names).unwrap(), vec![known.clone()]);
        let Decided { status, reason, channel } = Decided::of(&known);
        lines.push((format!("{status} {reason} {channel}"), bytes));
    }
    assert_snapshot!(listing(lines));
}

struct Decided {
    status: &'static str,
    reason: &'static str,
    channel: &'static str,
}

impl Decided {
    fn of(known: &KeyDecision) -> Self {
        let decision = &known.decision;
        Self { status: decision.status.as_str(), reason: decision.reason.as_str(), channel: known.key.channel.as_str() }
    }
}

#[test]
fn scopes_have_a_stored_form() {
    let scopes = [
        Scope::default(),
        Scope { purposes: Purposes::AllMarketing, channels: Channels::ALL },
        Scope { purposes: Purposes::Named(vec![]), channels: Channels::NONE },
        Scope {
            purposes: Purposes::Named(vec!["news".into(), "offers".into()]),
            channels: Channels::one(Channel::Sms),
        },
        list("weekly"),
    ];
    let lines = scopes.map(|scope| {
        let bytes = encode_scope(&scope).unwrap();
        assert_eq!(decode_scope(&bytes).unwrap(), scope);
        (format!("{scope:?}"), bytes)
    });
    assert_snapshot!(listing(lines));
}

#[test]
fn identifiers_have_columns_and_keys_that_stay() {
    let hashed = rich(fact("news", None, Kind::Attribute)).who.hashes.remove(0);
    let identifiers = [
        Identifier::from(&email(" Ada+Shop@Bücher.example ")),
        Identifier::from(&email("ada.at.example")),
        Identifier::from(&email("a\u{200b}da@example.org")),
        Identifier::from(&Address::phone("06 12 34 56 78", Some("FR")).unwrap()),
        Identifier::from(&Address::phone("ring me", None).unwrap()),
        Identifier::from(&Address::postal("1 rue de la Paix, 75002 Paris").unwrap()),
        Identifier::from(&CustomerNo::new("C1")),
        Identifier::from(&PersonId::new("P1")),
        Identifier::birth(7, jiff::civil::Date::constant(1990, 2, 28)),
        Identifier::from(&HashedAddress { digest: hashed.digest[..2].to_vec(), ..hashed }),
    ];
    let mut listing = String::new();
    for identifier in identifiers {
        let columns = identifier.columns();
        let _ = writeln!(
            listing,
            "{} {:?} {:?} {:?} {:?} class {} spelling {}",
            columns.kind,
            columns.raw,
            columns.grant,
            columns.suppress,
            columns.defect,
            identifier.class().key(),
            identifier.spelling_key()
        );
    }
    assert_snapshot!(listing);
}

#[test]
fn words_and_codes_of_columns_stay() {
    let mut listing = String::new();
    for code in 0..4 {
        assert_eq!(action_code(action(code).unwrap()), code);
        let _ = writeln!(listing, "action {code} {}", action(code).unwrap().as_str());
    }
    for code in 0..3 {
        assert_eq!(presence_code(presence(code).unwrap()), code);
        let _ = writeln!(listing, "presence {code} {:?}", presence(code).unwrap());
    }
    for code in 0..7 {
        let kind = IdentifierKind::from_code(code).unwrap();
        assert_eq!(kind.code(), code);
        let _ = writeln!(listing, "identifier {code} {kind:?}");
    }
    for word in OutboxState::ALL.map(|(state, _)| state.as_str()) {
        let _ = writeln!(listing, "state {word}");
    }
    for (state, word) in RunState::ALL {
        assert_eq!(run_state(word).unwrap(), state);
        let _ = writeln!(listing, "run {word}");
    }
    for known in REASONS.into_iter().chain(Basis::ALL.map(|(basis, _)| Reason::Basis(basis))) {
        assert_eq!(reason(known.as_str()).unwrap(), known);
        let _ = writeln!(listing, "reason {}", known.as_str());
    }
    assert!(action(4).is_err() && presence(3).is_err() && IdentifierKind::from_code(7).is_err());
    assert!(reason("whim").is_err() && run_state("lost").is_err());
    assert_eq!(
        (action(0).unwrap(), presence(0).unwrap()),
        (Action::Suppress, Presence::Present),
        "which SQL relies on"
    );
    assert_snapshot!(listing);
}

#[test]
fn the_ledger_has_a_chain_that_stays() {
    let entries = [Entry::of(1, FactId([1; 16]), b"one"), Entry::of(u64::MAX, FactId([2; 16]), b"two")];
    let first = LedgerCommit::after((0, [0; 32]), at(0), &RunId("run-1".to_owned()), &entries);
    let second = LedgerCommit::after((1, first.hash), jiff::Timestamp::MAX, &RunId(String::new()), &[]);
    let lines = [("entries", first.entries), ("first", first.hash.to_vec()), ("second", second.hash.to_vec())];
    assert_snapshot!(listing(lines.map(|(what, bytes)| (what.to_owned(), bytes))));
}

#[test]
fn no_identifier_and_no_native_id_stands_in_any_bytes() {
    struct Nothing(unisson_consent::Keyring);
    impl Lookup for Nothing {
        fn record(&mut self, _: &RecordKey) -> Result<Option<Located>> {
            Ok(None)
        }
        fn identifier(&mut self, _: &Identifier, _: &Class) -> Result<Found> {
            Ok(Found::default())
        }
        fn keyring(&self) -> &unisson_consent::Keyring {
            &self.0
        }
        fn schemes(&self) -> &[Scheme] {
            &[]
        }
        fn bearer(&mut self, _: &HashedAddress) -> Result<Option<u64>> {
            Ok(None)
        }
        fn reaches_everyone(&mut self) -> Result<bool> {
            Ok(false)
        }
    }
    let facts = kinds().into_iter().map(|kind| rich(fact("news", Some("native-a"), kind))).collect();
    let mut learned = with_facts(contact("news", "native-a"), facts);
    learned.replica.who = learned.facts[0].who.clone();
    let commit = commit("r").learn(learned).build();
    let enrolment = enrol(&commit, Counters::default(), &mut Nothing(unisson_consent::Keyring::default())).unwrap();
    let facts = enrolment.facts.iter().map(|fact| &fact.body);
    let bodies: Vec<String> = facts
        .chain(enrolment.replicas.iter().map(|replica| &replica.body))
        .map(|body| String::from_utf8_lossy(body).to_lowercase())
        .collect();
    assert!(bodies.len() > 30);
    for personal in ["example.org", "ada", "native", "c1", "p1", "1990", "rue de la paix", "crm"] {
        assert!(bodies.iter().all(|body| !body.contains(personal)), "{personal} stands in the clear");
    }
    let kept: BTreeSet<IdentifierKind> = enrolment.identifiers.iter().map(|new| new.identifier.kind()).collect();
    assert_eq!(kept.len(), 6, "all but telephone numbers, which the fixture lacks");
}

#[test]
fn bytes_of_a_newer_form_ask_for_an_update() {
    let (numbers, _) = register();
    let mut bytes = encode_fact(&fact("news", Some("a"), Kind::Request), ROW, &numbers).unwrap();
    bytes[0] += 1;
    assert_eq!(StoredFact::read(&bytes).unwrap_err().kind(), StoreErrorKind::Newer);
    bytes[0] = 0;
    assert_eq!(StoredFact::read(&bytes).unwrap_err().kind(), StoreErrorKind::Corrupt);
}

#[test]
fn bytes_that_are_cut_or_too_many_are_refused() {
    let (numbers, _) = register();
    let bytes = encode_replica(&replica(), 300, &numbers).unwrap();
    for end in 0..bytes.len() {
        assert_eq!(StoredReplica::read(&bytes[..end]).unwrap_err().kind(), StoreErrorKind::Corrupt, "{end}");
    }
    let longer = [bytes, vec![0]].concat();
    assert_eq!(StoredReplica::read(&longer).unwrap_err().kind(), StoreErrorKind::Corrupt);
}

#[test]
fn a_number_that_stands_for_nothing_is_refused() {
    let (numbers, names) = register();
    let told = rich(fact("news", Some("a"), Kind::Activity(Activity::Click)));
    let bytes = encode_fact(&told, ROW, &numbers).unwrap();
    let row = record("news", "a");
    let error = StoredFact::read(&bytes).unwrap().build(told.id, Some(&row), &Names::default()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    let error = StoredFact::read(&bytes).unwrap().build(told.id, None, &names).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "a fact of a record stands nowhere else");
    let error = encode_fact(&told, ROW, &Numbers::default()).unwrap_err();
    assert!(!error.to_string().to_lowercase().contains("ada"), "{error}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_and_nothing_panics(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (_, names) = register();
        let bytes = [vec![1], tail].concat();
        if let Ok(stored) = StoredFact::read(&bytes) {
            let _ = stored.build(FactId([0; 16]), Some(&record("news", "a")), &names);
        }
        if let Ok(stored) = StoredStanding::read(&bytes) {
            let _ = stored.build(&names);
        }
        if let Ok(stored) = StoredReplica::read(&bytes) {
            let replica = replica();
            let _ = stored.build((replica.record, replica.stream), (replica.presence, replica.digest), &names);
        }
        let _ = decode_scope(&bytes);
    }

    #[test]
    fn instants_survive_their_column_and_what_is_out_of_range_keeps_its_order(second in -377_705_023_201..253_402_207_200_i64) {
        let whole = jiff::Timestamp::from_second(second).unwrap();
        let back = instant(nanos(whole));
        let in_range = (-9_223_372_036..=9_223_372_036).contains(&second);
        prop_assert_eq!(back == whole, in_range);
        prop_assert!(in_range || (back < whole) == (second > 0));
    }
}
