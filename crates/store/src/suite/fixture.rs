//! What the tests write: contacts with one slot and one fact, judgements made by hand, commits piece by piece.

use jiff::Timestamp;
use unisson_connector::{Action, Change, ChangeId, Presence, StreamId, Target};
use unisson_consent::{
    Actor, Address, Aliases, Channel, Channels, ConsentStatus, CustomerNo, Decision, Evidence, Fact, FactId, Key,
    KeyId, Keyring, Kind, Level, Occurred, PersonId, PurposeId, Purposes, Reason, RecordId, RecordRef, Scope, Status,
    SystemId, Verdict, Via, Who,
};
use unisson_plan::erasure::{Case, CaseId, CaseState, Origin};
use unisson_plan::{
    Commit, Digest, Dossier, Judged, KeyDecision, Learned, Newcomer, PlanId, Planned, RecordNo, Replica, ReplicaSlot,
    RunId, Settled, Settlement, SubjectNo,
};

use crate::store::{Claim, Claimed, Purge, Store, Wanted};

/// The present of the tests, and any number of seconds from it.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + seconds).unwrap()
}

pub fn email(text: &str) -> Address {
    Address::email(text).unwrap()
}

/// The keys of the tests: number 1 and nothing else.
pub fn keyring() -> Keyring {
    let mut keyring = Keyring::default();
    keyring.insert(KeyId(1), vec![7; 32]);
    keyring
}

/// What remains of an erased address: a request that names it by its digests under the key of the tests.
pub fn tombstone(address: &Address, aliases: Aliases) -> Fact {
    let hashes = keyring().tombstone(address, aliases);
    let id = FactId::of(&["tombstone", &hashes.iter().map(unisson_consent::HashedAddress::hex).collect::<String>()]);
    let who = Who { hashes, ..Who::default() };
    let scope = Scope { purposes: Purposes::AllMarketing, channels: Channels::ALL };
    Fact { id, who, scope, ..fact("host", None, Kind::EraseRequest { verified: true }) }
}

/// An erasure case of this id, frozen with these tombstones.
pub fn frozen(id: &str, facts: Vec<FactId>) -> Case {
    let mut case = Case::open(CaseId(id.to_owned()), Origin::Request, at(0), at(2_592_000));
    (case.state, case.frozen_at, case.facts) = (CaseState::Frozen, Some(at(1)), facts);
    case
}

/// A purge of these records of `news` and these facts without a record.
pub fn purging(case: Case, natives: &[&str], loose: Vec<FactId>) -> Purge {
    let records = natives.iter().map(|native| record("news", native)).collect();
    Purge { run: RunId("forget".to_owned()), at: at(5), case, records, loose, held: Vec::new() }
}

/// All e-mail of one list.
pub fn list(name: &str) -> Scope {
    Scope { purposes: Purposes::List(name.into()), channels: Channels::one(Channel::Email) }
}

pub fn record(system: &str, native: &str) -> RecordRef {
    RecordRef { system: system.into(), record: native.into() }
}

/// A contact that is subscribed to one list, with the fact that says so.
pub fn contact(system: &str, native: &str) -> Learned {
    let address = email(&format!("{native}@example.org"));
    known_by(system, native, Who { addresses: vec![address], ..Who::default() })
}

/// A subscribed contact that is known by these identifiers.
pub fn known_by(system: &str, native: &str, who: Who) -> Learned {
    let slot = ReplicaSlot {
        scope: list("weekly"),
        status: Status::Subscribed,
        since: Occurred::Unknown,
        turn: 0,
        proof: 7,
        wrote: None,
    };
    let kind = Kind::Snapshot { status: Status::Subscribed, evidence: Evidence::default(), turn: Some(0) };
    let content = format!("{:?}", (who.addresses.iter().map(Address::raw).collect::<Vec<_>>(), who.customer.is_some()));
    let mut digest = [0; 16];
    digest.copy_from_slice(&FactId::of(&["digest", native, &content]).0);
    let fact = Fact { who: who.clone(), ..fact(system, Some(native), kind) };
    let replica = Replica {
        record: record(system, native),
        stream: StreamId("contacts".to_owned()),
        presence: Presence::Present,
        who,
        slots: vec![slot],
        digest: Digest(digest),
    };
    Learned { replica, facts: vec![fact] }
}

/// A contact known by one address.
pub fn mailed(system: &str, native: &str, address: &str) -> Learned {
    known_by(system, native, Who { addresses: vec![email(address)], ..Who::default() })
}

/// A contact known by a customer number alone.
pub fn customer(system: &str, native: &str, number: &str) -> Learned {
    known_by(system, native, Who { customer: Some(CustomerNo::new(number)), ..Who::default() })
}

/// A contact known by a person's id alone.
pub fn person(system: &str, native: &str, id: &str) -> Learned {
    known_by(system, native, Who { person: Some(PersonId::new(id)), ..Who::default() })
}

/// A fact that names nobody beside its record. Its id follows from what it says.
pub fn fact(system: &str, native: Option<&str>, kind: Kind) -> Fact {
    Fact {
        id: FactId::of(&[system, native.unwrap_or(""), &format!("{kind:?}")]),
        system: system.into(),
        record: native.map(RecordId::new),
        who: Who::default(),
        observed_at: at(0),
        occurred: Occurred::Unknown,
        seq: None,
        actor: Actor::DataSubject,
        via: Via::Message,
        scope: list("weekly"),
        kind,
        echo_of: None,
    }
}

/// The same contact with these facts instead of its own.
pub fn with_facts(learned: Learned, facts: Vec<Fact>) -> Learned {
    Learned { facts, ..learned }
}

/// A commit under construction.
pub struct Draft(Commit);

pub fn commit(run: &str) -> Draft {
    Draft(Commit::new(RunId(run.to_owned()), at(0)))
}

impl Draft {
    #[must_use]
    pub fn learn(mut self, learned: Learned) -> Self {
        self.0.learned.push(learned);
        self
    }

    #[must_use]
    pub fn newcomer(mut self, place: usize, judged: Judged) -> Self {
        self.0.newcomers.push(Newcomer { place, judged });
        self
    }

    #[must_use]
    pub fn tell(mut self, fact: Fact) -> Self {
        self.0.told.push(fact);
        self
    }

    #[must_use]
    pub fn case(mut self, case: Case) -> Self {
        self.0.cases.push(case);
        self
    }

    #[must_use]
    pub fn judge(mut self, judged: Judged) -> Self {
        self.0.judged.push(judged);
        self
    }

    #[must_use]
    pub fn absent(mut self, record: RecordNo) -> Self {
        self.0.absent.push(record);
        self
    }

    #[must_use]
    pub fn settle(mut self, id: &str, settlement: Settlement) -> Self {
        self.0.settled.push(Settled { id: ChangeId(id.to_owned()), settlement, replica: None });
        self
    }

    pub fn build(self) -> Commit {
        self.0
    }
}

/// A judgement that decides and plans nothing.
pub fn judged(subject: SubjectNo) -> Judged {
    Judged {
        subject,
        decisions: Vec::new(),
        valid_until: None,
        changes: Vec::new(),
        cancelled: Vec::new(),
        confirmed: Vec::new(),
        retried: Vec::new(),
        unreached: Vec::new(),
        erased: Vec::new(),
    }
}

/// A judgement that plans these.
pub fn planning(subject: SubjectNo, changes: Vec<Planned>) -> Judged {
    Judged { changes, ..judged(subject) }
}

/// A planned change of a record's weekly list.
pub fn planned(instance: &str, native: &str, id: &str, action: Action) -> Planned {
    Planned {
        instance: instance.into(),
        change: Change {
            id: ChangeId(id.to_owned()),
            target: Target { record: native.into(), addresses: Vec::new() },
            scope: list("weekly"),
            action,
            reason: Reason::Withdrawn.as_str(),
        },
        reason: Reason::Withdrawn,
        by_person: false,
    }
}

/// The same, caused by the person.
pub fn by_person(planned: Planned) -> Planned {
    Planned { by_person: true, ..planned }
}

/// A decision about an address.
pub fn decision(address: &str) -> KeyDecision {
    KeyDecision {
        key: Key {
            address: email(address),
            purpose: PurposeId::new("newsletter"),
            channel: Channel::Email,
            person: None,
        },
        decision: Decision {
            verdict: Verdict::Deny,
            status: ConsentStatus::Withdrawn,
            reason: Reason::Withdrawn,
            rule: Some("rule".to_owned()),
            facts: vec![FactId([7; 16]), FactId([8; 16])],
            level: Level::Qualified,
            negative: true,
            refused_by_person: true,
            valid_until: Some(Timestamp::MAX),
        },
        since: Some(at(-5)),
    }
}

/// Writes a commit and expects it to be taken.
pub async fn write(store: &dyn Store, draft: Draft) -> crate::store::Receipt {
    store.commit(draft.build()).await.unwrap()
}

/// The subject of a record.
pub async fn subject_of(store: &dyn Store, native: &str) -> SubjectNo {
    let found = store.find(&Wanted::Record(native.into())).await.unwrap();
    assert_eq!(found.len(), 1, "the record has one subject");
    found[0]
}

/// Everything known of one subject.
pub async fn dossier(store: &dyn Store, subject: SubjectNo) -> Dossier {
    let mut dossiers = store.dossiers(&[subject]).await.unwrap();
    assert_eq!(dossiers.len(), 1, "the subject is there");
    dossiers.remove(0)
}

/// Makes everybody fresh.
pub async fn judge_all(store: &dyn Store) {
    let stale = store.stale(at(0), usize::MAX).await.unwrap();
    let draft = stale.into_iter().fold(commit("judge"), |draft, subject| draft.judge(judged(subject)));
    write(store, draft).await;
}

/// The numbers of everybody who is stale.
pub async fn stale(store: &dyn Store, now: Timestamp) -> Vec<SubjectNo> {
    store.stale(now, 1_000).await.unwrap()
}

/// A contact with these changes planned for it, released.
pub async fn released(store: &dyn Store, native: &str, changes: Vec<Planned>) {
    write(store, commit("learn").learn(contact("news", native))).await;
    let subject = subject_of(store, native).await;
    write(store, commit("judge").judge(planning(subject, changes))).await;
    store.release(&"news".into(), unisson_plan::approved()).await.unwrap();
}

/// Claims at the instance `news`, for a minute.
pub async fn claim(store: &dyn Store, now: Timestamp, limit: usize, openings: Openings) -> Vec<Claimed> {
    let until = now.checked_add(jiff::SignedDuration::from_mins(1)).unwrap();
    let instance = SystemId::new("news");
    let openings = openings == Openings::Too;
    store.claim(Claim { instance: &instance, now, until, limit, openings, plan: None }).await.unwrap()
}

/// Claims at the instance `news` for a plan, for a minute from now.
pub async fn claim_for(store: &dyn Store, plan: &PlanId, openings: Openings) -> Vec<Claimed> {
    let instance = SystemId::new("news");
    let openings = openings == Openings::Too;
    let claim = Claim { instance: &instance, now: at(0), until: at(60), limit: 10, openings, plan: Some(plan) };
    store.claim(claim).await.unwrap()
}

/// Whether a claim may take what brings somebody back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Openings {
    /// It may.
    Too,
    /// It may not.
    Not,
}

/// The ids of what was claimed.
pub fn ids(claimed: &[Claimed]) -> Vec<&str> {
    claimed.iter().map(|claimed| claimed.change.id.0.as_str()).collect()
}

/// The states of the outbox with how many changes are in each.
pub async fn states(store: &dyn Store) -> Vec<(String, u64)> {
    let mut states: Vec<(String, u64)> =
        store.outbox().await.unwrap().into_iter().map(|count| (count.state, count.changes)).collect();
    states.sort();
    states
}

/// One state of the outbox with one change in it.
pub fn one(state: &str) -> Vec<(String, u64)> {
    vec![(state.to_owned(), 1)]
}

/// A dossier with everything that equality of the domain leaves out: how addresses are spelt.
pub fn image(dossier: &Dossier) -> String {
    use std::fmt::Write as _;
    let mut image = format!("{:?} {:?}\n", dossier.subject, dossier.open);
    for fact in &dossier.facts {
        let _ = writeln!(image, "{fact:?} {}", spelt(&fact.who));
        if let Kind::AddressChange { from, to, .. } = &fact.kind {
            let _ = writeln!(image, "{} {}", from.raw(), to.raw());
        }
    }
    for replica in &dossier.replicas {
        let _ = writeln!(image, "{replica:?} {} {}", replica.record.record.as_str(), spelt(&replica.who));
    }
    image
}

fn spelt(who: &Who) -> String {
    let addresses: Vec<_> = who
        .addresses
        .iter()
        .map(|address| (address.raw(), address.canonical(), address.suppress_key(), address.defect()))
        .collect();
    let customer = who.customer.as_ref().map(CustomerNo::as_str);
    let person = who.person.as_ref().map(PersonId::as_str);
    format!(
        "{addresses:?} {:?} {customer:?} {person:?}",
        who.hashes.iter().map(unisson_consent::HashedAddress::hex).collect::<Vec<_>>()
    )
}
